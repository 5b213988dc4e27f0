// SPDX-License-Identifier: BSD-3-Clause
// Why an SDP was turned away, as SIP says it: a Warning with a code of RFC 3261 20.43.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/sdp/negotiate_internal.h"

int neg_refuse(const char **why, const char *sentence)
{
    if (why)
        *why = sentence;
    return -ENOTSUP;
}

// Sentences with a code of their own, by what they begin with.
static const struct {
    unsigned code;
    const char *begin;
} codes[] = {
    {301, "audio has no IPv4 address"},
    {301, "the audio of the answer has no IPv4 address"},
    {302, "audio is offered over a transport that is not RTP"},
    {302, "SRTP is offered and the trunk has srtp off"},
    {302, "the trunk requires SRTP"},
    {302, "the answer has SRTP"},
    {304, "no audio is offered"},
    {304, "the answer has no audio"},
    {304, "the answer refuses the audio"},
    {305, "no codec of the offer"},
    {305, "the answer chooses no codec"},
    {305, "the two sides have no codec in common"},
    {306, "no a=crypto line"},
    {306, "an a=crypto line"},
    {306, "the a=crypto line"},
    {306, "an SRTP key of the offer"},
    {306, "the SRTP key of the answer"},
    {306, "the answer has rtcp-mux"},
    {307, "no m= line of the SDP"},
    {307, "the SDP has"},
};

unsigned neg_warn_code(const char *why)
{
    for (size_t i = 0; why && i < sizeof codes / sizeof codes[0]; i++)
        if (strncmp(why, codes[i].begin, strlen(codes[i].begin)) == 0)
            return codes[i].code;
    return 399;
}

int neg_warning(const char *why, const char *agent, char *out, size_t cap)
{
    char text[200];
    size_t n = 0;
    for (const char *p = why ? why : "the session description cannot be taken"; *p && n + 3 < sizeof text;
         p++) {
        if (*p == '"' || *p == '\\') // quoted-pair, RFC 3261 25.1
            text[n++] = '\\';
        text[n++] = *p;
    }
    text[n] = 0;
    int len = snprintf(out, cap, "%u %s \"%s\"", neg_warn_code(why), agent, text);
    return len < 0 || (size_t)len >= cap ? -ENOSPC : len;
}
