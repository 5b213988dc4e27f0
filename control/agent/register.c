// SPDX-License-Identifier: BSD-3-Clause
// Registrations carried out: REGISTER to the peers of trunks, and what their answers say.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "control/agent/agent_internal.h"
#include "control/base/record.h"
#include "control/base/text.h"
#include "control/sip/uri.h"
#include "control/sip/value.h"

enum {
    FIRST_MS = 100,  // before the first REGISTER ...
    SPREAD_MS = 10,  // ... and between those of two, so that a thousand do not leave at once
    LEAVE_MS = 2000, // how long the registrars are waited for at the end
    AOR_MAX = TL_SIP_USER_LEN + TL_HOST_MAX + 16,
};

// ---- by name ------------------------------------------------------------------------------------------

static const char *contact_user(const struct tl_registration_config *c)
{
    return c->contact_user[0] ? c->contact_user : c->user;
}

static bool same(const struct agent_registration *r, const char *trunk,
                 const struct tl_registration_config *c)
{
    return strcmp(r->trunk, trunk) == 0 && strcmp(r->config.user, c->user) == 0 &&
           strcmp(r->config.domain, c->domain) == 0 && strcmp(contact_user(&r->config), contact_user(c)) == 0;
}

static const struct tl_trunk_config *settings(const struct agent_registration *r)
{
    const struct trunk *trunk = trunk_named(&r->agent->trunks, r->trunk);
    return trunk ? trunk->config : NULL;
}

// The host of the address of record.
static const char *domain(const struct agent_registration *r, const struct tl_trunk_config *t,
                          char room[static TL_HOST_MAX])
{
    return r->config.domain[0] ? r->config.domain : trunk_host(t, room);
}

static void aor_text(const struct agent_registration *r, const struct tl_trunk_config *t,
                     char out[static AOR_MAX])
{
    char room[TL_HOST_MAX];
    snprintf(out, AOR_MAX, "%s%s@%s", tl_uri_scheme_text(t->uri_scheme), r->config.user, domain(r, t, room));
}

// ---- what follows -------------------------------------------------------------------------------------

// Calls go to the trunk as long as one of its registrations holds, or it does not matter.
static void tell_trunk(struct agent *agent, const char *name)
{
    struct trunk *trunk = trunk_named(&agent->trunks, name);
    bool any = false, held = false;
    for (const struct agent_registration *r = agent->registrations; r; r = r->next)
        if (strcmp(r->trunk, name) == 0) {
            any = true;
            held = held || r->state.held;
        }
    if (trunk)
        trunk->unregistered = trunk->config && trunk->config->register_required && any && !held;
}

static void say(const struct agent_registration *r, enum registration_change change, const char *why)
{
    const struct tl_trunk_config *t = settings(r);
    uint64_t now = loop_now(r->agent->loop);
    unsigned long long pause = r->state.due_ms > now ? (r->state.due_ms - now + 999) / 1000 : 0;
    char aor[AOR_MAX] = "";
    if (t)
        aor_text(r, t, aor);
    if (change == REGISTRATION_BEGINS)
        log_line(LOG_NOTICE, "trunk %s: %s is registered for %llu s", r->trunk, aor,
                 (unsigned long long)(r->state.until_ms - now) / 1000);
    else if (change == REGISTRATION_FAILS)
        log_line(LOG_WARNING, "trunk %s: %s is not registered: %s; next try in %llu s", r->trunk, aor, why,
                 pause);
    else if (change == REGISTRATION_SHAKES)
        log_line(
            LOG_WARNING,
            "trunk %s: the registration of %s could not be renewed: %s; it holds for %llu s, next try in %llu s",
            r->trunk, aor, why, (unsigned long long)(r->state.until_ms - now) / 1000, pause);
    else if (change == REGISTRATION_LOST)
        log_line(LOG_WARNING, "trunk %s: the registration of %s is over and was not renewed", r->trunk, aor);
}

static void on_timer(void *arg);

static void arm(struct agent_registration *r)
{
    uint64_t now = loop_now(r->agent->loop), due = registration_due(&r->state);
    struct wheel *wheel = loop_wheel(r->agent->loop);
    if (due == REGISTRATION_NEVER)
        wheel_cancel(wheel, &r->timer);
    else
        wheel_add(wheel, &r->timer, due > now ? due - now : 0, on_timer, r);
}

