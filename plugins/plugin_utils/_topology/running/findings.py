# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not as it should be on a site that runs: a line for each, from what its hosts said of themselves. Pure."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from ipaddress import IPv6Address
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import DEFAULT_TIMEOUTS
from ansible_collections.lvs.topology.plugins.module_utils._keepalived.keepalived_files import CREDENTIALS
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.finding import (
    AT_RISK,
    BROKEN,
    WORTH_KNOWING,
    Finding,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import (
    CHECK,
    Address,
    RealServer,
    Service,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import as_address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.table import kernel_forward

_SITE = "ansible-playbook lvs.topology.site --limit {}"


# By concern: what it is called, its degree, and what clients notice.
CONCERNS: Mapping[str, tuple[str, str, str]] = {
    "kernel_modules": ("kernel modules", AT_RISK, "They are needed at the latest after a boot."),
    "sysctls": ("a sysctl", AT_RISK, "Packets may be dropped, or connections end when they should not."),
    "arp": ("ARP", BROKEN, "It may answer for VIPs, and clients that believe it go past the directors."),
    "arp_filters": ("ARP filter", BROKEN, "It may answer for VIPs, and clients that believe it go past the directors."),
    "tunnels": ("the end of a tunnel", BROKEN, "What directors send through it is dropped."),
    "addresses": ("an address", BROKEN, "Packets for the VIP are dropped there: some clients wait in vain."),
    "gateways": ("the default route", BROKEN, "Answers to clients take another way, and are dropped."),
    "source_routes": (
        "the route of answers",
        AT_RISK,
        "Clients do not learn what fits into the tunnel: uploads may hang.",
    ),
    "neighbours": ("a static neighbour", BROKEN, "The router may hand clients to another host than the director."),
    "packet_rules": ("packet rules", BROKEN, "Packets are not marked, or their source is not translated."),
    "firewall": ("the firewall", BROKEN, "It may drop what clients, directors or real servers send."),
    "conntrackd": ("conntrackd", AT_RISK, "Connections through FULLNAT may break at a failover."),
    "take_over": ("somebody else who fills the table", AT_RISK, "The table may be another one after a boot."),
    "timeouts": ("timeouts", AT_RISK, "Connections that are idle end at another time than they should."),
    "withdrawals": ("an announcement", AT_RISK, "Routers send to a director what it does not serve."),
    "services": ("the table", BROKEN, ""),
    "watched": ("the table", BROKEN, ""),
    "sync_daemons": ("the synchronisation daemon", AT_RISK, "Connections would not outlive a failover."),
    "announcements": ("an announcement", AT_RISK, "Routers do not send to this director: the others have its share."),
    "bird": ("BIRD's configuration", AT_RISK, "What routers hear of the director is not what the model says."),
    "boot": ("files for the next boot", AT_RISK, "The next boot would not bring everything back."),
    "metrics": ("what writes the metrics", AT_RISK, "Nobody is told by them when something breaks."),
    "keepalived": ("keepalived's configuration", AT_RISK, "It goes by something else than the model says."),
    "warning": ("the host", AT_RISK, ""),
}
# Of one concern of a host; who has thousands of services does not read thousands of lines.
_MOST_LINES = 20
# Without these nothing goes through.
_FORWARDING = re.compile(r"\.(?:ip_forward|forwarding|conntrack)[ =]")
# Of packets that find no room, one in so many is nothing; and so many connections in one place are.
_SELDOM, _CROWDED = 10_000, 8
# Of net.ipv4.vs.drop_entry and its like (Documentation/networking/ipvs-sysctl.rst).
_ALWAYS = 3
_GIVEN_UP = {
    "drop_entry": "Connections of clients are forgotten at random.",
    "drop_packet": "Packets of clients are dropped at random.",
    "secure_tcp": "Connections that are not established yet are forgotten sooner.",
}
_DAEMON, _TIMEOUTS = "ipvsadm --st", "ipvsadm --set"


def of_parts(host: str, parts: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """What a run of site would change on the host, and what it would refuse."""
    for part in parts.values():
        for problem in part["problems"]:
            yield Finding(AT_RISK, host, problem, "A run of site would end there.")
        for difference in part["differences"]:
            yield from _of_concern(host, difference)
        for line in part["unmanaged"]:
            what = f"the table has a service that nobody declared ({line})"
            yield Finding(WORTH_KNOWING, host, what, "", "lvs_services, or lvs_purge")


def _of_concern(host: str, difference: Mapping[str, Any]) -> Iterator[Finding]:
    concern = difference["concern"]
    name, degree, effect = CONCERNS[concern]
    remedy = _SITE.format(host)
    if difference["problem"]:
        what = difference["problem"] if concern == "warning" else f"{name}: cannot be compared: {difference['problem']}"
        yield Finding(degree if concern == "warning" else AT_RISK, host, what.rstrip("."))
    lines = difference["changes"]
    if concern == "keepalived":
        yield from _of_configuration(host, lines)
        return
    if len(lines) > _MOST_LINES:
        what = f"{name}: besides these, {len(lines) - _MOST_LINES} more are not as the model has them"
        yield Finding(degree, host, what, effect, remedy)
    for line in lines[:_MOST_LINES]:
        own, said = degree, effect
        if concern == "sysctls" and _FORWARDING.search(line):
            own, said = BROKEN, "Nothing is handed on to real servers, or back to clients."
        elif concern in ("services", "watched"):
            own, said = _of_entry(line)
        yield Finding(own, host, f"{name}: not as the model has it", said, f"{line} (or: {remedy})")


def _of_configuration(host: str, lines: Iterable[str]) -> Iterator[Finding]:
    """Whether keepalived has its files as a run would write them, and has read them. Its unit is said elsewhere."""
    _name, degree, effect = CONCERNS["keepalived"]
    changes = [line.partition(" ") for line in lines]
    for file in (file for verb, _space, file in changes if verb == "remove"):
        what = f"{file} is left over from an earlier run"
        if file.startswith(CREDENTIALS):
            yield Finding(degree, host, what, "What a health check logged in with may be there.", _SITE.format(host))
        else:
            yield Finding(WORTH_KNOWING, host, what, "What the model asks for does not need it.", _SITE.format(host))
    files = [file for verb, _space, file in changes if verb not in ("remove", "systemctl")]
    for file in files:
        remedy = f"{_SITE.format(host)} (--check --diff shows what differs)"
        yield Finding(degree, host, f"{file} is not as the model has it", effect, remedy)
    reload = next((line for line in lines if line.startswith("systemctl reload")), None)
    if reload and not files:
        what = "keepalived has not read its configuration since that was written"
        yield Finding(degree, host, what, effect, f"{reload} (or: {_SITE.format(host)})")


def _of_entry(line: str) -> tuple[str, str]:
    """The degree of a change of the table, and what clients notice until then."""
    if line.startswith(_TIMEOUTS):
        return CONCERNS["timeouts"][1:]
    if line.startswith(_DAEMON):
        return CONCERNS["sync_daemons"][1:]
    _command, verb, *_rest = [*line.split(), "", ""]
    return {
        "-A": (BROKEN, "Clients of the service get no answer."),
        "-E": (AT_RISK, "Clients are spread otherwise than they should be."),
        "-D": (AT_RISK, "Somebody is served who should not be."),
        "-a": (AT_RISK, "The others have its share of the clients."),
        "-e": (BROKEN, "Clients that land there may get no answer, or too many or too few land there."),
        "-d": (BROKEN, "Clients are sent to a host that nobody declared, or that is down."),
    }.get(verb, (AT_RISK, ""))


def of_arp(
    site: Site, director: str, answers: Mapping[str, Iterable[str]], answered: Container[str]
) -> Iterator[Finding]:
    """Who answers for an address of this director beside it."""
    if not any(answers.values()):
        return  # so that not every director of a large site looks through all hosts
    owners = {
        interface.mac.lower(): name
        for name in site.inventory.names()
        for interface in site.facts(name).interfaces or ()
        if interface.mac
    }
    for address, hardware in answers.items():
        vip = as_address(address)
        if vip is None:
            continue
        for each in hardware:
            name = owners.get(each.lower())
            if name in answered and name in site.partners(director) and site.holds(str(name), vip):
                continue  # said of the address itself: two directors hold it
            what = f"answers ARP for {address}, which {director} holds"
            effect = "Clients that believe it go past the director, all to one host."
            if name:
                yield Finding(BROKEN, name, what, effect, _SITE.format(name))
            else:
                whose = f"a host with the address {each} {what}"
                yield Finding(BROKEN, director, whose, effect, "find it by that address, and take the VIP from it")


def of_listeners(site: Site, host: str, listening: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """Whether anybody takes what directors send to this real server."""
    there = {(each["protocol"], as_address(each["address"]), each["port"]) for each in listening}
    asked = dict.fromkeys(
        (service.protocol, _listens_at(service, entry), entry.port)
        for _director, service, entry in site.listings.get(host, ())
        if service.protocol in ("tcp", "udp") and entry.port and entry.weight
    )
    for protocol, address, port in asked:
        if address is None:
            continue
        # A socket of IPv6 takes IPv4 as well, unless its program said otherwise.
        anywhere = {IPv6Address(0), type(address)(0)}
        if not any((protocol, each, port) in there for each in (address, *anywhere)):
            others = sorted(str(at) for kind, at, number in there if at and (kind, number) == (protocol, port))
            where = f", only on {', '.join(others)}" if others else ""
            what = f"nothing listens on {protocol} {address} port {port}{where}"
            effect = "Clients that land there are refused, unless something hands them on."
            yield Finding(AT_RISK, host, what, effect, "start the program there, or have it listen on that address")


def _listens_at(service: Service, entry: RealServer) -> Address | None:
    """The address to which packets come that a director sends to the real server."""
    return entry.address if kernel_forward(service) == "nat" else service.address


def of_host(site: Site, host: str, answer: Mapping[str, Any]) -> Iterator[Finding]:
    """What a host says of itself beside its plans."""
    for problem in answer["problems"]:
        yield Finding(AT_RISK, host, problem, "A run of site would end there.")
    for each in answer["failed_addresses"]:
        what = f"{each} is not used, because another host had it already when it came"
        yield Finding(BROKEN, host, what, "Nobody is reached by it.", f"find the other host; then {_SITE.format(host)}")
    conntrack = answer["conntrack"]
    if conntrack and conntrack["count"] * 5 > conntrack["max"] * 4:
        what = f"netfilter's table has {conntrack['count']} of {conntrack['max']} connections"
        why = (
            "When it is full, packets that begin a connection are dropped. On directors, health checks and the adverts "
            "of a new master are among them."
        )
        yield Finding(AT_RISK, host, what, why, "raise net.netfilter.nf_conntrack_max in lvs_sysctls")
    for each in answer["tentative_addresses"]:
        if as_address(each.partition(" ")[0]) in _meant(site, host):
            what = f"{each} is not used yet: the kernel does not know whether another host has it (tentative)"
            remedy = "look again in some seconds; where it stays so, see whether the interface has a carrier"
            yield Finding(AT_RISK, host, what, "Nobody is reached by it until then.", remedy)
    for each in answer["large_receive"]:
        what = f"{each} puts received packets together (LRO), and the director forwards by it"
        effect = "What is larger than the MTU then is dropped: uploads are slow or hang."
        yield Finding(AT_RISK, host, what, effect, f"ethtool -K {each} lro off, now and at boot")
    yield from _of_timeouts(site, host, answer["table"])
    yield from _of_defences(site, host, answer["defences"])
    yield from _of_load(host, answer)
    yield from _of_keepalived(site, host, answer["keepalived"])
    certain = {each["said"] for each in answer["dropped"]}
    yield from _of_obstacles(site, host, [each for each in answer["obstacles"] if each["said"] not in certain])


def _meant(site: Site, host: str) -> set[Address]:
    """The addresses that the model gives the host, at least at times."""
    found = {*site.host(host).addresses}
    if host in site.services:
        found |= {*site.serving_addresses(host)}
    services = [service for _director, service, _entry in site.listings.get(host, ())]
    return found.union(vip.address for service in services for vip in service.vips)


def _of_timeouts(site: Site, host: str, table: Mapping[str, Any] | None) -> Iterator[Finding]:
    """Timeouts that are neither the kernel's nor the model's: a run leaves them alone, and a boot does not."""
    given = dict(site.host(host).timeouts)
    found = {name: seconds for name, seconds in (table or {}).get("timeouts", {}).items() if name not in given}
    other = {name: seconds for name, seconds in found.items() if seconds != DEFAULT_TIMEOUTS.get(name, seconds)}
    if other:
        each = (f"{name} {seconds} s (the kernel's is {DEFAULT_TIMEOUTS[name]} s)" for name, seconds in other.items())
        words = ", ".join(each)
        what = f"somebody set the timeout of {words}, and lvs_timeouts does not say so"
        # 0 leaves one as it is: those of the model are none of this.
        seconds = (DEFAULT_TIMEOUTS[name] if name in other else 0 for name in DEFAULT_TIMEOUTS)
        remedy = f"lvs_timeouts, or ipvsadm --set {' '.join(map(str, seconds))}"
        yield Finding(WORTH_KNOWING, host, what, "The next boot brings the kernel's back.", remedy)


def _of_defences(site: Site, host: str, found: Mapping[str, int]) -> Iterator[Finding]:
    """What the kernel gives up of others' connections, where the model does not say that it shall."""
    given = {key for key, _value in site.host(host).sysctls}
    for name, value in found.items():
        key = f"net.ipv4.vs.{name}"
        if key not in given:
            degree = AT_RISK if value == _ALWAYS else WORTH_KNOWING
            when = "all the time" if value == _ALWAYS else "while memory is short"
            what = f"{key} is {value}, and lvs_sysctls does not say so: it works {when}"
            yield Finding(degree, host, what, _GIVEN_UP.get(name, ""), f"sysctl -w {key}=0, or lvs_sysctls")


def _of_load(host: str, answer: Mapping[str, Any]) -> Iterator[Finding]:
    """What shows that a host has more to do than it is set up for. Counters tell nothing of when that was."""
    counted = answer["counters"]
    if counted["no_room"] * _SELDOM > counted["packets"]:
        what = f"{counted['no_room']} of {counted['packets']} packets since its boot found the processors too slow"
        remedy = "spread interrupts over processors (RSS, RPS), or raise net.core.netdev_max_backlog"
        yield Finding(WORTH_KNOWING, host, what, "They were dropped, whoever had sent them.", remedy)
    table = answer["table"]
    if not table:
        return
    pools = [each["connections"] for service in table["services"] for each in service["real_servers"]]
    count = sum(number for connections in pools for number in connections.values())
    if table["table_size"] and count > _CROWDED * table["table_size"]:
        what = f"the connection table has {count} connections in {table['table_size']} places"
        remedy = (
            "options ip_vs conn_tab_bits=18 in /etc/modprobe.d, for when the module is loaded the next time (from "
            "Linux 7.1 on the table grows by itself, and that is how far)"
        )
        yield Finding(WORTH_KNOWING, host, what, "Each packet takes longer to find its connection.", remedy)


def of_reverse_path(host: str, count: int) -> Iterator[Finding]:
    """A counter of the whole host, beside what else was found: by itself it says nothing."""
    if count:
        what = f"rp_filter has dropped {count} packets since its boot (IPReversePathFilter in /proc/net/netstat)"
        effect = "They may be those of clients, where it is stricter than it should be."
        yield Finding(WORTH_KNOWING, host, what, effect, "see whether the number grows while a client waits")


def _of_keepalived(site: Site, host: str, unit: Mapping[str, bool] | None) -> Iterator[Finding]:
    if unit is None or host not in site.services or not site.is_checked(host):
        return
    alone = "It cannot take over, and its checks do not run."
    if not site.is_moved(host):
        alone = "Its real servers are not checked, and what it had in the table is gone or stays as it is."
    remedy = _SITE.format(host)
    if unit["masked"]:
        remedy = f"systemctl unmask keepalived, then {remedy}"
    if not unit["active"]:
        state = "has failed" if unit["failed"] else "does not run"
        masked = ", and is masked" if unit["masked"] else ""
        yield Finding(AT_RISK, host, f"keepalived {state}{masked}", alone, remedy)
    elif not unit["enabled"]:
        yield Finding(AT_RISK, host, "keepalived is not started at boot", alone, remedy)


def _of_obstacles(site: Site, host: str, obstacles: Iterable[Mapping[str, str]]) -> Iterator[Finding]:
    if host not in site.services or site.host(host).firewall != CHECK:
        return
    forwards = {kernel_forward(service) for service in site.services[host]}
    for each in obstacles:
        if each["kind"] == "policy" and each["hook"] == "forward" and "nat" in forwards:
            effect = "Answers of real servers pass there: a rule must accept them."
        elif each["kind"] == "policy" and each["hook"] == "input":
            effect = "What clients send to a VIP passes there: a rule must accept it."
        elif each["kind"] == "invalid":
            effect = "A director sees only one half of a connection, unless net.ipv4.vs.conntrack is 1 and it is NAT's."
        else:
            continue
        yield Finding(WORTH_KNOWING, host, f"its packet filter says `{each['said']}`", effect)
