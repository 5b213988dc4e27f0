#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The benchmark's report: the figures of a small result stand in the Markdown and in the plots, which are well-formed."""
import copy
import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

sys.dont_write_bytecode = True
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../tools/bench/report")
sys.path.insert(0, FOLDER)
import chart
import report
import text

SVG = "{http://www.w3.org/2000/svg}"


def spread(median):
    return {"p10": median * 0.9, "median": median, "p90": median * 1.1}


def arm(what, costs, **more):
    return {"what": what, "streams": {n: {"cycles_per_packet": spread(c)} if c else {"gate": {"passed": False}} for n, c in costs.items()},
            **more}


def peer(pps, ns):
    return {"lossless_pps": spread(pps), "set_aside": {},
            "cpu": {"50000": {"cpu_ns_per_packet": spread(ns), "cpu_with_idle_polls_ns_per_packet": spread(2 * ns), "disturbed": False}}}


def percentiles(low):
    return {"p50": low, "p90": 2 * low, "p99": 3 * low, "p99_9": 10 * low, "p99_99": 40 * low, "max": 200 * low, "count": 9 if low else 0}


RESULT = {
    "bench": {"command": "trunkline-bench", "started": "2026-11-23", "seconds": 61.2},
    "machine": {"cpu": "A <CPU> & more", "cores": 2, "kernel": "6.1", "flags": ["aes"], "tsc_hz": 2.5e9,
                "core_per_tsc": spread(1.3), "load": {"before": [0.1, 0.2, 0.3]}},
    "versions": {"dpdk": "22.11"}, "settings": {"burst": 32},
    "slices": {"run": 10, "rounds": 20, "rounds_left_out": 1, "set_aside": {"steal": 3}},
    "gate": {"passed": True, "sent": 123456, "wrong": 0},
    "arms": {
        "null": arm("nothing", {"1000": 0.25, "10000": 0.26}),
        "mac_swap": arm("swap", {"1000": 30, "10000": 33}),
        "relay": arm("RTP to RTP", {"1000": 151.5, "10000": 163.25}, instructions_per_packet=377,
                     frames={"60": {"streams": {"10000": {"cycles_per_packet": spread(148.5)}}}}),
        "rtp_srtp_cm80": arm("RTP to SRTP", {"1000": 612, "10000": None}),
    },
    "raw_patterns": [{"suite": "AEAD_AES_128_GCM", "pattern": "one call", "packets_per_call": 1, "streams": 1000,
                      "cycles_per_packet": spread(271), "chosen": True}],
    "ratios": {"relay above mac_swap": {**spread(130.5), "unit": "cycles", "at_most": 140, "reached": True},
               "libre over protect": {**spread(3.5), "unit": "times", "at_least": 4, "reached": False}},
    "throughput": {"null": {"million_packets_per_second": spread(20), "of_mac_swap": spread(1.5)},
                   "relay": {"million_packets_per_second": spread(8.2), "of_mac_swap": spread(0.62)}},
    "latency": {"null": {"10": {"wall_us": percentiles(2.5), "turn_us": percentiles(0.2), "lost": 0, "not_sent_in_time": 0}},
                "relay": {"10": {"wall_us": percentiles(4.5), "turn_us": percentiles(1.2), "lost": 7, "not_sent_in_time": 19},
                          "90": {"wall_us": percentiles(0), "turn_us": percentiles(6)}}},
    "updates": {"adds_per_second": 10001.0, "deletes_per_second": 10002.0, "refused": 0, "packets_lost": 4321, "not_sent_in_time": 0,
                "turn_us_with": percentiles(3), "turn_us_without": percentiles(1), "million_packets_per_second": 4.1,
                "p99_9_grows_us": {"value": spread(12.5), "at_most": 50.0, "reached": True}},
    "under_attack": {"percent_of_mac_swap": 70, "million_packets_per_second": 9.3, "good_sent": 3000, "good_lost": 0, "forged_sent": 7000,
                     "good_not_sent_in_time": 0, "longest_turn_us": 88.5, "reached": True},
    "two_workers": {"relay": {"at_most": 1.05, "reached": False,
                              "workers": [{"alone": spread(160), "both": spread(171), "both_over_alone": spread(1.07)}]},
                    "raw_cm80": {"workers": [{"alone": spread(240), "both": spread(300), "both_over_alone": spread(1.25)}]}},
    "peers": {
        "options": {"calls": 500, "rounds": 3, "slice_ms": 500, "generator_core": 0, "gateway_core": 1},
        "generator": {"ceiling_pps": 987654}, "versions": {"rtpengine": "10.5", "dpdk": "22.11", "kernel": "6.1"},
        "arms": {"rtpengine": {"plain": peer(111000, 5432), "cm80": peer(71000, 9000)},
                 "trunkline_af_xdp": {"plain": peer(333000, 2109), "cm80": peer(222000, 2500)},
                 "testpmd_af_xdp": {"plain": peer(444000, 1900)}},
        "ratios": {"lossless": {"trunkline_af_xdp": {"plain": spread(3.0)}}, "cpu_to_testpmd": {},
                   "cpu": {"trunkline_af_xdp": {"plain": {"rate": 50000, "ratio": spread(0.39)}}}},
        "targets": [{"what": "CPU", "value": 0.39, "limit": 0.5, "state": "reached", "note": ""}], "wrong": []},
}


