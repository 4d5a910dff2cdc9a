# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module keepalived_config: keepalived's own opinion of a configuration, its files and its unit."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import tempfile
import time
from types import SimpleNamespace
from typing import Any, Mapping

from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._daemons.daemon import Daemon, carried_out, on_disk
from ansible_collections.lvs.topology.plugins.module_utils._daemons.daemon_plan import Unit, unwritable
from ansible_collections.lvs.topology.plugins.module_utils._daemons.processes import parent_of
from ansible_collections.lvs.topology.plugins.module_utils._daemons.secret_text import secrets_of, told
from ansible_collections.lvs.topology.plugins.module_utils._disk import advice, draft, remove_leftovers
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import (
    keepalived_plan,
    keepalived_versions,
    take_over_plan,
)
from ansible_collections.lvs.topology.plugins.module_utils._keepalived.keepalived_text import verdict
from ansible_collections.lvs.topology.plugins.module_utils._keepalived.take_over import text_of
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import LedgerFile, for_check_mode
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._module import Module
from ansible_collections.lvs.topology.plugins.module_utils._net.rtnetlink import Rtnetlink
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

_PATIENCE = 5.0


def ensure_config(module: Module, book: LedgerFile) -> dict[str, Any]:
    """What the module keepalived_config does."""
    params = module.params
    owner, path, heir = params["owner"], params["path"], params["heir"]
    mistakes = Mistakes()
    mistakes.owner(owner)
    if not os.path.isabs(path):
        mistakes.add("path", f"{path!r} is not an absolute path")
    if heir and params["state"] == "present":
        mistakes.add("heir", "is for what keepalived leaves behind; leave it out, or use state: absent")
    problem = unwritable(params["content"] or "")
    if problem:
        mistakes.add("content", problem)
    mistakes.raise_if_any()
    if not module.check_mode:
        # The path may be anywhere, and what a killed run has left beside it has the secrets of a configuration.
        remove_leftovers({os.path.dirname(path), os.path.dirname(os.path.realpath(path))})
    ledger = book.load()
    files = on_disk(path, keepalived_plan.DROP_IN)
    config = files.config
    daemon = Keepalived()
    unit = daemon.unit()
    if params["state"] == "present":
        outcome = keepalived_plan.plan_present(ledger, owner, path, params["content"], files, unit, params["secrets"])
        messages, is_judged = _judge(module, path, params["content"])
        _warn_of_release(module, config.text if config else "", params["content"])
    else:
        messages, is_judged = [], True
        outcome = keepalived_plan.plan_absent(
            ledger, owner, path, files, unit, leave=bool(heir), secrets=params["secrets"]
        )
        if heir and outcome.settled != ledger and config:
            before_us = keepalived_plan.somebodys_unit(ledger, path)
            claimed, settled = (
                keepalived_plan.bequeathed(each, heir, config.text, _addresses(), before_us)
                for each in (outcome.claimed, outcome.settled)
            )
            outcome = outcome._replace(claimed=claimed, settled=settled)
    if unit is None and outcome.plan.changes:
        module.warn("systemd does not run here, so keepalived is neither started nor stopped")
    result = carried_out(module, daemon, book, outcome, keepalived_plan.KIND, path)
    is_noted = outcome.claimed == outcome.settled == ledger
    return {
        **result,
        "started": keepalived_plan.starts(outcome.plan),
        "messages": messages,
        "in_place": is_judged and is_noted and not (outcome.plan.changes or outcome.copy),
    }


