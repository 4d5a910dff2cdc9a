# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The VRRP instances of keepalived.conf, and the addresses that they hold -> lvs_vrrp. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Network
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_conf import Block, Node
from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_values import (
    address,
    command,
    run,
    seconds,
    switch,
    whole,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Place, Remarks
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import (
    as_address,
    as_interface,
    full_prefix,
)

_AUTH_PASS = 8
# A script that only asks whether a process runs, which keepalived sees by itself.
_PROCESS = re.compile(r"(?:/\S*/)?(?:killall -0|pidof|pgrep -x) ([A-Za-z0-9_.-]+)\Z")
_GARP = {
    "garp_master_delay": "master_delay",
    "garp_master_repeat": "master_repeat",
    "garp_master_refresh": "master_refresh",
    "garp_master_refresh_repeat": "master_refresh_repeat",
    "garp_lower_prio_delay": "lower_prio_delay",
    "garp_lower_prio_repeat": "lower_prio_repeat",
}
_KEYS = {
    "virtual_router_id": "router_id",
    "authentication": "auth_pass",
    "unicast_peer": "unicast",
    "track_interface": "track_interfaces",
    "track_script": "track_scripts",
    "track_process": "track_processes",
    "notify": "notify/any",
}
# What stands after an address, with a value and alone.
_VALUED = {
    **{each: each for each in ("dev", "label", "scope", "preferred_lft", "peer", "metric")},
    **dict.fromkeys(("brd", "broadcast"), "broadcast"),
}
_SWITCHES = ("noprefixroute", "no_track")
_NOTIFY = ("master", "backup", "fault", "stop")
# What an instance of the model takes as it is.
_RAW = (
    *("virtual_routes", "virtual_rules", "mcast_src_ip", "mcast_dst_ip", "unicast_ttl", "native_ipv6"),
    *("dont_track_primary", "promote_secondaries", "skip_check_adv_addr", "check_unicast_src", "track_src_ip"),
    *("v3_checksum_as_v2", "old_unicast_checksum", "down_timer_adverts", "linkbeat_use_polling", "accept"),
)
_REASONS = {
    "strict_mode": "it has keepalived drop packets to the VIPs",
    "no_accept": "it has keepalived drop packets to the VIPs before IPVS sees them",
    "use_vmac": "the model has no virtual MAC address",
    "vmac_xmit_base": "the model has no virtual MAC address",
    "lvs_sync_daemon_interface": "keepalived 2 reads lvs_sync_daemon of global_defs",
    "track_file": "the model tracks no files",
    "track_bfd": "the model has no BFD",
    "auth_hmac": "keys are not carried over: write it as auth_hmac of lvs_vrrp",
}


@dataclass(frozen=True)
class Held:
    """An address that an instance holds."""

    address: Address
    prefix: int
    # As it was written, where it was written.
    has_prefix: bool
    interface: str | None
    place: Place
    # How it is held, by key of address_options.
    options: dict[str, Any] = field(default_factory=dict, compare=False)
    is_in_adverts: bool = field(default=True, compare=False)


@dataclass
class Instance:
    """An instance: settings in the words of lvs_vrrp, and what it holds."""

    name: str
    node: Node
    settings: dict[str, Any]
    held: list[Held]
    source: Address | None
    peers: list[Address]
    places: dict[str, Place] = field(default_factory=dict)


@dataclass
class Defined:
    """What the blocks beside the instances define, for these to name."""

    scripts: dict[str, dict[str, Any]] = field(default_factory=dict)
    processes: dict[str, dict[str, Any]] = field(default_factory=dict)
    places: dict[str, Node] = field(default_factory=dict)
    garp: dict[str, Any] = field(default_factory=dict)
    version: int | None = None
    script_user: str | None = None
    named: set[str] = field(default_factory=set)


def read_script(node: Node, defined: Defined, remarks: Remarks) -> None:
    """A block vrrp_script."""
    block, name = Block(node, remarks), node.argument() or ""
    # Its user stands in a line of its own.
    text = command(block.last("script"), remarks, defined.script_user)
    user = block.last("user")
    if user and len(user.arguments) > 1:
        remarks.lost(user.place, user.arguments[1:], "the model has no group for a command")
    found = {
        "name": name,
        "script": text,
        **{each: whole(block.last(each), remarks, 1, 3600) for each in ("interval", "timeout")},
        **{each: whole(block.last(each), remarks, 1, 1000) for each in ("rise", "fall")},
        "weight": whole(block.last("weight"), remarks, -253, 253),
        "user": user.argument() if user else None,
    }
    process = _PROCESS.match(text or "")
    if process:
        _as_process(node, {**found, "process": process.group(1)}, defined, remarks)
    block.finish({"init_fail": "the model takes a script for good until it failed"})
    if not process:
        defined.scripts[name] = {key: value for key, value in found.items() if value is not None}
    defined.places[name] = node


def _as_process(node: Node, found: dict[str, Any], defined: Defined, remarks: Remarks) -> None:
    kept = ("name", "process", "weight")
    defined.processes[found["name"]] = {key: found[key] for key in kept if found[key] is not None}
    reason = (
        f"it asks whether {found['process']} runs: in track_processes keepalived sees that at once, without a script"
    )
    remarks.note(node.place, node.words, reason)


def read_process(node: Node, defined: Defined, remarks: Remarks) -> None:
    """A block vrrp_track_process."""
    block, name = Block(node, remarks), node.argument() or ""
    process = block.last("process")
    if process and len(process.arguments) > 1:
        remarks.lost(process.place, process.arguments[1:], "the model compares the name of the process alone")
    found = {
        "name": name,
        "process": process.argument() if process else None,
        "weight": whole(block.last("weight"), remarks, -253, 253),
        "delay": seconds(block.last("delay"), remarks),
    }
    block.finish({})
    defined.processes[name] = {key: value for key, value in found.items() if value is not None}
    defined.places[name] = node


def read_instance(node: Node, defined: Defined, remarks: Remarks) -> Instance | None:
    """A block vrrp_instance; None where keepalived would not take it."""
    block, name = Block(node, remarks), node.argument() or ""
    interface = _argument(block, "interface")
    settings: dict[str, Any] = {
        "interface": interface,
        "router_id": whole(block.last("virtual_router_id"), remarks, 1, 255),
        "priority": _priority(block, remarks),
        "advert_int": seconds(block.last("advert_int"), remarks),
    }
    version = whole(block.last("version"), remarks, 2, 3) or defined.version
    _preempts(block, settings, remarks)
    held = [*_addresses(block, interface, remarks)]
    family = _family(held)
    is_v3 = version == 3 or family == 6
    advert = settings["advert_int"]
    if advert is not None and not float(advert).is_integer() and not is_v3:
        whole_one = max(1, int(advert))
        remarks.note(node.place, ["advert_int"], f"VRRP version 2 counts in whole seconds: {whole_one}")
        settings["advert_int"] = whole_one
    if version == 3:
        settings["version"] = 3
    settings["auth_pass"] = _password(block, remarks, is_v3=is_v3)
    source_node = block.last("unicast_src_ip")
    source = address(source_node, source_node.argument(), remarks) if source_node else None
    peers = []
    for peer in (each for block_node in block.all("unicast_peer") for each in block_node.children):
        found = address(peer, peer.keyword, remarks)
        if found:
            peers.append(found)
        if peer.arguments:
            remarks.lost(peer.place, peer.arguments, "the model has no options for a peer")
    settings["garp"] = _garp(block, defined, remarks)
    settings["in_adverts"] = in_adverts(held)
    settings["track_interfaces"] = _tracked_interfaces(block, remarks)
    tracked = _tracked(block, defined, remarks)
    settings["track_scripts"] = [each for each in tracked if "script" in each]
    settings["track_processes"] = [each for each in tracked if "process" in each]
    settings["notify"] = _notify(block, defined, remarks)
    settings["smtp_alert"] = switch(block, "smtp_alert")
    settings["raw"] = block.raw(_RAW)
    block.finish(_REASONS)
    if settings["router_id"] is None:
        remarks.lost(node.place, node.words, "it has no virtual_router_id, and keepalived leaves it out")
        return None
    places = {_key_of(each.keyword): each.place for each in node.children}
    kept = {key: value for key, value in settings.items() if value not in (None, [], {})}
    return Instance(name, node, kept, held, source, peers, places)


def _key_of(keyword: str) -> str:
    """Under which key of the model a keyword stands."""
    if keyword in _GARP:
        return f"garp/{_GARP[keyword]}"
    return keyword.replace("notify_", "notify/") if keyword.startswith("notify_") else _KEYS.get(keyword, keyword)


def _argument(block: Block, keyword: str) -> str | None:
    node = block.last(keyword)
    return node.argument() if node else None


def _priority(block: Block, remarks: Remarks) -> int | None:
    node = block.last("priority")
    if node is None:
        return 100
    if node.argument() == "255":
        remarks.lost(node.place, node.words, "the owner of the address never gives it away: the model has 254 at most")
        return 254
    return whole(node, remarks, 1, 254)


def _preempts(block: Block, settings: dict[str, Any], remarks: Remarks) -> None:
    state, no = (_argument(block, "state") or "").upper(), block.has("nopreempt")
    block.last("preempt")
    if no and state == "MASTER":
        remarks.note(no.place, no.words, "means nothing with state MASTER: keepalived preempts")
    settings["preempt"] = not no or state == "MASTER"
    delay = block.last("preempt_delay")
    value = seconds(delay, remarks)
    if delay and value and not settings["preempt"]:
        remarks.note(delay.place, delay.words, "means nothing with nopreempt")
    elif value:
        settings["preempt_delay"] = value


def _password(block: Block, remarks: Remarks, *, is_v3: bool) -> str | None:
    node = block.last("authentication")
    if node is None:
        return None
    inner = Block(node, remarks)
    kind, password = inner.last("auth_type"), inner.last("auth_pass")
    kind_name, text = (each.argument() if each else None for each in (kind, password))
    inner.finish({})
    if is_v3:
        remarks.lost(node.place, node.words, "VRRP version 3 has no authentication, and keepalived leaves it out")
        return None
    if kind and (kind_name or "").upper() not in ("PASS", "SIMPLE_PASSWORD"):
        remarks.lost(kind.place, kind.words, "the model knows passwords only")
        return None
    if password and text and len(text) > _AUTH_PASS:
        reason = f"VRRP cuts a password after {_AUTH_PASS} characters, and so the model has these only"
        remarks.lost(password.place, password.words, reason)
    return text[:_AUTH_PASS] if text else None


def _addresses(block: Block, interface: str | None, remarks: Remarks) -> Iterator[Held]:
    first: Held | None = None
    for node in block.all("virtual_ipaddress", "virtual_ipaddress_excluded"):
        for each in node.children:
            found = _held(each, interface, remarks)
            if found is None:
                continue
            first = first or found
            if node.keyword == "virtual_ipaddress" and found.address.version != first.address.version:
                reason = f"keepalived leaves it out: the first address is IPv{first.address.version}"
                remarks.lost(each.place, each.words, f"{reason}. It may stand in virtual_ipaddress_excluded")
                continue
            yield replace(found, is_in_adverts=node.keyword == "virtual_ipaddress")


def in_adverts(held: list[Held]) -> list[str]:
    """What adverts name, where that is not what the model's do by themselves."""
    own = sorted({each.address for each in held if each.address.version == _family(held)}, key=int)
    named = {each.address for each in held if each.is_in_adverts}
    found = [each for each in own if each in named]
    return [str(each) for each in found] if found != own[:1] else []


def _held(node: Node, interface: str | None, remarks: Remarks) -> Held | None:
    found = as_interface(node.keyword)
    if found is None:
        address(node, node.keyword, remarks)
        return None
    words = list(node.arguments)
    options: dict[str, Any] = {}
    while words:
        word = words.pop(0)
        if word in _VALUED:
            options[_VALUED[word]] = words.pop(0) if words else ""
        elif word in _SWITCHES:
            options[word] = True
        else:
            remarks.lost(node.place, [word], f"the model has no such option of the address {found.ip}")
    usual = str(found.network.broadcast_address) if isinstance(found.network, IPv4Network) else ""
    if options.get("broadcast") in ("+", usual):
        del options["broadcast"]
    for word, plain in (("scope", ("global", "0")), ("preferred_lft", ("forever", "0")), ("peer", ()), ("metric", ())):
        value = options.pop(word, None)
        if value is not None and value not in plain:
            remarks.lost(node.place, [word, value], f"the model has no such option of the address {found.ip}")
    held_by = options.pop("dev", interface)
    for word in [each for each in ("label", "broadcast") if each in options]:
        if not _is_option(word, options[word], found.version, held_by):
            reason = f"{held_by or 'its interface'} cannot have the address {found.ip} with it"
            remarks.lost(node.place, [word, options.pop(word)], reason)
    has_prefix = "/" in node.keyword
    prefix = found.network.prefixlen if has_prefix else full_prefix(found.ip)
    return Held(found.ip, prefix, has_prefix, held_by, node.place, options)


def _is_option(word: str, value: str, version: int, interface: str | None) -> bool:
    """Whether an address can have it: IPv6 has neither, and a label begins with the interface."""
    if version == 6 or (word == "broadcast" and as_address(value) is None):
        return False
    try:
        return word == "broadcast" or bool(forms.label(value, interface or ""))
    except forms.BadForm:
        return False


def _family(held: list[Held]) -> int:
    return 4 if not held or any(each.address.version == 4 for each in held) else 6


def _garp(block: Block, defined: Defined, remarks: Remarks) -> dict[str, Any]:
    own = {name: seconds(block.last(keyword), remarks) for keyword, name in _GARP.items()}
    # Nothing is repeated unless somebody says so; the model would say it once a minute.
    return {"master_refresh": 0, **defined.garp, **{name: value for name, value in own.items() if value is not None}}


def _tracked_interfaces(block: Block, remarks: Remarks) -> list[str]:
    names = []
    for each in (child for node in block.all("track_interface") for child in node.children):
        words = list(each.arguments)
        strange = words and words != ["noreverse"] and (words[0] != "weight" or len(words) > 3)
        if strange:
            remarks.lost(each.place, each.words, "keepalived knows no such option of an interface, and ignores it")
        options = dict(zip(words[::2], words[1::2]))
        if options.get("weight", "0") not in ("0", "+0") or "reverse" in words:
            reason = f"an interface has no weight in the model: as one of track_interfaces, without {each.keyword} the "
            remarks.lost(each.place, each.words, reason + "director would give way at once")
        else:
            names.append(each.keyword)
    return list(dict.fromkeys(names))


def _tracked(block: Block, defined: Defined, remarks: Remarks) -> list[dict[str, Any]]:
    """What of the scripts and processes that are defined the instance tracks."""
    found = []
    known = {**defined.scripts, **defined.processes}
    for each in (child for node in block.all("track_script", "track_process") for child in node.children):
        if each.keyword not in known:
            remarks.lost(each.place, each.words, "nothing defines it")
            continue
        defined.named.add(each.keyword)
        entry = dict(known[each.keyword])
        words = list(each.arguments)
        if words[:1] == ["weight"] and len(words) > 1:
            entry["weight"] = whole(Node((each.keyword, words[1]), each.place), remarks, -253, 253)
            words = words[2:]
        if words:
            remarks.lost(each.place, words, "the model has no such option of what is tracked")
        found.append(
            {key: value for key, value in entry.items() if value is not None and (key, value) != ("weight", 0)}
        )
    return found


def _notify(block: Block, defined: Defined, remarks: Remarks) -> dict[str, Any]:
    found = {each: run(block.last(f"notify_{each}"), remarks, defined.script_user) for each in _NOTIFY}
    found["any"] = run(block.last("notify"), remarks, defined.script_user)
    return {key: value for key, value in found.items() if value is not None}
