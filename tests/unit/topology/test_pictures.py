# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures and pages of sites: what is in them, that nothing stands on anything else, and what is refused."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml
from ansible_collections.lvs.topology.plugins.plugin_utils._picture.chart import chart
from ansible_collections.lvs.topology.plugins.plugin_utils._picture.narrow import narrow
from ansible_collections.lvs.topology.plugins.plugin_utils._picture.shapes import FONTS, Box, Picture, Text, width_of
from ansible_collections.lvs.topology.plugins.plugin_utils._picture.view import Seen, view
from ansible_collections.lvs.topology.plugins.plugin_utils._picture.wide import wide
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import compiler, pictures, verifying
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import WrongModel
from ansible_collections.lvs.topology.tests.unit.topology.inventories import (
    QUIET,
    REFERENCES,
    Model,
    dr_pair,
    facts,
    large,
    nic,
    r1,
    r5,
    rs,
    two_directors,
)

CHECKOUT = Path(__file__).parents[3]
# The inventory of each page of the documents that has a picture.
EXAMPLES = {"dr": "dr", "nat": "nat", "tun": "tun", "fullnat": "fullnat", "high-availability": "pair"}
HOSTILE = "<script>alert(1)</script>\"'&{{ 7 * 7 }}{% x %}\x1b[31m\u202e\ud800" + "x" * 200
SVG = "{http://www.w3.org/2000/svg}"


def hostile() -> Model:
    """Names that would do something, and addresses as long as they can be."""
    model = r1()
    for old in ("lb1", "web1", "web2"):
        model.hostvars[HOSTILE + old] = model.hostvars.pop(old)
    model.groups = {name: [HOSTILE + host for host in hosts] for name, hosts in model.groups.items()}
    model.service["name"] = "n" * 63
    model.service["real_servers"] = rs(HOSTILE + "web1", HOSTILE + "web2")
    long = "2001:db8:1111:2222:3333:4444:5555:{}"
    six = [{"host": HOSTILE + f"web{n}", "address": long.format(f"666{n}")} for n in (1, 2)]
    model.services.append(
        {**model.service, "name": "s" * 63, "address": long.format("7777"), "port": 65535, "real_servers": six}
    )
    return model


def marked() -> Model:
    """A firewall mark, and a service with a sorry server."""
    model = r5()
    for director in model.groups["lvs_directors"]:
        own = model.hostvars[director]["lvs_services"]
        own[0]["sorry_server"] = {"address": "10.0.0.99"}
        packets = [{"address": "192.168.0.28", "protocol": "tcp", "ports": [21]}]
        service = {"name": "ftp", "fwmark": 10, "family": "ipv4", "forward": "nat", "marked": packets}
        own.append({**service, "real_servers": rs("app1")})
    return model


def empty() -> Model:
    """No director has anything to serve."""
    model = r1()
    model.services.clear()
    return model


def nobody() -> Model:
    return Model({}, {"lvs_directors": []})


def busy() -> Model:
    """All methods, real servers in several pools, clients and routers."""
    model = r1()
    for number, forward in enumerate(("dr", "tun", "nat", "fullnat")):
        listed = rs("app1") if forward == "nat" else rs("web1", "web2")
        another = {"name": forward, "forward": forward, "port": 81 + number, "real_servers": listed}
        model.services.append({**model.service, **another})
    inside = {"lvs_address": "192.168.246.163", "ansible_facts": facts(nic("eth1", "192.168.246.163/24"))}
    model.hostvars |= {"client": {}, "gw1": {}, "app1": inside}
    model.groups["lvs_real_servers"].append("app1")
    model.groups |= {"lvs_clients": ["client"], "lvs_routers": ["gw1"]}
    return model


SITES: dict[str, Callable[[], Model]] = {
    **REFERENCES,
    "pair": dr_pair,
    "two": two_directors,
    "hostile": hostile,
    "marked": marked,
    "busy": busy,
    "empty": empty,
    "nobody": nobody,
    "large": lambda: large("nat", 100, 100, is_pair=True),
}


def table_of(model: Model, director: str = "lb1") -> dict[str, Any]:
    """The table that the model asks for, as ipvs_info returns it."""
    services = []
    variables = {"lvs_manager": "kernel"}
    for service in model.plan(director, "director", directors=[director], variables=variables)["services"]:
        counted = {"connections": {"active": 3, "inactive": 12}}
        services.append({**service, "real_servers": [{**each, **counted} for each in service["real_servers"]]})
    return {"services": services, "timeouts": {}, "daemons": []}


def holding(model: Model, director: str, *addresses: str) -> None:
    """Have facts show these addresses on the director."""
    own = [f"{each}/{128 if ':' in each else 32}" for each in addresses]
    model.hostvars[director]["ansible_facts"] = facts(nic("eth1", "192.168.246.200/24", "fd00::200/64", *own))


