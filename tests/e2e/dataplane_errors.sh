#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# What keeps the dataplane from running: one sentence that says what to do, and the exit status. Nothing is left behind.
. "$(dirname "$0")/lib/e2e.sh"
export XDG_RUNTIME_DIR=$E2E_WORK # where DPDK of an ordinary user keeps its things
chmod 755 "$E2E_WORK"

# refused TITLE STATUS WORDS COMMAND...: ends with that status within 10 s, in one line on stderr that has the words; DPDK's
# own lines above it do not count
refused() {
    local title=$1 want=$2 words=$3 status=0 lines
    shift 3
    timeout 10 "$@" >"$E2E_WORK/out" 2>"$E2E_WORK/err" </dev/null || status=$?
    lines=$(grep -cv '^EAL: ' "$E2E_WORK/err")
    if [ $status = "$want" ] && [ "$lines" = 1 ] && tail -n 1 "$E2E_WORK/err" | grep -qF -- "$words" && [ ! -s "$E2E_WORK/out" ]; then
        pass "$title: $(tail -n 1 "$E2E_WORK/err" | sed "s|$E2E_WORK/||g")"
    else
        fail "$title: status $status, $lines lines, expected status $want and \"$words\""
        sed 's/^/     /' "$E2E_WORK/err" "$E2E_WORK/out"
    fi
}
D=$E2E_DATAPLANE C=$E2E_WORK/config.json
# change PROGRAM: the configuration with that change, on devices that need nothing
change() {
    dataplane_config "$C" '.dataplane.worker_cores = [0] | .dataplane.mbufs = 4096 | .dataplane.memory_mb = 64 |
        .dataplane.ports[0].device = "net_null0" | .dataplane.ports[1].device = "net_null1" |'"$1"
}

# ---- command line and file
refused "no option" 2 "--config FILE is missing" "$D"
refused "unknown option" 2 "unrecognized option '--frobnicate'" "$D" --frobnicate
refused "extra argument" 2 "no argument is known by the name extra" "$D" --config x extra
refused "no such file" 2 "nothere.json" "$D" --config "$E2E_WORK/nothere.json"
refused "a folder" 2 "$E2E_WORK" "$D" --config "$E2E_WORK"
echo '{"dataplane": {' >"$C"
refused "bad JSON" 2 "config.json:2:" "$D" --config "$C"
: >"$C"
refused "an empty file" 2 "config.json" "$D" --config "$C"
change '.dataplane.workers = 3'
refused "unknown key" 2 "dataplane.workers" "$D" --config "$C"
refused "unknown key, only checked" 2 "dataplane.workers" "$D" --check --config "$C"
change '.'
check "--check of a right file" sh -c "'$D' --check --config '$C' | grep -q 'ok$'"
check "--version" sh -c "'$D' --version | grep -q '^trunkline-dataplane [0-9]'"
check "--help" sh -c "'$D' --help | grep -q '^usage: trunkline-dataplane'"

# ---- the machine
change '.dataplane.worker_cores = [97]'
refused "a core that is not there" 1 "dataplane.worker_cores[0]: there is no core 97" "$D" --config "$C"
change '.'
refused "a core that it may not use" 1 "there is no core 0 for this process" taskset -c 1 "$D" --config "$C"
change '.dataplane.ports[0].device = "net_af_packet0,iface=nosuchif"'
refused "an interface that is not there" 1 "port peer: there is no interface nosuchif" "$D" --config "$C"
change '.dataplane.ports[0].device = "net_af_packet0,qpairs=1"'
refused "no interface" 1 "names no interface: add iface=NAME" "$D" --config "$C"
change '.dataplane.ports[0].device = "net_nothing0"'
refused "a driver that is not there" 1 "DPDK did not start" "$D" --config "$C"
change '.dataplane.huge_pages = true | .dataplane.ports[0].device = "0000:ff:1f.7"'
refused "a PCI device that is not there" 1 "port peer: there is no PCI device 0000:ff:1f.7" "$D" --config "$C"
change '.dataplane.huge_pages = true | .dataplane.mbufs = 8388607'
refused "too few huge pages" 1 "to vm.nr_hugepages (sysctl -w), or set dataplane.huge_pages to false" "$D" --config "$C"
change '.dataplane.memory_mb = 1048576'
refused "more memory than there is" 1 "dataplane.memory_mb is 1048576, but the machine has" "$D" --config "$C"
change '.dataplane.socket = "/proc/nosuchfolder/dataplane.sock"'
refused "a folder that cannot be" 1 "/proc/nosuchfolder/dataplane.sock" "$D" --config "$C"

