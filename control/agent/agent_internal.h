// SPDX-License-Identifier: BSD-3-Clause
// Between the files of the agent.
#pragma once

#include "control/agent/agent.h"
#include "control/base/log.h"
#include "control/sip/dialog.h"

enum { AGENT_TAG_BUCKETS = 16384, AGENT_LATER_MAX = 16 };

// What the stack gives back as owner of a transaction.
struct agent_user {
    struct sip_owner sip; // first
    enum { AGENT_LEG, AGENT_PROBE } kind;
};

struct agent_leg {
    struct agent_user user; // first
    uint8_t side;
    struct agent_call *owner;
    struct sip_dialog dialog; // made with the first 2xx, either way
    bool has_dialog;
    char tag[SIP_TAG_LEN];      // ours; key of the dialog table
    struct agent_leg *tag_next; // in its bucket
    struct sip_txn *invite_in;  // waits for our final answer
    struct sip_txn *invite_out; // waits for a final response, or its 2xx for our ACK
    struct sip_txn *ack_due;    // our 2xx to it waits for its ACK
    struct sip_txn *bye;
};

struct agent_timer {
    struct wheel_timer timer;
    struct agent_call *owner;
    enum call_timer which;
};

struct agent_call {
    struct agent *agent;
    struct agent_call *next, **link; // list of all calls, newest first
    uint64_t id;
    struct call call;
    struct agent_leg leg[2];
    struct agent_timer timer[CALL_TIMER_COUNT];
    struct media_session *media;
    uint64_t start_ms, answer_ms; // 0: not answered
    unsigned max_forwards;        // for B's INVITE
    char calling[SIP_NUMBER_MAX], called[SIP_NUMBER_MAX];
    char *from;            // From of B's INVITE without its tag
    char *headers;         // lines that go along to B, or NULL
    struct trunk *trunk_b; // that has this call's leg
    bool attempt;          // an INVITE to trunk_b has no result yet
    // the event under way
    bool stepping;
    struct sip_txn *txn;
    bool gave_up;         // the event is that B did not respond in time
    unsigned later_count; // events that came up while acting, without SDP
    struct call_event later[AGENT_LATER_MAX];
};

struct agent_probe {
    struct agent_user user; // first
    struct agent *agent;
    struct trunk *trunk;
    uint32_t cseq;
};

struct agent {
    struct loop *loop;
    const struct tl_config *config;
    struct sip_stack *stack;
    struct media *media;
    struct trunk_table trunks;
    struct agent_probe *probes;
    struct wheel_timer probe_timer;
    struct call_env env;
    struct call_actions actions; // of the step under way; one step at a time
    // what the message of the event under way says for the other side; a copy, because the message is gone as
    // soon as it is answered
    int status; // 0: no response
    char phrase[128];
    char reason[512]; // lines of RFC 3326
    struct agent_call *calls;
    uint64_t next_id;
    uint64_t start_ms;
    struct agent_counters counters;
    struct log_limit away_limit;
    struct agent_leg *tags[AGENT_TAG_BUCKETS];
};

// ---- agent.c ----
void agent_respond(struct sip_txn *txn, int status, unsigned retry_after, const char *headers);
const char *agent_trunk_name(const struct agent *agent, uint32_t trunk);

// ---- agent_call.c ----

// Makes a call for an INVITE. NULL without memory.
struct agent_call *agent_call_new(struct agent *agent, struct sip_txn *invite, const struct sip_msg *msg,
                                  const struct sip_flow *flow, struct trunk *from, const uint32_t *trunks,
                                  unsigned trunk_count, int *error);
void agent_call_free(struct agent_call *c);
void agent_set_tag(struct agent_leg *leg, const char *tag);
struct agent_leg *agent_find_leg(const struct agent *agent, const struct sip_msg *request);

// Gives the call an event and does what comes of it; the call may be gone afterwards. `msg` and `txn` may be
// NULL.
void agent_event(struct agent_call *c, struct call_event *event, const struct sip_msg *msg,
                 struct sip_txn *txn);

// The same without a message.
void agent_plain_event(struct agent_call *c, enum call_event_type type, unsigned side, int status);

extern const struct media_user agent_media_user;

// ---- agent_act.c ----
void agent_carry_out(struct agent_call *c, const struct call_action *a);
// How the INVITE to trunk_b ended: status, 0 for no answer.
void agent_attempt_result(struct agent_call *c, unsigned status);

// ---- agent_text.c ----

// From of the INVITE to B, without tag: the caller's name and number at our address. NULL without memory.
char *agent_make_from(const struct sip_msg *invite, const char *calling, const struct sip_flow *flow);
// Header lines that pass from A to B. NULL: none, or no memory.
char *agent_pass_headers(const struct sip_msg *invite);
// "sip:USER@HOST:PORT", with transport over TCP, USER escaped. Cut to size.
void agent_uri(char *out, size_t size, const char *user, const struct tl_addr *addr,
               enum tl_transport transport);
// Our Contact on that flow, "<URI>", as sip_flow_contact() has it but with USER escaped: it came from
// outside.
void agent_contact(char *out, size_t size, const char *user, const struct sip_flow *flow);
// Reason lines of a message (RFC 3326), to go along. "" without any.
void agent_reason_lines(const struct sip_msg *msg, char *out, size_t size);
// Port in the topmost Via, 0: none.
uint16_t agent_via_port(const struct sip_msg *msg);

// ---- agent_probe.c ----
int agent_probes_init(struct agent *agent);
void agent_probes_fini(struct agent *agent);
void agent_probe_result(struct agent_probe *probe, unsigned status);
void agent_say_trunk(const struct trunk *trunk, enum trunk_change change);
