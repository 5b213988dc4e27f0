// SPDX-License-Identifier: BSD-3-Clause
// A call's place in the agent: made, found by its tags, given its events, freed.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/agent/agent_internal.h"
#include "control/agent/silence_text.h"
#include "control/base/log.h"

// ---- life ---------------------------------------------------------------------------------------------

struct agent_call *agent_call_make(struct agent *agent)
{
    struct agent_call *c = calloc(1, sizeof *c);
    if (!c)
        return NULL;
    c->agent = agent;
    c->id = ++agent->next_id;
    c->start_ms = loop_now(agent->loop);
    for (unsigned s = 0; s < 2; s++) {
        if (!(c->leg[s] = calloc(1, sizeof *c->leg[s]))) {
            free(c->leg[CALL_A]);
            free(c);
            return NULL;
        }
        c->leg[s]->user.kind = AGENT_LEG;
        c->leg[s]->side = (uint8_t)s;
        c->leg[s]->owner = c;
    }
    c->generation = generation_hold(agent->trunks.now);
    for (unsigned s = 0; s < 2; s++)
        c->leg[s]->generation = generation_hold(c->generation);
    c->env = (struct call_env){c->generation->config, {sdes_kernel_random, NULL}, &agent->counters.sdp};
    for (unsigned t = 0; t < CALL_TIMER_COUNT; t++)
        c->timer[t] = (struct agent_timer){.owner = c, .which = (enum call_timer)t};
    c->next = agent->calls;
    c->link = &agent->calls;
    if (c->next)
        c->next->link = &c->next;
    agent->calls = c;
    agent->counters.active++;
    if (agent->counters.active > agent->counters.active_most)
        agent->counters.active_most = agent->counters.active;
    agent_dead_arm(agent);
    return c;
}

void agent_targets(const struct way *way, uint8_t number, struct call_target out[static TL_ROUTE_TRUNKS_MAX])
{
    for (unsigned i = 0; i < way->count; i++)
        out[i] = (struct call_target){
            .trunk = way->target[i].trunk, .number = number, .last = way->target[i].last};
}

struct agent_call *agent_call_new(struct agent *agent, struct sip_txn *invite, const struct sip_msg *msg,
                                  struct trunk *from, const struct way *way, int *error)
{
    struct agent_call *c = agent_call_make(agent);
    *error = -ENOMEM;
    if (!c)
        return NULL;
    c->leg[CALL_A]->trunk = from;
    trunk_leg_begin(&c->leg[CALL_A]->taken, from, TRUNK_LEG_FROM);
    c->emergency = way->emergency;
    c->sips = agent_is_sips(msg);
    c->leg[CALL_A]->scheme = agent_answer_scheme(msg);
    c->leg[CALL_A]->invite_in = invite;
    sip_txn_set_owner(invite, &c->leg[CALL_A]->user.sip);
    struct call_target target[TL_ROUTE_TRUNKS_MAX];
    agent_targets(way, 0, target);
    *error = call_init(&c->call, &c->env, from->index, target, way->count);
    if (*error == 0 && !agent_dialog_a(c->leg[CALL_A], 0))
        *error = -EINVAL;
    static_assert((int)NUMBER_MAX == (int)SIP_NUMBER_MAX, "numbers inside and outside have the same room");
    memcpy(c->calling, way->calling, sizeof c->calling);
    memcpy(c->called, way->called, sizeof c->called);
    sip_msg_calling(msg, c->said_calling);
    sip_msg_called(msg, c->leg[CALL_A]->contact);
    memcpy(c->leg[CALL_A]->number, c->calling, sizeof c->calling);
    c->leg[CALL_A]->invite = agent_keep(msg);
    agent_keep_location(c, msg, way);
    if (*error == 0 && !c->leg[CALL_A]->invite)
        *error = -ENOMEM;
    if (*error < 0) {
        sip_txn_set_owner(invite, NULL); // the caller answers it
        agent_call_free(c);
        return NULL;
    }
    return c;
}

static void leg_free(struct agent_leg *leg)
{
    trunk_leg_end(&leg->taken);
    sip_owner_cut(&leg->user.sip); // among them: a call that is over repeats no 2xx
    agent_notify_end(leg);
    agent_dialogs_free(leg);
    generation_drop(leg->generation);
    free(leg->invite);
    free(leg);
}

