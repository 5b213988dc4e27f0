// SPDX-License-Identifier: BSD-3-Clause
#include "dataplane/session/terms.h"

#include <errno.h>
#include <string.h>

enum { PT_NONE = 0xff };
// The narrow fields of struct leg_terms.
static_assert(NEIGH_MAX <= 1 << 12 && TL_REALMS_MAX <= 1 << 6 && TL_PORTS_MAX <= 1 << 4, "numbers fit");
static_assert(TL_LEN_MAX < 1 << 11, "and lengths");

static uint32_t ip_of(const struct tl_addr *addr)
{
    uint32_t ip;
    memcpy(&ip, addr->ip, sizeof ip);
    return ip;
}

static void set_addresses(struct leg_terms *t, const struct tl_leg *leg, const struct leg_place *place)
{
    t->flags = (uint8_t)leg->flags;
    t->max_len = leg->max_len;
    t->police = police_rate_of(leg->max_pps, leg->max_bps, leg->burst_ms, leg->max_len);
    t->tx_port = place->port->index & 15;
    t->realm = (place->realm - place->port->realm) & 63;
    t->local_port = rte_cpu_to_be_16(place->local_port);
    if (leg->rtp.family == TL_AF_UNSET)
        return;
    t->flags |= TERMS_COMPLETE;
    t->rtp_ip = ip_of(&leg->rtp);
    t->rtp_port = rte_cpu_to_be_16(leg->rtp.port);
    if (leg->flags & TL_LEG_RTCP_MUX)
        return;
    bool named = leg->rtcp.family != TL_AF_UNSET;
    t->rtcp_ip = named ? ip_of(&leg->rtcp) : t->rtp_ip;
    t->rtcp_port = rte_cpu_to_be_16(named ? leg->rtcp.port : leg->rtp.port + 1);
}

static void set_payload_types(struct leg_terms *t, const struct tl_leg *leg)
{
    memset(t->pt_in, PT_NONE, sizeof t->pt_in);
    for (unsigned i = 0; i < leg->pt_count; i++) {
        t->pt_in[i] = leg->pt_in[i];
        t->pt_out[i] = leg->pt_out[i] | (leg->pt_law[i] == TL_LAW_SAME ? 0 : TERMS_TRANSCODE);
        if (leg->pt_law[i] == TL_LAW_U_TO_A)
            t->flags |= TERMS_U_TO_A;
    }
}

// ---- keys --------------------------------------------------------------------------------------------

static int make_key(const struct srtp_key **out, const struct tl_crypto *crypto,
                    const struct terms_maker *maker)
{
    size_t size = srtp_key_size(crypto->suite);
    if (crypto->suite == TL_SUITE_NONE)
        return 0;
    struct srtp_key *key = slab_get(maker->slab, size);
    if (!key)
        return -ENOMEM;
    if (srtp_key_init(maker->srtp, key, crypto)) {
        slab_put(maker->slab, key, size);
        return -EIO;
    }
    *out = key;
    return 0;
}

static void free_key(const struct srtp_key *key, const struct terms_maker *maker)
{
    if (key)
        slab_put(maker->slab, (void *)(uintptr_t)key, srtp_key_size(srtp_key_suite(key)));
}

static int set_keys(struct leg_terms *t, const struct tl_leg *leg, const struct terms_maker *maker)
{
    t->flags |= (srtp_suite_is_gcm(leg->rx.suite) ? TERMS_RX_GCM : 0) |
                (srtp_suite_is_gcm(leg->tx.suite) ? TERMS_TX_GCM : 0);
    int e = make_key(&t->rx_key, &leg->rx, maker);
    return e ? e : make_key(&t->tx_key, &leg->tx, maker);
}

// ---- next hops ---------------------------------------------------------------------------------------

static int find_hop(uint32_t *number, uint32_t ip, const struct leg_place *place, struct neigh *neigh,
                    uint64_t now_ns)
{
    *number = NEIGH_NO_ROUTE;
    return neigh_get(neigh, place->port, place->realm, ip, now_ns, number) == -ENOSPC ? -ENOSPC : 0;
}

static int set_hops(struct leg_terms *t, const struct leg_place *place, struct neigh *neigh, uint64_t now_ns)
{
    uint32_t number;
    if (!(t->flags & TERMS_COMPLETE))
        return 0;
    int e = find_hop(&number, t->rtp_ip, place, neigh, now_ns);
    t->rtp_hop = number & (NEIGH_MAX - 1);
    if (e || t->flags & TL_LEG_RTCP_MUX) // then RTCP goes where RTP goes
        return e;
    e = find_hop(&number, t->rtcp_ip, place, neigh, now_ns);
    t->rtcp_hop = number & (NEIGH_MAX - 1);
    return e;
}

// ---- all of it ---------------------------------------------------------------------------------------

int leg_parts_make(struct leg_parts *out, const struct tl_leg *leg, const struct leg_place *place,
                   const struct terms_maker *maker, uint64_t now_ns)
{
    struct leg_terms *t = out->terms;
    struct leg_rx *known = out->rx;
    *t = (struct leg_terms){0};
    out->rx = NULL;
    out->past = NULL;
    set_addresses(t, leg, place);
    set_payload_types(t, leg);
    int e = set_keys(t, leg, maker);
    if (!e && t->rx_key && known) {
        out->rx = known;
    } else if (!e && t->rx_key) {
        out->rx = slab_get(maker->slab, sizeof *out->rx);
        if (out->rx)
            leg_rx_reset(out->rx, leg->roc_on_rekey);
        else
            e = -ENOMEM;
    }
    if (!e)
        e = set_hops(t, place, maker->neigh, now_ns);
    if (e) {
        if (known)
            out->rx = NULL;
        leg_parts_free(out, maker, now_ns);
    }
    return e;
}

void leg_parts_free(struct leg_parts *parts, const struct terms_maker *maker, uint64_t now_ns)
{
    struct leg_terms *t = parts->terms;
    neigh_put(maker->neigh, t->rtp_hop, now_ns);
    neigh_put(maker->neigh, t->rtcp_hop, now_ns);
    free_key(t->rx_key, maker);
    free_key(t->tx_key, maker);
    if (parts->rx)
        slab_put(maker->slab, parts->rx, sizeof *parts->rx);
    *t = (struct leg_terms){0};
    parts->rx = NULL;
}
