# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every mistake that an inventory can hold: the line that it makes, and that it is the only one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.lvs.topology.tests.unit.topology.inventories import (
    REFERENCES,
    Model,
    facts,
    nic,
    r1,
    r2,
    r3,
    r4,
    r5,
    r6,
    r7,
    rs,
    two_directors,
)

Change = Callable[[Model], object]


def service(**more: Any) -> Change:
    """Change the first service; None takes the key away."""

    def change(model: Model) -> None:
        for key, value in more.items():
            if value is None:
                model.service.pop(key, None)
            else:
                model.service[key] = value

    return change


def entry(**more: Any) -> Change:
    """Change the first service's second real server."""
    return lambda model: model.service["real_servers"][1].update(more)


def host(name: str, **more: Any) -> Change:
    return lambda model: model.hostvars[name].update(more)


def both(**more: Any) -> Change:
    """Change the VRRP settings of both directors of a pair."""

    def change(model: Model) -> None:
        for name in ("lb1", "lb2"):
            model.hostvars[name]["lvs_vrrp"] = {**model.hostvars[name]["lvs_vrrp"], **more}

    return change


def fwmark(**more: Any) -> Change:
    """Make the first service one by firewall mark."""
    return service(**{"address": None, "port": None, "fwmark": 10, "family": "ipv4", **more})


def persistent_v6(netmask: object) -> Change:
    def change(model: Model) -> None:
        service(address="fd00::160", persistence={"netmask": netmask})(model)
        model.service["real_servers"] = []
        model.hostvars["lb1"]["lvs_vip_interface"] = "eth1"

    return change


def again(**more: Any) -> Change:
    """Add the first service a second time."""
    return lambda model: model.services.append({**model.service, "name": "again", **more})


def both_nat_and_dr(model: Model) -> None:
    model.services.append({**model.service, "name": "other", "port": 81, "forward": "nat"})


def shared_vip(model: Model) -> None:
    model.hostvars["lb2"]["lvs_services"][0]["address"] = "192.168.246.160"


def two_nat_directors(model: Model) -> None:
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_services"][0]["forward"] = "nat"


def ipv6_gateway_of_facts(model: Model) -> None:
    service(address="fd00::160", real_servers=rs("web1", address="fd00::161"))(model)
    host("lb1", ansible_facts=facts(nic("eth1", "fd00::166/64")))(model)
    known = facts(nic("eth1", "fd00::161/64")) | {"default_ipv6": {"gateway": "fd00::166"}}
    host("web1", lvs_gateway="192.168.246.1", ansible_facts=known)(model)


def link_local_gateway_of_facts(model: Model) -> None:
    ipv6_gateway_of_facts(model)
    known = facts(nic("eth0", "fe80::1/64"), nic("eth1", "fd00::166/64", "fe80::2/64"))
    host("lb1", ansible_facts=known)(model)
    # fe80::1 is the director's on another segment, and somebody else's here.
    for gateway in ("fe80::1", "fe80::2"):
        model.hostvars["web1"]["ansible_facts"]["default_ipv6"] = {"gateway": gateway}
        assert bool(model.mistakes()) == (gateway == "fe80::2")


def static_without_router(model: Model) -> None:
    model.hostvars["web2"]["lvs_arp_method"] = "static_neighbour"


def static_with(**more: Any) -> Change:
    def change(model: Model) -> None:
        model.hostvars["web1"]["lvs_arp_method"] = "static_neighbour"
        for name, given in more.items():
            model.hostvars[name]["ansible_facts"] = given

    return change


def no_directors(model: Model) -> None:
    model.groups["lvs_directors"] = []


def no_services(model: Model) -> None:
    del model.hostvars["lb1"]["lvs_services"]


def whole(value: object) -> Change:
    return host("lb1", lvs_services=value)


def elsewhere(model: Model) -> None:
    host("web2", lvs_address="10.9.9.9", ansible_facts=facts(nic("eth1", "10.9.9.9/24")))(model)


def tunnel(**more: Any) -> Change:
    return entry(tunnel=more)


def two_tunnels(one: dict[str, Any], other: dict[str, Any], **more: Any) -> Change:
    """The second real server by two services."""

    def change(model: Model) -> None:
        entry(tunnel=one)(model)
        second = {"host": "web2", "tunnel": other, **more}
        model.services.append({**model.service, "name": "other", "port": 81, "real_servers": [second]})

    return change


def small(mtu: int, **more: Any) -> Change:
    """An MTU of the director's network, in the facts."""

    def change(model: Model) -> None:
        model.hostvars["lb1"]["ansible_facts"]["eth1"]["mtu"] = mtu
        model.service["real_servers"] = rs("web2", **more)

    return change


def two_marks(model: Model) -> None:
    """Two services mark the same packets, and a third has an address of which all packets are marked."""
    mark = {"fwmark": 10, "family": "ipv4", "forward": "dr", "real_servers": rs("web1")}
    vip = "192.168.246.160"
    model.hostvars["lb1"]["lvs_services"] = [
        {**mark, "name": "one", "marked": [{"address": vip, "ports": ["80-90"]}]},
        {**mark, "name": "two", "fwmark": 11, "marked": [{"address": vip, "ports": ["85-443"]}]},
        {"name": "three", "address": vip, "port": 80, "forward": "dr", "real_servers": rs("web1")},
    ]


S = "lvs_services[0]"
SCHEDULERS = "rr, wrr, lc, wlc, lblc, lblcr, dh, sh, sed, nq, fo, ovf, mh, twos"
VIP_REMEDY = "write the VIP such as 10.0.0.10, or 10.0.0.10/24 where the director has no other address there"
PORT_REMEDY = "use 1 to 65535, or 0 for every port of a persistent service"

