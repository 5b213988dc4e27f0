// SPDX-License-Identifier: BSD-3-Clause
// The manager's records: slots, the hash of call_refs, who is live, keys, and what all that takes.
#include <errno.h>
#include <rte_malloc.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/manager/manager_internal.h"
#include "runner.h"
#include "tests/unit/dataplane/eal_for_tests.h"

static struct slab slab;

static struct call *add(struct calls *calls, uint64_t call_ref, unsigned worker)
{
    struct call *call = calls_take(calls);
    if (!call)
        return NULL;
    call->call_ref = call_ref;
    call->worker = worker;
    calls_link(calls, call);
    return call;
}

static void end(struct calls *calls, struct call *call)
{
    calls_end(calls, call);
    calls_put(calls, call, &slab);
}

static void longest_free_first(void)
{
    enum { COUNT = 5 };
    struct calls calls;
    struct call *c[COUNT];
    CU_ASSERT_EQUAL_FATAL(calls_init(&calls, COUNT), 0);
    for (unsigned i = 0; i < COUNT; i++) {
        c[i] = add(&calls, 1 + i, 0);
        CU_ASSERT_PTR_NOT_NULL_FATAL(c[i]);
        CU_ASSERT_EQUAL(calls_slot(&calls, c[i]), i);
        CU_ASSERT_EQUAL(c[i]->generation, 1);
    }
    CU_ASSERT_PTR_NULL(calls_take(&calls));
    static const unsigned order[] = {3, 0, 4};
    for (unsigned i = 0; i < 3; i++)
        end(&calls, c[order[i]]);
    for (unsigned i = 0; i < 3; i++) {
        struct call *call = add(&calls, 10 + i, 0);
        CU_ASSERT_PTR_EQUAL(call, c[order[i]]);
        CU_ASSERT_EQUAL(call->generation, 2);
    }
    CU_ASSERT_PTR_NULL(calls_take(&calls));
    end(&calls, c[1]);
    // never linked: put back as it is, at the end of the others
    struct call *call = calls_take(&calls);
    CU_ASSERT_PTR_EQUAL(call, c[1]);
    calls_put(&calls, call, &slab);
    CU_ASSERT_PTR_EQUAL(calls_take(&calls), c[1]);
    CU_ASSERT_EQUAL(c[1]->generation, 3);
    calls_put(&calls, c[1], &slab);
    calls_fini(&calls);
}

static void a_slot_that_was_never_used_comes_before(void)
{
    struct calls calls;
    CU_ASSERT_EQUAL_FATAL(calls_init(&calls, 3), 0);
    end(&calls, add(&calls, 1, 0));
    CU_ASSERT_EQUAL(calls_slot(&calls, add(&calls, 2, 0)), 1);
    CU_ASSERT_EQUAL(calls_slot(&calls, add(&calls, 3, 0)), 2);
    CU_ASSERT_EQUAL(calls_slot(&calls, add(&calls, 4, 0)), 0);
    CU_ASSERT_EQUAL(calls.fresh, 3);
    calls_fini(&calls);
}

