// SPDX-License-Identifier: BSD-3-Clause
#include "control/base/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

// Length of the well-formed UTF-8 sequence at `p` and its code point (RFC 3629 section 4); 0: there is none.
static size_t decode(const uint8_t *p, size_t len, uint32_t *code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; // what a sequence of that length begins at
    size_t n = p[0] < 0x80                   ? 1
               : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
               : (p[0] & 0xf0) == 0xe0       ? 3
               : p[0] >= 0xf0 && p[0] < 0xf5 ? 4
                                             : 0;
    if (n == 0 || n > len)
        return 0;
    *code = n == 1 ? p[0] : p[0] & (0x7fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (p[i] & 0x3f);
    }
    bool surrogate = *code >= 0xd800 && *code < 0xe000;
    return *code < least[n] || surrogate || *code > 0x10ffff ? 0 : n;
}

// Control characters, line and paragraph separators, and what changes the direction of other text.
static bool is_shown(uint32_t code)
{
    if (code < 0x7f)
        return code > 0x1f;
    static const struct {
        uint32_t first, last;
    } hidden[] = {{0x7f, 0x9f},     {0x61c, 0x61c},   {0x200b, 0x200f}, {0x2028, 0x202e},  {0x2060, 0x206f},
                  {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xfdd0, 0xfdef}, {0xe0000, 0xe0fff}};
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (code >= hidden[i].first && code <= hidden[i].last)
            return false;
    return (code & 0xfffe) != 0xfffe;
}

char *text_escape(const char *in, size_t len, char *out, size_t size)
{
    static const char hex[] = "0123456789abcdef";
    size_t at = 0;
    while (len) {
        const uint8_t *p = (const uint8_t *)in;
        uint32_t code;
        size_t n = decode(p, len, &code);
        bool shown = n && is_shown(code);
        if (!n)
            n = 1;
        if (at + (shown ? n : 4 * n) >= size)
            break;
        for (size_t i = 0; i < n; i++) {
            if (shown) {
                out[at++] = in[i];
                continue;
            }
            out[at++] = '\\';
            out[at++] = 'x';
            out[at++] = hex[p[i] >> 4];
            out[at++] = hex[p[i] & 15];
        }
        in += n;
        len -= n;
    }
    out[at] = '\0';
    return out;
}

char *text_shown(const char *s, char out[static TEXT_SHOWN_MAX])
{
    return text_escape(s ? s : "", s ? strlen(s) : 0, out, TEXT_SHOWN_MAX);
}
