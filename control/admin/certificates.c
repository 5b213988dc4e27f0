// SPDX-License-Identifier: BSD-3-Clause
// Certificates of listeners and trunks as the operator sees them.
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "control/admin/calls.h"
#include "control/base/text.h"

struct listing {
    json_t *rows;
    const char *trunk; // of that one alone; NULL: all
    time_t now;
};

// "2026-12-31T23:59:59Z"; null: not known.
static json_t *date(time_t t)
{
    struct tm tm;
    char text[32];
    if (!t || !gmtime_r(&t, &tm) || !strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm))
        return json_null();
    return json_string(text);
}

static void add(void *arg, const struct sip_certificate *c)
{
    struct listing *l = arg;
    time_t end = sip_certificate_end(c);
    if (l->trunk && (!c->trunk || strcmp(c->trunk, l->trunk) != 0))
        return;
    json_array_append_new(
        l->rows,
        json_pack("{s:s?, s:s?, s:s, s:s, s:o, s:s, s:s, s:s, s:o, s:o, s:s?, s:s}", "listener", c->listener,
                  "trunk", c->trunk, "role", c->ca ? "CA" : "ours", "state", sip_certificate_state(c, l->now),
                  "days_left", end ? json_integer((json_int_t)((end - l->now) / (24 * 3600L))) : json_null(),
                  "subject", c->subject, "names", c->names, "issuer", c->issuer, "not_before",
                  date(c->not_before), "not_after", date(end), "ends_first",
                  c->ends_first_at ? c->ends_first : NULL, "file", TEXT_SHOWN(c->file)));
}

json_t *ctl_certificates(const struct agent *agent, const char *trunk)
{
    struct listing l = {json_array(), trunk, time(NULL)};
    if (l.rows)
        sip_stack_certificates(agent_stack(agent), add, &l);
    return l.rows;
}
