# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prefixes that are announced beside the VIPs in them, or in their place."""

from __future__ import annotations

import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._bgp import bird_info
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.compiler import site_of
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running import bgp_findings, pools_and_holders
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model
from ansible_collections.lvs.topology.tests.unit.topology.test_bgp import NEIGHBOURS, active, bird_takes, every
from ansible_collections.lvs.topology.tests.unit.topology.test_bgp_findings import VIP, VIP6, table, well

WHOLE, WHOLE6 = "198.51.100.0/24", "2001:db8:100::/48"
OTHER_VIP = "198.51.100.2"


def only(prefix: str, **more: Any) -> dict[str, Any]:
    """An aggregate in place of the VIPs in it."""
    return {"prefix": prefix, "summary_only": True, **more}


def announcing(*aggregates: Any, **more: Any) -> Model:
    return every(active(), aggregates=[*aggregates], **more)


def with_two_vips(*aggregates: Any) -> Model:
    model = announcing(*aggregates)
    for name in model.groups["lvs_directors"]:
        services = model.hostvars[name]["lvs_services"]
        services.insert(1, {**copy.deepcopy(services[0]), "name": "other", "address": OTHER_VIP})
    return model


def configuration(model: Model, host: str = "lb1") -> str:
    return str(model.plan(host, "announcer")["bird"]["content"])


def taken(text: str, family: int) -> str:
    """The prefixes that may pass to or from a neighbour."""
    _before, _filter, rest = text.partition(f"filter lvs_vips{family} {{\n    if ! (net ~ [ ")
    return rest.partition(" ])")[0]


WRONG: list[tuple[Any, str]] = [
    ("192.0.2.0/24", ": must be a list of prefixes, is '192.0.2.0/24'; write each on a line with a dash"),
    (None, ": has nothing below it; list the prefixes, write [] for none, or leave the key out"),
    (["everything"], "[0]: 'everything' is no prefix; write it as 192.0.2.0/24 or 2001:db8:100::/48"),
    ([24], "[0]: must be a prefix, or a mapping with one, is 24; write it as"),
    ([{"summary_only": True}], "[0].prefix: is missing; write it as 192.0.2.0/24"),
    ([{"prefix": 7}], "[0].prefix: 7 is no prefix"),
    (["198.51.100.1/24"], "[0]: '198.51.100.1/24' has bits set behind its first 24; write 198.51.100.0/24"),
    (["2001:db8:100::1/48"], "[0]: '2001:db8:100::1/48' has bits set behind its first 48; write 2001:db8:100::/48"),
    ([VIP], "[0]: '198.51.100.1' is one address; leave it out: each VIP is announced anyway, or write its network"),
    (["2001:db8:100::1/128"], "[0]: '2001:db8:100::1/128' is one address"),
    (["0.0.0.0/0"], "[0]: '0.0.0.0/0' is every address; write the network of the VIPs"),
    (["224.0.0.0/8"], "[0]: '224.0.0.0/8' is a multicast address; write a prefix that VIPs may be in"),
    ([WHOLE, WHOLE], "[1]: '198.51.100.0/24' overlaps 198.51.100.0/24 in lb1: lvs_bgp.aggregates[0]; list one"),
    ([WHOLE, only("198.51.0.0/16")], "[1].prefix: '198.51.0.0/16' overlaps 198.51.100.0/24 in"),
    ([WHOLE6, WHOLE, "2001:db8:100:1::/64"], "[2]: '2001:db8:100:1::/64' overlaps 2001:db8:100::/48 in"),
    ([only(WHOLE, summary_only="perhaps")], "[0].summary_only: 'perhaps' is no boolean"),
    ([only(WHOLE, communities=["x"])], "[0].communities[0]: 'x' is no community"),
    ([{"prefix": WHOLE, "sumary_only": True}], "[0].sumary_only: is not a known key; did you mean summary_only"),
    (
        ["203.0.113.0/24"],
        "[0]: no director announces a VIP in 203.0.113.0/24, so that it would never be announced; correct it, or take "
        "it out until there is one",
    ),
]


@pytest.mark.parametrize(("aggregates", "said"), WRONG, ids=[said for _aggregates, said in WRONG])
def test_what_is_wrong_is_said_with_its_path(aggregates: Any, said: str) -> None:
    model = active()
    model.hostvars["lb1"]["lvs_bgp"]["aggregates"] = aggregates
    lines = model.mistakes()
    assert [line for line in lines if line.startswith(f"lb1: lvs_bgp.aggregates{said}")], lines
    assert len(lines) == 1


