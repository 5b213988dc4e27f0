# SPDX-License-Identifier: BSD-3-Clause
"""blast: started for one gateway's calls, asked for slices."""
import json
import subprocess

from cpu import Snapshot

GAP_NS = 5_000_000     # a generator that was away for longer was taken from its core
STEAL_SHARE = 0.01     # of a slice: more is a disturbed one
FOREIGN_SHARE = 0.10   # CPU time of others, in cores
LATE_SHARE = 0.02      # a slice that took so much longer than planned was not at its rate
BEHIND_S = 0.010       # a gateway keeps up that has no more than this to deliver when the last packet is sent


class Blast:
    """The process. close() ends it."""

    def __init__(self, program, parties, calls_file, core):
        command = [program, "--calls", calls_file, "--cpu", str(core)]
        for name, (ns, interface, ip, gateway_mac) in parties.items():
            command += ["--" + name, ",".join((ns, interface, ip, gateway_mac))]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.answer()

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"blast ended with status {self.process.wait()}; its last words are above")
        return json.loads(line)

    def tell(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def slice(self, rate, ms, gateway, softirqds):
        """One slice: what was sent and came, and the CPU time meanwhile. `gateway` tells its pids() and busy_ns()."""
        self.tell(f"prepare {rate} {ms}")
        self.answer()
        busy = gateway.busy()
        before = Snapshot(gateway.pids(), self.process.pid, softirqds)
        self.tell("go")
        result = self.answer()
        after = Snapshot(gateway.pids(), self.process.pid, softirqds)
        busy_after = gateway.busy()
        result.update(self.answer())
        result["rate"] = rate
        result["planned_ns"] = ms * 1_000_000
        result["cpu"] = after.since(before)
        result["busy_ns"] = None if busy is None else (busy_after - busy) * result["ns_per_cycle"]
        result["lost"] = result["sent"] - result["received"]
        result["disturbed"] = disturbed(result)
        return result


def disturbed(s):
    """Why a slice says nothing about the gateway, or ''."""
    wall = s["wall_ns"]
    foreign = s["cpu"]["busy_ns"] - s["cpu"]["generator_ns"] - s["cpu"]["gateway_ns"] - s["cpu"]["ksoftirqd_ns"]
    if s["late"]:
        return "packets of the slice before"
    if s["missed"]:
        return "the generator's ring was full"
    if s["gap_ns"] > GAP_NS:
        return "the generator was away"
    if s["cpu"]["steal_ns"] > STEAL_SHARE * wall:
        return "steal"
    if foreign > FOREIGN_SHARE * wall:
        return "other work on the machine"
    if wall > s["planned_ns"] * (1 + LATE_SHARE):
        return "the generator was late"
    return ""


def wrong(s):
    """What makes a slice a failure of correctness, loss aside, or ''."""
    for name in ("bad", "duplicates", "disordered", "sample_bad", "foreign"):
        if s[name]:
            return f"{s[name]} packets {name}"
    if s["received"] > 1000 and s["sampled"] == 0:
        return "no sample"
    return ""


def kept_up(s):
    """Whether nothing was lost and nothing piled up."""
    return s["lost"] == 0 and s["behind"] <= max(64, s["rate"] * BEHIND_S)
