// SPDX-License-Identifier: BSD-3-Clause
// Where a 3xx leads (RFC 3261 8.1.3.4): the numbers of its Contacts, best first.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/agent/agent_internal.h"
#include "control/base/record.h"
#include "control/sip/uri.h"
#include "control/sip/value.h"

enum { CONTACTS_MAX = 16 }; // of a response that are looked at

struct place {
    char number[SIP_NUMBER_MAX];
    unsigned q;        // thousandths
    bool other_scheme; // sip: where the call to it is sips:, or the other way round
};

// "0.5", "1"; without one or with nonsense it is 1.
static unsigned quality(struct sip_str params)
{
    struct sip_str q;
    unsigned value = 0, digits = 0;
    if (!sip_read_param(params, "q", &q) || !q.p || q.len == 0 || q.p[0] != '0')
        return 1000;
    for (size_t i = 2; i < q.len && digits < 3 && q.p[i] >= '0' && q.p[i] <= '9'; i++, digits++)
        value = 10 * value + (unsigned)(q.p[i] - '0');
    for (; digits < 3; digits++)
        value *= 10;
    return value;
}

bool agent_number_of(struct sip_str uri, char out[SIP_NUMBER_MAX])
{
    struct sip_uri parts;
    char *to = out;
    if (!sip_read_uri(uri, &parts) || parts.scheme == URI_OTHER ||
        !sip_uri_user(&parts, out, SIP_NUMBER_MAX) || !out[0])
        return false;
    if (out[strspn(out, "+0123456789*#-.()")] == '\0')
        for (const char *from = out; *from; from++)
            if (!strchr("-.()", *from))
                *to++ = *from;
    if (to != out)
        *to = '\0';
    return true;
}

// Whether we may not follow it from a call of that scheme (RFC 5630 section 5.3): who calls sips: has not said that sip: will do, and
// the other way round a caller would believe in what nobody keeps.
static bool is_other_scheme(struct sip_str uri, enum tl_uri_scheme scheme)
{
    struct sip_uri parts;
    return sip_read_uri(uri, &parts) && parts.scheme != URI_TEL &&
           (parts.scheme == URI_SIPS) != (scheme == TL_URI_SIPS);
}

// The Contacts by q-value; of equal ones the first comes first.
static unsigned read_contacts(const struct sip_msg *msg, enum tl_uri_scheme scheme,
                              struct place place[CONTACTS_MAX])
{
    unsigned count = 0;
    for (unsigned n = 0; count < CONTACTS_MAX; n++) {
        struct sip_str line = sip_msg_header(msg, "Contact", n), value;
        if (!line.p)
            break;
        while (count < CONTACTS_MAX && (value = sip_next_value(&line)).p) {
            struct sip_addr addr;
            struct place p;
            if (!sip_read_addr(value, &addr) || !agent_number_of(addr.uri, p.number))
                continue;
            p.q = quality(addr.params);
            p.other_scheme = is_other_scheme(addr.uri, scheme);
            unsigned at = count++;
            for (; at > 0 && place[at - 1].q < p.q; at--)
                place[at] = place[at - 1];
            place[at] = p;
        }
    }
    return count;
}

static bool known(const struct agent_call *c, const char *number)
{
    bool found = strcmp(number, c->called) == 0;
    for (unsigned i = 0; i < c->number_count; i++)
        found = found || strcmp(number, c->numbers[i]) == 0;
    return found;
}

// A number as B names it, as it is inside.
static void inside(const struct agent_call *c, const struct place *place, char out[static NUMBER_MAX])
{
    const struct agent_leg *b = c->leg[CALL_B];
    number_translate(b->generation->config, agent_leg_trunk(b)->called_in, place->number, out);
}

static void follow(struct agent_call *c, const struct place *place, unsigned places, struct call_event *event,
                   struct call_target *room)
{
    uint64_t now = loop_now(c->agent->loop);
    struct way way;
    struct call_target target[TL_ROUTE_TRUNKS_MAX];
    event->targets = room;
    for (unsigned i = 0; i < places && c->number_count < AGENT_NUMBERS_MAX; i++) {
        char number[NUMBER_MAX];
        inside(c, &place[i], number);
        const struct way_ask ask = {.from = c->call.side[CALL_A].trunk,
                                    .called = number,
                                    .calling = c->calling,
                                    .need = agent_need(c->sips),
                                    .now_ms = now};
        if (place[i].other_scheme)
            continue;
        if (known(c, number) || way_find_inside(c->generation, &ask, &way) != 0)
            continue;
        memcpy(c->numbers[c->number_count++], number, SIP_NUMBER_MAX);
        agent_targets(&way, c->number_count, target);
        for (unsigned t = 0; t < way.count && event->target_count < TL_ROUTE_TRUNKS_MAX; t++)
            room[event->target_count++] = target[t];
    }
    log_line(LOG_INFO, "call %llu: redirected with %d to %u number(s), %u trunk(s) to try",
             (unsigned long long)c->id, event->status, places, event->target_count);
}

