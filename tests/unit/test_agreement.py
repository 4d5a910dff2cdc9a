# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is written down twice must agree: role defaults and their specs, the documents and the model."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.lvs.topology.plugins.module_utils._host.concerns import BOOT, CONCERNS, WATCHED, WITHDRAWALS
from ansible_collections.lvs.topology.plugins.module_utils._host.host_state import SPEC
from ansible_collections.lvs.topology.plugins.module_utils._net.sysctl_plan import IPVS, IPVS_NAMES
from ansible_collections.lvs.topology.plugins.module_utils._traces import TRACES
from ansible_collections.lvs.topology.plugins.plugin_utils._tags import TAGS
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import compiler
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import FORWARDING
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.methods import METHODS
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.findings import CONCERNS as SAID
from ansible_collections.lvs.topology.tests.kernel.ipvs.option_rows import ROWS
from ansible_collections.lvs.topology.tests.unit.topology.inventories import REFERENCES, Model, dr_pair, rs

CHECKOUT = Path(__file__).parents[2]
ROLES = sorted(path.name for path in (CHECKOUT / "roles").iterdir())
# An inventory, and the network whose hosts it describes.
INVENTORIES = {
    "docs/examples/dr.yml": "dr",
    "docs/examples/nat.yml": "nat",
    "docs/examples/dual-stack.yml": "mixed",
    "docs/examples/tun.yml": "tun",
    "docs/examples/fullnat.yml": "fullnat",
    "docs/examples/pair.yml": "ha",
    "docs/examples/active.yml": "active",
    # The same hosts in a network of its own.
    "tests/chaos/inventory.yml": "ha",
    **{
        f"molecule/{name}/inventory/hosts.yml": name
        for name in (
            *("dr", "dr_routed", "nat", "nat_wlc", "mixed", "tun", "fullnat", "ftp", "ha", "fullnat_pair", "active"),
        )
    },
}


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


