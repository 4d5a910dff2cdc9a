# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keepalived says it has in the table, against what ipvsadm listed at the same moment.

keepalived_2_2_7.data is what the dump of keepalived 2.2.7 said about the table in a guest in which most checks had
failed. The expected values are those of ``ipvsadm -Sn``.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import save_parser
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import DestinationKey, ServiceKey
from ansible_collections.lvs.topology.plugins.module_utils._keepalived.keepalived_data import (
    Pool,
    Sorry,
    Unreadable,
    Watch,
    read_dump,
)

DUMP = Path(__file__).with_name("keepalived_2_2_7.data").read_text()
# Weight 1 of the sorry servers is keepalived's own.
TABLE = """\
-A -t 192.168.0.78:80 -s wrr
-a -t 192.168.0.78:80 -r 10.0.0.9:80 -m -w 1
-a -t 192.168.0.78:80 -r 10.0.0.51:80 -m -w 0
-A -u 192.168.0.77:53 -s wrr -p 60 -M 255.255.255.0 -o
-a -u 192.168.0.77:53 -r 10.0.0.51:53 -i -w 3 --tun-type gue --tun-port 5555 --tun-nocsum
-a -u 192.168.0.77:53 -r 10.0.0.52:53 -i -w 0 --tun-type ipip
-A -f 7 -6 -s sh -b sh-port
-a -f 7 -6 -r [fd00::9]:0 -g -w 1
-a -f 7 -6 -r [fd00::52]:0 -g -w 0
-A -f 8 -s mh -b mh-fallback,mh-port
-a -f 8 -r 10.0.0.9:0 -g -w 1
"""


def test_it_is_what_the_kernel_had() -> None:
    watch = read_dump(DUMP)
    table = save_parser.parse(TABLE)
    assert watch.is_whole
    assert watch.pools.keys() == table.keys()
    for key, entry in table.items():
        pool = watch.pools[key]
        there = {server: weight for server, weight in pool.servers.items() if weight is not None}
        assert there == {
            server: destination.weight
            for server, destination in entry.destinations.items()
            if pool.sorry is None or server != pool.sorry.key
        }, key


def test_who_says_sorry_and_who_is_out() -> None:
    pools = {str(key): pool for key, pool in read_dump(DUMP).pools.items()}
    assert pools["tcp 192.168.0.78:80"] == Pool(
        {DestinationKey("10.0.0.51", 80): 0, DestinationKey("10.0.0.53", 80): None},
        Sorry(DestinationKey("10.0.0.9", 80), "nat", is_needed=True, may_wait=False),
        is_up=False,
    )
    assert pools["udp 192.168.0.77:53"].is_up
    assert read_dump(DUMP).pools[ServiceKey("ipv4", fwmark=8)].sorry == Sorry(
        DestinationKey("10.0.0.9", 0), "dr", is_needed=True, may_wait=True
    )
    assert pools["udp 192.168.0.77:53"].sorry is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # keepalived 2.3.3 sets these lines off otherwise.
        ("   alive = 1\n   quorum_state_up", "   VS alive = 1\n   quorum_state_up"),
        ("   alive = 0", "     alive = 0"),
        ("   RS set = 1", "     RS set = 1"),
        ("sorry server = ", "sorry server (inhibited) = "),
    ],
)
def test_other_releases(before: str, after: str) -> None:
    assert before in DUMP
    assert read_dump(DUMP.replace(before, after)) == read_dump(DUMP)


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "nothing of it",
        DUMP.replace("RS set = ", "RS is set to "),
        DUMP.replace("EFF WEIGHT", "WEIGHT NOW"),
        DUMP.replace("quorum_state_up = 0", "quorum is down"),
        "------< LVS Topology >------\n",
        DUMP.replace("VS FWMARK = 8", f"VS FWMARK = {'8' * 5000}"),
        DUMP.replace("EFF WEIGHT = 4", f"EFF WEIGHT = {'4' * 5000}"),
        DUMP.replace("RPORT = 53", f"RPORT = {'5' * 5000}"),
        DUMP[: DUMP.index("quorum_state_up")],
        DUMP[: DUMP.rindex("alive = 1")],
        DUMP.replace("RIP = 10.0.0.51,", "RIP = 10.0.0.510,"),
        DUMP.replace("protocol = UDP", "protocol = ICMP"),
        DUMP.replace("VS VIP = 192.168.0.77", "VS 192.168.0.77"),
        DUMP.replace("sorry server = [10.0.0.9]", "sorry server = 10.0.0.9"),
        DUMP.replace("Inhibit on failure is", "Inhibit on failure:"),
    ],
)
def test_what_is_not_understood_is_not_guessed(damaged: str) -> None:
    with pytest.raises(Unreadable):
        read_dump(damaged)


