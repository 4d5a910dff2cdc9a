# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plans: of the reference topologies, and how each variable changes them."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.specs import TABLE_SPEC
from ansible_collections.lvs.topology.tests.unit.topology.inventories import (
    REFERENCES,
    Model,
    facts,
    nic,
    r1,
    r2,
    r3,
    r4,
    r6,
    r7,
    rs,
    two_directors,
)

IPVS_SYSCTLS = {"net.ipv4.vs.expire_nodest_conn": "1", "net.ipv4.vs.expire_quiescent_template": "1"}
KEYS = {
    "director": {
        "commands",
        "kernel_modules",
        "kernel_options",
        "sysctls",
        "addresses",
        "gateways",
        "packet_rules",
        "firewall",
        "passing",
        "manager",
        "services",
        "purge",
        "keep_weights",
        "timeouts",
        "watched",
        "sync_daemons",
    },
    "real_server": {
        "commands",
        "kernel_modules",
        "sysctls",
        "arp",
        "arp_filters",
        "tunnels",
        "addresses",
        "gateways",
        "source_routes",
        "firewall",
        "passing",
    },
    "router": {"commands", "sysctls", "gateways", "neighbours"},
    "keepalived": {"commands", "interfaces", "partners", "secrets", "packets", "keepalived", "on_lo", "table"},
}
GROUPS = {
    "director": "lvs_directors",
    "real_server": "lvs_real_servers",
    "router": "lvs_routers",
    "keepalived": "lvs_directors",
}
# Empty where nothing is reached through a tunnel.
OF_TUNNELS = ("kernel_modules", "tunnels", "source_routes")
OF_FIREWALLS = ("firewall", "passing")
TUNED = [{"interface": "all", "arp_ignore": 1, "arp_announce": 2}]


def table(forward: str, vip: str, scheduler: str, *rips: str) -> list[dict[str, Any]]:
    """One service on tcp port 80 with every option spelled out."""
    return [
        {
            "address": vip,
            "port": 80,
            "protocol": "tcp",
            "scheduler": scheduler,
            "scheduler_flags": [],
            "one_packet": False,
            "persistence": {"timeout": 0},
            "real_servers": [
                {
                    "address": rip,
                    "port": 80,
                    "forward": forward,
                    "weight": 1,
                    "upper_threshold": 0,
                    "lower_threshold": 0,
                }
                for rip in rips
            ],
        }
    ]


def daemon(state: str, **more: Any) -> dict[str, Any]:
    """A synchronisation daemon of r3's director."""
    usual = {"interface": "eth1", "syncid": 0, "maxlen": 0, "group": "224.0.0.81", "port": 8848, "ttl": 1}
    return {"state": state, **usual, **more}


def every_plan(model: Model) -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (name, role): model.plan(name, role) for role, group in GROUPS.items() for name in model.groups.get(group, [])
    }


def without(plan: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in plan.items() if key not in keys}


def test_r1() -> None:
    model = r1()
    assert without(model.plan("lb1", "director"), "passing") == {
        "commands": ["ip", "ipvsadm", "modprobe"],
        "kernel_modules": ["ip_vs", "ip_vs_rr"],
        "kernel_options": ["IP_VS_PROTO_TCP"],
        "sysctls": IPVS_SYSCTLS,
        "addresses": [{"address": "192.168.246.160/32", "interface": "eth1", "announce": "eth1"}],
        "gateways": [],
        "packet_rules": {},
        "firewall": {},
        "manager": "kernel",
        "services": table("dr", "192.168.246.160", "rr", "192.168.246.161", "192.168.246.162"),
        "purge": ["real_servers"],
        "keep_weights": False,
        "timeouts": {},
        "watched": {},
        "sync_daemons": [],
    }
    for name in ("web1", "web2"):
        assert without(model.plan(name, "real_server"), "passing") == {
            "firewall": {},
            "commands": ["ip"],
            "kernel_modules": [],
            "sysctls": {},
            "arp": TUNED,
            "arp_filters": [],
            "tunnels": [],
            "addresses": [{"address": "192.168.246.160/32", "interface": "lo"}],
            "gateways": [],
            "source_routes": [],
        }


def test_r2() -> None:
    model = r2()
    gateways = [{"gateway": "192.168.0.10"}]
    director = model.plan("lb1", "director")
    assert director["addresses"] == [{"address": "192.168.0.100/32", "interface": "lo", "announce": "eth1"}]
    assert director["gateways"] == gateways
    assert director["sysctls"] == IPVS_SYSCTLS
    assert without(model.plan("web1", "real_server"), "commands", "sysctls", *OF_TUNNELS, *OF_FIREWALLS) == {
        "arp": TUNED,
        "arp_filters": [],
        "addresses": [{"address": "192.168.0.100/32", "interface": "lo"}],
        "gateways": gateways,
    }
    assert model.plan("router", "router") == {
        "commands": ["ip"],
        "sysctls": {"net.ipv4.ip_forward": "1"},
        "gateways": [],
        "neighbours": [],
    }


def test_r2_with_arptables() -> None:
    model = r2()
    model.hostvars["web1"]["lvs_arp_method"] = "arptables"
    assert without(model.plan("web1", "real_server"), "sysctls", "gateways", *OF_TUNNELS, *OF_FIREWALLS) == {
        "commands": ["ip", "arptables"],
        "arp": [],
        "arp_filters": [{"vip": "192.168.0.100", "source": "192.168.0.11", "interface": "eth1"}],
        "addresses": [{"address": "192.168.0.100/32", "interface": "lo"}],
    }
    assert model.plan("web2", "real_server")["arp"] == TUNED
    model.without_facts("web1")
    assert model.plan("web1", "real_server")["arp_filters"] == [{"vip": "192.168.0.100", "source": "192.168.0.11"}]


