// SPDX-License-Identifier: BSD-3-Clause
// Between the files of the call machine.
#pragma once

#include "control/call/call.h"

static inline uint8_t call_other(uint8_t side)
{
    return side == CALL_A ? CALL_B : CALL_A;
}

static inline const struct tl_trunk_config *call_trunk(const struct call *call, uint8_t side)
{
    return &call->side[side].config->trunks[call->side[side].trunk];
}

extern const char call_key_forgotten[]; // why a call ends whose key the dataplane knows no more

// ---- actions (act.c) ----------------------------------------------------------------------------------
//
// A body is written into act_body() first and goes out with the action that is made next with its length. `len` 0 or
// below: no body.

char *act_body(struct call_actions *out);
struct call_action *act(struct call_actions *out, enum call_action_type type, uint8_t side);
struct call_action *act_with_body(struct call_actions *out, enum call_action_type type, uint8_t side,
                                  int len);
struct call_action *act_answer(struct call *call, struct call_actions *out, uint8_t side, int status,
                               int len);
void act_answer_503(struct call *call, struct call_actions *out, uint8_t side);
void act_timer(struct call_actions *out, enum call_timer timer, uint64_t ms);
// The call lasts from now on as long as the shorter of what its trunks say, 0: for ever.
void act_duration(const struct call *call, struct call_actions *out);
void act_modify(struct call *call, struct call_actions *out);
void act_ack(struct call *call, struct call_actions *out, uint8_t side, int len);

// ---- early dialogs of B (fork.c) ----------------------------------------------------------------------

// One To tag of B's responses, before B has answered for good.
struct call_fork {
    struct call_fork *next;
    uint8_t id;
    bool answered;      // its SDP was taken into `neg`
    bool reliable;      // ... from a reliable response
    bool told;          // separate: A has had an answer in the dialog that stands for this one
    bool no_media;      // P-Early-Media: what it sends is not for A
    bool due;           // becomes the main one when the exchange under way has ended
    int status;         // provisional that waits to go on to A, 0: none
    bool says_sdp;      // ... with SDP
    struct neg_leg neg; // of a fork that is not main: what is agreed with it
    struct neg_leg *a;  // separate, not main: A's leg as its dialog for this fork has it
};

// The fork with that number, made when it is new; `final`: its 2xx is here, so it may be one more than may be early. NULL:
// too many, or no memory.
struct call_fork *fork_get(struct call *call, uint8_t id, bool final);
struct call_fork *fork_find(const struct call *call, uint8_t id);

// B's leg towards that fork: side[CALL_B].neg when it is the main one.
struct neg_leg *fork_leg(struct call *call, struct call_fork *fork);
// Likewise A's: side[CALL_A].neg but for `forks: separate`.
struct neg_leg *fork_leg_a(struct call *call, struct call_fork *fork);

// Takes an SDP of the fork, an answer to our INVITE. 0, or a status for A with *why; then nothing has changed.
int fork_take_answer(struct call *call, struct call_fork *fork, const struct call_event *event,
                     const char **why);

// Makes the fork the main one: its media flows. Generations and remembered keys of the leg go on.
void fork_choose(struct call *call, struct call_fork *fork);

// Chooses the fork that waited for an exchange to end, if there is one. Returns whether there was.
bool fork_choose_due(struct call *call);

// Whether the trunk wants early media of this fork (its early_media), given that it has an answer.
bool fork_wanted(const struct call *call, const struct call_fork *fork);

// Forgets all forks; the main one stays as side[CALL_B].neg. With `again` what B was offered is forgotten, too.
void forks_drop(struct call *call);
// Makes ready for the forks of a new INVITE to B, which offered what side[CALL_B].neg says. 0 or -ENOMEM.
int forks_begin(struct call *call);

// ---- what A hears of a provisional (reliable.c) -------------------------------------------------------

// Gives A what waits to go on to it: provisionals, then the 2xx; as far as the dataplane and PRACKs allow.
void tell_a(struct call *call, struct call_actions *out);
// The call of somebody who stands in is up: who asked for it is told.
void tell_for(struct call *call, struct call_actions *out);
void reliable_step(struct call *call, const struct call_event *event, struct call_actions *out);

// sdp_parse() of the SDP that came with an event, counted.
int call_read_sdp(const struct call *call, const struct call_event *event, struct sdp *sdp, const char **why);

