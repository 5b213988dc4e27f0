#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Relay over AF_PACKET, kernel UDP on both sides: one worker; two workers that share queues which nobody steers; a
# dataplane that is killed under its sessions and started again.
. "$(dirname "$0")/lib/e2e.sh"
[ "$(id -u)" = 0 ] || e2e_skip "network namespaces need root"

topo_up || e2e_skip "network namespaces cannot be made here"
topo_count_media || fail "the kernel counts media"

dataplane_config "$E2E_WORK/one.json"
check "one worker starts" dataplane_start "$E2E_WORK/one.json" || e2e_end
e2e_count "one worker" drive --sessions 8 --packets 200
check "ends in order on SIGTERM" dataplane_stop
check "leaves no socket" test ! -e "$E2E_WORK/dataplane.sock"
check "leaves no runtime folder" test ! -e "/var/run/dpdk/tl-e2e-$$"
# 8 sessions, 200 RTP and 20 RTCP each; before the answer 5 from each side, and 14 that are refused
check "the kernels of both parties counted the same" jq -e '.peer.media_out == 1779 and .core.media_out == 1765
    and .peer.media_in == 1760 and .core.media_in == 1760 and .peer.other_in == 0 and .core.other_in == 0' \
    <(topo_media_counters)

# Two workers, and four queues whose packets the kernel spreads as it likes: about half meet the wrong worker.
dataplane_config "$E2E_WORK/two.json" '.dataplane.worker_cores = [0, 1] | .dataplane.ports[].device += ",qpairs=2"'
check "two workers start" dataplane_start "$E2E_WORK/two.json" || e2e_end
e2e_count "two workers" drive --sessions 16 --packets 100
check "packets were handed off" grep -Eq 'worker [01]: .* [1-9][0-9]* handed off' "$E2E_WORK/count"
check "ends in order on SIGTERM" dataplane_stop

# One queue for two workers: the second sends through the first.
dataplane_config "$E2E_WORK/shared.json" '.dataplane.worker_cores = [0, 1]'
check "two workers on one queue start" dataplane_start "$E2E_WORK/shared.json" || e2e_end
e2e_count "two workers on one queue" drive --sessions 16 --packets 100
check "ends in order on SIGTERM" dataplane_stop

# Packet memory in huge pages.
if [ $(($(sed -n 's/^HugePages_Free: *//p' /proc/meminfo) * $(sed -n 's/^Hugepagesize: *\([0-9]*\) kB/\1/p' /proc/meminfo))) -ge 131072 ]; then
    dataplane_config "$E2E_WORK/huge.json" '.dataplane.huge_pages = true'
    check "starts on huge pages" dataplane_start "$E2E_WORK/huge.json" || e2e_end
    e2e_count "huge pages" drive --sessions 4 --packets 50
    check "ends in order on SIGTERM" dataplane_stop
else
    skip "huge pages: less than 128 MB of them are free"
fi

# Killed under its sessions: the socket file stays behind and must not be in the way.
check "starts before it is killed" dataplane_start "$E2E_WORK/one.json" || e2e_end
rm -f "$E2E_WORK/count"
(
    # the second life: when the first one is dead
    for ((i = 0; i < 300; i++)); do
        grep -qs '^killed' "$E2E_WORK/count" && break
        sleep 0.1
    done
    exec ip netns exec "$TOPO_GW_NS" "$E2E_DATAPLANE" --config "$E2E_WORK/one.json" >"$E2E_WORK/second.log" 2>&1 </dev/null
) &
second=$!
e2e_count "killed" drive --sessions 4 --packets 100 --kill "$dataplane_pid"
wait "$dataplane_pid" 2>/dev/null
dataplane_pid=$second
check "ends in order on SIGTERM" dataplane_stop
e2e_end
