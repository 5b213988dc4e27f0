// SPDX-License-Identifier: BSD-3-Clause
// Index, ROC, replay window and transmit window by tables around every edge.
#include <stdio.h>
#include <string.h>

#include "dataplane/srtp/index.h"
#include "runner.h"

#define ROC(roc, seq) ((uint64_t)(roc) << 16 | (seq))
#define COUNT(array)  (sizeof(array) / sizeof((array)[0]))
enum {
    OK = SRTP_OK,
    REPLAYED = TL_DROP_replayed,
    OLD = TL_DROP_too_old,
    USED = TL_DROP_tx_index_used,
    END = TL_DROP_tx_index_end,
};

// Asserts for row `i` of a table, and says which row it was.
static void row(size_t i, int line, int ok)
{
    CU_ASSERT(ok);
    if (!ok)
        printf("     row %zu, line %d\n", i, line);
}

// ---- received ----------------------------------------------------------------------------------------

// What index a sequence number has, given the highest so far.
static void estimates(void)
{
    static const struct {
        int line;
        uint64_t top;
        uint16_t seq;
        uint64_t index;
        uint8_t status;
    } t[] = {
        // ROC 0, low half: neighbours, far ahead, and what would be ROC -1
        {__LINE__, ROC(0, 0), 1, ROC(0, 1), OK},
        {__LINE__, ROC(0, 0), 0, ROC(0, 0), REPLAYED},
        {__LINE__, ROC(0, 0), 32768, ROC(0, 32768), OK},
        {__LINE__, ROC(0, 0), 32769, ROC(0, 32769), OK},
        {__LINE__, ROC(0, 0), 65535, ROC(0, 65535), OK},
        {__LINE__, ROC(0, 5), 65535, ROC(0, 65535), OK},
        {__LINE__, ROC(0, 32767), 65535, ROC(0, 65535), OK},
        {__LINE__, ROC(0, 32767), 0, ROC(0, 0), OLD},
        // ROC 0, high half: the wrap
        {__LINE__, ROC(0, 32768), 0, ROC(0, 0), OLD},
        {__LINE__, ROC(0, 32769), 0, ROC(1, 0), OK},
        {__LINE__, ROC(0, 32769), 1, ROC(0, 1), OLD},
        {__LINE__, ROC(0, 65535), 0, ROC(1, 0), OK},
        {__LINE__, ROC(0, 65535), 32766, ROC(1, 32766), OK},
        {__LINE__, ROC(0, 65535), 32767, ROC(0, 32767), OLD},
        {__LINE__, ROC(0, 65535), 32768, ROC(0, 32768), OLD},
        // behind the wrap: late packets belong to the turn before
        {__LINE__, ROC(1, 0), 65535, ROC(0, 65535), OK},
        {__LINE__, ROC(1, 0), 65409, ROC(0, 65409), OK},
        {__LINE__, ROC(1, 0), 65408, ROC(0, 65408), OLD},
        {__LINE__, ROC(1, 0), 32769, ROC(0, 32769), OLD},
        {__LINE__, ROC(1, 0), 32768, ROC(1, 32768), OK},
        {__LINE__, ROC(1, 0), 32767, ROC(1, 32767), OK},
        {__LINE__, ROC(1, 126), 65535, ROC(0, 65535), OK},
        {__LINE__, ROC(1, 127), 65535, ROC(0, 65535), OLD},
        // both ties of appendix A stay in the turn
        {__LINE__, ROC(7, 100), 32868, ROC(7, 32868), OK},
        {__LINE__, ROC(7, 40000), 7232, ROC(7, 7232), OLD},
        // the ROC has 32 bits, all of them
        {__LINE__, ROC(0x7fffffff, 65535), 0, ROC(0x80000000, 0), OK},
        {__LINE__, ROC(0xfffffffe, 65535), 0, ROC(0xffffffff, 0), OK},
        {__LINE__, ROC(0xffffffff, 0), 65535, ROC(0xfffffffe, 65535), OK},
        {__LINE__, ROC(0xffffffff, 65534), 65535, ROC(0xffffffff, 65535), OK},
        {__LINE__, ROC(0xffffffff, 65535), 65534, ROC(0xffffffff, 65534), OK},
        {__LINE__, ROC(0xffffffff, 65535), 65535, ROC(0xffffffff, 65535), REPLAYED},
        {__LINE__, ROC(0xffffffff, 65535), 0, 1ull << 48, END},
        {__LINE__, ROC(0xffffffff, 40000), 100, 1ull << 48 | 100, END},
    };
    for (size_t i = 0; i < COUNT(t); i++) {
        struct srtp_rx rx = {0}, before;
        uint64_t index = 0;
        CU_ASSERT(srtp_rx_commit(&rx, t[i].top) == SRTP_OK);
        before = rx;
        uint8_t status = srtp_rx_check(&rx, t[i].seq, &index);
        row(i, t[i].line, status == t[i].status && index == t[i].index);
        row(i, t[i].line, memcmp(&rx, &before, sizeof rx) == 0); // it only reads
    }
}

