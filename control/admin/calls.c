// SPDX-License-Identifier: BSD-3-Clause
#include "control/admin/calls.h"
#include "common/number.h"
#include "control/admin/reload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/addr.h"
#include "common/live.h"
#include "control/base/text.h"
#include "control/sip/gate.h"

#define HEARD_NS UINT64_C(2000000000)

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// ---- status -------------------------------------------------------------------------------------------

static json_t *status_calls(const struct agent_counters *n)
{
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}",
                     "active", (json_int_t)n->active, "most", (json_int_t)n->active_most, "total",
                     (json_int_t)n->calls, "answered", (json_int_t)n->answered, "turned_away",
                     (json_int_t)n->turned_away, "over_limit", (json_int_t)n->over_limit, "without_dataplane",
                     (json_int_t)n->media_away, "strangers", (json_int_t)n->strangers, "bad_extension",
                     (json_int_t)n->bad_extension, "extension_required", (json_int_t)n->extension_required,
                     "sips_in_clear", (json_int_t)n->sips_in_clear, "sips_without_trunk",
                     (json_int_t)n->sips_refused, "dead", (json_int_t)n->dead, "session_refreshes",
                     (json_int_t)n->refreshes, "session_timers_expired", (json_int_t)n->expired, "times_busy",
                     (json_int_t)n->busy);
}

static const char *dataplane_state(const struct media *media)
{
    return media_up(media) ? "up" : "away";
}

static json_t *status_dataplane(const struct media *media)
{
    const struct media_counters *n = media_counters(media);
    return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "state", dataplane_state(media),
                     "sessions", (json_int_t)media_session_count(media), "outstanding",
                     (json_int_t)media_outstanding(media), "connected", (json_int_t)n->connected, "refused",
                     (json_int_t)n->refused, "reinstalled", (json_int_t)n->reinstalled, "lost",
                     (json_int_t)n->lost, "flushed", (json_int_t)n->flushed, "silences",
                     (json_int_t)n->silences);
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

// Messages by transport.
static json_t *status_transports(const struct sip_counters *n)
{
    json_t *transports = json_object();
    for (unsigned t = 0; transports && t < TL_TRANSPORT_COUNT; t++)
        json_object_set_new(
            transports, tl_transport_row((enum tl_transport)t)->name,
            json_pack("{s:I, s:I}", "received", (json_int_t)n->rx[t], "sent", (json_int_t)n->tx[t]));
    return transports;
}

static json_t *status_sip(const struct sip_counters *n)
{
    uint64_t received = 0, sent = 0;
    for (unsigned t = 0; t < TL_TRANSPORT_COUNT; t++) {
        received += n->rx[t];
        sent += n->tx[t];
    }
    return json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}",
        "received", (json_int_t)received, "sent", (json_int_t)sent, "received_again", (json_int_t)n->rx_again,
        "sent_again", (json_int_t)n->tx_again, "not_sent", (json_int_t)n->tx_failed, "answered_by_stack",
        (json_int_t)n->answered_here, "timeouts", (json_int_t)n->timeouts, "no_ack", (json_int_t)n->no_ack,
        "forks_ended", (json_int_t)n->forks_ended, "challenged", (json_int_t)n->challenged,
        "challenged_in_vain", (json_int_t)n->challenged_in_vain, "transactions", (json_int_t)n->txns_live,
        "transactions_waiting", (json_int_t)n->txns_waiting, "connections", (json_int_t)n->tcp_open, "by_tcp",
        (json_int_t)n->by_tcp, "back_to_udp", (json_int_t)n->back_to_udp, "pings", (json_int_t)n->pings,
        "rejects", status_rejects(n), "transports", status_transports(n));
}

// What was not let in, by reason.
static json_t *status_gate(const struct sip_gate *gate)
{
    json_t *drops = json_object();
    for (int d = 0; drops && d < SIP_GATE_DROP_COUNT; d++)
        json_object_set_new(drops, sip_gate_label((enum sip_gate_drop)d),
                            json_integer((json_int_t)gate->drops[d]));
    return json_pack("{s:I, s:o}", "bans", (json_int_t)gate->bans, "drops", drops);
}

