// SPDX-License-Identifier: BSD-3-Clause
// How a message finds its transaction: keyed fingerprints of what RFC 3261 section 17 compares, in a hash
// table with chains through the objects. A fingerprint has 128 bits and a secret key per start: who does not
// know it can make neither equal keys nor long chains, so the compared text need not be kept. One thread.
#pragma once

#include "control/base/siphash.h"
#include "control/sip/filter.h"

// A place in a table. Zeroed: in none.
struct sip_node {
    struct sip_node *next;
    struct sip_node **link;
    struct siphash_value key;
};

struct sip_table {
    struct sip_node **bucket;
    size_t mask;
    size_t count;
};

// `expected` entries make chains of one; more make them longer, nothing worse. Returns 0 or -ENOMEM.
int sip_table_init(struct sip_table *table, size_t expected);
void sip_table_fini(struct sip_table *table);
void sip_table_add(struct sip_table *table, struct sip_node *node, struct siphash_value key);
void sip_table_remove(struct sip_table *table, struct sip_node *node); // harmless when it is in none
struct sip_node *sip_table_find(const struct sip_table *table, struct siphash_value key);

// What names a message, taken from a head that passed the filter.
struct sip_ident {
    struct sip_str method;
    struct sip_str uri;
    struct sip_str via_value; // the first Via, whole
    struct sip_via via;
    struct sip_str from_tag, to_tag; // p == NULL: none
    struct sip_str call_id;
    uint32_t cseq;
};

void sip_ident_read(const struct sip_head *head, const struct sip_shape *shape, struct sip_ident *ident);

// Server transaction (17.2.3): branch, sent-by and method, with ACK counting as INVITE; `method` overrides
// that of the message (CANCEL looks for "INVITE"), NULL = its own. A branch without the magic cookie, or with
// nothing behind it, falls back to RFC 2543's rule: Request-URI, From tag, Call-ID, CSeq number and top Via.
struct siphash_value sip_key_server(const uint8_t secret[static 16], const struct sip_ident *ident,
                                    const char *method);

// Whether that rule was RFC 2543's: then an ACK must have our To tag too.
bool sip_key_is_old(const struct sip_ident *ident);

// Client transaction (17.1.3): branch and method of CSeq.
struct siphash_value sip_key_client(const uint8_t secret[static 16], struct sip_str branch,
                                    struct sip_str method);

// A further 2xx to an INVITE of ours: its branch and the fork's To tag.
struct siphash_value sip_key_fork(const uint8_t secret[static 16], struct sip_str branch,
                                  struct sip_str to_tag);

// Merged requests (8.2.2.2): From tag, Call-ID, CSeq.
struct siphash_value sip_key_merge(const uint8_t secret[static 16], const struct sip_ident *ident);

// ACK to a 2xx of ours: Call-ID, both tags, CSeq number (13.3.1.4).
struct siphash_value sip_key_ack(const uint8_t secret[static 16], struct sip_str call_id,
                                 struct sip_str from_tag, struct sip_str to_tag, uint32_t cseq);

// Who an INVITE of ours calls, as the branch that it has: see sip_make_call_branch().
struct siphash_value sip_key_called(const uint8_t secret[static 16], struct sip_str branch,
                                    struct sip_str number);

// Fingerprint of a tag.
struct siphash_value sip_key_tag(const uint8_t secret[static 16], struct sip_str tag);

static inline bool siphash_equal(struct siphash_value a, struct siphash_value b)
{
    return a.a == b.a && a.b == b.b;
}