// One stream from its first packet on, each row after the one before.
struct step {
    int line;
    uint16_t seq;
    uint64_t index;
    uint8_t status;
};

static void walk(struct srtp_rx *rx, const struct step *t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t index = 0;
        uint8_t status = srtp_rx_check(rx, t[i].seq, &index);
        row(i, t[i].line, status == t[i].status && index == t[i].index);
        if (status == SRTP_OK)
            row(i, t[i].line, srtp_rx_commit(rx, index) == SRTP_OK);
    }
}

static void first_packets(void)
{
    // reordered before the first, down to the window's edge
    static const struct step reordered[] = {
        {__LINE__, 1000, 1000, OK},     {__LINE__, 998, 998, OK},  {__LINE__, 999, 999, OK},
        {__LINE__, 998, 998, REPLAYED}, {__LINE__, 873, 873, OK},  {__LINE__, 872, 872, OLD},
        {__LINE__, 1001, 1001, OK},     {__LINE__, 873, 873, OLD},
    };
    // the first packets wrap, in order and not
    static const struct step wraps[] = {
        {__LINE__, 65534, 65534, OK},       {__LINE__, 0, ROC(1, 0), OK}, {__LINE__, 65535, 65535, OK},
        {__LINE__, 65533, 65533, OK},       {__LINE__, 1, ROC(1, 1), OK}, {__LINE__, 65535, 65535, REPLAYED},
        {__LINE__, 0, ROC(1, 0), REPLAYED},
    };
    // first came 0; what the sender sent before cannot be told from a jump ahead, authentication decides
    static const struct step zero[] = {
        {__LINE__, 0, 0, OK},
        {__LINE__, 1, 1, OK},
        {__LINE__, 65535, 65535, OK},
        {__LINE__, 2, ROC(1, 2), OK},
    };
    struct srtp_rx rx = {0};
    CU_ASSERT(srtp_rx_fresh(&rx));
    walk(&rx, reordered, COUNT(reordered));
    CU_ASSERT(!srtp_rx_fresh(&rx));
    rx = (struct srtp_rx){0};
    walk(&rx, wraps, COUNT(wraps));
    rx = (struct srtp_rx){0};
    walk(&rx, zero, COUNT(zero));

    // not authenticated, not committed: the next one starts from nothing again
    rx = (struct srtp_rx){0};
    uint64_t index = 0;
    CU_ASSERT(srtp_rx_check(&rx, 60000, &index) == SRTP_OK && index == 60000);
    CU_ASSERT(srtp_rx_check(&rx, 3, &index) == SRTP_OK && index == 3 && srtp_rx_fresh(&rx));
}

