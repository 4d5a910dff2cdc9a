# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looking at what a task asks for before anything is touched, and reporting every mistake at once."""

from __future__ import annotations

from typing import AbstractSet, Any, Callable, TypeVar

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._forms import Address
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest

_T = TypeVar("_T")


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

    def form(self, path: str, value: Any, read: Callable[[Any], _T]) -> _T | None:
        """The value as one of _forms reads it; None where it cannot be right."""
        try:
            return read(value)
        except forms.BadForm as wrong:
            self.add(path, f"{forms.shown(value)} {wrong}")
            return None

    def within(self, path: str, value: int | None, numbers: forms.Range, what: str) -> bool:
        """Whether a number is in its range, or was not given."""
        if value is None or value in numbers:
            return True
        self.add(path, f"{forms.shown(value)} is not {what} from {numbers.low} to {numbers.high}")
        return False

    def owner(self, name: str) -> None:
        self.form("owner", name, forms.owner)

    def interface(self, path: str, name: str, present: AbstractSet[str] | None = None) -> bool:
        """Whether an interface can have this name, and exists where those that do are given."""
        if not forms.is_interface(name):
            self.add(path, f"{forms.shown(name)} is not an interface name of 1 to 15 letters, digits, and _ . @ -")
            return False
        if present is not None and name not in present:
            self.add(path, f"the interface {name} does not exist; there are {', '.join(sorted(present))}")
            return False
        return True

    def address(self, path: str, text: str, purpose: forms.Purpose = forms.ANY) -> Address | None:
        """An address that can be right for its purpose."""
        if isinstance(text, str) and "%" in text:
            self.add(path, f"{forms.word(text)} has a zone; leave out what begins with %")
            return None
        found = self.form(path, text, forms.address)
        problem = None if found is None else purpose.problem(found)
        if problem:
            self.add(path, f"{forms.word(text)} {problem}")
            return None
        return found

    def host_address(self, path: str, text: str) -> Address | None:
        """An address that one host may hold and others may reach."""
        return self.address(path, text, forms.HOST)

    def lladdr(self, path: str, text: str) -> str | None:
        """A MAC address in the form of the ip command."""
        return self.form(path, text, forms.lladdr)
