# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options are read as Ansible reads them, whatever they are. Those of a large table are not read by Ansible at all."""

from __future__ import annotations

import contextlib
import copy
import io
import json
from typing import Any

import pytest
from ansible.module_utils import basic
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.lvs.topology.plugins.module_utils import _module, _options, _validation
from ansible_collections.lvs.topology.plugins.module_utils._forms import shown
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import specs
from ansible_collections.lvs.topology.plugins.module_utils._module import Module
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest
from ansible_collections.lvs.topology.plugins.module_utils._validation import validated
from hypothesis import given
from hypothesis import strategies as some

SPECS = {
    f"{module.__name__.rpartition('.')[2]}.{name}": spec
    for module in (specs, _options)
    for name, spec in vars(module).items()
    if name.endswith("_SPEC")
}
ODD = some.one_of(
    some.none(),
    some.booleans(),
    some.integers(-5, 70000),
    some.floats(allow_nan=False, allow_infinity=False),
    some.sampled_from(["", "80", "-1", "yes", "no", "true", "tcp", "dr", "1.5", "10.0.0.1", "a,b"]),
    some.lists(some.sampled_from(["tcp", 80, None, "sh-port"]), max_size=2),
    some.dictionaries(
        some.sampled_from(["address", "port", "weight"]), some.sampled_from(["10.0.0.1", 80]), max_size=2
    ),
)
RIGHT = {
    "str": some.sampled_from(["10.0.0.1", "dr", "eth0", ""]),
    "int": some.integers(-5, 70000),
    "bool": some.booleans(),
    "float": some.sampled_from([0.5, 1.0]),
    "dict": some.dictionaries(some.sampled_from(["a", "b"]), some.integers(0, 3), max_size=2),
}


def of_option(option: dict[str, Any]) -> some.SearchStrategy[Any]:
    """Mostly what the spec asks for, so that whole entries are plainly right, and now and then something else."""
    if "choices" in option and option.get("type", "str") != "list":
        right: some.SearchStrategy[Any] = some.sampled_from(option["choices"])
    elif option.get("type") == "list":
        element = {**option, "type": option.get("elements", "str")}
        right = some.lists(of_option({key: element[key] for key in element if key != "elements"}), max_size=3)
    elif "options" in option:
        right = of_spec(option["options"])
    else:
        right = RIGHT.get(option.get("type", "str"), ODD)
    return some.integers(0, 30).flatmap(lambda number: right if number else ODD)


def of_spec(spec: dict[str, Any]) -> some.SearchStrategy[dict[str, Any]]:
    required = {name: of_option(option) for name, option in spec.items() if option.get("required")}
    free = {name: of_option(option) for name, option in spec.items() if not option.get("required")}
    return some.integers(0, 30).flatmap(
        lambda number: some.fixed_dictionaries(
            required if number else {}, optional={**free, **({} if number else {"unknown": ODD})}
        )
    )


def of_ansible(spec: dict[str, Any], asked: dict[str, Any]) -> tuple[str, Any]:
    """What is wrong, and what the options are where nothing is."""
    result = ArgumentSpecValidator(spec).validate(copy.deepcopy(asked))
    said = "; ".join(result.error_messages)
    return said, None if said else result.validated_parameters


def ours(spec: dict[str, Any], asked: dict[str, Any]) -> tuple[str, Any]:
    try:
        return "", validated(spec, copy.deepcopy(asked))
    except BadRequest as problem:
        return str(problem), None


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SPECS))
@given(data=some.data())
def test_as_ansible_does_it(name: str, data: some.DataObject) -> None:
    spec = SPECS[name]
    asked = data.draw(of_spec(spec))
    said, found = ours(spec, asked)
    # There Ansible ends in a traceback, more often than not.
    if "is no mapping; give one of" not in said:
        assert json.dumps([said, found], sort_keys=True) == json.dumps(of_ansible(spec, asked), sort_keys=True)


@pytest.mark.parametrize("value", [False, 0, 1.5, [], [1], [{}]])
def test_what_is_no_mapping_is_told_by_its_place(value: Any) -> None:
    wrong = {"address": "10.1.0.1", "real_servers": [{"address": "10.2.0.1"}, {"address": "10.2.0.2", "tunnel": value}]}
    with pytest.raises(BadRequest) as caught:
        validated(specs.TABLE_SPEC, {"services": [{"address": "10.1.0.2"}, wrong]})
    assert str(caught.value) == (
        f"services[1].real_servers[1].tunnel: {shown(value)} is no mapping; "
        "give one of checksum, port, type, or leave it out"
    )