// ---- ending (end.c) -----------------------------------------------------------------------------------

// ITU-T Q.850 2.2.7: what we give as cause of our own.
enum { CALL_Q850_NORMAL = 16, CALL_Q850_TEMPORARY = 41, CALL_Q850_TIMER = 102 };

// Ends the call whatever its state: unanswered INVITEs get `status` (those of later offers 487), INVITEs of ours are
// abandoned, dialogs get a BYE, the session is deleted.
void end_call(struct call *call, struct call_actions *out, int status, const char *why);
void end_step(struct call *call, const struct call_event *event, struct call_actions *out);

// What any state makes of: the operator's word, silence, a session that is lost, max_duration_s. False: another event.
bool end_from_outside(struct call *call, const struct call_event *event, struct call_actions *out);

// ---- session timers (session.c) -----------------------------------------------------------------------

// Takes what a request of theirs (the first INVITE, or one inside a dialog) says. 0, or 420 or 422 that refuse it.
int session_asked(struct call *call, const struct call_event *event, enum refresh_request which);
// Fills what our answer to it says; a 2xx to a request of a confirmed dialog agrees on a timer and starts it.
void session_answer(struct call *call, struct call_actions *out, struct call_action *a,
                    enum refresh_request which);
// Fills what a request of ours says.
void session_ask(const struct call *call, struct call_action *a);
// Takes their 2xx to it.
void session_taken(struct call *call, const struct call_event *event, struct call_actions *out);
// Takes their 422 to it. True: the request is to be made again.
bool session_raise(struct call *call, const struct call_event *event);
// A refresh of ours that carried an offer failed, and the call goes on.
void session_failed(struct call *call, struct call_actions *out, uint8_t side, int status);
// An UPDATE of theirs without SDP, and the final response to one of ours.
void session_update(struct call *call, const struct call_event *event, struct call_actions *out);
void session_updated(struct call *call, const struct call_event *event, struct call_actions *out);
void session_timer(struct call *call, enum call_timer timer, struct call_actions *out);

// ---- setting up (setup.c, answer.c) -------------------------------------------------------------------

void setup_step(struct call *call, const struct call_event *event, struct call_actions *out);
// The next trunk, or 503 when that was the last one.
bool setup_last_trunk(const struct call *call);
// B's responses to our INVITE, and the dataplane's word on what they agreed.
void answer_provisional(struct call *call, const struct call_event *event, struct call_actions *out);
void answer_success(struct call *call, const struct call_event *event, struct call_actions *out);
// An exchange has ended, perhaps: what waited for that goes on.
void answer_exchange_over(struct call *call, struct call_actions *out);
void answer_modified(struct call *call, const struct call_event *event, struct call_actions *out);

// ---- later offers (exchange.c) and the rest of a call that is up (update.c) -----------------------------

// What carries an offer or its answer.
enum carrier { BY_NONE, BY_INVITE, BY_UPDATE, BY_PRACK };

enum exchange_stage {
    EXCHANGE_ASKED, // the offer to the other side is out
    EXCHANGE_MEDIA, // both have spoken, the dataplane is being told
    EXCHANGE_LATE,  // without an offer: the other side's offer went to `from`, whose ACK brings the answer
    EXCHANGE_QUIET, // withdrawn by `from`; the other side's final response is awaited
};

// An offer that goes from one side to the other after the first one. Until both have agreed and the dataplane was told,
// call->side[].neg stays what it is.
struct call_exchange {
    enum exchange_stage stage;
    uint8_t from;         // whose offer it is; its request waits for our answer in `in`
    enum carrier in, out; // out BY_NONE: the other side is not asked
    bool late;            // no offer in the INVITE
    bool refresh;         // ours, and nothing but a refresh of the other side's session
    uint8_t join;         // enum join: it is about who has come to the other side than `from`
    bool undo;            // `from` withdrew what the other side then took: that side is to go back too
    struct neg_leg neg[2];
};

// A party came to the call from another one.
enum join {
    JOIN_NONE,
    JOIN_AGREED, // its media is agreed; the dataplane is told, then the other side is offered what it has
    JOIN_MOVED,  // it is offered its place here
};

// Takes an offer (or an INVITE without one).
void exchange_offer(struct call *call, const struct call_event *event, struct call_actions *out,
                    enum carrier in);
