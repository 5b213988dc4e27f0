#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The configuration is read again and again while calls come and go on both sides, SRTP on one: changed files, the same one, wrong
# ones, ones that would need a restart, dry runs, SIGHUP. No call and no packet is lost, and what is refused changes nothing.
. "$(dirname "$0")/lib/calls.sh"
CALLS=24
calls_begin
calls_config '
    .trunks[0].dtmf_pt = 101 | .trunks[1] += {srtp: "required", dtmf_pt: 96}'
gateway_up
cp "$E2E_WORK/config.json" "$E2E_WORK/first.json"

generation() { gateway_ctl --json status | jq .configuration_generation; }
trunks() { gateway_ctl --json trunks | jq -c '[.trunks[] | select(.state != "removed") | .name] | sort'; } # one that is gone stays until its last call is
edit() { # PROGRAM: the file as it is, changed, put in its place at once
    jq --argjson n "$turns" "$1" "$E2E_WORK/config.json" >"$E2E_WORK/next.json" && mv "$E2E_WORK/next.json" "$E2E_WORK/config.json"
}
expected=$(generation) turns=0
declare -A done_of=([taken]=0 [same]=0 [refused]=0 [dry]=0 [hup]=0)

# What changes from turn to turn: settings that take effect at once or with the next call, a trunk and its route that come and go.
change='
    (.trunks[0].hold) = (["sendonly", "inactive"][$n % 2])
    | (.trunks[1].session_expires_s) = 1800 + $n
    | (.trunks[1].max_calls) = 400 + $n
    | (.control.max_calls) = 450 + $n % 20
    | .trunks |= map(select(.name != "new")) | .routes |= map(select(.prefix != "99"))
    | if $n % 2 == 0 then .trunks += [.trunks[1] + {name: "new", peer: (.trunks[1].peer | sub(":.*"; ":5099"))}]
        | .routes += [{prefix: "99", from: "peer", trunks: ["new"]}] else . end'
wrongs=('.trunks[0].hold = "whatever"' '.trunks[1].peer = "nobody"' '.routes[0].trunks = ["ghost"]' '.listeners[0].address |= sub(":.*"; ":5999")'
    '.trunks += [.trunks[0] + {name: "ghost"}]' 'del(.trunks)')

# as_before: generation and trunks are what they were
as_before() {
    local generation trunks
    generation=$(generation) trunks=$(trunks)
    [ "$generation" = "$expected" ] && [ "$trunks" = "$before" ] && return 0
    echo "generation $generation, not $expected, or trunks $trunks, not $before"
    return 1
}

# hang_up: SIGHUP, and control has done what it is for
hangs() { grep -c "SIGHUP: reading" "$E2E_WORK/control.log"; }
hang_up() {
    local n
    n=$(hangs)
    kill -HUP "$gateway_control_pid"
    wait_for 3 eval '[ "$(hangs)" -gt '"$n"' ]' && generation >/dev/null
}

# One of each kind. Prints what went otherwise than it should.
turn() {
    local before keep=$E2E_WORK/keep.json
    turns=$((turns + 1))
    # a changed file: first only looked at, then taken
    before=$(trunks)
    edit "$change"
    gateway_ctl --json reload --dry-run | jq -e '.applied == false and (.changes | length) > 0' >/dev/null && as_before || { echo "turn $turns: dry run"; return 1; }
    done_of[dry]=$((done_of[dry] + 1))
    gateway_ctl --json reload | jq -e '.applied and (.changes | length) > 0' >/dev/null || { echo "turn $turns: reload"; return 1; }
    expected=$((expected + 1))
    [ "$(generation)" = "$expected" ] || { echo "turn $turns: generation $(generation), not $expected"; return 1; }
    done_of[taken]=$((done_of[taken] + 1))
    # the same one
    before=$(trunks)
    gateway_ctl --json reload | jq -e '.applied == false and .changes == []' >/dev/null && as_before || { echo "turn $turns: unchanged file"; return 1; }
    done_of[same]=$((done_of[same] + 1))
    # a wrong one, of another kind each time; one that is cut short; none at all
    cp "$E2E_WORK/config.json" "$keep"
    edit "${wrongs[turns % ${#wrongs[@]}]}"
    ! gateway_ctl reload >"$E2E_WORK/refused" 2>&1 && as_before || { echo "turn $turns: wrong file: ${wrongs[turns % ${#wrongs[@]}]}"; return 1; }
    head -c $((200 + turns * 7)) "$keep" >"$E2E_WORK/config.json"
    ! gateway_ctl reload >>"$E2E_WORK/refused" 2>&1 && as_before || { echo "turn $turns: half a file"; return 1; }
    rm "$E2E_WORK/config.json"
    ! gateway_ctl reload >>"$E2E_WORK/refused" 2>&1 && as_before || { echo "turn $turns: no file"; return 1; }
    hang_up && as_before || { echo "turn $turns: no file, by SIGHUP"; return 1; }
    cp "$keep" "$E2E_WORK/next.json" && mv "$E2E_WORK/next.json" "$E2E_WORK/config.json"
    done_of[refused]=$((done_of[refused] + 4))
    # a changed one by signal
    turns=$((turns + 1))
    edit "$change"
    expected=$((expected + 1))
    hang_up && [ "$(generation)" = "$expected" ] || { echo "turn $turns: SIGHUP"; return 1; }
    done_of[hup]=$((done_of[hup] + 1))
}

