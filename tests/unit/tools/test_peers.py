#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What tools/bench/peers computes, with no gateway: the search, rtpengine's protocol, CPU time, ratios, targets."""
import os
import sys
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../tools/bench/peers"))
import cpu
import generator
import ng
import results
import search


class Search(unittest.TestCase):
    def limit(self, limit, start=50_000, ceiling=1_000_000):
        tried = []

        def trial(rate):
            tried.append(rate)
            return rate <= limit
        return (*search.highest(trial, start, ceiling), tried)

    def test_finds_the_limit_from_below_and_above(self):
        for limit in (700, 30_000, 50_000, 123_456, 640_000):
            good, bad, tried = self.limit(limit)
            self.assertLessEqual(good, limit)
            self.assertGreater(bad, limit)
            self.assertLessEqual(bad, good * search.WIDTH * 1.001)
            self.assertLess(len(tried), 60)

    def test_never_above_the_ceiling(self):
        good, bad, tried = self.limit(10**9, ceiling=333_333)
        self.assertEqual((good, bad), (333_333, None))
        self.assertEqual(max(tried), 333_333)

    def test_nothing_passes(self):
        good, _, tried = self.limit(0)
        self.assertEqual(good, 0)
        self.assertLess(len(tried), 60)

    def test_one_bad_slice_is_forgiven(self):
        seen = {}

        def trial(rate): # fails the first time at each rate
            seen[rate] = seen.get(rate, 0) + 1
            return seen[rate] > 1 and rate <= 100_000
        good, _ = search.highest(trial, 50_000, 1_000_000)
        self.assertGreater(good, 95_000)

    def test_a_rate_that_passed_by_luck_is_not_confirmed(self):
        lucky = [True]

        def trial(rate):
            return rate <= 100_000 or (rate == 128_000 and bool(lucky) and lucky.pop())
        good, _ = search.highest(trial, 50_000, 1_000_000)
        self.assertLess(good, 128_000)

    def test_spread(self):
        self.assertEqual(search.spread([4, 1, None, 3, 2, 5])["median"], 3)
        self.assertAlmostEqual(search.spread([0, 10])["p90"], 9)
        self.assertIsNone(search.spread([None]))


class Protocol(unittest.TestCase):
    def test_bencode_both_ways(self):
        value = {"a": ["x", 12, -3, {"b": ""}], "sdp": "v=0\r\n"}
        self.assertEqual(ng.bdecode(ng.bencode(value))[0], value)
        self.assertEqual(ng.bencode({"b": 1, "a": "äx"}), b"d1:a3:\xc3\xa4x1:bi1ee")

    def test_what_is_no_bencode(self):
        for bad in (b"", b"5:abc", b"i12", b"d1:a", b"x"):
            self.assertRaises((ValueError, IndexError), ng.bdecode, bad)

    def test_sdp(self):
        text = ng.sdp("10.0.0.1", 4000, "RTP/SAVP", "2 AEAD_AES_128_GCM inline:QUJD")
        self.assertEqual(ng.sdp_address(text), ("10.0.0.1", 4000))
        self.assertEqual(ng.sdp_crypto(text, "AEAD_AES_128_GCM"), (2, "QUJD"))
        self.assertRaises(RuntimeError, ng.sdp_crypto, text, "AEAD_AES_128_GC")
        self.assertRaises(RuntimeError, ng.sdp_address, "v=0\r\n")


