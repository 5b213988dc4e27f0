// SPDX-License-Identifier: BSD-3-Clause
// A trunk at run time: whether its peer is there, and what was counted. It is known by its name and lives on over
// the generations of the configuration (generation.h). Pure state: time is a parameter (milliseconds of any steady
// clock), nothing here sends. One thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/config/config.h"
#include "control/trunk/limits.h"
#include "control/trunk/names.h"
#include "control/trunk/target.h"

enum { TRUNK_RECORD = 2 };

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
    uint32_t index;    // there
    unsigned holders;  // generations that have it; generation.c
    bool secure;       // its own listener has TLS
    bool unregistered; // it is to be used only while registered, and is not
    struct trunk_target targets[TRUNK_TARGETS_MAX];
    uint32_t target_count; // 0: its peer only sends us requests
    bool unresolved;       // ... or it has names that stand for nothing now
    // What the names of its peers stand for, hosts that only send us requests too: those that are in the current sources.
    struct target_place resolved[TRUNK_TARGETS_MAX];
    uint32_t resolved_count;
    enum name_state name_state[TL_PEERS_MAX]; // of each peer with a name
    uint32_t target_ids;                      // that were given
    // what follows from them
    bool down;         // all of them are
    bool checked;      // one of them is
    uint32_t failures; // of OPTIONS in a row, of the one that has least
    uint64_t due_ms;   // when the next OPTIONS leaves; TRUNK_NEVER: none does, or all wait for their results
    uint64_t changed_ms;    // when `down` changed last, or the start
    uint64_t rest_until_ms; // all of them rest till then
    uint32_t failed_calls;  // in a row that led to the next trunk
    uint64_t last_until_ms; // tried last, because calls fail
    struct trunk_counters counters;
    struct trunk_use use;
};

enum trunk_rank trunk_rank(const struct trunk *trunk, uint64_t now_ms);

// "unresolved": no name of its peer stands for an address. "down": OPTIONS says so. "unchecked": neither OPTIONS nor a call has shown yet whether the peer is there. Else "up".
const char *trunk_state_word(const struct trunk *trunk);

// The trunk has these settings from now on, as number `index` of a new generation. Counters stay, and so does the health of
// targets that it had before; a new one begins anew. `names`: what its peers' names stand for, NULL: nothing.
void trunk_configure(struct trunk *trunk, const struct tl_config *config, uint32_t index, struct names *names,
                     uint64_t now_ms);

// Looks up once more what its peers' names stand for. Returns whether it has other targets or sources than before.
bool trunk_resolve(struct trunk *trunk, const struct tl_config *config, struct names *names, uint64_t now_ms);

// The host of the peer as the configuration says it, by name or address: that of the first one that requests go to.
const char *trunk_host(const struct tl_trunk_config *config, char room[static TL_HOST_MAX]);

// The target with that id, or the one at an address; NULL: it is not there any more.
struct trunk_target *trunk_target(struct trunk *trunk, uint32_t id);
struct trunk_target *trunk_target_at(struct trunk *trunk, const struct tl_addr *addr, uint32_t listener);

// The target for a request that was sent to `tried` (ids) in vain; as target_pick().
struct trunk_target *trunk_pick(struct trunk *trunk, enum trunk_need need, const uint32_t *tried,
                                size_t count, uint64_t now_ms);
// How good that one would be; TRUNK_RESTING: there is none.
enum trunk_rank trunk_pick_rank(struct trunk *trunk, enum trunk_need need, const uint32_t *tried,
                                size_t count, uint64_t now_ms);

// Whether it can have a target that is what a request needs: it has one, or its names stand for nothing yet and could.
bool trunk_meets(const struct trunk *trunk, enum trunk_need need);

// Writes the trunk's name and health as a section "trunk" of a record. Counters begin anew with their process.
struct record;
struct record_writer;
void trunk_save(struct record_writer *w, const struct trunk *trunk, uint64_t now_ms);
// Gives the targets the health that the sections "target" of such a record say, by address; `for_ms`: since when the trunk is as
// it is. False: something is missing or cannot be, and nothing has changed.
bool trunk_load_health(struct trunk *trunk, const struct record *in, uint64_t for_ms, uint64_t now_ms);

// ---- keep-alive

// A target of the trunk whose OPTIONS is due, or NULL.
struct trunk_target *trunk_target_due(struct trunk *trunk, uint64_t now_ms);

// An OPTIONS leaves to the target. Exactly one trunk_options_result() has to follow, unless the target goes.
void trunk_options_sent(struct trunk *trunk, struct trunk_target *target, uint64_t now_ms);

// What came of it: the final status (100..699), or 0 when there was none (Timer F, transport failed). Any
// answer but 408 and 503 shows that the peer is there. Returns what changed of the trunk, *of_target of the target.
enum trunk_change trunk_options_result(struct trunk *trunk, struct trunk_target *target, unsigned status,
                                       uint64_t now_ms, enum trunk_change *of_target);

// ---- calls

// An INVITE of ours leaves to the target.
void trunk_attempt(struct trunk *trunk, struct trunk_target *target);

// How an attempt ended: final status, or 0 for no answer at all. An answer that shows life makes a target that
// was down count as up. `config`: the settings that the call has of the trunk; `more`: its next target is tried, so that the
// trunk has not failed yet. Target: NULL: it is not there any more. Returns what changed of the trunk; *now_last: it is tried last
// from now on.
enum trunk_change trunk_attempt_result(struct trunk *trunk, struct trunk_target *target,
                                       const struct tl_trunk_config *config, unsigned status, bool more,
                                       uint64_t now_ms, bool *now_last);

// The target asks to be left alone for so many seconds (RFC 3261 20.33, 21.5.4); TRUNK_REST_MAX_S count at most. The trunk
// rests when all its targets do. NULL: the trunk itself.
void trunk_rest(struct trunk *trunk, struct trunk_target *target, uint32_t seconds, uint64_t now_ms);
