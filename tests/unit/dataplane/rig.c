// SPDX-License-Identifier: BSD-3-Clause
#include "rig.h"

#include <CUnit/CUnit.h>
#include <rte_arp.h>
#include <rte_eal.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>
#include <rte_malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MUST(x)                                                                                              \
    do {                                                                                                     \
        if (!(x)) {                                                                                          \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #x);                                          \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

enum { RING_SLOTS = 1024, PORT_0 = 20000, PORT_1 = 30000, PORT_COUNT = 512 };

// One for the program: ethdevs cannot be made anew for each case.
static struct {
    struct rte_mempool *pool;
    uint16_t id[RIG_PORTS];
    struct rte_ring *in[RIG_PORTS][RIG_QUEUES];
    struct rte_ring *out[RIG_PORTS][RIG_QUEUES];
} wire;

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + t.tv_nsec;
}

// ---- EAL and ports -----------------------------------------------------------------------------------

static void make_port(unsigned p)
{
    char name[32];
    for (unsigned q = 0; q < RIG_QUEUES; q++) {
        snprintf(name, sizeof name, "in%u.%u", p, q);
        wire.in[p][q] = rte_ring_create(name, RING_SLOTS, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
        snprintf(name, sizeof name, "out%u.%u", p, q);
        wire.out[p][q] = rte_ring_create(name, RING_SLOTS, 0, RING_F_SP_ENQ | RING_F_SC_DEQ);
        MUST(wire.in[p][q] && wire.out[p][q]);
    }
    snprintf(name, sizeof name, "wire%u", p);
    int id = rte_eth_from_rings(name, wire.in[p], RIG_QUEUES, wire.out[p], RIG_QUEUES, 0);
    MUST(id >= 0);
    struct rte_eth_conf conf = {0};
    MUST(rte_eth_dev_configure(id, RIG_QUEUES, RIG_QUEUES, &conf) == 0);
    for (unsigned q = 0; q < RIG_QUEUES; q++) {
        MUST(rte_eth_rx_queue_setup(id, q, RING_SLOTS, 0, NULL, wire.pool) == 0);
        MUST(rte_eth_tx_queue_setup(id, q, RING_SLOTS, 0, NULL) == 0);
    }
    MUST(rte_eth_dev_start(id) == 0);
    wire.id[p] = id;
}

int rig_eal(void)
{
    char prefix[32];
    snprintf(prefix, sizeof prefix, "--file-prefix=rig%d", (int)getpid());
    char *argv[] = {"rig", "-l",       "0",           "--no-huge",      "-m",
                    "96",  "--no-pci", "--no-shconf", "--no-telemetry", "--log-level=5",
                    prefix};
    if (rte_eal_init(sizeof argv / sizeof *argv, argv) < 0) {
        fprintf(stderr, "DPDK did not start\n");
        return -1;
    }
    wire.pool = rte_pktmbuf_pool_create("rig", RIG_MBUFS, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, 0);
    MUST(wire.pool);
    for (unsigned p = 0; p < RIG_PORTS; p++)
        make_port(p);
    return 0;
}

void rig_eal_end(void)
{
    char folder[128];
    packet_unguard_pool(wire.pool);
    for (unsigned p = 0; p < RIG_PORTS; p++) {
        rte_eth_dev_stop(wire.id[p]);
        rte_eth_dev_close(wire.id[p]);
    }
    rte_mempool_free(wire.pool);
    snprintf(folder, sizeof folder, "%s", rte_eal_get_runtime_dir());
    rte_eal_cleanup();
    rmdir(folder); // DPDK leaves it
}

// ---- a dataplane -------------------------------------------------------------------------------------

static void set_mac(uint8_t *mac, unsigned kind, unsigned port, unsigned host)
{
    memcpy(mac, (uint8_t[6]){2, 0, 0, kind, port, host}, 6);
}

static struct tl_addr address(uint32_t ip)
{
    struct tl_addr a = {.family = TL_AF_INET};
    memcpy(a.ip, &ip, 4);
    return a;
}

static struct tl_config *make_config(unsigned workers)
{
    struct tl_config *c = calloc(1, sizeof *c);
    MUST(c);
    c->dataplane.worker_count = workers;
    c->dataplane.max_sessions = RIG_SESSIONS;
    c->dataplane.burst = 32;
    snprintf(c->dataplane.socket, sizeof c->dataplane.socket, "/tmp/trunkline-rig-%d.sock", (int)getpid());
    c->dataplane.port_count = RIG_PORTS;
    c->realm_count = RIG_PORTS;
    for (unsigned p = 0; p < RIG_PORTS; p++) {
        struct tl_realm_config *realm = &c->realms[p];
        snprintf(c->dataplane.ports[p].name, TL_NAME_MAX, "wire%u", p);
        c->dataplane.ports[p].rx_descriptors = c->dataplane.ports[p].tx_descriptors = RING_SLOTS;
        snprintf(realm->name, sizeof realm->name, p ? "core" : "peer");
        realm->port = p;
        realm->address = address(RIG_IP(p));
        realm->prefix_len = 24;
        realm->rtp_first = p ? PORT_1 : PORT_0;
        realm->rtp_last = realm->rtp_first + PORT_COUNT - 1;
    }
    return c;
}

static void make_ports(struct rig *r, unsigned workers, unsigned queues)
{
    memset(&r->ports, 0, sizeof r->ports);
    memset(r->ports.by_id, UINT8_MAX, sizeof r->ports.by_id);
    r->ports.count = RIG_PORTS;
    r->ports.workers = workers;
    for (unsigned b = 0; b < TL_PORT_BUCKETS; b++)
        r->ports.bucket_worker[b] = port_bucket_worker(b, workers);
    for (unsigned p = 0; p < RIG_PORTS; p++) {
        struct port *port = &r->ports.port[p];
        port->id = wire.id[p];
        port->index = p;
        port->frame_max = RTE_ETHER_HDR_LEN + RTE_ETHER_MTU;
        set_mac(port->mac.addr_bytes, 1, p, 2);
        port_plan_queues(port, workers, queues, queues);
        port_bind_realms(port, r->config, p);
        r->ports.by_id[port->id] = p;
    }
}

static void prepare(struct rig *r, unsigned workers, unsigned queues)
{
    memset(r, 0, sizeof *r);
    r->pool = wire.pool;
    r->free_mbufs = rte_mempool_avail_count(wire.pool);
    r->sent = calloc(RIG_SENT, sizeof *r->sent);
    r->config = make_config(workers);
    make_ports(r, workers, queues);
    MUST(r->sent && srtp_ctx_new(SRTP_ENGINE_AUTO, &r->srtp) == 0);
}

void rig_open(struct rig *r, unsigned workers, unsigned queues)
{
    const char *why = NULL;
    prepare(r, workers, queues);
    r->live = calloc(1, sizeof *r->live);
    r->engine = calloc(1, sizeof *r->engine);
    MUST(r->live && r->engine && tl_live_create(r->live, workers, RIG_SESSIONS, TL_SEGMENT_SMALL_PAGES) == 0);
    slab_init(&r->slab, SOCKET_ID_ANY);
    r->neigh = neigh_create(&r->ports, wire.pool);
    MUST(r->neigh);
    MUST(engine_init(r->engine, r->config, &r->ports, neigh_table(r->neigh), r->live, &why) == 0);
    for (unsigned w = 0; w < workers; w++) {
        struct worker *worker;
        MUST(worker_init(&worker, r->engine, r->neigh, w) == 0);
    }
}

void rig_open_managed(struct rig *r, unsigned workers, unsigned queues)
{
    char why[MANAGER_WHY_LEN] = "";
    prepare(r, workers, queues);
    struct manager_config c = {.config = r->config, .ports = &r->ports, .pools = &wire.pool};
    if (manager_init(&r->manager, &c, why)) {
        fprintf(stderr, "%s\n", why);
        abort();
    }
    r->live = &r->manager->live;
    r->engine = &r->manager->engine;
    r->neigh = r->manager->neigh;
}

static void check_identity(const struct tl_live_worker *l)
{
    uint64_t out = l->tx + l->punted + l->handed_off + l->absorbed + l->waiting;
    for (unsigned i = 0; i < TL_DROP_COUNT; i++)
        out += l->drops[i];
    CU_ASSERT_EQUAL(l->rx_nic + l->rx_handoff, out);
}

static void end_by_hand(struct rig *r)
{
    for (unsigned w = 0; w < r->engine->workers; w++)
        worker_fini(r->engine->worker[w]);
    engine_fini(r->engine);
    CU_ASSERT_EQUAL(slab_bytes(&r->slab).in_use, 0);
    slab_fini(&r->slab);
    neigh_free(r->neigh);
    tl_live_destroy(r->live);
    free(r->engine);
    free(r->live);
}

void rig_close(struct rig *r)
{
    rig_settle(r);
    for (unsigned w = 0; w < r->engine->workers; w++)
        check_identity(&r->live->workers[w]);
    if (r->manager)
        manager_fini(r->manager);
    else
        end_by_hand(r);
    srtp_ctx_free(r->srtp);
    free(r->config);
    free(r->sent);
    CU_ASSERT_EQUAL(rte_mempool_avail_count(wire.pool), r->free_mbufs);
    packet_unguard_pool(wire.pool);
}

// ---- sessions ----------------------------------------------------------------------------------------

static struct leg_place place_of(struct rig *r, unsigned leg, uint16_t port)
{
    return (struct leg_place){&r->ports.port[leg], &r->ports.port[leg].realm[0], port};
}

static struct worker *owner(struct rig *r, const struct rig_call *call)
{
    return r->engine->worker[r->ports.bucket_worker[tl_port_bucket(call->port[0])]];
}

// Gives the worker a task and runs its turn.
static void run_task(struct rig *r, const struct rig_call *call, struct task *task)
{
    struct worker *w = owner(r, call);
    void *back = NULL;
    MUST(rte_ring_enqueue(w->tasks, task) == 0);
    rig_turn(r);
    MUST(rte_ring_dequeue(w->done, &back) == 0 && back == task);
}

static struct task task_for(struct rig *r, const struct rig_call *call, enum task_kind kind)
{
    struct task task = {.kind = kind,
                        .slot = call->session->slot,
                        .port = {call->port[0], call->port[1]},
                        .tx_slot = {LEG_PAST_PLAIN, LEG_PAST_PLAIN}};
    for (unsigned i = 0; kind != TASK_SWAP && i < 2; i++)
        task.map[i] = r->engine->map[i][0];
    return task;
}

struct rig_call rig_call(struct rig *r, uint32_t slot, const struct tl_leg leg[2])
{
    struct session *s = &r->engine->sessions[slot];
    struct rig_call call = {
        .session = s, .live = &r->live->sessions[slot], .port = {leg[0].local_port, leg[1].local_port}};
    const struct tl_resume_ssrc *rx[2] = {leg[0].rx_resume, leg[1].rx_resume};
    const struct tl_resume_ssrc *tx[2] = {&leg[0].tx_resume, &leg[1].tx_resume};
    tl_live_claim(r->live, slot, 1, owner(r, &call)->id, 0, slot + 1);
    memset(s, 0, sizeof *s);
    s->slot = slot;
    for (unsigned i = 0; i < 2; i++) {
        struct leg_place place = place_of(r, i, call.port[i]);
        struct terms_maker maker = {&r->slab, r->srtp, r->neigh};
        struct leg_parts parts = session_parts(s, i);
        MUST(leg_parts_make(&parts, &leg[i], &place, &maker, now_ns()) == 0);
        s->rx[i] = parts.rx;
    }
    session_start(s, call.live, rx, tx);
    struct task task = task_for(r, &call, TASK_LINK);
    run_task(r, &call, &task);
    return call;
}

void rig_modify(struct rig *r, struct rig_call *call, unsigned leg, const struct tl_leg *terms)
{
    struct leg_place place = place_of(r, leg, call->port[leg]);
    struct terms_maker maker = {&r->slab, r->srtp, r->neigh};
    struct task task = task_for(r, call, TASK_SWAP);
    struct leg_terms aside, before = call->session->leg[leg].terms;
    task.parts[leg].terms = &aside;
    MUST(leg_parts_make(&task.parts[leg], terms, &place, &maker, now_ns()) == 0);
    run_task(r, call, &task);
    CU_ASSERT(memcmp(&aside, &before, sizeof aside) == 0);
    leg_parts_free(&task.parts[leg], &maker, now_ns());
}

void rig_end(struct rig *r, struct rig_call *call)
{
    struct terms_maker maker = {&r->slab, r->srtp, r->neigh};
    struct task task = task_for(r, call, TASK_UNLINK);
    run_task(r, call, &task);
    for (unsigned i = 0; i < 2; i++) {
        struct leg_parts parts = session_parts(call->session, i);
        leg_parts_free(&parts, &maker, now_ns());
        call->session->rx[i] = NULL;
    }
    tl_live_release(r->live, call->session->slot);
}

struct tl_leg rig_leg(unsigned port, uint16_t local_port, uint16_t remote_port)
{
    struct tl_leg leg = {.local_port = local_port,
                         .flags = TL_LEG_RECV | TL_LEG_SEND,
                         .pt_count = 3,
                         .pt_in = {8, 0, 101},
                         .pt_out = {8, 0, 101},
                         .max_len = TL_LEN_MAX,
                         .max_pps = TL_PPS_MAX,
                         .max_bps = TL_BPS_MAX,
                         .burst_ms = TL_BURST_MAX_MS};
    snprintf(leg.realm, sizeof leg.realm, port ? "core" : "peer");
    leg.rtp = address(RIG_PEER(port));
    leg.rtp.port = remote_port;
    return leg;
}

// ---- packets -----------------------------------------------------------------------------------------

void rig_frame(struct rig *r, unsigned port, unsigned queue, const void *frame, unsigned len, unsigned tail)
{
    struct rte_mbuf *m = packet_from(r->pool, frame, len);
    m->port = wire.id[port];
    packet_guard(m, tail);
    MUST(rte_ring_enqueue(wire.in[port][queue], m) == 0);
}

void rig_frame_at_end(struct rig *r, unsigned port, unsigned queue, const void *frame, unsigned len)
{
    struct rte_mbuf *m = packet_from(r->pool, frame, len);
    m->data_off = m->buf_len - len;
    memcpy(rte_pktmbuf_mtod(m, void *), frame, len);
    m->port = wire.id[port];
    packet_guard(m, 0);
    MUST(rte_ring_enqueue(wire.in[port][queue], m) == 0);
}

unsigned rig_udp_write(uint8_t frame[PACKET_BYTES_MAX], unsigned port, uint16_t src_port, uint16_t dst_port,
                       const void *payload, unsigned len)
{
    struct udp_frame f = {.src_ip = RIG_PEER(port),
                          .dst_ip = RIG_IP(port),
                          .src_port = src_port,
                          .dst_port = dst_port,
                          .payload = payload,
                          .len = len};
    set_mac(f.dst_mac, 1, port, 2);
    set_mac(f.src_mac, 2, port, 10);
    return udp_frame_write(frame, &f);
}

void rig_udp(struct rig *r, unsigned port, unsigned queue, uint16_t src_port, uint16_t dst_port,
             const void *payload, unsigned len)
{
    uint8_t frame[PACKET_BYTES_MAX];
    unsigned frame_len = rig_udp_write(frame, port, src_port, dst_port, payload, len);
    rig_frame(r, port, queue, frame, frame_len, SRTP_TAILROOM);
}

static char filler; // stands for a packet in a queue that is full

void rig_block(unsigned port, unsigned queue)
{
    while (rte_ring_enqueue(wire.out[port][queue], &filler) == 0)
        ;
}

void rig_unblock(unsigned port, unsigned queue)
{
    void *m;
    while (rte_ring_dequeue(wire.out[port][queue], &m) == 0)
        MUST(m == &filler);
}

// A neighbour's answer to an ARP request that a worker sent.
static void answer_arp(struct rig *r, unsigned port, const uint8_t *frame)
{
    uint8_t reply[60] = {0};
    const struct rte_arp_hdr *ask = (const struct rte_arp_hdr *)(frame + 14);
    struct rte_arp_hdr *arp = (struct rte_arp_hdr *)(reply + 14);
    if (ask->arp_opcode != RTE_BE16(RTE_ARP_OP_REQUEST) || r->silent || ask->arp_data.arp_tip == RIG_IP(port))
        return;
    *arp = *ask;
    arp->arp_opcode = RTE_BE16(RTE_ARP_OP_REPLY);
    set_mac(arp->arp_data.arp_sha.addr_bytes, 2, port, ((const uint8_t *)&ask->arp_data.arp_tip)[3]);
    arp->arp_data.arp_sip = ask->arp_data.arp_tip;
    arp->arp_data.arp_tha = ask->arp_data.arp_sha;
    arp->arp_data.arp_tip = ask->arp_data.arp_sip;
    memcpy(reply, ask->arp_data.arp_sha.addr_bytes, 6);
    memcpy(reply + 6, arp->arp_data.arp_sha.addr_bytes, 6);
    memcpy(reply + 12, (uint8_t[]){0x08, 0x06}, 2);
    rig_frame(r, port, 0, reply, sizeof reply, 0);
}

static void check_headers(const struct rig_sent *s)
{
    uint8_t mac[6];
    set_mac(mac, 2, s->port, ((const uint8_t *)&s->udp.dst_ip)[3]);
    CU_ASSERT(memcmp(s->udp.dst_mac, mac, 6) == 0);
    set_mac(mac, 1, s->port, 2);
    CU_ASSERT(memcmp(s->udp.src_mac, mac, 6) == 0);
    CU_ASSERT(s->udp.ip_sum_right);
    CU_ASSERT(s->udp.udp_sum_right);
    CU_ASSERT_EQUAL(s->udp.src_ip, RIG_IP(s->port));
    CU_ASSERT_EQUAL(s->udp.option_words, 0);
    CU_ASSERT_EQUAL(s->frame_len, 42 + s->udp.len);
}

static void collect(struct rig *r, unsigned port, struct rte_mbuf *m)
{
    packet_unguard(m);
    const uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
    struct rig_sent *s = &r->sent[r->sent_count];
    CU_ASSERT_EQUAL(m->nb_segs, 1);
    CU_ASSERT_EQUAL(m->pkt_len, m->data_len);
    MUST(m->data_len <= sizeof s->bytes);
    if (m->data_len >= 42 && frame[12] == 0x08 && frame[13] == 0x06) {
        answer_arp(r, port, frame);
        r->other_sent++;
    } else {
        memcpy(s->bytes, frame, m->data_len);
        s->port = port;
        s->frame_len = m->data_len;
        if (udp_frame_read(&s->udp, s->bytes, s->frame_len)) {
            check_headers(s);
            MUST(++r->sent_count < RIG_SENT);
        } else {
            r->other_sent++;
        }
    }
    rte_pktmbuf_free(m);
}

unsigned rig_collect(struct rig *r)
{
    unsigned moved = 0;
    for (unsigned p = 0; p < RIG_PORTS; p++)
        for (unsigned q = 0; q < RIG_QUEUES; q++) {
            struct rte_mbuf *m;
            if (rte_ring_full(wire.out[p][q])) // blocked
                continue;
            for (; rte_ring_dequeue(wire.out[p][q], (void **)&m) == 0; moved++)
                collect(r, p, m);
        }
    return moved;
}

// One turn; returns whether anything moved.
static bool turn(struct rig *r)
{
    unsigned moved = 0;
    for (unsigned w = 0; w < r->engine->workers; w++)
        moved += worker_step(r->engine->worker[w]);
    if (r->manager)
        manager_turn(r->manager);
    else
        neigh_manage(r->neigh, now_ns() + r->later_ns);
    moved += rig_collect(r);
    return moved > 0;
}

void rig_turn(struct rig *r)
{
    turn(r);
}

void rig_settle(struct rig *r)
{
    unsigned quiet = 0; // a question of the manager's needs a few turns until its answer has its effect
    for (unsigned i = 0; i < 10000 && quiet < 4; i++)
        quiet = turn(r) ? 0 : quiet + 1;
}

void rig_clear(struct rig *r)
{
    r->sent_count = r->other_sent = 0;
}

uint64_t rig_drops(const struct rig *r, enum tl_drop reason)
{
    uint64_t n = 0;
    for (unsigned w = 0; w < r->engine->workers; w++)
        n += r->live->workers[w].drops[reason];
    return n;
}

uint64_t rig_all_drops(const struct rig *r)
{
    uint64_t n = 0;
    for (unsigned i = 0; i < TL_DROP_COUNT; i++)
        n += rig_drops(r, i);
    return n;
}

uint32_t rig_leg_drops(const struct rig_call *call, unsigned leg, enum tl_drop reason)
{
    int at = tl_drop_leg(reason);
    return at < 0 ? 0 : call->live->drops[leg][at];
}

unsigned rig_rx_used(const struct rig_call *call, unsigned leg)
{
    unsigned used = 0;
    for (unsigned i = 0; i < TL_SSRC_MAX; i++)
        used |= leg_rx_used(&call->session->rx[leg]->stream[i]) ? 1u << i : 0;
    return used;
}
