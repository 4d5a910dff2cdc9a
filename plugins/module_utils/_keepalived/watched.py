# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The concern ``watched`` of host_state: put right what somebody changed in a table that keepalived fills.

A reload of keepalived does not look at the table, and a check acts only when its result changes. So what was changed by
hand, or by another program, would stay as long as keepalived runs.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any, Callable, Mapping, NamedTuple, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._daemons.daemon_plan import Unit
from ansible_collections.lvs.topology.plugins.module_utils._files import read_file
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import options, proc, settings_options, settings_plan
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    DAEMON_STATES,
    Action,
    Daemon,
    ServiceKey,
    Table,
)
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.kernel import Ipvs
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.opening import open_table
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.planner import Outcome, Request, unmanaged
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.specs import DAEMONS, TABLE_SPEC, TIMEOUTS
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import (
    guard_state,
    keepalived_ask,
    keepalived_plan,
)
from ansible_collections.lvs.topology.plugins.module_utils._keepalived.keepalived import unit_of_keepalived
from ansible_collections.lvs.topology.plugins.module_utils._keepalived.keepalived_data import Watch
from ansible_collections.lvs.topology.plugins.module_utils._keepalived.watched_plan import (
    is_open,
    plan_daemons,
    plan_unasked,
    plan_watched,
)
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import LedgerFile
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._options import Spec
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan, Refused, carry_out, joined

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

WATCHED_SPEC: Spec = {
    **{name: TABLE_SPEC[name] for name in ("services", "purge", "keep_weights", "owner")},
    # The services that all of their real servers serve while the quorum is lost, and what keepalived calls each.
    "guarded": {"type": "dict"},
    "timeouts": TIMEOUTS,
    # Its state is that of keepalived, which is master where it holds one of the addresses.
    "sync_daemon": {
        "type": "dict",
        "options": {
            **{name: form for name, form in DAEMONS["options"].items() if name != "state"},
            "addresses": {"type": "list", "elements": "str", "required": True},
        },
    },
}
# How often table and keepalived are read until both say the same before and after.
_ATTEMPTS = 5
# A failover is over by then, as far as one host goes.
_PAUSE = 1.0
_UNSEEN = (
    "keepalived runs, and which of its processes fills the table is not known: neither "
    f"{' nor '.join(keepalived_ask.PID_FILES)} names a process of keepalived in this network namespace. What "
    "somebody changed in the table was not looked at. Have keepalived write one of these files: start it without "
    "--checkers_pid, and leave instance out of its configuration."
)
_OPEN = (
    "{}: less of it is up than its min_up, so all of its real servers get clients, those that are down as well ({}). "
    "See what their health checks say: journalctl -u keepalived."
)
_NO_GUARD = (
    "Nothing guards the services with min_up: the process that keepalived runs for that is not there "
    f"({guard_state.PATH} names none). systemctl reload keepalived starts it."
)
_OTHER_GUARD = (
    f"The script that guards services with min_up has written into {guard_state.PATH} that other services are open, or "
    "other real servers down, than keepalived knows. Either it was ended in between, or real servers were down already "
    "when min_up came: keepalived says once that one is down. Restart keepalived at a moment when another director may "
    "serve."
)
_UNREAD = (
    f"{keepalived_plan.PATH} was written after keepalived had last read it, so whether keepalived is master is not "
    "known, and the synchronisation daemons were left alone. Have keepalived read it, by site or systemctl reload "
    "keepalived, and run this again."
)


def ensure_watched(module: AnsibleModule, book: LedgerFile) -> dict[str, Any]:
    """What the concern does. Where keepalived does not run, or is not ours yet, it does nothing: keepalived will."""
    params = module.params
    process = _checker(module) if book.load().owned_by_any(keepalived_plan.KIND) else None
    if process is None:
        return {"changed": False, "changes": []}
    mistakes = Mistakes()
    wanted = asked(params, proc.mtus(), mistakes)
    mistakes.raise_if_any()
    with open_table(module, mistakes, may_load=False) as kernel:
        if not kernel.loaded:
            raise Refused(
                "keepalived runs, and the kernel has no IPVS table: systemctl restart keepalived, then run this again."
            )
        timeouts, _settlement = settings_plan.plan_timeouts(
            Ledger(), params["owner"], kernel.timeouts(), wanted.timeouts, present=True, purge=False
        )
        settings = joined(timeouts, _daemon(module, kernel, wanted))
        # Last, so that as little time as possible lies between what keepalived says and what is done.
        outcome, watch = _table(module, kernel, process, wanted)
        result = carry_out(module, joined(outcome.plan, settings), _applied_by(kernel))
        if outcome.plan.changes and not module.check_mode:
            try:
                _again(module, kernel, process, wanted, result["changes"])
            except Refused as problem:
                raise Refused(str(problem), facts={"changed": True, "applied": result["changes"]}) from problem
    declared = {each.key for each in wanted.table.wanted}
    _tell(module, wanted, watch)
    return {**result, "unmanaged": unmanaged(outcome.after, declared.union(watch.pools))}