def test_a_family_that_no_neighbour_has() -> None:
    model = announcing(WHOLE6, neighbours=NEIGHBOURS[:1])
    assert any("may announce 2001:db8:100::/48 to nobody: no neighbour of" in line for line in model.mistakes())


def test_a_router_announces_none() -> None:
    model = active()
    model.hostvars["router"]["lvs_bgp"]["aggregates"] = [WHOLE]
    assert model.mistakes() == [
        "router: lvs_bgp.aggregates: router takes prefixes from directors, and announces none; write them into lvs_bgp "
        "of the directors"
    ]


def test_a_director_without_a_vip_in_it_leaves_it_to_the_others(tmp_path: Path) -> None:
    model = announcing(WHOLE)
    # It shares no VIP with them.
    del model.hostvars["lb3"]["lvs_services"][1]
    model.hostvars["lb3"]["lvs_services"][0] |= {"name": "third", "address": "203.0.113.1"}
    assert model.mistakes() == []
    text = configuration(model, "lb3")
    assert WHOLE not in text
    bird_takes(text, tmp_path)


def test_an_aggregate_beside_the_vips_in_it(tmp_path: Path) -> None:
    model = with_two_vips(WHOLE)
    assert model.mistakes() == []
    text = configuration(model)
    assert taken(text, 4) == f"{VIP}/32, {OTHER_VIP}/32, {WHOLE}"
    assert taken(text, 6) == f"{VIP6}/128"
    routes = f"    route {WHOLE} recursive {VIP};\n    route {WHOLE} recursive {OTHER_VIP};\n}}\n"
    assert routes in text
    # A route of the prefix that somebody adds to the table is not announced.
    assert text.count("import where dest = RTD_BLACKHOLE && net.len = 32;") == 1
    assert text.count("import where dest = RTD_BLACKHOLE;") == 1
    # A VIP that is withdrawn must not be found by the aggregate itself.
    assert "protocol static lvs_aggregates4 {\n    igp table lvs_single4;\n" in text
    assert f"    route {WHOLE} unreachable;\n" in text
    assert "protocol kernel lvs_ending4 {\n    metric 4294967295;\n" in text
    assert "lvs_aggregates6" not in text
    bird_takes(text, tmp_path)
    # What keepalived does, and the table of routes, is as without.
    for role in ("director", "keepalived"):
        assert model.plan("lb1", role) == with_two_vips().plan("lb1", role)


def test_without_aggregates_nothing_of_it_is_there() -> None:
    text = configuration(active())
    assert not [word for word in ("static", "pipe", "unreachable", "net.len") if word in text]


def test_an_aggregate_in_place_of_the_vips_in_it(tmp_path: Path) -> None:
    model = announcing(only(WHOLE), WHOLE6, graceful_shutdown=5)
    text = configuration(model)
    assert taken(text, 4) == WHOLE
    assert taken(text, 6) == f"{VIP6}/128, {WHOLE6}"
    # It has the community of RFC 8326 when all VIPs in it have.
    assert text.count("export where dest ~ [ RTD_BLACKHOLE, RTD_PROHIBIT ];") == 2
    bird_takes(text, tmp_path)


def test_a_router_takes_what_directors_announce_and_may_have_announced() -> None:
    """Routers are first in a run: what they do not take any more, nobody would have a way to until it is over."""
    text = configuration(announcing(only(WHOLE)), "router")
    assert taken(text, 4) == f"{VIP}/32, {WHOLE}"
    assert taken(text, 6) == f"{VIP6}/128"
    assert "static" not in text


def test_communities_of_its_own(tmp_path: Path) -> None:
    own = {"prefix": WHOLE, "communities": ["65001:200", "65001:1:200"]}
    model = announcing(own, WHOLE6, communities=["65535:65281"], med=20)
    text = configuration(model)
    _before, _filter, rest = text.partition("filter lvs_vips4 {\n")
    assert rest.partition("    accept;\n")[0].splitlines()[1:] == [
        "    bgp_med = 20;",
        f"    if ! (net ~ [ {WHOLE} ]) then bgp_community.add((65535, 65281));",
        f"    if net = {WHOLE} then bgp_community.add((65001, 200));",
        f"    if net = {WHOLE} then bgp_large_community.add((65001, 1, 200));",
    ]
    assert text.count("    bgp_community.add((65535, 65281));\n") == 1
    bird_takes(text, tmp_path)
    # None at all.
    assert (
        configuration(announcing({**own, "communities": []}, communities=["65001:1"])).count("bgp_community.add") == 2
    )


