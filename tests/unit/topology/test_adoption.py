# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables as ipvs_info returns them, in the words of the model, and compiled again."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._filter.rewriting_rules import of_iptables
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import adopting
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.adopt.adoption import as_model
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import WrongModel
from ansible_collections.lvs.topology.tests.unit.topology.inventories import facts, nic, r1

HOSTS = {ip_address("192.168.246.161"): "web1", ip_address("2001:db8::162"): "web2"}


def _real_server(address: str, port: int = 80, **more: Any) -> dict[str, Any]:
    plain = {"forward": "dr", "weight": 1, "upper_threshold": 0, "lower_threshold": 0, "tunnel": None}
    return {"address": address, "port": port, "connections": {"active": 1}, **plain, **more}


def _service(*real_servers: dict[str, Any], family: str = "ipv4", **more: Any) -> dict[str, Any]:
    off = {"timeout": 0, "netmask": "255.255.255.255" if family == "ipv4" else 128, "engine": "none"}
    plain = {"scheduler": "wlc", "scheduler_flags": [], "one_packet": False, "persistence": off, "counters": {}}
    return {"family": family, **plain, **more, "real_servers": list(real_servers)}


WEB = {"address": "192.168.246.160", "port": 80, "protocol": "tcp"}


def test_what_is_default_is_left_out_and_hosts_have_their_names() -> None:
    table = [_service(_real_server("192.168.246.161"), _real_server("192.168.246.170", weight=0), **WEB)]
    assert as_model(table, HOSTS) == (
        [
            {
                "name": "tcp-192.168.246.160-80",
                **WEB,
                "forward": "dr",
                "real_servers": [{"host": "web1"}, {"address": "192.168.246.170", "weight": 0}],
            }
        ],
        [
            "tcp 192.168.246.160:80: 192.168.246.170:80 has weight 0, perhaps only until a health check or a drain "
            "ends. Correct it in the list, or set lvs_adopt_weight to the weight to write in its place"
        ],
    )


def test_an_address_that_the_inventory_does_not_say_stands_beside_the_name() -> None:
    """What networks tell of the host may be another one."""
    model = r1()
    model.hostvars["web2"].pop("lvs_address")
    model.hostvars["web2"]["ansible_facts"] = facts(nic("eth0", "172.31.0.62/24"), nic("eth1", "192.168.246.162/24"))
    model.hostvars["lb1"]["ansible_facts"] = facts(nic("eth0", "172.31.0.66/24"), nic("eth1", "192.168.246.166/24"))
    table = [_service(_real_server("192.168.246.161"), _real_server("172.31.0.62"), **WEB)]
    found = adopting.model_of(model.hostvars, model.groups, {"services": table, "sync_daemons": []}, "lb1")
    assert found["services"][0]["real_servers"] == [{"host": "web1"}, {"host": "web2", "address": "172.31.0.62"}]


def test_everything_else_is_said() -> None:
    gue = {"type": "gue", "port": 6080, "checksum": "remote"}
    ipip = {"type": "ipip", "port": 0, "checksum": "none"}
    sticky = {"timeout": 600, "netmask": 64, "engine": "sip"}
    table = [
        _service(
            _real_server("2001:db8::162", 0, forward="tun", tunnel=gue, upper_threshold=9, lower_threshold=3),
            _real_server("2001:db8::163", 0, forward="tun", tunnel=ipip),
            family="ipv6",
            fwmark=10,
            scheduler="mh",
            scheduler_flags=["mh-port"],
            persistence=sticky,
        ),
        _service(_real_server("10.0.0.51", 8080, forward="nat"), **WEB),
    ]
    found, problems = as_model(table, HOSTS)
    assert problems == []
    assert found[0] == {
        "name": "mark-10-ipv6",
        "fwmark": 10,
        "family": "ipv6",
        "forward": "tun",
        "scheduler": "mh",
        "scheduler_flags": ["mh-port"],
        "persistence": sticky,
        "real_servers": [
            {"host": "web2", "upper_threshold": 9, "lower_threshold": 3, "tunnel": gue},
            {"address": "2001:db8::163"},
        ],
    }
    assert found[1]["real_servers"] == [{"address": "10.0.0.51", "port": 8080}]


