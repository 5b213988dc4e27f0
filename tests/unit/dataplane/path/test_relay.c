// SPDX-License-Identifier: BSD-3-Clause
// Packets through all stages: plain RTP and RTCP between two legs.
#include <string.h>

#include <rte_ethdev.h>

#include "dataplane/path/stages.h"
#include "rig.h"
#include "runner.h"

enum { PORT0 = 20000, PORT1 = 30008, REMOTE0 = 5000, REMOTE1 = 6000, PAYLOAD = 160 };

static struct rig rig;

static void both(struct tl_leg leg[2])
{
    leg[0] = rig_leg(0, PORT0, REMOTE0);
    leg[1] = rig_leg(1, PORT1, REMOTE1);
}

static void send_rtp(unsigned port, const struct rtp_fields *f)
{
    uint8_t rtp[PACKET_BYTES_MAX];
    unsigned len = rtp_write(rtp, f, PAYLOAD);
    rig_udp(&rig, port, 0, port ? REMOTE1 : REMOTE0, port ? PORT1 : PORT0, rtp, len);
}

static bool payload_right(const struct rig_sent *s, uint32_t ssrc, uint16_t seq)
{
    for (unsigned i = 0; i < PAYLOAD; i++)
        if (s->udp.payload[12 + i] != rtp_payload_byte(ssrc, seq, i))
            return false;
    return s->udp.len == 12 + PAYLOAD;
}

static void plain_both_ways(void)
{
    struct tl_leg leg[2];
    both(leg);
    rig_open(&rig, 1, 1);
    struct rig_call call = rig_call(&rig, 3, leg);
    for (unsigned i = 0; i < 50; i++)
        for (unsigned port = 0; port < 2; port++) {
            struct rtp_fields f = {
                .pt = 8, .marker = i == 0, .seq = 65500 + i, .ts = 160 * i, .ssrc = 100 + port};
            send_rtp(port, &f);
            rig_turn(&rig);
        }
    rig_settle(&rig);
    CU_ASSERT_EQUAL(rig.sent_count, 100);
    unsigned next[2] = {0, 0};
    for (unsigned k = 0; k < rig.sent_count; k++) {
        const struct rig_sent *s = &rig.sent[k];
        unsigned from = !s->port;
        struct rtp_fields f = rtp_read(s->udp.payload);
        CU_ASSERT_EQUAL(s->udp.src_port, s->port ? PORT1 : PORT0);
        CU_ASSERT_EQUAL(s->udp.dst_port, s->port ? REMOTE1 : REMOTE0);
        CU_ASSERT_EQUAL(f.pt, 8);
        CU_ASSERT_EQUAL(f.marker, next[from] == 0);
        CU_ASSERT_EQUAL(f.ssrc, 100 + from);
        CU_ASSERT_EQUAL(f.seq, (uint16_t)(65500 + next[from]));
        CU_ASSERT_EQUAL(f.ts, 160 * next[from]);
        CU_ASSERT(payload_right(s, f.ssrc, f.seq));
        next[from]++;
    }
    for (unsigned i = 0; i < 2; i++) {
        const struct tl_live_rx *rx = &call.live->rx[i];
        const struct tl_live_tx *tx = &call.live->tx[i];
        CU_ASSERT_EQUAL(rx->packets, 50);
        CU_ASSERT_EQUAL(tx->packets, 50);
        CU_ASSERT_EQUAL(rx->octets, 50 * 172);
        CU_ASSERT_EQUAL(tx->octets, 50 * 172);
        CU_ASSERT_EQUAL(tx->ssrc.ssrc, 100u + !i);
        CU_ASSERT_EQUAL(srtp_word_index(tx->ssrc.word), 65500 + 49); // past the wrap
    }
    CU_ASSERT_EQUAL(rig_all_drops(&rig), 0);
    rig_end(&rig, &call);
    rig_close(&rig);
}

// ---- one call, plain ---------------------------------------------------------------------------------

static struct rig_call call;
static struct tl_leg legs[2];

static void set_up(void)
{
    both(legs);
    rig_open(&rig, 1, 1);
    call = rig_call(&rig, 0, legs);
    rig_settle(&rig);
}

static void tear_down(void)
{
    rig_end(&rig, &call);
    rig_close(&rig);
}

static void modify(unsigned i)
{
    rig_modify(&rig, &call, i, &legs[i]);
    rig_settle(&rig);
}

