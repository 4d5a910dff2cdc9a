# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that directors themselves have, held against each other and against their tables."""

from __future__ import annotations

import re
from base64 import b64encode
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._filter.rewriting_rules import of_iptables
from ansible_collections.lvs.topology.plugins.plugin_utils._import import given
from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import Given
from ansible_collections.lvs.topology.plugins.plugin_utils._import.moving_in import imported
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import WrongModel
from ansible_collections.lvs.topology.tests.unit.topology.inventories import dr_pair
from ansible_collections.lvs.topology.tests.unit.topology.real_tools import rendered

CONF = (
    "vrrp_instance A {\n interface eth0\n virtual_router_id 9\n virtual_ipaddress {\n 192.0.2.1/24\n }\n}\n"
    "virtual_server 192.0.2.1 80 {\n protocol TCP\n lb_algo rr\n lb_kind NAT\n sorry_server 10.0.0.9 80\n"
    " real_server 10.0.0.1 80 {\n weight 2\n }\n real_server 10.0.0.2 80 {\n }\n}\n"
)
RULES = [
    "-A -t 192.0.2.1:80 -s rr",
    "-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m -w 2",
    "-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 1",
]


def host(rules: list[str] | None, **files: str | bytes) -> dict[str, Any]:
    """What adopt registers of a director. Underscores in the names of files stand for slashes."""
    results: list[dict[str, Any]] = []
    for path, content in files.items():
        raw = content if isinstance(content, bytes) else content.encode()
        results.append({"path": path.replace("_", "/"), "content": b64encode(raw).decode()})
    return {"__lvs_files": {"files": results, "unread": []}, "__lvs_info": {} if rules is None else {"rules": rules}}


KEEPALIVED = "_etc_keepalived_keepalived.conf"


