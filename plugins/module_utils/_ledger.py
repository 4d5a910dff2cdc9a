# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who changed what on this host, and what was there before.

The ledger never decides whether a change is needed; that is read from the kernel. It answers only what the kernel
cannot: which of the things present are ours, and what to put back when the last owner lets go.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import math
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, Iterator, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _ledger_forms, _restoring
from ansible_collections.lvs.topology.plugins.module_utils._disk import (
    advice,
    remove_empty,
    remove_file,
    remove_leftovers,
    replace_file,
)
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan, Refused, carry_out

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

PATH = "/var/lib/lvs-topology/ledger.json"
# Only a module that fills a large table on a slow host takes nearly as long.
_PATIENCE = 300.0
_LOCK_INTERVAL = 0.05
# The format of the file. One without a number is of a release that wrote none, and reads the same.
VERSION = 1
_VERSION_KEY = "version"
# A claim takes some hundred bytes, and hosts have some thousand services at the most.
_LARGEST = 32 * 1024 * 1024
# How many damaged entries are named, and how much of each.
_SHOWN, _SHOWN_LENGTH = 10, 100


@dataclass(frozen=True)
class Claim:
    """Who asked for a thing, and what was there before the first of them (None: nothing)."""

    owners: tuple[str, ...]
    was: Any = None


@dataclass(frozen=True)
class Damage:
    """An entry of the file that no release has written so: what it reads, unchanged, and what is wrong with it."""

    content: Any
    problem: str


@dataclass(frozen=True)
class Ledger:
    """All claims of a host, by kind and key. Changing it gives a new one.

    What is damaged is nobody's: it is neither claimed, nor released, nor lost. A kind that is no object is damaged as a
    whole, under the key None.
    """

    claims: Mapping[tuple[str, str], Claim] = field(default_factory=dict)
    damaged: Mapping[tuple[str, str | None], Damage] = field(default_factory=dict)

    @classmethod
    def from_json(cls, text: str) -> Ledger:
        """Read what to_json() wrote; ValueError says what is wrong with a text that is no ledger at all."""
        data = _parse(text)
        claims: dict[tuple[str, str], Claim] = {}
        damaged: dict[tuple[str, str | None], Damage] = {}
        for kind, entries in data.items():
            if not isinstance(entries, dict):
                damaged[kind, None] = Damage(entries, "it is not a JSON object with a claim for each key")
                continue
            for key, entry in entries.items():
                problem = _problem_with(kind, key, entry)
                if problem:
                    damaged[kind, key] = Damage(entry, problem)
                else:
                    claims[kind, key] = Claim(tuple(sorted(set(entry["owners"]))), entry.get("was"))
        return cls(claims, damaged)

    def to_json(self) -> str:
        data: dict[str, Any] = {_VERSION_KEY: VERSION}
        for (kind, key), damage in self.damaged.items():
            if key is None:
                data[kind] = damage.content
            else:
                data.setdefault(kind, {})[key] = damage.content
        for (kind, key), claim in self.claims.items():
            data.setdefault(kind, {})[key] = {"owners": list(claim.owners), "was": claim.was}
        return json.dumps(data, indent=2, sort_keys=True) + "\n"

    def damage(self) -> list[str]:
        """The damaged entries, a line each: which, and what is wrong with it."""
        return [
            f"{_quoted(kind)}{'' if key is None else ' ' + _quoted(key)}: {damage.problem}"
            for (kind, key), damage in sorted(self.damaged.items(), key=lambda item: (item[0][0], item[0][1] or ""))
        ]

    def claim(self, kind: str, key: str, owner: str, was: Any = None) -> Ledger:
        """Add an owner; what was there before the first one stays as it was noted."""
        for damaged in ((kind, key), (kind, None)):
            if damaged in self.damaged:
                # Noting what is there now would have it put back in place of what really was there before.
                raise Refused(damage_text(self, PATH))
        known = self.claims.get((kind, key))
        if known is None:
            return self._with(kind, key, Claim((owner,), was))
        if owner in known.owners:
            return self
        return self._with(kind, key, Claim(tuple(sorted((*known.owners, owner))), known.was))

    def release(self, kind: str, key: str, owner: str) -> tuple[Ledger, bool, Any]:
        """Take an owner away; the answer says whether that was the last one, and what was there before all of them."""
        known = self.claims.get((kind, key))
        if known is None or owner not in known.owners:
            return self, False, None
        others = tuple(name for name in known.owners if name != owner)
        if others:
            return self._with(kind, key, Claim(others, known.was)), False, known.was
        return self._with(kind, key, None), True, known.was

    def owned(self, kind: str, owner: str) -> dict[str, Any]:
        """The keys that an owner claims, each with what was there before."""
        return {
            key: claim.was
            for (claimed_kind, key), claim in sorted(self.claims.items(), key=lambda item: item[0])
            if claimed_kind == kind and owner in claim.owners
        }

    def owned_by_any(self, kind: str) -> bool:
        """Whether anybody claims anything of this kind."""
        return any(claimed_kind == kind for claimed_kind, _key in self.claims)

    def owners(self, kind: str, key: str) -> tuple[str, ...]:
        """Who claims this key; empty: it is not ours to take away."""
        known = self.claims.get((kind, key))
        return known.owners if known else ()

    def _with(self, kind: str, key: str, claim: Claim | None) -> Ledger:
        claims = dict(self.claims)
        if claim is None:
            del claims[kind, key]
        else:
            claims[kind, key] = claim
        return Ledger(claims, self.damaged)


