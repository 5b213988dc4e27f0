// SPDX-License-Identifier: BSD-3-Clause
// The steps that configure, look at the state, and play the dataplane's part.
#include "ladder.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "control/admin/calls.h"
#include "control/base/record.h"
#include "party_internal.h"

// ---- configuration ------------------------------------------------------------------------------------

static json_t *by_name(json_t *array, const char *name, size_t len)
{
    size_t i;
    json_t *member;
    json_array_foreach(array, i, member)
    {
        const char *is = json_string_value(json_object_get(member, "name"));
        if (is && strlen(is) == len && strncmp(is, name, len) == 0)
            return member;
    }
    return NULL;
}

static json_t *value_of(const char *text)
{
    json_t *v = json_loads(text, JSON_DECODE_ANY, NULL);
    return v ? v : json_string(text);
}

// "control.max_calls=1", "trunk.core.srtp=required", "trunk.*.x=1", "route.2.fork=..": a path of names, and a value.
static bool set_one(struct ladder *l, json_t *into, char *path, const char *value)
{
    char *dot = strchr(path, '.');
    if (!dot) {
        json_object_set_new(into, path, value_of(value));
        return true;
    }
    *dot = 0;
    static const char *const arrays[] = {"trunk", "realm", "listener", "profile"};
    for (unsigned i = 0; i < 4; i++) {
        char plural[16];
        size_t len = strcspn(dot + 1, ".");
        snprintf(plural, sizeof plural, "%ss", arrays[i]);
        if (strcmp(path, arrays[i]) != 0)
            continue;
        json_t *array = json_object_get(into, plural), *member = by_name(array, dot + 1, len);
        if (member && dot[1 + len])
            return set_one(l, member, dot + 2 + len, value);
        return ladder_fail(l, "there is no %s %.*s", path, (int)len, dot + 1);
    }
    json_t *next = json_object_get(into, path);
    if (json_is_array(next)) {
        size_t len = strcspn(dot + 1, ".");
        json_t *member = json_array_get(next, (size_t)atoi(dot + 1));
        if (member && dot[1 + len])
            return set_one(l, member, dot + 2 + len, value);
        return ladder_fail(l, "there is no such member of %s", path);
    }
    if (!next) {
        next = json_object();
        json_object_set_new(into, path, next);
    }
    return set_one(l, next, dot + 1, value);
}

static bool remove_one(struct ladder *l, const char *list, const char *name)
{
    json_t *array = json_object_get(l->config, list), *member = by_name(array, name, strlen(name));
    for (size_t i = 0; member && i < json_array_size(array); i++)
        if (json_array_get(array, i) == member)
            return json_array_remove(array, i) == 0;
    return ladder_fail(l, "there is no %s in %s", name, list);
}

// What stands behind "config", "change" and "reload": "PATH=VALUE ...", "trunk NAME.KEY=VALUE ...", "add trunks {json}",
// "set routes [json]", "remove trunks NAME".
static bool configure(struct ladder *l, char **words, unsigned count, const struct step *s)
{
    if (count == 4 && strcmp(words[1], "remove") == 0)
        return remove_one(l, words[2], words[3]);
    if (count >= 3 && (strcmp(words[1], "add") == 0 || strcmp(words[1], "set") == 0)) {
        const char *text = strstr(s->text, words[2]) + strlen(words[2]);
        json_t *v = json_loads(text, JSON_DECODE_ANY, NULL);
        if (!v)
            return ladder_fail(l, "that is no JSON: %s", text);
        if (words[1][0] == 'a')
            return json_array_append_new(json_object_get(l->config, words[2]), v) == 0 ||
                   ladder_fail(l, "there is no list %s", words[2]);
        return json_object_set_new(l->config, words[2], v) == 0;
    }
    bool trunk = count > 1 && strcmp(words[1], "trunk") == 0;
    for (unsigned i = trunk ? 2 : 1; i < count; i++) {
        char path[200], *eq = strchr(words[i], '=');
        if (!eq)
            return ladder_fail(l, "expected PATH=VALUE, got %s", words[i]);
        snprintf(path, sizeof path, "%s%.*s", trunk ? "trunk." : "", (int)(eq - words[i]), words[i]);
        if (!set_one(l, l->config, path, eq + 1))
            return false;
    }
    return true;
}

