#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# tools/bench-signalling.sh works: calls pass through each arm, and each figure is there. No figure is judged.
. "$(dirname "$0")/lib/e2e.sh"
cd "$E2E_ROOT" || exit 1
[ "$(id -u)" = 0 ] || e2e_skip "network namespaces need root"
for program in sipp kamailio rtpengine nc; do
    command -v $program >/dev/null || e2e_skip "there is no $program here"
done

before=$(ip netns list | wc -l)
check "runs" env TRUNKLINE_BUILD="$E2E_BUILD" timeout 240 tools/bench-signalling.sh --quick --search no --live 100 --json "$E2E_WORK/s.json" || e2e_end
for arm in floor udp_udp tcp_udp tls_udp kamailio; do
    check "$arm: calls passed and were measured" jq -e --arg a $arm '.arms[$a] | .at_100.ok > 0 and .cpu_us_per_call > 0 and (.at_100.parts | all(. >= 0))
        and (.added_delay_ms | (.p50 | type == "number") and (.p99 | type == "number"))' "$E2E_WORK/s.json"
done
check "every call over us completed, at 100 a second" jq -e '[.arms | .udp_udp, .tcp_udp, .tls_udp | .at_100] | all(.calls > 0 and .ok == .calls)' "$E2E_WORK/s.json"
check "the manager's part stands alone" jq -e '.arms.udp_udp.at_100.parts | keys == ["control", "manager"]' "$E2E_WORK/s.json"
check "calls that are up were measured" jq -e '.live_calls["100"] | .up > 50 and .calls > 0 and .cpu_us_per_call > 0 and .bytes_per_call > 0' "$E2E_WORK/s.json"
check "leaves no namespace" test "$(ip netns list | wc -l)" = "$before"
e2e_end
