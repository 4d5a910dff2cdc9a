# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module preflight: look whether a host can do what it is meant for, and change nothing."""

from __future__ import annotations

import gzip
import os
import re
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Iterable, Mapping, NamedTuple, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._filter import loaded
from ansible_collections.lvs.topology.plugins.module_utils._host.host_state import PLAN, is_in_place
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import keepalived_files, managers
from ansible_collections.lvs.topology.plugins.module_utils._ledger import PATH, Ledger, damage_text
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import read_ledger
from ansible_collections.lvs.topology.plugins.module_utils._look import packages, places
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net import kmod_plan, sysctl_plan
from ansible_collections.lvs.topology.plugins.module_utils._net.kmod import Modules
from ansible_collections.lvs.topology.plugins.module_utils._net.sysctl import unchangeable, unknown
from ansible_collections.lvs.topology.plugins.module_utils._options import ARP_TUNING_SPEC, KERNELS, PACKET_RULES
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest, Refused
from ansible_collections.lvs.topology.plugins.module_utils._validation import validated

if TYPE_CHECKING:
    from ansible_collections.lvs.topology.plugins.module_utils._module import Module

_CAP_NET_ADMIN = 12
# The parts of a plan that preflight looks at itself, with their forms. The concerns of host_state check the others.
_LOOKED_AT: dict[str, Any] = {
    "arp": ARP_TUNING_SPEC["interfaces"],
    "packet_rules": PACKET_RULES,
    "kernels": KERNELS,
}
# What one role of a host may be asked for, by itself or as one of several parts.
OF_A_PART: dict[str, Any] = {
    "plan": {"type": "dict"},
    "interfaces": {"type": "list", "elements": "str", "default": []},
    "python_modules": {"type": "list", "elements": "str", "default": []},
    "commands": {"type": "list", "elements": "str", "default": []},
    "missing": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
    "manager": {"type": "str", "choices": list(forms.MANAGERS)},
    "take_over": {"type": "bool", "default": False},
    "owner": {"type": "str", "default": "lvs"},
    "packets": {"type": "list", "elements": "dict", "default": []},
    "keepalived": {
        "type": "dict",
        "options": {
            "content": {"type": "str", "required": True},
            "secrets": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "script_user": {"type": "str"},
            "guard": {"type": "str"},
            "credentials": {"type": "list", "elements": "str", "default": [], "no_log": False},
            "owner": {"type": "str", "default": "lvs"},
        },
    },
}
PART: dict[str, Any] = {"name": {"type": "str", "required": True}, **OF_A_PART}
# The options that a part has not, as if they were left out.
NOTHING: dict[str, Any] = {
    **{option: [] for option in ("kernel_modules", "kernel_options", "kernels", "sysctls")},
    "packet_rules": None,
    "take_over": False,
}


class Host(NamedTuple):
    """What is looked at once, however many parts are asked for."""

    release: str
    kernel: Modules
    interfaces: set[str]
    ledger: Ledger
    keepalived_runs: bool


