// SPDX-License-Identifier: BSD-3-Clause
#include "fuzz_moves.h"

#include <stdarg.h>
#include <string.h>

unsigned roll(struct dice *dice, unsigned n)
{
    dice->state ^= dice->state >> 12;
    dice->state ^= dice->state << 25;
    dice->state ^= dice->state >> 27;
    return n ? (unsigned)((dice->state * UINT64_C(0x2545f4914f6cdd1d) >> 32) % n) : 0;
}

void dice_init(struct dice *dice, uint64_t seed)
{
    *dice = (struct dice){.state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15)};
    for (unsigned i = 0; i < 8; i++)
        roll(dice, 1);
    dice->ack_one_in = (const unsigned[]){1, 1, 2, 12, 0}[roll(dice, 5)];
    dice->spoil_one_in = (const unsigned[]){1, 2, 8, 1000}[roll(dice, 4)];
    dice->kinds = roll(dice, 3) ? 1u << roll(dice, 10) | 1u << roll(dice, 10) | 1 : ~0u;
    dice->short_waits = roll(dice, 2);
    dice->few = roll(dice, 2);
}

__attribute__((format(printf, 2, 3))) static void say(struct move *m, const char *format, ...)
{
    size_t used = strlen(m->line);
    va_list args;
    va_start(args, format);
    vsnprintf(m->line + used, sizeof m->line - used, format, args);
    va_end(args);
}

__attribute__((format(printf, 2, 3))) static void below(struct move *m, const char *format, ...)
{
    va_list args;
    if (m->more_count == 8)
        return;
    va_start(args, format);
    vsnprintf(m->more[m->more_count++], sizeof m->more[0], format, args);
    va_end(args);
}

#define ONE_OF(dice, ...)                                                                                    \
    ((const char *const[]){                                                                                  \
        __VA_ARGS__}[roll(dice, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))])

// `other` is what it answers, NULL: nothing.
static void sdp(struct dice *d, struct move *m, const char *other)
{
    bool secure = other && strstr(other, "RTP/SAVP");
    if (roll(d, 60) == 0) {
        below(m, "| v=0");
        below(m, "| m=audio %u RTP/AVP 8", roll(d, 70000));
        return;
    }
    say(m, " sdp %s%s",
        ONE_OF(d, "pcma", "pcma", "pcma", "pcma pcmu", "pcma pcmu", "pcmu", "g722 pcma", "g729"),
        ONE_OF(d, "", "", "", " sendrecv", " sendonly", " recvonly", " inactive"));
    if (secure ? roll(d, 20) : roll(d, 10) == 0)
        say(m, " crypto%s", ONE_OF(d, "", "", "", "", "=AEAD_AES_128_GCM", "=NONSENSE"));
    if (roll(d, 6) == 0)
        say(m, " key=K%u", roll(d, 3));
    if (roll(d, 12) == 0)
        say(m, " port=%u", roll(d, 3) ? 6000 + 2 * roll(d, 50) : 0);
    if (roll(d, 20) == 0)
        say(m, " ip=0.0.0.0");
    if (roll(d, 10) == 0)
        say(m, " te=%s", ONE_OF(d, "none", "96", "127"));
}

// Wrong or hostile once in a while.
static void spoil(struct dice *d, struct move *m, bool response)
{
    unsigned n = roll(d, d->spoil_one_in) == 0 ? roll(d, 60) : 60;
    if (n == 0)
        say(m, " cseq=%u", roll(d, 6));
    else if (n == 1)
        say(m, " to-tag=%s", ONE_OF(d, "x", "0.0", "nobody"));
    else if (n == 2)
        say(m, " from-tag=other");
    else if (n == 3)
        say(m, " lost"); // and "again" later: late or out of order
    else if (n == 4)
        say(m, " mutate=%u", 1 + roll(d, 1000000));
    else if (n == 5 && !response)
        say(m, " branch=z9hG4bKsame%u", roll(d, 3));
    else if (n == 6)
        below(m, "%s",
              ONE_OF(d, "- Contact", "- Call-ID", "= Contact: <sip:x@10.99.9.9>", "= Contact: *",
                     "+ Require: nothing", "= Content-Length: 3", "- Max-Forwards",
                     "+ Supported: 100rel, timer, replaces", "+ Require: 100rel",
                     "+ Session-Expires: 90;refresher=uac", "+ Record-Route: <sip:10.99.1.10;lr>",
                     "+ Record-Route: <sip:gone.invalid>", "= Content-Type: text/plain",
                     "+ Allow: INVITE, ACK, BYE"));
    else if (n == 7 && response)
        below(m, "%s",
              ONE_OF(d, "+ Require: 100rel", "+ RSeq: 7", "+ RSeq: 0", "+ Contact: <sip:other@10.99.2.20>",
                     "= Contact: <sip:10.99.2.20>", "+ Retry-After: 1", "+ Min-SE: 1800",
                     "+ Session-Expires: 100"));
}

