// SPDX-License-Identifier: BSD-3-Clause
// Between the files of the parties.
#pragma once

#include "party.h"

void addr_text(const struct tl_addr *a, char *out, size_t size);
// What is wrong with a value of Authorization or Proxy-Authorization that the gateway sent, NULL: nothing.
const char *credentials_fault(const struct parties *ps, const char *message, const char *value);
void party_contact(const struct parties *ps, const struct party *p, char *out, size_t size);