// The same places at our address on A's side.
static void rewrite(struct agent_call *c, const struct place *place, unsigned places)
{
    const struct tl_trunk_config *trunk = agent_leg_trunk(c->leg[CALL_A]);
    const struct tl_listener_config *listener = agent_leg_listener(c->leg[CALL_A]);
    size_t size = 0;
    char contact[AGENT_CONTACT_MAX];
    free(c->contacts);
    c->contacts = NULL;
    FILE *f = places ? open_memstream(&c->contacts, &size) : NULL;
    if (!f)
        return;
    const char *between = "";
    for (unsigned i = 0; i < places; i++) {
        char number[NUMBER_MAX], theirs[NUMBER_MAX];
        inside(c, &place[i], number);
        number_to_peer(c->leg[CALL_A]->generation->config, trunk, trunk->called_out, number, theirs);
        if (headers_contact(trunk, tl_listener_shown(listener), listener->transport, c->leg[CALL_A]->scheme,
                            theirs, contact, sizeof contact)) {
            fprintf(f, "%s%s;q=%u.%03u", between, contact, place[i].q / 1000, place[i].q % 1000);
            between = ", ";
        }
    }
    fclose(f);
}

void agent_redirect(struct agent_call *c, const struct sip_msg *msg, struct call_event *event,
                    struct call_target *room)
{
    struct place place[CONTACTS_MAX];
    enum tl_redirect redirect = agent_leg_trunk(c->leg[CALL_B])->redirect;
    if (event->status > 302 || redirect == TL_REDIRECT_REFUSE) // others name no other place to call
        return;
    unsigned places = read_contacts(msg, c->leg[CALL_B]->scheme, place);
    if (redirect == TL_REDIRECT_FOLLOW) {
        follow(c, place, places, event, room);
        return;
    }
    rewrite(c, place, places);
    event->contacts = c->contacts && c->contacts[0];
}

// ---- as a record --------------------------------------------------------------------------------------

enum { REDIRECT_RECORD = 1 };

static const char *number_name(char out[static RECORD_NAME_MAX], unsigned n)
{
    snprintf(out, RECORD_NAME_MAX, "number_%u", n);
    return out;
}

void agent_redirect_save(struct record_writer *w, const struct agent_call *c)
{
    char name[RECORD_NAME_MAX];
    if (!c->number_count)
        return;
    record_begin(w, "redirect", REDIRECT_RECORD);
    record_put_number(w, "count", c->number_count);
    record_put_number(w, "called", c->number);
    for (unsigned i = 0; i < c->number_count; i++)
        record_put_text(w, number_name(name, i), c->numbers[i]);
    record_end(w);
}

// A number that read_number() could have taken: something, and nothing that ends a line or a URI.
static bool could_be_called(const char *number)
{
    return number[0] && number[strcspn(number, "\r\n<>@ ")] == '\0';
}

int agent_redirect_load(struct agent_call *c, const struct record *in)
{
    struct record r;
    char name[RECORD_NAME_MAX];
    c->number_count = c->number = 0;
    if (record_section(in, "redirect", 0, &r) < 0)
        return 0;
    unsigned count = (unsigned)record_number(&r, "count", AGENT_NUMBERS_MAX);
    unsigned called = (unsigned)record_number(&r, "called", count);
    bool good = count > 0 && r.version == REDIRECT_RECORD;
    for (unsigned i = 0; i < count; i++) {
        record_text(&r, number_name(name, i), c->numbers[i], sizeof c->numbers[i]);
        good = good && could_be_called(c->numbers[i]);
        for (unsigned k = 0; k < i; k++) // none is called twice
            good = good && strcmp(c->numbers[k], c->numbers[i]) != 0;
    }
    if (r.bad || !good) {
        memset(c->numbers, 0, sizeof c->numbers);
        return -EINVAL;
    }
    c->number_count = (uint8_t)count;
    c->number = (uint8_t)called;
    return 0;
}