static json_t *status_trunks(const struct trunk_table *table)
{
    uint32_t count = table->now->config->trunk_count, down = 0;
    for (uint32_t i = 0; i < count; i++)
        down += table->now->trunks[i]->down;
    return json_pack("{s:i, s:i}", "up", (int)(count - down), "down", (int)down);
}

static json_t *status(void *arg)
{
    const struct agent *agent = arg;
    return json_pack(
        "{s:s, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "version", TRUNKLINE_VERSION, "uptime_s",
        (json_int_t)agent_uptime_s(agent), "configuration_generation",
        (json_int_t)agent_trunks(agent)->now->number, "calls", status_calls(agent_counters(agent)), "trunks",
        status_trunks(agent_trunks(agent)), "dataplane", status_dataplane(agent_media(agent)), "sip",
        status_sip(sip_stack_counters(agent_stack(agent))), "gate", status_gate(agent_gate(agent)));
}

// ---- calls --------------------------------------------------------------------------------------------

// Seconds since media was taken from the leg; null: never, or the dataplane does not have the call.
static json_t *heard(const struct tl_session_snapshot *snap, unsigned side)
{
    uint64_t now = now_ns(), last = snap ? snap->leg[side].last_rx_ns : 0;
    if (!last)
        return json_null();
    uint64_t ms = now > last ? (now - last) / 1000000 : 0;
    return json_real((double)ms / 1000);
}

// What the live table has of the call, or NULL.
static const struct tl_session_snapshot *look_up(const struct tl_live_view *live,
                                                 const struct agent_call_info *c,
                                                 struct tl_session_snapshot *snap)
{
    return live && c->handle.incarnation && tl_live_read(live, &c->handle, snap) == 0 ? snap : NULL;
}

struct page {
    json_t *calls;
    const struct tl_live_view *live;
    uint64_t after; // calls with smaller ids only; 0: all
    unsigned limit;
    uint64_t last;
    bool more;
};

static bool add_to_page(void *arg, const struct agent_call_info *c)
{
    struct page *p = arg;
    struct tl_session_snapshot room;
    char id[24];
    if (p->after && c->id >= p->after)
        return true;
    if (json_array_size(p->calls) >= p->limit) {
        p->more = true;
        return false;
    }
    snprintf(id, sizeof id, "%llu", (unsigned long long)c->id);
    const struct tl_session_snapshot *snap = look_up(p->live, c, &room);
    json_array_append_new(p->calls,
                          json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:o, s:o}", "id", id, "state",
                                    c->state, "from", TEXT_SHOWN(c->calling), "to", TEXT_SHOWN(c->called),
                                    "from_trunk", c->trunk[CALL_A]->name, "to_trunk", c->trunk[CALL_B]->name,
                                    "seconds", (json_int_t)(c->age_ms / 1000), "heard_a_s_ago",
                                    heard(snap, CALL_A), "heard_b_s_ago", heard(snap, CALL_B)));
    p->last = c->id;
    return true;
}

static json_t *calls(void *arg, uint64_t after, unsigned limit)
{
    struct page p = {
        .calls = json_array(), .live = media_live(agent_media(arg)), .after = after, .limit = limit};
    if (!p.calls)
        return NULL;
    agent_each_call(arg, add_to_page, &p);
    return json_pack("{s:o, s:o}", "calls", p.calls, "next",
                     p.more ? json_integer((json_int_t)p.last) : json_null());
}

static json_t *address(const struct tl_addr *a)
{
    char text[TL_ADDR_TEXT];
    return json_string(tl_addr_print(a, text));
}

// As in stats, without the reasons that did not occur here.
static json_t *drops_of(const struct tl_leg_snapshot *leg)
{
    json_t *drops = json_array();
    for (int r = 0; drops && r < TL_DROP_COUNT; r++)
        if (leg->drops[r])
            json_array_append_new(drops, json_pack("{s:s, s:I, s:s}", "reason", tl_drop_label(r), "count",
                                                   (json_int_t)leg->drops[r], "text", tl_drop_text(r)));
    return drops;
}

