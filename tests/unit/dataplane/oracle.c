// SPDX-License-Identifier: BSD-3-Clause
#include "oracle.h"

#include <srtp2/srtp.h>
#include <stdlib.h>
#include <string.h>

struct oracle {
    srtp_t session;
    srtp_t rtcp; // NULL: `session` does SRTCP as well
    uint32_t ssrc;
    bool mki;
};

static void stop(void)
{
    srtp_shutdown();
}

// libsrtp2 tests itself when it is started, which takes a while: once for all.
static bool start(void)
{
    static bool started;
    if (!started && srtp_init() == srtp_err_status_ok)
        started = atexit(stop) == 0;
    return started;
}

static void set_policy(srtp_policy_t *policy, enum tl_suite suite)
{
    srtp_crypto_policy_t *rtp = &policy->rtp, *rtcp = &policy->rtcp;
    switch (suite) {
    case TL_SUITE_AEAD_AES_128_GCM:
        srtp_crypto_policy_set_aes_gcm_128_16_auth(rtp);
        srtp_crypto_policy_set_aes_gcm_128_16_auth(rtcp);
        break;
    case TL_SUITE_AEAD_AES_256_GCM:
        srtp_crypto_policy_set_aes_gcm_256_16_auth(rtp);
        srtp_crypto_policy_set_aes_gcm_256_16_auth(rtcp);
        break;
    case TL_SUITE_AES_256_CM_HMAC_SHA1_80:
    case TL_SUITE_AES_256_CM_HMAC_SHA1_32:
        srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(rtcp);
        if (suite == TL_SUITE_AES_256_CM_HMAC_SHA1_80)
            srtp_crypto_policy_set_aes_cm_256_hmac_sha1_80(rtp);
        else
            srtp_crypto_policy_set_aes_cm_256_hmac_sha1_32(rtp);
        break;
    default:
        srtp_crypto_policy_set_rtcp_default(rtcp);
        if (suite == TL_SUITE_AES_CM_128_HMAC_SHA1_80)
            srtp_crypto_policy_set_rtp_default(rtp);
        else
            srtp_crypto_policy_set_aes_cm_128_hmac_sha1_32(rtp);
        break;
    }
}

// A libsrtp2 session with the keys of `crypto`, or NULL.
static srtp_t session_new(const struct tl_crypto *crypto, enum tl_suite suite, uint32_t ssrc, uint32_t roc)
{
    const struct tl_suite_info *info = tl_suite_info(suite);
    uint8_t key[TL_KEY_MAX + TL_SALT_MAX], mki[TL_MKI_MAX];
    memcpy(key, crypto->key, info->key_len);
    memcpy(key + info->key_len, crypto->salt, info->salt_len);
    memcpy(mki, crypto->mki, sizeof mki);
    srtp_master_key_t master = {.key = key, .mki_id = mki, .mki_size = crypto->mki_len}, *masters = &master;
    srtp_policy_t policy = {.ssrc = {ssrc_specific, ssrc}, .key = key, .window_size = 128};
    if (crypto->mki_len) {
        policy.key = NULL; // goes before `keys`, and has no MKI
        policy.keys = &masters;
        policy.num_master_keys = 1;
    }
    set_policy(&policy, suite);
    srtp_t session = NULL;
    if (srtp_create(&session, &policy) != srtp_err_status_ok)
        return NULL;
    if (roc == 0 || srtp_set_stream_roc(session, ssrc, roc) == srtp_err_status_ok)
        return session;
    srtp_dealloc(session);
    return NULL;
}

// libsrtp2 2.5 looks for the MKI of SRTCP as if its tag were as short as that of SRTP. The suite with the
// long tag has the same keys, so SRTCP goes by that.
static bool reads_rtcp(const struct tl_crypto *crypto)
{
    const struct tl_suite_info *info = tl_suite_info(crypto->suite);
    return !crypto->mki_len || info->rtp_tag == info->rtcp_tag;
}

struct oracle *oracle_new(const struct tl_crypto *crypto, uint32_t ssrc, uint32_t roc)
{
    struct oracle *o = calloc(1, sizeof *o);
    if (!o || !tl_suite_info(crypto->suite) || !start()) {
        free(o);
        return NULL;
    }
    o->ssrc = ssrc;
    o->mki = crypto->mki_len > 0;
    o->session = session_new(crypto, crypto->suite, ssrc, roc);
    if (!reads_rtcp(crypto)) {
        enum tl_suite twin = crypto->suite == TL_SUITE_AES_CM_128_HMAC_SHA1_32
                                 ? TL_SUITE_AES_CM_128_HMAC_SHA1_80
                                 : TL_SUITE_AES_256_CM_HMAC_SHA1_80;
        o->rtcp = session_new(crypto, twin, ssrc, 0);
    }
    if (o->session && (reads_rtcp(crypto) || o->rtcp))
        return o;
    oracle_free(o);
    return NULL;
}

void oracle_free(struct oracle *o)
{
    if (!o)
        return;
    if (o->session)
        srtp_dealloc(o->session);
    if (o->rtcp)
        srtp_dealloc(o->rtcp);
    free(o);
}

bool oracle_protect(struct oracle *o, uint8_t *pkt, int *len)
{
    return srtp_protect_mki(o->session, pkt, len, o->mki, 0) == srtp_err_status_ok;
}

bool oracle_unprotect(struct oracle *o, uint8_t *pkt, int *len)
{
    return srtp_unprotect_mki(o->session, pkt, len, o->mki) == srtp_err_status_ok;
}

bool oracle_protect_rtcp(struct oracle *o, uint8_t *pkt, int *len)
{
    return srtp_protect_rtcp_mki(o->rtcp ? o->rtcp : o->session, pkt, len, o->mki, 0) == srtp_err_status_ok;
}

bool oracle_unprotect_rtcp(struct oracle *o, uint8_t *pkt, int *len)
{
    return srtp_unprotect_rtcp_mki(o->rtcp ? o->rtcp : o->session, pkt, len, o->mki) == srtp_err_status_ok;
}

uint32_t oracle_roc(const struct oracle *o)
{
    uint32_t roc = 0;
    return srtp_get_stream_roc(o->session, o->ssrc, &roc) == srtp_err_status_ok ? roc : UINT32_MAX;
}
