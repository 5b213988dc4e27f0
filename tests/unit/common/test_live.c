// SPDX-License-Identifier: BSD-3-Clause
// The live table: geometry, headers that are refused, snapshots that never mix two sessions.
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "common/live.h"
#include "runner.h"

static void geometry(void)
{
    static const struct {
        uint32_t workers, sessions;
        int rc;
    } cases[] = {{1, 1, 0},
                 {3, 100, 0},
                 {TL_WORKERS_MAX, 5, 0},
                 {0, 1, -EINVAL},
                 {TL_WORKERS_MAX + 1, 1, -EINVAL},
                 {1, 0, -EINVAL},
                 {1, TL_SESSIONS_MAX + 1, -EINVAL}};
    uint64_t last = 0;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tl_live_table t;
        struct tl_live_view v;
        CU_ASSERT_EQUAL(tl_live_create(&t, cases[i].workers, cases[i].sessions, TL_SEGMENT_SMALL_PAGES),
                        cases[i].rc);
        if (cases[i].rc == 0) {
            CU_ASSERT((uintptr_t)t.workers % 64 == 0 && (uintptr_t)t.sessions % 64 == 0);
            CU_ASSERT((char *)(t.sessions + cases[i].sessions) == (char *)t.segment.base + t.segment.size);
            CU_ASSERT(t.incarnation != 0 && t.incarnation != last);
            last = t.incarnation;
            CU_ASSERT_EQUAL(tl_live_open(&v, dup(t.segment.fd)), 0);
            CU_ASSERT(v.worker_count == cases[i].workers && v.session_count == cases[i].sessions);
            CU_ASSERT_EQUAL(v.incarnation, t.incarnation);
            tl_live_close(&v);
        }
        tl_live_destroy(&t);
        tl_live_destroy(&t);
    }
}

// A table of a dataplane with huge pages is opened like any other, whether it is large enough for them or
// not.
static void in_huge_pages(void)
{
    static const uint32_t sessions[] = {1, 10, 3500, 7200, 7300, 10000};
    for (size_t i = 0; i < sizeof sessions / sizeof sessions[0]; i++) {
        struct tl_live_table t;
        struct tl_live_view v;
        struct tl_session_snapshot s;
        CU_ASSERT_EQUAL_FATAL(tl_live_create(&t, 2, sessions[i], TL_SEGMENT_HUGE_PAGES), 0);
        tl_live_claim(&t, sessions[i] - 1, 5, 1, 3, 77);
        CU_ASSERT_EQUAL_FATAL(tl_live_open(&v, dup(t.segment.fd)), 0);
        CU_ASSERT_EQUAL(v.session_count, sessions[i]);
        CU_ASSERT_EQUAL(tl_live_read_slot(&v, sessions[i] - 1, &s), 0);
        CU_ASSERT_EQUAL(s.call_ref, 77);
        tl_live_close(&v);
        tl_live_destroy(&t);
    }
}

// Maps a copy of a good table in which `len` bytes at `offset` are `bytes`.
static int open_altered(size_t offset, const void *bytes, size_t len, size_t extra)
{
    struct tl_live_table good;
    struct tl_segment bad;
    struct tl_live_view v;

    CU_ASSERT_EQUAL(tl_live_create(&good, 2, 10, TL_SEGMENT_SMALL_PAGES), 0);
    CU_ASSERT_EQUAL(tl_segment_create(&bad, "test", good.segment.size + extra, TL_SEGMENT_READ_ONLY,
                                      TL_SEGMENT_SMALL_PAGES),
                    0);
    memcpy(bad.base, good.segment.base, good.segment.size);
    memcpy((char *)bad.base + offset, bytes, len);
    int fd = dup(bad.fd), rc = tl_live_open(&v, fd);
    if (rc == 0)
        tl_live_close(&v);
    else
        CU_ASSERT_EQUAL(close(fd), 0); // it stayed ours
    tl_segment_close(&bad);
    tl_live_destroy(&good);
    return rc;
}

#define ALTERED(field, value)                                                                                \
    open_altered(offsetof(struct tl_live_header, field), &(uint64_t){value},                                 \
                 sizeof(((struct tl_live_header *)0)->field), 0)