// A packet that comes twice: under SRTP it is dropped as a replay before it can be counted as anything else.
static uint64_t duplicates(const struct tl_leg_snapshot *leg)
{
    return (uint64_t)leg->counters.duplicates + leg->drops[TL_DROP_replayed];
}

static json_t *media_of(const struct tl_session_snapshot *snap, unsigned side)
{
    const struct tl_leg_snapshot *leg = &snap->leg[side];
    const struct tl_leg_counters *n = &leg->counters;
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:I, s:o, s:I, s:o}", "rx_packets",
                     (json_int_t)n->rx_packets, "rx_octets", (json_int_t)n->rx_octets, "tx_packets",
                     (json_int_t)n->tx_packets, "tx_octets", (json_int_t)n->tx_octets, "rx_rtcp",
                     (json_int_t)n->rx_rtcp, "tx_rtcp", (json_int_t)n->tx_rtcp, "lost", (json_int_t)n->lost,
                     "reordered", (json_int_t)n->reordered, "duplicates", (json_int_t)duplicates(leg),
                     "jitter_ms", n->jitter_us / 1000.0, "longest_gap_ms", (json_int_t)n->gap_ms,
                     "heard_s_ago", heard(snap, side), "dropped", (json_int_t)n->drops, "drops",
                     drops_of(leg));
}

// Payload types by codec: what the remote side is to send us and what we send it. Null: not agreed.
static json_t *payload_types(const struct neg_leg *neg)
{
    static const char *const names[NEG_CODECS] = {
        [NEG_PCMU] = "PCMU", [NEG_PCMA] = "PCMA", [NEG_EVENT] = "telephone-event"};
    json_t *all = json_object();
    for (int c = 0; all && c < NEG_CODECS; c++)
        if (neg->remote_pt[c] != NEG_NO_PT)
            json_object_set_new(
                all, names[c],
                json_pack("{s:o, s:i}", "in",
                          neg->local_pt[c] != NEG_NO_PT ? json_integer(neg->local_pt[c]) : json_null(), "out",
                          neg->remote_pt[c]));
    return all;
}

// Where the remote side takes RTCP: what it said, else the port above its RTP, else, with mux, its RTP port.
static struct tl_addr rtcp_of(const struct neg_leg *neg)
{
    struct tl_addr a = neg->rtcp;
    if (neg->rtcp_mux || a.family == TL_AF_UNSET) {
        a = neg->rtp;
        if (a.family != TL_AF_UNSET && !neg->rtcp_mux)
            a.port++;
    }
    return a;
}

// Bytes of MKI in its packets and in ours; null without.
static json_t *mki_of(const struct neg_leg *neg)
{
    if (!neg->rx.mki_len && !neg->tx.mki_len)
        return json_null();
    return json_pack("{s:i, s:i}", "in", neg->rx.mki_len, "out", neg->tx.mki_len);
}

// What the dataplane lets the remote side send.
static json_t *limits_of(const struct agent_call_info *c, unsigned side)
{
    struct tl_leg leg = {0};
    neg_limits(c->trunk[side], c->neg[side], c->neg[!side], &leg);
    return json_pack("{s:I, s:I, s:i}", "packets_per_s", (json_int_t)leg.max_pps, "octets_per_s",
                     (json_int_t)leg.max_bps, "burst_ms", leg.burst_ms);
}

// "1800 s, refreshed by us"; null: no session timer (RFC 4028).
static json_t *session_timer(const struct refresh *r)
{
    if (!r->interval_s)
        return json_null();
    return json_sprintf("%u s, refreshed by %s", r->interval_s, r->who == REFRESH_US ? "us" : "it");
}

