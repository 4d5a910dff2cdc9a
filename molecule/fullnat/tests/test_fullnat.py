# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the real servers see, whole files in both directions, and mistakes that only hosts can tell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

# Every byte of the 200 MB comes from the same generator on both sides; what is uploaded is answered with its checksum.
SERVER = r"""
import hashlib, http.server, socket
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        size = 200 << 20
        self.send_response(200)
        self.send_header("Content-Length", str(size))
        self.end_headers()
        block = bytes(range(256)) * 4096
        for _ in range(size // len(block)):
            self.wfile.write(block)
    def do_PUT(self):
        left, digest = int(self.headers["Content-Length"]), hashlib.sha256()
        while left:
            data = self.rfile.read(min(left, 1 << 20))
            digest.update(data)
            left -= len(data)
        self.send_response(200)
        self.end_headers()
        self.wfile.write((digest.hexdigest() + "\n").encode())
    def do_HEAD(self):
        self.send_response(200)
        self.send_header("X-Client", self.client_address[0].replace("::ffff:", ""))
        self.end_headers()
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
Server(("::", 9000), Handler).serve_forever()
"""
DOWN = (
    "import hashlib; block = bytes(range(256)) * 4096; digest = hashlib.sha256(); "
    "[digest.update(block) for _ in range(200)]; print(digest.hexdigest())"
)


@pytest.fixture(scope="module", autouse=True)
def _server(scenario: Any) -> Iterator[None]:
    scenario.run("web1", f"cat > /run/server.py <<'END'\n{SERVER}\nEND")
    scenario.run("web1", "systemd-run --quiet --unit=files python3 /run/server.py")
    scenario.run("web1", "timeout 300 sh -c 'until ss -Hltn sport = :9000 | grep -q .; do sleep 0.2; done'")
    yield
    scenario.run("web1", "systemctl stop files; rm /run/server.py")


def sources(scenario: Any, url: str) -> Counter[str]:
    request = f"curl --silent --max-time 60 --head -g {url} | grep -i x-client"
    return Counter(
        line.split()[1] for line in scenario.run("client", f"for i in 1 2 3 4; do {request}; done").splitlines()
    )


def test_real_servers_have_no_route_to_the_client(scenario: Any) -> None:
    for host in ("web1", "web2"):
        assert scenario.hosts[host].run("ip route get 192.0.2.10").rc != 0
        assert scenario.hosts[host].run("ip route get 2001:db8::10").rc != 0


def test_real_servers_see_the_director(scenario: Any) -> None:
    """One address for IPv6, two in turn where two are named: the packet filter counts connections."""
    assert sources(scenario, "http://192.0.2.100:8081/") == {"10.1.0.2": 2, "10.1.0.3": 2}
    assert sources(scenario, "http://[2001:db8::100]:8081/") == {"fd01::2": 4}


def test_ipv6_answers_in_turn(scenario: Any) -> None:
    assert scenario.answers("http://[2001:db8::100]:8080/") == Counter(web1=10, web2=10)


@pytest.mark.parametrize("url", ["http://192.0.2.100:8081/", "http://[2001:db8::100]:8081/"])
def test_whole_files_in_both_directions(scenario: Any, url: str) -> None:
    wanted = scenario.run("client", f"python3 -c '{DOWN}'")
    assert scenario.run("client", f"curl --silent --speed-time 120 -g {url} | sha256sum").split()[0] == wanted
    scenario.run("client", "head -c 52428800 /dev/urandom > /tmp/up")
    sent = scenario.run("client", "sha256sum /tmp/up").split()[0]
    assert scenario.run("client", f"curl --silent --speed-time 120 -g -T /tmp/up {url}; rm /tmp/up") == sent


def test_what_the_host_refuses_touches_nothing(scenario: Any) -> None:
    """A packet filter that the kernel does not serve, and a source that the director has not."""
    before = {name: scenario.picture(name) for name in scenario.managed}
    wrong = {
        "lvs_packet_filter=nftables": "No packet filter (nftables) of the kernel",
        '{"lvs_services": [{"name": "web", "address": "192.0.2.100", "port": 8080, "forward": "fullnat", '
        '"snat_addresses": ["10.1.0.9"], "real_servers": [{"host": "web1"}]}]}': (
            "lvs_services[0].snat_addresses[0]: 10.1.0.9 is not an address of the director director"
        ),
    }
    for variables, message in wrong.items():
        result = scenario.try_playbook("lvs.topology.site", "--extra-vars", variables)
        assert result.returncode != 0
        assert message in result.stdout + result.stderr
        assert "Traceback" not in result.stdout + result.stderr
    assert {name: scenario.picture(name) for name in scenario.managed} == before


def test_what_is_removed_by_hand_is_put_right(scenario: Any) -> None:
    scenario.run("director", "iptables-legacy -t nat -F lvs-director-snat")
    assert sum(scenario.answers("http://192.0.2.100:8080/", 1, patience=5).lost.values()) == 1
    # What is right is left alone, after a power cut as well.
    output = scenario.playbook("lvs.topology.site", "--diff")
    assert scenario.changed(output) == {"director": ["packet_rules"], "web1": [], "web2": []}, output
    scenario.check("serving")


def test_the_boot_unit_needs_nothing_that_it_would_have_to_make_in_run(scenario: Any) -> None:
    """ProtectSystem=strict makes /run read-only. Where a service has its own /proc, some kernels leave it writable."""
    drop_in = "/run/systemd/system/lvs-topology.service.d"
    strict = ["ReadOnlyPaths=/run", "ProtectControlGroups=no", "ProtectKernelTunables=no", "ProtectProc=default"]
    scenario.run(
        "director", f"mkdir -p {drop_in} && printf '%s\\n' '[Service]' {' '.join(strict)} >{drop_in}/strict.conf"
    )
    try:
        scenario.run(
            "director",
            "systemctl daemon-reload; iptables-legacy -t nat -F lvs-director-snat; rm -f /run/xtables.lock; "
            "systemctl restart lvs-topology",
        )
        assert "-j SNAT" in scenario.run("director", "iptables-legacy -t nat -S lvs-director-snat")
    finally:
        scenario.run("director", f"rm -r {drop_in}; systemctl daemon-reload")
