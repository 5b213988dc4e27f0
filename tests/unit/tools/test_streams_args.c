// SPDX-License-Identifier: BSD-3-Clause
// The load generator's bare streams: command line, ranges, maps, keys.
#include "tests/unit/runner.h"
#include "tools/loadgen/streams/plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct stream_options o;
static char error[300];

// Parses words that are separated by blanks.
static enum stream_args parse(const char *line)
{
    static char copy[600];
    char *argv[40] = {"streams"}, *save = NULL;
    int argc = 1;

    strcpy(copy, line);
    for (char *at = strtok_r(copy, " ", &save); at != NULL && argc < 39; at = strtok_r(NULL, " ", &save))
        argv[argc++] = at;
    error[0] = 0;
    return stream_options_parse(argc, argv, &o, error, sizeof error);
}

#define BASE "--mode both --local 10.0.0.1:4000+2 --remote 10.0.0.2:6000+2 "

static void defaults(void)
{
    CU_ASSERT_EQUAL(parse(BASE "--streams 10"), STREAM_ARGS_RUN);
    CU_ASSERT_EQUAL(o.streams, 10);
    CU_ASSERT_EQUAL(o.packets, 500);
    CU_ASSERT_EQUAL(o.ptime_us, 20000);
    CU_ASSERT_EQUAL(o.verify_every, 1);
    CU_ASSERT_EQUAL(o.expect_loss_ppm, 0);
    CU_ASSERT_EQUAL(o.side, 'a');
    CU_ASSERT_EQUAL(parse("--mode reflect --local 1.2.3.4:5 --remote 1.2.3.5:6"), STREAM_ARGS_RUN);
    CU_ASSERT_EQUAL(o.side, 'b');
    CU_ASSERT_EQUAL(o.streams, 1);
    CU_ASSERT_EQUAL(parse("--help"), STREAM_ARGS_HELP);
}

static void values(void)
{
    CU_ASSERT_EQUAL(parse(BASE "--ptime 0.25 --duration 1.001 --payload 20 --verify 1/16 --expect-loss 0.01% "
                               "--lose 1.5 --mac 02:00:00:00:00:ff --dpdk x --gateway 10.0.0.254 --wait 1.5"),
                    STREAM_ARGS_RUN);
    CU_ASSERT_EQUAL(o.ptime_us, 250);
    CU_ASSERT_EQUAL(o.packets, 4004);
    CU_ASSERT_EQUAL(o.payload, 20);
    CU_ASSERT_EQUAL(o.verify_every, 16);
    CU_ASSERT_EQUAL(o.expect_loss_ppm, 100);
    CU_ASSERT_EQUAL(o.lose_ppm, 15000);
    CU_ASSERT_EQUAL(o.mac[5], 255);
    CU_ASSERT_EQUAL(o.gateway, 0x0a0000fe);
    CU_ASSERT_EQUAL(o.wait_ms, 1500);
}

