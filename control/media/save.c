// SPDX-License-Identifier: BSD-3-Clause
// A session as a record, and back: what the dataplane should have, its ports, where its SRTP keys stand.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/suite.h"
#include "common/validate.h"
#include "control/base/record_parts.h"
#include "control/media/media_internal.h"

enum { MEDIA_RECORD = 1, LEG_RECORD = 1, CRYPTO_RECORD = 1, RESUME_RECORD = 1 };

// Names of the histories in a leg: what the side sends with, what it is sent.
static const char *const history_names[2] = {"rx_keys", "tx_keys"};

// ---- writing ------------------------------------------------------------------------------------------

static void put_crypto(struct record_writer *w, const char *name, const struct tl_crypto *c)
{
    const struct tl_suite_info *suite = tl_suite_info(c->suite);
    if (!suite)
        return;
    record_begin(w, name, CRYPTO_RECORD);
    record_put_text(w, "suite", suite->name);
    record_put_number(w, "generation", c->generation);
    record_put_bytes(w, "key", c->key, suite->key_len);
    record_put_bytes(w, "salt", c->salt, suite->salt_len);
    record_put_bytes(w, "mki", c->mki, c->mki_len);
    record_end(w);
}

static void put_ssrc(struct record_writer *w, const char *name, const struct tl_resume_ssrc *s)
{
    if (!s->ssrc && !s->index && !s->srtcp_index)
        return;
    record_begin(w, name, RESUME_RECORD);
    record_put_number(w, "ssrc", s->ssrc);
    record_put_number(w, "index", s->index);
    record_put_number(w, "srtcp_index", s->srtcp_index);
    record_end(w);
}

static void put_resume(struct record_writer *w, const struct media_resume *r)
{
    if (!r->known)
        return;
    record_begin(w, "resume", RESUME_RECORD);
    record_put_number(w, "rx_generation", r->rx_generation);
    record_put_number(w, "tx_generation", r->tx_generation);
    for (unsigned k = 0; k < TL_SSRC_MAX; k++)
        put_ssrc(w, "rx", &r->rx[k]);
    put_ssrc(w, "tx", &r->tx);
    record_end(w);
}

static void put_leg(struct record_writer *w, const struct media_session *s, unsigned i)
{
    const struct tl_leg *leg = &s->leg[i];
    record_begin(w, "leg", LEG_RECORD);
    record_put_text(w, "realm", leg->realm);
    record_put_addr(w, "local", &s->local[i]);
    record_put_addr(w, "rtp", &leg->rtp);
    record_put_addr(w, "rtcp", &leg->rtcp);
    record_put_number(w, "flags", leg->flags);
    record_put_bytes(w, "pt_in", leg->pt_in, leg->pt_count);
    record_put_bytes(w, "pt_out", leg->pt_out, leg->pt_count);
    record_put_bytes(w, "pt_law", leg->pt_law, leg->pt_count);
    record_put_number(w, "roc_on_rekey", leg->roc_on_rekey);
    record_put_number(w, "max_len", leg->max_len);
    record_put_number(w, "max_pps", leg->max_pps);
    record_put_number(w, "max_bps", leg->max_bps);
    record_put_number(w, "burst_ms", leg->burst_ms);
    record_put_number(w, "silence_ms", leg->silence_ms);
    put_crypto(w, "rx", &leg->rx);
    put_crypto(w, "tx", &leg->tx);
    for (unsigned d = 0; s->keys && d < 2; d++)
        record_put_keys(w, history_names[d], &s->keys->history[i][d]);
    put_resume(w, &s->resume[i]);
    record_end(w);
}

void media_session_save(struct record_writer *w, const struct media_session *s)
{
    record_begin(w, "media", MEDIA_RECORD);
    record_put_number(w, "call_ref", s->call_ref);
    record_put_number(w, "confirmed", s->confirmed);
    record_put_number(w, "installed", s->installed);
    if (s->installed) {
        record_put_number(w, "incarnation", s->handle.incarnation);
        record_put_number(w, "slot", s->handle.slot);
        record_put_number(w, "generation", s->handle.generation);
    }
    put_leg(w, s, 0);
    put_leg(w, s, 1);
    record_end(w);
}