# what it is: (inventory, change, lines)
MISTAKES: dict[str, tuple[Callable[[], Model], Change, list[str]]] = {
    "a real server that is not in the inventory": (
        r1,
        entry(host="webb2"),
        [
            f"{S}.real_servers[1].host: 'webb2' is not in the inventory; "
            "did you mean web2? Otherwise add it to the inventory, or write address: RIP"
        ],
    ),
    "a real server without an address": (
        r1,
        lambda model: (model.hostvars["web2"].pop("lvs_address"), model.without_facts("web2")),
        [
            "web2: lvs_address: is needed: no IPv4 address of web2 is known; "
            "set it to the address by which directors reach web2"
        ],
    ),
    "a real server whose ansible_host is a name": (
        r1,
        lambda model: (
            host("web2", lvs_address="", ansible_host="web2.example.org")(model),
            model.without_facts("web2"),
        ),
        [
            "web2: lvs_address: is needed: no IPv4 address of web2 is known; "
            "set it to the address by which directors reach web2"
        ],
    ),
    "a real server with several addresses to choose from": (
        r1,
        host(
            "web2",
            lvs_address="",
            ansible_facts=facts(nic("eth1", "192.168.246.162/24", "192.168.246.163/24", "192.168.246.160/32")),
        ),
        [
            "web2: lvs_address: is needed: web2 has several IPv4 addresses that may be meant: 192.168.246.162 (eth1), "
            "192.168.246.163 (eth1); set it to the address by which directors reach web2"
        ],
    ),
    "a real server without an address of the service's family": (
        r1,
        lambda model: (
            service(address="fd00::160", real_servers=rs("web1", "web2"))(model),
            model.hostvars["web1"].update(ansible_facts=facts(nic("eth1", "192.168.246.161/24", "fd00::161/64"))),
            host("lb1", ansible_facts=facts(nic("eth1", "192.168.246.166/24", "fd00::166/64")))(model),
        ),
        [
            "web2: lvs_address: is needed: facts show no IPv6 address of web2 beside 192.168.246.162; "
            "make it a list of 192.168.246.162 and the IPv6 address"
        ],
    ),
    "a real server with several addresses of the service's family": (
        r1,
        lambda model: (
            service(address="fd00::160", real_servers=rs("web2"))(model),
            model.hostvars["web2"].update(
                ansible_facts=facts(nic("eth1", "192.168.246.162/24", "fd00::162/64", "fd00::77/64"))
            ),
            host("lb1", ansible_facts=facts(nic("eth1", "192.168.246.166/24", "fd00::166/64")))(model),
        ),
        [
            "web2: lvs_address: is needed: web2 has several IPv6 addresses that may be meant: fd00::162 (eth1), "
            "fd00::77 (eth1); make it a list of 192.168.246.162 and the IPv6 address"
        ],
    ),
    "two addresses of one family": (
        r1,
        host("web2", lvs_address=["192.168.246.162", "192.168.246.163"]),
        ["web2: lvs_address: lists two addresses of one address family; keep one for IPv4 and one for IPv6"],
    ),
    "an address of a host that is none": (
        r1,
        host("web2", lvs_address="192.168.246.162/24"),
        [
            "web2: lvs_address: '192.168.246.162/24' is no IP address; write the host's own address, without a prefix, "
            "or a list with one for IPv4 and one for IPv6",
        ],
    ),
    "a real server that is absent": (
        r1,
        lambda model: (host("web2", lvs_state="absent")(model), entry(weight=0)(model)),
        [
            f"{S}.real_servers[1].host: web2 has lvs_state absent, and would get packets while it is put back; "
            "take it out of real_servers; a weight of 0 is not enough"
        ],
    ),
    "a real server that is absent, by its address": (
        r1,
        lambda model: (
            host("web2", lvs_state="absent")(model),
            service(real_servers=[{"address": "192.168.246.162"}])(model),
        ),
        [
            f"{S}.real_servers[0].address: web2 has lvs_state absent, and would get packets while it is put back; "
            "take it out of real_servers; a weight of 0 is not enough"
        ],
    ),
    "a state that is none": (
        r1,
        host("web1", lvs_state="abesnt"),
        ["web1: lvs_state: 'abesnt' is not known; did you mean absent? Otherwise use one of present, absent"],
    ),
    "a state without a value": (
        r1,
        host("lb1", lvs_state=None),
        ["lb1: lvs_state: null is not known; use one of present, absent"],
    ),
    "a real server that is not in the group": (
        r1,
        lambda model: model.groups["lvs_real_servers"].remove("web2"),
        [
            f"{S}.real_servers[1].host: web2 is not in the group lvs_real_servers, so nothing prepares it; "
            "add it to the group, or write address: where somebody else prepares it"
        ],
    ),
    "a director that is a real server, and not in the group": (
        r1,
        lambda model: model.service["real_servers"].extend(rs("lb1")),
        [
            f"{S}.real_servers[2].host: lb1 is not in the group lvs_real_servers, so nothing prepares it; "
            "add it to the group, or write address: where somebody else prepares it"
        ],
    ),
    "a real server that is nobody": (
        r1,
        lambda model: model.service["real_servers"].append({"weight": 2}),
        [f"{S}.real_servers[2]: names no real server; write host: NAME of the inventory, or address: RIP"],
    ),
    "a real server's address that is none": (
        r1,
        lambda model: model.service["real_servers"].append({"address": "10.0.0.256"}),
        [f"{S}.real_servers[2].address: '10.0.0.256' is no IP address; write the real server's own address"],
    ),
    "a real server's address that is loopback": (
        r1,
        lambda model: model.service["real_servers"].append({"address": "127.0.0.1"}),
        [f"{S}.real_servers[2].address: '127.0.0.1' is a loopback address; write the real server's own address"],
    ),
    "a port that differs in DR": (
        r1,
        entry(port=8080),
        [
            f"{S}.real_servers[1].port: 8080 differs from the service's port 80, and direct routing cannot map ports; "
            "leave it out, or use forward: nat"
        ],
    ),
    "a port of a real server behind a firewall mark": (
        r1,
        lambda model: (fwmark()(model), entry(port=443)(model)),
        [
            f"{S}.real_servers[1].port: 443 has no meaning here: a service by firewall mark has no port, and with "
            "direct routing a packet arrives on the port that the client asked for; leave it out, or use forward: nat "
            "without persistence, which sends all of them to port 443"
        ],
    ),
    "a port of a real server behind a firewall mark in TUN": (
        r6,
        lambda model: (fwmark()(model), entry(port=443)(model)),
        [
            f"{S}.real_servers[1].port: 443 has no meaning here: a service by firewall mark has no port, and with a "
            "tunnel a packet arrives on the port that the client asked for; leave it out, or use forward: nat without "
            "persistence, which sends all of them to port 443"
        ],
    ),
    "a duplicate name": (
        r1,
        again(name="web", port=81),
        ["lvs_services[1].name: 'web' is the name of lvs_services[0] too; give every service a name of its own"],
    ),
    "a duplicate service": (
        r1,
        again(),
        [
            "lvs_services[1]: tcp 192.168.246.160 port 80 is lvs_services[0] already; "
            "use another protocol, address or port, or put their real servers together"
        ],
    ),
    "a duplicate firewall mark": (
        r1,
        lambda model: (fwmark()(model), again()(model)),
        ["lvs_services[1]: fwmark 10 is lvs_services[0] already; use another mark, or put their real servers together"],
    ),
    "a duplicate real server": (
        r1,
        entry(host="web1"),
        [
            f"{S}.real_servers[1]: 192.168.246.161 port 80 is {S}.real_servers[0] already; "
            "keep one, with the weight it shall have"
        ],
    ),
    "a duplicate real server, by host and by address": (
        r1,
        lambda model: model.service["real_servers"].append({"address": "192.168.246.161"}),
        [
            f"{S}.real_servers[2]: 192.168.246.161 port 80 is {S}.real_servers[0] already; "
            "keep one, with the weight it shall have"
        ],
    ),
    "an unknown scheduler": (
        r1,
        service(scheduler="wlcc"),
        [f"{S}.scheduler: 'wlcc' is not known; did you mean wlc? Otherwise use one of {SCHEDULERS}"],
    ),
    "an unknown protocol": (
        r1,
        service(protocol="http"),
        [f"{S}.protocol: 'http' is not known; use one of tcp, udp, sctp"],
    ),
    "an unknown forwarding method": (
        r1,
        service(forward="masq"),
        [f"{S}.forward: 'masq' is not known; did you mean nat? Otherwise use one of dr, nat, tun, fullnat"],
    ),
    "no forwarding method": (
        r1,
        service(forward=None),
        [f"{S}.forward: is missing; use one of dr, nat, tun, fullnat: it decides the topology"],
    ),
    "a VIP that is no address": (
        r1,
        service(address="192.168.246.1600"),
        [f"{S}.address: '192.168.246.1600' is no IP address; {VIP_REMEDY}"],
    ),
    "a VIP that is a number": (r1, service(address=160), [f"{S}.address: 160 is no IP address; {VIP_REMEDY}"]),
    "no VIP": (r1, service(address=None), [f"{S}.address: is missing; write the VIP, or fwmark and family"]),
    "a VIP that is a network": (
        r1,
        service(address="192.168.246.0/24"),
        [f"{S}.address: '192.168.246.0/24' is a network; {VIP_REMEDY}"],
    ),
    "a VIP that is a broadcast address": (
        r1,
        service(address="192.168.246.255/24"),
        [f"{S}.address: '192.168.246.255/24' is the broadcast address of its network; {VIP_REMEDY}"],
    ),
    "a VIP with the prefix of everything": (
        r1,
        service(address="192.168.246.160/0"),
        [f"{S}.address: '192.168.246.160/0' makes every address a neighbour; {VIP_REMEDY}"],
    ),
    "a VIP that is the director's broadcast address": (
        r1,
        service(address="192.168.246.255"),
        [
            f"{S}.address: 192.168.246.255 is the broadcast address of 192.168.246.0/24, where lb1 is; "
            "use another address of it"
        ],
    ),
    # The lowest address of a network is one like others, from Linux 5.14 on.
    "real servers of which one is no host": (
        r1,
        service(real_servers=[{"address": "192.168.246.255"}, {"host": "web1"}, {"address": "192.168.246.0"}]),
        [
            f"{S}.real_servers[0]: 192.168.246.255 is the broadcast address of 192.168.246.0/24, where lb1 is; "
            "use another address of it",
        ],
    ),
    "a real server whose own address is no host's": (
        r1,
        host("web1", lvs_address="192.168.246.255"),
        [
            "web1: lvs_address: 192.168.246.255 is the broadcast address of 192.168.246.0/24, where lb1 is; use "
            "another address of it",
        ],
    ),
    "a VIP that is multicast": (
        r1,
        service(address="224.0.0.18"),
        [f"{S}.address: '224.0.0.18' is a multicast address; {VIP_REMEDY}"],
    ),
    "a VIP that is loopback": (
        r1,
        service(address="127.0.0.2"),
        [f"{S}.address: '127.0.0.2' is a loopback address; {VIP_REMEDY}"],
    ),
    "a VIP that is unspecified": (
        r1,
        service(address="0.0.0.0"),  # noqa: S104, it is refused
        [f"{S}.address: '0.0.0.0' is the unspecified address; {VIP_REMEDY}"],
    ),
    "a VIP that needs an interface": (
        r1,
        service(address="fe80::1"),
        [f"{S}.address: 'fe80::1' is a link-local address, which needs an interface; {VIP_REMEDY}"],
    ),
    "a VIP that is a RIP": (
        r1,
        service(address="192.168.246.161"),
        [
            f"{S}.address: the VIP 192.168.246.161 is the own address of the real server web1; "
            "use an address that no host has by itself"
        ],
    ),
    "a VIP that is a DIP": (
        r1,
        service(address="192.168.246.166"),
        [
            f"{S}.address: the VIP 192.168.246.166 is the own address of the director lb1; "
            "use an address that no host has by itself"
        ],
    ),
    "two prefixes of a VIP": (
        r3,
        again(port=81, address="192.168.50.128/23"),
        [
            "lvs_services[1].address: the VIP 192.168.50.128 has the prefix 23 here and 24 in lvs_services[0]; "
            "write the prefix once"
        ],
    ),
    "mixed families": (
        r1,
        entry(address="fd00::162"),
        [
            f"{S}.real_servers[1]: web2 (fd00::162) is IPv6, and the service is IPv4; "
            "write its IPv4 address as address: beside or instead of host:",
        ],
    ),
    "a family that is not the VIP's": (
        r1,
        service(family="ipv6"),
        [f"{S}.family: 'ipv6' is not the family of 192.168.246.160; leave it out"],
    ),
    "a weight out of range": (
        r1,
        entry(weight=2**31),
        [f"{S}.real_servers[1].weight: 2147483648 is out of range; use 0 to 2147483647"],
    ),
    "a weight below 0": (
        r1,
        entry(weight=-1),
        [f"{S}.real_servers[1].weight: -1 is out of range; use 0 to 2147483647"],
    ),
    "a weight that is a boolean": (
        r1,
        entry(weight=True),
        [f"{S}.real_servers[1].weight: true is no whole number; use 0 to 2147483647"],
    ),
    "a port out of range": (r1, service(port=65536), [f"{S}.port: 65536 is out of range; use 0 to 65535"]),
    "a port that is a name": (r1, service(port="http"), [f"{S}.port: 'http' is no whole number; use 0 to 65535"]),
    "no port": (r1, service(port=None), [f"{S}.port: is missing; {PORT_REMEDY}"]),
    "a real server's port out of range": (
        r4,
        entry(port=99999),
        [f"{S}.real_servers[1].port: 99999 is out of range; use 0 to 65535"],
    ),
    "a threshold out of range": (
        r1,
        entry(upper_threshold=65536),
        [f"{S}.real_servers[1].upper_threshold: 65536 is out of range; use 0 to 65535"],
    ),
    "the lower threshold above the upper": (
        r1,
        entry(upper_threshold=10, lower_threshold=11),
        [f"{S}.real_servers[1].lower_threshold: 11 is above upper_threshold 10; use 0 to 10"],
    ),
    "a lower threshold alone": (
        r1,
        entry(lower_threshold=5),
        [
            f"{S}.real_servers[1].lower_threshold: has no upper_threshold to go with; "
            "set upper_threshold too, or leave it out"
        ],
    ),
    "a timeout out of range": (
        r1,
        service(persistence={"timeout": 2678401}),
        [f"{S}.persistence.timeout: 2678401 is out of range; use 0 to 2678400"],
    ),
    "a timeout of 0 with a netmask": (
        r1,
        service(persistence={"timeout": 0, "netmask": "255.255.255.0"}),
        [f"{S}.persistence.timeout: 0 turns persistence off; use 1 to 2678400, or keep only timeout: 0"],
    ),
    "port 0 without persistence": (
        r1,
        service(port=0),
        [f"{S}.port: 0 means every port, which needs persistence; add persistence: {{timeout: 300}}, or name the port"],
    ),
    "a prefix as netmask of IPv4": (
        r1,
        service(persistence={"netmask": 24}),
        [f"{S}.persistence.netmask: 24 is no netmask of IPv4; write it such as 255.255.255.0"],
    ),
    "a netmask of IPv6 for IPv4": (
        r1,
        service(persistence={"netmask": "ffff::"}),
        [f"{S}.persistence.netmask: 'ffff::' is no netmask of IPv4; write it such as 255.255.255.0"],
    ),
    "a netmask of IPv4 for IPv6": (
        r1,
        persistent_v6("255.255.255.0"),
        [f"{S}.persistence.netmask: '255.255.255.0' is no prefix of IPv6; use 1 to 128"],
    ),
    "a prefix of IPv6 out of range": (
        r1,
        persistent_v6(129),
        [f"{S}.persistence.netmask: 129 is no prefix of IPv6; use 1 to 128"],
    ),
    "a netmask with a gap": (
        r1,
        service(persistence={"netmask": "255.0.255.0"}),
        [f"{S}.persistence.netmask: 255.0.255.0 has a gap in its bits; write it such as 255.255.255.0"],
    ),
    "a firewall mark with an address": (
        r1,
        service(fwmark=10),
        [f"{S}.fwmark: stands together with address; keep one: a mark or an address makes the service"],
    ),
    "a firewall mark without a family": (
        r1,
        fwmark(family=None),
        [f"{S}.family: is missing; a firewall mark needs family: ipv4 or ipv6"],
    ),
    "a firewall mark out of range": (
        r1,
        fwmark(fwmark=2**32),
        [f"{S}.fwmark: 4294967296 is out of range; use 1 to 4294967295"],
    ),
    "an unknown family": (
        r1,
        fwmark(family="inet"),
        [f"{S}.family: 'inet' is not known; did you mean ipv4? Otherwise use one of ipv4, ipv6"],
    ),
    "a firewall mark with a port": (
        r1,
        fwmark(port=80),
        [f"{S}.port: has no meaning with fwmark; leave it out: the firewall's rule chooses"],
    ),
    "a firewall mark with a protocol": (
        r1,
        fwmark(protocol="tcp"),
        [f"{S}.protocol: has no meaning with fwmark; leave it out: the firewall's rule chooses"],
    ),
    "a flag of another scheduler": (
        r1,
        service(scheduler="sh", scheduler_flags=["sh-port", "mh-port"]),
        [
            f"{S}.scheduler_flags[1]: 'mh-port' is no flag of the scheduler sh; use one of sh-port, sh-fallback",
        ],
    ),
    "a flag of a scheduler without flags": (
        r1,
        service(scheduler_flags=["sh-port"]),
        [f"{S}.scheduler_flags[0]: 'sh-port' is no flag of the scheduler rr; leave it out, or use scheduler sh or mh"],
    ),
    "an unknown flag": (
        r1,
        service(scheduler="mh", scheduler_flags=["mh-prot"]),
        [
            f"{S}.scheduler_flags[0]: 'mh-prot' is not known; did you mean mh-port? "
            "Otherwise use one of sh-port, sh-fallback, mh-port, mh-fallback"
        ],
    ),
    "a flag twice": (
        r1,
        service(scheduler="mh", scheduler_flags=["mh-port", "mh-port"]),
        [f"{S}.scheduler_flags[1]: 'mh-port' is listed twice; keep one"],
    ),
    "one-packet scheduling of tcp": (
        r1,
        service(one_packet=True),
        [f"{S}.one_packet: works with udp, and the service is tcp; use protocol: udp"],
    ),
    "a boolean that is none": (
        r1,
        service(one_packet="maybe"),
        [f"{S}.one_packet: 'maybe' is no boolean; use true or false"],
    ),
    "an unknown persistence engine": (
        r1,
        service(persistence={"engine": "ftp"}),
        [f"{S}.persistence.engine: 'ftp' is not known; use sip, or leave it out"],
    ),
    "the engine sip for tcp": (
        r1,
        service(persistence={"engine": "sip"}),
        [f"{S}.persistence.engine: sip reads udp, and the service is tcp; use protocol: udp"],
    ),
    "a director that is the real servers' gateway, by lvs_gateway": (
        r1,
        host("web2", lvs_gateway="192.168.246.166"),
        [
            f"{S}.real_servers[1]: the default gateway of web2, 192.168.246.166, is the director lb1, which drops "
            "answers that come from its own VIP; "
            "set lvs_gateway of web2 to another router, or use forward: nat for all its services"
        ],
    ),
    "a director that is the real servers' gateway, by facts": (
        r1,
        host("web1", ansible_facts=facts(nic("eth1", "192.168.246.161/24"), gateway="192.168.246.166")),
        [
            f"{S}.real_servers[0]: the default gateway of web1, 192.168.246.166, is the director lb1, which drops "
            "answers that come from its own VIP; "
            "take that route away (on web1: ip -4 route del default via 192.168.246.166), or "
            "set lvs_gateway to the gateway that it shall have now "
            "(an earlier run with forward: nat may have set this one), or use forward: nat for all its services"
        ],
    ),
    "a director that is the real servers' IPv6 gateway, by facts, beside an IPv4 gateway": (
        r1,
        ipv6_gateway_of_facts,
        [
            f"{S}.real_servers[0]: the default gateway of web1, fd00::166, is the director lb1, which drops "
            "answers that come from its own VIP; "
            "take that route away (on web1: ip -6 route del default via fd00::166), or "
            "set lvs_gateway to the gateway that it shall have now "
            "(an earlier run with forward: nat may have set this one), or use forward: nat for all its services"
        ],
    ),
    "a director that is the real servers' IPv6 gateway by its link-local address": (
        r1,
        link_local_gateway_of_facts,
        [
            f"{S}.real_servers[0]: the default gateway of web1, fe80::2, is the director lb1, which drops "
            "answers that come from its own VIP; "
            "take that route away (on web1: ip -6 route del default via fe80::2), or "
            "set lvs_gateway to the gateway that it shall have now "
            "(an earlier run with forward: nat may have set this one), or use forward: nat for all its services"
        ],
    ),
    "a director that is the real servers' gateway, by its VIP": (
        r1,
        host("web2", lvs_gateway="192.168.246.160"),
        [
            f"{S}.real_servers[1]: the default gateway of web2, 192.168.246.160, is the director lb1, which drops "
            "answers that come from its own VIP; "
            "set lvs_gateway of web2 to another router, or use forward: nat for all its services"
        ],
    ),
    "a director that is the real servers' gateway, because of NAT": (
        r1,
        both_nat_and_dr,
        [
            f"{S}.real_servers[{position}]: the default gateway of {name}, 192.168.246.166, is the director lb1, "
            "which drops answers that come from its own VIP, because lvs_services[1] (other) is NAT and "
            "lvs_services[0] (web) is not; give one of the two other real servers, or the forward of the other"
            for position, name in enumerate(["web1", "web2"])
        ],
    ),
    "a real server outside the director's segment in DR": (
        r1,
        elsewhere,
        [
            f"{S}.real_servers[1]: web2 (10.9.9.9) is on no network of the director lb1, and direct routing works on "
            "one segment; move it there, correct its lvs_address, or use forward: nat"
        ],
    ),
    "no director": (
        r1,
        no_directors,
        ["lvs_services: no host is in the group lvs_directors; put the director there"],
    ),
    "a director without services": (
        r1,
        no_services,
        [
            "lb1: lvs_services: is not set for this director; set it, to [] where there shall be no service",
        ],
    ),
    "a VIP on two directors": (
        two_directors,
        shared_vip,
        [
            "lb2: lvs_services: the VIP 192.168.246.160 is on lb1 too, and both would answer for it; set lvs_manager: "
            "keepalived for lb1 and lb2, which moves it, or lvs_bgp for all of them, so that routers know each, or "
            "give each director VIPs of its own"
        ],
    ),
    "a mistake of one of two directors": (
        two_directors,
        lambda model: model.hostvars["lb2"]["lvs_services"][0].update(port=-1),
        ["lb2: lvs_services[0].port: -1 is out of range; use 0 to 65535"],
    ),
    "two default gateways": (
        two_directors,
        two_nat_directors,
        [
            "lvs_gateway (web1, web2): is needed: lb1: lvs_services[0] (web) wants 192.168.246.166 as default gateway, "
            "lb2: lvs_services[0] (web) wants 192.168.246.167; set it to the one that leads back through all of them"
        ],
    ),
    "a NAT director that is not on the real servers' network": (
        r4,
        host("app2", lvs_address="10.0.1.52", ansible_facts=facts(nic("eth1", "10.0.1.52/24"))),
        [
            "app2: lvs_gateway: is needed: no address of the director lb1 is on a network of app2; "
            "set it to the gateway that leads back through the director"
        ],
    ),
    "a NAT director without any known address": (
        r4,
        lambda model: (model.without_facts(), model.hostvars["lb1"].update(lvs_address="", lvs_vip_interface="eth1")),
        [
            "lvs_gateway (app1, app2): is needed: the director lb1 has no lvs_address, and its facts are not known; "
            "set it to the gateway that leads back through the director"
        ],
    ),
    "a VIP on no network of the director": (
        r1,
        service(address="10.7.7.7"),
        ["lb1: lvs_vip_interface: is needed: no network of lb1 holds the VIP 10.7.7.7; set it, or correct the VIP"],
    ),
    "a director without facts": (
        r1,
        lambda model: model.without_facts("lb1"),
        [
            "lb1: lvs_vip_interface: is needed where facts do not tell the interface for the VIPs; "
            "set it, or gather facts"
        ],
    ),
    "a VIP on lo that the director hides as a real server": (
        r2,
        lambda model: (model.service["real_servers"].extend(rs("lb1")), model.groups["lvs_real_servers"].append("lb1")),
        [
            "lb1: lvs_vip_interface: the VIP 192.168.0.100 is on lo, and as a real server with lvs_arp_method sysctl "
            "lb1 answers ARP for its NIC's addresses only; put the VIP on the NIC: name the one whose network holds it"
        ],
    ),
    "a VIP on lo that the director hides as another's real server": (
        two_directors,
        lambda model: (
            host("lb1", lvs_vip_interface="lo")(model),
            model.hostvars["lb2"]["lvs_services"][0]["real_servers"].extend(rs("lb1")),
            model.groups["lvs_real_servers"].append("lb1"),
        ),
        [
            "lb1: lvs_vip_interface: the VIP 192.168.246.160 is on lo, and as a real server with lvs_arp_method sysctl "
            "lb1 answers ARP for its NIC's addresses only; put the VIP on the NIC: name the one whose network holds it"
        ],
    ),
    "an IPv6 VIP on lo": (
        r1,
        lambda model: (
            service(address="fd00::160", real_servers=[])(model),
            host("lb1", lvs_vip_interface="lo", ansible_facts=facts(nic("eth1", "fd00::166/64")))(model),
        ),
        [
            "lb1: lvs_vip_interface: the VIP fd00::160 is on lo, for which the kernel answers no neighbour "
            "solicitation; name the NIC whose network holds the VIP"
        ],
    ),
    "an interface that does not exist": (
        r1,
        host("lb1", lvs_vip_interface="eth11"),
        ["lb1: lvs_vip_interface: lb1 has no interface 'eth11'; did you mean eth1? Otherwise use one of lo, eth1"],
    ),
    "an unknown ARP method": (
        r1,
        host("web1", lvs_arp_method="arptable"),
        [
            "web1: lvs_arp_method: 'arptable' is not known; "
            "did you mean arptables? Otherwise use one of sysctl, arptables, static_neighbour"
        ],
    ),
    "a static neighbour without a router": (
        r1,
        static_without_router,
        [
            "web2: lvs_arp_method: static_neighbour needs a router to write to, and the group lvs_routers has none "
            "that is present; add the router, or use sysctl"
        ],
    ),
    "a static neighbour with a router that is absent": (
        r2,
        lambda model: (static_with()(model), host("router", lvs_state="absent")(model)),
        [
            "web1: lvs_arp_method: static_neighbour needs a router to write to, and the group lvs_routers has none "
            "that is present; add the router, or use sysctl"
        ],
    ),
    "a static neighbour with a router elsewhere": (
        r2,
        static_with(router=facts(nic("eth1", "10.1.1.1/24"))),
        [
            "web1: lvs_arp_method: static_neighbour needs a router on the network of the VIP 192.168.0.100: router "
            "is not there; add the right router, or use sysctl"
        ],
    ),
    "a static neighbour with an unknown router": (
        r2,
        static_with(router={}),
        [
            "router: facts: are needed to find the interface towards the VIP 192.168.0.100 "
            "(lvs_arp_method: static_neighbour); gather the facts of router"
        ],
    ),
    "a static neighbour without a MAC": (
        r2,
        static_with(lb1=facts(nic("eth1", "192.168.0.200/24"))),
        [
            "lb1: facts: do not tell the MAC that answers for the VIP 192.168.0.100 (lvs_arp_method: "
            "static_neighbour); gather the facts of lb1, or use lvs_arp_method: sysctl"
        ],
    ),
    "an unknown scope of purge": (
        r1,
        host("lb1", lvs_purge=["real_servers", "everything"]),
        [
            "lb1: lvs_purge[1]: 'everything' is no scope; "
            "use real_servers, fwmark, all, or a network such as 10.0.0.0/8 without host bits"
        ],
    ),
    "a scope of purge with host bits": (
        r1,
        host("lb1", lvs_purge=["10.0.0.1/8"]),
        [
            "lb1: lvs_purge[0]: '10.0.0.1/8' is no scope; "
            "use real_servers, fwmark, all, or a network such as 10.0.0.0/8 without host bits"
        ],
    ),
    "purge as text": (
        r1,
        host("lb1", lvs_purge="all"),
        ["lb1: lvs_purge: must be a list of scopes, is 'all'; write each on a line with a dash"],
    ),
    "a gateway that is no address": (
        r1,
        host("web1", lvs_gateway="router"),
        [
            "web1: lvs_gateway: 'router' is no IP address; "
            "write an address, auto, or none to leave the default route alone"
        ],
    ),
    "one packet through NAT": (
        r3,
        service(protocol="udp", one_packet=True),
        [
            f"{S}.one_packet: keeps no connection by which the director would know the answers of forward: nat; they "
            "would reach clients with the real servers' addresses; leave it out, use forward: dr, or say "
            "one_way: true where real servers answer nothing, as with syslog"
        ],
    ),
    "a sysctl that no kernel has": (
        r1,
        host("lb1", lvs_sysctls={"net.ipv4.vs.contrack": 1, "net.ipv4.vs.est_nice": 1, "net.ipv4.vs.nothing_like": 1}),
        [
            "lb1: lvs_sysctls[net.ipv4.vs.contrack]: is not known; did you mean conntrack? Otherwise leave it out",
        ],
    ),
    "a sysctl in both notations": (
        r1,
        host("lb1", lvs_sysctls={"net.ipv4.tcp_syncookies": 1, "net/ipv4/tcp_syncookies": 0}),
        [
            "lb1: lvs_sysctls[net/ipv4/tcp_syncookies]: is net.ipv4.tcp_syncookies in another notation, which is "
            "listed already; keep one of the two"
        ],
    ),
    "sysctls that are no single line": (
        r1,
        host("lb1", lvs_sysctls={"a.b": "", "a.c": "1\nkernel.core_pattern = x", "a.d": "\0", "a.e": [1], "a*.f": 1}),
        [
            f"lb1: lvs_sysctls[{key}]: {problem}; write a number or text, or null to leave the key alone"
            for key, problem in (
                ("a.b", "'' is not one line of text"),
                ("a.c", "'1\\nkernel.core_pattern = x' is not one line of text"),
                ("a.d", "'\\x00' is not one line of text"),
                ("a.e", "a list is no value of a sysctl"),
            )
        ]
        + ["lb1: lvs_sysctls[a*.f]: is not the name of a sysctl; write it as net.ipv4.ip_forward"],
    ),
    "a real server whose ansible_host is a loopback address": (
        r1,
        lambda model: (host("web2", lvs_address="", ansible_host="127.0.0.1")(model), model.without_facts("web2")),
        [
            "web2: lvs_address: is needed: no IPv4 address of web2 is known, and its ansible_host 127.0.0.1 is a "
            "loopback address; set it to the address by which directors reach web2"
        ],
    ),
    "a gateway that is the host itself": (
        r1,
        host("web1", lvs_gateway="192.168.246.161"),
        [
            "web1: lvs_gateway: 192.168.246.161 is an address of web1 itself; "
            "write the router's, or none to leave the route alone"
        ],
    ),
    "words that are lists": (
        r6,
        lambda model: (entry(tunnel={"type": ["ipip"]})(model), host("lb1", lvs_sync={"role": ["master"]})(model)),
        [
            "lb1: lvs_sync.role: a list is not known; use one of master, backup, both",
            f"{S}.real_servers[1].tunnel.type: a list is not known; use one of ipip, gue, gre",
        ],
    ),
    "a port of thousands of digits": (
        r1,
        service(port="9" * 5000),
        [f"{S}.port: '{'9' * 59}... (5002 characters) is no whole number; use 0 to 65535"],
    ),
    "an interface that iptables takes for many": (
        r1,
        host("lb1", lvs_vip_interface="eth+"),
        ["lb1: lvs_vip_interface: 'eth+' is no name of an interface; write it as eth1"],
    ),
    "two gateways of one family": (
        r1,
        host("web1", lvs_gateway=["192.168.246.1", "192.168.246.2"]),
        [
            "web1: lvs_gateway: lists two gateways of one address family; keep one for IPv4 and one for IPv6",
        ],
    ),
    "an unknown manager": (
        r1,
        host("lb1", lvs_manager="ldirectord"),
        ["lb1: lvs_manager: 'ldirectord' is not known; use one of kernel, keepalived, checker"],
    ),
    "keep_weights that is no boolean": (
        r1,
        host("lb1", lvs_keep_weights=3),
        ["lb1: lvs_keep_weights: 3 is no boolean; use true or false"],
    ),
    "metrics that are none": (
        r1,
        host("lb1", lvs_metrics="maybe", lvs_metrics_interval=1, lvs_metrics_directory="metrics"),
        [
            "lb1: lvs_metrics_interval: 1 is no interval; use 5 to 3600 seconds",
            "lb1: lvs_metrics_directory: 'metrics' is no absolute path of letters, digits and /._-+@; "
            "write it as /var/lib/prometheus/node-exporter",
            "lb1: lvs_metrics: 'maybe' is no boolean; use true or false",
        ],
    ),
    "a consent that is no boolean": (
        r1,
        host("lb1", lvs_take_over="perhaps"),
        ["lb1: lvs_take_over: 'perhaps' is no boolean; use true or false"],
    ),
    "timeouts out of range, of a wrong name, and of a wrong kind": (
        r1,
        host("lb1", lvs_timeouts={"tcp": -1, "tcp_fin": 5, "udp": "long"}),
        [
            "lb1: lvs_timeouts.tcp: -1 is out of range; use 0 to 2678400",
            "lb1: lvs_timeouts.udp: 'long' is no whole number; use 0 to 2678400",
            "lb1: lvs_timeouts.tcp_fin: is not a known key; did you mean tcpfin? Otherwise use one of tcp, tcpfin, udp",
        ],
    ),
    "timeouts as ipvsadm has them": (
        r1,
        host("lb1", lvs_timeouts="900 120 300"),
        [
            "lb1: lvs_timeouts: must be a mapping, is '900 120 300'; write it as {tcp: 900, tcpfin: 120, udp: 300}",
        ],
    ),
    "sync without a role": (
        r1,
        host("lb1", lvs_sync={"syncid": 256}),
        [
            "lb1: lvs_sync.role: is missing; use one of master, backup, both",
            "lb1: lvs_sync.syncid: 256 is out of range; use 0 to 255",
        ],
    ),
    "sync that no kernel takes": (
        r1,
        host(
            "lb1",
            lvs_sync={"role": "backup", "group": "10.0.0.1", "maxlen": 1023, "port": 0, "ttl": 256, "interface": 1},
        ),
        [
            "lb1: lvs_sync.interface: 1 is no name of an interface; write it as eth1",
            "lb1: lvs_sync.group: '10.0.0.1' is no multicast address; use 224.0.0.81 or ff02::81",
            "lb1: lvs_sync.maxlen: 1023 is out of range; use 1024 to 65507",
            "lb1: lvs_sync.port: 0 is out of range; use 1 to 65535",
            "lb1: lvs_sync.ttl: 256 is out of range; use 1 to 255",
        ],
    ),
    "sync on an interface that is not there": (
        r1,
        host("lb1", lvs_sync={"role": "slave", "interface": "eth7"}),
        [
            "lb1: lvs_sync.role: 'slave' is not known; use one of master, backup, both",
            "lb1: lvs_sync.interface: lb1 has no interface 'eth7'; did you mean eth1? Otherwise use one of lo, eth1",
        ],
    ),
    "sync where nothing tells the interface": (
        r1,
        lambda model: (
            host("lb1", lvs_sync={"role": "master"}, lvs_vip_interface="eth1")(model),
            model.without_facts("lb1"),
        ),
        [
            "lb1: lvs_sync.interface: is needed where facts do not tell the interface that holds lvs_address; "
            "name the one on which the directors reach each other",
        ],
    ),
    "sync both ways and forwarding nothing": (
        r1,
        host("lb1", lvs_sync={"role": "both"}, lvs_sysctls={"net.ipv4.vs.backup_only": 1}),
        [
            "lb1: lvs_sync.role: is both, and with net.ipv4.vs.backup_only a director whose backup daemon runs "
            "forwards nothing; take net.ipv4.vs.backup_only out of lvs_sysctls, or use one role at a time",
        ],
    ),
    "sysctls as a list": (
        r1,
        host("lb1", lvs_sysctls=["net.ipv4.ip_forward"]),
        ["lb1: lvs_sysctls: must be a mapping, is a list; write it as net.ipv4.vs.backup_only: 1"],
    ),
    "a sysctl that is none": (
        r1,
        host("lb1", lvs_sysctls={"ip_forward": 1}),
        ["lb1: lvs_sysctls[ip_forward]: is not the name of a sysctl; write it as net.ipv4.ip_forward"],
    ),
    "a sysctl that the ARP method sets": (
        r1,
        host("web1", lvs_sysctls={"net/ipv4/conf/eth1/arp_ignore": 2, "net.ipv4.conf.all.arp_announce": None}),
        [
            f"web1: lvs_sysctls[net.ipv4.conf.{name}]: is set by lvs_arp_method: sysctl here, and the two would "
            "overwrite each other; leave it out, or use another lvs_arp_method"
            for name in ("eth1.arp_ignore", "all.arp_announce")
        ],
    ),
    "a sysctl without a value": (
        r1,
        host("lb1", lvs_sysctls={"net.ipv4.ip_forward": True}),
        [
            "lb1: lvs_sysctls[net.ipv4.ip_forward]: true is no value of a sysctl; "
            "write a number or text, or null to leave the key alone"
        ],
    ),
    "an interface that is a number": (
        r1,
        host("lb1", lvs_vip_interface=["eth1"]),
        ["lb1: lvs_vip_interface: must be text, is a list; write one word"],
    ),
    "an unknown key of a service": (
        r1,
        service(protocl="tcp"),
        [
            f"{S}.protocl: is not a known key; did you mean protocol? Otherwise use one of name, address, fwmark, "
            "family, protocol, port, forward, scheduler, scheduler_flags, persistence, one_packet, one_way, "
            "real_servers, snat_addresses, marked, helper, directors, sorry_server, quorum, hysteresis, "
            "min_up, inhibit_on_failure, alpha, health_check, quorum_up, quorum_down, omega, smtp_alert, group, raw"
        ],
    ),
    "an unknown key of a real server": (
        r1,
        entry(wieght=3),
        [
            f"{S}.real_servers[1].wieght: is not a known key; did you mean weight? Otherwise use one of host, "
            "address, port, canary, weight, upper_threshold, lower_threshold, tunnel, health_check, notify_up, "
            "notify_down, inhibit_on_failure, alpha, smtp_alert"
        ],
    ),
    "an unknown key of persistence": (
        r1,
        service(persistence={"time": 3}),
        [
            f"{S}.persistence.time: is not a known key; did you mean timeout? Otherwise use one of timeout, netmask, "
            "engine"
        ],
    ),
    "no name": (r1, service(name=None), [f"{S}.name: is missing; give the service a name of its own"]),
    "a name that is a number": (r1, service(name=5), [f"{S}.name: 5 is no name; give the service a name of its own"]),
    "services as a mapping": (
        r1,
        whole({"web": {}}),
        ["lvs_services: must be a list of services, is a mapping; write each with a dash"],
    ),
    "a service as text": (
        r1,
        whole(["web"]),
        [f"{S}: must be a mapping, is 'web'; write name, address, port, forward and real_servers"],
    ),
    "real servers as text": (
        r1,
        service(real_servers="web1"),
        [f"{S}.real_servers: must be a list of real servers, is 'web1'; write each on a line with a dash"],
    ),
    "a real server as text": (
        r1,
        service(real_servers=["web1"]),
        [f"{S}.real_servers[0]: must be a mapping, is 'web1'; write host: NAME, or address: RIP"],
    ),
    "persistence as a number": (
        r1,
        service(persistence=300),
        [f"{S}.persistence: must be a mapping, is 300; write it as {{timeout: 300}}"],
    ),
    "a tunnel in DR": (
        r1,
        entry(tunnel={"type": "ipip"}),
        [f"{S}.real_servers[1].tunnel: has no meaning without forward: tun; leave it out"],
    ),
    "a tunnel type that there is not": (
        r6,
        tunnel(type="ipop"),
        [
            f"{S}.real_servers[1].tunnel.type: 'ipop' is not known; did you mean ipip? Otherwise use one of ipip, gue, "
            "gre"
        ],
    ),
    "a tunnel as text": (
        r6,
        entry(tunnel="gre"),
        [f"{S}.real_servers[1].tunnel: must be a mapping, is 'gre'; write it as {{type: ipip}}"],
    ),
    "GUE without a port": (
        r6,
        tunnel(type="gue"),
        [f"{S}.real_servers[1].tunnel.port: is missing; write the UDP port for type: gue, such as 6080"],
    ),
    "a port without GUE": (
        r6,
        tunnel(port=6080),
        [
            f"{S}.real_servers[1].tunnel.port: has no meaning with type: ipip, which is no UDP; leave it out, or use "
            "type: gue"
        ],
    ),
    "a GUE port out of range": (
        r6,
        tunnel(type="gue", port=65536),
        [f"{S}.real_servers[1].tunnel.port: 65536 is out of range; use 1 to 65535"],
    ),
    "a checksum in IPIP": (
        r6,
        tunnel(type="ipip", checksum="on"),
        [
            f"{S}.real_servers[1].tunnel.checksum: 'on' is not possible with type: ipip; leave it out, or use type: "
            "gue or gre"
        ],
    ),
    "a remote checksum in GRE": (
        r6,
        tunnel(type="gre", checksum="remote"),
        [f"{S}.real_servers[1].tunnel.checksum: 'remote' is not possible with type: gre; use none or on"],
    ),
    "a checksum that there is not": (
        r6,
        tunnel(type="gre", checksum="half"),
        [f"{S}.real_servers[1].tunnel.checksum: 'half' is not known; use one of none, on, remote"],
    ),
    "an unknown key of a tunnel": (
        r6,
        tunnel(type="gre", key=7),
        [f"{S}.real_servers[1].tunnel.key: is not a known key; use one of type, port, checksum"],
    ),
    "a port that differs in TUN": (
        r6,
        entry(port=8080),
        [
            f"{S}.real_servers[1].port: 8080 differs from the service's port 80, and a tunnel cannot map ports; leave "
            "it out, or use forward: nat"
        ],
    ),
    "GRE with and without checksum to one host": (
        r6,
        two_tunnels({"type": "gre"}, {"type": "gre", "checksum": "on"}),
        [
            "lvs_services[1].real_servers[0].tunnel.checksum: on here and none in lvs_services[0].real_servers[1], and "
            "the tunnel end lvs-gre of web2 takes only one of them; use the same checksum for both"
        ],
    ),
    "GRE to two addresses of one host": (
        r6,
        two_tunnels({"type": "gre"}, {"type": "gre"}, address="10.7.0.99"),
        [
            "lvs_services[1].real_servers[0]: web2 is reached at 10.7.0.99 here and at 10.7.0.12 in "
            "lvs_services[0].real_servers[1], and its link lvs-gre has one address; use the same address, or another "
            "tunnel type"
        ],
    ),
    "an MTU that leaves too little": (
        r6,
        small(590),
        [
            f"{S}.real_servers[0]: the MTU 590 between lb1 and web2 (10.7.0.12) leaves 570 bytes inside the tunnel, "
            "and IPv4 in IPv4 needs 576; raise the MTU to 596 or more, or use a tunnel that adds less"
        ],
    ),
    "an MTU that leaves too little for IPv6": (
        r6,
        lambda model: (
            small(1300, address="2001:db8:7::12")(model),
            host("lb1", ansible_facts=facts(nic("eth1", "192.168.0.200/24", "2001:db8:7::1/64", mtu=1300)))(model),
        ),
        [
            f"{S}.real_servers[0]: the MTU 1300 between lb1 and web2 (2001:db8:7::12) leaves 1260 bytes inside the "
            "tunnel, and IPv4 in IPv6 needs 1280; raise the MTU to 1320 or more, or use a tunnel that adds less"
        ],
    ),
    "the director as gateway in TUN": (
        r6,
        host("web2", lvs_gateway="192.168.0.200"),
        [
            f"{S}.real_servers[1]: the default gateway of web2, 192.168.0.200, is the director lb1, which drops "
            "answers that come from its own VIP; set lvs_gateway of web2 to another router, or use forward: nat "
            "for all its services"
        ],
    ),
    "source NAT to an address that the director has not": (
        r7,
        service(snat_addresses=["10.1.0.2", "10.1.0.9", "192.0.2.100"]),
        [
            f"{S}.snat_addresses[1]: 10.1.0.9 is not an address of the director lb1, so no answer would come back to "
            "it; configure it there first, or name an address that the director has"
        ],
    ),
    "source NAT to one address twice": (
        r7,
        service(snat_addresses=["10.1.0.2", "10.1.0.2"]),
        [f"{S}.snat_addresses[1]: 10.1.0.2 is listed twice; keep one"],
    ),
    "FULLNAT without an address towards the real servers": (
        r7,
        host("lb1", ansible_facts=facts(nic("eth1", "192.0.2.2/24", "2001:db8::2/64"), nic("eth2", "10.1.0.2/24"))),
        [
            f"lvs_services[1].snat_addresses: is needed: the director lb1 has no IPv6 address towards fd02::{n}; "
            "list the addresses of lb1 that real servers shall see, or gather facts"
            for n in (51, 52)
        ],
    ),
    "a packet filter that is none": (
        r1,
        host("lb1", lvs_packet_filter="nft"),
        ["lb1: lvs_packet_filter: 'nft' is not known; use one of auto, nftables, iptables"],
    ),
    "a firewall that is looked after in no known way": (
        r1,
        host("web1", lvs_firewall="open"),
        ["web1: lvs_firewall: 'open' is not known; use one of check, manage, none"],
    ),
    "packets marked for a service by address": (
        r1,
        service(marked=[{"address": "192.168.246.160"}]),
        [f"{S}.marked: has no meaning without fwmark; leave it out, or use fwmark in place of address"],
    ),
    "marked packets that cannot be understood": (
        r1,
        fwmark(
            marked=[
                "192.168.246.160",
                {"ports": [80]},
                {"address": "fd00::1"},
                {"address": "192.168.246.160", "ports": [0, "90-80", 443, "440-450", True], "port": 80},
            ]
        ),
        [
            f"{S}.marked[0]: must be a mapping, is '192.168.246.160'; "
            "write address: VIP, ports: [80, 443] and where it is not tcp protocol",
            f"{S}.marked[1].address: is missing; write the VIP whose packets carry the mark",
            f"{S}.marked[2].address: fd00::1 is not of the service's family; use an IPv4 address",
            f"{S}.marked[3].ports[0]: 0 is neither a port nor a range of ports; use 1 to 65535, or a range such as "
            "30000-30100",
            f"{S}.marked[3].ports[1]: '90-80' is neither a port nor a range of ports; use 1 to 65535, or a range such "
            "as 30000-30100",
            f"{S}.marked[3].ports[3]: 440-450 is listed already; name each port once",
            f"{S}.marked[3].ports[4]: true is neither a port nor a range of ports; use 1 to 65535, or a range such "
            "as 30000-30100",
            f"{S}.marked[3].port: is not a known key; did you mean ports? Otherwise use one of address, protocol, "
            "ports",
        ],
    ),
    "packets that two services mark": (
        r1,
        two_marks,
        [
            "lvs_services[2]: its packets get mark 10 from lvs_services[0].marked[0], and never come here; "
            "take the port out there, or this service away",
            "lvs_services[1].marked[0]: tcp 192.168.246.160 ports 85 to 90 gets mark 10 too, from "
            "lvs_services[0].marked[0]; name each port once",
        ],
    ),
    "the ftp helper in DR": (
        r1,
        service(helper="ftp", port=21),
        [
            f"{S}.helper: has no effect but on a service with address and forward: nat; leave it out, and use fwmark "
            "with the ports of control and data in marked, and persistence"
        ],
    ),
    "the ftp helper for another port": (
        r3,
        service(helper="ftp"),
        [f"{S}.helper: the kernel looks at port 21 only, and the service has 80; use port: 21, or leave it out"],
    ),
    "the ftp helper for udp": (
        r3,
        service(helper="ftp", port=21, protocol="udp"),
        [f"{S}.helper: ftp is tcp, and the service is udp; use protocol: tcp"],
    ),
    "an unknown helper": (
        r3,
        service(helper="sip"),
        [f"{S}.helper: 'sip' is not known; use one of ftp"],
    ),
    "source NAT in DR": (
        r1,
        service(snat_addresses=["10.0.0.1"]),
        [f"{S}.snat_addresses: has no meaning with forward: dr; leave it out, or use fullnat"],
    ),
    "a source NAT address that is none": (
        r1,
        service(forward="fullnat", snat_addresses=["10.0.0", "fd00::1"]),
        [
            f"{S}.snat_addresses[0]: '10.0.0' is no IP address; write one of the director's",
            f"{S}.snat_addresses[1]: fd00::1 is not of the VIP's family; use an IPv4 address",
        ],
    ),
    "an unknown health check": (
        r1,
        service(health_check={"type": "htpp"}),
        [
            f"{S}.health_check.type: 'htpp' is not known; did you mean http? Otherwise use one of http, https, tcp, "
            "udp, smtp, dns, ping, misc, ldap, mysql, pgsql, redis, imap, pop, ftp, file"
        ],
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(name: str) -> None:
    make, change, lines = MISTAKES[name]
    model = make()
    change(model)
    assert model.mistakes() == lines


@pytest.mark.parametrize("name", REFERENCES)
def test_the_reference_topologies_have_none(name: str) -> None:
    assert REFERENCES[name]().mistakes() == []


NEVER = ["0.0.0.1", "::", "127.0.0.1", "::1", "224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1", "::ffff:10.0.0.9"]
# Where an address stands in a model: what puts it there, and the path that a mistake has.
PLACES: dict[str, tuple[Callable[[], Model], Callable[[str], Change], str]] = {
    "VIP": (r1, lambda text: service(address=text), f"{S}.address"),
    "real server": (r1, lambda text: entry(host=None, address=text), f"{S}.real_servers[1].address"),
    "own address": (r1, lambda text: host("web2", lvs_address=text), "web2: lvs_address"),
    "gateway": (r1, lambda text: host("web2", lvs_gateway=text), "web2: lvs_gateway"),
    "source": (r7, lambda text: service(snat_addresses=[text]), f"{S}.snat_addresses[0]"),
    "floating": (r5, lambda text: both(addresses=[text]), "lb1: lvs_vrrp.addresses[0]"),
    "peer": (r5, lambda text: both(unicast=[text]), "lb1: lvs_vrrp.unicast[0]"),
    "marked": (
        r1,
        lambda text: service(
            address=None, port=None, fwmark=1, family="ipv6" if ":" in text else "ipv4", marked=[{"address": text}]
        ),
        f"{S}.marked[0].address",
    ),
}


@pytest.mark.parametrize("text", [*NEVER, "169.254.1.1", "fe80::1"])
@pytest.mark.parametrize("place", PLACES)
def test_addresses_that_cannot_be_right(place: str, text: str) -> None:
    make, put, path = PLACES[place]
    model = make()
    # What two directors have in common makes one line.
    begins = (f"{path}: ", f"{path.removeprefix('lb1: ')} (lb1, lb2): ")
    assert not [line for line in model.mistakes() if line.startswith(begins)]
    put(text)(model)
    refused = [line for line in model.mistakes() if line.startswith(begins)]
    # Clouds have a link-local gateway of IPv4, and two directors may talk on a link of their own.
    fine = {("gateway", "169.254.1.1"), ("peer", "169.254.1.1"), ("peer", "fe80::1")}
    assert bool(refused) is ((place, text) not in fine)


def test_facts_show_no_address_that_cannot_be_right() -> None:
    model = r1()
    odd = ["169.254.7.7/16", "240.0.0.7/8", "127.0.0.9/8", "0.0.0.9/8"]
    host("web2", lvs_address="", ansible_facts=facts(nic("eth1", *odd)))(model)
    assert [line.split("; ")[0] for line in model.mistakes()] == [
        "web2: lvs_address: is needed: facts show no IPv4 address of web2"
    ]
    host("web2", lvs_address="", ansible_facts=facts(nic("eth1", *odd, "192.168.246.162/24")))(model)
    assert model.mistakes() == []


def test_the_sorry_server_may_be_the_director_itself() -> None:
    model = r5()
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_services"][0]["sorry_server"] = {"address": "127.0.0.1", "port": 80}
    assert model.mistakes() == []


def test_a_sysctl_that_is_not_known_yet_is_asked_for_on_the_host() -> None:
    model = r1()
    host("lb1", lvs_sysctls={"net.ipv4.vs.conn_max": 1000})(model)
    assert model.mistakes() == []
    assert model.plan("lb1", "director")["sysctls"]["net.ipv4.vs.conn_max"] == "1000"


def test_services_that_are_given_empty_are_none() -> None:
    model = r1()
    assert model.plan("lb1", "director", services=[])["services"] == []
    assert len(model.plan("lb1", "director")["services"]) == 1
    assert model.refusal("lb1", "director", services="web")[0].startswith("lvs_services: must be a list of services")


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ({"forward": "DR"}, "dr"),
        ({"forward": "masq"}, "nat"),
        ({"forward": "Masquerading"}, "nat"),
        ({"forward": "gatewaying"}, "dr"),
        ({"forward": "ipip"}, "tun"),
        ({"protocol": "TCP"}, "tcp"),
        ({"scheduler": "WLC"}, "wlc"),
        ({"health_check": {"type": "TCP_CHECK"}}, "tcp"),
        ({"health_check": {"type": "tcp", "delay_loop": 6}}, "interval"),
        ({"lb_algo": "rr"}, "scheduler"),
        ({"lvs_sched": "rr"}, "scheduler"),
        ({"lb_kind": "DR"}, "forward"),
        ({"TCP_CHECK": {}}, "health_check"),
        ({"realservers": []}, "real_servers"),
        ({"Real-Servers": []}, "real_servers"),
        ({"persistence_timeout": 300}, "persistence"),
        ({"persistence": {"granularity": "255.255.0.0"}}, "netmask"),
        ({"real_servers": [{"host": "web1", "rport": 8080}]}, "port"),
        ({"real_servers": [{"rip": "192.168.246.161"}]}, "address"),
    ],
)
def test_words_of_the_field_are_understood_as_such(wrong: dict[str, Any], meant: str) -> None:
    model = r1()
    model.service.update(wrong)
    assert any(f"did you mean {meant}? Otherwise " in line for line in model.mistakes()), model.mistakes()


