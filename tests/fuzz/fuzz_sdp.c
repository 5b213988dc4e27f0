// SPDX-License-Identifier: BSD-3-Clause
// SDP bodies: control/sdp.h, and their a=crypto lines: control/sdes.h. What was parsed lies inside the text;
// what was taken as a key can be written and read again.
#include <string.h>

#include "control/sdp/sdes.h"
#include "control/sdp/sdp.h"
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
    for (unsigned i = 0; i < m->pass_count; i++)
        inside(m->pass[i], len);
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
    } else {
        FUZZ_MUST(why && *why);
    }
    free(text);
    return 0;
}
