# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Random tables against ipvsadm as the oracle, both ways: what we write it prints, what it writes we read.

Each table is written over the one before it, so that edits and removals are tried as well.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import planner, save_format, save_parser
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    SCHEDULER_FLAG_NAMES,
    Entry,
    Service,
    ServiceKey,
    Table,
    WantedDestination,
    WantedService,
)
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.kernel import Ipvs
from ansible_collections.lvs.topology.tests.unit.ipvs.strategies import kernel_tables
from hypothesis import HealthCheck, Phase, given, settings

# In each of the two directions; the next run tries other ones.
TABLES = 100
# They stay: taking the last service of a family away costs the kernel a fifth of a second.
KEPT = [ServiceKey(family, fwmark=2000000000) for family in ("ipv4", "ipv6")]
SPEED = settings(
    max_examples=TABLES,
    deadline=None,
    database=None,
    # Another run finds other tables; a table that fails is printed, and shrinking it would take long.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def kept(sh) -> None:
    for key in KEPT:
        sh(f"ipvsadm -A -f {key.fwmark}" + (" -6" if key.family == "ipv6" else ""))


def wanted(table: Table) -> tuple[WantedService, ...]:
    """Ask for all of it, with everything spelled out."""
    return tuple(
        WantedService(
            key=key,
            path="",
            scheduler=entry.service.scheduler,
            flags=frozenset(save_format.flag_names(entry.service.scheduler, entry.service.flags)),
            one_packet=entry.service.one_packet,
            persistent=bool(entry.service.timeout),
            timeout=entry.service.timeout or None,
            netmask=entry.service.netmask,
            engine=entry.service.engine,
            destinations=tuple(
                WantedDestination(
                    key=real.key,
                    path="",
                    forward=real.forward,
                    weight=real.weight,
                    upper=real.upper,
                    lower=real.lower,
                    tunnel=real.tunnel if real.forward == "tun" else None,
                    tunnel_port=real.tunnel_port or None,
                    checksum=real.checksum if real.forward == "tun" else None,
                )
                for real in entry.destinations.values()
            ),
        )
        for key, entry in table.items()
    )


def without_kept(table: Table) -> Table:
    return {key: entry for key, entry in table.items() if key not in KEPT}


def printed() -> Table:
    """The table as ipvsadm tells of it. -S loses thresholds, which are in a listing of their own."""
    saved = ipvsadm("-Sn")
    table = without_kept(save_parser.parse(saved))
    limits: dict[tuple[str, str], tuple[int, int]] = {}
    service = ""
    for line in ipvsadm("-Ln", "--thresholds").splitlines()[3:]:
        words = line.split()
        if words[0] == "->":
            limits[service, words[1]] = (int(words[2]), int(words[3]))
        else:
            service = " ".join(words[: 3 if words[0] == "FWM" and words[2] == "IPv6" else 2])
    found = {}
    for key, entry in table.items():
        if key.fwmark:
            # Marks above 2^31 are printed as negative numbers.
            mark = key.fwmark - 2**32 if key.fwmark >= 2**31 else key.fwmark
            name = f"FWM {mark}" + (" IPv6" if key.family == "ipv6" else "")
        else:
            name = f"{key.protocol.upper()} {str(key).partition(' ')[2]}"
        reals = {}
        for real in entry.destinations.values():
            upper, lower = limits[name, str(real.key)]
            reals[real.key] = replace(real, upper=upper, lower=lower)
        found[key] = Entry(entry.service, reals)
    return found


def as_printed(table: Table) -> Table:
    """What ipvsadm cannot tell, taken out: the third flag of schedulers that have words for the other two."""
    return {key: Entry(_named(entry.service), entry.destinations) for key, entry in table.items()}


def _named(service: Service) -> Service:
    names = SCHEDULER_FLAG_NAMES.get(service.scheduler)
    return replace(service, flags=service.flags & frozenset(names.values())) if names else service


def ipvsadm(*arguments: str, stdin: str | None = None) -> str:
    done = subprocess.run(["ipvsadm", *arguments], input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (stdin, done.stderr)
    assert not done.stderr, (stdin, done.stderr)
    return done.stdout


def ours() -> Table:
    with Ipvs(None) as kernel:
        return without_kept(kernel.table())


def write(table: Table) -> Any:
    everything = planner.Purge(everything=True, real_servers=True)
    with Ipvs(None) as kernel:
        request = planner.Request(wanted=wanted(table), purge=everything, claimed=frozenset(KEPT))
        outcome = planner.plan_table(kernel.table(), request)
        kernel.apply(outcome.plan.changes)
    return outcome


@pytest.mark.slow
@pytest.mark.usefixtures("kept")
def test_what_we_write_ipvsadm_prints() -> None:
    count = 0

    @SPEED
    @given(kernel_tables())
    def each(table: Table) -> None:
        nonlocal count
        outcome = write(table)
        assert without_kept(outcome.after) == table
        assert ours() == table
        assert printed() == as_printed(table)
        count += 1

    each()
    print(f"{count} tables written by us and printed by ipvsadm")
    assert count >= TABLES


@pytest.mark.slow
@pytest.mark.usefixtures("kept")
def test_what_ipvsadm_writes_we_read() -> None:
    count = 0

    @SPEED
    @given(kernel_tables())
    def each(table: Table) -> None:
        nonlocal count
        removals = "".join(re.sub(r" -s .*", "", line).replace("-A", "-D") + "\n" for line in rules(ours()))
        ipvsadm("-R", stdin=removals + "".join(f"{line}\n" for line in save_format.render(table.values())))
        assert ours() == table
        count += 1

    each()
    print(f"{count} tables written by ipvsadm and read by us")
    assert count >= TABLES


def rules(table: Table) -> list[str]:
    return [line for line in save_format.render(table.values()) if line.startswith("-A")]