def layouts(model: Model) -> list[Picture]:
    """Both layouts: from the model alone, with tables that lack everything, and without an answer."""
    site = compiler.site_of(model.hostvars, model.groups, [])
    tables = {name: {"services": [], "timeouts": {}, "daemons": []} for name in site.services}
    every = (None, Seen(tables), Seen({}, tuple(tables)))
    return [lay(chart(view(site, seen))) for seen in every for lay in (wide, narrow)]


def area(text: Text) -> Box:
    size, _wide = FONTS[text.look.partition(" ")[0]]
    width = width_of(text.text, text.look)
    x = text.x - {"start": 0, "middle": width / 2, "end": width}[text.anchor]
    return Box(x, text.y - size * 0.75, width, size * 0.9, text.look)


def meet(one: Box, other: Box) -> bool:
    return one.x < other.right and other.x < one.right and one.y < other.bottom and other.y < one.bottom


def holds(outer: Box, inner: Box) -> bool:
    return outer.x <= inner.x and inner.right <= outer.right and outer.y <= inner.y and inner.bottom <= outer.bottom


@pytest.mark.parametrize("name", SITES)
def test_nothing_stands_on_anything_else(name: str) -> None:
    for picture in layouts(SITES[name]()):
        paper = Box(0, 0, picture.width, picture.height, "paper")
        texts = [area(each) for each in picture.texts]
        signs = [Box(each.x, each.y, 12, 12, "sign") for each in picture.symbols]
        assert all(holds(paper, each) for each in (*picture.boxes, *texts, *signs))
        written = [*texts, *signs]
        assert [(one, other) for one, other in combinations(written, 2) if meet(one, other)] == []
        # A box is inside of another one or beside it, and so is each text.
        boxes = picture.boxes
        for one, other in combinations(boxes, 2):
            assert not meet(one, other) or holds(one, other) or holds(other, one), (one, other)
        for one in written:
            assert all(holds(box, one) for box in boxes if meet(box, one)), one


@pytest.mark.slow
@pytest.mark.parametrize("name", SITES)
def test_all_of_it_is_harmless_and_always_the_same(name: str) -> None:
    model = SITES[name]()
    infos = {} if name in ("nobody", "empty") else {"lb1": table_of(model)} if "lb1" in model.hostvars else {}
    arguments = (model.hostvars, model.groups, infos)
    for path in ("site.svg", "site.html"):
        text = pictures.site_file_of(*arguments, path, made="today")
        assert text == pictures.site_file_of(*arguments, path, made="today")
        assert not re.search(r"<script|javascript:|\{\{|\{%|\{#|[\x00-\x09\x0b-\x1f\u202e\ud800]", text)
        # No element and no rule names a place from which something would be loaded.
        assert set(re.findall(r"[a-z]+://[^\"' <]+", text)) <= {"http://www.w3.org/2000/svg"}
        assert not re.search(r"url\(|@import|<(?:img|iframe|object|embed|use|image|foreignObject)", text)
        for element in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
            ElementTree.fromstring(element)  # noqa: S314, our own


def test_a_picture_names_whom_it_shows_and_says_how_packets_go() -> None:
    root = ElementTree.fromstring(pictures.diagram_of(busy().hostvars, busy().groups))  # noqa: S314, our own
    said = [each.text for each in root.iter(f"{SVG}text")]
    for word in ("client", "gw1", "lb1", "web1", "web2", "192.168.246.160", "tcp 192.168.246.160:80", "VIP on lo"):
        assert word in said, word
    for method in ("DR", "TUN", "NAT", "FULLNAT"):
        assert f"{method} · weight 1" in said
    assert "answers of DR go past the director" in said
    assert "1 director, 5 services, 3 real servers" in str(root.get("aria-label"))
    assert root.get("role") == "img"


def page(model: Model, infos: dict[str, Any], **more: Any) -> str:
    """The text of a page, without its elements."""
    text = pictures.site_file_of(model.hostvars, model.groups, infos, "site.html", **more)
    return " ".join(re.sub(r"<style>.*?</style>|<svg.*?</svg>|<[^>]*>", " ", text, flags=re.DOTALL).split())


def first(info: dict[str, Any]) -> dict[str, Any]:
    entry: dict[str, Any] = info["services"][0]["real_servers"][0]
    return entry


