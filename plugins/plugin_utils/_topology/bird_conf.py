# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""bird.conf of a director or router, as text. Every value has its form, so that none can say anything else there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.model import Address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.model_of_bgp import Bgp, BgpNeighbour
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.values import full_prefix

# RFC 8326: who announces this is going, and whoever hears it chooses another way where there is one.
_GRACEFUL_SHUTDOWN = "(65535, 0)"


def rendered(bgp: Bgp, vips: Sequence[Address], *, announces: bool) -> str:
    """``announces``: whether the host announces these VIPs, or takes them from its neighbours."""
    families = sorted({each.version for each in (*vips, *(neighbour.address for neighbour in bgp.neighbours))})
    lines = [
        "# Managed by lvs.topology. Changes are overwritten.",
        "log syslog all;",
        f"router id {bgp.router_id};",
        "",
        "protocol device {",
        "}",
    ]
    if any(each.bfd for each in bgp.neighbours):
        lines += ["", "protocol bfd {", "}"]
    for family in families:
        lines += _family(bgp, family, [each for each in vips if each.version == family], announces=announces)
    for each in bgp.neighbours:
        lines += _session(bgp, each, announces=announces)
    if bgp.raw:
        lines += ["", *bgp.raw.rstrip().splitlines()]
    return "\n".join(lines) + "\n"


def _family(bgp: Bgp, family: int, vips: Sequence[Address], *, announces: bool) -> Iterator[str]:
    yield from ("", f"ipv{family} table lvs{family};", "")
    yield f"filter lvs_vips{family} {{"
    if vips:
        listed = ", ".join(f"{each}/{full_prefix(each)}" for each in vips)
        yield f"    if ! (net ~ [ {listed} ]) then reject;"
        if announces:
            yield from _announced(bgp)
        else:
            yield f"    if {_GRACEFUL_SHUTDOWN} ~ bgp_community then bgp_local_pref = 0;"
        yield "    accept;"
    else:
        yield "    reject;"
    yield "}"
    if announces:
        yield f"# A VIP is announced as long as the kernel's table {bgp.table} has a route of it: not at boot."
    yield f"protocol kernel lvs_routes{family} {{"
    if announces:
        yield from (f"    kernel table {bgp.table};", "    learn;")
    else:
        yield "    merge paths;"
    # A route that leads somewhere is none of ours, and nobody looks at it.
    learned = "dest ~ [ RTD_BLACKHOLE, RTD_PROHIBIT ]" if bgp.graceful_shutdown else "dest = RTD_BLACKHOLE"
    imported, exported = (f"where {learned}", "none") if announces else ("none", "all")
    yield from ("    scan time 10;", f"    ipv{family} {{")
    yield from (f"        table lvs{family};", f"        import {imported};", f"        export {exported};", "    };")
    yield "}"


def _announced(bgp: Bgp) -> Iterator[str]:
    if bgp.med is not None:
        yield f"    bgp_med = {bgp.med};"
    for each in bgp.communities:
        kind = "bgp_community" if len(each) == 2 else "bgp_large_community"
        yield f"    {kind}.add(({', '.join(map(str, each))}));"
    if bgp.graceful_shutdown:
        yield f"    if dest = RTD_PROHIBIT then bgp_community.add({_GRACEFUL_SHUTDOWN});"


def _session(bgp: Bgp, each: BgpNeighbour, *, announces: bool) -> Iterator[str]:
    family = each.address.version
    yield from ("", f"protocol bgp {name_of(each)} {{")
    yield f"    local as {bgp.asn};"
    yield f"    neighbor {each.address} as {each.asn};"
    yield f"    multihop {each.multihop};" if each.multihop else "    direct;"
    yield f"    hold time {bgp.hold_time};"
    # One that comes back is heard of soon.
    yield from ("    connect delay time 1;", "    connect retry time 5;", "    error wait time 1, 10;")
    if each.password:
        yield f'    password "{each.password}";'
    if each.bfd:
        yield "    bfd {"
        yield from (f"        min {way} interval {each.bfd.interval} ms;" for way in ("rx", "tx"))
        yield from (f"        multiplier {each.bfd.multiplier};", "    };")
    imported, exported = ("none", f"filter lvs_vips{family}") if announces else (f"filter lvs_vips{family}", "none")
    yield from (f"    ipv{family} {{", f"        table lvs{family};", f"        import {imported};")
    yield from (f"        export {exported};", "        next hop self;", "    };", "}")


def name_of(each: BgpNeighbour) -> str:
    """What BIRD calls the session: the same as long as the neighbour has its address."""
    address = "".join(letter if letter.isalnum() else "_" for letter in str(each.address))
    return f"lvs{each.address.version}_{address}"
