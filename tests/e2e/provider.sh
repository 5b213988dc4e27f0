#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# A provider with registration: Kamailio as registrar and as a proxy that challenges every request. The gateway registers as
# docs/examples/provider-registration.json has it, is told to ask for more time (423), calls out through challenges with
# fresh, kept and stale nonces, is called at the contact that it registered, and takes it back when it ends.
. "$(dirname "$0")/lib/calls.sh"
calls_need sipp kamailio python3
calls_begin

password=zanzibar-7f3a9c
provider=provider.example
(umask 077 && echo "$password" >"$E2E_WORK/password")
example=$(jq -c '.trunks[] | select(.name == "provider") | {credentials, register, trusted}' docs/examples/provider-registration.json)
calls_config "
    .trunks[1] += $example
    | .trunks[1].credentials[0].password_file = \"$E2E_WORK/password\"
    | .trunks[1].register[0].expires_s = 60"

# ---- the provider -----------------------------------------------------------------------------------------

kamailio_provider() {
    local modules
    modules=$(find /usr/lib -type d -path '*/kamailio/modules' 2>/dev/null | head -n 1)
    cat >"$E2E_WORK/provider.cfg" <<CONFIG
#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=1
disable_tcp=yes
auto_aliases=no
listen=udp:$TOPO_CORE_IP:5060
alias="$provider"
mpath="$modules/"
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "xlog.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "usrloc.so"
loadmodule "registrar.so"
loadmodule "auth.so"
modparam("auth", "algorithm", "SHA-256")
modparam("auth", "qop", "auth")
modparam("auth", "nonce_count", 1)
modparam("auth", "nonce_expire", 3)
modparam("usrloc", "db_mode", 0)

request_route {
    if (is_method("CANCEL")) {
        if (t_check_trans()) t_relay();
        exit;
    }
    if (is_method("ACK")) {
        if (has_totag() && loose_route()) {
            xlog("L_WARN", "ack with \$hdr(Proxy-Authorization)|\n");
            remove_hf("Proxy-Authorization");
            t_relay();
        } else if (t_check_trans())
            t_relay();
        exit;
    }
    if (is_method("REGISTER")) {
        pv_www_authenticate("$provider", "$password", "0");
        \$var(rc) = \$rc;
        xlog("L_WARN", "register \$var(rc) \$ct expires \$hdr(Expires)|\n");
        if (\$var(rc) < 0) {
            www_challenge("$provider", "1");
            exit;
        }
        if (\$hdr(Expires) != "0" && \$(hdr(Expires){s.int}) < 120) {
            append_to_reply("Min-Expires: 120\r\n");
            sl_send_reply("423", "Interval Too Brief");
            exit;
        }
        save("location");
        exit;
    }
    if (\$si == "$TOPO_CORE_SIP_IP") {
        pv_proxy_authenticate("$provider", "$password", "0");
        \$var(rc) = \$rc;
        xlog("L_WARN", "from us \$rm \$var(rc) \$hdr(Proxy-Authorization)|\n");
        if (\$var(rc) < 0) {
            proxy_challenge("$provider", "1");
            exit;
        }
        consume_credentials();
    }
    if (has_totag()) {
        loose_route();
        t_relay();
        exit;
    }
    record_route();
    if (\$si == "$TOPO_CORE_SIP_IP")
        \$du = "sip:$TOPO_CORE_IP:5071";
    else if (!lookup("location")) {
        sl_send_reply("404", "Not Registered");
        exit;
    }
    t_relay();
}
CONFIG
    party "$TOPO_CORE_NS" provider kamailio -DD -E -Y "$E2E_WORK" -P "$E2E_WORK/provider.pid" -f "$E2E_WORK/provider.cfg"
    wait_for 10 listens "$TOPO_CORE_NS" "$TOPO_CORE_IP:5060"
}

mark() { mark=$(wc -l <"$E2E_WORK/provider.out"); }
seen() { # PATTERN [N]: that many lines since mark (one or more)
    local n
    n=$(tail -n +$((mark + 1)) "$E2E_WORK/provider.out" | grep -Ec -- "$1")
    { [ -n "${2-}" ] && [ "$n" = "$2" ]; } || { [ -z "${2-}" ] && [ "$n" -gt 0 ]; } && return 0
    echo "$n of: $1"
    tail -n +$((mark + 1)) "$E2E_WORK/provider.out" | grep -Eo '(register|from us|ack with) .*'
    return 1
}
registration() { gateway_ctl --json trunks | jq -e ".trunks[] | select(.name == \"core\") | .registrations[0] | $1" >/dev/null; }

mark=0
check "a password that others may read keeps control from starting" eval '
    chmod 644 "$E2E_WORK/password"
    ip netns exec "$TOPO_GW_NS" "$E2E_BUILD/control/trunkline-control" --config "$E2E_WORK/config.json" 2>"$E2E_WORK/refused"
    [ $? = 1 ] && grep -q "trunk core: its password .*can be used by its group or by others (mode 0644)" "$E2E_WORK/refused"
    ok=$?
    chmod 600 "$E2E_WORK/password"
    [ $ok = 0 ]'
