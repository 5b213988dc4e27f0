// SPDX-License-Identifier: BSD-3-Clause
#include "control/base/record_parts.h"

#include <string.h>

#include "common/addr.h"

enum { KEYS_RECORD = 1 };

void record_put_addr(struct record_writer *w, const char *name, const struct tl_addr *addr)
{
    char text[TL_ADDR_TEXT];
    if (tl_addr_is_set(addr))
        record_put_text(w, name, tl_addr_print(addr, text));
}

void record_addr(struct record *r, const char *name, struct tl_addr *addr)
{
    char text[TL_ADDR_TEXT];
    if (!record_has(r, name))
        return;
    record_text(r, name, text, sizeof text);
    if (!tl_addr_read(text, strlen(text), addr) || addr->port == 0)
        r->bad = true;
}

void record_put_keys(struct record_writer *w, const char *name, const struct tl_key_history *h)
{
    if (h->count == 0 && !h->plain)
        return;
    record_begin(w, name, KEYS_RECORD);
    record_put_bytes(w, "print", h->print, sizeof h->print);
    record_put_bytes(w, "generation", h->generation, sizeof h->generation);
    record_put_bytes(w, "forgotten", h->forgotten, sizeof h->forgotten);
    record_put_bytes(w, "order", h->order, h->count);
    record_put_number(w, "newest", h->newest);
    record_put_number(w, "forget_at", h->forget_at);
    record_put_number(w, "plain", h->plain);
    record_end(w);
}

// Each slot stands in the order once, has a key there and none elsewhere; no generation is above the newest.
static bool possible(const struct tl_key_history *h)
{
    bool taken[TL_KEYS_KEPT] = {false};
    for (unsigned i = 0; i < h->count; i++) {
        uint8_t slot = h->order[i];
        if (slot >= TL_KEYS_KEPT || taken[slot])
            return false;
        taken[slot] = true;
    }
    for (unsigned slot = 0; slot < TL_KEYS_KEPT; slot++)
        if ((h->print[slot] != 0) != taken[slot] || h->generation[slot] > h->newest)
            return false;
    return true;
}

void record_keys(struct record *in, const char *name, struct tl_key_history *h)
{
    struct record r;
    memset(h, 0, sizeof *h);
    if (record_section(in, name, 0, &r) < 0)
        return;
    record_bytes(&r, "print", h->print, sizeof h->print);
    record_bytes(&r, "generation", h->generation, sizeof h->generation);
    record_bytes(&r, "forgotten", h->forgotten, sizeof h->forgotten);
    h->count = (uint8_t)record_bytes_upto(&r, "order", h->order, sizeof h->order);
    h->newest = (uint32_t)record_number(&r, "newest", UINT32_MAX);
    h->forget_at = (uint8_t)record_number(&r, "forget_at", TL_KEYS_FORGOTTEN - 1);
    h->plain = record_number(&r, "plain", 1);
    in->bad |= r.bad || r.version != KEYS_RECORD || !possible(h);
}
