// SPDX-License-Identifier: BSD-3-Clause
// SIP from the network: framing of TCP, reader, filter, osip, transactions, and what the call logic asks of a
// message. LeakSanitizer looks after each input.
//
//   input: a byte of switches, then messages; over UDP a byte 0x1e parts the datagrams
#include "control/base/wipe.h"
#include "control/sip/dialog.h"
#include "control/sip/stream.h"
#include "fuzz.h"
#include "tests/unit/control/sip/sip_fixture.h"

enum { OVER_TCP = 1 << 0, ANSWER = 1 << 1, PARTING = 0x1e, GAP_MS = 60 };

static struct fix fix;
static unsigned switches;

static void forget_sent(void)
{
    for (unsigned i = 0; i < fix.sent_count; i++)
        wipe_free(fix.sent[i].text);
    fix.sent_count = 0;
}

static void look(const struct sip_msg *msg)
{
    char number[SIP_NUMBER_MAX];
    sip_msg_called(msg, number);
    sip_msg_calling(msg, number);
    sip_msg_contact(msg);
    for (unsigned n = 0; sip_msg_line(msg, SIP_NAME_RECORD_ROUTE, n).p; n++)
        ;
    sip_msg_number(msg, "Session-Expires", 90, 0);
    sip_msg_has_token(msg, "Supported", "timer");
    struct sip_str body = sip_msg_body(msg, "application/sdp"), all = sip_msg_bytes(msg);
    struct sip_str part = sip_msg_part(msg, NULL, "x@y");
    static const char *const types[] = {"application/sdp", NULL};
    FUZZ_MUST(!body.p || (body.p >= all.p && body.p + body.len <= all.p + all.len));
    FUZZ_MUST(!part.p || (part.p >= all.p && part.p + part.len <= all.p + all.len));
    sip_msg_body_refused(msg, types);
}

static void act(struct fix *f, const struct fix_event *event, const struct sip_msg *msg)
{
    f->event_count = 0;
    if (msg)
        look(msg);
    if (event->what == FIX_CANCEL)
        sip_respond(event->txn, &(struct sip_answer){.status = 487});
    if (event->what == FIX_REQUEST && switches & ANSWER)
        sip_respond(event->txn, &(struct sip_answer){.status = 100 + 10 * (switches >> 2)});
}

static void receive(const struct sip_flow *flow, const char *bytes, size_t len)
{
    char *copy = fuzz_copy(bytes, len);
    sip_core_receive(fix.stack, flow, copy, len);
    free(copy);
    fix_advance(&fix, GAP_MS);
    forget_sent();
}

static void over_udp(const struct sip_flow *flow, const char *p, size_t len)
{
    while (len > 0) {
        const char *part = memchr(p, PARTING, len);
        size_t n = part ? (size_t)(part - p) : len;
        receive(flow, p, n);
        p += n + (part ? 1 : 0);
        len -= n + (part ? 1 : 0);
    }
}

static void over_tcp(const struct sip_flow *flow, const char *p, size_t len)
{
    struct sip_stream stream = {0};
    enum sip_stream_result got = SIP_STREAM_MORE;
    while (len > 0 && got != SIP_STREAM_BAD) {
        char *room, *message;
        size_t n, message_len;
        FUZZ_MUST(sip_stream_room(&stream, &room, &n) == 0);
        n = len < n ? len : n;
        memcpy(room, p, n);
        sip_stream_filled(&stream, n);
        p += n;
        len -= n;
        do {
            got = sip_stream_next(&stream, &message, &message_len);
            if (got == SIP_STREAM_MESSAGE)
                receive(flow, message, message_len);
        } while (got == SIP_STREAM_MESSAGE || got == SIP_STREAM_PING);
    }
    sip_stream_fini(&stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_input in = {data, len};
    switches = fuzz_byte(&in);
    fix_open(&fix);
    fix.act = act;
    struct sip_flow flow = sip_flow_to(fix.stack, switches & OVER_TCP, &fix_peer);
    if (switches & OVER_TCP) {
        flow.conn = flow.conn_generation = 1;
        over_tcp(&flow, (const char *)in.at, in.left);
    } else {
        over_udp(&flow, (const char *)in.at, in.left);
    }
    forget_sent();
    fix_drop(&fix);
    return 0;
}
