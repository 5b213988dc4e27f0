#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What a call costs trunkline-control: SIPp (Debian sip-tester) calls through it to SIPp, with the fake dataplane and no media, on loopback
# addresses in a namespace of its own. Prints calls, CPU time per call and memory while calls are up. Needs root.
#   tools/callbench.sh [--cps R] [--seconds S] [--hold MS | --live N]
#   tools/callbench.sh --count     instructions of control for a call, by callgrind (Debian valgrind): the difference of a longer and a shorter run
# --live N: calls last so long that N are up, at most 90,000; the CPU time is that of S seconds from then on, in which as many begin as end.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${TRUNKLINE_BUILD:-build}
cps=500 seconds=10 hold=1000 live=0
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) sed -n '3,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --cps) cps=$2 ;;
    --seconds) seconds=$2 ;;
    --hold) hold=$2 ;;
    --live) live=$2 ;;
    --count)
        runs=()
        for seconds in 14 28; do
            runs+=("$(CALLBENCH_COUNT=yes tools/callbench.sh --cps 15 --seconds $seconds --hold 200 | sed -n 's/^instructions: //p')")
            [ -n "${runs[-1]}" ] || { echo "callbench: a run under callgrind failed; is valgrind there?" >&2; exit 1; }
        done
        echo "control: $(((runs[1] - runs[0]) / 15 / 14)) instructions a call"
        exit
        ;;
    *) echo "usage: $0 [--cps R] [--seconds S] [--hold MS | --live N] | --count" >&2; exit 2 ;;
    esac
    shift 2
done
[ "$live" = 0 ] || hold=$((live * 1000 / cps))
# a realm has ports for 32,000 calls: so many pairs of trunks, each with realms and a SIPp of its own on both sides
pairs=$((live / 30001 + 1))
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

jq -n --arg dir "$dir" --argjson pairs "$pairs" '
    def realm($name; $side; $net): {name: $name, port: "p", side: $side, address: "\($net)/24", rtp_ports: [1024, 65535]};
    def trunk($name; $listener; $peer; $realm): {name: $name, listener: $listener, peer: "\($peer):5060", realm: $realm, options_interval_s: 0};
    {dataplane: {socket: "\($dir)/dataplane.sock", max_sessions: 100000, ports: [{name: "p", device: "net_null0"}]},
     control: {socket: "\($dir)/control.sock", max_calls: 100000, max_transactions: 1000000, peer_messages_per_s: 0},
     realms: [range($pairs) | realm("left\(.)"; "peer"; "198.51.\(100 + .).1"), realm("right\(.)"; "core"; "203.0.\(113 + .).1")],
     listeners: [{name: "a", transport: "udp", address: "127.0.1.1:5060"}, {name: "b", transport: "udp", address: "127.0.2.1:5060"}],
     trunks: [range($pairs) | trunk("caller\(.)"; "a"; "127.0.1.\(10 + .)"; "left\(.)"), trunk("callee\(.)"; "b"; "127.0.2.\(11 + .)"; "right\(.)")],
     routes: [range($pairs) | {prefix: "", from: "caller\(.)", trunks: ["callee\(.)"]}]}' >"$dir/config.json"
mkfifo "$dir/fake.in"
"$build/tests/tools/fake-dataplane" "$dir/config.json" <"$dir/fake.in" >/dev/null 2>&1 &
pids+=($!)
exec 7>"$dir/fake.in" # it ends with its input
under=()
[ -z "${CALLBENCH_COUNT:-}" ] || under=(valgrind --tool=callgrind --callgrind-out-file=/dev/null)
ip netns exec $ns "${under[@]}" "$build/control/trunkline-control" --config "$dir/config.json" 2>"$dir/control.log" 7>&- &
control=$!
pids+=("$control")
for _ in $(seq 400); do
    grep -q 'dataplane: connected' "$dir/control.log" && break
    sleep 0.05
done
grep -q 'dataplane: connected' "$dir/control.log" || { cat "$dir/control.log" >&2; exit 1; }
for ((i = 0; i < pairs; i++)); do
    ip netns exec $ns sipp -sf tests/e2e/sipp/uas_call.xml -i 127.0.2.$((11 + i)) -p 5060 -nostdin -mp $((6000 + 10 * i)) >/dev/null 2>&1 7>&- &
    pids+=($!)
done
sleep 0.5

cpu_ms() { awk -v hz="$(getconf CLK_TCK)" '{sub(/.*\) /, ""); print int(($12 + $13) * 1000 / hz)}' /proc/$control/stat; }
rss_kb() { awk '/VmRSS/ {print $2}' /proc/$control/status; }
up() { ip netns exec $ns "$build/tools/ctl/trunklinectl" --socket "$dir/control.sock" --json status | jq .calls.active; }

sed "s/pause milliseconds=\"200\"/pause milliseconds=\"$hold\"/" tests/e2e/sipp/uac_call.xml >"$dir/uac.xml"
idle=$(rss_kb) before=$(cpu_ms) start=$(date +%s%N)
calls=$((cps * seconds + live))
callers=()
for ((i = 0; i < pairs; i++)); do
    ip netns exec $ns timeout $((seconds + 2 * hold / 1000 + 60)) sipp 127.0.1.1:5060 -sf "$dir/uac.xml" -s 1100 -i 127.0.1.$((10 + i)) -p 5060 \
        -r $((cps / pairs)) -m $((calls / pairs)) -l 60000 -nostdin -mp $((7000 + 10 * i)) >"$dir/sipp$i.log" 2>&1 7>&- &
    callers+=($!)
    pids+=($!)
done
ended() { "$build/tools/ctl/trunklinectl" --socket "$dir/control.sock" --json status | jq ".calls.total - .calls.active"; }
most=0 most_rss=$idle
[ "$live" = 0 ] || { # until the first calls end, then for the seconds that count
    while kill -0 "${callers[0]}" 2>/dev/null && [ $((($(date +%s%N) - start) / 1000000)) -lt $((hold + 1000)) ]; do sleep 0.2; done
    most=$(up) most_rss=$(rss_kb) before=$(cpu_ms) from=$(ended)
    sleep $((seconds > 3 ? seconds - 2 : 1))
    cpu=$(($(cpu_ms) - before)) n=$(($(ended) - from))
    printf 'control: %d us of CPU a call, %d calls begun and ended; %d kB idle, %d kB with %d calls up\n' $((cpu * 1000 / (n ? n : 1))) "$n" "$idle" "$most_rss" "$most"
    exit $((n == 0))
}
while kill -0 "${callers[0]}" 2>/dev/null; do
    now=$(up) rss=$(rss_kb)
    [ "$now" -gt "$most" ] && most=$now most_rss=$rss
    printf '%6s calls up, %s kB\n' "$now" "$rss"
    sleep 1
done
wait "${callers[0]}"
status=$?
took=$((($(date +%s%N) - start) / 1000000)) cpu=$(($(cpu_ms) - before))
printf '%d calls in %d.%03d s, exit status of SIPp %d\n' $calls $((took / 1000)) $((took % 1000)) $status
printf 'control: %d us of CPU a call; %d kB idle, %d kB with %d calls up\n' $((cpu * 1000 / calls)) "$idle" "$most_rss" "$most"
[ -z "${CALLBENCH_COUNT:-}" ] || {
    kill -TERM "$control" && wait "$control"
    sed -n 's/.*Collected : /instructions: /p' "$dir/control.log"
}
exit $status
