// SPDX-License-Identifier: BSD-3-Clause
// The media of one call: two sockets, RTP and RTCP both ways, SRTP when asked for, everything counted. One
// thread.
#pragma once

#include "tools/loadgen/receipt.h"
#include "tools/loadgen/schedule.h"
#include "tools/loadgen/sdes.h"

#include <re.h>

struct ports {
    uint16_t min, max, next; // even
};

struct stream_terms { // what the answer and the offer came to
    struct sa remote, remote_rtcp;
    bool mux;
    uint8_t tx_audio, rx_audio; // payload types
    uint8_t tx_event, rx_event; // 0: no telephone-event
    bool may_send;              // SDP direction
    bool srtp;
    struct sdes rx_key;
};

struct stream_counts {
    uint64_t packets_sent; // RTP of every kind
    uint64_t octets_sent;  // of payload, for sender reports
    uint64_t send_errors;  // the kernel refused; not counted as sent
    uint32_t skipped;      // not sent because the program was late
    uint32_t foreign;      // from another address than the signalled one
    uint32_t bad_auth;
    uint32_t bad_rtp; // no RTP at all
    uint32_t bad_pt;
    uint32_t replayed;     // authentic, by an index that was there before
    uint32_t late_for_roc; // from before a wrap that was already passed: libre refuses those
    uint32_t dtmf_packets; // telephone-event packets sent
    uint32_t dtmf_digits;  // digits said in full
    uint32_t roc_steps;    // wraps of the sequence number sent
    uint32_t rtcp_sent;
    uint32_t rtcp_received; // verified sender reports
    uint32_t rtcp_bad_auth;
    uint32_t rtcp_bad; // malformed, or of another stream or call
    uint32_t rtcp_foreign;
};

struct stream {
    int fd, rtcp_fd; // -1: none
    uint16_t port;   // local, RTP; RTCP is one above
    enum media_suite suite;
    struct sdes tx_key;
    struct srtp *tx, *rx; // libre contexts
    struct stream_terms terms;
    bool ready; // terms are known: packets are sent and read

    uint32_t ssrc;
    uint32_t seq; // extended, of the next packet
    uint16_t first_seq;
    uint32_t ts_base;
    uint32_t tick0;     // media tick of the first packet
    uint32_t last_tick; // served
    uint32_t number;
    uint32_t label;
    uint8_t direction; // of what is sent

    struct window window;
    struct receipt receipt;
    struct dtmf_sender dtmf_tx;
    struct dtmf_receiver dtmf_rx;
    struct stream_counts n;
    struct heard heard;
    uint64_t packets_heard;
};

// Binds an RTP and an RTCP socket on `local` at the next free even port of `ports`, makes the key, picks
// SSRC, first timestamp and first sequence number (`wraps`: 100 to 200 packets below its wrap, in a short
// call a sixth to a third of its packets). 0 or -errno: -EADDRINUSE when no port is free.
int stream_init(struct stream *s, const struct options *o, struct ports *ports, uint32_t label,
                uint8_t direction, bool wraps);

// Takes what still waits in the sockets, closes them and wipes keys; safe on a zeroed object whose
// descriptors are -1, and twice.
void stream_fini(struct stream *s);

// Takes what SDP agreed on. The first time reading begins: what came before waits in the socket, since its
// sender could not yet be told from a stranger. A new remote key starts a new SRTP context. 0 or -errno.
int stream_set(struct stream *s, const struct stream_terms *terms);

// Sends the packet of media tick `tick` (one each 20 ms), `now` ms after the ACK.
void stream_tick(struct stream *s, const struct schedule *plan, uint32_t tick, uint32_t now, bool dtmf);

// Sends a sender report with one report block (RFC 3550 6.4.1) and a CNAME that names the call.
void stream_send_report(struct stream *s, uint32_t tick);

// One received RTCP datagram, from `from`; used by the RTP socket too when both share a port.
void stream_take_rtcp(struct stream *s, const struct sa *from, struct mbuf *mb);

// The timestamp that belongs to media tick `tick`.
uint32_t stream_timestamp(const struct stream *s, uint32_t tick);
