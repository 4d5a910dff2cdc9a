# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every document: its links lead somewhere, its code is what it says to be, and what it names is there."""

from __future__ import annotations

import re
import subprocess
import textwrap
from collections.abc import Iterator
from functools import cache
from ipaddress import ip_interface
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import compiler
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.playbook_values import CHOICES
from ansible_collections.lvs.topology.tests.unit.topology.inventories import facts, nic

CHECKOUT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "docs/site/*.md", "lab/*.md", "roles/*/README.md")
    for path in CHECKOUT.glob(pattern)
)
FRONT_PAGE = CHECKOUT / "docs/site/index.md"
FENCE = re.compile(r"^```(\S*)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def named(path: Path) -> str:
    return str(path.relative_to(CHECKOUT))


def blocks(*languages: str) -> list[Any]:
    """The code of all documents, each with the line where it begins."""
    return [
        pytest.param(
            textwrap.dedent(found[2]), id=f"{named(path)}:{path.read_text()[: found.start()].count(chr(10)) + 1}"
        )
        for path in DOCUMENTS
        for found in FENCE.finditer(path.read_text())
        if found[1] in languages
    ]


@cache
def anchors(path: Path) -> set[str]:
    """The headings of a document as a forge and the site make anchors of them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_links_lead_somewhere(path: Path) -> None:
    prose = re.sub(r"`[^`\n]+`", "", FENCE.sub("", path.read_text()))
    # The front page is laid beside the README, and the reference is made by antsibull-docs.
    folder = CHECKOUT if path == FRONT_PAGE else path.parent
    for link in re.findall(r"\]\(([^)\s]+)\)", prose):
        if not re.match(r"https://|reference/", link):
            target, _, place = link.partition("#")
            file = (folder / target).resolve() if target else path
            assert file.exists(), link
            # The site has the front page in its place.
            assert file != CHECKOUT / "README.md", link
            assert not place or place in anchors(file), link


def test_every_page_is_in_the_navigation() -> None:
    entries = {
        line
        for tree in re.findall(r"```\{toctree\}\n(.*?)```", FRONT_PAGE.read_text(), re.DOTALL)
        for line in tree.split()
    }
    pages = {named(path).removesuffix(".md") for path in DOCUMENTS if path not in (FRONT_PAGE, CHECKOUT / "README.md")}
    assert pages <= entries


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_code_says_what_it_is(path: Path) -> None:
    known = {"yaml", "sh", "console", "text", "{toctree}", "{include}"}
    assert {found[1] for found in FENCE.finditer(path.read_text())} <= known


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_tables_have_all_their_cells(path: Path) -> None:
    """A forge drops what is too much, and a cell that is missing shows as an empty one."""
    widths = 0
    for line in FENCE.sub("", path.read_text()).splitlines():
        cells = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        assert not widths or not cells or cells == widths, line
        widths = cells


def commands(text: str) -> str:
    """What is typed, of a console: what follows the prompt, with the lines that it goes on in."""
    return "".join(re.findall(r"^\$ ((?:.*\\\n)*.*\n)", text, re.MULTILINE)) or text


@pytest.mark.parametrize("text", blocks("sh", "console"))
def test_commands_are_shell(text: str) -> None:
    done = subprocess.run(["bash", "-n"], input=commands(text), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("text", blocks("sh", "console"))
def test_commands_name_what_is_there(text: str) -> None:
    playbooks = {path.stem for path in (CHECKOUT / "playbooks").glob("*.yml")}
    for line in commands(text).replace("\\\n", " ").splitlines():
        called = re.search(r"ansible-playbook (.*)", line)
        if called:
            assert set(re.findall(r"lvs\.topology\.(\w+)", called[1])) <= playbooks
        for target in re.findall(r"^make ([a-z-]+)", line):
            assert re.search(rf"^{target}:", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)


def test_variables_are_given_as_playbooks_take_them() -> None:
    """In documents, and in what alerts and messages tell somebody to type."""
    arguments = yaml.safe_load((CHECKOUT / "playbooks/tasks/variables.yml").read_text())[0]["vars"]["__lvs_arguments"]
    known = {name for each in arguments.values() for name in each}
    messages = [path for folder in ("plugins", "playbooks", "roles") for path in (CHECKOUT / folder).rglob("*.*")]
    given = re.compile(r"\b(lvs_(?:adopt|drain|plan|rolling|status|verify)\w*)=(\w+)")
    for path in (*DOCUMENTS, *(path for path in messages if path.suffix in (".py", ".yml"))):
        for name, word in given.findall(path.read_text()):
            assert name in known, (named(path), name)
            assert word in CHOICES.get(name, (word,)), (named(path), name, word)


def test_units_that_documents_name_are_there() -> None:
    """Somebody types these when Ansible does not reach the host any more."""
    sources = "".join(path.read_text() for path in (CHECKOUT / "plugins/module_utils").rglob("*.py"))
    units = set(re.findall(r"\blvs-topology[a-z-]*\.(?:service|timer|socket|path)\b", sources))
    known = units | {unit.removesuffix(".service") for unit in units}
    command = re.compile(r"\b(?:systemctl [a-z]+|journalctl (?:-b )?-u)((?: lvs-topology[\w.-]*\w)+)")
    for path in DOCUMENTS:
        if path.name != "CHANGELOG.md":
            assert {each for found in command.findall(path.read_text()) for each in found.split()} <= known, named(path)


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_names_of_the_collection_are_there(path: Path) -> None:
    known = {
        found.stem
        for folder in ("plugins/modules", "plugins/filter", "plugins/lookup", "playbooks", "roles")
        for found in (CHECKOUT / folder).iterdir()
    }
    # The changelog names what there was.
    if path.name != "CHANGELOG.md":
        assert set(re.findall(r"`[^`\n]*\blvs\.topology\.([a-z_]+)\b(?!\.)", path.read_text())) <= known


@pytest.mark.parametrize("text", blocks("yaml"))
def test_yaml_is_yaml(text: str) -> None:
    assert list(yaml.safe_load_all(text))


def services_of(data: Any) -> Iterator[list[dict[str, Any]]]:
    """The lists of services in a block: the value of lvs_services, or entries by themselves."""
    if isinstance(data, dict):
        for key, value in data.items():
            yield from [value] if key in ("lvs_services", "director_services") else services_of(value)
    elif isinstance(data, list):
        if data and all(isinstance(each, dict) and {"forward", "real_servers"} <= set(each) for each in data):
            yield data
        else:
            for each in data:
                yield from services_of(each)


def inventory_for(services: list[dict[str, Any]]) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """A director that is in the networks of all VIPs and real servers, and the real servers that are named."""
    vips = [place["address"] for each in services for place in (each, *each.get("marked", [])) if "address" in place]
    networks = {ip_interface(f"{vip}/{64 if ':' in vip else 24}").network for vip in vips}
    sources = [f"{address}/24" for each in services for address in each.get("snat_addresses", [])]
    own = [f"{network[250]}/{network.prefixlen}" for network in sorted(networks, key=str)]
    servers = [rs["host"] for each in services for rs in each["real_servers"] if "host" in rs]
    behind = {name: [f"10.9.0.{at}/24", f"fd00:9::{at}/64"] for at, name in enumerate(dict.fromkeys(servers), 1)}
    hostvars = {
        name: {"lvs_services": services, "lvs_address": [each.partition("/")[0] for each in addresses]}
        | {"ansible_facts": facts(nic("eth1", *addresses), nic("eth2", *others))}
        for name, addresses, others in (
            ("director", ["10.9.0.254/24", "fd00:9::254/64"], [*own, *sources]),
            *((name, addresses, []) for name, addresses in behind.items()),
        )
    }
    return hostvars, {"lvs_directors": ["director"], "lvs_real_servers": list(behind)}


@pytest.mark.parametrize("text", blocks("yaml"))
def test_services_have_no_mistakes(text: str) -> None:
    """Also those of no whole inventory, on hosts that are made up. Whole inventories are in test_agreement.py, too."""
    data = yaml.safe_load(text)
    for services in services_of(data):
        hostvars, groups = inventory_for(services)
        if isinstance(data, dict) and "lvs_manager" in data:
            hostvars["director"]["lvs_manager"] = data["lvs_manager"]
        assert compiler.mistakes_of(hostvars, groups) == []


def test_the_inventory_of_the_readme_says_what_it_lacks_for_a_plan() -> None:
    """The commands below it are typed with it, and one of them asks no host."""
    text = (CHECKOUT / "README.md").read_text()
    (inventory,) = (found for _word, found in FENCE.findall(text) if "# inventory.yml" in found)
    data = yaml.safe_load(inventory)
    shared = data.pop("all")["vars"]
    hostvars = {host: {**shared, **given} for group in data.values() for host, given in group["hosts"].items()}
    groups = {name: list(group["hosts"]) for name, group in data.items()}
    (mistake,) = compiler.mistakes_of(hostvars, groups)
    assert mistake.startswith("director: lvs_vip_interface: is needed where facts do not tell")
    assert "the director's lvs_vip_interface" in text
    hostvars["director"]["lvs_vip_interface"] = "eth1"
    assert compiler.mistakes_of(hostvars, groups) == []


def test_the_readme_names_every_module() -> None:
    text = (CHECKOUT / "README.md").read_text()
    assert [path.stem for path in (CHECKOUT / "plugins/modules").glob("*.py") if f"`{path.stem}`" not in text] == []


def test_the_playbook_that_no_archive_has_is_in_the_text() -> None:
    """galaxy.yml leaves the file out, so readers of an installed collection have it there alone."""
    text = (CHECKOUT / "docs/examples/by-site/site.yml").read_text().removeprefix("---\n")
    assert f"```yaml\n{text}```\n" in (CHECKOUT / "docs/reuse.md").read_text()
