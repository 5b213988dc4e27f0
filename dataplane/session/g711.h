// SPDX-License-Identifier: BSD-3-Clause
// packet path: G.711 from one law to the other, by Tables 3 (mu to A) and 4 (A to mu) of ITU-T G.711, which
// are not the way through linear samples: they keep A-mu-A whole wherever mu-law can tell two A-law values
// apart.
//
// Threads: g711_select() once, before the workers are launched; from then on any thread converts.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum g711_code {
    G711_SCALAR, // table, byte by byte; the reference for the others
    G711_AVX2,   // pshufb over eight tables of 16
    G711_AVX512, // vpermi2b: the table of 128 in two registers
    G711_CODE_COUNT
};

struct g711 {
    enum g711_code code;
    void (*a_to_u)(uint8_t *payload, unsigned len);
    void (*u_to_a)(uint8_t *payload, unsigned len);
};

// What g711_select() chose; scalar before. Main lcore: wo, before the workers; workers: ro.
extern struct g711 g711;

// Chooses the fastest code that this CPU runs. Main lcore, before the workers.
void g711_select(void);

// Takes that code and no other; false, and nothing changed, when this CPU lacks it. For tests.
bool g711_force(enum g711_code code);

// "scalar", "AVX2", "AVX-512 VBMI". Any thread.
const char *g711_name(enum g711_code code);

// Converts `len` bytes (any number) at `payload` (any alignment) in place; touches no byte outside them.
// Any thread.
static inline void g711_a_to_u(uint8_t *payload, unsigned len)
{
    g711.a_to_u(payload, len);
}

static inline void g711_u_to_a(uint8_t *payload, unsigned len)
{
    g711.u_to_a(payload, len);
}
