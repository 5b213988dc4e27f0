// SPDX-License-Identifier: BSD-3-Clause
// The observer of every SRTP test: it sees each packet that is sent and keeps (key, SSRC, index) -> the
// packet. Two different packets under one index would give both away (and with GCM the authentication key),
// so that is a violation, which the observer prints and counts. The same packet again is none.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/contract.h"

struct observer;

// Owned by the caller, ended with observer_free. Single-threaded.
struct observer *observer_new(void);
void observer_free(struct observer *o);

enum observer_kind { OBSERVER_SRTP, OBSERVER_SRTCP };

// A protected packet of `len` bytes, as it goes out, with the index that it was protected under.
void observer_see(struct observer *o, const struct tl_crypto *crypto, enum observer_kind kind, uint32_t ssrc,
                  uint64_t index, const uint8_t *pkt, size_t len);

// For tests that see only the wire: takes SSRC and index from the packet. The ROC is the observer's own
// estimate from what it saw before under this key and SSRC (RFC 3711 3.3.1, beginning with 0, or with what
// observer_expect said). Packets too short to be one count as violations.
void observer_srtp(struct observer *o, const struct tl_crypto *crypto, const uint8_t *pkt, size_t len);
void observer_srtcp(struct observer *o, const struct tl_crypto *crypto, const uint8_t *pkt, size_t len);

// A resumed stream goes on behind `index`.
void observer_expect(struct observer *o, const struct tl_crypto *crypto, uint32_t ssrc, uint64_t index);

// How many violations so far: a test asserts 0, and that observer_packets is what it sent.
unsigned observer_violations(const struct observer *o);
size_t observer_packets(const struct observer *o);
