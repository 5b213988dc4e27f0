// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/streams/flow.h"

#include "tools/loadgen/streams/port.h"

#include <errno.h>
#include <re.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER = RTP_HEADER_SIZE, WRAP_AFTER = 100 };

static uint32_t ts_step(const struct stream_options *o)
{
    return (uint32_t)((uint64_t)o->clock * o->ptime_us / 1000000);
}

static int open_one(const struct stream_options *o, uint32_t index, const struct plan_entry *e,
                    struct flow *f)
{
    const char other = o->side == 'a' ? 'b' : 'a';
    const bool wraps = o->wrap_every != 0 && index % o->wrap_every == 0;
    int error = 0;

    memset(f, 0, sizeof *f);
    f->local = e->local;
    f->remote = e->remote;
    f->ssrc = plan_ssrc(o->seed, o->side, index);
    f->ts_base = f->ssrc * 2654435761u;
    // the others begin low, so that a run under ten minutes doesn't wrap by chance
    f->seq_base = wraps ? (uint16_t)-WRAP_AFTER : (uint16_t)(1 + f->ts_base % 28000);
    ledger_init(&f->in, o->mode == MODE_ECHO ? f->ssrc : plan_ssrc(o->seed, other, index));
    if (e->suite != STREAM_PLAIN) {
        error = suites_open(e->suite, &e->tx_key, &f->tx);
        if (error == 0)
            error = suites_open(e->suite, &e->rx_key, &f->rx);
    }
    return error;
}

static int open_range(const struct stream_options *o, struct flow **flows, uint32_t *count)
{
    struct plan_entry e;
    int error = 0;

    *flows = calloc(o->streams, sizeof **flows);
    if (*flows == NULL)
        return -ENOMEM;
    for (*count = 0; *count < o->streams && error == 0; (*count)++) {
        plan_entry_of(o, o->first + *count, &e);
        error = open_one(o, o->first + *count, &e, &(*flows)[*count]);
    }
    explicit_bzero(&e, sizeof e);
    return error;
}

// A map that is being read.
struct map {
    unsigned line;
    uint32_t index; // of the next stream, those that are passed over included
    struct flow *flows;
    uint32_t count;
};

// Room for one more: doubled at each power of two.
static int make_room(struct map *m)
{
    struct flow *more = m->flows;

    if ((m->count & (m->count - 1)) == 0)
        more = reallocarray(m->flows, m->count == 0 ? 1 : 2 * (size_t)m->count, sizeof *more);
    if (more == NULL)
        return -ENOMEM;
    m->flows = more;
    return 0;
}

static int open_line(const struct stream_options *o, char *line, struct map *m, char *error, size_t size)
{
    struct plan_entry e;
    char why[200];
    int failed = 0;

    m->line++;
    switch (plan_read_line(o, m->index, line, &e, why, sizeof why)) {
    case PLAN_LINE_EMPTY:
        return 0;
    case PLAN_LINE_BAD:
        snprintf(error, size, "%s, line %u: %s", o->map, m->line, why);
        return -EINVAL;
    default:
        break;
    }
    const uint32_t index = m->index++;
    if (index < o->first || (o->streams != 0 && index - o->first >= o->streams))
        goto out;
    if (m->count == STREAMS_MAX) {
        snprintf(error, size, "%s, line %u: more than %d streams for one program, see --first and --streams",
                 o->map, m->line, STREAMS_MAX);
        failed = -EINVAL;
        goto out;
    }
    failed = make_room(m);
    if (failed == 0)
        failed = open_one(o, index, &e, &m->flows[m->count++]);
out:
    explicit_bzero(&e, sizeof e);
    return failed;
}

static int open_map(const struct stream_options *o, struct flow **flows, uint32_t *count, char *error,
                    size_t size)
{
    struct map m = {0};
    FILE *in = fopen(o->map, "r");
    char line[512];
    int failed = 0;

    if (in == NULL) {
        failed = -errno;
        snprintf(error, size, "can't read %s: %s", o->map, strerror(errno));
        return failed;
    }
    while (failed == 0 && fgets(line, sizeof line, in) != NULL)
        failed = open_line(o, line, &m, error, size);
    explicit_bzero(line, sizeof line);
    fclose(in);
    if (failed == 0 && m.count == 0) {
        snprintf(error, size, "%s names no stream%s", o->map, m.index > 0 ? " from --first on" : "");
        failed = -EINVAL;
    }
    *flows = m.flows;
    *count = m.count;
    return failed;
}

int flows_open(const struct stream_options *o, struct flow **flows, uint32_t *count, char *error, size_t size)
{
    int failed;

    *flows = NULL;
    *count = 0;
    *error = 0;
    failed = o->map != NULL ? open_map(o, flows, count, error, size) : open_range(o, flows, count);
    if (failed == 0)
        return 0;
    if (*error == 0)
        snprintf(error, size, "stream %u can't be made: %s", *count, strerror(-failed));
    flows_close(*flows, *count);
    *flows = NULL;
    return failed;
}

void flows_close(struct flow *flows, uint32_t count)
{
    for (uint32_t i = 0; flows != NULL && i < count; i++) {
        mem_deref(flows[i].tx);
        mem_deref(flows[i].rx);
    }
    free(flows);
}

