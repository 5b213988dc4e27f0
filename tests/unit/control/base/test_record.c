// SPDX-License-Identifier: BSD-3-Clause
// Records: what was written is read again, and what is no record is refused without a byte read too many.
#include "control/base/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runner.h"

static const char odd_text[] = "blank at the end, 100 %, { and \x01\n\xc3\xa4 ";

static int write_sample(char *out, size_t cap)
{
    struct record_writer w;
    record_writer_init(&w, out, cap);
    record_begin(&w, "call", 3);
    record_put_text(&w, "trunk", "core");
    record_put_number(&w, "largest", UINT64_MAX);
    record_put_number(&w, "zero", 0);
    for (unsigned i = 0; i < 2; i++) {
        record_begin(&w, "leg", 1 + i);
        record_put_bytes(&w, "key", "\x00\xff\x12", 3);
        record_put_number(&w, "number", 10 + i);
        record_begin(&w, "inner", 1);
        record_put_number(&w, "number", 99);
        record_end(&w);
        record_end(&w);
    }
    record_put_text(&w, "odd", odd_text);
    record_put_text(&w, "empty", "");
    record_put_bytes(&w, "none", "", 0);
    record_end(&w);
    return record_finish(&w);
}

static void test_round_trip(void)
{
    char text[600], s[64];
    uint8_t key[3];
    struct record call, leg, inner;
    int n = write_sample(text, sizeof text);
    CU_ASSERT_TRUE_FATAL(n > 0);
    CU_ASSERT_EQUAL_FATAL(record_open(&call, text, (size_t)n, "call"), 0);
    CU_ASSERT_EQUAL(call.version, 3);
    record_text(&call, "odd", s, sizeof s); // not in the writer's order
    CU_ASSERT_STRING_EQUAL(s, odd_text);
    record_text(&call, "trunk", s, sizeof s);
    CU_ASSERT_STRING_EQUAL(s, "core");
    record_text(&call, "empty", s, sizeof s);
    CU_ASSERT_STRING_EQUAL(s, "");
    CU_ASSERT_EQUAL(record_number(&call, "largest", UINT64_MAX), UINT64_MAX);
    CU_ASSERT_EQUAL(record_number(&call, "zero", 0), 0);
    CU_ASSERT_EQUAL(record_bytes_upto(&call, "none", key, sizeof key), 0);
    CU_ASSERT_EQUAL(record_number_or(&call, "absent", 9, 7), 7);
    CU_ASSERT_FALSE(record_has(&call, "number")); // stands in the legs only
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL_FATAL(record_section(&call, "leg", i, &leg), 0);
        CU_ASSERT_EQUAL(leg.version, 1 + i);
        CU_ASSERT_EQUAL(record_number(&leg, "number", 100), 10 + i);
        record_bytes(&leg, "key", key, sizeof key);
        CU_ASSERT_EQUAL(memcmp(key, "\x00\xff\x12", 3), 0);
        CU_ASSERT_EQUAL_FATAL(record_section(&leg, "inner", 0, &inner), 0);
        CU_ASSERT_EQUAL(record_number(&inner, "number", 100), 99);
        CU_ASSERT_FALSE(leg.bad || inner.bad);
    }
    CU_ASSERT_EQUAL(record_section(&call, "leg", 2, &leg), -ENOENT);
    CU_ASSERT_EQUAL(record_section(&call, "inner", 0, &leg), -ENOENT);
    CU_ASSERT_FALSE(call.bad);
}

static void test_wrong_values(void)
{
    static const char text[] =
        "x 1 {\nnumber 12\nletters 1a\nlong 99999999999999999999\nhex 0g\nhalf 123\nescape %4\n"
        "nul %00\nraw \x7f\n}\n";
    static const struct {
        char kind; // n: number, b: bytes, t: text
        const char *name;
        uint64_t limit;
    } table[] = {
        {'n', "number", 11}, {'n', "letters", 1000}, {'n', "long", UINT64_MAX}, {'n', "absent", 9},
        {'b', "hex", 8},     {'b', "half", 8},       {'b', "number", 0},        {'b', "absent", 8},
        {'t', "escape", 9},  {'t', "nul", 9},        {'t', "raw", 9},           {'t', "number", 2},
        {'t', "absent", 9},  {'n', "hex", 9},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct record r;
        char out[16];
        CU_ASSERT_EQUAL_FATAL(record_open(&r, text, sizeof text - 1, "x"), 0);
        if (table[i].kind == 'n')
            CU_ASSERT_EQUAL(record_number(&r, table[i].name, table[i].limit), 0);
        if (table[i].kind == 'b')
            CU_ASSERT_EQUAL(record_bytes_upto(&r, table[i].name, out, table[i].limit), 0);
        if (table[i].kind == 't') {
            record_text(&r, table[i].name, out, table[i].limit);
            CU_ASSERT_STRING_EQUAL(out, "");
        }
        if (!r.bad)
            printf("row %zu: %s was taken\n", i, table[i].name);
        CU_ASSERT_TRUE(r.bad);
    }
}

