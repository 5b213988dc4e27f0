// SPDX-License-Identifier: BSD-3-Clause
// What the log says when a side of a call falls silent, and when it is heard again: which way there is audio,
// whose packets are missing, from where they were to come, and what became of those that came.
#pragma once

#include "common/live.h"

enum { SILENCE_TEXT_MAX = 400 };

// A side as the sentence names it.
struct silence_side {
    const char *trunk;
    struct tl_addr media; // where its media is to come from
    bool sends;           // as agreed; else it only listens, or the call is on hold
};

// Writes one sentence about leg `leg` (0: A, 1: B) that was silent for `ms`: it is now, or (again) it was.
// `heard` is tl_event's; `snap` the live table's record of the call, or NULL. Any thread.
void silence_text(char out[SILENCE_TEXT_MAX], const struct silence_side side[2], unsigned leg, uint32_t ms,
                  bool again, uint8_t heard, const struct tl_session_snapshot *snap);
