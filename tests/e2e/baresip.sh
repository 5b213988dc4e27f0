#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Single calls between baresip, SRTP on the core side, and sipp, RTP on the peer side, which returns the audio: both
# directions, both suites, digits, hold and resume, each side hangs up. What baresip decrypted must be the tone that it
# sent: it went through the gateway twice, once each way.
. "$(dirname "$0")/lib/calls.sh"
. "$(dirname "$0")/lib/baresip.sh"
calls_need sipp
baresip_need
calls_begin

# Two trunks to the core side, since one that baresip is called by chooses the suite: 5060 takes calls with SHA1_80, 5070
# with GCM. telephone-event has another payload type on each side.
calls_config '
    .trunks[0] += {dtmf_pt: 100, codecs: ["PCMA", "PCMU"]}
    | .trunks[1] += {srtp: "required", suites: ["AES_CM_128_HMAC_SHA1_80"], dtmf_pt: 96}
    | .trunks += [.trunks[1] + {name: "core-gcm", peer: "'$TOPO_CORE_IP':5070", suites: ["AEAD_AES_128_GCM"]}]
    | .routes = [{prefix: "80", from: "peer", trunks: ["core"]}, {prefix: "128", from: "peer", trunks: ["core-gcm"]},
        {prefix: "", from: "core", trunks: ["peer"]}]'
gateway_up

account="audio_codecs=PCMA/8000/1,PCMU/8000/1;mediaenc=srtp-mand"
check "baresip starts, for SHA1_80" baresip_start one core 5060 4444 20000-20098 80123 "$account" || e2e_end
check "baresip starts, for GCM" baresip_start two core 5070 4445 20100-20198 128123 "$account" || e2e_end

# ---- sipp --------------------------------------------------------------------------------------------

# plain NAME SCENARIO DURATION-MS TELEPHONE-EVENT ARGS...: one call on the peer's side, that returns the audio
plain() {
    local name=$1 scenario=$2 ms=$3 te=$4
    shift 4
    sipp_run "$TOPO_PEER_NS" "$name" "$scenario" -i $TOPO_PEER_IP -p 5060 -mi $TOPO_PEER_IP -mp 6000 -rtp_echo -m 1 -d "$ms" \
        -key te "$te" -timeout 20 "$@"
    wait_for 3 listens "$TOPO_PEER_NS" $TOPO_PEER_IP:5060
}
pcmu=(-key pt 0 -key pt_name PCMU)
pcma=(-key pt 8 -key pt_name PCMA)

watch() { # NAMESPACE NAME INTERFACE ADDRESS PT
    party "$1" "$2" "$E2E_BUILD/tests/tools/media_watch" "$3" "$4" "$5"
    watch_pid=$party_pid
    wait_for 3 grep -q watching "$E2E_WORK/$2.out"
}
watched() { # PID: its results are in NAME.out
    kill -TERM "$1" && party_ended "$1" 3
}

# leg A|B FIELD: of the call that is up
media_of() { the_call ".$1.media.$2"; }

test_held() { is "$(the_call .held)" "$1"; }

# Reasons that no packet of an honest call meets. (held: what sipp returns while the call is held. short_srtp: baresip sends one
# RTCP APP packet in the clear before its SRTCP starts; plain_rtcp: on a slow day a longer one.)
no_bad_drops() {
    gateway_stats | jq -e '[.workers[].drops | to_entries[] | select(.value > 0) | .key] | unique
        - ["not_ours", "held", "short_srtp", "plain_rtcp", "leg_incomplete", "other_leg_incomplete", "unknown_port"] | if . == [] then true else tostring | halt_error end'
}

# Between the two, media flows to the core: so many packets more within a second
flows_on() {
    local before after
    before=$(media_of "$1" tx_packets) && sleep 1 && after=$(media_of "$1" tx_packets) || return 1
    echo "$((after - before)) packets in a second"
    [ $((after - before)) -ge 35 ]
}
stands_still() {
    local before after
    before=$(media_of "$1" tx_packets) && sleep 1 && after=$(media_of "$1" tx_packets) || return 1
    echo "$((after - before)) packets in a second"
    [ "$after" = "$before" ]
}

# ---- baresip calls: SHA1_80, digits, hold, resume, baresip hangs up ------------------------------------

