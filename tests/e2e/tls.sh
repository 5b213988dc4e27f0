#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# SIP over TLS against peers that are not our code: openssl s_client and s_server for handshakes of every kind, Kamailio for
# calls. The daemon, the fake dataplane and all peers run on loopback addresses inside a namespace of its own.
. "$(dirname "$0")/lib/loopback.sh"
# shellcheck source=tests/e2e/lib/certificates.sh
. tests/e2e/lib/certificates.sh
# within SECONDS COMMAND...
within() {
    local tries
    for ((tries = 0; tries < 20 * $1; tries++)); do
        "${@:2}" && return 0
        sleep 0.05
    done
    return 1
}
loopback_begin openssl

# ---- certificates
c=$dir/certs
mkdir "$c"
make_ca "$c" ca && make_ca "$c" other && make_ca "$c" third &&
    make_certificate "$c" gateway ca DNS:gateway.example.com &&
    make_certificate "$c" good ca DNS:peer.example.com &&
    make_certificate "$c" wild ca 'DNS:*.example.com' &&
    make_certificate "$c" uri ca 'URI:sip:peer.example.com,DNS:elsewhere.example.net' &&
    make_certificate "$c" peer.example.com ca '' &&
    make_certificate "$c" wrong ca DNS:someone.example.net &&
    make_certificate "$c" deep ca 'DNS:*.com,DNS:*.peer.example.com' &&
    make_certificate "$c" expired ca DNS:peer.example.com -1 &&
    make_certificate "$c" stranger other DNS:peer.example.com &&
    make_certificate "$c" soon ca DNS:peer.example.com 9 &&
    make_certificate "$c" mail ca DNS:peer.example.com 365 extendedKeyUsage=emailProtection &&
    make_certificate "$c" clients ca DNS:peer.example.com 365 extendedKeyUsage=clientAuth &&
    make_certificate "$c" second third DNS:second.example.com &&
    make_certificate "$c" nul ca "$(san_of "$(hex_of peer.example.com)00$(hex_of .example.net)")" &&
    make_certificate "$c" long ca "$(san_of "$(printf '61%.0s' {1..4000})" "$(hex_of peer.example.com)")" &&
    make_certificate "$c" many ca "$(printf 'DNS:h%d.example.net,' {1..299})DNS:h300.example.net" &&
    make_certificate "$c" escape ca "$(san_of 1b5b324a0d0a"$(hex_of 2026-01-01)")" ||
    { bad "certificates"; finish; }
openssl req -x509 -new -key "$c/good.key" -subj /CN=self -addext subjectAltName=DNS:peer.example.com -out "$c/self.pem" 2>/dev/null
cp "$c/good.key" "$c/self.key"
{ openssl req -new -newkey rsa:1024 -noenc -keyout "$c/weak.key" -subj /CN=weak -addext subjectAltName=DNS:peer.example.com |
    openssl x509 -req -CA "$c/ca.pem" -CAkey "$c/ca.key" -copy_extensions copy -out "$c/weak.pem"; } 2>/dev/null

