// SPDX-License-Identifier: BSD-3-Clause
// What a message's SDP had as a key is nowhere in the heap once its transactions have ended: the test reads
// its own heap, free blocks included.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/base/wipe.h"
#include "control/sip/stream.h"
#include "sip_fixture.h"

#ifdef __SANITIZE_ADDRESS__
enum { OTHER_HEAP = 1 };
#else
enum { OTHER_HEAP = 0 };
#endif

enum { KEY_LEN = 40 };

static struct fix fix;
static char key[KEY_LEN + 1]; // not on the heap
static char body[200];

static void make_key(void)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    static unsigned seed = 6188;
    for (int i = 0; i < KEY_LEN; i++)
        key[i] = letters[(unsigned)rand_r(&seed) % (sizeof letters - 1)];
    snprintf(body, sizeof body, "v=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:%s\r\n", key);
}

// How often the key, but for its first characters (free blocks keep their links there), stands in the heap.
static unsigned copies(void)
{
    enum { SKIP = 16 };
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[256];
    unsigned long from = 0, to = 0;
    unsigned found = 0;
    CU_ASSERT_PTR_NOT_NULL_FATAL(maps);
    while (fgets(line, sizeof line, maps))
        if (strstr(line, "[heap]"))
            CU_ASSERT_EQUAL(sscanf(line, "%lx-%lx", &from, &to), 2);
    fclose(maps);
    CU_ASSERT_TRUE_FATAL(to > from);
    const char *end = (const char *)to;
    for (const char *p = (const char *)from; (p = memmem(p, (size_t)(end - p), key + SKIP, KEY_LEN - SKIP));
         p++)
        found++;
    return found;
}

static bool can_look(void)
{
    if (OTHER_HEAP)
        test_skip("the sanitiser's heap is not where this test looks");
    return !OTHER_HEAP;
}

// The look finds what is there, and wiping takes it away.
static void test_look(void)
{
    if (!can_look())
        return;
    make_key();
    char *block = wipe_alloc(300);
    CU_ASSERT_PTR_NOT_NULL_FATAL(block);
    memcpy(block + 100, key, sizeof key);
    CU_ASSERT_EQUAL(copies(), 1);
    block = wipe_realloc(block, 5000);
    CU_ASSERT_PTR_NOT_NULL_FATAL(block);
    CU_ASSERT_STRING_EQUAL(block + 100, key);
    CU_ASSERT_EQUAL(copies(), 1);
    block = wipe_realloc(block, 150);
    CU_ASSERT_PTR_NOT_NULL_FATAL(block);
    CU_ASSERT_EQUAL(memcmp(block + 100, key, KEY_LEN), 0);
    wipe_free(block);
    wipe_free(NULL);
    CU_ASSERT_EQUAL(copies(), 0);
}

static void forget_sent(void)
{
    for (unsigned i = 0; i < fix.sent_count; i++)
        explicit_bzero(fix.sent[i].text, strlen(fix.sent[i].text));
}

// An INVITE to us, answered; and its ACK. The key is in each of them.
static void test_server(void)
{
    if (!can_look())
        return;
    for (uint32_t listener = 0; listener < 2; listener++) {
        make_key();
        fix_open(&fix);
        const char *rest =
            "From: <sip:a@192.0.2.10>;tag=f\nTo: <sip:1@192.0.2.1>\nCall-ID: c\nCSeq: 1 INVITE\n"
            "Contact: <sip:a@192.0.2.10:5060>\nMax-Forwards: 70\nContent-Type: application/sdp\n";
        fix_receive(&fix, listener,
                    "INVITE sip:1@192.0.2.1 SIP/2.0\nVia: SIP/2.0/%s 192.0.2.10:5060;branch=z9hG4bK-w\n%s"
                    "Content-Length: %zu\n\nv=0\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:%s\n",
                    listener ? "TCP" : "UDP", rest, strlen(body), key);
        const struct fix_event *e = fix_event(&fix, FIX_REQUEST, 0);
        CU_ASSERT_PTR_NOT_NULL_FATAL(e);
        CU_ASSERT_TRUE(copies() > 0); // the request is kept until it is answered
        struct sip_answer answer = {
            .status = 183, .contact = "<sip:192.0.2.1>", .body_type = "application/sdp", .body = body};
        answer.body_len = strlen(body);
        CU_ASSERT_EQUAL(sip_respond(e->txn, &answer), 0);
        answer.status = 200;
        CU_ASSERT_EQUAL(sip_respond(e->txn, &answer), 0);
        fix_advance(&fix, 3 * 64 * FIX_T1);
        CU_ASSERT_EQUAL(sip_stack_counters(fix.stack)->txns_waiting, 0);
        forget_sent();
        CU_ASSERT_EQUAL(copies(), 0);
        fix_close(&fix);
    }
}

