// SPDX-License-Identifier: BSD-3-Clause
// The steps that send, expect and wait.
#include "ladder.h"

#include <ctype.h>
#include <errno.h>
#include <jansson.h>
#include <regex.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "party_internal.h"

bool ladder_fail(struct ladder *l, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (!l->why[0])
        vsnprintf(l->why, sizeof l->why, format, args);
    va_end(args);
    return false;
}

// ---- the picture --------------------------------------------------------------------------------------

static void trace(void *arg, const struct party *p, bool to_gateway, const char *message, const char *note)
{
    struct ladder *l = arg;
    char title[200];
    uint64_t now = world_now(&l->w);
    message_title(message, title, sizeof title);
    fprintf(l->trace, "  %4llu.%03llu  %-4s %s %s%s%s\n", (unsigned long long)now / 1000,
            (unsigned long long)now % 1000, p->name, to_gateway ? "->" : "<-", title, *note ? "   " : "",
            note);
}

void ladder_init(struct ladder *l, const char *folder, uint64_t seed)
{
    char path[500];
    memset(l, 0, sizeof *l);
    l->seed = seed;
    l->folder = folder;
    snprintf(path, sizeof path, "%s/base.json", folder);
    l->config = json_load_file(path, 0, NULL);
    if (!l->config) {
        fprintf(stderr, "%s cannot be read\n", path);
        abort();
    }
    l->trace = open_memstream(&l->trace_text, &l->trace_len);
    if (!l->trace)
        abort();
    parties_init(&l->ps, &l->w);
    l->ps.trace = trace;
    l->ps.trace_arg = l;
}

void ladder_fini(struct ladder *l)
{
    secrets_fini(&l->ps);
    parties_fini(&l->ps);
    world_close(&l->w);
    json_decref(l->config);
    fclose(l->trace);
    free(l->trace_text);
    for (unsigned i = 0; i < l->vars; i++)
        free(l->var[i].value);
}

// ---- words --------------------------------------------------------------------------------------------

bool ladder_time(const char *word, uint64_t *ms)
{
    char *end;
    double n = strtod(word, &end);
    if (end == word || n < 0)
        return false;
    *ms = (uint64_t)(n * (strcmp(end, "s") == 0 ? 1000 : 1) + 0.5);
    return strcmp(end, "s") == 0 || strcmp(end, "ms") == 0;
}

// Cuts a line into words; "..." is one, '#' in front of a word ends the line.
static unsigned cut(char *text, char **words)
{
    unsigned n = 0;
    for (char *p = text; *p && n < LADDER_WORDS;) {
        p += strspn(p, " \t");
        if (!*p || *p == '#')
            break;
        if (*p == '"') {
            words[n++] = ++p;
            p += strcspn(p, "\"");
        } else {
            words[n++] = p;
            p += strcspn(p, " \t");
            char *open = memmem(words[n - 1], (size_t)(p - words[n - 1]), "=\"", 2);
            char *close = open ? strchr(open + 2, '"') : NULL;
            if (close && strchr(" \t", close[1])) { // name="with blanks"
                memmove(open + 1, open + 2, (size_t)(close - open - 2));
                close[-1] = 0;
                p = close + 1;
            }
        }
        if (*p)
            *p++ = 0;
    }
    return n;
}

static void set_var(struct ladder *l, const char *name, const char *value, size_t len)
{
    struct ladder_var *v = NULL;
    for (unsigned i = 0; i < l->vars; i++)
        if (strcmp(l->var[i].name, name) == 0)
            v = &l->var[i];
    if (!v && l->vars < LADDER_VARS) {
        v = &l->var[l->vars++];
        snprintf(v->name, sizeof v->name, "%s", name);
    }
    if (!v)
        return;
    free(v->value);
    v->value = strndup(value, len);
}

