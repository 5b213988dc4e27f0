// SPDX-License-Identifier: BSD-3-Clause
// Sessions as records: what is read back goes on in the dataplane that has it, another one gets what can be given, and nothing
// that was torn or forged is believed.
#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/base/log.h"
#include "control/base/record.h"
#include "control/media/media_internal.h"
#include "runner.h"
#include "tests/fakes/fake_dataplane.h"

struct caller {
    struct media_session *session;
    int added, modified, lost;
    struct caller *friend; // whose session ends with this one
};

static void on_added(void *arg, int status, const struct tl_addr local[2])
{
    (void)local;
    ((struct caller *)arg)->added += status == 0;
}

static void on_modified(void *arg, int status)
{
    ((struct caller *)arg)->modified += status == 0;
}

static void on_deleted(void *arg, const struct tl_leg_counters final[2])
{
    (void)arg, (void) final;
}

static void on_lost(void *arg, const char *why)
{
    (void)why;
    struct caller *c = arg;
    c->lost++;
    c->session = NULL;
    if (c->friend && c->friend->session) {
        media_del(c->friend->session);
        c->friend->session = NULL;
    }
}

static void on_silence(void *arg, unsigned leg, uint32_t ms, bool again, uint8_t heard)
{
    (void)arg, (void)leg, (void)ms, (void)again, (void)heard;
}

static const struct media_user user = {on_added, on_modified, on_deleted, on_lost, on_silence};

static struct {
    char dir[64], path[108];
    struct loop *loop;
    struct media *media;
    struct fake_dataplane *fake;
} w;

static void start_fake(void)
{
    struct fake_dataplane_config config = {
        .path = w.path,
        .realms = {{"core", {.family = TL_AF_INET, .ip = {198, 51, 100, 1}}, 20000, 20999},
                   {"peers", {.family = TL_AF_INET, .ip = {198, 51, 100, 2}}, 30000, 30999}},
        .realm_count = 2,
        .sessions = 8,
        .workers = 1};
    w.fake = fake_dataplane_start(&config);
    CU_ASSERT_PTR_NOT_NULL_FATAL(w.fake);
}

