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

static struct roster_entry *add(struct roster *roster, uint64_t call_ref, unsigned worker)
{
    struct roster_entry *entry = roster_take(roster);
    if (!entry)
        return NULL;
    entry->call_ref = call_ref;
    entry->worker = worker;
    roster_link(roster, entry);
    return entry;
}

static void end(struct roster *roster, struct roster_entry *entry)
{
    roster_end(roster, entry);
    roster_put(roster, entry, &slab);
}

static void longest_free_first(void)
{
    enum { COUNT = 5 };
    struct roster roster;
    struct roster_entry *c[COUNT];
    CU_ASSERT_EQUAL_FATAL(roster_init(&roster, COUNT), 0);
    for (unsigned i = 0; i < COUNT; i++) {
        c[i] = add(&roster, 1 + i, 0);
        CU_ASSERT_PTR_NOT_NULL_FATAL(c[i]);
        CU_ASSERT_EQUAL(roster_slot(&roster, c[i]), i);
        CU_ASSERT_EQUAL(c[i]->generation, 1);
    }
    CU_ASSERT_PTR_NULL(roster_take(&roster));
    static const unsigned order[] = {3, 0, 4};
    for (unsigned i = 0; i < 3; i++)
        end(&roster, c[order[i]]);
    for (unsigned i = 0; i < 3; i++) {
        struct roster_entry *entry = add(&roster, 10 + i, 0);
        CU_ASSERT_PTR_EQUAL(entry, c[order[i]]);
        CU_ASSERT_EQUAL(entry->generation, 2);
    }
    CU_ASSERT_PTR_NULL(roster_take(&roster));
    end(&roster, c[1]);
    // never linked: put back as it is, at the end of the others
    struct roster_entry *entry = roster_take(&roster);
    CU_ASSERT_PTR_EQUAL(entry, c[1]);
    roster_put(&roster, entry, &slab);
    CU_ASSERT_PTR_EQUAL(roster_take(&roster), c[1]);
    CU_ASSERT_EQUAL(c[1]->generation, 3);
    roster_put(&roster, c[1], &slab);
    roster_fini(&roster);
}

static void a_slot_that_was_never_used_comes_before(void)
{
    struct roster roster;
    CU_ASSERT_EQUAL_FATAL(roster_init(&roster, 3), 0);
    end(&roster, add(&roster, 1, 0));
    CU_ASSERT_EQUAL(roster_slot(&roster, add(&roster, 2, 0)), 1);
    CU_ASSERT_EQUAL(roster_slot(&roster, add(&roster, 3, 0)), 2);
    CU_ASSERT_EQUAL(roster_slot(&roster, add(&roster, 4, 0)), 0);
    CU_ASSERT_EQUAL(roster.fresh, 3);
    roster_fini(&roster);
}

