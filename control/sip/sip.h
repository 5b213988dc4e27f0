// SPDX-License-Identifier: BSD-3-Clause
//
// The SIP stack as its user, the call logic, sees it: sockets, framing, filter, transactions. One stack a
// loop; everything here belongs to the loop's thread, and every callback comes from it, never from inside a
// function of this header.
//
// The stack does by itself, the user never sees it:
//   - what is no SIP: dropped, or answered 400, 416, 420, 482, 505 where an answer is deserved; all counted
//   - retransmissions, received and sent, over UDP and TCP; every timer of RFC 3261 section 17 and RFC 6026
//   - 100 Trying to an INVITE that the user has not answered when on_request() returns
//   - CANCEL: answered 200 (or 481); the user then answers the INVITE 487
//   - ACK to 300..699, both ways
//   - a reliable provisional of ours is repeated (T1, doubling) until sip_prack() (RFC 3262)
//   - a 2xx of ours to an INVITE is repeated (T1, doubling to T2) until its ACK is here; INVITEs that come
//     again meanwhile are absorbed
//   - a 2xx to an INVITE of ours that comes again is ACKed again; a 2xx of another fork is ACKed and BYEd
//   - CANCEL of ours leaves only after a provisional response
//   - a request of ours with an account says who we are, and is sent again when it is challenged (401, 407): under the
//     same pointer, with the same Call-ID and tags, a CSeq of its user's and a branch of its own; the ACK to a 2xx has
//     the INVITE's credentials (RFC 3261 13.2.2.4, 22)
//   - an INVITE that the user gave up by sip_abandon() stays known until it ends: a late provisional is
//     CANCELled, a late 2xx is ACKed and BYEd
//   - too many transactions: 503 with Retry-After
//
// A transaction (struct sip_txn) is the stack's. The user may hold the pointer
//   server  from on_request() until sip_respond() with a final status returns, on_failure() begins; a 2xx to
//           an INVITE: until on_ack() or on_failure() returns
//   client  from sip_request() until on_response() with a final status or on_failure() returns; a 2xx to an
//           INVITE: until sip_ack() has returned; or until sip_abandon()
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config/config.h"
#include "control/base/loop.h"
#include "control/sip/account.h"
#include "control/sip/method.h"
#include "control/sip/tls_show.h"

enum {
    SIP_TAG_LEN = 24,   // tag with its final NUL
    SIP_LAST_HOP = 256, // Max-Forwards: 0
};

struct sip_stack;
struct sip_txn;

// Who hears of transactions; lies in an object of the stack's user. Every transaction that may still call
// back hangs on its owner, and sip_owner_cut() cuts all of them off in one place: no callback can reach what
// is freed after it. Zeroed it has none.
struct sip_owner {
    struct sip_txn *txns;
};

// Where a message came from, or goes to. Plain value, freely copied.
struct sip_flow {
    uint32_t listener;           // index in the configuration
    enum tl_transport transport; // the listener's
    struct tl_addr local;        // what the listener is known by: stands in Via and Contact
    struct tl_addr remote;
    struct tl_addr
        at; // UDP, of a listener with several: the address of ours that it came to, without port; else unset
    struct tl_addr peer; // where the other side listens, as configured; unset: not known
    uint32_t trunk;      // number of the trunk whose terms hold for a secure connection; 0: not known
    // Our name, which stands in Via in place of the address (sip_own_name()); NULL: the address
    const char *name;
    bool elsewhere; // a Contact or Record-Route of the peer leads to another host: no credentials go there
    uint16_t tcp_above; // UDP: bytes of a request above which it leaves by TCP where that can be; 0: never
    uint32_t home;      // of a request that does so: the listener that it was to leave by
    uint32_t conn;      // stream: which connection ...
    // ... 0 = whichever there is to `remote`, made on demand. When the one named has gone, requests go to `peer` over a new one
    uint32_t conn_generation;
};

static inline const struct tl_transport_row *sip_flow_row(const struct sip_flow *flow)
{
    return tl_transport_row(flow->transport);
}

