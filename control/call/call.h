// SPDX-License-Identifier: BSD-3-Clause
//
// The call: two sides, A that called us and B that we call, joined by one session of the dataplane. A pure state
// machine: an event goes in, actions come out, and somebody else carries them out in their order. No sockets, no clock,
// no socket. One call belongs to one loop.
//
// A side is a set of dialogs. Until B answers for good, each To tag of its provisional responses is an early dialog (a
// fork) with an SDP and keys of its own; one of them is the side's main dialog, whose media flows.
//
// What the machine sees to:
//   - The media is there before any SDP of ours names it, and is told of an answer before that answer goes on.
//   - Each trunk of the route is tried in turn: on 503, no response, transport failure. That ends once A has been given
//     an answer in a provisional response, because its answer may not change then (RFC 3261 13.2.1).
//   - A's answer never changes inside a dialog. What B says later is converted to it.
//   - Provisional responses are reliable on each side as its trunk says (RFC 3262); the two sides need not agree.
//   - An offer from either side, in INVITE, UPDATE or PRACK, is one exchange (exchange.c): it goes to the other side,
//     and what comes back goes back. It is answered here where nothing changes, or where the other side cannot be
//     asked yet.
//   - An INVITE without an offer: B is offered all that its trunk can, A then what B took.
//   - Each side has a session timer of its own, or none (RFC 4028, session.c): refreshed, answered, and ended with the call.
//   - A is not sent a BYE before it has ACKed our 2xx (RFC 3261 15), unless it never does.
#pragma once

#include "common/config/config.h"
#include "control/call/refresh.h"
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
    CALL_TIMER_NO_RESPONSE, // B answers at all, if only 100 (trunk's no_response_ms)
    CALL_TIMER_NO_PROGRESS, // B sends a provisional above 100 (trunk's no_progress_ms)
    CALL_TIMER_DURATION,    // the call is up for max_duration_s of a trunk
    CALL_TIMER_RETRY,       // an offer of ours that met another one is made again (RFC 3261 14.1)
    CALL_TIMER_REFRESH_A,   // A's session is refreshed by us (RFC 4028) ...
    CALL_TIMER_REFRESH_B,   // ... and B's
    CALL_TIMER_EXPIRY_A,    // A's session was not refreshed ...
    CALL_TIMER_EXPIRY_B,    // ... or B's
    CALL_TIMER_COUNT
};

// Option tags that the machine looks at, as bits.
enum call_option {
    CALL_OPTION_100REL = 1u << 0,      // RFC 3262
    CALL_OPTION_TIMER = 1u << 1,       // RFC 4028
    CALL_OPTION_FROM_CHANGE = 1u << 2, // RFC 4916; for the agent
};

// Methods beyond those of RFC 3261 that a side may allow, as bits.
enum call_method {
    CALL_METHOD_UPDATE = 1u << 0,
    CALL_METHOD_INFO = 1u << 1,
    CALL_METHOD_REFER = 1u << 2,
    CALL_METHOD_PRACK = 1u << 3,
};

// What a message says beside its SDP. All zero: nothing.
struct call_facts {
    uint8_t supported, required; // enum call_option: of Supported and Require
    uint8_t allow;               // enum call_method
    bool allow_known;            // the message has Allow
    bool reliable;               // 1xx: it came reliably, RFC 3262
    uint8_t q850;                // cause of a Reason header, 0: none
    uint8_t early_media;         // P-Early-Media of RFC 5009: CALL_EARLY_NONE ..
    struct refresh_said session; // of the session timer
};

enum { CALL_EARLY_UNSAID, CALL_EARLY_YES, CALL_EARLY_NO };

