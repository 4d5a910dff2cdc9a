# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one place that finds and runs commands of the host.

AnsibleModule.run_command() copies the whole interpreter for each command, only to reset a signal; from here the kernel
starts the command without a copy where Python can do that (3.10 and later).
"""

from __future__ import annotations

import os
import subprocess
from typing import NamedTuple, Sequence

from ansible.module_utils.common.process import get_bin_path
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused


class Said(NamedTuple):
    """How a command ended, and what it printed. Bytes that are no UTF-8 are kept as surrogates."""

    status: int
    output: str
    errors: str


def find(name: str) -> str | None:
    """The path of a command in PATH, /sbin, /usr/sbin or /usr/local/sbin; None where there is none."""
    try:
        return str(get_bin_path(name))
    except ValueError:
        return None


def run(words: Sequence[str], text: str = "") -> Said:
    """Run a command with the text as its input. What it says is in English, whatever the host speaks."""
    try:
        done = subprocess.run(
            words,
            input=text.encode(errors="surrogateescape"),
            capture_output=True,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
    except OSError as problem:
        raise Refused(
            f"{words[0]} cannot be started: {problem.strerror}. Install the package that has it again."
        ) from problem
    return Said(done.returncode, *(said.decode(errors="surrogateescape") for said in (done.stdout, done.stderr)))
