// SPDX-License-Identifier: BSD-3-Clause
// tl_command_check(): from a command that is right, one thing at a time is made wrong.
#include <errno.h>
#include <string.h>

#include "common/validate.h"
#include "runner.h"

static struct tl_command c; // what the rows alter
static struct tl_leg *const l0 = &c.leg[0], *const l1 = &c.leg[1];

static void good_add(void)
{
    memset(&c, 0, sizeof c);
    c.id = 1;
    c.op = TL_OP_ADD;
    c.call_ref = 42;
    strcpy(l0->realm, "peer");
    strcpy(l1->realm, "core");
    l0->flags = TL_LEG_RECV | TL_LEG_SEND;
    l0->rtp = (struct tl_addr){.family = TL_AF_INET, .port = 4000, .ip = {192, 0, 2, 1}};
    l0->rtcp = (struct tl_addr){.family = TL_AF_INET, .port = 4001, .ip = {192, 0, 2, 1}};
    l0->pt_count = 2;
    l0->pt_in[0] = 8;
    l0->pt_in[1] = 101;
    l0->pt_out[0] = 8;
    l0->pt_out[1] = 97;
    l1->rx.suite = TL_SUITE_AES_CM_128_HMAC_SHA1_80;
    l1->tx.suite = TL_SUITE_AEAD_AES_128_GCM;
    memset(l1->rx.key, 1, 16);
    memset(l1->rx.salt, 2, 14);
    memset(l1->tx.key, 3, 16);
    memset(l1->tx.salt, 4, 12);
    for (unsigned i = 0; i < 2; i++) {
        c.leg[i].max_len = TL_LEN_MAX;
        c.leg[i].max_pps = 100;
        c.leg[i].max_bps = 20000;
        c.leg[i].burst_ms = 1000;
    }
    l1->rx_resume[0] = (struct tl_resume_ssrc){.index = 5, .ssrc = 6, .srtcp_index = 7};
    l1->tx_resume =
        (struct tl_resume_ssrc){.index = (1ull << 48) - 1, .ssrc = 1, .srtcp_index = (1u << 31) - 1};
}

static void as(uint16_t op)
{
    c.op = op;
    c.call_ref = 0;
    c.handle = (struct tl_handle){1, 0, 1};
    c.leg_mask = op == TL_OP_MODIFY ? 3 : 0;
}

// A row: what is altered, and the field that is named then.
#define WRONG(field_, ...)                                                                                   \
    do {                                                                                                     \
        uint16_t field = 999;                                                                                \
        good_add();                                                                                          \
        __VA_ARGS__;                                                                                         \
        int rc = tl_command_check(&c, &field);                                                               \
        CU_assertImplementation(rc == -EINVAL && field == (field_), __LINE__, "wrong: " #__VA_ARGS__,        \
                                __FILE__, __func__, CU_FALSE);                                               \
    } while (0)

#define RIGHT(...)                                                                                           \
    do {                                                                                                     \
        uint16_t field = 999;                                                                                \
        good_add();                                                                                          \
        __VA_ARGS__;                                                                                         \
        int rc = tl_command_check(&c, &field);                                                               \
        CU_assertImplementation(rc == 0 && field == TL_FIELD_NONE, __LINE__, "right: " #__VA_ARGS__,         \
                                __FILE__, __func__, CU_FALSE);                                               \
    } while (0)

