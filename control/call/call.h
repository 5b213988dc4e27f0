// SPDX-License-Identifier: BSD-3-Clause
//
// The call: two legs, A that called us and B that we call, joined by one session of the dataplane. A pure
// state machine: an event goes in, actions come out, and somebody else carries them out in their order. No
// sockets, no clock, no osip. One call belongs to one loop.
//
// What the machine sees to:
//   - the media is there before any SDP of ours names it, and is told of an answer before that answer goes on
//   - each trunk of the route is tried in turn: on 503, no response, transport failure; but not any more once
//   A
//     has been given an answer in a provisional response, because its answer may not change then
//   - an offer from either side goes to the other side, and what comes back goes back (hold, resume, new
//   address)
//   - an INVITE without an offer: B is offered all that its trunk can, A then what B took
//   - A is not sent a BYE before it has ACKed our 2xx (RFC 3261 15), unless it never does
#pragma once

#include "common/config/config.h"
#include "control/sdp/negotiate.h"

enum { CALL_A, CALL_B };

enum call_state {
    CALL_IDLE,      // made, nothing happened yet
    CALL_ADDING,    // the media session was asked for
    CALL_CALLING,   // INVITE to B is out
    CALL_ANSWERING, // B took the call, the dataplane is being told
    CALL_UP,        // A got its 2xx
    CALL_ENDING,    // BYEs, ACKs or the dataplane's last word are outstanding
    CALL_OVER,      // nothing is outstanding
    CALL_STATE_COUNT
};

enum call_timer {
    CALL_TIMER_SETUP,       // A is answered finally before it fires (control.setup_timeout_ms)
    CALL_TIMER_NO_RESPONSE, // B sends a provisional above 100 before it fires (trunk's
                            // no_response_timeout_ms)
    CALL_TIMER_COUNT
};

enum call_event_type {
    CALL_EV_INVITE = 1,  // A: the first one; sdp or none
    CALL_EV_REINVITE,    // side: INVITE inside its dialog; sdp or none
    CALL_EV_CANCEL,      // side: its INVITE, first or later, is withdrawn
    CALL_EV_ACK,         // side: to our 2xx; sdp or none
    CALL_EV_BYE,         // side
    CALL_EV_PROVISIONAL, // side: 101..199 to our INVITE; sdp or none
    CALL_EV_SUCCESS,     // side: 2xx to our INVITE; sdp or none
    CALL_EV_FAILURE,     // side: 300..699 to our INVITE
    CALL_EV_TIMEOUT,     // side: no final response to our INVITE
    CALL_EV_TRANSPORT,   // side: our INVITE could not be sent
    CALL_EV_NO_ACK,      // side: no ACK to our 2xx, or our answer could not be sent
    CALL_EV_BYE_DONE,    // side: our BYE was answered or given up
    CALL_EV_ADDED,       // dataplane: status 0 and local, or -errno
    CALL_EV_MODIFIED,    // dataplane: status 0 or -errno
    CALL_EV_DELETED,     // dataplane: the session is gone, or it cannot be asked
    CALL_EV_MEDIA_LOST,  // dataplane: it came back without the session and could not be given it again
    CALL_EV_TIMER,       // timer
    CALL_EV_HANGUP,      // the operator ends the call
    CALL_EV_COUNT
};

struct call_event {
    enum call_event_type type;
    uint8_t side; // CALL_A, CALL_B
    int status;
    const char *sdp; // NULL: the message has none
    size_t sdp_len;
    struct tl_addr local[2];
    enum call_timer timer;
};

