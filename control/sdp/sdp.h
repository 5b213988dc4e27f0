// SPDX-License-Identifier: BSD-3-Clause
// SDP (RFC 8866) read in one pass into a fixed struct of offsets. Tolerant of order and line ends; a line that
// cannot be read is dropped and counted by name, what is left stands. Strict in the numbers it uses. Knows what
// G.711 trunks need, keeps the lines that may pass to the other network (common/config/sdp_pass.h), no others.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config/sdp_pass.h"
#include "common/contract.h"

enum {
    SDP_BYTES_MAX = 16384, // of a body; longer ones are refused
    SDP_MEDIA_MAX = 32,    // m= lines; an offer with more cannot be answered and is refused
    SDP_FORMAT_MAX = 32,   // payload types of a medium; more are dropped
    SDP_CRYPTO_MAX = 32,   // a=crypto lines of a medium; more are dropped
    SDP_PASS_MAX = 16,     // lines of a medium that may pass to the other network; more are dropped
};

// What was dropped of an SDP: name, sentence.
#define SDP_ODDITIES(X)                                                                                      \
    X(line, "line that is not a type, '=' and a value, or has a NUL byte")                                   \
    X(media, "m= line without medium, port 0..65535 and protocol; its medium counts as refused")             \
    X(ports, "number of ports of an m= line that is none")                                                   \
    X(format, "payload type of an m= line that is not 0..127")                                               \
    X(formats, "payload types of an m= line past the 32nd")                                                  \
    X(connection, "c= line without an IPv4 unicast address")                                                 \
    X(rtpmap, "a=rtpmap without payload type, name and clock rate")                                          \
    X(fmtp, "a=fmtp without payload type")                                                                   \
    X(rtcp, "a=rtcp without port")                                                                           \
    X(cryptos, "a=crypto lines of a medium past the 32nd")                                                   \
    X(value, "line that could pass to the other network, had it not a value of another kind")                \
    X(passes, "lines of a medium that could pass to the other network, past the 16th")                       \
    X(kept, "attributes and bandwidths that do not pass to the other network")

enum sdp_odd {
#define X(name, text) SDP_ODD_##name,
    SDP_ODDITIES(X)
#undef X
        SDP_ODD_COUNT
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
    bool audio;                // and can be read
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
    struct sdp_str pass[SDP_PASS_MAX];     // values of lines that may pass
    uint8_t pass_kind[SDP_PASS_MAX];       // enum tl_sdp_pass of each
};

struct sdp {
    uint8_t media_count;
    struct sdp_str session_id;             // of o=
    struct sdp_str version;                // of o=
    uint16_t odd[SDP_ODD_COUNT];           // how many of each were dropped
    struct sdp_media media[SDP_MEDIA_MAX]; // only the first media_count are filled in
};

// Sums over many SDPs, for their owner to show. Zeroed at first.
struct sdp_counters {
    uint64_t parsed, refused; // by sdp_parse()
    uint64_t odd[SDP_ODD_COUNT];
};

// Parses `len` bytes at `text`; the struct keeps offsets into it, never pointers. Returns 0; -EINVAL for another
// version than 0 or when none of its m= lines can be read, -E2BIG past SDP_BYTES_MAX or SDP_MEDIA_MAX, with *why
// (may be NULL) set to a sentence. Any thread.
int sdp_parse(struct sdp *out, const char *text, size_t len, const char **why);

// Adds what sdp_parse() returned and dropped to *sums.
void sdp_count(struct sdp_counters *sums, const struct sdp *sdp, int result);

const char *sdp_odd_name(enum sdp_odd odd); // "rtpmap"
const char *sdp_odd_text(enum sdp_odd odd); // a sentence for people

// ---- what may pass (common/config/sdp_pass.h) ----

// The name of a line of the list: "ptime", "b=AS".
const char *sdp_pass_name(enum tl_sdp_pass line);

// Which line of the list an attribute (or with `bandwidth` a b= line) of that name is; -1: none, it stays here.
int sdp_pass_find(const char *name, size_t len, bool bandwidth);

// Whether a value is of the kind that the list gives for it, so that no address, key or name can be in it.
bool sdp_pass_harmless(enum tl_sdp_pass line, const char *value, size_t len);

// Whether the bytes are `name`, compared without case.
bool sdp_str_is(const char *text, struct sdp_str s, const char *name);
