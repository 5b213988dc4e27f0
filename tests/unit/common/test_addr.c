// SPDX-License-Identifier: BSD-3-Clause
// Addresses as text and as the kernel has them, and the rows of the transports.
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "common/addr.h"
#include "common/config/transport.h"
#include "runner.h"

static const struct {
    const char *text;
    const char *ip, *host, *whole; // what each reader makes of it, printed again; NULL: refused
    unsigned port;
} table[] = {
    {"10.0.0.1", "10.0.0.1", "10.0.0.1", "10.0.0.1:0", 0},
    {"0.0.0.0", "0.0.0.0", "0.0.0.0", "0.0.0.0:0", 0},
    {"255.255.255.255", "255.255.255.255", "255.255.255.255", "255.255.255.255:0", 0},
    {"109.80.7.100", "109.80.7.100", "109.80.7.100", "109.80.7.100:0", 0},
    {"10.0.0.1:5060", NULL, NULL, "10.0.0.1:5060", 5060},
    {"10.0.0.1:65535", NULL, NULL, "10.0.0.1:65535", 65535},
    {"2001:db8::1", "2001:db8::1", NULL, NULL, 0},
    {"::", "::", NULL, NULL, 0},
    {"::ffff:10.0.0.1", "10.0.0.1", NULL, NULL, 0}, // one form
    {"[::FFFF:a00:1]:5060", NULL, NULL, "10.0.0.1:5060", 5060},
    {"[::ffff:10.0.0.1]", NULL, "10.0.0.1", "10.0.0.1:0", 0},
    {"::fffe:10.0.0.1", "::fffe:a00:1", NULL, NULL, 0},
    {"[2001:DB8::1]", NULL, "[2001:db8::1]", "[2001:db8::1]:0", 0},
    {"[2001:db8::1]:5061", NULL, NULL, "[2001:db8::1]:5061", 5061},
    {"[2001:db8:1111:2222:3333:4444:5555:6666]:65535", NULL, NULL,
     "[2001:db8:1111:2222:3333:4444:5555:6666]:65535", 65535},
    {"", NULL, NULL, NULL, 0},
    {"host", NULL, NULL, NULL, 0},
    {"10.0.0", NULL, NULL, NULL, 0},
    {"10.0.0.1.", NULL, NULL, NULL, 0},
    {"10.0.0.256", NULL, NULL, NULL, 0},
    {"010.0.0.1", NULL, NULL, NULL, 0}, // octal to some, decimal to others
    {"0x0a.0.0.1", NULL, NULL, NULL, 0},
    {" 10.0.0.1", NULL, NULL, NULL, 0},
    {"10.0.0.1 ", NULL, NULL, NULL, 0},
    {"[10.0.0.1]", NULL, NULL, NULL, 0},
    {"[]", NULL, NULL, NULL, 0},
    {"[::1", NULL, NULL, NULL, 0},
    {"::1]", NULL, NULL, NULL, 0},
    {"[::1]x", NULL, NULL, NULL, 0},
    {"[::1]:", NULL, NULL, NULL, 0},
    {"[fe80::1%eth0]", NULL, NULL, NULL, 0},
    {"10.0.0.1:", NULL, NULL, NULL, 0},
    {"10.0.0.1:0", NULL, NULL, NULL, 0},
    {"10.0.0.1:05060", NULL, NULL, NULL, 0},
    {"10.0.0.1:65536", NULL, NULL, NULL, 0},
    {"10.0.0.1:99999", NULL, NULL, NULL, 0},
    {"10.0.0.1:100000", NULL, NULL, NULL, 0},
    {"10.0.0.1:+5", NULL, NULL, NULL, 0},
    {"10.0.0.1:5x", NULL, NULL, NULL, 0},
    {":5060", NULL, NULL, NULL, 0},
    {"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa", NULL, NULL, NULL, 0},
};

typedef bool read_fn(const char *, size_t, struct tl_addr *);
typedef const char *print_fn(const struct tl_addr *, char *);

static bool one(const char *text, const char *expected, read_fn *read, print_fn *print)
{
    char out[TL_ADDR_TEXT] = "old";
    struct tl_addr addr;
    size_t len = strlen(text);
    char *exact = malloc(len ? len : 1); // the sanitiser sees a byte read behind it
    memcpy(exact, text, len);
    memset(&addr, 0xa5, sizeof addr);
    bool good = read(exact, len, &addr);
    free(exact);
    print(&addr, out);
    return good == (expected != NULL) && tl_addr_is_set(&addr) == good &&
           strcmp(out, expected ? expected : "") == 0;
}

