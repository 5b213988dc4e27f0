// SPDX-License-Identifier: BSD-3-Clause
// The link of TLS: OpenSSL between a connection and its socket, and the files that it needs, read again when they change.
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/addr.h"
#include "control/sip/tls_internal.h"
#include "control/sip/transport_internal.h"

enum {
    LOOK_MS = 10 * 1000,        // between two looks at the files
    WARN_AGAIN_S = 24 * 3600,   // and then again
    ACCEPTED_LINES = 40,        // at once, of peers whose handshake failed
    SESSION_S = 3600,           // that a session may be taken up again
    CERTIFICATES_MAX = 64 << 10 // bytes of the chain that a peer shows
};

struct sip_tls {
    struct loop *loop;
    const struct tl_config *config;
    sip_trunks_fn *trunks;
    void *arg;
    struct tls_store *store;
    struct wheel_timer look;
    time_t warned;
    struct log_limit limit;
};

struct tls_link *tls_link_of(const SSL *ssl)
{
    return SSL_get_app_data(ssl);
}

// ---- contexts ------------------------------------------------------------------------------------------

// Keeps what a peer gave us to take up again, in place of the last one.
static int on_session(SSL *ssl, SSL_SESSION *session)
{
    struct tls_link *link = tls_link_of(ssl);
    if (!link || link->accepted || link->count != 1)
        return 0;
    struct tls_terms *terms = link->candidates[0].terms;
    SSL_SESSION_free(terms->session);
    terms->session = session;
    return 1;
}

// Takes the ciphers of TLS 1.2 that any of the candidates has, or that one trunk alone.
static bool take_ciphers(const struct tls_link *link, const struct tls_terms *alone)
{
    char *list = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&list, &size);
    if (!f)
        return false;
    const struct tls_identity *last = NULL;
    for (uint32_t i = 0; i < (alone ? 1 : link->count); i++) {
        const struct tls_identity *id = (alone ? alone : link->candidates[i].terms)->identity;
        const STACK_OF(SSL_CIPHER) *ciphers = id == last ? NULL : SSL_CTX_get_ciphers(id->ctx);
        for (int k = 0; k < sk_SSL_CIPHER_num(ciphers); k++)
            fprintf(f, "%s:", SSL_CIPHER_get_name(sk_SSL_CIPHER_value(ciphers, k)));
        last = id;
    }
    bool good = fclose(f) == 0 && SSL_set_cipher_list(link->ssl, list) == 1;
    ERR_clear_error();
    free(list);
    return good;
}

// Of several trunks that a peer may belong to, the name that it asks for tells whose certificate it wants.
static int on_name(SSL *ssl, int *alert, void *arg)
{
    struct tls_link *link = tls_link_of(ssl);
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    (void)alert;
    (void)arg;
    for (uint32_t i = 0; name && link && i < link->count; i++) {
        const struct tls_terms *terms = link->candidates[i].terms;
        if (terms->domain[0] && strcasecmp(terms->domain, name) == 0) {
            SSL_set_SSL_CTX(ssl, terms->identity->ctx);
            return take_ciphers(link, terms) ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
        }
    }
    return SSL_TLSEXT_ERR_OK; // what we have is what we show; it decides
}

static void set_up(SSL_CTX *ctx)
{
    SSL_CTX_set_cert_verify_callback(ctx, tls_verify, NULL);
    SSL_CTX_set_max_cert_list(ctx, CERTIFICATES_MAX);
    SSL_CTX_set_tlsext_servername_callback(ctx, on_name);
    // who connects to us keeps its sessions itself, in tickets; ours are with the trunk
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_set_timeout(ctx, SESSION_S);
    SSL_CTX_sess_set_new_cb(ctx, on_session);
}

// ---- files ---------------------------------------------------------------------------------------------

