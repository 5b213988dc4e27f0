// SPDX-License-Identifier: BSD-3-Clause
// The load generator's payloads, what a receiver makes of a stream of them, and telephone-events.
#include "runner.h"

#include "tools/loadgen/dtmf.h"
#include "tools/loadgen/receipt.h"

#include <string.h>

enum { LABEL = 1234567, SSRC = 0xcafe, SEQ0 = 65530, TS0 = 4294967000u % 0x7fffffff };

static struct payload packet(uint32_t number, uint32_t ordinal, uint8_t flags)
{
    return (struct payload){
        .label = LABEL,
        .number = number,
        .ordinal = ordinal,
        .timestamp = number * 160,
        .direction = PAYLOAD_FROM_CALLEE,
        .flags = flags,
    };
}

static struct receipt_header header(uint32_t number)
{
    return (struct receipt_header){
        .ssrc = SSRC,
        .seq = (uint16_t)(SEQ0 + number),
        .timestamp = TS0 + number * 160,
        .arrival = 77 + number * 160,
    };
}

static void take(struct receipt *r, const struct receipt_header *h, const struct payload *p)
{
    uint8_t data[PAYLOAD_BYTES];

    payload_write(data, p);
    receipt_take_header(r, h);
    receipt_take_audio(r, h, data, sizeof data);
}

static void counted(struct receipt *r, uint32_t number)
{
    const struct payload p = packet(number, number + 1, PAYLOAD_COUNTED);
    const struct receipt_header h = header(number);

    take(r, &h, &p);
}

static void final(struct receipt *r, uint32_t number, uint32_t total)
{
    const struct payload p = packet(number, total, PAYLOAD_FINAL);
    const struct receipt_header h = header(number);

    take(r, &h, &p);
}

static struct receipt fresh(void)
{
    struct receipt r;

    receipt_init(&r, LABEL, PAYLOAD_FROM_CALLEE);
    r.judging = true;
    return r;
}

static void payload_round_trip(void)
{
    uint8_t data[PAYLOAD_BYTES];
    const struct payload in = {LABEL, 0xffffffff, 77, 0x80000000, PAYLOAD_FROM_CALLEE, PAYLOAD_COUNTED};
    struct payload out;

    payload_write(data, &in);
    CU_ASSERT_EQUAL(payload_read(data, sizeof data, &out), PAYLOAD_OK);
    CU_ASSERT_EQUAL(out.label, in.label);
    CU_ASSERT_EQUAL(out.number, in.number);
    CU_ASSERT_EQUAL(out.ordinal, in.ordinal);
    CU_ASSERT_EQUAL(out.timestamp, in.timestamp);
    CU_ASSERT_EQUAL(out.direction, in.direction);
    CU_ASSERT_EQUAL(out.flags, in.flags);
}

