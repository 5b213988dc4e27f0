// SPDX-License-Identifier: BSD-3-Clause
// packet path: the engine that computes AES_CM packets of one length sixteen at a time. What does not fit goes to
// libIPSec_MB, as do GCM, SRTCP and the making of keys.
#include "dataplane/srtp/lanes.h"

#include <errno.h>

#include "dataplane/srtp/ipsecmb.h"

enum {
    // Packets below which libIPSec_MB is faster: sixteen lanes cost the same, however many of them are used.
    LANES_LEAST = 7,
    // Lengths of a burst that get lanes: the media of two packet times, and whatever comes between.
    SETS = 4,
};

// Packets of one length, and room for as many as there are lanes.
struct set {
    unsigned len, n;
    struct srtp_op *op[LANES];
};

struct sets {
    struct set set[SETS];
    unsigned n;
};

// The set for packets of that length, with room for one. NULL: all are taken by other lengths.
static inline struct set *set_for(struct sets *sets, unsigned len)
{
    for (unsigned i = 0; i < sets->n; i++)
        if (sets->set[i].len == len)
            return &sets->set[i];
    if (sets->n == SETS)
        return NULL;
    struct set *s = &sets->set[sets->n++];
    s->len = len;
    s->n = 0;
    return s;
}

static void lanes_engine_protect(struct srtp_ctx *base, struct srtp_op *ops, unsigned n)
{
    struct mb_ctx *x = mb(base);
    struct mb_gathered rest = {0};
    struct sets sets = {.n = 0};
    for (struct srtp_op *op = ops; op < ops + n; op++) {
        if (!srtp_protect_begin(base, op))
            continue;
        bool fits = !srtp_suite_is_gcm(op->key->suite) && op->len <= LANES_TEXT_MAX;
        struct set *s = fits ? set_for(&sets, op->len) : NULL;
        if (!s) {
            mb_protect_add(x, &rest, op);
            continue;
        }
        lanes_encrypt(op);
        s->op[s->n++] = op;
        if (s->n == LANES) {
            lanes_seal(s->op, LANES);
            s->n = 0;
        }
    }
    for (struct set *s = sets.set; s < sets.set + sets.n; s++) {
        if (s->n >= LANES_LEAST)
            lanes_seal(s->op, s->n);
        else
            for (unsigned i = 0; i < s->n; i++)
                mb_seal_add(x, &rest, s->op[i]);
    }
    if (sets.n)
        lanes_wipe();
    if (rest.n)
        mb_protect_finish(x, &rest);
}

static void lanes_engine_unprotect(struct srtp_ctx *base, struct srtp_op *ops, unsigned n)
{
    struct mb_ctx *x = mb(base);
    struct mb_gathered rest = {0};
    struct sets sets = {.n = 0};
    for (struct srtp_op *op = ops; op < ops + n; op++) {
        if (!srtp_unprotect_begin(base, op))
            continue;
        unsigned text = op->len - srtp_key_trailer(op->key);
        bool fits = !srtp_suite_is_gcm(op->key->suite) && text <= LANES_TEXT_MAX;
        struct set *s = fits ? set_for(&sets, text) : NULL;
        if (!s) {
            mb_unprotect_add(x, &rest, op);
            continue;
        }
        s->op[s->n++] = op;
        if (s->n == LANES) {
            lanes_open(s->op, LANES, text);
            s->n = 0;
        }
    }
    for (struct set *s = sets.set; s < sets.set + sets.n; s++) {
        if (s->n >= LANES_LEAST)
            lanes_open(s->op, s->n, s->len);
        else
            for (unsigned i = 0; i < s->n; i++)
                mb_unprotect_add(x, &rest, s->op[i]);
    }
    if (sets.n)
        lanes_wipe();
    if (rest.n)
        mb_unprotect_finish(x, &rest);
}

// Has the CPU all that lanes_cm.c is compiled for, and does the system save its registers?
static bool supported(const IMB_MGR *mgr)
{
    const uint64_t need = IMB_FEATURE_AVX512_SKX | IMB_FEATURE_VAES; // F, CD, BW, DQ, VL and VAES
    return (mgr->features & need) == need && __builtin_cpu_supports("avx512vbmi2");
}

static int lanes_init(struct srtp_ctx *base, enum srtp_engine engine)
{
    (void)engine;
    int rc = mb_init(base, SRTP_ENGINE_IPSECMB);
    if (rc == 0 && !supported(mb(base)->wide))
        rc = -ENOTSUP;
    base->name = "lanes avx512";
    return rc;
}

const struct srtp_engine_table srtp_engine_lanes = {
    .size = mb_size,
    .init = lanes_init,
    .fini = mb_fini,
    .key_init = mb_key_init,
    .protect = lanes_engine_protect,
    .unprotect = lanes_engine_unprotect,
    .rtcp_protect = mb_rtcp_protect,
    .rtcp_unprotect = mb_rtcp_unprotect,
};
