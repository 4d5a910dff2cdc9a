# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""packet_rules on a real kernel, with every packet filter that it serves; judged by nft, iptables-save and curl."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import subprocess
from collections import Counter
from pathlib import Path

import pytest

LEDGER = Path("/var/lib/lvs-topology/ledger.json")
VIP, VIP6 = "10.0.0.100", "fd00::100"
MARKS = [
    {"mark": 10, "address": VIP, "ports": ["20-21", "30000-30100"]},
    {"mark": 10, "address": VIP6, "protocol": "sctp"},
]
NAT = [
    {"address": VIP, "port": 80, "to": ["10.1.0.1"]},
    {"address": VIP, "port": 81, "destinations": ["10.1.0.11", "10.1.0.12"], "to": ["10.1.0.1", "10.1.0.2"]},
    {"address": VIP6, "protocol": "udp", "to": ["fd01::1"]},
    {"fwmark": 10, "family": "ipv6", "to": ["fd01::1", "fd01::2", "fd01::3"]},
]
EVERYTHING = {"marks": MARKS, "source_nat": NAT}
# Minutes in all: for kernel-all, and for the stock kernel.
pytestmark = pytest.mark.slow
SERVER = """
import http.server, socket, sys, threading
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write((self.client_address[0].replace("::ffff:", "") + "\\n").encode())
    def log_message(self, *words):
        pass
class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
for listening in [Server(("::", int(port)), Handler) for port in sys.argv[1:]]:
    threading.Thread(target=listening.serve_forever).start()
print("listening", flush=True)
"""


def works(command: str) -> bool:
    """Whether the kernel does it, in a network namespace of its own."""
    return subprocess.run(["unshare", "--net", "sh", "-c", command], capture_output=True, check=False).returncode == 0


def find_served() -> dict[str, str]:
    """The backends that this kernel serves and their commands, found out by hand."""
    found = {}
    if works("nft add table inet t && nft 'add chain inet t c { type nat hook postrouting priority 100; }'"):
        found["nftables"] = "nft"
    for command in ("iptables-legacy", "iptables"):
        if works(f"{command} -t nat -A POSTROUTING -j MASQUERADE"):
            found["iptables"] = command
    return found


# Where tests are only collected, nothing is asked of the kernel.
SERVED = find_served() if os.environ.get("LVS_KERNEL_TEST") == "1" else {}


@pytest.fixture(autouse=True)
def _ipvs(sh) -> None:
    sh("modprobe ip_vs")


@pytest.fixture
def served() -> dict[str, str]:
    return SERVED


@pytest.fixture(params=list(SERVED))
def backend(request) -> str:
    """Each backend that the kernel serves, in turn."""
    return request.param


def ruleset(sh) -> str:
    """All rules of the host, as the operators' tools list them; empty chains are none, and their order says nothing."""
    commands = ["nft list ruleset", *(f"{name}-save" for name in ("iptables-legacy", "ip6tables-legacy"))]
    lines = "".join(sh(f"{command} 2>/dev/null || true") for command in commands).splitlines()
    frame = ("#", ":", "*", "COMMIT", "table ", "chain ", "type ", "}")
    rules = [line for line in lines if line and not line.strip().startswith(frame)]
    return "".join(f"{line}\n" for line in sorted((*rules, *(line for line in lines if "other" in line))))


def test_auto_takes_nftables_where_the_kernel_serves_it(run_module, served) -> None:
    result = run_module("packet_rules", {"source_nat": NAT}, check=True)
    assert result["backend"].endswith(f"/{served.get('nftables') or served['iptables']}")


def test_what_the_kernel_does_not_serve_is_refused(run_module, sh, served) -> None:
    for name in ("nftables", "iptables"):
        result = run_module("packet_rules", {**EVERYTHING, "backend": name})
        assert bool(result.get("failed")) == (name not in served), result
        if name not in served:
            assert f"No packet filter ({name}) of the kernel" in result["msg"]
            assert "Traceback" not in result["msg"]
            assert not LEDGER.exists()
            assert ruleset(sh) == ""
        run_module("packet_rules", {"state": "absent"})


