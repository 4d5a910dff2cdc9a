# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""keepalived.conf as a whole -> one director in the words of the model. Pure."""

from __future__ import annotations

from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    DEFAULT_GROUP,
    DEFAULT_SYNC_PORT,
    DEFAULT_TTL,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import Files
from ansible_collections.lvs.topology.plugins.plugin_utils._import.found import Director, Found
from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_checks import Reading
from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_conf import Block, Node, blocks
from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_daemons import (
    read_follower,
    read_mail,
    read_sync,
    read_timeouts,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_instances import vrrp_of
from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_services import read_virtual_server
from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_values import (
    as_integer_of,
    seconds,
    whole,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_vrrp import (
    Defined,
    Held,
    Instance,
    read_instance,
    read_process,
    read_script,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_words import Words
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Place, Remarks, Unreadable
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import as_address

# What lvs_keepalived.global_raw takes as it is.
_GLOBAL_RAW = (
    *("smtp_alert_vrrp", "smtp_alert_checker", "no_email_faults", "no_checker_emails"),
    *("vrrp_skip_check_adv_addr", "vrrp_check_unicast_src", "vrrp_mcast_group4", "vrrp_mcast_group6"),
    *("dynamic_interfaces", "checker_log_all_failures", "max_auto_priority", "vrrp_startup_delay", "process_names"),
    *("enable_snmp_vrrp", "enable_snmp_checker", "enable_snmp_keepalived", "enable_traps", "snmp_socket"),
    *("vrrp_priority", "checker_priority", "vrrp_no_swap", "checker_no_swap", "use_symlink_paths"),
)
_GLOBAL_REASONS = {
    "vrrp_strict": "it has keepalived drop packets to the VIPs",
    "vrrp_iptables": "keepalived is mostly built without iptables",
    "lvs_flush": "it empties the table, also of what others put there",
    "lvs_flush_onstop": "it empties the table, also of what others put there",
    "lvs_flush_on_stop": "it empties the table, also of what others put there",
    "lvs_notify_fifo_script": "the model has it for min_up alone, which comes back as quorum and inhibit_on_failure",
}
_GARP = {
    "vrrp_garp_master_delay": "master_delay",
    "vrrp_garp_master_repeat": "master_repeat",
    "vrrp_garp_master_refresh": "master_refresh",
    "vrrp_garp_master_refresh_repeat": "master_refresh_repeat",
    "vrrp_garp_lower_prio_delay": "lower_prio_delay",
    "vrrp_garp_lower_prio_repeat": "lower_prio_repeat",
    "vrrp_garp_interval": "interval",
}
_KNOWN = frozenset(
    [
        *("global_defs", "vrrp_instance", "vrrp_script", "vrrp_track_process", "vrrp_sync_group"),
        *("virtual_server", "virtual_server_group", "track_file", "vrrp_track_file"),
    ]
)
_REASONS = {
    "static_ipaddress": "addresses of the host itself are for the configuration of its network",
    "static_routes": "routes of the host itself are for the configuration of its network",
    "static_rules": "rules of the host itself are for the configuration of its network",
    "SSL": "the model has no certificates for checks",
    "bfd_instance": "the model has no BFD",
    "net_namespace": "the model has no network namespaces",
    "instance": "it is for network namespaces, of which the model has none",
    "use_pid_dir": "the role starts one keepalived",
}
# More than any director has: what groups and sequences may make of a file before somebody means harm.
_MOST_SERVICES = 50_000
# Of the marks by which the role checks through a VIP: see lvs_keepalived.check_marks.
_CHECK_MARKS = range(0x6C760000, 0x6C760000 + 2 * 2**16)


def read_keepalived(files: Files, name: str, host: str | None, remarks: Remarks) -> tuple[Director, dict[str, Place]]:
    """The director of one file, and the hosts for which it has lines of their own."""
    words = Words(files, host, remarks)
    nodes = blocks(words.statements(name))
    if not any(each.keyword in _KNOWN for each in nodes):
        problem = "nothing in it is of keepalived.conf, ldirectord.cf or the rules of ipvsadm"
        raise Unreadable(Place(name, 1), problem, "name the configuration of a director")
    found = _Configuration(nodes, name, remarks).director(host)
    words.call(found.services)
    return found, words.hosts


class _Configuration:
    def __init__(self, nodes: list[Node], name: str, remarks: Remarks) -> None:
        self._remarks = remarks
        self._name = name
        self._nodes = nodes
        self._defined = Defined()
        self._instances: list[Instance] = []
        self._variables: dict[str, Any] = {}
        self._places: dict[str, Place] = {}
        self._keepalived: dict[str, Any] = {}
        self._sources: list[Address] = []
        self._sync: tuple[Node, dict[str, Any]] | None = None
        by_keyword: dict[str, list[Node]] = {}
        for each in nodes:
            by_keyword.setdefault(each.keyword, []).append(each)
            if each.keyword not in _KNOWN:
                each.ignore()
                reason = _REASONS.get(each.keyword, "keepalived 2.2 and the model know no such word here")
                remarks.lost(each.place, each.words, reason)
        self._blocks = by_keyword

    def _all(self, *keywords: str) -> list[Node]:
        return [each for keyword in keywords for each in self._blocks.get(keyword, [])]

    def director(self, host: str | None) -> Director:
        for each in self._all("global_defs"):
            self._global(Block(each, self._remarks))
        for each in self._all("vrrp_script"):
            read_script(each, self._defined, self._remarks)
        for each in self._all("vrrp_track_process"):
            read_process(each, self._defined, self._remarks)
        read = (read_instance(each, self._defined, self._remarks) for each in self._all("vrrp_instance"))
        self._instances = [each for each in read if each]
        for name, node in self._defined.places.items():
            if name not in self._defined.named:
                self._remarks.lost(node.place, node.words, "no instance tracks it")
        services = self._services()
        self._finish_sync()
        self._hold(services)
        router_id = self._keepalived.get("router_id")
        place = next((each.place for each in self._all("vrrp_instance", "virtual_server")), Place(self._name, 1))
        if self._keepalived:
            self._variables["lvs_keepalived"] = self._keepalived
        for each in self._nodes:
            each.list_unread(self._remarks)
        return Director(
            name=host or str(router_id or ""),
            place=place,
            services=services,
            # Without VRRP it only checks, and something else holds the VIPs.
            variables={"lvs_manager": "keepalived" if self._instances else "checker", **self._variables},
            places=self._places,
            check_marks=frozenset(self._check_marks()),
            peers=list(dict.fromkeys(peer for each in self._instances for peer in each.peers)),
        )

    def _global(self, block: Block) -> None:
        remarks = self._remarks
        router_id, user = block.last("router_id"), block.last("script_user")
        self._places["lvs_keepalived"] = block.node.place
        self._places |= {f"lvs_keepalived/{each.keyword}": each.place for each in (router_id, user) if each}
        if router_id and router_id.argument():
            self._keepalived["router_id"] = router_id.argument()
        if user and user.argument():
            self._keepalived["script_user"] = self._defined.script_user = user.argument()
            if len(user.arguments) > 1:
                remarks.lost(user.place, user.arguments[1:], "the model has no group for commands")
        # The role writes both of them where anything runs a command.
        block.last("enable_script_security")
        # The role always has a master announce itself again, so only who does not want that loses something.
        again = block.last("vrrp_higher_prio_send_advert")
        if again and (again.argument() or "true") not in ("true", "on", "yes"):
            remarks.lost(again.place, again.words, "the role always has the master announce its addresses again")
        self._defined.version = whole(block.last("vrrp_version"), remarks, 2, 3) or self._defined.version
        garp = {name: seconds(block.last(keyword), remarks) for keyword, name in _GARP.items()}
        interval = seconds(block.last("vrrp_gna_interval"), remarks)
        garp["interval"] = max(garp["interval"] or 0, interval or 0) or None
        self._defined.garp.update({name: value for name, value in garp.items() if value is not None})
        timeouts, sync = block.last("lvs_timeouts"), block.last("lvs_sync_daemon")
        if timeouts:
            self._places["lvs_timeouts"] = timeouts.place
            self._variables["lvs_timeouts"] = read_timeouts(timeouts, remarks)
        if sync:
            self._sync = sync, read_sync(sync, remarks)
        if mail := read_mail(block, remarks):
            self._keepalived["mail"] = mail
        self._variables.update(read_follower(block, remarks))
        if raw := block.raw(_GLOBAL_RAW):
            self._keepalived["global_raw"] = raw
        block.finish(_GLOBAL_REASONS)

    def _finish_sync(self) -> None:
        if self._sync is None:
            return
        node, given = self._sync
        instance = next((each for each in self._instances if each.name == given.get("inst")), None)
        if instance is None:
            self._remarks.lost(node.place, node.words, "it follows an instance that is not there")
            return
        # The model's daemons follow the first one.
        self._instances.remove(instance)
        self._instances.insert(0, instance)
        defaults = {"maxlen": 0, "port": DEFAULT_SYNC_PORT, "ttl": DEFAULT_TTL}
        found: dict[str, Any] = {"interface": given["interface"]}
        syncid = as_integer_of(given["id"]) if "id" in given else None
        found["syncid"] = instance.settings.get("router_id", 0) if syncid is None else syncid
        for key, default in defaults.items():
            value = as_integer_of(given[key]) if key in given else None
            if value not in (None, default):
                found[key] = value
        if given.get("group", DEFAULT_GROUP) != DEFAULT_GROUP:
            found["group"] = given["group"]
        self._variables["lvs_sync"] = found
        self._places["lvs_sync"] = node.place

    def _services(self) -> list[Found]:
        files = {
            each.argument() or "": _path_of(each, self._remarks) for each in self._all("track_file", "vrrp_track_file")
        }
        reading = Reading(self._remarks, files, self._defined.script_user)
        self._sources = reading.sources
        groups = {each.argument() or "": each for each in self._all("virtual_server_group")}
        marks = self._check_marks()
        found: list[Found] = []
        first: dict[tuple[Any, ...], Found] = {}
        for node in self._all("virtual_server"):
            mark = as_integer_of(node.argument(1)) if node.argument() == "fwmark" else None
            if mark in marks:
                node.ignore()  # it is there for the checks of other services, and comes back with them
                continue
            for each in read_virtual_server(node, groups, marks, reading):
                if first.setdefault(each.key, each) is not each:
                    reason = f"the service is there already, in {first[each.key].place}"
                    self._remarks.lost(node.place, [each.entry["name"]], reason)
                else:
                    found.append(each)
            if len(found) > _MOST_SERVICES:
                problem = f"the file stands for more than {_MOST_SERVICES} services"
                raise Unreadable(node.place, problem, "read it in several parts")
        for node in self._all("track_file", "vrrp_track_file"):
            if (node.argument() or "") not in reading.used_files:
                self._remarks.lost(node.place, node.words, "no check reads it")
        used = {node.argument(1) for node in self._all("virtual_server") if node.argument() == "group"}
        for name, node in groups.items():
            if name not in used:
                self._remarks.lost(node.place, node.words, "no virtual_server is for this group")
        return found

    def _check_marks(self) -> dict[int, Address]:
        """Marks of services that are there for checks through a VIP, each with its one real server."""
        found = {}
        for node in self._all("virtual_server"):
            mark = as_integer_of(node.argument(1)) if node.argument() == "fwmark" else None
            servers = [each for each in node.children if each.keyword == "real_server"]
            target = as_address(servers[0].argument()) if len(servers) == 1 else None
            if mark is not None and mark in _CHECK_MARKS and target is not None:
                found[mark] = target
        return found

    def _hold(self, services: list[Found]) -> None:
        """Say of each VIP and of each other address which instance holds it, and where."""
        vips = {each.vip for each in services if each.vip}
        by_address = {held.address: held for each in self._instances for held in each.held}
        for each in services:
            held = by_address.get(each.vip) if each.vip else None
            if held and held.has_prefix and each.vip:
                each.entry["address"] = f"{each.vip}/{held.prefix}"
        self._note_vips(services, by_address)
        interfaces = {by_address[each].interface for each in vips if each in by_address}
        if len(interfaces) == 1 and None not in interfaces:
            self._variables["lvs_vip_interface"] = interfaces.pop()
        elif interfaces:
            reason = "the VIPs are on several interfaces: each goes to the one whose network holds it"
            self._remarks.note(self._instances[0].node.place, self._instances[0].node.words, reason)
        self._address_of_director()
        if not self._instances:
            return
        for instance in self._instances:
            others = [held for held in instance.held if held.address not in vips]
            if others:
                instance.settings["addresses"] = [_floating(held) for held in others]
            if instance.peers:
                instance.settings["unicast"] = [str(peer) for peer in dict.fromkeys([*_own(instance), *instance.peers])]
            if len(self._instances) > 1:
                own = list(dict.fromkeys(str(held.address) for held in instance.held if held.address in vips))
                instance.settings |= {"vips": own} if own else {}
        self._variables["lvs_vrrp"] = vrrp_of(self._instances, self._all("vrrp_sync_group"), self._remarks)
        options = {str(held.address): held.options for each in self._instances for held in each.held if held.options}
        if options:
            self._variables["lvs_vrrp"]["address_options"] = options
        first = self._instances[0]
        self._places |= {f"tracked {name}": node.place for name, node in self._defined.places.items()}
        self._places |= {"lvs_vrrp": first.node.place, "priority": first.places.get("priority", first.node.place)}
        for number, instance in enumerate(self._instances):
            path = "lvs_vrrp" if len(self._instances) == 1 else f"lvs_vrrp/instances/{number}"
            self._places |= {f"{path}/{key}": place for key, place in instance.places.items()}
            self._places.setdefault(path, instance.node.place)
            places = (held.place for held in instance.held if held.address not in vips)
            self._places |= {f"{path}/addresses/{at}": place for at, place in enumerate(places)}

    def _address_of_director(self) -> None:
        """lvs_address: where unicast adverts and checks through a VIP come from."""
        senders = [each.source for each in self._instances if each.source]
        sources = {each.version: each for each in reversed([*senders, *self._sources])}
        for instance in self._instances:
            if instance.source and sources[instance.source.version] != instance.source:
                instance.settings["unicast_source"] = str(instance.source)
        if sources:
            listed = [str(each) for _version, each in sorted(sources.items())]
            self._variables["lvs_address"] = listed[0] if len(listed) == 1 else listed

    def _note_vips(self, services: list[Found], by_address: dict[Address, Held]) -> None:
        missing = [each for each in services if each.vip and each.vip not in by_address]
        seen: set[Address | None] = set()
        for each in missing:
            if each.vip in seen:
                continue
            seen.add(each.vip)
            holder = "keepalived" if self._instances else "director"
            reason = f"no vrrp_instance holds this VIP: the model's {holder} does. Whatever holds it now has to let go"
            self._remarks.note(each.place, [str(each.vip)], reason)


def _own(instance: Instance) -> list[Address]:
    """The director's own address. It is listed, too: without facts nothing else tells that no peer is the director."""
    return [instance.source] if instance.source else []


def _floating(held: Held) -> Any:
    text = f"{held.address}/{held.prefix}" if held.has_prefix else str(held.address)
    return {"address": text, "interface": held.interface} if held.interface else text


def _path_of(node: Node, remarks: Remarks) -> str:
    block = Block(node, remarks)
    path = block.last("file")
    weight = block.last("weight")
    if weight and weight.argument() not in (None, "0"):
        remarks.lost(weight.place, weight.words, "the weight of a file stands in health_check")
    found = path.argument() if path else None
    block.finish({}, "the model has no such key of a file")
    return found or ""
