# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify asks and concludes: on the NAT pair of the guides, and on a director with two real servers by DR."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import verifying
from ansible_collections.lvs.topology.tests.unit.topology.inventories import (
    QUIET,
    Model,
    facts,
    nic,
    r1,
    r5,
    two_directors,
)

GATEWAY, VIP = "10.0.0.29", "192.168.0.29"
WEB = f"tcp {VIP}:80"
DR_VIP = "192.168.246.160"
ANY = "0.0.0.0"  # noqa: S104, what a host says of its programs: nobody listens here


def table(vip: str, pool: dict[str, int]) -> dict[str, Any]:
    """The table of a director: the weight of each real server of its one service."""
    real_servers = [
        {"address": address, "port": 80, "weight": weight, "upper_threshold": 0, "lower_threshold": 0}
        for address, weight in pool.items()
    ]
    service = {"address": vip, "port": 80, "protocol": "tcp", "scheduler": "rr", "real_servers": real_servers}
    return {"services": [service], "timeouts": {"tcp": 900}, "daemons": []}


def nat(**weights: int) -> dict[str, Any]:
    pool = {"app1": "10.0.0.51", "app2": "10.0.0.52"}
    return {**QUIET, "table": table(VIP, {pool[name]: weight for name, weight in weights.items()})}


def serving(address: str, port: int = 80) -> dict[str, Any]:
    return {**QUIET, "listeners": [{"protocol": "tcp", "address": address, "port": port}]}


def pair(*masters: str) -> Model:
    model = r5()
    for name, number in (("lb1", 11), ("lb2", 12)):
        floating = ([f"{VIP}/32"], [f"{GATEWAY}/24"]) if name in masters else ([], [])
        model.hostvars[name]["ansible_facts"] = facts(
            nic("eth1", f"192.168.0.{number}/24", *floating[0]), nic("eth2", f"10.0.0.{number}/24", *floating[1])
        )
    return model


def found(model: Model, probes: dict[str, Any] | None = None, **answers: Any) -> dict[str, Any]:
    served: dict[str, Any] = {name: serving(ANY) for name in model.groups["lvs_real_servers"]}
    return verifying.findings_of(model.hostvars, model.groups, {**served, **answers}, probes or {})


def lines(model: Model, probes: dict[str, Any] | None = None, **answers: Any) -> list[str]:
    """What was found, without effects and remedies."""
    every = found(model, probes, **answers)["findings"]
    return [f"{each['degree']}: {each['host']}: {each['what']}" for each in every]


@pytest.mark.parametrize("master", ["lb1", "lb2"])
def test_a_pair_in_order_whoever_is_master(master: str) -> None:
    assert lines(pair(master), lb1=nat(app1=1, app2=1), lb2=nat(app1=1, app2=1)) == []


def test_two_masters_and_none() -> None:
    fine = {"lb1": nat(app1=1, app2=1), "lb2": nat(app1=1, app2=1)}
    assert lines(pair("lb1", "lb2"), **fine) == [
        f"broken: lb1 and lb2: {address} is on lb1 and lb2, and both answer for it" for address in (VIP, GATEWAY)
    ]
    assert lines(pair(), **fine) == [f"broken: lb1 and lb2: {address} is on no director" for address in (VIP, GATEWAY)]


def test_a_vip_on_lo_is_held_by_nobody() -> None:
    model = pair("lb1")
    lo = model.hostvars["lb2"]["ansible_facts"]["lo"]
    lo["ipv4_secondaries"] = [{"address": VIP, "netmask": "255.255.255.255"}]
    assert lines(model, lb1=nat(app1=1, app2=1), lb2=nat(app1=1, app2=1)) == []


def test_what_a_health_check_took_out() -> None:
    said = lines(pair("lb1"), lb1=nat(app1=1), lb2=nat(app1=1, app2=0))
    assert f"at risk: lb1: {WEB} (web): a health check took out app2 10.0.0.52:80" in said
    assert (
        f"at risk: lb2: {WEB} (web): sends no new clients to app2 10.0.0.52:80, because of a health check or a drain"
        in said
    )
    assert any(line.startswith(f"worth knowing: lb1 and lb2: {WEB}, real server 10.0.0.52:80: is on") for line in said)


