#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# SIP as it comes on bad days, by sipp on both sides of the whole gateway, plain on both legs: what is late, lost, repeated,
# forked, moved, refused, big. After each call nothing may be left in either daemon. (sip_basic.sh has more of it without the
# dataplane.)
. "$(dirname "$0")/lib/calls.sh"
calls_need sipp
calls_begin

# The first callee stands on 5060; each other way to behave has a port of its own and a called number that leads to it.
callees='lossy:5061 forked:5062 moved:5063 busy:5064 unavailable:5065 silent:5066 ringing:5067 nobody:5068'
calls_config '
    .control += {t1_ms: 50, t2_ms: 200, t4_ms: 200, retry_after_s: 7}
    | .listeners += [{name: "peer-tcp", transport: "tcp", address: "'$TOPO_PEER_SIP_IP':5060"},
        {name: "core-tcp", transport: "tcp", address: "'$TOPO_CORE_SIP_IP':5060"}]
    | .trunks += [{name: "peer-tcp", listener: "peer-tcp", peer: "'$TOPO_PEER_IP':5060", realm: "peer", options_interval_s: 0},
        {name: "tcp", listener: "core-tcp", peer: "'$TOPO_CORE_IP':5060", realm: "core", options_interval_s: 0}]
    | .routes = [{prefix: "10", trunks: ["core"]}, {prefix: "20", trunks: ["tcp"]},
        {prefix: "30", trunks: ["unavailable", "core"]}, {prefix: "31", trunks: ["silent", "core"]}, {prefix: "32", trunks: ["nobody", "core"]},
        {prefix: "33", trunks: ["unavailable", "silent", "nobody"]}]
    | reduce ("'"$callees"'" | split(" ")[] | split(":")) as $c (.;
        .trunks += [{name: $c[0], listener: "core", peer: "'$TOPO_CORE_IP':\($c[1])", realm: "core", options_interval_s: 0, no_response_ms: 600}]
        | .routes += [{prefix: "9\($c[1])", trunks: [$c[0]]}])'
gateway_up