enum call_action_type {
    CALL_DO_ADD = 1, // ask the dataplane for a session: call_legs()
    CALL_DO_MODIFY,  // tell it both legs: call_legs()
    CALL_DO_DEL,     // end it; answered by CALL_EV_DELETED unless CALL_FORGET is set
    CALL_DO_INVITE,  // B: new dialog over `trunk`; body
    CALL_DO_REINVITE,
    CALL_DO_ACK,     // side: the 2xx of our INVITE; body or none
    CALL_DO_ANSWER,  // side: its INVITE; status, body or none
    CALL_DO_REPLY,   // the request that is the event (BYE): status
    CALL_DO_CANCEL,  // side: our INVITE, whose final response is still wanted
    CALL_DO_ABANDON, // side: our INVITE; nothing of it is wanted any more
    CALL_DO_BYE,     // side
    CALL_DO_TIMER,   // timer: arm for ms, 0 stops it
    CALL_DO_END,     // nothing is outstanding: free the call. Always the last action
    CALL_DO_COUNT
};

enum call_action_flags {
    CALL_RELAY = 1, // ANSWER, BYE: what led to it was a message of the other side, whose Reason goes along
    CALL_FORGET = 2,
};

struct call_action {
    enum call_action_type type;
    uint8_t side;
    uint8_t flags;
    int status;
    unsigned retry_after; // s, 0: none
    uint32_t trunk;       // index in the configuration
    enum call_timer timer;
    uint64_t ms;
    const char *body; // inside call_actions
    size_t body_len;
};

enum { CALL_ACTIONS_MAX = 24 };

struct call_actions {
    unsigned count;
    struct call_action action[CALL_ACTIONS_MAX];
    char body[NEG_BODY_MAX]; // at most one a step
};

// What a call looks at and never changes. Outlives its calls.
struct call_env {
    const struct tl_config *config;
    struct neg_random random;
};

struct call_exchange; // a later offer on its way

struct call_side {
    struct neg_leg neg;
    uint32_t trunk;     // index
    bool dialog;        // confirmed: a BYE is due when the call ends
    bool invite_in;     // an INVITE of theirs waits for our final answer
    bool invite_out;    // an INVITE of ours waits for its final response
    bool ack_due;       // our 2xx waits for their ACK
    bool ack_owed;      // their 2xx waits for our ACK (it brought an offer)
    bool bye_after_ack; // hang up as soon as that ACK is here
    bool bye_out;       // our BYE waits for its answer
};

struct call {
    const struct call_env *env;
    enum call_state state;
    struct call_side side[2];
    uint32_t trunks[TL_ROUTE_TRUNKS_MAX]; // of the route, in order
    uint8_t trunk_count;
    uint8_t trunk_at;        // which one is being tried
    bool late_offer;         // A's INVITE had no offer
    bool a_has_answer;       // A was given an answer, in a provisional response or the 2xx
    bool b_has_answered;     // B's answer was taken
    bool session;            // the dataplane has (or is making) a session for this call
    bool adding;             // its ADD is outstanding
    bool modifying;          // a MODIFY is outstanding ...
    bool modify_again;       // ... and another one is due after it
    bool deleting;           // a DEL is outstanding
    int early_status;        // provisional that waits for the MODIFY, 0: none
    struct call_exchange *x; // NULL: none
    int status;              // final answer to A's first INVITE, 0: none yet
    const char *why;         // why the call ended, a sentence; NULL while it has not
};

// Starts a call that came in over `trunk_a`; `trunks` (1..TL_ROUTE_TRUNKS_MAX indices) are tried in order.
// Returns 0 or -errno of the random source.
int call_init(struct call *call, const struct call_env *env, uint32_t trunk_a, const uint32_t *trunks,
              unsigned trunk_count);

// Wipes and frees what the call holds. Safe on a zeroed call.
void call_fini(struct call *call);

// Takes one event. *out is made anew. The event's memory need not outlive the call of this function. An event
// that no longer matters gives no action.
void call_step(struct call *call, const struct call_event *event, struct call_actions *out);

// The legs for the ADD or MODIFY that an action asks for, realms included. `out` holds keys: wipe it.
void call_legs(const struct call *call, struct tl_leg out[2]);

// What A hears when B's INVITE failed with this status: most pass, those that only concern B and us don't.
int call_status_for_a(int status);

const char *call_state_name(enum call_state state);
