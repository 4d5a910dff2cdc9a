# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands in messages in place of secrets, and in place of characters that would steer a terminal. Pure."""

from __future__ import annotations

# In place of what nobody shall see.
MASK = "********"


def printable(text: str) -> str:
    """The text with bytes that are no UTF-8, and characters that would steer a terminal, as escapes."""
    return "".join(each if each.isprintable() or each in "\t\n" else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"  # how Python carries a byte that it could not decode
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