enum call_event_type {
    CALL_EV_INVITE = 1,  // A: the first one; sdp or none
    CALL_EV_REINVITE,    // side: INVITE inside its dialog; sdp or none
    CALL_EV_CANCEL,      // side: its INVITE, first or later, is withdrawn
    CALL_EV_ACK,         // side: to our 2xx; sdp or none
    CALL_EV_BYE,         // side
    CALL_EV_UPDATE,      // side: UPDATE; sdp or none
    CALL_EV_PRACK,       // side: PRACK of our reliable 1xx; sdp or none
    CALL_EV_NO_PRACK,    // side: no PRACK to our reliable 1xx
    CALL_EV_PROVISIONAL, // side, dialog: 101..199 to our INVITE; sdp or none
    CALL_EV_SUCCESS,     // side, dialog: 2xx to our INVITE; sdp or none
    CALL_EV_FAILURE,     // side: 300..699 to our INVITE
    CALL_EV_TIMEOUT,     // side: no final response to our INVITE
    CALL_EV_TRANSPORT,   // side: our INVITE could not be sent
    CALL_EV_FULL,        // side: its trunk takes no more calls, so the INVITE was not sent
    CALL_EV_NO_ACK,      // side: no ACK to our 2xx, or our answer could not be sent
    CALL_EV_UPDATED,     // side: final response to our UPDATE; status (0: none came), sdp or none
    CALL_EV_GONE,        // side: it answered a request inside its dialog with 481
    CALL_EV_BYE_DONE,    // side: our BYE was answered or given up
    CALL_EV_ADDED,       // dataplane: status 0 and local, or -errno
    CALL_EV_MODIFIED,    // dataplane: status 0 or -errno
    CALL_EV_DELETED,     // dataplane: the session is gone, or it cannot be asked
    CALL_EV_MEDIA_LOST,  // dataplane: it came back without the session and could not be given it again
    CALL_EV_TIMER,       // timer
    CALL_EV_CALL_FOR,    // begins a call of call_init_for()
    CALL_EV_PICKED_UP,   // A rings at B: call_swap() has put somebody there whose INVITE replaces ours
    CALL_EV_VACATED,     // A rings at B: call_stand_for() has put somebody there for who picks it up
    CALL_EV_JOINED,      // side: call_swap() has put a party here that has agreed on its media
    CALL_EV_MOVED,       // side: ... one that is to be told where its media is now
    CALL_EV_REPLACED, // side: whom it talked to has gone to another call; status not 0: its BYE waits for RELEASED
    CALL_EV_RELEASED, // side: its BYE may go
    CALL_EV_UNJOINED, // a call for others came to nothing; status for who asked, 0: nobody waits for one
    CALL_EV_DEAD,   // side: no media from it for its trunk's media_timeout_s (or that of held or early calls)
    CALL_EV_HANGUP, // the operator ends the call
    CALL_EV_COUNT
};

// Where a redirected call goes next: a trunk, and which of the numbers that the agent keeps.
struct call_target {
    uint32_t trunk;
    uint8_t number; // 0: the one that A called
    bool last; // only where the others have failed: who comes before it has all the time that the call has
};

// Whether B's trunk has another target that was not tried.
enum call_more {
    CALL_MORE_NONE,
    CALL_MORE_DOWN, // one that does not answer OPTIONS
    CALL_MORE,
};

struct call_event {
    enum call_event_type type;
    uint8_t side; // CALL_A, CALL_B
    uint8_t
        dialog; // number of the dialog within its side, 1..CALL_DIALOGS_MAX; 0: the side's only or main one
    int status;
    const struct call_facts *facts; // NULL: none
    const char *sdp;                // NULL: the message has none
    size_t sdp_len;
    struct tl_addr local[2];
    enum call_timer timer;
    const struct call_target *targets; // FAILURE of B, 3xx: where its Contacts lead, best first
    unsigned target_count;             // at most TL_ROUTE_TRUNKS_MAX
    bool contacts;                     // ... or there are Contacts that A can be told
    enum call_more more;               // FAILURE, TIMEOUT, TRANSPORT of B, TIMER
};

