// SPDX-License-Identifier: BSD-3-Clause
#include "control/sdp/sdes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"
#include "sdp_samples.h"

#define CM80          "AES_CM_128_HMAC_SHA1_80 "
#define CM80_NR       TL_SUITE_AES_CM_128_HMAC_SHA1_80
#define OTHER_KEY     "inline:NTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm"
#define SAMPLE_KEY256 "inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVmMTIzNDU2Nzg5QUJDREUwMQ=="
#define SAMPLE_GCM256 "inline:AAECAwQFBgcICQoLDA0ODwABAgMEBQYHCAkKCwwNDg+goaKjpKWmp6ipqqs"

static void test_lines(void)
{
    static const struct {
        const char *line;
        int result;
        unsigned tag;
        enum tl_suite suite;
    } table[] = {
        {"1 " CM80 SAMPLE_KEY80, 0, 1, TL_SUITE_AES_CM_128_HMAC_SHA1_80},
        {"999999999 aes_cm_128_hmac_sha1_80 " SAMPLE_KEY80, 0, 999999999, TL_SUITE_AES_CM_128_HMAC_SHA1_80},
        {"0 AEAD_AES_128_GCM " SAMPLE_GCM, 0, 0, TL_SUITE_AEAD_AES_128_GCM},
        {"2 AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0OD6ChoqOkpaanqKmqqw", 0, 2, TL_SUITE_AEAD_AES_128_GCM},
        {"1 " CM80 SAMPLE_KEY80 "|2^31", 0, 1, TL_SUITE_AES_CM_128_HMAC_SHA1_80},
        {"1 " CM80 SAMPLE_KEY80 "|1048576", 0, 1, TL_SUITE_AES_CM_128_HMAC_SHA1_80},
        {"1\t" CM80 " " SAMPLE_KEY80 " WSH=64 -FUTURE=1", 0, 1, TL_SUITE_AES_CM_128_HMAC_SHA1_80},
        {"1 AES_CM_128_HMAC_SHA1_32 " SAMPLE_KEY80, 0, 1, TL_SUITE_AES_CM_128_HMAC_SHA1_32},
        {"1 AES_256_CM_HMAC_SHA1_80 " SAMPLE_KEY256, 0, 1, TL_SUITE_AES_256_CM_HMAC_SHA1_80},
        {"1 AES_256_CM_HMAC_SHA1_32 " SAMPLE_KEY256, 0, 1, TL_SUITE_AES_256_CM_HMAC_SHA1_32},
        {"1 AEAD_AES_256_GCM " SAMPLE_GCM256 "=", 0, 1, TL_SUITE_AEAD_AES_256_GCM},
        {"1 AEAD_AES_256_GCM " SAMPLE_GCM256, 0, 1, TL_SUITE_AEAD_AES_256_GCM},
        {"1 " CM80 SAMPLE_KEY80 "|2^0", 0, 1, CM80_NR},
        {"1 " CM80 SAMPLE_KEY80 "|2^48", 0, 1, CM80_NR},
        {"1 " CM80 SAMPLE_KEY80 "|281474976710656", 0, 1, CM80_NR},
        // an MKI that could not be right
        {"1 " CM80 SAMPLE_KEY80 "|1:0", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "|1:", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "|:4", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "|:", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "|256:1", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "|18446744073709551616:8", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "|-1:4", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "|0x1:4", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "|1:4:4", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "|1:129", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "|1:1000", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "|1:4|2^31", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "|1:4|1:4", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "||1:4", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 ";" OTHER_KEY, -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "|1:1;", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "|1:1;" OTHER_KEY, -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "|1:1;" OTHER_KEY "|1:1", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "|1:1;" OTHER_KEY "|2:2", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "|1:1;inline:x|2:1", -EINVAL, 0, 0},
        // what we could not keep
        {"1 " CM80 SAMPLE_KEY80 "|2^20|1:9", -ENOTSUP, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "|2^20|1:128", -ENOTSUP, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 " KDR=1", -ENOTSUP, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 " UNENCRYPTED_SRTCP", -ENOTSUP, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 " UNAUTHENTICATED_SRTP", -ENOTSUP, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 " FEC_ORDER=FEC_SRTP", -ENOTSUP, 0, 0},
        {"1 F8_128_HMAC_SHA1_80 " SAMPLE_KEY80, -ENOTSUP, 0, 0},
        // malformed
        {"", -EINVAL, 0, 0},
        {"1", -EINVAL, 0, 0},
        {"1 " CM80, -EINVAL, 0, 0},
        {"x " CM80 SAMPLE_KEY80, -EINVAL, 0, 0},
        {"1000000000 " CM80 SAMPLE_KEY80, -EINVAL, 0, 0},
        {"-1 " CM80 SAMPLE_KEY80, -EINVAL, 0, 0},
        {"1 " CM80 "MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGVm", -EINVAL, 0, 0},
        {"1 " CM80 "inline:", -EINVAL, 0, 0},
        {"1 " CM80 "inline:MTIzNDU2Nzg5QUJDREUwMTIzNDU2Nzg5QUJjZGV", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "AA", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "=", -EINVAL, 0, 0},
        {"1 " CM80 "inline:MTIzNDU2Nzg5QUJDREUw*TIzNDU2Nzg5QUJjZGVm", -EINVAL, 0, 0},
        {"1 AEAD_AES_128_GCM " SAMPLE_KEY80, -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "|", -EINVAL, 0, 0},
        {"1 " CM80 "inline:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "|2^49", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "|2^", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "|0", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 "|2^20|2^20|2^20", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 " WSH=x", -EINVAL, 0, 0},
        {"1 " CM80 SAMPLE_KEY80 " KDR=99", -EINVAL, 0, 0},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct sdes_crypto c, untouched;
        memset(&c, 0x5a, sizeof c);
        untouched = c;
        const char *why = NULL;
        int rc = sdes_parse(&c, table[i].line, strlen(table[i].line), &why);
        if (rc != table[i].result)
            printf("%s: %d\n", table[i].line, rc);
        CU_ASSERT_EQUAL(rc, table[i].result);
        if (rc == 0) {
            CU_ASSERT_EQUAL(c.tag, table[i].tag);
            CU_ASSERT_EQUAL(c.suite, table[i].suite);
        } else {
            CU_ASSERT_PTR_NOT_NULL(why);
            CU_ASSERT_EQUAL(memcmp(&c, &untouched, sizeof c), 0);
        }
    }
}

// Of several keys the first; the MKI as its packets carry it.
static void test_mki(void)
{
    static const struct {
        const char *behind; // the key
        unsigned len;
        uint64_t mki;
    } table[] = {
        {"", 0, 0},
        {"|2^31", 0, 0},
        {"|2^31|1:1", 1, 1},
        {"|1:4", 4, 1},
        {"|1048576|255:1 WSH=64", 1, 255},
        {"|2^20|0:2", 2, 0},
        {"|2^20|18446744073709551615:8", 8, UINT64_MAX},
        {"|2^20|1:4;" OTHER_KEY "|2^20|2:4", 4, 1},
        {"|1:1;" OTHER_KEY "|2:1;" OTHER_KEY "|3:1", 1, 1},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct sdes_crypto c;
        char line[300];
        int n = snprintf(line, sizeof line, "1 " CM80 SAMPLE_KEY80 "%s", table[i].behind);
        CU_ASSERT_EQUAL(sdes_parse(&c, line, (size_t)n, NULL), 0);
        uint64_t mki = 0;
        for (unsigned k = 0; k < c.mki_len; k++)
            mki = mki << 8 | c.mki[k];
        CU_ASSERT_EQUAL(c.mki_len, table[i].len);
        CU_ASSERT_EQUAL(mki, table[i].mki);
        CU_ASSERT_EQUAL(c.lifetime, strstr(table[i].behind, "2^") || strstr(table[i].behind, "1048576"));
        CU_ASSERT_EQUAL(memcmp(c.key, "123456789ABCDE01", 16), 0);
    }
}

static void test_key_bytes(void)
{
    static const uint8_t gcm_salt[12] = {0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5,
                                         0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab};
    struct sdes_crypto c;
    const char *line = "1 " CM80 SAMPLE_KEY80;
    CU_ASSERT_EQUAL(sdes_parse(&c, line, strlen(line), NULL), 0);
    CU_ASSERT_EQUAL(memcmp(c.key, "123456789ABCDE01", 16), 0);
    CU_ASSERT_EQUAL(memcmp(c.salt, "23456789ABcdef", 14), 0);
    line = "1 AEAD_AES_128_GCM " SAMPLE_GCM;
    CU_ASSERT_EQUAL(sdes_parse(&c, line, strlen(line), NULL), 0);
    for (unsigned i = 0; i < 16; i++)
        CU_ASSERT_EQUAL(c.key[i], i);
    CU_ASSERT_EQUAL(memcmp(c.salt, gcm_salt, sizeof gcm_salt), 0);
}

// A source of bytes that the test knows.
static int counting(void *arg, void *out, size_t len)
{
    uint8_t *next = arg;
    for (size_t i = 0; i < len; i++)
        ((uint8_t *)out)[i] = (*next)++;
    return 0;
}

static int broken(void *arg, void *out, size_t len)
{
    (void)arg, (void)out, (void)len;
    return -EIO;
}

static void test_write(void)
{
    for (int suite = 1; suite < TL_SUITE_COUNT; suite++) {
        struct sdes_crypto a, b;
        char line[SDES_LINE_MAX];
        uint8_t next = 0;
        CU_ASSERT_EQUAL(sdes_generate(&a, 7, (enum tl_suite)suite, counting, &next), 0);
        int n = sdes_write(&a, line, sizeof line);
        CU_ASSERT_EQUAL_FATAL(n, (int)strlen(line));
        CU_ASSERT_EQUAL(sdes_parse(&b, line, (size_t)n, NULL), 0);
        CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof a), 0);
        CU_ASSERT_EQUAL(sdes_write(&a, line, (size_t)n), -ENOSPC);
        // with all that may follow: the longest line there is
        a.tag = SDES_TAG_MAX;
        a.lifetime = true;
        a.mki_len = TL_MKI_MAX;
        memset(a.mki, 0xff, sizeof a.mki);
        n = sdes_write(&a, line, sizeof line);
        CU_ASSERT_EQUAL_FATAL(n, (int)strlen(line));
        CU_ASSERT_STRING_EQUAL(line + n - 28, "|2^31|18446744073709551615:8");
        CU_ASSERT_EQUAL(sdes_suite(line, (size_t)n), suite);
        CU_ASSERT_EQUAL(sdes_parse(&b, line, (size_t)n, NULL), 0);
        CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof a), 0);
        for (int cap = 0; cap <= n; cap++)
            CU_ASSERT_EQUAL(sdes_write(&a, line, (size_t)cap), -ENOSPC);
    }
    struct sdes_crypto c = {0};
    uint8_t next = 0;
    char line[SDES_LINE_MAX];
    CU_ASSERT_EQUAL(sdes_write(&c, line, sizeof line), -EINVAL);
    CU_ASSERT_EQUAL(sdes_generate(&c, 1, TL_SUITE_NONE, counting, &next), -EINVAL);
    CU_ASSERT_EQUAL(sdes_generate(&c, 1, TL_SUITE_AEAD_AES_128_GCM, broken, NULL), -EIO);
    CU_ASSERT_EQUAL(sdes_generate(&c, 1, TL_SUITE_AEAD_AES_128_GCM, counting, &next), 0);
    CU_ASSERT_EQUAL(sdes_write(&c, line, sizeof line), (int)strlen("1 AEAD_AES_128_GCM " SAMPLE_GCM));
}

