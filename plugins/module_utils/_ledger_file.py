# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ledger on disk: who may change it, reading and replacing it, and keeping it while a plan is carried out."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import time
from typing import TYPE_CHECKING, Any, Callable, Iterator, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _restoring
from ansible_collections.lvs.topology.plugins.module_utils._disk import (
    advice,
    remove_empty,
    remove_file,
    remove_leftovers,
    replace_file,
)
from ansible_collections.lvs.topology.plugins.module_utils._ledger import PATH, Ledger, damage_text
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan, Refused, applied, carry_out

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

# Only a module that fills a large table on a slow host takes nearly as long.
_PATIENCE = 300.0
_LOCK_INTERVAL = 0.05
# A claim takes some hundred bytes, and hosts have some thousand services at the most.
_LARGEST = 32 * 1024 * 1024


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
    with applied(result):
        file.save(settled)
    return result


def _is_ours(lock: str, handle: int) -> bool:
    """Whether the lock could be taken, and on the file that is still there."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.stat(lock), os.fstat(handle))
    except (BlockingIOError, FileNotFoundError):
        return False
