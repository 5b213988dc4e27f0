// SPDX-License-Identifier: BSD-3-Clause
// The call machine by tables: what comes in, what must go out. The clock and the dataplane are made up here;
// a script says when they speak.
//
// In:  "A invite sdp"   "B 183 sdp"   "added"   "wait 10000" (timers that are due fire) ...
// Out: "add" "invite:1+sdp" "A=200+sdp" "ack:B" "bye:A" "del" "end" ..., in order. Timers are not written
// out: the clock shows them.
#include "control/base/record.h"
#include "control/call/call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"
#include "tests/unit/control/sdp/sdp_samples.h"

static struct tl_config *config;
static struct call_env env;
static uint8_t counter;

static int counting(void *arg, void *out, size_t len)
{
    uint8_t *next = arg;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = (*next)++;
    return 0;
}

static void make_config(void)
{
    config = calloc(1, sizeof *config);
    if (!config)
        abort();
    strcpy(config->realms[0].name, "core");
    strcpy(config->realms[1].name, "peers");
    strcpy(config->realms[2].name, "others");
    config->realm_count = 3;
    for (unsigned t = 0; t < 4; t++) {
        snprintf(config->trunks[t].name, sizeof config->trunks[t].name, "trunk%u", t);
        config->trunks[t].dtmf_pt = 101;
        config->trunks[t].codecs[0] = TL_PCMU;
        config->trunks[t].codecs[1] = TL_PCMA;
        config->trunks[t].codec_count = 2;
        config->trunks[t].burst_ms = 1000;
        config->trunks[t].no_response_ms = 10000;
        config->trunks[t].silence_ms = 30000;
        config->trunks[t].realm = t == 0 ? 0 : t == 3 ? 2 : 1;
    }
    config->trunk_count = 4;
    config->control.setup_timeout_ms = 180000;
    config->control.retry_after_s = 7;
    env = (struct call_env){.config = config, .random = {counting, &counter}};
}

// ---- bodies -------------------------------------------------------------------------------------------

#define AUDIO(address, rest)                                                                                 \
    "v=0\r\no=- 1 1 IN IP4 " address "\r\ns=-\r\nc=IN IP4 " address "\r\nt=0 0\r\n" rest

static const struct {
    const char *name, *text;
} bodies[] = {
    {"sdp", AUDIO("192.0.2.1", "m=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\n")},
    {"hold", AUDIO("192.0.2.1", "m=audio 4000 RTP/AVP 8 0\r\na=sendonly\r\n")},
    {"held", AUDIO("192.0.2.1", "m=audio 4000 RTP/AVP 8 0\r\na=recvonly\r\n")},
    {"moved", AUDIO("192.0.2.99", "m=audio 5000 RTP/AVP 8 0\r\n")},
    {"pcmu", AUDIO("192.0.2.2", "m=audio 4000 RTP/AVP 0\r\n")},
    {"g729", AUDIO("192.0.2.2", "m=audio 4000 RTP/AVP 18\r\n")},
    {"secure", AUDIO("192.0.2.2",
                     "m=audio 4000 RTP/SAVP 8\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 " SAMPLE_KEY80 "\r\n")},
    {"garbage", "v=0\r\nm=audio 99999 RTP/AVP 0\r\n"},
};

static const char *body_named(const char *name)
{
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        if (strcmp(bodies[i].name, name) == 0)
            return bodies[i].text;
    CU_FAIL_FATAL("no such body");
    return NULL;
}

// ---- the world ----------------------------------------------------------------------------------------

struct world {
    struct call call;
    uint64_t now;
    uint64_t due[CALL_TIMER_COUNT]; // 0: not armed
    char out[400];                  // actions of the step
    char body[NEG_BODY_MAX];        // the last SDP that went out
    struct tl_leg legs[2];          // as the dataplane was told last
    bool freed;
};

static const char side_name[] = "AB";

static void say(struct world *w, const char *text, const struct call_action *a)
{
    size_t n = strlen(w->out);
    n += (size_t)snprintf(w->out + n, sizeof w->out - n, "%s%s", n ? " " : "", text);
    if (a->body) {
        snprintf(w->out + n, sizeof w->out - n, "+sdp");
        memcpy(w->body, a->body, a->body_len);
        w->body[a->body_len] = 0;
    }
}