@pytest.mark.parametrize("role", ROLES)
def test_defaults_and_argument_specs_agree(role: str) -> None:
    defaults = load(CHECKOUT / f"roles/{role}/defaults/main.yml")
    options = load(CHECKOUT / f"roles/{role}/meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    assert {name for name, option in options.items() if not option.get("required")} == set(defaults)
    for name, default in defaults.items():
        variable = re.search(r"\blvs_\w+", str(default))
        if variable:
            # A spec cannot hold an expression; its description says where the value comes from.
            assert f"C({variable[0].removesuffix('_group')})" in str(options[name]["description"]), name
        else:
            assert options[name]["default"] == default, name


def facts(network: str) -> dict[str, dict[str, Any]]:
    """What ansible would gather from the hosts of a scenario's network."""
    gathered: dict[str, dict[str, Any]] = {}
    for host, description in load(CHECKOUT / f"molecule/{network}/network.yml")["hosts"].items():
        names = [f"eth{number}" for number in range(1, len(description["lans"]) + 1)]
        gathered[host] = {"interfaces": ["lo", *names], "lo": {"ipv4": {"address": "127.0.0.1", "prefix": "8"}}}
        for name, addresses in zip(names, description["lans"].values()):
            every = addresses if isinstance(addresses, list) else [addresses]
            own = [dict(zip(("address", "prefix"), each.split("/"))) for each in every]
            ipv4, ipv6 = ([each for each in own if (":" in each["address"]) is is_six] for is_six in (False, True))
            gathered[host][name] = {
                "device": name,
                "macaddress": "02:00:00:00:00:01",
                "ipv6": ipv6,
                "ipv4_secondaries": ipv4[1:],
            }
            gathered[host][name] |= {"ipv4": ipv4[0]} if ipv4 else {}
    return gathered


def inventory_of(inventory: dict[str, Any], network: str) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The hostvars and groups of an inventory file, with the facts of a network's hosts."""
    shared = inventory.get("all", {}).get("vars", {})
    groups = {name: list(group["hosts"]) for name, group in inventory.items() if name != "all"}
    hostvars: dict[str, Any] = {}
    for host, gathered in facts(network).items():
        hostvars[host] = {**shared, "ansible_facts": gathered}
        for name, hosts in groups.items():
            if host in hosts:
                hostvars[host] |= {**(inventory[name].get("vars") or {}), **(inventory[name]["hosts"][host] or {})}
    return hostvars, groups


def mistakes(inventory: dict[str, Any], network: str) -> list[str]:
    return compiler.mistakes_of(*inventory_of(inventory, network))


@pytest.mark.parametrize(("path", "network"), INVENTORIES.items())
def test_inventories_have_no_mistakes(path: str, network: str) -> None:
    assert mistakes(load(CHECKOUT / path), network) == []


@pytest.mark.parametrize(("document", "network"), [("README.md", "dr"), ("docs/ipv6.md", "mixed")])
def test_whole_inventories_of_documents_have_no_mistakes(document: str, network: str) -> None:
    block = re.search(r"```yaml\n(.*?)```", (CHECKOUT / document).read_text(), re.DOTALL)
    assert block
    assert mistakes(yaml.safe_load(block[1]), network) == []


def test_the_changed_models_have_no_mistakes() -> None:
    for path in CHECKOUT.glob("molecule/*/changed.yml"):
        inventory = load(path.parent / "inventory/hosts.yml")
        inventory["all"]["vars"].update(load(path))
        assert mistakes(inventory, path.parent.name) == [], path


def test_every_sysctl_of_ipvs_is_documented_with_what_is_set() -> None:
    text = (CHECKOUT / "docs/sysctls.md").read_text()
    keys = text.split("key by key")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| (`[^|]+`) \|[^|]+\|([^|]*)\|", keys, re.MULTILINE))
    documented = {name: value.strip() for names, value in rows.items() for name in re.findall(r"`(\w+)`", names)}
    assert set(documented) == {name for name in IPVS_NAMES if not name.startswith("sync_")}
    set_by_us = {key: value.partition(",")[0] for key, value in documented.items() if value}
    in_rows = {key[len(IPVS) :]: value for key, value in sysctls_of_all() if key.startswith(IPVS)}
    # Those of synchronisation have one row together.
    assert set_by_us == {key: value for key, value in in_rows.items() if not key.startswith("sync_")}
    # One without a condition is set on every director, and one with a condition is not.
    everywhere = {key for key, value in documented.items() if value and "," not in value}
    every = [{key[len(IPVS) :] for key in plan["sysctls"]} for role, plan in plans_of_all() if role == "director"]
    assert everywhere == set.intersection(*every) & set(documented)


def test_what_the_roles_set_is_documented_and_nothing_else() -> None:
    text = (CHECKOUT / "docs/sysctls.md").read_text()
    table, _end, rest = text.split("## What the roles set")[1].partition("\n## ")
    rows = re.findall(r"^\| (`[^|]+`) \| ([^|]+) \|", table, re.MULTILINE)
    documented = {(name, value) for keys, values in rows for name, value in _pairs(keys, values)}
    # That of a tunnel belongs to the module that makes the tunnel: no plan has it.
    assert _general("net.ipv4.conf.TUNNEL.rp_filter") in {name for name, _value in documented}
    found = {(_general(key), value) for key, value in sysctls_of_all()} | set(ARP.items())
    assert documented - {("net.ipv4.conf.IF.rp_filter", "2")} == found
    left_alone = rest.partition("## Related, and left alone")[2]
    for name in re.findall(r"`(net\.[\w.]+)`", left_alone):
        assert _general(name) not in {key for key, _value in found}


ARP = {"net.ipv4.conf.all.arp_ignore": "1", "net.ipv4.conf.all.arp_announce": "2"}


def _pairs(keys: str, values: str) -> list[tuple[str, str]]:
    """The names of a row, where braces stand for several, each with its value."""
    names: list[str] = []
    for written in re.findall(r"`([^`]+)`", keys):
        parts = re.split(r"\{([^}]+)\}", written)
        every = [""]
        for position, part in enumerate(parts):
            every = [begun + each for begun in every for each in (part.split(",") if position % 2 else [part])]
        names += [names[0].rpartition(".")[0] + each if each.startswith(".") else each for each in every]
    given = values.split(", ")
    return list(zip(map(_general, names), given * len(names) if len(given) == 1 else given))


def _general(key: str) -> str:
    return re.sub(r"\.conf\.(?!all\.)\w+\.", ".conf.IF.", key)


@cache
def plans_of_all() -> list[tuple[str, dict[str, Any]]]:
    """The plan of every host of every inventory that is written down somewhere, with its role."""
    groups_of = {"lvs_directors": "director", "lvs_real_servers": "real_server", "lvs_routers": "router"}
    plans = []
    described = [inventory_of(load(CHECKOUT / path), network) for path, network in INVENTORIES.items()]
    references = [model() for model in (*REFERENCES.values(), dr_pair, _loop_pair)]
    for hostvars, groups in [*described, *((model.hostvars, model.groups) for model in references)]:
        for each in hostvars.values():
            each.pop("lvs_sysctls", None)
        for group, role in groups_of.items():
            for host in groups.get(group, []):
                plans.append((role, compiler.host_plan(hostvars, groups, host, role)))
    return plans


def _loop_pair() -> Model:
    """Directors that are real servers of each other."""
    model = dr_pair()
    model.groups["lvs_real_servers"] += ["lb1", "lb2"]
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_sync"] = {"syncid": 1}
        model.hostvars[director]["lvs_services"][0]["real_servers"] = rs("lb1", "lb2")
    return model


def sysctls_of_all() -> set[tuple[str, str]]:
    return {item for _role, plan in plans_of_all() for item in plan["sysctls"].items()}


def test_the_table_of_ipvsadm_s_options_has_what_is_tested() -> None:
    rows = re.findall(r"^\| `(.+?)` \| (.+?) \| .+ \| .+ \|$", (CHECKOUT / "docs/ipvsadm.md").read_text(), re.MULTILINE)
    assert rows == [(row.typed, row.here) for row in ROWS]


def test_every_module_is_in_the_action_group() -> None:
    modules = sorted(path.stem for path in (CHECKOUT / "plugins/modules").glob("*.py"))
    assert load(CHECKOUT / "meta/runtime.yml")["action_groups"]["lvs"] == modules


@pytest.mark.parametrize(("role", "host"), [("director", "director"), ("real_server", "web1"), ("router", "router")])
def test_a_plan_has_what_its_role_looks_after(role: str, host: str) -> None:
    hostvars, groups = inventory_of(load(CHECKOUT / "molecule/dr_routed/inventory/hosts.yml"), "dr_routed")
    plan = compiler.host_plan(hostvars, groups, host, role, None, None, None)
    settings = {"commands", "kernel_options", "kernels", "manager", "purge", "keep_weights", "notes", "passing"}
    assert {*SPEC["plan"]["options"]} == settings | set(TRACES) | {WATCHED}
    # The role's README names the tags of what is in the plan, and of what every role has.
    text = " ".join((CHECKOUT / f"roles/{role}/README.md").read_text().split())
    sentence = re.search(r"Tags: (.*?)\.(?: |$)", text)
    assert sentence
    tags = {TAGS[key] for key in plan if key not in settings} | {"lvs_packages", "lvs_boot"}
    # Only a pair with FULLNAT has it.
    tags |= {TAGS["conntrackd"]} if role == "director" else set()
    assert set(re.findall(r"`(\w+)`", sentence[1])) == tags


def test_every_forwarding_method_has_its_module() -> None:
    assert tuple(METHODS) == FORWARDING


def test_every_concern_of_host_state_has_its_traces_and_its_tag() -> None:
    assert [*CONCERNS] == [*TAGS]
    assert [*CONCERNS] == [name for name in SAID if name not in ("keepalived", "warning")]
    # What keepalived has in the table is keepalived's, and goes with it.
    # What is withdrawn is what was announced.
    assert [name for name in CONCERNS if name not in (WATCHED, WITHDRAWALS, BOOT)] == [*TRACES]
