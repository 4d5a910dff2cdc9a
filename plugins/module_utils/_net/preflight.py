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
from typing import TYPE_CHECKING, Any, Sequence

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
from ansible_collections.lvs.topology.plugins.module_utils._net.options import ARP_TUNING_SPEC
from ansible_collections.lvs.topology.plugins.module_utils._net.sysctl import unchangeable, unknown
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest, Refused

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

_CAP_NET_ADMIN = 12
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
    names = kmod_plan.check(params["kernel_modules"], mistakes)
    plan, sysctls, arp = _of_plan(params["plan"] or {}, mistakes)
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
        for each in params["kernels"]
        if older(system.release, each["release"])
    ]
    lacking = [name for name in names if kernel.chain(name) is None]
    if lacking:
        problems.append(f"kernel_modules: {kernel.advice(lacking)}")
    problems += [f"sysctls: {text}" for text in unknown(params["sysctls"])]
    problems += [f"sysctls: {text}" for text in unchangeable(sysctls, arp)]
    problems += _built_without(params["kernel_options"], system.release)
    present = set(os.listdir("/sys/class/net"))
    for name in params["interfaces"]:
        if name not in present:
            problems.append(f"interfaces: {name} does not exist; there are {', '.join(sorted(present))}")
    ledger = read_ledger()
    if ledger.damaged:
        problems.append(f"ledger: {damage_text(ledger, PATH)}")
    if params["manager"] is not None:
        problems += [f"manager: {text}" for text in managers.others(params["manager"], ledger, present)]
    commands = list(params["commands"])
    needed: list[str] = []
    if params["packet_rules"] is not None:
        refusals, lacking_commands, needed = packet_filter.look_at(params["owner"], params["packet_rules"])
        problems += refusals
        commands += lacking_commands
    packages, lacks = _lacking(module, commands)
    if params["missing"] == "fail":
        problems += lacks
    in_place = False
    if not (problems or packages or params["plan"] is None):
        modules = [*(plan["kernel_modules"] or []), *needed]
        try:
            in_place = is_in_place(module, {**plan, "kernel_modules": modules}, params["owner"])
        except BadRequest as problem:
            problems.append(f"plan: {problem}")
    if problems:
        listed = " ".join(f"({number}) {text}" for number, text in enumerate(problems, 1))
        raise Refused(f"This host is not ready, and nothing was changed: {listed}")
    return {
        "changed": False,
        "kernel": system.release,
        "missing_packages": packages,
        "kernel_modules": needed,
        "managed_by": managers.managed_by(ledger, params["owner"]),
        "keepalived_runs": managers.is_keepalived_running(),
        "in_place": in_place,
    }


def _of_plan(given: dict[str, Any], mistakes: Mistakes) -> tuple[dict[str, Any], dict[str, str], list[dict[str, Any]]]:
    """The plan by its form, and what it sets below /proc/sys."""
    validated = ArgumentSpecValidator(PLAN["options"]).validate(given)
    arp = ArgumentSpecValidator({"arp": ARP_TUNING_SPEC["interfaces"]}).validate({"arp": given.get("arp") or []})
    for text in (*validated.error_messages, *arp.error_messages):
        mistakes.add("plan", text)
    mistakes.raise_if_any()
    plan = validated.validated_parameters
    return plan, sysctl_plan.check_values(plan["sysctls"] or {}, mistakes), arp.validated_parameters["arp"]


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
