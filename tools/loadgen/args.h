// SPDX-License-Identifier: BSD-3-Clause
// The command line. Pure: nothing is opened.
#pragma once

#include "tools/loadgen/dtmf.h"

#include <netinet/in.h>

enum media_suite { SUITE_NONE, SUITE_AES_CM_128_HMAC_SHA1_80, SUITE_AEAD_AES_128_GCM };

enum hangup { HANGUP_ALTERNATE, HANGUP_CALLER, HANGUP_CALLEE };

enum transport { OVER_UDP, OVER_TCP, OVER_TLS };

enum codec { CODEC_PCMA, CODEC_PCMU };

enum {
    LABEL_DIGITS = 7, // a called number ends in the call's label, so wide
    LABEL_MAX = 9999999,
    PREFIX_MAX = 24,
    CALLS_MAX = 20000,
};

struct address {
    char ip[INET_ADDRSTRLEN];
    uint16_t port;
};

struct options {
    struct address local;
    struct address target;    // ip empty: none given
    uint32_t calls;           // to place
    double cps;               // calls placed per second
    uint32_t seconds;         // from ACK to BYE
    enum transport transport; // of the calls placed; all that there are are answered
    const char
        *certificate; // PEM, a chain with its key; borrowed from argv, NULL: none, and no TLS is listened for
    const char *ca;   // PEM, what has to have signed the peer's; NULL: anybody may be there
    enum media_suite srtp;
    uint16_t rtp_min; // even
    uint16_t rtp_max;
    char prefix[PREFIX_MAX + 1];
    uint32_t first_call;
    char dtmf[DTMF_DIGITS_MAX + 1];
    uint8_t telephone_event; // payload type that this side offers and answers
    uint32_t hold_every;     // 0: never
    uint32_t wrap_every;     // 0: never
    enum hangup hangup;
    enum codec codec;
    bool rtcp_mux;
    bool echo;              // the far side sends back what it gets
    uint32_t rtcp_interval; // seconds, 0: no RTCP
    uint32_t expect_calls;
    uint32_t start_after;    // seconds before the first call is placed
    uint32_t duration_limit; // seconds, 0: none
    const char *json;        // borrowed from argv; NULL: none
    bool progress;
    bool trace;
};

enum args_result { ARGS_RUN, ARGS_HELP, ARGS_BAD };

// Reads the command line into `o`. On ARGS_BAD `error` holds one sentence: what is wrong and what was
// expected.
enum args_result args_parse(int argc, char **argv, struct options *o, char *error, size_t size);

// Whether TLS is spoken.
static inline bool options_have_tls(const struct options *o)
{
    return o->transport == OVER_TLS || o->certificate != NULL;
}

// What --help prints.
extern const char args_help[];
