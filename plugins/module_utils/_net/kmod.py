# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking for, loading and unloading kernel modules, and the module kernel_modules."""

from __future__ import annotations

import errno
import functools
import os
from typing import TYPE_CHECKING, Any

from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import plan_file
from ansible_collections.lvs.topology.plugins.module_utils._files import apply_file, read_file
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import LedgerFile, carry_out_booked
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net import kmod_plan
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused, joined, one_by_one
from ansible_collections.lvs.topology.plugins.module_utils._traces import TRACES

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

_SYS = "/sys/module"
# Where installing a package may not be enough.
_RARE = {
    "ip_vs_twos": " The scheduler twos is there since Linux 5.11 where CONFIG_IP_VS_TWOS is set; otherwise use another."
}


def ensure_modules(module: AnsibleModule, book: LedgerFile) -> dict[str, Any]:
    """What the module kernel_modules does."""
    params = module.params
    owner = params["owner"]
    present = params["state"] == "present"
    mistakes = Mistakes()
    mistakes.owner(owner)
    names = kmod_plan.check(params["modules"] or [], mistakes)
    mistakes.raise_if_any()
    kernel = Modules()
    chains = None if params["modules"] is None else {name: kernel.chain(name) for name in names}
    if present:
        lacking = [name for name, chain in (chains or {}).items() if chain is None]
        if lacking:
            raise Refused(kernel.advice(lacking))

    path = TRACES["kernel_modules"].path(owner)
    file_now = read_file(path)
    file_wanted = kmod_plan.render(
        owner,
        file_now,
        names if present else [],
        names,
        keep=params["modules"] is not None and not (present and params["purge"]),
    )
    plan, settlement, in_use = kmod_plan.plan_modules(
        book.load(),
        owner,
        kernel.loaded(),
        None if chains is None else {name: chain or (name,) for name, chain in chains.items()},
        present=present,
        purge=params["purge"],
    )
    plan = joined(plan, plan_file(path, file_now, file_wanted))
    result = carry_out_booked(module, plan, one_by_one(kernel.apply), book, settlement.claimed, settlement.settled)
    result["still_in_use"] = in_use
    result["left_over"] = list(settlement.left_over)
    return result


class Modules:
    """The modules of the running kernel."""

    def __init__(self) -> None:
        self._modprobe = _commands.find("modprobe")
        self._rmmod = _commands.find("rmmod")

    def chain(self, name: str) -> tuple[str, ...] | None:
        """The module with what it depends on, in the order of loading; empty: built in; None: there is none."""
        known = None if self._modprobe is None else loading_order(self._modprobe, name)
        if known is not None:
            return known
        # It may be there although its file is not: in a container, or after the package was updated.
        if not os.path.isdir(f"{_SYS}/{name}"):
            return None
        return (name,) if os.path.exists(f"{_SYS}/{name}/initstate") else ()

    def is_to_come(self, name: str) -> bool:
        """Whether it is there to be loaded, and is not. IPv6 may be told to do nothing once it is (disable=1)."""
        if self._modprobe is None or os.path.isdir(f"{_SYS}/{name}"):
            return False
        said = (shown_by(self._modprobe, name) or "").split()
        return "insmod" in said and "disable=1" not in said

    def loaded(self) -> dict[str, kmod_plan.Loaded]:
        """What is loaded and not built in."""
        try:
            names = os.listdir(_SYS)
        except OSError as problem:
            raise Refused(
                f"Which kernel modules are loaded cannot be told: {_SYS} cannot be read ({problem.strerror}). Mount "
                "sysfs on /sys, and run the task again."
            ) from problem
        found = {}
        for name in names:
            try:
                with open(f"{_SYS}/{name}/refcnt", encoding="ascii") as file:
                    references = int(file.read())
                found[name] = kmod_plan.Loaded(references, frozenset(os.listdir(f"{_SYS}/{name}/holders")))
            except OSError as problem:
                # Built in, or unloaded meanwhile: a file that was opened before that says ENODEV.
                if problem.errno not in (errno.ENOENT, errno.ENODEV):
                    raise Refused(f"{_SYS}/{name} cannot be read: {problem.strerror}. Run as root.") from problem
        return found

    def advice(self, lacking: list[str]) -> str:
        """Why modules are not there, and where they come from."""
        release = os.uname().release
        listed = ", ".join(lacking)
        if self._modprobe is None:
            return (
                f"The kernel modules {listed} are not loaded, and there is no modprobe to load them. Install the "
                "package kmod; in a container, load them on the container's host."
            )
        if not os.path.isdir(f"/lib/modules/{release}"):
            return (
                f"The kernel modules {listed} cannot be loaded, because /lib/modules/{release} does not exist. "
                "After an update of the kernel, reboot into it; in a container, load them on the container's host."
            )
        rare = "".join(_RARE.get(name, "") for name in lacking)
        return f"The kernel {release} has no module {listed}. {_package(release)}{rare}"

    def apply(self, action: Any) -> None:
        if isinstance(action, kmod_plan.LoadModule):
            self._call([self._modprobe or "modprobe", action.name], f"Loading the kernel module {action.name}")
        elif isinstance(action, kmod_plan.UnloadModule):
            self._call([self._rmmod or "rmmod", action.name], f"Unloading the kernel module {action.name}")
        else:
            apply_file(action)

    def _call(self, command: list[str], attempt: str) -> None:
        status, _output, errors = _commands.run(command)
        if status != 0:
            raise Refused(f"{attempt} failed: {errors.strip()}. Run as root, and look into the kernel's log (dmesg).")


def loading_order(modprobe: str, name: str) -> tuple[str, ...] | None:
    """What modprobe would load for a module, itself included; None: it knows no such module."""
    output = shown_by(modprobe, name)
    if output is None:
        return None
    words = [line.split() for line in output.splitlines()]
    return tuple(_name_of(line[1]) for line in words if len(line) > 1 and line[0] == "insmod")


@functools.lru_cache(maxsize=None)
def shown_by(modprobe: str, name: str) -> str | None:
    """What modprobe would do for a module, which is a matter of files that nobody changes while a host is planned."""
    status, output, _errors = _commands.run([modprobe, "--show-depends", name])
    return output if status == 0 else None


def _name_of(path: str) -> str:
    return os.path.basename(path).split(".")[0].replace("-", "_")


def _package(release: str) -> str:
    words = set(read_os_release())
    if "ubuntu" in words:
        return f"Install the package linux-modules-extra-{release}."
    if words & {"rhel", "fedora", "centos"}:
        return f"Install the package kernel-modules-extra-{release} (or kernel-modules-{release})."
    if "debian" in words:
        return "Install the package linux-image-amd64 (or that of the architecture) and boot its kernel."
    return "Install the package with the other modules of this kernel, or build them."


def read_os_release() -> list[str]:
    """The distribution and what it is like."""
    file = read_file("/etc/os-release")
    words: list[str] = []
    for line in file.text.splitlines() if file else ():
        name, _equals, value = line.partition("=")
        if name in ("ID", "ID_LIKE"):
            words += value.strip("\"'").lower().split()
    return words
