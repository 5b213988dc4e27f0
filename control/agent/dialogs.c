// SPDX-License-Identifier: BSD-3-Clause
// The dialogs of a call's legs, found by our tag.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/agent/agent_internal.h"

static unsigned tag_bucket(const char *tag, size_t len)
{
    uint32_t h = 0x811c9dc5u; // our tags are random: nobody chooses what meets in a bucket
    for (size_t i = 0; i < len; i++)
        h = (h ^ (uint8_t)tag[i]) * 0x01000193u;
    return h % AGENT_TAG_BUCKETS;
}

static struct agent_dialog **bucket_of(struct agent_dialog *d)
{
    return &d->leg->owner->agent->tags[tag_bucket(d->tag, strlen(d->tag))];
}

struct agent_dialog *agent_find_dialog(const struct agent *agent, const struct sip_msg *request)
{
    struct sip_str tag = sip_msg_to_tag(request);
    if (!tag.p)
        return NULL;
    struct agent_dialog *d = agent->tags[tag_bucket(tag.p, tag.len)];
    for (; d; d = d->tag_next)
        if (sip_str_is(tag, d->tag) && d->bound && sip_dialog_matches(&d->sip, request))
            return d;
    return NULL;
}

struct agent_dialog *agent_find_replaced(const struct agent *agent, const struct sip_replaces *r)
{
    struct agent_dialog *d = agent->tags[tag_bucket(r->to_tag.p, r->to_tag.len)];
    for (; d; d = d->tag_next)
        if (sip_str_is(r->to_tag, d->tag) && d->bound && d->sip.call_id &&
            sip_str_is(r->call_id, d->sip.call_id) && sip_str_equal(r->from_tag, d->sip.remote_tag))
            return d;
    return NULL;
}

static void unlink_tag(struct agent_dialog *d)
{
    struct agent_dialog **at = bucket_of(d);
    while (*at != d)
        at = &(*at)->tag_next;
    *at = d->tag_next;
}

static void dialog_free(struct agent_dialog *d)
{
    unlink_tag(d);
    sip_dialog_fini(&d->sip);
    free(d->remote_tag);
    free(d);
}

static struct agent_dialog *dialog_new(struct agent_leg *leg, uint8_t id, const char *tag)
{
    struct agent_dialog *d = calloc(1, sizeof *d), **at = &leg->dialogs;
    if (!d)
        return NULL;
    d->leg = leg;
    d->id = id;
    snprintf(d->tag, sizeof d->tag, "%s", tag);
    struct agent_dialog **bucket = bucket_of(d);
    d->tag_next = *bucket;
    *bucket = d;
    while (*at)
        at = &(*at)->next;
    *at = d;
    return d;
}

static void drop(struct agent_dialog *d)
{
    struct agent_dialog **at = &d->leg->dialogs;
    while (*at != d)
        at = &(*at)->next;
    *at = d->next;
    dialog_free(d);
}

void agent_dialogs_free(struct agent_leg *leg)
{
    while (leg->dialogs)
        drop(leg->dialogs);
    leg->main = NULL;
    leg->dialog_ids = 0;
}

void agent_dialog_confirm(struct agent_dialog *d)
{
    struct agent_leg *leg = d->leg;
    for (struct agent_dialog *each = leg->dialogs, *next; each; each = next) {
        next = each->next;
        if (each != d)
            drop(each);
    }
    leg->main = d;
}

struct agent_dialog *agent_dialog_get(const struct agent_leg *leg, uint8_t id)
{
    struct agent_dialog *d = leg->dialogs;
    while (d && d->id != id)
        d = d->next;
    return id && d ? d : leg->main ? leg->main : d;
}

struct agent_dialog *agent_dialog_a(struct agent_leg *leg, uint8_t id)
{
    struct agent_dialog *d = leg->dialogs;
    while (d && d->id != id)
        d = d->next;
    const struct sip_msg *invite = leg->invite_in ? sip_txn_request(leg->invite_in) : NULL;
    if (d || !invite)
        return d;
    char tag[SIP_TAG_LEN];
    snprintf(tag, sizeof tag, "%s", sip_txn_tag(leg->invite_in));
    if (id)
        sip_make_tag(leg->owner->agent->stack, tag);
    d = dialog_new(leg, id, tag);
    if (!d)
        return NULL;
    d->bound = sip_dialog_uas(&d->sip, invite, sip_txn_flow(leg->invite_in), tag) == 0;
    if (!d->bound) {
        drop(d);
        return NULL;
    }
    if (!leg->main)
        leg->main = d;
    return d;
}

// Fills the dialog from the response, or again: a 2xx has the route set that counts (RFC 3261 13.2.2.4).
static void bind_b(struct agent_dialog *d, const struct sip_msg *response, const struct sip_flow *flow)
{
    struct sip_dialog fresh;
    if (d->bound && sip_msg_status(response) < 200)
        return;
    if (sip_dialog_uac(&fresh, response, flow) < 0)
        return;
    if (d->bound) {
        fresh.local_cseq = d->sip.local_cseq;
        fresh.remote_cseq = d->sip.remote_cseq;
    }
    sip_dialog_fini(&d->sip);
    d->sip = fresh;
    d->bound = true;
}

struct agent_dialog *agent_dialog_b(struct agent_leg *leg, const struct sip_msg *response,
                                    const struct sip_flow *flow)
{
    struct sip_str tag = sip_msg_to_tag(response);
    if (!tag.p)
        return NULL;
    struct agent_dialog *d = leg->dialogs;
    while (d && !sip_str_is(tag, d->remote_tag))
        d = d->next;
    // as many as the call machine keeps, and the one whose 2xx is here
    if (!d && (leg->dialog_ids < CALL_DIALOGS_MAX || sip_msg_status(response) >= 200)) {
        d = dialog_new(leg, leg->dialog_ids < UINT8_MAX ? ++leg->dialog_ids : UINT8_MAX, leg->tag);
        if (d && !(d->remote_tag = sip_str_dup(tag))) {
            drop(d);
            d = NULL;
        }
    }
    if (d)
        bind_b(d, response, flow);
    return d;
}
