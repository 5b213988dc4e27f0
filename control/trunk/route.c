// SPDX-License-Identifier: BSD-3-Clause
#include "control/trunk/route.h"

#include <stdlib.h>
#include <string.h>

enum { SIGNS = 13, NONE = UINT16_MAX };

struct node {
    uint16_t child[SIGNS]; // by sign(); NONE: no route goes on so
    uint16_t first;        // route, NONE: none
};

struct route_index {
    const struct tl_config *config;
    struct node *nodes; // nodes[0]: nothing read yet
    uint32_t node_count;
    uint16_t *next; // of each route: the one behind it at its node, in order
};

// ---- order

static int prefix_len(const struct tl_route_config *r)
{
    return (int)strlen(r->prefix);
}

static bool has_pattern(const struct tl_route_config *r)
{
    return r->called_pattern || r->calling_pattern;
}

// Below 0 where `a` comes before `b`.
static int compare(const struct tl_config *config, uint16_t a, uint16_t b)
{
    const struct tl_route_config *x = &config->routes[a], *y = &config->routes[b];

    if (x->priority != y->priority)
        return x->priority < y->priority ? -1 : 1;
    if (prefix_len(x) != prefix_len(y))
        return prefix_len(y) - prefix_len(x);
    if (x->any_from != y->any_from)
        return x->any_from - y->any_from;
    if (has_pattern(x) != has_pattern(y))
        return has_pattern(y) - has_pattern(x);
    return (int)a - (int)b;
}

// ---- index

static int sign(char c)
{
    const char *signs = "0123456789*#+", *at = c ? strchr(signs, c) : NULL;

    return at ? (int)(at - signs) : -1;
}

// What the numbers of a route begin with, as far as it is known.
static const char *beginning(const struct tl_route_config *r, char room[TL_DIGITS_MAX])
{
    return r->prefix[0] ? r->prefix : tl_pattern_beginning(r->called, room, TL_DIGITS_MAX);
}

static void add(struct route_index *index, uint16_t route)
{
    char room[TL_DIGITS_MAX];
    uint32_t at = 0;

    for (const char *s = beginning(&index->config->routes[route], room); *s; s++) {
        uint16_t *child = &index->nodes[at].child[sign(*s)];
        if (*child == NONE) {
            *child = (uint16_t)index->node_count++;
            memset(&index->nodes[*child], 0xff, sizeof index->nodes[0]);
        }
        at = *child;
    }
    uint16_t *link = &index->nodes[at].first;
    while (*link != NONE && compare(index->config, *link, route) < 0)
        link = &index->next[*link];
    index->next[route] = *link;
    *link = route;
}

struct route_index *route_index_new(const struct tl_config *config)
{
    struct route_index *index = calloc(1, sizeof *index);
    char room[TL_DIGITS_MAX];
    size_t nodes = 1;

    static_assert(TL_ROUTES_MAX * TL_DIGITS_MAX + 1 < NONE, "a node has a number of 16 bits");
    for (uint32_t i = 0; i < config->route_count; i++)
        nodes += strlen(beginning(&config->routes[i], room));
    if (!index)
        return NULL;
    *index = (struct route_index){.config = config, .node_count = 1};
    index->nodes = malloc(nodes * sizeof *index->nodes);
    index->next = malloc((config->route_count + 1) * sizeof *index->next);
    if (!index->nodes || !index->next) {
        route_index_free(index);
        return NULL;
    }
    memset(&index->nodes[0], 0xff, sizeof index->nodes[0]);
    for (uint32_t i = 0; i < config->route_count; i++)
        add(index, (uint16_t)i);
    return index;
}

void route_index_free(struct route_index *index)
{
    if (!index)
        return;
    free(index->nodes);
    free(index->next);
    free(index);
}

// ---- lookup

static bool is_number(const char *s)
{
    s += *s == '+';
    return s[strspn(s, "0123456789*#")] == '\0';
}

// Whether a pattern fits; one that gave up does where that is the safe side.
static bool fits(const struct tl_pattern *pattern, const char *number, bool when_it_gave_up)
{
    int rc = pattern ? tl_pattern_match(pattern, number) : 1;

    return rc < 0 ? when_it_gave_up : rc;
}

static bool is_open(const struct tl_config *config, const struct tl_route_config *route, uint32_t from)
{
    for (uint32_t i = 0; i < route->trunk_count; i++)
        if (tl_route_open(config, route, from, route->trunks[i]))
            return true;
    return route->deny != 0;
}

// Judges a route whose beginning the called user has. A prefix is for numbers; what a denial says of them holds for whatever begins
// so, or a letter behind the digits would lead around it.
static enum route_verdict judge(const struct tl_config *config, const struct tl_route_config *r,
                                const struct route_ask *ask, bool number)
{
    if (!r->any_from && r->from != ask->from)
        return ROUTE_OTHER_FROM;
    if (r->prefix[0] && !number && !r->deny)
        return ROUTE_CALLED;
    if (!fits(r->called_pattern, ask->called, r->deny != 0))
        return ROUTE_CALLED;
    if (!fits(r->calling_pattern, ask->calling ? ask->calling : "", r->deny != 0))
        return ROUTE_CALLING;
    return is_open(config, r, ask->from) ? ROUTE_TAKEN : ROUTE_CLOSED;
}

const struct tl_route_config *route_find(const struct route_index *index, const struct route_ask *ask,
                                         bool *closed)
{
    const struct tl_config *config = index->config;
    uint16_t head[TL_DIGITS_MAX + 1]; // the next route of each node on the number's way
    unsigned heads = 0;
    const bool number = is_number(ask->called);
    const char *s = ask->called;

    *closed = false;
    for (uint32_t at = 0; at != NONE; at = sign(*s) < 0 ? NONE : index->nodes[at].child[sign(*s)], s++) {
        if (index->nodes[at].first != NONE)
            head[heads++] = index->nodes[at].first;
        if (!*s)
            break;
    }
    while (heads) {
        unsigned best = 0;
        for (unsigned i = 1; i < heads; i++)
            if (compare(config, head[i], head[best]) < 0)
                best = i;
        uint16_t route = head[best];
        enum route_verdict verdict = judge(config, &config->routes[route], ask, number);
        if (ask->tell)
            ask->tell(ask->arg, route, verdict);
        if (verdict == ROUTE_TAKEN) {
            *closed = false;
            return &config->routes[route];
        }
        *closed = *closed || verdict == ROUTE_CLOSED;
        head[best] = index->next[route];
        if (head[best] == NONE)
            head[best] = head[--heads];
    }
    return NULL;
}