def test_what_somebody_took_out_is_said_once() -> None:
    """A run would put it back, so that is what is said."""
    change = f"ipvsadm -a -t {VIP}:80 -r 10.0.0.52:80 -m -w 1"
    part = {
        "problems": [],
        "differences": [{"concern": "watched", "changes": [change], "problem": ""}],
        "unmanaged": [],
    }
    said = found(pair("lb1"), lb1={**nat(app1=1), "parts": {"director": part}}, lb2=nat(app1=1, app2=1))["lines"]
    assert [line for line in said if "10.0.0.52" in line and not line.startswith("worth")] == [
        "at risk: lb1: the table: not as the model has it. The others have its share of the clients. "
        f"Remedy: {change} (or: ansible-playbook lvs.topology.site --limit lb1)"
    ]


def test_nobody_left_to_serve() -> None:
    said = lines(pair("lb1"), lb1=nat(app1=0, app2=0), lb2=nat(app1=1, app2=1))
    assert said[0] == f"broken: lb1: {WEB} (web) has no real server for new connections"


def test_a_weight_of_0_that_the_model_asks_for_is_right() -> None:
    model = pair("lb1")
    for name in ("lb1", "lb2"):
        model.hostvars[name]["lvs_services"][0]["real_servers"][1]["weight"] = 0
    assert lines(model, lb1=nat(app1=1, app2=0), lb2=nat(app1=1, app2=0)) == []


def test_nobody_misses_a_service_without_real_servers() -> None:
    model = r1()
    model.service["real_servers"] = []
    empty = {**QUIET, "table": {"services": [], "timeouts": {}, "daemons": []}}
    assert not any("real server" in line for line in lines(model, lb1=empty))


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ({"active": False, "failed": True}, ["keepalived has failed"]),
        ({"active": False}, ["keepalived does not run"]),
        ({"active": False, "masked": True, "enabled": False}, ["keepalived does not run, and is masked"]),
        ({"enabled": False}, ["keepalived is not started at boot"]),
        (None, []),
    ],
)
def test_a_standby_that_cannot_take_over(unit: Any, said: list[str]) -> None:
    unit = unit and {**QUIET["keepalived"], **unit}
    standby = {**nat(app1=1, app2=1), "keepalived": unit}
    assert lines(pair("lb1"), lb1=nat(app1=1, app2=1), lb2=standby) == [f"at risk: lb2: {each}" for each in said]
    # Where the kernel has the table, keepalived is nobody's.
    assert lines(dr(), lb1={**DIRECTOR, "keepalived": unit}) == []


DIRECTOR = {**QUIET, "table": table(DR_VIP, {"192.168.246.161": 1, "192.168.246.162": 1})}


def dr() -> Model:
    model = r1()
    held = {
        "lb1": ("192.168.246.166/24", f"{DR_VIP}/32"),
        "web1": ("192.168.246.161/24",),
        "web2": ("192.168.246.162/24",),
    }
    for number, (name, addresses) in enumerate(held.items()):
        own = facts(nic("eth1", *addresses))
        own["eth1"]["macaddress"] = f"02:00:00:00:00:0{number}"
        model.hostvars[name]["ansible_facts"] = own
    return model


def difference(concern: str, *changes: str, problem: str = "") -> dict[str, Any]:
    differences = [{"concern": concern, "changes": [*changes], "problem": problem}]
    return {**serving(ANY), "parts": {"any": {"problems": [], "differences": differences, "unmanaged": []}}}