def test_create_modify_delete(run_module, sh, served, backend) -> None:
    others = {"nftables": "nft add table inet other", "iptables": f"{served.get('iptables')} -t nat -N other"}[backend]
    sh(others)
    before = ruleset(sh)
    wanted = {**EVERYTHING, "backend": backend}
    predicted = run_module("packet_rules", wanted, check=True)
    assert ruleset(sh) == before
    assert not LEDGER.exists()
    result = run_module("packet_rules", wanted)
    assert result["changes"] == predicted["changes"]
    assert result["diff"] == predicted["diff"]
    assert result["diff"]["before"] == ""
    there = ruleset(sh)
    lister = "nft list ruleset" if backend == "nftables" else f"{served['iptables']}-save"
    listed = sh(lister) + ("" if backend == "nftables" else sh(lister.replace("ip", "ip6", 1)))
    assert all(line.strip() in listed for line in result["diff"]["after"].splitlines() if not line.startswith(":"))
    assert not run_module("packet_rules", wanted)["changed"]
    assert ruleset(sh) == there

    # What somebody took away or changed by hand is seen, and put right.
    if backend == "nftables":
        sh("nft flush chain inet lvs_topology_lvs marks")
    else:
        sh(f"{served['iptables']} -t mangle -F lvs-lvs-mark")
        sh(f"{served['iptables']} -t nat -D POSTROUTING -j lvs-lvs-snat")
    repaired = run_module("packet_rules", wanted)
    assert repaired["changed"]
    assert all(": add " in line for line in repaired["changes"])
    assert ruleset(sh) == there
    assert not run_module("packet_rules", wanted)["changed"]

    # What is not listed any more stays until it is purged; another target takes the place of the old one at once.
    fewer = {"source_nat": [{"address": VIP, "port": 80, "to": ["10.1.0.9"]}], "backend": backend}
    changed = run_module("packet_rules", fewer)
    assert len(changed["changes"]) == 2, changed["changes"]
    assert "mark 10: tcp 10.0.0.100 20-21" in changed["left_over"]
    assert not any("80" in key.split() for key in changed["left_over"])
    purged = run_module("packet_rules", {**fewer, "purge": True})
    assert purged["left_over"] == []
    assert not run_module("packet_rules", {**fewer, "purge": True})["changed"]
    assert "mark" not in ruleset(sh)

    gone = run_module("packet_rules", {"state": "absent"}, check=True)
    assert run_module("packet_rules", {"state": "absent"})["changes"] == gone["changes"]
    assert ruleset(sh) == before
    assert not run_module("packet_rules", {"state": "absent"})["changed"]
    assert not LEDGER.exists()
    sh("nft delete table inet other" if backend == "nftables" else f"{served['iptables']} -t nat -X other")


def test_only_what_is_listed_goes(run_module, sh, backend) -> None:
    run_module("packet_rules", {**EVERYTHING, "backend": backend})
    result = run_module("packet_rules", {"source_nat": NAT, "state": "absent", "backend": backend})
    assert all(": remove " in line for line in result["changes"])
    assert not any("30000" in line for line in result["changes"])
    run_module("packet_rules", {"state": "absent"})
    assert ruleset(sh) == ""


def test_another_backend_takes_over(run_module, sh, served) -> None:
    for name in served:
        result = run_module("packet_rules", {**EVERYTHING, "backend": name})
        assert result["changed"]
        assert result["backend"].endswith(f"/{served[name]}")
        assert all((name == "nftables") == line.startswith("nft ") for line in result["changes"] if ": add " in line)
        assert not run_module("packet_rules", {**EVERYTHING, "backend": name})["changed"]
    run_module("packet_rules", {"state": "absent"})
    assert ruleset(sh) == ""


