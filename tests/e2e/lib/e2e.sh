# SPDX-License-Identifier: BSD-3-Clause
# What end-to-end tests share: counting checks, the topology, a dataplane in the gateway's namespace. To be sourced from
# the root of the source tree; a test ends with e2e_end.
# shellcheck shell=bash

set -u
E2E_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
E2E_BUILD=${TRUNKLINE_BUILD:-$E2E_ROOT/build}
E2E_WORK=$(mktemp -d /tmp/tl-e2e.XXXXXX)
E2E_PASSED=0 E2E_FAILED=0 E2E_SKIPPED=0
E2E_DATAPLANE=$E2E_BUILD/dataplane/trunkline-dataplane
dataplane_pid=

# shellcheck source=tools/lib/topology.sh
. "$E2E_ROOT/tools/lib/topology.sh"

e2e_cleanup() {
    trap - EXIT INT TERM
    dataplane_kill
    topo_down
    # DPDK's folder, where the last dataplane was killed
    rmdir "/var/run/dpdk/tl-e2e-$$" 2>/dev/null
    rm -rf "$E2E_WORK"
}
trap e2e_cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

pass() { echo "ok   $*"; E2E_PASSED=$((E2E_PASSED + 1)); }
fail() { echo "FAIL $*"; E2E_FAILED=$((E2E_FAILED + 1)); }
skip() { echo "SKIP $*"; E2E_SKIPPED=$((E2E_SKIPPED + 1)); }

# check TITLE COMMAND...: passes when the command succeeds; its output is shown when it does not. The command runs in this
# shell: it may set variables and leave a child.
check() {
    local title=$1
    shift
    if "$@" >"$E2E_WORK/check" 2>&1; then
        pass "$title"
    else
        fail "$title"
        sed 's/^/     /' "$E2E_WORK/check"
        return 1
    fi
}

# within SECONDS COMMAND...: whether the command succeeds within that time
within() {
    local tries
    for ((tries = 0; tries < 10 * $1; tries++)); do
        "${@:2}" && return 0
        sleep 0.1
    done
    return 1
}

# Prints the count and gives the exit status.
e2e_end() {
    echo "$E2E_PASSED passed, $E2E_FAILED failed, $E2E_SKIPPED skipped"
    [ "$E2E_FAILED" = 0 ]
    exit
}

# e2e_skip WHY: the whole test cannot run here
e2e_skip() {
    skip "$*"
    e2e_end
}

# e2e_count TITLE COMMAND...: runs a program that counts its own checks, and adds them up. A program that fails without
# counting a failure, or counts nothing, has failed.
e2e_count() {
    local title=$1 out=$E2E_WORK/count status=0 last
    shift
    "$@" >"$out" 2>"$out.err" || status=$?
    last=$(tail -n 1 "$out")
    sed '$d' "$out" | sed "s/^\(ok  \|FAIL\) /\1 $title: /"
    if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
        E2E_PASSED=$((E2E_PASSED + BASH_REMATCH[1]))
        E2E_FAILED=$((E2E_FAILED + BASH_REMATCH[2]))
        E2E_SKIPPED=$((E2E_SKIPPED + BASH_REMATCH[3]))
        if [ $status != 0 ]; then
            sed 's/^/     /' "$out.err"
            if [ "${BASH_REMATCH[2]}" = 0 ]; then fail "$title: exit status $status"; fi
        fi
    else
        { echo "$last"; cat "$out.err"; } | sed 's/^/     /'
        fail "$title: ended with status $status and without a count"
    fi
}

# ---- dataplane ---------------------------------------------------------------------------------------

