# SPDX-License-Identifier: BSD-3-Clause
"""From slices to figures: CPU time per packet, percentiles, ratios to the peers, targets. Pure: no clock, no process.

A run is {"calibration": {rate: [ns a packet in send calls, alone]}, "softirq_apart": bool,
          "lossless": {(arm, suite): {round: packets/s}}, "slices": {(arm, suite, rate): {round: slice}}}.
"""
from search import spread

PEER = "rtpengine"
OURS = ("trunkline_af_xdp", "trunkline_af_packet")
TESTPMD = {"trunkline_af_xdp": "testpmd_af_xdp", "trunkline_af_packet": "testpmd_af_packet"}
LOSS_ALLOWED = 0.001 # of a slice whose CPU time counts

# to reach: times rtpengine's lossless rate at least, share of its CPU time at most
LOSSLESS_TARGET = {"plain": 1.6, "cm80": 3.0, "gcm128": 3.0}
CPU_TARGET = {"plain": 1 / 2, "cm80": 1 / 3, "gcm128": 1 / 3}
TESTPMD_TARGET = 1.2
CEILING_SHARE = 0.95 # of the generator's ceiling: who gets so far is not known to stop there


def cpu_of(s, alone_ns, softirq_apart):
    """CPU time per packet of one slice, in ns, by where it was spent.

    The gateway's own threads; softirq threads, and softirqs where the kernel keeps them apart; and on the generator's core
    what sending takes longer than `alone_ns`, for there the kernel hands the packets to the gateway. Idle polls are what a
    polling thread ran without packets in hand.
    """
    cpu, received = s["cpu"], max(1, s["received"])
    handing_over = s["send_ns"] - s["sent"] * alone_ns
    softirq = cpu["ksoftirqd_ns"] + (cpu["softirq_ns"] if softirq_apart else 0)
    idle = 0
    if s["busy_ns"] is not None:
        idle = max(0, max(cpu["tasks"].values(), default=0) - s["busy_ns"])
    whole = cpu["gateway_ns"] + softirq + handing_over
    return {"cpu": (whole - idle) / received, "cpu_with_idle_polls": whole / received,
            "process": cpu["gateway_ns"] / received, "softirq": softirq / received,
            "handing_over": handing_over / received, "idle_polls": idle / received}


def usable(slices):
    """The rounds whose slice counts: without loss, and undisturbed if there are such. (rounds, whether disturbed)"""
    lossless = {r: s for r, s in slices.items() if s["lost"] <= s["sent"] * LOSS_ALLOWED and s["received"]}
    calm = {r: s for r, s in lossless.items() if not s["disturbed"]}
    return (calm, False) if calm else (lossless, bool(lossless))


def costs(run, arm, suite, rate):
    """{round: cpu_of} and whether they are disturbed ones."""
    rounds, disturbed = usable(run["slices"].get((arm, suite, rate), {}))
    alone = spread(run["calibration"].get(rate, []))
    if not alone:
        return {}, False
    return {r: cpu_of(s, alone["median"], run["softirq_apart"]) for r, s in rounds.items()}, disturbed


def paired(ours, theirs):
    """Spread of ours / theirs, round by round."""
    return spread([ours[r] / theirs[r] for r in ours if theirs.get(r)])


def rates_of(run, arm, suite):
    return {rate for name, of, rate in run["slices"] if (name, of) == (arm, suite) and costs(run, arm, suite, rate)[0]}


def cpu_ratio(run, arm, peer, suite):
    """At the highest rate that both have: {rate, ratio}, or None."""
    both = rates_of(run, arm, suite) & rates_of(run, peer, suite)
    if not both:
        return None
    rate = max(both)
    ours, theirs = ({r: c["cpu"] for r, c in costs(run, name, suite, rate)[0].items()} for name in (arm, peer))
    ratio = paired(ours, theirs)
    if ratio is None: # no round has both: of the medians then
        ratio = {"median": spread(list(ours.values()))["median"] / spread(list(theirs.values()))["median"], "n": 1}
    return {"rate": rate, "ratio": ratio}


