# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans as files: the tools read them as they are meant, no password is in them, and nothing of others ever goes."""

from __future__ import annotations

import copy
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import save_parser
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.on_paper import INDEX, NotPlanned, changes_of
from ansible_collections.lvs.topology.tests.unit.test_agreement import inventory_of
from ansible_collections.lvs.topology.tests.unit.topology import real_tools, test_conntrackd
from ansible_collections.lvs.topology.tests.unit.topology.inventories import REFERENCES, Model, dr_pair, two_directors
from ansible_collections.lvs.topology.tests.unit.topology.test_differential import roles_of

ALL: dict[str, Callable[[], Model]] = {**REFERENCES, "DR pair": dr_pair, "two directors": two_directors}
MOLECULE = Path(__file__).parents[3] / "molecule"
# That of reuse is an example with files beside it.
SCENARIOS = sorted(each.parents[1].name for each in MOLECULE.glob("[!r]*/inventory/hosts.yml"))
SECRET = "s3cret,x"  # noqa: S105, it has to look like one


def planned(model: Model) -> dict[str, str]:
    """The files of all hosts."""
    hosts: dict[str, dict[str, Any]] = {}
    for name, role in roles_of(model):
        asked = hosts.setdefault(name, {"parts": []})
        if role != "keepalived":
            asked["parts"].append({"owner": role, "plan": model.plan(name, role)})
            continue
        plan = model.plan(name, role)
        if plan["keepalived"]:
            asked["keepalived"] = {"content": real_tools.rendered(plan), "secrets": plan["secrets"]}
            asked["guard"] = plan.get("guard")
    files = dict(changes_of(hosts, "", hosts).files)
    del files[INDEX]
    return files


@pytest.mark.parametrize("name", ALL)
def test_the_tools_read_them(name: str, tmp_path: Path) -> None:
    model = ALL[name]()
    for host in model.groups["lvs_directors"]:
        model.hostvars[host].setdefault("lvs_keepalived", {"script_user": "nobody"})
    files = planned(model)
    assert files
    for path, text in files.items():
        host, _slash, file = path.partition("/")
        role, _dot, suffix = file.partition(".")
        if suffix == "nft" and not real_tools.why_not("nft"):
            assert real_tools.nft_refuses(text) is None
        if suffix == "ip" and not real_tools.why_not("ip"):
            assert real_tools.ip_differs(model.plan(host, role), text) == []
        if suffix == "ipvsadm":
            keys = {(str(each.address), each.port, each.protocol) for each in save_parser.parse(text)}
            wanted = model.plan(host, role)["services"]
            assert keys == {(each.get("address", "None"), each.get("port", 0), each.get("protocol")) for each in wanted}
        if suffix == "sysctl":
            sysctls = real_tools.sysctl_d(text)
            assert sysctls.items() >= model.plan(host, role)["sysctls"].items()
        if file == "keepalived.conf" and not real_tools.why_not("keepalived"):
            written = tmp_path / "keepalived.conf"
            written.write_text(text)
            plan = model.plan(host, "keepalived")
            script = [*real_tools._links(plan["interfaces"]), "trap '' TERM", f"keepalived -t -f {written}"]
            run = subprocess.run(
                ["unshare", "-n", "sh", "-c", "\n".join(script)], capture_output=True, text=True, check=False
            )
            assert run.returncode == 0, run.stdout + run.stderr
    # The same inventory in another order is the same plan.
    again = copy.deepcopy(model)
    again.hostvars = dict(reversed(again.hostvars.items()))
    assert planned(again) == files


def reversed_services(model: Model) -> Model:
    found = copy.deepcopy(model)
    for values in found.hostvars.values():
        if "lvs_services" in values:
            values["lvs_services"] = list(reversed(values["lvs_services"]))
    return found