# dataplane_config FILE [jq program]: a configuration for the topology as it is now, two sides on AF_PACKET, one worker;
# the program changes it. The peer's device and the core's are .dataplane.ports[0] and [1].
dataplane_config() {
    local file=$1 program=${2:-.}
    jq -n --arg socket "$E2E_WORK/dataplane.sock" --arg prefix "tl-e2e-$$" \
        --arg peer "net_af_packet0,iface=$TOPO_DP_PEER_IF,qdisc_bypass=1,framecnt=4096,blocksz=65536" \
        --arg core "net_af_packet1,iface=$TOPO_DP_CORE_IF,qdisc_bypass=1,framecnt=4096,blocksz=65536" \
        --arg peer_media "$TOPO_PEER_MEDIA_IP/24" --arg core_media "$TOPO_CORE_MEDIA_IP/24" \
        --arg peer_sip "$TOPO_PEER_SIP_IP:5060" --arg core_sip "$TOPO_CORE_SIP_IP:5060" \
        --arg peer_ip "$TOPO_PEER_IP:5060" --arg core_ip "$TOPO_CORE_IP:5060" '{
            dataplane: {socket: $socket, file_prefix: $prefix, main_core: 0, worker_cores: [1], poll: "adaptive",
                huge_pages: false, memory_mb: 128, mbufs: 32767, max_sessions: 500,
                ports: [{name: "peer", device: $peer, rx_descriptors: 1024, tx_descriptors: 1024},
                    {name: "core", device: $core, rx_descriptors: 1024, tx_descriptors: 1024}]},
            realms: [{name: "peer", port: "peer", address: $peer_media}, {name: "core", port: "core", address: $core_media, side: "core"}],
            listeners: [{name: "peer", transport: "udp", address: $peer_sip}, {name: "core", transport: "udp", address: $core_sip}],
            trunks: [{name: "peer", listener: "peer", peer: $peer_ip, realm: "peer"},
                {name: "core", listener: "core", peer: $core_ip, realm: "core"}],
            routes: [{prefix: "", from: "peer", trunks: ["core"]}, {prefix: "", from: "core", trunks: ["peer"]}]
        }' | jq "$program" >"$file"
}

# dataplane_start FILE: runs it in the gateway's namespace, waits until it serves. Its words are in $E2E_WORK/dataplane.log.
dataplane_start() {
    local tries
    # emptied here and not by the child, which may be slower than the first look for the line of a ready dataplane
    : >"$E2E_WORK/dataplane.log"
    ip netns exec "$TOPO_GW_NS" "$E2E_DATAPLANE" --config "$1" >>"$E2E_WORK/dataplane.log" 2>&1 </dev/null &
    dataplane_pid=$!
    for ((tries = 0; tries < 100; tries++)); do
        grep -q ': version .* control at ' "$E2E_WORK/dataplane.log" && return 0
        kill -0 "$dataplane_pid" 2>/dev/null || break
        sleep 0.1
    done
    sed 's/^/     /' "$E2E_WORK/dataplane.log"
    dataplane_kill
    return 1
}

# Ends it in order. Fails when it does not end (it gives its workers five seconds) or its exit status
# is not 0.
dataplane_stop() {
    local tries status
    [ -n "$dataplane_pid" ] || return 1
    kill -TERM "$dataplane_pid"
    for ((tries = 0; tries < 200; tries++)); do
        [ "$(sed 's/.*) //' "/proc/$dataplane_pid/stat" 2>/dev/null | cut -c1)" = Z ] && break
        [ -d "/proc/$dataplane_pid" ] || break
        sleep 0.05
    done
    [ $tries -lt 200 ] || { echo "still there ten seconds after SIGTERM"; dataplane_kill; return 1; }
    wait "$dataplane_pid"
    status=$?
    dataplane_pid=
    [ $status = 0 ] || { echo "exit status $status"; sed 's/^/     /' "$E2E_WORK/dataplane.log"; return 1; }
}

dataplane_kill() {
    [ -n "$dataplane_pid" ] || return 0
    kill -KILL "$dataplane_pid" 2>/dev/null
    wait "$dataplane_pid" 2>/dev/null
    dataplane_pid=
}

# drive [OPTIONS]: runs drive_relay on the dataplane
drive() {
    timeout 60 "$E2E_BUILD/tests/tools/drive_relay" --socket "$E2E_WORK/dataplane.sock" \
        --peer "$TOPO_PEER_NS,${drive_peer_ip:-$TOPO_PEER_IP},$TOPO_PEER_MEDIA_IP" \
        --core "$TOPO_CORE_NS,$TOPO_CORE_IP,$TOPO_CORE_MEDIA_IP" "$@"
}
