// SPDX-License-Identifier: BSD-3-Clause
// Sends frames that no honest host sends: random bytes, and ARP, ICMP, UDP and RTP with some bytes changed or
// the end cut off. The same seed sends the same frames.
//   frame_noise INTERFACE DESTINATION-MAC SOURCE-IP MEDIA-IP SPARED-IP FRAMES SEED
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/bytes.h"

enum { LEN_MAX = 1514 };

static uint64_t state;
static uint8_t us[6] = {2, 0, 0, 0, 0, 0x77}, them[6];
static uint8_t source[4], media[4], spared[4];

static uint32_t roll(uint32_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % below;
}

static uint16_t sum(const uint8_t *b, unsigned len)
{
    uint32_t s = 0;
    for (unsigned i = 0; i < len; i++)
        s += i % 2 ? b[i] : (uint32_t)b[i] << 8;
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (uint16_t)~s;
}

static unsigned ethernet(uint8_t *f, unsigned type)
{
    memcpy(f, them, 6);
    if (roll(8) == 0)
        memset(f, 0xff, 6);
    memcpy(f + 6, us, 6);
    tl_put16(f + 12, type);
    return 14;
}

static unsigned arp(uint8_t *f)
{
    ethernet(f, 0x0806);
    memcpy(f + 14, (uint8_t[]){0, 1, 8, 0, 6, 4, 0, (uint8_t)(1 + roll(2))}, 8);
    memcpy(f + 22, us, 6);
    memcpy(f + 28, source, 4);
    f[31] = (uint8_t)roll(256); // of any host on the subnet
    memcpy(f + 32, them, 6);
    memcpy(f + 38, media, 4);
    return 42;
}

// An IPv4 packet of protocol `proto` with `len` bytes in it, which are there already.
static unsigned ipv4(uint8_t *f, unsigned proto, unsigned len)
{
    ethernet(f, 0x0800);
    uint8_t *p = f + 14;
    memset(p, 0, 20);
    p[0] = 0x45;
    tl_put16(p + 2, 20 + len);
    p[8] = 64;
    p[9] = (uint8_t)proto;
    memcpy(p + 12, source, 4);
    memcpy(p + 16, media, 4);
    return 34 + len;
}

static unsigned udp(uint8_t *f)
{
    unsigned len = roll(300);
    uint8_t *u = f + 34;
    tl_put16(u, roll(65536));
    tl_put16(u + 2, roll(4) ? 16384 + roll(512) : roll(65536)); // most of them to ports that calls have
    tl_put16(u + 4, 8 + len);
    tl_put16(u + 6, 0);
    for (unsigned i = 0; i < len; i++)
        u[8 + i] = (uint8_t)roll(256);
    if (roll(2))
        u[8] = 0x80 | (uint8_t)roll(64);
    return ipv4(f, 17, 8 + len);
}

static unsigned icmp(uint8_t *f)
{
    unsigned len = 8 + roll(100);
    uint8_t *c = f + 34;
    for (unsigned i = 0; i < len; i++)
        c[i] = (uint8_t)roll(256);
    c[0] = roll(3) ? 8 : (uint8_t)roll(20);
    c[1] = 0;
    tl_put16(c + 2, 0);
    tl_put16(c + 2, sum(c, len));
    return ipv4(f, 1, len);
}

static unsigned make(uint8_t *f)
{
    unsigned len, kind = roll(5);
    if (kind == 0) {
        len = 14 + roll(LEN_MAX - 14);
        for (unsigned i = 0; i < len; i++)
            f[i] = (uint8_t)roll(256);
        memcpy(f, them, 6);
        return len;
    }
    len = kind == 1 ? arp(f) : kind == 2 ? icmp(f) : udp(f);
    for (unsigned n = roll(4); n > 0; n--) // most keep a right header sum, else nothing would come further
        f[12 + roll(len - 12)] = (uint8_t)roll(256);
    if (kind > 1 && roll(3)) {
        tl_put16(f + 24, 0);
        tl_put16(f + 24, sum(f + 14, 20));
    }
    // Whoever shares a wire can take over an address by ARP; that of the honest party is left alone.
    if (f[12] == 8 && f[13] == 6 && memcmp(f + 28, spared, 4) == 0)
        f[31]++;
    return roll(4) ? len : 14 + roll(len - 13);
}

int main(int argc, char **argv)
{
    if (argc != 8 || inet_pton(AF_INET, argv[3], source) != 1 || inet_pton(AF_INET, argv[4], media) != 1 ||
        inet_pton(AF_INET, argv[5], spared) != 1 ||
        sscanf(argv[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &them[0], &them[1], &them[2], &them[3], &them[4],
               &them[5]) != 6) {
        fprintf(stderr,
                "usage: frame_noise INTERFACE DESTINATION-MAC SOURCE-IP MEDIA-IP SPARED-IP FRAMES SEED\n");
        return 2;
    }
    struct sockaddr_ll to = {
        .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(argv[1]), .sll_halen = 6};
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (fd < 0 || to.sll_ifindex == 0) {
        fprintf(stderr, "frame_noise: %s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    state = strtoull(argv[7], NULL, 10);
    unsigned frames = (unsigned)atoi(argv[6]), sent = 0;
    for (unsigned i = 0; i < frames; i++) {
        uint8_t f[LEN_MAX + 1] = {0};
        unsigned len = make(f);
        sent += sendto(fd, f, len, 0, (struct sockaddr *)&to, sizeof to) == (ssize_t)len;
        if (i % 50 == 49)
            nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
    close(fd);
    printf("%u frames sent\n", sent);
    return sent == frames ? 0 : 1;
}
