# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The virtual servers of keepalived.conf -> entries of lvs_services. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._import.found import (
    Found,
    family_name,
    name_of,
    persistence,
    written,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_checks import (
    TIMES,
    Check,
    Checked,
    Reading,
    read_checks,
    read_times,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_conf import Block, Node
from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_groups import Identity, identities_of
from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_pools import common_checks
from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_values import (
    address,
    port_of,
    run,
    switch,
    whole,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.bgp import is_announcement

# Of persistence_timeout without a number.
_PERSISTENCE = 360
_METHODS = {"NAT": "nat", "DR": "dr", "TUN": "tun"}
_CHECKSUMS = {"nocsum": "none", "csum": "on", "remcsum": "remote"}
_FLAGS = {"flag-1": 1, "flag-2": 0}
_RAW = ("ha_suspend", "snmp_name", "sorry_server_inhibit")
# What is read of a real server once, whatever its block is for.
_OF_REAL_SERVER = (
    *("weight", "uthreshold", "lthreshold", "lvs_method", "lb_kind"),
    *("notify_up", "notify_down", "inhibit_on_failure", "alpha", "smtp_alert"),
)


@dataclass(frozen=True)
class _Server:
    node: Node
    address: Address
    written_port: int | None
    forward: str | None
    tunnel: dict[str, Any] | None
    entry: dict[str, Any]


def read_virtual_server(
    node: Node, groups: Mapping[str, Node], marks: Mapping[int, Address], reading: Reading
) -> list[Found]:
    """The services of one block: several where it is for a group."""
    remarks = reading.remarks
    identities = list(identities_of(node, groups, remarks))
    if not identities:
        return []
    block = Block(node, remarks)
    common = _Common(block, identities, reading)
    if not common.servers:
        remarks.lost(node.place, node.words, "it has no real server, and keepalived leaves such a service out")
        return []
    methods = {each.forward or common.forward for each in common.servers}
    if len(methods) > 1:
        for each in common.servers:
            method = each.forward or common.forward
            remarks.lost(each.node.place, each.node.words, f"it is reached by {method}")
        reason = f"its real servers are reached by {' and '.join(sorted(methods))}: a service has one method"
        remarks.lost(node.place, node.words, reason)
        return []
    found = [each for each in (common.service(each, marks) for each in identities) if each]
    if len(found) > 1:
        for service in found:
            service.entry = written({**service.entry, "group": node.argument(1)})
    return found


class _Common:
    """What a block virtual_server says, whichever addresses it is for."""

    def __init__(self, block: Block, identities: list[Identity], reading: Reading) -> None:
        self._block, self._reading, self._remarks = block, reading, reading.remarks
        self._identities = identities
        self._is_mark_only = all(each.fwmark is not None for each in identities)
        self.forward, self._tunnel = self._method(block.last("lb_kind", "lvs_method"), "nat")
        self._family = self._read_family()
        self._protocol = self._read_protocol()
        self._scheduler, self._flags = self._read_scheduler()
        self._timeout = self._read_persistence()
        mask = block.last("persistence_granularity")
        self._netmask: Any = None if mask is None else mask.argument()
        if mask is not None and self._timeout is None:
            self._timeout = _PERSISTENCE
        self._engine = self._argument("persistence_engine")
        self._one_packet = bool(block.has("ops"))
        self._times = read_times(block)
        self._times_at = [each for each in block.node.children if each.keyword in TIMES]
        self._virtual_host = self._argument("virtualhost")
        self._settings = self._read_settings()
        weight = whole(block.last("weight"), self._remarks, 0, 2**31 - 1)
        self._weight = 1 if weight is None else weight
        self._sorry = self._read_sorry()
        self.servers = [each for each in map(self._server, block.all("real_server")) if each]
        self._raw = block.raw(_RAW)
        block.finish({"hashed": "the scheduler is what says so"})

    def _argument(self, keyword: str) -> str | None:
        node = self._block.last(keyword)
        return node.argument() if node else None

    def _method(self, node: Node | None, otherwise: str | None) -> tuple[Any, dict[str, Any] | None]:
        """The forwarding method, and of a tunnel how packets are wrapped."""
        if node is None:
            return otherwise, None
        method = _METHODS.get(node.argument() or "")
        if method is None:
            self._remarks.lost(node.place, node.words, f"the methods are {', '.join(_METHODS)}")
            return otherwise, None
        words = list(node.arguments[1:])
        given = {key: words[position + 1] for position, key in enumerate(words[:-1]) if key in ("type", "port")}
        if not words:
            return method, None
        tunnel: dict[str, Any] = {"type": given.get("type", "ipip")}
        if "port" in given:
            tunnel["port"] = port_of(given["port"])
        checksum = next((_CHECKSUMS[each] for each in words if each in _CHECKSUMS), "none")
        if checksum != "none":
            tunnel["checksum"] = checksum
        strange = [each for each in words if each not in (*_CHECKSUMS, *given, *given.values())]
        if strange:
            self._remarks.lost(node.place, strange, "the model has no such option of a tunnel")
        return method, tunnel

    def _read_family(self) -> int | None:
        text = self._argument("ip_family")
        return {"inet": 4, "inet6": 6}.get(text) if text else None

    def _read_protocol(self) -> str:
        node = self._block.last("protocol")
        if node is None:
            return "udp"
        if self._is_mark_only:
            self._remarks.note(node.place, node.words, "has no meaning with a firewall mark: keepalived leaves it out")
        protocol = (node.argument() or "").lower()
        if protocol in forms.PROTOCOLS:
            return protocol
        self._remarks.lost(node.place, node.words, "keepalived knows no such protocol, and takes UDP")
        return "udp"

    def _read_scheduler(self) -> tuple[str, list[str]]:
        node = self._block.last("lb_algo", "lvs_sched")
        scheduler = node.argument() if node else None
        if node and scheduler not in forms.SCHEDULERS:
            self._remarks.lost(node.place, node.words, "the model knows no such scheduler: it is wlc here")
            scheduler = None
        chosen = scheduler or forms.DEFAULT_SCHEDULER
        known = forms.FLAGS_OF_SCHEDULER.get(chosen, ())
        flags = []
        for each in self._block.all("sh-port", "sh-fallback", "mh-port", "mh-fallback", "flag-1", "flag-2", "flag-3"):
            flag = known[_FLAGS[each.keyword]] if each.keyword in _FLAGS and known else each.keyword
            if flag in known:
                flags.append(flag)
            else:
                self._remarks.lost(each.place, each.words, f"it means nothing to the scheduler {chosen}")
        return chosen, list(dict.fromkeys(flags))

    def _read_persistence(self) -> int | None:
        node = self._block.last("persistence_timeout")
        if node is None:
            return None
        if not node.arguments:
            return _PERSISTENCE
        if node.argument() == "0":
            self._remarks.note(node.place, node.words, "keepalived refuses 0: the service has no persistence")
            return None
        return whole(node, self._remarks, 1, forms.TIMEOUTS.high)

    def _read_settings(self) -> dict[str, Any]:
        block, user = self._block, self._reading.script_user
        return {
            "quorum": whole(block.last("quorum"), self._remarks, 1, 2**31 - 1),
            "hysteresis": whole(block.last("hysteresis"), self._remarks, 0, 2**31 - 1),
            **{each: self._quorum_command(each, user) for each in ("quorum_up", "quorum_down")},
            "smtp_alert": switch(block, "smtp_alert"),
            **{each: bool(block.has(each)) for each in ("inhibit_on_failure", "alpha", "omega")},
        }

    def _quorum_command(self, keyword: str, user: str | None) -> str | dict[str, str] | None:
        node = self._block.last(keyword)
        if node is None or not is_announcement(node.argument() or ""):
            return run(node, self._remarks, user)
        node.ignore()
        reason = "the role has it announce the VIP: write lvs_bgp, which brings it back. BIRD's file is not read"
        self._remarks.note(node.place, [keyword], reason)
        return None

    def _read_sorry(self) -> dict[str, Any] | None:
        node, method = self._block.last("sorry_server"), self._block.last("sorry_server_lvs_method")
        if node is None:
            return None
        found = address(node, node.argument(), self._remarks)
        port = port_of(node.argument(1)) if node.argument(1) else 0
        if found is None or port is None:
            return None
        forward, tunnel = self._method(method, self.forward)
        if method and forward != self.forward:
            self._remarks.lost(method.place, method.words, "the model reaches it as it reaches the real servers")
            tunnel = None
        tunnel = tunnel or self._tunnel
        return {"address": str(found), "port": port, "tunnel": None if tunnel == {"type": "ipip"} else tunnel}

    def _server(self, node: Node) -> _Server | None:
        block = Block(node, self._remarks)
        found = address(node, node.argument(), self._remarks)
        port = port_of(node.argument(1)) if node.argument(1) else None
        if found is None or (node.argument(1) and port is None):
            if found is not None:
                self._remarks.lost(node.place, node.words, "it needs a port from 0 to 65535")
            return None
        forward, tunnel = self._method(block.last("lvs_method", "lb_kind"), None)
        weight = whole(block.last("weight"), self._remarks, 0, 2**31 - 1)
        if not self._tells_two_apart(node, found, port):
            return None
        return _Server(
            node=node,
            address=found,
            written_port=port,
            forward=forward,
            tunnel=tunnel or (self._tunnel if forward in (None, self.forward) else None),
            entry={
                "weight": self._weight if weight is None else weight,
                "upper_threshold": whole(block.last("uthreshold"), self._remarks, 0, forms.THRESHOLDS.high),
                "lower_threshold": whole(block.last("lthreshold"), self._remarks, 0, forms.THRESHOLDS.high),
                **self._watch(block),
            },
        )

    def _watch(self, block: Block) -> dict[str, Any]:
        """What of a real server only keepalived acts on, where that is not what its service says."""
        user = self._reading.script_user
        commands = {each: run(block.last(each), self._remarks, user) for each in ("notify_up", "notify_down")}
        own = {each: switch(block, each) for each in ("inhibit_on_failure", "alpha")}
        other = {key: value for key, value in own.items() if value != self._settings[key]}
        # What the service says of mails is not for its real servers.
        return {**commands, **other, "smtp_alert": switch(block, "smtp_alert")}

    def _tells_two_apart(self, node: Node, found: Address, port: int | None) -> bool:
        self._seen = getattr(self, "_seen", {})
        first = self._seen.setdefault((found, port), node)
        if first is not node:
            self._remarks.lost(node.place, node.words, f"it is there already, in line {first.place.line}")
        return first is node

    def service(self, identity: Identity, marks: Mapping[int, Address]) -> Found | None:
        """The entry of one address or mark."""
        node = self._block.node
        family = self._family_of(identity)
        entry: dict[str, Any] = {"name": None}
        if identity.address is None:
            entry |= {"fwmark": identity.fwmark, "family": family_name(family)}
        else:
            entry |= {"address": str(identity.address), "port": identity.port, "protocol": self._protocol}
        entry["name"] = name_of(entry)
        forward = next(each.forward or self.forward for each in self.servers)
        timeout = self._timeout
        if identity.address is not None and not identity.port and not timeout:
            self._remarks.note(node.place, node.words, "port 0 needs persistence: keepalived takes 360 seconds")
            timeout = _PERSISTENCE
        netmask = self._netmask
        if family == 6 and netmask is not None:
            netmask = forms.integer(netmask) or netmask
        one_packet = self._one_packet and (identity.address is None or self._protocol == "udp")
        if self._one_packet and not one_packet:
            self._remarks.note(node.place, node.words, "ops is for UDP only: keepalived leaves it out")
        is_one_way = one_packet and forward == "nat"
        if is_one_way:
            reason = "with NAT answers would keep the real servers' addresses: one_way says that there are none"
            self._remarks.note(node.place, ["ops"], reason)
        servers, checks = self._pool(identity, forward)
        is_inhibited = all(each.get("inhibit_on_failure") for each in servers)
        if is_inhibited:
            servers = [{**each, "inhibit_on_failure": None} for each in servers]
        vips = frozenset([identity.address] if identity.address else [])
        # In a group one check is for all of them.
        is_one_port = forward == "nat" or len({each.port for each in self._identities}) == 1
        check, own = common_checks(checks, vips, marks, self._reading, explicit=not is_one_port)
        servers = [{**server, "health_check": each} for server, each in zip(servers, own)]
        if check is None and not any(own):
            self._unused_times(any(some for _server, some in checks))
        entry |= {
            "forward": forward,
            "scheduler": self._scheduler,
            "scheduler_flags": self._flags,
            "persistence": persistence(timeout, netmask, self._engine, family),
            "one_packet": one_packet,
            "one_way": is_one_way or None,
            "health_check": check,
            **self._settings,
            **({"inhibit_on_failure": True} if is_inhibited else {}),
            "sorry_server": self._sorry_of(identity, forward),
            "raw": self._raw,
            "real_servers": servers,
        }
        places = {each.keyword: each.place for each in node.children}
        places |= {"health_check": checks[0][1][0].place} if checks and checks[0][1] else {}
        return Found(written(entry), node.place, places)

    def _family_of(self, identity: Identity) -> int:
        if identity.address is not None:
            return identity.address.version
        if self._family is not None:
            return self._family
        plain = [each.address.version for each in self.servers if (each.forward or self.forward) != "tun"]
        every = plain or [each.address.version for each in self.servers]
        return every[0] if len(set(every)) == 1 else 4

    def _pool(self, identity: Identity, forward: str) -> tuple[list[dict[str, Any]], list[tuple[Checked, list[Check]]]]:
        servers, checks = [], []
        for each in self.servers:
            port = each.written_port or 0
            final = port
            if forward != "nat" or (identity.fwmark is None and not port):
                final = identity.port
            if port and port != final:
                reason = f"with {forward} the port is the service's; {port} counts for checks only"
                self._remarks.note(each.node.place, each.node.words, reason)
            tunnel = each.tunnel if forward == "tun" and each.tunnel != {"type": "ipip"} else None
            entry = {"address": str(each.address), "port": final if final != identity.port else None}
            servers.append({**entry, **each.entry, "tunnel": tunnel})
            checks.append(self._checks_of(each, final))
        return servers, checks

    def _checks_of(self, server: _Server, port: int) -> tuple[Checked, list[Check]]:
        # What a block says is read once for each address of a group; what is remarked is remarked once.
        block = Block(server.node, self._remarks)
        host = block.last("virtualhost")
        checked = Checked(
            server.address,
            port,
            server.written_port or port,
            (host.argument() if host else None) or self._virtual_host,
            read_times(block).under(self._times),
        )
        checks = read_checks(block, checked, self._reading)
        block.all(*_OF_REAL_SERVER)
        block.finish({})
        return checked, checks

    def _sorry_of(self, identity: Identity, forward: str) -> dict[str, Any] | None:
        if self._sorry is None:
            return None
        port = self._sorry["port"]
        if forward != "nat" or not port:
            port = identity.port
        found = {**self._sorry, "port": port if port != identity.port else None}
        found["tunnel"] = found["tunnel"] if forward == "tun" else None
        return {key: value for key, value in found.items() if value is not None}

    def _unused_times(self, has_checks: bool) -> None:
        for each in self._times_at:
            if has_checks:
                self._remarks.lost(each.place, each.words, "it is for checks, of which none is carried over")
            else:
                self._remarks.note(each.place, each.words, "means nothing: the service has no check")
