# SPDX-License-Identifier: BSD-3-Clause
# Kamailio as a proxy that forks and stays in the way of every request of a dialog. To be sourced after calls.sh.
# User agents stand behind it on loopback addresses, so it writes two Record-Routes, one for each of its networks.
# shellcheck shell=bash

# kamailio_start peer|core NAME: the proxy of that side on ports 5060 and 5062 of its address and of 127.0.0.1. What comes from
# 127.0.0.1 goes to the gateway. What comes from the gateway goes to 127.0.0.1, to a port for each digit behind the '*' of
# the called number: *13 rings at 5071 and 5073 at once. Where the number's first digit (peer) or second (core) is 1, an
# INVITE gets one Record-Route with NAME in it, else two with addresses. Every message is a line in kamailio-SIDE.out:
#   request METHOD FROM-ADDRESS REQUEST-URI | ROUTE | TO        reply STATUS METHOD FROM-ADDRESS | RECORD-ROUTE | TO
kamailio_start() {
    local side=$1 name=$2 ns=$TOPO_CORE_NS ip=$TOPO_CORE_IP gateway=$TOPO_CORE_SIP_IP modules
    local digit=1
    if [ "$side" = peer ]; then ns=$TOPO_PEER_NS ip=$TOPO_PEER_IP gateway=$TOPO_PEER_SIP_IP digit=0; fi
    modules=$(find /usr/lib -type d -path '*/kamailio/modules' 2>/dev/null | head -n 1)
    cat >"$E2E_WORK/kamailio-$side.cfg" <<CONFIG
#!KAMAILIO
debug=2
log_stderror=yes
fork=yes
children=1
disable_tcp=yes
auto_aliases=no
mhomed=1
listen=udp:$ip:5060
listen=udp:$ip:5062
listen=udp:127.0.0.1:5060
alias="$name"
mpath="$modules/"
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "xlog.so"
loadmodule "textops.so"
loadmodule "siputils.so"
loadmodule "corex.so"
loadmodule "maxfwd.so"
modparam("rr", "append_fromtag", 0)
modparam("rr", "enable_full_lr", $([ "$side" = peer ] && echo 1 || echo 0))

request_route {
    xlog("L_WARN", "request \$rm \$si:\$sp \$ru | \$(hdr(Route)[*]) | \$tt |\n");
    if (!mf_process_maxfwd_header("10")) {
        sl_send_reply("483", "Too Many Hops");
        exit;
    }
    if (is_method("CANCEL")) {
        if (t_check_trans()) t_relay();
        exit;
    }
    if (has_totag()) {
        if (loose_route()) {
            t_relay();
            exit;
        }
        if (is_method("ACK")) {
            if (t_check_trans()) t_relay(); # to a refusal
            exit;
        }
        xlog("L_WARN", "astray \$rm \$ru\n");
        sl_send_reply("404", "Not Here");
        exit;
    }
    if (is_method("INVITE")) {
        if (\$(rU{s.substr,$digit,1}) == "1")
            record_route_preset("$name");
        else
            record_route();
    }
    t_on_reply("ANSWERS");
    if (\$si == "127.0.0.1") {
        \$du = "sip:$gateway:5060";
        t_relay();
        exit;
    }
    \$var(i) = 0;
    \$var(digits) = \$(rU{s.select,1,*});
    while (\$var(i) < \$(var(digits){s.len})) {
        \$var(to) = "sip:" + \$rU + "@127.0.0.1:507" + \$(var(digits){s.substr,\$var(i),1});
        if (\$var(i) == 0)
            \$ru = \$var(to);
        else
            append_branch(\$var(to));
        \$var(i) = \$var(i) + 1;
    }
    t_relay();
}

onreply_route[ANSWERS] {
    xlog("L_WARN", "reply \$rs \$rm \$si:\$sp | \$(hdr(Record-Route)[*]) | \$tt |\n");
}
CONFIG
    party "$ns" "kamailio-$side" kamailio -DD -E -Y "$E2E_WORK" -P "$E2E_WORK/kamailio-$side.pid" -f "$E2E_WORK/kamailio-$side.cfg"
    wait_for 10 listens "$ns" "$ip:5062"
}
