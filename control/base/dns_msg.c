// SPDX-License-Identifier: BSD-3-Clause
#include "control/base/dns_msg.h"

#include <string.h>
#include <strings.h>

enum {
    HEADER = 12,
    NOERROR = 0,
    NXDOMAIN = 3,
    CLASS_IN = 1,
};

struct reader {
    const uint8_t *msg;
    size_t len, at;
    bool bad;
};

struct rr {
    char name[DNS_NAME_MAX];
    uint16_t type, class;
    uint32_t ttl_s;
    size_t data, data_len;
};

bool dns_same_name(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);

    n -= n && a[n - 1] == '.';
    m -= m && b[m - 1] == '.';
    return n == m && strncasecmp(a, b, n) == 0;
}

// ---- parts

static uint16_t read_16(struct reader *r)
{
    if (r->bad || r->at + 2 > r->len) {
        r->bad = true;
        return 0;
    }
    r->at += 2;
    return (uint16_t)(r->msg[r->at - 2] << 8 | r->msg[r->at - 1]);
}

static uint32_t read_32(struct reader *r)
{
    uint32_t high = read_16(r);

    return high << 16 | read_16(r);
}

// One label into the name; a byte that no host's name has makes it unusable.
static bool add_label(char *out, size_t *used, const uint8_t *label, size_t n)
{
    if (*used + n + 2 > DNS_NAME_MAX)
        return false;
    if (*used)
        out[(*used)++] = '.';
    for (size_t i = 0; i < n; i++) {
        if (label[i] <= ' ' || label[i] > '~' || label[i] == '.' || label[i] == '"' || label[i] == '\\')
            return false;
        out[(*used)++] = (char)label[i];
    }
    return true;
}

// A name, and behind it. A pointer leads back only, so nothing is read twice without end.
static void read_name(struct reader *r, char out[DNS_NAME_MAX])
{
    size_t at = r->at, used = 0, before = r->at;
    bool jumped = false;

    while (!r->bad && at < r->len && r->msg[at]) {
        uint8_t n = r->msg[at];
        if (n >= 0xc0) {
            size_t to = at + 1 < r->len ? (size_t)(n & 0x3f) << 8 | r->msg[at + 1] : r->len;
            if (!jumped)
                r->at = at + 2;
            jumped = true;
            if (to >= before)
                r->bad = true;
            before = at = to;
        } else if (n > 63 || at + 1 + n > r->len || !add_label(out, &used, r->msg + at + 1, n)) {
            r->bad = true;
        } else {
            at += 1u + n;
        }
    }
    out[used] = '\0';
    if (at >= r->len)
        r->bad = true;
    else if (!jumped)
        r->at = at + 1;
}

static void read_rr(struct reader *r, struct rr *out)
{
    read_name(r, out->name);
    out->type = read_16(r);
    out->class = read_16(r);
    out->ttl_s = read_32(r);
    if (out->ttl_s > INT32_MAX) // RFC 2181 section 8
        out->ttl_s = 0;
    out->data_len = read_16(r);
    out->data = r->at;
    if (r->bad || r->at + out->data_len > r->len)
        r->bad = true;
    else
        r->at += out->data_len;
}

// ---- records

// A <character-string> of a NAPTR.
static void read_string(struct reader *r, char *out, size_t size)
{
    size_t n = !r->bad && r->at < r->len ? r->msg[r->at] : 0;

    if (r->bad || r->at + 1 + n > r->len) {
        r->bad = true;
        return;
    }
    bool fits = n < size;
    if (fits)
        memcpy(out, r->msg + r->at + 1, n);
    out[fits ? n : 0] = '\0'; // what does not fit is no word that we know
    r->at += 1 + n;
}

// Into *out what the data of a record says. False: it cannot be.
static bool read_data(const struct reader *of, const struct rr *rr, struct dns_record *out)
{
    struct reader r = {.msg = of->msg, .len = rr->data + rr->data_len, .at = rr->data};
    char regexp[1]; // of no use for SIP, RFC 3263 4.1

    *out = (struct dns_record){0};
    switch (rr->type) {
    case DNS_A:
    case DNS_AAAA:
        out->addr.family = rr->type == DNS_A ? TL_AF_INET : TL_AF_INET6;
        if (rr->data_len != (rr->type == DNS_A ? 4u : 16u))
            return false;
        memcpy(out->addr.ip, of->msg + rr->data, rr->data_len);
        return true;
    case DNS_SRV:
        out->priority = read_16(&r);
        out->weight = read_16(&r);
        out->port = read_16(&r);
        read_name(&r, out->name);
        return !r.bad;
    case DNS_NAPTR:
        out->priority = read_16(&r);
        out->weight = read_16(&r);
        read_string(&r, out->flags, sizeof out->flags);
        read_string(&r, out->service, sizeof out->service);
        read_string(&r, regexp, sizeof regexp);
        read_name(&r, out->name);
        return !r.bad;
    default:
        return false;
    }
}