# ---- configuration. Each peer that is connected to shows a certificate: PORT:NAME.
servers='5101:good 5102:wild 5103:uri 5104:peer.example.com 5105:wrong 5106:deep 5107:expired 5108:stranger 5109:nul 5110:long
5111:many 5112:escape 5113:mail 5114:clients 5115:self'
trunk() { # NAME PEER TLS
    echo ", {\"name\": \"$1\", \"listener\": \"tls\", \"peer\": \"$2\", \"realm\": \"r\", \"options_interval_s\": ${4:-0}, \"tls\": $3}"
}
make_config() {
    local s named='"names": ["peer.example.com"]'
    cat <<CONFIG
{"dataplane": {"socket": "$dir/dataplane.sock", "max_sessions": 100, "ports": [{"name": "p", "device": "net_null0"}]},
 "control": {"socket": "$ctl_socket", "t1_ms": 50, "t2_ms": 200, "t4_ms": 200, "connect_timeout_ms": 1000, "handshake_timeout_ms": 1000},
 "realms": [{"name": "own", "port": "p", "address": "203.0.113.1/24", "side": "core"}, {"name": "r", "port": "p", "address": "198.51.100.1/24"}],
 "listeners": [{"name": "udp", "transport": "udp", "address": "127.0.1.1:5060"},
               {"name": "tls", "transport": "tls", "address": "127.0.1.1:5061", "strangers": "answer",
                "tls": {"certificate": "$c/gateway.pem", "key": "$c/gateway.key", "ca": "$c/ca.pem"}}],
 "trunks": [{"name": "caller", "listener": "udp", "peer": "127.0.1.10:5060", "realm": "own", "options_interval_s": 0}
$(trunk in 127.0.1.10:5061 "{$named}")
$(trunk free 127.0.1.11:5061 '{"verify": "off"}')
$(trunk first 127.0.1.12:5061 "{$named}")
$(trunk second 127.0.1.12:5062 "{\"names\": [\"second.example.com\"], \"ca\": \"$c/third.pem\"}")
$(for ((i = 1; i < 20; i++)); do trunk "crowd-$i" "127.0.1.13:$((6000 + i))" "{\"names\": [\"n$i.example.net\"]}"; done)
$(trunk crowd-20 127.0.1.13:6020 "{$named}")
$(trunk usual 127.0.1.14:5061 '{"names": ["someone.example.net"]}')
$(trunk cipher 127.0.1.14:5062 "{$named, \"ciphers\": \"ECDHE-ECDSA-AES128-SHA256\"}")
$(trunk alias 127.0.1.15:5071 "{$named}" 2)
$(trunk kamailio 127.0.2.20:5061 '{"names": ["kamailio.example.com"]}' 3)
$(trunk nobody 127.0.3.1:5999 "{$named}" 3)
$(trunk silent 127.0.3.2:5061 "{$named}" 3)
$(trunk old 127.0.3.3:5061 "{$named}" 3)
$(trunk plain 127.0.3.4:5061 "{$named}" 3)
$(trunk asks 127.0.3.5:5061 "{$named}" 3)
$(for s in $servers; do trunk "to-${s#*:}" "127.0.3.1:${s%%:*}" "{$named}" 3; done)],
 "routes": [{"prefix": "1", "from": "caller", "trunks": ["kamailio"]}, {"prefix": "2", "from": "caller", "trunks": ["nobody", "kamailio"]},
            {"prefix": "3", "from": "caller", "trunks": ["silent", "kamailio"]}, {"prefix": "", "from": "kamailio", "trunks": ["caller"]}]}
CONFIG
}
make_config >"$dir/config.json"

# ---- programs
mkfifo "$dir/nothing"
exec 9<>"$dir/nothing" # neither words nor an end
start() { # NAME COMMAND...: one that stays
    local name=$1
    shift
    ip netns exec $ns "$@" >"$dir/$name.log" 2>&1 7>&- <&9 &
    pids[$name]=$!
}
# listens ADDRESS:PORT
listens() { [ -n "$(inside ss -Hlnt "src $1")" ]; }
said() { grep -qF -- "$1" "$dir/control.log"; }
lines() { grep -cF -- "$1" "$dir/control.log"; }
control() { inside "$build/tools/ctl/trunklinectl" --socket "$ctl_socket" --json "$@"; }

mkfifo "$dir/fake.in"
"$build/tests/tools/fake-dataplane" "$dir/config.json" <"$dir/fake.in" >"$dir/fake.out" 2>&1 &
pids[fake]=$!
exec 7>"$dir/fake.in"
for s in $servers; do
    start "server-${s#*:}" openssl s_server -accept "127.0.3.1:${s%%:*}" -cert "$c/${s#*:}.pem" -key "$c/${s#*:}.key" -quiet
