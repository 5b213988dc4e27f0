// SPDX-License-Identifier: BSD-3-Clause
// SDP (RFC 4566) read in one pass into a fixed struct of offsets. Tolerant of order, line ends and unknown
// lines; strict in the numbers it uses. Knows what G.711 trunks need and keeps the rest as bytes.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/contract.h"

enum {
    SDP_BYTES_MAX = 16384, // of a body; longer ones are refused
    SDP_MEDIA_MAX = 8,     // m= lines; an offer with more cannot be answered and is refused
    SDP_FORMAT_MAX = 32,   // payload types of a medium; more are ignored
    SDP_CRYPTO_MAX = 8,    // a=crypto lines of a medium; more are ignored
    SDP_PASS_MAX = 16,     // lines of a medium that are not ours and pass to the other side; more are dropped
};

// Bytes of the text that was parsed. len 0: absent.
struct sdp_str {
    uint16_t off;
    uint16_t len;
};

enum sdp_proto {
    SDP_PROTO_OTHER,
    SDP_PROTO_AVP,   // RTP/AVP
    SDP_PROTO_AVPF,  // RTP/AVPF, RFC 4585
    SDP_PROTO_SAVP,  // RTP/SAVP, RFC 3711
    SDP_PROTO_SAVPF, // RTP/SAVPF, RFC 5124
};

// As the sender of the SDP says it: what it does. SEND and RECV are bits.
enum sdp_direction {
    SDP_INACTIVE = 0,
    SDP_SENDONLY = 1,
    SDP_RECVONLY = 2,
    SDP_SENDRECV = 3,
};

struct sdp_format {
    uint8_t pt;          // 0..127
    uint8_t channels;    // 1 unless a=rtpmap says more
    uint32_t rate;       // Hz, 0 without a=rtpmap
    struct sdp_str name; // encoding name of a=rtpmap
    struct sdp_str fmtp; // parameters of a=fmtp
};

struct sdp_media {
    struct sdp_str kind;       // "audio"
    struct sdp_str proto_text; // as written
    struct sdp_str fmt_text;   // format list as written
    uint16_t port;             // 0: refused or disabled
    uint8_t proto;             // enum sdp_proto
    uint8_t direction;         // enum sdp_direction; its own or the session's, default sendrecv
    bool audio;
    bool rtcp_mux;
    uint8_t format_count;
    uint8_t crypto_count;
    uint8_t pass_count;
    // Its own or the session's c=, without port. family 0: none, or not an IPv4 unicast literal. 0.0.0.0 is
    // the hold of RFC 2543.
    struct tl_addr addr;
    struct tl_addr rtcp; // a=rtcp, RFC 3605; family 0: absent. Without an address of its own that of `addr`
    uint16_t ptime, maxptime; // ms, 0: absent or no whole number; their lines pass as well
    struct sdp_format format[SDP_FORMAT_MAX];
    struct sdp_str crypto[SDP_CRYPTO_MAX]; // after "a=crypto:"
    struct sdp_str pass[SDP_PASS_MAX];     // whole lines without their ends, a= and b= only
};

struct sdp {
    uint8_t media_count;
    struct sdp_str session_id; // of o=
    struct sdp_str version;    // of o=
    struct sdp_media media[SDP_MEDIA_MAX];
};

// Parses `len` bytes at `text`; the struct keeps offsets into it, never pointers. Returns 0; -EINVAL, or
// -E2BIG past SDP_BYTES_MAX or SDP_MEDIA_MAX, with *why (may be NULL) set to a sentence. Any thread.
int sdp_parse(struct sdp *out, const char *text, size_t len, const char **why);

// Whether the bytes are `name`, compared without case.
bool sdp_str_is(const char *text, struct sdp_str s, const char *name);

// Reads a decimal number of digits only, the whole of `len` bytes, 0..max. Returns 0 or -EINVAL.
int sdp_number(const char *s, size_t len, uint64_t max, uint64_t *out);
