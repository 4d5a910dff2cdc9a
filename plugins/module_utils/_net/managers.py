# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who else on a host writes the IPVS table. Two at once undo each other's work."""

from __future__ import annotations

import contextlib
import glob
import os
import re
from typing import TextIO

from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._net import keepalived_plan
from ansible_collections.lvs.topology.plugins.module_utils._net.files import read_file

KERNEL, KEEPALIVED = "kernel", "keepalived"
# keepalived fills the table by its checks, and the VIPs are ours.
CHECKER = "checker"
_KUBE = "kube-ipvs0"
_WANTS = ("/etc/systemd/system/*.wants", "/etc/systemd/system/*.requires", "/etc/rc[2345].d")
_VIRTUAL_SERVER = re.compile(r"^[ \t]*virtual_server\b", re.MULTILINE)
_SETTING = re.compile(r"""^[ \t]*(AUTO|DAEMON)=["']?(\w+)""", re.MULTILINE)
_IPVSADM, _DEFAULT = "ipvsadm", "/etc/default/ipvsadm"
# What fills the table from a file, in a line that a unit runs.
_LOADS = re.compile(r"^Exec\w+[ \t]*=.*\bipvsadm(-restore\b|\b.*[ \t](-R|--restore)\b)", re.MULTILINE)


def others(manager: str, ledger: Ledger, interfaces: set[str]) -> list[str]:
    """Everybody beside ``manager`` who writes the table or will after a boot, each with what to do about it."""
    found = []
    if _KUBE in interfaces:
        found.append(
            f"the interface {_KUBE} is there, so kube-proxy fills the table in its ipvs mode; use another host, or "
            f"give kube-proxy another mode and remove the interface (ip link del {_KUBE})"
        )
    found += _ipvsadm() + _own_units()
    if _is_running("ldirectord") or _is_enabled("ldirectord"):
        found.append("ldirectord runs here or does after a boot; systemctl disable --now ldirectord")
    if manager == KERNEL and not ledger.owned_by_any(keepalived_plan.KIND) and _serves():
        state = "runs here" if _is_running(KEEPALIVED) else "is started at boot"
        found.append(
            f"keepalived {state} and has virtual servers of its own ({', '.join(_serves())}); set lvs_manager: "
            "keepalived, take them out there, or systemctl disable --now keepalived"
        )
    return found


def managed_by(ledger: Ledger, owner: str, manager: str | None = None) -> list[str]:
    """Who holds this host's addresses and table by an earlier run. Both, where moving from one to the other was cut.

    Beside a checker the addresses are ours.
    """
    kernel = ledger.owned("service", owner) or (manager != CHECKER and ledger.owned("address", owner))
    return [KERNEL] * bool(kernel) + [KEEPALIVED] * ledger.owned_by_any(keepalived_plan.KIND)


def is_keepalived_running() -> bool:
    return _is_running(KEEPALIVED)


def _ipvsadm() -> list[str]:
    """The init script of Debian works where AUTO or DAEMON say so, the unit of RHEL wherever it is enabled."""
    if not _is_enabled(_IPVSADM):
        return []
    defaults = read_file(_DEFAULT)
    if defaults is None:
        return ["the unit ipvsadm loads a table of its own at boot; systemctl disable ipvsadm"]
    settings = dict(_SETTING.findall(defaults.text))
    found = []
    if settings.get("AUTO") == "true":
        found.append(
            f"the service ipvsadm loads a table at boot and flushes it at its end; set AUTO=false in {_DEFAULT}"
        )
    if settings.get("DAEMON", "none") != "none":
        found.append(f"the service ipvsadm starts a synchronisation daemon at boot; set DAEMON=none in {_DEFAULT}")
    return found


def _own_units() -> list[str]:
    """Units of somebody that load a table at boot, whatever their names are."""
    found = []
    for path in sorted(path for place in _WANTS[:2] for path in glob.glob(f"{place}/*.service")):
        # A link to a unit that is gone starts nothing.
        if os.path.isfile(path) and os.path.basename(path) != f"{_IPVSADM}.service":
            file = read_file(path)
            if file and _LOADS.search(file.text):
                name = os.path.basename(path)
                found.append(f"the unit {name} loads a table of its own at boot; systemctl disable {name}")
    return list(dict.fromkeys(found))


def _serves() -> list[str]:
    """The files in which a keepalived that runs, or will after a boot, has virtual servers."""
    if not (_is_running(KEEPALIVED) or _is_enabled(KEEPALIVED)):
        return []
    found = []
    for path in sorted(glob.glob("/etc/keepalived/**/*.conf", recursive=True)):
        file = read_file(path)
        if file and _VIRTUAL_SERVER.search(file.text):
            found.append(path)
    return found


def _is_enabled(unit: str) -> bool:
    """Whether something starts it at boot. The file system says so where systemd does not run, too."""
    return any(glob.glob(f"{place}/{unit}.service") or glob.glob(f"{place}/S*{unit}") for place in _WANTS)


def _text(path: str) -> TextIO:
    """A file in which any user can write what he likes, so that it need not be UTF-8."""
    return open(path, encoding="utf-8", errors="backslashreplace")


def _is_running(name: str) -> bool:
    """Whether a process of that name is in our network namespace."""
    ours = os.readlink("/proc/self/ns/net")
    for process in os.listdir("/proc"):
        if process.isdigit():
            # It may end while it is looked at.
            with contextlib.suppress(OSError), _text(f"/proc/{process}/comm") as file:
                if file.read().strip() == name and os.readlink(f"/proc/{process}/ns/net") == ours:
                    return True
    return False