enum sip_failure {
    SIP_TIMEOUT,   // no final answer (timer B or F; after CANCEL 64*T1), or no ACK to our 2xx within 64*T1
    SIP_TRANSPORT, // the kernel or the connection refused
    SIP_NO_PRACK,  // no PRACK to our reliable provisional within 64*T1; the INVITE still waits for its answer
};

struct sip_user {
    // A new request other than ACK and CANCEL, inside a dialog or not; answered with sip_respond(), now or
    // later. `msg` lives until the transaction is answered finally, `flow` until the callback returns.
    void (*on_request)(void *arg, struct sip_txn *txn, const struct sip_msg *msg,
                       const struct sip_flow *flow);
    // The INVITE was CANCELled before it was answered; the user answers it 487.
    void (*on_cancel)(void *arg, struct sip_txn *txn, struct sip_owner *owner, const struct sip_msg *cancel);
    // The first ACK to our 2xx; repeated ones are absorbed.
    void (*on_ack)(void *arg, struct sip_txn *txn, struct sip_owner *owner, const struct sip_msg *ack);
    // Each provisional response but 100 and the first final one to a request of ours. `msg` lives until the
    // callback returns.
    void (*on_response)(void *arg, struct sip_txn *txn, struct sip_owner *owner, const struct sip_msg *msg,
                        const struct sip_flow *flow);
    // The transaction ended without what it waited for. Client: no final response. Server: no ACK to our 2xx
    // (the user ends the call), or the answer could not be sent. SIP_NO_PRACK ends nothing yet.
    void (*on_failure)(void *arg, struct sip_txn *txn, struct sip_owner *owner, enum sip_failure why);
    // A new request requires extensions of us (RFC 3261 section 8.2.2.3): `options` are those that the table of
    // options knows, `unknown` is a list of the others, "" without any. Returns the options that are taken. When that
    // is not all of them, or there are others, the stack answers 420 with Unsupported, and on_request() does not come.
    // NULL: sip_options_required() are taken.
    uint32_t (*on_required)(void *arg, const struct sip_flow *flow, enum sip_method method, uint32_t options,
                            const char *unknown);
    // Whether the address, whatever the port, is one that we know: asked of each message before it is read. NULL: all are.
    bool (*is_peer)(void *arg, const struct tl_addr *source);
    // Whether what came by a flow may be of that trunk (its number): asked of an ACK or CANCEL that comes from another host than its
    // INVITE, as from a peer with several addresses. `owner` is the INVITE's, NULL: it has none any more. NULL: it may not.
    bool (*is_from)(void *arg, struct sip_owner *owner, const struct sip_flow *flow, uint32_t trunk);
    // A request of ours was challenged, which `response` brought, and leaves again with credentials. Returns its CSeq, one
    // that the dialog or Call-ID has not had; 0: it does not leave, on_response() brings the challenge. NULL, and for a
    // request without owner: one more than it had.
    uint32_t (*on_again)(void *arg, struct sip_txn *txn, struct sip_owner *owner,
                         const struct sip_msg *response);
    // A peer connects, over a transport that asks for certificates: numbers of the trunks whose peer it may be by its
    // address, `max` at most, to `out`. Returns how many; with none it is closed at once. NULL: none.
    uint32_t (*on_connection)(void *arg, uint32_t listener, const struct tl_addr *remote, uint32_t *out,
                              uint32_t max);
};

