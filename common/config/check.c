// SPDX-License-Identifier: BSD-3-Clause
// What no single option can show: values that must differ, fit each other or follow from others.
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "common/addr.h"
#include "common/config/parse.h"

uint32_t config_item(const struct config_parser *p, enum config_list list, uint32_t i)
{
    uint32_t node = 0;

    if (list == LIST_PORTS)
        node = scan_find(&p->scan, scan_find(&p->scan, 0, "dataplane"), "ports");
    else
        node = scan_find(&p->scan, 0, config_lists[list].path);
    return scan_item(&p->scan, node, i);
}

static bool same_ip(const struct tl_addr *a, const struct tl_addr *b)
{
    return a->family && a->family == b->family && memcmp(a->ip, b->ip, sizeof a->ip) == 0;
}

static bool same_addr(const struct tl_addr *a, const struct tl_addr *b)
{
    return same_ip(a, b) && a->port == b->port;
}

static uint32_t ip4(const struct tl_addr *addr)
{
    uint32_t n;

    memcpy(&n, addr->ip, sizeof n);
    return ntohl(n);
}

// ---- dataplane

// A busy worker never gives its core away, so the manager could not run there.
static void check_cores(struct config_parser *p, const struct tl_dataplane_config *d, uint32_t node)
{
    uint32_t list = scan_find(&p->scan, node, "worker_cores");

    for (uint32_t i = 0; d->poll == TL_POLL_BUSY && i < d->worker_count; i++)
        if (d->worker_cores[i] == d->main_core)
            config_complain(p, list == SCAN_NONE ? node : scan_item(&p->scan, list, i),
                            list == SCAN_NONE ? "main_core" : NULL,
                            "core %u is the main core, too; expected another core, or poll \"adaptive\"",
                            d->main_core);
}

// The NIC or the vdev's own name, which stands before its arguments.
static size_t device_len(const char *device)
{
    return strcspn(device, ",");
}

static void check_ports(struct config_parser *p, const struct tl_dataplane_config *d, uint32_t node)
{
    uint64_t descriptors = 0;

    for (uint32_t i = 0; i < d->port_count; i++) {
        const char *device = d->ports[i].device;
        size_t len = device_len(device);
        descriptors += (uint64_t)d->worker_count * (d->ports[i].rx_descriptors + d->ports[i].tx_descriptors);
        for (uint32_t k = 0; len && k < i; k++)
            if (device_len(d->ports[k].device) == len && strncasecmp(d->ports[k].device, device, len) == 0)
                config_complain(p, config_item(p, LIST_PORTS, i), "device",
                                "%.*s is the device of ports[%u] already; expected another device", (int)len,
                                device, k);
    }
    if (d->mbufs && descriptors > d->mbufs)
        config_complain(
            p, node, "mbufs",
            "%u buffers do not fill the rings; expected at least %llu, the descriptors of all ports times "
            "the workers",
            d->mbufs, (unsigned long long)descriptors);
}

static void check_dataplane(struct config_parser *p)
{
    const struct tl_dataplane_config *d = &p->root->config.dataplane;
    uint32_t node = scan_find(&p->scan, 0, "dataplane");
    enum { MBUF_BYTES = 2432, OTHER_BYTES = 16 << 20 }; // what the dataplane asks for

    check_cores(p, d, node);
    check_ports(p, d, node);
    uint64_t bytes =
        (uint64_t)d->mbufs * MBUF_BYTES + (uint64_t)d->max_sessions * TL_SESSION_BYTES + OTHER_BYTES;
    uint64_t need = (bytes + (1 << 20) - 1) >> 20;
    if (!d->huge_pages && d->memory_mb && need > d->memory_mb)
        config_complain(
            p, node, "memory_mb",
            "%u MiB do not hold %u mbufs and %u sessions; expected at least %llu, or fewer of them",
            d->memory_mb, d->mbufs, d->max_sessions, (unsigned long long)need);
    for (uint32_t i = 0; !d->huge_pages && i < d->port_count; i++) {
        const char *device = d->ports[i].device;
        if (device[0] && !strchr(device, '_'))
            config_complain(p, config_item(p, LIST_PORTS, i), "device",
                            "a PCI device needs huge pages; expected dataplane.huge_pages true, or a vdev");
    }
}

