// SPDX-License-Identifier: BSD-3-Clause
// The back-to-back user agent: takes what the SIP stack and the dataplane say to the calls, and carries out
// what the calls decide. Owns the calls, the trunks' state and the dataplane's client. One loop.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/config/config.h"
#include "control/base/loop.h"
#include "control/call/call.h"
#include "control/media/media.h"
#include "control/sip/sip.h"
#include "control/trunk/generation.h"

struct agent;

struct agent_counters {
    uint64_t calls;              // INVITEs that became a call
    uint64_t answered;           // of these: A got a 2xx
    uint64_t turned_away;        // INVITEs answered at once: 403, 404, 415, 483, 503
    uint64_t over_limit;         // of these: a limit of control or of a trunk
    uint64_t media_away;         // of these: no dataplane
    uint64_t bad_extension;      // requests that require what we do not have: 420
    uint64_t extension_required; // INVITEs without what their trunk requires: 421
    uint64_t strangers;          // requests inside a dialog that did not come from its peer: 403
    uint64_t sips_in_clear;      // requests to a sips: URI that did not come over TLS: 480
    uint64_t sips_refused;       // sips: INVITEs that no trunk with TLS was there for: 480
    uint64_t dead;               // calls that were ended because a leg sent no media
    uint64_t refreshes;          // session refreshes that we sent
    uint64_t expired;            // calls that ended because a session timer did
    uint64_t busy;               // times that trunks were held to a pace
    uint32_t active, active_most;
    struct sdp_counters sdp; // what was read of SDPs, and what was dropped of them
};

// Starts on the loop: sockets, the dataplane's client, keep-alives. `config` must outlive it. Returns 0 and
// *out, or -errno and a sentence in `why`.
int agent_new(struct loop *loop, const struct tl_config *config, struct agent **out, char *why,
              size_t why_size);

// What an agent stands on in place of sockets, for tests. All of it outlives the agent.
struct sip_io;
struct agent_parts {
    const struct sip_io *sip_io; // sends; the messages that come go to sip_core_receive() of agent_stack()
    void *sip_io_arg;
};

// agent_new() over `parts`; NULL: the real thing.
int agent_new_over(struct loop *loop, const struct tl_config *config, const struct agent_parts *parts,
                   struct agent **out, char *why, size_t why_size);

// New calls begin with `config` from now on, which is taken over; those that there are go on with the one that they have.
// Trunks keep their state by name. Listeners, realms and the dataplane have to be those of the configuration
// that the agent was made with. 0; -ENOMEM: nothing has changed, and `config` is still the caller's.
int agent_reload(struct agent *agent, struct tl_config *config);

// Reads the file and makes it what new calls begin with, as agent_reload() does; `dry_run`: only looks what that would do.
// Whole or not at all: what is wrong, and what only a restart can change, is refused with its place. Tells `fn` of each
// difference, *count says how many; without one only the passwords are read anew, as always. 0; -EINVAL, -ENOMEM, or -errno of reading it or a password, with a sentence in
// `why`. The log has all of it but a dry run.
int agent_reload_file(struct agent *agent, const char *file, bool dry_run,
                      void (*fn)(void *arg, const struct tl_config_change *change), void *arg,
                      unsigned *count, char *why, size_t why_size);

// The file that the configuration was read from, which has to outlive the agent; NULL, as at first: none.
void agent_set_file(struct agent *agent, const char *file);
const char *agent_file(const struct agent *agent);

// Takes back all registrations, then calls `done` from the loop, or at once when there are none: 2 s later at the latest.
// agent_free() comes after it.
void agent_leave(struct agent *agent, void (*done)(void *arg), void *arg);

// What can be told of a registration.
struct registration;
struct agent_registration_info {
    const char *aor;     // "sip:USER@DOMAIN"
    const char *contact; // user part
    const struct registration *state;
    const char *why; // it failed last, "": it did not
    unsigned service_routes;
    uint64_t now_ms; // on the clock of `state`
};

// Tells `fn` of each registration at that trunk, in the order of the configuration.
void agent_each_registration(const struct agent *agent, const char *trunk,
                             void (*fn)(void *arg, const struct agent_registration_info *info), void *arg);

// Writes all registrations as sections "registration", by the names of their trunks; reads them back from the section `in`,
// where `away_ms` have passed since: what holds yet is used at once and renewed in its time. Those that the configuration
// lacks are left out. 0, or -EINVAL when one was malformed: it begins anew.
struct record;
struct record_writer;
void agent_registers_save(const struct agent *agent, struct record_writer *w);
int agent_registers_load(struct agent *agent, const struct record *in, uint64_t away_ms);

// Ends without a BYE to anybody: the dataplane keeps the media of the calls. NULL is ignored.
void agent_free(struct agent *agent);

uint64_t agent_now_ms(const struct agent *agent); // the clock of its trunks
uint64_t agent_uptime_s(const struct agent *agent);
const struct agent_counters *agent_counters(const struct agent *agent);
// The configuration that new calls begin with.
const struct tl_config *agent_config(const struct agent *agent);
const struct trunk_table *agent_trunks(const struct agent *agent);
const struct media *agent_media(const struct agent *agent);
const struct sip_stack *agent_stack(const struct agent *agent);
struct sip_gate *agent_gate(const struct agent *agent);

// What can be told of a call.
struct agent_call_info {
    uint64_t id; // counts calls since the start
    char calling[SIP_NUMBER_MAX], called[SIP_NUMBER_MAX];
    const struct tl_trunk_config *trunk[2]; // the callee's is the one being tried
    const char *state;
    const char *sip_call_id[2];         // "" before there is one
    uint64_t age_ms;                    // since the INVITE
    uint64_t talk_ms;                   // since our 2xx, 0: not answered
    char codec[40];                     // "" before the answer
    bool held;                          // media stops in a direction
    struct tl_addr peer[2];             // where its SIP goes; unset: nowhere yet
    struct tl_addr local[2], remote[2]; // media
    enum tl_suite suite[2];
    const struct neg_leg *neg[2];     // what was negotiated so far; the call's, until the loop goes on
    const struct refresh *refresh[2]; // likewise
    uint64_t call_ref;
    struct tl_handle handle; // in the live table; zeros: none
};

// Tells `fn` of each call, oldest last, until it returns false.
void agent_each_call(const struct agent *agent, bool (*fn)(void *arg, const struct agent_call_info *info),
                     void *arg);

// Tells of one call. Returns false when there is none.
bool agent_find_call(const struct agent *agent, uint64_t id, struct agent_call_info *out);

// Ends a call with BYE to both sides. 0 or -ENOENT.
int agent_hang_up(struct agent *agent, uint64_t id);

// Ends the calls that `wanted` says true of, the newest first, of those with ids below `below` (0: of all). Not asked
// about are calls that end already. Asks about `limit` calls at most, so that the loop's turn stays short: *next is the
// `below` to go on with, 0 when there is no call left. Returns how many it ended.
size_t agent_hang_up_where(struct agent *agent, uint64_t below, size_t limit,
                           bool (*wanted)(void *arg, const struct agent_call_info *info), void *arg,
                           uint64_t *next);