static void carry_out(struct world *w, const struct call_action *a)
{
    char text[64];
    switch (a->type) {
    case CALL_DO_ADD:
    case CALL_DO_MODIFY:
        call_legs(&w->call, w->legs);
        say(w, a->type == CALL_DO_ADD ? "add" : "modify", a);
        break;
    case CALL_DO_DEL:
        say(w, a->flags & CALL_FORGET ? "forget" : "del", a);
        break;
    case CALL_DO_INVITE:
        snprintf(text, sizeof text, "invite:%u", a->trunk);
        say(w, text, a);
        break;
    case CALL_DO_ANSWER:
        snprintf(text, sizeof text, a->retry_after ? "%c=%d/%u" : "%c=%d", side_name[a->side], a->status,
                 a->retry_after);
        say(w, text, a);
        break;
    case CALL_DO_REPLY:
        snprintf(text, sizeof text, "reply:%c=%d", side_name[a->side], a->status);
        say(w, text, a);
        break;
    case CALL_DO_TIMER:
        w->due[a->timer] = a->ms ? w->now + a->ms : 0;
        break;
    case CALL_DO_END:
        say(w, "end", a);
        break;
    default: {
        static const char *const names[CALL_DO_COUNT] = {[CALL_DO_REINVITE] = "reinvite",
                                                         [CALL_DO_ACK] = "ack",
                                                         [CALL_DO_CANCEL] = "cancel",
                                                         [CALL_DO_ABANDON] = "abandon",
                                                         [CALL_DO_BYE] = "bye"};
        snprintf(text, sizeof text, "%s:%c", names[a->type], side_name[a->side]);
        say(w, text, a);
    }
    }
}

// Whatever state a call is in: saved, loaded and saved again it is the same, byte for byte.
static void check_record(const struct call *call)
{
    static char first[RECORD_BYTES_MAX / 4], again[RECORD_BYTES_MAX / 4];
    struct record_writer w;
    struct record r;
    struct call copy;
    record_writer_init(&w, first, sizeof first);
    call_save(&w, call);
    int len = record_finish(&w);
    CU_ASSERT_FATAL(len > 0);
    CU_ASSERT_EQUAL_FATAL(record_open(&r, first, (size_t)len, "call"), 0);
    CU_ASSERT_EQUAL_FATAL(call_load(&copy, &env, &r), 0);
    record_writer_init(&w, again, sizeof again);
    call_save(&w, &copy);
    CU_ASSERT_EQUAL_FATAL(record_finish(&w), len);
    CU_ASSERT_EQUAL_FATAL(memcmp(first, again, (size_t)len), 0);
    CU_ASSERT_EQUAL(copy.state, call->state);
    call_fini(&copy);
}

static void step(struct world *w, const struct call_event *event)
{
    static struct call_actions out;
    if (w->freed)
        return;
    call_step(&w->call, event, &out);
    for (unsigned i = 0; i < out.count; i++) {
        carry_out(w, &out.action[i]);
        if (out.action[i].type == CALL_DO_END) {
            CU_ASSERT_EQUAL(i, out.count - 1);
            CU_ASSERT_EQUAL(w->call.state, CALL_OVER);
            CU_ASSERT_PTR_NOT_NULL(w->call.why);
            call_fini(&w->call);
            w->freed = true;
        }
    }
    if (!w->freed)
        check_record(&w->call);
}

static void wait_ms(struct world *w, uint64_t ms)
{
    w->now += ms;
    for (int t = 0; t < CALL_TIMER_COUNT; t++)
        if (w->due[t] && w->due[t] <= w->now) {
            w->due[t] = 0;
            step(w, &(struct call_event){.type = CALL_EV_TIMER, .timer = (enum call_timer)t});
        }
}

static const struct {
    const char *word;
    enum call_event_type type;
} words[] = {
    {"invite", CALL_EV_INVITE},
    {"reinvite", CALL_EV_REINVITE},
    {"cancel", CALL_EV_CANCEL},
    {"ack", CALL_EV_ACK},
    {"bye", CALL_EV_BYE},
    {"timeout", CALL_EV_TIMEOUT},
    {"unreachable", CALL_EV_TRANSPORT},
    {"noack", CALL_EV_NO_ACK},
    {"byedone", CALL_EV_BYE_DONE},
    {"added", CALL_EV_ADDED},
    {"modified", CALL_EV_MODIFIED},
    {"deleted", CALL_EV_DELETED},
    {"lost", CALL_EV_MEDIA_LOST},
    {"hangup", CALL_EV_HANGUP},
};

static struct tl_addr media(uint16_t port)
{
    return (struct tl_addr){.family = TL_AF_INET, .port = port, .ip = {198, 51, 100, 1}};
}

// One line of a script.
static void hear(struct world *w, const char *line)
{
    char copy[100], *word[3] = {0};
    unsigned n = 0;
    struct call_event e = {.local = {media(20000), media(30000)}};
    snprintf(copy, sizeof copy, "%s", line);
    char *rest, *t = strtok_r(copy, " ", &rest);
    if (strcmp(t, "A") == 0 || strcmp(t, "B") == 0) {
        e.side = t[0] == 'B';
        t = strtok_r(NULL, " ", &rest);
    }
    for (; t && n < 3; t = strtok_r(NULL, " ", &rest))
        word[n++] = t;
    if (strcmp(word[0], "wait") == 0) {
        wait_ms(w, strtoull(word[1], NULL, 10));
        return;
    }
    if (word[0][0] >= '1' && word[0][0] <= '6') {
        e.status = atoi(word[0]);
        e.type = e.status < 200 ? CALL_EV_PROVISIONAL : e.status < 300 ? CALL_EV_SUCCESS : CALL_EV_FAILURE;
    }
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i].word, word[0]) == 0)
            e.type = words[i].type;
    CU_ASSERT_NOT_EQUAL_FATAL(e.type, 0);
    char *exact = NULL;
    if (word[1] && word[1][0] == '-') {
        e.status = atoi(word[1]);
    } else if (word[1]) { // a buffer of exactly its size, freed after the step: nothing may keep a pointer
        const char *text = body_named(word[1]);
        e.sdp_len = strlen(text);
        exact = malloc(e.sdp_len);
        CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
        e.sdp = memcpy(exact, text, e.sdp_len);
    }
    step(w, &e);
    free(exact);
}

