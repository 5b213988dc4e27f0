// SPDX-License-Identifier: BSD-3-Clause
#include "control/trunk/names.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/addr.h"

// A question and what is known of its answer.
struct known {
    enum dns_type type; // with the name what entries are found by
    char name[DNS_NAME_MAX];
    bool asking, wanted;
    bool known;             // `status` is that of an answer
    enum dns_status status; // FOUND, NOTHING, or FAILED or BROKEN where there never was another one
    bool failing;           // the last question failed
    uint32_t failures;      // in a row
    uint64_t expires_ms;    // the answer's TTL is over
    uint64_t usable_ms;     // it is not used behind this
    uint64_t ask_ms;        // when it is to be asked next
    uint64_t seen_ms;       // when it was looked at last
    struct known *next;     // to be asked; or in the row of those to be forgotten
    uint32_t count;
    struct dns_record *record;
};

struct names {
    void *entries; // <search.h>
    uint32_t entry_count, asking;
    struct known *wanted, **wanted_end;
    uint64_t due_ms;
    uint64_t round_ms; // when the last round began
    struct names_counters counters;
    // of a walk that forgets
    uint64_t before_ms;
    struct known *old;
};

struct names *names_new(void)
{
    struct names *names = calloc(1, sizeof *names);

    if (names) {
        names->wanted_end = &names->wanted;
        names->due_ms = NAMES_NEVER;
    }
    return names;
}

static void entry_free(void *arg)
{
    struct known *e = arg;

    free(e->record);
    free(e);
}

void names_free(struct names *names)
{
    if (!names)
        return;
    tdestroy(names->entries, entry_free);
    free(names);
}

const struct names_counters *names_counters(const struct names *names)
{
    return &names->counters;
}

uint64_t names_due(const struct names *names)
{
    return names->due_ms;
}

// ---- entries

static int compare_entries(const void *a, const void *b)
{
    const struct known *x = a, *y = b;

    if (x->type != y->type)
        return x->type < y->type ? -1 : 1;
    return strcasecmp(x->name, y->name);
}

static struct known *find(const struct names *names, const char *name, enum dns_type type)
{
    struct known key = {.type = type};

    snprintf(key.name, sizeof key.name, "%s", name);
    struct known *const *found = tfind(&key, &names->entries, compare_entries);
    return found ? *found : NULL;
}

static struct known *make(struct names *names, const char *name, enum dns_type type)
{
    struct known *e = names->entry_count < NAMES_ENTRIES_MAX ? calloc(1, sizeof *e) : NULL;

    if (e) {
        e->type = type;
        snprintf(e->name, sizeof e->name, "%s", name);
    }
    if (!e || !tsearch(e, &names->entries, compare_entries)) {
        names->counters.full++;
        free(e);
        return NULL;
    }
    names->entry_count++;
    return e;
}

static void want(struct names *names, struct known *e)
{
    if (e->asking || e->wanted)
        return;
    e->wanted = true;
    e->next = NULL;
    *names->wanted_end = e;
    names->wanted_end = &e->next;
}

// What is known of a name, and a question where it is time for one. NULL: no room for it.
static const struct known *look(struct names *names, const char *name, enum dns_type type, uint64_t now_ms)
{
    struct known *e = find(names, name, type);

    if (!e)
        e = make(names, name, type);
    if (!e)
        return NULL;
    e->seen_ms = now_ms;
    if (now_ms >= e->ask_ms)
        want(names, e);
    else if (e->ask_ms < names->due_ms)
        names->due_ms = e->ask_ms;
    return e;
}

bool names_question(struct names *names, char name[static DNS_NAME_MAX], enum dns_type *type)
{
    struct known *e = names->wanted;

    if (!e || names->asking >= NAMES_ASKING_MAX)
        return false;
    names->wanted = e->next;
    if (!names->wanted)
        names->wanted_end = &names->wanted;
    e->wanted = false;
    e->asking = true;
    names->asking++;
    names->counters.asked++;
    memcpy(name, e->name, sizeof e->name);
    *type = e->type;
    return true;
}

static uint64_t bounded_ms(uint32_t s, uint32_t least, uint32_t most)
{
    return (s < least ? least : s > most ? most : s) * UINT64_C(1000);
}