static void answered(struct agent_registration *r, const struct registration_answer *answer, const char *why)
{
    struct agent *agent = r->agent;
    uint32_t random = 0;
    sdes_kernel_random(NULL, &random, sizeof random);
    snprintf(r->why, sizeof r->why, "%s", why);
    enum registration_change change = registration_answered(&r->state, answer, loop_now(agent->loop), random);
    if (!r->state.failures)
        r->why[0] = '\0';
    say(r, change, r->why);
    tell_trunk(agent, r->trunk);
    arm(r);
}

// ---- asking -------------------------------------------------------------------------------------------

// The one that answered last, as long as it does; else the next one.
static struct trunk_target *choose_target(struct agent_registration *r, struct trunk *trunk)
{
    uint64_t now = loop_now(r->agent->loop);
    struct trunk_target *target = trunk_target(trunk, r->target);
    if (target && !r->state.failures && target_rank(target, now) == TRUNK_GOOD)
        return target;
    target = trunk_pick(trunk, TRUNK_ANY_WAY, &r->target, r->state.failures ? 1 : 0, now);
    if (!target)
        target = trunk_pick(trunk, TRUNK_ANY_WAY, NULL, 0, now);
    r->target = target ? target->id : 0;
    return target;
}

// Sends a REGISTER; with 0 for `expires_s` the contact is taken back. Returns 0 or -errno.
static int send_register(struct agent_registration *r, const struct tl_trunk_config *t, uint32_t cseq,
                         uint32_t expires_s)
{
    struct agent *agent = r->agent;
    struct trunk *trunk = trunk_named(&agent->trunks, r->trunk);
    struct trunk_target *target = trunk ? choose_target(r, trunk) : NULL;
    if (!target)
        return -EHOSTUNREACH;
    const struct sip_flow flow = agent_flow(agent, t, trunk, target);
    char room[TL_HOST_MAX], uri[TL_HOST_MAX + 48], aor[AOR_MAX], to[AOR_MAX + 8], from[AOR_MAX + 40],
        headers[64];
    if (r->config.registrar[0] || r->config.domain[0])
        snprintf(uri, sizeof uri, "%s%s", tl_uri_scheme_text(t->uri_scheme),
                 r->config.registrar[0] ? r->config.registrar : domain(r, t, room));
    else
        sip_write_uri(uri, sizeof uri, t->uri_scheme, NULL, &flow.remote, flow.transport);
    aor_text(r, t, aor);
    snprintf(to, sizeof to, "<%s>", aor);
    snprintf(from, sizeof from, "<%s>;tag=%s", aor, r->state.tag);
    if (!headers_contact(t, &flow.local, flow.transport, t->uri_scheme, contact_user(&r->config), r->contact,
                         sizeof r->contact))
        return -EINVAL;
    snprintf(headers, sizeof headers, "Expires: %u\r\n%s", expires_s,
             r->config.path ? "Supported: path\r\n" : "");
    const struct sip_request request = {.method = SIP_REGISTER,
                                        .uri = uri,
                                        .from = from,
                                        .to = to,
                                        .call_id = r->state.call_id,
                                        .cseq = cseq,
                                        .contact = r->contact,
                                        .headers = headers,
                                        .account = agent_account(agent, r->trunk, r->config.login)};
    return sip_request(agent->stack, &flow, &request, &r->user.sip, &r->txn);
}

static void on_timer(void *arg)
{
    struct agent_registration *r = arg;
    uint64_t now = loop_now(r->agent->loop);
    const struct tl_trunk_config *t = settings(r);
    enum registration_change change = registration_expired(&r->state, now);
    say(r, change, "");
    if (change == REGISTRATION_LOST)
        tell_trunk(r->agent, r->trunk);
    if (t && registration_wants(&r->state, now)) {
        uint32_t cseq = registration_asks(&r->state);
        int rc = send_register(r, t, cseq, r->state.ask_s);
        if (rc < 0) {
            answered(r, &(struct registration_answer){0}, strerror(-rc));
            return;
        }
    }
    arm(r);
}

// ---- answers ------------------------------------------------------------------------------------------

// Whether a Contact of the answer is the one that we registered: the same user at the same host.
static bool is_ours(const struct agent_registration *r, struct sip_str uri)
{
    struct sip_addr own;
    struct sip_uri a, b;
    return sip_read_addr((struct sip_str){r->contact, strlen(r->contact)}, &own) &&
           sip_read_uri(own.uri, &a) && sip_read_uri(uri, &b) && sip_str_equal(a.user, b.user) &&
           sip_str_equal(a.host, b.host) && a.port == b.port;
}

