# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How keepalived holds single addresses: what the file says, what is refused, and what an import makes of it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import keepalived_plan
from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import Given
from ansible_collections.lvs.topology.plugins.plugin_utils._import.moving_in import imported
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import LOST
from ansible_collections.lvs.topology.tests.unit.topology import real_tools
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, r5

EVERYTHING = {
    "192.168.0.29": {"label": "eth1:web", "noprefixroute": True},
    "10.0.0.29": {"broadcast": "10.0.0.127", "no_track": True},
}


def held(options: Any) -> Model:
    model = r5()
    for director in ("lb1", "lb2"):
        model.hostvars[director].setdefault("lvs_vrrp", {})["address_options"] = options
    return model


def test_the_file_says_it_and_is_read_again() -> None:
    model = held(EVERYTHING)
    assert model.mistakes() == []
    plan = model.plan("lb1", "keepalived")
    text = real_tools.rendered(plan)
    assert "        192.168.0.29/32 dev eth1 label eth1:web noprefixroute\n" in text
    assert "        10.0.0.29/24 dev eth2 brd 10.0.0.127 no_track\n" in text
    if real_tools.why_not("keepalived") is None:
        assert real_tools.keepalived_refuses(plan) is None
    # What the ledger calls them is what it was.
    assert keepalived_plan.addresses_of(text) == ["10.0.0.29/24 dev eth2", "192.168.0.29/32 dev eth1"]
    found = imported(Given({"keepalived.conf": text}), ["keepalived.conf"], ["lb1"])
    assert not [each for each in found.remarks if each.kind == LOST]
    assert found.hostvars["lb1"]["lvs_vrrp"]["address_options"] == EVERYTHING


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"192.0.2.99": {"no_track": True}}, "address_options[192.0.2.99]: lb1 holds no such address"),
        ({"192.168.0.29": {"label": "eth2:x"}}, ".label: eth2:x is a label of another interface than eth1"),
        ({"192.168.0.29": {"label": "x"}}, "address_options[192.168.0.29].label: 'x' is not"),
        ({"192.168.0.29": {"broadcast": "+"}}, ".broadcast: '+' is no IPv4 address"),
        ({"fd00::1": {"label": "eth1:x"}}, ".label: is nothing that IPv6 addresses have"),
        ({"192.168.0.29": {"lable": "eth1:x"}}, ".lable: is not a known key; did you mean label"),
        ({"web": {}}, "address_options[web]: 'web' is no IP address"),
        ({"192.168.0.29": "eth1:x"}, "address_options[192.168.0.29]: must be a mapping"),
        ({"192.168.0.29": {"label": "a\nb"}}, "address_options[192.168.0.29].label: 'a\\nb' is not eth0:NAME"),
        ({"fd00::1": {}, "fd00:0::1": {}}, "address_options[fd00:0::1]: fd00::1 is listed twice"),
        (["192.168.0.29"], "address_options: must be a mapping"),
    ],
)
def test_mistakes(options: Any, said: str) -> None:
    lines = [line.replace(" (lb1, lb2)", "") for line in held(options).mistakes()]
    assert [line for line in lines if said in line], lines
    assert all(line.isprintable() for line in lines)


def test_what_no_address_can_have_is_listed() -> None:
    text = """vrrp_instance a {
    virtual_router_id 7
    interface eth0
    virtual_ipaddress {
        192.0.2.10/24 label web scope link
        192.0.2.11/24 brd 192.0.2.127 label eth0:a
    }
}
"""
    found = imported(Given({"keepalived.conf": text}), ["keepalived.conf"], ["lb1"])
    assert [each.words for each in found.remarks if each.kind == LOST] == ["scope link", "label web"]
    options = found.hostvars["lb1"]["lvs_vrrp"]["address_options"]
    assert options == {"192.0.2.11": {"label": "eth0:a", "broadcast": "192.0.2.127"}}