static void keep(struct names *names, struct known *e, const struct dns_answer *answer, uint64_t now_ms)
{
    bool found = answer->status == DNS_FOUND;
    uint64_t ttl = found ? bounded_ms(answer->ttl_s, NAMES_TTL_MIN_S, NAMES_TTL_MAX_S)
                         : bounded_ms(answer->ttl_s, NAMES_TTL_MIN_S, NAMES_NOTHING_MAX_S);
    struct dns_record *record = found ? malloc(answer->count * sizeof *record) : NULL;

    if (found && !record) { // as if nobody had answered
        e->ask_ms = now_ms + NAMES_RETRY_MIN_S * UINT64_C(1000);
        return;
    }
    if (found)
        memcpy(record, answer->record, answer->count * sizeof *record);
    free(e->record);
    e->record = record;
    e->count = found ? answer->count : 0;
    e->known = true;
    e->failing = false;
    e->failures = 0;
    e->status = answer->status;
    e->expires_ms = now_ms + ttl;
    e->usable_ms = e->expires_ms + NAMES_STALE_S * UINT64_C(1000);
    e->ask_ms = now_ms + ttl - ttl / 10; // so that the next answer is here before
    names->counters.cut += answer->cut;
}

static void note_failure(struct known *e, enum dns_status status, uint64_t now_ms)
{
    uint64_t pause = NAMES_RETRY_MIN_S * UINT64_C(1000) << (e->failures < 4 ? e->failures : 4);

    if (pause > NAMES_RETRY_MAX_S * UINT64_C(1000))
        pause = NAMES_RETRY_MAX_S * UINT64_C(1000);
    e->failing = true;
    e->failures++;
    e->ask_ms = now_ms + pause;
    if (e->known && now_ms < e->usable_ms)
        return;
    e->known = true;
    e->status = status;
    e->count = 0;
    e->expires_ms = e->usable_ms = now_ms;
}

void names_answer(struct names *names, const char *name, enum dns_type type, const struct dns_answer *answer,
                  uint64_t now_ms)
{
    struct known *e = find(names, name, type);

    if (!e || !e->asking)
        return;
    e->asking = false;
    names->asking--;
    names->counters.found += answer->status == DNS_FOUND;
    names->counters.nothing += answer->status == DNS_NOTHING;
    names->counters.failed += answer->status == DNS_FAILED;
    names->counters.broken += answer->status == DNS_BROKEN;
    names->counters.other += answer->status == DNS_BROKEN && answer->fault == DNS_OTHER;
    names->counters.loops += answer->status == DNS_BROKEN && answer->fault == DNS_LOOP;
    names->counters.foreign += answer->foreign;
    if (answer->status == DNS_FOUND || answer->status == DNS_NOTHING)
        keep(names, e, answer, now_ms);
    else
        note_failure(e, answer->status, now_ms);
}

// ---- rounds

static void mark_old(const void *node, VISIT which, void *arg)
{
    struct known *e = *(struct known *const *)node;
    struct names *names = arg;

    if ((which != postorder && which != leaf) || e->asking || e->wanted || e->seen_ms >= names->before_ms)
        return;
    e->next = names->old;
    names->old = e;
}

void names_round(struct names *names, uint64_t now_ms)
{
    uint64_t last_ms = names->round_ms; // what is in use was looked at then, however long ago that is

    names->due_ms = NAMES_NEVER;
    names->round_ms = now_ms;
    if (now_ms < NAMES_FORGET_S * UINT64_C(1000))
        return;
    names->before_ms = now_ms - NAMES_FORGET_S * UINT64_C(1000);
    if (names->before_ms > last_ms)
        names->before_ms = last_ms;
    twalk_r(names->entries, mark_old, names);
    for (struct known *e; (e = names->old);) {
        names->old = e->next;
        tdelete(e, &names->entries, compare_entries);
        names->entry_count--;
        entry_free(e);
    }
}

static void ask_again(const void *node, VISIT which, void *arg)
{
    struct known *e = *(struct known *const *)node;

    if (which != postorder && which != leaf)
        return;
    e->asking = false;
    if (e->failing || !e->known)
        e->ask_ms = *(const uint64_t *)arg;
}

void names_ask_again(struct names *names, uint64_t now_ms)
{
    names->asking = 0;
    twalk_r(names->entries, ask_again, &now_ms);
}

// ---- what a name stands for

