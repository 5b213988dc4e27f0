// SPDX-License-Identifier: BSD-3-Clause
// Between the files of the agent.
#pragma once

#include "control/agent/agent.h"
#include "control/base/dns.h"
#include "control/base/log.h"
#include "control/call/refer.h"
#include "control/call/transfer.h"
#include "control/sip/dialog.h"
#include "control/sip/method.h"
#include "control/sip/replaces.h"
#include "control/trunk/headers.h"
#include "control/trunk/number.h"
#include "control/trunk/registration.h"
#include "control/trunk/way.h"

enum { AGENT_NUMBERS_MAX = CALL_NUMBERS_MAX };
enum { AGENT_REFERS_MAX = 4 }; // of a call whose outcome is not known yet
enum {
    AGENT_TAG_BUCKETS = 16384,
    AGENT_LATER_MAX = 4 * CALL_ACTIONS_MAX,
    AGENT_CONTACT_MAX = 384,
    AGENT_OPTIONS_MAX = 256
};

// What the stack gives back as owner of a transaction.
struct agent_user {
    struct sip_owner sip; // first
    enum { AGENT_LEG, AGENT_PROBE, AGENT_RELAY, AGENT_NOTIFIER, AGENT_REGISTER } kind;
};

struct agent_leg;

// One dialog of a leg, early or confirmed.
struct agent_dialog {
    struct agent_leg *leg;
    struct agent_dialog *next;     // of its leg
    struct agent_dialog *tag_next; // in its bucket
    uint8_t id;                    // its number in the call machine; 0: A's only one
    bool bound;                    // `sip` is filled: requests can be sent
    char tag[SIP_TAG_LEN];         // ours; key of the table
    char *remote_tag;              // B: what tells it from other forks
    struct sip_dialog sip;
    uint32_t rseq;      // of the last reliable provisional: A's, that we sent; B's, that was taken. 0: none
    uint32_t rseq_cseq; // A: its INVITE's CSeq
    bool rseq_open; // A: its PRACK is not here yet; it may come behind our final answer (RFC 3262 section 3)
};

struct agent_leg {
    struct agent_user user; // first
    uint8_t side;
    struct agent_call *owner;
    struct generation *generation;   // that it began with; its side of the call machine reads there
    struct trunk *trunk;             // B: the one tried last, NULL: none yet
    uint32_t tried[TRUNK_TRIED_MAX]; // B: targets of it (ids) that the INVITE was sent to, the last one last
    uint8_t tried_count;
    enum tl_uri_scheme scheme;    // of our Contact, From and Request-URI to it
    struct trunk_leg taken;       // what it takes of that trunk
    struct header_view *invite;   // A: its first one, as far as later ones to others can need it
    char number[SIP_NUMBER_MAX];  // who is there
    char contact[SIP_NUMBER_MAX]; // user part of our Contact to this side: whom the other one is to it
    struct agent_dialog *dialogs; // oldest first
    struct agent_dialog *main;    // the confirmed one, or A's until there is one
    uint8_t dialog_ids;           // the last number given
    char tag[SIP_TAG_LEN];        // B: ours in the INVITE, so in all its dialogs
    char call_id[64];             // B: of the INVITE
    uint32_t invite_cseq;         // of the last INVITE of ours
    struct sip_txn *invite_in;    // waits for our final answer
    struct sip_txn *invite_out;   // waits for a final response, or its 2xx for our ACK
    struct sip_txn *update_in, *update_out;
    struct sip_txn *prack_in;
    struct sip_txn *bye;
    struct agent_notifier *notifier; // of a REFER that it sent and we carry out; NULL: none
    bool referred;                   // it has sent one before
    bool news;                       // it talks to another one than it knows ...
    bool telling;                    // ... and a request of ours that says so is out
};

struct agent_timer {
    struct wheel_timer timer;
    struct agent_call *owner;
    enum call_timer which;
};

// What a side's last message says that the other may hear, once: a copy, because the message is gone as soon as it is
// answered, and what follows from it may wait for the dataplane.
struct agent_said {
    struct header_view *view; // NULL: nothing
    int status;               // 0: a request
};

struct agent_relay;    // relay.c
struct agent_notifier; // notify.c
struct agent_transfer; // carry_out.c

