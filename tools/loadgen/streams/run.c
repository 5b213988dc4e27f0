// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/streams/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum {
    FINALS = 5,        // packets of each stream that say its end
    RECEIVE_TURNS = 4, // bursts taken before it is looked whether something is to be sent
    SEND_TURNS = 4,    // and the other way round
    RTP_HEADER_BYTES = 12,
};
#define MS             INT64_C(1000000)
#define LAG_LIMIT      (100 * MS)
#define FINAL_INTERVAL (20 * MS)   // at least
#define END_GUARD      (200 * MS)  // for late ones, when all have said their end
#define STALL          (1000 * MS) // then the port is taken to be gone
#define LATE           (2 * MS)    // the sleep below and a little more
#define SHORTEST_SLEEP (MS / 5)
#define LONGEST_SLEEP  (20 * MS)

enum phase { BEFORE, SENDING, ENDS, LISTENING, OVER };

volatile sig_atomic_t run_stop;

static int64_t clock_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

// CPU time of this process, ns.
static int64_t cpu_ns(void)
{
    struct rusage use;

    getrusage(RUSAGE_SELF, &use);
    return (int64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1000000000 +
           (int64_t)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) * 1000;
}

// ---- sending ------------------------------------------------------------------------------------------

// Takes the first `n` of what waits off the batch.
static void shift(struct run *r, uint32_t n)
{
    memmove(r->out, r->out + n, (r->buffered - n) * sizeof *r->out);
    r->filled -= n;
    r->buffered -= n;
}

static void count_refused(struct run *r, uint32_t stream)
{
    if (!r->ending) // an end more or less is no loss
        r->flows[stream].refused++;
}

// The port takes nothing. For a second that may be; then its link or its far side is gone, and what waits is
// given up.
static void stalled(struct run *r)
{
    const int64_t now = clock_ns();

    if (r->stalled_since == 0)
        r->stalled_since = now;
    if (now - r->stalled_since < STALL)
        return;
    r->stuck = true;
    for (uint32_t i = 0; i < r->filled; i++)
        count_refused(r, r->out[i].stream);
    r->port->ops->unused(r->port, r->out, r->filled);
    shift(r, r->filled);
}

// Sends what waits. Returns false when the port doesn't take it all now.
static bool flush(struct run *r)
{
    if (r->filled == 0)
        return true;
    const uint32_t done = r->port->ops->send(r->port, r->out, r->filled);

    if (done == 0) {
        stalled(r);
        return false;
    }
    r->stalled_since = 0;
    r->stuck = false;
    for (uint32_t i = 0; i < done; i++) {
        if (r->out[i].refused)
            count_refused(r, r->out[i].stream);
        else
            r->flows[r->out[i].stream].sent++;
    }
    shift(r, done);
    return r->filled == 0;
}

static void refill(struct run *r)
{
    if (r->buffered < PORT_BURST)
        r->buffered += r->port->ops->buffers(r->port, r->out + r->buffered, PORT_BURST - r->buffered);
}

static void append_copy(struct run *r, uint32_t stream, const uint8_t *data, uint32_t length)
{
    struct packet *p = &r->out[r->filled++];

    memcpy(p->data, data, length);
    p->length = length;
    p->stream = stream;
}

// Decides what becomes of the packet that was made at out[filled].
static void inject(struct run *r)
{
    struct packet *p = &r->out[r->filled];

    switch (inject_draw(&r->inject)) {
    case INJECT_LOSE:
        return;
    case INJECT_SWAP:
        if (r->held_length != 0) { // one at a time
            r->inject.count[INJECT_SWAP]--;
            break;
        }
        memcpy(r->held, p->data, p->length);
        r->held_length = p->length;
        r->held_stream = p->stream;
        return;
    case INJECT_CORRUPT:
        inject_damage(&r->inject, p->data, p->length, RTP_HEADER_BYTES);
        break;
    case INJECT_DUPLICATE:
        r->filled++;
        if (r->filled < r->buffered)
            append_copy(r, p->stream, p->data, p->length);
        return;
    default:
        break;
    }
    r->filled++;
    if (r->held_length != 0 && r->held_stream == p->stream && r->filled < r->buffered) {
        append_copy(r, r->held_stream, r->held, r->held_length);
        r->held_length = 0;
    }
}