def test_the_marks_of_others_are_not_set_again(run_module, sh, served, backend) -> None:
    if backend == "nftables":
        sh("nft add table ip other && nft 'add chain ip other c { type filter hook prerouting priority -150; }'")
        sh("nft add rule ip other c tcp dport 443 counter meta mark set 10")
    else:
        sh(f"{served['iptables']} -t mangle -A PREROUTING -p tcp --dport 443 -j MARK --set-mark 10")
    before = ruleset(sh)
    for name, args in (
        ("packet_rules", {"marks": MARKS}),
        ("preflight", {"packet_rules": {"marks": MARKS}}),
        ("preflight", {"plan": {"packet_rules": {"marks": MARKS}}}),
    ):
        message = run_module(name, args)["msg"]
        assert "marks[0].mark: 10 is set by a rule of somebody else already (" in message
        assert "443" in message
    assert ruleset(sh) == before
    assert not LEDGER.exists()
    assert run_module("packet_rules", {"marks": [{**MARKS[0], "mark": 11}]})["changed"]
    run_module("packet_rules", {"state": "absent"})
    sh("nft delete table ip other" if backend == "nftables" else f"{served['iptables']} -t mangle -F PREROUTING")


def test_mistakes_come_together(run_module, sh) -> None:
    message = run_module(
        "packet_rules",
        {
            "owner": "a-name-that-is-much-too-long",
            "marks": [
                {"mark": 0, "address": VIP},
                {"mark": 1, "address": VIP, "ports": ["80", "70-60", "x"]},
                {"mark": 2, "address": VIP, "ports": ["70-90"]},
                {"mark": 3, "address": "10.0.0.0/24"},
            ],
            "source_nat": [
                {"address": VIP, "to": ["fd00::1", "10.1.0.1", "10.1.0.1"]},
                {"address": VIP, "to": []},
                {"address": VIP, "port": 70000, "to": ["10.1.0.1"]},
                {"fwmark": 7, "family": "ipv4", "destinations": ["fd00::1"], "to": ["10.1.0.1"]},
                {"fwmark": 7, "family": "ipv4", "to": ["10.1.0.2"]},
            ],
        },
    )["msg"]
    for text in (
        "owner: 'a-name-that-is-much-too-long' is too long",
        "marks[0].mark: 0 is out of range",
        "marks[1].ports[1]: '70-60' is neither a port nor a range",
        "marks[1].ports[2]: 'x' is neither",
        "marks[1].ports[0]: tcp 10.0.0.100 80 gets mark 1 here and mark 2 in marks[2].ports[0]",
        "marks[3].address: '10.0.0.0/24' is not an IPv4",
        "source_nat[0].to[0]: fd00::1 is IPv6, and the service is IPv4",
        "source_nat[0].to[2]: 10.1.0.1 is already listed in source_nat[0].to[0]",
        "source_nat[1].to: is empty",
        "source_nat[2].port: 70000 is out of range",
        "source_nat[3].destinations[0]: fd00::1 is IPv6",
        "source_nat[4]: ipv4 mark 7 is already listed in source_nat[3]",
    ):
        assert text in message
    assert ruleset(sh) == ""
    one = run_module("packet_rules", {"source_nat": [{"to": ["10.1.0.1"]}]})["msg"]
    assert "one of the following is required: address, fwmark" in one


def test_a_look_loads_nothing_of_ipvs(run_module, sh) -> None:
    sh("for name in xt_ipvs $(lsmod | awk '/^ip_vs_/ {print $1}') ip_vs; do rmmod $name 2>/dev/null || true; done")
    assert "ip_vs" not in {line.split()[0] for line in sh("lsmod").splitlines()}, "another test left what needs it"
    result = run_module("preflight", {"packet_rules": EVERYTHING})
    of_fullnat = run_module("preflight", {"packet_rules": {"source_nat": NAT}})
    predicted = run_module("packet_rules", EVERYTHING, check=True)
    assert "ip_vs" not in {line.split()[0] for line in sh("lsmod").splitlines()}
    assert result["kernel_modules"] == ([] if predicted["backend"].endswith("nft") else ["xt_ipvs"])
    assert of_fullnat["kernel_modules"] == result["kernel_modules"]
    real = run_module("packet_rules", EVERYTHING)
    assert real["changes"] == predicted["changes"]
    assert not run_module("packet_rules", EVERYTHING)["changed"]
    run_module("packet_rules", {"state": "absent"})


