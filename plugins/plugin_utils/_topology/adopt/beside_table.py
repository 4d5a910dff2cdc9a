# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a service no table says, from what else the director's host has: rules of packet filters and a helper. Pure.

What a rule says for certain is written. Where it may say it or not, that is said, and nothing is written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import merge
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._filter.rewriting_words import HELPERS, Rewriting
from ansible_collections.lvs.topology.plugins.module_utils._net.sysctl_plan import IPVS
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import as_address, as_network

(HELPER,) = HELPERS
_FTP = ("nat", "tcp", 21)
_CONNTRACK = "net.ipv4.vs.conntrack"
# Of net.ipv4.vs, what the kernel takes where nobody says anything. What follows from the machine is not here: the
# length of the queue of the synchronisation daemon, and the processors that count.
_SYSCTLS: Mapping[str, str] = {
    **dict.fromkeys(
        [
            *("backup_only", "cache_bypass", "conntrack", "drop_entry", "drop_packet", "secure_tcp"),
            *("expire_nodest_conn", "expire_quiescent_template", "ignore_tunneled", "nat_icmp_send", "schedule_icmp"),
            *("sloppy_sctp", "sloppy_tcp", "sync_persist_mode", "sync_refresh_period", "sync_retries"),
            *("sync_sock_size", "est_nice"),
        ],
        "0",
    ),
    **dict.fromkeys(
        ["conn_reuse_mode", "pmtu_disc", "run_estimation", "snat_reroute", "sync_ports", "sync_version"], "1"
    ),
    "am_droprate": "10",
    "amemthresh": "1024",
    "lblc_expiration": "86400",
    "lblcr_expiration": "86400",
    "sync_threshold": "3 50",
    "conn_lfactor": "-4",
    "svc_lfactor": "-3",
}
# These change between 1 and 2 by themselves, as long as memory is short.
_AUTOMATIC = ("drop_entry", "drop_packet", "secure_tcp")
# Of programs with a configuration of their own, where that is said.
ELSEWHERE: Mapping[str, str] = {
    "keepalived": "its file has health checks, VRRP and mail. lvs_adopt_from=hosts reads it",
    "ldirectord": "its file has health checks. lvs_adopt_from=hosts reads it",
    "conntrackd": "lvs_conntrackd has a pair with FULLNAT run it",
    "bird": "lvs_bgp has directors announce their VIPs by it",
}
_YES, _MAYBE, _NO = "yes", "maybe", "no"
# Ports, from and to.
_Range = tuple[int, int]


@dataclass(frozen=True)
class Beside:
    """What a host has beside its table, as ipvs_info returns it with the subset host."""

    sysctls: Mapping[str, str]
    helpers: frozenset[str]
    programs: tuple[str, ...]
    marking: tuple[Rewriting, ...]
    translating: tuple[Rewriting, ...]
    unseen: tuple[str, ...]

    def marking_as(self, mark: int) -> Iterator[Rewriting]:
        """The rules that may set a mark. A mark of 0 is one that a rule takes from elsewhere."""
        return self._in_order(self._by_mark.get(mark, ()), self._by_mark.get(0, ()))

    def translating_for(self, vip: Address | None) -> Iterator[Rewriting]:
        """The rules that may mean a connection to a VIP; None: to any."""
        if vip is None:
            return iter(self.translating)
        return self._in_order(self._by_vip.get(vip, ()), self._by_vip.get(None, ()))

    @staticmethod
    def _in_order(*some: Sequence[tuple[int, Rewriting]]) -> Iterator[Rewriting]:
        return (rule for _place, rule in merge(*some, key=lambda each: each[0]))

    @cached_property
    def _by_mark(self) -> Mapping[int, list[tuple[int, Rewriting]]]:
        found: dict[int, list[tuple[int, Rewriting]]] = {}
        for place, rule in enumerate(self.marking):
            found.setdefault(rule.mark, []).append((place, rule))
        return found

    @cached_property
    def _by_vip(self) -> Mapping[Address | None, list[tuple[int, Rewriting]]]:
        found: dict[Address | None, list[tuple[int, Rewriting]]] = {}
        for place, rule in enumerate(self.translating):
            found.setdefault(as_address(rule.vip), []).append((place, rule))
        return found


@dataclass(frozen=True)
class Endpoint:
    """Where a service sends packets. ``port`` is 0 where it stays what it was."""

    address: Address
    port: int


@dataclass(frozen=True)
class Said:
    """What belongs to an entry of lvs_services besides what a table says, and what has to be known or decided of it.

    ``sources`` are those that each real server sees.
    """

    keys: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    sources: Mapping[Address, tuple[Address, ...]] | None = None