// ---- reading ------------------------------------------------------------------------------------------

static void get_crypto(struct record *in, const char *name, struct tl_crypto *c)
{
    struct record r;
    char suite[64];
    if (record_section(in, name, 0, &r) < 0)
        return;
    record_text(&r, "suite", suite, sizeof suite);
    const struct tl_suite_info *info = tl_suite_info(tl_suite_by_name(suite, (unsigned)strlen(suite)));
    if (!info || r.version != CRYPTO_RECORD) {
        in->bad = true;
        return;
    }
    c->suite = (uint8_t)tl_suite_by_name(suite, (unsigned)strlen(suite));
    c->generation = (uint32_t)record_number(&r, "generation", UINT32_MAX);
    record_bytes(&r, "key", c->key, info->key_len);
    record_bytes(&r, "salt", c->salt, info->salt_len);
    c->mki_len = (uint8_t)record_bytes_upto(&r, "mki", c->mki, sizeof c->mki);
    in->bad |= r.bad || c->generation == 0;
}

static void get_ssrc(struct record *in, const char *name, unsigned n, struct tl_resume_ssrc *s)
{
    struct record r;
    if (record_section(in, name, n, &r) < 0)
        return;
    s->ssrc = (uint32_t)record_number(&r, "ssrc", UINT32_MAX);
    s->index = record_number(&r, "index", UINT64_MAX);
    s->srtcp_index = (uint32_t)record_number(&r, "srtcp_index", UINT32_MAX);
    in->bad |= r.bad || r.version != RESUME_RECORD;
}

static void get_resume(struct record *in, struct media_resume *out)
{
    struct record r;
    if (record_section(in, "resume", 0, &r) < 0)
        return;
    out->known = true;
    out->rx_generation = (uint32_t)record_number(&r, "rx_generation", UINT32_MAX);
    out->tx_generation = (uint32_t)record_number(&r, "tx_generation", UINT32_MAX);
    for (unsigned k = 0; k < TL_SSRC_MAX; k++)
        get_ssrc(&r, "rx", k, &out->rx[k]);
    get_ssrc(&r, "tx", 0, &out->tx);
    in->bad |= r.bad || r.version != RESUME_RECORD;
}

static void get_payload_types(struct record *r, struct tl_leg *leg)
{
    leg->pt_count = (uint8_t)record_bytes_upto(r, "pt_in", leg->pt_in, sizeof leg->pt_in);
    record_bytes(r, "pt_out", leg->pt_out, leg->pt_count);
    record_bytes(r, "pt_law", leg->pt_law, leg->pt_count);
}

// The key in use has to be the one that its history has in use, under that generation.
static bool history_fits(const struct tl_key_history *h, const struct tl_crypto *c, uint64_t seed)
{
    int slot = tl_key_history_find(h, c, seed);
    if (c->suite == TL_SUITE_NONE)
        return h->plain || h->count == 0;
    return slot >= 0 && !h->plain && h->order[0] == slot && h->generation[slot] == c->generation;
}

// Without a memory of keys each is the first one.
static bool keys_fit(const struct media_session *s)
{
    for (unsigned i = 0; i < 4; i++) {
        const struct tl_crypto *c = i % 2 ? &s->leg[i / 2].tx : &s->leg[i / 2].rx;
        if (s->keys ? !history_fits(&s->keys->history[i / 2][i % 2], c, s->call_ref)
                    : c->suite != TL_SUITE_NONE && c->generation != 1)
            return false;
    }
    return true;
}

