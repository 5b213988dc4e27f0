// SPDX-License-Identifier: BSD-3-Clause
// Between the files of the parties.
#pragma once

#include "party.h"

void addr_text(const struct tl_addr *a, char *out, size_t size);
void party_contact(const struct parties *ps, const struct party *p, char *out, size_t size);
