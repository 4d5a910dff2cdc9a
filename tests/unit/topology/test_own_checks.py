# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health checks of single real servers, several of them, what an answer must contain, and where a check goes."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import Given
from ansible_collections.lvs.topology.plugins.plugin_utils._import.moving_in import imported
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.config_text import quoted
from ansible_collections.lvs.topology.tests.unit.topology import real_tools
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, r5

TCP, PING = {"type": "tcp"}, {"type": "ping", "interval": 10}


def changed(real_server: dict[str, Any] | None = None, **service: Any) -> Model:
    """The pair, with other keys of its service, and of the first real server."""
    model = r5()
    for director in ("lb1", "lb2"):
        first = model.hostvars[director]["lvs_services"][0]
        first.update(copy.deepcopy(service))
        first["real_servers"][0].update(copy.deepcopy(real_server or {}))
        model.hostvars[director]["lvs_keepalived"] = {"script_user": "nobody"}
    return model


def text_of(model: Model) -> str:
    """keepalived.conf, which keepalived itself has taken."""
    assert model.mistakes() == []
    plan = model.plan("lb1", "keepalived")
    if real_tools.why_not("keepalived") is None:
        assert real_tools.keepalived_refuses(plan) is None
    return real_tools.rendered(plan)


def of_server(text: str, number: int) -> str:
    """The block of one real server."""
    return text.split("    real_server ")[number + 1]


def test_several_checks_of_which_one_is_seldom() -> None:
    text = text_of(changed(health_check=[TCP, PING]))
    for number in (0, 1):
        block = of_server(text, number)
        assert "TCP_CHECK {\n            retry 1\n" in block
        assert "PING_CHECK {\n            delay_loop 10\n            retry 1\n" in block
    assert text.count("\n    delay_loop 3\n") == 1


def test_a_real_server_with_checks_of_its_own_and_one_with_none() -> None:
    text = text_of(changed({"health_check": [TCP, PING]}, health_check={"type": "smtp", "port": 25}))
    kinds = [re.findall(r"\b[A-Z]+_CHECK", of_server(text, number)) for number in (0, 1)]
    assert kinds == [["TCP_CHECK", "PING_CHECK"], ["SMTP_CHECK"]]
    assert "_CHECK" not in of_server(text_of(changed({"health_check": []}, health_check=TCP)), 0)


def test_warmup_of_one_check_is_not_that_of_the_others() -> None:
    text = text_of(changed({"health_check": PING}, health_check={"type": "tcp", "warmup": 0}))
    assert "\n    warmup 0\n" in text
    assert "            warmup 10\n" in of_server(text, 0)


def sent_from(model: Model, *sources: str) -> Model:
    """The first services' checks come from these addresses; from the directors' own without any."""
    for position, director in enumerate(("lb1", "lb2")):
        check = model.hostvars[director]["lvs_services"][0]["health_check"]
        check["source"] = sources[position] if sources else model.hostvars[director]["lvs_address"]
    return model


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        # As it is where both have one list of services in their group's variables.
        (("10.0.0.11", "10.0.0.11"), ["10.0.0.11 is not an address of the director lb2"]),
        (("9.9.9.9", "10.0.0.12"), ["9.9.9.9 is not an address of the director lb1"]),
        # The VIP, and what moves with it.
        (("192.168.0.29", "10.0.0.12"), ["lb1 has 192.168.0.29 only while it is the master"]),
        (("10.0.0.11", "10.0.0.29"), ["lb2 has 10.0.0.29 only while it is the master"]),
    ],
)
def test_a_check_comes_from_an_address_that_its_director_always_has(sources: tuple[str, str], said: list[str]) -> None:
    model = sent_from(changed(health_check=TCP), *sources)
    assert [line.partition("source: ")[2].partition(",")[0] for line in model.mistakes() if "source" in line] == said
    for director in ("lb1", "lb2"):
        del model.hostvars[director]["ansible_facts"]
    assert not [line for line in model.mistakes() if "source" in line]


def test_a_director_without_a_partner_always_has_its_vip() -> None:
    model = changed(health_check={**TCP, "source": "192.168.0.29"})
    model.groups["lvs_directors"] = ["lb1"]
    assert not [line for line in model.mistakes() if "source" in line]


