#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Memory: the dataplane with 100,000 calls, plain and SRTP, over ten media addresses. What it says that it takes is what the
# kernel says of its process, and a direction costs no more than it may. Without huge pages, and with them where enough are free.
. "$(dirname "$0")/lib/e2e.sh"
C=$E2E_WORK/config.json
REALMS=10

# config HUGE CALLS: no port needs anything of the machine, none receives
config() {
    dataplane_config "$C" '.dataplane.worker_cores = [0] | .dataplane.mbufs = 8191 | .dataplane.memory_mb = 700
        | .dataplane.huge_pages = '"$1"' | .dataplane.max_sessions = '"$2"'
        | .dataplane.ports[0].device = "net_null0,no-rx=1" | .dataplane.ports[1].device = "net_null1,no-rx=1"
        | .realms = [range('$REALMS') | {name: "r\(.)", port: (if . % 2 == 0 then "peer" else "core" end),
            address: "10.50.\(.).2/24", rtp_ports: [1024, 65535]}]
        | .trunks[0].realm = "r0" | .trunks[1].realm = "r1"'
}

start() {
    local tries
    : >"$E2E_WORK/dataplane.log"
    "$E2E_DATAPLANE" --config "$C" >>"$E2E_WORK/dataplane.log" 2>&1 </dev/null &
    dataplane_pid=$!
    for ((tries = 0; tries < 150; tries++)); do
        grep -q ': version .* control at ' "$E2E_WORK/dataplane.log" && return 0
        kill -0 "$dataplane_pid" 2>/dev/null || break
        sleep 0.1
    done
    cat "$E2E_WORK/dataplane.log"
    dataplane_kill
    return 1
}

# filled TITLE HUGE CALLS PLAIN CM GCM
filled() {
    local title=$1 huge=()
    [ "$2" = true ] && huge=(--huge)
    config "$2" "$3"
    check "$title: it starts" start || return
    grep 'memory' "$E2E_WORK/dataplane.log" | sed 's/^/     /'
    e2e_count "$title" timeout 120 "$E2E_BUILD/tests/tools/fill_sessions" --socket "$E2E_WORK/dataplane.sock" \
        --pid "$dataplane_pid" --realms $REALMS --plain "$4" --cm "$5" --gcm "$6" "${huge[@]}"
    check "$title: it says what it takes at its start" grep -q 'memory: [1-9][0-9]* MiB (the kernel says [1-9]' "$E2E_WORK/dataplane.log"
    check "$title: it ends in order" dataplane_stop
}

filled "100,000 calls" false 100000 60000 25000 15000
free=$(awk '/HugePages_Free/ {print $2 * 2}' /proc/meminfo)
if [ "$(id -u)" = 0 ] && [ "$(awk '/Hugepagesize/ {print $2}' /proc/meminfo)" = 2048 ] && [ "$free" -ge 600 ]; then
    filled "with huge pages" true 100000 60000 25000 15000
else
    skip "with huge pages: $free MiB are free, 600 are needed (and root)"
fi
e2e_end
