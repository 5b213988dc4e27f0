// SPDX-License-Identifier: BSD-3-Clause
#include "common/validate.h"

#include <errno.h>
#include <string.h>

// Largest indices there are: 48 bits in SRTP, 31 in SRTCP (RFC 3711 3.3.1 and 3.4).
#define INDEX_END       (UINT64_C(1) << 48)
#define SRTCP_INDEX_END (UINT32_C(1) << 31)

static bool is_zero(const void *bytes, size_t len)
{
    const unsigned char *p = bytes;
    unsigned char any = 0;
    for (size_t i = 0; i < len; i++)
        any |= p[i];
    return any == 0;
}

bool tl_addr_is_unicast(const struct tl_addr *addr)
{
    if (addr->family != TL_AF_INET || addr->pad != 0 || addr->port == 0)
        return false;
    if (!is_zero(addr->ip + 4, sizeof addr->ip - 4))
        return false;
    return addr->ip[0] != 0 && addr->ip[0] < 224; // "this network", multicast, reserved and broadcast
}

static bool realm_ok(const char *realm, uint16_t op)
{
    size_t len = strnlen(realm, TL_NAME_MAX);
    if (len == TL_NAME_MAX || !is_zero(realm + len, TL_NAME_MAX - len))
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)realm[i] < 0x20 || realm[i] == 0x7f)
            return false;
    return len > 0 || op == TL_OP_MODIFY;
}

static bool local_port_ok(const struct tl_leg *leg, uint16_t op)
{
    return leg->pad == 0 && (op == TL_OP_MODIFY || leg->local_port % 2 == 0);
}

static bool rtp_ok(const struct tl_leg *leg)
{
    return is_zero(&leg->rtp, sizeof leg->rtp) || tl_addr_is_unicast(&leg->rtp);
}

static bool rtcp_ok(const struct tl_leg *leg)
{
    bool set = !is_zero(&leg->rtcp, sizeof leg->rtcp);
    bool rtp_set = leg->rtp.family != TL_AF_UNSET;

    if (set)
        return rtp_set && !(leg->flags & TL_LEG_RTCP_MUX) && tl_addr_is_unicast(&leg->rtcp);
    // unset means RTP port + 1, which must exist
    return !rtp_set || (leg->flags & TL_LEG_RTCP_MUX) || leg->rtp.port != UINT16_MAX;
}

static bool crypto_ok(const struct tl_crypto *crypto)
{
    if (crypto->suite == TL_SUITE_NONE)
        return is_zero(crypto, sizeof *crypto);
    const struct tl_suite_info *suite = tl_suite_info(crypto->suite);
    if (!suite || !is_zero(crypto->pad, sizeof crypto->pad) || !is_zero(crypto->pad2, sizeof crypto->pad2))
        return false;
    if (crypto->mki_len > TL_MKI_MAX || !is_zero(crypto->mki + crypto->mki_len, TL_MKI_MAX - crypto->mki_len))
        return false;
    // A key of zeros is a key that somebody forgot to fill in.
    return !is_zero(crypto->key, suite->key_len) &&
           is_zero(crypto->key + suite->key_len, TL_KEY_MAX - suite->key_len) &&
           is_zero(crypto->salt + suite->salt_len, TL_SALT_MAX - suite->salt_len);
}

static bool pt_ok(const struct tl_leg *leg)
{
    bool seen[128] = {false};
    unsigned laws = 0; // bit by bit

    if (leg->pt_count > TL_PT_MAX)
        return false;
    for (unsigned i = 0; i < leg->pt_count; i++) {
        uint8_t in = leg->pt_in[i];
        if (in > 127 || leg->pt_out[i] > 127 || seen[in])
            return false;
        // RFC 5761 section 4: with RTCP on the same port these read as RTCP packet types
        if ((leg->flags & TL_LEG_RTCP_MUX) && in >= 64 && in <= 95)
            return false;
        if (leg->pt_law[i] >= TL_LAW_COUNT)
            return false;
        laws |= 1u << leg->pt_law[i];
        seen[in] = true;
    }
    size_t rest = TL_PT_MAX - leg->pt_count;
    bool both = laws >> TL_LAW_A_TO_U & laws >> TL_LAW_U_TO_A & 1;
    return !both && is_zero(leg->pt_in + leg->pt_count, rest) && is_zero(leg->pt_out + leg->pt_count, rest) &&
           is_zero(leg->pt_law + leg->pt_count, rest);
}

static bool rate_ok(const struct tl_leg *leg)
{
    if (leg->rtp.family == TL_AF_UNSET && leg->max_len == 0 && leg->max_pps == 0 && leg->max_bps == 0 &&
        leg->burst_ms == 0 && leg->pad3 == 0)
        return true; // nothing is agreed and nothing can come in yet
    return leg->pad3 == 0 && leg->max_len >= TL_LEN_MIN && leg->max_len <= TL_LEN_MAX && leg->max_pps >= 1 &&
           leg->max_pps <= TL_PPS_MAX && leg->max_bps >= TL_BPS_MIN && leg->max_bps <= TL_BPS_MAX &&
           leg->burst_ms >= TL_BURST_MIN_MS && leg->burst_ms <= TL_BURST_MAX_MS;
}

