# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packets have to pass the packet filter of which host, and what is said where one is dropped."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import verifying
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.compiler import site_of
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.plan import passing
from ansible_collections.lvs.topology.tests.unit.topology.inventories import (
    QUIET,
    Model,
    dr_pair,
    facts,
    nic,
    r1,
    r4,
    r5,
    r6,
    r7,
)


def asked(model: Model, host: str) -> list[tuple[Any, ...]]:
    """Of each packet what tells it from the others."""
    packets = verifying.questions_of(model.hostvars, model.groups)["hosts"][host]["packets"]
    names = ("hook", "protocol", "source", "source_port", "destination", "port", "state")
    return [tuple(each[name] for name in names if name in each) for each in packets]


REQUEST, ICMP = ("input", "tcp", "{}", 80, "new"), ("input", "icmp", "{}")


def to(vip: str, *packets: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    return [tuple(vip if word == "{}" else word for word in packet) for packet in packets]


SENT_ON = ("output", "tcp", "{}", 80, "sent")
HALVES = [("input", "tcp", "{}", 80, state) for state in ("half", "closing")]


@pytest.mark.parametrize(
    ("model", "host", "packets"),
    [
        # Whichever of both real servers gets it.
        (r1, "lb1", to("192.168.246.160", REQUEST, ICMP, SENT_ON, *HALVES)),
        (r1, "web1", to("192.168.246.160", REQUEST)),
        (
            r4,
            "lb1",
            [
                *to("192.168.0.30", REQUEST, ICMP),
                ("output", "tcp", "10.0.0.51", 80, "sent"),
                ("forward", "tcp", "10.0.0.51", 80, "answer"),
                ("output", "tcp", "10.0.0.52", 80, "sent"),
                ("forward", "tcp", "10.0.0.52", 80, "answer"),
            ],
        ),
        (r4, "app1", to("10.0.0.51", REQUEST)),
        (
            r6,
            "lb1",
            [
                *to("192.168.0.100", REQUEST, ICMP),
                ("output", "4", "10.7.0.11", "new"),
                *to("192.168.0.100", *HALVES),
                ("output", "4", "10.7.0.12", "new"),
                ("input", "icmp", "192.168.0.200"),
            ],
        ),
        (r6, "web1", [("input", "4", "10.7.0.11", "new"), *to("192.168.0.100", REQUEST)]),
    ],
)
def test_what_has_to_pass(model: Any, host: str, packets: list[tuple[Any, ...]]) -> None:
    assert asked(model(), host) == packets


@pytest.mark.parametrize("model", [r1, r4, r5, r6, r7])
def test_what_ipvs_takes(model: Any) -> None:
    """Chains of nftables behind it see no such packet, but all others, and those of real servers see everything."""
    every = verifying.questions_of(model().hostvars, model().groups)["hosts"]
    for host, asked_of in every.items():
        for each in asked_of["packets"]:
            is_for_clients = each["hook"] == "forward" or (each["hook"] == "input" and each["protocol"] != "112")
            assert each.get("taken", False) is (is_for_clients and host.startswith("lb")), each


def test_what_directors_say_to_each_other() -> None:
    model = r5()
    assert ("input", "112", "new") in asked(model, "lb1")
    for name in ("lb1", "lb2"):
        model.hostvars[name]["lvs_sync"] = {"state": ["master", "backup"]}
    assert ("input", "udp", "224.0.0.81", 8848, "new") in asked(model, "lb2")


def test_unicast_adverts_may_belong_to_a_connection() -> None:
    model = r5()
    for name in ("lb1", "lb2"):
        model.hostvars[name]["lvs_vrrp"]["unicast"] = True
    assert [each for each in asked(model, "lb1") if "112" in each and each[0] == "input"] == [("input", "112")]


def test_a_director_among_its_own_real_servers() -> None:
    """What it sends itself and answers itself goes by lo."""
    model = r4()
    model.hostvars["lb1"]["lvs_services"][0]["real_servers"] = [{"host": "lb1"}, {"host": "app1"}]
    assert [each for each in asked(model, "lb1") if each[0] in ("output", "forward")] == [
        ("output", "tcp", "10.0.0.51", 80, "sent"),
        ("forward", "tcp", "10.0.0.51", 80, "answer"),
    ]


def test_whoever_says_sorry_is_sent_to_as_well() -> None:
    model = r4()
    model.hostvars["lb1"].update(lvs_manager="checker")
    (service,) = model.hostvars["lb1"]["lvs_services"]
    service["health_check"] = {"type": "tcp"}
    service["real_servers"], service["sorry_server"] = [{"host": "app1"}], {"address": "10.0.0.52", "port": 8080}
    assert model.mistakes() == []
    sent_and_answered = [each for each in asked(model, "lb1") if each[0] in ("output", "forward")]
    assert ("output", "tcp", "10.0.0.52", 8080, "sent") in sent_and_answered
    assert ("forward", "tcp", "10.0.0.52", 8080, "answer") in sent_and_answered
    service["sorry_server"] = {"address": "127.0.0.1", "port": 8080}
    assert not [each for each in asked(model, "lb1") if "127.0.0.1" in each]


def test_one_real_server_by_dr() -> None:
    model = r1()
    del model.services[0]["real_servers"][1:]
    assert asked(model, "lb1") == to("192.168.246.160", REQUEST, ICMP, SENT_ON, *HALVES)


def marked() -> Model:
    """Two VIPs with one mark, and the same port of each."""
    model = r1()
    service = model.services[0]
    for key in ("address", "port", "protocol"):
        service.pop(key, None)
    addresses = ("192.168.246.160", "192.168.246.170")
    service.update(
        fwmark=7, family="ipv4", marked=[{"address": each, "protocol": "tcp", "ports": [80]} for each in addresses]
    )
    return model


def test_what_is_sent_on_to_each_vip_of_a_mark() -> None:
    every = verifying.questions_of(marked().hostvars, marked().groups)["hosts"]["lb1"]["packets"]
    sent = {each["destination"]: each["name"] for each in every if each.get("state") == "sent"}
    assert sent == {
        vip: f"what is sent on to the real servers for web, tcp to {vip} port 80"
        for vip in ("192.168.246.160", "192.168.246.170")
    }


def two_ports() -> Model:
    """Each port of one host is a real server, and so is the one that says sorry."""
    model = r4()
    (service,) = model.hostvars["lb1"]["lvs_services"]
    model.hostvars["lb1"]["lvs_manager"] = "checker"
    service |= {"health_check": {"type": "tcp"}, "sorry_server": {"host": "app1", "port": 8082}}
    service["real_servers"] = [{"host": "app1"}, {"host": "app1", "port": 8081}]
    assert model.mistakes() == []
    return model


@pytest.mark.parametrize("model", [r1, r4, r5, r6, r7, dr_pair, marked, two_ports])
def test_no_two_packets_have_one_name(model: Any) -> None:
    """Of two, only the first would be asked about, and let through."""
    hostvars, groups = model().hostvars, model().groups
    site = site_of(hostvars, groups, [])
    for host in site.inventory.members:
        packets: dict[str, list[Any]] = {}
        for each in (*passing.of_director(site, host), *passing.of_real_server(site, host)):
            packets.setdefault(each.name, []).append(each.question)
        assert {name: every for name, every in packets.items() if any(each != every[0] for each in every)} == {}


def test_one_of_each_kind_comes_first() -> None:
    """No more than 200 are looked at."""
    model = dr_pair()
    services = [
        {**service, "name": f"{service['name']}-{port}", "port": port}
        for service in model.services
        for port in range(1000, 1040)
    ]
    for name in ("lb1", "lb2"):
        model.hostvars[name]["lvs_services"] = services
        model.hostvars[name]["lvs_sync"] = {"state": ["master", "backup"]}
    every = verifying.questions_of(model.hostvars, model.groups)["hosts"]["lb1"]["packets"]
    assert len(every) == 200
    first = every[:12]
    assert {(each["hook"], each["protocol"], ":" in str(each.get("destination"))) for each in first} == {
        ("input", "112", False),
        ("input", "udp", False),
        ("input", "tcp", False),
        ("input", "icmp", False),
        ("output", "tcp", False),
        ("output", "112", False),
        ("output", "udp", False),
        ("input", "tcp", True),
        ("input", "icmpv6", True),
        ("output", "tcp", True),
    }
    answers = {name: {**QUIET, "listeners": []} for name in ("lb1", "lb2", "web1", "web2")}
    unseen = verifying.findings_of(model.hostvars, model.groups, answers, {})["unseen"]
    [said] = [each for each in unseen if each.startswith("lb1: whether")]
    assert said.endswith(" kinds of packets: 200 are looked at"), said
    left, _of, count = said.partition(" drops ")[2].split()[:3]
    assert int(left) == int(count) - 200 > 0


def test_a_tunnel_by_udp() -> None:
    model = r6()
    model.service["real_servers"][0]["tunnel"] = {"type": "gue", "port": 6080}
    assert ("input", "udp", "10.7.0.11", 6080, "new") in asked(model, "web1")


def test_answers_of_both_families() -> None:
    packets = verifying.questions_of(r7().hostvars, r7().groups)["hosts"]["lb1"]["packets"]
    assert {":" in each["source"] for each in packets if each["hook"] == "forward"} == {True, False}


def told(model: Model, **answer: Any) -> list[dict[str, Any]]:
    listening = [{"protocol": "tcp", "address": "0.0.0.0", "port": 80}]  # noqa: S104, as a host says it
    answers = {name: {**QUIET, "listeners": listening} for name in ("lb1", "web1", "web2")}
    answers["lb1"] = {**QUIET, **answer}
    model.hostvars["lb1"]["ansible_facts"] = facts(nic("eth1", "192.168.246.166/24", model.service["address"]))
    every = verifying.findings_of(model.hostvars, model.groups, answers, {})["findings"]
    return [each for each in every if each["host"] == "lb1"]


def test_one_line_for_each_rule() -> None:
    packets = verifying.questions_of(r1().hostvars, r1().groups)["hosts"]["lb1"]["packets"]
    rule = "iptables -A INPUT -p tcp -j DROP"
    policy = "iptables -P INPUT DROP"
    dropped = [
        {"name": each["name"], "said": rule if each["protocol"] == "tcp" else policy}
        for each in packets
        if each["hook"] == "input"
    ]
    obstacles = [{"kind": "policy", "hook": "input", "said": policy}]
    findings = told(r1(), dropped=[*dropped, {"name": "unheard of", "said": rule}], obstacles=obstacles)
    assert [(each["degree"], each["what"]) for each in findings] == [
        ("broken", f"its packet filter drops what clients send to web (tcp to 192.168.246.160 port 80) (`{rule}`)"),
        ("at risk", f"its packet filter drops ICMP 'too large' for 192.168.246.160 (`{policy}`)"),
    ]
    assert [each["remedy"].partition(";")[0] for each in findings] == [
        "iptables -I INPUT -p tcp -d 192.168.246.160 --dport 80 -j ACCEPT",
        "iptables -I INPUT -p icmp -d 192.168.246.160 --icmp-type fragmentation-needed -j ACCEPT",
    ]
    # What is only possible stays what it was.
    assert [each["degree"] for each in told(r1(), obstacles=obstacles)] == ["worth knowing"]


OPEN = "iptables -I INPUT -p tcp -d 192.168.246.160 --dport 80 -j ACCEPT"
REST = "; and the same where the rules come from; or lvs_firewall: manage"


@pytest.mark.parametrize(
    ("rule", "remedy"),
    [
        # The end of a whole firewall, as RHEL has it: without it everything is open.
        ("iptables -A INPUT -j REJECT --reject-with icmp-host-prohibited", OPEN),
        ("iptables -A INPUT -p tcp -j DROP", OPEN),
        ("iptables -A INPUT ! -s 10.0.0.0/8 -j DROP", OPEN),
        ("iptables -P INPUT DROP", OPEN),
        ("iptables -A INPUT -m tcp --dport 80 -j DROP", f"{OPEN}; or iptables -D INPUT -m tcp --dport 80 -j DROP"),
        (
            "ip6tables-legacy -A closed -d 192.168.246.160/32 -j DROP",
            f"ip6tables-legacy{OPEN[8:]}; or ip6tables-legacy -D closed -d 192.168.246.160/32 -j DROP",
        ),
        (
            "iptables -A INPUT -m conntrack --ctstate INVALID -j DROP",
            f"{OPEN}; or iptables -D INPUT -m conntrack --ctstate INVALID -j DROP",
        ),
        # Nothing that a host says is run by the shell of whoever types it.
        (
            'iptables -A INPUT -d 1.2.3.4 -m comment --comment "$(reboot)" -j DROP',
            f"{OPEN}; or iptables -D INPUT -d 1.2.3.4 -m comment --comment '$(reboot)' -j DROP",
        ),
        ('iptables -A INPUT -s 1.2.3.4 "unclosed -j DROP', "a rule before it that lets this pass"),
        ("reboot; iptables -A INPUT -s 1.2.3.4 -j DROP", "a rule before it that lets this pass"),
        ("iptables-nft: tcp dport 80 counter packets 0 bytes 0 drop", OPEN),
        # What is dropped before the firewall, that is not opened by.
        (
            "prerouting: iptables -t mangle -A PREROUTING -m conntrack --ctstate INVALID -j DROP",
            "a rule before it that lets this pass; or iptables -t mangle -D PREROUTING -m conntrack --ctstate INVALID "
            "-j DROP; and the same where the rules come from",
        ),
        (
            "iptables -t mangle -A INPUT -j DROP",
            "a rule before it that lets this pass; and the same where the rules come from",
        ),
        (
            "prerouting: nft: tcp dport 80 drop",
            "`ip daddr 192.168.246.160 tcp dport 80 accept` before it; and the same where the rules come from",
        ),
        ("nft: tcp dport 80 drop", "`ip daddr 192.168.246.160 tcp dport 80 accept` before it"),
    ],
)
def test_the_remedy_opens_for_what_is_dropped(rule: str, remedy: str) -> None:
    packets = verifying.questions_of(r1().hostvars, r1().groups)["hosts"]["lb1"]["packets"]
    [finding] = told(r1(), dropped=[{"name": packets[0]["name"], "said": rule}])
    assert finding["remedy"] == remedy + ("" if remedy.endswith("come from") else REST)


@pytest.mark.parametrize(
    ("firewall", "remedy"),
    [
        (
            "firewalld",
            'firewall-cmd --permanent \'--add-rich-rule=rule family="ipv4" destination address="192.168.246.160" '
            'port port="80" protocol="tcp" accept\', and the same without --permanent',
        ),
        ("ufw", "ufw allow proto tcp from 0.0.0.0/0 to 192.168.246.160 port 80"),
    ],
)
def test_the_remedy_is_in_the_words_of_what_rules(firewall: str, remedy: str) -> None:
    packets = verifying.questions_of(r1().hostvars, r1().groups)["hosts"]["lb1"]["packets"]
    dropped = [{"name": packets[0]["name"], "said": "iptables -A INPUT -s 1.2.3.4 -j DROP"}]
    [finding] = told(r1(), dropped=dropped, firewall=firewall)
    assert finding["remedy"] == f"{remedy}; or lvs_firewall: manage"


def test_a_filter_that_is_looked_after_or_not_to_be_looked_at() -> None:
    model = r1()
    obstacles = [{"kind": "policy", "hook": "input", "said": "iptables -P INPUT DROP"}]
    for handling, is_asked in (("manage", True), ("none", False)):
        model.hostvars["lb1"]["lvs_firewall"] = handling
        assert bool(asked(model, "lb1")) is is_asked
        assert told(model, obstacles=obstacles) == []
    answers = {name: {**QUIET, "listeners": []} for name in ("lb1", "web1", "web2")}
    unseen = verifying.findings_of(model.hostvars, model.groups, answers, {})["unseen"]
    assert "lb1: its packet filter, because lvs_firewall is none" in unseen


def test_a_plan_has_what_is_to_pass() -> None:
    model = r4()
    assert [each["hook"] for each in model.plan("lb1", "director")["passing"]] == [
        *("input", "input", "output", "forward", "output", "forward"),
    ]
    assert model.plan("lb1", "director")["firewall"] == {}
    model.hostvars["app1"]["lvs_firewall"] = "manage"
    plan = model.plan("app1", "real_server")
    request = {"hook": "input", "protocol": "tcp", "destination": "10.0.0.51", "port": 80, "state": "new"}
    assert (plan["firewall"], plan["passing"]) == ({"packets": [request]}, [])
    model.hostvars["app1"]["lvs_firewall"] = "none"
    plan = model.plan("app1", "real_server")
    assert (plan["firewall"], plan["passing"]) == ({}, [])


def test_services_by_firewall_mark() -> None:
    model = r4()
    service = model.hostvars["lb1"]["lvs_services"][0]
    for key in ("address", "port", "protocol"):
        service.pop(key, None)
    marked = [{"address": "192.168.0.30", "ports": [80, "90-99"]}]
    service.update({"fwmark": 10, "family": "ipv4", "marked": marked})
    packets = verifying.questions_of(model.hostvars, model.groups)["hosts"]["lb1"]["packets"]
    names = ("hook", "source", "source_port", "last_source_port", "destination", "port", "last_port")
    found = {tuple(each.get(name) for name in names) for each in packets if each["protocol"] == "tcp"}
    assert ("input", None, None, None, "192.168.0.30", 80, None) in found
    assert ("input", None, None, None, "192.168.0.30", 90, 99) in found
    assert ("forward", "10.0.0.51", 90, 99, None, None, None) in found


def test_what_checks_of_keepalived_need() -> None:
    """By direct routing, clients' packets are for the VIP, and checks for the real server's own address."""
    model = dr_pair()
    for name in ("lb1", "lb2"):
        for service in model.hostvars[name].get("lvs_services", model.services):
            service["health_check"] = {"type": "tcp", "port": 8080}
    host = model.groups["lvs_real_servers"][0]
    address = model.hostvars[host]["lvs_address"]
    addresses = address if isinstance(address, list) else [address]
    assert {("input", "tcp", each, 8080, "new") for each in addresses} <= {*asked(model, host)}
    assert {("output", "tcp", each, 8080, "new") for each in addresses} <= {*asked(model, "lb1")}


def test_answers_of_several_ports_are_counted() -> None:
    """To a rule they differ by the port from which they come."""
    model = r4()
    service = model.hostvars["lb1"]["lvs_services"][0]
    model.hostvars["lb1"]["lvs_services"] = [service, {**service, "name": "more", "port": 443}]
    packets = verifying.questions_of(model.hostvars, model.groups)["hosts"]["lb1"]["packets"]
    answers = {name: {**QUIET, "listeners": []} for name in model.hostvars}
    dropped = [
        {"name": each["name"], "said": "iptables -P FORWARD DROP"} for each in packets if each["hook"] == "forward"
    ]
    answers["lb1"] = {**QUIET, "dropped": dropped}
    every = verifying.findings_of(model.hostvars, model.groups, answers, {})["findings"]
    [finding] = [each for each in every if "packet filter" in each["what"]]
    assert len(dropped) == 4
    assert "and 3 more that should pass" in finding["what"]
    commands = [f"iptables -I FORWARD -p tcp -s 10.0.0.5{number} --sport 80 -j ACCEPT" for number in (1, 2)]
    assert finding["remedy"].startswith(" and ".join(commands))
    assert finding["remedy"].endswith(REST)


def test_a_director_that_is_not_master() -> None:
    """Nobody notices it until the other one dies."""
    model = r5()
    model.hostvars["lb1"]["ansible_facts"] = facts(
        nic("eth1", "192.168.0.11/24", "192.168.0.29/32"), nic("eth2", "10.0.0.11/24", "10.0.0.29/24")
    )
    packets = verifying.questions_of(model.hostvars, model.groups)["hosts"]["lb1"]["packets"]
    request = next(each["name"] for each in packets if each["protocol"] == "tcp")
    drops = {**QUIET, "dropped": [{"name": request, "said": "nft: drop"}]}
    answers = {name: {**QUIET, "listeners": []} for name in ("app1", "app2")} | {"lb1": drops, "lb2": drops}
    every = verifying.findings_of(model.hostvars, model.groups, answers, {})["findings"]
    found = {each["host"]: each for each in every if "packet filter" in each["what"]}
    assert {name: each["degree"] for name, each in found.items()} == {"lb1": "broken", "lb2": "at risk"}
    assert found["lb2"]["effect"] == "When this director takes over: Clients of the service get no answer."


@pytest.mark.parametrize(
    ("answer", "degree", "what"),
    [
        ({"large_receive": ["eth1"]}, "at risk", "eth1 puts received packets together (LRO)"),
        ({"tentative_addresses": ["fd00::1 dev eth9"]}, None, ""),
        ({"defences": {"drop_entry": 3}}, "at risk", "net.ipv4.vs.drop_entry is 3"),
        ({"defences": {"secure_tcp": 1}}, "worth knowing", "it works while memory is short"),
        ({"counters": {"reverse_path": 9, "packets": 1000, "no_room": 0}}, None, ""),
        ({"counters": {"reverse_path": 0, "packets": 10**6, "no_room": 99}}, None, ""),
        (
            {"counters": {"reverse_path": 0, "packets": 10**6, "no_room": 200}},
            "worth knowing",
            "200 of 1000000 packets",
        ),
        ({"table": {"services": [], "timeouts": {"tcp": 900, "tcpfin": 120, "udp": 300}, "daemons": []}}, None, ""),
        (
            {"table": {"services": [], "timeouts": {"tcp": 60, "tcpfin": 120, "udp": 300}, "daemons": []}},
            "worth knowing",
            "somebody set the timeout of tcp 60 s (the kernel's is 900 s)",
        ),
    ],
)
def test_what_else_shows_on_a_host(answer: dict[str, Any], degree: str | None, what: str) -> None:
    model = r1()
    model.service["real_servers"] = []
    findings = told(model, **answer)
    assert [each["degree"] for each in findings] == ([degree] if degree else [])
    assert all(what in each["what"] for each in findings)


@pytest.mark.parametrize(
    ("given", "found", "command"),
    [
        ({}, {"tcp": 60, "tcpfin": 120, "udp": 300}, "ipvsadm --set 900 0 0"),
        ({}, {"tcp": 60, "tcpfin": 9, "udp": 8}, "ipvsadm --set 900 120 300"),
        # What the model has is not to become the kernel's, and is none of this where it is wrong.
        ({"tcp": 7200, "udp": 60}, {"tcp": 7200, "tcpfin": 20, "udp": 60}, "ipvsadm --set 0 120 0"),
        ({"tcp": 7200, "udp": 60}, {"tcp": 100, "tcpfin": 20, "udp": 60}, "ipvsadm --set 0 120 0"),
    ],
)
def test_timeouts_of_somebody_leave_alone_those_of_the_model(
    given: dict[str, int], found: dict[str, int], command: str
) -> None:
    model = r1()
    model.service["real_servers"] = []
    model.hostvars["lb1"]["lvs_timeouts"] = given
    [finding] = told(model, table={"services": [], "timeouts": found, "daemons": []})
    assert finding["remedy"] == f"lvs_timeouts, or {command}"


def test_a_vip_that_is_tentative() -> None:
    model = r1()
    model.service.update({"address": "fd00::160", "real_servers": []})
    model.hostvars["lb1"]["lvs_vip_interface"] = "eth1"
    said = [each["what"] for each in told(model, tentative_addresses=["fd00::160 dev eth1"])]
    assert any("fd00::160 dev eth1 is not used yet" in each for each in said)


def test_a_connection_table_that_is_too_small() -> None:
    real_server = {"address": "192.168.246.161", "port": 80, "weight": 1, "upper_threshold": 0, "lower_threshold": 0}
    model = r1()
    model.service["real_servers"] = ["192.168.246.161"]
    for active, said in ((30000, []), (33000, ["worth knowing"])):
        pool = [{**real_server, "connections": {"active": active, "inactive": 0, "persistent": 0}}]
        service = {"address": "192.168.246.160", "port": 80, "protocol": "tcp", "real_servers": pool}
        table = {"services": [service], "timeouts": {}, "daemons": [], "table_size": 4096}
        assert [each["degree"] for each in told(model, table=table)] == said


def test_what_the_reverse_path_filter_dropped_is_said_beside_something_else() -> None:
    change = "sysctl -w net.ipv4.conf.eth1.rp_filter=2"
    differences = [{"concern": "sysctls", "changes": [change], "problem": ""}]
    part = {"problems": [], "differences": differences, "unmanaged": []}
    counters = {"reverse_path": 9, "packets": 1000, "no_room": 0}
    model = r1()
    model.service["real_servers"] = []
    assert [each["degree"] for each in told(model, counters=counters, parts={"director": part})] == [
        "at risk",
        "worth knowing",
    ]