def test_who_has_a_protocol_kernel_already_keeps_it(tmp_path: Path) -> None:
    raw = "protocol kernel {\n    ipv4 { export all; };\n}\n"
    model = announcing(WHOLE, raw=raw)
    text = configuration(model)
    assert "lvs_ending" not in text
    bird_takes(text, tmp_path)
    (note,) = model.plan("lb1", "director")["notes"]
    assert note.startswith("lb1: lvs_bgp.raw: BIRD takes one protocol kernel for each table of the kernel")
    assert "lvs_ending4" in configuration(announcing(WHOLE, raw=f"# {raw.splitlines()[0]}\n/* include x */"))


@pytest.mark.parametrize(
    ("aggregates", "said"),
    [
        ([WHOLE, WHOLE6], []),
        # One VIP alone is as the aggregate is.
        ([only(WHOLE6)], []),
        (
            [only(WHOLE)],
            ["198.51.100.0/24 is announced as long as any of its 2 VIPs has its quorum: where a director has lost"],
        ),
        (
            [WHOLE, "10.0.0.0/16"],
            ["10.0.0.21 (lb1), 10.0.0.22 (lb2), 10.0.0.23 (lb3), 3 more in 10.0.0.0/16 are no VIPs: routers that have"],
        ),
    ],
)
def test_what_should_be_known(aggregates: list[Any], said: list[str]) -> None:
    model = with_two_vips(*aggregates)
    for name in model.groups["lvs_directors"]:
        model.hostvars[name]["lvs_services"][1]["address"] = "10.0.7.1" if "10.0.0.0/16" in aggregates else OTHER_VIP
    notes = model.plan("lb1", "director").get("notes", [])
    assert len(notes) == len(said), notes
    assert all(any(each in note for note in notes) for each in said), notes


# What verify says.


def test_what_is_asked() -> None:
    model = announcing(WHOLE, only(WHOLE6))
    site = site_of(model.hostvars, model.groups, [])
    assert bgp_findings.questions(site, "lb1") == {"table": 1819, "vips": [], "aggregates": [WHOLE, WHOLE6]}
    # A router is not asked for what nobody announces to it.
    assert bgp_findings.questions(site, "router") == {"table": None, "vips": [VIP], "aggregates": [WHOLE, WHOLE6]}


def answers() -> dict[str, Any]:
    """As well() has them, with an aggregate beside IPv4's VIP, and one in place of IPv6's."""
    found = well()
    for name in ("lb1", "lb2", "lb3"):
        found[name]["bgp"]["aggregates"] = [WHOLE, WHOLE6]
    ways = found["router"]["bgp"]["ways"]
    ways |= {WHOLE: list(ways[VIP]), WHOLE6: ways.pop(VIP6)}
    return found


def found(said: dict[str, Any], model: Model | None = None) -> list[tuple[str, str, str]]:
    model = model or announcing(WHOLE, only(WHOLE6))
    site = site_of(model.hostvars, model.groups, [])
    return [(each.degree, each.host, each.what) for each in bgp_findings.every(site, said)]


def test_nothing_is_found_where_all_is_well() -> None:
    assert found(answers()) == []


def test_an_aggregate_that_bird_does_not_announce() -> None:
    said = answers()
    said["lb1"]["bgp"]["aggregates"].remove(WHOLE)
    assert found(said) == [("at risk", "lb1", f"does not announce {WHOLE}, though it announces a VIP in it")]
    # Without a VIP that is right, and where it could not be looked at nobody knows.
    said["lb1"]["bgp"]["announced"] = []
    said["router"]["bgp"]["ways"] = {VIP: ["10.0.0.22", "10.0.0.23"]}
    said["lb2"]["bgp"]["aggregates"] = None
    assert found(said) == []


def test_a_router_that_does_not_take_an_aggregate() -> None:
    said = answers()
    del said["router"]["bgp"]["ways"][WHOLE][0]
    said["router"]["bgp"]["ways"][WHOLE6] = []
    assert found(said) == [
        ("at risk", "router", f"does not send to lb1 for {WHOLE}, which they announce to it"),
        ("at risk", "router", f"does not send to lb1, lb2, lb3 for {WHOLE6}, which they announce to it"),
    ]
    # Nobody announces it any more.
    for name in ("lb1", "lb2", "lb3"):
        said[name]["bgp"]["announced"].pop()
        said[name]["bgp"]["aggregates"].remove(WHOLE6)
    assert found(said)[1:] == [("broken", "router", f"has no route to {WHOLE6}")]


