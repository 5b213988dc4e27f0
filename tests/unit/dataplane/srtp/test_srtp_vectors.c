// SPDX-License-Identifier: BSD-3-Clause
// Published vectors against every engine: RFC 3711 appendix B, RFC 6188 section 7, RFC 7714 sections 16
// and 17, the GCM specification's test cases that NIST has taken over, RFC 2202. Each alone, and in a burst that an
// engine computes side by side.
#include <stdlib.h>
#include <string.h>

#include "dataplane/srtp/engine.h"
#include "dataplane/srtp/kdf.h"
#include "dataplane/srtp/srtp.h"
#include "runner.h"
#include "srtp_testing.h"

enum { BURST = 19 }; // a set of lanes, and some packets left over

// The same packet n times, in buffers of its length and some room.
struct burst {
    unsigned n;
    uint8_t bytes[BURST][128];
    struct srtp_op op[BURST];
};

static void burst_of(struct burst *b, unsigned n, const struct srtp_op *op, const uint8_t *bytes)
{
    b->n = n;
    for (unsigned i = 0; i < n; i++) {
        memcpy(b->bytes[i], bytes, op->len);
        b->op[i] = *op;
        b->op[i].pkt = b->bytes[i];
    }
}

static void burst_is(const struct burst *b, const uint8_t *expected, size_t len)
{
    for (unsigned i = 0; i < b->n; i++)
        CU_ASSERT(b->op[i].status == SRTP_OK && b->op[i].len == len &&
                  memcmp(b->bytes[i], expected, len) == 0);
}

// A key object from session keys, which is what the vectors give; srtp_key_init would derive others.
static struct srtp_key *key_of_session(struct srtp_ctx *ctx, enum tl_suite suite,
                                       const struct srtp_session_key *k)
{
    struct srtp_key *key = aligned_alloc(SRTP_KEY_ALIGN, srtp_key_size(suite));
    CU_ASSERT_FATAL(key != NULL);
    struct srtp_session_keys keys = {.rtp = *k, .rtcp = *k};
    struct tl_crypto crypto = {.suite = suite};
    CU_ASSERT_FATAL(srtp_key_build(ctx, key, &crypto, &keys) == 0);
    return key;
}

static struct srtp_session_key session_key(const char *key, const char *auth, const char *salt)
{
    struct srtp_session_key k = {0};
    unhex(key, k.key, sizeof k.key);
    unhex(auth, k.auth, sizeof k.auth);
    unhex(salt, k.salt, sizeof k.salt);
    return k;
}

// RFC 3711 B.2 and RFC 6188 7.1: SSRC, ROC and sequence number are 0, so the first counter is the salt.
static const struct {
    enum tl_suite suite;
    const char *key, *stream;
} keystreams[] = {
    {TL_SUITE_AES_CM_128_HMAC_SHA1_80, "2B7E151628AED2A6ABF7158809CF4F3C",
     "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0"},
    {TL_SUITE_AES_256_CM_HMAC_SHA1_80, "57f82fe3613fd170a85ec93c40b1f092 2ec4cb0dc025b58272147cc438944a98",
     "92bdd28a93c3f52511c677d08b5515a4 9da71b2378a854f67050756ded165bac 63c4868b7096d88421b563b8c94c9a31"},
};

static void aes_cm_on(struct srtp_ctx *ctx)
{
    // The RFCs go on to block 0xff01 of one keystream; a packet ends long before that.
    for (size_t i = 0; i < sizeof keystreams / sizeof keystreams[0]; i++) {
        struct srtp_session_key k = session_key(keystreams[i].key, "", "F0F1F2F3F4F5F6F7F8F9FAFBFCFD");
        struct srtp_key *key = key_of_session(ctx, keystreams[i].suite, &k);
        uint8_t expected[48], plain[60] = {0x80};
        CU_ASSERT_FATAL(unhex(keystreams[i].stream, expected, sizeof expected) == 48);
        const struct srtp_op op = {.key = key, .len = 60, .hdr_len = 12, .room = SRTP_TAILROOM};
        for (unsigned n = 1; n <= BURST; n += BURST - 1) {
            struct burst b;
            burst_of(&b, n, &op, plain);
            srtp_protect(ctx, b.op, n);
            for (unsigned at = 0; at < n; at++) {
                CU_ASSERT(b.op[at].status == SRTP_OK && b.op[at].len == 70);
                CU_ASSERT(memcmp(b.bytes[at] + 12, expected, 48) == 0);
            }
        }
        key_free(key);
    }
}

