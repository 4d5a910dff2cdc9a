# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tasks of host_state ask of the modules, and what the modules say to its form, without any host."""

from __future__ import annotations

import contextlib
import importlib
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest import mock

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import options
from ansible_collections.lvs.topology.plugins.module_utils._net import (
    address_plan,
    arp_filter_plan,
    boot,
    gateway_plan,
    kmod_plan,
    neighbour_plan,
    packet_rules_plan,
    source_route_plan,
    sysctl_plan,
    tunnel_plan,
)
from ansible_collections.lvs.topology.plugins.module_utils._net.checks import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest
from jinja2 import ChainableUndefined
from jinja2.nativetypes import NativeEnvironment

COLLECTION = "lvs.topology."
TASKS = Path(__file__).parents[3] / "roles/host_state/tasks"
_CONCERN = re.compile(r"'(\w+)' in __host_state_concerns")
_OMIT = "__omit__"


class Spec(Exception):
    """Ends a module where it makes its AnsibleModule."""


@lru_cache
def validator(name: str) -> ArgumentSpecValidator:
    """The argument spec of a module, as its main() has it."""
    module: ModuleType = importlib.import_module(f"ansible_collections.lvs.topology.plugins.modules.{name}")
    # The module ends where it makes its AnsibleModule: only the arguments of that call are wanted.
    with mock.patch.object(module, "AnsibleModule", side_effect=Spec) as made, contextlib.suppress(Spec):
        module.main()
    given = made.call_args.kwargs
    names = ("mutually_exclusive", "required_together", "required_one_of", "required_if", "required_by")
    return ArgumentSpecValidator(given["argument_spec"], **{each: given[each] for each in names if each in given})


def _arp(params: Mapping[str, Any], mistakes: Mistakes) -> None:
    items = params["interfaces"] or []
    # Whether an interface exists is the host's to say.
    sysctl_plan.check_arp(items, {each["interface"] for each in items}, mistakes)


def _packet_rules(params: Mapping[str, Any], mistakes: Mistakes) -> None:
    packet_rules_plan.check_owner(params["owner"], mistakes)
    packet_rules_plan.check(params["marks"] or [], params["source_nat"] or [], mistakes)


def _table(params: Mapping[str, Any], mistakes: Mistakes) -> None:
    options.wanted_services(params["services"] or [], "services", mistakes)
    options.purge(params["purge"], mistakes)


def boot_files(params: Mapping[str, Any], mistakes: Mistakes) -> dict[str, Any]:
    """The files for the next boot, by suffix."""
    lists = boot._validated(dict(params))
    files: dict[str, Any] = boot._render(params["owner"], lists, mistakes)
    rules = boot._packet_rules(params["owner"], lists["packet_rules"], mistakes)
    files["nft"] = "\n".join(packet_rules_plan.render_nft(params["owner"], rules)) if rules else None
    return files


CHECKS: Mapping[str, Callable[[Mapping[str, Any], Mistakes], object]] = {
    "kernel_modules": lambda params, mistakes: kmod_plan.check(params["modules"] or [], mistakes),
    "sysctl_profile": lambda params, mistakes: sysctl_plan.check_values(params["values"] or {}, mistakes),
    "arp_tuning": _arp,
    "arp_filter": lambda params, mistakes: arp_filter_plan.check(params["filters"] or [], None, mistakes),
    "tunnel_endpoint": lambda params, mistakes: tunnel_plan.check(params["tunnels"] or [], mistakes),
    "vip_address": lambda params, mistakes: address_plan.check(params["addresses"] or [], None, mistakes),
    "default_gateway": lambda params, mistakes: gateway_plan.check(params["gateways"] or [], mistakes),
    "source_route": lambda params, mistakes: source_route_plan.check(params["source_routes"] or [], mistakes),
    "static_neighbour": lambda params, mistakes: neighbour_plan.check(
        params["neighbours"] or [], None, mistakes, present=True
    ),
    "packet_rules": _packet_rules,
    "ipvs_timeouts": options.wanted_timeouts,
    "ipvs_table": _table,
    "ipvs_sync_daemon": lambda params, mistakes: options.wanted_daemons(params["daemons"] or [], None, mistakes),
    "boot_restore": boot_files,
}


def refusals(name: str, arguments: Mapping[str, Any]) -> list[str]:
    """What a module would say to its arguments before it looks at the host."""
    mistakes = Mistakes()
    validated = validator(name).validate(dict(arguments))
    found = list(validated.error_messages)
    if not found:
        if "owner" in arguments:
            mistakes.owner(arguments["owner"])
        CHECKS[name](validated.validated_parameters, mistakes)
    try:
        mistakes.raise_if_any()
    except BadRequest as refused:
        found.append(str(refused))
    return found


def validated(name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    parameters: Mapping[str, Any] = validator(name).validate(dict(arguments)).validated_parameters
    return parameters


@lru_cache
def _tasks(file: str) -> tuple[tuple[str, str | None, dict[str, Any]], ...]:
    """Each task's module, the concern without which it is left out, and its arguments."""
    found = []
    for task in yaml.safe_load((TASKS / file).read_text()):
        concern = _CONCERN.fullmatch(str(task.get("when", "")))
        for key, arguments in task.items():
            if key.startswith(COLLECTION):
                found.append((key.removeprefix(COLLECTION), concern[1] if concern else None, arguments))
    return tuple(found)


def calls(file: str, plan: Mapping[str, Any], owner: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The modules that the tasks of a file call for a plan, with the arguments that Ansible makes of them."""
    environment = NativeEnvironment(undefined=ChainableUndefined)
    variables = {"host_state_plan": plan, "host_state_owner": owner, "host_state_state": "present", "omit": _OMIT}
    for name, concern, arguments in _tasks(file):
        if concern is not None and concern not in plan:
            continue
        made = {key: _made(environment, value, variables) for key, value in arguments.items()}
        yield name, {key: value for key, value in made.items() if not (isinstance(value, str) and value == _OMIT)}


def _made(environment: NativeEnvironment, value: Any, variables: Mapping[str, Any]) -> Any:
    if not isinstance(value, str) or "{{" not in value:
        return value
    return environment.from_string(value).render(variables)