# scenario NAME [STATUS]: the file's name in the working directory, with the status in place
scenario() {
    local file="$E2E_WORK/$1${2-}.xml" own=$BASHPID
    own=$file.$own
    # whole at once: another sipp may be reading it
    sed "s/STATUS/${2-}/" "$E2E_ROOT/tests/e2e/sipp/$1.xml" >"$own" && mv "$own" "$file"
    echo "$file"
}
declare -A callee_pid=()
# callee PORT SCENARIO [STATUS] [SIPP OPTIONS...]
callee() {
    local port=$1 file=$2 status=${3-}
    [ $# -gt 3 ] && shift 3 || set --
    party "$TOPO_CORE_NS" "callee-$port$file" sipp -sf "$(scenario "$file" "$status")" -i $TOPO_CORE_IP -p "$port" -mi $TOPO_CORE_IP \
        -mp $((6000 + 10 * ${#calls_pids[@]})) -nostdin -trace_err -error_file "$E2E_WORK/callee-$port.errors" "$@"
    callee_pid[$port]=$party_pid
}
# took TITLE PORT: a callee for one call saw all that its scenario wants, and nothing else
took() {
    check "$1" sipp_done "${callee_pid[$2]}" "callee-$2" 8
}
# caller TITLE NUMBER SCENARIO [STATUS] [SIPP OPTIONS...]: one call as the scenario has it, and nothing left of it
caller() {
    local title=$1 number=$2 file
    file=$(scenario "$3" "${4-}")
    [ $# -gt 4 ] && shift 4 || set --
    check "$title" one_call "$number" "$file" "$@"
}
one_call() {
    local number=$1 file=$2 status=0
    shift 2
    rm -f "$E2E_WORK/caller.err"
    ip netns exec "$TOPO_PEER_NS" timeout 20 sipp $TOPO_PEER_SIP_IP:5060 -sf "$file" -s "$number" -i $TOPO_PEER_IP -p 5060 -mi $TOPO_PEER_IP -mp 7000 \
        -m 1 -nostdin -recv_timeout 6000 -trace_err -error_file "$E2E_WORK/caller.err" "$@" >"$E2E_WORK/caller.out" 2>&1 || status=$?
    [ $status = 0 ] || { echo "sipp: $status"; tail -n 15 "$E2E_WORK/caller.err" 2>/dev/null; cat "$E2E_WORK"/callee-*.errors 2>/dev/null | tail -n 20; return 1; }
    calls_none 8
}
counter() { gateway_ctl --json status | jq ".sip.$1"; }
grew() { # COUNTER BEFORE LEAST MOST
    local n=$(($(counter "$1") - $2))
    echo "$1: $n, $3 to $4 expected"
    [ $n -ge "$3" ] && [ $n -le "$4" ]
}

ready() {
    wait_for 10 listens "$TOPO_CORE_NS" "$TOPO_CORE_IP:$1" && return 0
    tail -n 5 "$E2E_WORK/callee-$1"*
    return 1
}
callee 5060 uas_call
callee 5060 uas_call '' -t t1
callee 5061 uas_call '' -m 1
callee 5062 uas_forked '' -m 1
callee 5063 uas_moved '' -m 1
callee 5064 uas_status 486
callee 5065 uas_status 503
callee 5066 uas_silent
callee 5067 uas_ringing '' -m 1
for port in 5060 5061 5062 5063 5064 5065 5066 5067; do
    check "a callee listens on $port" ready $port || e2e_end
done

caller "a call over UDP" 1001 uac_call
caller "a call over TCP on both sides" 2001 uac_call '' -t t1
caller "a call from TCP to UDP" 1001 uac_call '' -t t1
caller "an INVITE of 8 kB over TCP" 2002 uac_big '' -t t1
before=$(counter sent_again)
caller "an ACK that is half a second late" 1002 uac_late_ack
# T1 50 ms, doubled to T2 200 ms: after 50, 150, 350 ms; on a machine that stops now and then a few less
check "the 200 came again meanwhile" grew sent_again "$before" 1 8
before=$(counter sent_again)
caller "no ACK at all: both sides get a BYE" 1003 uac_no_ack
check "the 200 came again for 64 T1" grew sent_again "$before" 8 30
# The first ACK to this callee is lost, so its 200 comes again after half a second; without a second ACK it ends the call badly.
if topo_run_in "$TOPO_CORE_NS" iptables -w -A INPUT -p udp --dport 5061 -m string --algo bm --string "ACK sip:" -m statistic --mode nth \
    --every 100000 --packet 0 -j DROP 2>"$E2E_WORK/iptables"; then
    caller "our ACK is lost" 95061 echo_uac '' -d 1500 -key pt 0 -key pt_name PCMU -key te 101
    check "it was" test "$(topo_run_in "$TOPO_CORE_NS" iptables -w -nvxL INPUT | awk '/5061/ { print $1 }')" = 1
    took "the callee's 200 came again and was ACKed again" 5061
else
    skip "a lost ACK: no iptables statistic here ($(head -n 1 "$E2E_WORK/iptables"))"
fi
before=$(counter forks_ended)
caller "a 200 of another phone is ACKed and ended" 95062 uac_call
took "both phones got their ACK and their BYE" 5062
check "it was counted" grew forks_ended "$before" 1 1
caller "CANCEL while it rings" 95067 uac_cancel
took "the callee got the CANCEL and the ACK to its 487" 5067
caller "486 is passed on" 95064 uac_refused 486
caller "no route: 404" 7777 uac_refused 404
caller "fail-over on 503" 3001 uac_call
caller "fail-over on silence" 3101 uac_call
caller "fail-over where nobody listens" 3201 uac_call
caller "no trunk left: 503 with Retry-After" 3301 uac_exhausted
caller "no common codec: 488" 1004 uac_refused_g729
caller "broken SDP: 400" 1005 uac_bad_sdp
caller "unknown method: 405" 1006 uac_unknown_method
caller "BYE outside a dialog: 481" 1007 uac_stray_bye

# Media follows a re-INVITE with another address.
ip -n "$TOPO_PEER_NS" addr add 10.99.1.11/24 dev $TOPO_PEER_IF
moved() {
    caller_pid=
    (one_call 95063 "$(scenario uac_moved)") >"$E2E_WORK/moved.out" 2>&1 &
    caller_pid=$!
    wait_for 5 eval '[ "$(the_call .a.remote)" = 10.99.1.11:7002 ]'
}
check "a re-INVITE moves the media to another address" moved
wait "$caller_pid"
check "that call ends in order" test $? = 0 || sed 's/^/     /' "$E2E_WORK/moved.out"
took "the callee got the new offer" 5063
gateway_down
e2e_end