class CpuTime(unittest.TestCase):
    def test_stat_of_cores(self):
        cores = cpu.parse_stat("cpu  9 9\ncpu0 1 2 3 4 5 6 7 8 0 0\ncpu1 0 0 0 0 0 0 1 0\nintr 5\n")
        self.assertEqual(cores[0]["steal"], 8 * cpu.TICK_NS)
        self.assertEqual(cores[1]["softirq"], cpu.TICK_NS)
        self.assertEqual(len(cores), 2)

    def test_whether_softirqs_are_apart(self):
        self.assertTrue(cpu.softirq_apart(400, 1000, 580))
        self.assertFalse(cpu.softirq_apart(990, 1000, 580))
        self.assertFalse(cpu.softirq_apart(990, 1000, 5)) # too few to say

    def test_own_process(self):
        before = cpu.Snapshot([os.getpid()], os.getpid(), [])
        sum(range(300_000))
        time.sleep(0.001) # the kernel adds up a task's time when it leaves the core, or at a tick
        used = cpu.Snapshot([os.getpid()], os.getpid(), []).since(before)
        self.assertGreater(used["gateway_ns"], 0)
        self.assertGreaterEqual(used["generator_ns"], used["gateway_ns"])


def slice_of(lost=0, gateway_ns=3_000_000, busy_ns=None, send_ns=1_500_000, disturbed=""):
    """1,000 packets; each costs the generator 1,000 ns when it is alone."""
    return {"sent": 1000, "received": 1000 - lost, "lost": lost, "send_ns": send_ns, "busy_ns": busy_ns, "disturbed": disturbed,
            "cpu": {"tasks": {1: gateway_ns - 100_000, 2: 100_000}, "gateway_ns": gateway_ns, "ksoftirqd_ns": 200_000,
                    "softirq_ns": 700_000}}


def a_run(**changes):
    run = {"calibration": {1000: [1000.0]}, "softirq_apart": False,
           "lossless": {("rtpengine", "plain"): {0: 100, 1: 120}, ("trunkline_af_xdp", "plain"): {0: 200, 1: 300},
                        ("testpmd_af_xdp", "plain"): {0: 300}},
           "slices": {("rtpengine", "plain", 1000): {0: slice_of(), 1: slice_of()},
                      ("trunkline_af_xdp", "plain", 1000): {0: slice_of(busy_ns=1_000_000), 1: slice_of(busy_ns=800_000)},
                      ("testpmd_af_xdp", "plain", 1000): {0: slice_of(busy_ns=500_000)}}}
    run.update(changes)
    return run


