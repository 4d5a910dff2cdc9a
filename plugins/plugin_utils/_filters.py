# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A function of the model as a filter: what is wrong becomes an error of Ansible's."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import WrongModel

_TOPOLOGY = WrongModel.__module__.rpartition(".base.")[0]


def as_filter(path: str, begins: str = "") -> Callable[..., Any]:
    """The function with this path in _topology as Ansible calls it. ``begins`` stands before what is wrong.

    Ansible imports every filter of the collection to find one of them, and compiles what they import in each run. So
    the function's file is imported when the filter is used.
    """
    file, _dot, name = path.rpartition(".")

    def called(*args: Any, **kwargs: Any) -> Any:
        call = getattr(importlib.import_module(f"{_TOPOLOGY}.{file}"), name)
        try:
            return call(*args, **kwargs)
        except WrongModel as wrong:
            raise AnsibleFilterError(f"{begins}{wrong}") from None

    return called