class Report(unittest.TestCase):
    def setUp(self):
        self.files = report.make(RESULT)
        self.markdown = self.files["report.md"]

    def test_figures_stand_in_the_tables(self):
        for wanted in ("163 (147 to 180)", "377", "148 (134 to 163)", "130 (117 to 144) cycles | at most 140 | reached",
                       "| at least 4 | missed", "| 10 % | `relay` | ring to ring | 4.5 | 9.0 | 14 | 45 | 180 | 900 | 7 | 19 |", "8.20 (7.38 to 9.02)",
                       "**4,321 packets lost**", "12.5 (11.2 to 13.8) µs (at most 50: reached)", "7,000 forged", "longest turn was 88 µs",
                       "| `relay` | 0 | 160 (144 to 176) | 171 (154 to 188) | 1.07 (0.96 to 1.18) |", "`relay` at most 1.05 times its cost alone: missed",
                       "one call | 1,000 | 271 (244 to 298) | chosen",
                       "987,654 packets/s", "333,000 (299,700 to 366,300)", "5,432 (4,889 to 5,975)", "0.39 (0.35 to 0.43) at 50,000/s",
                       "sent 123,456", "3 for steal", "1.30 (1.17 to 1.43)"):
            self.assertIn(wanted, self.markdown)

    def test_an_arm_without_figures_has_a_dash(self):
        row = next(line for line in self.markdown.splitlines() if line.startswith("| `rtp_srtp_cm80`"))
        self.assertEqual([c.strip() for c in row.strip("|").split("|")][2:], ["612 (551 to 673)", "-", "-"])

    def test_tables_have_as_many_cells_in_each_row(self):
        block = []
        for line in self.markdown.splitlines() + [""]:
            if line.startswith("|"):
                block.append(len(re.findall(r"(?<!\\)\|", line)))
            elif block:
                self.assertEqual(len(set(block)), 1, line)
                block = []

    def test_every_plot_is_shown_and_well_formed(self):
        plots = {name for name in self.files if name.endswith(".svg")}
        self.assertEqual(plots, {"cost.svg", "arms.svg", "throughput.svg", "latency_10.svg", "latency_90.svg", "peers_rate.svg", "peers_cpu.svg"})
        self.assertEqual(set(re.findall(r"\]\(([a-z_0-9]+\.svg)\)", self.markdown)), plots)
        for name in plots:
            root = ElementTree.fromstring(self.files[name])
            self.assertEqual(root.tag, SVG + "svg", name)
            self.assertNotIn("nan", self.files[name].lower().replace("nanoseconds", ""), name)
            width, height = float(root.get("width")), float(root.get("height"))
            for e in root.iter():
                for key in ("x", "x1", "x2", "cx"):
                    self.assertTrue(0 <= float(e.get(key, 0)) <= width, (name, e.attrib))
                for key in ("y", "y1", "y2", "cy"):
                    self.assertTrue(0 <= float(e.get(key, 0)) <= height, (name, e.attrib))

    def words(self, name):
        return [e.text for e in ElementTree.fromstring(self.files[name]).iter(SVG + "text")]

    def test_plots_have_axes_units_legend_and_figures(self):
        self.assertLessEqual({"relay", "mac_swap", "1,000", "10,000", "TSC cycles a packet"}, set(self.words("cost.svg")))
        self.assertLessEqual({"relay", "163", "null", "0.26"}, set(self.words("arms.svg")))
        self.assertLessEqual({"P99.99", "microseconds", "relay, ring to ring"}, set(self.words("latency_10.svg")))
        self.assertLessEqual({"rtpengine", "111,000", "333,000", "trunkline_af_xdp"}, set(self.words("peers_rate.svg")))
        self.assertLessEqual({"5,432", "2,109", "nanoseconds, idle polls apart"}, set(self.words("peers_cpu.svg")))

    def test_dearer_is_higher(self):
        dots = {e.find(SVG + "title").text: float(e.get("cy")) for e in ElementTree.fromstring(self.files["cost.svg"]).iter(SVG + "circle")}
        self.assertLess(dots["relay, 10,000: 163"], dots["relay, 1,000: 152"])
        self.assertLess(dots["relay, 1,000: 152"], dots["mac_swap, 1,000: 30"])

    def test_a_failed_gate_is_said(self):
        failed = copy.deepcopy(RESULT)
        failed["gate"]["passed"] = False
        self.assertIn("**failed", report.make(failed)["report.md"])

    def test_what_is_missing_is_left_out(self):
        for part in ("latency", "throughput", "updates", "under_attack", "two_workers", "peers", "ratios", "raw_patterns", "machine", "slices", "gate"):
            small = copy.deepcopy(RESULT)
            del small[part]
            files = report.make(small)
            self.assertIn("163 (147 to 180)", files["report.md"])
            self.assertEqual("latency_10.svg" in files, part != "latency")
            self.assertEqual("peers_cpu.svg" in files, part != "peers")
        files = report.make({"peers": RESULT["peers"]}) # of tools/bench/peers.sh alone
        self.assertIn("333,000", files["report.md"])


