// SPDX-License-Identifier: BSD-3-Clause
#include "tools/bench/reference.h"

#include <rte_malloc.h>
#include <rte_prefetch.h>
#include <stdlib.h>

struct libre_set {
    unsigned count;
    struct libre_stream *stream[];
};

static struct libre_set *libre_set_new(const struct set *s)
{
    struct libre_set *x = calloc(1, sizeof *x + s->streams * sizeof x->stream[0]);
    if (!x)
        die("no memory for libre's streams");
    x->count = s->streams;
    for (unsigned i = 0; i < s->streams; i++) {
        struct tl_crypto c = set_crypto(s, i, true);
        x->stream[i] = libre_new(&c);
        if (!x->stream[i])
            die("libre refuses a key");
    }
    return x;
}

static unsigned libre_step(struct lane *l)
{
    const struct libre_set *x = l->set->reference;
    enum { AT_ONCE = 32 };
    for (unsigned i = 0; i < AT_ONCE; i++) {
        struct rte_mbuf *m = l->mbuf[l->next++];
        const struct sent *sent = sent_of(l, m);
        uint8_t *rtp = rte_pktmbuf_mtod(m, uint8_t *) + FRAME_HEADER;
        unsigned len = libre_protect(x->stream[sent->number], rtp, m->data_len - FRAME_HEADER, SRTP_TAILROOM);
        m->data_len = FRAME_HEADER + len;
    }
    return AT_ONCE;
}

// ---- the engine's own stage --------------------------------------------------------------------------

static struct srtp_key **protect_set_new(const struct set *s)
{
    struct srtp_key **key = calloc(s->streams, sizeof(struct srtp_key *));
    for (unsigned i = 0; key && i < s->streams; i++) {
        struct tl_crypto c = set_crypto(s, i, true);
        key[i] = rte_malloc("protect", srtp_key_size(c.suite), SRTP_KEY_ALIGN);
        if (!key[i] || srtp_key_init(s->lane->srtp, key[i], &c))
            die("no memory for the keys of %u streams", s->streams);
    }
    if (!key)
        die("no memory for the keys of %u streams", s->streams);
    return key;
}

// As many at once as a turn of the worker brings from two ports.
static unsigned protect_step(struct lane *l)
{
    struct srtp_key **key = l->set->reference;
    struct srtp_op op[WORKER_PACKETS];
    unsigned n = 2 * l->bench->burst;
    const uint32_t lines = srtp_key_lines(l->srtp, srtp_suite_is_gcm(l->set->arm->out));
    for (unsigned i = 0; i < n; i++) {
        struct rte_mbuf *m = l->mbuf[l->next + i];
        const struct sent *sent = sent_of(l, m);
        op[i] = (struct srtp_op){.key = key[sent->number],
                                 .pkt = rte_pktmbuf_mtod(m, uint8_t *) + FRAME_HEADER,
                                 .index = sent->index,
                                 .ssrc = sent->ssrc,
                                 .len = m->data_len - FRAME_HEADER,
                                 .hdr_len = RTP_HEADER,
                                 .room = SRTP_TAILROOM};
        srtp_key_prefetch(op[i].key, lines);
    }
    srtp_protect(l->srtp, op, n);
    for (unsigned i = 0; i < n; i++)
        l->mbuf[l->next + i]->data_len = FRAME_HEADER + op[i].len; // the gate sees what failed
    l->next += n;
    return n;
}

// ---- our SRTP alone ----------------------------------------------------------------------------------

// A stream's keys, one behind the other in huge pages, as the library's are in reference_raw.c.
struct own {
    size_t size; // of a key
    uint32_t lines;
    uint8_t *keys;
};

static struct own *own_new(const struct set *s)
{
    struct own *own = calloc(1, sizeof *own);
    if (!own)
        die("no memory for our keys");
    own->size = srtp_key_size(s->arm->out);
    own->lines = srtp_key_lines(s->lane->srtp, srtp_suite_is_gcm(s->arm->out));
    own->keys = rte_malloc("own", s->streams * own->size, SRTP_KEY_ALIGN);
    for (unsigned i = 0; own->keys && i < s->streams; i++) {
        struct tl_crypto c = set_crypto(s, i, true);
        if (srtp_key_init(s->lane->srtp, (struct srtp_key *)(void *)(own->keys + i * own->size), &c))
            die("a key cannot be derived");
    }
    if (!own->keys)
        die("no memory for the keys of %u streams", s->streams);
    return own;
}

static inline const struct srtp_key *own_key(const struct own *own, const struct sent *sent)
{
    return (const struct srtp_key *)(const void *)(own->keys + sent->number * own->size);
}

// While a batch is made ready, the keys and payloads of the next one are on their way.
static unsigned own_step(struct lane *l)
{
    const struct own *own = l->set->reference;
    enum { BATCH = 64 };
    struct srtp_op op[BATCH];
    for (unsigned i = 0; i < BATCH; i++) {
        struct rte_mbuf *m = l->mbuf[l->next + i], *later = l->mbuf[(l->next + i + BATCH) % CIRCULATING];
        const struct sent *sent = sent_of(l, m);
        for (size_t line = 0; line < 4; line++)
            rte_prefetch0(rte_pktmbuf_mtod_offset(later, const char *, line * 64));
        srtp_key_prefetch(own_key(own, sent_of(l, later)), own->lines);
        op[i] = (struct srtp_op){.key = own_key(own, sent),
                                 .pkt = rte_pktmbuf_mtod(m, uint8_t *) + FRAME_HEADER,
                                 .index = sent->index,
                                 .ssrc = sent->ssrc,
                                 .len = m->data_len - FRAME_HEADER,
                                 .hdr_len = RTP_HEADER,
                                 .room = SRTP_TAILROOM};
    }
    srtp_protect(l->srtp, op, BATCH);
    for (unsigned i = 0; i < BATCH; i++)
        l->mbuf[l->next + i]->data_len = FRAME_HEADER + op[i].len;
    l->next += BATCH;
    return BATCH;
}

// ---- one for all -------------------------------------------------------------------------------------

void reference_new(struct set *s)
{
    if (s->arm->kind == ARM_RAW)
        s->reference = raw_new(s);
    else if (s->arm->kind == ARM_OWN)
        s->reference = own_new(s);
    else if (s->arm->kind == ARM_LIBRE)
        s->reference = libre_set_new(s);
    else
        s->reference = protect_set_new(s);
}

void reference_free(struct set *s)
{
    if (!s->reference)
        return;
    if (s->arm->kind == ARM_RAW) {
        raw_free(s->reference);
    } else if (s->arm->kind == ARM_OWN) {
        struct own *own = s->reference;
        rte_free(own->keys);
        free(own);
    } else if (s->arm->kind == ARM_PROTECT) {
        struct srtp_key **key = s->reference;
        for (unsigned i = 0; i < s->streams; i++)
            rte_free(key[i]);
        free(key);
    } else {
        struct libre_set *x = s->reference;
        for (unsigned i = 0; i < x->count; i++)
            libre_free(x->stream[i]);
        free(x);
    }
    s->reference = NULL;
}

void reference_pattern(struct set *s, unsigned pattern)
{
    raw_choose(s->reference, pattern);
}

step_fn reference_step(const struct set *s)
{
    if (s->arm->kind == ARM_RAW)
        return raw_step;
    if (s->arm->kind == ARM_OWN)
        return own_step;
    return s->arm->kind == ARM_LIBRE ? libre_step : protect_step;
}
