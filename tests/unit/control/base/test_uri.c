// SPDX-License-Identifier: BSD-3-Clause
// URIs as they come: what is read, and what may be called.
#include "control/base/uri.h"

#include <stdio.h>

#include "runner.h"

static bool equal(struct header_str s, const char *text)
{
    return s.len == strlen(text) && memcmp(s.len ? s.p : "", text, s.len) == 0;
}

static void uris(void)
{
    static const struct {
        const char *text;
        enum { NONE, READ, CALLABLE } good;
        enum uri_scheme scheme;
        const char *user, *options, *host;
        unsigned port;
        const char *params, *headers;
    } table[] = {
        {"sip:h", CALLABLE, URI_SIP, "", "", "h", 0, "", ""},
        {"sips:a:pass@h.example:5061;lr?x=y", CALLABLE, URI_SIPS, "a", "", "h.example", 5061, ";lr", "x=y"},
        {"SIP:a;p=1:secret@10.0.0.1", CALLABLE, URI_SIP, "a", ";p=1", "10.0.0.1", 0, "", ""},
        {"sip:a:b;c@h", CALLABLE, URI_SIP, "a", "", "h", 0, "", ""},
        {"sip:a?b/c;d@10.0.0.1:5070;transport=tcp", CALLABLE, URI_SIP, "a?b/c", ";d", "10.0.0.1", 5070,
         ";transport=tcp", ""},
        {"sip:PBX#1000#[x]@10.0.0.1", CALLABLE, URI_SIP, "PBX#1000#[x]", "", "10.0.0.1", 0, "", ""},
        {"sip:[2001:db8::1]:5062;ob", CALLABLE, URI_SIP, "", "", "[2001:db8::1]", 5062, ";ob", ""},
        {"sip:a@[2001:db8::1]", CALLABLE, URI_SIP, "a", "", "[2001:db8::1]", 0, "", ""},
        {"sip:a_b@h_1", CALLABLE, URI_SIP, "a_b", "", "h_1", 0, "", ""},
        {"sip:@h", CALLABLE, URI_SIP, "", "", "h", 0, "", ""},
        {"sip::secret@h", CALLABLE, URI_SIP, "", "", "h", 0, "", ""},
        {"sip:h?", CALLABLE, URI_SIP, "", "", "h", 0, "", ""},
        {"sip:h;x=a@b", CALLABLE, URI_SIP, "h", ";x=a", "b", 0, "",
         ""}, // RFC 3261 19.1.1: before '@' is the user
        {"sip:a@h;x=b@c", CALLABLE, URI_SIP, "a", "", "h", 0, ";x=b@c", ""},
        {"sip:a@h?x=b@c", CALLABLE, URI_SIP, "a", "", "h", 0, "", "x=b@c"},
        {"tel:+1-555;ext=1", CALLABLE, URI_TEL, "+1-555", ";ext=1", "", 0, "", ""},
        {"tel:a", CALLABLE, URI_TEL, "a", "", "", 0, "", ""}, // a digit of RFC 3966
        {"urn:service:sos", CALLABLE, URI_OTHER, "", "", "", 0, "", ""},
        {"h323+x.y-1:h", CALLABLE, URI_OTHER, "", "", "", 0, "", ""},
        {"1sip:a@b", CALLABLE, URI_OTHER, "", "", "", 0, "", ""},
        // what the field writes into a From, and nobody can be called by
        {"sip:a@h.example@c", READ, URI_SIP, "a@h.example", "", "c", 0, "", ""},
        {"sip:a b@h", READ, URI_SIP, "a b", "", "h", 0, "", ""},
        {"sip:a@h ", READ, URI_SIP, "a", "", "h", 0, "", ""},
        {"sip:a@h:", READ, URI_SIP, "a", "", "h", 0, "", ""},
        {"sip:a@h:0", READ, URI_SIP, "a", "", "h", 0, "", ""},
        {"sip:a@h:70000;x", READ, URI_SIP, "a", "", "h", 0, ";x", ""},
        {"sip:a@h:5o6o", READ, URI_SIP, "a", "", "h", 0, "", ""},
        {"sip:a@[::g]", NONE, 0, "", "", "", 0, "", ""},
        {"sip:a@[:::]", READ, URI_SIP, "a", "", "[:::]", 0, "", ""},
        {"sip:a@[::1]x", READ, URI_SIP, "a", "", "[::1]", 0, "", ""},
        {"sip:<a>@h", READ, URI_SIP, "<a>", "", "h", 0, "", ""},
        {"sip:\"a\"@h", READ, URI_SIP, "\"a\"", "", "h", 0, "", ""},
        {"tel:1 2", READ, URI_TEL, "1 2", "", "", 0, "", ""},
        // none
        {"", NONE, 0, "", "", "", 0, "", ""},
        {"sip", NONE, 0, "", "", "", 0, "", ""},
        {":a@b", NONE, 0, "", "", "", 0, "", ""},
        {"s_p:a@b", NONE, 0, "", "", "", 0, "", ""},
        {"+a:b", NONE, 0, "", "", "", 0, "", ""},
        {"sip:", NONE, 0, "", "", "", 0, "", ""},
        {"sip:a@", NONE, 0, "", "", "", 0, "", ""},
        {"sip:a@[::1", NONE, 0, "", "", "", 0, "", ""},
        {"sip:a@::1", NONE, 0, "", "", "", 0, "", ""},
        {"sip:a@h/x", NONE, 0, "", "", "", 0, "", ""},
        {"sip:a@h\r\nX: y", NONE, 0, "", "", "", 0, "", ""},
        {"sip:a\x01@h", NONE, 0, "", "", "", 0, "", ""},
        {"tel:", NONE, 0, "", "", "", 0, "", ""},
        {"tel:;ext=1", NONE, 0, "", "", "", 0, "", ""},
        {"mailto:", NONE, 0, "", "", "", 0, "", ""},
        {"http://h/ x", NONE, 0, "", "", "", 0, "", ""},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        struct uri uri;
        bool read = uri_read(header_str(table[i].text), &uri);
        bool good = read == (table[i].good != NONE);
        if (good && read)
            good = uri.callable == (table[i].good == CALLABLE) && uri.scheme == table[i].scheme &&
                   equal(uri.text, table[i].text) && equal(uri.user, table[i].user) &&
                   equal(uri.options, table[i].options) && equal(uri.host, table[i].host) &&
                   uri.port == table[i].port && equal(uri.params, table[i].params) &&
                   equal(uri.headers, table[i].headers);
        CU_ASSERT(good);
        if (!good)
            printf("     row %zu: %s: %d, callable %d, user '%.*s', options '%.*s', host '%.*s'\n", i,
                   table[i].text, read, uri.callable, (int)uri.user.len, uri.user.len ? uri.user.p : "",
                   (int)uri.options.len, uri.options.len ? uri.options.p : "", (int)uri.host.len,
                   uri.host.len ? uri.host.p : "");
    }
    struct uri uri;
    CU_ASSERT_FALSE(uri_read((struct header_str){"sip:a\0b@h", 9}, &uri));
    CU_ASSERT_FALSE(uri_read((struct header_str){NULL, 0}, &uri));
}

