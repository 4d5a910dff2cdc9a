# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real servers that are to have a share of the clients: the weight that each of them gets for that. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake, show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import RealServer
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import Reader, as_percent

_ALL = 100
# A tenth of a share more or less is that share. Weights are whole numbers.
_NEAR = 10
# With these, a real server gets as many connections or clients as its weight says. rr, lc and dh only ask whether there
# is a weight, fo and ovf fill one real server after the other, lblc and lblcr go by the address that is asked, which is
# always the VIP, and nq sends to whoever is idle.
_BY_WEIGHT = ("wrr", "wlc", "sed", "sh", "mh", "twos")


def read_canary(reader: Reader) -> int | None:
    """The share of the clients in percent."""
    raw = reader.take("canary")
    if raw is None:
        return None
    share = as_percent(raw)
    if share is None or not 1 <= share < _ALL:
        problem = f"{show(raw)} is no share" if share is None else f"{show(raw)} is out of range"
        reader.refuse("canary", problem, f"write a share from 1% to {_ALL - 1}%")
        return None
    if reader.take("weight") is not None:
        reader.refuse("weight", "stands beside canary, which says what the weight is", "keep one of them")
    return share


def weights(others: int, shares: Sequence[int]) -> list[int]:
    """What real servers with these shares weigh beside others that have so much weight together."""
    rest = _ALL - sum(shares)
    # Rounded to the nearest; without a weight it would have no clients at all.
    return [max((2 * others * share + rest) // (2 * rest), 1) for share in shares]


def is_near(others: int, shares: Sequence[int]) -> bool:
    """Whether whole weights give each of them about its share."""
    found = weights(others, shares)
    whole = others + sum(found)
    return all(
        abs(each * _ALL - share * whole) * _NEAR <= share * whole for each, share in zip(found, shares, strict=True)
    )


def factor(others: int, shares: Sequence[int]) -> int:
    """By what the weights of the others have to be multiplied, so that whole numbers will do."""
    return next(each for each in range(1, _ALL * _NEAR + 1) if is_near(others * each, shares))


def with_weights(reader: Reader, entries: Sequence[tuple[RealServer, int | None]]) -> tuple[RealServer, ...]:
    """The real servers of a service, each with the share that it is to have, or None: with their weights."""
    plain = tuple(entry for entry, _share in entries)
    shares = [share for _entry, share in entries if share is not None]
    if not shares:
        return plain
    first = next(entry for entry, share in entries if share is not None)
    problem = _problem(reader, [entry.weight for entry, share in entries if share is None], shares)
    if problem:
        reader.mistakes.append(Mistake(f"{first.path}.canary", *problem))
        return plain
    found = iter(weights(sum(entry.weight for entry, share in entries if share is None), shares))
    return tuple(
        entry if share is None else replace(entry, weight=next(found), canary=share) for entry, share in entries
    )


def _problem(reader: Reader, others: Sequence[int], shares: Sequence[int]) -> tuple[str, str] | None:
    scheduler, whole = reader.take("scheduler"), sum(others)
    scheduler = scheduler if isinstance(scheduler, str) else forms.DEFAULT_SCHEDULER
    if scheduler in forms.SCHEDULERS and scheduler not in _BY_WEIGHT:
        remedy = f"use one of {', '.join(_BY_WEIGHT)}, or write a weight in place of canary"
        return f"cannot be kept: with scheduler: {scheduler} a weight is no share", remedy
    if sum(shares) >= _ALL:
        return f"and those of the others are {sum(shares)}% together", "leave some for real servers with a weight"
    if not whole:
        return "is a share of nothing: no other real server has a weight", "give others a weight, or leave it out"
    if not is_near(whole, shares):
        times = factor(whole, shares)
        example = f"in place of {max(others)}, {max(others) * times}"
        problem = f"cannot be kept with whole weights, as all others have {whole} together"
        return problem, f"multiply the weights of the others by {times}: {example}"
    if max(weights(whole, shares)) not in forms.WEIGHTS:
        return f"is more weight than {forms.WEIGHTS.high}", "make the weights of the others smaller"
    return None
