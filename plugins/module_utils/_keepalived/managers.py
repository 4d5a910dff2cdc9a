# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who else on a host writes the IPVS table. Two at once undo each other's work.

What a host without keepalived, and without anybody else, does not need is imported where it is needed: Python compiles
it anew in every run.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
from typing import TYPE_CHECKING, Any, Iterable, Iterator, Mapping, TextIO

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._daemons import processes, units
from ansible_collections.lvs.topology.plugins.module_utils._files import read_file
from ansible_collections.lvs.topology.plugins.module_utils._forms import CHECKER, KEEPALIVED, KERNEL
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import keepalived_arguments
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._traces import KEEPALIVED_KINDS

if TYPE_CHECKING:
    from ansible_collections.lvs.topology.plugins.module_utils._keepalived.take_over_plan import Unit

_KUBE = "kube-ipvs0"
_WANTS = ("/etc/systemd/system/*.wants", "/etc/systemd/system/*.requires", "/etc/rc[2345].d")
_OWN_SERVICE = re.compile(r"^[ \t]*(?:virtual_server|vrrp_instance)\b", re.MULTILINE)
_VIRTUAL_SERVER = re.compile(r"^[ \t]*virtual_server\b", re.MULTILINE)
_SETTING = re.compile(r"""^[ \t]*(AUTO|DAEMON)=["']?(\w+)""", re.MULTILINE)
_IPVSADM, _LDIRECTORD, _DEFAULT = "ipvsadm", "ldirectord", "/etc/default/ipvsadm"
# What fills the table, or empties it, in a line of a script or of a unit. One that only looks is nobody's rival.
_FILLS = re.compile(r"\bipvsadm(?:-restore\b|\b[^#\n|;&]*[ \t](?:-[ACR]|--(?:add-service|clear|restore))\b)")
_EXEC = re.compile(r"^Exec\w+[ \t]*=(.*)$", re.MULTILINE)
_RC_LOCAL = "/etc/rc.local"
_OWN_UNITS = "lvs-topology"
# A script that somebody wrote is no longer than that.
_LONGEST_SCRIPT = 1024 * 1024
_CLUSTERS = {"pacemakerd": "/var/lib/pacemaker/cib/cib.xml", "heartbeat": "/etc/ha.d/haresources"}
_CONSENT = "lvs_take_over: true"
_UNEDITED = f"({_CONSENT} does not: what somebody wrote nobody else edits)"


def others(
    manager: str, ledger: Ledger, interfaces: set[str], plan: Mapping[str, Any], *, take_over: bool
) -> list[str]:
    """Everybody beside ``manager`` who writes the table or will after a boot, each with what to do about it.

    With ``take_over`` those are left out whom the run is going to end, or whose place it takes. Who has the VIPs of the
    ``plan`` as well is somebody else, too.
    """
    found = []
    if _KUBE in interfaces:
        found.append(
            f"the interface {_KUBE} is there, so kube-proxy fills the table in its ipvs mode; use another host, or "
            f"give kube-proxy another mode and remove the interface (ip link del {_KUBE})"
        )
    found += _ipvsadm(take_over=take_over) + _own_units() + _ldirectord(take_over=take_over)
    found += _clusters(_vips_of(plan))
    if manager != KERNEL and take_over:
        # A keepalived that starts leaves services that are there as they are, whatever the model says of them, and
        # takes VIPs that it moves off their interfaces before it has become master.
        found += [
            f"{each.name} fills the table so far, and keepalived cannot go on with that in one step without an outage; "
            f"run with {_CONSENT} and lvs_manager: kernel first, and with lvs_manager: {manager} afterwards"
            for each in units_to_end()
        ]
    if not ledger.owned_by_any(KEEPALIVED_KINDS[0]):
        found += _keepalived(manager, take_over=take_over)
    return found + (_misled(manager) if manager != KERNEL else [])


