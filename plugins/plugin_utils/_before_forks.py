# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Load every filter, and the compiler, before Ansible forks a process for each task of each host.

Such a process imports every filter to find one of them, and compiles a collection's Python from its source, unless the
process that forks has it already. In samples of an unchanged run of site for six hosts, that was a third of the time on
the controller. What only other playbooks than site ask of the model is left to the process that asks it.
"""

from __future__ import annotations

import contextlib
import importlib
import pkgutil

from ansible_collections.lvs.topology.plugins import filter as filters


def load() -> None:
    """Import every filter. Ansible itself says what cannot be imported, to whoever uses it."""
    for each in pkgutil.iter_modules(filters.__path__, f"{filters.__name__}."):
        with contextlib.suppress(Exception):
            importlib.import_module(each.name)
