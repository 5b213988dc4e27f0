// SPDX-License-Identifier: BSD-3-Clause
// Identifiers that we make: random from the kernel, the loop's number in front. "3.9f86d0818..."
#include "control/sip/ids.h"
#include "common/addr.h"
#include "control/base/random.h"
#include "control/sip/uri.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

static void sip_random(void *out, size_t len)
{
    // An identifier that can be guessed would let others into calls: without the kernel's help nothing goes on.
    if (random_bytes(out, len) < 0)
        abort();
}

static void make(struct sip_stack *stack, const char *prefix, unsigned bytes, char *out, size_t size)
{
    static const char hex[] = "0123456789abcdef";
    uint8_t random[16];
    int at = snprintf(out, size, "%s%u.", prefix, stack->loop_number);
    sip_random(random, bytes);
    for (unsigned i = 0; i < bytes && at > 0 && (size_t)at + 2 < size; i++) {
        out[at++] = hex[random[i] >> 4];
        out[at++] = hex[random[i] & 15];
    }
    out[at] = '\0';
}

void sip_make_tag(struct sip_stack *stack, char out[static SIP_TAG_LEN])
{
    make(stack, "", 10, out, SIP_TAG_LEN);
}

void sip_make_call_id(struct sip_stack *stack, char *out, size_t size)
{
    make(stack, "", 16, out, size);
}

void sip_make_branch(struct sip_stack *stack, char out[static SIP_BRANCH_LEN])
{
    make(stack, "z9hG4bK", 16, out, SIP_BRANCH_LEN);
}

enum { BRANCH_CALLED = 8 }; // hexadecimal digits behind the last dot

static void fingerprint(const struct sip_stack *stack, struct sip_str branch, const char *number,
                        char out[static BRANCH_CALLED + 1])
{
    struct siphash_value v = sip_key_called(stack->secret, branch, (struct sip_str){number, strlen(number)});
    snprintf(out, BRANCH_CALLED + 1, "%08x", (unsigned)v.a);
}

void sip_make_call_branch(struct sip_stack *stack, const char *uri, char out[static SIP_BRANCH_LEN])
{
    char called[BRANCH_CALLED + 1], number[SIP_NUMBER_MAX];
    sip_make_branch(stack, out);
    size_t len = strlen(out);
    sip_uri_number((struct sip_str){uri, strlen(uri)}, number);
    fingerprint(stack, (struct sip_str){out, len}, number, called);
    snprintf(out + len, SIP_BRANCH_LEN - len, ".%s", called);
}

bool sip_msg_is_loop(const struct sip_stack *stack, const struct sip_msg *msg)
{
    struct sip_str line, value;
    char called[BRANCH_CALLED + 1], number[SIP_NUMBER_MAX];
    // once: who sends many Vias and a long URI must not have the one times the other
    sip_uri_number(sip_msg_uri(msg), number);
    for (unsigned n = 0; (line = sip_msg_line(msg, SIP_NAME_VIA, n)).p; n++)
        while ((value = sip_next_value(&line)).p) {
            struct sip_via via;
            if (!sip_read_via(value, &via) || sip_loop_of(via.branch) < 0 || via.branch.len <= BRANCH_CALLED)
                continue;
            size_t len = via.branch.len - BRANCH_CALLED - 1;
            fingerprint(stack, (struct sip_str){via.branch.p, len}, number, called);
            if (memcmp(via.branch.p + len + 1, called, BRANCH_CALLED) == 0)
                return true;
        }
    return false;
}

int sip_loop_of(struct sip_str id)
{
    if (id.len > 7 && memcmp(id.p, "z9hG4bK", 7) == 0) {
        id.p += 7;
        id.len -= 7;
    }
    const char *dot = id.p ? memchr(id.p, '.', id.len < 4 ? id.len : 4) : NULL;
    uint64_t n;
    if (!dot || !sip_read_number((struct sip_str){id.p, (size_t)(dot - id.p)}, TL_LOOPS_MAX - 1, &n))
        return -1;
    return (int)n;
}

// ---- flows ---------------------------------------------------------------------------------------------

static int compare_names(const void *a, const void *b)
{
    return strcasecmp(a, b);
}

const char *sip_own_name(struct sip_stack *stack, const char *name)
{
    const char *const *known = *name ? tfind(name, &stack->names, compare_names) : NULL;
    if (known || !*name)
        return known ? *known : NULL;
    char *copy = strdup(name);
    if (copy && !tsearch(copy, &stack->names, compare_names)) {
        free(copy);
        return NULL;
    }
    return copy;
}

struct sip_flow sip_flow_to(const struct sip_stack *stack, uint32_t listener, const struct tl_addr *remote)
{
    const struct tl_listener_config *l = &stack->whole->listeners[listener];
    return (struct sip_flow){.listener = listener,
                             .transport = l->transport,
                             .local = *tl_listener_shown(l),
                             .remote = *remote,
                             .peer = *remote};
}
