// SPDX-License-Identifier: BSD-3-Clause
#include "control/base/uri.h"

#include <stdlib.h>
#include <strings.h>

#include "common/addr.h"
#include "common/number.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex(char c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool header_str_is(struct header_str s, const char *text)
{
    return s.p && strlen(text) == s.len && strncasecmp(s.p, text, s.len) == 0;
}

struct header_str header_trim(struct header_str s)
{
    while (s.len && is_space(s.p[0])) {
        s.p++;
        s.len--;
    }
    while (s.len && is_space(s.p[s.len - 1]))
        s.len--;
    return s;
}

// ---- users --------------------------------------------------------------------------------------------

// The character at s.p[*i], an escape of one that a number can have read as what it means; *i goes behind it.
static char number_char(struct header_str s, size_t *i)
{
    char c = s.p[(*i)++];
    if (c != '%' || *i + 2 > s.len)
        return c;
    const char *hex = s.p + *i;
    static const char *const codes[] = {"2B+", "23#", "2A*"};
    for (size_t k = 0; k < sizeof codes / sizeof codes[0]; k++)
        if (strncasecmp(hex, codes[k], 2) == 0) {
            *i += 2;
            return codes[k][2];
        }
    return c;
}

static bool is_separator(char c)
{
    return c == '-' || c == '.' || c == '(' || c == ')';
}

bool uri_user_is_number(struct header_str user)
{
    bool digits = false;
    for (size_t i = 0; i < user.len;) {
        char c = number_char(user, &i);
        if (c == '+' ? digits : !is_digit(c) && c != '*' && c != '#' && !is_separator(c))
            return false;
        digits = digits || !is_separator(c);
    }
    return digits;
}

bool uri_unescape(struct header_str s, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len && size; i++, n++) {
        unsigned char c = (unsigned char)s.p[i];
        if (c == '%' && i + 2 < s.len && hex(s.p[i + 1]) >= 0 && hex(s.p[i + 2]) >= 0) {
            c = (unsigned char)(hex(s.p[i + 1]) << 4 | hex(s.p[i + 2]));
            i += 2;
        }
        if (n + 1 >= size || c < ' ' || c == 0x7f) {
            n = 0;
            break;
        }
        out[n] = (char)c;
    }
    if (size)
        out[n] = '\0';
    return n > 0;
}

bool uri_is_user_char(char c)
{
    return is_alnum(c) || (c && strchr("-_.!~*'()&=+$,;?/", c));
}

static void put_escaped(struct header_out *out, struct header_str user, bool drop_separators)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < user.len; i++) {
        char c = user.p[i];
        bool escape = c == '%' && i + 2 < user.len && hex(user.p[i + 1]) >= 0 && hex(user.p[i + 2]) >= 0;
        if (drop_separators && is_separator(c))
            continue;
        if (escape || uri_is_user_char(c))
            header_put(out, (struct header_str){&c, 1});
        else
            header_put(out,
                       (struct header_str){
                           (char[]){'%', digits[(unsigned char)c >> 4], digits[(unsigned char)c & 15]}, 3});
    }
}

void uri_put_user(struct header_out *out, struct header_str user)
{
    put_escaped(out, user, uri_user_is_number(user));
}

bool uri_same_user(struct header_str a, struct header_str b)
{
    if (!uri_user_is_number(a) || !uri_user_is_number(b))
        return a.len == b.len && (!a.len || memcmp(a.p, b.p, a.len) == 0);
    size_t i = 0, k = 0;
    for (;;) {
        char x = 0, y = 0;
        while (i < a.len && is_separator(x = number_char(a, &i)))
            x = 0;
        while (k < b.len && is_separator(y = number_char(b, &k)))
            y = 0;
        if (x != y)
            return false;
        if (!x)
            return true;
    }
}

// ---- URIs ---------------------------------------------------------------------------------------------

// Splits at the first of `stops`: returns what is before it, *rest is from it on.
static struct header_str before(struct header_str s, const char *stops, struct header_str *rest)
{
    size_t n = 0;
    while (n < s.len && (!s.p[n] || !strchr(stops, s.p[n])))
        n++;
    *rest = (struct header_str){s.len ? s.p + n : s.p, s.len - n}; // what is absent has no end to point to
    return (struct header_str){s.p, n};
}

static bool is_host(struct header_str s)
{
    if (s.len > 2 && s.p[0] == '[' && s.p[s.len - 1] == ']') {
        for (size_t i = 1; i < s.len - 1; i++)
            if (hex(s.p[i]) < 0 && s.p[i] != ':' && s.p[i] != '.')
                return false;
        return true;
    }
    for (size_t i = 0; i < s.len; i++)
        if (!is_alnum(s.p[i]) && s.p[i] != '-' && s.p[i] != '.' && s.p[i] != '_')
            return false;
    return s.len > 0;
}

