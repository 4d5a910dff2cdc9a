# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of the names and the values of sysctls. Pure."""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms

# A component may be the name of an interface. What sysctl.d reads in its own way (* ? [ ] - = # ;) is in no name.
_COMPONENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,254}\Z")
_SEPARATOR = re.compile(r"[./]")
_SWAP = str.maketrans("./", "/.")
_KEY_LENGTH = 512
# A write to /proc/sys takes less than a page.
_VALUE_BYTES = 4095


def key(value: Any) -> str:
    """A key as sysctl prints it, from either of its notations.

    The first separator tells the notation: net/ipv4/conf/eth0.100/forwarding is net.ipv4.conf.eth0/100.forwarding.
    """
    if not isinstance(value, str) or len(value) > _KEY_LENGTH:
        raise forms.BadForm("is not the name of a sysctl")
    first = _SEPARATOR.search(value)
    path = value.translate(_SWAP) if first and first.group() == "." else value
    components = path.split("/")
    if len(components) < 2 or not all(_COMPONENT.match(component) for component in components):
        raise forms.BadForm("is not the name of a sysctl")
    return path.translate(_SWAP)


def line(value: Any) -> str:
    """A value of a sysctl as one line, its blanks evened out: tabs of the kernel equal blanks of an operator."""
    # YAML makes a boolean of an unquoted yes, and a list of what stands in brackets.
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise forms.BadForm("is no value of a sysctl")
    if isinstance(value, int):
        if forms.integer(value) is None:
            raise forms.BadForm("is no value of a sysctl")
        return str(int(value))
    text = str(value)
    if not text.strip() or not all(character.isprintable() or character == "\t" for character in text):
        raise forms.BadForm("is not one line of text")
    if len(text.encode()) > _VALUE_BYTES:
        raise forms.BadForm(f"is longer than {_VALUE_BYTES} bytes, which the kernel does not take")
    return " ".join(text.split())
