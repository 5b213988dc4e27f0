// SPDX-License-Identifier: BSD-3-Clause
// A sender of SRTP (AES_CM_128_HMAC_SHA1_80, libsrtp2) whose rollover counter and key identifier are chosen.
#include <arpa/inet.h>
#include <srtp2/srtp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KEY_OCTETS = 30, PACKET_MAX = 256, RTP_HEADER = 12, PAYLOAD = 160, MKI_MAX = 8, GAP_US = 20000 };

static const char usage[] =
    "usage: srtp_send FROM-IP PORT TO-IP PORT KEY SSRC SEQUENCE ROC PACKETS [MKI]\n"
    "Sends PACKETS of PCMA, one in 20 ms, from index ROC * 65536 + SEQUENCE on. KEY is 60 hexadecimal digits, MKI is the\n"
    "octets of the key identifier likewise.\n";

static bool read_hex(const char *text, uint8_t *out, size_t octets)
{
    for (size_t i = 0; i < octets; i++) {
        unsigned value;
        if (sscanf(text + 2 * i, "%2x", &value) != 1)
            return false;
        out[i] = (uint8_t)value;
    }
    return strlen(text) == 2 * octets;
}

static bool read_addr(const char *ip, const char *port, struct sockaddr_in *out)
{
    *out = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    return inet_pton(AF_INET, ip, &out->sin_addr) == 1 && out->sin_port;
}

static int make_session(srtp_t *session, uint8_t *key, uint8_t *mki, unsigned mki_octets, uint32_t ssrc,
                        uint32_t roc)
{
    srtp_master_key_t master = {.key = key, .mki_id = mki, .mki_size = mki_octets}, *masters[] = {&master};
    srtp_policy_t policy = {
        .ssrc = {.type = ssrc_specific, .value = ssrc}, .keys = masters, .num_master_keys = 1};
    srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
    srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
    if (srtp_init() || srtp_create(session, &policy))
        return -1;
    return srtp_set_stream_roc(*session, ssrc, roc) ? -1 : 0;
}

int main(int argc, char **argv)
{
    struct sockaddr_in from, to;
    uint8_t key[KEY_OCTETS], mki[MKI_MAX];
    if (argc < 10 || argc > 11 || !read_addr(argv[1], argv[2], &from) || !read_addr(argv[3], argv[4], &to) ||
        !read_hex(argv[5], key, sizeof key)) {
        fputs(usage, stderr);
        return 2;
    }
    uint32_t ssrc = (uint32_t)strtoul(argv[6], NULL, 0), roc = (uint32_t)strtoul(argv[8], NULL, 0);
    unsigned seq = (unsigned)strtoul(argv[7], NULL, 0), packets = (unsigned)strtoul(argv[9], NULL, 0);
    size_t mki_octets = argc == 11 ? strlen(argv[10]) / 2 : 0;
    srtp_t session;
    if (mki_octets > sizeof mki || (mki_octets && !read_hex(argv[10], mki, mki_octets)) ||
        make_session(&session, key, mki, (unsigned)mki_octets, ssrc, roc) < 0) {
        fputs("srtp_send: no session\n", stderr);
        return 2;
    }
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof from) < 0) {
        perror("srtp_send: bind");
        return 2;
    }
    for (unsigned i = 0; i < packets; i++, seq++) {
        uint8_t packet[PACKET_MAX] = {0x80, 8, (uint8_t)(seq >> 8), (uint8_t)seq};
        uint32_t words[] = {htonl(seq * PAYLOAD), htonl(ssrc)};
        int len = RTP_HEADER + PAYLOAD;
        memcpy(packet + 4, words, sizeof words);
        memset(packet + RTP_HEADER, 0xd5, PAYLOAD);
        if (srtp_protect_mki(session, packet, &len, mki_octets != 0, 0)) {
            fprintf(stderr, "srtp_send: packet %u is not protected\n", i);
            return 1;
        }
        sendto(fd, packet, (size_t)len, 0, (struct sockaddr *)&to, sizeof to);
        usleep(GAP_US);
    }
    srtp_dealloc(session);
    close(fd);
    return 0;
}
