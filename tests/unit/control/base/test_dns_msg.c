// SPDX-License-Identifier: BSD-3-Clause
// Answers of name servers: good ones, and those that lie, loop or are cut.
#include <stdio.h>
#include <string.h>

#include "common/addr.h"
#include "control/base/dns_msg.h"
#include "runner.h"

static uint8_t msg[65535];
static size_t len;

static void put_8(unsigned n)
{
    msg[len++] = (uint8_t)n;
}

static void put_16(unsigned n)
{
    put_8(n >> 8);
    put_8(n & 0xff);
}

// Labels of "a.b" and the root; "@12" is a pointer.
static void put_name(const char *name)
{
    while (*name && *name != '@') {
        size_t n = strcspn(name, ".@");
        put_8((unsigned)n);
        memcpy(msg + len, name, n);
        len += n;
        name += n + (name[n] == '.');
    }
    unsigned at;
    if (sscanf(name, "@%u", &at) == 1)
        put_16(0xc000 | at);
    else
        put_8(0);
}

static void begin(unsigned code, const char *question, unsigned type, unsigned answers, unsigned authorities)
{
    len = 0;
    put_16(1);
    put_16(0x8180 | code);
    put_16(question != NULL);
    put_16(answers);
    put_16(authorities);
    put_16(0);
    if (!question)
        return;
    put_name(question);
    put_16(type);
    put_16(1);
}

// A record whose data follows; end_data() fills its length in.
static size_t record(const char *name, unsigned type, uint32_t ttl)
{
    put_name(name);
    put_16(type);
    put_16(1);
    put_16(ttl >> 16);
    put_16(ttl & 0xffff);
    put_16(0);
    return len;
}

static void end_data(size_t from)
{
    msg[from - 2] = (uint8_t)((len - from) >> 8);
    msg[from - 1] = (uint8_t)(len - from);
}

static void address(const char *name, uint32_t ttl, unsigned last)
{
    size_t at = record(name, DNS_A, ttl);
    put_8(10), put_8(0), put_8(0), put_8(last);
    end_data(at);
}

static void alias(const char *name, const char *to, uint32_t ttl)
{
    size_t at = record(name, DNS_CNAME, ttl);
    put_name(to);
    end_data(at);
}

static struct dns_answer answer;

static enum dns_status read_as(const char *name, enum dns_type type)
{
    dns_read(msg, len, name, type, &answer);
    return answer.status;
}

static void records_are_read(void)
{
    begin(0, "A.Example", DNS_A, 3, 0);
    address("@12", 300, 1);
    address("a.example", 60, 2);
    address("other.example", 1, 3); // of another name: passed over
    CU_ASSERT(read_as("a.example", DNS_A) == DNS_FOUND && answer.count == 2 && answer.ttl_s == 60);
    CU_ASSERT(answer.foreign == 1 && answer.fault == DNS_SOUND);
    CU_ASSERT(answer.record[1].addr.ip[3] == 2 && answer.record[0].addr.family == TL_AF_INET);

    begin(0, "_sip._udp.example", DNS_SRV, 1, 0);
    size_t at = record("@12", DNS_SRV, 30);
    put_16(10), put_16(20), put_16(5070), put_name("host@22");
    end_data(at);
    CU_ASSERT(read_as("_sip._udp.example", DNS_SRV) == DNS_FOUND);
    CU_ASSERT(answer.record[0].priority == 10 && answer.record[0].weight == 20 &&
              answer.record[0].port == 5070);
    CU_ASSERT_STRING_EQUAL(answer.record[0].name, "host.example");

    begin(0, "example", DNS_NAPTR, 2, 0);
    for (unsigned i = 0; i < 2; i++) { // the second has a service that is no word for SIP
        at = record("example", DNS_NAPTR, 30);
        put_16(50), put_16(60), put_8(1), put_8('s');
        put_8(i ? 40 : 7);
        memcpy(msg + len, "SIP+D2U+what is longer than any that we know of", i ? 40 : 7);
        len += i ? 40 : 7;
        put_8(3), put_8('!'), put_8('x'), put_8('!'), put_name("_sip._udp.example");
        end_data(at);
    }
    CU_ASSERT(read_as("example.", DNS_NAPTR) == DNS_FOUND && answer.count == 2);
    CU_ASSERT_STRING_EQUAL(answer.record[0].flags, "s");
    CU_ASSERT_STRING_EQUAL(answer.record[0].service, "SIP+D2U");
    CU_ASSERT_STRING_EQUAL(answer.record[0].name, "_sip._udp.example");
    CU_ASSERT_STRING_EQUAL(answer.record[1].service, "");
}

static void aliases_are_followed_and_bounded(void)
{
    begin(0, "a", DNS_A, 3, 0);
    address("c", 500, 7); // before those that lead to it
    alias("b", "c", 40);
    alias("a", "b", 90);
    CU_ASSERT(read_as("a", DNS_A) == DNS_FOUND && answer.count == 1 && answer.ttl_s == 40);
    begin(0, "a", DNS_A, 3, 0);
    alias("a", "b", 90);
    alias("b", "a", 90);
    address("b", 500, 7);
    CU_ASSERT(read_as("a", DNS_A) == DNS_BROKEN && answer.fault == DNS_LOOP);
    begin(0, "a", DNS_A, 1, 0);
    alias("a", "a", 90);
    CU_ASSERT(read_as("a", DNS_A) == DNS_BROKEN);
    for (unsigned hops = DNS_CNAMES_MAX; hops <= DNS_CNAMES_MAX + 1; hops++) {
        char from[8] = "n0", to[8];
        begin(0, "n0", DNS_A, hops + 1, 0);
        for (unsigned i = 0; i < hops; i++) {
            snprintf(to, sizeof to, "n%u", i + 1);
            alias(from, to, 60);
            memcpy(from, to, sizeof from);
        }
        address(from, 60, 1);
        CU_ASSERT(read_as("n0", DNS_A) == (hops <= DNS_CNAMES_MAX ? DNS_FOUND : DNS_BROKEN));
    }
}