done
start silent nc -l -k 127.0.3.2 5061
start old openssl s_server -accept 127.0.3.3:5061 -cert "$c/good.pem" -key "$c/good.key" -tls1_1 -cipher 'ALL:@SECLEVEL=0' -quiet
start plain python3 -c 'import socket
s = socket.create_server(("127.0.3.4", 5061))
while True:
    c, _ = s.accept()
    c.sendall(b"SIP/2.0 400 Bad Request\r\n\r\n")'
start asks openssl s_server -accept 127.0.3.5:5061 -cert "$c/good.pem" -key "$c/good.key" -Verify 2 -verify_return_error -CAfile "$c/other.pem" -quiet
within 10 listens 127.0.3.1:5115 && within 5 listens 127.0.3.4:5061 && within 5 listens 127.0.3.5:5061 || bad "servers do not start"

have_kamailio=
if command -v kamailio >/dev/null && [ -n "$(find /usr/lib -path '*/kamailio/modules/tls.so' 2>/dev/null)" ]; then
    have_kamailio=yes
    make_certificate "$c" kamailio ca DNS:kamailio.example.com
    cat >"$dir/kamailio.cfg" <<CONFIG
#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=1
tcp_children=1
auto_aliases=no
enable_tls=yes
tcp_source_ipv4=127.0.2.20
listen=tls:127.0.2.20:5061
listen=udp:127.0.2.20:5060
mpath="$(find /usr/lib -type d -path '*/kamailio/modules' | head -n 1)/"
loadmodule "tls.so"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "xlog.so"
modparam("tls", "certificate", "$c/kamailio.pem")
modparam("tls", "private_key", "$c/kamailio.key")
modparam("tls", "ca_list", "$c/ca.pem")
modparam("tls", "verify_certificate", 1)
modparam("tls", "require_certificate", 1)
modparam("tls", "tls_method", "TLSv1.2+")
request_route {
    xlog("L_WARN", "request \$rm \$Rp \$tls_version \$tls_peer_subject_cn\n");
    if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }
    if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
    if (has_totag()) {
        if (loose_route()) t_relay(); else if (is_method("ACK") && t_check_trans()) t_relay();
        exit;
    }
    record_route();
    if (src_ip == 127.0.2.30) \$du = "sip:127.0.1.1:5061;transport=tls"; else \$du = "sip:127.0.2.30:5060";
    t_relay();
}
CONFIG
    start kamailio kamailio -f "$dir/kamailio.cfg" -DD -E -Y "$dir" -w "$dir" -m 32 -M 8
    within 10 listens 127.0.2.20:5061 || { bad "kamailio does not start"; cat "$dir/kamailio.log"; }
fi

ip netns exec $ns "$build/control/trunkline-control" --config "$dir/config.json" 2>>"$dir/control.log" 7>&- &
pids[control]=$!
within 10 said 'dataplane: connected' || { bad "control does not start"; finish; }

# ---- peers that connect to us
options() { # ADDRESS: an OPTIONS as a peer there sends it
    printf 'OPTIONS sip:127.0.1.1 SIP/2.0\r\nVia: SIP/2.0/TLS %s:5061;branch=z9hG4bK%s\r\nMax-Forwards: 70\r\nFrom: <sip:%s>;tag=f\r\nTo: <sip:127.0.1.1>\r\nCall-ID: %s\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n' \
        "$1" "$RANDOM$RANDOM" "$1" "$RANDOM$RANDOM"
}
# client ADDRESS OPTIONS_OF_S_CLIENT...: sends one OPTIONS, prints what comes; ends when the answer is here or the connection is closed
client() {
    local from=$1 out=$dir/client.out
    shift
    : >"$out"
    { options "$from"; until_answered; } 2>/dev/null | inside timeout 10 openssl s_client -connect 127.0.1.1:5061 -bind "$from:0" \
        -CAfile "$c/ca.pem" -servername gateway.example.com -quiet -no_ign_eof "$@" >"$out" 2>"$dir/client.err" 7>&-
    cat "$out"
}
# Line ends, which are nothing to SIP, until the answer is here or nobody reads them any more.
until_answered() {
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        [ -s "$dir/client.out" ] && return
        sleep 0.05
        printf '\r\n' || return
    done
}
certificate() { echo "-cert $c/$1.pem -key $c/$1.key"; }

