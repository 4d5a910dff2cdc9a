# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The forms of the ledger's entries are those that the planners write, and no other one reaches a planner."""

from __future__ import annotations

import importlib
import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils import _traces
from ansible_collections.lvs.topology.plugins.module_utils._daemons.daemon_plan import Files, Unit, note_of
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File
from ansible_collections.lvs.topology.plugins.module_utils._filter import packet_rules_plan
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import ensure_table, settings_plan
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import Timeouts
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import keepalived_plan, managers
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._ledger_forms import FORMS, problem_with
from ansible_collections.lvs.topology.plugins.module_utils._net import (
    address_plan,
    arp_filter_plan,
    gateway_plan,
    kmod_plan,
    neighbour_plan,
    source_route_plan,
    sysctl_plan,
    tunnel_plan,
)
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused
from hypothesis import given
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1]))
from ipvs.strategies import V4, V6, daemons, keys

UTILITIES = Path(__file__).parents[3] / "plugins/module_utils"
INTERFACE = st.sampled_from(["lo", "eth0", "eth0.100", "br-0123456789ab", "wg+x", "enp3s0f1np1"])
NUMBER = st.integers(0, 2**32 - 1)
VERSION = st.sampled_from([4, 6])


def _maybe(strategy: Any) -> Any:
    return st.none() | strategy


@st.composite
def routes(draw: Any) -> gateway_plan.Route:
    version = draw(VERSION)
    address = V4 if version == 4 else V6
    hop = st.builds(gateway_plan.Hop, _maybe(V4 | V6), INTERFACE, st.integers(1, 256))
    return gateway_plan.Route(
        version=version,
        metric=draw(NUMBER),
        gateway=draw(_maybe(address)),
        interface=draw(_maybe(INTERFACE)),
        protocol=draw(st.integers(0, 255)),
        scope=draw(st.sampled_from([0, 253])),
        source=draw(_maybe(address)),
        onlink=draw(st.booleans()),
        mtu=draw(_maybe(NUMBER)),
        hops=tuple(draw(st.lists(hop, max_size=2))),
        table=draw(_maybe(NUMBER)),
        advmss=draw(_maybe(NUMBER)),
        kind=draw(_maybe(st.sampled_from(["unreachable", "prohibit", "blackhole", "throw"]))),
        metrics=tuple(draw(st.lists(st.tuples(st.sampled_from(["rtt", "window"]), NUMBER), max_size=2))),
    )


@st.composite
def packet_rules(draw: Any) -> packet_rules_plan.Rule:
    address = draw(st.sampled_from([V4, V6]))
    family = 4 if address is V4 else 6
    protocol = draw(st.sampled_from(["tcp", "udp", "sctp"]))
    if draw(st.booleans()):
        ports = tuple(sorted(draw(st.tuples(st.integers(0, 65535), st.integers(0, 65535)))))
        return packet_rules_plan.Mark(family, draw(address), protocol, ports, draw(NUMBER))
    service = draw(st.integers(1, 2**32 - 1) | st.tuples(st.just(protocol), address, st.integers(0, 65535)))
    to = tuple(draw(st.lists(address, min_size=1, max_size=3, unique=True)))
    return packet_rules_plan.SourceNat(family, service, draw(_maybe(address)), to)


