// SPDX-License-Identifier: BSD-3-Clause
// The load generator's command line, its reading of SIP responses, percentiles and JSON texts.
#include "runner.h"

#include "tools/loadgen/args.h"
#include "tools/loadgen/tally.h"
#include "tools/loadgen/trace.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS_MAX = 32 };

// Splits at blanks and parses.
static enum args_result parse(const char *line, struct options *o, char *error, size_t size)
{
    static char copy[512];
    char *argv[WORDS_MAX] = {"trunkline-loadgen"};
    int argc = 1;

    snprintf(copy, sizeof copy, "%s", line);
    for (char *word = strtok(copy, " "); word != NULL && argc < WORDS_MAX - 1; word = strtok(NULL, " "))
        argv[argc++] = word;
    return args_parse(argc, argv, o, error, size);
}

static void args_good(void)
{
    struct options o;
    char error[300] = "";

    CU_ASSERT_EQUAL(
        parse("--local 10.0.0.1 --target 10.0.0.2:5080 --calls 50 --cps 2.5 --seconds 10 --transport tcp "
              "--srtp AEAD_AES_128_GCM --rtp-ports 30001-31000 --number +49",
              &o, error, sizeof error),
        ARGS_RUN);
    CU_ASSERT_STRING_EQUAL(o.local.ip, "10.0.0.1");
    CU_ASSERT_EQUAL(o.local.port, 5060);
    CU_ASSERT_EQUAL(o.target.port, 5080);
    CU_ASSERT_EQUAL(o.calls, 50);
    CU_ASSERT_TRUE(o.cps > 2.49 && o.cps < 2.51);
    CU_ASSERT_EQUAL(o.transport, OVER_TCP);
    CU_ASSERT_FALSE(options_have_tls(&o));
    CU_ASSERT_EQUAL(o.srtp, SUITE_AEAD_AES_128_GCM);
    CU_ASSERT_EQUAL(o.rtp_min, 30002);
    CU_ASSERT_STRING_EQUAL(o.prefix, "+49");

    CU_ASSERT_EQUAL(parse("--local 10.0.0.1 --certificate a --ca b", &o, error, sizeof error), ARGS_RUN);
    CU_ASSERT_TRUE(options_have_tls(&o) && o.transport == OVER_UDP);
    CU_ASSERT_STRING_EQUAL(o.certificate, "a");
    CU_ASSERT_STRING_EQUAL(o.ca, "b");
    CU_ASSERT_EQUAL(
        parse("--local 10.0.0.1:5070 --dtmf 12#A --telephone-event 97 --hold-every 10 --wrap-every 2 "
              "--hangup callee --codec pcmu --rtcp-mux --first-call 1000 --expect-calls 3 --start-after 2 "
              "--json x",
              &o, error, sizeof error),
        ARGS_RUN);
    CU_ASSERT_EQUAL(o.local.port, 5070);
    CU_ASSERT_STRING_EQUAL(o.dtmf, "12#A");
    CU_ASSERT_EQUAL(o.telephone_event, 97);
    CU_ASSERT_EQUAL(o.hangup, HANGUP_CALLEE);
    CU_ASSERT_EQUAL(o.codec, CODEC_PCMU);
    CU_ASSERT_EQUAL(o.expect_calls, 3);
    CU_ASSERT_EQUAL(o.start_after, 2);
    CU_ASSERT_STRING_EQUAL(o.json, "x");
    CU_ASSERT_EQUAL(parse("--help", &o, error, sizeof error), ARGS_HELP);
}

static void args_bad(void)
{
    static const struct {
        const char *line, *says;
    } table[] = {
        {"", "--local is missing"},
        {"--local", "--local needs a value"},
        {"--local 10.0.0", "expected IP:PORT"},
        {"--local 0.0.0.0", "expected IP:PORT"},
        {"--local 10.0.0.1:0", "expected a port"},
        {"--local 10.0.0.1:70000", "expected a port"},
        {"--local 10.0.0.1 --calls 1", "--target is missing"},
        {"--local 10.0.0.1 --target 10.0.0.2", "without a port"},
        {"--local 10.0.0.1 --calls -1", "--calls: expected a number from 0"},
        {"--local 10.0.0.1 --calls 99999999999999999999", "--calls: expected"},
        {"--local 10.0.0.1 --calls 1x", "--calls: expected"},
        {"--local 10.0.0.1 --cps nan", "--cps: expected"},
        {"--local 10.0.0.1 --cps 0", "--cps: expected"},
        {"--local 10.0.0.1 --srtp AES",
         "expected off, AES_CM_128_HMAC_SHA1_80 or AEAD_AES_128_GCM, got 'AES'"},
        {"--local 10.0.0.1 --transport sctp", "expected udp, tcp or tls"},
        {"--local 10.0.0.1:65535 --certificate x", "--local: TLS needs the port behind 65535"},
        {"--local 10.0.0.1 --rtp-ports 20000", "--rtp-ports: expected A-B"},
        {"--local 10.0.0.1 --rtp-ports 20001-20002", "--rtp-ports: expected A-B"},
        {"--local 10.0.0.1 --rtp-ports 30000-20000", "--rtp-ports: expected A-B"},
        {"--local 10.0.0.1 --dtmf 12E", "--dtmf: expected up to 16"},
        {"--local 10.0.0.1 --dtmf 12345678901234567", "--dtmf: expected up to 16"},
        {"--local 10.0.0.1 --telephone-event 8", "from 96 to 127"},
        {"--local 10.0.0.1 --number 12a", "--number: expected"},
        {"--local 10.0.0.1 --seconds 2 --hold-every 10", "too short for 0 digits and a hold"},
        {"--local 10.0.0.1 --target 1.2.3.4:5060 --calls 2 --first-call 9999999", "labels would pass"},
        {"--local 10.0.0.1 --frobnicate", "unknown option --frobnicate"},
        {"--local 10.0.0.1 stray", "'stray' is not an option"},
    };

    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct options o;
        char error[300] = "";

        CU_ASSERT_EQUAL(parse(table[i].line, &o, error, sizeof error), ARGS_BAD);
        CU_ASSERT_PTR_NOT_NULL(strstr(error, table[i].says));
        if (strstr(error, table[i].says) == NULL)
            printf("  '%s' gave '%s'\n", table[i].line, error);
        CU_ASSERT_PTR_NULL(strchr(error, '\n'));
    }
}

