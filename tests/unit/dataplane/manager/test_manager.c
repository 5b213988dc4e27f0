// SPDX-License-Identifier: BSD-3-Clause
// The manager and its commands, over the contract: what each does, what is refused, floods of them.
#include <errno.h>
#include <rte_malloc.h>
#include <stdlib.h>
#include <string.h>

#include "common/validate.h"
#include "managed.h"
#include "runner.h"

static void add_media_del(void)
{
    struct tl_leg leg[2];
    struct tl_handle handle;
    struct tl_addr local[2];
    struct tl_leg_counters final[2];
    struct tl_session_snapshot s;
    managed_open(1, 1);
    managed_legs(leg, 0);
    CU_ASSERT_EQUAL_FATAL(fake_control_add(&control, 77, leg, &handle, local), 0);
    rig_settle(&rig); // ARP
    CU_ASSERT_EQUAL(handle.incarnation, rig.live->incarnation);
    CU_ASSERT_EQUAL(handle.generation, 1);
    for (unsigned i = 0; i < 2; i++) {
        uint32_t ip = RIG_IP(i);
        CU_ASSERT_EQUAL(local[i].family, TL_AF_INET);
        CU_ASSERT(memcmp(local[i].ip, &ip, 4) == 0);
        CU_ASSERT_EQUAL(local[i].port & 1, 0);
        CU_ASSERT(local[i].port >= rig.config->realms[i].rtp_first &&
                  local[i].port < rig.config->realms[i].rtp_last);
    }
    CU_ASSERT_EQUAL(tl_port_bucket(local[0].port), tl_port_bucket(local[1].port));
    for (unsigned i = 0; i < 20; i++) {
        managed_rtp(0, local, REMOTE0, 1, i);
        managed_rtp(1, local, REMOTE1, 2, i);
    }
    managed_rtp(0, local, REMOTE0 + 2, 1, 20); // another source
    rig_settle(&rig);
    CU_ASSERT_EQUAL(rig.sent_count, 40);
    CU_ASSERT_EQUAL_FATAL(fake_control_read(&control, &handle, &s), 0);
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(s.leg[i].counters.rx_packets, 20);
        CU_ASSERT_EQUAL(s.leg[i].counters.tx_packets, 20);
        CU_ASSERT_NOT_EQUAL(s.leg[i].last_rx_ns, 0);
    }
    CU_ASSERT_EQUAL(s.leg[0].drops[TL_DROP_wrong_source], 1);
    CU_ASSERT_EQUAL(s.call_ref, 77);
    CU_ASSERT_EQUAL(fake_control_del(&control, &handle, final), 0);
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(final[i].rx_packets, 20);
        CU_ASSERT_EQUAL(final[i].rx_octets, 20 * 172);
        CU_ASSERT_EQUAL(final[i].tx_packets, 20);
        CU_ASSERT_EQUAL(final[i].drops, i == 0);
    }
    CU_ASSERT_EQUAL(fake_control_read(&control, &handle, &s), -ENOENT);
    CU_ASSERT_EQUAL(fake_control_del(&control, &handle, final), -ENOENT);
    rig_clear(&rig);
    managed_rtp(0, local, REMOTE0, 1, 21);
    rig_settle(&rig);
    CU_ASSERT_EQUAL(rig.sent_count, 0);
    CU_ASSERT_EQUAL(rig_drops(&rig, TL_DROP_unknown_port), 1);
    managed_close();
}

// ---- commands ----------------------------------------------------------------------------------------

