#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What a call costs in signalling: SIPp (Debian sip-tester) on both sides of both daemons, of a floor that only reads and prints
# the messages, and of Kamailio with rtpengine, one after the other in the same three namespaces. docs/scale.md has the
# method and figures. Needs root.
#   tools/bench-signalling.sh [--quick] [--json FILE] [--arms NAMES] [--rates R,R] [--seconds S] [--live N,N | --live none]
#                             [--search no] [--soak CALLS]
#   tools/bench-signalling.sh --count    instructions of control for a call, by callgrind (Debian valgrind)
# Arms: floor, udp_udp, tcp_udp, tls_udp, kamailio. --live measures with so many calls up, --soak whether control's memory stays
# flat over so many. CPU is user and system time of all daemons of an arm, from /proc, without the dataplane's workers.
set -u
cd "$(dirname "$0")/.." || exit 1
build=${TRUNKLINE_BUILD:-$PWD/build}
arms=floor,udp_udp,tcp_udp,tls_udp,kamailio rates=300,1000 seconds=10 live=1000,50000 live_rate=1000 search=yes json= soak=0 count=no
steps='500 700 1000 1300 1700 2200 2800 3600 4600 6000 8000'
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) sed -n '3,11s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --quick) rates=100 seconds=2 live=200 live_rate=100 steps='200 400' ;;
    --count) count=yes ;;
    --json | --arms | --rates | --seconds | --live | --search | --soak) declare "${1#--}=${2:?}" && shift ;;
    *) echo "bench-signalling: unknown option $1 (see --help)" >&2; exit 2 ;;
    esac
    shift
done
needs=(sipp jq openssl nc ethtool)
[ $count = no ] || needs+=(valgrind)
[[ ,$arms, != *,kamailio,* || $count = yes ]] || needs+=(kamailio rtpengine)
for program in "${needs[@]}"; do
    command -v "$program" >/dev/null || { echo "bench-signalling: there is no $program here: run tools/setup.sh test" >&2; exit 1; }
done