static bool is(struct trace_text t, const char *text)
{
    return t.length == strlen(text) && memcmp(t.text, text, t.length) == 0;
}

static bool read_text(const char *text, struct trace_response *r)
{
    // an exact copy, so that a sanitizer sees every byte too many
    const size_t length = strlen(text);
    char *copy = malloc(length + 1);
    bool result;

    memcpy(copy, text, length);
    char *exact = realloc(copy, length > 0 ? length : 1);
    result = trace_read(exact, length, r);
    if (result) { // point into the literal, which outlives the copy
        r->call_id.text = text + (r->call_id.text - exact);
        r->method.text = text + (r->method.text - exact);
    }
    free(exact);
    return result;
}

static void trace_responses(void)
{
    struct trace_response r;

    CU_ASSERT_TRUE(
        read_text("SIP/2.0 481 Gone\r\nVia: x\r\nCall-ID: abc@x\r\nCSeq: 2 BYE\r\n\r\nCall-ID: z\r\n", &r));
    CU_ASSERT_EQUAL(r.status, 481);
    CU_ASSERT_TRUE(is(r.call_id, "abc@x"));
    CU_ASSERT_TRUE(is(r.method, "BYE"));
    CU_ASSERT_TRUE(read_text("\r\n\r\nSIP/2.0 200 OK\r\ni : q\r\ncseq:1 INVITE\r\n", &r));
    CU_ASSERT_TRUE(is(r.call_id, "q"));
    CU_ASSERT_TRUE(is(r.method, "INVITE"));
    CU_ASSERT_FALSE(read_text("BYE sip:x SIP/2.0\r\nCall-ID: q\r\nCSeq: 1 BYE\r\n\r\n", &r));
    CU_ASSERT_FALSE(read_text("SIP/2.0 200 OK\r\nCall-ID: q\r\n\r\n", &r));
    CU_ASSERT_FALSE(read_text("SIP/2.0 200 OK\r\nCSeq: 1\r\nCall-ID: q\r\n\r\n", &r));
    CU_ASSERT_FALSE(read_text("SIP/2.0 2x0 OK\r\n\r\n", &r));
}

// Every cut of a message is read without a byte too many.
static void trace_truncated(void)
{
    static const char whole[] = "\r\nSIP/2.0 200 OK\r\nCall-ID: q\r\nCSeq:  7  BYE \r\n\r\n";
    struct trace_response r;
    char cut[sizeof whole];
    uint32_t good = 0;

    for (size_t length = 0; length < sizeof whole; length++) {
        memcpy(cut, whole, length);
        cut[length] = 0;
        good += read_text(cut, &r);
    }
    CU_ASSERT_TRUE(good >= 3);
}

static void percentiles(void)
{
    uint32_t hundred[100], one[] = {7}, three[] = {30, 10, 20};

    for (uint32_t i = 0; i < 100; i++)
        hundred[i] = 100 - i;
    CU_ASSERT_EQUAL(tally_percentile(hundred, 100, 50), 50);
    CU_ASSERT_EQUAL(tally_percentile(hundred, 100, 99), 99);
    CU_ASSERT_EQUAL(tally_percentile(hundred, 100, 100), 100);
    CU_ASSERT_EQUAL(tally_percentile(hundred, 100, 1), 1);
    CU_ASSERT_EQUAL(tally_percentile(one, 1, 50), 7);
    CU_ASSERT_EQUAL(tally_percentile(three, 3, 50), 20);
    CU_ASSERT_EQUAL(tally_percentile(three, 3, 99), 30);
    CU_ASSERT_EQUAL(tally_percentile(NULL, 0, 50), 0);
}

static void json_strings(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    tally_json_string(out, "a\"b\\c\n\xc3");
    fclose(out);
    CU_ASSERT_STRING_EQUAL(text, "\"a\\\"b\\\\c\\u000a\\u00c3\"");
    free(text);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"args_good", args_good},
        {"args_bad", args_bad},
        {"trace_responses", trace_responses},
        {"trace_truncated", trace_truncated},
        {"percentiles", percentiles},
        {"json_strings", json_strings},
    };

    return test_main("loadgen text", TEST_CASES(cases), argc, argv);
}
