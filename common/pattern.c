// SPDX-License-Identifier: BSD-3-Clause
#define PCRE2_CODE_UNIT_WIDTH 8
#include "common/pattern.h"

#include <ctype.h>
#include <errno.h>
#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct tl_pattern {
    pcre2_code *code;
    pcre2_match_context *limits;
    pcre2_match_data *data; // of the match under way
};

int tl_pattern_compile(const char *text, struct tl_pattern **out, char *why, size_t why_size)
{
    const uint32_t options =
        PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY;
    struct tl_pattern *p = calloc(1, sizeof *p);
    PCRE2_SIZE offset;
    int error;

    if (!p)
        return -ENOMEM;
    p->code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, options, &error, &offset, NULL);
    if (!p->code) {
        PCRE2_UCHAR message[120];
        pcre2_get_error_message(error, message, sizeof message);
        snprintf(why, why_size, "%s at its character %zu", (const char *)message, (size_t)offset + 1);
        tl_pattern_free(p);
        return -EINVAL;
    }
    p->limits = pcre2_match_context_create(NULL);
    p->data = pcre2_match_data_create_from_pattern(p->code, NULL);
    if (!p->limits || !p->data) {
        tl_pattern_free(p);
        return -ENOMEM;
    }
    pcre2_set_match_limit(p->limits, TL_PATTERN_MATCH_MAX);
    pcre2_set_depth_limit(p->limits, TL_PATTERN_MATCH_MAX);
    pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE); // where it cannot, the interpreter does it
    *out = p;
    return 0;
}

void tl_pattern_free(struct tl_pattern *p)
{
    if (!p)
        return;
    pcre2_match_data_free(p->data);
    pcre2_match_context_free(p->limits);
    pcre2_code_free(p->code);
    free(p);
}

int tl_pattern_match(const struct tl_pattern *p, const char *subject)
{
    int rc = pcre2_match(p->code, (PCRE2_SPTR)subject, strlen(subject), 0, 0, p->data, p->limits);

    if (rc == PCRE2_ERROR_NOMATCH)
        return 0;
    return rc < 0 ? -ELOOP : 1;
}

int tl_pattern_replace(const struct tl_pattern *p, const char *subject, const char *to, char *out,
                       size_t size)
{
    PCRE2_SIZE len = size;
    int rc =
        pcre2_substitute(p->code, (PCRE2_SPTR)subject, strlen(subject), 0, PCRE2_SUBSTITUTE_UNSET_EMPTY,
                         p->data, p->limits, (PCRE2_SPTR)to, PCRE2_ZERO_TERMINATED, (PCRE2_UCHAR *)out, &len);

    if (rc == PCRE2_ERROR_NOMEMORY)
        return -EMSGSIZE;
    if (rc < 0)
        return -ELOOP;
    return rc == 0 ? -ENOENT : 0;
}

bool tl_pattern_has_groups(const struct tl_pattern *p, const char *to)
{
    uint32_t groups = 0;

    pcre2_pattern_info(p->code, PCRE2_INFO_CAPTURECOUNT, &groups);
    for (; *to; to++) {
        if (*to != '$')
            continue;
        bool braces = *++to == '{';
        if (*to == '$')
            continue;
        to += braces;
        char *end;
        if (!isdigit((unsigned char)*to) || strtoul(to, &end, 10) > groups || end - to > 2 ||
            (braces && *end != '}'))
            return false;
        to = braces ? end : end - 1;
    }
    return true;
}

const char *tl_pattern_beginning(const char *text, char *out, size_t size)
{
    size_t n = 0;

    if (text[0] == '^' && !strchr(text, '|'))
        for (text++; n + 1 < size; n++) {
            const char *next = text + 1 + (text[0] == '\\');
            bool plus = n == 0 && text[0] == '\\' && text[1] == '+';
            if ((!plus && !isdigit((unsigned char)text[0])) || (*next && strchr("*?+{", *next)))
                break;
            out[n] = (char)(plus ? '+' : text[0]);
            text = next;
        }
    out[n] = '\0';
    return out;
}
