// SPDX-License-Identifier: BSD-3-Clause
// Credentials and registrations of a trunk: what no single option shows.
#include <ctype.h>
#include <string.h>

#include "common/config/parse.h"

// Both stand between quotes in what we send.
static void check_quotable(struct config_parser *p, uint32_t node, const char *key, const char *value)
{
    if (strpbrk(value, "\"\\"))
        config_complain(p, node, key, "has a quote or a backslash; expected a text without them");
}

// user of RFC 3261 25.1 as it stands in a URI, without escapes.
static void check_user(struct config_parser *p, uint32_t node, const char *key, const char *value)
{
    for (const char *s = value; *s; s++)
        if (!isalnum((unsigned char)*s) && !strchr("-_.!~*'()&=+$,;?/", *s)) {
            config_complain(
                p, node, key,
                "\"%c\" cannot stand in the user part of a SIP URI; expected letters, digits and -_.!~*'()&=+$,;?/",
                *s);
            return;
        }
}

static bool same(const struct tl_credentials_config *a, const struct tl_credentials_config *b)
{
    return a->realm[0] && strcmp(a->realm, b->realm) == 0 && strcmp(a->user, b->user) == 0;
}

static void check_credentials(struct config_parser *p, const struct tl_trunk_config *t, uint32_t list)
{
    for (uint32_t i = 0; i < t->credentials_count; i++) {
        const struct tl_credentials_config *c = &t->credentials[i];
        uint32_t node = scan_item(&p->scan, list, i);
        check_quotable(p, node, "realm", c->realm);
        check_quotable(p, node, "user", c->user);
        for (uint32_t k = 0; k < i; k++)
            if (same(c, &t->credentials[k])) {
                config_complain(
                    p, node, "user",
                    "\"%s\" has credentials for the realm \"%s\" already; expected another user or realm",
                    c->user, c->realm);
                break;
            }
    }
}

static bool has_login(const struct tl_trunk_config *t, const char *user)
{
    for (uint32_t i = 0; i < t->credentials_count; i++)
        if (strcmp(t->credentials[i].user, user) == 0)
            return true;
    return false;
}

static const char *contact_user(const struct tl_registration_config *r)
{
    return r->contact_user[0] ? r->contact_user : r->user;
}

static void check_registrations(struct config_parser *p, const struct tl_trunk_config *t, uint32_t list)
{
    for (uint32_t i = 0; i < t->registration_count; i++) {
        const struct tl_registration_config *r = &t->registrations[i];
        uint32_t node = scan_item(&p->scan, list, i);
        check_user(p, node, "user", r->user);
        check_user(p, node, "contact_user", r->contact_user);
        if (r->login[0] && !has_login(t, r->login))
            config_complain(p, node, "login",
                            "no credentials of the trunk have the user \"%s\"; expected one of theirs",
                            r->login);
        for (uint32_t k = 0; k < i; k++) {
            const struct tl_registration_config *other = &t->registrations[k];
            if (r->user[0] && strcmp(r->user, other->user) == 0 && strcmp(r->domain, other->domain) == 0 &&
                strcmp(contact_user(r), contact_user(other)) == 0) {
                config_complain(
                    p, node, "user",
                    "is registered with this contact already; expected another user or contact_user");
                break;
            }
        }
    }
}

void config_check_logins(struct config_parser *p, uint32_t trunk, uint32_t node)
{
    const struct tl_trunk_config *t = &p->root->config.trunks[trunk];
    check_credentials(p, t, scan_find(&p->scan, node, "credentials"));
    check_registrations(p, t, scan_find(&p->scan, node, "register"));
    if (t->register_retry_max_s < t->register_retry_s)
        config_complain(p, node, "register_retry_max_s",
                        "%u is less than register_retry_s, %u; expected at least that",
                        t->register_retry_max_s, t->register_retry_s);
}