@pytest.mark.parametrize("name", SCENARIOS)
def test_no_file_depends_on_the_order_of_services(name: str) -> None:
    """keepalived.conf, and what names services in metrics, have them as they are written."""
    model = Model(*inventory_of(yaml.safe_load((MOLECULE / name / "inventory/hosts.yml").read_text()), name))
    before, after = planned(model), planned(reversed_services(model))
    assert before.keys() == after.keys()
    differ = [path for path in before if before[path] != after[path]]
    assert [path for path in differ if not path.endswith(("/keepalived.conf", "/metrics.json"))] == []


def test_addresses_with_a_network_keep_their_order() -> None:
    """The first one of a network is its primary, from which the director speaks there."""
    model = ALL["R3"]()
    first, second = ({**model.service, "name": f"at-{last}", "address": f"198.51.100.{last}/24"} for last in (9, 1))
    plain = [{**model.service, "name": f"at-{last}", "address": f"198.51.100.{last}"} for last in (8, 7)]
    for values in model.hostvars.values():
        values["lvs_services"] = [plain[0], first, plain[1], second]
        values["lvs_vip_interface"] = "eth1"
    held = [each["address"] for each in model.plan("lb1", "director")["addresses"]]
    assert held == ["198.51.100.9/24", "198.51.100.1/24", "198.51.100.7/32", "198.51.100.8/32"]


def test_what_is_in_them() -> None:
    files = planned(ALL["R1"]())
    assert {path: text for path, text in files.items() if path.startswith("web1/")} == {
        "web1/real_server.ip": (
            "# Planned (owner real_server). Read by: ip -force -batch\naddress replace 192.168.246.160/32 dev lo\n"
        ),
        "web1/real_server.sysctl": (
            "# Planned (owner real_server). Read by: sysctl -p\n"
            "net.ipv4.conf.all.arp_announce = 2\nnet.ipv4.conf.all.arp_ignore = 1\n"
        ),
        "web1/real_server.firewall": (
            "# Planned (owner real_server). Read by: who looks after the firewall, whichever it is\n"
            "iptables -I INPUT -p tcp -d 192.168.246.160 --dport 80 -j ACCEPT\n"
        ),
    }
    assert files["lb1/director.ipvsadm"].startswith("-A -t 192.168.246.160:80 -s rr\n-a -t 192.168.246.160:80 -r ")


@pytest.mark.parametrize("handling", ["check", "manage", "none"])
def test_what_a_firewall_has_to_let_pass(handling: str) -> None:
    model = ALL["R1"]()
    for host in model.hostvars.values():
        host["lvs_firewall"] = handling
    text = planned(model).get("lb1/director.firewall", "")
    # What follows on a connection is one rule with what begins one.
    assert text.splitlines()[1:] == (
        []
        if handling == "none"
        else [
            "iptables -I INPUT -p icmp -d 192.168.246.160 --icmp-type fragmentation-needed -j ACCEPT",
            "iptables -I INPUT -p tcp -d 192.168.246.160 --dport 80 -j ACCEPT",
            "iptables -I OUTPUT -p tcp -d 192.168.246.160 --dport 80 -j ACCEPT",
        ]
    )


def test_no_password_is_in_them() -> None:
    model = dr_pair()
    for name in model.groups["lvs_directors"]:
        model.hostvars[name]["lvs_vrrp"] = {
            "auth_pass": SECRET,
            "router_id": 51,
            "notify": {"master": f"/usr/local/bin/tell {SECRET}"},
            "raw": "smtp_alert\n",
        }
        raw = "vrrp_instance X { authentication { auth_type PASS\n auth_pass quay77 } }\n"
        model.hostvars[name]["lvs_keepalived"] = {"raw": f'{raw}SSL {{\n password "a b"\n}}\n'}
    files = planned(model)
    text = "".join(files.values())
    assert SECRET not in text
    assert "quay77" not in text
    assert '"a b"' not in text
    assert "auth_pass hidden" in files["lb1/keepalived.conf"]
    assert "/usr/local/bin/tell hidden" in files["lb1/keepalived.conf"]