static void operations(void)
{
    RIGHT((void)0);
    RIGHT(as(TL_OP_MODIFY));
    RIGHT(as(TL_OP_DEL));
    RIGHT(as(TL_OP_LIST); memset(&c.handle, 0, sizeof c.handle); c.list_slot = UINT32_MAX);
    RIGHT(as(TL_OP_FLUSH); memset(&c.handle, 0, sizeof c.handle));
    WRONG(TL_FIELD_OP, c.op = 0);
    WRONG(TL_FIELD_OP, c.op = TL_OP_COUNT);
    WRONG(TL_FIELD_OP, c.op = UINT16_MAX);
    WRONG(TL_FIELD_OP, c.flags = 2);
    WRONG(TL_FIELD_CALL_REF, c.call_ref = 0);
    WRONG(TL_FIELD_HANDLE, as(TL_OP_MODIFY); c.handle.incarnation = 0);
    WRONG(TL_FIELD_HANDLE, as(TL_OP_MODIFY); c.handle.generation = 0);
    WRONG(TL_FIELD_HANDLE, as(TL_OP_DEL); memset(&c.handle, 0, sizeof c.handle));
    WRONG(TL_FIELD_LEG_MASK, as(TL_OP_MODIFY); c.leg_mask = 0);
    WRONG(TL_FIELD_LEG_MASK, as(TL_OP_MODIFY); c.leg_mask = 4);
    WRONG(TL_FIELD_LEG_MASK, as(TL_OP_MODIFY); c.leg_mask = 7);
    // what an operation does not use is ignored
    RIGHT(as(TL_OP_MODIFY); c.leg_mask = 1; memset(l1, 0xff, sizeof *l1));
    RIGHT(as(TL_OP_MODIFY); c.leg_mask = 2; memset(l0, 0xff, sizeof *l0));
    WRONG(TL_FIELD_REALM, as(TL_OP_MODIFY); c.leg_mask = 2; memset(l1, 0xff, sizeof *l1));
    RIGHT(as(TL_OP_DEL); memset(c.leg, 0xff, sizeof c.leg));
    RIGHT(c.leg_mask = 0xff; c.list_slot = 3);
}

static void realms_and_ports(void)
{
    WRONG(TL_FIELD_REALM, memset(l0->realm, 0, sizeof l0->realm));
    RIGHT(as(TL_OP_MODIFY); memset(l0->realm, 0, sizeof l0->realm));
    WRONG(TL_FIELD_REALM, memset(l1->realm, 'a', sizeof l1->realm));
    RIGHT(memset(l1->realm, 'a', sizeof l1->realm - 1));
    WRONG(TL_FIELD_REALM, l0->realm[31] = 'x'); // behind the NUL
    WRONG(TL_FIELD_REALM, l0->realm[0] = '\n');
    WRONG(TL_FIELD_REALM, l0->realm[1] = 0x7f);
    RIGHT(l0->local_port = 16384);
    RIGHT(l0->local_port = 65534);
    WRONG(TL_FIELD_LOCAL_PORT, l1->local_port = 16385);
    RIGHT(as(TL_OP_MODIFY); l1->local_port = 16385); // ignored there
    WRONG(TL_FIELD_LOCAL_PORT, l0->pad = 1);
    WRONG(TL_FIELD_FLAGS, l0->flags |= TL_LEG_FLAGS + 1);
    WRONG(TL_FIELD_FLAGS, l1->flags = 1u << 31);
    RIGHT(l0->flags = 0);
}

static void addresses(void)
{
    RIGHT(memset(&l0->rtp, 0, sizeof l0->rtp); memset(&l0->rtcp, 0, sizeof l0->rtcp));
    WRONG(TL_FIELD_RTP, l0->rtp.family = 6);
    WRONG(TL_FIELD_RTP, l0->rtp.family = 0); // unset is all zero
    WRONG(TL_FIELD_RTP, l0->rtp.pad = 1);
    WRONG(TL_FIELD_RTP, l0->rtp.port = 0);
    WRONG(TL_FIELD_RTP, l0->rtp.ip[4] = 1);
    WRONG(TL_FIELD_RTP, l0->rtp.ip[15] = 1);
    WRONG(TL_FIELD_RTP, l0->rtp.ip[0] = 0);
    WRONG(TL_FIELD_RTP, l0->rtp.ip[0] = 224);
    WRONG(TL_FIELD_RTP, l0->rtp.ip[0] = 240);
    WRONG(TL_FIELD_RTP, memset(l0->rtp.ip, 255, 4));
    RIGHT(l0->rtp.ip[0] = 223);
    RIGHT(l0->rtp.port = 4001); // odd is unusual, not wrong
    WRONG(TL_FIELD_RTCP, l0->rtcp.port = 0);
    WRONG(TL_FIELD_RTCP, l0->rtcp.ip[0] = 239);
    WRONG(TL_FIELD_RTCP, l0->flags |= TL_LEG_RTCP_MUX);
    WRONG(TL_FIELD_RTCP, memset(&l0->rtp, 0, sizeof l0->rtp)); // RTCP alone
    RIGHT(l0->flags |= TL_LEG_RTCP_MUX; memset(&l0->rtcp, 0, sizeof l0->rtcp));
    RIGHT(memset(&l0->rtcp, 0, sizeof l0->rtcp));
    // RTP port + 1 must exist where it is meant
    WRONG(TL_FIELD_RTCP, memset(&l0->rtcp, 0, sizeof l0->rtcp); l0->rtp.port = 65535);
    RIGHT(l0->rtp.port = 65535);
    RIGHT(l0->flags |= TL_LEG_RTCP_MUX; memset(&l0->rtcp, 0, sizeof l0->rtcp); l0->rtp.port = 65535);
}

