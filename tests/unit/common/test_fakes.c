// SPDX-License-Identifier: BSD-3-Clause
// The fakes against each other, over the real channel: what control's and the dataplane's tests rely on.
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runner.h"
#include "tests/fakes/fake_control.h"
#include "tests/fakes/fake_dataplane.h"

static char folder[] = "/tmp/trunkline-fakes-XXXXXX", path[sizeof folder + 16];

static struct fake_dataplane *dp;
static struct fake_control ctl;

static void turn(void *arg)
{
    (void)arg;
    fake_dataplane_poll(dp);
}

static struct tl_addr ip(uint8_t last)
{
    return (struct tl_addr){.family = TL_AF_INET, .ip = {10, 99, last, 2}};
}

static bool begin(uint32_t sessions)
{
    struct fake_dataplane_config config = {
        .path = path,
        .realms = {{"peer", ip(1), 16384, 16483}, {"core", ip(2), 20000, 20999}},
        .realm_count = 2,
        .sessions = sessions,
        .workers = 2,
    };
    dp = fake_dataplane_start(&config);
    CU_ASSERT_PTR_NOT_NULL(dp);
    if (!dp)
        return false;
    int rc = fake_control_open(&ctl, path, turn, NULL);
    CU_ASSERT_EQUAL(rc, 0);
    ctl.timeout_ms = 300;
    return rc == 0;
}

static void finish(void)
{
    fake_control_close(&ctl);
    fake_dataplane_stop(dp);
    dp = NULL;
    CU_ASSERT(access(path, F_OK) < 0);
}

static void legs(struct tl_leg leg[2])
{
    leg[0] = fake_leg("peer", "10.99.1.10", 6000);
    leg[1] = fake_leg("core", NULL, 0);
}

static void life_of_a_session(void)
{
    struct tl_leg leg[2];
    struct tl_handle h, again;
    struct tl_addr local[2], same[2];
    struct tl_leg_counters sums[2];
    struct tl_session_snapshot snap;

    if (!begin(16))
        return;
    legs(leg);
    CU_ASSERT_EQUAL(fake_control_add(&ctl, 7, leg, &h, local), 0);
    CU_ASSERT_EQUAL(h.incarnation, fake_dataplane_incarnation(dp));
    CU_ASSERT(local[0].ip[2] == 1 && local[1].ip[2] == 2);
    CU_ASSERT(local[0].port % 2 == 0 && local[1].port % 2 == 0);
    CU_ASSERT_EQUAL(tl_port_bucket(local[0].port) % 2, tl_port_bucket(local[1].port) % 2);

    // ADD again is the same session, whatever the legs say
    leg[0].silence_ms = 99;
    CU_ASSERT_EQUAL(fake_control_add(&ctl, 7, leg, &again, same), 0);
    CU_ASSERT(memcmp(&h, &again, sizeof h) == 0 && memcmp(local, same, sizeof local) == 0);
    CU_ASSERT_EQUAL(fake_dataplane_find(dp, 7)->leg[0].silence_ms, 0);

    leg[1] = fake_leg("", "10.99.2.10", 7000);
    leg[1].rx.suite = leg[1].tx.suite = TL_SUITE_AEAD_AES_128_GCM;
    leg[1].rx.key[0] = leg[1].tx.key[0] = 1;
    leg[1].rx.generation = leg[1].tx.generation = 3;
    CU_ASSERT_EQUAL(fake_control_modify(&ctl, &h, 2, leg), 0);
    CU_ASSERT_EQUAL(fake_dataplane_find(dp, 7)->leg[1].rtp.port, 7000);
    CU_ASSERT_EQUAL(fake_dataplane_find(dp, 7)->leg[1].local_port, local[1].port);
    CU_ASSERT_STRING_EQUAL(fake_dataplane_find(dp, 7)->leg[1].realm, "core");

    CU_ASSERT_EQUAL(fake_dataplane_media(dp, 7, 0, 0xabcd, 50, 8600), 0);
    CU_ASSERT_EQUAL(fake_dataplane_media(dp, 7, 0, 0xabcd, 1, 172), 0);
    CU_ASSERT_EQUAL(fake_control_read(&ctl, &h, &snap), 0);
    CU_ASSERT(snap.call_ref == 7 && snap.leg[0].counters.rx_packets == 51);
    CU_ASSERT(snap.leg[1].counters.tx_octets == 8772 && !snap.leg[0].rx[0].used);
    CU_ASSERT(snap.leg[1].tx.used && snap.leg[1].tx.ssrc == 0xabcd && snap.leg[1].tx.index == 51);
    struct tl_resume_ssrc resume = tl_live_resume(&snap.leg[1].tx, 3);
    CU_ASSERT(resume.ssrc == 0xabcd && resume.index == 51);
    resume = tl_live_resume(&snap.leg[1].tx, 4);
    CU_ASSERT(resume.ssrc == 0 && resume.index == 0);

    memset(sums, 0, sizeof sums);
    CU_ASSERT_EQUAL(fake_control_del(&ctl, &h, sums), 0);
    CU_ASSERT(sums[0].rx_packets == 51 && sums[1].tx_packets == 51);
    CU_ASSERT_EQUAL(fake_control_del(&ctl, &h, sums), -ENOENT);
    CU_ASSERT_EQUAL(fake_control_modify(&ctl, &h, 2, leg), -ENOENT);
    CU_ASSERT_EQUAL(fake_control_read(&ctl, &h, &snap), -ENOENT);
    CU_ASSERT_EQUAL(fake_dataplane_count(dp), 0);
    finish();
}

