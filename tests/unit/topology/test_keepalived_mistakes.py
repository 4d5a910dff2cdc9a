# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every mistake about keepalived: the lines that it makes, and that they are the only ones."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import WrongModel
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, dr_pair, facts, nic, r5, rs

Change = Callable[[Model], object]


def vrrp(*directors: str, **more: Any) -> Change:
    """Change lvs_vrrp of both directors, or of those named; None takes the key away."""

    def change(model: Model) -> None:
        for director in directors or ("lb1", "lb2"):
            settings = model.hostvars[director].setdefault("lvs_vrrp", {})
            settings.update(copy.deepcopy(more))
            for key in [key for key, value in more.items() if value is None]:
                del settings[key]

    return change


def password(value: object, *directors: str) -> Change:
    return vrrp(*directors, auth_pass=value)


def host(name: str, **more: Any) -> Change:
    return lambda model: model.hostvars[name].update(more)


def service(*directors: str, **more: Any) -> Change:
    """Change the first service of both directors, or of those named."""

    def change(model: Model) -> None:
        for director in directors or ("lb1", "lb2"):
            model.hostvars[director]["lvs_services"][0].update(copy.deepcopy(more))

    return change


def sync(**more: Any) -> Change:
    def change(model: Model) -> None:
        for director in ("lb1", "lb2"):
            model.hostvars[director]["lvs_sync"] = {"syncid": 1, **more}

    return change


def by_another_family(model: Model) -> None:
    vrrp(auth_pass=None, addresses=["10.0.0.29/24", "fd00::29/64"], version=3)(model)
    for director, address, own in (("lb1", "10.0.0.11", "fd00::11/64"), ("lb2", "fd00::12", "fd00::12/64")):
        outside = nic("eth1", f"192.168.0.1{director[-1]}/24")
        inside = nic("eth2", f"10.0.0.1{director[-1]}/24", own)
        host(director, lvs_address=address, ansible_facts=facts(outside, inside))(model)


def only_ipv6(**more: Any) -> Change:
    def change(model: Model) -> None:
        for director in ("lb1", "lb2"):
            del model.hostvars[director]["lvs_services"][0]
        vrrp(**more)(model)

    return change


def marked_otherwise(model: Model) -> None:
    for director, port in (("lb1", 80), ("lb2", 81)):
        first = model.hostvars[director]["lvs_services"][0]
        del first["address"], first["port"]
        first |= {"fwmark": 10, "family": "ipv4", "marked": [{"address": "192.168.246.160", "ports": [port]}]}
        first["health_check"] = {"type": "ping"}


def password_of_ipv6(model: Model) -> None:
    only_ipv6()(model)
    password("s3cret")(model)


def no_address(model: Model) -> None:
    """Neither the inventory nor facts tell which one is meant."""
    vrrp(unicast=True, interface="eth2")(model)
    del model.hostvars["lb2"]["lvs_address"]
    model.hostvars["lb2"]["ansible_facts"] = facts(
        nic("eth1", "192.168.0.12/24"), nic("eth2", "10.0.0.12/24", "10.0.0.13/24")
    )


def without_facts(model: Model) -> None:
    model.without_facts("lb1")
    host("lb1", lvs_vip_interface="eth1")(model)


def without_own(model: Model) -> None:
    """Outside, lb1 has only what moves."""
    vrrp(interface="eth1")(model)
    known = facts(nic("eth1", "192.168.0.29/32"), nic("eth2", "10.0.0.11/24"))
    host("lb1", ansible_facts=known, lvs_vip_interface="eth1")(model)


def vip_elsewhere(model: Model) -> None:
    """Facts show the VIP on lb1, which is master, and that says nothing."""
    service(address="192.168.9.29")(model)
    known = facts(nic("eth1", "192.168.0.11/24", "192.168.9.29/32"), nic("eth2", "10.0.0.11/24"))
    host("lb1", ansible_facts=known)(model)


def crossed(model: Model) -> None:
    instances = [{"name": "a", "interface": "eth1"}, {"name": "b", "interface": "eth2"}]
    vrrp(instances=instances)(model)
    vrrp("lb2", instances=[instances[0], {**instances[1], "priority": 160}])(model)


def two_syncs(model: Model) -> None:
    sync()(model)
    host("lb2", lvs_sync={"syncid": 2, "group": "224.0.0.82", "port": 8849})(model)


def sync_without_facts(model: Model) -> None:
    without_facts(model)
    vrrp(addresses=[{"address": "10.0.0.29/24", "interface": "eth2"}])(model)
    sync()(model)


def other_version(model: Model) -> None:
    vrrp(auth_pass=None)(model)
    vrrp("lb2", version=3)(model)


def other_share(model: Model) -> None:
    """The VIP goes with the interface on one director, and to the first instance on the other."""
    vrrp(instances=[{"name": "a", "interface": "eth2"}, {"name": "b", "interface": "eth1"}])(model)
    first = {"name": "a", "interface": "eth2", "vips": ["192.168.0.29"]}
    second = {"name": "b", "interface": "eth1", "addresses": ["10.0.0.31"]}
    vrrp("lb1", instances=[first, second])(model)
    vrrp("lb2", instances=[{**first, "vips": []}, second])(model)


def other_floating(model: Model) -> None:
    vrrp(addresses=["10.0.0.29/24"], instances=[{"name": "a", "addresses": ["10.0.0.31"]}])(model)
    vrrp("lb2", instances=[{"name": "a", "addresses": ["10.0.0.32"]}])(model)


def other_group(model: Model) -> None:
    vrrp(instances=[{"name": "a", "interface": "eth1"}, {"name": "b", "interface": "eth2"}])(model)
    vrrp("lb2", sync_group=False)(model)


def one_more(model: Model) -> None:
    services = model.hostvars["lb2"]["lvs_services"]
    services.append({**services[0], "name": "other", "port": 81})


def without_place(model: Model) -> None:
    """More directors than there are steps between priorities."""
    model.groups["lvs_directors"] = [*(f"x{n}" for n in range(15)), "lb1", "lb2"]
    for n in range(15):
        model.hostvars[f"x{n}"] = {"lvs_state": "absent"}
    vrrp("lb2", priority=50)(model)


def directors_serve(method: str) -> Change:
    """The directors of the pair are its real servers."""

    def change(model: Model) -> None:
        service(real_servers=rs("lb1", "lb2"))(model)
        model.groups["lvs_real_servers"] = ["lb1", "lb2"]
        for director in ("lb1", "lb2"):
            del model.hostvars[director]["lvs_services"][1]
            model.hostvars[director]["lvs_arp_method"] = method
            if method != "sysctl":
                model.hostvars[director]["lvs_sync"] = {"syncid": 1}

    return change


def several_masters_serve(model: Model) -> None:
    directors_serve("sysctl")(model)
    sync()(model)
    vrrp(sync_group=False, instances=[{"name": "a"}, {"name": "b", "router_id": 52}])(model)


def gateway(model: Model) -> None:
    vrrp(addresses=["192.168.246.169/24"])(model)
    host("web1", lvs_gateway="192.168.246.169")(model)


def marked_without_port(model: Model) -> None:
    for director in ("lb1", "lb2"):
        first = model.hostvars[director]["lvs_services"][0]
        del first["address"], first["port"]
        first |= {"fwmark": 10, "family": "ipv4", "marked": [{"address": "192.168.246.160"}]}


def unmarked(model: Model) -> None:
    marked_without_port(model)
    service(health_check={"type": "tcp", "port": 80, "through": "vip"})(model)
    for director in ("lb1", "lb2"):
        first = model.hostvars[director]["lvs_services"][0]
        del first["marked"]
        for each in first["real_servers"]:
            each.pop("port", None)


def passive_backups(model: Model) -> None:
    service(health_check={"type": "tcp", "through": "vip"})(model)
    sync()(model)
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_sysctls"] = {"net.ipv4.vs.backup_only": 1}


def without_source(model: Model) -> None:
    """On lb1 only IPv4 is there."""
    for director in ("lb1", "lb2"):
        model.hostvars[director]["lvs_services"][1]["health_check"] = {"type": "tcp", "through": "vip"}
        model.hostvars[director]["lvs_vip_interface"] = "eth1"
    host("lb1", ansible_facts=facts(nic("eth1", "192.168.246.166/24")))(model)


def both(*lines: str) -> list[str]:
    """The same of either director, whose name is @: one line of both, unless it names the director elsewhere too."""
    found = []
    for line in lines:
        path, problem = line.removeprefix("@: ").split(": ", 1)
        if line.startswith("@: ") and "@" not in problem:
            found.append(f"{path} (lb1, lb2): {problem}")
        else:
            found += [line.replace("@", director) for director in ("lb1", "lb2")]
    return found


