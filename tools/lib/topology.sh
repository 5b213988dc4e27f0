# SPDX-License-Identifier: BSD-3-Clause
# Three network namespaces on one machine: peer | gateway | core, a veth pair on each side. To be sourced.
#   topo_up [packet|bridge]   makes them (1 and a sentence when it cannot)
#   topo_down                 removes them with what still runs in them; fit for a trap, may run twice
# On each side the gateway has two addresses of one subnet: SIP, the kernel's, and media, which only the dataplane has.
#   packet   the dataplane takes packets (AF_PACKET) from the veth that the kernel has its SIP address on
#   bridge   the kernel's SIP address is on a bridge, the dataplane has a veth of its own in it: for AF_XDP, whose default
#            program leaves nothing to the kernel
# The names carry the pid of the shell, so that several runs fit side by side; what killed runs left behind goes first.
# shellcheck shell=bash disable=SC2034

TOPO_PREFIX=tl-topo
TOPO_PEER_NS=$TOPO_PREFIX-$$-peer TOPO_GW_NS=$TOPO_PREFIX-$$-gw TOPO_CORE_NS=$TOPO_PREFIX-$$-core

TOPO_PEER_IP=10.99.1.10 TOPO_PEER_SIP_IP=10.99.1.1 TOPO_PEER_MEDIA_IP=10.99.1.2
TOPO_CORE_IP=10.99.2.10 TOPO_CORE_SIP_IP=10.99.2.1 TOPO_CORE_MEDIA_IP=10.99.2.2

# in the party's namespace, in the gateway's, and the one that the dataplane opens
TOPO_PEER_IF=peer0 TOPO_GW_PEER_IF=gwp TOPO_DP_PEER_IF=gwp
TOPO_CORE_IF=core0 TOPO_GW_CORE_IF=gwc TOPO_DP_CORE_IF=gwc

topo_run_in() { ip netns exec "$@"; } # NAMESPACE COMMAND...

# A namespace with nothing but loopback that forwards nothing and speaks no IPv6.
topo_new_ns() {
    ip netns add "$1" && ip -n "$1" link set lo up || return 1
    topo_run_in "$1" sh -c 'cd /proc/sys/net && echo 0 >ipv4/ip_forward && echo 0 >ipv4/conf/all/rp_filter &&
        echo 0 >ipv4/conf/default/rp_filter && if [ -d ipv6 ]; then echo 1 >ipv6/conf/all/disable_ipv6; echo 1 >ipv6/conf/default/disable_ipv6; fi'
}

# One side: NAMESPACE INTERFACE ADDRESS | GATEWAY-INTERFACE SIP-ADDRESS
topo_side() {
    ip link add "$4" netns "$TOPO_GW_NS" type veth peer name "$2" netns "$1" &&
        ip -n "$1" addr add "$3/24" dev "$2" && ip -n "$1" link set "$2" up &&
        ip -n "$TOPO_GW_NS" addr add "$5/24" dev "$4" && ip -n "$TOPO_GW_NS" link set "$4" up || return 1
    # A kernel leaves UDP checksums on a veth to a device that is not there: what it sends must carry real ones.
    topo_run_in "$1" ethtool -K "$2" tx off >/dev/null
}

# Moves the SIP address of a side onto a bridge and gives the dataplane a veth in it: BRIDGE MEMBER DP-INTERFACE
# GATEWAY-INTERFACE SIP-ADDRESS
topo_bridge() {
    local n=$TOPO_GW_NS
    ip -n "$n" addr flush dev "$4" && ip -n "$n" link add "$1" type bridge && ip -n "$n" link set "$4" master "$1" &&
        ip -n "$n" link add "$2" type veth peer name "$3" && ip -n "$n" link set "$2" master "$1" &&
        ip -n "$n" addr add "$5/24" dev "$1" && ip -n "$n" link set "$2" up && ip -n "$n" link set "$3" up &&
        ip -n "$n" link set "$1" up
}

