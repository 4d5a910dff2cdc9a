# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and writing sysctls, and the two modules that do it: sysctl_profile and arp_tuning."""

from __future__ import annotations

import difflib
import errno
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, AbstractSet, Any, Iterable, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils._files import apply_file, read_file
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import LedgerFile, carry_out_booked
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net import sysctl_plan
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest, Refused, one_by_one
from ansible_collections.lvs.topology.plugins.module_utils._settle import to_let_go
from ansible_collections.lvs.topology.plugins.module_utils._traces import TRACES, Trace

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

_ROOT = "/proc/sys"
_CONF = _ROOT + "/net/ipv4/conf"


def ensure_profile(module: AnsibleModule, book: LedgerFile) -> dict[str, Any]:
    """What the module sysctl_profile does."""
    params = module.params
    mistakes = Mistakes()
    mistakes.owner(params["owner"])
    present = params["state"] == "present"
    wanted = sysctl_plan.check_values(params["values"] or {}, mistakes)
    mistakes.raise_if_any()

    ledger = book.load()
    owner = params["owner"]
    listed = None if params["values"] is None else set(wanted)
    let_go = to_let_go(ledger, sysctl_plan.KIND, owner, listed, present=present, purge=params["purge"])
    concerned = set(wanted) | let_go
    # What was there before the first claim is what is put back one day.
    kept = {key for key in wanted if present and not ledger.owners(sysctl_plan.KIND, key)}
    current = read(concerned | sysctl_plan.companions(concerned), kept)
    missing = sorted(set(wanted) - set(current) - _yet_to_come(module, wanted))
    if missing and present:
        release = os.uname().release
        text = f"this kernel has no {', '.join(sysctl_plan.missing_text(key, release) for key in missing)}"
        if not os.path.isdir(os.path.join(_ROOT, sysctl_plan.path_of(sysctl_plan.IPVS))):
            text += "; the kernel module ip_vs, which brings some of them, is not loaded"
        if params["missing"] == "fail":
            mistakes.add("values", text)
            mistakes.raise_if_any()
        module.warn(f"values: {text}")
    live = {key: value for key, value in wanted.items() if key not in missing} if present else {}
    result, _after = _carry_out(module, book, _Run(TRACES["sysctls"], current, live, live, listed, let_go))
    result["missing"] = missing
    return result


def _yet_to_come(module: AnsibleModule, keys: Iterable[str]) -> set[str]:
    """The sysctls of IPVS in check mode, where an earlier task of the play may be the one that loads it."""
    if not module.check_mode or os.path.isdir(os.path.join(_ROOT, sysctl_plan.path_of(sysctl_plan.IPVS))):
        return set()
    return {key for key in keys if key.startswith(sysctl_plan.IPVS)}


def unknown(keys: Iterable[str], *, ipv6_comes: bool) -> list[str]:
    """The names that this kernel does not know and that nothing will bring, each with what may be meant.

    ``ipv6_comes`` says that IPv6 is a module which this host has not loaded yet.
    """
    found = []
    without_ipv6 = not os.path.isdir(os.path.join(_ROOT, "net/ipv6"))
    for key in keys:
        name = sysctl_plan.canonical(key)
        place = sysctl_plan.place_to_look(name) if name else None
        if name is None:
            found.append(f"{key!r} is not the name of a sysctl such as net.ipv4.ip_forward")
        elif without_ipv6 and name.startswith("net.ipv6."):
            if not ipv6_comes:
                found.append(
                    f"this host runs without IPv6, and so without {name}. Switch IPv6 on, or do without by "
                    f"lvs_sysctls: {{{name}: null}}"
                )
        elif place is not None:
            path = os.path.join(_ROOT, sysctl_plan.path_of(place))
            if not os.path.exists(path):
                meant = sysctl_plan.with_dotted_interface(name)
                hint = f"; did you mean {meant}?" if meant else _close_to(name, path)
                found.append(f"this kernel has no {name}{hint}")
    return found


def unchangeable(values: Mapping[str, str], arp: Sequence[Mapping[str, Any]]) -> list[str]:
    """Why these sysctls and ARP settings, as far as they are not right, cannot be set: /proc/sys may be read-only."""
    root = os.path.join(_ROOT, "net")
    if not os.statvfs(root).f_flag & os.ST_RDONLY:
        return []
    current = read(values)
    wrong = [key for key, value in values.items() if current.get(key) != value]
    for option in arp:
        for name, value in sysctl_plan.ArpWish(**option).given().items():
            # The larger one of both counts.
            keys = [sysctl_plan.conf_key(interface, name) for interface in (option["interface"], "all")]
            if max([int(now) for now in read(keys).values()], default=0) < value:
                wrong.append(keys[0])
    if not wrong:
        return []
    return [
        f"{', '.join(wrong)} would be set, and {root} is read-only, as it is in a container. Run this on the host "
        f"itself, give the container its own network and {root} to write (podman and docker: --privileged), or set "
        "them from outside (--sysctl)"
    ]


