// SPDX-License-Identifier: BSD-3-Clause
#include "control/sip/replaces.h"

#include <string.h>

#include "control/sip/value.h"

// Cuts what stands before the next `at` off *rest.
static struct sip_str cut(struct sip_str *rest, char at)
{
    const char *end = rest->len ? memchr(rest->p, at, rest->len) : NULL;
    size_t n = end ? (size_t)(end - rest->p) : rest->len;
    struct sip_str out = {rest->p, n};
    n += end != NULL;
    rest->p += n;
    rest->len -= n;
    return out;
}

static bool is_call_id(struct sip_str s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.p[i] <= 0x20 || s.p[i] == 0x7f || s.p[i] == ',')
            return false;
    return s.len > 0;
}

// Takes a tag that was not there before.
static bool take_tag(struct sip_str *out, struct sip_str value)
{
    for (size_t i = 0; i < value.len; i++)
        if (!sip_is_token(value.p[i]))
            return false;
    if (out->p || !value.len)
        return false;
    *out = value;
    return true;
}

bool sip_read_replaces(struct sip_str value, struct sip_replaces *out)
{
    struct sip_str rest = value;
    memset(out, 0, sizeof *out);
    if (!value.p)
        return false;
    out->call_id = sip_trim(cut(&rest, ';'));
    bool good = is_call_id(out->call_id);
    while (good && rest.len) {
        struct sip_str param = cut(&rest, ';');
        struct sip_str name = sip_trim(cut(&param, '='));
        if (sip_str_is_nocase(name, "to-tag"))
            good = take_tag(&out->to_tag, sip_trim(param));
        else if (sip_str_is_nocase(name, "from-tag"))
            good = take_tag(&out->from_tag, sip_trim(param));
        else if (sip_str_is_nocase(name, "early-only"))
            out->early_only = true;
    }
    return good && out->to_tag.p && out->from_tag.p;
}

bool sip_uri_header(const struct sip_uri *uri, const char *name, char *out, size_t size)
{
    struct sip_str rest = uri->headers, found = {NULL, 0};
    out[0] = '\0';
    if (rest.len && rest.p[0] == '?')
        rest = (struct sip_str){rest.p + 1, rest.len - 1};
    while (rest.len) {
        struct sip_str value = cut(&rest, '&'), key = cut(&value, '=');
        if (!sip_str_is_nocase(key, name))
            continue;
        if (found.p)
            return false;
        found = value;
    }
    if (found.p && uri_unescape((struct header_str){found.p, found.len}, out, size))
        return true;
    out[0] = '\0';
    return false;
}
