// SPDX-License-Identifier: BSD-3-Clause
// Reads a ladder file and plays it, step by step. docs/testing.md says how one is written.
#pragma once

#include <stdio.h>

#include "party.h"

enum { LADDER_VARS = 64, LADDER_WORDS = 64, LADDER_MORE = 80, LADDER_QUIET_MS = 400000 };

struct ladder_var {
    char name[32];
    char *value;
};

// A line and those that belong to it.
struct step {
    unsigned line;
    char *text;
    char *more[LADDER_MORE];
    unsigned more_count;
};

struct ladder {
    struct world w;
    struct parties ps;
    void *config;  // json_t, until the world opens
    bool open;     // the world is
    bool loose;    // what comes is taken, what cannot be said is left out
    bool finished; // "end" was played
    bool left;     // agent_leave() is through
    uint64_t seed;
    unsigned log_at; // lines of the log that were looked at
    struct ladder_var var[LADDER_VARS];
    unsigned vars;
    const char *folder; // of files to include
    unsigned depth;     // of includes
    FILE *trace;
    char *trace_text;
    size_t trace_len;
    char why[2000]; // of the step that failed
};

// base.json lies in `folder`, which outlives the ladder.
void ladder_init(struct ladder *l, const char *folder, uint64_t seed);
void ladder_fini(struct ladder *l);

// Plays one step. false: it did not come out; l->why.
bool ladder_step(struct ladder *l, struct step *s);

// After the last step: nothing may be left to expect; what the clock brings yet may only be silence.
bool ladder_finish(struct ladder *l);

// Plays a file, prints what went wrong to `out`. `text` is changed. "include NAME" plays FOLDER/inc/NAME; base.json lies in
// `folder`.
bool ladder_play(const char *name, char *text, const char *folder, uint64_t seed, FILE *out);

// A whole file, NULL when it cannot be read; the caller frees it.
char *ladder_read_file(const char *path);

// ---- between its files ----
bool ladder_fail(struct ladder *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool ladder_open(struct ladder *l);
bool ladder_time(const char *word, uint64_t *ms);
bool ladder_reload(struct ladder *l, char **words, unsigned count, const struct step *s);
bool ladder_restart(struct ladder *l, char **words, unsigned count);
bool ladder_secret(struct ladder *l, char **words, unsigned count);
bool ladder_config(struct ladder *l, char **words, unsigned count, const struct step *s);
bool ladder_check(struct ladder *l, char **words, unsigned count);
bool ladder_media(struct ladder *l, char **words, unsigned count);
bool ladder_nothing_left(struct ladder *l);
bool ladder_pump(struct ladder *l);
char *ladder_fill(struct ladder *l, const char *text);
