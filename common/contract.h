// SPDX-License-Identifier: BSD-3-Clause
//
// The contract between control and dataplane: every message that crosses the rings and every record of the
// live table. Plain structs of fixed size, fixed-width fields, no pointers. A change of anything here
// raises TL_CONTRACT_VERSION; the handshake refuses another version and other sizes.
//
// Who writes what:
//   command     control writes, dataplane reads (a copy; the slot is wiped: it holds keys)
//   completion  dataplane writes, control reads; one for each command, never lost
//   event       dataplane writes, control reads; may be dropped (counted), the live table has the same facts
//   live table  dataplane writes; control has it mapped read-only
#pragma once

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/drops.h"
#include "common/suite.h"

#define TL_CONTRACT_MAGIC   0x4c4b5254u // "TRKL"
#define TL_CONTRACT_VERSION 4u

enum {
    TL_NAME_MAX = 32,          // names in configuration, with the final NUL
    TL_LOOPS_MAX = 8,          // control loops
    TL_WORKERS_MAX = 64,       // dataplane workers
    TL_SESSIONS_MAX = 1 << 20, // sessions of one dataplane
    TL_PT_MAX = 8,             // payload types per leg
    TL_SSRC_MAX = 4,           // received SSRCs that a leg keeps state for
    TL_LIST_PAGE = 12,         // sessions in one LIST completion
    TL_RING_SLOTS = 1024,      // slots of each ring, a power of two
    TL_REALMS_MAX = 64,        // media addresses
    TL_PORT_BUCKETS = 128      // buckets of RTP/RTCP port pairs, see tl_port_bucket()
};

// The worker bucket that a media port belongs to: bits 1 to 7, so RTP and its RTCP share one.
static inline unsigned tl_port_bucket(uint16_t port)
{
    return (port >> 1) & (TL_PORT_BUCKETS - 1);
}

// ---- parts -------------------------------------------------------------------------------------------

enum { TL_AF_UNSET = 0, TL_AF_INET = 4, TL_AF_INET6 = 6 };

// A transport address. All zero means not known (yet).
struct tl_addr {
    uint8_t family; // TL_AF_*
    uint8_t pad;    // 0
    uint16_t port;  // host byte order
    uint8_t ip[16]; // network byte order; IPv4 uses the first four bytes, the rest is 0
};
static_assert(sizeof(struct tl_addr) == 20, "contract layout");

// Names one session of one life of the dataplane. All zero names none.
struct tl_handle {
    uint64_t incarnation; // random per start of the dataplane, never 0
    uint32_t slot;        // place in the live table
    uint32_t generation;  // counts the sessions that had this slot, starts at 1
};
static_assert(sizeof(struct tl_handle) == 16, "contract layout");

// Keys for one direction of one leg. All zero is plain RTP.
struct tl_crypto {
    uint8_t suite;   // enum tl_suite
    uint8_t mki_len; // bytes of master key identifier behind each packet, 0..TL_MKI_MAX; 0: none
    uint8_t pad[2];
    uint32_t
        generation; // of the key: each key of this direction has its own and keeps it when it comes back.
                    // When MODIFY changes it, indices and windows are those of that key, new or as it
                    // was left (common/key_history.h)
    uint8_t key[TL_KEY_MAX];
    uint8_t salt[TL_SALT_MAX];
    uint8_t pad2[2];
    uint8_t mki[TL_MKI_MAX]; // RFC 3711 3.1, in the packet's byte order; zeroes behind mki_len
};
static_assert(sizeof(struct tl_crypto) == 64, "contract layout");

#define TL_INDEX_NONE UINT64_MAX

// Where a stream stood, to go on from after a restart of the dataplane. An entry that is all zero is unused.
struct tl_resume_ssrc {
    uint64_t index; // highest 48-bit SRTP index, which with every lower one counts as seen (rx) or used
                    // (tx); TL_INDEX_NONE: there was only SRTCP
    uint32_t ssrc;
    uint32_t srtcp_index; // highest 31-bit SRTCP index, likewise
};
static_assert(sizeof(struct tl_resume_ssrc) == 16, "contract layout");

enum tl_leg_flags {
    TL_LEG_RECV = 1u << 0, // take media from the remote side; else it is dropped as held
    TL_LEG_SEND = 1u << 1, // send media to the remote side; else what the other leg got is dropped as held
    TL_LEG_RTCP_MUX = 1u << 2, // RTCP shares the RTP port, RFC 5761
    TL_LEG_FLAGS = (1u << 3) - 1,
};

