# SPDX-License-Identifier: BSD-3-Clause
"""The part of the report about two cores: throughput, latency, updates, attack, two workers."""
from chart import bar_chart, line_chart, number
from text import span, table

PERCENTILES = (("p50", "P50"), ("p90", "P90"), ("p99", "P99"), ("p99_9", "P99.9"), ("p99_99", "P99.99"), ("max", "max"))
WALL, TURN = "wall_us", "turn_us"
MEASURED = {WALL: "ring to ring", TURN: "the worker's turn"}


def throughput(r):
    rows, bars = [["arm", "million packets a second", "of mac_swap"]], []
    for name, arm in r.get("throughput", {}).items():
        rate = arm.get("million_packets_per_second")
        rows.append([f"`{name}`", span(rate), span(arm.get("of_mac_swap"))])
        if rate:
            bars.append((name, rate, 0))
    if not bars:
        return [], {}
    return (["## Throughput", "", "Generator and sink on one core, the worker on the other, rings between them. `null` is the generator alone.", "",
             "![Throughput](throughput.svg)", ""] + table(rows) + [""],
            {"throughput.svg": bar_chart("Throughput, one worker", "million packets a second", [("", bars)])})


def percentile_cells(p):
    return [number(p[key]) if p.get(key) is not None else "-" for key, _ in PERCENTILES]


def latency_plot(arms, load):
    """A line for each arm: what a packet waits, and dashed the worker's turns."""
    series = []
    for colour, (name, loads) in enumerate(arms.items()):
        for dash, key in enumerate((WALL, TURN)):
            p = loads.get(load, {}).get(key) or {}
            if p.get("count"):
                series.append((f"{name}, {MEASURED[key]}", [{"median": p[k]} if p.get(k) else None for k, _ in PERCENTILES], colour, dash))
    return line_chart(f"Latency at {load} % load", "percentile", "microseconds", [title for _, title in PERCENTILES], series, log=True)


def latency(r):
    arms = r.get("latency", {})
    loads = list(dict.fromkeys(load for of in arms.values() for load in of))
    if not loads:
        return [], {}
    rows = [["load", "arm", "of"] + [title for _, title in PERCENTILES] + ["lost", "not sent in time"]]
    for load in loads:
        for name, of in arms.items():
            for key in (WALL, TURN):
                p = of.get(load, {}).get(key) or {}
                if p.get("count"):
                    last = [f"{of[load].get(k, 0):,}" for k in ("lost", "not_sent_in_time")] if key == WALL else ["", ""]
                    rows.append([f"{load} %", f"`{name}`", MEASURED[key]] + percentile_cells(p) + last)
    lines = ["## Latency", "", "Microseconds. *Ring to ring*: from the ring that a packet was put into to the ring that it came out of. *The worker's turn*: one turn of "
             "its loop that had packets. Load is of each arm's own throughput.", ""]
    for load in loads:
        lines += [f"![Latency at {load} % load](latency_{load}.svg)", ""]
    return lines + table(rows) + [""], {f"latency_{load}.svg": latency_plot(arms, load) for load in loads}


def updates(r):
    u = r.get("updates")
    if not u:
        return [], {}
    grown = u.get("p99_9_grows_us", {})
    rows = [["worker's turn, µs"] + [title for _, title in PERCENTILES]]
    rows += [[title] + percentile_cells(u.get(key) or {}) for title, key in (("with updates", "turn_us_with"), ("without", "turn_us_without"))]
    return (["## Sessions made and ended under traffic", "",
             f"{number(u.get('adds_per_second', 0))} sessions made and {number(u.get('deletes_per_second', 0))} ended a second, "
             f"{u.get('refused', 0):,} commands refused, at {span({'median': u.get('million_packets_per_second')})} million packets a second: "
             f"**{u.get('packets_lost', 0):,} packets lost** to it, {u.get('not_sent_in_time', 0):,} not sent in time. P99.9 of the worker's turn grows by "
             f"{span(grown.get('value'), 'µs')} (at most {grown.get('at_most', 0):g}: {'reached' if grown.get('reached') else 'missed'}).", ""]
            + table(rows) + [""], {})


def under_attack(r):
    a = r.get("under_attack")
    if not a:
        return [], {}
    return ["## Under attack", "", f"{a.get('forged_sent', 0):,} forged packets among {a.get('good_sent', 0):,} good ones, at {a.get('percent_of_mac_swap')} % of "
            f"mac_swap's rate ({span({'median': a.get('million_packets_per_second')})} million packets a second): **{a.get('good_lost', 0):,} good packets lost**, "
            f"{a.get('good_not_sent_in_time', 0):,} not sent in time; the worker's longest turn was {number(a.get('longest_turn_us', 0))} µs. "
            f"{'Reached' if a.get('reached') else 'Missed'}: none may be lost.", ""], {}


def two_workers(r):
    rows = [["arm", "worker", "cycles alone", "cycles while both run", "both over alone"]]
    judged = []
    for name, arm in r.get("two_workers", {}).items():
        if "at_most" in arm:
            judged.append(f"`{name}` at most {arm['at_most']:g} times its cost alone: {'reached' if arm.get('reached') else 'missed'}")
        for i, w in enumerate(arm.get("workers", [])):
            rows.append([f"`{name}`", str(i), span(w.get("alone")), span(w.get("both")), span(w.get("both_over_alone"))])
    if len(rows) == 1:
        return [], {}
    return ["## Two workers", "", f"TSC cycles a packet. {'; '.join(judged)}. "
            "`raw_*` is the library alone, whose cores share nothing: what the machine itself does.", ""] + table(rows) + [""], {}


def section(r):
    lines, files = [], {}
    for part in (throughput, latency, updates, under_attack, two_workers):
        more, plots = part(r)
        lines += more
        files.update(plots)
    return lines, files
