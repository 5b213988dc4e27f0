#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Kamailio on either side, which forks to several phones (SIPp) and stays in the way of every request by Record-Route: two
# with addresses or one with a name. Each call has early media of several forks, of which one answers; hold and resume by
# re-INVITE and UPDATE from both sides; one side hangs up. Looked at are the messages on both sides and where media went.
. "$(dirname "$0")/lib/calls.sh"
. "$(dirname "$0")/lib/kamailio.sh"
calls_need sipp kamailio
calls_begin

# Numbers are AB*FORKS: A and B say which Record-Route the proxy of each side writes; B also picks the trunk.
calls_config '
    .trunks[0] += {forks: "one"}
    | .trunks[1] += {name: "one", forks: "one"}
    | .trunks += [.trunks[1] + {name: "separate", peer: "'$TOPO_CORE_IP':5062", forks: "separate"}]
    | .routes = [{prefix: "", from: "one", trunks: ["peer"]}]
        + (["11", "21"] | map({prefix: ., from: "peer", trunks: ["one"]}))
        + (["12", "22"] | map({prefix: ., from: "peer", trunks: ["separate"]}))'
gateway_up
check "the proxy on the peer's side starts" kamailio_start peer edge.example.net || e2e_end
check "the proxy on the core's side starts" kamailio_start core pbx.example.com || e2e_end
head -c 80000 /dev/zero | tr '\0' '\125' >"$E2E_WORK/audio.raw"

# ua SIDE NAME PORT SCENARIO ARGS...: a user agent of one call behind that side's proxy; sets ua_pid[NAME]
declare -A ua_pid=()
ua() {
    local ns=$TOPO_CORE_NS ip=$TOPO_CORE_IP name=$2 port=$3 file=$E2E_WORK/$2.xml
    if [ "$1" = peer ]; then ns=$TOPO_PEER_NS ip=$TOPO_PEER_IP; fi
    sed "s/OPTIONS\$/${options:-replaces}/; s/,PT\"/,${pt:-8}\"/" "$E2E_ROOT/tests/e2e/sipp/$4.xml" >"$file"
    shift 4
    rm -f "$E2E_WORK/$name".{errors,messages}
    party "$ns" "$name" sipp -sf "$file" -i 127.0.0.1 -p "$port" -mi $ip -mp $((6000 + 10 * (port - 5070))) -rtp_echo -m 1 -nostdin \
        -trace_err -error_file "$E2E_WORK/$name.errors" -trace_msg -message_file "$E2E_WORK/$name.messages" -timeout 30 "$@"
    ua_pid[$name]=$party_pid
    wait_for 5 ua_there "$ns" "$name" "$port"
}
ua_there() { listens "$1" "127.0.0.1:$3" || [ -s "$E2E_WORK/$2.messages" ]; } # a short call may be over by now

# phones SIDE SCENARIO...: one at 5071, 5072 ...; "-": none there
phones() {
    local side=$1 port=5071 scenario
    shift
    for scenario in "$@"; do
        if [ "$scenario" = proxy_fork_answers ]; then
            ua "$side" "phone$port" $port "$scenario" "${phone_args[@]}" || return 1
        elif [ "$scenario" != - ]; then
            ua "$side" "phone$port" $port "$scenario" || return 1
        fi
        port=$((port + 1))
    done
}

ended() { # NAME...: each as its scenario says
    local name
    for name in "$@"; do sipp_done "${ua_pid[$name]}" "$name" 15 || return 1; done
}

# One side's wire for the time of a call: who got audio, and how much
watch() {
    party "$TOPO_PEER_NS" wire-peer "$E2E_BUILD/tests/tools/media_watch" $TOPO_PEER_IF $TOPO_PEER_IP
    wire_peer=$party_pid
    party "$TOPO_CORE_NS" wire-core "$E2E_BUILD/tests/tools/media_watch" $TOPO_CORE_IF $TOPO_CORE_IP
    wire_core=$party_pid
    wait_for 3 grep -q watching "$E2E_WORK/wire-peer.out" && wait_for 3 grep -q watching "$E2E_WORK/wire-core.out"
}
watched() {
    kill -TERM "$wire_peer" "$wire_core"
    party_ended "$wire_peer" 3 && party_ended "$wire_core" 3
}

