#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The benchmark works and every arm's packets pass its gate. No figure is judged.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=${TRUNKLINE_BUILD:-build}
dir=$(mktemp -d /tmp/tl-bench.XXXXXX)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0
check() { # NAME CONDITION...
    local name=$1
    shift
    if "$@" >/dev/null; then passed=$((passed + 1)); else failed=$((failed + 1)) && echo "FAIL $name"; fi
}

timeout 200 "$build/tools/bench/trunkline-bench" --no-huge --streams 1,100 --repetitions 1 --slice-us 1 --json "$dir/out.json" >"$dir/out" 2>"$dir/err"
status=$?
[ $status = 0 ] || tail -n 30 "$dir/out" "$dir/err"
check "it ends well" [ $status = 0 ]
check "the gate passed" jq -e '.gate.passed and .gate.sent > 0 and .gate.by_libsrtp2 > 0' "$dir/out.json"
for arm in null mac_swap raw_cm80 raw_gcm128 libre_cm80 libre_gcm128 relay rtp_srtp_cm80 srtp_rtp_cm80 srtp_srtp_cm80 rtp_srtp_gcm128 srtp_rtp_gcm128 \
    srtp_srtp_gcm128 alaw_ulaw mixed attack; do
    check "$arm ran" jq -e --arg a $arm '.arms[$a].streams["100"].gate | .passed and .sent > 0' "$dir/out.json"
done
check "an attack's packets are refused" jq -e '.arms.attack.streams["100"].gate | .came_out == 0 and .dropped == .sent' "$dir/out.json"
check "what needs two cores ran" jq -e '.throughput.relay and .latency.relay["90"].wall_us.count > 0 and .two_workers.relay.gate' "$dir/out.json"
check "sessions come and go without a packet lost" jq -e '.updates | .adds_per_second > 0 and .deletes_per_second > 0 and .refused == 0 and .packets_lost == 0' "$dir/out.json"
check "good packets pass under attack" jq -e '.under_attack | .good_sent > 0 and .forged_sent > 0 and .good_lost == 0' "$dir/out.json"
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
