// SPDX-License-Identifier: BSD-3-Clause
// Text from outside as people see it.
#include "control/base/log.h"
#include "control/base/text.h"
#include "runner.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void escaped(void)
{
    static const struct {
        const char *in, *out;
    } table[] = {
        {"", ""},
        {"Alice \"A\" <sip:a@b>\\", "Alice \"A\" <sip:a@b>\\"},
        {"J\xc3\xa4ne \xe2\x82\xac \xf0\x9f\x93\x9e", "J\xc3\xa4ne \xe2\x82\xac \xf0\x9f\x93\x9e"},
        {"a\r\nb\tc\x7f", "a\\x0d\\x0ab\\x09c\\x7f"},
        {"\x1b[31mred", "\\x1b[31mred"},
        {"\xff\xfe-x", "\\xff\\xfe-x"},
        {"\xc3(", "\\xc3("}, // cut short by what is none of it
        {"\xc3", "\\xc3"},   // by the end
        {"\x9b"
         "31m",
         "\\x9b31m"}, // a control character in Latin-1 ...
        {"\xc2\x9b"
         "31m",
         "\\xc2\\x9b31m"},          // ... and as UTF-8
        {"\xc0\xaf", "\\xc0\\xaf"}, // longer than need be
        {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
        {"\xf0\x80\x80\xaf", "\\xf0\\x80\\x80\\xaf"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          // a surrogate
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, // above U+10FFFF
        {"\xf5\x80\x80\x80", "\\xf5\\x80\\x80\\x80"},
        {"\xe2\x80\xae"
         "cba",
         "\\xe2\\x80\\xaecba"},              // right-to-left override
        {"\xe2\x80\xa8", "\\xe2\\x80\\xa8"}, // line separator
        {"\xef\xbb\xbf", "\\xef\\xbb\\xbf"}, // byte order mark
        {"\xef\xbf\xbf", "\\xef\\xbf\\xbf"}, // no character
        {"\xef\xbf\xbd", "\xef\xbf\xbd"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char out[128];
        size_t len = strlen(table[i].in);
        char *exact = malloc(len ? len : 1); // the sanitiser sees a byte read behind it
        memcpy(exact, table[i].in, len);
        CU_ASSERT_PTR_EQUAL(text_escape(exact, len, out, sizeof out), out);
        free(exact);
        CU_ASSERT_STRING_EQUAL(out, table[i].out);
        CU_ASSERT_STRING_EQUAL(TEXT_SHOWN(table[i].in), table[i].out);
        char twice[128]; // what is shown is shown as it is
        CU_ASSERT_STRING_EQUAL(text_escape(out, strlen(out), twice, sizeof twice), out);
    }
    CU_ASSERT_STRING_EQUAL(TEXT_SHOWN(NULL), "");
    char out[16];
    CU_ASSERT_STRING_EQUAL(text_escape("a\0b", 3, out, sizeof out), "a\\x00b");
}

// At every size: within it, and whole characters and escapes only.
static void cut(void)
{
    static const char in[] = "a\xc3\xa4\xff\xe2\x82\xac\x01z";
    static const char whole[] = "a\xc3\xa4\\xff\xe2\x82\xac\\x01z";
    static const size_t ends[] = {0, 1, 3, 7, 10, 14, 15};
    for (size_t size = 1; size <= sizeof whole + 1; size++) {
        char *out = malloc(size);
        text_escape(in, sizeof in - 1, out, size);
        size_t n = strlen(out), fits = 0;
        for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
            if (ends[i] < size)
                fits = ends[i];
        CU_ASSERT(n == fits && memcmp(out, whole, n) == 0);
        free(out);
    }
}

// Whatever the bytes, what comes out is its own escape: UTF-8 without anything hidden.
static void any_bytes(void)
{
    uint32_t x = 2463534242u;
    for (unsigned round = 0; round < 20000; round++) {
        char in[12], out[64], again[64];
        for (size_t i = 0; i < sizeof in; i++) {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            in[i] = (char)(x >> 8);
        }
        text_escape(in, sizeof in, out, sizeof out);
        text_escape(out, strlen(out), again, sizeof again);
        if (strcmp(out, again) != 0) {
            CU_FAIL("escaped twice is not escaped once");
            return;
        }
    }
}

static char last[64];

static void keep(void *arg, enum log_level level, const char *text)
{
    (void)arg;
    (void)level;
    snprintf(last, sizeof last, "%s", text);
}

static void log_lines(void)
{
    log_set_sink(keep, NULL);
    log_line(LOG_INFO, "call from %s", "\xff\x1b[0m\n\xc3\xa4");
    CU_ASSERT_STRING_EQUAL(last, "call from \\xff\\x1b[0m\\x0a\xc3\xa4");
    log_set_sink(NULL, NULL);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"escaped", escaped}, {"cut", cut}, {"any_bytes", any_bytes}, {"log_lines", log_lines}};
    return test_main("text", TEST_CASES(cases), argc, argv);
}