def test_r2_with_a_static_neighbour() -> None:
    model = r2()
    model.hostvars["web1"]["lvs_arp_method"] = "static_neighbour"
    plan = model.plan("web1", "real_server")
    assert (plan["arp"], plan["arp_filters"]) == ([], [])
    assert model.plan("router", "router")["neighbours"] == [
        {"address": "192.168.0.100", "lladdr": "02:00:00:00:02:00", "interface": "eth2"}
    ]


def test_r3() -> None:
    model = r3()
    assert without(model.plan("lb1", "director"), "passing") == {
        "commands": ["ip", "ipvsadm", "modprobe"],
        "kernel_modules": ["ip_vs", "ip_vs_rr"],
        "kernel_options": ["IP_VS_PROTO_TCP"],
        "sysctls": IPVS_SYSCTLS
        | {
            "net.ipv4.ip_forward": "1",
            "net.ipv4.conf.all.send_redirects": "0",
            "net.ipv4.conf.eth1.send_redirects": "0",
            "net.ipv4.conf.eth2.send_redirects": "0",
        },
        "addresses": [{"address": "192.168.50.128/24", "interface": "eth2", "announce": "eth2"}],
        "gateways": [],
        "packet_rules": {},
        "firewall": {},
        "manager": "kernel",
        "services": table("nat", "192.168.50.128", "rr", "192.168.246.161", "192.168.246.162"),
        "purge": ["real_servers"],
        "keep_weights": False,
        "timeouts": {},
        "watched": {},
        "sync_daemons": [],
    }
    assert without(model.plan("web1", "real_server"), "passing") == {
        "firewall": {},
        "commands": ["ip"],
        "kernel_modules": [],
        "sysctls": {"net.ipv4.conf.all.accept_redirects": "0", "net.ipv4.conf.eth1.accept_redirects": "0"},
        "arp": [],
        "arp_filters": [],
        "tunnels": [],
        "addresses": [],
        "gateways": [{"gateway": "192.168.246.166"}],
        "source_routes": [],
    }


def tunnelled(**tunnel: Any) -> Model:
    """R6 with a tunnel of the second real server."""
    model = r6()
    model.service["real_servers"][1]["tunnel"] = tunnel
    return model


def in_ipv6(model: Model, vip: str | None, rip: str | None) -> Model:
    """The VIP, the second real server's address, or both in IPv6."""
    model.service["real_servers"] = model.service["real_servers"][1:]
    known = facts(nic("eth1", "192.168.0.200/24", "2001:db8:2::200/64", mtu=1500), gateway="192.168.0.1")
    model.hostvars["lb1"]["ansible_facts"] = known
    if vip:
        model.service["address"] = vip
    # Where it is not of the VIP's family, it has to be said.
    model.service["real_servers"][0]["address"] = rip or "10.7.0.12"
    return model


def test_r6() -> None:
    model = r6()
    director = model.plan("lb1", "director")
    assert director["sysctls"] == IPVS_SYSCTLS | {"net.ipv4.vs.pmtu_disc": "1"}
    assert director["addresses"] == [{"address": "192.168.0.100/32", "interface": "eth1", "announce": "eth1"}]
    wanted = table("tun", "192.168.0.100", "rr", "10.7.0.11", "10.7.0.12")
    for each in wanted[0]["real_servers"]:
        each["tunnel"] = {"type": "ipip", "checksum": "none"}
    assert director["services"] == wanted
    assert "kernels" not in director
    assert without(model.plan("web1", "real_server"), "passing") == {
        "firewall": {},
        "commands": ["ip", "modprobe", "awk"],
        "kernel_modules": ["ipip"],
        "sysctls": {},
        "arp": TUNED,
        "arp_filters": [],
        "tunnels": [{"type": "ipip", "interface": "tunl0"}],
        "addresses": [{"address": "192.168.0.100/32", "interface": "tunl0"}],
        "gateways": [],
        "source_routes": [{"source": "192.168.0.100", "advmss": 1440}],
    }


GUE = {"type": "gue", "port": 6080}
V6, RIP6 = "2001:db8:2::100", "2001:db8:7::12"
SIT = {"type": "sit", "interface": "lvs-sit", "local": "10.7.0.12"}
IP6TNL = {"type": "ip6tnl", "interface": "lvs-ip6tnl", "local": RIP6}
GRE = {"type": "gre", "interface": "lvs-gre", "local": "10.7.0.12", "checksum": False}
IP6GRE = {"type": "ip6gre", "interface": "lvs-ip6gre", "local": RIP6, "checksum": False}


