#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Calls between two baresips that could not talk to each other: RTP and only mu-law on the peer side, SRTP and only A-law on
# the core side, with each suite that baresip takes. Each must hear the other's tone, so the laws were converted (a payload
# that was not would be noise), and the wire must have what was agreed.
. "$(dirname "$0")/lib/calls.sh"
. "$(dirname "$0")/lib/baresip.sh"
baresip_need
calls_begin

# A listener for each suite, since trunks differ in listener or peer: the callee is one. The number's first digit is the way.
suites=(AES_CM_128_HMAC_SHA1_80 AES_CM_128_HMAC_SHA1_32 AEAD_AES_128_GCM AEAD_AES_256_GCM AES_256_CM_HMAC_SHA1_80)
tags=(10 4 16 16)
list=$(printf '%s\n' "${suites[@]}" | jq -R . | jq -sc .)
calls_config '
    .trunks[0] as $peer | .trunks[1] as $core | (.listeners[] | select(.name == $core.listener)) as $l | '"$list"' as $suites
    | .listeners += [range($suites | length) | $l + {name: "core-\(.)", address: "'$TOPO_CORE_SIP_IP':\(5070 + .)"}]
    | .trunks = [$peer] + [range($suites | length) | $core + {name: "core-\(.)", listener: "core-\(.)", srtp: "required", suites: [$suites[.]]}]
    | .routes = [range($suites | length) | {prefix: "\(.)", from: $peer.name, trunks: ["core-\(.)"]}]
        + [range($suites | length) | {prefix: "", from: "core-\(.)", trunks: [$peer.name]}]'
gateway_up

check "baresip starts on the peer side, RTP and mu-law" baresip_start plain peer 5060 4444 20000-20098 4930 \
    "audio_codecs=PCMU/8000/1" 440 || e2e_end
check "baresip starts on the core side, SRTP and A-law" baresip_start secure core 5060 4445 20000-20098 "01425 11425 21425 31425 41425" \
    "audio_codecs=PCMA/8000/1;mediaenc=srtp-mand" 1000 || e2e_end

watch() { # NAMESPACE NAME INTERFACE ADDRESS
    party "$1" "$2" "$E2E_BUILD/tests/tools/media_watch" "$3" "$4" 101
    watch_pid=$party_pid
    wait_for 3 grep -q watching "$E2E_WORK/$2.out"
}

# Reasons that no packet of an honest call meets. short_srtp: baresip's RTCP APP in the clear, before its SRTCP starts.
no_bad_drops() { # ALLOWED...
    the_call '[.a.media.drops[], .b.media.drops[] | .reason] | unique' |
        jq -c '. - ($ARGS.positional + ["short_srtp", "leg_incomplete", "other_leg_incomplete"]) | if . == [] then true else tostring | halt_error end' --args "$@"
}

# Both hear each other for a while, then one hangs up. ALLOWED: reasons of drops that are no fault here.
talk() { # SIDE CONTROL-PORT ALLOWED...
    sleep 2.5
    check "  nothing was dropped that should have passed" no_bad_drops "${@:3}"
    check "  it is hung up" say "$1" "$2" hangup
    check "  no call and no session is left" calls_none
    check "  the peer side hears the core's tone" tone plain 1000
    check "  the core side hears the peer's tone" tone secure 440
    fresh plain secure
}

# ---- the peer side calls: each suite ---------------------------------------------------------------------

for i in "${!tags[@]}"; do
    check "${suites[i]}: the peer side dials" say peer 4444 dial "sip:${i}1425@$TOPO_PEER_SIP_IP:5060"
    check "  the call is up" calls_up 1
    check "  its suite is agreed" is "$(the_call .b.srtp)" "${suites[i]}"
    check "  each side has its law" is "$(the_call .codec | cut -c1-9)" PCMU/PCMA
    check "  the wire is watched" watch "$TOPO_CORE_NS" "wire$i" $TOPO_CORE_IF $TOPO_CORE_IP
    # libre cuts the tags of SRTCP to 32 bits as well with the _32 suites; RFC 4568 6.2.2 leaves them at 80, and so do we.
    if [ "${tags[i]}" = 4 ]; then talk peer 4444 bad_auth; else talk peer 4444; fi
    kill -TERM "$watch_pid" && party_ended "$watch_pid" 3
    check "  the core's wire has tags of ${tags[i]} octets" \
        grep -Eq "^rtp $TOPO_CORE_MEDIA_IP:[0-9]+ $TOPO_CORE_IP:20[0-9]+ 8 [0-9]+ $((172 + tags[i])) $((172 + tags[i]))$" "$E2E_WORK/wire$i.out"
done

# ---- the core side calls -----------------------------------------------------------------------------------

# baresip offers CM_128_80 alone: 5070 is that suite's listener.
check "the core side dials" say core 4445 dial "sip:4930@$TOPO_CORE_SIP_IP:5070"
check "  the call is up" calls_up 1
check "  the leg to the peer is RTP" is "$(the_call .b.srtp)" off
check "  each side has its law" is "$(the_call .codec | cut -c1-9)" PCMA/PCMU
talk core 4445

# ---- what baresip does not have ------------------------------------------------------------------------------

# AES_256_CM: it answers with RTP/SAVP and without the key; that is no call.
check "${suites[4]}: the peer side dials" say peer 4444 dial "sip:41425@$TOPO_PEER_SIP_IP:5060"
check "  no call and no session is left" calls_none
check "  it is refused with 488" grep -q "to 41425 (core-4): 488, talked 0.000 s" "$E2E_WORK/control.log"

gateway_down
e2e_end
