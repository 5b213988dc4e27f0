# SPDX-License-Identifier: BSD-3-Clause
"""The gateways under test. All run in the namespace of this process, on one core, and are started for one visit.

Each has: start(); calls(suite, count, path) writes blast's file; pids(); busy(), the cycles that it spent on packets so
far, for those that poll; drops(); stop().
"""
import base64
import json
import os
import re
import secrets
import signal
import subprocess
import time

from ng import Ng, sdp, sdp_address, sdp_crypto

START_S = 15
PORT = 20000 # blast's, of call 0
KEY_BYTES = {"AES_CM_128_HMAC_SHA1_80": 30, "AEAD_AES_128_GCM": 28}
RINGS = "qdisc_bypass=1,framecnt=4096,blocksz=65536"


class Site:
    """Where the gateways are: interfaces, addresses, cores, a folder for files, the folder of our programs."""

    def __init__(self, env, build, work, gateway_core):
        self.build, self.work, self.core = build, work, gateway_core
        self.interface = {"peer": env["TOPO_GW_PEER_IF"], "core": env["TOPO_GW_CORE_IF"]}
        self.kernel_ip = {"peer": env["TOPO_PEER_SIP_IP"], "core": env["TOPO_CORE_SIP_IP"]}
        self.media_ip = {"peer": env["TOPO_PEER_MEDIA_IP"], "core": env["TOPO_CORE_MEDIA_IP"]}
        self.party_ip = {"peer": env["TOPO_PEER_IP"], "core": env["TOPO_CORE_IP"]}
        self.party_mac = {"peer": env["PEER_MAC"], "core": env["CORE_MAC"]}


class Gateway:
    """What they share: a child process on the gateway's core."""

    def __init__(self, site, name):
        self.site, self.name = site, name
        self.process = None
        self.log = os.path.join(site.work, name + ".log")

    def spawn(self, command, **pipes):
        with open(self.log, "w", encoding="utf-8") as log:
            pipes.setdefault("stdout", log)
            pipes.setdefault("stdin", subprocess.DEVNULL)
            self.process = subprocess.Popen(["taskset", "-c", str(self.site.core)] + command, stderr=log, **pipes)

    def wait_for(self, done, what):
        """Until done() is true. RuntimeError with the log's end if it does not come or the process ends."""
        end = time.monotonic() + START_S
        while not done():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self.name}: {what}: " + self.log_end())
            time.sleep(0.02)

    def log_text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def log_end(self):
        return "\n".join(self.log_text().splitlines()[-8:])

    def pids(self):
        return [self.process.pid]

    def busy(self):
        return None

    def drops(self):
        return {}

    def end(self, sign=signal.SIGTERM):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(sign)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process = None

    stop = end


def write_calls(path, calls):
    """blast's file; each call is two sides of (ip, port, suite, key sent with, key received with), keys as bytes."""
    with open(path, "w", encoding="ascii") as f:
        for call in calls:
            words = ["call"]
            for ip, port, suite, tx, rx in call:
                words += [ip, str(port), suite or "-", tx.hex() or "-", rx.hex() or "-"]
            f.write(" ".join(words) + "\n")


# ---- rtpengine ---------------------------------------------------------------------------------------


