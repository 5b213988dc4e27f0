// SPDX-License-Identifier: BSD-3-Clause
// What messages say beside their SDP, in the words of the call machine, and back.
#include <stdio.h>
#include <string.h>

#include "control/agent/agent_internal.h"
#include "control/sip/value.h"

static uint8_t options_of(const struct sip_msg *msg, enum sip_name header)
{
    return sip_msg_options(msg, header) & sip_option_bit(SIP_OPTION_100REL) ? CALL_OPTION_100REL : 0;
}

// RFC 5009: what a peer says of the media that it sends before it answers.
static uint8_t early_media(const struct sip_msg *msg)
{
    struct sip_str value = sip_msg_line(msg, SIP_NAME_P_EARLY_MEDIA, 0);
    if (!value.p)
        return CALL_EARLY_UNSAID;
    return sip_msg_has_token(msg, "P-Early-Media", "inactive") ||
                   sip_msg_has_token(msg, "P-Early-Media", "recvonly")
               ? CALL_EARLY_NO
               : CALL_EARLY_YES;
}

// Cause of the first Reason of protocol Q.850 (RFC 3326), 0: none.
static uint8_t q850_of(const struct sip_msg *msg)
{
    struct sip_str line, value, cause;
    uint64_t n;
    for (unsigned i = 0; (line = sip_msg_line(msg, SIP_NAME_REASON, i)).p; i++)
        while ((value = sip_next_value(&line)).p) {
            const char *semicolon = memchr(value.p, ';', value.len);
            size_t before = semicolon ? (size_t)(semicolon - value.p) : value.len;
            struct sip_str protocol = sip_trim((struct sip_str){value.p, before});
            struct sip_str params = {value.p + before, value.len - before};
            if (sip_str_is_nocase(protocol, "Q.850") && sip_read_param(params, "cause", &cause) &&
                sip_read_number(cause, 127, &n))
                return (uint8_t)n;
        }
    return 0;
}

void agent_facts(const struct sip_msg *msg, struct call_facts *out)
{
    static const struct {
        enum sip_method method;
        uint8_t bit;
    } methods[] = {{SIP_UPDATE, CALL_METHOD_UPDATE},
                   {SIP_INFO, CALL_METHOD_INFO},
                   {SIP_REFER, CALL_METHOD_REFER},
                   {SIP_PRACK, CALL_METHOD_PRACK}};
    uint32_t allow = sip_msg_methods(msg);
    memset(out, 0, sizeof *out);
    out->supported = options_of(msg, SIP_NAME_SUPPORTED);
    out->required = options_of(msg, SIP_NAME_REQUIRE);
    out->allow_known = sip_msg_line(msg, SIP_NAME_ALLOW, 0).p != NULL;
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (allow & sip_method_bit(methods[i].method))
            out->allow |= methods[i].bit;
    if (sip_msg_is_request(msg))
        return;
    out->q850 = q850_of(msg);
    out->reliable = out->required & CALL_OPTION_100REL && sip_msg_line(msg, SIP_NAME_RSEQ, 0).p;
    out->early_media = early_media(msg);
}

void agent_option_lines(const struct tl_trunk_config *trunk, enum sip_method method, char out[static 64])
{
    out[0] = 0;
    if (method == SIP_INVITE && trunk->prack != TL_PRACK_OFF)
        snprintf(out, 64, "%s: 100rel\r\n", trunk->prack == TL_PRACK_REQUIRED ? "Require" : "Supported");
}

uint32_t agent_methods(const struct tl_trunk_config *trunk)
{
    uint32_t methods = sip_methods_ours() | (trunk->refer == TL_REFER_RELAY ? sip_method_bit(SIP_REFER) : 0);
    return methods & ~((trunk->prack == TL_PRACK_OFF ? sip_method_bit(SIP_PRACK) : 0) |
                       (trunk->update ? 0 : sip_method_bit(SIP_UPDATE)));
}

const char *agent_allow(struct agent *agent, uint32_t methods)
{
    return sip_method_list(methods, agent->allow, sizeof agent->allow);
}

void agent_warning_line(const struct agent_leg *leg, const struct sip_flow *flow, const char *sentence,
                        char *out, size_t size)
{
    char host[TL_HOST_MAX], value[400];
    out[0] = 0;
    headers_host(agent_leg_trunk(leg), &flow->local, host);
    if (neg_warning(sentence, host, value, sizeof value) > 0)
        snprintf(out, size, "Warning: %s\r\n", value);
}