struct agent_call {
    struct agent *agent;
    struct agent_call *next, **link; // list of all calls, newest first
    uint64_t id;
    struct generation *generation; // that it began with: routes, and what belongs to no leg
    struct call_env env;
    struct call call;
    struct agent_leg *leg[2]; // each in memory of its own
    struct agent_timer timer[CALL_TIMER_COUNT];
    struct media_session *media;
    uint64_t start_ms, answer_ms; // 0: not answered
    bool emergency;               // as in struct way
    bool sips;                    // A called a sips: URI: nothing of it leaves TLS (RFC 5630 section 5.3)
    unsigned max_forwards;        // for B's INVITE
    unsigned own_hops;            // likewise: nodes of ours that it has passed, this one too
    char calling[SIP_NUMBER_MAX], called[SIP_NUMBER_MAX]; // inside
    char said_calling[SIP_NUMBER_MAX];                    // as A's INVITE has it
    struct agent_said said[2];                            // by side
    char *location; // A's, the body part, NULL: none or no trunk of the route gets it
    char numbers[AGENT_NUMBERS_MAX][SIP_NUMBER_MAX]; // that 3xx led to
    char *replaces; // of the Refer-To that it follows, for the INVITE to B; NULL: none
    uint8_t number_count;
    uint8_t number; // B is called by numbers[number - 1], 0: by `called`
    char *contacts; // value of Contact for a 3xx to A, or NULL
    struct refer_relayed refers[AGENT_REFERS_MAX];
    struct agent_transfer *transfer; // that it has a part in, NULL: none
    struct agent_relay *relays;      // requests that go from one side to the other
    bool attempt;                    // an INVITE to B's trunk has no result yet
    uint64_t heard[2], heard_ms[2],
        heard_limit_ms[2]; // dead.c: what each leg has sent, and since when no more
    int b_status;          // of B's last refusal, 0: none
    char b_phrase[48];
    uint8_t b_cause; // Q.850, 0: none
    // the event under way
    bool stepping;
    struct sip_txn *txn; // its BYE
};

// Who we are to the trunk of that name, and with `user` to its registrations that have that login.
struct agent_account {
    char trunk[TL_NAME_MAX];
    char user[TL_LOGIN_USER_LEN];
    struct sip_account *account;
};

struct agent_accounts {
    struct agent_account *account; // sorted
    size_t count;
};

enum { AGENT_SERVICE_ROUTES = 8, AGENT_WHY_MAX = 200 };

// An address of record that is registered at a trunk's peer; register.c.
struct agent_registration {
    struct agent_user user; // first
    struct agent *agent;
    struct agent_registration *next;
    char trunk[TL_NAME_MAX];
    struct tl_registration_config config;
    struct registration state;
    struct wheel_timer timer;
    uint32_t target;                 // id, of the trunk's target that was asked last
    struct sip_txn *txn;             // waits for its answer
    bool leaving;                    // ... which says that the contact is taken back
    char contact[AGENT_CONTACT_MAX]; // as it was sent last
    char *routes[AGENT_SERVICE_ROUTES];
    unsigned route_count;
    char why[AGENT_WHY_MAX]; // it failed last; "": it did not
};

// An OPTIONS to a trunk that waits for its answer.
struct agent_probe {
    struct agent_user user; // first
    struct agent *agent;
    struct agent_probe *next, **link;
    struct generation *generation; // keeps `trunk`
    struct trunk *trunk;
    uint32_t target; // id
};

// A host that is no trunk's any more and has calls with us; former.c.
struct agent_former_host {
    struct tl_addr host;
    uint32_t trunk; // number of the one that it was of; 0: not known
};

struct agent_former {
    struct agent_former_host *host; // sorted
    size_t count;
    struct wheel_timer timer;
};

