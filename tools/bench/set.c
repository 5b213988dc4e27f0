// SPDX-License-Identifier: BSD-3-Clause
// Sets: streams, and the sessions that carry them, made and ended through the contract as control does it.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/bench/reference.h"

enum {
    COMMANDS_OUT = 512,
    TURNS_MAX = 4000000,
    MIXED_CM = 7, // of ten sessions of the mixed arm
    SSRC_STREAMS = 1 << 20,
    BURST_MS = 3000,     // a worker's two bursts of one stream alone are 1.3 s of it
    ATTACK_TIMES = 1000, // the rate of the streams
    MAX_PPS = 60,
    MAX_BPS = 60 * 220,
};

// ---- what a stream is --------------------------------------------------------------------------------

// In the mixed arm one leg of a session is plain, the other encrypts.
static enum tl_suite suite_of(const struct set *s, unsigned stream, bool sent)
{
    unsigned session = stream / SIDES, side = stream % SIDES;
    if (!s->arm->mixed)
        return sent ? s->arm->out : s->arm->in;
    enum tl_suite suite =
        session % 10 < MIXED_CM ? TL_SUITE_AES_CM_128_HMAC_SHA1_80 : TL_SUITE_AEAD_AES_128_GCM;
    return (side == 1) != sent ? suite : TL_SUITE_NONE;
}

struct tl_crypto set_crypto(const struct set *s, unsigned stream, bool sent)
{
    struct tl_crypto c = {0};
    const struct tl_suite_info *info = tl_suite_info(suite_of(s, stream, sent));
    struct rng rng = {(uint64_t)s->number << 32 | stream << 1 | sent};
    if (!info)
        return c;
    c.suite = suite_of(s, stream, sent);
    c.generation = 1;
    for (unsigned i = 0; i < info->key_len; i++)
        c.key[i] = rng_next(&rng);
    for (unsigned i = 0; i < info->salt_len; i++)
        c.salt[i] = rng_next(&rng);
    return c;
}

struct stream *set_stream(const struct set *s, uint32_t ssrc)
{
    uint32_t i = ssrc % SSRC_STREAMS;
    return ssrc / SSRC_STREAMS == s->number && i < s->streams ? &s->stream[i] : NULL;
}

static struct tl_addr address(uint32_t ip, uint16_t port)
{
    struct tl_addr a = {.family = TL_AF_INET, .port = port};
    memcpy(a.ip, &ip, 4);
    return a;
}

static uint16_t remote_port(const struct set *s, unsigned session)
{
    return 1024 + 2 * ((session * 7 + s->number * 1000) % 32000);
}

// Two workers: the manager chooses the worker by the ports, so here the ports are chosen for the worker. Each
// has half of the buckets, a bucket being a port pair in every 256 ports.
static uint16_t port_of_worker(unsigned worker, unsigned n)
{
    enum { HALF = TL_PORT_BUCKETS / 2 };
    return 1024 + n / HALF * 2 * TL_PORT_BUCKETS + worker * 2 * HALF + n % HALF * 2;
}

// What comes in on leg 0 (the peer side) is stream 2 * session, on leg 1 the next one.
void set_leg(const struct bench *b, const struct set *s, unsigned session, unsigned leg, struct tl_leg *out)
{
    unsigned in = session * SIDES + leg, back = session * SIDES + (leg ^ 1);
    unsigned realm = session % b->options.realms, remote = session / b->options.realms % REMOTES;
    *out = (struct tl_leg){.flags = TL_LEG_RECV | TL_LEG_SEND,
                           .pt_count = 2,
                           .pt_in = {8, 101},
                           .pt_out = {s->arm->a_to_u ? 0 : 8, 101},
                           .pt_law = {s->arm->a_to_u ? TL_LAW_A_TO_U : TL_LAW_SAME, TL_LAW_SAME},
                           .max_len = s->arm->attack ? TL_LEN_MIN : TL_LEN_MAX, // which deepens buckets
                           .max_pps = s->any_rate ? TL_PPS_MAX : MAX_PPS,
                           .max_bps = s->any_rate ? TL_BPS_MAX : MAX_BPS,
                           .burst_ms = s->arm->attack ? TL_BURST_MIN_MS : BURST_MS};
    if (b->workers > 1)
        out->local_port = port_of_worker(s->lane->id, session / b->options.realms);
    snprintf(out->realm, sizeof out->realm, "side%u.%u", leg, realm);
    out->rtp = address(place_remote_ip(leg, realm, remote), remote_port(s, session));
    out->rx = set_crypto(s, in, false);
    out->tx = set_crypto(s, back, true);
}

// ---- commands ----------------------------------------------------------------------------------------

static unsigned take_completions(struct bench *b, struct set *s)
{
    struct tl_completion done;
    unsigned n = 0;
    tl_client_poll(b->client);
    for (; tl_client_completion(b->client, 0, &done) == 0; n++) {
        if (done.status)
            die("%s for session %lu of %s at %u streams: %s", done.op == TL_OP_ADD ? "ADD" : "DEL",
                (unsigned long)(done.id & UINT32_MAX), s->arm->name, s->streams, strerror(-done.status));
        if (done.op != TL_OP_ADD)
            continue;
        unsigned session = done.id & UINT32_MAX;
        s->handle[session] = done.handle;
        for (unsigned side = 0; side < SIDES && session * SIDES + side < s->streams; side++)
            s->stream[session * SIDES + side].dst_port = done.add.local[side].port;
    }
    return n;
}

