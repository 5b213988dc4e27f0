// SPDX-License-Identifier: BSD-3-Clause
// packet path: the engine by libIPSec_MB 1.3: its machine and its keys. The packets are in ipsecmb_rtp.c
// and ipsecmb_rtcp.c.
#include "dataplane/srtp/ipsecmb.h"

#include <errno.h>

// The widest code hashes a full set of lanes for little more than one packet; the SSE code with SHA-NI works
// on two. So what is left behind the full sets goes to the SSE code if it is at most `few`. Measured in one
// run on Sapphire Rapids, HMAC-SHA1 of 176 bytes, cycles per packet: SHA-NI 320 to 370 for any number;
// AVX-512 1,300 for 1, 357 for 6, 318 for 7, 176 for 16, 249 for 17. Split like this against AVX-512 alone:
// 0.28 for 1 packet, 0.91 for 6, 0.79 for 17, 0.94 for 20, 1.00 for 16 and 32. Against the eight lanes of AVX2, SHA-NI
// takes 0.75 to 0.8 for bursts of 16 and 64 (Zen 5, whole AES_CM packets): there it does all.
static struct mb_lanes lanes_of(uint32_t arch)
{
    switch (arch) {
    case IMB_ARCH_AVX512:
        return (struct mb_lanes){16, 6};
    case IMB_ARCH_AVX2:
        return (struct mb_lanes){MB_BATCH + 1, MB_BATCH};
    default:
        return (struct mb_lanes){4, 2};
    }
}

// ---- machine -----------------------------------------------------------------------------------------

static size_t round64(size_t n)
{
    return (n + 63) & ~(size_t)63;
}

// The context, and behind it two managers of the library: one allocation, wiped as one.
size_t mb_size(void)
{
    return round64(sizeof(struct mb_ctx)) + 2 * round64(imb_get_mb_mgr_size());
}

static const char *mb_name(const IMB_MGR *mgr)
{
    switch ((IMB_ARCH)mgr->used_arch) {
    case IMB_ARCH_SSE:
        return "ipsec_mb sse";
    case IMB_ARCH_AVX:
        return "ipsec_mb avx";
    case IMB_ARCH_AVX2:
        return "ipsec_mb avx2";
    case IMB_ARCH_AVX512:
        return "ipsec_mb avx512";
    default:
        return "ipsec_mb";
    }
}

// Sets a manager up for an engine; false where the CPU lacks what that needs.
static bool manager(IMB_MGR *mgr, enum srtp_engine engine)
{
    uint64_t need = IMB_CPUFLAGS_SSE;
    void (*init)(IMB_MGR *) = init_mb_mgr_sse;

    switch (engine) {
    case SRTP_ENGINE_IPSECMB_AVX2:
        need = IMB_CPUFLAGS_AVX2;
        init = init_mb_mgr_avx2;
        break;
    case SRTP_ENGINE_IPSECMB_AVX:
        need = IMB_CPUFLAGS_AVX;
        init = init_mb_mgr_avx;
        break;
    case SRTP_ENGINE_IPSECMB:
        init = NULL;
        break;
    default:
        break;
    }
    if (!imb_set_pointers_mb_mgr(mgr, engine == SRTP_ENGINE_IPSECMB_SSE_NO_SHANI ? IMB_FLAG_SHANI_OFF : 0, 1))
        return false;
    if ((mgr->features & need) != need)
        return false;
    if (init)
        init(mgr);
    else
        init_mb_mgr_auto(mgr, NULL);
    return imb_get_errno(mgr) == 0;
}

static void init_jobs(struct mb_ctx *x)
{
    for (unsigned i = 0; i < MB_BATCH; i++) {
        for (unsigned aes = 0; aes < MB_AES_SIZES; aes++)
            x->cipher[aes][i] = (IMB_JOB){
                .cipher_mode = IMB_CIPHER_CNTR,
                .cipher_direction = IMB_DIR_ENCRYPT,
                .hash_alg = IMB_AUTH_NULL,
                .chain_order = IMB_ORDER_CIPHER_HASH,
                .key_len_in_bytes = aes == MB_AES_256 ? IMB_KEY_256_BYTES : IMB_KEY_128_BYTES,
                .iv_len_in_bytes = 16,
            };
        x->hash[i] = (IMB_JOB){
            .cipher_mode = IMB_CIPHER_NULL,
            .cipher_direction = IMB_DIR_ENCRYPT,
            .hash_alg = IMB_AUTH_HMAC_SHA_1,
            .chain_order = IMB_ORDER_HASH_CIPHER,
            .auth_tag_output_len_in_bytes = SRTP_CM_TAG_ROOM,
        };
    }
}