struct agent {
    struct loop *loop;
    const char *file; // of the configuration
    struct sip_stack *stack;
    struct media *media;
    struct trunk_table trunks;
    struct agent_accounts accounts;
    struct agent_registration *registrations; // in the order of the configuration that they came with
    unsigned leaving;                         // of them, at the end
    void (*left)(void *arg);
    void *left_arg;
    struct wheel_timer leave_timer;
    struct dns *dns;                 // NULL: no name was asked for yet
    struct tl_dns_config dns_config; // that it has
    struct wheel_timer names_timer;
    struct log_limit names_limit;
    bool names_moved; // in the look under way
    struct agent_former former;
    struct agent_probe *probes;
    struct wheel_timer probe_timer;
    struct call_actions actions; // of the step under way; one step at a time
    // of the message of the event under way; a copy, because the message is gone as soon as it is answered
    int status; // 0: no response
    char phrase[128];
    char allow[128];         // that is being made
    char room[HEADERS_ROOM]; // of the headers that are being made
    // Events without SDP that actions of the step under way brought about, oldest first. Each action brings one at the most.
    struct call_event later[AGENT_LATER_MAX];
    unsigned later_first, later_count;
    struct agent_call *calls;
    struct agent_call *dead_at; // where the look for dead calls goes on; agent_call_free() keeps it alive
    struct wheel_timer dead_timer;
    bool dead_armed;
    struct agent_call *walk; // where a walk that ends calls goes on; agent_call_free() keeps it alive
    uint64_t next_id;
    uint64_t start_ms;
    struct agent_counters counters;
    struct log_limit away_limit, full_limit, failed_limit, attempt_limit;
    struct wheel_timer pace_timer; // while calls come, or come no faster than they may
    struct agent_dialog *tags[AGENT_TAG_BUCKETS];
};

extern const char agent_hops_header[]; // counts our nodes that a call has passed
extern const char agent_sdp_type[];    // "application/sdp"

// ---- agent.c ----
void agent_respond(struct sip_txn *txn, int status, unsigned retry_after, const char *headers);
// The same inside a dialog, where Allow is that of the trunk.
void agent_respond_in(const struct agent_dialog *d, struct sip_txn *txn, int status, const char *headers);
// The trunk of the leg and its listener, in its generation.
const struct tl_trunk_config *agent_leg_trunk(const struct agent_leg *leg);
const struct tl_listener_config *agent_leg_listener(const struct agent_leg *leg);
struct sip_str agent_sdp_of(const struct sip_msg *msg);
bool agent_body_refused(const struct sip_msg *msg); // a 415

// Says which trunks send SRTP keys in the clear.
void agent_warn_about_keys(const struct tl_config *config);

// ---- accounts.c ----

// Reads the passwords of all trunks. Returns 0; or -errno with one sentence in `why` and nothing in *out.
int agent_accounts_read(struct agent_accounts *out, const struct tl_config *config, char *why,
                        size_t why_size);
void agent_accounts_fini(struct agent_accounts *set);
// Who we are to a trunk, for its registrations with the login `user`, else with "". NULL: nobody.
struct sip_account *agent_account(const struct agent *agent, const char *trunk, const char *user);
// The CSeq with which a request of a leg leaves once more, with credentials; 0: not any more.
uint32_t agent_again(struct agent_leg *leg, const struct sip_txn *txn, const struct sip_msg *response);

// ---- register.c ----

// Begins what the current configuration has, and goes on with what it had before. 0 or -ENOMEM.
int agent_registers_begin(struct agent *agent);
// Takes back what `next`, the configuration to come, has no more.
void agent_registers_withdraw(struct agent *agent, const struct tl_config *next);
void agent_registers_fini(struct agent *agent);
void agent_register_response(struct agent_registration *r, const struct sip_msg *msg);
void agent_register_failure(struct agent_registration *r, enum sip_failure why);
uint32_t agent_register_again(struct agent_registration *r);
// The values of Route for a request of ours outside of dialogs (RFC 3608), good until the loop goes on. Returns how many.
unsigned agent_service_route(const struct agent *agent, const char *trunk, const char *const **routes);

// ---- facts.c ----

// What a message says to the call machine beside its SDP.
void agent_facts(const struct sip_msg *msg, struct call_facts *out);
// Lines of Supported, Require, Session-Expires and Min-SE of a request of ours, and of an answer, there with Unsupported;
// "" for none.
void agent_request_options(const struct tl_trunk_config *trunk, const struct call_action *a,
                           char out[static AGENT_OPTIONS_MAX]);
void agent_answer_options(const struct tl_trunk_config *trunk, const struct call_action *a,
                          char out[static AGENT_OPTIONS_MAX]);