enum call_action_type {
    CALL_DO_ADD = 1, // ask the dataplane for a session: call_legs()
    CALL_DO_MODIFY,  // tell it both legs: call_legs()
    CALL_DO_DEL,     // end it; answered by CALL_EV_DELETED unless CALL_FORGET is set
    CALL_DO_INVITE,  // B: new dialog over `trunk`; body
    CALL_DO_REINVITE,
    CALL_DO_UPDATE,       // side, dialog: UPDATE; body or none
    CALL_DO_ACK,          // side: the 2xx of our INVITE; body or none
    CALL_DO_ANSWER,       // side, dialog: its INVITE; status, body or none
    CALL_DO_REPLY,        // side: its BYE; status
    CALL_DO_REPLY_UPDATE, // side: its UPDATE; status, body or none
    CALL_DO_REPLY_PRACK,  // side: its PRACK; status, body or none
    CALL_DO_CANCEL,       // side: our INVITE, whose final response is still wanted
    CALL_DO_ABANDON,      // side: our INVITE; nothing of it is wanted any more
    CALL_DO_BYE,          // side
    CALL_DO_TIMER,        // timer: arm for ms, 0 stops it
    CALL_DO_JOINED, // side: what JOINED or MOVED came to; status 200, or why the party could not be told
    CALL_DO_END,    // nothing is outstanding: free the call. Always the last action
    CALL_DO_COUNT
};

enum call_action_flags {
    CALL_RELAY = 1, // ANSWER, BYE: what led to it was a message of the other side, whose Reason goes along
    CALL_FORGET = 2,
    CALL_RELIABLE = 4, // ANSWER 101..199: with RSeq, until its PRACK is here
    CALL_FAILED = 8,   // REINVITE, ABANDON: what led to it was that B did not respond in time
    CALL_AGAIN = 16,   // INVITE: the last one once more, with its Call-ID and the next CSeq (RFC 4028 7.3)
    CALL_REFRESH = 32, // REINVITE, UPDATE: only to refresh the session
    CALL_NEXT_TARGET = 64, // INVITE: to a target of the same trunk that was not tried
};

struct call_action {
    enum call_action_type type;
    uint8_t side;
    uint8_t dialog; // as in an event
    uint8_t flags;
    int status;
    unsigned retry_after; // s, 0: none
    const char *warning;  // sentence for a Warning of a 4xx, or NULL
    uint8_t options;      // ANSWER, REPLY_UPDATE 420 and 421: enum call_option, what it is about
    struct refresh_said
        session;    // INVITE, REINVITE, UPDATE, their 2xx and 422: what it says of the session timer
    uint32_t trunk; // index in the configuration
    uint8_t number; // INVITE: as in call_target
    enum call_timer timer;
    uint64_t ms;
    const char *body; // inside call_actions
    size_t body_len;
};

enum {
    CALL_ACTIONS_MAX = 48,
    CALL_BODIES_MAX = 4,   // a step
    CALL_DIALOGS_MAX = 20, // early ones of a side
    CALL_NUMBERS_MAX = 5,  // a call is redirected to
};

struct call_actions {
    unsigned count;
    struct call_action action[CALL_ACTIONS_MAX];
    unsigned bodies;
    char body[CALL_BODIES_MAX][NEG_BODY_MAX];
};

// What a call looks at and never changes. Outlives its calls.
struct call_env {
    const struct tl_config *config;
    struct neg_random random;
    struct sdp_counters *sdp; // where each SDP is counted; NULL: nowhere
};

struct call_exchange; // a later offer on its way
struct call_fork;     // an early dialog of B

