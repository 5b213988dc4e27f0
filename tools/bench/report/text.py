# SPDX-License-Identifier: BSD-3-Clause
"""Markdown of a result: tables, and where and how it was measured."""
from chart import number


def span(p, unit=""):
    """median (p10 to p90) unit, or - of nothing."""
    if not p or p.get("median") is None:
        return "-"
    form = "{:,.0f}" if abs(p["median"]) >= 100 else "{:,.1f}" if abs(p["median"]) >= 10 else "{:,.2f}"
    text = form.format(p["median"])
    if p.get("p10") is not None and p.get("p10") != p.get("p90"):
        text += f" ({form.format(p['p10'])} to {form.format(p['p90'])})"
    return f"{text} {unit}".rstrip()


def table(rows):
    """Markdown lines; the first row is the head. Columns of figures stand to the right."""
    def clean(cell):
        return str(cell).replace("|", "\\|").replace("\n", " ")

    def figures(i):
        return all(row[i][:1].isdigit() or row[i] in ("-", "") or row[i][:2].strip("-").isdigit() for row in rows[1:])
    lines = ["| " + " | ".join(clean(c) for c in rows[0]) + " |",
             "|" + "|".join("---:" if figures(i) else "---" for i in range(len(rows[0]))) + "|"]
    return lines + ["| " + " | ".join(clean(c) for c in row) + " |" for row in rows[1:]]


def gate_line(r):
    gate = r.get("gate")
    if not gate:
        return []
    word = "passed" if gate.get("passed") else "**failed: the figures of the arms that failed are left out**"
    return [f"Correctness gate: {word}; " + ", ".join(f"{k.replace('_', ' ')} {v:,}" for k, v in gate.items() if k != "passed") + ".", ""]


def describe(r):
    """Head of the report: machine, versions, settings, what was set aside."""
    bench, machine, slices = r.get("bench", {}), r.get("machine", {}), r.get("slices", {})
    lines = ["# Benchmark", ""]
    if bench:
        lines += [f"`{bench.get('command', 'tools/bench.sh')}`, {bench.get('started', '')}, {number(bench.get('seconds', 0))} s.", ""]
    rows = [["", ""]]
    if machine:
        rows += [["machine", f"{machine.get('cpu')}, {machine.get('cores')} cores, Linux {machine.get('kernel')}"],
                 ["TSC", f"{machine.get('tsc_hz', 0) / 1e9:.2f} GHz; {span(machine.get('core_per_tsc'))} core cycles in a TSC cycle"],
                 ["CPU flags", " ".join(machine.get("flags", []))]]
        load = machine.get("load", {})
        rows += [[f"load {when}", ", ".join(f"{v:.2f}" for v in load[when])] for when in ("before", "after") if when in load]
    for part in ("versions", "settings"):
        if r.get(part):
            rows.append([part, ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in r[part].items() if v is not None)])
    if slices:
        aside = ", ".join(f"{v} for {k}" for k, v in slices.get("set_aside", {}).items())
        rows.append(["slices", f"{slices.get('run')} run; set aside: {aside}; {slices.get('rounds_left_out', 0)} of "
                               f"{slices.get('rounds', 0)} rounds left out"])
    if len(rows) > 1:
        lines += table(rows) + [""]
    return lines + gate_line(r)
