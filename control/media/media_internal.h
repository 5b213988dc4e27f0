// SPDX-License-Identifier: BSD-3-Clause
// Between media.c, which carries sessions, media_link.c, which connects, and media_recover.c, which brings
// sessions back.
#pragma once

#include <event2/event.h>

#include "common/client.h"
#include "common/key_history.h"
#include "control/media/media.h"

enum {
    MEDIA_BUCKETS = 16384,
    MEDIA_QUEUE_MAX = 8192,          // sessions that wait to be sent
    MEDIA_COMMAND_TIMEOUT_MS = 5000, // a dataplane that does not answer is no better than none
    MEDIA_GREETING_TIMEOUT_MS = 2000,
    MEDIA_BACKOFF_FIRST_MS = 50,
    MEDIA_BACKOFF_MOST_MS = 2000,
    MEDIA_QUIET_MS = 20, // until the answers to ends of sessions are looked for, at the latest
    MEDIA_LOOP = 0,      // number of this loop in the contract
};

// Where a leg's keys stood when their dataplane died.
struct media_resume {
    bool known;
    uint32_t rx_generation, tx_generation;
    struct tl_resume_ssrc rx[TL_SSRC_MAX];
    struct tl_resume_ssrc tx;
};

// Which keys each side of a session has had, in each direction: received, sent.
struct media_keys {
    struct tl_key_history history[2][2];
};

struct media_session {
    struct media *media;
    struct media_keys *keys;          // NULL: it has the first ones still
    struct media_session *next;       // in its bucket
    struct media_session *queue_next; // in the queue
    void *arg;                        // NULL: forgotten, no callbacks
    uint64_t call_ref;
    struct tl_handle handle;
    struct tl_leg leg[2]; // as it should be
    struct tl_addr local[2];
    struct media_resume resume[2];
    uint8_t busy;       // enum tl_op whose completion is awaited, 0: none
    bool installed;     // the dataplane has it under `handle`
    bool confirmed;     // on_added() was told that it is there
    bool dirty;         // `leg` is newer than what the dataplane has
    bool tell_modified; // on_modified() is due
    bool ending;        // DEL is due or under way
    bool tell_deleted;  // on_deleted() is due
    bool queued;
    bool seen; // in the list, while that is compared
};

// One command on its way.
struct media_pending {
    uint64_t id;                   // 0: free
    struct media_session *session; // NULL: LIST, FLUSH, or DEL of a session that nobody knows
    uint64_t sent_ms;
    uint16_t op;
};

struct media {
    struct loop *loop;
    const struct media_user *user;
    struct tl_client *client;
    struct event *client_event, *ring_event;
    struct wheel_timer connect_timer; // backoff, or the end of patience with a greeting
    struct wheel_timer watch_timer;   // looks for commands without a completion
    struct wheel_timer quiet_timer;   // looks for completions that ring no bell
    uint64_t backoff_ms;
    uint64_t next_id;
    uint64_t incarnation; // of the dataplane we were connected to last, 0: never
    bool up;
    bool greeting;    // connected, its greeting is awaited
    bool said_away;   // the log has it
    unsigned recover; // completions awaited before sessions may be sent
    uint32_t list_slot;
    bool listing;
    struct media_session *queue_head, **queue_tail;
    unsigned queue_count;
    unsigned session_count;
    struct media_session *walk_next; // of a walk over all of them: who ends while it goes on is not visited
    struct media_counters counters;
    struct media_pending pending[TL_RING_SLOTS];
    struct media_session *bucket[MEDIA_BUCKETS];
};

// ---- media.c ----
struct media_session *media_find(const struct media *m, uint64_t call_ref);
void media_queue(struct media_session *s);
void media_flush_queue(struct media *m);
// Sends a command that belongs to no session or to `s`; fills in its id. 0 or the client's error.
int media_send(struct media *m, struct tl_command *c, struct media_session *s);
void media_session_free(struct media_session *s);
void media_unqueue(struct media_session *s);
// A session that was loaded is one of ours from now on: the next connection finds it in the dataplane, or makes it again.
void media_adopt(struct media_session *s);
// Takes all completions and events that are there.
void media_drain(struct media *m);

// ---- keys.c ----

// Gives each key of `leg`, which the session is to have, its generation: the one that it had before in this
// session, or a new one. 0; -ESTALE: a key was used before and is forgotten, which the log says; -ENOMEM.
int media_number_keys(struct media_session *s, struct tl_leg leg[2]);

// A new dataplane knows of no key but those in use. False: one of those had been in use before others, and
// where it stood is not known.
bool media_lose_keys(struct media_session *s);

// ---- media_recover.c ----

// The handshake is done: compares, flushes or makes again.
void media_recover_begin(struct media *m);
// A completion without a session.
void media_recover_completion(struct media *m, const struct tl_completion *done);
// The session could not be given back, or is not there any more.
void media_session_lost(struct media_session *s, const char *why);
// Notes for the ADD of a session where its leg stood in another one.
void media_resume_from(struct media_session *s, unsigned leg, const struct media_past *past);
// What the ADD of a session has to bring so that its indices go on.
void media_apply_resume(const struct media_session *s, struct tl_leg leg[2]);
