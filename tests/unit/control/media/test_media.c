// SPDX-License-Identifier: BSD-3-Clause
// The dataplane's client against the fake dataplane, both in this thread: sessions, refusals, death and
// return.
#include "control/media/media.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/live.h"
#include "control/base/log.h"
#include "runner.h"
#include "tests/fakes/fake_dataplane.h"

// A session as its call sees it.
struct caller {
    struct media_session *session;
    int added, modified, deleted, lost; // how often
    int status;                         // of the last
    bool final_known;
    struct tl_leg_counters final[2];
    struct tl_addr local[2];
    unsigned silent, heard;
};

static void on_added(void *arg, int status, const struct tl_addr local[2])
{
    struct caller *c = arg;
    c->added++;
    c->status = status;
    if (status == 0)
        memcpy(c->local, local, sizeof c->local);
}

static void on_modified(void *arg, int status)
{
    struct caller *c = arg;
    c->modified++;
    c->status = status;
}

static void on_deleted(void *arg, const struct tl_leg_counters final[2])
{
    struct caller *c = arg;
    c->deleted++;
    c->final_known = final != NULL;
    if (final)
        memcpy(c->final, final, sizeof c->final);
}

static void on_lost(void *arg, const char *why)
{
    struct caller *c = arg;
    CU_ASSERT_PTR_NOT_NULL(why);
    c->lost++;
}

static void on_silence(void *arg, unsigned leg, uint32_t ms, bool again, uint8_t heard)
{
    struct caller *c = arg;
    CU_ASSERT_EQUAL(leg, 1);
    CU_ASSERT_EQUAL(heard, again ? 3 : 1);
    CU_ASSERT_EQUAL(ms, 5000);
    *(again ? &c->heard : &c->silent) += 1;
}

static const struct media_user user = {on_added, on_modified, on_deleted, on_lost, on_silence};

static struct {
    char dir[64], path[108];
    struct loop *loop;
    struct media *media;
    struct fake_dataplane *fake;
} w;

static void begin(uint32_t sessions)
{
    snprintf(w.dir, sizeof w.dir, "/tmp/trunkline-media-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(w.dir));
    snprintf(w.path, sizeof w.path, "%s/s", w.dir);
    struct fake_dataplane_config config = {
        .path = w.path,
        .realms = {{"core", {.family = TL_AF_INET, .ip = {198, 51, 100, 1}}, 20000, 20999},
                   {"peers", {.family = TL_AF_INET, .ip = {198, 51, 100, 2}}, 30000, 30999}},
        .realm_count = 2,
        .sessions = sessions,
        .workers = 1};
    w.fake = fake_dataplane_start(&config);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w.fake);
    w.loop = loop_new(0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w.loop);
    CU_ASSERT_EQUAL_FATAL(media_new(w.loop, w.path, &user, &w.media), 0);
}

static void end(void)
{
    media_free(w.media);
    loop_free(w.loop);
    fake_dataplane_stop(w.fake);
    rmdir(w.dir);
    memset(&w, 0, sizeof w);
}

// Turns both ends until `done` holds, for at most some seconds.
static bool turn_until(bool (*done)(void *arg), void *arg)
{
    for (int i = 0; i < 4000; i++) {
        if (done(arg))
            return true;
        fake_dataplane_poll(w.fake);
        loop_now(w.loop);
        event_base_loop(loop_base(w.loop), EVLOOP_NONBLOCK);
        usleep(1000);
    }
    return false;
}

static bool is_up(void *arg)
{
    (void)arg;
    return media_up(w.media) && media_outstanding(w.media) == 0;
}

static bool is_away(void *arg)
{
    (void)arg;
    return !media_up(w.media);
}

static bool is_set(void *arg)
{
    return *(int *)arg != 0;
}

static struct tl_leg leg(const char *realm, uint16_t port)
{
    struct tl_leg l = {.max_len = TL_LEN_MAX, .max_pps = 100, .max_bps = 20000, .burst_ms = 1000};
    snprintf(l.realm, sizeof l.realm, "%s", realm);
    if (port) {
        l.rtp = (struct tl_addr){.family = TL_AF_INET, .port = port, .ip = {192, 0, 2, 1}};
        l.flags = TL_LEG_RECV | TL_LEG_SEND;
        l.pt_count = 1;
        l.pt_in[0] = l.pt_out[0] = 8;
    }
    return l;
}

