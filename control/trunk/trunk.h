// SPDX-License-Identifier: BSD-3-Clause
// A trunk at run time: whether its peer is there, and what was counted. It is known by its name and lives on over
// the generations of the configuration (generation.h). Pure state: time is a parameter (milliseconds of any steady
// clock), nothing here sends. One thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/config/config.h"
#include "control/trunk/limits.h"

#define TRUNK_NEVER UINT64_MAX

enum { TRUNK_RECORD = 1 };
enum trunk_change { TRUNK_SAME, TRUNK_WENT_UP, TRUNK_WENT_DOWN };

struct trunk_counters {
    uint64_t attempts;    // INVITEs that we sent to the peer for a call, without repetitions
    uint64_t answered;    // of these: 2xx
    uint64_t failed;      // of these: every other end, our own CANCEL included
    uint64_t busy_503;    // of the failed: 503
    uint64_t no_response; // of the failed: no answer at all, or the transport failed
    uint64_t incoming;    // INVITEs of new calls that the peer sent to us
    uint64_t options_sent;
    uint64_t options_failed;
};

struct trunk {
    char name[TL_NAME_MAX]; // first: what trunks are found by
    uint32_t number;        // in all generations; never another trunk's
    // In the current generation; NULL: it is not there any more, and only calls of former ones have it. A call looks at the
    // settings of its own generation, never here.
    const struct tl_trunk_config *config;
    uint32_t index;   // there
    unsigned holders; // generations that have it; generation.c
    bool down;
    bool sends;             // its peer is one that requests of ours go to
    bool unregistered;      // it is to be used only while registered, and is not
    bool asking;            // an OPTIONS of ours has no result yet
    uint32_t failures;      // in a row
    uint64_t due_ms;        // when the next OPTIONS leaves, TRUNK_NEVER without keep-alive
    uint64_t changed_ms;    // when `down` changed last, or the start
    bool checked;           // the peer has answered, or has not, since it is this peer
    uint32_t failed_calls;  // in a row that led to the next trunk
    uint64_t last_until_ms; // tried last, because calls fail
    uint64_t rest_until_ms; // asked to be left alone: Retry-After
    struct trunk_counters counters;
    struct trunk_use use;
};

enum { TRUNK_REST_MAX_S = 300 };

// How a trunk is tried among others.
enum trunk_rank {
    TRUNK_GOOD,
    TRUNK_FAILING, // it fails calls: behind the good ones
    TRUNK_DOWN,    // behind these
    TRUNK_RESTING, // not at all
};
enum trunk_rank trunk_rank(const struct trunk *trunk, uint64_t now_ms);

// "down": OPTIONS says so. "unchecked": neither OPTIONS nor a call has shown yet whether the peer is there. Else "up".
const char *trunk_state_word(const struct trunk *trunk);

// The trunk has these settings from now on, as number `index` of a new generation. Health and counters stay; where the peer or
// the listener is another one, the health begins anew: what was known was of the former peer.
void trunk_configure(struct trunk *trunk, const struct tl_trunk_config *config, uint32_t index,
                     uint64_t now_ms);

// Where requests to its peer go, and from which listener (index). False: it is one that only sends us some.
bool trunk_to(const struct tl_trunk_config *config, struct tl_addr *to, uint32_t *listener);

// Writes the trunk's name and health as a section "trunk" of a record. Counters begin anew with their process.
struct record;
struct record_writer;
void trunk_save(struct record_writer *w, const struct trunk *trunk, uint64_t now_ms);

// ---- keep-alive

// An OPTIONS leaves. Exactly one trunk_options_result() has to follow, unless trunk_configure() has set `asking` back.
void trunk_options_sent(struct trunk *trunk, uint64_t now_ms);

// What came of it: the final status (100..699), or 0 when there was none (Timer F, transport failed). Any
// answer but 408 and 503 shows that the peer is there.
enum trunk_change trunk_options_result(struct trunk *trunk, unsigned status, uint64_t now_ms);

// ---- calls

// An INVITE of ours leaves to the trunk.
void trunk_attempt(struct trunk *trunk);

// How an attempt ended: final status, or 0 for no answer at all. An answer that shows life makes a trunk that
// was down count as up. `config`: the settings that the call has of it. Returns what changed; *now_last: it is tried last from
// now on.
enum trunk_change trunk_attempt_result(struct trunk *trunk, const struct tl_trunk_config *config,
                                       unsigned status, uint64_t now_ms, bool *now_last);

// The peer asks to be left alone for so many seconds (RFC 3261 20.33, 21.5.4); TRUNK_REST_MAX_S count at most.
void trunk_rest(struct trunk *trunk, uint32_t seconds, uint64_t now_ms);