class Rtpengine(Gateway):
    """Debian's rtpengine-daemon, forwarding in user space (table -1); threads 0 is its own default."""

    def __init__(self, site, name, threads):
        super().__init__(site, name)
        self.threads = threads
        self.ng = None
        self.names = [] # of the calls that are up
        self.number = 0

    def command(self):
        site = self.site
        command = ["rtpengine", "--config-file=" + os.path.join(site.work, "none.conf"), "--foreground", "--table=-1",
                   "--log-stderr", "--log-level=4", "--endpoint-learning=off",
                   "--listen-ng=127.0.0.1:2223", "--port-min=30000", "--port-max=60000"]
        command += [f"--interface={side}/{site.kernel_ip[side]}" for side in ("peer", "core")]
        return command + ([f"--num-threads={self.threads}"] if self.threads else [])

    def start(self):
        with open(os.path.join(self.site.work, "none.conf"), "w", encoding="ascii") as f:
            f.write("[rtpengine]\n")
        self.spawn(self.command())
        self.ng = Ng("127.0.0.1", 2223)

        def answers():
            try:
                return self.ng.call("ping", 0.2).get("result") == "pong"
            except OSError:
                return False
        self.wait_for(answers, "does not answer")

    def drops(self):
        """What it complains of itself, by the first words of the sentence."""
        found = {}
        for line in self.log_text().splitlines():
            said = re.search(r"(?:ERR|WARNING|CRIT): (?:\[.*?\]: )*(.{1,60})", line)
            if said:
                found[said.group(1)] = found.get(said.group(1), 0) + 1
        return found

    def stop(self):
        if self.ng:
            self.ng.close()
            self.ng = None
        self.end()

    def calls(self, suite, count, path):
        for name in self.names:
            self.ng.call("delete", call_id=name, from_tag="peer", delete_delay=0)
        self.names = []
        write_calls(path, [self.one_call(suite, n) for n in range(count)])

    def one_call(self, suite, n):
        """Offer from the peer (plain), answer from the core (plain or SRTP by SDES)."""
        site, port = self.site, PORT + 2 * n
        self.number += 1
        names = {"call_id": f"call-{self.number}", "from_tag": "peer"}
        self.names.append(names["call_id"])
        flags = {"ICE": "remove", "DTLS": "off", "replace": ["origin", "session-connection"], "rtcp_mux": ["demux"]}
        profile = "RTP/SAVP" if suite else "RTP/AVP"
        offer = self.ng.call("offer", sdp=sdp(site.party_ip["peer"], port, "RTP/AVP"), direction=["peer", "core"],
                             transport_protocol=profile, **names, **flags)["sdp"]
        ours, theirs, crypto = b"", b"", None
        if suite:
            tag, key = sdp_crypto(offer, suite)
            theirs = base64.b64decode(key + "=" * (-len(key) % 4)) # rtpengine leaves the padding out
            ours = secrets.token_bytes(KEY_BYTES[suite])
            crypto = f"{tag} {suite} inline:{base64.b64encode(ours).decode()}"
        answer = self.ng.call("answer", sdp=sdp(site.party_ip["core"], port, profile, crypto), to_tag="core",
                              **names, **flags)["sdp"]
        return (*sdp_address(answer), "", b"", b""), (*sdp_address(offer), suite, ours, theirs)


# ---- ours --------------------------------------------------------------------------------------------


