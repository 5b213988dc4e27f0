// SPDX-License-Identifier: BSD-3-Clause
// A registration at a trunk's peer (RFC 3261 10): when REGISTER leaves, what its answer means, whether calls may use it.
// Pure state: time (milliseconds of any steady clock) and randomness are parameters, nothing here sends. One thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/config/config.h"

#define REGISTRATION_NEVER UINT64_MAX

enum {
    REGISTRATION_CALL_ID_LEN = 64, // with the final NUL
    REGISTRATION_TAG_LEN = 24,     // likewise
    REGISTRATION_SECONDS_MAX = 31 * 86400,
};

struct registration_counters {
    uint64_t sent;      // REGISTERs, without repetitions and those that answer a challenge
    uint64_t confirmed; // 2xx
    uint64_t failed;    // every other end but 423
    uint64_t lost;      // times that it held no longer
};

struct registration {
    // settings
    uint32_t expires_s;              // that we ask for
    uint32_t retry_ms, retry_max_ms; // pause after a failure
    // who asks: the Call-ID stays and the CSeq rises as long as we run (10.2)
    char call_id[REGISTRATION_CALL_ID_LEN];
    char tag[REGISTRATION_TAG_LEN];
    uint32_t cseq; // last used
    // state
    uint32_t ask_s;  // expires_s, or what the registrar wants at least (423)
    unsigned raised; // 423s in a row that had us ask for more
    bool asking;     // a REGISTER has no answer yet
    bool held;       // the registrar has confirmed it until until_ms
    uint64_t due_ms, until_ms;
    uint32_t failures; // in a row
    unsigned status;   // of the last failure; 0: no answer
    struct registration_counters counters;
};

// What came of a REGISTER.
struct registration_answer {
    unsigned status;        // final, 100..699; 0: none
    uint32_t granted_s;     // 2xx: how long our Contact is bound; 0: it is not
    uint32_t min_expires_s; // 423; 0: not said
    uint32_t retry_after_s; // 0: not said
};

enum registration_change {
    REGISTRATION_SAME,
    REGISTRATION_BEGINS, // calls may use it from now on
    REGISTRATION_FAILS,  // it does not hold, and could not be renewed
    REGISTRATION_SHAKES, // it could not be renewed, but holds yet
    REGISTRATION_LOST,   // its time is over
};

// Begins with the settings; the first REGISTER is due at first_ms. call_id, tag and cseq are the caller's to fill.
void registration_init(struct registration *r, const struct tl_registration_config *config,
                       const struct tl_trunk_config *trunk, uint64_t first_ms);

// Takes settings over as they are now. Who waits after a failure tries again at once: what was wrong may have been mended.
void registration_configure(struct registration *r, const struct tl_registration_config *config,
                            const struct tl_trunk_config *trunk, uint64_t now_ms);

// When something is to be done: registration_expired(), and unless it is asking a REGISTER.
uint64_t registration_due(const struct registration *r);

// Whether a REGISTER is due now.
bool registration_wants(const struct registration *r, uint64_t now_ms);

// One leaves. Returns its CSeq. Exactly one registration_answered() follows.
uint32_t registration_asks(struct registration *r);

// Its answer. Renewal is due well before the time is over: at half of short times, 40 s or a tenth before the end of longer
// ones, a little earlier at random. After a failure the pause doubles each time, and is shortened by up to a half at random
// (RFC 5626 4.5); where the registrar refuses us (400, 401, 403, 404, 405, 407, 6xx) it is the longest at once. `random` is any
// number.
enum registration_change registration_answered(struct registration *r,
                                               const struct registration_answer *answer, uint64_t now_ms,
                                               uint32_t random);

// Looks whether its time is over: REGISTRATION_LOST once, else REGISTRATION_SAME.
enum registration_change registration_expired(struct registration *r, uint64_t now_ms);

// Writes it as lines of the section that is open; reads it back from the section `in`, where `away_ms` have passed since.
// Returns 0, or -EINVAL for what is missing or malformed: *r is as registration_init() left it then.
struct record;
struct record_writer;
void registration_save(const struct registration *r, uint64_t now_ms, struct record_writer *w);
int registration_load(struct registration *r, struct record *in, uint64_t now_ms, uint64_t away_ms);