@pytest.mark.parametrize(
    ("key", "remedy"),
    [
        ("real_servers", "list the real servers, write [] for none, or leave the key out"),
        ("snat_addresses", "list the addresses, write [] for none, or leave the key out"),
        ("scheduler_flags", "list the flags, write [] for none, or leave the key out"),
        ("marked", "list the packets that carry the mark, write [] for none, or leave the key out"),
        ("persistence", "write it as {timeout: 300}, or leave the key out"),
        ("health_check", "write it as {type: tcp}, or leave the key out"),
        ("sorry_server", "write it as {address: 127.0.0.1, port: 8080}, or leave the key out"),
    ],
)
def test_a_key_whose_lines_are_all_commented_out(key: str, remedy: str) -> None:
    model = r1()
    model.service[key] = None
    assert f"lvs_services[0].{key}: has nothing below it; {remedy}" in model.mistakes()


def test_a_pool_is_empty_only_where_that_is_written() -> None:
    model = r1()
    del model.service["real_servers"]
    remedy = "list them, or write [] where there shall be none: those in the table are taken away then"
    assert model.mistakes() == [f"lvs_services[0].real_servers: is missing; {remedy}"]
    assert model.refusal("lb1", "director") == model.mistakes()
    model.service["real_servers"] = []
    assert model.mistakes() == []
    plan = model.plan("lb1", "director")
    assert plan["services"][0]["real_servers"] == []
    assert any(note.startswith("lvs_services[0].real_servers: is empty") for note in plan["notes"])


