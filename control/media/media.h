// SPDX-License-Identifier: BSD-3-Clause
//
// The dataplane as the calls see it: sessions that are asked for, changed and ended, on one loop. Connects by
// itself, again and again; knows what each session should be and gives it back to a dataplane that lost it.
//
//   away                    new sessions are refused, changes of old ones are kept for later
//   back, same incarnation  the list is compared: sessions that nobody here knows are deleted, changes sent again
//   back, new incarnation   every session is made again on its ports, and each SRTP index goes on where the old
//                           live table says; one that cannot be is lost, and its call ends
//   first connection        all sessions of an earlier control are flushed
//
// Everything belongs to the loop's thread. Callbacks come from the loop, never from inside a function here.
#pragma once

#include <stdbool.h>

#include "common/contract.h"
#include "control/base/loop.h"

struct media;
struct media_session;

struct media_user {
    // The session is there, local[] its media addresses and ports; or status -errno, then it is gone:
    // -ENOSPC, -ENODEV, -EINVAL from the dataplane, -ENOTCONN when that went meanwhile.
    void (*on_added)(void *arg, int status, const struct tl_addr local[2]);
    // The last media_modify() took effect, or -errno; -ESTALE: a key of it was used too long ago.
    void (*on_modified)(void *arg, int status);
    // The session is gone; `final` is NULL when the dataplane could not say how it ended.
    void (*on_deleted)(void *arg, const struct tl_leg_counters final[2]);
    // The dataplane came back and could not be given the session again. It is gone.
    void (*on_lost)(void *arg, const char *why);
    // No media on a leg for `ms`, or media `again` after that. `heard` has a bit for each leg that is heard
    // now.
    void (*on_silence)(void *arg, unsigned leg, uint32_t ms, bool again, uint8_t heard);
};

struct media_counters {
    uint64_t added, refused, modified, deleted;
    uint64_t connected;   // handshakes that succeeded
    uint64_t reinstalled; // sessions given to a new dataplane
    uint64_t lost;        // sessions that could not be
    uint64_t flushed;     // sessions of an earlier control that were ended
    uint64_t silences;    // events
    uint64_t timeouts;    // connections given up because a command got no completion
};

// Makes the client of the dataplane behind `socket` (copied) and starts connecting. 0 or -errno.
int media_new(struct loop *loop, const char *socket, const struct media_user *user, struct media **out);

// Disconnects and frees all sessions without a callback; the dataplane keeps them. NULL is ignored.
void media_free(struct media *media);

// Whether new sessions are taken now.
bool media_up(const struct media *media);

const struct media_counters *media_counters(const struct media *media);

// Sessions that exist here, and commands without a completion.
unsigned media_session_count(const struct media *media);
unsigned media_outstanding(const struct media *media);

// Takes what the dataplane has answered now. Only to have the ends of sessions sooner than within some 20 ms: everything else
// comes by itself.
void media_look(struct media *media);

// The live table to read counters of sessions from, or NULL. Valid until the loop goes on.
struct tl_live_view;
const struct tl_live_view *media_live(const struct media *media);

// Asks for a session with these legs (copied). Returns 0 and *out; on_added() follows. -ENOTCONN: away;
// -EAGAIN: too many commands wait; -ENOMEM.
int media_add(struct media *media, const struct tl_leg leg[2], void *arg, struct media_session **out);

// A leg of another session whose remote side comes to a new one.
struct media_past {
    const struct media_session *session; // NULL: none
    unsigned leg;
};

// The same for legs whose remote sides other sessions of this client have now: what such a one sends under a key that both
// sessions have is taken from the index on that it has there (RFC 3711 3.3.1); what is sent to it has to have a new key.
int media_add_for(struct media *media, const struct tl_leg leg[2], const struct media_past past[2], void *arg,
                  struct media_session **out);

// Sets both legs; the generations of their keys are set here. Returns 0, and on_modified() follows, one for all
// calls made before it comes; or -ENOTCONN: the dataplane is away, the change is kept and goes with the session
// when it is given back; or -ESTALE, -ENOMEM: a key comes back that was used too long ago (common/key_history.h),
// no memory; the session is as it was, and nothing follows. Not before on_added().
int media_modify(struct media_session *session, const struct tl_leg leg[2]);

// Ends the session; the pointer is not to be used again. Returns 0, and on_deleted() follows; or -ENOTCONN:
// nothing follows.
int media_del(struct media_session *session);

// The same without a callback.
void media_forget(struct media_session *session);

// Writes the session as a section "media" of a record: what the dataplane should have, its ports and handle, which keys each side
// has had and where they stand. Keys are in it: the caller wipes what was written.
struct record;
struct record_writer;
void media_session_save(struct record_writer *w, const struct media_session *session);

// Reads that section back, before the dataplane is connected to; `arg` is the call. A dataplane that has the session still goes on with it, told
// of its legs once more; another one gets it anew, where its keys can be used. 0 and *out; -EINVAL: another version, or something
// in it is missing, out of range or not what the contract allows; -EEXIST: there is a session of its name; -ENOMEM.
int media_session_load(struct media *media, const struct record *in, void *arg, struct media_session **out);

// Its name in the contract, for people and for media_live(). A handle of zeros while it has none.
uint64_t media_call_ref(const struct media_session *session);
struct tl_handle media_handle(const struct media_session *session);
