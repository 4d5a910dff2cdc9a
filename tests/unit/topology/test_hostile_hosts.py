# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a hostile host can answer: no template of it comes out of a filter, and nothing ends in a traceback."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Interface
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import from_host
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.facts import read_facts

TEMPLATE = "{{ lookup('pipe', 'touch /tmp/owned') }}"

PLAIN = Interface("eth0", None, True, ())


def facts(**entry: Any) -> tuple[Interface, ...] | None:
    return read_facts({"interfaces": ["eth0"], "eth0": {"device": "eth0", **entry}}).interfaces


@pytest.mark.parametrize("device", [TEMPLATE, "eth0; reboot", "eth0\nl d eth1", "", "a" * 16, 7, None, ["eth0"], {}])
def test_an_interface_whose_name_can_be_none_is_left_out(device: Any) -> None:
    assert facts(device=device) == ()


def test_an_entry_without_a_device_needs_a_name_too() -> None:
    assert read_facts({"interfaces": [TEMPLATE], TEMPLATE: {"mtu": 1500}}).interfaces == ()


@pytest.mark.parametrize("mac", [TEMPLATE, "52:54:00:12:34:56 dev eth1", "ff:ff:ff:ff:ff:ff", 7, ["a"], {"a": "b"}])
def test_what_is_no_mac_address_counts_as_not_said(mac: Any) -> None:
    assert facts(macaddress=mac) == (PLAIN,)


@pytest.mark.parametrize("mtu", [TEMPLATE, -1, 0, 67, 2**31, "1" * 5000, [1500], True])
def test_what_is_no_mtu_counts_as_not_said(mtu: Any) -> None:
    assert facts(mtu=mtu) == (PLAIN,)


@pytest.mark.parametrize(
    "entry",
    [
        {"ipv6": [{"address": f"fe80::1%{TEMPLATE}", "prefix": "64"}]},
        {"ipv4": {"address": "10.0.0.1", "netmask": TEMPLATE}},
        {"ipv4": {"address": "1" * 5000, "prefix": "24"}},
        {"ipv4": 5, "ipv6": 5, "ipv4_secondaries": 5},
        {"ipv4": [5, None, "x", {}], "ipv6": {"address": "fd00::1/64 dev eth1"}},
        {"ipv4": {"address": ["10.0.0.1"], "prefix": {}}},
    ],
)
def test_what_is_no_address_is_left_out(entry: dict[str, Any]) -> None:
    assert facts(**entry) == (PLAIN,)


@pytest.mark.parametrize("gateway", [TEMPLATE, 5, ["10.0.0.1"], "fe80::1%{{ 1 }}"])
def test_what_is_no_gateway_is_left_out(gateway: Any) -> None:
    assert read_facts({"default_ipv4": {"gateway": gateway}}).gateways == ()


def test_what_a_host_answered_is_text_to_show() -> None:
    said = {TEMPLATE: [TEMPLATE, "{% x %}", "\x1b[31mred\n", "\udcff", 5, None, "é", "x" * 10000]}
    ((key, values),) = from_host(said).items()
    assert not set(f"{key}{values[:2]}") & set("{}")
    assert values[2:7] == ["\\x1b[31mred\\n", "\\udcff", 5, None, "é"]
    assert len(values[7]) < 5000
