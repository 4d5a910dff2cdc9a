# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""lvs_vrrp and lvs_keepalived of one director, as they were written.

What is common to all VRRP instances stands at the top; an instance's own setting stands in its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._forms import is_interface
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.config_text import (
    discreet,
    read_command,
    read_interface,
    read_name,
    read_path,
    read_raw,
    read_run,
    read_user,
    read_word,
    show_character,
    special,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake, show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import (
    Address,
    Run,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model_of_vrrp import (
    Floating,
    Instance,
    Keepalived,
    TrackProcess,
    TrackScript,
    Vrrp,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import (
    Reader,
    as_address,
    as_boolean,
    as_interface,
    full_prefix,
    problem_in_network,
    read_switch,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.address_words import (
    KEY as ADDRESS_OPTIONS,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.address_words import (
    read_address_options,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.auth_hmac import read_auth_hmac
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.mail import read_mail
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.sync_groups import KEY as SYNC_GROUPS
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.sync_groups import read_sync_groups

DEFAULT_SCRIPT_USER = "keepalived_script"
DEFAULT_INSTANCE = "lvs"
_DEFAULT_ROUTER_ID = 51
_ROUTER_ID = (1, 255)
# 255 is the owner of the address, whose VIPs never leave it.
_PRIORITY = (1, 254)
# What a VRRP version 3 packet can say, in hundredths of a second.
_ADVERT_INT = (0.01, 40.95)
_AUTH_PASS = 8
# The first of 65,536 by which health checks go through a VIP: "lv" in ASCII. ipvsadm cannot read back those above 2^31.
_CHECK_MARKS = 0x6C760000
_LAST_CHECK_MARK = 2**31 - 2**17
# Behind it stands what a plugin is called with.
_PLUGINS = 255
_HOUR = 3600
_DAY = 86400
# Of each: the smallest and the largest value, digits after the point.
_GARP = {
    "master_delay": (0, _HOUR, 0),
    "master_repeat": (1, 255, 0),
    "master_refresh": (0, _DAY, 0),
    "master_refresh_repeat": (1, 255, 0),
    "lower_prio_delay": (0, _HOUR, 0),
    "lower_prio_repeat": (0, 255, 0),
    "interval": (0, 100, 6),
}
# Switches and neighbours that missed the first ones learn of a new master within a minute.
_REFRESH = 60
# Of all instances together, and of none by itself.
_OF_ALL = ("instances", "sync_group", SYNC_GROUPS, ADDRESS_OPTIONS)
_NOTIFY = ("master", "backup", "fault", "stop", "any")
_WEIGHT = 253


def read_vrrp(raw: Mapping[str, Any], path: str, mistakes: list[Mistake], *, is_wrong: bool) -> Vrrp:
    """``is_wrong``: the variable was refused as a whole."""
    before = len(mistakes)
    top = Reader(raw, path, mistakes)
    elements = top.elements("instances", "instances")
    sync_group = top.boolean("sync_group", default=True)
    options = read_address_options(top)
    common = {key: value for key, value in raw.items() if key not in _OF_ALL}
    if not elements:
        # One instance carries everything.
        layers = _Layers({}, common, path, path, mistakes)
        only = _instance(layers, read_name(layers, "name") or DEFAULT_INSTANCE)
        groups = read_sync_groups(top, [only.name])
        return Vrrp((only,), (), sync_group, is_wrong or len(mistakes) > before, groups, options)
    addresses = _addresses(top)
    common.pop("addresses", None)
    if common.pop("name", None) is not None:
        top.refuse("name", "is that of one instance, and there are several", "name each one in instances")
    instances: list[Instance] = []
    for position, each in enumerate(elements):
        at = f"{path}.instances[{position}]"
        if not isinstance(each, Mapping):
            remedy = "write name, and what is its own of interface, router_id, priority, vips"
            mistakes.append(Mistake(at, f"must be a mapping, is {discreet(each)}", remedy))
            continue
        layers = _Layers(each, common, at, path, mistakes)
        name = read_name(layers, "name")
        if name is None and layers.take("name") is None:
            layers.refuse("name", "is missing", "give every instance a name of its own")
        first = next((other for other in instances if other.name == name), None)
        if first:
            layers.refuse("name", f"{show(name)} is the name of {first.path} too", "give every instance its own")
        instances.append(_instance(layers, name or ""))
    groups = read_sync_groups(top, [each.name for each in instances])
    return Vrrp(tuple(instances), addresses, sync_group and not groups, len(mistakes) > before, groups, options)


class _Layers(Reader):
    """An instance above what is common to all; what is wrong is said where it was written."""

    def __init__(
        self,
        own: Mapping[str, Any],
        common: Mapping[str, Any],
        path: str,
        common_path: str,
        mistakes: list[Mistake],
    ) -> None:
        super().__init__({**common, **own}, path, mistakes)
        self.own = frozenset(map(str, own)) | {"name", "vips"}
        self.common_path = common_path

    def at(self, key: str) -> str:
        is_own = key.partition(".")[0].partition("[")[0] in self.own
        return f"{self.path if is_own else self.common_path}.{key}"


def _instance(reader: _Layers, name: str) -> Instance:
    unicast, peers = _unicast(reader)
    preempt = reader.boolean("preempt", default=False)
    preempt_delay = reader.number("preempt_delay", 0, 1000, default=0, digits=6)
    if preempt_delay and not preempt:
        reader.refuse("preempt_delay", "has no meaning while preempt is false", "leave it out, or set preempt: true")
    instance = Instance(
        name=name,
        path=reader.path,
        common_path=reader.common_path,
        own=reader.own,
        interface=read_interface(reader, "interface"),
        router_id=reader.integer("router_id", *_ROUTER_ID, default=_DEFAULT_ROUTER_ID),
        priority=reader.integer("priority", *_PRIORITY, default=0) or None,
        advert_int=reader.number("advert_int", *_ADVERT_INT, default=1, digits=2),
        version=reader.integer("version", 2, 3, default=0) or None,
        preempt=preempt,
        preempt_delay=preempt_delay,
        auth_pass=_auth_pass(reader),
        unicast=unicast,
        peers=peers,
        addresses=_addresses(reader),
        vips=_listed(reader, "vips", "VIPs", "a VIP") if reader.path != reader.common_path else (),
        garp=_garp(reader),
        track_interfaces=_track_interfaces(reader),
        track_scripts=_track_scripts(reader),
        track_processes=_track_processes(reader),
        notify=_notify(reader),
        raw=read_raw(reader, "raw"),
        unicast_source=_unicast_source(reader, unicast=unicast),
        auth_hmac=read_auth_hmac(reader),
        smtp_alert=read_switch(reader, "smtp_alert"),
        in_adverts=_listed(reader, "in_adverts", "addresses", "one of its addresses"),
    )
    reader.finish()
    return instance


def _auth_pass(reader: Reader) -> str | None:
    """The password. What is wrong with it is said without showing it."""
    value = reader.take("auth_pass")
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        reader.refuse("auth_pass", "is no text", "write 1 to 8 characters in quotes")
        return None
    character = special(value)
    if character is not None:
        problem = f"holds {show_character(character)}, which keepalived's configuration reads in its own way"
        reader.refuse("auth_pass", problem, "use letters and digits")
    elif len(value) > _AUTH_PASS:
        problem = f"has {len(value)} characters, and VRRP cuts it after {_AUTH_PASS}"
        reader.refuse("auth_pass", problem, f"use 1 to {_AUTH_PASS}")
    return value


def _unicast(reader: Reader) -> tuple[bool, tuple[Address, ...]]:
    value = reader.take("unicast")
    remedy = "use true, false, or a list with the addresses of the other directors"
    if not isinstance(value, list):
        boolean = False if value is None else as_boolean(value)
        if boolean is None:
            reader.refuse("unicast", f"{show(value)} is neither a boolean nor a list", remedy)
        return bool(boolean), ()
    peers: list[Address] = []
    for position, each in enumerate(value):
        address = as_address(each)
        at = f"unicast[{position}]"
        problem = "is no IP address" if address is None else forms.PEER.problem(address)
        if address is None or problem:
            reader.refuse(at, f"{show(each)} {problem}", remedy)
        elif address in peers:
            reader.refuse(at, f"{address} is listed twice", "keep one")
        else:
            peers.append(address)
    return bool(value), tuple(peers)


def _unicast_source(reader: Reader, *, unicast: bool) -> Address | None:
    value = reader.take("unicast_source")
    if value is None:
        return None
    address = as_address(value)
    problem = "is no IP address" if address is None else forms.PEER.problem(address)
    if problem:
        reader.refuse("unicast_source", f"{show(value)} {problem}", "write the director's own on the interface")
        return None
    if not unicast:
        reader.refuse("unicast_source", "has no meaning without unicast", "set unicast, or leave it out")
    return address


def _addresses(reader: Reader) -> tuple[Floating, ...]:
    found: list[Floating] = []
    for position, each in enumerate(reader.elements("addresses", "addresses")):
        at = f"addresses[{position}]"
        if isinstance(each, Mapping):
            inner = Reader(each, reader.at(at), reader.mistakes)
            text, interface = inner.take("address"), read_interface(inner, "interface")
            inner.finish()
        else:
            text, interface = each, None
        address = as_interface(text)
        problem = "is no IP address" if address is None else forms.FLOATING.problem(address.ip)
        if address is None or problem:
            remedy = "write it as 10.0.0.29/24, or as {address: 10.0.0.29/24, interface: eth2}"
            reader.refuse(at, f"{show(text)} {problem}", remedy)
            continue
        first = next((other.path for other in found if other.address == address.ip), None)
        if first:
            reader.refuse(at, f"{address.ip} is {first} already", "keep one")
            continue
        prefix = address.network.prefixlen if "/" in text else full_prefix(address.ip)
        problem = problem_in_network(address)
        if problem:
            reader.refuse(at, f"{show(text)} {problem}", "write an address in a network, such as 10.0.0.29/24")
            continue
        found.append(Floating(reader.at(at), address.ip, prefix, interface))
    return tuple(found)


def written_floating(raw: Any) -> frozenset[Address]:
    """The floating addresses of lvs_vrrp as far as they can be read, of a director that is not looked at otherwise."""
    vrrp = raw if isinstance(raw, Mapping) else {}
    instances = vrrp.get("instances")
    every = [vrrp, *(each for each in (instances if isinstance(instances, list) else ()) if isinstance(each, Mapping))]
    lists = (each.get("addresses") for each in every)
    entries = [one for each in lists if isinstance(each, list) for one in each]
    found = (as_interface(each.get("address") if isinstance(each, Mapping) else each) for each in entries)
    return frozenset(each.ip for each in found if each is not None)


def _listed(reader: Reader, key: str, kind: str, one: str) -> tuple[Address, ...]:
    """Addresses that the director holds, by themselves."""
    found: list[Address] = []
    for position, each in enumerate(reader.elements(key, kind)):
        address = as_address(each)
        if address is None:
            reader.refuse(f"{key}[{position}]", f"{show(each)} is no IP address", f"write {one} without its prefix")
        else:
            found.append(address)
    return tuple(found)


def _garp(reader: Reader) -> tuple[tuple[str, float], ...]:
    raw = reader.mapping("garp", f"{{master_refresh: {_REFRESH}}}")
    inner = Reader(raw or {}, reader.at("garp"), reader.mistakes)
    settings = {
        name: inner.number(name, low, high, default=-1, digits=digits) for name, (low, high, digits) in _GARP.items()
    }
    inner.finish()
    if settings["master_refresh"] < 0:
        settings["master_refresh"] = _REFRESH
    # No pause between two is what keepalived does by itself, and has no number for.
    return tuple((name, value) for name, value in settings.items() if value > 0 or (value == 0 and name != "interval"))


def _track_interfaces(reader: Reader) -> tuple[str, ...] | None:
    if reader.take("track_interfaces") is None:
        return None
    names = reader.elements("track_interfaces", "interfaces")
    for position, name in enumerate(names):
        if not is_interface(name):
            reader.refuse(f"track_interfaces[{position}]", f"{show(name)} is no name of an interface", "write eth1")
    return tuple(dict.fromkeys(name for name in names if is_interface(name)))


def _tracked(reader: Reader, key: str, example: str) -> list[Reader]:
    """The elements of a list of what is tracked."""
    readers = []
    for position, each in enumerate(reader.elements(key, key.replace("_", " "))):
        if isinstance(each, Mapping):
            readers.append(Reader(each, reader.at(f"{key}[{position}]"), reader.mistakes))
        else:
            reader.refuse(f"{key}[{position}]", f"must be a mapping, is {show(each)}", f"write it as {example}")
    return readers


def _needed(reader: Reader, key: str, value: str | None, remedy: str) -> str:
    if value is None and reader.take(key) is None:
        reader.refuse(key, "is missing", remedy)
    return value or ""


def _track_scripts(reader: Reader) -> tuple[TrackScript, ...]:
    scripts = []
    for inner in _tracked(reader, "track_scripts", "{name: NAME, script: /usr/local/bin/check}"):
        scripts.append(
            TrackScript(
                name=_needed(inner, "name", read_name(inner, "name"), "give every script a name of its own"),
                script=_needed(inner, "script", read_command(inner, "script"), "write the command"),
                interval=inner.integer("interval", 1, _HOUR, default=1),
                timeout=inner.integer("timeout", 1, _HOUR, default=0) or None,
                rise=inner.integer("rise", 1, 1000, default=1),
                fall=inner.integer("fall", 1, 1000, default=1),
                weight=inner.integer("weight", -_WEIGHT, _WEIGHT, default=0),
                user=read_user(inner, "user"),
            )
        )
        inner.finish()
    return tuple(scripts)


def _track_processes(reader: Reader) -> tuple[TrackProcess, ...]:
    processes = []
    for inner in _tracked(reader, "track_processes", "{name: NAME, process: haproxy}"):
        process = read_word(inner, "process", "process", "write the name of the process as ps shows it")
        processes.append(
            TrackProcess(
                name=_needed(inner, "name", read_name(inner, "name"), "give every process a name of its own"),
                process=_needed(inner, "process", process, "write the name of the process"),
                weight=inner.integer("weight", -_WEIGHT, _WEIGHT, default=0),
                delay=inner.number("delay", 0, _HOUR, default=0, digits=6) or None,
            )
        )
        inner.finish()
    return tuple(processes)


def _notify(reader: Reader) -> tuple[tuple[str, Run], ...]:
    raw = reader.mapping("notify", "{master: /usr/local/bin/became_master}")
    inner = Reader(raw or {}, reader.at("notify"), reader.mistakes)
    commands = {name: read_run(inner, name) for name in _NOTIFY}
    inner.finish()
    return tuple((name, command) for name, command in commands.items() if command)


def read_keepalived(raw: Mapping[str, Any], host: str, path: str, mistakes: list[Mistake]) -> Keepalived:
    reader = Reader(raw, path, mistakes)
    settings = Keepalived(
        router_id=read_word(reader, "router_id", "identifier", "use letters, digits, and - _ .") or host,
        script_user=read_user(reader, "script_user"),
        check_marks=reader.integer("check_marks", 1, _LAST_CHECK_MARK, default=_CHECK_MARKS),
        global_raw=read_raw(reader, "global_raw"),
        raw=read_raw(reader, "raw"),
        mail=read_mail(reader),
        plugins=read_path(reader, "plugins", most=_PLUGINS) or Keepalived.plugins,
    )
    reader.finish()
    return settings
