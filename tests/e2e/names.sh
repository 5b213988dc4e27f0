#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Names of peers with a real name server (BIND) in a namespace of its own: NAPTR leads to SRV, SRV to two hosts, calls go to the
# first one and over to the second, requests from both are the trunk's; records change; the name server dies and comes back.
. "$(dirname "$0")/lib/loopback.sh"
PATH=$PATH:/usr/sbin
loopback_begin sipp jq named
ip -n "$ns" addr add 127.0.0.53/32 dev lo # BIND listens on addresses of interfaces

# ---- the name server: 127.0.0.53; 127.0.0.54 is a server that is never there
named_zone() { # FIRST-HOST
    cat >"$dir/example.zone" <<ZONE
\$TTL 5
@ IN SOA ns root ( $(date +%s%3N | tail -c 10) 60 60 3600 5 )
@ IN NS ns
ns A 127.0.0.53
@ NAPTR 10 10 "s" "SIPS+D2T" "" _sips._tcp
@ NAPTR 20 10 "s" "SIP+D2U" "" _sip._udp
_sip._udp CNAME services
services SRV 10 1 5060 first
services SRV 20 1 5060 second
first A $1
second A 127.0.2.12
$(for i in {1..20}; do echo "many A 127.0.3.$i"; done)
around CNAME about
about CNAME around
ZONE
}
start_named() {
    ip netns exec "$ns" named -f -c "$dir/named.conf" 2>"$dir/named.log" &
    pids[named]=$!
    for _ in $(seq 200); do
        grep -q 'running' "$dir/named.log" && return
        sleep 0.05
    done
    bad "the name server does not start"
    cat "$dir/named.log"
    finish
}
cat >"$dir/named.conf" <<CONF
options {
    directory "$dir"; pid-file none; session-keyfile none; managed-keys-directory "$dir";
    listen-on port 53 { 127.0.0.53; }; listen-on-v6 { none; };
    recursion no; dnssec-validation no; allow-query { any; };
};
controls { };
zone "example.test" { type primary; file "$dir/example.zone"; };
logging { channel err { stderr; severity info; }; category default { err; }; };
CONF

# ---- the gateway
cat >"$dir/config.json" <<CONFIG
{"dataplane": {"socket": "$dir/dataplane.sock", "max_sessions": 100, "ports": [{"name": "p", "device": "net_null0"}]},
 "control": {"socket": "$ctl_socket", "t1_ms": 50, "t2_ms": 200, "t4_ms": 200,
             "dns": {"servers": ["127.0.0.54", "127.0.0.53"], "timeout_ms": 200, "tries": 1}},
 "realms": [{"name": "left", "port": "p", "address": "198.51.100.1/24", "rtp_ports": [20000, 20999]},
            {"name": "right", "port": "p", "side": "core", "address": "203.0.113.1/24", "rtp_ports": [30000, 30999]}],
 "listeners": [{"name": "a", "transport": "udp", "address": "127.0.1.1:5060"},
               {"name": "b", "transport": "udp", "address": "127.0.2.1:5060"}],
 "trunks": [{"name": "caller", "listener": "a", "peer": "127.0.1.10:5060", "realm": "left", "options_interval_s": 0},
            {"name": "provider", "listener": "b", "realm": "right", "options_interval_s": 0, "no_response_ms": 1000, "dtmf_pt": 101,
             "peers": [{"address": "example.test"}]},
            {"name": "nowhere", "listener": "b", "realm": "right", "options_interval_s": 0, "peers": [{"address": "none.example.test"}]},
            {"name": "many", "listener": "b", "realm": "right", "options_interval_s": 0, "peers": [{"address": "many.example.test", "port": 5060}]},
            {"name": "around", "listener": "b", "realm": "right", "options_interval_s": 0,
             "peers": [{"address": "around.example.test", "port": 5060}]}],
 "routes": [{"prefix": "1", "trunks": ["provider"]}, {"prefix": "2", "trunks": ["nowhere"]},
            {"prefix": "", "from": "provider", "trunks": ["caller"]}]}
CONFIG
start_gateway() {
    mkfifo "$dir/fake.in"
    "$build/tests/tools/fake-dataplane" "$dir/config.json" <"$dir/fake.in" >"$dir/fake.out" 2>&1 &
    pids[fake]=$!
    exec 7>"$dir/fake.in"
    ip netns exec "$ns" "$build/control/trunkline-control" --config "$dir/config.json" 2>"$dir/control.log" 7>&- &
    pids[control]=$!
    for _ in $(seq 200); do
        grep -q 'dataplane: connected' "$dir/control.log" && return
        sleep 0.05
    done
    bad "trunkline-control does not start"
    finish
}
trunk() { inside "$build/tools/ctl/trunklinectl" --socket "$ctl_socket" --json trunk "$1"; }
targets() { trunk provider | jq -r '[.targets[] | "\(.address)/\(.transport)"] | join(" ")'; }
# until SECONDS WHAT EXPECTED: waits until the command prints that
until_is() {
    local is=''
    for _ in $(seq $(($1 * 10))); do
        is=$($2)
        [ "$is" = "$3" ] && return
        sleep 0.1
    done
    echo "     $2: $is instead of $3"
    return 1
}
name_state() { trunk provider | jq -r '.names[0].state'; }
check() { # TITLE COMMAND...
    local title=$1
    shift
    if "$@"; then ok "$title"; else bad "$title"; fi
}
callee() { # ADDRESS
    ip netns exec "$ns" timeout 120 sipp -sf tests/e2e/sipp/uas_call.xml -i "$1" -p 5060 -nostdin -mp 6000 >"$dir/callee-$1.log" 2>&1 7>&- &
    pids[$1]=$!
    for _ in $(seq 100); do
        [ -n "$(inside ss -Hlnu "src $1")" ] && return
        sleep 0.05
    done
    bad "callee $1 does not start"
}
gone() { # ADDRESS
    kill "${pids[$1]}"
    wait "${pids[$1]}" 2>/dev/null
    unset "pids[$1]"
}
call() {
    inside timeout 20 sipp 127.0.1.1:5060 -sf tests/e2e/sipp/uac_call.xml -s 1100 -i 127.0.1.10 -p 5060 -m 1 -nostdin -mp 7000 \
        -recv_timeout 8000 >"$dir/caller.log" 2>&1
}
# who_got ADDRESS: calls that went out to it
who_got() { trunk provider | jq --arg a "$1:5060" '[.targets[] | select(.address == $a) | .counters.answered] | add // 0'; }
lines() { grep -c -- "$1" "$dir/control.log"; }

