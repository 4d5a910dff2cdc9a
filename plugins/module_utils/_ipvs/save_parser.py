# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of `ipvsadm -S`, read: with numbers or with names, by ipvsadm of today or of long ago. Pure."""

from __future__ import annotations

import ipaddress
import re
import shlex
from typing import Any, Mapping, NamedTuple

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    DEFAULT_SCHEDULER,
    FULL_MASK,
    IPV4,
    IPV6,
    SCHEDULER_FLAG_BITS,
    SCHEDULER_FLAG_NAMES,
    Destination,
    DestinationKey,
    Entry,
    Service,
    ServiceKey,
    Table,
    family_of,
)
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.save_format import CHECKSUM_OPTIONS, SERVICE_OPTIONS


class SaveFormatError(ValueError):
    """A line that ipvsadm would not have written."""


# Options that take a value, each with its one long and short spelling joined; -p may stand alone.
_LONG = {
    "--add-service": "-A",
    "--add-server": "-a",
    "--tcp-service": "-t",
    "--udp-service": "-u",
    "--fwmark-service": "-f",
    "--ipv6": "-6",
    "--scheduler": "-s",
    "--persistent": "-p",
    "--netmask": "-M",
    "--ops": "-o",
    "--sched-flags": "-b",
    "--real-server": "-r",
    "--gatewaying": "-g",
    "--ipip": "-i",
    "--masquerading": "-m",
    "--weight": "-w",
    "--u-threshold": "-x",
    "--l-threshold": "-y",
}
_BARE = {"-A", "-a", "-6", "-o", "-g", "-i", "-m", "--tun-nocsum", "--tun-csum", "--tun-remcsum"}
_VALUED = {
    "-t",
    "-u",
    "--sctp-service",
    "-f",
    "-s",
    "-M",
    "--pe",
    "-b",
    "-r",
    "-w",
    "-x",
    "-y",
    "--tun-type",
    "--tun-port",
}
# `-p` without a value, as ipvsadm 1.31 takes it
_BARE_TIMEOUT = 360


# Names of hosts and of ports begin with a letter, or have one.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_DIGITS = re.compile(r"[0-9.]*\Z")
# Words that ipvsadm 1.26 and older print in place of the options of today.
_OLD_WORDS = {"pe": "--pe", "ops": "-o"}


class Names:
    """What names in rules mean, which `ipvsadm -S` without -n prints. This one asks nobody, and refuses them."""

    def address(self, name: str, in_brackets: bool) -> str:
        """The one address of a host; ``in_brackets`` says that it is of IPv6."""
        kind = "IPv6 address" if in_brackets else "address"
        raise ValueError(f"{name} is the name of a host; print the rules with ipvsadm -S -n, or write its {kind}")

    def port(self, name: str, protocol: str) -> int:
        """The port of a service of /etc/services."""
        raise ValueError(
            f"{name} is the name of a {protocol} port; print the rules with ipvsadm -S -n, or write it as number"
        )


class Rules(NamedTuple):
    """What could be read of a text, where each of it stands, and what is wrong with each other line."""

    table: Table
    # The number of the line of each service, and of each real server of a service.
    services: Mapping[ServiceKey, int]
    real_servers: Mapping[tuple[ServiceKey, DestinationKey], int]
    problems: Mapping[int, str]


def parse(text: str, names: Names | None = None) -> Table:
    """Read rules as ipvsadm -S -n writes them; SaveFormatError names every line that it cannot read.

    ``names`` says what names mean.
    """
    rules = read(text, names)
    if rules.problems:
        lines = text.splitlines()
        raise SaveFormatError(
            "\n".join(f"line {number}: {lines[number - 1]!r}: {each}" for number, each in rules.problems.items())
        )
    return rules.table