static void test_no_records(void)
{
    static const char *const table[] = {
        "",
        "\n",
        "x 1 {\n",
        "x 1 {\n}",
        "x 1 {\n}\n}\n",
        "x 1 {\n}\nx 1 {\n}\n",
        "x 0 {\n}\n",
        "x 4294967296 {\n}\n",
        "x a {\n}\n",
        "x {\n}\n",
        "y 1 {\n}\n",
        "xx 1 {\n}\n",
        "x 1 {\nName 1\n}\n",
        "x 1 {\nname\n}\n",
        "x 1 {\n\n}\n",
        "a 1\n",
        "}\n",
        "x 1 {\na_name_of_thirty_two_characters_ 1\n}\n",
        "x 1 {\nx 1 {\nx 1 {\nx 1 {\nx 1 {\nx 1 {\nx 1 {\nx 1 {\nx 1 {\n}\n}\n}\n}\n}\n}\n}\n}\n}\n",
    };
    struct record r;
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (record_open(&r, table[i], strlen(table[i]), "x") != -EINVAL)
            printf("row %zu is no record\n", i);
        CU_ASSERT_EQUAL(record_open(&r, table[i], strlen(table[i]), "x"), -EINVAL);
    }
    CU_ASSERT_EQUAL(record_open(&r, "x 1 {\n}\n", 8, "x"), 0);
    CU_ASSERT_EQUAL(record_open(&r, "x", (size_t)RECORD_BYTES_MAX + 1, "x"), -EINVAL); // not one byte is read
}

static void test_writer_limits(void)
{
    char text[600], exact[600];
    int n = write_sample(text, sizeof text);
    CU_ASSERT_EQUAL(write_sample(exact, (size_t)n), n);
    for (int cap = 0; cap < n; cap++)
        CU_ASSERT_EQUAL(write_sample(exact, (size_t)cap), -ENOSPC);
    static const char *const names[] = {"", "Name", "a b", "a\n", "a_name_of_thirty_two_characters_"};
    struct record_writer w;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        record_writer_init(&w, text, sizeof text);
        record_begin(&w, "x", 1);
        record_put_number(&w, names[i], 1);
        record_end(&w);
        CU_ASSERT_EQUAL(record_finish(&w), -EINVAL);
    }
    record_writer_init(&w, text, sizeof text);
    record_begin(&w, "x", 1);
    CU_ASSERT_EQUAL(record_finish(&w), -EINVAL);
    record_end(&w);
    CU_ASSERT_EQUAL(record_finish(&w), 8);
    record_end(&w);
    CU_ASSERT_EQUAL(record_finish(&w), -EINVAL);
    record_writer_init(&w, text, sizeof text);
    for (int i = 0; i <= RECORD_DEPTH_MAX; i++)
        record_begin(&w, "x", 1);
    for (int i = 0; i <= RECORD_DEPTH_MAX; i++)
        record_end(&w);
    CU_ASSERT_EQUAL(record_finish(&w), -EINVAL);
}

static void read_all(const char *text, size_t len)
{
    struct record r, leg;
    char out[64];
    if (record_open(&r, text, len, "call") < 0)
        return;
    record_text(&r, "trunk", out, sizeof out);
    record_text(&r, "odd", out, sizeof out);
    record_number(&r, "largest", UINT64_MAX);
    for (unsigned i = 0; i < 3; i++)
        if (record_section(&r, "leg", i, &leg) == 0)
            record_bytes_upto(&leg, "key", out, 3);
}

// Cut at every byte and changed, in buffers of exactly their size, so that ASan sees a byte read too many.
static void test_damaged(void)
{
    static const char nasty[] = "{}\n %0aZ\xff";
    char text[600];
    unsigned seed = 7;
    size_t n = (size_t)write_sample(text, sizeof text);
    for (size_t round = 0; round < n + 20000; round++) {
        size_t len = round < n ? round : n;
        char *exact = malloc(len ? len : 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
        memcpy(exact, text, len);
        for (size_t k = 0; round >= n && k < 1 + round % 6; k++)
            exact[(size_t)rand_r(&seed) % len] = nasty[(unsigned)rand_r(&seed) % (sizeof nasty - 1)];
        struct record r;
        if (round < n)
            CU_ASSERT_EQUAL(record_open(&r, exact, len, "call"), -EINVAL);
        read_all(exact, len);
        free(exact);
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"written and read", test_round_trip},
        {"values that are wrong", test_wrong_values},
        {"what is no record", test_no_records},
        {"limits of the writer", test_writer_limits},
        {"damaged", test_damaged},
    };
    return test_main("record", TEST_CASES(cases), argc, argv);
}
