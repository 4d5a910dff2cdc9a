# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sysctls: live values and the file that sets them at boot. Pure; sysctl_profile and arp_tuning share it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import AbstractSet, Any, Iterable, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils import _sysctl_forms
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File, owned_file, plan_file
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan, joined
from ansible_collections.lvs.topology.plugins.module_utils._settle import Settlement, settle

KIND = "sysctl"
ARP_NAMES = ("arp_ignore", "arp_announce")
# Switching IPv4 forwarding sets the second of these to the opposite (inet_forward_change()). So a switch comes first,
# and what was there before it was ours includes the other's value.
_REDIRECTS = "net.ipv4.conf.all.accept_redirects"
_SWITCHES = ("net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding")
# What is there as soon as ip_vs is loaded.
IPVS = "net.ipv4.vs."
# Every name below it that some kernel has: which ones a kernel has depends on its version and options, and on whether
# this is the first network namespace. The value says since when, where that is of interest today.
IPVS_NAMES: Mapping[str, str] = {
    **dict.fromkeys(
        [
            "am_droprate",
            "amemthresh",
            "backup_only",
            "cache_bypass",
            "conn_reuse_mode",
            "conntrack",
            "debug_level",
            "drop_entry",
            "drop_packet",
            "expire_nodest_conn",
            "expire_quiescent_template",
            "ignore_tunneled",
            "lblc_expiration",
            "lblcr_expiration",
            "nat_icmp_send",
            "pmtu_disc",
            "run_estimation",
            "schedule_icmp",
            "secure_tcp",
            "sloppy_sctp",
            "sloppy_tcp",
            "snat_reroute",
            "sync_persist_mode",
            "sync_ports",
            "sync_qlen_max",
            "sync_refresh_period",
            "sync_retries",
            "sync_sock_size",
            "sync_threshold",
            "sync_version",
        ],
        "",
    ),
    "est_cpulist": "6.2",
    "est_nice": "6.2",
    "conn_lfactor": "7.1",
    "svc_lfactor": "7.1",
}
# What kernel modules bring that this or another program loads later.
_COMES_LATER = (IPVS, "net.netfilter.nf_conntrack", "net.nf_conntrack_max", "net.bridge.")
_SWAP = str.maketrans("./", "/.")


@dataclass(frozen=True)
class SetSysctl:
    """Write one value."""

    key: str
    value: str


@dataclass(frozen=True)
class ArpWish:
    """What one interface (or all) shall do; None: leave alone."""

    interface: str
    arp_ignore: int | None = None
    arp_announce: int | None = None

    def given(self) -> dict[str, int]:
        both = {"arp_ignore": self.arp_ignore, "arp_announce": self.arp_announce}
        return {name: value for name, value in both.items() if value is not None}


@dataclass(frozen=True)
class ArpDemand:
    """ARP wishes as sysctls: all go to the file, but only the live ones have to be written now."""

    persisted: Mapping[str, str]
    live: Mapping[str, str]
    warnings: tuple[str, ...]


def canonical(key: str) -> str | None:
    """A key as sysctl prints it, from either of its notations; None where it is none."""
    try:
        return _sysctl_forms.key(key)
    except forms.BadForm:
        return None


def missing_text(key: str, release: str) -> str:
    """A wanted sysctl that this kernel does not have, and why where that is known."""
    since = IPVS_NAMES.get(key[len(IPVS) :]) if key.startswith(IPVS) else None
    return f"{key} (which is there since Linux {since}; this is {release})" if since else key


def place_to_look(key: str) -> str | None:
    """The key whose existence tells whether this one is right; None where only time can tell.

    The sysctls of an interface that is not there yet are those of every other one.
    """
    if key.startswith(_COMES_LATER):
        return None
    components = path_of(key).split("/")
    if len(components) == 5 and _is_of_interface(components):
        components[3] = "default"
    return "/".join(components).translate(_SWAP)


def with_dotted_interface(key: str) -> str | None:
    """What is meant by net.ipv4.conf.eth1.100.forwarding: a dot of an interface's name is a slash in a key."""
    components = path_of(key).split("/")
    if len(components) < 6 or not _is_of_interface(components):
        return None
    components[3:-1] = [".".join(components[3:-1])]
    return "/".join(components).translate(_SWAP)


