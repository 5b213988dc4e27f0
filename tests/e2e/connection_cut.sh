#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Many calls over one TCP connection to Kamailio, which is ended in the middle of them and started again: every dialog lives on,
# the next request makes a new connection, one for all. CALLS=1000 for as many.
. "$(dirname "$0")/lib/loopback.sh"
loopback_begin sipp kamailio jq
calls=${CALLS:-100}
rate=$((calls > 200 ? 100 : 50))
hold=$((calls * 1000 / rate + 6000)) # ms: all are up, and then there is time for the cut

cat >"$dir/config.json" <<CONFIG
{"dataplane": {"socket": "$dir/dataplane.sock", "max_sessions": $((calls + 10)), "ports": [{"name": "p", "device": "net_null0"}]},
 "control": {"socket": "$ctl_socket", "max_calls": $((calls + 10)), "reserved_percent": 0, "crlf_interval_s": 1},
 "realms": [{"name": "left", "port": "p", "address": "198.51.100.1/24", "rtp_ports": [20000, 29999]},
            {"name": "right", "port": "p", "side": "core", "address": "203.0.113.1/24", "rtp_ports": [30000, 39999]}],
 "listeners": [{"name": "a", "transport": "udp", "address": "127.0.1.1:5060"}, {"name": "b", "transport": "tcp", "address": "127.0.2.1:5060"}],
 "trunks": [{"name": "caller", "listener": "a", "peer": "127.0.1.10:5060", "realm": "left", "options_interval_s": 0, "media_timeout_s": 0},
            {"name": "proxy", "listener": "b", "peer": "127.0.2.20:5060", "realm": "right", "options_interval_s": 0, "media_timeout_s": 0}],
 "routes": [{"prefix": "", "from": "caller", "trunks": ["proxy"]}]}
CONFIG
cat >"$dir/kamailio.cfg" <<CONFIG
#!KAMAILIO
debug=1
log_stderror=yes
children=1
tcp_children=2
auto_aliases=no
listen=tcp:127.0.2.20:5060
listen=udp:127.0.2.20:5060
mpath="$(find /usr/lib -type d -path '*/kamailio/modules' 2>/dev/null | head -n 1)/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "pv.so"
request_route {
    \$du = "sip:127.0.2.30:5060;transport=udp";
    t_relay();
}
CONFIG
start_kamailio() {
    ip netns exec "$ns" kamailio -DD -E -f "$dir/kamailio.cfg" -P "$dir/kamailio.pid" -Y "$dir" -m 64 -M 8 >>"$dir/kamailio.log" 2>&1 7>&- &
    pids[kamailio]=$!
    for _ in $(seq 200); do [ -n "$(inside ss -Hlnt 'src 127.0.2.20')" ] && return; sleep 0.05; done
    bad "kamailio does not start"
    finish
}
value() { inside "$build/tools/ctl/trunklinectl" --socket "$ctl_socket" --json status | jq "$1"; }
active() { value .calls.active; }
to_kamailio() { inside ss -Hnt 'src 127.0.2.1 and dst 127.0.2.20:5060' | grep -c ESTAB; }

mkfifo "$dir/fake.in"
"$build/tests/tools/fake-dataplane" "$dir/config.json" <"$dir/fake.in" >"$dir/fake.out" 2>&1 &
pids[fake]=$!
exec 7>"$dir/fake.in"
ip netns exec "$ns" "$build/control/trunkline-control" --config "$dir/config.json" 2>>"$dir/control.log" 7>&- &
pids[control]=$!
for _ in $(seq 200); do grep -q 'dataplane: connected' "$dir/control.log" && break; sleep 0.05; done
start_kamailio
ip netns exec "$ns" sipp -sf tests/e2e/sipp/uas_call.xml -i 127.0.2.30 -p 5060 -nostdin -mp 6000 >"$dir/uas.log" 2>&1 7>&- &
pids[uas]=$!
sed "s/pause milliseconds=\"200\"/pause milliseconds=\"$hold\"/" tests/e2e/sipp/uac_call.xml >"$dir/uac.xml"
inside timeout $((hold / 1000 + 60)) sipp 127.0.1.1:5060 -sf "$dir/uac.xml" -s 1100 -i 127.0.1.10 -p 5060 -m "$calls" -r "$rate" -l "$calls" -nostdin -mp 7000 \
    -recv_timeout 20000 -trace_err -error_file "$dir/uac.err" >"$dir/uac.log" 2>&1 7>&- &
uac=$!
for _ in $(seq $((hold / 50))); do [ "$(active)" = "$calls" ] && break; sleep 0.1; done
sleep 2 # pings of ours
if [ "$(active)" = "$calls" ] && [ "$(to_kamailio)" = 1 ]; then ok "$calls calls over one connection"; else bad "calls $(active) of $calls, connections $(to_kamailio)"; fi
if [ "$(value .sip.pings)" -ge 1 ]; then ok "it is kept alive by pings that Kamailio answers"; else bad "no pings"; fi

kill "${pids[kamailio]}"
wait "${pids[kamailio]}"
sleep 0.5
if [ "$(active)" = "$calls" ] && [ "$(to_kamailio)" = 0 ]; then ok "the connection is cut, and all calls are up"; else bad "cut: calls $(active) of $calls, connections $(to_kamailio)"; fi
start_kamailio
if wait $uac; then ok "all $calls end in order"; else
    bad "all $calls end in order"
    tail -n 5 "$dir/uac.err" 2>/dev/null
fi
if [ "$(to_kamailio)" = 1 ] && [ "$(value .sip.connections)" -ge 1 ]; then ok "their BYEs made one new connection"; else bad "connections $(to_kamailio)"; fi
for _ in $(seq 100); do [ "$(active)" = 0 ] && break; sleep 0.1; done
if [ "$(active)" = 0 ]; then ok "nothing is left"; else bad "calls left: $(active)"; fi
finish