def read_or_refused(text: str) -> Watch | None:
    try:
        return read_dump(text)
    except Unreadable:
        return None


def test_a_dump_that_is_cut_off_is_refused() -> None:
    """Of this one, that is so up to the section about the checks, which comes behind all virtual servers."""
    whole = read_dump(DUMP)
    found = [read_or_refused(DUMP[:length]) for length in range(len(DUMP) + 1)]
    assert [each for each in found if each is not None] == [whole]
    after = DUMP + " [192.168.0.78]:tcp:80 -> [10.0.0.51]:tcp:80\n   Enabled = yes\n"
    assert {each for each in range(len(after) + 1) if read_or_refused(after[:each])} == {
        position + 1 for position in range(len(DUMP) - 1, len(after)) if after[position] == "\n"
    }


def test_a_dump_that_is_cut_off_where_no_check_fails_is_not_said_to_be_whole() -> None:
    """Nothing in the table goes because such a dump does not have it."""
    healthy = DUMP.replace("num failed checkers = 1", "num failed checkers = 0")
    whole, seen = read_dump(healthy), set()
    for length in range(len(healthy)):
        watch = read_or_refused(healthy[:length])
        if watch is None:
            continue
        assert not watch.is_whole
        seen.add(len(watch.pools))
        for key, pool in watch.pools.items():
            assert pool.servers.items() <= whole.pools[key].servers.items()
            assert pool.sorry == whole.pools[key].sorry
    assert seen == {1, 2, 3, 4}


@pytest.mark.parametrize("title", ["Health checkers", "Checker track files", "Checker track BFDs"])
def test_what_comes_behind_the_virtual_servers(title: str) -> None:
    assert read_dump(DUMP.replace("< Health checkers >", f"< {title} >")) == read_dump(DUMP)


def test_a_group_is_not_read() -> None:
    text = DUMP.replace("VS VIP = 192.168.0.77, VPORT = 53", "VS GROUP = many")
    watch = read_dump(text)
    assert (watch.is_whole, "udp 192.168.0.77:53" in map(str, watch.pools)) == (False, False)


def test_without_a_quorum_who_is_alive_goes_on_serving_unless_somebody_says_sorry() -> None:
    """update_quorum_state() of keepalived takes those that are alive out only where a sorry server serves."""
    key, server = ServiceKey("ipv4", "tcp", "192.168.0.78", 80), DestinationKey("10.0.0.51", 80)
    begin = DUMP.index("VS VIP = 192.168.0.78")
    alive = DUMP[:begin] + DUMP[begin:].replace(
        "alive = 0\n   num failed checkers = 1", "alive = 1\n   num failed checkers = 0", 1
    )
    assert read_dump(alive).pools[key].servers[server] == 0
    without = alive.replace("sorry server = [10.0.0.9]:tcp:80", "no sorry one")
    assert read_dump(without).pools[key].servers[server] == 3


GROUP = """ ------< Virtual server group >------
 Virtual Server Group = webs, IPv4 = yes, IPv6 = no
   VIP = 192.168.0.29, VPORT = 80
     Alive: 4294967292 tcp, 0 udp, 0 sctp
     reloaded = True
   VIP = 192.168.0.29, VPORT = 8080
     Alive: 4294967292 tcp, 0 udp, 0 sctp
     reloaded = True
"""


@pytest.mark.parametrize(
    ("method", "ports"), [("NAT", {"80": 53, "8080": 53}), ("DR", {"80": 80, "8080": 8080})], ids=["nat", "dr"]
)
def test_a_group_is_each_of_its_services(method: str, ports: dict[str, int]) -> None:
    """As keepalived 2.2.7 wrote it in the lab."""
    begin = DUMP.index(" ------< Virtual server >------\n VS VIP = 192.168.0.77, VPORT = 53")
    served = DUMP[begin : DUMP.index("------< Real", begin)]
    head = served.replace("VS VIP = 192.168.0.77, VPORT = 53", "VS GROUP = [webs]:0")
    head = re.sub(r"default forwarding method = .*", f"default forwarding method = {method}", head)
    text = DUMP.replace(served, GROUP + head)
    watch = read_dump(text)
    assert watch.is_whole
    found = {str(key.port): pool for key, pool in watch.pools.items() if key.address == "192.168.0.29"}
    assert {port: {each.port for each in pool.servers} for port, pool in found.items()} == {
        port: {number} for port, number in ports.items()
    }
    # What is not known of a group is not known of its services.
    odd = text.replace("   VIP = 192.168.0.29, VPORT = 80\n", "   VIP Range = 192.168.0.29-30, VPORT = 80\n")
    watch = read_dump(odd)
    assert not watch.is_whole
    assert not [key for key in watch.pools if key.address == "192.168.0.29"]
