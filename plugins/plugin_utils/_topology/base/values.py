# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Raw values of the inventory: plain Python from whatever Ansible hands over, and checks of single values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Network
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake, choose, show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address, AddressInNetwork

# Smaller ones Python writes with an exponent, which keepalived does not read; and nothing happens as fast as that.
LEAST = 0.0001
_NUMBER = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,20})?\Z")
# Far deeper than anything of the model or of what modules return. A list that holds itself ends here, too.
_DEEPEST = 40
# Longer than any text of a host that we read.
_LONGEST = 4096
_BRACES = str.maketrans("{}", "()")
_BOOLEANS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}


def plain(value: Any, depth: int = 0) -> Any:
    """The value without Ansible's tags, lazy templates and custom types.

    What is undefined raises when it is turned into text, with a message that names it; the caller knows where it was.
    So does what is nested too deep.
    """
    if depth > _DEEPEST:
        raise ValueError(f"it is nested more than {_DEEPEST} levels deep")
    if value is None or isinstance(value, (bool, float)):
        return value
    if isinstance(value, int):
        return int(value)
    # A value that was encrypted by itself is a sequence, and no str, in ansible-core 2.18.
    if isinstance(value, (str, bytes)) or hasattr(value, "vault"):
        return str(value)
    if isinstance(value, Mapping):
        return {_key(key): plain(each, depth + 1) for key, each in value.items()}
    if isinstance(value, (Sequence, set, frozenset)):
        return [plain(each, depth + 1) for each in value]
    return str(value)


def from_host(value: Any) -> Any:
    """What a host answered, as plain values that can be shown."""
    return harmless(plain(value))


def harmless(value: Any) -> Any:
    """Plain values without what could do something when they are shown.

    A host may be hostile. Up to ansible-core 2.18 what a filter returns can be taken for a template and executed on the
    controller, so there is no brace in the text that comes out here, and no line break.
    """
    if isinstance(value, dict):
        return {harmless(key): harmless(each) for key, each in value.items()}
    if isinstance(value, list):
        return [harmless(each) for each in value]
    if not isinstance(value, str):
        return value
    text = value[:_LONGEST].translate(_BRACES)
    return text if text.isprintable() else ascii(text)[1:-1]


def _key(key: Any) -> str:
    """A key of a mapping as text. YAML makes a number of 80, and a boolean of an unquoted on."""
    return str(key) if isinstance(key, str) else forms.shown(key)


def as_integer(value: Any) -> int | None:
    """An integer, also as text: a template often makes text of a number."""
    return forms.integer(value)


def as_percent(value: Any) -> int | None:
    """The number of a text such as 50%; None for whatever is none."""
    text = value.strip() if isinstance(value, str) else ""
    return as_integer(text[:-1].strip()) if text.endswith("%") else None


def _decimal(number: float) -> str:
    """A number as people write it: Python writes small and large ones with an exponent."""
    return format(Decimal(repr(number)), "f")


def as_number(value: Any) -> float | None:
    """A number, also as text; a whole one is an integer."""
    whole = forms.integer(value)
    if whole is not None:
        return whole
    if isinstance(value, float):
        value = _decimal(value)
    if not isinstance(value, str) or not _NUMBER.match(value):
        return None
    number = float(value)
    return int(number) if number.is_integer() else number


def as_boolean(value: Any) -> bool | None:
    """A boolean, also as text."""
    if isinstance(value, bool):
        return value
    return _BOOLEANS.get(value.lower()) if isinstance(value, str) else None


def as_address(value: Any) -> Address | None:
    """An IP address without prefix or zone."""
    return _address_of(value) if isinstance(value, str) else None


@lru_cache(maxsize=65536)
def _address_of(text: str) -> Address | None:
    try:
        return forms.address(text)
    except forms.BadForm:
        return None


def as_interface(value: Any) -> AddressInNetwork | None:
    """An IP address that may have a prefix."""
    return _interface_of(value) if isinstance(value, str) else None