// "HOST:PORT" before parameters and headers; *rest is what is behind the host.
static struct header_str take_host(struct header_str s, struct header_str *rest)
{
    const char *close = s.len && s.p[0] == '[' ? memchr(s.p, ']', s.len) : NULL;
    if (!close)
        return header_trim(before(s, ":;?", rest));
    size_t n = (size_t)(close + 1 - s.p);
    *rest = (struct header_str){s.p + n, s.len - n};
    return (struct header_str){s.p, n};
}

// Where the user part ends: the first '@' behind which a host stands. NULL: there is none.
static const char *find_at(struct header_str s)
{
    struct header_str rest = s, ignored;
    const char *at;
    while (rest.len && (at = memchr(rest.p, '@', rest.len))) {
        rest = (struct header_str){at + 1, rest.len - (size_t)(at + 1 - rest.p)};
        if (is_host(take_host(rest, &ignored)))
            return at;
    }
    return NULL;
}

// What stands between host and parameters: nothing, or a colon and a port.
static bool take_port(struct header_str s, uint16_t *port)
{
    uint64_t n = 0;
    if (s.len && (s.p[0] != ':' || !tl_read_number(s.p + 1, s.len - 1, UINT16_MAX, &n) || !n))
        return false;
    *port = (uint16_t)n;
    return true;
}

static bool read_sip(struct header_str rest, struct uri *uri)
{
    struct header_str behind, ignored;
    struct tl_addr addr;
    const char *at = find_at(rest);
    if (at) {
        struct header_str info = {rest.p, (size_t)(at - rest.p)};
        uri->user = before(info, ":;", &behind);
        if (uri->user.len && behind.len && behind.p[0] == ';') // and not a password
            uri->options = before(behind, ":", &ignored);
        rest = (struct header_str){at + 1, rest.len - info.len - 1};
        uri->callable = uri->callable && !memchr(info.p, '@', info.len);
    }
    uri->host = take_host(rest, &rest);
    struct header_str port = before(rest, ";?", &rest);
    uri->params = before(rest, "?", &rest);
    if (rest.len)
        uri->headers = (struct header_str){rest.p + 1, rest.len - 1};
    bool address =
        !uri->host.len || uri->host.p[0] != '[' || tl_addr_read_host(uri->host.p, uri->host.len, &addr);
    uri->callable = take_port(port, &uri->port) && uri->callable && address;
    return is_host(uri->host);
}

size_t uri_scheme_length(struct header_str text)
{
    struct header_str rest, scheme = before(text, ":", &rest);
    for (size_t i = 0; i < scheme.len; i++)
        if (!is_alnum(scheme.p[i]) && (i == 0 || !strchr("+-.", scheme.p[i])))
            return 0;
    return rest.len ? scheme.len : 0;
}

static enum uri_scheme scheme_of(struct header_str scheme)
{
    static const char *const names[] = {[URI_SIP] = "sip", [URI_SIPS] = "sips", [URI_TEL] = "tel"};
    for (unsigned i = URI_SIP; i < sizeof names / sizeof *names; i++)
        if (header_str_is(scheme, names[i]))
            return (enum uri_scheme)i;
    return URI_OTHER;
}

bool uri_read(struct header_str text, struct uri *uri)
{
    size_t scheme = uri_scheme_length(text);
    *uri = (struct uri){.text = text, .callable = true};
    if (!scheme || !header_is_clean(text))
        return false;
    uri->scheme = scheme_of((struct header_str){text.p, scheme});
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        if (c == '<' || c == '>' || c == '"' || is_space(c))
            uri->callable = false;
    }
    struct header_str rest = {text.p + scheme + 1, text.len - scheme - 1};
    if (uri->scheme == URI_SIP || uri->scheme == URI_SIPS)
        return read_sip(rest, uri);
    if (uri->scheme == URI_TEL) {
        uri->user = before(rest, ";?", &rest);
        uri->options = before(rest, "?", &rest);
        return uri->user.len > 0;
    }
    return rest.len > 0 && uri->callable; // it is written as it is
}

bool uri_host_is_address(struct header_str host)
{
    if (host.len && host.p[0] == '[')
        return true;
    for (size_t i = 0; i < host.len; i++)
        if (!is_digit(host.p[i]) && host.p[i] != '.')
            return false;
    return host.len > 0;
}

bool uri_host_is_nobody(struct header_str host)
{
    static const char invalid[] = ".invalid";
    size_t n = sizeof invalid - 1;
    return host.len > n && strncasecmp(host.p + host.len - n, invalid, n) == 0;
}