// Sends one packet and turns; returns what came out for it, or NULL.
static const struct rig_sent *relayed(unsigned port, uint8_t pt, uint32_t ssrc, uint16_t seq)
{
    unsigned before = rig.sent_count;
    struct rtp_fields f = {.pt = pt, .seq = seq, .ts = 160u * seq, .ssrc = ssrc};
    send_rtp(port, &f);
    rig_settle(&rig);
    return rig.sent_count == before + 1 ? &rig.sent[before] : NULL;
}

static void payload_types(void)
{
    both(legs);
    for (unsigned i = 0; i < 2; i++) {
        legs[i].pt_count = TL_PT_MAX;
        for (unsigned k = 0; k < TL_PT_MAX; k++) { // 0, 18, 36 .. 126 and what they become
            legs[i].pt_in[k] = 18 * k;
            legs[i].pt_out[k] = i ? 127 - k : k;
        }
    }
    rig_open(&rig, 1, 1);
    call = rig_call(&rig, 0, legs);
    rig_settle(&rig);
    for (unsigned port = 0; port < 2; port++)
        for (unsigned pt = 0; pt < 128; pt++)
            for (unsigned marker = 0; marker < 2; marker++) {
                static uint16_t seq;
                seq++;
                struct rtp_fields f = {.pt = pt, .marker = marker, .seq = seq, .ssrc = 1};
                rig_clear(&rig);
                send_rtp(port, &f);
                rig_turn(&rig);
                CU_ASSERT_EQUAL(rig.sent_count, pt % 18 == 0);
                if (pt % 18 != 0 || rig.sent_count == 0)
                    continue;
                struct rtp_fields g = rtp_read(rig.sent[0].udp.payload);
                CU_ASSERT_EQUAL(g.pt, port ? 127 - pt / 18 : pt / 18);
                CU_ASSERT_EQUAL(g.marker, marker);
            }
    CU_ASSERT_EQUAL(rig_drops(&rig, TL_DROP_unknown_pt), 2 * 2 * 120);
    tear_down();
}

static void no_payload_types(void)
{
    both(legs);
    legs[0].pt_count = 0;
    memset(legs[0].pt_in, 0, sizeof legs[0].pt_in);
    memset(legs[0].pt_out, 0, sizeof legs[0].pt_out);
    rig_open(&rig, 1, 1);
    call = rig_call(&rig, 0, legs);
    rig_settle(&rig);
    for (unsigned pt = 0; pt < 128; pt++)
        CU_ASSERT_PTR_NULL(relayed(0, pt, 1, pt));
    CU_ASSERT_EQUAL(rig_drops(&rig, TL_DROP_unknown_pt), 128);
    tear_down();
}

static void hold(void)
{
    static const uint32_t flags[] = {0, TL_LEG_RECV, TL_LEG_SEND, TL_LEG_RECV | TL_LEG_SEND};
    uint16_t seq = 0;
    set_up();
    for (unsigned a = 0; a < 4; a++)
        for (unsigned b = 0; b < 4; b++) {
            legs[0].flags = flags[a];
            legs[1].flags = flags[b];
            modify(0);
            modify(1);
            seq++;
            CU_ASSERT_EQUAL(relayed(0, 8, 1, seq) != NULL, flags[a] & TL_LEG_RECV && flags[b] & TL_LEG_SEND);
            CU_ASSERT_EQUAL(relayed(1, 8, 2, seq) != NULL, flags[b] & TL_LEG_RECV && flags[a] & TL_LEG_SEND);
        }
    CU_ASSERT_EQUAL(rig_drops(&rig, TL_DROP_held), 2 * 12);
    CU_ASSERT_EQUAL(rig_all_drops(&rig), 2 * 12);
    tear_down();
}