static void what_is_refused(void)
{
    struct tl_addr local[2];
    struct tl_completion done;
    managed_open(1, 1);
    size_t heap = managed_heap();
    struct tl_command c = {.op = TL_OP_ADD, .call_ref = 1};

    managed_legs(c.leg, 0);
    strcpy(c.leg[1].realm, "nowhere");
    CU_ASSERT_EQUAL(fake_control_call(&control, &c, &done), 0);
    CU_ASSERT_EQUAL(done.status, -ENODEV);
    CU_ASSERT_EQUAL(done.field, TL_FIELD_REALM);

    static const uint16_t ports[] = {20001, 19998, 20512, 30000};
    for (unsigned i = 0; i < 4; i++) { // odd: by the check; else not of this realm
        managed_legs(c.leg, 0);
        c.leg[0].local_port = ports[i];
        CU_ASSERT_EQUAL(fake_control_call(&control, &c, &done), 0);
        CU_ASSERT_EQUAL(done.status, ports[i] & 1 ? -EINVAL : -EADDRINUSE);
        CU_ASSERT_EQUAL(done.field, TL_FIELD_LOCAL_PORT);
    }
    c.op = TL_OP_COUNT;
    CU_ASSERT_EQUAL(fake_control_call(&control, &c, &done), 0);
    CU_ASSERT_EQUAL(done.status, -EINVAL);
    CU_ASSERT_EQUAL(done.field, TL_FIELD_OP);
    CU_ASSERT_EQUAL(managed_heap(), heap);

    struct tl_handle h = managed_add(5, 0, local), wrong[] = {h, h, h, h};
    wrong[0].incarnation ^= 1;
    wrong[1].generation++;
    wrong[2].slot++;
    wrong[3].slot = UINT32_MAX;
    struct tl_leg leg[2];
    managed_legs(leg, 0);
    for (unsigned i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(fake_control_modify(&control, &wrong[i], 3, leg), -ENOENT);
        CU_ASSERT_EQUAL(managed_del(&wrong[i]), -ENOENT);
    }
    strcpy(leg[0].realm, "core"); // a leg keeps its realm
    CU_ASSERT_EQUAL(fake_control_modify(&control, &h, 1, leg), -EINVAL);
    CU_ASSERT_EQUAL(fake_control_modify(&control, &h, 2, leg), 0); // leg 0 is not meant
    memset(leg[0].realm, 0, sizeof leg[0].realm);
    CU_ASSERT_EQUAL(fake_control_modify(&control, &h, 3, leg), 0);
    CU_ASSERT_EQUAL(managed_del(&h), 0);
    CU_ASSERT_EQUAL(managed_heap(), heap);
    managed_close();
}

// A remote address that is one of our media addresses, whatever the port and the realm, would make packets go
// round: refused, and nothing is left behind.
static void our_own_address_is_refused(void)
{
    static const struct {
        const char *what;
        uint8_t leg, rtcp, ip[4];
        uint16_t port;
        int status;
    } table[] = {
        {"its own", 0, 0, {10, 1, 0, 2}, 5000, -EINVAL},
        {"the other realm's", 0, 0, {10, 2, 0, 2}, 9, -EINVAL},
        {"the other leg", 1, 0, {10, 1, 0, 2}, 20000, -EINVAL},
        {"RTCP only", 0, 1, {10, 2, 0, 2}, 5001, -EINVAL},
        {"the other leg's RTCP", 1, 1, {10, 2, 0, 2}, 5001, -EINVAL},
        {"next to it", 0, 0, {10, 1, 0, 3}, 5000, 0},
    };
    struct tl_completion done;
    struct tl_addr local[2];
    managed_open(1, 1);
    struct tl_handle h = managed_add(77, 7, local);
    size_t heap = managed_heap();
    for (unsigned i = 0; i < sizeof table / sizeof *table; i++) {
        struct tl_command c = {.op = TL_OP_ADD, .call_ref = 1};
        struct tl_leg leg[2];
        managed_legs(c.leg, 0);
        struct tl_addr *addr = table[i].rtcp ? &c.leg[table[i].leg].rtcp : &c.leg[table[i].leg].rtp;
        *addr = (struct tl_addr){.family = TL_AF_INET, .port = table[i].port};
        memcpy(addr->ip, table[i].ip, 4);
        memcpy(leg, c.leg, sizeof leg);
        CU_ASSERT_EQUAL(fake_control_call(&control, &c, &done), 0);
        CU_ASSERT_EQUAL(done.status, table[i].status);
        CU_ASSERT_EQUAL(done.field, table[i].status ? TL_FIELD_LOOP : TL_FIELD_NONE);
        if (done.status == 0)
            CU_ASSERT_EQUAL(managed_del(&done.handle), 0);
        CU_ASSERT_EQUAL(managed_heap(), heap);
        CU_ASSERT_EQUAL(fake_control_modify(&control, &h, 1 << table[i].leg, leg), table[i].status);
        // a leg that is not meant is not looked at
        CU_ASSERT_EQUAL(fake_control_modify(&control, &h, 2 >> table[i].leg, leg), 0);
    }
    CU_ASSERT(strstr(tl_field_text(TL_FIELD_LOOP), "media address of our own") != NULL);
    CU_ASSERT_EQUAL(managed_del(&h), 0);
    managed_close();
}

