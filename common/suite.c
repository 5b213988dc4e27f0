// SPDX-License-Identifier: BSD-3-Clause
#include "common/suite.h"

#include <string.h>
#include <strings.h>

static const struct tl_suite_info suites[TL_SUITE_COUNT] = {
    [TL_SUITE_AES_CM_128_HMAC_SHA1_80] = {"AES_CM_128_HMAC_SHA1_80", 16, 14, 10, 10},
    [TL_SUITE_AEAD_AES_128_GCM] = {"AEAD_AES_128_GCM", 16, 12, 16, 16},
    [TL_SUITE_AES_CM_128_HMAC_SHA1_32] = {"AES_CM_128_HMAC_SHA1_32", 16, 14, 4, 10},
    [TL_SUITE_AES_256_CM_HMAC_SHA1_80] = {"AES_256_CM_HMAC_SHA1_80", 32, 14, 10, 10},
    [TL_SUITE_AES_256_CM_HMAC_SHA1_32] = {"AES_256_CM_HMAC_SHA1_32", 32, 14, 4, 10},
    [TL_SUITE_AEAD_AES_256_GCM] = {"AEAD_AES_256_GCM", 32, 12, 16, 16},
};

const struct tl_suite_info *tl_suite_info(enum tl_suite suite)
{
    if ((unsigned)suite >= TL_SUITE_COUNT || !suites[suite].name)
        return NULL;
    return &suites[suite];
}

enum tl_suite tl_suite_by_name(const char *name, unsigned len)
{
    for (int s = 0; s < TL_SUITE_COUNT; s++)
        if (suites[s].name && strlen(suites[s].name) == len && strncasecmp(suites[s].name, name, len) == 0)
            return s;
    return TL_SUITE_NONE;
}
