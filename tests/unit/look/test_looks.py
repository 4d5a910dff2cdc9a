# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read from /proc and from the tools of packet filters, in their own words."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._filter.obstacles import Obstacle, of_iptables, of_nft
from ansible_collections.lvs.topology.plugins.module_utils._look import counters, offload
from ansible_collections.lvs.topology.plugins.module_utils._look.listeners import Listener, parse

# Of a host whose processor has the least significant byte first, as all that this is tested on.
TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 9321 1 0 100 0 0 10 0
   1: A1F6A8C0:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 9322 1 0 100 0 0 10 0
   2: A1F6A8C0:0050 01F6A8C0:C350 01 00000000:00000000 00:00000000 00000000     0        0 9323 1 0 20 4 30 10 -1
"""
TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
   2: 0000000000000000FFFF00003300000A:0052 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
   1: 000000FD000000000000000029000000:0051 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000
"""
UDP = """\
   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  263: A1F6A8C0:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 9400 2 0000000000000000 0
  264: A1F6A8C0:0036 01F6A8C0:0035 01 00000000:00000000 00:00000000 00000000     0        0 9401 2 0000000000000000 0
"""


@pytest.mark.parametrize(
    ("text", "protocol", "found"),
    [
        (TCP, "tcp", [("0.0.0.0", 80), ("192.168.246.161", 8080)]),  # noqa: S104, as the kernel lists it
        (TCP6, "tcp", [("::", 80), ("10.0.0.51", 82), ("fd00::29", 81)]),
        (UDP, "udp", [("192.168.246.161", 53)]),
        ("", "tcp", []),
    ],
)
def test_who_listens(text: str, protocol: str, found: list[tuple[str, int]]) -> None:
    assert [*parse(iter(text.splitlines()), protocol)] == [Listener(protocol, *each) for each in found]


# The kernel pads names, and refuses only blanks of its own in them, which are not all of Python's.
ADDRESSES = (
    b"fd000000000000000000000000000001 02 40 00 88     \xc3\xa9th0\n"
    b"fd000000000000000000000000000002 03 40 00 40     a\x1cb\n"
    b"fd000000000000000000000000000003 04 40 00 08 \xe2\x80\xa8name\xff\x85\n"
)


def test_interfaces_of_any_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "if_inet6").write_bytes(ADDRESSES)
    monkeypatch.setattr(counters, "_ADDRESSES", str(tmp_path / "if_inet6"))
    assert counters.failed_addresses() == ["fd00::1 dev \xe9th0", "fd00::3 dev \u2028name\\xff\\x85"]
    assert counters.tentative_addresses() == ["fd00::2 dev a\x1cb"]
    monkeypatch.setattr(counters, "_ADDRESSES", str(tmp_path / "none"))
    assert counters.failed_addresses() == []


IPTABLES = """\
*filter
:INPUT ACCEPT [12:3456]
:FORWARD DROP [0:0]
:OUTPUT ACCEPT [1:2]
:DOCKER - [0:0]
-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A INPUT -m conntrack --ctstate INVALID -j DROP
-A FORWARD -m state --state INVALID,NEW -j REJECT --reject-with icmp-port-unreachable
-A DOCKER -m conntrack --ctstate INVALID -j DROP
-A FORWARD -m conntrack --ctstate INVALID -j ACCEPT
COMMIT
"""
NFT = """\
table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		ct state invalid drop
	}

	chain forward {
		type filter hook forward priority filter; policy accept;
		ct state vmap { invalid : drop, established : accept }
	}
	chain more {
		meta l4proto tcp ct state invalid counter packets 0 bytes 0 drop
		ct state invalid accept
	}
}
table ip nat {
	chain post {
		type nat hook postrouting priority srcnat; policy accept;
	}
}
"""


@pytest.mark.parametrize(
    ("asked", "lowest"),
    [
        (["eth1"], ["eth1"]),
        (["bond0"], ["eth1", "eth2"]),
        (["bond0.7", "eth1"], ["eth1", "eth2"]),
        (["bond1"], ["bond1"]),
        (["nowhere"], ["nowhere"]),
    ],
)
def test_large_receive_offload_is_asked_of_what_receives(
    asked: list[str], lowest: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    below = {"eth1": [], "eth2": [], "bond0": ["eth1", "eth2"], "bond0.7": ["bond0"], "bond1": []}
    for name, others in below.items():
        for each in ("statistics", *(f"lower_{other}" for other in others)):
            (tmp_path / name / each).mkdir(parents=True)
    monkeypatch.setattr(offload, "_DEVICES", str(tmp_path))
    monkeypatch.setattr(offload, "flags", lambda _socket, _name: offload._ETH_FLAG_LRO)
    assert offload.large_receive(asked) == lowest


def test_what_packet_filters_drop() -> None:
    assert [*of_iptables(IPTABLES)] == [
        Obstacle("policy", "forward", "iptables -P FORWARD DROP"),
        Obstacle("invalid", "input", "iptables -A INPUT -m conntrack --ctstate INVALID -j DROP"),
        Obstacle(
            "invalid",
            "forward",
            "iptables -A FORWARD -m state --state INVALID,NEW -j REJECT --reject-with icmp-port-unreachable",
        ),
    ]
    assert [*of_nft(NFT)] == [
        Obstacle("policy", "input", "nft: type filter hook input priority filter; policy drop;"),
        Obstacle("invalid", "input", "nft: ct state invalid drop"),
        Obstacle("invalid", "forward", "nft: ct state vmap { invalid : drop, established : accept }"),
        Obstacle("invalid", "", "nft: meta l4proto tcp ct state invalid counter packets 0 bytes 0 drop"),
    ]


@pytest.mark.parametrize(
    "rule",
    [
        "ct state ! invalid drop",
        "ct state != invalid drop",
        "ct state & invalid == 0 drop",
        "ct state . tcp dport { invalid . 80 } drop",
        "ct state vmap { invalid : accept, new : drop }",
        'ct state new log prefix "invalid drop"',
        'ct state new drop comment "invalid, drop"',
    ],
)
def test_rules_of_nft_that_do_not_drop_half_of_a_connection(rule: str) -> None:
    assert [*of_nft(NFT.replace("ct state invalid drop", rule))] == [
        each for each in of_nft(NFT) if each.said != "nft: ct state invalid drop"
    ]


def test_tables_of_nft_that_see_no_packets() -> None:
    """A dormant one, and one that is not IP's."""
    begin = "table inet filter {\n"
    assert [*of_nft(NFT.replace(begin, f"{begin}\tflags dormant\n\n"))] == []
    assert [*of_nft(NFT.replace(begin, "table bridge filter {\n"))] == []


@pytest.mark.parametrize(
    "rule",
    [
        "-A INPUT -m conntrack ! --ctstate INVALID -j DROP",
        '-A INPUT -m comment --comment "--ctstate INVALID" -j DROP',
        '-A INPUT -m conntrack --ctstate INVALID -j LOG --log-prefix "no -j DROP "',
    ],
)
def test_rules_of_iptables_that_do_not_drop_half_of_a_connection(rule: str) -> None:
    assert [*of_iptables(f"*filter\n{rule}\n")] == []