plain out echo_uas_held 0 100 "${pcmu[@]}"
out=$party_pid
check "the wire on the peer's side is watched" watch "$TOPO_PEER_NS" wire $TOPO_PEER_IF $TOPO_PEER_IP 100
wire=$watch_pid
check "the wire on the core's side is watched" watch "$TOPO_CORE_NS" crypt $TOPO_CORE_IF $TOPO_CORE_IP 101
crypt=$watch_pid
check "baresip dials" say core 4444 dial "sip:+4930111@$TOPO_CORE_SIP_IP:5060"
check "baresip's call is up" calls_up 1
check "the leg to baresip is SRTP, SHA1_80" is "$(the_call .a.srtp)" AES_CM_128_HMAC_SHA1_80
check "the leg to sipp is RTP" is "$(the_call .b.srtp)" off
check "the codec is what sipp took" is "$(the_call '.codec | ascii_upcase | .[0:4]')" PCMU
check "media flows to baresip" flows_on a
check "baresip says a digit" say core 4444 sndcode 5
sleep 0.5
check "baresip holds" say core 4444 hold
check "the call is held" wait_for 3 test_held true
check "no media goes to the party that holds" stands_still a
check "baresip resumes" say core 4444 resume
check "the call is held no more" wait_for 3 test_held false
check "media flows to baresip again" flows_on a
check "nothing was dropped that should have passed" no_bad_drops
check "baresip hangs up" say core 4444 hangup
check "sipp got the call, both re-INVITEs and the BYE" sipp_done "$out" out 5
check "no call and no session is left" calls_none
check "the watchers end" eval 'watched "$wire" && watched "$crypt"'
check "the decrypted audio is the tone" tone one
check "the digit came to the peer with its payload type" grep -Eq "^event $TOPO_PEER_MEDIA_IP:[0-9]+ $TOPO_PEER_IP:6000 5 [0-9]+ [1-9][0-9]* [1-9][0-9]*$" "$E2E_WORK/wire.out"
check "the digit came once" is "$(grep -c "^event $TOPO_PEER_MEDIA_IP" "$E2E_WORK/wire.out")" 1
check "the peer's side has plain G.711 of 160 octets" grep -Eq "^rtp $TOPO_PEER_MEDIA_IP:[0-9]+ $TOPO_PEER_IP:6000 0 [0-9]+ 172 172$" "$E2E_WORK/wire.out"
check "the core's side has tags of 10 octets" grep -Eq "^rtp $TOPO_CORE_MEDIA_IP:[0-9]+ $TOPO_CORE_IP:20[0-9]+ 0 [0-9]+ 182 182$" "$E2E_WORK/crypt.out"
# ---- baresip calls, sipp hangs up ----------------------------------------------------------------------

fresh one
plain back echo_uas_bye 2500 100 "${pcma[@]}"
back=$party_pid
check "baresip dials again" say core 4444 dial "sip:+4930112@$TOPO_CORE_SIP_IP:5060"
check "the second call is up" calls_up 1
check "the codec is what sipp took this time" is "$(the_call '.codec | ascii_upcase | .[0:4]')" PCMA
check "sipp hangs up and baresip says 200 to it" sipp_done "$back" back 10
check "no call and no session is left" calls_none
check "the decrypted audio is the tone" tone one

# ---- sipp calls baresip: SHA1_80, sipp hangs up ----------------------------------------------------------

fresh one
plain in echo_uac 2500 101 "${pcmu[@]}" -s 80123 $TOPO_PEER_SIP_IP:5060
in=$party_pid
check "sipp's call is up" calls_up 1
check "the leg to baresip is SRTP, SHA1_80" is "$(the_call .b.srtp)" AES_CM_128_HMAC_SHA1_80
check "sipp hangs up after its call" sipp_done "$in" in 10
check "no call and no session is left" calls_none
check "the decrypted audio is the tone" tone one

# ---- sipp calls baresip: GCM, digits, baresip hangs up -----------------------------------------------------

plain gcm echo_uac_wait 0 101 "${pcma[@]}" -s 128123 $TOPO_PEER_SIP_IP:5060
gcm=$party_pid
check "the wire on the core's side is watched" watch "$TOPO_CORE_NS" crypt2 $TOPO_CORE_IF $TOPO_CORE_IP 96
crypt=$watch_pid
check "the wire on the peer's side is watched" watch "$TOPO_PEER_NS" wire2 $TOPO_PEER_IF $TOPO_PEER_IP 101
wire=$watch_pid
check "sipp's second call is up" calls_up 1
check "the leg to baresip is SRTP, GCM" is "$(the_call .b.srtp)" AEAD_AES_128_GCM
check "media flows to baresip" flows_on b
check "baresip says a digit" say core 4445 sndcode 7
sleep 1
check "baresip hangs up on it" say core 4445 hangup
check "sipp got the BYE" sipp_done "$gcm" gcm 5
check "no call and no session is left" calls_none
check "the watchers end" eval 'watched "$wire" && watched "$crypt"'
check "the decrypted audio is the tone" tone two
check "the core's side has tags of 16 octets" grep -Eq "^rtp $TOPO_CORE_MEDIA_IP:[0-9]+ $TOPO_CORE_IP:20[0-9]+ 8 [0-9]+ 188 188$" "$E2E_WORK/crypt2.out"
check "the digit came to the peer with its payload type" grep -Eq "^event $TOPO_PEER_MEDIA_IP:[0-9]+ $TOPO_PEER_IP:6000 7 [0-9]+ [1-9][0-9]* [1-9][0-9]*$" "$E2E_WORK/wire2.out"
check "the digit went with the payload type of the core's side" grep -Eq "^rtp $TOPO_CORE_IP:20[0-9]+ $TOPO_CORE_MEDIA_IP:[0-9]+ 96 " "$E2E_WORK/crypt2.out"

check "nothing was dropped that should have passed" no_bad_drops
gateway_down
e2e_end
