#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The relay over AF_XDP: the dataplane has a veth of its own in a bridge, SIP's address is the bridge's.
. "$(dirname "$0")/lib/e2e.sh"
[ "$(id -u)" = 0 ] || e2e_skip "network namespaces need root"
ls /usr/lib/*/dpdk/pmds-*/librte_net_af_xdp.so >/dev/null 2>&1 || e2e_skip "this DPDK has no AF_XDP driver"

topo_up bridge || e2e_skip "network namespaces with bridges cannot be made here"
dataplane_config "$E2E_WORK/xdp.json" '
    .dataplane.ports[0].device = "net_af_xdp0,iface='"$TOPO_DP_PEER_IF"'" |
    .dataplane.ports[1].device = "net_af_xdp1,iface='"$TOPO_DP_CORE_IF"'" |
    .dataplane.memory_mb = 256'
if ! dataplane_start "$E2E_WORK/xdp.json" >"$E2E_WORK/start" 2>&1; then
    # a kernel without AF_XDP is a reason to skip, everything else is a failure
    if grep -qi 'not supported\|Operation not permitted' "$E2E_WORK/start"; then
        e2e_skip "this kernel has no AF_XDP: $(head -n 1 "$E2E_WORK/start")"
    fi
    cat "$E2E_WORK/start"
    fail "a dataplane on AF_XDP starts"
    e2e_end
fi
pass "a dataplane on AF_XDP starts"
e2e_count "AF_XDP" drive --sessions 8 --packets 200
check "the kernel still answers for the SIP address" \
    ip netns exec "$TOPO_PEER_NS" ping -q -c 3 -i 0.2 -W 1 "$TOPO_PEER_SIP_IP"
check "the dataplane answers for the media address" \
    ip netns exec "$TOPO_PEER_NS" ping -q -c 3 -i 0.2 -W 1 "$TOPO_PEER_MEDIA_IP"
check "ends in order on SIGTERM" dataplane_stop

# Killed: the program that AF_XDP put on the interface stays there and must not be in the way.
check "starts before it is killed" dataplane_start "$E2E_WORK/xdp.json" || e2e_end
dataplane_kill
check "starts after it was killed" dataplane_start "$E2E_WORK/xdp.json" || e2e_end
e2e_count "AF_XDP after a kill" drive --sessions 2 --packets 50
check "ends in order on SIGTERM" dataplane_stop
e2e_end