struct line {
    const char *in, *out;
};

// A route over trunks 1, 2 (one realm) and 3 (another) for calls of trunk 0.
static void begin(struct world *w, unsigned trunks)
{
    static const uint32_t route[] = {1, 2, 3};
    memset(w, 0, sizeof *w);
    counter = 1;
    CU_ASSERT_EQUAL_FATAL(call_init(&w->call, &env, 0, route, trunks), 0);
}

static void play(struct world *w, const struct line *script, size_t lines)
{
    for (size_t i = 0; i < lines; i++) {
        w->out[0] = 0;
        hear(w, script[i].in);
        if (strcmp(w->out, script[i].out) != 0) {
            printf("line %zu, \"%s\" gave \"%s\", expected \"%s\"\n", i + 1, script[i].in, w->out,
                   script[i].out);
            CU_FAIL("wrong actions");
            return;
        }
    }
}

static void finish(struct world *w)
{
    CU_ASSERT_TRUE(w->freed);
    if (!w->freed)
        call_fini(&w->call);
}

// Plays whole scripts that end with the call gone.
#define SCRIPT(trunks, ...)                                                                                  \
    do {                                                                                                     \
        static const struct line lines_[] = {__VA_ARGS__};                                                   \
        struct world w_;                                                                                     \
        begin(&w_, trunks);                                                                                  \
        play(&w_, lines_, sizeof lines_ / sizeof lines_[0]);                                                 \
        finish(&w_);                                                                                         \
    } while (0)

#define UP(world, trunks)                                                                                    \
    do {                                                                                                     \
        static const struct line lines_[] = {                                                                \
            {"A invite sdp", "add"}, {"added", "invite:1+sdp"},       {"B 180", "A=180"},                    \
            {"B 200 sdp", "modify"}, {"modified", "ack:B A=200+sdp"}, {"A ack", ""}};                        \
        begin(world, trunks);                                                                                \
        play(world, lines_, sizeof lines_ / sizeof lines_[0]);                                               \
        CU_ASSERT_EQUAL((world)->call.state, CALL_UP);                                                       \
    } while (0)

#define GO(world, ...)                                                                                       \
    do {                                                                                                     \
        static const struct line lines_[] = {__VA_ARGS__};                                                   \
        play(world, lines_, sizeof lines_ / sizeof lines_[0]);                                               \
    } while (0)

// ---- cases --------------------------------------------------------------------------------------------

static void test_answered(void)
{
    struct world w;
    begin(&w, 1);
    GO(&w, {"A invite sdp", "add"});
    // nothing is known of either side yet, and nothing may pass
    CU_ASSERT_STRING_EQUAL(w.legs[0].realm, "core");
    CU_ASSERT_STRING_EQUAL(w.legs[1].realm, "peers");
    CU_ASSERT_EQUAL(w.legs[0].flags | w.legs[1].flags, 0);
    CU_ASSERT_EQUAL(w.legs[0].rtp.family | w.legs[1].rtp.family, TL_AF_UNSET);
    GO(&w, {"added", "invite:1+sdp"});
    CU_ASSERT_PTR_NOT_NULL(strstr(w.body, "m=audio 30000 RTP/AVP ")); // the port that was confirmed
    GO(&w, {"B 180", "A=180"}, {"B 200 sdp", "modify"});
    CU_ASSERT_EQUAL(w.legs[0].rtp.port, 4000);
    CU_ASSERT_EQUAL(w.legs[0].flags, TL_LEG_RECV | TL_LEG_SEND);
    CU_ASSERT_EQUAL(w.legs[1].silence_ms, 30000);
    GO(&w, {"modified", "ack:B A=200+sdp"});
    CU_ASSERT_PTR_NOT_NULL(strstr(w.body, "m=audio 20000 RTP/AVP 8 0 101"));
    CU_ASSERT_EQUAL(w.call.status, 200);
    GO(&w, {"A ack", ""}, {"wait 400000", ""}, {"A bye", "reply:A=200 bye:B del"}, {"deleted", ""},
       {"B byedone", "end"});
    finish(&w);
    UP(&w, 1);
    GO(&w, {"B bye", "reply:B=200 bye:A del"}, {"A byedone", ""}, {"deleted", "end"});
    finish(&w);
}

