// SPDX-License-Identifier: BSD-3-Clause
// packet path: SRTP and SRTCP indices: estimate, replay window, transmit window, one outgoing stream per leg.
//
// Pure state without keys. All of it is the worker's; the live table gets one word for each SSRC (srtp_word),
// which after a restart gives the state back (srtp_rx_resume, srtp_tx_resume): everything up to it counts as
// seen or used.
//
// Rules:
// - A stream begins with ROC 0, so its first index is its first sequence number (RFC 3711 3.3.1), unless its first
//   packets are lost around a wrap or it goes on from another key (leg_rx_guess).
// - Received: check before authentication (reads only), commit after it. Several packets of one burst are
//   checked before any of them is committed, so commit checks again: a packet that came twice in a burst
//   passes once.
// - Two packets of one burst around the first sequence wrap can only be estimated one after the other:
//   until a stream has committed its first packet, unprotect its packets one at a time (srtp_rx_fresh).
// - Sent: srtp_tx_take marks the index as used before the packet is made; it is never given again, whatever
//   becomes of the packet.
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/srtp/srtp.h"

enum {
    SRTP_WINDOW = 128, // indices that a window remembers, the highest among them
    SRTCP_WINDOW = 64, // likewise
    // RFC 3550 A.1: how far a sequence may run ahead before it is a jump. Backwards the window decides.
    SRTP_MAX_DROPOUT = 3000,
    // First sequence number of a stream that we begin, at the most: if its first packets are lost, a wrap is far
    // away, and so a receiver knows the ROC (RFC 3711 3.3.1).
    SRTP_FIRST_MAX = 0x7fff,
};
#define SRTP_INDEX_MAX  ((1ull << 48) - 1)
#define SRTCP_INDEX_MAX ((1u << 31) - 1)

// ---- window ------------------------------------------------------------------------------------------

// The highest index and which of the SRTP_WINDOW - 1 below it are taken. All zero: nothing taken yet.
struct srtp_window {
    uint64_t top;
    uint64_t bits[2]; // bit i of bits[0], bits[1]: index top - i is taken; bit 0 is set once top is one
};

static inline bool srtp_window_empty(const struct srtp_window *w)
{
    return !(w->bits[0] & 1);
}

// SRTP_OK if `index` is free, else TL_DROP_replayed, or TL_DROP_too_old for what lies below the window.
static inline uint8_t srtp_window_check(const struct srtp_window *w, uint64_t index)
{
    if (srtp_window_empty(w) || index > w->top)
        return SRTP_OK;
    uint64_t age = w->top - index;
    if (age >= SRTP_WINDOW)
        return TL_DROP_too_old;
    return w->bits[age >> 6] >> (age & 63) & 1 ? TL_DROP_replayed : SRTP_OK;
}

// Takes `index` if it is free; the result is that of srtp_window_check.
static inline uint8_t srtp_window_take(struct srtp_window *w, uint64_t index)
{
    uint8_t status = srtp_window_check(w, index);
    if (status != SRTP_OK)
        return status;
    if (srtp_window_empty(w)) {
        w->top = index;
        w->bits[0] = 1;
        return SRTP_OK;
    }
    if (index <= w->top) {
        uint64_t age = w->top - index;
        w->bits[age >> 6] |= 1ull << (age & 63);
        return SRTP_OK;
    }
    uint64_t step = index - w->top;
    if (step >= SRTP_WINDOW) {
        w->bits[0] = w->bits[1] = 0;
    } else if (step >= 64) {
        w->bits[1] = w->bits[0] << (step - 64);
        w->bits[0] = 0;
    } else {
        w->bits[1] = w->bits[1] << step | w->bits[0] >> (64 - step);
        w->bits[0] <<= step;
    }
    w->bits[0] |= 1;
    w->top = index;
    return SRTP_OK;
}

// Takes the index above the highest; there is one, and it is not the last.
static inline void srtp_window_next(struct srtp_window *w)
{
    w->top++;
    w->bits[1] = w->bits[1] << 1 | w->bits[0] >> 63;
    w->bits[0] = w->bits[0] << 1 | 1;
}

// Every index up to `top` counts as taken.
static inline void srtp_window_resume(struct srtp_window *w, uint64_t top)
{
    *w = (struct srtp_window){.top = top, .bits = {UINT64_MAX, UINT64_MAX}};
}