static struct tl_crypto key(uint8_t fill, uint32_t generation)
{
    struct tl_crypto c = {.suite = TL_SUITE_AES_CM_128_HMAC_SHA1_80, .generation = generation};
    memset(c.key, fill, 16);
    memset(c.salt, fill, 14);
    return c;
}

static bool add(struct caller *c, const struct tl_leg legs[2])
{
    CU_ASSERT_TRUE_FATAL(turn_until(is_up, NULL));
    CU_ASSERT_EQUAL_FATAL(media_add(w.media, legs, c, &c->session), 0);
    return turn_until(is_set, &c->added);
}

static void test_session(void)
{
    begin(10);
    struct caller c = {0};
    struct tl_leg legs[2] = {leg("core", 0), leg("peers", 0)};
    CU_ASSERT_FALSE(media_up(w.media));
    CU_ASSERT_EQUAL(media_add(w.media, legs, &c, &c.session), -ENOTCONN);
    CU_ASSERT_TRUE(add(&c, legs));
    CU_ASSERT_EQUAL(c.status, 0);
    CU_ASSERT_EQUAL(c.local[0].ip[3], 1);
    CU_ASSERT_EQUAL(c.local[1].ip[3], 2);
    CU_ASSERT_TRUE(c.local[0].port >= 20000 && c.local[0].port % 2 == 0);
    // several changes in a row: the last one counts and is told once
    legs[0] = leg("core", 4000);
    legs[1] = leg("peers", 5000);
    CU_ASSERT_EQUAL(media_modify(c.session, legs), 0);
    legs[1] = leg("peers", 6000);
    CU_ASSERT_EQUAL(media_modify(c.session, legs), 0);
    CU_ASSERT_TRUE(turn_until(is_set, &c.modified));
    const struct fake_session *s = fake_dataplane_find(w.fake, media_call_ref(c.session));
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_EQUAL(s->leg[1].rtp.port, 6000);
    CU_ASSERT_EQUAL(c.modified, 1);
    CU_ASSERT_EQUAL(fake_dataplane_event(w.fake, media_call_ref(c.session), TL_EVENT_SILENT, 1, 5000, 1), 0);
    CU_ASSERT_EQUAL(fake_dataplane_event(w.fake, media_call_ref(c.session), TL_EVENT_HEARD, 1, 5000, 3), 0);
    CU_ASSERT_EQUAL(fake_dataplane_media(w.fake, media_call_ref(c.session), 0, 0, 50, 8600), 0);
    CU_ASSERT_TRUE(turn_until(is_set, (int *)&c.heard));
    CU_ASSERT_EQUAL(c.silent, 1);
    CU_ASSERT_EQUAL(media_counters(w.media)->silences, 1);
    CU_ASSERT_EQUAL(media_del(c.session), 0);
    CU_ASSERT_TRUE(turn_until(is_set, &c.deleted));
    CU_ASSERT_TRUE_FATAL(c.final_known);
    CU_ASSERT_EQUAL(c.final[0].rx_packets, 50);
    CU_ASSERT_EQUAL(fake_dataplane_count(w.fake), 0);
    CU_ASSERT_EQUAL(media_session_count(w.media), 0);
    end();
}