def test_what_the_model_cannot_say() -> None:
    mixed = _service(_real_server("192.168.246.161"), _real_server("192.168.246.162", forward="nat"), **WEB)
    found, problems = as_model([mixed, _service(fwmark=7)], HOSTS)
    assert found == []
    assert len(problems) == 2
    assert problems[0].startswith("tcp 192.168.246.160:80: ")
    assert problems[1].startswith("firewall mark 7 (ipv4): ")


def test_the_compiler_asks_for_the_same_again() -> None:
    model = r1()
    plan = model.plan("lb1", "director")
    table = [
        {**each, "family": "ipv4", "persistence": {"timeout": 0, "netmask": "255.255.255.255", "engine": "none"}}
        for each in plan["services"]
    ]
    for service in table:
        service["real_servers"] = [{**each, "tunnel": None} for each in service["real_servers"]]
    model.hostvars["lb1"]["lvs_services"] = as_model(table, {})[0]
    assert model.plan("lb1", "director")["services"] == plan["services"]


# A host that has nothing beside its table.
NOTHING: dict[str, Any] = {"sysctls": {}, "helpers": [], "programs": [], "marking_rules": [], "translating_rules": []}


def adopted(table: list[dict[str, Any]], **more: Any) -> tuple[list[dict[str, Any]], list[str]]:
    found = whole({"services": table, "host": NOTHING}, **more)
    return found["services"], found["problems"]


def whole(info: dict[str, Any], **more: Any) -> dict[str, Any]:
    model = r1()
    held = (f"192.168.246.{each}/32" for each in (160, 180))
    model.hostvars["lb1"]["ansible_facts"] = facts(nic("eth1", "192.168.246.166/24", *held, mtu=1500))
    found = adopting.model_of(model.hostvars, model.groups, info, "lb1", **more)
    model.hostvars["lb1"].update({"lvs_services": found["services"], **found["variables"]})
    # Whatever is written is accepted, and what is said stands above it.
    assert model.mistakes() == []
    comment = found["comment"].splitlines()
    assert all(line.startswith("# ") for line in comment)
    assert sum(line.startswith("# - ") for line in comment) == len(found["problems"])
    return found


def test_what_no_model_takes_is_a_problem() -> None:
    ipip = {"type": "ipip", "port": 0, "checksum": "none"}
    bad = _service(_real_server("192.168.246.161", 80, forward="tun", tunnel=ipip), fwmark=7)
    other = _service(_real_server("192.168.246.161", 8080), **{**WEB, "port": 8080})
    services, problems = adopted([bad, _service(_real_server("192.168.246.161"), **WEB), other])
    assert [each["name"] for each in services] == ["tcp-192.168.246.160-80", "tcp-192.168.246.160-8080"]
    unmarked, *problems = problems
    assert unmarked.startswith("firewall mark 7 (ipv4): no rule of a packet filter here sets the mark. Say by marked")
    assert problems
    assert all(line.startswith("mark-7-ipv4: left out, because no model can say it so: ") for line in problems)


def test_nat_that_can_only_be_fullnat_is_written_so() -> None:
    """Through NAT the real server's gateway would be the director, which drops what comes from its own VIP."""
    nat = _service(_real_server("192.168.246.161", 8080, forward="nat"), **{**WEB, "port": 8080})
    services, problems = adopted([nat, _service(_real_server("192.168.246.161"), **WEB)])
    assert [(each["port"], each["forward"]) for each in services] == [(8080, "fullnat"), (80, "dr")]
    assert problems == [
        "tcp-192.168.246.160-8080: is written as fullnat, because with nat there could be no tcp-192.168.246.160-80 "
        "beside it"
    ]


def test_a_weight_that_somebody_took_away_is_asked_for() -> None:
    table = [_service(_real_server("192.168.246.161", weight=0), _real_server("192.168.246.162", weight=3), **WEB)]
    services, problems = adopted(table)
    assert services[0]["real_servers"] == [{"host": "web1", "weight": 0}, {"host": "web2", "weight": 3}]
    assert len(problems) == 1
    services, problems = adopted(table, weight="3")
    assert services[0]["real_servers"] == [{"host": "web1", "weight": 3}, {"host": "web2", "weight": 3}]
    assert problems == []
    for wrong in ("x", 0, -1, [3]):
        with pytest.raises(WrongModel, match="is no weight"):
            adopted(table, weight=wrong)


