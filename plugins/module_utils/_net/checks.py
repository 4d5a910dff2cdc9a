# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at what a task asks for before anything is touched, and reporting every mistake at once."""

from __future__ import annotations

import ipaddress
import re
from typing import AbstractSet, Union

from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

_OWNER = re.compile(r"[A-Za-z0-9_-]+\Z")
# The kernel's dev_valid_name(): up to 15 bytes, no slash, no blank, no colon, not a directory's own names.
_INTERFACE = re.compile(r"(?!\.{1,2}\Z)[^\s/:]{1,15}\Z")
_LLADDR = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}\Z")


class Mistakes:
    """Collects what is wrong with a task, each with the path of the option."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def add(self, path: str, text: str) -> None:
        self._found.append(f"{path}: {text}")

    def raise_if_any(self) -> None:
        if len(self._found) == 1:
            raise BadRequest(self._found[0])
        if self._found:
            listed = " ".join(f"({number}) {text}" for number, text in enumerate(self._found, 1))
            raise BadRequest(f"{len(self._found)} mistakes: {listed}")

    def owner(self, name: str) -> None:
        if not _OWNER.match(name):
            self.add("owner", f"{name!r} may only hold letters, digits, _ and -, because files are named after it")

    def interface(self, path: str, name: str, present: AbstractSet[str] | None = None) -> bool:
        """Whether an interface can have this name, and exists where those that do are given."""
        if not _INTERFACE.match(name):
            self.add(path, f"{name!r} is not an interface name")
            return False
        if present is not None and name not in present:
            self.add(path, f"the interface {name} does not exist; there are {', '.join(sorted(present))}")
            return False
        return True

    def address(self, path: str, text: str) -> Address | None:
        if "%" in text:
            # Python 3.8 knows no zones, later ones do, and the kernel takes interfaces apart from addresses.
            self.add(path, f"{text} has a zone; leave out what begins with %")
            return None
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            self.add(path, f"{text!r} is not an IPv4 or IPv6 address")
            return None
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            self.add(path, f"{text} is an IPv4 address mapped into IPv6; write it as {address.ipv4_mapped}")
            return None
        return address

    def host_address(self, path: str, text: str) -> Address | None:
        """An address that one host may hold and others may reach."""
        address = self.address(path, text)
        if address is None:
            return None
        for wrong, what in (
            (address.is_unspecified, "the unspecified address"),
            (address.is_multicast, "a multicast address"),
            (address.is_loopback, "a loopback address"),
            (address == ipaddress.IPv4Address("255.255.255.255"), "the broadcast address"),
        ):
            if wrong:
                self.add(path, f"{address} is {what}")
                return None
        return address

    def lladdr(self, path: str, text: str) -> str | None:
        """A MAC address in the form of the ip command."""
        lladdr = text.lower().replace("-", ":")
        if not _LLADDR.match(lladdr):
            self.add(path, f"{text!r} is not a MAC address such as 52:54:00:12:34:56")
            return None
        if int(lladdr[:2], 16) & 1:
            self.add(path, f"{lladdr} is a multicast MAC address, which no single host has")
            return None
        return lladdr