named_zone 127.0.2.11
start_named
start_gateway

# ---- what a name stands for
check "NAPTR, SRV, CNAME and A lead to two hosts in their order" until_is 10 targets "127.0.2.11:5060/udp 127.0.2.12:5060/udp"
[ $failed = 0 ] || finish
trunk provider >"$dir/trunk.json"
check "the first server is never there: the second one is asked" jq -e '.names[0] | .state == "found" and .ttl_seconds >= 1 and .ttl_seconds <= 5' "$dir/trunk.json" >"$dir/out"
check "priorities of SRV are shown" jq -e '[.names[0].addresses[].priority] == [10, 20]' "$dir/trunk.json" >"$dir/out"
check "a name that is not there is one warning, and the daemon runs" [ "$(lines 'trunk nowhere: none.example.test does not resolve')" = 1 ]
counted() { inside "$build/tools/ctl/trunklinectl" --socket "$ctl_socket" --json stats | jq ".names[] | select(.counter == \"$1\") | .count"; }
check "stats counts answers, and those that are cut" [ "$(counted found)" -ge 4 -a "$(counted cut)" -ge 1 ]
check "... and what a server could not follow" [ "$(counted failed)" -ge 1 ]
inside "$build/tools/ctl/trunklinectl" --socket "$ctl_socket" stats >"$dir/stats"
check "stats shows them" grep -q ' cut  *answers with more records' "$dir/stats"
check "CNAMEs in a circle are one" [ "$(lines 'trunk around: around.example.test does not resolve')" = 1 ]
check "such a trunk shows as unresolved" [ "$(trunk nowhere | jq -r .state)" = unresolved ]

# ---- calls
callee 127.0.2.11
callee 127.0.2.12
check "a call" call
check "it went to the first host" [ "$(who_got 127.0.2.11)" = 1 ]
sed 's/STATUS/403/' tests/e2e/sipp/uac_refused.xml >"$dir/stranger.xml"
inside timeout 10 sipp 127.0.2.1:5060 -sf "$dir/stranger.xml" -s 4900 -i 127.0.2.77 -p 5060 -m 1 -nostdin >"$dir/options.log" 2>&1
check "a request from a host that the name does not stand for is a stranger's" [ "$(trunk provider | jq .counters.incoming)" = 0 ]
sed 's/STATUS/480/' tests/e2e/sipp/uac_refused.xml >"$dir/refused.xml"
inside timeout 10 sipp 127.0.2.1:5060 -sf "$dir/refused.xml" -s 4900 -i 127.0.2.12 -p 5091 -m 1 -nostdin >"$dir/options.log" 2>&1
check "one from a host of the name is the trunk's, whatever port it comes from" [ "$(trunk provider | jq .counters.incoming)" -ge 1 ]
gone 127.0.2.11
check "the first host is gone: the call goes to the second" call
check "... over the second target" [ "$(who_got 127.0.2.12)" = 1 ]

# ---- records change
named_zone 127.0.2.13
kill -HUP "${pids[named]}"
check "another record is seen within its TTL" until_is 10 targets "127.0.2.13:5060/udp 127.0.2.12:5060/udp"
check "the second target has kept its counters" [ "$(who_got 127.0.2.12)" = 1 ]
callee 127.0.2.13
check "a call to the new host" call
check "... went there" [ "$(who_got 127.0.2.13)" = 1 ]

# ---- an outage of the name server
warned=$(lines 'no name server answers for example.test')
kill "${pids[named]}"
wait "${pids[named]}" 2>/dev/null
check "without a name server what was known goes on" until_is 20 name_state stale
sleep 6
check "... with one warning" [ "$(lines 'no name server answers for example.test')" = $((warned + 1)) ]
check "... and calls pass" call
before=$(lines 'a name server answers for example.test again')
start_named
check "it is back: asked again within a minute" until_is 70 name_state found
check "... which is said" [ "$(lines 'a name server answers for example.test again')" = $((before + 1)) ]
check "the daemon says little all the while" [ "$(wc -l <"$dir/control.log")" -lt 60 ]
finish
