# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What host_state asks of its concerns for a plan, and what these say to its form, without any host."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._bgp import announcement_plan
from ansible_collections.lvs.topology.plugins.module_utils._boot import boot
from ansible_collections.lvs.topology.plugins.module_utils._daemons import conntrackd_plan
from ansible_collections.lvs.topology.plugins.module_utils._filter import (
    filter_questions,
    firewall_plan,
    packet_rules_plan,
    packet_rules_text,
)
from ansible_collections.lvs.topology.plugins.module_utils._host import host_state
from ansible_collections.lvs.topology.plugins.module_utils._host.concerns import CONCERNS
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import options, settings_options
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import watched
from ansible_collections.lvs.topology.plugins.module_utils._metrics import description
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
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
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest


def _arp(params: Mapping[str, Any], mistakes: Mistakes) -> None:
    items = params["interfaces"] or []
    # Whether an interface exists is the host's to say.
    sysctl_plan.check_arp(items, {each["interface"] for each in items}, mistakes)


def _packet_rules(params: Mapping[str, Any], mistakes: Mistakes) -> None:
    packet_rules_plan.check_owner(params["owner"], mistakes)
    packet_rules_plan.check(params["marks"] or [], params["source_nat"] or [], mistakes)


def _firewall(params: Mapping[str, Any], mistakes: Mistakes) -> None:
    packets = filter_questions.read(params["packets"] or [], "packets", mistakes)
    firewall_plan.check(packets, "packets", mistakes)


def _table(params: Mapping[str, Any], mistakes: Mistakes) -> None:
    options.wanted_services(params["services"] or [], "services", mistakes)
    options.purge(params["purge"], mistakes)


def _announcements(params: Mapping[str, Any], mistakes: Mistakes) -> None:
    announcement_plan.check(params, mistakes, "")


def _watched_table(params: Mapping[str, Any], mistakes: Mistakes) -> None:
    watched.asked(params, None, mistakes)


def boot_files(params: Mapping[str, Any], mistakes: Mistakes) -> dict[str, Any]:
    """The files for the next boot, by suffix."""
    lists = boot._validated(dict(params))
    files: dict[str, Any] = boot._render(params["owner"], lists, mistakes)
    given = lists["packet_rules"] or {"marks": [], "source_nat": []}
    rules = packet_rules_plan.check(given["marks"] or [], given["source_nat"] or [], mistakes, "packet_rules.")
    files["nft"] = "\n".join(packet_rules_text.render_nft(params["owner"], rules)) if rules else None
    return files


def _metrics(params: Mapping[str, Any], mistakes: Mistakes) -> None:
    try:
        if params["metrics"]:
            description.read(params["metrics"])
    except forms.BadForm as wrong:
        mistakes.add("metrics", str(wrong))


CHECKS: Mapping[str, Callable[[Mapping[str, Any], Mistakes], object]] = {
    "kernel_modules": lambda params, mistakes: kmod_plan.check(params["modules"] or [], mistakes),
    "sysctls": lambda params, mistakes: sysctl_plan.check_values(params["values"] or {}, mistakes),
    "arp": _arp,
    "arp_filters": lambda params, mistakes: arp_filter_plan.check(params["filters"] or [], None, mistakes),
    "tunnels": lambda params, mistakes: tunnel_plan.check(params["tunnels"] or [], mistakes),
    "addresses": lambda params, mistakes: address_plan.check(params["addresses"] or [], None, mistakes),
    "gateways": lambda params, mistakes: gateway_plan.check(params["gateways"] or [], mistakes),
    "source_routes": lambda params, mistakes: source_route_plan.check(params["source_routes"] or [], mistakes),
    "neighbours": lambda params, mistakes: neighbour_plan.check(
        params["neighbours"] or [], None, mistakes, present=True
    ),
    "packet_rules": _packet_rules,
    "firewall": _firewall,
    "conntrackd": conntrackd_plan.read,
    "withdrawals": _announcements,
    "announcements": _announcements,
    # bird.conf is BIRD's to judge, on a host.
    "bird": lambda _params, _mistakes: None,
    "take_over": lambda params, mistakes: options.wanted_services(params["services"], "services", mistakes),
    "timeouts": settings_options.wanted_timeouts,
    "services": _table,
    "watched": _watched_table,
    "sync_daemons": lambda params, mistakes: settings_options.wanted_daemons(params["daemons"] or [], None, mistakes),
    "boot": boot_files,
    "metrics": _metrics,
}


def calls(plan: Mapping[str, Any], owner: str) -> list[host_state.Call]:
    """What is asked when the plan is added, and when what it has not is released."""
    every = [*CONCERNS]
    return host_state.adding(every, plan, owner, purge=False) + host_state.releasing(every, plan, owner)


def plan_refusals(plan: Mapping[str, Any], owner: str) -> list[str]:
    """What the module itself says to a plan."""
    messages: list[str] = ArgumentSpecValidator(host_state.SPEC).validate({"plan": plan, "owner": owner}).error_messages
    return messages


def refusals(call: host_state.Call) -> list[str]:
    """What a concern would say to its options before it looks at the host."""
    mistakes = Mistakes()
    validator = ArgumentSpecValidator(CONCERNS[call.concern].work()[0])
    result = validator.validate(call.options)
    found = list(result.error_messages)
    if not found:
        mistakes.owner(call.options["owner"])
        CHECKS[call.concern](result.validated_parameters, mistakes)
    try:
        mistakes.raise_if_any()
    except BadRequest as refused:
        found.append(str(refused))
    return found


def validated(call: host_state.Call) -> Mapping[str, Any]:
    parameters: Mapping[str, Any] = (
        ArgumentSpecValidator(CONCERNS[call.concern].work()[0]).validate(call.options).validated_parameters
    )
    return parameters