def _is_of_interface(components: Sequence[str]) -> bool:
    return components[0] == "net" and components[2] in ("conf", "neigh")


def path_of(key: str) -> str:
    """The path of a canonical key below /proc/sys."""
    return key.translate(_SWAP)


def conf_key(interface: str, name: str) -> str:
    """The canonical key of an IPv4 setting of an interface."""
    return f"net/ipv4/conf/{interface}/{name}".translate(_SWAP)


def normal(value: str) -> str:
    """A value with its blanks evened out, so that tabs of the kernel equal blanks of an operator."""
    return " ".join(value.split())


def check_values(values: Mapping[str, object], mistakes: Mistakes, option: str = "values") -> dict[str, str]:
    """The wanted sysctls by canonical key; option is where a task has them."""
    wanted: dict[str, str] = {}
    for given, raw in values.items():
        path = f"{option}[{forms.word(given)}]"
        key = canonical(given)
        if key is None:
            mistakes.add(path, "is not the name of a sysctl such as net.ipv4.ip_forward")
            continue
        if key in wanted:
            mistakes.add(path, f"the sysctl {key} is listed twice, in both notations")
        # YAML turns an unquoted 1 into a number and an unquoted yes into a boolean; only the former is meant.
        if isinstance(raw, bool):
            mistakes.add(path, f"{raw!r} is not a value of a sysctl; quote it, such as '1'")
            continue
        value = mistakes.form(path, raw, _sysctl_forms.line)
        if value is not None:
            wanted[key] = value
    return wanted


def check_arp(options: Sequence[Mapping[str, object]], present: AbstractSet[str], mistakes: Mistakes) -> list[ArpWish]:
    """The ARP wishes of a task."""
    wishes: list[ArpWish] = []
    positions: dict[str, int] = {}
    for position, option in enumerate(options):
        where = f"interfaces[{position}]"
        wish = ArpWish(**option)  # type: ignore[arg-type] # the module has checked the types
        if wish.interface in positions:
            mistakes.add(
                f"{where}.interface", f"{wish.interface} is already listed in interfaces[{positions[wish.interface]}]"
            )
            continue
        positions[wish.interface] = position
        mistakes.interface(f"{where}.interface", wish.interface, present)
        if not wish.given():
            mistakes.add(where, "needs arp_ignore, arp_announce or both")
        wishes.append(wish)
    return wishes


def arp_demand(wishes: Sequence[ArpWish], current: Mapping[str, str], mistakes: Mistakes) -> ArpDemand:
    """Turn wishes into sysctls by the kernel's rule: the larger one of conf/all and conf/INTERFACE counts."""
    persisted: dict[str, str] = {}
    live: dict[str, str] = {}
    warnings: list[str] = []
    everywhere = next((wish.given() for wish in wishes if wish.interface == "all"), {})
    listed = {wish.interface for wish in wishes}
    for position, wish in enumerate(wishes):
        for name, value in wish.given().items():
            key = conf_key(wish.interface, name)
            persisted[key] = str(value)
            if wish.interface in ("all", "default"):
                live[key] = str(value)
                continue
            for_all = everywhere.get(name, int(current[conf_key("all", name)]))
            if for_all > value:
                mistakes.add(
                    f"interfaces[{position}].{name}",
                    f"{value} cannot take effect on {wish.interface}, because the kernel uses the larger one of "
                    f"{conf_key('all', name)} = {for_all} and the interface's own value; lower the former first",
                )
            elif for_all < value or int(current.get(key, value)) > value:
                live[key] = str(value)
    for name, value in everywhere.items():
        for interface in sorted(conf_interfaces(current) - listed - {"all", "default"}):
            own = int(current[conf_key(interface, name)])
            if own > value:
                warnings.append(
                    f"{conf_key(interface, name)} = {own} is larger than {value} and counts on {interface}; "
                    "list that interface too if it shall not"
                )
    return ArpDemand(persisted, live, tuple(warnings))


def conf_interfaces(current: Mapping[str, str]) -> set[str]:
    """The interfaces whose ARP settings were all read: between two of them, an interface of a container may go."""
    found = {path_of(key).split("/")[3] for key in current if key.startswith("net.ipv4.conf.")}
    return {each for each in found if all(conf_key(each, name) in current for name in ARP_NAMES)}


