// SPDX-License-Identifier: BSD-3-Clause
// The caller's location on its way: which trunk gets it, and the body that carries it beside the SDP (RFC 6442).
#include "control/trunk/headers_internal.h"

#include <errno.h>
#include <stdio.h>
#include <strings.h>

bool headers_location_passes(const struct tl_trunk_config *to, const struct header_view *msg)
{
    return to->location == TL_LOCATION_PASS && header_first(msg, TL_HEADER_ID_GEOLOCATION).p;
}

// The Content-ID that Geolocation names, "user@host" of "<cid:user@host>", with its escapes as they are; absent when
// it names a place elsewhere.
static struct header_str content_id(const struct header_view *msg)
{
    static const char cid[] = "cid:";
    size_t n = sizeof cid - 1;
    const struct tl_header *geolocation = tl_header(TL_HEADER_ID_GEOLOCATION);
    struct name_addr addr;
    for (unsigned i = 0; i < msg->count; i++) {
        struct header_str rest = msg->line[i].value, one;
        if (msg->line[i].known != geolocation)
            continue;
        while ((one = header_next_value(&rest)).p)
            if (name_addr_read(one, &addr) && header_is_clean(addr.uri) && addr.uri.len > n &&
                strncasecmp(addr.uri.p, cid, n) == 0 && !memchr(addr.uri.p, ' ', addr.uri.len))
                return (struct header_str){addr.uri.p + n, addr.uri.len - n};
    }
    return (struct header_str){NULL, 0};
}

// Length of the longest run of '_'.
static size_t longest_run(struct header_str body)
{
    size_t run = 0, longest = 0;
    for (size_t i = 0; i < body.len; i++) {
        run = body.p[i] == '_' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

int headers_location_body(const struct header_view *msg, struct header_str sdp, struct header_str pidf,
                          char type[LOCATION_TYPE_MAX], char *room, size_t size)
{
    static const char underlines[] = "________________________________";
    struct header_out out = {.p = room, .size = size}, kind = {.p = type, .size = LOCATION_TYPE_MAX};
    struct header_str cid = content_id(msg);
    size_t a = longest_run(sdp), b = longest_run(pidf), run = (a > b ? a : b) + 1;
    char line[64];
    // A run of '_' that is longer than any in the parts: no boundary can stand in them.
    if (run > sizeof underlines - 1)
        return -EINVAL;
    snprintf(line, sizeof line, "part%.*s", (int)run, underlines);
    header_putf(&kind, "multipart/mixed;boundary=\"%s\"", line);
    header_putf(&out, "--%s\r\nContent-Type: application/sdp\r\n\r\n", line);
    header_put(&out, sdp);
    header_putf(&out, "\r\n--%s\r\nContent-Type: application/pidf+xml\r\n", line);
    if (cid.p)
        header_putf(&out, "Content-ID: <%.*s>\r\n", (int)cid.len, cid.p);
    header_puts(&out, "Content-Disposition: render\r\n\r\n");
    header_put(&out, pidf);
    header_putf(&out, "\r\n--%s--\r\n", line);
    return out.full || kind.full ? -EMSGSIZE : (int)out.len;
}
