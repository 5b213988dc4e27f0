// SPDX-License-Identifier: BSD-3-Clause
// Plays random ladders: real dialogs of several parties, valid moves mixed with wrong ones. The same seed gives the same
// ladders. What fails is printed as a ladder that test_dialog plays again.
//   fuzz_dialog [--seconds N] [--seed N] [--runs N] [--out FOLDER]
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz_moves.h"

enum { CONFIGS_MAX = 64, LADDER_ROOM = 256 * 1024, RUN_LIMIT_S = 30, LEAK_EVERY = 256, CONFIGS_MIXED = 3 };

// What the process that plays leaves to the one that reports.
struct note {
    uint64_t runs, steps, seed; // of the run under way
    size_t len;
    char ladder[LADDER_ROOM];
};

static char *configs[CONFIGS_MAX];
static unsigned config_count;
static const char *folder = TEST_SOURCE_ROOT "/tests/dialog";

extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

static void write_down(struct note *note, const char *line)
{
    size_t n = strlen(line);
    if (note->len + n + 2 > sizeof note->ladder)
        return;
    memcpy(note->ladder + note->len, line, n);
    note->len += n;
    note->ladder[note->len++] = '\n';
    note->ladder[note->len] = 0;
}

// Plays a line and those below it.
static bool play(struct ladder *l, struct note *note, struct move *m)
{
    struct step s = {.text = m->line, .more_count = m->more_count};
    write_down(note, m->line);
    for (unsigned i = 0; i < m->more_count; i++) {
        char line[200];
        s.more[i] = m->more[i];
        snprintf(line, sizeof line, "     %s", m->more[i]);
        write_down(note, line);
    }
    note->steps++;
    return ladder_step(l, &s);
}

static bool play_line(struct ladder *l, struct note *note, const char *line)
{
    struct move m = {0};
    snprintf(m.line, sizeof m.line, "%s", line);
    return play(l, note, &m);
}

// ---- what holds in every run --------------------------------------------------------------------------

struct rule {
    struct ladder *l;
    bool held; // the dataplane is away, or keeps what it has done to itself
};

static const struct dialog *who_named(const struct parties *ps, const struct tl_addr *media)
{
    for (unsigned i = 0; i < ps->dialog_count; i++) {
        const struct dialog *d = &ps->dialog[i];
        if (d->used && media->port == dialog_media_port(ps, d) &&
            memcmp(media->ip, d->party->addr.ip, sizeof media->ip) == 0)
            return d;
    }
    return NULL;
}

// The media of an answered call goes to a dialog that has answered and that we have not ended.
static bool media_goes_right(void *arg, const struct agent_call_info *info)
{
    struct rule *rule = arg;
    struct ladder *l = rule->l;
    const struct fake_session *f = fake_dataplane_find(l->w.fake, info->call_ref);
    if (!f || strcmp(info->state, "up") != 0)
        return true;
    for (unsigned side = 0; side < 2; side++) {
        const struct dialog *d = who_named(&l->ps, &f->leg[side].rtp);
        if (d && !d->odd && (d->ended || (side == CALL_B && !d->confirmed)))
            return ladder_fail(l, "call %llu is up and its media goes to dialog %s, which %s",
                               (unsigned long long)info->id, d->name,
                               d->ended ? "we have ended" : "has not answered");
    }
    return true;
}

static bool rules_hold(struct rule *rule, const char *line)
{
    struct ladder *l = rule->l;
    if (strncmp(line, "media ", 6) == 0)
        rule->held = strcmp(line, "media hold") == 0 || strcmp(line, "media die") == 0 ||
                     (rule->held && strcmp(line, "media release") != 0 && strcmp(line, "media revive") != 0);
    if (!rule->held && !l->ps.mutated)
        agent_each_call(l->w.agent, media_goes_right, rule);
    return !l->why[0];
}

static bool every_2xx_acked(struct ladder *l)
{
    const struct owed *o = l->ps.mutated ? NULL : parties_unacked(&l->ps);
    return !o || ladder_fail(l, "the 2xx of %s (%u INVITE) got no ACK", o->dialog, o->cseq);
}

struct ids {
    uint64_t id[DIALOGS_MAX];
    unsigned count;
};

static bool keep_id(void *arg, const struct agent_call_info *info)
{
    struct ids *ids = arg;
    ids->id[ids->count++] = info->id;
    return ids->count < DIALOGS_MAX;
}

// Most hang up, and mostly are answered: what was left open is still open when the call has gone.
static bool hang_up(struct ladder *l, struct note *note, struct dice *dice)
{
    char line[60];
    for (unsigned i = 0; i < l->ps.dialog_count; i++) {
        snprintf(line, sizeof line, "%s -> BYE", l->ps.dialog[i].name);
        if (l->ps.dialog[i].confirmed && roll(dice, 2) && !play_line(l, note, line))
            return false;
    }
    for (unsigned i = 0; i < l->ps.dialog_count; i++) {
        const struct dialog *d = &l->ps.dialog[i];
        for (unsigned k = 0; k < d->asked_count; k++) {
            snprintf(line, sizeof line, "%s -> 200 BYE", d->name);
            if (!d->asked[k].answered && strcmp(d->asked[k].method, "BYE") == 0 && roll(dice, 4) &&
                !play_line(l, note, line))
                return false;
        }
    }
    return true;
}

