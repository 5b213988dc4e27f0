// SPDX-License-Identifier: BSD-3-Clause
// Timer wheel in milliseconds: add and cancel are O(1) whatever the number of timers. The clock is a
// parameter, so tests move it by hand. One thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WHEEL_LEVELS = 6, WHEEL_SLOTS = 64 };

// Longest delay; a longer one is cut to it (about 795 days).
#define WHEEL_DELAY_MAX ((UINT64_C(1) << (6 * WHEEL_LEVELS)) - 1)

// A timer lies inside the object that it belongs to. Zeroed is a valid timer that is not armed.
struct wheel_timer {
    struct wheel_timer *next;
    struct wheel_timer **link; // what points at us; NULL = not armed
    uint64_t due;              // ms on the wheel's clock
    void (*fire)(void *arg);
    void *arg;
    uint16_t place; // level << 8 | slot
};

struct wheel {
    uint64_t now;    // as last told, ms
    uint64_t ticked; // every timer due up to here has fired
    uint64_t bits[WHEEL_LEVELS];
    struct wheel_timer *slot[WHEEL_LEVELS][WHEEL_SLOTS];
    size_t armed;
    void (*earlier)(void *arg); // told when a timer was added that is due before all others; may be NULL
    void *earlier_arg;
};

// `now` is the clock's value at the start, ms.
void wheel_init(struct wheel *wheel, uint64_t now);

// Moves the clock without firing anything; a value behind the present one is ignored.
void wheel_set_now(struct wheel *wheel, uint64_t now);

// Arms the timer `delay_ms` after wheel->now (0 = at the next wheel_run), whether it was armed or not.
// `fire` runs from wheel_run() and may add and cancel any timer, its own included, and free its object.
void wheel_add(struct wheel *wheel, struct wheel_timer *timer, uint64_t delay_ms, void (*fire)(void *arg),
               void *arg);

// Disarms; harmless when not armed.
void wheel_cancel(struct wheel *wheel, struct wheel_timer *timer);

static inline bool wheel_armed(const struct wheel_timer *timer)
{
    return timer->link != NULL;
}

// Moves the clock to `now` and fires what is due by then, in order of due time.
// Returns the number of timers that fired.
size_t wheel_run(struct wheel *wheel, uint64_t now);

// Milliseconds from wheel->now until wheel_run() must be called again at the latest; never later than the
// first timer is due, at times earlier. UINT64_MAX when nothing is armed.
uint64_t wheel_next(const struct wheel *wheel);