def ask(module: Module, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What ensure_config finds in check mode: what keepalived says, and whether all is there."""
    params = {"path": keepalived_plan.PATH, "heir": None, "state": "present", **asked}
    unit = unit_of_keepalived()
    if unit and unit.active and not for_check_mode().load().owned_by_any(keepalived_plan.KIND):
        before, host = text_of(keepalived_plan.PATH), os.uname().nodename
        lost = take_over_plan.lost_instances(before, asked["content"], host)
        if lost:
            raise Refused(take_over_plan.lost_text(lost, asked["content"]))
        deaf = take_over_plan.deaf_text(before, asked["content"], host)
        if deaf:
            module.warn(deaf)
    question: Any = SimpleNamespace(params=params, check_mode=True, warn=module.warn)
    return ensure_config(question, for_check_mode())


def _warn_of_release(module: Module, before: str, after: str) -> None:
    """Say what the release that is installed does with this change, where that is known."""
    keepalived = _commands.find("keepalived")
    if keepalived and keepalived_versions.has_news(before, after):
        _status, output, errors = _commands.run([keepalived, "--version"])
        for line in keepalived_versions.warnings(output + errors, before, after):
            module.warn(line)


def _addresses() -> set[str]:
    with Rtnetlink() as kernel:
        return {held.key for held in kernel.addresses()}


def _judge(module: Module, path: str, content: str) -> tuple[list[str], bool]:
    """What keepalived says of a configuration, and whether that is what it thinks.

    A configuration is refused where keepalived would leave any of it out.
    """
    keepalived = _commands.find("keepalived")
    if keepalived is None:
        if module.check_mode:
            module.warn("keepalived is not installed yet, so its opinion of the configuration is not known")
            return [], False
        raise Refused("There is no keepalived. Install the package keepalived.")
    # Beside the file, so that the files that it includes are found.
    directory = os.path.dirname(path)
    beside = path if os.path.isdir(directory) else os.path.join(tempfile.gettempdir(), os.path.basename(path))
    with contextlib.ExitStack() as using:
        try:
            draft_path = using.enter_context(draft(beside, content))
        except OSError as problem:
            raise Refused(f"No file can be made in {os.path.dirname(beside)}: {advice(problem)}") from problem
        # keepalived 2.2.7 ends its own test by SIGTERM where scripts have a user of their own.
        before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            status, output, errors = _commands.run([keepalived, "-t", "-f", draft_path])
        finally:
            signal.signal(signal.SIGTERM, before)
    # keepalived reads the file several times, and says so each time.
    said = list(dict.fromkeys(line.strip() for line in (output + errors).splitlines() if line.strip()))
    secrets = secrets_of(content).union(module.params["secrets"])
    messages = told((line.replace(draft_path, path) for line in said), secrets)
    taken, remedy = verdict(status, said)
    if taken:
        return messages, True
    user = module.params["script_user"]
    if module.check_mode and user and not _exists(user):
        module.warn(f"The user {user} does not exist yet, so keepalived's opinion of the configuration is not known")
        return messages, False
    listed = "".join(f"\n{line}" for line in [*messages, *([remedy] if remedy else [])])
    if not messages:
        listed = f" It ended with {status} and said nothing.{listed}"
    raise Refused(f"keepalived does not take this configuration, and nothing was changed:{listed}")


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def unit_of_keepalived() -> Unit | None:
    """What systemd says of it; None where systemd does not run."""
    return Keepalived().unit()


class Keepalived(Daemon):
    """keepalived, which can be ended so that it leaves its addresses and its table as they are."""

    def __init__(self) -> None:
        super().__init__(keepalived_plan.UNIT)

    def apply(self, action: Any) -> None:
        if isinstance(action, keepalived_plan.Kill):
            self._kill()
        else:
            super().apply(action)

    def _kill(self) -> None:
        """The children before their parent: they clean up when it dies before them."""
        parent = self.main_process()
        if not parent:
            return
        try:
            # It would start them again.
            os.kill(parent, signal.SIGSTOP)
            for child in _children(parent):
                os.kill(child, signal.SIGKILL)
            os.kill(parent, signal.SIGKILL)
        except ProcessLookupError:
            pass
        deadline = time.monotonic() + _PATIENCE
        while os.path.isdir(f"/proc/{parent}"):
            if time.monotonic() > deadline:
                raise Refused(
                    f"keepalived (process {parent}) was killed and is still there; look into the kernel's log."
                )
            time.sleep(0.05)


def _children(parent: int) -> list[int]:
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError):
                if parent_of(int(name)) == parent:
                    found.append(int(name))
    return found