// ---- control

static void check_control(struct config_parser *p)
{
    struct tl_control_config *c = &p->root->config.control;
    uint32_t node = scan_find(&p->scan, 0, "control");
    struct {
        const char *name;
        uint32_t *ms;
    } timers[] = {
        {"timer_b_ms", &c->timer_b_ms}, {"timer_f_ms", &c->timer_f_ms}, {"timer_h_ms", &c->timer_h_ms}};

    if (c->t2_ms < c->t1_ms)
        config_complain(p, node, scan_find(&p->scan, node, "t2_ms") == SCAN_NONE ? "t1_ms" : "t2_ms",
                        "T2 of %u ms is below T1 of %u ms; expected t2_ms to be at least t1_ms", c->t2_ms,
                        c->t1_ms);
    for (size_t i = 0; i < sizeof timers / sizeof timers[0]; i++) {
        if (*timers[i].ms == 0)
            *timers[i].ms = 64 * c->t1_ms;
        else if (*timers[i].ms < c->t1_ms)
            config_complain(p, node, timers[i].name, "%u ms are below T1 of %u ms; expected at least t1_ms",
                            *timers[i].ms, c->t1_ms);
    }
    if (strcmp(c->socket, p->root->config.dataplane.socket) == 0)
        config_complain(p, node == SCAN_NONE ? scan_find(&p->scan, 0, "dataplane") : node, "socket",
                        "control.socket and dataplane.socket are one; expected different paths");
}

// ---- realms and listeners

static void check_subnet(struct config_parser *p, const struct tl_realm_config *r, uint32_t node)
{
    uint32_t mask = UINT32_MAX << (32 - r->prefix_len), host = ip4(&r->address) & ~mask;

    if (r->prefix_len < 31 && (host == 0 || host == ~mask))
        config_complain(p, node, "address", "is the %s address of its subnet; expected the address of a host",
                        host ? "broadcast" : "network");
    if (!r->gateway.family)
        return;
    if (same_ip(&r->gateway, &r->address))
        config_complain(p, node, "gateway", "is the realm's own address; expected another host's");
    else if ((ip4(&r->gateway) ^ ip4(&r->address)) & mask)
        config_complain(p, node, "gateway",
                        "is not in the realm's subnet; expected a neighbour in the /%u of %s", r->prefix_len,
                        "address");
}

static void check_realms(struct config_parser *p)
{
    const struct tl_config *c = &p->root->config;

    for (uint32_t i = 0; i < c->realm_count; i++) {
        const struct tl_realm_config *r = &c->realms[i];
        if (!r->address.family)
            continue;
        check_subnet(p, r, config_item(p, LIST_REALMS, i));
        for (uint32_t k = 0; k < i; k++)
            if (same_ip(&c->realms[k].address, &r->address))
                config_complain(p, config_item(p, LIST_REALMS, i), "address",
                                "is the address of realms[%u] already; expected an address of its own", k);
        for (uint32_t k = 0; k < c->listener_count; k++)
            if (same_ip(&c->listeners[k].address, &r->address))
                config_complain(
                    p, config_item(p, LIST_LISTENERS, k), "address",
                    "is the media address of realms[%u], which the kernel must not have; expected "
                    "another address for SIP",
                    i);
    }
}

// Text of an option about TLS that is set where there is no TLS, or NULL.
static const char *tls_for_nothing(const struct tl_tls_config *t)
{
    return t->certificate[0] ? "certificate"
           : t->key[0]       ? "key"
           : t->ca[0]        ? "ca"
           : t->ciphers[0]   ? "ciphers"
           : t->name_count   ? "names"
                             : NULL;
}

