# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is said of runs of ansible-playbook."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

HERE = Path(__file__).parents[1]
EXAMPLES = HERE.parents[1] / "docs/examples"
Run = Callable[..., "CompletedProcess[str]"]


def said(result: CompletedProcess[str]) -> str:
    """What Ansible printed, wherever, on lines of whatever length."""
    return " ".join((result.stdout + result.stderr).split())


def hosts_changed(result: CompletedProcess[str]) -> set[str]:
    """The hosts that a run changed which succeeded."""
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    recap = re.findall(r"^(\S+) .*changed=(\d+)", result.stdout.split("PLAY RECAP")[1], re.MULTILINE)
    assert recap, f"nothing was done on any host: {result.stdout}"
    return {host for host, count in recap if int(count)}
