# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a list of wanted things means for the ledger, and what has to be put back. Pure; the same for every kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import AbstractSet, Any, Callable, Mapping

from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan


@dataclass(frozen=True)
class Settlement:
    """The two states of the ledger around a run, and the host's part of it."""

    claimed: Ledger
    settled: Ledger
    # Keys that are not as wanted.
    wrong: tuple[str, ...]
    # Keys whose last owner lets go, with what was there before (None: nothing).
    restore: Mapping[str, Any]
    # Keys that the task wants to be absent, which are there and not ours to take away.
    left_alone: tuple[str, ...]
    # Keys that the owner claims and no longer lists; only known where the task has the whole list.
    left_over: tuple[str, ...] = ()


def settle(
    ledger: Ledger,
    kind: str,
    owner: str,
    current: Mapping[str, Any],
    wanted: Mapping[str, Any],
    let_go: AbstractSet[str],
    is_right: Callable[[Any, Any], bool] = lambda is_now, want: bool(is_now == want),
    listed: AbstractSet[str] | None = None,
) -> Settlement:
    """Compare key by key; listed is all that the owner wants from now on, None where the task does not say.

    A thing that is right is claimed only where it is ours already: what the operator configured stays the operator's.
    """
    claimed = ledger
    wrong = []
    for key, want in wanted.items():
        right = key in current and is_right(current[key], want)
        if not right:
            wrong.append(key)
        if not right or ledger.owners(kind, key):
            claimed = claimed.claim(kind, key, owner, current.get(key))
    settled = claimed
    restore = {}
    left_alone = []
    for key in sorted(let_go):
        if key in wanted:
            continue
        if owner in ledger.owners(kind, key):
            settled, last, was = settled.release(kind, key, owner)
            if last:
                restore[key] = was
        elif key in current and not ledger.owners(kind, key):
            left_alone.append(key)
    left_over = () if listed is None else sorted(set(settled.owned(kind, owner)) - listed)
    return Settlement(claimed, settled, tuple(wrong), restore, tuple(left_alone), tuple(left_over))


def settle_list(
    ledger: Ledger,
    kind: str,
    owner: str,
    current: Mapping[str, Any],
    listed: Mapping[str, Any] | None,
    *,
    present: bool,
    purge: bool,
    is_right: Callable[[Any, Any], bool] = lambda is_now, want: bool(is_now == want),
) -> Settlement:
    """What a task's list means, by key: what is to be there, or with ``present`` false what is not. None: no list."""
    keys = None if listed is None else set(listed)
    let_go = to_let_go(ledger, kind, owner, keys, present=present, purge=purge)
    wanted = (listed or {}) if present else {}
    return settle(ledger, kind, owner, current, wanted, let_go, is_right, keys if present else None)


def to_let_go(
    ledger: Ledger,
    kind: str,
    owner: str,
    listed: AbstractSet[str] | None,
    *,
    present: bool,
    purge: bool,
) -> set[str]:
    """The keys that this task gives up: listed None means that the task has no list."""
    owned = set(ledger.owned(kind, owner))
    if present:
        return owned - (listed or set()) if purge else set()
    return owned if listed is None else set(listed)


def forget(ledger: Ledger, kind: str, owner: str, listed: AbstractSet[str] | None) -> tuple[Plan, Ledger]:
    """Give up claims and leave the host as it is, because somebody else looks after these things from now on."""
    owned = set(ledger.owned(kind, owner))
    keys = sorted(owned if listed is None else owned & listed)
    for key in keys:
        ledger, _last, _was = ledger.release(kind, key, owner)
    return Plan(tuple(Change(f"forget {key}", None) for key in keys)), ledger