static void ports_that_are_asked_for(void)
{
    struct tl_leg leg[2];
    struct tl_handle h[3];
    struct tl_addr local[2];
    managed_open(2, 2);
    unsigned other = 2; // in a bucket of the other worker
    while (rig.ports.bucket_worker[tl_port_bucket(30000 + other)] ==
           rig.ports.bucket_worker[tl_port_bucket(20010)])
        other += 2;
    managed_legs(leg, 0);
    leg[0].local_port = 20010;
    leg[1].local_port = 30000 + other;
    CU_ASSERT_EQUAL(fake_control_add(&control, 1, leg, &h[0], local), -EADDRINUSE);
    leg[1].local_port = 0;
    CU_ASSERT_EQUAL(fake_control_add(&control, 1, leg, &h[0], local), 0); // 20010 was given back
    CU_ASSERT_EQUAL(local[0].port, 20010);
    CU_ASSERT_EQUAL(tl_port_bucket(local[1].port), tl_port_bucket(20010));
    CU_ASSERT_EQUAL(fake_control_add(&control, 2, leg, &h[1], local), -EADDRINUSE);
    leg[0].local_port = 0;
    leg[1].local_port = 30000 + other;
    CU_ASSERT_EQUAL(fake_control_add(&control, 2, leg, &h[1], local), 0);
    CU_ASSERT_EQUAL(local[1].port, 30000 + other);
    CU_ASSERT_EQUAL(rig.ports.bucket_worker[tl_port_bucket(local[0].port)],
                    rig.ports.bucket_worker[tl_port_bucket(local[1].port)]);
    CU_ASSERT_EQUAL(managed_del(&h[0]), 0);
    leg[0].local_port = 20010;
    leg[1].local_port = 0;
    CU_ASSERT_EQUAL(fake_control_add(&control, 3, leg, &h[2], local), 0);
    managed_close();
}

// Every slot and every port can be used, is given back, and a port that was just freed is not the next.
static void all_of_them_twice(void)
{
    struct tl_leg leg[2];
    struct tl_handle h[RIG_SESSIONS], none;
    struct tl_addr local[2];
    managed_open(2, 2);
    size_t heap = managed_heap();
    for (unsigned round = 0; round < 2; round++) {
        unsigned of_worker[2] = {0, 0};
        for (unsigned i = 0; i < RIG_SESSIONS; i++) {
            h[i] = managed_add(1 + i, i, local);
            CU_ASSERT_EQUAL(h[i].generation, round + 1);
            of_worker[rig.ports.bucket_worker[tl_port_bucket(local[0].port)]]++;
        }
        CU_ASSERT_EQUAL(of_worker[0], of_worker[1]); // spread evenly
        managed_legs(leg, 0);
        CU_ASSERT_EQUAL(fake_control_add(&control, 1000, leg, &none, local), -ENOSPC);
        for (unsigned i = 0; i < RIG_SESSIONS; i++)
            CU_ASSERT_EQUAL(managed_del(&h[i]), 0);
        CU_ASSERT_EQUAL(managed_heap(), heap);
    }
    // stale handles of the first round's generation name nobody
    h[0].generation = 1;
    CU_ASSERT_EQUAL(managed_del(&h[0]), -ENOENT);
    managed_close();
}

static void ports_run_out(void)
{
    struct tl_leg leg[2];
    struct tl_handle h;
    struct tl_addr local[2];
    managed_open(1, 1);
    managed_legs(leg, 0);
    strcpy(leg[1].realm, "peer"); // both legs on one side: two pairs for each call
    leg[1].rtp = leg[0].rtp;
    leg[1].rtp.port += 1000;
    struct portalloc *a = &rig.manager->ports[0];
    while (a->free_pairs > 3)
        CU_ASSERT_NOT_EQUAL_FATAL(portalloc_take(a, a->free_pairs % TL_PORT_BUCKETS) +
                                      portalloc_take(a, (a->free_pairs + 64) % TL_PORT_BUCKETS),
                                  0);
    unsigned left = a->free_pairs;
    CU_ASSERT_EQUAL(fake_control_add(&control, 1, leg, &h, local), 0);
    CU_ASSERT_NOT_EQUAL(local[0].port, local[1].port);
    CU_ASSERT_EQUAL(a->free_pairs, left - 2);
    struct tl_handle none;
    CU_ASSERT_EQUAL(fake_control_add(&control, 2, leg, &none, local), -ENOSPC);
    CU_ASSERT_EQUAL(a->free_pairs, left - 2);
    CU_ASSERT_EQUAL(managed_del(&h), 0);
    CU_ASSERT_EQUAL(a->free_pairs, left);
    managed_close();
}