bool ladder_config(struct ladder *l, char **words, unsigned count, const struct step *s)
{
    if (l->open)
        return ladder_fail(l, "configuration comes before everything else; change and reload come later");
    return configure(l, words, count, s);
}

// "change ..." is for the next reload, "reload ..." changes and reloads, "reload refused ..." has to be refused.
bool ladder_reload(struct ladder *l, char **words, unsigned count, const struct step *s)
{
    bool refused = count > 1 && strcmp(words[1], "refused") == 0;
    char why[600];
    if (count > 1u + refused && !configure(l, words + refused, count - refused, s))
        return false;
    if (strcmp(words[0], "change") == 0)
        return true;
    char *text = json_dumps(l->config, 0);
    int rc = world_reload(&l->w, text, why, sizeof why);
    free(text);
    if ((rc < 0) != refused)
        return ladder_fail(l, "%s", refused ? "it was not refused" : why);
    return ladder_pump(l);
}

// "restart 5s": trunkline-control dies and is there again so much later, with the registrations that it had saved. The clock
// begins anew.
bool ladder_restart(struct ladder *l, char **words, unsigned count)
{
    static char saved[65536];
    struct record_writer w;
    struct record in;
    uint64_t away;
    if (count != 2 || !ladder_time(words[1], &away) || !ladder_nothing_left(l))
        return l->why[0] ? false : ladder_fail(l, "restart TIME");
    record_writer_init(&w, saved, sizeof saved);
    record_begin(&w, "control", 1);
    agent_registers_save(l->w.agent, &w);
    record_end(&w);
    int len = record_finish(&w);
    char *json = json_dumps(l->config, 0);
    world_close(&l->w);
    l->log_at = 0;
    l->open = world_open(&l->w, json, ++l->seed, l->why, sizeof l->why);
    free(json);
    if (!l->open)
        return false;
    l->why[0] = 0;
    return (len > 0 && record_open(&in, saved, (size_t)len, "control") == 0 &&
            agent_registers_load(l->w.agent, &in, away) == 0) ||
           ladder_fail(l, "what was saved could not be loaded");
}

// "secret TRUNK REALM USER PASSWORD": credentials of a trunk, whose password lies in a file.
bool ladder_secret(struct ladder *l, char **words, unsigned count)
{
    json_t *trunk =
        count == 5 ? by_name(json_object_get(l->config, "trunks"), words[1], strlen(words[1])) : NULL;
    if (l->open || !trunk)
        return ladder_fail(l, "secret TRUNK REALM USER PASSWORD comes before everything else");
    const struct secret *s = secret_add(&l->ps, words[2], words[3], words[4]);
    json_t *list = json_object_get(trunk, "credentials");
    if (!list) {
        list = json_array();
        json_object_set_new(trunk, "credentials", list);
    }
    return (s && json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "realm", s->realm, "user", s->user,
                                                       "password_file", s->path)) == 0) ||
           ladder_fail(l, "the password has no file");
}

// ---- state --------------------------------------------------------------------------------------------

static bool number_is(struct ladder *l, const char *what, unsigned long long is, const char *want)
{
    if (is == strtoull(want, NULL, 10))
        return true;
    return ladder_fail(l, "%llu %s, not %s", is, what, want);
}

static bool check_rest(struct ladder *l, char **words, unsigned count)
{
    struct world_rest r = world_rest(&l->w);
    for (unsigned i = 1; i + 1 < count; i += 2) {
        const char *what = words[i], *want = words[i + 1];
        bool good;
        if (strcmp(what, "calls") == 0)
            good = number_is(l, what, r.calls, want);
        else if (strcmp(what, "sessions") == 0)
            good = number_is(l, what, r.sessions_fake, want);
        else if (strcmp(what, "transactions") == 0)
            good = number_is(l, what, r.transactions, want);
        else if (strcmp(what, "timers") == 0)
            good = number_is(l, what, r.timers, want);
        else if (strcmp(what, "left") == 0)
            good = number_is(l, what, l->left, want);
        else
            return ladder_fail(l, "\"%s\" cannot be expected", what);
        if (!good)
            return false;
    }
    return true;
}