class Results(unittest.TestCase):
    def test_cpu_of_a_slice(self):
        one = results.cpu_of(slice_of(), 1000.0, False)
        # 3,000 of its own, 200 of ksoftirqd, 500 for what sending took longer
        self.assertEqual(one["cpu"], 3700)
        self.assertEqual(one["cpu_with_idle_polls"], 3700)
        self.assertEqual(results.cpu_of(slice_of(), 1000.0, True)["cpu"], 4400)

    def test_idle_polls_are_apart(self):
        one = results.cpu_of(slice_of(busy_ns=900_000), 1000.0, False)
        self.assertEqual(one["idle_polls"], 2000) # of the thread that polls, not of the other
        self.assertEqual(one["cpu"], 1700)
        self.assertEqual(one["cpu_with_idle_polls"], 3700)

    def test_disturbed_slices_count_only_where_there_are_no_others(self):
        run = a_run()
        run["slices"]["rtpengine", "plain", 1000] = {0: slice_of(disturbed="steal"), 1: slice_of(gateway_ns=1_000_000)}
        per_round, disturbed = results.costs(run, "rtpengine", "plain", 1000)
        self.assertEqual((list(per_round), disturbed), ([1], False))
        run["slices"]["rtpengine", "plain", 1000].pop(1)
        self.assertEqual(results.costs(run, "rtpengine", "plain", 1000)[1], True)

    def test_a_slice_with_loss_has_no_cost(self):
        run = a_run()
        run["slices"]["rtpengine", "plain", 1000] = {0: slice_of(lost=5)}
        self.assertEqual(results.costs(run, "rtpengine", "plain", 1000), ({}, False))

    def test_ratios_are_paired_by_round(self):
        ratios = results.ratios_of(a_run())
        self.assertAlmostEqual(ratios["lossless"]["trunkline_af_xdp"]["plain"]["median"], (2 + 2.5) / 2)
        cpu_ratio = ratios["cpu"]["trunkline_af_xdp"]["plain"]
        self.assertEqual(cpu_ratio["rate"], 1000)
        self.assertAlmostEqual(cpu_ratio["ratio"]["median"], (1800 + 1600) / 2 / 3700)
        self.assertAlmostEqual(ratios["cpu_to_testpmd"]["trunkline_af_xdp"]["ratio"]["median"], 1800 / 1300)

    def test_targets(self):
        run = a_run()
        arms, ratios = results.arms_of(run, {}), results.ratios_of(run)
        states = {t["what"]: t for t in results.targets_of(run, arms, ratios, 1000, 300.0)}
        self.assertEqual(states["trunkline_af_xdp plain: CPU time a packet, times rtpengine's"]["state"], "reached")
        self.assertEqual(states["trunkline_af_xdp plain: lossless rate, times rtpengine's"]["state"], "reached")
        testpmd = states["trunkline_af_xdp plain: CPU time a packet, ns"]
        self.assertAlmostEqual(testpmd["limit"], 1.2 * 1300 + 300)
        self.assertEqual(testpmd["state"], "reached")
        self.assertEqual(results.rate_target("x", "cm80", 2.9, 500, 1000)["state"], "missed")
        self.assertEqual(results.rate_target("x", "cm80", 2.9, 990, 1000)["state"], "not shown")

    def test_engine_of_a_benchmark(self):
        def arm(cycles):
            return {"streams": {"1000": {"cycles_per_packet": {"median": cycles}}}}
        self.assertAlmostEqual(results.engine_ns({"arms": {"relay": arm(150), "mac_swap": arm(50)}}, 0.5), 50)
        self.assertIsNone(results.engine_ns({"arms": {}}, 0.5))


class Slices(unittest.TestCase):
    def slice(self, **changes):
        s = {"rate": 10_000, "planned_ns": 10**9, "wall_ns": 10**9, "gap_ns": 10**5, "missed": 0, "late": 0, "lost": 0, "behind": 10,
             "received": 10_000, "sampled": 100, "bad": 0, "duplicates": 0, "disordered": 0, "sample_bad": 0, "foreign": 0,
             "cpu": {"busy_ns": 10**9, "generator_ns": 6 * 10**8, "gateway_ns": 3 * 10**8, "ksoftirqd_ns": 10**7, "steal_ns": 0}}
        s["cpu"].update(changes.pop("cpu", {}))
        s.update(changes)
        return s

    def test_disturbed(self):
        self.assertEqual(generator.disturbed(self.slice()), "")
        for change in ({"missed": 1}, {"late": 1}, {"gap_ns": 6 * 10**6}, {"cpu": {"steal_ns": 2 * 10**7}},
                       {"cpu": {"busy_ns": 12 * 10**8}}, {"wall_ns": 1_050_000_000}):
            self.assertNotEqual(generator.disturbed(self.slice(**change)), "", change)

    def test_wrong(self):
        self.assertEqual(generator.wrong(self.slice()), "")
        for name in ("bad", "duplicates", "disordered", "sample_bad", "foreign"):
            self.assertIn(name, generator.wrong(self.slice(**{name: 1})))
        self.assertNotEqual(generator.wrong(self.slice(sampled=0)), "")

    def test_kept_up(self):
        self.assertTrue(generator.kept_up(self.slice(behind=100)))
        self.assertFalse(generator.kept_up(self.slice(behind=101))) # a queue that grows is loss that comes later
        self.assertFalse(generator.kept_up(self.slice(lost=1)))


if __name__ == "__main__":
    done = unittest.main(exit=False, verbosity=0).result
    bad = len(done.failures) + len(done.errors)
    print(f"{done.testsRun - bad} passed, {bad} failed, 0 skipped")
    sys.exit(bad != 0)
