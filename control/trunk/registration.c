// SPDX-License-Identifier: BSD-3-Clause
#include "control/trunk/registration.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/base/record.h"

enum { LEAD_MS = 40000, RETRY_AFTER_MAX_S = 86400, RAISES = 3 };

void registration_init(struct registration *r, const struct tl_registration_config *config,
                       const struct tl_trunk_config *trunk, uint64_t first_ms)
{
    *r = (struct registration){.due_ms = first_ms};
    registration_configure(r, config, trunk, first_ms);
}

void registration_configure(struct registration *r, const struct tl_registration_config *config,
                            const struct tl_trunk_config *trunk, uint64_t now_ms)
{
    if (r->expires_s != config->expires_s)
        r->ask_s = config->expires_s;
    r->expires_s = config->expires_s;
    r->retry_ms = trunk->register_retry_s * 1000;
    r->retry_max_ms = trunk->register_retry_max_s * 1000;
    if (r->failures && r->due_ms > now_ms)
        r->due_ms = now_ms;
}

uint64_t registration_due(const struct registration *r)
{
    uint64_t due = r->asking ? REGISTRATION_NEVER : r->due_ms;
    return r->held && r->until_ms < due ? r->until_ms : due;
}

bool registration_wants(const struct registration *r, uint64_t now_ms)
{
    return !r->asking && r->due_ms <= now_ms;
}

uint32_t registration_asks(struct registration *r)
{
    r->asking = true;
    r->counters.sent++;
    return ++r->cseq;
}

// `part` of the number, 0 up to all of it.
static uint64_t share(uint64_t of, uint32_t random)
{
    return (of * random) >> 32;
}

static enum registration_change confirmed(struct registration *r, uint32_t granted_s, uint64_t now_ms,
                                          uint32_t random)
{
    if (granted_s > REGISTRATION_SECONDS_MAX)
        granted_s = REGISTRATION_SECONDS_MAX;
    uint64_t granted_ms = granted_s * UINT64_C(1000),
             lead = granted_ms / 10 > LEAD_MS ? granted_ms / 10 : LEAD_MS;
    if (lead > granted_ms / 2)
        lead = granted_ms / 2;
    bool before = r->held;
    r->held = true;
    r->until_ms = now_ms + granted_ms;
    r->due_ms = r->until_ms - lead - share(lead / 4, random);
    r->failures = 0;
    r->raised = 0;
    r->counters.confirmed++;
    return before ? REGISTRATION_SAME : REGISTRATION_BEGINS;
}

static bool refuses(unsigned status)
{
    return status == 400 || status == 401 || (status >= 403 && status <= 405) || status == 407 ||
           status >= 600;
}

static enum registration_change failed(struct registration *r, const struct registration_answer *a,
                                       uint64_t now_ms, uint32_t random)
{
    uint64_t pause = refuses(a->status) ? r->retry_max_ms : r->retry_ms;
    for (uint32_t i = 0; i < r->failures && pause < r->retry_max_ms; i++)
        pause *= 2;
    if (pause > r->retry_max_ms)
        pause = r->retry_max_ms;
    pause -= share(pause / 2, random);
    uint32_t after_s = a->retry_after_s < RETRY_AFTER_MAX_S ? a->retry_after_s : RETRY_AFTER_MAX_S;
    if (pause < after_s * UINT64_C(1000))
        pause = after_s * UINT64_C(1000);
    r->due_ms = now_ms + pause;
    r->failures++;
    r->raised = 0;
    r->status = a->status;
    r->counters.failed++;
    return r->held ? REGISTRATION_SHAKES : REGISTRATION_FAILS;
}

enum registration_change registration_answered(struct registration *r, const struct registration_answer *a,
                                               uint64_t now_ms, uint32_t random)
{
    r->asking = false;
    // It has to ask for more than it did, and not again and again, else the registrar could keep us busy.
    if (a->status == 423 && a->min_expires_s > r->ask_s && a->min_expires_s <= REGISTRATION_SECONDS_MAX &&
        r->raised < RAISES) {
        r->raised++;
        r->ask_s = a->min_expires_s;
        r->due_ms = now_ms;
        return REGISTRATION_SAME;
    }
    if (a->status >= 200 && a->status < 300 && a->granted_s)
        return confirmed(r, a->granted_s, now_ms, random);
    return failed(r, a, now_ms, random);
}

enum registration_change registration_expired(struct registration *r, uint64_t now_ms)
{
    if (!r->held || now_ms < r->until_ms)
        return REGISTRATION_SAME;
    r->held = false;
    r->counters.lost++;
    return REGISTRATION_LOST;
}

// ---- records ------------------------------------------------------------------------------------------

static uint64_t left(uint64_t at_ms, uint64_t now_ms)
{
    return at_ms > now_ms ? at_ms - now_ms : 0;
}

void registration_save(const struct registration *r, uint64_t now_ms, struct record_writer *w)
{
    record_put_text(w, "call_id", r->call_id);
    record_put_text(w, "tag", r->tag);
    record_put_number(w, "cseq", r->cseq);
    record_put_number(w, "ask_s", r->ask_s);
    record_put_number(w, "failures", r->failures);
    record_put_number(w, "due_ms", left(r->due_ms, now_ms));
    record_put_number(w, "held_ms", r->held ? left(r->until_ms, now_ms) : 0);
}

int registration_load(struct registration *r, struct record *in, uint64_t now_ms, uint64_t away_ms)
{
    struct registration was = *r;
    record_text(in, "call_id", was.call_id, sizeof was.call_id);
    record_text(in, "tag", was.tag, sizeof was.tag);
    // more may have left since it was saved: a lower one would be refused (RFC 3261 10.3)
    was.cseq = (uint32_t)record_number(in, "cseq", INT32_MAX / 2) + 1000;
    was.ask_s = (uint32_t)record_number(in, "ask_s", REGISTRATION_SECONDS_MAX);
    was.failures = (uint32_t)record_number(in, "failures", UINT32_MAX);
    uint64_t due = record_number(in, "due_ms", REGISTRATION_SECONDS_MAX * UINT64_C(1000));
    uint64_t held = record_number(in, "held_ms", REGISTRATION_SECONDS_MAX * UINT64_C(1000));
    if (in->bad || !was.call_id[0] || !was.tag[0] || !was.ask_s)
        return -EINVAL;
    was.held = held > away_ms;
    was.until_ms = now_ms + (was.held ? held - away_ms : 0);
    was.due_ms = now_ms + (was.held && due > away_ms ? due - away_ms : 0);
    *r = was;
    return 0;
}
