# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What verify says where large packets, or what comes through a tunnel, do not get through, is what puts it right.

That everything is as described then, test_large.py shows.
"""

from __future__ import annotations

from typing import Any

RULE = "-p udp -m udp --dport 6081 -j DROP"


def test_what_is_wrong_with_tunnels_is_named(scenario: Any) -> None:
    scenario.run("web1", "ip rule del from 192.168.0.100")
    scenario.run("web2", f"iptables-legacy -A INPUT {RULE}")
    found = scenario.findings()
    route = next(each for each in found if each["host"] == "web1")
    dropped = next(each for each in found if each["host"] == "web2" and "packet filter" in each["what"])
    # What verify says to type is what puts it right.
    scenario.run("web1", route["remedy"].partition(" (or: ")[0])
    scenario.run("web2", dropped["remedy"].partition("; or ")[0])
    assert dropped["what"] == (
        "its packet filter drops what comes through the tunnel of gue (gue, UDP port 6081 to 10.7.0.12) "
        f"(`iptables-legacy -A INPUT {RULE}`)"
    )
    said = [each["what"] for each in found if each["host"] == "client"]
    assert (
        "on 2 of 4 connections to ipip (192.168.0.100 port 80) it would send packets of up to 1500 bytes, and 1480 fit "
        "into the tunnel"
    ) in said
    assert "2 of 4 connections to gue (192.168.0.101 port 80) got no answer" in said