static void warn_of(const char *what, const char *path, const char *subject, time_t end, time_t now)
{
    char day[20];
    struct tm tm;
    if (!end || end - now > SIP_CERTIFICATE_WARN_S)
        return;
    gmtime_r(&end, &tm);
    strftime(day, sizeof day, "%Y-%m-%d", &tm);
    if (end <= now)
        log_line(LOG_WARNING, "%s %s: %s expired on %s", what, path, subject, day);
    else
        log_line(LOG_WARNING, "%s %s: %s expires on %s, in %ld days", what, path, subject, day,
                 (long)((end - now) / (24 * 3600L)));
}

static void warn_of_ends(struct sip_tls *tls)
{
    time_t now = time(NULL);
    tls->warned = now;
    for (uint32_t i = 0; i < tls->store->identity_count; i++) {
        const struct tls_identity *id = &tls->store->identities[i];
        warn_of("certificate", id->certificate.path, id->subject, id->not_after, now);
    }
    for (uint32_t i = 0; i < tls->store->trust_count; i++) {
        const struct tls_trust *trust = &tls->store->trusts[i];
        warn_of("CA file", trust->file.path, trust->subject, trust->not_after, now);
    }
}

int sip_tls_reload(struct sip_tls *tls, const struct tl_config *config, char *why, size_t why_size)
{
    struct tls_store *fresh;
    tls->config = config;
    int err = tls_store_load(config, set_up, &fresh, why, why_size);
    if (err)
        return err;
    tls_store_release(tls->store);
    tls->store = fresh;
    warn_of_ends(tls);
    return 0;
}

void sip_tls_show(const struct sip_tls *tls, sip_certificate_fn *fn, void *arg)
{
    tls_store_show(tls->store, tls->config, fn, arg);
}

static void on_look(void *arg)
{
    struct sip_tls *tls = arg;
    char why[512];
    if (tls_store_changed(tls->store)) {
        if (sip_tls_reload(tls, tls->config, why, sizeof why) == 0)
            log_line(LOG_NOTICE, "TLS: certificates were read again");
        else
            log_line(LOG_WARNING, "TLS goes on with the certificates that it has: %s", why);
    } else if (time(NULL) - tls->warned >= WARN_AGAIN_S) {
        warn_of_ends(tls);
    }
    wheel_add(loop_wheel(tls->loop), &tls->look, LOOK_MS, on_look, tls);
}

int sip_tls_new(struct loop *loop, const struct tl_config *config, sip_trunks_fn *trunks, void *arg,
                struct sip_tls **out, char *why, size_t why_size)
{
    bool any = false;
    *out = NULL;
    for (uint32_t i = 0; i < config->listener_count; i++)
        any = any || tl_transport_row(config->listeners[i].transport)->secure;
    if (!any)
        return 0;
    struct sip_tls *tls = calloc(1, sizeof *tls);
    if (!tls) {
        snprintf(why, why_size, "no memory for TLS");
        return -ENOMEM;
    }
    tls->loop = loop;
    tls->config = config;
    tls->trunks = trunks;
    tls->arg = arg;
    tls->limit.burst = ACCEPTED_LINES;
    int err = tls_store_load(config, set_up, &tls->store, why, why_size);
    if (err) {
        free(tls);
        return err;
    }
    warn_of_ends(tls);
    wheel_add(loop_wheel(loop), &tls->look, LOOK_MS, on_look, tls);
    *out = tls;
    return 0;
}

void sip_tls_free(struct sip_tls *tls)
{
    if (!tls)
        return;
    wheel_cancel(loop_wheel(tls->loop), &tls->look);
    tls_store_release(tls->store);
    free(tls);
}

// ---- log -----------------------------------------------------------------------------------------------

