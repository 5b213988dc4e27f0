#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# tools/demo.sh as a user runs it: what its JSON says, both suites, both transports; that it fails when packets are lost on
# the way; that nothing is left of it after Ctrl-C.
. "$(dirname "$0")/lib/e2e.sh"
cd "$E2E_ROOT" || exit 1
[ "$(id -u)" = 0 ] || e2e_skip "network namespaces need root"
export TRUNKLINE_BUILD=$E2E_BUILD
demo_pid=

demo_cleanup() {
    trap - EXIT INT TERM
    if [ -n "$demo_pid" ]; then
        kill -TERM "$demo_pid" 2>/dev/null # it cleans up behind itself
        wait "$demo_pid" 2>/dev/null
    fi
    e2e_cleanup
}
trap demo_cleanup EXIT

# demo NAME ARGS...: in the background, in a session of its own and with SIGINT as from a terminal. Its words are in NAME.out and
# NAME.err.
demo() {
    local name=$1
    shift
    setsid env --default-signal=INT tools/demo.sh --calls 6 --seconds 4 --json "$@" >"$E2E_WORK/$name.out" 2>"$E2E_WORK/$name.err" </dev/null &
    demo_pid=$!
}

# demo_ends NAME STATUS SECONDS
demo_ends() {
    local i status=0
    for ((i = 0; i < $3 * 10; i++)); do
        kill -0 "$demo_pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -0 "$demo_pid" 2>/dev/null && { echo "it still runs after $3 s"; tail -n 5 "$E2E_WORK/$1.err"; return 1; }
    wait "$demo_pid" || status=$?
    [ $status = "$2" ] || { echo "exit status $status"; tail -n 25 "$E2E_WORK/$1.err"; return 1; }
}

says() { # NAME FILTER: the last line of its stdout is one JSON object of which the filter is true
    tail -n 1 "$E2E_WORK/$1.out" | jq -e "$2" >/dev/null || { tail -n 1 "$E2E_WORK/$1.out"; return 1; }
}

# What a good run says: every field is there, nothing was lost, and the three counts agree.
right='.ok and .problems == [] and .calls == {attempted: 6, completed: 6, failed: 0}
    and all(.rtp.core_to_peer, .rtp.peer_to_core; .sent > 6 * 20 and .received == .sent and .lost == 0 and .reordered == 0
        and .bad_auth == 0 and .early >= 0)
    and .setup_ms.p50 > 0 and .setup_ms.p99 >= .setup_ms.p50 and .dataplane.cycles_per_packet > 100
    and (.dataplane.drops | type) == "object" and (.counts.sent | .generators == .kernel and .kernel == .dataplane)
    and .counts.relayed.dataplane == .counts.relayed.kernel and ([.still_up[]] | add) == 0'

demo udp
check "SHA1_80 over UDP: ends with 0" demo_ends udp 0 40
check "SHA1_80 over UDP: every packet arrived" says udp "$right"
check "shows progress" grep -q 'cycles/packet' "$E2E_WORK/udp.err"

demo tcp --suite AEAD_AES_128_GCM --transport tcp
check "GCM over TCP: ends with 0" demo_ends tcp 0 40
check "GCM over TCP: every packet arrived" says tcp "$right"

# ---- it can fail: every hundredth packet to the core's party is lost ----------------------------------

# lose NAMESPACE SOURCE: in a table of its own, for the demo counts media in the usual one
lose() {
    local i
    for ((i = 0; i < 100; i++)); do
        [ -e "/run/netns/$1" ] && break
        sleep 0.1
    done
    ip netns exec "$1" iptables -w -t mangle -A PREROUTING -p udp -s "$2" -m statistic --mode nth --every 100 --packet 50 -j DROP
}
demo lossy
if lose "tl-topo-$demo_pid-core" "$TOPO_CORE_MEDIA_IP" >"$E2E_WORK/iptables" 2>&1; then
    check "1 % lost: ends with 1" demo_ends lossy 1 40
    check "1 % lost: says how many, and in which direction" says lossy '(.ok | not) and .rtp.peer_to_core.lost > 0 and .rtp.core_to_peer.lost == 0
        and .rtp.peer_to_core.lost == .rtp.peer_to_core.sent - .rtp.peer_to_core.received and .rtp.peer_to_core.bad_auth == 0
        and any(.problems[]; startswith("peer_to_core: ")) and .calls.failed > 0'
else
    skip "loss: no iptables statistic here ($(head -n 1 "$E2E_WORK/iptables"))"
    demo_ends lossy 0 40
fi

# ---- Ctrl-C ----------------------------------------------------------------------------------------------

# The temporary folder of the run, from the command line of its dataplane
run_dir() {
    pgrep -s "$demo_pid" -a | sed -n 's#.*trunkline-dataplane --config \(/tmp/[^/]*\)/.*#\1#p' | head -n 1
}
calls_run() { [ -n "$(run_dir)" ] && grep -q 'peer: .* up [1-9]' "$E2E_WORK/stopped.err"; }
nothing_left() {
    local left
    left=$(pgrep -s "$demo_pid" -a; ls -d /run/netns/tl-topo-"$demo_pid"-* "$dir" 2>/dev/null)
    [ -z "$left" ] || { echo "$left"; return 1; }
}
demo stopped --seconds 60
for ((i = 0; i < 150; i++)); do
    calls_run && break
    sleep 0.1
done
dir=$(run_dir)
check "calls are up before Ctrl-C" test -d "$dir"
check "its namespaces are there" test -e "/run/netns/tl-topo-$demo_pid-gw"
kill -INT -- "-$demo_pid"
check "Ctrl-C: ends with 130" demo_ends stopped 130 10
check "Ctrl-C: leaves no process, namespace or folder" nothing_left
check "Ctrl-C: leaves no folder of DPDK" test ! -e "/var/run/dpdk/$(basename "$dir" | tr -c 'A-Za-z0-9\n' '-')"
demo_pid=
e2e_end
