// SPDX-License-Identifier: BSD-3-Clause
// Between the files of the call machine.
#pragma once

#include "control/call/call.h"

enum call_exchange_stage {
    EXCHANGE_ASKED, // INVITE to the other side is out
    EXCHANGE_MEDIA, // both have spoken, the dataplane is being told
    EXCHANGE_LATE,  // without an offer: the other side's offer went to `from`, whose ACK brings the answer
    EXCHANGE_QUIET, // withdrawn by `from`; the other side's final response is awaited
};

// An offer that goes from one side to the other while the call is up. Until both have agreed,
// call->side[].neg stays what it is.
struct call_exchange {
    enum call_exchange_stage stage;
    uint8_t from;
    bool late; // no offer in the INVITE
    bool undo; // `from` withdrew what the other side then took: that side is to go back too
    struct neg_leg neg[2];
};

// ---- actions (call_act.c) ----
struct call_action *act(struct call_actions *out, enum call_action_type type, uint8_t side);
void act_answer(struct call *call, struct call_actions *out, uint8_t side, int status, int body_len);
void act_answer_503(struct call *call, struct call_actions *out, uint8_t side);
void act_timer(struct call_actions *out, enum call_timer timer, uint64_t ms);
void act_modify(struct call *call, struct call_actions *out);
void act_ack(struct call *call, struct call_actions *out, uint8_t side, int body_len);

// ---- ending (call_end.c) ----

// Ends the call whatever its state: unanswered INVITEs get `status` (those of later offers 487), INVITEs of
// ours are abandoned, dialogs get a BYE, the session is deleted.
void end_call(struct call *call, struct call_actions *out, int status, const char *why);
void end_step(struct call *call, const struct call_event *event, struct call_actions *out);

// ---- setting up (call_setup.c) ----
void setup_step(struct call *call, const struct call_event *event, struct call_actions *out);

// ---- while it is up (call_update.c) ----
void update_step(struct call *call, const struct call_event *event, struct call_actions *out);
void exchange_drop(struct call *call);
