// SPDX-License-Identifier: BSD-3-Clause
// trunkline-bench: the packet engine at the limit of the core. What its parts share.
//
// A lane is one worker with its rings, its packets and the lcore it runs on; a set is the sessions of one arm
// at one number of streams, made by ADD through the manager; a slice is some rounds of 4,096 packets of one
// set, of which only the part between the rings is timed.
#pragma once

#include <rte_mbuf.h>
#include <rte_ring.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/client.h"
#include "dataplane/manager/manager_internal.h"
#include "dataplane/path/worker.h"
#include "dataplane/srtp/srtp.h"

enum {
    SIDES = 2,          // ports: peer and core
    LANES_MAX = 2,      // workers
    CIRCULATING = 4096, // mbufs of a lane, all of one round
    RING_SLOTS = 8192,
    REALMS_SIDE_MAX = 16,
    REMOTES = 4, // neighbours in the subnet of each realm
    FRAME_HEADER = 42,
    RTP_HEADER = 12,
    PAYLOAD_MAX = 160,
    PACKET_ROOM = RTP_HEADER + PAYLOAD_MAX + SRTP_TAILROOM,
    STREAM_PERIOD_MS = 20, // each stream is touched once in it
    STREAM_PPS = 1000 / STREAM_PERIOD_MS,
};

struct rng {
    uint64_t state;
};

// ---- arms --------------------------------------------------------------------------------------------

enum arm_kind {
    ARM_NULL,    // the harness: nothing is done with the packets
    ARM_SWAP,    // receive, swap MAC addresses, send: the limit of the same rings
    ARM_RAW,     // libIPSec_MB alone, on the same buffers
    ARM_LIBRE,   // Debian's libre protects the same packets
    ARM_OWN,     // our engine alone, called as ARM_RAW calls the library
    ARM_PROTECT, // srtp_protect() of the engine, as its stage calls it
    ARM_ENGINE,  // worker_step()
};

struct arm {
    const char *name;
    const char *what; // a line for people
    enum arm_kind kind;
    enum tl_suite in;  // what the remote side encrypts with, NONE: plain; RAW and LIBRE: what they make
    enum tl_suite out; // what we encrypt with
    bool a_to_u;       // payload from A-law to mu-law
    bool mixed;        // of ten sessions seven are AES_CM, three GCM, each with a plain and an SRTP side
    bool attack;       // bad tags, replays and unknown ports
};

extern const struct arm arms[];
extern const unsigned arm_count;

// By name, or NULL.
const struct arm *arm_find(const char *name);

// ---- sets --------------------------------------------------------------------------------------------

// What passes in one direction of a session.
struct stream {
    uint64_t index;       // SRTP index of the next packet, its sequence number below
    uint64_t first;       // of the first one
    uint32_t ssrc;        // also the stream's number, see set_ssrc()
    uint32_t sent;        // packets given to the arm
    uint32_t passed;      // packets that came out
    uint32_t last_serial; // of the last that came out
    uint16_t src_port;    // remote side's
    uint16_t dst_port;    // ours
    uint16_t out_port;    // remote port on the other side
    uint8_t side;         // enters here
    uint8_t realm;        // on both sides
    uint8_t remote;       // which neighbour sends
    uint8_t late;         // the packet before the last one sent is still to come
    uint8_t suite_in, suite_out;
    uint16_t pad;
};

// Why a packet of the attack arm must not come out.
enum refused { REFUSED_NOT, REFUSED_TAG, REFUSED_REPLAY, REFUSED_PORT, REFUSED_COUNT };

struct set {
    const struct arm *arm;
    struct lane *lane;
    unsigned streams;
    unsigned payload; // bytes, of each packet
    unsigned sessions;
    uint64_t virtual_ns; // its clock: the worker's while this set's packets run
    uint64_t packet_ns;  // of virtual time that pass with each packet, in 1/256 ns
    uint32_t number;     // part of keys and SSRCs
    struct stream *stream;
    uint32_t *order; // a permutation
    unsigned cursor;
    struct tl_handle *handle; // by session
    struct srtp_key **sender; // by stream: the remote side's key, NULL where it sends plain
    void *reference;          // RAW, OWN, LIBRE, PROTECT: theirs
    enum refused refused;     // ATTACK: of the last packet; NOT: they are good
    struct rng rng;           // loss, reorder
    bool live;                // sessions are in the dataplane
    bool any_rate;            // its legs may send as fast as they like
};

