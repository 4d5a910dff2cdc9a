# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The codec against ipvsadm, both ways, for every option: what it wrote we read, what we wrote it prints."""

from __future__ import annotations

import re
import time
from dataclasses import replace

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import save_format, save_parser
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    Action,
    Destination,
    DestinationKey,
    Service,
    ServiceKey,
)
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.kernel import Ipvs
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change

FULL4, FULL6 = 0xFFFFFFFF, 128
TCP = ServiceKey("ipv4", "tcp", "10.0.0.1", 80)
TCP6 = ServiceKey("ipv6", "tcp", "fd00::1", 80)
UDP = ServiceKey("ipv4", "udp", "10.0.0.1", 5060)
SCTP = ServiceKey("ipv4", "sctp", "10.0.0.1", 80)
MARK = ServiceKey("ipv4", fwmark=5)
MARK6 = ServiceKey("ipv6", fwmark=5)

# What an operator types after `ipvsadm -A`, and the service that it is.
SERVICES = [
    ("-t 10.0.0.1:80", Service(TCP, "wlc", netmask=FULL4)),
    ("-u 10.0.0.1:5060 -s rr", Service(UDP, "rr", netmask=FULL4)),
    ("--sctp-service 10.0.0.1:80 -s lc", Service(SCTP, "lc", netmask=FULL4)),
    ("-t [fd00::1]:80 -s wrr", Service(TCP6, "wrr", netmask=FULL6)),
    ("-f 5 -s sed", Service(MARK, "sed", netmask=FULL4)),
    ("-f 5 -6 -s nq", Service(MARK6, "nq", netmask=FULL6)),
    ("-f 2147483647 -s dh", Service(ServiceKey("ipv4", fwmark=2**31 - 1), "dh", netmask=FULL4)),
    ("-t 10.0.0.1:80 -p 77", Service(TCP, timeout=77, netmask=FULL4)),
    ("-t 10.0.0.1:80 -p 2678400 -M 255.255.240.0", Service(TCP, timeout=2678400, netmask=0xFFFFF000)),
    ("-t [fd00::1]:80 -p 5 -M 64", Service(TCP6, timeout=5, netmask=64)),
    ("-f 5 -6 -p 5 -M 1", Service(MARK6, timeout=5, netmask=1)),
    ("-t 10.0.0.1:0 -p 1", Service(replace(TCP, port=0), timeout=1, netmask=FULL4)),
    ("-u 10.0.0.1:5060 -p 60 --pe sip", Service(UDP, timeout=60, netmask=FULL4, engine="sip")),
    ("-u 10.0.0.1:5060 -o", Service(UDP, one_packet=True, netmask=FULL4)),
    ("-u 10.0.0.1:5060 -p 60 --pe sip -o", Service(UDP, "wlc", frozenset(), True, 60, FULL4, "sip")),
    ("-f 5 -o", Service(MARK, one_packet=True, netmask=FULL4)),
    ("-t 10.0.0.1:80 -s sh -b sh-port", Service(TCP, "sh", frozenset({"flag-2"}), netmask=FULL4)),
    ("-t 10.0.0.1:80 -s sh -b sh-fallback", Service(TCP, "sh", frozenset({"flag-1"}), netmask=FULL4)),
    ("-t 10.0.0.1:80 -s sh -b sh-fallback,sh-port", Service(TCP, "sh", frozenset({"flag-1", "flag-2"}), netmask=FULL4)),
    ("-t 10.0.0.1:80 -s mh -b mh-port", Service(TCP, "mh", frozenset({"flag-2"}), netmask=FULL4)),
    ("-t 10.0.0.1:80 -s mh -b mh-fallback", Service(TCP, "mh", frozenset({"flag-1"}), netmask=FULL4)),
    ("-t 10.0.0.1:80 -s rr -b flag-1,flag-3", Service(TCP, "rr", frozenset({"flag-1", "flag-3"}), netmask=FULL4)),
    *(
        (f"-t 10.0.0.1:80 -s {name}", Service(TCP, name, netmask=FULL4))
        for name in ("lblc", "lblcr", "fo", "ovf", "none")
    ),
]


def real(address: str = "10.0.0.2", port: int = 80, **settings: object) -> Destination:
    return Destination(DestinationKey(address, port), **settings)


