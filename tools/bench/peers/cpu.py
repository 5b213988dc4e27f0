# SPDX-License-Identifier: BSD-3-Clause
"""CPU time of processes and cores, in nanoseconds.

A task's run time comes from schedstat, which is exact. Whether softirqs that run on top of a task are in it depends on
the kernel (CONFIG_IRQ_TIME_ACCOUNTING); softirq_apart() finds out, and where they are apart they are added from /proc/stat.
"""
import os

TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
STAT = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")


def task_ns(pid):
    """Run time of each thread of a process: {thread id: ns}. Empty when it is gone."""
    times = {}
    try:
        for tid in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{tid}/schedstat", encoding="ascii") as f:
                times[int(tid)] = int(f.read().split()[0])
    except (FileNotFoundError, ProcessLookupError):
        pass
    return times


def ksoftirqds():
    """Process ids of the kernel's softirq threads."""
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/comm", encoding="ascii", errors="replace") as f:
                if f.read().startswith("ksoftirqd/"):
                    found.append(int(name))
        except OSError:
            pass
    return found


def parse_stat(text):
    """/proc/stat's lines of cores: {core: {name: ns}}."""
    cores = {}
    for line in text.splitlines():
        word = line.split()
        if word and word[0].startswith("cpu") and word[0] != "cpu":
            cores[int(word[0][3:])] = {n: int(v) * TICK_NS for n, v in zip(STAT, word[1:])}
    return cores


class Snapshot:
    """What a slice's CPU time is the difference of two of."""

    def __init__(self, gateway_pids, generator_pid, softirqd_pids):
        self.gateway = {}
        for pid in gateway_pids:
            self.gateway.update(task_ns(pid))
        self.generator = sum(task_ns(generator_pid).values())
        self.ksoftirqd = sum(sum(task_ns(pid).values()) for pid in softirqd_pids)
        with open("/proc/stat", encoding="ascii") as f:
            self.cores = parse_stat(f.read())

    def since(self, before):
        """CPU time between the two, as a dict; threads that are new count from their start."""
        tasks = {tid: ns - before.gateway.get(tid, 0) for tid, ns in self.gateway.items()}

        def cores(*names):
            return sum(self.cores[c][n] - before.cores[c][n] for c in self.cores if c in before.cores for n in names)

        return {
            "tasks": tasks,
            "gateway_ns": sum(tasks.values()),
            "generator_ns": self.generator - before.generator,
            "ksoftirqd_ns": self.ksoftirqd - before.ksoftirqd,
            "softirq_ns": cores("irq", "softirq"),
            "steal_ns": cores("steal"),
            "busy_ns": cores("user", "nice", "system", "irq", "softirq"),
        }


def softirq_apart(spun_ns, wall_ns, softirq_ns):
    """Whether a thread that never slept for wall_ns was charged without the softirqs on top of it."""
    return wall_ns - spun_ns > softirq_ns / 2 and softirq_ns > wall_ns / 50
