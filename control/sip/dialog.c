// SPDX-License-Identifier: BSD-3-Clause
#include "control/sip/dialog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "control/sip/msg_internal.h"
#include "control/sip/uri.h"

static struct sip_str text(const char *s)
{
    return (struct sip_str){s, strlen(s)};
}

// "<uri>"
static char *in_brackets(struct sip_str uri)
{
    char *out = malloc(uri.len + 3);
    if (out)
        snprintf(out, uri.len + 3, "<%.*s>", (int)uri.len, uri.p);
    return out;
}

static bool has_lr(struct sip_str text_of_uri)
{
    struct sip_uri uri;
    struct sip_str value;
    return sip_read_uri(text_of_uri, &uri) && sip_read_param(uri.params, "lr", &value);
}

// The values of Record-Route, SIP_ROUTES_MAX at most. Returns how many, or -EINVAL when there are more.
static int route_values(const struct sip_msg *msg, struct sip_str out[static SIP_ROUTES_MAX])
{
    int n = 0;
    for (unsigned i = 0; i < SIP_HEADERS_MAX; i++) {
        struct sip_str rest = sip_msg_line(msg, SIP_NAME_RECORD_ROUTE, i), value;
        if (!rest.p)
            break;
        while ((value = sip_next_value(&rest)).p) {
            if (n == SIP_ROUTES_MAX)
                return -EINVAL;
            out[n++] = value;
        }
    }
    return n;
}

// A route as we send it: sips: where the Request-URI is (RFC 5630 section 5.1.1).
static char *route_of(struct sip_str value, const struct sip_addr *addr, bool secure)
{
    struct sip_uri uri;
    if (!secure || !sip_read_uri(addr->uri, &uri) || uri.scheme != URI_SIP)
        return sip_str_dup(value);
    size_t head = (size_t)(addr->uri.p - value.p) + 3; // behind "sip"
    char *out = malloc(value.len + 2);
    if (out)
        snprintf(out, value.len + 2, "%.*ss%.*s", (int)head, value.p, (int)(value.len - head),
                 value.p + head);
    return out;
}

// The route set, in the order of the message or the other way round; a strict router in front moves into the
// Request-URI and the target behind the routes (12.2.1.1).
static int take_routes(struct sip_dialog *d, const struct sip_msg *msg, bool reversed)
{
    struct sip_str values[SIP_ROUTES_MAX];
    int n = route_values(msg, values);
    if (n < 0 || n == SIP_ROUTES_MAX) // one place is for the target behind a strict router
        return -EINVAL;
    for (int i = 0; i < n; i++) {
        struct sip_str value = values[reversed ? n - 1 - i : i];
        struct sip_addr addr;
        if (!sip_read_addr(value, &addr))
            return -EINVAL;
        if (i == 0 && !has_lr(addr.uri)) {
            d->strict = sip_str_dup(addr.uri);
            if (!d->strict)
                return -ENOMEM;
            continue;
        }
        d->routes[d->route_count] = route_of(value, &addr, sip_uri_is_secure(text(d->target)));
        if (!d->routes[d->route_count++])
            return -ENOMEM;
    }
    if (d->strict) {
        d->routes[d->route_count] = in_brackets(text(d->target));
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
    if (sip_read_addr(text(value), &addr))
        sip_read_param(addr.params, "tag", &tag);
    return tag;
}

void sip_dialog_tags(struct sip_dialog *d)
{
    d->local_tag = tag_of(d->local);
    d->remote_tag = tag_of(d->remote);
}

int sip_dialog_rename(struct sip_dialog *d, const char *local)
{
    struct sip_str tag = tag_of(local);
    char *copy = tag.p && sip_str_equal(tag, d->local_tag) ? strdup(local) : NULL;
    if (!copy)
        return tag.p ? -ENOMEM : -EINVAL;
    free(d->local);
    d->local = copy;
    sip_dialog_tags(d);
    return 0;
}

// The URI of a Contact that a request can be sent to, without headers (19.1.1); p == NULL when it is none. A sips: URI is
// one where nobody can read what is sent.
static struct sip_str callable(struct sip_str contact, const struct sip_flow *flow)
{
    struct sip_uri uri;
    if (!contact.p || !sip_read_uri(contact, &uri) ||
        (uri.scheme != URI_SIP && (uri.scheme != URI_SIPS || !sip_flow_row(flow)->secure)))
        return (struct sip_str){NULL, 0};
    return (struct sip_str){contact.p, contact.len - uri.headers.len};
}

// All but the route set.
static int fill(struct sip_dialog *d, const struct sip_msg *msg, const struct sip_flow *flow,
                struct sip_str local, const char *local_tag, struct sip_str remote, struct sip_str target)
{
    memset(d, 0, sizeof *d);
    target = callable(target, flow);
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
    sip_dialog_tags(d);
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
    struct sip_str target = callable(sip_msg_contact(response), flow);
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
    struct sip_str contact = callable(sip_msg_contact(msg), &dialog->flow);
    if (!contact.p || (sip_uri_is_secure(text(dialog->target)) && !sip_uri_is_secure(contact)))
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

// The URI that says where a request goes first.
static struct sip_str first_hop(const struct sip_dialog *d)
{
    struct sip_addr addr;
    if (d->strict)
        return text(d->strict);
    if (d->route_count && sip_read_addr(text(d->routes[0]), &addr))
        return addr.uri;
    return text(d->target);
}

// The address that a URI stands for, when it is one that the listener can reach.
static bool reachable(struct sip_str text_of_uri, const struct sip_flow *flow, struct tl_addr *to)
{
    struct sip_uri uri;
    struct sip_str name;
    enum tl_transport transport;
    if (!sip_read_uri(text_of_uri, &uri) || !sip_uri_address(&uri, to) || to->family != flow->local.family ||
        tl_addr_is_any(to))
        return false;
    bool named = sip_read_param(uri.params, "transport", &name);
    if (uri.scheme == URI_SIPS)
        return sip_flow_row(flow)->secure;
    if (!named && !uri.port)
        to->port = sip_flow_row(flow)->default_port;
    return !named ||
           (name.p && tl_transport_by_name(name.p, name.len, &transport) && transport == flow->transport);
}

struct sip_flow sip_dialog_next_hop(const struct sip_dialog *dialog)
{
    struct sip_flow flow = dialog->flow;
    struct tl_addr to;
    if (reachable(first_hop(dialog), &flow, &to)) {
        // what this address has closed is opened again there, but for a port that the peer once came from
        const struct tl_addr *its = tl_addr_is_set(&flow.peer) ? &flow.peer : &flow.remote;
        flow.elsewhere = !tl_addr_same_host(&to, its);
        if (!tl_addr_same_host(&to, &flow.peer))
            flow.peer = to;
        if (!tl_addr_equal(&to, &flow.remote)) {
            flow.remote = to;
            flow.conn_generation = 0;
        }
    } else if (tl_addr_is_set(&flow.peer) && !flow.conn_generation) {
        flow.remote = flow.peer;
    }
    return flow;
}

bool sip_dialog_from_peer(const struct sip_dialog *dialog, const struct sip_flow *flow)
{
    const struct sip_flow *mine = &dialog->flow;
    return tl_addr_same_host(&flow->remote, tl_addr_is_set(&mine->peer) ? &mine->peer : &mine->remote);
}

void sip_dialog_follow(struct sip_dialog *dialog, const struct sip_flow *flow)
{
    if (flow->listener != dialog->flow.listener || !flow->conn_generation)
        return;
    dialog->flow.remote = flow->remote;
    dialog->flow.conn = flow->conn;
    dialog->flow.conn_generation = flow->conn_generation;
}
