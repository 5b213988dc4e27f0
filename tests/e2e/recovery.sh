#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Either daemon is killed under calls, with SRTP on the core side, and comes back. The dataplane: control gives it the sessions
# again, media flows on with the same keys and higher indices. Control: media does not notice; a new control ends the sessions,
# because it does not know the calls. Both at once: nothing stale is in the way.
. "$(dirname "$0")/lib/calls.sh"
calls_begin
calls_config '
    .control += {t1_ms: 50, t2_ms: 200}
    | .trunks[0].dtmf_pt = 101 | .trunks[1] += {srtp: "required", dtmf_pt: 96}'
gateway_up
first=$gateway_dataplane_pid

# progress SIDE WORD: the number behind it in the newest line of the generator
progress() { tail -n 1 "$E2E_WORK/generator-$1.out" | sed -n "s/.*$2 \([0-9]*\).*/\1/p"; }

# more SIDE PACKETS SECONDS: that many more arrive there, all of them good
more() {
    local i before now bad
    before=$(progress "$1" received) bad=$(progress "$1" bad)
    for ((i = 0; i < $3 * 10; i++)); do
        now=$(progress "$1" received)
        if [ "${now:-0}" -ge $((before + $2)) ]; then
            [ "$(progress "$1" bad)" = "$bad" ] && return 0
            echo "$1: bad packets"
            break
        fi
        sleep 0.1
    done
    tail -n 3 "$E2E_WORK/generator-$1.out"
    return 1
}

killed() { # PID: dies at once and is no longer waited for
    local pid rest=()
    kill -KILL "$1"
    wait "$1" 2>/dev/null
    for pid in "${gateway_pids[@]}"; do [ "$pid" = "$1" ] || rest+=("$pid"); done
    gateway_pids=("${rest[@]}")
}

has_dataplane() { gateway_ctl --json status | jq -e --argjson n "$1" '.dataplane.state == "up" and .dataplane.connected == $n'; }
sessions_are() { gateway_stats | jq -e --argjson n "$1" '.dataplane.sessions == $n'; }
again_sessions() { gateway_ctl --json status | jq -e --argjson n "$1" '.dataplane | .reinstalled == $n and .lost == 0'; }

for suite in AES_CM_128_HMAC_SHA1_80 AEAD_AES_128_GCM; do
    # every second call wraps its sequence number in its first seconds: the index has a ROC of 1 by then, which nothing in a
    # packet says
    generators $suite 2 --seconds 10 --wrap-every 2 --hangup caller --duration-limit 25
    check "$suite: calls are up" calls_up 4
    check "$suite: media arrives at the core's side" more core 900 10
    check "$suite: media arrives at the peer's side" more peer 10 5
    reinstalled=$(gateway_ctl --json status | jq .dataplane.reinstalled)
    connected=$(gateway_ctl --json status | jq .dataplane.connected)
    killed "$gateway_dataplane_pid"
    check "$suite: control lives without dataplane" wait_for 3 eval 'gateway_ctl --json status | jq -e ".dataplane.state == \"away\""'
    check "$suite: the dataplane starts again" gateway_start_dataplane
    check "$suite: control has it" wait_for 5 has_dataplane $((connected + 1))
    check "$suite: all sessions are given to it" wait_for 3 again_sessions $((reinstalled + 4))
    check "$suite: it has them" sessions_are 4
    check "$suite: authentic media arrives at the core's side again" more core 200 5
    check "$suite: and at the peer's side" more peer 200 5
    party_ended "$generator_peer" 20
    party_ended "$generator_core" 5
    # The packets of the gap are lost, which fails the calls for a generator; nothing else may be wrong with them.
    for side in peer core; do
        check "$suite: $side: no packet was bad, replayed or from elsewhere" report $side '.rtp | .bad_auth + .bad_payload + .misrouted + .bad_pt
            + .foreign + .duplicate + .reordered + .late_for_roc + .ssrc_changes == 0'
        check "$suite: $side: only packets of the gap are lost" report $side '.rtp.lost > 0 and .rtp.received > 4 * 200
            and all(.failures[]; .reason | test("packets lost|RTCP"))'
        check "$suite: $side: each call ended by its BYE" report $side '.calls.still_up == 0 and all(.per_call[]; .bye == "sent" or .bye == "received")'
    done
    # what comes in wrapped; what we send begins below 2^15 (RFC 3711 3.3.1) and did not
    check "$suite: half of the sequence numbers that came in wrapped" report core '.rtp.roc_steps_sent == 2 and .rtp.roc_steps_received == 0'
    check "$suite: no call and no session is left" calls_none
done
check "the dead dataplane was another process" test "$gateway_dataplane_pid" != "$first"

# ---- control dies ----------------------------------------------------------------------------------------

generators AES_CM_128_HMAC_SHA1_80 2 --seconds 8 --hangup caller --duration-limit 20
check "control: calls are up" calls_up 4
check "control: media arrives" more core 100 5
killed "$gateway_control_pid"
check "control killed: media flows on to the core's side" more core 300 5
check "control killed: and to the peer's side" more peer 100 5
check "control killed: the dataplane lives" kill -0 "$gateway_dataplane_pid"
check "a new control starts" gateway_start_control
check "it ends the four sessions that it does not know" wait_for 5 eval 'gateway_ctl --json status | jq -e ".dataplane.flushed == 4"'
check "no session is left" sessions_are 0
check "it has no calls" wait_for 1 eval 'gateway_ctl --json calls | jq -e ".calls == []"'
party_ended "$generator_peer" 25
party_ended "$generator_core" 5
for side in peer core; do
    check "control killed: $side: no packet was bad" report $side '.rtp | .bad_auth + .bad_payload + .misrouted + .bad_pt + .foreign + .duplicate == 0'
done

# ---- both die ------------------------------------------------------------------------------------------------

killed "$gateway_control_pid"
killed "$gateway_dataplane_pid"
check "both killed: their sockets are still there" test -S "$E2E_WORK/dataplane.sock" -a -S "$E2E_WORK/control.sock"
check "both killed: they start again" gateway_start "$E2E_WORK" "$E2E_BUILD"
generators AES_CM_128_HMAC_SHA1_80 1 --seconds 3 --duration-limit 15
check "both killed: calls as before, the peer's side" party_ended "$generator_peer" 15
check "both killed: calls as before, the core's side" party_ended "$generator_core" 5
check "both killed: no call and no session is left" calls_none
gateway_down
check "both leave no socket" test ! -e "$E2E_WORK/dataplane.sock" -a ! -e "$E2E_WORK/control.sock"
e2e_end