class Trunkline(Gateway):
    """trunkline-dataplane on a driver of DPDK's, one worker in adaptive mode."""

    def __init__(self, site, name, driver):
        super().__init__(site, name)
        self.driver = driver
        self.helper = None

    def device(self, number, side):
        extra = "," + RINGS if self.driver == "af_packet" else ""
        return f"net_{self.driver}{number},iface={self.site.interface[side]}{extra}"

    def config(self):
        site, sides = self.site, ("peer", "core")
        return {
            "dataplane": {
                "socket": os.path.join(site.work, "dataplane.sock"), "file_prefix": f"tl-peers-{os.getpid()}",
                "main_core": site.core, "worker_cores": [site.core], "poll": "adaptive", "huge_pages": False,
                "memory_mb": 256, "mbufs": 32767, "max_sessions": 5000,
                "ports": [{"name": side, "device": self.device(n, side), "rx_descriptors": 2048, "tx_descriptors": 2048}
                          for n, side in enumerate(sides)]},
            "realms": [{"name": side, "port": side, "address": site.media_ip[side] + "/24"} for side in sides],
        }

    def start(self):
        path = os.path.join(self.site.work, "dataplane.json")
        with open(path, "w", encoding="ascii") as f:
            json.dump(self.config(), f)
        self.spawn([os.path.join(self.site.build, "dataplane/trunkline-dataplane"), "--config", path])
        self.wait_for(lambda: " control at " in self.log_text(), "does not start")

    def calls(self, suite, count, path):
        self.end_calls()
        command = [os.path.join(self.site.build, "tools/bench/peers/relay_calls"), "--socket",
                   os.path.join(self.site.work, "dataplane.sock"), "--peer", self.site.party_ip["peer"],
                   "--core", self.site.party_ip["core"], "--calls", str(count), "--out", path]
        command += ["--core-suite", suite] if suite else []
        self.helper = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.helper.stdout.readline() != "ready\n":
            raise RuntimeError(f"{self.name}: the calls could not be set up (see above)")

    def end_calls(self):
        if self.helper:
            self.helper.stdin.close()
            self.helper.wait(10)
            self.helper.stdout.close()
            self.helper = None

    def counters(self):
        self.helper.stdin.write("\n")
        self.helper.stdin.flush()
        return json.loads(self.helper.stdout.readline())

    def busy(self):
        return self.counters()["busy_cycles"]

    def drops(self):
        return self.counters()["drops"]

    def stop(self):
        self.end_calls()
        self.end()


# ---- testpmd -----------------------------------------------------------------------------------------


class Testpmd(Gateway):
    """dpdk-testpmd --forward-mode=mac: what the I/O alone costs. It polls all the time, and counts its busy cycles."""

    def __init__(self, site, name, driver):
        super().__init__(site, name)
        self.driver = driver

    def command(self):
        site = self.site
        extra = "," + RINGS if self.driver == "af_packet" else ""
        command = ["stdbuf", "-oL", "dpdk-testpmd", f"--lcores=0@{site.core},1@{site.core}", "--no-huge", "-m", "256",
                   "--no-pci", "--no-shconf", "--no-telemetry", f"--file-prefix=tl-peers-testpmd-{os.getpid()}"]
        for number, side in enumerate(("peer", "core")):
            command.append(f"--vdev=net_{self.driver}{number},iface={site.interface[side]}{extra}")
        return command + ["--", "-i", "--forward-mode=mac", f"--eth-peer=0,{site.party_mac['peer']}",
                          f"--eth-peer=1,{site.party_mac['core']}", "--nb-cores=1", "--total-num-mbufs=32767",
                          "--no-mlockall", "--rxd=2048", "--txd=2048", "--burst=32", "--record-core-cycles"]

    def start(self):
        with open(self.log, "w", encoding="utf-8") as log:
            self.spawn(self.command(), stdin=subprocess.PIPE, stdout=log, text=True)
        self.say("start")
        self.wait_for(lambda: "mac packet forwarding" in self.log_text(), "does not start")

    def say(self, text):
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def calls(self, suite, count, path):
        if suite:
            raise RuntimeError("testpmd has no SRTP")
        ip = self.site.party_ip
        write_calls(path, [((ip["core"], PORT + 2 * n, "", b"", b""), (ip["peer"], PORT + 2 * n, "", b"", b""))
                           for n in range(count)])

    def busy(self):
        """The sum of its busy cycles so far, from what `show fwd stats all` prints."""
        mark = len(self.log_text())
        self.say("show fwd stats all")
        seen = []

        def printed():
            text = self.log_text()[mark:]
            seen[:] = re.findall(r"total cycles=(\d+)", text)
            return seen or re.search(r"Accumulated.*\n(.*\n)*.*\+{60,}\n", text)
        self.wait_for(printed, "says no statistics")
        return int(seen[0]) if seen else 0

    def stop(self):
        if self.process and self.process.poll() is None:
            try:
                self.say("quit")
                self.process.wait(5)
            except (OSError, subprocess.TimeoutExpired):
                pass
        self.end()