// The methods that we take on that trunk, and Allow for a set of them: good until the next one is made.
uint32_t agent_methods(const struct tl_trunk_config *trunk);
const char *agent_allow(struct agent *agent, uint32_t methods);
// "Warning: 399 HOST \"sentence\"" line of RFC 3261 20.43.
void agent_warning_line(const struct agent_leg *leg, const struct sip_flow *flow, const char *sentence,
                        char *out, size_t size);

// ---- requests.c ----
// A request of theirs inside a dialog.
void agent_in_dialog(struct agent_dialog *d, struct sip_txn *txn, const struct sip_msg *msg);

// ---- responses.c ----
// What became of requests of ours.
void agent_response(struct agent_leg *leg, struct sip_txn *txn, const struct sip_msg *msg,
                    const struct sip_flow *flow);
void agent_failure(struct agent_leg *leg, struct sip_txn *txn, enum sip_failure why);

// ---- former.c ----

// Looks which hosts with calls are no trunk's: after the peers of trunks have changed.
void agent_former_look(struct agent *agent);
void agent_former_fini(struct agent *agent);
bool agent_is_former(const struct agent *agent, const struct tl_addr *host);
// Adds the numbers of the trunks that it was of to the `count` that are there. Returns how many there are then.
uint32_t agent_former_trunks(const struct agent *agent, const struct tl_addr *host, uint32_t *out,
                             uint32_t count, uint32_t max);

// ---- dialogs.c ----

// The dialog that a request belongs to by its tags and Call-ID, or NULL.
struct agent_dialog *agent_find_dialog(const struct agent *agent, const struct sip_msg *request);
// The one that a Replaces names (RFC 3891 section 3), or NULL.
struct agent_dialog *agent_find_replaced(const struct agent *agent, const struct sip_replaces *r);
// A's dialog with that number, made from its INVITE when it is new. NULL without memory.
struct agent_dialog *agent_dialog_a(struct agent_leg *leg, uint8_t id);
// B's dialog that a response belongs to, made or filled from it. NULL: it has no To tag, or there is no memory.
struct agent_dialog *agent_dialog_b(struct agent_leg *leg, const struct sip_msg *response,
                                    const struct sip_flow *flow);
// The dialog that an action or event names; 0: the main one. NULL: there is none yet.
struct agent_dialog *agent_dialog_get(const struct agent_leg *leg, uint8_t id);
// Only this one stays: it is confirmed.
void agent_dialog_confirm(struct agent_dialog *d);
void agent_dialogs_free(struct agent_leg *leg);

// ---- relay.c ----

// The dialog that a request goes to that is the other side's to answer: of an answered call, where that side allows the
// method. NULL with the status that turns it away.
struct agent_dialog *agent_relay_to(const struct agent_dialog *d, const struct sip_msg *msg,
                                    uint8_t call_method, int *status);
// What a relayed request says.
struct agent_words {
    const char *lines, *body_type; // "" for none
    struct sip_str body;
    struct refer_relayed *refer; // of a REFER or NOTIFY
};
// Sends it. Returns 0, and the other side's answer goes back; or the status that says why not. *cseq is what it has there.
int agent_relay_send(struct agent_dialog *to, struct sip_txn *txn, const struct sip_msg *msg,
                     const struct agent_words *words, uint32_t *cseq);
// Answers a request that is not relayed; Allow has not its method when that is why.
void agent_relay_refuse(const struct agent_dialog *d, struct sip_txn *txn, const struct sip_msg *msg,
                        int status);
// "NAME: VALUE" line of a message behind what is in `out`, if it has one and it fits.
void agent_add_line(const struct sip_msg *msg, const char *name, char *out, size_t size);

// INFO (RFC 6086).
void agent_relay_info(struct agent_dialog *d, struct sip_txn *txn, const struct sip_msg *msg);
// What became of it on the other side; the relay may be gone afterwards.
void agent_relay_response(struct agent_relay *relay, const struct sip_msg *msg);
void agent_relay_failure(struct agent_relay *relay, struct sip_txn *txn, enum sip_failure why);
// The CSeq with which it leaves once more, with credentials; 0: not any more.
uint32_t agent_relay_again(struct agent_relay *relay, const struct sip_msg *response);
// Ends them all: who waits is answered `status`, 481 where its dialog has gone; with 500 comes a Retry-After.
void agent_relays_free(struct agent_call *c, int status);

