// SPDX-License-Identifier: BSD-3-Clause
#include "control/sip/tls_store.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// The rest of TLS 1.2 has no forward secrecy or is older than authenticated encryption.
static const char default_ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20";

// ---- files -------------------------------------------------------------------------------------------

static bool note_file(struct tls_file *file, const char *path)
{
    struct stat st;
    snprintf(file->path, sizeof file->path, "%s", path);
    if (stat(path, &st) != 0)
        return false;
    file->changed = st.st_mtim;
    file->size = st.st_size;
    file->inode = st.st_ino;
    return true;
}

static bool file_changed(const struct tls_file *file)
{
    struct stat st;
    return file->path[0] && stat(file->path, &st) == 0 &&
           (st.st_mtim.tv_sec != file->changed.tv_sec || st.st_mtim.tv_nsec != file->changed.tv_nsec ||
            st.st_size != file->size || st.st_ino != file->inode);
}

bool tls_store_changed(const struct tls_store *store)
{
    for (uint32_t i = 0; i < store->identity_count; i++)
        if (file_changed(&store->identities[i].certificate) || file_changed(&store->identities[i].key))
            return true;
    for (uint32_t i = 0; i < store->trust_count; i++)
        if (file_changed(&store->trusts[i].file))
            return true;
    return false;
}

// One of OpenSSL's errors as a sentence, or NULL: another one may say more.
static const char *file_error(unsigned long e)
{
    if (ERR_SYSTEM_ERROR(e))
        return strerror(ERR_GET_REASON(e));
    if ((ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE) ||
        ERR_GET_REASON(e) == ERR_R_UNSUPPORTED)
        return "there is nothing of that kind in it, in PEM";
    if (ERR_GET_LIB(e) == ERR_LIB_PEM && (ERR_GET_REASON(e) == PEM_R_BAD_PASSWORD_READ ||
                                          ERR_GET_REASON(e) == PEM_R_PROBLEMS_GETTING_PASSWORD))
        return "it needs a password; give a key without one";
    if (ERR_GET_LIB(e) == ERR_LIB_X509 &&
        (ERR_GET_REASON(e) == X509_R_KEY_VALUES_MISMATCH || ERR_GET_REASON(e) == X509_R_KEY_TYPE_MISMATCH))
        return "it is not the key of the certificate";
    return NULL;
}

// What OpenSSL has against a file, in words. Empties its queue of errors.
static int refuse_file(const char *what, const char *path, char *why, size_t size)
{
    const char *text = NULL, *other = NULL;
    int err = -EINVAL;
    for (unsigned long e; (e = ERR_get_error());) {
        if (ERR_SYSTEM_ERROR(e))
            err = -ERR_GET_REASON(e);
        text = text ? text : file_error(e);
        other = other ? other : ERR_reason_error_string(e);
    }
    snprintf(why, size, "%s %s: %s", what, path, text ? text : other ? other : "it cannot be read");
    return err;
}

// ---- certificates --------------------------------------------------------------------------------------

static time_t when(const ASN1_TIME *time)
{
    struct tm tm;
    return ASN1_TIME_to_tm(time, &tm) == 1 ? timegm(&tm) : 0;
}

static void name_of(X509 *certificate, char out[static TLS_NAME_TEXT])
{
    char *text = X509_NAME_oneline(X509_get_subject_name(certificate), NULL, 0);
    snprintf(out, TLS_NAME_TEXT, "%s", text && *text ? text : "no name");
    OPENSSL_free(text);
}

// Keeps what ends first.
static void note_end(X509 *certificate, char subject[static TLS_NAME_TEXT], time_t *not_after)
{
    time_t end = when(X509_get0_notAfter(certificate));
    if (*not_after && *not_after <= end)
        return;
    *not_after = end;
    name_of(certificate, subject);
}

// No terminal is asked: a daemon has none.
static int no_password(char *out, int size, int writing, void *arg)
{
    (void)out;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}

