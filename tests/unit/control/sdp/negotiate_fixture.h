// SPDX-License-Identifier: BSD-3-Clause
// A negotiation under test: trunks, two legs, and the steps of an exchange.
#pragma once

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/validate.h"
#include "control/sdp/negotiate.h"
#include "runner.h"
#include "sdp_samples.h"

static uint8_t counter;

static inline int counting(void *arg, void *out, size_t len)
{
    uint8_t *next = arg;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = (*next)++;
    return 0;
}

static const struct neg_random test_random = {counting, &counter};

// Whatever may pass.
#define PASS                                                                                                 \
    .sdp_pass = {TL_SDP_PTIME, TL_SDP_MAXPTIME, TL_SDP_SILENCESUPP, TL_SDP_ECAN, TL_SDP_CONTENT,             \
                 TL_SDP_LANG,  TL_SDP_B_AS,     TL_SDP_B_TIAS,      TL_SDP_B_RS, TL_SDP_B_RR},               \
    .sdp_pass_count = 10
#define A_FIRST .codecs = {TL_PCMA, TL_PCMU}, .codec_count = 2, .burst_ms = 1000, PASS
#define U_FIRST .codecs = {TL_PCMU, TL_PCMA}, .codec_count = 2, .burst_ms = 1000, PASS

static const struct tl_trunk_config plain = {.name = "plain", .srtp = TL_SRTP_OFF, .dtmf_pt = 101, A_FIRST};
static const struct tl_trunk_config plain96 = {
    .name = "plain96", .srtp = TL_SRTP_OFF, .dtmf_pt = 96, .rtcp_mux = true, U_FIRST};
static const struct tl_trunk_config secure = {
    .name = "secure",
    .srtp = TL_SRTP_REQUIRED,
    .suites = {TL_SUITE_AEAD_AES_128_GCM, TL_SUITE_AES_CM_128_HMAC_SHA1_80},
    .suite_count = 2,
    .dtmf_pt = 101,
    U_FIRST};
static const struct tl_trunk_config maybe = {.name = "maybe",
                                             .srtp = TL_SRTP_OPTIONAL,
                                             .suites = {TL_SUITE_AES_CM_128_HMAC_SHA1_80},
                                             .suite_count = 1,
                                             .mki = TL_MKI_MIRROR,
                                             .dtmf_pt = 101,
                                             .rtcp_mux = true,
                                             U_FIRST};

// A call under test: two legs, the SDP written last.
struct pair {
    struct neg_leg a, b;
    char out[NEG_BODY_MAX];
    struct tl_leg leg[2];
    const char *why;
};

static inline void begin(struct pair *p, const struct tl_trunk_config *ta, const struct tl_trunk_config *tb)
{
    memset(p, 0, sizeof *p);
    counter = 1;
    CU_ASSERT_EQUAL_FATAL(neg_init(&p->a, ta, test_random), 0);
    CU_ASSERT_EQUAL_FATAL(neg_init(&p->b, tb, test_random), 0);
    p->a.local = (struct tl_addr){.family = TL_AF_INET, .port = 20000, .ip = {198, 51, 100, 1}};
    p->b.local = (struct tl_addr){.family = TL_AF_INET, .port = 30000, .ip = {198, 51, 100, 2}};
}

static inline int take_offer(struct pair *p, struct neg_leg *leg, const char *text)
{
    struct sdp s;
    CU_ASSERT_EQUAL_FATAL(sdp_parse(&s, text, strlen(text), NULL), 0);
    return neg_take_offer(leg, &s, text, test_random, &p->why);
}

static inline int take_answer(struct pair *p, struct neg_leg *leg, const char *text)
{
    struct sdp s;
    CU_ASSERT_EQUAL_FATAL(sdp_parse(&s, text, strlen(text), NULL), 0);
    return neg_take_answer(leg, &s, text, test_random, &p->why);
}

static inline bool says(const struct pair *p, const char *line)
{
    bool found = strstr(p->out, line) != NULL;
    if (!found)
        printf("no \"%s\" in\n%s", line, p->out);
    return found;
}

// The whole exchange; every step has to go well.
static inline void exchange(struct pair *p, struct neg_leg *a, struct neg_leg *b, const char *offer,
                            const char *answer)
{
    CU_ASSERT_EQUAL_FATAL(take_offer(p, a, offer), 0);
    CU_ASSERT_TRUE_FATAL(neg_make_offer(b, a, test_random, p->out) > 0);
    CU_ASSERT_EQUAL_FATAL(take_answer(p, b, answer), 0);
    CU_ASSERT_TRUE_FATAL(neg_make_answer(a, b, p->out) > 0);
    neg_fill(&p->a, &p->b, p->leg);
}

static inline int pt_of(const struct tl_leg *leg, int in)
{
    for (unsigned i = 0; i < leg->pt_count; i++)
        if (leg->pt_in[i] == in)
            return leg->pt_out[i];
    return -1;
}

#define ANSWER_PCMA_96                                                                                       \
    "v=0\r\no=- 1 1 IN IP4 203.0.113.5\r\ns=-\r\nc=IN IP4 203.0.113.5\r\nt=0 0\r\n"                          \
    "m=audio 40000 RTP/AVP 8 96\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:96 telephone-event/8000\r\n"

// Whatever is agreed, the dataplane must be able to take it: its own check says so.
static inline bool fits_contract(const struct pair *p)
{
    struct tl_command c = {.op = TL_OP_MODIFY, .leg_mask = 3, .handle = {1, 0, 1}};
    uint16_t field = TL_FIELD_NONE;
    memcpy(c.leg, p->leg, sizeof c.leg);
    int rc = tl_command_check(&c, &field);
    if (rc < 0)
        printf("field %u\n", field);
    return rc == 0;
}
