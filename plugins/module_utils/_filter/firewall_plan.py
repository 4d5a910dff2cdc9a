# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host's firewall is to let pass: the kinds of packets, and what of them is the owner's from now on. Pure."""

from __future__ import annotations

import re
from typing import Any, Iterable, Mapping, NamedTuple, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._filter.packets import Packet, protocol_number
from ansible_collections.lvs.topology.plugins.module_utils._filter.verdicts import HOOKS, Ports
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._settle import Settlement, settle, to_let_go

KIND = "firewall"
ICMP = {4: "icmp", 6: "icmpv6"}
WITH_PORTS = ("tcp", "udp", "sctp")
# By number, the protocols that have a name here.
_NAMES = {protocol_number(name): name for name in (*WITH_PORTS, *ICMP.values())}
# What a packet may be to netfilter where it need not begin a connection that netfilter follows.
_ANY_STATE = ("new", "established", "related", "invalid", "untracked")
# States in which a packet need not belong to a connection that netfilter knows.
_LOOSE = ("answer", "half", "closing")
_WORDS = re.compile(
    rf"({'|'.join(HOOKS)}) ipv([46]) ({'|'.join(_NAMES.values())}|\d{{1,3}})"
    r"(?: from (\S+))?(?: at (\d{1,5})(?:-(\d{1,5}))?)?(?: to (\S+))?(?: port (\d{1,5})(?:-(\d{1,5}))?)?"
    r"( of no connection)?",
    re.ASCII,
)


class Opening(NamedTuple):
    """A kind of packet that passes; None: anything. Of ICMP, what says that a packet was too large.

    ``loose``: it may belong to no connection that netfilter knows, so that its state is INVALID. ``stray``: nothing but
    such packets, because a rule of the firewall's own lets all others pass.
    """

    hook: str
    family: int
    protocol: str
    source: str | None = None
    source_ports: tuple[int, int] | None = None
    destination: str | None = None
    ports: tuple[int, int] | None = None
    loose: bool = False
    stray: bool = False

    @property
    def is_icmp(self) -> bool:
        return self.protocol in ICMP.values()

    def packets(self, ports: Ports) -> list[Packet]:
        """Such packets, in the words of the verdicts on them: of a range of ports, all that rules tell apart."""
        source_port, last_source_port = self.source_ports or (None, None)
        port, last_port = self.ports or (None, None)
        packet = Packet(
            hook=self.hook,
            family=self.family,
            protocol=protocol_number(self.protocol),
            source=self.source,
            destination=self.destination,
            source_port=source_port,
            port=port,
        )
        return [
            each._replace(state=state)
            for each in ports.each(packet, last_source_port, last_port)
            for state in (_ANY_STATE if self.loose else ("new",))
        ]


def ports_text(ports: tuple[int, int], dash: str = "-") -> str:
    return str(ports[0]) if ports[0] == ports[1] else f"{ports[0]}{dash}{ports[1]}"


def words(opening: Opening) -> str:
    """The opening in one line, from which opening_of() makes it again: the ledger remembers it so."""
    said = [opening.hook, f"ipv{opening.family}", opening.protocol]
    said += ["from", opening.source] if opening.source else []
    said += ["at", ports_text(opening.source_ports)] if opening.source_ports else []
    said += ["to", opening.destination] if opening.destination else []
    said += ["port", ports_text(opening.ports)] if opening.ports else []
    return " ".join([*said, *(["of no connection"] if opening.loose else [])])


def opening_of(text: str) -> Opening | None:
    """None: no words of an opening."""
    found = _WORDS.fullmatch(text)
    if found is None:
        return None
    first_source, last_source, first, last = (int(found[place] or 0) for place in (5, 6, 8, 9))
    return Opening(
        hook=found[1],
        family=int(found[2]),
        protocol=found[3],
        source=found[4],
        source_ports=(first_source, last_source or first_source) if first_source else None,
        destination=found[7],
        ports=(first, last or first) if first else None,
        loose=bool(found[10]),
    )


def protocol_name(text: str) -> str:
    """A protocol as openings have it, from its name or number."""
    number = protocol_number(text) or text
    return _NAMES.get(number, number)


# What a plan asks for


def opening_for(packet: Mapping[str, Any]) -> Opening:
    """The opening for a packet of a plan, whose form was looked at (filter_questions.read)."""
    protocol = protocol_name(packet["protocol"])
    is_icmp = protocol in ICMP.values()
    return Opening(
        hook=packet["hook"],
        family=packet["family"],
        protocol=protocol,
        source=_spelling(packet.get("source")),
        source_ports=_range(packet, "source_port"),
        destination=_spelling(packet.get("destination")),
        ports=_range(packet, "port"),
        # What IPVS forwards is none of netfilter's connections, and what speaks of it neither.
        loose=packet["hook"] != "input" or packet.get("state") in _LOOSE or is_icmp,
    )


def _spelling(address: str | None) -> str | None:
    return forms.spelling(forms.address(address)) if address else None


def _range(packet: Mapping[str, Any], name: str) -> tuple[int, int] | None:
    first = packet.get(name)
    return (first, packet.get(f"last_{name}") or first) if first else None


def openings(packets: Iterable[Mapping[str, Any]]) -> list[Opening]:
    """Each kind once: of two that differ in nothing but the state of the connection, the loose one."""
    found: dict[Opening, Opening] = {}
    for each in map(opening_for, packets):
        key = each._replace(loose=False)
        found[key] = each if each.loose else found.get(key, each)
    return sorted(found.values(), key=words)


def check(packets: Sequence[Mapping[str, Any]], path: str, mistakes: Mistakes) -> None:
    """What a firewall cannot be told."""
    for position, each in enumerate(packets):
        number = protocol_number(each["protocol"])
        if number is None:
            mistakes.add(f"{path}[{position}].protocol", f"{forms.shown(each['protocol'])} is no protocol of IP")
        elif number == "0":
            # What asks iptables for protocol 0 lets everything pass.
            mistakes.add(f"{path}[{position}].protocol", "0 is every protocol to iptables; name the one that is meant")
        elif (each["port"] or each["source_port"]) and _NAMES.get(number) not in WITH_PORTS:
            mistakes.add(f"{path}[{position}]", f"protocol {each['protocol']} has no ports")


# What the owner's openings are from now on


def plan_openings(
    ledger: Ledger, owner: str, wanted: Sequence[Opening] | None, *, present: bool, purge: bool
) -> tuple[list[Opening], Settlement]:
    """What the owner has open, what an earlier run opened and nobody took back included.

    What the books say is not compared with the firewall here: its adapter does that.
    """
    listed = None if wanted is None else {words(each) for each in wanted}
    asked = dict.fromkeys(sorted(listed or ()), True) if present else {}
    let_go = to_let_go(ledger, KIND, owner, listed, present=present, purge=purge)
    settlement = settle(ledger, KIND, owner, {}, asked, let_go, listed=listed if present else None)
    kept = [*asked, *(key for key in settlement.settled.owned(KIND, owner) if key not in asked)]
    found = [each for each in map(opening_of, sorted(kept)) if each]
    return found, settlement


def claimed(ledger: Ledger) -> list[Opening]:
    """What all owners have open."""
    keys = sorted(key for kind, key in ledger.claims if kind == KIND)
    return [each for each in map(opening_of, keys) if each]