// Everybody hangs up, the dataplane is there: nothing may be left.
static bool end_run(struct ladder *l, struct note *note, struct dice *dice)
{
    char line[40];
    if (!play_line(l, note, "media release") || !play_line(l, note, "media revive"))
        return false;
    if (!hang_up(l, note, dice) || !play_line(l, note, "wait 200s"))
        return false;
    struct ids ids = {0};
    agent_each_call(l->w.agent, keep_id, &ids);
    for (unsigned i = 0; i < ids.count; i++) {
        snprintf(line, sizeof line, "hangup %llu", (unsigned long long)ids.id[i]);
        if (!play_line(l, note, line))
            return false;
    }
    return ladder_finish(l) && every_2xx_acked(l);
}

static bool run(uint64_t seed, struct note *note)
{
    static struct ladder room; // large: not from the heap each time
    struct ladder *l = &room;
    struct dice dice;
    char line[60];
    dice_init(&dice, seed);
    note->seed = seed;
    note->len = 0;
    note->ladder[0] = 0;
    ladder_init(l, folder, seed);
    snprintf(line, sizeof line, "seed %llu", (unsigned long long)seed);
    struct rule rule = {.l = l};
    bool good = play_line(l, note, line) && play_line(l, note, "loose");
    for (unsigned i = 0, n = 1 + roll(&dice, CONFIGS_MIXED); i < n && good; i++)
        good = play_line(l, note, configs[roll(&dice, config_count)]);
    good = good && play_line(l, note, "wait 1ms");
    if (!l->open &&
        strncmp(l->why, "configuration:", 14) == 0) { // what two lines change does not go together
        ladder_fini(l);
        return true;
    }
    // often with a call that is up, or all but
    const char *up[] = {"A.c0 -> INVITE sip:1100@gw sdp pcma", "B -> 180 INVITE", "B -> 200 INVITE sdp pcma",
                        "A.c0 -> ACK"};
    for (unsigned i = 0, most = roll(&dice, 8); i < most && i < 4 && good; i++)
        good = play_line(l, note, up[i]);
    unsigned steps = 10 + roll(&dice, roll(&dice, 2) ? 40 : 130);
    for (unsigned i = 0; i < steps && good; i++) {
        struct move m = {0};
        move_pick(&dice, l, &m);
        good = play(l, note, &m) && rules_hold(&rule, m.line);
    }
    good = good && end_run(l, note, &dice);
    if (!good) {
        write_down(note, "# what was wrong:");
        for (char *p = strtok(l->why, "\n"); p; p = strtok(NULL, "\n")) {
            char text[300];
            snprintf(text, sizeof text, "#   %.280s", p);
            write_down(note, text);
        }
    }
    ladder_fini(l);
    return good;
}

static void play_runs(uint64_t seed, uint64_t runs, unsigned seconds, struct note *note)
{
    time_t end = time(NULL) + seconds;
    for (uint64_t i = 0; runs ? i < runs : time(NULL) < end; i++) {
        alarm(RUN_LIMIT_S); // a run that hangs is a fault, too
        if (!run(seed + i, note))
            exit(3);
        note->runs++;
        if (__lsan_do_recoverable_leak_check && i % LEAK_EVERY == LEAK_EVERY - 1 &&
            __lsan_do_recoverable_leak_check()) {
            fprintf(stderr, "a leak in one of the %d runs before seed %llu\n", LEAK_EVERY,
                    (unsigned long long)(seed + i));
            exit(4);
        }
    }
    alarm(0);
    exit(0);
}

static void read_configs(void)
{
    char path[500];
    snprintf(path, sizeof path, "%s/fuzz.configs", folder);
    char *text = ladder_read_file(path);
    for (char *p = text ? strtok(text, "\n") : NULL; p && config_count < CONFIGS_MAX; p = strtok(NULL, "\n"))
        if (p[0] != '#')
            configs[config_count++] = strdup(p);
    free(text);
}

static void report(const struct note *note, int status, const char *out)
{
    char path[500];
    printf("FAIL fuzz dialog: seed %llu, status %d%s; the ladder:\n%s\n", (unsigned long long)note->seed,
           status, WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? " (it hangs)" : "", note->ladder);
    snprintf(path, sizeof path, "%s/dialog-%llu.ladder", out, (unsigned long long)note->seed);
    FILE *f = fopen(path, "we");
    if (!f)
        return;
    fputs(note->ladder, f);
    fclose(f);
    printf("     kept in %s\n", path);
}

int main(int argc, char **argv)
{
    uint64_t seed = 1, runs = 0;
    unsigned seconds = 10;
    const char *out = ".";
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--seconds") == 0)
            seconds = (unsigned)atoi(argv[i + 1]);
        else if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--runs") == 0)
            runs = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--out") == 0)
            out = argv[i + 1];
    }
    read_configs();
    struct note *note = mmap(NULL, sizeof *note, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (note == MAP_FAILED || !config_count)
        abort();
    time_t start = time(NULL);
    fflush(stdout);
    pid_t pid = fork();
    int status = 0;
    if (pid == 0)
        play_runs(seed, runs, seconds, note);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    printf("%llu runs, %llu steps in %ld s\n", (unsigned long long)note->runs,
           (unsigned long long)note->steps, (long)(time(NULL) - start));
    if (status)
        report(note, status, out);
    for (unsigned i = 0; i < config_count; i++)
        free(configs[i]);
    printf("%d passed, %d failed, 0 skipped\n", status == 0, status != 0);
    return status != 0;
}