// ${B.tag} and the like.
static bool dialog_value(struct ladder *l, const char *name, struct text *out)
{
    char dialog[40];
    const char *dot = strrchr(name, '.');
    if (!dot)
        return false;
    snprintf(dialog, sizeof dialog, "%.*s", (int)(dot - name), name);
    const struct dialog *d = NULL;
    for (unsigned i = 0; i < l->ps.dialog_count; i++)
        if (strcmp(l->ps.dialog[i].name, dialog) == 0)
            d = &l->ps.dialog[i];
    if (!d)
        return false;
    const char *what = dot + 1;
    char branch[120] = "", via[300];
    if (strcmp(what, "tag") == 0)
        text_add(out, "%s", d->local_tag);
    else if (strcmp(what, "rtag") == 0)
        text_add(out, "%s", d->remote_tag);
    else if (strcmp(what, "callid") == 0)
        text_add(out, "%s", d->call_id);
    else if (strcmp(what, "target") == 0)
        text_add(out, "%s", d->target);
    else if (strcmp(what, "local") == 0)
        text_add(out, "%s", d->local);
    else if (strcmp(what, "remote") == 0)
        text_add(out, "%s", d->remote);
    else if (strcmp(what, "cseq") == 0)
        text_add(out, "%u", d->cseq);
    else if (strcmp(what, "icseq") == 0)
        text_add(out, "%u", d->invite_cseq);
    else if (strcmp(what, "rseq") == 0)
        text_add(out, "%u", d->ours ? d->got_rseq : d->rseq);
    else if (strcmp(what, "branch") == 0 && d->invite) {
        text_header(d->invite, "Via", 0, via, sizeof via);
        text_param(via, "branch", branch, sizeof branch);
        text_add(out, "%s", branch);
    } else
        return false;
    return true;
}

char *ladder_fill(struct ladder *l, const char *text)
{
    struct text out = {0};
    text_add(&out, "%s", "");
    for (const char *p = text; *p; p++) {
        char name[48];
        size_t len = strncmp(p, "${", 2) == 0 ? strcspn(p, "}") : 0;
        if (!len || !p[len] || len > sizeof name) {
            text_add_bytes(&out, p, 1);
            continue;
        }
        snprintf(name, sizeof name, "%.*s", (int)len - 2, p + 2);
        bool found = false;
        for (unsigned i = 0; i < l->vars && !found; i++)
            if (strcmp(l->var[i].name, name) == 0) {
                text_add(&out, "%s", l->var[i].value);
                found = true;
            }
        if (!found && !dialog_value(l, name, &out))
            ladder_fail(l, "${%s} has no value", name);
        p += len;
    }
    return out.p;
}

// ---- what holds all the time --------------------------------------------------------------------------

bool ladder_pump(struct ladder *l)
{
    for (unsigned i = 0; i < 50; i++) {
        parties_collect(&l->ps);
        if (!l->w.count)
            break;
    }
    return l->ps.fault[0] ? ladder_fail(l, "%s", l->ps.fault) : true;
}

bool ladder_nothing_left(struct ladder *l)
{
    char title[200];
    if (!ladder_pump(l))
        return false;
    for (unsigned i = 0; i < l->ps.party_count; i++) {
        struct party *p = &l->ps.party[i];
        for (unsigned k = 0; k < p->count; k++) {
            if (p->inbox[k].quiet)
                continue;
            message_title(p->inbox[k].text, title, sizeof title);
            return ladder_fail(l, "nothing was expected here, but %s has got, at %llu.%03llu: %s%s\n\n%s",
                               p->name, (unsigned long long)p->inbox[k].at / 1000,
                               (unsigned long long)p->inbox[k].at % 1000, title,
                               p->inbox[k].again ? " (again)" : "", p->inbox[k].text);
        }
        while (p->count)
            party_drop(p, 0);
    }
    return true;
}

// ---- send ---------------------------------------------------------------------------------------------

