# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of the model for keepalived and VRRP, checked and normalised. Nothing in here can be wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address, Run


@dataclass(frozen=True)
class Floating:
    """An address besides the VIPs that moves from director to director. ``interface`` None: as its network says."""

    path: str
    address: Address
    prefix: int
    interface: str | None


@dataclass(frozen=True)
class TrackScript:
    """A command whose failure makes the director give way, or takes ``weight`` from its priority."""

    name: str
    script: str
    interval: int
    timeout: int | None
    rise: int
    fall: int
    weight: int
    user: str | None


@dataclass(frozen=True)
class TrackProcess:
    """A process that has to run on the director that is master."""

    name: str
    process: str
    weight: int
    delay: float | None


@dataclass(frozen=True)
class Hmac:
    """The key by which adverts are signed, its number, and what becomes of adverts that are not."""

    key: str = field(repr=False)
    number: int
    mode: str


@dataclass(frozen=True)
class Instance:
    """A VRRP instance as the inventory describes it. None, and no entry: what the topology says, or keepalived itself.

    ``own`` are the settings that were written in the instance; the others are common to all.
    """

    name: str
    path: str
    common_path: str
    own: frozenset[str]
    interface: str | None
    router_id: int
    priority: int | None
    advert_int: float
    version: int | None
    preempt: bool
    preempt_delay: float
    auth_pass: str | None = field(repr=False)
    unicast: bool
    peers: tuple[Address, ...]
    addresses: tuple[Floating, ...]
    vips: tuple[Address, ...]
    garp: tuple[tuple[str, float], ...]
    track_interfaces: tuple[str, ...] | None
    track_scripts: tuple[TrackScript, ...]
    track_processes: tuple[TrackProcess, ...]
    notify: tuple[tuple[str, Run], ...]
    raw: str | None
    smtp_alert: bool | None = None
    unicast_source: Address | None = None
    # What adverts name; none: the lowest address that the instance carries.
    in_adverts: tuple[Address, ...] = ()
    auth_hmac: Hmac | None = None

    def at(self, key: str) -> str:
        return f"{self.path if key in self.own else self.common_path}.{key}"


@dataclass(frozen=True)
class Vrrp:
    """The VRRP instances of a director, and the floating addresses that belong to no particular one.

    ``is_wrong``: something was refused; then what is missing because of that is no mistake of its own.
    """

    instances: tuple[Instance, ...]
    addresses: tuple[Floating, ...]
    sync_group: bool
    is_wrong: bool
    # By name, instances that move together; none where ``sync_group`` says it of all.
    sync_groups: tuple[tuple[str, tuple[str, ...]], ...] = ()
    # By address: how keepalived holds it.
    address_options: tuple[tuple[Address, tuple[tuple[str, Any], ...]], ...] = ()

    @property
    def floating(self) -> tuple[Floating, ...]:
        return (*self.addresses, *(each for instance in self.instances for each in instance.addresses))


@dataclass(frozen=True)
class Keepalived:
    """What concerns the daemon as a whole. ``script_user`` None: nobody was named.

    ``check_marks`` is the first of the firewall marks by which checks go through a VIP.
    """

    router_id: str
    script_user: str | None
    check_marks: int
    global_raw: str | None
    raw: str | None
    mail: tuple[tuple[str, Any], ...] = ()
    plugins: str = "/usr/lib/nagios/plugins"