TEMPLATE = "{{ lookup('pipe', 'id') }}"


@pytest.mark.parametrize("key", ["scheduler", "protocol", "address", "port", "scheduler_flags", "forward", "engine"])
def test_no_answer_of_a_director_is_a_template(key: str) -> None:
    service = _service(_real_server("192.168.246.161"), **WEB)
    if key == "forward":
        service["real_servers"][0][key] = TEMPLATE
    elif key == "engine":
        service["persistence"] |= {"timeout": 300, key: TEMPLATE}
    else:
        service[key] = [TEMPLATE] if key == "scheduler_flags" else TEMPLATE
    with pytest.raises(WrongModel):
        adopted([service])


def test_a_scheduler_that_the_model_does_not_know_is_a_problem() -> None:
    services, problems = adopted([_service(_real_server("192.168.246.161"), **WEB, scheduler="own_one")])
    assert services == []
    assert len(problems) == 1


MARK = {"fwmark": 7, "scheduler": "rr"}
CONNTRACK = {"net.ipv4.vs.conntrack": "1"}


def rules_of(text: str, family: int = 4) -> dict[str, Any]:
    """The rules of iptables-save, as ipvs_info returns them."""
    found = [{**each._asdict(), "ports": [*each.ports], "to": [*each.to]} for each in of_iptables(text, family)]
    return {
        f"{does}_rules": [each for each in found if each["does"] == word]
        for does, word in (("marking", "marks"), ("translating", "translates"))
    }


def marked(*lines: str, **more: Any) -> tuple[dict[str, Any], list[str]]:
    """The service of a mark, beside rules of the table mangle."""
    text = "\n".join(["*mangle", ":PREROUTING ACCEPT [0:0]", ":lvs-director-mark - [0:0]", *lines])
    table = [_service(_real_server("192.168.246.161", 0), **MARK)]
    found = whole({"services": table, "host": {**NOTHING, **rules_of(text), **more}})
    return found["services"][0], found["problems"]


OURS = "-A PREROUTING -j lvs-director-mark"
TO_VIP = "-d 192.168.246.180/32 -p tcp"
SETS = "-j MARK --set-xmark 0x7/0xffffffff"


def test_what_carries_a_mark_is_read() -> None:
    service, problems = marked(
        OURS,
        f"-A lvs-director-mark {TO_VIP} -m tcp --dport 30000:30100 {SETS}",
        f"-A lvs-director-mark {TO_VIP} -m tcp --dport 21 {SETS}",
        f"-A lvs-director-mark {TO_VIP.replace('tcp', 'udp')} {SETS}",
        # Other marks are others' services.
        f"-A lvs-director-mark {TO_VIP} -m tcp --dport 80 {SETS.replace('0x7', '0x8')}",
    )
    assert problems == []
    assert list(service)[:5] == ["name", "fwmark", "family", "forward", "marked"]
    assert service["marked"] == [
        {"address": "192.168.246.180", "ports": [21, "30000-30100"]},
        {"address": "192.168.246.180", "protocol": "udp"},
    ]


