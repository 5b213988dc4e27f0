// SPDX-License-Identifier: BSD-3-Clause
// The index state against a naive model that keeps every index in a set and follows the RFC's words, on
// random walks that stay around the edges.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/srtp/index.h"
#include "runner.h"
#include "srtp_testing.h"

enum { WALKS = 300, STEPS = 1500 };

// All indices taken in one walk, unordered.
struct set {
    uint64_t all[STEPS];
    unsigned n;
};

static bool set_has(const struct set *s, uint64_t index)
{
    for (unsigned i = s->n; i > 0; i--) // the newest are asked for most
        if (s->all[i - 1] == index)
            return true;
    return false;
}

// ---- received ----------------------------------------------------------------------------------------

struct model_rx {
    struct set seen;
    uint64_t floor; // everything up to it counts as seen, if `resumed`
    uint64_t top;
    bool resumed, any;
};

// RFC 3711 appendix A, word by word, with the ROC that never is negative.
static uint64_t model_estimate(const struct model_rx *m, uint16_t seq)
{
    if (!m->any)
        return seq;
    int64_t roc = (int64_t)(m->top >> 16), v;
    int32_t s_l = (int32_t)(m->top & 0xffff);
    if (s_l < 32768)
        v = seq - s_l > 32768 ? roc - 1 : roc;
    else
        v = s_l - 32768 > seq ? roc + 1 : roc;
    if (v < 0)
        v = 0;
    return (uint64_t)v << 16 | seq;
}

static uint8_t model_check(const struct model_rx *m, uint64_t index)
{
    if (!m->any || index > m->top)
        return SRTP_OK;
    if (m->top - index >= 128)
        return TL_DROP_too_old;
    return set_has(&m->seen, index) || (m->resumed && index <= m->floor) ? TL_DROP_replayed : SRTP_OK;
}

static void model_take(struct model_rx *m, uint64_t index)
{
    m->seen.all[m->seen.n++] = index;
    if (!m->any || index > m->top)
        m->top = index;
    m->any = true;
}

static int32_t any_step(struct rng *r)
{
    switch (rng_below(r, 12)) {
    case 0:
        return -(int32_t)rng_below(r, 140);
    case 1:
        return -(int32_t)(120 + rng_below(r, 16));
    case 2:
        return (int32_t)(120 + rng_below(r, 16));
    case 3:
        return (int32_t)(2990 + rng_below(r, 20));
    case 4:
        return (int32_t)(32760 + rng_below(r, 16));
    case 5:
        return -(int32_t)rng_below(r, 4);
    default:
        return (int32_t)rng_below(r, 4);
    }
}

static void received(void)
{
    struct rng r = {0x0dde11};
    unsigned passed = 0, refused = 0;
    for (unsigned walk = 0; walk < WALKS; walk++) {
        struct model_rx *m = calloc(1, sizeof *m);
        struct srtp_rx rx = {0};
        CU_ASSERT_FATAL(m != NULL);
        if (walk % 3) {
            uint64_t at =
                walk % 3 == 1 ? (uint64_t)(uint32_t)rng_next(&r) << 16 | 65400 : rng_below(&r, 70000);
            srtp_rx_resume(&rx, 1, at, 0);
            m->floor = m->top = at;
            m->resumed = m->any = true;
        }
        uint16_t seq = (uint16_t)(walk % 2 ? 65400 : rng_next(&r));
        for (unsigned i = 0; i < STEPS; i++) {
            uint16_t at = (uint16_t)((m->any ? (uint16_t)m->top : seq) + any_step(&r));
            uint64_t index = 0, expected = model_estimate(m, at);
            uint8_t status = srtp_rx_check(&rx, at, &index);
            CU_ASSERT_FATAL(index == expected);
            CU_ASSERT_FATAL(status == (expected >> 48 ? TL_DROP_tx_index_end : model_check(m, expected)));
            if (status != SRTP_OK) {
                refused++;
                continue;
            }
            passed++;
            if (!rng_below(&r, 10))
                continue; // it did not authenticate
            CU_ASSERT_FATAL(srtp_rx_commit(&rx, index) == SRTP_OK);
            model_take(m, index);
            CU_ASSERT_FATAL(rx.rtp.top == m->top);
        }
        free(m);
    }
    CU_ASSERT(passed > 10000 && refused > 10000);
}