def test_an_address_that_is_translated_is_not_the_directors() -> None:
    model = changed(health_check=[PING, {**TCP, "source": "203.0.113.5"}])
    model.hostvars["lb1"].pop("lvs_address")
    model.hostvars["lb1"]["ansible_host"] = "203.0.113.5"
    (line,) = [line for line in model.mistakes() if "director lb1" in line]
    assert ".health_check[1].source: 203.0.113.5 is not an address of the director lb1" in line


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("10.0.0.11", None),
        ("9.9.9.9", "9.9.9.9 is not an address of the director lb1, so no advert is sent from there"),
        ("10.0.0.29", "lb1 has 10.0.0.29 only while it is the master, and otherwise no advert is sent from there"),
    ],
)
def test_unicast_adverts_come_from_an_address_of_ones_own(source: str, said: str | None) -> None:
    model = r5()
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_vrrp"]["unicast"] = True
    model.hostvars["lb1"]["lvs_vrrp"]["unicast_source"] = source
    found = [line for line in model.mistakes() if "unicast_source" in line]
    assert [line.rpartition("; ")[0].partition("unicast_source: ")[2] for line in found] == (
        [] if said is None else [said]
    )


def test_adverts_on_lo_are_heard_by_nobody() -> None:
    model = r5()
    model.hostvars["lb1"]["lvs_vrrp"]["interface"] = "lo"
    assert [line for line in model.mistakes() if "lvs_vrrp.interface: is lo, where no partner hears adverts" in line]


@pytest.mark.parametrize(
    ("inhibits", "own", "is_refused"),
    [(True, None, True), (False, True, True), (True, False, False), (False, None, False)],
)
def test_who_says_sorry_and_serves_too(inhibits: bool, own: bool | None, is_refused: bool) -> None:
    watch = {} if own is None else {"inhibit_on_failure": own}
    sorry = {"host": "app1", "port": 80}
    model = changed(watch, health_check=TCP, sorry_server=sorry, inhibit_on_failure=inhibits)
    said = "sorry_server: is app1 (10.0.0.51), a real server that inhibit_on_failure keeps in the table"
    assert bool([line for line in model.mistakes() if said in line]) is is_refused
    if not is_refused:
        text_of(model)


def test_where_a_check_goes_and_comes_from() -> None:
    way = {"address": "10.0.0.77", "port": 81, "source_port": 4000, "fwmark": 7}
    own = changed().hostvars["lb1"]["lvs_address"]
    expected = ["connect_ip 10.0.0.77", "connect_port 81", f"bindto {own}", "bind_port 4000", "fwmark 7"]
    text = of_server(text_of(sent_from(changed(health_check={**TCP, **way}))), 0)
    assert "\n".join(f"            {line}" for line in expected) in text


@pytest.mark.parametrize(
    ("check", "daemon", "said"),
    [
        ({"type": "http", "status": [*range(100, 600)]}, {}, "health_check.status: is longer than a line"),
        ({"type": "mysql", "login": "a"}, {"plugins": f"/{'a' * 255}"}, "lvs_keepalived.plugins (lb1, lb2): has 256"),
        ({"type": "file", "path": f"/{'a' * 900}"}, {}, "health_check.path: has 901 characters"),
        ({"type": "udp", "payload": "a0" * 600}, {}, "health_check.payload: has 1200 characters"),
        ({"type": "udp", "require_reply": "a0" * 600}, {}, "health_check.require_reply: has 1200 characters"),
        (
            {"type": "tcp", "warmup": 0.00001},
            {},
            "health_check.warmup: 0.00001 is too small; use 0, or 0.0001 at least",
        ),
        ({"type": "tcp", "timeout": "0.00001"}, {}, "health_check.timeout: 0.00001 is out of range"),
    ],
)
def test_lines_that_keepalived_would_cut(check: dict[str, Any], daemon: dict[str, Any], said: str) -> None:
    model = changed(health_check=check)
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_keepalived"] = daemon
    assert [line for line in model.mistakes() if said in line], model.mistakes()


def test_what_runs_when_a_real_server_comes_or_goes() -> None:
    down = {"script": "/bin/false 'a b'", "user": "root"}
    watch = {"notify_up": "/bin/true", "notify_down": down, "inhibit_on_failure": True, "smtp_alert": False}
    text = of_server(text_of(changed(watch, health_check=TCP)), 0)
    for line in ('notify_up "/bin/true"', "notify_down \"/bin/false 'a b'\" root", "inhibit_on_failure true"):
        assert f"        {line}\n" in text
    assert "        smtp_alert false\n" in text
    # What runs needs a user, who is named where nobody else was.
    model = changed({"notify_up": "/bin/true"})
    for director in ("lb1", "lb2"):
        del model.hostvars[director]["lvs_keepalived"]
    assert model.plan("lb1", "keepalived")["keepalived"]["global_defs"]["script_user"] == "keepalived_script"


@pytest.mark.parametrize(
    ("pattern", "written"),
    [
        ("Test Page", "Test Page"),
        (r"(?m)^I'm \d+ {alive}", r"(?m)\136I\047m \134d+ \173alive\175"),
        ("#$!~ä", r"\043\044\041\176\303\244"),
    ],
)
def test_what_an_answer_must_contain(pattern: str, written: str) -> None:
    """keepalived itself said that it reads these escapes as they are meant: 2.2.7 of Debian 12, 2.3.3 of Debian 13."""
    assert quoted(pattern) == written
    urls = [{"path": "/", "regex": pattern}, {"path": "/", "regex": "down", "regex_no_match": True}]
    text = of_server(text_of(changed(health_check={"type": "http", "urls": urls})), 0)
    assert f'                regex "{written}"\n            }}' in text
    assert '                regex "down"\n                regex_no_match\n' in text


