// SPDX-License-Identifier: BSD-3-Clause
// packet path: packets of one shape, sixteen at a time. lanes.c sorts them, lanes_cm.c and lanes_gcm.c compute.
#pragma once

#include "dataplane/srtp/engine.h"

enum {
    LANES = 16, // 32-bit words of a vector of 512 bits: packets at a time
    // Bytes of the longest packet, without what SRTP adds: counts of AES blocks fit a byte, with room to spare.
    LANES_TEXT_MAX = 2048,
};

// What follows runs on CPUs with AVX-512 F, BW, DQ, VL and VBMI2, VAES and VPCLMULQDQ: Ice Lake, Zen 4 and later.
// Of the keys it reads the first line (GCM), and as much of the second as AES's own key takes (AES_CM).

// AES_CM: encrypts and authenticates n packets, 1..LANES, that have passed srtp_protect_begin() and are all of the same
// length, at most LANES_TEXT_MAX: writes MKI and tag behind each and sets its status and new length as srtp_protect()
// says. RFC 3711 4.1.1, 4.2.1.
void lanes_cm_seal(struct srtp_op *const ops[], unsigned n);

// AES_CM: checks and decrypts n packets, 1..LANES, that have passed srtp_unprotect_begin(). `text` is the length of each
// without MKI and tag, the same for all, at most LANES_TEXT_MAX. Sets the status and the new length of each as
// srtp_unprotect() says.
void lanes_cm_open(struct srtp_op *const ops[], unsigned n, unsigned text);

// The same of GCM, of packets whose headers are of the same length, too, and whose keys are of one size. RFC 7714.
void lanes_gcm_seal(struct srtp_op *const ops[], unsigned n);
void lanes_gcm_open(struct srtp_op *const ops[], unsigned n, unsigned text);

// Wipes registers and stack of what the others left there: keys, states, H. Called by their caller, after the last of a
// burst.
void lanes_wipe(void);