def test_a_list_of_what_is_purged_with_every_line_commented_out() -> None:
    model = r1()
    model.hostvars["lb1"]["lvs_purge"] = None
    line = "lb1: lvs_purge: has nothing below it; write [] to purge nothing, or leave it out for real_servers"
    assert model.mistakes() == [line]
    # A role's input that is null is one that was not given.
    assert model.refusal("lb1", "director", variables={"lvs_purge": None}) == [line]


@pytest.mark.parametrize(
    ("count", "hosts"), [(2, "lb1, web1"), (3, "lb1, web1, web2"), (22, "lb1, web1, and 20 others")]
)
def test_a_mistake_of_all_hosts_is_one_line(count: int, hosts: str) -> None:
    model = r1()
    model.groups["lvs_real_servers"] += [f"web{number}" for number in range(3, 22)]
    model.hostvars |= {f"web{number}": {"lvs_address": f"192.168.246.2{number:02}"} for number in range(3, 22)}
    for name in list(model.hostvars)[:count]:
        model.hostvars[name]["lvs_vrrp"] = {"router_id": 0}
    model.service["real_servers"] = rs(*model.groups["lvs_real_servers"])
    assert model.mistakes() == [f"lvs_vrrp.router_id ({hosts}): 0 is out of range; use 1 to 255"]