// ---- transfer.c ----

void agent_take_refer(struct agent_dialog *d, struct sip_txn *txn, const struct sip_msg *msg);
void agent_take_notify(struct agent_dialog *d, struct sip_txn *txn, const struct sip_msg *msg);

// ---- carry_out.c ----

// A REFER that we carry out ourselves.
void agent_carry_out_refer(struct agent_dialog *d, struct sip_txn *txn, const struct sip_msg *msg);
// The party of the dialog is to be replaced by who has sent the INVITE of `c`, in the session of that call. False: no memory.
bool agent_transfer_replace(const struct agent_dialog *d, struct agent_call *c);
// A call that has a part in a transfer did something: what is due now is done. The call may be gone afterwards.
void agent_transfer_turn(struct agent_call *c);
// The same before the actions that end it: who asked for the transfer hears of it first.
void agent_transfer_ending(struct agent_call *c);
// The call is freed: the transfer has no part in any more.
void agent_transfer_drop(struct agent_call *c);
// What the call answers in the place of who stands in, and what became of a party that was put there.
void agent_transfer_answer(struct agent_call *c, int status);
void agent_transfer_joined(struct agent_call *c, int status);
// Where those stand whom a new session is made for.
void agent_transfer_past(const struct agent_call *c, struct media_past past[2]);

// ---- connected.c ----

// Another one than before is on the other side of that leg: the next request that has an offer for it says who, if its trunk's
// `connected_identity` wants that, and our Contact there does.
void agent_connected(struct agent_leg *to);
// The lines that say so, in agent->room, "" where there is no news; in `d`, unless NULL, From changes, too (RFC 4916).
const char *agent_connected_lines(struct agent_leg *to, struct agent_dialog *d);
// The request that said it was answered, or nothing came back.
void agent_connected_told(struct agent_leg *to, bool taken);

// ---- replace.c ----

// An INVITE with Replaces (RFC 3891) of the peer of `from`. False: it has none, or none that the trunk takes.
bool agent_take_replaces(struct agent *agent, struct sip_txn *txn, const struct sip_msg *msg,
                         struct trunk *from);
// Puts the party on side `s` of `a` where that on side `w` of `b` is, and the other way round; events for both follow.
void agent_swap(struct agent_call *a, uint8_t s, struct agent_call *b, uint8_t w);

// ---- notify.c ----

// Begins to tell a leg what becomes of its REFER. 0 or -ENOMEM.
int agent_notify_begin(struct agent_leg *leg, uint32_t cseq, bool quiet);
// Tells it a status; nothing where it has not asked.
void agent_notify_tell(struct agent_leg *leg, int status);
// Whether it still waits for the outcome of one.
bool agent_notify_open(const struct agent_leg *leg);
// Forgets what is not said yet.
void agent_notify_end(struct agent_leg *leg);
void agent_notify_answered(struct agent_notifier *n, int status);
// The CSeq with which its NOTIFY leaves once more, with credentials; 0: not any more.
uint32_t agent_notify_again(struct agent_notifier *n, const struct sip_msg *response);

// ---- redirect.c ----

// The number in the user part of a URI, without the separators of RFC 3966 5.1.1 where it is one. False: there is none.
bool agent_number_of(struct sip_str uri, char out[SIP_NUMBER_MAX]);

// What a 3xx to the INVITE to B means for the call, into the event; `room` has TL_ROUTE_TRUNKS_MAX targets.
void agent_redirect(struct agent_call *c, const struct sip_msg *msg, struct call_event *event,
                    struct call_target *room);

// Writes the numbers that 3xx have led to as a section "redirect" of a record; nothing where none did.
struct record;
struct record_writer;
void agent_redirect_save(struct record_writer *w, const struct agent_call *c);
// Reads it back from the record `in`. 0, also without one; -EINVAL: something in it is missing or cannot be, and the call has no number then.
int agent_redirect_load(struct agent_call *c, const struct record *in);

// ---- call.c ----

// Targets of the call machine for the number that it calls as number `number`.
void agent_targets(const struct way *way, uint8_t number, struct call_target out[static TL_ROUTE_TRUNKS_MAX]);