// ---- live table --------------------------------------------------------------------------------------

// The word of struct tl_live_ssrc for an index of 48 bits and the key's generation; never 0.
static inline uint64_t srtp_word(uint64_t index, uint32_t generation)
{
    return index << 16 | 0x8000 | (generation & 0xffff);
}

// The index in a word; the caller has seen that the word is not 0.
static inline uint64_t srtp_word_index(uint64_t word)
{
    return word >> 16;
}

// ---- received ----------------------------------------------------------------------------------------

// What is known of one SSRC that a leg receives under one key. All zero is a stream of which nothing is known
// yet; a new key makes it all zero again, except for `ssrc` at the caller's choice. SRTCP is rare: half the
// window is enough for it.
struct srtp_rx {
    struct srtp_window rtp;
    uint64_t rtcp_bits; // bit i: SRTCP index rtcp_top - i is taken; bit 0 is set once rtcp_top is one
    uint32_t rtcp_top;
    uint32_t ssrc; // the caller's, to find it by
};
static_assert(sizeof(struct srtp_rx) == 40, "four of them are kept for each leg with a key (leg_rx.h)");

// Nothing authentic has come yet: estimates are a guess, see the rules above.
static inline bool srtp_rx_fresh(const struct srtp_rx *rx)
{
    return srtp_window_empty(&rx->rtp);
}

// The index nearest to `top` that ends in `seq`, which may be above SRTP_INDEX_MAX. RFC 3711 3.3.1 and appendix
// A; of two at the same distance that takes the one with top's ROC. Where it asks for a ROC below 0, the ROC is
// 0 (the sender jumped ahead within its first turn).
static inline uint64_t srtp_nearest(uint64_t top, uint16_t seq)
{
    int64_t guess = (int64_t)top + (int16_t)(uint16_t)(seq - (uint16_t)top);
    if (guess < 0 || (top - (uint64_t)guess == 32768 && !(top & 0x8000)))
        guess += 65536;
    return (uint64_t)guess;
}

// Estimates the index of a received packet from its sequence number and says whether it may pass so far.
// Reads only. SRTP_OK, replayed, too_old, or tx_index_end behind the last index of the key.
static inline uint8_t srtp_rx_check(const struct srtp_rx *rx, uint16_t seq, uint64_t *index)
{
    if (srtp_window_empty(&rx->rtp)) {
        *index = seq;
        return SRTP_OK;
    }
    *index = srtp_nearest(rx->rtp.top, seq);
    if (*index > SRTP_INDEX_MAX)
        return TL_DROP_tx_index_end;
    return srtp_window_check(&rx->rtp, *index);
}

// Takes the index of an authenticated packet. SRTP_OK, or replayed or too_old if another packet of the same
// burst was first: drop it then. Only after SRTP_OK may anything else be learnt from the packet.
static inline uint8_t srtp_rx_commit(struct srtp_rx *rx, uint64_t index)
{
    if (index == rx->rtp.top + 1 && !srtp_window_empty(&rx->rtp)) { // as nearly always
        srtp_window_next(&rx->rtp);
        return SRTP_OK;
    }
    return srtp_window_take(&rx->rtp, index);
}

// The same for SRTCP, whose 31-bit index stands in the packet (srtcp_peek). SRTP_OK, replayed, too_old.
static inline uint8_t srtcp_rx_check(const struct srtp_rx *rx, uint32_t index)
{
    if (!(rx->rtcp_bits & 1) || index > rx->rtcp_top)
        return SRTP_OK;
    uint32_t age = rx->rtcp_top - index;
    if (age >= SRTCP_WINDOW)
        return TL_DROP_too_old;
    return rx->rtcp_bits >> age & 1 ? TL_DROP_replayed : SRTP_OK;
}

static inline uint8_t srtcp_rx_commit(struct srtp_rx *rx, uint32_t index)
{
    uint8_t status = srtcp_rx_check(rx, index);
    if (status != SRTP_OK)
        return status;
    if (rx->rtcp_bits & 1 && index <= rx->rtcp_top) {
        rx->rtcp_bits |= 1ull << (rx->rtcp_top - index);
        return SRTP_OK;
    }
    uint32_t step = index - rx->rtcp_top; // of any size when there was none: then there are no bits to move
    rx->rtcp_bits = step < SRTCP_WINDOW ? rx->rtcp_bits << step | 1 : 1;
    rx->rtcp_top = index;
    return SRTP_OK;
}