// 0; -EINVAL or -ENOMEM.
static int get_leg(struct media_session *s, const struct record *in, unsigned i)
{
    struct tl_leg *leg = &s->leg[i];
    struct record r, section;
    if (record_section(in, "leg", i, &r) < 0 || r.version != LEG_RECORD)
        return -EINVAL;
    record_text(&r, "realm", leg->realm, sizeof leg->realm);
    record_addr(&r, "local", &s->local[i]);
    record_addr(&r, "rtp", &leg->rtp);
    record_addr(&r, "rtcp", &leg->rtcp);
    leg->flags = (uint32_t)record_number(&r, "flags", UINT32_MAX);
    get_payload_types(&r, leg);
    leg->roc_on_rekey = (uint8_t)record_number(&r, "roc_on_rekey", UINT8_MAX);
    leg->max_len = (uint16_t)record_number(&r, "max_len", UINT16_MAX);
    leg->max_pps = (uint32_t)record_number(&r, "max_pps", UINT32_MAX);
    leg->max_bps = (uint32_t)record_number(&r, "max_bps", UINT32_MAX);
    leg->burst_ms = (uint16_t)record_number(&r, "burst_ms", UINT16_MAX);
    leg->silence_ms = (uint32_t)record_number(&r, "silence_ms", UINT32_MAX);
    get_crypto(&r, "rx", &leg->rx);
    get_crypto(&r, "tx", &leg->tx);
    for (unsigned d = 0; d < 2; d++) {
        if (record_section(&r, history_names[d], 0, &section) < 0)
            continue;
        if (!s->keys && !(s->keys = calloc(1, sizeof *s->keys)))
            return -ENOMEM;
        record_keys(&r, history_names[d], &s->keys->history[i][d]);
    }
    get_resume(&r, &s->resume[i]);
    return r.bad ? -EINVAL : 0;
}

// What the dataplane would have to be told has to be a command that it could take, indices to resume included.
static bool is_sound(const struct media_session *s)
{
    struct tl_command c = {.op = TL_OP_ADD, .call_ref = s->call_ref};
    uint16_t field;
    memcpy(c.leg, s->leg, sizeof c.leg);
    media_apply_resume(s, c.leg);
    bool sound = tl_command_check(&c, &field) == 0 && keys_fit(s);
    for (unsigned i = 0; i < 2; i++)
        sound = sound && (!s->confirmed || (s->local[i].port && s->local[i].port % 2 == 0));
    explicit_bzero(&c, sizeof c);
    return sound && s->confirmed >= s->installed &&
           (!s->installed || (s->handle.incarnation && s->handle.generation));
}

static void get_handle(struct record *r, struct media_session *s)
{
    if (!s->installed)
        return;
    s->handle.incarnation = record_number(r, "incarnation", UINT64_MAX);
    s->handle.slot = (uint32_t)record_number(r, "slot", UINT32_MAX);
    s->handle.generation = (uint32_t)record_number(r, "generation", UINT32_MAX);
}

int media_session_load(struct media *m, const struct record *in, void *arg, struct media_session **out)
{
    struct record r = *in;
    struct media_session *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return -ENOMEM;
    s->media = m;
    s->arg = arg;
    s->call_ref = record_number(&r, "call_ref", UINT64_MAX);
    s->confirmed = record_number(&r, "confirmed", 1);
    s->installed = record_number(&r, "installed", 1);
    get_handle(&r, s);
    int rc = r.bad || r.version != MEDIA_RECORD ? -EINVAL : get_leg(s, &r, 0);
    if (rc == 0)
        rc = get_leg(s, &r, 1);
    if (rc == 0 && !is_sound(s))
        rc = -EINVAL;
    if (rc == 0 && m->incarnation && s->installed && s->handle.incarnation != m->incarnation)
        rc = -EINVAL; // all sessions of one record's time are one dataplane's
    if (rc == 0 && media_find(m, s->call_ref))
        rc = -EEXIST;
    if (rc < 0) {
        free(s->keys);
        explicit_bzero(s, sizeof *s);
        free(s);
        return rc;
    }
    media_adopt(s);
    *out = s;
    return 0;
}
