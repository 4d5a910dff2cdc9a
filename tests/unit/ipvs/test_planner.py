# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The planner as tables: what is, what is wanted, and the changes in their order."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import options, save_parser
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    DestinationKey,
    Entry,
    ServiceKey,
    WantedDestination,
    WantedService,
)
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.planner import Purge, Request, plan_table, unmanaged
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest
from hypothesis import given
from hypothesis import strategies as st

from .strategies import accepted_tables, tables


def plan(before: str, services: list[dict[str, Any]], scopes: tuple[str, ...] = ("real_servers",), **more: Any):
    mistakes = Mistakes()
    request = Request(
        wanted=options.wanted_services(services, "services", mistakes),
        purge=options.purge(scopes, mistakes),
        **more,
    )
    mistakes.raise_if_any()
    return plan_table(save_parser.parse(before), request)


def lines(outcome) -> list[str]:
    return [change.line.replace("ipvsadm ", "", 1) for change in outcome.plan.changes]


WEB = {"address": "10.0.0.1", "port": 80}
MARK = {"fwmark": 5}
FULL = "-A -t 10.0.0.1:80 -s sh -p 60 -M 255.255.0.0 --pe sip -b sh-port"
REAL = "-a -t 10.0.0.1:80 -r 10.0.0.2:80"

SERVICES = [
    ("", WEB, ["-A -t 10.0.0.1:80 -s wlc"]),
    (FULL, WEB, []),
    (FULL, {**WEB, "scheduler": "sh", "scheduler_flags": ["sh-port"]}, []),
    (FULL, {**WEB, "scheduler_flags": []}, ["-E -t 10.0.0.1:80 -s sh -p 60 -M 255.255.0.0 --pe sip"]),
    (FULL, {**WEB, "scheduler": "rr"}, ["-E -t 10.0.0.1:80 -s rr -p 60 -M 255.255.0.0 --pe sip"]),
    (FULL, {**WEB, "persistence": {}}, []),
    (FULL, {**WEB, "persistence": {"timeout": 0}}, ["-E -t 10.0.0.1:80 -s sh -b sh-port"]),
    (FULL, {**WEB, "persistence": {"engine": "none"}}, ["-E -t 10.0.0.1:80 -s sh -p 60 -M 255.255.0.0 -b sh-port"]),
    ("-A -t 10.0.0.1:80 -s rr", {**WEB, "persistence": {"timeout": 0}}, []),
    ("-A -t 10.0.0.1:80 -s rr", {**WEB, "persistence": {"timeout": 0, "engine": "none"}}, []),
    ("-A -t 10.0.0.1:80 -s rr", {**WEB, "persistence": {}}, ["-E -t 10.0.0.1:80 -s rr -p 300"]),
    # An engine without persistence, which only ipvsadm makes, means nothing.
    ("-A -t 10.0.0.1:80 -s rr --pe sip", {**WEB, "persistence": {}}, ["-E -t 10.0.0.1:80 -s rr -p 300"]),
    ("-A -t 10.0.0.1:80 -s rr --pe sip", {**WEB, "persistence": {"timeout": 0}}, ["-E -t 10.0.0.1:80 -s rr"]),
    ("", MARK, ["-A -f 5 -s wlc"]),
    (
        "-A -f 5 -6 -s wlc",
        {**MARK, "family": "ipv6", "persistence": {"netmask": "64"}},
        ["-E -f 5 -6 -s wlc -p 300 -M 64"],
    ),
    ("", {**MARK, "one_packet": True}, ["-A -f 5 -s wlc -o"]),
    # Made by something else; a task that does not speak of it does not mind.
    ("-A -t 10.0.0.1:0 -s wlc -o", {"address": "10.0.0.1", "port": 0}, []),
]


@pytest.mark.parametrize(("before", "service", "changes"), SERVICES)
def test_services(before: str, service: dict[str, Any], changes: list[str]) -> None:
    assert lines(plan(before, [service])) == changes