// Goes on after a restart, or after having been evicted. `index`: up to it all 48-bit indices count as seen;
// TL_INDEX_NONE, there was only SRTCP. `srtcp_index`: likewise, 31 bits.
static inline void srtp_rx_resume(struct srtp_rx *rx, uint32_t ssrc, uint64_t index, uint32_t srtcp_index)
{
    *rx = (struct srtp_rx){.rtcp_bits = UINT64_MAX, .rtcp_top = srtcp_index, .ssrc = ssrc};
    if (index != TL_INDEX_NONE)
        srtp_window_resume(&rx->rtp, index);
}

// ---- sent --------------------------------------------------------------------------------------------

// The one stream that a leg sends under one key. All zero: nothing sent yet. A new key makes it all zero.
struct srtp_tx {
    struct srtp_window rtp; // indices used
    uint32_t srtcp_index;   // highest used, 0 = none: the first is 1
    uint32_t near_ssrc;     // SSRC that the near side sends with
    uint64_t base_first;    // no packet of the present base goes below this index
    uint16_t near_seq;      // near side's sequence number of the packet that has rtp.top
    uint16_t jump_seq;      // sequence number that began a jump
    uint8_t near_known;     // near_ssrc and near_seq are valid
    uint8_t jumped;         // jump_seq is valid
    uint8_t pad[2];
};
static_assert(sizeof(struct srtp_tx) <= 64, "a cache line per leg");

// What srtp_tx_take says of the stream beside the status.
enum srtp_tx_event {
    SRTP_TX_SAME, // goes on; the index moved as the near side's sequence number did
    SRTP_TX_NEW,  // first packet, or a new base: timestamps of the near side may have jumped, too
};

// How far `seq` is from `from`, if it goes on from there: within the window behind or SRTP_MAX_DROPOUT ahead.
static inline bool srtp_seq_follows(uint16_t from, uint16_t seq, int *step)
{
    *step = (int16_t)(uint16_t)(seq - from);
    return *step > -SRTP_WINDOW && *step < SRTP_MAX_DROPOUT;
}

// The short way of srtp_tx_take() for the next packet of the sequence, which nearly all are: SRTP_TX_SAME,
// and its index is tx->rtp.top. False: it is not that, and nothing was done.
static inline bool srtp_tx_next(struct srtp_tx *tx, uint32_t ssrc, uint16_t seq)
{
    if (ssrc != tx->near_ssrc || seq != (uint16_t)(tx->near_seq + 1) || !tx->near_known ||
        tx->rtp.top >= SRTP_INDEX_MAX)
        return false;
    srtp_window_next(&tx->rtp);
    tx->near_seq = seq;
    tx->jumped = 0;
    return true;
}

// The first packet of a stream that we begin under a key.
static inline void srtp_tx_begin(struct srtp_tx *tx, uint32_t ssrc, uint16_t seq, uint64_t *index)
{
    *index = seq & SRTP_FIRST_MAX;
    srtp_window_take(&tx->rtp, *index);
    tx->base_first = 0;
    tx->near_ssrc = ssrc;
    tx->near_seq = seq;
    tx->near_known = 1;
    tx->jumped = 0;
}

// Another key takes the place of one under which all indices up to `top` were used. `keep`: the ROC goes on. Else
// it is 0 from now on; the sequence numbers go on where both come to the same.
static inline void srtp_tx_rekey(struct srtp_tx *tx, uint64_t top, bool keep)
{
    uint64_t next = top + 1;
    if (!keep && next > 0xffff)
        next &= SRTP_FIRST_MAX;
    *tx = (struct srtp_tx){0};
    srtp_window_resume(&tx->rtp, next > 0 ? next - 1 : 0);
}

