// SPDX-License-Identifier: BSD-3-Clause
// The table of every option. One row drives parsing, bounds, default and documentation of its option.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config/config.h"

enum { TL_PROFILES_MAX = 64, BLOCK_OPTIONS_MAX = 96 };

// What the parser fills: the configuration and what only the parser needs.
struct config_root {
    struct tl_config config;
    struct tl_trunk_config profiles[TL_PROFILES_MAX]; // listener, peer and realm unset
    uint32_t profile_count;
};

enum option_type {
    OPTION_BOOL,
    OPTION_NUMBER,     // min..max, unit; POWER_OF_TWO
    OPTION_NUMBERS,    // list of different numbers; count at offset2
    OPTION_NAME,       // identifier, unique in its list if the option is called "name"
    OPTION_TEXT,       // printable ASCII
    OPTION_HOST,       // a host's name
    OPTION_HOSTS,      // list of different hosts' names; count at offset2
    OPTION_HEADERS,    // a trunk's headers: what passes, what does not, what is added
    OPTION_FAILOVER,   // what leads to the next trunk: codes and words
    OPTION_PATTERN,    // regular expression; compiled at offset2
    OPTION_RULES,      // list of {match, to}; count at offset2
    OPTION_CODE_RULES, // list of {status, cause, to}; count at offset2
    OPTION_PATH,       // absolute path
    OPTION_DEVICE,     // PCI address or vdev string
    OPTION_DIGITS,     // called-number prefix
    OPTION_DIGIT_LIST, // list of such; count at offset2
    OPTION_WORD,       // one of words[], stored as its number
    OPTION_WORDS,      // list of different words[]; count at offset2
    OPTION_SUITE,      // one item of the following
    OPTION_SUITES,     // list of SRTP suites; count at offset2
    OPTION_ADDRESS,    // IPv4
    OPTION_TRANSPORT,  // IPv4:port, [IPv6]:port
    OPTION_SUBNET,     // IPv4/prefix length; the length at offset2
    OPTION_PEER,       // address of a host or IPv4/prefix length; the length at offset2
    OPTION_SERVERS,    // list of addresses with or without port, of name servers; count at offset2
    OPTION_PORTS,      // [even, odd]; the last at offset2
    OPTION_REF,  // name of an item of `list`, stored as its index; absent: true at offset2, if there is one
    OPTION_REFS, // list of different names of `list`; count at offset2
    OPTION_PROFILE, // name of a profile, whose switches are taken over
    OPTION_BLOCK,   // an object
    OPTION_LIST,    // list of objects; count at offset2
};

enum option_flags {
    OPTION_REQUIRED = 1u << 0,
    OPTION_POWER_OF_TWO = 1u << 1,
    OPTION_REPEATED = 1u << 3,    // a list's items may be equal
    OPTION_PORT_OR_NOT = 1u << 4, // of an address
    OPTION_ANY_ADDRESS = 1u << 5, // ... which may be 0.0.0.0 or ::
    OPTION_KEY = 1u << 2,         // beside the name: what an item of a list differs from all others by
};

// Lists whose items are referred to by name. The name is the first member of each item.
enum config_list {
    LIST_PORTS,
    LIST_REALMS,
    LIST_LISTENERS,
    LIST_PROFILES,
    LIST_TRANSLATIONS,
    LIST_TRUNKS,
    LIST_GROUPS,
    LIST_ROUTES, // from here on without names
    LIST_CREDENTIALS,
    LIST_REGISTRATIONS,
    LIST_PEERS,
    LIST_COUNT
};

struct option {
    const char *name;
    enum option_type type;
    unsigned flags;
    size_t offset; // in the struct of its block
    size_t size;
    size_t offset2;
    size_t size2;
    uint32_t min, max;        // of a number; of the count in a list
    const char *unit;         // "ms", NULL: none
    const char *preset;       // default as JSON text; NULL: none, see preset_text
    const char *preset_text;  // for the documentation, where the default is none or computed
    enum tl_config_when when; // 0: as its block says
    const char *doc;          // one or two sentences
    const char *const *words; // NULL-terminated
    enum config_list list;
    const struct block *block;
};

// An object: its own options, then those that it shares with another block.
struct block {
    const char *title; // heading of the reference
    const char *doc;
    size_t size; // of the struct
    const struct option *own;
    size_t own_count;
    const struct option *shared;
    size_t shared_count;
    enum tl_config_when when; // of its options that do not say it
};

// Where a list lies in struct config_root.
struct list_place {
    const char *path; // in the file
    const char *noun; // of one item
    size_t items;
    size_t item_size;
    size_t count;
};

extern const struct block config_top;
extern const struct list_place config_lists[LIST_COUNT];

static inline size_t block_count(const struct block *block)
{
    return block->own_count + block->shared_count;
}

static inline const struct option *block_option(const struct block *block, size_t i)
{
    return i < block->own_count ? &block->own[i] : &block->shared[i - block->own_count];
}

extern const char *const config_failover_words[TL_FAILOVER_END - TL_FAILOVER_NO_RESPONSE];

// "number from 64 to 32768, a power of two": what an option takes, for errors and documentation. Returns out.
const char *option_expected(const struct option *option, char *out, size_t size);