static void ack_with_key(struct fix *f, const struct fix_event *event, const struct sip_msg *msg)
{
    (void)msg;
    if (event->what != FIX_RESPONSE)
        return;
    struct sip_request r = fix_request(SIP_ACK);
    r.to = "<sip:b@192.0.2.10>;tag=b1";
    r.contact = NULL;
    r.body_type = "application/sdp";
    r.body = body;
    r.body_len = strlen(body);
    struct sip_flow to = sip_flow_to(f->stack, 0, &fix_peer);
    CU_ASSERT_EQUAL(sip_ack(event->txn, &to, &r), 0);
}

// An INVITE of ours, answered with a 2xx, and its ACK.
static void test_client(void)
{
    if (!can_look())
        return;
    make_key();
    fix_open(&fix);
    fix.act = ack_with_key;
    struct sip_request r = fix_request(SIP_INVITE);
    r.body_type = "application/sdp";
    r.body = body;
    r.body_len = strlen(body);
    struct sip_flow to = sip_flow_to(fix.stack, 0, &fix_peer);
    struct sip_txn *txn;
    CU_ASSERT_EQUAL(sip_request(fix.stack, &to, &r, NULL, &txn), 0);
    CU_ASSERT_TRUE(copies() > 1); // sent, and kept to be repeated
    fix_answer(&fix, 0, fix.sent[0].text, 200, "b1");
    CU_ASSERT_EQUAL(fix_count(&fix, 0, "ACK "), 1);
    fix_advance(&fix, 3 * 64 * FIX_T1);
    forget_sent();
    CU_ASSERT_EQUAL(copies(), 0);
    fix_close(&fix);
}

static unsigned copies_in(const struct sip_stream *stream)
{
    unsigned found = 0;
    const char *end = stream->buffer + stream->room;
    for (const char *p = stream->buffer; (p = memmem(p, (size_t)(end - p), key, KEY_LEN)); p++)
        found++;
    return found;
}

// TCP in pieces: a message without key, and the beginning of one with it, which moves to the front.
static void test_stream(void)
{
    make_key();
    struct sip_stream stream = {0};
    char text[1000], *p, *message;
    size_t room, len;
    int n = snprintf(text, sizeof text,
                     "SIP/2.0 200 OK\r\nX: %400d\r\nContent-Length: 0\r\n\r\n"
                     "SIP/2.0 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                     1, strlen(body) + 1, body);
    CU_ASSERT_EQUAL_FATAL(sip_stream_room(&stream, &p, &room), 0);
    CU_ASSERT_TRUE_FATAL(room > (size_t)n);
    memset(p, 0, room);
    memcpy(p, text, (size_t)n);
    sip_stream_filled(&stream, (size_t)n);
    CU_ASSERT_EQUAL(sip_stream_next(&stream, &message, &len), SIP_STREAM_MESSAGE);
    CU_ASSERT_EQUAL(sip_stream_next(&stream, &message, &len), SIP_STREAM_MORE);
    CU_ASSERT_EQUAL_FATAL(sip_stream_room(&stream, &p, &room), 0);
    CU_ASSERT_EQUAL(copies_in(&stream), 1);
    sip_stream_fini(&stream);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"the look", test_look},
        {"server", test_server},
        {"client", test_client},
        {"stream", test_stream},
    };
    return test_main("sip_wipe", TEST_CASES(cases), argc, argv);
}