static void test_kernel_random(void)
{
    struct sdes_crypto a, b;
    CU_ASSERT_EQUAL(sdes_generate(&a, 1, TL_SUITE_AES_CM_128_HMAC_SHA1_80, sdes_kernel_random, NULL), 0);
    CU_ASSERT_EQUAL(sdes_generate(&b, 1, TL_SUITE_AES_CM_128_HMAC_SHA1_80, sdes_kernel_random, NULL), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(a.key, b.key, 16), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(a.salt, b.salt, 14), 0);
    struct sdes_crypto zero = {0};
    sdes_wipe(&a);
    CU_ASSERT_EQUAL(memcmp(&a, &zero, sizeof a), 0);
}

static void test_truncated(void)
{
    const char *line = "12 " CM80 SAMPLE_KEY80 "|2^31|1:4;" OTHER_KEY "|2^31|2:4 WSH=64 -X=1";
    for (size_t len = 0; len <= strlen(line); len++) {
        char *exact = malloc(len ? len : 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
        memcpy(exact, line, len);
        struct sdes_crypto c;
        sdes_parse(&c, exact, len, NULL);
        free(exact);
    }
    unsigned seed = 4568;
    for (int round = 0; round < 20000; round++) {
        size_t len = strlen(line);
        char *exact = malloc(len);
        CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
        memcpy(exact, line, len);
        for (int k = 0; k < 3; k++)
            exact[(size_t)rand_r(&seed) % len] = (char)rand_r(&seed);
        struct sdes_crypto c;
        if (sdes_parse(&c, exact, len, NULL) == 0)
            CU_ASSERT_PTR_NOT_NULL(tl_suite_info(c.suite));
        free(exact);
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"lines", test_lines},          {"MKI and several keys", test_mki},
        {"key bytes", test_key_bytes},  {"written and read again", test_write},
        {"kernel", test_kernel_random}, {"cut and mutated", test_truncated},
    };
    return test_main("sdes", TEST_CASES(cases), argc, argv);
}
