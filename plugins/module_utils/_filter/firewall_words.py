# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How one lets a kind of packet pass, in the words of each firewall. Pure."""

from __future__ import annotations

import shlex
from typing import Iterable

from ansible_collections.lvs.topology.plugins.module_utils._filter.firewall_plan import (
    WITH_PORTS,
    Opening,
    ports_text,
)

FIREWALLD, UFW, NFTABLES, IPTABLES = "firewalld", "ufw", "nftables", "iptables"
# What rules of nft begin with where they are read, and where they are iptables's.
NFT, IPTABLES_NFT = "nft: ", "iptables-nft: "
# The commands of iptables by which rules may be listed.
IPTABLES_COMMANDS = ("iptables", "ip6tables", "iptables-legacy", "ip6tables-legacy")
# By family, what the ICMP that says that a packet was too large is called by iptables, and by the others.
_ICMP_NAMES = {4: "fragmentation-needed", 6: "packet-too-big"}
# The protocols that ufw knows by name, besides those with ports (ufw(8), "RULE SYNTAX").
_UFW = {"41": "ipv6", "47": "gre", "50": "esp", "51": "ah", "112": "vrrp"}


def commands(openings: Iterable[Opening], firewall: str, most: int) -> str:
    """What an operator types, where the firewall is one of the above; else what a rule has to say.

    The first ones of many, and how many there are besides.
    """
    every = [*dict.fromkeys(said for each in openings for said in _commands(each, firewall))]
    text = " and ".join(every[:most])
    if firewall == NFTABLES:
        text += " before it"
    if len(every) > most:
        text += f" and {len(every) - most} more, which the playbook plan writes down"
    is_kept_and_now = any(each.startswith("firewall-cmd --permanent") for each in every)
    return f"{text}, and the same without --permanent" if is_kept_and_now else text


def _commands(opening: Opening, firewall: str) -> list[str]:
    if firewall == FIREWALLD:
        return _for_firewalld(opening)
    if firewall == IPTABLES:
        return [iptables_command("iptables" if opening.family == 4 else "ip6tables", opening)]
    if firewall in IPTABLES_COMMANDS:
        return [iptables_command(firewall, opening)]
    return [_command(opening, firewall)]


def _command(opening: Opening, firewall: str) -> str:
    if firewall == UFW:
        words = ufw_rule(opening)
        # What is INVALID, ufw drops before it comes to its rules.
        if words and not (opening.loose and opening.hook == "input"):
            return shlex.join(["ufw", *words])
        rule = iptables_rule(opening).replace("-A INPUT", f"-A ufw{'' if opening.family == 4 else '6'}-before-input", 1)
        return f"`{rule}` before what drops INVALID in /etc/ufw/before{'' if opening.family == 4 else '6'}.rules"
    if firewall == NFTABLES:
        # Where a table sees one family only, nft refuses to be asked for it so, and takes this instead, as anywhere.
        header = {4: "ip version 4", 6: "ip6 version 6"}[opening.family]
        return f"`{nft_rule(opening).replace(f'meta nfproto ipv{opening.family}', header)} accept`"
    return "a rule before it that lets this pass"


def _for_firewalld(opening: Opening) -> list[str]:
    if opening.hook == "forward":
        # It drops what belongs to no connection before it comes to its policies.
        return ["net.ipv4.vs.conntrack: 1 in lvs_sysctls, so that answers belong to a connection"]
    words = [shlex.join(["firewall-cmd", "--permanent", f"--add-rich-rule={rich_rule(opening)}"])]
    if opening.loose:
        rule = [f"ipv{opening.family}", "raw", "PREROUTING", "0", *_iptables_options(opening), "-j", "CT", "--notrack"]
        words.append(shlex.join(["firewall-cmd", "--permanent", "--direct", "--add-rule", *rule]))
    return words


def iptables_command(name: str, opening: Opening) -> str:
    return shlex.join([name, "-I", opening.hook.upper(), *_iptables_options(opening), "-j", "ACCEPT"])


def iptables_rule(opening: Opening) -> str:
    return shlex.join(["-A", opening.hook.upper(), *_iptables_options(opening), "-j", "ACCEPT"])


def _iptables_options(opening: Opening) -> list[str]:
    options = ["-p", opening.protocol]
    options += ["-s", opening.source] if opening.source else []
    options += ["--sport", ports_text(opening.source_ports, ":")] if opening.source_ports else []
    options += ["-d", opening.destination] if opening.destination else []
    options += ["--dport", ports_text(opening.ports, ":")] if opening.ports else []
    if opening.is_icmp:
        options += ["--icmp-type" if opening.family == 4 else "--icmpv6-type", _ICMP_NAMES[opening.family]]
    return options


def ufw_rule(opening: Opening) -> list[str] | None:
    """The words behind ``ufw``; None where it has none for this."""
    protocol = _UFW.get(opening.protocol, opening.protocol)
    if protocol not in (*_UFW.values(), *WITH_PORTS[:2]) or opening.is_icmp:
        return None
    # ufw takes this protocol for one of IPv4, whose packets have IPv6 inside, and refuses any other address.
    if protocol == _UFW["41"] and opening.family == 6:
        return None
    anywhere = "0.0.0.0/0" if opening.family == 4 else "::/0"
    start = {"input": ["allow"], "output": ["allow", "out"], "forward": ["route", "allow"]}[opening.hook]
    words = [*start, "proto", protocol, "from", opening.source or anywhere]
    words += ["port", ports_text(opening.source_ports, ":")] if opening.source_ports else []
    words += ["to", opening.destination or anywhere]
    return words + (["port", ports_text(opening.ports, ":")] if opening.ports else [])


def ufw_text(opening: Opening) -> str:
    """The rule in one line; nothing where ufw has no words for this."""
    return shlex.join(["ufw", *(ufw_rule(opening) or [])])


def rich_rule(opening: Opening) -> str:
    said = ["rule", f'family="ipv{opening.family}"']
    said += [f'source address="{opening.source}"'] if opening.source else []
    said += [f'destination address="{opening.destination}"'] if opening.destination else []
    if opening.is_icmp:
        said.append(f'icmp-type name="{_ICMP_NAMES[opening.family]}"')
    elif opening.ports:
        said.append(f'port port="{ports_text(opening.ports)}" protocol="{opening.protocol}"')
    elif opening.source_ports:
        said.append(f'source-port port="{ports_text(opening.source_ports)}" protocol="{opening.protocol}"')
    else:
        said.append(f'protocol value="{opening.protocol}"')
    return " ".join([*said, "accept"])


def nft_rule(opening: Opening) -> str:
    """What a rule of nft asks for, as nft lists it."""
    ip = "ip" if opening.family == 4 else "ip6"
    said = [f"{ip} saddr {opening.source}"] if opening.source else []
    said += [f"{ip} daddr {opening.destination}"] if opening.destination else []
    if not said:
        said.append(f"meta nfproto ipv{opening.family}")
    if opening.is_icmp:
        said.append(
            "icmp type destination-unreachable icmp code frag-needed"
            if opening.family == 4
            else "icmpv6 type packet-too-big"
        )
    elif opening.ports or opening.source_ports:
        said += [f"{opening.protocol} sport {ports_text(opening.source_ports)}"] if opening.source_ports else []
        said += [f"{opening.protocol} dport {ports_text(opening.ports)}"] if opening.ports else []
    else:
        said.append(f"meta l4proto {opening.protocol}")
    return " ".join(said)
