// SPDX-License-Identifier: BSD-3-Clause
// packet path: the engine that computes packets of one shape sixteen at a time. What does not fit goes to libIPSec_MB, as do
// SRTCP and the making of keys.
#include "dataplane/srtp/lanes.h"

#include <errno.h>

#include "dataplane/srtp/ipsecmb.h"

enum {
    // Packets below which libIPSec_MB is faster: all lanes of a vector cost the same, however many are used.
    CM_LEAST = 7,
    GCM_LEAST = 6,
    // Shapes of a burst that get lanes: the media of two packet times, and whatever comes between.
    SETS = 4,
};

// What the packets of a set have in common: of AES_CM their length without what SRTP adds; of GCM also the length of
// the header (above the first 16 bits), the size of the key, and that it is GCM.
#define SHAPE_GCM 0x100000000ull
#define SHAPE_256 0x200000000ull

// Packets of one shape, and room for as many as there are lanes.
struct set {
    uint64_t shape;
    unsigned n;
    struct srtp_op *op[LANES];
};

struct sets {
    struct set set[SETS];
    unsigned n;
};

static inline uint64_t shape_of(const struct srtp_op *op, unsigned text)
{
    if (!srtp_suite_is_gcm(op->key->suite))
        return text;
    return SHAPE_GCM | (srtp_suite_is_256(op->key->suite) ? SHAPE_256 : 0) | (uint64_t)op->hdr_len << 16 |
           text;
}

// The set for a packet whose text, without what SRTP adds, has that length, with room for one. NULL: it is too long for
// lanes, or other shapes have taken all sets.
static inline struct set *set_for(struct sets *sets, const struct srtp_op *op, unsigned text)
{
    if (text > LANES_TEXT_MAX)
        return NULL;
    const uint64_t shape = shape_of(op, text);
    for (unsigned i = 0; i < sets->n; i++)
        if (sets->set[i].shape == shape)
            return &sets->set[i];
    if (sets->n == SETS)
        return NULL;
    struct set *s = &sets->set[sets->n++];
    s->shape = shape;
    s->n = 0;
    return s;
}

static inline bool enough(const struct set *s)
{
    return s->n >= (s->shape & SHAPE_GCM ? GCM_LEAST : CM_LEAST);
}

static inline void seal(struct set *s)
{
    (s->shape & SHAPE_GCM ? lanes_gcm_seal : lanes_cm_seal)(s->op, s->n);
    s->n = 0;
}

static inline void open(struct set *s)
{
    (s->shape & SHAPE_GCM ? lanes_gcm_open : lanes_cm_open)(s->op, s->n, (uint16_t)s->shape);
    s->n = 0;
}

static void lanes_protect(struct srtp_ctx *base, struct srtp_op *ops, unsigned n)
{
    struct mb_ctx *x = mb(base);
    struct mb_gathered rest = {0};
    struct sets sets = {.n = 0};
    for (struct srtp_op *op = ops; op < ops + n; op++) {
        if (!srtp_protect_begin(base, op))
            continue;
        struct set *s = set_for(&sets, op, op->len);
        if (!s) {
            mb_protect_add(x, &rest, op);
            continue;
        }
        s->op[s->n++] = op;
        if (s->n == LANES)
            seal(s);
    }
    for (struct set *s = sets.set; s < sets.set + sets.n; s++) {
        if (enough(s))
            seal(s);
        for (unsigned i = 0; i < s->n; i++)
            mb_protect_add(x, &rest, s->op[i]);
    }
    if (sets.n)
        lanes_wipe();
    if (rest.n)
        mb_protect_finish(x, &rest);
}

static void lanes_unprotect(struct srtp_ctx *base, struct srtp_op *ops, unsigned n)
{
    struct mb_ctx *x = mb(base);
    struct mb_gathered rest = {0};
    struct sets sets = {.n = 0};
    for (struct srtp_op *op = ops; op < ops + n; op++) {
        if (!srtp_unprotect_begin(base, op))
            continue;
        struct set *s = set_for(&sets, op, op->len - srtp_key_trailer(op->key));
        if (!s) {
            mb_unprotect_add(x, &rest, op);
            continue;
        }
        s->op[s->n++] = op;
        if (s->n == LANES)
            open(s);
    }
    for (struct set *s = sets.set; s < sets.set + sets.n; s++) {
        if (enough(s))
            open(s);
        for (unsigned i = 0; i < s->n; i++)
            mb_unprotect_add(x, &rest, s->op[i]);
    }
    if (sets.n)
        lanes_wipe();
    if (rest.n)
        mb_unprotect_finish(x, &rest);
}

// Has the CPU all that the lanes are compiled for, and does the system save its registers?
static bool supported(const IMB_MGR *mgr)
{
    const uint64_t need =
        IMB_FEATURE_AVX512_SKX | IMB_FEATURE_VAES | IMB_FEATURE_VPCLMULQDQ; // F, CD, BW, DQ, VL
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
    .cm_lines = SRTP_LINES_HEAD | SRTP_LINES_HEAD << 1,
    .gcm_lines = SRTP_LINES_HEAD,
    .size = mb_size,
    .init = lanes_init,
    .fini = mb_fini,
    .key_init = mb_key_init,
    .protect = lanes_protect,
    .unprotect = lanes_unprotect,
    .rtcp_protect = mb_rtcp_protect,
    .rtcp_unprotect = mb_rtcp_unprotect,
};