@pytest.mark.parametrize(
    ("concern", "change", "degree"),
    [
        ("addresses", f"ip address add {DR_VIP}/32 dev lo", "broken"),
        ("arp", "sysctl -w net.ipv4.conf.all.arp_ignore=1", "broken"),
        ("gateways", "ip route replace default via 10.0.0.29", "broken"),
        ("sysctls", "sysctl -w net.ipv4.ip_forward=1", "broken"),
        ("sysctls", "sysctl -w net.ipv4.vs.conntrack=1", "broken"),
        ("sysctls", "sysctl -w net.ipv4.vs.expire_nodest_conn=1", "at risk"),
        ("services", f"ipvsadm -A -t {DR_VIP}:80 -s rr", "broken"),
        ("services", f"ipvsadm -E -t {DR_VIP}:80 -s rr", "at risk"),
        ("watched", "ipvsadm --set 600 0 0", "at risk"),
        ("watched", "ipvsadm --start-daemon backup --mcast-interface eth1", "at risk"),
        ("boot", "write /etc/lvs-topology/director.ip", "at risk"),
    ],
)
def test_what_a_run_would_change(concern: str, change: str, degree: str) -> None:
    (finding,) = found(dr(), lb1=DIRECTOR, web1=difference(concern, change))["findings"]
    assert (finding["degree"], finding["host"]) == (degree, "web1")
    assert change in finding["remedy"]
    assert finding["effect"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            ["write /etc/keepalived/keepalived.conf", "systemctl reload keepalived.service"],
            ["at risk: lb2: /etc/keepalived/keepalived.conf is not as the model has it"],
        ),
        (
            ["systemctl reload keepalived.service"],
            ["at risk: lb2: keepalived has not read its configuration since that was written"],
        ),
        # Whether it runs, and would run after a boot, is said of its unit.
        (["systemctl enable keepalived.service", "systemctl start keepalived.service"], []),
    ],
)
def test_what_keepalived_goes_by(changes: list[str], said: list[str]) -> None:
    part = {"problems": [], "unmanaged": []}
    part["differences"] = [{"concern": "keepalived", "changes": changes, "problem": ""}]
    answers = {"lb1": nat(app1=1, app2=1), "lb2": {**nat(app1=1, app2=1), "parts": {"keepalived": part}}}
    assert lines(pair("lb1"), **answers) == said


def test_what_cannot_be_compared_is_said() -> None:
    said = lines(dr(), lb1=DIRECTOR, web1=difference("arp", problem="sysctl is broken."))
    assert said == ["at risk: web1: ARP: cannot be compared: sysctl is broken"]


def test_two_masters_are_said_once() -> None:
    model = pair("lb1", "lb2")
    model.hostvars["lb2"]["ansible_facts"]["eth1"]["macaddress"] = "02:00:00:00:00:02"
    told = {**nat(app1=1, app2=1), "arp": {VIP: ["02:00:00:00:00:02"]}}
    assert not any("ARP" in line for line in lines(model, lb1=told, lb2=nat(app1=1, app2=1)))
    # What is not said of the address, because the facts of lb2 may be old, is said of its answer.
    assert f"broken: lb2: answers ARP for {VIP}, which lb1 holds" in lines(model, lb1=told)


def test_who_answers_arp() -> None:
    told = {**DIRECTOR, "arp": {DR_VIP: ["02:00:00:00:00:02", "02:00:00:00:00:99"]}}
    assert lines(dr(), lb1=told) == [
        f"broken: web2: answers ARP for {DR_VIP}, which lb1 holds",
        f"broken: lb1: a host with the address 02:00:00:00:00:99 answers ARP for {DR_VIP}, which lb1 holds",
    ]


@pytest.mark.parametrize(
    ("address", "port", "takes"),
    [
        (ANY, 80, True),
        ("::", 80, True),
        (DR_VIP, 80, True),
        ("192.168.246.161", 80, False),
        ("127.0.0.1", 80, False),
        (ANY, 8080, False),
    ],
)
def test_who_listens(address: str, port: int, takes: bool) -> None:
    said = lines(dr(), lb1=DIRECTOR, web1=serving(address, port))
    where = f", only on {address}" if port == 80 else ""
    assert said == ([] if takes else [f"at risk: web1: nothing listens on tcp {DR_VIP} port 80{where}"])


def test_a_nat_real_server_listens_on_its_own_address() -> None:
    fine = nat(app1=1, app2=1)
    assert lines(pair("lb1"), lb1=fine, lb2=fine, app1=serving("10.0.0.51")) == []
    assert lines(pair("lb1"), lb1=fine, lb2=fine, app1=serving(VIP)) != []