static void refused(void)
{
    static const struct {
        const char *line, *says;
    } table[] = {
        {"", "--mode is missing"},
        {"--mode both", "--local is missing"},
        {"--mode both --local 1.2.3.4:5", "--remote is missing"},
        {"--mode all", "--mode: expected send, receive, both, echo or reflect"},
        {"--mode both --local 1.2.3:5", "--local: expected an IPv4"},
        {"--mode both --local 1.2.3.4", "--local: expected IP:PORT[-LAST][+STEP]"},
        {"--mode both --local 1.2.3.4:0", "--local: expected IP:PORT"},
        {"--mode both --local 1.2.3.4:65536", "--local: expected IP:PORT"},
        {"--mode both --local 1.2.3.4:9-8+1", "--local: expected IP:PORT"},
        {"--mode both --local 1.2.3.4:9+0", "--local: expected IP:PORT"},
        {"--mode both --local 0.0.0.0:9", "--local: expected an IPv4"},
        {"--mode both --local 1.2.3.4:5 --remote 1.2.3.4:6 --streams 2", "need +STEP"},
        {"--mode both --local 255.255.255.255:65534+1 --remote 1.2.3.4:6 --streams 3", "addresses end"},
        {BASE "--streams 0", "--streams: expected a number from 1 to 50000"},
        {BASE "--first 1000001", "--first: expected"},
        {"--mode both --local 255.255.255.255:65534+1 --remote 1.2.3.4:6 --streams 1 --first 2",
         "before stream 2"},
        {BASE "--streams 50001", "--streams: expected"},
        {BASE "--suite AES", "--suite: expected off, AES_CM"},
        {BASE "--tx-key AAAA", "need a --suite"},
        {BASE "--suite AEAD_AES_128_GCM --rx-key AAAA", "--rx-key: expected 28 bytes"},
        {BASE "--payload 19", "--payload: expected a number from 20"},
        {BASE "--payload 1401", "--payload: expected"},
        {BASE "--ptime 0", "--ptime: expected"},
        {BASE "--ptime 20ms", "--ptime: expected"},
        {BASE "--ptime nan", "--ptime: expected"},
        {BASE "--packets 5 --duration 1", "give one"},
        {BASE "--duration 604800 --ptime 0.01", "--duration: 60480000000"},
        {BASE "--verify 1/0", "--verify: expected 1/N"},
        {BASE "--verify 5", "--verify: expected 1/N"},
        {BASE "--expect-loss -1", "--expect-loss: expected a percentage"},
        {BASE "--expect-loss 101", "--expect-loss: expected a percentage"},
        {BASE "--lose 60 --swap 60", "more than 100 %"},
        {BASE "--map x", "--map says which"},
        {"--mode both --map x --suite AEAD_AES_128_GCM", "--map says which"},
        {BASE "--port x", "go with --dpdk"},
        {BASE "--dpdk x --mac 03:00:00:00:00:01", "--mac: expected a unicast"},
        {BASE "--dpdk x --mac 02:00:00:00:01", "--mac: expected"},
        {BASE "--side c", "--side: expected a or b"},
        {BASE "--json", "needs a value"},
        {BASE "--jsn x", "unknown option"},
        {BASE "x", "'x' is not an option"},
        {"--mode receive --local 1.2.3.4:5 --remote 1.2.3.4:6 --start-heard", "--start-heard goes with"},
        {"--mode receive --local 1.2.3.4:5 --remote 1.2.3.4:6 --lose 1", "need a mode that sends"},
        {"--mode echo --local 1.2.3.4:5 --remote 1.2.3.4:6 --one-clock", "--one-clock goes with"},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const bool right = parse(table[i].line) == STREAM_ARGS_BAD && strstr(error, table[i].says) != NULL;

        if (!right)
            printf("'%s' says '%s'\n", table[i].line, error);
        CU_ASSERT_TRUE(right);
        CU_ASSERT_PTR_NULL(strchr(error, '\n'));
    }
}

static void ranges(void)
{
    struct plan_entry e;

    CU_ASSERT_EQUAL(parse("--mode send --local 10.0.0.1:4000-4006+2 --remote 10.0.1.255:65530+5 --streams 9"),
                    STREAM_ARGS_RUN);
    static const struct {
        struct endpoint local, remote;
    } want[] = {
        {{0x0a000001, 4000}, {0x0a0001ff, 65530}}, {{0x0a000001, 4002}, {0x0a0001ff, 65535}},
        {{0x0a000001, 4004}, {0x0a000200, 65530}}, {{0x0a000001, 4006}, {0x0a000200, 65535}},
        {{0x0a000002, 4000}, {0x0a000201, 65530}},
    };
    for (uint32_t i = 0; i < 5; i++) {
        plan_entry_of(&o, i, &e);
        CU_ASSERT_TRUE(e.local.ip == want[i].local.ip && e.local.port == want[i].local.port);
        CU_ASSERT_TRUE(e.remote.ip == want[i].remote.ip && e.remote.port == want[i].remote.port);
    }
    CU_ASSERT_EQUAL(parse("--mode send --local 10.0.0.1:4000 --remote 10.0.0.2:6000+1 --streams 9"),
                    STREAM_ARGS_RUN);
    plan_entry_of(&o, 8, &e);
    CU_ASSERT_EQUAL(e.local.port, 4000);
    CU_ASSERT_EQUAL(e.remote.port, 6008);
}

// What one side sends with is what the other receives with, and no two streams or directions have the same.
static void derived_keys_agree(void)
{
    for (int suite = STREAM_PLAIN + 1; suite < STREAM_SUITES; suite++) {
        struct plan_entry a[3], b[3];
        char line[300];

        for (int side = 0; side < 2; side++) {
            snprintf(line, sizeof line, BASE "--streams 3 --suite %s --seed s --side %c", suites_names[suite],
                     side ? 'b' : 'a');
            CU_ASSERT_EQUAL_FATAL(parse(line), STREAM_ARGS_RUN);
            for (uint32_t i = 0; i < 3; i++)
                plan_entry_of(&o, i, side ? &b[i] : &a[i]);
        }
        const size_t n = suites_key_length((enum stream_suite)suite);
        for (int i = 0; i < 3; i++) {
            CU_ASSERT_EQUAL(memcmp(&a[i].tx_key, &b[i].rx_key, n), 0);
            CU_ASSERT_EQUAL(memcmp(&a[i].rx_key, &b[i].tx_key, n), 0);
            CU_ASSERT_NOT_EQUAL(memcmp(&a[i].rx_key, &a[i].tx_key, n), 0);
            CU_ASSERT_NOT_EQUAL(memcmp(&a[i].tx_key, &a[(i + 1) % 3].tx_key, n), 0);
        }
    }
}