static void keys(void)
{
    WRONG(TL_FIELD_SUITE, l1->rx.suite = TL_SUITE_COUNT);
    WRONG(TL_FIELD_SUITE, l1->tx.suite = 255);
    WRONG(TL_FIELD_SUITE, l1->rx.suite = TL_SUITE_NONE); // plain has no key
    RIGHT(memset(&l1->rx, 0, sizeof l1->rx); memset(l1->rx_resume, 0, sizeof l1->rx_resume));
    WRONG(TL_FIELD_SUITE, l0->tx.generation = 1);
    WRONG(TL_FIELD_SUITE, l1->rx.pad[1] = 1);
    WRONG(TL_FIELD_SUITE, l1->rx.pad2[0] = 1);
    WRONG(TL_FIELD_SUITE, l1->rx.mki[0] = 1);
    RIGHT(l1->rx.mki_len = 1; l1->rx.mki[0] = 1);
    RIGHT(l1->rx.mki_len = TL_MKI_MAX; l1->rx.mki[TL_MKI_MAX - 1] = 1);
    WRONG(TL_FIELD_SUITE, l1->rx.mki_len = 2; l1->rx.mki[2] = 1);
    WRONG(TL_FIELD_SUITE, l1->rx.mki_len = TL_MKI_MAX + 1);
    WRONG(TL_FIELD_SUITE, l1->rx.key[16] = 1);
    WRONG(TL_FIELD_SUITE, l1->tx.salt[12] = 1); // GCM's is 12 bytes
    RIGHT(l1->rx.salt[13] = 9);                 // CM's 14
    WRONG(TL_FIELD_SUITE, memset(l1->tx.key, 0, 16));
    RIGHT(memset(l1->tx.salt, 0, 14));
    RIGHT(l1->tx.generation = UINT32_MAX);
}

static void payload_types(void)
{
    RIGHT(l0->pt_count = 0; memset(l0->pt_in, 0, 8); memset(l0->pt_out, 0, 8));
    WRONG(TL_FIELD_PT, l0->pt_count = TL_PT_MAX + 1);
    WRONG(TL_FIELD_PT, l0->pt_count = 255);
    WRONG(TL_FIELD_PT, l0->pt_in[0] = 128);
    WRONG(TL_FIELD_PT, l0->pt_out[1] = 128);
    WRONG(TL_FIELD_PT, l0->pt_in[1] = 8);
    RIGHT(l0->pt_out[1] = 8); // two may become one
    WRONG(TL_FIELD_PT, l0->pt_in[7] = 1);
    WRONG(TL_FIELD_PT, l0->pt_out[2] = 1);
    WRONG(TL_FIELD_FLAGS, l0->roc_on_rekey = TL_ROC_COUNT);
    RIGHT(l0->roc_on_rekey = TL_ROC_RESET);
    RIGHT(l0->pt_law[0] = TL_LAW_A_TO_U);
    RIGHT(l0->pt_law[1] = TL_LAW_U_TO_A);
    WRONG(TL_FIELD_PT, l0->pt_law[0] = TL_LAW_A_TO_U; l0->pt_law[1] = TL_LAW_U_TO_A);
    WRONG(TL_FIELD_PT, l0->pt_law[0] = TL_LAW_COUNT);
    WRONG(TL_FIELD_PT, l0->pt_law[2] = TL_LAW_A_TO_U);
    RIGHT(l0->pt_count = 8;
          for (uint8_t i = 0; i < 8; i++) l0->pt_in[i] = l0->pt_out[i] = (uint8_t)(120 + i));
    RIGHT(l0->pt_in[0] = 72);
    WRONG(TL_FIELD_PT, l1->flags = TL_LEG_RTCP_MUX; l1->pt_count = 1; l1->pt_in[0] = 72);
    WRONG(TL_FIELD_PT, l1->flags = TL_LEG_RTCP_MUX; l1->pt_count = 1; l1->pt_in[0] = 95);
    RIGHT(l1->flags = TL_LEG_RTCP_MUX; l1->pt_count = 1; l1->pt_in[0] = 96);
}