def fills_by_keepalived() -> bool:
    """Whether a keepalived that runs, whoever set it up, fills the table. One that only moves addresses does not."""
    return is_running(KEEPALIVED) and bool(_configured(_VIRTUAL_SERVER))


def _misled(manager: str) -> list[str]:
    """A keepalived that would not do what the configuration says, by the arguments with which it is started."""
    from ansible_collections.lvs.topology.plugins.module_utils._keepalived import keepalived_plan

    found, arguments = [], _arguments()
    started = [where for where in arguments if where not in keepalived_arguments.SETTINGS]
    if started and units.runs() and not units.is_active(keepalived_plan.UNIT):
        found.append(
            f"{', '.join(started)} runs here, and not as the unit {keepalived_plan.UNIT}, so something else starts it; "
            "have that let go of it, and start the unit"
        )
    for where, each in arguments.items():
        # A link to the file that is written is as good.
        path = keepalived_plan.PATH
        if each.file is not None and os.path.realpath(each.file) != os.path.realpath(path):
            found.append(
                f"{where} has keepalived read {forms.shown(each.file)} (-f) and not {path}, which is what is written; "
                f"move it to {path} and leave a link in its place (ln -s), then take the option away"
            )
        if (manager == KEEPALIVED and not each.vrrp) or not each.checks:
            part, option = ("VRRP", "--check") if not each.vrrp else ("health checks", "--vrrp")
            found.append(f"{where} has keepalived run without {part}; take the option {option} away, and restart it")
    return found


def _arguments() -> dict[str, keepalived_arguments.Arguments]:
    """The arguments of each keepalived that runs, and of one that a unit will start, by who has them."""
    found = {f"keepalived (process {process})": each for process, each in _started()}
    for path in keepalived_arguments.SETTINGS:
        file = read_file(path)
        if file:
            found[path] = keepalived_arguments.of_settings(file.text)
    return found


def _started() -> Iterator[tuple[int, keepalived_arguments.Arguments]]:
    """The first process of each keepalived of our network namespace, with its arguments."""
    for process in _processes(KEEPALIVED):
        # It may end while it is looked at.
        with contextlib.suppress(OSError), open(f"/proc/{process}/cmdline", "rb") as file:
            # What other users call so is not meant.
            is_of_root = os.fstat(file.fileno()).st_uid == 0
            if is_of_root and processes.program_of(process) == KEEPALIVED and not _is_child(process):
                words = [os.fsdecode(word) for word in file.read().split(b"\0")]
                yield process, keepalived_arguments.read(words[1:])


def _is_child(process: int) -> bool:
    try:
        return processes.program_of(processes.parent_of(process)) == KEEPALIVED
    except OSError:
        return False


def units_to_end() -> list[Unit]:
    """The units that a run ends where it may, as they are now."""
    found = [unit(f"{_IPVSADM}.service")] if _ipvsadm(take_over=False) else []
    return found + ([unit(f"{_LDIRECTORD}.service")] if _ldirectord(take_over=False) else [])


def unit(name: str) -> Unit:
    """The unit as it is now. ldirectord may run on although systemd takes its unit for failed."""
    from ansible_collections.lvs.topology.plugins.module_utils._keepalived.take_over_plan import Unit

    stem = name.partition(".")[0]
    active = units.is_active(name) or (stem == _LDIRECTORD and is_running(stem))
    return Unit(name, _is_enabled(stem), active, empties=stem == _LDIRECTORD)


