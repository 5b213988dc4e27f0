// SPDX-License-Identifier: BSD-3-Clause
// The tables of methods and of option tags: what they say, and what is made of them on the wire.
#include "sip_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static struct fix fix;

static struct sip_str str(const char *s)
{
    return (struct sip_str){s, strlen(s)};
}

static void rows_are_whole(void)
{
    CU_ASSERT(sip_method_row(SIP_OTHER) == NULL && sip_method_row(SIP_METHOD_COUNT) == NULL);
    CU_ASSERT(sip_method_name(SIP_OTHER) == NULL && sip_method_by_name(str("invite")) == SIP_OTHER);
    for (unsigned i = SIP_OTHER + 1; i < SIP_METHOD_COUNT; i++) {
        const struct sip_method_row *row = sip_method_row((enum sip_method)i);
        CU_ASSERT_FATAL(row != NULL);
        CU_ASSERT(sip_method_by_name(str(row->name)) == i && row->taken != 0);
        CU_ASSERT(i == SIP_ACK ||
                  (row->otherwise >= 400 && row->otherwise < 600)); // an ACK is never answered
    }
    for (unsigned i = 0; i < SIP_OPTION_COUNT; i++) {
        char list[64];
        sip_option_list(sip_option_bit((enum sip_option)i), list, sizeof list);
        CU_ASSERT(sip_option_by_name(str(list)) == i);
    }
    CU_ASSERT(sip_option_by_name(str("100REL")) == SIP_OPTION_100REL);
    CU_ASSERT(sip_option_by_name(str("100re")) == SIP_OPTION_COUNT);
    // what is said to be supported may be required of us
    CU_ASSERT((sip_options_supported() & ~sip_options_required()) == 0);
}

static void refusals(void)
{
    const uint32_t all = UINT32_MAX, few = sip_method_bit(SIP_INVITE) | sip_method_bit(SIP_BYE);
    const struct {
        enum sip_method method;
        enum sip_place place;
        uint32_t allowed;
        int status;
    } table[] = {
        {SIP_INVITE, SIP_OUTSIDE, few, 0},    {SIP_INVITE, SIP_CONFIRMED, few, 0},
        {SIP_INVITE, SIP_EARLY, few, 500},    {SIP_BYE, SIP_OUTSIDE, few, 481},
        {SIP_BYE, SIP_EARLY, few, 0},         {SIP_PRACK, SIP_EARLY, few, 405},
        {SIP_PRACK, SIP_EARLY, all, 0},       {SIP_PRACK, SIP_OUTSIDE, all, 481},
        {SIP_UPDATE, SIP_CONFIRMED, all, 0},  {SIP_UPDATE, SIP_OUTSIDE, all, 481},
        {SIP_REFER, SIP_EARLY, all, 405},     {SIP_REFER, SIP_CONFIRMED, all, 0},
        {SIP_MESSAGE, SIP_OUTSIDE, few, 405}, {SIP_OTHER, SIP_OUTSIDE, all, 405},
        {SIP_OPTIONS, SIP_EARLY, all, 0},     {SIP_NOTIFY, SIP_OUTSIDE, all, 481},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        bool good = sip_method_refused(table[i].method, table[i].place, table[i].allowed) == table[i].status;
        CU_ASSERT(good);
        if (!good)
            printf("     row %zu\n", i);
    }
}

static void lists(void)
{
    char list[64];
    uint32_t set = sip_method_bit(SIP_BYE) | sip_method_bit(SIP_INVITE) | sip_method_bit(SIP_UPDATE);
    CU_ASSERT_STRING_EQUAL(sip_method_list(set, list, sizeof list), "INVITE, BYE, UPDATE");
    CU_ASSERT_STRING_EQUAL(sip_method_list(set, list, 12), "INVITE, BYE");
    CU_ASSERT_STRING_EQUAL(sip_method_list(set, list, 11), "INVITE");
    CU_ASSERT_STRING_EQUAL(sip_method_list(set, list, 1), "");
    CU_ASSERT_STRING_EQUAL(sip_method_list(0, list, sizeof list), "");
    set = sip_option_bit(SIP_OPTION_TIMER) | sip_option_bit(SIP_OPTION_100REL);
    CU_ASSERT_STRING_EQUAL(sip_option_list(set, list, sizeof list), "100rel, timer");
    CU_ASSERT_STRING_EQUAL(sip_option_list(set, list, 13), "100rel");
}

