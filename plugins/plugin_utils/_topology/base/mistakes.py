# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Mistakes of an inventory: collected, never raised one at a time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils._forms import shown as show

__all__ = ["Mistake", "WrongModel", "as_lines", "choose", "did_you_mean", "show"]

_LONGEST_NAME = 200
# What stands in a path between the name of a host and its variable.
_HOST_END = ": "
_NAMED_HOSTS = 3
# Ansible takes a variable that has this for a template, and a value that cannot be evaluated is shown as it is written.
_TEMPLATE = re.compile(r"\{(?=[{%#])")
# What ipvsadm, keepalived, ldirectord and the literature call what the model calls otherwise, in small letters and with
# underscores. Which of the names is meant depends on where it stands.
_SYNONYMS = {
    "masq": ("nat",),
    "masquerade": ("nat",),
    "masquerading": ("nat",),
    "gate": ("dr",),
    "gatewaying": ("dr",),
    "direct": ("dr",),
    "direct_routing": ("dr",),
    "route": ("dr",),
    "ipip": ("tun",),
    "tunnel": ("tun",),
    "tunneling": ("tun",),
    "full_nat": ("fullnat",),
    "fnat": ("fullnat",),
    "lb_algo": ("scheduler",),
    "lvs_sched": ("scheduler",),
    "sched": ("scheduler",),
    "algorithm": ("scheduler",),
    "round_robin": ("rr",),
    "least_connection": ("lc",),
    "least_conn": ("lc",),
    "weighted_round_robin": ("wrr",),
    "weighted_least_connection": ("wlc",),
    "source_hash": ("sh",),
    "lb_kind": ("forward",),
    "lvs_method": ("forward",),
    "method": ("forward",),
    "mode": ("forward",),
    "forwarding": ("forward",),
    "sched_flags": ("scheduler_flags",),
    "flag_1": ("sh-fallback", "mh-fallback"),
    "flag_2": ("sh-port", "mh-port"),
    "ops": ("one_packet",),
    "vip": ("address",),
    "virtual": ("address",),
    "virtual_address": ("address",),
    "rip": ("address",),
    "ip": ("address",),
    "ipaddr": ("address",),
    "rport": ("port",),
    "vport": ("port",),
    "connect_port": ("port",),
    "connect_ip": ("address",),
    "bindto": ("source",),
    "bind_port": ("source_port",),
    "receive": ("regex",),
    "passwd": ("password",),
    "notification_email": ("to", "mail"),
    "notification_email_from": ("from",),
    "smtp_server": ("server", "mail"),
    "virtual_server_group": ("group",),
    "brd": ("broadcast",),
    "unicast_src_ip": ("unicast_source",),
    "mark": ("fwmark",),
    "af": ("family",),
    "inet": ("ipv4",),
    "inet6": ("ipv6",),
    "real": ("real_servers",),
    "rs": ("real_servers",),
    "backends": ("real_servers",),
    "servers": ("real_servers",),
    "realserver": ("real_servers", "real_server"),
    "realservers": ("real_servers",),
    "fallback": ("sorry_server",),
    "persistent": ("persistence",),
    "persistence_timeout": ("persistence", "timeout"),
    "persistence_granularity": ("persistence", "netmask"),
    "persistence_engine": ("persistence", "engine"),
    "granularity": ("netmask",),
    "pe": ("engine", "persistence"),
    "uthreshold": ("upper_threshold",),
    "u_threshold": ("upper_threshold",),
    "lthreshold": ("lower_threshold",),
    "l_threshold": ("lower_threshold",),
    "tcp_check": ("tcp", "health_check"),
    "http_get": ("http", "health_check"),
    "ssl_get": ("https", "health_check"),
    "udp_check": ("udp", "health_check"),
    "smtp_check": ("smtp", "health_check"),
    "dns_check": ("dns", "health_check"),
    "ping_check": ("ping", "health_check"),
    "misc_check": ("misc", "health_check"),
    "file_check": ("file", "health_check"),
    "connect": ("tcp",),
    "checktype": ("type", "health_check"),
    "check": ("health_check",),
    "delay_loop": ("interval", "health_check"),
    "checkinterval": ("interval", "health_check"),
    "connect_timeout": ("timeout", "health_check"),
    "misc_timeout": ("timeout",),
    "checktimeout": ("timeout", "health_check"),
    "retry": ("retries", "health_check"),
    "nb_get_retry": ("retries",),
    "delay_before_retry": ("retry_delay",),
    "misc_path": ("script",),
    "misc_dynamic": ("dynamic_weight",),
    "virtualhost": ("virtual_host",),
    "status_code": ("status",),
    "enable_sni": ("sni",),
    "virtual_router_id": ("router_id",),
    "vrid": ("router_id",),
    "nopreempt": ("preempt",),
    "virtual_ipaddress": ("addresses",),
    "unicast_peer": ("unicast",),
    "track_script": ("track_scripts",),
    "track_interface": ("track_interfaces",),
    "track_process": ("track_processes",),
    "vrrp_version": ("version",),
    "mcast_group": ("group",),
    "mcast_port": ("port",),
    "mcast_ttl": ("ttl",),
    "mcast_interface": ("interface",),
    "sync_maxlen": ("maxlen",),
}