// What becomes of the rollover counter (ROC) when a key takes the place of another one.
enum tl_roc {
    TL_ROC_AUTO, // received: either is taken. Sent: it begins at 0, unless the remote side was seen to keep its own
    TL_ROC_KEEP,  // it goes on, RFC 3711 3.3.1
    TL_ROC_RESET, // it begins at 0
    TL_ROC_COUNT
};

// What becomes of a payload on its way to the other leg.
enum tl_law { TL_LAW_SAME, TL_LAW_A_TO_U, TL_LAW_U_TO_A, TL_LAW_COUNT };

// Limits of what a leg may be told to take.
enum {
    TL_LEN_MIN = 200,
    TL_LEN_MAX = 1472,
    TL_PPS_MAX = 1000000,
    TL_BPS_MIN = 1000,
    TL_BPS_MAX = 1000000000,
    TL_BURST_MIN_MS = 10,
    TL_BURST_MAX_MS = 10000,
};

// One side of a call. The immutable half: MODIFY swaps it whole.
struct tl_leg {
    char realm[TL_NAME_MAX]; // names the realm whose address is used; ADD only, else all zero or the same
    uint16_t
        local_port; // ADD: 0 lets the dataplane choose, else this even port or -EADDRINUSE. MODIFY: ignored
    uint16_t pad;
    uint32_t flags;      // enum tl_leg_flags
    struct tl_addr rtp;  // remote RTP: where we send, and the only source we take. Unset before the answer
    struct tl_addr rtcp; // remote RTCP; unset with RTCP_MUX; unset without it means RTP port + 1
    struct tl_crypto rx; // what the remote side encrypts with
    struct tl_crypto tx; // what we encrypt with
    uint8_t pt_count;    // 0..TL_PT_MAX
    uint8_t pt_in[TL_PT_MAX];  // payload type received on this leg (0..127, each once) ...
    uint8_t pt_out[TL_PT_MAX]; // ... and what it becomes on the other leg ...
    uint8_t
        pt_law[TL_PT_MAX]; // ... with its payload changed so: enum tl_law, at most one of A_TO_U and U_TO_A
    uint8_t roc_on_rekey;  // enum tl_roc, both directions
    // The four limits may be 0 as long as rtp is unset.
    uint16_t max_len;  // UDP payload of a media packet from the remote side, bytes, TL_LEN_MIN..TL_LEN_MAX
    uint32_t max_pps;  // what the remote side may send, packets a second, 1..TL_PPS_MAX ...
    uint32_t max_bps;  // ... and bytes of UDP payload a second, TL_BPS_MIN..TL_BPS_MAX
    uint16_t burst_ms; // for how long it may send at twice that, TL_BURST_MIN_MS..TL_BURST_MAX_MS
    uint16_t pad3;
    uint32_t silence_ms; // raise TL_EVENT_SILENT after so long without media while RECV; 0 = never
    struct tl_resume_ssrc rx_resume[TL_SSRC_MAX]; // ADD only
    struct tl_resume_ssrc tx_resume;              // ADD only
};
static_assert(sizeof(struct tl_leg) == 336, "contract layout");

// ---- commands ----------------------------------------------------------------------------------------

enum tl_op {
    TL_OP_ADD =
        1, // make a session of two legs; idempotent by call_ref: a second ADD returns the first's handle
    TL_OP_MODIFY, // swap the immutable half of the legs in leg_mask; idempotent
    TL_OP_DEL,  // end the session; the completion brings the final counters; a handle already gone is -ENOENT
    TL_OP_LIST, // one page of this loop's sessions, from list_slot on
    TL_OP_FLUSH, // delete all of this loop's sessions; the completion says how many
    TL_OP_COUNT
};

// Nobody waits for the answer: neither the command nor its completion rings a bell. The dataplane finds the one within
// TL_LOOK_MS, or with the next that rings; control looks for the other when it likes.
enum { TL_COMMAND_QUIET = 1, TL_LOOK_MS = 5 };

struct tl_command {
    uint64_t id;             // control's own number for the command, echoed in the completion
    uint64_t call_ref;       // ADD: control's name for the call, random, never 0
    struct tl_handle handle; // MODIFY, DEL
    uint16_t op;             // enum tl_op
    uint8_t leg_mask;        // MODIFY: bit 0 leg 0, bit 1 leg 1
    uint8_t flags;           // TL_COMMAND_*
    uint32_t list_slot;      // LIST: first slot to look at
    struct tl_leg leg[2];
};
static_assert(sizeof(struct tl_command) == 712, "contract layout");

// ---- completions -------------------------------------------------------------------------------------

struct tl_list_entry {
    uint64_t call_ref;
    uint32_t slot;
    uint32_t generation;
};