static bool out_word(struct ladder *l, struct out *o, char *word)
{
    if (sdp_word(&o->sdp, word))
        return true;
    if (strcmp(word, "reliable") == 0)
        o->reliable = true;
    else if (strcmp(word, "again") == 0)
        o->again = true;
    else if (strcmp(word, "lost") == 0)
        o->lost = true;
    else if (strncmp(word, "cseq=", 5) == 0)
        o->cseq = atol(word + 5);
    else if (strncmp(word, "rseq=", 5) == 0)
        o->rseq = atol(word + 5);
    else if (strncmp(word, "rack=", 5) == 0)
        o->rack = word + 5;
    else if (strncmp(word, "mutate=", 7) == 0)
        o->mutate = strtoul(word + 7, NULL, 10);
    else if (strncmp(word, "branch=", 7) == 0)
        o->branch = word + 7;
    else if (strncmp(word, "from-tag=", 9) == 0)
        o->from_tag = word + 9;
    else if (strncmp(word, "to-tag=", 7) == 0)
        o->to_tag = word + 7;
    else if (strncmp(word, "sip:", 4) == 0 || strncmp(word, "sips:", 5) == 0 || strncmp(word, "tel:", 4) == 0)
        o->uri = word;
    else if (isupper((unsigned char)word[0]) && !o->method)
        o->method = word;
    else
        return ladder_fail(l, "\"%s\" is no word of a message to send", word);
    return true;
}

static bool say_raw(struct ladder *l, struct party *p, char *const *edits, unsigned count)
{
    struct text t = {0};
    size_t body = 0;
    for (unsigned i = 0; i < count; i++) {
        text_add(&t, "%s\r\n", edits[i] + (edits[i][1] == ' ' ? 2 : 1));
        if (edits[i][strspn(edits[i] + 1, " ") + 1] == 0 && !body)
            body = t.len;
    }
    if (!body) {
        text_add(&t, "\r\n");
        body = t.len;
    }
    char *length = t.p ? strstr(t.p, "Content-Length: auto") : NULL;
    if (length) {
        char digits[24];
        struct text filled = {0};
        snprintf(digits, sizeof digits, "%zu", t.len - body);
        text_add(&filled, "%.*sContent-Length: %s%s", (int)(length - t.p), t.p, digits, length + 20);
        text_free(&t);
        t = filled;
    }
    party_say_raw(&l->ps, p, t.p, t.len);
    text_free(&t);
    return ladder_pump(l);
}

static bool step_send(struct ladder *l, char **words, unsigned count, struct step *s)
{
    struct out o = {.cseq = -1, .rseq = -1};
    char *edits[LADDER_MORE], why[600] = "";
    bool good = true;
    if (!l->loose && !ladder_nothing_left(l))
        return false;
    for (unsigned i = 0; i < s->more_count; i++)
        edits[o.edit_count++] = ladder_fill(l, s->more[i]);
    o.edits = edits;
    struct party *p = party_find(&l->ps, words[0], strcspn(words[0], "."));
    if (!p)
        good = ladder_fail(l, "there is no party %s", words[0]);
    if (good && l->why[0])
        good = false;
    if (good && strcmp(words[2], "raw") == 0) {
        good = say_raw(l, p, edits, o.edit_count);
    } else if (good) {
        for (unsigned i = 3; i < count && good; i++)
            good = out_word(l, &o, words[i]);
        struct dialog *d = good ? dialog_find(&l->ps, words[0]) : NULL;
        if (good && !d)
            good = ladder_fail(l, "too many dialogs");
        if (good && !party_say(&l->ps, d, words[2], &o, why, sizeof why) && !l->loose)
            good = ladder_fail(l, "%s", why);
        good = ladder_pump(l) && good;
    }
    for (unsigned i = 0; i < o.edit_count; i++)
        free(edits[i]);
    return good;
}

// ---- expect -------------------------------------------------------------------------------------------

struct want {
    const char *what, *method;
    struct sdp_words sdp;
    bool again, reliable, unreliable, stray;
    uint64_t within, after;
    bool has_after;
    const char *as;
    const char *match[LADDER_WORDS]; // "~re" or "!re" inline
    unsigned matches;
};

