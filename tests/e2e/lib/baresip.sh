# SPDX-License-Identifier: BSD-3-Clause
# baresip as a party: started, told what to do, and what it heard. To be sourced after calls.sh.
# shellcheck shell=bash

BARESIP_MODULES=$(find /usr/lib -type d -path '*/baresip/modules' 2>/dev/null | head -n 1)

# baresip_need: skips the whole test where baresip cannot do SRTP
baresip_need() {
    calls_need baresip
    [ -e "$BARESIP_MODULES/srtp.so" ] || e2e_skip "baresip has no module srtp here"
}

# baresip_start NAME peer|core SIP-PORT CONTROL-PORT RTP-PORTS "NUMBER..." ACCOUNT [HZ]: answers these numbers by itself and
# plays a tone of HZ (440); its recordings go to NAME/. ACCOUNT: further parameters, as "mediaenc=srtp-mand".
baresip_start() {
    local number dir=$E2E_WORK/$1 ns=$TOPO_CORE_NS ip=$TOPO_CORE_IP
    if [ "$2" = peer ]; then ns=$TOPO_PEER_NS ip=$TOPO_PEER_IP; fi
    mkdir "$dir"
    cat >"$dir/config" <<CONFIG
poll_method epoll
sip_listen $ip:$3
audio_player aubridge,$1
audio_source ausine,${8:-440}
ausrc_srate 48000
ausrc_channels 2
auplay_srate 8000
auplay_channels 1
audio_txmode thread
ausrc_format s16
auplay_format s16
auenc_format s16
audec_format s16
rtp_ports $5
rtcp_mux no
module_path $BARESIP_MODULES
module g711.so
module ausine.so
module aubridge.so
module sndfile.so
module srtp.so
module uuid.so
module_tmp account.so
module_app menu.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:$4
snd_path $dir
CONFIG
    for number in $6; do echo "<sip:$number@$ip:$3;transport=udp>;regint=0;answermode=auto;$7"; done >"$dir/accounts"
    : >"$dir/contacts"
    party "$ns" "$1" baresip -s -f "$dir"
    wait_for 5 baresip_in "$2" "exec 3<>/dev/tcp/127.0.0.1/$4"
}

# baresip_in peer|core COMMAND: in that side's namespace
baresip_in() {
    local ns=$TOPO_CORE_NS
    if [ "$1" = peer ]; then ns=$TOPO_PEER_NS; fi
    ip netns exec "$ns" bash -c "$2"
}

# say peer|core CONTROL-PORT COMMAND [PARAMETER]: a command to baresip, over a connection of its own; its events come there as
# well
say() {
    local json="{\"command\":\"$3\",\"params\":\"${4-}\",\"token\":\"t\"}"
    baresip_in "$1" "exec 3<>/dev/tcp/127.0.0.1/$2 && printf '%s' '${#json}:$json,' >&3
        while read -r -t 3 -d '}' part <&3; do
            case \$part in *'\"response\":true'*'\"ok\":true'*) exit 0 ;; *'\"response\":true'*) echo \"\$part\"; exit 1 ;; esac
        done
        echo 'baresip does not answer'; exit 1"
}

# tone NAME [HZ [LEAST]]: whether what that baresip heard last is a tone of HZ (440): its power there is nearly all there is, in
# windows of 200 ms, LEAST (6) of them. At most the beginning and the end may be something else.
tone() {
    local file
    file=$(find "$E2E_WORK/$1" -name 'dump-*-dec.wav' -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2)
    [ -n "$file" ] || { echo "no recording in $1"; return 1; }
    od -An -v -w2 -t d2 -j 44 "$file" | awk -v rate=8000 -v hz="${2:-440}" -v least="${3:-6}" '
        BEGIN { n = rate / 5; c = 2 * cos(2 * 3.14159265358979 * hz / rate) }
        {
            s = $1 + c * s1 - s2; s2 = s1; s1 = s
            energy += $1 * $1
            if (NR % n == 0) {
                power = (s1 * s1 + s2 * s2 - c * s1 * s2) * 2 / n
                windows++
                if (energy > n * 10000 && power > 0.95 * energy) good++
                s1 = s2 = energy = 0
            }
        }
        END { printf "%d of %d windows are the tone\n", good, windows; exit !(good >= least && good >= windows - 6) }'
}

# fresh NAME...: their recordings of before are gone
fresh() {
    local name
    for name in "$@"; do rm -f "$E2E_WORK/$name"/dump-*; done
}