// ---- sent --------------------------------------------------------------------------------------------

// The near side's extended sequence number plus a base, in signed arithmetic that has room.
struct model_tx {
    struct set used;
    int64_t top, floor; // highest used, -1: none; no packet of this base below floor
    int64_t base;       // index = extended + base
    int64_t extended;   // of the highest of this base
    int64_t jump;       // sequence number that began a jump, -1: none
    uint32_t ssrc;
    bool near;
};

static bool model_near(int64_t distance)
{
    return distance > -128 && distance < 3000;
}

static int64_t model_distance(uint16_t from, uint16_t to)
{
    int64_t d = (to - from) & 0xffff;
    return d >= 32768 ? d - 65536 : d;
}

static uint8_t model_sent(struct model_tx *m, uint32_t ssrc, uint16_t seq, int64_t *index)
{
    bool fresh = m->top < 0, other = !m->near || ssrc != m->ssrc;
    int64_t extended = seq, base = m->base, floor = m->floor;
    if (fresh) {
        base = 0;
    } else if (other) {
        base = m->top + 1 - extended;
        floor = m->top + 1;
    } else {
        int64_t d = model_distance((uint16_t)m->extended, seq);
        if (model_near(d)) {
            extended = m->extended + d;
        } else if (d > 0 ||
                   (m->jump >= 0 && seq != m->jump && model_near(model_distance((uint16_t)m->jump, seq)))) {
            base = m->top + 1 - extended;
            floor = m->top + 1;
        } else {
            m->jump = seq;
            return TL_DROP_tx_index_used;
        }
    }
    *index = extended + base;
    if (*index >> 48 > 0)
        return TL_DROP_tx_index_end;
    if (*index < floor || *index < 0 || *index <= m->top - 128 || set_has(&m->used, (uint64_t)*index))
        return TL_DROP_tx_index_used;
    m->used.all[m->used.n++] = (uint64_t)*index;
    m->ssrc = ssrc;
    m->near = true;
    m->jump = -1;
    m->base = base;
    m->floor = floor;
    if (*index > m->top) {
        m->top = *index;
        m->extended = extended;
    }
    return SRTP_OK;
}

static void sent(void)
{
    struct rng r = {0x5e4d};
    unsigned passed = 0, refused = 0, renewed = 0;
    for (unsigned walk = 0; walk < WALKS; walk++) {
        struct model_tx *m = calloc(1, sizeof *m);
        struct srtp_tx tx = {0};
        CU_ASSERT_FATAL(m != NULL);
        m->top = m->jump = -1;
        if (walk % 4 == 3) {
            uint64_t at = rng_next(&r) >> 16;
            if (walk % 8 == 7)
                at = SRTP_INDEX_MAX - rng_below(&r, 2000);
            srtp_tx_resume(&tx, at, 0);
            m->top = (int64_t)at;
            m->floor = 0;
        }
        uint32_t ssrc = 1;
        uint16_t seq = (uint16_t)(walk % 2 ? 65400 : rng_next(&r));
        unsigned flips = walk % 5 ? 40 : 3;
        for (unsigned i = 0; i < STEPS; i++) {
            if (!rng_below(&r, flips))
                ssrc = rng_below(&r, 3);
            seq = (uint16_t)((rng_below(&r, 8) ? tx.near_seq : seq) + any_step(&r));
            uint64_t index = 0;
            int64_t expected = 0;
            enum srtp_tx_event event;
            uint8_t want = model_sent(m, ssrc, seq, &expected);
            uint8_t got = srtp_tx_take(&tx, ssrc, seq, &index, &event);
            CU_ASSERT_FATAL(got == want);
            if (got != SRTP_OK) {
                refused++;
                continue;
            }
            passed++;
            renewed += event == SRTP_TX_NEW;
            CU_ASSERT_FATAL(index == (uint64_t)expected);
            CU_ASSERT_FATAL((int64_t)tx.rtp.top == m->top);
        }
        free(m);
    }
    CU_ASSERT(passed > 10000 && refused > 10000 && renewed > 1000);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"received", received},
        {"sent", sent},
    };
    return test_main("srtp_index_model", TEST_CASES(cases), argc, argv);
}