static void test_refusals(void)
{
    begin(2);
    struct caller c[3] = {0};
    struct tl_leg legs[2] = {leg("core", 0), leg("peers", 0)}, nowhere[2] = {leg("core", 0), leg("mars", 0)};
    CU_ASSERT_TRUE(add(&c[0], nowhere));
    CU_ASSERT_EQUAL(c[0].status, -ENODEV);
    for (int i = 0; i < 3; i++) {
        c[i] = (struct caller){0};
        CU_ASSERT_TRUE(add(&c[i], legs));
    }
    CU_ASSERT_EQUAL(c[1].status, 0);
    CU_ASSERT_EQUAL(c[2].status, -ENOSPC);
    CU_ASSERT_EQUAL(media_session_count(w.media), 2);
    fake_dataplane_refuse(w.fake, TL_OP_MODIFY, 1, -EINVAL, TL_FIELD_PT);
    CU_ASSERT_EQUAL(media_modify(c[0].session, legs), 0);
    CU_ASSERT_TRUE(turn_until(is_set, &c[0].modified));
    CU_ASSERT_EQUAL(c[0].status, -EINVAL);
    // ended before it was there
    media_forget(c[1].session);
    struct caller d = {0};
    CU_ASSERT_TRUE(turn_until(is_up, NULL));
    CU_ASSERT_EQUAL(media_add(w.media, legs, &d, &d.session), 0);
    CU_ASSERT_EQUAL(media_del(d.session), 0);
    CU_ASSERT_TRUE(turn_until(is_set, &d.deleted));
    CU_ASSERT_EQUAL(d.added, 0);
    CU_ASSERT_EQUAL(fake_dataplane_count(w.fake), 1);
    CU_ASSERT_EQUAL(media_del(c[0].session), 0);
    CU_ASSERT_TRUE(turn_until(is_set, &c[0].deleted));
    CU_ASSERT_EQUAL(fake_dataplane_count(w.fake), 0);
    end();
}

// More sessions at once than a ring has slots: all get through, and in order.
static void test_many(void)
{
    enum { MANY = 3000 };
    begin(MANY);
    struct caller *c = calloc(MANY, sizeof *c);
    CU_ASSERT_PTR_NOT_NULL_FATAL(c);
    struct tl_leg legs[2] = {leg("core", 0), leg("peers", 0)};
    CU_ASSERT_TRUE_FATAL(turn_until(is_up, NULL));
    // 500 ports a realm: the rest is refused
    for (int i = 0; i < MANY; i++)
        CU_ASSERT_EQUAL(media_add(w.media, legs, &c[i], &c[i].session), 0);
    CU_ASSERT_TRUE(turn_until(is_set, &c[MANY - 1].added));
    int there = 0;
    for (int i = 0; i < MANY; i++) {
        CU_ASSERT_EQUAL(c[i].added, 1);
        CU_ASSERT_TRUE(c[i].status == 0 || c[i].status == -ENOSPC);
        there += c[i].status == 0;
    }
    CU_ASSERT_EQUAL(there, 500);
    CU_ASSERT_EQUAL(fake_dataplane_count(w.fake), 500);
    for (int i = 0; i < MANY; i++)
        if (c[i].status == 0)
            CU_ASSERT_EQUAL(media_del(c[i].session), 0);
    CU_ASSERT_TRUE(turn_until(is_up, NULL));
    CU_ASSERT_EQUAL(fake_dataplane_count(w.fake), 0);
    CU_ASSERT_EQUAL(media_session_count(w.media), 0);
    free(c);
    end();
}

