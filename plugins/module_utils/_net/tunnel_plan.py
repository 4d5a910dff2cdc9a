# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tunnel ends that unwrap packets: what is asked for, and what has to change. Pure."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import AbstractSet, Any, Mapping, Sequence, Union

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net.sysctl_plan import conf_key
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan
from ansible_collections.lvs.topology.plugins.module_utils._settle import Settlement, settle_list

KIND = "tunnel"
# By kind: the device that its kernel module brings along, and the family of the outer header.
FALLBACKS = {"ipip": "tunl0", "sit": "sit0", "gre": "gre0", "ip6tnl": "ip6tnl0", "ip6gre": "ip6gre0"}
_OUTER = {"ipip": 4, "sit": 4, "gre": 4, "ip6tnl": 6, "ip6gre": 6}
_WITH_CHECKSUM = ("gre", "ip6gre")
# These take one family inside unless they are told which.
_MODES = {"sit": " mode ip6ip", "ip6tnl": " mode any"}
# What comes out of a tunnel has come another way than the answer goes. The larger one of all and the interface counts,
# so that 0 would not help where all is 1.
_FILTER, _LOOSE = "rp_filter", "2"


@dataclass(frozen=True)
class Link:
    """A tunnel link. Without a local address it is the fallback device of its kind, which takes what no other takes."""

    interface: str
    type: str
    local: str | None = None
    checksum: bool = False
    up: bool = True

    @property
    def key(self) -> str:
        return f"dev {self.interface}"

    @property
    def state(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def is_fallback(self) -> bool:
        return FALLBACKS[self.type] == self.interface

    @property
    def lines(self) -> tuple[str, ...]:
        """What makes it, in the words of ip."""
        add = () if self.is_fallback else (f"link add {self.words}",)
        return (*add, f"link set {self.interface} up") if self.up else add

    @property
    def words(self) -> str:
        mode, checksum = _MODES.get(self.type, ""), " csum" if self.checksum else ""
        return f"{self.interface} type {self.type}{mode} local {self.local}{checksum}"


@dataclass(frozen=True)
class Port:
    """A UDP port on which GUE is unwrapped."""

    port: int
    version: int

    @property
    def key(self) -> str:
        return f"fou port {self.port}{' -6' if self.version == 6 else ''}"

    @property
    def state(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def lines(self) -> tuple[str, ...]:
        return (f"fou add port {self.port} gue{' -6' if self.version == 6 else ''}",)


End = Union[Link, Port]


@dataclass(frozen=True)
class AddLink:
    """Make a link, which is down at first."""

    link: Link

    def __str__(self) -> str:
        return f"ip link add {self.link.words}"


@dataclass(frozen=True)
class DeleteLink:
    """Remove a link with all its addresses."""

    interface: str

    def __str__(self) -> str:
        return f"ip link del {self.interface}"


@dataclass(frozen=True)
class SwitchLink:
    """Let a link work, or stop it."""

    interface: str
    up: bool

    def __str__(self) -> str:
        return f"ip link set {self.interface} {'up' if self.up else 'down'}"


@dataclass(frozen=True)
class AddPort:
    """Unwrap GUE on a port."""

    port: Port

    def __str__(self) -> str:
        return f"ip {self.port.lines[0]}"


@dataclass(frozen=True)
class DeletePort:
    """Stop it."""

    port: Port

    def __str__(self) -> str:
        return f"ip fou del port {self.port.port}{' -6' if self.port.version == 6 else ''}"


ON_LINKS = (AddLink, DeleteLink, SwitchLink)
ON_PORTS = (AddPort, DeletePort)


def is_tunnel_end(interface: str) -> bool:
    """Whether a tunnel end may have this name: it is not there before its kernel module is loaded, or it is made."""
    return interface in FALLBACKS.values() or interface.startswith("lvs-")


def check(options: Sequence[Mapping[str, Any]], mistakes: Mistakes) -> list[End]:
    """The tunnel ends that a task names."""
    wanted: list[End] = []
    positions: dict[str, int] = {}
    for position, option in enumerate(options):
        where = f"tunnels[{position}]"
        end = _port(option, where, mistakes) if option["type"] == "gue" else _link(option, where, mistakes)
        if end is None:
            continue
        if end.key in positions:
            mistakes.add(where, f"{end.key} is already listed in tunnels[{positions[end.key]}]")
        positions.setdefault(end.key, position)
        wanted.append(end)
    return wanted


def _port(option: Mapping[str, Any], where: str, mistakes: Mistakes) -> Port | None:
    for name in ("interface", "local", "checksum"):
        if option.get(name) is not None:
            mistakes.add(f"{where}.{name}", "has no meaning with type gue, which unwraps for every link")
    port = option.get("port")
    if port is None:
        mistakes.add(f"{where}.port", "is needed with type gue: the UDP port on which packets arrive")
        return None
    if not mistakes.within(f"{where}.port", port, forms.REAL_PORTS, "a port"):
        return None
    return Port(port, 6 if option.get("family") == "ipv6" else 4)


def _link(option: Mapping[str, Any], where: str, mistakes: Mistakes) -> Link | None:
    kind, interface, checksum = option["type"], option.get("interface"), bool(option.get("checksum"))
    for name in ("port", "family"):
        if option.get(name) is not None:
            mistakes.add(f"{where}.{name}", f"has no meaning with type {kind}, only with gue")
    if checksum and kind not in _WITH_CHECKSUM:
        mistakes.add(f"{where}.checksum", f"is not possible with type {kind}, only with {' and '.join(_WITH_CHECKSUM)}")
    if interface is None:
        mistakes.add(f"{where}.interface", f"is needed with type {kind}")
        return None
    if not mistakes.interface(f"{where}.interface", interface):
        return None
    fallback = next((each for each, name in FALLBACKS.items() if name == interface), None)
    if fallback is None:
        local = _local(option, kind, where, mistakes)
        return Link(interface, kind, local, checksum) if local else None
    if fallback != kind:
        mistakes.add(f"{where}.interface", f"{interface} is the fallback device of type {fallback}")
    for name in ("local", "checksum"):
        if option.get(name):
            mistakes.add(f"{where}.{name}", f"cannot be set on the fallback device {interface}; name another one")
    return Link(interface, fallback)


def _local(option: Mapping[str, Any], kind: str, where: str, mistakes: Mistakes) -> str | None:
    local = option.get("local")
    if local is None:
        mistakes.add(f"{where}.local", f"is needed, because only {FALLBACKS[kind]} takes packets to every address")
        return None
    address = mistakes.host_address(f"{where}.local", local)
    if address is not None and address.version != _OUTER[kind]:
        mistakes.add(f"{where}.local", f"{address} is not an IPv{_OUTER[kind]} address, which type {kind} has outside")
    return forms.spelling(address) if address else None


def clashes(
    wishes: Sequence[End],
    current: Mapping[str, End],
    interfaces: AbstractSet[str],
    ledger: Ledger,
    owner: str,
    mistakes: Mistakes,
    doubts: list[str] | None = None,
) -> None:
    """Devices that are there, are something else, and are not ours; and fallback devices that are not there.

    With a list of doubts, what an earlier task of the play may bring about is noted there.
    """
    for position, wish in enumerate(wishes):
        if not isinstance(wish, Link):
            continue
        where = f"tunnels[{position}].interface"
        there = current.get(wish.key)
        if wish.is_fallback and there is None:
            text = (
                f"there is no {wish.interface}: it appears when its kernel module is loaded, outside of the first "
                "network namespace only with net.core.fb_tunnels_only_for_init_net=0"
            )
            if doubts is None:
                mistakes.add(where, text)
            else:
                doubts.append(f"{where}: {text}")
        elif wish.interface in interfaces and owner not in ledger.owners(KIND, wish.key) and not _is(there, wish):
            is_now = f" ({_as_link(there).words})" if there else ""
            mistakes.add(where, f"{wish.interface} is something else already{is_now}; use another name")


def plan_tunnels(
    ledger: Ledger,
    owner: str,
    current: Mapping[str, End],
    wishes: Sequence[End] | None,
    *,
    present: bool,
    purge: bool,
) -> tuple[Plan, Plan, Plan, Settlement]:
    """Three plans: make links, let them and the ports work, take away. What a link needs comes after the first."""
    wanted = {wish.key: wish for wish in wishes or ()}
    settlement = settle_list(
        ledger,
        KIND,
        owner,
        {key: end.state for key, end in current.items()},
        None if wishes is None else {key: end.state for key, end in wanted.items()},
        present=present,
        purge=purge,
    )
    make: list[Any] = []
    start: list[Any] = []
    for key in settlement.wrong:
        end = wanted[key]
        if isinstance(end, Port):
            start.append(AddPort(end))
            continue
        now = current.get(key)
        if not end.is_fallback and not _is(now, end):
            make += [DeleteLink(end.interface)] if now else []
            make.append(AddLink(end))
        start.append(SwitchLink(end.interface, up=True))
    gone: list[Any] = []
    after = {**current, **{key: wanted[key] for key in settlement.wrong}}
    for key, was in settlement.restore.items():
        now = current.get(key)
        if now is None or now.state == was:
            continue
        if isinstance(now, Port):
            gone.append(DeletePort(now))
        elif was is None and not now.is_fallback:
            gone.append(DeleteLink(now.interface))
        else:
            # A fallback device that was not there came with its module, and is down then.
            after[key] = replace(now, up=bool(was and was["up"]))
            gone.append(SwitchLink(now.interface, up=bool(was and was["up"])))
            continue
        del after[key]
    touched = sorted(key for key in {**current, **after} if current.get(key) != after.get(key))
    shown = Plan(
        _changes(gone),
        tuple(line for key in touched if key in current for line in current[key].lines),
        tuple(line for key in touched if key in after for line in after[key].lines),
    )
    return Plan(_changes(make)), Plan(_changes(start)), shown, settlement


def sysctls(ends: Sequence[End]) -> dict[str, str]:
    """What the links need: packets come out of them that the kernel expects from somewhere else."""
    # sit and the fallback device of ip6tnl have only IPv6 inside, which has no such filter.
    links = [end for end in ends if isinstance(end, Link) and end.type != "sit" and end.interface != "ip6tnl0"]
    return {conf_key(link.interface, _FILTER): _LOOSE for link in links}


def forgotten(*plans: Plan) -> set[str]:
    """The sysctls that go with links which these plans remove, be it to make them anew."""
    actions = [change.action for plan in plans for change in plan.changes]
    return {conf_key(action.interface, _FILTER) for action in actions if isinstance(action, DeleteLink)}


def _is(now: End | None, link: Link) -> bool:
    """Whether the link is there as wanted, up or down."""
    return isinstance(now, Link) and replace(now, up=link.up) == link


def _as_link(end: End) -> Link:
    if not isinstance(end, Link):
        raise TypeError(f"{end.key} is not a link")
    return end


def _changes(actions: Sequence[Any]) -> tuple[Change, ...]:
    return tuple(Change(str(action), action) for action in actions)
