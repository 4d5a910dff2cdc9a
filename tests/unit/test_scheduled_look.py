# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The script of docs/operating.md that cron runs: it speaks up where verify found something else than before."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

DOCUMENT = Path(__file__).parents[2] / "docs/operating.md"
# Stands for the playbook: it says and writes what the test wants.
VERIFY = """#!/bin/sh
cat said
[ ! -e found ] || cp found now.json
exit 2
"""


def test_the_script_says_only_what_is_new(tmp_path: Path) -> None:
    (script,) = re.findall(r"```sh\n(#!/bin/sh\ncd .*?)```", DOCUMENT.read_text(), re.DOTALL)
    place, program = tmp_path / "look", tmp_path / "bin/ansible-playbook"
    place.mkdir()
    program.parent.mkdir()
    program.write_text(VERIFY)
    program.chmod(0o755)
    script = script.replace("/var/lib/lvs-look", str(place))

    def look(said: str, found: str | None) -> str:
        (place / "said").write_text(said)
        (place / "found").unlink(missing_ok=True)
        if found is not None:
            (place / "found").write_text(found)
        paths = f"{program.parent}:{os.environ['PATH']}"
        words = ["sh", "-c", script]
        return subprocess.run(words, env={"PATH": paths}, capture_output=True, text=True, check=False).stdout

    assert look("all is well", "{}") == "all is well"
    assert look("all is well", "{}") == ""
    assert look("1 of 4 got no answer", '{"what": "1 of 4 connections"}') == "1 of 4 got no answer"
    assert look("2 of 4 got no answer", '{"what": "2 of 4 connections"}') == ""
    assert look("nobody answers", None) == "nobody answers"
    assert look("nobody answers", None) == ""
    assert look("all is well", "{}") == "all is well"
