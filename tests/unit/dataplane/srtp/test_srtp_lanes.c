// SPDX-License-Identifier: BSD-3-Clause
// Packets of one length at a time, which the lanes engine computes together: every length, any number of them, both
// sizes of key, against OpenSSL; a fault in each lane and bit; what is left of keys; work that data cannot change.
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "dataplane/srtp/engine.h"
#include "dataplane/srtp/lanes.h"
#include "runner.h"
#include "srtp_testing.h"

#if defined(__SANITIZE_ADDRESS__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static const enum tl_suite suites[] = {TL_SUITE_AES_CM_128_HMAC_SHA1_80, TL_SUITE_AES_CM_128_HMAC_SHA1_32,
                                       TL_SUITE_AES_256_CM_HMAC_SHA1_80, TL_SUITE_AES_256_CM_HMAC_SHA1_32,
                                       TL_SUITE_AEAD_AES_128_GCM,        TL_SUITE_AEAD_AES_256_GCM};
enum { SUITES = sizeof suites / sizeof suites[0], KEYS = 2 * SUITES, MOST = 40 };

// A key of both engines.
struct pair {
    struct tl_crypto crypto;
    struct srtp_key *key, *ref_key;
};

struct world {
    struct rng rng;
    struct srtp_ctx *lanes, *reference;
    struct pair pair[KEYS]; // each suite without an MKI and with one
};

// False, and the case is skipped, where the CPU cannot.
static bool world_new(struct world *w, uint64_t seed)
{
    *w = (struct world){.rng = {seed}};
    if (srtp_ctx_new(SRTP_ENGINE_LANES, &w->lanes) < 0) {
        test_skip("this CPU has no AVX-512 with VAES, VPCLMULQDQ and VBMI2");
        return false;
    }
    CU_ASSERT_FATAL(srtp_ctx_new(SRTP_ENGINE_OPENSSL, &w->reference) == 0);
    for (unsigned i = 0; i < KEYS; i++) {
        struct pair *p = &w->pair[i];
        p->crypto =
            random_crypto_mki(&w->rng, suites[i % SUITES], i < SUITES ? 0 : 1 + rng_below(&w->rng, 8));
        p->key = key_new(w->lanes, &p->crypto);
        p->ref_key = key_new(w->reference, &p->crypto);
        CU_ASSERT_FATAL(p->key && p->ref_key);
    }
    return true;
}

static void world_free(struct world *w)
{
    for (unsigned i = 0; i < KEYS; i++) {
        key_free(w->pair[i].key);
        key_free(w->pair[i].ref_key);
    }
    srtp_ctx_free(w->lanes);
    srtp_ctx_free(w->reference);
}

// ---- the same as OpenSSL -----------------------------------------------------------------------------

// n packets of `len` bytes with headers of all sizes that fit, sealed and opened by both engines: all of one suite and
// with headers of one size, which GCM's lanes take together, or as they come.
static void one_length(struct world *w, unsigned len, unsigned n)
{
    struct packet plain[MOST], mine[MOST], theirs[MOST], open[MOST];
    struct srtp_op a[MOST], b[MOST];
    const unsigned one_suite = rng_below(&w->rng, SUITES), one_header = rng_next(&w->rng) >> 32;
    const bool alike = rng_below(&w->rng, 2);
    for (unsigned i = 0; i < n; i++) {
        unsigned suite = alike ? one_suite : rng_below(&w->rng, SUITES), header = rng_next(&w->rng) >> 32;
        const struct pair *pair = &w->pair[suite + SUITES * rng_below(&w->rng, KEYS / SUITES)];
        uint64_t index = rng_next(&w->rng) & ((1ull << 48) - 1);
        uint32_t ssrc = (uint32_t)rng_next(&w->rng);
        unsigned most = (len - SRTP_HEADER_MIN) / 4 < 15 ? (len - SRTP_HEADER_MIN) / 4 : 15;
        header = alike ? one_header : header;
        unsigned csrc = header % 4 ? 0 : header / 4 % (most + 1);
        unsigned room = room_needed(&pair->crypto);
        plain[i] = packet_rtp(&w->rng, csrc, -1, len - SRTP_HEADER_MIN - 4 * csrc, 0, (uint16_t)index, ssrc);
        mine[i] = packet_copy(&plain[i], room);
        theirs[i] = packet_copy(&plain[i], room);
        a[i] = packet_op(&mine[i], pair->key, index, ssrc);
        b[i] = packet_op(&theirs[i], pair->ref_key, index, ssrc);
    }
    srtp_protect(w->lanes, a, n);
    srtp_protect(w->reference, b, n);
    for (unsigned i = 0; i < n; i++) {
        CU_ASSERT_FATAL(a[i].status == SRTP_OK && b[i].status == SRTP_OK && a[i].len == b[i].len);
        CU_ASSERT_FATAL(memcmp(mine[i].buf, theirs[i].buf, a[i].len) == 0);
        struct packet sealed = {.buf = mine[i].buf, .len = a[i].len, .hdr_len = plain[i].hdr_len};
        open[i] = packet_copy(&sealed, 0);
        a[i].pkt = open[i].buf;
        a[i].room = 0;
    }
    srtp_unprotect(w->lanes, a, n);
    for (unsigned i = 0; i < n; i++) {
        CU_ASSERT(a[i].status == SRTP_OK && a[i].len == len && memcmp(open[i].buf, plain[i].buf, len) == 0);
        free(plain[i].buf);
        free(mine[i].buf);
        free(theirs[i].buf);
        free(open[i].buf);
    }
}

