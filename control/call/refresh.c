// SPDX-License-Identifier: BSD-3-Clause
#include "control/call/refresh.h"

#include <errno.h>
#include <string.h>

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static bool off(const struct tl_trunk_config *trunk)
{
    return trunk->session_timer == TL_SESSION_TIMER_OFF;
}

uint32_t refresh_min_s(const struct tl_trunk_config *trunk)
{
    return larger(trunk->min_se_s, REFRESH_MIN_S);
}

// Whether a timer is wanted where the peer says nothing of one.
static bool wanted(const struct refresh *r, const struct tl_trunk_config *trunk)
{
    return !off(trunk) && (trunk->session_timer == TL_SESSION_TIMER_REQUIRED || r->insist);
}

static void agree(struct refresh *r, uint32_t interval_s, enum refresh_who who)
{
    r->interval_s = interval_s;
    r->who = interval_s ? (uint8_t)who : REFRESH_NOBODY;
    r->raises = r->failures = 0;
}

// ---- their requests -----------------------------------------------------------------------------------

int refresh_take_request(struct refresh *r, const struct tl_trunk_config *trunk, enum refresh_request which,
                         const struct refresh_said *said)
{
    if (off(trunk))
        return said->required ? 420 : 0;
    // section 9: only who knows of timers can be told that it asked for too little
    if (said->supported && said->expires_s && said->expires_s < refresh_min_s(trunk))
        return 422;
    r->asked[which] = *said;
    r->floor_s = larger(r->floor_s, said->min_se_s);
    return 0;
}

// Section 9, table 2: who asked for somebody gets it; else whom the dialog has, or the trunk wants. A peer that knows of no
// timer never refreshes on purpose.
static enum refresh_who who_of_request(const struct refresh *r, const struct tl_trunk_config *trunk,
                                       const struct refresh_said *asked)
{
    if (asked->expires_s && asked->refresher != REFRESH_UNSAID)
        return asked->refresher == REFRESH_UAC ? REFRESH_PEER : REFRESH_US;
    if (!asked->supported)
        return REFRESH_US;
    if (r->interval_s)
        return (enum refresh_who)r->who;
    return trunk->refresher == TL_REFRESHER_US ? REFRESH_US : REFRESH_PEER;
}

// The interval of our 2xx: never more than was asked for, never less than its Min-SE.
static uint32_t interval_of_request(const struct refresh *r, const struct tl_trunk_config *trunk,
                                    const struct refresh_said *asked)
{
    uint32_t most = larger(larger(trunk->session_expires_s, refresh_min_s(trunk)), asked->min_se_s);
    if (asked->expires_s >= refresh_min_s(trunk))
        return smaller(asked->expires_s, most);
    if (asked->expires_s) // a proxy's, for a peer that cannot be told that it is too little
        return 0;
    // one that says nothing of it does not mean to end the timer that there is
    if (r->interval_s)
        return larger(r->interval_s, asked->min_se_s);
    return wanted(r, trunk) ? most : 0;
}

void refresh_answer(struct refresh *r, const struct tl_trunk_config *trunk, enum refresh_request which,
                    struct refresh_said *out)
{
    const struct refresh_said asked = r->asked[which];
    memset(out, 0, sizeof *out);
    r->asked[which] = (struct refresh_said){0};
    if (off(trunk))
        return;
    out->supported = true;
    agree(r, interval_of_request(r, trunk, &asked), who_of_request(r, trunk, &asked));
    if (!r->interval_s)
        return;
    out->expires_s = r->interval_s;
    out->refresher = r->who == REFRESH_PEER ? REFRESH_UAC : REFRESH_UAS;
    out->required = r->who == REFRESH_PEER; // it has to know that it is the one
}

// ---- our requests -------------------------------------------------------------------------------------

static enum refresh_role role_in_request(const struct refresh *r, const struct tl_trunk_config *trunk)
{
    if (r->interval_s) // section 7.4: as it is
        return r->who == REFRESH_US ? REFRESH_UAC : REFRESH_UAS;
    return trunk->refresher == TL_REFRESHER_US     ? REFRESH_UAC
           : trunk->refresher == TL_REFRESHER_PEER ? REFRESH_UAS
                                                   : REFRESH_UNSAID;
}

