#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# trunkline-control end to end: the daemon, the fake dataplane, SIPp on both sides, everything on loopback addresses inside a
# namespace of its own. After each call nothing may be left of it, in the daemon or in the dataplane.
. "$(dirname "$0")/lib/loopback.sh"
loopback_begin sipp jq
for a in fd00::1:1 fd00::1:10 fd00::2:1 fd00::2:25 fd00::2:26; do ip -n $ns addr add $a/128 dev lo nodad; done

# ---- configuration: one caller, a callee for each behaviour, a number prefix for each
callees='call:11 early:12 ends:13 hold:14 holds:15 ringing:16 busy:17 unavailable:18 silent:19 nobody:20 call2:21 tcp:22 secure:23 last:24 six:25 six-tcp:26 large:27'
# those called six have IPv6
callee_ip() {
    local c net=127.0.2.
    [[ $1 = six* ]] && net=fd00::2:
    for c in $callees; do [ "${c%%:*}" = "$1" ] && echo "$net${c##*:}"; done
}
callee_media() { for c in $callees; do [ "${c%%:*}" = "$1" ] && echo "127.0.2.${c##*:}"; done; }
callee_listener() { case $1 in tcp) echo b-tcp ;; six) echo b6 ;; six-tcp) echo b6-tcp ;; *) echo b ;; esac; }
host() { case $1 in *:*) echo "[$1]" ;; *) echo "$1" ;; esac; }
make_config() {
    local c name n trunks='' routes=''
    for c in $callees; do
        name=${c%%:*} n=${c##*:}
        trunks+=", {\"name\": \"$name\", \"listener\": \"$(callee_listener $name)\", \"peer\": \"$(host "$(callee_ip $name)"):5060\", \"realm\": \"right\", \
\"options_interval_s\": 0, \"no_response_ms\": 800, \"dtmf_pt\": 101, \"srtp\": \"$([ $name = secure ] && echo required || echo off)\"}"
        routes+="{\"prefix\": \"$n\", \"trunks\": [\"$name\"]}, "
    done
    cat <<CONFIG
{"dataplane": {"socket": "$dir/dataplane.sock", "max_sessions": 100, "ports": [{"name": "p", "device": "net_null0"}]},
 "control": {"socket": "$ctl_socket", "srtp_without_tls": "allow", "t1_ms": 50, "t2_ms": 200, "t4_ms": 200, "max_calls": 20,
             "setup_timeout_ms": 5000, "retry_after_s": 3},
 "realms": [{"name": "left", "port": "p", "address": "198.51.100.1/24", "rtp_ports": [20000, 20999]},
            {"name": "right", "port": "p", "side": "core", "address": "203.0.113.1/24", "rtp_ports": [30000, 30999]}],
 "listeners": [{"name": "a", "transport": "udp", "address": "127.0.1.1:5060"},
               {"name": "a-tcp", "transport": "tcp", "address": "127.0.1.1:5060"},
               {"name": "b", "transport": "udp", "address": "127.0.2.1:5060"},
               {"name": "b-tcp", "transport": "tcp", "address": "127.0.2.1:5060"},
               {"name": "a6", "transport": "udp", "address": "[fd00::1:1]:5060"},
               {"name": "a6-tcp", "transport": "tcp", "address": "[fd00::1:1]:5060"},
               {"name": "b6", "transport": "udp", "address": "[::]:5070", "advertised": "[fd00::2:1]:5070"},
               {"name": "b4", "transport": "udp", "address": "0.0.0.0:5070", "advertised": "127.0.4.1"},
               {"name": "b6-tcp", "transport": "tcp", "address": "[::]:5070", "advertised": "fd00::2:1"}],
 "trunks": [{"name": "caller", "listener": "a", "peer": "127.0.1.10:5060", "realm": "left", "options_interval_s": 0},
            {"name": "caller6", "listener": "a6", "peer": "[fd00::1:10]:5060", "realm": "left", "options_interval_s": 0},
            {"name": "caller6-tcp", "listener": "a6-tcp", "peer": "[fd00::1:10]:5060", "realm": "left", "options_interval_s": 0},
            {"name": "caller4-any", "listener": "b4", "peer": "127.0.1.10:5060", "realm": "left", "options_interval_s": 0},
            {"name": "caller6-any", "listener": "b6", "peer": "[fd00::1:10]:5060", "realm": "left", "options_interval_s": 0},
            {"name": "caller-tcp", "listener": "a-tcp", "peer": "127.0.1.10:5060", "realm": "left", "options_interval_s": 0}$trunks],
 "routes": [$routes
            {"prefix": "31", "trunks": ["unavailable", "call"]},
            {"prefix": "32", "trunks": ["silent", "call"]},
            {"prefix": "33", "trunks": ["nobody", "call"]},
            {"prefix": "34", "trunks": ["unavailable", "silent"]}]}
CONFIG
}
make_config >"$dir/config.json"

# ---- programs
start_fake() {
    mkfifo "$dir/fake.in"
    "$build/tests/tools/fake-dataplane" "$dir/config.json" <"$dir/fake.in" >"$dir/fake.out" 2>&1 &
    pids[fake]=$!
    exec 7>"$dir/fake.in"
}
# Asks the fake dataplane and prints its answer.
fake() {
    local before
    before=$(wc -l <"$dir/fake.out")
    echo "$1" >&7
    for _ in $(seq 100); do
        [ "$(wc -l <"$dir/fake.out")" -gt "$before" ] && break
        sleep 0.02
    done
    tail -n +$((before + 1)) "$dir/fake.out"
}
start_control() {
    ip netns exec $ns "$build/control/trunkline-control" --config "$dir/config.json" 2>>"$dir/control.log" 7>&- &
    pids[control]=$!
    for _ in $(seq 200); do
        grep -q 'dataplane: connected' "$dir/control.log" && return 0
        kill -0 ${pids[control]} 2>/dev/null || return 1
        sleep 0.02
    done
    return 1
}
# scenario NAME [STATUS]: file of the scenario, with the status in place
scenario() {
    local file="$dir/$1${2:-}.xml" own=$BASHPID
    own=$file.$own
    # whole at once: another sipp may be reading it
    [ -f "tests/e2e/sipp/$1.xml" ] || { echo "$dir/$1.xml"; return; } # one that this script has made
    sed "s/STATUS/${2:-}/" "tests/e2e/sipp/$1.xml" >"$own" && mv "$own" "$file"
    echo "$file"
}
# callee NAME SCENARIO [STATUS] [SIPP OPTIONS...]: a callee that stays
callee() {
    local name=$1 file
    file=$(scenario "$2" "${3:-}")
    shift 2
    [ $# -gt 0 ] && shift
    ip netns exec $ns timeout 290 sipp -sf "$file" -i "$(callee_ip "$name")" -mi "$(callee_media "$name")" -p 5060 -nostdin -mp 6000 \
        -trace_err -error_file "$dir/callee-$name.err" "$@" >"$dir/callee-$name.log" 2>&1 7>&- &
    pids[callee-$name]=$!
    for _ in $(seq 200); do
        [ -n "$(inside ss -Hlnut "src $(host "$(callee_ip "$name")")")" ] && return
        sleep 0.02
    done
    bad "callee $name does not start"
}
status() { inside "$build/tools/ctl/trunklinectl" --socket "$ctl_socket" --json "$@"; }
left() { status status | sed -n 's/.*"calls":{"active":\([0-9]*\).*/\1/p'; }

# nothing_left: no calls in the daemon, no sessions in the dataplane
nothing_left() {
    for _ in $(seq 150); do
        [ "$(left)" = 0 ] && [ "$(fake count)" = 0 ] && return 0
        sleep 0.05
    done
    echo "     calls $(left), sessions $(fake count)"
    return 1
}
# A regexp of a scenario that fails is only written down by SIPp: the call goes on and its exit status is 0.
regexps_failed() { cat "$dir"/call*.err 2>/dev/null | grep -c 'Failed regexp match'; }
for_callees=0
as_expected() { [ "$(regexps_failed)" = "$for_callees" ]; }

# caller TITLE NUMBER SCENARIO [STATUS] [SIPP OPTIONS...]: one call, one test, from caller_ip to caller_to
caller_ip=127.0.1.10 caller_to=127.0.1.1:5060
caller() {
    local title=$1 number=$2 file out=$dir/caller.log
    file=$(scenario "$3" "${4:-}")
    shift 3
    [ $# -gt 0 ] && shift
    if inside timeout 20 sipp $caller_to -sf "$file" -s "$number" -i $caller_ip -mi 127.0.1.10 -p 5060 -m 1 -nostdin -mp 7000 \
        -recv_timeout 8000 -trace_err -error_file "$dir/caller.err" "$@" >"$out" 2>&1 && as_expected; then
        if nothing_left; then ok "$title"; else bad "$title: something is left"; fi
    else
        bad "$title"
        tail -qn 20 "$dir"/call*.err 2>/dev/null | sed 's/^/     /'
    fi
    if ! kill -0 ${pids[control]} 2>/dev/null; then
        bad "trunkline-control ended; its first words on that:"
        grep -m 1 -A 30 -E 'ERROR:|runtime error' "$dir/control.log" | sed 's/^/     | /'
        finish
    fi
    rm -f "$dir/caller.err"
    for_callees=$(regexps_failed)
}

start_fake
start_control || { bad "start"; finish; }
callee call uas_call
callee early uas_early
callee ends uas_ends
callee hold uas_hold
callee holds uas_holds
callee ringing uas_ringing
callee busy uas_status 486
callee unavailable uas_status 503
callee silent uas_silent
callee tcp uas_call '' -t t1
callee secure uas_call
callee last uas_last_hop
callee six uas_call
callee six-tcp uas_call '' -t t1

# ---- calls
caller "call, caller hangs up" 1100 uac_call
caller "call over TCP from end to end" 2200 uac_call '' -t t1
caller "call from TCP to UDP" 1100 uac_call '' -t t1
caller "answer has the callee's codec and the caller's payload types" 1100 uac_answer_checked
caller "early media, then the answer" 1200 uac_call
caller "callee hangs up" 1300 uac_callee_ends
caller "hold and resume by the caller" 1400 uac_hold
caller "hold by the callee" 1500 uac_held
caller "late offer" 1100 uac_late_offer
caller "cancelled while it rings" 1600 uac_cancel
caller "busy" 1700 uac_refused 486
caller "no route" 9900 uac_refused 404
caller "nobody answers, all trunks tried: 503" 3400 uac_refused 503
caller "fail-over on 503" 3100 uac_call
caller "fail-over on silence" 3200 uac_call
caller "fail-over on a peer that is not there" 3300 uac_call
caller "no common codec" 1100 uac_refused_g729
caller "SRTP required, plain answer: 488" 2300 uac_refused 488
caller "bad SDP: 400" 1100 uac_bad_sdp
caller "Max-Forwards used up: 483" 1100 uac_no_hops 0
caller "Max-Forwards 1: the callee gets 0" 2400 uac_no_hops 1
caller "OPTIONS is answered" 1100 uac_options
caller "unknown method: 405" 1100 uac_unknown_method
caller "BYE to no call: 481" 1100 uac_stray_bye

# ---- IPv6, and listeners on every address
caller_ip=fd00::1:10 caller_to=[fd00::1:1]:5060
caller "IPv6 to IPv4" 1100 uac_call
caller "IPv6 to IPv6, a listener on [::]" 2500 uac_call
caller "IPv6 over TCP on both sides" 2600 uac_call '' -t t1
caller_to=[fd00::2:1]:5070
caller "IPv6 to a listener on [::]" 1100 uac_call
caller_ip=127.0.1.10 caller_to=127.0.1.1:5060
caller "IPv4 to IPv6" 2500 uac_call
# SIPp connects its socket: it hears nothing that comes from another address
caller_to=127.0.4.1:5070
caller "IPv4 to a listener on 0.0.0.0, answered from there" 1100 uac_call
caller_to=127.0.4.9:5070
caller "... at another address of it" 2500 uac_call
caller_to=127.0.1.1:5060

# ---- a request too long for UDP: by TCP to who has it, here Kamailio in front of a callee, else by UDP after all
count() { status status | sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p"; }
scenario uac_call >/dev/null
sed "s/^Max-Forwards: 70/&\nSubject: $(printf 'x%.0s' {1..1300})/" "$dir/uac_call.xml" >"$dir/uac_large.xml"
caller "a long INVITE to a peer without TCP" 1100 uac_large
caller "... and again" 1100 uac_large
if [ "$(count by_tcp)" = 1 ] && [ "$(count back_to_udp)" = 1 ]; then ok "it was asked by TCP once"; else bad "it was asked by TCP once: $(count by_tcp), $(count back_to_udp)"; fi
if command -v kamailio >/dev/null; then
    cat >"$dir/kamailio.cfg" <<CONFIG
#!KAMAILIO
debug=2
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
listen=udp:127.0.2.27:5060
listen=tcp:127.0.2.27:5060
mpath="$(find /usr/lib -type d -path '*/kamailio/modules' 2>/dev/null | head -n 1)/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "xlog.so"
request_route {
    xlog("L_WARN", "took \$rm by \$proto, Via \$hdr(Via)\n");
    \$du = "sip:127.0.2.11:5060;transport=udp";
    t_relay();
}
CONFIG
    ip netns exec $ns kamailio -DD -E -f "$dir/kamailio.cfg" -P "$dir/kamailio.pid" -Y "$dir" -m 32 -M 8 >"$dir/kamailio.log" 2>&1 7>&- &
    pids[kamailio]=$!
    for _ in $(seq 100); do [ -n "$(inside ss -Hlnt 'src 127.0.2.27')" ] && break; sleep 0.05; done
    caller "a long INVITE to a peer with TCP" 2700 uac_large
    caller "a short one" 2700 uac_call
    if [ "$(grep -c 'took INVITE by tcp, Via SIP/2.0/TCP 127.0.2.1:5060' "$dir/kamailio.log")" = 1 ] && [ "$(grep -c 'took INVITE by udp' "$dir/kamailio.log")" = 1 ] &&
        [ "$(count back_to_udp)" = 1 ]; then ok "the long one came by TCP, the short one by UDP"; else
        bad "the long one came by TCP, the short one by UDP"
        sed 's/^/     | /' "$dir/kamailio.log" | tail -n 20
    fi
else
    skipped=$((skipped + 1))
    echo "SKIP long requests to a peer with TCP: needs kamailio"
fi

before=$(status status | sed -n 's/.*"sent_again":\([0-9]*\).*/\1/p')
caller "no ACK: both sides get a BYE" 1100 uac_no_ack
after=$(status status | sed -n 's/.*"sent_again":\([0-9]*\).*/\1/p')
# T1 50 ms doubling to T2 200 ms for 64*T1: about 17 times
if [ $((after - before)) -ge 10 ] && [ $((after - before)) -le 25 ]; then ok "no ACK: the 2xx came again meanwhile"; else
    bad "no ACK: the 2xx came again $((after - before)) times"
fi

# ---- strangers, garbage
if inside timeout 20 sipp 127.0.1.1:5060 -sf "$(scenario uac_refused 403)" -s 1100 -i 127.0.1.66 -p 5060 -m 1 -nostdin -recv_timeout 5000 \
    >"$dir/caller.log" 2>&1; then ok "INVITE of a stranger: 403"; else bad "INVITE of a stranger: 403"; fi
garbage() {
    inside bash -c '
        for i in $(seq 200); do head -c $((RANDOM % 1400 + 1)) /dev/urandom >/dev/udp/127.0.1.1/5060; done
        for i in $(seq 20); do
            printf "INVITE sip:11@127.0.1.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.1.10;branch=z9hG4bK%d\r\nContent-Length: %d\r\n\r\n" $i $RANDOM >/dev/udp/127.0.1.1/5060
        done
        for i in $(seq 5); do head -c 3000 /dev/urandom >/dev/tcp/127.0.1.1/5060; done' 2>/dev/null
}
garbage
caller "after garbage on both transports" 1100 uac_call

# ---- many calls at once, and the limit
if inside timeout 40 sipp 127.0.1.1:5060 -sf "$(scenario uac_call)" -s 1100 -i 127.0.1.10 -p 5060 -m 200 -r 40 -l 15 -nostdin -mp 7000 \
    -recv_timeout 8000 >"$dir/caller.log" 2>&1 && nothing_left; then ok "200 calls, 15 at a time"; else bad "200 calls, 15 at a time"; fi

# ---- the dataplane goes and comes back
fake die >/dev/null
sleep 0.2
caller "dataplane away: 503" 1100 uac_refused 503
fake revive >/dev/null
sleep 2.2
caller "dataplane back: calls again" 1100 uac_call

# a call that is up while the dataplane dies and returns: its session is made again on the same ports
(
    sed 's/pause milliseconds="200"/pause milliseconds="4000"/' tests/e2e/sipp/uac_call.xml >"$dir/long.xml"
    inside timeout 20 sipp 127.0.1.1:5060 -sf "$dir/long.xml" -s 1100 -i 127.0.1.10 -p 5060 -m 1 -nostdin -mp 7000 -recv_timeout 8000 >"$dir/long.log" 2>&1
    echo $? >"$dir/long.status"
) &
long=$!
sleep 0.7
before=$(fake legs)
fake die >/dev/null
sleep 0.3
fake revive >/dev/null
for _ in $(seq 30); do
    after=$(fake legs)
    [ "$before" = "$after" ] && break
    sleep 0.1
done
if [ "$(wc -l <<<"$before")" = 3 ] && [ "$before" = "$after" ]; then ok "session of a call comes back as it was"; else
    bad "session of a call comes back as it was"
    printf '%s\n--\n%s\n' "$before" "$after"
fi
wait $long
if [ "$(cat "$dir/long.status")" = 0 ] && nothing_left; then ok "that call ends in order"; else bad "that call ends in order"; fi

# ---- what people see
route_test() { status route test --from sip:100@127.0.1.10 --to "$1" --trunk caller; }
places='[.trunks[] | select(.place) | "\(.trunk) \(.called.after)"] == '
if route_test tel:+31-00 | jq -e '.status == 404' >/dev/null && route_test 34-00 | jq -e "$places"'["unavailable 3400", "silent 3400"]' >/dev/null &&
    [ "$(route_test 9900 | jq '.status')" = 404 ] && [ "$(left)" = 0 ]; then ok "route test"; else
    bad "route test"
    route_test 34-00
fi
if status calls | grep -q '"calls"' && status trunks | grep -q '"unavailable"' && status stats | grep -q dataplane; then ok "trunklinectl"; else bad "trunklinectl"; fi

# ---- ends in order, and a control that starts again flushes what it does not know
sed 's/pause milliseconds="200"/pause milliseconds="9000"/' tests/e2e/sipp/uac_call.xml >"$dir/last.xml"
ip netns exec $ns timeout 20 sipp 127.0.1.1:5060 -sf "$dir/last.xml" -s 1100 -i 127.0.1.10 -p 5060 -m 1 -nostdin -mp 7000 \
    >/dev/null 2>&1 7>&- &
pids[last]=$!
sleep 0.7
kill -TERM ${pids[control]}
wait ${pids[control]}
if [ $? = 0 ] && [ "$(fake count)" = 1 ]; then ok "SIGTERM: clean end, media stays"; else bad "SIGTERM: clean end, media stays"; fi
: >"$dir/control.log"
start_control
for _ in $(seq 50); do [ "$(fake count)" = 0 ] && break; sleep 0.05; done
if [ "$(fake count)" = 0 ]; then ok "a new control flushes old sessions"; else bad "a new control flushes old sessions"; fi

# ---- errors at start
if "$build/control/trunkline-control" --config "$dir/config.json" --check >/dev/null && ! "$build/control/trunkline-control" --config /nonexistent 2>"$dir/err" &&
    [ "$(wc -l <"$dir/err")" = 1 ]; then ok "--check, and a file that is not there"; else bad "--check, and a file that is not there"; fi
sed 's#control.sock#other.sock#' "$dir/config.json" >"$dir/second.json"
if ! inside "$build/control/trunkline-control" --config "$dir/second.json" 2>"$dir/err" && grep -q 'UDP port 5060 of 127.0.1.1' "$dir/err"; then ok "port taken: a sentence"; else
    bad "port taken: a sentence"
    cat "$dir/err"
fi
finish
