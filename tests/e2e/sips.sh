#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Calls to sips: URIs (RFC 5630) over real TLS on both sides: a caller on Python's OpenSSL, Kamailio as who is called, each with its
# certificate. What is sips: stays so and over TLS; what is not meant for it is refused.
. "$(dirname "$0")/lib/loopback.sh"
# shellcheck source=tests/e2e/lib/certificates.sh
. tests/e2e/lib/certificates.sh
loopback_begin openssl python3 kamailio
modules=$(find /usr/lib -type d -path '*/kamailio/modules' | head -n 1)
[ -e "$modules/tls.so" ] || { echo "SKIP needs Kamailio's TLS module"; skipped=1; finish; }
c=$dir/certs
mkdir "$c"
make_ca "$c" ca && make_certificate "$c" gateway ca DNS:gateway.example.com && make_certificate "$c" caller ca DNS:caller.example.com &&
    make_certificate "$c" kamailio ca DNS:kamailio.example.com || { bad "certificates"; finish; }
tls() { echo "\"listener\": \"tls\", \"tls\": {\"names\": [\"$1.example.com\"]}"; }
cat >"$dir/config.json" <<CONFIG
{"dataplane": {"socket": "$dir/dataplane.sock", "max_sessions": 100, "ports": [{"name": "p", "device": "net_null0"}]},
 "control": {"socket": "$ctl_socket"},
 "realms": [{"name": "own", "port": "p", "address": "203.0.113.1/24", "side": "core"}, {"name": "r", "port": "p", "address": "198.51.100.1/24"}],
 "listeners": [{"name": "udp", "transport": "udp", "address": "127.0.1.1:5060"},
               {"name": "tls", "transport": "tls", "address": "127.0.1.1:5061",
                "tls": {"certificate": "$c/gateway.pem", "key": "$c/gateway.key", "ca": "$c/ca.pem"}}],
 "trunks": [{"name": "plain", "listener": "udp", "peer": "127.0.1.20:5060", "realm": "r", "options_interval_s": 0},
            {"name": "caller", "peer": "127.0.1.10:5061", "realm": "own", "srtp": "off", $(tls caller), "options_interval_s": 0},
            {"name": "kamailio", "peer": "127.0.2.20:5061", "realm": "r", $(tls kamailio), "uri_scheme": "sips"}],
 "routes": [{"prefix": "1", "trunks": ["plain", "kamailio"]}, {"prefix": "2", "trunks": ["plain"]}]}
CONFIG
cat >"$dir/kamailio.cfg" <<CONFIG
#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=1
tcp_children=1
auto_aliases=no
enable_tls=yes
listen=tls:127.0.2.20:5061
mpath="$modules/"
loadmodule "tls.so"
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
loadmodule "xlog.so"
modparam("tls", "certificate", "$c/kamailio.pem")
modparam("tls", "private_key", "$c/kamailio.key")
modparam("tls", "ca_list", "$c/ca.pem")
modparam("tls", "verify_certificate", 1)
modparam("tls", "require_certificate", 1)
modparam("tls", "tls_method", "TLSv1.2+")
request_route {
    xlog("L_WARN", "request \$rm \$ru from \$fu contact \$hdr(Contact) by \$proto\n");
    if (is_method("ACK")) exit;
    if (is_method("INVITE")) {
        append_to_reply("Contact: <sips:k@127.0.2.20:5061>\r\n");
        set_reply_body("v=0\r\no=k 1 1 IN IP4 198.51.100.9\r\ns=-\r\nc=IN IP4 198.51.100.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n", "application/sdp");
    }
    sl_send_reply("200", "OK");
}
CONFIG
cat >"$dir/caller.py" <<'PYTHON'
# caller.py HOST FOLDER REQUEST-URI CONTACT: an INVITE over TLS, ACK and BYE if it is answered; prints what comes. Without FOLDER over UDP.
import random, socket, ssl, sys
host, folder, uri, contact = sys.argv[1:]
if folder:
    context = ssl.create_default_context(cafile=folder + "/ca.pem")
    context.load_cert_chain(folder + "/caller.pem", folder + "/caller.key")
    s = socket.create_connection(("127.0.1.1", 5061), source_address=(host, 0))
    s = context.wrap_socket(s, server_hostname="gateway.example.com")
else:
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((host, 5060))
    s.connect(("127.0.1.1", 5060))
s.settimeout(8)
via = f"TLS {host}:5061" if folder else f"UDP {host}:5060"
name = random.randrange(10**9)
def say(method, uri, cseq, to, body=""):
    s.sendall((f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{via};branch=z9hG4bK{name}{method}\r\nMax-Forwards: 70\r\n"
               f"From: <sips:1@{host}>;tag=f\r\nTo: {to}\r\nCall-ID: {name}\r\nCSeq: {cseq} {method}\r\nContact: <{contact}>\r\n"
               + ("Content-Type: application/sdp\r\n" if body else "") + f"Content-Length: {len(body)}\r\n\r\n{body}").encode())
