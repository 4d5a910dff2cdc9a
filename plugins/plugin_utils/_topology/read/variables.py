# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of hosts, as Ansible has them, and what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.config_text import discreet
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake, show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import Reader, plain

# Where text stands in place of a mapping, it may be lines with a password.
_WITH_PASSWORDS = ("lvs_vrrp", "lvs_keepalived", "lvs_bgp")

# What ansible-core 2.18 and 2.19 say of a value whose password nobody gave, or another one.
_UNDECRYPTABLE = re.compile("vault (?:exception|secrets)|undecryptable|decryption failed", re.IGNORECASE)


class Variables:
    """Reads hostvars defensively: values may be missing, undefined, templated or of the wrong type."""

    def __init__(
        self,
        hostvars: Mapping[str, Any],
        mistakes: list[Mistake],
        reader: str | None,
        overrides: Mapping[str, Any],
    ) -> None:
        """``reader`` is the host for which all this is read; ``overrides`` stand above its variables."""
        self.mistakes = mistakes
        self._hostvars = hostvars
        self._reader = reader
        self._overrides = overrides
        self._variables: dict[str, Mapping[str, Any]] = {}
        self._wrong: set[tuple[str, str]] = set()

    def variable(self, host: str, name: str) -> tuple[bool, Any]:
        """Whether the variable is set on the host, and its plain value. One that cannot be evaluated is a mistake."""
        if host == self._reader and name in self._overrides:
            return True, self._overrides[name]
        return self.of_the_inventory(host, name)

    def is_of_the_role_alone(self, host: str, name: str) -> bool:
        """Whether a variable stands above the inventory's with another value, which other hosts do not see."""
        if host != self._reader or name not in self._overrides:
            return False
        return (self._overrides[name] or None) != (self.of_the_inventory(host, name)[1] or None)

    def of_the_inventory(self, host: str, name: str) -> tuple[bool, Any]:
        """The same, as all hosts see it: without what stands above it for the reader."""
        variables = self.variables_of(host)
        try:
            return (True, plain(variables[name])) if name in variables else (False, None)
        except Exception as error:  # a template may raise anything
            self.not_evaluated(host, name, error)
            return False, None

    def peek(self, host: str, name: str) -> Any:
        """The value of a variable, None where it cannot be evaluated: for hosts that the model may not concern."""
        if host == self._reader and name in self._overrides:
            return self._overrides[name]
        try:
            return plain(self.variables_of(host).get(name))
        except Exception:  # a template may raise anything
            return None

    def is_wrong(self, host: str, variable: str) -> bool:
        """Whether the variable was refused: then what is missing because of that is no mistake of its own."""
        return (host, variable) in self._wrong

    def variables_of(self, host: str) -> Mapping[str, Any]:
        """All variables of a host, not evaluated yet."""
        # Looking a host up in hostvars merges all its variables anew each time.
        if host not in self._variables:
            variables = self._hostvars[host]
            self._variables[host] = variables if isinstance(variables, Mapping) else {}
        return self._variables[host]

    def mistake(self, host: str, variable: str, problem: str, remedy: str) -> None:
        """Note what is wrong with a variable."""
        self._wrong.add((host, variable))
        self.mistakes.append(Mistake(f"{host}: {variable}", problem, remedy))

    def not_evaluated(self, host: str, variable: str, error: Exception) -> None:
        """Note that a template in a variable cannot be evaluated."""
        message = " ".join(str(error).split())
        if _UNDECRYPTABLE.search(message):
            remedy = "give the password of its vault, such as with --vault-password-file or --ask-vault-pass"
            self.mistake(host, variable, "holds an encrypted value that cannot be decrypted", remedy)
            return
        self.mistake(host, variable, f"cannot be evaluated: {message}", "define what it refers to")

    def text(self, host: str, variable: str) -> str | None:
        """A variable that is text; None where it is not set, or something else."""
        _given, value = self.variable(host, variable)
        if value is None or isinstance(value, str):
            return value
        self.mistake(host, variable, f"must be text, is {show(value)}", "write one word")
        return None

    def mapping(self, host: str, variable: str, example: str) -> Mapping[str, Any]:
        """A variable that is a mapping; empty where it is not set."""
        _given, value = self.variable(host, variable)
        if value is not None and not isinstance(value, Mapping):
            said = discreet(value) if variable in _WITH_PASSWORDS else show(value)
            self.mistake(host, variable, f"must be a mapping, is {said}", f"write it as {example}")
        return value if isinstance(value, Mapping) else {}

    def keys(self, host: str, variable: str, example: str) -> Reader | None:
        """The keys of a variable that is a mapping; None where it is not set, or empty."""
        value = self.mapping(host, variable, example)
        return Reader(value, f"{host}: {variable}", self.mistakes) if value else None
