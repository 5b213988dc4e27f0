#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# docs/examples: each file is right without a warning, its routes lead where its words say, and the two for UC platforms over
# TLS carry calls both ways, with media that is checked. For that only addresses, devices and certificates are changed.
# (Calls of the provider's example are in provider.sh, those of the demo in demo.sh.)
. "$(dirname "$0")/lib/calls.sh"
# shellcheck source=tests/e2e/lib/certificates.sh
. "$E2E_ROOT/tests/e2e/lib/certificates.sh"

ctl=$E2E_BUILD/tools/ctl/trunklinectl
quiet_check() { [ "$("$ctl" config check "$1" 2>&1 | tee /dev/stderr | wc -l)" = 1 ]; }
for file in docs/examples/*.json; do
    check "$(basename "$file") is right, without a warning" quiet_check "$file"
done
# leads EXAMPLE FROM-TRUNK CALLED FILTER: what route test says of the call
leads() { "$ctl" --config "docs/examples/$1.json" --json route test --offline --from +4989123 --to "$3" --trunk "$2" | tee /dev/stderr | jq -e "$4" >/dev/null; }
to() { echo "[.trunks[] | select(.place) | \"\\(.trunk) \\(.called.after)\"] == $1"; }
row() { check "$1: a call from $2 to $3" leads "$@"; }
row teams-direct-routing carrier +493055512 "$(to '["teams +493055512"]')"
row teams-direct-routing teams +4420123 "$(to '["carrier +4420123"]')"
row teams-direct-routing carrier +4420123 '.status == 403'
row skype-for-business carrier 03055512 "$(to '["mediation-1 +493055512", "mediation-2 +493055512"]')"
row skype-for-business mediation-2 +4989123 "$(to '["carrier 089123"]')"
row skype-for-business mediation-1 +49900123 '.status == 403 and .phrase == "Premium numbers are closed"'
row skype-for-business carrier 0044123 '.status == 403'
row ip-pbx-tcp carrier +49305554711 "$(to '["pbx 4711"]')"
row ip-pbx-tcp pbx 0555123 "$(to '["carrier +4930555123"]')"
row provider-by-address uc 0044123 "$(to '["provider-1 0044123", "provider-2 0044123"]')"
row provider-by-address provider-1 030555123 "$(to '["uc +4930555123"]')"
row bare-metal uc-1 +44123 "$(to '["carrier-b +44123", "carrier-a +44123"]')"
row bare-metal carrier-a +4930123 "$(to '["uc-1 +4930123", "uc-2 +4930123"]')"

# ---- calls
calls_need openssl
calls_begin
make_ca "$E2E_WORK" ca || e2e_skip "openssl makes no certificates here"

# example NAME CORE-TRUNK SUBJECT: that example here, its first carrier on the peer's side, CORE-TRUNK on the other
example() {
    calls_config
    jq --slurpfile here "$E2E_WORK/config.json" --arg core "$2" --arg dir "$E2E_WORK" --arg peer_sip $TOPO_PEER_SIP_IP --arg core_sip $TOPO_CORE_SIP_IP \
        --arg peer $TOPO_PEER_IP --arg party $TOPO_CORE_IP '
        .dataplane = $here[0].dataplane | .control.socket = $here[0].control.socket
        | .realms |= map(if .side == "core" then {name, side} + ($here[0].realms[1] | {port, address}) else {name} + ($here[0].realms[0] | {port, address}) end)
        | .listeners |= map(if .tls then .address = "\($core_sip):5061" | .tls = {certificate: "\($dir)/gateway.pem", key: "\($dir)/gateway.key", ca: "\($dir)/ca.pem"}
            else .address = "\($peer_sip):5060" end)
        | .trunks |= map(if .name == $core then del(.peers) | .peer = "\($party):5061" elif .name == "carrier" then .peer = "\($peer):5060" else . end
            | if .profile then .options_interval_s = 0 else . end)
        | .profiles[] |= (.mki = "none" | del(.domain)) # the load generator has no key identifiers and resolves no names' "docs/examples/$1.json" >"$E2E_WORK/example.json" &&
        mv "$E2E_WORK/example.json" "$E2E_WORK/config.json" && make_certificate "$E2E_WORK" gateway ca "DNS:$3"
}
# carries NAME CORE-TRUNK OUR-NAME THEIR-NAME NUMBER-TO-CORE NUMBER-TO-CARRIER
carries() {
    check "$1: here" example "$1" "$2" "$3" || return
    check "$1: a certificate of the peer" make_certificate "$E2E_WORK" party ca "DNS:$4" || return
    cat "$E2E_WORK/party.key" >>"$E2E_WORK/party.pem"
    gateway_up "$1: both daemons start"
    rm -f "$E2E_WORK"/{peer,core}.json
    generator core AES_CM_128_HMAC_SHA1_80 --transport tls --target $TOPO_CORE_SIP_IP:5061 --certificate "$E2E_WORK/party.pem" --ca "$E2E_WORK/ca.pem" \
        --number "$6" --calls 4 --expect-calls 4 --start-after 1 --seconds 3
    generator peer off --number "$5" --calls 4 --expect-calls 4 --start-after 1 --seconds 3
    check "$1: four calls from the platform, and four to it" party_ended "$generator_core" 30
    check "$1: the carrier's side says so, too" party_ended "$generator_peer" 10
    check "$1: every packet was right" jq -es 'all(.good and .calls.completed == 4 and .calls.answered == 4)' "$E2E_WORK/peer.json" "$E2E_WORK/core.json"
    check "$1: nothing is left" calls_none
    calls_end_parties
    gateway_down
}
carries teams-direct-routing teams sbc.example.com sip.pstnhub.microsoft.com +4930555 +4989
carries skype-for-business mediation-1 gateway.example.com mediation1.example.com 030555 +4989
e2e_end