static void headers_that_are_refused(void)
{
    CU_ASSERT_EQUAL(ALTERED(magic, TL_CONTRACT_MAGIC), 0); // the helper itself alters nothing else
    CU_ASSERT_EQUAL(ALTERED(magic, 1), -EPROTO);
    CU_ASSERT_EQUAL(ALTERED(version, TL_CONTRACT_VERSION + 1), -EPROTO);
    CU_ASSERT_EQUAL(ALTERED(incarnation, 0), -EPROTO);
    CU_ASSERT_EQUAL(ALTERED(workers, 0), -EPROTO);
    CU_ASSERT_EQUAL(ALTERED(workers, 3), -EPROTO);
    CU_ASSERT_EQUAL(ALTERED(workers, UINT32_MAX), -EPROTO);
    CU_ASSERT_EQUAL(ALTERED(sessions, 11), -EPROTO);
    CU_ASSERT_EQUAL(ALTERED(sessions, 0), -EPROTO);
    CU_ASSERT_EQUAL(ALTERED(sessions, UINT32_MAX), -EPROTO);
    CU_ASSERT_EQUAL(ALTERED(worker_offset, 0), -EPROTO);
    CU_ASSERT_EQUAL(ALTERED(session_offset, 64), -EPROTO);
    CU_ASSERT_EQUAL(ALTERED(size, 1), -EPROTO);
    CU_ASSERT_EQUAL(open_altered(0, "", 0, 4096), -EPROTO);

    struct tl_segment tiny;
    struct tl_live_view v;
    CU_ASSERT_EQUAL(tl_segment_create(&tiny, "test", 8, TL_SEGMENT_READ_ONLY, TL_SEGMENT_SMALL_PAGES), 0);
    CU_ASSERT_EQUAL(tl_live_open(&v, tiny.fd), -EPROTO);
    tl_segment_close(&tiny);
}