# answered TITLE ADDRESS OPTIONS...: the OPTIONS is answered 200
answered() {
    local title=$1
    shift
    if client "$@" | grep -q '^SIP/2.0 200'; then ok "$title"; else bad "$title"; sed 's/^/     /' "$dir/client.err" | tail -n 4; fi
}
# refused TITLE WHY ADDRESS OPTIONS...: no answer, and one line in the log that says why
refused() {
    local title=$1 why=$2 before
    shift 2
    before=$(lines "TLS from $1:")
    if client "$@" | grep -q '^SIP/2.0'; then
        bad "$title: answered"
    elif ! within 3 said_more "TLS from $1:" "$before"; then
        bad "$title: no line in the log"
    elif [ "$(lines "TLS from $1:")" != $((before + 1)) ]; then
        bad "$title: more than one line in the log"
    elif ! grep -F "TLS from $1:" "$dir/control.log" | tail -n 1 | grep -qF -- "$why"; then
        bad "$title: not \"$why\""
    else
        ok "$title"
    fi
}
said_more() { [ "$(lines "$1")" -gt "$2" ]; }

# shellcheck disable=SC2046
{
    answered "TLS 1.3, its DNS name" 127.0.1.10 $(certificate good) -tls1_3
    answered "TLS 1.2" 127.0.1.10 $(certificate good) -tls1_2
    answered "a wildcard for one label" 127.0.1.10 $(certificate wild)
    answered "a sip: URI" 127.0.1.10 $(certificate uri)
    answered "the CN, without other names" 127.0.1.10 $(certificate peer.example.com)
    answered "a certificate for clients" 127.0.1.10 $(certificate clients)
    refused "wrong name" 'its certificate is for someone.example.net, wrong and not for peer.example.com' 127.0.1.10 $(certificate wrong)
    refused "wildcards that are too wide or too deep" 'is for *.com, *.peer.example.com, deep and not for' 127.0.1.10 $(certificate deep)
    refused "expired" 'certificate /CN=expired expired on ' 127.0.1.10 $(certificate expired)
    refused "unknown CA" "certificate /CN=stranger is from /CN=other, which is not among $c/ca.pem" 127.0.1.10 $(certificate stranger)
    refused "signed by itself" 'certificate /CN=self is signed by itself and is not among' 127.0.1.10 $(certificate self)
    refused "for mail only" 'certificate /CN=mail is for neither servers nor clients' 127.0.1.10 $(certificate mail)
    refused "a key of 1024 bits" 'certificate /CN=weak: EE certificate key too weak' 127.0.1.10 $(certificate weak) -cipher DEFAULT:@SECLEVEL=0
    refused "no certificate, TLS 1.3" 'it showed no certificate' 127.0.1.10 -tls1_3
    refused "no certificate, TLS 1.2" 'it showed no certificate' 127.0.1.10 -tls1_2
    refused "a NUL in the name" 'is for peer.example.com\x00.example.net, nul and not for' 127.0.1.10 $(certificate nul)
    answered "a name of 4,000 bytes beside the right one" 127.0.1.10 $(certificate long)
    refused "300 names, none of them right" 'h1.example.net, h2.example.net' 127.0.1.10 $(certificate many)
    refused "control characters in a name" 'is for \x1b[2J\x0d\x0a2026-01-01, escape and' 127.0.1.10 $(certificate escape)
    refused "TLS 1.1" 'it speaks no version of TLS that is taken here, which are 1.2 and 1.3' 127.0.1.10 $(certificate good) -tls1_1 -cipher ALL:@SECLEVEL=0
    refused "no cipher in common" 'it has no cipher in common with us' 127.0.1.10 $(certificate good) -tls1_2 -cipher AES128-SHA
    refused "the peer of no trunk" 'it is the peer of no trunk on this listener' 127.0.1.99 $(certificate good)
    answered "verify off: any certificate" 127.0.1.11 $(certificate stranger)
    answered "verify off: none" 127.0.1.11
    answered "two trunks at an address: the first one's certificate" 127.0.1.12 $(certificate good)
    answered "two trunks at an address: the second one's, from its own CA" 127.0.1.12 $(certificate second)
    refused "two trunks at an address: the right name from the other's CA" 'its certificate is for someone.example.net' 127.0.1.12 $(certificate wrong)
}

