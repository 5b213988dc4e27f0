#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Ours against rtpengine and testpmd, one after the other between the same two namespaces over the same veth pairs: highest
# lossless rate, and CPU time per packet at equal rates. docs/performance.md has the method. Needs root; tools/bench.sh --peers
# calls it.
#   tools/bench/peers.sh [--quick] [--json FILE] [--bench JSON] [--rounds N] [--ms N] [--calls N] [--limit SECONDS] [--arms NAMES]
#                        [--ceiling PACKETS/S] [--verbose]
# --bench takes the JSON that tools/bench.sh wrote, for the engine's own cycles; --limit ends the run early, with what it has.
set -u
cd "$(dirname "$0")/../.." || exit 1
options=() build=${TRUNKLINE_BUILD:-$PWD/build}
while [ $# -gt 0 ]; do
    case $1 in
    -h | --help) sed -n '3,8s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --verbose) options+=(--verbose) ;;
    --quick) options+=(--quick --rounds 2 --ms 300 --calls 100 --limit 180) ;;
    --rounds | --ms | --calls | --limit | --arms | --ceiling | --bench | --json) options+=("$1" "${2:?}") && shift ;;
    *) echo "peers: unknown option $1 (see --help)" >&2; exit 2 ;;
    esac
    shift
done
for program in rtpengine dpdk-testpmd python3 taskset stdbuf jq iptables; do
    command -v "$program" >/dev/null || { echo "peers: there is no $program here: run tools/setup.sh test" >&2; exit 1; }
done
for program in dataplane/trunkline-dataplane tools/bench/peers/blast tools/bench/peers/relay_calls; do
    [ -x "$build/$program" ] || { echo "peers: $build/$program is not there: build first" >&2; exit 1; }
done
[ "$(nproc)" -ge 2 ] || { echo "peers: needs two cores, one for the traffic and one for the gateway" >&2; exit 1; }

# shellcheck source=tools/lib/topology.sh
. tools/lib/topology.sh
work=$(mktemp -d /tmp/tl-peers.XXXXXX)
runner= started=
cleanup() {
    trap - EXIT INT TERM
    if [ -n "$runner" ]; then
        kill -TERM "$runner" 2>/dev/null
        wait "$runner" 2>/dev/null
    fi
    topo_down # ends what still runs in the namespaces
    [ -z "$started" ] || rmdir "/var/run/dpdk/tl-peers-$started" 2>/dev/null # of a dataplane that could not end in order
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
topo_up || exit 1

# One more pair joins the two parties directly: what the traffic costs without a gateway.
direct() {
    local peer_ip=10.99.3.10 core_ip=10.99.3.20
    ip link add direct0 netns "$TOPO_PEER_NS" type veth peer name direct1 netns "$TOPO_CORE_NS" &&
        ip -n "$TOPO_PEER_NS" addr add $peer_ip/24 dev direct0 && ip -n "$TOPO_PEER_NS" link set direct0 up &&
        ip -n "$TOPO_CORE_NS" addr add $core_ip/24 dev direct1 && ip -n "$TOPO_CORE_NS" link set direct1 up || return 1
    export DIRECT_PEER_IF=direct0 DIRECT_CORE_IF=direct1 DIRECT_PEER_IP=$peer_ip DIRECT_CORE_IP=$core_ip
}
mac() { ip -n "$1" -j link show dev "$2" | jq -r '.[0].address'; } # NAMESPACE INTERFACE
direct || exit 1
for ns in "$TOPO_PEER_NS" "$TOPO_CORE_NS"; do
    # the parties' packets are taken before the kernel's IP, which has no use for them
    topo_run_in "$ns" iptables -w -t raw -A PREROUTING -p udp -j DROP || exit 1
done
PEER_MAC=$(mac "$TOPO_PEER_NS" $TOPO_PEER_IF) CORE_MAC=$(mac "$TOPO_CORE_NS" $TOPO_CORE_IF)
GW_PEER_MAC=$(mac "$TOPO_GW_NS" $TOPO_GW_PEER_IF) GW_CORE_MAC=$(mac "$TOPO_GW_NS" $TOPO_GW_CORE_IF)
DIRECT_PEER_MAC=$(mac "$TOPO_PEER_NS" direct0) DIRECT_CORE_MAC=$(mac "$TOPO_CORE_NS" direct1)
export PEER_MAC CORE_MAC GW_PEER_MAC GW_CORE_MAC DIRECT_PEER_MAC DIRECT_CORE_MAC
export "${!TOPO_@}"

export PYTHONDONTWRITEBYTECODE=1
ip netns exec "$TOPO_GW_NS" python3 tools/bench/peers/run.py "${options[@]}" --build "$build" --work "$work" &
runner=$! started=$!
wait "$runner"
status=$?
runner=
exit $status
