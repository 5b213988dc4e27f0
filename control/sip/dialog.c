// SPDX-License-Identifier: BSD-3-Clause
#include "control/sip/dialog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/sip/msg_internal.h"

// "<uri>"
static char *in_brackets(struct sip_str uri)
{
    char *out = malloc(uri.len + 3);
    if (out)
        snprintf(out, uri.len + 3, "<%.*s>", (int)uri.len, uri.p);
    return out;
}

static bool has_lr(struct sip_str uri)
{
    const char *semicolon = memchr(uri.p, ';', uri.len);
    struct sip_str value;
    return semicolon &&
           sip_read_param((struct sip_str){semicolon, (size_t)(uri.p + uri.len - semicolon)}, "lr", &value);
}

// The route set, in the order of the message or the other way round; a strict router in front moves into the
// Request-URI and the target behind the routes (12.2.1.1).
static int take_routes(struct sip_dialog *d, const struct sip_msg *msg, bool reversed)
{
    unsigned n = 0;
    while (sip_msg_record_route(msg, n).p)
        n++;
    if (n >= SIP_ROUTES_MAX)
        return -EINVAL;
    for (unsigned i = 0; i < n; i++) {
        struct sip_str value = sip_msg_record_route(msg, reversed ? n - 1 - i : i);
        struct sip_addr addr;
        if (!sip_read_addr(value, &addr))
            return -EINVAL;
        if (i == 0 && !has_lr(addr.uri)) {
            d->strict = sip_str_dup(addr.uri);
            if (!d->strict)
                return -ENOMEM;
            continue;
        }
        d->routes[d->route_count] = sip_str_dup(value);
        if (!d->routes[d->route_count++])
            return -ENOMEM;
    }
    if (d->strict) {
        d->routes[d->route_count] = in_brackets((struct sip_str){d->target, strlen(d->target)});
        if (!d->routes[d->route_count++])
            return -ENOMEM;
    }
    return 0;
}

// The tag in a From or To value; p == NULL without one.
static struct sip_str tag_of(const char *value)
{
    struct sip_addr addr;
    struct sip_str tag = {NULL, 0};
    if (sip_read_addr((struct sip_str){value, strlen(value)}, &addr))
        sip_read_param(addr.params, "tag", &tag);
    return tag;
}

// All but the route set.
static int fill(struct sip_dialog *d, const struct sip_msg *msg, const struct sip_flow *flow,
                struct sip_str local, const char *local_tag, struct sip_str remote, struct sip_str target)
{
    memset(d, 0, sizeof *d);
    if (!target.p)
        return -EINVAL;
    d->flow = *flow;
    size_t room = local.len + 8 + SIP_TAG_LEN;
    d->local = malloc(room);
    if (d->local)
        snprintf(d->local, room, "%.*s%s%s", (int)local.len, local.p, local_tag ? ";tag=" : "",
                 local_tag ? local_tag : "");
    d->remote = sip_str_dup(remote);
    d->call_id = sip_str_dup(sip_msg_call_id(msg));
    d->target = sip_str_dup(target);
    if (!d->local || !d->remote || !d->call_id || !d->target) {
        sip_dialog_fini(d);
        return -ENOMEM;
    }
    d->local_tag = tag_of(d->local);
    d->remote_tag = tag_of(d->remote);
    return 0;
}

static int fill_routes(struct sip_dialog *d, const struct sip_msg *msg, bool reversed)
{
    int err = take_routes(d, msg, reversed);
    if (err)
        sip_dialog_fini(d);
    return err;
}

int sip_dialog_uas(struct sip_dialog *dialog, const struct sip_msg *request, const struct sip_flow *flow,
                   const char *local_tag)
{
    bool tagged = sip_msg_to_tag(request).p != NULL;
    int err = fill(dialog, request, flow, sip_msg_to(request), tagged ? NULL : local_tag,
                   sip_msg_from(request), sip_msg_contact(request));
    if (!err)
        err = fill_routes(dialog, request, false);
    if (!err)
        dialog->remote_cseq = sip_msg_cseq(request);
    return err;
}

int sip_dialog_uac(struct sip_dialog *dialog, const struct sip_msg *response, const struct sip_flow *flow)
{
    int err = fill(dialog, response, flow, sip_msg_from(response), NULL, sip_msg_to(response),
                   sip_msg_contact(response));
    if (!err)
        err = fill_routes(dialog, response, true);
    if (!err)
        dialog->local_cseq = sip_msg_cseq(response);
    return err;
}

int sip_dialog_uac_last(struct sip_dialog *dialog, const struct sip_msg *response,
                        const struct sip_flow *flow)
{
    struct sip_str target = sip_msg_contact(response);
    struct sip_addr to;
    memset(dialog, 0, sizeof *dialog);
    if (!sip_msg_to_tag(response).p)
        return -EINVAL;
    if (!target.p && sip_read_addr(sip_msg_to(response), &to))
        target = to.uri;
    int err = fill(dialog, response, flow, sip_msg_from(response), NULL, sip_msg_to(response), target);
    if (!err)
        dialog->local_cseq = sip_msg_cseq(response);
    return err;
}