static void aes_cm_keystream(void)
{
    each_engine(aes_cm_on);
}

// RFC 3711 B.3 and RFC 6188 7.2
static const struct {
    enum tl_suite suite;
    const char *master, *master_salt, *key, *auth, *salt;
} derivations[] = {
    {TL_SUITE_AES_CM_128_HMAC_SHA1_80, "E1F97A0D3E018BE0D64FA32C06DE4139", "0EC675AD498AFEEBB6960B3AABE6",
     "C61E7A93744F39EE10734AFE3FF7A087", "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4",
     "30CBBC08863D8C85D49DB34A9AE1"},
    {TL_SUITE_AES_256_CM_HMAC_SHA1_80, "f0f04914b513f2763a1b1fa130f10e29 98f6f6e43e4309d1e622a0e332b9f1b6",
     "3b04803de51ee7c96423ab5b78d2", "5ba1064e30ec51613cad926c5a28ef73 1ec7fb397f70a960653caf06554cd8c4",
     "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05", "fa31791685ca444a9e07c6c64e93"},
};

static void key_derivation(void)
{
    uint8_t master[TL_KEY_MAX] = {0}, salt[TL_SALT_MAX];
    struct srtp_session_keys out, again;
    for (size_t i = 0; i < sizeof derivations / sizeof derivations[0]; i++) {
        enum tl_suite suite = derivations[i].suite;
        CU_ASSERT(unhex(derivations[i].master, master, sizeof master) == tl_suite_info(suite)->key_len);
        CU_ASSERT(unhex(derivations[i].master_salt, salt, sizeof salt) == tl_suite_info(suite)->salt_len);
        CU_ASSERT_FATAL(srtp_kdf(suite, master, salt, &out) == 0);
        struct srtp_session_key expected =
            session_key(derivations[i].key, derivations[i].auth, derivations[i].salt);
        CU_ASSERT(memcmp(&out.rtp, &expected, sizeof expected) == 0);
        // The RFCs have none for SRTCP (labels 3 to 5); that they differ from these is shown here, that they
        // are right by libsrtp2.
        CU_ASSERT(memcmp(out.rtcp.key, out.rtp.key, 16) != 0);
        CU_ASSERT(memcmp(out.rtcp.auth, out.rtp.auth, 20) != 0);
        CU_ASSERT(memcmp(out.rtcp.salt, out.rtp.salt, 14) != 0);
        // a short tag is of the same keys
        enum tl_suite short_tag = suite == TL_SUITE_AES_CM_128_HMAC_SHA1_80
                                      ? TL_SUITE_AES_CM_128_HMAC_SHA1_32
                                      : TL_SUITE_AES_256_CM_HMAC_SHA1_32;
        CU_ASSERT(srtp_kdf(short_tag, master, salt, &again) == 0);
        CU_ASSERT(memcmp(&out, &again, sizeof out) == 0);
    }
    CU_ASSERT(srtp_kdf(TL_SUITE_NONE, master, salt, &out) < 0);
    CU_ASSERT(srtp_kdf(TL_SUITE_COUNT, master, salt, &out) < 0);
}

// ---- RFC 7714 ----------------------------------------------------------------------------------------

// The key of 128 bits is the first half.
static const char gcm_key[] = "000102030405060708090a0b0c0d0e0f 101112131415161718191a1b1c1d1e1f";
static const char gcm_salt[] = "517569642070726f2071756f";
static const char gcm_rtp[] =
    "8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120"
    "696e2070 61727465 73207472 6573";
static const char gcm_rtcp[] = "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61"
                               "deadbeef deadbeef deadbeef deadbeef deadbeef";

static struct srtp_key *gcm_key_of(struct srtp_ctx *ctx, enum tl_suite suite)
{
    struct srtp_session_key k = session_key(gcm_key, "", gcm_salt);
    memset(k.key + tl_suite_info(suite)->key_len, 0, sizeof k.key - tl_suite_info(suite)->key_len);
    return key_of_session(ctx, suite, &k);
}