def test_all_mistakes_are_found_in_one_run() -> None:
    model = two_directors()
    model.hostvars["lb1"]["lvs_services"][0].update(scheduler="x", real_servers=rs("web1", "nobody", weight=-1))
    model.hostvars["lb1"]["lvs_services"].append({"name": "udp", "address": "192.168.246.1", "port": 0})
    model.hostvars["lb2"]["lvs_services"][0]["real_servers"] = rs("web2", port=81)
    model.hostvars["web1"]["lvs_gateway"] = "192.168.246.166"
    found = [line.split(": ")[:2] for line in model.mistakes()]
    assert [path for _director, path in found if not path.startswith("did")] == [
        "lvs_services[0].scheduler",
        "lvs_services[0].real_servers[0].weight",
        "lvs_services[0].real_servers[1].host",
        "lvs_services[0].real_servers[1].weight",
        "lvs_services[1].forward",
        "lvs_services[1].real_servers",
        "lvs_services[1].port",
        "lvs_services[0].real_servers[0]",
        "lvs_services[0].real_servers[0].port",
    ]


def test_a_plan_is_refused_with_all_mistakes() -> None:
    model = r1()
    entry(weight=-1)(model)
    service(scheduler="x")(model)
    for name, role in (("lb1", "director"), ("web1", "real_server"), ("web2", "router")):
        assert len(model.refusal(name, role)) == 2


