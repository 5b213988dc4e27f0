#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Attacks on control beside good calls over two other trunks: all good calls complete, memory stays bounded, what was not let in is
# counted, few lines are written. Control with the fake dataplane, SIPp for the good calls, tests/tools/sip_attack for the bad;
# all on loopback addresses inside a namespace of its own.
#   attacks.sh                 each attack for some seconds beside 20 calls of 2 s
#   attacks.sh --long [NAME]   beside 50 calls of 10 s, all kinds, and the table of docs/security.md; NAME picks attacks
#   ATTACK_LATE_S=180 attacks.sh   the peer that answers late does so after that many seconds instead of a few
. "$(dirname "$0")/lib/loopback.sh"
# shellcheck source=tests/e2e/lib/certificates.sh
. tests/e2e/lib/certificates.sh
long=0 only=${2:-}
[ "${1:-}" = --long ] && long=1
calls=20 hold=2000 span=4
[ $long = 1 ] && calls=50 hold=10000 span=16
loopback_begin sipp openssl
inside sysctl -qw net.core.wmem_max=8388608 2>/dev/null

# good: 127.0.1.10 calls 127.0.2.11. bad: 127.0.1.66 is the peer of a trunk, whose calls go to 127.0.2.66; 127.0.9.9 is nobody's.
c=$dir/certs
mkdir "$c"
make_ca "$c" ca && make_ca "$c" other && make_certificate "$c" gateway ca DNS:gateway.example.com &&
    make_certificate "$c" evil ca DNS:evil.example.com && make_certificate "$c" wrong other DNS:evil.example.com || { bad "certificates"; finish; }
late_s=${ATTACK_LATE_S:-$([ $long = 1 ] && echo 14 || echo 3)}
cat >"$dir/config.json" <<CONFIG
{"dataplane": {"socket": "$dir/dataplane.sock", "max_sessions": 4000, "ports": [{"name": "p", "device": "net_null0"}]},
 "control": {"socket": "$dir/control.sock", "srtp_without_tls": "allow", "max_calls": 2000},
 "realms": [{"name": "left", "port": "p", "address": "198.51.100.1/24", "rtp_ports": [20000, 29999]},
            {"name": "right", "port": "p", "side": "core", "address": "203.0.113.1/24", "rtp_ports": [30000, 39999]}],
 "listeners": [{"name": "a", "transport": "udp", "address": "127.0.1.1:5060"},
               {"name": "a-drop", "transport": "udp", "address": "127.0.1.1:5070", "strangers": "drop"},
               {"name": "a-tcp", "transport": "tcp", "address": "127.0.1.1:5060"},
               {"name": "a-tls", "transport": "tls", "address": "127.0.1.1:5061", "tls": {"certificate": "$c/gateway.pem", "key": "$c/gateway.key", "ca": "$c/ca.pem"}},
               {"name": "a-tls-open", "transport": "tls", "address": "127.0.1.1:5071", "strangers": "answer",
                "tls": {"certificate": "$c/gateway.pem", "key": "$c/gateway.key", "ca": "$c/ca.pem"}},
               {"name": "b", "transport": "udp", "address": "127.0.2.1:5060"}],
 "trunks": [{"name": "caller", "listener": "a", "peer": "127.0.1.10:5060", "realm": "left", "options_interval_s": 0},
            {"name": "call", "listener": "b", "peer": "127.0.2.11:5060", "realm": "right", "options_interval_s": 0},
            {"name": "evil", "listener": "a", "peer": "127.0.1.66:5060", "realm": "left", "options_interval_s": 0, "max_waiting_calls": 500},
            {"name": "evil-drop", "listener": "a-drop", "peer": "127.0.1.66:5060", "realm": "left", "options_interval_s": 0},
            {"name": "evil-tcp", "listener": "a-tcp", "peer": "127.0.1.66:5060", "realm": "left", "options_interval_s": 0},
            {"name": "evil-tls", "listener": "a-tls", "peer": "127.0.1.66:5061", "realm": "left", "srtp": "off", "options_interval_s": 0,
             "tls": {"names": ["evil.example.com"]}},
            {"name": "sink", "listener": "b", "peer": "127.0.2.66:5060", "realm": "right", "options_interval_s": 0}],
 "routes": [{"prefix": "11", "from": "caller", "trunks": ["call"]}, {"prefix": "", "from": "evil", "trunks": ["sink"]}]}
