// SPDX-License-Identifier: BSD-3-Clause
// Who the gateway is to its trunks: the passwords that a ladder gives it, and what it answers with them.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/sip/digest.h"
#include "party_internal.h"

const struct secret *secret_add(struct parties *ps, const char *realm, const char *user, const char *password)
{
    if (ps->secret_count == SECRETS_MAX)
        return NULL;
    struct secret *s = &ps->secret[ps->secret_count];
    snprintf(s->realm, sizeof s->realm, "%s", realm);
    snprintf(s->user, sizeof s->user, "%s", user);
    snprintf(s->password, sizeof s->password, "%s", password);
    snprintf(s->path, sizeof s->path, "/tmp/trunkline-password-XXXXXX");
    int fd = mkstemp(s->path); // mode 0600
    if (fd < 0)
        return NULL;
    ps->secret_count++;
    bool good = dprintf(fd, "%s\n", password) > 0;
    close(fd);
    return good ? s : NULL;
}

void secrets_fini(struct parties *ps)
{
    for (unsigned i = 0; i < ps->secret_count; i++)
        unlink(ps->secret[i].path);
    ps->secret_count = 0;
}

// A parameter of "Digest a=b, c=\"d\"" without its quotes, "" without.
static void param(const char *value, const char *name, char *out, size_t size)
{
    size_t len = strlen(name);
    out[0] = 0;
    for (const char *p = value; (p = strstr(p, name)); p += len) {
        if (p == value || (p[-1] != ' ' && p[-1] != ',') || p[len] != '=')
            continue;
        p += len + 1;
        size_t n = *p == '"' ? strcspn(p + 1, "\"") : strcspn(p, ", ");
        snprintf(out, size, "%.*s", (int)n, *p == '"' ? p + 1 : p);
        return;
    }
}

static struct sip_str str(const char *s)
{
    return (struct sip_str){s, strlen(s)};
}

static const struct secret *find(const struct parties *ps, const char *realm, const char *user)
{
    for (unsigned i = 0; i < ps->secret_count; i++)
        if (strcmp(ps->secret[i].realm, realm) == 0 && strcmp(ps->secret[i].user, user) == 0)
            return &ps->secret[i];
    return NULL;
}

const char *credentials_fault(const struct parties *ps, const char *message, const char *value)
{
    char user[128], realm[128], nonce[600], uri[400], response[80], name[40], qop[20], count[20], cnonce[80];
    char secret[DIGEST_HEX], right[DIGEST_HEX], method[20] = "", target[400] = "";
    const struct {
        const char *name;
        char *out;
        size_t size;
    } params[] = {{"username", user, sizeof user},
                  {"realm", realm, sizeof realm},
                  {"nonce", nonce, sizeof nonce},
                  {"uri", uri, sizeof uri},
                  {"response", response, sizeof response},
                  {"algorithm", name, sizeof name},
                  {"qop", qop, sizeof qop},
                  {"nc", count, sizeof count},
                  {"cnonce", cnonce, sizeof cnonce}};
    for (unsigned i = 0; i < sizeof params / sizeof *params; i++)
        param(value, params[i].name, params[i].out, params[i].size);
    const struct secret *s = find(ps, realm, user);
    sscanf(message, "%19s %399s", method, target);
    if (!s)
        return "credentials that nobody gave it";
    if (strcmp(method, "ACK") == 0) // they are its INVITE's
        snprintf(method, sizeof method, "INVITE");
    else if (strcmp(uri, target) != 0)
        return "credentials for another Request-URI";
    struct digest_input in = {.qop = qop[0] != 0,
                              .secret = secret,
                              .nonce = str(nonce),
                              .cnonce = str(cnonce),
                              .count = (uint32_t)strtoul(count, NULL, 16),
                              .method = str(method),
                              .uri = str(uri)};
    if (name[0] && !digest_by_name(str(name), &in.algorithm, &in.session))
        return "credentials of a strange algorithm";
    if (digest_secret(in.algorithm, str(user), str(realm), str(s->password), secret) < 0 ||
        digest_response(&in, right) < 0 || strcmp(right, response) != 0)
        return "credentials that are wrong";
    return NULL;
}
