# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of keepalived.conf: numbers, times, addresses and commands, or a remark where there is none. Pure."""

from __future__ import annotations

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_conf import Block, Node
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Remarks
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import as_address, as_number

DEFAULT_SCRIPT_USER = "keepalived_script"


def whole(node: Node | None, remarks: Remarks, low: int, high: int) -> int | None:
    """The number after a keyword; None where there is no such keyword, or no such number."""
    if node is None:
        return None
    _one_word(node, remarks)
    value = forms.integer(node.argument())
    if value is None or not low <= value <= high:
        remarks.lost(node.place, node.words, f"it needs a whole number from {low} to {high}{_undefined(node)}")
        return None
    return value


def seconds(node: Node | None, remarks: Remarks) -> float | None:
    """The time after a keyword, in seconds."""
    if node is None:
        return None
    _one_word(node, remarks)
    value = as_number(node.argument())
    if value is None or value < 0:
        remarks.lost(node.place, node.words, f"it needs a number of seconds{_undefined(node)}")
        return None
    return value


def address(node: Node, text: str | None, remarks: Remarks) -> Address | None:
    found = as_address(text)
    if found is None:
        remarks.lost(node.place, node.words, f"it needs an IP address{_undefined(node)}")
    return found


def switch(block: Block, keyword: str) -> bool | None:
    """A switch that may be left to what stands above it."""
    return None if block.first(keyword) is None else bool(block.has(keyword))


def run(node: Node | None, remarks: Remarks, script_user: str | None) -> str | dict[str, str] | None:
    """The command after a keyword, with its user where that is another one."""
    if node is None or len(node.arguments) < 2 or node.argument(1) == (script_user or DEFAULT_SCRIPT_USER):
        return command(node, remarks, script_user)
    if len(node.arguments) > 2:
        remarks.lost(node.place, node.arguments[2:], "the model has no group for a command: it is the user's own")
    return {"script": " ".join((node.argument() or "").split()), "user": node.argument(1) or ""}


def command(node: Node | None, remarks: Remarks, script_user: str | None) -> str | None:
    """The command after a keyword. The model has one user for all of them."""
    if node is None:
        return None
    text = node.argument()
    if text is None:
        remarks.lost(node.place, node.words, "it needs a command")
        return None
    user = node.argument(1)
    if user is not None and user != (script_user or DEFAULT_SCRIPT_USER):
        remarks.lost(node.place, [user], "the model has no user for this command; script_user runs it")
    return " ".join(text.split())


def as_integer_of(text: str | None) -> int | None:
    """A whole number from 0 on."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 12 else None


def port_of(text: str | None) -> int | None:
    """A port from 0 to 65535; None where there is none."""
    value = forms.integer(text)
    return value if value is not None and value in forms.PORTS else None


def _one_word(node: Node, remarks: Remarks) -> None:
    if len(node.arguments) > 1:
        remarks.lost(node.place, node.arguments[1:], f"keepalived reads one word after {node.keyword}")


def _undefined(node: Node) -> str:
    return ", and nothing defines it for this host" if any("$" in each for each in node.arguments) else ""