// Looks up "calls.answered" in what the operator is told.
static bool check_json(struct ladder *l, json_t *root, const char *path, const char *want)
{
    json_t *at = root;
    char *text;
    for (const char *p = path; at && *p;) {
        size_t len = strcspn(p, ".");
        char key[64];
        snprintf(key, sizeof key, "%.*s", (int)len, p);
        at = json_is_array(at)
                 ? (by_name(at, key, len) ? by_name(at, key, len) : json_array_get(at, (size_t)atoi(key)))
                 : json_object_get(at, key);
        p += len + (p[len] == '.');
    }
    bool good = at != NULL;
    if (!at) {
        text = root ? json_dumps(root, JSON_INDENT(1)) : NULL;
        ladder_fail(l, "there is no %s in %s", path, text ? text : "nothing");
    } else {
        text = json_is_string(at) ? strdup(json_string_value(at)) : json_dumps(at, JSON_ENCODE_ANY);
        good = strcmp(text, want) == 0;
        if (!good)
            ladder_fail(l, "%s is %s, not %s", path, text, want);
    }
    free(text);
    json_decref(root);
    return good;
}

static bool check_call(struct ladder *l, char **words, unsigned count)
{
    char id[24] = "";
    json_t *all = agent_provider.calls(l->w.agent, 0, 1);
    const char *first =
        json_string_value(json_object_get(json_array_get(json_object_get(all, "calls"), 0), "id"));
    snprintf(id, sizeof id, "%s", first ? first : "");
    json_decref(all);
    if (!id[0])
        return ladder_fail(l, "there is no call");
    for (unsigned i = 2; i + 1 < count; i += 2)
        if (!check_json(l, agent_provider.call(l->w.agent, id), words[i], words[i + 1]))
            return false;
    return true;
}

static bool check_log(struct ladder *l, const char *pattern, bool none)
{
    regex_t re;
    bool found = false;
    if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB))
        return ladder_fail(l, "pattern %s cannot be read", pattern);
    unsigned at = none ? 0 : l->log_at;
    for (; at < l->w.log_count && !found; at++)
        found = regexec(&re, l->w.log[at], 0, NULL, 0) == 0;
    regfree(&re);
    if (found && !none)
        l->log_at = at;
    if (found != none)
        return true;
    ladder_fail(l,
                none ? "the log has what may not be there: %s" : "no line of the log has %s; the last is: %s",
                pattern, l->w.log_count ? l->w.log[l->w.log_count - 1] : "none");
    return false;
}

// The session of the dataplane: "expect media A remote=10.99.1.10:4000 send recv suite=0 pps=50".
static bool check_media_word(struct ladder *l, const struct tl_leg *leg, const char *word)
{
    char is[64];
    if (strcmp(word, "send") == 0 || strcmp(word, "recv") == 0 || strcmp(word, "nosend") == 0 ||
        strcmp(word, "norecv") == 0) {
        uint32_t bit = strstr(word, "send") ? TL_LEG_SEND : TL_LEG_RECV;
        bool want = word[0] != 'n';
        return !(leg->flags & bit) == !want ||
               ladder_fail(l, "the dataplane's leg has flags %u, not %s", leg->flags, word);
    }
    snprintf(is, sizeof is, "?");
    if (strncmp(word, "remote=", 7) == 0)
        snprintf(is, sizeof is, "remote=%u.%u.%u.%u:%u", leg->rtp.ip[0], leg->rtp.ip[1], leg->rtp.ip[2],
                 leg->rtp.ip[3], leg->rtp.port);
    else if (strncmp(word, "rx=", 3) == 0)
        snprintf(is, sizeof is, "rx=%u", leg->rx.suite);
    else if (strncmp(word, "tx=", 3) == 0)
        snprintf(is, sizeof is, "tx=%u", leg->tx.suite);
    else if (strncmp(word, "rxgen=", 6) == 0)
        snprintf(is, sizeof is, "rxgen=%u", leg->rx.generation);
    else if (strncmp(word, "txgen=", 6) == 0)
        snprintf(is, sizeof is, "txgen=%u", leg->tx.generation);
    else if (strncmp(word, "silence=", 8) == 0)
        snprintf(is, sizeof is, "silence=%u", leg->silence_ms);
    return strcmp(is, word) == 0 || ladder_fail(l, "the dataplane has %s, not %s", is, word);
}

