# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What birdc prints of BFD and routes. Sessions are in tests/unit/topology/test_bgp_findings.py."""

from __future__ import annotations

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._bgp import bird_text

# As BIRD 2.0.12 prints both.
BFD = """\
BIRD 2.0.12 ready.
Access restricted
bfd1:
IP address                Interface  State      Since         Interval  Timeout
10.0.0.1                  eth1       Up         22:32:00.125    0.300    1.500
10.0.0.2                  eth1       Down       22:32:23.230    1.000    0.000
10.0.0.3                  eth1       AdminDown  22:32:23.230    1.000    0.000
2001:db8:b::1             ---        Up         22:32:00.125    0.300    1.500
"""
ROUTES = """\
BIRD 2.0.12 ready.
Access restricted
Table lvs4:
198.51.100.1/32      blackhole [lvs_routes4 22:31:59.362] * (10)
198.51.100.0/24      blackhole [lvs_aggregates4 22:31:59.362] * (200)
                     blackhole [lvs_aggregates4 22:31:59.370] (200)
\tvia 10.0.0.1 on eth1
2001:DB8:100:0::1/128  blackhole [lvs_routes6 22:31:59.371] * (10)
2001:db8:200:0::/48  blackhole [lvs_aggregates6 22:31:59.371] * (200)
"""


def test_whom_bfd_hears() -> None:
    assert bird_text.heard_by_bfd(BFD) == {"10.0.0.1", "2001:db8:b::1"}


def test_which_addresses_and_prefixes_a_router_is_told() -> None:
    assert bird_text.routes_to(ROUTES) == {"198.51.100.1", "2001:db8:100::1", "198.51.100.0/24", "2001:db8:200::/48"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "There is no BFD protocol running\n",
        "999.1.1.1/32 blackhole\n",
        "::1::/128 x\n",
        "10.0.0.1/032 x\n",
        "10.0.0.1/24 x\n",
        "10.0.0.0/33 x\n",
        "\0\ud800",
    ],
)
def test_what_is_no_answer_says_nothing(text: str) -> None:
    assert bird_text.routes_to(text) == bird_text.heard_by_bfd(text) == frozenset()
