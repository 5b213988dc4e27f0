// SPDX-License-Identifier: BSD-3-Clause
// SRTP and SRTCP unprotect, all suites with and without MKI: any bytes at all, and packets that were
// protected and then changed somewhere. Both engines must say the same and make the same bytes of it; what
// was changed must not pass, what was not must come back as it was.
//
//   input: key, mode, 6 bytes of index, header length, place of the change (2), what is changed, the packet
#include "dataplane/srtp/srtp.h"
#include "fuzz.h"

enum { MKIS = 2, KEYS = (TL_SUITE_COUNT - 1) * MKIS, ENGINES = 2, INDEX_BYTES = 6, MANY = 9 };

// The bits of the mode.
enum { RTCP = 1 << 0, PROTECTED = 1 << 1, CHANGED = 1 << 2 };

static struct srtp_ctx *ctx[ENGINES];
static struct srtp_key *keys[ENGINES][KEYS];

static void end(void)
{
    for (unsigned e = 0; e < ENGINES; e++) {
        for (unsigned k = 0; k < KEYS; k++)
            free(keys[e][k]);
        srtp_ctx_free(ctx[e]);
    }
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    FUZZ_MUST(srtp_ctx_new(SRTP_ENGINE_AUTO, &ctx[0]) == 0);
    FUZZ_MUST(srtp_ctx_new(SRTP_ENGINE_OPENSSL, &ctx[1]) == 0);
    for (unsigned k = 0; k < KEYS; k++) {
        struct tl_crypto crypto = {.suite = 1 + k / MKIS, .generation = 1, .mki_len = k % MKIS ? 4 : 0};
        const struct tl_suite_info *info = tl_suite_info(crypto.suite);
        memset(crypto.key, 0x11 + k, info->key_len);
        memset(crypto.salt, 0x71 + k, info->salt_len);
        memset(crypto.mki, 0xa1, crypto.mki_len);
        for (unsigned e = 0; e < ENGINES; e++) {
            keys[e][k] = aligned_alloc(SRTP_KEY_ALIGN, srtp_key_size(crypto.suite));
            FUZZ_MUST(keys[e][k] && srtp_key_init(ctx[e], keys[e][k], &crypto) == 0);
        }
    }
    atexit(end);
    return 0;
}

// One packet in a heap block of just its size and `room`.
struct work {
    unsigned key;
    bool rtcp;
    uint64_t index;
    uint32_t ssrc; // to protect
    unsigned len, header, room;
    uint8_t *bytes;
};

static struct srtp_op op_of(const struct work *w, unsigned engine, uint8_t *bytes)
{
    return (struct srtp_op){.key = keys[engine][w->key],
                            .pkt = bytes,
                            .index = w->index,
                            .ssrc = w->ssrc,
                            .len = (uint16_t)w->len,
                            .hdr_len = (uint16_t)w->header,
                            .room = (uint16_t)w->room};
}

// A burst of the same packet, so that the engine of this CPU computes them side by side: each must come out as the
// one that the reference made, `op` over `before`.
static void as_many(const struct work *w, const struct srtp_op *op, const uint8_t *before, unsigned len,
                    void (*run)(struct srtp_ctx *, struct srtp_op *, unsigned))
{
    struct srtp_op many[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        many[i] = op_of(w, 0, malloc(len + w->room));
        FUZZ_MUST(many[i].pkt);
        memcpy(many[i].pkt, before, len);
    }
    run(ctx[0], many, MANY);
    for (unsigned i = 0; i < MANY; i++) {
        FUZZ_MUST(many[i].status == op->status);
        if (op->status == SRTP_OK)
            FUZZ_MUST(many[i].len == op->len && memcmp(many[i].pkt, op->pkt, op->len) == 0);
        free(many[i].pkt);
    }
}

// Protects in place by the reference. False: refused.
static bool protect(struct work *w)
{
    struct srtp_op op = op_of(w, 1, w->bytes);
    uint8_t *before = fuzz_copy(w->bytes, w->len);
    if (w->rtcp)
        srtcp_protect(ctx[1], &op, 1);
    else
        srtp_protect(ctx[1], &op, 1);
    if (!w->rtcp)
        as_many(w, &op, before, w->len, srtp_protect);
    free(before);
    w->room -= op.status == SRTP_OK ? op.len - w->len : 0;
    w->len = op.len;
    return op.status == SRTP_OK;
}

