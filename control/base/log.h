// SPDX-License-Identifier: BSD-3-Clause
// The daemon's log: lines on stderr, "2026-01-31 12:00:00.000 warning: text".
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "control/base/bucket.h"

enum log_level { LOG_ERROR = 3, LOG_WARNING = 4, LOG_NOTICE = 5, LOG_INFO = 6 };

// Lines above this level are dropped; LOG_INFO at the start. LOG_ERROR - 1 drops all. Any thread.
void log_set_level(int level);

// One line without its end, as text_escape() shows it: nothing from the network forges a line or reaches a
// terminal. Cut at 1,000 bytes. Any thread.
__attribute__((format(printf, 2, 3))) void log_line(enum log_level level, const char *format, ...);

// From now on lines go to `fn`, without time and level and whatever the level is; NULL: to stderr again. For tests, from one
// thread, before anything logs.
void log_set_sink(void (*fn)(void *arg, enum log_level level, const char *text), void *arg);

// Lines of one kind that anybody can bring about. Zeroed is a valid start.
struct log_limit {
    struct bucket bucket;
    uint64_t unsaid;
    uint32_t burst; // 0: LOG_LIMIT
};

enum {
    LOG_LIMIT = 10,
    LOG_REFILL_S = 4
}; // lines at once, and one more each so many seconds: 25 in a minute at most

// Whether one more line of that kind may be written at `now_ms`; *unsaid is then how many were not since the
// last one that was. One thread a limit.
bool log_allow(struct log_limit *limit, uint64_t now_ms, uint64_t *unsaid);
