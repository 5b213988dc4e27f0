#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Trunkline's main job, for real: sets up what is missing, makes three network namespaces (peer, gateway, core), runs
# both daemons in the gateway and an emulated party on each side, places SIP calls both ways with plain RTP on the peer side
# and SRTP on the core side, and judges every packet.
#   tools/demo.sh [--calls N] [--seconds S] [--cps R] [--suite NAME] [--transport udp|tcp] [--json]
#     --calls N        calls, half of them placed by each side (50)
#     --seconds S      length of a call, at least 4 (10)
#     --cps R          calls placed per second (10)
#     --suite NAME     AES_CM_128_HMAC_SHA1_80 or AEAD_AES_128_GCM (AES_CM_128_HMAC_SHA1_80)
#     --transport T    of SIP, on both sides (udp)
#     --json           the last line is one JSON object
# Exit status: 0 only if every call completed and every RTP packet arrived, authentic, in order, with the right payload;
# 1 if not; 2 for a wrong command line. Packets count as sent from ACK to 200 ms before BYE. TRUNKLINE_KEEP=DIR keeps logs and
# reports there.
set -u
cd "$(dirname "$0")/.."

calls=50 seconds=10 cps=10 suite=AES_CM_128_HMAC_SHA1_80 transport=udp json=0
usage() { sed -n '3,16s/^# \{0,1\}//p' "$0"; }
wrong() { echo "demo: $* (see --help)" >&2; exit 2; }
count() { [[ $2 =~ ^[0-9]{1,6}$ ]] && [ "$2" -ge "$3" ] && [ "$2" -le "$4" ] || wrong "$1 takes a number from $3 to $4, not '$2'"; }
while [ $# -gt 0 ]; do
    case $1 in
    --calls) count "$1" "${2-}" 1 1000; calls=$2; shift ;;
    --seconds) count "$1" "${2-}" 4 3600; seconds=$2; shift ;;
    --cps) count "$1" "${2-}" 1 100; cps=$2; shift ;;
    --suite)
        suite=${2-}
        case $suite in AES_CM_128_HMAC_SHA1_80 | AEAD_AES_128_GCM) ;; *) wrong "no suite '$suite'" ;; esac
        shift ;;
    --transport)
        transport=${2-}
        case $transport in udp | tcp) ;; *) wrong "no transport '$transport'" ;; esac
        shift ;;
    --json) json=1 ;;
    -h | --help) usage; exit 0 ;;
    *) wrong "unknown option '$1'" ;;
    esac
    shift
done
[ "$(id -u)" = 0 ] || { echo "demo: network namespaces need root: run it with sudo" >&2; exit 1; }

say() { if [ $json = 1 ]; then echo "$@" >&2; else echo "$@"; fi; }
fail() { echo "demo: $*" >&2; exit 1; }

# shellcheck source=tools/lib/topology.sh
. tools/lib/topology.sh
# shellcheck source=tools/lib/gateway.sh
. tools/lib/gateway.sh

