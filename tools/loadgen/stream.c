// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    RECEIVE_BATCH = 8,
    DATAGRAM_MAX = 2048,
    SEND_ROOM =
        512, // an RTP packet of ours with its tag has at most 188 bytes: libre never needs to grow this
    WRAP_WITHIN = 200,
};

static int bind_one(const struct options *o, uint16_t port)
{
    struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons(port)};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return -errno;
    inet_pton(AF_INET, o->local.ip, &sin.sin_addr);
    if (bind(fd, (struct sockaddr *)&sin, sizeof sin) != 0) {
        const int error = -errno;
        close(fd);
        return error;
    }
    return fd;
}

static int bind_pair(struct stream *s, const struct options *o, struct ports *ports)
{
    for (uint32_t tried = 0; tried <= (uint32_t)(ports->max - ports->min) / 2; tried++) {
        const uint16_t port = ports->next;

        ports->next = port + 2 >= ports->max ? ports->min : (uint16_t)(port + 2);
        s->fd = bind_one(o, port);
        if (s->fd == -EADDRINUSE)
            continue;
        if (s->fd < 0)
            return s->fd;
        s->rtcp_fd = bind_one(o, (uint16_t)(port + 1));
        if (s->rtcp_fd >= 0) {
            s->port = port;
            return 0;
        }
        close(s->fd);
        s->fd = -1;
        if (s->rtcp_fd != -EADDRINUSE)
            return s->rtcp_fd;
    }
    return -EADDRINUSE;
}

int stream_init(struct stream *s, const struct options *o, struct ports *ports, uint32_t label,
                uint8_t direction, bool wraps)
{
    struct {
        uint32_t ssrc, ts, seq;
    } random;
    const uint32_t packets = o->seconds * (1000 / PAYLOAD_MS);
    const uint32_t within = packets / 3 < WRAP_WITHIN ? packets / 3 : WRAP_WITHIN;

    memset(s, 0, sizeof *s);
    s->fd = s->rtcp_fd = -1;
    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return -EIO;
    s->suite = o->srtp;
    if (s->suite != SUITE_NONE && sdes_make(&s->tx_key, s->suite, 1) != 0)
        return -EIO;
    s->ssrc = random.ssrc;
    s->ts_base = random.ts;
    // the others begin low, so that a call under twelve minutes doesn't wrap by chance
    // and a wrap is not at once: who can't yet unprotect the first packets would miss it (RFC 3711 3.3.1)
    s->seq = wraps ? 65536 - 1 - (within / 2 + random.seq % (within / 2)) : 1 + random.seq % 28000;
    s->first_seq = (uint16_t)s->seq;
    s->label = label;
    s->direction = direction;
    s->heard.final = UINT32_MAX;
    s->dtmf_tx.digits = o->dtmf;
    receipt_init(&s->receipt, label, o->echo ? direction : direction ^ 1);

    const int error = bind_pair(s, o, ports);
    if (error != 0)
        s->fd = s->rtcp_fd = -1;
    return error;
}

static int64_t now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void take_rtp(struct stream *s, struct mbuf *mb)
{
    struct rtp_header rtp;

    if (s->rx != NULL) {
        switch (srtp_decrypt(s->rx, mb)) {
        case 0:
            break;
        case EALREADY:
            s->n.replayed++;
            return;
        case ETIMEDOUT:
            s->n.late_for_roc++;
            return;
        default:
            receipt_fault(&s->receipt, &s->n.bad_auth);
            return;
        }
    }
    if (rtp_hdr_decode(&rtp, mb) != 0 || rtp.ver != RTP_VERSION) {
        receipt_fault(&s->receipt, &s->n.bad_rtp);
        return;
    }

    const struct receipt_header h = {
        .ssrc = rtp.ssrc,
        .timestamp = rtp.ts,
        .seq = rtp.seq,
        .arrival = (uint32_t)(now_us() / 125),
    };
    if (rtp.pt == s->terms.rx_audio) {
        receipt_take_header(&s->receipt, &h);
        receipt_take_audio(&s->receipt, &h, mbuf_buf(mb), mbuf_get_left(mb));
    } else if (s->terms.rx_event != 0 && rtp.pt == s->terms.rx_event) {
        receipt_take_header(&s->receipt, &h);
        dtmf_take(&s->dtmf_rx, rtp.ts, mbuf_buf(mb), mbuf_get_left(mb));
    } else {
        receipt_fault(&s->receipt, &s->n.bad_pt);
    }
}