GUE = f"{REAL} -i -w 1 --tun-type gue --tun-port 5555 --tun-csum"
EDIT = "-e -t 10.0.0.1:80 -r 10.0.0.2:80"
REAL_SERVERS = [
    ("", {}, [f"{REAL} -g -w 1"]),
    (f"{REAL} -m -w 3 -x 9 -y 4", {}, []),
    (f"{REAL} -m -w 3 -x 9 -y 4", {"weight": 0}, [f"{EDIT} -m -w 0 -x 9 -y 4"]),
    (f"{REAL} -m -w 3 -x 9 -y 4", {"upper_threshold": 0, "lower_threshold": 0}, [f"{EDIT} -m -w 3"]),
    (GUE, {}, []),
    (GUE, {"tunnel": {}}, []),
    (GUE, {"tunnel": {"port": 6}}, [f"{EDIT} -i -w 1 --tun-type gue --tun-port 6 --tun-csum"]),
    (GUE, {"tunnel": {"type": "gre"}}, [f"{EDIT} -i -w 1 --tun-type gre --tun-nocsum"]),
    (GUE, {"tunnel": {"type": "ipip"}}, [f"{EDIT} -i -w 1 --tun-type ipip"]),
    (GUE, {"forward": "nat"}, [f"{EDIT} -m -w 1"]),
]


@pytest.mark.parametrize(("before", "real", "changes"), REAL_SERVERS)
def test_real_servers(before: str, real: dict[str, Any], changes: list[str]) -> None:
    table = "-A -t 10.0.0.1:80 -s wlc\n" + before
    assert lines(plan(table, [{**WEB, "real_servers": [{"address": "10.0.0.2", **real}]}])) == changes


BEFORE = """
-A -t 10.0.0.1:80 -s wlc
-a -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 4
-a -t 10.0.0.1:80 -r 10.0.0.3:80 -g -w 4
-A -t 10.1.0.1:80 -s wlc
-A -t [fd00::1]:80 -s wlc
-A -f 5 -s wlc
-A -f 5 -6 -s wlc
"""
REMOVED = "-d -t 10.0.0.1:80 -r 10.0.0.3:80"
SCOPES = [
    ((), []),
    (("real_servers",), [REMOVED]),
    (("10.0.0.0/8",), ["-D -t 10.1.0.1:80"]),
    (("::/0", "real_servers"), [REMOVED, "-D -t [fd00::1]:80"]),
    (("10.1.0.1",), ["-D -t 10.1.0.1:80"]),
    (("fwmark",), ["-D -f 5", "-D -f 5 -6"]),
    (("all",), ["-D -t 10.1.0.1:80", "-D -t [fd00::1]:80", "-D -f 5", "-D -f 5 -6"]),
]


@pytest.mark.parametrize(("scopes", "changes"), SCOPES)
def test_purge(scopes: tuple[str, ...], changes: list[str]) -> None:
    wanted = [{**WEB, "real_servers": [{"address": "10.0.0.2"}]}]
    assert lines(plan(BEFORE, wanted, scopes)) == changes


def test_purge_spares_what_somebody_claims() -> None:
    mark = ServiceKey("ipv4", fwmark=5)
    assert lines(plan(BEFORE, [], ("fwmark",), claimed=frozenset({mark}))) == ["-D -f 5 -6"]
    assert lines(plan(BEFORE, [], (), unwanted=frozenset({mark, ServiceKey("ipv4", fwmark=6)}))) == ["-D -f 5"]