def damage_text(ledger: Ledger, path: str) -> str:
    """The one message about damaged entries: which they are, what they mean, and how they are mended."""
    lines = ledger.damage()
    listed = " ".join(f"({number}) {line}." for number, line in enumerate(lines[:_SHOWN], 1))
    more = f" And {len(lines) - _SHOWN} more." if len(lines) > _SHOWN else ""
    return (
        f"The ledger {path} of {os.uname().nodename} is damaged in {len(lines)} of its entries: {listed}{more} "
        'An entry notes who asked for something on this host, and what was there before: {"owners": ["director"], '
        '"was": null}. Mend each of these, or restore the file from a backup; an entry may be removed where nothing of '
        "it is left on the host, or once you have put it back by hand. Teardown passes over these, keeps them, and "
        "puts back the rest."
    )


def _parse(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_no_constant, parse_float=_finite)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(data, dict):
        raise ValueError("it is not a JSON object")
    if _is_deeper(data, _ledger_forms.DEEPEST):
        raise ValueError("it is nested too deeply")
    version = data.pop(_VERSION_KEY, VERSION)
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise ValueError(f"its version {_quoted(version)} is not the number of a format")
    if version > VERSION:
        raise ValueError(
            f"its format {_quoted(version)} is of a newer release of this collection, and this one knows {VERSION}; "
            "use a release that is at least as new as the last one that worked on this host"
        )
    return data


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _value in pairs]
        twice = next(name for name in found if names.count(name) > 1)
        raise ValueError(f"{_quoted(twice)} is there twice")
    return found


def _no_constant(text: str) -> Any:
    raise ValueError(f"{text} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{_quoted(text)[1:-1]} is too large")
    return number


def _is_deeper(data: Any, most: int) -> bool:
    level = [data]
    for _depth in range(most):
        level = [
            inner
            for each in level
            if isinstance(each, (dict, list))
            for inner in (each.values() if isinstance(each, dict) else each)
        ]
    return bool(level)


def _problem_with(kind: str, key: str, entry: Any) -> str | None:
    if not isinstance(entry, dict):
        return "it is not a JSON object with owners"
    owners = entry.get("owners")
    if not isinstance(owners, list) or not owners or not all(isinstance(name, str) and name for name in owners):
        return "it has no list of owners"
    unknown = sorted(set(entry) - {"owners", "was"})
    if unknown:
        return f"this release knows no field {', '.join(map(_quoted, unknown[:_SHOWN]))}"
    return _ledger_forms.problem_with(kind, key, entry.get("was"))


def _quoted(value: Any) -> str:
    """As somebody may have written it into the file, without what would make a mess of a message."""
    try:
        text = ascii(value)
    except ValueError:
        # A number with more digits than Python is willing to print.
        text = "with too many digits"
    return text if len(text) <= _SHOWN_LENGTH else f"{text[:_SHOWN_LENGTH]}..."