static bool check_media(struct ladder *l, char **words, unsigned count)
{
    const struct fake_session *f = fake_dataplane_at(l->w.fake, 0);
    if (!f || count < 3)
        return ladder_fail(l, "the dataplane has no session");
    for (unsigned i = 3; i < count; i++)
        if (!check_media_word(l, &f->leg[words[2][0] == 'B'], words[i]))
            return false;
    return true;
}

bool ladder_check(struct ladder *l, char **words, unsigned count)
{
    if (count < 3)
        return ladder_fail(l, "expect what?");
    if (strcmp(words[1], "log") == 0 || strcmp(words[1], "nolog") == 0)
        return check_log(l, words[2], words[1][0] == 'n');
    if (strcmp(words[1], "call") == 0)
        return check_call(l, words, count);
    if (strcmp(words[1], "media") == 0)
        return check_media(l, words, count);
    if (strcmp(words[1], "modifies") == 0)
        return number_is(l, "MODIFYs", fake_dataplane_executed(l->w.fake, TL_OP_MODIFY), words[2]);
    if (strcmp(words[1], "status") == 0 || strcmp(words[1], "trunk") == 0) {
        bool trunk = words[1][0] == 't';
        for (unsigned i = 2; i + 1 < count; i += 2) {
            char path[200];
            snprintf(path, sizeof path, "%s%s", trunk ? "trunks." : "", words[i]);
            if (!check_json(l, trunk ? agent_provider.trunks(l->w.agent) : agent_provider.status(l->w.agent),
                            path, words[i + 1]))
                return false;
        }
        return true;
    }
    return check_rest(l, words, count);
}

// ---- the dataplane's part -----------------------------------------------------------------------------

static int error_of(const char *name)
{
    static const struct {
        const char *name;
        int value;
    } known[] = {{"ENOSPC", ENOSPC},
                 {"EINVAL", EINVAL},
                 {"ENODEV", ENODEV},
                 {"EADDRINUSE", EADDRINUSE},
                 {"ENOENT", ENOENT}};
    for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i].name, name) == 0)
            return -known[i].value;
    return -ENOSPC;
}

static uint64_t first_ref(const struct ladder *l)
{
    const struct fake_session *f = fake_dataplane_at(l->w.fake, 0);
    return f ? f->call_ref : 0;
}

static bool media_event(struct ladder *l, char **words, unsigned count)
{
    uint64_t ms = 5000, ref = first_ref(l);
    if (count > 3 && !ladder_time(words[3], &ms))
        return ladder_fail(l, "\"%s\" is no time", words[3]);
    bool silent = strcmp(words[1], "silent") == 0;
    uint8_t leg = count > 2 && words[2][0] == 'B';
    if (!ref)
        return l->loose || ladder_fail(l, "there is no session");
    if (!silent)
        fake_dataplane_media(l->w.fake, ref, leg, 0, 50, 8000);
    fake_dataplane_event(l->w.fake, ref, silent ? TL_EVENT_SILENT : TL_EVENT_HEARD, leg, (uint32_t)ms,
                         (uint8_t)(silent ? 1u << !leg : 3));
    return true;
}

bool ladder_media(struct ladder *l, char **words, unsigned count)
{
    const char *what = count > 1 ? words[1] : "";
    bool good = true;
    if (strcmp(what, "refuse") == 0 && count > 2) {
        uint16_t op = strcmp(words[2], "add") == 0      ? TL_OP_ADD
                      : strcmp(words[2], "modify") == 0 ? TL_OP_MODIFY
                                                        : TL_OP_DEL;
        fake_dataplane_refuse(l->w.fake, op, 1, count > 3 ? error_of(words[3]) : -ENOSPC,
                              count > 4 ? TL_FIELD_KEY : TL_FIELD_NONE);
    } else if (strcmp(what, "hold") == 0) {
        fake_dataplane_hold_completions(l->w.fake);
    } else if (strcmp(what, "release") == 0) {
        fake_dataplane_release_completions(l->w.fake, count > 2 ? (unsigned)atoi(words[2]) : UINT_MAX);
    } else if (strcmp(what, "die") == 0) {
        if (fake_dataplane_fd(l->w.fake) >= 0)
            fake_dataplane_die(l->w.fake);
    } else if (strcmp(what, "revive") == 0) {
        good =
            fake_dataplane_revive(l->w.fake) == 0 || ladder_fail(l, "the fake dataplane did not come back");
        for (unsigned i = 0; i < 200 && good && !media_up(agent_media(l->w.agent)); i++) {
            uint64_t next = world_next(&l->w); // the client connects by its timer
            world_advance(&l->w, next < 1 ? 1 : next > 100 ? 100 : next);
        }
    } else if (strcmp(what, "silent") == 0 || strcmp(what, "heard") == 0) {
        good = media_event(l, words, count);
    } else if (strcmp(what, "packets") == 0 && count > 4) { // packets A SSRC N: what SRTP's indices follow
        fake_dataplane_media(l->w.fake, first_ref(l), words[2][0] == 'B',
                             (uint32_t)strtoul(words[3], NULL, 0), strtoull(words[4], NULL, 10), 160);
    } else {
        return ladder_fail(l, "media refuse|hold|release|die|revive|silent|heard|packets");
    }
    world_settle(&l->w);
    return good;
}