def test_every_line_says_where_what_and_what_to_do() -> None:
    for _make, _change, lines in MISTAKES.values():
        for line in lines:
            assert ": " in line
            assert "; " in line
            assert "\n" not in line


@pytest.mark.parametrize(
    ("host", "more", "line"),
    [
        ("lb1", {"role": "directr"}, "role: 'directr' is not known; did you mean director? Otherwise use one of "),
        ("lb9", {}, "host: 'lb9' is not in the inventory; name one of its hosts"),
        ("lb1", {"directors": ["lb2"]}, "directors: 'lb2' is not in the inventory; did you mean lb1? Otherwise add it"),
        (
            "lb1",
            {"variables": {"lvs_vip_interfaces": 1}},
            "variables.lvs_vip_interfaces: is not known; did you mean lvs_vip_interface?",
        ),
    ],
)
def test_a_call_that_is_wrong(host: str, more: dict[str, Any], line: str) -> None:
    lines = r1().refusal(host, **({"role": "director"} | more))
    assert len(lines) == 1
    assert lines[0].startswith(line)


def test_an_absent_director_takes_no_part() -> None:
    model = two_directors()
    host("lb2", lvs_state="absent", lvs_purge="all", lvs_services=[{"name": "old"}])(model)
    assert model.mistakes() == []
    model = r1()
    host("lb1", lvs_state="absent")(model)
    host("web2", lvs_state="absent")(model)
    assert model.mistakes() == []


