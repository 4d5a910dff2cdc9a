# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The JSON Schema that editors use says the same as the check of the inventory.

LVS_SCHEMA_WRITE=1 writes the file anew. LVS_SCHEMA_EXAMPLES says how many inventories are generated, LVS_SCHEMA_SEED
which ones.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.compiler import site_of
from ansible_collections.lvs.topology.tests.unit.topology.generated import for_each, models
from ansible_collections.lvs.topology.tests.unit.topology.generated_right import right_models
from ansible_collections.lvs.topology.tests.unit.topology.inventories import REFERENCES, Model, dr_pair
from ansible_collections.lvs.topology.tests.unit.topology.recorded import schema

FILE = Path(__file__).parents[3] / "docs/lvs_services.schema.json"
EXAMPLES = int(os.environ.get("LVS_SCHEMA_EXAMPLES", "300"))
SEED = int(os.environ.get("LVS_SCHEMA_SEED", "1"))
# What is wrong in the form of a value alone.
_OF_FORM = re.compile(r"is not a known key|is out of range|is no whole number|is no number\b|is no boolean|must be a ")


def validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema())


def test_the_file_is_what_the_reader_asks_for() -> None:
    text = json.dumps(schema(), indent=2) + "\n"
    if os.environ.get("LVS_SCHEMA_WRITE"):
        FILE.write_text(text)
    assert FILE.read_text() == text
    jsonschema.Draft202012Validator.check_schema(schema())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"shceduler": "rr"}, "shceduler"),
        ({"scheduler": "round robin"}, "round robin"),
        ({"port": 65536}, "65536"),
        ({"persistence": {"timout": 3}}, "timout"),
        ({"health_check": {"type": "tcp", "path": "/"}}, "path"),
        ({"health_check": {"interval": 3}}, "type"),
        ({"real_servers": [{"address": "10.0.0.1", "wieght": 3}]}, "wieght"),
    ],
)
def test_an_editor_underlines(change: dict[str, Any], said: str) -> None:
    service = {"name": "web", "address": "10.0.0.1", "port": 80, "forward": "dr", "real_servers": []}
    assert not list(validator().iter_errors({"lvs_services": [service]}))
    errors = list(validator().iter_errors({"lvs_services": [{**service, **change}]}))
    assert said in json.dumps([each.message for each in _leaves(errors)])


def _leaves(errors: Any) -> list[Any]:
    found = []
    for each in errors:
        found += [each, *_leaves(each.context or [])]
    return found


@pytest.mark.parametrize("make", [*REFERENCES.values(), dr_pair])
def test_the_reference_topologies(make: Any) -> None:
    model = make()
    assert not list(validator().iter_errors({"lvs_services": model.services}))


def at(services: Any, path: str) -> Any:
    """The value to which the path of a mistake leads."""
    value = services
    for name, number in re.findall(r"\.(\w+)|\[(\d+)\]", path.partition("lvs_services")[2]):
        if number and isinstance(value, list) and int(number) < len(value):
            value = value[int(number)]
        elif name and isinstance(value, dict):
            value = value.get(name)
    return value


def is_of_form(mistake: Mistake, services: Any) -> bool:
    value = at(services, mistake.path)
    # A number as text may come of a template, and no schema counts in text.
    is_odd = isinstance(value, str) or (isinstance(value, float) and not math.isfinite(value))
    return bool(_OF_FORM.search(mistake.problem)) and not is_odd and not isinstance(value, float)


def test_what_the_check_says() -> None:
    counts: Counter[str] = Counter()
    checked = validator()

    def one(model: Model) -> None:
        mistakes: list[Mistake] = []
        site_of(model.hostvars, model.groups, mistakes)
        for name in model.groups["lvs_directors"]:
            if model.hostvars[name].get("lvs_state") == "absent":
                continue  # what it is not going to have is not checked
            services = model.hostvars[name].get("lvs_services")
            # Of services that directors share no path names one of them.
            paths = ("lvs_services", f"{name}: lvs_services")
            mine = [each for each in mistakes if each.path.startswith(paths)]
            errors = [each.message for each in _leaves(checked.iter_errors({"lvs_services": services}))]
            counts["services"] += len(services) if isinstance(services, list) else 0
            if errors:
                counts["refused"] += 1
                assert mine, (errors, services)
            wrong = [each for each in mine if is_of_form(each, services)]
            if wrong:
                counts["of form"] += 1
                assert errors, (wrong, services)

    for_each(models(), one, EXAMPLES, SEED)
    print(dict(counts))
    assert counts["refused"] > EXAMPLES / 20
    assert counts["of form"] > EXAMPLES / 100


@pytest.mark.slow
def test_what_is_right_is_not_underlined() -> None:
    counts: Counter[str] = Counter()
    checked = validator()

    def one(model: Model) -> None:
        counts["models"] += 1
        if model.mistakes():
            return
        for name in model.groups["lvs_directors"]:
            services = model.hostvars[name]["lvs_services"]
            counts["services"] += len(services)
            assert not [each.message for each in _leaves(checked.iter_errors({"lvs_services": services}))]

    for_each(right_models(), one, EXAMPLES, SEED)
    print(dict(counts))
    assert counts["services"] > counts["models"] > EXAMPLES / 2