static void test_refused(void)
{
    SCRIPT(1, {"A invite garbage", "A=400 end"});
    SCRIPT(1, {"A invite g729", "A=488 end"});
    SCRIPT(1, {"A invite secure", "A=488 end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 486", "A=486 del"}, {"deleted", "end"});
    SCRIPT(3, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 404", "A=404 del"}, {"deleted", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 603", "A=603 del"}, {"deleted", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 302", "A=480 del"}, {"deleted", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 407", "A=403 del"}, {"deleted", "end"});
    // an answer that nobody can use: B is ACKed and BYEd, A is not left ringing
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 200 g729", "A=488 ack:B bye:B del"},
           {"deleted", ""}, {"B byedone", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 200", "A=502 ack:B bye:B del"},
           {"deleted", ""}, {"B byedone", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 200 garbage", "A=502 ack:B bye:B del"},
           {"deleted", ""}, {"B byedone", "end"});
}

static void test_fail_over(void)
{
    SCRIPT(2, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 503", "invite:2+sdp"},
           {"B 200 sdp", "modify"}, {"modified", "ack:B A=200+sdp"}, {"A ack", ""},
           {"A bye", "reply:A=200 bye:B del"}, {"B byedone", ""}, {"deleted", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 503", "A=503/7 del"},
           {"deleted", "end"});
    SCRIPT(2, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B unreachable", "invite:2+sdp"},
           {"B timeout", "A=503/7 del"}, {"deleted", "end"});
    // silence: the attempt is given up, the next one gets its own time
    SCRIPT(2, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"wait 9999", ""},
           {"wait 1", "abandon:B invite:2+sdp"}, {"wait 9999", ""}, {"wait 1", "abandon:B A=503/7 del"},
           {"deleted", "end"});
    // a provisional stops that clock, not the next trunk on 503
    SCRIPT(2, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 180", "A=180"}, {"wait 60000", ""},
           {"B 503", "invite:2+sdp"}, {"wait 10000", "abandon:B A=503/7 del"}, {"deleted", "end"});
    // a trunk in another realm needs another session
    SCRIPT(3, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 503", "invite:2+sdp"},
           {"B 503", "forget add"}, {"added", "invite:3+sdp"}, {"B 486", "A=486 del"}, {"deleted", "end"});
    // not after A was given an answer
    SCRIPT(2, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 183 sdp", "modify"},
           {"modified", "A=183+sdp"}, {"B 503", "A=503/7 del"}, {"deleted", "end"});
}

static void test_realm_of_second_trunk(void)
{
    struct world w;
    begin(&w, 3);
    GO(&w, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 503", "invite:2+sdp"},
       {"B 503", "forget add"});
    CU_ASSERT_STRING_EQUAL(w.legs[1].realm, "others");
    GO(&w, {"added", "invite:3+sdp"}, {"B 500", "A=500 del"}, {"deleted", "end"});
    finish(&w);
}