check "the provider starts" kamailio_provider || e2e_end
gateway_up
check "the gateway is registered" wait_for 10 registration '.state == "registered"'
check "for the time that 423 asked for" registration '.asked_seconds == 120 and .holds_seconds > 100 and .holds_seconds <= 120'
check "its REGISTERs: one without credentials, then one that was too brief, then the right one" eval '
    seen "register -[0-9]+ .*expires 60" 1 && seen "register 1 .*expires 60" 1 && seen "register 1 .*expires 120" 1'
check "trunklinectl registrations shows it" eval 'gateway_ctl registrations | grep -E "core +sip:4930123@provider.example +registered"'

# ---- calls out ------------------------------------------------------------------------------------------------

# The phones behind the provider write its Record-Route into their answers.
for scenario in uas_hold uas_call; do
    sed 's/^\[last_Via:\]/&\n[last_Record-Route:]/' "$E2E_ROOT/tests/e2e/sipp/$scenario.xml" >"$E2E_WORK/$scenario.xml"
done
call_out() { # TITLE KIND
    party "$TOPO_CORE_NS" phone sipp -sf "$E2E_WORK/uas_$2.xml" -i "$TOPO_CORE_IP" -p 5071 -mp 6100 -m 1 -nostdin -timeout 30 \
        -trace_err -error_file "$E2E_WORK/phone.errors" -trace_msg -message_file "$E2E_WORK/phone.messages"
    local phone=$party_pid
    wait_for 5 listens "$TOPO_CORE_NS" "$TOPO_CORE_IP:5071" || return 1
    sipp_run "$TOPO_PEER_NS" caller "uac_$2" -i "$TOPO_PEER_IP" -p 5060 -mp 6000 -m 1 -s +49301234 -timeout 30 "$TOPO_PEER_SIP_IP:5060"
    sipp_done "$party_pid" caller 20 && sipp_done $phone phone 20
}
mark
check "a call goes out, is held and resumed" call_out first hold
check "its INVITE was challenged once" seen 'from us INVITE -5 ' 1
check "all that followed had the nonce, counted" eval 'seen "from us INVITE 1 " 3 && seen "from us BYE 1 " 1 && seen "from us BYE 1 .*nc=00000004"'
check "each ACK has its INVITE's credentials" eval '
    seen "ack with Digest .*nc=00000001" && seen "ack with Digest .*nc=00000002" && seen "ack with Digest .*nc=00000003"'
check "the phone saw none of them" eval '! grep -a Authorization "$E2E_WORK/phone.messages"'
check "nor did the caller see the challenge" eval '! grep -aE "^(Proxy|WWW)-Authenticate|^SIP/2.0 4" "$E2E_WORK/caller.messages"'
mark
sleep 4
check "a call with a nonce that is too old by now" call_out stale call
check "was told so, and came again with the new one" eval 'seen "from us INVITE -[46] " 1 && seen "from us INVITE 1 .*nc=00000001" 1'
check "nothing was challenged in vain" eval '[ "$(gateway_ctl --json status | jq .sip.challenged_in_vain)" = 0 ]'

# ---- a call in ------------------------------------------------------------------------------------------------

call_in() {
    sipp_run "$TOPO_PEER_NS" callee uas_call -i "$TOPO_PEER_IP" -p 5060 -mp 6000 -m 1 -timeout 30
    local callee=$party_pid
    wait_for 5 listens "$TOPO_PEER_NS" "$TOPO_PEER_IP:5060" || return 1
    sipp_run "$TOPO_CORE_NS" outside uac_call -i "$TOPO_CORE_IP" -p 5072 -mp 6200 -m 1 -s 4930123 -timeout 30 "$TOPO_CORE_IP:5060"
    sipp_done "$party_pid" outside 20 && sipp_done $callee callee 20
}
check "the provider calls us at the contact that we registered" call_in
check "no call and no session is left" calls_none

# ---- secrets, and the end -----------------------------------------------------------------------------------------

check "the password is in no log" eval '! grep -a "$password" "$E2E_WORK"/control.log "$E2E_WORK"/dataplane.log'
cat >"$E2E_WORK/search.py" <<'PYTHON'
import re, sys
pid, secret = sys.argv[1], sys.argv[2].encode()
looked = 0
with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb") as mem:
    for line in maps:
        m = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
        if not m:
            continue
        first, end = int(m[1], 16), int(m[2], 16)
        try:
            mem.seek(first)
            data = mem.read(end - first)
        except (OSError, ValueError):
            continue
        looked += len(data)
        if secret in data:
            sys.exit(f"found at {first:x} + {data.index(secret):x}")
sys.exit(0 if looked > 1 << 20 else f"only {looked} bytes were looked at")
PYTHON
check "and nowhere in control's memory" python3 "$E2E_WORK/search.py" "$gateway_control_pid" "$password"
mark
gateway_down
check "its contact was taken back" seen 'register 1 .*expires 0' 1
e2e_end
