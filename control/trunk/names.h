// SPDX-License-Identifier: BSD-3-Clause
// What names of peers resolve to (RFC 3263 section 4): the answers that there are, and which questions are to be asked. Whoever
// asks what a name stands for gets what is known now; what is missing or about to expire becomes a question. Answers are kept
// for their TTL within bounds, refreshed before that is over, and used on for a while when no server answers. Pure: time is a
// parameter (milliseconds of any steady clock), nothing here asks. One thread.
#pragma once

#include "control/base/dns_msg.h"
#include "control/trunk/target.h"

enum {
    NAMES_TTL_MIN_S = 5,
    NAMES_TTL_MAX_S = 86400,
    NAMES_NOTHING_MAX_S = 300, // that "there is none" is believed, at most
    NAMES_RETRY_MIN_S = 5,     // behind a question that failed; doubled with each ...
    NAMES_RETRY_MAX_S = 60,    // ... up to this
    NAMES_STALE_S = 86400,     // that an answer is used behind its TTL while no server answers
    NAMES_FORGET_S = 3600,     // behind the last time that an answer was looked at
    NAMES_ASKING_MAX = 64,     // questions on their way at the same time
    NAMES_ENTRIES_MAX = 8192,
};

#define NAMES_NEVER UINT64_MAX

struct names;

// Counters of name servers' answers: label, sentence.
#define NAMES_COUNTERS(X)                                                                                    \
    X(asked, "questions that were asked")                                                                    \
    X(found, "answers with records")                                                                         \
    X(nothing, "answers that there are none")                                                                \
    X(failed, "questions that no server answered, or that one said it could not")                            \
    X(broken, "answers that cannot be read, or cannot be believed; the following two among them")            \
    X(other, "answers to another question than was asked")                                                   \
    X(loops, "answers whose CNAMEs lead in a circle, or too far")                                            \
    X(foreign, "records of other names in answers: passed over")                                             \
    X(cut, "answers with more records than are looked at, or than can be read: the rest is not there")       \
    X(full, "questions that there was no room for")

struct names_counters {
#define X(label, text) uint64_t label;
    NAMES_COUNTERS(X)
#undef X
};

struct names *names_new(void); // NULL without memory
void names_free(struct names *names);
const struct names_counters *names_counters(const struct names *names);

// How a name does.
enum name_state {
    NAME_NEW,     // nothing is known yet
    NAME_FOUND,   // there are addresses
    NAME_STALE,   // ... of answers whose TTL is over, while no server answers
    NAME_NOTHING, // the servers say that there are none
    NAME_FAILED,  // no server answers, or what they say cannot be
};

// What a peer's name stands for now.
struct name_now {
    enum name_state state;
    uint32_t count;
    uint32_t ttl_s; // left of the answer that ends first; 0: it is over
    bool open;      // a question has no answer yet: there may be more, and what there is may not come first
    struct target_place place[TRUNK_TARGETS_MAX];
};

// Of the i-th peer of a trunk, which has a name. Ordered by what the name says; `priority` is the peer's.
void names_of(struct names *names, const struct tl_config *config, const struct tl_trunk_config *trunk,
              const struct tl_peer_config *peer, uint64_t now_ms, struct name_now *out);

// A question to ask now, which counts as asked. False: none, or enough are on their way.
bool names_question(struct names *names, char name[static DNS_NAME_MAX], enum dns_type *type);

// What became of it. A question that nobody has asked is ignored.
void names_answer(struct names *names, const char *name, enum dns_type type, const struct dns_answer *answer,
                  uint64_t now_ms);

// Nobody answers what is on its way: the servers are others from now on.
void names_ask_again(struct names *names, uint64_t now_ms);

// When names_of() of all peers is to be asked again, for what expires or was not answered; NAMES_NEVER: after answers only. It
// counts from the last call of names_round() on.
uint64_t names_due(const struct names *names);

// Begins to look at all names once more, and forgets what nobody has looked at for long.
void names_round(struct names *names, uint64_t now_ms);
