// SPDX-License-Identifier: BSD-3-Clause
#include "tools/bench/reference.h"

#include <rte_malloc.h>
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

// ---- one for all -------------------------------------------------------------------------------------

void reference_new(struct set *s)
{
    if (s->arm->kind == ARM_RAW)
        s->reference = raw_new(s);
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
    return s->arm->kind == ARM_LIBRE ? libre_step : protect_step;
}