def _keepalived(manager: str, *, take_over: bool) -> list[str]:
    """A keepalived that nobody of us has set up. One that only moves addresses disturbs no manager but keepalived."""
    state = "runs here" if is_running(KEEPALIVED) else "is started at boot"
    if manager == KERNEL:
        files = _configured(_VIRTUAL_SERVER)
        remedy = (
            f"set lvs_manager: keepalived with {_CONSENT}, which takes it over; a later run with lvs_manager: kernel "
            "ends it without an outage. Or take them out there, or systemctl disable --now keepalived"
        )
        return (
            [f"keepalived {state} and has virtual servers of its own ({', '.join(files)}); {remedy}"] if files else []
        )
    files = [] if take_over else _configured(_OWN_SERVICE)
    remedy = (
        f"{_CONSENT} has a run put the model's in its place, without an outage, and teardown give it back; "
        "site --check --diff shows what differs"
    )
    return (
        [f"keepalived {state} with a configuration of somebody else's ({', '.join(files)}); {remedy}"] if files else []
    )


def managed_by(ledger: Ledger, owner: str, manager: str | None = None) -> list[str]:
    """Who holds this host's addresses and table by an earlier run. Both, where moving from one to the other was cut.

    Beside a checker the addresses are ours. For a keepalived that is to take over, the role holds addresses on lo.
    """
    kernel = ledger.owned("service", owner) or (manager != CHECKER and ledger.owned("address", owner))
    keepalived = ledger.owned_by_any(KEEPALIVED_KINDS[0]) or ledger.owned("address", KEEPALIVED)
    return [KERNEL] * bool(kernel) + [KEEPALIVED] * bool(keepalived)


def is_keepalived_running() -> bool:
    return is_running(KEEPALIVED)


def _ipvsadm(*, take_over: bool) -> list[str]:
    """The init script of Debian works where AUTO or DAEMON say so, the unit of RHEL wherever it is enabled."""
    if take_over or not _is_enabled(_IPVSADM):
        return []
    offer = f". {_CONSENT} has a run disable it, and leaves the table and its files as they are"
    defaults = read_file(_DEFAULT)
    if defaults is None:
        return [f"the unit ipvsadm loads a table of its own at boot; systemctl disable ipvsadm{offer}"]
    settings = dict(_SETTING.findall(defaults.text))
    found = []
    if settings.get("AUTO") == "true":
        found.append(
            f"the service ipvsadm loads a table at boot and flushes it at its end; set AUTO=false in {_DEFAULT}{offer}"
        )
    if settings.get("DAEMON", "none") != "none":
        found.append(
            f"the service ipvsadm starts a synchronisation daemon at boot; set DAEMON=none in {_DEFAULT}{offer}"
        )
    return found


def _ldirectord(*, take_over: bool) -> list[str]:
    """Its end empties the table, unless cleanstop says otherwise. What is no unit only its starter can end for good."""
    is_unit = _is_enabled(_LDIRECTORD) or units.is_active(f"{_LDIRECTORD}.service")
    if is_unit:
        return (
            []
            if take_over
            else [
                "ldirectord runs here or does after a boot, and takes the table away when it is stopped (cleanstop); "
                f"{_CONSENT} has a run end it so that the table stays, and disable it"
            ]
        )
    if is_running(_LDIRECTORD):
        return [
            "ldirectord runs here, and not as a unit of systemd, so something else starts it (Pacemaker, a script); "
            "have that let go of it with cleanstop=no in its configuration, which leaves the table"
        ]
    return []


def _own_units() -> list[str]:
    """Units and scripts of somebody that load a table at boot, whatever their names are."""
    found = []
    for path in sorted(path for place in _WANTS[:2] for path in glob.glob(f"{place}/*.service")):
        name = os.path.basename(path)
        # A link to a unit that is gone starts nothing.
        if not os.path.isfile(path) or name == f"{_IPVSADM}.service" or name.startswith(_OWN_UNITS):
            continue
        file = read_file(path)
        for line in _EXEC.findall(file.text if file else ""):
            if _FILLS.search(line):
                # Debian's ipvsadm-restore is a script itself, which nobody shall edit.
                found.append(f"the unit {name} loads a table of its own at boot; systemctl disable {name}")
                continue
            found += [
                f"the unit {name} runs {script}, which fills the table at boot; take ipvsadm out of the script, or "
                f"systemctl disable {name} {_UNEDITED}"
                for script in _scripts_that_fill(line)
            ]
    if os.access(_RC_LOCAL, os.X_OK):
        text = _script(_RC_LOCAL)
        if any(map(_FILLS.search, _effective(text))):
            found.append(f"{_RC_LOCAL} fills the table at boot; take the lines with ipvsadm out of it {_UNEDITED}")
        found += [
            f"{_RC_LOCAL} runs {script}, which fills the table at boot; take that line out of it {_UNEDITED}"
            for line in _effective(text)
            for script in _scripts_that_fill(line)
        ]
    return list(dict.fromkeys(found))