def test_what_keepalived_runs_and_what_tells_of_connections() -> None:
    model = test_conntrackd.pair()
    for name in model.groups["lvs_directors"]:
        model.hostvars[name]["lvs_services"][0] |= {"min_up": "50%", "health_check": {"type": "tcp"}}
    files = planned(model)
    assert files["lb1/lvs_guard"].startswith("#!/bin/sh\n")
    assert "lvs_notify_fifo_script" in files["lb1/keepalived.conf"]
    assert "IPv4_Destination_Address 10.9.0.12" in files["lb1/conntrackd.conf"]
    assert not [path for path in planned(dr_pair()) if "guard" in path or "conntrackd" in path]


def test_a_password_that_begins_like_another_one() -> None:
    raw = "vrrp_instance X { authentication { auth_type PASS\n \"auth_pass\" 'quay 77' } }\n"
    keepalived = {"content": f"{raw}notify /bin/tell quay77abc quay77 'quay 77'\n", "secrets": ["quay77", "quay77abc"]}
    text = changes_of({"lb1": {"keepalived": keepalived}}, "", []).files["lb1/keepalived.conf"]
    assert "quay" not in text
    assert "abc" not in text
    # A short one may be the number of a router as well.
    keepalived = {"content": "virtual_router_id 51\nauth_pass 51\n", "secrets": ["51"]}
    text = changes_of({"lb1": {"keepalived": keepalived}}, "", []).files["lb1/keepalived.conf"]
    assert text == "virtual_router_id 51\nauth_pass hidden\n"


def test_every_host_of_which_nothing_can_be_said_is_named() -> None:
    no_folders = ["../x", "a/b", ".git", "", "a b", "x\ny", "-rf", INDEX]
    wrong = {"parts": [{"owner": "director", "plan": {"addresses": [{"address": "x", "interface": "eth0"}]}}]}
    with pytest.raises(NotPlanned) as said:
        changes_of({**{host: {} for host in no_folders}, "lb1": wrong, "lb2": wrong, "web1": {}}, "", [])
    lines = str(said.value).splitlines()
    assert [line.partition(":")[0] for line in lines[len(no_folders) :]] == ["lb1", "lb2"]
    assert all("is no name of a folder" in line for line in lines[: len(no_folders)])


# What a host asks for that has one file, director.ip, and for a text that somebody wrote.
ADDRESS = {"addresses": [{"address": "192.0.2.1/32", "interface": "lo"}]}
ONE_FILE = {"parts": [{"owner": "director", "plan": ADDRESS}]}


@pytest.mark.parametrize(
    ("index", "hosts", "gone", "listed"),
    [
        ("", {"lb1": ONE_FILE}, [], ["lb1/director.ip"]),
        # What is planned no more, of a host that is still there, and of one that is gone.
        ("lb1/director.ip\nlb1/director.nft\n", {"lb1": ONE_FILE}, ["lb1/director.nft"], ["lb1/director.ip"]),
        ("lb9/a.ip\nlb9/b.ip\n", {"lb1": {}}, ["lb9/a.ip", "lb9/b.ip"], []),
        # lb2 is in the inventory, and has no part in this run.
        ("lb2/director.ip\n", {"lb1": {}}, [], ["lb2/director.ip"]),
        # A host that was to be put back has none any more.
        ("lb1/director.ip\n", {"lb1": {"parts": []}}, ["lb1/director.ip"], []),
        # What nobody wrote who keeps to the rules.
        ("../../etc/passwd\n/etc/passwd\nlb9/../x\nlb9/.x\nlb9\nlb9/a/b\n-rf/x\n# x\n", {"lb1": {}}, [], []),
    ],
)
def test_what_goes(index: str, hosts: dict[str, Any], gone: list[str], listed: list[str]) -> None:
    found = changes_of(hosts, index, ["lb1", "lb2"])
    assert list(found.gone) == gone
    assert found.files[INDEX].splitlines()[1:] == listed
    assert list(found.files) == [*(path for path in listed if path.startswith("lb1/")), INDEX]
