// SPDX-License-Identifier: BSD-3-Clause
#include "observer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"

struct entry {
    uint64_t key; // digest of suite, key and salt; never 0
    uint64_t index;
    uint64_t packet; // digest of its bytes
    uint32_t ssrc;
    uint32_t kind;
};

// Highest index seen under a key and SSRC, for the estimate.
struct stream {
    uint64_t key, top;
    uint32_t ssrc;
};

struct observer {
    struct entry *entry; // open addressing, a power of two of them, at most half full
    size_t size, used, packets;
    struct stream *stream;
    size_t streams;
    unsigned violations;
};

static void *must(void *p)
{
    if (!p) {
        perror("observer");
        abort();
    }
    return p;
}

struct observer *observer_new(void)
{
    struct observer *o = must(calloc(1, sizeof *o));
    o->size = 1024;
    o->entry = must(calloc(o->size, sizeof *o->entry));
    return o;
}

void observer_free(struct observer *o)
{
    if (!o)
        return;
    free(o->entry);
    free(o->stream);
    free(o);
}

// FNV-1a with a final mix
static uint64_t digest(uint64_t seed, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t h = seed ^ 0xcbf29ce484222325ull;
    for (size_t i = 0; i < len; i++)
        h = (h ^ p[i]) * 0x100000001b3ull;
    h ^= h >> 32;
    return h * 0x9e3779b97f4a7c15ull;
}

static uint64_t key_digest(const struct tl_crypto *c)
{
    uint64_t h = digest(c->suite, c->key, sizeof c->key);
    return digest(h, c->salt, sizeof c->salt) | 1;
}

static struct entry *find(struct observer *o, uint64_t key, uint32_t kind, uint32_t ssrc, uint64_t index)
{
    uint64_t parts[] = {key, (uint64_t)kind << 32 | ssrc, index};
    size_t i = digest(0, parts, sizeof parts) & (o->size - 1);
    for (;; i = (i + 1) & (o->size - 1)) {
        struct entry *e = &o->entry[i];
        if (!e->key || (e->key == key && e->kind == kind && e->ssrc == ssrc && e->index == index))
            return e;
    }
}

static void grow(struct observer *o)
{
    struct entry *old = o->entry;
    size_t n = o->size;
    o->size *= 2;
    o->entry = must(calloc(o->size, sizeof *o->entry));
    for (size_t i = 0; i < n; i++)
        if (old[i].key)
            *find(o, old[i].key, old[i].kind, old[i].ssrc, old[i].index) = old[i];
    free(old);
}

static void see(struct observer *o, uint64_t key, enum observer_kind kind, uint32_t ssrc, uint64_t index,
                const uint8_t *pkt, size_t len)
{
    o->packets++;
    if (o->used * 2 >= o->size)
        grow(o);
    struct entry *e = find(o, key, kind, ssrc, index);
    uint64_t packet = digest(len, pkt, len);
    if (!e->key) {
        *e = (struct entry){.key = key, .index = index, .packet = packet, .ssrc = ssrc, .kind = kind};
        o->used++;
    } else if (e->packet != packet) {
        o->violations++;
        printf("     observer: two different %s packets under SSRC %08" PRIx32 " index %" PRIu64 "\n",
               kind == OBSERVER_SRTP ? "SRTP" : "SRTCP", ssrc, index);
    }
}

void observer_see(struct observer *o, const struct tl_crypto *crypto, enum observer_kind kind, uint32_t ssrc,
                  uint64_t index, const uint8_t *pkt, size_t len)
{
    see(o, key_digest(crypto), kind, ssrc, index, pkt, len);
}

// The stream, or a new one that begins with top == UINT64_MAX.
static struct stream *stream_of(struct observer *o, uint64_t key, uint32_t ssrc)
{
    for (size_t i = 0; i < o->streams; i++)
        if (o->stream[i].key == key && o->stream[i].ssrc == ssrc)
            return &o->stream[i];
    o->stream = must(realloc(o->stream, (o->streams + 1) * sizeof *o->stream));
    o->stream[o->streams] = (struct stream){.key = key, .ssrc = ssrc, .top = UINT64_MAX};
    return &o->stream[o->streams++];
}

void observer_expect(struct observer *o, const struct tl_crypto *crypto, uint32_t ssrc, uint64_t index)
{
    stream_of(o, key_digest(crypto), ssrc)->top = index;
}

static void too_short(struct observer *o)
{
    o->violations++;
    printf("     observer: a packet that is too short to be SRTP or SRTCP\n");
}

void observer_srtp(struct observer *o, const struct tl_crypto *crypto, const uint8_t *pkt, size_t len)
{
    if (len < 12u + tl_suite_info(crypto->suite)->rtp_tag + crypto->mki_len) {
        too_short(o);
        return;
    }
    uint64_t key = key_digest(crypto), index;
    uint32_t ssrc = tl_get32(pkt + 8), seq = (uint32_t)pkt[2] << 8 | pkt[3];
    struct stream *s = stream_of(o, key, ssrc);
    if (s->top == UINT64_MAX) {
        index = seq;
    } else {
        uint64_t roc = s->top >> 16;
        uint32_t last = s->top & 0xffff;
        if (last < 32768 && seq > last + 32768 && roc > 0)
            roc--;
        else if (last >= 32768 && seq + 32768 < last)
            roc++;
        index = roc << 16 | seq;
    }
    if (s->top == UINT64_MAX || index > s->top)
        s->top = index;
    see(o, key, OBSERVER_SRTP, ssrc, index, pkt, len);
}

void observer_srtcp(struct observer *o, const struct tl_crypto *crypto, const uint8_t *pkt, size_t len)
{
    size_t behind = crypto->mki_len + (tl_suite_info(crypto->suite)->salt_len == 12 ? 0 : 10);
    if (len < 8u + 4 + 10 + crypto->mki_len) {
        too_short(o);
        return;
    }
    uint32_t word = tl_get32(pkt + len - behind - 4);
    see(o, key_digest(crypto), OBSERVER_SRTCP, tl_get32(pkt + 4), word & 0x7fffffff, pkt, len);
}

unsigned observer_violations(const struct observer *o)
{
    return o->violations;
}

size_t observer_packets(const struct observer *o)
{
    return o->packets;
}
