// SPDX-License-Identifier: BSD-3-Clause
// SDP bodies: control/sdp/sdp.h, their a=crypto lines: control/sdp/sdes.h, and what a negotiation makes of them:
// control/sdp/negotiate.h. What was parsed lies inside the text; what was taken as a key can be written and read
// again; what we say of it can be read by us, can be said again, and the dataplane can take what is agreed.
#include <string.h>

#include "common/validate.h"
#include "control/sdp/negotiate.h"
#include "fuzz.h"

static void inside(struct sdp_str s, size_t len)
{
    FUZZ_MUST(s.off <= len && s.len <= len - s.off);
}

static void check_crypto(const char *text, size_t len)
{
    struct sdes_crypto c, again;
    char line[SDES_LINE_MAX];
    const char *why = NULL;

    if (sdes_parse(&c, text, len, &why) < 0) {
        FUZZ_MUST(why && *why);
        return;
    }
    FUZZ_MUST(tl_suite_info(c.suite) && c.mki_len <= TL_MKI_MAX && sdes_suite(text, len) == c.suite);
    int n = sdes_write(&c, line, sizeof line);
    FUZZ_MUST(n > 0 && sdes_parse(&again, line, (size_t)n, NULL) == 0 && memcmp(&c, &again, sizeof c) == 0);
}

static void check_media(const struct sdp_media *m, const char *text, size_t len)
{
    inside(m->kind, len);
    inside(m->proto_text, len);
    inside(m->fmt_text, len);
    FUZZ_MUST(m->format_count <= SDP_FORMAT_MAX && m->crypto_count <= SDP_CRYPTO_MAX);
    FUZZ_MUST(m->pass_count <= SDP_PASS_MAX && m->direction <= SDP_SENDRECV);
    FUZZ_MUST(m->addr.family == TL_AF_UNSET || m->addr.family == TL_AF_INET);
    for (unsigned i = 0; i < m->format_count; i++) {
        FUZZ_MUST(m->format[i].pt <= 127);
        inside(m->format[i].name, len);
        inside(m->format[i].fmtp, len);
    }
    for (unsigned i = 0; i < m->crypto_count; i++) {
        inside(m->crypto[i], len);
        check_crypto(text + m->crypto[i].off, m->crypto[i].len);
    }
    for (unsigned i = 0; i < m->pass_count; i++) {
        inside(m->pass[i], len);
        FUZZ_MUST(m->pass_kind[i] < TL_SDP_PASS_COUNT && m->audio);
        FUZZ_MUST(sdp_pass_harmless(m->pass_kind[i], text + m->pass[i].off, m->pass[i].len));
    }
}

static int counting(void *arg, void *out, size_t len)
{
    memset(out, ++*(uint8_t *)arg, len);
    return 0;
}

static const struct tl_trunk_config trunks[2] = {
    {.name = "a",
     .srtp = TL_SRTP_OPTIONAL,
     .suites = {TL_SUITE_AEAD_AES_128_GCM, TL_SUITE_AES_CM_128_HMAC_SHA1_80},
     .suite_count = 2,
     .mki = TL_MKI_MIRROR,
     .codecs = {TL_PCMA, TL_PCMU},
     .codec_count = 2,
     .rtcp_mux = true,
     .dtmf_pt = 101,
     .burst_ms = 1000,
     .hold = TL_HOLD_ZERO,
     .sdp_pass = {TL_SDP_PTIME, TL_SDP_LABEL, TL_SDP_B_AS},
     .sdp_pass_count = 3},
    {.name = "b",
     .srtp = TL_SRTP_OFF,
     .codecs = {TL_PCMU},
     .codec_count = 1,
     .dtmf_pt = 96,
     .burst_ms = 1000,
     .hold = TL_HOLD_INACTIVE,
     .sdp_pass = {TL_SDP_LANG, TL_SDP_CONTENT, TL_SDP_MAXPTIME},
     .sdp_pass_count = 3},
};

