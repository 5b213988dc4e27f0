// SPDX-License-Identifier: BSD-3-Clause
// A dialog saved and read back: all that a request inside it needs after a restart.
#include "control/sip/dialog.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "control/base/record_parts.h"

enum { VERSION = 1, TEXT_MAX = 2 * SIP_LINE_MAX };

static void put_optional(struct record_writer *w, const char *name, const char *text)
{
    if (text)
        record_put_text(w, name, text);
}

static const char *route_name(char out[static RECORD_NAME_MAX], unsigned n)
{
    snprintf(out, RECORD_NAME_MAX, "route_%u", n);
    return out;
}

void sip_dialog_save(const struct sip_dialog *d, const struct tl_config *config, struct record_writer *w)
{
    char name[RECORD_NAME_MAX];
    record_begin(w, "dialog", VERSION);
    record_put_text(w, "listener", config->listeners[d->flow.listener].name);
    record_put_addr(w, "remote", &d->flow.remote);
    record_put_addr(w, "peer", &d->flow.peer);
    for (uint32_t i = 0; i < config->trunk_count; i++)
        if (config->trunks[i].number == d->flow.trunk)
            record_put_text(w, "trunk", config->trunks[i].name);
    put_optional(w, "local_name", d->local);
    put_optional(w, "remote_name", d->remote);
    put_optional(w, "call_id", d->call_id);
    put_optional(w, "target", d->target);
    put_optional(w, "strict", d->strict);
    for (unsigned i = 0; i < d->route_count; i++)
        record_put_text(w, route_name(name, i), d->routes[i]);
    record_put_number(w, "local_cseq", d->local_cseq);
    record_put_number(w, "remote_cseq", d->remote_cseq);
    record_end(w);
}

// ---- reading -------------------------------------------------------------------------------------------

// One text, for which memory is taken; sets *err to -ENOMEM without.
static char *get_text(struct record *r, const char *name, int *err)
{
    char text[TEXT_MAX];
    record_text(r, name, text, sizeof text);
    char *out = strdup(text);
    if (!out)
        *err = -ENOMEM;
    return out;
}

static int get_listener(struct record *r, const struct tl_config *config, struct sip_flow *flow)
{
    char name[TL_NAME_MAX];
    record_text(r, "listener", name, sizeof name);
    for (uint32_t i = 0; i < config->listener_count; i++)
        if (strcmp(config->listeners[i].name, name) == 0) {
            flow->listener = i;
            flow->transport = config->listeners[i].transport;
            flow->local = *tl_listener_shown(&config->listeners[i]);
            return 0;
        }
    return -ENOENT;
}

// Whose terms hold for a secure connection.
static void get_trunk(struct record *r, const struct tl_config *config, struct sip_flow *flow)
{
    char name[TL_NAME_MAX];
    if (!record_has(r, "trunk"))
        return;
    record_text(r, "trunk", name, sizeof name);
    for (uint32_t i = 0; i < config->trunk_count && !flow->trunk; i++)
        if (strcmp(config->trunks[i].name, name) == 0)
            flow->trunk = config->trunks[i].number;
}

int sip_dialog_load(struct sip_dialog *d, const struct tl_config *config, const struct record *in)
{
    struct record r;
    char name[RECORD_NAME_MAX];
    memset(d, 0, sizeof *d);
    if (record_section(in, "dialog", 0, &r) != 0)
        return -EINVAL;
    int err = get_listener(&r, config, &d->flow);
    record_addr(&r, "remote", &d->flow.remote);
    record_addr(&r, "peer", &d->flow.peer);
    get_trunk(&r, config, &d->flow);
    d->local = get_text(&r, "local_name", &err);
    d->remote = get_text(&r, "remote_name", &err);
    d->call_id = get_text(&r, "call_id", &err);
    d->target = get_text(&r, "target", &err);
    if (record_has(&r, "strict"))
        d->strict = get_text(&r, "strict", &err);
    for (unsigned i = 0; err != -ENOMEM && i < SIP_ROUTES_MAX && record_has(&r, route_name(name, i)); i++) {
        d->routes[i] = get_text(&r, name, &err);
        d->route_count += d->routes[i] != NULL;
    }
    d->local_cseq = (uint32_t)record_number(&r, "local_cseq", INT32_MAX);
    d->remote_cseq = (uint32_t)record_number(&r, "remote_cseq", INT32_MAX);
    if (r.bad || r.version != VERSION || !tl_addr_is_set(&d->flow.remote) || (d->strict && !d->route_count))
        err = err == -ENOMEM ? err : -EINVAL;
    if (!err)
        sip_dialog_tags(d);
    else
        sip_dialog_fini(d);
    return err;
}
