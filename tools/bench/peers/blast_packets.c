// SPDX-License-Identifier: BSD-3-Clause
// What blast sends and what it expects: each payload begins with its side, call and sequence number, and the
// rest of it follows from these.
#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/bytes.h"
#include "tools/bench/peers/blast.h"

enum {
    KEY_MAX = 30, // master key and salt
    PT_PCMA = 8,
    STAMP = 5, // bytes of the payload that name it
    PLAIN = BLAST_RTP + BLAST_PAYLOAD,
    SAMPLE_BYTES = BLAST_SLOT - 8,
    WINDOW = 1024, // libsrtp's, for samples: packets that it may see late
};

struct sample {
    uint16_t call;
    uint8_t side;
    uint8_t pad;
    uint32_t len;
    uint8_t bytes[SAMPLE_BYTES];
};
static_assert(sizeof(struct sample) == BLAST_SLOT, "a sample has a slot");

static const struct suite {
    const char *name;
    unsigned key_len; // with the salt
    unsigned tag;     // bytes that protection adds
    void (*set)(srtp_crypto_policy_t *);
} suites[] = {
    {"AES_CM_128_HMAC_SHA1_80", 30, 10, srtp_crypto_policy_set_rtp_default},
    {"AEAD_AES_128_GCM", 28, 16, srtp_crypto_policy_set_aes_gcm_128_16_auth},
};

// ---- calls -------------------------------------------------------------------------------------------

static const struct suite *find_suite(const char *name)
{
    for (unsigned i = 0; i < sizeof suites / sizeof *suites; i++)
        if (strcmp(suites[i].name, name) == 0)
            return &suites[i];
    blast_die("no suite is called %s", name);
}

static srtp_t open_srtp(const struct suite *suite, const char *hex, srtp_ssrc_type_t direction)
{
    uint8_t key[KEY_MAX];
    unsigned value;
    srtp_t session;
    if (strlen(hex) != (size_t)2 * suite->key_len)
        blast_die("a key of %s has %u bytes, written in hex", suite->name, suite->key_len);
    for (unsigned i = 0; i < suite->key_len; i++) {
        if (sscanf(hex + (size_t)2 * i, "%2x", &value) != 1)
            blast_die("a key is written in hex, not %s", hex);
        key[i] = (uint8_t)value;
    }
    srtp_policy_t policy = {.ssrc.type = direction, .key = key, .window_size = WINDOW};
    suite->set(&policy.rtp);
    suite->set(&policy.rtcp);
    srtp_err_status_t status = srtp_create(&session, &policy);
    explicit_bzero(key, sizeof key);
    if (status != srtp_err_status_ok)
        blast_die("libsrtp does not do %s (status %d)", suite->name, (int)status);
    return session;
}

static void read_stream(struct blast *b, unsigned side, char **at)
{
    const char *field[5];
    for (unsigned i = 0; i < 5; i++)
        if (!(field[i] = strtok_r(NULL, " \n", at)))
            blast_die("call %u: each side is DST_IP DST_PORT SUITE TX_KEY RX_KEY", b->calls);
    struct blast_party *p = &b->party[side];
    struct blast_stream *s = &p->stream[b->calls];
    int port = atoi(field[1]);
    if (inet_pton(AF_INET, field[0], &s->to.sin_addr) != 1 || port < 1 || port > 65535)
        blast_die("call %u: no address: %s %s", b->calls, field[0], field[1]);
    s->to.sin_port = htons((uint16_t)port);
    // of this process alone: what a gateway still holds of others' is told by it
    s->ssrc = ((uint32_t)getpid() << 14) + b->calls * 2 + side;
    s->seq = (uint16_t)(b->calls * 97 + side) & 0x3fff; // low: SRTP's roll-over counter begins with it
    unsigned len = BLAST_HEADERS + PLAIN;
    if (strcmp(field[2], "-") != 0) {
        const struct suite *suite = find_suite(field[2]);
        s->tx = open_srtp(suite, field[3], ssrc_any_outbound);
        s->rx = open_srtp(suite, field[4], ssrc_any_inbound);
        len += suite->tag;
    }
    if (b->calls > 0 && p->frame_len != len)
        blast_die("call %u: all calls of a side have one suite", b->calls);
    p->frame_len = len;
}