static void begin(void)
{
    snprintf(w.dir, sizeof w.dir, "/tmp/trunkline-media-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(w.dir));
    snprintf(w.path, sizeof w.path, "%s/s", w.dir);
    start_fake();
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

static void turn(void)
{
    fake_dataplane_poll(w.fake);
    loop_now(w.loop);
    event_base_loop(loop_base(w.loop), EVLOOP_NONBLOCK);
    usleep(1000);
}

static bool settled(void)
{
    for (int i = 0; i < 4000; i++) {
        turn();
        if (media_up(w.media) && media_outstanding(w.media) == 0 && i > 20)
            return true;
    }
    return false;
}

// The control that comes after this one: it knows nothing but what it reads.
static void restart_control(void)
{
    media_free(w.media);
    CU_ASSERT_EQUAL_FATAL(media_new(w.loop, w.path, &user, &w.media), 0);
}

static struct tl_leg leg(const char *realm, uint16_t port, uint8_t fill)
{
    struct tl_leg l = {.max_len = TL_LEN_MAX,
                       .max_pps = 100,
                       .max_bps = 20000,
                       .burst_ms = 1000,
                       .silence_ms = 2000,
                       .rtp = {.family = TL_AF_INET, .port = port, .ip = {192, 0, 2, 1}},
                       .rtcp = {.family = TL_AF_INET, .port = (uint16_t)(port + 7), .ip = {192, 0, 2, 1}},
                       .flags = TL_LEG_RECV | TL_LEG_SEND,
                       .roc_on_rekey = TL_ROC_AUTO,
                       .pt_count = 2,
                       .pt_in = {8, 101},
                       .pt_out = {0, 97},
                       .pt_law = {TL_LAW_A_TO_U, 0}};
    snprintf(l.realm, sizeof l.realm, "%s", realm);
    if (fill) {
        l.rx = (struct tl_crypto){.suite = TL_SUITE_AES_CM_128_HMAC_SHA1_80, .mki_len = 2, .mki = {0, 1}};
        memset(l.rx.key, fill, 16);
        memset(l.rx.salt, fill, 14);
        l.tx = (struct tl_crypto){.suite = TL_SUITE_AEAD_AES_256_GCM};
        memset(l.tx.key, fill + 1, 32);
        memset(l.tx.salt, fill + 1, 12);
    }
    return l;
}

// A session whose A side has changed its key, or a plain one, that the dataplane has.
static void add(struct caller *c, bool keys)
{
    struct tl_leg legs[2] = {leg("core", 4000, keys ? 3 : 0), leg("peers", 5000, 0)};
    CU_ASSERT_TRUE_FATAL(settled());
    CU_ASSERT_EQUAL_FATAL(media_add(w.media, legs, c, &c->session), 0);
    CU_ASSERT_TRUE_FATAL(settled() && c->added == 1);
    if (!keys)
        return;
    legs[0] = leg("core", 4000, 9);
    CU_ASSERT_EQUAL_FATAL(media_modify(c->session, legs), 0);
    CU_ASSERT_TRUE_FATAL(settled() && c->modified == 1);
}

static int save(const struct media_session *s, char *out, size_t size)
{
    struct record_writer writer;
    record_writer_init(&writer, out, size);
    media_session_save(&writer, s);
    return record_finish(&writer);
}

static int load(const char *text, struct caller *c)
{
    struct record r;
    if (record_open(&r, text, strlen(text), "media") < 0)
        return -EBADMSG;
    return media_session_load(w.media, &r, c, &c->session);
}

enum { ROOM = 16384 };
static char text[ROOM], again[ROOM], forged[ROOM];

static void a_session_goes_on_in_its_dataplane(void)
{
    for (int keys = 0; keys < 2; keys++) {
        struct caller before = {0}, after = {0};
        begin();
        add(&before, keys);
        int len = save(before.session, text, sizeof text - 1);
        CU_ASSERT_FATAL(len > 0);
        text[len] = '\0';
        struct tl_handle handle = media_handle(before.session);
        uint64_t ref = media_call_ref(before.session);
        struct tl_leg was = fake_dataplane_find(w.fake, ref)->leg[0];
        restart_control();
        CU_ASSERT_EQUAL_FATAL(load(text, &after), 0);
        len = save(after.session, again, sizeof again - 1);
        CU_ASSERT_FATAL(len > 0);
        again[len] = '\0';
        CU_ASSERT_STRING_EQUAL(again, text);
        CU_ASSERT_EQUAL(load(text, &before), -EEXIST);
        CU_ASSERT(settled() && after.lost == 0 && after.added == 0);
        struct tl_handle now = media_handle(after.session);
        CU_ASSERT(memcmp(&handle, &now, sizeof now) == 0 && media_call_ref(after.session) == ref);
        const struct fake_session *s = fake_dataplane_find(w.fake, ref);
        CU_ASSERT_FATAL(s != NULL);
        CU_ASSERT(memcmp(&s->leg[0].rx, &was.rx, sizeof was.rx) == 0 && s->leg[0].rtcp.port == 4007);
        CU_ASSERT_EQUAL(media_counters(w.media)->flushed, 0);
        // the key of before has its generation still, and a new one gets the next
        struct tl_leg legs[2] = {leg("core", 4000, keys ? 3 : 0), leg("peers", 5000, 0)};
        CU_ASSERT_EQUAL(media_modify(after.session, legs), 0);
        CU_ASSERT(settled() && after.modified == 1);
        CU_ASSERT_EQUAL(fake_dataplane_find(w.fake, ref)->leg[0].rx.generation, keys ? 1 : 0);
        end();
    }
}

static void another_dataplane_gets_what_it_can_be_given(void)
{
    for (int keys = 0; keys < 2; keys++) {
        struct caller before = {0}, after = {0};
        begin();
        add(&before, keys);
        int len = save(before.session, text, sizeof text - 1);
        CU_ASSERT_FATAL(len > 0);
        text[len] = '\0';
        uint64_t ref = media_call_ref(before.session);
        fake_dataplane_stop(w.fake);
        start_fake();
        restart_control();
        CU_ASSERT_EQUAL_FATAL(load(text, &after), 0);
        CU_ASSERT(settled());
        // nobody knows where its keys stood: a session with keys cannot go on, a plain one does on its ports
        CU_ASSERT(after.lost == keys);
        CU_ASSERT((fake_dataplane_find(w.fake, ref) != NULL) == !keys);
        end();
    }
}

// Replaces the first `what` of the saved text. False: it is not there.
static bool forge(const char *what, const char *by)
{
    const char *at = strstr(text, what);
    if (!at)
        return false;
    snprintf(forged, sizeof forged, "%.*s%s%s", (int)(at - text), text, by, at + strlen(what));
    return true;
}

// Of two sessions in one bucket the first is lost, and takes the next one along, which waits to be given back: calls of a
// transfer do so.
static void a_lost_session_may_end_the_next_one(void)
{
    struct tl_leg legs[2] = {leg("core", 4000, 3), leg("peers", 5000, 0)};
    struct caller before = {0}, one = {0}, other = {0};
    one.friend = &other;
    begin();
    CU_ASSERT_TRUE_FATAL(settled());
    CU_ASSERT_EQUAL_FATAL(media_add(w.media, legs, &before, &before.session), 0);
    CU_ASSERT_TRUE_FATAL(settled() && before.added == 1);
    int len = save(before.session, text, sizeof text - 1);
    CU_ASSERT_FATAL(len > 0);
    text[len] = '\0';
    uint64_t ref = media_call_ref(before.session);
    char was[80], is[80];
    snprintf(was, sizeof was, "call_ref %llu\nconfirmed 1\ninstalled 1", (unsigned long long)ref);
    snprintf(is, sizeof is, "call_ref %llu\nconfirmed 1\ninstalled 0",
             (unsigned long long)(ref ^ MEDIA_BUCKETS));
    CU_ASSERT_TRUE_FATAL(forge(was, is));
    fake_dataplane_stop(w.fake);
    start_fake();
    restart_control();
    CU_ASSERT_EQUAL_FATAL(load(forged, &other), 0);
    CU_ASSERT_EQUAL_FATAL(load(text, &one), 0); // comes first
    CU_ASSERT_TRUE(settled());
    CU_ASSERT(one.lost == 1 && other.lost == 0);
    CU_ASSERT_EQUAL(media_session_count(w.media), 0);
    end();
}

static void nothing_forged_is_believed(void)
{
    static const struct {
        const char *what, *by;
    } rows[] = {
        {"media 1 {", "media 2 {"},
        {"leg 1 {", "leg 2 {"},
        {"leg 1 {", "log 1 {"},
        {"rx 1 {", "rx 2 {"},
        {"call_ref ", "call_reference "},
        {"confirmed 1", "confirmed 2"},
        {"confirmed 1", "confirmed 0"}, // what is installed is confirmed
        {"installed 1", "installed yes"},
        {"incarnation ", "incarnation 0\nwas "},
        {"realm core", "realm "},
        {"realm core", "realm a%0Ab"},
        {"rtp 192.0.2.1:4000", "rtp 192.0.2.1:0"},
        {"rtp 192.0.2.1:4000", "rtp 224.0.0.1:4000"},
        {"rtp 192.0.2.1:4000", "rtp nowhere"},
        {"local 198.51.100.1:", "local 198.51.100.1:1"},
        {"local 198.51.100.1:", "lokal 198.51.100.1:"},
        {"flags 3", "flags 4096"},
        {"pt_in 0865", "pt_in 0808"}, // each once
        {"pt_in 0865", "pt_in 08"},
        {"pt_out 0061", "pt_out 00ff"},
        {"pt_law ", "pt_law 0"},
        {"roc_on_rekey ", "roc_on_rekey 9"},
        {"max_pps 100", "max_pps 0"},
        {"max_len ", "max_len 9"},
        {"burst_ms 1000", "burst_ms 70000"},
        {"suite AES_CM_128_HMAC_SHA1_80", "suite AES_CM_128"},
        {"suite AES_CM_128_HMAC_SHA1_80", "suite AES_256_CM_HMAC_SHA1_80"}, // its key is longer
        {"key 0909", "key 09"},
        {"key 09090909090909090909090909090909", "key 00000000000000000000000000000000"},
        {"salt 0909", "salt 09"},
        {"key 0909", "key 0908"},                   // not the key that the history has in use
        {"generation 2\nkey", "generation 1\nkey"}, // that is the former one's
        {"generation 2\nkey", "generation 0\nkey"},
        {"order 0100", "order 0001"}, // the former one in use
        {"order 0100", "order 0101"},
        {"order 0100", "order 0900"},
        {"order 0100", "order 01"},
        {"newest 2", "newest 1"},
        {"forget_at 0", "forget_at 32"},
        {"plain 0", "plain 1"},
    };
    struct caller before = {0}, after = {0};
    begin();
    add(&before, true);
    int len = save(before.session, text, sizeof text - 1);
    CU_ASSERT_FATAL(len > 0);
    text[len] = '\0';
    restart_control();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool there = forge(rows[i].what, rows[i].by);
        int rc = there ? load(forged, &after) : 0;
        if (rc != -EINVAL && rc != -EBADMSG)
            printf("   row %zu (%s): %s\n", i, rows[i].by, there ? "believed" : "not in the record");
        CU_ASSERT(rc == -EINVAL || rc == -EBADMSG);
        CU_ASSERT(after.session == NULL && media_session_count(w.media) == 0);
    }
    for (int cut = 0; cut < len; cut++) { // torn anywhere
        snprintf(forged, sizeof forged, "%.*s", cut, text);
        CU_ASSERT(load(forged, &after) < 0 || cut == len - 1);
        if (after.session) // only the last line's end was missing
            break;
    }
    end();
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"a_session_goes_on_in_its_dataplane", a_session_goes_on_in_its_dataplane},
        {"another_dataplane_gets_what_it_can_be_given", another_dataplane_gets_what_it_can_be_given},
        {"a_lost_session_may_end_the_next_one", a_lost_session_may_end_the_next_one},
        {"nothing_forged_is_believed", nothing_forged_is_believed},
    };
    log_set_level(LOG_ERROR);
    return test_main("media_save", TEST_CASES(cases), argc, argv);
}
