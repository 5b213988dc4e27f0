// SPDX-License-Identifier: BSD-3-Clause
// The ring: order, fullness, counters that wrap, a peer that lies, slots that keep nothing.
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "common/ring.h"
#include "runner.h"

enum { SLOTS = 8, MESSAGE = 100 };

static struct tl_ring producer, consumer;
static struct tl_ring_shared *shared;

static void make(uint32_t slots, uint32_t message, uint64_t start)
{
    size_t size = tl_ring_bytes(slots, message);
    CU_ASSERT_EQUAL(size % 64, 0);
    free(shared);
    shared = aligned_alloc(64, size);
    memset(shared, 0, size);
    tl_ring_init(&producer, shared, slots, message);
    tl_ring_init(&consumer, shared, slots, message);
    producer.own = producer.peer = consumer.own = consumer.peer = start;
    atomic_store(&shared->published, start);
    atomic_store(&shared->released, start);
}

static void fill(unsigned char *message, uint32_t len, uint64_t n)
{
    for (uint32_t i = 0; i < len; i++)
        message[i] = (unsigned char)(n * 31 + i + 1);
}

static void order_and_fullness(void)
{
    static const struct {
        uint32_t slots, message;
        uint64_t start;
    } cases[] = {
        {1, 1, 0},
        {2, 64, 0},
        {8, 63, 0},
        {8, 65, 0},
        {8, 632, UINT32_MAX - 3}, // over 2^32
        {8, 256, UINT64_MAX - 3}, // over 2^64
        {1024, 64, UINT64_MAX},   // the next message is number 0
        {4, 100, UINT64_MAX - 40},
    };
    unsigned char in[1024], out[1024];

    for (size_t c = 0; c < sizeof cases / sizeof cases[0]; c++) {
        uint32_t slots = cases[c].slots, len = cases[c].message;
        uint64_t sent = 0, got = 0;
        make(slots, len, cases[c].start);
        CU_ASSERT_EQUAL(tl_ring_pop(&consumer, out), -EAGAIN);
        // fill it to a different depth each lap, so that head and tail meet everywhere
        for (uint32_t lap = 0; lap < 3 * slots + 3; lap++) {
            uint32_t depth = lap % (slots + 1);
            for (uint32_t i = 0; i < depth; i++) {
                fill(in, len, sent++);
                CU_ASSERT_EQUAL(tl_ring_push(&producer, in), 0);
            }
            CU_ASSERT_EQUAL(tl_ring_room(&producer), (int)(slots - depth));
            CU_ASSERT_EQUAL(tl_ring_waiting(&consumer), (int)depth);
            if (depth == slots)
                CU_ASSERT_EQUAL(tl_ring_push(&producer, in), -EAGAIN);
            for (uint32_t i = 0; i < depth; i++) {
                fill(in, len, got++);
                CU_ASSERT_EQUAL(tl_ring_pop(&consumer, out), 0);
                CU_ASSERT(memcmp(in, out, len) == 0);
            }
            CU_ASSERT_EQUAL(tl_ring_pop(&consumer, out), -EAGAIN);
        }
        CU_ASSERT_EQUAL(sent, got);
    }
}

static void slot_is_wiped_before_release(void)
{
    unsigned char key[MESSAGE], out[MESSAGE], zero[MESSAGE] = {0};

    make(SLOTS, MESSAGE, 0);
    memset(key, 0x5a, sizeof key);
    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL(tl_ring_push(&producer, key), 0);
    CU_ASSERT(memcmp(shared->slots, key, MESSAGE) == 0);
    CU_ASSERT_EQUAL(tl_ring_pop(&consumer, out), 0);
    CU_ASSERT(memcmp(out, key, MESSAGE) == 0);
    CU_ASSERT(memcmp(shared->slots, zero, MESSAGE) == 0);
    CU_ASSERT(memcmp(shared->slots + 128, key, MESSAGE) == 0); // the next one is not touched
    CU_ASSERT_EQUAL(atomic_load(&shared->released), 1);
}

// A producer that died between writing and publishing: the slot holds last lap's or half a message.
static void unpublished_is_not_seen(void)
{
    unsigned char out[MESSAGE];

    make(SLOTS, MESSAGE, 0);
    memset(shared->slots, 0xee, (size_t)SLOTS * 128);
    CU_ASSERT_EQUAL(tl_ring_pop(&consumer, out), -EAGAIN);
    CU_ASSERT_EQUAL(tl_ring_waiting(&consumer), 0);
}

