// SPDX-License-Identifier: BSD-3-Clause
// Trunks at run time: whose request it is, whether the peer is there, which trunk of a route to try,
// counters. Pure state: time is a parameter (milliseconds of any steady clock), nothing here sends. One
// thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/config/config.h"

#define TRUNK_NEVER UINT64_MAX

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
    uint32_t active; // calls that have a leg here now
};

struct trunk {
    const struct tl_trunk_config *config;
    uint32_t index; // in the configuration
    bool down;
    bool asking;         // an OPTIONS of ours has no result yet
    uint32_t failures;   // in a row
    uint64_t due_ms;     // when the next OPTIONS leaves, TRUNK_NEVER without keep-alive
    uint64_t changed_ms; // when `down` changed last, or the start
    struct trunk_counters counters;
};

struct trunk_table {
    const struct tl_config *config;
    struct trunk *trunks; // in the order of the configuration
    uint32_t count;
    uint32_t *by_peer; // indices, sorted by listener and peer
};

// Makes the state of all trunks: all count as up until OPTIONS says else. `config` must outlive the table.
// 0, or -ENOMEM; fini is safe on a zeroed table.
int trunk_table_init(struct trunk_table *table, const struct tl_config *config, uint64_t now_ms);
void trunk_table_fini(struct trunk_table *table);

// The trunk whose peer sent a request to `listener` (index) from `source`, or NULL: nobody we know, refuse
// it. The address has to be the peer's. The port decides only between trunks that share it: over UDP the
// source's, then, on any transport, `sent_by_port`, the port in the request's topmost Via (0: none, which
// means 5060). If neither names one of several trunks it is NULL, too.
struct trunk *trunk_identify(struct trunk_table *table, uint32_t listener, const struct tl_addr *source,
                             uint16_t sent_by_port);

// Trunks to try for a call, in order: those of the route that are up, or, when all are down, all of them.
// Writes indices to `out` and returns how many, at least 1.
unsigned trunk_plan(const struct trunk_table *table, const struct tl_route_config *route,
                    uint32_t out[TL_ROUTE_TRUNKS_MAX]);

// ---- keep-alive

// When the next OPTIONS of all trunks is due; TRUNK_NEVER if none is.
uint64_t trunk_table_due(const struct trunk_table *table);

// A trunk whose OPTIONS is due at now_ms, or NULL. Call it until NULL, with trunk_options_sent() after each.
struct trunk *trunk_due(struct trunk_table *table, uint64_t now_ms);

// An OPTIONS leaves. Exactly one trunk_options_result() has to follow.
void trunk_options_sent(struct trunk *trunk, uint64_t now_ms);

// What came of it: the final status (100..699), or 0 when there was none (Timer F, transport failed). Any
// answer but 408 and 503 shows that the peer is there.
enum trunk_change trunk_options_result(struct trunk *trunk, unsigned status, uint64_t now_ms);

// ---- calls

// An INVITE of ours leaves to the trunk.
void trunk_attempt(struct trunk *trunk);

// How an attempt ended: final status, or 0 for no answer at all. An answer that shows life makes a trunk that
// was down count as up.
enum trunk_change trunk_attempt_result(struct trunk *trunk, unsigned status, uint64_t now_ms);

// A leg of a call begins and ends at this trunk, whoever called.
void trunk_leg_begins(struct trunk *trunk);
void trunk_leg_ends(struct trunk *trunk);
