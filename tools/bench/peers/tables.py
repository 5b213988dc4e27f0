# SPDX-License-Identifier: BSD-3-Clause
"""The result of a run as text."""
TITLES = {"plain": "RTP", "cm80": "RTP to SRTP, AES_CM_128_HMAC_SHA1_80", "gcm128": "RTP to SRTP, AEAD_AES_128_GCM"}


def span(s, form="{:,.0f}"):
    """median (p10 to p90)"""
    if not s:
        return "-"
    text = form.format(s["median"])
    return text + f" ({form.format(s['p10'])} to {form.format(s['p90'])})" if s.get("n", 1) > 1 else text


def columns(rows):
    """Lines with the columns under each other, the first to the left."""
    wide = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  " + "  ".join(cell.ljust(wide[i]) if i == 0 else cell.rjust(wide[i]) for i, cell in enumerate(row)) for row in rows]


def suite_rows(r, suite):
    rows = [("", "lossless packets/s", "times rtpengine's", "at packets/s", "CPU ns a packet", "with idle polls", "times rtpengine's")]
    for arm, of in r["arms"].items():
        if suite not in of:
            continue
        one = of[suite]
        ratio = r["ratios"]["cpu"].get(arm, {}).get(suite)
        rate = str(ratio["rate"]) if ratio else max(one["cpu"], key=int, default="")
        cpu = one["cpu"].get(rate, {})
        mark = "*" if cpu.get("disturbed") else ""
        rows.append((arm, span(one["lossless_pps"]), span(r["ratios"]["lossless"].get(arm, {}).get(suite), "{:.2f}"),
                     f"{int(rate):,}" if rate else "-", span(cpu.get("cpu_ns_per_packet")) + mark,
                     span(cpu.get("cpu_with_idle_polls_ns_per_packet")),
                     span(ratio["ratio"], "{:.2f}") if ratio else "-"))
    return rows


def print_tables(r):
    o, g = r["options"], r["generator"]
    print(f"\nrtpengine {r['versions']['rtpengine']}, DPDK {r['versions']['dpdk']}, Linux {r['versions']['kernel']}; "
          f"{o['calls']} calls, slices of {o['slice_ms']} ms, {o['rounds']} rounds; "
          f"generator on core {o['generator_core']}, gateways on core {o['gateway_core']}")
    print(f"generator alone: {g['ceiling_pps']:,} packets/s")
    for suite, title in TITLES.items():
        rows = suite_rows(r, suite)
        if len(rows) > 1:
            print(f"\n{title}")
            print("\n".join(columns(rows)))
    if any(cpu["disturbed"] for of in r["arms"].values() for one in of.values() for cpu in one["cpu"].values()):
        print("  * only slices in which something else took the cores")
    for arm, of in r["disorder"].items():
        print(f"  {arm}: {of['disordered']:,} packets out of order, {of['duplicates']:,} twice, of {of['received']:,} in slices with such")
    for arm, n in r["dead_after_overload"].items():
        print(f"  {arm}: calls were dead after an overload {n} times and set up anew")
    if r["targets"]:
        print()
        print("\n".join(columns([(t["what"], f"{t['value']:,.2f}", f"{t['state']}, limit {t['limit']:,.2f}",
                                  t["note"]) for t in r["targets"]])))
