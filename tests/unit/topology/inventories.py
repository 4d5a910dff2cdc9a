# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventories to compile: the reference topologies, with the addresses of the operators' guides."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_interface
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import compiler
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import WrongModel

# What host_info says of a host of which there is nothing to say.
QUIET: dict[str, Any] = {
    "problems": [],
    "parts": {},
    "arp": {},
    "listeners": [],
    "failed_addresses": [],
    "tentative_addresses": [],
    "large_receive": [],
    "counters": {"reverse_path": 0, "packets": 1000, "no_room": 0},
    "defences": {},
    "conntrack": None,
    "obstacles": [],
    "dropped": [],
    "undecided": [],
    "firewall": "",
    "keepalived": {"active": True, "enabled": True, "failed": False, "masked": False},
    "table": None,
    "unseen": [],
}


def nic(device: str, *addresses: str, mac: str | None = None, **more: Any) -> dict[str, Any]:
    """One interface as Ansible's facts have it."""
    entry: dict[str, Any] = {"device": device, "active": True, "type": "loopback" if device == "lo" else "ether"}
    if mac:
        entry["macaddress"] = mac
    for interface in map(ip_interface, addresses):
        if interface.version == 6:
            scope = "link" if interface.is_link_local else "global"
            each = {"address": str(interface.ip), "prefix": str(interface.network.prefixlen), "scope": scope}
            entry.setdefault("ipv6", []).append(each)
        else:
            each = {"address": str(interface.ip), "netmask": str(interface.netmask), "broadcast": ""}
            if "ipv4" in entry:
                entry.setdefault("ipv4_secondaries", []).append(each)
            else:
                entry["ipv4"] = each | {"prefix": str(interface.network.prefixlen)}
    return entry | more


def facts(*nics: dict[str, Any], gateway: str | None = None) -> dict[str, Any]:
    """ansible_facts with lo and these interfaces."""
    every = [nic("lo", "127.0.0.1/8", "::1/128"), *nics]
    known = {each["device"].replace("-", "_"): each for each in every}
    default = {"gateway": gateway} if gateway else {}
    return {"interfaces": [each["device"] for each in every], "default_ipv4": default, "default_ipv6": {}, **known}


def rs(*hosts: str, **more: Any) -> list[dict[str, Any]]:
    return [{"host": host, **more} for host in hosts]


@dataclass
class Model:
    """An inventory to change and compile."""

    hostvars: dict[str, dict[str, Any]]
    groups: dict[str, list[str]]

    @property
    def services(self) -> list[dict[str, Any]]:
        services: list[dict[str, Any]] = self.hostvars[self.groups["lvs_directors"][0]]["lvs_services"]
        return services

    @property
    def service(self) -> dict[str, Any]:
        return self.services[0]

    def plan(self, host: str, role: str, **more: Any) -> dict[str, Any]:
        return compiler.host_plan(self.hostvars, self.groups, host, role, **more)

    def mistakes(self, hosts: list[str] | None = None, reached: list[str] | None = None) -> list[str]:
        return compiler.mistakes_of(self.hostvars, self.groups, hosts, reached)

    def refusal(self, host: str, role: str, **more: Any) -> list[str]:
        with pytest.raises(WrongModel) as refused:
            self.plan(host, role, **more)
        return refused.value.lines

    def without_facts(self, *hosts: str) -> None:
        for host in hosts or self.hostvars:
            self.hostvars[host].pop("ansible_facts", None)


def r1() -> Model:
    """DR on one LAN."""
    return Model(
        {
            "lb1": {
                "lvs_address": "192.168.246.166",
                "lvs_services": [
                    {
                        "name": "web",
                        "address": "192.168.246.160",
                        "port": 80,
                        "forward": "dr",
                        "scheduler": "rr",
                        "real_servers": rs("web1", "web2"),
                    }
                ],
                "ansible_facts": facts(nic("eth1", "192.168.246.166/24", mac="02:00:00:00:00:66")),
            },
            "web1": {
                "lvs_address": "192.168.246.161",
                "ansible_facts": facts(nic("eth1", "192.168.246.161/24"), gateway="192.168.246.1"),
            },
            "web2": {
                "lvs_address": "192.168.246.162",
                "ansible_facts": facts(nic("eth1", "192.168.246.162/24"), gateway="192.168.246.1"),
            },
        },
        {"all": ["lb1", "web1", "web2"], "lvs_directors": ["lb1"], "lvs_real_servers": ["web1", "web2"]},
    )