void agent_call_free(struct agent_call *c)
{
    struct agent *agent = c->agent;
    for (unsigned t = 0; t < CALL_TIMER_COUNT; t++)
        wheel_cancel(loop_wheel(agent->loop), &c->timer[t].timer);
    agent_transfer_drop(c);
    agent_relays_free(c, 481);
    for (unsigned s = 0; s < 2; s++)
        leg_free(c->leg[s]);
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    if (agent->walk == c)
        agent->walk = c->next;
    if (agent->dead_at == c)
        agent->dead_at = c->next;
    agent->counters.active--;
    call_fini(&c->call);
    free(c->location);
    free(c->contacts);
    free(c->replaces);
    for (unsigned s = 0; s < 2; s++)
        agent_forget(&c->said[s]);
    generation_drop(c->generation);
    free(c);
}

static void say_end(const struct agent_call *c)
{
    uint64_t now = loop_now(c->agent->loop);
    uint64_t talk = c->answer_ms ? now - c->answer_ms : 0, unsaid = 0;
    char b[96] = "";
    // where very many calls fail, why they do is one
    if (!c->answer_ms && !log_allow(&c->agent->failed_limit, now, &unsaid))
        return;
    if (unsaid)
        log_line(LOG_NOTICE, "%llu calls more had failed before this one", (unsigned long long)unsaid);
    int n = c->b_status ? snprintf(b, sizeof b, "; B answered %d %s", c->b_status, c->b_phrase) : 0;
    if (n > 0 && c->b_cause)
        snprintf(b + n, sizeof b - (size_t)n, ", Q.850 cause %u", c->b_cause);
    log_line(LOG_INFO, "call %llu from %s (%s) to %s (%s): %d, talked %llu.%03llu s, %s%s",
             (unsigned long long)c->id, c->calling, agent_leg_trunk(c->leg[CALL_A])->name, c->called,
             agent_leg_trunk(c->leg[CALL_B])->name, c->call.status, (unsigned long long)talk / 1000,
             (unsigned long long)talk % 1000, c->call.why ? c->call.why : "ended", b);
}

// ---- events -------------------------------------------------------------------------------------------

// Whether another target of B's trunk may be what follows an event.
static bool may_go_on(const struct agent_call *c, const struct call_event *event)
{
    switch (event->type) {
    case CALL_EV_FAILURE:
    case CALL_EV_TIMEOUT:
    case CALL_EV_TRANSPORT:
        return event->side == CALL_B && !c->leg[CALL_B]->main;
    case CALL_EV_TIMER:
        return event->timer == CALL_TIMER_NO_RESPONSE;
    default:
        return false;
    }
}

static void step(struct agent_call *c, struct call_event *event)
{
    struct call_actions *out = &c->agent->actions;
    if (may_go_on(c, event))
        event->more = agent_more(c->leg[CALL_B]);
    call_step(&c->call, event, out);
    if (c->transfer && c->call.state >= CALL_ENDING)
        agent_transfer_ending(c);
    for (unsigned i = 0; i < out->count; i++)
        agent_carry_out(c, &out->action[i]);
    for (unsigned i = 0; i < out->bodies; i++)
        explicit_bzero(out->body[i], sizeof out->body[i]);
}

void agent_later(struct agent_call *c, const struct call_event *event)
{
    struct agent *agent = c->agent;
    if (agent->later_count == AGENT_LATER_MAX) { // a step and what it brings about fit many times over
        log_line(LOG_ERROR,
                 "call %llu: an event was lost, since too many came up at once: please report this",
                 (unsigned long long)c->id);
        return;
    }
    agent->later[(agent->later_first + agent->later_count++) % AGENT_LATER_MAX] = *event;
}

static bool take_later(struct agent *agent, struct call_event *out)
{
    if (!agent->later_count)
        return false;
    *out = agent->later[agent->later_first];
    agent->later_first = (agent->later_first + 1) % AGENT_LATER_MAX;
    agent->later_count--;
    return true;
}

