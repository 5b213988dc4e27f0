// SPDX-License-Identifier: BSD-3-Clause
#include "control/admin/route_test.h"

#include <stdio.h>
#include <string.h>

#include "control/base/text.h"
#include "control/sip/uri.h"
#include "control/trunk/way.h"

static_assert((int)SIP_NUMBER_MAX == (int)NUMBER_MAX, "what SIP calls a number fits");

struct test {
    const struct generation *generation;
    const struct route_test *ask;
    uint32_t from;
    uint64_t now_ms;
    struct way way;
    json_t *routes, *trunks;
    uint32_t taken; // index of the route, or TL_NO_INDEX
};

// ---- numbers

// The number that a peer's INVITE would bring: of a URI, or of what stands before its '@'.
static bool read_number(const char *text, char out[static NUMBER_MAX])
{
    char uri[1024];
    bool has_scheme = sip_has_scheme((struct sip_str){text, strlen(text)});
    int n = snprintf(uri, sizeof uri, "%s%s%s", has_scheme ? "" : "sip:", text,
                     has_scheme || strchr(text, '@') ? "" : "@invalid");

    out[0] = '\0';
    return n > 0 && (size_t)n < sizeof uri && sip_uri_number((struct sip_str){uri, (size_t)n}, out);
}

// One step of a number. `rule`: of the translation, -1: none fitted.
static json_t *number_json(const struct tl_config *config, uint32_t translation, int rule, bool remove_plus,
                           const char *before, const char *after)
{
    const struct tl_translation_config *t =
        translation < config->translation_count ? &config->translations[translation] : NULL;
    const struct tl_rule *r = t && rule >= 0 ? &t->rules[rule] : NULL;

    return json_pack("{s:s, s:s, s:s?, s:o, s:s?, s:s?, s:b}", "before", TEXT_SHOWN(before), "after",
                     TEXT_SHOWN(after), "translation", t ? t->name : NULL, "rule",
                     r ? json_integer(rule) : json_null(), "match", r ? r->match : NULL, "to",
                     r ? r->to : NULL, "remove_plus", remove_plus);
}

static json_t *number_to(const struct test *t, const struct tl_trunk_config *trunk, uint32_t translation,
                         const char *inside)
{
    const struct tl_config *config = t->generation->config;
    char out[NUMBER_MAX];
    int rule = number_to_peer(config, trunk, translation, inside, out);

    return number_json(config, translation, rule, trunk->remove_plus, inside, out);
}

// ---- what is told on the way

static const struct {
    const char *word, *why;
} route_words[] = {
    [ROUTE_TAKEN] = {"taken", "it is taken"},
    [ROUTE_OTHER_FROM] = {"from", "it is for calls of another trunk"},
    [ROUTE_CALLED] = {"called", "it does not fit the called number"},
    [ROUTE_CALLING] = {"calling", "it does not fit the calling number"},
    [ROUTE_CLOSED] = {"side", "it leads from a peer to a peer or back, and does not say that it may"},
};

static json_t *trunk_names(const struct tl_config *config, const struct tl_route_config *r)
{
    json_t *names = json_array();

    for (uint32_t i = 0; i < r->trunk_count; i++)
        json_array_append_new(names, json_string(config->trunks[r->trunks[i]].name));
    return names;
}

static void on_route(void *arg, uint32_t route, enum route_verdict verdict)
{
    struct test *t = arg;
    const struct tl_config *config = t->generation->config;
    const struct tl_route_config *r = &config->routes[route];

    if (verdict == ROUTE_TAKEN)
        t->taken = route;
    json_array_append_new(
        t->routes,
        json_pack("{s:I, s:s, s:s, s:s, s:s?, s:I, s:o, s:s?, s:o, s:s, s:b, s:b, s:s, s:s}", "route",
                  (json_int_t)route, "prefix", r->prefix, "called", r->called, "calling", r->calling, "from",
                  r->any_from ? NULL : config->trunks[r->from].name, "priority", (json_int_t)r->priority,
                  "trunks", trunk_names(config, r), "group",
                  r->group < config->group_count ? config->groups[r->group].name : NULL, "deny",
                  r->deny ? json_integer((json_int_t)r->deny) : json_null(), "deny_text", r->deny_text,
                  "peer_to_peer", r->peer_to_peer, "back_to_origin", r->back_to_origin, "verdict",
                  route_words[verdict].word, "why", route_words[verdict].why));
}