// What an mbuf in circulation carries.
struct sent {
    struct stream *stream;
    uint64_t index;
    uint32_t serial; // number of the packet in its stream, from 1
    uint32_t number; // of the stream in its set
    uint32_t ssrc;
    uint16_t len;    // of the UDP payload as it went in
    uint8_t pass;    // 0: it must not come out
    uint8_t refused; // enum refused: why it should not
};

// ---- lanes -------------------------------------------------------------------------------------------

struct lane {
    struct bench *bench;
    unsigned id;
    struct worker *worker; // NULL between two dataplanes
    struct rte_mempool *pool;
    uintptr_t pool_base, pool_last;
    size_t pool_stride;
    struct rte_ring *in[SIDES], *out[SIDES];
    struct rte_mbuf *mbuf[CIRCULATING]; // at rest: [0, idle); in a round: as they went in
    unsigned idle;
    struct sent *sent;   // by mbuf
    uint8_t *staging;    // CIRCULATING times PACKET_ROOM
    uint16_t *staged;    // length of each
    struct srtp_op *ops; // CIRCULATING
    struct srtp_ctx *srtp;
    struct set *set;                    // of the slice that runs
    unsigned next;                      // RAW, LIBRE: next packet of the round
    uint64_t drops_seen[TL_DROP_COUNT]; // of the worker, when its counters were last looked at
    struct rng rng;
};

// What an mbuf of the lane's pool carries.
static inline struct sent *sent_of(const struct lane *l, const struct rte_mbuf *m)
{
    return &l->sent[((uintptr_t)m - l->pool_base) / l->pool_stride];
}

struct options {
    bool quick;
    bool huge;
    bool sums_in_software; // UDP and IP checksums by the worker, else as by a NIC
    unsigned core[LANES_MAX];
    unsigned cores;
    unsigned realms; // a side
    unsigned max_sessions;
    unsigned memory_mb; // without huge pages
    unsigned repetitions;
    unsigned slice_us;
    const char *only; // part of the names of arms, or NULL
};

struct bench {
    struct options options;
    struct tl_config *config;
    struct ports ports;
    struct manager *manager;
    struct tl_client *client;
    uint64_t next_id;
    struct rte_mempool *own_pool; // the dataplane's own frames and ARP
    uint16_t ethdev[SIDES];
    struct lane lane[LANES_MAX];
    unsigned workers; // of the dataplane that is up
    unsigned burst;   // packets that a worker takes from a port at once, as shipped
    uint32_t next_set;
    uint8_t noise[8192]; // where payloads are cut from
};

// Prints what is wrong and what to do, and ends the program with status 1.
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

