// SPDX-License-Identifier: BSD-3-Clause
#include "tools/loadgen/sdes.h"

#include <errno.h>
#include <re.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

static const char base64_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=";

static size_t key_length(enum media_suite suite)
{
    return suite == SUITE_AEAD_AES_128_GCM ? 16 + 12 : 16 + 14;
}

const char *sdes_suite_name(enum media_suite suite)
{
    switch (suite) {
    case SUITE_AES_CM_128_HMAC_SHA1_80:
        return "AES_CM_128_HMAC_SHA1_80";
    case SUITE_AEAD_AES_128_GCM:
        return "AEAD_AES_128_GCM";
    default:
        return "off";
    }
}

int sdes_make(struct sdes *s, enum media_suite suite, uint32_t tag)
{
    s->tag = tag;
    s->length = key_length(suite);
    if (getrandom(s->key, s->length, 0) != (ssize_t)s->length)
        return -EIO;
    return 0;
}

void sdes_print(const struct sdes *s, enum media_suite suite, char line[SDES_LINE_MAX])
{
    char text[48];
    size_t length = sizeof text;

    base64_encode(s->key, s->length, text, &length);
    snprintf(line, SDES_LINE_MAX, "%u %s inline:%.*s", s->tag, sdes_suite_name(suite), (int)length, text);
}

int sdes_parse(struct sdes *s, enum media_suite suite, const char *value)
{
    char name[40], inlined[64];
    char params[4] = "";
    uint32_t tag;

    if (sscanf(value, "%9u %39s inline:%63s %3s", &tag, name, inlined, params) < 3)
        return -EBADMSG;
    if (strcmp(name, sdes_suite_name(suite)) != 0)
        return -ENOENT;
    if (params[0] != 0)
        return -EBADMSG;

    // inline:KEY[|lifetime][|MKI:length]; a lifetime is harmless, an MKI would be a field in every packet
    char *bar = strchr(inlined, '|');
    if (bar != NULL && strchr(bar, ':') != NULL)
        return -EBADMSG;
    const size_t length = bar == NULL ? strlen(inlined) : (size_t)(bar - inlined);

    uint8_t key[64];
    size_t decoded = sizeof key;
    if (strspn(inlined, base64_letters) < length) // the decoder takes any character
        return -EBADMSG;
    if (base64_decode(inlined, length, key, &decoded) != 0 || decoded != key_length(suite))
        return -EBADMSG;
    s->tag = tag;
    s->length = decoded;
    memcpy(s->key, key, decoded);
    explicit_bzero(key, sizeof key);
    return 0;
}
