// SPDX-License-Identifier: BSD-3-Clause
// The load generator's bare streams: what a receiver says of packets that are lost, doubled, late, damaged,
// forged, another's. Packets are made by the sender's own code and changed on the way, plain and for each
// suite.
#include "tests/unit/runner.h"
#include "tools/loadgen/streams/port.h"

#include <re.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 2048, COUNT = 24, WRAPS_AT = 100 };

struct made {
    uint8_t data[ROOM];
    struct packet p;
};

static struct stream_options opened;
static struct flow *from, *to;
static uint32_t from_count, to_count;
static struct made made[COUNT];

// A sender of side a and a receiver of side b, two streams.
static void open_pair(enum stream_suite suite, const char *wrap_every)
{
    struct stream_options *o = &opened;
    char error[300] = "";
    char *argv[] = {
        "streams",          "--mode",    "both", "--local", "127.0.0.1:1000+2",          "--remote",
        "127.0.0.1:3000+2", "--streams", "2",    "--suite", (char *)suites_names[suite], "--wrap-every",
        (char *)wrap_every, "--packets", "200"};

    CU_ASSERT_EQUAL_FATAL(stream_options_parse(15, argv, o, error, sizeof error), STREAM_ARGS_RUN);
    CU_ASSERT_EQUAL_FATAL(flows_open(o, &from, &from_count, error, sizeof error), 0);
    o->side = 'b';
    CU_ASSERT_EQUAL_FATAL(flows_open(o, &to, &to_count, error, sizeof error), 0);
    CU_ASSERT_EQUAL_FATAL(to_count, 2);
}

static void close_pair(void)
{
    flows_close(from, from_count);
    flows_close(to, to_count);
}

static void build_into(struct made *m, uint32_t stream)
{
    m->p = (struct packet){.data = m->data, .room = ROOM, .stream = stream};
    CU_ASSERT_EQUAL(flow_build(&from[stream], &opened, &m->p, 1000), 0);
}

static void build_all(void)
{
    for (int i = 0; i < COUNT; i++)
        build_into(&made[i], 0);
}

// The receiver may change the bytes: it gets a copy.
static enum flow_verdict deliver_to(uint32_t stream, const struct made *m, uint32_t every)
{
    static uint8_t copy[ROOM];
    struct packet p = m->p;
    struct stamp s;

    memcpy(copy, m->data, m->p.length);
    p.data = copy;
    return flow_take(&to[stream], &opened, every, &p, &s);
}

static enum flow_verdict deliver(int i)
{
    return deliver_to(0, &made[i], 1);
}

static void say_end(void)
{
    struct made m = {.p = {.data = m.data, .room = ROOM}};

    from[0].total = from[0].number;
    CU_ASSERT_EQUAL(flow_build_final(&from[0], &opened, &m.p), 0);
    CU_ASSERT_EQUAL(deliver_to(0, &m, 1), FLOW_ENDED);
    CU_ASSERT_EQUAL(flow_build_final(&from[0], &opened, &m.p), 0);
    CU_ASSERT_EQUAL(deliver_to(0, &m, 1), FLOW_MORE_ENDED);
}

// What the ledger must say after a delivery.
struct want {
    uint64_t received, lost;
    uint32_t reordered, duplicate, replayed, bad_payload, bad_auth, misrouted;
};

static void compare(const char *what, enum stream_suite suite, const struct want *w)
{
    const struct ledger *l = &to[0].in;
    const bool same = l->received == w->received && ledger_lost(l) == w->lost &&
                      l->reordered == w->reordered && l->duplicate == w->duplicate &&
                      l->replayed == w->replayed && l->bad_payload == w->bad_payload &&
                      l->bad_auth == w->bad_auth && l->misrouted == w->misrouted;

    if (!same)
        printf("%s, %s: received %llu lost %llu reordered %u duplicate %u replayed %u payload %u auth %u "
               "misrouted %u\n",
               what, suites_names[suite], (unsigned long long)l->received, (unsigned long long)ledger_lost(l),
               l->reordered, l->duplicate, l->replayed, l->bad_payload, l->bad_auth, l->misrouted);
    CU_ASSERT_TRUE(same);
    CU_ASSERT_EQUAL(ledger_faults(l),
                    (uint64_t)w->duplicate + w->replayed + w->bad_payload + w->bad_auth + w->misrouted);
}

