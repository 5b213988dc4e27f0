#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The comparison with rtpengine and testpmd: what it computes, and that all of them run and pass what they are given, plain
# and SRTP, checked packet by packet. No figure is judged.
. "$(dirname "$0")/lib/e2e.sh"
cd "$E2E_ROOT" || exit 1
e2e_count "figures" tests/unit/tools/test_peers.py
[ "$(id -u)" = 0 ] || e2e_skip "network namespaces need root"
[ "$(nproc)" -ge 2 ] || e2e_skip "needs a core for the traffic and one for the gateway"
for program in rtpengine dpdk-testpmd; do
    command -v $program >/dev/null || e2e_skip "there is no $program here"
done

before=$(ip netns list | wc -l)
check "runs" env TRUNKLINE_BUILD="$E2E_BUILD" timeout 240 tools/bench/peers.sh --quick --rounds 1 --ms 100 --calls 8 --ceiling 10000 \
    --json "$E2E_WORK/peers.json" || e2e_end
check "no packet was wrong" jq -e '.wrong == []' "$E2E_WORK/peers.json"
check "the generator's own ceiling is there" jq -e '.generator.ceiling_pps > 0' "$E2E_WORK/peers.json"
for arm in rtpengine trunkline_af_xdp trunkline_af_packet; do
    for suite in plain cm80 gcm128; do
        check "$arm passes $suite" jq -e --arg a $arm --arg s $suite '.arms[$a][$s].lossless_pps.median > 0' "$E2E_WORK/peers.json"
    done
done
for arm in testpmd_af_xdp testpmd_af_packet; do
    check "$arm passes packets" jq -e --arg a $arm '.arms[$a].plain.lossless_pps.median > 0' "$E2E_WORK/peers.json"
done
check "leaves no namespace" test "$(ip netns list | wc -l)" = "$before"
e2e_end