def _checker(module: AnsibleModule) -> int | None:
    """The process of keepalived that fills the table. Where there is to be one and it is not found, that is said."""
    process = keepalived_ask.checker()
    if process is None and _serves():
        # It may be starting.
        time.sleep(_PAUSE)
        process = keepalived_ask.checker()
        if process is None:
            module.warn(_UNSEEN)
    return process


def _serves() -> bool:
    """Whether keepalived runs and has read a configuration with services."""
    unit, file = unit_of_keepalived(), read_file(keepalived_plan.PATH)
    if unit is None or file is None:
        return False
    return unit.active and bool(keepalived_plan.services_of(file.text)) and _is_read(unit)


def _is_read(unit: Unit) -> bool:
    """Whether keepalived has what its configuration says now."""
    with contextlib.suppress(OSError):
        return unit.has_read(os.stat(keepalived_plan.PATH).st_mtime)
    return False


def _again(module: AnsibleModule, kernel: Ipvs, process: int, wanted: Wanted, lines: list[str]) -> None:
    """A check may have ended otherwise than before while the table was changed: follow what keepalived says now.

    What has taken effect is added to the lines.
    """
    refusal: Refused | None = None
    for attempt in range(_ATTEMPTS + 1):
        changes = _table(module, kernel, process, wanted)[0].plan.changes
        if not changes:
            return
        if attempt == _ATTEMPTS:
            break
        done = {*range(len(changes))}
        try:
            kernel.apply(changes)
        except Refused as problem:
            # Where keepalived was faster, there is nothing left to change the next time.
            refusal, done = problem, {*range(problem.applied), *problem.later}
        lines += [change.line for position, change in enumerate(changes) if position in done]
    module.warn(
        f"After {_ATTEMPTS} more attempts the table is not as keepalived says. "
        + (f"What the kernel refused last: {refusal} " if refusal else "")
        + "Something else may write the table as well; see what does (ps, kube-proxy, a script)."
    )


class Wanted(NamedTuple):
    """What the options ask for. ``daemons`` are that of a master and that of a backup, or none."""

    table: Request
    timeouts: Mapping[str, int]
    addresses: frozenset[str] = frozenset()
    daemons: tuple[Daemon, ...] = ()
    guarded: Mapping[ServiceKey, str] = {}


def asked(params: Mapping[str, Any], lengths: Mapping[str, int] | None, mistakes: Mistakes) -> Wanted:
    """``lengths`` are the MTUs of the interfaces that exist, None where that is of no matter."""
    request = Request(
        options.wanted_services(params["services"] or [], "services", mistakes),
        options.purge(params["purge"], mistakes),
        params["keep_weights"],
    )
    timeouts = settings_options.wanted_timeouts(params["timeouts"] or {}, mistakes, "timeouts")
    guarded = {
        key: str(name)
        for text, name in (params["guarded"] or {}).items()
        for key in [mistakes.form("guarded", text, _service_key)]
        if key is not None
    }
    daemon = params["sync_daemon"]
    if daemon is None:
        return Wanted(request, timeouts, guarded=guarded)
    addresses = [
        mistakes.address(f"sync_daemon.addresses[{position}]", each)
        for position, each in enumerate(daemon["addresses"])
    ]
    spelled = frozenset(forms.spelling(each) for each in addresses if each)
    # Both have the same options, and one mistake is said once.
    either = [{**daemon, "state": state} for state in DAEMON_STATES]
    daemons = settings_options.wanted_daemons(either, lengths, mistakes, "sync_daemon")
    return Wanted(request, timeouts, spelled, daemons, guarded)


def _service_key(text: str) -> ServiceKey:
    try:
        return ServiceKey.from_text(text)
    except ValueError as wrong:
        raise forms.BadForm("is no service as messages name it, such as tcp 192.0.2.10:80") from wrong