def test_ports_that_several_rules_mark_are_written_once() -> None:
    ports = ("20:30", "25:40", "50", "50")
    service, _problems = marked(
        OURS, *(f"-A lvs-director-mark {TO_VIP} -m tcp --dport {each} {SETS}" for each in ports)
    )
    assert service["marked"] == [{"address": "192.168.246.180", "ports": ["20-40", 50]}]
    service, _problems = marked(
        OURS, *(f"-A lvs-director-mark {TO_VIP} {each} {SETS}" for each in ("", "-m tcp --dport 9"))
    )
    assert service["marked"] == [{"address": "192.168.246.180"}]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"-A PREROUTING {TO_VIP} {SETS}", "says what marked says. site puts its own rule beside it"),
        (f"-A PREROUTING -i eth0 {TO_VIP} {SETS}", "sets the mark in a way that marked cannot say"),
        (f"-A PREROUTING -d 192.168.246.180/32 {SETS}", "sets the mark in a way that marked cannot say"),
        (f"-A PREROUTING -d 192.168.246.0/24 -p tcp {SETS}", "sets the mark in a way that marked cannot say"),
        ("-A PREROUTING -j CONNMARK --restore-mark", "may set the mark in a way that marked cannot say"),
        ("", "no rule of a packet filter here sets the mark. Say by marked which packets carry it"),
    ],
)
def test_a_mark_that_somebody_else_sets_is_said(line: str, said: str) -> None:
    service, problems = marked(line)
    assert len(problems) == 1
    assert problems[0].startswith("firewall mark 7 (ipv4): ")
    assert said in problems[0]
    assert line[:30] in problems[0]
    assert ("marked" in service) == ("says what marked says" in said)


def test_what_was_not_looked_at_is_said() -> None:
    unmarked, unseen = marked(OURS, unseen=["packet filter: nft: no"])[1]
    assert unseen == "not looked at: packet filter: nft: no"
    # What sets the mark may be there.
    assert "no rule of a packet filter that was read sets the mark" in unmarked
    dr = _service(_real_server("192.168.246.161"), **WEB)
    found = whole({"services": [dr, _service(_real_server("192.168.246.161", 0), **MARK)]})
    assert [each for each in found["problems"] if "subset host" in each]
    assert whole({"services": [dr]})["problems"] == []


def nat(*lines: str, sysctls: dict[str, str] = CONNTRACK, **more: Any) -> tuple[dict[str, Any], list[str]]:
    """A service of two real servers by masquerading, beside rules of the table nat."""
    text = "\n".join(["*nat", ":POSTROUTING ACCEPT [0:0]", ":lvs-director-snat - [0:0]", *lines])
    servers = [_real_server(f"192.168.246.{last}", 8080, forward="nat") for last in (161, 162)]
    host = {**NOTHING, **rules_of(text), "sysctls": sysctls}
    found = whole({"services": [_service(*servers, **{**WEB, **more})], "host": host})
    return found["services"][0], found["problems"]


CALL = "-A POSTROUTING -j lvs-director-snat"
IPVS = "-p tcp -m ipvs --vaddr 192.168.246.160 --vport 80"


def test_fullnat_is_read_from_the_rules_of_this_collection() -> None:
    service, problems = nat(CALL, f"-A lvs-director-snat {IPVS} -j SNAT --to-source 192.168.246.166")
    assert (service["forward"], "snat_addresses" in service, problems) == ("fullnat", False, [])
    turns = "-m statistic --mode nth --every 2 --packet 0"
    service, problems = nat(
        CALL,
        f"-A lvs-director-snat {IPVS} {turns} -j SNAT --to-source 192.168.246.166",
        f"-A lvs-director-snat {IPVS} -j SNAT --to-source 192.168.246.180",
    )
    assert problems == []
    assert (service["forward"], service["snat_addresses"]) == ("fullnat", ["192.168.246.166", "192.168.246.180"])
    # What comes behind it changes nothing any more, and what stands before it may.
    lines = [f"-A lvs-director-snat {IPVS} -j SNAT --to-source 192.168.246.166", "-A POSTROUTING -o eth1 -j MASQUERADE"]
    service, problems = nat(CALL, *lines)
    assert (service["forward"], problems) == ("fullnat", [])
    service, problems = nat(*reversed([CALL, *lines]))
    assert (service["forward"], len(problems)) == ("nat", 2)
    # Without that, no rule sees what IPVS sends.
    service, problems = nat(CALL, f"-A lvs-director-snat {IPVS} -j SNAT --to-source 192.168.246.166", sysctls={})
    assert (service["forward"], problems) == ("nat", [])


