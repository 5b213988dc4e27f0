// SPDX-License-Identifier: BSD-3-Clause
#include "control/base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "control/base/text.h"

static int most = LOG_INFO;

static void (*sink)(void *arg, enum log_level level, const char *text);
static void *sink_arg;

void log_set_sink(void (*fn)(void *arg, enum log_level level, const char *text), void *arg)
{
    sink = fn;
    sink_arg = arg;
}

void log_set_level(int level)
{
    most = level;
}

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const names[] = {"error", "warning", "notice", "info"};
    char raw[1000], text[1000], line[1100], stamp[32] = "";
    va_list args;
    if ((int)level > most && !sink)
        return;
    va_start(args, format);
    vsnprintf(raw, sizeof raw, format, args);
    va_end(args);
    text_escape(raw, strlen(raw), text, sizeof text);
    if (sink) {
        sink(sink_arg, level, text);
        return;
    }
    struct timespec now;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &now);
    if (localtime_r(&now.tv_sec, &tm))
        strftime(stamp, sizeof stamp, "%F %T", &tm);
    int n = snprintf(line, sizeof line, "%s.%03ld %s: %s\n", stamp, now.tv_nsec / 1000000,
                     names[level - LOG_ERROR], text);
    if (n > 0 && write(STDERR_FILENO, line, (size_t)n) < 0)
        return; // nowhere to say it
}

bool log_allow(struct log_limit *limit, uint64_t now_ms, uint64_t *unsaid)
{
    // a token is a second
    if (!bucket_take(&limit->bucket, now_ms * 1000, 1,
                     (limit->burst ? limit->burst : LOG_LIMIT) * LOG_REFILL_S, LOG_REFILL_S)) {
        limit->unsaid++;
        return false;
    }
    *unsaid = limit->unsaid;
    limit->unsaid = 0;
    return true;
}
