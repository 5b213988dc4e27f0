// SPDX-License-Identifier: BSD-3-Clause
#include "control/sip/certname.h"

#include <string.h>
#include <strings.h>

enum { HOST_LEN_MAX = 253, LABEL_LEN_MAX = 63 }; // RFC 1035 2.3.4

static bool is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

// Labels of letters, digits, '-' and '_', a dot between them. *labels says how many.
static bool is_host(const char *p, size_t len, unsigned *labels)
{
    size_t label = 0;
    if (!len || len > HOST_LEN_MAX)
        return false;
    *labels = 1;
    for (size_t i = 0; i < len; i++) {
        if (p[i] != '.') {
            if ((!is_word(p[i]) && p[i] != '-' && p[i] != '_') || ++label > LABEL_LEN_MAX)
                return false;
            continue;
        }
        if (!label)
            return false;
        label = 0;
        ++*labels;
    }
    return label > 0;
}

static bool same(const char *p, size_t len, const char *host)
{
    return strlen(host) == len && strncasecmp(p, host, len) == 0;
}

static bool dns_fits(const char *p, size_t len, const char *host)
{
    unsigned labels;
    if (len && p[len - 1] == '.') // the root, written out
        len--;
    if (len < 3 || p[0] != '*' || p[1] != '.')
        return is_host(p, len, &labels) && same(p, len, host);
    const char *rest = strchr(host, '.');
    return is_host(p + 2, len - 2, &labels) && labels >= 2 && rest && rest > host &&
           same(p + 2, len - 2, rest + 1);
}

static bool is_sip_uri(const struct cert_name *name)
{
    return name->kind == CERT_URI && name->len > 4 && strncasecmp(name->p, "sip:", 4) == 0;
}

bool cert_name_fits(const struct cert_name *name, const char *host)
{
    unsigned labels;
    if (!is_host(host, strlen(host), &labels))
        return false;
    if (name->kind != CERT_URI)
        return dns_fits(name->p, name->len, host);
    return is_sip_uri(name) && is_host(name->p + 4, name->len - 4, &labels) &&
           same(name->p + 4, name->len - 4, host);
}

bool cert_names_fit(const struct cert_name *names, size_t count, const char *host)
{
    bool sip = false, alternative = false;
    for (size_t i = 0; i < count; i++) {
        // with a user it is a person's and no host's (7.1)
        sip = sip || (is_sip_uri(&names[i]) && !memchr(names[i].p, '@', names[i].len));
        alternative = alternative || names[i].kind != CERT_CN;
    }
    for (size_t i = 0; i < count; i++) {
        bool counts = names[i].kind == CERT_URI ? sip : names[i].kind == CERT_DNS ? !sip : !alternative;
        if (counts && cert_name_fits(&names[i], host))
            return true;
    }
    return false;
}
