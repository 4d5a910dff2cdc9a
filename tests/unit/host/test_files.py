# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that are replaced whole: what stays of a file that was there, and what becomes of it where that fails."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils import _disk
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File, RemoveFile, WriteFile
from ansible_collections.lvs.topology.plugins.module_utils._files import apply_file, read_file
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import LedgerFile
from ansible_collections.lvs.topology.plugins.module_utils._look import places
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused


def write(path: Path, text: str, mode: int = 0o644) -> None:
    apply_file(WriteFile(str(path), File(text, mode)))


def test_a_link_stays_and_the_file_that_it_leads_to_is_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "elsewhere" / "target", tmp_path / "link"
    target.parent.mkdir()
    target.write_text("before")
    link.symlink_to("elsewhere/target")
    write(link, "after", 0o600)
    assert link.is_symlink()
    assert target.read_text() == "after"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    apply_file(RemoveFile(str(link)))
    assert link.is_symlink()
    assert os.listdir(target.parent) == []
    # One that leads to nothing leads to the new file.
    write(link, "again")
    assert target.read_text() == "again"


def test_a_link_in_a_directory_that_is_not_ours_goes_itself(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("before")
    link.symlink_to(target)
    apply_file(RemoveFile(str(link), follows=False))
    assert not link.is_symlink()
    assert target.read_text() == "before"
    apply_file(RemoveFile(str(target), follows=False))
    assert os.listdir(tmp_path) == []


def test_the_ledger_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    link = tmp_path / "var/ledger.json"
    link.symlink_to(tmp_path / "real.json")
    LedgerFile(str(link)).save(Ledger().claim("module", "dummy", "a"))
    assert link.is_symlink()
    assert LedgerFile(str(link)).load().owned("module", "a") == {"dummy": None}
    assert stat.S_IMODE((tmp_path / "real.json").stat().st_mode) == 0o600


def test_owner_group_and_label_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    done: list[Any] = []
    monkeypatch.setattr(os, "fchown", lambda _handle, user, group: done.append((user, group)))
    monkeypatch.setattr(os, "getxattr", lambda where, name: f"{name} of {os.path.basename(where)}".encode())
    monkeypatch.setattr(os, "setxattr", lambda _handle, name, value: done.append((name, value)))
    write(path, "after")
    owner = path.stat()
    assert done == [(owner.st_uid, owner.st_gid), ("security.selinux", b"security.selinux of file")]


def test_where_there_are_no_labels_files_are_written_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: Any) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "setxattr", refuse)
    monkeypatch.setattr(os, "getxattr", refuse)
    for text in ("new", "replaced"):
        write(tmp_path / "file", text)
        assert (tmp_path / "file").read_text() == text


@pytest.mark.parametrize("action", [WriteFile("", File("x")), RemoveFile("")])
def test_a_device_does_not_become_a_file(tmp_path: Path, action: WriteFile | RemoveFile) -> None:
    link = tmp_path / "masked.conf"
    link.symlink_to("/dev/null")
    with pytest.raises(Refused, match=r"masked\.conf cannot be .*: /dev/null is not a regular file"):
        apply_file(type(action)(**{**vars(action), "path": str(link)}))
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    # As systemd masks units: whoever only looks sees an empty file.
    assert read_file(str(link)) == File("", stat.S_IMODE(os.stat("/dev/null").st_mode))
    (tmp_path / "endless").symlink_to("/dev/zero")
    with pytest.raises(Refused, match="endless is not a regular file"):
        read_file(str(tmp_path / "endless"))


def test_a_pipe_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Refused, match="pipe is not a regular file"):
        read_file(str(tmp_path / "pipe"))


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.ENOSPC, "Free space"), (errno.EROFS, "Mount it writable"), (errno.EACCES, "Run as root")],
)
def test_where_it_cannot_be_written_the_file_is_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, remedy: str
) -> None:
    def refuse(_handle: int) -> None:
        raise OSError(number, os.strerror(number))

    path = tmp_path / "file"
    path.write_text("before")
    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(Refused, match=f"{path} cannot be written: {os.strerror(number)}. {remedy}"):
        write(path, "after")
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["file"]


