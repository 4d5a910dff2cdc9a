# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A director loses power, its quorum, BIRD or keepalived: the router sends to the others, and downloads go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

VIP, VIP6, AGGREGATE = "198.51.100.1", "2001:db8:100::1", "198.51.100.0/24"
ADDRESSES = {f"lb{number}": (f"10.0.0.2{number}", f"2001:db8:b::2{number}") for number in (1, 2, 3)}
SERVERS = {"web1", "web2", "web3"}


def ways_to(scenario: Any, prefix: str) -> set[str]:
    """The directors to which the router sends for a VIP, or for whatever has no longer prefix."""
    family = "-6" if ":" in prefix else "-4"
    said = scenario.run("router", f"ip {family} route show {prefix}").replace("\n", " ") + " "
    return {name for name, own in ADDRESSES.items() if any(f"via {each} " in said for each in own)}


def ways(scenario: Any) -> tuple[set[str], set[str]]:
    """The directors to which the router sends, for each VIP."""
    return ways_to(scenario, VIP), ways_to(scenario, VIP6)


def wait_for_ways(scenario: Any, *directors: str) -> None:
    wanted = set(directors)
    scenario.wait(
        f"the router sends to {', '.join(directors)}",
        lambda: ways(scenario) == (wanted, wanted) and ways_to(scenario, AGGREGATE) == wanted,
    )


def everybody_answers(scenario: Any) -> None:
    for url in (f"http://{VIP}/", f"http://[{VIP6}]/"):
        answers = scenario.answers(url, 12)
        assert set(answers) <= SERVERS, answers


def carries(scenario: Any) -> str:
    """The director through which the download from the first VIP comes."""
    found = [
        name
        for name in scenario.directors
        if any(
            "ESTABLISHED" in line and f" {VIP}:80 " in line for line in scenario.run(name, "ipvsadm -Lnc").split("\n")
        )
    ]
    assert len(found) == 1, found
    return found[0]


def test_a_director_loses_power_and_downloads_go_on(scenario: Any) -> None:
    whole = scenario.run("web1", "sha256sum /srv/files/download").split()[0]
    with scenario.download(VIP) as four, scenario.download(VIP6) as six:
        victim = carries(scenario)
        others = [each for each in scenario.directors if each != victim]
        scenario.lab("power-off", scenario.name, victim, "--power-cut")
        wait_for_ways(scenario, *others)
        everybody_answers(scenario)
        for download in (four, six):
            assert download.is_under_way()
            assert download.finish()[1:] == [whole]
    scenario.lab("power-on", scenario.name, victim)
    # It announces nothing before its checks have succeeded, and everything afterwards, without a run.
    wait_for_ways(scenario, *scenario.directors)
    scenario.check("serving")


def test_networkd_leaves_alone_what_is_announced(scenario: Any) -> None:
    """These routes are of no interface, and keepalived adds them only when a service gets its quorum."""
    show = "ip -4 route show table 1819; ip -6 route show table 1819"
    announced = scenario.run("lb1", show)
    assert VIP in announced
    assert VIP6 in announced
    for command in ("systemctl restart systemd-networkd", "networkctl reload; networkctl reconfigure eth1"):
        scenario.run("lb1", f"{command}; /usr/lib/systemd/systemd-networkd-wait-online --interface=eth1 --timeout=300")
        assert scenario.run("lb1", show) == announced, command
        wait_for_ways(scenario, *scenario.directors)
    scenario.check("serving")


def test_a_director_that_lost_its_quorum_withdraws(scenario: Any) -> None:
    """Its checks come to nobody: the service has no quorum there, and has it elsewhere."""
    rule = "OUTPUT -s 10.0.0.22 -p tcp --dport 80 -j DROP"
    scenario.run("lb2", f"iptables-legacy -I {rule}")
    try:
        four = {"lb1", "lb3"}
        scenario.wait("lb2 is not in the route", lambda: ways(scenario)[0] == four)
        # It was the only VIP in the aggregate.
        scenario.wait("nor in that of the aggregate", lambda: ways_to(scenario, AGGREGATE) == four)
        # The other VIP is not concerned.
        assert ways(scenario)[1] == set(scenario.directors)
        everybody_answers(scenario)
        assert any("lb2" in each["host"] for each in scenario.findings())
    finally:
        scenario.run("lb2", f"iptables-legacy -D {rule}")
    wait_for_ways(scenario, *scenario.directors)


def test_what_nobody_has_ends_on_a_director(scenario: Any) -> None:
    """By its default route, one that forwards packets would send them back to the router."""
    for name in scenario.directors:
        scenario.run(name, "sysctl -q net.ipv4.ip_forward=1")
    try:
        # It ends when it is told why nobody answers.
        said = scenario.run("client", "ping -c 5 -w 60 198.51.100.77; true")
    finally:
        for name in scenario.directors:
            scenario.run(name, "sysctl -q net.ipv4.ip_forward=0")
    assert "Time to live exceeded" not in said
    assert any(f"From {own} " in said and "Destination Host Unreachable" in said for own, _own6 in ADDRESSES.values())