static enum plan_line read_line(const char *text, struct plan_entry *e)
{
    char copy[600];

    strcpy(copy, text);
    return plan_read_line(&o, 7, copy, e, error, sizeof error);
}

#define KEY_30 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"

static void maps(void)
{
    struct plan_entry e, derived;
    static const char *const bad[] = {
        "1.2.3.4:5",
        "1.2.3.4 1.2.3.4:5",
        "1.2.3.4:5 1.2.3.4:0",
        "1.2.3.4:5 1.2.3:6",
        "1.2.3.4:5 1.2.3.4:6 AES",
        "1.2.3.4:5 1.2.3.4:6 AES_CM_128_HMAC_SHA1_80 AAAA",
        "1.2.3.4:5 1.2.3.4:6 AES_CM_128_HMAC_SHA1_80 " KEY_30 " *" KEY_30,
        "1.2.3.4:5 1.2.3.4:6 AES_CM_128_HMAC_SHA1_80 " KEY_30 " " KEY_30 " more",
        "1.2.3.4:5 1.2.3.4:6 AEAD_AES_128_GCM " KEY_30,
    };

    CU_ASSERT_EQUAL(parse("--mode both --map x"), STREAM_ARGS_RUN);
    CU_ASSERT_EQUAL(read_line("", &e), PLAN_LINE_EMPTY);
    CU_ASSERT_EQUAL(read_line("  \r\n", &e), PLAN_LINE_EMPTY);
    CU_ASSERT_EQUAL(read_line("# 1.2.3.4:5 1.2.3.4:6", &e), PLAN_LINE_EMPTY);
    CU_ASSERT_EQUAL(read_line("1.2.3.4:5\t10.0.0.255:65535\n", &e), PLAN_LINE_STREAM);
    CU_ASSERT_EQUAL(e.suite, STREAM_PLAIN);
    CU_ASSERT_TRUE(e.local.ip == 0x01020304 && e.local.port == 5);
    CU_ASSERT_TRUE(e.remote.ip == 0x0a0000ff && e.remote.port == 65535);

    CU_ASSERT_EQUAL(read_line("1.2.3.4:5 1.2.3.4:6 AES_CM_128_HMAC_SHA1_80", &derived), PLAN_LINE_STREAM);
    CU_ASSERT_EQUAL(read_line("1.2.3.4:5 1.2.3.4:6 AES_CM_128_HMAC_SHA1_80 - " KEY_30, &e), PLAN_LINE_STREAM);
    CU_ASSERT_EQUAL(e.suite, STREAM_AES_CM_128_HMAC_SHA1_80);
    for (uint8_t i = 0; i < 30; i++)
        CU_ASSERT_EQUAL(e.rx_key.bytes[i], i);
    CU_ASSERT_EQUAL(memcmp(&e.tx_key, &derived.tx_key, 30), 0);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const bool refused_it = read_line(bad[i], &e) == PLAN_LINE_BAD;

        if (!refused_it)
            printf("taken: %s\n", bad[i]);
        CU_ASSERT_TRUE(refused_it);
    }
}

static int ascending(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static void ssrcs_differ(void)
{
    static uint32_t all[2 * STREAMS_MAX];
    unsigned same = 0;

    for (uint32_t i = 0; i < STREAMS_MAX; i++) {
        all[2 * i] = plan_ssrc("seed", 'a', i);
        all[2 * i + 1] = plan_ssrc("seed", 'b', i);
    }
    qsort(all, 2 * STREAMS_MAX, sizeof *all, ascending);
    for (uint32_t i = 1; i < 2 * STREAMS_MAX; i++)
        same += all[i] == all[i - 1];
    CU_ASSERT_EQUAL(same, 0);
    CU_ASSERT_NOT_EQUAL(plan_ssrc("seed", 'a', 0), plan_ssrc("seen", 'a', 0));
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"defaults", defaults},
        {"values", values},
        {"refused", refused},
        {"ranges", ranges},
        {"derived_keys_agree", derived_keys_agree},
        {"maps", maps},
        {"ssrcs_differ", ssrcs_differ},
    };

    return test_main("streams args", TEST_CASES(cases), argc, argv);
}