// Every length, and some behind the longest that lanes take. TRUNKLINE_LONG=1 has each sixty times: a million packets.
static void every_length(void)
{
    struct world w;
    if (!world_new(&w, 0x5ea1))
        return;
    const unsigned times = getenv("TRUNKLINE_LONG") ? 60 : 1;
    unsigned packets = 0;
    for (unsigned k = 0; k < times; k++)
        for (unsigned len = SRTP_HEADER_MIN; len <= LANES_TEXT_MAX + 3; len++) {
            unsigned n = k == 0 ? LANES : 1 + rng_below(&w.rng, LANES);
            one_length(&w, len, n);
            packets += n;
        }
    printf("     %u packets\n", packets);
    world_free(&w);
}

// Numbers that fill no set of lanes, or several, at the length of G.711's 20 ms.
static void every_number(void)
{
    struct world w;
    if (!world_new(&w, 0xa11))
        return;
    for (unsigned n = 1; n <= MOST; n++)
        for (unsigned k = 0; k < 4 * SUITES; k++)
            one_length(&w, 172, n);
    world_free(&w);
}

// More lengths in one burst than there are sets, each often enough for lanes.
static void many_lengths(void)
{
    struct world w;
    if (!world_new(&w, 0x3a7))
        return;
    enum { N = 96, LENGTHS = 7 };
    struct packet plain[N], p[N];
    struct srtp_op op[N];
    const struct pair *pair[N];
    for (unsigned i = 0; i < N; i++) {
        pair[i] = &w.pair[rng_below(&w.rng, KEYS)];
        plain[i] = packet_rtp(&w.rng, 0, -1, 20 + 33 * (i % LENGTHS), 0, (uint16_t)i, 7);
        p[i] = packet_copy(&plain[i], room_needed(&pair[i]->crypto));
        op[i] = packet_op(&p[i], pair[i]->key, i, 7);
    }
    srtp_protect(w.lanes, op, N);
    for (unsigned i = 0; i < N; i++) {
        CU_ASSERT_FATAL(op[i].status == SRTP_OK);
        op[i].key = pair[i]->ref_key;
    }
    srtp_unprotect(w.reference, op, N);
    for (unsigned i = 0; i < N; i++) {
        CU_ASSERT(op[i].status == SRTP_OK && op[i].len == plain[i].len);
        CU_ASSERT(memcmp(p[i].buf, plain[i].buf, plain[i].len) == 0);
        free(plain[i].buf);
        free(p[i].buf);
    }
    world_free(&w);
}

// ---- what must not pass ------------------------------------------------------------------------------

