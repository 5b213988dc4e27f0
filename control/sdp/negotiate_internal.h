// SPDX-License-Identifier: BSD-3-Clause
// Between the files of the negotiation.
#pragma once

#include "control/sdp/negotiate.h"

// Sets *why (may be NULL) and returns -ENOTSUP.
int neg_refuse(const char **why, const char *sentence);

// Whether the transport of an m= line is a secure profile.
static inline bool neg_secure(uint8_t proto)
{
    return proto == SDP_PROTO_SAVP || proto == SDP_PROTO_SAVPF;
}

// Whether the remote side takes the codec as things stand: an offer lists more than the answer to it left.
static inline bool neg_takes(const struct neg_leg *leg, int codec)
{
    return leg->remote_pt[codec] != NEG_NO_PT &&
           (leg->word.kind != NEG_SAID_ANSWER || leg->local_pt[codec] != NEG_NO_PT);
}

static inline bool neg_takes_g711(const struct neg_leg *leg)
{
    return neg_takes(leg, NEG_PCMU) || neg_takes(leg, NEG_PCMA);
}

// Whether both sides take the codec.
static inline bool neg_shared(const struct neg_leg *a, const struct neg_leg *b, int codec)
{
    return neg_takes(a, codec) && neg_takes(b, codec);
}

// The direction as the other end of a stream sees it.
static inline uint8_t neg_reverse(uint8_t direction)
{
    return (uint8_t)((direction & SDP_SENDONLY ? SDP_RECVONLY : 0) |
                     (direction & SDP_RECVONLY ? SDP_SENDONLY : 0));
}

// What the remote side does as things stand: an answer of ours may have allowed less than it offered.
static inline uint8_t neg_direction(const struct neg_leg *leg)
{
    return leg->word.kind == NEG_SAID_ANSWER ? leg->direction & neg_reverse(leg->word.direction)
                                             : leg->direction;
}

// Of all that we use of an SDP.
uint64_t neg_hash(const struct sdp *sdp, const char *text);

// Goes on with `hash` over more bytes; 0 begins. Never returns 0.
uint64_t neg_hash_bytes(uint64_t hash, const void *bytes, size_t len);

// What `codec` of the remote side of `leg` is on its way to `other`: the same where that takes it, the other
// law where it has to be, or -1: it is not to be sent.
int neg_becomes(const struct neg_leg *leg, const struct neg_leg *other, int codec);

// The line of an offer that serves best: by our order of suites, then by theirs. False: none does, and *why
// says what is wrong with one that has a suite of the trunk, if there is one.
bool neg_pick_crypto(const struct neg_leg *leg, const struct sdp_media *m, const char *text,
                     struct sdes_crypto *out, const char **why);

// The contract's form of keys, without a generation: that is control/media's to give. Wipe it.
void neg_crypto(struct tl_crypto *out, const struct sdes_crypto *in);

// Was the key in use so long ago that the dataplane has forgotten its windows? Then it may not come back.
bool neg_key_forgotten(const struct neg_leg *leg, const struct sdes_crypto *rx);

// Takes the remote side's key of an offer (suite TL_SUITE_NONE: plain) and makes ours where a new one is due;
// `moved`: its media address changed. 0 or -errno of `random`.
int neg_answer_keys(struct neg_leg *leg, const struct sdes_crypto *rx, bool moved, struct neg_random random);

// Gives a key of an offer of ours the lifetime and MKI that the trunk wants there.
void neg_shape_offer(const struct neg_leg *leg, struct sdes_crypto *tx);

// Takes the a=crypto line of an answer, or its absence. 0 or -ENOTSUP with *why.
int neg_answered_keys(struct neg_leg *leg, const struct sdp_media *m, const char *text, const char **why);
