// SPDX-License-Identifier: BSD-3-Clause
// Messages that were changed at random, at a stack in the middle of its work: nothing crashes, leaks or
// stays. The sanitiser build is the judge of most of it.
#include "sip_fixture.h"

#include "control/base/wipe.h"
#include "control/sip/dialog.h"
#include "control/sip/stream.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 6000 };

static struct fix fix;
static uint64_t rng_state;

static unsigned rng(unsigned below)
{
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 7;
    rng_state ^= rng_state << 17;
    return (unsigned)(rng_state >> 16) % below;
}

static const char *const seeds[] = {
    "INVITE sip:+15551234@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-h%u;rport\r\n"
    "Record-Route: <sip:192.0.2.9;lr>, <sip:192.0.2.8;lr>\r\nFrom: \"A\" <sip:a@192.0.2.10>;tag=f%u\r\n"
    "To: <sip:+15551234@192.0.2.1>\r\nCall-ID: c%u\r\nCSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.10:5060>\r\n"
    "Max-Forwards: 70\r\nContent-Type: multipart/mixed;boundary=b\r\nContent-Length: 60\r\n\r\n"
    "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n\r\n--b--\r\n012345678\r\n",
    "ACK sip:192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-h%u\r\nFrom: "
    "<sip:a@b>;tag=f%u\r\n"
    "To: <sip:+15551234@192.0.2.1>;tag=x\r\nCall-ID: c%u\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n",
    "CANCEL sip:+15551234@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-h%u;rport\r\n"
    "From: \"A\" <sip:a@192.0.2.10>;tag=f%u\r\nTo: <sip:+15551234@192.0.2.1>\r\nCall-ID: c%u\r\nCSeq: 1 "
    "CANCEL\r\n\r\n",
    "BYE sip:192.0.2.1 SIP/2.0\r\nv: SIP/2.0/UDP gw:5060;branch=z9hG4bK-b%u, SIP/2.0/TCP x;branch=y\r\n"
    "f: <sip:a@b>;tag=f%u\r\nt: sip:c@d;tag=q\r\ni: c%u\r\nCSeq: 2 BYE\r\nm: *\r\nl: 0\r\n\r\n",
    "OPTIONS tel:+1-555 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10;branch=old%u\r\nFrom: \"x \\\" y\" "
    "<sip:a@b>;tag=f%u\r\n"
    "To: A\r\n <sip:c@d>\r\nCall-ID: c%u\r\nCSeq: 3 OPTIONS\r\nRequire: a, b\r\nSupported: timer\r\n\r\n",
};

static size_t mutate(char *p, size_t len, size_t room)
{
    static const char *const pieces[] = {"\r\n",
                                         "\r\n\r\n",
                                         ";",
                                         ",",
                                         "<",
                                         ">",
                                         "\"",
                                         ":",
                                         "\r\n ",
                                         "%00",
                                         "%",
                                         ";tag=",
                                         "Content-Length: 4294967297\r\n",
                                         "SIP/2.0 ",
                                         "@",
                                         "[",
                                         "\\",
                                         "\xff",
                                         "Via: ",
                                         "99999999999999999999",
                                         "sip:",
                                         "?",
                                         "=",
                                         "\t"};
    for (unsigned n = rng(6); n > 0 && len > 0; n--) {
        size_t at = rng((unsigned)len);
        switch (rng(6)) {
        case 0:
            p[at] = (char)rng(256);
            break;
        case 1:
            p[at] ^= (char)(1u << rng(8));
            break;
        case 2: { // cut a piece out
            size_t cut = 1 + rng(20);
            if (cut > len - at)
                cut = len - at;
            memmove(p + at, p + at + cut, len - at - cut);
            len -= cut;
            break;
        }
        case 3: { // put a piece in
            const char *piece = pieces[rng(sizeof pieces / sizeof *pieces)];
            size_t n_piece = strlen(piece);
            if (len + n_piece > room)
                break;
            memmove(p + at + n_piece, p + at, len - at);
            memcpy(p + at, piece, n_piece);
            len += n_piece;
            break;
        }
        case 4: { // say something twice
            size_t dup = 1 + rng(60);
            if (dup > len - at)
                dup = len - at;
            if (len + dup > room)
                break;
            memmove(p + at + dup, p + at, len - at);
            len += dup;
            break;
        }
        default:
            if (rng(4) == 0)
                len = at;
        }
    }
    return len;
}