@dataclass(frozen=True)
class Mistake:
    """Where it is, what is wrong, and what to do: one line."""

    path: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}: {self.problem}; {self.remedy}"


class WrongModel(Exception):
    """The inventory cannot be compiled. Carries all its mistakes."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.lines = as_lines(mistakes)
        super().__init__("\n".join(self.lines))


def as_lines(mistakes: Iterable[Mistake]) -> list[str]:
    """Each mistake once, in the order in which they were found. What is wrong in the same way on several hosts, as a
    variable of their group is, makes one line with their names.
    """
    hosts: dict[Mistake, dict[str, None]] = {}
    for mistake in mistakes:
        host, _end, path = mistake.path.partition(_HOST_END)
        if not path:
            host, path = "", mistake.path
        hosts.setdefault(Mistake(path, mistake.problem, mistake.remedy), {})[host] = None
    return [_TEMPLATE.sub("{ ", _line(mistake, list(names))) for mistake, names in hosts.items()]


def _line(mistake: Mistake, hosts: list[str]) -> str:
    if len(hosts) == 1:
        return f"{hosts[0]}{_HOST_END}{mistake}" if hosts[0] else str(mistake)
    named = [each or "all directors" for each in hosts]
    if len(named) > _NAMED_HOSTS:
        others = len(named) - _NAMED_HOSTS + 1
        named = [*named[: _NAMED_HOSTS - 1], f"and {others} others"]
    return f"{mistake.path} ({', '.join(named)}): {mistake.problem}; {mistake.remedy}"


def choose(value: Any, choices: Iterable[str]) -> str:
    """The remedy for a value that is not one of the choices."""
    known = list(choices)
    return f"{did_you_mean(value, known)}use one of {', '.join(known)}"


def did_you_mean(value: Any, known: Iterable[str]) -> str:
    """The known name that was probably meant, as the beginning of a remedy; nothing where none is close."""
    # No name is long, and comparing takes its time.
    if not isinstance(value, str) or len(value) > _LONGEST_NAME:
        return ""
    names = {_spelling(each): each for each in reversed(list(known))}
    given = _spelling(value)
    synonyms = [each for each in map(_spelling, _SYNONYMS.get(given, ())) if each in names]
    close = [given] if given in names else synonyms or get_close_matches(given, names, n=1)
    return f"did you mean {names[close[0]]}? Otherwise " if close else ""


def _spelling(name: str) -> str:
    """A name as it is compared: whether letters are large, and what stands between words, says nothing."""
    return name.strip().lower().replace("-", "_").replace(" ", "_")
