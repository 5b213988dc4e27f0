// SPDX-License-Identifier: BSD-3-Clause
// A stack over a transport of paper: what it sends is kept, what it is told is kept, the clock is moved by
// hand.
#pragma once

#include "control/sip/txn.h"
#include "runner.h"

enum { FIX_SENT = 512, FIX_EVENTS = 256 };

enum fix_what { FIX_REQUEST = 1, FIX_CANCEL, FIX_ACK, FIX_RESPONSE, FIX_FAILURE };

struct fix_sent {
    struct sip_flow flow;
    char *text;
    uint64_t at; // ms
};

struct fix_event {
    enum fix_what what;
    struct sip_txn *txn;
    struct sip_owner *owner;
    int status; // of a response
    enum sip_method method;
    enum sip_failure why;
    uint64_t at;
};

struct fix {
    struct wheel wheel;
    struct tl_config config;
    struct sip_stack *stack;
    struct fix_sent sent[FIX_SENT];
    unsigned sent_count;
    struct fix_event event[FIX_EVENTS];
    unsigned event_count;
    int fail_send;              // -errno for every send, 0 = none
    uint32_t gone_generation;   // the connection that has gone, 0 = none
    uint32_t options;           // that may be required of us
    uint32_t again_cseq;        // what on_again() says
    char unknown[64];           // what else was required last
    const struct tl_addr *from; // where messages come from; NULL: fix_peer
    struct sip_waiter *waiters;
    // what the user of the stack does inside a callback; NULL: nothing
    void (*act)(struct fix *fix, const struct fix_event *event, const struct sip_msg *msg);
};

extern const struct tl_addr fix_peer; // 192.0.2.10:5060
enum { FIX_T1 = 50, FIX_T2 = 400, FIX_T4 = 500 };

// Listener 0 is UDP, listener 1 TCP, both 192.0.2.1:5060. Fails the test when the stack does not start.
void fix_open(struct fix *fix);
// Checks that every transaction ends by itself, then frees everything.
void fix_close(struct fix *fix);
// Frees everything as it is.
void fix_drop(struct fix *fix);

// A message from the peer; `text` has "\n" for every line end of the head.
void fix_receive(struct fix *fix, uint32_t listener, const char *text, ...)
    __attribute__((format(printf, 3, 4)));
void fix_receive_from(struct fix *fix, uint32_t listener, const struct tl_addr *from, const char *text);

// Forgets what was sent.
void fix_forget(struct fix *fix);

// Moves the clock millisecond by millisecond.
void fix_advance(struct fix *fix, unsigned ms);

// Messages sent from number `from` on that start with `prefix`.
unsigned fix_count(const struct fix *fix, unsigned from, const char *prefix);
// The n-th of them (0 first), or NULL.
const struct fix_sent *fix_find(const struct fix *fix, unsigned from, const char *prefix, unsigned n);
// The last one of all, or "".
const char *fix_last(const struct fix *fix);

unsigned fix_events(const struct fix *fix, enum fix_what what);
const struct fix_event *fix_event(const struct fix *fix, enum fix_what what, unsigned n);

// Value of a header in a message sent (first line of that name), into a buffer of the call's own; "" without
// it.
const char *fix_header(const char *message, const char *name);
// The branch in it, likewise.
const char *fix_branch(const char *message);
// The tag in its To.
const char *fix_to_tag(const char *message);

// Usual requests of the peer.
void fix_invite(struct fix *fix, uint32_t listener, const char *id);
void fix_in_dialog(struct fix *fix, uint32_t listener, const char *id, const char *method, unsigned cseq,
                   const char *branch, const char *to_tag);

// A response of the peer to a request that the stack sent: Via, From, To (with `to_tag`), Call-ID and CSeq
// copied.
void fix_answer(struct fix *fix, uint32_t listener, const char *request, int status, const char *to_tag);

// The same with further header lines, each with "\n".
void fix_answer_with(struct fix *fix, uint32_t listener, const char *request, int status, const char *to_tag,
                     const char *lines);

// A request of ours with what it needs; CSeq 1.
struct sip_request fix_request(enum sip_method method);

// Message of a text with "\n" for line ends; NULL with the verdict in *shape. The sanitiser sees a byte read behind it.
struct sip_msg *fix_message(const char *text, struct sip_shape *shape);
