# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Any service, real server, table and daemon that the kernel may hold."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    Daemon,
    Destination,
    DestinationKey,
    Entry,
    Service,
    ServiceKey,
    family_of,
)
from hypothesis import strategies as st

# Unicast, and not of the loopback network, whose broadcast address the kernel refuses.
_V4_NUMBERS = st.one_of(st.integers(0x01000000, 0x7EFFFFFF), st.integers(0x80000000, 0xDFFFFFFF))
V4 = _V4_NUMBERS.map(lambda number: str(ipaddress.IPv4Address(number)))
V6 = st.integers(2**125, 2**125 + 2**124).map(lambda number: str(ipaddress.IPv6Address(number)))
PORT = st.integers(0, 65535)
FLAGS = st.frozensets(st.sampled_from(["flag-1", "flag-2", "flag-3"]))
SCHEDULER = st.sampled_from(["rr", "wlc", "sh", "mh", "none", "quite_long_name"])


@st.composite
def keys(draw) -> ServiceKey:
    family = draw(st.sampled_from(["ipv4", "ipv6"]))
    if draw(st.booleans()):
        return ServiceKey(family, fwmark=draw(st.integers(1, 2**32 - 1)))
    protocol = draw(st.sampled_from(["tcp", "udp", "sctp"]))
    return ServiceKey(family, protocol, draw(V4 if family == "ipv4" else V6), draw(PORT))


@st.composite
def services(draw, key=None) -> Service:
    key = key or draw(keys())
    timeout = draw(st.integers(0, 2678400))
    full, masks = (2**32 - 1, st.integers(0, 2**32 - 1)) if key.family == "ipv4" else (128, st.integers(1, 128))
    return Service(
        key=key,
        scheduler=draw(SCHEDULER),
        flags=draw(FLAGS),
        one_packet=draw(st.booleans()),
        timeout=timeout,
        netmask=draw(masks) if timeout else full,
        engine=draw(st.sampled_from(["", "sip"])),
    )


@st.composite
def destinations(draw) -> Destination:
    forward = draw(st.sampled_from(["nat", "dr", "tun"]))
    tunnel = draw(st.sampled_from(["ipip", "gue", "gre"])) if forward == "tun" else "ipip"
    checksums = {"ipip": ["none"], "gre": ["none", "on"], "gue": ["none", "on", "remote"]}[tunnel]
    return Destination(
        key=DestinationKey(draw(st.one_of(V4, V6)), draw(PORT)),
        forward=forward,
        weight=draw(st.integers(0, 2**31 - 1)),
        upper=draw(st.integers(0, 65535)),
        lower=draw(st.integers(0, 65535)),
        tunnel=tunnel,
        tunnel_port=draw(st.integers(1, 65535)) if tunnel == "gue" else 0,
        checksum=draw(st.sampled_from(checksums)),
    )


# Few of them, so that two tables have some in common.
FEW_KEYS = st.one_of(st.sampled_from([ServiceKey("ipv4", "udp", "10.0.0.1", port) for port in (0, 1, 2)]), keys())
FEW_REAL = st.sampled_from([DestinationKey(f"10.0.0.{last}", 1) for last in range(2, 6)])


@st.composite
def tables(draw):
    table = {}
    for key in draw(st.lists(FEW_KEYS, max_size=4, unique=True)):
        few = st.builds(lambda real, other: replace(other, key=real), FEW_REAL, destinations())
        real = draw(st.lists(st.one_of(few, destinations()), max_size=4, unique_by=lambda each: each.key))
        table[key] = Entry(draw(services(key)), {each.key: each for each in real})
    return table


def _accepted(entry: Entry) -> Entry:
    """The nearest service that ipvsadm would take."""
    key = entry.service.key
    service = replace(
        entry.service,
        timeout=entry.service.timeout or int(not key.port and not key.fwmark),
        one_packet=entry.service.one_packet and (bool(key.fwmark) or key.protocol == "udp"),
        engine=entry.service.engine if entry.service.timeout else "",
    )
    found = {}
    for each in entry.destinations.values():
        there = replace(each, lower=min(each.lower, each.upper))
        if family_of(each.key.address) != key.family and each.forward != "tun":
            there = replace(there, forward="tun")
        if there.forward != "nat" and not key.fwmark:
            there = replace(there, key=DestinationKey(each.key.address, key.port))
        found[there.key] = there
    return Entry(service, found)


def accepted_tables():
    """Tables that may be asked for."""
    return tables().map(lambda table: {key: _accepted(entry) for key, entry in table.items()})


KERNEL_SCHEDULERS = st.sampled_from(
    ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh"]
)


@st.composite
def kernel_tables(draw):
    """Tables that the kernel takes from ipvsadm as well."""
    table = {}
    for key, entry in draw(accepted_tables()).items():
        service = replace(entry.service, scheduler=draw(KERNEL_SCHEDULERS))
        if service.netmask == 0:
            service = replace(service, netmask=2**32 - 1)
        if service.engine and key.protocol != "udp":
            service = replace(service, engine="")
        table[key] = Entry(service, dict(entry.destinations))
    return table


@st.composite
def daemons(draw) -> Daemon:
    return Daemon(
        state=draw(st.sampled_from(["master", "backup"])),
        interface=draw(st.text("abcdefghijklmnopqrstuvwxyz0123456789.-", min_size=1, max_size=15)),
        syncid=draw(st.integers(0, 255)),
        maxlen=draw(st.integers(1, 65507)),
        group=draw(st.one_of(st.just("224.0.0.81"), st.just("ff02::81"))),
        port=draw(st.integers(1, 65535)),
        ttl=draw(st.integers(1, 255)),
    )