OTHER = {"address": "192.168.246.99", "port": 80, "forward": "dr", "weight": 1, "connections": {"active": 1}}
CHANGES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "drained": lambda info: first(info).update(weight=0),
    "heavier": lambda info: first(info).update(weight=7),
    "nat": lambda info: first(info).update(forward="nat"),
    "missing": lambda info: info["services"][0]["real_servers"].pop(0),
    "more": lambda info: info["services"][0]["real_servers"].append(OTHER),
    "empty": lambda info: info["services"].clear(),
    "other port": lambda info: info["services"][0].update(port=81),
    "all drained": lambda info: [each.update(weight=0) for each in info["services"][0]["real_servers"]],
}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("", "Nothing that was looked at is broken or at risk."),
        ("", "web1 192.168.246.161:80 1 3 active, 12 inactive"),
        ("drained", "at risk · lb1 : tcp 192.168.246.160:80 (web): sends no new clients to web1"),
        ("drained", "192.168.246.161:80 0, 1 in the model 3 active, 12 inactive it gets no new clients"),
        (
            "heavier",
            "worth knowing · lb1 : tcp 192.168.246.160:80 (web): web1 192.168.246.161:80: weight 1 in the model",
        ),
        ("nat", "broken · lb1 : tcp 192.168.246.160:80 (web): web1 192.168.246.161:80: the table says nat"),
        ("missing", "at risk · lb1 : tcp 192.168.246.160:80 (web): the table lacks web1"),
        ("missing", "web1 192.168.246.161:80 1 in the model not in the table"),
        ("more", "192.168.246.99 192.168.246.99:80 1 1 active not in lvs_services"),
        ("empty", "broken · lb1 : tcp 192.168.246.160:80 (web) is not in the table"),
        ("other port", "not in lvs_services tcp 192.168.246.160:81 rr DR"),
        ("other port", "the table has tcp 192.168.246.160:81, which nobody declared"),
        ("all drained", "web tcp 192.168.246.160:80 rr DR nobody serves new clients"),
    ],
)
def test_what_a_page_says_of_a_table(change: str, said: str) -> None:
    model = r1()
    holding(model, "lb1", "192.168.246.160")
    info = table_of(model)
    if change:
        CHANGES[change](info)
    assert said in page(model, {"lb1": info}, answered=["web1", "web2"])


def pair(*masters: str) -> Model:
    model = dr_pair()
    for name in model.groups["lvs_directors"]:
        holding(model, name, *(["192.168.246.160", "fd00::160"] if name in masters else []))
    return model


@pytest.mark.parametrize(
    ("masters", "answered", "said"),
    [
        (["lb1"], ["lb1", "lb2"], "lb1 master 192.168.246.166"),
        (["lb1"], ["lb1", "lb2"], "lb2 standby 192.168.246.167"),
        (["lb2"], ["lb1", "lb2"], "web tcp 192.168.246.160:80 rr DR table of lb2"),
        (["lb1", "lb2"], ["lb1", "lb2"], "broken · lb1 and lb2 : 192.168.246.160 is on lb1 and lb2"),
        ([], ["lb1", "lb2"], "broken · lb1 and lb2 : 192.168.246.160 is on no director"),
        # What a fact cache has of a director that did not answer may be old.
        (["lb1"], ["lb2"], "lb1 did not answer 192.168.246.166 "),
        (["lb1"], ["lb2"], "at risk · lb1 : did not answer"),
        (["lb1"], [], "web tcp 192.168.246.160:80 rr DR web1 192.168.246.161:80 1 in the model"),
    ],
)
def test_what_a_page_says_of_a_pair(masters: list[str], answered: list[str], said: str) -> None:
    model = pair(*masters)
    assert said in page(model, {name: table_of(model) for name in answered})


def test_a_standby_without_keepalived_is_one_finding() -> None:
    model = pair("lb1")
    nothing = {"services": [], "timeouts": {}, "daemons": []}
    said = page(model, {"lb1": table_of(model), "lb2": nothing})
    assert "at risk · lb2 : its table is empty. It cannot take over." in said
    assert [said.count(f"{degree} · lb2") for degree in ("at risk", "broken")] == [1, 0]


def test_a_director_without_services() -> None:
    model = empty()
    assert "lb1 has no VIP 192.168.246.166" in page(model, {"lb1": {"services": []}}, answered=["web1", "web2"])


def test_what_was_not_looked_at_is_said() -> None:
    model = r1()
    said = page(model, {"lb1": table_of(model)}, asked=["lb1", "web1"], answered=["lb1"])
    assert "at risk · web1 : did not answer" in said
    assert "web2: it is not part of this run (--limit)" in said


def test_without_all_addresses_nothing_is_called_undeclared() -> None:
    model = dr_pair()
    for service in model.services:
        service["real_servers"] = rs("web1", "web2")
    for name in ("lb1", "lb2"):
        model.hostvars[name]["lvs_services"] = model.services
    table = table_of(dr_pair())
    said = page(model, {"lb1": table})
    assert "no IPv6 address of web1" in said
    assert "not in what could be read" in said
    assert "not in lvs_services" not in said
    assert "nobody declared" not in said