// How long our contact is bound (10.3): as its parameter says, else Expires, else what we asked for. Where a server has
// written another address into the only contact, it is ours.
static uint32_t granted(const struct agent_registration *r, const struct sip_msg *msg)
{
    uint32_t otherwise = sip_msg_number(msg, "Expires", REGISTRATION_SECONDS_MAX, r->state.ask_s), only = 0;
    unsigned count = 0;
    for (unsigned i = 0; i < SIP_HEADERS_MAX; i++) {
        struct sip_str line = sip_msg_line(msg, SIP_NAME_CONTACT, i), value, param;
        if (!line.p)
            break;
        while ((value = sip_next_value(&line)).p) {
            struct sip_addr addr;
            uint64_t seconds = otherwise;
            if (!sip_read_addr(value, &addr))
                continue;
            if (sip_read_param(addr.params, "expires", &param) && param.p &&
                !sip_read_number(param, UINT32_MAX, &seconds))
                seconds = otherwise;
            only = seconds > REGISTRATION_SECONDS_MAX ? REGISTRATION_SECONDS_MAX : (uint32_t)seconds;
            if (is_ours(r, addr.uri))
                return only;
            count++;
        }
    }
    return count == 1 ? only : 0;
}

static void forget_routes(struct agent_registration *r)
{
    for (unsigned i = 0; i < r->route_count; i++)
        free(r->routes[i]);
    r->route_count = 0;
}

// RFC 3608 6.1: those of the last 2xx stand.
static void take_routes(struct agent_registration *r, const struct sip_msg *msg)
{
    forget_routes(r);
    for (unsigned i = 0; i < SIP_HEADERS_MAX; i++) {
        struct sip_str line = sip_msg_header(msg, "Service-Route", i), value;
        if (!line.p)
            break;
        while ((value = sip_next_value(&line)).p) {
            struct sip_addr addr;
            if (r->route_count == AGENT_SERVICE_ROUTES || !sip_read_addr(value, &addr) || !addr.angle) {
                log_line(
                    LOG_WARNING,
                    "trunk %s: the Service-Route of its registrar is left out: it is too long or malformed",
                    r->trunk);
                forget_routes(r);
                return;
            }
            char *copy = sip_str_dup(value);
            if (copy)
                r->routes[r->route_count++] = copy;
        }
    }
}

unsigned agent_service_route(const struct agent *agent, const char *trunk, const char *const **routes)
{
    for (const struct agent_registration *r = agent->registrations; r; r = r->next)
        if (strcmp(r->trunk, trunk) == 0 && r->state.held) {
            *routes = (const char *const *)r->routes;
            return r->route_count;
        }
    *routes = NULL;
    return 0;
}

static void left(struct agent_registration *r)
{
    struct agent *agent = r->agent;
    r->leaving = false;
    if (--agent->leaving || !agent->left)
        return;
    wheel_cancel(loop_wheel(agent->loop), &agent->leave_timer);
    agent->left(agent->left_arg);
}

void agent_register_response(struct agent_registration *r, const struct sip_msg *msg)
{
    unsigned status = (unsigned)sip_msg_status(msg);
    char why[AGENT_WHY_MAX], phrase[64], shown[128];
    if (status < 200)
        return;
    r->txn = NULL;
    if (r->leaving) {
        left(r);
        return;
    }
    struct registration_answer answer = {
        .status = status,
        .granted_s = status < 300 ? granted(r, msg) : 0,
        .min_expires_s = sip_msg_number(msg, "Min-Expires", REGISTRATION_SECONDS_MAX, 0),
        .retry_after_s = sip_msg_number(msg, "Retry-After", REGISTRATION_SECONDS_MAX, 0)};
    if (status < 300)
        take_routes(r, msg);
    sip_str_copy(sip_msg_phrase(msg), phrase, sizeof phrase);
    if (status < 300)
        snprintf(why, sizeof why, "the registrar answers %u, but our contact is not bound", status);
    else
        snprintf(why, sizeof why, "the registrar answers %u %s", status,
                 text_escape(phrase, strlen(phrase), shown, sizeof shown));
    answered(r, &answer, why);
}

void agent_register_failure(struct agent_registration *r, enum sip_failure why)
{
    r->txn = NULL;
    if (r->leaving)
        left(r);
    else
        answered(r, &(struct registration_answer){0},
                 why == SIP_TIMEOUT ? "the registrar does not answer" : "the registrar cannot be reached");
}

uint32_t agent_register_again(struct agent_registration *r)
{
    return ++r->state.cseq;
}

