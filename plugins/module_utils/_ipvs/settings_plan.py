# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What IPVS has besides its table: timeouts, synchronisation daemons and counters. Pure.

The kernel sets what it is given of timeouts, and cannot edit a daemon: one that shall be otherwise is started anew.
"""

from __future__ import annotations

from typing import AbstractSet, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    DEFAULT_TIMEOUTS,
    IPV4,
    IPV6,
    Counters,
    Daemon,
    ServiceKey,
    SetTimeouts,
    Setting,
    StartDaemon,
    StopDaemon,
    Table,
    Timeouts,
    Zero,
    family_of,
)
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.save_format import (
    daemon_line,
    setting_command,
    timeouts_line,
)
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan
from ansible_collections.lvs.topology.plugins.module_utils._settle import Settlement, settle, to_let_go

TIMEOUT_KIND = "timeout"
DAEMON_KIND = "sync_daemon"

# start_sync_thread() of the kernel: what it makes of lengths outside these, and where none is given.
_ETHERNET = 1500
_IP = 65535
_LEAST = {"master": 1, "backup": 1024}
_HEADERS = {IPV4: 20 + 8, IPV6: 40 + 8}


def message_lengths(state: str, group: str) -> tuple[int, int]:
    """The shortest and the longest limit of a sync message that the kernel takes as it is."""
    return _LEAST[state], _IP - _HEADERS[family_of(group)]


def fitting_length(state: str, group: str, mtu: int) -> int:
    """The kernel's own choice: a master sends what Ethernet carries, a backup takes what its interface does."""
    carried = _ETHERNET if state == "master" else min(max(mtu, _ETHERNET), _IP)
    return carried - _HEADERS[family_of(group)]


def _change(setting: Setting) -> Change:
    return Change(setting_command(setting), setting)


def plan_timeouts(
    ledger: Ledger,
    owner: str,
    current: Timeouts | None,
    wanted: Mapping[str, int],
    *,
    present: bool,
    purge: bool,
) -> tuple[Plan, Settlement]:
    """``current`` is None where there is no IPVS, which would start with its defaults."""
    now = dict(DEFAULT_TIMEOUTS) if current is None else dict(vars(current))
    listed = set(wanted) if present or wanted else None
    let_go = to_let_go(ledger, TIMEOUT_KIND, owner, listed, present=present, purge=purge)
    settlement = settle(
        ledger, TIMEOUT_KIND, owner, now, wanted if present else {}, let_go, listed=listed if present else None
    )
    new = {key: wanted[key] for key in settlement.wrong}
    if current is not None or new:
        new.update({key: was for key, was in settlement.restore.items() if was != now[key]})
    if not new:
        return Plan(), settlement
    setting = SetTimeouts(Timeouts(**{key: new.get(key, 0) for key in now}))
    before, after = timeouts_line(Timeouts(**now)), timeouts_line(Timeouts(**{**now, **new}))
    return Plan((_change(setting),), (before,), (after,)), settlement


def plan_daemons(
    ledger: Ledger,
    owner: str,
    interfaces: AbstractSet[str],
    running: Sequence[Daemon] | None,
    wishes: Sequence[Daemon] | AbstractSet[str] | None,
    *,
    present: bool,
    purge: bool,
) -> tuple[Plan, Settlement, list[str]]:
    """``running`` is None where there is no IPVS; ``wishes`` are daemons, or what is wanted absent by its state."""
    current = {daemon.state: daemon for daemon in running or ()}
    wanted = {each.state: each for each in wishes or () if isinstance(each, Daemon)}
    listed = None if wishes is None else {each.state if isinstance(each, Daemon) else each for each in wishes}
    let_go = to_let_go(ledger, DAEMON_KIND, owner, listed, present=present, purge=purge)
    settlement = settle(
        ledger,
        DAEMON_KIND,
        owner,
        {state: vars(daemon) for state, daemon in current.items()},
        {state: vars(daemon) for state, daemon in wanted.items()},
        let_go,
        listed=listed if present else None,
    )
    after = {**current, **{state: wanted[state] for state in settlement.wrong}}
    warnings = []
    for state, was in settlement.restore.items():
        after.pop(state, None)
        if was is None or (running is None and not wanted):
            continue
        daemon = Daemon(**was)
        if daemon.interface in interfaces:
            after[state] = daemon
        else:
            warnings.append(f"`{daemon_line(daemon)}` cannot be put back: {daemon.interface} does not exist any more")
    touched = [state for state in ("master", "backup") if current.get(state) != after.get(state)]
    changes: list[Change] = []
    for state in touched:
        if state in current:
            changes.append(_change(StopDaemon(state)))
        if state in after:
            changes.append(_change(StartDaemon(after[state])))
    plan = Plan(
        tuple(changes),
        tuple(daemon_line(current[state]) for state in touched if state in current),
        tuple(daemon_line(after[state]) for state in touched if state in after),
    )
    return plan, settlement, warnings


def plan_zero(table: Table, total: Counters, key: ServiceKey | None) -> Plan:
    """Zero what is not zero: where all is, there is nothing to do."""
    chosen = [table[key]] if key else [table[each] for each in sorted(table, key=ServiceKey.sort_key)]
    counted = {str(entry.service.key): _totals(entry.service.counters) for entry in chosen}
    if key is None:
        counted["total"] = _totals(total)
    # A real server's counters are part of its service's.
    before = tuple(f"{name}: {text}" for name, text in counted.items() if text)
    if not before:
        return Plan()
    after = tuple(f"{line.partition(': ')[0]}: 0 conns" for line in before)
    return Plan((_change(Zero(key)),), before, after)


def _totals(counters: Counters | None) -> str:
    names = ("conns", "inpkts", "outpkts", "inbytes", "outbytes")
    return ", ".join(f"{getattr(counters, name)} {name}" for name in names if getattr(counters, name, 0))
