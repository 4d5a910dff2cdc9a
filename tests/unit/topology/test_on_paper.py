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
from ansible.errors import AnsibleFilterError
from ansible_collections.lvs.topology.plugins.filter.plan_changes import plan_changes
from ansible_collections.lvs.topology.plugins.filter.plan_files import plan_files
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import save_parser
from ansible_collections.lvs.topology.tests.unit.topology import real_tools
from ansible_collections.lvs.topology.tests.unit.topology.inventories import REFERENCES, Model, dr_pair, two_directors
from ansible_collections.lvs.topology.tests.unit.topology.test_differential import roles_of

ALL: dict[str, Callable[[], Model]] = {**REFERENCES, "DR pair": dr_pair, "two directors": two_directors}
SECRET = "s3cret,x"  # noqa: S105, it has to look like one


def planned(model: Model) -> dict[str, str]:
    """The files of all hosts."""
    found: dict[str, str] = {}
    hosts: dict[str, list[str]] = {}
    for name, role in roles_of(model):
        hosts.setdefault(name, []).append(role)
    for name, roles in hosts.items():
        parts = [{"owner": role, "plan": model.plan(name, role)} for role in roles if role != "keepalived"]
        keepalived: dict[str, Any] = {}
        if "keepalived" in roles:
            plan = model.plan(name, "keepalived")
            if plan["keepalived"]:
                keepalived = {"content": real_tools.rendered(plan), "secrets": plan["secrets"]}
        found.update((each["path"], each["content"]) for each in plan_files(parts, name, keepalived))
    return found


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
    }
    assert files["lb1/director.ipvsadm"].startswith("-A -t 192.168.246.160:80 -s rr\n-a -t 192.168.246.160:80 -r ")


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


@pytest.mark.parametrize("host", ["../x", "a/b", ".git", "", "a b", "x\ny", "-rf"])
def test_a_host_that_is_no_folder(host: str) -> None:
    with pytest.raises(AnsibleFilterError, match="is no name of a folder"):
        plan_files([], host)


def test_a_plan_that_no_module_would_take() -> None:
    with pytest.raises(AnsibleFilterError, match="address"):
        plan_files([{"owner": "director", "plan": {"addresses": [{"address": "x", "interface": "eth0"}]}}], "lb1")


def file(path: str) -> dict[str, str]:
    return {"path": path, "content": "x\n"}


@pytest.mark.parametrize(
    ("index", "hosts", "gone", "empty", "listed"),
    [
        ("", {"lb1": [file("lb1/director.ip")]}, [], [], ["lb1/director.ip"]),
        # What is planned no more, of a host that is still there, and of one that is gone.
        ("lb1/director.ip\nlb1/director.nft\n", {"lb1": [file("lb1/director.ip")]}, ["lb1/director.nft"], [], None),
        ("lb9/a.ip\nlb9/b.ip\n", {"lb1": []}, ["lb9/a.ip", "lb9/b.ip"], ["lb9"], []),
        # lb2 is in the inventory, and has no part in this run.
        ("lb2/director.ip\n", {"lb1": []}, [], [], ["lb2/director.ip"]),
        # A host that was to be put back has none any more.
        ("lb1/director.ip\n", {"lb1": []}, ["lb1/director.ip"], ["lb1"], []),
        # What nobody wrote who keeps to the rules.
        ("../../etc/passwd\n/etc/passwd\nlb9/../x\nlb9/.x\nlb9\nlb9/a/b\n-rf/x\n# x\n", {"lb1": []}, [], [], []),
    ],
)
def test_what_goes(index: str, hosts: dict[str, Any], gone: list[str], empty: list[str], listed: Any) -> None:
    found = plan_changes(hosts, index, ["lb1", "lb2"])
    assert found["gone"] == gone
    assert found["empty"] == empty
    assert listed is None or found["index"].splitlines()[1:] == listed


@pytest.mark.parametrize("wrong", [None, 3, ["x"]])
def test_arguments_that_are_none(wrong: Any) -> None:
    with pytest.raises(AnsibleFilterError):
        plan_changes(wrong, "", [])
    with pytest.raises(AnsibleFilterError):
        plan_changes({}, "", wrong if wrong != ["x"] else [3])
