// SPDX-License-Identifier: BSD-3-Clause
// Inside of the transaction layer: finding a transaction, its timers, and what comes after the final response.
// machine.h decides what is sent. Loop's thread.
//
// Stages of a transaction:
//   LIVE        the machine runs (struct sip_live)
//   AWAIT_USER  our INVITE got its 2xx, the user has not ACKed yet
//   AWAIT_ACK   our 2xx to an INVITE is repeated until the ACK is here
//   WAITING     small record: answers what comes again until its deadline
#pragma once

#include "control/sip/gate.h"
#include "control/sip/io.h"
#include "control/sip/key.h"
#include "control/sip/machine.h"
#include "control/sip/msg_internal.h"
#include "control/sip/write.h"

enum sip_stage { SIP_LIVE, SIP_AWAIT_USER, SIP_AWAIT_ACK, SIP_WAITING };

enum sip_flag {
    SIP_FINAL = 1u << 0,         // the final response is sent or here
    SIP_PROVISIONAL = 1u << 1,   // a provisional one is
    SIP_CANCEL_WANTED = 1u << 2, // client: CANCEL as soon as a provisional is here
    SIP_CANCEL_SENT = 1u << 3,
    SIP_ABANDONED = 1u << 4, // client: the user has gone
    SIP_CANCELLED = 1u << 5, // server: the user was told
    SIP_BROKEN = 1u << 6,    // the transport failed
    SIP_FREE = 1u << 7,      // to be freed when no callback runs
    SIP_TO_TAG = 1u << 8,    // the request has a To tag: it is inside a dialog
    SIP_ACK_ONLY = 1u << 9,  // client INVITE: the 2xx is ACKed, its dialog is not ours to end
    SIP_BY_TCP = 1u << 10,   // client: too long for the UDP that it was to go by
};

// What only a running machine needs.
struct sip_live {
    uint8_t state;              // enum sip_state
    struct sip_msg *request;    // theirs (server) or ours (client)
    struct sip_bytes *out;      // the request (client) or the last response (server)
    struct sip_bytes *ack;      // client INVITE: the ACK to a response of 300 and above
    char *cancel;               // client INVITE: further lines of its CANCEL, or NULL
    struct sip_bytes *reliable; // server INVITE: a provisional that waits for its PRACK
    uint32_t rseq;              // ... its number
    struct sip_waiter waiter;
};

struct sip_txn {
    struct sip_stack *stack;
    struct sip_txn *next, **link; // all transactions of the stack
    struct sip_node key, merge, ack;
    struct wheel_timer timer;
    uint64_t repeat_at, deadline; // ms on the wheel; 0 = off
    uint32_t interval;            // of repetitions, ms
    uint16_t flags;               // enum sip_flag
    uint8_t kind, stage;
    uint8_t busy;        // callbacks of the user that run
    uint16_t reply_port; // server over UDP: where the answer goes
    struct sip_owner *owner;
    struct sip_txn *owner_next, **owner_link; // all transactions of the owner
    struct sip_live *live;
    struct sip_bytes *repeat;    // WAITING, AWAIT_ACK: what a repetition gets
    struct sip_msg *answer;      // AWAIT_USER: the 2xx
    struct siphash_value winner; // client INVITE: To tag of its 2xx
    struct sip_account *account; // client: answers challenges, held; NULL: nobody does
    char *credentials;           // client: lines of its request, for the ACK to a 2xx, or NULL
    struct sip_auth auth;        // client: what was answered
    struct sip_flow flow;
    char tag[SIP_TAG_LEN]; // server: ours
};

enum { SIP_NO_TCP_PLACES = 1024 };

// A record with the bytes it repeats fits 1.5 kB.
enum {
    SIP_RECORD_BYTES = 1536,
    SIP_REPEAT_MAX = SIP_RECORD_BYTES - sizeof(struct sip_txn) - sizeof(struct sip_bytes)
};

struct sip_stack {
    struct wheel *wheel;
    unsigned loop_number;
    struct tl_control_config control; // copied at the start and by sip_core_configure()
    const struct tl_control_config *config;
    const struct tl_config *whole; // of the start: its listeners stay
    const struct sip_user *user;
    void *arg;
    const struct sip_io *io;
    void *io_arg;
    struct sip_transport *transport; // NULL in tests
    struct sip_gate gate;            // of the transport
    struct sip_table txns, merges, acks;
    struct sip_txn *all;
    void *names;           // of sip_own_name(): a tree of tsearch()
    struct sources no_tcp; // hosts that took no TCP when a request was too long for UDP
    struct sip_counters counters;
    uint32_t live_max, waiting_max;
    uint8_t secret[16];
};

