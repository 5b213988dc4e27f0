// SPDX-License-Identifier: BSD-3-Clause
// Words in network order, at every place in a word of memory; nothing beside them is touched.
#include <string.h>

#include "common/bytes.h"
#include "runner.h"

static void words(void)
{
    static const struct {
        uint32_t value;
        uint8_t bytes[4];
    } rows[] = {
        {0, {0, 0, 0, 0}},
        {1, {0, 0, 0, 1}},
        {0x01020304, {1, 2, 3, 4}},
        {0x80000000, {0x80, 0, 0, 0}},
        {0xfffefdfc, {0xff, 0xfe, 0xfd, 0xfc}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (unsigned at = 1; at < 8; at++) {
            uint8_t room[16];
            memset(room, 0x55, sizeof room);
            tl_put32(room + at, rows[i].value);
            CU_ASSERT(memcmp(room + at, rows[i].bytes, 4) == 0);
            CU_ASSERT(room[at - 1] == 0x55 && room[at + 4] == 0x55);
            CU_ASSERT_EQUAL(tl_get32(room + at), rows[i].value);
            CU_ASSERT_EQUAL(tl_get16(room + at), rows[i].value >> 16);
            memset(room, 0x55, sizeof room);
            tl_put64(room + at, (uint64_t)rows[i].value << 32 | 0x0a0b0c0d);
            CU_ASSERT(memcmp(room + at, rows[i].bytes, 4) == 0 &&
                      memcmp(room + at + 4, "\x0a\x0b\x0c\x0d", 4) == 0);
            CU_ASSERT(at + 8 == 16 || room[at + 8] == 0x55);
            CU_ASSERT(room[at - 1] == 0x55 &&
                      tl_get64(room + at) == ((uint64_t)rows[i].value << 32 | 0x0a0b0c0d));
            memset(room, 0x55, sizeof room);
            tl_put16(room + at, (uint16_t)rows[i].value);
            CU_ASSERT(memcmp(room + at, rows[i].bytes + 2, 2) == 0);
            CU_ASSERT(room[at - 1] == 0x55 && room[at + 2] == 0x55);
        }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {{"words", words}};
    return test_main("bytes", TEST_CASES(cases), argc, argv);
}