def test_restored_at_boot(run_module, sh, backend) -> None:
    sh("mount -t tmpfs tmpfs /etc/systemd/system")
    rules = {**EVERYTHING, "backend": backend}
    run_module("packet_rules", rules)
    there = ruleset(sh)
    result = run_module("boot_restore", {"packet_rules": rules})
    assert not run_module("boot_restore", {"packet_rules": rules})["changed"]
    suffixes = ["nft"] if backend == "nftables" else ["iptables", "ip6tables"]
    written = [line.rpartition(".")[2] for line in result["changes"] if line.startswith("write /etc/lvs-topology/lvs.")]
    assert written == suffixes
    # On a live host nothing changes, and after a boot everything is there.
    sh("/etc/lvs-topology/restore")
    assert ruleset(sh) == there
    sh("cp -r /var/lib/lvs-topology /tmp/kept")
    run_module("packet_rules", {"state": "absent"})
    assert ruleset(sh) == ""
    sh("cp -r /tmp/kept/. /var/lib/lvs-topology && rm -r /tmp/kept && /etc/lvs-topology/restore")
    assert ruleset(sh) == there
    assert not run_module("packet_rules", rules)["changed"]
    run_module("packet_rules", {"state": "absent"})
    run_module("boot_restore", {"state": "absent"})
    assert not list(Path("/etc/lvs-topology").iterdir())


@pytest.fixture
def network(wire, sh) -> None:
    """client - the test's own namespace, which is the director - two real servers without a route to the client."""
    wire("client", "10.0.0.10/24", "fd00::10/64")
    for number in (11, 12):
        wire(f"rs{number}", f"10.1.0.{number}/24", f"fd01::{number}/64", bridge="br1")
    for address in ("10.0.0.2/24", f"{VIP}/32", "fd00::2/64", f"{VIP6}/128"):
        sh(f"ip address add {address} dev br0{' nodad' if ':' in address else ''}")
    for address in ("10.1.0.1/24", "10.1.0.2/24", "fd01::1/64", "fd01::2/64"):
        sh(f"ip address add {address} dev br1{' nodad' if ':' in address else ''}")
    sh("modprobe ip_vs && sysctl -q net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.vs.conntrack=1")
    with contextlib.ExitStack() as started:
        servers = []
        for number in (11, 12):
            command = ["ip", "netns", "exec", f"rs{number}", "python3", "-c", SERVER, "8080", "8021", "8022"]
            servers.append(started.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True)))
            started.callback(servers[-1].kill)
        for server in servers:
            assert server.stdout.readline() == "listening\n"
        yield
    sh("ipvsadm -C")


# A source port is used once: a connection that IPVS remembers goes where the last one from that port went.
_PORTS = itertools.cycle(range(10000, 30000))


def seen_by(sh, url: str, count: int = 8, patience: int = 120) -> Counter[str]:
    """Which sources the real servers saw."""
    said = 'write-out = "%{onerror}lost\\n"'
    requests = "\nnext\n".join(
        f'url = "http://{url}/"\nlocal-port = {next(_PORTS)}\nmax-time = {patience}\nsilent\ngloboff\n{said}'
        for _number in range(count)
    )
    # One curl for all of them: its start costs more here than its requests.
    return Counter(sh(f"ip netns exec client curl --config - <<'END' || true\n{requests}\nEND").split())


def is_lost(sh, url: str) -> bool:
    """Whether nobody answers."""
    return seen_by(sh, url, 1, 5) == Counter(lost=1)