def _close_to(name: str, path: str) -> str:
    """What is beside the path and spelled nearly the same, as a question."""
    directory, last = os.path.split(path)
    beside = os.listdir(directory) if os.path.isdir(directory) else []
    close = difflib.get_close_matches(last, beside, n=1)
    return f"; did you mean {name[: -len(last)]}{close[0]}?" if close else ""


def ensure_arp(module: AnsibleModule, book: LedgerFile) -> dict[str, Any]:
    """What the module arp_tuning does."""
    params = module.params
    mistakes = Mistakes()
    mistakes.owner(params["owner"])
    present = params["state"] == "present"
    options = params["interfaces"]
    interfaces = set(os.listdir(_CONF))
    current = read(sysctl_plan.conf_key(interface, name) for interface in interfaces for name in sysctl_plan.ARP_NAMES)
    if present:
        wishes = sysctl_plan.check_arp(options or [], interfaces, mistakes)
        mistakes.raise_if_any()
        demand = sysctl_plan.arp_demand(wishes, current, mistakes)
        listed: set[str] | None = set(demand.persisted)
    else:
        demand = sysctl_plan.ArpDemand({}, {}, ())
        listed = (
            None
            if options is None
            else {
                sysctl_plan.conf_key(option["interface"], name) for option in options for name in sysctl_plan.ARP_NAMES
            }
        )
    mistakes.raise_if_any()

    claimant = TRACES["arp"].claimant(params["owner"])
    let_go = to_let_go(book.load(), sysctl_plan.KIND, claimant, listed, present=present, purge=params["purge"])
    run = _Run(TRACES["arp"], current, demand.live, demand.persisted, listed, let_go)
    result, after = _carry_out(module, book, run)
    for warning in demand.warnings:
        module.warn(warning)
    result["effective"] = sysctl_plan.effective(after)
    return result


@dataclass(frozen=True)
class _Run:
    """What differs between the two modules."""

    trace: Trace
    current: Mapping[str, str]
    live: Mapping[str, str]
    persisted: Mapping[str, str]
    listed: AbstractSet[str] | None
    let_go: AbstractSet[str]


def _carry_out(module: AnsibleModule, book: LedgerFile, run: _Run) -> tuple[dict[str, Any], dict[str, str]]:
    """The result, and the values afterwards."""
    owner = module.params["owner"]
    path = run.trace.path(owner)
    file_now = read_file(path)
    at_boot = sysctl_plan.persisted_values(
        file_now,
        run.persisted if module.params["persist"] else {},
        run.listed,
        purge=module.params["purge"] and module.params["state"] == "present",
    )
    file_wanted = sysctl_plan.render(owner, at_boot)
    plan, settlement = sysctl_plan.plan_sysctls(
        book.load(),
        run.trace.claimant(owner),
        run.current,
        run.live,
        run.let_go,
        run.listed if module.params["state"] == "present" else None,
        path,
        file_now,
        file_wanted,
    )
    result = carry_out_booked(module, plan, one_by_one(apply), book, settlement.claimed, settlement.settled)
    result["left_over"] = list(settlement.left_over)
    after = dict(run.current)
    after.update({c.action.key: c.action.value for c in plan.changes if isinstance(c.action, sysctl_plan.SetSysctl)})
    return result, after


def read(keys: Iterable[str], kept: AbstractSet[str] = frozenset()) -> dict[str, str]:
    """The values of those keys that this kernel has. Those of ``kept`` are put back one day, so they must be text."""
    values = {}
    for key in keys:
        strictly = "strict" if key in kept else "backslashreplace"
        try:
            with open(os.path.join(_ROOT, sysctl_plan.path_of(key)), encoding="utf-8", errors=strictly) as file:
                values[key] = sysctl_plan.normal(file.read())
        except (FileNotFoundError, NotADirectoryError):
            continue
        except UnicodeDecodeError as problem:
            raise BadRequest(
                f"values[{key}]: this sysctl has a value that is no text, which could not be put back one day. Set it "
                "to text by hand first."
            ) from problem
        except OSError as problem:
            raise Refused(f"The sysctl {key} cannot be read: {problem.strerror}.") from problem
    return values


def apply(action: Any) -> None:
    if not isinstance(action, sysctl_plan.SetSysctl):
        apply_file(action)
        return
    try:
        with open(os.path.join(_ROOT, sysctl_plan.path_of(action.key)), "w", encoding="utf-8") as file:
            file.write(action.value + "\n")
    except OSError as problem:
        meaning = {
            errno.EINVAL: "the kernel does not accept this value",
            errno.ERANGE: "the value is out of the range that the kernel accepts",
            errno.EROFS: "/proc/sys is read-only here, as it is in an unprivileged container",
            errno.EACCES: "it may not be written here; run as root in the host's own network namespace",
            errno.EPERM: "it may not be written here; run as root in the host's own network namespace",
            errno.ENOENT: "it has disappeared since it was read",
        }.get(problem.errno or 0, problem.strerror)
        raise Refused(f"Setting the sysctl {action.key} to {action.value!r} failed: {meaning}.") from problem
    is_now = read([action.key]).get(action.key)
    if is_now != action.value:
        raise Refused(
            f"The kernel took {action.value!r} for the sysctl {action.key} and made {is_now!r} of it. "
            "Ask for a value that it keeps, or every run would change it again."
        )
