// SPDX-License-Identifier: BSD-3-Clause
// The live table's readers: a checked read-only mapping and snapshots that belong to one session for sure.
#include "common/live.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

// RTP ticks of 125 us in sixteenths.
enum { JITTER_US = 125, JITTER_UNITS = 16 };

#define READ(field) atomic_load_explicit(&(field), memory_order_relaxed)

int tl_live_open(struct tl_live_view *out, int fd)
{
    struct tl_segment segment;

    memset(out, 0, sizeof *out);
    out->segment = TL_SEGMENT_NONE;
    int rc = tl_segment_open(&segment, fd, 0, TL_SEGMENT_READ_ONLY);
    if (rc < 0)
        return rc;
    // Each field is read once; what was checked is what is used from here on.
    const volatile struct tl_live_header *h = segment.base;
    bool ok = segment.size >= sizeof *h && h->magic == TL_CONTRACT_MAGIC && h->version == TL_CONTRACT_VERSION;
    uint32_t workers = ok ? h->workers : 0, sessions = ok ? h->sessions : 0;
    uint64_t incarnation = ok ? h->incarnation : 0;
    ok = ok && workers >= 1 && workers <= TL_WORKERS_MAX && sessions >= 1 && sessions <= TL_SESSIONS_MAX;
    size_t worker_offset = sizeof *h;
    size_t session_offset = worker_offset + (size_t)workers * sizeof(struct tl_live_worker);
    size_t size = session_offset + (size_t)sessions * sizeof(struct tl_live_session);
    ok = ok && incarnation != 0 && h->size == segment.size &&
         (segment.size == size ||
          (size >= TL_SEGMENT_HUGE_FROM && segment.size == tl_segment_size(size, TL_SEGMENT_HUGE_PAGES))) &&
         h->worker_offset == worker_offset && h->session_offset == session_offset;
    if (!ok) {
        segment.fd = -1; // stays the caller's
        tl_segment_close(&segment);
        return -EPROTO;
    }
    const unsigned char *base = segment.base;
    *out = (struct tl_live_view){
        .segment = segment,
        .header = segment.base,
        .workers = (const void *)(base + worker_offset),
        .sessions = (const void *)(base + session_offset),
        .worker_count = workers,
        .session_count = sessions,
        .incarnation = incarnation,
    };
    return 0;
}

void tl_live_close(struct tl_live_view *view)
{
    tl_segment_close(&view->segment);
    memset(view, 0, sizeof *view);
    view->segment = TL_SEGMENT_NONE;
}

// The tag says which key, hence which user of the slot, the index belongs to. A slot that changes its SSRC
// (tl_live_rename) or its key between the reads is read again: the SSRC is the first and the last that is
// read, and under one SSRC an index does not go back. One that never stands still is left out.
static void read_ssrc(const struct tl_live_ssrc *from, struct tl_ssrc_snapshot *to)
{
    for (int tries = 0; tries < 4; tries++) {
        uint32_t ssrc = atomic_load_explicit(&from->ssrc, memory_order_acquire);
        uint64_t word = atomic_load_explicit(&from->word, memory_order_acquire);
        uint32_t srtcp_index = READ(from->srtcp_index);
        atomic_thread_fence(memory_order_acquire);
        uint64_t again = READ(from->word);
        *to = (struct tl_ssrc_snapshot){.used = word != 0,
                                        .key_tag = (uint16_t)(word & 0x7fffu),
                                        .ssrc = ssrc,
                                        .index = tl_live_word_index(word),
                                        .srtcp_index = srtcp_index};
        if ((uint16_t)word == (uint16_t)again && word <= again && ssrc == READ(from->ssrc))
            return;
    }
    *to = (struct tl_ssrc_snapshot){0};
}

void tl_live_counters(const struct tl_live_session *s, unsigned leg, struct tl_leg_counters *out)
{
    const struct tl_live_rx *rx = &s->rx[leg];
    *out = (struct tl_leg_counters){
        .rx_packets = READ(rx->packets),
        .rx_octets = READ(rx->octets),
        .tx_packets = READ(s->tx[leg].packets),
        .tx_octets = READ(s->tx[leg].octets),
        .rx_rtcp = READ(s->rx_rtcp[leg]),
        .tx_rtcp = READ(s->tx_rtcp[leg]),
        .lost = READ(rx->lost),
        .reordered = READ(rx->reordered),
        .duplicates = READ(rx->duplicates),
        .jitter_us = (uint32_t)(READ(rx->jitter) * (uint64_t)JITTER_US / JITTER_UNITS),
        .gap_ms = READ(rx->gap_ms),
    };
    for (int i = 0; i < TL_LEG_DROPS; i++)
        out->drops += READ(s->drops[leg][i]);
}