def test_what_else_a_host_says() -> None:
    told = {
        **DIRECTOR,
        "problems": ["ledger: is damaged"],
        "failed_addresses": ["fd00::29 dev eth1"],
        "conntrack": {"count": 81, "max": 100},
        "obstacles": [{"kind": "invalid", "hook": "forward", "said": "nft: ct state invalid drop"}],
        "unseen": ["packet filter: there is no nft"],
    }
    assert (found(dr(), lb1=DIRECTOR)["is_well"], found(dr(), lb1=told)["is_well"]) == (True, False)
    obstacles = {**DIRECTOR, "obstacles": told["obstacles"]}
    assert found(dr(), lb1=obstacles)["is_well"]
    every = found(dr(), lb1=told)
    assert [line.partition(". ")[0] for line in every["lines"]] == [
        "broken: lb1: fd00::29 dev eth1 is not used, because another host had it already when it came",
        "at risk: lb1: ledger: is damaged",
        "at risk: lb1: netfilter's table has 81 of 100 connections",
        "worth knowing: lb1: its packet filter says `nft: ct state invalid drop`",
    ]
    assert every["unseen"] == [
        "lb1: packet filter: there is no nft",
        "no client went through the VIPs: there is none in the inventory (lvs_clients), or in this run",
        "real servers one by one through the VIP: set lvs_verify_through_vip=true",
    ]


def test_what_a_client_finds() -> None:
    endpoint = {
        "name": "web",
        "address": DR_VIP,
        "port": 80,
        "connections": 4,
        "protocol": "tcp",
        "question": None,
        "connected": 2,
        "silent": 2,
        "failed": {},
        "answered": 0,
        "unanswered": 0,
        "repeated": 0,
        "packets": {"1500": 2},
    }
    model = dr()
    model.groups["lvs_clients"] = ["client"]
    model.hostvars["client"] = {}
    every = found(model, {"client": {"endpoints": [endpoint]}}, lb1=DIRECTOR)
    assert every["lines"] == [
        f"broken: client: 2 of 4 connections to web ({DR_VIP} port 80) got no answer. "
        "Some real servers drop what they get, or answer another way."
    ]
    assert every["unseen"] == []
    refused = {**endpoint, "silent": 0, "failed": {"Connection refused": 2}}
    assert lines(dr(), {"client": {"endpoints": [refused]}}, lb1=DIRECTOR) == [
        f"broken: client: 2 of 4 connections to web ({DR_VIP} port 80) failed: Connection refused"
    ]


def test_a_service_that_nobody_would_bring_back() -> None:
    """Where keepalived cannot be asked, no run changes what it decides."""
    empty = {**QUIET, "table": {"services": [], "timeouts": {}, "daemons": []}}
    said = lines(pair("lb1"), lb1=empty, lb2=empty)
    assert said[:2] == [f"broken: {name}: {WEB} (web) is not in the table" for name in ("lb1", "lb2")]
    change = f"ipvsadm -A -t {VIP}:80 -s rr"
    part = {
        "problems": [],
        "differences": [{"concern": "watched", "changes": [change], "problem": ""}],
        "unmanaged": [],
    }
    said = lines(pair("lb1"), lb1={**empty, "parts": {"director": part}}, lb2=nat(app1=1, app2=1))
    assert not any("is not in the table" in line for line in said)


def test_a_standby_without_keepalived_has_an_empty_table() -> None:
    """The other director serves, and that keepalived does not run there is said."""
    empty = {**QUIET, "table": {"services": [], "timeouts": {}, "daemons": []}}
    standby = {**empty, "keepalived": {**QUIET["keepalived"], "active": False}}
    said = [line for line in lines(pair("lb1"), lb1=nat(app1=1, app2=1), lb2=standby) if not line.startswith("worth")]
    assert said == ["at risk: lb2: keepalived does not run"]


def test_a_director_whose_keepalived_died_with_the_vips_is_no_standby() -> None:
    """Clients go on coming to it."""
    ended = {"active": False, "enabled": True, "failed": True, "masked": False}
    left = {**nat(), "keepalived": ended}
    said = lines(pair("lb1"), lb1=left, lb2=nat(app1=1, app2=1))
    assert f"broken: lb1: {WEB} (web) has no real server for new connections" in said
    assert "at risk: lb1: keepalived has failed" in said


