# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python's search for garbage is put off while a plan is made or read: hardly anything is thrown away then.

It would go through all values of the inventory again and again. What comes after that is collected as ever: Ansible
leaves much garbage where it puts modules together.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


def uncollected(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """The function, during which no search for garbage begins."""

    @wraps(function)
    def called(*arguments: _P.args, **named: _P.kwargs) -> _T:
        is_on = gc.isenabled()
        gc.disable()
        try:
            return function(*arguments, **named)
        finally:
            if is_on:
                gc.enable()

    return called