// splitmix64: the same numbers in every run.
static inline uint64_t rng_next(struct rng *r)
{
    uint64_t z = r->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static inline uint32_t rng_below(struct rng *r, uint32_t bound)
{
    return (uint32_t)(((rng_next(r) >> 32) * bound) >> 32);
}

// ---- place.c: EAL, ports, dataplane ------------------------------------------------------------------

// Starts DPDK and makes ports, pools and rings. Ends the program when it cannot.
void place_start(struct bench *b);
void place_end(struct bench *b);

// A dataplane of that many workers, with a client of the contract connected; down takes it away.
void place_up(struct bench *b, unsigned workers);
void place_down(struct bench *b);

// One turn of manager and workers, with ARP answered. No lane may be running. False: a frame came out that is
// not ARP (it is freed).
bool place_turn(struct bench *b);

// Answers ARP or frees a frame that came out of side `side`. True: it was ARP.
bool place_arp(struct bench *b, unsigned side, struct rte_mbuf *m);

// Addresses, in network byte order, and MACs.
uint32_t place_media_ip(unsigned side, unsigned realm);
uint32_t place_remote_ip(unsigned side, unsigned realm, unsigned remote);
void place_port_mac(uint8_t mac[6], unsigned side);
void place_remote_mac(uint8_t mac[6], unsigned side, uint32_t ip);

// ---- set.c -------------------------------------------------------------------------------------------

// SET_ANY_RATE: negotiated rates out of reach, for packets at the rate of the machine instead of the
// streams'.
enum set_rate { SET_OWN_RATE, SET_ANY_RATE };

// Makes `streams` streams of the arm for a lane, with its sessions in the dataplane; `payload` bytes a
// packet.
struct set *set_new(struct bench *b, const struct arm *arm, struct lane *lane, unsigned streams,
                    unsigned payload, enum set_rate rate);

// A set without sessions in the dataplane, for who makes them one by one (set_leg()).
struct set *set_outside(struct bench *b, const struct arm *arm, struct lane *lane, unsigned streams);

// Its clock becomes the worker's.
void set_begin(struct set *s);

// Ends the sessions and frees it.
void set_free(struct bench *b, struct set *s);

// Keys of what enters as `stream` (from its remote side) or leaves (`sent`).
struct tl_crypto set_crypto(const struct set *s, unsigned stream, bool sent);

// The stream that has this SSRC, or NULL.
struct stream *set_stream(const struct set *s, uint32_t ssrc);

// The leg of a session as ADD wants it.
void set_leg(const struct bench *b, const struct set *s, unsigned session, unsigned leg, struct tl_leg *out);

// ---- traffic.c ---------------------------------------------------------------------------------------

// Writes the next `n` packets (1..CIRCULATING) of the set into idle mbufs of its lane and puts them into the
// receive rings. For RAW, OWN, LIBRE and PROTECT they stay in lane->mbuf.
void traffic_make(struct bench *b, struct set *s, unsigned n);

// A port that no session has on the stream's media address.
uint16_t traffic_unknown_port(uint64_t number);

// Ethernet, IPv4 and UDP of a packet of this stream in front of `len` bytes of UDP payload that are there
// already.
void traffic_headers(const struct stream *st, uint8_t *frame, unsigned len, uint16_t dst_port);

// The RTP packet of a stream under an index, plain, into out[RTP_HEADER + payload]; returns its length.
unsigned traffic_plain(const struct bench *b, const struct set *s, const struct stream *st, uint64_t index,
                       uint8_t *out);

// ---- check.c: the correctness gate -------------------------------------------------------------------

struct verdict {
    uint64_t sent, passed, dropped;
    uint64_t drops[TL_DROP_COUNT]; // of `dropped`, by why
    uint64_t wrong;                // headers, payload or tags
    uint64_t out_of_order;
    uint64_t unexpected; // came out and should not, or twice
    uint64_t missing;    // neither came out nor were counted as dropped
    uint64_t counters;   // streams whose live record says something else
    uint64_t sampled;    // packets that were compared byte by byte
    uint64_t by_libsrtp; // of them opened by libsrtp2
};

bool verdict_right(const struct verdict *v);
void verdict_add(struct verdict *to, const struct verdict *v);

// oracle.c: libsrtp2 opens a packet of `len` bytes in place under this ROC; its new length, 0: it refuses.
unsigned oracle_open(const struct tl_crypto *crypto, uint32_t ssrc, uint32_t roc, uint8_t *packet,
                     unsigned len);

// Takes what came out, looks at each packet and puts the mbufs back to rest.
void check_round(struct bench *b, struct set *s, unsigned n, struct verdict *v);

// Compares the live table with what was sent and seen, since the sessions were made.
void check_counters(struct bench *b, struct set *s, struct verdict *v);

// ---- step.c and reference_*.c ------------------------------------------------------------------------

typedef unsigned (*step_fn)(struct lane *lane);

// Floods an ATTACK set until its buckets refuse nearly all.
void attack_prepare(struct bench *b, struct set *s);

// The function that takes the packets of this set through; each call some packets, returns how many.
step_fn step_of(const struct set *s);

// A burst of each port, MAC addresses swapped, out by the other one.
unsigned step_mac_swap(struct lane *lane);

// Runs `packets` packets through. Returns TSC cycles.
uint64_t step_timed(struct lane *lane, step_fn step, unsigned packets);
