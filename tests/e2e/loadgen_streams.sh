#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The load generator's bare streams: sockets against sockets, plain and each SRTP suite; sockets against a DPDK port over a veth;
# through our dataplane, plain on one side and SRTP on the other; and that it fails when packets are dropped or damaged.
# No rate is asked for: what a busy machine leaves out was not sent and is not lost.
. "$(dirname "$0")/lib/e2e.sh"
. "$(dirname "$0")/lib/tamper.sh"
[ "$(id -u)" = 0 ] || e2e_skip "network namespaces need root"
loadgen=$E2E_BUILD/tools/loadgen/trunkline-loadgen
[ -x "$loadgen" ] || { fail "$loadgen is missing: build first"; e2e_end; }
eal="-l 0 --no-huge -m 64 --no-pci --no-shconf --no-telemetry --log-level=5 --vdev=net_af_packet0,iface=gwp,qdisc_bypass=1,framecnt=4096,blocksz=65536"

topo_up || e2e_skip "network namespaces cannot be made here"
peer=$TOPO_PEER_NS gw=$TOPO_GW_NS core=$TOPO_CORE_NS

declare -A job
stop_jobs() {
    local name
    for name in "${!job[@]}"; do kill "${job[$name]}" 2>/dev/null; done
    wait
}
trap 'stop_jobs; e2e_cleanup' EXIT

# streams NAME NAMESPACE ARGS...: one program in the background; its report is $E2E_WORK/NAME.json. Returns when it is ready to
# receive.
streams() {
    local name=$1 ns=$2
    shift 2
    timeout -k 5 60 ip netns exec "$ns" "$loadgen" streams --expect-rate 0 --json "$E2E_WORK/$name.json" "$@" >"$E2E_WORK/$name.out" 2>&1 &
    job[$name]=$!
    within 20 ready "$name"
}
ready() { grep -qs '^ready' "$E2E_WORK/$1.out" || ! kill -0 "${job[$1]}" 2>/dev/null; }

# ends NAME STATUS: waits for it; whether it ended so
ends() {
    local status=0
    wait "${job[$1]}" || status=$?
    unset "job[$1]"
    [ $status = "$2" ] || { echo "$1: exit status $status"; cat "$E2E_WORK/$1.out"; return 1; }
}
holds() { # NAME FILTER: jq's last output is true
    jq -e "$2" "$E2E_WORK/$1.json" >/dev/null || { echo "$1: not so: $2"; jq -c . "$E2E_WORK/$1.json" | cut -c 1-2000; return 1; }
}
# What one side made the other received, to the last packet and byte.
arrived() { # FROM TO
    jq -en --slurpfile from "$E2E_WORK/$1.json" --slurpfile to "$E2E_WORK/$2.json" '
        $from[0].sent.packets == $to[0].received.received and $to[0].received.expected == $to[0].received.received
        and $to[0].received.received == $to[0].received.verified and $to[0].received.received > 1000' >/dev/null ||
        { echo "$1 sent $(jq -c .sent "$E2E_WORK/$1.json"), $2 received $(jq -c .received "$E2E_WORK/$2.json")"; return 1; }
}
faultless='([.received | .lost, .reordered, .duplicate, .too_late, .bad_payload, .misrouted, .seq_jumps, .ts_jumps, .ssrc_changes,
    .bad_rtp, .bad_pt, .bad_auth, .replayed, .late_for_roc, .foreign] | add) == 0'
other_faults='([.received | .misrouted, .seq_jumps, .ts_jumps, .ssrc_changes, .bad_rtp, .bad_pt, .late_for_roc, .foreign] | add) == 0'

both_good() { # TITLE A B
    check "$1: side a ends with 0" ends "$2" 0
    check "$1: side b ends with 0" ends "$3" 0
    check "$1: side a to side b" arrived "$2" "$3"
    check "$1: side b to side a" arrived "$3" "$2"
    check "$1: nothing else came" holds "$2" "$faultless and .machine.stray == 0"
}
peer_gw() { echo --local "$TOPO_PEER_IP:$1" --remote "$TOPO_PEER_SIP_IP:$2"; }
gw_peer() { echo --local "$TOPO_PEER_SIP_IP:$1" --remote "$TOPO_PEER_IP:$2"; }

