# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the variables of one host say of it -> its part of the model. What is wrong is noted, and reading goes on."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from ipaddress import ip_address
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils import _sysctl_forms
from ansible_collections.lvs.topology.plugins.module_utils._forms import is_interface
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    DEFAULT_GROUP,
    DEFAULT_SYNC_PORT,
    DEFAULT_TIMEOUTS,
    DEFAULT_TTL,
)
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.settings_plan import message_lengths
from ansible_collections.lvs.topology.plugins.module_utils._metrics.description import (
    DEFAULT_DIRECTORY,
    DEFAULT_INTERVAL,
    INTERVALS,
    is_directory,
)
from ansible_collections.lvs.topology.plugins.module_utils._net.sysctl_plan import IPVS, IPVS_NAMES, canonical
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import choose, show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import (
    ARP_METHODS,
    FIREWALLS,
    Address,
    Host,
    Metrics,
    Sync,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model_of_vrrp import Vrrp
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import (
    as_address,
    as_boolean,
    as_network,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.bgp_settings import read_bgp
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.conntrackd_settings import read_conntrackd
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.variables import Variables
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.vrrp_settings import (
    read_keepalived,
    read_vrrp,
)

# How alike two names are of which one is the other with a letter too much, too few or wrong.
_MISSPELT = 0.9
_SCOPES = ("real_servers", "fwmark", "all")
DEFAULT_PURGE = ("real_servers",)
_SYNC_ROLES = {"master": ("master",), "backup": ("backup",), "both": ("master", "backup")}


def settings_of(variables: Variables, name: str) -> Host:
    """The host, with the defaults of what is not set or wrong."""
    return _Settings(variables).read(name)


class _Settings:
    def __init__(self, variables: Variables) -> None:
        self._variables = variables

    def read(self, name: str) -> Host:
        manager = self._choice(name, "lvs_manager", forms.MANAGERS)
        arp_method = self._choice(name, "lvs_arp_method", ARP_METHODS)
        if (
            arp_method == "static_neighbour"
            and self._variables.of_the_inventory(name, "lvs_arp_method")[1] != arp_method
        ):
            problem = "static_neighbour is set for the role alone, and the router, which has to do it, does not see it"
            self._variables.mistake(
                name, "lvs_arp_method", problem, "set lvs_arp_method: static_neighbour in the inventory"
            )
        packet_filter = self._choice(name, "lvs_packet_filter", forms.PACKET_FILTERS)
        return Host(
            name=name,
            manager=manager,
            addresses=self._addresses(name),
            vip_interface=self._vip_interface(name),
            packet_filter=packet_filter,
            firewall=self._choice(name, "lvs_firewall", FIREWALLS),
            gateways=self._gateways(name),
            arp_method=arp_method,
            purge=self._purge(name),
            keep_weights=self._boolean(name, "lvs_keep_weights"),
            take_over=self._boolean(name, "lvs_take_over"),
            sysctls=self._sysctls(name),
            timeouts=self._timeouts(name),
            sync=self._sync(name, manager),
            conntrackd=read_conntrackd(self._variables, name),
            vrrp=self._vrrp(name),
            keepalived=read_keepalived(
                self._variables.mapping(name, "lvs_keepalived", "{router_id: NAME}"),
                name,
                f"{name}: lvs_keepalived",
                self._variables.mistakes,
            ),
            metrics=self._metrics(name),
            bgp=read_bgp(self._variables, name, self._addresses(name)),
        )

    def _choice(self, name: str, variable: str, choices: tuple[str, ...]) -> str:
        """One of these, and the first where nothing is set."""
        value = self._variables.text(name, variable) or choices[0]
        if value not in choices:
            self._variables.mistake(name, variable, f"{show(value)} is not known", choose(value, choices))
        return value

    def _vip_interface(self, host: str) -> str | None:
        name = self._variables.text(host, "lvs_vip_interface")
        if name and not is_interface(name):
            self._variables.mistake(
                host, "lvs_vip_interface", f"{show(name)} is no name of an interface", "write it as eth1"
            )
            return None
        return name or None

    def _addresses(self, host: str) -> tuple[Address, ...]:
        _given, value = self._variables.variable(host, "lvs_address")
        if value is None or value == "":
            # Often a name, or the address of a management network: the default where there is nothing better.
            address = as_address(self._variables.variable(host, "ansible_host")[1])
            return () if address is None or forms.OWN_ADDRESS.problem(address) else (address,)
        return self._one_of_each_family(
            host,
            "lvs_address",
            value,
            forms.OWN_ADDRESS,
            "write the host's own address, without a prefix, or a list with one for IPv4 and one for IPv6",
            "lists two addresses of one address family",
        )

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
                self._variables.mistake(host, variable, f"{show(each)} {problem}", remedy)
        if len({address.version for address in known}) < len(known):
            self._variables.mistake(host, variable, two_of_one, "keep one for IPv4 and one for IPv6")
        return tuple(known)

    def _gateways(self, host: str) -> tuple[Address, ...] | None:
        given, value = self._variables.variable(host, "lvs_gateway")
        if not given or value == "auto":
            return None
        if value in (None, "", "none"):
            return ()
        remedy = "write an address, auto, or none to leave the default route alone"
        twice = "lists two gateways of one address family"
        return self._one_of_each_family(host, "lvs_gateway", value, forms.GATEWAY, remedy, twice)

    def _boolean(self, host: str, variable: str) -> bool:
        """What is false where nothing is set."""
        _given, value = self._variables.variable(host, variable)
        boolean = False if value is None else as_boolean(value)
        if boolean is None:
            self._variables.mistake(host, variable, f"{show(value)} is no boolean", "use true or false")
        return bool(boolean)

    def _metrics(self, host: str) -> Metrics | None:
        _given, value = self._variables.variable(host, "lvs_metrics_interval")
        interval = DEFAULT_INTERVAL if value is None else forms.integer(value)
        if interval not in INTERVALS:
            remedy = f"use {INTERVALS} seconds"
            self._variables.mistake(host, "lvs_metrics_interval", f"{show(value)} is no interval", remedy)
            interval = DEFAULT_INTERVAL
        directory = self._variables.text(host, "lvs_metrics_directory") or DEFAULT_DIRECTORY
        if not is_directory(directory):
            problem = f"{show(directory)} is no absolute path of letters, digits and /._-+@"
            self._variables.mistake(host, "lvs_metrics_directory", problem, f"write it as {DEFAULT_DIRECTORY}")
            directory = DEFAULT_DIRECTORY
        return Metrics(directory, interval or DEFAULT_INTERVAL) if self._boolean(host, "lvs_metrics") else None

    def _purge(self, host: str) -> tuple[str, ...]:
        given, value = self._variables.variable(host, "lvs_purge")
        if not given:
            return DEFAULT_PURGE
        if value is None:
            remedy = f"write [] to purge nothing, or leave it out for {', '.join(DEFAULT_PURGE)}"
            self._variables.mistake(host, "lvs_purge", "has nothing below it", remedy)
            return ()
        if not isinstance(value, list):
            problem = f"must be a list of scopes, is {show(value)}"
            self._variables.mistake(host, "lvs_purge", problem, "write each on a line with a dash")
            return ()
        for position, scope in enumerate(value):
            if scope in _SCOPES or as_network(scope):
                continue
            remedy = "use real_servers, fwmark, all, or a network such as 10.0.0.0/8 without host bits"
            self._variables.mistake(host, f"lvs_purge[{position}]", f"{show(scope)} is no scope", remedy)
        return tuple(map(str, value))

    def _sysctls(self, host: str) -> tuple[tuple[str, str | None], ...]:
        _given, value = self._variables.variable(host, "lvs_sysctls")
        if value is None:
            return ()
        if not isinstance(value, Mapping):
            problem = f"must be a mapping, is {show(value)}"
            self._variables.mistake(host, "lvs_sysctls", problem, "write it as net.ipv4.vs.backup_only: 1")
            return ()
        sysctls: dict[str, str | None] = {}
        for key, setting in value.items():
            path = f"lvs_sysctls[{forms.word(key)}]"
            name = canonical(key)
            if name is None:
                self._variables.mistake(host, path, "is not the name of a sysctl", "write it as net.ipv4.ip_forward")
                continue
            if name in sysctls:
                problem = f"is {name} in another notation, which is listed already"
                self._variables.mistake(host, path, problem, "keep one of the two")
            # Later kernels have more names than are known here; the host says whether it has this one.
            close = get_close_matches(name[len(IPVS) :], IPVS_NAMES, n=1, cutoff=_MISSPELT)
            if name.startswith(IPVS) and name[len(IPVS) :] not in IPVS_NAMES and close:
                self._variables.mistake(host, path, "is not known", f"did you mean {close[0]}? Otherwise leave it out")
            try:
                sysctls[name] = None if setting is None else _sysctl_forms.line(setting)
            except forms.BadForm as wrong:
                problem = f"{show(setting)} {wrong}"
                self._variables.mistake(host, path, problem, "write a number or text, or null to leave the key alone")
        return tuple(sysctls.items())

    def _vrrp(self, name: str) -> Vrrp:
        raw = self._variables.mapping(name, "lvs_vrrp", "{router_id: 51}")
        return read_vrrp(
            raw, f"{name}: lvs_vrrp", self._variables.mistakes, is_wrong=self._variables.is_wrong(name, "lvs_vrrp")
        )

    def _timeouts(self, host: str) -> tuple[tuple[str, int], ...]:
        reader = self._variables.keys(host, "lvs_timeouts", "{tcp: 900, tcpfin: 120, udp: 300}")
        if reader is None:
            return ()
        timeouts = {name: reader.integer(name, *forms.TIMEOUTS, default=0) for name in DEFAULT_TIMEOUTS}
        reader.finish()
        # 0 is the kernel's own way to leave one as it is.
        return tuple((name, seconds) for name, seconds in timeouts.items() if seconds)

    def _sync(self, host: str, manager: str) -> Sync | None:
        reader = self._variables.keys(host, "lvs_sync", "{role: master, interface: eth1, syncid: 1}")
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
