// SPDX-License-Identifier: BSD-3-Clause
#include "tools/bench/duo.h"

#include <rte_ethdev.h>
#include <rte_lcore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    BURST = 32,
    OTHER_LCORE = 1,
    DRAIN_MS = 1000,     // without a packet, before one counts as lost
    DUE_MAX = 4 * BURST, // packets at once after the generator was kept away
    PT_PCMA = 8,
    TICKS = 160,
    OUT_OF_TEN = 10,
};

// ---- the other lcore ---------------------------------------------------------------------------------

struct tested {
    struct lane *lane;
    enum duo_kind kind;
    _Atomic bool stop;
    struct histogram turns;
};

static unsigned pass_rings(struct lane *l)
{
    void *m[BURST];
    unsigned total = 0;
    for (unsigned side = 0; side < SIDES; side++) {
        unsigned n = rte_ring_sc_dequeue_burst(l->in[side], m, BURST, NULL);
        if (n > 0)
            rte_ring_sp_enqueue_burst(l->out[side ^ 1], m, n, NULL); // there is room for all there are
        total += n;
    }
    return total;
}

static int run_tested(void *arg)
{
    struct tested *t = arg;
    struct lane *l = t->lane;
    if (t->kind == DUO_LOOP)
        return worker_main(l->worker);
    while (!atomic_load_explicit(&t->stop, memory_order_acquire)) {
        uint64_t begin = rte_rdtsc();
        unsigned n = t->kind == DUO_RINGS  ? pass_rings(l)
                     : t->kind == DUO_SWAP ? step_mac_swap(l)
                                           : worker_step(l->worker);
        if (n > 0)
            histogram_add(&t->turns, rte_rdtsc() - begin);
    }
    return 0;
}

static void start_tested(struct tested *t)
{
    struct worker *w = t->lane->worker;
    if (t->kind == DUO_LOOP || t->kind == DUO_TURNS) {
        clock_init(&w->clock); // real time from now on
        w->now_ns = w->clock.anchor_ns;
        atomic_store(&w->stop, false);
    }
    if (rte_eal_remote_launch(run_tested, t, OTHER_LCORE))
        die("the second lcore does not start");
}

static void stop_tested(struct tested *t)
{
    if (t->kind == DUO_LOOP)
        worker_stop(t->lane->worker);
    atomic_store_explicit(&t->stop, true, memory_order_release);
    rte_eal_wait_lcore(OTHER_LCORE);
}

// ---- traffic -----------------------------------------------------------------------------------------

static void make_flow(struct flow *f, const struct stream *st)
{
    uint32_t ssrc = rte_cpu_to_be_32(st->ssrc);
    uint8_t *rtp = f->header + FRAME_HEADER;
    memset(f, 0, sizeof *f);
    rtp[0] = 0x80;
    rtp[1] = PT_PCMA;
    memcpy(rtp + 8, &ssrc, 4);
    traffic_headers(st, f->header, RTP_HEADER + PAYLOAD_MAX, st->dst_port);
    f->seq = st->index;
}

void traffic_begin(struct traffic *t, const struct set *s)
{
    memset(t, 0, sizeof *t);
    t->set = s;
    for (unsigned side = 0; side < SIDES; side++) {
        t->count[side] = (s->streams + 1 - side) / SIDES;
        t->flow[side] = aligned_alloc(64, (t->count[side] + 1) * sizeof(struct flow));
        if (!t->flow[side])
            die("no memory for flows");
        for (unsigned i = 0; i < t->count[side]; i++)
            make_flow(&t->flow[side][i], &s->stream[i * SIDES + side]);
    }
}

void traffic_end(struct traffic *t)
{
    for (unsigned side = 0; side < SIDES; side++)
        free(t->flow[side]);
    free(t->forged);
    memset(t, 0, sizeof *t);
}

// One packet of each kind for each stream. The replayed one is the stream's first, which attack_prepare()
// sent.
void traffic_forge(struct bench *b, struct traffic *t, const struct set *victims)
{
    t->forged = calloc(victims->streams * 3ul, sizeof *t->forged);
    t->forged_of_ten = 7;
    if (!t->forged)
        die("no memory for forged packets");
    for (unsigned i = 0; i < victims->streams * 3; i++) {
        struct forged *f = &t->forged[t->forged_count++];
        struct stream *st = &victims->stream[i / 3];
        uint8_t *rtp = f->bytes + FRAME_HEADER;
        unsigned kind = i % 3;
        uint64_t index = kind == 0 ? st->index + 1 : st->first;
        struct srtp_op op = {.key = victims->sender[i / 3],
                             .pkt = rtp,
                             .index = index,
                             .ssrc = st->ssrc,
                             .len = traffic_plain(b, victims, st, index, rtp),
                             .hdr_len = RTP_HEADER,
                             .room = SRTP_TAILROOM};
        srtp_protect(victims->lane->srtp, &op, 1);
        f->len = FRAME_HEADER + op.len;
        f->side = st->side;
        if (kind == 0)
            f->bytes[f->len - 1] ^= 1;
        traffic_headers(st, f->bytes, op.len, kind == 2 ? traffic_unknown_port(i) : st->dst_port);
    }
}