// Death and return: a plain session and one with keys come back on their ports, the indices go on.
static void test_death_and_return(void)
{
    begin(10);
    struct caller plain = {0}, secure = {0}, changed = {0};
    struct tl_leg legs[2] = {leg("core", 4000), leg("peers", 5000)};
    CU_ASSERT_TRUE(add(&plain, legs));
    struct tl_leg keyed[2] = {leg("core", 4002), leg("peers", 5002)};
    keyed[0].rx = key(1, 1);
    keyed[0].tx = key(2, 1);
    CU_ASSERT_TRUE(add(&secure, keyed));
    CU_ASSERT_TRUE(add(&changed, legs));
    uint64_t ref = media_call_ref(secure.session);
    CU_ASSERT_EQUAL(fake_dataplane_media(w.fake, ref, 0, 0x1234, 70000, 1), 0);
    CU_ASSERT_EQUAL(fake_dataplane_media(w.fake, ref, 1, 0x5678, 300, 1), 0);
    struct tl_session_snapshot before;
    struct tl_handle handle = media_handle(secure.session);
    CU_ASSERT_EQUAL(tl_live_read(media_live(w.media), &handle, &before), 0);
    CU_ASSERT_TRUE(before.leg[0].rx[0].used && before.leg[0].tx.used);

    fake_dataplane_die(w.fake);
    CU_ASSERT_TRUE(turn_until(is_away, NULL));
    struct caller fresh = {0};
    CU_ASSERT_EQUAL(media_add(w.media, legs, &fresh, &fresh.session), -ENOTCONN);
    legs[0] = leg("core", 4444); // a hold or a new address meanwhile goes along
    CU_ASSERT_EQUAL(media_modify(changed.session, legs), -ENOTCONN);
    CU_ASSERT_EQUAL(fake_dataplane_revive(w.fake), 0);
    CU_ASSERT_TRUE(turn_until(is_up, NULL));
    CU_ASSERT_EQUAL(fake_dataplane_count(w.fake), 3);
    CU_ASSERT_EQUAL(media_counters(w.media)->reinstalled, 3);
    CU_ASSERT_EQUAL(plain.added + secure.added + changed.added, 3); // nobody was told twice
    CU_ASSERT_EQUAL(plain.lost + secure.lost + changed.lost, 0);
    const struct fake_session *s = fake_dataplane_find(w.fake, ref);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_EQUAL(s->local[0].port, secure.local[0].port);
    CU_ASSERT_EQUAL(s->local[1].port, secure.local[1].port);
    CU_ASSERT_EQUAL(s->leg[0].rx_resume[0].ssrc, 0x1234);
    CU_ASSERT_EQUAL(s->leg[0].rx_resume[0].index, before.leg[0].rx[0].index);
    CU_ASSERT_EQUAL(s->leg[0].tx_resume.index, before.leg[0].tx.index);
    CU_ASSERT_TRUE(before.leg[0].rx[0].index > 0);
    CU_ASSERT_EQUAL(s->leg[0].tx.key[0], 2);
    s = fake_dataplane_find(w.fake, media_call_ref(changed.session));
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_EQUAL(s->leg[0].rtp.port, 4444);

    // and once more
    CU_ASSERT_EQUAL(fake_dataplane_media(w.fake, ref, 0, 0x1234, 10, 1), 0);
    fake_dataplane_die(w.fake);
    CU_ASSERT_TRUE(turn_until(is_away, NULL));
    CU_ASSERT_EQUAL(media_del(plain.session), -ENOTCONN);
    CU_ASSERT_EQUAL(fake_dataplane_revive(w.fake), 0);
    CU_ASSERT_TRUE(turn_until(is_up, NULL));
    CU_ASSERT_EQUAL(fake_dataplane_count(w.fake), 2);
    CU_ASSERT_EQUAL(plain.deleted, 0);
    end();
}

// Each key of a direction has a generation, and the same one when it comes back; a key that eight others have
// followed is refused and nothing changes. A new dataplane knows only of the keys in use: it counts the others as
// forgotten, and a former key whose indices are nowhere ends its session.
static int change_keys(struct caller *c, uint8_t rx, uint8_t tx, struct fake_session *out)
{
    struct tl_leg legs[2] = {leg("core", 4000), leg("peers", 5000)};
    if (rx)
        legs[0].rx = key(rx, 0);
    if (tx)
        legs[0].tx = key(tx, 0);
    c->modified = 0;
    int rc = media_modify(c->session, legs);
    if (rc == 0)
        CU_ASSERT_TRUE(turn_until(is_set, &c->modified));
    *out = *fake_dataplane_find(w.fake, media_call_ref(c->session));
    return rc;
}

static void test_keys_come_back(void)
{
    begin(10);
    struct caller c = {0};
    struct fake_session s;
    struct tl_leg legs[2] = {leg("core", 4000), leg("peers", 5000)};
    CU_ASSERT_TRUE(add(&c, legs));
    static const struct {
        uint8_t rx, tx;
        uint32_t rx_generation, tx_generation;
    } t[] = {{1, 101, 1, 1}, {1, 101, 1, 1}, {2, 101, 2, 1}, {1, 102, 1, 2}, {0, 0, 0, 0},
             {2, 102, 2, 2}, {3, 101, 3, 1}, {1, 103, 1, 3}, {2, 0, 2, 0}};
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        CU_ASSERT_EQUAL(change_keys(&c, t[i].rx, t[i].tx, &s), 0);
        CU_ASSERT_EQUAL(s.leg[0].rx.generation, t[i].rx_generation);
        CU_ASSERT_EQUAL(s.leg[0].tx.generation, t[i].tx_generation);
    }
    for (uint8_t k = 4; k <= 11; k++) { // 2 and eight more
        CU_ASSERT_EQUAL(change_keys(&c, k, 0, &s), 0);
        CU_ASSERT_EQUAL(s.leg[0].rx.generation, k);
    }
    CU_ASSERT_EQUAL(change_keys(&c, 1, 0, &s), -ESTALE);
    CU_ASSERT_EQUAL(s.leg[0].rx.key[0], 11);
    CU_ASSERT_EQUAL(change_keys(&c, 2, 0, &s), 0);
    CU_ASSERT_EQUAL(s.leg[0].rx.generation, 2);
    CU_ASSERT_EQUAL(change_keys(&c, 12, 101, &s), 0);
    end();
}