static void rates(void)
{
    WRONG(TL_FIELD_RATE, l0->max_len = TL_LEN_MIN - 1);
    RIGHT(l0->max_len = TL_LEN_MIN);
    WRONG(TL_FIELD_RATE, l0->max_len = TL_LEN_MAX + 1);
    WRONG(TL_FIELD_RATE, l1->max_pps = 0);
    RIGHT(l1->max_pps = 1);
    WRONG(TL_FIELD_RATE, l1->max_pps = TL_PPS_MAX + 1);
    WRONG(TL_FIELD_RATE, l0->max_bps = TL_BPS_MIN - 1);
    RIGHT(l0->max_bps = TL_BPS_MIN);
    WRONG(TL_FIELD_RATE, l0->max_bps = TL_BPS_MAX + 1);
    WRONG(TL_FIELD_RATE, l0->burst_ms = TL_BURST_MIN_MS - 1);
    RIGHT(l0->burst_ms = TL_BURST_MIN_MS);
    WRONG(TL_FIELD_RATE, l0->burst_ms = TL_BURST_MAX_MS + 1);
    WRONG(TL_FIELD_RATE, l1->pad3 = 1);
    RIGHT(l1->max_len = l1->burst_ms = 0; l1->max_pps = l1->max_bps = 0); // no address yet
    WRONG(TL_FIELD_RATE, l1->max_len = 0);
    WRONG(TL_FIELD_RATE, l0->max_len = l0->burst_ms = 0; l0->max_pps = l0->max_bps = 0);
}

static void resumption(void)
{
    WRONG(TL_FIELD_RESUME, l1->rx_resume[0].index = 1ull << 48);
    RIGHT(l1->rx_resume[0].index = (1ull << 48) - 1);
    RIGHT(l1->rx_resume[0].index = TL_INDEX_NONE);
    WRONG(TL_FIELD_RESUME, l1->rx_resume[3] = l1->rx_resume[0]);
    RIGHT(l1->rx_resume[3] = l1->rx_resume[0]; l1->rx_resume[3].ssrc++);
    WRONG(TL_FIELD_RESUME, l1->rx_resume[1].srtcp_index = 1u << 31);
    WRONG(TL_FIELD_RESUME, l1->tx_resume.srtcp_index = 1u << 31);
    WRONG(TL_FIELD_RESUME, l1->tx_resume.index = UINT64_MAX - 1);
    RIGHT(l0->tx_resume.index = 1);                    // a plain leg's stream goes on, too
    WRONG(TL_FIELD_RESUME, l0->rx_resume[2].ssrc = 1); // but what it receives leaves no state
    RIGHT(l1->rx_resume[0].ssrc = 0);                  // SSRC 0 is one like any other
    RIGHT(as(TL_OP_MODIFY); l1->rx_resume[0].index = 1ull << 48);
}

static void every_field_has_its_sentence(void)
{
    for (uint16_t i = 0; i < TL_FIELD_COUNT; i++)
        CU_ASSERT(tl_field_text(i) && strlen(tl_field_text(i)) > 10);
    CU_ASSERT_STRING_EQUAL(tl_field_text(TL_FIELD_COUNT), "unknown field");
    CU_ASSERT_STRING_EQUAL(tl_field_text(UINT16_MAX), "unknown field");
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"operations", operations},       {"realms_and_ports", realms_and_ports},
        {"addresses", addresses},         {"keys", keys},
        {"payload_types", payload_types}, {"rates", rates},
        {"resumption", resumption},       {"every_field_has_its_sentence", every_field_has_its_sentence},
    };
    return test_main("validate", TEST_CASES(cases), argc, argv);
}
