// SPDX-License-Identifier: BSD-3-Clause
#include "control/ctl_calls.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/live.h"

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// ---- status -------------------------------------------------------------------------------------------

static json_t *status_calls(const struct agent_counters *n)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "active", (json_int_t)n->active, "most",
                     (json_int_t)n->active_most, "total", (json_int_t)n->calls, "answered",
                     (json_int_t)n->answered, "turned_away", (json_int_t)n->turned_away, "over_max_calls",
                     (json_int_t)n->over_limit, "without_dataplane", (json_int_t)n->media_away);
}

static json_t *status_dataplane(const struct media *media)
{
    const struct media_counters *n = media_counters(media);
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "state",
                     media_up(media) ? "up" : "away", "sessions", (json_int_t)media_session_count(media),
                     "outstanding", (json_int_t)media_outstanding(media), "connected",
                     (json_int_t)n->connected, "refused", (json_int_t)n->refused, "reinstalled",
                     (json_int_t)n->reinstalled, "lost", (json_int_t)n->lost, "flushed",
                     (json_int_t)n->flushed, "silences", (json_int_t)n->silences);
}

static json_t *status_rejects(const struct sip_counters *n)
{
    json_t *rejects = json_object();
    for (int r = 0; rejects && r < SIP_REJECT_COUNT; r++)
        if (n->rejects[r])
            json_object_set_new(rejects, sip_reject_label((enum sip_reject)r),
                                json_integer((json_int_t)n->rejects[r]));
    return rejects;
}

static json_t *status_sip(const struct sip_counters *n)
{
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "received",
        (json_int_t)(n->rx[TL_UDP] + n->rx[TL_TCP]), "sent", (json_int_t)(n->tx[TL_UDP] + n->tx[TL_TCP]),
        "received_again", (json_int_t)n->rx_again, "sent_again", (json_int_t)n->tx_again, "not_sent",
        (json_int_t)n->tx_failed, "answered_by_stack", (json_int_t)n->answered_here, "timeouts",
        (json_int_t)n->timeouts, "no_ack", (json_int_t)n->no_ack, "forks_ended", (json_int_t)n->forks_ended,
        "transactions", (json_int_t)n->txns_live, "transactions_waiting", (json_int_t)n->txns_waiting,
        "connections", (json_int_t)n->tcp_open, "rejects", status_rejects(n));
}

static json_t *status_trunks(const struct trunk_table *table)
{
    unsigned down = 0;
    for (uint32_t i = 0; i < table->count; i++)
        down += table->trunks[i].down;
    return json_pack("{s:i, s:i}", "up", (int)(table->count - down), "down", (int)down);
}

static json_t *status(void *arg)
{
    const struct agent *agent = arg;
    return json_pack("{s:s, s:I, s:o, s:o, s:o, s:o}", "version", TRUNKLINE_VERSION, "uptime_s",
                     (json_int_t)agent_uptime_s(agent), "calls", status_calls(agent_counters(agent)),
                     "trunks", status_trunks(agent_trunks(agent)), "dataplane",
                     status_dataplane(agent_media(agent)), "sip",
                     status_sip(sip_stack_counters(agent_stack(agent))));
}

// ---- calls --------------------------------------------------------------------------------------------

struct page {
    json_t *calls;
    uint64_t after; // calls with smaller ids only; 0: all
    unsigned limit;
    uint64_t last;
    bool more;
};

static bool add_to_page(void *arg, const struct agent_call_info *c)
{
    struct page *p = arg;
    char id[24];
    if (p->after && c->id >= p->after)
        return true;
    if (json_array_size(p->calls) >= p->limit) {
        p->more = true;
        return false;
    }
    snprintf(id, sizeof id, "%llu", (unsigned long long)c->id);
    json_array_append_new(p->calls, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I}", "id", id, "state",
                                              c->state, "from", c->calling, "to", c->called, "from_trunk",
                                              c->trunk[CALL_A]->name, "to_trunk", c->trunk[CALL_B]->name,
                                              "seconds", (json_int_t)(c->age_ms / 1000)));
    p->last = c->id;
    return true;
}

