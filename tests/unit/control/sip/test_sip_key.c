// SPDX-License-Identifier: BSD-3-Clause
// Which messages belong to one transaction (RFC 3261 section 17.2.3 and 17.1.3), and the table of keys.
#include "control/sip/key.h"
#include "control/sip/msg_internal.h"
#include "runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t secret[16] = {1, 2, 3};

struct request {
    const char *method, *uri, *via, *from, *to, *call_id;
    unsigned cseq;
};

static struct siphash_value key(const struct request *r, const char *as, bool *old)
{
    static char text[2048];
    struct sip_head head;
    struct sip_shape shape;
    struct sip_ident ident;
    int n = snprintf(text, sizeof text,
                     "%s %s SIP/2.0\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %u %s\r\n\r\n",
                     r->method, r->uri, r->via, r->from, r->to, r->call_id, r->cseq, r->method);
    sip_read(text, (size_t)n, &head);
    CU_ASSERT_FATAL(sip_filter(&head, false, &shape));
    sip_ident_read(&head, &shape, &ident);
    *old = sip_key_is_old(&ident);
    return sip_key_server(secret, &ident, as);
}

#define VIA_NEW "SIP/2.0/UDP 10.0.0.1:5061;branch=z9hG4bKabc"
#define VIA_OLD "SIP/2.0/UDP 10.0.0.1:5061;branch=1"
#define FROM_F  "<sip:a@b>;tag=f"
#define PLAIN(method, via)                                                                                   \
    {                                                                                                        \
        method, "sip:x@y", via, FROM_F, "<sip:c@d>", "id", 7                                                 \
    }

static void server_table(void)
{
    static const struct {
        struct request a, b;
        const char *as; // method that b looks for
        bool same, old;
    } table[] = {
        {PLAIN("INVITE", VIA_NEW), PLAIN("INVITE", VIA_NEW), NULL, true, false},
        {PLAIN("INVITE", VIA_NEW), PLAIN("ACK", VIA_NEW), NULL, true, false},
        {PLAIN("INVITE", VIA_NEW), PLAIN("CANCEL", VIA_NEW), NULL, false, false},
        {PLAIN("INVITE", VIA_NEW), PLAIN("CANCEL", VIA_NEW), "INVITE", true, false},
        {PLAIN("BYE", VIA_NEW), PLAIN("INVITE", VIA_NEW), NULL, false, false},
        // branch and sent-by decide alone
        {PLAIN("INVITE", VIA_NEW),
         {"INVITE", "sip:other", VIA_NEW, "<sip:z@z>;tag=z", "<sip:q>;tag=t", "zz", 9},
         NULL,
         true,
         false},
        {PLAIN("INVITE", VIA_NEW), PLAIN("INVITE", "SIP/2.0/UDP 10.0.0.1:5061;branch=z9hG4bKabd"), NULL,
         false, false},
        {PLAIN("INVITE", VIA_NEW), PLAIN("INVITE", "SIP/2.0/UDP 10.0.0.2:5061;branch=z9hG4bKabc"), NULL,
         false, false},
        {PLAIN("INVITE", VIA_NEW), PLAIN("INVITE", "SIP/2.0/UDP 10.0.0.1:5062;branch=z9hG4bKabc"), NULL,
         false, false},
        {PLAIN("INVITE", VIA_NEW), PLAIN("INVITE", "SIP/2.0/TCP 10.0.0.1:5061;rport;branch=Z9HG4BKABC"), NULL,
         true, false},
        {PLAIN("INVITE", VIA_NEW), PLAIN("INVITE", "SIP / 2.0 / UDP 10.0.0.1 : 5061 ; branch = z9hG4bKabc"),
         NULL, true, false},
        {PLAIN("INVITE", "SIP/2.0/UDP Host;branch=z9hG4bK1"),
         PLAIN("INVITE", "SIP/2.0/UDP hOST:5060;branch=z9hG4bK1"), NULL, true, false},
        // strings do not run together
        {PLAIN("INVITE", "SIP/2.0/UDP ab;branch=z9hG4bKc"), PLAIN("INVITE", "SIP/2.0/UDP b;branch=z9hG4bKca"),
         NULL, false, false},
        // RFC 2543's rule: everything but To
        {PLAIN("INVITE", VIA_OLD), PLAIN("INVITE", VIA_OLD), NULL, true, true},
        {PLAIN("INVITE", VIA_OLD),
         {"ACK", "sip:x@y", VIA_OLD, FROM_F, "<sip:c@d>;tag=ours", "id", 7},
         NULL,
         true,
         true},
        {PLAIN("INVITE", VIA_OLD),
         {"CANCEL", "sip:x@y", VIA_OLD, FROM_F, "<sip:c@d>", "id", 7},
         "INVITE",
         true,
         true},
        {PLAIN("INVITE", VIA_OLD),
         {"INVITE", "sip:z@y", VIA_OLD, FROM_F, "<sip:c@d>", "id", 7},
         NULL,
         false,
         true},
        {PLAIN("INVITE", VIA_OLD),
         {"INVITE", "sip:x@y", VIA_OLD, "<sip:a@b>;tag=g", "<sip:c@d>", "id", 7},
         NULL,
         false,
         true},
        {PLAIN("INVITE", VIA_OLD),
         {"INVITE", "sip:x@y", VIA_OLD, "<sip:a@b>", "<sip:c@d>", "id", 7},
         NULL,
         false,
         true},
        {PLAIN("INVITE", VIA_OLD),
         {"INVITE", "sip:x@y", VIA_OLD, FROM_F, "<sip:c@d>", "ie", 7},
         NULL,
         false,
         true},
        {PLAIN("INVITE", VIA_OLD),
         {"INVITE", "sip:x@y", VIA_OLD, FROM_F, "<sip:c@d>", "id", 8},
         NULL,
         false,
         true},
        {PLAIN("INVITE", VIA_OLD), PLAIN("INVITE", "SIP/2.0/UDP 10.0.0.1:5061;branch=2"), NULL, false, true},
        {PLAIN("INVITE", "SIP/2.0/UDP h"), PLAIN("INVITE", "SIP/2.0/UDP h"), NULL, true, true},
        // the cookie with nothing behind it names nothing
        {PLAIN("INVITE", "SIP/2.0/UDP h;branch=z9hG4bK"),
         {"INVITE", "sip:x@y", "SIP/2.0/UDP h;branch=z9hG4bK", FROM_F, "<sip:c@d>", "other", 7},
         NULL,
         false,
         true},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        bool old_a, old_b;
        struct siphash_value a = key(&table[i].a, NULL, &old_a), b = key(&table[i].b, table[i].as, &old_b);
        bool good = siphash_equal(a, b) == table[i].same && old_a == table[i].old;
        CU_ASSERT(good);
        if (!good)
            printf("     row %zu\n", i);
    }
}

