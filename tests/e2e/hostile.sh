#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# While calls are up, every SIP port gets garbage (datagrams, RFC 4475's messages, streams, half messages, connections that say
# nothing) and every media port gets packets that are none, are from elsewhere, were changed or came before. The calls must not
# notice; each drop has its name; neither daemon dies or grows.
. "$(dirname "$0")/lib/calls.sh"
calls_begin
# Of RFC 4475's messages some are sound calls: they find no route, so that the parties' own calls are the only ones.
calls_config '
    .control += {t1_ms: 50, t2_ms: 200} | .routes[0].prefix = "+4930" | .routes[1].prefix = "+1425"
    | .trunks[0].dtmf_pt = 101 | .trunks[1] += {srtp: "required", dtmf_pt: 96}
    | .listeners += [{name: "peer-tcp", transport: "tcp", address: "'$TOPO_PEER_SIP_IP':5060"},
        {name: "core-tcp", transport: "tcp", address: "'$TOPO_CORE_SIP_IP':5060"}]'
gateway_up
check "the kernels count media" topo_count_media || e2e_end
torture=${TRUNKLINE_TEST_DATA:-$E2E_ROOT/../shared/data}/rfc4475
[ -d "$torture" ] || skip "RFC 4475: its messages are not in $torture"

# garbage SIP-ADDRESS: run inside a party's namespace; ends within a few seconds
garbage() {
    local i file
    for ((i = 0; i < 150; i++)); do head -c $((RANDOM % 1400 + 1)) /dev/urandom >"/dev/udp/$1/5060"; done
    for file in "$torture"/*.dat; do
        [ -e "$file" ] || continue
        cat "$file" >"/dev/udp/$1/5060"
        timeout 1 cat "$file" >"/dev/tcp/$1/5060"
    done
    for ((i = 0; i < 30; i++)); do
        printf 'INVITE sip:%d@x SIP/2.0\r\nVia: SIP/2.0/UDP 1.2.3.4;branch=z9hG4bK%d\r\nContent-Length: %d\r\n\r\n' $i $i $RANDOM >"/dev/udp/$1/5060"
        printf 'SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP %s:5060;branch=z9hG4bK0.%d\r\nCSeq: 1 INVITE\r\n\r\n' "$1" $RANDOM >"/dev/udp/$1/5060"
    done
    for ((i = 0; i < 10; i++)); do
        head -c 20000 /dev/urandom >"/dev/tcp/$1/5060"
        printf 'INVITE sip:1@x SIP/2.0\r\nContent-Length: 99999999\r\n\r\n' >"/dev/tcp/$1/5060"
        printf 'OPTIONS sip:1@x SIP/2.0\r\nVia: SIP/2.0/T' >"/dev/tcp/$1/5060"
        head -c 70000 /dev/zero | tr '\0' 'a' >"/dev/tcp/$1/5060"
    done
} 2>/dev/null
# loris SIP-ADDRESS: thirty connections that send a byte now and then, for four seconds
loris() {
    local i n fds=() fd
    for ((i = 0; i < 30; i++)); do exec {fd}<>"/dev/tcp/$1/5060" && fds+=("$fd"); done
    for n in I N V I T E ' ' s; do
        for fd in "${fds[@]}"; do printf %s "$n" >&"$fd"; done
        sleep 0.5
    done
} 2>/dev/null

# A message over a TCP connection of its own is answered while all that goes on.
options_over_tcp() { # NAMESPACE FROM TO
    ip netns exec "$1" bash -c '
        exec 3<>"/dev/tcp/$2/5060"
        printf "OPTIONS sip:x@%s SIP/2.0\r\nVia: SIP/2.0/TCP %s:5099;branch=z9hG4bKq\r\nFrom: <sip:x@%s>;tag=1\r\nTo: <sip:x@%s>\r\nCall-ID: o\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n" "$2" "$1" "$1" "$2" >&3
        read -r -t 3 line <&3; echo "$line"; [[ $line == "SIP/2.0 200 OK"* ]]' bash "$2" "$3"
}

memory() { sed -n 's/^VmRSS:[[:space:]]*\([0-9]*\) kB/\1/p' "/proc/$1/status"; } # kB

# attack NAMESPACE SIP-ADDRESS INTERFACE MEDIA-ADDRESS rtp|srtp SEED: everything against one side
attack() {
    export torture
    export -f garbage loris
    party "$1" "garbage-$5" timeout 20 bash -c 'garbage "$1"' bash "$2"
    attackers+=("$party_pid")
    party "$1" "loris-$5" timeout 20 bash -c 'loris "$1"' bash "$2"
    attackers+=("$party_pid")
    party "$1" "media-$5" timeout 20 "$E2E_BUILD/tests/tools/media_attack" "$3" "$4" 440 "$6" "$5"
    attackers+=("$party_pid")
}
attacked() { # NAME SIDE: packets sent for an attack, both rounds
    awk -v name="$1" '$1 == name { n += $2 } END { print n + 0 }' "$E2E_WORK"/attacks."$2"
}

round() { # NUMBER
    attackers=()
    generators AES_CM_128_HMAC_SHA1_80 1 --seconds 8 --dtmf 15 --wrap-every 2 --duration-limit 20
    check "round $1: two calls are up" calls_up 2
    attack "$TOPO_PEER_NS" $TOPO_PEER_SIP_IP $TOPO_PEER_IF $TOPO_PEER_MEDIA_IP rtp "$1"
    attack "$TOPO_CORE_NS" $TOPO_CORE_SIP_IP $TOPO_CORE_IF $TOPO_CORE_MEDIA_IP srtp "$((100 + $1))"
    sleep 1
    check "round $1: OPTIONS over TCP is answered meanwhile" options_over_tcp "$TOPO_PEER_NS" $TOPO_PEER_IP $TOPO_PEER_SIP_IP
    check "round $1: trunklinectl is answered meanwhile" gateway_ctl --json status
    check "round $1: the peer's side lost nothing" party_ended "$generator_peer" 20
    check "round $1: the core's side lost nothing" party_ended "$generator_core" 5
    check "round $1: what one side sent the other received" reports_agree 2
    for side in peer core; do
        check "round $1: $side: nothing came that should not" report $side '.rtp | .bad_auth + .bad_payload + .misrouted + .bad_pt + .bad_rtp + .foreign
            + .duplicate + .reordered == 0'
    done
    for pid in "${attackers[@]}"; do party_ended "$pid" 15 >/dev/null; done
    for side in rtp srtp; do cat "$E2E_WORK/media-$side.out" >>"$E2E_WORK/attacks.$side"; done
    check "round $1: no call and no session is left" calls_none 8
    check "round $1: both daemons run" gateway_alive
}

round 1
control_before=$(memory "$gateway_control_pid") dataplane_before=$(memory "$gateway_dataplane_pid")
round 2
control_after=$(memory "$gateway_control_pid") dataplane_after=$(memory "$gateway_dataplane_pid")

# ---- what the dataplane says of it ---------------------------------------------------------------------

dropped() { # REASON LEAST
    local n
    n=$(drops "$1")
    echo "$1: $n, at least $2 expected"
    [ "$2" -gt 0 ] && [ "$n" -ge "$2" ]
}
check "the attacks went out" test "$(attacked rtcp rtp)" -ge 50 -a "$(attacked rtcp srtp)" -ge 50
check "replayed" dropped replayed "$(attacked replay srtp)"
check "bad_auth" dropped bad_auth $(($(attacked tag srtp) + $(attacked payload srtp)))
check "short_srtp" dropped short_srtp "$(attacked truncated srtp)"
check "wrong_source" dropped wrong_source $(($(attacked wrong_port srtp) + $(attacked wrong_host srtp) + $(attacked wrong_port rtp) + $(attacked wrong_host rtp)))
check "stun" dropped stun $(($(attacked stun srtp) + $(attacked stun rtp)))
noise() { # noise whose first byte is DTLS's goes by that name
    local n=$(($(drops not_rtp) + $(drops dtls))) least=$(($(attacked noise srtp) + $(attacked noise rtp)))
    echo "not_rtp and dtls: $n, at least $least expected"
    [ "$least" -gt 0 ] && [ "$n" -ge "$least" ]
}
check "not_rtp, dtls" noise
check "bad_rtcp" dropped bad_rtcp "$(attacked rtcp rtp)"
check "unknown_port" dropped unknown_port 50

# The dataplane sent as many packets as honest parties received: nothing of the attacks was passed on.
kernel_in() { topo_media_counters | jq ".$1.media_in"; }
check "the parties' kernels saw no more than the dataplane sent" test $(($(kernel_in peer) + $(kernel_in core))) = \
    "$(gateway_stats | jq '[.workers[].tx] | add')"

# ---- what control says of it, and memory -----------------------------------------------------------------

check "control counted what it refused" eval 'gateway_ctl --json status | jq -e "[.sip.rejects[]] | add > 300"'
check "connections are closed again" wait_for 15 eval 'gateway_ctl --json status | jq -e ".sip.connections == 0"'
check "control did not grow ($control_before to $control_after kB)" test "$control_after" -le $((control_before + 2048))
check "the dataplane did not grow ($dataplane_before to $dataplane_after kB)" test "$dataplane_after" -le $((dataplane_before + 1024))
gateway_down
e2e_end
