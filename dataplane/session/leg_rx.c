// SPDX-License-Identifier: BSD-3-Clause
// packet path: what a leg knows of its SSRCs when more than one comes; one alone never gets here.
#include "dataplane/session/leg_rx.h"

#include <string.h>

enum { ORDER_NEW = 3 | 2 << 2 | 1 << 4 | 0 << 6 }; // slot 0 is the first to be given away

enum { HAS_SRTP = 1, HAS_SRTCP = 2, HAS = 3 };

void leg_rx_reset(struct leg_rx *rx)
{
    memset(rx, 0, sizeof *rx);
    rx->order = ORDER_NEW;
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
    unsigned slot = rx->order >> 2 * (TL_SSRC_MAX - 1);
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