def said_of(
    entry: Mapping[str, Any], endpoints: Iterable[Endpoint], beside: Beside, marks: Collection[tuple[int, int]]
) -> Said:
    """What the host says of one service, which is written as NAT where its table has masquerading.

    ``endpoints`` are those real servers that are not the director itself, and ``marks`` those of all services, each
    with its family.
    """
    keys: dict[str, Any] = {}
    notes: list[str] = []
    known = entry
    if "fwmark" in entry:
        keys["marked"], about_marks, is_whole = _marked(entry, beside)
        notes += about_marks
        known = {**entry, "marked": keys["marked"] if is_whole else []}
    sources = None
    # Without it netfilter never sees what IPVS sends.
    if entry["forward"] == "nat" and beside.sysctls.get(_CONNTRACK, "0") != "0":
        vip = None if "fwmark" in entry else as_address(entry["address"].partition("/")[0])
        sources, about_sources = _sources(known, endpoints, [*beside.translating_for(vip)], marks)
        notes += about_sources
    forward = entry["forward"]
    if sources is not None:
        forward = keys["forward"] = "fullnat"
        seen = set(sources.values())
        if len(seen) == 1 and () not in seen:
            keys["snat_addresses"] = [forms.spelling(each) for each in next(iter(seen))]
    if HELPER in beside.helpers and (forward, entry.get("protocol", "tcp"), entry.get("port")) == _FTP:
        keys["helper"] = "ftp"
    return Said({key: value for key, value in keys.items() if value}, tuple(notes), sources)


def of_all(entries: Iterable[Mapping[str, Any]], beside: Beside) -> Iterator[str]:
    """What is to be said of the host once, and of no single service."""
    entries = list(entries)
    if HELPER in beside.helpers and not any(each.get("helper") == "ftp" for each in entries):
        yield (
            f"{HELPER} is loaded, and there is no service for which the model loads it (helper: ftp, with nat and tcp "
            f"port 21): put {HELPER} into a file of yours in /etc/modules-load.d where it is needed after a boot"
        )
    if any("fwmark" in each or each["forward"] in ("nat", "fullnat") for each in entries):
        yield from (f"not looked at: {each}" for each in beside.unseen)


def changed_sysctls(beside: Beside) -> dict[str, int | str]:
    """Those below net.ipv4.vs that are not what the kernel takes by itself."""
    found: dict[str, int | str] = {}
    for name, default in _SYSCTLS.items():
        value = beside.sysctls.get(IPVS + name, default)
        if name in _AUTOMATIC and value == "2":
            value = "1"
        if value != default:
            number = forms.integer(value)
            found[IPVS + name] = value if number is None else number
    return found


# Marks


def _marked(entry: Mapping[str, Any], beside: Beside) -> tuple[list[dict[str, Any]], list[str], bool]:
    """The packets that get the mark of a service, what is to be said of that, and whether these are all of them."""
    mark, family = entry["fwmark"], forms.FAMILIES[entry["family"]]
    concerned = [each for each in beside.marking_as(mark) if each.family in (family, 0)]
    found: dict[tuple[str, str], list[_Range]] = {}
    notes = []
    is_whole = True
    for rule in concerned:
        address = as_address(rule.destination)
        if not (rule.mark and rule.is_plain and address and rule.protocol and address.version == family):
            notes.append(
                f"{rule.rule} {'sets the mark' if rule.mark else 'may set the mark'} in a way that marked cannot say. "
                "Without marked, that rule goes on doing it"
            )
            is_whole = False
            continue
        ranges = found.setdefault((rule.protocol, forms.spelling(address)), [])
        ranges += [_range(each) for each in rule.ports] or [(forms.REAL_PORTS.low, forms.REAL_PORTS.high)]
        if not rule.is_ours:
            notes.append(
                f"{rule.rule} is somebody else's, and says what marked says. site puts its own rule beside it. Take "
                "that one out afterwards, also where it comes back from at boot"
            )
    if not concerned:
        where = "that was read" if beside.unseen else "here"
        notes.append(
            f"no rule of a packet filter {where} sets the mark. Say by marked which packets carry it, and the director "
            "sets it; without marked somebody else does"
        )
    marked = [
        {"address": address}
        | ({} if protocol == "tcp" else {"protocol": protocol})
        | ({} if (ports := _ports(ranges)) is None else {"ports": ports})
        for (protocol, address), ranges in found.items()
    ]
    return marked, notes, is_whole and bool(found)


def _range(ports: str) -> _Range:
    first, _dash, last = ports.partition("-")
    return int(first), int(last or first)