// ---- a file -------------------------------------------------------------------------------------------

static char *take_line(char **text)
{
    char *line = *text;
    if (!line || !*line)
        return NULL;
    size_t n = strcspn(line, "\n");
    *text = line[n] ? line + n + 1 : line + n;
    line[n] = 0;
    if (n && line[n - 1] == '\r')
        line[n - 1] = 0;
    return line;
}

static bool belongs_to_step(const char *line)
{
    const char *p = line + strspn(line, " \t");
    return p != line && *p && *p != '#' && (strchr("+=-|~$", *p) || strncmp(p, "!~", 2) == 0);
}

char *ladder_read_file(const char *path)
{
    FILE *f = fopen(path, "re");
    struct text t = {0};
    char piece[4096];
    size_t n;
    if (!f)
        return NULL;
    text_add(&t, "%s", "");
    while ((n = fread(piece, 1, sizeof piece, f)) > 0)
        text_add_bytes(&t, piece, n);
    fclose(f);
    return t.p;
}

static bool play_text(struct ladder *l, const char *name, char *text, FILE *out);

static bool play_include(struct ladder *l, const char *name, FILE *out)
{
    char path[600], *text;
    snprintf(path, sizeof path, "%s/inc/%.80s", l->folder, name);
    text = l->depth < 4 ? ladder_read_file(path) : NULL;
    if (!text) {
        fprintf(out, "%s cannot be included\n", path);
        return false;
    }
    l->depth++;
    bool good = play_text(l, name, text, out);
    l->depth--;
    free(text);
    return good;
}

static bool play_step(struct ladder *l, struct step *s, const char *name, FILE *out)
{
    char include[100];
    if (!s->text)
        return true;
    bool good =
        sscanf(s->text, " include %99s", include) == 1 ? play_include(l, include, out) : ladder_step(l, s);
    if (!good)
        fprintf(out, "%s:%u: %s\n%s%s%s", name, s->line, s->text, l->why[0] ? "    " : "", l->why,
                l->why[0] ? "\n" : "");
    l->why[0] = 0;
    return good;
}

static bool play_text(struct ladder *l, const char *name, char *text, FILE *out)
{
    struct step s = {0};
    unsigned number = 0;
    for (char *line; (line = take_line(&text));) {
        number++;
        if (belongs_to_step(line) && s.text && s.more_count < LADDER_MORE) {
            s.more[s.more_count++] = line + strspn(line, " \t");
            continue;
        }
        const char *first = line + strspn(line, " \t");
        if (!*first || *first == '#')
            continue;
        if (!play_step(l, &s, name, out))
            return false;
        s = (struct step){.line = number, .text = line};
    }
    return play_step(l, &s, name, out);
}

bool ladder_play(const char *name, char *text, const char *folder, uint64_t seed, FILE *out)
{
    struct ladder *l = malloc(sizeof *l);
    if (!l)
        abort();
    ladder_init(l, folder, seed);
    bool good = play_text(l, name, text, out);
    if (good && !ladder_finish(l)) {
        good = false;
        fprintf(out, "%s: after its last line: %s\n", name, l->why);
    }
    if (!good) {
        fflush(l->trace);
        fprintf(out, "the ladder so far:\n%s", l->trace_text);
        for (unsigned i = l->w.log_count > 12 ? l->w.log_count - 12 : 0; i < l->w.log_count; i++)
            fprintf(out, "    log: %s\n", l->w.log[i]);
    }
    ladder_fini(l);
    free(l);
    return good;
}
