// SPDX-License-Identifier: BSD-3-Clause
// Every reason for which the dataplane drops a packet: counter, label and sentence from one list.
// In the order of the path, but for no_neighbour: the first check that fails names the drop.
#pragma once

#include <stdint.h>

// Of a frame whose leg is not known (yet, or any more).
#define TL_NODE_DROPS(X)                                                                                     \
    X(runt, "frame shorter than the headers it claims")                                                      \
    X(not_ours, "neither to our MAC and media address nor anything we answer")                               \
    X(echo_rate, "more pings in a second than are answered")                                                 \
    X(bad_ip, "IPv4 version, a length or the header checksum wrong")                                         \
    X(fragment, "IPv4 fragment; media is never fragmented")                                                  \
    X(bad_udp, "UDP length wrong")                                                                           \
    X(bad_checksum, "UDP checksum wrong")                                                                    \
    X(loop, "came from a media address of our own")                                                          \
    X(unknown_port, "no session has this media port")                                                        \
    X(no_neighbour, "next hop did not answer ARP")

// Of a packet that came in on a leg; counted there as well.
#define TL_LEG_DROPS_OF(X)                                                                                   \
    X(leg_incomplete, "media before the answer named its source")                                            \
    X(wrong_source, "source is not the signalled address and port")                                          \
    X(former_source, "source is one of before: another fork or party")                                       \
    X(too_big, "longer than the leg's media packets may be")                                                 \
    X(flood, "above 8 times the agreed rate: refused unseen")                                                \
    X(stun, "STUN; the address is the signalled one and is not looked for")                                  \
    X(dtls, "DTLS; keys come by SDES, not by a handshake on this port")                                      \
    X(not_rtp, "neither RTP nor RTCP: version is not 2")                                                     \
    X(bad_rtp, "RTP whose CSRCs, extension or padding do not fit its length")                                \
    X(bad_rtcp, "RTCP whose lengths do not fit the packet")                                                  \
    X(short_srtp, "too short for the tag of its suite")                                                      \
    X(bad_mki, "another master key identifier (MKI) than was agreed")                                        \
    X(replayed, "SRTP index seen before")                                                                    \
    X(too_old, "SRTP index older than the replay window")                                                    \
    X(bad_auth, "SRTP or SRTCP tag wrong")                                                                   \
    X(plain_rtcp, "SRTCP packet without the encryption bit")                                                 \
    X(over_rate, "above the agreed packet rate or bandwidth")                                                \
    X(held, "leg is on hold in this direction")                                                              \
    X(unknown_pt, "payload type was not negotiated")                                                         \
    X(other_leg_incomplete, "the other leg has no address to send to yet")                                   \
    X(tx_index_used, "protecting it would use an SRTP index twice")                                          \
    X(tx_index_end, "SRTP or SRTCP index space of the key is used up")                                       \
    X(no_room, "no room in the buffer for the tag")                                                          \
    X(too_long, "longer than its port's MTU, with the tag of its suite")                                     \
    X(no_route, "destination is not on-link and no gateway is configured")                                   \
    X(neighbour_queue, "a packet already waits for this next hop's ARP answer")                              \
    X(handoff_full, "hand-off ring of the owning worker is full")                                            \
    X(tx_full, "transmit queue of the port is full")

#define TL_DROPS(X) TL_NODE_DROPS(X) TL_LEG_DROPS_OF(X)

enum tl_drop {
#define X(name, text) TL_DROP_##name,
    TL_DROPS(X)
#undef X
        TL_DROP_COUNT
};

enum {
    TL_DROP_LEG_FIRST = TL_DROP_leg_incomplete,
    TL_LEG_DROPS = TL_DROP_COUNT - TL_DROP_LEG_FIRST, // counters of a leg
};

// Place of a reason among a leg's counters, or -1 when no leg is known with it. Any thread.
static inline int tl_drop_leg(enum tl_drop reason)
{
    return (int)reason - (int)TL_DROP_LEG_FIRST >= 0 ? (int)reason - (int)TL_DROP_LEG_FIRST : -1;
}

// Label (as in counters and JSON) and sentence of a reason below TL_DROP_COUNT. Any thread.
const char *tl_drop_label(enum tl_drop reason);
const char *tl_drop_text(enum tl_drop reason);

// Checksum of all labels in their order: two builds with the same one mean the same by each number. Any
// thread.
uint32_t tl_drop_digest(void);
