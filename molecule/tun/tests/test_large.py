# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and answers larger than the MTU, with DF set: they arrive whole, unfragmented, from the client itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

DOWN, UP = 200, 50
# The MSS that fits: 1500 less the outer headers, less IP and TCP inside.
SIZES = {
    "192.168.0.100": 1500 - 20 - 40,
    "192.168.0.101": 1500 - 40 - 40,
    "192.168.0.102": 1500 - 28 - 40,
    "[2001:db8:2::100]": 1500 - 40 - 60,
}
SERVER = """
import hashlib, http.server, socket
class Handler(http.server.BaseHTTPRequestHandler):
    def do_PUT(self):
        left, digest = int(self.headers["Content-Length"]), hashlib.sha256()
        while left:
            block = self.rfile.read(min(left, 65536)); left -= len(block); digest.update(block)
        self.send_response(200); self.end_headers()
        self.wfile.write(f"{digest.hexdigest()} {self.client_address[0]}".encode())
    def do_GET(self):
        self.send_response(200); self.end_headers()
        for number in range(int(self.path[1:]) * 16): self.wfile.write(number.to_bytes(8, "big") * 8192)
    def log_message(self, *words): pass
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
Server(("::", 8000), Handler).serve_forever()
"""
# What the server sends, made where it can be compared.
SAME = (
    "import hashlib; digest = hashlib.sha256(); "
    "[digest.update(n.to_bytes(8, 'big') * 8192) for n in range({})]; print(digest.hexdigest())"
)


@pytest.fixture(scope="module", autouse=True)
def servers(scenario: Any) -> Iterator[None]:
    for host in ("web1", "web2"):
        scenario.run(host, f"cat >/run/large.py <<'EOF'\n{SERVER}EOF")
        scenario.run(host, "systemd-run --quiet --unit large python3 /run/large.py")
        scenario.run(host, "timeout 300 sh -c 'until ss -Hltn sport = :8000 | grep -q .; do sleep 0.2; done'")
    scenario.run("client", f"head -c {UP}M /dev/urandom >/tmp/upload")
    yield
    for host in ("web1", "web2"):
        scenario.run(host, "systemctl stop large; rm /run/large.py")
    scenario.run("client", "rm /tmp/upload")


@pytest.mark.parametrize("vip", SIZES)
def test_large_requests_and_answers(scenario: Any, tmp_path: Path, vip: str) -> None:
    url = f"http://{vip}:8000/"
    # As the client's segment sees it, SYN and SYN-ACK; as the real servers' segment does, whatever is a fragment.
    size = 50 if DOWN > 100 and "102" in vip else DOWN
    uploaded = scenario.run("client", "sha256sum </tmp/upload").split()[0]
    made = scenario.run("client", f'python3 -c "{SAME.format(size * 16)}"').strip()
    begins = "tcp[tcpflags] & tcp-syn != 0 or (ip6 and ip6[6] == 6 and ip6[53] & 2 != 0)"
    fragments = "ip[6:2] & 0x3fff != 0 or ip6[6] == 44"
    watch_front = scenario.capture(tmp_path / "front", "front", begins, "-v")
    watch_back = scenario.capture(tmp_path / "back", "back", fragments, "-v")
    with watch_front as front, watch_back as back:
        answer = scenario.run("client", f"curl --silent --show-error --speed-time 120 -T /tmp/upload {url}")
        downloaded = scenario.run("client", f"curl --silent --show-error --speed-time 120 {url}{size} | sha256sum")
    client = "2001:db8:1::10" if ":" in vip else "::ffff:172.25.254.10"
    assert answer.split() == [uploaded, client]
    assert downloaded.split()[0] == made
    handshakes = front.text
    assert "DF" in handshakes or ":" in vip
    offered = {int(each) for each in re.findall(r"Flags \[S\.\].*?mss (\d+)", handshakes)}
    assert offered == {SIZES[vip]}, handshakes
    assert back.text.strip() == "", "fragments"


def test_everything_is_as_described(scenario: Any) -> None:
    scenario.check("serving")
