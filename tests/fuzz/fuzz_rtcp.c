// SPDX-License-Identifier: BSD-3-Clause
// Compound RTCP as it stands behind the decryption: relay_rtcp() of dataplane/path/stages.h, over any state of the
// session. What is taken is a chain of whole packets and still is one afterwards.
//
//   input: 4 bytes each of both legs' SSRC, sequence base, timestamp base and the near SSRC; 3 bytes of
//   state; the packet
#include "dataplane/path/stages.h"
#include "fuzz.h"

enum { STATE = 5 * 4 + 3 };

// Whether the length fields lead to the end.
static bool is_compound(const uint8_t *p, size_t len)
{
    while (len >= 4) {
        size_t n = 4 + 4 * (p[2] << 8 | p[3]);
        if (n > len)
            return false;
        p += n;
        len -= n;
    }
    return len == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static struct session s;
    if (len < STATE)
        return 0;
    memset(&s, 0, sizeof s);
    memcpy(&s.leg[0].ssrc, data, 4);
    memcpy(&s.leg[1].ssrc, data + 4, 4);
    memcpy(&s.leg[0].base, data + 8, 4);
    memcpy(&s.leg[1].ts_base, data + 12, 4);
    memcpy(&s.leg[0].tx.near_ssrc, data + 16, 4);
    s.ssrc_state[0] = data[20] % 3;
    s.ssrc_state[1] = data[21] % 3;
    s.leg[0].tx.near_known = data[22] & 1;

    len -= STATE;
    uint8_t *packet = fuzz_copy(data + STATE, len);
    if (relay_rtcp(&s, NULL, data[22] >> 1 & 1, packet, len) == SRTP_OK)
        FUZZ_MUST(is_compound(packet, len));
    free(packet);
    return 0;
}
