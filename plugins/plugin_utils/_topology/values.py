# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw values of the inventory: plain Python from whatever Ansible hands over, and checks of single values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address, ip_interface, ip_network
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.mistakes import Mistake, choose, show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.model import Address, AddressInNetwork

_INTEGER = re.compile(r"-?[0-9]+\Z")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?\Z")
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def plain(value: Any) -> Any:
    """The value without Ansible's tags, lazy templates and custom types.

    What is undefined raises when it is turned into text, with a message that names it; the caller knows where it was.
    """
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        return int(value)
    # A value that was encrypted by itself is a sequence, and no str, in ansible-core 2.18.
    if isinstance(value, (str, bytes)) or hasattr(value, "vault"):
        return str(value)
    if isinstance(value, Mapping):
        return {plain(key): plain(each) for key, each in value.items()}
    if isinstance(value, (Sequence, set, frozenset)):
        return [plain(each) for each in value]
    return str(value)


def as_integer(value: Any) -> int | None:
    """An integer, also as text: a template often makes text of a number."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _INTEGER.match(value):
        return int(value)
    return None


def as_number(value: Any) -> float | None:
    """A number, also as text; a whole one is an integer."""
    if isinstance(value, bool) or not _NUMBER.match(text := str(value)):
        return None
    number = float(text)
    return int(number) if number.is_integer() else number


def as_boolean(value: Any) -> bool | None:
    """A boolean, also as text."""
    if isinstance(value, bool):
        return value
    return _BOOLEANS.get(value.lower()) if isinstance(value, str) else None


def as_address(value: Any) -> Address | None:
    """An IP address without prefix or zone."""
    # ip_address() would take a number for an address.
    return _address_of(value) if isinstance(value, str) and "%" not in value else None


@lru_cache(maxsize=65536)
def _address_of(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def as_interface(value: Any) -> AddressInNetwork | None:
    """An IP address that may have a prefix."""
    try:
        return ip_interface(value) if isinstance(value, str) and "%" not in value else None
    except ValueError:
        return None


def as_network(value: Any) -> IPv4Network | IPv6Network | None:
    """A network without host bits, or one address."""
    try:
        return ip_network(value) if isinstance(value, str) else None
    except ValueError:
        return None


def full_prefix(address: Address) -> int:
    """The prefix of exactly one address: 32 or 128."""
    return 32 if isinstance(address, IPv4Address) else 128


class Reader:
    """One mapping of the model. Its keys are taken one by one; those that nobody took are refused.

    Every method notes what is wrong and returns its default, so that reading goes on and finds the next mistake.
    An explicit null is a key that was not given.
    """

    def __init__(self, raw: Mapping[str, Any], path: str, mistakes: list[Mistake]) -> None:
        self._raw = raw
        self._taken: dict[str, None] = {}
        self.mistakes = mistakes
        self.path = path

    def at(self, key: str) -> str:
        return f"{self.path}.{key}"

    def refuse(self, key: str, problem: str, remedy: str) -> None:
        self.mistakes.append(Mistake(self.at(key), problem, remedy))

    def take(self, key: str) -> Any:
        self._taken[key] = None
        return self._raw.get(key)

    def finish(self) -> None:
        if len(self._raw) == sum(key in self._raw for key in self._taken):
            return
        for key in self._raw:
            if key not in self._taken:
                self.refuse(str(key), "is not a known key", choose(str(key), self._taken))

    def integer(self, key: str, low: int, high: int, default: int) -> int:
        value = self.take(key)
        if value is None:
            return default
        number = as_integer(value)
        if number is None:
            self.refuse(key, f"{show(value)} is no whole number", f"use {low} to {high}")
            return default
        if not low <= number <= high:
            self.refuse(key, f"{number} is out of range", f"use {low} to {high}")
            return default
        return number

    def number(self, key: str, low: float, high: float, default: float, digits: int) -> float:
        """A number with so many digits after the point at most; a whole one is an integer."""
        value = self.take(key)
        if value is None:
            return default
        number = as_number(value)
        if number is None:
            self.refuse(key, f"{show(value)} is no number", f"use {low} to {high}")
            return default
        if not low <= number <= high:
            self.refuse(key, f"{number} is out of range", f"use {low} to {high}")
            return default
        if round(number, digits) != number:
            self.refuse(key, f"{number} is too exact", f"use a multiple of {10**-digits:.{digits}f}")
            return default
        return number

    def boolean(self, key: str, default: bool) -> bool:
        value = self.take(key)
        if value is None:
            return default
        boolean = as_boolean(value)
        if boolean is None:
            self.refuse(key, f"{show(value)} is no boolean", "use true or false")
            return default
        return boolean

    def choice(self, key: str, choices: Iterable[str], default: str) -> str:
        value = self.take(key)
        if value is None:
            return default
        if value not in choices:
            self.refuse(key, f"{show(value)} is not known", choose(value, choices))
            return default
        return str(value)

    def elements(self, key: str, kind: str) -> list[Any]:
        value = self.take(key)
        if value is None:
            return []
        if not isinstance(value, list):
            self.refuse(key, f"must be a list of {kind}, is {show(value)}", "write each on a line with a dash")
            return []
        return value

    def mapping(self, key: str, kind: str) -> Mapping[str, Any] | None:
        value = self.take(key)
        if value is None or isinstance(value, Mapping):
            return value
        self.refuse(key, f"must be a mapping, is {show(value)}", f"write it as {kind}")
        return None
