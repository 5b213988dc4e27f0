// SPDX-License-Identifier: BSD-3-Clause
// One call, placed or answered: SIP session, media, its plan and what came of it. All on the event loop's
// thread.
#pragma once

#include "tools/loadgen/negotiate.h"

enum call_role { CALL_CALLER, CALL_CALLEE };

enum call_state {
    CALL_SETUP,  // INVITE sent, or 200 sent and no ACK yet
    CALL_UP,     // ACK sent or received
    CALL_ENDING, // BYE sent or received; the SIP session still has something to finish
    CALL_OVER,   // nothing is left of it but this record
};

enum hold_state {
    HOLD_NONE,
    HOLD_ASKED,    // counting stopped, the far side is asked in its packets to stop too
    HOLD_AGREED,   // it did; the guard runs
    HOLD_SENT,     // re-INVITE sent
    HOLD_ON,       // answered
    HOLD_RESUMING, // second re-INVITE sent
    HOLD_DONE,
};

struct agent;

struct call {
    struct le le;   // in the agent's list
    struct le he;   // by Call-ID
    struct le slot; // of the media clock
    struct agent *agent;
    enum call_role role;
    enum call_state state;
    uint32_t label;
    struct sipsess *session;
    struct negotiation negotiation;
    struct stream stream;
    struct schedule plan;

    int64_t invited_us, up_us; // monotonic
    uint32_t setup_us;         // INVITE to 200; valid for a caller that came up
    uint32_t next_report;      // ms since ACK

    enum hold_state hold;
    uint32_t hold_since; // ms since ACK: when `hold` was entered
    uint32_t holds_seen; // re-INVITEs of the far side that held
    bool held_by_peer;

    bool bye_sent, bye_received;
    uint16_t bye_status; // of the answer to our BYE, 0: none
    uint16_t last_error; // last final SIP failure within this call
    char failure[120];   // the first thing that went wrong, empty: none
    char *call_id;       // NULL: none yet
};

// Places call `label`. The call is in the agent's list and hands itself over to CALL_OVER, also after a
// failure here.
void call_place(struct agent *agent, uint32_t label);

// Answers an INVITE outside a dialog.
void call_answer(struct agent *agent, const struct sip_msg *msg);

// One media tick of a call that is in setup or up. `tick` counts 20 ms steps.
void call_tick(struct call *c, uint32_t tick);

// Stops counting and sends the BYE `SCHEDULE_GUARD_MS` later; a call in setup is given up at once.
void call_hang_up_early(struct call *c);

// Ends whatever is left, without waiting: what was still up is a failure.
void call_abandon(struct call *c);

// Records the first failure.
__attribute__((format(printf, 2, 3))) void call_fail(struct call *c, const char *format, ...);

// Judges a call that is over: adds what its counts show to `failure`. Returns true when nothing failed.
bool call_judge(struct call *c);
