# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not as it should be with BGP: sessions, announcements, and the routes of routers that we see. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._bgp.bird_text import DISABLED, ESTABLISHED
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.finding import AT_RISK, BROKEN, Finding
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address, Network
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import as_address, as_network
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import bgp
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.bird_conf import name_of
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.parity import service_name
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.table import virtual_service

_SITE = "ansible-playbook lvs.topology.site --limit {}"
_BACK = "ansible-playbook lvs.topology.drain_directors -e lvs_drain_directors={} -e lvs_drain_directors_state=present"
_LESS = "Routers that do not hear of it send nobody to it: the others have its share of the clients."


def questions(site: Site, host: str) -> dict[str, Any] | None:
    """What host_info is asked of BGP; None where the host has nothing of it."""
    own = bgp.own(site, host)
    if own is None:
        return None
    if host in site.services:
        prefixes = [forms.prefix(str(each.prefix)) for each in bgp.aggregates(site, host)]
        return {"table": own.table, "vips": [], "aggregates": prefixes}
    every = bgp.prefixes_of(site, *bgp.announcing(site))
    return {
        "table": None,
        "vips": [str(each.network_address) for each in every if bgp.is_vip(each)],
        "aggregates": [forms.prefix(str(each)) for each in every if not bgp.is_vip(each)],
    }