// Against a plain array: 20,000 steps of adding and ending at random.
static void model(void)
{
    enum { COUNT = 300, STEPS = 20000 };
    static uint64_t ref[COUNT]; // of the call in each slot, 0 = none
    struct calls calls;
    CU_ASSERT_EQUAL_FATAL(calls_init(&calls, COUNT), 0);
    memset(ref, 0, sizeof ref);
    unsigned live = 0, wrong = 0;
    srand(7);
    for (unsigned step = 1; step <= STEPS; step++) {
        unsigned slot = rand() % COUNT;
        if (ref[slot]) {
            struct call *call = calls_find(&calls, ref[slot]);
            wrong += !call || calls_slot(&calls, call) != slot;
            struct tl_handle h = {1, slot, calls.call[slot].generation};
            wrong += calls_get(&calls, &h) != call;
            calls_end(&calls, call);
            wrong += calls_find(&calls, ref[slot]) || calls_get(&calls, &h);
            calls_put(&calls, call, &slab);
            ref[slot] = 0;
            live--;
        } else {
            struct call *call = add(&calls, step, step % 3);
            unsigned at = calls_slot(&calls, call);
            wrong += ref[at] != 0;
            ref[at] = step;
            live++;
        }
        if (step % 100)
            continue;
        unsigned workers = 0;
        for (unsigned i = 0; i < COUNT; i++) {
            unsigned from = i;
            while (from < COUNT && !ref[from])
                from++;
            wrong += calls_next_live(&calls, i) != from;
        }
        for (unsigned w = 0; w < 3; w++)
            workers += calls.worker_calls[w];
        wrong += workers != live || calls.live_count != live;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(calls_next_live(&calls, COUNT), COUNT);
    CU_ASSERT_EQUAL(calls_next_live(&calls, UINT32_MAX), COUNT);
    struct tl_handle beyond = {1, COUNT, 1};
    CU_ASSERT_PTR_NULL(calls_get(&calls, &beyond));
    calls_fini(&calls);
}

static void live_at_the_edges_of_words(void)
{
    static const uint32_t counts[] = {1, 63, 64, 65, 128, 129};
    for (unsigned i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct calls calls;
        CU_ASSERT_EQUAL_FATAL(calls_init(&calls, counts[i]), 0);
        struct call *last = NULL;
        CU_ASSERT_EQUAL(calls_next_live(&calls, 0), counts[i]);
        for (unsigned k = 0; k < counts[i]; k++)
            last = add(&calls, 1 + k, 0);
        for (unsigned k = 0; k + 1 < counts[i]; k++)
            end(&calls, &calls.call[k]);
        CU_ASSERT_EQUAL(calls_next_live(&calls, 0), counts[i] - 1);
        CU_ASSERT_EQUAL(calls_next_live(&calls, counts[i] - 1), counts[i] - 1);
        end(&calls, last);
        CU_ASSERT_EQUAL(calls_next_live(&calls, 0), counts[i]);
        calls_fini(&calls);
    }
}

// ---- keys --------------------------------------------------------------------------------------------

static void only_legs_with_keys_have_a_history(void)
{
    struct calls calls;
    struct tl_leg plain = {0},
                  keyed = {.rx = {.suite = TL_SUITE_AEAD_AES_128_GCM, .generation = 1, .key = {1}},
                           .tx = {.suite = TL_SUITE_AEAD_AES_128_GCM, .generation = 1, .key = {2}}};
    CU_ASSERT_EQUAL_FATAL(calls_init(&calls, 2), 0);
    struct call *call = add(&calls, 1, 0);
    struct call_leg *leg = &call->leg[0];
    CU_ASSERT_EQUAL(leg_keys_need(&leg->keys, &plain, &slab), 0);
    CU_ASSERT_EQUAL(leg_keys_check(&leg->keys, &plain, &slab, calls.seed), 0);
    leg_keys_take(leg->keys, &plain, NULL, calls.seed);
    CU_ASSERT_PTR_NULL(leg->keys);
    CU_ASSERT_EQUAL(slab_bytes(&slab).in_use, 0);

    keyed.tx.generation = 0; // plain counts as generation 0
    CU_ASSERT_EQUAL(leg_keys_check(&leg->keys, &keyed, &slab, calls.seed), -EINVAL);
    CU_ASSERT_PTR_NULL(leg->keys);
    keyed.tx.generation = 1;
    CU_ASSERT_EQUAL(leg_keys_check(&leg->keys, &keyed, &slab, calls.seed), 0);
    leg_keys_take(leg->keys, &keyed, NULL, calls.seed);
    CU_ASSERT_PTR_NOT_NULL(leg->keys);
    CU_ASSERT_EQUAL(slab_bytes(&slab).in_use, 64);
    CU_ASSERT_EQUAL(leg_keys_check(&leg->keys, &keyed, &slab, calls.seed), 0); // said again: no more memory
    CU_ASSERT_EQUAL(slab_bytes(&slab).in_use, 64);
    end(&calls, call);
    CU_ASSERT_EQUAL(slab_bytes(&slab).in_use, 0);
    calls_fini(&calls);
}

// ---- memory ------------------------------------------------------------------------------------------

static void at_most_56_bytes_a_direction(void)
{
    static const uint32_t counts[] = {10000, 65537, 100000, 131072};
    for (unsigned i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct calls calls;
        CU_ASSERT_EQUAL_FATAL(calls_init(&calls, counts[i]), 0);
        uint64_t empty = calls_bytes(&calls);
        CU_ASSERT(empty < 9 * (uint64_t)counts[i]); // the hash
        for (uint32_t k = 0; k < counts[i]; k++)
            CU_ASSERT_PTR_NOT_NULL_FATAL(add(&calls, 1 + k, 0));
        CU_ASSERT_EQUAL(calls_bytes(&calls), empty + counts[i] * sizeof(struct call));
        CU_ASSERT(calls_bytes(&calls) <= 2 * 56 * (uint64_t)counts[i]);
        calls_fini(&calls);
    }
}

// ---- the search for silence --------------------------------------------------------------------------

// Legs whose last media, which is that of this moment, was noticed since the last time.
static unsigned noticed(struct manager *m)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < m->calls.count; i++)
        for (unsigned leg = 0; leg < 2; leg++) {
            n += m->calls.call[i].leg[leg].since_ns == m->now_ns;
            m->calls.call[i].leg[leg].since_ns = 0;
        }
    return n;
}

