# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of a process, on this machine."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._daemons.processes import parent_of, program_of


@pytest.mark.parametrize("name", ["sleep", "a) S 1 (b", os.fsdecode(b"\xff) R 7")])
def test_a_process_has_a_parent_whatever_its_name(tmp_path: Path, name: str) -> None:
    program = tmp_path / name
    program.symlink_to("/bin/sleep")
    with subprocess.Popen([str(program), "600"]) as process:
        try:
            assert parent_of(process.pid) == os.getpid()
        finally:
            process.kill()
    with pytest.raises(OSError, match=str(process.pid)):
        parent_of(process.pid)


def test_a_program_has_its_name_also_where_it_was_replaced(tmp_path: Path) -> None:
    program = tmp_path / "keepalived"
    shutil.copy("/bin/sleep", program)
    with subprocess.Popen(["any name", "600"], executable=program) as process:
        try:
            assert program_of(process.pid) == "keepalived"
            program.unlink()
            assert program_of(process.pid) == "keepalived"
        finally:
            process.kill()
    with pytest.raises(OSError, match=str(process.pid)):
        program_of(process.pid)