# the first packet of all must not wait for ARP in a short queue
ip netns exec "$peer" ping -q -c 1 -W 2 "$TOPO_PEER_SIP_IP" >/dev/null

# ---- rules before traffic --------------------------------------------------------------------------------

ip netns exec "$gw" iptables -A INPUT -p udp --dport 21000:21999 -m statistic --mode random --probability 0.05 -j DROP 2>"$E2E_WORK/iptables" ||
    touch "$E2E_WORK/no_iptables"
tamper "$gw" gwp 22000 22999 "$E2E_WORK" 2>"$E2E_WORK/tamper.err" || touch "$E2E_WORK/no_tamper"

# ---- sockets against sockets -----------------------------------------------------------------------------

# shellcheck disable=SC2046
streams plain-b "$gw" --mode both --side b --start-heard $(gw_peer 20000+2 20000+2) --streams 200 --packets 60 --one-clock
# shellcheck disable=SC2046
streams plain-a "$peer" --mode both $(peer_gw 20000+2 20000+2) --streams 200 --packets 60 --progress --wrap-every 2
both_good plain plain-a plain-b
check "plain: one-way latency was measured" holds plain-b '.latency_us.count == .received.verified and .latency_us.max >= .latency_us.p50'
check "plain: side a has no common clock to go by" holds plain-a '.latency_us == null'
check "plain: a line a second" grep -q '^ *1 s  sent' "$E2E_WORK/plain-a.out"

# all suites side by side; on side a all streams of one share a port
port=20500
suites=(AES_CM_128_HMAC_SHA1_80 AES_CM_128_HMAC_SHA1_32 AES_256_CM_HMAC_SHA1_80 AES_256_CM_HMAC_SHA1_32 AEAD_AES_128_GCM AEAD_AES_256_GCM)
for suite in "${suites[@]}"; do
    # shellcheck disable=SC2046
    streams "$suite-b" "$gw" --mode both --side b --start-heard $(gw_peer $port+2 $port) --streams 30 --packets 150 --suite "$suite" --seed "$suite"
    # shellcheck disable=SC2046
    streams "$suite-a" "$peer" --mode both $(peer_gw $port $port+2) --streams 30 --packets 150 --suite "$suite" --seed "$suite" --wrap-every 2
    port=$((port + 60))
done
for suite in "${suites[@]}"; do
    both_good "$suite" "$suite-a" "$suite-b"
done

# ---- what must fail --------------------------------------------------------------------------------------

lossy() { # NAME PORT ARGS...: from the peer to the gateway
    local name=$1 port=$2
    shift 2
    # shellcheck disable=SC2046
    streams "$name-b" "$gw" --mode receive --side b $(gw_peer "$port+2" "$port") --streams 50 --wait 2 "$@"
    # shellcheck disable=SC2046
    streams "$name-a" "$peer" --mode send $(peer_gw "$port" "$port+2") --streams 50 --packets 100
}
if [ ! -e "$E2E_WORK/no_iptables" ]; then
    lossy drop 21000
    lossy borne 21200 --expect-loss 20
    lossy sampled 21400 --verify 1/10
    for name in drop borne sampled; do
        check "loss, $name: the sender ends with 0" ends $name-a 0
    done
    check "loss: ends with 1" ends drop-b 1
    check "loss: it knows how many, and nothing else is wrong" holds drop-b '.received.lost > 50 and .received.lost < 1000 and
        .received.reordered + .received.duplicate + .received.bad_payload == 0 and '"$other_faults"' and (.not_good | length) == 1'
    check "loss: both sides' numbers show the same" jq -en --slurpfile a "$E2E_WORK/drop-a.json" --slurpfile b "$E2E_WORK/drop-b.json" \
        '$a[0].sent.packets - $b[0].received.received == $b[0].received.lost and ($b[0].faulty_streams | length) > 0'
    check "loss that was expected: ends with 0" ends borne-b 0
    check "loss that was expected: is said all the same" holds borne-b '.received.lost > 50 and .good'
    check "loss, one packet in ten verified: ends with 1" ends sampled-b 1
    check "loss, one packet in ten verified: all are counted" jq -en --slurpfile a "$E2E_WORK/sampled-a.json" --slurpfile b "$E2E_WORK/sampled-b.json" \
        '$a[0].sent.packets - $b[0].received.received == $b[0].received.lost and $b[0].received.verified < $b[0].received.received / 2'