// Every age in the window, free and taken, for steps of the top of every size up to past it.
static void window_edges(void)
{
    for (uint64_t step = 1; step <= SRTP_WINDOW + 70; step++) {
        struct srtp_window w = {0};
        CU_ASSERT(srtp_window_take(&w, 1000) == OK);
        CU_ASSERT(srtp_window_take(&w, 1000 - 63) == OK);
        CU_ASSERT(srtp_window_take(&w, 1000 - 64) == OK);
        CU_ASSERT(srtp_window_take(&w, 1000 - 127) == OK);
        CU_ASSERT(srtp_window_take(&w, 1000 - 128) == OLD);
        CU_ASSERT(srtp_window_take(&w, 1000 + step) == OK && w.top == 1000 + step);
        for (uint64_t age = 0; age <= SRTP_WINDOW + 200; age++) {
            uint64_t index = 1000 + step - age;
            bool taken = age == 0 || index == 1000 || index == 937 || index == 936 || index == 873;
            uint8_t expected = age >= SRTP_WINDOW ? OLD : taken ? REPLAYED : OK;
            row(age, (int)step, srtp_window_check(&w, index) == expected);
        }
    }
    struct srtp_window empty = {0};
    CU_ASSERT(srtp_window_check(&empty, 0) == OK && srtp_window_empty(&empty));
    CU_ASSERT(srtp_window_take(&empty, 0) == OK && !srtp_window_empty(&empty));
    CU_ASSERT(srtp_window_take(&empty, 0) == REPLAYED);
    struct srtp_window far = {0}; // a step of nearly everything
    CU_ASSERT(srtp_window_take(&far, 0) == OK && srtp_window_take(&far, SRTP_INDEX_MAX) == OK);
    CU_ASSERT(srtp_window_check(&far, SRTP_INDEX_MAX - 127) == OK);
    CU_ASSERT(srtp_window_check(&far, SRTP_INDEX_MAX - 128) == OLD);
    CU_ASSERT(srtp_window_check(&far, 0) == OLD);
}

// The same packet twice in a burst passes the check twice and the commit once; so does one that fell out of
// the window by what the burst committed before it.
static void twice_in_a_burst(void)
{
    struct srtp_rx rx = {0};
    uint64_t a = 0, b = 0, c = 0;
    CU_ASSERT(srtp_rx_commit(&rx, 500) == OK);
    CU_ASSERT(srtp_rx_check(&rx, 501, &a) == OK && srtp_rx_check(&rx, 501, &b) == OK);
    CU_ASSERT(srtp_rx_check(&rx, 400, &c) == OK);
    CU_ASSERT(srtp_rx_commit(&rx, a) == OK && srtp_rx_commit(&rx, b) == REPLAYED);
    CU_ASSERT(srtp_rx_commit(&rx, 600) == OK && srtp_rx_commit(&rx, c) == OLD);
}

static void rtcp_windows(void)
{
    struct srtp_rx rx = {0};
    CU_ASSERT(srtcp_rx_check(&rx, 0) == OK && srtcp_rx_commit(&rx, 0) == OK);
    CU_ASSERT(srtcp_rx_check(&rx, 0) == REPLAYED && srtcp_rx_check(&rx, 1) == OK);
    CU_ASSERT(srtcp_rx_commit(&rx, 63) == OK && srtcp_rx_check(&rx, 0) == REPLAYED);
    CU_ASSERT(srtcp_rx_commit(&rx, 64) == OK && srtcp_rx_check(&rx, 0) == OLD &&
              srtcp_rx_check(&rx, 1) == OK);
    CU_ASSERT(srtcp_rx_commit(&rx, 1) == OK && srtcp_rx_commit(&rx, 1) == REPLAYED);
    CU_ASSERT(srtcp_rx_commit(&rx, 64 + 64) == OK && srtcp_rx_check(&rx, 64) == OLD &&
              srtcp_rx_check(&rx, 65) == OK);
    CU_ASSERT(srtcp_rx_commit(&rx, SRTCP_INDEX_MAX) == OK);
    CU_ASSERT(srtcp_rx_check(&rx, 0) == OLD); // an index never wraps under one key
    CU_ASSERT(srtcp_rx_check(&rx, SRTCP_INDEX_MAX) == REPLAYED);
    CU_ASSERT(srtp_rx_fresh(&rx)); // SRTP knows nothing of it

    struct srtp_tx tx = {0};
    uint32_t index = 77;
    CU_ASSERT(srtcp_tx_take(&tx, &index) == OK && index == 1);
    CU_ASSERT(srtcp_tx_take(&tx, &index) == OK && index == 2);
    tx.srtcp_index = SRTCP_INDEX_MAX - 1;
    CU_ASSERT(srtcp_tx_take(&tx, &index) == OK && index == SRTCP_INDEX_MAX);
    CU_ASSERT(srtcp_tx_take(&tx, &index) == END && srtcp_tx_take(&tx, &index) == END);
}

