# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What global_defs of keepalived.conf says of timeouts, daemons of synchronisation, mail and conntrackd. Pure."""

from __future__ import annotations

from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils._daemons import conntrackd_plan
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import DEFAULT_TIMEOUTS
from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_conf import Block, Node
from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_values import (
    as_integer_of,
    port_of,
    whole,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Remarks


def read_timeouts(node: Node, remarks: Remarks) -> dict[str, int]:
    """The timeouts in seconds. 0 leaves one as it is."""
    words = list(node.arguments)
    found: dict[str, int] = {}
    while words:
        name, value = words.pop(0), words.pop(0) if words else ""
        seconds = as_integer_of(value)
        if name in DEFAULT_TIMEOUTS and seconds is not None:
            found[name] = seconds
        else:
            reason = "the timeouts are tcp, tcpfin and udp, each with a number"
            remarks.lost(node.place, [name, value], reason)
    return {name: seconds for name, seconds in found.items() if seconds}


def read_sync(node: Node, remarks: Remarks) -> dict[str, Any]:
    """The options of the daemons as they were written."""
    words = list(node.arguments)
    found: dict[str, Any] = {"interface": words.pop(0) if words else None}
    position = 0
    while words:
        word = words.pop(0)
        position += 1
        if word in ("inst", "id", "maxlen", "port", "ttl", "group") and words:
            found[word] = words.pop(0)
        elif position <= 2:
            # As it was written before keepalived 1.3: the instance, and perhaps the number.
            found["inst" if position == 1 else "id"] = word
        else:
            remarks.lost(node.place, [word], "it is no option of lvs_sync_daemon")
    return found


def read_mail(block: Block, remarks: Remarks) -> dict[str, Any] | None:
    """Whom keepalived tells by mail, of what global_defs says; None where it is nobody."""
    to = [each.keyword for node in block.all("notification_email") for each in node.children]
    said = {
        key: block.last(keyword)
        for keyword, key in (
            ("notification_email_from", "from"),
            ("smtp_server", "server"),
            ("smtp_helo_name", "helo_name"),
            ("smtp_connect_timeout", "timeout"),
            ("smtp_alert", "alert"),
        )
    }
    if not to:
        for each in said.values():
            if each:
                remarks.lost(each.place, each.words, "there is no notification_email, so nobody is told by mail")
                each.ignore()
        return None
    found: dict[str, Any] = {"to": list(dict.fromkeys(to))}
    for key, node in said.items():
        if node is None:
            continue
        found[key] = node.argument()
        if key == "server" and node.argument(1):
            found["port"] = port_of(node.argument(1))
        elif key == "timeout":
            found[key] = whole(node, remarks, 1, 3600)
        elif key == "alert":
            found[key] = node.argument() in (None, "true", "on", "yes")
    return {key: value for key, value in found.items() if value is not None}


def read_follower(block: Block, remarks: Remarks) -> dict[str, Any]:
    """That conntrackd follows keepalived, as the role writes it. What else runs by the fifo is not carried over."""
    nodes = [each for each in map(block.last, ("vrrp_notify_fifo", "vrrp_notify_fifo_script")) if each]
    for each in nodes:
        each.ignore()
    if any(conntrackd_plan.FOLLOWER in " ".join(each.words).split() for each in nodes):
        reason = (
            "it is written as lvs_conntrackd: true. Another interface, port or number of connections is in "
            f"{conntrackd_plan.PATH}, which is not read"
        )
        remarks.note(nodes[-1].place, nodes[-1].words, reason)
        return {"lvs_conntrackd": True}
    for each in nodes:
        remarks.lost(each.place, each.words, "the model has no key for it")
    return {}
