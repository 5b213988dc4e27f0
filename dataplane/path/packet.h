// SPDX-License-Identifier: BSD-3-Clause
// packet path: what the stages know of one packet. A stage is a function over an array of these: it works on
// the first `n`, drops some, moves the rest up in order and returns how many are left.
#pragma once

#include <assert.h>
#include <rte_common.h>
#include <rte_mbuf.h>
#include <stdalign.h>
#include <stdint.h>

#include "dataplane/session/session.h"

enum packet_kind { PACKET_RTP, PACKET_RTCP };

struct packet {
    alignas(RTE_CACHE_LINE_SIZE) struct rte_mbuf *m;
    struct session *session; // from admission on
    union {
        const _Atomic uint32_t *map_entry; // within classification
        struct tl_live_session *live;      // of the session
    };
    uint8_t *data; // first byte behind UDP
    union {
        uint64_t route; // until admission: source address, port that it came to, source port
        uint64_t index; // SRTP or SRTCP index, received; after relay the one to send
    };
    uint32_t entry;      // of the port map
    uint32_t ssrc;       // received; after relay the one to send
    uint16_t wire_len;   // UDP payload as received
    uint16_t len;        // of data now
    uint16_t header_len; // RTP header with CSRC list and extension
    union {
        uint8_t leg;    // received on
        uint8_t bucket; // within classification: of its media port
    };
    uint8_t kind; // enum packet_kind
    union {
        uint8_t verdict; // within admission: enum tl_drop or SRTP_OK
        int8_t rx_slot;  // of the SSRC in the leg's leg_rx, -1: none yet
    };
};
static_assert(sizeof(struct packet) == RTE_CACHE_LINE_SIZE, "a packet is a line");

static inline uint32_t packet_src_ip(const struct packet *p)
{
    return (uint32_t)p->route;
}

static inline uint16_t packet_src_port(const struct packet *p)
{
    return p->route >> 48;
}

// The pointer itself, which the compiler then holds in a register instead of working it out at each use.
#define HELD(pointer)                                                                                        \
    __extension__({                                                                                          \
        __typeof__(pointer) held_ = (pointer);                                                               \
        __asm__("" : "+r"(held_));                                                                           \
        held_;                                                                                               \
    })

// Prefetches the lines of a media packet's payload, which only SRTP touches: that of the headers is here since
// classification. Of longer packets the first lines; the hardware sees where that leads.
static inline void packet_prefetch_payload(const struct packet *p)
{
    for (unsigned at = 64; at < 256 && at < p->len; at += 64)
        srtp_prefetch_line(p->data + at);
    srtp_prefetch_line(p->data + p->len - 1);
}
