// SPDX-License-Identifier: BSD-3-Clause
// Watches an interface and says which RTP went over it and which digits (RFC 4733), from the wire and not
// from a party.
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FLOWS_MAX = 64, DIGITS_MAX = 32, FRAME_MAX = 2048, EVENT_OCTETS = 4, RTP_HEADER = 12 };

static const char usage[] =
    "usage: media_watch INTERFACE ADDRESS [TELEPHONE-EVENT-PT]\n"
    "Counts RTP from and to ADDRESS until SIGTERM, then prints a line for each flow and payload type:\n"
    "  rtp FROM TO PT PACKETS SHORTEST LONGEST      (octets of the UDP payload)\n"
    "and, for packets with the payload type of telephone-event, a line for each event:\n"
    "  event FROM TO DIGIT PACKETS END-PACKETS DURATION\n";

struct flow {
    uint32_t from, to; // network order, as the ports
    uint16_t from_port, to_port;
    uint8_t pt;
    unsigned packets;
    size_t shortest, longest;
};

struct digit {
    uint32_t from, to;
    uint16_t from_port, to_port;
    uint32_t timestamp;
    uint8_t event;
    unsigned packets, ends, duration;
};

static struct flow flows[FLOWS_MAX];
static struct digit digits[DIGITS_MAX];
static unsigned flow_count, digit_count;
static volatile sig_atomic_t over;

static void on_term(int signo)
{
    (void)signo;
    over = 1;
}

static void count_event(const struct flow *f, const uint8_t *rtp, size_t len)
{
    uint32_t timestamp;
    memcpy(&timestamp, rtp + 4, sizeof timestamp);
    if (len < RTP_HEADER + EVENT_OCTETS)
        return;
    const uint8_t *p = rtp + RTP_HEADER;
    struct digit *d = digits;
    for (; d < digits + digit_count; d++)
        if (d->from == f->from && d->from_port == f->from_port && d->to == f->to &&
            d->to_port == f->to_port && d->timestamp == timestamp && d->event == p[0])
            break;
    if (d == digits + DIGITS_MAX)
        return;
    if (d == digits + digit_count) {
        digit_count++;
        *d = (struct digit){.from = f->from,
                            .to = f->to,
                            .from_port = f->from_port,
                            .to_port = f->to_port,
                            .timestamp = timestamp,
                            .event = p[0]};
    }
    d->packets++;
    d->ends += p[1] >> 7;
    d->duration = (unsigned)p[2] << 8 | p[3];
}

static void count_packet(const struct flow *key, const uint8_t *rtp, size_t len, int event_pt)
{
    struct flow *f = flows;
    for (; f < flows + flow_count; f++)
        if (f->from == key->from && f->to == key->to && f->from_port == key->from_port &&
            f->to_port == key->to_port && f->pt == key->pt)
            break;
    if (f == flows + FLOWS_MAX)
        return;
    if (f == flows + flow_count) {
        flow_count++;
        *f = *key;
        f->shortest = len;
    }
    f->packets++;
    f->shortest = len < f->shortest ? len : f->shortest;
    f->longest = len > f->longest ? len : f->longest;
    if (key->pt == event_pt)
        count_event(f, rtp, len);
}

// An Ethernet frame: IPv4 without options, UDP, RTP version 2 that is no RTCP (RFC 5761 4).
static void look_at(const uint8_t *frame, size_t len, uint32_t address, int event_pt)
{
    enum { IP = 14, UDP = IP + 20, RTP = UDP + 8 };
    struct flow key = {0};
    if (len < RTP + RTP_HEADER || frame[12] != 8 || frame[13] != 0 || frame[IP] != 0x45 ||
        frame[IP + 9] != 17)
        return;
    memcpy(&key.from, frame + IP + 12, 4);
    memcpy(&key.to, frame + IP + 16, 4);
    memcpy(&key.from_port, frame + UDP, 2);
    memcpy(&key.to_port, frame + UDP + 2, 2);
    size_t udp = (size_t)frame[UDP + 4] << 8 | frame[UDP + 5];
    if ((key.from != address && key.to != address) || udp < 8 + RTP_HEADER || UDP + udp > len)
        return;
    const uint8_t *rtp = frame + RTP;
    if (rtp[0] >> 6 != 2 || (rtp[1] >= 192 && rtp[1] <= 223))
        return;
    key.pt = rtp[1] & 0x7f;
    count_packet(&key, rtp, udp - 8, event_pt);
}

static void print_flow(const char *what, uint32_t from, uint16_t from_port, uint32_t to, uint16_t to_port)
{
    char a[INET_ADDRSTRLEN], b[INET_ADDRSTRLEN];
    inet_ntop(AF_INET, &from, a, sizeof a);
    inet_ntop(AF_INET, &to, b, sizeof b);
    printf("%s %s:%u %s:%u", what, a, ntohs(from_port), b, ntohs(to_port));
}

static void print_all(void)
{
    static const char keys[] = "0123456789*#ABCD";
    for (const struct flow *f = flows; f < flows + flow_count; f++) {
        print_flow("rtp", f->from, f->from_port, f->to, f->to_port);
        printf(" %u %u %zu %zu\n", f->pt, f->packets, f->shortest, f->longest);
    }
    for (const struct digit *d = digits; d < digits + digit_count; d++) {
        print_flow("event", d->from, d->from_port, d->to, d->to_port);
        printf(" %c %u %u %u\n", d->event < 16 ? keys[d->event] : '?', d->packets, d->ends, d->duration);
    }
}

static int open_socket(const char *interface)
{
    struct sockaddr_ll at = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
    struct timeval wait = {.tv_usec = 100000};
    at.sll_ifindex = (int)if_nametoindex(interface);
    int fd = at.sll_ifindex ? socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)) : -1;
    if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) < 0) {
        fprintf(stderr, "media_watch: %s: %s\n", interface, strerror(errno));
        return -1;
    }
    return fd;
}

int main(int argc, char **argv)
{
    uint8_t frame[FRAME_MAX];
    struct in_addr address;
    if (argc < 3 || argc > 4 || inet_pton(AF_INET, argv[2], &address) != 1) {
        fputs(usage, stderr);
        return 2;
    }
    int event_pt = argc == 4 ? atoi(argv[3]) : -1;
    int fd = open_socket(argv[1]);
    if (fd < 0)
        return 1;
    struct sigaction term = {.sa_handler = on_term};
    sigaction(SIGTERM, &term, NULL);
    puts("watching");
    fflush(stdout);
    while (!over) {
        ssize_t n = recv(fd, frame, sizeof frame, 0);
        if (n > 0)
            look_at(frame, (size_t)n, address.s_addr, event_pt);
    }
    print_all();
    close(fd);
    return 0;
}