static void negative_answers(void)
{
    for (unsigned code = 0; code <= 5; code++) {
        begin(code, "a.example", DNS_A, 0, 1);
        size_t at = record("example", DNS_SOA, 600);
        put_name("ns"), put_name("root");
        for (unsigned i = 0; i < 4; i++)
            put_16(0), put_16(1);
        put_16(0), put_16(120); // minimum
        end_data(at);
        bool nothing = code == 0 || code == 3;
        CU_ASSERT(read_as("a.example", DNS_A) == (nothing ? DNS_NOTHING : DNS_FAILED));
        CU_ASSERT(!nothing || answer.ttl_s == 120);
    }
    begin(3, "a", DNS_A, 0, 0);
    CU_ASSERT(read_as("a", DNS_A) == DNS_NOTHING && answer.ttl_s == 0);
}

static void lies_are_no_answers(void)
{
    begin(0, "b.example", DNS_A, 1, 0); // to another question
    address("b.example", 60, 1);
    CU_ASSERT(read_as("a.example", DNS_A) == DNS_BROKEN && answer.fault == DNS_OTHER);
    len = 20; // and one that ends within its question
    CU_ASSERT(read_as("b.example", DNS_A) == DNS_BROKEN && answer.fault == DNS_MALFORMED);
    begin(0, "a.example", DNS_AAAA, 1, 0);
    address("a.example", 60, 1);
    CU_ASSERT(read_as("a.example", DNS_A) == DNS_BROKEN);
    begin(0, "a", DNS_A, 1, 0); // an address of 5 bytes
    size_t at = record("a", DNS_A, 60);
    put_16(1), put_16(2), put_8(3);
    end_data(at);
    CU_ASSERT(read_as("a", DNS_A) == DNS_BROKEN);
    begin(0, NULL, 0, 1, 0); // a name that points to itself, forward and behind the end
    for (unsigned to = 12; to < 5000; to += to < 14 ? 1 : 977) {
        char name[8];
        len = 12;
        snprintf(name, sizeof name, "@%u", to);
        address(name, 60, 1);
        CU_ASSERT(read_as("a", DNS_A) != DNS_FOUND);
    }
    begin(0, "a", DNS_A, 1, 0); // a TTL with its first bit set is none, RFC 2181
    address("a", UINT32_C(0x80000001), 1);
    CU_ASSERT(read_as("a", DNS_A) == DNS_FOUND && answer.ttl_s == 0);
    begin(0, "a", DNS_A, DNS_RECORDS_MAX + 3, 0);
    for (unsigned i = 0; i < DNS_RECORDS_MAX + 3; i++)
        address("a", 60, i);
    CU_ASSERT(read_as("a", DNS_A) == DNS_FOUND && answer.count == DNS_RECORDS_MAX && answer.cut);
    begin(0, "a", DNS_A, 3000, 0); // as many as TCP can bring
    for (unsigned i = 0; i < 3000; i++)
        address("a", 60, i);
    CU_ASSERT(read_as("a", DNS_A) == DNS_FOUND && answer.count == DNS_RECORDS_MAX && answer.cut);
}

// What ends too early says nothing of what there is not: the name stands for what it stood for. What was read before counts.
static void cut_answers_deny_nothing(void)
{
    begin(0, "a", DNS_A, 40, 1);
    address("a", 60, 1);
    size_t first = len;
    address("a", 60, 2);
    size_t second = len;
    for (len = first; len < second; len++)
        CU_ASSERT(read_as("a", DNS_A) == DNS_FOUND && answer.count == 1 && answer.cut);
    for (len = 12; len < first; len++)
        CU_ASSERT(read_as("a", DNS_A) == DNS_BROKEN);
    begin(0, "a", DNS_A, 2, 0); // the alias is there, what it leads to is not
    alias("a", "b", 60);
    CU_ASSERT(read_as("a", DNS_A) == DNS_BROKEN);
}

// Every shorter message and every changed byte is survived, and never more is found than is there.
static void whatever_comes_is_survived(void)
{
    uint8_t whole[600];

    begin(0, "a.example", DNS_A, 3, 0);
    alias("@12", "b@14", 60);
    address("b.example", 60, 1);
    address("b.example", 60, 2);
    CU_ASSERT_FATAL(read_as("a.example", DNS_A) == DNS_FOUND && answer.count == 2 && len < sizeof whole);
    size_t all = len;
    memcpy(whole, msg, all);
    for (len = 0; len < all; len++) {
        read_as("a.example", DNS_A);
        CU_ASSERT(answer.count <= 1);
    }
    for (size_t i = 0; i < all; i++)
        for (unsigned n = 0; n < 256; n++) {
            memcpy(msg, whole, all);
            msg[i] = (uint8_t)n;
            read_as("a.example", DNS_A);
            CU_ASSERT(answer.count <= 2);
        }
}

int main(int argc, char **argv)
{
    const struct test_case cases[] = {
        {"records_are_read", records_are_read},
        {"aliases_are_followed_and_bounded", aliases_are_followed_and_bounded},
        {"negative_answers", negative_answers},
        {"lies_are_no_answers", lies_are_no_answers},
        {"cut_answers_deny_nothing", cut_answers_deny_nothing},
        {"whatever_comes_is_survived", whatever_comes_is_survived},
    };
    return test_main("dns_msg", TEST_CASES(cases), argc, argv);
}