struct call_side {
    struct neg_leg neg; // what is agreed with the main dialog
    // Its trunk is number `trunk` here: the configuration that the side began with, which outlives it. A side that
    // a transfer brought from another call may have another one than the call.
    const struct tl_config *config;
    uint32_t trunk;
    uint8_t main;       // number of the main dialog, 0: the only one
    uint8_t allow;      // enum call_method: what the far side says it takes
    bool allow_known;   // it has said so
    uint8_t supported;  // enum call_option
    bool reliable;      // A: our provisional responses are reliable. B: its answer came reliably
    bool dialog;        // confirmed: a BYE is due when the call ends
    bool invite_in;     // an INVITE of theirs waits for our final answer
    bool invite_out;    // an INVITE of ours waits for its final response
    bool ack_due;       // our 2xx waits for their ACK
    bool ack_owed;      // their 2xx waits for our ACK
    bool update_in;     // an UPDATE of theirs waits for our answer
    bool prack_in;      // a PRACK of theirs does
    bool update_out;    // an UPDATE of ours waits for its final response
    bool update_bare;   // ... and is a refresh without SDP
    bool bye_after_ack; // hang up as soon as that ACK is here
    bool bye_waits;     // our BYE waits for CALL_EV_RELEASED
    bool bye_out;       // our BYE waits for its answer
    bool stands_in;     // nobody is here: it stands for a party that another call has
    bool offer_due;     // its INVITE that replaces somebody had no offer: our 2xx has one, its ACK the answer
    struct refresh refresh;
};

struct call {
    const struct call_env *env;
    enum call_state state;
    struct call_side side[2];
    struct call_target targets[TL_ROUTE_TRUNKS_MAX]; // of the route or of a 3xx, in order
    uint8_t trunk_count;
    uint8_t trunk_at;  // which one is being tried
    bool progressed;   // B has sent a provisional above 100 to this attempt
    bool late_offer;   // A's INVITE had no offer
    bool a_offered;    // ... and a reliable provisional response of ours brought one
    bool a_has_answer; // A was given an answer in a provisional response or the 2xx, or gave one to our offer
    bool b_has_answered;     // B's answer was taken
    bool prack_due;          // a reliable provisional response to A waits for its PRACK
    bool prack_sdp;          // ... and has SDP, so the 2xx waits, too
    bool success_due;        // B's 2xx is to go on to A
    bool separate;           // A sees a dialog for each fork of B
    bool session;            // the dataplane has (or is making) a session for this call
    bool adding;             // its ADD is outstanding
    bool modifying;          // a MODIFY is outstanding ...
    bool modify_again;       // ... and another one is due after it
    bool deleting;           // a DEL is outstanding
    uint8_t retry_side;      // who is made an offer again when CALL_TIMER_RETRY fires
    struct neg_leg *offered; // what B's INVITE offered: each fork answers it. NULL once B has answered
    struct neg_leg *asked;   // separate: A's leg as its offer left it, answered anew for each fork
    struct call_fork *forks; // oldest first
    struct call_exchange *x; // NULL: none
    int status;              // final answer to A's first INVITE, 0: none yet
    const char *why;         // why the call ended, a sentence; NULL while it has not
    uint8_t cause;           // Q.850 cause of our BYEs and CANCEL when it was we who ended it; 0: none
    char why_text[112];      // ... where it has figures in it
    bool expired;            // it ended because a session timer did
    uint8_t lacking;         // enum call_option: what a 420 or 421 of ours is about
    // parties that move between calls (join.c)
    struct tl_addr
        lent; // B's place where its trunk is of that realm: a session's of another call. Unset: none
    char lent_realm[TL_NAME_MAX];
    uint8_t leaving;    // 1 + side that transfers the other one: its BYE does not end the call. 0: none
    bool frozen;        // a party is away, to be tried elsewhere: no offer is taken meanwhile
    uint8_t join_tries; // a moved party was offered its new place
    bool join_misled;   // ... and agreed, in words that nobody can use: it sends there all the same
};

// Starts a call that came in over `trunk_a`; `targets` (1..TL_ROUTE_TRUNKS_MAX) are tried in order.
// Returns 0 or -errno of the random source.
int call_init(struct call *call, const struct call_env *env, uint32_t trunk_a,
              const struct call_target *targets, unsigned target_count);

// Wipes and frees what the call holds. Safe on a zeroed call.
void call_fini(struct call *call);

