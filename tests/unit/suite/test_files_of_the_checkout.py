# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the checks of a checkout look at: every file that is there, whatever its name is."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]
SCRIPT = CHECKOUT / "scripts/files"
# What has a check pass over a line, and what stands behind it.
_PASSED_OVER = re.compile(
    r"#\s*(?:noqa\b(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*)?|type:\s*ignore\b(?:\[[\w, -]+\])?|nosec\b"
    r"|shellcheck disable=\S+)(?P<reason>.*)"
)


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


def test_what_a_check_is_to_pass_over_has_its_reason_beside_it() -> None:
    names = subprocess.run([SCRIPT], cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout.split("\0")
    found = []
    for name in names:
        path = CHECKOUT / name
        if name.endswith(".md") or path.is_symlink() or not path.is_file():
            continue
        lines = path.read_text(errors="replace").splitlines()
        for number, line in enumerate(lines, start=1):
            found += [(f"{name}:{number}", match["reason"].strip("#, ")) for match in _PASSED_OVER.finditer(line)]
    assert found
    assert [where for where, reason in found if not reason] == []
