// SPDX-License-Identifier: BSD-3-Clause
// Text of header values: written into a fixed room, made valid UTF-8, freed of addresses.
#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "control/base/uri.h"

void header_put(struct header_out *out, struct header_str s)
{
    if (out->full || s.len >= out->size - out->len) {
        out->full = true;
        return;
    }
    if (s.len)
        memcpy(out->p + out->len, s.p, s.len);
    out->len += s.len;
    out->p[out->len] = '\0';
}

void header_rewind(struct header_out *out, size_t len)
{
    out->len = len;
    out->p[len] = '\0';
}

void header_puts(struct header_out *out, const char *text)
{
    header_put(out, header_str(text));
}

void header_putf(struct header_out *out, const char *format, ...)
{
    va_list args;
    if (out->full)
        return;
    va_start(args, format);
    int n = vsnprintf(out->p + out->len, out->size - out->len, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= out->size - out->len) {
        out->p[out->len] = '\0';
        out->full = true;
        return;
    }
    out->len += (size_t)n;
}

bool header_is_clean(struct header_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == 0x7f)
            return false;
    return true;
}

// Length of the character at s.p[i] if it is valid UTF-8 (RFC 3629 4), else 0.
static size_t utf8_length(struct header_str s, size_t i)
{
    unsigned char c = (unsigned char)s.p[i];
    size_t n = c < 0x80                ? 1
               : c >= 0xc2 && c < 0xe0 ? 2
               : c >= 0xe0 && c < 0xf0 ? 3
               : c >= 0xf0 && c < 0xf5 ? 4
                                       : 0;
    if (!n || i + n > s.len)
        return 0;
    for (size_t k = 1; k < n; k++)
        if (((unsigned char)s.p[i + k] & 0xc0) != 0x80)
            return 0;
    unsigned char d = n > 1 ? (unsigned char)s.p[i + 1] : 0;
    bool out_of_range = (c == 0xe0 && d < 0xa0) || (c == 0xed && d >= 0xa0) || (c == 0xf0 && d < 0x90) ||
                        (c == 0xf4 && d >= 0x90);
    return out_of_range ? 0 : n;
}

void header_put_utf8(struct header_out *out, struct header_str s)
{
    size_t from = 0, n;
    if (!s.len)
        return;
    for (size_t i = 0; i < s.len; i += n) {
        n = s.p[i] == '\t' ? 0 : utf8_length(s, i);
        if (n)
            continue;
        header_put(out, (struct header_str){s.p + from, i - from});
        header_puts(out, s.p[i] == '\t' ? " " : "?");
        n = 1;
        from = i + 1;
    }
    header_put(out, (struct header_str){s.p + from, s.len - from});
}

// ---- addresses ----------------------------------------------------------------------------------------

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Length of the IPv4 address that stands at s.p[i], 0 for none. Longer dotted numbers are none. What is before `start`
// does not count.
static size_t ipv4_length(struct header_str s, size_t i, size_t start)
{
    size_t at = i;
    if (i > start && (is_digit(s.p[i - 1]) || (s.p[i - 1] == '.' && i > start + 1 && is_digit(s.p[i - 2]))))
        return 0;
    for (unsigned part = 0; part < 4; part++) {
        unsigned value = 0, digits = 0;
        if (part > 0 && (at >= s.len || s.p[at++] != '.'))
            return 0;
        for (; at < s.len && is_digit(s.p[at]) && digits < 4; at++, digits++)
            value = value * 10 + (unsigned)(s.p[at] - '0');
        if (!digits || digits > 3 || value > 255)
            return 0;
    }
    bool more = at + 1 < s.len && s.p[at] == '.' && is_digit(s.p[at + 1]);
    return more ? 0 : at - i;
}

// The same of an IPv6 address, with its brackets where it has them: "::" in it, or seven colons.
static size_t ipv6_length(struct header_str s, size_t i, size_t start)
{
    size_t at = i, colons = 0;
    bool bracket = s.p[i] == '[', twice = false;
    if (i > start && (is_word(s.p[i - 1]) || s.p[i - 1] == ':'))
        return 0;
    for (at += bracket; at < s.len; at++) {
        char c = s.p[at];
        if (c == ':') {
            colons++;
            twice = twice || (at > i && s.p[at - 1] == ':');
        } else if (!is_digit(c) && c != '.' && !((c | 0x20) >= 'a' && (c | 0x20) <= 'f')) {
            break;
        }
    }
    if (bracket ? at >= s.len || s.p[at] != ']' : at < s.len && is_word(s.p[at]))
        return 0;
    if (at - i < 3 || !(bracket ? colons >= 2 : twice || colons == 7))
        return 0;
    return at + bracket - i;
}

static size_t name_length(struct header_str s, size_t i, size_t start, const char *name)
{
    size_t n = name ? strlen(name) : 0;
    if (!n || i + n > s.len || strncasecmp(s.p + i, name, n) != 0)
        return 0;
    if ((i > start && (is_word(s.p[i - 1]) || s.p[i - 1] == '-')) ||
        (i + n < s.len && (is_word(s.p[i + n]) || s.p[i + n] == '-')))
        return 0;
    return n;
}

// Whether what stands there tells nothing of a network: the loopback's and the unset address.
static bool is_harmless(struct header_str s)
{
    return (s.len > 4 && memcmp(s.p, "127.", 4) == 0) || (s.len == 7 && memcmp(s.p, "0.0.0.0", 7) == 0) ||
           (s.len == 3 && memcmp(s.p, "::1", 3) == 0) || (s.len == 5 && memcmp(s.p, "[::1]", 5) == 0);
}

void header_put_hidden(struct header_out *out, struct header_str s, const struct header_hide *hide)
{
    if (!s.len)
        return;
    size_t from = 0, start = 0; // behind the last escape, whose digits belong to nothing
    for (size_t i = 0; i < s.len;) {
        if (s.p[i] == '%' && i + 2 < s.len && is_word(s.p[i + 1]) && is_word(s.p[i + 2])) {
            start = i += 3;
            continue;
        }
        size_t n = name_length(s, i, start, hide->other);
        if (!n && is_digit(s.p[i]))
            n = ipv4_length(s, i, start);
        if (!n && (s.p[i] == '[' || s.p[i] == ':' || is_word(s.p[i])))
            n = ipv6_length(s, i, start);
        if (n && !is_harmless((struct header_str){s.p + i, n})) {
            header_put_utf8(out, (struct header_str){s.p + from, i - from});
            header_puts(out, hide->host);
            from = i + n;
        }
        i += n ? n : 1;
    }
    header_put_utf8(out, (struct header_str){s.p + from, s.len - from});
}
