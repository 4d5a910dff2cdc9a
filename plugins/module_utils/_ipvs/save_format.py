# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of ipvsadm: rules as `ipvsadm -S -n` of version 1.31 prints them. Pure.

Where ipvsadm's own listing loses something that its options can say, this writes the option: thresholds (-x, -y),
flag-3 of sh and mh, and firewall marks above 2^31. `ipvsadm -R` reads all of it.
"""

from __future__ import annotations

import ipaddress
from typing import Iterable, Mapping

from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    DEFAULT_TIMEOUTS,
    FULL_MASK,
    IPV4,
    IPV6,
    SCHEDULER_FLAG_BITS,
    SCHEDULER_FLAG_NAMES,
    Action,
    Daemon,
    Destination,
    DestinationKey,
    Entry,
    Service,
    ServiceKey,
    SetTimeouts,
    Setting,
    StartDaemon,
    StopDaemon,
    Timeouts,
    endpoint,
)

SERVICE_OPTIONS = {"tcp": "-t", "udp": "-u", "sctp": "--sctp-service"}
_FORWARD_OPTIONS = {"nat": "-m", "tun": "-i", "dr": "-g", "local": "-g", "bypass": "-g"}
CHECKSUM_OPTIONS = {"none": "--tun-nocsum", "on": "--tun-csum", "remote": "--tun-remcsum"}
_VERBS = {"add": "-A", "edit": "-E", "delete": "-D"}
_DESTINATION_VERBS = {"add": "-a", "edit": "-e", "delete": "-d"}


def flag_names(scheduler: str, flags: Iterable[str]) -> list[str]:
    """The flags in the scheduler's own words, in the order of their bits."""
    own = {flag: name for name, flag in SCHEDULER_FLAG_NAMES.get(scheduler, {}).items()}
    return [own.get(flag, flag) for flag in SCHEDULER_FLAG_BITS if flag in flags]


def netmask_text(family: str, netmask: int) -> str:
    return str(ipaddress.IPv4Address(netmask)) if family == IPV4 else str(netmask)


def _service_words(key: ServiceKey) -> str:
    if key.fwmark:
        return f"-f {key.fwmark}" + (" -6" if key.family == IPV6 else "")
    return f"{SERVICE_OPTIONS[key.protocol]} {endpoint(key.address, key.port)}"


def _service_settings(service: Service) -> str:
    words = f" -s {service.scheduler}"
    if service.timeout:
        words += f" -p {service.timeout}"
        if service.netmask != FULL_MASK[service.key.family]:
            words += f" -M {netmask_text(service.key.family, service.netmask)}"
    if service.engine:
        words += f" --pe {service.engine}"
    if service.one_packet:
        words += " -o"
    if service.flags:
        words += " -b " + ",".join(flag_names(service.scheduler, service.flags))
    return words


def _destination_settings(destination: Destination) -> str:
    words = f" {_FORWARD_OPTIONS[destination.forward]} -w {destination.weight}"
    if destination.upper or destination.lower:
        words += f" -x {destination.upper} -y {destination.lower}"
    if destination.forward == "tun":
        words += f" --tun-type {destination.tunnel}"
        if destination.tunnel == "gue":
            words += f" --tun-port {destination.tunnel_port}"
        if destination.tunnel != "ipip":
            words += f" {CHECKSUM_OPTIONS[destination.checksum]}"
    return words


def _service_line(service: Service) -> str:
    return f"-A {_service_words(service.key)}{_service_settings(service)}"


def _destination_line(key: ServiceKey, destination: Destination) -> str:
    return f"-a {_service_words(key)} -r {destination.key}{_destination_settings(destination)}"


def command(action: Action) -> str:
    """What an operator would type for this change."""
    service, destination = action.service, action.destination
    words = _service_words(service.key)
    if destination is None:
        settings = "" if action.verb == "delete" else _service_settings(service)
        return f"ipvsadm {_VERBS[action.verb]} {words}{settings}"
    settings = "" if action.verb == "delete" else _destination_settings(destination)
    return f"ipvsadm {_DESTINATION_VERBS[action.verb]} {words} -r {destination.key}{settings}"


def timeouts_line(timeouts: Timeouts) -> str:
    return f"--set {timeouts.tcp} {timeouts.tcpfin} {timeouts.udp}"


def timeouts_lines(wanted: Mapping[str, int]) -> list[str]:
    """What sets these timeouts and leaves others alone; nothing where there are none."""
    return [timeouts_line(Timeouts(**{name: wanted.get(name, 0) for name in DEFAULT_TIMEOUTS}))] if wanted else []


def daemon_line(daemon: Daemon) -> str:
    length = f" --sync-maxlen {daemon.maxlen}" if daemon.maxlen else ""
    return (
        f"--start-daemon {daemon.state} --mcast-interface {daemon.interface} --syncid {daemon.syncid}{length}"
        f" --mcast-group {daemon.group} --mcast-port {daemon.port} --mcast-ttl {daemon.ttl}"
    )


def setting_command(setting: Setting) -> str:
    """What an operator would type for this change."""
    if isinstance(setting, SetTimeouts):
        return f"ipvsadm {timeouts_line(setting.timeouts)}"
    if isinstance(setting, StartDaemon):
        return f"ipvsadm {daemon_line(setting.daemon)}"
    if isinstance(setting, StopDaemon):
        return f"ipvsadm --stop-daemon {setting.state}"
    return "ipvsadm -Z" + (f" {_service_words(setting.key)}" if setting.key else "")


def service_line(service: Service) -> str:
    """The service alone, without its real servers."""
    return _service_line(service)


def render(entries: Iterable[Entry]) -> tuple[str, ...]:
    """The rules of these services, sorted as ipvsadm sorts them."""
    lines: list[str] = []
    for entry in sorted(entries, key=lambda each: each.service.key.sort_key()):
        lines.append(_service_line(entry.service))
        for key in sorted(entry.destinations, key=DestinationKey.sort_key):
            lines.append(_destination_line(entry.service.key, entry.destinations[key]))
    return tuple(lines)