@pytest.mark.parametrize(
    ("vip", "rip", "tunnel", "modules", "ends", "advmss"),
    [
        (None, None, GUE, ["ipip", "fou"], [{"type": "ipip", "interface": "tunl0"}, GUE | {"family": "ipv4"}], 1428),
        (
            None,
            None,
            GUE | {"checksum": "remote"},
            ["ipip", "fou"],
            [{"type": "ipip", "interface": "tunl0"}, GUE | {"family": "ipv4"}],
            1420,
        ),
        (None, None, {"type": "gre"}, ["ip_gre"], [GRE], 1436),
        (None, None, {"type": "gre", "checksum": "on"}, ["ip_gre"], [GRE | {"checksum": True}], 1432),
        # As YAML reads an unquoted on.
        (None, None, {"type": "gre", "checksum": True}, ["ip_gre"], [GRE | {"checksum": True}], 1432),
        (V6, RIP6, {}, ["ip6_tunnel"], [{"type": "ip6tnl", "interface": "ip6tnl0"}], 1400),
        (
            V6,
            RIP6,
            GUE,
            ["ip6_tunnel", "fou"],
            [{"type": "ip6tnl", "interface": "ip6tnl0"}, GUE | {"family": "ipv6"}],
            1388,
        ),
        (V6, RIP6, {"type": "gre"}, ["ip6_gre"], [IP6GRE], 1396),
        (V6, None, {}, ["sit"], [SIT], 1420),
        (V6, None, GUE, ["sit", "fou"], [SIT, GUE | {"family": "ipv4"}], 1408),
        (V6, None, {"type": "gre"}, ["ip_gre"], [GRE], 1416),
        (None, RIP6, {}, ["ip6_tunnel"], [IP6TNL], 1420),
        (None, RIP6, {"type": "gre"}, ["ip6_gre"], [IP6GRE], 1416),
    ],
)
def test_tunnel_ends(
    vip: str | None, rip: str | None, tunnel: dict[str, Any], modules: list[str], ends: list[Any], advmss: int
) -> None:
    model = in_ipv6(tunnelled(**tunnel), vip, rip)
    assert model.mistakes() == []
    plan = model.plan("web2", "real_server")
    assert (plan["kernel_modules"], plan["tunnels"]) == (modules, ends)
    address = f"{vip}/128" if vip else "192.168.0.100/32"
    assert plan["addresses"] == [{"address": address, "interface": ends[0]["interface"]}]
    assert plan["source_routes"] == [{"source": address.partition("/")[0], "advmss": advmss}]


def test_a_vip_reached_in_several_ways_is_held_once_and_by_the_smallest_size() -> None:
    model = tunnelled(**GUE)
    other = {**model.service, "name": "other", "port": 81, "real_servers": rs("web2", tunnel={"type": "gre"})}
    udp = {**model.service, "name": "udp", "protocol": "udp", "real_servers": rs("web2", tunnel={"type": "ipip"})}
    model.services.extend([other, udp])
    assert model.mistakes() == []
    plan = model.plan("web2", "real_server")
    assert plan["addresses"] == [{"address": "192.168.0.100/32", "interface": "tunl0"}]
    assert [end["type"] for end in plan["tunnels"]] == ["gre", "ipip", "gue"]
    assert plan["source_routes"] == [{"source": "192.168.0.100", "advmss": 1428}]


def test_kernels_that_tunnels_need() -> None:
    model = tunnelled(**GUE)
    path = "lvs_services[0].real_servers[1].tunnel"
    assert model.plan("lb1", "director")["kernels"] == [{"release": "5.2", "because": path}]
    model.service["real_servers"][1]["tunnel"] = {"type": "gre"}
    assert model.plan("lb1", "director")["kernels"] == [{"release": "5.3", "because": path}]


def test_the_smaller_mtu_of_both_ends_counts() -> None:
    model = r6()
    model.hostvars["web1"]["ansible_facts"] = facts(nic("eth1", "10.7.0.11/24", mtu=9000))
    assert model.plan("web1", "real_server")["source_routes"][0]["advmss"] == 1440
    model.hostvars["lb1"]["ansible_facts"]["eth1"]["mtu"] = 9000
    assert model.plan("web1", "real_server")["source_routes"][0]["advmss"] == 8940
    model.without_facts("web1")
    model.hostvars["lb1"]["ansible_facts"]["eth1"].pop("mtu")
    assert model.plan("web1", "real_server")["source_routes"][0]["advmss"] == 1440


def test_a_director_that_is_a_real_server_needs_no_tunnel() -> None:
    model = r6()
    model.service["real_servers"] += rs("lb1")
    model.groups["lvs_real_servers"].append("lb1")
    assert model.mistakes() == []
    plan = model.plan("lb1", "real_server")
    assert (plan["tunnels"], plan["addresses"], plan["arp"]) == ([], [], [])


def test_r4_uses_the_address_that_is_there() -> None:
    model = r4()
    plan = model.plan("lb1", "director")
    assert plan["addresses"] == [{"address": "192.168.0.30/24", "interface": "eth1", "announce": "eth1"}]
    assert plan["services"] == table("nat", "192.168.0.30", "wlc", "10.0.0.51", "10.0.0.52")
    assert plan["purge"] == ["all"]
    assert "notes" not in plan
    assert model.plan("app2", "real_server")["gateways"] == [{"gateway": "10.0.0.30"}]


@pytest.mark.parametrize("name", REFERENCES)
def test_plans_have_the_keys_of_their_role_and_are_plain_data(name: str) -> None:
    for (_host, role), plan in every_plan(REFERENCES[name]()).items():
        assert set(plan) - {"notes"} == KEYS[role]
        assert json.loads(json.dumps(plan)) == plan


# Of R5, keepalived fills the table.
@pytest.mark.parametrize("name", [name for name in REFERENCES if name != "R5"])
def test_the_table_is_what_ipvs_table_takes(name: str) -> None:
    model = REFERENCES[name]()
    model.service["persistence"] = {"timeout": 60}
    plan = model.plan("lb1", "director")
    given = {key: plan[key] for key in ("services", "purge", "keep_weights")}
    result = ArgumentSpecValidator(TABLE_SPEC).validate(given)
    assert result.error_messages == []
    # Every option of a service is given: what is left out there would be left alone.
    unsaid = {key for key, value in result.validated_parameters["services"][0].items() if value is None}
    assert unsaid == {"fwmark", "family"}