// Deliveries as texts: a letter is a packet, 'a' the first; upper case: one bit of it is wrong.
static void deliveries(void)
{
    static const struct {
        const char *what, *order;
        struct want plain, srtp;
    } table[] = {
        {"all", "abcdefghijklmnopqrstuvwx", {24, 0, 0, 0, 0, 0, 0, 0}, {24, 0, 0, 0, 0, 0, 0, 0}},
        {"one lost", "abcdefgijklmnopqrstuvwx", {23, 1, 0, 0, 0, 0, 0, 0}, {23, 1, 0, 0, 0, 0, 0, 0}},
        {"first and last lost",
         "bcdefghijklmnopqrstuvw",
         {22, 2, 0, 0, 0, 0, 0, 0},
         {22, 2, 0, 0, 0, 0, 0, 0}},
        {"swapped", "abdcefghijklmnopqrstuvwx", {24, 0, 1, 0, 0, 0, 0, 0}, {24, 0, 1, 0, 0, 0, 0, 0}},
        {"very late", "bcdefghijklmnopqrstuvwxa", {24, 0, 1, 0, 0, 0, 0, 0}, {24, 0, 1, 0, 0, 0, 0, 0}},
        {"backwards", "xwvutsrqponmlkjihgfedcba", {24, 0, 23, 0, 0, 0, 0, 0}, {24, 0, 23, 0, 0, 0, 0, 0}},
        {"twice", "aabcdefghijklmnopqrstuvwxc", {24, 0, 0, 2, 0, 0, 0, 0}, {24, 0, 0, 0, 2, 0, 0, 0}},
        {"damaged", "abcDefghijklmnopqrstuvwx", {23, 1, 0, 0, 0, 1, 0, 0}, {23, 1, 0, 0, 0, 0, 1, 0}},
        {"damaged and whole",
         "abcDdefghijklmnopqrstuvwx",
         {24, 0, 0, 0, 0, 1, 0, 0},
         {24, 0, 0, 0, 0, 0, 1, 0}},
        {"nothing but the end", "", {0, 24, 0, 0, 0, 0, 0, 0}, {0, 24, 0, 0, 0, 0, 0, 0}},
    };

    for (int suite = STREAM_PLAIN; suite < STREAM_SUITES; suite++) {
        for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
            open_pair((enum stream_suite)suite, "0");
            build_all();
            for (const char *c = table[i].order; *c != 0; c++) {
                const int at = (*c | 0x20) - 'a';
                const uint8_t bit = *c & 0x20 ? 0 : 0x10;

                made[at].data[60] ^= bit;
                deliver(at);
                made[at].data[60] ^= bit;
            }
            say_end();
            compare(table[i].what, (enum stream_suite)suite,
                    suite == STREAM_PLAIN ? &table[i].plain : &table[i].srtp);
            close_pair();
        }
    }
}

// Every byte that an SRTP packet protects, its tag included.
static void every_byte_is_authentic(void)
{
    for (int suite = STREAM_PLAIN + 1; suite < STREAM_SUITES; suite++) {
        unsigned taken = 0;

        open_pair((enum stream_suite)suite, "0");
        build_into(&made[0], 0);
        for (uint32_t at = 4; at < made[0].p.length; at++) {
            made[0].data[at] ^= 1;
            taken += deliver(0) != FLOW_BAD;
            made[0].data[at] ^= 1;
        }
        CU_ASSERT_EQUAL(taken, 0);
        CU_ASSERT_EQUAL(to[0].in.bad_auth, made[0].p.length - 4);
        CU_ASSERT_EQUAL(deliver(0), FLOW_GOOD);
        close_pair();
    }
}

static void other_keys_are_seen(void)
{
    open_pair(STREAM_AEAD_AES_128_GCM, "0");
    build_into(&made[0], 1);
    CU_ASSERT_EQUAL(deliver_to(0, &made[0], 1), FLOW_BAD); // each stream has its own
    CU_ASSERT_EQUAL(to[0].in.bad_auth, 1);
    CU_ASSERT_EQUAL(deliver_to(1, &made[0], 1), FLOW_GOOD);
    close_pair();
}

static void wraps(void)
{
    for (int suite = STREAM_PLAIN; suite < STREAM_SUITES; suite++) {
        open_pair((enum stream_suite)suite, "1");
        for (int i = 0; i < 2 * WRAPS_AT; i++) {
            build_into(&made[0], 0);
            CU_ASSERT_EQUAL(deliver(0), FLOW_GOOD);
        }
        say_end();
        compare("wrap", (enum stream_suite)suite, &(struct want){.received = 2 * WRAPS_AT});
        close_pair();
    }
}

