# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger: who asked for what, and what was there before."""

from __future__ import annotations

import multiprocessing
import os
import stat
import time
from pathlib import Path

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger, LedgerFile
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused


def test_the_first_was_is_kept() -> None:
    ledger = Ledger().claim("sysctl", "k", "a", "0").claim("sysctl", "k", "b", "1").claim("sysctl", "k", "a", "2")
    assert ledger.owned("sysctl", "a") == {"k": "0"}
    assert ledger.owned("sysctl", "b") == {"k": "0"}
    assert ledger.owners("sysctl", "k") == ("a", "b")


def test_what_was_there_comes_back_with_the_last_owner() -> None:
    ledger = Ledger().claim("sysctl", "k", "a", "0").claim("sysctl", "k", "b")
    ledger, last, was = ledger.release("sysctl", "k", "a")
    assert (last, was) == (False, "0")
    ledger, last, was = ledger.release("sysctl", "k", "b")
    assert (last, was) == (True, "0")
    assert ledger == Ledger()


def test_releasing_what_is_not_claimed_changes_nothing() -> None:
    ledger = Ledger().claim("address", "k", "a")
    assert ledger.release("address", "k", "b") == (ledger, False, None)
    assert ledger.release("address", "other", "a") == (ledger, False, None)


def test_kinds_are_apart() -> None:
    ledger = Ledger().claim("address", "k", "a").claim("gateway", "k", "a", {"gateway": "10.0.0.1"})
    assert ledger.owned("address", "a") == {"k": None}
    assert ledger.owned("gateway", "a") == {"k": {"gateway": "10.0.0.1"}}
    assert ledger.owned("gateway", "b") == {}


def test_text_is_sorted_and_reads_back() -> None:
    one = Ledger().claim("b", "y", "o", "1").claim("a", "x", "p").claim("a", "x", "o")
    two = Ledger().claim("a", "x", "o").claim("b", "y", "o", "1").claim("a", "x", "p")
    assert one.to_json() == two.to_json()
    assert Ledger.from_json(one.to_json()).to_json() == one.to_json()
    assert one.to_json().startswith('{\n  "a": {\n    "x": {\n')


@pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1}', '{"a": {"k": {}}}', '{"a": {"k": {"owners": []}}}'])
def test_a_damaged_file_is_refused_with_its_path(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ledger.json"
    path.write_text(text)
    with pytest.raises(Refused, match=f"ledger {path} is damaged"):
        LedgerFile(str(path)).load()


def test_file_comes_goes_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "lvs-topology" / "ledger.json"
    file = LedgerFile(str(path))
    assert file.load() == Ledger()
    file.save(Ledger())
    assert not path.parent.exists()
    ledger = Ledger().claim("address", "k", "a")
    file.save(ledger)
    assert file.load() == ledger
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == ["ledger.json"]
    file.save(Ledger())
    assert not path.parent.exists()


def test_an_unchanged_ledger_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "d" / "ledger.json"
    file = LedgerFile(str(path))
    file.save(Ledger().claim("address", "k", "a"))
    inode = path.stat().st_ino
    file.save(Ledger().claim("address", "k", "a"))
    assert path.stat().st_ino == inode
    file.save(Ledger().claim("address", "k", "b"))
    assert path.stat().st_ino != inode


def _claim_many(path: str, owner: str) -> None:
    """What a module does, over and over: read, add, write back."""
    for number in range(40):
        with LedgerFile(path).locked() as book:
            ledger = book.load()
            time.sleep(0.001)  # long enough for the other to come in between
            book.save(ledger.claim("address", f"{owner} {number}", owner))


def test_two_processes_lose_no_claim(tmp_path: Path) -> None:
    path = tmp_path / "lvs-topology" / "ledger.json"
    both = [multiprocessing.Process(target=_claim_many, args=(str(path), owner)) for owner in ("one", "two")]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
        assert process.exitcode == 0
    ledger = LedgerFile(str(path)).load()
    assert {owner: len(ledger.owned("address", owner)) for owner in ("one", "two")} == {"one": 40, "two": 40}
    assert os.listdir(path.parent) == ["ledger.json"]


def test_the_lock_comes_and_goes(tmp_path: Path) -> None:
    path = tmp_path / "lvs-topology" / "ledger.json"
    with LedgerFile(str(path)).locked():
        assert os.listdir(path.parent) == ["ledger.lock"]
        second = LedgerFile(str(path)).locked(patience=0.1)
        with pytest.raises(Refused, match=r"holding the lock .*ledger\.lock for too long"), second:
            raise AssertionError("two hold the lock")
    assert not path.parent.exists()
    # Of a run that was killed.
    path.parent.mkdir()
    (path.parent / "ledger.lock").write_text("")
    with LedgerFile(str(path)).locked(patience=0.1):
        pass
    assert not path.parent.exists()


def test_every_module_that_keeps_books_locks_them() -> None:
    utilities = Path(__file__).parents[3] / "plugins/module_utils"
    opened = [path.name for path in utilities.rglob("*.py") if "LedgerFile(" in path.read_text()]
    assert opened == ["_ledger.py"], "take the ledger from the decorator booked()"