def effective(values: Mapping[str, str]) -> dict[str, dict[str, int]]:
    """What counts on each interface, from the values of all of them."""
    return {
        interface: {
            name: max(int(values[conf_key("all", name)]), int(values[conf_key(interface, name)])) for name in ARP_NAMES
        }
        for interface in sorted(conf_interfaces(values) - {"all", "default"})
    }


def persisted_values(
    file_now: File | None,
    persisted: Mapping[str, str],
    listed: AbstractSet[str] | None,
    *,
    purge: bool,
) -> dict[str, str]:
    """What the file shall set at boot. Without purge, what earlier runs put there and this one does not list stays."""
    kept: dict[str, str] = {}
    if file_now is not None and listed is not None and not purge:
        for line in file_now.text.splitlines():
            name, equals, value = line.partition("=")
            key = canonical(name.strip())
            if equals and key is not None and key not in listed:
                kept[key] = normal(value)
    return {**kept, **persisted}


def render(owner: str, values: Mapping[str, str]) -> File | None:
    """The sysctl.d file; None where there is nothing to set."""
    return owned_file(owner, [f"{key} = {values[key]}" for key in _in_order(values)])


def plan_sysctls(
    ledger: Ledger,
    owner: str,
    current: Mapping[str, str],
    live: Mapping[str, str],
    let_go: AbstractSet[str],
    listed: AbstractSet[str] | None,
    path: str,
    file_now: File | None,
    file_wanted: File | None,
) -> tuple[Plan, Settlement]:
    """Live values first, then the file. A wanted key that is not there is taken for one that appears in time."""
    settlement = settle(
        ledger,
        KIND,
        owner,
        {key: _noted(key, current) for key in current},
        live,
        let_go,
        lambda noted, want: _value(noted) == want,
        listed,
    )
    wanted = _wanted(settlement, current, live)
    now = dict(current)
    changes = []
    for key in _in_order(wanted):
        value = wanted[key]
        # What is right now may be made wrong by an earlier change of this plan.
        if now.get(key) == value:
            continue
        changes.append(Change(f"sysctl -w {_shown(key, value)}", SetSysctl(key, value)))
        now[key] = value
        if key in _SWITCHES:
            now[_REDIRECTS] = "0" if value != "0" else "1"
    differs = [key for key in _in_order(now) if now[key] != current.get(key)]
    live_plan = Plan(
        tuple(changes),
        tuple(f"{key} = {current[key]}" for key in differs if key in current),
        tuple(f"{key} = {now[key]}" for key in differs),
    )
    return joined(live_plan, plan_file(path, file_now, file_wanted)), settlement


def companions(keys: AbstractSet[str]) -> set[str]:
    """The sysctls whose values have to be known where these are set."""
    return {_REDIRECTS} if any(key in keys for key in _SWITCHES) else set()


def _wanted(settlement: Settlement, current: Mapping[str, str], live: Mapping[str, str]) -> dict[str, str]:
    """The values to set or to keep."""
    # A sysctl of an interface that is gone has nothing to be put back.
    restore = {key: was for key, was in settlement.restore.items() if key in current and was is not None}
    wanted = {**{key: _value(was) for key, was in restore.items()}, **live}
    for key in _SWITCHES:
        # Forwarding that is asked for may switch redirects off: a router is not to follow them, and at boot it is the
        # same. Whatever else happens to forwarding leaves them as they were.
        if key not in wanted or (key in live and live[key] != "0") or wanted[key] == current.get(key):
            continue
        was = restore.get(key)
        if isinstance(was, dict) and not settlement.settled.owners(KIND, _REDIRECTS):
            wanted.setdefault(_REDIRECTS, was[_REDIRECTS])
        wanted.setdefault(_REDIRECTS, current[_REDIRECTS])
    return wanted


def _noted(key: str, current: Mapping[str, str]) -> Any:
    """What the ledger notes of a sysctl."""
    return {"value": current[key], _REDIRECTS: current[_REDIRECTS]} if key in _SWITCHES else current[key]


def _value(noted: Any) -> str:
    return str(noted["value"] if isinstance(noted, dict) else noted)


def _in_order(keys: Iterable[str]) -> list[str]:
    return sorted(keys, key=lambda key: (key not in _SWITCHES, key))


def _shown(key: str, value: str) -> str:
    return f"'{key}={value}'" if " " in value else f"{key}={value}"