static json_t *calls(void *arg, uint64_t after, unsigned limit)
{
    struct page p = {.calls = json_array(), .after = after, .limit = limit};
    if (!p.calls)
        return NULL;
    agent_each_call(arg, add_to_page, &p);
    return json_pack("{s:o, s:o}", "calls", p.calls, "next",
                     p.more ? json_integer((json_int_t)p.last) : json_null());
}

static json_t *address(const struct tl_addr *a)
{
    char text[32] = "";
    if (a->family == TL_AF_INET)
        snprintf(text, sizeof text, "%u.%u.%u.%u:%u", a->ip[0], a->ip[1], a->ip[2], a->ip[3], a->port);
    return json_string(text);
}

static json_t *drops_of(const struct tl_leg_snapshot *leg)
{
    json_t *drops = json_object();
    for (int r = 0; drops && r < TL_DROP_COUNT; r++)
        if (leg->drops[r])
            json_object_set_new(drops, tl_drop_label((enum tl_drop)r), json_integer(leg->drops[r]));
    return drops;
}

static json_t *describe_leg(const struct agent_call_info *c, unsigned side,
                            const struct tl_session_snapshot *snap)
{
    const struct tl_suite_info *suite = tl_suite_info(c->suite[side]);
    json_t *leg = json_pack("{s:s, s:s, s:o, s:o, s:s}", "trunk", c->trunk[side]->name, "call_id",
                            c->sip_call_id[side], "local", address(&c->local[side]), "remote",
                            address(&c->remote[side]), "srtp", suite ? suite->name : "off");
    if (!leg || !snap)
        return leg;
    const struct tl_leg_snapshot *l = &snap->leg[side];
    json_t *media = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "rx_packets", (json_int_t)l->counters.rx_packets,
        "rx_octets", (json_int_t)l->counters.rx_octets, "tx_packets", (json_int_t)l->counters.tx_packets,
        "tx_octets", (json_int_t)l->counters.tx_octets, "rx_rtcp", (json_int_t)l->counters.rx_rtcp, "tx_rtcp",
        (json_int_t)l->counters.tx_rtcp, "dropped", (json_int_t)l->counters.drops, "drops", drops_of(l));
    json_object_set_new(leg, "media", media);
    return leg;
}

static json_t *call(void *arg, const char *id)
{
    const struct agent *agent = arg;
    struct agent_call_info c;
    struct tl_session_snapshot snap;
    uint64_t n;
    if (sdp_number(id, strlen(id), UINT64_MAX, &n) < 0 || !agent_find_call(agent, n, &c))
        return NULL;
    const struct tl_live_view *live = media_live(agent_media(agent));
    bool known = live && c.handle.incarnation && tl_live_read(live, &c.handle, &snap) == 0;
    char session[24];
    snprintf(session, sizeof session, "%016llx", (unsigned long long)c.call_ref);
    return json_pack("{s:s, s:s, s:s, s:s, s:f, s:f, s:s, s:b, s:s, s:o, s:o}", "id", id, "state", c.state,
                     "from", c.calling, "to", c.called, "seconds", (double)c.age_ms / 1000.0, "talked",
                     (double)c.talk_ms / 1000.0, "codec", c.codec, "held", c.held, "session", session, "a",
                     describe_leg(&c, CALL_A, known ? &snap : NULL), "b",
                     describe_leg(&c, CALL_B, known ? &snap : NULL));
}

// ---- trunks, stats ------------------------------------------------------------------------------------

static json_t *trunks(void *arg)
{
    return ctl_trunks(agent_trunks(arg), now_ns() / 1000000);
}

static json_t *stats(void *arg)
{
    return ctl_stats(media_live(agent_media(arg)), now_ns());
}

const struct ctl_provider agent_provider = {status, calls, call, trunks, stats};
