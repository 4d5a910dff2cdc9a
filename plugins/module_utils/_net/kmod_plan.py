# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel modules: what is asked for, and what has to be loaded or unloaded. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import AbstractSet, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File, owned_file
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan
from ansible_collections.lvs.topology.plugins.module_utils._settle import Settlement, settle, to_let_go

KIND = "module"
_LOADED = "loaded"


@dataclass(frozen=True)
class Loaded:
    """A loaded module: how often it is in use in all, and by which other modules."""

    references: int
    holders: frozenset[str] = frozenset()


@dataclass(frozen=True)
class LoadModule:
    """Load a module and what it depends on."""

    name: str


@dataclass(frozen=True)
class UnloadModule:
    """Unload this one module, which nobody uses."""

    name: str


def check(names: Sequence[str], mistakes: Mistakes, option: str = "modules") -> list[str]:
    """The modules that an option of a task names, in the kernel's spelling."""
    wanted: list[str] = []
    for position, given in enumerate(names):
        name = mistakes.form(f"{option}[{position}]", given, forms.kernel_module)
        if name is None:
            continue
        if name in wanted:
            mistakes.add(f"{option}[{position}]", f"{name} is already listed in {option}[{wanted.index(name)}]")
        wanted.append(name)
    return wanted


def plan_modules(
    ledger: Ledger,
    owner: str,
    loaded: Mapping[str, Loaded],
    chains: Mapping[str, Sequence[str]] | None,
    *,
    present: bool,
    purge: bool,
) -> tuple[Plan, Settlement, list[str]]:
    """Load what is missing, then unload what we loaded and nobody uses.

    A chain is a module with what it depends on, in the order of loading; built-in ones are left out of it. The last
    value names those that were ours and are still in use. They remain ours where a later run may find them unused.
    """
    every = None if chains is None else [name for chain in chains.values() for name in chain]
    wanted = dict.fromkeys(every or (), _LOADED) if present else {}
    listed = None if every is None else set(every)
    let_go = to_let_go(ledger, KIND, owner, listed, present=present, purge=purge)

    def settled(gone: AbstractSet[str]) -> Settlement:
        current = dict.fromkeys(loaded, _LOADED)
        return settle(ledger, KIND, owner, current, wanted, gone, listed=listed if present else None)

    settlement = settled(let_go)
    unloadable, in_use = _unloadable({name for name in settlement.restore if name in loaded}, loaded)
    if present:
        settlement = settled(let_go.difference(in_use))
    changes: list[Change] = []
    after = set(loaded)
    for requested, chain in (chains or {}).items():
        if present and not after.issuperset(chain):
            changes.append(Change(f"modprobe {requested}", LoadModule(requested)))
            after.update(chain)
    for name in unloadable:
        changes.append(Change(f"rmmod {name}", UnloadModule(name)))
        after.discard(name)
    touched = sorted(after ^ set(loaded))
    return (
        Plan(tuple(changes), tuple(n for n in touched if n in loaded), tuple(n for n in touched if n in after)),
        settlement,
        in_use,
    )


def _unloadable(ours: AbstractSet[str], loaded: Mapping[str, Loaded]) -> tuple[list[str], list[str]]:
    """Which can go, those first that use others; and which cannot."""
    order: list[str] = []
    left = set(ours)
    while True:
        free = sorted(name for name in left if loaded[name].references == _released_by(order, name, loaded[name]))
        if not free:
            return order, sorted(left)
        order.append(free[0])
        left.remove(free[0])


def _released_by(gone: Sequence[str], name: str, module: Loaded) -> int:
    """The references that go away with the holders that are gone.

    Schedulers, persistence engines and ip_vs_ftp hold ip_vs twice: by its symbols, and by registering with it. Not so
    xt_ipvs, which only asks it.
    """
    return sum(2 if name == "ip_vs" and holder != "xt_ipvs" else 1 for holder in module.holders if holder in gone)


def render(
    owner: str, file_now: File | None, names: Sequence[str], listed: Sequence[str], *, keep: bool
) -> File | None:
    """The modules-load.d file; with keep, what earlier runs put there and this one does not list stays."""
    kept = []
    if file_now is not None and keep:
        kept = [line for line in file_now.text.split("\n") if line and line[0] not in "#;" and line not in listed]
    return owned_file(owner, sorted({*kept, *names}))
