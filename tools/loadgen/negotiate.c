// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/negotiate.h"

#include <errno.h>
#include <string.h>

static const char event_name[] = "telephone-event";

static const char *codec_name(enum codec codec)
{
    return codec == CODEC_PCMU ? "PCMU" : "PCMA";
}

static uint8_t codec_type(enum codec codec)
{
    return codec == CODEC_PCMU ? 0 : 8;
}

static int set_crypto(struct negotiation *n, const struct sdes *key)
{
    char line[SDES_LINE_MAX];

    sdes_print(key, n->options->srtp, line);
    return sdp_media_set_lattr(n->media, true, "crypto", "%s", line);
}

static int set_mux(struct negotiation *n, bool on)
{
    sdp_media_del_lattr(n->media, "rtcp-mux");
    return on ? sdp_media_set_lattr(n->media, true, "rtcp-mux", NULL) : 0;
}

int negotiation_init(struct negotiation *n, const struct options *o, const struct stream *s)
{
    const char *proto = o->srtp == SUITE_NONE ? sdp_proto_rtpavp : sdp_proto_rtpsavp;
    struct sa local;
    char id[4];

    memset(n, 0, sizeof *n);
    n->options = o;
    int err = sa_set_str(&local, o->local.ip, 0);
    err |= sdp_session_alloc(&n->session, &local);
    if (err != 0)
        return -ENOMEM;
    err |= sdp_media_add(&n->media, n->session, sdp_media_audio, s->port, proto);
    if (err != 0)
        return -ENOMEM;
    re_snprintf(id, sizeof id, "%u", codec_type(o->codec));
    err |= sdp_format_add(NULL, n->media, false, id, codec_name(o->codec), 8000, 1, NULL, NULL, NULL, false,
                          NULL);
    re_snprintf(id, sizeof id, "%u", o->telephone_event);
    err |= sdp_format_add(NULL, n->media, false, id, event_name, 8000, 1, NULL, NULL, NULL, false, "0-15");
    err |= sdp_media_set_lattr(n->media, true, "ptime", "%u", PAYLOAD_MS);
    if (o->srtp != SUITE_NONE)
        err |= set_crypto(n, &s->tx_key);
    err |= set_mux(n, o->rtcp_mux);
    return err == 0 ? 0 : -ENOMEM;
}

void negotiation_fini(struct negotiation *n)
{
    n->session = mem_deref(n->session);
    n->media = NULL;
}

int negotiation_offer(struct negotiation *n, enum sdp_dir dir, struct mbuf **mb)
{
    sdp_media_set_ldir(n->media, dir);
    return -sdp_encode(mb, n->session, true);
}

struct crypto_search {
    enum media_suite suite;
    struct sdes *key;
};

static bool take_crypto(const char *name, const char *value, void *arg)
{
    const struct crypto_search *search = arg;

    (void)name;
    return sdes_parse(search->key, search->suite, value) == 0;
}

// What the far side's description means for the stream.
static int read_terms(const struct negotiation *n, struct stream_terms *t, const char **why)
{
    const struct sdp_media *m = n->media;
    const struct sdp_format *event = sdp_media_rformat(m, event_name);
    const uint8_t audio = codec_type(n->options->codec);
    struct crypto_search search = {n->options->srtp, &t->rx_key};

    memset(t, 0, sizeof *t);
    if (sdp_media_rport(m) == 0) {
        *why = "the far side refused the audio stream";
        return -EPROTO;
    }
    if (sdp_media_format(m, false, NULL, audio, NULL, -1, -1) == NULL) {
        *why = "no common codec";
        return -EPROTO;
    }
    if (n->options->srtp != SUITE_NONE && sdp_media_rattr_apply(m, "crypto", take_crypto, &search) == NULL) {
        *why = "no usable crypto attribute for the suite";
        return -EPROTO;
    }
    t->remote = *sdp_media_raddr(m);
    sdp_media_raddr_rtcp(m, &t->remote_rtcp);
    t->mux = n->options->rtcp_mux && sdp_media_rattr(m, "rtcp-mux") != NULL;
    t->tx_audio = t->rx_audio = audio;
    if (event != NULL) {
        t->tx_event = (uint8_t)event->pt;
        t->rx_event = n->options->telephone_event;
    }
    // c=0.0.0.0 is the old way to hold (RFC 3264 8.4)
    t->may_send = (sdp_media_dir(m) & SDP_SENDONLY) && !sa_is_any(&t->remote);
    t->srtp = n->options->srtp != SUITE_NONE;
    return 0;
}

// libre takes over the offerer's number for telephone-event; ours stays ours, as RFC 3264 6.1 allows.
static int keep_event_type(struct negotiation *n)
{
    struct sdp_format *f = sdp_media_format(n->media, true, NULL, -1, event_name, -1, -1);

    if (f == NULL)
        return 0;
    f->id = mem_deref(f->id);
    f->pt = n->options->telephone_event;
    return re_sdprintf(&f->id, "%u", f->pt);
}

int negotiation_answer(struct negotiation *n, struct mbuf *offer, struct stream *s, struct mbuf **answer,
                       struct stream_terms *terms, const char **why)
{
    sdp_media_set_ldir(n->media, SDP_SENDRECV);
    if (sdp_decode(n->session, offer, true) != 0) {
        *why = "SDP that can't be read";
        return -EPROTO;
    }
    int error = read_terms(n, terms, why);
    if (error != 0)
        return error;

    int err = keep_event_type(n);
    err |= set_mux(n, terms->mux);
    if (terms->srtp) {
        s->tx_key.tag = terms->rx_key.tag;
        err |= set_crypto(n, &s->tx_key);
    }
    err |= sdp_encode(answer, n->session, false);
    *why = "out of memory";
    return err == 0 ? 0 : -ENOMEM;
}

int negotiation_finish(struct negotiation *n, struct mbuf *answer, struct stream_terms *terms,
                       const char **why)
{
    if (sdp_decode(n->session, answer, false) != 0) {
        *why = "an SDP answer that can't be read";
        return -EPROTO;
    }
    return read_terms(n, terms, why);
}