// Only the signalled address and port may speak, for RTP and for RTCP; nothing is learnt from others.
static void strict_source(void)
{
    uint8_t rtp[PACKET_BYTES_MAX], rr[8] = {0x80, 201, 0, 1}, frame[PACKET_BYTES_MAX];
    set_up();
    struct rtp_fields f = {.pt = 8, .seq = 1, .ssrc = 1};
    unsigned len = rtp_write(rtp, &f, PAYLOAD);
    const struct {
        uint16_t src, dst;
        const uint8_t *payload;
        unsigned len;
        bool right;
    } t[] = {
        {REMOTE0, PORT0, rtp, len, true},
        {REMOTE0 + 1, PORT0, rtp, len, false},
        {REMOTE0 - 1, PORT0, rtp, len, false},
        {REMOTE1, PORT0, rtp, len, false},
        {0, PORT0, rtp, len, false},
        {REMOTE0 + 1, PORT0 + 1, rr, 8, true},
        {REMOTE0, PORT0 + 1, rr, 8, false},
        {REMOTE0 + 2, PORT0 + 1, rr, 8, false},
        {(REMOTE0 >> 8 | (REMOTE0 & 255) << 8), PORT0, rtp, len, false},
    };
    unsigned wrong = 0, right = 0;
    for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
        rig_udp(&rig, 0, 0, t[i].src, t[i].dst, t[i].payload, t[i].len);
        rig_settle(&rig);
        right += t[i].right;
        wrong += !t[i].right;
        CU_ASSERT_EQUAL(rig.sent_count, right);
        CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_wrong_source), wrong);
    }
    for (unsigned bit = 0; bit < 32; bit++) { // each bit of the address
        unsigned n = rig_udp_write(frame, 0, REMOTE0, PORT0, rtp, len);
        frame[26 + bit / 8] ^= 1 << bit % 8;
        uint32_t sum = 0;
        frame[24] = frame[25] = 0;
        for (unsigned i = 14; i < 34; i += 2)
            sum += frame[i] << 8 | frame[i + 1];
        sum = ~((sum & 0xffff) + (sum >> 16));
        frame[24] = sum >> 8;
        frame[25] = sum;
        rig_frame(&rig, 0, 0, frame, n, 0);
        rig_settle(&rig);
    }
    // .10 with one bit other is .2, which is we
    CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_wrong_source), wrong + 31);
    CU_ASSERT_EQUAL(rig_drops(&rig, TL_DROP_loop), 1);
    CU_ASSERT_EQUAL(rig.sent_count, right);
    tear_down();
}

static void completed_by_the_answer(void)
{
    both(legs);
    struct tl_addr answer = legs[1].rtp;
    legs[1].rtp = (struct tl_addr){0};
    rig_open(&rig, 1, 1);
    call = rig_call(&rig, 0, legs);
    rig_settle(&rig);
    CU_ASSERT_PTR_NULL(relayed(0, 8, 1, 1));
    CU_ASSERT_PTR_NULL(relayed(1, 8, 2, 1));
    CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_other_leg_incomplete), 1);
    CU_ASSERT_EQUAL(rig_leg_drops(&call, 1, TL_DROP_leg_incomplete), 1);
    legs[1].rtp = answer;
    modify(1);
    CU_ASSERT_PTR_NOT_NULL(relayed(0, 8, 1, 2));
    CU_ASSERT_PTR_NOT_NULL(relayed(1, 8, 2, 2));
    tear_down();
}