void agent_event(struct agent_call *c, struct call_event *event, const struct sip_msg *msg,
                 struct sip_txn *txn)
{
    if (c->stepping) { // from inside an action: it has no message, since the loop brings those
        agent_later(c, event);
        return;
    }
    struct agent *agent = c->agent;
    struct call_event later;
    if (msg)
        agent_hear(c, event->side, msg);
    agent->status = msg ? sip_msg_status(msg) : 0;
    sip_str_copy(msg ? sip_msg_phrase(msg) : (struct sip_str){"", 0}, agent->phrase, sizeof agent->phrase);
    c->stepping = true;
    c->txn = txn;
    step(c, event);
    while (take_later(agent, &later))
        step(c, &later);
    c->stepping = false;
    if (c->txn) // a BYE that no state wanted
        agent_respond(c->txn, 200, 0, NULL);
    c->txn = NULL;
    if (c->call.state != CALL_OVER) {
        agent_transfer_turn(c);
        return;
    }
    agent_transfer_turn(c);
    agent_attempt_result(c, 487);
    agent->counters.expired += c->call.expired;
    say_end(c);
    agent_call_free(c);
}

void agent_plain_event(struct agent_call *c, enum call_event_type type, unsigned side, int status)
{
    struct call_event e = {.type = type, .side = (uint8_t)side, .status = status};
    agent_event(c, &e, NULL, NULL);
}

// ---- from the dataplane -------------------------------------------------------------------------------

static void on_added(void *arg, int status, const struct tl_addr local[2])
{
    struct agent_call *c = arg;
    struct call_event e = {.type = CALL_EV_ADDED, .status = status};
    if (status == 0)
        memcpy(e.local, local, sizeof e.local);
    else
        c->media = NULL;
    agent_event(c, &e, NULL, NULL);
}

static void on_modified(void *arg, int status)
{
    agent_plain_event(arg, CALL_EV_MODIFIED, 0, status);
}

// One line a side: what a call was like when nobody looked.
static void say_media(const struct agent_call *c, unsigned leg, const struct tl_leg_counters *n)
{
    log_line(
        LOG_INFO,
        "call %llu media: from %c %llu packets, %u lost, %u late, jitter %.1f ms, longest gap %u ms, %llu "
        "dropped; to it %llu packets",
        (unsigned long long)c->id, leg ? 'B' : 'A', (unsigned long long)n->rx_packets, n->lost, n->reordered,
        n->jitter_us / 1000.0, n->gap_ms, (unsigned long long)n->drops, (unsigned long long)n->tx_packets);
}

static void on_deleted(void *arg, const struct tl_leg_counters final[2])
{
    struct agent_call *c = arg;
    bool heard = final && (c->answer_ms || final[0].rx_packets || final[1].rx_packets);
    for (unsigned leg = 0; heard && leg < 2; leg++)
        say_media(c, leg, &final[leg]);
    agent_plain_event(c, CALL_EV_DELETED, 0, 0);
}

static void on_lost(void *arg, const char *why)
{
    struct agent_call *c = arg;
    (void)why;
    c->media = NULL;
    agent_plain_event(c, CALL_EV_MEDIA_LOST, 0, 0);
}

static void on_silence(void *arg, unsigned leg, uint32_t ms, bool again, uint8_t heard)
{
    const struct agent_call *c = arg;
    const struct tl_live_view *live = media_live(c->agent->media);
    struct tl_session_snapshot room, *snap = NULL;
    struct silence_side side[2];
    char text[SILENCE_TEXT_MAX];
    for (unsigned i = 0; i < 2; i++) {
        const struct neg_leg *neg = &c->call.side[i].neg, *other = &c->call.side[i ^ 1].neg;
        side[i] = (struct silence_side){
            .trunk = agent_leg_trunk(c->leg[i])->name,
            .media = neg->rtp,
            .sends = neg->direction & SDP_SENDONLY && other->direction & SDP_RECVONLY,
        };
    }
    if (live && c->media) {
        const struct tl_handle handle = media_handle(c->media);
        snap = tl_live_read(live, &handle, &room) == 0 ? &room : NULL;
    }
    silence_text(text, side, leg, ms, again, heard, snap);
    log_line(again ? LOG_INFO : LOG_WARNING, "call %llu: %s", (unsigned long long)c->id, text);
}

const struct media_user agent_media_user = {on_added, on_modified, on_deleted, on_lost, on_silence};
