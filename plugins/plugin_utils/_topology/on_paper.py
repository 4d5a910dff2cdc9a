# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles of a host ask for -> files in the words of the tools, for somebody to read before any host is touched.

What renders the same on the host makes them, so that a line that differs here is one that will change there. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _options
from ansible_collections.lvs.topology.plugins.module_utils._bgp import announcement_plan, announcements
from ansible_collections.lvs.topology.plugins.module_utils._boot import boot_plan
from ansible_collections.lvs.topology.plugins.module_utils._daemons import conntrackd_plan, secret_text
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File
from ansible_collections.lvs.topology.plugins.module_utils._filter import (
    firewall_words,
    packet_rules_plan,
    packet_rules_text,
)
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import options as ipvs_options
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import planner, save_format, settings_options, specs
from ansible_collections.lvs.topology.plugins.module_utils._metrics import description
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net import (
    address_plan,
    arp_filter_plan,
    gateway_plan,
    neighbour_plan,
    source_route_plan,
    sysctl_plan,
    tunnel_plan,
)
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest
from ansible_collections.lvs.topology.plugins.module_utils._validation import validated
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.plan import filtering, plan_text

# Which files were written at last. A host that is gone leaves none behind.
INDEX = "plan.txt"
_INDEX_HEAD = "# Files that the playbook plan has written here. What is not listed, it never touches."
_SPEC = {
    **_options.RESTORED,
    "services": specs.TABLE_SPEC["services"],
    "timeouts": specs.TIMEOUTS,
    "sync_daemons": specs.DAEMONS,
}
_HIDDEN = "hidden"
_MANAGED = "# Managed by lvs.topology. Changes are overwritten.\n"
# A host and a file as parts of a path: no folder but the one below, and nothing that hides.
_NAME = re.compile(r"[A-Za-z0-9_:][A-Za-z0-9_.:@+-]{0,200}")
_LISTED = re.compile(rf"({_NAME.pattern})/({_NAME.pattern})")


class NotPlanned(Exception):
    """What some hosts would be cannot be said. Each line names a host."""


@dataclass(frozen=True)
class Changes:
    """Texts by path, with the index as the last one, and the paths of what goes. All are below one folder."""

    files: Mapping[str, str]
    gone: tuple[str, ...]


def changes_of(asked: Mapping[str, Mapping[str, Any]], index: str, known: Iterable[str]) -> Changes:
    """What to write, and what to remove of what was written before.

    ``asked`` has the hosts of this run: of each its ``parts``, as the lookup parts returns them, ``keepalived``, a
    configuration as ``content`` with its ``secrets``, and ``guard``, what keepalived runs for min_up. ``index`` is the
    text of the index that is there, and ``known`` are the hosts of the inventory: what was written for one that is
    known, and has no part in this run, stays.
    """
    now = _files_of(asked)
    kept: set[str] = set()
    gone: set[str] = set()
    others = set(known) - set(asked)
    for line in index.splitlines():
        found = _LISTED.fullmatch(line)
        # What somebody else wrote into the index leads nowhere.
        if found and line not in now:
            (kept if found.group(1) in others else gone).add(line)
    listed = "\n".join([_INDEX_HEAD, *sorted({*now, *kept}), ""])
    return Changes({**{path: now[path] for path in sorted(now)}, INDEX: listed}, tuple(sorted(gone)))


