// SPDX-License-Identifier: BSD-3-Clause
#include "control/sip/tls_show.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "common/addr.h"
#include "control/base/text.h"
#include "control/sip/tls_store.h"

static time_t when(const ASN1_TIME *time)
{
    struct tm tm;
    return ASN1_TIME_to_tm(time, &tm) == 1 ? timegm(&tm) : 0;
}

static void show_name(const X509_NAME *name, char out[static SIP_CERTIFICATE_TEXT])
{
    char *text = X509_NAME_oneline(name, NULL, 0);
    text_escape(text ? text : "", text ? strlen(text) : 0, out, SIP_CERTIFICATE_TEXT);
    OPENSSL_free(text);
}

// One name as text, its bytes made harmless. False: of a kind that is nothing to us.
static bool name_text(const GENERAL_NAME *g, char *out, size_t size)
{
    const ASN1_STRING *value = NULL;
    const char *kind = g->type == GEN_DNS ? "DNS:" : g->type == GEN_URI ? "URI:" : "email:";
    if (g->type == GEN_IPADD) {
        int len = ASN1_STRING_length(g->d.iPAddress);
        struct tl_addr addr = {.family = len == 4 ? TL_AF_INET : TL_AF_INET6};
        if (len != 4 && len != 16)
            return false;
        memcpy(addr.ip, ASN1_STRING_get0_data(g->d.iPAddress), (size_t)len);
        snprintf(out, size, "IP:%s", tl_addr_print_ip(&addr, (char[TL_ADDR_TEXT]){""}));
        return true;
    }
    if (g->type == GEN_DNS || g->type == GEN_URI || g->type == GEN_EMAIL)
        value = g->d.ia5;
    if (!value || ASN1_STRING_length(value) <= 0)
        return false;
    size_t used = (size_t)snprintf(out, size, "%s", kind);
    text_escape((const char *)ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value), out + used,
                size - used);
    return true;
}

// As many as fit; " ..." behind them where there are more.
static void show_names(X509 *certificate, char out[static SIP_CERTIFICATE_TEXT])
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    size_t used = 0;
    out[0] = '\0';
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        char one[160];
        if (!name_text(sk_GENERAL_NAME_value(names, i), one, sizeof one))
            continue;
        if (used + strlen(one) + sizeof ",  ..." > SIP_CERTIFICATE_TEXT) {
            snprintf(out + used, SIP_CERTIFICATE_TEXT - used, " ...");
            break;
        }
        used += (size_t)snprintf(out + used, SIP_CERTIFICATE_TEXT - used, "%s%s", used ? ", " : "", one);
    }
    GENERAL_NAMES_free(names);
}

static void show_x509(X509 *certificate, struct sip_certificate *c)
{
    show_name(X509_get_subject_name(certificate), c->subject);
    show_name(X509_get_issuer_name(certificate), c->issuer);
    show_names(certificate, c->names);
    c->not_before = when(X509_get0_notBefore(certificate));
    c->not_after = when(X509_get0_notAfter(certificate));
}

static void show_identity(const struct tls_identity *id, struct sip_certificate *c)
{
    STACK_OF(X509) *chain = NULL;
    time_t first = 0;
    c->file = id->certificate.path;
    show_x509(SSL_CTX_get0_certificate(id->ctx), c);
    SSL_CTX_get0_chain_certs(id->ctx, &chain);
    for (int i = 0; i < sk_X509_num(chain); i++) {
        time_t end = when(X509_get0_notAfter(sk_X509_value(chain, i)));
        if (end < c->not_after && (!first || end < first)) {
            first = c->ends_first_at = end;
            show_name(X509_get_subject_name(sk_X509_value(chain, i)), c->ends_first);
        }
    }
}

// The CA that ends first stands for its file.
static void show_trust(const struct tls_trust *trust, struct sip_certificate *c)
{
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(trust->store);
    time_t first = 0;
    c->ca = true;
    c->file = trust->file.path;
    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        X509 *ca = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
        time_t end = ca ? when(X509_get0_notAfter(ca)) : 0;
        if (ca && (!first || end < first)) {
            first = end;
            show_x509(ca, c);
        }
    }
}

const char *sip_certificate_state(const struct sip_certificate *c, time_t now)
{
    time_t end = sip_certificate_end(c);
    return !end                                  ? "unknown"
           : end <= now                          ? "expired"
           : c->not_before > now                 ? "not yet valid"
           : end - now <= SIP_CERTIFICATE_WARN_S ? "ends soon"
                                                 : "ok";
}

void tls_store_show(const struct tls_store *store, const struct tl_config *config, sip_certificate_fn *fn,
                    void *arg)
{
    for (uint32_t i = 0; i < config->listener_count && i < store->listener_count; i++)
        if (store->listeners[i]) {
            struct sip_certificate c = {.listener = config->listeners[i].name};
            show_identity(store->listeners[i], &c);
            fn(arg, &c);
        }
    for (uint32_t i = 0; i < config->trunk_count; i++) {
        const struct tls_terms *terms = tls_store_terms(store, config->trunks[i].number);
        struct sip_certificate own = {.trunk = config->trunks[i].name}, ca = own;
        if (!terms)
            continue;
        show_identity(terms->identity, &own);
        fn(arg, &own);
        if (!terms->trust->file.path[0])
            continue;
        show_trust(terms->trust, &ca);
        fn(arg, &ca);
    }
}
