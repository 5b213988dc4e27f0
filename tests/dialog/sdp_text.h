// SPDX-License-Identifier: BSD-3-Clause
// SDP in a few words: made from them, and held against them.
#pragma once

#include "text.h"

enum { SDP_WORDS_CODECS = 8 };

// What the words say. Zeroed: nothing.
struct sdp_words {
    bool wanted;                         // "sdp"
    bool none;                           // "no-sdp"
    const char *codec[SDP_WORDS_CODECS]; // by name, in order
    unsigned codecs;
    const char *direction; // NULL: not said
    int te;                // payload type of telephone-event, -1: none, 0: not said
    int port;              // -1: not said
    char ip[32];
    char suite[2][40]; // of a=crypto lines
    unsigned suites;
    char key[32]; // names a key
    bool plain, secure, mux;
};

// Takes a word of a line. false: it is not one about SDP.
bool sdp_word(struct sdp_words *w, const char *word);

// Writes a body. `owner` and `version` are of o=, `key` seeds the keys when the words name none.
void sdp_make(const struct sdp_words *w, const char *ip, unsigned port, const char *owner, unsigned version,
              const char *key, struct text *out);

// Holds a body against the words. false: `why` says what differs.
bool sdp_check(const struct sdp_words *w, const char *body, char *why, size_t why_size);