else
    skip "loss: no iptables statistic here ($(head -n 1 "$E2E_WORK/iptables"))"
fi
if [ ! -e "$E2E_WORK/no_tamper" ]; then
    for name in damaged forged; do
        suite=off port=22000
        [ $name = forged ] && suite=AES_CM_128_HMAC_SHA1_32 port=22200
        # shellcheck disable=SC2046
        streams $name-b "$gw" --mode receive --side b $(gw_peer $port+2 $port) --streams 50 --suite $suite
        # shellcheck disable=SC2046
        streams $name-a "$peer" --mode send $(peer_gw $port $port+2) --streams 50 --packets 100 --suite $suite
    done
    for name in damaged forged; do
        check "tampering, $name: the sender ends with 0" ends $name-a 0
        check "tampering, $name: the receiver ends with 1" ends $name-b 1
    done
    # an end that was damaged is no loss
    check "tampered RTP: each changed byte is seen" holds damaged-b '.received | .bad_payload > 50 and .lost <= .bad_payload and .lost > 50 and .bad_auth == 0'
    check "tampered SRTP: fails authentication" holds forged-b '.received | .bad_auth > 50 and .lost <= .bad_auth and .lost > 50 and .bad_payload == 0'
else
    skip "tampering: no BPF here ($(head -n 1 "$E2E_WORK/tamper.err"))"
fi

# The sender's own mischief is found by the far side, each kind by its name.
# shellcheck disable=SC2046
streams mischief-b "$gw" --mode receive --side b $(gw_peer 23000+2 23000) --streams 50
# shellcheck disable=SC2046
streams mischief-a "$peer" --mode send $(peer_gw 23000 23000+2) --streams 50 --packets 100 --lose 2 --duplicate 2 --corrupt 2 --swap 2
check "mischief: the sender ends with 0" ends mischief-a 0
check "mischief: the receiver ends with 1" ends mischief-b 1
check "mischief: each kind is counted" jq -en --slurpfile a "$E2E_WORK/mischief-a.json" --slurpfile b "$E2E_WORK/mischief-b.json" \
    '$a[0].injected as $i | $b[0].received | .lost == $i.lost + $i.corrupt and .bad_payload == $i.corrupt and .duplicate == $i.duplicate
        and .reordered > 0 and .reordered <= $i.swapped and $i.lost > 0 and $i.corrupt > 0 and $i.duplicate > 0'

# another key, another sender, nobody, a strange packet
# shellcheck disable=SC2046
streams keys-b "$gw" --mode receive --side b $(gw_peer 23200+2 23200) --streams 5 --suite AEAD_AES_256_GCM --seed one --wait 0.5
# shellcheck disable=SC2046
streams keys-a "$peer" --mode send $(peer_gw 23200 23200+2) --streams 5 --suite AEAD_AES_256_GCM --seed other --packets 10
check "other keys: the receiver ends with 1" ends keys-b 1
check "other keys: nothing is authentic" holds keys-b '.received.bad_auth > 0 and .received.received == 0 and .streams.not_heard == 5'
# shellcheck disable=SC2046
streams nobody "$gw" --mode receive --side b $(gw_peer 23300+2 23300) --streams 3 --first-wait 0.3
check "nobody there: ends with 1" ends nobody 1
check "nobody there: says so" holds nobody '.streams.not_heard == 3 and (.not_good[0] | test("3 of 3 streams were not heard"))'
# shellcheck disable=SC2046
streams foreign-b "$gw" --mode receive --side b $(gw_peer 23400+2 23400+2) --streams 3 --wait 1
echo stranger | ip netns exec "$peer" nc -u -w 0 -q 0 -p 23499 "$TOPO_PEER_SIP_IP" 23402
# shellcheck disable=SC2046
streams foreign-a "$peer" --mode send $(peer_gw 23400+2 23400+2) --streams 3 --packets 10
check "a stranger's packet: ends with 1" ends foreign-b 1
check "a stranger's packet: is counted for its stream" holds foreign-b '.received.foreign == 1 and .received.lost == 0 and .faulty_streams[0].stream == 1'
check "other keys: the sender doesn't know" ends keys-a 0
check "a stranger's packet: the sender doesn't know" ends foreign-a 0