static int build(struct flow *f, const struct stream_options *o, struct packet *p, struct stamp *s)
{
    const uint16_t seq = htons((uint16_t)(f->seq_base + f->number));
    const uint32_t words[2] = {htonl(f->ts_base + f->number * ts_step(o)), htonl(f->ssrc)};

    s->ssrc = f->ssrc;
    s->number = f->number;
    p->data[0] = RTP_VERSION << 6;
    p->data[1] = (uint8_t)(o->pt | (f->number == 0 || s->final ? 0x80 : 0));
    memcpy(p->data + 2, &seq, sizeof seq);
    memcpy(p->data + 4, words, sizeof words);
    stamp_write(p->data + HEADER, o->payload, s);
    p->length = HEADER + o->payload;
    f->number++;
    if (f->tx == NULL)
        return 0;

    struct mbuf mb = {.buf = p->data, .size = p->room, .pos = 0, .end = p->length};
    const int failed = srtp_encrypt(f->tx, &mb);
    p->length = (uint32_t)mb.end;
    return -failed;
}

int flow_build(struct flow *f, const struct stream_options *o, struct packet *p, int64_t now)
{
    return build(f, o, p, &(struct stamp){.value = (uint64_t)now});
}

int flow_build_final(struct flow *f, const struct stream_options *o, struct packet *p)
{
    return build(f, o, p, &(struct stamp){.final = true, .value = f->total});
}

// RFC 5761 4: RTCP packet types on a shared port.
static bool is_rtcp(const struct packet *p)
{
    return p->length >= 2 && p->data[1] >= 192 && p->data[1] <= 223;
}

// Where the payload begins and how long it is, RFC 3550 5.1 and 5.3.1. The padding is that of plain RTP:
// to be called once it is.
static int find_payload(const struct packet *p, size_t *at, size_t *length)
{
    size_t start = HEADER + 4 * (size_t)(p->data[0] & 0x0f), padding = 0;

    if (p->data[0] & 0x10) {
        if (p->length < start + 4)
            return -EBADMSG;
        start += 4 + 4 * ((size_t)p->data[start + 2] << 8 | p->data[start + 3]);
    }
    if (p->length < start)
        return -EBADMSG;
    if (p->data[0] & 0x20) {
        padding = p->length == start ? 0 : p->data[p->length - 1];
        if (padding == 0 || padding > p->length - start)
            return -EBADMSG;
    }
    *at = start;
    *length = p->length - start - padding;
    return 0;
}

static int read_header(const struct packet *p, struct ledger_header *h, uint8_t *pt)
{
    uint16_t seq;
    uint32_t words[2];

    if (p->length < HEADER || p->data[0] >> 6 != RTP_VERSION)
        return -EBADMSG;
    memcpy(&seq, p->data + 2, sizeof seq);
    memcpy(words, p->data + 4, sizeof words);
    *h = (struct ledger_header){
        .ssrc = ntohl(words[1]), .timestamp = ntohl(words[0]), .seq = ntohs(seq), .marker = p->data[1] >> 7};
    *pt = p->data[1] & 0x7f;
    return 0;
}

static int unprotect(struct flow *f, struct packet *p)
{
    struct mbuf mb = {.buf = p->data, .size = p->room, .pos = 0, .end = p->length};
    const int failed = srtp_decrypt(f->rx, &mb);

    switch (failed) {
    case 0:
        p->length = (uint32_t)mb.end;
        break;
    case EALREADY:
        f->in.replayed++;
        break;
    case ETIMEDOUT:
        f->in.late_for_roc++;
        break;
    default:
        f->in.bad_auth++;
        break;
    }
    return -failed;
}

enum flow_verdict flow_take(struct flow *f, const struct stream_options *o, uint32_t every, struct packet *p,
                            struct stamp *s)
{
    struct ledger_header h;
    size_t at = 0, length = 0;
    uint8_t pt;
    const bool had_ended = f->in.ended;

    if (p->foreign) {
        f->in.foreign++;
        return FLOW_BAD;
    }
    if (is_rtcp(p)) {
        f->rtcp++;
        return FLOW_RTCP;
    }
    if (read_header(p, &h, &pt) != 0) {
        f->in.bad_rtp++;
        return FLOW_BAD;
    }
    const bool verify = ledger_must_verify(&f->in, &h, every);
    if (verify && f->rx != NULL && unprotect(f, p) != 0)
        return FLOW_BAD;
    if (verify && find_payload(p, &at, &length) != 0) {
        f->in.bad_rtp++;
        return FLOW_BAD;
    }
    if (pt != o->pt) {
        f->in.bad_pt++;
        return FLOW_BAD;
    }
    if (!verify) {
        ledger_take_unverified(&f->in, &h);
        return FLOW_UNVERIFIED;
    }
    if (!ledger_take(&f->in, &h, p->data + at, length, s))
        return FLOW_BAD;
    return !s->final ? FLOW_GOOD : had_ended ? FLOW_MORE_ENDED : FLOW_ENDED;
}

int flow_reflect(struct flow *f, const struct packet *in, enum flow_verdict verdict, struct packet *out)
{
    if (verdict == FLOW_RTCP || in->foreign || in->length > out->room - SUITES_TAG_MAX)
        return -ENOENT;
    // with SRTP only what is authentic can be returned, and none twice by one index
    if (f->rx != NULL && (verdict == FLOW_BAD || verdict == FLOW_UNVERIFIED))
        return -ENOENT;
    memcpy(out->data, in->data, in->length);
    out->length = in->length;
    if (f->tx == NULL)
        return 0;

    struct mbuf mb = {.buf = out->data, .size = out->room, .pos = 0, .end = out->length};
    const int failed = srtp_encrypt(f->tx, &mb);
    out->length = (uint32_t)mb.end;
    return -failed;
}
