# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of a plan for BIRD, apart from what needs them: every host checks the form of a plan."""

from __future__ import annotations

from typing import Any

BIRD: dict[str, Any] = {
    "content": {"type": "str", "no_log": False},
    "secrets": {"type": "list", "elements": "str", "default": [], "no_log": False},
}
