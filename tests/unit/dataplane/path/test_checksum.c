// SPDX-License-Identifier: BSD-3-Clause
// The Internet checksum against RFC 1071's words and a sum of 16 bits at a time.
#include <arpa/inet.h>
#include <stdlib.h>

#include "dataplane/path/checksum.h"
#include "runner.h"

enum { BEFORE = 8 }; // readable bytes in front

// RFC 1071 1: 16-bit words in network byte order, carries added back at the end.
static uint16_t plain_sum(const uint8_t *p, unsigned len)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < len; i++)
        sum += i % 2 ? p[i] : p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

static uint16_t sum_of(const uint8_t *p, unsigned len)
{
    return ntohs(checksum_fold(checksum_data(0, p, len)));
}

// The example of RFC 1071 section 3.
static void published(void)
{
    const uint8_t bytes[BEFORE + 8] = {[BEFORE] = 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    CU_ASSERT_EQUAL(sum_of(bytes + BEFORE, 8), 0xddf2);
}

// Every length of a frame at every alignment, in a block that ends with it: ASan sees a byte too many.
static void lengths(void)
{
    srandom(1);
    for (unsigned len = 0; len <= 1514; len += len < 300 ? 1 : 7)
        for (unsigned align = BEFORE; align < BEFORE + 8; align++) {
            uint8_t *p = malloc(align + len);
            for (unsigned i = 0; i < align + len; i++)
                p[i] = (uint8_t)random();
            CU_ASSERT_EQUAL(sum_of(p + align, len), plain_sum(p + align, len));
            free(p);
        }
}

// Carries out of the highest word, of the last step and of both.
static void carries(void)
{
    uint8_t ones[1024];
    memset(ones, 0xff, sizeof ones);
    for (unsigned len = 0; len <= sizeof ones - BEFORE; len++)
        CU_ASSERT_EQUAL(sum_of(ones + BEFORE, len), plain_sum(ones + BEFORE, len));
    CU_ASSERT_EQUAL(checksum_add(UINT64_MAX, 1), 1);
    CU_ASSERT_EQUAL(checksum_add(UINT64_MAX, UINT64_MAX), UINT64_MAX);
    CU_ASSERT_EQUAL(checksum_fold(UINT64_MAX), 0xffff);
    CU_ASSERT_EQUAL(checksum_fold(UINT64_C(0x00010000ffff0000)), 1); // one and all ones
    CU_ASSERT_EQUAL(checksum_fold(0), 0);
}

// Header and payload added one after the other are the whole.
static void parts(void)
{
    enum { LEN = 200 };
    uint8_t bytes[BEFORE + LEN], *p = bytes + BEFORE;
    for (unsigned i = 0; i < LEN; i++)
        p[i] = (uint8_t)(i * 37);
    for (unsigned cut = 0; cut <= LEN; cut += 2) {
        uint64_t sum = checksum_data(checksum_data(0, p, cut), p + cut, LEN - cut);
        CU_ASSERT_EQUAL(ntohs(checksum_fold(sum)), plain_sum(p, LEN));
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"published", published},
        {"lengths", lengths},
        {"carries", carries},
        {"parts", parts},
    };
    return test_main("checksum", TEST_CASES(cases), argc, argv);
}
