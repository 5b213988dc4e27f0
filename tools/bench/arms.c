// SPDX-License-Identifier: BSD-3-Clause
#include <string.h>

#include "tools/bench/bench.h"

#define PLAIN TL_SUITE_NONE
#define CM    TL_SUITE_AES_CM_128_HMAC_SHA1_80
#define GCM   TL_SUITE_AEAD_AES_128_GCM

const struct arm arms[] = {
    {.name = "null", .what = "the timing harness itself", .kind = ARM_NULL},
    {.name = "mac_swap",
     .what = "receive, swap MAC addresses, send: the limit of the same rings",
     .kind = ARM_SWAP},
    {.name = "raw_cm80", .what = "libIPSec_MB alone, AES_CM_128_HMAC_SHA1_80", .kind = ARM_RAW, .out = CM},
    {.name = "raw_gcm128", .what = "libIPSec_MB alone, AEAD_AES_128_GCM", .kind = ARM_RAW, .out = GCM},
    {.name = "own_cm80", .what = "our SRTP alone, AES_CM_128_HMAC_SHA1_80", .kind = ARM_OWN, .out = CM},
    {.name = "own_gcm128", .what = "our SRTP alone, AEAD_AES_128_GCM", .kind = ARM_OWN, .out = GCM},
    {.name = "libre_cm80", .what = "libre (OpenSSL) protects the same packets", .kind = ARM_LIBRE, .out = CM},
    {.name = "libre_gcm128",
     .what = "libre (OpenSSL) protects the same packets",
     .kind = ARM_LIBRE,
     .out = GCM},
    {.name = "protect_cm80", .what = "the engine's protect stage alone", .kind = ARM_PROTECT, .out = CM},
    {.name = "protect_gcm128", .what = "the engine's protect stage alone", .kind = ARM_PROTECT, .out = GCM},
    {.name = "relay", .what = "RTP to RTP", .kind = ARM_ENGINE},
    {.name = "rtp_srtp_cm80", .what = "RTP to SRTP, AES_CM_128_HMAC_SHA1_80", .kind = ARM_ENGINE, .out = CM},
    {.name = "srtp_rtp_cm80", .what = "SRTP to RTP, AES_CM_128_HMAC_SHA1_80", .kind = ARM_ENGINE, .in = CM},
    {.name = "srtp_srtp_cm80",
     .what = "SRTP to SRTP with other keys",
     .kind = ARM_ENGINE,
     .in = CM,
     .out = CM},
    {.name = "rtp_srtp_gcm128", .what = "RTP to SRTP, AEAD_AES_128_GCM", .kind = ARM_ENGINE, .out = GCM},
    {.name = "srtp_rtp_gcm128", .what = "SRTP to RTP, AEAD_AES_128_GCM", .kind = ARM_ENGINE, .in = GCM},
    {.name = "srtp_srtp_gcm128",
     .what = "SRTP to SRTP with other keys",
     .kind = ARM_ENGINE,
     .in = GCM,
     .out = GCM},
    {.name = "alaw_ulaw", .what = "RTP to RTP, A-law to mu-law", .kind = ARM_ENGINE, .a_to_u = true},
    {.name = "mixed",
     .what = "RTP on one side, SRTP on the other, both directions; 70 % AES_CM, 30 % GCM",
     .kind = ARM_ENGINE,
     .mixed = true},
    {.name = "attack",
     .what = "bad tags, replays and unknown ports, past the buckets",
     .kind = ARM_ENGINE,
     .in = CM,
     .attack = true},
};
const unsigned arm_count = sizeof arms / sizeof arms[0];

const struct arm *arm_find(const char *name)
{
    for (unsigned i = 0; i < arm_count; i++)
        if (strcmp(arms[i].name, name) == 0)
            return &arms[i];
    return NULL;
}
