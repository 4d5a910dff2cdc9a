# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify found, as files that other programs read."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import WrongModel
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.running.report import render
from ansible_collections.lvs.topology.tests.unit.metrics.promtool import promtool

FOUND: dict[str, Any] = {
    "hosts": ["lb1", "web1"],
    "is_well": False,
    "findings": [
        {"degree": "broken", "host": "web1", "what": 'no <VIP> & "no" ARP', "effect": "Silence.", "remedy": "site"},
        {"degree": "worth knowing", "host": "lb1", "what": "a service of others", "effect": "", "remedy": ""},
    ],
    "lines": ["not in a file"],
    "unseen": ["dns: UDP"],
}


def test_json() -> None:
    assert json.loads(render(FOUND, "a/b.json")) == {key: FOUND[key] for key in FOUND if key != "lines"}


def test_junit() -> None:
    suite = ElementTree.fromstring(render(FOUND, "verify.xml"))  # noqa: S314, our own
    assert suite.attrib == {"name": "lvs.topology.verify", "tests": "4", "failures": "1", "skipped": "1"}
    cases = [(each.get("classname"), each.get("name"), [inner.tag for inner in each]) for each in suite]
    assert cases == [
        ("lb1", "is as it should be", []),
        ("web1", 'no <VIP> & "no" ARP', ["failure"]),
        ("lb1", "a service of others", ["system-out"]),
        ("not looked at", "dns: UDP", ["skipped"]),
    ]
    failure = suite[1][0]
    assert (failure.get("type"), failure.text) == ("broken", "Silence.\nsite")


def test_metrics() -> None:
    text = render(FOUND, "verify.prom", "2026-11-27 at 15:30 UTC")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines == [
        'lvs_verify_findings{host="lb1",degree="broken"} 0',
        'lvs_verify_findings{host="lb1",degree="at risk"} 0',
        'lvs_verify_findings{host="lb1",degree="worth knowing"} 1',
        'lvs_verify_findings{host="web1",degree="broken"} 1',
        'lvs_verify_findings{host="web1",degree="at risk"} 0',
        'lvs_verify_findings{host="web1",degree="worth knowing"} 0',
        "lvs_verify_unseen 1",
        "lvs_verify_last_run_timestamp_seconds 1795793400",
    ]
    promtool("check", "metrics", text=text)


def test_metrics_of_nobody() -> None:
    """The playbook asks so whether the name says a form, before any host is asked."""
    assert "lvs_verify_unseen 0" in render({"hosts": [], "findings": [], "unseen": []}, "verify.prom")


@pytest.mark.parametrize("path", ["report", "report.yml", ".jsonx", "", 7, None, ["a.json"]])
def test_a_name_that_says_no_form(path: Any) -> None:
    with pytest.raises(WrongModel, match=r"lvs_verify_report: .* let the name of the file end in \.json"):
        render(FOUND, path)
