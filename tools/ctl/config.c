// SPDX-License-Identifier: BSD-3-Clause
// config check, config reference: done here, without a daemon.
#include "tools/ctl/ctl.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/config.h"

static const char *plural(unsigned n, const char *noun, char out[32])
{
    snprintf(out, 32, "%u %s%s", n, noun, n == 1 ? "" : "s");
    return out;
}

// {"file", "ok", "error_count", "errors": [one sentence each]}
static void print_json(const char *file, const struct tl_config_errors *errors)
{
    json_t *list = json_array();

    for (const char *s = errors->text, *end; (end = strchr(s, '\n')); s = end + 1)
        json_array_append_new(list, json_stringn(s, (size_t)(end - s)));
    json_t *answer = json_pack("{s:s, s:b, s:i, s:o}", "file", file, "ok", errors->count == 0, "error_count",
                               (int)errors->count, "errors", list);
    if (answer)
        json_dumpf(answer, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(answer);
}

int ctl_config_check(const struct ctl_options *options)
{
    const char *file = options->argv[0];
    struct tl_config_errors errors;
    struct tl_config *c = NULL;
    char n[5][32];
    int rc = tl_config_load(file, &c, &errors);

    if (options->json) {
        print_json(file, &errors);
    } else if (rc == 0) {
        printf("%s: ok (%s, %s, %s, %s, %s)\n", file, plural(c->dataplane.port_count, "port", n[0]),
               plural(c->realm_count, "realm", n[1]), plural(c->listener_count, "listener", n[2]),
               plural(c->trunk_count, "trunk", n[3]), plural(c->route_count, "route", n[4]));
    } else {
        unsigned shown = 0;
        for (const char *s = errors.text; (s = strchr(s, '\n')); s++)
            shown++;
        fputs(errors.text, stderr);
        if (shown < errors.count)
            fprintf(stderr, "%s: %u more errors\n", file, errors.count - shown);
    }
    tl_config_free(c);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}

int ctl_config_reference(const struct ctl_options *options)
{
    (void)options;
    tl_config_print_reference(stdout);
    return CTL_OK;
}
