// SPDX-License-Identifier: BSD-3-Clause
// The addresses of a trunk's peer, and over which listeners it talks to us.
#include <string.h>

#include "common/addr.h"
#include "common/config/config.h"

static uint8_t all_bits(const struct tl_addr *addr)
{
    return addr->family == TL_AF_INET ? 32 : 128;
}

bool tl_trunk_peer(const struct tl_trunk_config *trunk, uint32_t i, struct tl_peer_config *out)
{
    if (trunk->peer_count) {
        if (i < trunk->peer_count)
            *out = trunk->peers[i];
        return i < trunk->peer_count;
    }
    *out = (struct tl_peer_config){.address = trunk->peer,
                                   .prefix_len = all_bits(&trunk->peer),
                                   .port = trunk->peer.port,
                                   .listener = trunk->listener,
                                   .send = true};
    return i == 0 && tl_addr_is_set(&trunk->peer);
}

uint32_t tl_listener_beside(const struct tl_config *config, uint32_t listener, enum tl_transport transport)
{
    const struct tl_addr *address = &config->listeners[listener].address;
    uint32_t found = TL_NO_INDEX;

    for (uint32_t i = 0; i < config->listener_count; i++) {
        const struct tl_listener_config *l = &config->listeners[i];
        if (l->transport != transport || !tl_addr_same_host(&l->address, address))
            continue;
        if (l->address.port == address->port)
            return i;
        if (found == TL_NO_INDEX)
            found = i;
    }
    return found;
}

static bool is_secure(const struct tl_config *config, uint32_t listener)
{
    return listener < config->listener_count &&
           tl_transport_row(config->listeners[listener].transport)->secure;
}

bool tl_trunk_is_secure(const struct tl_config *config, const struct tl_trunk_config *trunk)
{
    struct tl_peer_config peer;

    if (!is_secure(config, trunk->listener))
        return false;
    for (uint32_t i = 0; tl_trunk_peer(trunk, i, &peer); i++)
        if (!is_secure(config, peer.listener))
            return false;
    return true;
}

enum tl_trunk_over tl_peer_over(const struct tl_config *config, const struct tl_trunk_config *trunk,
                                const struct tl_peer_config *peer, uint32_t listener)
{
    const struct tl_tls_config *tls = &trunk->tls;
    bool secure = is_secure(config, listener);

    if (peer->listener == listener)
        return TL_OVER_OWN;
    if (!trunk->other_transports || trunk->listener >= config->listener_count ||
        (secure ? !tls->name_count && tls->verify == TL_TLS_VERIFY_REQUIRED
                : is_secure(config, peer->listener)))
        return TL_OVER_NOT;
    enum tl_transport transport = config->listeners[listener].transport;
    return listener == trunk->listener || tl_listener_beside(config, trunk->listener, transport) == listener
               ? TL_OVER_OTHER
               : TL_OVER_NOT;
}

enum tl_trunk_over tl_trunk_over(const struct tl_config *config, const struct tl_trunk_config *trunk,
                                 uint32_t listener)
{
    enum tl_trunk_over best = TL_OVER_NOT;
    struct tl_peer_config peer;

    for (uint32_t i = 0; best != TL_OVER_OWN && tl_trunk_peer(trunk, i, &peer); i++) {
        enum tl_trunk_over over = tl_peer_over(config, trunk, &peer, listener);
        if (over != TL_OVER_NOT)
            best = over;
    }
    return best;
}

uint32_t tl_trunk_tls_listener(const struct tl_config *config, const struct tl_trunk_config *trunk)
{
    if (is_secure(config, trunk->listener))
        return trunk->listener;
    for (uint32_t i = 0; i < config->listener_count; i++)
        if (is_secure(config, i) && tl_trunk_over(config, trunk, i) != TL_OVER_NOT)
            return i;
    return TL_NO_INDEX;
}
