# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of single values, which the model and the modules share."""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils import _sysctl_forms
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import ServiceKey
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.options import service_key
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.save_parser import parse
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net import address_plan, gateway_plan, neighbour_plan

PLUGINS = Path(__file__).parents[2] / "plugins"
ODD: list[Any] = [
    *[None, True, False, 0, -1, 10**5000, -(10**5000), 1.5, float("nan"), float("inf"), b"\xff", object],
    *["", " ", "\0", "\n", "\ud800", "9" * 5000, "-" * 5000, "a" * 100_000, "ä", "\u2028", "{{ x }}"],
    *[[], ["x"], {}, {"a": 1}, {1: 2}, (), set(), [[[[]]]]],
]


@pytest.mark.parametrize(
    "read",
    [
        forms.address,
        forms.interface_address,
        forms.network,
        forms.lladdr,
        lambda value: forms.label(value, "eth0"),
        forms.owner,
        forms.kernel_module,
        _sysctl_forms.key,
        _sysctl_forms.line,
        lambda value: forms.line(value, 100),
        forms.integer,
        forms.is_interface,
        forms.is_part_of_module,
        forms.shown,
        forms.word,
    ],
)
def test_a_value_of_any_type_is_read_or_refused(read: Any) -> None:
    for value in ODD:
        with suppress(forms.BadForm):
            read(value)


def test_what_is_shown_of_a_value_is_one_short_line() -> None:
    for value in ODD:
        for text in (forms.shown(value), forms.word(value)):
            assert text.isprintable(), value
            assert 0 < len(text) < 300, value


@pytest.mark.parametrize("name", ["eth0", "eth0.100", "br-lan", "wg0", "enp3s0f1np1", "lo", "veth@1", "_x", "a" * 15])
def test_names_of_interfaces(name: str) -> None:
    assert forms.is_interface(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "eth0#x", "eth+", "eth 0", "eth0\n", "eth0:1", "a/b", "a" * 16, "-f", ".x", "eth*", "äth0", "e;x"],
)
def test_what_no_interface_is_called(name: str) -> None:
    assert not forms.is_interface(name)


def test_labels_begin_with_the_interface_and_hold_nothing_else() -> None:
    assert forms.label("eth0:vip", "eth0") == "eth0:vip"
    for label in ("lo:\nl d eth0", "lo:", "lo", "eth0:vip", "lo:a b", "lo:#", "lo:" + "x" * 13, "lo:ä"):
        with pytest.raises(forms.BadForm):
            forms.label(label, "lo")


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("::10.0.0.1", "::10.0.0.1"),
        ("::a00:1", "::10.0.0.1"),
        ("0:0:0:0:0:0:A00:1", "::10.0.0.1"),
        ("::1:2", "::0.1.0.2"),
        ("::1", "::1"),
        ("FD00::0:1", "fd00::1"),
        ("10.0.0.1", "10.0.0.1"),
    ],
)
def test_an_address_has_one_spelling(text: str, spelled: str) -> None:
    assert forms.canonical_address(text) == spelled
    assert forms.canonical_address(spelled) == spelled


ALL = {"VIP", "REAL_SERVER", "SORRY_SERVER", "OWN_ADDRESS", "FLOATING", "SOURCE_NAT", "GATEWAY", "PEER", "HOST"}


@pytest.mark.parametrize(
    ("text", "allowed"),
    [
        ("10.0.0.1", ALL),
        ("fd00::1", ALL),
        ("::10.0.0.1", ALL),
        (str(IPv4Address(0)), set()),
        ("::", set()),
        ("0.0.0.1", set()),
        ("127.0.0.1", {"SORRY_SERVER"}),
        ("::1", {"SORRY_SERVER"}),
        ("224.0.0.1", set()),
        ("ff02::1", set()),
        ("255.255.255.255", set()),
        # The modules take what the kernel takes, so that it can be removed as well.
        ("240.0.0.1", {"HOST"}),
        ("169.254.1.1", {"GATEWAY", "PEER", "HOST"}),
        ("fe80::1", {"PEER", "HOST"}),
        ("::ffff:10.0.0.1", set()),
    ],
)
def test_kinds_of_addresses(text: str, allowed: set[str]) -> None:
    assert {name for name in ALL if getattr(forms, name).problem(ip_address(text)) is None} == allowed