static void refusals(void)
{
    struct tl_leg leg[2];
    struct tl_handle h;
    struct tl_addr local[2];
    struct tl_command c = {.op = TL_OP_ADD, .call_ref = 1};
    struct tl_completion done;

    if (!begin(64))
        return;
    legs(leg);
    strcpy(leg[1].realm, "nowhere");
    CU_ASSERT_EQUAL(fake_control_add(&ctl, 1, leg, &h, local), -ENODEV);
    legs(leg);
    leg[0].local_port = 16390;
    CU_ASSERT_EQUAL(fake_control_add(&ctl, 1, leg, &h, local), 0);
    CU_ASSERT_EQUAL(local[0].port, 16390);
    CU_ASSERT_EQUAL(fake_control_add(&ctl, 2, leg, &h, local), -EADDRINUSE);
    leg[0].local_port = 30000;
    CU_ASSERT_EQUAL(fake_control_add(&ctl, 2, leg, &h, local), -EINVAL);

    CU_ASSERT_EQUAL(fake_control_call(&ctl, &c, &done), 0);
    CU_ASSERT(done.status == -EINVAL && done.field == TL_FIELD_REALM);
    CU_ASSERT_EQUAL(fake_dataplane_executed(dp, TL_OP_ADD), 4);

    legs(leg);
    fake_dataplane_refuse(dp, TL_OP_ADD, 1, -ENOSPC, 0);
    CU_ASSERT_EQUAL(fake_control_add(&ctl, 3, leg, &h, local), -ENOSPC);
    CU_ASSERT_EQUAL(fake_control_add(&ctl, 3, leg, &h, local), 0);

    // the peer realm has 50 ports, 25 for each worker
    unsigned made = 2;
    for (uint64_t ref = 10; ref < 100; ref++)
        made += fake_control_add(&ctl, ref, leg, &h, local) == 0;
    CU_ASSERT_EQUAL(made, 50);
    CU_ASSERT_EQUAL(fake_dataplane_count(dp), 50);
    finish();
}

static void list_and_flush(void)
{
    struct tl_leg leg[2];
    struct tl_handle h[40];
    struct tl_addr local[2];
    struct tl_list_entry entry[40];
    struct tl_leg_counters sums[2];
    uint32_t count = 0;

    if (!begin(40))
        return;
    legs(leg);
    CU_ASSERT_EQUAL(fake_control_list(&ctl, entry, 40, &count), 0);
    CU_ASSERT_EQUAL(count, 0);
    for (unsigned i = 0; i < 37; i++)
        CU_ASSERT_EQUAL(fake_control_add(&ctl, 100 + i, leg, &h[i], local), 0);
    for (unsigned i = 0; i < 37; i += 4)
        CU_ASSERT_EQUAL(fake_control_del(&ctl, &h[i], sums), 0);
    CU_ASSERT_EQUAL(fake_control_list(&ctl, entry, 40, &count), 0);
    CU_ASSERT_EQUAL(count, 27);
    for (unsigned i = 0; i < count; i++) {
        uint64_t n = entry[i].call_ref - 100;
        CU_ASSERT(n < 37 && n % 4 != 0 && h[n].slot == entry[i].slot &&
                  h[n].generation == entry[i].generation);
        CU_ASSERT(i == 0 || entry[i].slot > entry[i - 1].slot);
    }
    CU_ASSERT_EQUAL(fake_control_flush(&ctl, &count), 0);
    CU_ASSERT_EQUAL(count, 27);
    CU_ASSERT_EQUAL(fake_dataplane_count(dp), 0);
    CU_ASSERT_EQUAL(fake_control_flush(&ctl, &count), 0);
    CU_ASSERT_EQUAL(count, 0);
    finish();
}