static bool want_word(struct ladder *l, struct want *w, char **words, unsigned *i, unsigned count)
{
    char *word = words[*i];
    bool more = *i + 1 < count;
    if (sdp_word(&w->sdp, word))
        return true;
    if (strcmp(word, "again") == 0)
        w->again = true;
    else if (strcmp(word, "reliable") == 0)
        w->reliable = true;
    else if (strcmp(word, "unreliable") == 0)
        w->unreliable = true;
    else if (strcmp(word, "stray") == 0)
        w->stray = true;
    else if (strcmp(word, "within") == 0 && more)
        return ladder_time(words[++*i], &w->within) ||
               ladder_fail(l, "\"%s\" is no time (500ms, 4s)", words[*i]);
    else if (strcmp(word, "after") == 0 && more) {
        w->has_after = true;
        return ladder_time(words[++*i], &w->after) ||
               ladder_fail(l, "\"%s\" is no time (500ms, 4s)", words[*i]);
    } else if (strcmp(word, "as") == 0 && more)
        w->as = words[++*i];
    else if ((strcmp(word, "~") == 0 || strcmp(word, "!~") == 0) && more && w->matches + 2 < LADDER_WORDS) {
        w->match[w->matches++] = word;
        w->match[w->matches++] = words[++*i];
    } else if (isupper((unsigned char)word[0]) && !w->method)
        w->method = word;
    else
        return ladder_fail(l, "\"%s\" is no word of an expected message", word);
    return true;
}

// A message without carriage returns, for patterns.
static char *lines_of(const char *text)
{
    char *out = strdup(text), *to = out;
    for (const char *p = text; *p; p++)
        if (*p != '\r')
            *to++ = *p;
    *to = 0;
    return out;
}

// "~ re", "!~ re", "$name = re": a header line is looked at as it stands, so ^ and $ mean its ends.
static bool match_line(struct ladder *l, const char *message, const char *line)
{
    regex_t re;
    regmatch_t m[2];
    char name[32] = "", error[200];
    bool none = line[0] == '!';
    if (line[0] == '$') {
        const char *eq = strchr(line, '=');
        if (!eq)
            return ladder_fail(l, "\"%s\": expected $name = pattern", line);
        snprintf(name, sizeof name, "%.*s", (int)strcspn(line + 1, " ="), line + 1);
        line = eq;
    }
    const char *pattern = line + (none ? 2 : 1);
    pattern += strspn(pattern, " ");
    char *filled = ladder_fill(l, pattern);
    if (l->why[0]) {
        free(filled);
        return false;
    }
    int rc = regcomp(&re, filled, REG_EXTENDED | REG_NEWLINE);
    if (rc) {
        regerror(rc, &re, error, sizeof error);
        ladder_fail(l, "pattern %s: %s", filled, error);
        free(filled);
        return false;
    }
    bool found = regexec(&re, message, 2, m, 0) == 0;
    if (found && name[0]) {
        unsigned g = m[1].rm_so >= 0 ? 1 : 0;
        set_var(l, name, message + m[g].rm_so, (size_t)(m[g].rm_eo - m[g].rm_so));
    }
    regfree(&re);
    if (found == none)
        ladder_fail(l, none ? "it has what may not be there: %s\n\n%s" : "it does not match: %s\n\n%s",
                    filled, message);
    free(filled);
    return found != none;
}

static bool is_it(const struct want *w, const struct got *m)
{
    if (isdigit((unsigned char)w->what[0])) {
        if (m->request || (w->method && strcmp(w->method, m->method) != 0))
            return false;
        for (unsigned i = 0; i < 3; i++) // 4xx
            if (w->what[i] != 'x' && w->what[i] != "0123456789"[m->status /
                                                                (i == 0   ? 100
                                                                 : i == 1 ? 10
                                                                          : 1) %
                                                                10])
                return false;
        return true;
    }
    return m->request && strcmp(w->what, m->method) == 0;
}

// The message that the line is about: the first that is not the transaction layer's, or that which is named.
static struct got *first_of(struct party *p, const struct want *w)
{
    for (unsigned i = 0; i < p->count; i++)
        if (!p->inbox[i].quiet || is_it(w, &p->inbox[i]))
            return &p->inbox[i];
    return NULL;
}

static bool await(struct ladder *l, struct party *p, const struct want *w)
{
    uint64_t left = w->has_after ? w->after : w->within;
    if (!ladder_pump(l))
        return false;
    while (!first_of(p, w) && left) {
        uint64_t next = world_next(&l->w), ms = next < 1 ? 1 : next;
        ms = ms > left ? left : ms;
        world_advance(&l->w, ms);
        left -= ms;
        if (!ladder_pump(l))
            return false;
    }
    return true;
}

