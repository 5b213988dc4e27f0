// SPDX-License-Identifier: BSD-3-Clause
// Readers of single header values. Nothing here allocates; everything points into the bytes. Any thread.
#pragma once

#include <string.h>

#include "common/number.h"
#include "control/sip/msg.h"

static inline bool sip_is_space(char c)
{
    return c == ' ' || c == '\t';
}

// A set of ASCII characters as two words of bits, for what looks at every byte of a message. A unit test spells them out.
struct sip_set {
    uint64_t low, high;
};

static inline bool sip_set_has(struct sip_set set, char c)
{
    unsigned char u = (unsigned char)c;
    return u < 128 && (u < 64 ? set.low : set.high) >> (u & 63) & 1;
}

// token of RFC 3261 section 25.1: letters, digits and -.!%*_+`'~
#define SIP_SET_TOKEN ((struct sip_set){UINT64_C(0x03ff6ca200000000), UINT64_C(0x47ffffff87fffffe)})
// What ends the value of a parameter: ; , " < > space, tab and NUL
#define SIP_SET_VALUE_END ((struct sip_set){UINT64_C(0x5800100500000201), 0})

static inline bool sip_is_token(char c)
{
    return sip_set_has(SIP_SET_TOKEN, c);
}

struct sip_str sip_trim(struct sip_str s);
bool sip_str_is_nocase(struct sip_str s, const char *text);

// A number of decimal digits and nothing else, at most `max`. Returns false otherwise.
static inline bool sip_read_number(struct sip_str s, uint64_t max, uint64_t *out)
{
    return tl_read_number(s.p, s.len, max, out);
}

// "NUMBER METHOD" of a CSeq. Returns false when it has not that shape or the number is above 2^31 - 1.
bool sip_read_cseq(struct sip_str value, uint32_t *number, struct sip_str *method);

struct sip_via {
    struct sip_str transport;
    struct sip_str host;
    uint16_t port; // 0 = none given
    struct sip_str params;
    struct sip_str branch; // p == NULL: none
    bool rport;            // asks for the source port, RFC 3581
    size_t len;            // of this value; a comma and another Via follow where the line is longer
};

// Reads the first value of a Via line. Returns false when it has not the shape of RFC 3261 section 20.42.
bool sip_read_via(struct sip_str value, struct sip_via *via);

struct sip_addr {
    struct sip_str display; // with its quotes
    struct sip_str uri;     // without < >
    struct sip_str params;  // behind it, from the first ';' on
    bool angle;             // written with < >
};

// Reads one name-addr or addr-spec with header parameters (From, To, Contact, Route). The display name may be
// anything, commas and semicolons outside of quotes too. Returns false when quotes or < > do not match, or an
// addr-spec has what it may not (20.10). What the URI is worth, sip_read_uri() says.
bool sip_read_addr(struct sip_str value, struct sip_addr *addr);

// Looks for a parameter in ";name=value;name": compared without case; *value.p is NULL where it has none.
bool sip_read_param(struct sip_str params, const char *name, struct sip_str *value);

// Cuts the first comma-separated value off *rest (commas in quotes and < > do not count), trimmed.
// Returns p == NULL when nothing is left.
struct sip_str sip_next_value(struct sip_str *rest);
