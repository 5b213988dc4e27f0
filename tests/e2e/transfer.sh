#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Transfers by baresip, two on each side, SRTP on the core side: blind into the transferor's realm and into the other one,
# attended, and one that fails. What those hear who are left is the other one's tone; the messages on both sides say so.
. "$(dirname "$0")/lib/calls.sh"
. "$(dirname "$0")/lib/baresip.sh"
baresip_need
calls_begin

calls_config '
    .trunks[0] += {codecs: ["PCMA"], refer: "carry_out"}
    | .trunks[1] += {codecs: ["PCMA"], refer: "carry_out", srtp: "required", suites: ["AES_CM_128_HMAC_SHA1_80"]}
    | .trunks += [.trunks[0] + {name: "peer-far", peer: "'$TOPO_PEER_IP':5070"},
        .trunks[1] + {name: "core-two", peer: "'$TOPO_CORE_IP':5070"}]
    | .routes = [{prefix: "1425", trunks: [.trunks[1].name]}, {prefix: "1500", trunks: ["core-two"]},
        {prefix: "4930", trunks: [.trunks[0].name]}, {prefix: "4940", trunks: ["peer-far"], peer_to_peer: true}]'
gateway_up

secure="audio_codecs=PCMA/8000/1;mediaenc=srtp-mand"
check "baresip starts: plain, on the peer side" baresip_start plain peer 5060 4444 20000-20098 4930 "audio_codecs=PCMA/8000/1" 440 || e2e_end
check "  far, there too" baresip_start far peer 5070 4446 20100-20198 4940 "audio_codecs=PCMA/8000/1" 1300 || e2e_end
check "  one, on the core side" baresip_start one core 5060 4445 20000-20098 1425 "$secure" 1000 || e2e_end
check "  two, there too" baresip_start two core 5070 4447 20100-20198 1500 "$secure" 2000 || e2e_end

# since NAME: what its trace says from now on is what says() looks at
declare -A since_line
since() { local n; for n in "$@"; do since_line[$n]=$(wc -l <"$E2E_WORK/$n.out"); done; }
says() { # NAME TIMES REGEXP: so many lines, at least
    local found
    found=$(tail -n "+$((${since_line[$1]} + 1))" "$E2E_WORK/$1.out" | tr -d '\r' | grep -cE "$3")
    [ "$found" -ge "$2" ] || { echo "$found lines of $1 are $3"; return 1; }
}
# keys NAME: how many keys of ours it was offered or answered since then
keys() {
    tail -n "+$((${since_line[$1]} + 1))" "$E2E_WORK/$1.out" | tr -d '\r' | awk '
        /^(INVITE|SIP\/2\.0)/ { ours = 0 }
        /^(User-Agent|Server): Trunkline/ { ours = 1 }
        ours && /inline:/ { sub(/.*inline:/, ""); sub(/[|].*/, ""); print }' | sort -u | wc -l
}
# dialog NAME: the newest dialog of that caller as Replaces names it to us, escaped for a URI
dialog() {
    tr -d '\r' <"$E2E_WORK/$1.out" | awk '
        /^SIP\/2\.0 200 / { into = 1; id = from = to = "" }
        into && /^From: / { from = $0; sub(/.*;tag=/, "", from); sub(/;.*/, "", from) }
        into && /^To: / { to = $0; sub(/.*;tag=/, "", to); sub(/;.*/, "", to) }
        into && /^Call-ID: / { id = $2 }
        into && /^CSeq: .*INVITE/ { last = id "%3Bto-tag%3D" to "%3Bfrom-tag%3D" from }
        /^$/ { into = 0 }
        END { print last }'
}

begin() { since plain far one two; fresh plain far one two; }
told() { # NAME STATUS: by NOTIFY, and that was the end
    says "$1" 1 "^SIP/2.0 $2" && says "$1" 1 "^Subscription-State: terminated;reason=noresource"
}
over() { # PEER-OR-CORE PORT: it hangs up
    check "  it is hung up" say "$1" "$2" hangup
    check "  no call and no session is left" calls_none
}

