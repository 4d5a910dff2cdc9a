# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts answered, checked before it is used or shown: tables as ipvs_info returns them, and listings.

A host may be broken, or not honest. A word that is none of the known ones, or no address, is refused with the place
where it stands, and reaches neither a report nor a file that is written from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._filter.rewriting_words import (
    HELPERS,
    MARKS,
    PROGRAMS,
    TRANSLATES,
    Rewriting,
)
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    FORWARD_METHODS,
    FULL_MASK,
    SCHEDULER_FLAG_BITS,
)
from ansible_collections.lvs.topology.plugins.module_utils._net.sysctl_plan import IPVS, IPVS_NAMES
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.adopt.beside_table import Beside
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.given import shown
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake, WrongModel, show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import Reader, as_address, as_network

# What fits into the kernel's fields, which is more than a task may ask for.
_NUMBERS = forms.Range(0, 2**32 - 1)
_COUNTS = forms.Range(0, 2**63 - 1)
_WEIGHTS = forms.Range(-(2**31), 2**31 - 1)
_FLAGS = (*(flag for flags in forms.FLAGS_OF_SCHEDULER.values() for flag in flags), *SCHEDULER_FLAG_BITS)
_SYSCTL = re.compile(r"[0-9, -]{0,200}")
_PORTS_OF_RULE = re.compile(r"[0-9]{1,5}(?:-[0-9]{1,5})?")
_REMEDY = "pass on what lvs.topology.ipvs_info returned"
# The variable of a loop over listings, in each of its results.
DRAINED_AS = "director_listing"


class _Answer(Reader):
    """What a module returned: it says null of what there is not."""

    def has(self, key: str) -> bool:
        return super().has(key) and self.take(key) is not None

    @property
    def whole(self) -> Mapping[str, Any]:
        """All that it returned, for what is only handed on."""
        return self._raw


def read_infos(infos: Any) -> dict[str, dict[str, Any]]:
    """By director, what ipvs_info returned there; WrongModel where that cannot be."""
    if not isinstance(infos, Mapping):
        raise WrongModel([Mistake("infos", f"must be a mapping by director, is {show(infos)}", _REMEDY)])
    return {str(director): read_info(info, f"infos.{forms.word(director)}") for director, info in infos.items()}


def read_info(info: Any, path: str) -> dict[str, Any]:
    """What ipvs_info returned on one director."""
    mistakes: list[Mistake] = []
    if not isinstance(info, Mapping):
        raise WrongModel([Mistake(path, f"must be a mapping, is {show(info)}", _REMEDY)])
    reader = _Answer(info, path, mistakes)
    if reader.take("services") is None:
        reader.refuse("services", "is missing", _REMEDY)
    found = {
        "services": [_service(each) for each in _mappings(reader, "services")],
        "table_size": reader.integer("table_size", *_COUNTS, default=0),
        "timeouts": _counts(reader, "timeouts"),
        "daemons": [_daemon(each) for each in _mappings(reader, "daemons")],
        "beside": _beside(_inner(reader, "host")) if reader.has("host") else None,
    }
    if mistakes:
        raise WrongModel(mistakes)
    return found


def read_listings(found: Any) -> list[dict[str, Any]]:
    """What the filter listings returned, as far as it says who is listed where, and by which type of check."""
    mistakes: list[Mistake] = []
    read = []
    for reader in _mappings(_Answer({"listings": found}, "left_empty", mistakes), "listings"):
        service, real_server = (_inner(reader, key) for key in ("service", "real_server"))
        read.append(
            {
                "host": _text(reader, "host"),
                "director": _text(reader, "director"),
                "service": _key(service),
                "real_server": _endpoint(real_server),
                "check": _inner(reader, "check").take("type"),
            }
        )
    if mistakes:
        raise WrongModel(mistakes)
    return read


def read_tables_asked(given: Any) -> dict[str, str | None]:
    """What ipvs_info returned in a loop over directors as ``director_name``: by director, why its table was not read.

    That is an empty text where it was, and None where the director did not answer.
    """
    mistakes: list[Mistake] = []
    found: dict[str, str | None] = {}
    for reader in _mappings(_Answer({"results": shown(given, "results")}, "silent_directors", mistakes), "results"):
        said = reader.take("msg")
        problem = (
            None if reader.has("unreachable") else said if isinstance(said, str) and said else "no reason is given"
        )
        found[_text(reader, "director_name")] = "" if reader.has("services") else problem
    if mistakes:
        raise WrongModel(mistakes)
    return found