# shellcheck disable=SC2046
{
    answered "twenty trunks at an address: the last one's certificate" 127.0.1.13 $(certificate good)
    answered "a cipher that the second of two trunks has" 127.0.1.14 $(certificate good) -tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256
    refused "... and the first has not" 'trunk usual does not have its cipher ECDHE-ECDSA-AES128-SHA256' 127.0.1.14 $(certificate wrong) -tls1_2 -cipher ECDHE-ECDSA-AES128-SHA256
    answered "the first one's own cipher" 127.0.1.14 $(certificate wrong) -tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256
    refused "... and the second has not" 'trunk cipher does not have its cipher' 127.0.1.14 $(certificate good) -tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256
}

# RFC 5923: our requests to where a peer listens take the connection that it made, if its Via says alias
asked_over() { # VIA-PARAMETERS: how many requests of ours come over a connection of 127.0.1.15 within some seconds
    # shellcheck disable=SC2046
    inside timeout 8 openssl s_client -connect 127.0.1.1:5061 -bind 127.0.1.15:0 -CAfile "$c/ca.pem" -quiet $(certificate good) \
        < <(options 127.0.1.15 | sed "s/^Via:.*branch=[0-9A-Za-z]*/&$1/; s/127.0.1.15:5061/127.0.1.15:5071/"; sleep 5) 2>/dev/null | grep -c '^OPTIONS sip:127.0.1.15:5071'
}
if [ "$(asked_over ';alias')" -ge 1 ]; then ok "a peer that says alias is asked over its connection"; else bad "a peer that says alias is asked over its connection"; fi
if [ "$(asked_over '')" = 0 ]; then ok "one that does not is not"; else bad "one that does not is not"; fi

# what is no TLS, and what never begins
before=$(lines 'TLS from 127.0.1.10:')
options 127.0.1.10 | inside timeout 3 nc -s 127.0.1.10 127.0.1.1 5061 >/dev/null 2>&1
if within 3 said_more 'TLS from 127.0.1.10:' "$before" &&
    grep 'TLS from 127.0.1.10:' "$dir/control.log" | tail -n 1 | grep -q 'no TLS; plain SIP perhaps'; then
    ok "plain SIP on the port of TLS"
else
    bad "plain SIP on the port of TLS"
fi
before=$(lines 'is not through with its handshake in time')
inside timeout 4 nc -d -s 127.0.1.10 127.0.1.1 5061 </dev/null >/dev/null 2>&1
if within 3 said_more 'is not through with its handshake in time' "$before"; then ok "half-open: closed, one line"; else bad "half-open"; fi

# renegotiation: s_client asks for it by a line "R"; the handshake is not repeated and the connection goes on or ends
inside timeout 5 openssl s_client -connect 127.0.1.1:5061 -bind 127.0.1.10:0 -CAfile "$c/ca.pem" -tls1_2 $(certificate good) \
    < <(sleep 0.5; echo R; sleep 1) >"$dir/renegotiate.out" 2>&1
if grep -q 'no renegotiation' "$dir/renegotiate.out" && kill -0 ${pids[control]}; then ok "renegotiation is refused"; else
    bad "renegotiation"
    tail -n 5 "$dir/renegotiate.out" | sed 's/^/     /'
fi

# new keys within a connection (a line "K"): what comes behind them is read
inside timeout 5 openssl s_client -connect 127.0.1.1:5061 -bind 127.0.1.10:0 -CAfile "$c/ca.pem" -tls1_3 $(certificate good) \
    < <(for ((i = 0; i < 5; i++)); do sleep 0.2; echo K; done; sleep 0.2; options 127.0.1.10; sleep 0.5) >"$dir/keys.out" 2>&1
