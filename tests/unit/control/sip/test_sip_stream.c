// SPDX-License-Identifier: BSD-3-Clause
// Framing: whole messages out of a stream, wherever the stream is cut.
#include "control/sip/msg.h"
#include "control/sip/stream.h"
#include "runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void put(struct sip_stream *s, const char *bytes, size_t len)
{
    while (len) {
        char *p;
        size_t room;
        CU_ASSERT_FATAL(sip_stream_room(s, &p, &room) == 0 && room >= SIP_STREAM_READ);
        size_t n = len < room ? len : room;
        memcpy(p, bytes, n);
        sip_stream_filled(s, n);
        bytes += n;
        len -= n;
    }
}

// What comes out, as text: "M<length>" for a message, "P" for a ping, "B" for bad.
static void drain(struct sip_stream *s, char *out, size_t size)
{
    for (;;) {
        char *message;
        size_t len, at = strlen(out);
        switch (sip_stream_next(s, &message, &len)) {
        case SIP_STREAM_MORE:
            return;
        case SIP_STREAM_MESSAGE:
            snprintf(out + at, size - at, "M%zu", len);
            break;
        case SIP_STREAM_PING:
            snprintf(out + at, size - at, "P");
            break;
        case SIP_STREAM_PONG:
            snprintf(out + at, size - at, "O");
            break;
        default:
            snprintf(out + at, size - at, "B");
            return;
        }
    }
}

#define A "A x SIP/2.0\r\nContent-Length: 0\r\n\r\n"
#define B "B x SIP/2.0\r\nl : 3\r\nX: y\r\n\r\nabc"
#define C "C x SIP/2.0\r\nContent-Length:\r\n 12\r\n\r\nl: 5\r\n\r\nxxxx"
#define D "D x SIP/2.0\r\nX: no length\r\n\r\n"
#define L "E x SIP/2.0\nl: 1\n\nz"

static const struct {
    const char *stream, *expect;
} table[] = {
    {A, "M34"},
    {A B, "M34M31"},
    {A B C A, "M34M31M49M34"},
    {D A, "M29M34"},
    {L A, "M19M34"},
    {"\r\n\r\n", "P"},
    {"\r\n\r\n" A "\r\n\r\n\r\n\r\n" B, "PM34PPM31"},
    {"\r\n" A, "M34"},
    {"\n" A "\n\n" B, "M34M31"},
    {"\rA", "B"},
    {"A x SIP/2.0\r\nContent-Length: 65536\r\n\r\n", "B"},
    {"A x SIP/2.0\r\nContent-Length: -1\r\n\r\n", "B"},
    {"A x SIP/2.0\r\nContent-Length: 99999999999999999999\r\n\r\n", "B"},
    {"A x SIP/2.0\r\nContent-Length: 1\r\nl: 2\r\n\r\n", "B"},
    {"A x SIP/2.0\r\nContent-Length: 0\r\nl: 0\r\n\r\n", "M40"}, // the filter refuses it, its end is certain
    {"A x SIP/2.0\r\nContent-Length: \r\n\r\n", "B"},
    // a folded line is the value of the header above it, whatever it looks like
    {"A x SIP/2.0\r\nSubject: s\r\n Content-Length: 3000\r\nl: 0\r\n\r\n" A, "M56M34"},
    {"A x SIP/2.0\r\nSubject: s\r\n\tl: 77\r\n\r\n" A, "M35M34"},
    {"A x SIP/2.0\r\nSubject:\r\n l: 77\r\n l: 78\r\nl:\r\n\t\r\n 1\r\n\r\nz" A, "M53M34"},
    {"A x SIP/2.0\nSubject: s\n l: 77\nCONTENT-LENGTH: 2\n\nyz" A, "M51M34"},
    {"A x SIP/2.0\r\nContent-Length\r\n : 5\r\n\r\n" A, "M37M34"}, // no name ends in a fold
};