static void what_is_no_packet_of_the_stream(void)
{
    struct made odd;

    open_pair(STREAM_PLAIN, "0");
    build_all();
    CU_ASSERT_EQUAL(deliver(0), FLOW_GOOD);

    build_into(&odd, 1); // right to the last byte, but another stream's
    CU_ASSERT_EQUAL(deliver_to(0, &odd, 1), FLOW_BAD);
    CU_ASSERT_EQUAL(to[0].in.misrouted, 1);

    odd = made[1], odd.p.data = odd.data;
    odd.p.foreign = true;
    CU_ASSERT_EQUAL(deliver_to(0, &odd, 1), FLOW_BAD);
    CU_ASSERT_EQUAL(to[0].in.foreign, 1);

    odd = made[1];
    odd.data[1] = 0; // PCMU
    CU_ASSERT_EQUAL(deliver_to(0, &odd, 1), FLOW_BAD);
    CU_ASSERT_EQUAL(to[0].in.bad_pt, 1);

    odd = made[1];
    odd.data[1] = 200; // a sender report
    CU_ASSERT_EQUAL(deliver_to(0, &odd, 1), FLOW_RTCP);
    CU_ASSERT_EQUAL(to[0].rtcp, 1);
    CU_ASSERT_EQUAL(to[0].in.received, 1);
    close_pair();
}

// Headers that lie about lengths; each is exactly as long as it says, so a read too far is seen.
static void lying_headers(void)
{
    static const struct {
        uint32_t length;
        uint8_t first, last;
    } table[] = {
        {0, 0x80, 0},  {1, 0x80, 0},  {11, 0x80, 0}, {12, 0x40, 0}, {12, 0x81, 0},
        {15, 0x81, 0}, {71, 0x8f, 0}, {12, 0x90, 0}, {15, 0x90, 0}, {16, 0x90, 255},
        {12, 0xa0, 0}, {13, 0xa0, 0}, {13, 0xa0, 2}, {30, 0xbf, 9},
    };

    open_pair(STREAM_PLAIN, "0");
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        uint8_t *data = calloc(1, table[i].length + 1);
        struct packet p = {.length = table[i].length, .room = table[i].length};
        struct stamp s;

        CU_ASSERT_PTR_NOT_NULL_FATAL(data);
        p.data = data + 1; // so that one byte too many is outside
        if (p.length > 0)
            p.data[0] = table[i].first;
        if (p.length > 1)
            p.data[1] = 8;
        if (p.length > 2)
            p.data[p.length - 1] = table[i].last;
        CU_ASSERT_EQUAL(flow_take(&to[0], &opened, 1, &p, &s), FLOW_BAD);
        free(data);
    }
    CU_ASSERT_EQUAL(to[0].in.bad_rtp, sizeof table / sizeof *table);
    close_pair();
}

// CSRCs, an extension and padding are RTP as well.
static void longer_headers(void)
{
    struct made m, plain;

    open_pair(STREAM_PLAIN, "0");
    build_into(&plain, 0);
    m = plain, m.p.data = m.data;
    memset(m.data + 12, 0x55, 8); // two CSRCs
    memcpy(m.data + 20, (uint8_t[]){0xbe, 0xde, 0, 1, 1, 2, 3, 4}, 8);
    memcpy(m.data + 28, plain.data + 12, opened.payload);
    memcpy(m.data + 28 + opened.payload, (uint8_t[]){0, 0, 3}, 3);
    m.data[0] = 0xb2;
    m.p.length = plain.p.length + 16 + 3;
    CU_ASSERT_EQUAL(deliver_to(0, &m, 1), FLOW_GOOD);
    close_pair();
}

static void renumbering_is_seen(void)
{
    open_pair(STREAM_PLAIN, "0");
    build_all();
    deliver(0);
    made[1].data[3] ^= 4; // sequence number
    made[2].data[7] ^= 1; // timestamp
    made[3].data[8] ^= 1; // SSRC
    for (int i = 1; i < 5; i++)
        deliver(i);
    CU_ASSERT_EQUAL(to[0].in.seq_jumps, 2); // there and back
    CU_ASSERT_EQUAL(to[0].in.ts_jumps, 2);
    CU_ASSERT_EQUAL(to[0].in.ssrc_changes, 2);
    CU_ASSERT_EQUAL(to[0].in.received, 5);
    close_pair();
}