def read(text: str, names: Names | None = None) -> Rules:
    """Read the rules that can be read, and say of every other line why not."""
    names = names or Names()
    services: dict[ServiceKey, Service] = {}
    destinations: dict[ServiceKey, dict[DestinationKey, Destination]] = {}
    service_lines: dict[ServiceKey, int] = {}
    real_server_lines: dict[tuple[ServiceKey, DestinationKey], int] = {}
    problems: dict[int, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.strip()
        if not words or words.startswith("#"):
            continue
        try:
            key, real_server = _parse_line(words, services, destinations, names)
        except (ValueError, KeyError) as problem:
            problems[number] = str(problem)
        else:
            if real_server is None:
                service_lines[key] = number
            else:
                real_server_lines[key, real_server] = number
    table = {key: Entry(service, destinations[key]) for key, service in services.items()}
    return Rules(table, service_lines, real_server_lines, problems)


def _parse_line(
    line: str,
    services: dict[ServiceKey, Service],
    destinations: dict[ServiceKey, dict[DestinationKey, Destination]],
    names: Names,
) -> tuple[ServiceKey, DestinationKey | None]:
    """Which service a line is for, and which of its real servers."""
    options = _options(shlex.split(line))
    key = _parse_key(options, names)
    if "-A" in options:
        if key in services:
            raise ValueError(f"the service {key} is there already")
        services[key] = _parse_service(key, options)
        destinations[key] = {}
        return key, None
    if "-a" in options:
        if key not in services:
            raise ValueError(f"the service {key} has not been added before")
        destination = _parse_destination(key, options, names)
        if destination.key in destinations[key]:
            raise ValueError(f"the real server {destination.key} is there already")
        destinations[key][destination.key] = destination
        return key, destination.key
    raise ValueError("neither -A nor -a")


def _options(words: list[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    position = 0
    while position < len(words):
        apart = _apart(words[position])
        if len(apart) > 1:
            words = [*words[:position], *apart, *words[position + 1 :]]
        word = _OLD_WORDS.get(words[position], words[position])
        option = _LONG.get(word, word)
        following = words[position + 1] if position + 1 < len(words) else None
        position += 1
        if option in found:
            raise ValueError(f"{option} is given twice")
        if option in _BARE:
            found[option] = None
        elif option == "-p":
            value = following if following is not None and following.isdigit() else None
            found[option] = value
            position += value is not None
        elif option in _VALUED:
            # ipvsadm prints an empty -b for a flag that the scheduler has no name for.
            empty = option == "-b" and (following is None or following.startswith("-"))
            if following is None and not empty:
                raise ValueError(f"{option} needs a value")
            found[option] = "" if empty else following
            position += not empty
        else:
            raise ValueError(f"{option} is not known")
    return found


def _apart(word: str) -> list[str]:
    """What scripts write in one word: --option=value, -tVALUE, and options without a value as -ag."""
    if word.startswith("--"):
        name, equals, value = word.partition("=")
        return [name, value] if equals else [word]
    option, rest = word[:2], word[2:]
    if not rest or not option.startswith("-"):
        return [word]
    if option in _VALUED or option == "-p":
        return [option, rest]
    return [option, f"-{rest}"] if option in _BARE else [word]


def _parse_number(options: Mapping[str, str | None], option: str, default: int, highest: int = 2**32 - 1) -> int:
    value = options.get(option)
    if value is None:
        return default
    if not value.isdecimal() or not value.isascii() or int(value) > highest:
        raise ValueError(f"{option} {value} is not a number from 0 to {highest}")
    return int(value)


def _parse_endpoint(text: str, protocol: str, names: Names, default_port: int = 0) -> tuple[str, int]:
    host, port = text, ""
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise ValueError(f"{text} is not an address and port")
        port = rest[1:]
    elif ":" in text:
        host, _colon, port = text.partition(":")
    if _NAME.match(host) and not _DIGITS.match(host):
        host = names.address(host, text.startswith("["))
    if _NAME.match(port) and not _DIGITS.match(port):
        return forms.canonical_address(host), names.port(port, protocol)
    return forms.canonical_address(host), _parse_number({"port": port or None}, "port", default_port, 65535)


def _parse_key(options: Mapping[str, str | None], names: Names) -> ServiceKey:
    given = [option for option in (*SERVICE_OPTIONS.values(), "-f") if option in options]
    if len(given) != 1:
        raise ValueError("one of -t, -u, --sctp-service and -f is needed")
    value = options[given[0]] or ""
    if given[0] == "-f":
        # ipvsadm prints marks above 2^31 as negative numbers.
        mark = int(value) & 0xFFFFFFFF
        if not mark:
            raise ValueError("firewall mark 0 is no service")
        return ServiceKey(family=IPV6 if "-6" in options else IPV4, fwmark=mark)
    protocol = {option: name for name, option in SERVICE_OPTIONS.items()}[given[0]]
    address, port = _parse_endpoint(value, protocol, names)
    return ServiceKey(family=family_of(address), protocol=protocol, address=address, port=port)


def _parse_flags(scheduler: str, text: str) -> frozenset[str]:
    flags = set()
    for name in filter(None, text.split(",")):
        flag = SCHEDULER_FLAG_NAMES.get(scheduler, {}).get(name, name)
        if flag not in SCHEDULER_FLAG_BITS:
            raise ValueError(f"{name} is not a flag of the scheduler {scheduler}")
        flags.add(flag)
    return frozenset(flags)


def _parse_service(key: ServiceKey, options: Mapping[str, str | None]) -> Service:
    scheduler = options.get("-s") or DEFAULT_SCHEDULER
    netmask = FULL_MASK[key.family]
    mask = options.get("-M")
    if mask is not None:
        netmask = int(ipaddress.IPv4Address(mask)) if key.family == IPV4 else _parse_number(options, "-M", 0, 128)
    return Service(
        key=key,
        scheduler=scheduler,
        flags=_parse_flags(scheduler, options.get("-b") or ""),
        one_packet="-o" in options,
        timeout=_parse_number(options, "-p", _BARE_TIMEOUT) if "-p" in options else 0,
        netmask=netmask,
        engine=options.get("--pe") or "",
    )


def _parse_destination(key: ServiceKey, options: Mapping[str, str | None], names: Names) -> Destination:
    if options.get("-r") is None:
        raise ValueError("-r is needed")
    address, port = _parse_endpoint(options["-r"] or "", key.protocol or "tcp", names, key.port)
    forward = "nat" if "-m" in options else "tun" if "-i" in options else "dr"
    settings: dict[str, Any] = {}
    if forward == "tun":
        settings["tunnel"] = options.get("--tun-type") or "ipip"
        settings["tunnel_port"] = _parse_number(options, "--tun-port", 0, 65535)
        settings["checksum"] = next((name for name, option in CHECKSUM_OPTIONS.items() if option in options), "none")
        if settings["tunnel"] not in ("ipip", "gue", "gre"):
            raise ValueError(f"{settings['tunnel']} is not a tunnel type")
    return Destination(
        key=DestinationKey(address, port),
        forward=forward,
        weight=_parse_number(options, "-w", 1, 2**31 - 1),
        upper=_parse_number(options, "-x", 0),
        lower=_parse_number(options, "-y", 0),
        **settings,
    )
