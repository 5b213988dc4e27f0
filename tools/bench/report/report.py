#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tables in Markdown and plots in SVG from the JSON of tools/bench.sh.

    tools/bench/report/report.py JSON FOLDER     writes FOLDER/report.md and the plots that it shows
"""
import json
import os
import sys

sys.dont_write_bytecode = True
import peers
import two_core
from chart import bar_chart, line_chart, number
from text import describe, span, table

PLOTTED = ("mac_swap", "relay", "rtp_srtp_cm80", "srtp_rtp_cm80", "rtp_srtp_gcm128", "srtp_rtp_gcm128", "mixed", "attack")
LIMITS = ("null", "mac_swap", "raw_", "libre_") # arms that are not ours begin so


def cost(arm, streams, frames=None):
    """{p10, median, p90} in cycles per packet, or None."""
    place = arm if frames is None else arm.get("frames", {}).get(frames, {})
    return place.get("streams", {}).get(str(streams), {}).get("cycles_per_packet")


def streams_of(r):
    return sorted({int(n) for arm in r["arms"].values() for n in arm.get("streams", {})})


def main_streams(r):
    """The number of streams that single comparisons are made at."""
    every = streams_of(r)
    return 10_000 if 10_000 in every else every[-1]


# ---- sections: (lines of Markdown, {file: SVG}) --------------------------------------------------------


def cost_section(r):
    if not r.get("arms"):
        return [], {}
    streams = streams_of(r)
    rows = [["arm", "what"] + [f"{n:,} streams" for n in streams] + ["instructions"]]
    for name, arm in r["arms"].items():
        instructions = arm.get("instructions_per_packet")
        if isinstance(instructions, dict):
            instructions = instructions.get("median")
        rows.append([f"`{name}`", arm.get("what", "")] + [span(cost(arm, n)) for n in streams]
                    + [number(instructions) if instructions else "-"])
    series = [(name, [cost(r["arms"][name], n) for n in streams], colour, 0)
              for colour, name in enumerate(PLOTTED) if any(cost(r["arms"].get(name, {}), n) for n in streams)]
    svg = line_chart("Cost of a packet against the number of streams", "streams, each touched once in 20 ms",
                     "TSC cycles a packet", [f"{n:,}" for n in streams], series)
    return (["## Cycles a packet", "", "Median (10th to 90th percentile), TSC cycles, frames of 214 bytes.", "",
             "![Cost against streams](cost.svg)", ""] + table(rows) + [""], {"cost.svg": svg})


def arms_section(r):
    if not r.get("arms"):
        return [], {}
    n = main_streams(r)
    bars = [(name, cost(arm, n), not name.startswith(LIMITS)) for name, arm in r["arms"].items() if cost(arm, n)]
    groups = [(title, [b for b in bars if b[2] == ours]) for title, ours in (("Limits and others' code", False), ("The engine", True))]
    groups = [(title, of) for title, of in groups if of]
    svg = bar_chart(f"Arms side by side, {n:,} streams", "TSC cycles a packet; whiskers: 10th to 90th percentile", groups)
    return ["## Arms side by side", "", "![Arms](arms.svg)", ""], {"arms.svg": svg}


def frames_section(r):
    rows = [["arm", "frame, bytes", "streams", "cycles a packet"]]
    for name, arm in r.get("arms", {}).items():
        for size in arm.get("frames", {}):
            for n in arm["frames"][size].get("streams", {}):
                if cost(arm, n, size):
                    rows.append([f"`{name}`", size, f"{int(n):,}", span(cost(arm, n, size))])
    if len(rows) == 1:
        return [], {}
    return ["## Other frames", "", "10 ms of G.711 and packets of 60 bytes."] + [""] + table(rows) + [""], {}


def ratios_section(r):
    rows = [["what", "median (p10 to p90)", "target", ""]]
    for name, ratio in r.get("ratios", {}).items():
        limit = next((f"{word.replace('_', ' ')} {ratio[word]:g}" for word in ("at_most", "at_least") if word in ratio), "-")
        reached = {True: "reached", False: "missed"}.get(ratio.get("reached"), "")
        rows.append([name, span(ratio, ratio.get("unit", "")), limit, reached])
    if len(rows) == 1:
        return [], {}
    return ["## Ratios", "", "Paired: made within each repetition, whose slices ran next to each other.", ""] + table(rows) + [""], {}


def patterns_section(r):
    rows = [["suite", "call pattern", "streams", "cycles a packet", ""]]
    for p in r.get("raw_patterns", []):
        rows.append([p["suite"], p["pattern"], f"{p['streams']:,}", span(p.get("cycles_per_packet")), "chosen" if p.get("chosen") else ""])
    if len(rows) == 1:
        return [], {}
    return ["## Ways to call libIPSec_MB", ""] + table(rows) + [""], {}


SECTIONS = (cost_section, arms_section, ratios_section, frames_section, two_core.section, patterns_section, peers.section)


def make(r):
    """The report of a result: {file name: text}."""
    lines, files = describe(r), {}
    for section in SECTIONS:
        more, plots = section(r)
        lines += more
        files.update(plots)
    files["report.md"] = "\n".join(lines).rstrip() + "\n"
    return files


def main():
    if len(sys.argv) != 3 or sys.argv[1] in ("-h", "--help"):
        sys.exit(__doc__)
    try:
        with open(sys.argv[1], encoding="utf-8") as f:
            result = json.load(f)
    except (OSError, ValueError) as e:
        sys.exit(f"report: {sys.argv[1]} cannot be read as JSON: {e}")
    os.makedirs(sys.argv[2], exist_ok=True)
    for name, text in make(result).items():
        with open(os.path.join(sys.argv[2], name), "w", encoding="utf-8") as f:
            f.write(text)


if __name__ == "__main__":
    main()