// Whether an option of an object "tls" stands in the file, be it right or wrong.
static bool tls_says(const struct config_parser *p, uint32_t node, const char *option)
{
    uint32_t tls = scan_find(&p->scan, node, "tls");
    return tls != SCAN_NONE && scan_find(&p->scan, tls, option) != SCAN_NONE;
}

static void check_listener_tls(struct config_parser *p, const struct tl_listener_config *l, uint32_t node)
{
    const char *idle = tls_for_nothing(&l->tls);

    if (l->transport == TL_TLS && !l->tls.certificate[0] && !tls_says(p, node, "certificate"))
        config_complain(p, node, "tls", "TLS needs a certificate of ours; expected tls.certificate");
    else if (l->transport != TL_TLS && idle)
        config_complain(p, node, "tls",
                        "tls.%s is set and the transport is \"%s\"; expected transport \"tls\"", idle,
                        tl_transport_row(l->transport)->name);
}

// Whether one socket would take what the other one has: with the address, or with every address.
static bool same_socket(const struct tl_listener_config *a, const struct tl_listener_config *b)
{
    return a->transport == b->transport && a->address.family && a->address.family == b->address.family &&
           a->address.port == b->address.port &&
           (same_ip(&a->address, &b->address) || tl_addr_is_any(&a->address) || tl_addr_is_any(&b->address));
}

// The port that was left out, and whom the same place is given to.
static void check_advertised(struct config_parser *p, uint32_t i)
{
    struct tl_listener_config *all = p->root->config.listeners, *l = &all[i];

    if (!l->advertised.family) {
        if (l->address.family && tl_addr_is_any(&l->address) &&
            scan_find(&p->scan, config_item(p, LIST_LISTENERS, i), "advertised") == SCAN_NONE)
            config_complain(p, config_item(p, LIST_LISTENERS, i), "address",
                            "is every address of this machine; expected advertised, the one that peers know");
        return;
    }
    if (l->address.family && l->address.family != l->advertised.family)
        config_complain(p, config_item(p, LIST_LISTENERS, i), "advertised",
                        "is of the other IP family than address; expected one of its family");
    if (!l->advertised.port)
        l->advertised.port = l->address.port;
    for (uint32_t k = 0; k < i; k++)
        if (all[k].transport == l->transport && same_addr(tl_listener_shown(&all[k]), &l->advertised))
            config_complain(p, config_item(p, LIST_LISTENERS, i), "advertised",
                            "is where listeners[%u] is known with this transport; expected another", k);
}

static void check_listeners(struct config_parser *p)
{
    const struct tl_config *c = &p->root->config;

    for (uint32_t i = 0; i < c->listener_count; i++) {
        struct tl_listener_config *l = &p->root->config.listeners[i];
        if (l->strangers == TL_STRANGERS_AUTO)
            l->strangers = tl_transport_row(l->transport)->stream ? TL_STRANGERS_DROP : TL_STRANGERS_ANSWER;
        check_listener_tls(p, &c->listeners[i], config_item(p, LIST_LISTENERS, i));
        check_advertised(p, i);
        for (uint32_t k = 0; k < i; k++)
            if (same_socket(&c->listeners[k], l))
                config_complain(p, config_item(p, LIST_LISTENERS, i), "address",
                                "listeners[%u] has this transport and address already; expected another", k);
    }
}

// ---- trunks

// "none" beside a line says two things at once.
static void check_sdp_pass(struct config_parser *p, const struct tl_trunk_config *t, uint32_t i)
{
    uint32_t node = config_item(p, LIST_TRUNKS, i);
    bool own = scan_find(&p->scan, node, "sdp_pass") != SCAN_NONE;

    for (uint32_t k = 0; t->sdp_pass_count > 1 && k < t->sdp_pass_count; k++)
        if ((int)t->sdp_pass[k] == TL_SDP_PASS_COUNT)
            config_complain(
                p, node, own ? "sdp_pass" : "profile",
                "sdp_pass has \"none\" beside other lines; expected \"none\" alone, or lines without it");
}