// ---- sent --------------------------------------------------------------------------------------------

// One near side, row after row. `index` counts only with OK.
struct sent {
    int line;
    uint32_t ssrc;
    uint16_t seq;
    uint64_t index;
    uint8_t status, event;
};

static void play(struct srtp_tx *tx, const struct sent *t, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t index = 0, top = tx->rtp.top;
        enum srtp_tx_event event = SRTP_TX_SAME;
        uint8_t status = srtp_tx_take(tx, t[i].ssrc, t[i].seq, &index, &event);
        row(i, t[i].line, status == t[i].status);
        if (status == SRTP_OK)
            row(i, t[i].line, index == t[i].index && event == (enum srtp_tx_event)t[i].event);
        else
            row(i, t[i].line, tx->rtp.top == top);
    }
}

enum { SAME = SRTP_TX_SAME, NEW = SRTP_TX_NEW };

static void sent_in_order(void)
{
    static const struct sent t[] = {
        {__LINE__, 1, 65533, 65533, OK, NEW},      {__LINE__, 1, 65534, 65534, OK, SAME},
        {__LINE__, 1, 65534, 0, USED, 0},          {__LINE__, 1, 0, ROC(1, 0), OK, SAME}, // one is late
        {__LINE__, 1, 65535, 65535, OK, SAME},     {__LINE__, 1, 65535, 0, USED, 0},
        {__LINE__, 1, 65533, 0, USED, 0},          {__LINE__, 1, 65500, 65500, OK, SAME}, // before the first
        {__LINE__, 1, 126, ROC(1, 126), OK, SAME}, {__LINE__, 1, 65535, 0, USED, 0},      // age 127, used
        {__LINE__, 1, 65536 - 1, 0, USED, 0},      {__LINE__, 1, 127, ROC(1, 127), OK, SAME},
        {__LINE__, 1, 1, ROC(1, 1), OK, SAME},     {__LINE__, 1, 0, 0, USED, 0}, // age 127, used
        {__LINE__, 1, 65535, 0, USED, 0},                                        // age 128: below the window
    };
    struct srtp_tx tx = {0};
    play(&tx, t, COUNT(t));
    CU_ASSERT(tx.rtp.top == ROC(1, 127) && tx.near_seq == 127);

    // nothing goes below index 0
    static const struct sent zero[] = {
        {__LINE__, 1, 2, 2, OK, NEW},
        {__LINE__, 1, 0, 0, OK, SAME},
        {__LINE__, 1, 65535, 0, USED, 0},
        {__LINE__, 1, 1, 1, OK, SAME},
    };
    tx = (struct srtp_tx){0};
    play(&tx, zero, COUNT(zero));
}