def test_a_director_that_announces_the_aggregate_alone_is_not_missed_for_the_vip() -> None:
    model = announcing(WHOLE, only(WHOLE6))
    model.hostvars["lb1"]["lvs_bgp"]["aggregates"][0] = only(WHOLE)
    said = answers()
    del said["router"]["bgp"]["ways"][VIP][0]
    assert found(said, model) == []


@pytest.mark.parametrize(
    ("aggregate", "degree", "effect"),
    [
        (WHOLE, "at risk", "Other directors have its clients, as long as this one does not announce the VIP."),
        (only(WHOLE), "broken", f"It announces {WHOLE} for other services, and refuses clients of this one"),
    ],
)
def test_a_vip_without_quorum_in_an_aggregate_that_stays(aggregate: Any, degree: str, effect: str) -> None:
    model = with_two_vips(aggregate)
    site = site_of(model.hostvars, model.groups, [])
    seen = {**table(), "timeouts": {}, "daemons": []}
    seen["services"].insert(1, {**copy.deepcopy(seen["services"][0]), "address": OTHER_VIP})
    whole = copy.deepcopy(seen)
    for each in seen["services"][0]["real_servers"]:
        each["weight"] = 0
    infos = {"lb1": seen, "lb2": whole, "lb3": whole}
    said = [each for each in pools_and_holders.of_tables(site, infos, {}, ()) if "no real server for new" in each.what]
    assert [(each.degree, each.host) for each in said] == [(degree, "lb1")]
    assert said[0].effect.startswith(effect)
    # With the other one gone as well, the aggregate is withdrawn.
    for each in seen["services"][1]["real_servers"]:
        each["weight"] = 0
    said = [each for each in pools_and_holders.of_tables(site, infos, {}, ()) if "no real server for new" in each.what]
    assert {each.degree for each in said} == {"at risk"}


def test_a_service_without_quorum_whose_vip_another_service_keeps() -> None:
    """A VIP has a route for each of its services, and is announced as long as there is one."""
    model = announcing()
    for name in model.groups["lvs_directors"]:
        services = model.hostvars[name]["lvs_services"]
        services.insert(1, {**copy.deepcopy(services[0]), "name": "tls", "port": 443})
    site = site_of(model.hostvars, model.groups, [])
    seen = {**table(), "timeouts": {}, "daemons": []}
    seen["services"].insert(1, {**copy.deepcopy(seen["services"][0]), "port": 443})
    whole = copy.deepcopy(seen)
    infos = {"lb1": seen, "lb2": whole, "lb3": whole}
    for position, degree in enumerate(("broken", "at risk")):
        for each in seen["services"][position]["real_servers"]:
            each["weight"] = 0
        said = [
            each for each in pools_and_holders.of_tables(site, infos, {}, ()) if "no real server for new" in each.what
        ]
        assert {(each.degree, each.host) for each in said} == {(degree, "lb1")}
        assert said[0].effect.startswith(f"It announces {VIP} for other services") == (degree == "broken")


def test_what_bird_says_of_aggregates(monkeypatch: pytest.MonkeyPatch) -> None:
    said = {WHOLE: (0, f"{WHOLE} blackhole"), WHOLE6: (1, "BIRD 2.0.12 ready.\nNetwork not found\n")}
    called: list[list[str]] = []

    def run(words: list[str]) -> tuple[int, str, str]:
        called.append(words[1:])
        status, output = said.get(words[4], (0, "")) if words[2:4] == ["show", "route"] else (0, "")
        return status, output, ""

    monkeypatch.setattr(bird_info, "_commands", SimpleNamespace(find=lambda name: name, run=run))
    monkeypatch.setattr(bird_info, "routes_of", lambda _table: [])
    monkeypatch.setattr(bird_info, "Daemon", lambda _name: SimpleNamespace(unit=lambda: None))
    asked = {"table": 1819, "vips": [], "aggregates": [WHOLE, WHOLE6]}
    unseen: list[str] = []
    assert bird_info.look(asked, unseen)["aggregates"] == [WHOLE]
    assert ["-r", "show", "route", WHOLE6, "table", "lvs6"] in called
    assert unseen == []
    said[WHOLE6] = (1, "Unable to connect to server control socket")
    assert bird_info.look(asked, unseen)["aggregates"] is None
    assert f"whether BIRD announces {WHOLE6}: birdc says: Unable to connect to server control socket" in unseen