// Unprotects a copy with no byte behind it by each engine and compares. Returns the status; *plain (the
// caller's to free), *len and w->index as the first engine made them.
static uint8_t unprotect(struct work *w, uint8_t **plain, unsigned *len)
{
    struct srtp_op op[ENGINES];
    uint8_t *copy[ENGINES];
    for (unsigned e = 0; e < ENGINES; e++) {
        copy[e] = fuzz_copy(w->bytes, w->len);
        op[e] = op_of(w, e, copy[e]);
        op[e].room = 0;
        if (w->rtcp)
            srtcp_unprotect(ctx[e], &op[e], 1);
        else
            srtp_unprotect(ctx[e], &op[e], 1);
    }
    FUZZ_MUST(op[0].status == op[1].status);
    if (op[0].status == SRTP_OK) {
        FUZZ_MUST(op[0].len == op[1].len && op[0].index == op[1].index);
        FUZZ_MUST(memcmp(copy[0], copy[1], op[0].len) == 0);
    }
    if (!w->rtcp) {
        struct work sealed = *w;
        sealed.room = 0;
        as_many(&sealed, &op[1], w->bytes, w->len, srtp_unprotect);
    }
    free(copy[1]);
    *plain = copy[0];
    *len = op[0].len;
    w->index = op[0].index;
    return op[0].status;
}

// Nobody guesses a tag, but the fuzzer sees what the engines compare and finds right ones of 32 bits: a
// packet that passes must be what the reference makes of what came out of it.
static void any_bytes(struct work *w)
{
    uint8_t *plain;
    unsigned len;
    if (unprotect(w, &plain, &len) == SRTP_OK) {
        struct work again = *w;
        again.len = len;
        again.room = SRTP_TAILROOM;
        again.bytes = malloc(len + SRTP_TAILROOM);
        FUZZ_MUST(again.bytes);
        memcpy(again.bytes, plain, len);
        const uint8_t *ssrc = plain + (w->rtcp ? 4 : 8);
        again.ssrc = (uint32_t)ssrc[0] << 24 | ssrc[1] << 16 | ssrc[2] << 8 | ssrc[3];
        FUZZ_MUST(protect(&again) && again.len == w->len);
        FUZZ_MUST(memcmp(again.bytes, w->bytes, w->len) == 0);
        free(again.bytes);
    }
    free(plain);
}

static void round_trip(struct work *w, unsigned place, uint8_t change)
{
    uint8_t *before = fuzz_copy(w->bytes, w->len), *plain;
    unsigned was = w->len, len;
    if (protect(w)) {
        if (!w->rtcp) // protecting wrote what it was told
            memcpy(before, w->bytes, w->header < was ? 12 : was);
        w->bytes[place % w->len] ^= change;
        uint8_t status = unprotect(w, &plain, &len);
        FUZZ_MUST((status == SRTP_OK) == (change == 0));
        FUZZ_MUST(change || (len == was && memcmp(plain, before, was) == 0));
        free(plain);
    }
    free(before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_input in = {data, len};
    struct work w = {.key = fuzz_byte(&in) % KEYS, .ssrc = 0x01020304};
    unsigned mode = fuzz_byte(&in);
    w.rtcp = mode & RTCP;
    for (unsigned i = 0; i < INDEX_BYTES; i++)
        w.index = w.index << 8 | fuzz_byte(&in);
    w.index &= w.rtcp ? 0x7fffffff : UINT64_MAX;
    w.header = fuzz_byte(&in);
    unsigned place = fuzz_byte(&in);
    place = place << 8 | fuzz_byte(&in);
    uint8_t change = fuzz_byte(&in);
    w.len = in.left;
    w.room = mode & PROTECTED ? SRTP_TAILROOM : 0;
    w.bytes = malloc(w.len + w.room ? w.len + w.room : 1);
    FUZZ_MUST(w.bytes);
    if (w.len > 0)
        memcpy(w.bytes, in.at, w.len);
    if (mode & PROTECTED)
        round_trip(&w, place, mode & CHANGED ? change : 0);
    else
        any_bytes(&w);
    free(w.bytes);
    return 0;
}
