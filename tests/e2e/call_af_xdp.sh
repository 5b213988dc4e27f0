#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The demo's call on AF_XDP: the dataplane has a veth of its own in a bridge on each side, the kernel keeps SIP. Load generators on
# both sides, SRTP on the core side, a sequence wrap, digits, a hold; each side hangs up.
. "$(dirname "$0")/lib/calls.sh"
ls /usr/lib/*/dpdk/pmds-*/librte_net_af_xdp.so >/dev/null 2>&1 || e2e_skip "this DPDK has no AF_XDP driver"
calls_begin bridge
calls_config '
    .dataplane.ports[0].device = "net_af_xdp0,iface='$TOPO_DP_PEER_IF'"
    | .dataplane.ports[1].device = "net_af_xdp1,iface='$TOPO_DP_CORE_IF'"
    | .dataplane.memory_mb = 256
    | .trunks[0].dtmf_pt = 101 | .trunks[1] += {srtp: "required", dtmf_pt: 96}'
if ! gateway_start "$E2E_WORK" "$E2E_BUILD" >"$E2E_WORK/start" 2>&1; then
    # a kernel without AF_XDP is a reason to skip, everything else is a failure
    if grep -qi 'not supported\|Operation not permitted' "$E2E_WORK/dataplane.log"; then
        e2e_skip "this kernel has no AF_XDP: $(tail -n 1 "$E2E_WORK/dataplane.log")"
    fi
    cat "$E2E_WORK/start"
    fail "both daemons start"
    e2e_end
fi
pass "both daemons start"
check "both devices are AF_XDP" test "$(grep -c 'port .*: net_af_xdp[01],iface=.* link up' "$E2E_WORK/dataplane.log")" = 2

# calls SUITE TITLE
calls() {
    generators "$1" 2 --seconds 4 --dtmf 17 --wrap-every 2 --hold-every 2 --hangup alternate --duration-limit 20
    check "$2: the peer's side is content" party_ended "$generator_peer" 25
    check "$2: the core's side is content" party_ended "$generator_core" 5
    check "$2: what one side sent the other received" reports_agree 4
    check "$2: there were wraps, holds and digits" report core '.rtp.roc_steps_sent >= 2 and .calls.held >= 1 and .dtmf.received == 8'
    check "$2: no call and no session is left" calls_none
}
calls AEAD_AES_128_GCM GCM
calls AES_CM_128_HMAC_SHA1_80 SHA1_80
gateway_down
e2e_end
