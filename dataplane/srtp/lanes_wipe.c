// SPDX-License-Identifier: BSD-3-Clause
// packet path: wipes what the lanes have used of registers and stack.
#include <immintrin.h>

#include "dataplane/srtp/lanes.h"

enum { FRAMES = 8192 }; // bytes of stack that the lanes use at most; a test looks for what is left

// A function's locals lie where this one's do, below the caller's.
__attribute__((noinline)) void lanes_wipe(void)
{
    alignas(64) uint8_t dead[FRAMES];
    for (unsigned i = 0; i < FRAMES; i += 64)
        _mm512_store_si512(dead + i, _mm512_setzero_si512());
    __asm__ volatile("" : : "r"(dead) : "memory"); // the stores are not dead
    __asm__ volatile("vzeroall\n\t"
                     "vpxord %%zmm16, %%zmm16, %%zmm16\n\t"
                     "vpxord %%zmm17, %%zmm17, %%zmm17\n\t"
                     "vpxord %%zmm18, %%zmm18, %%zmm18\n\t"
                     "vpxord %%zmm19, %%zmm19, %%zmm19\n\t"
                     "vpxord %%zmm20, %%zmm20, %%zmm20\n\t"
                     "vpxord %%zmm21, %%zmm21, %%zmm21\n\t"
                     "vpxord %%zmm22, %%zmm22, %%zmm22\n\t"
                     "vpxord %%zmm23, %%zmm23, %%zmm23\n\t"
                     "vpxord %%zmm24, %%zmm24, %%zmm24\n\t"
                     "vpxord %%zmm25, %%zmm25, %%zmm25\n\t"
                     "vpxord %%zmm26, %%zmm26, %%zmm26\n\t"
                     "vpxord %%zmm27, %%zmm27, %%zmm27\n\t"
                     "vpxord %%zmm28, %%zmm28, %%zmm28\n\t"
                     "vpxord %%zmm29, %%zmm29, %%zmm29\n\t"
                     "vpxord %%zmm30, %%zmm30, %%zmm30\n\t"
                     "vpxord %%zmm31, %%zmm31, %%zmm31"
                     :
                     :
                     : "zmm0", "zmm1", "zmm2", "zmm3", "zmm4", "zmm5", "zmm6", "zmm7", "zmm8", "zmm9",
                       "zmm10", "zmm11", "zmm12", "zmm13", "zmm14", "zmm15", "zmm16", "zmm17", "zmm18",
                       "zmm19", "zmm20", "zmm21", "zmm22", "zmm23", "zmm24", "zmm25", "zmm26", "zmm27",
                       "zmm28", "zmm29", "zmm30", "zmm31");
}