# The service, what an operator types after its `ipvsadm -a`, and the real server that it is.
DESTINATIONS = [
    (TCP, "-r 10.0.0.2:80", real()),
    (TCP, "-r 10.0.0.2:80 -g -w 0", real(weight=0)),
    (TCP, "-r 10.0.0.2:80 -m -w 2147483647", real(forward="nat", weight=2**31 - 1)),
    (TCP, "-r 10.0.0.2:8080 -m", real(port=8080, forward="nat")),
    (TCP, "-r 127.0.0.1:8080 -m", real("127.0.0.1", 8080, forward="nat")),
    (TCP, "-r 10.0.0.2:80 -x 65535 -y 65535", real(upper=65535, lower=65535)),
    (TCP, "-r 10.0.0.2:80 -x 10", real(upper=10)),
    (TCP, "-r 10.0.0.2:80 -i", real(forward="tun")),
    (TCP, "-r 10.0.0.2:80 -i --tun-type gue --tun-port 5555", real(forward="tun", tunnel="gue", tunnel_port=5555)),
    (
        TCP,
        "-r 10.0.0.2:80 -i --tun-type gue --tun-port 1 --tun-csum",
        real(forward="tun", tunnel="gue", tunnel_port=1, checksum="on"),
    ),
    (
        TCP,
        "-r 10.0.0.2:80 -i --tun-type gue --tun-port 65535 --tun-remcsum",
        real(forward="tun", tunnel="gue", tunnel_port=65535, checksum="remote"),
    ),
    (TCP, "-r 10.0.0.2:80 -i --tun-type gre", real(forward="tun", tunnel="gre")),
    (TCP, "-r 10.0.0.2:80 -i --tun-type gre --tun-csum", real(forward="tun", tunnel="gre", checksum="on")),
    (TCP, "-r [fd00::2]:80 -i", real("fd00::2", forward="tun")),
    (TCP6, "-r [fd00::2]:80 -g", real("fd00::2")),
    (TCP6, "-r [fd00::2]:81 -m -w 5", real("fd00::2", 81, forward="nat", weight=5)),
    (TCP6, "-r 10.0.0.2:80 -i", real(forward="tun")),
    (UDP, "-r 10.0.0.2:5060 -g", real(port=5060)),
    (SCTP, "-r 10.0.0.2:80 -m", real(forward="nat")),
    (MARK, "-r 10.0.0.2 -g", real(port=0)),
    (MARK, "-r 10.0.0.2:99 -m", real(port=99, forward="nat")),
    (MARK6, "-r [fd00::2]:0 -i", real("fd00::2", 0, forward="tun")),
]


def apply(*actions: Action) -> None:
    with Ipvs(None) as kernel:
        kernel.apply([Change("", action) for action in actions])


def read(key: ServiceKey) -> tuple[Service, list[Destination]]:
    with Ipvs(None) as kernel:
        entry = kernel.table()[key]
    return entry.service, list(entry.destinations.values())


def without_thresholds(line: str) -> str:
    """As `ipvsadm -Sn` prints it: it loses thresholds."""
    return re.sub(r" -x \d+ -y \d+", "", line)


@pytest.fixture
def kept(sh):
    """Two services that stay, as taking the last one of a family away costs the kernel a fifth of a second."""
    sh("ipvsadm -A -f 2000000000 && ipvsadm -A -f 2000000000 -6")
    return lambda command: "\n".join(line for line in sh(command).splitlines() if " 2000000000" not in line)


def test_services(sh, kept) -> None:
    for typed, service in SERVICES:
        sh(f"ipvsadm -A {typed}")
        assert read(service.key) == (service, []), typed
        printed = kept("ipvsadm -Sn; ipvsadm -Ln")
        assert printed.splitlines()[0] == save_format.service_line(service)
        sh(save_format.command(Action("delete", service)))
        apply(Action("add", service))
        assert kept("ipvsadm -Sn; ipvsadm -Ln") == printed
        apply(Action("delete", service))
        assert kept("ipvsadm -Sn") == ""


def test_edits_of_services(sh, kept) -> None:
    """From a bare service and from one with everything set, an edit gives the same."""
    for typed, service in SERVICES:
        mask = 8 if service.key.family == "ipv6" else 0xFF000000
        full = Service(service.key, "rr", frozenset({"flag-1", "flag-2", "flag-3"}), True, 9, mask, "sip")
        for before in (full, Service(service.key, netmask=FULL6 if service.key.family == "ipv6" else FULL4)):
            apply(Action("add", before), Action("edit", service))
            assert kept("ipvsadm -Sn") == save_format.service_line(service), typed
            assert read(service.key) == (service, [])
            sh(save_format.command(Action("delete", service)))


def test_destinations(sh, kept) -> None:
    """Typed, then deleted and added by us, then by our words typed, then edited there from something else."""
    listings = "ipvsadm -Sn; ipvsadm -Ln --thresholds; ipvsadm -Ln --tun-info"
    for key, typed, destination in DESTINATIONS:
        service = Service(key, netmask=FULL6 if key.family == "ipv6" else FULL4)
        sh(save_format.command(Action("add", service)))
        target = save_format.command(Action("delete", service)).replace("ipvsadm -D ", "")
        sh(f"ipvsadm -a {target} {typed}")
        assert read(key) == (service, [destination]), typed
        printed = kept(listings)
        line = save_format.command(Action("add", service, destination)).replace("ipvsadm ", "")
        assert printed.splitlines()[1] == without_thresholds(line)
        apply(Action("delete", service, destination))
        assert read(key) == (service, [])
        apply(Action("add", service, destination))
        assert kept(listings) == printed
        sh(save_format.command(Action("delete", service, destination)))
        sh(save_format.command(Action("add", service, destination)))
        assert kept(listings) == printed
        other = replace(
            destination, forward="tun", weight=42, upper=9, lower=8, tunnel="gue", tunnel_port=7, checksum="on"
        )
        apply(Action("edit", service, other))
        assert read(key) == (service, [other])
        apply(Action("edit", service, destination))
        assert kept(listings) == printed
        apply(Action("delete", service))