// A sentence for who is tried and who is not.
static const char *trunk_why(const struct test *t, uint32_t trunk, enum trunk_verdict verdict,
                             enum trunk_rank rank)
{
    static const char *const tried[] = {
        [TRUNK_GOOD] = "",
        [TRUNK_FAILING] = "tried late: it fails calls",
        [TRUNK_DOWN] = "tried late: it does not answer OPTIONS",
        [TRUNK_RESTING] = "tried last, for an emergency: it has sent Retry-After and rests"};

    switch (verdict) {
    case TRUNK_CLOSED:
        return trunk == t->from ? "the call came from there, and the route has no back_to_origin"
                                : "from a peer to a peer, and the route has no peer_to_peer";
    case TRUNK_UNREGISTERED:
        return "it is to be used only while registered, and is not";
    case TRUNK_LEFT_ALONE:
        return "it has sent Retry-After and rests";
    case TRUNK_CLEAR:
        return "the call is sips:, and it has no peer over TLS";
    default:
        return tried[rank];
    }
}

static void on_trunk(void *arg, uint32_t trunk, enum trunk_verdict verdict)
{
    static const char *const words[] = {[TRUNK_TRIED] = "tried",
                                        [TRUNK_CLOSED] = "side",
                                        [TRUNK_UNREGISTERED] = "unregistered",
                                        [TRUNK_LEFT_ALONE] = "resting",
                                        [TRUNK_CLEAR] = "no_tls"};
    struct test *t = arg;
    const struct trunk *state = t->generation->trunks[trunk];
    enum trunk_rank rank = trunk_rank(state, t->now_ms);

    json_array_append_new(t->trunks,
                          json_pack("{s:s, s:n, s:s, s:s, s:s, s:s}", "trunk", state->name, "place", "state",
                                    trunk_state_word(state), "rank", target_rank_word(rank), "verdict",
                                    words[verdict], "why", trunk_why(t, trunk, verdict, rank)));
}

// ---- behind the route

static json_t *trunk_entry(const struct test *t, const char *name)
{
    size_t i;
    json_t *entry;

    json_array_foreach(t->trunks, i, entry)
    {
        if (strcmp(json_string_value(json_object_get(entry, "trunk")), name) == 0)
            return entry;
    }
    return NULL;
}

static void on_full(void *arg, struct trunk *trunk, enum trunk_limit limit)
{
    json_t *entry = trunk_entry(arg, trunk->name);

    json_object_set_new(entry, "verdict", json_string(trunk_limit_label(limit)));
    json_object_set_new(entry, "why", json_string(trunk_limit_text(limit)));
}

// The limits that a call meets behind its route, in the order of agent_admit(). Returns the status, with *limit where it is one.
static int admit(struct test *t, enum trunk_limit *limit)
{
    const struct trunk *from = t->generation->trunks[t->from];

    if (t->ask->dataplane_away) {
        t->way.why = "the dataplane is away";
        return 503;
    }
    *limit = trunk_admission(from, way_urgency(&t->way), t->now_ms);
    if (*limit == TRUNK_LIMIT_NONE)
        *limit = way_drop_full(t->generation, &t->way, t->now_ms, on_full, t);
    if (*limit == TRUNK_LIMIT_NONE)
        return 0;
    t->way.why = trunk_limit_text(*limit);
    return 503;
}

// Who is tried has a place, and the numbers that its peer gets.
static void add_places(struct test *t)
{
    const struct tl_config *config = t->generation->config;

    for (unsigned i = 0; i < t->way.count; i++) {
        const struct tl_trunk_config *trunk = &config->trunks[t->way.target[i].trunk];
        json_t *entry = trunk_entry(t, trunk->name);
        json_object_set_new(entry, "place", json_integer(i + 1));
        json_object_set_new(entry, "called", number_to(t, trunk, trunk->called_out, t->way.called));
        json_object_set_new(entry, "calling", number_to(t, trunk, trunk->calling_out, t->way.calling));
    }
}