// What a peer says of itself.
static void sets_of_a_message(void)
{
    char text[] =
        "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
        "To: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\nAllow: INVITE, update,UPDATE\r\nAllow:\r\n"
        "allow: FOO , BYE\r\nk: Timer,  100REL\r\nSupported: x-own\r\nRequire: replaces\r\n\r\n";
    struct sip_head head;
    struct sip_shape shape;
    sip_read(text, sizeof text - 1, &head);
    CU_ASSERT_FATAL(sip_filter(&head, false, &shape));
    struct sip_msg *m = sip_msg_new(&head, &shape);
    CU_ASSERT_FATAL(m != NULL);
    CU_ASSERT(sip_msg_methods(m) ==
              (sip_method_bit(SIP_INVITE) | sip_method_bit(SIP_UPDATE) | sip_method_bit(SIP_BYE)));
    CU_ASSERT(sip_msg_options(m, SIP_NAME_SUPPORTED) ==
              (sip_option_bit(SIP_OPTION_TIMER) | sip_option_bit(SIP_OPTION_100REL)));
    CU_ASSERT(sip_msg_options(m, SIP_NAME_REQUIRE) == sip_option_bit(SIP_OPTION_REPLACES));
    CU_ASSERT(sip_msg_options(m, SIP_NAME_UNSUPPORTED) == 0);
    sip_msg_free(m);
}

// Only what the user does not take is refused, and named.
static void required_options(void)
{
    static const struct {
        const char *require;
        uint32_t taken;
        const char *unsupported; // NULL: the request is taken
    } table[] = {
        {"Require: 100rel", 1u << SIP_OPTION_100REL, NULL},
        {"Require: 100rel", 0, "100rel"},
        {"Require: TIMER, 100rel", 1u << SIP_OPTION_100REL, "timer"},
        {"Require: timer\nRequire: replaces", 1u << SIP_OPTION_100REL, "timer, replaces"},
        {"Require: timer\n , 100rel", UINT32_MAX, NULL},
        {"Require: x-one, timer, x-two", UINT32_MAX, "x-one, x-two"},
        {"Require: x-one, timer", 0, "timer, x-one"},
        {"Require:", 0, NULL},
        {"Proxy-Require: timer", 0, NULL},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        fix_open(&fix);
        fix.options = table[i].taken;
        fix_receive(&fix, 0,
                    "OPTIONS sip:a@b SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bKr\nFrom: <sip:a@b>;tag=1\n"
                    "To: <sip:c@d>\nCall-ID: r\nCSeq: 1 OPTIONS\n%s\n\n",
                    table[i].require);
        bool good;
        if (table[i].unsupported)
            good = fix_events(&fix, FIX_REQUEST) == 0 && fix_count(&fix, 0, "SIP/2.0 420 ") == 1 &&
                   strcmp(fix_header(fix_last(&fix), "Unsupported"), table[i].unsupported) == 0;
        else
            good =
                fix_events(&fix, FIX_REQUEST) == 1 && fix.sent_count == 0 &&
                sip_respond(fix_event(&fix, FIX_REQUEST, 0)->txn, &(struct sip_answer){.status = 200}) == 0;
        CU_ASSERT(good);
        if (!good)
            printf("     row %zu: %s\n", i, fix_last(&fix));
        fix_close(&fix);
    }
}

