// SPDX-License-Identifier: BSD-3-Clause
// The live table: what the dataplane is doing right now, readable by control at any moment and after the
// dataplane's death. Records are in contract.h. The dataplane holds a table, control a view; the types keep
// the two apart, the seals of the segment enforce it.
#pragma once

#include "common/contract.h"
#include "common/segment.h"

// ---- dataplane: the writer ---------------------------------------------------------------------------

struct tl_live_table {
    struct tl_segment segment;
    struct tl_live_header *header;
    struct tl_live_worker *workers;
    struct tl_live_session *sessions;
    uint32_t worker_count;
    uint32_t session_count;
    uint64_t incarnation;
};

// Makes the table of a starting dataplane: a new random incarnation, all slots free.
// workers: 1..TL_WORKERS_MAX, sessions: 1..TL_SESSIONS_MAX. 0, -EINVAL (counts), or -errno of the system.
// Manager, before the workers start.
int tl_live_create(struct tl_live_table *out, uint32_t workers, uint32_t sessions,
                   enum tl_segment_pages pages);

// Unmaps. Views that others hold stay readable. Manager, after the workers ended. Safe on a zeroed table.
void tl_live_destroy(struct tl_live_table *table);

// Gives a free slot to a session: zeroes both legs, then publishes the generation (never 0, larger than any
// the slot had; the manager keeps count). From then on the legs belong to the worker. Manager.
void tl_live_claim(struct tl_live_table *table, uint32_t slot, uint32_t generation, uint32_t worker,
                   uint32_t owner, uint64_t call_ref);

// Frees the slot; the worker must have let go of it. Manager.
void tl_live_release(struct tl_live_table *table, uint32_t slot);

// tl_live_ssrc.word of an index of the key with this generation.
static inline uint64_t tl_live_word(uint64_t index, uint32_t key_generation)
{
    return index << 16 | 0x8000u | (key_generation & 0x7fffu);
}

static inline uint64_t tl_live_word_index(uint64_t word)
{
    return word >> 16;
}

// Does the word belong to the key with this generation (of which 15 bits are kept)?
static inline bool tl_live_word_of(uint64_t word, uint32_t key_generation)
{
    return (word & 0xffffu) == (0x8000u | (key_generation & 0x7fffu));
}

// Makes a slot another SSRC's, or with 0 nobody's: first the old one's indices go, then its name. What the
// new one brings is stored afterwards, the word with memory_order_release. Worker.
static inline void tl_live_rename(struct tl_live_ssrc *slot, uint32_t ssrc)
{
    atomic_store_explicit(&slot->word, 0, memory_order_relaxed);
    atomic_store_explicit(&slot->srtcp_index, 0, memory_order_release);
    atomic_store_explicit(&slot->ssrc, ssrc, memory_order_release);
}

// ---- control: the reader -----------------------------------------------------------------------------

struct tl_live_view {
    struct tl_segment segment; // segment.fd may be handed to a supervisor to keep
    const struct tl_live_header *header;
    const struct tl_live_worker *workers;
    const struct tl_live_session *sessions;
    uint32_t worker_count;
    uint32_t session_count;
    uint64_t incarnation;
};

// Maps a live table read-only and checks seals, magic, version and geometry; takes over `fd` on success only.
// 0; -EPROTO: not a live table, or of another version; else -errno. Any thread.
int tl_live_open(struct tl_live_view *out, int fd);

// Unmaps and closes the descriptor. Safe on a zeroed view.
void tl_live_close(struct tl_live_view *view);

struct tl_ssrc_snapshot {
    bool used;        // RTP was sent or received; else only srtcp_index may be set
    uint16_t key_tag; // low 15 bits of the key generation
    uint32_t ssrc;
    uint64_t index;       // highest, 48 bits
    uint32_t srtcp_index; // highest, 31 bits
};

struct tl_leg_snapshot {
    struct tl_leg_counters counters; // drops summed up
    uint64_t last_rx_ns;             // CLOCK_MONOTONIC, 0 = no media yet
    struct tl_ssrc_snapshot tx;
    struct tl_ssrc_snapshot rx[TL_SSRC_MAX];
    uint32_t drops[TL_DROP_COUNT]; // 0 for those that have no leg
};

struct tl_session_snapshot {
    struct tl_handle handle;
    uint64_t call_ref;
    uint32_t worker;
    uint32_t owner;
    struct tl_leg_snapshot leg[2];
};

struct tl_worker_snapshot {
    uint64_t heartbeat, heartbeat_ns;
    uint64_t rx_nic, rx_handoff, tx, tx_own, punted, handed_off, absorbed, waiting;
    uint64_t busy_cycles, busy_packets, events_lost;
    uint64_t drops[TL_DROP_COUNT];
    uint64_t unknown_port[TL_REALMS_MAX]; // drops of that name by media address (index of its realm)
};

// Sums of one leg (0 or 1) of a session record. Each number is whole. Any thread.
void tl_live_counters(const struct tl_live_session *session, unsigned leg, struct tl_leg_counters *out);

// Copies the session of that handle. Each number is whole; numbers may be some packets apart. 0; -ENOENT: no
// such session in this table (any more). Any thread; never blocks.
int tl_live_read(const struct tl_live_view *view, const struct tl_handle *handle,
                 struct tl_session_snapshot *out);

// The same for whoever has the slot (0 .. session_count - 1). 0; -ENOENT: free or no such slot.
int tl_live_read_slot(const struct tl_live_view *view, uint32_t slot, struct tl_session_snapshot *out);

// Copies the counters of a worker. 0; -ENOENT: no such worker.
int tl_live_read_worker(const struct tl_live_view *view, uint32_t worker, struct tl_worker_snapshot *out);

// What ADD takes to go on where this SSRC stood: every index up to the stored one counts as seen or used.
// `key_generation` is that of the key in question; state of another key gives an unused entry.
struct tl_resume_ssrc tl_live_resume(const struct tl_ssrc_snapshot *ssrc, uint32_t key_generation);
