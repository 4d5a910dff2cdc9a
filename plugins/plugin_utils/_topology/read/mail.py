# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom keepalived tells by mail of what happens: lvs_keepalived.mail."""

from __future__ import annotations

from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.config_text import read_host, special
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import show
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import Reader, read_switch

_LONGEST = 254
_EXAMPLE = "{to: [ops@example.com], from: lb1@example.com, server: 192.0.2.25}"


def read_mail(reader: Reader) -> tuple[tuple[str, Any], ...]:
    """The settings that were given, as the plan has them."""
    raw = reader.mapping("mail", _EXAMPLE)
    if raw is None:
        return ()
    inner = Reader(raw, reader.at("mail"), reader.mistakes)
    recipients = []
    for position, each in enumerate(inner.elements("to", "addresses")):
        if _takes(inner, f"to[{position}]", each):
            recipients.append(each)
    sender = inner.take("from")
    server = read_host(inner, "server")
    found = {
        "to": tuple(recipients),
        "from": sender if sender is not None and _takes(inner, "from", sender) else None,
        "server": server,
        "port": inner.integer("port", 1, 65535, default=0) or None,
        "helo_name": read_host(inner, "helo_name"),
        "timeout": inner.integer("timeout", 1, 3600, default=0) or None,
        "alert": read_switch(inner, "alert"),
    }
    if not recipients and inner.take("to") in (None, []):
        inner.refuse("to", "is missing", "list who gets the mails")
    if found["port"] and inner.take("server") is None:
        inner.refuse("port", "has no server to go with", "write the server too, or leave the port out")
    inner.finish()
    return tuple((key, value) for key, value in found.items() if value not in (None, ()))


def _takes(reader: Reader, key: str, value: Any) -> bool:
    local, at, domain = value.partition("@") if isinstance(value, str) else ("", "", "")
    if not (local and at and domain) or special(value) or len(value) > _LONGEST:
        reader.refuse(key, f"{show(value)} is no address of mail", "write it as ops@example.com")
        return False
    return True
