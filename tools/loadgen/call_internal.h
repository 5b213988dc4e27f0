// SPDX-License-Identifier: BSD-3-Clause
// What the files of a call share and nobody else calls.
#pragma once

#include "tools/loadgen/call.h"

// libre's handlers of a session; `arg` is the call.
int call_answered(const struct sip_msg *msg, void *arg); // our INVITE or re-INVITE, with a 2xx
int call_offered(struct mbuf **answer, const struct sip_msg *msg, void *arg); // a re-INVITE of the far side
void call_established(const struct sip_msg *msg, void *arg);                  // ACK sent or received
void call_closed(int err, const struct sip_msg *msg, void *arg);              // by the far side or a failure

// Starts or updates the media. 0, or -errno when the failure is recorded.
int call_take_terms(struct call *c, const struct stream_terms *terms);

// Lets go of the session: libre cancels or sends a BYE, and destroys it when that is answered.
void call_let_go(struct call *c);

// Nothing is left of the call: frees its media and tells the agent. Harmless when done before.
void call_over(struct call *c);

void call_enter_hold(struct call *c, enum hold_state state);

// Milliseconds since the ACK.
uint32_t call_since_up(const struct call *c);
