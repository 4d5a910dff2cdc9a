# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is decided for a host, in the form in which the playbook hands it on to preflight and to the roles."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_TEMPLATE = re.compile(r"\{(?=[{%#])")


def handed_on(roles: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What preflight is asked for each role, without any password, and for a director the plan of keepalived."""
    found: dict[str, Any] = {"parts": {role: _part(role, each) for role, each in roles.items()}}
    if "keepalived" in roles:
        found["keepalived"] = roles["keepalived"]["plan"]
    return found


def _part(role: str, decided: Mapping[str, Any]) -> dict[str, Any]:
    plan = decided["plan"]
    part = {"name": role, "missing": "report" if decided["installs"] else "fail"}
    if role != "keepalived":
        return {**part, "owner": role, "plan": plan, "python_modules": ["pyroute2"]}
    # It is the director's addresses and services that are taken over.
    manager = "keepalived" if plan["keepalived"] else "kernel"
    return {**part, "owner": "director", "manager": manager, **{key: plan[key] for key in ("interfaces", "commands")}}


def as_json(value: Any) -> str:
    """Plain values as JSON that nobody takes for a template: within its words, the brace of one is escaped."""
    return _TEMPLATE.sub(r"\\u007b", json.dumps(value))