def test_what_somebody_broke_is_named_and_repaired(scenario: Any) -> None:
    """Each of the hosts has a fault of its own; keepalived mends none of them, because no service comes up again."""
    scenario.run("lb3", "systemctl stop bird")
    wait_for_ways(scenario, "lb1", "lb2")
    everybody_answers(scenario)
    scenario.run("router", "sysctl -q net.ipv4.fib_multipath_hash_policy=0")
    # Without mh-port. Another scheduler would be a kernel module that stays when everything of ours goes.
    scenario.run("lb2", f"ipvsadm -E -t {VIP}:80 -s mh")
    # Only what withdraws a VIP announces it: a route that leads somewhere does not.
    scenario.run("lb1", f"ip route flush table 1819 {VIP}/32; ip route add {VIP}/32 dev lo table 1819")
    scenario.wait("lb1 is not in the route", lambda: ways(scenario)[0] == {"lb2"})
    scenario.run("lb1", f"ip route del {VIP}/32 dev lo table 1819")
    said = scenario.findings()
    found = {name: [each for each in said if each["host"] == name] for name in (*ADDRESSES, "router")}
    assert all(found.values()), found
    assert {each["host"] for each in said} == set(found)
    assert any("BIRD does not run" in each["what"] for each in found["lb3"]), found
    assert any("fib_multipath_hash_policy" in each["remedy"] for each in found["router"]), found
    changed = scenario.changed(scenario.playbook("lvs.topology.site", "--diff"))
    assert {host for host, what in changed.items() if what} == set(found)
    wait_for_ways(scenario, *scenario.directors)
    scenario.check("serving")


def test_keepalived_is_killed(scenario: Any) -> None:
    """Nobody checks any more, so nothing is announced until systemd has started it again, and its checks succeed."""
    # Its first process alone: one that is killed while it forks, as it does when a child of it dies, takes the lab's
    # kernel along (User-Mode Linux 6.12: a panic in tlb_flush).
    pid = "systemctl show --property MainPID --value keepalived"
    before = scenario.run("lb1", pid)
    scenario.run("lb1", f"kill -KILL {before}")
    # What is announced is looked at after systemd has withdrawn it, and not as long as nobody has seen the end.
    scenario.wait("systemd has started it again", lambda: scenario.run("lb1", pid) not in ("0", before))
    scenario.wait(
        "lb1 announces both again",
        lambda: all(
            scenario.run("lb1", f"ip {family} route show table 1819 {vip}")
            for family, vip in (("-4", VIP), ("-6", VIP6))
        ),
    )
    wait_for_ways(scenario, *scenario.directors)
    assert scenario.findings() == []


@pytest.mark.exhaustive
def test_a_director_is_drained_while_downloads_go_on(scenario: Any) -> None:
    whole = scenario.run("web1", "sha256sum /srv/files/download").split()[0]
    with scenario.download(VIP) as four, scenario.download(VIP6) as six:
        victim = carries(scenario)
        others = [each for each in scenario.directors if each != victim]
        names = ("--extra-vars", f"lvs_drain_directors={victim}")
        with scenario.load() as answers:
            scenario.playbook("lvs.topology.drain_directors", *names)
            wait_for_ways(scenario, *others)
        assert answers.lost == {}
        # Nobody would be left for the clients.
        both = f"lvs_drain_directors={','.join(others)}"
        result = scenario.try_playbook("lvs.topology.drain_directors", "--extra-vars", both)
        assert result.returncode != 0
        assert "announces 198.51.100.1" in result.stdout + result.stderr
        scenario.playbook("lvs.topology.drain_directors", *names, "--extra-vars", "lvs_drain_directors_state=present")
        wait_for_ways(scenario, *scenario.directors)
        for download in (four, six):
            assert download.is_under_way()
            assert download.finish()[1:] == [whole]


def test_directors_are_maintained_one_after_the_other(scenario: Any, tmp_path: Path) -> None:
    tasks = tmp_path / "tasks.yml"
    tasks.write_text("- name: Restart keepalived\n  ansible.builtin.command: systemctl restart keepalived\n")
    with scenario.load() as answers:
        scenario.playbook("lvs.topology.rolling_directors", "--extra-vars", f"lvs_rolling_directors_tasks={tasks}")
    assert answers.lost == {}
    wait_for_ways(scenario, *scenario.directors)
    scenario.check("serving")


def test_no_password_is_shown(scenario: Any) -> None:
    """Neither by a run that changes it, nor in the host's log, nor on its disk for others than BIRD."""
    said = scenario.playbook("lvs.topology.site", "--check", "--diff", "-vvv")
    assert "s3cret" not in said
    for host in ("lb1", "router"):
        assert scenario.run(host, "stat -c %a /etc/bird/bird.conf") == "640"
        assert scenario.run(host, "journalctl --no-pager | grep -c 's3cret of'; true") == "0"


def test_the_community_is_announced(scenario: Any) -> None:
    """The VIP has that of lvs_bgp, and the aggregate its own."""
    for prefix, community in ((f"{VIP}/32", "(65001,100)"), (AGGREGATE, "(65001,200)")):
        shown = scenario.run("router", f"birdc show route all {prefix} table lvs4")
        assert shown.count("BGP.community: ") == shown.count(community) == 3, shown
