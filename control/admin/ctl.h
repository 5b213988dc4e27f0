// SPDX-License-Identifier: BSD-3-Clause
// The operator's socket: a Unix stream socket with one JSON object a line, asked by trunklinectl.
//
//   request   {"command": "status" | "calls" | "call" | "trunks" | "trunk" | "stats" | "hangup" | "reload" | "certificates" | "bans" | "unban" | "route_test", "id": any string or number}
//             "calls" takes "after" (number, default 0) and "limit" (1..CTL_PAGE_MAX, default CTL_PAGE_MAX)
//             "call" takes "call" (string)
//             "trunk" takes "trunk" (string)
//             "reload" takes "dry_run" (true or false, default false)
//             "hangup" takes one of "call" (string), "trunk" (string) and "all" (true), and "after" as "calls" does
//             "unban" takes "address" (string)
//             "route_test" takes "trunk", "from" and "to" (strings)
//   answer    {"id": as asked or null, "ok": true, "result": {...}}
//             {"id": as asked or null, "ok": false, "error": "one sentence"}
//
// A client is served one request at a time and not read while it has not taken its answer; what it may send,
// hold and leave waiting is bounded. All of it runs on the loop's thread.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/live.h"
#include "control/admin/route_test.h"
#include "control/trunk/generation.h"

enum {
    CTL_LINE_MAX = 4096, // bytes of a request
    CTL_PAGE_MAX = 500,  // calls in one answer
    CTL_HANGUP_MAX = 50, // calls that one request ends at most
};

struct event_base;
struct ctl;

// Which calls are to end: one, those that came by a trunk or went to it, or, with neither, all.
struct ctl_hangup {
    const char *call, *trunk; // NULL: not by that
    uint64_t after;           // as for `calls`
};

// Who knows the answers. Each returns a new value, which becomes the result, or NULL: `call` for a call that
// there is not, `hang_up` for a call or trunk that there is not, the others when memory is short. They must not
// block; `arg` is the one of ctl_open().
struct ctl_provider {
    // Any object; trunklinectl shows its members line by line.
    json_t *(*status)(void *arg);
    // {"calls": [{"id", "state", "from", "to", "from_trunk", "to_trunk", "seconds", "heard_a_s_ago",
    // "heard_b_s_ago"}, ...], "next": N or null}: at most `limit` calls behind the place `after`; 0 is the
    // beginning, `next` the place to go on from.
    json_t *(*calls)(void *arg, uint64_t after, unsigned limit);
    // {"id", "state", "from", "to", "seconds", "talked", "codec", "held", "audio", "session", "a": leg, "b": leg}
    // leg: {"trunk", "peer", "call_id", "local", "remote", "remote_rtcp", "direction", "srtp",
    //       "mki": null or {"in", "out"} octets, "payload_types": {codec: {"in", "out"}},
    //       "limits": {"packets_per_s", "octets_per_s", "burst_ms"}, "media": null or media}
    // media: {"rx_packets", ..., "lost", "reordered", "duplicates", "jitter_ms", "longest_gap_ms", "heard_s_ago",
    //         "dropped", "drops": [{"reason", "count", "text"}]}
    json_t *(*call)(void *arg, const char *id);
    // {"ended": number, "next": N or null}: as for `calls`.
    json_t *(*hang_up)(void *arg, const struct ctl_hangup *which);
    // What ctl_trunks() makes.
    json_t *(*trunks)(void *arg);
    // What ctl_trunk() makes; NULL for a trunk that there is not.
    json_t *(*trunk)(void *arg, const char *name);
    // What ctl_stats() makes, and "sdp": {"read", "refused", "drops": [{"reason", "count", "text"}]},
    // "names": [{"counter", "count", "text"}] of name servers' answers.
    json_t *(*stats)(void *arg);
    // {"applied": whether a new generation was made, "generation": number of the current one, "changes": [{"what": "added",
    // "changed" or "removed", "noun", "name", "key", "from", "to", "takes_effect"}]}; NULL with a sentence in `refused`.
    json_t *(*reload)(void *arg, bool dry_run, char *refused, size_t size);
    // {"certificates": what ctl_certificates() makes}
    json_t *(*certificates)(void *arg);
    // {"bans": [{"address", "seconds" (left), "dropped"}]}
    json_t *(*bans)(void *arg);
    // Ends the ban of an address. False: there is none.
    bool (*unban)(void *arg, const char *address);
    // What route_test_answer() makes; NULL with a sentence in `refused`.
    json_t *(*route_test)(void *arg, const struct route_test *ask, char *refused, size_t size);
};

struct ctl_limits {
    unsigned clients;   // at the same time; one more is told so and closed
    unsigned idle_ms;   // a client that asks nothing for so long is closed
    unsigned unread_ms; // and so is one that leaves an answer unread for so long
};

// Listens at `path`, mode 0600, after removing a socket that nobody listens on any more; makes the last
// folder of the path if it is missing. `limits` NULL: 16 clients, 60 s, 10 s. 0; -EADDRINUSE: another process
// listens there; -EEXIST: there is something that is no socket; -ENAMETOOLONG; else -errno of the system.
int ctl_open(struct ctl **out, struct event_base *base, const char *path, const struct ctl_provider *provider,
             void *arg, const struct ctl_limits *limits);

// Closes all clients and removes the socket, if it is still ours. NULL is ignored.
void ctl_close(struct ctl *ctl);

// ---- providers

// All trunks, with the state of their peers and their counters: {"trunks": [...]}. NULL without memory.
json_t *ctl_trunks(const struct trunk_table *table, uint64_t now_ms);

// One of them, all that is known: its object of the list and {"rank", "settings": {...}, "peers": [{"address", "transport",
// "send", "priority", "weight"}], "targets": [{"address", "transport", "listener", "priority", "weight", "state", "rank",
// "state_seconds", "last_seconds", "rest_seconds", "options_failures", "next_options_seconds", "counters": {...}}], "names":
// [{"name", "state": "asked", "found", "stale", "nothing" or "failed", "ttl_seconds", "addresses": [{"address", "transport", "order",
// "priority", "weight"}]}]}. NULL: there
// is none of that name.
json_t *ctl_trunk(const struct trunk_table *table, const char *name, uint64_t now_ms);

// The dataplane's counters: {"dataplane": {...}, "workers": [...], "total": {...}, "drops": [...],
// "unknown_ports": [{"realm", "address", "count"}]}; with `view` NULL, the dataplane having never been there,
// {"dataplane": null}. `config` names the realms. now_ns: CLOCK_MONOTONIC. NULL without memory.
json_t *ctl_stats(const struct tl_live_view *view, const struct tl_config *config, uint64_t now_ns);
