# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module preflight: look whether a host can do what it is meant for, and change nothing."""

from __future__ import annotations

import gzip
import importlib.util
import os
import re
import sys
from typing import TYPE_CHECKING, Any, Mapping, Sequence

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._host import PLAN, is_in_place
from ansible_collections.lvs.topology.plugins.module_utils._ledger import PATH, damage_text, read_ledger
from ansible_collections.lvs.topology.plugins.module_utils._net import (
    kmod_plan,
    managers,
    packet_filter,
    places,
    sysctl_plan,
)
from ansible_collections.lvs.topology.plugins.module_utils._net.checks import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net.kmod import Modules, read_os_release
from ansible_collections.lvs.topology.plugins.module_utils._net.options import ARP_TUNING_SPEC, KERNELS, PACKET_RULES
from ansible_collections.lvs.topology.plugins.module_utils._net.sysctl import unchangeable, unknown
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest, Refused

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

_CAP_NET_ADMIN = 12
# The parts of a plan that preflight looks at itself, with their forms. The concerns of host_state check the others.
_LOOKED_AT: dict[str, Any] = {
    "arp": ARP_TUNING_SPEC["interfaces"],
    "packet_rules": PACKET_RULES,
    "kernels": KERNELS,
}
# Debian's name of the package and that of RHEL, where they are not both the name of what is missing.
_PACKAGES = {
    "arptables": ("arptables", "iptables-nft"),
    "awk": ("mawk", "gawk"),
    "ip": ("iproute2", "iproute"),
    "iptables": ("iptables", "iptables-nft"),
    "modprobe": ("kmod", "kmod"),
    "nft": ("nftables", "nftables"),
    "sysctl": ("procps", "procps-ng"),
}


def look(module: AnsibleModule) -> dict[str, Any]:
    """What the module preflight does."""
    params = module.params
    mistakes = Mistakes()
    mistakes.owner(params["owner"])
    plan, looked_at = _of_plan(params["plan"] or {}, mistakes)
    asked = _with_those_of(looked_at, params)
    names = [
        *kmod_plan.check(params["kernel_modules"], mistakes, "kernel_modules"),
        *kmod_plan.check(plan["kernel_modules"] or [], mistakes, "plan.kernel_modules"),
    ]
    sysctls = sysctl_plan.check_values(plan["sysctls"] or {}, mistakes, "plan.sysctls")
    mistakes.raise_if_any()
    problems: list[str] = []
    system = os.uname()
    if system.sysname != "Linux":
        raise Refused(f"This host runs {system.sysname}; IPVS is a part of Linux.")
    problems += _privilege() or places.problems()
    kernel = Modules()
    problems += [
        f"kernels: {each['because']} needs Linux {each['release']} or later, and this is {system.release}; boot a "
        "newer kernel, or leave that out"
        for each in asked["kernels"]
        if older(system.release, each["release"])
    ]
    lacking = [name for name in dict.fromkeys(names) if kernel.chain(name) is None]
    if lacking:
        problems.append(f"kernel_modules: {kernel.advice(lacking)}")
    ipv6_comes = kernel.is_to_come("ipv6")
    problems += [f"sysctls: {text}" for text in unknown([*params["sysctls"], *sysctls], ipv6_comes=ipv6_comes)]
    problems += [f"sysctls: {text}" for text in unchangeable(sysctls, looked_at["arp"] or [])]
    problems += _built_without(asked["kernel_options"], system.release)
    present = set(os.listdir("/sys/class/net"))
    for name in asked["interfaces"]:
        if name not in present:
            problems.append(f"interfaces: {name} does not exist; there are {', '.join(sorted(present))}")
    ledger = read_ledger()
    if ledger.damaged:
        problems.append(f"ledger: {damage_text(ledger, PATH)}")
    for manager in asked["managers"]:
        problems += [f"manager: {text}" for text in managers.others(manager, ledger, present)]
    commands = asked["commands"]
    needed: list[str] = []
    for rules in asked["packet_rules"]:
        refusals, lacking_commands, modules = packet_filter.look_at(params["owner"], rules)
        problems += refusals
        commands += lacking_commands
        needed += modules
    packages, lacks = _lacking(module, list(dict.fromkeys(commands)))
    if params["missing"] == "fail":
        problems += lacks
    in_place = False
    if not (problems or packages or params["plan"] is None):
        modules = list(dict.fromkeys([*(plan["kernel_modules"] or []), *needed]))
        try:
            in_place = is_in_place(module, {**plan, "kernel_modules": modules}, params["owner"])
        except BadRequest as problem:
            problems.append(f"plan: {problem}")
    if problems:
        # The options and the plan may ask for the same.
        listed = " ".join(f"({number}) {text}" for number, text in enumerate(dict.fromkeys(problems), 1))
        raise Refused(f"This host is not ready, and nothing was changed: {listed}")
    return {
        "changed": False,
        "kernel": system.release,
        "missing_packages": packages,
        "kernel_modules": list(dict.fromkeys(needed)),
        "managed_by": managers.managed_by(ledger, params["owner"]),
        "keepalived_runs": managers.is_keepalived_running(),
        "in_place": in_place,
    }


def _of_plan(given: Mapping[str, Any], mistakes: Mistakes) -> tuple[dict[str, Any], dict[str, Any]]:
    """The plan as host_state gets it, and what is looked at of it here, by its form."""
    validated = ArgumentSpecValidator(PLAN["options"]).validate(given)
    looked_at = ArgumentSpecValidator(_LOOKED_AT).validate({name: given.get(name) for name in _LOOKED_AT})
    for text in (*validated.error_messages, *looked_at.error_messages):
        mistakes.add("plan", text)
    mistakes.raise_if_any()
    plan = validated.validated_parameters
    return plan, {**plan, **looked_at.validated_parameters}


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
        "packet_rules": [each for each in (params["packet_rules"], plan["packet_rules"]) if each],
    }


def interfaces_of(plan: Mapping[str, Any]) -> list[str]:
    """The interfaces that have to be there before the plan is applied: those of tunnels appear only then."""
    own = [each.get("interface") for each in plan.get("tunnels") or []]
    named = [
        each.get("interface") for key in ("addresses", "sync_daemons", "neighbours") for each in plan.get(key) or []
    ]
    # What is no name, the concern of the list refuses.
    return [name for name in dict.fromkeys(name for name in named if isinstance(name, str)) if name not in own]


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


def _lacking(module: AnsibleModule, commands: Sequence[str]) -> tuple[list[str], list[str]]:
    """The packages that have to be installed, and for each thing that is not there what to do."""
    packages: list[str] = []
    problems: list[str] = []
    for name in module.params["python_modules"]:
        if importlib.util.find_spec(name) is None:
            version = ".".join(str(number) for number in sys.version_info[:2])
            packages.append(f"python3-{name}")
            problems.append(
                f"python_modules: {name} cannot be imported by {sys.executable} ({version}); install the package "
                f"python3-{name}, or set ansible_python_interpreter to a Python that has it"
            )
    like_rhel = bool({"rhel", "fedora", "centos"} & set(read_os_release()))
    for name in commands:
        if _commands.find(name) is None:
            packages.append(_PACKAGES.get(name, (name, name))[like_rhel])
            problems.append(f"commands: there is no {name}; install the package {packages[-1]}")
    return sorted(set(packages)), problems


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
