// SPDX-License-Identifier: BSD-3-Clause
#include "control/sip/gate.h"

#include <errno.h>
#include <unistd.h>

#include "common/addr.h"
#include "control/base/log.h"

enum {
    PEERS = 4096, // places; more peers than that share them
    STRANGERS = 8192,
    FRIENDS = 1024, // whom we have asked something
    BURST = 5,      // of a peer's second, what may come at once: control may have been kept from running
};

static const char *const labels[SIP_GATE_DROP_COUNT] = {
#define X(name, text) #name,
    SIP_GATE_DROPS(X)
#undef X
};

const char *sip_gate_label(enum sip_gate_drop drop)
{
    return drop < SIP_GATE_DROP_COUNT ? labels[drop] : "open";
}

int sip_gate_init(struct sip_gate *gate, const struct tl_control_config *config,
                  bool (*is_peer)(void *arg, const struct tl_addr *source), void *arg)
{
    uint8_t key[16];
    *gate = (struct sip_gate){.config = config, .is_peer = is_peer, .arg = arg};
    if (getentropy(key, sizeof key) != 0)
        return -EIO;
    int rc = sources_init(&gate->peers, PEERS, key);
    if (!rc)
        rc = sources_init(&gate->strangers, STRANGERS, key);
    return rc ? rc : sources_init(&gate->friends, FRIENDS, key);
}

void sip_gate_fini(struct sip_gate *gate)
{
    sources_fini(&gate->peers);
    sources_fini(&gate->strangers);
    sources_fini(&gate->friends);
}

bool sip_gate_is_peer(const struct sip_gate *gate, const struct tl_addr *source)
{
    return !gate->is_peer || gate->is_peer(gate->arg, source);
}

static enum sip_gate_drop drop(struct sip_gate *gate, enum sip_gate_drop why)
{
    gate->drops[why]++;
    return why;
}

static enum sip_gate_drop take_of_peer(struct sip_gate *gate, struct source *place, uint64_t now_ms)
{
    uint32_t per_s = gate->config->peer_messages_per_s;
    if (!per_s || !place || bucket_take(&place->bucket, now_ms * 1000, per_s, per_s / BURST + 1, 1))
        return SIP_GATE_OPEN;
    return drop(gate, SIP_GATE_peer_rate);
}

static void strike(struct sip_gate *gate, struct source *place, uint64_t now_ms)
{
    const struct tl_control_config *c = gate->config;
    if (!source_strike(place, c->ban_strikes, c->ban_s * UINT64_C(1000), now_ms))
        return;
    uint64_t unsaid;
    char text[SOURCE_TEXT];
    gate->bans++;
    // who forges addresses bans as many as strangers may send messages
    if (!log_allow(&gate->ban_limit, now_ms, &unsaid))
        return;
    if (unsaid)
        log_line(LOG_NOTICE, "%llu more addresses were banned before this one", (unsigned long long)unsaid);
    log_line(LOG_NOTICE, "%s is banned for %u s: %u messages more than a stranger may send",
             source_text(place, text), c->ban_s, c->ban_strikes);
}

static enum sip_gate_drop take_of_stranger(struct sip_gate *gate, struct source *place, uint64_t now_ms)
{
    const struct tl_control_config *c = gate->config;
    uint32_t own = c->stranger_messages_per_s, all = c->strangers_messages_per_s;
    if (place && !bucket_take(&place->bucket, now_ms * 1000, own, own, 1)) {
        strike(gate, place, now_ms);
        return drop(gate, SIP_GATE_stranger_rate);
    }
    if (!bucket_take(&gate->all_strangers, now_ms * 1000, all, all, 1))
        return drop(gate, SIP_GATE_strangers_rate);
    return SIP_GATE_OPEN;
}

enum sip_gate_drop sip_gate_message(struct sip_gate *gate, const struct tl_listener_config *listener,
                                    const struct tl_addr *source, uint64_t now_ms)
{
    if (sip_gate_is_peer(gate, source))
        return take_of_peer(gate, sources_get(&gate->peers, source, now_ms), now_ms);
    struct source *friend = sources_find(&gate->friends, source);
    if (friend && now_ms < friend->seen_ms + 128 * (uint64_t)gate->config->t1_ms)
        return take_of_peer(gate, friend, now_ms);
    if (listener->strangers == TL_STRANGERS_DROP)
        return drop(gate, SIP_GATE_stranger);
    struct source *place = sources_get(&gate->strangers, source, now_ms);
    if (place && source_is_banned(place, now_ms)) {
        place->dropped++;
        return drop(gate, SIP_GATE_banned);
    }
    return take_of_stranger(gate, place, now_ms);
}

// A quarter of the places is for connections that we make, and of the rest an eighth for strangers.
enum sip_gate_drop sip_gate_connection(struct sip_gate *gate, const struct tl_listener_config *listener,
                                       const struct tl_addr *source, const struct sip_gate_room *room,
                                       uint64_t now_ms)
{
    uint32_t accepted = room->room - room->room / 4, strangers = accepted / 8;
    if (sip_gate_is_peer(gate, source))
        return room->accepted >= accepted || room->own >= accepted / 2 ? drop(gate, SIP_GATE_connection_full)
                                                                       : SIP_GATE_OPEN;
    if (listener->strangers == TL_STRANGERS_DROP)
        return drop(gate, SIP_GATE_connection_stranger);
    const struct source *place = sources_find(&gate->strangers, source);
    if (place && source_is_banned(place, now_ms))
        return drop(gate, SIP_GATE_banned);
    return room->accepted >= accepted || room->strangers >= strangers || room->own >= strangers / 8
               ? drop(gate, SIP_GATE_connection_full)
               : SIP_GATE_OPEN;
}

void sip_gate_asked(struct sip_gate *gate, const struct tl_addr *dest, uint64_t now_ms)
{
    if (!sip_gate_is_peer(gate, dest))
        sources_get(&gate->friends, dest, now_ms);
}

bool sip_gate_unban(struct sip_gate *gate, const struct tl_addr *source, uint64_t now_ms)
{
    struct source *place = sources_find(&gate->strangers, source);
    if (!place || !source_is_banned(place, now_ms))
        return false;
    place->banned_ms = 0;
    place->strikes = 0;
    return true;
}
