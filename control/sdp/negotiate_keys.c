// SPDX-License-Identifier: BSD-3-Clause
// Which keys a leg has, and which line of a=crypto is taken.
#include <errno.h>
#include <string.h>

#include "control/sdp/negotiate_internal.h"

static bool same_keys(const struct sdes_crypto *a, const struct sdes_crypto *b)
{
    return a->suite == b->suite && memcmp(a->key, b->key, sizeof a->key) == 0 &&
           memcmp(a->salt, b->salt, sizeof a->salt) == 0;
}

void neg_crypto(struct tl_crypto *out, const struct sdes_crypto *in)
{
    memset(out, 0, sizeof *out);
    if (in->suite == TL_SUITE_NONE)
        return; // plain is all zero in the contract
    out->suite = in->suite;
    memcpy(out->key, in->key, sizeof out->key);
    memcpy(out->salt, in->salt, sizeof out->salt);
    out->mki_len = in->mki_len;
    memcpy(out->mki, in->mki, sizeof out->mki);
}

bool neg_key_forgotten(const struct neg_leg *leg, const struct sdes_crypto *rx)
{
    struct tl_crypto crypto;
    neg_crypto(&crypto, rx);
    bool forgotten = tl_key_history_find(&leg->rx_keys, &crypto, leg->session_id) == -ESTALE;
    explicit_bzero(&crypto, sizeof crypto);
    return forgotten;
}

static void set_rx(struct neg_leg *leg, const struct sdes_crypto *rx)
{
    struct tl_crypto crypto;
    neg_crypto(&crypto, rx);
    tl_key_history_take(&leg->rx_keys, &crypto, leg->session_id);
    explicit_bzero(&crypto, sizeof crypto);
    leg->rx = *rx;
}

void neg_follow(struct neg_leg *next, const struct neg_leg *before)
{
    struct sdes_crypto rx = next->rx;
    next->rx_keys = before->rx_keys;
    set_rx(next, &rx);
    sdes_wipe(&rx);
}

static void set_plain(struct neg_leg *leg)
{
    struct sdes_crypto none = {0};
    set_rx(leg, &none);
    leg->tx = none;
}

void neg_shape_offer(const struct neg_leg *leg, struct sdes_crypto *tx)
{
    if (leg->trunk->mki != TL_MKI_ALWAYS)
        return;
    tx->lifetime = true;
    tx->mki_len = 1;
    tx->mki[0] = 1;
}

// Our side of an answer's key parameters: each side names those of its own key (RFC 4568 6.1), but peers of
// the Lync kind want to see the MKI that they sent.
static void shape_answer(const struct neg_leg *leg, const struct sdes_crypto *rx, struct sdes_crypto *tx)
{
    tx->lifetime = rx->lifetime;
    if (leg->trunk->mki == TL_MKI_NONE)
        return;
    if (rx->mki_len) {
        tx->mki_len = rx->mki_len;
        memcpy(tx->mki, rx->mki, sizeof tx->mki);
    } else if (leg->trunk->mki == TL_MKI_ALWAYS) {
        neg_shape_offer(leg, tx);
    }
}

bool neg_pick_crypto(const struct neg_leg *leg, const struct sdp_media *m, const char *text,
                     struct sdes_crypto *out, const char **why)
{
    for (unsigned s = 0; s < leg->trunk->suite_count; s++)
        for (unsigned i = 0; i < m->crypto_count; i++) {
            if (sdes_suite(text + m->crypto[i].off, m->crypto[i].len) != leg->trunk->suites[s])
                continue;
            if (sdes_parse(out, text + m->crypto[i].off, m->crypto[i].len, why) == 0)
                return true;
        }
    return false;
}