@dataclass
class Part:
    """What one role of the host is asked for, by its form, and what was found."""

    params: Mapping[str, Any]
    where: str
    plan: dict[str, Any]
    asked: dict[str, Any]
    kernel_modules: list[str]
    sysctls: dict[str, str]
    packets: list[Mapping[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    # What could not be looked at.
    unseen: list[str] = field(default_factory=list)
    needed: list[str] = field(default_factory=list)
    # What the packet filter drops of what the plan names, and what rules it.
    dropped: list[dict[str, str]] = field(default_factory=list)
    firewall: str = ""

    @property
    def whole_plan(self) -> dict[str, Any]:
        """The plan with the kernel modules that the host's packet filter needs for it."""
        return {**self.plan, "kernel_modules": [*dict.fromkeys([*(self.plan["kernel_modules"] or []), *self.needed])]}


def look(module: Module) -> dict[str, Any]:
    """What the module preflight does."""
    mistakes = Mistakes()
    whole = read(module.params, "", mistakes)
    parts: dict[str, Part] = {}
    for position, each in enumerate(module.params["parts"]):
        if each["name"] in parts:
            mistakes.add(f"parts[{position}].name", f"there is one called {each['name']!r} already; give each its own")
        parts[each["name"]] = read({**NOTHING, **each}, f"parts[{position}].", mistakes)
    mistakes.raise_if_any()
    host, problems = this_host()
    wanted = sysctls_of((whole, *parts.values()))
    for part in (whole, *parts.values()):
        look_at(part, host, wanted)
        problems += part.problems
    answer = {"changed": False, "kernel": host.release, **_answer(module, whole, host, problems)}
    answer["parts"] = {name: _answer(module, part, host, problems) for name, part in parts.items()}
    if problems:
        # The options, the plan and the parts may ask for the same.
        listed = " ".join(f"({number}) {text}" for number, text in enumerate(dict.fromkeys(problems), 1))
        raise Refused(f"This host is not ready, and nothing was changed: {listed}")
    return answer


def this_host() -> tuple[Host, list[str]]:
    """What is looked at once, and what keeps the host from being any director or real server."""
    system = os.uname()
    if system.sysname != "Linux":
        raise Refused(f"This host runs {system.sysname}; IPVS is a part of Linux.")
    problems = _privilege() or places.problems()
    ledger = read_ledger()
    if ledger.damaged:
        problems.append(f"ledger: {damage_text(ledger, PATH)}")
    # Not from /sys, which may be that of another network namespace.
    interfaces = {name for _index, name in socket.if_nameindex()}
    return Host(system.release, Modules(), interfaces, ledger, managers.is_keepalived_running()), problems


def read(params: Mapping[str, Any], where: str, mistakes: Mistakes) -> Part:
    """What is asked for, in the options of the module or in those of the part that is ``where``."""
    mistakes.form(f"{where}owner", params["owner"], forms.owner)
    plan, looked_at = _of_plan(params["plan"] or {}, f"{where}plan", mistakes)
    names = [
        *kmod_plan.check(params["kernel_modules"], mistakes, f"{where}kernel_modules"),
        *kmod_plan.check(plan["kernel_modules"] or [], mistakes, f"{where}plan.kernel_modules"),
    ]
    sysctls = sysctl_plan.check_values(plan["sysctls"] or {}, mistakes, f"{where}plan.sysctls")
    packets = _packets(params["packets"], f"{where}packets", mistakes) if params["packets"] else []
    return Part(params, where, plan, _with_those_of(looked_at, params), list(dict.fromkeys(names)), sysctls, packets)


def _packets(given: Sequence[Any], path: str, mistakes: Mistakes) -> list[Mapping[str, Any]]:
    """Packets that must get in, by their form."""
    # Few hosts are asked about any.
    from ansible_collections.lvs.topology.plugins.module_utils._filter import filter_questions

    found = []
    for position, each in enumerate(given):
        where = f"{path}[{position}]"
        try:
            found.append(filter_questions.packet(validated(filter_questions.PACKET, each), where, mistakes))
        except BadRequest as problem:
            mistakes.add(where, str(problem))
    return found


def sysctls_of(parts: Iterable[Part]) -> dict[str, str]:
    """What the plans of a host's roles set together."""
    return {name: value for part in parts for name, value in part.sysctls.items()}


def look_at(part: Part, host: Host, wanted: Mapping[str, str]) -> None:
    """Find what keeps the host from being what the part asks for. ``wanted`` are the sysctls of all of its parts."""
    asked = part.asked
    problems = [
        f"kernels: {each['because']} needs Linux {each['release']} or later, and this is {host.release}; boot a "
        "newer kernel, or leave that out"
        for each in asked["kernels"]
        if older(host.release, each["release"])
    ]
    lacking = [name for name in part.kernel_modules if host.kernel.chain(name) is None]
    if lacking:
        problems.append(f"kernel_modules: {host.kernel.advice(lacking)}")
    names = [*part.params["sysctls"], *part.sysctls]
    problems += [f"sysctls: {text}" for text in unknown(names, ipv6_comes=host.kernel.is_to_come("ipv6"))]
    problems += [f"sysctls: {text}" for text in unchangeable(part.sysctls, asked["arp"])]
    problems += _built_without(asked["kernel_options"], host.release)
    problems += [
        f"interfaces: {name} does not exist; there are {', '.join(sorted(host.interfaces))}"
        for name in asked["interfaces"]
        if name not in host.interfaces
    ]
    for manager in asked["managers"]:
        rivals = managers.others(manager, host.ledger, host.interfaces, part.plan, take_over=asked["take_over"])
        problems += [f"manager: {text}" for text in rivals]
    commands = asked["commands"]
    for rules in asked["packet_rules"]:
        # Few hosts have any.
        from ansible_collections.lvs.topology.plugins.module_utils._filter import packet_filter

        refusals, lacking_commands, modules = packet_filter.look_at(part.params["owner"], rules)
        problems += refusals
        commands += lacking_commands
        part.needed += modules
    problems += _filtered(part, wanted) if part.packets else []
    if asked["passing"]:
        part.dropped, part.firewall = _dropped(part, asked["passing"], wanted)
    part.packages, lacks = packages.lacking(part.params["python_modules"], list(dict.fromkeys(commands)))
    if part.params["missing"] == "fail":
        problems += lacks
    part.problems = problems


def _answer(module: Module, part: Part, host: Host, problems: list[str]) -> dict[str, Any]:
    """What is returned of a part. What planning finds wrong with it joins the ``problems``."""
    owner = part.params["owner"]
    in_place = False
    if not (problems or part.packages or part.params["plan"] is None):
        try:
            in_place = is_in_place(module, part.whole_plan, owner)
        except BadRequest as problem:
            problems.append(f"{part.where}plan: {problem}")
    judged = _judged(module, part, problems)
    return {
        "keepalived_in_place": judged["in_place"],
        "messages": judged["messages"],
        "unseen": list(dict.fromkeys(part.unseen)),
        "missing_packages": part.packages,
        "kernel_modules": list(dict.fromkeys(part.needed)),
        "managed_by": managers.managed_by(host.ledger, owner, next(iter(part.asked["managers"]), None)),
        "keepalived_left_over": keepalived_files.left_over(part.params["keepalived"]),
        "keepalived_holds": _held(host.ledger) if part.params["keepalived"] is not None else [],
        "keepalived_runs": host.keepalived_runs,
        "in_place": in_place,
        "dropped": part.dropped,
        "firewall": part.firewall,
    }


def _judged(module: Module, part: Part, problems: list[str]) -> dict[str, Any]:
    """What keepalived thinks of its configuration, where there is one. What is wrong with it joins the ``problems``."""
    asked = part.params["keepalived"]
    if asked is not None and not problems:
        # Few hosts have keepalived.
        from ansible_collections.lvs.topology.plugins.module_utils._keepalived.keepalived import ask

        try:
            return ask(module, asked)
        except (BadRequest, Refused) as problem:
            problems.append(f"{part.where}keepalived: {problem}")
    return {"in_place": False, "messages": []}


def _held(ledger: Ledger) -> list[str]:
    """The addresses that keepalived moves by the configuration that it has of us."""
    from ansible_collections.lvs.topology.plugins.module_utils import _files
    from ansible_collections.lvs.topology.plugins.module_utils._keepalived import keepalived_plan

    file = _files.read_file(keepalived_plan.PATH) if ledger.owned_by_any(keepalived_plan.KIND) else None
    return keepalived_plan.addresses_of(file.text) if file else []


def _of_plan(given: Mapping[str, Any], path: str, mistakes: Mistakes) -> tuple[dict[str, Any], dict[str, Any]]:
    """The plan as host_state gets it, and what is looked at of it here, by its form."""
    found = []
    for spec, asked in ((PLAN["options"], given), (_LOOKED_AT, {name: given.get(name) for name in _LOOKED_AT})):
        try:
            found.append(validated(spec, asked))
        except BadRequest as problem:
            mistakes.add(path, str(problem))
            found.append(dict.fromkeys(spec))
    plan, looked_at = found
    return plan, {**plan, **looked_at}


def _with_those_of(plan: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, Any]:
    """What the options ask for, and what the plan does."""
    names = {
        "kernel_options": plan["kernel_options"] or [],
        "commands": plan["commands"] or [],
        "interfaces": interfaces_of(plan),
    }
    return {
        **{name: list(dict.fromkeys([*params[name], *of_plan])) for name, of_plan in names.items()},
        "kernels": [*params["kernels"], *(plan["kernels"] or [])],
        "managers": [each for each in dict.fromkeys([params["manager"], plan["manager"]]) if each is not None],
        "take_over": bool(params["take_over"] or plan["take_over"]),
        "packet_rules": [
            each
            for each in (params["packet_rules"], plan["packet_rules"])
            if each and (each["marks"] or each["source_nat"])
        ],
        "arp": plan["arp"] or [],
        "passing": plan["passing"] or [],
    }


def interfaces_of(plan: Mapping[str, Any]) -> list[str]:
    """The interfaces that have to be there before the plan is applied: those of tunnels appear only then."""
    own = [each.get("interface") for each in plan.get("tunnels") or []]
    named = [
        each.get("interface") for key in ("addresses", "sync_daemons", "neighbours") for each in plan.get(key) or []
    ]
    # What is no name, the concern of the list refuses.
    return [name for name in dict.fromkeys(name for name in named if isinstance(name, str)) if name not in own]


def _filtered(part: Part, wanted: Mapping[str, str]) -> list[str]:
    """Of the part's packets, those that the host's packet filter drops for certain, as the sysctls are going to be."""
    from ansible_collections.lvs.topology.plugins.module_utils._filter import filter_questions

    filters = filter_questions.read_filters(part.unseen)
    dropped, _undecided = filter_questions.judged(part.packets, filters, _keeps_track(wanted))
    return [
        f"packets: the packet filter drops {each['name']} (`{each['said']}`); have a rule let them in first, "
        "which does not ask for the state of their connection"
        for each in dropped
    ]


def _dropped(part: Part, given: Sequence[Any], wanted: Mapping[str, str]) -> tuple[list[dict[str, str]], str]:
    """What of these packets the packet filter drops for certain, and what rules it. A run goes on all the same."""
    if not loaded.is_any():
        return [], ""
    from ansible_collections.lvs.topology.plugins.module_utils._filter import filter_questions

    mistakes = Mistakes()
    packets = _packets(given, f"{part.where}plan.passing", mistakes)
    mistakes.raise_if_any()
    filters = filter_questions.read_filters(part.unseen)
    dropped, _undecided = filter_questions.judged(packets, filters, _keeps_track(wanted))
    return dropped, filters.firewall


def _keeps_track(wanted: Mapping[str, str]) -> bool | None:
    """Whether IPVS is going to tell netfilter of its connections; None: as it does now."""
    conntrack = wanted.get(f"{sysctl_plan.IPVS}conntrack")
    return None if conntrack is None else bool(forms.integer(conntrack))


def _built_without(options: list[str], release: str) -> list[str]:
    """The options that the kernel's own description denies. Where a host does not have it, nothing is concluded."""
    for path in (f"/boot/config-{release}", f"/lib/modules/{release}/config", "/proc/config.gz"):
        try:
            opened = gzip.open if path.endswith(".gz") else open
            with opened(path, "rt", encoding="utf-8", errors="backslashreplace") as file:
                built = {line.partition("=")[0] for line in file if line.startswith("CONFIG_")}
        except OSError:
            continue
        lacking = [name for name in options if f"CONFIG_{name}" not in built]
        if lacking:
            names = ", ".join(f"CONFIG_{name}" for name in lacking)
            return [f"kernel_options: the kernel {release} was built without {names} ({path}); boot one that has it"]
        break
    return []


def older(release: str, first: str) -> bool:
    """Whether a kernel is older than the first one that will do, by their first two numbers."""
    one, other = ([int(number) for number in re.findall(r"\d+", each)[:2]] for each in (release, first))
    return one < other


def _privilege() -> list[str]:
    if not _may_configure_network():
        return ["privilege: CAP_NET_ADMIN is missing; run the task as root (become: true)"]
    user = os.geteuid()
    if user != 0:
        return [
            f"privilege: this is user {user}, who may configure the network, but not write the files that bring all "
            "of it back at boot; run the task as root (become: true)"
        ]
    return []


def _may_configure_network() -> bool:
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        effective = next(line.split()[1] for line in file if line.startswith("CapEff:"))
    return bool(int(effective, 16) >> _CAP_NET_ADMIN & 1)
