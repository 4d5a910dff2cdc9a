# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""FULLNAT's connections go on when the master dies, and when the other one dies after it has come back."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

IPV4, IPV6 = VIPS = "192.0.2.100", "2001:db8::100"
REAL_SERVERS = {"web1", "web2"}


def established(scenario: Any, director: str) -> list[str]:
    """Connections of the client through a VIP, as netfilter has them with their translation."""
    lines = "".join(scenario.run(director, f"conntrack -L -f {family}") + "\n" for family in ("ipv4", "ipv6"))
    clients = (f"src=192.0.2.10 dst={IPV4} ", f"src=2001:db8::10 dst={IPV6} ")
    return [line for line in lines.split("\n") if " ESTABLISHED " in line and any(each in line for each in clients)]


def scheduled(scenario: Any, director: str) -> list[str]:
    """The same connections as IPVS has them."""
    lines = scenario.run(director, "ipvsadm -Lnc").split("\n")
    return [line for line in lines if "ESTABLISHED" in line and (f" {IPV4}:80 " in line or f" [{IPV6}]:80 " in line)]


def wait_until_known(scenario: Any, director: str) -> None:
    """Wait until a director knows as many connections as there are downloads."""
    scenario.wait(f"{director} knows the downloads of IPVS", lambda: len(scheduled(scenario, director)) == len(VIPS))
    scenario.wait(f"{director} knows those of netfilter", lambda: len(established(scenario, director)) == len(VIPS))


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
    assert not scenario.findings()
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