// Why a message was not taken: counter, label in `status`, sentence.
#define SIP_REJECTS(X)                                                                                       \
    X(size, "larger than a message may be")                                                                  \
    X(start_line, "first line is neither request nor status line")                                           \
    X(version, "not SIP/2.0")                                                                                \
    X(line, "header line too long, without colon or with a control character")                               \
    X(headers, "too many header lines")                                                                      \
    X(number, "status, CSeq, Content-Length, Max-Forwards or port out of range")                             \
    X(length, "Content-Length does not fit the datagram")                                                    \
    X(required, "no Via, From, To, Call-ID or CSeq, or one twice, or methods that differ")                   \
    X(syntax, "it breaks the grammar")                                                                       \
    X(scheme, "URI scheme that nobody here knows")                                                           \
    X(via, "response whose top Via is not ours, or with more than one Via")                                  \
    X(stray_response, "response to no transaction of ours")                                                  \
    X(stray_ack, "ACK to nothing")                                                                           \
    X(stranger, "ACK or CANCEL from another address than its INVITE came from")                              \
    X(overload, "too many transactions")                                                                     \
    X(memory, "no memory")

enum sip_reject {
#define X(name, text) SIP_REJECT_##name,
    SIP_REJECTS(X)
#undef X
        SIP_REJECT_COUNT
};

const char *sip_reject_label(enum sip_reject reason);
const char *sip_reject_text(enum sip_reject reason);

// Counters since the start and gauges of now. Read by the loop's thread.
struct sip_counters {
    uint64_t rx[TL_TRANSPORT_COUNT], tx[TL_TRANSPORT_COUNT]; // messages, repeated ones included
    uint64_t rx_requests, rx_responses;
    uint64_t rx_again;   // requests and responses that came again and were absorbed or answered again
    uint64_t tx_again;   // messages that we repeated
    uint64_t tx_failed;  // the kernel took no byte
    uint64_t keep_alive; // CRLF CRLF
    uint64_t pings;      // ... of ours
    uint64_t rejects[SIP_REJECT_COUNT];
    uint64_t answered_here;                   // 400, 416, 420, 481, 482, 503, 505 that the user never saw
    uint64_t timeouts;                        // client transactions without a final response
    uint64_t no_ack;                          // 2xx of ours without ACK
    uint64_t forks_ended;                     // 2xx that were ACKed and BYEd
    uint64_t challenged;                      // 401 and 407 to requests with an account
    uint64_t challenged_in_vain;              // of these: there was no answer to give, or it was wrong
    uint64_t by_tcp;                          // requests that were too long for UDP
    uint64_t back_to_udp;                     // of these: TCP could not be had
    uint64_t tcp_accepted, tcp_connected;     // connections made, over TLS too
    uint64_t tcp_refused;                     // too many connections, connect or handshake failed
    uint64_t tcp_broken;                      // closed because of framing, limits or time-out
    uint32_t tcp_open;                        // gauge
    uint32_t txns_live, txns_live_most;       // gauge and its maximum: transactions with a state machine
    uint32_t txns_waiting, txns_waiting_most; // gauge: small records that only answer what comes again
};

// ---- life ----------------------------------------------------------------------------------------------

// Opens all listeners of the configuration and starts taking messages. `config` and `user` must outlive the
// stack. Returns 0 and *out; else -errno and one sentence in `why`: an address that is not here, a port that
// is taken (-EADDRINUSE), no memory.
int sip_stack_new(struct loop *loop, const struct tl_config *config, const struct sip_user *user, void *arg,
                  struct sip_stack **out, char *why, size_t why_size);

// The same without sockets: `io` sends, and sip_core_receive() takes what comes in. Both outlive the stack.
struct sip_io;
int sip_stack_new_over(struct loop *loop, const struct tl_config *config, const struct sip_io *io,
                       void *io_arg, const struct sip_user *user, void *arg, struct sip_stack **out,
                       char *why, size_t why_size);

// Timers, limits and names of our messages are those of `config`, which is copied, from now on. What a transaction has computed
// already stays.
void sip_stack_configure(struct sip_stack *stack, const struct tl_control_config *config);

// Has the trunks of another configuration for TLS from now on, with listeners as before, and reads its certificates, keys and
// CAs; handshakes that begin then use them, and open connections stay. `config` must outlive the stack or the next call. Returns
// 0; else -errno and one sentence in `why`, and the files that were read before go on.
int sip_stack_read_tls(struct sip_stack *stack, const struct tl_config *config, char *why, size_t why_size);

