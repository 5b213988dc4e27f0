// SPDX-License-Identifier: BSD-3-Clause
#include "control/base/wheel.h"

#include <string.h>

// A timer lies on the level of the highest 6-bit digit in which its due time differs from `ticked`, in the
// slot of that digit. When the clock reaches the start of a slot above level 0, its timers move down.

enum { BITS = 6, MASK = WHEEL_SLOTS - 1 };

void wheel_init(struct wheel *wheel, uint64_t now)
{
    memset(wheel, 0, sizeof *wheel);
    wheel->now = now;
    wheel->ticked = now;
}

void wheel_set_now(struct wheel *wheel, uint64_t now)
{
    if (now > wheel->now)
        wheel->now = now;
}

static void unlink_timer(struct wheel *wheel, struct wheel_timer *t)
{
    unsigned level = t->place >> 8, slot = t->place & 0xff;
    *t->link = t->next;
    if (t->next)
        t->next->link = t->link;
    t->next = NULL;
    t->link = NULL;
    if (level < WHEEL_LEVELS && !wheel->slot[level][slot])
        wheel->bits[level] &= ~(UINT64_C(1) << slot);
}

static void place(struct wheel *wheel, struct wheel_timer *t)
{
    // What is due already fires with the next tick: `ticked` itself has been handled.
    uint64_t at = t->due > wheel->ticked ? t->due : wheel->ticked + 1;
    uint64_t differ = at ^ wheel->ticked;
    unsigned level = (63 - (unsigned)__builtin_clzll(differ)) / BITS;
    unsigned slot;
    if (level < WHEEL_LEVELS) {
        slot = (at >> (BITS * level)) & MASK;
    } else {
        // into the next round of the top level; what would land on the present slot waits one slot before it
        // and is placed anew there
        unsigned here = (wheel->ticked >> (BITS * (WHEEL_LEVELS - 1))) & MASK;
        level = WHEEL_LEVELS - 1;
        slot = (at >> (BITS * level)) & MASK;
        if (slot == here)
            slot = (here - 1) & MASK;
    }
    struct wheel_timer **head = &wheel->slot[level][slot];

    t->place = (uint16_t)(level << 8 | slot);
    t->next = *head;
    if (t->next)
        t->next->link = &t->next;
    t->link = head;
    *head = t;
    wheel->bits[level] |= UINT64_C(1) << slot;
}

// The first tick after `ticked` at which something is due or has to move down; UINT64_MAX without timers.
static uint64_t next_tick(const struct wheel *wheel)
{
    uint64_t best = UINT64_MAX;
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        if (!wheel->bits[level])
            continue;
        unsigned shift = BITS * level;
        unsigned here = (wheel->ticked >> shift) & MASK;
        // slots behind the present digit belong to the next round of this level
        uint64_t ahead = here == MASK ? 0 : wheel->bits[level] & (UINT64_MAX << (here + 1));
        uint64_t round = (wheel->ticked >> shift) & ~(uint64_t)MASK;
        uint64_t tick = ahead ? round + (unsigned)__builtin_ctzll(ahead)
                              : round + WHEEL_SLOTS + (unsigned)__builtin_ctzll(wheel->bits[level]);
        tick <<= shift;
        if (tick < best)
            best = tick;
    }
    return best;
}

void wheel_add(struct wheel *wheel, struct wheel_timer *timer, uint64_t delay_ms, void (*fire)(void *arg),
               void *arg)
{
    wheel_cancel(wheel, timer);
    if (delay_ms > WHEEL_DELAY_MAX)
        delay_ms = WHEEL_DELAY_MAX;
    uint64_t before = wheel->earlier ? next_tick(wheel) : 0;
    timer->due = wheel->now + delay_ms;
    timer->fire = fire;
    timer->arg = arg;
    place(wheel, timer);
    wheel->armed++;
    if (wheel->earlier && timer->due < before)
        wheel->earlier(wheel->earlier_arg);
}

void wheel_cancel(struct wheel *wheel, struct wheel_timer *timer)
{
    if (!timer->link)
        return;
    unlink_timer(wheel, timer);
    wheel->armed--;
}

// Takes a slot's list off the wheel, onto `head`.
static void take_slot(struct wheel *wheel, unsigned level, unsigned slot, struct wheel_timer **head)
{
    *head = wheel->slot[level][slot];
    wheel->slot[level][slot] = NULL;
    wheel->bits[level] &= ~(UINT64_C(1) << slot);
    if (*head)
        (*head)->link = head;
    for (struct wheel_timer *t = *head; t; t = t->next)
        t->place = WHEEL_LEVELS << 8; // on no level: a cancel from a callback touches no bitmap
}

static void move_down(struct wheel *wheel)
{
    for (unsigned level = WHEEL_LEVELS - 1; level > 0; level--) {
        unsigned shift = BITS * level;
        if (wheel->ticked & ((UINT64_C(1) << shift) - 1))
            continue; // not at the start of a slot of this level
        struct wheel_timer *list, *t;
        take_slot(wheel, level, (wheel->ticked >> shift) & MASK, &list);
        while ((t = list)) {
            unlink_timer(wheel, t);
            uint64_t due = t->due;
            if (due <= wheel->ticked) {
                // due at this very tick: into the level-0 slot that is handled next
                unsigned slot = wheel->ticked & MASK;
                struct wheel_timer **head = &wheel->slot[0][slot];
                t->place = (uint16_t)slot;
                t->next = *head;
                if (t->next)
                    t->next->link = &t->next;
                t->link = head;
                *head = t;
                wheel->bits[0] |= UINT64_C(1) << slot;
            } else {
                place(wheel, t);
            }
        }
    }
}

size_t wheel_run(struct wheel *wheel, uint64_t now)
{
    size_t fired = 0;
    wheel_set_now(wheel, now);
    while (wheel->ticked < wheel->now) {
        uint64_t tick = next_tick(wheel);
        if (tick > wheel->now) {
            wheel->ticked = wheel->now;
            break;
        }
        wheel->ticked = tick;
        move_down(wheel);
        struct wheel_timer *list, *t;
        take_slot(wheel, 0, tick & MASK, &list);
        while ((t = list)) {
            unlink_timer(wheel, t);
            wheel->armed--;
            fired++;
            t->fire(t->arg);
        }
    }
    return fired;
}

uint64_t wheel_next(const struct wheel *wheel)
{
    uint64_t tick = next_tick(wheel);
    if (tick == UINT64_MAX)
        return UINT64_MAX;
    return tick > wheel->now ? tick - wheel->now : 0;
}
