# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of a process, on this machine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._net.processes import parent_of


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