@pytest.mark.parametrize(
    ("lines", "forward", "said"),
    [
        ([f"{IPVS} -j SNAT --to-source 192.168.246.166"], "fullnat", "is somebody else's, and makes fullnat of it"),
        (["-d 192.168.246.160/30 -j MASQUERADE"], "fullnat", "leaves to the kernel which address real servers see"),
        (["-d 192.168.246.161/32 -j MASQUERADE"], "nat", "192.168.246.162 see clients, and 192.168.246.161 an address"),
        (["-o eth1 -j MASQUERADE"], "nat", "may change the source of what goes to 192.168.246.161"),
        (["-m mark --mark 0x9 -j MASQUERADE"], "nat", "may change the source of what goes to 192.168.246.161"),
        # What comes first may be the one.
        (["-s 10.0.0.0/8 -j MASQUERADE", f"{IPVS} -j MASQUERADE"], "nat", "may change the source"),
        # Others' connections.
        (["-d 10.0.0.0/8 -j MASQUERADE", "-p udp -j MASQUERADE", "-p tcp -m tcp --dport 81 -j MASQUERADE"], "nat", ""),
        ([IPVS.replace("--vport 80", "--vport 81") + " -j MASQUERADE"], "nat", ""),
        ([IPVS.replace("246.160", "246.180") + " -j MASQUERADE"], "nat", ""),
    ],
)
def test_rules_of_others_make_fullnat_where_that_is_certain(lines: list[str], forward: str, said: str) -> None:
    service, problems = nat(*(f"-A POSTROUTING {line}" for line in lines))
    assert service["forward"] == forward
    assert any(said in each for each in problems) if said else problems == []


def test_different_sources_of_real_servers_are_said() -> None:
    service, problems = nat(
        "-A POSTROUTING -d 192.168.246.161/32 -j SNAT --to-source 192.168.246.166",
        "-A POSTROUTING -d 192.168.246.162/32 -j SNAT --to-source 192.168.246.180",
    )
    assert (service["forward"], "snat_addresses" in service) == ("fullnat", False)
    assert "see different addresses of the director" in problems[-1]


def test_a_service_by_mark_is_fullnat_by_the_rule_of_its_mark() -> None:
    text = "*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -m mark --mark 0x7 -j SNAT --to-source 192.168.246.166"
    servers = _real_server("192.168.246.161", 0, forward="nat")
    table = [_service(servers, **MARK), _service(_real_server("192.168.246.162", forward="nat"), **WEB)]
    found = whole({"services": table, "host": {**NOTHING, **rules_of(text), "sysctls": CONNTRACK}})
    assert [each["forward"] for each in found["services"]] == ["fullnat", "nat"]
    # What carries the mark is none of the other service's.
    assert not any(each.startswith("tcp 192.168.246.160:80: ") for each in found["problems"])


def test_the_helper_is_what_is_loaded() -> None:
    ftp = {**WEB, "port": 21}
    table = [_service(_real_server("192.168.246.161", 21, forward="nat"), **ftp)]
    for helpers, helper in ((["ip_vs_ftp"], "ftp"), ([], None)):
        found = whole({"services": table, "host": {**NOTHING, "helpers": helpers}})
        assert (found["services"][0].get("helper"), found["problems"]) == (helper, [])
    dr = [_service(_real_server("192.168.246.161", 21), **ftp)]
    (said,) = whole({"services": dr, "host": {**NOTHING, "helpers": ["ip_vs_ftp"]}})["problems"]
    assert said.startswith("ip_vs_ftp is loaded, and there is no service for which the model loads it")


DAEMON = {"state": "master", "interface": "eth1", "syncid": 7, "maxlen": 1472, "group": "224.0.0.81", "port": 8848}


@pytest.mark.parametrize(
    ("daemons", "sync", "said"),
    [
        ([DAEMON], {"role": "master", "syncid": 7}, 0),
        ([DAEMON, {**DAEMON, "state": "backup"}], {"role": "both", "syncid": 7}, 0),
        ([{**DAEMON, "state": "backup", "maxlen": 2000}], {"role": "backup", "syncid": 7, "maxlen": 2000}, 0),
        # Shorter than a backup of the model takes.
        ([{**DAEMON, "state": "backup", "maxlen": 900}], None, 1),
        ([{**DAEMON, "port": 9, "ttl": 2}], {"role": "master", "syncid": 7, "port": 9, "ttl": 2}, 0),
        ([{**DAEMON, "state": "backup", "syncid": 8}, DAEMON], {"role": "master", "syncid": 7}, 1),
    ],
)
def test_synchronisation_daemons_are_carried_over(daemons: list[Any], sync: Any, said: int) -> None:
    found = whole({"services": [_service(_real_server("192.168.246.161"), **WEB)], "daemons": daemons})
    assert found["variables"] == ({"lvs_sync": sync} if sync else {})
    assert len(found["problems"]) == said


