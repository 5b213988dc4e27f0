#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The load generator against itself, over a veth pair between two namespaces: plain and both SRTP suites, UDP, TCP and TLS, digits, hold,
# sequence wraps. Then what must fail: loss, tampering, strangers, different suites, nobody there. All scenarios run side by
# side, each on ports of its own.
set -u
cd "$(dirname "$0")/../.."
# shellcheck source=tests/e2e/lib/tamper.sh
. tests/e2e/lib/tamper.sh
# shellcheck source=tests/e2e/lib/certificates.sh
. tests/e2e/lib/certificates.sh
loadgen=$(realpath -m "${TRUNKLINE_BUILD:-build}")/tools/loadgen/trunkline-loadgen
ns=lgself$$
dir=$(mktemp -d)
jobs=()
passed=0 failed=0 skipped=0
seconds=4

cleanup() {
    cat "$dir"/*.pid 2>/dev/null | xargs -r kill 2>/dev/null
    wait
    ip netns del ${ns}a 2>/dev/null
    ip netns del ${ns}b 2>/dev/null
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

ok() { passed=$((passed + 1)); echo "ok   $*"; }
bad() { failed=$((failed + 1)); echo "FAIL $*"; }
skip() { skipped=$((skipped + 1)); echo "SKIP $*"; }
# A core may stop here for long: what is left out for that isn't sent and isn't lost, so no test asks for a number of packets
# near the nominal one.
# check TITLE COMMAND...: one test
check() {
    local title=$1
    shift
    if "$@" >"$dir/check.out" 2>&1; then ok "$title"; else bad "$title"; sed 's/^/     /' "$dir/check.out" | tail -n 15; fi
}

set_up() {
    local s
    for s in a b; do ip netns add $ns$s || return 1; done
    ip link add v0 netns ${ns}a type veth peer name v0 netns ${ns}b || return 1
    ip -n ${ns}a addr add 10.77.0.1/24 dev v0 && ip -n ${ns}b addr add 10.77.0.2/24 dev v0 || return 1
    for s in a b; do ip -n $ns$s link set lo up && ip -n $ns$s link set v0 up || return 1; done
}

# side NAME a|b PORT ARGS...: one program, its report in $dir/NAME.a.json and its exit status in NAME.a.status
side() {
    local name=$1 side=$2 port=$3 here=10.77.0.1 there=10.77.0.2 pt=97
    shift 3
    [ "$side" = b ] && here=10.77.0.2 there=10.77.0.1 pt=110
    (
        timeout -k 8 40 ip netns exec $ns$side "$loadgen" --local $here:"$port" --target $there:"$port" \
            --rtp-ports $((20000 + (port - 5060) * 200))-$((20000 + (port - 5060) * 200 + 199)) --telephone-event $pt \
            --seconds $seconds --cps 10 --json "$dir/$name.$side.json" "$@" >"$dir/$name.$side.out" 2>&1 &
        echo $! >"$dir/$name.$side.pid"
        wait $!
        echo $? >"$dir/$name.$side.status"
        rm -f "$dir/$name.$side.pid"
    ) &
    jobs+=($!)
}

# both NAME PORT ARGS...: each side places six calls and expects six
both() {
    local name=$1 port=$2
    shift 2
    side "$name" b "$port" --calls 6 --expect-calls 6 --first-call 1001 "$@"
    side "$name" a "$port" --calls 6 --expect-calls 6 "$@"
}

status_is() { # NAME SIDE STATUS
    [ "$(cat "$dir/$1.$2.status" 2>/dev/null)" = "$3" ] || { echo "exit status $(cat "$dir/$1.$2.status")"; cat "$dir/$1.$2.out"; return 1; }
}
holds() { # NAME SIDE FILTER: jq's last output is true
    jq -e "$3" "$dir/$1.$2.json" >/dev/null || { echo "not so: $3"; jq -c 'del(.per_call)' "$dir/$1.$2.json"; return 1; }
}

# What A says it sent is what B says it received, call by call and both ways.
agree() { # NAME CALLS
    jq -en --slurpfile a "$dir/$1.a.json" --slurpfile b "$dir/$1.b.json" --argjson calls "$2" '
        ($a[0].per_call | sort_by(.label)) as $x | ($b[0].per_call | sort_by(.label)) as $y
        | ($x | length) == $calls and ($y | length) == $calls
        and all(range($calls); $x[.].label == $y[.].label and $x[.].role != $y[.].role
            and $x[.].sent == $y[.].received and $y[.].sent == $x[.].received and $x[.].sent > 20 and $y[.].sent > 20
            and $x[.].packets_sent == $y[.].packets_received and $y[.].packets_sent == $x[.].packets_received
            and $x[.].first_seq == $y[.].first_seq_received
            and $x[.].rtcp_sent == $y[.].rtcp_received and $y[.].rtcp_sent == $x[.].rtcp_received and $x[.].rtcp_sent > 0)'
}

# Every second call wrapped in both directions and no other did; every third was held; each side hung up in turn.
variety() { # NAME SIDE
    holds "$1" "$2" 'all(.per_call[]; .roc_steps_sent == 1 - .label % 2 and .roc_steps_received == 1 - .label % 2
        and (if .label % 2 == 0 then .first_seq > 65535 - 200 and .first_seq_received > 65535 - 200 else true end)
        and .held == (if .label % 3 == 0 then 1 else 0 end) and (.held == 0 or .received_after_hold > 5)
        and ((.bye == "sent") == ((.label % 2 == 1) == (.role == "caller"))) and .dtmf_sent == 4 and .dtmf_received == 4)'
}

clean() { # NAME CALLS
    local name=$1 s
    for s in a b; do
        check "$name: side $s ends with 0" status_is "$name" $s 0
        check "$name: side $s saw nothing wrong" holds "$name" $s '.good and .calls.still_up == 0 and .calls.failed == 0
            and ([.rtp | .lost, .reordered, .duplicate, .bad_auth, .bad_payload, .misrouted, .bad_pt, .foreign] | add) == 0
            and .dtmf.wrong == 0 and .failures == [] and (.rtcp | .bad + .bad_auth + .foreign) == 0'
        check "$name: side $s had wraps, holds, digits and both kinds of hang-up" variety "$name" $s
    done
    check "$name: what one side sent the other received, call by call" agree "$name" "$2"
}

[ -x "$loadgen" ] || { echo "FAIL $loadgen is missing: build first"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
set_up || { bad "two namespaces (this needs root)"; echo "$passed passed, $failed failed, $skipped skipped"; exit 1; }

# All rules come before all traffic: changing them under load costs packets.
# every second ACK and every third BYE is lost: the two sides of a call begin and end half a second apart and more, and still no
# packet that counts may be cut off
for s in a b; do
    for what in 'ACK sip 2' 'BYE sip 3'; do
        ip netns exec $ns$s iptables -A INPUT -p udp --dport 5074 -m string --algo bm --to 40 --string "${what% *}" \
            -m statistic --mode nth --every "${what##* }" --packet 1 -j DROP 2>"$dir/iptables" || touch "$dir/no_iptables"
    done
done
ip netns exec ${ns}b iptables -A INPUT -p udp --dport 21000:21199 -m statistic --mode random --probability 0.03 -j DROP 2>"$dir/iptables" ||
    touch "$dir/no_iptables"
tamper ${ns}b v0 21200 21599 "$dir" 2>"$dir/tamper.err" || touch "$dir/no_tamper"

usual=(--dtmf '17#A' --hold-every 3 --wrap-every 2)
both plain 5060 "${usual[@]}"
both mux 5061 "${usual[@]}" --rtcp-mux --codec pcmu
both cm80 5062 "${usual[@]}" --srtp AES_CM_128_HMAC_SHA1_80
both gcm 5063 "${usual[@]}" --srtp AEAD_AES_128_GCM --rtcp-mux
side tcp b 5064 --expect-calls 6 "${usual[@]}" --srtp AES_CM_128_HMAC_SHA1_80
sleep 0.3 # until it listens: a refused TCP connection is an answer
side tcp a 5064 --calls 6 --transport tcp "${usual[@]}" --srtp AES_CM_128_HMAC_SHA1_80

# TLS on the port behind, each side with a certificate that the other one asks for; then a caller with none, and one with a CA
# that did not sign the callee's
if make_ca "$dir" ca && make_ca "$dir" other && make_certificate "$dir" a ca DNS:a.example && make_certificate "$dir" b ca DNS:b.example; then
    for s in a b; do cat "$dir/$s.key" >>"$dir/$s.pem"; done
    side tls b 5075 --expect-calls 6 "${usual[@]}" --srtp AES_CM_128_HMAC_SHA1_80 --certificate "$dir/b.pem" --ca "$dir/ca.pem"
    side bare b 5077 --expect-calls 1 --duration-limit 5 --certificate "$dir/b.pem" --ca "$dir/ca.pem"
    side ca b 5079 --expect-calls 1 --duration-limit 5 --certificate "$dir/b.pem"
    sleep 0.3
    side tls a 5075 --target 10.77.0.2:5076 --calls 6 --transport tls "${usual[@]}" --srtp AES_CM_128_HMAC_SHA1_80 --certificate "$dir/a.pem" --ca "$dir/ca.pem"
    side bare a 5077 --target 10.77.0.2:5078 --calls 1 --transport tls --ca "$dir/ca.pem" --duration-limit 5
    side ca a 5079 --target 10.77.0.2:5080 --calls 1 --transport tls --ca "$dir/other.pem" --duration-limit 5
else
    touch "$dir/no_tls"
fi

[ -e "$dir/no_iptables" ] || both signalling 5074 --dtmf '17#A' --srtp AES_CM_128_HMAC_SHA1_80

# what must fail
[ -e "$dir/no_iptables" ] || both lossy 5065
[ -e "$dir/no_tamper" ] || {
    both forged 5066 --srtp AEAD_AES_128_GCM
    both damaged 5067
}
side suites b 5068 --expect-calls 2 --duration-limit 3 --srtp AES_CM_128_HMAC_SHA1_80
side suites a 5068 --calls 2
side nobody a 5069 --calls 2 --transport tcp
side stranger b 5070 --expect-calls 1
side stranger a 5070 --calls 1
side digits b 5071 --expect-calls 1 --dtmf 12
side digits a 5071 --calls 1 --dtmf 13
side signal b 5072 --expect-calls 2
side signal a 5072 --calls 2 --progress

if command -v sipp >/dev/null; then # a far end that is not our code
    (cd "$dir" && exec timeout 30 ip netns exec ${ns}b sipp -sn uas -i 10.77.0.2 -mi 10.77.0.2 -p 5073 -mp 6000 -rtp_echo -m 2 -nostdin) >/dev/null 2>&1 &
    jobs+=($!)
    echo $! >"$dir/sipp.pid"
    side echo a 5073 --calls 2 --echo --codec pcmu --hangup caller --rtcp-interval 0
fi

sleep 1
# an OPTIONS, a method not served and a broken datagram to a busy side; a stranger's packet to its first media port
options='OPTIONS sip:x@10.77.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.77.0.1:5099;branch=z9hG4bK%s\r\nFrom: <sip:x@10.77.0.1>;tag=1\r\nTo: <sip:x@10.77.0.2>\r\nCall-ID: o%s\r\nCSeq: 1 %s\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n'
ask() { # METHOD: the status line of the answer
    # shellcheck disable=SC2059
    printf "${options/OPTIONS/$1}" "$1" "$1" "$1" | ip netns exec ${ns}a nc -u -p 5099 -w 1 10.77.0.2 5070 | head -n 1 | tr -d '\r'
}
check "OPTIONS is answered" test "$(ask OPTIONS)" = "SIP/2.0 200 OK"
check "MESSAGE is refused" test "$(ask MESSAGE)" = "SIP/2.0 405 Method Not Allowed"
printf 'nonsense\r\n\r\n' | ip netns exec ${ns}a nc -u -w 0 -q 0 10.77.0.2 5070
printf 'not from the address that SDP named' | ip netns exec ${ns}a nc -u -w 0 -q 0 10.77.0.2 22000

# the same port again, an address that isn't here: one sentence each
check "a port that is taken is said in one sentence" bash -c "! ip netns exec ${ns}a $loadgen --local 10.77.0.1:5060 2>$dir/taken && grep -q 'is taken' $dir/taken && [ \$(wc -l <$dir/taken) = 1 ]"
check "an address that is not here is said in one sentence" bash -c "! ip netns exec ${ns}a $loadgen --local 10.77.0.9 2>$dir/away && grep -q 'no address of this machine' $dir/away && [ \$(wc -l <$dir/away) = 1 ]"
check "a file that is no certificate is said in one sentence" bash -c "! $loadgen --local 127.0.0.1 --certificate $0 2>$dir/pem && grep -q 'expected a certificate with its key in PEM' $dir/pem && [ \$(wc -l <$dir/pem) = 1 ]"
check "a wrong argument ends with 2" bash -c "$loadgen --local 10.77.0.1 --cps fast 2>$dir/args; [ \$? = 2 ] && [ \$(wc -l <$dir/args) = 1 ]"

# SIGTERM in the middle: it hangs up, reports and ends
for _ in {1..100}; do
    grep -q 'up 2 ' "$dir/signal.a.out" && break
    sleep 0.1
done
kill -TERM "$(cat "$dir/signal.a.pid")"

for job in "${jobs[@]}"; do wait "$job"; done
jobs=()

clean plain 12
clean mux 12
clean cm80 12
clean gcm 12
clean tcp 6
if [ -e "$dir/no_tls" ]; then
    skip "TLS: openssl makes no certificates here"
else
    clean tls 6
    check "TLS: a caller without a certificate ends with 1" status_is bare a 1
    check "TLS: and reaches nobody" holds bare b '.calls.answered == 0'
    check "TLS: a certificate of another CA ends with 1" status_is ca a 1
    check "TLS: and there is no call" holds ca b '.calls.answered == 0'
fi

if [ -e "$dir/signalling.a.status" ]; then
    check "SIP loss: side a ends with 0" status_is signalling a 0
    check "SIP loss: side b ends with 0" status_is signalling b 0
    check "SIP loss: what one side sent the other received" agree signalling 12
    dropped=$(for s in a b; do ip netns exec $ns$s iptables -L INPUT -vnx; done | awk '/5074/ { n += $1 } END { print n }')
    check "SIP loss: there was some ($dropped messages)" test "$dropped" -ge 6
else
    skip "SIP loss: no iptables statistic here"
fi
if [ -e "$dir/lossy.b.status" ]; then
    check "loss: the side that loses ends with 1" status_is lossy b 1
    check "loss: it counts what is missing" holds lossy b '.rtp.lost > 0 and .rtp.lost == ([.per_call[] | .expected - .received] | add) and (.good | not)'
    check "loss: and nothing else" holds lossy b '.rtp | .bad_auth + .bad_payload + .reordered + .duplicate + .foreign == 0'
    check "loss: the other direction is whole" holds lossy a '.rtp.lost == 0'
    check "loss: both sides' numbers show the same loss" jq -en --slurpfile a "$dir/lossy.a.json" --slurpfile b "$dir/lossy.b.json" \
        '$a[0].rtp.sent - $b[0].rtp.received == $b[0].rtp.lost'
else
    skip "loss: no iptables statistic here ($(head -n 1 "$dir/iptables"))"
fi
if [ -e "$dir/forged.b.status" ] && [ -e "$dir/damaged.b.status" ]; then
    check "tampered SRTP: ends with 1" status_is forged b 1
    check "tampered SRTP: fails authentication, is lost, never taken" holds forged b '.rtp | .bad_auth > 0 and .lost <= .bad_auth and .lost > 0 and .bad_payload == 0'
    check "tampered RTP: ends with 1" status_is damaged b 1
    check "tampered RTP: every changed byte is seen" holds damaged b '.rtp | .bad_payload > 0 and .lost <= .bad_payload and .lost > 0 and .bad_auth == 0'
else
    skip "tampering: no BPF here ($(head -n 1 "$dir/tamper.err"))"
fi
if [ -e "$dir/echo.a.status" ]; then
    check "sipp echoes: ends with 0" status_is echo a 0
    check "sipp echoes: all came back" holds echo a '.calls.completed == 2 and .rtp.sent == .rtp.received and .rtp.received > 50'
else
    skip "sipp is not here"
fi
check "different suites: the caller ends with 1" status_is suites a 1
check "different suites: refused with 488" holds suites a '.calls.failed == 2 and all(.failures[]; .reason | test("^488"))'
check "different suites: the callee ends with 1 too" status_is suites b 1
check "nobody there: ends with 1" status_is nobody a 1
check "nobody there: says so" holds nobody a 'all(.failures[]; .reason | test("refused")) and (.failures | length) == 2'
check "a stranger's packet is foreign" holds stranger b '.rtp.foreign == 1 and .rtp.lost == 0 and (.good | not)'
check "OPTIONS counted, nothing crashed" holds stranger b '.sip.options_answered == 1 and .sip.stray >= 1 and .calls.answered == 1'
check "other digits than expected end with 1" status_is digits b 1
check "other digits than expected are counted" holds digits b '.dtmf.wrong == 1 and .dtmf.received == 1 and .rtp.lost == 0'
check "SIGTERM: ends with 1" status_is signal a 1
check "SIGTERM: no call is left up" holds signal a '.calls.still_up == 0 and all(.failures[]; .reason | test("^stopped after"))
    and all(.per_call[]; .bye == "sent" and .bye_status == 200 and .packets_sent > .sent)'
check "SIGTERM: the other side was hung up on and has lost nothing" holds signal b '.calls.still_up == 0 and .rtp.lost == 0 and .calls.answered == 2'

echo "$passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]
