// SPDX-License-Identifier: BSD-3-Clause
// config check, config reference, config headers: done here, without a daemon.
#include "tools/ctl/ctl.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/config/config.h"
#include "common/header_names.h"

// {"file", "ok", "error_count", "errors": [one sentence each], "warnings": [likewise]}
static void print_json(const char *file, const struct tl_config_errors *errors)
{
    json_t *list = json_array(), *none = json_array();
    bool ok = errors->count == 0;

    for (const char *s = errors->text, *end; (end = strchr(s, '\n')); s = end + 1)
        json_array_append_new(list, json_stringn(s, (size_t)(end - s)));
    json_t *answer = json_pack("{s:s, s:b, s:i, s:o, s:o}", "file", file, "ok", ok, "error_count",
                               (int)errors->count, "errors", ok ? none : list, "warnings", ok ? list : none);
    if (answer)
        json_dumpf(answer, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(answer);
}

int ctl_config_check(const struct ctl_options *options)
{
    const char *file = options->argv[0];
    struct tl_config_errors errors;
    struct tl_config *config = NULL;

    if (!options->json)
        return tl_config_check_file(file) == 0 ? CTL_OK : CTL_FAILED;
    int rc = tl_config_load(file, &config, &errors);
    print_json(file, &errors);
    tl_config_free(config);
    return rc == 0 ? CTL_OK : CTL_FAILED;
}

int ctl_config_reference(const struct ctl_options *options)
{
    (void)options;
    tl_config_print_reference(stdout);
    return CTL_OK;
}

int ctl_config_headers(const struct ctl_options *options)
{
    (void)options;
    tl_header_print_table(stdout);
    return CTL_OK;
}
