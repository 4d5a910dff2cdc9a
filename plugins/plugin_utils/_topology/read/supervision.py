# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keepalived does for a service, and for each of its real servers, besides what the table has of them."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.config_text import (
    read_name,
    read_raw,
    read_run,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import (
    Address,
    RealServer,
    Supervision,
    Watch,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import Reader, read_switch
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.health import read_checks
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.min_up import (
    read_min_up,
    refuse_beside_min_up,
)

_OF_SERVICE = (
    *("health_check", "quorum", "hysteresis", "min_up", "quorum_up", "quorum_down"),
    *("inhibit_on_failure", "alpha", "omega", "smtp_alert", "group", "raw"),
)


def read_supervision(reader: Reader, real_servers: Sequence[RealServer], forward: str | None) -> Supervision:
    """``forward`` None: not known."""
    quorum = reader.integer("quorum", 1, 2**31 - 1, default=1)
    hysteresis = reader.integer("hysteresis", 0, 2**31 - 1, default=0)
    if hysteresis >= quorum and hysteresis:
        reader.refuse("hysteresis", f"{hysteresis} is not below quorum {quorum}", f"use 0 to {quorum - 1}")
    min_up = read_min_up(reader)
    inhibits = reader.boolean("inhibit_on_failure", default=min_up is not None)
    alpha = reader.boolean("alpha", default=False)
    asked = [(each.address, each.port) for each in real_servers if each.watch.checks is None]
    checks = read_checks(reader, asked, forward) or ()
    if min_up is not None:
        refuse_beside_min_up(reader, real_servers, checks, inhibits=inhibits, alpha=alpha)
    return Supervision(
        health_checks=checks,
        quorum=quorum,
        hysteresis=hysteresis,
        min_up=min_up,
        quorum_up=read_run(reader, "quorum_up"),
        quorum_down=read_run(reader, "quorum_down"),
        inhibit_on_failure=inhibits,
        alpha=alpha,
        omega=reader.boolean("omega", default=False),
        smtp_alert=read_switch(reader, "smtp_alert"),
        group=read_name(reader, "group"),
        raw=read_raw(reader, "raw"),
        given=tuple(key for key in _OF_SERVICE if reader.take(key) is not None),
    )


def read_watch(reader: Reader, address: Address | None, port: int, forward: str | None) -> Watch:
    """``address`` None: it is wrong, and was refused."""
    return Watch(
        checks=read_checks(reader, [] if address is None else [(address, port)], forward),
        notify_up=read_run(reader, "notify_up"),
        notify_down=read_run(reader, "notify_down"),
        inhibit_on_failure=read_switch(reader, "inhibit_on_failure"),
        alpha=read_switch(reader, "alpha"),
        smtp_alert=read_switch(reader, "smtp_alert"),
    )