// ---- generator and sink ------------------------------------------------------------------------------

struct generator {
    struct bench *b;
    struct lane *l;
    struct traffic *t;
    struct duo_result *out;
    uint64_t *stamp; // by mbuf
    unsigned ten;    // which of ten packets is next
    unsigned side;
};

static unsigned mbuf_number(const struct lane *l, const struct rte_mbuf *m)
{
    return sent_of(l, m) - l->sent;
}

static void set_up(const struct generator *g, struct rte_mbuf *m, unsigned len, unsigned side)
{
    m->data_off = RTE_PKTMBUF_HEADROOM;
    m->data_len = len;
    m->pkt_len = len;
    m->port = g->b->ethdev[side];
    m->ol_flags =
        g->b->options.sums_in_software ? 0 : RTE_MBUF_F_RX_IP_CKSUM_GOOD | RTE_MBUF_F_RX_L4_CKSUM_GOOD;
}

static void write_good(const struct generator *g, struct rte_mbuf *m, struct flow *f, unsigned side)
{
    uint8_t *frame;
    uint16_t seq = rte_cpu_to_be_16(f->seq);
    uint32_t ts = rte_cpu_to_be_32((uint32_t)f->seq * TICKS);
    set_up(g, m, FRAME_HEADER + RTP_HEADER + PAYLOAD_MAX, side);
    frame = rte_pktmbuf_mtod(m, uint8_t *);
    memcpy(frame, f->header, sizeof f->header);
    memcpy(frame + FRAME_HEADER + 2, &seq, 2);
    memcpy(frame + FRAME_HEADER + 4, &ts, 4);
    f->seq++;
}

static void write_forged(struct generator *g, struct rte_mbuf *m, const struct forged *f)
{
    set_up(g, m, f->len, f->side);
    memcpy(rte_pktmbuf_mtod(m, uint8_t *), f->bytes, sizeof f->bytes);
}

// Sends up to `n` packets; returns how many buffers there were for.
static unsigned send_some(struct generator *g, unsigned n)
{
    struct rte_mbuf *burst[SIDES][BURST];
    unsigned have[SIDES] = {0};
    struct traffic *t = g->t;
    struct lane *l = g->l;
    unsigned done = 0;
    for (; done < n && done < BURST; done++) {
        if (l->idle == 0 && rte_pktmbuf_alloc_bulk(l->pool, l->mbuf, BURST) == 0)
            l->idle = BURST;
        if (l->idle == 0)
            break;
        struct rte_mbuf *m = l->mbuf[--l->idle];
        unsigned side = g->side;
        if (t->forged && g->ten < t->forged_of_ten) {
            const struct forged *f = &t->forged[t->forged_next];
            t->forged_next = t->forged_next + 1 == t->forged_count ? 0 : t->forged_next + 1;
            side = f->side;
            write_forged(g, m, f);
            g->out->forged++;
        } else {
            if (t->count[side] == 0)
                side ^= 1;
            struct flow *f = &t->flow[side][t->next[side]];
            t->next[side] = t->next[side] + 1 == t->count[side] ? 0 : t->next[side] + 1;
            write_good(g, m, f, side);
            g->out->sent++;
        }
        g->ten = g->ten + 1 == OUT_OF_TEN ? 0 : g->ten + 1;
        burst[side][have[side]++] = m;
        if (done % 8 == 7)
            g->side ^= 1;
    }
    uint64_t now = rte_rdtsc();
    for (unsigned side = 0; side < SIDES; side++) {
        for (unsigned i = 0; i < have[side]; i++)
            g->stamp[mbuf_number(l, burst[side][i])] = now;
        if (have[side] > 0)
            rte_ring_sp_enqueue_burst(l->in[side], (void **)burst[side], have[side], NULL);
    }
    return done;
}

static void look_at(struct generator *g, struct rte_mbuf *m, uint64_t now)
{
    const uint8_t *rtp = rte_pktmbuf_mtod(m, const uint8_t *) + FRAME_HEADER;
    uint32_t ssrc;
    memcpy(&ssrc, rtp + 8, 4);
    const struct stream *st = set_stream(g->t->set, rte_be_to_cpu_32(ssrc));
    if (!st) {
        if (g->t->forged)
            g->out->forged_came++;
        else
            g->out->foreign++;
        return;
    }
    struct flow *f = &g->t->flow[st->side][(st - g->t->set->stream) / SIDES];
    uint16_t seq = rtp[2] << 8 | rtp[3];
    if (f->known && (int16_t)(seq - f->seen) <= 0)
        g->out->out_of_order++;
    f->known = 1;
    f->seen = seq;
    g->out->came++;
    histogram_add(&g->out->wall, now - g->stamp[mbuf_number(g->l, m)]);
}