@pytest.mark.parametrize("name", REFERENCES)
def test_facts_from_after_the_run_give_the_same_plans(name: str) -> None:
    model = REFERENCES[name]()
    before = every_plan(model)
    after = copy.deepcopy(model)
    for (host, role), plan in before.items():
        if role == "router":
            continue
        known = after.hostvars[host]["ansible_facts"]
        instances = plan["keepalived"].get("instances", []) if role == "keepalived" else []
        moved = [address for each in instances for address in (*each["addresses"], *each["excluded"])]
        for each in plan.get("addresses", moved):
            entry = nic(each["interface"], each["address"])
            # The link of a tunnel is new.
            if each["interface"] not in known:
                known["interfaces"].append(each["interface"])
                known[each["interface"]] = nic(each["interface"], mtu=1480)
            if "ipv6" in entry:
                known[each["interface"]]["ipv6"] += entry["ipv6"]
            else:
                known[each["interface"]].setdefault("ipv4_secondaries", []).append(entry["ipv4"])
        if plan.get("gateways"):
            known["default_ipv4"] = plan["gateways"][0]
    assert every_plan(after) == before
    assert after.mistakes() == []


def test_plans_without_facts() -> None:
    """What the inventory says is enough where it says it."""
    model = r3()
    model.without_facts()
    plan = model.plan("lb1", "director")
    assert plan["addresses"] == [{"address": "192.168.50.128/24", "interface": "eth2", "announce": "eth2"}]
    assert "net.ipv4.conf.eth2.send_redirects" in plan["sysctls"]
    plan = model.plan("web1", "real_server")
    assert plan["gateways"] == [{"gateway": "192.168.246.166"}]
    assert plan["sysctls"] == {"net.ipv4.conf.all.accept_redirects": "0"}
    model = r2()
    model.without_facts()
    assert model.plan("lb1", "director")["addresses"] == [{"address": "192.168.0.100/32", "interface": "lo"}]


def ipv6_nat() -> Model:
    model = r4()
    model.hostvars["lb1"]["ansible_facts"] = facts(nic("eth1", "2001:db8::30/64"), nic("eth2", "fd00::30/64"))
    model.hostvars["lb1"]["lvs_address"] = "fd00::30"
    model.service.update(address="2001:db8::31")
    for number, name in enumerate(("app1", "app2"), 51):
        known = facts(nic("eth1", f"fd00::{number}/64", "fe80::1/64"))
        model.hostvars[name] = {"lvs_address": f"fd00::{number}", "ansible_facts": known}
    return model


def test_nat_of_ipv6() -> None:
    model = ipv6_nat()
    plan = model.plan("lb1", "director")
    assert plan["sysctls"] == IPVS_SYSCTLS | {"net.ipv6.conf.all.forwarding": "1"}
    assert plan["addresses"] == [
        {"address": "2001:db8::31/128", "interface": "eth1", "announce": "eth1", "deprecated": True}
    ]
    plan = model.plan("app1", "real_server")
    assert plan["gateways"] == [{"gateway": "fd00::30", "metric": 64}]
    assert plan["sysctls"] == {
        "net.ipv6.conf.all.accept_redirects": "0",
        "net.ipv6.conf.eth1.accept_redirects": "0",
    }
    model.groups["lvs_routers"] = ["app2"]
    assert model.plan("app2", "router")["sysctls"] == {
        "net.ipv4.ip_forward": "1",
        "net.ipv6.conf.all.forwarding": "1",
    }


@pytest.mark.parametrize(
    ("vip", "interface", "deprecated"),
    [
        ("2001:db8::31", "eth1", True),
        ("2001:db8::31/64", "eth1", True),
        ("2001:db8:7::31", "eth1", True),
        # the director has nothing else there, and needs it for what it sends itself
        ("2001:db8:7::31/64", "eth1", None),
        ("2001:db8::30", "eth1", None),
        ("2001:db8:7::31", "lo", None),
    ],
)
def test_a_director_does_not_send_from_an_ipv6_vip(vip: str, interface: str, deprecated: bool | None) -> None:
    model = ipv6_nat()
    model.service["address"] = vip
    model.hostvars["lb1"]["lvs_vip_interface"] = interface
    (address,) = model.plan("lb1", "director")["addresses"]
    assert address.get("deprecated") is deprecated


def test_dr_of_ipv6_needs_no_arp() -> None:
    model = ipv6_nat()
    model.service.update(address="fd00::31", forward="dr")
    assert without(model.plan("app1", "real_server"), "commands", "sysctls", *OF_TUNNELS, *OF_FIREWALLS) == {
        "arp": [],
        "arp_filters": [],
        "addresses": [{"address": "fd00::31/128", "interface": "lo"}],
        "gateways": [],
    }


def dual_stack() -> Model:
    """R1 with the same service in IPv6 as well."""
    model = r1()
    for name, last in {"lb1": 166, "web1": 161, "web2": 162}.items():
        both = nic("eth1", f"192.168.246.{last}/24", f"fd00::{last}/64", "fe80::1/64")
        model.hostvars[name]["ansible_facts"] = facts(nic("eth0", "10.9.9.9/24", f"fd09::{last}/64"), both)
    model.services.append({**model.service, "name": "web-6", "address": "fd00::160"})
    return model


def table_addresses(plan: dict[str, Any]) -> list[list[str]]:
    return [[entry["address"] for entry in service["real_servers"]] for service in plan["services"]]