// Makes and sends what is due. Returns whether there was something.
static bool pump(struct run *r, bool final)
{
    const int64_t now = clock_ns();

    if (!flush(r))
        return false;
    refill(r);
    const uint32_t due = pace_due(&r->pace, now, r->buffered);

    for (uint32_t i = 0; i < due && r->filled < r->buffered; i++) {
        const uint32_t stream = pace_stream(&r->pace);
        struct flow *f = &r->flows[stream];
        struct packet *p = &r->out[r->filled];

        if (!final) {
            const uint64_t late = (uint64_t)(now - pace_next_at(&r->pace));
            histogram_add(&r->late, late);
            r->late_packets += late > LATE;
        }
        pace_step(&r->pace);
        p->stream = stream;
        p->refused = false;
        if ((final ? flow_build_final(f, r->o, p) : flow_build(f, r->o, p, now)) != 0)
            r->crypto_errors++;
        else if (final)
            r->filled++;
        else
            inject(r);
    }
    flush(r);
    return due > 0;
}

// ---- receiving ----------------------------------------------------------------------------------------

static void return_packet(struct run *r, const struct packet *in, enum flow_verdict verdict)
{
    struct flow *f = &r->flows[in->stream];

    if (r->filled == r->buffered) {
        flush(r);
        refill(r);
    }
    if (r->filled == r->buffered) { // the port is full: this one is lost here
        f->refused++;
        return;
    }
    struct packet *p = &r->out[r->filled];
    p->stream = in->stream;
    p->refused = false;
    r->filled += flow_reflect(f, in, verdict, p) == 0;
}

static void measure(struct run *r, int64_t now, const struct stamp *s)
{
    const int64_t since = now - (int64_t)s->value;

    if (since < 0 || since > 3600000 * MS)
        r->unsound++;
    else
        histogram_add(&r->latency, (uint64_t)since);
}

static void take(struct run *r, struct packet *p, int64_t now)
{
    const bool reflects = r->o->mode == MODE_REFLECT, timed = r->o->mode == MODE_ECHO || r->o->one_clock;
    struct stamp stamp;
    const enum flow_verdict verdict =
        flow_take(&r->flows[p->stream], r->o, reflects ? 1 : r->o->verify_every, p, &stamp);

    if (verdict == FLOW_GOOD && timed)
        measure(r, now, &stamp);
    if (verdict == FLOW_ENDED && ++r->ended == r->count)
        r->all_ended_at = now;
    if (reflects)
        return_packet(r, p, verdict);
}

// Takes what is there, up to a number of bursts. Returns whether there was something.
static bool listen_for(struct run *r)
{
    struct packet in[PORT_BURST];
    bool any = false;

    for (int turn = 0; turn < RECEIVE_TURNS; turn++) {
        const uint32_t n = r->port->ops->receive(r->port, in, PORT_BURST);
        const int64_t now = clock_ns();

        if (n == 0)
            break;
        any = true;
        r->received += n;
        r->heard_last = now;
        for (uint32_t i = 0; i < n; i++)
            take(r, &in[i], now);
        r->port->ops->received_done(r->port, in, n);
    }
    flush(r);
    return any;
}

// ---- phases -------------------------------------------------------------------------------------------

static void start_sending(struct run *r, int64_t now)
{
    r->sending_from = now;
    pace_init(&r->pace, now, (uint64_t)r->o->ptime_us * 1000, r->count, r->o->packets, LAG_LIMIT);
}

static void start_ends(struct run *r, int64_t now)
{
    const int64_t ptime = (int64_t)r->o->ptime_us * 1000;

    r->sending_until = now;
    r->ending = true;
    if (r->held_length != 0) {
        refill(r);
        if (r->filled < r->buffered)
            append_copy(r, r->held_stream, r->held, r->held_length);
    }
    for (uint32_t i = 0; i < r->count; i++)
        r->flows[i].total = r->flows[i].number;
    r->skipped = r->pace.skipped;
    pace_init(&r->pace, now + ptime, (uint64_t)(ptime < FINAL_INTERVAL ? FINAL_INTERVAL : ptime), r->count,
              FINALS, 0);
}

