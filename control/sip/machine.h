// SPDX-License-Identifier: BSD-3-Clause
// The four transaction machines of RFC 3261 17, as a table: which state comes next, and what is sent. Pure; any
// thread. What a machine does not see is elsewhere: keys, the lengths of timers, and everything behind the
// final response but the wait of an INVITE server transaction for the ACK to its refusal.
#pragma once

#include <stdint.h>

enum sip_kind { SIP_CLIENT_INVITE, SIP_CLIENT_OTHER, SIP_SERVER_INVITE, SIP_SERVER_OTHER, SIP_KIND_COUNT };

// The RFC's states; an INVITE client transaction's Calling is TRYING here, Confirmed is ENDED (a record waits).
enum sip_state {
    SIP_STATE_TRYING,
    SIP_STATE_PROCEEDING,
    SIP_STATE_COMPLETED,
    SIP_STATE_ENDED,
    SIP_STATE_COUNT
};

enum sip_event {
    SIP_ON_BEGIN,   // client: the request leaves
    SIP_ON_AGAIN,   // server: the request came again
    SIP_ON_REPEAT,  // timers A, E, G
    SIP_ON_GIVE_UP, // timers B, F, H
    SIP_ON_1XX,     // a response came (client), or the user gives one (server)
    SIP_ON_2XX,
    SIP_ON_REST, // 300 and above
    SIP_ON_ACK,  // server: to a response of 300 and above
    SIP_EVENT_COUNT
};

enum sip_send {
    SIP_SEND_NOTHING,
    SIP_SEND_OUT, // the request (client), the last response (server)
    SIP_SEND_ACK,
};

struct sip_step {
    uint8_t state; // enum sip_state
    uint8_t send;  // enum sip_send
};

// The state in which a transaction begins.
enum sip_state sip_machine_first(enum sip_kind kind);

// What an event does in a state. An event that means nothing there changes nothing.
struct sip_step sip_machine_step(enum sip_kind kind, enum sip_state state, enum sip_event event);

// The event that a response is. `status` is 100 to 699.
enum sip_event sip_machine_response(int status);