static unsigned sink(struct generator *g)
{
    struct rte_mbuf *m[BURST];
    struct lane *l = g->l;
    unsigned total = 0;
    for (unsigned side = 0; side < SIDES; side++) {
        unsigned n = rte_ring_sc_dequeue_burst(l->out[side], (void **)m, BURST, NULL);
        uint64_t now = rte_rdtsc();
        for (unsigned i = 0; i < n; i++) {
            rte_prefetch0(rte_pktmbuf_mtod(m[i], uint8_t *));
        }
        for (unsigned i = 0; i < n; i++) {
            if (m[i]->pool != l->pool) {
                place_arp(g->b, side, m[i]);
                continue;
            }
            look_at(g, m[i], now);
            l->mbuf[l->idle++] = m[i];
        }
        total += n;
    }
    return total;
}

static uint64_t worker_drops(const struct bench *b, bool forged)
{
    struct tl_worker_snapshot w;
    uint64_t sum = 0;
    if (tl_live_read_worker(tl_client_live(b->client), 0, &w))
        die("the live table has no worker 0");
    for (unsigned i = 0; i < TL_DROP_COUNT; i++)
        sum += w.drops[i];
    if (forged) // what the forged packets may be dropped as
        sum -= w.drops[TL_DROP_unknown_port] + w.drops[TL_DROP_bad_auth] + w.drops[TL_DROP_replayed] +
               w.drops[TL_DROP_too_old] + w.drops[TL_DROP_flood] + w.drops[TL_DROP_over_rate];
    return sum;
}

static void generate(struct generator *g, double pps, unsigned ms, void (*hook)(struct bench *b, void *arg),
                     void *arg)
{
    double hz = (double)rte_get_tsc_hz(), per_packet = pps > 0 ? hz / pps : 0;
    uint64_t begin = rte_rdtsc(), end = begin + (uint64_t)(hz / 1000 * ms), now = begin, done = 0;
    while (now < end) {
        unsigned due = BURST;
        if (pps > 0) {
            uint64_t should = (uint64_t)((double)(now - begin) / per_packet);
            due = should > done ? (unsigned)RTE_MIN(should - done, (uint64_t)DUE_MAX) : 0;
        }
        unsigned n = due ? send_some(g, RTE_MIN(due, (unsigned)BURST)) : 0;
        done += n;
        if (pps > 0 && n < RTE_MIN(due, (unsigned)BURST)) {
            unsigned missed = RTE_MIN(due, (unsigned)BURST) - n;
            done += missed;
            g->out->unsent +=
                g->t->forged ? missed * (OUT_OF_TEN - g->t->forged_of_ten) / OUT_OF_TEN : missed;
        }
        sink(g);
        if (hook)
            hook(g->b, arg);
        now = rte_rdtsc();
    }
    g->out->seconds = (double)(now - begin) / hz;
    g->out->pps = (double)g->out->came / g->out->seconds;
    // what is still under way
    for (uint64_t last = rte_rdtsc(); rte_rdtsc() - last < (uint64_t)(hz / 1000 * DRAIN_MS);)
        if (sink(g) > 0)
            last = rte_rdtsc();
        else if (g->out->came + g->out->foreign >= g->out->sent)
            break;
}

bool duo_run(struct bench *b, enum duo_kind kind, struct traffic *t, double pps, unsigned ms,
             void (*hook)(struct bench *b, void *arg), void *arg, struct duo_result *out)
{
    struct lane *l = &b->lane[0];
    struct tested *tested = calloc(1, sizeof *tested);
    struct generator g = {.b = b, .l = l, .t = t, .out = out};
    if (b->options.cores < 2) {
        free(tested);
        return false;
    }
    memset(out, 0, sizeof *out);
    g.stamp = calloc((l->pool_last - l->pool_base) / l->pool_stride + 1, sizeof *g.stamp);
    if (!tested || !g.stamp)
        die("no memory for a generator");
    tested->lane = l;
    tested->kind = kind;
    uint64_t drops = worker_drops(b, t->forged != NULL);
    start_tested(tested);
    generate(&g, pps, ms, hook, arg);
    stop_tested(tested);
    out->dropped = worker_drops(b, t->forged != NULL) - drops;
    out->turns = tested->turns;
    // what was dropped went back to the pool, some of it to the other lcore's share, which is at rest now
    rte_mempool_cache_flush(rte_mempool_default_cache(l->pool, OTHER_LCORE), l->pool);
    free(tested);
    free(g.stamp);
    return true;
}

bool duo_right(const struct duo_result *r)
{
    return r->sent == r->came + r->dropped && r->out_of_order == 0 && r->foreign == 0 && r->forged_came == 0;
}