if grep -q KEYUPDATE "$dir/keys.out" && grep -q '^SIP/2.0 200' "$dir/keys.out"; then ok "new keys within a connection"; else
    bad "new keys within a connection"
    tail -n 5 "$dir/keys.out" | sed 's/^/     /'
fi

# a session is taken up again, but not by another trunk's peer
resume() { # ADDRESS OPTIONS...
    local from=$1
    shift
    inside timeout 5 openssl s_client -connect 127.0.1.1:5061 -bind "$from:0" -CAfile "$c/ca.pem" -servername gateway.example.com "$@" \
        < <(options "$from"; sleep 0.5) 2>&1
}
for version in -tls1_3 -tls1_2; do
    resume 127.0.1.10 $version $(certificate good) -sess_out "$dir/session" >/dev/null
    if resume 127.0.1.10 $version $(certificate good) -sess_in "$dir/session" | grep -q '^Reused'; then ok "session resumption, $version"; else
        bad "session resumption, $version"
    fi
    if resume 127.0.1.11 $version -sess_in "$dir/session" | grep -q '^Reused'; then bad "another trunk takes up a session"; else
        ok "a session is its trunk's alone, $version"
    fi
done

# ---- peers that we connect to
reason() { # TITLE TRUNK WHY
    if within 8 grep -q "trunk $2: .*$(sed 's/[][\\*.]/\\&/g' <<<"$3")" "$dir/control.log"; then ok "$1"; else
        bad "$1"
        grep "trunk $2:" "$dir/control.log" | tail -n 2 | sed 's/^/     /'
    fi
}
received() { grep -q '^OPTIONS sip:' "$dir/server-$1.log"; }
for s in good wild uri peer.example.com long clients; do
    if within 8 received $s; then ok "we take a server's certificate: $s"; else bad "we take a server's certificate: $s"; fi
done
if grep -q '^Via: SIP/2.0/TLS 127.0.1.1:5061;branch=.*;rport;alias' "$dir/server-good.log"; then ok "our Via says alias"; else bad "our Via says alias"; fi
reason "server: wrong name" to-wrong 'its certificate is for someone.example.net, wrong and not for peer.example.com'
reason "server: too wide a wildcard" to-deep 'its certificate is for *.com'
reason "server: expired" to-expired 'certificate /CN=expired expired on '
reason "server: unknown CA" to-stranger 'is from /CN=other, which is not among'
reason "server: a NUL in the name" to-nul 'its certificate is for peer.example.com\x00.example.net'
reason "server: 300 names" to-many 'and not for peer.example.com'
reason "server: control characters" to-escape '\x1b[2J'
reason "server: for mail only" to-mail 'is for neither servers nor clients'
reason "server: signed by itself" to-self 'is signed by itself'
reason "server: TLS 1.1" old 'it speaks none of our versions of TLS'
reason "server: plain SIP" plain 'what it sends is no TLS; plain SIP perhaps'
reason "server: silent" silent 'it is not through with its handshake in time'
reason "server: does not know our CA" asks 'unknown CA": it does not know the CA of our certificate'
for s in wrong expired stranger nul mail self; do
    if received $s; then bad "an OPTIONS went to $s"; fi
done