static void schemes(void)
{
    static const struct {
        const char *text;
        size_t length;
    } table[] = {{"sip:", 3}, {"a+b-c.d:x", 7}, {"1:2", 1}, {"sip", 0}, {"", 0}, {":", 0}, {"a b:c", 0}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        CU_ASSERT_EQUAL(uri_scheme_length(header_str(table[i].text)), table[i].length);
}

static void users(void)
{
    static const struct {
        const char *in, *out; // NULL: refused
    } table[] = {
        {"a", "a"},
        {"%2b1", "+1"},
        {"%2B1%23", "+1#"},
        {"50%", "50%"},
        {"%4", "%4"},
        {"%zz", "%zz"},
        {"%2525", "%25"},
        {"J%C3%A4", "J\xc3\xa4"},
        {"", NULL},
        {"a%00b", NULL},
        {"a%0d%0ab", NULL},
        {"a%7F", NULL},
        {"1234567", "1234567"},
        {"12345678", NULL},
        {"%31234567", "1234567"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        char out[8];
        bool good = uri_unescape(header_str(table[i].in), out, sizeof out);
        CU_ASSERT_EQUAL(good, table[i].out != NULL);
        CU_ASSERT_STRING_EQUAL(out, table[i].out ? table[i].out : "");
    }
    static const struct {
        const char *text;
        bool number;
    } numbers[] = {{"+1-555.(0)", true}, {"*31#", true}, {"%2B1", true},   {"1+1", false}, {"++1", false},
                   {"", false},          {"-.", false},  {"alice", false}, {"1a", false}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        CU_ASSERT_EQUAL(uri_user_is_number(header_str(numbers[i].text)), numbers[i].number);
    for (int i = 0; i < 256; i++) {
        char c = (char)i;
        bool alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        CU_ASSERT_EQUAL(uri_is_user_char(c), alnum || (c && strchr("-_.!~*'()&=+$,;?/", c)));
    }
}

int main(int argc, char **argv)
{
    static const struct test_case cases[] = {
        {"URIs", uris},
        {"schemes", schemes},
        {"users", users},
    };
    return test_main("uri", TEST_CASES(cases), argc, argv);
}