// Sums of one leg over the session's life.
struct tl_leg_counters {
    uint64_t rx_packets; // RTP taken from the remote side
    uint64_t rx_octets;  // their UDP payload
    uint64_t tx_packets; // RTP sent to the remote side
    uint64_t tx_octets;
    uint64_t rx_rtcp;
    uint64_t tx_rtcp;
    uint64_t drops; // received on this leg and dropped, all reasons
    // quality of what came in, found without RTCP
    uint32_t lost;       // sequence numbers that never came
    uint32_t reordered;  // came late
    uint32_t duplicates; // came twice; under SRTP those are dropped as replayed
    uint32_t jitter_us;  // RFC 3550 6.4.1, of the newest packet
    uint32_t gap_ms;     // longest time between two packets while the leg was to receive
    uint32_t pad;
};
static_assert(sizeof(struct tl_leg_counters) == 80, "contract layout");

struct tl_completion {
    uint64_t id;       // of the command
    uint64_t call_ref; // of the session, where there is one
    struct tl_handle handle;
    uint16_t op;
    uint16_t field; // with -EINVAL: enum tl_field, what was wrong
    int32_t status; // 0 or -errno: EINVAL, ENOENT (no such session or stale handle), ENOSPC (sessions or
                    // ports), EADDRINUSE (local_port), ENODEV (realm)
    union {
        struct {
            struct tl_addr local[2]; // ADD: media address and RTP port of each leg, RTCP is port + 1
        } add;
        struct tl_leg_counters final[2]; // DEL
        struct {
            uint32_t next_slot; // where to go on; UINT32_MAX: that was all
            uint32_t count;
            struct tl_list_entry entry[TL_LIST_PAGE];
        } list;
        struct {
            uint32_t count;
        } flush;
        uint8_t raw[216];
    };
};
static_assert(sizeof(struct tl_completion) == 256, "contract layout");

// What a rejected command got wrong, so that control can say it in a sentence.
enum tl_field {
    TL_FIELD_NONE,
    TL_FIELD_OP,
    TL_FIELD_CALL_REF,
    TL_FIELD_HANDLE,
    TL_FIELD_LEG_MASK,
    TL_FIELD_REALM,
    TL_FIELD_LOCAL_PORT,
    TL_FIELD_FLAGS,
    TL_FIELD_RTP,
    TL_FIELD_RTCP,
    TL_FIELD_LOOP,
    TL_FIELD_SUITE,
    TL_FIELD_PT,
    TL_FIELD_RATE,
    TL_FIELD_RESUME,
    TL_FIELD_KEY,
    TL_FIELD_COUNT
};

// ---- events ------------------------------------------------------------------------------------------

enum tl_event_type {
    TL_EVENT_SILENT = 1, // no media on this leg for silence_ms
    TL_EVENT_HEARD,      // media again after TL_EVENT_SILENT
};

struct tl_event {
    struct tl_handle handle;
    uint64_t call_ref;
    uint16_t type; // enum tl_event_type
    uint8_t leg;   // 0 or 1
    uint8_t heard; // bit per leg that has media now: 3 both ways, 1 or 2 one-way, 0 no-way
    uint32_t ms;   // how long it was silent
    uint8_t pad2[32];
};
static_assert(sizeof(struct tl_event) == 64, "contract layout");

// ---- live table --------------------------------------------------------------------------------------
//
// One shared segment: header, worker records, session records. Atomics are plain 64-bit loads and stores
// (asserted lock-free); each field has one writer. No seqlock: a writer killed in the middle would leave it
// odd for ever; readers take `generation` before and after and discard what changed owner meanwhile.

// State of one SSRC. `word` is index << 16 | tag, one aligned store made before the packet reaches the
// driver; tag is the low 16 bits of the key generation | 0x8000 (so that 0 means unused).
struct tl_live_ssrc {
    _Atomic uint64_t word;        // worker: wo, others: ro
    _Atomic uint32_t ssrc;        // worker: wo, others: ro; stored before `word` makes the slot used
    _Atomic uint32_t srtcp_index; // worker: wo, others: ro
};
static_assert(sizeof(struct tl_live_ssrc) == 16, "contract layout");

