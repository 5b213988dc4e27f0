# SPDX-License-Identifier: BSD-3-Clause
# What tests of the whole gateway share: both daemons, the parties on each side, and questions about calls. To be sourced
# instead of e2e.sh.
# shellcheck shell=bash

. "$(dirname "${BASH_SOURCE[0]}")/e2e.sh"
cd "$E2E_ROOT" || exit 1
# shellcheck source=tools/lib/gateway.sh
. "$E2E_ROOT/tools/lib/gateway.sh"

E2E_LOADGEN=$E2E_BUILD/tools/loadgen/trunkline-loadgen
calls_pids=() # parties to end, if they don't end by themselves

calls_cleanup() {
    trap - EXIT INT TERM
    calls_end_parties
    gateway_stop
    [ -z "${TRUNKLINE_KEEP:-}" ] || cp -r "$E2E_WORK" "$TRUNKLINE_KEEP"
    e2e_cleanup
}
trap calls_cleanup EXIT

# calls_begin [packet|bridge]: what each of these tests starts with
calls_begin() {
    [ "$(id -u)" = 0 ] || e2e_skip "network namespaces need root"
    [ -x "$E2E_BUILD/control/trunkline-control" ] || e2e_skip "there is no trunkline-control in $E2E_BUILD"
    topo_up "${1:-packet}" || e2e_skip "network namespaces cannot be made here"
}

# calls_need PROGRAM...: skips the whole test when one is not here
calls_need() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || e2e_skip "there is no $program here"
    done
}