work=$(mktemp -d /tmp/trunkline-demo.XXXXXX) || fail "no folder could be made in /tmp"
pages_before=
cleanup() {
    trap - EXIT INT TERM
    gateway_stop
    topo_down
    [ -z "$pages_before" ] || echo "$pages_before" >/proc/sys/vm/nr_hugepages
    [ -z "${TRUNKLINE_KEEP:-}" ] || cp -r "$work" "$TRUNKLINE_KEEP" # logs, reports, configuration
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

tools/setup.sh demo >&2 || fail "the packages could not be installed"
step() { # COMMAND...: a part of the build; waited for in a way that lets a signal end it
    "$@" >"$work/build.log" 2>&1 &
    gateway_pids+=($!)
    wait $!
}
build=${TRUNKLINE_BUILD:-}
if [ -z "$build" ]; then
    build=$PWD/build
    say "building"
    [ -f build/build.ninja ] || step meson setup build || { cat "$work/build.log" >&2; fail "meson setup failed"; }
    step ninja -C build || { tail -n 30 "$work/build.log" >&2; fail "the build failed"; }
fi

# Huge pages where we may: 2 MB each; without them the dataplane runs on ordinary memory.
huge=false
free_pages() { sed -n 's/^HugePages_Free: *//p' /proc/meminfo; }
if [ -w /proc/sys/vm/nr_hugepages ] && [ "$(free_pages)" -lt 192 ]; then
    pages_before=$(cat /proc/sys/vm/nr_hugepages)
    echo $((pages_before + 192)) 2>/dev/null >/proc/sys/vm/nr_hugepages
fi
[ "$(free_pages)" -ge 192 ] && huge=true

say "topology: peer $TOPO_PEER_IP | gateway | core $TOPO_CORE_IP, media addresses $TOPO_PEER_MEDIA_IP and $TOPO_CORE_MEDIA_IP"
topo_up || fail "the network namespaces could not be made"
topo_count_media || fail "the kernel cannot count media in the namespaces"
gateway_config "$work" "$huge" "$suite" "$transport" && gateway_rings "$work" "$calls" ||
    fail "the configuration could not be made"
gateway_start "$work" "$build" || fail "the gateway did not start; its logs are above"
before=$(gateway_stats)

# Each side places half of the calls and answers the other's; odd labels the peer's, then the core's from 100001 on.
from_peer=$(((calls + 1) / 2)) from_core=$((calls / 2))
limit=$((seconds + calls / cps + 30))
common=(--start-after 1 --seconds "$seconds" --cps "$(((cps + 1) / 2))" --transport "$transport" --dtmf 159 --hold-every 10 --wrap-every 2
    --hangup alternate --duration-limit "$limit" --progress)
party() { # NAMESPACE NAME ARGS...
    local ns=$1 name=$2
    shift 2
    ip netns exec "$ns" "$build/tools/loadgen/trunkline-loadgen" "$@" --json "$work/$name.json" "${common[@]}" \
        >"$work/$name.out" 2>"$work/$name.progress" &
}
say "calls: $calls of $seconds s at $cps a second, $suite over ${transport^^}"
party "$TOPO_PEER_NS" peer --local "$TOPO_PEER_IP:5060" --target "$TOPO_PEER_SIP_IP:5060" --calls $from_peer --first-call 1 \
    --expect-calls $from_core --number +4930 --telephone-event 101 --srtp off
peer_pid=$!
party "$TOPO_CORE_NS" core --local "$TOPO_CORE_IP:5060" --target "$TOPO_CORE_SIP_IP:5060" --calls $from_core --first-call 100001 \
    --expect-calls $from_peer --number +1425 --telephone-event 96 --srtp "$suite"
core_pid=$!
gateway_pids+=("$peer_pid" "$core_pid")

progress() {
    local p c
    p=$(tail -n 1 "$work/peer.progress" 2>/dev/null)
    c=$(tail -n 1 "$work/core.progress" 2>/dev/null)
    say "  peer:${p:- starting} | core:${c#* s } | $(gateway_cycles "$before") cycles/packet"
}
while kill -0 $peer_pid 2>/dev/null || kill -0 $core_pid 2>/dev/null; do
    sleep 1
    gateway_alive || fail "a daemon of the gateway ended; its log is above"
    progress
done
wait $peer_pid
wait $core_pid
[ -s "$work/peer.json" ] && [ -s "$work/core.json" ] || { cat "$work"/*.progress >&2; fail "a load generator ended without its report"; }

gateway_settle # the last BYEs' sessions are gone, nothing waits
jq -n --slurpfile peer "$work/peer.json" --slurpfile core "$work/core.json" \
    --argjson before "$before" --argjson after "$(gateway_stats)" --argjson control "$(gateway_calls)" \
    --argjson net "$(topo_media_counters)" --argjson calls "$calls" \
    '{peer: $peer[0], core: $core[0], $before, $after, $net, $control, $calls}' >"$work/all.json" &&
    jq -c -f tools/lib/verdict.jq "$work/all.json" >"$work/verdict.json" || fail "the reports could not be read"

jq -r '
    "", "calls      attempted \(.calls.attempted), completed \(.calls.completed), failed \(.calls.failed)",
    "set-up     \(.setup_ms.p50) ms median, \(.setup_ms.p99) ms 99th percentile",
    (.rtp | to_entries[] | "RTP        \(.key): sent \(.value.sent), received \(.value.received), lost \(.value.lost), reordered \(.value.reordered), bad tags \(.value.bad_auth), early \(.value.early)"),
    "dataplane  \(.dataplane.cycles_per_packet) cycles per packet; drops \(.dataplane.drops | to_entries | map("\(.key) \(.value)") | join(", ") | if . == "" then "none" else . end)",
    "counts     media to the gateway: generators \(.counts.sent.generators), kernel \(.counts.sent.kernel), dataplane \(.counts.sent.dataplane)",
    "           media from the gateway: dataplane \(.counts.relayed.dataplane), kernel \(.counts.relayed.kernel)",
    "still up   peer \(.still_up.peer), core \(.still_up.core), gateway \(.still_up.gateway), sessions \(.still_up.dataplane)",
    (.problems[] | "PROBLEM    \(.)"),
    (if .ok then "every call completed, every packet arrived" else "NOT everything was right" end)' "$work/verdict.json" |
    { if [ $json = 1 ]; then cat >&2; else cat; fi; }
[ $json = 0 ] || cat "$work/verdict.json"
jq -e .ok "$work/verdict.json" >/dev/null