static json_t *group_json(const struct test *t)
{
    static const char *const orders[] = {
        [TL_ORDER_LISTED] = "listed", [TL_ORDER_TURNS] = "round-robin", [TL_ORDER_WEIGHTS] = "weighted"};
    const struct tl_config *config = t->generation->config;
    uint32_t group = t->taken == TL_NO_INDEX ? TL_NO_INDEX : config->routes[t->taken].group;

    if (group >= config->group_count)
        return json_null();
    return json_pack("{s:s, s:s}", "name", config->groups[group].name, "order",
                     orders[config->groups[group].order]);
}

static json_t *run(struct test *t, const char *called, const char *calling)
{
    const struct tl_config *config = t->generation->config;
    const struct tl_trunk_config *trunk = &config->trunks[t->from];
    const struct way_watch watch = {.route = on_route, .trunk = on_trunk, .arg = t};
    const struct way_ask ask = {.from = t->from,
                                .called = called,
                                .calling = calling,
                                .need = sip_uri_is_secure((struct sip_str){t->ask->to, strlen(t->ask->to)})
                                            ? TRUNK_SECURE_WAY
                                            : TRUNK_ANY_WAY,
                                .now_ms = t->now_ms,
                                .dry = true,
                                .watch = &watch};
    enum trunk_limit limit = TRUNK_LIMIT_NONE;
    int status = way_find(t->generation, &ask, &t->way);

    if (status == 0)
        status = admit(t, &limit);
    if (status == 0)
        add_places(t);
    json_int_t passed = (json_int_t)config->route_count - (json_int_t)json_array_size(t->routes);
    return json_pack(
        "{s:s, s:b, s:o, s:o, s:b, s:O, s:I, s:o, s:O, s:s?, s:o, s:s?, s:I, s:s?}", "trunk", trunk->name,
        "offline", t->ask->offline, "called",
        number_json(config, trunk->called_in, t->way.called_rule, false, called, t->way.called), "calling",
        number_json(config, trunk->calling_in, t->way.calling_rule, false, calling, t->way.calling),
        "emergency", t->way.emergency, "routes", t->routes, "routes_passed", passed, "group", group_json(t),
        "trunks", t->trunks, "limit", limit == TRUNK_LIMIT_NONE ? NULL : trunk_limit_label(limit), "status",
        status ? json_integer(status) : json_null(), "phrase", t->way.phrase, "retry_after",
        (json_int_t)t->way.retry_after, "why", status ? t->way.why : NULL);
}

json_t *route_test_answer(const struct trunk_table *table, const struct route_test *ask, uint64_t now_ms,
                          char *refused, size_t size)
{
    const struct trunk *from = trunk_named(table, ask->trunk);
    char called[NUMBER_MAX], calling[NUMBER_MAX];

    if (!from || !from->config) {
        snprintf(refused, size, "no trunk of the configuration has the name %s", TEXT_SHOWN(ask->trunk));
        return NULL;
    }
    if (!read_number(ask->to, called)) {
        snprintf(refused, size,
                 "%s has no number that can be called; expected a number, a user part or a URI",
                 TEXT_SHOWN(ask->to));
        return NULL;
    }
    if (!read_number(ask->from, calling) && ask->from[0] &&
        !sip_has_scheme((struct sip_str){ask->from, strlen(ask->from)})) {
        snprintf(refused, size, "%s is no caller; expected a number, a user part, a URI or \"\" for nobody",
                 TEXT_SHOWN(ask->from));
        return NULL;
    }
    struct test t = {.generation = table->now,
                     .ask = ask,
                     .from = from->index,
                     .now_ms = now_ms,
                     .routes = json_array(),
                     .trunks = json_array(),
                     .taken = TL_NO_INDEX};
    json_t *answer = t.routes && t.trunks ? run(&t, called, calling) : NULL;
    json_decref(t.routes);
    json_decref(t.trunks);
    if (!answer)
        snprintf(refused, size, "not enough memory for the answer");
    return answer;
}

json_t *route_test_offline(const struct tl_config *config, const struct route_test *ask, char *refused,
                           size_t size)
{
    struct route_test now = *ask;
    struct trunk_table table;

    if (trunk_table_init(&table, config, 0) < 0) {
        snprintf(refused, size, "not enough memory");
        return NULL;
    }
    now.offline = true;
    json_t *answer = route_test_answer(&table, &now, 0, refused, size);
    trunk_table_fini(&table);
    return answer;
}