# got_audio SIDE FROM TO PT: packets of that flow ("rtp FROM TO PT PACKETS ..."), enough of them
got_audio() {
    awk -v from="$2" -v to="$3" -v pt="$4" '$1 == "rtp" && $2 ~ from && $3 ~ to && $4 == pt { n += $5 } { print } END { exit !(n >= 50) }' \
        "$E2E_WORK/wire-$1.out"
}
# only_to SIDE FROM PORT: audio from there went nowhere else
only_to() {
    awk -v from="$2" -v port=":$3" '$1 == "rtp" && $2 ~ from && index($3, port) == 0 { print; bad = 1 } END { exit bad }' "$E2E_WORK/wire-$1.out"
}

mark() { # what the proxies write from here on is looked at
    mark_peer=$(wc -l <"$E2E_WORK/kamailio-peer.out")
    mark_core=$(wc -l <"$E2E_WORK/kamailio-core.out")
}
lines() { local from=mark_$1; tail -n +$((${!from} + 1)) "$E2E_WORK/kamailio-$1.out"; }
seen() { # SIDE PATTERN [N]: that many lines (one or more)
    local n
    n=$(lines "$1" | grep -Ec -- "$2")
    { [ -n "${3-}" ] && [ "$n" = "$3" ]; } || { [ -z "${3-}" ] && [ "$n" -gt 0 ]; } && return 0
    echo "$n of: $2"
    lines "$1" | grep -Eo '(request|reply|astray) .*'
    return 1
}
not_astray() {
    ! lines peer | grep astray && ! lines core | grep astray
}
tags_seen() { # SIDE-LOG-NAME: different To tags in what the caller got
    grep -aE '^To:.*tag=' "$E2E_WORK/$1.messages" | grep -aoE 'tag=[^;> ]*' | tr -d '\r' | sort -u | grep -cv '^tag=c'
}
tags() { [ "$(tags_seen "$1")" = "$2" ] || { echo "$(tags_seen "$1") tags instead of $2"; grep -a '^To:' "$E2E_WORK/$1.messages"; return 1; }; }

# Every request of ours in a dialog has the proxy's Route, is for a phone, and none names the other side
routed() { # SIDE NAME|-: the name of its Record-Route, or two addresses
    local ip=$TOPO_CORE_SIP_IP own=$TOPO_CORE_IP other='10\.99\.1\.' pattern
    if [ "$1" = peer ]; then ip=$TOPO_PEER_SIP_IP own=$TOPO_PEER_IP other='10\.99\.2\.'; fi
    pattern="<sip:$own(:[0-9]+)?;r2=on;lr(=on)?>, ?<sip:127\.0\.0\.1;r2=on;lr(=on)?>"
    [ "$2" = - ] || pattern="<sip:${2//./\\.};lr(=on)?>"
    lines "$1" | grep -E "request (PRACK|UPDATE|BYE|INVITE|ACK) $ip:" | grep -v '<null> |$' >"$E2E_WORK/routed"
    [ -s "$E2E_WORK/routed" ] || { echo "no request in a dialog"; return 1; }
    # the ACK to a refusal is the transaction's and has no Route
    if grep -vE "sip:ua@127\.0\.0\.1:50[0-9]+ \| $pattern" "$E2E_WORK/routed"; then return 1; fi
    if grep -E "$other" "$E2E_WORK/routed"; then return 1; fi
}

# ---- three phones, one answers ---------------------------------------------------------------------------

# three TITLE SIDE NUMBER: UA on the other side calls NUMBER; SIDE's phones are of three kinds
three() {
    local title=$1 side=$2 number=$3 from=peer
    local media=$TOPO_CORE_MEDIA_IP
    if [ "$side" = peer ]; then from=core media=$TOPO_PEER_MEDIA_IP; fi
    mark
    check "$title: the wires are watched" watch
    check "$title: three phones" phones "$side" proxy_fork_reliable proxy_fork_busy proxy_fork_answers || return
    check "$title: somebody calls" ua $from caller 5070 proxy_uac -s "$number" "${caller_args[@]}" 127.0.0.1:5060
    check "$title: the caller heard and said all that belongs to it" ended caller
    check "$title: the phone with 100rel got PRACK, CANCEL and ACK" ended phone5071
    check "$title: the busy phone got its ACK" ended phone5072
    check "$title: the phone that answered got all changes and the end" ended phone5073
    check "$title: no call and no session is left" calls_none
    check "$title: the watchers end" watched
    check "$title: no request went astray at a proxy" not_astray
    check "$title: the other phones got no audio" only_to "$side" "$media" 6030
}