// What a packet that came in on a leg writes: one line. Quality is of the stream that the leg receives now.
struct tl_live_rx {
    _Atomic uint64_t packets;
    _Atomic uint64_t octets;
    _Atomic uint64_t last_ns; // CLOCK_MONOTONIC of the last media taken, 0 = none yet
    _Atomic uint64_t seen; // bit i < 63: sequence number seq - i has come; bit 63: the sequence is older than
                           // that; 0: the next packet begins one
    _Atomic uint32_t seq;  // highest extended sequence number
    _Atomic uint32_t transit; // RFC 3550 A.8, of the last packet: timestamp << 16 | arrival less timestamp,
                              // both the low 16 bits, RTP ticks
    _Atomic uint32_t jitter;  // RFC 3550 A.8: sixteenths of an RTP tick
    _Atomic uint32_t lost;    // goes down again when a late packet comes
    _Atomic uint32_t reordered;
    _Atomic uint32_t duplicates;
    _Atomic uint32_t gap_ms; // longest so far
    _Atomic uint32_t ssrc;
};
static_assert(sizeof(struct tl_live_rx) == 64, "contract layout");

// What a packet that leaves by a leg writes.
struct tl_live_tx {
    _Atomic uint64_t packets;
    _Atomic uint64_t octets;
    struct tl_live_ssrc ssrc;
};
static_assert(sizeof(struct tl_live_tx) == 32, "contract layout");

// A session's two legs, each field by leg. The owning worker writes all but the four words that say so.
struct tl_live_session {
    struct tl_live_rx rx[2];
    struct tl_live_tx tx[2];
    struct tl_live_ssrc rx_ssrc[2][TL_SSRC_MAX]; // what SRTP legs receive
    _Atomic uint64_t call_ref;                   // manager: wo
    _Atomic uint32_t generation;                 // manager: wo; 0 while the slot is free
    _Atomic uint16_t worker;                     // manager: wo, before generation
    _Atomic uint16_t owner;                      // manager: wo; control loop
    _Atomic uint32_t rx_rtcp[2];
    _Atomic uint32_t tx_rtcp[2];
    _Atomic uint32_t drops[2][28]; // received on this leg and dropped, by tl_drop_leg()
};
static_assert(sizeof(struct tl_live_session) == 576, "contract layout");
static_assert(TL_LEG_DROPS <= 28, "a leg has a counter for each reason");

// Counters of one worker. The identity that tests assert when the worker is idle:
//   rx_nic + rx_handoff == tx + punted + handed_off + absorbed + sum of drops + waiting
struct tl_live_worker {
    _Atomic uint64_t heartbeat;    // counts loops
    _Atomic uint64_t heartbeat_ns; // CLOCK_MONOTONIC, refreshed at least every 100 ms
    _Atomic uint64_t rx_nic;       // packets that rte_eth_rx_burst handed over
    _Atomic uint64_t rx_handoff;   // packets taken from other workers
    _Atomic uint64_t tx;           // received packets sent on
    _Atomic uint64_t tx_own;       // packets of our own making (ARP requests and announcements)
    _Atomic uint64_t punted;       // given to the exception tap
    _Atomic uint64_t handed_off;   // given to the worker that owns the port
    _Atomic uint64_t absorbed;     // ARP and echo taken or answered
    _Atomic uint64_t waiting;      // queued for an ARP answer at this moment
    _Atomic uint64_t busy_cycles;  // TSC cycles of loops that had packets
    _Atomic uint64_t busy_packets; // packets of those loops
    _Atomic uint64_t drops[TL_DROP_COUNT];
    _Atomic uint64_t unknown_port[TL_REALMS_MAX]; // drops of that name by media address
    uint8_t pad[64 - 8 * (12 + TL_DROP_COUNT + TL_REALMS_MAX) % 64];
    _Atomic uint64_t events_lost; // manager: wo, hence a line of its own
    uint8_t pad2[56];
};
static_assert(sizeof(struct tl_live_worker) % 64 == 0 &&
                  offsetof(struct tl_live_worker, events_lost) % 64 == 0,
              "a cache line has one writer");

struct tl_live_header {
    uint32_t magic;
    uint32_t version;
    uint64_t incarnation;
    uint64_t start_ns;      // CLOCK_MONOTONIC of the start
    uint32_t workers;       // records that follow the header
    uint32_t sessions;      // records that follow the workers
    uint32_t worker_offset; // bytes from the start of the segment
    uint32_t session_offset;
    uint64_t size;               // of the whole segment
    _Atomic uint64_t manager_ns; // manager's heartbeat, CLOCK_MONOTONIC
    _Atomic uint32_t in_use;     // sessions
    uint32_t pad;
    // Memory, about once a second. manager: wo
    _Atomic uint64_t memory_bytes;  // what the dataplane counts that it takes
    _Atomic uint64_t process_bytes; // what the kernel says: resident set and huge pages; 0: not known
    uint64_t pad2[6];
};
static_assert(sizeof(struct tl_live_header) == 128, "contract layout");

static_assert(ATOMIC_LLONG_LOCK_FREE == 2 && ATOMIC_INT_LOCK_FREE == 2,
              "the live table needs lock-free words");
