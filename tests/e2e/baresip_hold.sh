#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Hold and resume between two baresips, SRTP on the core side, from either side, towards each form of hold that a trunk can want.
# What each was sent to be held is read from baresip's own trace; the media must stand still and come back with its keys.
. "$(dirname "$0")/lib/calls.sh"
. "$(dirname "$0")/lib/baresip.sh"
baresip_need
calls_begin

# A pair of trunks for each form, by listeners of their own: 5070, 5071, 5072 on each side.
forms=(sendonly inactive zero)
calls_config '
    ["sendonly", "inactive", "zero"] as $forms | .trunks[0] as $peer | .trunks[1] as $core
    | (.listeners[] | select(.name == $peer.listener)) as $lp | (.listeners[] | select(.name == $core.listener)) as $lc
    | .listeners = [range(3) | $lp + {name: "peer-\(.)", address: "'$TOPO_PEER_SIP_IP':\(5070 + .)"}, $lc + {name: "core-\(.)", address: "'$TOPO_CORE_SIP_IP':\(5070 + .)"}]
    | .trunks = [range(3) | $peer + {name: "peer-\(.)", listener: "peer-\(.)", hold: $forms[.]},
        $core + {name: "core-\(.)", listener: "core-\(.)", hold: $forms[.], srtp: "required", suites: ["AES_CM_128_HMAC_SHA1_80"]}]
    | .routes = [range(3) | {prefix: "", from: "peer-\(.)", trunks: ["core-\(.)"]}]'
gateway_up
check "baresip starts on the peer side" baresip_start plain peer 5060 4444 20000-20098 4930 "audio_codecs=PCMA/8000/1" 440 || e2e_end
check "baresip starts on the core side" baresip_start secure core 5060 4445 20000-20098 1425 "audio_codecs=PCMA/8000/1;mediaenc=srtp-mand" 1000 || e2e_end

test_held() { is "$(the_call .held)" "$1"; }
stands_still() {
    local before
    before=$(sent "$1") && sleep 1 && is "$(($(sent "$1") - before))" 0
}

# offers NAME: "METHOD DIRECTION ADDRESS KEY" for each INVITE that this baresip received, oldest first
offers() {
    tr -d '\r' <"$E2E_WORK/$1.out" | awk '
        /-> / { into = 0 }
        $1 == "INVITE" && $3 ~ /^SIP/ { into = 1; from_us = 0; direction = "none"; address = key = "-" }
        into && /^User-Agent: / { ours = /Trunkline/ }
        into && /^c=/ { address = $3 }
        into && /inline:/ { key = $0; sub(/.*inline:/, "", key); sub(/[|].*/, "", key) }
        into && /^a=(sendrecv|sendonly|recvonly|inactive)/ { if (ours) print substr($0, 3), address, key; into = 0 }'
}
last_offer() { offers "$1" | tail -n 1; }
# The form in which NAME was held; sendonly and zero go on as the holder does, who sends nothing here
held_by() { # NAME FORM MEDIA-ADDRESS
    local direction address
    read -r direction address _ <<<"$(last_offer "$1")"
    case $2 in
    sendonly) is "$direction $address" "sendonly $3" ;;
    inactive) is "$direction $address" "inactive $3" ;;
    zero) is "$direction $address" "sendonly 0.0.0.0" ;;
    esac
}
resumed() { # NAME MEDIA-ADDRESS
    local direction address
    read -r direction address _ <<<"$(last_offer "$1")"
    is "$direction $address" "sendrecv $2"
}
keys() { is "$(offers "$1" | awk '{ print $3 }' | sort -u | wc -l)" "$2"; }

# hold_and_resume SIDE PORT LEG OTHER OTHER-LEG FORM OTHER-MEDIA: SIDE's baresip holds, the other one is put on hold
hold_and_resume() {
    check "$6, the $1 side holds" say "$1" "$2" hold
    check "  the call is held" wait_for 3 test_held true
    check "  the other side was told in that form" wait_for 3 held_by "$4" "$6" "$7"
    check "  no media goes to who holds" stands_still "$3"
    check "  it resumes" say "$1" "$2" resume
    check "  the call is held no more" wait_for 3 test_held false
    check "  the other side was told" wait_for 3 resumed "$4" "$7"
    check "  media flows both ways again" eval "flows $3 && flows $5"
}

for i in 0 1 2; do
    check "${forms[i]}: the peer side dials" say peer 4444 dial "sip:1425@$TOPO_PEER_SIP_IP:$((5070 + i))"
    check "  the call is up" calls_up 1
    sleep 2 # what is heard now is recorded; from its first hold on baresip 1.0 records nothing, with no gateway between either
    hold_and_resume peer 4444 a secure b "${forms[i]}" $TOPO_CORE_MEDIA_IP
    hold_and_resume core 4445 b plain a "${forms[i]}" $TOPO_PEER_MEDIA_IP
    check "  the core side was offered one key all along" keys secure $((i + 1))
    check "  it is hung up" say peer 4444 hangup
    check "  no call and no session is left" calls_none
    check "  the peer side heard the core's tone" tone plain 1000
    check "  the core side heard the peer's tone" tone secure 440
    fresh plain secure
done

gateway_down
e2e_end
