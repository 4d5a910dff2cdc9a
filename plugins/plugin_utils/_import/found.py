# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the import found of one director, in the words of the model, with the places that it comes from. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Place, Remarks
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address

# What the model takes where nothing is written.
_DEFAULTS: dict[str, Any] = {
    "protocol": "tcp",
    "scheduler": "wlc",
    "scheduler_flags": [],
    "one_packet": False,
    "quorum": 1,
    "hysteresis": 0,
    "inhibit_on_failure": False,
    "alpha": False,
    "omega": False,
}
_OF_REAL_SERVER: dict[str, Any] = {"weight": 1, "upper_threshold": 0, "lower_threshold": 0}
# In which order a person writes a service.
_ORDER = [
    *["name", "directors", "address", "port", "protocol", "fwmark", "family", "forward"],
    *["marked", "snat_addresses", "helper"],
    *["scheduler", "scheduler_flags", "persistence", "one_packet", "one_way", "health_check"],
    *["quorum", "hysteresis", "quorum_up", "quorum_down"],
    *["inhibit_on_failure", "alpha", "omega", "smtp_alert", "group", "sorry_server", "raw", "real_servers"],
]


@dataclass
class Found:
    """A service: an entry of lvs_services, and where each of its keys stands."""

    entry: dict[str, Any]
    place: Place
    places: dict[str, Place] = field(default_factory=dict)

    @property
    def key(self) -> tuple[Any, ...]:
        """What makes it this service and no other."""
        if "fwmark" in self.entry:
            return "mark", self.entry["family"], self.entry["fwmark"]
        address = self.entry["address"].partition("/")[0]
        return self.entry.get("protocol", "tcp"), ip_address(address), self.entry["port"]

    @property
    def vip(self) -> Address | None:
        address = self.entry.get("address")
        return ip_address(address.partition("/")[0]) if address else None


@dataclass
class Director:
    """One director. ``variables`` are those beside lvs_services."""

    name: str
    place: Place
    services: list[Found] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    # What else a file says of hosts: the other directors' addresses.
    peers: list[Address] = field(default_factory=list)
    # Of services that are there for checks through a VIP: they follow from the others.
    check_marks: frozenset[int] = frozenset()

    @property
    def addresses(self) -> list[str]:
        """Its own ones, of which there may be one of each family."""
        value = self.variables.get("lvs_address")
        return value if isinstance(value, list) else [value] if value else []


def written(entry: dict[str, Any]) -> dict[str, Any]:
    """A service as a person would write it: without the model's defaults, and in order."""
    kept = {key: value for key, value in entry.items() if value is not None and _DEFAULTS.get(key, ...) != value}
    kept["real_servers"] = [
        {key: value for key, value in each.items() if value is not None and _OF_REAL_SERVER.get(key, ...) != value}
        for each in entry["real_servers"]
    ]
    return {key: kept[key] for key in _ORDER if key in kept}


def name_of(entry: dict[str, Any]) -> str:
    """A name for a service that has none: as adopt names those of a table."""
    if "fwmark" in entry:
        return f"mark-{entry['fwmark']}-{entry['family']}"
    return f"{entry.get('protocol') or 'tcp'}-{entry['address'].partition('/')[0]}-{entry['port']}"


def persistence(timeout: int | None, netmask: Any, engine: str | None, family: int) -> dict[str, Any] | None:
    """The persistence of a service; None where it has none."""
    if not timeout:
        return None
    whole = "255.255.255.255" if family == 4 else 128
    found = {"timeout": timeout, "netmask": None if netmask == whole else netmask, "engine": engine}
    return {key: value for key, value in found.items() if value}


def family_name(version: int) -> str:
    return next(name for name, number in forms.FAMILIES.items() if number == version)


def note_open_questions(services: list[Found], remarks: Remarks) -> None:
    """What no configuration of a director says, and has to be decided for a service."""
    for each in services:
        if "fwmark" in each.entry:
            reason = "no file says who sets this mark: with marked the director does it"
            remarks.note(each.place, ["fwmark", str(each.entry["fwmark"])], reason)
        elif each.entry["forward"] == "nat" and each.entry["port"] == 21:
            reason = "no file says whether ip_vs_ftp is loaded: helper: ftp loads it, which FTP through NAT needs"
            remarks.note(each.place, [each.entry["name"]], reason)
