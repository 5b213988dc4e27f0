// SPDX-License-Identifier: BSD-3-Clause
// Keys that change and come back on a leg, through the manager: what was received under a key never passes
// again, what is sent under it never uses an index again, and both go on where they were.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "managed.h"
#include "observer.h"
#include "runner.h"

enum { KEYS = 14, NEAR = 0x51, FAR_SSRC = 0x77 };

static struct far rx[KEYS], tx[KEYS]; // what the far side of leg 1 sends with, and what we send it with
static struct tl_leg leg[2];
static struct tl_handle handle;
static struct tl_addr local[2];
static struct observer *observer;
static uint16_t near_seq;

static void use(int rx_key, int tx_key)
{
    static const struct tl_crypto none;
    leg[1].rx = rx_key < 0 ? none : rx[rx_key].crypto;
    leg[1].tx = tx_key < 0 ? none : tx[tx_key].crypto;
}

static void set_up(enum tl_suite suite)
{
    managed_open(1, 1);
    managed_legs(leg, 0);
    observer = observer_new();
    for (unsigned i = 0; i < KEYS; i++) {
        rx[i] = far_make(rig.srtp, suite, i + 1, 100 + i);
        tx[i] = far_make(rig.srtp, suite, i + 1, 200 + i);
    }
    use(0, 0);
    CU_ASSERT_EQUAL_FATAL(fake_control_add(&control, 1, leg, &handle, local), 0);
    near_seq = 600;
    rig_settle(&rig);
    rig_clear(&rig);
}

static void tear_down(void)
{
    CU_ASSERT_EQUAL(managed_del(&handle), 0);
    CU_ASSERT_EQUAL(observer_violations(observer), 0);
    CU_ASSERT_EQUAL(slab_bytes(&rig.manager->slab[0]).in_use, 0);
    observer_free(observer);
    for (unsigned i = 0; i < KEYS; i++) {
        far_free(&rx[i]);
        far_free(&tx[i]);
    }
    managed_close();
}

static int change(int rx_key, int tx_key)
{
    use(rx_key, tx_key);
    return fake_control_modify(&control, &handle, 2, leg);
}

// A packet of the far side under the key, with the index. Does it get through?
static bool receives(unsigned key, uint64_t index)
{
    uint8_t p[PACKET_BYTES_MAX];
    struct rtp_fields f = {.pt = 8, .seq = (uint16_t)index, .ts = 160 * (uint32_t)index, .ssrc = FAR_SSRC};
    unsigned before = rig.sent_count, len = far_protect(&rx[key], p, rtp_write(p, &f, PAYLOAD), 12, index);
    rig_udp(&rig, 1, 0, REMOTE1, local[1].port, p, len);
    rig_settle(&rig);
    return rig.sent_count == before + 1;
}

// The near side's next packet: opens under the key with the index at the far side. Else *got says with what.
static bool sends(unsigned key, uint64_t index)
{
    uint8_t p[PACKET_BYTES_MAX];
    unsigned before = rig.sent_count;
    managed_rtp(0, local, REMOTE0, NEAR, ++near_seq);
    rig_settle(&rig);
    if (rig.sent_count != before + 1)
        return false;
    const struct rig_sent *s = &rig.sent[before];
    memcpy(p, s->udp.payload, s->udp.len);
    observer_see(observer, &tx[key].crypto, OBSERVER_SRTP, rtp_read(p).ssrc, index, p, s->udp.len);
    return rtp_read(p).seq == (uint16_t)index && far_open(&tx[key], p, s->udp.len, index) == 12 + PAYLOAD;
}

static uint64_t sent_index(void)
{
    struct tl_session_snapshot snap;
    CU_ASSERT_EQUAL(fake_control_read(&control, &handle, &snap), 0);
    return snap.leg[1].tx.index;
}

static const enum tl_suite suites[] = {TL_SUITE_AES_CM_128_HMAC_SHA1_80, TL_SUITE_AEAD_AES_128_GCM};