static void address_changes(void)
{
    set_up();
    CU_ASSERT_PTR_NOT_NULL(relayed(0, 8, 1, 1));
    uint16_t old = REMOTE1;
    legs[1].rtp.ip[3] = 11; // another host, which ARP must find
    legs[1].rtp.port = 7000;
    modify(1);
    const struct rig_sent *s = relayed(0, 8, 1, 2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_EQUAL(s->udp.dst_ip, IP4(10, 2, 0, 11));
    CU_ASSERT_EQUAL(s->udp.dst_port, 7000);
    CU_ASSERT_EQUAL(rtp_read(s->udp.payload).seq, 2); // the stream goes on
    CU_ASSERT_PTR_NULL(relayed(1, 8, 2, 1));          // the old address
    CU_ASSERT_EQUAL(rig_leg_drops(&call, 1, TL_DROP_former_source), 1);
    CU_ASSERT_EQUAL(rig_leg_drops(&call, 1, TL_DROP_wrong_source), 0);
    legs[1].rtp.ip[3] = 10;
    legs[1].rtp.port = old;
    modify(1);
    CU_ASSERT_PTR_NOT_NULL(relayed(1, 8, 2, 2));
    tear_down();
}

// Early media of one fork after the other: what still comes from one that lost its turn is dropped by a name of
// its own, RTP and RTCP; what comes from the one in turn passes; a stranger is a stranger, and the next session in
// the slot knows of nothing.
static void forks_that_were_not_chosen(void)
{
    uint8_t rtp[PACKET_BYTES_MAX];
    struct rtp_fields f = {.pt = 8, .ssrc = 9};
    unsigned passed = 0;
    set_up();
    for (uint16_t fork = 0; fork < 6; fork++) {
        legs[1].rtp.port = REMOTE1 + 100 + 2 * fork;
        modify(1);
        for (uint16_t from = 0; from <= fork; from++) {
            rig_clear(&rig);
            f.seq = (uint16_t)(10 * fork + from);
            rig_udp(&rig, 1, 0, REMOTE1 + 100 + 2 * from, PORT1, rtp, rtp_write(rtp, &f, PAYLOAD));
            rig_settle(&rig);
            CU_ASSERT_EQUAL(rig.sent_count, from == fork);
            passed += rig.sent_count;
        }
    }
    CU_ASSERT_EQUAL(passed, 6);
    CU_ASSERT_EQUAL(rig_leg_drops(&call, 1, TL_DROP_former_source), 0 + 1 + 2 + 3 + 4 + 4);
    CU_ASSERT_EQUAL(rig_leg_drops(&call, 1, TL_DROP_wrong_source),
                    1); // the first of five is remembered no more
    uint8_t report[8] = {0x80, 201, 0, 1};
    rig_udp(&rig, 1, 0, REMOTE1 + 109, PORT1 + 1, report, sizeof report);
    rig_udp(&rig, 1, 0, REMOTE1 + 108, PORT1 + 1, report, sizeof report); // RTCP comes from the odd port
    rig_udp(&rig, 1, 0, REMOTE1 + 77, PORT1, rtp, rtp_write(rtp, &f, PAYLOAD));
    rig_settle(&rig);
    CU_ASSERT_EQUAL(rig_leg_drops(&call, 1, TL_DROP_former_source), 15);
    CU_ASSERT_EQUAL(rig_leg_drops(&call, 1, TL_DROP_wrong_source), 3);
    rig_end(&rig, &call);
    call = rig_call(&rig, 0, legs);
    rig_udp(&rig, 1, 0, REMOTE1 + 108, PORT1, rtp, rtp_write(rtp, &f, PAYLOAD));
    rig_settle(&rig);
    CU_ASSERT_EQUAL(rig_leg_drops(&call, 1, TL_DROP_former_source), 0);
    CU_ASSERT_EQUAL(rig_leg_drops(&call, 1, TL_DROP_wrong_source), 1);
    tear_down();
}

// Packets that are in the queue when the session ends find nobody; those before it are relayed.
static void ends_with_packets_in_flight(void)
{
    set_up();
    for (unsigned i = 0; i < 40; i++) {
        struct rtp_fields f = {.pt = 8, .seq = i, .ssrc = 1};
        send_rtp(0, &f);
    }
    worker_step(rig.engine->worker[0]); // takes 32 of them
    rig_end(&rig, &call);
    rig_settle(&rig);
    CU_ASSERT_EQUAL(rig.sent_count, 32);
    CU_ASSERT_EQUAL(rig_drops(&rig, TL_DROP_unknown_port), 8);
    rig_close(&rig);
}

// A packet that waits for ARP outlives its session.
static void ends_while_waiting_for_arp(void)
{
    both(legs);
    rig_open(&rig, 1, 1);
    rig.silent = true;
    call = rig_call(&rig, 0, legs);
    CU_ASSERT_PTR_NULL(relayed(0, 8, 1, 1));
    CU_ASSERT_EQUAL(rig.live->workers[0].waiting, 1);
    rig_end(&rig, &call);
    rig.silent = false;
    rig.later_ns = 300000000;
    rig_settle(&rig);
    CU_ASSERT_EQUAL(rig.live->workers[0].waiting, 0);
    CU_ASSERT_EQUAL(rig.sent_count, 1);
    rig_close(&rig);
}

// The next hop answers while a turn is under way: what waited still goes first.
static void waiting_goes_first(void)
{
    both(legs);
    rig_open(&rig, 1, 1);
    rig.silent = true;
    call = rig_call(&rig, 0, legs);
    CU_ASSERT_PTR_NULL(relayed(0, 8, 1, 1));
    rig.silent = false;
    rig.later_ns = 300000000; // ARP asks again, and is answered ...
    struct worker *w = rig.engine->worker[0];
    for (unsigned i = 0;
         i < 10 && !(neigh_load(w->engine->neigh, call.session->leg[1].terms.rtp_hop) & NEIGH_VALID); i++)
        rig_turn(&rig);
    CU_ASSERT_EQUAL(w->neigh.count, 1); // ... behind the worker's look at what waits
    struct rtp_fields f = {.pt = 8, .seq = 2, .ssrc = 1};
    send_rtp(0, &f);
    struct packet *p = w->packet;
    count64(&w->live->rx_nic, rte_eth_rx_burst(rig.ports.port[0].id, 0, &p->m, 1));
    unsigned n = stage_classify(w, p, 1);
    n = stage_admit(w, p, n);
    n = stage_relay(w, p, n);
    CU_ASSERT_EQUAL(n, 1);
    stage_tx(w, p, n);
    rig_settle(&rig);
    CU_ASSERT_EQUAL_FATAL(rig.sent_count, 2);
    CU_ASSERT_EQUAL(rtp_read(rig.sent[0].udp.payload).seq, 1);
    CU_ASSERT_EQUAL(rtp_read(rig.sent[1].udp.payload).seq, 2);
    tear_down();
}

// ---- the outgoing stream of a plain leg --------------------------------------------------------------

static void check_stream(const struct rig_sent *s, uint32_t ssrc, uint16_t seq)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(s);
    CU_ASSERT_EQUAL(rtp_read(s->udp.payload).ssrc, ssrc);
    CU_ASSERT_EQUAL(rtp_read(s->udp.payload).seq, seq);
}

