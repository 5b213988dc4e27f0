// SPDX-License-Identifier: BSD-3-Clause
// How the programs tell what came of a configuration file.
#include <string.h>

#include "common/config/config.h"

void tl_config_print_errors(FILE *out, const char *file, const struct tl_config_errors *errors)
{
    unsigned shown = 0;

    for (const char *s = errors->text; (s = strchr(s, '\n')); s++)
        shown++;
    fputs(errors->text, out);
    if (shown < errors->count + errors->warnings)
        fprintf(out, "%s: %u more %s\n", file, errors->count + errors->warnings - shown,
                errors->count ? "errors" : "warnings");
}

static void print_count(unsigned n, const char *noun, const char *behind)
{
    printf("%u %s%s%s", n, noun, n == 1 ? "" : "s", behind);
}

int tl_config_check_file(const char *file)
{
    struct tl_config_errors errors;
    struct tl_config *c;

    if (tl_config_load(file, &c, &errors) != 0) {
        tl_config_print_errors(stderr, file, &errors);
        return 1;
    }
    tl_config_print_errors(stderr, file, &errors);
    printf("%s: ok (", file);
    print_count(c->dataplane.port_count, "port", ", ");
    print_count(c->realm_count, "realm", ", ");
    print_count(c->listener_count, "listener", ", ");
    print_count(c->trunk_count, "trunk", ", ");
    print_count(c->route_count, "route", errors.warnings ? ", " : ")\n");
    if (errors.warnings)
        print_count(errors.warnings, "warning", ")\n");
    tl_config_free(c);
    return 0;
}
