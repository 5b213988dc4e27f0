#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Ours against its peers; tools/bench/peers.sh makes the namespaces and calls this in the gateway's."""
import argparse
import json
import os
import subprocess
import sys
import time

from cpu import ksoftirqds, softirq_apart
from gateways import Rtpengine, Site, Testpmd, Trunkline
from generator import Blast, kept_up, wrong
from results import arms_of, engine_ns, ratios_of, targets_of
from search import highest, spread
from tables import print_tables

SUITES = {"plain": "", "cm80": "AES_CM_128_HMAC_SHA1_80", "gcm128": "AEAD_AES_128_GCM"}
RATES = (20_000, 50_000, 100_000, 150_000, 200_000, 300_000, 400_000)
START_RATE = 50_000
HEADROOM = 0.85   # CPU time is measured up to this share of the lossless rate
AGAIN = 3         # times that a disturbed slice is taken again
REST_S = 0.05     # between slices


class Direct:
    """No gateway: the parties' interfaces are the two ends of one veth pair. What a packet costs the generator itself."""

    name = "direct"

    def start(self):
        pass

    def stop(self):
        pass

    def pids(self):
        return []

    def busy(self):
        return None

    def drops(self):
        return {}


def make_arms(site, quick):
    """(gateway, suites that it does)"""
    every = list(SUITES)
    arms = [
        (Rtpengine(site, "rtpengine", 1), every),
        (Trunkline(site, "trunkline_af_xdp", "af_xdp"), every),
        (Trunkline(site, "trunkline_af_packet", "af_packet"), every),
        (Testpmd(site, "testpmd_af_xdp", "af_xdp"), ["plain"]),
        (Testpmd(site, "testpmd_af_packet", "af_packet"), ["plain"]),
    ]
    if not quick:
        arms.insert(1, (Rtpengine(site, "rtpengine_default_threads", 0), every))
    return arms