# Nothing leads from one party to the other but the gateway's addresses.
topo_check() {
    local ns to
    for ns in "$TOPO_PEER_NS $TOPO_CORE_IP" "$TOPO_CORE_NS $TOPO_PEER_IP"; do
        to=${ns#* } ns=${ns% *}
        if ip -n "$ns" route get "$to" >/dev/null 2>&1; then
            echo "topology: $ns has a route to $to" >&2
            return 1
        fi
    done
    [ "$(topo_run_in "$TOPO_GW_NS" cat /proc/sys/net/ipv4/ip_forward)" = 0 ] ||
        { echo "topology: the gateway forwards packets" >&2; return 1; }
}

topo_up() {
    local layout=${1:-packet}
    [ "$(id -u)" = 0 ] || { echo "topology: network namespaces need root: run it with sudo" >&2; return 1; }
    topo_remove_leftovers
    { topo_new_ns "$TOPO_PEER_NS" && topo_new_ns "$TOPO_GW_NS" && topo_new_ns "$TOPO_CORE_NS" &&
        topo_side "$TOPO_PEER_NS" $TOPO_PEER_IF $TOPO_PEER_IP $TOPO_GW_PEER_IF $TOPO_PEER_SIP_IP &&
        topo_side "$TOPO_CORE_NS" $TOPO_CORE_IF $TOPO_CORE_IP $TOPO_GW_CORE_IF $TOPO_CORE_SIP_IP; } ||
        { echo "topology: the namespaces could not be made (see above)" >&2; topo_down; return 1; }
    TOPO_DP_PEER_IF=$TOPO_GW_PEER_IF TOPO_DP_CORE_IF=$TOPO_GW_CORE_IF
    if [ "$layout" = bridge ]; then
        TOPO_DP_PEER_IF=mediap TOPO_DP_CORE_IF=mediac
        { topo_bridge brp memberp $TOPO_DP_PEER_IF $TOPO_GW_PEER_IF $TOPO_PEER_SIP_IP &&
            topo_bridge brc memberc $TOPO_DP_CORE_IF $TOPO_GW_CORE_IF $TOPO_CORE_SIP_IP; } ||
            { echo "topology: the bridges could not be made (see above)" >&2; topo_down; return 1; }
    fi
    topo_check || { topo_down; return 1; }
}

# Ends what runs in a namespace and removes it.
topo_remove_ns() {
    local pid
    for pid in $(ip netns pids "$1" 2>/dev/null); do
        kill -KILL "$pid" 2>/dev/null
    done
    ip netns del "$1" 2>/dev/null
}

topo_down() {
    local ns
    for ns in "$TOPO_PEER_NS" "$TOPO_GW_NS" "$TOPO_CORE_NS"; do
        if [ -e "/run/netns/$ns" ]; then topo_remove_ns "$ns"; fi
    done
    return 0
}

# Namespaces of shells that are no more.
topo_remove_leftovers() {
    local path ns pid
    for path in /run/netns/"$TOPO_PREFIX"-*; do
        ns=${path##*/}
        pid=${ns#"$TOPO_PREFIX"-}
        pid=${pid%-*}
        [[ $pid =~ ^[0-9]+$ ]] || continue
        [ -d "/proc/$pid" ] || topo_remove_ns "$ns"
    done
}

# ---- counters ----------------------------------------------------------------------------------------

topo_interface() { # NAMESPACE INTERFACE: {rx, tx} packets
    ip -n "$1" -s -j link show dev "$2" | jq -c '.[0].stats64 | {rx: .rx.packets, tx: .tx.packets}'
}

# What the kernel counted on each end of both veth pairs, as JSON: {peer: {rx, tx}, gateway_peer: …, gateway_core: …, core: …}
topo_interface_counters() {
    jq -nc --argjson peer "$(topo_interface "$TOPO_PEER_NS" $TOPO_PEER_IF)" \
        --argjson core "$(topo_interface "$TOPO_CORE_NS" $TOPO_CORE_IF)" \
        --argjson gateway_peer "$(topo_interface "$TOPO_GW_NS" $TOPO_GW_PEER_IF)" \
        --argjson gateway_core "$(topo_interface "$TOPO_GW_NS" $TOPO_GW_CORE_IF)" '$ARGS.named'
}

# Lets each party's kernel count its media: UDP to and from the gateway's media address. After topo_up.
topo_count_media() {
    local ns media
    for ns in "$TOPO_PEER_NS $TOPO_PEER_MEDIA_IP" "$TOPO_CORE_NS $TOPO_CORE_MEDIA_IP"; do
        media=${ns#* } ns=${ns% *}
        # -j ACCEPT ends the chain: what goes on to the second rule of INPUT is everything else
        { topo_run_in "$ns" iptables -w -A OUTPUT -p udp -d "$media" -j ACCEPT &&
            topo_run_in "$ns" iptables -w -A INPUT -p udp -s "$media" -j ACCEPT &&
            topo_run_in "$ns" iptables -w -A INPUT -i lo -j ACCEPT && topo_run_in "$ns" iptables -w -A INPUT -j ACCEPT; } ||
            { echo "topology: iptables cannot count in $ns (see above)" >&2; return 1; }
    done
}

topo_media_of() { # NAMESPACE INTERFACE
    local out in other iface
    out=$(topo_run_in "$1" iptables -w -nvxL OUTPUT | awk 'NR == 3 {print $1}')
    read -r -d '' in other < <(topo_run_in "$1" iptables -w -nvxL INPUT | awk 'NR == 3 || NR == 5 {print $1}')
    iface=$(topo_interface "$1" "$2")
    jq -nc --argjson out "$out" --argjson in "$in" --argjson other "$other" --argjson iface "$iface" \
        '{media_out: $out, media_in: $in, other_in: $other, iface_in: $iface.rx, iface_out: $iface.tx}'
}

# What each party's kernel counted since topo_count_media, as JSON: {peer: {media_out, media_in, other_in, iface_in,
# iface_out}, core: …}. other_in is IPv4 that is no media; iface_* are the interface's own packets, ARP among them, since
# topo_up.
topo_media_counters() {
    jq -nc --argjson peer "$(topo_media_of "$TOPO_PEER_NS" $TOPO_PEER_IF)" \
        --argjson core "$(topo_media_of "$TOPO_CORE_NS" $TOPO_CORE_IF)" '$ARGS.named'
}
