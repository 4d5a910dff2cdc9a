# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of the inventory, each read when it is asked for and only once."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cached_property
from ipaddress import ip_address
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._forms import is_interface
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.settings_plan import message_lengths
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.types import (
    DEFAULT_GROUP,
    DEFAULT_SYNC_PORT,
    DEFAULT_TIMEOUTS,
    DEFAULT_TTL,
)
from ansible_collections.lvs.topology.plugins.module_utils._net.sysctl_plan import (
    IPVS,
    IPVS_NAMES,
    canonical,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.config_text import discreet
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.facts import read_facts
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.mistakes import (
    Mistake,
    choose,
    show,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.model import (
    ARP_METHODS,
    MANAGERS,
    Address,
    Facts,
    Host,
    Sync,
    Vrrp,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.values import (
    Reader,
    as_address,
    as_boolean,
    as_network,
    plain,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.vrrp_settings import read_keepalived, read_vrrp

# How alike two names are of which one is the other with a letter too much, too few or wrong.
_MISSPELT = 0.9
# Where text stands in place of a mapping, it may be lines with a password.
_WITH_PASSWORDS = ("lvs_vrrp", "lvs_keepalived")
_STATES = ("present", "absent")
_SCOPES = ("real_servers", "fwmark", "all")
DEFAULT_PURGE = ("real_servers",)
OVERRIDABLE = (
    "lvs_address",
    "lvs_arp_method",
    "lvs_gateway",
    "lvs_keep_weights",
    "lvs_keepalived",
    "lvs_manager",
    "lvs_packet_filter",
    "lvs_purge",
    "lvs_sync",
    "lvs_sysctls",
    "lvs_timeouts",
    "lvs_vip_interface",
    "lvs_vrrp",
)
_SYNC_ROLES = {"master": ("master",), "backup": ("backup",), "both": ("master", "backup")}


class Inventory:
    """Reads hostvars defensively: values may be missing, undefined, templated or of the wrong type."""

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
        self._prepared = prepared
        self._hostvars = hostvars
        self._groups = groups
        self._reader = reader
        self._overrides = overrides or {}
        self._mistakes = mistakes
        self._variables: dict[str, Mapping[str, Any]] = {}
        self._hosts: dict[str, Host] = {}
        self._facts: dict[str, Facts] = {}
        self._absent: dict[str, bool] = {}
        self._wrong: set[tuple[str, str]] = set()

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

    def names(self) -> list[str]:
        return [str(name) for name in self._hostvars if isinstance(name, str)]

    def group_name(self, group: str) -> str:
        """What the inventory calls the group: lvs_directors_group and its like may say otherwise."""
        for host in self.names() if self._reader is None else [self._reader]:
            _given, name = self.variable(host, f"{group}_group")
            if isinstance(name, str) and name:
                return name
            if name:
                self._mistake(host, f"{group}_group", f"{show(name)} is no name of a group", "write one word")
        return group

    def _group(self, group: str) -> tuple[str, ...]:
        members = self._groups.get(self.group_name(group))
        if not isinstance(members, (list, tuple)):
            return ()
        return tuple(str(host) for host in members if isinstance(host, str) and host in self._hostvars)

    def variable(self, host: str, name: str) -> tuple[bool, Any]:
        """Whether the variable is set on the host, and its plain value. One that cannot be evaluated is a mistake."""
        if host == self._reader and name in self._overrides:
            return True, self._overrides[name]
        return self._inventory_variable(host, name)

    def is_of_the_role_alone(self, host: str, name: str) -> bool:
        """Whether a variable stands above the inventory's with another value, which other hosts do not see."""
        if host != self._reader or name not in self._overrides:
            return False
        return (self._overrides[name] or None) != (self._inventory_variable(host, name)[1] or None)

    def _inventory_variable(self, host: str, name: str) -> tuple[bool, Any]:
        variables = self._variables_of(host)
        try:
            return (True, plain(variables[name])) if name in variables else (False, None)
        except Exception as error:  # a template may raise anything
            self._not_evaluated(host, name, error)
            return False, None

    def _peek(self, host: str, name: str) -> Any:
        """The value of a variable, None where it cannot be evaluated: for hosts that the model may not concern."""
        if host == self._reader and name in self._overrides:
            return self._overrides[name]
        try:
            return plain(self._variables_of(host).get(name))
        except Exception:  # a template may raise anything
            return None

    def _peek_at_facts(self, host: str) -> Facts:
        if host not in self._facts:
            try:
                self._facts[host] = self._evaluated_facts(host)
            except Exception:  # a template may raise anything
                return Facts()
        return self._facts[host]

    def is_wrong(self, host: str, variable: str) -> bool:
        """Whether the variable was refused: then what is missing because of that is no mistake of its own."""
        return (host, variable) in self._wrong

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
        value = self._peek(name, "lvs_address") or self._peek(name, "ansible_host")
        every = map(as_address, value if isinstance(value, list) else [value])
        return tuple(each for each in every if each is not None and not forms.OWN_ADDRESS.problem(each))

    def is_reached_at(self, name: str, address: Address) -> bool:
        """Whether it is only known of the address that ansible reaches the host there."""
        return (
            not self.variable(name, "lvs_address")[1] and as_address(self.variable(name, "ansible_host")[1]) == address
        )

    def host(self, name: str) -> Host:
        """The host's part of the model. Its mistakes are noted when it is first read."""
        if name not in self._hosts:
            self._hosts[name] = self._read_host(name)
        return self._hosts[name]

    def facts(self, name: str) -> Facts:
        """What is known of the host's network, which may be nothing."""
        if name not in self._facts:
            self._facts[name] = self._read_facts(name) if name in self._hostvars else Facts()
        return self._facts[name]

    def _variables_of(self, host: str) -> Mapping[str, Any]:
        # Looking a host up in hostvars merges all its variables anew each time.
        if host not in self._variables:
            variables = self._hostvars[host]
            self._variables[host] = variables if isinstance(variables, Mapping) else {}
        return self._variables[host]

    def _read_facts(self, name: str) -> Facts:
        try:
            return self._evaluated_facts(name)
        except Exception as error:  # facts may be given as variables, with templates in them
            self._not_evaluated(name, "ansible_facts", error)
            return Facts()

    def _evaluated_facts(self, name: str) -> Facts:
        raw = self._variables_of(name).get("ansible_facts")
        return read_facts(raw) if isinstance(raw, Mapping) else Facts()

    def _read_host(self, name: str) -> Host:
        manager = self._text(name, "lvs_manager") or MANAGERS[0]
        if manager not in MANAGERS:
            self._mistake(name, "lvs_manager", f"{show(manager)} is not known", choose(manager, MANAGERS))
        arp_method = self._text(name, "lvs_arp_method") or ARP_METHODS[0]
        if arp_method not in ARP_METHODS:
            problem = f"{show(arp_method)} is not known"
            self._mistake(name, "lvs_arp_method", problem, choose(arp_method, ARP_METHODS))
        elif arp_method == "static_neighbour" and self._inventory_variable(name, "lvs_arp_method")[1] != arp_method:
            problem = "static_neighbour is set for the role alone, and the router, which has to do it, does not see it"
            self._mistake(name, "lvs_arp_method", problem, "set lvs_arp_method: static_neighbour in the inventory")
        packet_filter = self._text(name, "lvs_packet_filter") or forms.PACKET_FILTERS[0]
        if packet_filter not in forms.PACKET_FILTERS:
            problem = f"{show(packet_filter)} is not known"
            self._mistake(name, "lvs_packet_filter", problem, choose(packet_filter, forms.PACKET_FILTERS))
        return Host(
            name=name,
            manager=manager,
            addresses=self._addresses(name),
            vip_interface=self._vip_interface(name),
            packet_filter=packet_filter,
            gateways=self._gateways(name),
            arp_method=arp_method,
            purge=self._purge(name),
            keep_weights=self._keep_weights(name),
            sysctls=self._sysctls(name),
            timeouts=self._timeouts(name),
            sync=self._sync(name, manager),
            vrrp=self._vrrp(name),
            keepalived=read_keepalived(
                self._mapping(name, "lvs_keepalived", "{router_id: NAME}"),
                name,
                f"{name}: lvs_keepalived",
                self._mistakes,
            ),
        )

    def _read_state(self, host: str) -> Any:
        given, value = self.variable(host, "lvs_state")
        if given and value not in _STATES:
            self._mistake(host, "lvs_state", f"{show(value)} is not known", choose(value, _STATES))
        return value

    def _mistake(self, host: str, variable: str, problem: str, remedy: str) -> None:
        self._wrong.add((host, variable))
        self._mistakes.append(Mistake(f"{host}: {variable}", problem, remedy))

    def _not_evaluated(self, host: str, variable: str, error: Exception) -> None:
        message = " ".join(str(error).split())
        self._mistake(host, variable, f"cannot be evaluated: {message}", "define what it refers to")

    def _text(self, host: str, variable: str) -> str | None:
        _given, value = self.variable(host, variable)
        if value is None or isinstance(value, str):
            return value
        self._mistake(host, variable, f"must be text, is {show(value)}", "write one word")
        return None

    def _vip_interface(self, host: str) -> str | None:
        name = self._text(host, "lvs_vip_interface")
        if name and not is_interface(name):
            self._mistake(host, "lvs_vip_interface", f"{show(name)} is no name of an interface", "write it as eth1")
            return None
        return name or None

    def _addresses(self, host: str) -> tuple[Address, ...]:
        _given, value = self.variable(host, "lvs_address")
        if value is None or value == "":
            # Often a name, or the address of a management network: the default where there is nothing better.
            address = as_address(self.variable(host, "ansible_host")[1])
            return () if address is None or forms.OWN_ADDRESS.problem(address) else (address,)
        return self._one_of_each_family(
            host,
            "lvs_address",
            value,
            forms.OWN_ADDRESS,
            "write the host's own address, without a prefix, or a list with one for IPv4 and one for IPv6",
            "lists two addresses of one address family",
        )

    def reached_by_loopback(self, host: str) -> Address | None:
        """What Ansible reaches the host by, where that is no address for anybody else and nothing better is said."""
        if self.variable(host, "lvs_address")[1] not in (None, ""):
            return None
        address = as_address(self.variable(host, "ansible_host")[1])
        return address if address is not None and forms.OWN_ADDRESS.problem(address) else None

    def _one_of_each_family(
        self, host: str, variable: str, value: Any, purpose: forms.Purpose, remedy: str, two_of_one: str
    ) -> tuple[Address, ...]:
        """One address, or a list with one for IPv4 and one for IPv6."""
        known: list[Address] = []
        for each in value if isinstance(value, list) else [value]:
            address = as_address(each)
            problem = "is no IP address" if address is None else purpose.problem(address)
            if address is not None and problem is None:
                known.append(address)
            else:
                self._mistake(host, variable, f"{show(each)} {problem}", remedy)
        if len({address.version for address in known}) < len(known):
            self._mistake(host, variable, two_of_one, "keep one for IPv4 and one for IPv6")
        return tuple(known)

    def _gateways(self, host: str) -> tuple[Address, ...] | None:
        given, value = self.variable(host, "lvs_gateway")
        if not given or value == "auto":
            return None
        if value in (None, "", "none"):
            return ()
        remedy = "write an address, auto, or none to leave the default route alone"
        twice = "lists two gateways of one address family"
        return self._one_of_each_family(host, "lvs_gateway", value, forms.GATEWAY, remedy, twice)

    def _keep_weights(self, host: str) -> bool:
        _given, value = self.variable(host, "lvs_keep_weights")
        boolean = False if value is None else as_boolean(value)
        if boolean is None:
            self._mistake(host, "lvs_keep_weights", f"{show(value)} is no boolean", "use true or false")
        return bool(boolean)

    def _purge(self, host: str) -> tuple[str, ...]:
        given, value = self.variable(host, "lvs_purge")
        if not given:
            return DEFAULT_PURGE
        if value is None:
            remedy = f"write [] to purge nothing, or leave it out for {', '.join(DEFAULT_PURGE)}"
            self._mistake(host, "lvs_purge", "has nothing below it", remedy)
            return ()
        if not isinstance(value, list):
            problem = f"must be a list of scopes, is {show(value)}"
            self._mistake(host, "lvs_purge", problem, "write each on a line with a dash")
            return ()
        for position, scope in enumerate(value):
            if scope in _SCOPES or as_network(scope):
                continue
            remedy = "use real_servers, fwmark, all, or a network such as 10.0.0.0/8 without host bits"
            self._mistake(host, f"lvs_purge[{position}]", f"{show(scope)} is no scope", remedy)
        return tuple(map(str, value))

    def _sysctls(self, host: str) -> tuple[tuple[str, str | None], ...]:
        _given, value = self.variable(host, "lvs_sysctls")
        if value is None:
            return ()
        if not isinstance(value, Mapping):
            problem = f"must be a mapping, is {show(value)}"
            self._mistake(host, "lvs_sysctls", problem, "write it as net.ipv4.vs.backup_only: 1")
            return ()
        sysctls: dict[str, str | None] = {}
        for key, setting in value.items():
            path = f"lvs_sysctls[{forms.word(key)}]"
            name = canonical(key)
            if name is None:
                self._mistake(host, path, "is not the name of a sysctl", "write it as net.ipv4.ip_forward")
                continue
            if name in sysctls:
                problem = f"is {name} in another notation, which is listed already"
                self._mistake(host, path, problem, "keep one of the two")
            # Later kernels have more names than are known here; the host says whether it has this one.
            close = get_close_matches(name[len(IPVS) :], IPVS_NAMES, n=1, cutoff=_MISSPELT)
            if name.startswith(IPVS) and name[len(IPVS) :] not in IPVS_NAMES and close:
                self._mistake(host, path, "is not known", f"did you mean {close[0]}? Otherwise leave it out")
            try:
                sysctls[name] = None if setting is None else forms.sysctl_value(setting)
            except forms.BadForm as wrong:
                problem = f"{show(setting)} {wrong}"
                self._mistake(host, path, problem, "write a number or text, or null to leave the key alone")
        return tuple(sysctls.items())

    def _mapping(self, host: str, variable: str, example: str) -> Mapping[str, Any]:
        """A variable that is a mapping; empty where it is not set."""
        _given, value = self.variable(host, variable)
        if value is not None and not isinstance(value, Mapping):
            said = discreet(value) if variable in _WITH_PASSWORDS else show(value)
            self._mistake(host, variable, f"must be a mapping, is {said}", f"write it as {example}")
        return value if isinstance(value, Mapping) else {}

    def _vrrp(self, name: str) -> Vrrp:
        raw = self._mapping(name, "lvs_vrrp", "{router_id: 51}")
        return read_vrrp(raw, f"{name}: lvs_vrrp", self._mistakes, is_wrong=self.is_wrong(name, "lvs_vrrp"))

    def _keys(self, host: str, variable: str, example: str) -> Reader | None:
        """The keys of a variable that is a mapping; None where it is not set, or empty."""
        value = self._mapping(host, variable, example)
        return Reader(value, f"{host}: {variable}", self._mistakes) if value else None

    def _timeouts(self, host: str) -> tuple[tuple[str, int], ...]:
        reader = self._keys(host, "lvs_timeouts", "{tcp: 900, tcpfin: 120, udp: 300}")
        if reader is None:
            return ()
        timeouts = {name: reader.integer(name, *forms.TIMEOUTS, default=0) for name in DEFAULT_TIMEOUTS}
        reader.finish()
        # 0 is the kernel's own way to leave one as it is.
        return tuple((name, seconds) for name, seconds in timeouts.items() if seconds)

    def _sync(self, host: str, manager: str) -> Sync | None:
        reader = self._keys(host, "lvs_sync", "{role: master, interface: eth1, syncid: 1}")
        if reader is None:
            return None
        role = reader.take("role")
        if manager == "keepalived":
            states: tuple[str, ...] = _SYNC_ROLES["both"]
            if role is not None:
                problem = "has no meaning with lvs_manager: keepalived, which makes the VRRP master the sending one"
                reader.refuse("role", problem, "leave it out")
        else:
            if role is None:
                reader.refuse("role", "is missing", choose(None, _SYNC_ROLES))
            states = _SYNC_ROLES.get(reader.choice("role", _SYNC_ROLES, ""), ())
        interface = reader.take("interface")
        if interface is not None and not is_interface(interface):
            reader.refuse("interface", f"{show(interface)} is no name of an interface", "write it as eth1")
            interface = None
        raw_group = reader.take("group")
        group = as_address(DEFAULT_GROUP if raw_group is None else raw_group)
        if group is None or not group.is_multicast or forms.ANY.problem(group):
            reader.refuse("group", f"{show(raw_group)} is no multicast address", f"use {DEFAULT_GROUP} or ff02::81")
            group = ip_address(DEFAULT_GROUP)
        # A length is taken by every daemon; 0 is what fits.
        least = max((message_lengths(state, str(group))[0] for state in states), default=1)
        most = message_lengths("master", str(group))[1]
        sync = Sync(
            states=states,
            interface=interface,
            syncid=reader.integer("syncid", *forms.SYNC_IDS, default=0),
            maxlen=0 if reader.take("maxlen") == 0 else reader.integer("maxlen", least, most, default=0),
            group=group,
            port=reader.integer("port", *forms.REAL_PORTS, default=DEFAULT_SYNC_PORT),
            ttl=reader.integer("ttl", *forms.TTLS, default=DEFAULT_TTL),
        )
        reader.finish()
        return sync