def _files_of(asked: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    found: dict[str, str] = {}
    problems: list[str] = []
    for host, given in asked.items():
        if not _NAME.fullmatch(host) or host == INDEX:
            problems.append(
                f"{show(host)} is no name of a folder; call the host by letters, digits and - _ . : @ +, and write its "
                "address as ansible_host"
            )
            continue
        try:
            found.update((f"{host}/{name}", text) for name, text in _of_host(given) if text)
        except BadRequest as wrong:
            problems.append(f"{host}: {wrong}")
    if problems:
        raise NotPlanned("\n".join(problems))
    return found


def _of_host(given: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for part in given.get("parts") or []:
        owner, plan = str(part["owner"]), plan_text.read(part["plan"])
        yield from ((f"{owner}.{suffix}", text) for suffix, text in _of_part(owner, plan))
        yield "bird.conf", _of_daemon(plan.get("bird") or {}, "bird -c")
        yield "conntrackd.conf", _of_daemon({"content": _conntrackd(plan)}, "conntrackd -C")
    yield "keepalived.conf", _of_daemon(given.get("keepalived") or {}, "keepalived -f")
    yield "lvs_guard", str(given.get("guard") or "")


def _of_part(owner: str, plan: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    mistakes = Mistakes()
    lists = validated(_SPEC, {key: plan[key] for key in _SPEC if plan.get(key)})
    given = {key: lists.get(key) or [] for key in _SPEC}
    yield "modules", _lines(owner, "modprobe", plan.get("kernel_modules") or [])
    yield "sysctl", _lines(owner, "sysctl -p", _sysctls(plan, mistakes))
    yield (
        "arptables",
        _text(boot_plan.render_arptables(owner, arp_filter_plan.check(given["arp_filters"], None, mistakes))),
    )
    yield "tunnels", _text(boot_plan.render_tunnels(owner, tunnel_plan.check(given["tunnels"], mistakes)))
    addresses = address_plan.check(given["addresses"], None, mistakes)
    gateways = gateway_plan.check(given["gateways"], mistakes)
    neighbours = neighbour_plan.check(given["neighbours"], None, mistakes, present=True)
    yield "ip", _text(boot_plan.render_ip(owner, addresses, gateways, neighbours))
    sources = source_route_plan.check(given["source_routes"], mistakes)
    yield "sources", _text(boot_plan.render_sources(owner, sources))
    yield from _packet_rules(owner, lists.get("packet_rules") or {}, mistakes)
    announced = validated(announcements.ROUTES, plan.get("announcements") or {})
    routes = announcement_plan.boot_lines([*announcement_plan.check(announced, mistakes, "announcements.")])
    yield "announcements", _text(boot_plan.render_announcements(owner, routes))
    packets = (plan.get("firewall") or {}).get("packets") or plan.get("passing") or []
    yield "firewall", _of_firewall(owner, packets)
    yield from _ipvs(lists, mistakes)
    yield "json", description.render(plan["metrics"]) if plan.get("metrics") else ""
    mistakes.raise_if_any()


def _sysctls(plan: Mapping[str, Any], mistakes: Mistakes) -> list[str]:
    values = sysctl_plan.check_values(plan.get("sysctls") or {}, mistakes)
    for each in plan.get("arp") or []:
        for name in ("arp_ignore", "arp_announce"):
            if each.get(name) is not None:
                values[sysctl_plan.conf_key(each["interface"], name)] = str(each[name])
    return [f"{key} = {value}" for key, value in sorted(values.items())]


def _packet_rules(owner: str, given: Mapping[str, Any], mistakes: Mistakes) -> Iterator[tuple[str, str]]:
    """The rules of nftables, which a host with backend auto has wherever its kernel serves them."""
    rules = packet_rules_plan.check(given.get("marks") or [], given.get("source_nat") or [], mistakes, "packet_rules.")
    rules = packet_rules_plan.in_order(rules)
    if rules and given.get("backend") != "iptables":
        text = packet_rules_text.replace_nft(owner, packet_rules_text.render_nft(owner, rules))
        yield "nft", _text(boot_plan.render_packet_rules(owner, "nft", text.splitlines()))
        return
    for command, family in (("iptables", 4), ("ip6tables", 6)):
        listing = packet_rules_text.render_iptables(owner, command, rules, family)
        tables = (
            packet_rules_text.replace_iptables(owner, table.rpartition(" ")[2], (), lines)
            for table, lines in listing.items()
        )
        text = "".join(tables)
        yield command, _text(boot_plan.render_packet_rules(owner, command, text.splitlines())) if text else ""


def _of_firewall(owner: str, packets: Iterable[Mapping[str, Any]]) -> str:
    """What a firewall has to let pass. Which one a host has is not known on paper, so this is in words of iptables."""
    rules = {firewall_words.commands([filtering.opening(each)], firewall_words.IPTABLES, 1) for each in packets}
    return _lines(owner, "who looks after the firewall, whichever it is", rules)


def _ipvs(lists: Mapping[str, Any], mistakes: Mistakes) -> Iterator[tuple[str, str]]:
    wanted = ipvs_options.wanted_services(lists.get("services") or [], "services", mistakes)
    table = planner.plan_table({}, planner.Request(wanted=wanted), mistakes).after
    timeouts = settings_options.wanted_timeouts(lists.get("timeouts") or {}, mistakes, "timeouts")
    daemons = settings_options.wanted_daemons(lists.get("sync_daemons") or [], None, mistakes, "sync_daemons")
    # ipvsadm -R takes no comments.
    yield "ipvsadm", "".join(f"{line}\n" for line in save_format.render(table.values()))
    yield "timeouts", "".join(f"{line}\n" for line in save_format.timeouts_lines(timeouts))
    yield "daemons", "".join(f"{save_format.daemon_line(daemon)}\n" for daemon in daemons)


def _lines(owner: str, reader: str, lines: Iterable[str]) -> str:
    every = sorted(lines)
    return "\n".join([f"# Planned (owner {owner}). Read by: {reader}", *every, ""]) if every else ""


def _text(file: File | None) -> str:
    """The text of a file of a host, with what its first line says there said as it is here."""
    if file is None:
        return ""
    head, _end, rest = file.text.partition("\n")
    owner, _said, reader = head.partition(" Read by: ")
    named = owner.partition("(")[2].partition(")")[0]
    return f"# Planned ({named}). Read by: {reader}\n{rest}"


def _conntrackd(plan: Mapping[str, Any]) -> str:
    mistakes = Mistakes()
    replica = conntrackd_plan.read(validated(conntrackd_plan.OPTIONS, plan.get("conntrackd") or {}), mistakes)
    mistakes.raise_if_any()
    return conntrackd_plan.render(replica) if replica else ""


def _of_daemon(given: Mapping[str, Any], reader: str) -> str:
    """The configuration of a daemon, without its passwords."""
    secrets = map(str, given.get("secrets") or [])
    text = secret_text.without_passwords(str(given.get("content") or ""), secrets, _HIDDEN)
    return text.replace(_MANAGED, f"# Planned. Read by: {reader}\n")