static bool check_message(struct ladder *l, struct dialog *d, struct got *m, const struct want *w,
                          struct step *s)
{
    char why[700], value[100];
    if (!w->stray && !dialog_take(&l->ps, d, m, why, sizeof why))
        return ladder_fail(l, "%s\n\n%s", why, m->text);
    if (m->again != w->again)
        return ladder_fail(l,
                           m->again ? "it is the same message again (say \"again\")\n\n%s"
                                    : "it differs from what came before\n\n%s",
                           m->text);
    if ((w->sdp.wanted || w->sdp.none) && !sdp_check(&w->sdp, text_body(m->text), why, sizeof why))
        return ladder_fail(l, "%s\n\n%s", why, m->text);
    bool reliable = text_header(m->text, "RSeq", 0, value, sizeof value);
    if ((w->reliable && !reliable) || (w->unreliable && reliable))
        return ladder_fail(l, "it is %s\n\n%s", reliable ? "reliable" : "not reliable", m->text);
    char *lines = lines_of(m->text);
    bool good = true;
    for (unsigned i = 0; i < w->matches && good; i += 2) {
        struct text line = {0};
        text_add(&line, "%s %s", w->match[i], w->match[i + 1]);
        good = match_line(l, lines, line.p);
        text_free(&line);
    }
    for (unsigned i = 0; i < s->more_count && good; i++)
        good = match_line(l, lines, s->more[i]);
    if (good && w->as)
        set_var(l, w->as, lines, strlen(lines));
    free(lines);
    return good;
}

static bool step_expect(struct ladder *l, char **words, unsigned count, struct step *s)
{
    struct want w = {.what = words[2]};
    char title[200];
    struct party *p = party_find(&l->ps, words[0], strcspn(words[0], "."));
    if (!p)
        return ladder_fail(l, "there is no party %s", words[0]);
    for (unsigned i = 3; i < count; i++)
        if (!want_word(l, &w, words, &i, count))
            return false;
    uint64_t began = world_now(&l->w);
    if (!await(l, p, &w))
        return false;
    struct got *m = first_of(p, &w);
    if (!m)
        return ladder_fail(l, "%s has got nothing", p->name);
    message_title(m->text, title, sizeof title);
    if (!is_it(&w, m))
        return ladder_fail(l, "%s has got: %s\n\n%s", p->name, title, m->text);
    if (w.has_after && m->at != began + w.after)
        return ladder_fail(l, "it came at %llu.%03llu and not after %llu ms",
                           (unsigned long long)m->at / 1000, (unsigned long long)m->at % 1000,
                           (unsigned long long)w.after);
    struct dialog *d = dialog_find(&l->ps, words[0]);
    if (!d)
        return ladder_fail(l, "too many dialogs");
    if (!check_message(l, d, m, &w, s))
        return false;
    party_drop(p, (unsigned)(m - p->inbox));
    return true;
}

// ---- time ---------------------------------------------------------------------------------------------

// Takes repetitions out of the inboxes: "any", "A", "A:200", "B:INVITE*3".
static bool drop_repeats(struct ladder *l, char *word)
{
    char *star = strchr(word, '*'), *colon = strchr(word, ':');
    unsigned found = 0;
    if (star)
        *star = 0;
    if (colon)
        *colon = 0;
    for (unsigned i = 0; i < l->ps.party_count; i++) {
        struct party *p = &l->ps.party[i];
        if (strcmp(word, "any") != 0 && strcmp(word, p->name) != 0)
            continue;
        struct want w = {.what = colon ? colon + 1 : ""};
        for (unsigned k = 0; k < p->count;) {
            if (!p->inbox[k].again || (colon && !is_it(&w, &p->inbox[k]))) {
                k++;
                continue;
            }
            party_drop(p, k);
            found++;
        }
    }
    if (star && found != (unsigned)atoi(star + 1))
        return ladder_fail(l, "%s%s%s was repeated %u times", word, colon ? " " : "", colon ? colon + 1 : "",
                           found);
    return true;
}

