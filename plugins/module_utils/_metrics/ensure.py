# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The concern ``metrics`` of host_state: have a director write its metrics for node_exporter, by a timer."""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import sys
from typing import TYPE_CHECKING, Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._daemons import units
from ansible_collections.lvs.topology.plugins.module_utils._daemons.systemctl import Systemctl
from ansible_collections.lvs.topology.plugins.module_utils._files import apply_file, read_file
from ansible_collections.lvs.topology.plugins.module_utils._metrics import description, plan, program
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest, carry_out, one_by_one

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule
    from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import LedgerFile

METRICS_SPEC: dict[str, Any] = {
    "metrics": {"type": "dict"},
    "owner": {"type": "str", "default": "lvs"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
# What a line of a unit takes as it is.
_PLAIN = re.compile(r"[A-Za-z0-9_./-]+\Z")
_PYTHON = "/usr/bin/python3"
# What the unit does not see (ProtectHome, PrivateTmp).
_HIDDEN = ("/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/")  # noqa: S108, nothing is written there


def ensure_metrics(module: AnsibleModule, _book: LedgerFile) -> dict[str, Any]:
    """What the concern does. It claims nothing: the files are ours, and nothing was there before."""
    params = module.params
    owner = params["owner"]
    mistakes = Mistakes()
    mistakes.owner(owner)
    mistakes.raise_if_any()
    given = params["metrics"] if params["state"] == "present" else None
    wanted = _wanted(given) if given else None
    paths = (plan.description_path(owner), plan.PROGRAM_PATH, plan.UNIT_PATH, plan.TIMER_PATH)
    files = {path: read_file(path) for path in paths}
    has_systemd = units.runs()
    former = files[paths[0]]
    states = _states() if has_systemd and files[plan.UNIT_PATH] else []
    current = plan.Current(
        files,
        is_enabled=os.path.exists(plan.LINK) if has_systemd else None,
        is_running=states[1:] == ["active"],
        is_failed=states[:1] == ["failed"],
        old=_old(former.text if former else "", wanted),
    )
    found = plan.plan_metrics(owner, wanted, current)
    if not has_systemd and wanted and found.changes:
        module.warn("systemd does not run here, so nothing writes the metrics; the files are kept up to date")
    if wanted and current.is_failed and not found.changes:
        # No alert says so where there never was any metric.
        module.warn(f"{plan.UNIT} failed when it ran last, and wrote nothing; `journalctl -u {plan.UNIT}` says why")

    def apply(action: Any) -> None:
        if isinstance(action, Systemctl):
            units.call(action)
        else:
            apply_file(action)

    return carry_out(module, found, one_by_one(apply))


def _wanted(given: dict[str, Any]) -> plan.Wanted:
    try:
        described = description.read(given)
    except forms.BadForm as wrong:
        raise BadRequest(f"metrics: {wrong}") from wrong
    return plan.Wanted(
        described,
        description.render(given),
        program.bundle(),
        _python(),
        _owner_of(described.directory),
    )


def _python() -> str:
    """The Python that runs this, by a path that the unit sees: of an environment in a home, what that is made of."""
    given = [sys.executable, os.path.realpath(sys.executable)] if sys.executable else []
    found = (path for path in given if _PLAIN.match(path) and not path.startswith(_HIDDEN))
    return next(found, _PYTHON)


def _owner_of(directory: str) -> str:
    """Who may write in the directory without any right of root."""
    if not os.path.isdir(directory):
        raise BadRequest(
            f"metrics.directory: {directory} is not there, from which node_exporter would read the metrics. Install "
            "node_exporter before (on Debian and Ubuntu: prometheus-node-exporter), make the directory, or name that "
            "of your node_exporter (--collector.textfile.directory) with lvs_metrics_directory"
        )
    number = os.stat(directory).st_uid
    with contextlib.suppress(KeyError):
        name = pwd.getpwuid(number).pw_name
        if _PLAIN.match(name):
            return name
    return str(number)


def _old(text: str, wanted: plan.Wanted | None) -> str | None:
    """The metrics in a directory that is another one from now on, or that are no longer wanted."""
    try:
        former = description.parse(text).directory
    except forms.BadForm:
        return None
    path = os.path.join(former, description.FILE)
    is_kept = wanted is not None and wanted.described.directory == former
    return path if not is_kept and (os.path.islink(path) or os.path.isfile(path)) else None


def _states() -> list[str]:
    """What systemd says of the program and of its timer."""
    return units.ask("is-active", plan.UNIT, plan.TIMER).split()