void blast_read_calls(struct blast *b, const char *path)
{
    char line[1024];
    FILE *f = fopen(path, "r");
    if (!f)
        blast_die("%s cannot be read", path);
    for (unsigned side = 0; side < 2; side++)
        if (!(b->party[side].stream = calloc(BLAST_CALLS_MAX, sizeof *b->party[side].stream)))
            blast_die("no memory for calls");
    while (fgets(line, sizeof line, f)) {
        char *at, *word = strtok_r(line, " \n", &at);
        if (!word || strcmp(word, "call") != 0 || b->calls == BLAST_CALLS_MAX)
            blast_die("%s: a line begins with `call`, and there are at most %d", path, BLAST_CALLS_MAX);
        for (unsigned side = 0; side < 2; side++)
            read_stream(b, side, &at);
        b->calls++;
    }
    fclose(f);
    if (b->calls == 0)
        blast_die("%s: no calls", path);
}

void blast_free_calls(struct blast *b)
{
    for (unsigned side = 0; side < 2; side++) {
        for (unsigned i = 0; i < b->calls; i++) {
            struct blast_stream *s = &b->party[side].stream[i];
            if (s->tx)
                srtp_dealloc(s->tx);
            if (s->rx)
                srtp_dealloc(s->rx);
        }
        free(b->party[side].stream);
        free(b->party[side].arena);
    }
    free(b->sample);
}

// ---- before the slice --------------------------------------------------------------------------------

static void fill_payload(uint8_t *out, unsigned side, unsigned call, uint16_t seq)
{
    out[0] = (uint8_t)side;
    tl_put16(out + 1, (uint16_t)call);
    tl_put16(out + 3, seq);
    for (unsigned i = STAMP; i < BLAST_PAYLOAD; i++)
        out[i] = (uint8_t)(seq * 31u + i * (call + side + 1u));
}

static uint16_t ip_checksum(const uint8_t *ip)
{
    uint32_t sum = 0;
    for (unsigned i = 0; i < 20; i += 2)
        sum += tl_get16(ip + i);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t) ~(sum + (sum >> 16));
}

// The checksum of UDP stays 0, "none": a NIC would have verified it, and a veth does not.
static void fill_headers(uint8_t *frame, const struct blast_party *p, unsigned call)
{
    const struct blast_stream *s = &p->stream[call];
    uint8_t *ip = frame + 14, *udp = ip + 20;
    memcpy(frame, p->gateway_mac, 6);
    memcpy(frame + 6, p->mac, 6);
    tl_put16(frame + 12, 0x0800);
    memset(ip, 0, 28);
    ip[0] = 0x45;
    tl_put16(ip + 2, (uint16_t)(p->frame_len - 14));
    tl_put16(ip + 6, 0x4000);
    ip[8] = 64;
    ip[9] = IPPROTO_UDP;
    memcpy(ip + 12, &p->ip, 4);
    memcpy(ip + 16, &s->to.sin_addr, 4);
    tl_put16(ip + 10, ip_checksum(ip));
    tl_put16(udp, (uint16_t)(BLAST_PORT + 2 * call));
    memcpy(udp + 2, &s->to.sin_port, 2);
    tl_put16(udp + 4, (uint16_t)(p->frame_len - 34));
}

static void build_frame(struct blast *b, unsigned side, uint32_t number)
{
    struct blast_party *p = &b->party[side];
    unsigned call = number % b->calls;
    struct blast_stream *s = &p->stream[call];
    uint8_t *frame = p->arena + (size_t)number * BLAST_SLOT, *rtp = frame + BLAST_HEADERS;
    fill_headers(frame, p, call);
    rtp[0] = 0x80;
    rtp[1] = PT_PCMA;
    tl_put16(rtp + 2, s->seq);
    tl_put32(rtp + 4, s->timestamp);
    tl_put32(rtp + 8, s->ssrc);
    fill_payload(rtp + BLAST_RTP, side, call, s->seq);
    s->seq++;
    s->timestamp += BLAST_PAYLOAD;
    int len = PLAIN;
    if (s->tx && (srtp_protect(s->tx, rtp, &len) != srtp_err_status_ok ||
                  (uint32_t)len != p->frame_len - BLAST_HEADERS))
        blast_die("libsrtp cannot protect packet %u of call %u", number, call);
}