# ---- Kamailio: OPTIONS, calls both ways, with certificates both ways
if [ -n "$have_kamailio" ] && command -v sipp >/dev/null; then
    if within 8 grep -q 'request OPTIONS 5061 TLSv1.*gateway' "$dir/kamailio.log"; then ok "Kamailio takes our certificate"; else bad "Kamailio takes our certificate"; fi
    start uas sipp -sf tests/e2e/sipp/uas_call.xml -i 127.0.2.30 -p 5060 -nostdin -mp 6000
    call() { # TITLE NUMBER ADDRESS TO
        if inside timeout 20 sipp "$4" -sf tests/e2e/sipp/uac_call.xml -s "$2" -i "$3" -p 5060 -m 1 -nostdin -mp 7000 -recv_timeout 8000 >"$dir/uac.log" 2>&1; then
            ok "$1"
        else
            bad "$1"
            tail -qn 30 "$dir/kamailio.log" "$dir/uac.log" | sed "s/^/     /"
        fi
    }
    call "a call over TLS" 1234 127.0.1.10 127.0.1.1:5060
    call "a call whose first trunk refuses the connection" 2234 127.0.1.10 127.0.1.1:5060
    call "a call whose first trunk does not answer the handshake" 3234 127.0.1.10 127.0.1.1:5060
    kill ${pids[uas]}
    wait ${pids[uas]} 2>/dev/null
    unset "pids[uas]"
    start uas2 sipp -sf tests/e2e/sipp/uas_call.xml -i 127.0.1.10 -p 5060 -nostdin -mp 6000
    call "a call from Kamailio over TLS" 1234 127.0.2.30 127.0.2.20:5060
else
    echo "SKIP no Kamailio with its TLS module, or no sipp"
    skipped=$((skipped + 1))
fi

# ---- certificates are read again, and what was open stays open
mkfifo "$dir/kept.in"
# shellcheck disable=SC2046
ip netns exec $ns timeout 60 openssl s_client -connect 127.0.1.1:5061 -bind 127.0.1.10:0 $(certificate good) -quiet -no_ign_eof \
    <"$dir/kept.in" >"$dir/kept.out" 2>&1 7>&- &
pids[kept]=$!
exec 8>"$dir/kept.in"
options 127.0.1.10 >&8
answers() { [ "$(grep -c '^SIP/2.0 200' "$dir/kept.out")" -ge "$1" ]; }
within 5 answers 1 || bad "no answer before the change"
make_certificate "$c" next ca DNS:gateway.example.com 9
cp "$c/next.key" "$c/gateway.key" && cp "$c/next.pem" "$c/gateway.pem"
if within 25 said 'certificates were read again'; then ok "new files are read"; else bad "new files are read"; fi
if said "certificate $c/gateway.pem: /CN=next expires on "; then ok "a certificate that ends soon is a warning"; else bad "no warning of its end"; fi
if inside timeout 5 openssl s_client -connect 127.0.1.1:5061 -bind 127.0.1.10:0 $(certificate good) </dev/null 2>&1 | grep -q 'subject=CN = next'; then
    ok "who connects now sees the new one"
else
    bad "who connects now sees the old one"
fi
options 127.0.1.10 >&8
if within 5 answers 2; then ok "a connection from before goes on"; else bad "a connection from before goes on"; fi
shows() { # TITLE FILTER: of the certificates
    if control certificates | jq -e ".certificates | $1" >/dev/null; then ok "$2"; else bad "$2"; control certificates | jq -c ".certificates[:3]"; fi
}
shows '.[] | select(.listener == "tls") | .subject == "/CN=next" and .names == "DNS:gateway.example.com" and .issuer == "/CN=ca" and
    .state == "ends soon" and .days_left == 8' "the new one is shown, with its end"
shows 'any(.trunk == "second" and .role == "CA" and .subject == "/CN=third" and .state == "ok")' "a trunk's CA is shown"
control trunk cipher | jq -e '.certificates | length == 2 and .[0].subject == "/CN=next"' >/dev/null && ok "a trunk shows its own" || bad "a trunk shows its own"
echo broken >"$c/gateway.pem"
if within 25 said "TLS goes on with the certificates that it has: listener tls: certificate $c/gateway.pem: there is nothing of that kind in it"; then
    ok "a broken file is a line in the log"
else
    bad "a broken file is a line in the log"
fi
shows '.[0].subject == "/CN=next"' "what is shown is what is used"
answered "and the ones before go on" 127.0.1.10 $(certificate good)
exec 8>&-

kill -0 ${pids[control]} 2>/dev/null && ok "control is still there" || bad "control has ended"
finish
