# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks of a checkout look at: every file that is there, whatever its name is."""

from __future__ import annotations

import subprocess
from pathlib import Path

SCRIPT = Path(__file__).parents[3] / "scripts/files"


def test_every_file_is_listed_whatever_its_name_is(tmp_path: Path) -> None:
    for name in (".gitignore", "new ü", "com\nmitted", 'a"b\\c', "gone", "hidden"):
        (tmp_path / name).write_text("hidden\n" if name == ".gitignore" else "")
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    subprocess.run(["git", "add", "com\nmitted", "gone"], cwd=tmp_path, check=True)
    (tmp_path / "gone").unlink()
    found = subprocess.run([SCRIPT], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert sorted(found.split("\0")) == sorted(["", ".gitignore", "new ü", "com\nmitted", 'a"b\\c'])
    found = subprocess.run([SCRIPT, ".", ":!new*"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert "new" not in found