// Makes a call: without parties, which agent_call_free() takes all the same, and for an INVITE. NULL without memory.
struct agent_call *agent_call_make(struct agent *agent);
struct agent_call *agent_call_new(struct agent *agent, struct sip_txn *invite, const struct sip_msg *msg,
                                  struct trunk *from, const struct way *way, int *error);
void agent_call_free(struct agent_call *c);

// Gives the call an event and does what comes of it; the call may be gone afterwards. `msg` and `txn` may be
// NULL.
void agent_event(struct agent_call *c, struct call_event *event, const struct sip_msg *msg,
                 struct sip_txn *txn);

// An event that an action of the step under way brings about: taken when its actions are done.
void agent_later(struct agent_call *c, const struct call_event *event);

// agent_event() without a message.
void agent_plain_event(struct agent_call *c, enum call_event_type type, unsigned side, int status);

extern const struct media_user agent_media_user;

// ---- act.c ----
void agent_carry_out(struct agent_call *c, const struct call_action *a);
// Arms a timer of the call.
void agent_arm(struct agent_call *c, enum call_timer which, uint64_t ms);
// How the INVITE to B's trunk ended: status, 0 for no answer.
void agent_attempt_result(struct agent_call *c, unsigned status);
// The same, and a line in the log: that trunk `why`, "answered 503" for one.
void agent_attempt_failed(struct agent_call *c, unsigned status, const char *why);
// A request of the dialog with Contact where the method has one. `contact` has `size` bytes and lives as long as *r.
void agent_dialog_request(struct agent_dialog *d, enum sip_method method, struct sip_request *r,
                          char *contact, size_t size);

// ---- text.c ----

// Copies the headers of a message. NULL without memory.
struct header_view *agent_keep(const struct sip_msg *msg);
// Notes what that side's message says for the other one.
void agent_hear(struct agent_call *c, unsigned side, const struct sip_msg *msg);
void agent_forget(struct agent_said *said);
// Keeps A's location where a trunk of the route may get it.
void agent_keep_location(struct agent_call *c, const struct sip_msg *invite, const struct way *way);

// How numbers go to that leg from the other one.
struct number_pass agent_number_pass(const struct agent_leg *to);

// The plan for the INVITE to B, in agent->room. Returns 0 or as headers_plan().
int agent_plan_invite(struct agent_call *c, const struct sip_flow *flow, struct header_plan *plan);
// The body of that INVITE and its type: the SDP, with A's location where the trunk gets it. It lies in `room`, which the
// caller frees, or is the SDP itself.
void agent_invite_body(struct agent_call *c, struct sip_request *request, char type[static LOCATION_TYPE_MAX],
                       char **room);
// Lines for a request inside the dialog of that side or the CANCEL of its INVITE, from what the other said: of a request of theirs, or for BYE
// whatever it was. They lie in agent->room; "" for none. What was said is used up.
const char *agent_request_lines(struct agent_call *c, const struct agent_leg *leg, enum sip_method method);
// The same for an answer to a request of that side. `setup`: to its first INVITE.
const char *agent_answer_lines(struct agent_call *c, const struct agent_leg *leg, int status, bool setup);

// The reason phrase of the response under way for an answer to that side. False: there is none that can go along.
bool agent_phrase(const struct agent_leg *leg, const struct sip_flow *flow, char *out, size_t size);

// Our Contact for that side on that flow: the other side's number at our address or name. "" when it does not fit.
void agent_contact(const struct agent_leg *leg, const struct sip_flow *flow, char *out, size_t size);

// ---- sender.c ----
// The trunk whose peer sent a request, or NULL: nobody's. Without the request (NULL) its Via cannot choose among several.
struct trunk *agent_sender(struct agent *agent, const struct sip_msg *msg, const struct sip_flow *flow);
// Keeps with a request whose peer sent it: dialogs of it are towards that trunk.
void agent_know_sender(struct agent *agent, struct sip_txn *txn, const struct trunk *from);
// Where what begins with us goes to a target of a trunk that has these settings.
struct sip_flow agent_flow(struct agent *agent, const struct tl_trunk_config *t, const struct trunk *trunk,
                           const struct trunk_target *target);
