#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The port as a host beside the kernel: ARP and ping for the media address by the dataplane, for the SIP address by the
# kernel; next hops on-link and behind a router; a party that changes its MAC; a party that is not there.
. "$(dirname "$0")/lib/e2e.sh"
[ "$(id -u)" = 0 ] || e2e_skip "network namespaces need root"
topo_up || e2e_skip "network namespaces cannot be made here"
peer() { ip netns exec "$TOPO_PEER_NS" "$@"; }
gw() { ip netns exec "$TOPO_GW_NS" "$@"; }
# the counter of the gateway's kernel: IpInAddrErrors and the like
kernel_count() { gw awk -v name="$1" '$1 == "Ip:" || $1 == "Icmp:" {if (!($1 in head)) {head[$1] = $0; next}
    n = split(head[$1], k); split($0, v); for (i = 2; i <= n; i++) if ($1 k[i] == name) print v[i]}' /proc/net/snmp; }
neighbour_mac() { ip -n "$TOPO_PEER_NS" -j neigh show "$1" | jq -r '.[0].lladdr // empty'; }

dataplane_config "$E2E_WORK/host.json"
# Somebody who knew the address before has a wrong MAC for it: the announcement at the start mends that.
ip -n "$TOPO_PEER_NS" neigh add "$TOPO_PEER_MEDIA_IP" lladdr 02:00:00:00:00:99 nud stale dev "$TOPO_PEER_IF"
check "starts" dataplane_start "$E2E_WORK/host.json" || e2e_end
mac=$(ip -n "$TOPO_GW_NS" -j link show dev "$TOPO_GW_PEER_IF" | jq -r '.[0].address')
knows_mac() { test "$(neighbour_mac "$TOPO_PEER_MEDIA_IP")" = "$mac"; }
check "it announced its media address" within 4 knows_mac
ip -n "$TOPO_PEER_NS" neigh flush all

before=$(kernel_count Icmp:InEchos)
check "ping of the media address is answered" peer ping -q -c 20 -i 0.05 -W 1 "$TOPO_PEER_MEDIA_IP"
check "by the dataplane: the kernel saw none" test "$(kernel_count Icmp:InEchos)" = "$before"
check "its MAC is the interface's" knows_mac
for size in 0 1 55 1000 1472; do
    check "ping with $size bytes" peer ping -q -c 2 -i 0.05 -W 1 -s $size "$TOPO_PEER_MEDIA_IP"
done
check "ping of the SIP address is answered" peer ping -q -c 5 -i 0.05 -W 1 "$TOPO_PEER_SIP_IP"
check "by the kernel" test "$(kernel_count Icmp:InEchos)" = $((before + 5))
check "each is answered once" sh -c "ip netns exec $TOPO_PEER_NS ping -c 5 -i 0.05 -W 1 $TOPO_PEER_MEDIA_IP | tee /dev/stderr | grep -c 'bytes from' | grep -qx 5"
if peer ping -q -c 2 -i 0.1 -W 1 10.99.1.77 >/dev/null 2>&1; then fail "nobody answers for another address"; else pass "nobody answers for another address"; fi
if peer ping -q -c 1 -W 1 -s 2000 "$TOPO_PEER_MEDIA_IP" >/dev/null 2>&1; then fail "fragments are not answered"; else pass "fragments are not answered"; fi
check "the kernel sent no redirect and no error" test "$(kernel_count Icmp:OutDestUnreachs)$(kernel_count Icmp:OutRedirects)" = 00
check "the kernel forwarded nothing" test "$(kernel_count Ip:ForwDatagrams)" = 0
e2e_count "on-link" drive --sessions 2 --packets 50

# Frames that no honest host sends, while calls run: nothing of it gets in their way.
peer timeout 60 "$E2E_BUILD/tests/tools/frame_noise" "$TOPO_PEER_IF" "$mac" 10.99.1.66 "$TOPO_PEER_MEDIA_IP" "$TOPO_PEER_IP" 20000 "${SEED:-1}" \
    >"$E2E_WORK/noise" 2>&1 &
noise=$!
e2e_count "beside noise" drive --sessions 4 --packets 200 --noise
check "the noise went out" wait $noise
check "and the dataplane still runs" kill -0 "$dataplane_pid"
sleep 1 # what is still in the receive ring must not count among the next sessions' drops
e2e_count "after noise" drive --sessions 2 --packets 20

# The peer's interface gets another MAC, as when a spare machine takes over: its announcement moves the media there.
ip -n "$TOPO_PEER_NS" link set "$TOPO_PEER_IF" address 02:00:00:00:00:55
e2e_count "another MAC, unannounced" drive --sessions 2 --packets 50
check "ends in order on SIGTERM" dataplane_stop

# A peer behind a router: the realm's gateway is the next hop, and nothing is asked for the peer itself.
ip -n "$TOPO_PEER_NS" addr add 10.99.1.254/24 dev "$TOPO_PEER_IF"
ip -n "$TOPO_PEER_NS" addr add 192.0.2.10/32 dev lo
dataplane_config "$E2E_WORK/routed.json" '.realms[0].gateway = "10.99.1.254"'
check "starts with a gateway" dataplane_start "$E2E_WORK/routed.json" || e2e_end
drive_peer_ip=192.0.2.10
e2e_count "behind a router" drive --sessions 2 --packets 50
check "ends in order on SIGTERM" dataplane_stop

# No gateway: the same peer cannot be reached, and the drop says so.
check "starts without a gateway" dataplane_start "$E2E_WORK/host.json" || e2e_end
e2e_count "off-link" drive --sessions 1 --packets 20 --lost no_route
drive_peer_ip=
check "ends in order on SIGTERM" dataplane_stop

# A party that is not there: packets to it wait for ARP, then are dropped by name. It comes, and gets its media.
check "starts for a party that is away" dataplane_start "$E2E_WORK/host.json" || e2e_end
drive_peer_ip=10.99.1.77
# its packets come from an address that nobody answers ARP for
e2e_count "away" drive --sessions 1 --packets 20 --lost no_neighbour
ip -n "$TOPO_PEER_NS" addr add 10.99.1.77/24 dev "$TOPO_PEER_IF"
sleep 1.2 # its hold-down
e2e_count "back again" drive --sessions 1 --packets 20
check "ends in order on SIGTERM" dataplane_stop
e2e_end