class Return(NamedTuple):
    """A listing, and what says with which weight its real server comes back."""

    listing: Mapping[str, Any]
    real_server: Mapping[str, Any]
    model: int
    has_keepalived: bool
    # Where it was drained: the weight before, or None where there was no entry, and whether the task came to say so.
    was_drained: bool
    former: int | None
    is_known: bool
    name: str
    director: str


def read_returns(given: Any) -> list[Return]:
    """Listings, or what a task returned that drained each of them as ``director_listing``."""
    mistakes: list[Mistake] = []
    found = []
    for reader in _mappings(_Answer({"listings": given}, "weights_back", mistakes), "listings"):
        was_drained = reader.has(DRAINED_AS)
        listing = _inner(reader, DRAINED_AS) if was_drained else reader
        real_server = _inner(listing, "real_server")
        found.append(
            Return(
                listing=listing.whole,
                real_server=real_server.whole,
                model=real_server.integer("weight", *forms.WEIGHTS, default=0),
                has_keepalived=listing.choice("manager", ("kernel", "keepalived"), "kernel") == "keepalived",
                was_drained=was_drained,
                former=reader.integer("former_weight", *_WEIGHTS, default=0) if reader.has("former_weight") else None,
                is_known="former_weight" in reader.whole,
                name=_text(listing, "name"),
                director=_text(listing, "director"),
            )
        )
    if mistakes:
        raise WrongModel(mistakes)
    return found


def _mappings(reader: Reader, key: str) -> list[_Answer]:
    """The elements of a list of mappings."""
    found: list[_Answer] = []
    for position, each in enumerate(reader.elements(key, "mappings")):
        at = f"{key}[{position}]"
        if isinstance(each, Mapping):
            found.append(_Answer(each, reader.at(at), reader.mistakes))
        else:
            reader.refuse(at, f"must be a mapping, is {show(each)}", _REMEDY)
    return found


def _inner(reader: Reader, key: str) -> _Answer:
    return _Answer(reader.mapping(key, "a mapping") or {}, reader.at(key), reader.mistakes)


def _service(reader: Reader) -> dict[str, Any]:
    key = _key(reader)
    family = key.get("family") or ("ipv6" if ":" in key["address"] else "ipv4")
    scheduler = reader.take("scheduler")
    if scheduler is not None and not forms.is_part_of_module(scheduler):
        reader.refuse("scheduler", f"{show(scheduler)} is no name of a scheduler", _REMEDY)
        scheduler = None
    flags = reader.elements("scheduler_flags", "flags")
    if not all(flag in _FLAGS for flag in flags):
        reader.refuse("scheduler_flags", "has a flag that no scheduler has", _REMEDY)
    return {
        **key,
        "family": family,
        "scheduler": scheduler or forms.DEFAULT_SCHEDULER,
        "scheduler_flags": flags,
        "one_packet": reader.boolean("one_packet", default=False),
        "persistence": _persistence(_inner(reader, "persistence"), family),
        "real_servers": [_real_server(each) for each in _mappings(reader, "real_servers")],
    }


def _key(reader: Reader) -> dict[str, Any]:
    """What says which service it is: a mark and a family, or protocol, address and port."""
    if reader.take("fwmark") is not None:
        return {
            "fwmark": reader.integer("fwmark", *forms.FIREWALL_MARKS, default=1),
            "family": reader.choice("family", forms.FAMILIES, "ipv4"),
        }
    return {**_endpoint(reader), "protocol": reader.choice("protocol", forms.PROTOCOLS, forms.PROTOCOLS[0])}


def _endpoint(reader: Reader) -> dict[str, Any]:
    raw = reader.take("address")
    address = as_address(raw)
    if address is None:
        reader.refuse("address", f"{show(raw)} is no IP address", _REMEDY)
    return {
        "address": forms.spelling(address) if address else "",
        "port": reader.integer("port", *forms.PORTS, default=0),
    }


def _persistence(reader: Reader, family: str) -> dict[str, Any]:
    netmask = reader.take("netmask")
    if family == "ipv6":
        netmask = reader.integer("netmask", 0, FULL_MASK["ipv6"], default=FULL_MASK["ipv6"])
    elif netmask is None or as_address(netmask) is None:
        if netmask is not None:
            reader.refuse("netmask", f"{show(netmask)} is no netmask", _REMEDY)
        netmask = "255.255.255.255"
    engine = reader.take("engine")
    if engine is not None and not forms.is_part_of_module(engine):
        reader.refuse("engine", f"{show(engine)} is no name of a persistence engine", _REMEDY)
    return {
        "timeout": reader.integer("timeout", *_NUMBERS, default=0),
        "netmask": netmask,
        "engine": engine or "none",
    }


