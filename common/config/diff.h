// SPDX-License-Identifier: BSD-3-Clause
// Between the files that compare two configurations by the table of options. Not for others.
#pragma once

#include "common/config/table.h"

// The value of an option in the struct at `base`, which belongs to `config`, as the file would have it. What lies behind it is
// the caller's to free. NULL without memory.
char *config_value_text(const struct option *option, const struct tl_config *config, const void *base);

// A number in a field of 1, 2 or 4 bytes.
uint32_t config_read_number(const void *field, size_t size);

// Name of item `index` of a list.
const char *config_item_name(const struct tl_config *config, enum config_list list, uint32_t index);

// Where the change is: the option, and the item of the newer configuration that it belongs to.
struct diff_place {
    const struct option *option; // of an item that was added or removed: the list
    const struct option *list;   // NULL: no item of a list
    uint32_t index;              // in the newer configuration; UINT32_MAX: it is not there
    const char *block;           // "control", NULL: none
};

// tl_config_diff() with places.
typedef void diff_fn(void *arg, const struct tl_config_change *change, const struct diff_place *place);
int config_diff(const struct tl_config *from, const struct tl_config *to, diff_fn *fn, void *arg);
