# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan, or a part of one, as one text, on its way from the filter that makes it to a module. Pure.

Ansible templates, tags and copies each value of a structure, several times for each task: with ten thousand services
that took longer than all else of the controller's part. A text is one value.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.uncollected import uncollected


def written(plan: Mapping[str, Any] | list[dict[str, Any]]) -> str:
    """The plan as one text: JSON, of which Ansible makes a mapping wherever a module asks for one."""
    # ansible-core 2.18 takes it for a literal of Python, and escapes of JSON mean something else there.
    return json.dumps(plan, ensure_ascii=False, separators=(",", ":"))


@uncollected
def read(given: Any) -> Any:
    """The plan that a text is; whatever else is given, as it is, for the module to take or to refuse."""
    if not isinstance(given, str):
        return given
    try:
        return json.loads(given)
    except (ValueError, RecursionError):
        return given


def with_its_plan(part: Any) -> Any:
    """What a role of a host is asked for, with its plan as a mapping, also where that is given as text."""
    return {**part, "plan": read(part["plan"])} if isinstance(part, dict) and "plan" in part else part
