// SPDX-License-Identifier: BSD-3-Clause
// packet path: SRTP and SRTCP of the leg that sends. Each packet's index was taken by the relay stage.
#include "dataplane/path/stages.h"

// Bytes behind the packet that are the buffer's own. Ethernet padding was received there; it is nobody's.
static uint16_t room(const struct packet *p)
{
    const struct rte_mbuf *m = p->m;
    const uint8_t *end = (const uint8_t *)m->buf_addr + m->buf_len;
    return end - (p->data + p->len);
}

static void make_op(struct srtp_op *op, const struct packet *p)
{
    *op = (struct srtp_op){.key = p->session->leg[p->leg ^ 1].terms.tx_key,
                           .pkt = p->data,
                           .index = p->index,
                           .ssrc = p->ssrc,
                           .len = p->len,
                           .hdr_len = p->header_len,
                           .room = room(p),
                           .status = SRTP_OK};
}

static bool has_key(const struct packet *p)
{
    return p->session->leg[p->leg ^ 1].terms.tx_key;
}

unsigned stage_protect(struct worker *w, struct packet *p, unsigned n)
{
    unsigned rtp = 0, rtcp = 0, first = 0, gone = 0;
    struct srtp_op *op[WORKER_PACKETS];
    if (w->to_protect == 0)
        return n;
    while (first < n && !has_key(&p[first])) // plain ones before it are left alone
        first++;
    // RTP grows from the front of w->op, RTCP from its end
    for (unsigned i = first; i < n; i++) {
        op[i] = NULL;
        if (!has_key(&p[i]))
            continue;
        op[i] = p[i].kind == PACKET_RTP ? &w->op[rtp++] : &w->op[WORKER_PACKETS - ++rtcp];
        make_op(op[i], &p[i]);
    }
    srtp_protect(w->srtp, w->op, rtp);
    srtcp_protect(w->srtp, &w->op[WORKER_PACKETS - rtcp], rtcp);
    for (unsigned i = first; i < n; i++) {
        if (!op[i])
            continue;
        p[i].len = op[i]->len;
        if (unlikely(op[i]->status != SRTP_OK)) {
            packet_drop(w, &p[i], op[i]->status);
            gone++;
        }
    }
    return packets_close_up(p, n, gone);
}