// The receiver need not be told how long a packet is: the first two say so, whichever they are.
static void any_packet_time(void)
{
    static const char *const orders[] = {"abcdefgh", "dcbaefgh", "hgfedcba", "bbcdef"};

    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        open_pair(STREAM_PLAIN, "0");
        opened.ptime_us = 30000;
        build_all();
        for (const char *c = orders[i]; *c != 0; c++)
            deliver(*c - 'a');
        CU_ASSERT_EQUAL(to[0].in.ts_jumps, 0);
        made[20].data[7] ^= 1;
        deliver(20);
        CU_ASSERT_EQUAL(to[0].in.ts_jumps, 1);
        close_pair();
    }
}

// One in four is unprotected and read; the others are judged by their header, and lose nothing by it.
static void sampling(void)
{
    for (int suite = STREAM_PLAIN; suite < STREAM_SUITES; suite++) {
        uint32_t skipped = 0;

        open_pair((enum stream_suite)suite, "0");
        build_all();
        for (int i = 0; i < COUNT; i++) {
            if (i == 5 || i == 6)
                continue;
            if (i == 9)
                deliver_to(0, &made[11], 4);
            skipped += deliver_to(0, &made[i], 4) == FLOW_UNVERIFIED;
        }
        CU_ASSERT_TRUE(skipped >= COUNT / 2 && skipped < COUNT);
        say_end();
        CU_ASSERT_EQUAL(to[0].in.received, COUNT - 2);
        CU_ASSERT_EQUAL(ledger_lost(&to[0].in), 2);
        CU_ASSERT_EQUAL(to[0].in.reordered, 2);
        CU_ASSERT_EQUAL(to[0].in.duplicate + to[0].in.replayed, 1);
        CU_ASSERT_TRUE(to[0].in.verified < to[0].in.received);
        close_pair();
    }
}

// After 512 packets nobody knows whether it is late or a duplicate.
static void too_late(void)
{
    open_pair(STREAM_PLAIN, "0");
    build_all();
    deliver(0);
    for (int i = 0; i < LEDGER_WINDOW; i++) {
        struct made m;

        build_into(&m, 0);
        deliver_to(0, &m, 1);
    }
    CU_ASSERT_EQUAL(deliver(1), FLOW_GOOD);
    CU_ASSERT_EQUAL(to[0].in.too_late, 1);
    CU_ASSERT_EQUAL(to[0].in.duplicate, 0);
    CU_ASSERT_EQUAL(to[0].in.received, LEDGER_WINDOW + 1);
    close_pair();
}

// A reflecting end returns what is right, under its own key, and nothing twice.
static void reflects(void)
{
    for (int suite = STREAM_PLAIN; suite < STREAM_SUITES; suite++) {
        struct made back;
        struct stamp s;
        enum flow_verdict verdict;

        open_pair((enum stream_suite)suite, "0");
        build_all();
        ledger_init(&from[0].in, from[0].ssrc); // as in mode echo
        for (int i = 0; i < COUNT; i++) {
            verdict = flow_take(&to[0], &opened, 1, &made[i].p, &s);
            CU_ASSERT_EQUAL(verdict, FLOW_GOOD);
            back.p = (struct packet){.data = back.data, .room = ROOM};
            CU_ASSERT_EQUAL(flow_reflect(&to[0], &made[i].p, verdict, &back.p), 0);
            CU_ASSERT_EQUAL(flow_take(&from[0], &opened, 1, &back.p, &s), FLOW_GOOD);
        }
        CU_ASSERT_EQUAL(from[0].in.received, COUNT);
        CU_ASSERT_EQUAL(ledger_faults(&from[0].in), 0);
        back.p = (struct packet){.data = back.data, .room = ROOM};
        CU_ASSERT_EQUAL(flow_reflect(&to[0], &made[0].p, FLOW_BAD, &back.p) == 0, suite == STREAM_PLAIN);
        CU_ASSERT_NOT_EQUAL(flow_reflect(&to[0], &made[0].p, FLOW_RTCP, &back.p), 0);
        close_pair();
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"deliveries", deliveries},
        {"every_byte_is_authentic", every_byte_is_authentic},
        {"other_keys_are_seen", other_keys_are_seen},
        {"wraps", wraps},
        {"what_is_no_packet_of_the_stream", what_is_no_packet_of_the_stream},
        {"lying_headers", lying_headers},
        {"longer_headers", longer_headers},
        {"renumbering_is_seen", renumbering_is_seen},
        {"any_packet_time", any_packet_time},
        {"sampling", sampling},
        {"too_late", too_late},
        {"reflects", reflects},
    };

    return test_main("streams verify", TEST_CASES(cases), argc, argv);
}
