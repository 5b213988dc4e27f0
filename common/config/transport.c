// SPDX-License-Identifier: BSD-3-Clause
#include "common/config/transport.h"

#include <string.h>
#include <strings.h>

static const struct tl_transport_row rows[TL_TRANSPORT_COUNT] = {
#define X(id, ...) [id] = {__VA_ARGS__},
    TL_TRANSPORTS(X)
#undef X
};

const char *const tl_transport_words[TL_TRANSPORT_COUNT + 1] = {
#define X(id, name, ...) [id] = (name),
    TL_TRANSPORTS(X)
#undef X
};

const struct tl_transport_row *tl_transport_row(enum tl_transport transport)
{
    return &rows[(unsigned)transport < TL_TRANSPORT_COUNT ? transport : TL_UDP];
}

bool tl_transport_by_name(const char *name, size_t len, enum tl_transport *out)
{
    for (unsigned i = 0; i < TL_TRANSPORT_COUNT; i++)
        if (strlen(rows[i].name) == len && strncasecmp(rows[i].name, name, len) == 0) {
            *out = (enum tl_transport)i;
            return true;
        }
    return false;
}

const char *tl_uri_scheme_text(enum tl_uri_scheme scheme)
{
    return scheme == TL_URI_SIPS ? "sips:" : "sip:";
}

const char *tl_uri_transport(enum tl_uri_scheme scheme, enum tl_transport transport)
{
    return scheme == TL_URI_SIPS ? "" : tl_transport_row(transport)->uri;
}
