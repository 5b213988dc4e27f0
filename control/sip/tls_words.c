// SPDX-License-Identifier: BSD-3-Clause
// Why TLS failed, in words that an operator can act on.
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "control/sip/tls_internal.h"

void tls_words_name(const char *p, size_t len, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < len && n + 5 < size; i++) {
        if (p[i] > ' ' && p[i] <= '~')
            out[n++] = p[i];
        else
            n += (size_t)snprintf(out + n, size - n, "\\x%02x", (unsigned char)p[i]);
        if (n + 5 >= size && i + 1 < len) {
            // what is too long for a line is no less wrong
            memcpy(out + n - 3, "...", 3);
            break;
        }
    }
    out[n] = '\0';
}

static void print_time(const ASN1_TIME *time, char out[static 20])
{
    struct tm tm;
    if (ASN1_TIME_to_tm(time, &tm) != 1 || !strftime(out, 20, "%Y-%m-%d %H:%M:%S", &tm))
        snprintf(out, 20, "an unknown time");
}

void tls_words_chain(int error, X509 *at, const char *ca, char *out, size_t size)
{
    char subject[TLS_NAME_TEXT], issuer[TLS_NAME_TEXT], time[20];
    const char *from = ca && *ca ? ca : "the system's CAs";
    X509_NAME_oneline(X509_get_subject_name(at), subject, sizeof subject);
    X509_NAME_oneline(X509_get_issuer_name(at), issuer, sizeof issuer);
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        print_time(X509_get0_notAfter(at), time);
        snprintf(out, size, "certificate %s expired on %s UTC", subject, time);
        break;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        print_time(X509_get0_notBefore(at), time);
        snprintf(out, size, "certificate %s is valid from %s UTC only", subject, time);
        break;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        snprintf(out, size, "certificate %s is from %s, which is not among %s", subject, issuer, from);
        break;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        snprintf(out, size, "certificate %s is signed by itself and is not among %s", subject, from);
        break;
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        snprintf(out, size, "its CA %s is not among %s", subject, from);
        break;
    case X509_V_ERR_INVALID_PURPOSE:
        snprintf(out, size, "certificate %s is for neither servers nor clients", subject);
        break;
    default:
        snprintf(out, size, "certificate %s: %s", subject, X509_verify_cert_error_string(error));
    }
}

// What the other side means by its alert.
static void words_alert(int alert, char *out, size_t size)
{
    const char *hint = "";
    switch (alert) {
    case SSL_AD_UNKNOWN_CA:
        hint = ": it does not know the CA of our certificate";
        break;
    case SSL_AD_CERTIFICATE_EXPIRED:
        hint = ": it says that our certificate has expired";
        break;
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_ACCESS_DENIED:
        hint = ": it does not take our certificate";
        break;
    case SSL_AD_PROTOCOL_VERSION:
        hint = ": it speaks none of our versions of TLS";
        break;
    case SSL_AD_HANDSHAKE_FAILURE:
    case SSL_AD_INSUFFICIENT_SECURITY:
        hint = ": it has no cipher in common with us, or wants another certificate of us";
        break;
    case SSL_AD_UNRECOGNIZED_NAME:
        hint = ": it does not go by the name that we asked for";
        break;
    default:
        break;
    }
    snprintf(out, size, "it ended TLS with the alert \"%s\"%s", SSL_alert_desc_string_long(alert), hint);
}

static void words_reason(const struct tls_link *link, int reason, const char *text, char *out, size_t size)
{
    switch (reason) {
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_VERSION_TOO_LOW:
    case SSL_R_WRONG_SSL_VERSION:
        snprintf(out, size, "it speaks no version of TLS that is taken here, which are %s",
                 SSL_get_min_proto_version(link->ssl) == TLS1_3_VERSION ? "1.3" : "1.2 and 1.3");
        break;
    case SSL_R_NO_SHARED_CIPHER:
        snprintf(out, size, "it has no cipher in common with us (tls.ciphers)");
        break;
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_UNEXPECTED_MESSAGE:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
        snprintf(out, size, "what it sends is no TLS; plain SIP perhaps");
        break;
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
        snprintf(out, size, "it showed no certificate");
        break;
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
        snprintf(out, size, "it closed the connection in the handshake");
        break;
    default:
        snprintf(out, size, "%s", text ? text : "unknown error");
    }
}

void tls_words(const struct tls_link *link, int ssl_error, int sys_error, char *out, size_t size)
{
    unsigned long e = ERR_peek_last_error();
    int reason = ERR_GET_REASON(e);
    if (link->why[0]) {
        snprintf(out, size, "%s", link->why);
    } else if (ssl_error == SSL_ERROR_ZERO_RETURN || (ssl_error == SSL_ERROR_SYSCALL && !sys_error && !e)) {
        snprintf(out, size, "it closed the connection%s", link->open ? "" : " in the handshake");
    } else if (ssl_error == SSL_ERROR_SYSCALL && !e) {
        snprintf(out, size, "%s%s", strerror(sys_error), link->open ? "" : " in the handshake");
    } else if (ERR_GET_LIB(e) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET &&
               reason < SSL_AD_REASON_OFFSET + 256) {
        words_alert(reason - SSL_AD_REASON_OFFSET, out, size);
    } else {
        words_reason(link, ERR_GET_LIB(e) == ERR_LIB_SSL ? reason : -1, ERR_reason_error_string(e), out,
                     size);
    }
    ERR_clear_error();
}
