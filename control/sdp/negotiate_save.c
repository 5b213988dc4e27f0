// SPDX-License-Identifier: BSD-3-Clause
// A leg as a record, for a restart: all that it needs to go on, keys included.
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/base/record_parts.h"
#include "control/sdp/negotiate_internal.h"

enum { VERSION = 1 };

// ---- writing ------------------------------------------------------------------------------------------

// As a line of a=crypto, which its own reader checks.
static void put_keys(struct record_writer *w, const char *name, const struct sdes_crypto *keys)
{
    char line[SDES_LINE_MAX];
    if (keys->suite != TL_SUITE_NONE && sdes_write(keys, line, sizeof line) > 0)
        record_put_text(w, name, line);
    explicit_bzero(line, sizeof line);
}

static void put_offered(struct record_writer *w, const struct neg_leg *leg)
{
    for (unsigned i = 0; i < leg->offered_count; i++) {
        char name[16];
        snprintf(name, sizeof name, "offered_%u", i);
        put_keys(w, name, &leg->offered[i]);
    }
}

static void put_word(struct record_writer *w, const struct neg_word *word)
{
    record_begin(w, "word", VERSION);
    record_put_number(w, "kind", word->kind);
    record_put_number(w, "first", word->first);
    record_put_number(w, "direction", word->direction);
    record_put_number(w, "mux", word->mux);
    record_put_number(w, "version", word->version);
    record_put_number(w, "hash", word->hash);
    record_put_number(w, "off", word->off);
    record_put_number(w, "zero", word->zero);
    record_put_text(w, "event_fmtp", word->event_fmtp);
    record_put_text(w, "pass", word->pass);
    record_end(w);
}

static void put_remote(struct record_writer *w, const struct neg_leg *leg)
{
    record_put_addr(w, "rtp", &leg->rtp);
    record_put_addr(w, "rtcp", &leg->rtcp);
    record_put_bytes(w, "remote_pt", leg->remote_pt, sizeof leg->remote_pt);
    record_put_number(w, "direction", leg->direction);
    record_put_number(w, "off", leg->off);
    record_put_number(w, "agreed", leg->agreed);
    record_put_number(w, "first", leg->g711_first);
    record_put_number(w, "offered_last", leg->offered_last);
    record_put_number(w, "ptime", leg->ptime);
    record_put_number(w, "remote_mux", leg->remote_mux);
    record_put_number(w, "mux", leg->rtcp_mux);
    record_put_text(w, "event_fmtp", leg->event_fmtp);
    record_put_text(w, "pass", leg->pass);
    record_put_number(w, "remote_hash", leg->remote_hash);
}

void neg_save(struct record_writer *w, const char *name, const struct neg_leg *leg)
{
    record_begin(w, name, VERSION);
    record_put_text(w, "trunk", leg->trunk->name);
    record_put_addr(w, "local", &leg->local);
    put_remote(w, leg);
    record_put_bytes(w, "local_pt", leg->local_pt, sizeof leg->local_pt);
    record_put_bytes(w, "kept_pt", leg->kept_pt, sizeof leg->kept_pt);
    put_word(w, &leg->word);
    put_offered(w, leg);
    record_put_number(w, "session_id", leg->session_id);
    record_put_number(w, "version", leg->version);
    record_put_number(w, "hash", leg->hash);
    record_put_number(w, "proto", leg->proto);
    put_keys(w, "rx", &leg->rx);
    put_keys(w, "tx", &leg->tx);
    record_put_keys(w, "keys", &leg->rx_keys);
    record_put_number(w, "line_count", leg->line_count);
    record_put_number(w, "audio_line", leg->audio_line);
    record_put_text(w, "lines", leg->lines);
    record_end(w);
}

// ---- reading ------------------------------------------------------------------------------------------

static void get_v4(struct record *r, const char *name, struct tl_addr *addr)
{
    record_addr(r, name, addr);
    r->bad |= addr->family != TL_AF_UNSET && addr->family != TL_AF_INET;
}

static void get_keys(struct record *r, const char *name, struct sdes_crypto *keys)
{
    char line[SDES_LINE_MAX];
    if (!record_has(r, name))
        return;
    record_text(r, name, line, sizeof line);
    if (sdes_parse(keys, line, strlen(line), NULL) < 0)
        r->bad = true;
    explicit_bzero(line, sizeof line);
}

static void get_offered(struct record *r, struct neg_leg *leg)
{
    for (unsigned i = 0; i < TL_SUITES_MAX; i++) {
        char name[16];
        snprintf(name, sizeof name, "offered_%u", i);
        if (!record_has(r, name))
            return;
        get_keys(r, name, &leg->offered[i]);
        leg->offered_count++;
    }
}

static void get_pts(struct record *r, const char *name, uint8_t pts[NEG_CODECS])
{
    record_bytes(r, name, pts, NEG_CODECS);
    for (int c = 0; c < NEG_CODECS; c++)
        if (pts[c] > 127 && pts[c] != NEG_NO_PT)
            r->bad = true;
}