def test_a_firewall_mark_and_a_sorry_server() -> None:
    model = marked()
    root = ElementTree.fromstring(pictures.diagram_of(model.hostvars, model.groups))  # noqa: S314, our own
    said = [each.text for each in root.iter(f"{SVG}text")]
    assert "firewall mark 10 (ipv4)" in said
    assert "NAT · sorry server" in said
    assert "not in the inventory" in said
    assert "s3cret" not in page(model, {"lb1": table_of(model)})


def test_thousands_of_services_are_a_page_of_their_beginning() -> None:
    model = large("dr", 2000, 4, is_pair=False)
    text = pictures.site_file_of(model.hostvars, model.groups, {"lb1": table_of(model)}, "site.html")
    assert len(text) < 400_000
    assert "and 1,992 more services" in text
    assert ">6,000 active<" in text
    assert "Not here: 7,600 entries of real servers, and all entries of 1,900 services" in text
    # The facts of this director have none of the VIPs.
    assert re.search(r"And [\d,]+ more, which are not on this page. <code>ansible-playbook lvs.topology.verify", text)


def test_hundreds_of_real_servers_are_a_picture_of_some() -> None:
    model = large("nat", 2, 300, is_pair=False)
    text = pictures.diagram_of(model.hostvars, model.groups)
    assert "and 276 more real servers" in text
    assert len(text) < 100_000


@pytest.mark.parametrize("path", ["site", "site.pdf", ".htmlx", "", 7, None, ["a.html"]])
def test_a_name_that_says_nothing(path: Any) -> None:
    with pytest.raises(WrongModel, match=r"lvs_status_file: .* let the name of the file end in \.html, or in \.svg"):
        pictures.site_file_of({}, {}, {}, path)


@pytest.mark.parametrize(
    ("infos", "said"),
    [
        ([], "infos: must be a mapping"),
        ({"lb1": 5}, "infos.lb1: must be a mapping"),
        ({"lb1": {"services": [{"address": "<b>", "port": 80}]}}, "is no IP address"),
        (
            {"lb1": {"services": [{"address": "192.0.2.1", "port": 80, "scheduler": "<script>"}]}},
            "no name of a scheduler",
        ),
    ],
)
def test_an_answer_that_no_module_gives(infos: Any, said: str) -> None:
    with pytest.raises(WrongModel, match=re.escape(said)):
        pictures.site_file_of(r1().hostvars, r1().groups, infos, "site.html")


def test_a_diagram_of_mistakes_is_refused_with_all_of_them() -> None:
    model = r1()
    model.service.update(forward="drr", scheduler=5)
    with pytest.raises(WrongModel) as refused:
        pictures.diagram_of(model.hostvars, model.groups)
    assert [line.partition(": ")[0] for line in refused.value.lines] == [
        "lvs_services[0].forward",
        "lvs_services[0].scheduler",
    ]


def test_what_verify_found_is_a_page_too() -> None:
    model = r1()
    holding(model, "lb1", "192.168.246.160")
    table = table_of(model)
    first(table)["weight"] = 0
    answers = {"lb1": {**QUIET, "table": table}, "web1": QUIET}
    found = verifying.findings_of(model.hostvars, model.groups, answers, {})
    text = pictures.report_of(found, "verify.html", model.hostvars, model.groups, answers, "today")
    assert "Seen by lvs.topology.verify on today" in text
    for said in (
        "sends no new clients to web1",
        "could not be looked at",
        "no client went through the VIPs",
        "3 active",
    ):
        assert said in text, said


@pytest.mark.parametrize(("document", "example"), EXAMPLES.items())
def test_documents_have_the_pictures_of_their_inventories(document: str, example: str) -> None:
    inventory = yaml.safe_load((CHECKOUT / f"docs/examples/{example}.yml").read_text())
    shared = inventory.pop("all")["vars"]
    hostvars = {
        name: {**shared, **group.get("vars", {}), **(own or {})}
        for group in inventory.values()
        for name, own in group["hosts"].items()
    }
    drawn = pictures.diagram_of(hostvars, {name: [*group["hosts"]] for name, group in inventory.items()})
    kept = (CHECKOUT / f"docs/pictures/{document}.svg").read_text()
    assert kept == drawn, "run scripts/pictures, and look at what it draws"
    text = (CHECKOUT / f"docs/{document}.md").read_text()
    assert re.search(rf"!\[\w[^]]+\]\(pictures/{document}\.svg\)", text)
    assert f"(examples/{example}.yml)" in text