# SIGTERM in the middle: the end is said, so that the far side knows that all has come
# shellcheck disable=SC2046
streams signal-b "$gw" --mode receive --side b $(gw_peer 23500+2 23500) --streams 20
# shellcheck disable=SC2046
streams signal-a "$peer" --mode send $(peer_gw 23500 23500+2) --streams 20 --duration 50 --progress
within 20 grep -q '^ *1 s  sent' "$E2E_WORK/signal-a.out"
pkill -TERM -P "${job[signal-a]}" 2>/dev/null || kill -TERM "${job[signal-a]}"
check "SIGTERM: the sender ends with 1" ends signal-a 1
check "SIGTERM: the receiver ends with 0" ends signal-b 0
check "SIGTERM: what was sent arrived" jq -en --slurpfile a "$E2E_WORK/signal-a.json" --slurpfile b "$E2E_WORK/signal-b.json" \
    '$a[0].sent.packets == $b[0].received.received and $a[0].sent.packets > 0 and $b[0].good'

# what can't be done is said in one sentence
says() { # STATUS TEXT COMMAND...
    local want=$1 text=$2 status=0
    shift 2
    timeout 20 "$@" >"$E2E_WORK/says" 2>&1 || status=$?
    grep -q "$text" "$E2E_WORK/says" && [ $status = "$want" ] || { echo "exit status $status"; cat "$E2E_WORK/says"; return 1; }
}
in_gw=(ip netns exec "$gw")
check "a wrong argument ends with 2" says 2 'expected a number from 1 to 50000' "$loadgen" streams --streams many
check "an address that is not here" says 1 "can't listen on 10.99.1.9:5004" "${in_gw[@]}" "$loadgen" streams --mode send --local 10.99.1.9:5004 --remote 10.99.1.10:5004
check "too many sockets for the limit" says 1 'may not be raised' "${in_gw[@]}" \
    bash -c 'ulimit -n 100; exec setpriv --bounding-set -sys_resource --inh-caps -sys_resource "$@"' limit "$loadgen" streams --mode send --local 10.99.1.1:30000+2 \
    --remote 10.99.1.10:30000+2 --streams 1000
check "no such device" says 1 "there is no ethdev 'x'" "${in_gw[@]}" "$loadgen" streams --mode send --local 10.99.1.77:5004 --remote 10.99.1.10:5004 --dpdk "$eal" --port x
check "a next hop that does not answer" says 1 '10.99.1.78 does not answer ARP' "${in_gw[@]}" "$loadgen" streams --mode send --local 10.99.1.77:5004 \
    --remote 10.99.1.78:5004 --dpdk "$eal"
printf '# two streams\n10.99.1.1:5004 10.99.1.10:5004\n10.99.1.1:5006 nowhere\n' >"$E2E_WORK/bad.map"
check "a map with a wrong line" says 1 'bad.map, line 3: expected LOCAL REMOTE' "${in_gw[@]}" "$loadgen" streams --mode send --map "$E2E_WORK/bad.map"

# ---- sockets against a DPDK port ------------------------------------------------------------------------

