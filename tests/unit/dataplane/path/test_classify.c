// SPDX-License-Identifier: BSD-3-Clause
// What comes in, good and bad, each frame guarded at its very end: lengths that lie, options, fragments,
// wrong addresses, checksums, every first byte, every RTP header.
#include <stdlib.h>
#include <string.h>

#include "rig.h"
#include "runner.h"

enum { PORT0 = 20000, PORT1 = 30008, REMOTE0 = 5000, REMOTE1 = 6000, PAYLOAD = 20, NONE = TL_DROP_COUNT };
enum { ETH = 0, IP = 14, UDP = 34, RTP = 42 };

static struct rig rig;
static struct rig_call call;
static uint8_t frame[PACKET_BYTES_MAX];
static unsigned frame_len;

static void set_up(void)
{
    struct tl_leg leg[2] = {rig_leg(0, PORT0, REMOTE0), rig_leg(1, PORT1, REMOTE1)};
    rig_open(&rig, 1, 1);
    call = rig_call(&rig, 0, leg);
    rig_settle(&rig);
}

static void tear_down(void)
{
    rig_end(&rig, &call);
    rig_close(&rig);
}

static void good_frame(unsigned option_words)
{
    uint8_t rtp[PACKET_BYTES_MAX];
    static uint16_t seq;
    seq++;
    struct rtp_fields f = {.pt = 8, .seq = seq, .ts = 1, .ssrc = 1};
    struct udp_frame u = {.dst_mac = {2, 0, 0, 1, 0, 2},
                          .src_mac = {2, 0, 0, 2, 0, 10},
                          .src_ip = RIG_PEER(0),
                          .dst_ip = RIG_IP(0),
                          .src_port = REMOTE0,
                          .dst_port = PORT0,
                          .payload = rtp,
                          .len = rtp_write(rtp, &f, PAYLOAD),
                          .option_words = option_words};
    frame_len = udp_frame_write(frame, &u);
}

static void mend_ip_sum(void)
{
    uint32_t sum = 0;
    unsigned header = (frame[IP] & 0xf) * 4;
    frame[IP + 10] = frame[IP + 11] = 0;
    for (unsigned i = 0; i < header; i += 2)
        sum += frame[IP + i] << 8 | frame[IP + i + 1];
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    frame[IP + 10] = ~sum >> 8;
    frame[IP + 11] = ~sum;
}

// Lets the frame in and says what became of it: NONE if it was relayed, else the one reason that was counted.
static unsigned fate(void)
{
    uint64_t before[TL_DROP_COUNT];
    unsigned found = TL_DROP_COUNT + 1, sent = rig.sent_count;
    for (unsigned i = 0; i < TL_DROP_COUNT; i++)
        before[i] = rig_drops(&rig, i);
    rig_frame(&rig, 0, 0, frame, frame_len, 0);
    rig_turn(&rig);
    if (rig.sent_count == sent + 1)
        found = NONE;
    for (unsigned i = 0; i < TL_DROP_COUNT; i++) {
        uint64_t n = rig_drops(&rig, i) - before[i];
        if (n == 0)
            continue;
        CU_ASSERT_EQUAL(n, 1);
        CU_ASSERT(found > TL_DROP_COUNT);
        found = i;
    }
    rig_clear(&rig);
    return found;
}

static const char *name(unsigned fate)
{
    return fate < TL_DROP_COUNT ? tl_drop_label(fate) : fate == NONE ? "relayed" : "absorbed";
}

static void expect(const char *what, unsigned want)
{
    unsigned got = fate();
    CU_ASSERT_EQUAL(got, want);
    if (got != want)
        printf("     %s: %s instead of %s\n", what, name(got), name(want));
}

