// SPDX-License-Identifier: BSD-3-Clause
#include "far.h"

#include <stdlib.h>
#include <string.h>

struct far far_make(struct srtp_ctx *ctx, enum tl_suite suite, uint32_t generation, unsigned seed)
{
    const struct tl_suite_info *info = tl_suite_info(suite);
    struct far f = {.ctx = ctx, .crypto = {.suite = suite, .generation = generation}};
    for (unsigned i = 0; i < info->key_len; i++)
        f.crypto.key[i] = seed * 31 + i * 7 + 1;
    for (unsigned i = 0; i < info->salt_len; i++)
        f.crypto.salt[i] = seed * 17 + i * 3 + 2;
    f.key = aligned_alloc(SRTP_KEY_ALIGN, srtp_key_size(suite));
    if (!f.key || srtp_key_init(ctx, f.key, &f.crypto))
        abort();
    return f;
}

void far_free(struct far *f)
{
    srtp_key_wipe(f->key);
    free(f->key);
}

static unsigned length(const struct srtp_op *op)
{
    return op->status == SRTP_OK ? op->len : 0;
}

unsigned far_protect(struct far *f, uint8_t *pkt, unsigned len, unsigned header_len, uint64_t index)
{
    uint32_t ssrc = (uint32_t)pkt[8] << 24 | pkt[9] << 16 | pkt[10] << 8 | pkt[11];
    struct srtp_op op = {.key = f->key,
                         .pkt = pkt,
                         .index = index,
                         .ssrc = ssrc,
                         .len = len,
                         .hdr_len = header_len,
                         .room = SRTP_TAILROOM};
    srtp_protect(f->ctx, &op, 1);
    if (length(&op) == 0)
        abort();
    return op.len;
}

unsigned far_protect_rtcp(struct far *f, uint8_t *pkt, unsigned len, uint32_t index)
{
    struct srtp_op op = {.key = f->key, .pkt = pkt, .index = index, .len = len, .room = SRTP_TAILROOM};
    srtcp_protect(f->ctx, &op, 1);
    if (length(&op) == 0)
        abort();
    return op.len;
}

unsigned far_open(struct far *f, uint8_t *pkt, unsigned len, uint64_t index)
{
    struct srtp_op op = {.key = f->key, .pkt = pkt, .index = index, .len = len, .hdr_len = 12};
    srtp_unprotect(f->ctx, &op, 1);
    return length(&op);
}

unsigned far_open_rtcp(struct far *f, uint8_t *pkt, unsigned len, uint32_t *index)
{
    struct srtp_op op = {.key = f->key, .pkt = pkt, .len = len};
    srtcp_unprotect(f->ctx, &op, 1);
    *index = op.index;
    return length(&op);
}