def every(site: Site, answers: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """``answers`` are those of the hosts that were asked of BGP."""
    said = {host: each for host, each in answers.items() if each["bgp"] and bgp.own(site, host)}
    for host, each in said.items():
        yield from _of_unit(site, host, each["bgp"]["unit"])
        if _runs(each["bgp"]) and each["bgp"]["sessions"] is not None:
            yield from _of_sessions(site, host, each["bgp"]["sessions"])
        if host in site.services:
            yield from _of_announcements(site, host, each)
            if _runs(each["bgp"]) and each["bgp"]["aggregates"] is not None:
                yield from _of_aggregates(site, host, each["bgp"])
    for host, each in said.items():
        if host not in site.services and _runs(each["bgp"]) and each["bgp"]["sessions"] is not None:
            yield from _of_ways(site, host, each["bgp"], said)


def _runs(answer: Mapping[str, Any]) -> bool:
    return answer["unit"] is None or bool(answer["unit"]["active"])


def _of_unit(site: Site, host: str, unit: Mapping[str, bool] | None) -> Iterator[Finding]:
    if unit is None:
        return
    effect = _LESS if host in site.services else "It takes no VIP from directors, and hands clients to none of them."
    degree = AT_RISK if host in site.services else BROKEN
    if not unit["active"]:
        state = "has failed" if unit["failed"] else "does not run"
        yield Finding(
            degree, host, f"BIRD {state}", effect, f"`journalctl -u bird` on {host}; then {_SITE.format(host)}"
        )
    elif not unit["enabled"]:
        yield Finding(AT_RISK, host, "BIRD is not started at boot", effect, _SITE.format(host))


def _of_sessions(site: Site, host: str, sessions: Iterable[Mapping[str, str]]) -> Iterator[Finding]:
    own, announces = bgp.own(site, host), host in site.services
    effect = _LESS if announces else "It does not send to that director."
    states = {each["name"]: each for each in sessions}
    for neighbour in own.neighbours if own else ():
        found = states.get(name_of(neighbour))
        if found and found["state"] == ESTABLISHED:
            continue
        other = bgp.host_of(site, neighbour.address)
        whom = f"{neighbour.address} ({other})" if other else str(neighbour.address)
        if found and found["state"] == DISABLED:
            remedy = _BACK.format(host) if announces else f"birdc enable {name_of(neighbour)} on {host}"
            yield Finding(AT_RISK, host, f"the BGP session with {whom} is disabled, as in a drain", effect, remedy)
            continue
        state = "BIRD does not know it" if found is None else f"its state is {found['state'] or 'unknown'}"
        error = f", and the last error was: {found['error']}" if found and found["error"] else ""
        bfd = f" and UDP port {4784 if neighbour.multihop else 3784} (BFD)" if neighbour.bfd else ""
        remedy = (
            f"see whether {whom} runs BGP, knows this host by its address and asn, has the same password or none, and "
            f"whether packet filters let TCP port 179{bfd} pass"
        )
        yield Finding(AT_RISK, host, f"no BGP session with {whom}: {state}{error}", effect, remedy)


def _of_announcements(site: Site, host: str, answer: Mapping[str, Any]) -> Iterator[Finding]:
    """What is announced in vain. What is to be announced and is not, a run would announce: that is said as such."""
    if answer["table"] is None:
        return  # that it could not be read is said elsewhere
    announced = {(_address_of(each), each["metric"]) for each in answer["bgp"]["announced"]}
    table = {service_name(each): each for each in answer["table"]["services"]}
    for service in site.services[host]:
        if not bgp.is_announced(site, host, service):
            continue
        name = service_name(virtual_service(service))
        if any(each["weight"] for each in table.get(name, {"real_servers": []})["real_servers"]):
            continue
        for vip in service.vips:
            if (vip.address, bgp.metric_of(service)) in announced:
                what = f"announces {vip.address}, and has no real server for {name} ({service.name})"
                effect = "Clients whom routers send to it get no answer."
                remedy = f"`journalctl -u keepalived` on {host}, or {_SITE.format(host)}"
                yield Finding(BROKEN, host, what, effect, remedy)


def _address_of(route: Mapping[str, Any]) -> Address | None:
    return as_address(route["address"].partition("/")[0])


def _of_aggregates(site: Site, host: str, answer: Mapping[str, Any]) -> Iterator[Finding]:
    """Aggregates that BIRD does not make of the VIPs that it is to announce."""
    vips = {_address_of(each) for each in answer["announced"]}
    there = {as_network(each) for each in answer["aggregates"]}
    for each, inside in bgp.aggregates(site, host).items():
        if vips.intersection(inside) and each.prefix not in there:
            what = f"does not announce {each.prefix}, though it announces a VIP in it"
            family = each.prefix.version
            remedy = (
                f"`birdc show route all {each.prefix} table lvs_covering{family}` on {host}, or {_SITE.format(host)}"
            )
            yield Finding(AT_RISK, host, what, _LESS, remedy)


def _announces(site: Site, director: str, prefix: Network, announced: Collection[Address | None]) -> bool:
    """Whether a director that has routes of these VIPs tells routers of a prefix."""
    if bgp.is_vip(prefix):
        vip = prefix.network_address
        return vip in announced and bgp.only_aggregate(site, director, vip) is None
    every = bgp.aggregates(site, director).items()
    return any(each.prefix == prefix and any(vip in announced for vip in inside) for each, inside in every)


def _of_ways(
    site: Site, host: str, answer: Mapping[str, Any], said: Mapping[str, Mapping[str, Any]]
) -> Iterator[Finding]:
    """Whether the router sends to everybody that announces a VIP or an aggregate to it."""
    established = {as_address(each["neighbour"]) for each in answer["sessions"] if each["state"] == ESTABLISHED}
    announced = {
        director: {_address_of(one) for one in each["bgp"]["announced"]}
        for director, each in said.items()
        if director in site.services
    }
    ours = {director: [each.address for each in bgp.neighbour_of(site, host, director)] for director in announced}
    for text, gateways in answer["ways"].items():
        prefix = as_network(text)
        if prefix is None:
            continue
        ways = {as_address(each) for each in gateways}
        lacking = []
        for director, vips in announced.items():
            mine = {each for each in ours[director] if each.version == prefix.version}
            if _announces(site, director, prefix, vips) and mine & established and not mine & ways:
                lacking.append(director)
        if lacking:
            what = f"does not send to {', '.join(lacking)} for {text}, which they announce to it"
            remedy = f"`birdc show route all {prefix} table lvs{prefix.version}` on {host}"
            yield Finding(AT_RISK, host, what, "The other directors have their share of the clients.", remedy)
        elif not ways:
            yield Finding(BROKEN, host, f"has no route to {text}", "Clients behind it get no answer.")
