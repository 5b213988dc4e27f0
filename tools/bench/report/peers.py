# SPDX-License-Identifier: BSD-3-Clause
"""The part of the report about rtpengine and testpmd: from `peers` of the result, which tools/bench/peers.sh wrote."""
from chart import bar_chart
from text import span, table

SUITES = {"plain": "RTP", "cm80": "RTP and SRTP, AES_CM_128_HMAC_SHA1_80", "gcm128": "RTP and SRTP, AEAD_AES_128_GCM"}


def colour(arm):
    return 0 if arm.startswith("trunkline") else 1 if arm.startswith("rtpengine") else 5


def common_rate(p, suite):
    """The highest rate at which rtpengine and both of ours have a CPU time; else the highest of any."""
    rates = [set(of[suite]["cpu"]) for arm, of in p["arms"].items() if suite in of and (arm == "rtpengine" or arm.startswith("trunkline"))]
    shared = set.intersection(*rates) if rates else set()
    every = {rate for of in p["arms"].values() if suite in of for rate in of[suite]["cpu"]}
    return max(shared or every, key=int, default=None)


def rows_of(p, suite, rate):
    rows = [["gateway", "highest lossless rate, packets/s", "times rtpengine's", f"CPU time a packet at {int(rate or 0):,}/s, ns",
             "with idle polls, ns", "times rtpengine's"]]
    for arm, of in p["arms"].items():
        if suite in of:
            cpu = of[suite]["cpu"].get(rate, {})
            ratio = p["ratios"]["cpu"].get(arm, {}).get(suite)
            rows.append([f"`{arm}`", span(of[suite]["lossless_pps"]), span(p["ratios"]["lossless"].get(arm, {}).get(suite)),
                         span(cpu.get("cpu_ns_per_packet")) + (" \\*" if cpu.get("disturbed") else ""),
                         span(cpu.get("cpu_with_idle_polls_ns_per_packet")),
                         f"{span(ratio['ratio'])} at {ratio['rate']:,}/s" if ratio else "-"])
    return rows


def plots(p):
    rates, times = [], []
    for suite, title in SUITES.items():
        have = {arm: of[suite] for arm, of in p["arms"].items() if suite in of}
        bars = [(arm, one["lossless_pps"], colour(arm)) for arm, one in have.items() if one["lossless_pps"]]
        if bars:
            rates.append((title, bars))
        rate = common_rate(p, suite)
        bars = [(arm, one["cpu"][rate]["cpu_ns_per_packet"], colour(arm)) for arm, one in have.items() if rate in one["cpu"]]
        if bars:
            times.append((f"{title}, {int(rate):,} packets/s", bars))
    return {"peers_rate.svg": bar_chart("Highest lossless rate, one core", "packets a second, both directions together", rates,
                                        f"The generator alone reaches {p['generator']['ceiling_pps']:,} packets a second."),
            "peers_cpu.svg": bar_chart("CPU time of a packet", "nanoseconds, idle polls apart", times)}


def section(r):
    p = r.get("peers")
    if not p:
        return [], {}
    o, v = p["options"], p["versions"]
    lines = ["## Against peers", "",
             f"rtpengine {v['rtpengine']}, DPDK {v['dpdk']} on Linux {v['kernel']}; {o['calls']} calls, {o['rounds']} rounds, slices of "
             f"{o['slice_ms']} ms; generator on core {o['generator_core']}, gateways on core {o['gateway_core']}. The generator alone "
             f"reaches {p['generator']['ceiling_pps']:,} packets/s.", ""]
    if p["wrong"]:
        lines += ["**Packets were not as they must be, so no figure below counts:** " + "; ".join(p["wrong"][:5]), ""]
    lines += ["![Highest lossless rate](peers_rate.svg)", "", "![CPU time of a packet](peers_cpu.svg)", ""]
    for suite, title in SUITES.items():
        rows = rows_of(p, suite, common_rate(p, suite))
        if len(rows) > 1:
            lines += [f"### {title}", ""] + table(rows) + [""]
    if any(c.get("disturbed") for of in p["arms"].values() for one in of.values() for c in one["cpu"].values()):
        lines += ["\\* only slices in which something else took the cores.", ""]
    for arm, of in p.get("disorder", {}).items():
        lines += [f"`{arm}`: {of['disordered']:,} packets out of order and {of['duplicates']:,} twice, of {of['received']:,} in slices with such.", ""]
    for arm, n in p.get("dead_after_overload", {}).items():
        lines += [f"{arm}: calls were dead after an overload {n} times, and set up anew.", ""]
    if p["targets"]:
        rows = [["target", "measured", "limit", "", ""]]
        rows += [[t["what"], f"{t['value']:,.2f}", f"{t['limit']:,.2f}", t["state"], t["note"]] for t in p["targets"]]
        lines += table(rows) + [""]
    return lines, plots(p)