// Two forks with a key each take turns.
static void a_b_a(void)
{
    for (unsigned k = 0; k < 2; k++) {
        struct tl_session_snapshot snap;
        set_up(suites[k]);
        for (uint64_t i = 65530; i < 65540; i++) // over the wrap
            CU_ASSERT(receives(0, i));
        CU_ASSERT(sends(0, near_seq + 1));
        CU_ASSERT(sends(0, near_seq + 1));
        uint64_t a = sent_index();
        CU_ASSERT_EQUAL(change(1, 1), 0);
        CU_ASSERT(!receives(0, 65540)); // not its key now
        CU_ASSERT(receives(1, 7));
        CU_ASSERT(sends(1, near_seq + 1));
        uint64_t b = sent_index();
        CU_ASSERT_EQUAL(change(0, 0), 0);
        CU_ASSERT_EQUAL(fake_control_read(&control, &handle, &snap), 0); // at once, for a restart
        CU_ASSERT_EQUAL(snap.leg[1].rx[0].index, 65539);
        CU_ASSERT_EQUAL(snap.leg[1].rx[0].ssrc, FAR_SSRC);
        CU_ASSERT_EQUAL(snap.leg[1].tx.index, a);
        CU_ASSERT_EQUAL(snap.leg[1].tx.key_tag, 1);
        for (uint64_t i = 65530; i < 65540; i++)
            CU_ASSERT(!receives(0, i));
        CU_ASSERT(receives(0, 65540));
        CU_ASSERT(receives(0, 65545));
        CU_ASSERT(receives(0, 65542));
        CU_ASSERT(sends(0, a + 1));
        CU_ASSERT(sends(0, a + 2));
        CU_ASSERT_EQUAL(change(-1, -1), 0); // plain RTP in between
        CU_ASSERT_EQUAL(change(1, 1), 0);
        CU_ASSERT(!receives(1, 7));
        CU_ASSERT(receives(1, 8));
        CU_ASSERT(sends(1, b + 1));
        CU_ASSERT_EQUAL(change(0, 1), 0); // one direction alone
        CU_ASSERT(!receives(0, 65542));
        CU_ASSERT(receives(0, 65543));
        CU_ASSERT(sends(1, b + 2));
        CU_ASSERT_EQUAL(rig_drops(&rig, TL_DROP_replayed), 12);
        tear_down();
    }
}

// The one in use and eight before it are remembered, on both sides; the one before those is refused by its name.
static void nine_keys(void)
{
    for (unsigned k = 0; k < 2; k++) {
        struct tl_completion done;
        set_up(suites[k]);
        for (unsigned i = 0; i < TL_KEYS_KEPT; i++) {
            CU_ASSERT_EQUAL(change(i, i), 0);
            CU_ASSERT(receives(i, 1000 + i));
            near_seq = 5000;
            CU_ASSERT(sends(i, sent_index() ? sent_index() + 1 : 5001));
        }
        for (unsigned i = 0; i < TL_KEYS_KEPT; i++) {
            CU_ASSERT_EQUAL(change(i, i), 0);
            uint64_t index = sent_index();
            CU_ASSERT(!receives(i, 1000 + i));
            CU_ASSERT(receives(i, 1001 + i));
            CU_ASSERT(sends(i, index + 1));
        }
        CU_ASSERT_EQUAL(change(TL_KEYS_KEPT, TL_KEYS_KEPT), 0); // the first ones make room
        for (unsigned side = 0; side < 2; side++) {
            struct tl_command c = {.op = TL_OP_MODIFY, .handle = handle, .leg_mask = 2};
            use(side ? TL_KEYS_KEPT : 0, side ? 0 : TL_KEYS_KEPT);
            memcpy(c.leg, leg, sizeof leg);
            CU_ASSERT_EQUAL(fake_control_call(&control, &c, &done), 0);
            CU_ASSERT_EQUAL(done.status, -EINVAL);
            CU_ASSERT_EQUAL(done.field, TL_FIELD_KEY);
        }
        CU_ASSERT_EQUAL(change(1, 1), 0);
        CU_ASSERT(!receives(1, 1002));
        CU_ASSERT(receives(1, 1003));
        tear_down();
    }
}

// Commands that follow each other before the worker has a turn.
static void post(int rx_key, int tx_key)
{
    struct tl_command c = {.op = TL_OP_MODIFY, .id = 1000, .handle = handle, .leg_mask = 2};
    use(rx_key, tx_key);
    memcpy(c.leg, leg, sizeof leg);
    CU_ASSERT_EQUAL_FATAL(tl_client_send(control.client, 0, &c), 0);
}

static unsigned take_completions(void)
{
    struct tl_completion done;
    unsigned right = 0;
    for (unsigned i = 0; i < 10; i++) {
        rig_turn(&rig);
        while (tl_client_completion(control.client, 0, &done) == 0)
            right += done.status == 0;
    }
    return right;
}

