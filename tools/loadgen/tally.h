// SPDX-License-Identifier: BSD-3-Clause
// Small arithmetic of the report. Pure.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

// The `percent`th percentile (1 to 100) by nearest rank: the smallest value that at least `percent` in a
// hundred do not exceed. Sorts `values`. 0 when there are none.
uint32_t tally_percentile(uint32_t *values, size_t count, uint32_t percent);

// Writes `text` as a JSON string, quotes included. Bytes that are no printable ASCII are escaped.
void tally_json_string(FILE *out, const char *text);
