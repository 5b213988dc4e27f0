// SPDX-License-Identifier: BSD-3-Clause
// Names of certificates against hosts, by tables.
#include "control/sip/certname.h"
#include "runner.h"

#include <stdio.h>
#include <string.h>

#define NAME(kind, text)                                                                                     \
    {                                                                                                        \
        kind, text, sizeof text - 1                                                                          \
    }

static void one_name(void)
{
    static const struct {
        struct cert_name name;
        const char *host;
        bool fits;
    } rows[] = {
        {NAME(CERT_DNS, "sbc.example.com"), "sbc.example.com", true},
        {NAME(CERT_DNS, "SBC.Example.COM"), "sbc.example.com", true},
        {NAME(CERT_DNS, "sbc.example.com."), "sbc.example.com", true},
        {NAME(CERT_DNS, "sbc.example.com"), "sbc.example.co", false},
        {NAME(CERT_DNS, "sbc.example.co"), "sbc.example.com", false},
        {NAME(CERT_DNS, "example.com"), "sbc.example.com", false},
        {NAME(CERT_DNS, ""), "sbc.example.com", false},
        {NAME(CERT_DNS, "."), "sbc.example.com", false},
        {NAME(CERT_DNS, "localhost"), "localhost", true},
        {NAME(CERT_DNS, "xn--bcher-kva.example"), "xn--bcher-kva.example", true},
        // wildcards: the whole first label, and two behind it
        {NAME(CERT_DNS, "*.example.com"), "sbc.example.com", true},
        {NAME(CERT_DNS, "*.EXAMPLE.com"), "sbc.example.com", true},
        {NAME(CERT_DNS, "*.example.com"), "a.sbc.example.com", false},
        {NAME(CERT_DNS, "*.example.com"), "example.com", false},
        {NAME(CERT_DNS, "*.com"), "example.com", false},
        {NAME(CERT_DNS, "*"), "example", false},
        {NAME(CERT_DNS, "*."), "example.", false},
        {NAME(CERT_DNS, "*.*.com"), "sbc.example.com", false},
        {NAME(CERT_DNS, "s*.example.com"), "sbc.example.com", false},
        {NAME(CERT_DNS, "*c.example.com"), "sbc.example.com", false},
        {NAME(CERT_DNS, "sbc.*.com"), "sbc.example.com", false},
        {NAME(CERT_CN, "*.example.com"), "sbc.example.com", true},
        {NAME(CERT_CN, "Our gateway"), "Our gateway", false},
        // what is no name
        {NAME(CERT_DNS, "sbc.example.com\0.example.net"), "sbc.example.com", false},
        {NAME(CERT_DNS, "sbc.example.com\0"), "sbc.example.com", false},
        {NAME(CERT_DNS, "\0sbc.example.com"), "sbc.example.com", false},
        {NAME(CERT_DNS, "sbc..example.com"), "sbc..example.com", false},
        {NAME(CERT_DNS, ".example.com"), ".example.com", false},
        {NAME(CERT_DNS, "sbc.example.com "), "sbc.example.com", false},
        {NAME(CERT_DNS, "sbc.ex\xc3\xa4mple.com"), "sbc.ex\xc3\xa4mple.com", false},
        {NAME(CERT_DNS, "sip:sbc.example.com"), "sbc.example.com", false},
        // URIs
        {NAME(CERT_URI, "sip:example.com"), "example.com", true},
        {NAME(CERT_URI, "SIP:Example.com"), "example.com", true},
        {NAME(CERT_URI, "sip:*.example.com"), "sbc.example.com", false},
        {NAME(CERT_URI, "sip:user@example.com"), "example.com", false},
        {NAME(CERT_URI, "sip:example.com:5061"), "example.com", false},
        {NAME(CERT_URI, "sip:example.com;transport=tls"), "example.com", false},
        {NAME(CERT_URI, "sips:example.com"), "example.com", false},
        {NAME(CERT_URI, "sip:example.com\0x"), "example.com", false},
        {NAME(CERT_URI, "sip:"), "example.com", false},
        {NAME(CERT_URI, "sip"), "example.com", false},
        {NAME(CERT_URI, "example.com"), "example.com", false},
        // hosts that nobody can have
        {NAME(CERT_DNS, "*.example.com"), ".example.com", false},
        {NAME(CERT_DNS, ""), "", false},
        {NAME(CERT_DNS, "192.0.2.1"), "192.0.2.1", true},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool fits = cert_name_fits(&rows[i].name, rows[i].host);
        CU_ASSERT(fits == rows[i].fits);
        if (fits != rows[i].fits)
            printf("     row %u: \"%s\" for \"%s\"\n", i, rows[i].name.p, rows[i].host);
    }
}

static void which_names_count(void)
{
    static const struct {
        struct cert_name names[3];
        unsigned count;
        bool fits;
    } rows[] = {
        {{{0}}, 0, false},
        {{NAME(CERT_CN, "a.example.com")}, 1, true},
        {{NAME(CERT_DNS, "b.example.com"), NAME(CERT_DNS, "a.example.com")}, 2, true},
        // a common name counts only alone
        {{NAME(CERT_DNS, "b.example.com"), NAME(CERT_CN, "a.example.com")}, 2, false},
        {{NAME(CERT_URI, "http://b.example.com/"), NAME(CERT_CN, "a.example.com")}, 2, false},
        // a DNS name only without a sip: URI
        {{NAME(CERT_URI, "sip:b.example.com"), NAME(CERT_DNS, "a.example.com")}, 2, false},
        {{NAME(CERT_URI, "sip:a.example.com"), NAME(CERT_DNS, "b.example.com")}, 2, true},
        {{NAME(CERT_URI, "http://b.example.com/"), NAME(CERT_DNS, "a.example.com")}, 2, true},
        {{NAME(CERT_URI, "sip:someone@b.example.com"), NAME(CERT_DNS, "a.example.com")}, 2, true},
        {{NAME(CERT_URI, "sips:b.example.com"), NAME(CERT_DNS, "a.example.com")}, 2, true},
    };
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
        CU_ASSERT(cert_names_fit(rows[i].names, rows[i].count, "a.example.com") == rows[i].fits);
}

// What is longer than a name may be is nobody's, though it begins or ends as one.
static void long_names(void)
{
    static char host[400], text[70000];
    memset(host, 'a', sizeof host);
    for (unsigned i = 63; i < sizeof host; i += 64)
        host[i] = '.';
    host[253] = '\0';
    struct cert_name name = {CERT_DNS, host, strlen(host)};
    CU_ASSERT(cert_name_fits(&name, host));
    host[253] = 'a';
    host[254] = '\0';
    name.len = 254;
    CU_ASSERT(!cert_name_fits(&name, host));
    memset(host, 'a', 64); // a label of 64
    host[64] = '\0';
    name.len = 64;
    CU_ASSERT(!cert_name_fits(&name, host));
    memset(text, 'a', sizeof text);
    memcpy(text + sizeof text - 12, ".example.com", 12);
    name = (struct cert_name){CERT_DNS, text, sizeof text};
    CU_ASSERT(!cert_name_fits(&name, "a.example.com"));
    memcpy(text, "*.", 2);
    CU_ASSERT(!cert_name_fits(&name, "a.example.com"));
    memcpy(text, "sip:", 4);
    name.kind = CERT_URI;
    CU_ASSERT(!cert_name_fits(&name, "a.example.com"));
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"one_name", one_name}, {"which_names_count", which_names_count}, {"long_names", long_names}};
    return test_main("certname", TEST_CASES(cases), argc, argv);
}