# calls_config [jq program]: the configuration of both daemons, changed by the program; SRTP keys may go without TLS, and
# keep-alives are off.
calls_config() {
    dataplane_config "$E2E_WORK/config.json" "
        .control = {socket: \"$E2E_WORK/control.sock\", srtp_without_tls: \"allow\"}
        | .trunks[].options_interval_s = 0
        | ${1:-.}"
}

# gateway_up: both daemons; a test cannot go on without
gateway_up() {
    check "${1:-both daemons start}" gateway_start "$E2E_WORK" "$E2E_BUILD" || e2e_end
}

# gateway_down: ends both in order; they must obey within three seconds, and neither may have crashed before
gateway_down() {
    check "both daemons still run" gateway_alive
    check "both daemons end in order" end_in_order
}

end_in_order() {
    local pid status all=0
    for pid in "$gateway_control_pid" "$gateway_dataplane_pid"; do
        kill -TERM "$pid" 2>/dev/null
        for _ in {1..30}; do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
        kill -0 "$pid" 2>/dev/null && { echo "process $pid is still there 3 s after SIGTERM"; kill -KILL "$pid"; all=1; }
        wait "$pid"
        status=$?
        [ $status = 0 ] || { echo "exit status $status"; tail -n 15 "$E2E_WORK"/{control,dataplane}.log; all=1; }
    done
    gateway_pids=()
    return $all
}

# calls_none: waits, at most SECONDS (5), until control has no call and the dataplane no session
calls_none() {
    local i
    for ((i = 0; i < ${1:-5} * 10; i++)); do
        gateway_calls 2>/dev/null | jq -e '.calls_live == 0 and .sessions == 0' >/dev/null && return 0
        sleep 0.1
    done
    gateway_calls
    gateway_ctl calls
    return 1
}

# calls_up N [SECONDS]: waits until N calls are in state "up"
calls_up() {
    local i
    for ((i = 0; i < ${2:-5} * 10; i++)); do
        gateway_ctl --json calls 2>/dev/null | jq -e --argjson n "$1" '[.calls[] | select(.state == "up")] | length == $n' >/dev/null &&
            return 0
        sleep 0.1
    done
    gateway_ctl calls
    return 1
}

# the_call [jq filter]: the call that is up, as `trunklinectl call` tells of it
the_call() {
    local id
    id=$(gateway_ctl --json calls | jq -r '.calls[0].id // empty')
    [ -n "$id" ] || { echo "no call" >&2; return 1; }
    gateway_ctl --json call "$id" | jq -r "${1:-.}"
}

# is WHAT EXPECTED: whether they are the same text
is() { [ "$1" = "$2" ] || { echo "'$1' instead of '$2'"; return 1; }; }

# sent a|b: packets that the call that is up has sent to that leg
sent() { the_call ".$1.media.tx_packets"; }

# flows a|b: within five seconds there is a second with nearly all its packets
flows() {
    local i before
    for i in 1 2 3 4 5; do
        before=$(sent "$1") && sleep 1 && [ $(($(sent "$1") - before)) -ge 35 ] && return 0
    done
    echo "$(($(sent "$1") - before)) packets in a second"
    return 1
}

# wait_for SECONDS COMMAND...: until it succeeds
wait_for() {
    local i limit=$1
    shift
    for ((i = 0; i < limit * 10; i++)); do
        "$@" >"$E2E_WORK/wait" 2>&1 && return 0
        sleep 0.1
    done
    echo "not within $limit s: $*"
    cat "$E2E_WORK/wait"
    return 1
}

# drops REASON: how many the dataplane dropped for it, of all workers
drops() { gateway_stats | jq --arg r "$1" '[.workers[].drops[$r] // 0] | add // 0'; }

# ---- parties -----------------------------------------------------------------------------------------

# party NAMESPACE NAME COMMAND...: runs it there in the background, in $E2E_WORK; its words are in NAME.out. Sets party_pid.
party() {
    local ns=$1 name=$2
    shift 2
    (cd "$E2E_WORK" && exec ip netns exec "$ns" "$@") >"$E2E_WORK/$name.out" 2>&1 </dev/null &
    party_pid=$!
    calls_pids+=("$party_pid")
}

# listens NAMESPACE IP:PORT: whether somebody there takes datagrams or connections
listens() { [ -n "$(ip netns exec "$1" ss -Hlnut "src $2")" ]; }

# party_ended PID SECONDS: waits for its end and gives its exit status; one that goes on is killed, status 124
party_ended() {
    local i
    for ((i = 0; i < $2 * 10; i++)); do
        kill -0 "$1" 2>/dev/null || break
        sleep 0.1
    done
    if kill -0 "$1" 2>/dev/null; then
        echo "process $1 still runs after $2 s"
        kill -KILL "$1"
        wait "$1" 2>/dev/null
        return 124
    fi
    wait "$1"
}

calls_end_parties() {
    local pid
    for pid in "${calls_pids[@]}"; do kill -TERM "$pid" 2>/dev/null; done
    for pid in "${calls_pids[@]}"; do
        for _ in {1..10}; do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
        kill -KILL "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    calls_pids=()
}

# sipp_run NAMESPACE NAME SCENARIO ARGS...: sipp in the background with a scenario of tests/e2e/sipp
sipp_run() {
    local ns=$1 name=$2 scenario=$3
    shift 3
    party "$ns" "$name" sipp -sf "$E2E_ROOT/tests/e2e/sipp/$scenario.xml" -nostdin -trace_err -error_file "$E2E_WORK/$name.errors" \
        -trace_msg -message_file "$E2E_WORK/$name.messages" "$@"
}

# sipp_done PID NAME SECONDS: it ended by itself and every call went as the scenario says
sipp_done() {
    local status=0
    party_ended "$1" "$3" || status=$?
    [ $status = 0 ] && return 0
    echo "sipp $2: exit status $status"
    tail -n 12 "$E2E_WORK/$2.errors" 2>/dev/null
    tail -n 60 "$E2E_WORK/$2.messages" 2>/dev/null
    return 1
}

# ---- load generators on both sides ---------------------------------------------------------------------

# generator peer|core SUITE ARGS...: its report is $E2E_WORK/SIDE.json. Sets generator_peer or generator_core to its pid.
generator() {
    local side=$1 suite=$2 ns=$TOPO_PEER_NS ip=$TOPO_PEER_IP sip=$TOPO_PEER_SIP_IP number=+4930 pt=101 first=1
    shift 2
    if [ "$side" = core ]; then ns=$TOPO_CORE_NS ip=$TOPO_CORE_IP sip=$TOPO_CORE_SIP_IP number=+1425 pt=96 first=100001; fi
    party "$ns" "generator-$side" "$E2E_LOADGEN" --local "$ip:5060" --target "$sip:5060" --number $number --telephone-event $pt \
        --first-call $first --srtp "$suite" --json "$E2E_WORK/$side.json" --progress "$@"
    printf -v "generator_$side" %s "$party_pid"
}

# generators SUITE CALLS ARGS...: each side places CALLS calls and answers the other's
generators() {
    local suite=$1 calls=$2
    shift 2
    rm -f "$E2E_WORK"/{peer,core}.json
    generator core "$suite" --calls "$calls" --expect-calls "$calls" --start-after 1 "$@"
    generator peer off --calls "$calls" --expect-calls "$calls" --start-after 1 "$@"
}

# report SIDE FILTER: whether it is true of that side's report
report() {
    jq -e "$2" "$E2E_WORK/$1.json" >/dev/null && return 0
    echo "not so: $2"
    jq -c 'del(.per_call)' "$E2E_WORK/$1.json"
    return 1
}

# Call by call and both ways: what one side says it sent is what the other says it received.
reports_agree() { # CALLS
    jq -en --slurpfile a "$E2E_WORK/peer.json" --slurpfile b "$E2E_WORK/core.json" --argjson calls "$1" '
        ($a[0].per_call | sort_by(.label)) as $x | ($b[0].per_call | sort_by(.label)) as $y
        | ($x | length) == $calls and ($y | length) == $calls
        and all(range($calls); $x[.].label == $y[.].label and $x[.].role != $y[.].role and $x[.].sent > 0 and $y[.].sent > 0
            and $x[.].sent == $y[.].received and $y[.].sent == $x[.].received)' >/dev/null && return 0
    jq -c '.per_call[] | [.label, .role, .sent, .received]' "$E2E_WORK"/{peer,core}.json
    return 1
}