def test_order_and_texts() -> None:
    outcome = plan(
        BEFORE,
        [
            {"address": "10.9.0.1", "port": 80, "real_servers": [{"address": "10.0.0.9"}]},
            {**WEB, "real_servers": [{"address": "10.0.0.4"}]},
        ],
        ("real_servers", "fwmark"),
    )
    assert lines(outcome) == [
        "-a -t 10.0.0.1:80 -r 10.0.0.4:80 -g -w 1",
        "-A -t 10.9.0.1:80 -s wlc",
        "-a -t 10.9.0.1:80 -r 10.0.0.9:80 -g -w 1",
        "-d -t 10.0.0.1:80 -r 10.0.0.2:80",
        "-d -t 10.0.0.1:80 -r 10.0.0.3:80",
        "-D -f 5",
        "-D -f 5 -6",
    ]
    # Only the services that are touched.
    assert outcome.plan.before == (
        "-A -t 10.0.0.1:80 -s wlc",
        "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 4",
        "-a -t 10.0.0.1:80 -r 10.0.0.3:80 -g -w 4",
        "-A -f 5 -s wlc",
        "-A -f 5 -6 -s wlc",
    )
    assert outcome.plan.after == (
        "-A -t 10.0.0.1:80 -s wlc",
        "-a -t 10.0.0.1:80 -r 10.0.0.4:80 -g -w 1",
        "-A -t 10.9.0.1:80 -s wlc",
        "-a -t 10.9.0.1:80 -r 10.0.0.9:80 -g -w 1",
    )
    assert unmanaged(outcome.after, set()) == [
        "-A -t 10.0.0.1:80 -s wlc",
        "-A -t 10.1.0.1:80 -s wlc",
        "-A -t 10.9.0.1:80 -s wlc",
        "-A -t [fd00::1]:80 -s wlc",
    ]


def test_keep_weights() -> None:
    wanted = [
        {
            **WEB,
            "real_servers": [
                {"address": "10.0.0.2", "weight": 1, "forward": "nat"},
                {"address": "10.0.0.4", "weight": 2},
            ],
        }
    ]
    assert lines(plan(BEFORE, wanted, (), keep_weights=True)) == [
        "-e -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 4",
        "-a -t 10.0.0.1:80 -r 10.0.0.4:80 -g -w 2",
    ]


def test_a_mark_takes_any_port_and_keeps_the_packets_own() -> None:
    wanted = [
        {**MARK, "real_servers": [{"address": "10.0.0.2"}, {"address": "10.0.0.2", "port": 99, "forward": "nat"}]}
    ]
    assert lines(plan("-A -f 5 -s wlc", wanted)) == ["-a -f 5 -r 10.0.0.2:0 -g -w 1", "-a -f 5 -r 10.0.0.2:99 -m -w 1"]


def test_addresses_are_compared_not_their_spelling() -> None:
    table = "-A -t [fd00::1]:80 -s wlc\n-a -t [fd00::1]:80 -r [fd00::2]:80 -g -w 1"
    wanted = [{"address": "FD00:0:0::0001", "port": 80, "real_servers": [{"address": "fd00:0::2"}]}]
    assert lines(plan(table, wanted)) == []


def test_all_mistakes_are_reported_together() -> None:
    with pytest.raises(BadRequest) as caught:
        plan(
            "",
            [
                {**WEB, "one_packet": True, "real_servers": [{"address": "10.0.0.2", "port": 8080}]},
                {"address": "10.0.0.2", "port": 0, "scheduler_flags": ["mh-port"]},
            ],
        )
    text = str(caught.value)
    assert text.startswith("4 mistakes:")
    for path in (
        "services[0].one_packet: ",
        "services[0].real_servers[0].port: ",
        "services[1].port: ",
        "services[1].scheduler_flags: ",
    ):
        assert path in text


def tunnel_of(real):
    return (real.tunnel, real.tunnel_port, real.checksum) if real.forward == "tun" else (None, None, None)


def wanted_of(entry: Entry) -> WantedService:
    """A task that says everything about a service, as far as its scheduler has words for it."""
    service = entry.service
    return WantedService(
        service.key,
        "",
        scheduler=service.scheduler,
        persistent=bool(service.timeout),
        timeout=service.timeout,
        netmask=service.netmask,
        engine=service.engine,
        destinations=tuple(
            WantedDestination(each.key, "", each.forward, each.weight, each.upper, each.lower, *tunnel_of(each))
            for each in entry.destinations.values()
        ),
    )


def carry_out(table, actions):
    """What the kernel does; a KeyError or an assertion where it would refuse."""
    services = {key: entry.service for key, entry in table.items()}
    reals = {key: dict(entry.destinations) for key, entry in table.items()}
    for action in actions:
        key, real = action.service.key, action.destination
        if real is None:
            assert (key in services) == (action.verb != "add")
            if action.verb == "delete":
                del services[key], reals[key]
            else:
                services[key] = action.service
                reals.setdefault(key, {})
        else:
            assert (real.key in reals[key]) == (action.verb != "add")
            if action.verb == "delete":
                del reals[key][real.key]
            else:
                reals[key][real.key] = real
    return {key: Entry(service, reals[key]) for key, service in services.items()}


