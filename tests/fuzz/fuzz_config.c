// SPDX-License-Identifier: BSD-3-Clause
// Configuration files: common/config.h. Each is taken, or refused with a sentence.
#include "common/config/config.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct tl_config_errors errors;
    struct tl_config *config = NULL;
    char *text = fuzz_copy(data, len);

    if (tl_config_parse("fuzz.json", text, len, &config, &errors) == 0)
        FUZZ_MUST(config && errors.count == 0);
    else
        FUZZ_MUST(errors.count > 0 && errors.text[0]);
    tl_config_free(config);
    free(text);
    return 0;
}