// Our key for an answer: the one in use as long as the other side keeps its own and its address (it knows our
// ROC then), else a new one, RFC 4568 7.1.4.
int neg_answer_keys(struct neg_leg *leg, const struct sdes_crypto *rx, bool moved, struct neg_random random)
{
    if (rx->suite == TL_SUITE_NONE) {
        set_plain(leg);
        return 0;
    }
    bool keep = leg->tx.suite == rx->suite && same_keys(&leg->rx, rx) && !moved;
    set_rx(leg, rx);
    if (keep) {
        leg->tx.tag = rx->tag;
        return 0;
    }
    struct sdes_crypto tx;
    int rc = sdes_generate(&tx, rx->tag, rx->suite, random.fill, random.arg);
    if (rc == 0) {
        shape_answer(leg, rx, &tx);
        leg->tx = tx;
    }
    sdes_wipe(&tx);
    return rc;
}

int neg_move(struct neg_leg *leg, const struct tl_addr *local, struct neg_random random)
{
    struct sdes_crypto tx;
    leg->local = *local;
    if (leg->tx.suite == TL_SUITE_NONE)
        return 0;
    int rc = sdes_generate(&tx, leg->tx.tag, leg->tx.suite, random.fill, random.arg);
    if (rc == 0) {
        tx.lifetime = leg->tx.lifetime;
        tx.mki_len = leg->tx.mki_len;
        memcpy(tx.mki, leg->tx.mki, sizeof tx.mki);
        leg->tx = tx;
    }
    sdes_wipe(&tx);
    return rc;
}

int neg_stand_in(struct neg_leg *out, const struct neg_leg *of, struct neg_random random)
{
    static const struct tl_addr nowhere;
    bool its_own = !of->off && (of->offered_last || of->word.direction == SDP_SENDRECV);
    *out = *of;
    out->direction = its_own ? of->direction : SDP_SENDRECV;
    out->off = false;
    out->offered_last = true;
    memset(&out->word, 0, sizeof out->word); // it was answered nothing yet
    out->word.direction = SDP_SENDRECV;
    return neg_move(out, &nowhere, random);
}

// The offered key that an answer takes up: by tag and suite, or by suite where a peer makes tags of its own.
static const struct sdes_crypto *taken_up(const struct neg_leg *leg, const struct sdes_crypto *answer)
{
    const struct sdes_crypto *by_suite = NULL;
    for (unsigned i = 0; i < leg->offered_count; i++) {
        const struct sdes_crypto *o = &leg->offered[i];
        if (o->suite == answer->suite && (o->tag == answer->tag || !by_suite))
            by_suite = o;
    }
    return by_suite;
}

int neg_answered_keys(struct neg_leg *leg, const struct sdp_media *m, const char *text, const char **why)
{
    if (m->crypto_count == 0) {
        if (neg_secure(m->proto))
            return neg_refuse(why, "the answer has SRTP but no a=crypto line");
        if (leg->trunk->srtp == TL_SRTP_REQUIRED)
            return neg_refuse(why, "the trunk requires SRTP and the answer is plain RTP");
        set_plain(leg);
        return 0;
    }
    if (leg->offered_count == 0) { // keys nobody asked for
        if (neg_secure(m->proto))
            return neg_refuse(why, "the answer has SRTP where plain RTP was offered");
        set_plain(leg);
        return 0;
    }
    struct sdes_crypto rx = {0};
    const struct sdes_crypto *tx = NULL;
    neg_refuse(why, "the a=crypto line of the answer is none of those offered");
    for (unsigned i = 0; i < m->crypto_count && !tx; i++) // one line by RFC 4568 5.1.2; some peers send more
        if (sdes_parse(&rx, text + m->crypto[i].off, m->crypto[i].len, why) == 0)
            tx = taken_up(leg, &rx);
    int rc = tx ? 0 : -ENOTSUP;
    if (tx && neg_key_forgotten(leg, &rx))
        rc = neg_refuse(
            why,
            "the SRTP key of the answer was used too long ago in this call: its replay window is forgotten");
    if (rc == 0) {
        set_rx(leg, &rx);
        leg->tx = *tx;
    }
    sdes_wipe(&rx);
    return rc;
}