static void one_byte_wrong(void)
{
    static const struct {
        const char *what;
        unsigned at;
        uint8_t value;
        bool mend;
        unsigned want;
    } t[] = {
        {"as it is", 0, 2, false, NONE},
        {"other MAC", 5, 3, false, TL_DROP_not_ours},
        {"group MAC", 0, 3, false, TL_DROP_not_ours},
        {"IPv6", 12, 0x86, false, TL_DROP_not_ours},
        {"VLAN", 12, 0x81, false, TL_DROP_not_ours},
        {"version 5", IP, 0x55, true, TL_DROP_bad_ip},
        {"header of 4 words", IP, 0x44, false, TL_DROP_bad_ip},
        {"header of no words", IP, 0x40, false, TL_DROP_bad_ip},
        {"header behind the end", IP, 0x4f, false, TL_DROP_bad_ip},
        {"total length 0", IP + 3, 0, true, TL_DROP_bad_ip},
        {"total length of headers only", IP + 3, 20, true, TL_DROP_bad_udp},
        {"total length one short", IP + 3, 20 + 8 + 32 - 1, true, TL_DROP_bad_udp},
        {"total length one long", IP + 3, 20 + 8 + 32 + 1, true, TL_DROP_bad_ip},
        {"total length far behind", IP + 2, 0xff, true, TL_DROP_bad_ip},
        {"type of service", IP + 1, 0xb8, true, NONE},
        {"don't fragment", IP + 6, 0x40, true, NONE},
        {"more fragments", IP + 6, 0x20, true, TL_DROP_fragment},
        {"last fragment", IP + 7, 1, true, TL_DROP_fragment},
        {"time to live 0", IP + 8, 0, true, NONE}, // a host takes it, RFC 1122 3.2.1.7
        {"header checksum", IP + 10, 0xee, false, TL_DROP_bad_ip},
        {"TCP", IP + 9, 6, true, TL_DROP_not_ours},
        {"other destination", IP + 19, 3, true, TL_DROP_not_ours},
        {"broadcast destination", IP + 19, 255, true, TL_DROP_not_ours},
        {"UDP length 7", UDP + 5, 7, false, TL_DROP_bad_udp},
        {"UDP length 8", UDP + 5, 8, false, TL_DROP_bad_udp},
        {"UDP length one long", UDP + 5, 41, false, TL_DROP_bad_udp},
        {"UDP length huge", UDP + 4, 0xff, false, TL_DROP_bad_udp},
        {"port of nobody", UDP + 2, 99, false, TL_DROP_unknown_port},
        {"port 0", UDP + 2, 0, false, TL_DROP_unknown_port},
        {"UDP checksum unlooked at", UDP + 6, 0x77, false, NONE},
    };
    set_up();
    for (unsigned i = 0; i < sizeof t / sizeof *t; i++) {
        good_frame(0);
        frame[t[i].at] = t[i].value;
        if (t[i].mend)
            mend_ip_sum();
        expect(t[i].what, t[i].want);
    }
    tear_down();
}

static void udp_checksum_in_software(void)
{
    set_up();
    rig.ports.port[0].verify_udp_checksum = true;
    for (unsigned len = 0; len < 8; len++) { // odd lengths, too
        good_frame(0);
        expect("right", NONE);
        frame[RTP + 12 + len] ^= 0x10;
        expect("wrong", TL_DROP_bad_checksum);
        frame[UDP + 6] = frame[UDP + 7] = 0;
        frame[RTP + 3]++; // no duplicate
        expect("none", NONE);
    }
    tear_down();
}

static void ip_options(void)
{
    set_up();
    for (unsigned words = 0; words <= 10; words++) {
        good_frame(words);
        expect("options", NONE);
        // the header says one word less or more than it has: another UDP header, never a byte beyond
        frame[IP] ^= 1;
        mend_ip_sum();
        CU_ASSERT(fate() != NONE);
    }
    tear_down();
}

static void ethernet_padding(void)
{
    set_up();
    for (unsigned pad = 0; pad < 20; pad++) {
        good_frame(0);
        memset(frame + frame_len, 0xee, pad);
        frame_len += pad;
        rig_frame(&rig, 0, 0, frame, frame_len, 0);
        rig_settle(&rig);
        CU_ASSERT_EQUAL_FATAL(rig.sent_count, 1);
        CU_ASSERT_EQUAL(rig.sent[0].udp.len, 12 + PAYLOAD);
        CU_ASSERT_EQUAL(rig.sent[0].frame_len, RTP + 12 + PAYLOAD);
        rig_clear(&rig);
    }
    tear_down();
}

// A frame cut at each length, first as it is, then with IPv4 and UDP lengths that fit the cut.
static void truncated_at_every_length(void)
{
    set_up();
    good_frame(0);
    unsigned whole = frame_len;
    for (frame_len = 0; frame_len < whole; frame_len++) {
        unsigned got = fate();
        CU_ASSERT_EQUAL(got, frame_len < IP + 20 ? TL_DROP_runt : TL_DROP_bad_ip);
    }
    for (unsigned len = IP + 20; len < whole; len++) {
        good_frame(0);
        frame_len = len;
        frame[IP + 3] = len - IP;
        if (len >= UDP + 6)
            frame[UDP + 5] = len - UDP;
        mend_ip_sum();
        unsigned got = fate();
        unsigned want = len < UDP + 8    ? TL_DROP_bad_udp
                        : len < RTP + 2  ? TL_DROP_not_rtp
                        : len < RTP + 12 ? TL_DROP_bad_rtp
                                         : NONE;
        CU_ASSERT_EQUAL(got, want);
    }
    tear_down();
}