static void add_twice_is_once(void)
{
    struct tl_completion done[2];
    struct tl_command c = {.op = TL_OP_ADD, .call_ref = 9, .id = 1000};
    managed_open(1, 1);
    managed_legs(c.leg, 0);
    unsigned got = 0;
    CU_ASSERT_EQUAL(tl_client_send(control.client, 0, &c), 0);
    c.id++;
    CU_ASSERT_EQUAL(tl_client_send(control.client, 0, &c), 0); // while the first is under way
    for (unsigned i = 0; i < 100 && got < 2; i++) {
        rig_turn(&rig);
        got += tl_client_completion(control.client, 0, &done[got]) == 0;
    }
    CU_ASSERT_EQUAL_FATAL(got, 2);
    CU_ASSERT_EQUAL(done[0].id, 1000);
    CU_ASSERT_EQUAL(done[1].id, 1001);
    CU_ASSERT(done[0].status == 0 && done[1].status == 0);
    CU_ASSERT(memcmp(&done[0].handle, &done[1].handle, sizeof done[0].handle) == 0);
    CU_ASSERT(memcmp(&done[0].add, &done[1].add, sizeof done[0].add) == 0);
    CU_ASSERT_EQUAL(rig.live->header->in_use, 1);
    CU_ASSERT_EQUAL(managed_del(&done[0].handle), 0);
    struct tl_addr local[2];
    struct tl_handle h = managed_add(9, 0, local); // the call_ref is free again
    CU_ASSERT(h.slot != done[0].handle.slot || h.generation != done[0].handle.generation);
    managed_close();
}

// One MODIFY of leg 1 after the other, on one session. Keys are named by a letter, plain is '-'.
static const struct key_step {
    char rx, tx;
    uint32_t rx_generation, tx_generation;
    int status;
} key_steps[] = {
    {'a', 'A', 1, 1, 0},       // as it was added
    {'a', 'A', 1, 2, -EINVAL}, // would use its indices again
    {'a', 'A', 2, 1, -EINVAL}, // would empty its replay window
    {'a', 'B', 1, 1, -EINVAL}, // without a new generation no window starts anew
    {'b', 'A', 1, 1, -EINVAL}, {'b', 'B', 2, 2, 0},       {'b', 'B', 2, 2, 0}, // said again
    {'b', 'A', 2, 3, -EINVAL}, // a key that comes back brings its generation
    {'b', 'A', 2, 1, 0},       {'a', 'A', 1, 1, 0},       {'-', '-', 0, 0, 0},
    {'b', 'C', 3, 3, -EINVAL}, // plain RTP in between forgets nothing
    {'c', 'B', 3, 3, -EINVAL}, {'c', 'C', 2, 3, -EINVAL}, {'c', 'C', 3, 3, 0},
    {'b', 'C', 2, 3, 0},       {'-', 'C', 0, 3, 0},       {'a', 'B', 1, 2, 0},
};

static void set_key(struct tl_crypto *crypto, const struct tl_crypto *like, char letter, uint32_t generation)
{
    memset(crypto, 0, sizeof *crypto);
    if (letter == '-')
        return;
    *crypto = *like;
    crypto->key[0] = letter;
    crypto->generation = generation;
}

static void a_key_never_begins_anew(void)
{
    struct tl_leg leg[2];
    struct tl_handle h;
    struct tl_addr local[2];
    struct tl_completion done;
    managed_open(1, 1);
    size_t heap = managed_heap();
    struct far key = far_make(rig.srtp, TL_SUITE_AEAD_AES_128_GCM, 1, 3);
    for (unsigned i = 0; i < sizeof key_steps / sizeof key_steps[0]; i++) {
        const struct key_step *step = &key_steps[i];
        struct tl_command c = {.op = TL_OP_MODIFY, .leg_mask = 2};
        managed_legs(leg, 0);
        set_key(&leg[1].rx, &key.crypto, step->rx, step->rx_generation);
        set_key(&leg[1].tx, &key.crypto, step->tx, step->tx_generation);
        if (i == 0)
            CU_ASSERT_EQUAL_FATAL(fake_control_add(&control, 1, leg, &h, local), 0);
        c.handle = h;
        c.leg[1] = leg[1];
        CU_ASSERT_EQUAL(fake_control_call(&control, &c, &done), 0);
        CU_ASSERT_EQUAL(done.status, step->status);
        CU_ASSERT_EQUAL(done.field, step->status ? TL_FIELD_SUITE : TL_FIELD_NONE);
        if (done.status != step->status)
            printf("key_steps[%u]\n", i);
    }
    CU_ASSERT_EQUAL(managed_del(&h), 0);
    CU_ASSERT_EQUAL(managed_heap(), heap);
    far_free(&key);
    managed_close();
}