static void test_keys_of_a_dead_dataplane(void)
{
    for (int heard = 0; heard < 2; heard++) {
        begin(10);
        struct caller c = {0};
        struct fake_session s;
        struct tl_leg legs[2] = {leg("core", 4000), leg("peers", 5000)};
        legs[0].rx = key(1, 0);
        legs[0].tx = key(101, 0);
        CU_ASSERT_TRUE(add(&c, legs));
        CU_ASSERT_EQUAL(change_keys(&c, 2, 102, &s), 0);
        CU_ASSERT_EQUAL(change_keys(&c, 1, 101, &s), 0);
        uint64_t ref = media_call_ref(c.session);
        if (heard) {
            CU_ASSERT_EQUAL(fake_dataplane_media(w.fake, ref, 0, 0x1234, 500, 1), 0);
            CU_ASSERT_EQUAL(fake_dataplane_media(w.fake, ref, 1, 0x5678, 300, 1), 0);
        }
        fake_dataplane_die(w.fake);
        CU_ASSERT_TRUE(turn_until(is_away, NULL));
        CU_ASSERT_EQUAL(fake_dataplane_revive(w.fake), 0);
        CU_ASSERT_TRUE(turn_until(is_up, NULL));
        CU_ASSERT_EQUAL(c.lost, !heard);
        if (heard) {
            CU_ASSERT_EQUAL(change_keys(&c, 1, 101, &s), 0);
            CU_ASSERT_EQUAL(s.leg[0].rx.generation, 1);
            CU_ASSERT_EQUAL(change_keys(&c, 2, 101, &s), -ESTALE);
            CU_ASSERT_EQUAL(change_keys(&c, 1, 102, &s), -ESTALE);
            CU_ASSERT_EQUAL(change_keys(&c, 3, 103, &s), 0);
            CU_ASSERT_EQUAL(s.leg[0].rx.generation, 3);
            CU_ASSERT_EQUAL(change_keys(&c, 1, 101, &s), 0);
        }
        end();
    }
}

// A session that cannot be given back is lost, its call hears of it, the others go on.
static void test_lost(void)
{
    begin(10);
    struct caller a = {0}, b = {0};
    struct tl_leg legs[2] = {leg("core", 4000), leg("peers", 5000)};
    CU_ASSERT_TRUE(add(&a, legs));
    CU_ASSERT_TRUE(add(&b, legs));
    fake_dataplane_refuse(w.fake, TL_OP_ADD, 1, -EADDRINUSE, TL_FIELD_LOCAL_PORT);
    fake_dataplane_die(w.fake);
    CU_ASSERT_TRUE(turn_until(is_away, NULL));
    CU_ASSERT_EQUAL(fake_dataplane_revive(w.fake), 0);
    CU_ASSERT_TRUE(turn_until(is_up, NULL));
    CU_ASSERT_EQUAL(a.lost + b.lost, 1);
    CU_ASSERT_EQUAL(fake_dataplane_count(w.fake), 1);
    CU_ASSERT_EQUAL(media_session_count(w.media), 1);
    CU_ASSERT_EQUAL(media_counters(w.media)->lost, 1);
    end();
}

// A call that ends while its session is being given back waits for the end: it hears of that and of no loss.
static bool flushed_again(void *arg)
{
    (void)arg;
    return fake_dataplane_executed(w.fake, TL_OP_FLUSH) > 1;
}

static bool flush_known(void *arg)
{
    return media_outstanding(w.media) == 0 || (*(int *)arg)++ > 50; // the ADD follows at once
}

