// SPDX-License-Identifier: BSD-3-Clause
// What A hears when B refuses: one table, in docs/causes.md, too. The first row that fits counts; where none does, B's
// status passes as it is. Pure. Any thread.
#pragma once

#include "common/config/config.h"

// B's status from .. to, Q.850 cause in its Reason header (0: any, or none), what A hears, why.
#define CALL_CAUSES(X)                                                                                       \
    X(300, 399, 0, 480, "redirections name places behind the trunk")                                         \
    X(401, 401, 0, 403, "B wants us to log in: nothing that A could do")                                     \
    X(407, 407, 0, 403, "B wants us to log in: nothing that A could do")                                     \
    X(420, 423, 0, 500, "B refuses what we asked for, which A does not know")                                \
    X(481, 482, 0, 500, "of a dialog that A has no part in")                                                 \
    X(491, 491, 0, 500, "of a dialog that A has no part in")                                                 \
    X(480, 480, 1, 404, "unallocated number (RFC 3398 7.2.4.1, as in the rows below)")                       \
    X(500, 599, 1, 404, "unallocated number")                                                                \
    X(480, 480, 17, 486, "user busy")                                                                        \
    X(500, 599, 17, 486, "user busy")                                                                        \
    X(500, 599, 18, 408, "no user responding")                                                               \
    X(500, 599, 19, 480, "no answer from the user")                                                          \
    X(500, 599, 20, 480, "subscriber absent")                                                                \
    X(480, 480, 21, 403, "call rejected")                                                                    \
    X(500, 599, 21, 403, "call rejected")                                                                    \
    X(480, 480, 22, 410, "number changed")                                                                   \
    X(500, 599, 22, 410, "number changed")                                                                   \
    X(480, 480, 28, 484, "address incomplete")                                                               \
    X(500, 599, 28, 484, "address incomplete")

// What A hears of B's final status 300..699 and the Q.850 cause (0: none) that came with it.
int cause_for_a(int status, unsigned q850);

// What the trunk's rules (codes_in) take such a response for; the status as it is where none fits.
int cause_taken_for(const struct tl_trunk_config *trunk, int status, unsigned q850);