// Tells `fn` of each certificate that listeners and trunks show, and of the CAs that they believe, as the files were read last.
void sip_stack_certificates(const struct sip_stack *stack, sip_certificate_fn *fn, void *arg);

// Closes sockets and frees every transaction without a callback. NULL is ignored.
void sip_stack_free(struct sip_stack *stack);

const struct sip_counters *sip_stack_counters(const struct sip_stack *stack);

// How long messages wait for control now, ms: sip_transport_delay(). 0 for a stack without sockets.
uint32_t sip_stack_delay(struct sip_stack *stack);

// Who is let in (gate.h): its counters and bans.
struct sip_gate;
struct sip_gate *sip_stack_gate(struct sip_stack *stack);

// ---- addresses and identifiers -------------------------------------------------------------------------

// Flow from a listener to the address where a peer listens; over a stream an open connection is used, else one
// is made. A secure one is made only to the peer of a trunk, which the caller sets.
struct sip_flow sip_flow_to(const struct sip_stack *stack, uint32_t listener, const struct tl_addr *remote);

// A name of ours for flow->name, kept as long as the stack is: flows are copied and outlive the configuration. "" and no memory
// give NULL.
const char *sip_own_name(struct sip_stack *stack, const char *name);

// Whether a message that came by a flow may be from the peer of that trunk (its number): over TLS its certificate was one
// for the trunk. Its address is not looked at.
bool sip_flow_vouches(const struct sip_stack *stack, const struct sip_flow *flow, uint32_t trunk);

// Random, with the loop's number in it. A Call-ID needs 40 bytes.
void sip_make_tag(struct sip_stack *stack, char out[static SIP_TAG_LEN]);
void sip_make_call_id(struct sip_stack *stack, char *out, size_t size);

// The loop number in a tag, branch or Call-ID that we made, or -1.
int sip_loop_of(struct sip_str id);

// ---- answering -----------------------------------------------------------------------------------------

struct sip_answer {
    int status;            // 100..699
    const char *reason;    // NULL: the standard phrase
    const char *contact;   // value of Contact, or NULL
    const char *headers;   // further complete lines, each with CRLF, or NULL
    unsigned retry_after;  // s; 0 = no Retry-After
    const char *allow;     // in a 2xx and a 405: value of Allow; NULL: our methods (method.h)
    const char *supported; // in a 2xx: value of Supported, "" for none; NULL: our options
    uint32_t rseq;         // 101..199 to an INVITE: reliable under that number (RFC 3262), 1..2^31-1; 0: not
    const char *tag; // ours in To, for one of several dialogs that the INVITE makes; NULL: sip_txn_tag()
    const char *body_type;
    const void *body; // NULL: none
    size_t body_len;
    bool forget; // final, but a 2xx to an INVITE: nothing is kept; a request that comes again is a new one
};

// Answers. Via, From, To (with our tag), Call-ID, CSeq and Record-Route come from the request; Server,
// Allow and Supported are added. Provisional statuses any number of times, a final one once. Returns 0; -EALREADY after a
// final answer; -EINVAL for a status out of range or a CR or LF where none may be; -ENOMEM; -EIO when the
// answer could not be sent (the transaction ends without on_failure()); -EBUSY: another reliable provisional has no
// PRACK yet (RFC 3262 section 3).
int sip_respond(struct sip_txn *txn, const struct sip_answer *answer);

// The PRACK of a reliable provisional of ours is here: it is repeated no longer. Returns 0, or -ENOENT when none of that
// number waits for one.
int sip_prack(struct sip_txn *invite, uint32_t rseq);

// Whether a request of ours has had a provisional response, if only 100.
bool sip_txn_heard(const struct sip_txn *txn);

// The tag that our answers to this request have in To (that of the request if it came with one).
const char *sip_txn_tag(const struct sip_txn *txn);

// The request of a server transaction that is not answered yet, else NULL.
const struct sip_msg *sip_txn_request(const struct sip_txn *txn);

// Where the request came from or went to.
const struct sip_flow *sip_txn_flow(const struct sip_txn *txn);