class Bench:
    """One run: what was measured, slice by slice."""

    def __init__(self, options, env):
        self.options = options
        self.site = Site(env, options.build, options.work, options.gateway_core)
        self.parties = {side: (env[f"TOPO_{side.upper()}_NS"], env[f"TOPO_{side.upper()}_IF"],
                               env[f"TOPO_{side.upper()}_IP"], env[f"GW_{side.upper()}_MAC"]) for side in ("peer", "core")}
        self.direct = {side: (env[f"TOPO_{side.upper()}_NS"], env[f"DIRECT_{side.upper()}_IF"],
                              env[f"DIRECT_{side.upper()}_IP"], env[f"DIRECT_{other.upper()}_MAC"])
                       for side, other in (("peer", "core"), ("core", "peer"))}
        self.direct_ip = {side: env[f"DIRECT_{side.upper()}_IP"] for side in ("peer", "core")}
        self.softirqds = ksoftirqds()
        self.end = time.monotonic() + options.limit
        self.apart = False
        self.ceiling = 0
        self.calibration = {}  # rate: [ns in send calls per packet]
        self.round = 0
        self.lossless = {}     # (arm, suite): {round: rate}
        self.slices = {}       # (arm, suite, rate): {round: slice}
        self.blast_now = None
        self.stuck = {}        # (arm, suite): times that calls were dead after an overload
        self.set_aside = {}    # (arm, suite): {why: n}
        self.disorder = {}     # arm: packets out of order, in slices that had such
        self.wrong = []        # sentences
        self.drops = {}        # arm: {reason: n}
        self.ns_per_cycle = 0.0

    def say(self, text):
        print(f"  {text}", flush=True)

    def blast(self, parties):
        return Blast(os.path.join(self.options.build, "tools/bench/peers/blast"), parties,
                     os.path.join(self.options.work, "calls"), self.options.generator_core)

    def slice(self, blast, gateway, suite, rate, ms, again=AGAIN):
        """One that nothing disturbed, if there is one to be had in `again` tries."""
        for _ in range(again):
            time.sleep(REST_S)
            s = blast.slice(rate, ms, gateway, self.softirqds)
            self.ns_per_cycle = s["ns_per_cycle"]
            if self.options.verbose:
                print(f"    {gateway.name} {suite} {rate}: lost {s['lost']} refused {s['refused']} behind {s['behind']} gap "
                      f"{s['gap_ns'] / 1e6:.1f} ms, wall {s['wall_ns'] / 1e6:.0f} ms {s['disturbed']}", file=sys.stderr)
            fault = wrong(s)
            if gateway.name.startswith("rtpengine") and (s["disordered"] or s["duplicates"]):
                # its threads do not keep the order of a stream; that is to be told, but no reason not to measure it
                of = self.disorder.setdefault(gateway.name, {"disordered": 0, "duplicates": 0, "received": 0})
                for key in of:
                    of[key] += s[key]
                fault = wrong({**s, "disordered": 0, "duplicates": 0})
            if fault:
                self.wrong.append(f"{gateway.name} {suite} at {rate}: {fault}")
            if not s["disturbed"]:
                break
            aside = self.set_aside.setdefault((gateway.name, suite), {})
            aside[s["disturbed"]] = aside.get(s["disturbed"], 0) + 1
        return s

    # ---- the generator alone ---------------------------------------------------------------------------

    def write_direct_calls(self):
        with open(os.path.join(self.options.work, "calls"), "w", encoding="ascii") as f:
            for n in range(self.options.calls):
                f.write(f"call {self.direct_ip['core']} {20000 + 2 * n} - - - {self.direct_ip['peer']} {20000 + 2 * n} - - -\n")

    def calibrate(self, first):
        """The generator's ceiling, once, and what it spends on a packet at each rate."""
        self.write_direct_calls()
        blast, gateway = self.blast(self.direct), Direct()
        try:
            self.slice(blast, gateway, "plain", START_RATE, 200)
            if first:
                s = self.slice(blast, gateway, "plain", START_RATE, 1000)
                self.apart = softirq_apart(s["cpu"]["generator_ns"], s["wall_ns"], s["cpu"]["softirq_ns"])
                most = self.options.ceiling
                self.ceiling, _ = highest(lambda rate: self.on_time(blast, gateway, rate), min(400_000, most), most, 1.1)
            for rate in self.rates(self.ceiling):
                s = self.slice(blast, gateway, "plain", rate, self.options.ms)
                self.calibration.setdefault(rate, []).append(s["send_ns"] / s["sent"])
        finally:
            blast.close()

    def on_time(self, blast, gateway, rate):
        """Whether the generator alone does that rate."""
        s = self.slice(blast, gateway, "plain", rate, self.options.ms, again=1)
        return kept_up(s) and s["wall_ns"] < 1.01 * s["planned_ns"]

    def rates(self, limit):
        return [r for r in RATES if r <= limit * HEADROOM] or [max(1000, int(limit * HEADROOM))]

    # ---- a gateway ---------------------------------------------------------------------------------------

    def visit(self, gateway, suites):
        """One turn of a gateway: started, measured with each suite, ended."""
        gateway.start()
        try:
            for suite in suites:
                self.blast_now = None
                try:
                    self.set_up(gateway, suite)
                    self.measure(gateway, suite)
                finally:
                    if self.blast_now:
                        self.blast_now.close()
                for reason, n in gateway.drops().items():
                    of = self.drops.setdefault(gateway.name, {})
                    of[reason] = of.get(reason, 0) + n
        finally:
            gateway.stop()

    def set_up(self, gateway, suite):
        """Calls, a generator for them, and what must not be measured: addresses are learnt, caches filled."""
        if self.blast_now:
            self.blast_now.close()
        gateway.calls(SUITES[suite], self.options.calls, os.path.join(self.options.work, "calls"))
        self.blast_now = self.blast(self.parties)
        for _ in range(2):
            self.slice(self.blast_now, gateway, suite, 5000, 200, again=1)

    def trial(self, gateway, suite, rate):
        """Whether the gateway keeps up with the rate."""
        s = self.slice(self.blast_now, gateway, suite, rate, self.options.ms, again=1)
        if s["lost"]:
            # rtpengine may never come back to a call whose socket was once full: then the next trial needs others
            after = self.slice(self.blast_now, gateway, suite, 2000, 100, again=1)
            if after["lost"]:
                key = (gateway.name, suite)
                self.stuck[key] = self.stuck.get(key, 0) + 1
                self.set_up(gateway, suite)
        return kept_up(s) # a disturbed slice that loses is one of the tries that may fail

    def measure(self, gateway, suite):
        found = self.lossless.setdefault((gateway.name, suite), {})
        start = int(max(found.values(), default=0) * 0.9) or START_RATE
        best, _ = highest(lambda rate: self.trial(gateway, suite, rate), start, self.ceiling)
        found[self.round] = best
        for rate in self.rates(best) if best else []:
            s = self.slice(self.blast_now, gateway, suite, rate, self.options.ms)
            self.slices.setdefault((gateway.name, suite, rate), {})[self.round] = s
        self.say(f"{gateway.name:28} {suite:7} lossless {best:8,} packets/s")

    def run(self):
        arms = make_arms(self.site, self.options.quick)
        for number in range(self.options.rounds):
            self.round = number
            print(f"round {number + 1} of {self.options.rounds}", flush=True)
            self.calibrate(number == 0)
            if number == 0:
                print(f"generator alone: {self.ceiling:,} packets/s; "
                      f"{spread(sum(self.calibration.values(), []))['median']:.0f} ns a packet", flush=True)
            turn = number % len(arms)
            for gateway, suites in arms[turn:] + arms[:turn]:
                if self.options.arms and gateway.name not in self.options.arms.split(","):
                    continue
                if time.monotonic() > self.end:
                    self.say("out of time: the rest is left out")
                    return
                self.visit(gateway, suites)

    # ---- results -----------------------------------------------------------------------------------------

    def result(self, bench):
        """The whole result, for JSON; `bench` is what tools/bench.sh measured, or None."""
        run = {"calibration": self.calibration, "softirq_apart": self.apart, "lossless": self.lossless,
               "slices": self.slices}
        arms, ratios = arms_of(run, self.set_aside), ratios_of(run)
        return {
            "options": {"calls": self.options.calls, "rounds": self.options.rounds, "slice_ms": self.options.ms,
                        "generator_core": self.options.generator_core, "gateway_core": self.options.gateway_core},
            "generator": {"ceiling_pps": self.ceiling, "softirq_apart": self.apart, "ns_per_cycle": self.ns_per_cycle,
                          "send_ns_per_packet": {str(r): spread(v) for r, v in self.calibration.items()}},
            "versions": versions(), "arms": arms, "ratios": ratios,
            "targets": targets_of(run, arms, ratios, self.ceiling, bench and engine_ns(bench, self.ns_per_cycle)),
            "drops": self.drops, "disorder": self.disorder,
            "dead_after_overload": {f"{arm} {suite}": n for (arm, suite), n in self.stuck.items()}, "wrong": self.wrong}