static void command_each(struct bench *b, struct set *s, enum tl_op op)
{
    unsigned sent = 0, done = 0;
    for (unsigned turns = 0; done < s->sessions; turns++) {
        for (; sent < s->sessions && sent - done < COMMANDS_OUT; sent++) {
            struct tl_command c = {.id = (uint64_t)s->number << 32 | sent, .op = op};
            if (op == TL_OP_ADD) {
                c.call_ref = ((uint64_t)s->number << 32 | sent) + 1;
                set_leg(b, s, sent, 0, &c.leg[0]);
                set_leg(b, s, sent, 1, &c.leg[1]);
            } else {
                c.handle = s->handle[sent];
            }
            if (tl_client_send(b->client, 0, &c))
                break;
        }
        place_turn(b);
        done += take_completions(b, s);
        if (turns == TURNS_MAX)
            die("the manager stopped answering at session %u of %s", done, s->arm->name);
    }
}

// ---- life --------------------------------------------------------------------------------------------

static void *must(void *p)
{
    if (!p)
        die("no memory for a set of streams");
    return p;
}

static void shuffle(uint32_t *order, unsigned n, struct rng *rng)
{
    for (unsigned i = 0; i < n; i++)
        order[i] = i;
    for (unsigned i = n; i > 1; i--) {
        unsigned j = rng_below(rng, i);
        uint32_t t = order[i - 1];
        order[i - 1] = order[j];
        order[j] = t;
    }
}

static void make_stream(struct bench *b, struct set *s, unsigned i)
{
    struct stream *st = &s->stream[i];
    unsigned session = i / SIDES;
    uint64_t first = rng_below(
        &s->rng, 32000); // what we send with SRTP begins below 2^15 (SRTP_FIRST_MAX): so no number changes
    *st = (struct stream){.index = first,
                          .first = first,
                          .ssrc = s->number * SSRC_STREAMS + i,
                          .side = i % SIDES,
                          .realm = session % b->options.realms,
                          .remote = session / b->options.realms % REMOTES,
                          .src_port = remote_port(s, session),
                          .out_port = remote_port(s, session),
                          .dst_port = 1024 + 2 * (session % 32000), // where there is no session
                          .suite_in = suite_of(s, i, false),
                          .suite_out = suite_of(s, i, true)};
}

// The remote side's key, with which it protects what it sends.
static void make_sender(struct set *s, unsigned i)
{
    struct tl_crypto c = set_crypto(s, i, false);
    size_t size = srtp_key_size(c.suite);
    if (c.suite == TL_SUITE_NONE)
        return;
    s->sender[i] = must(aligned_alloc(SRTP_KEY_ALIGN, size));
    if (srtp_key_init(s->lane->srtp, s->sender[i], &c))
        die("a key is refused");
}

// Every next hop has answered, so no packet waits or is dropped for ARP. A question may be under way for a
// while.
static void settle(struct bench *b)
{
    for (unsigned turns = 0; turns < 200; turns++)
        place_turn(b);
}

static struct set *make_set(struct bench *b, const struct arm *arm, struct lane *lane, unsigned streams,
                            unsigned payload)
{
    struct set *s = must(calloc(1, sizeof *s));
    s->arm = arm;
    s->lane = lane;
    s->streams = streams;
    s->payload = payload;
    s->sessions = (streams + SIDES - 1) / SIDES;
    s->packet_ns = STREAM_PERIOD_MS * 1000000ull * 256 / streams / (arm->attack ? ATTACK_TIMES : 1);
    s->number = ++b->next_set;
    s->rng.state = s->number;
    s->stream = must(calloc(streams, sizeof *s->stream));
    s->order = must(calloc(streams, sizeof *s->order));
    s->handle = must(calloc(s->sessions, sizeof *s->handle));
    s->sender = must(calloc(streams, sizeof *s->sender));
    shuffle(s->order, streams, &s->rng);
    for (unsigned i = 0; i < streams; i++)
        make_stream(b, s, i);
    return s;
}

struct set *set_outside(struct bench *b, const struct arm *arm, struct lane *lane, unsigned streams)
{
    return make_set(b, arm, lane, streams, PAYLOAD_MAX);
}

struct set *set_new(struct bench *b, const struct arm *arm, struct lane *lane, unsigned streams,
                    unsigned payload, enum set_rate rate)
{
    struct set *s = make_set(b, arm, lane, streams, payload);
    s->any_rate = rate == SET_ANY_RATE;
    if (arm->kind != ARM_NULL && arm->kind != ARM_SWAP && arm->kind != ARM_ENGINE)
        reference_new(s);
    if (arm->kind == ARM_ENGINE) {
        s->virtual_ns = lane->worker->now_ns;
        for (unsigned i = 0; i < streams; i++)
            make_sender(s, i);
        command_each(b, s, TL_OP_ADD);
        s->live = true;
        settle(b);
    }
    if (arm->attack)
        attack_prepare(b, s);
    return s;
}

void set_begin(struct set *s)
{
    struct worker *w = s->lane->worker;
    s->lane->set = s;
    if (!w)
        return;
    clock_stop(&w->clock, s->virtual_ns);
    w->now_ns = s->virtual_ns;
}

void set_free(struct bench *b, struct set *s)
{
    if (!s)
        return;
    if (s->live)
        command_each(b, s, TL_OP_DEL);
    for (unsigned i = 0; i < s->streams; i++) {
        srtp_key_wipe(s->sender[i]);
        free(s->sender[i]);
    }
    reference_free(s);
    free(s->stream);
    free(s->order);
    free(s->handle);
    free(s->sender);
    free(s);
}