@lru_cache(maxsize=65536)
def _interface_of(text: str) -> AddressInNetwork | None:
    try:
        return forms.interface_address(text)
    except forms.BadForm:
        return None


def problem_in_network(interface: AddressInNetwork) -> str | None:
    """Why no host can have the address in a network of that prefix."""
    address, network = interface.ip, interface.network
    if network.prefixlen == 0:
        return "makes every address a neighbour"
    if network.prefixlen < full_prefix(address) - 1:
        if address == network.network_address:
            return "is a network"
        if address.version == 4 and address == network.broadcast_address:
            return "is the broadcast address of its network"
    return None


def as_network(value: Any) -> IPv4Network | IPv6Network | None:
    """A network without host bits, or one address."""
    try:
        return forms.network(value)
    except forms.BadForm:
        return None


def full_prefix(address: Address) -> int:
    """The prefix of exactly one address: 32 or 128."""
    return 32 if isinstance(address, IPv4Address) else 128


class Reader:
    """One mapping of the model. Its keys are taken one by one; those that nobody took are refused.

    Every method notes what is wrong and returns its default, so that reading goes on and finds the next mistake.
    An explicit null is a key that was not given. Of a list or a mapping it is a mistake: every line below the key was
    commented out, and whether all or nothing was meant nobody knows.
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

    def has(self, key: str) -> bool:
        """Whether the key was written at all."""
        return key in self._raw

    def take(self, key: str) -> Any:
        self._taken[key] = None
        return self._raw.get(key)

    def finish(self) -> None:
        if len(self._raw) == sum(key in self._raw for key in self._taken):
            return
        for key in self._raw:
            if key not in self._taken:
                self.refuse(forms.word(key), "is not a known key", choose(key, self._taken))

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
            self.refuse(key, f"{_decimal(number)} is out of range", f"use {low} to {high}")
            return default
        if 0 < number < LEAST:
            self.refuse(key, f"{_decimal(number)} is too small", f"use {'0, or ' if low <= 0 else ''}{LEAST} at least")
            return default
        if round(number, digits) != number:
            self.refuse(key, f"{_decimal(number)} is too exact", f"use a multiple of {10**-digits:.{digits}f}")
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
        if not isinstance(value, str) or value not in choices:
            self.refuse(key, f"{show(value)} is not known", choose(value, choices))
            return default
        return str(value)

    def elements(self, key: str, kind: str) -> list[Any]:
        value = self.take(key)
        if value is None:
            if self.has(key):
                self.refuse(key, "has nothing below it", f"list the {kind}, write [] for none, or leave the key out")
            return []
        if not isinstance(value, list):
            self.refuse(key, f"must be a list of {kind}, is {show(value)}", "write each on a line with a dash")
            return []
        return value

    def one_or_several(self, key: str, kind: str) -> list[tuple[str, Mapping[str, Any]]] | None:
        """A mapping, or a list of them, each with its key; None where there is none, and [] where that was written."""
        value = self.take(key)
        if not isinstance(value, list):
            only = self.mapping(key, kind)
            return None if only is None else [(key, only)]
        found: list[tuple[str, Mapping[str, Any]]] = []
        for position, each in enumerate(value):
            if isinstance(each, Mapping):
                found.append((f"{key}[{position}]", each))
            else:
                self.refuse(f"{key}[{position}]", f"must be a mapping, is {show(each)}", f"write it as {kind}")
        return found

    def mapping(self, key: str, kind: str) -> Mapping[str, Any] | None:
        value = self.take(key)
        if value is None and self.has(key):
            self.refuse(key, "has nothing below it", f"write it as {kind}, or leave the key out")
        if value is None or isinstance(value, Mapping):
            return value
        self.refuse(key, f"must be a mapping, is {show(value)}", f"write it as {kind}")
        return None


def read_switch(reader: Reader, key: str) -> bool | None:
    """A boolean that may be left to what stands above it."""
    chosen = reader.boolean(key, default=False)
    return None if reader.take(key) is None else chosen