# ---- blind, into the transferor's realm: one gives plain to two ---------------------------------------
begin
check "blind: plain calls one" say peer 4444 dial "sip:1425@$TOPO_PEER_SIP_IP:5060"
check "  the call is up" calls_up 1
sleep 1
check "  one transfers plain to two" say core 4445 transfer "sip:1500@$TOPO_CORE_SIP_IP:5060"
check "  one is told: 100, then 200" wait_for 5 told one 200
check "  two was called as plain would have called it" says two 1 '^From: .*<sip:4930@'
check "  plain was sent a re-INVITE" wait_for 3 says plain 1 '^(INVITE|UPDATE) sip:4930'
check "  one's call has ended" calls_up 1
check "  media flows both ways" eval "flows a && flows b"
sleep 2
over peer 4444
check "  two heard plain's tone" tone two 440

# ---- blind, the transferee has SRTP: plain gives two to far -------------------------------------------
begin
check "blind, SRTP goes on: two calls plain" say core 4447 dial "sip:4930@$TOPO_CORE_SIP_IP:5060"
check "  the call is up" calls_up 1
sleep 1
check "  plain transfers two to far" say peer 4444 transfer "sip:4940@$TOPO_PEER_SIP_IP:5060"
check "  plain is told" wait_for 5 told plain 200
check "  two was sent a re-INVITE" wait_for 3 says two 1 '^(INVITE|UPDATE) sip:1500'
check "  plain's call has ended" calls_up 1
check "  media flows both ways" eval "flows a && flows b"
check "  under one key of ours towards two" eval 'is "$(keys two)" 1'
sleep 2
over core 4447
check "  far heard two's tone" tone far 2000

# ---- blind, into the other realm: one gives plain to far ----------------------------------------------
begin
check "blind, another realm: plain calls one" say peer 4444 dial "sip:1425@$TOPO_PEER_SIP_IP:5060"
check "  the call is up" calls_up 1
sleep 1
check "  one transfers plain to far" say core 4445 transfer "sip:4940@$TOPO_CORE_SIP_IP:5060"
check "  one is told" wait_for 5 told one 200
check "  one's call has ended" calls_up 1
check "  media flows both ways" eval "flows a && flows b"
sleep 2
over peer 4444
check "  far heard plain's tone" tone far 440

# ---- one that fails -----------------------------------------------------------------------------------
begin
check "a number that nobody has: plain calls one" say peer 4444 dial "sip:1425@$TOPO_PEER_SIP_IP:5060"
check "  the call is up" calls_up 1
check "  one tries to transfer plain" say core 4445 transfer "sip:7777@$TOPO_CORE_SIP_IP:5060"
check "  it is refused with 603" wait_for 3 says one 1 '^SIP/2.0 603'
check "  then it is baresip that hangs up" wait_for 3 says one 1 '^BYE sip:4930@'
check "  no call and no session is left" calls_none

# ---- attended: one gives plain to far, to whom it talks -----------------------------------------------
begin
check "attended: plain calls one" say peer 4444 dial "sip:1425@$TOPO_PEER_SIP_IP:5060"
check "  the call is up" calls_up 1
check "  one holds it" say core 4445 hold
check "  and calls far" say core 4445 dial "sip:4940@$TOPO_CORE_SIP_IP:5060"
check "  both calls are up" calls_up 2
replaces=$(dialog one)
check "  one goes back to the first call" say core 4445 line 1
check "  and transfers plain to far" say core 4445 transfer "<sip:4940@$TOPO_CORE_SIP_IP:5060?Replaces=$replaces>"
check "  one is told" wait_for 5 told one 200
check "  plain and far were sent re-INVITEs" eval "wait_for 3 says plain 1 '^(INVITE|UPDATE) sip:4930' && wait_for 3 says far 2 '^(INVITE|UPDATE) sip:4940'"
check "  both calls of one have ended" calls_up 1
check "  media flows both ways" eval "flows a && flows b"
over peer 4444

gateway_down
e2e_end
