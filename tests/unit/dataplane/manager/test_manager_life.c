// SPDX-License-Identifier: BSD-3-Clause
// The manager over time: control and dataplane come and go, legs fall silent, loops run on threads.
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "managed.h"
#include "runner.h"

// Media goes on while control is away, and its successor finds the sessions.
static void control_comes_back(void)
{
    struct tl_addr local[2];
    struct tl_list_entry entries[4];
    uint32_t count = 0;
    managed_open(1, 1);
    struct tl_handle h = managed_add(1, 0, local);
    rig_settle(&rig);
    fake_control_close(&control);
    for (unsigned i = 0; i < 10; i++) {
        managed_rtp(0, local, REMOTE0, 1, i);
        rig_turn(&rig);
    }
    rig_settle(&rig);
    CU_ASSERT_EQUAL(rig.sent_count, 10);
    managed_connect();
    CU_ASSERT_EQUAL(fake_control_list(&control, entries, 4, &count), 0);
    CU_ASSERT_EQUAL(count, 1);
    CU_ASSERT_EQUAL(entries[0].call_ref, 1);
    struct tl_leg_counters final[2];
    CU_ASSERT_EQUAL(fake_control_del(&control, &h, final), 0);
    CU_ASSERT_EQUAL(final[0].rx_packets, 10);
    managed_close();
}

// The dataplane starts anew: control gives the sessions back from the old live table, on the same ports, even
// with another number of workers. No index is used twice; what goes out plain goes on, too.
static void reinstalled_after_a_restart(void)
{
    struct tl_leg leg[2];
    struct tl_handle h;
    struct tl_addr local[2], again[2];
    struct tl_session_snapshot s;
    managed_open(2, 2);
    managed_legs(leg, 0);
    struct far theirs = far_make(rig.srtp, TL_SUITE_AES_CM_128_HMAC_SHA1_80, 3, 1);
    struct far ours = far_make(rig.srtp, TL_SUITE_AES_CM_128_HMAC_SHA1_80, 3, 2);
    leg[1].rx = theirs.crypto;
    leg[1].tx = ours.crypto;
    CU_ASSERT_EQUAL_FATAL(fake_control_add(&control, 8, leg, &h, local), 0);
    rig_settle(&rig);
    uint8_t p[PACKET_BYTES_MAX];
    for (unsigned i = 0; i < 10; i++) {
        struct rtp_fields f = {.pt = 8, .seq = 700 + i, .ssrc = 20};
        unsigned len = far_protect(&theirs, p, rtp_write(p, &f, PAYLOAD), 12, 700 + i);
        rig_udp(&rig, 1, 0, REMOTE1, local[1].port, p, len);
        managed_rtp(0, local, REMOTE0, 10, 300 + i);
    }
    rig_settle(&rig);
    CU_ASSERT_EQUAL(rig.sent_count, 20);
    CU_ASSERT_EQUAL_FATAL(fake_control_read(&control, &h, &s), 0);
    far_free(&theirs);
    far_free(&ours);
    managed_close();

    managed_open(1, 1);
    theirs = far_make(rig.srtp, TL_SUITE_AES_CM_128_HMAC_SHA1_80, 3, 1);
    ours = far_make(rig.srtp, TL_SUITE_AES_CM_128_HMAC_SHA1_80, 3, 2);
    for (unsigned i = 0; i < 2; i++) {
        leg[i].local_port = local[i].port;
        leg[i].tx_resume = tl_live_resume(&s.leg[i].tx, leg[i].tx.generation);
        for (unsigned k = 0; k < TL_SSRC_MAX; k++)
            leg[i].rx_resume[k] = tl_live_resume(&s.leg[i].rx[k], leg[i].rx.generation);
    }
    CU_ASSERT_EQUAL_FATAL(fake_control_add(&control, 8, leg, &h, again), 0);
    CU_ASSERT(memcmp(again, local, sizeof local) == 0);
    rig_settle(&rig);
    rig_clear(&rig);
    for (unsigned i = 9; i < 11; i++) { // the first one was seen before
        struct rtp_fields f = {.pt = 8, .seq = 700 + i, .ssrc = 20};
        unsigned len = far_protect(&theirs, p, rtp_write(p, &f, PAYLOAD), 12, 700 + i);
        rig_udp(&rig, 1, 0, REMOTE1, local[1].port, p, len);
    }
    rig_settle(&rig);
    CU_ASSERT_EQUAL(rig_drops(&rig, TL_DROP_replayed), 1);
    CU_ASSERT_EQUAL_FATAL(rig.sent_count, 1);
    CU_ASSERT_EQUAL(rtp_read(rig.sent[0].udp.payload).ssrc, 20);
    CU_ASSERT_EQUAL(rtp_read(rig.sent[0].udp.payload).seq, 710);
    managed_rtp(0, local, REMOTE0, 10, 290); // whatever the near side does: above what was used
    rig_settle(&rig);
    CU_ASSERT_EQUAL_FATAL(rig.sent_count, 2);
    CU_ASSERT_EQUAL(rtp_read(rig.sent[1].udp.payload).ssrc, 10);
    CU_ASSERT_EQUAL(rtp_read(rig.sent[1].udp.payload).seq, 310);
    memcpy(p, rig.sent[1].udp.payload, rig.sent[1].udp.len);
    CU_ASSERT_EQUAL(far_open(&ours, p, rig.sent[1].udp.len, 310), 12 + PAYLOAD);
    far_free(&theirs);
    far_free(&ours);
    managed_close();
}