static const struct rtp_vector {
    const char *section;
    enum tl_suite suite;
    unsigned hdr_len;
    const char *sealed;
} rtp_vectors[] = {
    {"16.1.1, 16.1.2", TL_SUITE_AEAD_AES_128_GCM, 12,
     "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b"
     "36de3adf 8833 899d7f27 beb16a91 52cf765e e4390cce"},
    // all of it authenticated, nothing encrypted: for us a packet that is only header
    {"16.1.3, 16.1.4", TL_SUITE_AEAD_AES_128_GCM, 50,
     "8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465"
     "73207472 6573 22493f82 d2bce397 e9d79e3b 19aa4216"},
    {"16.2.1, 16.2.2", TL_SUITE_AEAD_AES_256_GCM, 12,
     "8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 76ffae0f"
     "1ba63799 b87b 7aa3db36 dfffd6b0 f9bb7878 d7a76c13"},
};

// `op` over `plain` becomes `sealed`, and that becomes `plain`, alone and in a burst.
static void there_and_back(struct srtp_ctx *ctx, const struct srtp_op *op, const uint8_t *plain,
                           const uint8_t *sealed, size_t sealed_len)
{
    for (unsigned n = 1; n <= BURST; n += BURST - 1) {
        struct burst b;
        burst_of(&b, n, op, plain);
        srtp_protect(ctx, b.op, n);
        burst_is(&b, sealed, sealed_len);
        srtp_unprotect(ctx, b.op, n);
        burst_is(&b, plain, op->len);
    }
}

static void rfc7714_16(struct srtp_ctx *ctx)
{
    for (size_t i = 0; i < sizeof rtp_vectors / sizeof rtp_vectors[0]; i++) {
        const struct rtp_vector *v = &rtp_vectors[i];
        struct srtp_key *key = gcm_key_of(ctx, v->suite);
        uint8_t plain[64], sealed[128];
        size_t len = unhex(gcm_rtp, plain, sizeof plain),
               sealed_len = unhex(v->sealed, sealed, sizeof sealed);
        const struct srtp_op op = {.key = key,
                                   .index = 0xf17b,
                                   .ssrc = 0x5501a0b2,
                                   .len = (uint16_t)len,
                                   .hdr_len = (uint16_t)v->hdr_len,
                                   .room = 16};
        there_and_back(ctx, &op, plain, sealed, sealed_len);
        key_free(key);
    }
}

// The GCM specification's test cases 4 and 16 (McGrew and Viega; SP 800-38D refers to them). Their additional data
// stands where a header does: its bytes 2 and 3 are the sequence number then, 8 to 11 the SSRC, and the salt is what
// makes the IV theirs.
static const char spec_aad[] = "feedfacedeadbeeffeedfacedeadbeefabaddad2",
                  spec_iv[] = "cafebabefacedbaddecaf888";
static const char spec_text[] =
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e24"
    "49a6b525b16aedf5aa0de657ba637b39";
static const struct {
    enum tl_suite suite;
    const char *key, *sealed;
} spec_cases[] = {
    {TL_SUITE_AEAD_AES_128_GCM, "feffe9928665731c6d6a8f9467308308",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac97"
     "3d58e091 5bc94fbc3221a5db94fae95ae7121a47"},
    {TL_SUITE_AEAD_AES_256_GCM, "feffe9928665731c6d6a8f9467308308 feffe9928665731c6d6a8f9467308308",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0a"
     "bcc9f662 76fc6ece0f4e1768cddf8853bb2d551b"},
};

static void specification_on(struct srtp_ctx *ctx)
{
    for (size_t i = 0; i < sizeof spec_cases / sizeof spec_cases[0]; i++) {
        uint8_t plain[80], sealed[96];
        const uint64_t index = 0x123456780000 | 0xface;
        struct srtp_session_key k = session_key(spec_cases[i].key, "", spec_iv);
        const uint8_t over_iv[12] = {0, 0, 0xfe, 0xed, 0xfa, 0xce, 0x12, 0x34, 0x56, 0x78, 0xfa, 0xce};
        for (unsigned at = 0; at < sizeof over_iv; at++)
            k.salt[at] ^= over_iv[at];
        struct srtp_key *key = key_of_session(ctx, spec_cases[i].suite, &k);
        size_t header = unhex(spec_aad, plain, sizeof plain);
        size_t len = header + unhex(spec_text, plain + header, sizeof plain - header);
        memcpy(sealed, plain, header);
        size_t sealed_len = header + unhex(spec_cases[i].sealed, sealed + header, sizeof sealed - header);
        CU_ASSERT(header == 20 && len == 80 && sealed_len == 96);
        const struct srtp_op op = {.key = key,
                                   .index = index,
                                   .ssrc = 0xfeedface,
                                   .len = (uint16_t)len,
                                   .hdr_len = (uint16_t)header,
                                   .room = 16};
        there_and_back(ctx, &op, plain, sealed, sealed_len);
        key_free(key);
    }
}

