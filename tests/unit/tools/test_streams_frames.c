// SPDX-License-Identifier: BSD-3-Clause
// The load generator's own host on a DPDK port: frames, checksums, next hops.
#include "tests/unit/runner.h"
#include "tools/loadgen/streams/frames.h"
#include "tools/loadgen/streams/hops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mac_a[6] = {2, 0, 0, 0, 0, 0xa}, mac_b[6] = {2, 0, 0, 0, 0, 0xb};
static const struct endpoint end_a = {0x0a630102, 5004}, end_b = {0x0a63010a, 40000};

// Reads from memory that is exactly so long.
static enum frame_kind read_exact(const uint8_t *data, uint32_t length, struct frame *f)
{
    uint8_t *copy = malloc(length + (length == 0));

    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, data, length);
    const enum frame_kind kind = frame_read(copy, length, f);
    free(copy);
    return kind;
}

static uint32_t make_udp(uint8_t *data, uint32_t payload)
{
    for (uint32_t i = 0; i < payload; i++)
        data[FRAME_HEADERS + i] = (uint8_t)(i * 7);
    frame_write_udp(data, mac_b, mac_a, &end_a, &end_b, payload, 4711);
    return FRAME_HEADERS + payload;
}

static void udp_round_trip(void)
{
    uint8_t data[1600];
    struct frame f;

    for (uint32_t payload = 0; payload < 1500; payload += payload < 8 ? 1 : 61) {
        const uint32_t length = make_udp(data, payload);

        CU_ASSERT_EQUAL(read_exact(data, length, &f), FRAME_UDP);
        CU_ASSERT_TRUE(f.from.ip == end_a.ip && f.from.port == end_a.port);
        CU_ASSERT_TRUE(f.to.ip == end_b.ip && f.to.port == end_b.port);
        CU_ASSERT_TRUE(f.at == FRAME_HEADERS && f.length == payload);
        CU_ASSERT_EQUAL(memcmp(data, mac_b, 6), 0);
        CU_ASSERT_EQUAL(memcmp(f.mac, mac_a, 6), 0);
        memset(data + length, 0, 20); // Ethernet pads short frames
        CU_ASSERT_EQUAL(read_exact(data, length + 20, &f), FRAME_UDP);
        CU_ASSERT_EQUAL(f.length, payload);
    }
}

// A datagram whose checksums were worked out by hand.
static void known_checksums(void)
{
    uint8_t data[FRAME_HEADERS + 4] = {0};
    const struct endpoint from = {0xc0000201, 1000}, to = {0xc0000202, 2000};

    memcpy(data + FRAME_HEADERS, "abcd", 4);
    frame_write_udp(data, mac_b, mac_a, &from, &to, 4, 0);
    // 4500 + 0020 + 0000 + 4000 + 4011 + c000 + 0201 + c000 + 0202 = 0x24934 -> 0x4936
    CU_ASSERT_EQUAL(data[24] << 8 | data[25], 0xffff - 0x4936);
    // c000 + 0201 + c000 + 0202 + 0011 + 000c + 03e8 + 07d0 + 000c + 6162 + 6364 = 0x254aa -> 0x54ac
    CU_ASSERT_EQUAL(data[40] << 8 | data[41], 0xffff - 0x54ac);
}

static void checksums_are_read(void)
{
    uint8_t data[FRAME_HEADERS + 33];
    const uint32_t length = make_udp(data, 33);
    struct frame f;
    unsigned taken = 0;

    // every bit that they cover; those of lengths and protocol may make it another frame altogether
    for (uint32_t bit = 14 * 8; bit < length * 8; bit++) {
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        taken += read_exact(data, length, &f) == FRAME_UDP;
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CU_ASSERT_EQUAL(taken, 0);
    data[FRAME_HEADERS] ^= 1;
    CU_ASSERT_EQUAL(read_exact(data, length, &f), FRAME_BAD_SUM);
    data[40] = data[41] = 0; // none
    CU_ASSERT_EQUAL(read_exact(data, length, &f), FRAME_UDP);
    // pseudo-header only, as over a veth: 0a63 + 0102 + 0a63 + 010a + 0011 + 0029
    data[40] = 0x17, data[41] = 0x0c;
    CU_ASSERT_EQUAL(read_exact(data, length, &f), FRAME_UDP);
    data[41] ^= 1;
    CU_ASSERT_EQUAL(read_exact(data, length, &f), FRAME_BAD_SUM);
}

static void frames_that_lie(void)
{
    static const struct {
        const char *what;
        uint32_t length, at;
        uint8_t value;
    } table[] = {
        {"no Ethernet header", 13, 0, 2},
        {"no IP header", 33, 14, 0x45},
        {"no UDP header", 41, 14, 0x45},
        {"IPv6", 62, 14, 0x60},
        {"header of 16", 62, 14, 0x44},
        {"header of 60", 62, 14, 0x4f},
        {"total too long", 62, 17, 49},
        {"total too short", 62, 17, 27},
        {"more fragments", 62, 20, 0x60},
        {"a later fragment", 62, 21, 1},
        {"TCP", 62, 23, 6},
        {"UDP longer than IP", 62, 39, 29},
        {"UDP shorter than itself", 62, 39, 7},
        {"VLAN", 62, 12, 0x81},
    };

    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        uint8_t data[FRAME_HEADERS + 20];
        struct frame f;

        make_udp(data, 20);
        data[table[i].at] = table[i].value;
        CU_ASSERT_EQUAL(read_exact(data, table[i].length, &f), FRAME_OTHER);
    }
}