NUMBERS: dict[str, Any] = {
    "port": {"type": "int"},
    "ports": {"type": "list", "elements": "int"},
    "inner": {"type": "dict", "options": {"port": {"type": "int"}}},
    "items": {"type": "list", "elements": "dict", "options": {"port": {"type": "int", "required": True}}},
    "share": {"type": "float"},
}


@pytest.mark.parametrize(
    "value", [float("inf"), float("-inf"), "inf", "-Infinity", " iNf ", "i_nf", "1e999999999", "80,inf"]
)
def test_a_number_without_end_is_told_by_its_place(monkeypatch: pytest.MonkeyPatch, value: Any) -> None:
    places: list[tuple[str, dict[str, Any]]] = [
        ("port", {"port": value}),
        ("ports", {"ports": value}),
        ("ports[1]", {"ports": [80, value]}),
        ("inner.port", {"inner": {"port": value}}),
        ("items[1].port", {"items": [{"port": 1}, {"port": value}]}),
    ]
    for path, given_there in places:
        said = f"{path}: {shown(value)} is no whole number; give one, or leave it out"
        with pytest.raises(BadRequest) as caught:
            validated(NUMBERS, given_there)
        assert str(caught.value) == said
        arguments_of(monkeypatch, given_there)
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), pytest.raises(SystemExit):
            Module(argument_spec=NUMBERS)
        assert json.loads(printed.getvalue())["msg"] == said


def test_a_share_may_be_what_ansible_takes() -> None:
    assert validated(NUMBERS, {"share": "inf", "port": "80"})["share"] == float("inf")
    with pytest.raises(BadRequest, match="nan"):
        validated(NUMBERS, {"port": float("nan")})


def arguments_of(monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]) -> None:
    arguments = {"ANSIBLE_MODULE_ARGS": options}
    monkeypatch.setattr(basic, "_ANSIBLE_ARGS", json.dumps(arguments).encode())
    monkeypatch.setattr(basic, "_ANSIBLE_PROFILE", "legacy", raising=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SPECS))
@given(data=some.data())
def test_a_module_has_an_answer_to_everything(name: str, data: some.DataObject) -> None:
    spec = SPECS[name]
    options = {option: data.draw(ODD) for option in spec}
    with pytest.MonkeyPatch.context() as patched, contextlib.redirect_stdout(io.StringIO()) as output:
        arguments_of(patched, options)
        try:
            assert Module(argument_spec=spec).params.keys() >= spec.keys()
        except SystemExit:
            assert json.loads(output.getvalue())["failed"]


def large_module(monkeypatch: pytest.MonkeyPatch, services: Any) -> Module:
    arguments_of(monkeypatch, {"services": services})
    return Module(argument_spec=specs.TABLE_SPEC, large="services", required_if=[("state", "present", ("services",))])


def test_of_many_entries_ansible_checks_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(_spec: Any) -> Any:
        raise AssertionError("what is plainly right was given to Ansible's own check")

    services = [{"address": "10.1.0.1", "port": 80, "real_servers": [{"address": "10.2.0.1", "weight": 1}]}]
    monkeypatch.setattr(_validation, "ArgumentSpecValidator", slow)
    module = large_module(monkeypatch, services)
    assert module.params["services"][0]["real_servers"][0] == {
        **dict.fromkeys(specs.TABLE_SPEC["services"]["options"]["real_servers"]["options"]),
        "address": "10.2.0.1",
        "weight": 1,
    }
    assert module.params["purge"] == ["real_servers"]


@pytest.mark.parametrize(
    ("services", "said"),
    [
        (None, "services: missing, and needed where state is present"),
        ("web", "dictionary requested, could not parse JSON or key=value"),
        ([{"address": "10.1.0.1", "ports": 80}], "Supported parameters include: address"),
        ([{"real_servers": [{"weight": 1}]}], "missing required arguments: address found in services -> real_servers"),
        ([{"real_servers": [{"address": "10.2.0.1", "weight": "much"}]}], "cannot be converted to an int"),
    ],
)
def test_what_is_wrong_with_a_large_option_is_said_in_ansibles_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], services: Any, said: str
) -> None:
    with pytest.raises(SystemExit):
        large_module(monkeypatch, services)
    answer = json.loads(capsys.readouterr().out)
    assert answer["failed"]
    assert said in answer["msg"]


def test_a_result_counts_what_nobody_reads() -> None:
    few, many = [{"address": "10.2.0.1"}] * 3, [{"address": "10.2.0.1", "port": 80}] * 600
    nothing = dict.fromkeys(map(str, range(500)))
    assert _module._echo({"few": few, "many": many, "nothing": nothing, "state": "present"}) == {
        "few": few,
        "nothing": nothing,
        "many": "more than 1000 values",
        "state": "present",
    }
