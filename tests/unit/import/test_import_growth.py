# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Four times as long a file is about four times the work, counted in lines that Python runs."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import Given
from ansible_collections.lvs.topology.plugins.plugin_utils._import.moving_in import form_of, imported
from ansible_collections.lvs.topology.tests.unit.lines_run import lines_run

FEW = 60


def _address(number: int, network: int = 10) -> str:
    return f"{network}.{number // 200 + 1}.0.{number % 200 + 1}"


def keepalived(count: int) -> str:
    held = "".join(f"{_address(each)}/16\n" for each in range(count))
    services = "".join(
        f"virtual_server {_address(each)} 80 {{\nprotocol TCP\nlb_kind NAT\n"
        f"real_server {_address(each, 11)} 80 {{\nTCP_CHECK {{\n}}\n}}\n}}\n"
        for each in range(count)
    )
    vrrp = f"vrrp_instance A {{\ninterface eth0\nvirtual_router_id 5\nvirtual_ipaddress {{\n{held}}}\n}}\n"
    return vrrp + services


def one_service(count: int) -> str:
    servers = "".join(f"real_server {_address(each)} 80 {{\nTCP_CHECK {{\n}}\n}}\n" for each in range(count))
    return f"virtual_server 192.0.2.1 80 {{\nprotocol TCP\n{servers}}}\n"


def definitions(count: int) -> str:
    names = "".join(f"$A{each}={_address(each)}\n" for each in range(count))
    servers = "".join(f"real_server $A{each} 80 {{\n}}\n" for each in range(count))
    return f"{names}virtual_server 192.0.2.1 80 {{\nprotocol TCP\n{servers}}}\n"


def unknown(count: int) -> str:
    return f"{one_service(1)}" + "nobody knows this {\n}\n" * count


def ldirectord(count: int) -> str:
    return "".join(
        f"virtual={_address(each)}:80\n\treal={_address(each, 11)}:80 masq\n\treceive=x\n" for each in range(count)
    )


def rules(count: int) -> str:
    return "".join(
        f"-A -t {_address(each)}:80 -s wlc\n-a -t {_address(each)}:80 -r {_address(each, 11)}:80 -m\nnothing\n"
        for each in range(count)
    )


@pytest.mark.slow
@pytest.mark.parametrize("made", [keepalived, one_service, definitions, unknown, ldirectord, rules])
def test_the_work_grows_as_the_file(made: Callable[[int], str]) -> None:
    def read(count: int) -> Callable[[], object]:
        text = made(count)
        return lambda: imported(Given({"a.conf": text}), ["a.conf"])

    read(FEW)()
    few, many = (lines_run(read(count)) for count in (FEW, 4 * FEW))
    assert many < 5 * few


@pytest.mark.slow
def test_partners_grow_as_their_files() -> None:
    def read(count: int) -> Callable[[], object]:
        text = keepalived(count)
        other = text.replace("lb_kind NAT", "lb_kind NAT\nlb_algo rr")
        return lambda: imported(Given({"a.conf": text, "b.conf": other}), ["a.conf", "b.conf"])

    read(FEW)()
    few, many = (lines_run(read(count)) for count in (FEW, 4 * FEW))
    assert many < 5 * few


@pytest.mark.parametrize("line", ["\n", " \n", "\t\n", "# nothing\n", "sudo\n"])
def test_lines_that_say_nothing_are_passed_over(line: str) -> None:
    """Were each blank line looked at together with all that follow, this would take a quarter of an hour."""
    assert form_of(line * 100_000 + one_service(1)) == "keepalived"
