# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How commands of the host are found and run, whatever they answer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused


def test_what_a_command_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    said = _commands.run(["sh", "-c", 'cat; echo "$LC_ALL"; echo wrong >&2; exit 3'], "in\n")
    assert said == (3, "in\nC\n", "wrong\n")


def test_bytes_that_are_no_text_come_back_as_they_were() -> None:
    odd = _commands.run(["printf", r"\377"]).output
    assert odd.encode(errors="surrogateescape") == b"\xff"
    assert _commands.run(["cat"], odd).output == odd


def test_a_command_does_not_wait_for_input_that_nobody_gives() -> None:
    assert _commands.run(["cat"]) == (0, "", "")


def test_a_command_is_over_when_it_ends_whatever_it_leaves_behind(tmp_path: Path) -> None:
    """What is left behind ends after this test has seen the answer, or after some minutes."""
    is_seen = tmp_path / "seen"
    background = f"for i in $(seq 3000); do [ -e {is_seen} ] && break; sleep 0.1; done; touch {tmp_path}/over"
    try:
        assert _commands.run(["sh", "-c", f"({background}) & echo started"]) == (0, "started\n", "")
        assert not (tmp_path / "over").exists()
    finally:
        is_seen.touch()


def test_a_python_without_files_in_memory_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create")
    assert _commands.run(["sh", "-c", "cat; echo wrong >&2"], "in") == (0, "in", "wrong\n")


def test_a_command_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "ip"
    broken.write_bytes(b"\x7fELF")
    broken.chmod(0o755)
    for path in (str(broken), str(tmp_path / "none")):
        with pytest.raises(Refused, match=f"^{path} cannot be started: "):
            _commands.run([path])


def test_what_stands_first_in_path_is_not_run_in_place_of_the_hosts_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("ip", "env"):
        (tmp_path / name).touch(mode=0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert _commands.find("ip") in ("/sbin/ip", "/usr/sbin/ip")
    assert _commands.find("env") in ("/bin/env", "/usr/bin/env")


def test_a_command_is_looked_for_where_administrators_have_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "of-mine").touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert _commands.find("of-mine") == str(tmp_path / "of-mine")
    assert _commands.find("no-such-command") is None
    # Not in that PATH.
    assert _commands.find("ip") in ("/sbin/ip", "/usr/sbin/ip")
