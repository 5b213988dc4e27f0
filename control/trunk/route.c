// SPDX-License-Identifier: BSD-3-Clause
#include "control/trunk/route.h"

#include <string.h>
#include <strings.h>

// The digits of a user part, as many as a prefix can have; "" for a user that is no number.
static void read_digits(const char *number, char digits[TL_DIGITS_MAX])
{
    size_t n = 0;

    for (; *number && *number != ';' && n < TL_DIGITS_MAX - 1; number++) {
        char c = *number;
        if (c == '%') {
            if (strncasecmp(number, "%2B", 3) == 0)
                c = '+';
            else if (strncmp(number, "%23", 3) == 0)
                c = '#';
            else if (strncasecmp(number, "%2A", 3) == 0)
                c = '*';
            number += c == '%' ? 0 : 2;
        }
        if (strchr("-.()", c))
            continue;
        if (!strchr("0123456789*#", c) && !(c == '+' && n == 0)) {
            n = 0;
            break;
        }
        digits[n++] = c;
    }
    digits[n] = '\0';
}

static bool is_open(const struct tl_config *config, const struct tl_route_config *route, uint32_t from)
{
    for (uint32_t i = 0; i < route->trunk_count; i++)
        if (tl_route_open(config, route, from, route->trunks[i]))
            return true;
    return false;
}

const struct tl_route_config *route_find(const struct tl_config *config, uint32_t from, const char *number,
                                         bool *closed)
{
    const struct tl_route_config *best = NULL;
    size_t best_len = 0;
    char digits[TL_DIGITS_MAX];

    *closed = false;
    read_digits(number, digits);
    for (uint32_t i = 0; i < config->route_count; i++) {
        const struct tl_route_config *r = &config->routes[i];
        size_t len = strlen(r->prefix);
        if ((!r->any_from && r->from != from) || strncmp(digits, r->prefix, len) != 0)
            continue;
        if (!is_open(config, r, from)) {
            *closed = true;
            continue;
        }
        if (!best || len > best_len || (len == best_len && best->any_from)) {
            best = r;
            best_len = len;
        }
    }
    *closed = *closed && !best;
    return best;
}