# Its IPv6 address is found on the interface of the IPv4 one, or named, alone or beside the other one.
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("192.168.246.161", ["192.168.246.161", "fd00::161"]),
        (["192.168.246.161", "fd09::161"], ["192.168.246.161", "fd09::161"]),
        (["fd00::161"], ["192.168.246.161", "fd00::161"]),
    ],
)
def test_a_real_server_of_two_families_has_an_address_of_each(given: Any, expected: list[str]) -> None:
    model = dual_stack()
    model.hostvars["web1"]["lvs_address"] = given
    plan = model.plan("lb1", "director")
    assert [addresses[0] for addresses in table_addresses(plan)] == expected
    assert plan["kernel_options"] == ["IP_VS_PROTO_TCP", "IP_VS_IPV6"]
    assert plan["addresses"] == [
        {"address": "192.168.246.160/32", "interface": "eth1", "announce": "eth1"},
        {"address": "fd00::160/128", "interface": "eth1", "announce": "eth1", "deprecated": True},
    ]
    assert model.plan("web1", "real_server")["addresses"] == [
        {"address": "192.168.246.160/32", "interface": "lo"},
        {"address": "fd00::160/128", "interface": "lo"},
    ]


def test_a_vip_that_facts_show_is_no_address_of_the_host() -> None:
    model = dual_stack()
    shown = facts(nic("eth1", "192.168.246.161/24", "fd00::161/64", "fd00::160/128"))
    model.hostvars["web1"]["ansible_facts"] = shown
    assert table_addresses(model.plan("lb1", "director"))[1][0] == "fd00::161"


def test_nat_and_dr_of_one_director_need_different_gateways_per_family_only() -> None:
    """IPv4 in direct routing and IPv6 in NAT on the same real servers: each family has a default gateway of its own."""
    model = dual_stack()
    model.services[1].update(forward="nat", address="fd05::160/64")
    model.hostvars["lb1"]["ansible_facts"] = facts(
        nic("eth1", "192.168.246.166/24", "fd00::166/64"), nic("eth2", "fd05::1/64")
    )
    assert model.mistakes() == []
    plan = model.plan("web1", "real_server")
    assert plan["gateways"] == [{"gateway": "fd00::166", "metric": 64}]
    assert plan["addresses"] == [{"address": "192.168.246.160/32", "interface": "lo"}]
    assert plan["arp"] == TUNED


@pytest.mark.parametrize("protocol", ["tcp", "udp", "sctp"])
def test_the_protocol_must_be_built_into_the_kernel(protocol: str) -> None:
    model = r1()
    model.service["protocol"] = protocol
    assert model.plan("lb1", "director")["kernel_options"] == [f"IP_VS_PROTO_{protocol.upper()}"]


def test_a_host_of_two_families_is_named_with_the_address() -> None:
    model = r1()
    model.service["real_servers"] = [{"host": "web1", "address": "fd00::161"}]
    model.service["address"] = "fd00::160"
    model.hostvars["lb1"]["ansible_facts"] = facts(nic("eth1", "192.168.246.166/24", "fd00::166/64"))
    assert model.plan("web1", "real_server")["addresses"] == [{"address": "fd00::160/128", "interface": "lo"}]
    assert model.plan("lb1", "director")["services"][0]["real_servers"][0]["address"] == "fd00::161"


def test_a_real_server_given_by_its_address_is_found_in_the_group() -> None:
    model = r1()
    model.service["real_servers"] = [{"address": "192.168.246.162"}, {"address": "192.168.246.163"}]
    assert model.mistakes() == []
    assert model.plan("web1", "real_server")["addresses"] == []
    assert model.plan("web2", "real_server")["addresses"] == [{"address": "192.168.246.160/32", "interface": "lo"}]


def test_every_option_of_a_service() -> None:
    model = r1()
    model.service.update(
        port="5060",
        protocol="udp",
        scheduler="mh",
        scheduler_flags=["mh-port", "mh-fallback"],
        one_packet="yes",
        persistence={"timeout": 60, "netmask": "255.255.255.0", "engine": "sip"},
        real_servers=[
            {"host": "web1", "weight": "0", "upper_threshold": 100, "lower_threshold": "50", "port": None},
        ],
    )
    plan = model.plan("lb1", "director")
    assert plan["kernel_modules"] == ["ip_vs", "ip_vs_mh", "ip_vs_pe_sip"]
    assert plan["services"] == [
        {
            "address": "192.168.246.160",
            "port": 5060,
            "protocol": "udp",
            "scheduler": "mh",
            "scheduler_flags": ["mh-port", "mh-fallback"],
            "one_packet": True,
            "persistence": {"timeout": 60, "netmask": "255.255.255.0", "engine": "sip"},
            "real_servers": [
                {
                    "address": "192.168.246.161",
                    "port": 5060,
                    "forward": "dr",
                    "weight": 0,
                    "upper_threshold": 100,
                    "lower_threshold": 50,
                }
            ],
        }
    ]


@pytest.mark.parametrize(
    ("persistence", "planned"),
    [
        ({}, {"timeout": 300, "netmask": "255.255.255.255", "engine": "none"}),
        ({"timeout": 0}, {"timeout": 0}),
        ({"timeout": 1}, {"timeout": 1, "netmask": "255.255.255.255", "engine": "none"}),
        ({"timeout": 1, "engine": "none"}, {"timeout": 1, "netmask": "255.255.255.255", "engine": "none"}),
        ({"netmask": "255.255.0.0"}, {"timeout": 300, "netmask": "255.255.0.0", "engine": "none"}),
    ],
)
def test_persistence(persistence: dict[str, Any], planned: dict[str, Any]) -> None:
    model = r1()
    model.service["persistence"] = persistence
    assert model.plan("lb1", "director")["services"][0]["persistence"] == planned


def test_a_firewall_mark() -> None:
    model = r1()
    mark = {"name": "ftp", "fwmark": 21, "family": "ipv4", "forward": "dr", "real_servers": rs("web1")}
    model.services.append(mark)
    plan = model.plan("lb1", "director")
    service = plan["services"][1]
    assert {key: service[key] for key in ("fwmark", "family", "scheduler")} == {
        "fwmark": 21,
        "family": "ipv4",
        "scheduler": "wlc",
    }
    assert not {"address", "port", "protocol"} & set(service)
    assert service["real_servers"][0]["port"] == 0
    assert len(plan["notes"]) == 1
    assert len(plan["addresses"]) == 1


