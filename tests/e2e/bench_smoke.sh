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
    if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)) && echo "FAIL $name"; fi
}

# run ONLY ARM...: the engine arms whose names contain ONLY, with what they are compared with
run() {
    local only=$1 arm status
    shift
    timeout 100 "$build/tools/bench/trunkline-bench" --no-huge --streams 1,100 --only "$only" --repetitions 1 --slice-us 1 --json "$dir/out.json" >"$dir/out" 2>"$dir/err"
    status=$?
    [ $status = 0 ] || tail -n 30 "$dir/out" "$dir/err"
    check "$only: it ends well" [ $status = 0 ]
    check "$only: the gate passed" jq -e '.gate.passed and .gate.sent > 0' "$dir/out.json" >/dev/null
    for arm in "$@"; do
        check "$arm ran" jq -e --arg a "$arm" '.arms[$a].streams["100"].gate | .passed and .sent > 0 and .wrong == 0' "$dir/out.json" >/dev/null
    done
}

run relay null mac_swap relay
run cm80 raw_cm80 libre_cm80 rtp_srtp_cm80 srtp_rtp_cm80 srtp_srtp_cm80
run gcm128 raw_gcm128 libre_gcm128 rtp_srtp_gcm128 srtp_rtp_gcm128 srtp_srtp_gcm128
run mixed mixed
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
