# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of every value: ranges, choices, defaults, kinds of addresses, names and lines of text. Pure.

The compiler on the controller and the modules on the hosts both ask here, so that what the one accepts the other does
not refuse. A function takes a value of any type, returns it in its one canonical form, and raises BadForm where the
value cannot be right.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
from functools import lru_cache
from typing import Any, Mapping, NamedTuple, Union

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]


class BadForm(ValueError):
    """A value that cannot be right. The text goes on with a sentence that begins with the value."""


class Range(NamedTuple):
    """The whole numbers from one to another, both included."""

    low: int
    high: int

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and self.low <= number <= self.high

    def __str__(self) -> str:
        return f"{self.low} to {self.high}"


# 0 is every port of a virtual service.
PORTS = Range(0, 65535)
# What a packet can carry, or a program listen on.
REAL_PORTS = Range(1, 65535)
WEIGHTS = Range(0, 2**31 - 1)
THRESHOLDS = Range(0, 65535)
FIREWALL_MARKS = Range(1, 2**32 - 1)
# What ipvsadm accepts: 31 days. The kernel multiplies by HZ in 32 bits and would wrap not far above.
TIMEOUTS = Range(0, 86400 * 31)
SYNC_IDS = Range(0, 255)
TTLS = Range(1, 255)
METRICS = Range(0, 2**32 - 1)
IPV6_PREFIXES = Range(1, 128)

PROTOCOLS = ("tcp", "udp", "sctp")
# Who fills a director's table and holds its VIPs: this collection, or keepalived. A checker is a keepalived that only
# fills the table, by its checks.
KERNEL, KEEPALIVED, CHECKER = MANAGERS = ("kernel", "keepalived", "checker")
# By name: the number by which Python and the kernel's tools call the family.
FAMILIES: Mapping[str, int] = {"ipv4": 4, "ipv6": 6}
# The kernel's methods of forwarding that anybody may ask for.
FORWARDS = ("nat", "dr", "tun")
# Each kind of tunnel with the checksums that it can carry. Only gue has a port.
TUNNEL_CHECKSUMS: Mapping[str, tuple[str, ...]] = {
    "ipip": ("none",),
    "gue": ("none", "on", "remote"),
    "gre": ("none", "on"),
}
SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos")
# The kernel has one bit for each pair; which scheduler reads it decides what it means.
FLAGS_OF_SCHEDULER: Mapping[str, tuple[str, ...]] = {
    "sh": ("sh-port", "sh-fallback"),
    "mh": ("mh-port", "mh-fallback"),
}
PACKET_FILTERS = ("auto", "nftables", "iptables")
DAEMON_STATES = ("master", "backup")

DEFAULT_SCHEDULER = "wlc"
DEFAULT_WEIGHT = 1
# Of persistence that is asked for without a timeout, as ipvsadm -p has it.
DEFAULT_PERSISTENCE = 300
DEFAULT_GROUP = "224.0.0.81"
DEFAULT_SYNC_PORT = 8848
DEFAULT_TTL = 1

# IFNAMSIZ is 16 with the terminating zero, for names of interfaces and for labels of addresses.
_NAME_BYTES = 15
# The kernel's dev_valid_name() takes nearly every byte. What a shell, a comment (#), a wildcard of iptables (+) or a
# line of ip -batch would read in its own way is not taken here, and neither is what would look like an option.
_INTERFACE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}\Z")
_LABEL_END = re.compile(r"[A-Za-z0-9_.@:-]+\Z")
_LLADDR = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}\Z")
_OWNER = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")
# The kernel's MODULE_NAME_LEN is 56 on 64 bits, with the terminating zero.
_KERNEL_MODULE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,54}\Z")
# The kernel's IP_VS_SCHEDNAME_MAXLEN and IP_VS_PENAME_MAXLEN are 16 with the terminating zero.
_PART_OF_MODULE = re.compile(r"[a-z0-9_]{1,15}\Z")
_INTEGER = re.compile(r"-?[0-9]+\Z")
# More digits than any range has. Python itself refuses to read a number of some thousand digits.
_DIGITS = 20
# The longest spelling of an address with a netmask is shorter.
_ADDRESS_LENGTH = 100
_LEADING_ZERO = re.compile(r"(?:^|[.:])0[0-9]+(?:\.|/|$)")
_NO_ADDRESS = "is not an IPv4 or IPv6 address"
_SHOWN = 60

_ZERO_NETWORK = ipaddress.IPv4Network("0.0.0.0/8")
_BROADCAST = ipaddress.IPv4Address("255.255.255.255")
_CLASS_E = ipaddress.IPv4Network("240.0.0.0/4")


# What is shown of a value