static bool resume_entry_ok(const struct tl_resume_ssrc *entry)
{
    return (entry->index < INDEX_END || entry->index == TL_INDEX_NONE) &&
           entry->srtcp_index < SRTCP_INDEX_END;
}

static bool resume_ok(const struct tl_leg *leg)
{
    for (int i = 0; i < TL_SSRC_MAX; i++) {
        const struct tl_resume_ssrc *entry = &leg->rx_resume[i];
        // what comes in plain leaves no state; what goes out plain has an SSRC and numbers that go on
        if (!resume_entry_ok(entry) || (leg->rx.suite == TL_SUITE_NONE && !is_zero(entry, sizeof *entry)))
            return false;
        for (int j = 0; j < i; j++)
            if (entry->ssrc == leg->rx_resume[j].ssrc && !is_zero(entry, sizeof *entry) &&
                !is_zero(&leg->rx_resume[j], sizeof *entry))
                return false;
    }
    return resume_entry_ok(&leg->tx_resume);
}

static enum tl_field leg_check(const struct tl_leg *leg, uint16_t op)
{
    if (!realm_ok(leg->realm, op))
        return TL_FIELD_REALM;
    if (!local_port_ok(leg, op))
        return TL_FIELD_LOCAL_PORT;
    if (leg->flags & ~(uint32_t)TL_LEG_FLAGS || leg->roc_on_rekey >= TL_ROC_COUNT)
        return TL_FIELD_FLAGS;
    if (!rtp_ok(leg))
        return TL_FIELD_RTP;
    if (!rtcp_ok(leg))
        return TL_FIELD_RTCP;
    if (!crypto_ok(&leg->rx) || !crypto_ok(&leg->tx))
        return TL_FIELD_SUITE;
    if (!pt_ok(leg))
        return TL_FIELD_PT;
    if (!rate_ok(leg))
        return TL_FIELD_RATE;
    if (op == TL_OP_ADD && !resume_ok(leg))
        return TL_FIELD_RESUME;
    return TL_FIELD_NONE;
}

static enum tl_field check(const struct tl_command *c)
{
    unsigned legs = 0; // to look at, bit by bit

    if (c->op == 0 || c->op >= TL_OP_COUNT || c->flags & ~TL_COMMAND_QUIET)
        return TL_FIELD_OP;
    if (c->op == TL_OP_ADD) {
        if (c->call_ref == 0)
            return TL_FIELD_CALL_REF;
        legs = 3;
    }
    if ((c->op == TL_OP_MODIFY || c->op == TL_OP_DEL) &&
        (c->handle.incarnation == 0 || c->handle.generation == 0))
        return TL_FIELD_HANDLE;
    if (c->op == TL_OP_MODIFY) {
        if (c->leg_mask < 1 || c->leg_mask > 3)
            return TL_FIELD_LEG_MASK;
        legs = c->leg_mask;
    }
    for (unsigned i = 0; i < 2; i++) {
        enum tl_field wrong = legs & 1u << i ? leg_check(&c->leg[i], c->op) : TL_FIELD_NONE;
        if (wrong)
            return wrong;
    }
    return TL_FIELD_NONE;
}

int tl_command_check(const struct tl_command *command, uint16_t *field)
{
    *field = (uint16_t)check(command);
    return *field == TL_FIELD_NONE ? 0 : -EINVAL;
}

const char *tl_field_text(uint16_t field)
{
    static const char *const texts[TL_FIELD_COUNT] = {
        [TL_FIELD_NONE] = "nothing is wrong",
        [TL_FIELD_OP] = "the operation must be one of the contract's",
        [TL_FIELD_CALL_REF] = "the call reference must not be 0",
        [TL_FIELD_HANDLE] = "the handle must name a session",
        [TL_FIELD_LEG_MASK] = "the leg mask must name leg 0, leg 1 or both",
        [TL_FIELD_REALM] = "the realm must be a configured name and cannot change",
        [TL_FIELD_LOCAL_PORT] = "the local port must be even and in the realm's range, or 0",
        [TL_FIELD_FLAGS] = "unknown flags are set, or the ROC on a re-key is none that there is",
        [TL_FIELD_RTP] = "the RTP address must be IPv4 unicast with a port, or all zero",
        [TL_FIELD_RTCP] = "the RTCP address must be IPv4 unicast with a port, and unset with RTCP mux",
        [TL_FIELD_LOOP] =
            "the remote address is a media address of our own: the call would go round in a loop",
        [TL_FIELD_SUITE] =
            "the suite must be known, with key and salt of its lengths and an MKI of at most 8 bytes",
        [TL_FIELD_PT] =
            "payload types must be 0 to 127, each once, not 64 to 95 with RTCP mux, with one change of law",
        [TL_FIELD_RATE] = "length, packet rate, bandwidth and burst must lie within the contract's limits",
        [TL_FIELD_RESUME] = "resumed indices must fit 48 and 31 bits, each SSRC once, on an SRTP leg",
        [TL_FIELD_KEY] = "the SRTP key was used before in this call and its indices are forgotten",
    };
    return field < TL_FIELD_COUNT ? texts[field] : "unknown field";
}