static void test_early_media(void)
{
    struct world w;
    begin(&w, 1);
    GO(&w, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 183 pcmu", "modify"});
    CU_ASSERT_EQUAL(w.legs[1].rtp.ip[3], 2);
    GO(&w, {"B 180", ""}, {"modified", "A=183+sdp"});
    CU_ASSERT_PTR_NOT_NULL(strstr(w.body, "m=audio 20000 RTP/AVP 0\r\n"));
    GO(&w, {"B 180", "A=180"}, {"B 199", ""}, {"B 200", "modify"}, {"modified", "ack:B A=200+sdp"},
       {"A ack", ""}, {"A bye", "reply:A=200 bye:B del"}, {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
    // the 2xx overtakes the dataplane: one MODIFY after the other, and A gets the last word
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 183 sdp", "modify"},
           {"B 200 moved", ""}, {"modified", "modify"}, {"modified", "ack:B A=200+sdp"}, {"A ack", ""},
           {"B bye", "reply:B=200 bye:A del"}, {"A byedone", ""}, {"deleted", "end"});
    // a fork whose early SDP we cannot take does not spoil what another one said
    begin(&w, 1);
    GO(&w, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 183 pcmu", "modify"},
       {"modified", "A=183+sdp"}, {"B 183 g729", "A=183"}, {"B 200", "modify"});
    CU_ASSERT_EQUAL(w.legs[1].flags, TL_LEG_RECV | TL_LEG_SEND);
    CU_ASSERT_EQUAL(w.legs[1].pt_count, 1);
    GO(&w, {"modified", "ack:B A=200+sdp"});
    CU_ASSERT_PTR_NOT_NULL(strstr(w.body, "m=audio 20000 RTP/AVP 0\r\n"));
    GO(&w, {"A ack", ""}, {"A bye", "reply:A=200 bye:B del"}, {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
    // early SDP that we cannot take is not shown to A
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 183 g729", "A=183"},
           {"A cancel", "A=487 abandon:B del"}, {"deleted", "end"});
}

static void test_withdrawn(void)
{
    SCRIPT(1, {"A invite sdp", "add"}, {"A cancel", "A=487"}, {"added", "del"}, {"deleted", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"A cancel", "A=487"}, {"added -28", "end"});
    SCRIPT(2, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"A cancel", "A=487 abandon:B del"},
           {"deleted", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 180", "A=180"},
           {"A cancel", "A=487 abandon:B del"}, {"deleted", "end"});
    // crossing: B's 200 was here first, A's was not out yet
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 200 sdp", "modify"},
           {"A cancel", "A=487 ack:B bye:B del"}, {"modified", ""}, {"deleted", ""}, {"B byedone", "end"});
    // BYE of the caller in the early dialog
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 180", "A=180"},
           {"A bye", "reply:A=200 A=487 abandon:B del"}, {"deleted", "end"});
    // B hangs up before A got its answer
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 200 sdp", "modify"},
           {"B bye", "reply:B=200 A=480 ack:B del"}, {"modified", ""}, {"deleted", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 180", "A=180"}, {"wait 179999", ""},
           {"wait 1", "A=408 abandon:B del"}, {"deleted", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"hangup", "A=480 abandon:B del"},
           {"deleted", "end"});
}

// RFC 3261 15: a callee sends no BYE before the ACK; without an ACK both sides are hung up.
static void test_ack(void)
{
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 200 sdp", "modify"},
           {"modified", "ack:B A=200+sdp"}, {"B bye", "reply:B=200 del"}, {"deleted", ""}, {"A ack", "bye:A"},
           {"A byedone", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 200 sdp", "modify"},
           {"modified", "ack:B A=200+sdp"}, {"B bye", "reply:B=200 del"}, {"deleted", ""},
           {"A noack", "bye:A"}, {"A byedone", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 200 sdp", "modify"},
           {"modified", "ack:B A=200+sdp"}, {"A noack", "bye:A bye:B del"}, {"A byedone", ""},
           {"B byedone", ""}, {"deleted", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 200 sdp", "modify"},
           {"modified", "ack:B A=200+sdp"}, {"A bye", "reply:A=200 bye:B del"}, {"A ack", ""},
           {"B byedone", ""}, {"deleted", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"A noack", "abandon:B del"},
           {"deleted", "end"});
}

static void test_both_hang_up(void)
{
    struct world w;
    UP(&w, 1);
    GO(&w, {"A bye", "reply:A=200 bye:B del"}, {"B bye", "reply:B=200"}, {"B reinvite sdp", "B=481"},
       {"deleted", ""}, {"B byedone", "end"});
    finish(&w);
    UP(&w, 1);
    GO(&w, {"hangup", "bye:A bye:B del"}, {"A byedone", ""}, {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
}

static void test_media_trouble(void)
{
    struct world w;
    SCRIPT(1, {"A invite sdp", "add"}, {"added -28", "A=503/7 end"});  // ENOSPC
    SCRIPT(1, {"A invite sdp", "add"}, {"added -107", "A=503/7 end"}); // ENOTCONN
    SCRIPT(1, {"A invite sdp", "add"}, {"added -19", "A=500 end"});    // ENODEV
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"B 200 sdp", "modify"},
           {"modified -22", "A=500 ack:B bye:B del"}, {"deleted", ""}, {"B byedone", "end"});
    SCRIPT(1, {"A invite sdp", "add"}, {"added", "invite:1+sdp"}, {"lost", "A=503/7 abandon:B end"});
    UP(&w, 1);
    GO(&w, {"lost", "bye:A bye:B"}, {"A byedone", ""}, {"B byedone", "end"});
    finish(&w);
    // a dataplane that says nothing does not keep a call for ever, and is not awaited for the BYE
    SCRIPT(1, {"A invite sdp", "add"}, {"wait 180000", "A=408"}, {"added -110", "end"});
}

static void test_late_offer(void)
{
    struct world w;
    begin(&w, 1);
    GO(&w, {"A invite", "add"}, {"added", "invite:1+sdp"}, {"B 183 sdp", "A=183"},
       {"B 200 pcmu", "ack:B A=200+sdp"});
    CU_ASSERT_PTR_NOT_NULL(strstr(w.body, "m=audio 20000 RTP/AVP 0 8\r\n")); // what B took goes first
    GO(&w, {"B reinvite sdp", "B=491"}, {"A ack sdp", "modify"});
    CU_ASSERT_EQUAL(w.legs[0].flags, TL_LEG_RECV | TL_LEG_SEND);
    GO(&w, {"modified", ""}, {"A bye", "reply:A=200 bye:B del"}, {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
    SCRIPT(1, {"A invite", "add"}, {"added", "invite:1+sdp"}, {"B 200 sdp", "ack:B A=200+sdp"},
           {"A ack", "bye:A bye:B del"}, {"A byedone", ""}, {"B byedone", ""}, {"deleted", "end"});
    SCRIPT(1, {"A invite", "add"}, {"added", "invite:1+sdp"}, {"B 200 pcmu", "ack:B A=200+sdp"},
           {"A ack g729", "bye:A bye:B del"}, {"A byedone", ""}, {"B byedone", ""}, {"deleted", "end"});
}

static void test_hold(void)
{
    struct world w;
    UP(&w, 1);
    GO(&w, {"A reinvite hold", "reinvite:B+sdp"});
    CU_ASSERT_PTR_NOT_NULL(strstr(w.body, "a=sendonly"));
    GO(&w, {"B 200 held", "modify"});
    CU_ASSERT_EQUAL(w.legs[0].flags, TL_LEG_RECV);
    CU_ASSERT_EQUAL(w.legs[1].flags, TL_LEG_SEND);
    GO(&w, {"modified", "ack:B A=200+sdp"});
    CU_ASSERT_PTR_NOT_NULL(strstr(w.body, "a=recvonly"));
    GO(&w, {"A ack", ""}, {"A reinvite sdp", "reinvite:B+sdp"}, {"B 200 sdp", "modify"});
    CU_ASSERT_EQUAL(w.legs[0].flags, TL_LEG_RECV | TL_LEG_SEND);
    GO(&w, {"modified", "ack:B A=200+sdp"}, {"A ack", ""});
    // from the other side, with another address
    GO(&w, {"B reinvite moved", "reinvite:A+sdp"}, {"A 200 sdp", "modify"});
    CU_ASSERT_EQUAL(w.legs[1].rtp.port, 5000);
    CU_ASSERT_EQUAL(w.legs[1].rtp.ip[3], 99);
    GO(&w, {"modified", "ack:A B=200+sdp"}, {"B ack", ""}, {"A bye", "reply:A=200 bye:B del"},
       {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
}

static void test_refused_change(void)
{
    struct world w;
    UP(&w, 1);
    GO(&w, {"A reinvite g729", "A=488"}, {"A reinvite garbage", "A=400"},
       {"A reinvite hold", "reinvite:B+sdp"}, {"B 488", "A=488"});
    CU_ASSERT_EQUAL(w.call.state, CALL_UP);
    CU_ASSERT_EQUAL(w.call.side[0].neg.direction, SDP_SENDRECV); // as before
    // what B refused was seen all the same: the next offer has a new version
    char first[64], *o = strstr(w.body, "o=- ");
    CU_ASSERT_PTR_NOT_NULL_FATAL(o);
    snprintf(first, sizeof first, "%.*s", (int)strcspn(o, "I"), o);
    GO(&w, {"A reinvite moved", "reinvite:B+sdp"});
    CU_ASSERT_PTR_NULL(strstr(w.body, first));
    // glare: B's own offer meets ours; ours is answered 491, and that goes to A, who tries again
    GO(&w, {"B reinvite sdp", "B=491"}, {"B 491", "A=491"}, {"A reinvite moved", "reinvite:B+sdp"},
       {"B 200 sdp", "modify"}, {"B reinvite sdp", "B=491"}, {"modified", "ack:B A=200+sdp"},
       {"A reinvite sdp", "A=491"}, {"A ack", ""});
    // the dialog is gone on the far side
    GO(&w, {"A reinvite hold", "reinvite:B+sdp"}, {"B 481", "A=481 bye:A bye:B del"}, {"A byedone", ""},
       {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
    UP(&w, 1);
    GO(&w, {"A reinvite hold", "reinvite:B+sdp"}, {"B timeout", "A=408 bye:A bye:B del"}, {"A byedone", ""},
       {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
    // one that cannot be sent leaves the call as it was, and so does an answer that nobody can use: B is asked to go back
    UP(&w, 1);
    GO(&w, {"A reinvite hold", "reinvite:B+sdp"}, {"B unreachable", "A=503"},
       {"A reinvite hold", "reinvite:B+sdp"}, {"B 200 g729", "ack:B A=488 reinvite:B+sdp"},
       {"B 200 sdp", "modify"}, {"modified", "ack:B"}, {"A reinvite hold", "reinvite:B+sdp"},
       {"B 200 g729", "ack:B A=488 reinvite:B+sdp"}, {"B 200 g729", "ack:B"},
       {"A bye", "reply:A=200 bye:B del"}, {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
}

static void test_change_and_end(void)
{
    struct world w;
    // each hangs up in the middle of a change
    UP(&w, 1);
    GO(&w, {"A reinvite hold", "reinvite:B+sdp"}, {"A bye", "reply:A=200 A=487 abandon:B bye:B del"},
       {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
    UP(&w, 1);
    GO(&w, {"A reinvite hold", "reinvite:B+sdp"}, {"B bye", "reply:B=200 A=487 bye:A abandon:B del"},
       {"A byedone", ""}, {"deleted", "end"});
    finish(&w);
    UP(&w, 1);
    GO(&w, {"A reinvite hold", "reinvite:B+sdp"}, {"B 200 held", "modify"},
       {"modified -2", "A=500 bye:A ack:B bye:B del"}, {"A byedone", ""}, {"B byedone", ""},
       {"deleted", "end"});
    finish(&w);
    // no ACK to the 2xx of a change
    UP(&w, 1);
    GO(&w, {"A reinvite hold", "reinvite:B+sdp"}, {"B 200 held", "modify"}, {"modified", "ack:B A=200+sdp"},
       {"A noack", "bye:A bye:B del"}, {"A byedone", ""}, {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
}

static void test_cancelled_change(void)
{
    struct world w;
    UP(&w, 1);
    GO(&w, {"A reinvite hold", "reinvite:B+sdp"}, {"A cancel", "A=487 cancel:B"}, {"B 487", ""},
       {"A reinvite hold", "reinvite:B+sdp"}, {"A cancel", "A=487 cancel:B"});
    // the 2xx was faster: B has taken the hold, A has not; the media follows both, and B is asked to go back
    GO(&w, {"B 200 held", "modify"});
    CU_ASSERT_EQUAL(w.legs[0].flags, TL_LEG_RECV);
    GO(&w, {"modified", "ack:B reinvite:B+sdp"});
    CU_ASSERT_PTR_NOT_NULL(strstr(w.body, "a=sendrecv"));
    GO(&w, {"A reinvite hold", "A=491"}, {"B 200 sdp", "modify"});
    CU_ASSERT_EQUAL(w.legs[0].flags, TL_LEG_RECV | TL_LEG_SEND);
    GO(&w, {"modified", "ack:B"}, {"A reinvite hold", "reinvite:B+sdp"}, {"B 200 held", "modify"},
       {"modified", "ack:B A=200+sdp"}, {"A ack", ""}, {"A bye", "reply:A=200 bye:B del"}, {"deleted", ""},
       {"B byedone", "end"});
    finish(&w);
    // B may refuse to go back: the call goes on
    UP(&w, 1);
    GO(&w, {"A reinvite hold", "reinvite:B+sdp"}, {"A cancel", "A=487 cancel:B"}, {"B 200 held", "modify"},
       {"modified", "ack:B reinvite:B+sdp"}, {"B 488", ""}, {"A reinvite moved", "reinvite:B+sdp"},
       {"B 200 sdp", "modify"}, {"modified", "ack:B A=200+sdp"}, {"A ack", ""},
       {"A bye", "reply:A=200 bye:B del"}, {"deleted", ""}, {"B byedone", "end"});
    finish(&w);
    // the withdrawn INVITE had no offer, so B's 2xx has one: its ACK answers with what A has said before
    UP(&w, 1);
    GO(&w, {"A reinvite", "reinvite:B"}, {"A cancel", "A=487 cancel:B"}, {"B 200 moved", "ack:B+sdp modify"});
    CU_ASSERT_PTR_NOT_NULL(strstr(w.body, "m=audio 30000 RTP/AVP "));
    CU_ASSERT_EQUAL(w.legs[1].rtp.port, 5000);
    GO(&w, {"modified", ""}, {"A bye", "reply:A=200 bye:B del"}, {"deleted", ""}, {"B byedone", "end"});
    finish(&w);
}

// B has agreed and the dataplane is at work when A's CANCEL comes: too late, or the sides would disagree.
static void test_cancel_too_late(void)
{
    struct world w;
    UP(&w, 1);
    GO(&w, {"A reinvite hold", "reinvite:B+sdp"}, {"B 200 held", "modify"}, {"A cancel", ""},
       {"modified", "ack:B A=200+sdp"}, {"A ack", ""}, {"A bye", "reply:A=200 bye:B del"}, {"deleted", ""},
       {"B byedone", "end"});
    finish(&w);
    // nor does it keep a dataplane's refusal from A
    UP(&w, 1);
    GO(&w, {"B reinvite hold", "reinvite:A+sdp"}, {"A 200 held", "modify"}, {"B cancel", ""},
       {"modified -22", "B=500 ack:A bye:A bye:B del"}, {"A byedone", ""}, {"B byedone", ""},
       {"deleted", "end"});
    finish(&w);
}

// An INVITE without an offer while the call is up goes through as such: the other side makes the offer.
static void test_late_change(void)
{
    struct world w;
    UP(&w, 1);
    GO(&w, {"A reinvite", "reinvite:B"}, {"B 200 moved", "A=200+sdp"});
    CU_ASSERT_PTR_NOT_NULL(strstr(w.body, "m=audio 20000 "));
    GO(&w, {"A ack sdp", "ack:B+sdp modify"});
    CU_ASSERT_PTR_NOT_NULL(strstr(w.body, "m=audio 30000 "));
    CU_ASSERT_EQUAL(w.legs[1].rtp.port, 5000);
    GO(&w, {"modified", ""});
    CU_ASSERT_EQUAL(w.call.side[1].neg.rtp.port, 5000);
    CU_ASSERT_PTR_NULL(w.call.x);
    GO(&w, {"A bye", "reply:A=200 bye:B del"}, {"deleted", ""}, {"B byedone", "end"});
    finish(&w);
    UP(&w, 1);
    GO(&w, {"B reinvite", "reinvite:A"}, {"A 200 sdp", "B=200+sdp"}, {"B noack", "ack:A bye:A bye:B del"},
       {"A byedone", ""}, {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
    UP(&w, 1);
    GO(&w, {"B reinvite", "reinvite:A"}, {"A 200 sdp", "B=200+sdp"}, {"B ack g729", "ack:A bye:A bye:B del"},
       {"A byedone", ""}, {"B byedone", ""}, {"deleted", "end"});
    finish(&w);
}

// What is no record of a call, or one of trunks that are gone, is refused and leaves nothing behind.
static void test_bad_records(void)
{
    static char text[65536];
    struct world w;
    struct record_writer writer;
    struct record r;
    struct call copy;
    UP(&w, 2);
    GO(&w, {"A reinvite hold", "reinvite:B+sdp"});
    record_writer_init(&writer, text, sizeof text);
    call_save(&writer, &w.call);
    int len = record_finish(&writer);
    CU_ASSERT_FATAL(len > 0);
    unsigned seed = 3264, taken = 0;
    for (int round = 0; round < 2000; round++) { // a byte changed: taken or refused, never worse
        size_t at = (size_t)rand_r(&seed) % (size_t)len;
        char before = text[at];
        text[at] = (char)(32 + rand_r(&seed) % 95);
        if (record_open(&r, text, (size_t)len, "call") == 0 && call_load(&copy, &env, &r) == 0) {
            taken++;
            call_fini(&copy);
        }
        text[at] = before;
    }
    CU_ASSERT_TRUE(taken > 0 && taken < 2000);
    CU_ASSERT_EQUAL_FATAL(record_open(&r, text, (size_t)len, "call"), 0);
    strcpy(config->trunks[1].name, "gone");
    CU_ASSERT_EQUAL(call_load(&copy, &env, &r), -ENOENT);
    strcpy(config->trunks[1].name, "trunk1");
    GO(&w, {"hangup", "A=487 bye:A abandon:B bye:B del"}, {"A byedone", ""}, {"B byedone", ""},
       {"deleted", "end"});
    finish(&w);
}

// Any event in any state of any call: no crash, no action after the end, every call can still be ended.
static void test_any_event(void)
{
    static const char *const lines[] = {"A invite sdp",
                                        "A invite",
                                        "added",
                                        "added -28",
                                        "modified",
                                        "modified -22",
                                        "deleted",
                                        "lost",
                                        "hangup",
                                        "A reinvite sdp",
                                        "B reinvite hold",
                                        "A reinvite",
                                        "B reinvite moved",
                                        "A cancel",
                                        "B cancel",
                                        "A ack",
                                        "A ack sdp",
                                        "B ack",
                                        "B ack sdp",
                                        "A bye",
                                        "B bye",
                                        "B 180",
                                        "B 183 sdp",
                                        "B 200 sdp",
                                        "B 200",
                                        "A 200 sdp",
                                        "A 200",
                                        "B 486",
                                        "B 503",
                                        "A 491",
                                        "B 481",
                                        "B timeout",
                                        "A timeout",
                                        "B unreachable",
                                        "A noack",
                                        "B noack",
                                        "A byedone",
                                        "B byedone",
                                        "wait 10000",
                                        "wait 180000"};
    unsigned seed = 3261;
    for (int round = 0; round < 3000; round++) {
        struct world w;
        begin(&w, 1 + (unsigned)round % 3);
        hear(&w, round % 5 ? "A invite sdp" : "A invite");
        for (int i = 0; i < 30 && !w.freed; i++) {
            w.out[0] = 0;
            // events that cannot happen because nothing asked for them are left out, as the daemon does
            const char *line = lines[2 + (unsigned)rand_r(&seed) % (sizeof lines / sizeof lines[0] - 2)];
            const struct call_side *a = &w.call.side[0], *b = &w.call.side[1];
            bool modified = strncmp(line, "modified", 8) == 0, added = strncmp(line, "added", 5) == 0;
            int status = line[2] >= '1' && line[2] <= '6' ? atoi(line + 2) : 0;
            bool answer = status || strstr(line, "timeout") || strstr(line, "unreachable");
            if ((modified && !w.call.modifying) || (added && !w.call.adding) ||
                (strcmp(line, "deleted") == 0 && !w.call.deleting) ||
                (answer && !(line[0] == 'A' ? a : b)->invite_out) ||
                (strstr(line, "byedone") && !(line[0] == 'A' ? a : b)->bye_out) ||
                (strstr(line, "reinvite") && (line[0] == 'A' ? a : b)->invite_in))
                continue;
            hear(&w, line);
        }
        static const char *const last[] = {"hangup",  "added -107", "modified -107", "deleted", "A noack",
                                           "B noack", "A byedone",  "B byedone",     "deleted"};
        for (size_t i = 0; i < sizeof last / sizeof last[0]; i++)
            hear(&w, last[i]);
        if (!w.freed)
            printf("round %d: left in %s\n", round, call_state_name(w.call.state));
        CU_ASSERT_TRUE_FATAL(w.freed);
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"answered", test_answered},
        {"refused", test_refused},
        {"fail-over", test_fail_over},
        {"realm of the second trunk", test_realm_of_second_trunk},
        {"early media", test_early_media},
        {"withdrawn", test_withdrawn},
        {"ACK", test_ack},
        {"both hang up", test_both_hang_up},
        {"trouble with the media", test_media_trouble},
        {"late offer", test_late_offer},
        {"hold, resume, new address", test_hold},
        {"refused change", test_refused_change},
        {"end in the middle of a change", test_change_and_end},
        {"cancelled change", test_cancelled_change},
        {"CANCEL that comes too late", test_cancel_too_late},
        {"change without an offer", test_late_change},
        {"bad records", test_bad_records},
        {"any event", test_any_event},
    };
    make_config();
    int rc = test_main("call", TEST_CASES(cases), argc, argv);
    free(config);
    return rc;
}
