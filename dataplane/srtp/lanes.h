// SPDX-License-Identifier: BSD-3-Clause
// packet path: AES_CM packets of one length, sixteen at a time. lanes.c sorts them, lanes_cm.c computes.
#pragma once

#include "dataplane/srtp/engine.h"

enum {
    LANES = 16, // 32-bit words of a vector of 512 bits: packets at a time
    // Bytes of the longest packet, without what SRTP adds: counts of AES blocks fit a byte, with room to spare.
    LANES_TEXT_MAX = 2048,
};

// What follows runs on CPUs with AVX-512 F, BW, DQ, VL and VBMI2, and VAES: Ice Lake, Zen 4 and later.

// Encrypts the payload of a packet that has passed srtp_protect_begin(). RFC 3711 4.1.1.
void lanes_encrypt(const struct srtp_op *op);

// Authenticates n encrypted packets, 1..LANES, all of the same `len`, at most LANES_TEXT_MAX: writes MKI and tag behind
// each and sets its status and new length as srtp_protect() says. RFC 3711 4.2.1.
void lanes_seal(struct srtp_op *const ops[], unsigned n);

// Checks and decrypts n packets, 1..LANES, that have passed srtp_unprotect_begin(). `text` is the length of each without
// MKI and tag, the same for all, at most LANES_TEXT_MAX. Sets the status and the new length of each as
// srtp_unprotect() says.
void lanes_open(struct srtp_op *const ops[], unsigned n, unsigned text);

// Wipes registers and stack of what lanes_seal() and lanes_open() left there: states of keys. Called by their caller,
// after the last of a burst.
void lanes_wipe(void);