def test_an_absent_host_needs_no_plan() -> None:
    model = r1()
    host("web2", lvs_state="absent", lvs_gateway="nowhere")(model)
    service(real_servers=rs("web1"))(model)
    assert model.mistakes() == []


def test_the_director_s_plan_needs_its_real_servers_in_the_group() -> None:
    model = r1()
    model.groups["lvs_real_servers"] = ["web1"]
    (line,) = model.refusal("lb1", "director", directors=["lb1"])
    assert line.startswith(f"{S}.real_servers[1].host: web2 is not in the group lvs_real_servers")
    model.hostvars["lb1"]["lvs_real_servers_group"] = "back"
    assert ["group back" in each for each in model.refusal("lb1", "director")] == [True, True]


def test_a_static_neighbour_of_the_role_alone_is_unknown_to_the_router() -> None:
    model = r2()
    given = {"lvs_arp_method": "static_neighbour"}
    assert model.refusal("web1", "real_server", variables=given) == [
        "web1: lvs_arp_method: static_neighbour is set for the role alone, and the router, which has to do it, does "
        "not see it; set lvs_arp_method: static_neighbour in the inventory"
    ]
    model.hostvars["web1"].update(given)
    assert model.plan("web1", "real_server", variables=given)["arp"] == []


def test_a_director_that_is_given_needs_no_groups() -> None:
    model = r1()
    model.groups = {"all": ["lb1", "web1", "web2"]}
    assert len(model.plan("lb1", "director", directors=["lb1"])["services"][0]["real_servers"]) == 2
    assert len(model.plan("web1", "real_server", directors=["lb1"])["addresses"]) == 1


