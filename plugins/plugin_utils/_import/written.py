# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an import found -> files of an inventory, as a person would have written them. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from textwrap import wrap
from typing import Any

import yaml
from ansible_collections.lvs.topology.plugins.plugin_utils._import.found import Found
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import LOST, NOTE, Remark
from ansible_collections.lvs.topology.plugins.plugin_utils._import.together import PRIORITY, Cluster

_WIDTH = 120
_PASSWORD = re.compile(r"\b(auth_pass|password): .*")
_ORDER = [
    *["lvs_manager", "lvs_address", "lvs_vip_interface", "lvs_services", "lvs_vrrp", PRIORITY, "lvs_keepalived"],
    *["lvs_sync", "lvs_timeouts"],
]
_READABLE = "# auth_pass can be read here. Encrypt this file with ansible-vault, or its value with encrypt_string.\n"
_HOSTS = "# The directors, and the real servers that Ansible is to prepare."
_PREPARED = (
    "      # A real server that is only named by its address stays as it is. To have it prepared, name it here as\n"
    "      # Ansible reaches it, with its address:\n"
)


class _Dumper(yaml.SafeDumper):
    """Lists are indented as people do it, and nothing is written by reference."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002, as it is called
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002, of no data
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    # Lines of keepalived.conf stay lines.
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def files(clusters: list[Cluster], remarks: list[Remark], prepared: list[str]) -> dict[str, str]:
    """The text of each file, by its path in the inventory. ``prepared`` are directors that are real servers, too."""
    found = {"hosts.yml": _hosts(clusters, prepared)}
    if len(clusters) == 1:
        only = clusters[0]
        found["group_vars/lvs_directors.yml"] = _variables(only.variables, only, remarks)
        own = only.own
    else:
        # Directors that share nothing have nothing in common.
        own = {name: {**each.variables, **mine} for each in clusters for name, mine in each.own.items()}
    for cluster in clusters:
        for name in cluster.own:
            if own[name] or len(clusters) > 1:
                services = cluster if len(clusters) > 1 else None
                found[f"host_vars/{name}.yml"] = _variables(own[name], services, remarks)
    found["remarks.txt"] = report(remarks)
    return found


def shown(text: str) -> list[str]:
    """The lines of a file as they may be printed: without passwords."""
    return [_PASSWORD.sub(r"\1: (not shown)", line) for line in text.splitlines()]


def report(remarks: Iterable[Remark]) -> str:
    """What was not carried over, and what is to be decided, a line each."""
    listed = list(remarks)
    lines = []
    for kind, title in ((LOST, "Not carried over"), (NOTE, "To be known, or decided")):
        some = [str(each) for each in listed if each.kind == kind]
        lines += [f"{title}: {len(some) or 'nothing'}", *some, ""]
    return "\n".join(lines)


def _hosts(clusters: list[Cluster], prepared: list[str]) -> str:
    directors = [each for cluster in clusters for each in cluster.directors]
    own = {address for each in directors for address in each.addresses}
    lines = ["---", _HOSTS, "all:", "  children:", "    lvs_directors:", "      hosts:"]
    for each in directors:
        lines.append(f"        {_scalar(each.name)}:")
        for peer in each.peers:
            if str(peer) not in own:
                lines.append(
                    f"        # {peer} is its peer, which belongs here. Import its file together with this one."
                )
    lines.append("    lvs_real_servers:")
    addresses = dict.fromkeys(
        entry["address"]
        for cluster in clusters
        for service in cluster.services
        for entry in service.entry["real_servers"]
        if entry["address"] not in own
    )
    lines += ["      hosts:", *(f"        {_scalar(name)}:" for name in prepared)] if prepared else ["      hosts: {}"]
    text = "\n".join(lines) + "\n"
    if addresses:
        names = (f"      #   NAME: {{lvs_address: '{each}'}}\n" for each in addresses)
        text += _PREPARED + "".join(names)
    return text


def _variables(values: dict[str, Any], cluster: Cluster | None, remarks: list[Remark]) -> str:
    given = dict(values)
    if cluster is not None:
        given["lvs_services"] = cluster.services
        if any(PRIORITY in mine for mine in cluster.own.values()) and "lvs_vrrp" in given:
            given["lvs_vrrp"] = {"priority": f"{{{{ {PRIORITY} }}}}", **given["lvs_vrrp"]}
    parts = ["---\n"]
    for key in sorted(given, key=lambda each: _ORDER.index(each) if each in _ORDER else len(_ORDER)):
        if key == "lvs_services":
            parts += _services(given[key], remarks)
            continue
        if key == "lvs_vrrp" and "auth_pass" in repr(given[key]):
            parts.append(_READABLE)
        parts.append(_yaml({key: given[key]}))
    return "".join(parts)


def _services(services: list[Found], remarks: list[Remark]) -> Iterator[str]:
    if not services:
        yield "lvs_services: []\n"
        return
    named = {name for service in services for name in _names(service)}
    # By place, and where one of the services is named, by its name. Several services may come from one line.
    waiting: dict[tuple[str, int, str], list[Remark]] = {}
    for each in remarks:
        name = each.words.partition(" ")[0]
        key = each.place.file, each.place.line, name if name in named else ""
        waiting.setdefault(key, []).append(each)
    if "'password'" in repr([each.entry for each in services]):
        yield _READABLE.replace("auth_pass", "password")
    yield "lvs_services:\n"
    for service in services:
        for line in sorted({service.place.line, *(each.line for each in service.places.values())}):
            for name in ("", *_names(service)):
                # Each is written once.
                for each in waiting.pop((service.place.file, line, name), []):
                    yield from (f"  # {text}\n" for text in wrap(str(each), _WIDTH - 4, break_on_hyphens=False))
        yield _yaml([service.entry], indent=2)


def _names(service: Found) -> tuple[str, str]:
    return service.entry["name"], str(service.vip or service.entry.get("fwmark"))


def _yaml(value: Any, indent: int = 0) -> str:
    text = yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=_WIDTH, allow_unicode=False)
    return "".join(f"{' ' * indent}{line}\n" if line else "\n" for line in text.splitlines())


def _scalar(text: str) -> str:
    return yaml.dump(text, Dumper=_Dumper, width=_WIDTH).splitlines()[0]
