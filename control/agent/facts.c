// SPDX-License-Identifier: BSD-3-Clause
// What messages say beside their SDP, in the words of the call machine, and back.
#include <stdio.h>
#include <string.h>

#include "control/agent/agent_internal.h"
#include "control/sip/value.h"

static uint8_t options_of(const struct sip_msg *msg, enum sip_name header)
{
    uint32_t options = sip_msg_options(msg, header);
    uint8_t set = options & sip_option_bit(SIP_OPTION_100REL) ? CALL_OPTION_100REL : 0;
    set |= options & sip_option_bit(SIP_OPTION_FROM_CHANGE) ? CALL_OPTION_FROM_CHANGE : 0;
    return set | (options & sip_option_bit(SIP_OPTION_TIMER) ? CALL_OPTION_TIMER : 0);
}

// RFC 4028: Session-Expires with its refresher, Min-SE. What is no number is not there; 0 is too little, not nothing.
static void session_of(const struct sip_msg *msg, const struct call_facts *facts, struct refresh_said *out)
{
    struct sip_str value = sip_msg_line(msg, SIP_NAME_SESSION_EXPIRES, 0), role = {0};
    const char *params = value.p ? memchr(value.p, ';', value.len) : NULL;
    out->required = facts->required & CALL_OPTION_TIMER;
    out->supported = out->required || facts->supported & CALL_OPTION_TIMER;
    out->min_se_s = sip_msg_number(msg, "Min-SE", INT32_MAX, 0);
    out->expires_s = sip_msg_number(msg, "Session-Expires", INT32_MAX, UINT32_MAX);
    out->expires_s = out->expires_s == UINT32_MAX ? 0 : out->expires_s ? out->expires_s : 1;
    if (params &&
        sip_read_param((struct sip_str){params, value.len - (size_t)(params - value.p)}, "refresher", &role))
        out->refresher = sip_str_is_nocase(role, "uac")   ? REFRESH_UAC
                         : sip_str_is_nocase(role, "uas") ? REFRESH_UAS
                                                          : REFRESH_UNSAID;
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
    session_of(msg, out, &out->session);
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

// "NAME: 100rel, timer" of a set of the call machine's and one of the stack's; nothing for empty ones.
static void put_options(struct header_out *out, const char *name, unsigned options, uint32_t more)
{
    char list[AGENT_OPTIONS_MAX / 2];
    more |= options & CALL_OPTION_100REL ? sip_option_bit(SIP_OPTION_100REL) : 0;
    more |= options & CALL_OPTION_TIMER ? sip_option_bit(SIP_OPTION_TIMER) : 0;
    if (more)
        header_putf(out, "%s: %s\r\n", name, sip_option_list(more, list, sizeof list));
}

// What the trunk's peer may use beside what the call machine knows of.
static uint32_t trunk_options(const struct tl_trunk_config *trunk)
{
    uint32_t replaces = trunk->replaces != TL_REPLACES_REFUSE ? sip_option_bit(SIP_OPTION_REPLACES) : 0;
    return replaces | (trunk->refer == TL_REFER_CARRY_OUT ? sip_option_bit(SIP_OPTION_NOREFERSUB) : 0);
}

static void put_session(struct header_out *out, const struct refresh_said *said)
{
    static const char *const roles[] = {"", ";refresher=uac", ";refresher=uas"};
    if (said->expires_s)
        header_putf(out, "Session-Expires: %u%s\r\n", said->expires_s, roles[said->refresher]);
    if (said->min_se_s)
        header_putf(out, "Min-SE: %u\r\n", said->min_se_s);
}

void agent_request_options(const struct tl_trunk_config *trunk, const struct call_action *a,
                           char out[static AGENT_OPTIONS_MAX])
{
    struct header_out text = {.p = out, .size = AGENT_OPTIONS_MAX};
    bool rel = a->type == CALL_DO_INVITE && trunk->prack == TL_PRACK_SUPPORTED;
    out[0] = 0;
    if (a->type == CALL_DO_INVITE && trunk->prack == TL_PRACK_REQUIRED)
        put_options(&text, "Require", CALL_OPTION_100REL, 0);
    put_options(&text, "Supported",
                (rel ? CALL_OPTION_100REL : 0) | (a->session.supported ? CALL_OPTION_TIMER : 0),
                trunk_options(trunk));
    put_session(&text, &a->session);
}

void agent_answer_options(const struct tl_trunk_config *trunk, const struct call_action *a,
                          char out[static AGENT_OPTIONS_MAX])
{
    struct header_out text = {.p = out, .size = AGENT_OPTIONS_MAX};
    out[0] = 0;
    if (a->status == 420)
        put_options(&text, "Unsupported", a->options, 0);
    if (a->status == 421)
        put_options(&text, "Require", a->options, 0);
    bool taken = a->status >= 200 && a->status < 300;
    put_options(&text, "Supported", a->session.supported ? CALL_OPTION_TIMER : 0,
                taken ? trunk_options(trunk) : 0);
    put_options(&text, "Require", a->session.required ? CALL_OPTION_TIMER : 0, 0);
    put_session(&text, &a->session);
}

uint32_t agent_methods(const struct tl_trunk_config *trunk)
{
    uint32_t methods = sip_methods_ours() | (trunk->refer != TL_REFER_REFUSE ? sip_method_bit(SIP_REFER) : 0);
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