// On a plain leg nothing is lost to the logic that keeps SRTP's indices apart.
static void duplicates_and_jumps_pass(void)
{
    set_up();
    check_stream(relayed(0, 8, 1, 10), 1, 10);
    check_stream(relayed(0, 8, 1, 11), 1, 11);
    check_stream(relayed(0, 8, 1, 11), 1, 11);
    check_stream(relayed(0, 8, 1, 14), 1, 14);
    check_stream(relayed(0, 8, 1, 12), 1, 12);
    check_stream(relayed(0, 8, 1, 12), 1, 12);
    check_stream(relayed(0, 8, 1, 40000), 1, 15); // a jump: numbers go on
    check_stream(relayed(0, 8, 1, 40001), 1, 16);
    check_stream(relayed(0, 8, 1, 40001), 1, 16);
    check_stream(relayed(0, 8, 1, 40000), 1, 15);
    check_stream(relayed(0, 8, 2, 7), 1, 17); // another SSRC: on the one that we have
    check_stream(relayed(0, 8, 2, 9), 1, 19);
    check_stream(relayed(0, 8, 2, 8), 1, 18);
    check_stream(relayed(0, 8, 1, 40002), 1, 20); // and back
    CU_ASSERT_EQUAL(rig_all_drops(&rig), 0);
    tear_down();
}

static void headers_with_everything(void)
{
    set_up();
    // two CSRCs, an extension of one word, four bytes of padding
    uint8_t p[64] = {0x80 | 0x20 | 0x10 | 2, 8, 0, 1, 0, 0, 0, 9, 0, 0, 0, 5};
    p[20] = 0xbe;
    p[23] = 1;
    p[63] = 4;
    rig_udp(&rig, 0, 0, REMOTE0, PORT0, p, sizeof p);
    rig_settle(&rig);
    CU_ASSERT_EQUAL_FATAL(rig.sent_count, 1);
    CU_ASSERT_EQUAL(rig.sent[0].udp.len, sizeof p);
    CU_ASSERT(memcmp(rig.sent[0].udp.payload, p, sizeof p) == 0);
    tear_down();
}

// ---- RTCP --------------------------------------------------------------------------------------------

static const uint8_t rr[8] = {0x80, 201, 0, 1, 0, 0, 0, 1};

