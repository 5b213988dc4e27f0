# SPDX-License-Identifier: BSD-3-Clause
# The demo's verdict. Input: {peer, core: reports of the load generators; before, after: counters of the dataplane's
# workers; net: {peer, core}: what each party's kernel counted; control: what the daemon says after the run}.
# Output: the summary object, and `problems`: a sentence for each thing that is not right.

def sum(f): map(f) | add // 0;
def delta($a; $b; f): (($a.workers | sum(f)) - ($b.workers | sum(f)));
def drops($a; $b):
    ($a.workers | map(.drops | to_entries) | add // [] | group_by(.key) | map({key: .[0].key, value: (map(.value) | add)}) | from_entries) as $x
    | ($b.workers | map(.drops | to_entries) | add // [] | group_by(.key) | map({key: .[0].key, value: (map(.value) | add)}) | from_entries) as $y
    | $x | with_entries(.value -= ($y[.key] // 0)) | with_entries(select(.value != 0));

# One direction: counted packets of every call, sent by one party, received by the other, call by call.
def direction($from; $to):
    ($to.per_call | map({key: (.label | tostring), value: .}) | from_entries) as $there
    | [$from.per_call[] | {sent, got: ($there[.label | tostring].received // 0)}] as $calls
    | {
        sent: ($calls | sum(.sent)),
        received: ($calls | sum(.got)),
        lost: ($calls | sum([.sent - .got, 0] | max)),
        reordered: $to.rtp.reordered,
        bad_auth: ($to.rtp.bad_auth + $to.rtcp.bad_auth),
        early: $to.rtp.early
      };

. as {$peer, $core, $before, $after, $net, $control, $calls}
| direction($core; $peer) as $c2p
| direction($peer; $core) as $p2c
| drops($after; $before) as $drops
| delta($after; $before; .tx) as $relayed
| ($drops | to_entries | map(select(.key != "not_ours") | .value) | add // 0) as $dropped
| delta($after; $before; .busy_cycles) as $cycles
| delta($after; $before; .busy_packets) as $packets
| ($net.peer.media_out + $net.core.media_out) as $kernel_in
| ($net.peer.media_in + $net.core.media_in) as $kernel_out
| ($peer.rtp.packets_sent + $core.rtp.packets_sent + $peer.rtcp.sent + $core.rtcp.sent) as $made
| {
    calls: {
        attempted: ($peer.calls.attempted + $core.calls.attempted),
        completed: ($peer.calls.completed + $core.calls.completed),
        failed: ($calls - $peer.calls.completed - $core.calls.completed)
    },
    rtp: {core_to_peer: $c2p, peer_to_core: $p2c},
    setup_ms: {
        p50: ([$peer, $core] | map(select(.calls.attempted > 0) | .setup_ms.p50) | max // 0),
        p99: ([$peer, $core] | map(select(.calls.attempted > 0) | .setup_ms.p99) | max // 0)
    },
    dataplane: {
        cycles_per_packet: (if $packets > 0 then ($cycles / $packets | round) else null end),
        drops: $drops
    },
    counts: {
        sent: {generators: $made, kernel: $kernel_in, dataplane: ($relayed + $dropped)},
        relayed: {dataplane: $relayed, kernel: $kernel_out, interfaces: ($net.peer.iface_in + $net.core.iface_in
            - $net.peer.other_in - $net.core.other_in)}
    },
    still_up: {peer: $peer.calls.still_up, core: $core.calls.still_up, gateway: $control.calls_live, dataplane: $control.sessions}
  }
| . + {problems: [
    (if .calls.completed != $calls then "\(.calls.failed) of \($calls) calls did not complete" else empty end),
    (if $peer.good then empty else "the peer side found fault: \($peer.failures[0:3] | map("call \(.call): \(.reason)") | join("; "))" end),
    (if $core.good then empty else "the core side found fault: \($core.failures[0:3] | map("call \(.call): \(.reason)") | join("; "))" end),
    (.rtp | to_entries[] | select(.value.sent != .value.received or .value.sent == 0)
        | "\(.key): \(.value.sent) RTP packets sent, \(.value.received) received"),
    (.rtp | to_entries[] | select(.value.reordered + .value.bad_auth > 0)
        | "\(.key): \(.value.reordered) reordered, \(.value.bad_auth) not authentic"),
    (.counts.sent | select(.generators != .kernel or .kernel != .dataplane)
        | "counts of media sent to the gateway differ: generators \(.generators), kernel \(.kernel), dataplane \(.dataplane)"),
    (.counts.relayed | select(.dataplane != .kernel or .kernel > .interfaces or .interfaces - .kernel > 200)
        | "counts of media sent by the gateway differ: dataplane \(.dataplane), kernel \(.kernel), interfaces \(.interfaces)"),
    (if [.still_up[]] | add == 0 then empty else "calls or sessions are still up at the end: \(.still_up)" end)
  ]}
| . + {ok: (.problems | length == 0)}
