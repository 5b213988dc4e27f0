// SPDX-License-Identifier: BSD-3-Clause
// Which lines of an SDP may pass to the other network, and with what values.
#include <string.h>
#include <strings.h>

#include "common/number.h"
#include "control/sdp/sdp.h"

enum { NUMBER, WORDS, VALUE_MAX = 64 };

static const struct {
    const char *line;
    int values;
} list[TL_SDP_PASS_COUNT] = {
#define X(constant, line, values, otherwise, why) {line, values},
    TL_SDP_PASS(X)
#undef X
};

const char *sdp_pass_name(enum tl_sdp_pass line)
{
    return list[line].line;
}

int sdp_pass_find(const char *name, size_t len, bool bandwidth)
{
    for (int i = 0; i < TL_SDP_PASS_COUNT; i++) {
        const char *line = list[i].line;
        bool is_bandwidth = strncmp(line, "b=", 2) == 0;
        if (is_bandwidth)
            line += 2;
        if (is_bandwidth == bandwidth && strlen(line) == len && strncasecmp(line, name, len) == 0)
            return i;
    }
    return -1;
}

static bool in_words(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' ||
           c == ',' || c == '-' || c == '*';
}

// Digits with at most one point between them: a packet time may have a fraction (RFC 8866 6.4).
static bool is_number(const char *s, size_t len)
{
    const char *point = len ? memchr(s, '.', len) : NULL;
    size_t whole = point ? (size_t)(point - s) : len;
    uint64_t n;
    return tl_read_number(s, whole, UINT32_MAX, &n) &&
           (!point || tl_read_number(point + 1, len - whole - 1, 999999, &n));
}

bool sdp_pass_harmless(enum tl_sdp_pass line, const char *value, size_t len)
{
    if (list[line].values == NUMBER)
        return is_number(value, len);
    for (size_t i = 0; i < len; i++)
        if (!in_words(value[i]))
            return false;
    return len > 0 && len <= VALUE_MAX;
}
