#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# roc_on_rekey and mki on the wire. The core side calls itself new keys by re-INVITE behind a wrap of its sequence numbers, and goes on
# with the rollover counter that it had, 2, or with 0 (RFC 3711 3.3.1); its SRTP is made by libsrtp2. The peer side, plain RTP, must hear it
# or not as the trunk says, and what it returns must reach the core with a key identifier where that was agreed.
. "$(dirname "$0")/lib/calls.sh"
calls_need sipp
calls_begin
calls_config '.trunks[1] += {srtp: "required", suites: ["AES_CM_128_HMAC_SHA1_80"]}'
gateway_up

send=$E2E_BUILD/tests/tools/srtp_send
first_key=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d # as in sipp/uas_rekeys.xml
second_key=a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbd

# trunk SETTINGS: of the core, for the calls to come
trunk() {
    jq ".trunks[1] += $1" "$E2E_WORK/config.json" >"$E2E_WORK/next.json" && mv "$E2E_WORK/next.json" "$E2E_WORK/config.json" &&
        gateway_ctl reload
}

# from_core KEY SEQUENCE ROC PACKETS [MKI]: SRTP of the core to the port of its leg
from_core() {
    local port
    port=$(the_call '.b.local | sub(".*:"; "")') || return 1
    ip netns exec "$TOPO_CORE_NS" "$send" $TOPO_CORE_IP 6000 $TOPO_CORE_MEDIA_IP "$port" "$1" 0xbeef "$2" "$3" "$4" ${5:+"$5"}
}

# flow FILE FROM TO: packets, and the shortest and longest of them
flow() {
    awk -v from="$2:" -v to="$3:" '$1 == "rtp" && index($2, from) == 1 && index($3, to) == 1 { n += $5; s = $6; l = $7 } END { print n + 0, s + 0, l + 0 }' "$1"
}

acks() { [ "$(grep -c '^ACK ' "$E2E_WORK/core-$1.messages")" -ge 2 ]; }

watch() { # NAMESPACE NAME INTERFACE ADDRESS
    party "$1" "$2" "$E2E_BUILD/tests/tools/media_watch" "$3" "$4"
    watchers+=("$party_pid")
    wait_for 3 grep -q watching "$E2E_WORK/$2.out"
}

# rekey NAME SETTINGS ROC HEARD SIZE [LINE MKI]: a call in which the core goes on with that counter under its second key. The peer hears
# that many packets of 24; each that it returns has SIZE octets on the core's side. LINE and MKI: of the core's keys.
rekey() {
    local name=$1 settings=$2 roc=$3 heard=$4 size=$5 line=${6:-|2^31} mki=${7:-} core peer pid
    watchers=()
    check "$name" trunk "$settings"
    sipp_run "$TOPO_CORE_NS" "core-$name" uas_rekeys -i $TOPO_CORE_IP -p 5060 -mi $TOPO_CORE_IP -mp 7000 -key srtp_port 6000 -m 1 -key mki "$line" -timeout 30
    core=$party_pid
    wait_for 3 listens "$TOPO_CORE_NS" $TOPO_CORE_IP:5060
    watch "$TOPO_PEER_NS" "peer-wire-$name" $TOPO_PEER_IF $TOPO_PEER_IP
    watch "$TOPO_CORE_NS" "core-wire-$name" $TOPO_CORE_IF $TOPO_CORE_IP
    sipp_run "$TOPO_PEER_NS" "peer-$name" uac_reoffered "$TOPO_PEER_SIP_IP:5060" -i $TOPO_PEER_IP -p 5060 -mi $TOPO_PEER_IP -mp 6000 \
        -rtp_echo -s 1425 -m 1 -timeout 30
    peer=$party_pid
    check "  the call is up" calls_up 1
    check "  four packets cross the second wrap" from_core $first_key 65534 1 4 $mki
    check "  the core has its second key" wait_for 5 acks "$name"
    sleep 0.2
    check "  it goes on with rollover counter $roc" from_core $second_key 2 "$roc" 20 $mki
    sleep 0.3
    gateway_ctl hangup --all >/dev/null
    check "  the core's side went as it should" sipp_done "$core" "core-$name" 10
    check "  the peer's side went as it should" sipp_done "$peer" "peer-$name" 10
    check "  no call and no session is left" calls_none
    for pid in "${watchers[@]}"; do kill -TERM "$pid" && party_ended "$pid" 3; done
    check "  the peer hears $heard packets" is "$(flow "$E2E_WORK/peer-wire-$name.out" $TOPO_PEER_MEDIA_IP $TOPO_PEER_IP)" "$heard 172 172"
    check "  the core hears them again, $size octets each" \
        is "$(flow "$E2E_WORK/core-wire-$name.out" $TOPO_CORE_MEDIA_IP $TOPO_CORE_IP)" "$heard $size $size"
}

rekey auto-kept '{roc_on_rekey: "auto"}' 2 24 182
rekey auto-reset '{roc_on_rekey: "auto"}' 0 24 182
rekey keep-kept '{roc_on_rekey: "keep"}' 2 24 182
rekey keep-reset '{roc_on_rekey: "keep"}' 0 4 182
rekey reset-kept '{roc_on_rekey: "reset"}' 2 4 182
rekey reset-reset '{roc_on_rekey: "reset"}' 0 24 182
check "what had the other counter was not authentic" is "$(drops bad_auth)" 40

rekey mki-always '{roc_on_rekey: "auto", mki: "always"}' 2 24 183 '|2^31|1:1' 01
check "our offer had a key identifier" grep -q 'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:[^|]*|2^31|1:1' "$E2E_WORK/core-mki-always.messages"
rekey mki-none '{mki: "none"}' 0 24 182 '|2^31|513:2' 0201
check "our keys had none" eval '! grep -q "inline:[^|]*|2^31|1:1" "$E2E_WORK/core-mki-none.messages"'

gateway_down
e2e_end