// Each bit of a sealed packet in some lane, each bit of the tag in each lane: that packet alone fails.
static void wrong_bit_in_each_lane(void)
{
    struct world w;
    if (!world_new(&w, 0xb17))
        return;
    for (unsigned k = 0; k < SUITES; k++) {
        const struct pair *pair = &w.pair[k];
        struct packet plain = packet_rtp(&w.rng, 0, -1, 53, room_needed(&pair->crypto), 5, 77);
        struct srtp_op sealed = packet_op(&plain, pair->key, 5, 77);
        srtp_protect(w.lanes, &sealed, 1);
        struct packet whole = {.buf = plain.buf, .len = sealed.len, .hdr_len = plain.hdr_len};
        struct packet p[LANES];
        for (unsigned i = 0; i < LANES; i++)
            p[i] = packet_copy(&whole, 0);
        const unsigned tag = 8 * (sealed.len - tl_suite_info(suites[k])->rtp_tag), bits = 8 * sealed.len;
        for (unsigned turn = 0; turn < tag + LANES * (bits - tag); turn++) {
            const unsigned bit = turn < tag ? turn : tag + (turn - tag) / LANES, at = turn % LANES;
            struct srtp_op op[LANES];
            for (unsigned i = 0; i < LANES; i++) {
                memcpy(p[i].buf, whole.buf, whole.len);
                op[i] = packet_op(&p[i], pair->key, 5, 0);
            }
            p[at].buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
            srtp_unprotect(w.lanes, op, LANES);
            for (unsigned i = 0; i < LANES; i++)
                CU_ASSERT(op[i].status == (i == at ? TL_DROP_bad_auth : SRTP_OK));
        }
        for (unsigned i = 0; i < LANES; i++)
            free(p[i].buf);
        free(plain.buf);
    }
    world_free(&w);
}

// ---- secrets -----------------------------------------------------------------------------------------

// One burst of LANES packets under one key, sealed or opened, ready to be computed.
struct burst {
    struct srtp_ctx *ctx;
    struct packet p[LANES];
    struct srtp_op op[LANES];
    bool open;
};

static void burst_fill(struct burst *b, struct world *w, const struct pair *pair)
{
    *b = (struct burst){.ctx = w->lanes};
    for (unsigned i = 0; i < LANES; i++) {
        b->p[i] = packet_rtp(&w->rng, 0, -1, 160, room_needed(&pair->crypto), (uint16_t)i, 7);
        b->op[i] = packet_op(&b->p[i], pair->key, i, 7);
    }
}

static void burst_free(struct burst *b)
{
    for (unsigned i = 0; i < LANES; i++)
        free(b->p[i].buf);
}

static void burst_run(const struct burst *b)
{
    struct srtp_op *op = (struct srtp_op *)(uintptr_t)b->op;
    if (b->open)
        srtp_unprotect(b->ctx, op, LANES);
    else
        srtp_protect(b->ctx, op, LANES);
}

enum { STACK = 1 << 18 };
static ucontext_t back, there;
static const struct burst *running;

static void on_own_stack(void)
{
    burst_run(running);
}

// Does a vector with `word` in four lanes lie in it?
static bool holds_lanes_of(const uint8_t *bytes, size_t len, uint32_t word)
{
    const uint32_t lanes[4] = {word, word, word, word};
    for (size_t at = 0; at + sizeof lanes <= len; at += 4)
        if (memcmp(bytes + at, lanes, sizeof lanes) == 0)
            return true;
    return false;
}

static bool holds_block(const uint8_t *bytes, size_t len, const uint8_t block[16])
{
    for (size_t at = 0; at + 16 <= len; at += 4)
        if (memcmp(bytes + at, block, 16) == 0)
            return true;
    return false;
}

// All that a key has is as good as the key: states of HMAC, which lie in lanes, round keys, H (as libIPSec_MB stores
// it, last of the powers).
static void no_secret_in(const uint8_t *stack, const struct srtp_key *key)
{
    const bool gcm = srtp_suite_is_gcm(key->suite);
    const uint8_t *round_key = gcm ? srtp_gcm(key)->data : srtp_cm(key)->enc;
    for (unsigned r = 0; r <= (srtp_suite_is_256(key->suite) ? 14 : 10); r++)
        CU_ASSERT(!holds_block(stack, STACK, round_key + (size_t)16 * r));
    if (gcm)
        CU_ASSERT(!holds_block(stack, STACK, srtp_gcm(key)->data + SRTP_GCM_DATA - 16));
    for (unsigned i = 0; !gcm && i < 5; i++) {
        uint32_t inner, outer;
        memcpy(&inner, srtp_cm(key)->inner + 4 * i, 4);
        memcpy(&outer, srtp_cm(key)->outer + 4 * i, 4);
        CU_ASSERT(!holds_lanes_of(stack, STACK, inner) && !holds_lanes_of(stack, STACK, outer));
    }
}