struct header_str uri_next_param(struct header_str *rest)
{
    size_t n = 1;
    bool quoted = false;
    if (!rest->len)
        return (struct header_str){NULL, 0};
    for (; n < rest->len && (quoted || rest->p[n] != ';'); n++) {
        if (quoted && rest->p[n] == '\\')
            n += n + 1 < rest->len;
        else if (rest->p[n] == '"')
            quoted = !quoted;
    }
    struct header_str one = {rest->p, n};
    *rest = (struct header_str){rest->p + n, rest->len - n};
    return one;
}

bool uri_param(struct header_str params, const char *name, struct header_str *value)
{
    struct header_str one, behind;
    while ((one = uri_next_param(&params)).p) {
        struct header_str found = before((struct header_str){one.p + 1, one.len - 1}, "=", &behind);
        if (!header_str_is(header_trim(found), name))
            continue;
        *value = behind.len ? header_trim((struct header_str){behind.p + 1, behind.len - 1})
                            : (struct header_str){NULL, 0};
        return true;
    }
    *value = (struct header_str){NULL, 0};
    return false;
}

// ---- name-addr ----------------------------------------------------------------------------------------

// Past the quoted string that begins at s.p[i]; s.len + 1 where it does not end.
static size_t behind_quotes(struct header_str s, size_t i)
{
    for (i++; i < s.len; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == '"')
            return i + 1;
    }
    return s.len + 1;
}

static bool even_quotes(struct header_str s)
{
    size_t i = 0;
    while (i < s.len)
        i = s.p[i] == '"' ? behind_quotes(s, i) : i + 1;
    return i == s.len;
}

bool name_addr_read(struct header_str value, struct name_addr *addr)
{
    size_t i = 0;
    *addr = (struct name_addr){0};
    if (!value.len)
        return false;
    while (i < value.len && value.p[i] != '<' && value.p[i] != ';')
        i = value.p[i] == '"' ? behind_quotes(value, i) : i + 1;
    if (i > value.len)
        return false;
    if (i < value.len && value.p[i] == '<') {
        const char *close = memchr(value.p + i, '>', value.len - i);
        if (!close)
            return false;
        addr->display = header_trim((struct header_str){value.p, i});
        addr->uri = header_trim((struct header_str){value.p + i + 1, (size_t)(close - value.p) - i - 1});
        i = (size_t)(close + 1 - value.p);
    } else {
        addr->uri = header_trim((struct header_str){value.p, i});
    }
    addr->params = header_trim((struct header_str){value.p + i, value.len - i});
    if (addr->params.len && addr->params.p[0] != ';')
        return false;
    return addr->uri.len && !memchr(addr->uri.p, '<', addr->uri.len) &&
           !memchr(addr->uri.p, '>', addr->uri.len) && !memchr(addr->uri.p, '"', addr->uri.len) &&
           even_quotes(addr->params);
}

static bool is_token_text(struct header_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_alnum(s.p[i]) && (!s.p[i] || !strchr("-.!%*_+`'~ ", s.p[i])))
            return false;
    return true;
}

void name_addr_put_display(struct header_out *out, struct header_str display)
{
    if (!display.len || !header_is_clean(display))
        return;
    if (is_token_text(display) || (display.p[0] == '"' && behind_quotes(display, 0) == display.len)) {
        header_put_utf8(out, display);
    } else { // what the grammar does not allow without quotes
        header_puts(out, "\"");
        for (size_t i = 0, from = 0; i <= display.len; i++) {
            if (i < display.len && display.p[i] != '"' && display.p[i] != '\\')
                continue;
            header_put_utf8(out, (struct header_str){display.p + from, i - from});
            if (i < display.len)
                header_puts(out, "\\");
            from = i; // the quote or backslash comes with what is behind it
        }
        header_puts(out, "\"");
    }
    header_puts(out, " ");
}

struct header_str header_next_value(struct header_str *rest)
{
    while (rest->len) {
        size_t i = 0;
        bool angle = false;
        while (i < rest->len && (angle || rest->p[i] != ',')) {
            if (rest->p[i] == '"' && !angle) {
                i = behind_quotes(*rest, i);
                continue;
            }
            angle = rest->p[i] == '<' || (angle && rest->p[i] != '>');
            i++;
        }
        if (i > rest->len)
            i = rest->len;
        struct header_str value = header_trim((struct header_str){rest->p, i});
        size_t used = i + (i < rest->len);
        *rest = (struct header_str){rest->p + used, rest->len - used};
        if (value.len)
            return value;
    }
    return (struct header_str){NULL, 0};
}
