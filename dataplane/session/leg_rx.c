// SPDX-License-Identifier: BSD-3-Clause
// packet path: what a leg knows of its SSRCs when more than one comes; one alone never gets here.
#include "dataplane/session/leg_rx.h"

#include <string.h>

enum { ORDER_NEW = 3 | 2 << 2 | 1 << 4 | 0 << 6 }; // slot 0 is the first to be given away

enum { HAS_SRTP = 1, HAS_SRTCP = 2, HAS = 3 };

void leg_rx_reset(struct leg_rx *rx, uint8_t roc)
{
    memset(rx, 0, sizeof *rx);
    rx->order = ORDER_NEW;
    rx->roc = roc & LEG_RX_ROC;
    rx->credit = LEG_RX_CREDIT_MAX;
}

void leg_rx_reorder(struct leg_rx *rx, unsigned slot)
{
    unsigned order = slot, at = 2;
    for (unsigned i = 0; i < TL_SSRC_MAX; i++) {
        unsigned other = rx->order >> 2 * i & 3;
        if (other == slot)
            continue;
        order |= other << at;
        at += 2;
    }
    rx->order = (uint8_t)order;
}

// ---- guesses -----------------------------------------------------------------------------------------

static bool is_before(const struct srtp_rx *stream)
{
    return !leg_rx_used(stream) && stream->rtp.bits[1] == LEG_RX_BEFORE;
}

// Slot that says where the SSRC stood under the key before, or -1.
static int find_before(const struct leg_rx *rx, uint32_t ssrc)
{
    for (int i = 0; i < TL_SSRC_MAX; i++)
        if (rx->stream[i].ssrc == ssrc && is_before(&rx->stream[i]))
            return i;
    return -1;
}

void leg_rx_follow(struct leg_rx *rx, const struct leg_rx *before)
{
    rx->roc |= before->roc & LEG_RX_KEEPS;
    rx->order = before->order;
    for (unsigned i = 0; i < TL_SSRC_MAX; i++) {
        const struct srtp_rx *was = &before->stream[i];
        if (leg_rx_used(was) ? srtp_rx_fresh(was) : !is_before(was))
            continue;
        rx->stream[i] =
            (struct srtp_rx){.ssrc = was->ssrc, .rtp.top = was->rtp.top, .rtp.bits[1] = LEG_RX_BEFORE};
    }
}

static unsigned add_guess(uint64_t index[LEG_RX_GUESSES], unsigned n, uint64_t guess)
{
    for (unsigned i = 0; i < n; i++)
        if (index[i] == guess)
            return n;
    if (guess <= SRTP_INDEX_MAX)
        index[n++] = guess;
    return n;
}

unsigned leg_rx_guess(const struct leg_rx *rx, uint32_t ssrc, uint16_t seq, uint64_t index[LEG_RX_GUESSES])
{
    unsigned n = 0, roc = rx->roc & LEG_RX_ROC;
    int before = roc == TL_ROC_RESET ? -1 : find_before(rx, ssrc);
    uint64_t kept = before < 0 ? seq : srtp_nearest(rx->stream[before].rtp.top, seq);
    if (before >= 0 && roc == TL_ROC_KEEP && kept <= SRTP_INDEX_MAX)
        return add_guess(index, n, kept);
    if (rx->roc & LEG_RX_KEEPS)
        n = add_guess(index, n, kept);
    n = add_guess(index, n, seq);
    n = add_guess(index, n, kept);
    return add_guess(index, n, 1ull << 16 | seq);
}

void leg_rx_learn(struct leg_rx *rx, uint32_t ssrc, uint64_t index)
{
    int before = find_before(rx, ssrc);
    if (before < 0)
        return;
    uint64_t kept = srtp_nearest(rx->stream[before].rtp.top, (uint16_t)index);
    if (kept >> 16 == 0)
        return; // it would be the same
    rx->roc = (uint8_t)(kept == index ? rx->roc | LEG_RX_KEEPS : rx->roc & ~LEG_RX_KEEPS);
}

// ---- floors ------------------------------------------------------------------------------------------

static int find_floor(const struct leg_rx *rx, uint32_t ssrc)
{
    for (unsigned i = 0; i < LEG_FLOORS; i++)
        if (rx->floor_has >> 2 * i & HAS && rx->floor_ssrc[i] == ssrc)
            return (int)i;
    return -1;
}

static void move_floor(struct leg_rx *rx, unsigned to, unsigned from)
{
    unsigned has = rx->floor_has >> 2 * from & HAS;
    rx->floor_has = (uint8_t)((rx->floor_has & ~(HAS << 2 * to)) | has << 2 * to);
    rx->floor_ssrc[to] = rx->floor_ssrc[from];
    rx->floor_srtcp[to] = rx->floor_srtcp[from];
    memcpy(rx->floor_index[to], rx->floor_index[from], sizeof rx->floor_index[to]);
}

static void drop_floor(struct leg_rx *rx, unsigned floor)
{
    for (unsigned i = floor; i + 1 < LEG_FLOORS; i++)
        move_floor(rx, i, i + 1);
    rx->floor_has &= (uint8_t) ~(HAS << 2 * (LEG_FLOORS - 1));
}

static void keep_floor(struct leg_rx *rx, const struct srtp_rx *stream)
{
    unsigned has = (stream->rtp.bits[0] & 1 ? HAS_SRTP : 0) | (stream->rtcp_bits & 1 ? HAS_SRTCP : 0);
    if (!has)
        return;
    for (unsigned i = LEG_FLOORS - 1; i > 0; i--)
        move_floor(rx, i, i - 1);
    rx->floor_has = (uint8_t)((rx->floor_has & ~HAS) | has);
    rx->floor_ssrc[0] = stream->ssrc;
    rx->floor_srtcp[0] = stream->rtcp_top;
    for (unsigned i = 0; i < 3; i++)
        rx->floor_index[0][i] = (uint16_t)(stream->rtp.top >> 16 * i);
}

void leg_rx_floor(const struct leg_rx *rx, uint32_t ssrc, struct srtp_rx *out)
{
    *out = (struct srtp_rx){.ssrc = ssrc};
    int floor = find_floor(rx, ssrc);
    if (floor < 0)
        return;
    const uint16_t *index = rx->floor_index[floor];
    if (rx->floor_has >> 2 * floor & HAS_SRTP)
        srtp_window_resume(&out->rtp, (uint64_t)index[2] << 32 | (uint32_t)index[1] << 16 | index[0]);
    if (rx->floor_has >> 2 * floor & HAS_SRTCP) {
        out->rtcp_top = rx->floor_srtcp[floor];
        out->rtcp_bits = UINT64_MAX;
    }
}

unsigned leg_rx_add(struct leg_rx *rx, uint32_t ssrc)
{
    int before = find_before(rx, ssrc); // under the key of before it had this slot
    unsigned slot = before >= 0 ? (unsigned)before : rx->order >> 2 * (TL_SSRC_MAX - 1);
    struct srtp_rx stream;
    leg_rx_floor(rx, ssrc, &stream);
    int floor = find_floor(rx, ssrc);
    if (floor >= 0)
        drop_floor(rx, (unsigned)floor);
    keep_floor(rx, &rx->stream[slot]);
    rx->stream[slot] = stream;
    leg_rx_reorder(rx, slot);
    return slot;
}