def test_several_services_need_each_thing_once() -> None:
    model = r1()
    model.services.append({**model.service, "name": "tls", "port": 443, "scheduler": "wrr"})
    model.services.append({**model.service, "name": "other", "address": "192.168.246.170"})
    plan = model.plan("lb1", "director")
    assert plan["kernel_modules"] == ["ip_vs", "ip_vs_rr", "ip_vs_wrr"]
    assert [each["address"] for each in plan["addresses"]] == ["192.168.246.160/32", "192.168.246.170/32"]
    plan = model.plan("web1", "real_server")
    assert plan["arp"] == TUNED
    assert [each["address"] for each in plan["addresses"]] == ["192.168.246.160/32", "192.168.246.170/32"]


def test_a_real_server_serves_all_directors() -> None:
    model = two_directors()
    addresses = model.plan("web1", "real_server")["addresses"]
    assert [each["address"] for each in addresses] == ["192.168.246.160/32", "192.168.246.170/32"]
    assert model.plan("web1", "real_server", directors=["lb2"])["addresses"] == addresses[1:]
    assert len(model.plan("lb2", "director")["services"]) == 1


def test_a_director_that_is_absent_needs_nothing_of_real_servers() -> None:
    model = two_directors()
    model.hostvars["lb1"]["lvs_state"] = "absent"
    plan = model.plan("web1", "real_server")
    assert [each["address"] for each in plan["addresses"]] == ["192.168.246.170/32"]
    model.hostvars["lb2"]["lvs_state"] = "absent"
    plan = model.plan("web1", "real_server")
    assert without(plan, "commands") == {key: [] for key in KEYS["real_server"] - {"commands"}} | {
        "sysctls": {},
        "firewall": {},
    }
    assert len(model.plan("lb1", "director")["services"]) == 1  # whoever asks for it wants it present


def test_services_may_be_given() -> None:
    model = r1()
    services = [{**model.service, "address": "192.168.246.200"}]
    del model.hostvars["lb1"]["lvs_services"]
    addresses = model.plan("web1", "real_server", services=services, directors=["lb1"])["addresses"]
    assert addresses == [{"address": "192.168.246.200/32", "interface": "lo"}]


def test_a_director_outside_the_group_is_one_when_asked_for() -> None:
    model = r1()
    model.groups["lvs_directors"] = []
    assert len(model.plan("lb1", "director")["services"]) == 1


def test_groups_may_have_other_names() -> None:
    model = r2()
    model.groups = {"front": ["lb1"], "back": ["web1", "web2"], "edge": ["router"]}
    for variables in model.hostvars.values():
        variables.update(lvs_directors_group="front", lvs_real_servers_group="back", lvs_routers_group="edge")
    assert model.mistakes() == []
    assert len(model.plan("web1", "real_server")["addresses"]) == 1


def test_a_spare_real_server_is_rid_of_what_it_had() -> None:
    model = r1()
    model.service["real_servers"] = rs("web1")
    plan = model.plan("web2", "real_server")
    assert (plan["arp"], plan["addresses"], plan["gateways"]) == ([], [], [])


def test_no_service_is_a_plan_too() -> None:
    model = r1()
    model.hostvars["lb1"]["lvs_services"] = []
    assert model.mistakes() == []
    plan = model.plan("lb1", "director")
    assert (plan["services"], plan["addresses"]) == ([], [])


@pytest.mark.parametrize(
    ("host", "role", "given", "key", "value"),
    [
        ("lb1", "director", {"lvs_gateway": "192.168.246.1"}, "gateways", [{"gateway": "192.168.246.1"}]),
        ("web1", "real_server", {"lvs_gateway": "192.168.246.1"}, "gateways", [{"gateway": "192.168.246.1"}]),
        ("web1", "real_server", {"lvs_gateway": ""}, "gateways", []),
        ("web1", "real_server", {"lvs_gateway": "none"}, "gateways", []),
        ("web1", "real_server", {"lvs_gateway": None}, "gateways", []),
        ("web1", "real_server", {"lvs_gateway": "auto"}, "gateways", [{"gateway": "192.168.246.166"}]),
        (
            "web1",
            "real_server",
            {"lvs_gateway": ["192.168.246.1", "fd00::1"]},
            "gateways",
            [{"gateway": "192.168.246.1"}, {"gateway": "fd00::1", "metric": 64}],
        ),
        ("lb1", "director", {"lvs_keep_weights": "true"}, "keep_weights", True),
        ("lb1", "director", {"lvs_timeouts": {"tcp": "7200", "udp": 0}}, "timeouts", {"tcp": 7200}),
        ("lb1", "director", {"lvs_timeouts": {}}, "timeouts", {}),
        ("lb1", "director", {"lvs_sync": {"role": "master"}}, "sync_daemons", [daemon("master")]),
        (
            "lb1",
            "director",
            {"lvs_sync": {"role": "both", "interface": "eth2", "syncid": 5, "group": "ff02::81", "maxlen": 1400}},
            "sync_daemons",
            [
                daemon(state, interface="eth2", syncid=5, group="ff02::81", maxlen=1400)
                for state in ("master", "backup")
            ],
        ),
        ("lb1", "director", {"lvs_purge": []}, "purge", []),
        ("lb1", "director", {"lvs_purge": ["10.0.0.0/8", "fwmark"]}, "purge", ["10.0.0.0/8", "fwmark"]),
        (
            "lb1",
            "director",
            {"lvs_vip_interface": "lo"},
            "addresses",
            [{"address": "192.168.50.128/32", "interface": "lo"}],
        ),
        (
            "web1",
            "real_server",
            {"lvs_sysctls": {"net/ipv4/conf/all/accept_redirects": None, "net.ipv4.tcp_syncookies": 1}},
            "sysctls",
            {"net.ipv4.conf.eth1.accept_redirects": "0", "net.ipv4.tcp_syncookies": "1"},
        ),
    ],
)
def test_variables_of_a_host(host: str, role: str, given: dict[str, Any], key: str, value: object) -> None:
    by_inventory = r3()
    by_inventory.hostvars[host].update(given)
    assert by_inventory.plan(host, role)[key] == value
    assert r3().plan(host, role, variables=given)[key] == value