struct resolving {
    struct names *names;
    const struct tl_config *config;
    const struct tl_trunk_config *trunk;
    const struct tl_peer_config *peer;
    uint64_t now_ms;
    struct name_now *out;
    uint64_t expires_ms; // the first of the answers used
    bool open;           // a question has no answer yet
    bool failed;         // one could not be answered
    bool stale;          // an answer's TTL is over
};

// The answer's entry where it says something. FAILED goes on like NOTHING: a server that knows no NAPTR may know addresses.
static const struct known *answer_of(struct resolving *r, const char *name, enum dns_type type)
{
    const struct known *e = look(r->names, name, type, r->now_ms);

    if (!e || !e->known) {
        r->open = r->open || e;
        r->failed = r->failed || !e;
        return NULL;
    }
    r->failed = r->failed || e->status == DNS_FAILED || e->status == DNS_BROKEN;
    if (e->status != DNS_FOUND || r->now_ms >= e->usable_ms)
        return NULL;
    r->stale = r->stale || (r->now_ms >= e->expires_ms && e->failing);
    if (e->expires_ms < r->expires_ms)
        r->expires_ms = e->expires_ms;
    return e;
}

static void add_place(struct resolving *r, const struct tl_addr *addr, uint16_t port, uint32_t listener,
                      uint32_t tier, uint32_t weight)
{
    struct target_place place = {
        .addr = *addr, .listener = listener, .priority = r->peer->priority, .tier = tier, .weight = weight};

    place.addr.port = port;
    for (uint32_t i = 0; i < r->config->listener_count; i++)
        if (tl_addr_equal(&r->config->listeners[i].address, &place.addr)) // no peer of ours is ourselves
            return;
    for (uint32_t i = 0; i < r->out->count; i++)
        if (r->out->place[i].listener == listener && tl_addr_equal(&r->out->place[i].addr, &place.addr))
            return;
    if (r->out->count < TRUNK_TARGETS_MAX && port && !tl_addr_is_any(&place.addr))
        r->out->place[r->out->count++] = place;
}

// Servers turn their records round: the same ones in another order say nothing new.
static int compare_places(const void *a, const void *b)
{
    const struct target_place *x = a, *y = b;

    if (x->tier != y->tier)
        return x->tier < y->tier ? -1 : 1;
    int order = memcmp(x->addr.ip, y->addr.ip, sizeof x->addr.ip);
    return order ? order : (int)x->addr.port - (int)y->addr.port;
}

// The addresses of a host in the families that the listener has.
static void add_hosts(struct resolving *r, const char *name, uint16_t port, uint32_t listener, uint32_t tier,
                      uint32_t weight)
{
    const struct tl_addr *ours = &r->config->listeners[listener].address;
    bool both = ours->family == TL_AF_INET6 && tl_addr_is_any(ours);

    for (unsigned six = 0; six < 2; six++) {
        if (!both && six != (ours->family == TL_AF_INET6))
            continue;
        const struct known *e = answer_of(r, name, six ? DNS_AAAA : DNS_A);
        for (uint32_t i = 0; e && i < e->count; i++)
            add_place(r, &e->record[i].addr, port, listener, tier, weight);
    }
}

// The targets of a service. False: it has no SRV.
static bool add_service(struct resolving *r, const char *name, uint32_t listener, uint32_t tier)
{
    const struct known *e = answer_of(r, name, DNS_SRV);

    if (!e)
        return false;
    for (uint32_t i = 0; i < e->count; i++)
        if (e->record[i].name[0]) // "." means that the service is not there, RFC 2782
            add_hosts(r, e->record[i].name, e->record[i].port, listener, tier << 16 | e->record[i].priority,
                      e->record[i].weight);
    return true;
}

static const char *const services[TL_TRANSPORT_COUNT] = {
    [TL_UDP] = "_sip._udp.", [TL_TCP] = "_sip._tcp.", [TL_TLS] = "_sips._tcp."};
static const char *const naptr_services[TL_TRANSPORT_COUNT] = {
    [TL_UDP] = "SIP+D2U", [TL_TCP] = "SIP+D2T", [TL_TLS] = "SIPS+D2T"};