// ---- silence -----------------------------------------------------------------------------------------

static void silence_and_after(void)
{
    struct tl_leg leg[2];
    struct tl_handle h;
    struct tl_addr local[2];
    struct tl_event event;
    managed_open(1, 1);
    control.timeout_ms = 10000;
    managed_legs(leg, 0);
    leg[0].silence_ms = 30;
    CU_ASSERT_EQUAL_FATAL(fake_control_add(&control, 4, leg, &h, local), 0);
    rig_settle(&rig);
    CU_ASSERT_EQUAL_FATAL(fake_control_event(&control, &event), 0); // never heard at all
    CU_ASSERT_EQUAL(event.type, TL_EVENT_SILENT);
    CU_ASSERT_EQUAL(event.call_ref, 4);
    CU_ASSERT_EQUAL(event.leg, 0);
    CU_ASSERT(memcmp(&event.handle, &h, sizeof h) == 0);
    CU_ASSERT(event.ms >= 30);
    control.timeout_ms = 250; // two rounds of the manager: nothing new to say
    CU_ASSERT_EQUAL(fake_control_event(&control, &event), -ETIMEDOUT);
    control.timeout_ms = 10000;
    managed_rtp(0, local, REMOTE0, 1, 1);
    rig_settle(&rig);
    CU_ASSERT_EQUAL_FATAL(fake_control_event(&control, &event), 0);
    CU_ASSERT_EQUAL(event.type, TL_EVENT_HEARD);
    CU_ASSERT(event.ms >= 250 && event.ms < 60000);
    CU_ASSERT_EQUAL_FATAL(fake_control_event(&control, &event), 0); // silent again
    CU_ASSERT_EQUAL(event.type, TL_EVENT_SILENT);
    leg[0].flags = TL_LEG_SEND; // nobody expects media now
    CU_ASSERT_EQUAL(fake_control_modify(&control, &h, 1, leg), 0);
    control.timeout_ms = 200;
    CU_ASSERT_EQUAL(fake_control_event(&control, &event), -ETIMEDOUT);
    managed_close();
}

// A round of the manager's over all legs at a time of the test's own.
static bool silent_at(uint64_t ns, struct tl_event *event)
{
    for (unsigned i = 0; i < 11; i++) {
        rig.manager->now_ns = ns;
        rig.manager->silence_due_ns = 0;
        silence_scan(rig.manager);
    }
    return tl_client_event(control.client, 0, event) == 0;
}

// What counts after a hold is the time since it ended, not since the last packet before it.
static void silence_begins_with_the_end_of_a_hold(void)
{
    const uint64_t s = 1000000000u;
    struct tl_leg leg[2], held;
    struct tl_handle h;
    struct tl_addr local[2];
    struct tl_event event;
    managed_open(1, 1);
    managed_legs(leg, 0);
    leg[0].silence_ms = 1000;
    held = leg[0];
    held.flags = TL_LEG_SEND;
    CU_ASSERT_EQUAL_FATAL(fake_control_add(&control, 4, leg, &h, local), 0);
    struct roster_leg *watched = &rig.manager->roster.entry[h.slot].leg[0];
    uint64_t hold = rig.manager->now_ns + 3600 * s, resumed = hold + 60 * s;
    silence_watch(watched, &held, hold);
    CU_ASSERT_FALSE(silent_at(hold + 59 * s, &event));
    silence_watch(watched, &leg[0], resumed);
    CU_ASSERT_FALSE(silent_at(resumed, &event));
    CU_ASSERT_FALSE(silent_at(resumed + s - 1, &event));
    CU_ASSERT_FATAL(silent_at(resumed + s, &event));
    CU_ASSERT_EQUAL(event.type, TL_EVENT_SILENT);
    CU_ASSERT_EQUAL(event.ms, 1000);
    CU_ASSERT_FALSE(silent_at(resumed + 3600 * s, &event)); // once
    managed_close();
}