// ---- LIST, FLUSH -------------------------------------------------------------------------------------

static void list_and_flush(void)
{
    enum { COUNT = 30 };
    struct tl_list_entry entries[64];
    struct tl_addr local[2];
    struct tl_handle h[COUNT];
    uint32_t count = 0;
    managed_open(2, 2);
    CU_ASSERT_EQUAL(fake_control_list(&control, entries, 64, &count), 0);
    CU_ASSERT_EQUAL(count, 0);
    size_t heap = managed_heap();
    for (unsigned i = 0; i < COUNT; i++)
        h[i] = managed_add(100 + i, i, local);
    CU_ASSERT_EQUAL(managed_del(&h[7]), 0);
    CU_ASSERT_EQUAL(fake_control_list(&control, entries, 64, &count), 0);
    CU_ASSERT_EQUAL_FATAL(count, COUNT - 1);
    for (unsigned i = 0, k = 0; i < COUNT; i++) {
        if (i == 7)
            continue;
        CU_ASSERT_EQUAL(entries[k].call_ref, 100 + i);
        CU_ASSERT_EQUAL(entries[k].slot, h[i].slot);
        CU_ASSERT_EQUAL(entries[k].generation, h[i].generation);
        k++;
    }
    CU_ASSERT_EQUAL(fake_control_flush(&control, &count), 0);
    CU_ASSERT_EQUAL(count, COUNT - 1);
    CU_ASSERT_EQUAL(rig.live->header->in_use, 0);
    CU_ASSERT_EQUAL(managed_heap(), heap);
    CU_ASSERT_EQUAL(fake_control_flush(&control, &count), 0);
    CU_ASSERT_EQUAL(count, 0);
    managed_close();
}

// What is added behind a FLUSH is not its own, however late the FLUSH gets to its slot.
static void flush_spares_the_new(void)
{
    struct tl_command c = {.op = TL_OP_FLUSH, .id = 500};
    struct tl_completion done;
    struct tl_addr local[2];
    managed_open(1, 1);
    for (unsigned i = 0; i < 10; i++)
        managed_add(1 + i, i, local);
    CU_ASSERT_EQUAL(tl_client_send(control.client, 0, &c), 0);
    c = (struct tl_command){.op = TL_OP_ADD, .id = 501, .call_ref = 99};
    managed_legs(c.leg, 20);
    CU_ASSERT_EQUAL(tl_client_send(control.client, 0, &c), 0);
    unsigned flushed = 0, added = 0;
    for (unsigned i = 0; i < 100 && flushed + added < 2; i++) {
        rig_turn(&rig);
        if (tl_client_completion(control.client, 0, &done))
            continue;
        flushed += done.id == 500 && done.status == 0 && done.flush.count == 10;
        added += done.id == 501 && done.status == 0;
    }
    CU_ASSERT(flushed == 1 && added == 1);
    CU_ASSERT_EQUAL(rig.live->header->in_use, 1);
    managed_close();
}

// ---- floods ------------------------------------------------------------------------------------------

static void random_command(struct tl_command *c, const struct tl_handle *known, unsigned count)
{
    *c = (struct tl_command){.op = 1 + rand() % 5, .call_ref = 1 + rand() % 100, .leg_mask = 1 + rand() % 3};
    managed_legs(c->leg, rand() % 50);
    if (rand() % 4 == 0)
        c->leg[rand() % 2].rtp = (struct tl_addr){0};
    if (count > 0)
        c->handle = known[rand() % count];
    if (c->op == TL_OP_FLUSH && rand() % 20)
        c->op = TL_OP_ADD;
    if (rand() % 10 == 0) // garbage somewhere
        for (unsigned i = rand() % 8; i > 0; i--)
            ((uint8_t *)c)[8 + rand() % (sizeof *c - 8)] = rand();
}