// ---- life ---------------------------------------------------------------------------------------------

static struct agent_registration *find(struct agent *agent, const char *trunk,
                                       const struct tl_registration_config *c)
{
    struct agent_registration *r = agent->registrations;
    while (r && !same(r, trunk, c))
        r = r->next;
    return r;
}

static void registration_free(struct agent_registration *r)
{
    wheel_cancel(loop_wheel(r->agent->loop), &r->timer);
    sip_owner_cut(&r->user.sip);
    forget_routes(r);
    free(r);
}

static int add(struct agent *agent, const struct tl_trunk_config *t, const struct tl_registration_config *c,
               uint64_t first_ms)
{
    struct agent_registration *r = calloc(1, sizeof *r), **at = &agent->registrations;
    if (!r)
        return -ENOMEM;
    r->user.kind = AGENT_REGISTER;
    r->agent = agent;
    r->config = *c;
    snprintf(r->trunk, sizeof r->trunk, "%s", t->name);
    registration_init(&r->state, c, t, first_ms);
    sip_make_tag(agent->stack, r->state.tag);
    sip_make_call_id(agent->stack, r->state.call_id, sizeof r->state.call_id);
    while (*at)
        at = &(*at)->next;
    *at = r;
    return 0;
}

// Takes a contact back that is not ours to keep any more. Nobody waits for the answer.
static void take_back(struct agent_registration *r, const struct tl_trunk_config *t)
{
    bool bound = r->state.held || r->state.asking;
    sip_owner_cut(&r->user.sip);
    r->txn = NULL;
    r->state.asking = false;
    if (t && bound)
        send_register(r, t, ++r->state.cseq, 0);
}

static bool moved(const struct tl_trunk_config *a, const struct tl_trunk_config *b)
{
    struct tl_peer_config one, other;
    uint32_t i = 0;
    bool more = true;
    while (more && tl_trunk_peer(a, i, &one) && tl_trunk_peer(b, i, &other) && one.send == other.send &&
           one.listener == other.listener && tl_addr_equal(&one.address, &other.address) &&
           strcmp(one.name, other.name) == 0)
        more = ++i < TL_PEERS_MAX;
    return tl_trunk_peer(a, i, &one) || tl_trunk_peer(b, i, &other);
}

static const struct tl_trunk_config *by_name(const struct tl_config *config, const char *name)
{
    for (uint32_t i = 0; i < config->trunk_count; i++)
        if (strcmp(config->trunks[i].name, name) == 0)
            return &config->trunks[i];
    return NULL;
}

void agent_registers_withdraw(struct agent *agent, const struct tl_config *next)
{
    for (struct agent_registration **at = &agent->registrations, *r; (r = *at);) {
        const struct tl_trunk_config *before = settings(r), *after = by_name(next, r->trunk);
        bool stays = false;
        for (uint32_t i = 0; after && before && !moved(before, after) && i < after->registration_count; i++)
            stays = stays || same(r, after->name, &after->registrations[i]);
        if (stays) {
            at = &r->next;
            continue;
        }
        *at = r->next;
        take_back(r, before);
        registration_free(r);
    }
}

int agent_registers_begin(struct agent *agent)
{
    const struct tl_config *config = agent_config(agent);
    uint64_t now = loop_now(agent->loop), first = now + FIRST_MS;
    for (uint32_t i = 0; i < config->trunk_count; i++)
        for (uint32_t k = 0; k < config->trunks[i].registration_count; k++, first += SPREAD_MS) {
            const struct tl_trunk_config *t = &config->trunks[i];
            const struct tl_registration_config *c = &t->registrations[k];
            struct agent_registration *r = find(agent, t->name, c);
            if (r) {
                r->config = *c;
                registration_configure(&r->state, c, t, now);
            } else if (add(agent, t, c, first) < 0) {
                return -ENOMEM;
            }
        }
    for (struct agent_registration *r = agent->registrations; r; r = r->next)
        arm(r);
    for (uint32_t i = 0; i < config->trunk_count; i++)
        tell_trunk(agent, config->trunks[i].name);
    return 0;
}

void agent_registers_fini(struct agent *agent)
{
    for (struct agent_registration *r; (r = agent->registrations);) {
        agent->registrations = r->next;
        registration_free(r);
    }
    wheel_cancel(loop_wheel(agent->loop), &agent->leave_timer);
}

