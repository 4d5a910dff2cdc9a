# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify found, as text for programs: JSON, JUnit's XML for what runs tests, or metrics of Prometheus. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from typing import Any
from xml.etree import ElementTree

from ansible_collections.lvs.topology.plugins.module_utils._metrics.exposition import Block, one, several
from ansible_collections.lvs.topology.plugins.module_utils._metrics.exposition import render as exposed
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.finding import DEGREES, makes_verify_fail
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake, WrongModel, show

_VARIABLE = "lvs_verify_report"
# As the playbook says when it was.
TIME = "%Y-%m-%d at %H:%M UTC"


def render(found: Mapping[str, Any], path: Any, made: str = "") -> str:
    """The text of the file, whose name says which form it has. WrongModel where it does not.

    ``made`` is when this was, which metrics tell.
    """
    name = path if isinstance(path, str) else ""
    if name.endswith(".json"):
        return json.dumps({key: found[key] for key in ("hosts", "is_well", "findings", "unseen")}, indent=2) + "\n"
    if name.endswith(".xml"):
        return _junit(found)
    if name.endswith(".prom"):
        return "".join(exposed(_metrics(found, made)))
    problem = f"{show(path)} does not say which form the report is to have"
    remedy = (
        "let the name of the file end in .json, in .xml for JUnit, in .prom for node_exporter, or in .html for a page"
    )
    raise WrongModel([Mistake(_VARIABLE, problem, remedy)])


def _junit(found: Mapping[str, Any]) -> str:
    """A test for each host and one for each finding. What is only worth knowing fails none."""
    suite = ElementTree.Element("testsuite", name="lvs.topology.verify")
    failed = [each for each in found["findings"] if makes_verify_fail(each["degree"])]
    for host in found["hosts"]:
        if not any(each["host"] == host for each in failed):
            ElementTree.SubElement(suite, "testcase", classname=host, name="is as it should be")
    for each in found["findings"]:
        case = ElementTree.SubElement(suite, "testcase", classname=each["host"], name=each["what"])
        said = "\n".join(each[key] for key in ("effect", "remedy") if each[key])
        if each in failed:
            ElementTree.SubElement(case, "failure", type=each["degree"], message=each["what"]).text = said
        else:
            ElementTree.SubElement(case, "system-out").text = f"{each['degree']}: {said}"
    for text in found["unseen"]:
        case = ElementTree.SubElement(suite, "testcase", classname="not looked at", name=text)
        ElementTree.SubElement(case, "skipped")
    suite.set("tests", str(len(suite)))
    suite.set("failures", str(len(failed)))
    suite.set("skipped", str(len(found["unseen"])))
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _metrics(found: Mapping[str, Any], made: str) -> Iterator[Block]:
    """A number for each host and degree, 0 as well: what is mended has to be seen to be mended."""
    counts = {(host, degree): 0 for host in found["hosts"] for degree in DEGREES}
    for finding in found["findings"]:
        key = (finding["host"], finding["degree"])
        counts[key] = counts.get(key, 0) + 1
    yield several("lvs_verify_findings", counts.items())
    yield one("lvs_verify_unseen", len(found["unseen"]))
    if made:
        when = datetime.strptime(made, TIME).replace(tzinfo=timezone.utc)
        yield one("lvs_verify_last_run_timestamp_seconds", int(when.timestamp()))