// Nothing secret stays on the stack.
static void stack_is_wiped(void)
{
    struct world w;
    if (SANITIZED) {
        test_skip("ASan lays the stack out in its own way");
        return;
    }
    if (!world_new(&w, 0xdead))
        return;
    uint8_t *stack = aligned_alloc(64, STACK);
    CU_ASSERT_FATAL(stack != NULL);
    for (unsigned k = 0; k < 2 * SUITES; k++) {
        const struct pair *pair = &w.pair[k / 2];
        struct burst b;
        burst_fill(&b, &w, pair);
        b.open = k % 2;
        if (b.open) {
            b.open = false;
            burst_run(&b);
            b.open = true;
        }
        memset(stack, 0, STACK);
        CU_ASSERT_FATAL(getcontext(&there) == 0);
        there.uc_stack.ss_sp = stack;
        there.uc_stack.ss_size = STACK;
        there.uc_link = &back;
        makecontext(&there, on_own_stack, 0);
        running = &b;
        CU_ASSERT_FATAL(swapcontext(&back, &there) == 0);
        CU_ASSERT(b.op[0].status == SRTP_OK);
        no_secret_in(stack, pair->key);
        burst_free(&b);
    }
    free(stack);
    world_free(&w);
}

// Instructions that a child takes for the burst, counted one by one. 0: it cannot be traced here.
static unsigned long instructions(const struct burst *b)
{
    pid_t child = fork();
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
            _exit(1);
        raise(SIGSTOP);
        burst_run(b);
        raise(SIGSTOP);
        _exit(0);
    }
    int status = 0;
    unsigned long n = 0;
    if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status))
        return 0;
    for (n = 0; n < 1000000; n++) {
        if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) < 0 || waitpid(child, &status, 0) != child ||
            !WIFSTOPPED(status))
            return 0;
        if (WSTOPSIG(status) == SIGSTOP)
            break;
    }
    ptrace(PTRACE_KILL, child, NULL, NULL);
    waitpid(child, &status, 0);
    return n;
}

// The path through the code does not depend on keys, contents or where a wrong tag differs.
static void same_instructions_of(struct world *w, enum tl_suite suite)
{
    const unsigned tag = tl_suite_info(suite)->rtp_tag;
    unsigned long seal[3], fail[3];
    for (unsigned i = 0; i < 3; i++) {
        struct burst b;
        struct pair pair = {.crypto = random_crypto(&w->rng, suite)};
        pair.key = key_new(w->lanes, &pair.crypto);
        burst_fill(&b, w, &pair);
        seal[i] = instructions(&b);
        burst_run(&b);
        b.open = true;
        for (unsigned lane = 0; lane < LANES; lane++) // each wrong in another byte of its tag
            b.op[lane].pkt[b.op[lane].len - 1 - (i + lane) % tag] ^= 1;
        fail[i] = instructions(&b);
        burst_free(&b);
        key_free(pair.key);
    }
    if (seal[0] == 0)
        test_skip("no process can be traced here");
    printf("     %s: %lu instructions to seal %d packets, %lu to refuse them\n", tl_suite_info(suite)->name,
           seal[0], LANES, fail[0]);
    for (unsigned i = 1; i < 3; i++)
        CU_ASSERT(seal[i] == seal[0] && fail[i] == fail[0]);
}

static void same_instructions(void)
{
    struct world w;
    if (SANITIZED) {
        test_skip("ASan adds work of its own");
        return;
    }
    if (!world_new(&w, 0xc0de))
        return;
    for (unsigned k = 0; k < SUITES; k += 2) // not again with the shorter tag; GCM with one size of key
        same_instructions_of(&w, suites[k]);
    world_free(&w);
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"every_length", every_length},     {"every_number", every_number},
        {"many_lengths", many_lengths},     {"wrong_bit_in_each_lane", wrong_bit_in_each_lane},
        {"stack_is_wiped", stack_is_wiped}, {"same_instructions", same_instructions},
    };
    return test_main("srtp_lanes", TEST_CASES(cases), argc, argv);
}
