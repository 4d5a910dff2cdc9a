# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of a pool is to be up: min_up, and what does not go with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import RealServer, Share
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import Reader, as_integer, as_percent
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.health import sets_weight

_ALL = 100
_MOST = 2**31 - 1


def read_min_up(reader: Reader) -> Share | None:
    """How much of a pool is to be up: percent of its weight, or a weight."""
    raw = reader.take("min_up")
    if raw is None:
        return None
    percent = as_percent(raw)
    is_percent = percent is not None
    amount = percent if is_percent else as_integer(raw)
    remedy = f"write a share such as 50%, or a weight from 1 to {_MOST}"
    if amount is None:
        reader.refuse("min_up", f"{show(raw)} is neither a share of the pool nor a weight", remedy)
    elif not 1 <= amount <= (_ALL if is_percent else _MOST):
        reader.refuse("min_up", f"{show(raw)} is out of range", f"use 1% to {_ALL}%" if is_percent else remedy)
    else:
        return Share(amount, is_percent)
    return None


def refuse_beside_min_up(
    reader: Reader,
    real_servers: Sequence[RealServer],
    checks: Sequence[Mapping[str, Any]],
    *,
    inhibits: bool,
    alpha: bool,
) -> None:
    """Notes what of a service, and of its real servers, does not go with ``min_up``."""
    for key in ("quorum", "hysteresis"):
        if reader.take(key) is not None:
            reader.refuse(key, "stands beside min_up, which says how much has to be up", "keep one of them")
    if reader.take("sorry_server") is not None:
        problem = "stands beside min_up: below that all real servers serve, so it never would"
        reader.refuse("sorry_server", problem, "keep one of them")
    every = [*checks, *chain.from_iterable(each.watch.checks or () for each in real_servers)]
    if real_servers and not every:
        remedy = "add a health_check, or leave min_up out"
        reader.refuse("min_up", "has no meaning without a health_check: nothing takes a real server out", remedy)
    if any(map(sets_weight, every)):
        problem = "stands beside a check that sets weights: which one a real server that fails is to get is not known"
        reader.refuse("min_up", problem, "leave one of them out")
    for path, problem, remedy in _switches(reader.path, real_servers, inhibits=inhibits, alpha=alpha):
        key = path[len(reader.path) + 1 :]
        reader.refuse(key, problem, remedy)


def _switches(
    path: str, real_servers: Iterable[RealServer], *, inhibits: bool, alpha: bool
) -> Iterator[tuple[str, str, str]]:
    wrong_inhibit = "is false, and with min_up a real server that fails stays in the table", "leave it out"
    wrong_alpha = "is true, and with min_up all real servers would serve until enough of them are up", "leave it out"
    if not inhibits:
        yield (f"{path}.inhibit_on_failure", *wrong_inhibit)
    if alpha:
        yield (f"{path}.alpha", *wrong_alpha)
    for each in real_servers:
        if each.watch.inhibit_on_failure is False:
            yield (f"{each.path}.inhibit_on_failure", *wrong_inhibit)
        if each.watch.alpha:
            yield (f"{each.path}.alpha", *wrong_alpha)