// Uses everything that a message offers.
static void use(const struct sip_msg *msg)
{
    char number[SIP_NUMBER_MAX];
    sip_msg_called(msg, number);
    sip_msg_calling(msg, number);
    sip_msg_body(msg, "application/sdp");
    sip_msg_has_token(msg, "Supported", "timer");
    sip_msg_number(msg, "Max-Forwards", 255, 70);
    for (unsigned i = 0; sip_msg_line(msg, SIP_NAME_RECORD_ROUTE, i).p; i++)
        ;
    struct sip_dialog dialog;
    struct sip_flow flow = sip_flow_to(fix.stack, 0, &fix_peer);
    int err = sip_msg_is_request(msg) ? sip_dialog_uas(&dialog, msg, &flow, "t")
                                      : sip_dialog_uac(&dialog, msg, &flow);
    if (err == 0) {
        struct sip_request r;
        sip_dialog_request(&dialog, SIP_BYE, &r);
        sip_dialog_next_hop(&dialog);
        sip_dialog_matches(&dialog, msg);
        sip_dialog_retarget(&dialog, msg);
        sip_dialog_fini(&dialog);
    }
}

static void act(struct fix *f, const struct fix_event *event, const struct sip_msg *msg)
{
    static const int statuses[] = {180, 200, 200, 404, 486, 100, 302};
    f->event_count = 0;
    if (msg)
        use(msg);
    switch (event->what) {
    case FIX_REQUEST:
        if (event->method == SIP_INVITE)
            sip_respond(event->txn, &(struct sip_answer){.status = 180});
        if (event->method != SIP_INVITE || rng(4))
            if (sip_respond(event->txn, &(struct sip_answer){.status = statuses[rng(7)]}) != 0)
                break;
        break;
    case FIX_CANCEL:
        sip_respond(event->txn, &(struct sip_answer){.status = 487});
        break;
    case FIX_RESPONSE:
        if (event->status >= 200 && event->method == SIP_INVITE && event->status < 300)
            sip_abandon(event->txn);
        else if (event->status < 200 && rng(2))
            sip_abandon(event->txn);
        break;
    default:
        break;
    }
}

static void forget_sent(void)
{
    for (unsigned i = 0; i < fix.sent_count; i++)
        wipe_free(fix.sent[i].text);
    fix.sent_count = 0;
}

static void receive(const char *bytes, size_t len)
{
    struct sip_flow flow = sip_flow_to(fix.stack, rng(2), &fix_peer);
    char *exact = malloc(len ? len : 1);
    memcpy(exact, bytes, len);
    sip_core_receive(fix.stack, &flow, exact, len);
    free(exact);
}

// Ends whatever the user has left open, so that what stays is a leak of the stack.
static void end_all(void)
{
    fix.act = NULL;
    for (struct sip_txn *t = fix.stack->all, *next; t; t = next) {
        next = t->next;
        fix.event_count = 0;
        if (t->stage != SIP_LIVE)
            continue;
        if (sip_txn_is_server(t))
            sip_respond(t, &(struct sip_answer){.status = 500});
        else
            sip_abandon(t);
        forget_sent();
    }
    for (unsigned i = 0; i < 200; i++) {
        fix_advance(&fix, 64 * FIX_T1 / 20);
        fix.event_count = 0;
        forget_sent();
    }
}

static void changed_requests(void)
{
    static char text[4096];
    fix_open(&fix);
    fix.act = act;
    rng_state = 0x9e3779b97f4a7c15u;
    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned id = rng(50);
        int n = snprintf(text, sizeof text, seeds[rng(5)], id, id, id);
        receive(text, mutate(text, (size_t)n, sizeof text));
        if (rng(10) == 0)
            fix_advance(&fix, rng(100));
        fix.event_count = 0;
        forget_sent();
    }
    const struct sip_counters *c = sip_stack_counters(fix.stack);
    CU_ASSERT(c->rx_requests > ROUNDS / 20); // the mutations do not all end at the first check
    CU_ASSERT(c->rejects[SIP_REJECT_syntax] > 0 && c->rejects[SIP_REJECT_line] > 0 &&
              c->rejects[SIP_REJECT_required] > 0);
    end_all();
    fix_close(&fix);
}