@pytest.mark.usefixtures("network")
def test_fullnat(run_module, sh, backend) -> None:
    """Real servers without a route to the client, on another port, see the director; several addresses take turns."""
    for vip, rip in ((VIP, "10.1.0.{}"), (f"[{VIP6}]", "[fd01::{}]")):
        sh(f"ipvsadm -A -t {vip}:80 -s rr")
        for number in (11, 12):
            sh(f"ipvsadm -a -t {vip}:80 -r {rip.format(number)}:8080 -m")
    assert is_lost(sh, VIP)
    one = [{"address": VIP, "port": 80, "to": ["10.1.0.1"]}, {"address": VIP6, "port": 80, "to": ["fd01::1"]}]
    run_module("packet_rules", {"source_nat": one, "backend": backend})
    assert seen_by(sh, VIP) == {"10.1.0.1": 8}
    assert seen_by(sh, f"[{VIP6}]") == {"fd01::1": 8}
    two = [
        {"address": VIP, "port": 80, "to": ["10.1.0.1", "10.1.0.2"]},
        {"address": VIP6, "port": 80, "to": ["fd01::1", "fd01::2"]},
    ]
    run_module("packet_rules", {"source_nat": two, "backend": backend})
    assert seen_by(sh, VIP) == {"10.1.0.1": 4, "10.1.0.2": 4}
    assert seen_by(sh, f"[{VIP6}]") == {"fd01::1": 4, "fd01::2": 4}
    # A real server on another leg of the director may have an address of its own.
    per_server = [
        {"address": VIP, "port": 80, "destinations": ["10.1.0.11"], "to": ["10.1.0.1"]},
        {"address": VIP, "port": 80, "destinations": ["10.1.0.12"], "to": ["10.1.0.2"]},
    ]
    run_module("packet_rules", {"source_nat": per_server, "backend": backend, "purge": True})
    assert seen_by(sh, VIP) == {"10.1.0.1": 4, "10.1.0.2": 4}
    assert is_lost(sh, f"[{VIP6}]")
    run_module("packet_rules", {"state": "absent"})


@pytest.mark.usefixtures("network")
def test_one_mark_for_several_ports_and_addresses(run_module, sh, backend) -> None:
    """A persistent firewall-mark service: both ports go to one real server, and its source NAT goes by the mark."""
    sh("ip address add 10.0.0.101/32 dev br0")
    services = []
    for family, rip in (("ipv4", "10.1.0.{}"), ("ipv6", "fd01::{}")):
        real_servers = [{"address": rip.format(number), "forward": "nat"} for number in (11, 12)]
        service = {"fwmark": 10, "family": family, "scheduler": "rr", "persistence": {"timeout": 60}}
        services.append({**service, "real_servers": real_servers})
    run_module("ipvs_table", {"services": services})
    rules = {
        "marks": [
            {"mark": 10, "address": VIP, "ports": ["8021-8022"]},
            {"mark": 10, "address": "10.0.0.101", "ports": ["8021"]},
            {"mark": 10, "address": VIP6},
        ],
        "source_nat": [
            {"fwmark": 10, "family": "ipv4", "to": ["10.1.0.1"]},
            {"fwmark": 10, "family": "ipv6", "to": ["fd01::1"]},
        ],
    }
    run_module("packet_rules", {**rules, "backend": backend})
    assert seen_by(sh, f"{VIP}:8021", 4) == {"10.1.0.1": 4}
    assert seen_by(sh, f"{VIP}:8022", 4) == {"10.1.0.1": 4}
    assert seen_by(sh, "10.0.0.101:8021", 2) == {"10.1.0.1": 2}
    assert seen_by(sh, f"[{VIP6}]:8022", 2) == {"fd01::1": 2}
    assert is_lost(sh, f"{VIP}:8080")
    run_module("packet_rules", {"state": "absent"})
    assert is_lost(sh, f"{VIP}:8021")


