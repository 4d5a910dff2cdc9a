# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A function of the model as a filter: what is wrong becomes an error of Ansible's."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from ansible.errors import AnsibleFilterError
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import WrongModel

P = ParamSpec("P")
T = TypeVar("T")


def as_filter(call: Callable[P, T], begins: str = "") -> Callable[P, T]:
    """The function as Ansible calls it. ``begins`` stands before what is wrong."""

    @wraps(call)
    def called(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return call(*args, **kwargs)
        except WrongModel as wrong:
            raise AnsibleFilterError(f"{begins}{wrong}") from None

    return called