void sip_dialog_fini(struct sip_dialog *dialog)
{
    free(dialog->local);
    free(dialog->remote);
    free(dialog->call_id);
    free(dialog->target);
    free(dialog->strict);
    for (unsigned i = 0; i < dialog->route_count; i++)
        free(dialog->routes[i]);
    memset(dialog, 0, sizeof *dialog);
}

bool sip_dialog_matches(const struct sip_dialog *dialog, const struct sip_msg *request)
{
    return dialog->call_id && sip_str_is(sip_msg_call_id(request), dialog->call_id) &&
           sip_str_equal(sip_msg_from_tag(request), dialog->remote_tag) &&
           sip_str_equal(sip_msg_to_tag(request), dialog->local_tag);
}

int sip_dialog_retarget(struct sip_dialog *dialog, const struct sip_msg *msg)
{
    struct sip_str contact = sip_msg_contact(msg);
    if (!contact.p)
        return 0;
    char *target = sip_str_dup(contact), *last = dialog->strict ? in_brackets(contact) : NULL;
    if (!target || (dialog->strict && !last)) {
        free(target);
        free(last);
        return -ENOMEM;
    }
    free(dialog->target);
    dialog->target = target;
    if (last) {
        free(dialog->routes[dialog->route_count - 1]);
        dialog->routes[dialog->route_count - 1] = last;
    }
    return 0;
}

int sip_dialog_take_cseq(struct sip_dialog *dialog, const struct sip_msg *request)
{
    enum sip_method method = sip_msg_method(request);
    if (method == SIP_ACK || method == SIP_CANCEL)
        return 0;
    if (dialog->remote_cseq && sip_msg_cseq(request) <= dialog->remote_cseq)
        return -ESTALE;
    dialog->remote_cseq = sip_msg_cseq(request);
    return 0;
}

void sip_dialog_request(struct sip_dialog *dialog, enum sip_method method, struct sip_request *request)
{
    if (method != SIP_ACK && method != SIP_CANCEL)
        dialog->local_cseq++;
    *request = (struct sip_request){
        .method = method,
        .uri = dialog->strict ? dialog->strict : dialog->target,
        .from = dialog->local,
        .to = dialog->remote,
        .call_id = dialog->call_id,
        .cseq = dialog->local_cseq,
        .routes = (const char *const *)dialog->routes,
        .route_count = dialog->route_count,
    };
}

// Address and port of a sip URI whose host is written as IPv4. Returns false for any other.
static bool uri_address(struct sip_str uri, struct tl_addr *out)
{
    const char *end = uri.p + uri.len, *p = memchr(uri.p, ':', uri.len);
    if (!p)
        return false;
    p++;
    // the user part may hold ';' and '?': look for '@' first
    const char *at = memrchr(p, '@', (size_t)(end - p));
    if (at)
        p = at + 1;
    struct tl_addr addr = {.family = TL_AF_INET, .port = 5060};
    for (unsigned i = 0; i < 4; i++) {
        const char *digits = p;
        uint64_t n;
        while (p < end && *p >= '0' && *p <= '9')
            p++;
        if (!sip_read_number((struct sip_str){digits, (size_t)(p - digits)}, 255, &n))
            return false;
        addr.ip[i] = (uint8_t)n;
        if (i < 3 && (p == end || *p++ != '.'))
            return false;
    }
    if (p < end && *p == ':') {
        const char *digits = ++p;
        uint64_t n;
        while (p < end && *p >= '0' && *p <= '9')
            p++;
        if (!sip_read_number((struct sip_str){digits, (size_t)(p - digits)}, UINT16_MAX, &n) || n == 0)
            return false;
        addr.port = (uint16_t)n;
    }
    if (p < end && *p != ';' && *p != '?')
        return false;
    *out = addr;
    return true;
}

struct sip_flow sip_dialog_next_hop(const struct sip_dialog *dialog)
{
    struct sip_flow flow = dialog->flow;
    struct sip_str uri = {dialog->target, strlen(dialog->target)};
    struct sip_addr addr;
    struct tl_addr to;
    if (dialog->strict)
        uri = (struct sip_str){dialog->strict, strlen(dialog->strict)};
    else if (dialog->route_count &&
             sip_read_addr((struct sip_str){dialog->routes[0], strlen(dialog->routes[0])}, &addr))
        uri = addr.uri;
    if (uri_address(uri, &to) &&
        (to.port != flow.remote.port || memcmp(to.ip, flow.remote.ip, sizeof to.ip) != 0)) {
        flow.remote = to;
        flow.conn = 0;
        flow.conn_generation = 0;
    }
    return flow;
}
