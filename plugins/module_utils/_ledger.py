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
import os
import tempfile
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable, Iterator, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils._disk import remove_empty, sync_directory
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan, Refused, carry_out

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

PATH = "/var/lib/lvs-topology/ledger.json"
# No module of this collection takes nearly as long.
_PATIENCE = 60.0
_LOCK_INTERVAL = 0.05


@dataclass(frozen=True)
class Claim:
    """Who asked for a thing, and what was there before the first of them (None: nothing)."""

    owners: tuple[str, ...]
    was: Any = None


@dataclass(frozen=True)
class Ledger:
    """All claims of a host, by kind and key. Changing it gives a new one."""

    claims: Mapping[tuple[str, str], Claim] = field(default_factory=dict)

    @classmethod
    def from_json(cls, text: str) -> Ledger:
        """Read what to_json() wrote; ValueError says what is wrong with anything else."""
        data = json.loads(text)
        if not isinstance(data, dict):
            raise ValueError("it is not a JSON object")
        claims: dict[tuple[str, str], Claim] = {}
        for kind, entries in data.items():
            if not isinstance(entries, dict):
                raise ValueError(f"{kind} is not a JSON object")
            for key, entry in entries.items():
                owners = entry.get("owners") if isinstance(entry, dict) else None
                if not isinstance(owners, list) or not owners or not all(isinstance(name, str) for name in owners):
                    raise ValueError(f"{kind} {key} has no list of owners")
                claims[kind, key] = Claim(tuple(sorted(owners)), entry.get("was"))
        return cls(claims)

    def to_json(self) -> str:
        data: dict[str, dict[str, Any]] = {}
        for (kind, key), claim in self.claims.items():
            data.setdefault(kind, {})[key] = {"owners": list(claim.owners), "was": claim.was}
        return json.dumps(data, indent=2, sort_keys=True) + "\n"

    def claim(self, kind: str, key: str, owner: str, was: Any = None) -> Ledger:
        """Add an owner; what was there before the first one stays as it was noted."""
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
        return Ledger(claims)


class LedgerFile:
    """The ledger on disk: read whole, replaced whole, gone when nothing is claimed any more."""

    def __init__(self, path: str = PATH) -> None:
        self.path = path

    @contextlib.contextmanager
    def locked(self, patience: float = _PATIENCE) -> Iterator[LedgerFile]:
        """Let nobody else read it to change it meanwhile. The lock is a file beside it that is gone afterwards."""
        lock = os.path.join(os.path.dirname(self.path), "ledger.lock")
        handle = self._lock(lock, time.monotonic() + patience)
        try:
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
                raise Refused(f"The ledger {self.path} cannot be locked: {problem.strerror}. Run as root.") from problem
            if time.monotonic() > deadline:
                raise Refused(
                    f"Another module has been holding the lock {lock} for too long. `fuser -v {lock}` shows the "
                    "process; run the task again once it has ended."
                )
            time.sleep(_LOCK_INTERVAL)

    def load(self) -> Ledger:
        try:
            with open(self.path, encoding="utf-8") as file:
                return Ledger.from_json(file.read())
        except FileNotFoundError:
            return Ledger()
        except ValueError as problem:
            raise Refused(
                f"The ledger {self.path} is damaged ({problem}). It notes what this collection changed on the host and "
                "what was there before. Repair it or restore it from a backup; only when nothing has to be put back "
                "may it be removed."
            ) from problem
        except OSError as problem:
            raise Refused(f"The ledger {self.path} cannot be read: {problem.strerror}. Run as root.") from problem

    def save(self, ledger: Ledger) -> None:
        if ledger == self.load():
            return
        try:
            if ledger.claims:
                self._write(ledger.to_json())
            else:
                self._remove()
        except OSError as problem:
            raise Refused(f"The ledger {self.path} cannot be written: {problem.strerror}. Run as root.") from problem

    def _write(self, text: str) -> None:
        directory = os.path.dirname(self.path)
        os.makedirs(directory, mode=0o700, exist_ok=True)
        # mkstemp gives mode 0600. The rename makes the new ledger appear whole or not at all, also after a power cut.
        handle, temporary = tempfile.mkstemp(prefix=".ledger.", dir=directory)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self.path)
        except OSError:
            os.unlink(temporary)
            raise
        sync_directory(directory)

    def _remove(self) -> None:
        os.unlink(self.path)
        directory = os.path.dirname(self.path)
        # Leftovers of a run that was killed while writing.
        for name in os.listdir(directory):
            if name.startswith(".ledger."):
                os.unlink(os.path.join(directory, name))
        remove_empty(directory)


def read_ledger() -> Ledger:
    """The ledger for somebody who only looks."""
    return LedgerFile().load()


def booked(
    ensure: Callable[[AnsibleModule, LedgerFile], dict[str, Any]],
) -> Callable[[AnsibleModule], dict[str, Any]]:
    """Give a module's function the ledger, which nobody else changes as long as it runs. Check mode only reads it."""

    @functools.wraps(ensure)
    def run(module: AnsibleModule) -> dict[str, Any]:
        book = LedgerFile()
        if module.check_mode:
            return ensure(module, book)
        with book.locked():
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
    if not module.check_mode:
        file.save(claimed)
    result = carry_out(module, plan, apply_all)
    if not module.check_mode:
        file.save(settled)
    return result


def _is_ours(lock: str, handle: int) -> bool:
    """Whether the lock could be taken, and on the file that is still there."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.stat(lock), os.fstat(handle))
    except (BlockingIOError, FileNotFoundError):
        return False