void refresh_ask(const struct refresh *r, const struct tl_trunk_config *trunk, struct refresh_said *out)
{
    memset(out, 0, sizeof *out);
    if (off(trunk))
        return;
    out->supported = true;
    uint32_t min = larger(refresh_min_s(trunk), r->floor_s);
    if (min > REFRESH_MIN_S) // section 5: that much goes without saying
        out->min_se_s = min;
    if (!r->interval_s && !wanted(r, trunk))
        return;
    // No Require: a peer without timers is refreshed by us all the same (section 7.1).
    out->expires_s = larger(r->interval_s ? r->interval_s : trunk->session_expires_s, min);
    out->refresher = role_in_request(r, trunk);
}

void refresh_take_answer(struct refresh *r, const struct tl_trunk_config *trunk,
                         const struct refresh_said *said)
{
    struct refresh_said asked;
    if (off(trunk))
        return;
    refresh_ask(r, trunk, &asked);
    if (said->expires_s)
        agree(r, larger(said->expires_s, REFRESH_MIN_S),
              said->refresher == REFRESH_UAS ? REFRESH_PEER : REFRESH_US);
    else if (wanted(r, trunk)) // the peer has no timer, or wants none: what we find out we find out alone
        agree(r, asked.expires_s, REFRESH_US);
    else // section 7.2: it has been turned off
        agree(r, 0, REFRESH_NOBODY);
}

bool refresh_raise(struct refresh *r, const struct tl_trunk_config *trunk, const struct refresh_said *said)
{
    struct refresh_said asked;
    refresh_ask(r, trunk, &asked);
    if (off(trunk) || said->min_se_s <= asked.expires_s || said->min_se_s > REFRESH_MAX_S ||
        r->raises >= REFRESH_RAISES_MAX)
        return false;
    r->raises++;
    r->insist = true;
    r->floor_s = larger(r->floor_s, said->min_se_s);
    return true;
}

// ---- times --------------------------------------------------------------------------------------------

uint64_t refresh_due_ms(const struct refresh *r)
{
    return r->who == REFRESH_US ? r->interval_s * UINT64_C(500) : 0;
}

uint64_t refresh_end_ms(const struct refresh *r)
{
    return (uint64_t)(r->interval_s - smaller(32, r->interval_s / 3)) * 1000;
}

uint64_t refresh_retry_ms(struct refresh *r)
{
    uint64_t left = refresh_end_ms(r) - refresh_due_ms(r);
    if (r->who != REFRESH_US || r->failures >= 31)
        return 0;
    left >>= ++r->failures;
    return left >= UINT64_C(1000) * REFRESH_RETRY_MIN_S ? left : 0;
}

// ---- records ------------------------------------------------------------------------------------------

void refresh_save(const struct refresh *r, struct record_writer *w)
{
    record_begin(w, "refresh", 1);
    record_put_number(w, "interval_s", r->interval_s);
    record_put_number(w, "who", r->who);
    record_put_number(w, "floor_s", r->floor_s);
    record_put_number(w, "insist", r->insist);
    record_put_number(w, "raises", r->raises);
    record_put_number(w, "failures", r->failures);
    record_end(w);
}

int refresh_load(struct refresh *r, struct record *in)
{
    struct refresh fresh = {0};
    fresh.interval_s = (uint32_t)record_number(in, "interval_s", UINT32_MAX);
    fresh.who = (uint8_t)record_number(in, "who", REFRESH_PEER);
    fresh.floor_s = (uint32_t)record_number(in, "floor_s", UINT32_MAX);
    fresh.insist = record_number(in, "insist", 1);
    fresh.raises = (uint8_t)record_number_or(in, "raises", REFRESH_RAISES_MAX, 0);
    fresh.failures = (uint8_t)record_number_or(in, "failures", 31, 0);
    bool whole = fresh.interval_s ? fresh.interval_s >= REFRESH_MIN_S && fresh.who != REFRESH_NOBODY
                                  : fresh.who == REFRESH_NOBODY;
    if (in->bad || !whole)
        return -EINVAL;
    *r = fresh;
    return 0;
}
