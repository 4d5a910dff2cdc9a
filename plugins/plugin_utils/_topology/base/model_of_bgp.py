# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of the model for BGP, checked and normalised. Nothing in here can be wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address, Network


@dataclass(frozen=True)
class Bfd:
    """How fast a neighbour is missed: a packet in so many milliseconds, and how many may be missing."""

    interval: int
    multiplier: int


@dataclass(frozen=True)
class BgpNeighbour:
    """A router to which a director announces its VIPs, or a director from which a router takes them.

    ``multihop`` is 0 for a neighbour on the own segment.
    """

    path: str
    address: Address
    asn: int
    password: str | None = field(repr=False)
    bfd: Bfd | None
    multihop: int


@dataclass(frozen=True)
class Aggregate:
    """A prefix that is announced as long as a VIP in it is.

    ``summary_only``: the VIPs in it are not announced besides. ``communities``: None: those of everything else.
    """

    path: str
    prefix: Network
    summary_only: bool = False
    communities: tuple[tuple[int, ...], ...] | None = None


@dataclass(frozen=True)
class Bgp:
    """How VIPs are announced to routers. ``is_elsewhere``: by something that is none of ours; then all else is empty.

    ``communities`` are numbers, two or three each. ``graceful_shutdown``: for how many seconds routers are told that a
    director is going, before its sessions end. ``is_wrong``: something was refused.
    """

    path: str
    is_elsewhere: bool = False
    asn: int = 0
    router_id: Address | None = None
    neighbours: tuple[BgpNeighbour, ...] = ()
    hold_time: int = 9
    communities: tuple[tuple[int, ...], ...] = ()
    aggregates: tuple[Aggregate, ...] = ()
    med: int | None = None
    table: int = 1819
    graceful_shutdown: int = 0
    raw: str | None = field(default=None, repr=False)
    is_wrong: bool = False