// One line of a connection that failed.
static void say(struct tls_link *link, const char *why)
{
    struct sip_tls *tls = link->tls;
    uint64_t unsaid;
    // each trunk that we cannot connect to is heard of, whatever others do
    struct log_limit *limit = link->accepted ? &tls->limit : &link->candidates[0].terms->limit;
    if (!log_allow(limit, loop_now(tls->loop), &unsaid))
        return;
    if (unsaid)
        log_line(LOG_WARNING, "TLS: %llu more connections failed before this one",
                 (unsigned long long)unsaid);
    if (link->accepted)
        log_line(LOG_WARNING, "TLS from %s to listener %s: %s", TL_ADDR_STR(&link->remote),
                 link->listener->name, why);
    else
        log_line(LOG_WARNING, "TLS to %s, trunk %s: %s", TL_ADDR_STR(&link->remote),
                 link->candidates[0].terms->trunk, why);
}

// ---- beginning -------------------------------------------------------------------------------------------

// A session may be taken up only where it tells whose it was: with one trunk, which stands in its context with the
// reading of the files, so that it is worth nothing after these have changed.
static void bind_session(struct tls_link *link, uint32_t listener)
{
    const uint32_t context[3] = {link->store->generation, listener, link->candidates[0].trunk};
    if (link->count == 1) {
        SSL_set_session_id_context(link->ssl, (const unsigned char *)context, sizeof context);
        return;
    }
    SSL_set_options(link->ssl, SSL_OP_NO_TICKET);
    SSL_set_num_tickets(link->ssl, 0);
}

static bool all_need_certificates(const struct tls_link *link)
{
    for (uint32_t i = 0; i < link->count; i++)
        if (link->candidates[i].terms->config.verify == TL_TLS_VERIFY_OFF)
            return false;
    return true;
}