// Many and long names end no buffer.
static void required_without_end(void)
{
    char text[4000], *p = text;
    fix_open(&fix);
    p += sprintf(p, "OPTIONS sip:a@b SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bKr\nFrom: <sip:a@b>;tag=1\n"
                    "To: <sip:c@d>\nCall-ID: r\nCSeq: 1 OPTIONS\n");
    for (unsigned i = 0; i < 60; i++)
        p += sprintf(p, "Require: a-name-that-is-not-short-%u, 100rel, timer\n", i);
    sprintf(p, "\n");
    fix_receive_from(&fix, 0, &fix_peer, text);
    CU_ASSERT(fix_count(&fix, 0, "SIP/2.0 420 ") == 1);
    CU_ASSERT(strncmp(fix_header(fix_last(&fix), "Unsupported"),
                      "100rel, timer, a-name-that-is-not-short-0, ", 43) == 0);
    fix_close(&fix);
}

// Allow and Supported: from the tables, or as the caller has them for this trunk.
static void on_the_wire(void)
{
    static const struct {
        int status;
        const char *allow, *supported; // of the caller
        const char *said, *can;        // on the wire
    } table[] = {
        {200, NULL, NULL, "*", ""},       {200, "INVITE, ACK", "100rel", "INVITE, ACK", "100rel"},
        {200, NULL, "", "*", ""},         {405, "INVITE", "timer", "INVITE", ""},
        {404, "INVITE", "timer", "", ""}, {180, "INVITE", "timer", "", ""},
    };
    char ours[128];
    sip_method_list(sip_methods_ours(), ours, sizeof ours);
    CU_ASSERT(strstr(ours, "INVITE") && strstr(ours, "ACK") && !strstr(ours, "REGISTER"));
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        fix_open(&fix);
        fix_invite(&fix, 0, "w");
        struct sip_txn *txn = fix_event(&fix, FIX_REQUEST, 0)->txn;
        CU_ASSERT(sip_respond(txn, &(struct sip_answer){.status = table[i].status,
                                                        .allow = table[i].allow,
                                                        .supported = table[i].supported}) == 0);
        const char *said = fix_header(fix_last(&fix), "Allow"),
                   *can = fix_header(fix_last(&fix), "Supported");
        CU_ASSERT_STRING_EQUAL(said, strcmp(table[i].said, "*") == 0 ? ours : table[i].said);
        CU_ASSERT_STRING_EQUAL(can, table[i].can);
        fix_drop(&fix);
    }
    fix_open(&fix);
    struct sip_request r = fix_request(SIP_INVITE);
    struct sip_flow to = sip_flow_to(fix.stack, 0, &fix_peer);
    r.allow = "INVITE, ACK, UPDATE";
    r.supported = "timer";
    CU_ASSERT(sip_request(fix.stack, &to, &r, NULL, NULL) == 0);
    CU_ASSERT_STRING_EQUAL(fix_header(fix_last(&fix), "Allow"), "INVITE, ACK, UPDATE");
    CU_ASSERT_STRING_EQUAL(fix_header(fix_last(&fix), "Supported"), "timer");
    r.supported = "timer\r\nEvil: 1";
    CU_ASSERT(sip_request(fix.stack, &to, &r, NULL, NULL) == -EINVAL);
    r = fix_request(SIP_BYE);
    CU_ASSERT(sip_request(fix.stack, &to, &r, NULL, NULL) == 0);
    CU_ASSERT_STRING_EQUAL(fix_header(fix_last(&fix), "Allow"), "");
    fix_drop(&fix);
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"rows_are_whole", rows_are_whole},
        {"refusals", refusals},
        {"lists", lists},
        {"sets_of_a_message", sets_of_a_message},
        {"required_options", required_options},
        {"required_without_end", required_without_end},
        {"on_the_wire", on_the_wire},
    };
    return test_main("sip_method", TEST_CASES(cases), argc, argv);
}
