// SPDX-License-Identifier: BSD-3-Clause
// Attacks media ports from a party's own machine: takes the packets that the party sends to the gateway off
// the wire and sends them again, changed or not, among them and from elsewhere; and what is no media at all.
//   media_attack INTERFACE MEDIA-ADDRESS PACKETS SEED rtp|srtp
// PACKETS of the party's are attacked, then it ends. It prints a line for each attack: NAME PACKETS.
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/bytes.h"

enum { FRAME_MAX = 2048, IP = 14, UDP = IP + 20, RTP = UDP + 8, RTP_HEADER = 12, IDLE_MS = 5000 };

#define ATTACKS(X)                                                                                           \
    X(replay, "the same packet again")                                                                       \
    X(tag, "a bit of the tag changed, and a later sequence number")                                          \
    X(payload, "a bit of the payload changed, and a later sequence number")                                  \
    X(truncated, "cut off after the RTP header")                                                             \
    X(half_header, "cut off inside the RTP header")                                                          \
    X(wrong_port, "from another port")                                                                       \
    X(wrong_host, "from another address")                                                                    \
    X(stun, "a STUN binding request from the right source")                                                  \
    X(noise, "random bytes from the right source")                                                           \
    X(stranger, "random bytes from another port to a random port")                                           \
    X(rtcp, "RTCP with lengths that lie")

enum attack {
#define X(name, text) ATTACK_##name,
    ATTACKS(X)
#undef X
        ATTACK_COUNT
};

static const char *const names[] = {
#define X(name, text) #name,
    ATTACKS(X)
#undef X
};

static uint64_t state;

static uint32_t roll(uint32_t below)
{
    state = state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(state >> 33) % below;
}

static void noise(uint8_t *at, size_t len)
{
    for (size_t i = 0; i < len; i++)
        at[i] = (uint8_t)roll(256);
}

// Sets the lengths for `len` octets in UDP, no UDP checksum, and the header's.
static size_t close_frame(uint8_t *f, size_t len)
{
    uint32_t sum = 0;
    tl_put16(f + IP + 2, (unsigned)(20 + 8 + len));
    tl_put16(f + UDP + 4, (unsigned)(8 + len));
    tl_put16(f + UDP + 6, 0);
    tl_put16(f + IP + 10, 0);
    for (unsigned i = 0; i < 20; i += 2)
        sum += tl_get16(f + IP + i);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    tl_put16(f + IP + 10, ~sum & 0xffff);
    return RTP + len;
}

// Changes the frame of a packet with `len` octets in UDP. Returns its new size.
static size_t change(uint8_t *f, size_t len, enum attack attack)
{
    static const uint8_t stun[20] = {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4};
    uint8_t *rtp = f + RTP;
    switch (attack) {
    case ATTACK_tag:
        rtp[len - 1] ^= 1;
        tl_put16(rtp + 2, tl_get16(rtp + 2) + 40);
        break;
    case ATTACK_payload:
        rtp[RTP_HEADER + roll((uint32_t)len - RTP_HEADER)] ^= (uint8_t)(1 << roll(8));
        tl_put16(rtp + 2, tl_get16(rtp + 2) + 40);
        break;
    case ATTACK_truncated:
        len = RTP_HEADER;
        break;
    case ATTACK_half_header:
        len = 1 + roll(RTP_HEADER - 1);
        break;
    case ATTACK_wrong_port:
        tl_put16(f + UDP, tl_get16(f + UDP) + 1000);
        break;
    case ATTACK_wrong_host:
        f[IP + 15] = (uint8_t)(f[IP + 15] + 1);
        break;
    case ATTACK_stun:
        memcpy(rtp, stun, len = sizeof stun);
        break;
    case ATTACK_noise:
        len = 1 + roll(1400);
        noise(rtp, len);
        rtp[0] &=
            0x3f; // version 0: one of 2 would be RTP with an unknown SSRC, which a plain leg has to take
        break;
    case ATTACK_stranger:
        len = 1 + roll(1400);
        noise(rtp, len);
        tl_put16(f + UDP, tl_get16(f + UDP) + 1000);
        tl_put16(f + UDP + 2, 16384 + roll(16384));
        break;
    case ATTACK_rtcp:
        len = 28;
        noise(rtp, len);
        rtp[0] = 0x80;
        rtp[1] = 200;
        tl_put16(rtp + 2, 0xffff);
        tl_put16(f + UDP, tl_get16(f + UDP) + 1);
        tl_put16(f + UDP + 2, tl_get16(f + UDP + 2) + 1);
        break;
    default:
        break;
    }
    return close_frame(f, len);
}

static int open_socket(const char *interface)
{
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    struct timeval wait = {.tv_sec = IDLE_MS / 1000};
    at.sll_ifindex = (int)if_nametoindex(interface);
    int fd = at.sll_ifindex ? socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)) : -1;
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) < 0) {
        fprintf(stderr, "media_attack: %s: %s\n", interface, strerror(errno));
        return -1;
    }
    return fd;
}

// Octets of the RTP packet in a frame that the party itself sends to the media address; 0: something else.
static size_t victim(const uint8_t *f, size_t n, const struct sockaddr_ll *from, const struct in_addr *media)
{
    if (from->sll_pkttype != PACKET_OUTGOING || n < RTP + RTP_HEADER + 20 || tl_get16(f + 12) != ETH_P_IP ||
        f[IP] != 0x45 || f[IP + 9] != IPPROTO_UDP || memcmp(f + IP + 16, media, 4) != 0)
        return 0;
    size_t len = tl_get16(f + UDP + 4);
    if (len < 8 || UDP + len > n || f[RTP] >> 6 != 2 || (f[RTP + 1] >= 192 && f[RTP + 1] <= 223))
        return 0;
    return len - 8 >= RTP_HEADER + 20 ? len - 8 : 0;
}

int main(int argc, char **argv)
{
    static uint8_t frame[FRAME_MAX], forged[FRAME_MAX];
    unsigned sent[ATTACK_COUNT] = {0};
    struct in_addr media;
    if (argc != 6 || inet_pton(AF_INET, argv[2], &media) != 1) {
        fputs("usage: media_attack INTERFACE MEDIA-ADDRESS PACKETS SEED rtp|srtp\n", stderr);
        return 2;
    }
    // RTP cannot tell a changed packet from the right source from a good one
    unsigned first = strcmp(argv[5], "srtp") == 0 ? 0 : ATTACK_half_header;
    state = strtoull(argv[4], NULL, 10);
    int fd = open_socket(argv[1]);
    if (fd < 0)
        return 1;
    for (unsigned left = (unsigned)atoi(argv[3]), next = 0; left;) {
        struct sockaddr_ll from;
        socklen_t from_len = sizeof from;
        ssize_t n = recvfrom(fd, frame, sizeof frame, 0, (struct sockaddr *)&from, &from_len);
        if (n < 0 && errno != EINTR)
            break; // the party is silent
        size_t len = n > 0 ? victim(frame, (size_t)n, &from, &media) : 0;
        // What this program itself sends comes back as outgoing as well: it has no UDP checksum, the party's
        // has one.
        if (!len || tl_get16(frame + UDP + 6) == 0)
            continue;
        enum attack attack = (enum attack)(first + next++ % (ATTACK_COUNT - first));
        memcpy(forged, frame, (size_t)n);
        if (send(fd, forged, change(forged, len, attack), 0) > 0)
            sent[attack]++;
        left--;
    }
    for (unsigned a = 0; a < ATTACK_COUNT; a++)
        printf("%s %u\n", names[a], sent[a]);
    close(fd);
    return 0;
}