static json_t *describe_leg(const struct agent_call_info *c, unsigned side,
                            const struct tl_session_snapshot *snap)
{
    static const char *const directions[] = {[SDP_INACTIVE] = "inactive",
                                             [SDP_SENDONLY] = "sendonly",
                                             [SDP_RECVONLY] = "recvonly",
                                             [SDP_SENDRECV] = "sendrecv"};
    const struct tl_suite_info *suite = tl_suite_info(c->suite[side]);
    const struct neg_leg *neg = c->neg[side];
    const struct tl_addr rtcp = rtcp_of(neg);
    return json_pack(
        "{s:s, s:o, s:s, s:o, s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "trunk", c->trunk[side]->name,
        "peer", address(&c->peer[side]), "call_id", TEXT_SHOWN(c->sip_call_id[side]), "local",
        address(&c->local[side]), "remote", address(&c->remote[side]), "remote_rtcp", address(&rtcp),
        "direction", directions[neg->direction & SDP_SENDRECV], "srtp", suite ? suite->name : "off", "mki",
        mki_of(neg), "payload_types", payload_types(neg), "limits", limits_of(c, side), "session_timer",
        session_timer(c->refresh[side]), "media", snap ? media_of(snap, side) : json_null());
}

// Which way there was audio in the last two seconds; null: the dataplane does not have the call.
static json_t *audio(const struct tl_session_snapshot *snap)
{
    static const char *const names[] = {"none", "only from A", "only from B", "both ways"};
    uint64_t now = now_ns();
    unsigned heard_now = 0;
    if (!snap)
        return json_null();
    for (unsigned side = 0; side < 2; side++) {
        uint64_t last = snap->leg[side].last_rx_ns;
        if (last && (last >= now || now - last < HEARD_NS))
            heard_now |= 1u << side;
    }
    return json_string(names[heard_now]);
}

static json_t *call(void *arg, const char *id)
{
    const struct agent *agent = arg;
    struct agent_call_info c;
    struct tl_session_snapshot room;
    uint64_t n;
    if (!tl_read_number(id, strlen(id), UINT64_MAX, &n) || !agent_find_call(agent, n, &c))
        return NULL;
    const struct tl_session_snapshot *snap = look_up(media_live(agent_media(agent)), &c, &room);
    char session[24];
    snprintf(session, sizeof session, "%016llx", (unsigned long long)c.call_ref);
    return json_pack("{s:s, s:s, s:s, s:s, s:f, s:f, s:s, s:b, s:o, s:s, s:s, s:o, s:o}", "id", id, "state",
                     c.state, "from", TEXT_SHOWN(c.calling), "to", TEXT_SHOWN(c.called), "seconds",
                     (double)c.age_ms / 1000.0, "talked", (double)c.talk_ms / 1000.0, "codec", c.codec,
                     "held", c.held, "audio", audio(snap), "session", session, "dataplane",
                     dataplane_state(agent_media(agent)), "a", describe_leg(&c, CALL_A, snap), "b",
                     describe_leg(&c, CALL_B, snap));
}

// ---- ending calls -------------------------------------------------------------------------------------

static bool is_wanted(void *arg, const struct agent_call_info *c)
{
    const char *trunk = arg; // NULL: any
    return !trunk || strcmp(c->trunk[CALL_A]->name, trunk) == 0 || strcmp(c->trunk[CALL_B]->name, trunk) == 0;
}

static json_t *hang_up(void *arg, const struct ctl_hangup *which)
{
    struct agent *agent = arg;
    uint64_t id, next = 0;
    size_t ended = 1;
    if (which->call) {
        if (!tl_read_number(which->call, strlen(which->call), UINT64_MAX, &id) ||
            agent_hang_up(agent, id) < 0)
            return NULL;
    } else {
        if (which->trunk && !trunk_named(agent_trunks(agent), which->trunk))
            return NULL;
        ended = agent_hang_up_where(agent, which->after, CTL_HANGUP_MAX, is_wanted,
                                    (void *)(uintptr_t)which->trunk, &next);
    }
    return json_pack("{s:I, s:o}", "ended", (json_int_t)ended, "next",
                     next ? json_integer((json_int_t)next) : json_null());
}

// ---- trunks, stats ------------------------------------------------------------------------------------