dpdk_ip=10.99.1.77
streams reflect "$gw" --mode reflect --local $dpdk_ip:24000+2 --remote "$TOPO_PEER_IP":24000+2 --streams 60 --dpdk "$eal" --mac 02:00:00:00:00:77
streams echo "$peer" --mode echo --local "$TOPO_PEER_IP":24000+2 --remote $dpdk_ip:24000+2 --streams 60 --packets 60
check "DPDK reflects: the sender ends with 0" ends echo 0
check "DPDK reflects: all came back" arrived echo echo
check "DPDK reflects: round trips were measured" holds echo '.latency_us.count == .received.received'
check "DPDK reflects: the far end ends with 0" ends reflect 0
check "DPDK reflects: it saw what was sent" arrived echo reflect
check "DPDK reflects: it is a DPDK port, nothing was wrong" holds reflect "$faultless"' and .port == "DPDK net_af_packet0" and .machine.bad_checksum == 0'

streams gcm-b "$gw" --mode both --side b --start-heard --local $dpdk_ip:25000 --remote "$TOPO_PEER_IP":25000+2 --streams 60 --packets 60 --suite AEAD_AES_128_GCM --dpdk "$eal"
streams gcm-a "$peer" --mode both --local "$TOPO_PEER_IP":25000+2 --remote $dpdk_ip:25000 --streams 60 --packets 60 --suite AEAD_AES_128_GCM
both_good "DPDK with GCM" gcm-a gcm-b

# the DPDK port is the one that finds the loss
if [ ! -e "$E2E_WORK/no_iptables" ]; then
    ip netns exec "$peer" iptables -A OUTPUT -p udp --dport 26000 -m statistic --mode random --probability 0.05 -j DROP
    streams dpdk-drop-b "$gw" --mode receive --side b --local $dpdk_ip:26000 --remote "$TOPO_PEER_IP":26000+2 --streams 50 --dpdk "$eal"
    streams dpdk-drop-a "$peer" --mode send --local "$TOPO_PEER_IP":26000+2 --remote $dpdk_ip:26000 --streams 50 --packets 100
    check "a firewall on the sender: it ends with 1" ends dpdk-drop-a 1
    check "a firewall on the sender: it knows what was refused" holds dpdk-drop-a '.sent.refused > 50'
    check "loss on the way to a DPDK port: ends with 1" ends dpdk-drop-b 1
    check "loss on the way to a DPDK port: is what was refused" jq -en --slurpfile a "$E2E_WORK/dpdk-drop-a.json" --slurpfile b "$E2E_WORK/dpdk-drop-b.json" \
        '$a[0].sent.packets == $b[0].received.received and $b[0].received.lost > 50 and $b[0].received.lost == $a[0].sent.refused
            and $b[0].received.expected == $a[0].offered.packets'
fi

# two DPDK ports with nothing between them; then the far side goes away and must not be waited for
memif() { echo "-l 0 --no-huge -m 64 --no-pci --no-shconf --no-telemetry --log-level=3 --vdev=net_memif0,role=$1,id=0,socket=$E2E_WORK/memif,socket-abstract=no"; }
memif_pair() { # NAME PACKETS ARGS...: of the receiver
    local name=$1 packets=$2
    shift 2
    # the sender waits for its link, then for ARP; it is the client
    timeout -k 5 60 ip netns exec "$core" "$loadgen" streams --expect-rate 0 --json "$E2E_WORK/$name-b.json" --mode receive --side b --local 10.0.0.2:10000+1 \
        --remote 10.0.0.1:10000 --streams 1000 --dpdk "$(memif server)" "$@" >"$E2E_WORK/$name-b.out" 2>&1 &
    job[$name-b]=$!
    within 20 test -S "$E2E_WORK/memif"
    streams "$name-a" "$core" --mode send --local 10.0.0.1:10000 --remote 10.0.0.2:10000+1 --streams 1000 --packets "$packets" --dpdk "$(memif client)"
}
memif_pair memif 50
check "memif: the sender ends with 0" ends memif-a 0
check "memif: the receiver ends with 0" ends memif-b 0
check "memif: all arrived" arrived memif-a memif-b
memif_pair away 200
within 20 ready away-b
pkill -KILL -P "${job[away-b]}"
check "the far side is killed" ends away-b 137
check "a far side that went away: the sender ends with 1" ends away-a 1
check "a far side that went away: it knows what it could not send" holds away-a '.sent.left_out + .sent.refused > 0 and .sent.packets < .offered.packets'