// The event says which legs are heard when it is raised. A leg without a measure of its own goes by the other
// one's.
static void one_way_and_no_way(void)
{
    const uint64_t s = 1000000000u;
    static const struct {
        uint32_t silence_ms[2];
        int last_s[2]; // before the look, -1: never
        uint8_t leg, heard;
    } table[] = {
        {{5000, 5000}, {6, 1}, 0, 2},  // one-way: only leg 1
        {{5000, 5000}, {1, 6}, 1, 1},  // one-way: only leg 0
        {{5000, 5000}, {6, -1}, 0, 0}, // no-way: leg 1 not heard at all; it has its own event behind this
        {{5000, 0}, {6, 1}, 0, 2},     // leg 1 without a measure, heard
        {{5000, 0}, {6, 7}, 0, 0},     // and not
        {{5000, 10000}, {6, 7}, 0, 2}, // leg 1 may be silent for longer
        {{0, 5000}, {60, 6}, 1, 0},
    };
    for (unsigned i = 0; i < sizeof table / sizeof *table; i++) {
        struct tl_leg leg[2];
        struct tl_handle h;
        struct tl_addr local[2];
        struct tl_event event = {0};
        managed_open(1, 1);
        managed_legs(leg, 0);
        for (unsigned l = 0; l < 2; l++)
            leg[l].silence_ms = table[i].silence_ms[l];
        CU_ASSERT_EQUAL_FATAL(fake_control_add(&control, 4, leg, &h, local), 0);
        uint64_t now = rig.manager->now_ns + 3600 * s;
        struct tl_live_rx *rx = rig.live->sessions[h.slot].rx;
        for (unsigned l = 0; l < 2; l++)
            rx[l].last_ns = table[i].last_s[l] < 0 ? 0 : now - table[i].last_s[l] * s;
        CU_ASSERT(silent_at(now, &event));
        CU_ASSERT_EQUAL(event.type, TL_EVENT_SILENT);
        CU_ASSERT_EQUAL(event.leg, table[i].leg);
        CU_ASSERT_EQUAL(event.heard, table[i].heard);
        while (silent_at(now, &event)) // the other leg's, if it is silent too
            CU_ASSERT_EQUAL(event.heard, 0);
        rx[table[i].leg].last_ns = now;
        CU_ASSERT(silent_at(now + 1, &event));
        CU_ASSERT_EQUAL(event.type, TL_EVENT_HEARD);
        CU_ASSERT_EQUAL(event.leg, table[i].leg);
        CU_ASSERT_EQUAL(event.heard, table[i].heard | 1 << table[i].leg);
        managed_close();
    }
}