caller_args=(-set rel yes) options=100rel pt=8 phone_args=()
three "separate" core '12*123'
check "separate: the caller saw a dialog for each phone with early media or an answer" tags caller 3
check "separate: each was reliable" test "$(grep -ac '^RSeq:' "$E2E_WORK/caller.messages")" -ge 2
check "separate: both requests and route on the peer's side" routed peer edge.example.net
check "separate: both requests and route on the core's side" routed core -
check "separate: audio came to the phone that answered, in its law" got_audio core $TOPO_CORE_MEDIA_IP: $TOPO_CORE_IP:6030 8
check "separate: its audio came to the caller in the same law" got_audio peer $TOPO_PEER_MEDIA_IP: $TOPO_PEER_IP: 8

caller_args=(-set waits yes) options=replaces pt=0 phone_args=(-set hangs_up yes)
three "one" core '21*123'
check "one: the caller saw one dialog" tags caller 1
check "one: no response to it was reliable" eval '! grep -a "^RSeq:" "$E2E_WORK/caller.messages"'
check "one: both requests and route on the peer's side" routed peer -
check "one: both requests and route on the core's side" routed core pbx.example.com
check "one: audio came to the phone that answered, in its law" got_audio core $TOPO_CORE_MEDIA_IP: $TOPO_CORE_IP:6030 8
check "one: the caller heard it in the law of its first answer" got_audio peer $TOPO_PEER_MEDIA_IP: $TOPO_PEER_IP: 0

# ---- from the core: the peer's proxy forks -------------------------------------------------------------------

caller_args=(-set waits yes) options=replaces pt=8 phone_args=(-set hangs_up yes)
three "from the core" peer '22*123'
check "from the core: both requests and route on the peer's side" routed peer -
check "from the core: both requests and route on the core's side" routed core -
check "from the core: audio came to the phone that answered" got_audio peer $TOPO_PEER_MEDIA_IP: $TOPO_PEER_IP:6030 8

# ---- two phones answer at once --------------------------------------------------------------------------------

at_once() { # TITLE NUMBER TAGS: the phone at 5071 answers when it is cancelled
    mark
    check "$1: the wires are watched" watch
    check "$1: two phones" phones core proxy_fork_too_late - proxy_fork_answers || return
    check "$1: somebody calls" ua peer caller 5070 proxy_uac -s "$2" 127.0.0.1:5060
    check "$1: the caller has one call, as if nothing was" ended caller
    check "$1: the slower phone got an ACK and a BYE of its own dialog" ended phone5071
    check "$1: the other one got all changes and the end" ended phone5073
    check "$1: the caller got a 200 to its INVITE of one phone only" tags caller "$3"
    check "$1: no call and no session is left" calls_none
    check "$1: the watchers end" watched
    check "$1: no request went astray at a proxy" not_astray
    check "$1: audio went to the other one" got_audio core $TOPO_CORE_MEDIA_IP: $TOPO_CORE_IP:6030 8
    check "$1: and to nobody else" only_to core $TOPO_CORE_MEDIA_IP 6030
    check "$1: two BYEs on the core's side, to a phone each" seen core "request BYE $TOPO_CORE_SIP_IP:[0-9]+ sip:ua@127" 2
}
options=replaces pt=8 phone_args=()
before=$(gateway_ctl --json status | jq .sip.forks_ended)
at_once "at once, separate" '22*13' 2
pt=0
at_once "at once, one" '11*13' 1
check "both calls of a slower phone are counted" test $(($(gateway_ctl --json status | jq .sip.forks_ended) - before)) = 2

# ---- the caller gives up ---------------------------------------------------------------------------------------

mark
check "given up: two phones" phones core proxy_fork_cancelled proxy_fork_cancelled
check "given up: somebody calls" ua peer caller 5070 proxy_uac_cancel -s '22*12' 127.0.0.1:5060
check "given up: the caller got its 487" ended caller
check "given up: each phone got CANCEL and ACK" ended phone5071 phone5072
check "given up: no call and no session is left" calls_none
check "given up: one CANCEL went to the core's proxy" seen core "request CANCEL $TOPO_CORE_SIP_IP:" 1

gateway_down
e2e_end