// What we say is SDP that we can read ourselves, without a line dropped.
static void check_said(const char *out, int len, unsigned media)
{
    static struct sdp said;
    FUZZ_MUST(len > 0 && len < NEG_BODY_MAX && out[len] == 0);
    FUZZ_MUST(sdp_parse(&said, out, (size_t)len, NULL) == 0 && said.media_count == media);
    FUZZ_MUST(said.odd[SDP_ODD_line] == 0 && said.odd[SDP_ODD_rtpmap] == 0 && said.odd[SDP_ODD_kept] == 0);
}

static void check_legs(const struct neg_leg *a, const struct neg_leg *b)
{
    struct tl_command c = {.op = TL_OP_MODIFY, .leg_mask = 3, .handle = {1, 0, 1}};
    uint16_t field = TL_FIELD_NONE;
    neg_fill(a, b, c.leg);
    FUZZ_MUST(tl_command_check(&c, &field) == 0);
}

// A leg that was saved and read back says the same.
static void check_saved(const struct neg_leg *leg, const char *out, int len)
{
    static struct tl_config config;
    static char record[NEG_SAVE_MAX + 64], again[NEG_BODY_MAX];
    struct record_writer w;
    struct record r;
    struct neg_leg loaded;
    config.trunk_count = 1;
    config.trunks[0] = trunks[0];
    record_writer_init(&w, record, sizeof record);
    record_begin(&w, "call", 1);
    neg_save(&w, "leg", leg);
    record_end(&w);
    int n = record_finish(&w);
    FUZZ_MUST(n > 0 && record_open(&r, record, (size_t)n, "call") == 0);
    FUZZ_MUST(neg_load(&loaded, &r, "leg", &config) == 0);
    FUZZ_MUST(neg_repeat_answer(&loaded, again) == len && memcmp(out, again, (size_t)len) == 0);
}

// The SDP as the offer of one side and as the answer of the other; and once more while the call is up.
static void check_negotiation(const struct sdp *sdp, const char *text)
{
    static char out[NEG_BODY_MAX], again[NEG_BODY_MAX];
    static struct neg_leg a, b;
    uint8_t count = 0;
    struct neg_random random = {counting, &count};
    neg_init(&a, &trunks[0], random);
    neg_init(&b, &trunks[1], random);
    a.local = (struct tl_addr){.family = TL_AF_INET, .port = 20000, .ip = {198, 51, 100, 1}};
    b.local = (struct tl_addr){.family = TL_AF_INET, .port = 30000, .ip = {198, 51, 100, 2}};
    for (int round = 0; round < 2; round++) {
        const char *why = NULL;
        if (neg_take_offer(&a, sdp, text, random, &why) < 0) {
            FUZZ_MUST(why && *why && neg_warn_code(why) >= 300);
            return;
        }
        FUZZ_MUST(neg_same_sdp(&a, sdp, text));
        int len = neg_make_offer(&b, &a, random, out);
        if (len < 0)
            return;
        check_said(out, len, b.line_count);
        if (neg_take_answer(&b, sdp, text, random, &why) < 0) {
            FUZZ_MUST(why && *why);
            return;
        }
        len = neg_make_answer(&a, &b, out);
        if (len < 0)
            return;
        check_said(out, len, sdp->media_count);
        FUZZ_MUST(neg_repeat_answer(&a, again) == len && memcmp(out, again, (size_t)len) == 0);
        check_legs(&a, &b);
        check_saved(&a, out, len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct sdp sdp;
    const char *why = NULL;
    char *text = fuzz_copy(data, len);

    if (sdp_parse(&sdp, text, len, &why) == 0) {
        inside(sdp.session_id, len);
        inside(sdp.version, len);
        FUZZ_MUST(sdp.media_count <= SDP_MEDIA_MAX);
        for (unsigned i = 0; i < sdp.media_count; i++)
            check_media(&sdp.media[i], text, len);
        check_negotiation(&sdp, text);
    } else {
        FUZZ_MUST(why && *why);
    }
    free(text);
    return 0;
}