def shown(value: Any) -> str:
    """A value of any type in a message: in YAML's words, printable and short."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, (Mapping, list, tuple, set, frozenset)):
        return "a mapping" if isinstance(value, Mapping) else "a list"
    if isinstance(value, int):
        # Python refuses to write a number of some thousand digits in the decimal system.
        return str(value) if abs(value) < 10**_DIGITS else "a number of more than 20 digits"
    if isinstance(value, str):
        return _cut(ascii(value) if _is_odd(value) else repr(value))
    return _cut(repr(value))


def word(value: Any) -> str:
    """A key of a mapping as a part of a path: as it is, unless that would spoil the line."""
    if isinstance(value, str) and value and value.isprintable() and len(value) <= _SHOWN:
        return value
    return shown(value)


def _is_odd(text: str) -> bool:
    """Whether a text holds what no file and no terminal takes."""
    return any(0xD800 <= ord(character) <= 0xDFFF for character in text)


def _cut(text: str) -> str:
    return text if len(text) <= 4 * _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"


# Numbers


def integer(value: Any) -> int | None:
    """A whole number, also one that is written as text; None where the value is none, or has absurdly many digits."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return int(value) if abs(value) < 10**_DIGITS else None
    if isinstance(value, str) and len(value) <= _DIGITS and _INTEGER.match(value):
        return int(value)
    return None


# Addresses


class Purpose(NamedTuple):
    """What an address is for: the kinds of addresses that cannot be right for it."""

    refused: frozenset[str]

    def problem(self, address: Address) -> str | None:
        """Why the address cannot be right for the purpose, as a sentence that begins with it."""
        kind = kind_of(address)
        if kind not in self.refused:
            return None
        mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
        return f"{_KINDS[kind]}; write it as {mapped}" if mapped else _KINDS[kind]


_KINDS = {
    "unspecified": "is the unspecified address",
    "this network": "is in 0.0.0.0/8, which is no network",
    "loopback": "is a loopback address",
    "multicast": "is a multicast address",
    "broadcast": "is the broadcast address",
    "reserved": "is in 240.0.0.0/4, which is reserved",
    "link-local IPv4": "is a link-local address, which routers do not hand on",
    "link-local IPv6": "is a link-local address, which needs an interface",
    "mapped": "is an IPv4 address mapped into IPv6",
}


# Thousands of services may have the same few real servers.
@lru_cache(maxsize=1024)
def kind_of(address: Address) -> str:
    """The kind of an address as in _KINDS; "unicast" where there is nothing special about it."""
    if isinstance(address, ipaddress.IPv6Address):
        tests: tuple[tuple[bool, str], ...] = (
            # First: from Python 3.13 on, a mapped address is of the other kinds as well, as what it maps is.
            (address.ipv4_mapped is not None, "mapped"),
            (address.is_unspecified, "unspecified"),
            (address.is_loopback, "loopback"),
            (address.is_multicast, "multicast"),
            (address.is_link_local, "link-local IPv6"),
        )
    else:
        tests = (
            (address.is_unspecified, "unspecified"),
            (address in _ZERO_NETWORK, "this network"),
            (address.is_loopback, "loopback"),
            (address.is_multicast, "multicast"),
            (address == _BROADCAST, "broadcast"),
            (address in _CLASS_E, "reserved"),
            (address.is_link_local, "link-local IPv4"),
        )
    return next((kind for is_so, kind in tests if is_so), "unicast")


def _all_but(*allowed: str) -> Purpose:
    return Purpose(frozenset(_KINDS).difference(allowed))


# What the model may say. Clients and real servers are elsewhere than on the link of the host, as a rule.
VIP = _all_but()
REAL_SERVER = _all_but()
# Who says sorry for all real servers may be the director itself.
SORRY_SERVER = _all_but("loopback")
OWN_ADDRESS = _all_but()
FLOATING = _all_but()
SOURCE_NAT = _all_but()
# Clouds give 169.254.1.1 as gateway. The model has no interface for one of IPv6.
GATEWAY = _all_but("link-local IPv4")
# Directors talk to each other on one link, and keepalived knows the interface.
PEER = _all_but("link-local IPv4", "link-local IPv6")
# What the modules take: less is refused, because what is there has to be named to take it away.
HOST = Purpose(frozenset({"unspecified", "this network", "loopback", "multicast", "broadcast", "mapped"}))
# On lo, too: a director may serve itself.
IN_TABLE = Purpose(frozenset({"unspecified", "multicast", "broadcast", "mapped"}))
ANY = Purpose(frozenset({"mapped"}))


