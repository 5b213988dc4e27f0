// SPDX-License-Identifier: BSD-3-Clause
#include "control/sip/key.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

int sip_table_init(struct sip_table *table, size_t expected)
{
    size_t size = 64;
    while (size < expected && size < (SIZE_MAX >> 5))
        size *= 2;
    table->bucket = calloc(size, sizeof *table->bucket);
    table->mask = size - 1;
    table->count = 0;
    return table->bucket ? 0 : -ENOMEM;
}

void sip_table_fini(struct sip_table *table)
{
    free(table->bucket);
    table->bucket = NULL;
}

void sip_table_add(struct sip_table *table, struct sip_node *node, struct siphash_value key)
{
    struct sip_node **head = &table->bucket[key.a & table->mask];
    node->key = key;
    node->next = *head;
    if (node->next)
        node->next->link = &node->next;
    node->link = head;
    *head = node;
    table->count++;
}

void sip_table_remove(struct sip_table *table, struct sip_node *node)
{
    if (!node->link)
        return;
    *node->link = node->next;
    if (node->next)
        node->next->link = node->link;
    node->next = NULL;
    node->link = NULL;
    table->count--;
}

struct sip_node *sip_table_find(const struct sip_table *table, struct siphash_value key)
{
    struct sip_node *node = table->bucket[key.a & table->mask];
    while (node && !siphash_equal(node->key, key))
        node = node->next;
    return node;
}

void sip_ident_read(const struct sip_head *head, const struct sip_shape *shape, struct sip_ident *ident)
{
    ident->method = shape->cseq_method;
    ident->uri = head->uri;
    ident->via_value = sip_head_value(head, SIP_NAME_VIA);
    ident->via_value.len = shape->via.len;
    ident->via = shape->via;
    ident->from_tag = shape->from_tag;
    ident->to_tag = shape->to_tag;
    ident->call_id = sip_head_value(head, SIP_NAME_CALL_ID);
    ident->cseq = shape->cseq;
}

// ---- fingerprints --------------------------------------------------------------------------------------

enum rule { RULE_SERVER = 1, RULE_OLD, RULE_CLIENT, RULE_FORK, RULE_MERGE, RULE_ACK, RULE_TAG, RULE_CALLED };

static void start(struct siphash *h, const uint8_t *secret, enum rule rule)
{
    uint8_t byte = (uint8_t)rule;
    siphash_init(h, secret);
    siphash_update(h, &byte, 1);
}

// Length first, so that no two lists of strings run together.
static void mix(struct siphash *h, struct sip_str s)
{
    uint32_t len = s.p ? (uint32_t)s.len : UINT32_MAX;
    siphash_update(h, &len, sizeof len);
    siphash_update(h, s.p, s.p ? s.len : 0);
}

// The same for what is compared without case.
static void mix_nocase(struct siphash *h, struct sip_str s)
{
    char low[256];
    uint32_t len = (uint32_t)s.len;
    siphash_update(h, &len, sizeof len);
    for (size_t done = 0; done < s.len;) {
        size_t n = s.len - done < sizeof low ? s.len - done : sizeof low;
        for (size_t i = 0; i < n; i++) {
            char c = s.p[done + i];
            low[i] = (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
        }
        siphash_update(h, low, n);
        done += n;
    }
}

static void mix_number(struct siphash *h, uint32_t n)
{
    siphash_update(h, &n, sizeof n);
}

static struct sip_str str(const char *s)
{
    return (struct sip_str){s, strlen(s)};
}

bool sip_key_is_old(const struct sip_ident *ident)
{
    static const char cookie[] = "z9hG4bK";
    enum { COOKIE = sizeof cookie - 1 };
    return ident->via.branch.len <= COOKIE || strncasecmp(ident->via.branch.p, cookie, COOKIE) != 0;
}

struct siphash_value sip_key_server(const uint8_t secret[static 16], const struct sip_ident *ident,
                                    const char *method)
{
    struct siphash h;
    struct sip_str name = method ? str(method) : ident->method;
    if (sip_str_is(name, "ACK"))
        name = str("INVITE");
    if (sip_key_is_old(ident)) {
        start(&h, secret, RULE_OLD);
        mix(&h, ident->uri);
        mix(&h, ident->from_tag);
        mix(&h, ident->call_id);
        mix_number(&h, ident->cseq);
        mix(&h, ident->via_value);
    } else {
        start(&h, secret, RULE_SERVER);
        mix_nocase(&h, ident->via.branch);
        mix_nocase(&h, ident->via.host);
        mix_number(&h, ident->via.port ? ident->via.port : 5060);
    }
    mix(&h, name);
    return siphash_final(&h);
}

struct siphash_value sip_key_client(const uint8_t secret[static 16], struct sip_str branch,
                                    struct sip_str method)
{
    struct siphash h;
    start(&h, secret, RULE_CLIENT);
    mix_nocase(&h, branch);
    mix(&h, method);
    return siphash_final(&h);
}

struct siphash_value sip_key_fork(const uint8_t secret[static 16], struct sip_str branch,
                                  struct sip_str to_tag)
{
    struct siphash h;
    start(&h, secret, RULE_FORK);
    mix_nocase(&h, branch);
    mix(&h, to_tag);
    return siphash_final(&h);
}

struct siphash_value sip_key_merge(const uint8_t secret[static 16], const struct sip_ident *ident)
{
    struct siphash h;
    start(&h, secret, RULE_MERGE);
    mix(&h, ident->from_tag);
    mix(&h, ident->call_id);
    mix_number(&h, ident->cseq);
    mix(&h, ident->method);
    return siphash_final(&h);
}

struct siphash_value sip_key_ack(const uint8_t secret[static 16], struct sip_str call_id,
                                 struct sip_str from_tag, struct sip_str to_tag, uint32_t cseq)
{
    struct siphash h;
    start(&h, secret, RULE_ACK);
    mix(&h, call_id);
    mix(&h, from_tag);
    mix(&h, to_tag);
    mix_number(&h, cseq);
    return siphash_final(&h);
}

struct siphash_value sip_key_tag(const uint8_t secret[static 16], struct sip_str tag)
{
    struct siphash h;
    start(&h, secret, RULE_TAG);
    mix(&h, tag);
    return siphash_final(&h);
}

struct siphash_value sip_key_called(const uint8_t secret[static 16], struct sip_str branch,
                                    struct sip_str number)
{
    struct siphash h;
    start(&h, secret, RULE_CALLED);
    mix(&h, branch);
    mix(&h, number);
    return siphash_final(&h);
}