class LedgerFile:
    """The ledger on disk: read whole, replaced whole, gone when nothing is claimed any more."""

    def __init__(self, path: str = PATH, restore: str = _restoring.SCRIPT) -> None:
        self.path = path
        self._restore = restore
        # Whether a run in check mode would have changed it.
        self.foreseen = False
        self._loaded: tuple[tuple[int, ...], Ledger] | None = None

    @contextlib.contextmanager
    def locked(self, patience: float = _PATIENCE) -> Iterator[LedgerFile]:
        """Let nobody else read it to change it meanwhile. The lock is a file beside it that is gone afterwards."""
        lock = os.path.join(os.path.dirname(self.path), "ledger.lock")
        deadline = time.monotonic() + patience
        handle = self._lock(lock, deadline)
        try:
            with _restoring.held(self._restore, deadline):
                yield self
        finally:
            # Those who wait have opened this very file; they find it gone, and try again with the next one.
            os.unlink(lock)
            os.close(handle)
            remove_empty(os.path.dirname(self.path))

    def _lock(self, lock: str, deadline: float) -> int:
        while True:
            try:
                os.makedirs(os.path.dirname(lock), mode=0o700, exist_ok=True)
                handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
                if _is_ours(lock, handle):
                    return handle
                os.close(handle)
            except (FileExistsError, FileNotFoundError):
                pass  # whoever held the lock is just removing it, and the directory
            except OSError as problem:
                raise Refused(f"The ledger {self.path} cannot be locked: {advice(problem)}") from problem
            if time.monotonic() > deadline:
                raise Refused(
                    f"Another module has been holding the lock {lock} for too long. `fuser -v {lock}` shows the "
                    "process; run the task again once it has ended."
                )
            time.sleep(_LOCK_INTERVAL)

    def load(self) -> Ledger:
        try:
            with open(self.path, "rb") as file:
                status = os.fstat(file.fileno())
                # One concern after the other asks for it. Whoever changes it puts another file in its place.
                version = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
                if self._loaded and self._loaded[0] == version:
                    return self._loaded[1]
                # A buffer of the largest size would take longer to get than all the rest.
                content = file.read(min(status.st_size, _LARGEST) + 1)
        except FileNotFoundError:
            return Ledger()
        except OSError as problem:
            raise Refused(f"The ledger {self.path} cannot be read: {advice(problem)}") from problem
        try:
            if len(content) > _LARGEST:
                raise ValueError(f"it has more than {_LARGEST} bytes")
            ledger = Ledger.from_json(content.decode("utf-8"))
        except ValueError as problem:
            raise Refused(
                f"The ledger {self.path} is damaged ({problem}). It notes what this collection changed on the host and "
                "what was there before. Repair it or restore it from a backup; only when nothing has to be put back "
                "may it be removed."
            ) from problem
        self._loaded = version, ledger
        return ledger

    def save(self, ledger: Ledger) -> None:
        if ledger == self.load():
            return
        # Within a tick of the clock another file may look the same.
        self._loaded = None
        try:
            if ledger.claims or ledger.damaged:
                self._write(ledger.to_json())
            else:
                self._remove()
        except OSError as problem:
            raise Refused(f"The ledger {self.path} cannot be written: {advice(problem)}") from problem

    def _write(self, text: str) -> None:
        directory = os.path.dirname(self.path)
        os.makedirs(directory, mode=0o700, exist_ok=True)
        # The rename makes the new ledger appear whole or not at all, also after a power cut.
        replace_file(self.path, text.encode("ascii"), 0o600)

    def _remove(self) -> None:
        remove_file(self.path)
        remove_empty(os.path.dirname(self.path))


def read_ledger() -> Ledger:
    """The ledger for somebody who only looks."""
    return LedgerFile().load()


def for_check_mode() -> LedgerFile:
    """The ledger for what runs in check mode, which never saves it."""
    return LedgerFile()


def booked(
    ensure: Callable[[AnsibleModule, LedgerFile], dict[str, Any]],
) -> Callable[[AnsibleModule], dict[str, Any]]:
    """Give a module's function the ledger, which nobody else changes as long as it runs. Check mode only reads it."""

    @functools.wraps(ensure)
    def run(module: AnsibleModule) -> dict[str, Any]:
        book = LedgerFile()
        with contextlib.nullcontext() if module.check_mode else book.locked():
            if not module.check_mode:
                remove_leftovers()
            ledger = book.load()
            if ledger.damaged:
                module.warn(damage_text(ledger, book.path))
            return ensure(module, book)

    return run


def carry_out_booked(
    module: AnsibleModule,
    plan: Plan,
    apply_all: Callable[[Sequence[Change]], None],
    file: LedgerFile,
    claimed: Ledger,
    settled: Ledger,
) -> dict[str, Any]:
    """carry_out() with the books kept: claims are on disk before the first change, releases after the last one.

    A run that is killed in between therefore leaves a claim too many, never a change that nobody knows of.
    """
    if module.check_mode:
        file.foreseen = file.load() != settled
        return carry_out(module, plan, apply_all)
    file.save(claimed)
    result = carry_out(module, plan, apply_all)
    file.save(settled)
    return result


def _is_ours(lock: str, handle: int) -> bool:
    """Whether the lock could be taken, and on the file that is still there."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.stat(lock), os.fstat(handle))
    except (BlockingIOError, FileNotFoundError):
        return False
