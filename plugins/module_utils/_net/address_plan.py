# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual addresses: what is asked for, and what has to change. Pure."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import AbstractSet, Any, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan
from ansible_collections.lvs.topology.plugins.module_utils._settle import Settlement, settle, to_let_go

KIND = "address"


@dataclass(frozen=True)
class Held:
    """An address on an interface, as it is or shall be. ``tentative``: the kernel does not use it, or not yet."""

    address: str
    prefix: int
    interface: str
    label: str | None = None
    deprecated: bool = False
    tentative: bool = False

    @property
    def version(self) -> int:
        return 6 if ":" in self.address else 4

    @property
    def key(self) -> str:
        return f"{self.address}/{self.prefix} dev {self.interface}"

    @property
    def state(self) -> dict[str, Any]:
        return {"label": self.label, "deprecated": self.deprecated}

    def shares_subnet(self, other: Held) -> bool:
        """Whether the kernel takes one of them for a secondary address of the other."""
        return (
            (self.interface, self.prefix) == (other.interface, other.prefix)
            and (self.version, other.version) == (4, 4)
            and self.address != other.address
            and ipaddress.ip_interface(f"{self.address}/{self.prefix}").network
            == ipaddress.ip_interface(f"{other.address}/{other.prefix}").network
        )

    def __str__(self) -> str:
        """As the ip command takes it."""
        label = f" label {self.label}" if self.label not in (None, self.interface) else ""
        preferred = " preferred_lft 0" if self.deprecated else ""
        nodad = " nodad" if self.version == 6 else ""
        return self.key + label + preferred + nodad + (" tentative" if self.tentative else "")


@dataclass(frozen=True)
class Wish:
    """An address that a task asks for; None: leave alone."""

    address: str
    prefix: int
    interface: str
    label: str | None = None
    deprecated: bool | None = None
    announce: str | None = None

    @property
    def given(self) -> dict[str, Any]:
        both = {"label": self.label, "deprecated": self.deprecated}
        return {name: value for name, value in both.items() if value is not None}

    @property
    def held(self) -> Held:
        return Held(self.address, self.prefix, self.interface, self.label, bool(self.deprecated))


@dataclass(frozen=True)
class SetAddress:
    """Add an address, or change the lifetime of one that is there."""

    held: Held
    change: bool = False

    def __str__(self) -> str:
        return f"ip address {'change' if self.change else 'add'} {self.held}"


@dataclass(frozen=True)
class DeleteAddress:
    """Take an address off its interface."""

    held: Held

    def __str__(self) -> str:
        return f"ip address del {self.held.key}"


@dataclass(frozen=True)
class Announce:
    """Tell the neighbours where the address is now."""

    address: str
    interface: str

    def __str__(self) -> str:
        if ":" in self.address:
            return f"ndsend {self.address} {self.interface}"
        return f"arping -U -c 3 -I {self.interface} {self.address}"


def check(
    options: Sequence[Mapping[str, Any]],
    interfaces: AbstractSet[str] | None,
    mistakes: Mistakes,
) -> list[Wish]:
    """The wishes of a task. Without interfaces, whether they exist is not looked at."""
    wishes: list[Wish] = []
    positions: dict[str, int] = {}
    for position, option in enumerate(options):
        where = f"addresses[{position}]"
        parsed = _parse(option["address"], f"{where}.address", mistakes)
        names = [("interface", option["interface"]), ("announce", option.get("announce"))]
        for name, interface in names:
            if interface is not None:
                mistakes.interface(f"{where}.{name}", interface, interfaces)
        if parsed is None:
            continue
        address = forms.spelling(parsed.ip)
        if address in positions:
            mistakes.add(f"{where}.address", f"{address} is already listed in addresses[{positions[address]}]")
        positions.setdefault(address, position)
        _check_one(option, parsed, where, mistakes)
        wishes.append(
            Wish(
                address,
                parsed.network.prefixlen,
                option["interface"],
                option.get("label"),
                option.get("deprecated"),
                option.get("announce"),
            )
        )
    return wishes


def _parse(text: str, path: str, mistakes: Mistakes) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface | None:
    host, slash, prefix = text.partition("/")
    if mistakes.host_address(path, host) is None:
        return None
    if slash and not (prefix.isascii() and prefix.isdigit()):
        mistakes.add(path, f"the prefix length {forms.shown(prefix)} of {host} is not a number")
        return None
    try:
        return ipaddress.ip_interface(text)
    except ValueError:
        mistakes.add(path, f"the prefix length {forms.word(prefix)} of {host} is out of range")
        return None


def _check_one(
    option: Mapping[str, Any],
    parsed: ipaddress.IPv4Interface | ipaddress.IPv6Interface,
    where: str,
    mistakes: Mistakes,
) -> None:
    network = parsed.network
    full = network.max_prefixlen
    path = f"{where}.address"
    if option["interface"] == "lo" and network.prefixlen < full:
        mistakes.add(
            path,
            f"with /{network.prefixlen} on lo the host would take the whole of {network} for itself and reach nobody "
            f"else there; a VIP on lo is a /{full}",
        )
    elif network.prefixlen < full - 1 and parsed.ip == network.network_address:
        mistakes.add(path, f"{parsed} is a network, not the address of a host")
    elif parsed.version == 4 and network.prefixlen < full - 1 and parsed.ip == network.broadcast_address:
        mistakes.add(path, f"{parsed} is the broadcast address of its network")
    label = option.get("label")
    if label is not None:
        if parsed.version == 6:
            mistakes.add(f"{where}.label", "IPv6 addresses have no label")
        else:
            mistakes.form(f"{where}.label", label, lambda value: forms.label(value, option["interface"]))
    if option.get("announce") == "lo":
        mistakes.add(f"{where}.announce", "there is nobody to tell on lo; name the interface towards the clients")