// RTCP on its own port and on RTP's (RFC 5761), whichever leg does what, and while the leg is on hold.
static void rtcp_and_mux(void)
{
    for (unsigned mux = 0; mux < 4; mux++) {
        both(legs);
        for (unsigned i = 0; i < 2; i++)
            legs[i].flags = mux >> i & 1 ? TL_LEG_RTCP_MUX : 0;
        rig_open(&rig, 1, 1);
        call = rig_call(&rig, 0, legs);
        rig_settle(&rig);
        for (unsigned from = 0; from < 2; from++) {
            bool in = mux >> from & 1, out = mux >> !from & 1;
            rig_clear(&rig);
            rig_udp(&rig, from, 0, (from ? REMOTE1 : REMOTE0) + !in, (from ? PORT1 : PORT0) + !in, rr, 8);
            rig_settle(&rig);
            CU_ASSERT_EQUAL_FATAL(rig.sent_count, 1);
            const struct udp_frame *u = &rig.sent[0].udp;
            CU_ASSERT_EQUAL(u->src_port, (from ? PORT0 : PORT1) + !out);
            CU_ASSERT_EQUAL(u->dst_port, (from ? REMOTE0 : REMOTE1) + !out);
            CU_ASSERT(u->len == 8 && memcmp(u->payload, rr, 8) == 0);
            CU_ASSERT_EQUAL(call.live->rx_rtcp[from], 1);
            CU_ASSERT_EQUAL(call.live->tx_rtcp[!from], 1);
            // where it does not belong it is no RTCP
            rig_udp(&rig, from, 0, (from ? REMOTE1 : REMOTE0) + in, (from ? PORT1 : PORT0) + in, rr, 8);
            rig_settle(&rig);
            CU_ASSERT_EQUAL(rig.sent_count, 1);
            CU_ASSERT_EQUAL(rig_leg_drops(&call, from, in ? TL_DROP_wrong_source : TL_DROP_bad_rtp), 1);
        }
        tear_down();
    }
}

// With mux nobody may send to the RTCP port, not even who claims to be nobody.
static void no_source_is_none(void)
{
    uint8_t frame[PACKET_BYTES_MAX];
    struct udp_frame u = {.dst_mac = {2, 0, 0, 1, 0, 2},
                          .src_mac = {2, 0, 0, 2, 0, 10},
                          .dst_ip = RIG_IP(0),
                          .dst_port = PORT0 + 1,
                          .payload = rr,
                          .len = sizeof rr};
    both(legs);
    legs[0].flags |= TL_LEG_RTCP_MUX;
    rig_open(&rig, 1, 1);
    call = rig_call(&rig, 0, legs);
    rig_settle(&rig);
    unsigned len = udp_frame_write(frame, &u);
    rig_frame(&rig, 0, 0, frame, len, SRTP_TAILROOM);
    rig_settle(&rig);
    CU_ASSERT_EQUAL(rig.sent_count, 0);
    CU_ASSERT_EQUAL(rig_leg_drops(&call, 0, TL_DROP_wrong_source), 1);
    tear_down();
}

static void rtcp_goes_where_it_was_signalled(void)
{
    both(legs);
    legs[1].rtcp = legs[1].rtp;
    legs[1].rtcp.ip[3] = 77;
    legs[1].rtcp.port = 9999;
    rig_open(&rig, 1, 1);
    call = rig_call(&rig, 0, legs);
    rig_settle(&rig);
    rig_udp(&rig, 0, 0, REMOTE0 + 1, PORT0 + 1, rr, 8);
    rig_settle(&rig);
    CU_ASSERT_EQUAL_FATAL(rig.sent_count, 1);
    CU_ASSERT_EQUAL(rig.sent[0].udp.dst_ip, IP4(10, 2, 0, 77));
    CU_ASSERT_EQUAL(rig.sent[0].udp.dst_port, 9999);
    CU_ASSERT_EQUAL(rig.sent[0].udp.src_port, PORT1 + 1);
    tear_down();
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"plain_both_ways", plain_both_ways},
        {"payload_types", payload_types},
        {"no_payload_types", no_payload_types},
        {"hold", hold},
        {"strict_source", strict_source},
        {"completed_by_the_answer", completed_by_the_answer},
        {"address_changes", address_changes},
        {"forks_that_were_not_chosen", forks_that_were_not_chosen},
        {"ends_with_packets_in_flight", ends_with_packets_in_flight},
        {"ends_while_waiting_for_arp", ends_while_waiting_for_arp},
        {"waiting_goes_first", waiting_goes_first},
        {"duplicates_and_jumps_pass", duplicates_and_jumps_pass},
        {"headers_with_everything", headers_with_everything},
        {"rtcp_and_mux", rtcp_and_mux},
        {"no_source_is_none", no_source_is_none},
        {"rtcp_goes_where_it_was_signalled", rtcp_goes_where_it_was_signalled},
    };
    if (rig_eal())
        return 1;
    int status = test_main("relay", TEST_CASES(cases), argc, argv);
    rig_eal_end();
    return status;
}
