// SPDX-License-Identifier: BSD-3-Clause
// Whether an SDP says anything new: a hash over all that we use of it.
#include <string.h>

#include "control/sdp/negotiate_internal.h"

// FNV-1a. Never 0, so that 0 can stand for "nothing yet".
uint64_t neg_hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;
    uint64_t h = hash ? hash : 0xcbf29ce484222325u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 0x100000001b3u;
    return h ? h : 1;
}

static uint64_t add_number(uint64_t hash, uint64_t number)
{
    return neg_hash_bytes(hash, &number, sizeof number);
}

// With its length, so that "ab", "c" and "a", "bc" differ.
static uint64_t add_str(uint64_t hash, const char *text, struct sdp_str s)
{
    return neg_hash_bytes(add_number(hash, s.len), text + s.off, s.len);
}

static uint64_t add_addr(uint64_t hash, const struct tl_addr *a)
{
    hash = add_number(hash, (uint64_t)a->family << 16 | a->port);
    return neg_hash_bytes(hash, a->ip, sizeof a->ip);
}

static uint64_t add_formats(uint64_t hash, const struct sdp_media *m, const char *text)
{
    for (unsigned i = 0; i < m->format_count; i++) {
        const struct sdp_format *f = &m->format[i];
        hash = add_number(hash, (uint64_t)f->pt << 40 | (uint64_t)f->channels << 32 | f->rate);
        hash = add_str(hash, text, f->name);
        hash = add_str(hash, text, f->fmtp);
    }
    return hash;
}

static uint64_t add_media(uint64_t hash, const struct sdp_media *m, const char *text)
{
    hash = add_number(hash, (uint64_t)m->direction << 48 | (uint64_t)m->rtcp_mux << 56 | m->port);
    hash = add_number(hash, (uint64_t)m->ptime << 16 | m->maxptime);
    hash = add_str(hash, text, m->kind);
    hash = add_str(hash, text, m->proto_text);
    hash = add_str(hash, text, m->fmt_text);
    if (!m->audio || !m->port) // what is refused or disabled has nothing else to say
        return hash;
    hash = add_addr(hash, &m->addr);
    hash = add_addr(hash, &m->rtcp);
    hash = add_formats(hash, m, text);
    for (unsigned i = 0; i < m->crypto_count; i++)
        hash = add_str(hash, text, m->crypto[i]);
    for (unsigned i = 0; i < m->pass_count; i++)
        hash = add_str(add_number(hash, m->pass_kind[i]), text, m->pass[i]);
    return hash;
}

uint64_t neg_hash(const struct sdp *sdp, const char *text)
{
    uint64_t hash = add_number(0, sdp->media_count);
    hash = add_str(hash, text, sdp->session_id);
    hash = add_str(hash, text, sdp->version);
    for (unsigned i = 0; i < sdp->media_count; i++)
        hash = add_media(hash, &sdp->media[i], text);
    return hash;
}

bool neg_same_sdp(const struct neg_leg *leg, const struct sdp *sdp, const char *text)
{
    return leg->remote_hash && neg_hash(sdp, text) == leg->remote_hash;
}