static void commands_in_a_row(void)
{
    set_up(suites[0]);
    CU_ASSERT(receives(0, 10));
    CU_ASSERT(sends(0, near_seq + 1));
    uint64_t index = sent_index();
    post(1, 1);
    post(0, 0);
    post(0, 0);
    post(-1, -1);
    post(0, 0);
    CU_ASSERT_EQUAL(take_completions(), 5);
    CU_ASSERT(!receives(0, 10));
    CU_ASSERT(receives(0, 11));
    CU_ASSERT(sends(0, index + 1));
    for (unsigned i = 1; i < KEYS; i++) // so many that the first are forgotten meanwhile
        post(i, i);
    post(5, 5);
    CU_ASSERT_EQUAL(take_completions(), KEYS);
    CU_ASSERT(receives(5, 3));
    CU_ASSERT_EQUAL(change(0, 0), -EINVAL);
    tear_down();
}

// A leg that begins plain and gets its keys later, in a row.
static void begins_plain(void)
{
    set_up(suites[0]);
    CU_ASSERT_EQUAL(managed_del(&handle), 0);
    use(-1, -1);
    CU_ASSERT_EQUAL_FATAL(fake_control_add(&control, 2, leg, &handle, local), 0);
    post(0, 0);
    post(0, 0);
    post(1, 1);
    post(0, 0);
    CU_ASSERT_EQUAL(take_completions(), 4);
    CU_ASSERT(receives(0, 10));
    CU_ASSERT_EQUAL(change(1, 1), 0);
    CU_ASSERT_EQUAL(change(0, 0), 0);
    CU_ASSERT(!receives(0, 10));
    CU_ASSERT(receives(0, 11));
    tear_down();
}

// The dataplane ends while commands are under way: nothing is freed twice.
static void ends_in_a_row(void)
{
    for (unsigned n = 1; n < KEYS; n += 3) {
        set_up(suites[0]);
        for (unsigned i = 1; i <= n; i++)
            post(i, i);
        post(0, n);
        observer_free(observer);
        managed_close();
        for (unsigned i = 0; i < KEYS; i++) {
            far_free(&rx[i]);
            far_free(&tx[i]);
        }
    }
}

// Keys come and go at random, old packets come again: each passes once at the most, each index is used once.
static void at_random(void)
{
    static bool passed[KEYS][600];
    set_up(suites[1]);
    memset(passed, 0, sizeof passed);
    srand(4242);
    unsigned key = 0, twice = 0, through = 0, changes = 0;
    uint64_t top[KEYS] = {0};
    for (unsigned i = 0; i < 3000; i++) {
        if (rand() % 8 == 0) {
            unsigned to = (unsigned)rand() % KEYS;
            if (change(to, to) == 0) {
                key = to;
                changes++;
            } else {
                use(key, key);
            }
        }
        uint64_t index = top[key] + 1 - (unsigned)rand() % 4;
        index = index > 599 || index == 0 ? (unsigned)rand() % 20 : index;
        if (index == top[key] + 1)
            top[key]++;
        if (receives(key, index)) {
            twice += passed[key][index];
            passed[key][index] = true;
            through++;
        }
        unsigned before = rig.sent_count;
        managed_rtp(0, local, REMOTE0, NEAR, (uint16_t)(near_seq += 1 + rand() % 3));
        rig_settle(&rig);
        if (rig.sent_count > before) {
            uint8_t p[PACKET_BYTES_MAX];
            const struct rig_sent *s = &rig.sent[before];
            memcpy(p, s->udp.payload, s->udp.len);
            observer_see(observer, &tx[key].crypto, OBSERVER_SRTP, rtp_read(p).ssrc, sent_index(), p,
                         s->udp.len);
            CU_ASSERT_EQUAL(far_open(&tx[key], p, s->udp.len, sent_index()), 12 + PAYLOAD);
        }
        if (rig.sent_count > RIG_SENT / 2)
            rig_clear(&rig);
    }
    CU_ASSERT_EQUAL(twice, 0);
    CU_ASSERT(through > 500);
    CU_ASSERT(changes > 100);
    CU_ASSERT(observer_packets(observer) > 1000);
    tear_down();
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"a_b_a", a_b_a},
        {"nine_keys", nine_keys},
        {"commands_in_a_row", commands_in_a_row},
        {"begins_plain", begins_plain},
        {"ends_in_a_row", ends_in_a_row},
        {"at_random", at_random},
    };
    if (rig_eal())
        return 1;
    int status = test_main("keys", TEST_CASES(cases), argc, argv);
    rig_eal_end();
    return status;
}