@given(accepted_tables(), accepted_tables(), st.booleans(), st.booleans())
def test_carrying_out_the_plan_gives_what_it_says(current, other, purge: bool, everything: bool) -> None:
    """Whatever is and is wanted: the changes lead to what is promised, additions first, and nothing is left to do."""
    request = Request(
        wanted=tuple(wanted_of(entry) for entry in other.values()),
        purge=Purge(real_servers=purge, everything=everything),
    )
    outcome = plan_table(current, request)
    actions = [change.action for change in outcome.plan.changes]
    assert carry_out(current, actions) == outcome.after
    for key, entry in other.items():
        known = current[key].service.flags if key in current else frozenset()
        assert replace(outcome.after[key].service, flags=known, one_packet=False, netmask=0) == replace(
            entry.service, flags=known, one_packet=False, netmask=0
        )
        found = outcome.after[key].destinations
        assert {real: found[real] for real in entry.destinations} == entry.destinations
        assert len(found) == len(entry.destinations) or not purge
    deletions = [action.verb == "delete" for action in actions]
    assert deletions == sorted(deletions)
    assert plan_table(outcome.after, request).plan.changes == ()


@given(tables())
def test_nothing_to_do(table) -> None:
    outcome = plan_table(table, Request())
    assert outcome.plan.changes == ()
    assert outcome.after == table
    assert all(isinstance(entry, Entry) for entry in outcome.after.values())


QUIESCED = [
    # What there is, whether it is removed as well, and the changes.
    (
        f"{REAL} -m -w 5 -x 10 -y 7",
        True,
        ["-e -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 0 -x 10 -y 7", "-d -t 10.0.0.1:80 -r 10.0.0.2:80"],
    ),
    (f"{REAL} -g -w 5", False, ["-e -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 0"]),
    (f"{REAL} -g -w 0", True, ["-d -t 10.0.0.1:80 -r 10.0.0.2:80"]),
    (f"{REAL} -g -w 0", False, []),
    ("-a -t 10.0.0.1:80 -r 10.0.0.3:80 -g -w 1", True, []),
]


@pytest.mark.parametrize(("real_server", "remove", "changes"), QUIESCED)
def test_quiesced_before_it_is_removed(real_server: str, remove: bool, changes: list[str]) -> None:
    current = save_parser.parse(f"-A -t 10.0.0.1:80 -s rr\n{real_server}")
    which = (ServiceKey("ipv4", "tcp", "10.0.0.1", 80), DestinationKey("10.0.0.2", 80))
    outcome = plan_table(current, Request(weighed=((*which, 0),), unwanted_destinations=(which,) if remove else ()))
    assert lines(outcome) == changes
    (entry,) = outcome.after.values()
    there = entry.destinations.get(DestinationKey("10.0.0.2", 80))
    assert there is None if remove else there is not None
    assert not (there and there.weight)


WEIGHED = [
    (f"{REAL} -m -w 0 -x 10 -y 7", ["-e -t 10.0.0.1:80 -r 10.0.0.2:80 -m -w 3 -x 10 -y 7"]),
    (f"{REAL} -g -w 3", []),
    ("-a -t 10.0.0.1:80 -r 10.0.0.3:80 -g -w 0", []),
]


@pytest.mark.parametrize(("real_server", "changes"), WEIGHED)
def test_a_weight_for_one_that_is_there(real_server: str, changes: list[str]) -> None:
    current = save_parser.parse(f"-A -t 10.0.0.1:80 -s rr\n{real_server}")
    meant = (ServiceKey("ipv4", "tcp", "10.0.0.1", 80), DestinationKey("10.0.0.2", 80), 3)
    assert lines(plan_table(current, Request(weighed=(meant,)))) == changes
    assert lines(plan_table({}, Request(weighed=(meant,)))) == []