static bool step_wait(struct ladder *l, char **words, unsigned count)
{
    uint64_t ms;
    if (count < 2 || !ladder_time(words[1], &ms))
        return ladder_fail(l, "wait needs a time (500ms, 4s)");
    if (!l->loose && !ladder_nothing_left(l))
        return false;
    uint64_t end = world_now(&l->w) + ms;
    while (world_now(&l->w) <
           end) { // in steps, so that inboxes do not overflow and ACKs go when they are due
        uint64_t next = world_next(&l->w), left = end - world_now(&l->w), step = next < 1 ? 1 : next;
        world_advance(&l->w, step > left ? left : step);
        if (!ladder_pump(l))
            return false;
        if (l->loose)
            continue;
    }
    if (count > 2 && strcmp(words[2], "repeats") != 0)
        return ladder_fail(l, "after a time there may only be \"repeats\"");
    for (unsigned i = 3; i < count; i++)
        if (!drop_repeats(l, words[i]))
            return false;
    return true;
}

bool ladder_finish(struct ladder *l)
{
    if (!l->open && !ladder_open(l))
        return false;
    if (l->finished)
        return true;
    if (!ladder_nothing_left(l))
        return false;
    uint64_t end = world_now(&l->w) + LADDER_QUIET_MS;
    while (!world_is_quiet(&l->w) && world_now(&l->w) < end) {
        uint64_t next = world_next(&l->w);
        world_advance(&l->w, next < 1 ? 1 : next > 60000 ? 60000 : next);
        if (!l->loose && !ladder_nothing_left(l))
            return false;
        if (l->loose && !ladder_pump(l))
            return false;
    }
    struct world_rest r = world_rest(&l->w);
    if (!world_is_quiet(&l->w))
        return ladder_fail(
            l,
            "at the end %u calls, %u sessions (%u in the dataplane), %u transactions and %u timers are left",
            r.calls, r.sessions, r.sessions_fake, r.transactions, r.timers);
    return true;
}

// ---- parties and the network --------------------------------------------------------------------------

static bool parse_address(const char *text, struct tl_addr *out)
{
    bool good = tl_addr_read(text, strlen(text), out);
    if (!out->port)
        out->port = 5060;
    return good;
}

static bool step_party(struct ladder *l, char **words, unsigned count)
{
    struct tl_addr at;
    if (count < 4 || !parse_address(words[2], &at))
        return ladder_fail(l, "party NAME ADDRESS:PORT LISTENER");
    for (uint32_t i = 0; i < l->w.config->listener_count; i++)
        if (strcmp(l->w.config->listeners[i].name, words[3]) == 0)
            return party_add(&l->ps, words[1], &at, i) != NULL || ladder_fail(l, "too many parties");
    return ladder_fail(l, "there is no listener %s", words[3]);
}

// Every trunk has a party; these names are those of base.json.
static bool add_trunk_parties(struct ladder *l)
{
    static const char *const names[][2] = {{"peer", "A"},  {"core", "B"},      {"core2", "C"},
                                           {"peer2", "D"}, {"peer-tcp", "AT"}, {"core-tcp", "BT"}};
    for (uint32_t i = 0; i < l->w.config->trunk_count; i++) {
        const struct tl_trunk_config *t = &l->w.config->trunks[i];
        const char *name = t->name;
        for (unsigned k = 0; k < sizeof names / sizeof names[0]; k++)
            if (strcmp(t->name, names[k][0]) == 0)
                name = names[k][1];
        if (!party_add(&l->ps, name, &t->peer, t->listener))
            return ladder_fail(l, "a trunk's name is longer than a party's may be: %s", name);
    }
    return true;
}

bool ladder_open(struct ladder *l)
{
    char *text = json_dumps(l->config, 0);
    l->ps.loose = l->loose;
    l->open = world_open(&l->w, text, l->seed, l->why, sizeof l->why);
    free(text);
    if (!l->open)
        return false;
    l->why[0] = 0;
    return add_trunk_parties(l);
}