static void sent_with_jumps(void)
{
    static const struct sent t[] = {
        {__LINE__, 1, 100, 100, OK, NEW},
        {__LINE__, 1, 3099, 3099, OK, SAME}, // 2,999 ahead
        {__LINE__, 1, 6099, 3100, OK, NEW},  // 3,000 ahead: a new base, strictly above the highest
        {__LINE__, 1, 6099, 0, USED, 0},
        {__LINE__, 1, 6098, 0, USED, 0}, // late, but below the base
        {__LINE__, 1, 6100, 3101, OK, SAME},
        {__LINE__, 1, 3100, 0, USED, 0}, // back to where it was: a jump, first of two
        {__LINE__, 1, 3100, 0, USED, 0}, // the same again proves nothing
        {__LINE__, 1, 6101, 3102, OK, SAME},
        {__LINE__, 1, 3101, 0, USED, 0},    // so this is a first again
        {__LINE__, 1, 3103, 3103, OK, NEW}, // proved by one near it, though one between is lost
        {__LINE__, 1, 3102, 0, USED, 0},
        {__LINE__, 1, 2976, 0, USED, 0},    // 127 back, below the base
        {__LINE__, 1, 2975, 0, USED, 0},    // 128 back: a jump
        {__LINE__, 1, 2974, 3104, OK, NEW}, // proved, though the two came in the wrong order
        {__LINE__, 1, 2976, 3106, OK, SAME},
        {__LINE__, 1, 35743, 3107, OK, NEW}, // 32,767 ahead
        {__LINE__, 1, 2975, 0, USED, 0},     // 32,768 away is behind
    };
    struct srtp_tx tx = {0};
    play(&tx, t, COUNT(t));
}

static void sent_with_new_ssrc(void)
{
    static const struct sent t[] = {
        {__LINE__, 1, 65535, 65535, OK, NEW},
        {__LINE__, 2, 65535, ROC(1, 0), OK, NEW},
        {__LINE__, 2, 0, ROC(1, 1), OK, SAME},
        {__LINE__, 2, 65535, 0, USED, 0},
        {__LINE__, 1, 0, ROC(1, 2), OK, NEW},
        {__LINE__, 0, 7, ROC(1, 3), OK, NEW}, // 0 is an SSRC like others
        {__LINE__, 0, 8, ROC(1, 4), OK, SAME},
        {__LINE__, 0, 6, 0, USED, 0},
    };
    struct srtp_tx tx = {0};
    play(&tx, t, COUNT(t));

    // SSRC 0 at first is not the zero of an unused state
    static const struct sent zero[] = {
        {__LINE__, 0, 0, 0, OK, NEW},
        {__LINE__, 0, 0, 0, USED, 0},
        {__LINE__, 0, 1, 1, OK, SAME},
    };
    tx = (struct srtp_tx){0};
    play(&tx, zero, COUNT(zero));
}

// SRTCP windows at every age, for steps of every size up to past the window.
static void rtcp_window_edges(void)
{
    for (uint32_t step = 1; step <= SRTCP_WINDOW + 40; step++) {
        struct srtp_rx rx = {0};
        CU_ASSERT(srtcp_rx_commit(&rx, 1000) == OK && srtcp_rx_commit(&rx, 999) == OK);
        CU_ASSERT(srtcp_rx_commit(&rx, 1000 - 63) == OK && srtcp_rx_commit(&rx, 1000 - 64) == OLD);
        CU_ASSERT(srtcp_rx_commit(&rx, 1000 + step) == OK && rx.rtcp_top == 1000 + step);
        for (uint32_t age = 0; age <= SRTCP_WINDOW + 100; age++) {
            uint32_t index = 1000 + step - age;
            bool taken = age == 0 || index == 1000 || index == 999 || index == 937;
            row(age, (int)step,
                srtcp_rx_check(&rx, index) == (age >= SRTCP_WINDOW ? OLD
                                               : taken             ? REPLAYED
                                                                   : OK));
        }
    }
}

static void sent_to_the_end(void)
{
    static const struct sent t[] = {
        {__LINE__, 9, 5, SRTP_INDEX_MAX - 1, OK, NEW},
        {__LINE__, 9, 7, 0, END, 0},
        {__LINE__, 9, 6, SRTP_INDEX_MAX, OK, SAME},
        {__LINE__, 9, 7, 0, END, 0},
        {__LINE__, 9, 6, 0, USED, 0},
        {__LINE__, 9, 5, 0, USED, 0},
        {__LINE__, 8, 5, 0, END, 0},
        {__LINE__, 9, 5005, 0, END, 0},
        {__LINE__, 9, 60000, 0, USED, 0},
        {__LINE__, 9, 60001, 0, END, 0},
    };
    struct srtp_tx tx;
    srtp_tx_resume(&tx, SRTP_INDEX_MAX - 2, 0);
    play(&tx, t, COUNT(t));
    srtp_tx_resume(&tx, SRTP_INDEX_MAX, 0);
    static const struct sent none[] = {{__LINE__, 9, 5, 0, END, 0}};
    play(&tx, none, COUNT(none));
}