// Takes one event. *out is made anew. The event's memory need not outlive the call of this function. An event
// that no longer matters gives no action.
void call_step(struct call *call, const struct call_event *event, struct call_actions *out);

// The legs for the ADD or MODIFY that an action asks for, realms included. `out` holds keys: wipe it.
void call_legs(const struct call *call, struct tl_leg out[2]);

// ---- parties that move between calls ------------------------------------------------------------------
//
// Transfers and Replaces make a call of parties that two calls have. Each of these calls stays whole: where a party has
// gone one stands in for it, without a dialog, and media is told nothing.

// Makes a call whose A, on trunk `trunk_a`, stands in for side `side` of the call `of`, which is up; the rest as in
// call_init(). It begins with CALL_EV_CALL_FOR and has its own session but where B's trunk has the realm of the other side of `of`: then B gets
// that one's place. 0 or -errno of the random source.
int call_init_for(struct call *call, const struct call_env *env, const struct call *of, uint8_t side,
                  uint32_t trunk_a, const struct call_target *targets, unsigned target_count);

// Makes a call of two parties that other calls have: it gets a session, and then they come (CALL_EV_MOVED). Side A, on trunk
// `trunk_a`, stands in for `side_a` of the call `of_a`, and so does B. 0 or -errno of the random source.
int call_init_between(struct call *call, const struct call_env *env, const struct call *of_a, uint8_t side_a,
                      uint32_t trunk_a, const struct call *of_b, uint8_t side_b, uint32_t trunk_b);

// Makes ready a call that call_init() has made for an INVITE whose sender replaces side `side` of the call `of`: it begins with
// CALL_EV_INVITE, asks for no media, and the sender is to go to that place.
void call_await(struct call *call, const struct call *of, uint8_t side);

// The same where the sender's trunk is of another realm: the call gets a session of its own, in which somebody stands in for the
// one whom the replaced party talks to. That one comes later (CALL_EV_MOVED), and then the INVITE is answered. 0 or -errno of
// the random source.
int call_await_other(struct call *call, const struct call *of, uint8_t side);

// Puts somebody on B's side of a call that rings there who stands in for A of the call `who`; CALL_EV_VACATED follows. 0 or
// -errno of the random source.
int call_stand_for(struct call *call, const struct call *who);

// Whether A's leg, which has made an offer or asked for one and no more, has a codec in common with who talks to side `side`
// of the call `of`.
bool call_fits(const struct call *call, const struct call *of, uint8_t side);

// Whether B rings and can be replaced: the first INVITE is out, and nothing else is under way.
bool call_can_be_picked_up(const struct call *call);

// Before somebody is put in B's place who picks up what rings in B's dialog of that number: where A sees a dialog for each
// of B's, it is answered in the one that stands for that.
void call_pick(struct call *call, uint8_t dialog);

// Whether a party that came, or that has been moved here, has not agreed to its place yet.
bool call_is_joining(const struct call *call);

// Whether the call is up and nothing is under way in it: a party may leave it or come.
bool call_at_rest(const struct call *call);

// Whether somebody stands in on one of its sides: what it asks of the dataplane is not to be done.
bool call_stands_in(const struct call *call);

// Puts what is on one side of a call where a side of another call is, and the other way round. Each place keeps its media
// address. An event follows: JOINED, MOVED or REPLACED.
void call_swap(struct call *one, uint8_t side, struct call *other, uint8_t with);

// Writes the call as a section "call" of a record: state, sides, forks, the exchange under way, keys included, so the caller
// wipes what was written. Trunks stand there by name.
struct record;
struct record_writer;
void call_save(struct record_writer *w, const struct call *call);

// Reads that section back; *call is made anew. Returns 0; -ENOENT: a trunk of it is not there any more; -EINVAL: another
// version, or something in it is missing or out of range; -ENOMEM. After an error *call holds nothing.
int call_load(struct call *call, const struct call_env *env, const struct record *in);

const char *call_state_name(enum call_state state);