// Tells whose peer sent a request: `to` is where a request of ours to it would go, with peer, trunk, name and tcp_above, which
// dialogs made of the request's flow have then.
void sip_txn_set_peer(struct sip_txn *txn, const struct sip_flow *to);

// Whether a request is an INVITE of ours come back, with the called number that it left with: a Via of ours since this start
// is in it (RFC 3261 16.3). One that calls another number than before is a spiral, which is none.
bool sip_msg_is_loop(const struct sip_stack *stack, const struct sip_msg *msg);

bool sip_txn_is_server(const struct sip_txn *txn);

// What the callbacks get as `owner`; NULL at first for a server transaction.
void sip_txn_set_owner(struct sip_txn *txn, struct sip_owner *owner);
struct sip_owner *sip_txn_owner(const struct sip_txn *txn);

// Gives up every transaction of the owner as sip_abandon() does. None calls back any more.
void sip_owner_cut(struct sip_owner *owner);

// ---- asking --------------------------------------------------------------------------------------------

// A request to send. Strings are copied.
struct sip_request {
    enum sip_method method; // any but ACK (sip_ack), CANCEL (sip_cancel) and OTHER
    const char *uri;        // Request-URI
    const char *from;       // value with tag
    const char *to;         // value, with tag inside a dialog
    const char *call_id;
    uint32_t cseq;             // 1..2^31-1
    const char *contact;       // value or NULL
    const char *const *routes; // values of Route, in order
    unsigned route_count;
    unsigned max_forwards; // 1..255, 0 = 70, SIP_LAST_HOP = none is left
    const char *headers;   // further complete lines, each with CRLF, or NULL
    const char *allow;     // in INVITE, UPDATE and OPTIONS: value of Allow; NULL: our methods (method.h)
    const char *supported; // likewise: value of Supported, "" for none; NULL: our options
    const char *body_type;
    const void *body; // NULL: none
    size_t body_len;
    struct sip_account *account; // who we are where it goes, held as long as it takes; NULL: nobody
};

// Sends a request in a new client transaction. Via, Max-Forwards, User-Agent, Allow and Content-Length are
// added. `owner` comes back in the callbacks; with NULL *out it is sent for its effect and nobody hears of
// it. Returns 0; -EINVAL when it is no valid request (a field missing, a CR or LF where none may be); -EAGAIN
// when there are too many transactions; -ENOMEM. What the network refuses comes as on_failure(), also at
// once.
int sip_request(struct sip_stack *stack, const struct sip_flow *to, const struct sip_request *request,
                struct sip_owner *owner, struct sip_txn **out);

// Cancels an INVITE of ours: CANCEL is sent as soon as a provisional response is here. The user still gets
// the final response (487, or a 2xx that was faster), or SIP_TIMEOUT 64*T1 after the CANCEL.
// Returns 0, -EALREADY (cancelled before, or answered finally), -EINVAL (no INVITE of ours).
int sip_cancel(struct sip_txn *txn);

// The same with further lines in the CANCEL, each with CRLF (Reason, RFC 3326); they are copied. Lines that are none
// are left out.
int sip_cancel_with(struct sip_txn *txn, const char *headers);

// Gives a transaction up: no callback comes any more, the pointer is not to be used again.
//   INVITE of ours            is cancelled as by sip_cancel(); a 2xx that still comes, or came and was not
//                             ACKed, is ACKed and BYEd
//   INVITE that we answered   its 2xx is repeated no longer (the call has ended before the ACK was here)
//   request not answered yet  is answered 500
void sip_abandon(struct sip_txn *txn);

// Sends the ACK to the 2xx of our INVITE (`ack->method` is SIP_ACK, `ack->cseq` that of the INVITE) and keeps
// it to repeat. Returns 0, -EINVAL (no 2xx here, already ACKed, or a bad field), -ENOMEM.
int sip_ack(struct sip_txn *invite, const struct sip_flow *to, const struct sip_request *ack);
