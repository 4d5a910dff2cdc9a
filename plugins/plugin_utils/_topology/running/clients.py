# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What clients try when a site is verified, and what follows from how that ended. Pure.

A connection is tried of every TCP service. Something is asked only where a health check says what its program takes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.finding import (
    AT_RISK,
    BROKEN,
    WORTH_KNOWING,
    Finding,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address, Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import tun
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.parity import service_name
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.table import kernel_forward, virtual_service

# Of a service with very many real servers.
_MOST_CONNECTIONS = 50
# Larger than the MTU of Ethernet, and below what web servers take as one header.
_LARGE = 8000
# How long a client waits for an answer, where the health check does not wait longer.
_LEAST, _MOST = 5, 60


def endpoints(site: Site) -> list[dict[str, Any]]:
    """What clients try, of services that have anybody to serve, and how often to meet all of them."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for _director, service in site.pairs():
        count = min(2 * len(service.real_servers), _MOST_CONNECTIONS)
        for each in _tried(service) if count else ():
            question = each.get("question")
            key = (each["protocol"], each["address"], each["port"], tuple((question or {}).items()))
            there = found.setdefault(key, {"name": service.name, **each, "connections": 0})
            there["connections"] = max(count, there["connections"])
    return list(found.values())


def _tried(service: Service) -> Iterator[dict[str, Any]]:
    if service.address is None:
        for each in service.marked:
            # Of a range of ports nobody knows on which of them a program listens.
            for low, high in each.ports if each.protocol == "tcp" else ():
                if low == high:
                    yield {"protocol": "tcp", "address": str(each.vip.address), "port": low}
        return
    if not service.port:
        return
    where = {"protocol": service.protocol, "address": str(service.address), "port": service.port}
    question = _question(service)
    if question is None:
        if service.protocol == "tcp":
            yield where
        return
    asked = {**where, "patience": _patience(service)}
    yield {**asked, "question": question}
    if question["kind"] == "http":
        yield {**asked, "question": {**question, "size": _LARGE}}


def _patience(service: Service) -> int:
    timeouts = [float(each.get("timeout", 0)) for each in service.supervision.health_checks]
    return min(max(math.ceil(max(timeouts, default=0)), _LEAST), _MOST)


def tcp_endpoints(service: Service) -> Iterator[tuple[Address, int]]:
    """The VIPs and ports of the service that can be tried by TCP, each once."""
    known = {str(vip.address): vip.address for vip in service.vips}
    tried = ((known[each["address"]], each["port"]) for each in _tried(service) if each["protocol"] == "tcp")
    yield from dict.fromkeys(tried)


def _question(service: Service) -> dict[str, Any] | None:
    """What the program of the service answers, by its health check; None where that does not say it."""
    asked = (_asked(service, each) for each in service.supervision.health_checks)
    return next((each for each in asked if each), None)


def _asked(service: Service, check: Mapping[str, Any]) -> dict[str, Any] | None:
    if "port" in check or "address" in check:
        return None  # another program may listen there
    kind = check.get("type")
    if (service.protocol, kind) == ("tcp", "http"):
        url = check["urls"][0]
        host = f"[{service.address}]" if service.family == 6 else str(service.address)
        return {"kind": "http", "path": url["path"], "host": url.get("virtual_host", host)}
    if (service.protocol, kind) == ("udp", "dns"):
        return {"kind": "dns", **{key: check[key] for key in ("name", "query_type") if key in check}}
    if (service.protocol, kind) == ("udp", "udp") and check.get("payload") and check.get("require_reply"):
        return {"kind": "bytes", "payload": check["payload"]}
    return None


def untried(site: Site) -> list[str]:
    """What of the services no client can try."""
    found = []
    for service in dict.fromkeys(service for _director, service in site.pairs() if service.real_servers):
        name = service_name(virtual_service(service))
        if any(_tried(service)):
            continue
        if service.protocol == "udp" and service.address is not None:
            why = "no health check says what it answers by UDP"
        else:
            why = "it has no TCP port to try"
        found.append(f"{service.name}: no client tried {name}: {why}")
    return found


def unasked(site: Site, client: str, answers: Iterable[Mapping[str, Any]]) -> list[str]:
    """What a client was asked to try, and of which it does not say how that ended."""
    ends = ("connected", "silent", "failed", "answered")
    ended = {_key(each) for each in answers if any(each[end] for end in ends)}
    return [
        f"{client}: it does not say what came of {each['name']} ({each['address']} port {each['port']})"
        for each in endpoints(site)
        if _key(each) not in ended
    ]


def _key(each: Mapping[str, Any]) -> tuple[Any, ...]:
    return each["protocol"], each["address"], each["port"]


def of_probes(site: Site, client: str, answers: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """What a client found."""
    every = [*answers]
    rooms = _rooms(site)
    # A program that does not answer a short request says nothing about long ones.
    mute = {_where(each) for each in every if each["unanswered"] and not _is_large(each)}
    for each in every:
        yield from _of_connections(client, each)
        if each["unanswered"] and not (_is_large(each) and _where(each) in mute):
            yield _unanswered(client, each)
        if (each["address"], each["port"]) in rooms and each["protocol"] == "tcp" and not _is_large(each):
            yield from _of_packets(client, each, rooms[each["address"], each["port"]])


def _where(each: Mapping[str, Any]) -> str:
    return f"{each['name']} ({each['address']} port {each['port']})"


def _is_large(each: Mapping[str, Any]) -> bool:
    return bool(each["question"] and each["question"]["size"])


def _of_connections(client: str, each: Mapping[str, Any]) -> Iterator[Finding]:
    where, total = _where(each), each["connections"]
    what = "connections" if each["protocol"] == "tcp" else "questions"
    if each["silent"]:
        some = "Some real servers drop what they get, or answer another way." if each["silent"] < total else ""
        yield Finding(BROKEN, client, f"{each['silent']} of {total} {what} to {where} got no answer", some)
    if each["repeated"]:
        # A network may lose one of them.
        degree = AT_RISK if each["repeated"] > 1 else WORTH_KNOWING
        some = "Some real servers drop what they get, or datagrams are lost on their way."
        yield Finding(
            degree, client, f"{each['repeated']} of {total} {what} to {where} were answered only the second time", some
        )
    for reason, count in each["failed"].items():
        yield Finding(BROKEN, client, f"{count} of {total} {what} to {where} failed: {reason}")


def _unanswered(client: str, each: Mapping[str, Any]) -> Finding:
    where, count = _where(each), f"{each['unanswered']} of {each['answered'] + each['unanswered']}"
    if _is_large(each):
        what = f"{count} requests of {each['question']['size']} bytes to {where} got no answer, and short ones did"
        return Finding(
            BROKEN,
            client,
            what,
            "Large requests and uploads hang: packets of the size of the MTU are lost on their way.",
            "compare MTUs, and let ICMP 'fragmentation needed' (IPv6: 'packet too big') pass everywhere",
        )
    return Finding(BROKEN, client, f"{count} requests to {where} got no answer, though connections came about")


def _rooms(site: Site) -> dict[tuple[str, int], int]:
    """By VIP and port of each service by tunnel, how large a packet may be to reach any of its real servers."""
    found: dict[tuple[str, int], int] = {}
    for director, service in site.pairs():
        is_local = any(entry.host == director for entry in service.real_servers)
        if is_local or kernel_forward(service) != tun.KERNEL_FORWARD:
            continue
        room = max((tun.room(site, director, entry) for entry in service.real_servers), default=0)
        for each in _tried(service):
            where = (each["address"], each["port"])
            found[where] = max(room, found.get(where, 0))
    return found


def _of_packets(client: str, each: Mapping[str, Any], room: int) -> Iterator[Finding]:
    """Whether segments fit into the tunnel that clients send once they know what the real server takes."""
    sizes = {int(size): count for size, count in each["packets"].items() if size.isascii() and size.isdecimal()}
    large = {size: count for size, count in sizes.items() if size > room and count}
    if large:
        what = (
            f"on {sum(large.values())} of {sum(sizes.values())} connections to {_where(each)} it would send packets of "
            f"up to {max(large)} bytes, and {room} fit into the tunnel"
        )
        effect = "Uploads hang for clients that ICMP 'fragmentation needed' from the director does not reach."
        remedy = "see that real servers announce segments that fit (ip rule, and advmss of the routes from the VIP)"
        yield Finding(AT_RISK, client, what, effect, remedy)
