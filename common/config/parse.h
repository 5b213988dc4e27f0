// SPDX-License-Identifier: BSD-3-Clause
// What the parts of the configuration parser share. Not for others: it shows jansson.
#pragma once

#include <jansson.h>

#include "common/config/scan.h"
#include "common/config/table.h"

#define CONFIG_NUMBER_CHARS "+0123456789*#ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz.-_"
#define CONFIG_PRINTABLE    CONFIG_NUMBER_CHARS " !\"$%&'(),/:;<=>?@[\\]^`{|}~"

#define CONFIG_NO_INDEX TL_NO_INDEX

enum {
    CONFIG_FILE_MAX = 4 << 20, // bytes
    CONFIG_ERRORS_KEPT = 64,   // of all that are counted
    CONFIG_QUOTE = 48,         // room for a piece of the file in an error
};

struct config_parser {
    const char *name; // of the file
    struct scan scan;
    json_t *top;
    struct config_root *root;
    const struct tl_config *running; // what the new one is to follow without a restart; NULL: nothing
    bool broken[LIST_COUNT];         // an item has no usable name: who refers to it is not to blame
    struct {
        size_t offset;
        char *text;
    } kept[CONFIG_ERRORS_KEPT];
    unsigned kept_count;
    unsigned count; // of errors
    unsigned warnings;
    bool no_memory;
};

// ---- config_error.c

// Notes an error at the value of `node` (SCAN_NONE: the file's beginning); with `child` it is about the value
// of that key in node, which may be missing. The text becomes "PATH: text".
void config_complain(struct config_parser *p, uint32_t node, const char *child, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

// The same for what is not wrong but should be looked at; only behind the checks that found no error.
void config_warn(struct config_parser *p, uint32_t node, const char *child, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

// The same at the key of `node`.
void config_complain_key(struct config_parser *p, uint32_t node, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

// Notes an error at a line and column, without a path.
void config_complain_at(struct config_parser *p, unsigned line, unsigned column, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

// Moves what was noted, in the order of the file, to `errors` and frees it.
void config_errors_fini(struct config_parser *p, struct tl_config_errors *errors);

// A piece of the file made fit for one line of an error: quoted, cut, without control characters. Returns
// out.
const char *config_quote(const char *text, char out[CONFIG_QUOTE]);

// The word that was probably meant, or NULL.
const char *config_nearest(const char *given, const char *const *words, size_t count);

// ---- config_value.c

// Stores one value at its place in the struct at `base`; false after an error was noted. Blocks and lists
// are not its business.
bool config_set(struct config_parser *p, const struct option *option, const json_t *value, uint32_t node,
                void *base);

// Says that a value is not what the option takes: "what; expected ...".
void config_refuse(struct config_parser *p, const struct option *option, uint32_t node, const char *format,
                   ...) __attribute__((format(printf, 4, 5)));

// The text of a string value, or NULL after an error.
const char *config_string(struct config_parser *p, const struct option *option, const json_t *value,
                          uint32_t node);

// Reads a number within the option's bounds; false after an error.
bool config_number(struct config_parser *p, const struct option *option, const json_t *value, uint32_t node,
                   uint32_t *out);

// Reads one of the option's words as its number; false after an error.
bool config_word(struct config_parser *p, const struct option *option, const json_t *value, uint32_t node,
                 uint32_t *out);

// Is it an array of min to max items? False after an error.
bool config_array(struct config_parser *p, const struct option *option, const json_t *value, uint32_t node,
                  size_t min, size_t max);

// Whether a text is a host's name: labels with a '.' between (RFC 3261 25.1), no address, since a letter is among them.
bool config_is_host(const char *s);

// Stores a number in a field of 1, 2 or 4 bytes.
void config_store(void *field, size_t size, uint32_t number);

// ---- headers.c, address.c and refs.c: config_set() for some types

bool config_set_address(struct config_parser *p, const struct option *option, const json_t *value,
                        uint32_t node, void *base);
bool config_set_servers(struct config_parser *p, const struct option *option, const json_t *value,
                        uint32_t node, char *base);
bool config_set_headers(struct config_parser *p, const struct option *option, const json_t *value,
                        uint32_t node, void *base);
bool config_set_pattern(struct config_parser *p, const struct option *option, const json_t *value,
                        uint32_t node, char *base);
bool config_set_rules(struct config_parser *p, const struct option *option, const json_t *value,
                      uint32_t node, char *base);
bool config_set_code_rules(struct config_parser *p, const struct option *option, const json_t *value,
                           uint32_t node, char *base);
bool config_set_ports(struct config_parser *p, const struct option *option, const json_t *value,
                      uint32_t node, void *base);
bool config_set_reference(struct config_parser *p, const struct option *option, const json_t *value,
                          uint32_t node, char *base);
bool config_set_profile(struct config_parser *p, const struct option *option, const json_t *value,
                        uint32_t node, char *base);
bool config_set_items(struct config_parser *p, const struct option *option, const json_t *value,
                      uint32_t node, char *base);

// ---- logins.c

// Checks the credentials and registrations of a trunk, which stands at `node`.
void config_check_logins(struct config_parser *p, uint32_t trunk, uint32_t node);

// ---- check.c and check_routes.c

// Node of item `i` of a list, for errors.
uint32_t config_item(const struct config_parser *p, enum config_list list, uint32_t i);

void config_check_routes(struct config_parser *p);

// ---- check_peers.c

// Completes the peers of all trunks and checks that no two claim the same.
void config_check_peers(struct config_parser *p);

// What differs from the configuration that runs and needs a restart is an error.
void config_check_next(struct config_parser *p);

// Checks what no single option can show; fills in what is computed from others.
void config_check(struct config_parser *p);