def test_timeouts_and_sysctls_are_carried_over() -> None:
    sysctls = {
        "net.ipv4.vs.conntrack": "1",
        "net.ipv4.vs.drop_entry": "2",
        "net.ipv4.vs.sync_threshold": "3 10",
        "net.ipv4.vs.pmtu_disc": "1",
        # The model sets this one by itself, and this one follows from the machine.
        "net.ipv4.vs.expire_nodest_conn": "1",
        "net.ipv4.vs.sync_qlen_max": "9999",
        "net.ipv4.vs.of_nobody": "1",
        "net.ipv4.vs.nat_icmp_send": "{{ x }}",
    }
    info = {
        "services": [_service(_real_server("192.168.246.161"), **WEB)],
        "timeouts": {"tcp": 7200, "tcpfin": 120, "udp": 300},
        "table_size": 2**18,
        "host": {**NOTHING, "sysctls": sysctls, "programs": ["keepalived", "bird", "of nobody"]},
    }
    found = whole(info)
    assert found["variables"] == {
        "lvs_timeouts": {"tcp": 7200},
        "lvs_sysctls": {
            "net.ipv4.vs.conntrack": 1,
            "net.ipv4.vs.drop_entry": 1,
            "net.ipv4.vs.sync_threshold": "3 10",
        },
    }
    assert [each.split()[0] for each in found["problems"]] == ["the", "keepalived", "bird"]


@pytest.mark.parametrize(
    ("interfaces", "variables", "address", "said"),
    [
        ({"eth1": ["192.168.246.160/32"]}, {}, "192.168.246.160", 0),
        ({"eth1": ["192.168.246.160/24"]}, {}, "192.168.246.160/24", 0),
        ({"eth2": ["192.168.246.160/24"]}, {"lvs_vip_interface": "eth2"}, "192.168.246.160/24", 0),
        ({"lo": ["192.168.246.160/32"]}, {"lvs_vip_interface": "lo"}, "192.168.246.160", 0),
        ({}, {}, "192.168.246.160", 1),
    ],
)
def test_where_the_vips_are_is_carried_over(
    interfaces: dict[str, list[str]], variables: dict[str, Any], address: str, said: int
) -> None:
    model = r1()
    held = {"eth1": ["192.168.246.166/24"], **interfaces}
    held["eth1"] = list(dict.fromkeys(["192.168.246.166/24", *held["eth1"]]))
    model.hostvars["lb1"]["ansible_facts"] = facts(*(nic(name, *each) for name, each in held.items()))
    info = {"services": [_service(_real_server("192.168.246.161"), **WEB)], "host": NOTHING}
    found = adopting.model_of(model.hostvars, model.groups, info, "lb1")
    assert (found["variables"], found["services"][0]["address"]) == (variables, address)
    assert len(found["problems"]) == said


@pytest.mark.parametrize(
    "odd",
    [
        {"marking_rules": [{"rule": "x", "destination": TEMPLATE}]},
        {"marking_rules": [{"rule": "x", "protocol": TEMPLATE}]},
        {"marking_rules": [{"rule": "x", "ports": [TEMPLATE]}]},
        {"translating_rules": [{"rule": "x", "to": [TEMPLATE]}]},
        {"translating_rules": "x"},
        {"sysctls": []},
        {"helpers": "x"},
    ],
)
def test_no_host_says_what_has_no_form(odd: dict[str, Any]) -> None:
    with pytest.raises(WrongModel):
        whole({"services": [], "host": {**NOTHING, **odd}})


def test_the_text_of_a_rule_is_no_template() -> None:
    _service, problems = marked(f'-A PREROUTING {TO_VIP} -m comment --comment "{TEMPLATE}" {SETS}')
    assert "{{" not in problems[0]