// ---- the live table's word ---------------------------------------------------------------------------

static void words_and_resume(void)
{
    CU_ASSERT(srtp_word(0, 0) != 0);
    CU_ASSERT(srtp_word_index(srtp_word(SRTP_INDEX_MAX, 0xffffffff)) == SRTP_INDEX_MAX);
    CU_ASSERT(srtp_word(0x123456789abc, 3) == 0x123456789abc8003);
    CU_ASSERT(srtp_word(1, 0x12345) == 0x1a345); // low 16 bits of the generation, top one set

    // received: everything up to the index counts as seen, the stream goes on around it
    struct srtp_rx rx;
    memset(&rx, 0xee, sizeof rx);
    srtp_rx_resume(&rx, 42, ROC(3, 65530), 9);
    static const struct step t[] = {
        {__LINE__, 65530, ROC(3, 65530), REPLAYED}, {__LINE__, 65529, ROC(3, 65529), REPLAYED},
        {__LINE__, 65403, ROC(3, 65403), REPLAYED}, {__LINE__, 65402, ROC(3, 65402), OLD},
        {__LINE__, 65531, ROC(3, 65531), OK},       {__LINE__, 2, ROC(4, 2), OK},
        {__LINE__, 65535, ROC(3, 65535), OK},       {__LINE__, 65530, ROC(3, 65530), REPLAYED},
    };
    CU_ASSERT(rx.ssrc == 42 && !srtp_rx_fresh(&rx));
    walk(&rx, t, COUNT(t));
    CU_ASSERT(srtcp_rx_check(&rx, 9) == REPLAYED && srtcp_rx_check(&rx, 0) == REPLAYED);
    CU_ASSERT(srtcp_rx_check(&rx, 10) == OK);

    // a stream of which only SRTCP was seen: its first sequence number may be any
    srtp_rx_resume(&rx, 43, 0, 9);
    static const struct step any[] = {{__LINE__, 50000, 50000, OK}};
    walk(&rx, any, COUNT(any));

    srtp_rx_resume(&rx, 44, TL_INDEX_NONE, 9);
    CU_ASSERT(srtp_rx_fresh(&rx) && srtcp_rx_check(&rx, 9) == REPLAYED && srtcp_rx_check(&rx, 10) == OK);

    // sent: whatever the near side does next is above
    struct srtp_tx tx;
    memset(&tx, 0xee, sizeof tx);
    srtp_tx_resume(&tx, ROC(3, 65535), 9);
    static const struct sent s[] = {
        {__LINE__, 5, 65535, ROC(4, 0), OK, NEW},
        {__LINE__, 5, 65534, 0, USED, 0},
        {__LINE__, 5, 0, ROC(4, 1), OK, SAME},
    };
    play(&tx, s, COUNT(s));
    uint32_t index = 0;
    CU_ASSERT(srtcp_tx_take(&tx, &index) == OK && index == 10);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"estimates", estimates},
        {"first_packets", first_packets},
        {"window_edges", window_edges},
        {"twice_in_a_burst", twice_in_a_burst},
        {"rtcp_windows", rtcp_windows},
        {"rtcp_window_edges", rtcp_window_edges},
        {"sent_in_order", sent_in_order},
        {"sent_with_jumps", sent_with_jumps},
        {"sent_with_new_ssrc", sent_with_new_ssrc},
        {"sent_to_the_end", sent_to_the_end},
        {"words_and_resume", words_and_resume},
    };
    return test_main("srtp_index", TEST_CASES(cases), argc, argv);
}
