// SPDX-License-Identifier: BSD-3-Clause
// Ethernet frames of a host that speaks nothing but UDP over IPv4 and ARP. Pure.
#pragma once

#include "tools/loadgen/streams/plan.h"

enum {
    FRAME_HEADERS = 14 + 20 + 8, // before the payload of a datagram
    FRAME_ARP_BYTES = 60,        // padded
};

enum frame_kind {
    FRAME_UDP,
    FRAME_ARP_REQUEST,
    FRAME_ARP_REPLY,
    FRAME_BAD_SUM, // UDP over IPv4 whose header's or own checksum is wrong
    FRAME_OTHER,   // not for this kind of host, a fragment, or too short for what it says
};

struct frame {
    struct endpoint from, to; // UDP; of ARP the addresses, without a port
    uint8_t mac[6];           // the sender's, of ARP the one inside
    uint32_t at, length;      // UDP payload
};

// Reads a frame of `length` bytes. A UDP checksum of 0 is none, and one over the pseudo-header alone is what
// a virtual device leaves where the real one would be made: both are taken.
enum frame_kind frame_read(const uint8_t *data, uint32_t length, struct frame *f);

// Writes the FRAME_HEADERS bytes at `data` before a payload of `length` bytes (STAMP_MAX and a tag at most)
// that is there, both checksums included.
void frame_write_udp(uint8_t *data, const uint8_t to_mac[6], const uint8_t from_mac[6],
                     const struct endpoint *from, const struct endpoint *to, uint32_t length, uint16_t id);

// Writes FRAME_ARP_BYTES: a request for `to_ip` when `to_mac` is NULL, else a reply to it (RFC 826).
void frame_write_arp(uint8_t *data, const uint8_t from_mac[6], uint32_t from_ip, const uint8_t *to_mac,
                     uint32_t to_ip);