# ---- through our dataplane --------------------------------------------------------------------------------

dataplane_config "$E2E_WORK/one.json"
check "the dataplane starts" dataplane_start "$E2E_WORK/one.json" || e2e_end
through() { # NAME SUITE: plain at the peer, SRTP at the core, 300 calls
    local name=$1 suite=$2 side
    timeout 60 "$E2E_BUILD/tests/tools/hold_sessions" --socket "$E2E_WORK/dataplane.sock" --sessions 300 --peer "$TOPO_PEER_IP:30000,$E2E_WORK/$name.peer.map" \
        --core "$TOPO_CORE_IP:30000,$suite,$E2E_WORK/$name.core.map" >"$E2E_WORK/$name.sessions" 2>"$E2E_WORK/$name.sessions.err" &
    job[$name-sessions]=$!
    check "$name: 300 sessions" within 10 grep -q holding "$E2E_WORK/$name.sessions" || { cat "$E2E_WORK/$name.sessions.err"; return; }
    ip netns exec "$peer" ping -q -c 1 -W 2 "$TOPO_PEER_MEDIA_IP" >/dev/null
    ip netns exec "$core" ping -q -c 1 -W 2 "$TOPO_CORE_MEDIA_IP" >/dev/null
    streams "$name-core" "$core" --mode both --side b --start-heard --map "$E2E_WORK/$name.core.map" --ptime 60 --packets 30 --one-clock
    # its part of the map; a second program has the rest
    streams "$name-rest" "$peer" --mode both --start-heard --map "$E2E_WORK/$name.peer.map" --first 200 --ptime 60 --packets 30
    streams "$name-peer" "$peer" --mode both --map "$E2E_WORK/$name.peer.map" --streams 200 --ptime 60 --packets 30 --one-clock --wrap-every 3
    for side in peer rest core; do
        check "$name: $side ends with 0" ends "$name-$side" 0
    done
    jq -s '{sent: {packets: map(.sent.packets) | add, with_ends: map(.sent.with_ends) | add},
        received: (reduce map(.received | to_entries[])[] as $e ({}; .[$e.key] += $e.value)), machine: {stray: map(.machine.stray) | add}}' \
        "$E2E_WORK/$name-peer.json" "$E2E_WORK/$name-rest.json" >"$E2E_WORK/$name-sum.json"
    check "$name: peer to core" arrived "$name-sum" "$name-core"
    check "$name: core to peer" arrived "$name-core" "$name-sum"
    check "$name: nothing else came" holds "$name-sum" "$faultless and .machine.stray == 0"
    check "$name: latency was measured" holds "$name-core" '.latency_us.count == .received.verified'
    # $! is timeout's: the program is its child
    pkill -TERM -P "${job[$name-sessions]}"
    check "$name: the sessions end" ends "$name-sessions" 0
    check "$name: the dataplane counted the same" jq -en --slurpfile peer "$E2E_WORK/$name-sum.json" --slurpfile core "$E2E_WORK/$name-core.json" \
        --argjson s "$(sed -n '$p' "$E2E_WORK/$name.sessions")" '$s.peer.received == $peer[0].sent.with_ends and $s.core.received == $core[0].sent.with_ends
            and $s.peer.sent == $s.core.received and $s.core.sent == $s.peer.received and $s.peer.drops + $s.core.drops == 0'
}
through cm80 AES_CM_128_HMAC_SHA1_80
through gcm128 AEAD_AES_128_GCM
check "the dataplane ends in order on SIGTERM" dataplane_stop
e2e_end
