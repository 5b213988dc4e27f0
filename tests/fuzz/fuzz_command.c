// SPDX-License-Identifier: BSD-3-Clause
// What control may put on a command ring: tl_command_check() and the manager. Commands are right ones with
// some bytes changed, or bytes alone, with media in between. Afterwards a FLUSH brings every session and port
// back.
//
//   input: any number of times an op, a byte of switches and how many bytes change, a slot, then place (2
//   bytes) and value of each; with op RAW the rest is the command
#include "common/validate.h"
#include "fuzz.h"
#include "rig.h"

enum { RAW = TL_OP_COUNT, OPS };

// The switches.
enum { CHANGES = 15, TURN = 1 << 5, MEDIA = 1 << 6 };

static struct rig rig;
static const struct tl_origin origin;

static void end(void)
{
    rig_close(&rig);
    rig_eal_end();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    if (rig_eal())
        exit(1);
    rig_open_managed(&rig, 2, 2);
    atexit(end);
    return 0;
}

static struct tl_command right(unsigned op, unsigned slot)
{
    struct tl_command c = {.op = op, .call_ref = 1 + slot % 8, .leg_mask = 3};
    slot %= RIG_SESSIONS;
    c.handle = (struct tl_handle){rig.live->incarnation, slot, rig.manager->roster.entry[slot].generation};
    for (unsigned i = 0; i < 2; i++) {
        c.leg[i] = rig_leg(i, 0, 5000 + i);
        c.leg[i].silence_ms = 10;
    }
    c.leg[1].rx = (struct tl_crypto){.suite = TL_SUITE_AES_CM_128_HMAC_SHA1_80, .generation = 1, .key = {1}};
    c.leg[1].tx = (struct tl_crypto){.suite = TL_SUITE_AEAD_AES_128_GCM, .generation = 1, .key = {2}};
    return c;
}

static bool flushing(const struct manager *m)
{
    for (unsigned i = 0; i < MANAGER_FLUSHES; i++)
        if (m->flush[i].active)
            return true;
    return false;
}

// Until nothing is under way: a worker takes only some tasks in a turn, one at least.
static void settle(const struct manager *m)
{
    unsigned turns = 0;
    while (m->out_all > 0 || flushing(m)) {
        FUZZ_MUST(turns++ < RIG_WORKERS * WORKER_TASKS);
        rig_turn(&rig);
    }
}

static void one(struct fuzz_input *in)
{
    uint8_t op = fuzz_byte(in) % OPS, switches = fuzz_byte(in), slot = fuzz_byte(in);
    struct tl_command c = right(op, slot);
    uint16_t field;
    if (op == RAW) {
        size_t n = sizeof c;
        const uint8_t *bytes = fuzz_bytes(in, &n);
        memset(&c, 0, sizeof c);
        memcpy(&c, bytes, n);
    }
    for (unsigned n = switches & CHANGES; n > 0 && in->left >= 3; n--) {
        unsigned place = fuzz_byte(in) << 8;
        place |= fuzz_byte(in);
        ((uint8_t *)&c)[place % sizeof c] = fuzz_byte(in);
    }
    int err = tl_command_check(&c, &field);
    FUZZ_MUST(err == 0 || tl_field_text(field));
    if (!manager_has_room(rig.manager, 0))
        rig_turn(&rig);
    manager_command(rig.manager, &c, origin);
    if (switches & TURN)
        rig_turn(&rig);
    if (switches & MEDIA) {
        uint8_t rtp[172];
        unsigned n = rtp_write(rtp, &(struct rtp_fields){.pt = 8, .seq = slot, .ssrc = 1}, 160);
        rig_udp(&rig, 0, 0, 5000, 20000 + 2 * slot, rtp, n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_input in = {data, len};
    struct manager *m = rig.manager;
    while (in.left >= 3)
        one(&in);
    struct tl_command flush = right(TL_OP_FLUSH, 0);
    settle(m);
    manager_command(m, &flush, origin);
    settle(m);
    rig_clear(&rig);
    FUZZ_MUST(rig.live->header->in_use == 0);
    for (unsigned i = 0; i < RIG_PORTS; i++)
        FUZZ_MUST(m->ports[i].free_pairs == m->ports[i].pairs);
    return 0;
}
