# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""bird.conf of a director or router, as text. Every value has its form, so that none can say anything else there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address, Network
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model_of_bgp import (
    Aggregate,
    Bgp,
    BgpNeighbour,
)

# RFC 8326: who announces this is going, and whoever hears it chooses another way where there is one.
_GRACEFUL_SHUTDOWN = "(65535, 0)"
# BIRD wants the same of all kernel's tables.
_SCAN = "scan time 10;"
_LENGTHS = {4: 32, 6: 128}
# Every other route that leads there is preferred: one of a network that the host is in, say.
_LAST_METRIC = 2**32 - 1
_REMARK = re.compile(r"#[^\n]*|/\*.*?\*/", re.DOTALL)
# What a file that is included has is not known here.
_KERNEL = re.compile(r"\bprotocol\s+kernel\b|\binclude\b")
_Aggregates = Mapping[Aggregate, Sequence[Address]]


def rendered(bgp: Bgp, prefixes: Sequence[Network], aggregates: _Aggregates, *, announces: bool) -> str:
    """``announces``: whether the host announces these prefixes, or takes them from its neighbours.

    ``aggregates`` are those of a director among the prefixes, each with the VIPs as long as one of which is announced.
    """
    families = sorted({each.version for each in (*prefixes, *(neighbour.address for neighbour in bgp.neighbours))})
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
        listed = [each for each in prefixes if each.version == family]
        covering = {each: vips for each, vips in aggregates.items() if each.prefix.version == family}
        lines += _family(bgp, family, listed, covering, announces=announces)
        if covering:
            lines += _aggregates(bgp, family, covering)
            lines += [] if has_kernel(bgp) else _ends(family, covering)
    for each in bgp.neighbours:
        lines += _session(bgp, each, announces=announces)
    if bgp.raw:
        lines += ["", *bgp.raw.rstrip().splitlines()]
    return "\n".join(lines) + "\n"


def has_kernel(bgp: Bgp) -> bool:
    """Whether somebody's own lines have a protocol kernel, of which BIRD takes one for each table of the kernel."""
    return bool(_KERNEL.search(_REMARK.sub("", bgp.raw or "")))


def _family(
    bgp: Bgp, family: int, prefixes: Sequence[Network], covering: _Aggregates, *, announces: bool
) -> Iterator[str]:
    yield from ("", f"ipv{family} table lvs{family};", "")
    yield f"filter lvs_vips{family} {{"
    if prefixes:
        yield f"    if ! (net ~ {_set(prefixes)}) then reject;"
        if announces:
            yield from _announced(bgp, list(covering))
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
    learned = f"{_leads_nowhere(bgp)} && net.len = {_LENGTHS[family]}" if covering else _leads_nowhere(bgp)
    imported, exported = (f"where {learned}", "none") if announces else ("none", "all")
    yield from (f"    {_SCAN}", *_channel(family, f"lvs{family}", imported, exported), "}")


def _set(prefixes: Sequence[Network]) -> str:
    return f"[ {', '.join(map(str, prefixes))} ]"


def _leads_nowhere(bgp: Bgp) -> str:
    """The condition on routes that say that a VIP is announced."""
    return "dest ~ [ RTD_BLACKHOLE, RTD_PROHIBIT ]" if bgp.graceful_shutdown else "dest = RTD_BLACKHOLE"


def _aggregates(bgp: Bgp, family: int, covering: _Aggregates) -> Iterator[str]:
    """An aggregate has a route for each VIP in it, which leads where that of the VIP does.

    BIRD looks for them in a table of VIPs alone. In the other one, a VIP that is withdrawn would be found by the
    aggregate itself, and that would stay for ever.
    """
    vips, found = f"lvs_single{family}", f"lvs_covering{family}"
    yield "# An aggregate is announced as long as a VIP in it is: BIRD finds its route by that VIP."
    yield from (f"ipv{family} table {vips};", f"ipv{family} table {found};")
    yield from _pipe(f"lvs_inside{family}", f"lvs{family}", vips, f"net.len = {_LENGTHS[family]}")
    yield from (f"protocol static lvs_aggregates{family} {{", f"    igp table {vips};")
    yield from _channel(family, found, "all", "none")
    for each, inside in covering.items():
        yield from (f"    route {each.prefix} recursive {vip};" for vip in inside)
    yield "}"
    yield from _pipe(f"lvs_covered{family}", found, f"lvs{family}", _leads_nowhere(bgp))


def _ends(family: int, covering: _Aggregates) -> Iterator[str]:
    """Routes in the kernel's main table, as long as BIRD runs."""
    table = f"lvs_ends{family}"
    yield "# What routers send for an address that nobody has ends here: a default route would send it back to them."
    yield from (f"ipv{family} table {table};", f"protocol static lvs_unreachable{family} {{")
    yield from _channel(family, table, "all", "none")
    yield from (f"    route {each.prefix} unreachable;" for each in covering)
    yield from ("}", f"protocol kernel lvs_ending{family} {{", f"    metric {_LAST_METRIC};", f"    {_SCAN}")
    yield from (*_channel(family, table, "none", "all"), "}")


def _pipe(name: str, table: str, peer: str, condition: str) -> Iterator[str]:
    yield from (f"protocol pipe {name} {{", f"    table {table};", f"    peer table {peer};", "    import none;")
    yield from (f"    export where {condition};", "}")


def _channel(family: int, table: str, imported: str, exported: str) -> Iterator[str]:
    yield from (f"    ipv{family} {{", f"        table {table};", f"        import {imported};")
    yield from (f"        export {exported};", "    };")


def _announced(bgp: Bgp, covering: Sequence[Aggregate]) -> Iterator[str]:
    if bgp.med is not None:
        yield f"    bgp_med = {bgp.med};"
    different = [each for each in covering if each.communities is not None]
    others = f"if ! (net ~ {_set([each.prefix for each in different])}) then " if different else ""
    yield from (f"    {others}{_added(each)}" for each in bgp.communities)
    for each in different:
        yield from (f"    if net = {each.prefix} then {_added(one)}" for one in each.communities or ())
    if bgp.graceful_shutdown:
        yield f"    if dest = RTD_PROHIBIT then bgp_community.add({_GRACEFUL_SHUTDOWN});"


def _added(community: tuple[int, ...]) -> str:
    kind = "bgp_community" if len(community) == 2 else "bgp_large_community"
    return f"{kind}.add(({', '.join(map(str, community))}));"


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