static json_t *trunks(void *arg)
{
    json_t *answer = ctl_trunks(agent_trunks(arg), agent_now_ms(arg));
    ctl_add_registrations(arg, json_object_get(answer, "trunks"));
    return answer;
}

static json_t *trunk(void *arg, const char *name)
{
    json_t *answer = ctl_trunk(agent_trunks(arg), name, agent_now_ms(arg)),
           *list = json_pack("[O?]", answer); // the same object
    if (answer) {
        ctl_add_registrations(arg, list);
        json_object_set_new(answer, "certificates", ctl_certificates(arg, name));
    }
    json_decref(list);
    return answer;
}

// What control has dropped of SDPs, in the form of the dataplane's drops.
static json_t *sdp_drops(const struct sdp_counters *n)
{
    json_t *list = json_array();
    for (int i = 0; i < SDP_ODD_COUNT; i++)
        json_array_append_new(list,
                              json_pack("{s:s, s:I, s:s}", "reason", sdp_odd_name((enum sdp_odd)i), "count",
                                        (json_int_t)n->odd[i], "text", sdp_odd_text((enum sdp_odd)i)));
    return list;
}

// How name servers have answered.
static json_t *names_json(const struct names_counters *n)
{
    const struct {
        const char *label, *text;
        uint64_t count;
    } rows[] = {
#define X(label, text) {#label, text, n->label},
        NAMES_COUNTERS(X)
#undef X
    };
    json_t *list = json_array();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        json_array_append_new(list, json_pack("{s:s, s:I, s:s}", "counter", rows[i].label, "count",
                                              (json_int_t)rows[i].count, "text", rows[i].text));
    return list;
}

static json_t *stats(void *arg)
{
    json_t *answer = ctl_stats(media_live(agent_media(arg)), agent_config(arg), now_ns());
    const struct sdp_counters *n = &agent_counters(arg)->sdp;
    json_object_set_new(answer, "sdp",
                        json_pack("{s:I, s:I, s:o}", "read", (json_int_t)n->parsed, "refused",
                                  (json_int_t)n->refused, "drops", sdp_drops(n)));
    json_object_set_new(answer, "names", names_json(names_counters(agent_trunks(arg)->names)));
    json_object_set_new(answer, "state", json_string(dataplane_state(agent_media(arg))));
    return answer;
}

// ---- bans ---------------------------------------------------------------------------------------------

static void add_ban(void *list, const struct source *source)
{
    char text[SOURCE_TEXT];
    uint64_t now = now_ns() / 1000000;
    json_array_append_new(list, json_pack("{s:s, s:I, s:I}", "address", source_text(source, text), "seconds",
                                          (json_int_t)((source->banned_ms - now + 999) / 1000), "dropped",
                                          (json_int_t)source->dropped));
}

static json_t *bans(void *arg)
{
    json_t *list = json_array();
    sources_banned(&agent_gate(arg)->strangers, now_ns() / 1000000, add_ban, list);
    return json_pack("{s:o}", "bans", list);
}

static bool unban(void *arg, const char *address)
{
    struct tl_addr addr;
    return source_read(address, &addr) && sip_gate_unban(agent_gate(arg), &addr, now_ns() / 1000000);
}

// ---- certificates -------------------------------------------------------------------------------------

static json_t *certificates(void *arg)
{
    return json_pack("{s:o}", "certificates", ctl_certificates(arg, NULL));
}

// ---- what would become of a call ----------------------------------------------------------------------

static json_t *route_test(void *arg, const struct route_test *ask, char *refused, size_t size)
{
    struct route_test now = *ask;
    now.dataplane_away = !media_up(agent_media(arg));
    return route_test_answer(agent_trunks(arg), &now, agent_now_ms(arg), refused, size);
}

const struct ctl_provider agent_provider = {.status = status,
                                            .calls = calls,
                                            .call = call,
                                            .hang_up = hang_up,
                                            .trunks = trunks,
                                            .trunk = trunk,
                                            .stats = stats,
                                            .reload = reload_answer,
                                            .certificates = certificates,
                                            .bans = bans,
                                            .unban = unban,
                                            .route_test = route_test};
