// SPDX-License-Identifier: BSD-3-Clause
#include "control/trunk/sources.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"

enum { BUCKETS_FIRST = 64 };

static unsigned family_of(const struct tl_addr *addr)
{
    return addr->family == TL_AF_INET ? 0 : 1;
}

static void mask(struct tl_addr *addr, unsigned len)
{
    for (unsigned i = 0; i < sizeof addr->ip; i++)
        addr->ip[i] &= (uint8_t)(len >= 8 * (i + 1) ? 0xff : len <= 8 * i ? 0 : 0xff << (8 * (i + 1) - len));
}

// FNV-1a. Only addresses of the configuration and of its names are in the table: who asks cannot make a bucket longer.
static uint32_t hash(uint32_t listener, unsigned kind, const struct tl_addr *net, unsigned len)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    uint32_t words[6] = {listener, kind << 16 | len << 8 | net->family};

    memcpy(words + 2, net->ip, sizeof net->ip);
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        h = (h ^ words[i]) * UINT64_C(0x100000001b3);
    return (uint32_t)(h ^ h >> 32);
}

static struct trunk_source **bucket_of(const struct trunk_sources *set, const struct trunk_source *s)
{
    return &set->buckets[hash(s->listener, s->kind, &s->net, s->prefix_len) & (set->bucket_count - 1)];
}

// ---- what is there

static void count_length(struct trunk_sources *set, const struct trunk_source *s, int more)
{
    unsigned f = family_of(&s->net), n = 0;
    uint32_t *in_use = set->in_use[f];

    in_use[s->prefix_len] += (uint32_t)more;
    for (unsigned len = 129; len-- > 0;)
        if (in_use[len])
            set->lengths[f][n++] = (uint8_t)len;
    set->length_count[f] = (uint8_t)n;
}

static int grow(struct trunk_sources *set)
{
    uint32_t n = set->bucket_count ? 2 * set->bucket_count : BUCKETS_FIRST;
    struct trunk_source **old = set->buckets, **new = calloc(n, sizeof(struct trunk_source *)), *s;

    if (!new)
        return -ENOMEM;
    set->buckets = new;
    for (uint32_t i = 0, was = set->bucket_count; i < was; i++)
        while ((s = old[i])) {
            old[i] = s->next;
            set->bucket_count = n;
            struct trunk_source **to = bucket_of(set, s);
            s->next = *to;
            *to = s;
        }
    set->bucket_count = n;
    free(old);
    return 0;
}

int trunk_sources_add(struct trunk_sources *set, const struct trunk_source *source)
{
    struct trunk_source *s = malloc(sizeof *s);

    if (!s || (set->count >= set->bucket_count && grow(set) < 0)) {
        free(s);
        return -ENOMEM;
    }
    *s = *source;
    mask(&s->net, s->prefix_len);
    struct trunk_source **at = bucket_of(set, s);
    s->next = *at;
    *at = s;
    set->count++;
    count_length(set, s, 1);
    return 0;
}

static bool same(const struct trunk_source *a, const struct trunk_source *b)
{
    return a->listener == b->listener && a->kind == b->kind && a->prefix_len == b->prefix_len &&
           a->trunk == b->trunk && tl_addr_equal(&a->net, &b->net);
}

bool trunk_sources_remove(struct trunk_sources *set, const struct trunk_source *source)
{
    struct trunk_source key = *source, **at;

    mask(&key.net, key.prefix_len);
    if (!set->bucket_count)
        return false;
    for (at = bucket_of(set, &key); *at && !same(*at, &key);)
        at = &(*at)->next;
    struct trunk_source *found = *at;
    if (!found)
        return false;
    *at = found->next;
    set->count--;
    count_length(set, found, -1);
    free(found);
    return true;
}

void trunk_sources_fini(struct trunk_sources *set)
{
    for (uint32_t i = 0; i < set->bucket_count; i++)
        for (struct trunk_source *s = set->buckets[i], *next; s; s = next) {
            next = s->next;
            free(s);
        }
    free(set->buckets);
    *set = (struct trunk_sources){0};
}

// ---- whose an address is

struct trunk_walk trunk_walk(const struct trunk_sources *set, uint32_t listener, const struct tl_addr *from)
{
    bool known = from->family == TL_AF_INET || from->family == TL_AF_INET6;

    return (struct trunk_walk){
        .set = set, .from = *from, .listener = listener, .kind = known ? 0 : TRUNK_SOURCE_KINDS};
}

static bool is_of(const struct trunk_source *s, const struct trunk_walk *w, const struct tl_addr *net,
                  unsigned len)
{
    return s->listener == w->listener && s->kind == w->kind && s->prefix_len == len &&
           tl_addr_same_host(&s->net, net);
}

// From `s` on in its bucket, the first that is of the group that the walk is in.
static const struct trunk_source *within(const struct trunk_walk *w, const struct trunk_source *s)
{
    unsigned len = w->set->lengths[family_of(&w->from)][w->length - 1u];
    struct tl_addr net = w->from;

    mask(&net, len);
    while (s && !is_of(s, w, &net, len))
        s = s->next;
    return s;
}

const struct trunk_source *trunk_walk_next(struct trunk_walk *w)
{
    const struct trunk_sources *set = w->set;
    const struct trunk_source *found = w->next;
    unsigned f = family_of(&w->from);

    while (!found && w->kind < TRUNK_SOURCE_KINDS && set->bucket_count) {
        if (w->length == set->length_count[f]) {
            w->length = 0;
            w->kind++;
            continue;
        }
        unsigned len = set->lengths[f][w->length++];
        struct tl_addr net = w->from;
        mask(&net, len);
        w->group++;
        found = within(w, set->buckets[hash(w->listener, w->kind, &net, len) & (set->bucket_count - 1)]);
    }
    w->next = found ? within(w, found->next) : NULL;
    return found;
}