def test_what_a_killed_run_left_goes_and_nothing_else(tmp_path: Path) -> None:
    # Those with eight letters and no mark of ours are somebody's copies, such as .keepalived.conf.original.
    others = [".a.conf.swp", ".a.conf.original", "a.conf.abcdefgh"]
    begin = ".a.conf.lvs-topology."
    others += [begin, f"{begin}ABCDEFGH", f"{begin}abcdefghi", "b.conf.lvs-topology.abcdefgh"]
    for name in (*others, f"{begin}abcdefgh", ".b.lvs-topology.a_3defgh"):
        (tmp_path / name).write_text("")
    _disk.remove_leftovers([str(tmp_path / "is-not-there"), str(tmp_path)])
    assert sorted(os.listdir(tmp_path)) == sorted(others)


def test_what_is_in_use_or_cannot_be_removed_keeps_nothing_else(tmp_path: Path) -> None:
    used, odd, left = (tmp_path / f".{name}.lvs-topology.abcdefgh" for name in ("a", "b", "c"))
    odd.mkdir()
    left.write_text("of a run that was killed while somebody read it")
    with _disk.draft(str(tmp_path / "d"), "text") as path, used.open("w") as file:
        # Making one has removed what was left.
        assert not left.exists()
        fcntl.flock(file, fcntl.LOCK_EX)
        _disk.remove_leftovers([str(tmp_path)])
        assert sorted(tmp_path.iterdir()) == sorted([used, odd, Path(path)])
        assert Path(path).read_text() == "text"
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    _disk.remove_leftovers([str(tmp_path)])
    assert [*tmp_path.iterdir()] == [odd]


def test_a_file_that_is_removed_before_it_is_locked_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = fcntl.flock

    def late(handle: int, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        _disk.remove_leftovers([str(tmp_path)])
        lock(handle, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with _disk.draft(str(tmp_path / "d"), "text") as path:
        assert Path(path).read_text() == "text"


def test_what_is_beside_the_file_that_a_link_leads_to_goes_too(tmp_path: Path) -> None:
    target, link = tmp_path / "elsewhere" / "target", tmp_path / "link"
    target.parent.mkdir()
    link.symlink_to("elsewhere/target")
    for change in (WriteFile(str(link), File("after")), RemoveFile(str(link))):
        (target.parent / ".target.lvs-topology.abcdefgh").write_text("half of")
        apply_file(change)
        assert not (target.parent / ".target.lvs-topology.abcdefgh").exists()


def test_a_file_on_its_way_has_a_name_by_which_it_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(_handle: int) -> None:
        monkeypatch.setattr(os, "unlink", lambda _path: None)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", killed)
    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "a.conf", "text")
    monkeypatch.undo()
    assert len(os.listdir(tmp_path)) == 1
    _disk.remove_leftovers([str(tmp_path)])
    assert os.listdir(tmp_path) == []


def test_places_that_cannot_be_written_are_named_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    refusals = {"/etc": errno.EROFS, "/run": errno.ENOSPC}

    def problem_with(directory: str) -> OSError | None:
        number = refusals.get("/" + directory.split("/")[1])
        return OSError(number, os.strerror(number)) if number else None

    monkeypatch.setattr(places, "_problem_with", problem_with)
    lines = [line for line in places.problems() if line.startswith("files: ")]
    assert lines == [
        "files: /etc/lvs-topology, /etc/modules-load.d, /etc/sysctl.d, /etc/systemd/system cannot be written: "
        "Read-only file system. Mount it writable, and run the task again.",
        "files: /run cannot be written: No space left on device. Free space and inodes there, and run the task again.",
    ]


def test_looking_at_a_place_leaves_nothing_there(tmp_path: Path) -> None:
    assert places._problem_with(str(tmp_path / "not/there/yet")) is None
    assert places._unwritable(str(tmp_path)) is None
    assert os.listdir(tmp_path) == []