static int set_versions_and_ciphers(struct tls_identity *id, const char *ciphers, char *why, size_t size)
{
    SSL_CTX_set_min_proto_version(id->ctx, id->min_version == TL_TLS_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
    SSL_CTX_set_options(id->ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(id->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    // else one read goes on as long as a peer sends tickets and new keys, and the loop stands
    SSL_CTX_clear_mode(id->ctx, SSL_MODE_AUTO_RETRY);
    if (SSL_CTX_set_cipher_list(id->ctx, ciphers[0] ? ciphers : default_ciphers) == 1)
        return 0;
    ERR_clear_error();
    snprintf(why, size,
             "tls.ciphers \"%s\": OpenSSL knows no cipher of TLS 1.2 by that; see \"openssl ciphers\"",
             ciphers);
    return -EINVAL;
}

static int load_identity(struct tls_identity *id, const char *ciphers, void (*setup)(SSL_CTX *ctx), char *why,
                         size_t size)
{
    const char *certificate = id->certificate.path, *key = id->key.path;
    id->ctx = SSL_CTX_new(TLS_method());
    if (!id->ctx) {
        snprintf(why, size, "no memory for TLS");
        return -ENOMEM;
    }
    SSL_CTX_set_default_passwd_cb(id->ctx, no_password);
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(id->ctx, certificate) != 1)
        return refuse_file("certificate", certificate, why, size);
    if (SSL_CTX_use_PrivateKey_file(id->ctx, key, SSL_FILETYPE_PEM) != 1)
        return refuse_file("key", key, why, size);
    STACK_OF(X509) *chain = NULL;
    X509 *own = SSL_CTX_get0_certificate(id->ctx);
    note_end(own, id->subject, &id->not_after);
    SSL_CTX_get0_chain_certs(id->ctx, &chain);
    for (int i = 0; i < sk_X509_num(chain); i++)
        note_end(sk_X509_value(chain, i), id->subject, &id->not_after);
    int err = set_versions_and_ciphers(id, ciphers, why, size);
    if (!err)
        setup(id->ctx);
    return err;
}

static int load_trust(struct tls_trust *trust, char *why, size_t size)
{
    const char *path = trust->file.path;
    trust->store = X509_STORE_new();
    if (!trust->store) {
        snprintf(why, size, "no memory for TLS");
        return -ENOMEM;
    }
    // who is in the file is believed, if it is no root or no CA at all: a gateway's own certificate, for one
    X509_STORE_set_flags(trust->store, X509_V_FLAG_PARTIAL_CHAIN);
    ERR_clear_error();
    if (!path[0]) {
        X509_STORE_set_default_paths(trust->store);
        ERR_clear_error();
        return 0;
    }
    if (X509_STORE_load_file(trust->store, path) != 1)
        return refuse_file("CA file", path, why, size);
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(trust->store);
    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        X509 *ca = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
        if (ca)
            note_end(ca, trust->subject, &trust->not_after);
    }
    return 0;
}

// ---- who shares what -------------------------------------------------------------------------------------

// The identity of these terms, an earlier one where it is the same.
static int find_identity(struct tls_store *s, const struct tl_tls_config *own,
                         const struct tl_tls_config *listener, void (*setup)(SSL_CTX *ctx),
                         const struct tls_identity **out, char *why, size_t size)
{
    const struct tl_tls_config *from = own->certificate[0] ? own : listener;
    const char *key = from->key[0] ? from->key : from->certificate;
    const char *ciphers = own->ciphers[0] ? own->ciphers : listener->ciphers;
    for (uint32_t i = 0; i < s->identity_count; i++) {
        const struct tls_identity *id = &s->identities[i];
        if (strcmp(id->certificate.path, from->certificate) == 0 && strcmp(id->key.path, key) == 0 &&
            strcmp(id->ciphers, ciphers) == 0 && id->min_version == listener->min_version) {
            *out = id;
            return 0;
        }
    }
    struct tls_identity *id = &s->identities[s->identity_count++];
    id->min_version = listener->min_version;
    snprintf(id->ciphers, sizeof id->ciphers, "%s", ciphers);
    // the files are noted before they are read: what changes meanwhile is read again
    note_file(&id->certificate, from->certificate);
    note_file(&id->key, key);
    *out = id;
    return load_identity(id, ciphers, setup, why, size);
}

static int find_trust(struct tls_store *s, const char *path, const struct tls_trust **out, char *why,
                      size_t size)
{
    for (uint32_t i = 0; i < s->trust_count; i++)
        if (strcmp(s->trusts[i].file.path, path) == 0) {
            *out = &s->trusts[i];
            return 0;
        }
    struct tls_trust *trust = &s->trusts[s->trust_count++];
    if (path[0])
        note_file(&trust->file, path);
    *out = trust;
    return load_trust(trust, why, size);
}

static int load_trunk(struct tls_store *s, const struct tl_config *config, const struct tl_trunk_config *t,
                      void (*setup)(SSL_CTX *ctx), char *why, size_t size)
{
    const struct tl_tls_config *listener = &config->listeners[tl_trunk_tls_listener(config, t)].tls;
    struct tls_terms *terms = calloc(1, sizeof *terms);
    char text[400];
    if (!terms) {
        snprintf(why, size, "no memory for TLS");
        return -ENOMEM;
    }
    s->terms[t->number - 1] = terms;
    memcpy(terms->trunk, t->name, sizeof terms->trunk);
    memcpy(terms->domain, t->domain, sizeof terms->domain);
    terms->config = t->tls;
    int err = find_identity(s, &t->tls, listener, setup, &terms->identity, text, sizeof text);
    if (!err)
        err = find_trust(s, t->tls.ca[0] ? t->tls.ca : listener->ca, &terms->trust, text, sizeof text);
    if (err)
        snprintf(why, size, "trunk %s: %s", t->name, text);
    return err;
}

static int load_listener(struct tls_store *s, const struct tl_config *config, uint32_t i,
                         void (*setup)(SSL_CTX *ctx), char *why, size_t size)
{
    const struct tl_listener_config *l = &config->listeners[i];
    char text[400];
    int err = find_identity(s, &l->tls, &l->tls, setup, &s->listeners[i], text, sizeof text);
    if (err)
        snprintf(why, size, "listener %s: %s", l->name, text);
    return err;
}

static struct tls_store *make_store(const struct tl_config *config)
{
    static uint32_t generations;
    uint32_t most = config->listener_count + config->trunk_count;
    struct tls_store *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->users = 1;
    s->generation = ++generations;
    for (uint32_t i = 0; i < config->trunk_count; i++)
        if (config->trunks[i].number > s->terms_count)
            s->terms_count = config->trunks[i].number;
    s->identities = calloc(most + 1, sizeof *s->identities);
    s->trusts = calloc(config->trunk_count + 1, sizeof *s->trusts);
    s->terms = calloc(s->terms_count + 1, sizeof(struct tls_terms *));
    s->listeners = calloc(config->listener_count + 1, sizeof(struct tls_identity *));
    s->listener_count = config->listener_count;
    if (s->identities && s->trusts && s->terms && s->listeners)
        return s;
    tls_store_release(s);
    return NULL;
}

int tls_store_load(const struct tl_config *config, void (*setup)(SSL_CTX *ctx), struct tls_store **out,
                   char *why, size_t size)
{
    struct tls_store *s = make_store(config);
    int err = s ? 0 : -ENOMEM;
    if (err)
        snprintf(why, size, "no memory for TLS");
    for (uint32_t i = 0; !err && i < config->listener_count; i++)
        if (tl_transport_row(config->listeners[i].transport)->secure)
            err = load_listener(s, config, i, setup, why, size);
    for (uint32_t i = 0; !err && i < config->trunk_count; i++)
        if (tl_trunk_tls_listener(config, &config->trunks[i]) != TL_NO_INDEX)
            err = load_trunk(s, config, &config->trunks[i], setup, why, size);
    if (err) {
        tls_store_release(s);
        return err;
    }
    *out = s;
    return 0;
}

struct tls_terms *tls_store_terms(const struct tls_store *store, uint32_t trunk)
{
    return trunk && trunk <= store->terms_count ? store->terms[trunk - 1] : NULL;
}

struct tls_store *tls_store_hold(struct tls_store *store)
{
    store->users++;
    return store;
}

void tls_store_release(struct tls_store *store)
{
    if (!store || --store->users)
        return;
    for (uint32_t i = 0; store->terms && i < store->terms_count; i++) {
        if (store->terms[i])
            SSL_SESSION_free(store->terms[i]->session);
        free(store->terms[i]);
    }
    for (uint32_t i = 0; store->identities && i < store->identity_count; i++)
        SSL_CTX_free(store->identities[i].ctx);
    for (uint32_t i = 0; store->trusts && i < store->trust_count; i++)
        X509_STORE_free(store->trusts[i].store);
    free(store->identities);
    free(store->trusts);
    free(store->listeners);
    free(store->terms);
    free(store);
}