// Control dies with commands in its ring and others at a worker: all are carried out, in order, and answered
// to nobody, least of all to its successor.
static void control_dies_in_the_middle(void)
{
    struct tl_addr local[2];
    struct tl_list_entry entries[8];
    struct tl_completion done;
    uint32_t count = 0;
    managed_open(1, 1);
    struct tl_handle modified = managed_add(1, 0, local), deleted = managed_add(2, 1, local);
    struct tl_command c = {.op = TL_OP_MODIFY, .handle = modified, .leg_mask = 1, .id = 901};
    managed_legs(c.leg, 0);
    CU_ASSERT_EQUAL(tl_client_send(control.client, 0, &c), 0);
    manager_turn(rig.manager); // on its way to the worker, who stands still
    CU_ASSERT_EQUAL(rig.manager->out_all, 1);
    c.id++;
    c.leg[0].rtp.port = 7777;
    CU_ASSERT_EQUAL(tl_client_send(control.client, 0, &c), 0);
    struct tl_command more[] = {
        {.op = TL_OP_DEL, .handle = deleted, .id = 903},
        {.op = TL_OP_ADD, .call_ref = 3, .id = 904},
        {.op = TL_OP_DEL, .handle = deleted, .id = 905},
    };
    managed_legs(more[1].leg, 2);
    for (unsigned i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(tl_client_send(control.client, 0, &more[i]), 0);
    fake_control_close(&control);
    managed_connect();
    CU_ASSERT_EQUAL(tl_client_completion(control.client, 0, &done), -EAGAIN);
    CU_ASSERT_EQUAL(fake_control_list(&control, entries, 8, &count), 0);
    CU_ASSERT_EQUAL_FATAL(count, 2);
    CU_ASSERT(entries[0].call_ref == 1 || entries[1].call_ref == 1);
    CU_ASSERT(entries[0].call_ref == 3 || entries[1].call_ref == 3);
    CU_ASSERT_EQUAL(rig.engine->sessions[modified.slot].leg[0].terms.rtp_port, rte_cpu_to_be_16(7777));
    CU_ASSERT_EQUAL(rig.manager->out_all, 0);
    managed_close();
}

// ---- threads -----------------------------------------------------------------------------------------

static void *run_manager(void *arg)
{
    return (void *)(intptr_t)manager_run(arg);
}

static void *run_worker(void *arg)
{
    return (void *)(intptr_t)worker_main(arg);
}

// The loops as the daemon runs them, each on its own thread: calls come and go under media.
static void on_threads(enum tl_poll_mode poll, unsigned rounds)
{
    enum { PACKETS = 20 };
    pthread_t manager, worker[2];
    void *status;
    rig_open_managed(&rig, 2, 2);
    rig.config->dataplane.poll = poll;
    for (unsigned w = 0; w < 2; w++) // also a worker that never had a packet must not sleep for 0 ns
        CU_ASSERT(manager_worker(rig.manager, w)->sleep_ns > 0);
    for (unsigned w = 0; w < 2; w++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&worker[w], NULL, run_worker, manager_worker(rig.manager, w)),
                              0);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&manager, NULL, run_manager, rig.manager), 0);
    CU_ASSERT_EQUAL_FATAL(fake_control_open(&control, rig.config->dataplane.socket, NULL, NULL), 0);
    control.timeout_ms = 10000; // the machine may be busy with others
    for (unsigned round = 0; round < rounds; round++) {
        struct tl_addr local[2];
        struct tl_leg_counters final[2];
        struct tl_handle h = managed_add(1 + round, 0, local);
        if (round == 0) // ARP, once
            for (unsigned i = 0; i < 100; i++) {
                rig_collect(&rig);
                rte_delay_us_sleep(1000);
            }
        unsigned before = rig.sent_count;
        for (unsigned i = 0; i < PACKETS; i++)
            managed_rtp(i % 2, local, i % 2 ? REMOTE1 : REMOTE0, 1, i);
        for (unsigned i = 0; i < 10000 && rig.sent_count - before < PACKETS; i++) {
            rig_collect(&rig);
            rte_delay_us_sleep(1000);
        }
        CU_ASSERT_EQUAL(rig.sent_count - before, PACKETS);
        CU_ASSERT_EQUAL(fake_control_del(&control, &h, final), 0);
        CU_ASSERT_EQUAL(final[0].tx_packets + final[1].tx_packets, PACKETS);
    }
    fake_control_close(&control);
    manager_stop(rig.manager);
    pthread_join(manager, &status);
    CU_ASSERT_PTR_NULL(status);
    for (unsigned w = 0; w < 2; w++) {
        worker_stop(manager_worker(rig.manager, w));
        pthread_join(worker[w], &status);
        CU_ASSERT_PTR_NULL(status);
        CU_ASSERT(rig.live->workers[w].heartbeat > 0);
        CU_ASSERT(rig.live->workers[w].heartbeat_ns > 0);
    }
    rig_close(&rig);
}

static void on_threads_adaptive(void)
{
    on_threads(TL_POLL_ADAPTIVE, 20);
}

static void on_threads_busy(void)
{
    on_threads(TL_POLL_BUSY, 2);
}

// What may come while a worker sleeps depends on the calls there are, not on those there may be.
static void sleep_is_shorter_with_more_calls(void)
{
    static const struct {
        uint32_t ring, calls, ns;
    } rows[] = {
        {1024, 0, 200000},       {1024, 1, 200000},     {1024, 3200, 200000}, {1024, 6400, 100000},
        {1024, 100000, 6400},    {64, 200, 200000},     {64, 400, 100000},    {32768, 100000, 200000},
        {32768, 1 << 20, 19531}, {4096, 1 << 20, 2441},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof rows[0]; i++)
        CU_ASSERT_EQUAL(worker_sleep_max(rows[i].ring, rows[i].calls), rows[i].ns);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"control_comes_back", control_comes_back},
        {"reinstalled_after_a_restart", reinstalled_after_a_restart},
        {"silence_and_after", silence_and_after},
        {"one_way_and_no_way", one_way_and_no_way},
        {"silence_begins_with_the_end_of_a_hold", silence_begins_with_the_end_of_a_hold},
        {"control_dies_in_the_middle", control_dies_in_the_middle},
        {"sleep_is_shorter_with_more_calls", sleep_is_shorter_with_more_calls},
        {"on_threads_adaptive", on_threads_adaptive},
        {"on_threads_busy", on_threads_busy},
    };
    if (rig_eal())
        return 1;
    int status = test_main("manager_life", TEST_CASES(cases), argc, argv);
    rig_eal_end();
    return status;
}