def test_a_vip_that_is_on_a_director_of_another_one() -> None:
    """It shares no VIP with the one that is meant to hold it, so nobody else looks there."""
    model = two_directors()
    for name, number, held in (("lb1", 6, DR_VIP), ("lb2", 7, "192.168.246.170")):
        more = [f"{DR_VIP}/32"] if name == "lb2" else []
        known = facts(nic("eth1", f"192.168.246.16{number}/24", f"{held}/32", *more))
        known["eth1"]["macaddress"] = f"02:00:00:00:00:0{number}"
        model.hostvars[name]["ansible_facts"] = known
    answers = {"lb1": {**DIRECTOR, "arp": {DR_VIP: ["02:00:00:00:00:07"]}}, "lb2": QUIET}
    told = verifying.findings_of(model.hostvars, model.groups, answers, {}, ["lb1", "lb2"])
    assert f"answers ARP for {DR_VIP}, which lb1 holds" in [each["what"] for each in told["findings"]]


@pytest.mark.parametrize("arp", [{"x": []}, {DR_VIP: [""]}, {DR_VIP: ["02:00"]}, {DR_VIP: [7]}])
def test_who_answers_arp_has_a_form(arp: Any) -> None:
    (first, *_others) = lines(dr(), lb1={**DIRECTOR, "arp": arp})
    assert first.startswith("at risk: lb1: what it answered cannot be read: answers.lb1.arp")


def test_what_a_client_does_not_say() -> None:
    model = dr()
    model.groups["lvs_clients"] = ["client", "other"]
    model.hostvars |= {"client": {}, "other": {}}
    told = verifying.findings_of(model.hostvars, model.groups, {}, {"client": {"endpoints": []}}, ["lb1", "client"])
    assert "other: it is not part of this run (--limit)" in told["unseen"]
    assert f"client: it does not say what came of web ({DR_VIP} port 80)" in told["unseen"]


def test_thousands_of_differences_are_not_thousands_of_lines() -> None:
    change = [f"ipvsadm -a -t {DR_VIP}:80 -r 10.1.{number // 250}.{number % 250}:80 -g -w 1" for number in range(1000)]
    said = lines(dr(), lb1={**DIRECTOR, "parts": difference("services", *change)["parts"]})
    assert len(said) == 21
    assert said[0] == "broken: lb1: the table: besides these, 980 more are not as the model has them"


def test_a_site_that_is_down_is_not_ten_thousand_lines() -> None:
    model = dr()
    first = model.services[0]
    model.services.extend({**first, "name": f"web{port}", "port": port} for port in range(1000, 2000))
    told = found(model, lb1={**DIRECTOR, "table": table(DR_VIP, {"192.168.246.161": 1, "192.168.246.162": 1})})
    # The director has none of these services, and nothing listens on either real server.
    assert len(told["findings"]) == told["failing"] == 3000
    assert len(told["lines"]) == 3 * (50 + 1)
    assert told["lines"][-3] == "lb1: 950 more findings, which are in the file that lvs_verify_report names"


def test_a_run_for_some_hosts() -> None:
    model = dr()
    model.groups["lvs_clients"] = ["client", "other"]
    model.hostvars |= {"client": {}, "other": {}}
    answers = {"web1": serving(ANY)}
    told = verifying.findings_of(model.hostvars, model.groups, answers, {}, ["web1", "client"])
    assert (told["hosts"], told["findings"]) == (["web1"], [])
    assert told["unseen"] == [
        "mistakes of the inventory, perhaps: without what every host says, much seems to be wrong that is not",
        "lb1: it is not part of this run (--limit)",
        "web2: it is not part of this run (--limit)",
        "other: it is not part of this run (--limit)",
        "client: it did not go through the VIPs as a client",
    ]


def test_old_facts_of_a_director_that_did_not_answer() -> None:
    """What a fact cache says of it was so before a failover."""
    said = lines(pair("lb1", "lb2"), lb2=nat(app1=1, app2=1))
    assert said == ["at risk: lb1: could not be looked at"]