static void first_byte_demux(void)
{
    set_up();
    for (unsigned first = 0; first < 256; first++) { // STUN 0..3, DTLS 20..63, TURN 64..79, RTP 128..191
        good_frame(0);
        frame[RTP] = first & ~0x3f; // no CSRC, extension or padding
        expect("first byte", first >> 6 == 2 ? NONE : TL_DROP_not_rtp);
    }
    for (unsigned second = 0; second < 256; second++) { // on the RTCP port only RTCP
        good_frame(0);
        frame[UDP + 1] += 1; // both ports are one higher
        frame[UDP + 3] += 1;
        frame[RTP + 1] = second;
        frame[RTP + 2] = 0;
        frame[RTP + 3] = 7;
        unsigned got = fate();
        bool rtcp = second >= 192 && second <= 223;
        CU_ASSERT(rtcp ? got == NONE || got == TL_DROP_bad_rtcp : got == TL_DROP_not_rtp);
    }
    tear_down();
}

// Every combination of padding, extension and CSRC count, with an extension and a padding length that fit or
// not, on every payload length: relayed exactly when RFC 3550 5.1 says that it fits.
static void rtp_headers_that_lie(void)
{
    set_up();
    unsigned relayed = 0, refused = 0;
    for (unsigned bits = 0; bits < 64; bits++)
        for (unsigned ext = 0; ext < 4; ext++)
            for (unsigned len = 12; len < 40; len += 3) {
                unsigned csrc = bits & 0xf, header = 12 + 4 * csrc;
                uint8_t pad = ext * 5;
                good_frame(0);
                frame[RTP] = 0x80 | bits;
                frame_len = RTP + len;
                frame[IP + 3] = frame_len - IP;
                frame[UDP + 5] = frame_len - UDP;
                mend_ip_sum();
                bool fits = header <= len;
                if (bits & 0x10) {
                    fits = header + 4 <= len;
                    if (fits) {
                        frame[RTP + header + 2] = 0;
                        frame[RTP + header + 3] = ext;
                        header += 4 + 4 * ext;
                        fits = header <= len;
                    }
                }
                if (bits & 0x20 && fits) {
                    if (header < len)
                        frame[RTP + len - 1] = pad;
                    fits = header < len && pad > 0 && pad <= len - header;
                }
                unsigned got = fate();
                CU_ASSERT_EQUAL(got, fits ? NONE : TL_DROP_bad_rtp);
                relayed += got == NONE;
                refused += got == TL_DROP_bad_rtp;
            }
    CU_ASSERT(relayed > 100 && refused > 100);
    tear_down();
}

static void random_frames(void)
{
    set_up();
    srand(42);
    for (unsigned i = 0; i < 20000; i++) {
        good_frame(rand() % 3);
        for (unsigned k = rand() % 4; k > 0; k--)
            frame[rand() % frame_len] = rand();
        if (rand() % 4)
            mend_ip_sum();
        if (rand() % 8 == 0)
            frame_len = rand() % (frame_len + 1);
        rig_frame(&rig, 0, 0, frame, frame_len, 0);
        if (i % 16 == 0)
            rig_turn(&rig);
        if (rig.sent_count > RIG_SENT / 2)
            rig_clear(&rig);
    }
    rig_settle(&rig);
    tear_down(); // buffers and counters add up
}

// Media addresses in a row, by the last byte or the one before, do not push each other out.
static void places_of_addresses(void)
{
    for (unsigned byte = 2; byte <= 3; byte++) {
        uint64_t taken = 0;
        for (unsigned i = 0; i < ARRIVAL_ADDRESSES; i++) {
            uint8_t ip[4] = {10, 1, 200, 100};
            uint32_t word;
            ip[byte] += i;
            memcpy(&word, ip, sizeof word);
            taken |= UINT64_C(1) << arrival_place(word);
        }
        CU_ASSERT_EQUAL(taken, UINT64_MAX);
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"places_of_addresses", places_of_addresses},
        {"one_byte_wrong", one_byte_wrong},
        {"udp_checksum_in_software", udp_checksum_in_software},
        {"ip_options", ip_options},
        {"ethernet_padding", ethernet_padding},
        {"truncated_at_every_length", truncated_at_every_length},
        {"first_byte_demux", first_byte_demux},
        {"rtp_headers_that_lie", rtp_headers_that_lie},
        {"random_frames", random_frames},
    };
    if (rig_eal())
        return 1;
    int status = test_main("classify", TEST_CASES(cases), argc, argv);
    rig_eal_end();
    return status;
}
