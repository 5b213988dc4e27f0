// SPDX-License-Identifier: BSD-3-Clause
// blast's way to the wire: frames out by sendmmsg() past the queueing discipline, packets in by a mapped
// ring.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tools/bench/peers/blast.h"

enum {
    FRAME = 512, // of the ring: kernel's header and a media packet
    BLOCK = 65536,
    FRAMES = 32768, // 16 MiB: 80 ms at 400,000 packets a second
};

static int packet_socket(struct blast_party *p, int protocol)
{
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons((uint16_t)protocol));
    if (fd < 0)
        blast_die("packet socket in %s: %s", p->ns, strerror(errno));
    struct sockaddr_ll at = {.sll_family = AF_PACKET,
                             .sll_protocol = htons((uint16_t)protocol),
                             .sll_ifindex = (int)if_nametoindex(p->interface)};
    if (at.sll_ifindex == 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0)
        blast_die("interface %s in %s: %s", p->interface, p->ns, strerror(errno));
    return fd;
}

static void map_ring(struct blast_party *p)
{
    struct tpacket_req req = {.tp_block_size = BLOCK,
                              .tp_block_nr = FRAMES / (BLOCK / FRAME),
                              .tp_frame_size = FRAME,
                              .tp_frame_nr = FRAMES};
    int version = TPACKET_V2;
    if (setsockopt(p->receive_fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0 ||
        setsockopt(p->receive_fd, SOL_PACKET, PACKET_RX_RING, &req, sizeof req) != 0)
        blast_die("ring on %s: %s", p->interface, strerror(errno));
    p->ring = mmap(NULL, (size_t)FRAME * FRAMES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                   p->receive_fd, 0);
    if (p->ring == MAP_FAILED)
        blast_die("ring on %s: %s", p->interface, strerror(errno));
    p->next = 0;
}

void blast_port_open(struct blast_party *p)
{
    char path[128];
    snprintf(path, sizeof path, "/run/netns/%s", p->ns);
    int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), there = open(path, O_RDONLY | O_CLOEXEC);
    if (home < 0 || there < 0 || setns(there, CLONE_NEWNET) != 0)
        blast_die("namespace %s: %s", p->ns, strerror(errno));
    struct ifreq ifr = {0};
    p->send_fd = packet_socket(p, 0);
    int bypass = 1;
    setsockopt(p->send_fd, SOL_PACKET, PACKET_QDISC_BYPASS, &bypass, sizeof bypass);
    p->receive_fd = packet_socket(p, ETH_P_IP);
    map_ring(p);
    memcpy(ifr.ifr_name, p->interface, sizeof p->interface);
    if (ioctl(p->send_fd, SIOCGIFHWADDR, &ifr) != 0)
        blast_die("address of %s: %s", p->interface, strerror(errno));
    memcpy(p->mac, ifr.ifr_hwaddr.sa_data, 6);
    if (setns(home, CLONE_NEWNET) != 0)
        blast_die("cannot go back from %s: %s", p->ns, strerror(errno));
    close(home);
    close(there);
}

void blast_port_close(struct blast_party *p)
{
    munmap(p->ring, (size_t)FRAME * FRAMES);
    close(p->send_fd);
    close(p->receive_fd);
}

unsigned blast_port_send(struct blast_party *p, unsigned count)
{
    struct mmsghdr message[BLAST_BATCH];
    struct iovec part[BLAST_BATCH];
    unsigned refused = 0;
    for (unsigned i = 0; i < count; i++) {
        part[i] = (struct iovec){p->arena + (size_t)(p->sent + i) * BLAST_SLOT, p->frame_len};
        message[i] = (struct mmsghdr){.msg_hdr = {.msg_iov = &part[i], .msg_iovlen = 1}};
    }
    for (unsigned done = 0; done < count;) {
        int n = sendmmsg(p->send_fd, message + done, count - done, MSG_DONTWAIT);
        if (n > 0) {
            done += (unsigned)n;
        } else if (errno == ENOBUFS || errno == EAGAIN) {
            refused++;
            done++;
        } else if (errno != EINTR) {
            blast_die("sending on %s: %s", p->interface, strerror(errno));
        }
    }
    p->sent += count;
    return refused;
}

const uint8_t *blast_port_next(struct blast_party *p, uint32_t *len)
{
    struct tpacket2_hdr *h = (struct tpacket2_hdr *)(p->ring + (size_t)p->next * FRAME);
    if (!(__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER))
        return NULL;
    uint32_t skip = (uint32_t)(h->tp_net - h->tp_mac);
    *len = h->tp_snaplen > skip ? h->tp_snaplen - skip : 0;
    return (const uint8_t *)h + h->tp_net;
}

void blast_port_done(struct blast_party *p)
{
    struct tpacket2_hdr *h = (struct tpacket2_hdr *)(p->ring + (size_t)p->next * FRAME);
    __atomic_store_n(&h->tp_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    p->next = (p->next + 1) % FRAMES;
}

uint64_t blast_port_missed(struct blast_party *p)
{
    struct tpacket_stats stats;
    socklen_t len = sizeof stats;
    if (getsockopt(p->receive_fd, SOL_PACKET, PACKET_STATISTICS, &stats, &len) != 0)
        blast_die("statistics of %s: %s", p->interface, strerror(errno));
    return stats.tp_drops;
}
