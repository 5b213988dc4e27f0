#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What a call costs trunkline-control: SIPp (Debian sip-tester) calls through it to SIPp, with the fake dataplane and no media, on loopback
# addresses in a namespace of its own. Prints calls, CPU time per call and memory while calls are up. Needs root.
#   tools/callbench.sh [--cps R] [--seconds S] [--hold MS]
set -u
cd "$(dirname "$0")/.." || exit 1
build=${TRUNKLINE_BUILD:-build}
cps=500 seconds=10 hold=1000
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) sed -n '3,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --cps) cps=$2 ;;
    --seconds) seconds=$2 ;;
    --hold) hold=$2 ;;
    *) echo "usage: $0 [--cps R] [--seconds S] [--hold MS]" >&2; exit 2 ;;
    esac
    shift 2
done
command -v sipp >/dev/null || { echo "callbench: needs sipp: apt-get install sip-tester" >&2; exit 1; }
ns=callbench$$
dir=$(mktemp -d /tmp/tl-callbench.XXXXXX)
pids=()
cleanup() {
    trap - EXIT INT TERM
    exec 7>&- 2>/dev/null
    [ ${#pids[@]} -gt 0 ] && kill "${pids[@]}" 2>/dev/null
    wait
    ip netns del $ns 2>/dev/null
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
ip netns add $ns && ip -n $ns link set lo up || { echo "callbench: needs the right to make network namespaces" >&2; exit 1; }

cat >"$dir/config.json" <<CONFIG
{"dataplane": {"socket": "$dir/dataplane.sock", "max_sessions": 60000, "ports": [{"name": "p", "device": "net_null0"}]},
 "control": {"socket": "$dir/control.sock", "max_calls": 30000},
 "realms": [{"name": "left", "port": "p", "address": "198.51.100.1/24", "rtp_ports": [1024, 65535]},
            {"name": "right", "port": "p", "side": "core", "address": "203.0.113.1/24", "rtp_ports": [1024, 65535]}],
 "listeners": [{"name": "a", "transport": "udp", "address": "127.0.1.1:5060"}, {"name": "b", "transport": "udp", "address": "127.0.2.1:5060"}],
 "trunks": [{"name": "caller", "listener": "a", "peer": "127.0.1.10:5060", "realm": "left", "options_interval_s": 0},
            {"name": "callee", "listener": "b", "peer": "127.0.2.11:5060", "realm": "right", "options_interval_s": 0}],
 "routes": [{"prefix": "", "trunks": ["callee"]}]}
CONFIG
mkfifo "$dir/fake.in"
"$build/tests/tools/fake-dataplane" "$dir/config.json" <"$dir/fake.in" >/dev/null 2>&1 &
pids+=($!)
exec 7>"$dir/fake.in" # it ends with its input
ip netns exec $ns "$build/control/trunkline-control" --config "$dir/config.json" 2>"$dir/control.log" 7>&- &
control=$!
pids+=("$control")
for _ in $(seq 100); do
    grep -q 'dataplane: connected' "$dir/control.log" && break
    sleep 0.05
done
grep -q 'dataplane: connected' "$dir/control.log" || { cat "$dir/control.log" >&2; exit 1; }
ip netns exec $ns sipp -sf tests/e2e/sipp/uas_call.xml -i 127.0.2.11 -p 5060 -nostdin -mp 6000 >/dev/null 2>&1 7>&- &
pids+=($!)
sleep 0.5

cpu_ms() { awk -v hz="$(getconf CLK_TCK)" '{sub(/.*\) /, ""); print int(($12 + $13) * 1000 / hz)}' /proc/$control/stat; }
rss_kb() { awk '/VmRSS/ {print $2}' /proc/$control/status; }
up() { ip netns exec $ns "$build/tools/ctl/trunklinectl" --socket "$dir/control.sock" --json status | jq .calls.active; }

sed "s/pause milliseconds=\"200\"/pause milliseconds=\"$hold\"/" tests/e2e/sipp/uac_call.xml >"$dir/uac.xml"
idle=$(rss_kb) before=$(cpu_ms) start=$(date +%s%N)
ip netns exec $ns timeout $((seconds + hold / 1000 + 60)) sipp 127.0.1.1:5060 -sf "$dir/uac.xml" -s 1100 -i 127.0.1.10 -p 5060 -r "$cps" \
    -m $((cps * seconds)) -l 30000 -nostdin -mp 7000 >"$dir/sipp.log" 2>&1 7>&- &
caller=$!
pids+=("$caller")
most=0 most_rss=$idle
while kill -0 $caller 2>/dev/null; do
    now=$(up) rss=$(rss_kb)
    [ "$now" -gt "$most" ] && most=$now most_rss=$rss
    printf '%6s calls up, %s kB\n' "$now" "$rss"
    sleep 1
done
wait $caller
status=$?
took=$((($(date +%s%N) - start) / 1000000)) calls=$((cps * seconds)) cpu=$(($(cpu_ms) - before))
printf '%d calls in %d.%03d s, exit status of SIPp %d\n' $calls $((took / 1000)) $((took % 1000)) $status
printf 'control: %d us of CPU a call; %d kB idle, %d kB with %d calls up\n' $((cpu * 1000 / calls)) "$idle" "$most_rss" "$most"
exit $status