static int begin_accepted(struct tls_link *link, uint32_t listener)
{
    SSL_set_accept_state(link->ssl);
    SSL_set_verify(link->ssl,
                   SSL_VERIFY_PEER | (all_need_certificates(link) ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                   NULL);
    bind_session(link, listener);
    // which of them it is its certificate says, after the cipher was chosen: tls_verify() looks at both
    return link->count < 2 || take_ciphers(link, NULL) ? 0 : -ENOMEM;
}

static int begin_ours(struct tls_link *link)
{
    const struct tls_terms *terms = link->candidates[0].terms;
    const struct tl_tls_config *t = &terms->config;
    SSL_set_connect_state(link->ssl);
    SSL_set_verify(link->ssl, SSL_VERIFY_PEER, NULL);
    if (t->name_count)
        SSL_set_tlsext_host_name(link->ssl, t->names[0]);
    if (terms->session)
        SSL_set_session(link->ssl, terms->session);
    return 0;
}

static void tls_close(struct sip_link *link)
{
    struct tls_link *l = link->tls;
    if (!l)
        return;
    if (l->ssl) {
        ERR_clear_error();
        if (l->open && !l->broken)
            SSL_shutdown(l->ssl); // says goodbye, and does not wait for the other side's
        ERR_clear_error();
        SSL_free(l->ssl);
    }
    tls_store_release(l->store);
    free(l->candidates);
    free(l);
    link->tls = NULL;
}

// 0; -EACCES: there are none; -ENOMEM.
static int find_candidates(struct tls_link *link, uint32_t listener, const struct sip_flow *flow)
{
    uint32_t trunks[TL_TRUNKS_MAX] = {flow->trunk}, n = 1;
    if (link->accepted)
        n = link->tls->trunks(link->tls->arg, listener, &flow->remote, trunks, TL_TRUNKS_MAX);
    link->candidates = calloc(n + 1, sizeof *link->candidates);
    if (!link->candidates)
        return -ENOMEM;
    for (uint32_t i = 0; i < n; i++) {
        struct tls_terms *terms = tls_store_terms(link->store, trunks[i]);
        if (terms)
            link->candidates[link->count++] = (struct tls_candidate){trunks[i], terms};
    }
    return link->count ? 0 : -EACCES;
}

static int tls_open(struct sip_link *link, struct sip_listener *listener, const struct sip_flow *flow,
                    bool accepted)
{
    struct sip_tls *tls = listener->transport->tls;
    struct tls_link *l = calloc(1, sizeof *l);
    if (!l)
        return -ENOMEM;
    link->tls = l;
    *l = (struct tls_link){.tls = tls,
                           .store = tls_store_hold(tls->store),
                           .listener = listener->config,
                           .remote = flow->remote,
                           .accepted = accepted};
    int err = find_candidates(l, listener->index, flow);
    if (err == -EACCES && accepted)
        say(l, "it is the peer of no trunk on this listener");
    if (!err) {
        l->ssl = SSL_new(l->candidates[0].terms->identity->ctx);
        err = l->ssl && SSL_set_fd(l->ssl, link->fd) == 1 ? 0 : -ENOMEM;
    }
    if (err) {
        tls_close(link);
        return err;
    }
    SSL_set_app_data(l->ssl, l);
    err = accepted ? begin_accepted(l, listener->index) : begin_ours(l);
    if (err)
        tls_close(link);
    return err;
}

// ---- handshake -------------------------------------------------------------------------------------------

// What became of a call of OpenSSL that did not succeed; in the log, unless it only waits or the other side has closed.
static int failed(struct sip_link *link, int result)
{
    struct tls_link *l = link->tls;
    char why[TLS_WHY];
    int err = errno, error = SSL_get_error(l->ssl, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        link->wants_write = error == SSL_ERROR_WANT_WRITE;
        return -EAGAIN;
    }
    l->broken = error == SSL_ERROR_SSL || error == SSL_ERROR_SYSCALL;
    if (l->open && error == SSL_ERROR_ZERO_RETURN)
        return 0;
    if (l->open && error == SSL_ERROR_SYSCALL && err)
        return -err; // as over TCP
    tls_words(l, error, err, why, sizeof why);
    say(l, why);
    return -EPROTO;
}

// Behind the handshake: whose it is.
static bool who_is_it(struct tls_link *l)
{
    if (SSL_session_reused(l->ssl))
        return tls_verify_still(l);
    return SSL_get0_peer_certificate(l->ssl) || tls_verify_none(l);
}

static int tls_greet(struct sip_link *link)
{
    struct tls_link *l = link->tls;
    ERR_clear_error();
    errno = 0;
    int n = SSL_do_handshake(l->ssl);
    if (n != 1)
        return failed(link, n);
    if (!who_is_it(l)) {
        say(l, l->why);
        return -EPROTO;
    }
    l->open = true;
    return 0;
}

static void tls_late(const struct sip_link *link)
{
    say(link->tls, "it is not through with its handshake in time");
}

// ---- bytes -----------------------------------------------------------------------------------------------

static ssize_t tls_recv(struct sip_link *link, void *p, size_t room)
{
    size_t n = 0;
    ERR_clear_error();
    errno = 0;
    int result = SSL_read_ex(link->tls->ssl, p, room, &n);
    return result == 1 ? (ssize_t)n : failed(link, result);
}

static ssize_t tls_send(struct sip_link *link, const void *p, size_t len)
{
    size_t n = 0;
    ERR_clear_error();
    errno = 0;
    int result = SSL_write_ex(link->tls->ssl, p, len, &n);
    if (result == 1)
        return (ssize_t)n;
    int err = failed(link, result);
    return err ? err : -EPIPE;
}

static bool tls_pending(const struct sip_link *link)
{
    return SSL_has_pending(link->tls->ssl);
}

static bool tls_vouches(const struct sip_link *link, uint32_t trunk)
{
    const struct tls_link *l = link->tls;
    for (uint32_t i = 0; l->open && i < l->count; i++)
        if (l->candidates[i].trunk == trunk)
            return true;
    return false;
}

const struct sip_link_ops sip_link_tls = {
    .open = tls_open,
    .greet = tls_greet,
    .recv = tls_recv,
    .send = tls_send,
    .pending = tls_pending,
    .vouches = tls_vouches,
    .late = tls_late,
    .close = tls_close,
};