static void peer_that_claims_too_much(void)
{
    static const uint64_t starts[] = {0, UINT64_MAX - 2};
    unsigned char m[MESSAGE] = {0};

    for (int s = 0; s < 2; s++) {
        uint64_t start = starts[s];
        // producer claims: what fits is believed, one more is not, nor is a counter that went back
        make(SLOTS, MESSAGE, start);
        atomic_store(&shared->published, start + SLOTS);
        CU_ASSERT_EQUAL(tl_ring_waiting(&consumer), SLOTS);
        static const uint64_t lies[] = {SLOTS + 1, 5000, UINT64_MAX, UINT64_MAX / 2, UINT64_MAX - SLOTS};
        for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
            make(SLOTS, MESSAGE, start);
            atomic_store(&shared->published, start + lies[i]);
            CU_ASSERT_EQUAL(tl_ring_pop(&consumer, m), -EPROTO);
            CU_ASSERT_EQUAL(tl_ring_waiting(&consumer), -EPROTO);
            CU_ASSERT_EQUAL(atomic_load(&shared->released), start);
        }
        // consumer claims: it released what was never published, or less than nothing
        for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
            make(SLOTS, MESSAGE, start);
            for (int n = 0; n < SLOTS; n++)
                CU_ASSERT_EQUAL(tl_ring_push(&producer, m), 0);
            atomic_store(&shared->released, producer.own + lies[i]);
            int expected = lies[i] == UINT64_MAX - SLOTS ? -EPROTO : lies[i] == UINT64_MAX ? 0 : -EPROTO;
            CU_ASSERT_EQUAL(tl_ring_push(&producer, m), expected);
        }
    }
}

// What the other side scribbles over the shared counter that is ours changes nothing for us.
static void own_counter_is_private(void)
{
    unsigned char in[MESSAGE], out[MESSAGE];

    make(SLOTS, MESSAGE, 0);
    for (uint64_t n = 0; n < 3; n++) {
        fill(in, MESSAGE, n);
        CU_ASSERT_EQUAL(tl_ring_push(&producer, in), 0);
    }
    CU_ASSERT_EQUAL(tl_ring_pop(&consumer, out), 0);
    atomic_store(&shared->released, 77);
    fill(in, MESSAGE, 1);
    CU_ASSERT_EQUAL(tl_ring_pop(&consumer, out), 0);
    CU_ASSERT(memcmp(in, out, MESSAGE) == 0);
    CU_ASSERT_EQUAL(atomic_load(&shared->released), 2);
}

enum { TRAFFIC = 100000 };

static void *produce(void *arg)
{
    unsigned char m[MESSAGE];
    (void)arg;
    for (uint64_t n = 0; n < TRAFFIC; n++) {
        fill(m, MESSAGE, n);
        while (tl_ring_push(&producer, m) == -EAGAIN)
            sched_yield();
    }
    return NULL;
}

static void two_threads(void)
{
    unsigned char want[MESSAGE], got[MESSAGE];
    unsigned wrong = 0;
    pthread_t thread;

    make(SLOTS, MESSAGE, UINT64_MAX - TRAFFIC / 2);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, produce, NULL), 0);
    for (uint64_t n = 0; n < TRAFFIC; n++) {
        int rc;
        while ((rc = tl_ring_pop(&consumer, got)) == -EAGAIN)
            sched_yield();
        fill(want, MESSAGE, n);
        wrong += rc != 0 || memcmp(want, got, MESSAGE) != 0;
    }
    pthread_join(thread, NULL);
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT_EQUAL(tl_ring_pop(&consumer, got), -EAGAIN);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"order_and_fullness", order_and_fullness},
        {"slot_is_wiped_before_release", slot_is_wiped_before_release},
        {"unpublished_is_not_seen", unpublished_is_not_seen},
        {"peer_that_claims_too_much", peer_that_claims_too_much},
        {"own_counter_is_private", own_counter_is_private},
        {"two_threads", two_threads},
    };
    int rc = test_main("ring", TEST_CASES(cases), argc, argv);
    free(shared);
    return rc;
}