CONFIG
mkfifo "$dir/fake.in"
"$build/tests/tools/fake-dataplane" "$dir/config.json" <"$dir/fake.in" >"$dir/fake.out" 2>&1 &
pids[fake]=$!
exec 7>"$dir/fake.in"
ip netns exec $ns "$build/control/trunkline-control" --config "$dir/config.json" 2>"$dir/control.log" 7>&- &
pids[control]=$!
for _ in $(seq 200); do grep -q 'dataplane: connected' "$dir/control.log" && break; sleep 0.02; done
control=${pids[control]}
ip netns exec $ns timeout 1500 sipp -sf tests/e2e/sipp/uas_call.xml -i 127.0.2.11 -p 5060 -nostdin -mp 6000 >"$dir/callee.log" 2>&1 7>&- &
pids[callee]=$!
for _ in $(seq 200); do [ -n "$(inside ss -Hlnu "src 127.0.2.11")" ] && break; sleep 0.02; done
sed "s/pause milliseconds=\"200\"/pause milliseconds=\"$hold\"/; s/<send retrans=\"500\">/<send retrans=\"500\" start_rtd=\"1\">/; s/<recv response=\"200\" rrs=\"true\">/<recv response=\"200\" rrs=\"true\" rtd=\"1\">/" \
    tests/e2e/sipp/uac_call.xml >"$dir/good.xml"

