// SPDX-License-Identifier: BSD-3-Clause
// What both ends of the channel agree on: the greeting, the order of descriptors, the layout of the ring
// segment, doorbells. For server*.c and client.c only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/contract.h"
#include "common/ring.h"

enum {
    TL_SENTENCE_LEN = 320,
    TL_RECORDS_MAX = 16,
    TL_LOOP_FDS = 2, // per loop: bell of commands and completions, bell of events
    TL_CHANNEL_FDS_MAX = 2 + TL_LOOP_FDS * TL_LOOPS_MAX,
};

// Sent by control first, answered by the dataplane in kind. Whatever the version, magic and version stay
// where they are and a refusal's sentence travels in what the other side can at least count.
struct tl_greeting {
    uint32_t magic;
    uint32_t version;
    uint32_t loops;                 // wanted; the answer repeats it
    uint32_t slots;                 // of each ring
    uint32_t sizes[TL_RECORDS_MAX]; // of every record, and a checksum of the drops' names; 0 for none
    // the dataplane's answer only
    int32_t status; // 0, or -errno and `sentence` says why
    uint32_t pad;
    uint64_t incarnation;
    uint64_t rings_size; // bytes of the ring segment
    uint64_t live_size;  // bytes of the live table
    char sentence[TL_SENTENCE_LEN];
};

// With status 0 come these descriptors: ring segment, live table, then for each loop its TL_LOOP_FDS bells.

// Fills in what this build has.
void tl_greeting_init(struct tl_greeting *greeting, unsigned loops);

// Do the peer's `len` bytes greet with the same contract as ours? If not, `sentence` (TL_SENTENCE_LEN) says
// what differs; `peer` and `self` name the two, as in "control (pid 7)" and "this dataplane".
bool tl_greeting_fits(const void *greeting, size_t len, const char *peer, const char *self, char *sentence);

// The ring segment: command, completion and event ring of loop 0, of loop 1, ...
size_t tl_channel_rings_size(unsigned loops);
void tl_channel_rings_init(void *base, unsigned loop, struct tl_ring *command, struct tl_ring *completion,
                           struct tl_ring *event);

// Doorbells are socket pairs, each side with an end of its own: unlike an eventfd, whose file flags both
// sides share, no peer can make the other block on it.
int tl_bell_pair(int ends[2]);
void tl_bell_ring(int bell);
void tl_bell_clear(int bell);

// One message with descriptors (may be none) over a SEQPACKET socket, without blocking. 0 or -errno.
int tl_channel_send(int sock, const void *message, size_t len, const int *fds, unsigned count);

// Receives one message; the descriptors that came are the caller's. Returns its length, 0 at the end of the
// connection, -EAGAIN, -EMSGSIZE when it or its descriptors did not fit (these are closed), or -errno.
int tl_channel_recv(int sock, void *message, size_t len, int *fds, unsigned room, unsigned *count);

// uid of the process at the other end, and its pid. 0 or -errno.
int tl_channel_peer(int sock, uint32_t *uid, int *pid);

// May a process of that uid be at the other end: our own user or root?
bool tl_channel_trusts(uint32_t uid);