// RFC 5761 4: RTCP packet types on a shared port.
static bool is_rtcp(const uint8_t *data, size_t length)
{
    return length >= 2 && data[1] >= 192 && data[1] <= 223;
}

// Reads up to RECEIVE_BATCH datagrams and returns how many there were.
static int read_socket(struct stream *s, int fd, bool rtcp)
{
    static uint8_t data[RECEIVE_BATCH][DATAGRAM_MAX];
    struct sockaddr_in from[RECEIVE_BATCH];
    struct iovec iov[RECEIVE_BATCH];
    struct mmsghdr messages[RECEIVE_BATCH];

    memset(messages, 0, sizeof messages);
    for (int i = 0; i < RECEIVE_BATCH; i++) {
        iov[i] = (struct iovec){data[i], DATAGRAM_MAX};
        messages[i].msg_hdr.msg_name = &from[i];
        messages[i].msg_hdr.msg_namelen = sizeof from[i];
        messages[i].msg_hdr.msg_iov = &iov[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int count = recvmmsg(fd, messages, RECEIVE_BATCH, MSG_DONTWAIT, NULL);

    for (int i = 0; i < count; i++) {
        struct mbuf mb = {.buf = data[i], .size = DATAGRAM_MAX, .pos = 0, .end = messages[i].msg_len};
        struct sa sa;

        sa_set_sa(&sa, (struct sockaddr *)&from[i]);
        if (rtcp || (s->terms.mux && is_rtcp(data[i], mb.end)))
            stream_take_rtcp(s, &sa, &mb);
        else if (!sa_cmp(&sa, &s->terms.remote, SA_ALL))
            s->n.foreign++;
        else
            take_rtp(s, &mb);
    }
    return count;
}

static void drain(struct stream *s, int fd, bool rtcp)
{
    while (read_socket(s, fd, rtcp) == RECEIVE_BATCH)
        continue;
}

static void close_fd(int *fd)
{
    if (*fd < 0)
        return;
    fd_close(*fd);
    close(*fd);
    *fd = -1;
}

void stream_fini(struct stream *s)
{
    if (s->ready) { // what came before the BYE may still wait
        drain(s, s->fd, false);
        drain(s, s->rtcp_fd, true);
    }
    close_fd(&s->fd);
    close_fd(&s->rtcp_fd);
    s->tx = mem_deref(s->tx);
    s->rx = mem_deref(s->rx);
    explicit_bzero(&s->tx_key, sizeof s->tx_key);
    explicit_bzero(&s->terms.rx_key, sizeof s->terms.rx_key);
    s->ready = false;
}

static void rtp_readable(int flags, void *arg)
{
    struct stream *s = arg;

    (void)flags;
    read_socket(s, s->fd, false);
}

static void rtcp_readable(int flags, void *arg)
{
    struct stream *s = arg;

    (void)flags;
    read_socket(s, s->rtcp_fd, true);
}

static int make_context(struct srtp **context, enum media_suite suite, const struct sdes *key)
{
    const enum srtp_suite which =
        suite == SUITE_AEAD_AES_128_GCM ? SRTP_AES_128_GCM : SRTP_AES_CM_128_HMAC_SHA1_80;

    *context = mem_deref(*context);
    return -srtp_alloc(context, which, key->key, key->length, 0);
}

static bool same_key(const struct sdes *a, const struct sdes *b)
{
    return a->length == b->length && memcmp(a->key, b->key, a->length) == 0;
}

int stream_set(struct stream *s, const struct stream_terms *terms)
{
    int error = 0;

    if (s->suite != SUITE_NONE && s->tx == NULL)
        error = make_context(&s->tx, s->suite, &s->tx_key);
    if (error == 0 && s->suite != SUITE_NONE &&
        (s->rx == NULL || !same_key(&terms->rx_key, &s->terms.rx_key)))
        error = make_context(&s->rx, s->suite, &terms->rx_key);
    if (error != 0)
        return error;

    s->terms = *terms;
    if (s->ready)
        return 0;
    s->ready = true;
    drain(s, s->fd, false); // what waits is early: judged before the call is up
    error = fd_listen(s->fd, FD_READ, rtp_readable, s);
    if (error == 0)
        error = fd_listen(s->rtcp_fd, FD_READ, rtcp_readable, s);
    return -error;
}

uint32_t stream_timestamp(const struct stream *s, uint32_t tick)
{
    return s->ts_base + (tick - s->tick0) * PAYLOAD_BYTES;
}

// Sends `length` bytes of payload that stand at data + 12. True when the kernel took them.
static bool send_rtp(struct stream *s, uint8_t *data, size_t length, uint8_t pt, bool marker,
                     uint32_t timestamp)
{
    struct mbuf mb = {.buf = data, .size = SEND_ROOM, .pos = 0, .end = RTP_HEADER_SIZE + length};
    const uint16_t seq = htons((uint16_t)s->seq);
    const uint32_t words[2] = {htonl(timestamp), htonl(s->ssrc)};

    data[0] = RTP_VERSION << 6;
    data[1] = (uint8_t)(pt | (marker ? 0x80 : 0));
    memcpy(data + 2, &seq, sizeof seq);
    memcpy(data + 4, words, sizeof words);
    // the index is spent from here on, whatever the kernel does with the packet
    s->n.roc_steps += s->number > 0 && (uint16_t)s->seq == 0;
    s->seq++;
    s->number++;
    if (s->tx != NULL && srtp_encrypt(s->tx, &mb) != 0) {
        s->n.send_errors++;
        return false;
    }
    if (sendto(s->fd, mb.buf, mb.end, MSG_DONTWAIT, &s->terms.remote.u.sa, s->terms.remote.len) < 0) {
        s->n.send_errors++;
        return false;
    }
    s->n.packets_sent++;
    s->n.octets_sent += length;
    return true;
}

static void send_audio(struct stream *s, const struct schedule *plan, uint32_t timestamp, uint32_t now)
{
    uint8_t data[SEND_ROOM];
    struct payload p = {
        .label = s->label,
        .number = s->number,
        .timestamp = timestamp - s->ts_base,
        .direction = s->direction,
    };

    window_stamp(&s->window, plan, now, &p);
    payload_write(data + RTP_HEADER_SIZE, &p);
    if (send_rtp(s, data, PAYLOAD_BYTES, s->terms.tx_audio, p.number == 0, timestamp))
        window_sent(&s->window, &p);
}

static void send_event(struct stream *s, const struct dtmf_packet *event)
{
    uint8_t data[SEND_ROOM];

    memcpy(data + RTP_HEADER_SIZE, event->payload, DTMF_BYTES);
    if (!send_rtp(s, data, DTMF_BYTES, s->terms.tx_event, event->marker, event->timestamp))
        return;
    s->n.dtmf_packets++;
    s->n.dtmf_digits += event->last_of_digit;
}

void stream_tick(struct stream *s, const struct schedule *plan, uint32_t tick, uint32_t now, bool dtmf)
{
    struct dtmf_packet event;

    if (s->number == 0)
        s->tick0 = tick;
    else if (s->terms.may_send)
        s->n.skipped += tick - s->last_tick - 1;
    s->last_tick = tick;
    if (s->packets_heard != s->receipt.packets)
        s->heard.last = now;
    s->packets_heard = s->receipt.packets;
    if (s->heard.final == UINT32_MAX && s->receipt.final_known)
        s->heard.final = now;
    if (!s->ready || !s->terms.may_send)
        return;

    const uint32_t timestamp = stream_timestamp(s, tick);
    if (dtmf && s->terms.tx_event != 0 && dtmf_step(&s->dtmf_tx, timestamp, &event))
        send_event(s, &event);
    else
        send_audio(s, plan, timestamp, now);
}