def test_given_variables_stand_above_those_of_the_inventory() -> None:
    model = r3()
    model.hostvars["lb1"]["lvs_purge"] = ["all"]
    assert model.plan("lb1", "director", variables={"lvs_purge": ["fwmark"]})["purge"] == ["fwmark"]
    assert model.plan("lb1", "director", variables={"lvs_purge": None})["purge"] == ["all"]
    assert model.plan("web1", "real_server", variables={"lvs_gateway": None})["gateways"] == []


def test_redirects_of_an_interface_with_a_dot() -> None:
    model = r3()
    model.hostvars["lb1"]["lvs_vip_interface"] = "eth1.50"
    model.hostvars["lb1"]["ansible_facts"] = facts(nic("eth1", "192.168.246.166/24"), nic("eth1.50"))
    assert "net.ipv4.conf.eth1/50.send_redirects" in model.plan("lb1", "director")["sysctls"]


def test_nat_with_one_interface_is_noted() -> None:
    model = r1()
    model.service["forward"] = "nat"
    plan = model.plan("lb1", "director")
    assert plan["notes"] == [
        "lvs_services[0]: the VIP 192.168.246.160 is in the real servers' network; clients in that network would get "
        "answers that did not come through the director, and drop them"
    ]
    assert plan["sysctls"]["net.ipv4.conf.eth1.send_redirects"] == "0"


def test_a_health_check_that_nobody_does_is_noted() -> None:
    model = r1()
    model.service["health_check"] = {"type": "http", "path": "/", "status": 200, "interval": 3}
    notes = model.plan("lb1", "director")["notes"]
    assert notes == ["lvs_services[0].health_check: nothing checks while lvs_manager is kernel"]


@pytest.mark.parametrize("make", [r1, r3])
def test_a_director_may_be_a_real_server_too(make: Callable[[], Model]) -> None:
    model = make()
    model.service["real_servers"] += rs("lb1")
    model.groups["lvs_real_servers"].append("lb1")
    assert model.mistakes() == []
    assert model.plan("lb1", "real_server")["gateways"] == []


@pytest.mark.parametrize(
    ("given", "noted"),
    [
        ({}, True),
        ({"lvs_gateway": "192.168.0.1"}, True),
        ({"lvs_gateway": "2001:db8::1"}, False),
        ({"lvs_sysctls": {"net.ipv6.conf.eth1.accept_ra": 2}}, False),
        ({"lvs_sysctls": {"net.ipv6.conf.all.forwarding": None}}, False),
    ],
)
@pytest.mark.parametrize("role", ["director", "router"])
def test_ipv6_forwarding_loses_routes_of_router_advertisements(role: str, given: dict[str, Any], noted: bool) -> None:
    model = ipv6_nat()
    model.groups["lvs_routers"] = ["lb1"]
    assert "notes" not in model.plan("lb1", role)
    model.hostvars["lb1"]["ansible_facts"]["default_ipv6"] = {"gateway": "fe80::1"}
    model.hostvars["lb1"].update(given)
    note = (
        "IPv6 forwarding makes the kernel ignore router advertisements, and drop the default routes that came from "
        "them: give lb1 its IPv6 default gateway with lvs_gateway, or net.ipv6.conf.INTERFACE.accept_ra: 2 in "
        "lvs_sysctls"
    )
    assert model.plan("lb1", role).get("notes") == ([note] if noted else None)


def test_arp_sysctls_are_free_where_the_arp_method_leaves_them_alone() -> None:
    model = r1()
    for name, method in (("web1", "arptables"), ("lb1", "sysctl")):
        model.hostvars[name].update(lvs_arp_method=method, lvs_sysctls={"net.ipv4.conf.all.arp_ignore": 1})
    assert model.mistakes() == []
    assert model.plan("web1", "real_server")["sysctls"] == {"net.ipv4.conf.all.arp_ignore": "1"}


def test_a_director_does_not_filter_what_it_shall_answer_for() -> None:
    model = two_directors()
    model.service["real_servers"] = model.hostvars["lb2"]["lvs_services"][0]["real_servers"] = rs("lb1")
    model.hostvars["lb1"]["lvs_arp_method"] = "arptables"
    model.groups["lvs_real_servers"].append("lb1")
    assert model.mistakes() == []
    filters = model.plan("lb1", "real_server")["arp_filters"]
    assert filters == [{"vip": "192.168.246.170", "source": "192.168.246.166", "interface": "eth1"}]


def test_a_vip_that_is_routed_to_the_director_may_be_on_lo() -> None:
    model = r2()
    model.service.update(address="10.7.7.7", real_servers=rs("web1", "lb1"))
    model.groups["lvs_real_servers"].append("lb1")
    assert model.mistakes() == []
    model = ipv6_nat()
    model.service["address"] = "2001:db8:7::31"
    model.hostvars["lb1"]["lvs_vip_interface"] = "lo"
    assert model.mistakes() == []


