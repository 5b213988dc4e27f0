// SPDX-License-Identifier: BSD-3-Clause
// Who we are to each trunk: the passwords of the configuration, read from their files, and what is done when a request of
// ours is challenged.
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control/agent/agent_internal.h"
#include "control/base/secret.h"

// ---- reading ------------------------------------------------------------------------------------------

// Adds one of the credentials. Of two for a realm the first counts.
static int add_login(struct sip_account *account, const struct tl_trunk_config *t,
                     const struct tl_credentials_config *c, char *why, size_t why_size)
{
    char password[SECRET_MAX], reason[400];
    int rc = secret_read(c->password_file, password, reason, sizeof reason);
    if (rc < 0) {
        snprintf(why, why_size, "trunk %s: its password for the realm \"%s\" cannot be used: %s", t->name,
                 c->realm, reason);
        return rc;
    }
    rc = sip_account_add(account, c->realm, c->user, password);
    explicit_bzero(password, sizeof password);
    if (rc == -ENOTSUP)
        snprintf(why, why_size, "trunk %s: OpenSSL offers neither MD5 nor SHA-256 nor SHA-512-256", t->name);
    return rc;
}

static bool has_realm(const struct tl_trunk_config *t, uint32_t before, const char *user, const char *realm)
{
    for (uint32_t i = 0; i < before; i++)
        if (strcmp(t->credentials[i].realm, realm) == 0 &&
            (!*user || strcmp(t->credentials[i].user, user) == 0))
            return true;
    return false;
}

// Adds an account of the trunk with the credentials of that user, "" for the first of each realm.
static int add_account(struct agent_accounts *set, const struct tl_trunk_config *t, const char *user,
                       char *why, size_t why_size)
{
    struct agent_account *a = &set->account[set->count];
    a->account = sip_account_new(t->name);
    if (!a->account)
        return -ENOMEM;
    snprintf(a->trunk, sizeof a->trunk, "%s", t->name);
    snprintf(a->user, sizeof a->user, "%s", user);
    set->count++;
    for (uint32_t i = 0; i < t->credentials_count; i++) {
        const struct tl_credentials_config *c = &t->credentials[i];
        if ((*user && strcmp(c->user, user) != 0) || has_realm(t, i, user, c->realm))
            continue;
        int rc = add_login(a->account, t, c, why, why_size);
        if (rc < 0)
            return rc;
    }
    return 0;
}

static int compare(const void *a, const void *b)
{
    const struct agent_account *x = a, *y = b;
    int order = strcmp(x->trunk, y->trunk);
    return order ? order : strcmp(x->user, y->user);
}

static bool has_account(const struct agent_accounts *set, const struct tl_trunk_config *t, const char *user)
{
    for (size_t i = set->count; i-- > 0 && strcmp(set->account[i].trunk, t->name) == 0;)
        if (strcmp(set->account[i].user, user) == 0)
            return true;
    return false;
}

int agent_accounts_read(struct agent_accounts *out, const struct tl_config *config, char *why,
                        size_t why_size)
{
    size_t room = 0;
    int rc = 0;
    *out = (struct agent_accounts){0};
    snprintf(why, why_size, "no memory");
    for (uint32_t i = 0; i < config->trunk_count; i++)
        room += config->trunks[i].credentials_count ? 1 + config->trunks[i].registration_count : 0;
    out->account = calloc(room ? room : 1, sizeof *out->account);
    if (!out->account)
        return -ENOMEM;
    for (uint32_t i = 0; rc == 0 && i < config->trunk_count; i++) {
        const struct tl_trunk_config *t = &config->trunks[i];
        if (!t->credentials_count)
            continue;
        rc = add_account(out, t, "", why, why_size);
        for (uint32_t k = 0; rc == 0 && k < t->registration_count; k++)
            if (!has_account(out, t, t->registrations[k].login))
                rc = add_account(out, t, t->registrations[k].login, why, why_size);
    }
    if (rc < 0)
        agent_accounts_fini(out);
    else
        qsort(out->account, out->count, sizeof *out->account, compare);
    return rc;
}

void agent_accounts_fini(struct agent_accounts *set)
{
    for (size_t i = 0; i < set->count; i++)
        sip_account_release(set->account[i].account);
    free(set->account);
    *set = (struct agent_accounts){0};
}

struct sip_account *agent_account(const struct agent *agent, const char *trunk, const char *user)
{
    struct agent_account key = {0};
    if (!agent->accounts.count)
        return NULL;
    snprintf(key.trunk, sizeof key.trunk, "%s", trunk);
    snprintf(key.user, sizeof key.user, "%s", user);
    const struct agent_account *found =
        bsearch(&key, agent->accounts.account, agent->accounts.count, sizeof key, compare);
    return found ? found->account : NULL;
}

// ---- a request that leaves again ----------------------------------------------------------------------

// B's first INVITE belongs to no dialog: its number is above all that its early dialogs have had.
static uint32_t again_setup(struct agent_leg *leg)
{
    for (const struct agent_dialog *d = leg->dialogs; d; d = d->next)
        if (d->bound && d->sip.local_cseq > leg->invite_cseq)
            leg->invite_cseq = d->sip.local_cseq;
    return ++leg->invite_cseq;
}

static uint32_t again_inside(struct agent_leg *leg, const struct sip_txn *txn, const struct sip_msg *response)
{
    struct sip_str tag = sip_msg_to_tag(response);
    struct agent_dialog *d = leg->dialogs;
    while (d && !(d->bound && sip_str_equal(d->sip.remote_tag, tag)))
        d = d->next;
    if (!d) // it has gone meanwhile: nothing to ask for
        return 0;
    d->sip.local_cseq++;
    if (txn == leg->invite_out)
        leg->invite_cseq = d->sip.local_cseq;
    return d->sip.local_cseq;
}

uint32_t agent_again(struct agent_leg *leg, const struct sip_txn *txn, const struct sip_msg *response)
{
    return txn == leg->invite_out && leg->side == CALL_B && !leg->main ? again_setup(leg)
                                                                       : again_inside(leg, txn, response);
}