@pytest.mark.parametrize("text", ["010.0.0.1", "::ffff:010.0.0.1", "10.0.0.1%eth0", "fe80::1%1", "10.0.0.1/32", "1"])
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(forms.BadForm):
        forms.address(text)


def test_a_sysctl_has_one_key() -> None:
    assert _sysctl_forms.key("net/ipv4/ip_forward") == _sysctl_forms.key("net.ipv4.ip_forward") == "net.ipv4.ip_forward"
    assert _sysctl_forms.key("net/ipv4/conf/eth0.100/forwarding") == "net.ipv4.conf.eth0/100.forwarding"
    assert _sysctl_forms.key("net.ipv4.conf.eth0/100.forwarding") == "net.ipv4.conf.eth0/100.forwarding"
    # What sysctl.d would read as a pattern, as an instruction or as a comment.
    for key in (
        "net.ipv4.conf.*.forwarding",
        "-net.ipv4.ip_forward",
        "#net.ipv4",
        "net",
        "net..x",
        "net/../x",
        "a.b=1",
    ):
        with pytest.raises(forms.BadForm):
            _sysctl_forms.key(key)


def test_a_sysctl_s_value_is_one_line() -> None:
    assert _sysctl_forms.line(" 1\t2  3 ") == "1 2 3"
    assert _sysctl_forms.line(1) == "1"
    for value in ("", " ", "1\n2", "1\0", "\ud800", "x" * 5000, True, None, [1], 10**5000):
        with pytest.raises(forms.BadForm):
            _sysctl_forms.line(value)


def test_the_ledger_finds_a_service_however_its_address_is_spelled() -> None:
    assert ServiceKey.from_text("tcp [::a00:1]:80") == ServiceKey.from_text("tcp [::10.0.0.1]:80")
    assert str(ServiceKey.from_text("tcp [::a00:1]:80")) == "tcp [::10.0.0.1]:80"
    (written,) = parse("-A -t [::a00:1]:80 -s rr\n")
    assert written == service_key({"address": "0::a00:1", "port": 80}, "", Mistakes())


def test_what_modules_compare_with_the_kernel_has_its_spelling() -> None:
    mistakes = Mistakes()
    (wish,) = address_plan.check([{"address": "::a00:1/128", "interface": "lo"}], None, mistakes)
    (route,) = gateway_plan.check([{"gateway": "::a00:1", "metric": 0}], mistakes)
    (near,) = neighbour_plan.check(
        [{"address": "::a00:1", "interface": "eth1", "lladdr": "02:00:00:00:00:01"}], None, mistakes, present=True
    )
    mistakes.raise_if_any()
    assert (wish.address, route.gateway, near.address) == ("::10.0.0.1",) * 3


def test_who_manages_a_director_is_said_once() -> None:
    """The files that say how hosts and playbooks act on it are pure: they need not know how a host is looked at."""
    said = [
        str(path.relative_to(PLUGINS))
        for path in PLUGINS.rglob("*utils/**/*.py")
        if re.search(r"""["']kernel["'],\s*["']keepalived["'],\s*["']checker["']""", path.read_text())
    ]
    assert said == ["module_utils/_forms.py"]


class _Mapped(IPv6Address):
    """As Python 3.13 has it: a mapped address is whatever the one is that it maps."""

    @property
    def is_loopback(self) -> bool:
        return self.ipv4_mapped is not None and self.ipv4_mapped.is_loopback

    @property
    def is_link_local(self) -> bool:
        return self.ipv4_mapped is not None and self.ipv4_mapped.is_link_local


@pytest.mark.parametrize("text", ["::ffff:127.0.0.1", "::ffff:169.254.1.1", "::ffff:10.0.0.1"])
def test_a_mapped_address_is_refused_by_every_python(text: str) -> None:
    for purpose in (forms.IN_TABLE, forms.ANY, forms.SORRY_SERVER, forms.PEER):
        assert purpose.problem(_Mapped(text)) == f"is an IPv4 address mapped into IPv6; write it as {text[7:]}"
