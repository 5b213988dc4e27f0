// SPDX-License-Identifier: BSD-3-Clause
// A target: an address of a trunk's peer that requests go to, and how it does. A trunk has one or several, tried by health, then
// by priority, of equal ones by weight (RFC 2782). Pure state: time is a parameter (milliseconds of any steady clock). One
// thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config/config.h"

#define TRUNK_NEVER UINT64_MAX

enum {
    TRUNK_TARGETS_MAX = 16, // of a trunk
    TRUNK_TRIED_MAX = 8,    // of them, by one request
    TRUNK_REST_MAX_S = 300,
};

enum trunk_change { TRUNK_SAME, TRUNK_WENT_UP, TRUNK_WENT_DOWN };

// What a request needs of the way to its target.
enum trunk_need {
    TRUNK_ANY_WAY,
    TRUNK_SECURE_WAY, // TLS: it is of a sips: call (RFC 5630 section 5.3)
};

// How a trunk or target is tried among others.
enum trunk_rank {
    TRUNK_GOOD,
    TRUNK_FAILING, // it fails calls: behind the good ones
    TRUNK_DOWN,    // behind these
    TRUNK_RESTING, // not at all
};

struct target_counters {
    uint64_t attempts;    // INVITEs for a call, without repetitions
    uint64_t answered;    // of these: 2xx
    uint64_t failed;      // of these: every other end
    uint64_t no_response; // of the failed: no answer at all, or the transport failed
    uint64_t options_sent, options_failed;
};

struct trunk_target {
    struct tl_addr addr;    // with port
    uint32_t listener;      // index: requests leave there
    bool secure;            // ... over TLS
    uint32_t id;            // from 1; never another target's of this trunk
    uint32_t priority;      // lower ones first
    uint32_t tier;          // likewise among those of one priority: what a name says of its targets
    uint32_t weight;        // share among those of one priority; 0: hardly any
    int32_t turn;           // what it has gathered of its weight since it was chosen
    bool down;              // OPTIONS, too many in a row, say so
    bool asking;            // an OPTIONS of ours has no result yet
    bool checked;           // it has answered, or has not, since it is here
    uint32_t failures;      // of OPTIONS, in a row
    uint32_t failed_calls;  // in a row that went on to the next target or trunk
    uint64_t due_ms;        // when the next OPTIONS leaves, TRUNK_NEVER without keep-alive
    uint64_t changed_ms;    // when `down` changed last, or it came
    uint64_t last_until_ms; // behind the others, because calls fail
    uint64_t rest_until_ms; // asked to be left alone: Retry-After
    struct target_counters counters;
};

// What the configuration or a name says of one.
struct target_place {
    struct tl_addr addr;
    uint32_t listener;
    uint32_t priority, tier, weight;
};

bool target_is_at(const struct trunk_target *target, const struct tl_addr *addr, uint32_t listener);

// Whether an answer shows that somebody is there: any but 408 and 503, and 0, which is none.
bool target_shows_life(unsigned status);

// Keep-alive with `config` (options_interval_s, options_failures). Each OPTIONS has one result: its final status or 0.
void target_options_sent(struct trunk_target *target, const struct tl_trunk_config *config, uint64_t now_ms);
enum trunk_change target_options_result(struct trunk_target *target, const struct tl_trunk_config *config,
                                        unsigned status, uint64_t now_ms);

// It has answered something.
enum trunk_change target_alive(struct trunk_target *target, uint64_t now_ms);

enum trunk_rank target_rank(const struct trunk_target *target, uint64_t now_ms);
// Its word for people: "good", "failing", "down" or "resting".
const char *target_rank_word(enum trunk_rank rank);

// The one to try next of `count`: those with an id in tried[] are passed over, the best rank counts, then the lowest priority,
// then whose turn it is by weight; a turn is taken when nothing was tried and not `dry`. One that rests is chosen only where
// nothing was tried and all rest. One that has not what is needed is passed over. NULL: none is left.
struct trunk_target *target_pick(struct trunk_target *targets, size_t count, enum trunk_need need,
                                 const uint32_t *tried, size_t tried_count, uint64_t now_ms, bool dry);