static void events_and_held_completions(void)
{
    struct tl_leg leg[2];
    struct tl_handle h;
    struct tl_addr local[2];
    struct tl_event event;
    struct tl_completion done;

    if (!begin(4))
        return;
    legs(leg);
    CU_ASSERT_EQUAL(fake_control_add(&ctl, 5, leg, &h, local), 0);
    CU_ASSERT_EQUAL(fake_dataplane_event(dp, 6, TL_EVENT_SILENT, 1, 500, 1), -ENOENT);
    CU_ASSERT_EQUAL(fake_dataplane_event(dp, 5, TL_EVENT_SILENT, 1, 500, 1), 0);
    CU_ASSERT_EQUAL(fake_control_event(&ctl, &event), 0);
    CU_ASSERT(event.call_ref == 5 && event.type == TL_EVENT_SILENT && event.leg == 1 && event.ms == 500);
    CU_ASSERT(memcmp(&event.handle, &h, sizeof h) == 0);

    fake_dataplane_hold_completions(dp);
    CU_ASSERT_EQUAL(fake_control_add(&ctl, 6, leg, &h, local), -ETIMEDOUT);
    CU_ASSERT_EQUAL(fake_dataplane_count(dp), 2);
    CU_ASSERT_EQUAL(tl_client_outstanding(ctl.client, 0), 1);
    CU_ASSERT_EQUAL(fake_dataplane_release_completions(dp, UINT_MAX), 1);
    CU_ASSERT_EQUAL(tl_client_completion(ctl.client, 0, &done), 0);
    CU_ASSERT(done.status == 0 && done.call_ref == 6);
    finish();
}

static void death_and_return(void)
{
    struct tl_leg leg[2];
    struct tl_handle h;
    struct tl_addr local[2];
    struct tl_leg_counters sums[2];
    struct tl_session_snapshot snap;

    if (!begin(4))
        return;
    legs(leg);
    CU_ASSERT_EQUAL(fake_control_add(&ctl, 5, leg, &h, local), 0);
    fake_dataplane_media(dp, 5, 1, 0, 3, 516);
    fake_dataplane_die(dp);
    CU_ASSERT_EQUAL(fake_dataplane_fd(dp), -1);
    CU_ASSERT_EQUAL(tl_client_poll(ctl.client), TL_CLIENT_AWAY);
    CU_ASSERT_EQUAL(fake_control_del(&ctl, &h, sums), -ENOTCONN);
    CU_ASSERT_EQUAL(tl_client_connect(ctl.client), -ECONNREFUSED);

    // what the dead one knew can still be read, and after the new one came too
    CU_ASSERT_EQUAL(fake_control_read(&ctl, &h, &snap), 0);
    CU_ASSERT_EQUAL(snap.leg[1].counters.rx_packets, 3);
    CU_ASSERT_EQUAL(fake_dataplane_revive(dp), 0);
    CU_ASSERT(fake_dataplane_incarnation(dp) != h.incarnation);
    CU_ASSERT_EQUAL(tl_client_connect(ctl.client), 0);
    fake_dataplane_poll(dp);
    CU_ASSERT_EQUAL(tl_client_poll(ctl.client), TL_CLIENT_UP);
    CU_ASSERT_EQUAL(fake_control_read(&ctl, &h, &snap), -ENOENT);
    CU_ASSERT_PTR_NOT_NULL(tl_client_previous_live(ctl.client));
    if (tl_client_previous_live(ctl.client))
        CU_ASSERT_EQUAL(tl_live_read(tl_client_previous_live(ctl.client), &h, &snap), 0);
    CU_ASSERT_EQUAL(snap.leg[1].counters.rx_packets, 3);
    CU_ASSERT_EQUAL(fake_control_del(&ctl, &h, sums), -ENOENT);
    CU_ASSERT_EQUAL(fake_control_add(&ctl, 5, leg, &h, local), 0);
    tl_client_forget_previous(ctl.client);
    CU_ASSERT_PTR_NULL(tl_client_previous_live(ctl.client));
    finish();
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"life_of_a_session", life_of_a_session},
        {"refusals", refusals},
        {"list_and_flush", list_and_flush},
        {"events_and_held_completions", events_and_held_completions},
        {"death_and_return", death_and_return},
    };
    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/dp.sock", folder);
    int rc = test_main("fakes", TEST_CASES(cases), argc, argv);
    rmdir(folder);
    return rc;
}
