# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading what Ansible hands over: facts in whatever shape, and values that cannot be evaluated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import ip_address, ip_interface
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._topology import compiler
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Facts
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import as_boolean, as_integer, plain
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.facts import read_facts
from ansible_collections.lvs.topology.tests.unit.topology.inventories import r1, r3


class Tagged(str):
    """Text with something more to it, like Ansible's."""

    __slots__ = ("origin",)


class Encrypted(Sequence[str]):
    """Text that is decrypted when it is read, as ansible-core 2.18 has it."""

    vault = None

    def __len__(self) -> int:
        return len(str(self))

    def __getitem__(self, index: Any) -> Any:
        return str(self)[index]

    def __str__(self) -> str:
        return "s3cret"


class LazyVars(Mapping[str, Any]):
    """Variables that are evaluated when they are read, like those in hostvars."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = values

    def __getitem__(self, key: str) -> Any:
        value = self._values[key]
        if value == "{{ nothing }}":
            msg = "'nothing' is undefined"
            raise RuntimeError(msg)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def test_plain_takes_tags_and_types_away() -> None:
    value = plain({Tagged("a"): (Tagged("b"), 1, True, None), "c": LazyVars({"d": Tagged("e")})})
    assert value == {"a": ["b", 1, True, None], "c": {"d": "e"}}
    assert {type(each) for each in (*value, value["a"][0], value["c"]["d"])} == {str}
    assert {type(value["c"])} == {dict}


def test_what_was_encrypted_by_itself_is_text() -> None:
    assert plain({"auth_pass": Encrypted()}) == {"auth_pass": "s3cret"}


def test_a_variable_that_cannot_be_evaluated_is_a_mistake() -> None:
    model = r1()
    model.hostvars["web1"]["lvs_arp_method"] = "{{ nothing }}"
    hostvars = {name: LazyVars(values) for name, values in model.hostvars.items()}
    assert compiler.mistakes_of(hostvars, model.groups) == [
        "web1: lvs_arp_method: cannot be evaluated: 'nothing' is undefined; define what it refers to"
    ]


class Undecryptable(dict[str, Any]):
    """The variables of a director, of which one cannot be read for a reason."""

    def __init__(self, values: Mapping[str, Any], reason: str) -> None:
        super().__init__(values)
        self._reason = reason

    def __getitem__(self, name: str) -> Any:
        if name == "lvs_services":
            raise ValueError(self._reason)
        return super().__getitem__(name)


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (
            reason,
            "holds an encrypted value that cannot be decrypted; give the password of its vault, such as with "
            "--vault-password-file or --ask-vault-pass",
        )
        for reason in (
            "A vault exception marker was tripped.",
            "Attempting to decrypt but no vault secrets found",
            "Decryption failed (no vault secrets were found that could decrypt) on inventory.yml",
        )
    ]
    + [("'vault_lvs' is undefined", "cannot be evaluated: 'vault_lvs' is undefined; define what it refers to")],
)
def test_a_value_that_cannot_be_decrypted_is_one_mistake_with_a_remedy(reason: str, said: str) -> None:
    model = r1()
    director = model.groups["lvs_directors"][0]
    hostvars = {**model.hostvars, director: Undecryptable(model.hostvars[director], reason)}
    assert compiler.mistakes_of(hostvars, model.groups) == [f"{director}: lvs_services: {said}"]


def test_services_that_cannot_be_evaluated_are_not_called_unset() -> None:
    model = r1()
    director = model.groups["lvs_directors"][0]
    model.hostvars[director]["lvs_services"] = "{{ nothing }}"
    hostvars = {name: LazyVars(values) for name, values in model.hostvars.items()}
    assert compiler.mistakes_of(hostvars, model.groups) == [
        f"{director}: lvs_services: cannot be evaluated: 'nothing' is undefined; define what it refers to"
    ]


def test_facts_that_cannot_be_evaluated_are_a_mistake() -> None:
    model = r3()
    model.hostvars["web1"]["ansible_facts"] = "{{ nothing }}"
    hostvars = {name: LazyVars(values) for name, values in model.hostvars.items()}
    assert compiler.mistakes_of(hostvars, model.groups) == [
        "web1: ansible_facts: cannot be evaluated: 'nothing' is undefined; define what it refers to"
    ]


@pytest.mark.parametrize(
    ("value", "integer"),
    [
        (80, 80),
        ("80", 80),
        ("-1", -1),
        (True, None),
        ("8O", None),
        (80.0, None),
        ("", None),
        (" 80", None),
        ("٨", None),
    ],
)
def test_integers(value: object, integer: int | None) -> None:
    assert as_integer(value) == integer


@pytest.mark.parametrize(
    ("value", "boolean"), [(True, True), ("yes", True), ("False", False), (1, None), ("maybe", None), (None, None)]
)
def test_booleans(value: object, boolean: bool | None) -> None:
    assert as_boolean(value) is boolean


ETH1 = {"device": "eth1", "macaddress": "02:00:00:00:00:01", "ipv4": {"address": "10.0.0.1", "netmask": "255.0.0.0"}}


@pytest.mark.parametrize(
    ("raw", "addresses"),
    [
        ({"interfaces": ["eth1"], "eth1": ETH1}, {"eth1": ["10.0.0.1/8"]}),
        # the real name is in device
        ({"interfaces": ["br-lan"], "br_lan": {**ETH1, "device": "br-lan"}}, {"br-lan": ["10.0.0.1/8"]}),
        ({"interfaces": ["br_lan"], "br_lan": {**ETH1, "device": "br-lan"}}, {"br-lan": ["10.0.0.1/8"]}),
        # a labelled address has an entry of its own, and may be listed in both
        (
            {
                "interfaces": ["eth1", "eth1_vip"],
                "eth1": {**ETH1, "ipv4_secondaries": [{"address": "10.0.0.2", "prefix": "32"}]},
                "eth1_vip": {"ipv4_secondaries": [{"address": "10.0.0.2", "prefix": "32"}]},
            },
            {"eth1": ["10.0.0.1/8", "10.0.0.2/32"]},
        ),
        (
            {"interfaces": ["eth1", "eth1_vip"], "eth1": {"device": "eth1"}, "eth1_vip": {"ipv4": ETH1["ipv4"]}},
            {"eth1": ["10.0.0.1/8"]},
        ),
        (
            {"interfaces": ["eth1"], "eth1": {"device": "eth1", "ipv6": [{"address": "fd00::1", "prefix": "64"}]}},
            {"eth1": ["fd00::1/64"]},
        ),
        # partial facts
        ({"interfaces": ["eth1", "eth2"], "eth1": ETH1}, {"eth1": ["10.0.0.1/8"]}),
        ({"interfaces": ["eth1"], "eth1": {"device": "eth1", "ipv4": {"address": "10.0.0.1"}}}, {"eth1": []}),
    ],
)
def test_interfaces(raw: dict[str, Any], addresses: dict[str, list[str]]) -> None:
    known = {each.name: list(each.addresses) for each in read_facts(raw).interfaces or ()}
    assert known == {name: [ip_interface(each) for each in listed] for name, listed in addresses.items()}


def test_unknown_is_not_none() -> None:
    assert read_facts({}) == Facts(interfaces=None)
    assert read_facts({"interfaces": []}) == Facts(interfaces=())


def test_gateways_of_facts() -> None:
    known = read_facts({"default_ipv4": {"gateway": "10.0.0.1"}, "default_ipv6": {"gateway": "fe80::1%eth1"}})
    assert known.gateways == (ip_address("10.0.0.1"),)
    assert read_facts({"default_ipv4": {}, "default_ipv6": None}).gateways == ()
