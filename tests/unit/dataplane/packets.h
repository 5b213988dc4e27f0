// SPDX-License-Identifier: BSD-3-Clause
// Makes and reads frames on real mbufs. Checksums and layouts are written out here, independent of what is
// tested. Under ASan the bytes of a buffer that are not the frame's can be poisoned: ASan alone is blind
// inside a pool.
#pragma once

#include <rte_mbuf.h>
#include <stdbool.h>
#include <stdint.h>

enum { PACKET_BYTES_MAX = 1600 };

// An IPv4 address from its four parts, in network byte order.
#define IP4(a, b, c, d) RTE_BE32((uint32_t)(a) << 24 | (b) << 16 | (c) << 8 | (d))

// A UDP datagram in an Ethernet frame. Ports in host byte order, addresses in network byte order.
struct udp_frame {
    uint8_t dst_mac[6];
    uint8_t src_mac[6];
    uint32_t src_ip;
    uint32_t dst_ip;
    uint16_t src_port;
    uint16_t dst_port;
    const uint8_t *payload;
    uint16_t len;
    uint8_t option_words; // of IPv4 options (no-operations)
    // set by udp_frame_read()
    bool ip_sum_right;
    bool udp_sum_right;
    uint8_t tos, ttl;
};

struct rtp_fields {
    uint8_t pt;
    bool marker;
    uint16_t seq;
    uint32_t ts;
    uint32_t ssrc;
};

// Writes an RTP packet of `payload_len` bytes made from seq; returns its length.
unsigned rtp_write(uint8_t *out, const struct rtp_fields *rtp, unsigned payload_len);

// Reads the fixed header of at least 12 bytes.
struct rtp_fields rtp_read(const uint8_t *rtp);

// Byte `i` of the payload that rtp_write() makes for this SSRC and sequence number.
uint8_t rtp_payload_byte(uint32_t ssrc, uint16_t seq, unsigned i);

// Writes the frame into out[PACKET_BYTES_MAX] with right checksums; returns its length.
unsigned udp_frame_write(uint8_t *out, const struct udp_frame *f);

// Reads a frame; payload points into it. False: not UDP in IPv4 in Ethernet, or lengths that lie.
bool udp_frame_read(struct udp_frame *f, const uint8_t *frame, unsigned len);

// An mbuf of the pool with these bytes. Unguarded. Never NULL: a test without buffers aborts.
struct rte_mbuf *packet_from(struct rte_mempool *pool, const void *bytes, unsigned len);

// Under ASan: poisons all of the buffer but the frame and `tail` bytes behind it. Without ASan: nothing.
void packet_guard(struct rte_mbuf *m, unsigned tail);

// Takes the poison away; to be called before a buffer that was guarded is written by others or the pool ends.
void packet_unguard(struct rte_mbuf *m);

// Unguards every buffer of the pool.
void packet_unguard_pool(struct rte_mempool *pool);

// Was this program built with ASan?
bool packet_asan(void);