static void test_ended_while_lost(void)
{
    begin(10);
    struct caller a = {0};
    struct tl_leg legs[2] = {leg("core", 4000), leg("peers", 5000)};
    CU_ASSERT_TRUE(add(&a, legs));
    fake_dataplane_refuse(w.fake, TL_OP_ADD, 1, -EADDRINUSE, TL_FIELD_LOCAL_PORT);
    fake_dataplane_die(w.fake);
    CU_ASSERT_TRUE(turn_until(is_away, NULL));
    fake_dataplane_hold_completions(w.fake);
    CU_ASSERT_EQUAL(fake_dataplane_revive(w.fake), 0);
    CU_ASSERT_TRUE(turn_until(flushed_again, NULL));
    CU_ASSERT_EQUAL(fake_dataplane_release_completions(w.fake, 1), 1);
    int turns = 0;
    CU_ASSERT_TRUE(turn_until(flush_known, &turns));
    CU_ASSERT_EQUAL(media_outstanding(w.media), 1);
    CU_ASSERT_EQUAL(media_del(a.session), 0);
    CU_ASSERT_EQUAL(a.deleted + a.lost, 0);
    fake_dataplane_release_completions(w.fake, UINT32_MAX);
    CU_ASSERT_TRUE(turn_until(is_set, &a.deleted));
    CU_ASSERT_EQUAL(a.lost, 0);
    CU_ASSERT_EQUAL(media_session_count(w.media), 0);
    end();
}

// What was asked and not answered when the dataplane died.
static void test_interrupted(void)
{
    begin(10);
    struct caller adding = {0}, modifying = {0}, deleting = {0};
    struct tl_leg legs[2] = {leg("core", 4000), leg("peers", 5000)};
    CU_ASSERT_TRUE(add(&modifying, legs));
    CU_ASSERT_TRUE(add(&deleting, legs));
    fake_dataplane_hold_completions(w.fake);
    CU_ASSERT_EQUAL(media_add(w.media, legs, &adding, &adding.session), 0);
    legs[0] = leg("core", 4444);
    CU_ASSERT_EQUAL(media_modify(modifying.session, legs), 0);
    CU_ASSERT_EQUAL(media_del(deleting.session), 0);
    for (int i = 0; i < 20; i++)
        fake_dataplane_poll(w.fake);
    fake_dataplane_die(w.fake);
    CU_ASSERT_TRUE(turn_until(is_away, NULL));
    CU_ASSERT_EQUAL(adding.added, 1);
    CU_ASSERT_EQUAL(adding.status, -ENOTCONN);
    CU_ASSERT_EQUAL(modifying.modified, 1); // kept
    CU_ASSERT_EQUAL(modifying.status, 0);
    CU_ASSERT_EQUAL(deleting.deleted, 1);
    CU_ASSERT_FALSE(deleting.final_known);
    fake_dataplane_release_completions(w.fake, UINT32_MAX);
    CU_ASSERT_EQUAL(fake_dataplane_revive(w.fake), 0);
    CU_ASSERT_TRUE(turn_until(is_up, NULL));
    CU_ASSERT_EQUAL_FATAL(fake_dataplane_count(w.fake), 1);
    CU_ASSERT_EQUAL(fake_dataplane_at(w.fake, 0)->leg[0].rtp.port, 4444);
    end();
}

// A control that starts ends the sessions of the one before; one that only lost its connection keeps its own.
static void test_control_comes_back(void)
{
    begin(100);
    struct caller c[30] = {0};
    struct tl_leg legs[2] = {leg("core", 4000), leg("peers", 5000)};
    for (int i = 0; i < 30; i++)
        CU_ASSERT_TRUE(add(&c[i], legs));
    media_free(w.media);
    CU_ASSERT_EQUAL_FATAL(media_new(w.loop, w.path, &user, &w.media), 0);
    CU_ASSERT_TRUE(turn_until(is_up, NULL));
    CU_ASSERT_EQUAL(fake_dataplane_count(w.fake), 0);
    CU_ASSERT_EQUAL(media_counters(w.media)->flushed, 30);
    CU_ASSERT_EQUAL(c[0].lost, 0);
    end();
}

// A dataplane that takes commands and answers none is given up; then the list is compared: what was kept
// stays under its handle, what nobody here knows ends.
static bool gave_up(void *arg)
{
    (void)arg;
    return media_counters(w.media)->timeouts > 0;
}

static bool back_again(void *arg)
{
    return media_counters(w.media)->connected >= 2 && is_up(arg);
}

