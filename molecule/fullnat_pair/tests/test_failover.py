# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""FULLNAT's connections go on when the master dies, and when the other one dies after it has come back."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

IPV4, IPV6 = VIPS = "192.0.2.100", "2001:db8::100"
# Whom the real servers see.
SOURCES = {IPV4: "10.1.0.29", IPV6: "fd01::29"}
REAL_SERVERS = {"web1", "web2"}


def downloading(scenario: Any) -> dict[str, str]:
    """The client's end of each download, and the VIP at the other end."""
    lines = scenario.run("client", "ss -Htn state established dport = :80").split("\n")
    ends = [line.split()[2:4] for line in lines if line]
    return {own: vip.rpartition(":")[0].strip("[]") for own, vip in ends}


def is_known(scenario: Any, director: str, port: str, vip: str) -> bool:
    """Whether netfilter has the connection from a port of the client as established, with its translation."""
    family = "ipv6" if ":" in vip else "ipv4"
    lines = scenario.run(director, f"conntrack -L -f {family} -p tcp --orig-port-src {port}").split("\n")
    source = f" dst={SOURCES[vip]} sport=80 "
    return any(" ESTABLISHED " in line and f" dst={vip} " in line and source in line for line in lines)


def wait_until_known(scenario: Any, director: str) -> None:
    """Wait until a director knows every download of the client."""
    ends = downloading(scenario)
    assert sorted(ends.values()) == sorted(VIPS), ends
    for own, vip in ends.items():
        port = own.rpartition(":")[2]
        scenario.wait(f"{director} knows {own}", lambda port=port, vip=vip: is_known(scenario, director, port, vip))


def wait_until_served(scenario: Any, *directors: str) -> None:
    """Wait until one of the directors that have power is master, and everybody answers through it."""

    def holders() -> int:
        return sum(f" {IPV4}/" in scenario.run(each, "ip -o address show dev eth1") for each in directors)

    scenario.wait("one master", lambda: holders() == 1)
    for url in (f"http://{IPV4}/", f"http://[{IPV6}]/"):
        scenario.wait(f"{url} answers", lambda url=url: set(scenario.answers(url, 6, patience=30)) == REAL_SERVERS)


def test_downloads_outlive_both_directors(scenario: Any) -> None:
    """What the first one has told the second, the second has to tell the first when that is back."""
    first, second = scenario.called("master"), scenario.called("backup")
    whole = scenario.run("web1", "sha256sum /srv/files/download").split()[0]
    with ExitStack() as under_way:
        downloads = [under_way.enter_context(scenario.download(vip)) for vip in VIPS]
        for dying, left in ((first, second), (second, first)):
            wait_until_known(scenario, left)
            scenario.lab("power-off", scenario.name, dying, "--power-cut")
            wait_until_served(scenario, left)
            assert all(each.is_under_way() for each in downloads)
            scenario.lab("power-on", scenario.name, dying)
        for each in downloads:
            assert each.finish()[1:] == [whole]
    wait_until_served(scenario, *scenario.directors)
    scenario.check("serving")


def test_the_operators_own_notice_is_heard(scenario: Any) -> None:
    master = scenario.called("master")
    assert "became master" in scenario.run(master, "journalctl --boot --identifier operator --output cat")


def test_verify_says_that_the_other_one_hears_nothing(scenario: Any) -> None:
    master, backup = scenario.called("master"), scenario.called("backup")
    scenario.run(backup, "systemctl stop conntrackd")
    found = {(each["host"], each["what"]) for each in scenario.findings()}
    assert (backup, "conntrackd does not answer") in found, found
    scenario.run(backup, "systemctl start conntrackd")
    # The two lose each other, and nothing on either of them is otherwise than the model has it.
    scenario.lab("link", scenario.name, master, "between", "down")
    said = "".join(each["what"] for each in scenario.findings() if each["host"] == backup)
    assert f"conntrackd hears nothing from {master} (" in said, said
    scenario.lab("link", scenario.name, master, "between", "up")
    scenario.wait("nothing is found any more", lambda: not scenario.findings())
