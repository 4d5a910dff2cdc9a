# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""With which weight a real server comes back after it was drained, and in which steps. Pure."""

from __future__ import annotations

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms

_ALL = 100
# Of the steps, of the share with which they begin, in percent, and of the seconds before each of them.
STEPS = forms.Range(0, 99)
FIRST = forms.Range(1, _ALL - 1)
PAUSES = forms.Range(0, 9999)


def shares(steps: int, first: int) -> list[int]:
    """How much of its weight a real server has at first and after each step, in percent: all of it in the end."""
    return [first + (_ALL - first) * step // steps for step in range(steps + 1)] if steps else [_ALL]


def weight(model: int, former: int | None, *, has_keepalived: bool, in_steps: bool) -> int | None:
    """The weight that a real server gets back which had this one, or none, before; None where there is nothing to do.

    Weight 0 or no entry may have been the word of a health check of keepalived on one that was down: nobody else would
    raise it. Without keepalived it is somebody's decision.
    """
    if not former:
        return model if has_keepalived else None
    # Where an earlier run was interrupted between two steps, what the real server had is only a part of its weight.
    return max(former, model) if in_steps else former


def said(former: int | None, *, is_known: bool, afterwards: bool) -> str:
    """What a drain has found in a table, or what is there ``afterwards``, in words."""
    if not is_known:
        return "a weight that is not known"
    if former is None:
        return "no entry"
    return "weight 0" if afterwards else str(former)