def r2() -> Model:
    """DR behind a router, the VIP on lo of the director too."""
    everyone = {"lvs_gateway": "192.168.0.10"}
    return Model(
        {
            "router": {
                "ansible_facts": facts(nic("eth1", "172.25.254.100/24"), nic("eth2", "192.168.0.10/24")),
            },
            "lb1": everyone
            | {
                "lvs_address": "192.168.0.200",
                "lvs_vip_interface": "lo",
                "lvs_services": [
                    {
                        "name": "web",
                        "address": "192.168.0.100",
                        "port": 80,
                        "forward": "dr",
                        "scheduler": "rr",
                        "real_servers": rs("web1", "web2"),
                    }
                ],
                "ansible_facts": facts(nic("eth1", "192.168.0.200/24", mac="02:00:00:00:02:00")),
            },
            "web1": everyone | {"lvs_address": "192.168.0.11", "ansible_facts": facts(nic("eth1", "192.168.0.11/24"))},
            "web2": everyone | {"lvs_address": "192.168.0.22", "ansible_facts": facts(nic("eth1", "192.168.0.22/24"))},
        },
        {"lvs_directors": ["lb1"], "lvs_real_servers": ["web1", "web2"], "lvs_routers": ["router"]},
    )


def r3() -> Model:
    """NAT with two NICs; the VIP is all that the director has outside."""
    return Model(
        {
            "lb1": {
                "lvs_address": "192.168.246.166",
                "lvs_vip_interface": "eth2",
                "lvs_services": [
                    {
                        "name": "web",
                        "address": "192.168.50.128/24",
                        "port": 80,
                        "forward": "nat",
                        "scheduler": "rr",
                        "real_servers": rs("web1", "web2"),
                    }
                ],
                "ansible_facts": facts(nic("eth1", "192.168.246.166/24"), nic("eth2")),
            },
            "web1": {
                "lvs_address": "192.168.246.161",
                "ansible_facts": facts(nic("eth1", "192.168.246.161/24")),
            },
            "web2": {
                "lvs_address": "192.168.246.162",
                "ansible_facts": facts(nic("eth1", "192.168.246.162/24")),
            },
        },
        {"lvs_directors": ["lb1"], "lvs_real_servers": ["web1", "web2"]},
    )


def r4() -> Model:
    """NAT, wlc, the VIP is the address that the director has outside; the table is cleared of what was there before."""
    return Model(
        {
            "lb1": {
                "lvs_address": "10.0.0.30",
                "lvs_purge": ["all"],
                "lvs_services": [
                    {
                        "name": "web",
                        "address": "192.168.0.30",
                        "port": 80,
                        "forward": "nat",
                        "real_servers": rs("app1", "app2"),
                    }
                ],
                "ansible_facts": facts(nic("eth1", "192.168.0.30/24"), nic("eth2", "10.0.0.30/24")),
            },
            "app1": {"lvs_address": "10.0.0.51", "ansible_facts": facts(nic("eth1", "10.0.0.51/24"))},
            "app2": {"lvs_address": "10.0.0.52", "ansible_facts": facts(nic("eth1", "10.0.0.52/24"))},
        },
        {"lvs_directors": ["lb1"], "lvs_real_servers": ["app1", "app2"]},
    )


def r5() -> Model:
    """NAT with a keepalived pair: the VIP and the real servers' gateway move together."""
    services = [
        {
            "name": "web",
            "address": "192.168.0.29",
            "port": 80,
            "forward": "nat",
            "scheduler": "rr",
            "health_check": {"type": "http"},
            "real_servers": rs("app1", "app2"),
        }
    ]

    def director(number: int) -> dict[str, Any]:
        return {
            "lvs_address": f"10.0.0.{number}",
            "lvs_manager": "keepalived",
            "lvs_services": copy.deepcopy(services),
            "lvs_vrrp": {"auth_pass": "s3cret", "addresses": ["10.0.0.29/24"]},
            "ansible_facts": facts(nic("eth1", f"192.168.0.{number}/24"), nic("eth2", f"10.0.0.{number}/24")),
        }

    return Model(
        {
            "lb1": director(11),
            "lb2": director(12),
            "app1": {"lvs_address": "10.0.0.51", "ansible_facts": facts(nic("eth1", "10.0.0.51/24"))},
            "app2": {"lvs_address": "10.0.0.52", "ansible_facts": facts(nic("eth1", "10.0.0.52/24"))},
        },
        {"lvs_directors": ["lb1", "lb2"], "lvs_real_servers": ["app1", "app2"]},
    )


def dr_pair() -> Model:
    """R1 with a keepalived pair, in both families."""
    model = r1()
    model.service["health_check"] = {"type": "tcp"}
    second = {**model.service, "name": "web6", "address": "fd00::160"}
    second["real_servers"] = [{"host": f"web{n}", "address": f"fd00::16{n}"} for n in (1, 2)]
    model.services.append(second)
    for director, number in (("lb1", 166), ("lb2", 167)):
        model.hostvars[director] = {
            "lvs_address": f"192.168.246.{number}",
            "lvs_manager": "keepalived",
            "lvs_services": copy.deepcopy(model.services),
            "ansible_facts": facts(nic("eth1", f"192.168.246.{number}/24", f"fd00::{number}/64")),
        }
    model.groups["lvs_directors"] = ["lb1", "lb2"]
    return model