static void handles(void)
{
    struct tl_live_table t;
    struct tl_live_view v;
    struct tl_session_snapshot s;

    CU_ASSERT_EQUAL(tl_live_create(&t, 2, 4, TL_SEGMENT_SMALL_PAGES), 0);
    CU_ASSERT_EQUAL(tl_live_open(&v, dup(t.segment.fd)), 0);
    struct tl_handle h = {t.incarnation, 2, 1};
    CU_ASSERT_EQUAL(tl_live_read(&v, &h, &s), -ENOENT);
    CU_ASSERT_EQUAL(tl_live_read_slot(&v, 2, &s), -ENOENT);
    tl_live_claim(&t, 2, 1, 1, 3, 77);
    atomic_store(&t.sessions[2].rx[1].packets, 5);
    atomic_store(&t.sessions[2].drops[1][tl_drop_leg(TL_DROP_held)], 2);
    atomic_store(&t.sessions[2].drops[1][tl_drop_leg(TL_DROP_tx_full)], 1);
    CU_ASSERT_EQUAL(tl_live_read(&v, &h, &s), 0);
    CU_ASSERT(s.call_ref == 77 && s.worker == 1 && s.owner == 3);
    CU_ASSERT(s.leg[1].counters.rx_packets == 5 && s.leg[1].counters.drops == 3);
    CU_ASSERT(s.leg[1].drops[TL_DROP_held] == 2 && s.leg[0].counters.drops == 0);
    CU_ASSERT_EQUAL(atomic_load(&v.header->in_use), 1);

    struct tl_handle wrong[] = {{t.incarnation + 1, 2, 1}, {t.incarnation, 2, 2},
                                {t.incarnation, 2, 0},     {t.incarnation, 3, 1},
                                {t.incarnation, 4, 1},     {t.incarnation, UINT32_MAX, 1}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        CU_ASSERT_EQUAL(tl_live_read(&v, &wrong[i], &s), -ENOENT);
    CU_ASSERT_EQUAL(tl_live_read_slot(&v, 4, &s), -ENOENT);

    tl_live_release(&t, 2);
    CU_ASSERT_EQUAL(tl_live_read(&v, &h, &s), -ENOENT);
    tl_live_claim(&t, 2, 2, 0, 0, 78);
    CU_ASSERT_EQUAL(tl_live_read(&v, &h, &s), -ENOENT); // never another call's
    CU_ASSERT_EQUAL(tl_live_read_slot(&v, 2, &s), 0);
    CU_ASSERT(s.call_ref == 78 && s.handle.generation == 2 && s.leg[1].counters.rx_packets == 0);
    CU_ASSERT_EQUAL(atomic_load(&v.header->in_use), 1);

    struct tl_worker_snapshot w;
    atomic_store(&t.workers[1].drops[TL_DROP_bad_auth], 9);
    atomic_store(&t.workers[1].busy_packets, 8);
    CU_ASSERT_EQUAL(tl_live_read_worker(&v, 1, &w), 0);
    CU_ASSERT(w.drops[TL_DROP_bad_auth] == 9 && w.busy_packets == 8);
    CU_ASSERT_EQUAL(tl_live_read_worker(&v, 2, &w), -ENOENT);
    tl_live_close(&v);
    tl_live_close(&v);
    tl_live_destroy(&t);
}

static void indices(void)
{
    static const struct {
        uint64_t index;
        uint32_t generation;
    } cases[] = {{0, 0}, {1, 1}, {0xffffffffffff, 0x7fff}, {0x123456789abc, 5}};
    struct tl_live_table t;
    struct tl_live_view v;
    struct tl_session_snapshot s;

    CU_ASSERT_EQUAL(tl_live_create(&t, 1, 1, TL_SEGMENT_SMALL_PAGES), 0);
    CU_ASSERT_EQUAL(tl_live_open(&v, dup(t.segment.fd)), 0);
    tl_live_claim(&t, 0, 1, 0, 0, 1);
    struct tl_live_ssrc *rx = &t.sessions[0].rx_ssrc[0][TL_SSRC_MAX - 1];
    const struct tl_ssrc_snapshot *got = &s.leg[0].rx[TL_SSRC_MAX - 1];

    CU_ASSERT_EQUAL(tl_live_read_slot(&v, 0, &s), 0);
    CU_ASSERT(!got->used && tl_live_resume(got, 0).ssrc == 0 && tl_live_resume(got, 0).index == 0);
    // SRTCP before any RTP: its index counts, and no RTP index is invented
    atomic_store(&rx->ssrc, 9);
    atomic_store(&rx->srtcp_index, 4);
    CU_ASSERT_EQUAL(tl_live_read_slot(&v, 0, &s), 0);
    struct tl_resume_ssrc r = tl_live_resume(got, 3);
    CU_ASSERT(!got->used && r.ssrc == 9 && r.index == TL_INDEX_NONE && r.srtcp_index == 4);

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t word = tl_live_word(cases[i].index, cases[i].generation);
        CU_ASSERT(word != 0 && tl_live_word_index(word) == cases[i].index);
        CU_ASSERT(tl_live_word_of(word, cases[i].generation) &&
                  !tl_live_word_of(word, cases[i].generation + 1));
        CU_ASSERT(!tl_live_word_of(0, cases[i].generation));
        atomic_store(&rx->word, word);
        CU_ASSERT_EQUAL(tl_live_read_slot(&v, 0, &s), 0);
        CU_ASSERT(got->used && got->index == cases[i].index && got->ssrc == 9);
        r = tl_live_resume(got, cases[i].generation);
        CU_ASSERT(r.ssrc == 9 && r.index == cases[i].index && r.srtcp_index == 4);
        r = tl_live_resume(got, cases[i].generation + 1); // state of another key is no state
        CU_ASSERT(r.ssrc == 0 && r.index == 0 && r.srtcp_index == 0);
    }
    tl_live_close(&v);
    tl_live_destroy(&t);
}

static _Atomic bool enough;

// A slot that changes hands all the time; every field of an owner says which one.
static void *turn_over(void *arg)
{
    struct tl_live_table *t = arg;
    struct tl_live_session *s = &t->sessions[0];

    for (uint32_t g = 1; !atomic_load_explicit(&enough, memory_order_relaxed); g++) {
        tl_live_claim(t, 0, g, g, g, g);
        atomic_store_explicit(&s->rx[0].packets, g, memory_order_relaxed);
        atomic_store_explicit(&s->tx[1].octets, g, memory_order_relaxed);
        atomic_store_explicit(&s->tx[1].ssrc.ssrc, g, memory_order_relaxed);
        atomic_store_explicit(&s->tx[1].ssrc.word, tl_live_word(g, g), memory_order_release);
        tl_live_release(t, 0);
    }
    return NULL;
}

static bool is_of(uint64_t value, uint32_t generation)
{
    return value == 0 || value == generation;
}

