// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/streams/frames.h"
#include "tools/loadgen/bytes.h"

#include <endian.h>
#include <string.h>

enum {
    ETHER = 14,
    IP = 20,
    UDP = 8,
    TYPE_IP = 0x0800,
    TYPE_ARP = 0x0806,
    PROTO_UDP = 17,
    ARP_REQUEST = 1,
    ARP_REPLY = 2,
};

// Sum of 16-bit words in network order, RFC 1071, to be folded.
static uint64_t sum_of(const uint8_t *data, uint32_t length)
{
    uint64_t sum = 0;
    uint32_t i = 0;

    for (; i + 4 <= length; i += 4) {
        uint32_t word;

        memcpy(&word, data + i, sizeof word);
        sum += be32toh(word);
    }
    for (; i + 2 <= length; i += 2)
        sum += get16(data + i);
    if (i < length)
        sum += (uint32_t)data[i] << 8;
    return sum;
}

static uint16_t fold(uint64_t sum)
{
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)sum;
}

// RFC 768: addresses, protocol and length.
static uint64_t pseudo_sum(const uint8_t *ip, uint32_t udp_length)
{
    return sum_of(ip + 12, 8) + PROTO_UDP + udp_length;
}

static enum frame_kind read_udp(const uint8_t *data, uint32_t length, struct frame *f)
{
    const uint8_t *ip = data + ETHER;

    if (length < ETHER + IP || ip[0] >> 4 != 4 || ip[9] != PROTO_UDP || (get16(ip + 6) & 0x3fff) != 0)
        return FRAME_OTHER;
    const uint32_t header = 4 * (ip[0] & 0x0fu), total = get16(ip + 2);
    if (header < IP || total < header + UDP || total > length - ETHER)
        return FRAME_OTHER;
    const uint8_t *udp = ip + header;
    const uint32_t udp_length = get16(udp + 4);
    if (udp_length < UDP || udp_length > total - header)
        return FRAME_OTHER;
    if (fold(sum_of(ip, header)) != 0xffff)
        return FRAME_BAD_SUM;

    const uint64_t pseudo = pseudo_sum(ip, udp_length);
    const uint16_t sum = get16(udp + 6);
    if (sum != 0 && sum != fold(pseudo) && fold(pseudo + sum_of(udp, udp_length)) != 0xffff)
        return FRAME_BAD_SUM;
    f->from = (struct endpoint){get32(ip + 12), get16(udp)};
    f->to = (struct endpoint){get32(ip + 16), get16(udp + 2)};
    memcpy(f->mac, data + 6, 6);
    f->at = ETHER + header + UDP;
    f->length = udp_length - UDP;
    return FRAME_UDP;
}

static enum frame_kind read_arp(const uint8_t *data, uint32_t length, struct frame *f)
{
    static const uint8_t ethernet_ipv4[] = {0, 1, 8, 0, 6, 4};
    const uint8_t *arp = data + ETHER;

    if (length < ETHER + 28 || memcmp(arp, ethernet_ipv4, sizeof ethernet_ipv4) != 0)
        return FRAME_OTHER;
    memcpy(f->mac, arp + 8, 6);
    f->from = (struct endpoint){get32(arp + 14), 0};
    f->to = (struct endpoint){get32(arp + 24), 0};
    switch (get16(arp + 6)) {
    case ARP_REQUEST:
        return FRAME_ARP_REQUEST;
    case ARP_REPLY:
        return FRAME_ARP_REPLY;
    default:
        return FRAME_OTHER;
    }
}

enum frame_kind frame_read(const uint8_t *data, uint32_t length, struct frame *f)
{
    if (length < ETHER)
        return FRAME_OTHER;
    switch (get16(data + 12)) {
    case TYPE_IP:
        return read_udp(data, length, f);
    case TYPE_ARP:
        return read_arp(data, length, f);
    default:
        return FRAME_OTHER;
    }
}

void frame_write_udp(uint8_t *data, const uint8_t to_mac[6], const uint8_t from_mac[6],
                     const struct endpoint *from, const struct endpoint *to, uint32_t length, uint16_t id)
{
    uint8_t *ip = data + ETHER, *udp = ip + IP;

    memcpy(data, to_mac, 6);
    memcpy(data + 6, from_mac, 6);
    put16(data + 12, TYPE_IP);
    memset(ip, 0, IP);
    ip[0] = 0x45;
    put16(ip + 2, IP + UDP + length);
    put16(ip + 4, id);
    ip[6] = 0x40; // don't fragment
    ip[8] = 64;
    ip[9] = PROTO_UDP;
    put32(ip + 12, from->ip);
    put32(ip + 16, to->ip);
    put16(ip + 10, (uint16_t)~fold(sum_of(ip, IP)));
    put16(udp, from->port);
    put16(udp + 2, to->port);
    put16(udp + 4, UDP + length);
    put16(udp + 6, 0);
    const uint16_t sum = (uint16_t)~fold(pseudo_sum(ip, UDP + length) + sum_of(udp, UDP + length));
    put16(udp + 6, sum == 0 ? 0xffff : sum);
}

void frame_write_arp(uint8_t *data, const uint8_t from_mac[6], uint32_t from_ip, const uint8_t *to_mac,
                     uint32_t to_ip)
{
    static const uint8_t head[] = {0, 1, 8, 0, 6, 4, 0};
    uint8_t *arp = data + ETHER;

    memset(data, 0, FRAME_ARP_BYTES);
    if (to_mac == NULL)
        memset(data, 0xff, 6);
    else
        memcpy(data, to_mac, 6);
    memcpy(data + 6, from_mac, 6);
    put16(data + 12, TYPE_ARP);
    memcpy(arp, head, sizeof head);
    arp[7] = to_mac == NULL ? ARP_REQUEST : ARP_REPLY;
    memcpy(arp + 8, from_mac, 6);
    put32(arp + 14, from_ip);
    if (to_mac != NULL)
        memcpy(arp + 18, to_mac, 6);
    put32(arp + 24, to_ip);
}