// Every single bit of the packet is under watch.
static void payload_every_bit_matters(void)
{
    uint8_t data[PAYLOAD_BYTES];
    struct payload p = packet(3, 4, PAYLOAD_COUNTED), out;
    uint32_t passed = 0;

    payload_write(data, &p);
    for (size_t bit = 0; bit < sizeof data * 8; bit++) {
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        const enum payload_verdict v = payload_read(data, sizeof data, &out);
        CU_ASSERT_EQUAL(v, bit < 32 ? PAYLOAD_NOT_OURS : PAYLOAD_DAMAGED);
        passed += v == PAYLOAD_OK;
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CU_ASSERT_EQUAL(passed, 0);
}

static void payload_lengths(void)
{
    uint8_t data[PAYLOAD_BYTES + 1] = {0};
    struct payload p = packet(3, 4, PAYLOAD_COUNTED), out;

    payload_write(data, &p);
    for (size_t length = 0; length <= sizeof data; length++) {
        const enum payload_verdict expected = length == PAYLOAD_BYTES ? PAYLOAD_OK
                                              : length < 4            ? PAYLOAD_NOT_OURS
                                                                      : PAYLOAD_DAMAGED;
        CU_ASSERT_EQUAL(payload_read(data, length, &out), expected);
    }
}

static void receipt_clean_stream_over_a_wrap(void)
{
    struct receipt r = fresh();

    for (uint32_t n = 0; n < 500; n++)
        counted(&r, n);
    final(&r, 500, 500);
    CU_ASSERT_EQUAL(r.received, 500);
    CU_ASSERT_EQUAL(r.packets, 501);
    CU_ASSERT_EQUAL(r.uncounted, 1);
    CU_ASSERT_EQUAL(r.roc_steps, 1);
    CU_ASSERT_TRUE(r.final_known);
    CU_ASSERT_EQUAL(receipt_lost(&r), 0);
    CU_ASSERT_EQUAL(r.reordered + r.duplicate + r.seq_jumps + r.ts_jumps + r.bad_payload + r.misrouted, 0);
    CU_ASSERT_EQUAL(receipt_jitter_us(&r), 0);
}

static void receipt_counts_loss(void)
{
    struct receipt r = fresh();

    for (uint32_t n = 0; n < 100; n++)
        if (n % 10 != 3)
            counted(&r, n);
    CU_ASSERT_EQUAL(receipt_lost(&r), 10);
    // the last five never came; only the far side's total tells
    final(&r, 110, 105);
    CU_ASSERT_EQUAL(receipt_expected(&r), 105);
    CU_ASSERT_EQUAL(receipt_lost(&r), 15);
}

static void receipt_early_held_and_late(void)
{
    struct receipt r = fresh();
    struct payload p = packet(0, 0, 0);
    struct receipt_header h = header(0);

    take(&r, &h, &p);
    CU_ASSERT_EQUAL(r.early, 1);
    counted(&r, 1);
    p = packet(2, 2, PAYLOAD_PAUSED | PAYLOAD_HOLDS);
    h = header(2);
    take(&r, &h, &p);
    CU_ASSERT_TRUE(r.peer_paused && r.peer_holds);
    CU_ASSERT_EQUAL(r.uncounted, 1);
    CU_ASSERT_EQUAL(r.after_hold, 0);
    counted(&r, 3);
    CU_ASSERT_FALSE(r.peer_paused || r.peer_holds);
    CU_ASSERT_EQUAL(r.after_hold, 1);
}

static void receipt_order_and_duplicates(void)
{
    struct receipt r = fresh();

    counted(&r, 0);
    counted(&r, 2);
    counted(&r, 1);
    CU_ASSERT_EQUAL(r.reordered, 1);
    CU_ASSERT_EQUAL(r.received, 3);
    counted(&r, 1);
    counted(&r, 2);
    CU_ASSERT_EQUAL(r.duplicate, 2);
    CU_ASSERT_EQUAL(r.received, 3);
    CU_ASSERT_EQUAL(receipt_lost(&r), 0);
}

static void receipt_window_edges(void)
{
    struct receipt r = fresh();

    counted(&r, 0);
    counted(&r, RECEIPT_WINDOW - 1);
    counted(&r, 1);
    CU_ASSERT_EQUAL(r.reordered, 1);
    counted(&r, RECEIPT_WINDOW + 1);
    counted(&r, 2); // the oldest that the window still covers
    CU_ASSERT_EQUAL(r.reordered, 2);
    counted(&r, 1); // behind it, and indeed a duplicate
    CU_ASSERT_EQUAL(r.duplicate, 1);
    counted(&r, 100000); // far ahead: the whole window is new
    counted(&r, 99999);
    CU_ASSERT_EQUAL(r.reordered, 3);
}

static void receipt_tells_strangers(void)
{
    struct receipt r = fresh();
    struct payload p = packet(0, 1, PAYLOAD_COUNTED);
    struct receipt_header h = header(0);
    uint8_t silence[PAYLOAD_BYTES];

    p.label++;
    take(&r, &h, &p);
    p = packet(0, 1, PAYLOAD_COUNTED);
    p.direction = PAYLOAD_FROM_CALLER;
    take(&r, &h, &p);
    CU_ASSERT_EQUAL(r.misrouted, 2);
    memset(silence, 0xd5, sizeof silence);
    receipt_take_audio(&r, &h, silence, sizeof silence);
    CU_ASSERT_EQUAL(r.bad_payload, 1);
    CU_ASSERT_EQUAL(r.received, 0);
}

// A ringing tone is no fault, but a packet that counts is taken also before our ACK.
static void receipt_before_the_ack(void)
{
    struct receipt r = fresh();
    struct receipt_header h = header(0);
    uint8_t tone[PAYLOAD_BYTES];
    uint32_t fault = 0;

    r.judging = false;
    memset(tone, 0x55, sizeof tone);
    receipt_take_audio(&r, &h, tone, sizeof tone);
    receipt_fault(&r, &fault);
    CU_ASSERT_EQUAL(r.early, 2);
    CU_ASSERT_EQUAL(r.bad_payload + fault, 0);
    counted(&r, 0);
    CU_ASSERT_EQUAL(r.received, 1);
    r.judging = true;
    receipt_take_audio(&r, &h, tone, sizeof tone);
    receipt_fault(&r, &fault);
    CU_ASSERT_EQUAL(r.early, 2);
    CU_ASSERT_EQUAL(r.bad_payload, 1);
    CU_ASSERT_EQUAL(fault, 1);
}

static void receipt_watches_the_header(void)
{
    struct receipt r = fresh();
    struct payload p = packet(1, 2, PAYLOAD_COUNTED);
    struct receipt_header h = header(1);

    counted(&r, 0);
    h.seq++;
    take(&r, &h, &p);
    CU_ASSERT_EQUAL(r.seq_jumps, 1);
    CU_ASSERT_EQUAL(r.ts_jumps, 0);

    p = packet(2, 3, PAYLOAD_COUNTED);
    h = header(2);
    h.seq++;
    h.timestamp += 8;
    take(&r, &h, &p);
    CU_ASSERT_EQUAL(r.seq_jumps, 1);
    CU_ASSERT_EQUAL(r.ts_jumps, 1);

    // a new SSRC may start anywhere
    p = packet(3, 4, PAYLOAD_COUNTED);
    h = (struct receipt_header){.ssrc = 1, .seq = 9, .timestamp = 9};
    take(&r, &h, &p);
    CU_ASSERT_EQUAL(r.ssrc_changes, 1);
    CU_ASSERT_EQUAL(r.seq_jumps + r.ts_jumps, 2);
}

static void receipt_jitter(void)
{
    struct receipt r = fresh();

    for (uint32_t n = 0; n < 200; n++) {
        const struct payload p = packet(n, n + 1, PAYLOAD_COUNTED);
        struct receipt_header h = header(n);

        h.arrival += n % 2 * 80; // every second one 10 ms late
        take(&r, &h, &p);
    }
    CU_ASSERT_TRUE(receipt_jitter_us(&r) > 9000 && receipt_jitter_us(&r) <= 10000);
}

static void dtmf_all_digits(void)
{
    static const char digits[] = "0123456789*#ABCD";
    struct dtmf_sender s = {.digits = digits};
    struct dtmf_receiver r = {0};
    struct dtmf_packet out;
    uint32_t events = 0, ended = 0;

    for (uint32_t tick = 0; !dtmf_said(&s); tick++) {
        if (!dtmf_step(&s, tick * 160, &out))
            continue;
        CU_ASSERT_EQUAL(out.marker, events % DTMF_EVENT_TICKS == 0);
        events++;
        ended += out.last_of_digit;
        dtmf_take(&r, out.timestamp, out.payload, sizeof out.payload);
    }
    CU_ASSERT_EQUAL(ended, 16);
    CU_ASSERT_EQUAL(events, 16 * DTMF_EVENT_TICKS);
    CU_ASSERT_STRING_EQUAL(r.digits, digits);
    CU_ASSERT_EQUAL(dtmf_right(&r, digits), 16);
    CU_ASSERT_EQUAL(dtmf_wrong(&r, digits), 0);
    CU_ASSERT_EQUAL(dtmf_wrong(&r, "0123456789*#ABC"), 1); // one too many
    CU_ASSERT_EQUAL(dtmf_wrong(&r, "0123456789*#ABDD"), 1);
}

static void dtmf_survives_lost_packets(void)
{
    struct dtmf_sender s = {.digits = "5"};
    struct dtmf_receiver r = {0};
    struct dtmf_packet out;

    for (uint32_t tick = 0; !dtmf_said(&s); tick++)
        if (dtmf_step(&s, tick * 160, &out) && tick == 6) // only the last repetition of the end comes
            dtmf_take(&r, out.timestamp, out.payload, sizeof out.payload);
    CU_ASSERT_EQUAL(dtmf_right(&r, "5"), 1);
    CU_ASSERT_EQUAL(dtmf_wrong(&r, "5"), 0);
}

static void dtmf_faults(void)
{
    const uint8_t begin[] = {5, 10, 0, 160}, other[] = {6, 10, 1, 64}, back[] = {5, 10, 0, 80};
    const uint8_t no_digit[] = {16, 10, 0, 160};
    struct dtmf_receiver r = {0};

    dtmf_take(&r, 1000, begin, sizeof begin);
    CU_ASSERT_EQUAL(dtmf_right(&r, "5"), 0); // no end yet
    CU_ASSERT_EQUAL(dtmf_wrong(&r, "5"), 1);
    dtmf_take(&r, 1000, other, sizeof other);
    dtmf_take(&r, 1000, back, sizeof back);
    dtmf_take(&r, 2000, no_digit, sizeof no_digit);
    dtmf_take(&r, 2000, begin, 3);
    CU_ASSERT_EQUAL(r.malformed, 4);
    CU_ASSERT_EQUAL(r.heard, 1);
    for (uint32_t i = 0; i < 100; i++) // more than there is room for
        dtmf_take(&r, 10000 + i, begin, sizeof begin);
    CU_ASSERT_EQUAL(r.heard, 101);
    CU_ASSERT_EQUAL(strlen(r.digits), DTMF_DIGITS_MAX);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"payload_round_trip", payload_round_trip},
        {"payload_every_bit_matters", payload_every_bit_matters},
        {"payload_lengths", payload_lengths},
        {"receipt_clean_stream_over_a_wrap", receipt_clean_stream_over_a_wrap},
        {"receipt_counts_loss", receipt_counts_loss},
        {"receipt_early_held_and_late", receipt_early_held_and_late},
        {"receipt_order_and_duplicates", receipt_order_and_duplicates},
        {"receipt_window_edges", receipt_window_edges},
        {"receipt_tells_strangers", receipt_tells_strangers},
        {"receipt_before_the_ack", receipt_before_the_ack},
        {"receipt_watches_the_header", receipt_watches_the_header},
        {"receipt_jitter", receipt_jitter},
        {"dtmf_all_digits", dtmf_all_digits},
        {"dtmf_survives_lost_packets", dtmf_survives_lost_packets},
        {"dtmf_faults", dtmf_faults},
    };

    return test_main("loadgen media", TEST_CASES(cases), argc, argv);
}