def versions():
    def first(command):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
            return (done.stdout + done.stderr).strip().splitlines()[0]
        except (OSError, IndexError, subprocess.TimeoutExpired):
            return "unknown"
    return {"rtpengine": first(["rtpengine", "--version"]), "kernel": os.uname().release,
            "dpdk": first(["pkg-config", "--modversion", "libdpdk"])}


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--quick", action="store_true")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--ms", type=int, default=500)
    p.add_argument("--calls", type=int, default=500)
    p.add_argument("--limit", type=float, default=1200)
    p.add_argument("--ceiling", type=int, default=2_000_000, help="offers no more packets a second than this")
    p.add_argument("--bench", help="JSON of tools/bench.sh: for the engine's own cycles")
    p.add_argument("--json")
    p.add_argument("--build", required=True)
    p.add_argument("--work", required=True)
    p.add_argument("--generator-core", type=int, default=0)
    p.add_argument("--gateway-core", type=int, default=1)
    p.add_argument("--arms", help="only these, by name, with commas between them")
    p.add_argument("--verbose", action="store_true")
    options = p.parse_args()
    os.sched_setaffinity(0, {options.generator_core})
    engine = None
    if options.bench:
        with open(options.bench, encoding="utf-8") as f:
            engine = json.load(f)
    bench = Bench(options, os.environ)
    try:
        bench.run()
    except RuntimeError as e:
        sys.exit(f"peers: {e}")
    result = bench.result(engine)
    if options.json:
        with open(options.json, "w", encoding="ascii") as f:
            json.dump(result, f, indent=1)
    if bench.wrong:
        sys.exit("peers: packets were not as they must be, so no figure of this run counts:\n  " + "\n  ".join(bench.wrong[:10]))
    print_tables(result)


if __name__ == "__main__":
    main()
