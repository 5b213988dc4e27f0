// SPDX-License-Identifier: BSD-3-Clause
// Offer and answer (RFC 3264) of one call with one audio stream, on libre's SDP.
#pragma once

#include "tools/loadgen/stream.h"

struct negotiation {
    const struct options *options; // borrowed
    struct sdp_session *session;
    struct sdp_media *media; // owned by the session
};

// Describes the local side: address, port, codec, telephone-event, key. 0 or -errno.
int negotiation_init(struct negotiation *n, const struct options *o, const struct stream *s);
void negotiation_fini(struct negotiation *n);

// Makes an offer with direction `dir`; the caller frees `*mb`. 0 or -errno.
int negotiation_offer(struct negotiation *n, enum sdp_dir dir, struct mbuf **mb);

// Takes an offer and makes the answer, which the caller frees. `s` is told the key's tag. `terms` is what
// both agreed on. 0; -EPROTO with the reason in `*why` (constant text) when there is nothing to agree on.
int negotiation_answer(struct negotiation *n, struct mbuf *offer, struct stream *s, struct mbuf **answer,
                       struct stream_terms *terms, const char **why);

// Takes the answer to our offer. As above.
int negotiation_finish(struct negotiation *n, struct mbuf *answer, struct stream_terms *terms,
                       const char **why);
