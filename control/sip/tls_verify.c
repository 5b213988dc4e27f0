// SPDX-License-Identifier: BSD-3-Clause
// Whether the other side is who it has to be: its certificate against CAs and names of the trunks whose peer it may be.
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "control/sip/certname.h"
#include "control/sip/tls_internal.h"

enum { NAMES_MAX = 256, DEPTH_MAX = 8 };

// ---- names -----------------------------------------------------------------------------------------------

struct names {
    struct cert_name name[NAMES_MAX];
    size_t count;
    GENERAL_NAMES *alternative; // owns the bytes
    bool broken;
};

static void add_name(struct names *n, enum cert_name_kind kind, const ASN1_STRING *value)
{
    if (n->count < NAMES_MAX && ASN1_STRING_length(value) > 0)
        n->name[n->count++] = (struct cert_name){kind, (const char *)ASN1_STRING_get0_data(value),
                                                 (size_t)ASN1_STRING_length(value)};
}

static void read_names(X509 *certificate, struct names *n)
{
    int critical = 0;
    n->count = 0;
    n->alternative = X509_get_ext_d2i(certificate, NID_subject_alt_name, &critical, NULL);
    // there, and not readable or twice: its CN is not asked instead
    n->broken = !n->alternative && critical != -1;
    for (int i = 0; i < sk_GENERAL_NAME_num(n->alternative); i++) {
        const GENERAL_NAME *g = sk_GENERAL_NAME_value(n->alternative, i);
        if (g->type == GEN_DNS)
            add_name(n, CERT_DNS, g->d.dNSName);
        else if (g->type == GEN_URI)
            add_name(n, CERT_URI, g->d.uniformResourceIdentifier);
    }
    X509_NAME *subject = X509_get_subject_name(certificate);
    for (int at = -1; !n->broken && (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;)
        add_name(n, CERT_CN, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
}

// "a.example.com, b.example.com ...", as many as fit.
static void list_names(const struct names *n, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < n->count; i++) {
        char one[80];
        tls_words_name(n->name[i].p, n->name[i].len, one, sizeof one);
        if (used + strlen(one) + sizeof ",  ..." > size) {
            snprintf(out + used, size - used, " ...");
            return;
        }
        used += (size_t)snprintf(out + used, size - used, "%s%s", used ? ", " : "", one);
    }
}

static bool names_fit(const struct names *names, const struct tl_tls_config *t, char *why, size_t size)
{
    bool fit = false;
    for (uint32_t i = 0; !fit && i < t->name_count; i++)
        fit = cert_names_fit(names->name, names->count, t->names[i]);
    if (!fit) {
        char list[160];
        list_names(names, list, sizeof list);
        snprintf(why, size, "its certificate is for %s and not for %s%s", names->count ? list : "no name",
                 t->name_count ? t->names[0] : "any", t->name_count > 1 ? " or another of tls.names" : "");
    }
    return fit;
}

// ---- the cipher ------------------------------------------------------------------------------------------

// Whether the trunk has the cipher that was chosen before anybody knew whose connection it is. Those of TLS 1.3 are
// everybody's.
static bool cipher_fits(const SSL *ssl, const struct tls_terms *terms, char *why, size_t size)
{
    const SSL_CIPHER *chosen = SSL_get_pending_cipher(ssl);
    if (!chosen)
        chosen = SSL_get_current_cipher(ssl);
    if (!chosen || SSL_version(ssl) >= TLS1_3_VERSION)
        return true;
    const STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(terms->identity->ctx);
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++)
        if (SSL_CIPHER_get_id(sk_SSL_CIPHER_value(ciphers, i)) == SSL_CIPHER_get_id(chosen))
            return true;
    snprintf(why, size, "trunk %s does not have its cipher %s", terms->trunk, SSL_CIPHER_get_name(chosen));
    return false;
}

// ---- the chain -------------------------------------------------------------------------------------------

// A certificate for servers or clients or SIP domains (RFC 5924), or for anything. Which of both roles it has does not
// matter: in SIP a peer has both, and public CAs give certificates for servers only.
static bool use_fits(X509 *leaf)
{
    bool fits = false;
    EXTENDED_KEY_USAGE *uses = X509_get_ext_d2i(leaf, NID_ext_key_usage, NULL, NULL);
    if (!uses)
        return true;
    ASN1_OBJECT *sip = OBJ_txt2obj("1.3.6.1.5.5.7.3.20", 1);
    for (int i = 0; i < sk_ASN1_OBJECT_num(uses); i++) {
        const ASN1_OBJECT *use = sk_ASN1_OBJECT_value(uses, i);
        int nid = OBJ_obj2nid(use);
        fits = fits || nid == NID_server_auth || nid == NID_client_auth || nid == NID_anyExtendedKeyUsage ||
               (sip && OBJ_cmp(use, sip) == 0);
    }
    ASN1_OBJECT_free(sip);
    EXTENDED_KEY_USAGE_free(uses);
    return fits;
}

