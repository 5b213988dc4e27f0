// SPDX-License-Identifier: BSD-3-Clause
#include "control/sip/method.h"

#include <string.h>

#include "control/sip/value.h"

// ---- methods -------------------------------------------------------------------------------------------

enum { ANYWHERE = SIP_OUTSIDE | SIP_IN_DIALOG };

static const struct sip_method_row rows[SIP_METHOD_COUNT] = {
    // one that comes before the first is answered gets 500 with Retry-After (RFC 3261 section 14.2)
    [SIP_INVITE] = {"INVITE", SIP_OUTSIDE | SIP_CONFIRMED, true, true, true, 500},
    [SIP_ACK] = {"ACK", SIP_IN_DIALOG, false, false, true, 0},
    [SIP_CANCEL] = {"CANCEL", ANYWHERE, false, false, true, 481},
    [SIP_BYE] = {"BYE", SIP_IN_DIALOG, false, false, true, 481},
    [SIP_OPTIONS] = {"OPTIONS", ANYWHERE, false, false, true, 405},
    [SIP_PRACK] = {"PRACK", SIP_IN_DIALOG, false, false, true, 481},
    [SIP_UPDATE] = {"UPDATE", SIP_IN_DIALOG, false, false, true, 481},
    [SIP_INFO] = {"INFO", SIP_IN_DIALOG, false, false, true, 481},
    [SIP_REFER] = {"REFER", SIP_CONFIRMED, true, false, false, 405},
    [SIP_NOTIFY] = {"NOTIFY", SIP_IN_DIALOG, true, false, false, 481},
    // what no trunk sends a gateway on purpose
    [SIP_REGISTER] = {"REGISTER", SIP_OUTSIDE, false, false, false, 405},
    [SIP_SUBSCRIBE] = {"SUBSCRIBE", ANYWHERE, true, false, false, 405},
    [SIP_MESSAGE] = {"MESSAGE", ANYWHERE, false, false, false, 405},
    [SIP_PUBLISH] = {"PUBLISH", SIP_OUTSIDE, false, false, false, 405},
};

const struct sip_method_row *sip_method_row(enum sip_method method)
{
    return (unsigned)method < SIP_METHOD_COUNT && rows[method].name ? &rows[method] : NULL;
}

const char *sip_method_name(enum sip_method method)
{
    const struct sip_method_row *row = sip_method_row(method);
    return row ? row->name : NULL;
}

enum sip_method sip_method_by_name(struct sip_str name)
{
    for (unsigned i = SIP_OTHER + 1; i < SIP_METHOD_COUNT; i++)
        if (sip_str_is(name, rows[i].name))
            return (enum sip_method)i;
    return SIP_OTHER;
}

uint32_t sip_methods_ours(void)
{
    uint32_t methods = 0;
    for (unsigned i = SIP_OTHER + 1; i < SIP_METHOD_COUNT; i++)
        if (rows[i].ours)
            methods |= sip_method_bit((enum sip_method)i);
    return methods;
}

int sip_method_refused(enum sip_method method, enum sip_place place, uint32_t allowed)
{
    const struct sip_method_row *row = sip_method_row(method);
    if (!row || !(allowed & sip_method_bit(method)))
        return 405;
    return row->taken & place ? 0 : row->otherwise;
}

// Adds a name to a list; what does not fit whole is left out. Returns the new length.
static size_t add_name(char *out, size_t at, size_t size, const char *name)
{
    size_t len = strlen(name), gap = at ? 2 : 0;
    if (at + gap + len >= size)
        return at;
    memcpy(out + at, ", ", gap);
    memcpy(out + at + gap, name, len + 1);
    return at + gap + len;
}

char *sip_method_list(uint32_t methods, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (unsigned i = SIP_OTHER + 1; i < SIP_METHOD_COUNT; i++)
        if (methods & sip_method_bit((enum sip_method)i))
            at = add_name(out, at, size, rows[i].name);
    return out;
}

uint32_t sip_msg_methods(const struct sip_msg *msg)
{
    uint32_t methods = 0;
    struct sip_str line, one;
    for (unsigned n = 0; (line = sip_msg_line(msg, SIP_NAME_ALLOW, n)).p; n++)
        while ((one = sip_next_value(&line)).p)
            methods |= sip_method_bit(sip_method_by_name(one));
    return methods & ~sip_method_bit(SIP_OTHER);
}

// ---- option tags ---------------------------------------------------------------------------------------

static const struct {
    const char *name;
    bool supported, required;
} options[SIP_OPTION_COUNT] = {
#define X(id, name, supported, required) [SIP_OPTION_##id] = {name, supported, required},
    SIP_OPTIONS_KNOWN(X)
#undef X
};

uint32_t sip_options_supported(void)
{
    uint32_t set = 0;
    for (unsigned i = 0; i < SIP_OPTION_COUNT; i++)
        if (options[i].supported)
            set |= sip_option_bit((enum sip_option)i);
    return set;
}

uint32_t sip_options_required(void)
{
    uint32_t set = 0;
    for (unsigned i = 0; i < SIP_OPTION_COUNT; i++)
        if (options[i].required)
            set |= sip_option_bit((enum sip_option)i);
    return set;
}

enum sip_option sip_option_by_name(struct sip_str name)
{
    unsigned i = 0;
    while (i < SIP_OPTION_COUNT && !sip_str_is_nocase(name, options[i].name))
        i++;
    return (enum sip_option)i;
}

char *sip_option_list(uint32_t set, char *out, size_t size)
{
    size_t at = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < SIP_OPTION_COUNT; i++)
        if (set & sip_option_bit((enum sip_option)i))
            at = add_name(out, at, size, options[i].name);
    return out;
}

uint32_t sip_msg_options(const struct sip_msg *msg, enum sip_name header)
{
    uint32_t set = 0;
    struct sip_str line, one;
    for (unsigned n = 0; (line = sip_msg_line(msg, header, n)).p; n++)
        while ((one = sip_next_value(&line)).p) {
            enum sip_option option = sip_option_by_name(one);
            if (option < SIP_OPTION_COUNT)
                set |= sip_option_bit(option);
        }
    return set;
}