def _tell(module: AnsibleModule, wanted: Wanted, watch: Watch) -> None:
    """What is to be known of services with min_up."""
    if not wanted.guarded:
        return
    opened = {key for key in wanted.guarded if is_open(key, watch, wanted.guarded)}
    known: set[str] = set()
    missing: set[str] = set()
    for each in wanted.table.wanted:
        if each.key in wanted.guarded and each.key in watch.pools:
            name, servers = wanted.guarded[each.key], watch.pools[each.key].servers
            weighty = [one.key for one in each.destinations or () if one.weight]
            known.update(guard_state.server(name, one.address) for one in weighty)
            missing.update(guard_state.server(name, one.address) for one in weighty if servers.get(one) == 0)
        if each.key in opened:
            servers = watch.pools[each.key].servers
            down = [str(one.key) for one in each.destinations or () if one.weight and not servers.get(one.key)]
            module.warn(_OPEN.format(each.key, ", ".join(down)))
    state = guard_state.read()
    if state is None:
        module.warn(_NO_GUARD)
    elif watch.pools and (
        state.open != {wanted.guarded[key] for key in opened} or state.down_at_any_port & known != missing
    ):
        module.warn(_OTHER_GUARD)


def _table(module: AnsibleModule, kernel: Ipvs, process: int, wanted: Wanted) -> tuple[Outcome, Watch]:
    table, request = kernel.table(), wanted.table
    try:
        watch = keepalived_ask.ask(process)
        outcome = plan_watched(table, request, watch, wanted.guarded)
        if outcome.plan.changes:
            # Either somebody has changed the table, or a check has ended otherwise than before in between.
            table, watch = _at_rest(kernel.table, process)
            outcome = plan_watched(table, request, watch, wanted.guarded)
    except Refused as problem:
        module.warn(
            f"{problem} Real servers that are missing, that nobody declared, or whose weight is another one were left "
            "alone: whether keepalived made them so is not known."
        )
        return plan_unasked(table, request), Watch({})
    return outcome, watch


def _at_rest(read: Callable[[], Table], process: int) -> tuple[Table, Watch]:
    """The table, and what keepalived has in it at the same time."""
    before = keepalived_ask.ask(process)
    for _attempt in range(_ATTEMPTS):
        table = read()
        after = keepalived_ask.ask(process)
        if before == after:
            return table, after
        before = after
    raise Refused(f"Checks of keepalived ended otherwise than before, {_ATTEMPTS} times while the table was read.")


def _daemon(module: AnsibleModule, kernel: Ipvs, wanted: Wanted) -> Plan:
    """The one daemon that keepalived has: a master's where it is master, a backup's where it is not."""
    if not wanted.daemons:
        return Plan()

    def look() -> Plan:
        state = "master" if known & _held() else "backup"
        return plan_daemons(kernel.daemons(), [each for each in wanted.daemons if each.state == state])

    file = read_file(keepalived_plan.PATH)
    known = _known(file.text if file else "", wanted.addresses)
    if not known:
        return Plan()
    plan = look()
    if plan.changes:
        unit = unit_of_keepalived()
        if unit and unit.active and not _is_read(unit):
            # With addresses of another configuration, a live master would look like a backup.
            module.warn(_UNREAD)
            return Plan()
        # It may be becoming master, or backup, at this moment.
        time.sleep(_PAUSE)
        plan = look()
    return plan


def _known(text: str, addresses: frozenset[str]) -> set[tuple[str, str]]:
    """Which of the addresses keepalived's configuration has, and on which interfaces.

    What is new, or on another interface from now on, keepalived does not hold yet. A real server of the other director
    has VIPs as well, on lo or at the end of a tunnel.
    """
    places = map(_place, keepalived_plan.addresses_of(text))
    return {place for place in places if place[0] in addresses}


def _place(key: str) -> tuple[str, str]:
    """The address and the interface of "ADDRESS/PREFIX dev INTERFACE"."""
    address, interface = key.split(" dev ")
    return address.partition("/")[0], interface


def _held() -> set[tuple[str, str]]:
    """The addresses of this host with their interfaces."""
    status, output, errors = _commands.run([_commands.find("ip") or "ip", "-oneline", "address", "show"])
    if status != 0:
        raise Refused(f"`ip address show` failed: {errors.strip()}")
    lines = (line.split() for line in output.splitlines())
    return {_place(f"{words[3]} dev {words[1]}") for words in lines}


def _applied_by(kernel: Ipvs) -> Callable[[Sequence[Change]], None]:
    """Entries of the table are sent many at once, and come first."""

    def apply_all(changes: Sequence[Change]) -> None:
        entries = [each for each in changes if isinstance(each.action, Action)]
        kernel.apply(entries)
        for position, change in enumerate(changes[len(entries) :], len(entries)):
            try:
                kernel.change(change.action)
            except Refused as refusal:
                refusal.applied = position
                raise

    return apply_all