MISTAKES: dict[str, tuple[Callable[[], Model], Change, list[str]]] = {
    "settings that are no mapping": (
        r5,
        host("lb1", lvs_vrrp=[1]),
        ["lb1: lvs_vrrp: must be a mapping, is a list; write it as {router_id: 51}"],
    ),
    "an unknown setting": (
        r5,
        vrrp(priorty=1),
        both(
            "@: lvs_vrrp.priorty: is not a known key; did you mean priority? Otherwise use one of name, "
            "unicast, preempt, preempt_delay, interface, router_id, priority, advert_int, version, auth_pass, "
            "addresses, garp, track_interfaces, track_scripts, track_processes, notify, raw, "
            "unicast_source, auth_hmac, smtp_alert, in_adverts"
        ),
    ),
    "an interface that is no name": (
        r5,
        vrrp(interface="eth 1"),
        both("@: lvs_vrrp.interface: 'eth 1' is no name of an interface; write it as eth1"),
    ),
    "an interface that is not there": (
        r5,
        vrrp(interface="eth7"),
        both(
            "@: lvs_vrrp.interface: @ has no interface 'eth7'; did you mean eth2? Otherwise use one of lo, eth1, eth2"
        ),
    ),
    "an interface without an address of its own": (
        r5,
        without_own,
        [
            "lb1: lvs_vrrp.interface: eth1 of lb1 has no IPv4 address of its own to send adverts from; name the "
            "interface that holds lvs_address"
        ],
    ),
    "a router id out of range": (
        r5,
        vrrp(router_id=256),
        both("@: lvs_vrrp.router_id: 256 is out of range; use 1 to 255"),
    ),
    "the priority of an owner": (
        r5,
        vrrp("lb1", priority=255),
        ["lb1: lvs_vrrp.priority: 255 is out of range; use 1 to 254"],
    ),
    "adverts too seldom": (
        r5,
        vrrp(advert_int=41),
        both("@: lvs_vrrp.advert_int: 41 is out of range; use 0.01 to 40.95"),
    ),
    "adverts that are too exact": (
        r5,
        vrrp(advert_int=0.015, auth_pass=None),
        both("@: lvs_vrrp.advert_int: 0.015 is too exact; use a multiple of 0.01"),
    ),
    "adverts that are no number": (
        r5,
        vrrp(advert_int="1s"),
        both("@: lvs_vrrp.advert_int: '1s' is no number; use 0.01 to 40.95"),
    ),
    "a version out of range": (r5, vrrp(version=4), both("@: lvs_vrrp.version: 4 is out of range; use 2 to 3")),
    "version 2 below a second": (
        r5,
        vrrp(version=2, advert_int=0.5, auth_pass=None),
        both("@: lvs_vrrp.version: 2 counts in whole seconds, and advert_int is 0.5; use 3, or leave it out"),
    ),
    "version 2 for IPv6": (
        dr_pair,
        only_ipv6(version=2),
        both("@: lvs_vrrp.version: 2 knows no IPv6, which this instance carries; use 3, or leave it out"),
    ),
    "a password in version 3": (
        r5,
        vrrp(version=3),
        both(
            "@: lvs_vrrp.auth_pass: VRRP version 3, which version asks for here, has no authentication; "
            "leave it out, or use version 2 with IPv4 and whole seconds"
        ),
    ),
    "a password below a second": (
        r5,
        vrrp(advert_int=0.5),
        both(
            "@: lvs_vrrp.auth_pass: VRRP version 3, which advert_int asks for here, has no authentication; "
            "leave it out, or use version 2 with IPv4 and whole seconds"
        ),
    ),
    "a password for IPv6": (
        dr_pair,
        password_of_ipv6,
        both(
            "@: lvs_vrrp.auth_pass: VRRP version 3, which IPv6 asks for here, has no authentication; leave "
            "it out, or use version 2 with IPv4 and whole seconds"
        ),
    ),
    "a password that is too long": (
        r5,
        password("123456789"),
        both("@: lvs_vrrp.auth_pass: has 9 characters, and VRRP cuts it after 8; use 1 to 8"),
    ),
    "a password that is a number": (
        r5,
        password(1234),
        both("@: lvs_vrrp.auth_pass: is no text; write 1 to 8 characters in quotes"),
    ),
    "a password that ends a string": (
        r5,
        password('a"b'),
        both(
            "@: lvs_vrrp.auth_pass: holds \", which keepalived's configuration reads in its own way; use "
            "letters and digits"
        ),
    ),
    "a delay without preempting": (
        r5,
        vrrp(preempt_delay=5),
        both("@: lvs_vrrp.preempt_delay: has no meaning while preempt is false; leave it out, or set preempt: true"),
    ),
    "preempt that is no boolean": (
        r5,
        vrrp(preempt="maybe"),
        both("@: lvs_vrrp.preempt: 'maybe' is no boolean; use true or false"),
    ),
    "unicast that is neither": (
        r5,
        vrrp(unicast="yess"),
        both(
            "@: lvs_vrrp.unicast: 'yess' is neither a boolean nor a list; use true, false, or a list with "
            "the addresses of the other directors"
        ),
    ),
    "unicast to what is no address": (
        r5,
        vrrp(unicast=["lb2"]),
        both(
            "@: lvs_vrrp.unicast[0]: 'lb2' is no IP address; use true, false, or a list with the addresses "
            "of the other directors"
        ),
    ),
    "unicast to one twice": (
        r5,
        vrrp(unicast=["10.0.0.13", "10.0.0.13"]),
        both("@: lvs_vrrp.unicast[1]: 10.0.0.13 is listed twice; keep one"),
    ),
    "unicast to the other family": (
        r5,
        vrrp(unicast=["fd00::2"]),
        both("@: lvs_vrrp.unicast: fd00::2 is IPv6, and lvs sends its adverts by IPv4; write the IPv4 address"),
    ),
    "unicast to itself": (
        r5,
        vrrp("lb1", unicast=["10.0.0.11"]),
        [
            (
                "lb2: lvs_vrrp.unicast: is false here and true at lb1: lvs_vrrp.unicast; directors that share "
                "VIPs need the same"
            ),
            (
                "lb1: lvs_vrrp.unicast: has no other director to send to; list the addresses of the others, or "
                "leave it out"
            ),
        ],
    ),
    "unicast without an address of the other": (
        r5,
        no_address,
        both(
            "@: lvs_vrrp.unicast: needs the IPv4 address of lb2, and the inventory does not tell it; set "
            "lvs_address of lb2"
        ),
    ),
    "a floating address that is none": (
        r5,
        vrrp(addresses=["10.0.0.256"]),
        both(
            "@: lvs_vrrp.addresses[0]: '10.0.0.256' is no IP address; write it as 10.0.0.29/24, or as "
            "{address: 10.0.0.29/24, interface: eth2}"
        ),
    ),
    "a floating address that is a network": (
        r5,
        vrrp(addresses=["10.0.0.0/24"]),
        both(
            "@: lvs_vrrp.addresses[0]: '10.0.0.0/24' is a network; write an address in a network, such as 10.0.0.29/24"
        ),
    ),
    "a floating address that is a broadcast address": (
        r5,
        vrrp(addresses=["10.0.0.255/24"]),
        both(
            "@: lvs_vrrp.addresses[0]: '10.0.0.255/24' is the broadcast address of its network; write an address in a "
            "network, such as 10.0.0.29/24"
        ),
    ),
    "a floating address whose network is everything": (
        r5,
        vrrp(addresses=["10.0.0.29/0"]),
        both(
            "@: lvs_vrrp.addresses[0]: '10.0.0.29/0' makes every address a neighbour; write an address in a network, "
            "such as 10.0.0.29/24"
        ),
    ),
    "a floating address with an unknown key": (
        r5,
        vrrp(addresses=[{"address": "10.0.0.29/24", "dev": "eth2"}]),
        both("@: lvs_vrrp.addresses[0].dev: is not a known key; use one of address, interface"),
    ),
    "a floating address twice": (
        r5,
        vrrp(addresses=["10.0.0.29/24", "10.0.0.29"]),
        both("@: lvs_vrrp.addresses[1]: 10.0.0.29 is @: lvs_vrrp.addresses[0] already; keep one"),
    ),
    "a floating address that is a VIP": (
        r5,
        vrrp(addresses=["10.0.0.29/24", "192.168.0.29"]),
        both("@: lvs_vrrp.addresses[1]: 192.168.0.29 is a VIP, which moves anyway; take it out"),
    ),
    "a floating address that is a host's own": (
        r5,
        vrrp(addresses=["10.0.0.29/24", "10.0.0.51"]),
        both(
            "@: lvs_vrrp.addresses[1]: 10.0.0.51 is the own address of app1, and could not move; use an "
            "address that no host has by itself"
        ),
    ),
    "a floating address on an unknown interface": (
        r5,
        vrrp(addresses=[{"address": "10.0.0.29/24", "interface": "eth9"}]),
        both(
            "@: lvs_vrrp.addresses[0]: @ has no interface 'eth9'; did you mean eth2? Otherwise use one of "
            "lo, eth1, eth2"
        ),
    ),
    "a floating address in no network": (
        r5,
        vrrp(addresses=["10.0.0.29/24", "10.9.0.29/24"]),
        both(
            "@: lvs_vrrp.addresses[1]: no network of @ holds 10.9.0.29; write it as {address: 10.9.0.29/24, "
            "interface: eth2}"
        ),
    ),
    "a floating address without facts": (
        r5,
        without_facts,
        [
            (
                "lb1: lvs_vrrp.addresses[0]: the interface is needed where facts do not tell it; write it as "
                "{address: 10.0.0.29/24, interface: eth2}"
            )
        ],
    ),
    "no floating gateway": (
        r5,
        vrrp(addresses=[]),
        [
            (
                "app1: lvs_gateway: is needed: no floating address of lb1 and lb2 is on a network of app1; add "
                "one in the network of 10.0.0.51 to addresses in lvs_vrrp, which moves with the VIPs, or set it"
            ),
            (
                "app2: lvs_gateway: is needed: no floating address of lb1 and lb2 is on a network of app2; add "
                "one in the network of 10.0.0.52 to addresses in lvs_vrrp, which moves with the VIPs, or set it"
            ),
        ],
    ),
    "an unknown option of gratuitous ARP": (
        r5,
        vrrp(garp={"master_refesh": 1}),
        both(
            "@: lvs_vrrp.garp.master_refesh: is not a known key; did you mean master_refresh? Otherwise use "
            "one of master_delay, master_repeat, master_refresh, master_refresh_repeat, lower_prio_delay, "
            "lower_prio_repeat, interval"
        ),
    ),
    "an option of gratuitous ARP out of range": (
        r5,
        vrrp(garp={"master_repeat": 256}),
        both("@: lvs_vrrp.garp.master_repeat: 256 is out of range; use 1 to 255"),
    ),
    "tracking an interface that is not there": (
        r5,
        vrrp(track_interfaces=["eth9"]),
        both(
            "@: lvs_vrrp.track_interfaces: @ has no interface 'eth9'; did you mean eth2? Otherwise use one "
            "of lo, eth1, eth2"
        ),
    ),
    "tracking an interface that is no name": (
        r5,
        vrrp(track_interfaces=[1]),
        both("@: lvs_vrrp.track_interfaces[0]: 1 is no name of an interface; write eth1"),
    ),
    "a script without anything": (
        r5,
        vrrp(track_scripts=[{}]),
        both(
            "@: lvs_vrrp.track_scripts[0].name: is missing; give every script a name of its own",
            "@: lvs_vrrp.track_scripts[0].script: is missing; write the command",
        ),
    ),
    "a script that is a path": (
        r5,
        vrrp(track_scripts=["/bin/true"]),
        both(
            "@: lvs_vrrp.track_scripts[0]: must be a mapping, is '/bin/true'; write it as {name: NAME, "
            "script: /usr/local/bin/check}"
        ),
    ),
    "a script without an absolute path": (
        r5,
        vrrp(track_scripts=[{"name": "up", "script": "check"}]),
        both(
            "@: lvs_vrrp.track_scripts[0].script: 'check' is no command with an absolute path; write one "
            "line such as /usr/local/bin/check NAME, and put what needs a shell into the script"
        ),
    ),
    "a script with a line break": (
        r5,
        vrrp(track_scripts=[{"name": "up", "script": "/bin/a\n}"}]),
        both(
            "@: lvs_vrrp.track_scripts[0].script: holds a line break, which keepalived's configuration reads"
            " in its own way; write one line such as /usr/local/bin/check NAME, and put what needs a shell "
            "into the script"
        ),
    ),
    "a script with a quote": (
        r5,
        vrrp(track_scripts=[{"name": "up", "script": "/bin/a 'b"}]),
        both(
            "@: lvs_vrrp.track_scripts[0].script: has a quote that does not end; write one line such as "
            "/usr/local/bin/check NAME, and put what needs a shell into the script"
        ),
    ),
    "a name with a space": (
        r5,
        vrrp(track_scripts=[{"name": "a b", "script": "/bin/a"}]),
        both(
            "@: lvs_vrrp.track_scripts[0].name: 'a b' is no name; use letters, digits, and - _ . : after the first one"
        ),
    ),
    "a weight out of range": (
        r5,
        vrrp(track_scripts=[{"name": "a", "script": "/bin/a", "weight": 254}]),
        both("@: lvs_vrrp.track_scripts[0].weight: 254 is out of range; use -253 to 253"),
    ),
    "a user that is none": (
        r5,
        vrrp(track_scripts=[{"name": "a", "script": "/bin/a", "user": "a b"}]),
        both("@: lvs_vrrp.track_scripts[0].user: 'a b' is no name of a user; write it as keepalived_script"),
    ),
    "two scripts of one name": (
        r5,
        vrrp(track_scripts=[{"name": "a", "script": "/bin/a"}, {"name": "a", "script": "/bin/b"}]),
        both(
            "@: lvs_vrrp.track_scripts[1]: a is the name of @: lvs_vrrp.track_scripts[0] too; give each a "
            "name of its own"
        ),
    ),
    "a process that is a command line": (
        r5,
        vrrp(track_processes=[{"name": "a", "process": "bird -f"}]),
        both(
            "@: lvs_vrrp.track_processes[0].process: holds a space, which keepalived's configuration reads "
            "in its own way; write the name of the process as ps shows it"
        ),
    ),
    "a process without its name": (
        r5,
        vrrp(track_processes=[{"process": "bird"}]),
        both("@: lvs_vrrp.track_processes[0].name: is missing; give every process a name of its own"),
    ),
    "a notification of what never happens": (
        r5,
        vrrp(notify={"slave": "/bin/a"}),
        both("@: lvs_vrrp.notify.slave: is not a known key; use one of master, backup, fault, stop, any"),
    ),
    "a notification with a comment": (
        r5,
        vrrp(notify={"master": "/bin/a #b"}),
        both(
            "@: lvs_vrrp.notify.master: holds #, which keepalived's configuration reads in its own way; "
            "write one line such as /usr/local/bin/check NAME, and put what needs a shell into the script"
        ),
    ),
    "raw that is no text": (
        r5,
        vrrp(raw=["a"]),
        both("@: lvs_vrrp.raw: must be text, is a list; write lines of keepalived.conf after |"),
    ),
    "instances that are no list": (
        r5,
        vrrp(instances={"name": "a"}),
        both("@: lvs_vrrp.instances: must be a list of instances, is a mapping; write each on a line with a dash"),
    ),
    "an instance that is a name": (
        r5,
        vrrp(instances=["a"]),
        both(
            "@: lvs_vrrp.instances[0]: must be a mapping, is 'a'; write name, and what is its own of "
            "interface, router_id, priority, vips"
        ),
    ),
    "an instance without a name": (
        r5,
        vrrp(instances=[{"router_id": 5}]),
        both("@: lvs_vrrp.instances[0].name: is missing; give every instance a name of its own"),
    ),
    "two instances of one name": (
        r5,
        vrrp(instances=[{"name": "a"}, {"name": "a", "router_id": 52}]),
        both(
            "@: lvs_vrrp.instances[1].name: 'a' is the name of @: lvs_vrrp.instances[0] too; give every "
            "instance its own"
        ),
    ),
    "two instances of one router id": (
        r5,
        vrrp(instances=[{"name": "a"}, {"name": "b", "vips": ["192.168.0.29"]}]),
        both("@: lvs_vrrp.router_id: 51 is that of a too, on eth2; give every instance of an interface its own"),
    ),
    "an unknown setting of an instance": (
        r5,
        vrrp(instances=[{"name": "a", "prioritty": 5}]),
        both(
            "@: lvs_vrrp.instances[0].prioritty: is not a known key; did you mean priority? Otherwise use "
            "one of name, unicast, preempt, preempt_delay, interface, router_id, priority, advert_int, "
            "version, auth_pass, addresses, vips, garp, track_interfaces, track_scripts, track_processes, "
            "notify, raw, unicast_source, auth_hmac, smtp_alert, in_adverts"
        ),
    ),
    "a mistake in what instances share": (
        r5,
        vrrp(router_id=0, instances=[{"name": "a"}, {"name": "b", "router_id": 52, "vips": ["192.168.0.29"]}]),
        both("@: lvs_vrrp.router_id: 0 is out of range; use 1 to 255"),
    ),
    "vips of an instance that are none": (
        r5,
        vrrp(instances=[{"name": "a", "vips": ["192.168.0.29/32"]}]),
        both("@: lvs_vrrp.instances[0].vips[0]: '192.168.0.29/32' is no IP address; write a VIP without its prefix"),
    ),
    "adverts that name what is no address": (
        r5,
        vrrp(in_adverts=["x"]),
        both("@: lvs_vrrp.in_adverts[0]: 'x' is no IP address; write one of its addresses without its prefix"),
    ),
    "adverts that name what the instance does not carry": (
        r5,
        vrrp(in_adverts=["10.0.0.29", "192.0.2.9"]),
        both("@: lvs_vrrp.in_adverts: lvs carries no IPv4 address 192.0.2.9, by which it sends adverts; take it out"),
    ),
    "adverts that name what has no interface": (
        r5,
        vrrp(in_adverts=["10.0.0.29", "172.31.0.9"], addresses=["10.0.0.29/24", "172.31.0.9/24"]),
        both(
            "@: lvs_vrrp.addresses[1]: no network of @ holds 172.31.0.9; write it as {address: 172.31.0.9/24, "
            "interface: eth2}"
        ),
    ),
    "adverts that name other addresses than the partner's": (
        r5,
        vrrp("lb2", in_adverts=["192.168.0.29"]),
        [
            "lb2: lvs_vrrp.in_adverts: is not that of lb1: lvs_vrrp.in_adverts, and each would drop what the other one "
            "sends; directors that share VIPs need the same addresses in them"
        ],
    ),
    "vips that no service has": (
        r5,
        vrrp(instances=[{"name": "a", "vips": ["192.168.0.92"]}]),
        both("@: lvs_vrrp.instances[0].vips[0]: no service of @ has the VIP 192.168.0.92; correct it, or take it out"),
    ),
    "vips in two instances": (
        r5,
        vrrp(
            instances=[
                {"name": "a", "vips": ["192.168.0.29"]},
                {"name": "b", "router_id": 52, "vips": ["192.168.0.29"]},
            ]
        ),
        both("@: lvs_vrrp.instances[1].vips[0]: 192.168.0.29 is with a already; name each VIP once"),
    ),
    "an address of two instances": (
        r5,
        vrrp(
            instances=[
                {"name": "a", "vips": ["192.168.0.29"]},
                {"name": "b", "router_id": 52, "addresses": ["10.0.0.29/24"]},
            ]
        ),
        both("@: lvs_vrrp.instances[1].addresses[0]: 10.0.0.29 is @: lvs_vrrp.addresses[0] already; keep one"),
    ),
    "a weight in a sync group": (
        r5,
        vrrp(
            track_scripts=[{"name": "a", "script": "/bin/a", "weight": 5}],
            instances=[{"name": "a"}, {"name": "b", "router_id": 52, "vips": ["192.168.0.29"]}],
        ),
        both(
            "@: lvs_vrrp.track_scripts[0].weight: has no meaning in a sync group: keepalived ignores what "
            "would change the priority of one instance; leave it out, so that a failure makes the director "
            "give way, or set sync_group: false"
        ),
    ),
    "one name for two scripts of instances": (
        r5,
        vrrp(
            instances=[
                {"name": "a", "track_scripts": [{"name": "s", "script": "/bin/a"}]},
                {
                    "name": "b",
                    "router_id": 52,
                    "vips": ["192.168.0.29"],
                    "track_scripts": [{"name": "s", "script": "/bin/b"}],
                },
            ]
        ),
        both(
            "@: lvs_vrrp.instances[1].track_scripts[0]: s is the name of @: "
            "lvs_vrrp.instances[0].track_scripts[0] too; give each a name of its own"
        ),
    ),
    "vips without instances": (
        r5,
        vrrp(vips=["192.168.0.29"]),
        both(
            "@: lvs_vrrp.vips: is not a known key; use one of name, unicast, preempt, preempt_delay, interface, "
            "router_id, priority, advert_int, version, auth_pass, addresses, garp, track_interfaces, "
            "track_scripts, track_processes, notify, raw, unicast_source, auth_hmac, smtp_alert, in_adverts"
        ),
    ),
    "another order of directors in one sync group": (
        r5,
        crossed,
        [
            (
                "lb2: lvs_vrrp.priority: is above that of lb1 in some instances and below in others, and they "
                "are all in one sync group; put the directors in the same order everywhere, or set sync_group: "
                "false"
            )
        ],
    ),
    "a VIP without an interface": (
        r5,
        vip_elsewhere,
        both("@: lvs_vip_interface: is needed: no network of @ holds the VIP 192.168.9.29; set it, or correct the VIP"),
    ),
    "a VIP on lo": (
        r5,
        host("lb1", lvs_vip_interface="lo"),
        [
            (
                "lb1: lvs_vip_interface: lo has no neighbours to whom keepalived could announce the VIPs; name "
                "the NIC whose network holds them"
            )
        ],
    ),
    "settings of the daemon that are no mapping": (
        r5,
        host("lb1", lvs_keepalived="lb1"),
        ["lb1: lvs_keepalived: must be a mapping, is 'lb1'; write it as {router_id: NAME}"],
    ),
    "an unknown setting of the daemon": (
        r5,
        host("lb1", lvs_keepalived={"script_usr": "a"}),
        [
            (
                "lb1: lvs_keepalived.script_usr: is not a known key; did you mean script_user? Otherwise use one"
                " of router_id, script_user, check_marks, global_raw, raw, mail, plugins"
            )
        ],
    ),
    "an identifier of two words": (
        r5,
        host("lb1", lvs_keepalived={"router_id": "a b"}),
        [
            (
                "lb1: lvs_keepalived.router_id: holds a space, which keepalived's configuration reads in its own"
                " way; use letters, digits, and - _ ."
            )
        ],
    ),
    "a role for the sync daemons": (
        r5,
        sync(role="both"),
        both(
            "@: lvs_sync.role: has no meaning with lvs_manager: keepalived, which makes the VRRP master the "
            "sending one; leave it out"
        ),
    ),
    "sync daemons of one director": (
        r5,
        host("lb1", lvs_sync={"syncid": 1}),
        [
            (
                "lb2: lvs_sync: is not set, and lb1 has it; directors that share VIPs need the same: connections"
                " go both ways"
            )
        ],
    ),
    "sync daemons that do not fit": (
        r5,
        two_syncs,
        [
            ("lb2: lvs_sync.syncid: is 2 here and 1 at lb1: lvs_sync.syncid; directors that share VIPs need the same"),
            (
                "lb2: lvs_sync.group: is 224.0.0.82 here and 224.0.0.81 at lb1: lvs_sync.group; directors that "
                "share VIPs need the same"
            ),
            (
                "lb2: lvs_sync.port: is 8849 here and 8848 at lb1: lvs_sync.port; directors that share VIPs need"
                " the same"
            ),
        ],
    ),
    "no interface for the sync daemons": (
        r5,
        sync_without_facts,
        [
            (
                "lb1: lvs_sync.interface: is needed where facts do not tell the interface that holds "
                "lvs_address; name the one on which the directors reach each other"
            )
        ],
    ),
    "one of two directors without keepalived": (
        r5,
        host("lb2", lvs_manager="kernel"),
        [
            (
                "lb2: lvs_services: the VIP 192.168.0.29 is on lb1 too, and both would answer for it; set "
                "lvs_manager: keepalived for lb2, which moves it, or lvs_bgp for all of them, so that routers know "
                "each, or give each director VIPs of its own"
            )
        ],
    ),
    "another router id": (
        r5,
        vrrp("lb2", router_id=52),
        [
            (
                "lb2: lvs_vrrp.router_id: is 52 here and 51 at lb1: lvs_vrrp.router_id; directors that share "
                "VIPs need the same"
            )
        ],
    ),
    "adverts of another family": (
        r5,
        by_another_family,
        [
            (
                "lb2: lvs_vrrp: sends its adverts by IPv6, and lb1 by IPv4; give all directors an lvs_address of that "
                "family"
            )
        ],
    ),
    "adverts into another network": (
        r5,
        vrrp("lb2", interface="eth1"),
        [
            (
                "lb2: lvs_vrrp.interface: eth1 is not in a network of eth2 of lb1, and adverts go by these; name "
                "interfaces of one network, or set unicast: true"
            )
        ],
    ),
    "another interval": (
        r5,
        vrrp("lb2", advert_int=2),
        [
            (
                "lb2: lvs_vrrp.advert_int: is 2 here and 1 at lb1: lvs_vrrp.advert_int; directors that share "
                "VIPs need the same"
            )
        ],
    ),
    "another version": (
        r5,
        other_version,
        [("lb2: lvs_vrrp.version: is 3 here and 2 at lb1: lvs_vrrp.version; directors that share VIPs need the same")],
    ),
    "another password": (
        r5,
        password("other", "lb2"),
        [
            (
                "lb2: lvs_vrrp.auth_pass: is not that of lb1: lvs_vrrp.auth_pass; directors that share VIPs need"
                " the same password"
            )
        ],
    ),
    "no password": (
        r5,
        vrrp("lb2", auth_pass=None),
        [
            (
                "lb2: lvs_vrrp.auth_pass: is not that of lb1: lvs_vrrp.auth_pass; directors that share VIPs need"
                " the same password"
            )
        ],
    ),
    "unicast of one": (
        r5,
        vrrp("lb2", unicast=True),
        [
            (
                "lb2: lvs_vrrp.unicast: is true here and false at lb1: lvs_vrrp.unicast; directors that share "
                "VIPs need the same"
            )
        ],
    ),
    "other floating addresses": (
        r5,
        vrrp("lb2", addresses=["10.0.0.29/24", "10.0.0.30/24"]),
        [
            (
                "lb2: lvs_vrrp.addresses: are not those of lb1: lvs_vrrp.addresses; directors that share VIPs "
                "need the same floating addresses"
            )
        ],
    ),
    "another prefix of a floating address": (
        r5,
        vrrp("lb2", addresses=["10.0.0.29"]),
        [
            (
                "lb2: lvs_vrrp.addresses: are not those of lb1: lvs_vrrp.addresses; directors that share VIPs "
                "need the same floating addresses"
            )
        ],
    ),
    "the same priority": (
        r5,
        vrrp("lb2", priority=150),
        [
            (
                "lb2: lvs_vrrp.priority: 150 is that of lb1: lvs_vrrp.priority too, and it must be clear who is "
                "master; give each director its own"
            )
        ],
    ),
    "other instances": (
        r5,
        vrrp("lb2", instances=[{"name": "a"}, {"name": "b", "router_id": 52, "vips": ["192.168.0.29"]}]),
        [
            (
                "lb2: lvs_vrrp.instances: are a, b here, and lvs at lb1: lvs_vrrp; directors that share VIPs need "
                "the same instances"
            )
        ],
    ),
    "one instance each, of which only the name and the place of its addresses differ": (
        r5,
        vrrp("lb2", instances=[{"name": "a"}]),
        [],
    ),
    "an instance that carries something else": (
        r5,
        other_share,
        [
            (
                "lb2: lvs_vrrp.instances[0].vips: a does not carry what a of lb1 does, by their interfaces; name"
                " the VIPs of each instance in its vips"
            ),
            (
                "lb2: lvs_vrrp.instances[1].vips: b does not carry what b of lb1 does, by their interfaces; name"
                " the VIPs of each instance in its vips"
            ),
        ],
    ),
    "an instance with another floating address": (
        r5,
        other_floating,
        [
            (
                "lb2: lvs_vrrp.instances[0].addresses: are not those of lb1: lvs_vrrp.instances[0].addresses; "
                "directors that share VIPs need the same floating addresses"
            )
        ],
    ),
    "sync group or not": (
        r5,
        other_group,
        [
            (
                "lb2: lvs_vrrp.sync_group: is false here and true at lb1: lvs_vrrp.sync_group; directors that "
                "share VIPs need the same"
            )
        ],
    ),
    "another scheduler": (
        r5,
        service("lb2", scheduler="wlc"),
        [
            (
                "lb2: lvs_services[0].scheduler: is not what lb1: lvs_services[0].scheduler is; directors that "
                "share VIPs need the same services: write it once, for both"
            )
        ],
    ),
    "another weight": (
        r5,
        service("lb2", real_servers=[{"host": "app1", "weight": 5}, {"host": "app2"}]),
        [
            (
                "lb2: lvs_services[0].real_servers: is not what lb1: lvs_services[0].real_servers is; directors "
                "that share VIPs need the same services: write it once, for both"
            )
        ],
    ),
    "another health check": (
        r5,
        service("lb2", health_check={"type": "tcp"}),
        [
            (
                "lb2: lvs_services[0].health_check: is not what lb1: lvs_services[0].health_check is; directors "
                "that share VIPs need the same services: write it once, for both"
            )
        ],
    ),
    "another prefix of the VIP": (
        r5,
        service("lb2", address="192.168.0.29/24"),
        [
            (
                "lb2: lvs_services[0].address: is not what lb1: lvs_services[0].address is; directors that share"
                " VIPs need the same services: write it once, for both"
            )
        ],
    ),
    "a mark of something else": (
        dr_pair,
        marked_otherwise,
        [
            "lb2: lvs_services[0].marked: is not what lb1: lvs_services[0].marked is; directors that share VIPs need "
            "the same services: write it once, for both"
        ],
    ),
    "an identifier that is a number": (
        r5,
        host("lb1", lvs_keepalived={"router_id": 5}),
        ["lb1: lvs_keepalived.router_id: 5 is no identifier; use letters, digits, and - _ ."],
    ),
    "a service that the other has not": (
        r5,
        one_more,
        [
            (
                "lb1: lvs_services: has no service such as lb2: lvs_services[1] (other); directors that share "
                "VIPs need the same services: add it, or take it away there"
            )
        ],
    ),
    "a director without a place": (
        r5,
        without_place,
        [
            (
                "lb1: lvs_vrrp.priority: is needed: lb1 has no place among the directors of the inventory by "
                "which it could be chosen; write 1 to 254, another one for each director"
            )
        ],
    ),
    "static neighbours of what moves": (
        dr_pair,
        host("web1", lvs_arp_method="static_neighbour"),
        [
            (
                "web1: lvs_arp_method: static_neighbour ties the VIPs to one director's MAC, and keepalived "
                "moves them; use sysctl or arptables"
            )
        ],
    ),
    "arptables on a director": (
        dr_pair,
        directors_serve("arptables"),
        both("@: lvs_arp_method: arptables would keep @ from answering for the VIPs while it is master; use sysctl"),
    ),
    "a loop": (
        dr_pair,
        directors_serve("sysctl"),
        [
            (
                "lb1: lvs_sync: is needed: lvs_services[0].real_servers[0] makes the director lb1 a real server "
                "too; set it to {syncid: 1}: without a backup daemon net.ipv4.vs.backup_only has no effect, and "
                "packets loop"
            ),
            (
                "lb2: lvs_sync: is needed: lvs_services[0].real_servers[1] makes the director lb2 a real server "
                "too; set it to {syncid: 1}: without a backup daemon net.ipv4.vs.backup_only has no effect, and "
                "packets loop"
            ),
        ],
    ),
    "directors that are real servers and several masters": (
        dr_pair,
        several_masters_serve,
        [
            f"{director}: lvs_vrrp.sync_group: is false, and lvs_services[0].real_servers[{position}] makes the "
            f"director {director} a real server too; leave it out, and give each director one priority for all "
            "instances: as backup of one it hands on nothing, of the other instances neither"
            for position, director in enumerate(("lb1", "lb2"))
        ],
    ),
    "a director behind NAT": (
        r5,
        service(real_servers=[{"host": "lb1"}, {"host": "app1"}]),
        [
            (
                "lvs_services[0].real_servers[0]: lb1 is a director of the same VIPs: as master it would be its "
                "own default gateway; use forward: dr or fullnat, or another real server"
            ),
            (
                "lvs_services[0].real_servers[0].host: lb1 is not in the group lvs_real_servers, so nothing "
                "prepares it; add it to the group, or write address: where somebody else prepares it"
            ),
        ],
    ),
    "a real server whose gateway is the floating address": (
        dr_pair,
        gateway,
        [
            (
                "lvs_services[0].real_servers[0]: the default gateway of web1, 192.168.246.169, is the director "
                "lb1, which drops answers that come from its own VIP; set lvs_gateway of web1 to another router,"
                " or use forward: nat for all its services"
            ),
            (
                "lvs_services[0].real_servers[0]: the default gateway of web1, 192.168.246.169, is the director "
                "lb2, which drops answers that come from its own VIP; set lvs_gateway of web1 to another router,"
                " or use forward: nat for all its services"
            ),
        ],
    ),
    "a health check that is no mapping": (
        r5,
        service(health_check="tcp"),
        ["lvs_services[0].health_check: must be a mapping, is 'tcp'; write it as {type: tcp}"],
    ),
    "a health check without a type": (
        r5,
        service(health_check={}),
        [
            (
                "lvs_services[0].health_check.type: is missing; use one of http, https, tcp, udp, smtp, dns, "
                "ping, misc, ldap, mysql, pgsql, redis, imap, pop, ftp, file"
            )
        ],
    ),
    "an unknown type": (
        r5,
        service(health_check={"type": "bfd"}),
        [
            (
                "lvs_services[0].health_check.type: 'bfd' is not known; use one of http, https, tcp, udp, smtp, "
                "dns, ping, misc, ldap, mysql, pgsql, redis, imap, pop, ftp, file"
            )
        ],
    ),
    "an unknown key of a check": (
        r5,
        service(health_check={"type": "tcp", "intervall": 3}),
        [
            (
                "lvs_services[0].health_check.intervall: is not a known key; did you mean interval? Otherwise "
                "use one of type, timeout, warmup, interval, retries, retry_delay, port, address, "
                "source, source_port, fwmark, through"
            )
        ],
    ),
    "a way of checks that is not known": (
        dr_pair,
        service(health_check={"type": "tcp", "through": "vpi"}),
        ["lvs_services[0].health_check.through: 'vpi' is not known; did you mean vip? Otherwise use one of rip, vip"],
    ),
    "a check through the VIP where the real server has another address": (
        r5,
        service(health_check={"type": "tcp", "through": "vip"}),
        [
            "lvs_services[0].health_check.through: is vip, and with forward: nat a real server serves its own address; "
            "leave it out: a check of that address goes where clients' packets go"
        ],
    ),
    "a ping through the VIP": (
        dr_pair,
        service(health_check={"type": "ping", "through": "vip"}),
        ["lvs_services[0].health_check.through: has no meaning with type: ping; leave it out"],
    ),
    "a check through VIPs that are not known": (
        dr_pair,
        unmarked,
        [
            "lvs_services[0].health_check.through: is vip, and the addresses that carry firewall mark 10 are not known "
            "here; name them with marked, or use through: rip"
        ],
    ),
    "a check through the VIP by a backup that forwards nothing": (
        dr_pair,
        passive_backups,
        both(
            "lvs_services[0].health_check.through: is vip, and with net.ipv4.vs.backup_only the director @ forwards no "
            "check as backup; use through: rip"
        ),
    ),
    "a check through the VIP without an address of that family": (
        dr_pair,
        without_source,
        [
            "lb1: lvs_address: is needed: checks of web1 (fd00::161) through the VIP come from an IPv6 address of lb1, "
            "and none is known; write it, or gather facts",
            "lb1: lvs_address: is needed: checks of web2 (fd00::162) through the VIP come from an IPv6 address of lb1, "
            "and none is known; write it, or gather facts",
            *(
                f"lvs_services[1].real_servers[{n}]: web{n + 1} (fd00::16{n + 1}) is on no network of the director "
                "lb1, and direct routing works on one segment; move it there, correct its lvs_address, or use "
                "forward: nat"
                for n in range(2)
            ),
        ],
    ),
    "a first mark that is none": (
        dr_pair,
        host("lb1", lvs_keepalived={"check_marks": 2**31}),
        ["lb1: lvs_keepalived.check_marks: 2147483648 is out of range; use 1 to 2147352576"],
    ),
    "an option of another type": (
        r5,
        service(health_check={"type": "tcp", "path": "/"}),
        [
            (
                "lvs_services[0].health_check.path: has no meaning with type: tcp; leave it out, or use type: "
                "http or https or file"
            )
        ],
    ),
    "an option of one other type": (
        r5,
        service(health_check={"type": "http", "sni": True}),
        [("lvs_services[0].health_check.sni: has no meaning with type: http; leave it out, or use type: https")],
    ),
    "a port of a ping": (
        r5,
        service(health_check={"type": "ping", "port": 80}),
        ["lvs_services[0].health_check.port: has no meaning with type: ping; leave it out"],
    ),
    "an interval of a file": (
        r5,
        service(health_check={"type": "file", "path": "/run/up", "interval": 3}),
        ["lvs_services[0].health_check.interval: has no meaning with type: file; leave it out"],
    ),
    "an interval out of range": (
        r5,
        service(health_check={"type": "tcp", "interval": 0}),
        ["lvs_services[0].health_check.interval: 0 is out of range; use 0.001 to 86400"],
    ),
    "a timeout that is no number": (
        r5,
        service(health_check={"type": "tcp", "timeout": "3s"}),
        ["lvs_services[0].health_check.timeout: '3s' is no number; use 0.001 to 3600"],
    ),
    "a timeout of a script that is too exact": (
        r5,
        service(health_check={"type": "misc", "script": "/bin/a", "timeout": 1.5}),
        ["lvs_services[0].health_check.timeout: 1.5 is no whole number; use 1 to 3600"],
    ),
    "retries that are no number": (
        r5,
        service(health_check={"type": "tcp", "retries": 1.5}),
        ["lvs_services[0].health_check.retries: 1.5 is no whole number; use 0 to 1000"],
    ),
    "a port out of range": (
        r5,
        service(health_check={"type": "tcp", "port": 65536}),
        ["lvs_services[0].health_check.port: 65536 is out of range; use 1 to 65535"],
    ),
    "a check without a port": (
        dr_pair,
        marked_without_port,
        [
            (
                "lvs_services[0].health_check.port: is needed where real servers have no port of their own; "
                "write the port to check"
            )
        ],
    ),
    "a path without a slash": (
        r5,
        service(health_check={"type": "http", "path": "up"}),
        ["lvs_services[0].health_check.path: 'up' does not begin with a slash; write it as /health"],
    ),
    "a path with a comment": (
        r5,
        service(health_check={"type": "http", "path": "/!"}),
        [
            (
                "lvs_services[0].health_check.path: holds !, which keepalived's configuration reads in its own "
                "way; write what is special in it as %21 or the like"
            )
        ],
    ),
    "a path with a space": (
        r5,
        service(health_check={"type": "http", "path": "/a b"}),
        [
            (
                "lvs_services[0].health_check.path: holds a space, which keepalived's configuration reads in its"
                " own way; write what is special in it as %21 or the like"
            )
        ],
    ),
    "a status that is none": (
        r5,
        service(health_check={"type": "http", "status": 99}),
        [("lvs_services[0].health_check.status: 99 is no HTTP status; use 100 to 599, or a range such as 200-299")],
    ),
    "a range of statuses that is none": (
        r5,
        service(health_check={"type": "http", "status": [200, "299-200"]}),
        [
            (
                "lvs_services[0].health_check.status[1]: '299-200' is no HTTP status; use 100 to 599, or a range"
                " such as 200-299"
            )
        ],
    ),
    "a digest that is none": (
        r5,
        service(health_check={"type": "http", "digest": "abc"}),
        [("lvs_services[0].health_check.digest: 'abc' is no MD5 digest; write the 32 hexadecimal digits of genhash")],
    ),
    "a virtual host that is none": (
        r5,
        service(health_check={"type": "http", "virtual_host": "a b"}),
        [("lvs_services[0].health_check.virtual_host: 'a b' is no name of a host; write it as www.example.com")],
    ),
    "URLs that are no list": (
        r5,
        service(health_check={"type": "http", "urls": "/"}),
        [("lvs_services[0].health_check.urls: must be a list of URLs, is '/'; write each on a line with a dash")],
    ),
    "a URL that is a path": (
        r5,
        service(health_check={"type": "http", "urls": ["/"]}),
        [("lvs_services[0].health_check.urls[0]: must be a mapping, is '/'; write it as {path: /, status: 200}")],
    ),
    "an unknown key of a URL": (
        r5,
        service(health_check={"type": "http", "urls": [{"pth": "/"}]}),
        [
            (
                "lvs_services[0].health_check.urls[0].pth: is not a known key; did you mean path? Otherwise use "
                "one of virtual_host, path, digest, status, regex, regex_no_match"
            )
        ],
    ),
    "a path beside URLs": (
        r5,
        service(health_check={"type": "http", "path": "/", "urls": [{"path": "/"}]}),
        ["lvs_services[0].health_check.path: stands beside urls; write it in each of urls"],
    ),
    "a query type that is none": (
        r5,
        service(health_check={"type": "dns", "query_type": "AAA"}),
        [
            (
                "lvs_services[0].health_check.query_type: 'AAA' is not known; did you mean AAAA? Otherwise use "
                "one of A, NS, CNAME, SOA, MX, TXT, AAAA"
            )
        ],
    ),
    "a name of a query that is none": (
        r5,
        service(health_check={"type": "dns", "name": "a b"}),
        [("lvs_services[0].health_check.name: 'a b' is no name of a host; write it as www.example.com")],
    ),
    "a label of a query that is too long": (
        r5,
        service(health_check={"type": "dns", "name": f"www.{'a' * 64}.example"}),
        [
            (
                f"lvs_services[0].health_check.name: 'www.{'a' * 64}.example' is no name of a domain; write at most 63 "
                "characters between two dots, and at most 253 in all"
            )
        ],
    ),
    "a name of a query that is too long": (
        r5,
        service(health_check={"type": "dns", "name": f"{'a.' * 126}aa"}),
        [
            (
                f"lvs_services[0].health_check.name: '{'a.' * 29}a... (256 characters) is no name of a domain; write "
                "at most 63 characters between two dots, and at most 253 in all"
            )
        ],
    ),
    "a HELO that is none": (
        r5,
        service(health_check={"type": "smtp", "helo_name": "a b"}),
        [("lvs_services[0].health_check.helo_name: 'a b' is no name of a host; write it as www.example.com")],
    ),
    "a check without its script": (
        r5,
        service(health_check={"type": "misc"}),
        [
            (
                "lvs_services[0].health_check.script: is missing; write the command; {address} and {port} stand "
                "for the real server's"
            )
        ],
    ),
    "a script with a variable": (
        r5,
        service(health_check={"type": "misc", "script": "/bin/a $HOME"}),
        [
            (
                "lvs_services[0].health_check.script: holds $, which keepalived's configuration reads in its own"
                " way; write one line such as /usr/local/bin/check NAME, and put what needs a shell into the "
                "script"
            )
        ],
    ),
    "a script with an unknown placeholder": (
        r5,
        service(health_check={"type": "misc", "script": "/bin/a {name}"}),
        [
            (
                "lvs_services[0].health_check.script: holds {, which keepalived's configuration reads in its own"
                " way; write one line such as /usr/local/bin/check NAME, and put what needs a shell into the "
                "script"
            )
        ],
    ),
    "a check without its file": (
        r5,
        service(health_check={"type": "file"}),
        [
            (
                "lvs_services[0].health_check.path: is missing; write the file; {address} and {port} stand for "
                "the real server's"
            )
        ],
    ),
    "a file with a space": (
        r5,
        service(health_check={"type": "file", "path": "/run/a b"}),
        [
            "lvs_services[0].health_check.path: holds a space, which keepalived's configuration reads in its own way; "
            "write it as /run/NAME"
        ],
    ),
    "a payload that is not hexadecimal": (
        r5,
        service(health_check={"type": "udp", "payload": "hello"}),
        [
            (
                "lvs_services[0].health_check.payload: 'hello' is not hexadecimal; write bytes as pairs of "
                "hexadecimal digits, such as 0a1b"
            )
        ],
    ),
    "a reply that is not hexadecimal": (
        r5,
        service(health_check={"type": "udp", "require_reply": "ok"}),
        [
            (
                "lvs_services[0].health_check.require_reply: 'ok' is not hexadecimal; use true, or pairs of "
                "hexadecimal digits, x for any"
            )
        ],
    ),
    "a quorum out of range": (
        r5,
        service(quorum=0),
        ["lvs_services[0].quorum: 0 is out of range; use 1 to 2147483647"],
    ),
    "a hysteresis as large as the quorum": (
        r5,
        service(quorum=2, hysteresis=2),
        ["lvs_services[0].hysteresis: 2 is not below quorum 2; use 0 to 1"],
    ),
    "a command of a quorum that is none": (
        r5,
        service(quorum_up="logger up"),
        [
            (
                "lvs_services[0].quorum_up: 'logger up' is no command with an absolute path; write one line such"
                " as /usr/local/bin/check NAME, and put what needs a shell into the script"
            )
        ],
    ),
    "a command of a quorum with a backslash": (
        r5,
        service(quorum_down="/bin/a \\n"),
        [
            (
                "lvs_services[0].quorum_down: holds \\, which keepalived's configuration reads in its own way; "
                "write one line such as /usr/local/bin/check NAME, and put what needs a shell into the script"
            )
        ],
    ),
    "a sorry server that is no mapping": (
        r5,
        service(sorry_server="127.0.0.1"),
        [
            (
                "lvs_services[0].sorry_server: must be a mapping, is '127.0.0.1'; write it as {address: "
                "127.0.0.1, port: 8080}"
            )
        ],
    ),
    "a sorry server that is nobody": (
        r5,
        service(sorry_server={"port": 80}),
        [("lvs_services[0].sorry_server: names no real server; write host: NAME of the inventory, or address: RIP")],
    ),
    "a sorry server that is not in the inventory": (
        r5,
        service(sorry_server={"host": "app9"}),
        [
            (
                "lvs_services[0].sorry_server.host: 'app9' is not in the inventory; did you mean app2? Otherwise"
                " add it to the inventory, or write address: RIP"
            )
        ],
    ),
    "a weight of a sorry server": (
        r5,
        service(sorry_server={"address": "127.0.0.1", "weight": 1}),
        [("lvs_services[0].sorry_server.weight: is not a known key; use one of host, address, port, tunnel")],
    ),
    "a port of a sorry server in DR": (
        dr_pair,
        service(sorry_server={"address": "127.0.0.1", "port": 8080}),
        [
            (
                "lvs_services[0].sorry_server.port: 8080 differs from the service's port 80, and direct routing "
                "cannot map ports; leave it out, or use forward: nat"
            )
        ],
    ),
    "a sorry server of the other family": (
        r5,
        service(sorry_server={"address": "::1"}),
        [
            (
                "lvs_services[0].sorry_server: ::1 is IPv6, and the service is IPv4; write its IPv4 address as "
                "address: beside or instead of host:"
            )
        ],
    ),
    "a name of a service with a line break": (
        r5,
        service(name="web\n}"),
        ["lvs_services[0].name: 'web\\n}' is no name; give the service a name of its own"],
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(name: str) -> None:
    make, change, lines = MISTAKES[name]
    model = make()
    change(model)
    assert sorted(model.mistakes()) == sorted(lines)


def instances_of(state: frozenset[str]) -> Model:
    """A pair with two instances, and what may stand in the way of them."""
    model = dr_pair()
    if "serve" in state:
        directors_serve("sysctl")(model)
        sync()(model)
    script = {"name": "s", "script": "/bin/s", **({"weight": -20} if "weight" in state else {})}
    for director, priority in (("lb1", 150), ("lb2", 140)):
        second = {"priority": 300 - priority} if "crossed" in state else {}
        given = {"sync_group": False} if "apart" in state else {}
        vrrp(
            director,
            priority=priority,
            track_scripts=[script],
            instances=[{"name": "a", "vips": ["192.168.246.160"]}, {"name": "b", "router_id": 52, **second}],
            **given,
        )(model)
    return model


def after(state: frozenset[str], line: str) -> list[frozenset[str]]:
    """What becomes of the pair by each way out that a mistake names."""
    path, remedy = line.rpartition("; ")[0].partition(": is ")[0], line.rpartition("; ")[2]
    ways = []
    if "one priority for all" in remedy:
        ways.append(state - {"apart", "crossed"})
    elif "leave it out" in remedy:
        ways.append(state - ({"weight"} if ".weight" in path else {"apart"}))
    if "same order everywhere" in remedy:
        ways.append(state - {"crossed"})
    if "set sync_group: false" in remedy:
        ways.append(state | {"apart"})
    return ways


STATES = ("serve", "weight", "crossed", "apart")


@pytest.mark.parametrize("number", range(2 ** len(STATES)))
def test_every_way_out_leads_out(number: int) -> None:
    """Whichever remedy is chosen each time, no state comes back, and in the end all is well."""

    def follow(state: frozenset[str], seen: tuple[frozenset[str], ...]) -> None:
        assert state not in seen, (seen, state)
        for line in instances_of(state).mistakes():
            ways = after(state, line)
            assert ways, line
            for way in ways:
                follow(way, (*seen, state))

    follow(frozenset(each for bit, each in enumerate(STATES) if number >> bit & 1), ())


WITH_RAW: dict[str, tuple[Callable[[str], Change], str]] = {
    "lines for every instance": (lambda text: vrrp(raw=text), "@: lvs_vrrp.raw"),
    "lines for global_defs": (
        lambda text: lambda model: [host(each, lvs_keepalived={"global_raw": text})(model) for each in ("lb1", "lb2")],
        "@: lvs_keepalived.global_raw",
    ),
    "blocks": (
        lambda text: lambda model: [host(each, lvs_keepalived={"raw": text})(model) for each in ("lb1", "lb2")],
        "@: lvs_keepalived.raw",
    ),
    "lines for a service": (lambda text: service(raw=text), "lvs_services[0].raw"),
}
REFUSED = {
    "vrrp_strict\n": "vrrp_strict in line 1 has keepalived drop packets to the VIPs, and refuse unicast with IPv6, "
    "passwords and delays; take the line out",
    "debug 1\n  no_accept # why": "no_accept in line 2 has keepalived drop packets to the VIPs before IPVS sees them; "
    "take the line out",
    "global_defs { vrrp_iptables }": "vrrp_iptables in line 1 names chains of iptables, which keepalived is mostly "
    "built without; take the line out",
    "@lb1 lvs_flush": "lvs_flush in line 1 empties the IPVS table when keepalived starts, also of what others put "
    "there; take the line out",
    "debug 1\nx"
    + "a" * 1019: "has 1020 bytes in line 2, and keepalived reads lines of 1023 bytes; break the line, or put "
    "what is long into a file of its own",
    "# "
    + "a" * 1000
    + "\u2028"
    + "b" * 20: "has 1025 bytes in line 1, and keepalived reads lines of 1023 bytes; break "
    "the line, or put what is long into a file of its own",
    "$A=x \\\n": "ends with a backslash, and would go on with a line of ours; take the backslash away",
    "debug\0 1": "holds a control character, or half of one in UTF-16; write plain lines of text",
    "debug \ud800": "holds a control character, or half of one in UTF-16; write plain lines of text",
}


@pytest.mark.parametrize("text", REFUSED)
@pytest.mark.parametrize("lines", WITH_RAW)
def test_raw_lines_that_undo_what_a_director_is_there_for(lines: str, text: str) -> None:
    change, path = WITH_RAW[lines]
    model = r5()
    change(text)(model)
    # What is wrong alike on both directors is one line that names them.
    where = f"{path.removeprefix('@: ')} (lb1, lb2)" if "@" in path else path
    assert model.mistakes() == [f"{where}: {REFUSED[text]}"]


@pytest.mark.parametrize(
    "text", ["# vrrp_strict", "notify /bin/no_accept", "debug 1 ! no_accept", "é" * 500, "a\r\nb\tc"]
)
def test_raw_lines_that_only_look_so(text: str) -> None:
    model = r5()
    vrrp(raw=text)(model)
    assert model.mistakes() == []


COMMANDS: dict[str, Callable[[str], Change]] = {
    "quorum_up": lambda command: service(quorum_up=command),
    "quorum_down": lambda command: service(quorum_down=command),
    "script": lambda command: service(health_check={"type": "misc", "script": command}),
    "notify": lambda command: vrrp(notify={"any": command}),
    "track_scripts": lambda command: vrrp(track_scripts=[{"name": "a", "script": command}]),
}


@pytest.mark.parametrize("where", COMMANDS)
@pytest.mark.parametrize(
    ("command", "character"),
    [
        ("/bin/a; /bin/b", ";"),
        ("/bin/a && /bin/b", "&"),
        ("/bin/a &", "&"),
        ("/bin/a | grep x", "|"),
        ("/bin/a >/dev/null", ">"),
        ("/bin/a 2>&1", ">"),
        ("/bin/a </dev/null", "<"),
        ("/bin/a `date`", "`"),
        ("/bin/a 'quoted;' ;", ";"),
    ],
)
def test_no_command_needs_a_shell(where: str, command: str, character: str) -> None:
    model = r5()
    COMMANDS[where](command)(model)
    told = (
        f"holds {character} outside quotes, and no shell reads the command: it would become an argument; put it into a "
    )
    mistakes = model.mistakes()
    assert mistakes
    assert all(f"{told}script" in each for each in mistakes)


@pytest.mark.parametrize("where", COMMANDS)
def test_an_argument_in_quotes_is_taken_as_it_is(where: str) -> None:
    model = r5()
    COMMANDS[where]("/bin/a 'one;two|three' --url='http://x/?a=1&b=2'")(model)
    assert model.mistakes() == []


LONG = "a" * 1021
TOO_LONG: dict[str, Change] = {
    **{f"command {name}": make(f"/bin/{LONG}") for name, make in COMMANDS.items()},
    "command with placeholders": service(health_check={"type": "misc", "script": "/bin/a " + "{address}" * 25}),
    "file": service(health_check={"type": "file", "path": f"/run/{LONG}"}),
    "path of a URL": service(health_check={"type": "http", "path": f"/{LONG}"}),
    "virtual_host": service(health_check={"type": "http", "virtual_host": LONG}),
    "name of DNS": service(health_check={"type": "dns", "name": LONG}),
    "helo_name": service(health_check={"type": "smtp", "helo_name": LONG}),
    "instance": vrrp(instances=[{"name": LONG}]),
    "script": vrrp(track_scripts=[{"name": LONG, "script": "/bin/a"}]),
    "process": vrrp(track_processes=[{"name": "a", "process": LONG}]),
    "router_id": lambda model: [host(each, lvs_keepalived={"router_id": LONG})(model) for each in ("lb1", "lb2")],
}


@pytest.mark.parametrize("what", TOO_LONG)
def test_no_value_is_longer_than_a_line_that_keepalived_reads(what: str) -> None:
    model = r5()
    TOO_LONG[what](model)
    mistakes = model.mistakes()
    assert mistakes
    assert all("characters, and keepalived reads lines of 1023 bytes; use " in each for each in mistakes)


def unicast_elsewhere(**more: Any) -> Model:
    """Two networks: lvs_address in one, adverts in the other."""
    model = r5()
    for number, director in enumerate(("lb1", "lb2"), start=1):
        nics = (
            nic("eth0", f"172.17.2.{number}/24"),
            nic("eth1", f"192.168.0.1{number}/24"),
            nic("eth2", f"10.0.0.1{number}/24"),
        )
        host(director, ansible_facts=facts(*nics))(model)
    vrrp(interface="eth0", **more)(model)
    return model


def sends(model: Model, director: str) -> dict[str, Any]:
    made = model.plan(director, "keepalived")["keepalived"]["instances"][0]["unicast"]
    assert isinstance(made, dict)
    return made


@pytest.mark.parametrize("unicast", [["172.17.2.1", "172.17.2.2"], True])
def test_adverts_go_from_and_to_where_the_interface_is(unicast: Any) -> None:
    """The address of the inventory is elsewhere: it is neither the source, nor is the own one a peer."""
    model = unicast_elsewhere(unicast=unicast)
    assert model.mistakes() == []
    assert sends(model, "lb1") == {"source": "172.17.2.1", "peers": ["172.17.2.2"]}
    assert sends(model, "lb2") == {"source": "172.17.2.2", "peers": ["172.17.2.1"]}


def test_of_several_addresses_the_one_that_is_listed_sends() -> None:
    model = unicast_elsewhere(unicast=True)
    nics = nic("eth0", "172.17.2.1/24", "172.17.2.9/24"), nic("eth1", "192.168.0.11/24"), nic("eth2", "10.0.0.11/24")
    host("lb1", ansible_facts=facts(*nics))(model)
    assert model.mistakes() == [
        "lb1: lvs_vrrp.unicast: needs the address from which lb1 sends: eth0 has no single IPv4 address of its own; "
        "list the addresses of all directors, that of this one too"
    ]
    vrrp(unicast=["172.17.2.2", "172.17.2.9"])(model)
    assert model.mistakes() == []
    assert sends(model, "lb1") == {"source": "172.17.2.9", "peers": ["172.17.2.2"]}


def test_a_director_of_which_nothing_is_known_is_sent_to_nowhere_by_guess() -> None:
    """As with --limit lb1 and no facts in a cache: lvs_address of lb2 is not where lb2 listens."""
    model = unicast_elsewhere(unicast=True)
    model.hostvars["lb2"].pop("ansible_facts")
    with pytest.raises(WrongModel) as refused:
        model.plan("lb1", "keepalived")
    assert "lb1: lvs_vrrp.unicast: needs the address of lb2 on eth0, and nothing is known of that" in str(refused.value)
    vrrp(unicast=["172.17.2.1", "172.17.2.2"])(model)
    assert sends(model, "lb1") == {"source": "172.17.2.1", "peers": ["172.17.2.2"]}


def test_without_facts_nobody_is_taken_for_another_director() -> None:
    model = unicast_elsewhere(unicast=["172.17.2.1", "172.17.2.2"])
    model.without_facts()
    for director in ("lb1", "lb2"):
        host(director, lvs_vip_interface="eth1")(model)
    vrrp(addresses=[{"address": "10.0.0.29/24", "interface": "eth2"}])(model)
    assert model.mistakes() == both(
        "@: lvs_vrrp.unicast: does not tell which of 172.17.2.1, 172.17.2.2 is an address of @ itself; gather facts of "
        "@, or list lvs_address of each director"
    )
    # What the inventory itself tells needs no facts.
    vrrp(unicast=["10.0.0.11", "10.0.0.12"], interface="eth2")(model)
    assert model.mistakes() == []
    assert sends(model, "lb2") == {"source": "10.0.0.12", "peers": ["10.0.0.11"]}


def test_no_text_that_may_hold_a_password_is_shown() -> None:
    for change in (
        host("lb1", lvs_vrrp="auth_pass hUnt3r"),
        host("lb1", lvs_keepalived="auth_pass hUnt3r"),
        vrrp(instances=["auth_pass hUnt3r"]),
        vrrp(raw=["auth_pass hUnt3r"]),
        password("hUnt3r!"),
        password(["hUnt3r"]),
        password("hUnt3r-is-too-long"),
        password("hUnt3r", "lb1"),
        vrrp(authpass="hUnt3r"),
    ):
        model = r5()
        change(model)
        mistakes = model.mistakes()
        assert mistakes
        assert "hUnt3r" not in "\n".join(mistakes)


@pytest.mark.parametrize("make", [r5, dr_pair])
def test_the_pairs_have_none(make: Callable[[], Model]) -> None:
    assert make().mistakes() == []


def test_settings_of_the_role_alone_are_unknown_to_the_other_directors() -> None:
    model = r5()
    own = model.hostvars["lb1"]["lvs_vrrp"]
    model.plan("lb1", "keepalived", directors=["lb1"], variables={"lvs_vrrp": own})
    given = {"lvs_vrrp": {**own, "priority": 200}}
    assert model.refusal("lb1", "keepalived", directors=["lb1"], variables=given) == [
        "lb1: lvs_vrrp: is set for the role alone, and the other directors, which have to agree with it, do not see "
        "it; set lvs_vrrp in the inventory"
    ]
    # By itself a director agrees with nobody.
    model.groups["lvs_directors"].remove("lb2")
    assert model.plan("lb1", "keepalived", directors=["lb1"], variables=given)["keepalived"]["instances"]


def test_the_role_alone_sees_that_the_directors_differ() -> None:
    model = r5()
    service("lb2", scheduler="wlc")(model)
    given = {"directors": ["lb1"], "services": model.services}
    for role in ("keepalived", "director"):
        assert model.refusal("lb1", role, **given) == [
            "lb2: lvs_services[0].scheduler: is not what lb1: lvs_services[0].scheduler is; directors that share VIPs "
            "need the same services: write it once, for both"
        ]
    host("lb2", lvs_manager="kernel")(model)
    (line,) = model.refusal("lb1", "keepalived", **given)
    assert line.startswith("lb2: lvs_services: the VIP 192.168.0.29 is on lb1 too")


def test_a_director_in_no_group_needs_its_priority() -> None:
    model = r5()
    model.groups = {}
    assert model.refusal("lb1", "keepalived", directors=["lb1"]) == [
        "lb1: lvs_vrrp.priority: is needed: lb1 has no place among the directors of the inventory by which it could be "
        "chosen; write 1 to 254, another one for each director"
    ]


def test_the_password_is_in_no_line() -> None:
    for value in ("s3cretPassword", 's3"cret', 5312345):
        model = r5()
        password(value)(model)
        assert not any(str(value) in line for line in model.mistakes())


def track(**more: Any) -> Change:
    return vrrp(track_scripts=[{"name": "up", "script": "/bin/up", **more}])


def check(kind: str, **more: Any) -> Change:
    return service(health_check={"type": kind, **more})


# Whatever becomes text of the configuration, with a value that is right but for the character in its middle.
TEXTS: dict[str, Callable[[str], Change]] = {
    "interface": lambda text: vrrp(interface=f"eth{text}1"),
    "track_interfaces": lambda text: vrrp(track_interfaces=[f"eth{text}1"]),
    "interface of an address": lambda text: vrrp(addresses=[{"address": "10.0.0.29/24", "interface": f"e{text}2"}]),
    "auth_pass": lambda text: password(f"a{text}b"),
    "name of a script": lambda text: track(name=f"a{text}b"),
    "script": lambda text: track(script=f"/bin/a{text}b"),
    "user of a script": lambda text: track(user=f"a{text}b"),
    "name of a process": lambda text: vrrp(track_processes=[{"name": f"a{text}b", "process": "bird"}]),
    "process": lambda text: vrrp(track_processes=[{"name": "a", "process": f"b{text}d"}]),
    "notify": lambda text: vrrp(notify={"any": f"/bin/a{text}b"}),
    "name of an instance": lambda text: vrrp(instances=[{"name": f"a{text}b"}]),
    "router_id": lambda text: host("lb1", lvs_keepalived={"router_id": f"a{text}b"}),
    "script_user": lambda text: host("lb1", lvs_keepalived={"script_user": f"a{text}b"}),
    "lvs_vip_interface": lambda text: host("lb1", lvs_vip_interface=f"eth{text}1"),
    "interface of lvs_sync": lambda text: sync(interface=f"eth{text}1"),
    "path": lambda text: check("http", path=f"/a{text}b"),
    "path of a URL": lambda text: check("http", urls=[{"path": f"/a{text}b"}]),
    "digest": lambda text: check("http", digest=f"{'0' * 31}{text}"),
    "virtual_host": lambda text: check("http", virtual_host=f"a{text}b"),
    "virtual_host of a URL": lambda text: check("https", urls=[{"virtual_host": f"a{text}b"}]),
    "status": lambda text: check("http", status=f"200{text}"),
    "name of a query": lambda text: check("dns", name=f"a{text}b"),
    "helo_name": lambda text: check("smtp", helo_name=f"a{text}b"),
    "script of a check": lambda text: check("misc", script=f"/bin/a{text}b"),
    "user of a check": lambda text: check("misc", script="/bin/a", user=f"a{text}b"),
    "file of a check": lambda text: check("file", path=f"/run/a{text}b"),
    "payload": lambda text: check("udp", payload=f"0a{text}"),
    "require_reply": lambda text: check("udp", require_reply=f"0a{text}"),
    "quorum_up": lambda text: service(quorum_up=f"/bin/a{text}b"),
    "quorum_down": lambda text: service(quorum_down=f"/bin/a{text}b"),
}


@pytest.mark.parametrize("what", TEXTS)
@pytest.mark.parametrize("character", ["\n", "\r", "\0", '"', "\\", "{", "}", "#", "!", "$", "~", "\u2028"])
def test_no_text_can_say_anything_else(what: str, character: str) -> None:
    model = r5()
    TEXTS[what](character)(model)
    assert model.mistakes() != []
    assert not any("\n" in line for line in model.mistakes())


def test_a_name_of_a_host_that_keepalived_does_not_take() -> None:
    model = r5()
    model.groups["lvs_directors"] = ["lb 1", "lb2"]
    model.hostvars["lb 1"] = model.hostvars.pop("lb1")
    assert model.mistakes() == [
        "lb 1: lvs_keepalived.router_id: is needed: keepalived's configuration does not take the name 'lb 1'; write "
        "one with letters, digits, and - _ ."
    ]
    host("lb 1", lvs_keepalived={"router_id": "lb1"})(model)
    assert model.mistakes() == []


KEYS: dict[str, Change] = {
    "a service": service(unknown=1),
    "a sorry server": service(sorry_server={"address": "127.0.0.1", "unknown": 1}),
    "lvs_vrrp": vrrp(unknown=1),
    "an instance": vrrp(instances=[{"name": "a", "unknown": 1}]),
    "an address": vrrp(addresses=[{"address": "10.0.0.29/24", "unknown": 1}]),
    "garp": vrrp(garp={"unknown": 1}),
    "notify": vrrp(notify={"unknown": "/bin/a"}),
    "a script": track(unknown=1),
    "a process": vrrp(track_processes=[{"name": "a", "process": "b", "unknown": 1}]),
    "lvs_keepalived": host("lb1", lvs_keepalived={"unknown": 1}),
    "lvs_sync": sync(unknown=1),
    "a URL": check("http", urls=[{"unknown": 1}]),
    **{
        f"a check by {kind}": check(kind, script="/bin/a", path="/a", unknown=1)
        for kind in ("http", "https", "tcp", "udp", "smtp", "dns", "ping", "misc", "file")
    },
}


@pytest.mark.parametrize("what", KEYS)
def test_every_known_key_is_documented(what: str) -> None:
    model = r5()
    KEYS[what](model)
    (keys, *_same) = {line.partition("use one of ")[2] for line in model.mistakes() if "is not a known key" in line}
    document = (Path(__file__).parents[3] / "docs/model.md").read_text()
    documented = set(re.findall(r"`(\w+)`", document)) | {"address"}
    named = {key.partition(".")[0] for key in re.findall(r"`([\w.]+)`", document)}
    assert set(keys.split(", ")) <= documented | named