// A peer of TLS is known by its name.
static void check_trunk_tls(struct config_parser *p, const struct tl_trunk_config *t,
                            const struct tl_listener_config *l, uint32_t node)
{
    const char *from = scan_find(&p->scan, node, "tls") == SCAN_NONE ? NULL : "tls";

    if (tl_trunk_tls_listener(&p->root->config, t) != TL_NO_INDEX) {
        if (!t->tls.name_count && t->tls.verify == TL_TLS_VERIFY_REQUIRED && !tls_says(p, node, "names"))
            config_complain(
                p, node, from,
                "the peer's certificate has to be for a name; expected tls.names, or tls.verify \"off\" to "
                "know it by its address alone");
    } else if (from && tls_for_nothing(&t->tls)) {
        config_complain(p, node, from,
                        "tls.%s is set and listener \"%s\" is %s; expected a listener with transport \"tls\"",
                        tls_for_nothing(&t->tls), l->name, tl_transport_row(l->transport)->name);
    }
    if (t->tls.key[0] && !t->tls.certificate[0])
        config_complain(p, node, from, "tls.key is set without tls.certificate; expected both");
}

static void check_trunks(struct config_parser *p)
{
    struct tl_config *c = &p->root->config;

    for (uint32_t i = 0; i < c->trunk_count; i++) {
        struct tl_trunk_config *t = &c->trunks[i];
        t->number = i + 1;
        if (t->side == TL_SIDE_OF_REALM)
            t->side = t->realm < c->realm_count ? c->realms[t->realm].side : TL_SIDE_PEER;
        check_sdp_pass(p, t, i);
        if (t->domain_in_via && !t->domain[0])
            config_complain(p, config_item(p, LIST_TRUNKS, i), NULL,
                            "domain_in_via is true and there is no name to put there; expected domain");
        if (t->session_expires_s < t->min_se_s)
            config_complain(p, config_item(p, LIST_TRUNKS, i), NULL,
                            "session_expires_s of %u s is below min_se_s of %u s; expected at least as much",
                            t->session_expires_s, t->min_se_s);
        if (t->listener == CONFIG_NO_INDEX || t->listener >= c->listener_count)
            continue;
        check_trunk_tls(p, t, &c->listeners[t->listener], config_item(p, LIST_TRUNKS, i));
        if (t->srtp == TL_SRTP_OFF || c->control.srtp_without_tls == TL_SRTP_ALLOW ||
            tl_trunk_is_secure(c, t))
            continue;
        uint32_t node = config_item(p, LIST_TRUNKS, i);
        const char *from = scan_find(&p->scan, node, "srtp") == SCAN_NONE ? "profile" : "srtp";
        config_complain(
            p, node, from,
            "SRTP needs SIP over TLS to hide its keys; expected a listener with transport \"tls\", srtp \"off\", or "
            "control.srtp_without_tls \"allow\" to send the keys in the clear");
    }
}

// What is kept for trunks cannot be more than there is.
static void check_shares(struct config_parser *p)
{
    const struct tl_config *c = &p->root->config;
    uint64_t kept = 0;

    for (uint32_t i = 0; i < c->trunk_count; i++) {
        kept += c->trunks[i].reserved_calls;
        if (c->control.max_calls && kept > c->control.max_calls) {
            config_complain(p, config_item(p, LIST_TRUNKS, i), "reserved_calls",
                            "the trunks up to this one keep %llu calls; expected at most control.max_calls, "
                            "%u, in all",
                            (unsigned long long)kept, c->control.max_calls);
            return;
        }
    }
}

void config_check(struct config_parser *p)
{
    check_dataplane(p);
    check_control(p);
    check_realms(p);
    check_listeners(p);
    config_check_peers(p);
    check_trunks(p);
    check_shares(p);
    for (uint32_t i = 0; i < p->root->config.trunk_count; i++)
        config_check_logins(p, i, config_item(p, LIST_TRUNKS, i));
    config_check_routes(p);
}