def read(hostvars: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The inventory, and everything that is said."""
    found = given.inventory_of_hosts(hostvars, list(hostvars))
    return found, [*found["unread"], *found["lost"], *found["notes"]]


def test_a_file_of_ours_says_what_services_are_called() -> None:
    """No word of keepalived does, and another name would be a change of the file."""
    model = dr_pair()
    text = rendered(model.plan("lb1", "keepalived"))

    def names(text: str) -> list[str]:
        found = imported(Given({"lb1/keepalived.conf": text}), ["lb1/keepalived.conf"])
        return [each["name"] for each in found.hostvars["lb1"]["lvs_services"]]

    by_address = ["tcp-192.168.246.160-80", "tcp-fd00::160-80"]
    assert names(text) == ["web", "web6"]
    assert names(text.replace("# Managed by lvs", "# Managed by hand")) == by_address
    # Somebody has edited it.
    assert names(text.replace("# web6", "# web")) == ["web", by_address[1]]
    assert names(text.replace("# web6", "# {{ x }}").replace("# web\n", "# \n")) == by_address


def test_services_for_checks_through_the_vip_are_nothing_to_say() -> None:
    model = dr_pair()
    for name in model.groups["lvs_directors"]:
        for each in model.hostvars[name]["lvs_services"]:
            each["health_check"] = {"type": "tcp", "through": "vip"}
    text = rendered(model.plan("lb1", "keepalived"))
    marks = sorted(set(re.findall(r"virtual_server fwmark (\d+)", text)))
    assert len(marks) == 4
    rules = [line for mark in marks[:1] for line in (f"-A -f {mark} -s rr", f"-a -f {mark} -r 192.168.246.161 -g -w 1")]
    _found, said = read({"lb1": host(rules, **{KEEPALIVED: text})})
    assert [each for each in said if "only the table" in each] == []


def test_a_table_that_is_as_the_file_says_is_nothing_to_say() -> None:
    found, said = read({"lb1": host(RULES, **{KEEPALIVED: CONF})})
    assert said == []
    assert list(found["hosts"]) == ["lb1"]


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ([], "lb1/keepalived.conf:8: tcp-192.0.2.1-80: the table has no such service now"),
        (RULES[:1], "lb1/keepalived.conf:8: tcp-192.0.2.1-80: the table has the service, with no real server now"),
        (
            [each.replace("-s rr", "-s wlc") for each in RULES],
            "lb1/keepalived.conf:8: tcp-192.0.2.1-80 scheduler: in the table it is wlc, and rr in the file",
        ),
        (
            [each.replace("-s rr", "-s rr -p 60") for each in RULES],
            "lb1/keepalived.conf:8: tcp-192.0.2.1-80 persistence: in the table it is {'timeout': 60}, and not there in",
        ),
        (
            [each.replace("-m", "-g") for each in RULES],
            "lb1/keepalived.conf:8: tcp-192.0.2.1-80 forward: in the table it is dr, and nat in the file",
        ),
        (RULES[:2], "lb1/keepalived.conf:8: tcp-192.0.2.1-80 real_servers 10.0.0.2: the table does not have it now"),
        (
            [*RULES[:2], "-a -t 192.0.2.1:80 -r 10.0.0.2:80 -m -w 0"],
            "lb1/keepalived.conf:8: tcp-192.0.2.1-80 real_servers 10.0.0.2: its weight is 0 in the table, and 1 in",
        ),
        (
            [*RULES, "-a -t 192.0.2.1:80 -r 10.0.0.3:80 -m"],
            "lb1/table:1: tcp-192.0.2.1-80 real_servers 10.0.0.3: not carried over: only the table has this",
        ),
        (
            [*RULES, "-a -t 192.0.2.1:80 -r 10.0.0.9:80 -m"],
            "lb1/keepalived.conf:8: tcp-192.0.2.1-80 sorry_server 10.0.0.9: the table has it now: no real server",
        ),
        (
            [*RULES, "-A -u 192.0.2.1:53", "-a -u 192.0.2.1:53 -r 10.0.0.3:53 -m"],
            "lb1/table:4: udp-192.0.2.1-53: not carried over: only the table has this service",
        ),
        ([*RULES, "-A -f 7 -s rr"], "lb1/table:1: mark ipv4 7: not carried over: only the table has this service"),
        (None, "lb1: its table could not be read"),
    ],
)
def test_what_differs_between_file_and_table(rules: list[str] | None, said: str) -> None:
    _found, lines = read({"lb1": host(rules, **{KEEPALIVED: CONF})})
    assert [each for each in lines if each.startswith(said)], lines


def test_both_directors_are_held_against_each_other() -> None:
    found, said = read(
        {
            "lb1": host(RULES, **{KEEPALIVED: CONF.replace("router_id 9\n", "router_id 9\n priority 120\n")}),
            "lb2": host(RULES[:2], **{KEEPALIVED: CONF.replace("lb_algo rr", "lb_algo wrr")}),
        }
    )
    assert [each["lvs_vrrp"]["priority"] for each in found["hosts"].values()] == [120, 100]
    part = "lb2/keepalived.conf:8: tcp-192.0.2.1-80: not carried over: scheduler is 'wrr' at lb2"
    assert [each for each in said if each.startswith(part)], said
    assert [each for each in said if each.startswith("lb2/keepalived.conf:8: tcp-192.0.2.1-80 real_servers 10.0.0.2")]


def test_what_keepalived_includes_lies_beside_it() -> None:
    more = "virtual_server 192.0.2.1 81 {\n protocol TCP\n lb_kind NAT\n real_server 10.0.0.1 81 {\n }\n}\n"
    files = {
        KEEPALIVED: f"{CONF}include /etc/keepalived/pools/*.conf\n",
        "_etc_keepalived_pools_a.conf": more,
        # A program that a check runs is no text, and nobody's business.
        "_etc_keepalived_check": b"\x7fELF\0\0",
    }
    found, said = read({"lb1": host(RULES, **files)})
    assert [each["port"] for each in found["hosts"]["lb1"]["lvs_services"]] == [80, 81]
    assert [each.split(":")[0] for each in said] == ["lb1/pools/a.conf"]


def test_the_file_that_says_the_services_is_read_and_the_others_are_named() -> None:
    vrrp = CONF.partition("virtual_server")[0]
    cf = "virtual=192.0.2.1:80\n\treal=10.0.0.1:80 masq\n\tchecktype=connect\n"
    found, said = read({"lb1": host([], **{KEEPALIVED: vrrp, "_etc_ha.d_ldirectord.cf": cf})})
    assert found["hosts"]["lb1"]["lvs_services"][0]["health_check"]["type"] == "tcp"
    assert [each for each in said if each.startswith("lb1/keepalived.conf is not read beside lb1/ldirectord.cf")]
    _found, said = read({"lb1": host([], **{KEEPALIVED: CONF, "_etc_ha.d_ldirectord.cf": cf})})
    assert [each for each in said if each.startswith("lb1/ldirectord.cf is not read beside lb1/keepalived.conf")]


def test_a_file_of_a_package_that_says_nothing_is_no_configuration() -> None:
    """Debian's ipvsadm comes with such rules."""
    empty = "# empty rules file for ipvsadm\n\n"
    found, said = read({"lb1": host(RULES, **{"_etc_ipvsadm.rules": empty}), "lb2": host([], _etc_ldirectord_cf="")})
    assert list(found["hosts"]) == ["lb1"]
    assert said[0].startswith("lb1: no file says its table")
    found, said = read({"lb1": host(RULES, **{"_etc_ipvsadm.rules": empty, KEEPALIVED: CONF})})
    assert said == []


def test_a_table_without_a_file() -> None:
    found, said = read({"lb1": host(RULES), "lb2": host([]), "lb3": {}, "lb4": {"__lvs_files": {"skipped": True}}})
    assert [each["forward"] for each in found["hosts"]["lb1"]["lvs_services"]] == ["nat"]
    assert list(found["hosts"]) == ["lb1"]
    for part in ("lb1: no file says its table", "lb2: it has no file that is known", "lb3: it was not asked"):
        assert [each for each in said if each.startswith(part)], said
    assert "lb4" not in str(said)


@pytest.mark.parametrize(
    ("default", "sync", "said"),
    [
        ('AUTO="true"\nDAEMON="backup"\nIFACE="eth1"\nSYNCID="7"\n', ("backup", "eth1", 7), None),
        ("AUTO=true\nDAEMON=both\n", ("both", "eth0", 0), None),
        ('AUTO="true"\nDAEMON="none"\n', None, None),
        ('AUTO="false"\n', None, "lb1/default/ipvsadm:1: AUTO=false: nothing loads the rules at boot"),
        ("AUTO=true\nPASSWORD=hidden\n", None, "lb1/default/ipvsadm:2: PASSWORD: not carried over: it is none of"),
    ],
)
def test_the_options_of_the_unit_of_debian(default: str, sync: tuple[str, str, int] | None, said: str | None) -> None:
    files = {"_etc_ipvsadm.rules": "\n".join(RULES), "_etc_default_ipvsadm": default}
    found, lines = read({"lb1": host(RULES, **files)})
    expected = dict(zip(("role", "interface", "syncid"), sync)) if sync else None
    assert found["hosts"]["lb1"].get("lvs_sync") == expected
    assert "hidden" not in str(lines)
    assert said is None or [each for each in lines if each.startswith(said)], lines


@pytest.mark.parametrize(
    ("commands", "sync"),
    [
        (["master --mcast-interface eth1 --syncid 5"], {"role": "master", "interface": "eth1", "syncid": 5}),
        (["=master --mcast-interface=eth1", "backup --mcast-interface eth1"], {"role": "both", "interface": "eth1"}),
        (["master --mcast-interface eth1", "backup --mcast-interface eth2"], {"role": "master", "interface": "eth1"}),
        (["nobody --mcast-interface eth1"], None),
        (["master --unknown eth1"], None),
    ],
)
def test_daemons_of_a_script(commands: list[str], sync: dict[str, Any] | None) -> None:
    lines = [*RULES, *(f"ipvsadm --start-daemon{each if each[0] == '=' else f' {each}'}" for each in commands)]
    found = imported(Given({"a.sh": "\n".join(lines)}), ["a.sh"])
    wanted = None if sync is None else {"syncid": 0, **sync}
    assert found.hostvars["a"].get("lvs_sync") == wanted


@pytest.mark.parametrize(
    "wrong", [None, 3, {"lb1": 3}, {"lb1": {"__lvs_files": {"files": [3, {"content": 3}], "unread": [3]}}}]
)
def test_answers_that_are_none(wrong: Any) -> None:
    with pytest.raises(WrongModel, match=r"must be a mapping|nothing was read: lb1: "):
        given.inventory_of_hosts(wrong, ["lb1"])


def test_a_file_that_could_not_be_read_is_no_file_that_is_not_there() -> None:
    known = host(RULES)
    known["__lvs_files"]["unread"] = [{"path": "/etc/keepalived/keepalived.conf", "reason": "Permission denied"}]
    _found, said = read({"lb1": known})
    assert said[0] == "lb1: /etc/keepalived/keepalived.conf: Permission denied"


def beside(hostvars: dict[str, Any], *lines: str, **more: Any) -> dict[str, Any]:
    """The same director with rules of iptables, sysctls and programs."""
    text = "\n".join(["*nat", ":POSTROUTING ACCEPT", "COMMIT", "*mangle", ":PREROUTING ACCEPT", "COMMIT"])
    for table, base in (("nat", "POSTROUTING"), ("mangle", "PREROUTING")):
        own = [line for line in lines if line.startswith(f"-A {base} ")]
        text = text.replace(f"*{table}\n:{base} ACCEPT", "\n".join([f"*{table}", f":{base} ACCEPT", *own]))
    found = [{**each._asdict(), "ports": [*each.ports], "to": [*each.to]} for each in of_iptables(text, 4)]
    host = {
        "sysctls": {"net.ipv4.vs.conntrack": "1", **more.pop("sysctls", {})},
        "helpers": [],
        "programs": [],
        "marking_rules": [each for each in found if each["does"] == "marks"],
        "translating_rules": [each for each in found if each["does"] == "translates"],
        "unseen": [],
        **more.pop("host", {}),
    }
    return {**hostvars, "__lvs_info": {**hostvars["__lvs_info"], **more, "host": host}}


SNAT = "-A POSTROUTING -p tcp -m ipvs --vaddr 192.0.2.1 --vport 80 -j SNAT --to-source 10.0.0.29"


def test_what_the_host_has_beside_its_file_is_written() -> None:
    conf = CONF + (
        "virtual_server 192.0.2.1 21 {\n protocol TCP\n lb_algo rr\n lb_kind NAT\n real_server 10.0.0.1 21 {\n }\n}\n"
        "virtual_server fwmark 7 {\n lb_algo rr\n lb_kind NAT\n real_server 10.0.0.1 {\n }\n}\n"
    )
    rules = [
        *RULES,
        *("-A -t 192.0.2.1:21 -s rr", "-a -t 192.0.2.1:21 -r 10.0.0.1:21 -m -w 1"),
        *("-A -f 7 -s rr", "-a -f 7 -r 10.0.0.1:0 -m -w 1"),
    ]
    mark = "-A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 8000:8009 -j MARK --set-xmark 0x7/0xffffffff"
    own = {"helpers": ["ip_vs_ftp"], "programs": ["keepalived", "conntrackd"]}
    asked = beside(host(rules, **{KEEPALIVED: conf}), SNAT, mark, host=own, sysctls={"net.ipv4.vs.nat_icmp_send": "1"})
    found, said = read({"lb1": asked})
    web, ftp, marked = found["hosts"]["lb1"]["lvs_services"]
    assert (web["forward"], web["snat_addresses"]) == ("fullnat", ["10.0.0.29"])
    assert (ftp["forward"], ftp["helper"]) == ("nat", "ftp")
    assert (marked["forward"], marked["marked"]) == ("nat", [{"address": "192.0.2.1", "ports": ["8000-8009"]}])
    assert found["hosts"]["lb1"]["lvs_sysctls"] == {"net.ipv4.vs.nat_icmp_send": 1}
    assert [each.partition(": ")[2].split()[0] for each in said] == ["conntrackd:", "tcp-192.0.2.1-80:", "mark-7-ipv4:"]
    # The inventory that is written says the same.
    (text,) = (each["content"] for each in found["files"] if each["path"] == "group_vars/lvs_directors.yml")
    assert "snat_addresses:" in text
    assert "helper: ftp" in text


def test_what_the_kernel_has_and_no_file_says_is_not_lost_without_a_word() -> None:
    more = {"timeouts": {"tcp": 60, "tcpfin": 120, "udp": 300}}
    _found, said = read({"lb1": beside(host(RULES, **{KEEPALIVED: CONF}), **more)})
    assert len(said) == 1
    assert "lvs_timeouts: not carried over: only the kernel has it now, as {'tcp': 60, 'tcpfin': 120" in said[0]
    daemon = {"state": "master", "interface": "eth1", "syncid": 7, "maxlen": 1472}
    found, said = read({"lb1": beside(host(RULES), daemons=[daemon], **more)})
    assert found["hosts"]["lb1"]["lvs_timeouts"]["tcp"] == 60
    assert found["hosts"]["lb1"]["lvs_sync"]["role"] == "master"


def test_what_a_host_says_in_no_form_is_said() -> None:
    asked = beside(host(RULES, **{KEEPALIVED: CONF}), host={"marking_rules": "x"})
    _found, said = read({"lb1": asked})
    assert "lb1: what it has beside its table cannot be read" in said[0]


def test_conntrackd_follows_keepalived_as_the_role_has_it() -> None:
    fifo = 'global_defs {\n vrrp_notify_fifo /run/x.fifo\n vrrp_notify_fifo_script "/usr/bin/sh SCRIPT lvs" root\n}\n'
    ours = fifo.replace("SCRIPT", "/etc/conntrackd/lvs-topology")
    tuned = {"programs": ["conntrackd"]}
    sysctls = {"net.ipv4.vs.sync_threshold": "1 5"}
    pair = {
        name: beside(host(RULES, **{KEEPALIVED: ours + CONF}), SNAT, host=tuned, sysctls=sysctls)
        for name in ("lb1", "lb2")
    }
    found, said = read(pair)
    assert found["hosts"]["lb1"]["lvs_conntrackd"] is True
    assert "lvs_sysctls" not in found["hosts"]["lb1"]
    assert [each for each in said if "lvs_conntrackd: true. Another interface, port" in each]
    assert not [each for each in said if "it runs there" in each]
    found, said = read({"lb1": host(RULES, **{KEEPALIVED: fifo + CONF})})
    assert "lvs_conntrackd" not in found["hosts"]["lb1"]
    assert len([each for each in said if "not carried over: the model has no key for it" in each]) == 2


def test_how_the_role_announces_a_vip_is_no_command_of_the_model() -> None:
    """It comes back with lvs_bgp, beside which no other command is possible."""
    ways = (
        "/usr/bin/sh -c '/usr/sbin/ip route add throw 192.0.2.1/32 table 1819 proto static metric 65616; "
        "/usr/bin/sleep 18; /usr/sbin/ip route change blackhole 192.0.2.1/32 table 1819 proto static metric 65616'",
        "/usr/sbin/ip route replace blackhole 2001:db8::1/128 table 1819 proto static metric 65616",
    )
    for up in (*ways, "/usr/local/bin/announce", f"/usr/bin/sh -c '{ways[1]}; /usr/local/bin/also'"):
        conf = CONF.replace(" lb_kind NAT\n", f' lb_kind NAT\n quorum_up "{up}" root\n')
        found, said = read({"lb1": host(RULES, **{KEEPALIVED: conf})})
        assert ("quorum_up" in found["hosts"]["lb1"]["lvs_services"][0]) == (up not in ways)
        assert any("the role has it announce the VIP" in each for each in said) == (up in ways)