static void test_no_completion(void)
{
    begin(100);
    struct caller c[30] = {0}, lost_add = {0};
    struct tl_leg legs[2] = {leg("core", 4000), leg("peers", 5000)};
    for (int i = 0; i < 30; i++)
        CU_ASSERT_TRUE(add(&c[i], legs));
    fake_dataplane_hold_completions(w.fake);
    CU_ASSERT_EQUAL(media_add(w.media, legs, &lost_add, &lost_add.session), 0);
    legs[1] = leg("peers", 7777);
    CU_ASSERT_EQUAL(media_modify(c[7].session, legs), 0);
    for (int i = 0; i < 3 && !gave_up(NULL); i++)
        turn_until(gave_up, NULL); // 5 s of patience
    CU_ASSERT_TRUE(gave_up(NULL));
    CU_ASSERT_EQUAL(lost_add.status, -ENOTCONN);
    fake_dataplane_release_completions(w.fake, UINT32_MAX);
    CU_ASSERT_TRUE(turn_until(back_again, NULL));
    CU_ASSERT_EQUAL(fake_dataplane_count(w.fake), 30); // the one nobody knows is gone
    CU_ASSERT_EQUAL(media_session_count(w.media), 30);
    CU_ASSERT_EQUAL(fake_dataplane_find(w.fake, media_call_ref(c[7].session))->leg[1].rtp.port, 7777);
    for (int i = 0; i < 30; i++)
        CU_ASSERT_EQUAL(c[i].lost, 0);
    end();
}

// Something that is no dataplane of ours answers: that is said, once, and tried again soon and then less
// often.
static void test_refused_greeting(void)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    char said[2000] = "";
    int pipes[2], kept = dup(2), connections = 0;
    begin(10);
    fake_dataplane_stop(w.fake);
    w.fake = NULL;
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s", w.path);
    int listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    CU_ASSERT_EQUAL_FATAL(bind(listener, (struct sockaddr *)&addr, sizeof addr), 0);
    CU_ASSERT_EQUAL_FATAL(listen(listener, 4), 0);
    CU_ASSERT_EQUAL_FATAL(pipe2(pipes, O_NONBLOCK), 0);
    dup2(pipes[1], 2);
    log_set_level(LOG_WARNING);
    uint64_t start = loop_now(w.loop);
    for (int i = 0; i < 20000 && connections < 3; i++) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0) {
            connections++;
            CU_ASSERT_EQUAL(send(fd, "not a greeting", 14, MSG_NOSIGNAL), 14);
            loop_now(w.loop);
            event_base_loop(loop_base(w.loop), EVLOOP_NONBLOCK);
            close(fd);
        }
        loop_now(w.loop);
        event_base_loop(loop_base(w.loop), EVLOOP_NONBLOCK);
        usleep(1000);
    }
    log_set_level(LOG_ERROR - 1);
    dup2(kept, 2);
    CU_ASSERT_EQUAL(connections, 3);
    CU_ASSERT_TRUE(loop_now(w.loop) - start >= 50 + 100); // two pauses, the second one longer
    CU_ASSERT_FALSE(media_up(w.media));
    CU_ASSERT_TRUE(read(pipes[0], said, sizeof said - 1) > 0);
    const char *line = strstr(said, "new calls get 503 until it is back");
    CU_ASSERT_PTR_NOT_NULL_FATAL(line);
    CU_ASSERT_PTR_NULL(strstr(line + 1, "new calls get 503"));
    close(kept);
    close(pipes[0]);
    close(pipes[1]);
    close(listener);
    unlink(w.path);
    end();
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"a session's life", test_session},
        {"refusals", test_refusals},
        {"refused greeting", test_refused_greeting},
        {"many at once", test_many},
        {"death and return", test_death_and_return},
        {"keys come back", test_keys_come_back},
        {"keys of a dead dataplane", test_keys_of_a_dead_dataplane},
        {"lost", test_lost},
        {"ended while lost", test_ended_while_lost},
        {"interrupted", test_interrupted},
        {"control comes back", test_control_comes_back},
        {"no completion", test_no_completion},
    };
    log_set_level(LOG_ERROR - 1);
    return test_main("media", TEST_CASES(cases), argc, argv);
}