// Mostly one of the newest that go on, or of the two oldest.
static const struct dialog *any_dialog(struct dice *d, const struct ladder *l)
{
    const struct dialog *good[DIALOGS_MAX];
    bool all = roll(d, 8) == 0;
    unsigned n = 0;
    for (unsigned i = 0; d->few && !all && i < l->ps.dialog_count && n < 2; i++)
        if (l->ps.dialog[i].used && !l->ps.dialog[i].over)
            good[n++] = &l->ps.dialog[i];
    if (n)
        return good[roll(d, n)];
    for (unsigned i = l->ps.dialog_count; i-- > 0 && (all || n < 6);)
        if (l->ps.dialog[i].used && (all || !l->ps.dialog[i].over))
            good[n++] = &l->ps.dialog[i];
    return n ? good[roll(d, n)] : NULL;
}

// ---- moves --------------------------------------------------------------------------------------------

static void new_call(struct dice *d, const struct ladder *l, struct move *m)
{
    const char *from = ONE_OF(d, "A", "A", "A", "A", "B", "AT", "D", "C");
    unsigned n = l->ps.dialog_count;
    if (n > DIALOGS_MAX * 2 / 3) {
        say(m, "wait 1s");
        return;
    }
    say(m, "%s.c%u -> INVITE sip:%s@gw", from, n,
        ONE_OF(d, "1100", "1100", "1100", "2100", "3100", "4100", "9"));
    if (roll(d, 6))
        sdp(d, m, NULL);
    if (roll(d, 3) == 0)
        say(m, " reliable");
    if (roll(d, 8) == 0)
        below(m, "+ Supported: 100rel, timer, replaces");
    if (roll(d, 8) == 0)
        below(m, "+ Session-Expires: %u;refresher=%s", 90 + roll(d, 100), ONE_OF(d, "uac", "uas"));
    if (roll(d, 12) == 0)
        below(m, "+ Require: %s", ONE_OF(d, "100rel", "timer", "nothing"));
    const struct dialog *other = any_dialog(d, l);
    if (roll(d, 16) == 0 && other)
        below(m, "+ Replaces: %s;to-tag=%s;from-tag=%s", other->call_id, other->remote_tag, other->local_tag);
    spoil(d, m, false);
}

static void answer_invite(struct dice *d, const struct dialog *at, const struct asked *a, struct move *m)
{
    char name[32];
    unsigned n = roll(d, 20);
    snprintf(name, sizeof name, "%s", at->name);
    if (roll(d, 10) == 0) // another fork speaks
        snprintf(name, sizeof name, "%s.f%u", at->party->name, roll(d, 4));
    if (n < 6) {
        say(m, "%s -> %s INVITE%s", name, ONE_OF(d, "180", "180", "183", "181", "199"),
            roll(d, 3) ? "" : " reliable");
        if (roll(d, 2))
            sdp(d, m, a->text);
    } else if (n < 15) {
        say(m, "%s -> %s INVITE", name, roll(d, 20) ? "200" : "202");
        if (roll(d, 15))
            sdp(d, m, a->text);
    } else if (n == 15) {
        say(m, "%s -> 302 INVITE", name);
        below(m, "= Contact: <sip:2100@%s>", ONE_OF(d, "10.99.2.20", "10.99.2.1", "gone.invalid"));
    } else {
        say(m, "%s -> %s INVITE", name,
            ONE_OF(d, "486", "503", "503", "491", "481", "408", "488", "487", "422", "420", "401", "500",
                   "603", "415", "484"));
    }
    spoil(d, m, true);
}

static void answer_other(struct dice *d, const struct dialog *at, const struct asked *a, struct move *m)
{
    say(m, "%s -> %s %s", at->name,
        roll(d, 8) ? "200" : ONE_OF(d, "481", "500", "491", "408", "405", "202", "100"), a->method);
    if (strcmp(a->method, "UPDATE") == 0 || (strcmp(a->method, "PRACK") == 0 && roll(d, 2)))
        sdp(d, m, a->text);
    spoil(d, m, true);
}

// What a well-behaved party would do now. false: nothing is due.
static bool due_move(struct dice *d, const struct ladder *l, struct move *m)
{
    const struct dialog *at = any_dialog(d, l);
    if (!at)
        return false;
    if (at->ack_due && d->ack_one_in && roll(d, d->ack_one_in) == 0) {
        say(m, "%s -> ACK", at->name);
        if (roll(d, 6) == 0)
            sdp(d, m, NULL);
        spoil(d, m, false);
        return true;
    }
    if (at->prack_due && roll(d, 4)) {
        say(m, "%s -> PRACK", at->name);
        if (roll(d, 5) == 0)
            sdp(d, m, NULL);
        if (roll(d, 12) == 0)
            say(m, " rack=\"%u %u INVITE\"", at->got_rseq + roll(d, 2), at->got_rseq_cseq + roll(d, 2));
        spoil(d, m, false);
        return true;
    }
    for (unsigned i = 0; i < at->asked_count; i++) {
        const struct asked *a = &at->asked[i];
        if (a->answered || strcmp(a->method, "ACK") == 0)
            continue;
        if (strcmp(a->method, "INVITE") == 0)
            answer_invite(d, at, a, m);
        else
            answer_other(d, at, a, m);
        return true;
    }
    return false;
}