// An UPDATE: with an offer, or about the session timer only.
void exchange_update(struct call *call, const struct call_event *event, struct call_actions *out);
// The other side's final response to our re-INVITE or UPDATE.
void exchange_success(struct call *call, const struct call_event *event, struct call_actions *out);
void exchange_failure(struct call *call, const struct call_event *event, struct call_actions *out);
void exchange_modified(struct call *call, const struct call_event *event, struct call_actions *out);
void exchange_ack(struct call *call, const struct call_event *event, struct call_actions *out);
// Takes the answer in an ACK to a 2xx of ours that had an offer. 0 or -errno: there is no usable one.
int exchange_ack_answer(struct call *call, const struct call_event *event, struct neg_leg *leg);
void exchange_cancel(struct call *call, const struct call_event *event, struct call_actions *out);
void exchange_retry(struct call *call, struct call_actions *out);
// Offers `to` again what the other side has said for good.
void exchange_offer_again(struct call *call, struct call_actions *out, uint8_t to);
// Refreshes the session of side `to` by a re-INVITE that offers what it has. False: not now.
bool exchange_refresh(struct call *call, struct call_actions *out, uint8_t to);
// How long an offer of ours to `side` waits that met one of theirs, ms (RFC 3261 14.1).
uint64_t exchange_glare_ms(const struct call *call, uint8_t side);
void exchange_drop(struct call *call);
// Another fork than the main one so far was chosen by its 2xx: the exchange under way ends or goes on without the lost one.
// The dataplane is told by the caller.
void exchange_moves(struct call *call, struct call_actions *out);
// Between exchange.c, where an offer comes, and exchange_end.c, where it is answered.

// A new exchange over copies of both legs; NULL without memory.
struct call_exchange *exchange_begin(struct call *call, uint8_t from, enum carrier in);
// What was agreed is so from now on; the exchange is over.
void exchange_commit(struct call *call);
// Answers the request of `side` that came by `in`; NULL when it does not wait (any more).
struct call_action *exchange_reply(struct call *call, struct call_actions *out, uint8_t side, enum carrier in,
                                   int status, int len);
// Turns the offer away; the call stays as it was (RFC 3261 14.1).
void exchange_refuse(struct call *call, struct call_actions *out, int status, const char *why);
// How the other side is asked: BY_NONE where it cannot be, or not yet (RFC 3311 5.1).
enum carrier exchange_way(const struct call *call, uint8_t to, enum carrier in);
void exchange_send(struct call *call, struct call_actions *out, uint8_t to, int len);
// An offer of `side` that cannot be taken now: 0, or 491 or 500 (RFC 3261 14.2, RFC 3311 5.2).
int exchange_glare(const struct call *call, uint8_t side, enum carrier in);
// Both legs are as they should be but for the dataplane.
void exchange_tell_media(struct call *call, struct call_actions *out);

// ---- parties that come and go (join.c) -----------------------------------------------------------------

// Answers the INVITE of who came by one.
void join_answer(struct call *call, struct call_actions *out, uint8_t side, int len);
// PICKED_UP, JOINED and MOVED. False: another event.
bool join_step(struct call *call, const struct call_event *event, struct call_actions *out);
// Who was offered something has agreed: the dataplane is told, or who came without an offer is made one.
void join_agreed(struct call *call, struct call_actions *out);
// The dataplane knows what A, which began without an offer, has answered: who picked the call up and waits for that is answered.
void join_late(struct call *call, struct call_actions *out);
// A CANCEL of who came by an INVITE that waits. False: there is none.
bool join_cancel(struct call *call, const struct call_event *event, struct call_actions *out);
// The ACK of who came and was made an offer.
void join_ack(struct call *call, const struct call_event *event, struct call_actions *out);
void join_replaced(struct call *call, const struct call_event *event, struct call_actions *out);
// The dataplane has been told of who came.
void join_modified(struct call *call, struct call_actions *out);
// The party that was moved here did not take the offer: it is made again later, or that was it.
void join_refused(struct call *call, struct call_actions *out, uint8_t side, int status);
void join_retry(struct call *call, struct call_actions *out);
// A BYE of the side that transfers the other one. False: there is none, the BYE ends the call.
bool join_bye(struct call *call, const struct call_event *event, struct call_actions *out);

void update_step(struct call *call, const struct call_event *event, struct call_actions *out);