def test_a_mark_above_two_to_the_31(sh) -> None:
    """ipvsadm prints it as a negative number that it does not read back; it reads ours."""
    service = Service(ServiceKey("ipv4", fwmark=2**32 - 1), netmask=FULL4)
    sh(save_format.command(Action("add", service)))
    assert sh("ipvsadm -Sn") == "-A -f -1 -s wlc\n"
    assert read(service.key) == (service, [])
    assert save_parser.parse(sh("ipvsadm -Sn")) == save_parser.parse(save_format.service_line(service))


def test_the_order_is_that_of_ipvsadm_and_both_read_the_other(sh) -> None:
    """One table with everything: the same lines in the same order, and ipvsadm -R restores it from ours."""
    services = {service.key: service for _typed, service in SERVICES if service.key.fwmark != 2**31 - 1}
    actions = [Action("add", service) for service in services.values()]
    for number in (10, 9, 100):
        for position, (key, _typed, destination) in enumerate(DESTINATIONS):
            old = destination.key.address
            # Where families mix, ipvsadm 1.31 compares IPv4 with parts of IPv6 addresses.
            if ("." in old) == (key.family == "ipv4"):
                new = f"10.0.{position}.{number}" if "." in old else f"fd00::{position}:{number}"
                moved = replace(destination, key=destination.key._replace(address=new))
                actions.append(Action("add", services[key], moved))
    apply(*actions)
    with Ipvs(None) as kernel:
        table = kernel.table()
    ours = save_format.render(table.values())
    printed = sh("ipvsadm -Sn")
    assert "\n".join(without_thresholds(line) for line in ours) + "\n" == printed
    assert any("-x" in line for line in ours)
    assert save_parser.parse("\n".join(ours)) == table
    sh("ipvsadm -C")
    sh("ipvsadm -R <<'END'\n" + "\n".join(ours) + "\nEND")
    with Ipvs(None) as kernel:
        assert kernel.table() == table


def test_counters_and_connections(sh, wire) -> None:
    """What ipvsadm counts we count: one connection through a real server in another namespace."""
    wire("rs", "10.1.0.2/24")
    wire("client", "10.1.0.9/24")
    sh("ip address add 10.1.0.1/24 dev br0; ip address add 10.1.0.100/32 dev br0")
    sh("sysctl -qw net.ipv4.ip_forward=1 && ip netns exec rs ip route add default via 10.1.0.1")
    # The client is told to go through the director both ways, or the answer comes directly from the real server.
    sh("ip netns exec rs ip route add 10.1.0.9/32 via 10.1.0.1; sysctl -qw net.ipv4.conf.all.send_redirects=0")
    sh("sysctl -qw net.ipv4.conf.br0.send_redirects=0")
    sh("ipvsadm -A -u 10.1.0.100:53 -s rr && ipvsadm -a -u 10.1.0.100:53 -r 10.1.0.2:53 -m")
    for payload in ("x", "yy", "zzz"):
        sh(
            "ip netns exec client python3 -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM);"
            f's.sendto(b"{payload}", ("10.1.0.100", 53))\''
        )
    # The kernel's estimator sums them up every two seconds, those of the service and of the real server each by itself.
    deadline = time.monotonic() + 300
    conns = 0
    while conns < 3 and time.monotonic() < deadline:
        time.sleep(0.2)
        with Ipvs(None) as kernel:
            entry = kernel.table(counters=True)[ServiceKey("ipv4", "udp", "10.1.0.100", 53)]
        (destination,) = entry.destinations.values()
        conns = min(entry.service.counters.conns, destination.counters.conns)
    counters = entry.service.counters
    row = sh("ipvsadm -Ln --stats --exact").splitlines()[-2].split()
    ours = [counters.conns, counters.inpkts, counters.outpkts, counters.inbytes, counters.outbytes]
    assert ours == [int(word) for word in row[2:]]
    assert (counters.conns, counters.inpkts, counters.inbytes) == (3, 3, 3 * 28 + 6)
    assert destination.counters.conns == 3
    # UDP connections count as inactive.
    assert (destination.connections.active, destination.connections.inactive) == (0, 3)
    assert sh("ipvsadm -Ln").splitlines()[-1].split()[-2:] == ["0", "3"]


def test_info_and_timeouts(sh) -> None:
    sh("ipvsadm --set 100 20 30")
    with Ipvs(None) as kernel:
        info, timeouts = kernel.info(), kernel.timeouts()
    assert sh("ipvsadm -Ln").splitlines()[0] == f"IP Virtual Server version {info.version} (size={info.table_size})"
    assert (timeouts.tcp, timeouts.tcpfin, timeouts.udp) == (100, 20, 30)