static bool step_network(struct ladder *l, char **words, unsigned count)
{
    struct party *p = count > 1 ? party_find(&l->ps, words[1], strcspn(words[1], ".")) : NULL;
    if (!p)
        return ladder_fail(l, "%s needs a party", words[0]);
    if (!l->loose && !ladder_nothing_left(l))
        return false;
    p->cut_off = true;
    if (strcmp(words[0], "break") == 0) {
        struct tl_addr host = p->addr;
        host.port = 0;
        if (!world_break(&l->w, &host) && !l->loose)
            return ladder_fail(l, "%s has no connection", p->name);
    } else if (strcmp(words[0], "refuse") == 0) { // the next sends to it fail
        l->w.refuse = p->addr;
        l->w.refuse_sends = count > 2 ? (unsigned)atoi(words[2]) : 1;
        l->w.refuse_with = -ECONNREFUSED;
    } else if (strcmp(words[0], "noack") == 0) {
        p->no_ack = true;
    } else { // unreachable: the newest request of the dialog that it was sent
        struct dialog *d = dialog_find(&l->ps, words[1]);
        if (d && d->asked_count) {
            const struct asked *a = &d->asked[d->asked_count - 1];
            world_unreachable(&l->w, a->text, strlen(a->text));
        }
    }
    return ladder_pump(l);
}

// ---- a step -------------------------------------------------------------------------------------------

static void has_left(void *arg)
{
    struct ladder *l = arg;
    l->left = true;
}

static bool dispatch(struct ladder *l, char **words, unsigned count, struct step *s)
{
    if (strcmp(words[0], "config") == 0)
        return ladder_config(l, words, count, s);
    if (strcmp(words[0], "secret") == 0)
        return ladder_secret(l, words, count);
    if (strcmp(words[0], "loose") == 0)
        return l->loose = true;
    if (strcmp(words[0], "seed") == 0 && count == 2 && !l->open) {
        l->seed = strtoull(words[1], NULL, 10);
        return true;
    }
    if (!l->open && !ladder_open(l))
        return false;
    if (words[0][0] == '@' && count > 1) { // a time on the ladder's clock
        uint64_t at, now = world_now(&l->w);
        char wait[32], *w[2] = {"wait", wait};
        if (!ladder_time(words[0] + 1, &at))
            return ladder_fail(l, "\"%s\" is no time (@500ms, @4s)", words[0]);
        snprintf(wait, sizeof wait, "%llums", (unsigned long long)(at > now ? at - now : 0));
        return step_wait(l, w, 2) && dispatch(l, words + 1, count - 1, s);
    }
    if (count >= 3 && strcmp(words[1], "->") == 0)
        return step_send(l, words, count, s);
    if (count >= 3 && strcmp(words[1], "<-") == 0)
        return step_expect(l, words, count, s);
    if (strcmp(words[0], "wait") == 0)
        return step_wait(l, words, count);
    if (strcmp(words[0], "reload") == 0 || strcmp(words[0], "change") == 0)
        return ladder_reload(l, words, count, s);
    if (strcmp(words[0], "expect") == 0)
        return ladder_pump(l) && ladder_check(l, words, count);
    if (strcmp(words[0], "media") == 0)
        return (l->loose || ladder_nothing_left(l)) && ladder_media(l, words, count) && ladder_pump(l);
    if (strcmp(words[0], "party") == 0)
        return step_party(l, words, count);
    if (strcmp(words[0], "restart") == 0)
        return ladder_restart(l, words, count) && ladder_pump(l);
    if (strcmp(words[0], "leave") == 0) { // trunkline-control ends
        agent_leave(l->w.agent, has_left, l);
        world_settle(&l->w);
        return ladder_pump(l);
    }
    if (strcmp(words[0], "hangup") == 0) { // the operator ends a call
        agent_hang_up(l->w.agent, count > 1 ? strtoull(words[1], NULL, 10) : 1);
        world_settle(&l->w);
        return ladder_pump(l);
    }
    if (strcmp(words[0], "break") == 0 || strcmp(words[0], "refuse") == 0 ||
        strcmp(words[0], "unreachable") == 0 || strcmp(words[0], "noack") == 0)
        return step_network(l, words, count);
    return ladder_fail(l, "\"%s\" is no step", words[0]);
}

bool ladder_step(struct ladder *l, struct step *s)
{
    char *words[LADDER_WORDS];
    char *filled = l->open ? ladder_fill(l, s->text) : strdup(s->text);
    l->why[0] = l->why[0] && l->open ? l->why[0] : 0;
    unsigned count = cut(filled, words);
    bool good = !l->why[0] && (count == 0 || dispatch(l, words, count, s));
    free(filled);
    return good;
}