// Lines, each with its end.
static void get_lines(struct record *r, const char *name, char *out, size_t cap)
{
    record_text(r, name, out, cap);
    size_t n = strlen(out);
    if (n > 0 && out[n - 1] != '\n')
        r->bad = true;
}

static unsigned count_lines(const char *lines)
{
    unsigned n = 0;
    for (; *lines; lines++)
        n += *lines == '\n';
    return n;
}

// What is wrong in it would be an index past its end, or a slot that stands twice.
static void get_word(struct record *in, struct neg_word *word)
{
    struct record r;
    if (record_section(in, "word", 0, &r) < 0) {
        in->bad = true;
        return;
    }
    word->kind = (uint8_t)record_number(&r, "kind", NEG_SAID_ANSWER);
    word->first = (uint8_t)record_number(&r, "first", NEG_PCMA);
    word->direction = (uint8_t)record_number(&r, "direction", SDP_SENDRECV);
    word->mux = record_number(&r, "mux", 1);
    word->version = record_number(&r, "version", UINT64_MAX);
    word->hash = record_number(&r, "hash", UINT64_MAX);
    word->off = record_number(&r, "off", 1);
    word->zero = record_number(&r, "zero", 1);
    record_text(&r, "event_fmtp", word->event_fmtp, sizeof word->event_fmtp);
    get_lines(&r, "pass", word->pass, sizeof word->pass);
    in->bad |= r.bad;
}

static void get_remote(struct record *r, struct neg_leg *leg)
{
    get_v4(r, "rtp", &leg->rtp);
    get_v4(r, "rtcp", &leg->rtcp);
    get_pts(r, "remote_pt", leg->remote_pt);
    leg->direction = (uint8_t)record_number(r, "direction", SDP_SENDRECV);
    leg->off = record_number(r, "off", 1);
    leg->agreed = record_number(r, "agreed", 1);
    leg->g711_first = (uint8_t)record_number(r, "first", NEG_PCMA);
    leg->offered_last = record_number(r, "offered_last", 1);
    leg->ptime = (uint16_t)record_number(r, "ptime", UINT16_MAX);
    leg->remote_mux = record_number(r, "remote_mux", 1);
    leg->rtcp_mux = record_number(r, "mux", 1);
    record_text(r, "event_fmtp", leg->event_fmtp, sizeof leg->event_fmtp);
    get_lines(r, "pass", leg->pass, sizeof leg->pass);
    leg->remote_hash = record_number(r, "remote_hash", UINT64_MAX);
}

static void get_shape(struct record *r, struct neg_leg *leg)
{
    leg->line_count = (uint8_t)record_number(r, "line_count", SDP_MEDIA_MAX);
    leg->audio_line = (uint8_t)record_number(r, "audio_line", NEG_NO_LINE);
    get_lines(r, "lines", leg->lines, sizeof leg->lines);
    bool none = leg->audio_line == NEG_NO_LINE || leg->line_count == 0;
    // a line that only we brought has no text of its own
    if ((!none && leg->audio_line >= leg->line_count) || count_lines(leg->lines) > leg->line_count)
        r->bad = true;
}

static const struct tl_trunk_config *trunk_named(const struct tl_config *config, const char *name)
{
    for (uint32_t i = 0; i < config->trunk_count; i++)
        if (strcmp(config->trunks[i].name, name) == 0)
            return &config->trunks[i];
    return NULL;
}

int neg_load(struct neg_leg *leg, const struct record *in, const char *name, const struct tl_config *config)
{
    struct record r;
    char trunk[TL_NAME_MAX];
    memset(leg, 0, sizeof *leg);
    if (record_section(in, name, 0, &r) < 0 || r.version != VERSION)
        return -EINVAL;
    record_text(&r, "trunk", trunk, sizeof trunk);
    get_v4(&r, "local", &leg->local);
    get_remote(&r, leg);
    get_pts(&r, "local_pt", leg->local_pt);
    get_pts(&r, "kept_pt", leg->kept_pt);
    get_word(&r, &leg->word);
    get_offered(&r, leg);
    leg->session_id = record_number(&r, "session_id", UINT64_MAX);
    leg->version = record_number(&r, "version", UINT64_MAX);
    leg->hash = record_number(&r, "hash", UINT64_MAX);
    leg->proto = (uint8_t)record_number(&r, "proto", SDP_PROTO_SAVPF);
    get_keys(&r, "rx", &leg->rx);
    get_keys(&r, "tx", &leg->tx);
    record_keys(&r, "keys", &leg->rx_keys);
    get_shape(&r, leg);
    leg->trunk = r.bad ? NULL : trunk_named(config, trunk);
    if (leg->trunk)
        return 0;
    neg_fini(leg);
    return r.bad ? -EINVAL : -ENOENT;
}
