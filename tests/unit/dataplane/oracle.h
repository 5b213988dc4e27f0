// SPDX-License-Identifier: BSD-3-Clause
// libsrtp2 as an oracle for SRTP tests. Its header and ours name functions alike, so it is seen only from
// oracle.c.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/contract.h"

struct oracle;

enum { ORACLE_TRAILER_MAX = 144 }; // room that protecting wants behind a packet

// One direction of one SSRC, beginning with `roc`. Ends with oracle_free; NULL if libsrtp2 refuses.
struct oracle *oracle_new(const struct tl_crypto *crypto, uint32_t ssrc, uint32_t roc);
void oracle_free(struct oracle *o);

// In place; *len is updated. False if libsrtp2 refuses the packet (wrong tag, replay ...).
bool oracle_protect(struct oracle *o, uint8_t *pkt, int *len);
bool oracle_unprotect(struct oracle *o, uint8_t *pkt, int *len);
bool oracle_protect_rtcp(struct oracle *o, uint8_t *pkt, int *len);
bool oracle_unprotect_rtcp(struct oracle *o, uint8_t *pkt, int *len);

// Its present ROC.
uint32_t oracle_roc(const struct oracle *o);