// ---- the stack without sockets (tests give their own `io`) --------------------------------------------

// Everything of a stack but its sockets. `io` and `config` outlive it. Returns 0, -ENOMEM or -EIO (no random
// numbers).
int sip_core_new(struct wheel *wheel, unsigned loop_number, const struct tl_config *config,
                 const struct sip_user *user, void *arg, const struct sip_io *io, void *io_arg,
                 struct sip_stack **out);
void sip_core_free(struct sip_stack *stack);
void sip_core_configure(struct sip_stack *stack, const struct tl_control_config *config);

// Frees every transaction without a callback.
void sip_core_drop(struct sip_stack *stack);

// Takes one datagram, or one message cut from a stream. `bytes` is changed (unfolded) on the way.
void sip_core_receive(struct sip_stack *stack, const struct sip_flow *flow, char *bytes, size_t len);

// Takes the beginning of a datagram of ours that could not be delivered: its transaction has failed (18.4).
void sip_core_unreachable(struct sip_stack *stack, char *bytes, size_t len);

// ---- sip_txn.c: life of a transaction -----------------------------------------------------------------

// Makes a live transaction over a request, theirs or ours, and takes it over on success. NULL without memory.
struct sip_txn *sip_txn_new(struct sip_stack *stack, enum sip_kind kind, const struct sip_flow *flow,
                            struct sip_msg *request);

// Gives a transaction without a machine one, over a request that it takes over on success. Returns false without memory.
bool sip_txn_begin_live(struct sip_txn *txn, struct sip_msg *request);

// Makes a record without a machine. NULL without memory.
struct sip_txn *sip_txn_record(struct sip_stack *stack, enum sip_kind kind, const struct sip_flow *flow);

// Takes a step of the machine and sends what it says. SIP_BROKEN is in txn->flags afterwards when a request, or
// the first copy of a final response, could not leave.
void sip_txn_step(struct sip_txn *txn, enum sip_event event);

// How long a transaction waits behind its final response: timers D, I, J, K (17.1.1.2, 17.1.2.2, 17.2), ms.
uint32_t sip_txn_wait_ms(const struct sip_txn *txn);

// Ends the machine and frees what only it needed. The transaction goes on in another stage.
void sip_txn_end_live(struct sip_txn *txn, enum sip_stage stage);

// Into WAITING for `ms`, keeping `repeat` (may be NULL; taken over) when it is small enough; frees the
// transaction when ms is 0.
void sip_txn_wait(struct sip_txn *txn, uint32_t ms, struct sip_bytes *repeat);

void sip_txn_free(struct sip_txn *txn);

// Around callbacks: the transaction stays in memory in between. sip_txn_release() returns false when it went.
void sip_txn_hold(struct sip_txn *txn);
bool sip_txn_release(struct sip_txn *txn);

// Arms the timer for whatever is due first.
void sip_txn_arm(struct sip_txn *txn);

// Sends bytes where the transaction's messages go. Returns 0 or -errno.
int sip_txn_send(struct sip_txn *txn, const struct sip_bytes *bytes);

// Our request as a message: bytes written by us, read back.
struct sip_msg *sip_own_message(const struct sip_bytes *bytes);

// ---- detour.c: requests that are too long for UDP (18.1.1) ---------------------------------------------

// Whether a request of that many bytes takes TCP in place of the flow's UDP; then *flow is that of TCP.
bool sip_detour(struct sip_stack *stack, size_t len, struct sip_flow *flow);

// Sets a flow to the UDP that the transaction's request was meant for: the one of its dialog.
void sip_detour_home(const struct sip_txn *txn, struct sip_flow *flow);

// Keeps in mind that the transaction's peer took no TCP.
void sip_detour_failed(struct sip_txn *txn);

// ---- sip_client.c, sip_server.c -----------------------------------------------------------------------

void sip_client_response(struct sip_txn *txn, const struct sip_head *head, const struct sip_shape *shape,
                         const struct sip_flow *flow);
void sip_client_timer(struct sip_txn *txn);
void sip_client_broken(struct sip_txn *txn);

void sip_server_request(struct sip_stack *stack, const struct sip_head *head, const struct sip_shape *shape,
                        const struct sip_flow *flow);
void sip_server_timer(struct sip_txn *txn);
void sip_server_abandon(struct sip_txn *txn);

// Answers without a transaction.
void sip_answer_head(struct sip_stack *stack, const struct sip_head *head, const struct sip_shape *shape,
                     const struct sip_flow *flow, const struct sip_answer *answer);

static inline bool sip_kind_is_server(unsigned kind)
{
    return kind == SIP_SERVER_INVITE || kind == SIP_SERVER_OTHER;
}