# shellcheck source=tools/lib/topology.sh
. tools/lib/topology.sh
# shellcheck source=tools/lib/gateway.sh
. tools/lib/gateway.sh
# shellcheck source=tests/e2e/lib/certificates.sh
. tests/e2e/lib/certificates.sh
work=$(mktemp -d /tmp/tl-signalling.XXXXXX)
helpers=() # parties and whatever else is no daemon of an arm
cleanup() {
    trap - EXIT INT TERM
    topo_down # ends what still runs in the namespaces
    wait
    rmdir "/var/run/dpdk/${work##*/}" 2>/dev/null # of a dataplane that could not end in order
    [ -z "${TRUNKLINE_KEEP:-}" ] || cp -r "$work" "$TRUNKLINE_KEEP"
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
topo_up || exit 1
say() { echo "$*" >&2; }

# ---- the ground ---------------------------------------------------------------------------------------

PAIRS_MAX=4 # of SIPps; each caller and callee has an address of its own
CALLEE_PORT=5060 OPTIONS_PORT=5100 DIRECT_PEER=10.99.3.10 DIRECT_CORE=10.99.3.20
for ((i = 1; i < PAIRS_MAX; i++)); do
    ip -n "$TOPO_PEER_NS" addr add 10.99.1.$((10 + i))/24 dev $TOPO_PEER_IF && ip -n "$TOPO_CORE_NS" addr add 10.99.2.$((10 + i))/24 dev $TOPO_CORE_IF || exit 1
done
# A pair that joins the parties, for SIPp alone, and media interfaces of the gateway: what is on them is no SIP.
ip link add direct0 netns "$TOPO_PEER_NS" type veth peer name direct1 netns "$TOPO_CORE_NS" &&
    ip -n "$TOPO_PEER_NS" addr add $DIRECT_PEER/24 dev direct0 && ip -n "$TOPO_PEER_NS" link set direct0 up &&
    ip -n "$TOPO_CORE_NS" addr add $DIRECT_CORE/24 dev direct1 && ip -n "$TOPO_CORE_NS" link set direct1 up || exit 1
for side in p c; do
    ip link add media$side netns "$TOPO_GW_NS" type veth peer name far$side netns "$TOPO_GW_NS" &&
        ip -n "$TOPO_GW_NS" link set media$side up && ip -n "$TOPO_GW_NS" link set far$side up || exit 1
done
make_ca "$work" ca && make_certificate "$work" gateway ca DNS:gateway.example.com &&
    make_certificate "$work" peer ca DNS:peer.example.com || { say "bench-signalling: openssl makes no certificates"; exit 1; }

# Caller and callee of the end-to-end tests: one with a clock from INVITE to 200, the other with SRTP.
sed -e 's|<pause milliseconds="200"/>|<pause/>|' -e '0,/<send retrans="500">/s//<send retrans="500" start_rtd="1">/' \
    -e 's|<recv response="200" rrs="true">|<recv response="200" rrs="true" rtd="1">|' tests/e2e/sipp/uac_call.xml >"$work/caller.xml"
sed -e 's|RTP/AVP 0 101|RTP/SAVP 0 101|' \
    -e 's|^a=rtpmap:0 PCMU/8000|a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\n&|' tests/e2e/sipp/uas_call.xml >"$work/callee.xml"

# ---- time and memory ----------------------------------------------------------------------------------

# cpu_us PID...: what the threads of these processes have had, in µs; those that are workers of the dataplane do not count.
cpu_us() {
    local pid files=()
    for pid in "$@"; do
        for task in /proc/"$pid"/task/*; do
            [[ $(cat "$task/comm" 2>/dev/null) == *worker* ]] || files+=("$task/schedstat")
        done
    done
    cat "${files[@]}" 2>/dev/null | awk '{ns += $1} END {printf "%d\n", ns / 1000}'
}
rss_kb() { awk '/VmRSS/ {print $2}' "/proc/$1/status"; }

# ---- parties ------------------------------------------------------------------------------------------

# in_ns NAMESPACE NAME COMMAND...: one that stays
in_ns() {
    local ns=$1 name=$2
    shift 2
    ip netns exec "$ns" "$@" >"$work/$name.log" 2>&1 </dev/null &
    helpers+=($!)
}
helpers_end() {
    local pid
    for pid in "${helpers[@]}"; do # and what a shell among them has started
        # shellcheck disable=SC2046
        kill -KILL "$pid" $(pgrep -P "$pid")
    done 2>/dev/null
    [ ${#helpers[@]} = 0 ] || wait "${helpers[@]}" 2>/dev/null
    helpers=()
}
# listens NAMESPACE ADDRESS:PORT...: waits until all are there
listens() {
    local ns=$1 at i
    shift
    for at in "$@"; do
        for ((i = 0; i < 200; i++)); do
            [ -z "$(ip netns exec "$ns" ss -Hlntu "src $at")" ] || break
            sleep 0.1
        done
        [ $i -lt 200 ] || { say "bench-signalling: nobody listens on $at"; return 1; }
    done
}
# callees PAIRS [IP]: each on an address of its own, or on one with a port of its own
callees() {
    local i
    for ((i = 0; i < $1; i++)); do
        in_ns "$TOPO_CORE_NS" callee$i sipp -sf "$work/callee.xml" -i "${2:-10.99.2.$((10 + i))}" -p $((${2:+$i} + CALLEE_PORT)) -nostdin -mp $((6000 + 10 * i)) \
            -l 200000 -buff_size 4194304
        listens "$TOPO_CORE_NS" "${2:-10.99.2.$((10 + i))}:$((${2:+$i} + CALLEE_PORT))" || return 1
    done
}
# Answers OPTIONS of the trunks that only are there.
options_peers() {
    cat >"$work/options.py" <<'PYTHON'
import re, select, socket, sys
ip, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
sockets = []
for port in range(first, first + count):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((ip, port))
    sockets.append(s)
while True:
    for s in select.select(sockets, [], [])[0]:
        text, peer = s.recvfrom(65535)
        kept = [l for l in text.decode("latin-1").split("\r\n") if re.match("(Via|From|To|Call-ID|CSeq):", l)]
        kept = [l + ";tag=1" if l.startswith("To:") else l for l in kept]
        s.sendto(("SIP/2.0 200 OK\r\n" + "\r\n".join(kept) + "\r\nContent-Length: 0\r\n\r\n").encode("latin-1"), peer)
PYTHON
    in_ns "$TOPO_CORE_NS" options python3 "$work/options.py" $TOPO_CORE_IP $OPTIONS_PORT 19
}

# calls PAIRS RATE SECONDS HOLD-MS [rtt]: so many callers against $target_ip, all at once. Prints
# {calls, ok, failed, retransmitted, seconds}, and with rtt {p50, p99} ms from INVITE to 200 as .delay.
target_ip= target_port=5060 target_step=0 transport=u1 local_ip= local_port=5060
calls() {
    local pairs=$1 rate=$2 n i callers=() options=(-nostdin -trace_stat -fd 1 -l 200000 -buff_size 4194304)
    n=$(($2 * $3 / $1))
    [ "${5:-}" = rtt ] && options+=(-trace_rtt -rtt_freq 1)
    rm -f "$work"/caller*.csv "$work"/*_rtt.csv
    for ((i = 0; i < pairs; i++)); do
        (cd "$work" && exec ip netns exec "$TOPO_PEER_NS" timeout $(($3 + $4 / 500 + 60)) sipp $target_ip:$((target_port + i * target_step)) -t $transport -sf caller.xml -s 1100 \
            -i "${local_ip:-10.99.1.$((10 + i))}" -p $((local_port + i)) -r $((rate / pairs)) -m $n -d "$4" -mp $((7000 + 10 * i)) \
            -stf caller$i.csv "${options[@]}") >"$work/caller$i.log" 2>&1 </dev/null &
        callers+=($!)
    done
    for i in "${callers[@]}"; do wait "$i"; done # its status says no more than the figures do
    for ((i = 0; i < pairs; i++)); do
        awk -F';' 'NR == 1 {for (i = 1; i <= NF; i++) at[$i] = i}
            END {sub(/.*\t/, "", $at["StartTime"]); sub(/.*\t/, "", $at["CurrentTime"])
                print $at["TotalCallCreated"], $at["SuccessfulCall(C)"], $at["FailedCall(C)"], $at["Retransmissions(C)"], $at["CurrentTime"] - $at["StartTime"]}' \
            "$work/caller$i.csv"
    done | awk -v wanted=$((n * pairs)) '{made += $1; ok += $2; failed += $3; again += $4; if ($5 > s) s = $5}
        END {printf "{\"calls\": %d, \"ok\": %d, \"failed\": %d, \"retransmitted\": %d, \"seconds\": %.3f}\n", wanted, ok, wanted - ok, again, s}' >"$work/result.json"
    if [ "${5:-}" = rtt ]; then
        cat "$work"/*_rtt.csv 2>/dev/null | awk -F';' '$2 ~ /^[0-9.]+$/ {print $2}' | sort -n | jq -s --slurpfile r "$work/result.json" \
            '$r[0] + {delay: {p50: .[length / 2 | floor], p99: .[length * 99 / 100 | floor]}}'
    else
        cat "$work/result.json"
    fi
}

aim() { target_ip=$1 target_port=5060 target_step=0 transport=u1 local_ip= local_port=5060; } # IP

# ---- arms: arm_NAME starts it; $arm_pids are its daemons, $arm_parts names for them ------------------------

gateway_config_for() { # TRANSPORT PAIRS SESSIONS
    jq -n --arg dir "$work" --arg t "$1" --argjson pairs "$2" --argjson sessions "$3" --argjson port $OPTIONS_PORT \
        --arg a $TOPO_PEER_SIP_IP --arg b $TOPO_CORE_SIP_IP '
        def pair: range($pairs) as $i | $i;
        {dataplane: {socket: "\($dir)/dataplane.sock", file_prefix: ($dir | split("/") | last), main_core: 0, worker_cores: [1], huge_pages: false,
            memory_mb: (128 + $sessions / 150 | floor), mbufs: 16383, max_sessions: $sessions,
            ports: [{name: "p", device: "net_af_packet0,iface=mediap,framecnt=512,blocksz=65536"},
                    {name: "c", device: "net_af_packet1,iface=mediac,framecnt=512,blocksz=65536"}]},
         control: {socket: "\($dir)/control.sock", srtp_without_tls: "allow", max_calls: 100000, max_transactions: 1000000, peer_messages_per_s: 0},
         realms: [pair | {name: "p\(.)", port: "p", address: "10.98.\(10 + .).2/24", rtp_ports: [1024, 65535]},
                         {name: "c\(.)", port: "c", side: "core", address: "10.98.\(20 + .).2/24", rtp_ports: [1024, 65535]}],
         listeners: [{name: "a", transport: $t, address: "\($a):\(if $t == "tls" then 5061 else 5060 end)"}
                + if $t == "tls" then {tls: {certificate: "\($dir)/gateway.pem", key: "\($dir)/gateway.key", ca: "\($dir)/ca.pem"}} else {} end,
             {name: "b", transport: "udp", address: "\($b):5060"}],
         trunks: ([pair | {name: "caller\(.)", listener: "a", peer: "10.99.1.\(10 + .):5060", realm: "p\(.)", srtp: "off", options_interval_s: 0}
                    + if $t == "tls" then {tls: {names: ["peer.example.com"]}} else {} end]
             + [pair | {name: "callee\(.)", listener: "b", peer: "10.99.2.\(10 + .):5060", realm: "c\(.)", srtp: "required",
                    suites: ["AES_CM_128_HMAC_SHA1_80"], options_interval_s: 0}]
             + [range(20) | {name: "other\(.)", listener: "b", peer: "10.99.2.10:\($port + .)", realm: "c0"}]),
         routes: [pair | {prefix: "", from: "caller\(.)", trunks: ["callee\(.)"]}]}' >"$work/config.json"
}
arm_gateway() { # TRANSPORT PAIRS SESSIONS
    gateway_config_for "$@"
    gateway_start "$work" "$build" >&2 || return 1
    arm_pids=("$gateway_control_pid" "$gateway_dataplane_pid") arm_parts=(control manager)
    callees "$2" || return 1
    options_peers
    aim $TOPO_PEER_SIP_IP
    [ "$1" = udp ] || transport=t1
}
arm_udp_udp() { arm_gateway udp "$1" "$2"; }
arm_tcp_udp() { arm_gateway tcp "$1" "$2"; }
# SIPp has no TLS: nc takes its connection, openssl makes one of TLS with a client certificate of it. Neither counts.
arm_tls_udp() {
    arm_gateway tls 1 "$2" || return 1
    mkfifo "$work/back"
    # shellcheck disable=SC2016
    in_ns "$TOPO_PEER_NS" front bash -c 'nc -lk 127.0.0.1 5071 <"$0/back" | openssl s_client -quiet -connect "$1" -bind "$2:0" -cert "$0/peer.pem" -key "$0/peer.key" \
        -CAfile "$0/ca.pem" -verify_return_error -servername gateway.example.com >"$0/back" 2>"$0/front.err"' "$work" $TOPO_PEER_SIP_IP:5061 $TOPO_PEER_IP
    target_ip=127.0.0.1 target_port=5071 local_ip=127.0.0.1 local_port=5072
    listens "$TOPO_PEER_NS" 127.0.0.1:5071
}
arm_floor() {
    ip netns exec "$TOPO_GW_NS" "$build/tools/txnbench/trunkline-sipfloor" $TOPO_PEER_SIP_IP:5060 $TOPO_PEER_IP:5060 \
        $TOPO_CORE_SIP_IP:5060 $TOPO_CORE_IP:$CALLEE_PORT >"$work/floor.log" 2>&1 &
    arm_pids=($!) arm_parts=(floor)
    listens "$TOPO_GW_NS" $TOPO_PEER_SIP_IP:5060 && callees 1
    aim $TOPO_PEER_SIP_IP
}
rtpengine_answers() {
    local i
    for ((i = 0; i < 10; i++)); do
        printf '1 d7:command4:pinge' | ip netns exec "$TOPO_GW_NS" nc -u -w 1 127.0.0.1 2223 | grep -q pong && return
    done
    say "bench-signalling: rtpengine does not answer"
    return 1
}
arm_kamailio() {
    local modules
    modules=$(find /usr/lib -type d -path '*/kamailio/modules' | head -n 1)
    cat >"$work/kamailio.cfg" <<CONFIG
#!KAMAILIO
debug=0
log_stderror=yes
fork=yes
children=2
disable_tcp=yes
auto_aliases=no
mhomed=1
listen=udp:$TOPO_PEER_SIP_IP:5060
listen=udp:$TOPO_CORE_SIP_IP:5060
mpath="$modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "rtpengine.so"
modparam("rtpengine", "rtpengine_sock", "udp:127.0.0.1:2223")
modparam("rtpengine", "rtpengine_disable_tout", 1)
request_route {
    if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
    if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
    if (has_totag()) {
        if (!loose_route()) { if (is_method("ACK") && t_check_trans()) t_relay(); exit; }
        if (is_method("BYE")) rtpengine_delete();
        t_relay();
        exit;
    }
    record_route();
    if (is_method("INVITE"))
        rtpengine_offer("replace-origin replace-session-connection ICE=remove DTLS=off RTP/SAVP SDES-only-AES_CM_128_HMAC_SHA1_80 direction=peer direction=core");
    t_on_reply("ANSWER");
    \$du = "sip:10.99.2." + \$(si{s.select,3,.}) + ":$CALLEE_PORT";
    t_relay();
}
onreply_route[ANSWER] {
    if (has_body("application/sdp"))
        rtpengine_answer("replace-origin replace-session-connection ICE=remove DTLS=off RTP/AVP direction=peer direction=core");
}
CONFIG
    echo "[rtpengine]" >"$work/none.conf"
    ip netns exec "$TOPO_GW_NS" rtpengine --config-file="$work/none.conf" --foreground --table=-1 --log-stderr --log-level=3 --listen-ng=127.0.0.1:2223 \
        --port-min=1024 --port-max=65535 --interface=peer/$TOPO_PEER_SIP_IP --interface=core/$TOPO_CORE_SIP_IP >"$work/rtpengine.log" 2>&1 &
    local rtpengine=$!
    # Kamailio leaves one that was slow to answer alone for a minute, and that would fail every call
    listens "$TOPO_GW_NS" 127.0.0.1:2223 && rtpengine_answers || return 1
    ip netns exec "$TOPO_GW_NS" kamailio -DD -E -m 512 -M 32 -Y "$work" -P "$work/kamailio.pid" -f "$work/kamailio.cfg" >"$work/kamailio.log" 2>&1 &
    local kamailio=$!
    listens "$TOPO_GW_NS" $TOPO_PEER_SIP_IP:5060 $TOPO_CORE_SIP_IP:5060 || return 1
    sleep 1 # until its children are there
    # shellcheck disable=SC2207
    arm_pids=($rtpengine $kamailio $(pgrep -P $kamailio)) arm_parts=(rtpengine)
    callees "$1"
    aim $TOPO_PEER_SIP_IP
}
arm_end() {
    helpers_end
    if [ "${#gateway_pids[@]}" -gt 0 ]; then gateway_stop; else kill -TERM "${arm_pids[0]}" "${arm_pids[1]:-${arm_pids[0]}}" && wait "${arm_pids[0]}" "${arm_pids[1]:-}"; fi 2>/dev/null
    rm -f "$work/back"
    arm_pids=()
}
# parts_us: CPU of each part since it began, as JSON; those behind the names are the last part's.
parts_us() {
    local i
    for i in "${!arm_parts[@]}"; do printf '{"%s": %d}\n' "${arm_parts[i]}" "$(cpu_us "${arm_pids[i]}")"; done
    [ ${#arm_pids[@]} = ${#arm_parts[@]} ] || printf '{"kamailio": %d}\n' "$(cpu_us "${arm_pids[@]:${#arm_parts[@]}}")"
}

# measure PAIRS RATE SECONDS HOLD [rtt]: calls, and what they took of the arm
measure() {
    local before after
    before=$(parts_us | jq -s add)
    calls "$@" >"$work/calls.json"
    sleep 0.5
    after=$(parts_us | jq -s add)
    jq -n --argjson a "$after" --argjson b "$before" --slurpfile c "$work/calls.json" '
        ($c[0].ok | if . == 0 then null else . end) as $n
        | ($a | with_entries(.value = if $n then ((.value - $b[.key]) / $n * 10 | round / 10) else null end)) as $parts
        | $c[0] + {cpu_us_per_call: (if $n then ($parts | add * 10 | round / 10) else null end), parts: $parts}'
}

# search PAIRS: the highest of $steps of calls/s that passes; 0.2 s a call
search() {
    local rate best=0 r
    for rate in $steps; do
        r=$(calls "$1" "$rate" $((seconds < 5 ? seconds : 5)) 200)
        say "  $rate calls/s: $(jq -c . <<<"$r")"
        jq -e --argjson rate "$rate" '.ok >= .calls * 0.999 and .retransmitted < .calls * 0.01 and .seconds < .calls / $rate * 1.1 + 0.7' >/dev/null <<<"$r" || break
        best=$rate
    done
    echo "$best"
}

# ---- runs ---------------------------------------------------------------------------------------------

result='{"arms": {}, "live_calls": {}}'
note() { result=$(jq --argjson v "${2:-null}" ".$1 = \$v" <<<"$result"); } # PATH JSON

if [ $count = yes ]; then # two runs, so that start and end cancel out
    runs=()
    for n in 14 28; do
        gateway_config_for udp 1 2000
        gateway_dir=$work gateway_build=$build
        gateway_start_dataplane >&2 || exit 1
        ip netns exec "$TOPO_GW_NS" valgrind --tool=callgrind --callgrind-out-file=/dev/null "$build/control/trunkline-control" \
            --config "$work/config.json" >"$work/control.log" 2>&1 </dev/null &
        gateway_control_pid=$!
        gateway_wait "control under valgrind" $! control.log gateway_ready >&2 || exit 1
        callees 1 || exit 1
        options_peers
        aim $TOPO_PEER_SIP_IP
        calls 1 15 $n 200 | jq -e '.failed == 0' >/dev/null || { say "bench-signalling: calls failed under callgrind"; exit 1; }
        helpers_end
        kill -TERM $gateway_control_pid && wait $gateway_control_pid
        gateway_stop
        runs+=("$(sed -n 's/.*Collected : //p' "$work/control.log")")
    done
    echo "control: $(((runs[1] - runs[0]) / 15 / 14)) instructions a call"
    exit
fi

# SIPp against SIPp: what the generator can, with as many of them as are worth it, and what a call takes without anybody between
pairs=1 generator=0
for p in 1 2 4; do
    say "generator alone, $p SIPp on each side:"
    callees $p $DIRECT_CORE || exit 1
    aim $DIRECT_CORE
    local_ip=$DIRECT_PEER target_step=1
    [ $p = 1 ] && direct=$(calls 1 100 "$seconds" 200 rtt)
    [ "$search" = yes ] && n=$(search $p) || n=0
    helpers_end
    [ "$n" -gt $((generator * 11 / 10)) ] || break
    pairs=$p generator=$n
done
[ "$search" = yes ] && say "the generator alone: $generator calls/s, with $pairs SIPp on each side"
note generator_cps "$generator"

for arm in ${arms//,/ }; do
    n=$pairs
    case $arm in floor | tls_udp) n=1 ;; esac
    say "$arm:"
    "arm_$arm" $n 10000 || exit 1
    calls $n 50 2 200 >/dev/null # what is made once is made
    first=
    for rate in ${rates//,/ }; do
        r=$(measure $n "$rate" "$seconds" 1000)
        say "  $rate calls/s: $(jq -c . <<<"$r")"
        note "arms.$arm.at_$rate" "$r"
        [ -n "$first" ] || note "arms.$arm.cpu_us_per_call" "$(jq .cpu_us_per_call <<<"$r")"
        first=no
    done
    r=$(calls $n 100 "$seconds" 200 rtt)
    note "arms.$arm.added_delay_ms" "$(jq --argjson d "$direct" 'select(.delay.p50) | {p50: ((.delay.p50 - $d.delay.p50) * 1000 | round / 1000), p99: ((.delay.p99 - $d.delay.p50) * 1000 | round / 1000)}' <<<"$r")"
    [ "$search" = no ] || note "arms.$arm.max_cps" "$(search $n)"
    [ $arm != udp_udp ] || [ "$soak" = 0 ] || {
        # a tenth of the calls first: what the heap keeps is there by then
        calls $n 1000 $((soak / 10000 + 1)) 200 >/dev/null
        before=$(rss_kb "$gateway_control_pid")
        r=$(calls $n 1000 $((soak / 1000)) 200)
        note soak "$(jq --argjson a "$before" --argjson b "$(rss_kb "$gateway_control_pid")" '. + {rss_kb: {before: $a, after: $b}}' <<<"$r")"
    }
    arm_end
done

# So many calls up: those that begin and end in some seconds then count.
[ "$live" = none ] && live=
for up in ${live//,/ }; do
    n=$((up / 30001 + 1)) hold=$((up * 1000 / live_rate))
    say "$up calls up:"
    arm_gateway udp $n $((up + up / 10 + 1000)) || exit 1
    calls $n 50 2 200 >/dev/null
    idle=$(rss_kb "$gateway_control_pid")
    calls $n $live_rate $((hold / 1000 + seconds + 4)) $hold >"$work/live.json" &
    sleep $((hold / 1000 + 2))
    ended() { gateway_ctl --json status | jq '.calls.total - .calls.active'; }
    kb=$(rss_kb "$gateway_control_pid") now=$(gateway_ctl --json status | jq .calls.active)
    before=$(parts_us | jq -s add) from=$(ended)
    sleep "$seconds"
    after=$(parts_us | jq -s add) to=$(ended)
    note "live_calls.\"$up\"" "$(jq -n --argjson a "$after" --argjson b "$before" --argjson n $((to - from)) --argjson up "$now" --argjson kb $((kb - idle)) '
        ($a | with_entries(.value = if $n > 0 then ((.value - $b[.key]) / $n * 10 | round / 10) else null end)) as $parts
        | {cpu_us_per_call: (if $n > 0 then ($parts | add * 10 | round / 10) else null end), parts: $parts, calls: $n, up: $up,
           bytes_per_call: (if $up > 0 then ($kb * 1024 / $up | round) else null end)}')"
    say "  $(jq -c ".live_calls.\"$up\"" <<<"$result")"
    helpers_end
    arm_end
    wait
done
result=$(jq '.bytes_per_call = ([.live_calls | to_entries[] | .value] | max_by(.up) | .bytes_per_call)
    | .added_delay_ms = .arms.udp_udp.added_delay_ms | .max_cps = .arms.udp_udp.max_cps' <<<"$result")

jq -r 'def n: if . == null then "-" else tostring end;
    (["arm", "us a call", "parts", "failed", "max calls/s", "added ms p50", "p99"] | @tsv),
    (.arms | to_entries[] | .key as $arm | .value as $v | $v | to_entries[] | select(.key | startswith("at_"))
        | ["\($arm) \(.key | sub("at_"; ""))/s", (.value.cpu_us_per_call | n), ([.value.parts | to_entries[] | "\(.key) \(.value | n)"] | join(", ")),
           (.value.failed | n), ($v.max_cps | n), ($v.added_delay_ms.p50 | n), ($v.added_delay_ms.p99 | n)] | @tsv),
    (.live_calls | to_entries[] | ["\(.key) calls up", (.value.cpu_us_per_call | n), "\(.value.bytes_per_call | n) bytes a call", "", "", "", ""] | @tsv)' <<<"$result" |
    awk -F'\t' '{printf "%-18s %10s  %-40s %7s %12s %13s %7s\n", $1, $2, $3, $4, $5, $6, $7}'
[ -z "$json" ] || jq . <<<"$result" >"$json"
