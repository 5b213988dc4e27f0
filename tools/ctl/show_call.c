// SPDX-License-Identifier: BSD-3-Clause
// One call for people: both legs side by side, then what was dropped, with its meaning.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/ctl/ctl.h"
#include "tools/ctl/table.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char *const legs[2] = {"a", "b"};

static const json_t *leg_of(const json_t *call, int leg)
{
    return json_object_get(call, legs[leg]);
}

// Text, also of numbers: a column of mixed values stands left.
static json_t *as_text(const json_t *value)
{
    char *text = value_text(value);
    json_t *string = json_string(text ? text : "-");
    free(text);
    return string;
}

static void add_row(json_t *rows, const char *what, json_t *a, json_t *b)
{
    json_array_append_new(rows, json_pack("{s:s, s:o, s:o}", "what", what, "a", a, "b", b));
}

static void add_member(json_t *rows, const char *what, const json_t *call, const char *key)
{
    add_row(rows, what, as_text(json_object_get(leg_of(call, 0), key)),
            as_text(json_object_get(leg_of(call, 1), key)));
}

static const json_t *media_of(const json_t *call, int leg)
{
    return json_object_get(leg_of(call, leg), "media");
}

static void add_media(json_t *rows, const char *what, const json_t *call, const char *key)
{
    add_row(rows, what, as_text(json_object_get(media_of(call, 0), key)),
            as_text(json_object_get(media_of(call, 1), key)));
}

// "from it 96, to it 101": the type that the remote side is to send, and the one that it is sent.
static json_t *payload_text(const json_t *types)
{
    if (!json_is_object(types))
        return json_string("-");
    char *in = value_text(json_object_get(types, "in")), *out = value_text(json_object_get(types, "out"));
    json_t *text = json_sprintf("from it %s, to it %s", in ? in : "-", out ? out : "-");
    free(in);
    free(out);
    return text;
}

static void add_payloads(json_t *rows, const json_t *call)
{
    static const char *const codecs[] = {"PCMA", "PCMU", "telephone-event"};
    for (size_t i = 0; i < COUNT(codecs); i++) {
        const json_t *types[2];
        for (int leg = 0; leg < 2; leg++)
            types[leg] = json_object_get(json_object_get(leg_of(call, leg), "payload_types"), codecs[i]);
        if (types[0] || types[1])
            add_row(rows, codecs[i], payload_text(types[0]), payload_text(types[1]));
    }
}

static void add_mki(json_t *rows, const json_t *call)
{
    const json_t *mki[2];
    for (int leg = 0; leg < 2; leg++)
        mki[leg] = json_object_get(leg_of(call, leg), "mki");
    if (json_is_object(mki[0]) || json_is_object(mki[1]))
        add_row(rows, "MKI octets", payload_text(mki[0]), payload_text(mki[1]));
}

// "1800 s, refreshed by us"
static void add_session_timer(json_t *rows, const json_t *call)
{
    if (json_is_string(json_object_get(leg_of(call, 0), "session_timer")) ||
        json_is_string(json_object_get(leg_of(call, 1), "session_timer")))
        add_member(rows, "session timer", call, "session_timer");
}

// "125 packets, 15 kB/s", each second
static json_t *limits_text(const json_t *call, int leg)
{
    const json_t *limits = json_object_get(leg_of(call, leg), "limits");
    if (!json_is_object(limits))
        return json_string("-");
    return json_sprintf("%.0f packets, %.0f kB/s",
                        json_number_value(json_object_get(limits, "packets_per_s")),
                        json_number_value(json_object_get(limits, "octets_per_s")) / 1000);
}

// "0.1 s ago", "never", or "-" when the dataplane does not say.
static json_t *heard_text(const json_t *media)
{
    const json_t *seconds = json_object_get(media, "heard_s_ago");
    if (!seconds)
        return json_string("-");
    if (!json_is_real(seconds))
        return json_string("never");
    return json_sprintf("%.1f s ago", json_real_value(seconds));
}