// The time that a negative answer holds, RFC 2308 section 5.
static uint32_t soa_ttl(const struct reader *of, const struct rr *rr)
{
    struct reader r = {.msg = of->msg, .len = rr->data + rr->data_len, .at = rr->data};
    char name[DNS_NAME_MAX];

    read_name(&r, name);
    read_name(&r, name);
    r.at += 4 * sizeof(uint32_t);
    uint32_t minimum = read_32(&r);
    return r.bad ? 0 : minimum < rr->ttl_s ? minimum : rr->ttl_s;
}

// ---- an answer

// Where the CNAMEs of the answer lead from *name on. DNS_LOOP: in a circle, or too far.
static enum dns_fault follow(const struct reader *answers, unsigned count, char name[DNS_NAME_MAX],
                             uint32_t *ttl_s)
{
    for (unsigned hops = 0; hops <= DNS_CNAMES_MAX; hops++) {
        struct reader r = *answers;
        struct rr rr;
        bool moved = false;
        for (unsigned i = 0; !moved && i < count && !r.bad; i++) {
            read_rr(&r, &rr);
            if (r.bad || rr.type != DNS_CNAME || rr.class != CLASS_IN || !dns_same_name(rr.name, name))
                continue;
            struct reader data = {.msg = r.msg, .len = rr.data + rr.data_len, .at = rr.data};
            read_name(&data, name);
            if (data.bad)
                return DNS_MALFORMED;
            if (rr.ttl_s < *ttl_s)
                *ttl_s = rr.ttl_s;
            moved = true;
        }
        if (!moved)
            return DNS_SOUND;
    }
    return DNS_LOOP;
}

// Returns false when there was something that it could not read.
static bool take(const struct reader *answers, unsigned count, const char *name, enum dns_type type,
                 struct dns_answer *out)
{
    struct reader r = *answers;
    struct rr rr;
    bool good = true;

    for (unsigned i = 0; i < count; i++) {
        read_rr(&r, &rr);
        if (r.bad)
            return false;
        if (rr.type != type || rr.class != CLASS_IN)
            continue;
        if (!dns_same_name(rr.name, name)) {
            out->foreign++;
            continue;
        }
        if (out->count == DNS_RECORDS_MAX)
            return false;
        if (!read_data(&r, &rr, &out->record[out->count])) {
            good = false;
            continue;
        }
        out->count++;
        if (rr.ttl_s < out->ttl_s)
            out->ttl_s = rr.ttl_s;
    }
    return good;
}

static uint32_t negative_ttl(struct reader r, unsigned count, unsigned authorities)
{
    struct rr rr;

    for (unsigned i = 0; i < count + authorities; i++) {
        read_rr(&r, &rr);
        if (r.bad)
            return 0;
        if (i >= count && rr.type == DNS_SOA)
            return soa_ttl(&r, &rr);
    }
    return 0;
}

void dns_read(const uint8_t *msg, size_t len, const char *asked, enum dns_type type, struct dns_answer *out)
{
    struct reader r = {.msg = msg, .len = len, .at = 2};
    char name[DNS_NAME_MAX];

    *out = (struct dns_answer){.status = DNS_BROKEN, .ttl_s = UINT32_MAX, .fault = DNS_MALFORMED};
    unsigned flags = read_16(&r), questions = read_16(&r), answers = read_16(&r), authorities = read_16(&r);
    r.at = HEADER;
    if (r.bad || len < HEADER || questions > 1 || strlen(asked) >= sizeof name)
        return;
    unsigned code = flags & 0xf;
    if (code != NOERROR && code != NXDOMAIN) {
        out->status = DNS_FAILED;
        out->fault = DNS_SOUND;
        return;
    }
    if (questions) {
        read_name(&r, name);
        uint16_t of = read_16(&r);
        read_16(&r);
        if (r.bad)
            return;
        out->fault = DNS_OTHER;
        if (of != type || !dns_same_name(name, asked))
            return;
    }
    memcpy(name, asked, strlen(asked) + 1);
    out->fault = follow(&r, answers, name, &out->ttl_s);
    if (out->fault != DNS_SOUND)
        return;
    out->cut = !take(&r, answers, name, type, out);
    if (!out->count && out->cut) { // whether there is something is not known
        out->fault = DNS_MALFORMED;
        return;
    }
    if (!out->count)
        out->ttl_s = negative_ttl(r, answers, authorities);
    out->status = out->count ? DNS_FOUND : DNS_NOTHING;
}
