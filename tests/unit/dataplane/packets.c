// SPDX-License-Identifier: BSD-3-Clause
#include "packets.h"

#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"

#if defined(__SANITIZE_ADDRESS__) // gcc
#    define BUILT_WITH_ASAN
#elif defined(__has_feature) // clang
#    if __has_feature(address_sanitizer)
#        define BUILT_WITH_ASAN
#    endif
#endif

#ifdef BUILT_WITH_ASAN
#    define WITH_ASAN 1
#    include <sanitizer/asan_interface.h>
#else
#    define WITH_ASAN                            0
#    define ASAN_POISON_MEMORY_REGION(at, len)   ((void)(at), (void)(len))
#    define ASAN_UNPOISON_MEMORY_REGION(at, len) ((void)(at), (void)(len))
#endif

enum { ETHER = 14, IPV4 = 20, UDP = 8, RTP = 12 };

// Sum of 16-bit words in network order, RFC 1071.
static uint32_t sum(const uint8_t *d, unsigned len, uint32_t s)
{
    for (unsigned i = 0; i < len; i++)
        s += i & 1 ? d[i] : (uint32_t)d[i] << 8;
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return s;
}

static uint32_t udp_sum(const uint8_t *ip, const uint8_t *udp, unsigned len)
{
    uint32_t s = sum(ip + 12, 8, 17 + len);
    return sum(udp, len, s);
}

unsigned rtp_write(uint8_t *out, const struct rtp_fields *rtp, unsigned payload_len)
{
    out[0] = 0x80;
    out[1] = rtp->marker << 7 | rtp->pt;
    tl_put16(out + 2, rtp->seq);
    tl_put32(out + 4, rtp->ts);
    tl_put32(out + 8, rtp->ssrc);
    for (unsigned i = 0; i < payload_len; i++)
        out[RTP + i] = rtp_payload_byte(rtp->ssrc, rtp->seq, i);
    return RTP + payload_len;
}

struct rtp_fields rtp_read(const uint8_t *rtp)
{
    return (struct rtp_fields){.pt = rtp[1] & 0x7f,
                               .marker = rtp[1] >> 7,
                               .seq = tl_get16(rtp + 2),
                               .ts = tl_get32(rtp + 4),
                               .ssrc = tl_get32(rtp + 8)};
}

uint8_t rtp_payload_byte(uint32_t ssrc, uint16_t seq, unsigned i)
{
    uint32_t x = (ssrc ^ (uint32_t)seq * 2654435761u) + i * 40503u;
    return x >> 11 ^ x;
}

unsigned udp_frame_write(uint8_t *out, const struct udp_frame *f)
{
    unsigned header = IPV4 + 4u * f->option_words;
    uint8_t *ip = out + ETHER, *udp = ip + header;
    memset(out, 0, ETHER + header + UDP);
    memcpy(out, f->dst_mac, 6);
    memcpy(out + 6, f->src_mac, 6);
    tl_put16(out + 12, 0x0800);
    ip[0] = 0x40 | header / 4;
    tl_put16(ip + 2, header + UDP + f->len);
    ip[8] = 64;
    ip[9] = 17;
    memcpy(ip + 12, &f->src_ip, 4);
    memcpy(ip + 16, &f->dst_ip, 4);
    memset(ip + IPV4, 1, 4u * f->option_words);
    tl_put16(ip + 10, ~sum(ip, header, 0));
    tl_put16(udp, f->src_port);
    tl_put16(udp + 2, f->dst_port);
    tl_put16(udp + 4, UDP + f->len);
    if (f->len > 0)
        memcpy(udp + UDP, f->payload, f->len);
    uint32_t s = ~udp_sum(ip, udp, UDP + f->len) & 0xffff;
    tl_put16(udp + 6, s ? s : 0xffff);
    return ETHER + header + UDP + f->len;
}

bool udp_frame_read(struct udp_frame *f, const uint8_t *frame, unsigned len)
{
    memset(f, 0, sizeof *f);
    if (len < ETHER + IPV4 + UDP || tl_get16(frame + 12) != 0x0800)
        return false;
    const uint8_t *ip = frame + ETHER;
    unsigned header = (ip[0] & 0xf) * 4u, total = tl_get16(ip + 2);
    if (ip[0] >> 4 != 4 || header < IPV4 || total + ETHER > len || total < header + UDP || ip[9] != 17)
        return false;
    const uint8_t *udp = ip + header;
    if (tl_get16(udp + 4) != total - header)
        return false;
    memcpy(f->dst_mac, frame, 6);
    memcpy(f->src_mac, frame + 6, 6);
    memcpy(&f->src_ip, ip + 12, 4);
    memcpy(&f->dst_ip, ip + 16, 4);
    f->src_port = tl_get16(udp);
    f->dst_port = tl_get16(udp + 2);
    f->payload = udp + UDP;
    f->len = total - header - UDP;
    f->option_words = (header - IPV4) / 4;
    f->tos = ip[1];
    f->ttl = ip[8];
    f->ip_sum_right = sum(ip, header, 0) == 0xffff;
    f->udp_sum_right = tl_get16(udp + 6) != 0 && udp_sum(ip, udp, UDP + f->len) == 0xffff;
    return true;
}

struct rte_mbuf *packet_from(struct rte_mempool *pool, const void *bytes, unsigned len)
{
    struct rte_mbuf *m = rte_pktmbuf_alloc(pool);
    if (!m || len > rte_pktmbuf_tailroom(m))
        abort();
    packet_unguard(m);
    memset(m->buf_addr, 0xa5, m->buf_len); // nothing that an earlier test left may help
    memcpy(rte_pktmbuf_mtod(m, void *), bytes, len);
    m->data_len = m->pkt_len = len;
    return m;
}

void packet_guard(struct rte_mbuf *m, unsigned tail)
{
    uint8_t *from = m->buf_addr, *data = rte_pktmbuf_mtod(m, uint8_t *);
    ASAN_POISON_MEMORY_REGION(from, data - from);
    ASAN_POISON_MEMORY_REGION(data + m->data_len + tail, from + m->buf_len - data - m->data_len - tail);
}

void packet_unguard(struct rte_mbuf *m)
{
    ASAN_UNPOISON_MEMORY_REGION(m->buf_addr, m->buf_len);
}

static void unguard(struct rte_mempool *pool, void *arg, void *object, unsigned i)
{
    (void)pool;
    (void)arg;
    (void)i;
    packet_unguard(object);
}

void packet_unguard_pool(struct rte_mempool *pool)
{
    rte_mempool_obj_iter(pool, unguard, NULL);
}

bool packet_asan(void)
{
    return WITH_ASAN;
}