def _ports(ranges: Iterable[_Range]) -> list[Any] | None:
    """Each port once, in order; None: all of them."""
    found: list[_Range] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1]:
            found[-1] = found[-1][0], max(last, found[-1][1])
        else:
            found.append((first, last))
    if found == [(forms.REAL_PORTS.low, forms.REAL_PORTS.high)]:
        return None
    return [first if first == last else f"{first}-{last}" for first, last in found]


# Sources


def _sources(
    entry: Mapping[str, Any], endpoints: Iterable[Endpoint], rules: Sequence[Rewriting], marks: Collection[Any]
) -> tuple[dict[Address, tuple[Address, ...]] | None, list[str]]:
    """What real servers see as their client; None where that is not known, or the client itself."""
    sources: dict[Address, tuple[Address, ...]] = {}
    open_questions: list[str] = []
    notes: list[str] = []
    see_clients: list[str] = []
    for each in endpoints:
        verdict, rule = _first(entry, each, rules, marks)
        if rule is None:
            see_clients.append(str(each.address))
            continue
        if verdict == _MAYBE:
            open_questions.append(
                f"{rule.rule} may change the source of what goes to {each.address}, by what is not known here. nat is "
                "written: write fullnat where it does"
            )
            continue
        sources[each.address] = tuple(filter(None, map(as_address, rule.to)))
        if not rule.is_ours:
            notes.append(
                f"{rule.rule} is somebody else's, and makes fullnat of it, which is written. The rules of the model "
                "come before it"
            )
        if not rule.to:
            notes.append(
                "that rule leaves to the kernel which address real servers see. fullnat takes the director's address "
                "towards them, or snat_addresses"
            )
    if sources and see_clients and not open_questions:
        open_questions.append(
            f"{', '.join(see_clients)} see clients, and {', '.join(map(str, sources))} an address of the director. nat "
            "is written: a service has one method"
        )
    if open_questions:
        return None, list(dict.fromkeys(open_questions))
    return sources or None, list(dict.fromkeys(notes))


def _first(
    entry: Mapping[str, Any], endpoint: Endpoint, rules: Iterable[Rewriting], marks: Collection[Any]
) -> tuple[str, Rewriting | None]:
    """The rule that a connection meets first."""
    for rule in rules:
        verdict = _meets(entry, endpoint, rule, marks)
        if verdict != _NO:
            return verdict, rule
    return _NO, None


def _meets(entry: Mapping[str, Any], endpoint: Endpoint, rule: Rewriting, marks: Collection[Any]) -> str:
    """Whether connections of a service to one of its real servers meet a rule."""
    verdicts = {*_asked(entry, endpoint, rule, marks)}
    if _NO in verdicts:
        return _NO
    return _MAYBE if _MAYBE in verdicts or not rule.is_plain else _YES


def _asked(entry: Mapping[str, Any], endpoint: Endpoint, rule: Rewriting, marks: Collection[Any]) -> Iterator[str]:
    yield _is(rule.family in (0, endpoint.address.version))
    if rule.destination:
        network = as_network(rule.destination)
        yield _is(network is not None and endpoint.address in network)
    if rule.ports:
        within = any(first <= endpoint.port <= last for first, last in map(_range, rule.ports))
        yield _is(within) if endpoint.port else _MAYBE
    if "fwmark" in entry:
        if rule.asked_mark:
            yield _is(rule.asked_mark == entry["fwmark"])
        if rule.vip or rule.vport or rule.protocol:
            # Where it is known which packets carry the mark, none of them may be meant.
            marked = entry.get("marked")
            yield _NO if marked and not any(_may_be(rule, each) for each in marked) else _MAYBE
        return
    if rule.asked_mark:
        # What carries the mark of a service goes there.
        yield _NO if (rule.asked_mark, endpoint.address.version) in marks else _MAYBE
    if rule.protocol:
        yield _is(rule.protocol == entry.get("protocol", "tcp"))
    if rule.vip:
        address = entry["address"].partition("/")[0]
        yield _is(as_address(rule.vip) == as_address(address))
    if rule.vport:
        yield _is(rule.vport == entry["port"]) if entry["port"] else _MAYBE


def _may_be(rule: Rewriting, marked: Mapping[str, Any]) -> bool:
    """Whether a rule may mean connections of packets that carry a mark."""
    ports = [_range(str(each)) for each in marked.get("ports", ())]
    return (
        rule.vip in ("", marked["address"])
        and rule.protocol in ("", marked.get("protocol", "tcp"))
        and (not rule.vport or not ports or any(first <= rule.vport <= last for first, last in ports))
    )


def _is(holds: bool) -> str:
    return _YES if holds else _NO
