# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What every ipvs_* module does: open the table, read it, and say so where the kernel's answer cannot be read."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Callable

from ansible_collections.lvs.topology.plugins.module_utils import _commands, _plan
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import Table
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.kernel import Ipvs, LoadModule
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._netlink.messages import OddAnswer
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest, Refused

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule


def run(module: AnsibleModule, ensure: Callable[..., dict[str, Any]]) -> None:
    """Run what a module does (ensure_*.py), and leave the module with its result or with what went wrong."""
    _plan.run(module, readable(ensure))


def readable(ensure: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """What a module does, which now says so where the kernel's answer cannot be read."""

    @functools.wraps(ensure)
    def guarded(*given: Any) -> dict[str, Any]:
        try:
            return ensure(*given)
        except OddAnswer as problem:
            raise Refused(
                f"The kernel's IPVS answered something that this collection cannot read: {problem}."
            ) from problem

    return guarded


def open_table(module: AnsibleModule, mistakes: Mistakes, *, may_load: bool) -> Ipvs:
    """Open the table. IPVS is loaded to add to the table, not to look, and not to take away.

    A task with mistakes only looks, as in check mode, for those that only the table shows.
    """
    try:
        mistakes.raise_if_any()
    except BadRequest:
        return Ipvs(load_module=None)
    return Ipvs(load_module=_loader() if may_load and not module.check_mode else None)


def read_table(kernel: Ipvs, mistakes: Mistakes, counters: bool = False) -> Table:
    try:
        return kernel.table(counters)
    except Refused:
        mistakes.raise_if_any()
        raise


def _loader() -> LoadModule:
    def load(name: str) -> str | None:
        modprobe = _commands.find("modprobe")
        if modprobe is None:
            return "modprobe is not installed; the package is kmod"
        code, _out, error = _commands.run([modprobe, "--", name])
        return None if code == 0 else (error.strip() or f"modprobe {name} ended with {code}")

    return load