static void on_leave_timer(void *arg)
{
    struct agent *agent = arg;
    log_line(LOG_WARNING, "%u registrars have not confirmed that we leave", agent->leaving);
    for (struct agent_registration *r = agent->registrations; r; r = r->next)
        r->leaving = false;
    agent->leaving = 0;
    agent->left(agent->left_arg);
}

void agent_leave(struct agent *agent, void (*done)(void *arg), void *arg)
{
    agent->left = NULL; // nobody hears of the first before the last is on its way
    for (struct agent_registration *r = agent->registrations; r; r = r->next) {
        const struct tl_trunk_config *t = settings(r);
        bool bound = r->state.held || r->state.asking;
        wheel_cancel(loop_wheel(agent->loop), &r->timer);
        sip_owner_cut(&r->user.sip);
        r->txn = NULL;
        if (!t || !bound || send_register(r, t, ++r->state.cseq, 0) < 0)
            continue;
        r->leaving = true;
        agent->leaving++;
    }
    agent->left = done;
    agent->left_arg = arg;
    if (agent->leaving)
        wheel_add(loop_wheel(agent->loop), &agent->leave_timer, LEAVE_MS, on_leave_timer, agent);
    else
        done(arg);
}

// ---- records and what is shown ------------------------------------------------------------------------

void agent_each_registration(const struct agent *agent, const char *trunk,
                             void (*fn)(void *arg, const struct agent_registration_info *info), void *arg)
{
    for (const struct agent_registration *r = agent->registrations; r; r = r->next) {
        const struct tl_trunk_config *t = settings(r);
        char aor[AOR_MAX];
        if (strcmp(r->trunk, trunk) != 0 || !t)
            continue;
        aor_text(r, t, aor);
        fn(arg, &(struct agent_registration_info){.aor = aor,
                                                  .contact = contact_user(&r->config),
                                                  .state = &r->state,
                                                  .why = r->why,
                                                  .service_routes = r->route_count,
                                                  .now_ms = loop_now(agent->loop)});
    }
}

void agent_registers_save(const struct agent *agent, struct record_writer *w)
{
    for (const struct agent_registration *r = agent->registrations; r; r = r->next) {
        record_begin(w, "registration", 1);
        record_put_text(w, "trunk", r->trunk);
        record_put_text(w, "user", r->config.user);
        record_put_text(w, "domain", r->config.domain);
        record_put_text(w, "contact_user", contact_user(&r->config));
        registration_save(&r->state, loop_now(agent->loop), w);
        for (unsigned i = 0; i < r->route_count; i++) {
            record_begin(w, "service_route", 1);
            record_put_text(w, "value", r->routes[i]);
            record_end(w);
        }
        record_end(w);
    }
}

// All of them or none: a request that lacks one goes where it should not.
static int load_routes(struct agent_registration *r, const struct record *in)
{
    struct record route;
    char value[SIP_LINE_MAX];
    forget_routes(r);
    for (unsigned k = 0; record_section(in, "service_route", k, &route) == 0; k++) {
        struct sip_addr addr;
        struct sip_uri uri;
        record_text(&route, "value", value, sizeof value);
        const struct sip_str all = {value, strlen(value)};
        char *copy = NULL;
        if (!route.bad && r->route_count < AGENT_SERVICE_ROUTES && sip_read_addr(all, &addr) && addr.angle &&
            sip_read_uri(addr.uri, &uri) && !strpbrk(value, "\r\n"))
            copy = strdup(value);
        if (!copy) {
            forget_routes(r);
            return -EINVAL;
        }
        r->routes[r->route_count++] = copy;
    }
    return 0;
}

int agent_registers_load(struct agent *agent, const struct record *in, uint64_t away_ms)
{
    struct record section;
    int bad = 0;
    for (unsigned i = 0; record_section(in, "registration", i, &section) == 0; i++) {
        struct tl_registration_config c = {0};
        char trunk[TL_NAME_MAX];
        record_text(&section, "trunk", trunk, sizeof trunk);
        record_text(&section, "user", c.user, sizeof c.user);
        record_text(&section, "domain", c.domain, sizeof c.domain);
        record_text(&section, "contact_user", c.contact_user, sizeof c.contact_user);
        struct agent_registration *r = section.bad ? NULL : find(agent, trunk, &c);
        if (section.bad || (r && registration_load(&r->state, &section, loop_now(agent->loop), away_ms) < 0))
            bad = -EINVAL;
        else if (r) {
            if (load_routes(r, &section) < 0)
                bad = -EINVAL;
            tell_trunk(agent, r->trunk);
            arm(r);
        }
    }
    return bad;
}