static void refer(struct dice *d, const struct ladder *l, const struct dialog *at, struct move *m)
{
    const struct dialog *other = any_dialog(d, l);
    say(m, "%s -> REFER", at->name);
    if (roll(d, 3) && other)
        below(m, "+ Refer-To: <sip:1100@10.99.2.10?Replaces=%s%%3Bto-tag%%3D%s%%3Bfrom-tag%%3D%s>",
              other->call_id, other->remote_tag, other->local_tag);
    else
        below(m, "+ Refer-To: <sip:%s@10.99.1.1>", ONE_OF(d, "1100", "2100", "9", ""));
    if (roll(d, 4) == 0)
        below(m, "+ Refer-Sub: false");
}

// A request inside a dialog, at whatever moment.
static void any_request(struct dice *d, const struct ladder *l, struct move *m)
{
    const struct dialog *at = any_dialog(d, l);
    if (!at) {
        new_call(d, l, m);
        return;
    }
    unsigned kind;
    do
        kind = roll(d, 10);
    while (!(d->kinds >> kind & 1));
    switch (kind) {
    case 0:
        say(m, "%s -> INVITE", at->name);
        if (roll(d, 6))
            sdp(d, m, NULL);
        break;
    case 1:
        say(m, "%s -> UPDATE", at->name);
        if (roll(d, 2))
            sdp(d, m, NULL);
        break;
    case 2:
    case 3:
        say(m, "%s -> BYE", at->name);
        break;
    case 4:
        say(m, "%s -> CANCEL", at->name);
        break;
    case 5:
        say(m, "%s -> ACK", at->name);
        if (roll(d, 3) == 0)
            sdp(d, m, NULL);
        break;
    case 6:
        say(m, "%s -> PRACK", at->name);
        break;
    case 7:
        refer(d, l, at, m);
        break;
    case 8:
        say(m, "%s -> %s", at->name,
            ONE_OF(d, "INFO", "INFO", "OPTIONS", "MESSAGE", "NOTIFY", "SUBSCRIBE", "PUBLISH", "XYZZY"));
        break;
    default: // an answer to what was answered before
        say(m, "%s -> %s %s", at->name, ONE_OF(d, "200", "180", "487", "500"),
            ONE_OF(d, "INVITE", "BYE", "UPDATE", "CANCEL"));
        if (roll(d, 2))
            sdp(d, m, NULL);
        break;
    }
    spoil(d, m, false);
}

static void say_again(struct dice *d, const struct ladder *l, struct move *m)
{
    const struct dialog *at = any_dialog(d, l);
    if (!at || !at->said_count) {
        say(m, "wait 10ms");
        return;
    }
    const char *what = at->said[roll(d, at->said_count)].what;
    say(m, "%s -> %s again", at->name, what);
}

static void dataplane(struct dice *d, struct move *m)
{
    say(m, "media %s",
        ONE_OF(d, "hold", "hold", "release", "release", "release", "release 1", "die", "revive", "revive",
               "revive", "refuse add ENOSPC", "refuse modify EINVAL", "silent A 5s", "silent B 9s",
               "heard A 5s"));
}

static void network(struct dice *d, const struct ladder *l, struct move *m)
{
    const struct dialog *at = any_dialog(d, l);
    unsigned n = roll(d, 8);
    if (n < 3)
        say(m, "break %s", ONE_OF(d, "AT", "BT"));
    else if (n < 5)
        say(m, "refuse %s %u", ONE_OF(d, "A", "B", "C", "BT", "AT"), 1 + roll(d, 3));
    else if (n < 6)
        say(m, "hangup %u", 1 + roll(d, 5));
    else if (at)
        say(m, "unreachable %s", at->name);
    else
        say(m, "wait 1ms");
}

void move_pick(struct dice *d, struct ladder *l, struct move *m)
{
    unsigned n = roll(d, 100);
    if (!any_dialog(d, l)) {
        new_call(d, l, m);
        return;
    }
    for (unsigned i = 0; i < 3 && n < 58; i++)
        if (due_move(d, l, m))
            return;
    if (n < 58) // nothing is due
        n = 58 + roll(d, 42);
    if (n < 61)
        new_call(d, l, m);
    else if (n < 80)
        any_request(d, l, m);
    else if (n < 86)
        say_again(d, l, m);
    else if (n < 96 && d->short_waits)
        say(m, "wait %s", ONE_OF(d, "1ms", "10ms", "100ms", "499ms", "500ms", "1s", "2s"));
    else if (n < 96)
        say(m, "wait %s", ONE_OF(d, "1ms", "100ms", "500ms", "4s", "10s", "32s", "33s", "64s", "181s"));
    else if (n < 98)
        dataplane(d, m);
    else
        network(d, l, m);
}