static void text_both_ways(void)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        const char *text = table[i].text;
        struct tl_addr addr;
        CU_ASSERT(one(text, table[i].ip, tl_addr_read_ip, tl_addr_print_ip));
        CU_ASSERT(one(text, table[i].host, tl_addr_read_host, tl_addr_print_host));
        CU_ASSERT(one(text, table[i].whole, tl_addr_read, tl_addr_print));
        tl_addr_read(text, strlen(text), &addr);
        CU_ASSERT(addr.port == table[i].port && addr.pad == 0);
    }
    struct tl_addr addr;
    CU_ASSERT(!tl_addr_read_ip("10.0.0.1\0", 9, &addr) && !tl_addr_read("10.0.0.1\0:5", 11, &addr));
    CU_ASSERT(tl_addr_read("10.0.0.1:5", 10, &addr));
    CU_ASSERT_STRING_EQUAL(TL_ADDR_STR(&addr), "10.0.0.1:5");
}

static struct tl_addr of(const char *text)
{
    struct tl_addr addr;
    if (*text && !tl_addr_read(text, strlen(text), &addr))
        CU_ASSERT_FATAL(tl_addr_read_ip(text, strlen(text), &addr));
    if (!*text)
        memset(&addr, 0, sizeof addr);
    return addr;
}

static void compared(void)
{
    static const struct {
        const char *a, *b;
        bool host, all;
    } pairs[] = {
        {"10.0.0.1:5", "10.0.0.1:5", true, true},
        {"10.0.0.1:5", "10.0.0.1:6", true, false},
        {"10.0.0.1:5", "10.0.0.2:5", false, false},
        {"[::1]:5", "[::1]:5", true, true},
        {"[::1]:5", "[::2]:5", false, false},
        {"::ffff:10.0.0.1", "10.0.0.1", true, true},
        {"a00:1::", "10.0.0.1", false, false}, // the same bytes
        {"", "", true, true},
        {"", "0.0.0.0", false, false},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        struct tl_addr a = of(pairs[i].a), b = of(pairs[i].b);
        CU_ASSERT(tl_addr_same_host(&a, &b) == pairs[i].host && tl_addr_same_host(&b, &a) == pairs[i].host);
        CU_ASSERT(tl_addr_equal(&a, &b) == pairs[i].all && tl_addr_equal(&b, &a) == pairs[i].all);
    }
    static const struct {
        const char *text;
        bool any;
    } anys[] = {{"0.0.0.0:1", true}, {"::", true}, {"0.0.0.1", false}, {"::1", false}, {"", false}};
    for (size_t i = 0; i < sizeof anys / sizeof *anys; i++) {
        struct tl_addr a = of(anys[i].text);
        CU_ASSERT(tl_addr_is_any(&a) == anys[i].any);
    }
}

static void kernel_both_ways(void)
{
    static const char *const texts[] = {"10.0.0.1:5060", "[2001:db8::1]:5061"};
    static const unsigned sizes[] = {sizeof(struct sockaddr_in), sizeof(struct sockaddr_in6)};
    struct sockaddr_storage kernel;
    for (unsigned i = 0; i < 2; i++) {
        struct tl_addr addr = of(texts[i]), back;
        CU_ASSERT(tl_addr_to_sockaddr(&addr, &kernel) == sizes[i]);
        CU_ASSERT(tl_addr_from_sockaddr((struct sockaddr *)&kernel, &back));
        CU_ASSERT(memcmp(&addr, &back, sizeof addr) == 0);
    }
    struct tl_addr unset = of(""), back = of("10.0.0.1:5");
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    CU_ASSERT(tl_addr_to_sockaddr(&unset, &kernel) == 0);
    CU_ASSERT(!tl_addr_from_sockaddr((struct sockaddr *)&local, &back) && !tl_addr_is_set(&back));
}

static void transport_rows(void)
{
    enum tl_transport t;
    for (unsigned i = 0; i < TL_TRANSPORT_COUNT; i++) {
        const struct tl_transport_row *row = tl_transport_row((enum tl_transport)i);
        CU_ASSERT(tl_transport_by_name(row->name, strlen(row->name), &t) && t == i);
        CU_ASSERT(tl_transport_by_name(row->via, strlen(row->via), &t) && t == i);
        CU_ASSERT_STRING_EQUAL(tl_transport_words[i], row->name);
        CU_ASSERT(row->default_port != 0 &&
                  (row->uri[0] == '\0' || strncmp(row->uri, ";transport=", 11) == 0));
    }
    CU_ASSERT(tl_transport_words[TL_TRANSPORT_COUNT] == NULL);
    CU_ASSERT(!tl_transport_row(TL_UDP)->stream && !tl_transport_row(TL_UDP)->reliable);
    CU_ASSERT(tl_transport_row(TL_TCP)->stream && tl_transport_row(TL_TCP)->reliable);
    CU_ASSERT(!tl_transport_by_name("tc", 2, &t) && !tl_transport_by_name("sctp", 4, &t));
    CU_ASSERT(tl_transport_row((enum tl_transport)99) == tl_transport_row(TL_UDP));
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"text_both_ways", text_both_ways},
        {"compared", compared},
        {"kernel_both_ways", kernel_both_ways},
        {"transport_rows", transport_rows},
    };
    return test_main("addr", TEST_CASES(cases), argc, argv);
}
