// SPDX-License-Identifier: BSD-3-Clause
// Who gets in, before anything is parsed or allocated: how much a peer may send, how much strangers may, who is banned, who may
// connect. Knows no peers itself: the stack's user does. Loop's thread.
#pragma once

#include "common/config/config.h"
#include "control/base/log.h"
#include "control/base/sources.h"

// What is not let in: label, sentence.
#define SIP_GATE_DROPS(X)                                                                                    \
    X(peer_rate, "messages of a peer over peer_messages_per_s")                                              \
    X(stranger, "messages of strangers on a listener that drops them")                                       \
    X(stranger_rate, "messages of a stranger over stranger_messages_per_s")                                  \
    X(strangers_rate, "messages of all strangers over strangers_messages_per_s")                             \
    X(banned, "messages and connections of who is banned")                                                   \
    X(connection_stranger, "connections of strangers on a listener that drops them")                         \
    X(connection_full, "connections beyond what there is room for, or what one address may have")

enum sip_gate_drop {
#define X(name, text) SIP_GATE_##name,
    SIP_GATE_DROPS(X)
#undef X
        SIP_GATE_DROP_COUNT,
    SIP_GATE_OPEN = SIP_GATE_DROP_COUNT
};

const char *sip_gate_label(enum sip_gate_drop drop);

struct sip_gate {
    const struct tl_control_config *config;
    bool (*is_peer)(void *arg, const struct tl_addr *source); // NULL: everybody is
    void *arg;
    struct sources peers, strangers;
    struct sources friends; // whom we have asked something; seen when we last did. Only we put somebody in
    struct bucket all_strangers;
    uint64_t drops[SIP_GATE_DROP_COUNT];
    uint64_t bans;
    struct log_limit ban_limit;
};

// Makes the tables: a megabyte, whatever comes. 0, -ENOMEM or -EIO (no random numbers); fini is safe on a zeroed one.
int sip_gate_init(struct sip_gate *gate, const struct tl_control_config *config,
                  bool (*is_peer)(void *arg, const struct tl_addr *source), void *arg);
void sip_gate_fini(struct sip_gate *gate);

bool sip_gate_is_peer(const struct sip_gate *gate, const struct tl_addr *source);

// Whether a message that came to the listener is taken at `now_ms`: SIP_GATE_OPEN, or why not, counted.
enum sip_gate_drop sip_gate_message(struct sip_gate *gate, const struct tl_listener_config *listener,
                                    const struct tl_addr *source, uint64_t now_ms);

// Whether a connection is, of who has `own` already while all have `accepted` of `room`, strangers `strangers` of these.
struct sip_gate_room {
    uint32_t own, accepted, strangers, room;
};
enum sip_gate_drop sip_gate_connection(struct sip_gate *gate, const struct tl_listener_config *listener,
                                       const struct tl_addr *source, const struct sip_gate_room *room,
                                       uint64_t now_ms);

// A request of ours leaves to that address: what it says for a while is not a stranger's.
void sip_gate_asked(struct sip_gate *gate, const struct tl_addr *dest, uint64_t now_ms);

// Ends a ban. False: there is none.
bool sip_gate_unban(struct sip_gate *gate, const struct tl_addr *source, uint64_t now_ms);
