// SPDX-License-Identifier: BSD-3-Clause
#include "control/trunk/target.h"

#include "common/addr.h"

enum { PAUSE_MS = 1000 }; // at least, between a result and the next OPTIONS

bool target_is_at(const struct trunk_target *target, const struct tl_addr *addr, uint32_t listener)
{
    return target->listener == listener && tl_addr_equal(&target->addr, addr);
}

bool target_shows_life(unsigned status)
{
    return status >= 100 && status != 408 && status != 503;
}

// ---- keep-alive

void target_options_sent(struct trunk_target *target, const struct tl_trunk_config *config, uint64_t now_ms)
{
    target->asking = true;
    target->due_ms = now_ms + config->options_interval_s * UINT64_C(1000);
    target->counters.options_sent++;
}

enum trunk_change target_alive(struct trunk_target *target, uint64_t now_ms)
{
    target->failures = 0;
    target->checked = true;
    if (!target->down)
        return TRUNK_SAME;
    target->down = false;
    target->changed_ms = now_ms;
    return TRUNK_WENT_UP;
}

enum trunk_change target_options_result(struct trunk_target *target, const struct tl_trunk_config *config,
                                        unsigned status, uint64_t now_ms)
{
    target->asking = false;
    if (!config->options_interval_s)
        return TRUNK_SAME; // they ended while it was out: nothing would take the target up again
    if (target->due_ms < now_ms + PAUSE_MS)
        target->due_ms = now_ms + PAUSE_MS; // the result took longer than the interval
    if (target_shows_life(status))
        return target_alive(target, now_ms);
    target->counters.options_failed++;
    target->checked = true;
    if (target->failures < config->options_failures)
        target->failures++;
    if (target->down || target->failures < config->options_failures)
        return TRUNK_SAME;
    target->down = true;
    target->changed_ms = now_ms;
    return TRUNK_WENT_DOWN;
}

// ---- which to try

const char *target_rank_word(enum trunk_rank rank)
{
    static const char *const words[] = {[TRUNK_GOOD] = "good",
                                        [TRUNK_FAILING] = "failing",
                                        [TRUNK_DOWN] = "down",
                                        [TRUNK_RESTING] = "resting"};
    return words[rank];
}

enum trunk_rank target_rank(const struct trunk_target *target, uint64_t now_ms)
{
    if (now_ms < target->rest_until_ms)
        return TRUNK_RESTING;
    if (target->down)
        return TRUNK_DOWN;
    return now_ms < target->last_until_ms ? TRUNK_FAILING : TRUNK_GOOD;
}

// Whether it is none to choose: tried, or not what is needed.
static bool is_out(const struct trunk_target *target, enum trunk_need need, const uint32_t *tried,
                   size_t count)
{
    if (need == TRUNK_SECURE_WAY && !target->secure)
        return true;
    for (size_t i = 0; i < count; i++)
        if (tried[i] == target->id)
            return true;
    return false;
}

// Below 0 where `a` comes before `b`; 0: weights decide.
static int compare(const struct trunk_target *a, const struct trunk_target *b, uint64_t now_ms)
{
    int order = (int)target_rank(a, now_ms) - (int)target_rank(b, now_ms);

    if (order || (a->priority == b->priority && a->tier == b->tier))
        return order;
    return a->priority < b->priority || (a->priority == b->priority && a->tier < b->tier) ? -1 : 1;
}

// Weight 0 among others is hardly ever chosen, RFC 2782; where all have it they are equal.
static int32_t weight_of(const struct trunk_target *target)
{
    enum { SCALE = 64 };
    return target->weight ? (int32_t)target->weight * SCALE : 1;
}

struct trunk_target *target_pick(struct trunk_target *targets, size_t count, enum trunk_need need,
                                 const uint32_t *tried, size_t tried_count, uint64_t now_ms, bool dry)
{
    const struct trunk_target *first = NULL;
    struct trunk_target *best = NULL;
    int32_t sum = 0;

    for (size_t i = 0; i < count; i++)
        if (!is_out(&targets[i], need, tried, tried_count) &&
            (!first || compare(&targets[i], first, now_ms) < 0))
            first = &targets[i];
    if (!first || (tried_count && target_rank(first, now_ms) == TRUNK_RESTING))
        return NULL;
    for (size_t i = 0; i < count; i++) {
        struct trunk_target *t = &targets[i];
        if (is_out(t, need, tried, tried_count) || compare(t, first, now_ms) != 0)
            continue;
        sum += weight_of(t);
        if (!best || t->turn + weight_of(t) > best->turn + weight_of(best))
            best = t;
    }
    if (!best || tried_count || dry)
        return best;
    for (size_t i = 0; i < count; i++)
        if (compare(&targets[i], first, now_ms) == 0)
            targets[i].turn += weight_of(&targets[i]);
    best->turn -= sum;
    return best;
}