def plan_addresses(
    ledger: Ledger,
    owner: str,
    current: Sequence[Held],
    wishes: Sequence[Wish] | None,
    *,
    present: bool,
    purge: bool,
    interfaces: AbstractSet[str] | None = None,
) -> tuple[Plan, Settlement]:
    """Add first, then take away, so that an address that moves is never gone.

    What cannot be put back, because its interface is not among ``interfaces`` any more, is passed over.
    """
    listed = None if wishes is None else {wish.held.key for wish in wishes}
    wanted = {wish.held.key: wish for wish in wishes or ()} if present else {}
    let_go = to_let_go(ledger, KIND, owner, listed, present=present, purge=purge)
    # An address that moves to another interface, or gets another prefix, leaves its old place without purge too.
    moving = {wish.address for wish in wanted.values()}
    let_go |= {key for key in ledger.owned(KIND, owner) if key not in wanted and key.split("/")[0] in moving}
    held = {one.key: one for one in current}
    settlement = settle(
        ledger,
        KIND,
        owner,
        {key: one.state for key, one in held.items()},
        {key: wish.given for key, wish in wanted.items()},
        let_go,
        lambda state, given: all(state[name] == value for name, value in given.items()),
        listed if present else None,
    )
    deletions = [held[key] for key in settlement.restore if key in held and settlement.restore[key] is None]
    changes: list[Change] = []
    after = dict(held)
    # What another host had when it came stays unused for ever, whatever flags it gets later.
    unused = [key for key in wanted if key in held and held[key].tentative and key not in settlement.wrong]
    for key in (*settlement.wrong, *unused):
        wish = wanted[key]
        # An IPv6 address cannot be twice on one interface, so there the old prefix has to go first.
        clash = [
            one
            for one in deletions
            if one.version == 6 and (one.address, one.interface) == (wish.address, wish.interface)
        ]
        for one in clash:
            deletions.remove(one)
            changes.append(_change(DeleteAddress(one)))
            del after[one.key]
        changes += _make_right(held.get(key), wish)
        after[key] = _merged(held.get(key), wish)
    for one in deletions:
        changes.append(_change(DeleteAddress(one)))
        del after[one.key]
    for key, was in settlement.restore.items():
        if was is not None:
            place, _dev, interface = key.partition(" dev ")
            address, _slash, prefix = place.partition("/")
            if interfaces is not None and interface not in interfaces:
                continue
            old = Held(address, int(prefix), interface, was["label"], was["deprecated"])
            if held.get(key) != old:
                changes += _put_back(held.get(key), old)
                after[key] = old
    touched = sorted({change.action.held.key for change in changes if not isinstance(change.action, Announce)})
    return (
        Plan(
            tuple(changes),
            tuple(f"address add {held[key]}" for key in touched if key in held),
            tuple(f"address add {after[key]}" for key in touched if key in after),
        ),
        settlement,
    )


def lost(settlement: Settlement, interfaces: AbstractSet[str]) -> list[str]:
    """What was there before it was ours and cannot be put back, each in a sentence."""
    found = []
    for key, was in settlement.restore.items():
        interface = key.partition(" dev ")[2]
        if was is not None and interface not in interfaces:
            found.append(f"{key} cannot be put back, because {interface} does not exist any more")
    return found


def clashes(wishes: Sequence[Wish], current: Sequence[Held], ledger: Ledger, owner: str, mistakes: Mistakes) -> None:
    """IPv6 addresses that are there with another prefix and are not ours to take away."""
    for position, wish in enumerate(wishes):
        for one in current:
            same = (one.address, one.interface) == (wish.address, wish.interface)
            if same and one.version == 6 and one.prefix != wish.prefix and owner not in ledger.owners(KIND, one.key):
                mistakes.add(
                    f"addresses[{position}].address",
                    f"{one.key} is already there with another prefix length, and IPv6 allows an address only once per "
                    "interface; ask for that prefix length or remove the address first",
                )


def _make_right(now: Held | None, wish: Wish) -> list[Change]:
    target = _merged(now, wish)
    if now is None:
        changes = [_change(SetAddress(target))]
        if wish.announce:
            changes.append(_change(Announce(wish.address, wish.announce)))
        return changes
    changes = _put_back(now, target)
    if now.tentative and wish.announce:
        changes.append(_change(Announce(wish.address, wish.announce)))
    return changes


def _put_back(now: Held | None, target: Held) -> list[Change]:
    if now is None:
        return [_change(SetAddress(target))]
    if now.label != target.label or now.tentative:
        # The kernel never changes a label, nor looks again whether another host has the address.
        return [_change(DeleteAddress(now)), _change(SetAddress(target))]
    return [_change(SetAddress(target, change=True))]


def _merged(now: Held | None, wish: Wish) -> Held:
    if now is None:
        return wish.held
    label = now.label if wish.label is None else wish.label
    deprecated = now.deprecated if wish.deprecated is None else wish.deprecated
    return Held(wish.address, wish.prefix, wish.interface, label, deprecated)


def _change(action: Any) -> Change:
    return Change(str(action), action)