@pytest.mark.parametrize(
    ("service", "real_server", "said"),
    [
        ({"health_check": [TCP, TCP]}, {}, "health_check[1]: is the same as health_check[0]; keep one"),
        ({"health_check": [TCP, 3]}, {}, "health_check[1]: must be a mapping, is 3"),
        ({"health_check": [{"typ": "tcp"}]}, {}, "health_check[0].type: is missing"),
        ({}, {"health_check": {"type": "tpc"}}, "real_servers[0].health_check.type: 'tpc' is not known; did you mean"),
        ({}, {"health_check": None}, "real_servers[0].health_check: has nothing below it"),
        ({}, {"notify_up": "a; b"}, "real_servers[0].notify_up: 'a; b' is no command"),
        ({}, {"notify_up": {"user": "x"}}, "real_servers[0].notify_up.script: is missing"),
        ({"health_check": {**TCP, "source": "fd00::1"}}, {}, "health_check.source: fd00::1 is not of the family"),
        ({"health_check": {**TCP, "address": "224.0.0.1"}}, {}, "health_check.address: '224.0.0.1' is a multicast"),
        ({"health_check": {**PING, "source_port": 9}}, {}, "source_port: has no meaning with type: ping"),
        ({"health_check": {"type": "http", "regex": "("}}, {}, "health_check.regex: '(' is no regular expression"),
        ({"health_check": {"type": "http", "regex": r"\u0041"}}, {}, r"holds '\\u', which keepalived does not know"),
        ({"health_check": {"type": "http", "regex": "^OK"}}, {}, "regex: '^OK' has ^ without (?m) at its beginning"),
        ({"health_check": {"type": "http", "regex": "OK$"}}, {}, "regex: 'OK$' has $ without (?m) at its beginning"),
        ({"health_check": {"type": "http", "regex_no_match": True}}, {}, "regex_no_match: has no regex to go with"),
        ({"health_check": {"type": "tcp", "regex": "x"}}, {}, "regex: has no meaning with type: tcp"),
    ],
)
def test_mistakes(service: dict[str, Any], real_server: dict[str, Any], said: str) -> None:
    lines = changed(real_server, **service).mistakes()
    assert [line for line in lines if said in line], lines


def test_a_check_through_the_vip_goes_nowhere_else() -> None:
    model = changed(forward="dr", health_check={**TCP, "through": "vip", "fwmark": 3})
    assert [line for line in model.mistakes() if "fwmark: stands beside through: vip" in line]


def test_directors_may_ask_from_their_own_addresses_and_nothing_else_of_their_own() -> None:
    model = sent_from(changed(health_check=TCP))
    assert model.mistakes() == []
    model.hostvars["lb2"]["lvs_services"][0]["real_servers"][0]["health_check"] = PING
    assert [line for line in model.mistakes() if "directors that share VIPs need the same" in line]


def test_an_import_keeps_two_checks_that_ask_different_ports() -> None:
    checks = "".join(f"TCP_CHECK {{\n connect_port {port}\n }}\n" for port in (80, 81, 81))
    text = f"virtual_server 192.0.2.1 80 {{\n protocol TCP\n real_server 10.0.0.1 80 {{\n{checks}}}\n}}\n"
    found = imported(Given({"keepalived.conf": text}), ["keepalived.conf"], ["lb1"])
    (service,) = found.hostvars["lb1"]["lvs_services"]
    assert [each.get("port") for each in service["health_check"]] == [None, 81]
    assert [each.words for each in found.remarks if "the same check is there already" in each.reason] == ["TCP_CHECK"]


@pytest.mark.parametrize(
    ("check", "service", "is_said"),
    [
        ({"type": "https", "sni": True}, {}, True),
        ({"type": "https", "sni": True, "virtual_host": "www.example.com"}, {}, False),
        ({"type": "https", "sni": True, "urls": [{"path": "/", "virtual_host": "www.example.com"}]}, {}, False),
        ({"type": "https", "sni": True}, {"raw": "virtualhost www.example.com"}, False),
        ({"type": "https"}, {}, False),
    ],
)
def test_a_handshake_that_names_nobody(check: dict[str, Any], service: dict[str, Any], *, is_said: bool) -> None:
    model = changed(health_check=check, **service)
    assert model.mistakes() == []
    notes = model.plan("lb1", "keepalived").get("notes", [])
    assert any("sni of its health_check has no effect" in each for each in notes) is is_said