def test_hosts_that_take_no_part_need_no_plan() -> None:
    """A run that is limited to the real servers has no facts of the director."""
    model = r1()
    model.without_facts("lb1")
    assert model.mistakes(hosts=["web1", "web2"]) == []
    assert len(model.mistakes(hosts=["lb1"])) == 1


def test_nobody_goes_on_without_hosts_that_dropped_out() -> None:
    model = r1()
    hosts = ["lb1", "web1", "web2"]
    assert model.mistakes(hosts=hosts, reached=hosts) == []
    assert model.mistakes(hosts=hosts, reached=["lb1", "web2"]) == [
        "web1: failed or did not answer before this; mend that first, or leave it out by --limit"
    ]


@pytest.mark.parametrize(("state", "written"), [("absent", "present"), ("present", "absent")])
@pytest.mark.parametrize(("host", "role"), [("web1", "real_server"), ("lb1", "director")])
def test_a_role_goes_by_the_state_of_its_host(host: str, role: str, state: str, written: str) -> None:
    """Where everything is done in one run, what is taken away first depends on all hosts."""
    model = r1()
    model.hostvars[host] |= {f"{role}_state": written, "lvs_state": written}
    assert not any(f"{role}_state" in line for line in model.mistakes())
    model.hostvars[host]["lvs_state"] = state
    assert f"{host}: {role}_state: is '{written}', and lvs_state {state}; set lvs_state in place of {role}_state" in (
        model.mistakes()
    )


@pytest.mark.parametrize("value", ["{{ 1 }}", "{% raw %}", "{# x #}", "{{{{"])
def test_no_mistake_is_a_template(value: str) -> None:
    """Up to ansible-core 2.18 a variable that a playbook keeps the lines in would be evaluated."""
    model = r1()
    model.service["scheduler"] = value
    (line,) = model.mistakes()
    assert not any(begin in line for begin in ("{{", "{%", "{#"))
