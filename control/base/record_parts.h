// SPDX-License-Identifier: BSD-3-Clause
// Parts that several records have: addresses, histories of SRTP keys. As in record.h what is missing or wrong sets r->bad.
#pragma once

#include "common/contract.h"
#include "common/key_history.h"
#include "control/base/record.h"

// An address with its port; one that is not set leaves no line.
void record_put_addr(struct record_writer *w, const char *name, const struct tl_addr *addr);

// *addr stays as it is when there is no such line.
void record_addr(struct record *r, const char *name, struct tl_addr *addr);

// A history as a section of that name; none for one that is all zero. There are fingerprints in it, no keys.
void record_put_keys(struct record_writer *w, const char *name, const struct tl_key_history *history);

// Reads the section back; *history is all zero without it. What could not have come of tl_key_history_take() is refused.
void record_keys(struct record *in, const char *name, struct tl_key_history *history);