static bool add_transport(struct resolving *r, enum tl_transport transport, uint32_t listener, uint32_t tier)
{
    char name[DNS_NAME_MAX];

    return snprintf(name, sizeof name, "%s%s", services[transport], r->peer->name) < (int)sizeof name &&
           add_service(r, name, listener, tier);
}

// The listener for a transport that the peer may be reached by, or TL_NO_INDEX: never in clear text where the trunk talks TLS,
// and over TLS only where it knows who the peer is.
static uint32_t listener_for(const struct resolving *r, enum tl_transport transport)
{
    const struct tl_trunk_config *t = r->trunk;
    enum tl_transport own = r->config->listeners[t->listener].transport;

    if (transport == own)
        return t->listener;
    if (tl_transport_row(own)->secure || (tl_transport_row(transport)->secure && !t->tls.name_count &&
                                          t->tls.verify == TL_TLS_VERIFY_REQUIRED))
        return TL_NO_INDEX;
    return tl_listener_beside(r->config, t->listener, transport);
}

// Below 0 where `a` comes before `b`; of equal ones the first in the answer.
static int compare_naptr(const struct dns_record *a, const struct dns_record *b)
{
    if (a->priority != b->priority)
        return a->priority < b->priority ? -1 : 1;
    return (int)a->weight - (int)b->weight;
}

// RFC 3263 4.1. False: no record names a transport that we can use.
static bool add_naptr(struct resolving *r)
{
    const struct known *e = answer_of(r, r->peer->name, DNS_NAPTR);
    const struct dns_record *sorted[DNS_RECORDS_MAX];
    uint32_t n = 0, tier = 0;
    bool any = false;

    for (uint32_t i = 0; e && i < e->count; i++) {
        uint32_t at = n++;
        for (; at && compare_naptr(&e->record[i], sorted[at - 1]) < 0; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = &e->record[i];
    }
    for (uint32_t i = 0; i < n; i++)
        for (unsigned t = 0; t < TL_TRANSPORT_COUNT; t++) {
            uint32_t listener = listener_for(r, (enum tl_transport)t);
            if (listener == TL_NO_INDEX || strcasecmp(sorted[i]->flags, "s") != 0 ||
                strcasecmp(sorted[i]->service, naptr_services[t]) != 0 || !sorted[i]->name[0])
                continue;
            any = true;
            add_service(r, sorted[i]->name, listener, tier++);
        }
    return any;
}

// RFC 3263 4.2 without NAPTR: SRV of each transport, the listener's own first.
static bool add_services(struct resolving *r)
{
    enum tl_transport own = r->config->listeners[r->trunk->listener].transport;
    bool any = add_transport(r, own, r->trunk->listener, 0);

    for (unsigned t = 0; t < TL_TRANSPORT_COUNT; t++) {
        uint32_t listener = t == own ? TL_NO_INDEX : listener_for(r, (enum tl_transport)t);
        if (listener != TL_NO_INDEX)
            any = add_transport(r, (enum tl_transport)t, listener, 1 + t) || any;
    }
    return any;
}

static enum name_state state_of(const struct resolving *r)
{
    if (r->out->count)
        return r->stale ? NAME_STALE : NAME_FOUND;
    return r->open ? NAME_NEW : r->failed ? NAME_FAILED : NAME_NOTHING;
}

void names_of(struct names *names, const struct tl_config *config, const struct tl_trunk_config *trunk,
              const struct tl_peer_config *peer, uint64_t now_ms, struct name_now *out)
{
    struct resolving r = {names, config, trunk, peer, now_ms, out, NAMES_NEVER, false, false, false};
    enum tl_transport transport = config->listeners[peer->listener].transport;
    uint16_t port = peer->port ? peer->port : tl_transport_row(transport)->default_port;

    out->count = 0;
    bool services_known = !peer->port && (peer->over ? add_transport(&r, transport, peer->listener, 0)
                                                     : add_naptr(&r) || (!r.open && add_services(&r)));
    if (!services_known && (peer->port || !r.open))
        add_hosts(&r, peer->name, port, peer->listener, 0, peer->weight);
    qsort(out->place, out->count, sizeof out->place[0], compare_places);
    out->state = state_of(&r);
    out->open = r.open;
    out->ttl_s = r.expires_ms == NAMES_NEVER || r.expires_ms <= now_ms
                     ? 0
                     : (uint32_t)((r.expires_ms - now_ms + 999) / 1000);
}