static void read_leg(const struct tl_live_session *s, unsigned leg, struct tl_leg_snapshot *to)
{
    tl_live_counters(s, leg, &to->counters);
    to->last_rx_ns = READ(s->rx[leg].last_ns);
    read_ssrc(&s->tx[leg].ssrc, &to->tx);
    for (int i = 0; i < TL_SSRC_MAX; i++)
        read_ssrc(&s->rx_ssrc[leg][i], &to->rx[i]);
    for (int i = 0; i < TL_LEG_DROPS; i++)
        to->drops[TL_DROP_LEG_FIRST + i] = READ(s->drops[leg][i]);
}

// Reads the slot if it has this generation (0: any) from beginning to end.
static int read_slot(const struct tl_live_view *view, uint32_t slot, uint32_t want,
                     struct tl_session_snapshot *out)
{
    if (slot >= view->session_count)
        return -ENOENT;
    const struct tl_live_session *s = &view->sessions[slot];
    uint32_t generation = atomic_load_explicit(&s->generation, memory_order_acquire);
    if (generation == 0 || (want && generation != want))
        return -ENOENT;
    memset(out, 0, sizeof *out);
    out->handle.incarnation = view->incarnation;
    out->handle.slot = slot;
    out->handle.generation = generation;
    out->call_ref = READ(s->call_ref);
    out->worker = READ(s->worker);
    out->owner = READ(s->owner);
    read_leg(s, 0, &out->leg[0]);
    read_leg(s, 1, &out->leg[1]);
    atomic_thread_fence(memory_order_acquire);
    return READ(s->generation) == generation ? 0 : -ENOENT;
}

int tl_live_read(const struct tl_live_view *view, const struct tl_handle *handle,
                 struct tl_session_snapshot *out)
{
    if (handle->incarnation != view->incarnation || handle->generation == 0)
        return -ENOENT;
    return read_slot(view, handle->slot, handle->generation, out);
}

int tl_live_read_slot(const struct tl_live_view *view, uint32_t slot, struct tl_session_snapshot *out)
{
    return read_slot(view, slot, 0, out);
}

int tl_live_read_worker(const struct tl_live_view *view, uint32_t worker, struct tl_worker_snapshot *out)
{
    if (worker >= view->worker_count)
        return -ENOENT;
    const struct tl_live_worker *w = &view->workers[worker];
    *out = (struct tl_worker_snapshot){
        .heartbeat = READ(w->heartbeat),
        .heartbeat_ns = READ(w->heartbeat_ns),
        .rx_nic = READ(w->rx_nic),
        .rx_handoff = READ(w->rx_handoff),
        .tx = READ(w->tx),
        .tx_own = READ(w->tx_own),
        .punted = READ(w->punted),
        .handed_off = READ(w->handed_off),
        .absorbed = READ(w->absorbed),
        .waiting = READ(w->waiting),
        .busy_cycles = READ(w->busy_cycles),
        .busy_packets = READ(w->busy_packets),
        .events_lost = READ(w->events_lost),
    };
    for (int i = 0; i < TL_DROP_COUNT; i++)
        out->drops[i] = READ(w->drops[i]);
    for (int i = 0; i < TL_REALMS_MAX; i++)
        out->unknown_port[i] = READ(w->unknown_port[i]);
    return 0;
}

struct tl_resume_ssrc tl_live_resume(const struct tl_ssrc_snapshot *ssrc, uint32_t key_generation)
{
    struct tl_resume_ssrc none = {0};
    if (!ssrc->used && ssrc->srtcp_index == 0)
        return none;
    // SRTCP alone leaves no tag; counting its indices as used is the safe side.
    if (ssrc->used && ssrc->key_tag != (key_generation & 0x7fffu))
        return none;
    return (struct tl_resume_ssrc){
        .index = ssrc->used ? ssrc->index : TL_INDEX_NONE,
        .ssrc = ssrc->ssrc,
        .srtcp_index = ssrc->srtcp_index,
    };
}
