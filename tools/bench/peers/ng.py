# SPDX-License-Identifier: BSD-3-Clause
"""rtpengine's control protocol: dictionaries in bencode over UDP, and the little SDP that a call needs."""
import os
import re
import socket


def bencode(value):
    """int, str, list, dict to bytes."""
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, str):
        data = value.encode()
        return b"%d:%s" % (len(data), data)
    if isinstance(value, list):
        return b"l" + b"".join(bencode(v) for v in value) + b"e"
    return b"d" + b"".join(bencode(k) + bencode(value[k]) for k in sorted(value)) + b"e"


def bdecode(data, at=0):
    """Bytes to (value, where it ends); strings come back as str. ValueError if it is no bencode."""
    kind = data[at:at + 1]
    if kind == b"i":
        end = data.index(b"e", at)
        return int(data[at + 1:end]), end + 1
    if kind in (b"l", b"d"):
        items = []
        at += 1
        while data[at:at + 1] != b"e":
            item, at = bdecode(data, at)
            items.append(item)
        if kind == b"l":
            return items, at + 1
        return dict(zip(items[::2], items[1::2])), at + 1
    colon = data.index(b":", at)
    end = colon + 1 + int(data[at:colon])
    if end > len(data):
        raise ValueError("a string ends too soon")
    return data[colon + 1:end].decode(errors="replace"), end


class Ng:
    """A client, in the namespace of the process."""

    def __init__(self, address, port):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((address, port))
        self.cookie = 0

    def close(self):
        self.socket.close()

    def call(self, command, seconds=2.0, **fields):
        """Sends a command and returns the answer. RuntimeError if it is an error, TimeoutError if there is none."""
        self.cookie += 1
        cookie = b"%d_%d" % (os.getpid(), self.cookie)
        request = {key.replace("_", "-"): value for key, value in fields.items()}
        request["command"] = command
        self.socket.settimeout(seconds)
        self.socket.send(cookie + b" " + bencode(request))
        while True:
            data = self.socket.recv(65536)
            name, _, body = data.partition(b" ")
            if name == cookie:
                break
        answer, _ = bdecode(body)
        if answer.get("result") not in ("ok", "pong"):
            raise RuntimeError(f"rtpengine refuses {command}: {answer.get('error-reason', answer)}")
        return answer


def sdp(address, port, protocol, crypto=None):
    """One PCMA stream; crypto is what follows a=crypto:."""
    lines = ["v=0", f"o=- 1 1 IN IP4 {address}", "s=-", f"c=IN IP4 {address}", "t=0 0",
             f"m=audio {port} {protocol} 8", "a=rtpmap:8 PCMA/8000", "a=ptime:20", "a=sendrecv"]
    if crypto:
        lines.append("a=crypto:" + crypto)
    return "\r\n".join(lines) + "\r\n"


def sdp_address(text):
    """(address, port) of the first stream."""
    address = re.search(r"^c=IN IP4 (\S+)", text, re.M)
    port = re.search(r"^m=audio (\d+)", text, re.M)
    if not address or not port:
        raise RuntimeError("an SDP without an address: " + text)
    return address.group(1), int(port.group(1))


def sdp_crypto(text, suite):
    """(tag, base64 key) of the line that offers the suite. RuntimeError if none does."""
    found = re.search(rf"^a=crypto:(\d+) {re.escape(suite)} inline:([A-Za-z0-9+/=]+)", text, re.M)
    if not found:
        raise RuntimeError(f"an SDP without {suite}: {text}")
    return int(found.group(1)), found.group(2)
