// SPDX-License-Identifier: BSD-3-Clause
// packet path: the stages that each packet takes, in this order. Each works on p[0..n-1], n at most
// WORKER_PACKETS, keeps the order and returns how many are left, moved to the front. What is not left was
// dropped by its name, handed to another worker, or taken by the host part. Worker.
#pragma once

#include "dataplane/path/worker.h"

// Frame to UDP payload: Ethernet, IPv4 and UDP checks, our addresses, the port's owner. p->m is set; the rest
// is filled in. Prefetches the session's lines.
unsigned stage_classify(struct worker *w, struct packet *p, unsigned n);

// Strict source (the signalled address), size, RTP or RTCP (RFC 3550, RFC 5761), RTP header length; then the
// loose bucket on a leg with a key, the stream's own on a plain one. Sets w->to_unprotect and w->to_protect.
unsigned stage_admit(struct worker *w, struct packet *p, unsigned n);

// SRTP and SRTCP of legs with a key: replay check, authentication, decryption, commit, the stream's own
// buckets.
unsigned stage_unprotect(struct worker *w, struct packet *p, unsigned n);

// Hold, payload types, quality, the outgoing stream's index, SSRC and timestamp; RTCP's SSRCs and sequence
// numbers.
unsigned stage_relay(struct worker *w, struct packet *p, unsigned n);

// SRTP and SRTCP of the leg that sends.
unsigned stage_protect(struct worker *w, struct packet *p, unsigned n);

// New Ethernet, IPv4 and UDP headers, next hop, transmit queue.
void stage_tx(struct worker *w, struct packet *p, unsigned n);

// Rewrites a compound RTCP packet that came in on p->leg for the other one. Returns SRTP_OK or
// TL_DROP_bad_rtcp when its lengths do not fit. `turns`: the session's, or NULL. RFC 3550 6.4 to 6.7.
uint8_t relay_rtcp(const struct session *s, struct turns *turns, unsigned leg, uint8_t *data, unsigned len);
