// SPDX-License-Identifier: BSD-3-Clause
// Generations of SRTP keys: by them the dataplane tells a key that comes back from a new one.
//
// Most sessions keep the keys that they begin with, whose generation is 1. A history is made when one changes.
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/base/log.h"
#include "control/media/media_internal.h"

static struct tl_crypto *crypto_of(struct tl_leg *leg, unsigned side)
{
    return side ? &leg->tx : &leg->rx;
}

// Is it the key that the session has, or the first one there?
static bool stays_first(const struct tl_crypto *has, const struct tl_crypto *to, uint64_t seed)
{
    return has->suite == TL_SUITE_NONE || tl_key_print(has, seed) == tl_key_print(to, seed);
}

static int make_history(struct media_session *s)
{
    s->keys = calloc(1, sizeof *s->keys);
    if (!s->keys)
        return -ENOMEM;
    for (unsigned i = 0; i < 4; i++)
        tl_key_history_take(&s->keys->history[i / 2][i % 2], crypto_of(&s->leg[i / 2], i % 2), s->call_ref);
    return 0;
}

int media_number_keys(struct media_session *s, struct tl_leg leg[2])
{
    bool first = true;
    for (unsigned i = 0; i < 4; i++)
        first = first &&
                stays_first(crypto_of(&s->leg[i / 2], i % 2), crypto_of(&leg[i / 2], i % 2), s->call_ref);
    if (!s->keys && !first && make_history(s) < 0)
        return -ENOMEM;
    for (unsigned i = 0; i < 4; i++) {
        struct tl_crypto *crypto = crypto_of(&leg[i / 2], i % 2);
        const struct tl_key_history *history = s->keys ? &s->keys->history[i / 2][i % 2] : NULL;
        if (!history) {
            crypto->generation = crypto->suite == TL_SUITE_NONE ? 0 : 1;
            continue;
        }
        if (tl_key_history_find(history, crypto, s->call_ref) == -ESTALE) {
            log_line(LOG_WARNING,
                     "session %016llx: the key that side %c %s was used before in this call and is forgotten",
                     (unsigned long long)s->call_ref, i / 2 ? 'B' : 'A',
                     i % 2 ? "is to be sent" : "sends with");
            return -ESTALE;
        }
        crypto->generation = tl_key_history_generation(history, crypto, s->call_ref);
    }
    for (unsigned i = 0; s->keys && i < 4; i++)
        tl_key_history_take(&s->keys->history[i / 2][i % 2], crypto_of(&leg[i / 2], i % 2), s->call_ref);
    return 0;
}

static bool stood(const struct tl_resume_ssrc *r)
{
    return r->ssrc || r->index || r->srtcp_index;
}

bool media_lose_keys(struct media_session *s)
{
    bool known = true;
    for (unsigned i = 0; s->keys && i < 4; i++) {
        struct tl_key_history *history = &s->keys->history[i / 2][i % 2];
        const struct tl_crypto *crypto = crypto_of(&s->leg[i / 2], i % 2);
        const struct media_resume *r = &s->resume[i / 2];
        bool former = crypto->suite && crypto->generation < history->newest;
        if (former && !(r->known && stood(i % 2 ? &r->tx : &r->rx[0])))
            known = false;
        tl_key_history_lose(history);
    }
    return known;
}
