// SPDX-License-Identifier: BSD-3-Clause
// RTCP of a stream: sender reports out, everything that comes in checked against the RTP stream it speaks of.
#include "tools/loadgen/stream.h"

#include <stdio.h>
#include <string.h>
#include <sys/time.h>

enum { REPORT_ROOM = 512 };

static const uint32_t ntp_epoch = 2208988800u; // 1900 to 1970

static const char cname_format[] = "%07u-%u@trunkline-loadgen"; // label and direction
static const char cname_host[] = "@trunkline-loadgen";

static int write_block(struct mbuf *mb, void *arg)
{
    const struct stream *s = arg;
    const struct receipt *r = &s->receipt;
    const uint32_t lost = receipt_lost(r) & 0x7fffff;

    int err = mbuf_write_u32(mb, htonl(r->ssrc));
    err |= mbuf_write_u32(mb, htonl(lost)); // fraction lost: not told, the sum is
    err |= mbuf_write_u32(mb, htonl(r->seq_highest));
    err |= mbuf_write_u32(mb, htonl(r->jitter16 >> 4));
    err |= mbuf_write_u32(mb, 0);
    err |= mbuf_write_u32(mb, 0);
    return err;
}

static int write_name(struct mbuf *mb, void *arg)
{
    const struct stream *s = arg;
    char cname[64];

    snprintf(cname, sizeof cname, cname_format, s->label, s->direction);
    return rtcp_sdes_encode(mb, s->ssrc, 1, RTCP_SDES_CNAME, cname);
}

void stream_send_report(struct stream *s, uint32_t tick)
{
    uint8_t data[REPORT_ROOM];
    struct mbuf mb = {.buf = data, .size = sizeof data};
    struct timeval tv;
    int (*none)(struct mbuf *, void *) = NULL;
    const bool block = s->receipt.any_header;

    if (!s->ready)
        return;
    gettimeofday(&tv, NULL);
    int err =
        rtcp_encode(&mb, RTCP_SR, block ? 1 : 0, s->ssrc, (uint32_t)tv.tv_sec + ntp_epoch,
                    (uint32_t)(((uint64_t)tv.tv_usec << 32) / 1000000), stream_timestamp(s, tick),
                    (uint32_t)s->n.packets_sent, (uint32_t)s->n.octets_sent, block ? write_block : none, s);
    err |= rtcp_encode(&mb, RTCP_SDES, 1, write_name, s);
    mb.pos = 0;
    if (err == 0 && s->tx != NULL)
        err = srtcp_encrypt(s->tx, &mb);

    const struct sa *to = s->terms.mux ? &s->terms.remote : &s->terms.remote_rtcp;
    const int fd = s->terms.mux ? s->fd : s->rtcp_fd;
    if (err != 0 || sendto(fd, mb.buf, mb.end, MSG_DONTWAIT, &to->u.sa, to->len) < 0)
        s->n.send_errors++;
    else
        s->n.rtcp_sent++;
}

// A name of ours must be that of this call's far side; a gateway may give its own.
static bool item_fits(const struct stream *s, const struct rtcp_sdes_item *item)
{
    const size_t host = sizeof cname_host - 1;
    char expected[64];

    if (item->type != RTCP_SDES_CNAME || item->length < host ||
        memcmp(item->data + item->length - host, cname_host, host) != 0)
        return true;
    const int length = snprintf(expected, sizeof expected, cname_format, s->label, s->direction ^ 1u);
    return item->length == length && memcmp(item->data, expected, (size_t)length) == 0;
}

static bool name_fits(const struct stream *s, const struct rtcp_msg *msg)
{
    for (uint32_t i = 0; i < msg->hdr.count; i++)
        for (uint32_t j = 0; j < msg->r.sdesv[i].n; j++)
            if (!item_fits(s, &msg->r.sdesv[i].itemv[j]))
                return false;
    return true;
}

// Every packet of the compound must be right; returns whether a sender report was among them.
static bool check_compound(const struct stream *s, struct mbuf *mb, bool *bad)
{
    bool report = false;

    while (mbuf_get_left(mb) > 0 && !*bad) {
        struct rtcp_msg *msg = NULL;

        if (rtcp_decode(&msg, mb) != 0) {
            *bad = true;
            break;
        }
        if (msg->hdr.pt == RTCP_SR) {
            report = true;
            *bad = s->receipt.any_header && msg->r.sr.ssrc != s->receipt.ssrc;
        } else if (msg->hdr.pt == RTCP_SDES) {
            *bad = !name_fits(s, msg);
        }
        mem_deref(msg);
    }
    return report;
}

void stream_take_rtcp(struct stream *s, const struct sa *from, struct mbuf *mb)
{
    const struct sa *remote = s->terms.mux ? &s->terms.remote : &s->terms.remote_rtcp;
    bool bad = false;

    if (!sa_cmp(from, remote, SA_ALL)) {
        s->n.rtcp_foreign++;
        return;
    }
    if (s->rx != NULL) {
        const int err = srtcp_decrypt(s->rx, mb);
        if (err == EALREADY) {
            s->n.replayed++;
            return;
        }
        if (err != 0) {
            s->n.rtcp_bad_auth++;
            return;
        }
    }
    const bool report = check_compound(s, mb, &bad);
    if (bad)
        s->n.rtcp_bad++;
    else if (report)
        s->n.rtcp_received++;
}