def r6() -> Model:
    """TUN, the real servers in another network than the director."""
    return Model(
        {
            "lb1": {
                "lvs_address": "192.168.0.200",
                "lvs_services": [
                    {
                        "name": "web",
                        "address": "192.168.0.100",
                        "port": 80,
                        "forward": "tun",
                        "scheduler": "rr",
                        "real_servers": rs("web1", "web2"),
                    }
                ],
                "ansible_facts": facts(nic("eth1", "192.168.0.200/24", mtu=1500), gateway="192.168.0.1"),
            },
            "web1": {
                "lvs_address": "10.7.0.11",
                "ansible_facts": facts(nic("eth1", "10.7.0.11/24", mtu=1500), gateway="10.7.0.1"),
            },
            "web2": {
                "lvs_address": "10.7.0.12",
                "ansible_facts": facts(nic("eth1", "10.7.0.12/24", mtu=1500), gateway="10.7.0.1"),
            },
        },
        {"lvs_directors": ["lb1"], "lvs_real_servers": ["web1", "web2"]},
    )


def r7() -> Model:
    """FULLNAT, both families: the real servers are behind a router, on another port, without a route to the clients."""
    service = {"name": "web", "address": "192.0.2.100", "port": 80, "forward": "fullnat", "scheduler": "rr"}
    return Model(
        {
            "lb1": {
                "lvs_address": "10.1.0.2",
                "lvs_services": [
                    {**service, "real_servers": rs("web1", "web2", port=8080)},
                    {
                        **service,
                        "name": "web6",
                        "address": "2001:db8::100",
                        "real_servers": [{"address": f"fd02::{n}", "port": 8080} for n in (51, 52)],
                    },
                ],
                "ansible_facts": facts(
                    nic("eth1", "192.0.2.2/24", "2001:db8::2/64"),
                    nic("eth2", "10.1.0.2/24", "10.1.0.3/24", "fd01::2/64"),
                ),
            },
            "web1": {"lvs_address": "10.2.0.51", "ansible_facts": facts(nic("eth1", "10.2.0.51/24"))},
            "web2": {"lvs_address": "10.2.0.52", "ansible_facts": facts(nic("eth1", "10.2.0.52/24"))},
        },
        {"lvs_directors": ["lb1"], "lvs_real_servers": ["web1", "web2"]},
    )


def two_directors() -> Model:
    """R1 with a second director that has a VIP of its own."""
    model = r1()
    second = copy.deepcopy(model.hostvars["lb1"])
    second["lvs_address"] = "192.168.246.167"
    second["ansible_facts"] = facts(nic("eth1", "192.168.246.167/24", mac="02:00:00:00:00:67"))
    second["lvs_services"][0]["address"] = "192.168.246.170"
    model.hostvars["lb2"] = second
    model.groups["lvs_directors"] = ["lb1", "lb2"]
    return model


REFERENCES: Mapping[str, Callable[[], Model]] = {
    "R1": r1,
    "R2": r2,
    "R3": r3,
    "R4": r4,
    "R5": r5,
    "R6": r6,
    "R7": r7,
}


def large(forward: str, services: int, real_servers: int, *, is_pair: bool) -> Model:
    """Some thousands of services at most, each with the same real servers, on one director or a pair."""
    directors = ["lb1", "lb2"] if is_pair else ["lb1"]
    hosts = [f"web{number}" for number in range(real_servers)]
    network = {"dr": "10.0", "tun": "10.2"}.get(forward, "10.1")
    listed = [
        {
            "name": f"service {number}",
            "address": f"10.0.{100 + number // 200}.{number % 200 + 1}",
            "port": 80,
            "forward": forward,
            "real_servers": rs(*hosts),
        }
        for number in range(services)
    ]
    hostvars: dict[str, dict[str, Any]] = {}
    for number, name in enumerate(directors, 2):
        nics = [nic(f"eth{each}", f"10.{each}.0.{number}/16") for each in range(2)]
        hostvars[name] = {"lvs_address": f"10.0.0.{number}", "lvs_services": listed, "ansible_facts": facts(*nics)}
        if is_pair:
            vrrp = {"router_id": 51, "interface": "eth0", "priority": 100 + number, "addresses": ["10.1.0.1/16"]}
            hostvars[name] |= {"lvs_manager": "keepalived", "lvs_vrrp": vrrp}
    for number, name in enumerate(hosts):
        address = f"{network}.{1 + number // 200}.{number % 200 + 1}"
        hostvars[name] = {"lvs_address": address, "ansible_facts": facts(nic("eth0", f"{address}/16"))}
    return Model(hostvars, {"lvs_directors": directors, "lvs_real_servers": hosts})
