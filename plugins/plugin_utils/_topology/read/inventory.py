# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of the inventory, each read when it is asked for and only once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake, choose, show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address, Facts, Host
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import as_address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.facts import read_facts
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.host_settings import settings_of
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.variables import Variables

_STATES = ("present", "absent")
OVERRIDABLE = (
    "lvs_address",
    "lvs_arp_method",
    "lvs_bgp",
    "lvs_conntrackd",
    "lvs_firewall",
    "lvs_gateway",
    "lvs_keep_weights",
    "lvs_keepalived",
    "lvs_manager",
    "lvs_metrics",
    "lvs_metrics_directory",
    "lvs_metrics_interval",
    "lvs_packet_filter",
    "lvs_purge",
    "lvs_sync",
    "lvs_sysctls",
    "lvs_take_over",
    "lvs_timeouts",
    "lvs_vip_interface",
    "lvs_vrrp",
)
# Every variable that an inventory may have; those of single playbooks are in playbooks/tasks/variables.yml.
NAMES = frozenset(
    [
        *OVERRIDABLE,
        "lvs_clients_group",
        "lvs_directors_group",
        "lvs_real_servers_group",
        "lvs_routers_group",
        "lvs_services",
        "lvs_state",
        "lvs_turn_patience",
    ]
)


class Inventory(Variables):
    """The groups, and what is known of each host: its part of the model, its facts, its addresses."""

    def __init__(
        self,
        hostvars: Mapping[str, Any],
        groups: Mapping[str, Any],
        mistakes: list[Mistake],
        reader: str | None = None,
        overrides: Mapping[str, Any] | None = None,
        prepared: str | None = None,
    ) -> None:
        """``reader`` is the host for which all this is read; ``overrides`` stand above its variables.

        ``prepared`` is a host that is prepared as a real server whether it is in the group or not.
        """
        super().__init__(hostvars, mistakes, reader, overrides or {})
        self._prepared = prepared
        self._groups = groups
        self._hosts: dict[str, Host] = {}
        self._facts: dict[str, Facts] = {}
        self._absent: dict[str, bool] = {}

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._hostvars

    @cached_property
    def directors(self) -> tuple[str, ...]:
        return self._group("lvs_directors")

    @cached_property
    def real_servers(self) -> tuple[str, ...]:
        return self._group("lvs_real_servers")

    @cached_property
    def routers(self) -> tuple[str, ...]:
        return self._group("lvs_routers")

    @cached_property
    def clients(self) -> tuple[str, ...]:
        return self._group("lvs_clients")

    @cached_property
    def members(self) -> tuple[str, ...]:
        """The hosts that take part."""
        every = dict.fromkeys([*self.directors, *self.real_servers, *self.routers])
        return tuple(name for name in every if not self.is_absent(name))

    def names(self) -> list[str]:
        return [str(name) for name in self._hostvars if isinstance(name, str)]

    def group_name(self, group: str) -> str:
        """What the inventory calls the group: lvs_directors_group and its like may say otherwise."""
        for host in self.names() if self._reader is None else [self._reader]:
            _given, name = self.variable(host, f"{group}_group")
            if isinstance(name, str) and name:
                return name
            if name:
                self.mistake(host, f"{group}_group", f"{show(name)} is no name of a group", "write one word")
        return group

    def _group(self, group: str) -> tuple[str, ...]:
        members = self._groups.get(self.group_name(group))
        if not isinstance(members, (list, tuple)):
            return ()
        return tuple(str(host) for host in members if isinstance(host, str) and host in self._hostvars)

    def _peek_at_facts(self, host: str) -> Facts:
        if host not in self._facts:
            try:
                self._facts[host] = self._evaluated_facts(host)
            except Exception:  # a template may raise anything
                return Facts()
        return self._facts[host]

    def is_absent(self, name: str) -> bool:
        """Whether the host is to be put back: it takes no part, and no other variable of it is looked at."""
        if name not in self._absent:
            self._absent[name] = name in self._hostvars and self._read_state(name) == "absent"
        return self._absent[name]

    def has_group(self, group: str) -> bool:
        """Whether the inventory has the group at all; a role may be used without it."""
        return self.group_name(group) in self._groups

    def hosts_by_address(self, foreign: frozenset[Address]) -> dict[Address, str]:
        """Which host that is prepared as a real server an address is: as the inventory says, else as facts do.

        An address that facts show on several hosts, such as that of a bridge for containers, is none of them. Neither
        are the ``foreign`` ones, which move. Without the group of real servers any host may be one.
        """
        names = dict.fromkeys(self.real_servers if self.has_group("lvs_real_servers") else self.names())
        if self._prepared is not None:
            names[self._prepared] = None
        written: dict[Address, str] = {}
        seen: dict[Address, set[str]] = {}
        for name in names:
            for address in self.written_addresses(name):
                written.setdefault(address, name)
            for interface in self._peek_at_facts(name).interfaces or ():
                for own in interface.addresses:
                    if interface.name != "lo" and not forms.OWN_ADDRESS.problem(own.ip):
                        seen.setdefault(own.ip, set()).add(name)
        known = {address: min(hosts) for address, hosts in seen.items() if len(hosts) == 1 and address not in foreign}
        return known | written

    def written_addresses(self, name: str) -> tuple[Address, ...]:
        """What the inventory says of a host's addresses; whether it may say so is looked at where the host is used."""
        value = self.peek(name, "lvs_address") or self.peek(name, "ansible_host")
        every = map(as_address, value if isinstance(value, list) else [value])
        return tuple(each for each in every if each is not None and not forms.OWN_ADDRESS.problem(each))

    def names_address(self, name: str) -> bool:
        """Whether lvs_address says which address is the host's. Else it may be that by which Ansible reaches it."""
        return self.variable(name, "lvs_address")[1] not in (None, "")

    def host(self, name: str) -> Host:
        """The host's part of the model. Its mistakes are noted when it is first read."""
        if name not in self._hosts:
            self._hosts[name] = settings_of(self, name)
        return self._hosts[name]

    def facts(self, name: str) -> Facts:
        """What is known of the host's network, which may be nothing."""
        if name not in self._facts:
            self._facts[name] = self._read_facts(name) if name in self._hostvars else Facts()
        return self._facts[name]

    def _read_facts(self, name: str) -> Facts:
        try:
            return self._evaluated_facts(name)
        except Exception as error:  # facts may be given as variables, with templates in them
            self.not_evaluated(name, "ansible_facts", error)
            return Facts()

    def _evaluated_facts(self, name: str) -> Facts:
        raw = self.variables_of(name).get("ansible_facts")
        return read_facts(raw) if isinstance(raw, Mapping) else Facts()

    def _read_state(self, host: str) -> Any:
        given, value = self.variable(host, "lvs_state")
        if given and value not in _STATES:
            self.mistake(host, "lvs_state", f"{show(value)} is not known", choose(value, _STATES))
        return value