// "12 of 3000 (0.4 %)" of the packets that were to come.
static json_t *lost_text(const json_t *media)
{
    const json_t *lost = json_object_get(media, "lost");
    double n = json_number_value(lost), all = n + json_number_value(json_object_get(media, "rx_packets"));
    if (!json_is_integer(lost))
        return json_string("-");
    if (n == 0)
        return as_text(lost);
    return json_sprintf("%.0f of %.0f (%.2f %%)", n, all, 100 * n / all);
}

static json_t *ms_text(const json_t *value)
{
    return json_is_number(value)
               ? json_sprintf("%.*f ms", json_is_real(value) ? 1 : 0, json_number_value(value))
               : json_string("-");
}

static void add_quality(json_t *rows, const json_t *call)
{
    const json_t *a = media_of(call, 0), *b = media_of(call, 1);
    add_row(rows, "lost from it", lost_text(a), lost_text(b));
    add_media(rows, "late from it", call, "reordered");
    add_media(rows, "twice from it", call, "duplicates");
    add_row(rows, "jitter", ms_text(json_object_get(a, "jitter_ms")),
            ms_text(json_object_get(b, "jitter_ms")));
    add_row(rows, "longest gap", ms_text(json_object_get(a, "longest_gap_ms")),
            ms_text(json_object_get(b, "longest_gap_ms")));
}

static void show_legs(const json_t *call)
{
    static const struct column columns[] = {{"LEG", "what"}, {"A", "a"}, {"B", "b"}};
    json_t *rows = json_array();
    add_member(rows, "trunk", call, "trunk");
    add_member(rows, "SIP peer", call, "peer");
    add_member(rows, "our media address", call, "local");
    add_member(rows, "its media address", call, "remote");
    add_member(rows, "its RTCP address", call, "remote_rtcp");
    add_member(rows, "it says it is", call, "direction");
    add_member(rows, "SRTP", call, "srtp");
    add_mki(rows, call);
    add_payloads(rows, call);
    add_session_timer(rows, call);
    add_row(rows, "it may send", limits_text(call, 0), limits_text(call, 1));
    add_row(rows, "last heard", heard_text(media_of(call, 0)), heard_text(media_of(call, 1)));
    add_media(rows, "packets from it", call, "rx_packets");
    add_media(rows, "octets from it", call, "rx_octets");
    add_quality(rows, call);
    add_media(rows, "packets to it", call, "tx_packets");
    add_media(rows, "octets to it", call, "tx_octets");
    add_media(rows, "RTCP from it", call, "rx_rtcp");
    add_media(rows, "RTCP to it", call, "tx_rtcp");
    add_media(rows, "dropped from it", call, "dropped");
    table_print(columns, COUNT(columns), rows);
    json_decref(rows);
}

static void show_drops(const json_t *call)
{
    static const struct column columns[] = {
        {"LEG", "leg"}, {"DROPPED", "count"}, {"REASON", "reason"}, {"MEANING", "text"}};
    json_t *rows = json_array(), *drop;
    size_t i;
    for (int leg = 0; leg < 2; leg++)
        json_array_foreach(json_object_get(media_of(call, leg), "drops"), i, drop)
        {
            json_t *row = json_copy(drop);
            json_object_set_new(row, "leg", json_string(leg ? "B" : "A"));
            json_array_append_new(rows, row);
        }
    if (json_array_size(rows)) {
        putchar('\n');
        table_print(columns, COUNT(columns), rows);
    }
    json_decref(rows);
}

void show_call(const json_t *call)
{
    static const char *const head[] = {"id",     "state", "from", "to",    "seconds",
                                       "talked", "codec", "held", "audio", "session"};
    json_t *top = json_object();
    for (size_t i = 0; i < COUNT(head); i++)
        json_object_set(top, head[i], json_object_get(call, head[i]));
    json_object_set(top, "call_id_a", json_object_get(leg_of(call, 0), "call_id"));
    json_object_set(top, "call_id_b", json_object_get(leg_of(call, 1), "call_id"));
    members_print(top);
    json_decref(top);
    putchar('\n');
    show_legs(call);
    if (dataplane_away(call, "dataplane"))
        puts("\nthe dataplane is away: no media flows, and these are its last counters");
    else if (!json_is_object(media_of(call, 0)))
        puts("\nthe dataplane has no session of this call at the moment: no media flows");
    show_drops(call);
}