# ---- rights, and the interface's state
if [ "$(id -u)" = 0 ] && topo_up 2>"$E2E_WORK/topo"; then
    in_gw="ip netns exec $TOPO_GW_NS"
    chmod 755 "$E2E_WORK"
    nobody="setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all"
    change '.dataplane.ports[0].device = "net_af_packet0,iface='$TOPO_GW_PEER_IF'" | .realms[0].address = "10.99.1.2/24"'
    install -m 755 "$D" "$E2E_WORK/dataplane" # the source tree may be a folder that nobody else can read
    # shellcheck disable=SC2086
    refused "no rights" 1 "port peer: no right to take packets from interface $TOPO_GW_PEER_IF: start it as root" \
        $in_gw $nobody "$E2E_WORK/dataplane" --config "$C"
    ip -n "$TOPO_GW_NS" link set "$TOPO_GW_PEER_IF" down
    # shellcheck disable=SC2086
    refused "an interface that is down" 1 "interface $TOPO_GW_PEER_IF is down: ip link set $TOPO_GW_PEER_IF up" $in_gw "$D" --config "$C"
    ip -n "$TOPO_GW_NS" link set "$TOPO_GW_PEER_IF" up

    # what will disturb media is said, but is no reason not to run
    topo_run_in "$TOPO_GW_NS" sh -c "echo 1 >/proc/sys/net/ipv4/conf/$TOPO_GW_PEER_IF/forwarding"
    dataplane_config "$C" '.dataplane.worker_cores = [0] | .realms[1].address = "'$TOPO_CORE_SIP_IP'/24" |
        .listeners[1].address = "10.99.2.3:5060"'
    check "runs beside a kernel that forwards" dataplane_start "$C"
    check "but says so" grep -q "warning: port peer: the kernel forwards on $TOPO_GW_PEER_IF" "$E2E_WORK/dataplane.log"
    check "and that the kernel has a media address" grep -q "ip addr del $TOPO_CORE_SIP_IP dev $TOPO_GW_CORE_IF" "$E2E_WORK/dataplane.log"
    check "ends in order" dataplane_stop
    topo_run_in "$TOPO_GW_NS" sh -c "echo 0 >/proc/sys/net/ipv4/conf/$TOPO_GW_PEER_IF/forwarding"
    dataplane_config "$C"
    check "runs as it should be" dataplane_start "$C"
    check "and warns of nothing" sh -c "! grep warning '$E2E_WORK/dataplane.log'"
    check "ends in order" dataplane_stop

    # a second one on the same socket, and on the socket that a killed one left
    change '.'
    check "one runs" dataplane_start "$C"
    # shellcheck disable=SC2086
    refused "another is there already" 1 "dataplane.sock" $in_gw "$D" --config "$C"
    dataplane_kill
    check "the killed one's socket is still there" test -S "$E2E_WORK/dataplane.sock"
    check "and in nobody's way" dataplane_start "$C"
    for signal in INT TERM; do
        # ends in order, and again from the start
        kill -$signal "$dataplane_pid"
        wait "$dataplane_pid"
        status=$?
        dataplane_pid=
        [ $status = 0 ] || { echo "     SIG$signal: exit status $status"; tail -n 3 "$E2E_WORK/dataplane.log"; }
        check "SIG$signal: exit status 0" test $status = 0
        check "SIG$signal: says so last" grep -q ': ended$' <(tail -n 1 "$E2E_WORK/dataplane.log")
        [ $signal = TERM ] || dataplane_start "$C"
    done
    check "no socket is left" test ! -e "$E2E_WORK/dataplane.sock"
    dataplane_config "$C" '.dataplane.socket = "'"$E2E_WORK"'/new/dataplane.sock" | .dataplane.worker_cores = [0]'
    check "makes the socket's folder" dataplane_start "$C"
    check "with the socket in it" test -S "$E2E_WORK/new/dataplane.sock"
    check "ends in order" dataplane_stop
else
    skip "rights and interfaces: namespaces cannot be made here"
fi
check "no runtime folder is left" sh -c "! ls -d /var/run/dpdk/tl-e2e-$$ 2>/dev/null"
e2e_end