static void silence_is_looked_for_in_small_parts(void)
{
    enum { COUNT = 100000, EVERY = 3, SECOND = 1000000000 };
    struct manager *m = calloc(1, sizeof *m);
    CU_ASSERT_FATAL(m && calls_init(&m->calls, COUNT) == 0);
    CU_ASSERT_EQUAL_FATAL(tl_live_create(&m->live, 1, COUNT, TL_SEGMENT_SMALL_PAGES), 0);
    CU_ASSERT(silence_scan(m) > 0); // nobody there
    for (uint32_t i = 0; i < COUNT; i++) {
        struct call *call = add(&m->calls, 1 + i, 0);
        for (unsigned leg = 0; leg < 2; leg++) {
            call->leg[leg].silence_ms = 500;
            atomic_store(&m->live.sessions[i].rx[leg].last_ns, SECOND);
        }
    }
    m->now_ns = SECOND;
    // all of them: a part in each millisecond, every leg once in a round
    unsigned all = 0, rounds = 0;
    for (; all < 2 * COUNT && rounds < COUNT; rounds++) {
        m->silence_due_ns = 0;
        uint64_t wait = silence_scan(m);
        unsigned now = noticed(m);
        CU_ASSERT(now > 0 && now <= 2 * SILENCE_AT_ONCE);
        CU_ASSERT_EQUAL(wait, 1000000);
        all += now;
    }
    CU_ASSERT_EQUAL(rounds, (COUNT + SILENCE_AT_ONCE - 1) / SILENCE_AT_ONCE);
    CU_ASSERT_EQUAL(silence_scan(m), 1000000); // not due
    CU_ASSERT_EQUAL(noticed(m), 0);
    // few of them, far apart: found at once, ten times a second
    for (uint32_t i = 0; i < COUNT; i++)
        if (i % (COUNT / EVERY))
            end(&m->calls, &m->calls.call[i]);
    unsigned live = m->calls.live_count;
    CU_ASSERT(live > 0 && live <= EVERY + 1);
    m->silence_due_ns = 0;
    CU_ASSERT_EQUAL(silence_scan(m), 10000000);
    CU_ASSERT_EQUAL(noticed(m), 2 * live);
    for (uint32_t i = calls_next_live(&m->calls, 0); i < COUNT; i = calls_next_live(&m->calls, i + 1))
        for (unsigned leg = 0; leg < 2; leg++)
            m->calls.call[i].leg[leg].since_ns = leg ? SECOND - 499999999 : 0;
    m->silence_due_ns = 0;
    silence_scan(m);
    CU_ASSERT_EQUAL(noticed(m), live); // who cannot be silent yet needs no look at the live table
    tl_live_destroy(&m->live);
    calls_fini(&m->calls);
    free(m);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"longest_free_first", longest_free_first},
        {"a_slot_that_was_never_used_comes_before", a_slot_that_was_never_used_comes_before},
        {"model", model},
        {"live_at_the_edges_of_words", live_at_the_edges_of_words},
        {"only_legs_with_keys_have_a_history", only_legs_with_keys_have_a_history},
        {"at_most_56_bytes_a_direction", at_most_56_bytes_a_direction},
        {"silence_is_looked_for_in_small_parts", silence_is_looked_for_in_small_parts},
    };
    if (!eal_for_tests(NULL))
        return 1;
    slab_init(&slab, SOCKET_ID_ANY);
    int status = test_main("calls", TEST_CASES(cases), argc, argv);
    slab_fini(&slab);
    rte_eal_cleanup();
    return status;
}