def test_what_may_fail_one_day_is_said(run_module, sh, served, backend) -> None:
    rules = {"source_nat": NAT[:1], "backend": backend}
    said = "hides the clients of every NAT service"
    assert said not in str(run_module("packet_rules", rules).get("warnings"))
    if backend == "nftables":
        sh("nft add table ip other && nft 'add chain ip other c { type nat hook postrouting priority 100; }'")
        sh("nft add rule ip other c oifname br1 counter masquerade")
    else:
        sh(f"{served['iptables']} -t nat -A POSTROUTING -o br1 -j MASQUERADE")
    result = run_module("packet_rules", rules)
    assert not result["changed"]
    assert said in str(result["warnings"])
    run_module("packet_rules", {"state": "absent"})
    sh("nft delete table ip other" if backend == "nftables" else f"{served['iptables']} -t nat -F POSTROUTING")


def test_what_a_filter_drops_is_read_from_its_rules(run_module, sh, served, backend) -> None:
    """As verify asks. On a stock kernel iptables makes rules of nft, and they are read in the words of that."""
    asked = {"hook": "input", "protocol": "tcp", "destination": VIP, "state": "new"}
    packets = [{**asked, "name": "closed", "port": 80}, {**asked, "name": "open", "port": 443}]
    if backend == "nftables":
        sh("nft add table inet other")
        sh("nft 'add chain inet other input { type filter hook input priority 0; policy drop; }'")
        for rule in ("iif lo accept", "ct state established,related accept", "tcp dport { 22, 443 } accept"):
            sh(f"nft add rule inet other input {rule}")
    else:
        for rule in ("-i lo -j ACCEPT", "-m conntrack --ctstate INVALID -j DROP", "-p tcp --dport 80 -j DROP"):
            sh(f"{served['iptables']} -A INPUT {rule}")
    found = run_module("host_info", {"packets": packets})
    # What is sent on to a port that is open does not come to the filter as what it was.
    if backend == "nftables":
        sh("nft 'add chain inet other before { type nat hook prerouting priority dstnat; }'")
        sh("nft add rule inet other before tcp dport 80 redirect to :443")
    else:
        sh(f"{served['iptables']} -t nat -A PREROUTING -p tcp --dport 80 -j DNAT --to-destination :443")
    translated = run_module("host_info", {"packets": packets})
    if backend == "nftables":
        sh("nft delete table inet other")
    else:
        sh(f"{served['iptables']} -F INPUT; {served['iptables']} -t nat -F PREROUTING")
    assert found["unseen"] == translated["unseen"] == []
    assert [each["name"] for each in found["dropped"]] == ["closed"]
    assert translated["dropped"] == []


# Rules whose words say something else than they seem to, and each lets the connection come about.
PASSED = [
    ["meta l4proto . th dport { tcp . 80, udp . 53 } accept"],
    ["ct state . tcp dport { new . 80, established . 80 } accept"],
    ["ct state ! invalid accept"],
    ["ct state & invalid == 0 accept"],
    ["ct state ! established,new drop", "accept"],
    ["meta l4proto ipv6 drop", "accept"],
    ["meta l4proto 1-10 accept"],
    ["tcp dport 22 jump {\nct state new drop\n}", "tcp dport 80 accept"],
    ["tcp dport 80 tcp dport set 80", "tcp dport 80 accept"],
]


def test_a_connection_that_comes_about_is_not_called_dropped(run_module, sh, served, wire) -> None:
    """Where nft makes rules that seem to drop what they let pass; and a table that is dormant."""
    if "nftables" not in served:
        return  # this kernel has no rules of nft; the test runs on the stock kernel
    wire("client", "10.0.0.10/24")
    sh("ip address add 10.0.0.2/24 dev br0")
    asked = {"name": "web", "hook": "input", "protocol": "tcp", "destination": "10.0.0.2", "port": 80, "state": "new"}
    chain = "chain input {{ type filter hook input priority 0; policy {}; {}\n}}"
    texts = ["table inet other {\n" + chain.format("drop", "\n".join(rules)) + "\n}" for rules in PASSED]
    texts.append("table inet other {\nflags dormant\n" + chain.format("drop", "") + "\n}")
    closed = "table inet other {\n" + chain.format("drop", "tcp dport 22 accept") + "\n}"
    tried = "ip netns exec client timeout 20 bash -c 'echo >/dev/tcp/10.0.0.2/80' && echo yes || echo no"
    with socket.create_server(("10.0.0.2", 80)):
        for text in texts:
            sh(f"nft -f - <<'END'\n{text}\nEND")
            came, found = sh(tried).strip(), run_module("host_info", {"packets": [asked]})
            sh("nft delete table inet other")
            assert (came, found["dropped"]) == ("yes", []), text
    sh(f"nft -f - <<'END'\n{closed}\nEND")
    found = run_module("host_info", {"packets": [asked]})
    sh("nft delete table inet other")
    assert [each["name"] for each in found["dropped"]] == ["web"]


