# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The experiments are about hosts and services that there are, and what they count is what has to be answered."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from chaos import experiments
from chaos.measure import Owners, Record, Request, counted

SCENARIOS = experiments.scenarios()
EXPERIMENTS = experiments.experiments()


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenarios_are_there(name: str) -> None:
    scenario = SCENARIOS[name]
    assert scenario.network.exists()
    services = {each["name"] for each in scenario.model()["all"]["vars"]["lvs_services"]}
    assert {*scenario.targets} <= services
    assert [each for each in EXPERIMENTS if each.scenario == name]


@pytest.mark.parametrize("experiment", EXPERIMENTS, ids=lambda each: f"{each.scenario}: {each.name}")
def test_experiments_are_about_what_there_is(experiment: experiments.Experiment) -> None:
    scenario = SCENARIOS[experiment.scenario]
    model = scenario.model()
    real_servers = {*model["lvs_real_servers"]["hosts"]}
    hosts = {*real_servers, *model["lvs_directors"]["hosts"]} | (
        {"master", "backup"} if experiment.scenario == "ha" else set()
    )
    assert {*experiment.breaks, *experiment.afterwards} <= hosts
    assert {*experiment.touched} <= real_servers
    assert {*experiment.down} <= {*scenario.targets}
    re.compile(experiment.says)
    re.compile(experiment.besides)
    for step in experiment.repair:
        assert step == "site" or isinstance(step, dict) or re.compile(step).groups == 1
    # A real server that nobody touches, or a service that stays, has to be left to count.
    assert {*experiment.touched} < real_servers


def test_the_names_are_different() -> None:
    names = [(each.scenario, each.name) for each in EXPERIMENTS]
    assert len({*names}) == len(names)


LISTED = """IPVS connection entries
pro expire state       source             virtual            destination
TCP 01:57  FIN_WAIT    192.0.2.10:20001   192.0.2.100:80     10.0.0.51:80
TCP 00:58  SYN_RECV    192.0.2.10:20002   192.0.2.100:80     10.0.0.52:80
TCP 00:58  SYN_RECV    [2001:db8::10]:20002 [2001:db8::100]:80 [fd02::52]:80
UDP 04:58  UDP         192.0.2.10:0       192.0.2.100:53     10.0.0.52:53    x
"""


def test_who_has_a_connection() -> None:
    owners = Owners()
    owners.add(LISTED)
    request = Request("web", 0, 1, port=20002)
    assert owners.of(request, "192.0.2.100:80") == "10.0.0.52"
    assert owners.of(request, "[2001:db8::100]:80") == "fd02::52"
    assert owners.of(request, "192.0.2.100:53") == ""
    assert len(owners.found) == 3


@pytest.mark.parametrize(
    ("request_", "counts"),
    [
        (Request("web", 1, 2, by="web1", port=1), True),
        (Request("web", 1, 2, by="web2", port=1), False),
        (Request("web", 1, 2, error="no answer", port=20001), True),
        (Request("web", 1, 2, error="no answer", port=20002), False),
        # Nobody knows where it went.
        (Request("web", 1, 2, error="no answer", port=20003), True),
        (Request("other", 1, 2, error="no answer", port=20001), False),
        # Everything was repaired.
        (Request("web", 10, 12, error="no answer", port=20002), True),
        (Request("other", 10, 12, error="no answer", port=20001), True),
    ],
)
def test_what_has_to_be_answered(request_: Request, counts: bool) -> None:
    owners = Owners()
    owners.add(LISTED)
    services = {"web": "192.0.2.100:80", "other": "192.0.2.100:81"}
    found = counted(Record([request_]), owners, services, {"web2", "10.0.0.52"}, ["other"], 10)
    assert found == ([request_] if counts else [])


@pytest.mark.parametrize(
    ("after", "said"), [("a\nb", ""), ("a\nc", "-b; +c"), ("b\na", "+b; -b"), ("a\nb\nb", "+b"), ("a", "-b")]
)
def test_what_is_not_as_before_is_named(after: str, said: str) -> None:
    assert experiments._difference("a\nb", after) == said


def site(monkeypatch: pytest.MonkeyPatch, findings: list[dict[str, str]], unseen: set[str]) -> experiments.Site:
    """A site of which verify finds that, and does not look at something."""
    found = experiments.Site(SCENARIOS["dr"])
    found.never_seen = {"web1: its packet filter, because lvs_firewall is none"}

    def verify() -> list[dict[str, str]]:
        found.unseen = found.never_seen | unseen
        return findings

    monkeypatch.setattr(found, "verify", verify)
    return found


def test_silence_of_a_verify_that_could_not_look_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = [each for each in EXPERIMENTS if each.scenario == "dr"][:1]
    quiet = site(monkeypatch, [], set())
    assert quiet.silence(chosen) == []
    assert quiet.result.broken == []
    blind = site(monkeypatch, [], {"web2: it did not answer"})
    assert blind.silence(chosen) == ["not looked at: web2: it did not answer"]
    assert len(blind.result.broken) == 1


def test_an_experiment_begins_with_a_site_that_is_well(monkeypatch: pytest.MonkeyPatch) -> None:
    well = site(monkeypatch, [{"degree": "worth knowing", "host": "web1", "what": "x", "remedy": ""}], {"y"})
    well.begin()
    assert "y" in well.never_seen
    ill = site(monkeypatch, [{"degree": "at risk", "host": "web1", "what": "x", "remedy": ""}], set())
    with pytest.raises(experiments.Failed, match="at risk: web1: x"):
        ill.begin()