def arms_of(run, set_aside):
    arms = {}
    for (arm, suite), rates in run["lossless"].items():
        table = {}
        for rate in sorted(rates_of(run, arm, suite)):
            per_round, disturbed = costs(run, arm, suite, rate)
            keys = next(iter(per_round.values()))
            table[str(rate)] = {k + "_ns_per_packet": spread([c[k] for c in per_round.values()]) for k in keys}
            table[str(rate)]["disturbed"] = disturbed
        arms.setdefault(arm, {})[suite] = {"lossless_pps": spread(list(rates.values())), "cpu": table,
                                           "set_aside": set_aside.get((arm, suite), {})}
    return arms


def ratios_of(run):
    ratios = {"lossless": {}, "cpu": {}, "cpu_to_testpmd": {}}
    for arm, suite in run["lossless"]:
        if arm == PEER:
            continue
        ratio = paired(run["lossless"][arm, suite], run["lossless"].get((PEER, suite), {}))
        if ratio:
            ratios["lossless"].setdefault(arm, {})[suite] = ratio
        cpu = cpu_ratio(run, arm, PEER, suite)
        if cpu:
            ratios["cpu"].setdefault(arm, {})[suite] = cpu
    for arm, testpmd in TESTPMD.items():
        cpu = cpu_ratio(run, arm, testpmd, "plain")
        if cpu:
            ratios["cpu_to_testpmd"][arm] = cpu
    return ratios


def target(what, value, limit, met, note=""):
    return {"what": what, "value": value, "limit": limit, "state": "reached" if met else "missed", "note": note}


def rate_target(arm, suite, ratio, pps, ceiling):
    """Of the lossless rate, which can only be as high as the generator reaches."""
    t = target(f"{arm} {suite}: lossless rate, times rtpengine's", ratio, LOSSLESS_TARGET[suite], ratio >= LOSSLESS_TARGET[suite])
    if t["state"] == "missed" and pps >= CEILING_SHARE * ceiling:
        t["state"], t["note"] = "not shown", "as much as the generator sends"
    return t


def targets_of(run, arms, ratios, ceiling, engine_ns):
    """Each target with what the run shows of it. engine_ns: what the engine takes for a packet, None if not known (then
    testpmd's alone is the limit, which is stricter)."""
    found = []
    for arm in OURS:
        for suite, limit in CPU_TARGET.items():
            cpu = ratios["cpu"].get(arm, {}).get(suite)
            if cpu:
                found.append(target(f"{arm} {suite}: CPU time a packet, times rtpengine's", cpu["ratio"]["median"], limit,
                                    cpu["ratio"]["median"] <= limit, f"at {cpu['rate']:,} packets/s"))
            rate = ratios["lossless"].get(arm, {}).get(suite)
            if rate:
                found.append(rate_target(arm, suite, rate["median"], arms[arm][suite]["lossless_pps"]["median"], ceiling))
        cpu = ratios["cpu_to_testpmd"].get(arm)
        if cpu:
            rate, testpmd = str(cpu["rate"]), arms[TESTPMD[arm]]["plain"]["cpu"]
            io = testpmd[rate]["cpu_ns_per_packet"]["median"]
            ours = arms[arm]["plain"]["cpu"][rate]["cpu_ns_per_packet"]["median"]
            limit = TESTPMD_TARGET * io + (engine_ns or 0)
            found.append(target(f"{arm} plain: CPU time a packet, ns", ours, limit, ours <= limit,
                                f"{TESTPMD_TARGET} times testpmd's {io:.0f} ns at {cpu['rate']:,} packets/s"
                                + (f" and the engine's {engine_ns:.0f} ns" if engine_ns else "")))
    return found


def engine_ns(bench, ns_per_cycle):
    """What the engine adds to the I/O of a packet by tools/bench.sh's figures (arms relay and mac_swap, 1,000 streams)."""
    def cycles(arm):
        return bench["arms"][arm]["streams"]["1000"]["cycles_per_packet"]["median"]
    try:
        return (cycles("relay") - cycles("mac_swap")) * ns_per_cycle
    except (KeyError, TypeError):
        return None
