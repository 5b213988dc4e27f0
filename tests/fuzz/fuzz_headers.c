// SPDX-License-Identifier: BSD-3-Clause
// The header plan: control/trunk/headers.h. Two bytes choose the trunks' switches, one the message, the rest are its
// Request-URI and header lines, a line each. Whatever came, a line of the plan stays one line, what was made can be read
// again, a kept copy gives the same plan, and in an identity no address of another network is left.
#include <errno.h>
#include <string.h>

#include "common/addr.h"
#include "control/trunk/headers.h"
#include "fuzz.h"

enum { LINES = 128 };

static char room[HEADERS_ROOM], room2[HEADERS_ROOM];

static void set_trunks(unsigned bits, struct tl_trunk_config *from, struct tl_trunk_config *to)
{
    memset(from, 0, sizeof *from);
    memset(to, 0, sizeof *to);
    from->trusted = bits & 1;
    to->trusted = bits & 2;
    to->user_params = bits & 4 ? TL_USER_PARAMS_DROP : TL_USER_PARAMS_KEEP;
    to->user_phone = bits >> 3 & 3 ? (enum tl_user_phone)((bits >> 3 & 3) - 1) : TL_USER_PHONE_KEEP;
    to->location = bits & 32 ? TL_LOCATION_PASS : TL_LOCATION_REMOVE;
    if (bits & 64)
        strcpy(to->domain, "sbc.example.com");
    if (bits & 128)
        strcpy(from->domain, "other.example.net");
    to->host_names = bits & 256 ? TL_HOST_NAMES_KEEP : TL_HOST_NAMES_HIDE;
    if (bits & 512) {
        strcpy(to->headers.pass[to->headers.pass_count++], "*");
        strcpy(to->headers.remove[to->headers.remove_count++], "S*t");
        strcpy(to->headers.add[to->headers.add_count].name, "X-A");
        strcpy(to->headers.add[to->headers.add_count++].value, "1");
    }
}

// The URI of an identity names no address but ours, the loopback's included.
static void check_identity(struct header_str value)
{
    struct header_str one;
    while ((one = header_next_value(&value)).p) {
        struct name_addr addr;
        struct uri uri;
        FUZZ_MUST(name_addr_read(one, &addr) && uri_read(addr.uri, &uri));
        if (uri.scheme == URI_SIP && uri_host_is_address(uri.host))
            FUZZ_MUST(header_str_is(uri.host, "192.0.2.1"));
    }
}

static void check_lines(const char *lines)
{
    while (*lines) {
        const char *end = strpbrk(lines, "\r\n"), *colon = strchr(lines, ':');
        FUZZ_MUST(end && end[0] == '\r' && end[1] == '\n' && colon && colon < end);
        struct header_str value = {colon + 1, (size_t)(end - colon - 1)};
        const struct tl_header *known = tl_header_find(lines, (size_t)(colon - lines));
        FUZZ_MUST(tl_header_is_token(lines, (size_t)(colon - lines)) && header_is_clean(value));
        FUZZ_MUST(!known || known->rule != TL_HEADER_OWN);
        if (known && (known->rule == TL_HEADER_ASSERTED || known->rule == TL_HEADER_DIVERSION ||
                      known->rule == TL_HEADER_HISTORY))
            check_identity(header_trim(value));
        lines = end + 2;
    }
}

static void check_setup(const struct header_plan *plan)
{
    struct name_addr addr;
    struct uri uri;
    const char *const values[] = {plan->from, plan->to, plan->contact};
    FUZZ_MUST(uri_read(header_str(plan->uri), &uri) && header_str_is(uri.host, "192.0.2.9"));
    for (size_t i = 0; i < 3; i++) {
        FUZZ_MUST(header_is_clean(header_str(values[i])) && name_addr_read(header_str(values[i]), &addr) &&
                  uri_read(addr.uri, &uri) && !memchr(addr.uri.p, ' ', addr.uri.len));
        FUZZ_MUST(!uri_host_is_address(uri.host) ||
                  header_str_is(uri.host, i == 1 ? "192.0.2.9" : "192.0.2.1"));
    }
}

static void check_location(const struct header_ask *ask, struct header_str pidf)
{
    char type[LOCATION_TYPE_MAX];
    int n = headers_location_body(ask->msg, header_str("v=0\r\n"), pidf, type, room2, sizeof room2);
    FUZZ_MUST(n == -EINVAL || n == -EMSGSIZE || (n > 0 && !strpbrk(type, "\r\n")));
    if (n < 0)
        return;
    char boundary[LOCATION_TYPE_MAX + 2] = "--";
    const char *quote = strchr(type, '"') + 1;
    strncat(boundary, quote, strcspn(quote, "\""));
    unsigned count = 0;
    for (const char *p = room2; (p = memmem(p, (size_t)(room2 + n - p), boundary, strlen(boundary))); p++)
        count += p == room2 || p[-1] == '\n';
    FUZZ_MUST(count == 3);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct fuzz_input in = {data, len};
    unsigned bits = fuzz_byte(&in);
    bits |= (unsigned)fuzz_byte(&in) << 8;
    enum tl_message message = (enum tl_message)(1u << fuzz_byte(&in) % 6);
    char *text = fuzz_copy(in.at, in.left);
    static struct tl_trunk_config from, to;
    struct header_line line[LINES];
    struct header_view view = {.request = bits & 1024, .line = line};
    const char *p = text, *end = text + in.left;
    for (unsigned i = 0; p < end && view.count < LINES; i++) {
        const char *lf = memchr(p, '\n', (size_t)(end - p)), *stop = lf ? lf : end;
        const char *colon = memchr(p, ':', (size_t)(stop - p));
        if (i == 0)
            view.uri = (struct header_str){p, (size_t)(stop - p)};
        else if (colon)
            line[view.count++] =
                header_line((struct header_str){p, (size_t)(colon - p)},
                            header_trim((struct header_str){colon + 1, (size_t)(stop - colon - 1)}));
        p = lf ? lf + 1 : end;
    }
    set_trunks(bits, &from, &to);
    struct header_ask ask = {.message = message,
                             .msg = &view,
                             .from = &from,
                             .to = &to,
                             .local = {.family = TL_AF_INET, .port = 5060, .ip = {192, 0, 2, 1}},
                             .peer = {.family = TL_AF_INET, .port = 5070, .ip = {192, 0, 2, 9}},
                             .transport = bits & 2048 ? TL_TCP : TL_UDP,
                             .tag = "t",
                             .called = bits & 4096 ? "+1555" : NULL,
                             .calling = bits & 8192 ? "+1556" : NULL,
                             .user = "2000"};
    struct header_plan plan, again;
    int rc = headers_plan(&ask, room, sizeof room, &plan);
    FUZZ_MUST(rc == 0 || rc == -EMSGSIZE || (rc == -EINVAL && message == TL_MSG_SETUP));
    if (rc == 0) {
        check_lines(plan.lines);
        if (message == TL_MSG_SETUP)
            check_setup(&plan);
        struct header_view *kept = headers_keep(&view);
        FUZZ_MUST(kept);
        ask.msg = kept;
        FUZZ_MUST(headers_plan(&ask, room2, sizeof room2, &again) == 0 &&
                  strcmp(plan.lines, again.lines) == 0);
        FUZZ_MUST(message != TL_MSG_SETUP || strcmp(plan.from, again.from) == 0);
        check_location(&ask, view.uri);
        free(kept);
    }
    free(text);
    return 0;
}