def test_a_director_that_is_a_real_server_of_the_other_by_tunnel() -> None:
    model = pair("lb1")
    model.hostvars["lb2"]["ansible_facts"] = facts(
        nic("eth1", "192.168.0.12/24"), nic("eth2", "10.0.0.12/24"), nic("tunl0", f"{VIP}/32")
    )
    assert lines(model, lb1=nat(app1=1, app2=1), lb2=nat(app1=1, app2=1)) == []
    assert verifying.questions_of(model.hostvars, model.groups)["hosts"]["lb2"]["arp"] == []


def test_who_does_not_answer_was_not_looked_at() -> None:
    silent = verifying.findings_of(dr().hostvars, dr().groups, {"lb1": DIRECTOR}, {})["findings"]
    assert [(each["host"], each["what"]) for each in silent] == [
        ("web1", "could not be looked at"),
        ("web2", "could not be looked at"),
    ]


@pytest.mark.parametrize(
    "odd", [None, [], "text", {**QUIET, "arp": 7}, {**QUIET, "parts": {"x": {}}}, {**QUIET, "table": 3}]
)
def test_an_answer_without_its_form_is_a_finding(odd: Any) -> None:
    (first, *_others) = lines(dr(), lb1=odd)
    assert first.startswith("at risk: lb1: what it answered cannot be read: answers.lb1")


def test_what_is_asked() -> None:
    asked = verifying.questions_of(dr().hostvars, dr().groups)
    packets = {
        name: [each["state"] for each in of.pop("packets") if "state" in each] for name, of in asked["hosts"].items()
    }
    assert asked == {
        "mistakes": [],
        "hosts": {
            "lb1": {
                "arp": [{"address": DR_VIP, "interface": "eth1"}],
                "ports": [],
                "interfaces": ["eth1"],
                "table": True,
                "tries": {"endpoints": [], "services": [], "sysctls": {}},
            },
            "web1": {"arp": [], "ports": [80], "interfaces": [], "table": False},
            "web2": {"arp": [], "ports": [80], "interfaces": [], "table": False},
        },
    }
    assert packets == {"lb1": ["new", "sent", "half", "closing"], "web1": ["new"], "web2": ["new"]}
    model = dr()
    assert [*verifying.questions_of(model.hostvars, model.groups, ["lb1", "web2"])["hosts"]] == ["lb1", "web2"]
    del model.hostvars["web1"]["ansible_facts"]
    assert [*verifying.questions_of(model.hostvars, model.groups)["hosts"]] == ["lb1", "web2"]
    model.service["forward"] = "nut"
    # Without an answer of web1 much seems to be wrong that is not.
    assert verifying.questions_of(model.hostvars, model.groups)["mistakes"] == []
    model.hostvars["web1"]["ansible_facts"] = dr().hostvars["web1"]["ansible_facts"]
    (mistake,) = verifying.questions_of(model.hostvars, model.groups)["mistakes"]
    assert "lvs_services[0].forward: 'nut' is not known" in mistake


def test_what_a_director_does_in_lines() -> None:
    model = pair("lb1")
    info = nat(app1=1, app2=0)["table"]
    for each in info["services"][0]["real_servers"]:
        each.update(forward="nat", connections={"active": 3, "inactive": 12, "persistent": 0})
    info["services"].append({"fwmark": 7, "family": "ipv4", "scheduler": "wlc", "real_servers": []})
    info["daemons"] = [{"state": "master", "syncid": 1}]
    assert verifying.status_of(model.hostvars, model.groups, {"lb1": info, "lb2": {"services": [], "daemons": []}}) == [
        f"lb1: holds {VIP}, {GATEWAY}; synchronisation daemon: master (syncid 1)",
        f"  {WEB} rr (web)",
        "    app1 10.0.0.51:80 nat weight 1 active 3 inactive 12",
        "    app2 10.0.0.52:80 nat weight 0 active 3 inactive 12",
        "  firewall mark 7 (ipv4) wlc (not in lvs_services)",
        "lb2: holds no VIP",
    ]