// Thousands of commands of all kinds, as many at once as there may be, while media flows: each is answered
// once, in the end nothing is left, and the buffers are back.
static void every_command_is_answered(void)
{
    enum { COUNT = 20000 };
    static bool answered[COUNT];
    static struct tl_handle known[256];
    unsigned sent = 0, done = 0, twice = 0, handles = 0;
    struct tl_completion c;
    struct tl_command command;
    managed_open(2, 2);
    size_t heap = managed_heap();
    memset(answered, 0, sizeof answered);
    srand(1);
    while (done < COUNT) {
        while (sent < COUNT && rand() % 200) {
            random_command(&command, known, RTE_MIN(handles, 256u));
            command.id = sent;
            if (tl_client_send(control.client, 0, &command))
                break;
            sent++;
        }
        rig_turn(&rig);
        for (unsigned port = 20000; port < 20512; port += 2 * (1 + rand() % 40)) {
            struct tl_addr local[2] = {{.port = port}, {.port = port + 10000}};
            managed_rtp(rand() % 2, local, 5000 + rand() % 100 * 2, 1, rand());
        }
        if (rig.sent_count > RIG_SENT / 2)
            rig_clear(&rig);
        int rc;
        while ((rc = tl_client_completion(control.client, 0, &c)) == 0) {
            CU_ASSERT_FATAL(c.id < COUNT);
            twice += answered[c.id];
            answered[c.id] = true;
            done++;
            if (c.op == TL_OP_ADD && c.status == 0)
                known[handles++ % 256] = c.handle;
        }
        CU_ASSERT_EQUAL_FATAL(rc, -EAGAIN);
    }
    CU_ASSERT_EQUAL(twice, 0);
    CU_ASSERT(handles > 100);
    uint32_t count;
    CU_ASSERT_EQUAL(fake_control_flush(&control, &count), 0);
    CU_ASSERT_EQUAL(rig.live->header->in_use, 0);
    CU_ASSERT_EQUAL(managed_heap(), heap);
    CU_ASSERT_EQUAL(rig.manager->out_all, 0);
    managed_close();
}

// Workers that stand still: the manager takes no more than fits, and loses nothing.
static void workers_stand_still(void)
{
    enum { COUNT = 1500 };
    struct tl_addr local[2];
    struct tl_completion c;
    unsigned sent = 0, done = 0;
    managed_open(1, 1);
    unsigned most = 0;
    struct tl_handle h = managed_add(1, 0, local);
    struct tl_command m = {.op = TL_OP_MODIFY, .handle = h, .leg_mask = 1};
    managed_legs(m.leg, 0);
    for (unsigned i = 0; i < 1000 && done < COUNT; i++) {
        while (sent < COUNT && tl_client_send(control.client, 0, &m) == 0)
            m.id = ++sent;
        for (unsigned k = 0; k < 40; k++)
            manager_turn(rig.manager);
        most = RTE_MAX(most, rig.manager->out_all);
        worker_step(rig.engine->worker[0]);
        while (tl_client_completion(control.client, 0, &c) == 0) {
            CU_ASSERT_EQUAL(c.status, 0);
            CU_ASSERT_EQUAL(c.id, done);
            done++;
        }
    }
    CU_ASSERT_EQUAL(most, WORKER_TASKS - 1);
    CU_ASSERT_EQUAL(done, COUNT);
    managed_close();
}

// However many tasks wait, a worker does few of them between two bursts, in their order.
static void a_turn_has_few_tasks(void)
{
    enum { COUNT = 30, MOST = 8 };
    managed_open(1, 1);
    struct worker *w = rig.engine->worker[0];
    for (unsigned i = 0; i < COUNT; i++) {
        struct tl_command c = {.op = TL_OP_ADD, .call_ref = 1 + i, .id = 100 + i};
        managed_legs(c.leg, i);
        CU_ASSERT_EQUAL(tl_client_send(control.client, 0, &c), 0);
    }
    manager_turn(rig.manager);
    CU_ASSERT_EQUAL(rig.manager->out_all, COUNT);
    unsigned turns = 0, next = 0;
    for (unsigned before = 0; before < COUNT; turns++) {
        worker_step(w);
        unsigned now = COUNT - rte_ring_count(w->tasks);
        CU_ASSERT(now > before && now - before <= MOST);
        before = now;
    }
    CU_ASSERT_EQUAL(turns, (COUNT + MOST - 1) / MOST);
    struct tl_completion done;
    manager_turn(rig.manager);
    while (tl_client_completion(control.client, 0, &done) == 0) {
        CU_ASSERT_EQUAL(done.status, 0);
        CU_ASSERT_EQUAL(done.id, 100 + next);
        next++;
    }
    CU_ASSERT_EQUAL(next, COUNT);
    managed_close();
}

