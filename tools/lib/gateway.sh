# SPDX-License-Identifier: BSD-3-Clause
# Both daemons in the gateway's namespace, for the demo and the end-to-end tests. Sourced after tools/lib/topology.sh.
# shellcheck shell=bash

gateway_pids=()  # everything to end, newest last
gateway_dir=     # logs, configuration and sockets
gateway_build=

# gateway_config DIR HUGE SUITE TRANSPORT [packet|xdp]: DIR/config.json, the demo's example with this run's interfaces,
# sockets and suite, its ports on AF_PACKET or, in the bridge layout, AF_XDP.
gateway_config() {
    jq --arg dir "$1" --argjson huge "$2" --arg suite "$3" --arg t "$4" --arg driver "${5:-packet}" \
        --arg peer "$TOPO_DP_PEER_IF" --arg core "$TOPO_DP_CORE_IF" '
        .dataplane.socket = "\($dir)/dataplane.sock"
        | .dataplane.file_prefix = ($dir | split("/") | last | gsub("[^A-Za-z0-9]"; "-") | .[-28:])
        | .dataplane.huge_pages = $huge
        | .dataplane.ports[0].device |= if $driver == "xdp" then "net_af_xdp0,iface=\($peer)" else sub("iface=[^,]*"; "iface=\($peer)") end
        | .dataplane.ports[1].device |= if $driver == "xdp" then "net_af_xdp1,iface=\($core)" else sub("iface=[^,]*"; "iface=\($core)") end
        | .control.socket = "\($dir)/control.sock"
        | (.profiles[] | select(.name == "uc")).suites = [$suite]
        | .listeners |= map(select(.transport == $t))
        | (.listeners | map(.name)) as $names
        | .trunks |= map(select(.listener as $l | $names | index($l)))
        | (.trunks | map(.name)) as $trunks
        | .routes |= map(select(.from as $f | $trunks | index($f)))
    ' docs/examples/demo.json >"$1/config.json"
}

# gateway_rings DIR CALLS: makes the receive rings of DIR/config.json hold half a second of CALLS calls (50 packets a second
# each way, RTCP and DTMF beside), since a core of a small machine may stop for that long. AF_PACKET's frames have 2 kB.
gateway_rings() {
    local frames=4096 packets
    while [ $frames -lt $(($2 * 28)) ] && [ $frames -lt 32768 ]; do frames=$((frames * 2)); done
    packets=$((frames * 2 > 16384 ? frames * 2 - 1 : 16383))
    jq --arg frames "$frames" --argjson packets "$packets" '
        .dataplane.ports[].device |= sub("framecnt=[0-9]*"; "framecnt=\($frames)") | .dataplane.mbufs = $packets
        | .dataplane.memory_mb = (256 + $packets * 3 / 1024 | floor)' "$1/config.json" >"$1/config.new" && mv "$1/config.new" "$1/config.json"
}

# gateway_start DIR BUILD: starts both daemons on DIR/config.json and waits until control has the dataplane. On failure
# prints why and returns 1; gateway_stop ends what runs.
gateway_start() {
    gateway_dir=$1 gateway_build=$2
    gateway_start_dataplane && gateway_start_control
}

gateway_start_dataplane() {
    ip netns exec "$TOPO_GW_NS" "$gateway_build/dataplane/trunkline-dataplane" --config "$gateway_dir/config.json" \
        >>"$gateway_dir/dataplane.log" 2>&1 </dev/null &
    gateway_dataplane_pid=$!
    gateway_pids+=("$gateway_dataplane_pid")
    gateway_wait "the dataplane" "$gateway_dataplane_pid" dataplane.log test -S "$gateway_dir/dataplane.sock"
}

gateway_start_control() {
    ip netns exec "$TOPO_GW_NS" "$gateway_build/control/trunkline-control" --config "$gateway_dir/config.json" \
        >>"$gateway_dir/control.log" 2>&1 </dev/null &
    gateway_control_pid=$!
    gateway_pids+=("$gateway_control_pid")
    gateway_wait "control" "$gateway_control_pid" control.log gateway_ready
}

gateway_ctl() { "$gateway_build/tools/ctl/trunklinectl" --socket "$gateway_dir/control.sock" "$@"; }
gateway_ready() { [ "$(gateway_ctl --json stats 2>/dev/null | jq '.dataplane != null')" = true ]; }

# gateway_wait WHAT PID LOG COMMAND...: until COMMAND succeeds, the process ends, or 20 s are over.
gateway_wait() {
    local what=$1 pid=$2 log=$3 i
    shift 3
    for ((i = 0; i < 200; i++)); do
        "$@" && return 0
        if ! kill -0 "$pid" 2>/dev/null; then
            echo "$what did not start:" >&2
            tail -n 15 "$gateway_dir/$log" >&2
            return 1
        fi
        sleep 0.1
    done
    echo "$what is not ready after 20 s:" >&2
    tail -n 15 "$gateway_dir/$log" >&2
    return 1
}

# gateway_alive: whether both daemons run; if not, the dead one's last lines.
gateway_alive() {
    kill -0 "$gateway_dataplane_pid" 2>/dev/null || { tail -n 15 "$gateway_dir/dataplane.log" >&2; return 1; }
    kill -0 "$gateway_control_pid" 2>/dev/null || { tail -n 15 "$gateway_dir/control.log" >&2; return 1; }
}

# gateway_stats: the dataplane's counters as JSON.
gateway_stats() { gateway_ctl --json stats; }

# gateway_calls: {"calls_live": N, "sessions": N}
gateway_calls() {
    local live
    live=$(gateway_ctl --json calls | jq '.calls | length') || return 1
    gateway_stats | jq -c --argjson live "${live:-0}" '{calls_live: $live, sessions: .dataplane.sessions}'
}

# gateway_settle: waits, at most 5 s, until calls and sessions are gone and the counters stand still.
gateway_settle() {
    local i last='' now
    for ((i = 0; i < 25; i++)); do
        now=$(gateway_stats | jq -c '[.workers[] | .tx, .rx_nic]')
        if [ "$now" = "$last" ] && gateway_calls | grep -q '"calls_live":0,"sessions":0}'; then
            return 0
        fi
        last=$now
        sleep 0.2
    done
    return 0 # what is still up is the verdict's to say
}

# gateway_cycles BEFORE: TSC cycles a packet since the counters BEFORE, of loops that had packets.
gateway_cycles() {
    gateway_stats 2>/dev/null | jq -r --argjson b "$1" '
        (([.workers[].busy_packets] | add) - ([$b.workers[].busy_packets] | add)) as $n
        | if $n > 0 then ((([.workers[].busy_cycles] | add) - ([$b.workers[].busy_cycles] | add)) / $n | round) else "-" end' 2>/dev/null
}

# gateway_stop: ends what was started, newest first, and waits for it.
gateway_stop() {
    local i pid
    for ((i = ${#gateway_pids[@]} - 1; i >= 0; i--)); do
        pid=${gateway_pids[i]}
        kill -TERM "$pid" 2>/dev/null || continue
        for _ in {1..30}; do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
        kill -KILL "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    gateway_pids=()
}