status() { inside "$build/tools/ctl/trunklinectl" --socket "$dir/control.sock" --json "$@"; }
memory() { sed -n "s/^$1:[[:space:]]*\([0-9]*\) kB/\1/p" "/proc/$control/status"; }
ticks() { awk '{ print $14 + $15 }' "/proc/$control/stat"; }
drops() { status status | jq ".gate.drops.$1"; }
refused() { status trunks | jq '[.trunks[] | .limits.refused | add] | add'; }
idle() { for _ in $(seq 300); do [ "$(status status | jq .calls.active)" = 0 ] && return; sleep 0.1; done; return 1; }
# quantile FILE PERCENT: of the set-up times, ms
quantile() { tail -qn +2 "$1"/*_rtt.csv 2>/dev/null | cut -d';' -f2 | sort -n | awk -v p="$2" '{ v[NR] = $1 } END { print NR ? v[int((NR - 1) * p / 100) + 1] : "-" }'; }

# beside TITLE [ATTACK...]: good calls while the attack runs, which is given the seconds that they take. Sets attack_out.
beside() {
    local title=$1 out=$dir/run before before_log status=0 cpu start attack=0
    shift
    [ -z "$only" ] || [[ $title == *"$only"* ]] || [ "$title" = undisturbed ] || return 1
    rm -rf "$out" && mkdir "$out"
    echo 5 >"/proc/$control/clear_refs" 2>/dev/null
    before=$(memory VmRSS) before_log=$(wc -l <"$dir/control.log") cpu=$(ticks) start=$(date +%s%N)
    if [ $# -gt 0 ]; then
        local tool=sip_attack
        [ "$1" = tls ] && { tool=tls_attack; shift; }
        ip netns exec $ns timeout 60 "$build/tests/tools/$tool" "$1" "$2" "$3" "$span" "${@:4}" >"$dir/attack.out" 2>&1 7>&- &
        attack=$!
        pids[attack]=$attack
        sleep 0.5
    fi
    (cd "$out" && inside timeout 60 sipp 127.0.1.1:5060 -sf "$dir/good.xml" -s 1100 -i 127.0.1.10 -p 5060 -m "$calls" -r 10 -nostdin -mp 7000 \
        -recv_timeout 20000 -trace_rtt -rtt_freq 1 -trace_err -error_file "$out/err" >"$out/log" 2>&1 7>&-) || status=1
    cpu=$(((($(ticks) - cpu) * 1000000000) / ($(date +%s%N) - start)))
    lines=$(($(wc -l <"$dir/control.log") - before_log))
    if [ $attack != 0 ]; then
        wait $attack || bad "$title: the attack did not run: $(cat "$dir/attack.out")"
        unset "pids[attack]"
    fi
    attack_out=$(cat "$dir/attack.out" 2>/dev/null)
    grown=$((($(memory VmHWM) - before + 1023) / 1024))
    # what the good calls write themselves: three lines each
    row="| $title | $(quantile "$out" 50) / $(quantile "$out" 99) | $grown | $((lines > calls * 3 ? lines - calls * 3 : 0)) | $cpu % | ${attack_out:-} |"
    [ $long = 1 ] && echo "$row"
    if ! kill -0 "$control" 2>/dev/null; then bad "$title: control ended"; tail -n 20 "$dir/control.log"; finish; fi
    if [ $status = 0 ]; then ok "$title: all $calls good calls complete"; else
        bad "$title: not all $calls good calls complete ($row)"
        head -n 12 "$out/err" | cut -c1-200 | sed 's/^/     | /'
    fi
    if [ "$grown" -le 64 ]; then ok "$title: memory is bounded"; else bad "$title: control grew by $grown MB"; fi
    if [ $((lines - calls * 3)) -le 100 ]; then ok "$title: few lines"; else bad "$title: $((lines - calls * 3)) lines"; tail -n 3 "$dir/control.log"; fi
}
more() { # TITLE BEFORE NOW
    if [ "$3" -gt "$2" ]; then ok "$1 ($(($3 - $2)))"; else bad "$1: still $3"; fi
}

[ $long = 1 ] && printf '%s\n' "| beside | set-up ms, median / P99 | MB more | lines | control's CPU | the attack |" "|---|---|---|---|---|---|"
beside undisturbed

# ---- floods
rate=60000
n=$(drops stranger_rate)
beside "OPTIONS of a stranger" options 127.0.1.1:5060 127.0.9.9:5060 $rate && more "a stranger's are dropped before they are read" "$n" "$(($(drops stranger_rate) + $(drops banned)))"
beside "INVITE of a stranger" invite 127.0.1.1:5060 127.0.9.8:5060 $rate
n=$(drops strangers_rate)
beside "OPTIONS of forged strangers" forged 127.0.1.1:5060 127.0.9.7:0 $rate && more "all strangers have one bucket" "$n" "$(drops strangers_rate)"
n=$(drops stranger)
beside "OPTIONS of a stranger, dropped there" options 127.0.1.1:5070 127.0.9.6:5060 $rate
n=$(drops peer_rate)
beside "OPTIONS of a peer" options 127.0.1.1:5060 127.0.1.66:5060 $rate && more "a peer's beyond its rate are dropped" "$n" "$(drops peer_rate)"
ip netns exec $ns timeout 1500 "$build/tests/tools/sip_attack" silent 127.0.2.1:5060 127.0.2.66:5060 1400 >/dev/null 7>&- &
pids[sink]=$!
sleep 0.3 # it runs before it can be ended
n=$(refused)
beside "INVITE of a peer" invite 127.0.1.1:5060 127.0.1.66:5060 $rate && more "its calls are refused by limits" "$n" "$(refused)"
beside "INVITE of a peer, 300 a second, never answered" invite 127.0.1.1:5060 127.0.1.66:5060 300
status status | jq -e '.gate.bans > 0' >/dev/null && ok "strangers that go on are banned" || { [ -n "$only" ] || bad "nobody was banned"; }
if [ -z "$only" ]; then
    if status bans | jq -e '[.bans[].address] | index("127.0.9.9")' >/dev/null && status unban 127.0.9.9 >/dev/null &&
        ! status bans | jq -e '[.bans[].address] | index("127.0.9.9")' >/dev/null; then ok "bans are shown and end by hand"; else bad "bans: $(status bans)"; fi
fi

# ---- lists of headers
for header in Record-Route Via Contact Require P-Asserted-Identity $([ $long = 1 ] && echo Route Supported Allow Accept Diversion History-Info \
    Privacy Reason P-Early-Media Geolocation Session-Expires Call-Info Proxy-Require X-Unknown); do
    beside "60 kB of $header, 20 a second" list 127.0.1.1:5060 127.0.1.66:5060 20 "$header"
done

# ---- connections
beside "4,400 connections of strangers" connect 127.0.1.1:5060 127.0.9.5:0 4400
beside "4,400 connections of a peer" connect 127.0.1.1:5060 127.0.1.66:0 4400
beside "100 connections of a peer that ping" ping 127.0.1.1:5060 127.0.1.66:0 100
beside "512 connections of a peer that ask and never read" pipeline 127.0.1.1:5060 127.0.1.66:0 512
[ $long = 1 ] && beside "1,000 slow senders" slow 127.0.1.1:5060 127.0.1.66:0 1000

# ---- handshakes of TLS
beside "handshakes of strangers" tls full 127.0.1.1:5061 127.0.9.4:0 100
beside "handshakes of strangers where these are answered" tls full 127.0.1.1:5071 127.0.9.3:0 100
beside "handshakes of a peer" tls full 127.0.1.1:5061 127.0.1.66:0 100 "$c/evil.pem" "$c/evil.key"
beside "handshakes of a peer with another's certificate" tls full 127.0.1.1:5061 127.0.1.66:0 100 "$c/wrong.pem" "$c/wrong.key"
beside "2,000 handshakes of a peer that stop half-way" tls half 127.0.1.1:5061 127.0.1.66:0 2000

# ---- callees
kill ${pids[sink]} && wait ${pids[sink]} 2>/dev/null
unset "pids[sink]"
ip netns exec $ns timeout 1500 "$build/tests/tools/sip_attack" forks 127.0.2.1:5060 127.0.2.66:5060 1400 20000 >/dev/null 7>&- &
pids[sink]=$!
sleep 0.3 # it runs before it can be ended
beside "20,000 forked 2xx to a call" invite 127.0.1.1:5060 127.0.1.66:5060 1
kill ${pids[sink]} && wait ${pids[sink]} 2>/dev/null
unset "pids[sink]"
# Nobody ACKs what comes so late, and the callers have sent all their INVITEs by then: the answers fall into the good calls.
ip netns exec $ns timeout 1500 "$build/tests/tools/sip_attack" late 127.0.2.1:5060 127.0.2.66:5060 1400 $((late_s * 1000)) >/dev/null 7>&- &
pids[sink]=$!
sleep 0.3 # it runs before it can be ended
if [ "$late_s" -le "$span" ]; then
    beside "answers after $late_s s, and no ACK" invite 127.0.1.1:5060 127.0.1.66:5060 15
elif [ -z "$only" ] || [[ "answers after" == *"$only"* ]]; then
    idle || bad "calls are left"
    inside timeout 60 "$build/tests/tools/sip_attack" invite 127.0.1.1:5060 127.0.1.66:5060 4 50 >"$dir/late.out" 7>&-
    waiting=$(status status | jq .calls.active)
    if [ "$waiting" -ge 150 ]; then ok "$waiting calls wait for an answer"; else bad "$waiting calls wait for an answer"; fi
    sleep $((late_s - 5))
    only='' beside "answers after $late_s s, and no ACK"
fi
finish
