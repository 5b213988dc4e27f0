// SPDX-License-Identifier: BSD-3-Clause
#include "control/trunk/trunk.h"

#include <string.h>

#include "common/addr.h"
#include "control/base/record.h"

enum {
    SPREAD_MS = 10, // between the first OPTIONS of two trunks, so that a thousand do not leave at once
    PAUSE_MS = 1000 // at least, between a result and the next OPTIONS
};

// ---- settings

bool trunk_to(const struct tl_trunk_config *config, struct tl_addr *to, uint32_t *listener)
{
    struct tl_peer_config peer;

    for (uint32_t i = 0; tl_trunk_peer(config, i, &peer); i++)
        if (peer.send) {
            *to = peer.address;
            *listener = peer.listener;
            return true;
        }
    return false;
}

static bool same_peer(const struct tl_trunk_config *a, const struct tl_trunk_config *b)
{
    struct tl_addr to, other;
    uint32_t over, over_other;
    bool sends = trunk_to(a, &to, &over);

    return sends == trunk_to(b, &other, &over_other) &&
           (!sends || (over == over_other && tl_addr_equal(&to, &other)));
}

void trunk_configure(struct trunk *trunk, const struct tl_trunk_config *config, uint32_t index,
                     uint64_t now_ms)
{
    uint64_t first_ms = now_ms + (uint64_t)index * SPREAD_MS,
             next_ms = now_ms + config->options_interval_s * UINT64_C(1000);
    bool fresh = !trunk->config || !same_peer(trunk->config, config);
    struct tl_addr to;
    uint32_t listener;

    trunk->sends = trunk_to(config, &to, &listener);

    if (fresh) {
        trunk->asking = trunk->checked = false; // who is asked is not who is meant
        trunk->failed_calls = 0;
        trunk->last_until_ms = trunk->rest_until_ms = 0;
    }
    if (fresh || !config->options_interval_s) {
        trunk->failures = 0;
        if (trunk->down || !trunk->config)
            trunk->changed_ms = now_ms;
        trunk->down = false;
    }
    if (!config->options_interval_s || !trunk->sends)
        trunk->due_ms = TRUNK_NEVER;
    else if (fresh || trunk->due_ms == TRUNK_NEVER)
        trunk->due_ms = first_ms;
    else if (trunk->due_ms > next_ms)
        trunk->due_ms = next_ms;
    trunk->config = config;
    trunk->index = index;
}

void trunk_save(struct record_writer *w, const struct trunk *trunk, uint64_t now_ms)
{
    record_begin(w, "trunk", TRUNK_RECORD);
    record_put_text(w, "name", trunk->name);
    record_put_number(w, "down", trunk->down);
    record_put_number(w, "failures", trunk->failures);
    record_put_number(w, "for_ms", now_ms - trunk->changed_ms);
    record_end(w);
}

// ---- keep-alive

void trunk_options_sent(struct trunk *trunk, uint64_t now_ms)
{
    trunk->asking = true;
    trunk->due_ms = now_ms + trunk->config->options_interval_s * UINT64_C(1000);
    trunk->counters.options_sent++;
}

static bool shows_life(unsigned status)
{
    return status >= 100 && status != 408 && status != 503;
}

static enum trunk_change alive(struct trunk *trunk, uint64_t now_ms)
{
    trunk->failures = 0;
    trunk->checked = true;
    if (!trunk->down)
        return TRUNK_SAME;
    trunk->down = false;
    trunk->changed_ms = now_ms;
    return TRUNK_WENT_UP;
}

enum trunk_change trunk_options_result(struct trunk *trunk, unsigned status, uint64_t now_ms)
{
    trunk->asking = false;
    if (trunk->due_ms < now_ms + PAUSE_MS)
        trunk->due_ms = now_ms + PAUSE_MS; // the result took longer than the interval
    if (shows_life(status))
        return alive(trunk, now_ms);
    trunk->counters.options_failed++;
    trunk->checked = true;
    if (trunk->failures < trunk->config->options_failures)
        trunk->failures++;
    if (trunk->down || trunk->failures < trunk->config->options_failures)
        return TRUNK_SAME;
    trunk->down = true;
    trunk->changed_ms = now_ms;
    return TRUNK_WENT_DOWN;
}

// ---- calls

void trunk_attempt(struct trunk *trunk)
{
    trunk->counters.attempts++;
}

// Whether the trunk is tried last from now on. A 487 of ours says nothing for or against it.
static bool count_failure(struct trunk *trunk, const struct tl_trunk_config *config, unsigned status,
                          uint64_t now_ms)
{
    bool was = now_ms < trunk->last_until_ms;

    if (status == 487)
        return false;
    if (status && !tl_failover_has(&config->failover, status)) {
        trunk->failed_calls = 0;
        trunk->last_until_ms = 0;
        return false;
    }
    trunk->failed_calls++;
    if (!config->last_after_failures || trunk->failed_calls < config->last_after_failures)
        return false;
    trunk->last_until_ms = now_ms + config->last_for_s * UINT64_C(1000);
    return !was;
}

enum trunk_change trunk_attempt_result(struct trunk *trunk, const struct tl_trunk_config *config,
                                       unsigned status, uint64_t now_ms, bool *now_last)
{
    struct trunk_counters *c = &trunk->counters;

    if (status >= 200 && status < 300) {
        c->answered++;
    } else {
        c->failed++;
        c->busy_503 += status == 503;
        c->no_response += status == 0;
    }
    *now_last = count_failure(trunk, config, status, now_ms);
    return shows_life(status) ? alive(trunk, now_ms) : TRUNK_SAME;
}

void trunk_rest(struct trunk *trunk, uint32_t seconds, uint64_t now_ms)
{
    uint64_t until = now_ms + (seconds < TRUNK_REST_MAX_S ? seconds : TRUNK_REST_MAX_S) * UINT64_C(1000);

    if (until > trunk->rest_until_ms)
        trunk->rest_until_ms = until;
}

enum trunk_rank trunk_rank(const struct trunk *trunk, uint64_t now_ms)
{
    if (now_ms < trunk->rest_until_ms)
        return TRUNK_RESTING;
    if (trunk->down)
        return TRUNK_DOWN;
    return now_ms < trunk->last_until_ms ? TRUNK_FAILING : TRUNK_GOOD;
}

const char *trunk_state_word(const struct trunk *trunk)
{
    return trunk->down ? "down" : trunk->checked ? "up" : "unchecked";
}
