// SPDX-License-Identifier: BSD-3-Clause
#include "tests/unit/control/call/call_script.h"

#include "control/base/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/control/sdp/sdp_samples.h"

struct tl_config *config;
struct call_env env;
static uint8_t counter;

static int counting(void *arg, void *out, size_t len)
{
    uint8_t *next = arg;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = (*next)++;
    return 0;
}

void make_config(void)
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
        config->trunks[t].update = true;
        config->trunks[t].codecs[0] = TL_PCMU;
        config->trunks[t].codecs[1] = TL_PCMA;
        config->trunks[t].codec_count = 2;
        config->trunks[t].burst_ms = 1000;
        config->trunks[t].no_response_ms = 10000;
        config->trunks[t].silence_ms = 30000;
        config->trunks[t].failover_after_progress = true;
        for (unsigned what = 400; what < TL_FAILOVER_END; what++)
            if (what == 408 || what == 503 || what == 504 || what > TL_FAILOVER_LAST)
                tl_failover_add(&config->trunks[t].failover, what);
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
        if (a->flags & CALL_RELIABLE)
            strcat(text, "!");
        if (a->dialog)
            snprintf(text + strlen(text), sizeof text - strlen(text), "#%u", a->dialog);
        say(w, text, a);
        break;
    case CALL_DO_REPLY:
    case CALL_DO_REPLY_UPDATE:
    case CALL_DO_REPLY_PRACK:
        snprintf(text, sizeof text, "%s:%c=%d",
                 a->type == CALL_DO_REPLY          ? "reply"
                 : a->type == CALL_DO_REPLY_UPDATE ? "update"
                                                   : "prack",
                 side_name[a->side], a->status);
        say(w, text, a);
        break;
    case CALL_DO_TIMER:
        w->due[a->timer] = a->ms ? w->now + a->ms : 0;
        break;
    case CALL_DO_END:
        say(w, "end", a);
        break;
    default: {
        static const char *const names[CALL_DO_COUNT] = {
            [CALL_DO_REINVITE] = "reinvite", [CALL_DO_UPDATE] = "send-update", [CALL_DO_ACK] = "ack",
            [CALL_DO_CANCEL] = "cancel",     [CALL_DO_ABANDON] = "abandon",    [CALL_DO_BYE] = "bye",
            [CALL_DO_JOINED] = "joined"};
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
    {"full", CALL_EV_FULL},
    {"noack", CALL_EV_NO_ACK},
    {"byedone", CALL_EV_BYE_DONE},
    {"added", CALL_EV_ADDED},
    {"modified", CALL_EV_MODIFIED},
    {"deleted", CALL_EV_DELETED},
    {"lost", CALL_EV_MEDIA_LOST},
    {"hangup", CALL_EV_HANGUP},
    {"dead", CALL_EV_DEAD},
    {"update", CALL_EV_UPDATE},
    {"updated", CALL_EV_UPDATED},
    {"prack", CALL_EV_PRACK},
    {"noprack", CALL_EV_NO_PRACK},
};

static struct tl_addr media(uint16_t port)
{
    return (struct tl_addr){.family = TL_AF_INET, .port = port, .ip = {198, 51, 100, 1}};
}

// One line of a script.
void hear(struct world *w, const char *line)
{
    char copy[100], *word[3] = {0};
    unsigned n = 0;
    struct call_facts facts = {0};
    struct call_event e = {.local = {media(20000), media(30000)}};
    snprintf(copy, sizeof copy, "%s", line);
    char *rest, *t = strtok_r(copy, " ", &rest);
    if ((t[0] == 'A' || t[0] == 'B') && (!t[1] || t[1] == '#')) { // "B#2": its second dialog
        e.side = t[0] == 'B';
        e.dialog = t[1] ? (uint8_t)atoi(t + 2) : 0;
        t = strtok_r(NULL, " ", &rest);
    }
    for (; t && n < 3; t = strtok_r(NULL, " ", &rest))
        if (strcmp(t, "100rel") == 0)
            facts.supported |= CALL_OPTION_100REL;
        else if (strcmp(t, "reliable") == 0)
            facts.reliable = true;
        else if (strcmp(t, "allow") == 0)
            facts.allow_known = true, facts.allow = CALL_METHOD_UPDATE | CALL_METHOD_PRACK;
        else
            word[n++] = t;
    e.facts = &facts;
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
    if (e.type == CALL_EV_UPDATED && word[1]) { // "updated 200 sdp"
        e.status = atoi(word[1]);
        word[1] = word[2];
    }
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

// A route over trunks 1, 2 (one realm) and 3 (another) for calls of trunk 0.
void begin(struct world *w, unsigned trunks)
{
    static const struct call_target route[] = {{.trunk = 1}, {.trunk = 2}, {.trunk = 3}};
    memset(w, 0, sizeof *w);
    counter = 1;
    CU_ASSERT_EQUAL_FATAL(call_init(&w->call, &env, 0, route, trunks), 0);
}

void play(struct world *w, const struct line *script, size_t lines)
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

void finish(struct world *w)
{
    CU_ASSERT_TRUE(w->freed);
    if (!w->freed)
        call_fini(&w->call);
}
