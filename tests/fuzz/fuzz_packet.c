// SPDX-License-Identifier: BSD-3-Clause
// Frames on the wire through every stage of the packet path, in front of two calls: plain to SDES key, and
// key to key with RTCP mux. Some arrive authentic, so that what lies behind the tag is reached. Afterwards
// the worker's counters add up and what it sent had right headers (the rig looks).
//
//   input: up to 6 times a byte of kind, a byte of length in units of 2, the bytes
#include "fuzz.h"
#include "rig.h"

enum {
    REFRESH_EVERY = 1024,
    FRAMES = 6,
    KIND_FRAME = 0,
    KIND_UDP,
    KIND_RTP,
    KIND_RTCP,
    RTCP_MIN = 8,
    HEADER_LEN = 42
};

// The bits of the first byte.
enum { ON_CORE = 1 << 0, SECOND_CALL = 1 << 1, TO_RTCP = 1 << 2, TO_US = 1 << 5, TURN = 1 << 7 };

static struct rig rig;
static struct far plain_far, ours, theirs;

static void end(void)
{
    rig_close(&rig);
    far_free(&ours);
    far_free(&theirs);
    rig_eal_end();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    if (rig_eal())
        exit(1);
    rig_open(&rig, 1, 1);
    theirs = far_make(rig.srtp, TL_SUITE_AES_CM_128_HMAC_SHA1_80, 1, 1);
    ours = far_make(rig.srtp, TL_SUITE_AEAD_AES_128_GCM, 1, 2);
    atexit(end);
    return 0;
}

// Calls without a past, so that an input means the same whatever came before it.
static void begin(struct rig_call call[2])
{
    struct tl_leg first[2] = {rig_leg(0, 20000, 5000), rig_leg(1, 30000, 6000)};
    first[0].pt_law[0] = TL_LAW_A_TO_U;
    first[1].max_len = 600;
    first[1].rx = theirs.crypto;
    first[1].tx = ours.crypto;
    call[0] = rig_call(&rig, 0, first);
    struct tl_leg second[2] = {rig_leg(0, 20002, 5002), rig_leg(1, 30002, 6002)};
    second[0].flags |= TL_LEG_RTCP_MUX;
    second[0].pt_law[1] = TL_LAW_U_TO_A;
    second[0].rx = ours.crypto;
    second[0].tx = theirs.crypto;
    call[1] = rig_call(&rig, 1, second);
}

// The far end whose key the leg expects, plain_far where it expects none.
static struct far *far_of(unsigned kind)
{
    if (kind & SECOND_CALL)
        return kind & ON_CORE ? &plain_far : &ours;
    return kind & ON_CORE ? &theirs : &plain_far;
}

// RTP header length as the bytes claim it, 0: it does not fit.
static unsigned rtp_header(const uint8_t *p, unsigned len)
{
    unsigned n = 12 + 4 * (p[0] & 15);
    if (len >= n + 4 && p[0] & 0x10)
        n += 4 + 4 * (p[n + 2] << 8 | p[n + 3]);
    return len >= n ? n : 0;
}

static void put_frame(unsigned kind, uint8_t *p, unsigned len)
{
    unsigned port = kind & ON_CORE;
    if (kind & TO_US && len >= 14) {
        memcpy(p, (uint8_t[6]){2, 0, 0, 1, port, 2}, 6);
        p[12] = 8;
        p[13] = 0;
    } else if (len >= 14 && p[12] == 8 && p[13] == 6) {
        p[13] = 0; // ARP would move the neighbours that the rig counts on; it has a target of its own
    }
    rig_frame(&rig, port, 0, p, len, len < HEADER_LEN + RTCP_MIN ? 0 : SRTP_TAILROOM);
}

static void put(unsigned kind, const uint8_t *bytes, unsigned len, unsigned rtcp_index)
{
    uint8_t p[PACKET_BYTES_MAX] = {0}, frame[PACKET_BYTES_MAX];
    unsigned port = kind & ON_CORE, what = kind >> 3 & 3, far_off = kind & SECOND_CALL;
    struct far *f = far_of(kind);
    if (len > 0)
        memcpy(p, bytes, len);
    if (what == KIND_FRAME) {
        put_frame(kind, p, len);
        return;
    }
    unsigned header = len >= 12 ? rtp_header(p, len) : 0;
    if (what == KIND_RTP && f->key && header)
        len = far_protect(f, p, len, header, p[2] << 8 | p[3]);
    if (what == KIND_RTCP && f->key && len >= RTCP_MIN)
        len = far_protect_rtcp(f, p, len, rtcp_index);
    unsigned off = far_off + (kind & TO_RTCP ? 1 : 0);
    len = rig_udp_write(frame, port, (port ? 6000 : 5000) + off, (port ? 30000 : 20000) + off, p, len);
    // only what will be protected grows: elsewhere every byte behind the frame is a step too far
    rig_frame(&rig, port, 0, frame, len, f->key ? 0 : SRTP_TAILROOM);
}

// ARP's questions take buffers of the same pool, which dropped frames leave guarded: the clock is moved so
// that they come now and then with no guard up, and never in an input.
static void refresh(void)
{
    static unsigned n;
    if (n++ % REFRESH_EVERY > 0)
        return;
    packet_unguard_pool(rig.pool);
    rig.later_ns += (NEIGH_FRESH_MS + 1000) * UINT64_C(1000000);
    rig_settle(&rig);
    rig_clear(&rig);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_input in = {data, len};
    struct rig_call call[2];
    refresh();
    begin(call);
    for (unsigned i = 0; i < FRAMES && in.left >= 2; i++) {
        uint8_t kind = fuzz_byte(&in);
        size_t n = 2 * fuzz_byte(&in);
        const uint8_t *bytes = fuzz_bytes(&in, &n);
        put(kind, bytes, n, i + 1);
        if (kind & TURN)
            rig_turn(&rig);
    }
    rig_turn(&rig);
    rig_turn(&rig);
    rig_clear(&rig);
    const struct tl_live_worker *w = &rig.live->workers[0];
    uint64_t out = w->tx + w->punted + w->handed_off + w->absorbed + w->waiting + rig_all_drops(&rig);
    FUZZ_MUST(w->rx_nic + w->rx_handoff == out);
    rig_end(&rig, &call[0]);
    rig_end(&rig, &call[1]);
    return 0;
}
