# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of ipvsadm: round trips, and lines that it would not have written."""

from __future__ import annotations

import contextlib

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import save_format, save_parser
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    Action,
    Destination,
    DestinationKey,
    Service,
    ServiceKey,
)
from hypothesis import given
from hypothesis import strategies as st

from .strategies import keys, tables

WEB = ServiceKey("ipv4", "tcp", "10.0.0.1", 80)


@given(tables())
def test_round_trip(table) -> None:
    assert save_parser.parse("\n".join(save_format.render(table.values()))) == table


@given(keys())
def test_key_round_trip(key: ServiceKey) -> None:
    assert ServiceKey.from_text(str(key)) == key


@given(st.text(alphabet="-Aatufr 0123456789.:[]xyzsp\n", max_size=60))
def test_any_text(text: str) -> None:
    with contextlib.suppress(save_parser.SaveFormatError):
        save_parser.parse(text)


@pytest.mark.parametrize("verb", ["add", "edit", "delete"])
def test_commands(verb: str) -> None:
    service = Service(WEB, "sh", frozenset({"flag-1"}), timeout=5, netmask=0xFFFF0000)
    destination = Destination(DestinationKey("fd00::2", 80), "tun", 0, 5, 3)
    letter = {"add": "A", "edit": "E", "delete": "D"}[verb]
    settings = " -s sh -p 5 -M 255.255.0.0 -b sh-fallback" if verb != "delete" else ""
    assert save_format.command(Action(verb, service)) == f"ipvsadm -{letter} -t 10.0.0.1:80{settings}"
    settings = " -i -w 0 -x 5 -y 3 --tun-type ipip" if verb != "delete" else ""
    command = save_format.command(Action(verb, service, destination))
    assert command == f"ipvsadm -{letter.lower()} -t 10.0.0.1:80 -r [fd00::2]:80{settings}"


def test_what_else_operators_write() -> None:
    text = """
    # a comment
    --add-service --tcp-service 10.0.0.1:80 --scheduler rr --persistent
    --add-server -t 10.0.0.1:80 --real-server 10.0.0.2 --masquerading --weight 3
    -A -t [fd00::1]:80 -s sh -b
    -A -f -1
    """
    first, second, third = save_parser.parse(text).values()
    assert first.service == Service(WEB, "rr", timeout=360, netmask=2**32 - 1)
    assert list(first.destinations.values()) == [Destination(DestinationKey("10.0.0.2", 80), "nat", 3)]
    assert second.service.flags == frozenset()
    assert third.service.key.fwmark == 2**32 - 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-A -t 10.0.0.1:80 -s rr\n-A -t 10.0.0.1:80", "line 2: .*there already"),
        ("-a -t 10.0.0.1:80 -r 10.0.0.2", "has not been added before"),
        (
            "-A -t 10.0.0.1:80\n-a -t 10.0.0.1:80 -r 10.0.0.2\n-a -t 10.0.0.1:80 -r 10.0.0.2:80",
            "line 3: .*there already",
        ),
        ("-E -t 10.0.0.1:80", "-E is not known"),
        ("-t 10.0.0.1:80", "neither -A nor -a"),
        ("-A -t 10.0.0.1:80 -u 10.0.0.1:80", "one of"),
        ("-A -t 10.0.0.1:80 -t 10.0.0.1:80", "given twice"),
        ("-A -t 10.0.0.1:65536", "not a number from 0 to 65535"),
        ("-A -t 10.0.0.256:80", "does not appear to be an IPv4 or IPv6 address"),
        ("-A -t host:80", "host is the name of a host; print the rules with ipvsadm -S -n"),
        ("-A -t 10.0.0.1:http", "http is the name of a tcp port; print the rules with ipvsadm -S -n"),
        ("-A -t a:80\n-A -t b:80", "line 1: .*\n.*line 2: "),
        ("-A -t [fd00::1]80", "not an address and port"),
        ("-A -f 0", "firewall mark 0"),
        ("-A -t 10.0.0.1:80 -s rr -b sh-port", "not a flag"),
        ("-A -t 10.0.0.1:80 -s", "needs a value"),
        ("-A -t 10.0.0.1:80\n-a -t 10.0.0.1:80 -r 10.0.0.2 -i --tun-type vxlan", "not a tunnel type"),
        ("-A -t 10.0.0.1:80\n-a -t 10.0.0.1:80", "-r is needed"),
        ("-A -t '10.0.0.1:80", "No closing quotation"),
    ],
)
def test_errors(text: str, message: str) -> None:
    with pytest.raises(save_parser.SaveFormatError, match=message):
        save_parser.parse(text)


def test_the_words_of_older_ipvsadm() -> None:
    text = "-A -u 10.0.0.1:5060 -s rr -p 300 pe sip\n-A -u 10.0.0.1:53 -s rr ops\n-A -u 10.0.0.1:5061 -p 90 --pe sip"
    first, second, third = (entry.service for entry in save_parser.parse(text).values())
    assert (first.engine, first.timeout, second.one_packet, third.engine) == ("sip", 300, True, "sip")


class Known(save_parser.Names):
    def address(self, name: str, in_brackets: bool) -> str:
        return {("www.example.com", False): "10.0.0.1", ("app-6.example.com", True): "fd00::1"}[name, in_brackets]

    def port(self, name: str, protocol: str) -> int:
        return {("http-alt", "tcp"): 8080, ("domain", "udp"): 53}[name, protocol]


def test_names_mean_what_the_caller_says() -> None:
    text = """
    -A -t www.example.com:http-alt -s rr
    -a -t www.example.com:http-alt -r 10.0.0.2:http-alt -m
    -A -u [app-6.example.com]:domain
    """
    first, second = save_parser.parse(text, Known()).values()
    assert (str(first.service.key), str(second.service.key)) == ("tcp 10.0.0.1:8080", "udp [fd00::1]:53")
    assert list(first.destinations) == [DestinationKey("10.0.0.2", 8080)]
    with pytest.raises(save_parser.SaveFormatError, match="line 1: "):
        save_parser.parse("-A -t other.example.com:80", Known())