// Who pings takes a lone CR LF for the answer; two of them that come at once are a ping.
static void answers_to_pings(void)
{
    static const struct {
        const char *first, *then, *expect;
    } rows[] = {
        {"\r\n", "", "O"},          {"\r", "\n", "O"},        {"\r\n", "\r\n", "OO"},
        {"\r\n\r\n", "\r\n", "PO"}, {A "\r\n", A, "M34OM34"}, {"\r\n" A, "\r\n", "M34O"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct sip_stream s = {.pongs = true};
        char out[64] = "";
        put(&s, rows[i].first, strlen(rows[i].first));
        drain(&s, out, sizeof out);
        put(&s, rows[i].then, strlen(rows[i].then));
        drain(&s, out, sizeof out);
        CU_ASSERT_STRING_EQUAL(out, rows[i].expect);
        CU_ASSERT(!sip_stream_partial(&s));
        sip_stream_fini(&s);
    }
}

// Each stream cut at every byte, and byte by byte.
static void cut_anywhere(void)
{
    unsigned wrong = 0;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        size_t len = strlen(table[i].stream);
        for (size_t cut = 0; cut <= len; cut++) {
            struct sip_stream s = {0};
            char out[64] = "";
            put(&s, table[i].stream, cut);
            drain(&s, out, sizeof out);
            if (!strchr(out, 'B')) {
                put(&s, table[i].stream + cut, len - cut);
                drain(&s, out, sizeof out);
            }
            if (strcmp(out, table[i].expect) != 0 && wrong++ < 10)
                printf("     row %zu cut %zu: %s\n", i, cut, out);
            CU_ASSERT(strchr(out, 'B') || !sip_stream_partial(&s));
            sip_stream_fini(&s);
        }
        struct sip_stream s = {0};
        char out[64] = "";
        for (size_t at = 0; at < len && !strchr(out, 'B'); at++) {
            put(&s, table[i].stream + at, 1);
            drain(&s, out, sizeof out);
        }
        wrong += strcmp(out, table[i].expect) != 0;
        sip_stream_fini(&s);
    }
    CU_ASSERT(wrong == 0);
}

// A head that never ends, and a body that is longer than a message may be, are given up in time.
static void limits(void)
{
    struct sip_stream s = {0};
    char out[64] = "", chunk[1000];
    size_t given = 0;
    memset(chunk, 'x', sizeof chunk);
    while (!strchr(out, 'B') && given < 2 * SIP_STREAM_HEAD_MAX) {
        put(&s, chunk, sizeof chunk);
        given += sizeof chunk;
        drain(&s, out, sizeof out);
    }
    CU_ASSERT(given >= SIP_STREAM_HEAD_MAX && given <= SIP_STREAM_HEAD_MAX + sizeof chunk);
    CU_ASSERT(s.room <= SIP_STREAM_HEAD_MAX + 4 * SIP_STREAM_READ);
    sip_stream_fini(&s);

    // the largest message passes, and its buffer is bounded
    char head[64];
    int n = snprintf(head, sizeof head, "A x SIP/2.0\r\nl: %05u\r\n\r\n", 65000u);
    snprintf(head, sizeof head, "A x SIP/2.0\r\nl: %05u\r\n\r\n", (unsigned)(SIP_MESSAGE_MAX - n));
    out[0] = '\0';
    put(&s, head, (size_t)n);
    for (size_t left = SIP_MESSAGE_MAX - (size_t)n; left;) {
        size_t m = left < sizeof chunk ? left : sizeof chunk;
        put(&s, chunk, m);
        left -= m;
        drain(&s, out, sizeof out);
    }
    CU_ASSERT_STRING_EQUAL(out, "M65535");
    CU_ASSERT(s.room <= SIP_MESSAGE_MAX + 4 * SIP_STREAM_READ);
    sip_stream_fini(&s);

    snprintf(head, sizeof head, "A x SIP/2.0\r\nl: %05u\r\n\r\n", (unsigned)(SIP_MESSAGE_MAX - n + 1));
    out[0] = '\0';
    put(&s, head, (size_t)n);
    drain(&s, out, sizeof out);
    CU_ASSERT_STRING_EQUAL(out, "B");
    sip_stream_fini(&s);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"cut_anywhere", cut_anywhere}, {"answers_to_pings", answers_to_pings}, {"limits", limits}};
    return test_main("sip_stream", TEST_CASES(cases), argc, argv);
}