// Answers to our own requests, changed.
static void changed_responses(void)
{
    static char text[4096];
    fix_open(&fix);
    fix.act = act;
    rng_state = 0x243f6a8885a308d3u;
    for (unsigned i = 0; i < ROUNDS / 4; i++) {
        static const int statuses[] = {100, 180, 183, 200, 200, 302, 404, 486, 503};
        struct sip_request r = fix_request(rng(3) ? SIP_INVITE : SIP_BYE);
        struct sip_flow to = sip_flow_to(fix.stack, 0, &fix_peer);
        struct sip_txn *txn;
        forget_sent();
        if (sip_request(fix.stack, &to, &r, NULL, &txn) != 0)
            continue;
        char request[1024];
        snprintf(request, sizeof request, "%s", fix.sent[0].text);
        if (r.method == SIP_INVITE && rng(5) == 0)
            sip_cancel(txn);
        for (unsigned k = 0; k < 4; k++) {
            int n =
                snprintf(text, sizeof text,
                         "SIP/2.0 %d X\r\nVia: %s\r\nFrom: %s\r\nTo: %s;tag=%u\r\nCall-ID: %s\r\nCSeq: %s\r\n"
                         "Record-Route: <sip:192.0.2.8;lr>\r\nContact: <sip:b@192.0.2.20>\r\n"
                         "Content-Length: 0\r\n\r\n",
                         statuses[rng(9)], fix_header(request, "Via"), fix_header(request, "From"),
                         fix_header(request, "To"), rng(3), fix_header(request, "Call-ID"),
                         fix_header(request, "CSeq"));
            receive(text, rng(3) ? mutate(text, (size_t)n, sizeof text) : (size_t)n);
            if (rng(4) == 0)
                fix_advance(&fix, rng(60));
            fix.event_count = 0;
            forget_sent();
        }
        // nobody keeps the pointer: what still runs is ended below
        if (rng(8) == 0)
            fix_advance(&fix, 500);
        fix.event_count = 0;
        forget_sent();
    }
    CU_ASSERT(sip_stack_counters(fix.stack)->rx_responses > ROUNDS / 4);
    end_all();
    fix_close(&fix);
}

// The stored torture messages, changed.
static void changed_rfc4475(void)
{
    static const char *const names[] = {"wsinv",   "esc01",      "longreq", "mpart01",
                                        "inv2543", "transports", "semiuri"};
    static char base[7][4096], text[8192];
    size_t lens[7];
    for (unsigned i = 0; i < 7; i++) {
        char name[64];
        snprintf(name, sizeof name, "rfc4475/%s.dat", names[i]);
        const char *path = test_data(name);
        if (!path)
            return;
        FILE *f = fopen(path, "rb");
        CU_ASSERT_FATAL(f != NULL);
        lens[i] = fread(base[i], 1, sizeof base[i], f);
        fclose(f);
    }
    fix_open(&fix);
    fix.act = act;
    rng_state = 0xb7e151628aed2a6bu;
    for (unsigned i = 0; i < ROUNDS / 3; i++) {
        unsigned k = rng(7);
        memcpy(text, base[k], lens[k]);
        receive(text, mutate(text, lens[k], sizeof text));
        if (rng(10) == 0)
            fix_advance(&fix, rng(100));
        fix.event_count = 0;
        forget_sent();
    }
    end_all();
    fix_close(&fix);
}

// Streams of changed messages in random pieces: framing ends at a message, a ping or a refusal, never beyond.
static void changed_streams(void)
{
    static char text[4096];
    rng_state = 0x452821e638d01377u;
    fix_open(&fix);
    fix.act = act;
    unsigned messages = 0, bad = 0;
    for (unsigned i = 0; i < ROUNDS / 3; i++) {
        struct sip_stream s = {0};
        bool over = false;
        for (unsigned k = 0; k < 3 && !over; k++) {
            unsigned id = rng(50);
            int n = snprintf(text, sizeof text, seeds[rng(5)], id, id, id);
            size_t len = rng(2) ? mutate(text, (size_t)n, sizeof text) : (size_t)n;
            for (size_t at = 0; at < len && !over;) {
                char *p, *message;
                size_t room, got, piece = 1 + rng(200);
                if (piece > len - at)
                    piece = len - at;
                CU_ASSERT_FATAL(sip_stream_room(&s, &p, &room) == 0 && room >= piece);
                memcpy(p, text + at, piece);
                sip_stream_filled(&s, piece);
                at += piece;
                enum sip_stream_result result;
                while ((result = sip_stream_next(&s, &message, &got)) != SIP_STREAM_MORE && !over) {
                    if (result == SIP_STREAM_BAD) {
                        over = true;
                        bad++;
                    } else if (result == SIP_STREAM_MESSAGE) {
                        messages++;
                        receive(message, got);
                        fix.event_count = 0;
                        forget_sent();
                    }
                }
            }
        }
        sip_stream_fini(&s);
        if (rng(10) == 0)
            fix_advance(&fix, rng(100));
        fix.event_count = 0;
        forget_sent();
    }
    CU_ASSERT(messages > ROUNDS / 6 && bad > 0);
    end_all();
    fix_close(&fix);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"changed_requests", changed_requests},
        {"changed_responses", changed_responses},
        {"changed_rfc4475", changed_rfc4475},
        {"changed_streams", changed_streams},
    };
    return test_main("sip_hostile", TEST_CASES(cases), argc, argv);
}