// Takes the outgoing index for a packet of the near side, which came with `ssrc` and `seq`.
//
// The index is the near side's extended sequence number plus a base, which is 0 at first. A new base is
// strictly above the highest index used. Another SSRC gets one at once; so does a sequence number
// SRTP_MAX_DROPOUT or more ahead (a hold that lasted). One that is behind the window is refused; when another
// one goes on from there, the near side started anew, and that one gets a new base (RFC 3550 A.1, which
// insists on the very next number; a loss there would make it wait). Whatever the near side sends, no index
// is given twice.
//
// SRTP_OK with *index and *event set; tx_index_used (duplicate, below the window or the base);
// tx_index_end when 48 bits are used up. With SRTP_OK the caller stores
// srtp_word(tx->rtp.top, generation) in the live table before the packet reaches the driver.
static inline uint8_t srtp_tx_take(struct srtp_tx *tx, uint32_t ssrc, uint16_t seq, uint64_t *index,
                                   enum srtp_tx_event *event)
{
    uint64_t next, base_first = tx->base_first;
    int step, jump_step;
    *event = SRTP_TX_SAME;
    if (srtp_tx_next(tx, ssrc, seq)) {
        *index = tx->rtp.top;
        return SRTP_OK;
    }
    if (srtp_window_empty(&tx->rtp)) {
        *event = SRTP_TX_NEW;
        next = seq;
    } else if (!tx->near_known || tx->near_ssrc != ssrc) {
        *event = SRTP_TX_NEW;
        next = base_first = tx->rtp.top + 1;
    } else if (srtp_seq_follows(tx->near_seq, seq, &step)) {
        if (step < 0 && tx->rtp.top - base_first < (uint64_t)-step)
            return TL_DROP_tx_index_used;
        next = tx->rtp.top + (uint64_t)(int64_t)step;
    } else if (step > 0 ||
               (tx->jumped && srtp_seq_follows(tx->jump_seq, seq, &jump_step) && jump_step != 0)) {
        *event = SRTP_TX_NEW;
        next = base_first = tx->rtp.top + 1;
    } else {
        tx->jumped = 1;
        tx->jump_seq = seq;
        return TL_DROP_tx_index_used;
    }
    if (next > SRTP_INDEX_MAX)
        return TL_DROP_tx_index_end;
    if (srtp_window_take(&tx->rtp, next) != SRTP_OK)
        return TL_DROP_tx_index_used;
    tx->base_first = base_first;
    tx->near_ssrc = ssrc;
    tx->near_known = 1;
    if (next == tx->rtp.top) // a late packet is no new reference
        tx->near_seq = seq;
    tx->jumped = 0;
    *index = next;
    return SRTP_OK;
}

// Goes over to an SSRC of the near side that is known: `seq` is `step` > 0 after the last one it sent. A small
// step is kept, so that packets of it that come late have their places; a larger one is none of the far
// side's business. Else as srtp_tx_take().
static inline uint8_t srtp_tx_turn(struct srtp_tx *tx, uint32_t ssrc, uint16_t seq, int step, uint64_t *index)
{
    uint64_t first = tx->rtp.top + 1, next = first + (step < SRTP_WINDOW ? (unsigned)step - 1 : 0);
    if (next > SRTP_INDEX_MAX)
        return TL_DROP_tx_index_end;
    srtp_window_take(&tx->rtp, next); // above the top: it is free
    tx->base_first = first;
    tx->near_ssrc = ssrc;
    tx->near_seq = seq;
    tx->near_known = 1;
    tx->jumped = 0;
    *index = next;
    return SRTP_OK;
}

// Takes the next outgoing SRTCP index. SRTP_OK, or tx_index_end when 31 bits are used up.
static inline uint8_t srtcp_tx_take(struct srtp_tx *tx, uint32_t *index)
{
    if (tx->srtcp_index >= SRTCP_INDEX_MAX)
        return TL_DROP_tx_index_end;
    *index = ++tx->srtcp_index;
    return SRTP_OK;
}

// Goes on after a restart, or with a key that comes back: every index up to these is used, the near side's next
// packet gets a new base. `index`: TL_INDEX_NONE, there was only SRTCP.
static inline void srtp_tx_resume(struct srtp_tx *tx, uint64_t index, uint32_t srtcp_index)
{
    *tx = (struct srtp_tx){.srtcp_index = srtcp_index};
    if (index != TL_INDEX_NONE)
        srtp_window_resume(&tx->rtp, index);
}
