// SPDX-License-Identifier: BSD-3-Clause
// The session timer of one dialog (RFC 4028): what its requests and 2xx agree on, and when who has to refresh. Pure: no
// clock, no messages; times come out as delays. A call has one for each side, and they never meet. Any thread.
#pragma once

#include "common/config/config.h"
#include "control/base/record.h"

enum {
    REFRESH_MIN_S = 90,       // the shortest interval that there is (section 4)
    REFRESH_MAX_S = 86400,    // no 422 makes us ask for more
    REFRESH_RAISES_MAX = 5,   // times in a row that a 422 makes us ask again
    REFRESH_RETRY_MIN_S = 10, // nearer to the end a refresh that failed is not tried again
};

enum refresh_who { REFRESH_NOBODY, REFRESH_US, REFRESH_PEER };

// The refresher parameter: of the request's sender, of its answerer.
enum refresh_role { REFRESH_UNSAID, REFRESH_UAC, REFRESH_UAS };

// What one message says of the session timer. All zero: nothing.
struct refresh_said {
    uint32_t expires_s; // Session-Expires; 0: none
    uint32_t min_se_s;  // Min-SE; 0: none
    uint8_t refresher;  // enum refresh_role
    bool supported;     // Supported or Require has "timer"
    bool required;      // Require has it
};

// Which request: an INVITE and an UPDATE of theirs may wait for our answers at the same time.
enum refresh_request { REFRESH_INVITE, REFRESH_UPDATE, REFRESH_REQUESTS };

// Zeroed is a dialog without a timer.
struct refresh {
    uint32_t interval_s;                         // agreed; 0: no session timer
    uint8_t who;                                 // enum refresh_who
    bool insist;                                 // a 422 said that there has to be one
    uint8_t raises;                              // 422 in a row
    uint8_t failures;                            // refreshes of ours in a row that failed
    uint32_t floor_s;                            // the largest Min-SE heard in this dialog; 0: none
    struct refresh_said asked[REFRESH_REQUESTS]; // by requests that wait for our answer
};

// The shortest interval that we agree to on that trunk: what a 422 of ours names.
uint32_t refresh_min_s(const struct tl_trunk_config *trunk);

// Takes what a request of theirs says, until refresh_answer(). Returns 0, 420 (it requires what the trunk has off), or 422
// (section 9: its interval is below our min_se_s); then nothing is kept.
int refresh_take_request(struct refresh *r, const struct tl_trunk_config *trunk, enum refresh_request which,
                         const struct refresh_said *said);

// Our 2xx to that request: fills what it says and makes it so.
void refresh_answer(struct refresh *r, const struct tl_trunk_config *trunk, enum refresh_request which,
                    struct refresh_said *out);

// Fills what a request of ours (INVITE, re-INVITE, UPDATE) says (sections 7.1, 7.4).
void refresh_ask(const struct refresh *r, const struct tl_trunk_config *trunk, struct refresh_said *out);

// Takes the 2xx to such a request (section 7.2).
void refresh_take_answer(struct refresh *r, const struct tl_trunk_config *trunk,
                         const struct refresh_said *said);

// Takes a 422 to such a request (section 7.3). True: ask again, with what refresh_ask() says now.
bool refresh_raise(struct refresh *r, const struct tl_trunk_config *trunk, const struct refresh_said *said);

// Delays in ms from the last refresh; 0: never. To our next refresh (section 10: half the interval), and to the end of a
// session that was not refreshed (the interval less a third of it, at most 32 s).
uint64_t refresh_due_ms(const struct refresh *r);
uint64_t refresh_end_ms(const struct refresh *r);

// A refresh of ours failed in a way that does not end the call: the delay in ms to another one, half the way from the last
// to the end; 0: none, because the end is too near.
uint64_t refresh_retry_ms(struct refresh *r);

// Saves the timer as a section "refresh", and reads it from one; requests under way are not in it. Loading returns 0, or
// -EINVAL and nothing has changed.
void refresh_save(const struct refresh *r, struct record_writer *w);
int refresh_load(struct refresh *r, struct record *in);