# Calls on both sides and reloads until they are over. Their files of this try are in the generators' reports.
under_load() {
    wrong= log_from=$(wc -l <"$E2E_WORK/control.log")
    generators AES_CM_128_HMAC_SHA1_80 $CALLS --cps 2 --seconds 4 --hold-every 5 --hangup alternate --duration-limit 40
    while kill -0 "$generator_peer" 2>/dev/null && kill -0 "$generator_core" 2>/dev/null && [ -z "$wrong" ]; do
        turn >"$E2E_WORK/turn" 2>&1 || wrong=$(cat "$E2E_WORK/turn" "$E2E_WORK/refused")
        sleep 0.1
    done
    party_ended "$generator_peer" 30 >"$E2E_WORK/ended" 2>&1 || peer_failed=1
    party_ended "$generator_core" 10 >>"$E2E_WORK/ended" 2>&1 || core_failed=1
}

# stood_still: the machine did not run the media for a second, which no reload can bring about: control is another process
stood_still() { tail -n "+$((log_from + 1))" "$E2E_WORK/control.log" | grep -Eq 'media: .* longest gap [0-9]{4,} ms'; }

right() { [ -z "$1" ] || { cat "$E2E_WORK/ended"; jq -c '.failures[], .calls, .rtp' "$E2E_WORK/$2.json"; return 1; }; } # FAILED SIDE

for try in 1 2 3; do
    peer_failed='' core_failed=''
    under_load
    [ -z "$peer_failed$core_failed" ] && break
    stood_still && [ $try -lt 3 ] || break
    echo "     try $try: the machine stood still"
done
check "each reload does what its file says, each refused one nothing" eval '[ -z "$wrong" ] || { echo "$wrong"; false; }'
check "every call placed or taken by the peer completed, with all its packets" right "$peer_failed" peer
check "every call placed or taken by the core completed, with all its packets" right "$core_failed" core
check "what one side sent is what the other received, call by call" reports_agree $((2 * CALLS))
check "there were reloads enough: ${done_of[taken]} taken, ${done_of[hup]} by SIGHUP, ${done_of[same]} unchanged, ${done_of[refused]} refused, ${done_of[dry]} dry" \
    test "${done_of[taken]}" -ge 3 -a "${done_of[hup]}" -ge 3
check "generation $expected runs" eval '[ "$(generation)" = "$expected" ]'
check "refused files are told of in the log" grep -q "the configuration is not taken, and generation [0-9]* runs on" "$E2E_WORK/control.log"
check "no call, no session and no old generation is left" calls_none
cp "$E2E_WORK/first.json" "$E2E_WORK/config.json"
check "the first file is taken again" gateway_ctl reload
rm -f "$E2E_WORK"/{peer,core}.json
generators AES_CM_128_HMAC_SHA1_80 2 --seconds 2 --duration-limit 15
check "and calls go on, the peer's side" party_ended "$generator_peer" 15
check "and the core's" party_ended "$generator_core" 5
# 50 signals: libevent hands on each of them
storm() {
    local before
    before=$(hangs)
    for _ in {1..50}; do kill -HUP "$gateway_control_pid"; done
    wait_for 3 eval '[ "$(hangs)" -gt '"$before"' ]' || return 1
    generation >/dev/null || return 1
    sleep 2
    [ $(($(hangs) - before)) -le 10 ] || { echo "the file was read $(($(hangs) - before)) times"; return 1; }
}
check "many SIGHUPs at once are few readings of the file" storm
gateway_down
e2e_end
