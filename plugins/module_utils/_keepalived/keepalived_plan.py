# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""keepalived's configuration and its unit: what is asked for, and what has to change. Pure."""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import Iterable, Mapping

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._daemons.daemon_plan import (
    COPY_MODE,
    Files,
    Names,
    Outcome,
    Unit,
    claimed_config,
    claimed_unit,
    config_before,
    note_of,
    reloading,
    running,
    unit_before,
)
from ansible_collections.lvs.topology.plugins.module_utils._daemons.secret_text import shown
from ansible_collections.lvs.topology.plugins.module_utils._daemons.systemctl import Systemctl, systemctl
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File, plan_file
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    DEFAULT_TIMEOUTS,
    IPV4,
    IPV6,
    ServiceKey,
    family_of,
)
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan, joined
from ansible_collections.lvs.topology.plugins.module_utils._traces import (
    KEEPALIVED_KINDS,
    TAKEN_KIND,
    TAKEN_UNIT,
    TRACES,
)

KIND, UNIT_KIND = KEEPALIVED_KINDS
PATH = "/etc/keepalived/keepalived.conf"
UNIT = "keepalived.service"
NAMES = Names(KIND, UNIT_KIND, UNIT)
DROP_IN = "/etc/systemd/system/keepalived.service.d/lvs-topology.conf"
# It holds a password.
MODE = 0o640

DROP_IN_TEXT = """\
# Managed by lvs.topology. Changes are overwritten.
[Unit]
# Packet rules and gateways are there before the VIPs.
After=lvs-topology.service

[Service]
# One that was killed has left its VIPs behind: as long as it does not run, two directors hold them.
Restart=on-failure
RestartSec=1
# The addresses go before the table: in between, this host itself would refuse what clients send to the VIPs. So the
# child that holds them ends first, while its parent is halted, which would start it again.
ExecStop=-/bin/sh -c 'for pid in $$(cat /run/vrrp.pid /run/keepalived/vrrp.pid 2>/dev/null); do \\
  grep -qs "^PPid:.$${MAINPID}$$" /proc/$$pid/status || continue; kill -STOP $${MAINPID}; kill $$pid; \\
  for try in $$(seq 50); do grep -qs "^State:.Z" /proc/$$pid/status && break; sleep 0.1; done; \\
  done; kill -TERM $${MAINPID}; kill -CONT $${MAINPID}'
"""