class Parts(unittest.TestCase):
    def test_numbers(self):
        self.assertEqual([chart.number(v) for v in (0, 0.123, 1.25, 12.6, 12345.6)], ["0", "0.12", "1.2", "13", "12,346"])
        self.assertEqual(text.span(None), "-")
        self.assertEqual(text.span({"p10": 5, "median": 5, "p90": 5}), "5.00")

    def test_steps_are_round(self):
        self.assertEqual([chart.nice_step(v) for v in (6, 7, 100, 0.5, 130_000)], [1, 2, 20, 0.1, 50_000])

    def test_scales_hold_their_values(self):
        for values, log in (([0.2, 7, 99.9], False), ([3, 3], False), ([0.4, 12, 1000], True), ([5, 5], True)):
            s = chart.Scale(values, 100, 0, log)
            for v in values:
                self.assertTrue(0 <= s.at(v) <= 100, (values, v))

    def test_program(self):
        program = os.path.join(FOLDER, "report.py")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "result.json")
            with open(path, "w", encoding="utf-8") as f:
                json.dump(RESULT, f)
            done = subprocess.run([sys.executable, program, path, os.path.join(folder, "out")], check=False)
            self.assertEqual(done.returncode, 0)
            self.assertIn("report.md", os.listdir(os.path.join(folder, "out")))
            with open(path, "w", encoding="utf-8") as f:
                f.write("{")
            done = subprocess.run([sys.executable, program, path, folder], check=False, capture_output=True, text=True)
            self.assertEqual(done.returncode, 1)
            self.assertIn("cannot be read as JSON", done.stderr)


if __name__ == "__main__":
    done = unittest.main(exit=False, verbosity=0).result
    bad = len(done.failures) + len(done.errors)
    print(f"{done.testsRun - bad} passed, {bad} failed, 0 skipped")
    sys.exit(bad != 0)