bool blast_build(struct blast *b, uint32_t count)
{
    b->sample_max = count / 16 + 64;
    b->sample_count = 0;
    free(b->sample);
    b->sample = malloc((size_t)b->sample_max * BLAST_SLOT);
    for (unsigned side = 0; side < 2; side++) {
        struct blast_party *p = &b->party[side];
        free(p->arena);
        p->arena = malloc((size_t)count * BLAST_SLOT);
        if (!p->arena || !b->sample)
            return false;
        p->count = count;
        p->sent = 0;
        for (unsigned call = 0; call < b->calls; call++)
            b->party[side].stream[call].begin = b->party[side].stream[call].seq;
        for (uint32_t i = 0; i < count; i++)
            build_frame(b, side, i);
    }
    memset(b->sample, 0, (size_t)b->sample_max * BLAST_SLOT);
    return true;
}

// ---- what comes back ---------------------------------------------------------------------------------

static void keep_sample(struct blast *b, unsigned side, unsigned call, const uint8_t *rtp, uint32_t len)
{
    if (b->sample_count == b->sample_max || len > SAMPLE_BYTES)
        return;
    struct sample *s = (struct sample *)(b->sample + (size_t)b->sample_count++ * BLAST_SLOT);
    s->side = (uint8_t)side;
    s->call = (uint16_t)call;
    s->len = len;
    memcpy(s->bytes, rtp, len);
}

static bool stamped(const uint8_t *payload, unsigned side, unsigned call)
{
    return payload[0] == side && tl_get16(payload + 1) == call;
}

// True if the packet is one later than all before it.
static bool in_order(struct blast *b, struct blast_stream *s, uint16_t seq)
{
    uint16_t ahead = (uint16_t)(seq - s->last);
    if (s->heard && ahead == 0) {
        b->result.duplicates++;
        return false;
    }
    if (s->heard && ahead > 0x8000) {
        b->result.disordered++;
        return true;
    }
    s->heard = true;
    s->last = seq;
    return true;
}

// One of BLAST_SAMPLE_EVERY, as good as at random, so that every stream is looked at.
static bool chosen(unsigned call, uint16_t seq)
{
    return ((seq * 40503u + call * 2654435761u) >> 8) % BLAST_SAMPLE_EVERY == 0;
}

void blast_judge(struct blast *b, unsigned side, const uint8_t *ip, uint32_t len)
{
    const struct blast_party *p = &b->party[side];
    const uint8_t *udp = ip + 20, *rtp = udp + 8;
    if (len < 28 + BLAST_RTP || ip[0] != 0x45 || ip[9] != IPPROTO_UDP)
        return; // not media
    unsigned port = tl_get16(udp + 2), call = (port - BLAST_PORT) / 2;
    if (port < BLAST_PORT || port % 2 || call >= b->calls) {
        b->result.foreign++;
        return;
    }
    struct blast_stream *s = &p->stream[call];
    if (memcmp(ip + 12, &s->to.sin_addr, 4) != 0 || memcmp(udp, &s->to.sin_port, 2) != 0 ||
        len != p->frame_len - 14 || (rtp[1] & 0x7f) != PT_PCMA ||
        (!s->rx && !stamped(rtp + BLAST_RTP, !side, call))) {
        b->result.bad++;
        return;
    }
    uint16_t seq = tl_get16(rtp + 2);
    const struct blast_stream *from = &b->party[!side].stream[call];
    if (tl_get32(rtp + 8) != from->ssrc || (uint16_t)(seq - from->begin) >= 0x8000) {
        b->result.late++;
        return;
    }
    if (!in_order(b, s, seq))
        return;
    b->result.received++;
    if (chosen(call, seq))
        keep_sample(b, side, call, rtp, len - 28);
}

void blast_check_samples(struct blast *b)
{
    uint8_t expected[BLAST_PAYLOAD];
    for (uint32_t i = 0; i < b->sample_count; i++) {
        struct sample *x = (struct sample *)(b->sample + (size_t)i * BLAST_SLOT);
        const struct blast_stream *s = &b->party[x->side].stream[x->call];
        const uint8_t *payload = x->bytes + BLAST_RTP;
        int len = (int)x->len;
        bool good = !s->rx || srtp_unprotect(s->rx, x->bytes, &len) == srtp_err_status_ok;
        if (good && len == PLAIN) {
            fill_payload(expected, !x->side, x->call, tl_get16(payload + 3));
            good = memcmp(payload, expected, BLAST_PAYLOAD) == 0;
        }
        b->result.sampled++;
        b->result.sample_bad += !good || len != PLAIN;
    }
}
