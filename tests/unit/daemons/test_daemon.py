# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read of a daemon's files before anything of them is planned."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._daemons import daemon_plan
from ansible_collections.lvs.topology.plugins.module_utils._daemons.daemon import on_disk
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File


def test_what_is_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, copy, drop_in, script = (tmp_path / name for name in ("daemon.conf", "before", "drop-in", "script"))
    monkeypatch.setattr(daemon_plan, "copy_of", lambda of: str(copy) if of == str(path) else "")
    # A file that is not there was never written: whatever a daemon has read is newer.
    found = on_disk(str(path), str(drop_in), str(script))
    assert found[:4] == (None, 0.0, None, {str(drop_in): None, str(script): None})
    for each in (path, copy, script):
        each.write_text(f"{each.name}\n")
        each.chmod(0o640)
    os.utime(path, (50, 50))
    found = on_disk(str(path), str(drop_in), str(script))
    assert found[:3] == (File("daemon.conf\n", 0o640), 50.0, File("before\n", 0o640))
    assert found.beside == {str(drop_in): None, str(script): File("script\n", 0o640)}
    assert found.now > found.written