static void snapshots_never_mix(void)
{
    struct tl_live_table t;
    struct tl_live_view v;
    struct tl_session_snapshot s = {0};
    pthread_t thread;
    unsigned mixed = 0, read = 0;

    CU_ASSERT_EQUAL(tl_live_create(&t, 1, 1, TL_SEGMENT_SMALL_PAGES), 0);
    CU_ASSERT_EQUAL(tl_live_open(&v, dup(t.segment.fd)), 0);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, turn_over, &t), 0);
    // until the slot has changed under the reader's eyes, and been read, often enough to prove something
    for (unsigned changed = 0, n = 0; (changed < 2000 || read < 100) && n < 200000000; n++) {
        if (n % 65536 == 65535)
            sched_yield(); // on one core the writer must get its turn
        if (tl_live_read_slot(&v, 0, &s) < 0) {
            changed += s.handle.generation != 0;
            s.handle.generation = 0;
            continue;
        }
        uint32_t g = s.handle.generation;
        read++;
        mixed += s.call_ref != g || s.worker != (uint16_t)g || s.owner != (uint16_t)g ||
                 !is_of(s.leg[0].counters.rx_packets, g) || !is_of(s.leg[1].counters.tx_octets, g) ||
                 !is_of(s.leg[1].tx.ssrc, g) || !is_of(s.leg[1].tx.index, g) ||
                 (s.leg[1].tx.used && s.leg[1].tx.ssrc != g);
        s.handle.generation = 0;
    }
    atomic_store(&enough, true);
    pthread_join(thread, NULL);
    CU_ASSERT(read > 0);
    CU_ASSERT_EQUAL(mixed, 0);
    tl_live_close(&v);
    tl_live_destroy(&t);
}

// A slot that goes from SSRC to SSRC under one key; every index says whose it is.
static void *rename_slots(void *arg)
{
    struct tl_live_table *t = arg;
    struct tl_live_ssrc *slot = &t->sessions[0].rx_ssrc[0][0];

    for (uint32_t ssrc = 1; !atomic_load_explicit(&enough, memory_order_relaxed); ssrc++) {
        tl_live_rename(slot, ssrc);
        atomic_store_explicit(&slot->srtcp_index, ssrc & 0x7fffffff, memory_order_release);
        for (uint64_t i = 0; i < 3; i++)
            atomic_store_explicit(&slot->word, tl_live_word((uint64_t)ssrc << 2 | i, 1),
                                  memory_order_release);
    }
    return NULL;
}

static void an_index_is_its_ssrcs(void)
{
    struct tl_live_table t;
    struct tl_live_view v;
    struct tl_session_snapshot s = {0};
    pthread_t thread;
    unsigned mixed = 0, read = 0;

    CU_ASSERT_EQUAL(tl_live_create(&t, 1, 1, TL_SEGMENT_SMALL_PAGES), 0);
    CU_ASSERT_EQUAL(tl_live_open(&v, dup(t.segment.fd)), 0);
    tl_live_claim(&t, 0, 1, 0, 0, 7);
    atomic_store(&enough, false);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, rename_slots, &t), 0);
    uint32_t last = 0;
    for (unsigned changed = 0, n = 0; changed < 20000 && n < 20000000; n++) {
        if (n % 65536 == 65535)
            sched_yield();
        const struct tl_ssrc_snapshot *x = &s.leg[0].rx[0];
        CU_ASSERT_FATAL(tl_live_read_slot(&v, 0, &s) == 0);
        if (x->used) {
            read++;
            mixed += x->index >> 2 != x->ssrc;
        }
        mixed += x->srtcp_index != 0 && x->srtcp_index != (x->ssrc & 0x7fffffff);
        changed += x->ssrc != last;
        last = x->ssrc;
    }
    atomic_store(&enough, true);
    pthread_join(thread, NULL);
    CU_ASSERT(read > 0);
    CU_ASSERT_EQUAL(mixed, 0);
    tl_live_close(&v);
    tl_live_destroy(&t);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"geometry", geometry},
        {"headers_that_are_refused", headers_that_are_refused},
        {"handles", handles},
        {"in_huge_pages", in_huge_pages},
        {"indices", indices},
        {"snapshots_never_mix", snapshots_never_mix},
        {"an_index_is_its_ssrcs", an_index_is_its_ssrcs},
    };
    return test_main("live", TEST_CASES(cases), argc, argv);
}
