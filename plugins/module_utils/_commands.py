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
import tempfile
from typing import IO, NamedTuple, Sequence

from ansible.module_utils.common.process import get_bin_path
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused


class Said(NamedTuple):
    """How a command ended, and what it printed. Bytes that are no UTF-8 are kept as surrogates."""

    status: int
    output: str
    errors: str


def find(name: str) -> str | None:
    """The path of a command in the system's directories, else in PATH or /usr/local/sbin; None where there is none.

    The directories that only root writes come first: PATH may be that of another user, and what restores this host at
    boot goes by them alone.
    """
    try:
        return str(get_bin_path(name, opt_dirs=["/usr/sbin", "/usr/bin", "/sbin", "/bin"]))
    except ValueError:
        return None


def run(words: Sequence[str], text: str = "") -> Said:
    """Run a command with the text as its input. What it says is in English, whatever the host speaks.

    The run is over when the command has ended. What the command leaves running in the background would keep a pipe
    open, so what is said goes into files.
    """
    with _file() as output, _file() as errors:
        try:
            done = subprocess.run(
                words,
                input=text.encode(errors="surrogateescape"),
                stdout=output,
                stderr=errors,
                env={**os.environ, "LC_ALL": "C"},
                check=False,
            )
        except OSError as problem:
            raise Refused(
                f"{words[0]} cannot be started: {problem.strerror}. Install the package that has it again."
            ) from problem
        return Said(done.returncode, _content(output), _content(errors))


def _file() -> IO[bytes]:
    """A file without a name: in memory (memfd_create(2)), or where a Python or a kernel has no such, on the disk."""
    try:
        return open(os.memfd_create("said"), "w+b")
    except (AttributeError, OSError):
        pass
    try:
        return tempfile.TemporaryFile()
    except OSError as problem:
        raise Refused(
            f"What a command says cannot be kept, neither in memory nor on the disk: {problem.strerror}. Where that is "
            "for want of space, make some in /tmp or where TMPDIR leads to; else look for what this host runs out of."
        ) from problem


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="surrogateescape")