def test_the_director_is_found_by_the_real_servers_network() -> None:
    """Without facts of the real server, the director's network that holds the RIP tells."""
    model = r4()
    model.hostvars["lb1"]["lvs_address"] = "192.168.7.7"
    model.without_facts("app1")
    assert model.plan("app1", "real_server")["gateways"] == [{"gateway": "10.0.0.30"}]


# FULLNAT


def test_r7() -> None:
    """Real servers behind a router, on another port, with nothing to do for them."""
    model = r7()
    plan = model.plan("lb1", "director")
    assert plan["sysctls"] == IPVS_SYSCTLS | {
        "net.ipv4.ip_forward": "1",
        "net.ipv4.vs.conntrack": "1",
        "net.ipv4.conf.all.send_redirects": "0",
        "net.ipv4.conf.eth1.send_redirects": "0",
        "net.ipv6.conf.all.forwarding": "1",
    }
    assert plan["packet_rules"] == {
        "backend": "auto",
        "marks": [],
        "source_nat": [
            {"address": "192.0.2.100", "port": 80, "protocol": "tcp", "to": ["10.1.0.2"]},
            {"address": "2001:db8::100", "port": 80, "protocol": "tcp", "to": ["fd01::2"]},
        ],
    }
    assert [each["forward"] for service in plan["services"] for each in service["real_servers"]] == ["nat"] * 4
    assert [each["port"] for each in plan["services"][0]["real_servers"]] == [8080, 8080]
    assert any("see the director as the client" in note for note in plan["notes"])
    assert without(model.plan("web1", "real_server"), "passing") == {
        "firewall": {},
        "commands": ["ip"],
        "sysctls": {},
        "arp": [],
        "arp_filters": [],
        "addresses": [],
        "gateways": [],
        **{key: [] for key in OF_TUNNELS},
    }


def test_several_addresses_for_the_real_servers_to_see() -> None:
    model = r7()
    model.service["snat_addresses"] = ["10.1.0.2", "10.1.0.3"]
    model.hostvars["lb1"]["lvs_packet_filter"] = "iptables"
    rules = model.plan("lb1", "director")["packet_rules"]
    assert rules["backend"] == "iptables"
    assert rules["source_nat"][0]["to"] == ["10.1.0.2", "10.1.0.3"]


def test_real_servers_on_different_legs_of_the_director_see_different_addresses() -> None:
    model = r7()
    model.service["real_servers"] = [{"address": "10.1.0.50"}, {"address": "10.3.0.50"}, {"address": "10.1.0.51"}]
    model.hostvars["lb1"]["ansible_facts"] = facts(
        nic("eth1", "192.0.2.2/24"),
        nic("eth2", "10.1.0.2/24"),
        nic("eth3", "10.3.0.2/24"),
        nic("eth4", "2001:db8::2/64"),
    )
    model.services.pop()
    each = {"address": "192.0.2.100", "port": 80, "protocol": "tcp"}
    assert model.plan("lb1", "director")["packet_rules"]["source_nat"] == [
        {**each, "destinations": ["10.1.0.50", "10.1.0.51"], "to": ["10.1.0.2"]},
        {**each, "destinations": ["10.3.0.50"], "to": ["10.3.0.2"]},
    ]


# Firewall marks and FTP


def marked(model: Model, **more: Any) -> Model:
    """The first service by a mark that two addresses and several ports carry."""
    service = model.service
    for key in ("address", "port"):
        service.pop(key)
    service |= {
        "fwmark": 21,
        "family": "ipv4",
        "persistence": {"timeout": 60},
        "marked": [
            {"address": "192.168.246.160", "ports": [21, 20, "30000-30100"]},
            {"address": "192.168.246.170/32", "protocol": "udp"},
        ],
        **more,
    }
    return model


def test_the_addresses_of_a_mark_are_vips() -> None:
    model = marked(r1())
    plan = model.plan("lb1", "director")
    assert plan["packet_rules"]["marks"] == [
        {"mark": 21, "address": "192.168.246.160", "protocol": "tcp", "ports": ["20", "21", "30000-30100"]},
        {"mark": 21, "address": "192.168.246.170", "protocol": "udp"},
    ]
    assert [each["address"] for each in plan["addresses"]] == ["192.168.246.160/32", "192.168.246.170/32"]
    assert "notes" not in plan
    vips = [{"address": f"192.168.246.{number}/32", "interface": "lo"} for number in (160, 170)]
    assert model.plan("web1", "real_server")["addresses"] == vips


def test_fullnat_by_mark() -> None:
    model = marked(r1(), forward="fullnat")
    assert model.plan("lb1", "director")["packet_rules"]["source_nat"] == [
        {"fwmark": 21, "family": "ipv4", "to": ["192.168.246.166"]}
    ]


def test_the_ftp_helper_is_a_kernel_module() -> None:
    model = r3()
    model.service.update(port=21, helper="ftp")
    assert model.plan("lb1", "director")["kernel_modules"] == ["ip_vs", "ip_vs_rr", "ip_vs_ftp"]


@pytest.mark.parametrize("role", ["real_server", "router"])
def test_services_that_the_role_alone_has_are_those_of_its_directors_together(role: str) -> None:
    """The roles of the directors know which of them holds what, and this one does not have to."""
    model = r1()
    model.hostvars["lb2"] = {"ansible_facts": facts(nic("eth1", "192.168.246.167/24"))}
    services = model.hostvars["lb1"].pop("lvs_services")
    plan = model.plan("web1", role, services=services, directors=["lb1", "lb2"])
    if role == "real_server":
        assert [each["address"] for each in plan["addresses"]] == ["192.168.246.160/32"]
