# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a director: what is there is read, or it is said why it was not, and nothing is waited for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._daemons import configuration_files
from ansible_collections.lvs.topology.plugins.module_utils._daemons.configuration_files import read_all


def read(folder: Path) -> tuple[dict[str, bytes], dict[str, str]]:
    """By path below the folder, what was read, and why something was not."""
    found, unread = read_all([str(folder / "rules")], [str(folder / "keepalived")])
    cut = len(str(folder)) + 1
    return {path[cut:]: content for path, content in found.items()}, {path[cut:]: why for path, why in unread}


def test_what_is_not_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert read(tmp_path) == ({}, {})


def test_all_that_keepalived_may_include_is_read(tmp_path: Path) -> None:
    (tmp_path / "rules").write_bytes(b"-A -t 192.0.2.1:80\n")
    (tmp_path / "keepalived/a/b").mkdir(parents=True)
    (tmp_path / "keepalived/keepalived.conf").write_bytes(b"\xff")
    (tmp_path / "keepalived/a/b/{{ x }} \u00fc.conf").write_bytes(b"")
    # Other tools keep their files elsewhere, and link them.
    (tmp_path / "other").mkdir()
    (tmp_path / "other/c.conf").write_bytes(b"c")
    (tmp_path / "keepalived/linked").symlink_to(tmp_path / "other")
    assert read(tmp_path) == (
        {
            "rules": b"-A -t 192.0.2.1:80\n",
            "keepalived/a/b/{{ x }} \u00fc.conf": b"",
            "keepalived/keepalived.conf": b"\xff",
            "keepalived/linked/c.conf": b"c",
        },
        {},
    )


@pytest.mark.parametrize(
    ("make", "path", "said"),
    [
        (lambda place: place.symlink_to("/nowhere/at/all"), "x", "it is a link to nothing"),
        (lambda place: place.symlink_to("x"), "x", "Too many levels of symbolic links"),
        (os.mkfifo, "x", "it is no file"),
        (lambda place: place.symlink_to("/dev/zero"), "x", "it is no file"),
        (lambda place: place.write_bytes(b"x" * 101), "x", "all files have more than "),
        (lambda place: place.symlink_to("."), "x/x/x/x/x", "it is more than 4 folders deep"),
    ],
)
def test_why_a_file_was_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Any, path: str, said: str
) -> None:
    monkeypatch.setattr(configuration_files, "_MOST_BYTES", 100)
    (tmp_path / "keepalived").mkdir()
    make(tmp_path / "keepalived/x")
    found, unread = read(tmp_path)
    assert found == {}
    ((where, why),) = unread.items()
    assert where == f"keepalived/{path}"
    assert why.startswith(said)


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything, so the kernel's refusal is made here."""
    (tmp_path / "rules").write_bytes(b"x")
    (tmp_path / "keepalived").mkdir()

    def refuse(path: str, *_more: Any) -> Any:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(os, "listdir", refuse)
    assert read(tmp_path) == ({}, {"rules": "Permission denied", "keepalived": "Permission denied"})


def test_very_many_files_are_not_all_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(configuration_files, "_MOST_FILES", 3)
    (tmp_path / "keepalived").mkdir()
    for number in range(5):
        (tmp_path / f"keepalived/{number}").write_bytes(b"")
    found, unread = read(tmp_path)
    assert len(found) == 3
    assert unread == {"keepalived": "there are more than 3 files"}