def _real_server(reader: Reader) -> dict[str, Any]:
    tunnel = reader.mapping("tunnel", "a mapping")
    inner = _inner(reader, "tunnel")
    return {
        **_endpoint(reader),
        "forward": reader.choice("forward", FORWARD_METHODS, "dr"),
        "weight": reader.integer("weight", *_WEIGHTS, default=0),
        "upper_threshold": reader.integer("upper_threshold", *_NUMBERS, default=0),
        "lower_threshold": reader.integer("lower_threshold", *_NUMBERS, default=0),
        "tunnel": None
        if tunnel is None
        else {
            "type": inner.choice("type", forms.TUNNEL_CHECKSUMS, "ipip"),
            "port": inner.integer("port", *forms.PORTS, default=0),
            "checksum": inner.choice("checksum", forms.TUNNEL_CHECKSUMS["gue"], "none"),
        },
        "connections": _counts(reader, "connections"),
    }


def _counts(reader: Reader, key: str) -> dict[str, int]:
    inner = _inner(reader, key)
    names = [name for name in reader.mapping(key, "a mapping") or {} if forms.is_part_of_module(name)]
    return {name: inner.integer(name, *_COUNTS, default=0) for name in names}


def _daemon(reader: Reader) -> dict[str, Any]:
    raw = reader.take("group")
    group = as_address(raw)
    if raw is not None and group is None:
        reader.refuse("group", f"{show(raw)} is no IP address", _REMEDY)
    interface = reader.take("interface")
    if interface is not None and not forms.is_interface(interface):
        reader.refuse("interface", f"{show(interface)} is no name of an interface", _REMEDY)
    return {
        "state": reader.choice("state", forms.DAEMON_STATES, forms.DAEMON_STATES[0]),
        "interface": interface,
        "syncid": reader.integer("syncid", *_NUMBERS, default=0),
        "group": forms.spelling(group) if group else forms.DEFAULT_GROUP,
        "port": reader.integer("port", *forms.PORTS, default=forms.DEFAULT_SYNC_PORT),
        "maxlen": reader.integer("maxlen", *forms.PORTS, default=0),
        "ttl": reader.integer("ttl", *forms.TTLS, default=forms.DEFAULT_TTL),
    }


def _beside(reader: Reader) -> Beside:
    """Names that are not known here are of no interest, or no names."""
    sysctls = reader.mapping("sysctls", "a mapping") or {}
    values = {key: value for key, value in sysctls.items() if isinstance(value, str) and _SYSCTL.fullmatch(value)}
    helpers, programs = (reader.elements(key, "names") for key in ("helpers", "programs"))
    return Beside(
        sysctls={IPVS + name: values[IPVS + name] for name in IPVS_NAMES if IPVS + name in values},
        helpers=frozenset(each for each in HELPERS if each in helpers),
        programs=tuple(each for each in PROGRAMS if each in programs),
        marking=tuple(_rewriting(MARKS, each) for each in _mappings(reader, "marking_rules")),
        translating=tuple(_rewriting(TRANSLATES, each) for each in _mappings(reader, "translating_rules")),
        unseen=tuple(forms.word(each) for each in reader.elements("unseen", "lines") if isinstance(each, str)),
    )


def _rewriting(does: str, reader: Reader) -> Rewriting:
    destination, vip = (reader.take(key) or "" for key in ("destination", "vip"))
    for key, value in {"destination": destination, "vip": vip}.items():
        if value and as_network(value) is None:
            reader.refuse(key, f"{show(value)} is no network", _REMEDY)
    ports, to = (reader.elements(key, "values") for key in ("ports", "to"))
    if not all(isinstance(each, str) and _PORTS_OF_RULE.fullmatch(each) for each in ports):
        reader.refuse("ports", "has what is no port", _REMEDY)
    if not all(as_address(each) for each in to):
        reader.refuse("to", "has what is no address", _REMEDY)
    return Rewriting(
        does,
        forms.shown(reader.take("rule")),
        is_plain=reader.boolean("is_plain", default=False),
        is_ours=reader.boolean("is_ours", default=False),
        family=reader.integer("family", 0, 6, default=0),
        destination=destination,
        vip=vip,
        protocol=reader.choice("protocol", ("", *forms.PROTOCOLS), ""),
        ports=tuple(ports),
        vport=reader.integer("vport", *forms.PORTS, default=0),
        asked_mark=reader.integer("asked_mark", *_NUMBERS, default=0),
        mark=reader.integer("mark", *_NUMBERS, default=0),
        to=tuple(to),
    )


def _text(reader: Reader, key: str) -> str:
    value = reader.take(key)
    if not isinstance(value, str):
        reader.refuse(key, f"{show(value)} is no name of a host", _REMEDY)
        return ""
    return value