// Returns X509_V_OK or what is wrong, in words too. Keys and signatures in the chain are as strong as `level`, OpenSSL's
// security level, wants them.
static int check_chain(X509 *leaf, STACK_OF(X509) * others, const struct tls_trust *trust, int level,
                       char *why, size_t size)
{
    X509_STORE_CTX *check = X509_STORE_CTX_new();
    int error = X509_V_ERR_OUT_OF_MEM;
    snprintf(why, size, "no memory to look at its certificate");
    if (check && X509_STORE_CTX_init(check, trust->store, leaf, others) == 1) {
        X509_STORE_CTX_set_purpose(check, X509_PURPOSE_ANY);
        X509_STORE_CTX_set_depth(check, DEPTH_MAX);
        // a context of our own does not know the connection's
        X509_VERIFY_PARAM_set_auth_level(X509_STORE_CTX_get0_param(check), level);
        error = X509_verify_cert(check) == 1 ? X509_V_OK : X509_STORE_CTX_get_error(check);
        if (error == X509_V_OK && !use_fits(leaf))
            error = X509_V_ERR_INVALID_PURPOSE;
        if (error != X509_V_OK) {
            X509 *at = X509_STORE_CTX_get_current_cert(check);
            tls_words_chain(error, at ? at : leaf, trust->file.path, why, size);
        }
    }
    X509_STORE_CTX_free(check);
    return error;
}

// What a certificate is looked at for.
struct look {
    SSL *ssl;
    X509 *leaf;
    STACK_OF(X509) * others;
    struct names names;
    const struct tls_trust *checked; // whose CAs its chain was looked at with ...
    int chain;                       // ... and what came of it
};

// Whether it is one of that trunk's peer: X509_V_OK, or what is wrong, in words too.
static int is_of(struct look *look, const struct tls_terms *terms, char *why, size_t size)
{
    int error = X509_V_OK;
    if (terms->config.verify == TL_TLS_VERIFY_REQUIRED) {
        if (terms->trust != look->checked)
            look->chain = check_chain(look->leaf, look->others, terms->trust,
                                      SSL_get_security_level(look->ssl), why, size);
        look->checked = terms->trust;
        error = look->chain;
        if (error == X509_V_OK && !names_fit(&look->names, &terms->config, why, size))
            error = X509_V_ERR_HOSTNAME_MISMATCH;
    }
    if (error == X509_V_OK && !cipher_fits(look->ssl, terms, why, size))
        error = X509_V_ERR_APPLICATION_VERIFICATION;
    return error;
}

// How close it came.
static int closeness(int error)
{
    return error == X509_V_ERR_APPLICATION_VERIFICATION ? 3 : error == X509_V_ERR_HOSTNAME_MISMATCH ? 2 : 1;
}

int tls_verify(X509_STORE_CTX *presented, void *arg)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(presented, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls_link *link = tls_link_of(ssl);
    struct look look = {.ssl = ssl,
                        .leaf = X509_STORE_CTX_get0_cert(presented),
                        .others = X509_STORE_CTX_get0_untrusted(presented)};
    int result = X509_V_ERR_UNSPECIFIED, closest = 0;
    char why[TLS_WHY] = "";
    uint32_t good = 0;
    (void)arg;
    read_names(look.leaf, &look.names);
    for (uint32_t i = 0; i < link->count; i++) {
        int error = is_of(&look, link->candidates[i].terms, why, sizeof why);
        if (error == X509_V_OK) {
            link->candidates[good++] = link->candidates[i];
        } else if (closeness(error) > closest) {
            // of several trunks the one that it came closest to tells why
            snprintf(link->why, sizeof link->why, "%s", why);
            result = error;
            closest = closeness(error);
        }
    }
    GENERAL_NAMES_free(look.names.alternative);
    if (!good) {
        X509_STORE_CTX_set_error(presented, result);
        return 0;
    }
    link->count = good;
    link->why[0] = '\0';
    ERR_clear_error(); // of the trunks that it is not the peer of
    X509_STORE_CTX_set_error(presented, X509_V_OK);
    return 1;
}

bool tls_verify_none(struct tls_link *link)
{
    uint32_t good = 0;
    for (uint32_t i = 0; i < link->count; i++)
        if (link->candidates[i].terms->config.verify == TL_TLS_VERIFY_OFF &&
            cipher_fits(link->ssl, link->candidates[i].terms, link->why, sizeof link->why))
            link->candidates[good++] = link->candidates[i];
    link->count = good;
    if (!good && !link->why[0])
        snprintf(link->why, sizeof link->why, "it showed no certificate");
    return good > 0;
}

bool tls_verify_still(struct tls_link *link)
{
    X509 *leaf = SSL_get0_peer_certificate(link->ssl);
    if (!leaf)
        return tls_verify_none(link);
    if (link->candidates[0].terms->config.verify == TL_TLS_VERIFY_OFF ||
        X509_cmp_current_time(X509_get0_notAfter(leaf)) > 0)
        return true;
    tls_words_chain(X509_V_ERR_CERT_HAS_EXPIRED, leaf, "", link->why, sizeof link->why);
    return false;
}