def spelling(address: Address) -> str:
    """The one spelling of an address: that of inet_ntop(), which ip, nft and ipvsadm use as well.

    Python's own differs where the first 96 bits of an IPv6 address are zero: ::10.0.0.1 is ::a00:1 there.
    """
    return socket.inet_ntop(socket.AF_INET6 if address.version == 6 else socket.AF_INET, address.packed)


def address(value: Any) -> Address:
    """An IP address without prefix or zone."""
    if not isinstance(value, str) or len(value) > _ADDRESS_LENGTH:
        raise BadForm(_NO_ADDRESS)
    # Python 3.8 knows no zones, later ones do, and the kernel takes interfaces apart from addresses. Old Pythons take a
    # leading zero, which other programs read as the beginning of an octal number.
    if "%" in value or ("." in value and _LEADING_ZERO.search(value)):
        raise BadForm(_NO_ADDRESS)
    try:
        return ipaddress.ip_address(value)
    except ValueError:
        raise BadForm(_NO_ADDRESS) from None


def is_plain_ipv4(text: str) -> bool:
    """A quick yes to an IPv4 address of one host in its one spelling. What is no such address, address() looks at."""
    try:
        packed = socket.inet_pton(socket.AF_INET, text)
    except (OSError, ValueError):
        return False
    return 0 < packed[0] < 224 and packed[0] != 127 and socket.inet_ntop(socket.AF_INET, packed) == text


def canonical_address(text: str) -> str:
    """Another spelling of an address -> the one that is used; ValueError where it is none."""
    return spelling(ipaddress.ip_address(text))


def interface_address(value: Any) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface:
    """An IP address that may have a prefix."""
    if not isinstance(value, str) or len(value) > _ADDRESS_LENGTH:
        raise BadForm(_NO_ADDRESS)
    address(value.partition("/")[0])
    try:
        return ipaddress.ip_interface(value)
    except ValueError:
        raise BadForm(_NO_ADDRESS) from None


def network(value: Any) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """A network without host bits, or one address."""
    if not isinstance(value, str) or len(value) > _ADDRESS_LENGTH or "%" in value:
        raise BadForm("is no network")
    try:
        return ipaddress.ip_network(value)
    except ValueError:
        raise BadForm("is no network without host bits") from None


def prefix(value: Any) -> str:
    """A network in the one spelling of its address, with the length of its prefix."""
    found = network(value)
    return f"{spelling(found.network_address)}/{found.prefixlen}"


def lladdr(value: Any) -> str:
    """The MAC address of one host, in the form of the ip command."""
    found = value.lower().replace("-", ":") if isinstance(value, str) else ""
    if not _LLADDR.match(found):
        raise BadForm("is not a MAC address such as 52:54:00:12:34:56")
    if int(found[:2], 16) & 1:
        raise BadForm("is a multicast MAC address, which no single host has")
    return found


# Names


def is_interface(value: Any) -> bool:
    """Whether an interface can have this name, and no program that reads it takes it for something else."""
    return isinstance(value, str) and _INTERFACE.match(value) is not None


def label(value: Any, of: str) -> str:
    """The label of an address on the interface ``of``, which it has to begin with: the ip command wants that."""
    if not isinstance(value, str) or not value.startswith(f"{of}:") or len(value) > _NAME_BYTES:
        raise BadForm(f"is not {of}:NAME of at most {_NAME_BYTES} characters, which the ip command wants")
    if not is_interface(of) or not _LABEL_END.match(value[len(of) + 1 :]):
        raise BadForm("may only hold letters, digits, and _ . @ : - after the name of the interface")
    return value


def owner(value: Any) -> str:
    """Who keeps books; files are named after it."""
    if not isinstance(value, str) or not _OWNER.match(value):
        raise BadForm("may only hold letters, digits, _ and -, because files are named after it")
    return value


def kernel_module(value: Any) -> str:
    """The name of a kernel module in the kernel's spelling."""
    if not isinstance(value, str) or not _KERNEL_MODULE.match(value):
        raise BadForm("is not the name of a kernel module")
    return value.replace("-", "_")


def is_part_of_module(value: Any) -> bool:
    """Whether a scheduler or a persistence engine can have this name, of which a kernel module's is made."""
    return isinstance(value, str) and _PART_OF_MODULE.match(value) is not None


# Text


def line(value: Any, most: int) -> str:
    """One line of printable text of so many bytes at most."""
    if not isinstance(value, str) or not value.strip():
        raise BadForm("is no text")
    if not value.isprintable():
        raise BadForm("holds a line break or another control character")
    if len(value.encode()) > most:
        raise BadForm(f"is longer than {most} bytes")
    return value


def is_line(value: Any, most: int) -> bool:
    with contextlib.suppress(BadForm):
        return bool(line(value, most))
    return False