LINKS = st.builds(
    tunnel_plan.Link, INTERFACE, st.sampled_from(sorted(tunnel_plan.FALLBACKS)), _maybe(V4 | V6), st.booleans()
)
ENDS = LINKS | st.builds(tunnel_plan.Port, st.integers(1, 65535), VERSION)
HELD = st.builds(
    address_plan.Held, V4, st.integers(0, 32), INTERFACE, _maybe(st.just("lo:vip")), st.booleans()
) | st.builds(address_plan.Held, V6, st.integers(0, 128), INTERFACE, st.none(), st.booleans())
FILTERS = st.builds(arp_filter_plan.rules_of, V4, V4, _maybe(INTERFACE)).flatmap(st.sampled_from)
REDIRECTS = sysctl_plan._REDIRECTS
# Kind, key, and what the ledger notes of what was there before, all as the planners write them.
ENTRIES = st.one_of(
    st.tuples(st.just("module"), st.sampled_from(["ip_vs", "ip_vs_wlc"]), st.just("loaded")),
    st.tuples(
        st.just("sysctl"),
        st.sampled_from(["net.ipv4.vs.conntrack", "net.ipv4.conf.eth0/100.rp_filter", "net.ipv4.ip_forward"]),
        st.sampled_from(["0", "4096\t16384", {"value": "0", REDIRECTS: "1"}]),
    ).map(lambda entry: (*entry[:2], sysctl_plan.normal(entry[2]) if isinstance(entry[2], str) else entry[2])),
    HELD.map(lambda held: ("address", held.key, held.state)),
    routes().map(lambda route: ("gateway", route.key, route.state)),
    st.builds(neighbour_plan.Neighbour, V4 | V6, INTERFACE, st.just("02:00:00:00:00:01")).map(
        lambda one: ("neighbour", one.key, one.lladdr)
    ),
    st.builds(source_route_plan.Rule, V4 | V6, st.integers(10536, 75475)).map(
        lambda rule: ("source_route", rule.key, rule.table)
    ),
    ENDS.map(lambda end: ("tunnel", end.key, end.state)),
    FILTERS.map(lambda rule: ("arp_filter", rule, True)),
    packet_rules().map(lambda rule: ("packet_rule", packet_rules_plan.words(rule), None)),
    st.tuples(st.just("timeout"), st.sampled_from(["tcp", "tcpfin", "udp"]), st.integers(0, 2**31 // 250)),
    daemons().map(lambda daemon: ("sync_daemon", daemon.state, dict(vars(daemon)))),
    keys().map(lambda key: ("service", str(key), None)),
    st.tuples(
        st.just("keepalived_config"),
        st.just("/etc/keepalived/keepalived.conf"),
        st.sampled_from(
            [
                {"text": "# \udcdcbergabe\n", "mode": 0o640},
                note_of("/etc/keepalived/keepalived.conf", File("", 0o644)),
            ]
        ),
    ),
    st.tuples(st.just("keepalived_unit"), st.just("keepalived.service"), st.just({"enabled": True, "active": False})),
)


@given(st.lists(st.tuples(ENTRIES, st.booleans()), max_size=6))
def test_what_the_planners_write_is_not_called_damaged(entries: list[Any]) -> None:
    ledger = Ledger()
    for (kind, key, was), nothing in entries:
        ledger = ledger.claim(kind, key, "director", None if nothing else was)
    again = Ledger.from_json(ledger.to_json())
    assert not again.damage()
    assert again.to_json() == ledger.to_json()


def test_every_kind_has_a_form_and_every_form_a_kind() -> None:
    named = set()
    for path in UTILITIES.rglob("*.py"):
        name = "ansible_collections.lvs.topology.plugins.module_utils." + ".".join(
            path.relative_to(UTILITIES).with_suffix("").parts
        )
        module = importlib.import_module(name)
        names = [each for each in vars(module) if each == "KIND" or each.endswith("_KIND")]
        named |= {kind for kind in map(vars(module).get, names) if isinstance(kind, str)}
    assert named == set(FORMS)
    assert {trace.kind for trace in _traces.TRACES.values() if trace.kind} <= named


def test_every_field_of_a_route_may_be_noted() -> None:
    samples: dict[str, Any] = {
        "version": 6, "destination": "fd00::", "length": 64, "metric": 1, "gateway": "fd00::1", "interface": "eth0",
        "protocol": 3, "scope": 253, "source": "fd00::2", "onlink": True, "mtu": 1400,
        "hops": (gateway_plan.Hop("fd00::3", "eth1", 1),), "table": 7, "advmss": 1300, "kind": "throw",
        "metrics": (("rtt", 1),),
    }  # fmt: skip
    assert set(samples) == {field.name for field in fields(gateway_plan.Route)}
    state = json.loads(json.dumps(gateway_plan.Route(**samples).state))
    assert set(state) == set(samples)
    assert problem_with("gateway", "ipv6 default metric 1", state) is None
    assert gateway_plan.Route.from_state(state) == gateway_plan.Route(**samples)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@st.composite
def damaged_texts(draw: Any) -> str:
    """A ledger as the planners write it, with one to three places that somebody else wrote."""
    ledger = Ledger()
    for kind, key, was in draw(st.lists(ENTRIES, min_size=1, max_size=6)):
        ledger = ledger.claim(kind, key, "director", was if draw(st.booleans()) else None)
    data: Any = json.loads(ledger.to_json())
    for _number in range(draw(st.integers(1, 3))):
        place: Any = data
        while isinstance(place, (dict, list)) and place:
            index = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
            if not isinstance(place[index], (dict, list)) or draw(st.integers(0, 3)) == 0:
                break
            place = place[index]
        if not place:
            continue
        how = draw(st.sampled_from(["replace", "remove", "rename"]))
        if how == "replace" or isinstance(place, list):
            place[index] = draw(JSON)
        else:
            content = place.pop(index)
            if how == "rename":
                place[draw(st.text(max_size=8) | st.sampled_from([f"{index} ", str(index)[:-1]]))] = content
    text = json.dumps(data)
    if draw(st.integers(0, 4)) == 0:
        position = draw(st.integers(0, len(text)))
        text = text[:position] + draw(st.text(max_size=3)) + text[position + draw(st.integers(0, 3)) :]
    return text


def _put_back_everything(ledger: Ledger) -> Ledger:
    """What a teardown plans of every kind, on a host where everything that is noted is there or nothing is."""
    gone: dict[str, Any] = {"present": False, "purge": False}
    owner = "director"
    settlements: list[Any] = []
    held = []
    for key in ledger.owned("address", owner):
        place, _dev, interface = key.partition(" dev ")
        held.append(address_plan.Held(place.split("/")[0], int(place.split("/")[1]), interface))
    for current in ([], held):
        settlements.append(address_plan.plan_addresses(ledger, owner, current, None, **gone)[-1])
    settlements.append(gateway_plan.plan_gateways(ledger, owner, {"eth0"}, [], None, **gone)[1])
    entries = [
        neighbour_plan.Neighbour(*key.split(" dev "), "02:00:00:00:00:09") for key in ledger.owned("neighbour", owner)
    ]
    settlements.append(neighbour_plan.plan_neighbours(ledger, owner, entries, None, **gone)[-1])
    settlements.append(source_route_plan.plan_source_routes(ledger, owner, [], [], [], None, **gone)[-1])
    ends: dict[str, Any] = {"dev tunl0": tunnel_plan.Link("tunl0", "ipip")}
    settlements.append(tunnel_plan.plan_tunnels(ledger, owner, ends, None, **gone)[-1])
    settlements.append(
        arp_filter_plan.plan_filters(ledger, owner, list(ledger.owned("arp_filter", owner)), None, **gone)[-1]
    )
    settlements.append(packet_rules_plan.plan_rules(ledger, owner, None, **gone)[-1])
    # With purge, those that stay are read back as rules.
    packet_rules_plan.plan_rules(ledger, owner, [], present=True, purge=False)
    settlements.append(kmod_plan.plan_modules(ledger, owner, {}, None, **gone)[1])
    settlements.append(settings_plan.plan_timeouts(ledger, owner, Timeouts(900, 120, 300), {}, **gone)[1])
    settlements.append(settings_plan.plan_daemons(ledger, owner, {"eth0"}, [], None, **gone)[1])
    owned = set(ledger.owned("sysctl", owner))
    current = {**dict.fromkeys(owned, "7"), REDIRECTS: "1"}
    settlements.append(
        sysctl_plan.plan_sysctls(ledger, owner, current, {}, owned, None, "/etc/sysctl.d/x.conf", None, None)[1]
    )
    for settlement in settlements:
        for kind, key in set(ledger.claims) - set(settlement.settled.claims):
            ledger = ledger.release(kind, key, owner)[0]
    ledger, _unwanted = ensure_table._let_go(ledger, owner, (), present=False)
    files = Files(None, 0.0, File("", 0o600), {keepalived_plan.DROP_IN: None}, 1.0)
    for path in ledger.owned("keepalived_config", owner):
        unit = Unit(enabled=True, active=True, failed=False, read=0.0)
        ledger = keepalived_plan.plan_absent(ledger, owner, path, files, unit, leave=False).settled
    managers.managed_by(ledger, owner)
    _traces.traces(ledger, owner)
    return ledger


@given(damaged_texts())
def test_no_damage_ends_in_a_traceback_and_the_rest_is_put_back(text: str) -> None:
    try:
        ledger = Ledger.from_json(text)
    except ValueError:
        return
    left = _put_back_everything(ledger)
    assert left.damaged == ledger.damaged
    others = {place for place, claim in ledger.claims.items() if "director" not in claim.owners}
    units = {place for place in left.claims if place[0] == "keepalived_unit"}
    assert {place for place, claim in left.claims.items() if "director" in claim.owners} <= units
    assert others <= set(left.claims)
    # What is left is written, and read again as it was.
    assert Ledger.from_json(left.to_json()) == left
    for kind, key in ledger.damaged:
        with pytest.raises(Refused):
            left.claim(kind, "anything" if key is None else key, "director")


@pytest.mark.parametrize(
    ("kind", "key", "was"),
    [
        ("gateway", "ipv4 default metric 0", {"version": 4, "protocol": 256}),
        ("gateway", "ipv4 default metric 0", {"version": 4, "scope": 256}),
        ("gateway", "ipv4 default metric 0", {"version": 4, "length": 129}),
        (
            "gateway",
            "ipv4 default metric 0",
            {"version": 4, "hops": [{"gateway": None, "interface": "a", "weight": 0}]},
        ),
        ("sync_daemon", "master", {"state": "master", "interface": "eth0", "group": "224.0.0"}),
        *[
            ("sync_daemon", "master", {"state": "master", "interface": "eth0", name: 2**16})
            for name in ("syncid", "maxlen", "port", "ttl")
        ],
    ],
)
def test_what_no_message_to_the_kernel_can_say_is_damaged(kind: str, key: str, was: dict[str, Any]) -> None:
    assert problem_with(kind, key, was) == f"what was there before does not have the form that is noted of a {kind}"
