// SPDX-License-Identifier: BSD-3-Clause
#include "control/trunk/number.h"

#include <stdio.h>
#include <string.h>

static const char user_chars[] =
    "+0123456789*#ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-_!~'()%&=$,?/";

static void copy(const char *number, char out[static NUMBER_MAX])
{
    snprintf(out, NUMBER_MAX, "%s", number);
}

int number_translate(const struct tl_config *config, uint32_t translation, const char *number,
                     char out[static NUMBER_MAX])
{
    copy(number, out);
    if (translation >= config->translation_count)
        return -1;
    const struct tl_translation_config *t = &config->translations[translation];
    for (uint32_t i = 0; i < t->rule_count; i++) {
        char room[NUMBER_MAX];
        if (tl_pattern_match(t->rules[i].pattern, number) <= 0)
            continue;
        if (tl_pattern_replace(t->rules[i].pattern, number, t->rules[i].to, room, sizeof room) == 0 &&
            room[strspn(room, user_chars)] == '\0')
            copy(room, out);
        return (int)i;
    }
    return -1;
}

int number_to_peer(const struct tl_config *config, const struct tl_trunk_config *trunk, uint32_t translation,
                   const char *number, char out[static NUMBER_MAX])
{
    int rule = number_translate(config, translation, number, out);
    if (trunk->remove_plus && out[0] == '+')
        memmove(out, out + 1, strlen(out));
    return rule;
}

bool number_pass_calling(const struct number_pass *pass, const char *number, char out[static NUMBER_MAX])
{
    char inside[NUMBER_MAX];

    if (strlen(number) >= NUMBER_MAX)
        return false;
    number_translate(pass->from_config, pass->from->calling_in, number, inside);
    number_to_peer(pass->to_config, pass->to, pass->to->calling_out, inside, out);
    return strcmp(out, number) != 0;
}

bool number_is_emergency(const struct tl_config *config, const char *called)
{
    const struct tl_control_config *c = &config->control;

    for (uint32_t i = 0; i < c->emergency_count; i++)
        if (strcmp(c->emergency_numbers[i], called) == 0)
            return true;
    return false;
}