def final():
    while True:
        text = b""
        while b"\r\n\r\n" not in text:
            text += s.recv(65535 if not folder else 1)
        lines = text.decode().split("\r\n")
        print("\n".join(lines), flush=True)
        if folder:
            left = int(next(l for l in lines if l.startswith("Content-Length:")).split(":")[1])
            while left:
                left -= len(s.recv(left))
        if not lines[0].startswith("SIP/2.0 1"):
            return lines
sdp = "v=0\r\no=a 1 1 IN IP4 203.0.113.9\r\ns=-\r\nc=IN IP4 203.0.113.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
say("INVITE", uri, 1, f"<{uri}>", sdp)
lines = final()
value = lambda name: next(l for l in lines if l.startswith(name + ":"))[len(name) + 2:]
if lines[0].startswith("SIP/2.0 200"):
    to, target = value("To"), value("Contact").strip("<>")
    say("ACK", target, 1, to)
    say("BYE", target, 2, to)
    final()
PYTHON
mkfifo "$dir/fake.in"
"$build/tests/tools/fake-dataplane" "$dir/config.json" <"$dir/fake.in" >"$dir/fake.out" 2>&1 &
pids[fake]=$!
exec 7>"$dir/fake.in"
ip netns exec $ns kamailio -f "$dir/kamailio.cfg" -DD -E -Y "$dir" -w "$dir" -m 32 -M 8 >"$dir/kamailio.log" 2>&1 7>&- &
pids[kamailio]=$!
for _ in $(seq 200); do [ -n "$(inside ss -Hlnt "src 127.0.2.20:5061")" ] && break; sleep 0.05; done
ip netns exec $ns "$build/control/trunkline-control" --config "$dir/config.json" 2>"$dir/control.log" 7>&- &
pids[control]=$!
for _ in $(seq 200); do grep -q 'dataplane: connected' "$dir/control.log" && break; sleep 0.05; done

call() { inside timeout 20 python3 "$dir/caller.py" "$@" >"$dir/answers" 2>&1; }
saw() { # TITLE PATTERN FILE
    for _ in $(seq 60); do grep -Eq -- "$2" "$3" && { ok "$1"; return; }; sleep 0.05; done
    bad "$1"
    tail -n 20 "$3" | sed 's/^/     /'
}
count() { inside "$build/tools/ctl/trunklinectl" --socket "$ctl_socket" --json status | jq ".calls.$1"; }
expect() { if [ "$2" = "$3" ]; then ok "$1"; else bad "$1: $2 and not $3"; fi; }

saw "OPTIONS to a trunk of uri_scheme sips" 'request OPTIONS sips:127.0.2.20:5061 from sips:127.0.1.1 contact <sips:127.0.1.1:5061> by tls' "$dir/kamailio.log"
call 127.0.1.10 "$c" sips:1234@127.0.1.1 sips:1@127.0.1.10:5061
saw "a sips: call is answered with a sips: Contact" '^Contact: <sips:1234@127\.0\.1\.1:5061>' "$dir/answers"
saw "its INVITE passes by the trunk without TLS, as sips:" 'request INVITE sips:1234@127.0.2.20:5061 from sips:1@127.0.1.1 contact <sips:1@127.0.1.1:5061> by tls' "$dir/kamailio.log"
saw "its ACK goes to the sips: Contact" 'request ACK sips:k@127.0.2.20:5061 .*by tls' "$dir/kamailio.log"
saw "so does its BYE" 'request BYE sips:k@127.0.2.20:5061 .*by tls' "$dir/kamailio.log"
call 127.0.1.10 "$c" sips:2234@127.0.1.1 sips:1@127.0.1.10:5061
saw "no trunk with TLS: 480" '^SIP/2.0 480' "$dir/answers"
saw "... with warn-code 380" '^Warning: 380 127\.0\.1\.1 "SIPS Not Allowed"' "$dir/answers"
expect "... and it is counted" "$(count sips_without_trunk)" 1
call 127.0.1.20 "" sips:1234@127.0.1.1 sips:1@127.0.1.20:5060
saw "a sips: URI over UDP: 480" '^Warning: 380 127\.0\.1\.1 "SIPS Not Allowed"' "$dir/answers"
expect "... and it is counted" "$(count sips_in_clear)" 1
call 127.0.1.10 "$c" sips:1234@127.0.1.1 'sip:1@127.0.1.10:5061;transport=tls'
saw "sips: with a sip: Contact: 400" '^SIP/2.0 400' "$dir/answers"
expect "nothing is left" "$(count active)" 0
inside "$build/tools/ctl/trunklinectl" --socket "$ctl_socket" route test --from 1 --to sips:1234@x --trunk caller >"$dir/route" 2>&1
saw "route test says who is passed by" 'plain .*the call is sips:, and it has no peer over TLS' "$dir/route"
finish