// Whether nothing more is to be expected from the far side.
static bool heard_out(struct run *r, int64_t now)
{
    if (!stream_mode_receives(r->o->mode) || (r->interrupted && !stream_mode_sends(r->o->mode)))
        return true;
    if (r->all_ended_at != 0)
        return now - r->all_ended_at >= END_GUARD;
    const int64_t since = r->heard_last > r->sending_until ? r->heard_last : r->sending_until;
    const uint32_t patience =
        r->heard_last == 0 && !stream_mode_sends(r->o->mode) ? r->o->first_wait_ms : r->o->wait_ms;

    r->silent = now - (since == 0 ? r->started : since) >= patience * MS;
    return r->silent;
}

static enum phase step(struct run *r, enum phase phase, int64_t now)
{
    switch (phase) {
    case BEFORE:
        if (!stream_mode_sends(r->o->mode))
            return LISTENING;
        if (r->interrupted)
            return OVER;
        if (r->o->start_heard) {
            if (r->received == 0) {
                r->silent = now - r->started >= r->o->first_wait_ms * MS;
                return r->silent ? OVER : BEFORE;
            }
        } else if (now - r->started < r->o->start_after_ms * MS) {
            return BEFORE;
        }
        start_sending(r, now);
        return SENDING;
    case SENDING:
        if ((!pace_over(&r->pace) || r->filled > 0) && !r->interrupted)
            return SENDING;
        start_ends(r, now);
        return ENDS;
    case ENDS:
        return r->stuck || (pace_over(&r->pace) && r->filled == 0) ? LISTENING : ENDS;
    default:
        return heard_out(r, now) ? OVER : LISTENING;
    }
}

// ---- the loop -----------------------------------------------------------------------------------------

struct seen {
    uint64_t sent, received, lost, faults;
};

static void print_progress(struct run *r, FILE *out, struct seen *before, int64_t now)
{
    struct seen s = {0};

    for (uint32_t i = 0; i < r->count; i++) {
        s.sent += r->flows[i].sent;
        s.received += r->flows[i].in.received;
        s.lost += ledger_lost(&r->flows[i].in);
        s.faults += ledger_faults(&r->flows[i].in);
    }
    fprintf(out,
            "%4.0f s  sent %" PRIu64 " (%" PRIu64 "/s)  received %" PRIu64 " (%" PRIu64 "/s)  lost %" PRIu64
            "  bad %" PRIu64 "  left out %" PRIu64 "  streams at their end %u\n",
            (double)(now - r->started) / 1e9, s.sent, s.sent - before->sent, s.received,
            s.received - before->received, s.lost, s.faults, r->skipped + r->pace.skipped, r->ended);
    fflush(out);
    *before = s;
}

static void rest(struct run *r, enum phase phase, int64_t now)
{
    int64_t ns = LONGEST_SLEEP;

    if (r->o->busy)
        return;
    if (r->filled > 0)
        ns = SHORTEST_SLEEP;
    else if ((phase == SENDING || phase == ENDS) && !pace_over(&r->pace))
        ns = pace_next_at(&r->pace) - now;
    if (ns < SHORTEST_SLEEP)
        ns = SHORTEST_SLEEP;
    r->port->ops->wait(r->port, ns > LONGEST_SLEEP ? LONGEST_SLEEP : ns);
}

void run_all(struct run *r, FILE *progress)
{
    const bool receives = stream_mode_receives(r->o->mode);
    enum phase phase = BEFORE;
    struct seen before = {0};
    int64_t now = clock_ns(), progress_at;

    r->started = now;
    r->cpu_ns = -cpu_ns();
    progress_at = now + 1000 * MS;
    while (phase != OVER && run_stop < 2) {
        bool busy = receives && listen_for(r);

        for (int turn = 0; turn < SEND_TURNS && (phase == SENDING || phase == ENDS); turn++) {
            if (!pump(r, phase == ENDS))
                break;
            busy = true;
        }
        now = clock_ns();
        r->interrupted = run_stop != 0;
        phase = step(r, phase, now);
        if (progress != NULL && now >= progress_at) {
            print_progress(r, progress, &before, now);
            progress_at += 1000 * MS;
        }
        if (!busy && phase != OVER)
            rest(r, phase, now);
    }
    r->cpu_ns += cpu_ns();
    r->run_ns = now - r->started;
    if (r->buffered > 0)
        r->port->ops->unused(r->port, r->out, r->buffered);
}