int mb_init(struct srtp_ctx *base, enum srtp_engine engine)
{
    struct mb_ctx *x = mb(base);
    uint8_t *behind = (uint8_t *)x + round64(sizeof *x);
    x->wide = (IMB_MGR *)(void *)behind;
    x->few = (IMB_MGR *)(void *)(behind + round64(imb_get_mb_mgr_size()));
    if (!manager(x->wide, engine))
        return -ENOTSUP;
    // Without SHA-NI nothing is won by a second manager. The other engines are for tests of just that code.
    if (engine != SRTP_ENGINE_IPSECMB || !(x->wide->features & IMB_FEATURE_SHANI) ||
        !manager(x->few, SRTP_ENGINE_IPSECMB_SSE))
        x->few = NULL;
    x->lanes = lanes_of(x->wide->used_arch);
    base->name = mb_name(x->wide);

    x->seal[MB_AES_128] = x->wide->gcm128_enc;
    x->seal[MB_AES_256] = x->wide->gcm256_enc;
    x->open[MB_AES_128] = x->wide->gcm128_dec;
    x->open[MB_AES_256] = x->wide->gcm256_dec;
    init_jobs(x);
    return 0;
}

void mb_fini(struct srtp_ctx *base)
{
    (void)base; // no memory of its own, and srtp_ctx_free wipes all of it
}

// ---- keys --------------------------------------------------------------------------------------------

void mb_hmac_states(IMB_MGR *mgr, const uint8_t key[20], uint8_t inner[20], uint8_t outer[20])
{
    alignas(16) uint8_t block[64];
    memset(block, 0x36, sizeof block);
    for (unsigned i = 0; i < 20; i++)
        block[i] ^= key[i];
    IMB_SHA1_ONE_BLOCK(mgr, block, inner);
    for (unsigned i = 0; i < sizeof block; i++)
        block[i] ^= 0x36 ^ 0x5c;
    IMB_SHA1_ONE_BLOCK(mgr, block, outer);
    explicit_bzero(block, sizeof block);
}

int mb_key_init(struct srtp_ctx *base, struct srtp_key *key, const struct srtp_session_keys *keys)
{
    struct mb_ctx *x = mb(base);
    enum mb_aes aes = mb_aes(key);
    if (srtp_suite_is_gcm(key->suite)) {
        struct gcm_key_data *data = (void *)((struct srtp_key_gcm *)(void *)key)->data;
        if (aes == MB_AES_256)
            IMB_AES256_GCM_PRE(x->wide, keys->rtp.key, data);
        else
            IMB_AES128_GCM_PRE(x->wide, keys->rtp.key, data);
    } else {
        struct srtp_key_cm *cm = (struct srtp_key_cm *)(void *)key;
        if (aes == MB_AES_256)
            IMB_AES_KEYEXP_256(x->wide, keys->rtp.key, cm->enc, x->scratch.dec);
        else
            IMB_AES_KEYEXP_128(x->wide, keys->rtp.key, cm->enc, x->scratch.dec);
        mb_hmac_states(x->wide, keys->rtp.auth, cm->inner, cm->outer);
        explicit_bzero(x->scratch.dec, sizeof x->scratch.dec);
    }
    return imb_get_errno(x->wide) == 0 ? 0 : -EIO;
}

const struct srtp_engine_table srtp_engine_ipsecmb = {
    .cm_lines = SRTP_LINES_CM,
    .gcm_lines = SRTP_LINES_GCM,
    .size = mb_size,
    .init = mb_init,
    .fini = mb_fini,
    .key_init = mb_key_init,
    .protect = mb_protect,
    .unprotect = mb_unprotect,
    .rtcp_protect = mb_rtcp_protect,
    .rtcp_unprotect = mb_rtcp_unprotect,
};