// Against a plain array: 20,000 steps of adding and ending at random.
static void model(void)
{
    enum { COUNT = 300, STEPS = 20000 };
    static uint64_t ref[COUNT]; // of the call in each slot, 0 = none
    struct roster roster;
    CU_ASSERT_EQUAL_FATAL(roster_init(&roster, COUNT), 0);
    memset(ref, 0, sizeof ref);
    unsigned live = 0, wrong = 0;
    srand(7);
    for (unsigned step = 1; step <= STEPS; step++) {
        unsigned slot = rand() % COUNT;
        if (ref[slot]) {
            struct roster_entry *entry = roster_find(&roster, ref[slot]);
            wrong += !entry || roster_slot(&roster, entry) != slot;
            struct tl_handle h = {1, slot, roster.entry[slot].generation};
            wrong += roster_get(&roster, &h) != entry;
            roster_end(&roster, entry);
            wrong += roster_find(&roster, ref[slot]) || roster_get(&roster, &h);
            roster_put(&roster, entry, &slab);
            ref[slot] = 0;
            live--;
        } else {
            struct roster_entry *entry = add(&roster, step, step % 3);
            unsigned at = roster_slot(&roster, entry);
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
            wrong += roster_next_live(&roster, i) != from;
        }
        for (unsigned w = 0; w < 3; w++)
            workers += roster.worker_calls[w];
        wrong += workers != live || roster.live_count != live;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(roster_next_live(&roster, COUNT), COUNT);
    CU_ASSERT_EQUAL(roster_next_live(&roster, UINT32_MAX), COUNT);
    struct tl_handle beyond = {1, COUNT, 1};
    CU_ASSERT_PTR_NULL(roster_get(&roster, &beyond));
    roster_fini(&roster);
}

static void live_at_the_edges_of_words(void)
{
    static const uint32_t counts[] = {1, 63, 64, 65, 128, 129};
    for (unsigned i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct roster roster;
        CU_ASSERT_EQUAL_FATAL(roster_init(&roster, counts[i]), 0);
        struct roster_entry *last = NULL;
        CU_ASSERT_EQUAL(roster_next_live(&roster, 0), counts[i]);
        for (unsigned k = 0; k < counts[i]; k++)
            last = add(&roster, 1 + k, 0);
        for (unsigned k = 0; k + 1 < counts[i]; k++)
            end(&roster, &roster.entry[k]);
        CU_ASSERT_EQUAL(roster_next_live(&roster, 0), counts[i] - 1);
        CU_ASSERT_EQUAL(roster_next_live(&roster, counts[i] - 1), counts[i] - 1);
        end(&roster, last);
        CU_ASSERT_EQUAL(roster_next_live(&roster, 0), counts[i]);
        roster_fini(&roster);
    }
}

// ---- keys --------------------------------------------------------------------------------------------

static void only_legs_with_keys_have_a_history(void)
{
    struct roster roster;
    struct tl_leg plain = {0},
                  keyed = {.rx = {.suite = TL_SUITE_AEAD_AES_128_GCM, .generation = 1, .key = {1}},
                           .tx = {.suite = TL_SUITE_AEAD_AES_128_GCM, .generation = 1, .key = {2}}};
    CU_ASSERT_EQUAL_FATAL(roster_init(&roster, 2), 0);
    struct roster_entry *entry = add(&roster, 1, 0);
    struct roster_leg *leg = &entry->leg[0];
    CU_ASSERT_EQUAL(leg_keys_need(&leg->keys, &plain, &slab), 0);
    CU_ASSERT_EQUAL(leg_keys_check(&leg->keys, &plain, &slab, roster.seed), 0);
    leg_keys_take(leg->keys, &plain, NULL, roster.seed);
    CU_ASSERT_PTR_NULL(leg->keys);
    CU_ASSERT_EQUAL(slab_bytes(&slab).in_use, 0);

    keyed.tx.generation = 0; // plain counts as generation 0
    CU_ASSERT_EQUAL(leg_keys_check(&leg->keys, &keyed, &slab, roster.seed), -EINVAL);
    CU_ASSERT_PTR_NULL(leg->keys);
    keyed.tx.generation = 1;
    CU_ASSERT_EQUAL(leg_keys_check(&leg->keys, &keyed, &slab, roster.seed), 0);
    leg_keys_take(leg->keys, &keyed, NULL, roster.seed);
    CU_ASSERT_PTR_NOT_NULL(leg->keys);
    CU_ASSERT_EQUAL(slab_bytes(&slab).in_use, 64);
    CU_ASSERT_EQUAL(leg_keys_check(&leg->keys, &keyed, &slab, roster.seed), 0); // said again: no more memory
    CU_ASSERT_EQUAL(slab_bytes(&slab).in_use, 64);
    end(&roster, entry);
    CU_ASSERT_EQUAL(slab_bytes(&slab).in_use, 0);
    roster_fini(&roster);
}

// ---- memory ------------------------------------------------------------------------------------------

static void at_most_56_bytes_a_direction(void)
{
    static const uint32_t counts[] = {10000, 65537, 100000, 131072};
    for (unsigned i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct roster roster;
        CU_ASSERT_EQUAL_FATAL(roster_init(&roster, counts[i]), 0);
        uint64_t empty = roster_bytes(&roster);
        CU_ASSERT(empty < 9 * (uint64_t)counts[i]); // the hash
        for (uint32_t k = 0; k < counts[i]; k++)
            CU_ASSERT_PTR_NOT_NULL_FATAL(add(&roster, 1 + k, 0));
        CU_ASSERT_EQUAL(roster_bytes(&roster), empty + counts[i] * sizeof(struct roster_entry));
        CU_ASSERT(roster_bytes(&roster) <= 2 * 56 * (uint64_t)counts[i]);
        roster_fini(&roster);
    }
}

// ---- the search for silence --------------------------------------------------------------------------

// Legs whose last media, which is that of this moment, was noticed since the last time.
static unsigned noticed(struct manager *m)
{
    unsigned n = 0;
    for (uint32_t i = 0; i < m->roster.count; i++)
        for (unsigned leg = 0; leg < 2; leg++) {
            n += m->roster.entry[i].leg[leg].since_ns == m->now_ns;
            m->roster.entry[i].leg[leg].since_ns = 0;
        }
    return n;
}

static void silence_is_looked_for_in_small_parts(void)
{
    enum { COUNT = 100000, EVERY = 3, SECOND = 1000000000 };
    struct manager *m = calloc(1, sizeof *m);
    CU_ASSERT_FATAL(m && roster_init(&m->roster, COUNT) == 0);
    CU_ASSERT_EQUAL_FATAL(tl_live_create(&m->live, 1, COUNT, TL_SEGMENT_SMALL_PAGES), 0);
    CU_ASSERT(silence_scan(m) > 0); // nobody there
    for (uint32_t i = 0; i < COUNT; i++) {
        struct roster_entry *entry = add(&m->roster, 1 + i, 0);
        for (unsigned leg = 0; leg < 2; leg++) {
            entry->leg[leg].silence_ms = 500;
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
            end(&m->roster, &m->roster.entry[i]);
    unsigned live = m->roster.live_count;
    CU_ASSERT(live > 0 && live <= EVERY + 1);
    m->silence_due_ns = 0;
    CU_ASSERT_EQUAL(silence_scan(m), 10000000);
    CU_ASSERT_EQUAL(noticed(m), 2 * live);
    for (uint32_t i = roster_next_live(&m->roster, 0); i < COUNT; i = roster_next_live(&m->roster, i + 1))
        for (unsigned leg = 0; leg < 2; leg++)
            m->roster.entry[i].leg[leg].since_ns = leg ? SECOND - 499999999 : 0;
    m->silence_due_ns = 0;
    silence_scan(m);
    CU_ASSERT_EQUAL(noticed(m), live); // who cannot be silent yet needs no look at the live table
    tl_live_destroy(&m->live);
    roster_fini(&m->roster);
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