_ADDRESSES = re.compile(r"^ *virtual_ipaddress(?:_excluded)? \{\n(.*?)^ *\}", re.MULTILINE | re.DOTALL)
# Of the end of a line, "#" and "!" make a comment.
_ADDRESS = re.compile(r"^ *(\S+/\d+) dev ([^\s#!]+)", re.MULTILINE)
_TIMEOUTS = re.compile(r"^ *lvs_timeouts((?: (?:tcp|tcpfin|udp) \d+)+)$", re.MULTILINE)
_SYNC = re.compile(r"^ *lvs_sync_daemon ", re.MULTILINE)
_SERVICE = re.compile(
    r"^virtual_server (?:group (?P<group>\S+)|fwmark (?P<fwmark>\d+)|(?P<address>\S+) (?P<port>\d+)) \{\n"
    r" *(?:ip_family (?P<family>inet6?)|protocol (?P<protocol>\w+))$",
    re.MULTILINE,
)
_GROUP = re.compile(r"^virtual_server_group (\S+) \{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_MEMBER = re.compile(r"^ *(?:fwmark (?P<fwmark>\d+)|(?P<address>\S+) (?P<port>\d+))$", re.MULTILINE)


@dataclass(frozen=True)
class Kill:
    """End keepalived so that it leaves addresses and table as they are."""


def plan_present(
    ledger: Ledger,
    owner: str,
    path: str,
    content: str,
    files: Files,
    unit: Unit | None,
    secrets: Iterable[str] = (),
) -> Outcome:
    """Write, then start or reload. ``unit`` is None where there is no systemd."""
    wanted = File(content, MODE)
    claimed, copy = claimed_config(NAMES, ledger, owner, path, files.config, wanted)
    claimed, moved = _without_text(claimed, path)
    config = shown(plan_file(path, files.config, wanted), secrets)
    if unit is None:
        return Outcome(config, claimed, claimed, moved or copy)
    drop_in = plan_file(DROP_IN, files.beside[DROP_IN], File(DROP_IN_TEXT), own_directory=True)
    again = reloading(NAMES, unit, path, config, files)
    claimed = claimed_unit(NAMES, claimed, owner, unit, is_touched=bool(drop_in.changes))
    return Outcome(joined(config, *running(NAMES, unit, drop_in, again)), claimed, claimed, moved or copy)


def _without_text(ledger: Ledger, path: str) -> tuple[Ledger, File | None]:
    """Releases before 0.4.0 kept the text in the ledger itself: it goes into a copy, which is returned."""
    owners, was = ledger.owners(KIND, path), None
    for each in owners:
        ledger, _last, was = ledger.release(KIND, path, each)
    text = was.get("text") if isinstance(was, dict) else None
    before = File(text, was["mode"]) if isinstance(was, dict) and isinstance(text, str) else None
    for each in owners:
        ledger = ledger.claim(KIND, path, each, note_of(path, before) if before else was)
    return ledger, File(before.text, COPY_MODE) if before else None


def plan_absent(
    ledger: Ledger,
    owner: str,
    path: str,
    files: Files,
    unit: Unit | None,
    *,
    leave: bool,
    secrets: Iterable[str] = (),
) -> Outcome:
    """Stop it and put back what was there. With ``leave``, addresses and table stay as they are."""
    settled, last, was = ledger.release(KIND, path, owner)
    if not last:
        return Outcome(Plan(), ledger, settled)
    config = shown(plan_file(path, files.config, config_before(path, was, files.copy)), secrets)
    before = unit_before(NAMES, settled)
    settled, _last, _was = settled.release(UNIT_KIND, UNIT, owner)
    if unit is None:
        return Outcome(config, ledger, settled)
    drop_in = plan_file(DROP_IN, files.beside[DROP_IN], None, own_directory=True)
    without = [drop_in, *([systemctl("daemon-reload")] if drop_in.changes else [])]
    stop = unit.active and (leave or not before["active"])
    if stop and leave:
        # systemd would start again what is killed, as long as the drop-in is there.
        steps = [*without, Plan((Change("kill -KILL keepalived", Kill()),)), systemctl("reset-failed", UNIT)]
    elif stop:
        # The drop-in has the addresses go before the table.
        steps = [systemctl("stop", UNIT), *without]
    else:
        steps = [*without, *([systemctl("reset-failed", UNIT)] if unit.failed else [])]
    if unit.enabled and (not before["enabled"] or (leave and somebodys_unit(ledger, path))):
        # With somebody's configuration it would fill the heir's table at the next boot.
        steps.append(systemctl("disable", UNIT))
    steps.append(config)
    if before["active"] and not leave and config.changes:
        steps.append(systemctl("reload" if unit.active else "start", UNIT))
    return Outcome(joined(*steps), ledger, settled)


def somebodys_unit(ledger: Ledger, path: str) -> dict[str, bool] | None:
    """What the unit was, where somebody had a configuration before us. With it, it would fill the heir's table."""
    config = ledger.claims.get((KIND, path))
    return unit_before(NAMES, ledger) if config and config.was is not None else None


def bequeathed(
    ledger: Ledger, heir: str, text: str, present: set[str], before: Mapping[str, bool] | None = None
) -> Ledger:
    """What keepalived holds becomes the heir's. ``present`` are the keys of the addresses that are there.

    Whose unit it was ``before`` us gets it back from the heir.
    """
    if before and before["enabled"]:
        ledger = ledger.claim(TAKEN_KIND, f"{TAKEN_UNIT}{UNIT}", heir, before)
    for key in addresses_of(text):
        if key in present:
            ledger = ledger.claim(TRACES["addresses"].kind, key, heir)
    for service in services_of(text):
        ledger = ledger.claim(TRACES["services"].kind, service, heir)
    for words in _TIMEOUTS.findall(text):
        for timeout in words.split()[::2]:
            ledger = ledger.claim(TRACES["timeouts"].kind, timeout, heir, DEFAULT_TIMEOUTS[timeout])
    if _SYNC.search(text):
        for state in ("master", "backup"):
            ledger = ledger.claim(TRACES["sync_daemons"].kind, state, heir)
    return ledger


def addresses_of(text: str) -> list[str]:
    """What a configuration of ours holds, as the ledger calls it. A line that somebody has edited may hold nothing."""
    found = []
    for block in _ADDRESSES.findall(text):
        for address, name in _ADDRESS.findall(block):
            with contextlib.suppress(forms.BadForm):
                held = forms.interface_address(address)
                found.append(f"{forms.spelling(held.ip)}/{held.network.prefixlen} dev {name}")
    return found


def services_of(text: str) -> list[str]:
    """The services of a configuration of ours, as the ledger calls them; not what only keepalived can read."""
    found = []
    groups = dict(_GROUP.findall(text))
    for match in _SERVICE.finditer(text):
        members = _MEMBER.finditer(groups.get(match["group"], "")) if match["group"] else [match]
        for member in members:
            with contextlib.suppress(forms.BadForm):
                found.append(str(_key(member, match)))
    return found


def _key(member: re.Match[str], service: re.Match[str]) -> ServiceKey:
    """What one address or mark of a service is."""
    numbers = forms.FIREWALL_MARKS if member["fwmark"] else forms.PORTS
    number = forms.integer(member["fwmark"] or member["port"])
    if number is None or number not in numbers:
        raise forms.BadForm(f"is not from {numbers}")
    if member["fwmark"]:
        return ServiceKey(IPV6 if service["family"] == "inet6" else IPV4, fwmark=number)
    address, protocol = forms.spelling(forms.address(member["address"])), (service["protocol"] or "tcp").lower()
    if protocol not in forms.PROTOCOLS:
        raise forms.BadForm("is no protocol")
    return ServiceKey(family_of(address), protocol, address, number)


def starts(plan: Plan) -> bool:
    """Whether keepalived begins to run with this plan, so that directors have yet to agree."""
    return any(each.action == Systemctl(("start", UNIT)) for each in plan.changes)
