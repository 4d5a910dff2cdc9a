# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What clients try of services, by their health checks, and what verify says of how it ended."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import verifying
from ansible_collections.lvs.topology.tests.unit.topology.inventories import QUIET, Model, r1, r6

ENDED = {"connected": 0, "silent": 0, "failed": {}, "answered": 0, "unanswered": 0, "repeated": 0, "packets": {}}


def asked(protocol: str = "tcp", **check: Any) -> list[Any]:
    """The protocol and the question of each endpoint of a service with this check."""
    model = r1()
    model.service.update({"protocol": protocol, **({"health_check": check} if check else {})})
    return [(each["protocol"], each.get("question")) for each in verifying.endpoints_of(model.hostvars, model.groups)]


ROOT = {"kind": "http", "path": "/", "host": "192.168.246.160"}


@pytest.mark.parametrize(
    ("protocol", "check", "tried"),
    [
        ("tcp", {}, [("tcp", None)]),
        ("tcp", {"type": "tcp"}, [("tcp", None)]),
        ("tcp", {"type": "https"}, [("tcp", None)]),
        ("tcp", {"type": "http"}, [("tcp", ROOT), ("tcp", {**ROOT, "size": 8000})]),
        (
            "tcp",
            {"type": "http", "path": "/up", "virtual_host": "www.example.com"},
            [
                ("tcp", {"kind": "http", "path": "/up", "host": "www.example.com"}),
                ("tcp", {"kind": "http", "path": "/up", "host": "www.example.com", "size": 8000}),
            ],
        ),
        # On another port another program may listen.
        ("tcp", {"type": "http", "port": 8080}, [("tcp", None)]),
        ("udp", {}, []),
        ("udp", {"type": "dns"}, [("udp", {"kind": "dns", "query_type": "SOA"})]),
        (
            "udp",
            {"type": "dns", "name": "example.com", "query_type": "A"},
            [("udp", {"kind": "dns", "name": "example.com", "query_type": "A"})],
        ),
        ("udp", {"type": "udp", "payload": "0a"}, []),
        ("udp", {"type": "udp", "payload": "0a", "require_reply": True}, [("udp", {"kind": "bytes", "payload": "0a"})]),
        ("tcp", {"type": "dns"}, [("tcp", None)]),
    ],
)
def test_what_is_tried(protocol: str, check: dict[str, Any], tried: list[Any]) -> None:
    assert asked(protocol, **check) == tried


@pytest.mark.parametrize(("timeout", "patience"), [(None, 5), (0.5, 5), (7.2, 8), (3600, 60)])
def test_how_long_an_answer_is_waited_for(timeout: float | None, patience: int) -> None:
    model = r1()
    model.service["health_check"] = {"type": "http", **({"timeout": timeout} if timeout else {})}
    assert {each["patience"] for each in verifying.endpoints_of(model.hostvars, model.groups)} == {patience}


def found(model: Model, *endpoints: dict[str, Any]) -> dict[str, Any]:
    model.groups["lvs_clients"] = ["client"]
    model.hostvars["client"] = {}
    listening = [{"protocol": each, "address": "0.0.0.0", "port": 80} for each in ("tcp", "udp")]  # noqa: S104, as it says
    answers = {name: {**QUIET, "listeners": listening} for name in ("lb1", "web1", "web2")}
    return verifying.findings_of(model.hostvars, model.groups, answers, {"client": {"endpoints": list(endpoints)}})


def lines(model: Model, *endpoints: dict[str, Any]) -> list[str]:
    every = found(model, *endpoints)["findings"]
    return [f"{each['degree']}: {each['what']}" for each in every if each["host"] == "client"]


def ended(model: Model, question: dict[str, Any] | None = None, **how: Any) -> dict[str, Any]:
    where = {"name": "web", "address": model.service["address"], "port": 80, "protocol": "tcp"}
    return {**where, "connections": 4, "question": question, **ENDED, **how}


SHORT = {"kind": "http", "size": None}
LONG = {"kind": "http", "size": 8000}


def test_requests_that_get_no_answer() -> None:
    model, where = r1(), "web (192.168.246.160 port 80)"
    fine = ended(model, SHORT, connected=4, answered=4)
    assert lines(r1(), fine, ended(model, LONG, connected=4, answered=4)) == []
    assert lines(r1(), fine, ended(model, LONG, connected=4, answered=2, unanswered=2)) == [
        f"broken: 2 of 4 requests of 8000 bytes to {where} got no answer, and short ones did"
    ]
    # What does not answer at all says nothing of the size.
    mute = ended(model, SHORT, connected=4, answered=3, unanswered=1)
    assert lines(r1(), mute, ended(model, LONG, connected=4, unanswered=4)) == [
        f"broken: 1 of 4 requests to {where} got no answer, though connections came about"
    ]
    asked = ended(model, {"kind": "dns", "size": None}, silent=2, answered=2, protocol="udp")
    assert lines(r1(), asked) == [f"broken: 2 of 4 questions to {where} got no answer"]
    for repeated, degree in ((1, "worth knowing"), (2, "at risk")):
        asked = ended(model, {"kind": "dns", "size": None}, answered=4, repeated=repeated, protocol="udp")
        assert lines(r1(), asked) == [
            f"{degree}: {repeated} of 4 questions to {where} were answered only the second time"
        ]


@pytest.mark.parametrize(
    ("packets", "tunnel", "said"),
    [
        ({"1480": 4}, None, []),
        ({"1480": 2, "576": 2}, None, []),
        ({"1480": 2, "1500": 2}, None, ["2 of 4", "1500", "1480"]),
        # Where real servers are reached in several ways, the one with most room counts: nobody knows who answered.
        ({"1480": 4}, {"type": "gue", "port": 6080}, []),
        ({}, None, []),
        ({"x": 4, "-1": 2}, None, []),
    ],
)
def test_packets_that_do_not_fit_into_a_tunnel(packets: Any, tunnel: Any, said: list[str]) -> None:
    model = r6()
    if tunnel:
        model.service["real_servers"][0]["tunnel"] = tunnel
    told = lines(model, ended(model, connected=4, packets=packets))
    assert told == [
        f"at risk: on {count} connections to web (192.168.0.100 port 80) it would send packets of up to {most} bytes, "
        f"and {room} fit into the tunnel"
        for count, most, room in [said][: len(said) // 3]
    ]


def test_packets_that_go_through_no_tunnel() -> None:
    assert lines(r1(), ended(r1(), connected=4, packets={"9000": 4})) == []


def test_what_nobody_can_try() -> None:
    model = r1()
    model.service["protocol"] = "udp"
    (said,) = [each for each in found(model)["unseen"] if "tried" in each]
    assert said == "web: no client tried udp 192.168.246.160:80: no health check says what it answers by UDP"
