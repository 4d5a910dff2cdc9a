# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger: who asked for what, and what was there before."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import stat
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger, damage_text
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import LedgerFile, carry_out_booked
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan, Refused, do_nothing


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
    one = Ledger().claim("timeout", "tcp", "o", 1).claim("module", "x", "p").claim("module", "x", "o")
    two = Ledger().claim("module", "x", "o").claim("timeout", "tcp", "o", 1).claim("module", "x", "p")
    assert one.to_json() == two.to_json()
    assert Ledger.from_json(one.to_json()) == one
    assert Ledger.from_json(one.to_json()).to_json() == one.to_json()
    assert one.to_json().startswith('{\n  "module": {\n    "x": {\n')


NESTED = '{"address": ' + "[" * 100000 + "]" * 100000 + "}"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "Expecting value"),
        (b"{", "Expecting property name"),
        (b"[]", "it is not a JSON object"),
        (b"\xff{}", "'utf-8' codec can't decode byte 0xff"),
        (NESTED.encode(), "it is nested too deeply"),
        (b'{"address": ' + b'{"a":' * 40 + b"1" + b"}" * 40 + b"}", "it is nested too deeply"),
        (b'{"version": 2}', "its format 2 is of a newer release"),
        (b'{"version": "1"}', "its version '1' is not the number of a format"),
        (b'{"version": true}', "its version True is not the number of a format"),
        (b'{"module": {"dummy": {"owners": ["a"], "was": NaN}}}', "NaN is not JSON"),
        (b'{"module": 1e999}', "1e999 is too large"),
        (b'{"module": {}, "module": {}}', "'module' is there twice"),
        (b" " * (32 * 1024 * 1024 + 1), "it has more than 33554432 bytes"),
    ],
)
def test_a_file_that_is_no_ledger_is_refused_with_its_path(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "ledger.json"
    path.write_bytes(content)
    with pytest.raises(Refused, match=f"ledger {path} is damaged") as refusal:
        LedgerFile(str(path)).load()
    assert problem in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_file_of_a_release_that_wrote_no_version_reads_as_before(tmp_path: Path) -> None:
    path = tmp_path / "ledger.json"
    path.write_text('{"address": {"10.0.0.1/32 dev lo": {"owners": ["director"], "was": null}}}')
    ledger = LedgerFile(str(path)).load()
    assert ledger == Ledger().claim("address", "10.0.0.1/32 dev lo", "director")
    assert json.loads(ledger.to_json())["version"] == 1


GOOD = {"owners": ["director"], "was": None}


@pytest.mark.parametrize(
    ("kind", "key", "entry", "problem"),
    [
        ("address", "10.0.0.1/32 dev lo", 5, "it is not a JSON object with owners"),
        ("address", "10.0.0.1/32 dev lo", {}, "it has no list of owners"),
        ("address", "10.0.0.1/32 dev lo", {"owners": []}, "it has no list of owners"),
        ("address", "10.0.0.1/32 dev lo", {"owners": [[]]}, "it has no list of owners"),
        ("address", "10.0.0.1/32 dev lo", {**GOOD, "when": 1}, "this release knows no field 'when'"),
        ("address", "10.0.0.1/32 dev lo", {**GOOD, "was": 5}, "what was there before does not have the form"),
        ("address", "10.0.0.1/32 dev lo", {**GOOD, "was": {"label": None}}, "what was there before"),
        ("address", "nonsense", GOOD, "the key is not the name of one address"),
        ("address", "", GOOD, "the key is not the name of one address"),
        ("address", "10.0.0.1/33 dev lo", GOOD, "the key is not the name of one address"),
        ("address", "10.0.0.1/" + "9" * 5000 + " dev lo", GOOD, "the key is not the name of one address"),
        ("gateway", "ipv4 default metric 0", {**GOOD, "was": {"version": 4, "hops": [{}]}}, "what was there before"),
        ("gateway", "ipv4 default metric 0", {**GOOD, "was": {"version": 4, "colour": 1}}, "what was there before"),
        ("timeout", "tcp", {**GOOD, "was": True}, "what was there before"),
        ("sync_daemon", "master", {**GOOD, "was": {"state": "master"}}, "what was there before"),
        ("service", "tcp 10.0.0.1:x", GOOD, "the key is not the name of one service"),
        ("colour", "red", GOOD, "this release knows no such kind of claim"),
        ("colour", None, 7, "it is not a JSON object with a claim for each key"),
        ("address", None, [], "it is not a JSON object with a claim for each key"),
    ],
)
def test_a_damaged_entry_is_named_and_kept_and_the_rest_is_read(
    tmp_path: Path, kind: str, key: str | None, entry: Any, problem: str
) -> None:
    content: dict[str, Any] = {"module": {"dummy": GOOD}}
    content[kind] = entry if key is None else {key: entry}
    path = tmp_path / "ledger.json"
    path.write_text(json.dumps(content))
    file = LedgerFile(str(path))
    ledger = file.load()
    assert ledger.owned("module", "director") == {"dummy": None}
    (line,) = ledger.damage()
    assert problem in line
    assert line.startswith(repr(kind))
    text = damage_text(ledger, file.path)
    assert line[:60] in text
    assert str(path) in text
    assert "\n" not in text
    # Nobody's, so nobody takes it away; whoever would have to note it anew is refused.
    assert ledger.owned(kind, "director") == {}
    with pytest.raises(Refused, match="is damaged in 1 of its entries"):
        ledger.claim(kind, "anything" if key is None else key, "director")
    # The rest is given up, and the damaged entry stays as it is.
    file.save(ledger.release("module", "dummy", "director")[0])
    after = json.loads(path.read_text())
    assert after.pop("version") == 1
    assert after == {kind: content[kind]}


def test_few_of_many_damaged_entries_are_named_and_nothing_of_them_reaches_a_terminal() -> None:
    text = json.dumps({"address": {f"\x1b[2J{'x' * 5000}\n{number}": 1 for number in range(5000)}})
    said = damage_text(Ledger.from_json(text), "/path")
    assert "damaged in 5000 of its entries" in said
    assert "And 4990 more." in said
    assert len(said) < 4000
    assert said.isprintable()


def test_file_comes_goes_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "lvs-topology" / "ledger.json"
    file = LedgerFile(str(path))
    assert file.load() == Ledger()
    file.save(Ledger())
    assert not path.parent.exists()
    ledger = Ledger().claim("module", "k", "a")
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
    file.save(Ledger().claim("module", "k", "a"))
    inode = path.stat().st_ino
    file.save(Ledger().claim("module", "k", "a"))
    assert path.stat().st_ino == inode
    file.save(Ledger().claim("module", "k", "b"))
    assert path.stat().st_ino != inode


def _claim_many(path: str, owner: str) -> None:
    """What a module does, over and over: read, add, write back."""
    for number in range(40):
        with LedgerFile(path).locked() as book:
            ledger = book.load()
            time.sleep(0.001)  # long enough for the other to come in between
            book.save(ledger.claim("module", f"{owner}_{number}", owner))


def test_two_processes_lose_no_claim(tmp_path: Path) -> None:
    path = tmp_path / "lvs-topology" / "ledger.json"
    both = [multiprocessing.Process(target=_claim_many, args=(str(path), owner)) for owner in ("one", "two")]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
        assert process.exitcode == 0
    ledger = LedgerFile(str(path)).load()
    assert {owner: len(ledger.owned("module", owner)) for owner in ("one", "two")} == {"one": 40, "two": 40}
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
    assert opened == ["_ledger_file.py"], "take the ledger from the decorator booked()"


def test_what_is_loaded_once_is_loaded_anew_where_somebody_changed_it(tmp_path: Path) -> None:
    path = str(tmp_path / "ledger.json")
    file, other = LedgerFile(path), LedgerFile(path)
    one = Ledger().claim("module", "dummy", "a")
    file.save(one)
    assert file.load() is file.load()
    for owner in ("b", "c"):
        other.save(Ledger().claim("module", "dummy", owner))
        assert file.load().owners("module", "dummy") == (owner,)
    other.save(Ledger())
    assert file.load() == Ledger()
    file.save(one)
    assert other.load() == one


def test_changes_are_told_where_the_ledger_cannot_be_written_after_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = LedgerFile(str(tmp_path / "ledger.json"))
    claimed = Ledger().claim("module", "dummy", "a")
    lines = ("rmmod dummy", "rmmod ip_vs")
    plan = Plan(tuple(Change(line, None) for line in lines))
    module: Any = SimpleNamespace(check_mode=False)

    def full(_file: LedgerFile) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(LedgerFile, "_remove", full)
    with pytest.raises(Refused, match=r"No space left on device.* Applied before that: all 2 changes") as refused:
        carry_out_booked(module, plan, do_nothing, file, claimed, Ledger())
    assert refused.value.facts == {"changed": True, "applied": [*lines], "remaining": []}
    assert LedgerFile(file.path).load() == claimed
    # Where nothing was changed there is nothing to tell.
    with pytest.raises(Refused) as refused:
        carry_out_booked(module, Plan(), do_nothing, file, claimed, Ledger())
    assert not refused.value.facts