static void arp(void)
{
    uint8_t data[FRAME_ARP_BYTES];
    struct frame f;
    static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

    frame_write_arp(data, mac_a, end_a.ip, NULL, end_b.ip);
    CU_ASSERT_EQUAL(read_exact(data, sizeof data, &f), FRAME_ARP_REQUEST);
    CU_ASSERT_TRUE(f.from.ip == end_a.ip && f.to.ip == end_b.ip && memcmp(f.mac, mac_a, 6) == 0);
    CU_ASSERT_EQUAL(memcmp(data, everybody, 6), 0);
    frame_write_arp(data, mac_b, end_b.ip, mac_a, end_a.ip);
    CU_ASSERT_EQUAL(read_exact(data, 42, &f), FRAME_ARP_REPLY);
    CU_ASSERT_TRUE(f.from.ip == end_b.ip && memcmp(f.mac, mac_b, 6) == 0);
    CU_ASSERT_EQUAL(memcmp(data, mac_a, 6), 0);
    CU_ASSERT_EQUAL(read_exact(data, 41, &f), FRAME_OTHER);
    data[21] = 3; // no such operation
    CU_ASSERT_EQUAL(read_exact(data, 42, &f), FRAME_OTHER);
}

static void next_hops(void)
{
    const struct flow flows[] = {
        {.local = {0x0a000001, 1}, .remote = {0x0a000005, 1}},
        {.local = {0x0a000001, 2}, .remote = {0x0a000005, 2}},
        {.local = {0x0a000002, 1}, .remote = {0x0b000005, 1}},
        {.local = {0x0a000001, 3}, .remote = {0x0a0000fe, 3}},
        {.local = {0x0a000001, 4}, .remote = {0x0c000001, 4}},
    };
    struct stream_options o = {.prefix = 24, .gateway = 0x0a0000fe};
    char error[200];
    struct hops h;

    CU_ASSERT_EQUAL_FATAL(hops_init(&h, &o, flows, 5, error, sizeof error), 0);
    CU_ASSERT_EQUAL(h.count, 2);
    CU_ASSERT_EQUAL(h.unknown, 2);
    CU_ASSERT_TRUE(h.of[0] == h.of[1] && h.of[2] == h.of[3] && h.of[2] == h.of[4] && h.of[0] != h.of[2]);
    CU_ASSERT_EQUAL(h.hop[h.of[2]].ip, 0x0a0000fe);
    CU_ASSERT_TRUE(hops_ours(&h, 0x0a000001) && hops_ours(&h, 0x0a000002) && !hops_ours(&h, 0x0a000003));

    hops_learn(&h, 0x0a000009, mac_a); // nobody's next hop
    hops_learn(&h, 0x0a000005, (uint8_t[]){1, 0, 0, 0, 0, 1});
    CU_ASSERT_EQUAL(h.unknown, 2);
    hops_learn(&h, 0x0a000005, mac_a);
    hops_learn(&h, 0x0a000005, mac_b);
    CU_ASSERT_EQUAL(h.unknown, 1);
    CU_ASSERT_TRUE(h.hop[h.of[0]].known && memcmp(h.hop[h.of[0]].mac, mac_b, 6) == 0);
    hops_fini(&h);

    o.gateway = 0;
    CU_ASSERT_EQUAL(hops_init(&h, &o, flows, 5, error, sizeof error), -EHOSTUNREACH);
    CU_ASSERT_PTR_NOT_NULL(strstr(error, "11.0.0.5 is not in the subnet"));
    hops_fini(&h);
    hops_fini(&h);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"udp_round_trip", udp_round_trip},
        {"known_checksums", known_checksums},
        {"checksums_are_read", checksums_are_read},
        {"frames_that_lie", frames_that_lie},
        {"arp", arp},
        {"next_hops", next_hops},
    };

    return test_main("streams frames", TEST_CASES(cases), argc, argv);
}