// Where the dialog's next request goes: sip_dialog_next_hop(), and another host of its trunk is not elsewhere.
struct sip_flow agent_next_hop(const struct agent_dialog *d);
// Whether what came by a flow can be of the leg's trunk: of its peer as it is now or, where the address is nobody's now, as it was
// when the call began.
bool agent_is_of_leg(const struct agent_leg *leg, const struct sip_flow *flow);
// Whether a request inside a dialog comes from its peer: from its host or another one of its trunk, and as safely as the
// dialog was made.
bool agent_from_peer(struct agent *agent, const struct agent_dialog *d, const struct sip_flow *flow);
// The target of a trunk that a B leg tried last; NULL: none, or it is not there any more.
struct trunk_target *agent_leg_target(const struct agent_leg *leg);
// Whether the trunk of a B leg has a target that was not tried.
enum call_more agent_more(const struct agent_leg *leg);
// sip_user's.
uint32_t agent_on_connection(void *arg, uint32_t listener, const struct tl_addr *remote, uint32_t *out,
                             uint32_t max);

// ---- admit.c ----
// Looks at an INVITE before it is a call. Returns 0, whose it is and the trunks to try; or the status that turns it away, with a
// sentence and, for one of a limit, the lines that say so to the peer ("" for none).
struct agent_admission {
    struct trunk *from;
    struct way way; // its sentence too
    char lines[TL_HOST_MAX + 64];
};
int agent_admit(struct agent *agent, struct sip_txn *txn, const struct sip_msg *msg,
                const struct sip_flow *flow, struct agent_admission *out);
// A trunk takes no more calls to it: a line in the log, now and then.
void agent_say_full(struct agent *agent, const struct trunk *trunk, enum trunk_limit limit);

// ---- dead.c ----
// Looks for calls without media from now on, as long as there are calls.
void agent_dead_arm(struct agent *agent);

// ---- sips.c ----
// Whether a request was sent to a sips: URI.
bool agent_is_sips(const struct sip_msg *msg);
// What a call needs of the trunks that it goes to.
enum trunk_need agent_need(bool sips);
// The scheme of our Contact in the answer to a request that makes a dialog (RFC 3261 12.1.1).
enum tl_uri_scheme agent_answer_scheme(const struct sip_msg *request);
// Whether the Contact of a sips: INVITE is none that TLS leads to, which is a 400 (RFC 5630 section 5.3).
bool agent_is_mixed(const struct sip_msg *invite);
// "Warning: 380 HOST "SIPS Not Allowed"", of a 480, or 381 and "SIPS Required" (RFC 5630 section 5.1.2). `trunk`: whose peer
// hears it, NULL: nobody's.
enum { AGENT_SIPS_LINE = TL_HOST_MAX + 48 };
void agent_sips_warning(const struct tl_trunk_config *trunk, const struct sip_flow *flow, bool required,
                        char out[static AGENT_SIPS_LINE]);
// Whether a leg whose dialog is sip: names somebody to be called as sips:, which whoever it talks to could not do (RFC 5630
// section 5.1.1.3). A leg whose dialog is sips: names everybody so.
bool agent_asks_for_more(const struct agent_leg *by, struct sip_str uri);
// Refuses a request outside of dialogs that was sent to a sips: URI and did not come over TLS. False: it is none.
bool agent_refuse_clear(struct agent *agent, struct sip_txn *txn, const struct sip_msg *msg,
                        const struct sip_flow *flow);

// ---- names.c ----
// Looks up the names of the current configuration's peers from now on; again after a reload.
void agent_names_begin(struct agent *agent);
void agent_names_fini(struct agent *agent);

// ---- probe.c ----
void agent_probes_init(struct agent *agent);
void agent_probes_fini(struct agent *agent);
// A new generation is the current one: who is asked no more is forgotten, who is new is asked.
void agent_probes_reload(struct agent *agent);
// What came of an OPTIONS; frees `probe`.
void agent_probe_result(struct agent_probe *probe, unsigned status);
void agent_say_trunk(const struct trunk *trunk, enum trunk_change change);
// The same of one of its targets; nothing where it has no other.
void agent_say_target(const struct trunk *trunk, const struct trunk_target *target, enum trunk_change change);