static void gcm_specification(void)
{
    each_engine(specification_on);
}

// RFC 2202 3, test case 3: fifty bytes 0xdd under twenty 0xaa. As a packet received it is 46 bytes, and the ROC is the
// other four.
static void rfc2202_on(struct srtp_ctx *ctx)
{
    struct srtp_session_key k = {0};
    memset(k.auth, 0xaa, sizeof k.auth);
    struct srtp_key *key = key_of_session(ctx, TL_SUITE_AES_CM_128_HMAC_SHA1_80, &k);
    uint8_t packet[56];
    memset(packet, 0xdd, 46);
    CU_ASSERT(unhex("125d7342b9ac11cd91a3", packet + 46, 10) == 10);
    const struct srtp_op op = {.key = key, .index = 0xdddddddddddd, .len = sizeof packet, .hdr_len = 12};
    for (unsigned n = 1; n <= BURST; n += BURST - 1) {
        struct burst b;
        burst_of(&b, n, &op, packet);
        srtp_unprotect(ctx, b.op, n);
        for (unsigned i = 0; i < n; i++)
            CU_ASSERT(b.op[i].status == SRTP_OK && b.op[i].len == 46);
    }
    key_free(key);
}

static void hmac_sha1(void)
{
    each_engine(rfc2202_on);
}

static void gcm_srtp(void)
{
    each_engine(rfc7714_16);
}

static const struct {
    const char *section;
    enum tl_suite suite;
    const char *sealed;
} rtcp_vectors[] = {
    {"17.1", TL_SUITE_AEAD_AES_128_GCM,
     "81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda"
     "4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4"},
    {"17.2", TL_SUITE_AEAD_AES_256_GCM,
     "81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50 a2eaa5c1 110555be"
     "8415f658 c61de047 6f1b6fad 1d1eb30c 4446839f 57ff6f6c b26ac3be 800005d4"},
};

static void rfc7714_17(struct srtp_ctx *ctx)
{
    for (size_t i = 0; i < sizeof rtcp_vectors / sizeof rtcp_vectors[0]; i++) {
        struct srtp_key *key = gcm_key_of(ctx, rtcp_vectors[i].suite);
        uint8_t plain[64], sealed[128], buf[52 + 20];
        size_t len = unhex(gcm_rtcp, plain, sizeof plain);
        size_t n = unhex(rtcp_vectors[i].sealed, sealed, sizeof sealed);
        CU_ASSERT(n == len + 20);
        memcpy(buf, plain, len);
        struct srtp_op op = {.key = key, .pkt = buf, .index = 0x5d4, .len = (uint16_t)len, .room = 20};
        srtcp_protect(ctx, &op, 1);
        CU_ASSERT(op.status == SRTP_OK && op.len == n && memcmp(buf, sealed, n) == 0);

        uint32_t index = 0;
        CU_ASSERT(srtcp_peek(key, buf, op.len, &index) == SRTP_OK && index == 0x5d4);
        op.index = 0;
        srtcp_unprotect(ctx, &op, 1);
        CU_ASSERT(op.status == SRTP_OK && op.index == 0x5d4 && op.len == len);
        CU_ASSERT(memcmp(buf, plain, len) == 0);
        key_free(key);
    }

    // 17.3: the first, only authenticated (E is 0): refused
    struct srtp_key *key = gcm_key_of(ctx, TL_SUITE_AEAD_AES_128_GCM);
    uint8_t buf[72];
    size_t n = unhex(
        "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef"
        "deadbeef deadbeef 841dd968 3dd78ec9 2ae58790 125f62b3 000005d4",
        buf, sizeof buf);
    struct srtp_op op = {.key = key, .pkt = buf, .len = (uint16_t)n};
    srtcp_unprotect(ctx, &op, 1);
    CU_ASSERT(op.status == TL_DROP_plain_rtcp);
    key_free(key);
}

static void gcm_srtcp(void)
{
    each_engine(rfc7714_17);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"aes_cm_keystream", aes_cm_keystream},
        {"key_derivation", key_derivation},
        {"gcm_srtp", gcm_srtp},
        {"gcm_srtcp", gcm_srtcp},
        {"gcm_specification", gcm_specification},
        {"hmac_sha1", hmac_sha1},
    };
    return test_main("srtp_vectors", TEST_CASES(cases), argc, argv);
}