def test_marks_of_others_that_say_the_same_may_stay(run_module, sh, served, backend) -> None:
    if backend == "nftables":
        sh("nft add table ip other && nft 'add chain ip other c { type filter hook prerouting priority -150; }'")
        sh(f"nft add rule ip other c ip daddr {VIP} tcp dport 20 counter meta mark set 10")
    else:
        sh(f"{served['iptables']} -t mangle -A PREROUTING -d {VIP} -p tcp --dport 20 -j MARK --set-mark 10")
    before = ruleset(sh)
    looked = run_module("preflight", {"packet_rules": {"marks": MARKS}})
    assert "is set by a rule of somebody else" not in str(looked), looked
    assert run_module("packet_rules", {"marks": MARKS, "backend": backend})["changed"]
    assert not run_module("packet_rules", {"marks": MARKS, "backend": backend})["changed"]
    run_module("packet_rules", {"state": "absent"})
    assert ruleset(sh) == before
    sh("nft delete table ip other" if backend == "nftables" else f"{served['iptables']} -t mangle -F PREROUTING")


def test_the_rules_are_read_as_they_were_meant(run_module, sh, served, backend) -> None:
    run_module("packet_rules", {**EVERYTHING, "backend": backend})
    found = run_module("ipvs_info", {"gather_subset": ["host"]})["host"]
    rules = [*found["marking_rules"], *found["translating_rules"]]
    assert all(each["is_plain"] and each["is_ours"] for each in rules), rules
    assert sorted((each["mark"], each["destination"], each["protocol"], each["ports"]) for each in rules[:3]) == [
        (10, VIP, "tcp", ["20-21"]),
        (10, VIP, "tcp", ["30000-30100"]),
        (10, VIP6, "sctp", []),
    ]
    keys = ("vip", "vport", "asked_mark", "destination", "to")
    assert sorted(tuple(each[key] for key in keys) for each in rules[3:]) == [
        ("", 0, 10, "", ["fd01::1", "fd01::2", "fd01::3"]),
        (VIP, 80, 0, "", ["10.1.0.1"]),
        (VIP, 81, 0, "10.1.0.11", ["10.1.0.1", "10.1.0.2"]),
        (VIP, 81, 0, "10.1.0.12", ["10.1.0.1", "10.1.0.2"]),
        (VIP6, 0, 0, "", ["fd01::1"]),
    ]
    assert found["unseen"] == []
    # What somebody writes by hand is read as well.
    if backend == "nftables":
        sh("nft add table ip other && nft 'add chain ip other c { type nat hook postrouting priority 100; }'")
        sh("nft add rule ip other c ip daddr 10.1.0.13 tcp dport 8080 masquerade")
    else:
        sh(f"{served['iptables']} -t nat -A POSTROUTING -d 10.1.0.13 -p tcp --dport 8080 -j MASQUERADE")
    found = run_module("ipvs_info", {"gather_subset": ["host"]})["host"]
    (by_hand,) = (each for each in found["translating_rules"] if not each["is_ours"])
    assert (by_hand["destination"], by_hand["ports"], by_hand["to"]) == ("10.1.0.13", ["8080"], [])
    if backend == "nftables":
        sh("nft delete table ip other")
    else:
        sh(f"{served['iptables']} -t nat -D POSTROUTING -d 10.1.0.13 -p tcp --dport 8080 -j MASQUERADE")
    run_module("packet_rules", {"state": "absent"})
    assert ruleset(sh) == ""