// Takes all of DPDK's memory in pieces of `size`, chained through their first word.
static void *take_memory(size_t size)
{
    void *all = NULL, **piece;
    while ((piece = rte_malloc(NULL, size, 0))) {
        *piece = all;
        all = piece;
    }
    return all;
}

static void give_memory(void *all)
{
    while (all) {
        void *next = *(void **)all;
        rte_free(all);
        all = next;
    }
}

// Memory that ends refuses the call, whatever part of it comes too late, and no other suffers.
static void memory_runs_out(void)
{
    struct tl_leg leg[2], plain[2];
    struct tl_handle h, none;
    struct tl_addr local[2];
    managed_open(1, 1);
    struct far key = far_make(rig.srtp, TL_SUITE_AEAD_AES_128_GCM, 1, 3);
    managed_legs(plain, 0);
    managed_legs(leg, 1);
    leg[1].rx = leg[1].tx = key.crypto;
    h = managed_add(1, 0, local);
    CU_ASSERT_EQUAL(fake_control_modify(&control, &h, 3, plain), 0); // takes the first chunk of terms
    size_t heap = managed_heap();
    struct slab *slab = &rig.manager->slab[0];
    void *large = take_memory(1 << 16), *small = take_memory(64);
    // the first one that gets a key needs a chunk of its class, and there is none
    CU_ASSERT_EQUAL(fake_control_add(&control, 2, leg, &none, local), -ENOSPC);
    CU_ASSERT_EQUAL(slab_bytes(slab).in_use, 0);
    CU_ASSERT_EQUAL(fake_control_modify(&control, &h, 2, leg), -ENOSPC);
    CU_ASSERT_EQUAL(fake_control_modify(&control, &h, 3, plain), 0); // there are terms left in the chunk
    CU_ASSERT_EQUAL(rig.live->header->in_use, 1);
    managed_rtp(0, local, REMOTE0, 1, 1);
    give_memory(small);
    give_memory(large);
    CU_ASSERT_EQUAL(fake_control_modify(&control, &h, 2, leg), 0);
    CU_ASSERT_EQUAL(fake_control_add(&control, 2, leg, &none, local), 0);
    CU_ASSERT_EQUAL(managed_del(&none), 0);
    CU_ASSERT_EQUAL(fake_control_modify(&control, &h, 3, plain), 0);
    size_t kept = managed_heap() - heap; // it had a key: what is remembered of it does not grow
    CU_ASSERT(kept > slab_size(sizeof(struct leg_keys)) + slab_size(sizeof(struct leg_rx)));
    CU_ASSERT_EQUAL(fake_control_modify(&control, &h, 2, leg), 0);
    CU_ASSERT_EQUAL(fake_control_modify(&control, &h, 3, plain), 0);
    CU_ASSERT_EQUAL(managed_heap() - heap, kept);
    CU_ASSERT_EQUAL(managed_del(&h), 0);
    CU_ASSERT_EQUAL(slab_bytes(slab).in_use, 0);
    far_free(&key);
    managed_close();
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"add_media_del", add_media_del},
        {"what_is_refused", what_is_refused},
        {"our_own_address_is_refused", our_own_address_is_refused},
        {"ports_that_are_asked_for", ports_that_are_asked_for},
        {"all_of_them_twice", all_of_them_twice},
        {"ports_run_out", ports_run_out},
        {"add_twice_is_once", add_twice_is_once},
        {"a_key_never_begins_anew", a_key_never_begins_anew},
        {"list_and_flush", list_and_flush},
        {"flush_spares_the_new", flush_spares_the_new},
        {"every_command_is_answered", every_command_is_answered},
        {"workers_stand_still", workers_stand_still},
        {"a_turn_has_few_tasks", a_turn_has_few_tasks},
        {"memory_runs_out", memory_runs_out},
    };
    if (rig_eal())
        return 1;
    int status = test_main("manager", TEST_CASES(cases), argc, argv);
    rig_eal_end();
    return status;
}