def _scripts_that_fill(line: str) -> list[str]:
    """The scripts that a line of commands names and that fill the table."""
    words = (word.strip("\"'-@:+!;&|") for word in line.split())
    return [word for word in words if word.startswith("/") and any(map(_FILLS.search, _effective(_script(word))))]


def _effective(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.lstrip().startswith("#")]


def _script(path: str) -> str:
    """The text of a script; nothing where it is a program, or cannot be read."""
    try:
        if not os.path.isfile(path) or os.path.getsize(path) > _LONGEST_SCRIPT:
            return ""
    except OSError:
        return ""
    file = read_file(path)
    return file.text if file and file.text.startswith("#!") else ""


def _clusters(vips: Iterable[str]) -> list[str]:
    """Whoever moves addresses between hosts and has VIPs among them: two would hold them in different places."""
    found = []
    for process, path in _CLUSTERS.items():
        if not is_running(process):
            continue
        file = read_file(path)
        named = {*re.findall(r"[0-9A-Fa-f:.]{3,45}", file.text)} if file else set()
        found += [
            f"{process} runs here and has {vip} ({path}), so it holds the address where it likes; put the cluster into "
            "maintenance mode, delete the resource there, which leaves the address where it is, and run this again"
            for vip in vips
            if vip in named
        ]
    return found


def _vips_of(plan: Mapping[str, Any]) -> list[str]:
    """The VIPs of a director's plan, whoever is to hold them."""
    services = [*(plan.get("services") or []), *((plan.get("watched") or {}).get("services") or [])]
    vips = (each.get("address") for each in services if isinstance(each, Mapping))
    return list(dict.fromkeys(each for each in vips if isinstance(each, str)))


def _configured(what: re.Pattern[str]) -> list[str]:
    """The files in which a keepalived that runs, or will after a boot, has such blocks."""
    if not (is_running(KEEPALIVED) or _is_enabled(KEEPALIVED)):
        return []
    found = []
    elsewhere = [each.file for each in _arguments().values() if each.file is not None]
    for path in sorted({*glob.glob("/etc/keepalived/**/*.conf", recursive=True), *filter(os.path.isfile, elsewhere)}):
        file = read_file(path)
        if file and what.search(file.text):
            found.append(path)
    return found


def _is_enabled(unit: str) -> bool:
    """Whether something starts it at boot. The file system says so where systemd does not run, too."""
    return any(glob.glob(f"{place}/{unit}.service") or glob.glob(f"{place}/S*{unit}") for place in _WANTS)


def _text(path: str) -> TextIO:
    """A file in which any user can write what he likes, so that it need not be UTF-8."""
    return open(path, encoding="utf-8", errors="backslashreplace")


def is_running(name: str) -> bool:
    """Whether a process of that name is in our network namespace."""
    return next(_processes(name), None) is not None


def _processes(name: str) -> Iterator[int]:
    """The processes of that name in our network namespace."""
    ours = os.readlink("/proc/self/ns/net")
    for process in os.listdir("/proc"):
        if process.isdigit():
            # It may end while it is looked at.
            with contextlib.suppress(OSError), _text(f"/proc/{process}/comm") as file:
                if file.read().strip() == name and os.readlink(f"/proc/{process}/ns/net") == ours:
                    yield int(process)