static struct sip_str str(const char *s)
{
    return (struct sip_str){s, s ? strlen(s) : 0};
}

// No two kinds of key are alike, an absent tag is not an empty one, and another secret makes other keys.
static void kinds_are_apart(void)
{
    static const uint8_t other[16] = {9};
    struct siphash_value v[] = {
        sip_key_client(secret, str("a"), str("INVITE")),
        sip_key_client(secret, str("a"), str("CANCEL")),
        sip_key_fork(secret, str("a"), str("INVITE")),
        sip_key_tag(secret, str("a")),
        sip_key_tag(secret, str("")),
        sip_key_tag(secret, str(NULL)),
        sip_key_tag(other, str("a")),
        sip_key_ack(secret, str("a"), str("b"), str("c"), 1),
        sip_key_ack(secret, str("a"), str("c"), str("b"), 1),
        sip_key_ack(secret, str("a"), str("b"), str("c"), 2),
        sip_key_ack(secret, str("ab"), str(""), str("c"), 1),
    };
    for (size_t i = 0; i < sizeof v / sizeof *v; i++)
        for (size_t j = 0; j < i; j++)
            CU_ASSERT(!siphash_equal(v[i], v[j]));
    CU_ASSERT(siphash_equal(sip_key_client(secret, str("AbC"), str("INVITE")),
                            sip_key_client(secret, str("aBc"), str("INVITE"))));
}

// Many entries over few buckets, removed in another order.
static void table_of_many(void)
{
    enum { N = 5000 };
    struct sip_table t;
    struct sip_node *node = calloc(N, sizeof *node);
    CU_ASSERT_FATAL(node && sip_table_init(&t, 10) == 0);
    unsigned wrong = 0;
    for (unsigned i = 0; i < N; i++) {
        char name[16];
        snprintf(name, sizeof name, "%u", i);
        sip_table_add(&t, &node[i], sip_key_tag(secret, str(name)));
    }
    CU_ASSERT(t.count == N);
    for (unsigned i = 0; i < N; i++)
        wrong += sip_table_find(&t, node[i].key) != &node[i];
    for (unsigned i = 0; i < N; i++) {
        struct sip_node *n = &node[i * 7 % N];
        struct siphash_value k = n->key;
        sip_table_remove(&t, n);
        sip_table_remove(&t, n); // harmless
        wrong += sip_table_find(&t, k) != NULL;
    }
    CU_ASSERT(wrong == 0 && t.count == 0);
    sip_table_fini(&t);
    free(node);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {{"server_table", server_table},
                                             {"kinds_are_apart", kinds_are_apart},
                                             {"table_of_many", table_of_many}};
    return test_main("sip_key", TEST_CASES(cases), argc, argv);
}
