// SPDX-License-Identifier: BSD-3-Clause
// What the fuzz targets share. A target takes any bytes, begins each input as little touched by the one
// before as can be, and calls abort() on what must not be; libFuzzer keeps that input.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// libFuzzer's names.
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define FUZZ_MUST(x)                                                                                         \
    do {                                                                                                     \
        if (!(x)) {                                                                                          \
            fprintf(stderr, "%s:%d: must be: %s\n", __FILE__, __LINE__, #x);                                 \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

// The input, taken from the front.
struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

// The next byte, 0 when nothing is left.
static inline uint8_t fuzz_byte(struct fuzz_input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

// Takes `len` bytes at most; *len is how many there were.
static inline const uint8_t *fuzz_bytes(struct fuzz_input *in, size_t *len)
{
    const uint8_t *p = in->at;
    if (*len > in->left)
        *len = in->left;
    in->at += *len;
    in->left -= *len;
    return p;
}

// A copy in a heap block of just that size (so that ASan sees one byte too far); the caller frees it.
static inline void *fuzz_copy(const void *bytes, size_t len)
{
    void *copy = malloc(len ? len : 1);
    FUZZ_MUST(copy);
    if (len > 0)
        memcpy(copy, bytes, len);
    return copy;
}
