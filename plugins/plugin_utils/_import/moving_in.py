# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of one or several directors -> an inventory of this collection, and what of the files it does not say. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils._ipvs.save_parser import Names
from ansible_collections.lvs.topology.plugins.plugin_utils._import.accept import accept
from ansible_collections.lvs.topology.plugins.plugin_utils._import.beside import complete
from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import Files
from ansible_collections.lvs.topology.plugins.plugin_utils._import.found import Director, note_open_questions
from ansible_collections.lvs.topology.plugins.plugin_utils._import.ipvsadm_save import read_ipvsadm
from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_model import read_keepalived
from ansible_collections.lvs.topology.plugins.plugin_utils._import.ldirectord import read_ldirectord
from ansible_collections.lvs.topology.plugins.plugin_utils._import.live import compare_with_table
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import (
    LOST,
    NOTE,
    Place,
    Remark,
    Remarks,
    Unreadable,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._import.together import clusters
from ansible_collections.lvs.topology.plugins.plugin_utils._import.written import files as written_files
from ansible_collections.lvs.topology.plugins.plugin_utils._import.written import shown
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.adopt.beside_table import Beside
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import as_address

# How the first lines of each form begin that say anything.
_LDIRECTORD = re.compile(r"^virtual6?\s*=", re.MULTILINE)
_IPVSADM = re.compile(
    r"^[ \t]*(?:-[Aa]\s|--add-se|(?:sudo[ \t]+)?(?:(?:/(?:usr/)?s?bin/)?ipvsadm|\"?\$\{?\w*IPVSADM\w*\}?\"?)\s)",
    re.MULTILINE,
)
# What else programs print of a director, by a line that only they have, with what it is and what to do.
_OTHERS = (
    (
        re.compile(r"^(?:IP Virtual Server version|Prot LocalAddress:Port)\b", re.MULTILINE),
        "the file is what ipvsadm -L prints, which leaves things out",
        "print the rules with ipvsadm -S -n",
    ),
    (
        re.compile(r"^\*(?:raw|mangle|nat|filter|security)\s*$", re.MULTILINE),
        "the file is what iptables-save prints, which has no virtual services",
        "name the configuration of a director; who sets a mark is read only from the hosts themselves",
    ),
)
# What of a director's own configuration may stand beside that, as in a script that restores both.
_OURS = re.compile(
    r"^[ \t]*-[Aa]\s+-|\bipvsadm\s+-|^[ \t]*(?:virtual_server|vrrp_instance|include)\s|^virtual6?\s*=", re.MULTILINE
)
# Where the first file of a director lies in a copy of its folders.
_FIRST = (
    *("keepalived.conf", "etc/keepalived/keepalived.conf", "ldirectord.cf", "etc/ha.d/ldirectord.cf"),
    *("ipvsadm.rules", "ipvsadm", "etc/ipvsadm.rules", "etc/sysconfig/ipvsadm"),
)
_PLAIN_NAMES = re.compile(r"(?:keepalived|ldirectord|ipvsadm|ipvsadm-save|ha)(?:\.\w+)?\Z")
_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9._-]+")
# A file may be called by 255 bytes.
_LONGEST_NAME = 200


@dataclass(frozen=True)
class Imported:
    """An inventory, the text of its files, and what the import says besides."""

    hostvars: dict[str, dict[str, Any]]
    groups: dict[str, list[str]]
    files: dict[str, str]
    remarks: list[Remark]


class Known(Names):
    """Names whose meaning somebody gave. Others are refused as always."""

    def __init__(self, meanings: Mapping[str, Any]) -> None:
        self._meanings = meanings

    def address(self, name: str, in_brackets: bool) -> str:
        found = self._meanings.get(name)
        return str(found) if as_address(found) is not None else super().address(name, in_brackets)

    def port(self, name: str, protocol: str) -> int:
        found = self._meanings.get(name)
        return found if isinstance(found, int) else super().port(name, protocol)


def form_of(text: str) -> str:
    """Which of the forms a file has."""
    if _LDIRECTORD.search(text):
        return "ldirectord"
    return "ipvsadm" if _IPVSADM.search(text) else "keepalived"


def _refuse_others(text: str, name: str) -> None:
    if _OURS.search(text):
        return
    for pattern, problem, remedy in _OTHERS:
        if found := pattern.search(text):
            raise Unreadable(Place(name, text.count("\n", 0, found.start()) + 1), problem, remedy)


def imported(
    files: Files,
    mains: list[str],
    hosts: list[str] | None = None,
    names: Names | None = None,
    tables: Mapping[str, str] | None = None,
    besides: Mapping[str, Beside] | None = None,
) -> Imported:
    """``mains`` is the first file of each director; ``hosts`` what these are called, and what keepalived gets as -i.

    ``tables`` names the file with the rules that a director's kernel has, by the first file of that director, and
    ``besides`` what its host has beside that table.
    """
    remarks = Remarks()
    directors: list[Director] = []
    if not mains:
        raise Unreadable(Place("lvs_adopt_from", 1), "no file is named", "name one for each director")
    if hosts and len(mains) > 1 and len(hosts) != len(mains):
        problem = f"there are {len(mains)} files, and {len(hosts)} names of directors"
        raise Unreadable(Place(mains[0], 1), problem, "name one director for each file")
    for position, main in enumerate(mains):
        host = hosts[position] if hosts and position < len(hosts) else None
        found = _read(files, main, host, hosts or [], remarks, names, is_only=len(mains) == 1)
        for each in found:
            each.name = each.name or _of_file(main)
            if tables and main in tables:
                compare_with_table(each, files, tables[main], names, remarks)
            if besides and main in besides:
                complete(each, besides[main], remarks)
            else:
                note_open_questions(each.services, remarks)
        directors += found
    _name(directors, hosts or [], remarks)
    shared = clusters(directors, remarks)
    own = {text for each in directors for text in each.addresses}
    targets = {
        entry["address"] for each in directors for service in each.services for entry in service.entry["real_servers"]
    }
    prepared = [each.name for each in directors if targets.intersection(each.addresses)]
    _note_peers(directors, own, targets, remarks)
    groups = {"lvs_directors": [each.name for each in directors], "lvs_real_servers": prepared}
    accept(shared, groups, remarks)
    listed = remarks.sorted()
    hostvars = {name: values for each in shared for name, values in each.hostvars().items()}
    return Imported(hostvars, groups, written_files(shared, listed, prepared), listed)


def _read(
    files: Files,
    main: str,
    host: str | None,
    hosts: list[str],
    remarks: Remarks,
    names: Names | None,
    *,
    is_only: bool,
) -> list[Director]:
    text = files.text(main)
    _refuse_others(text, main)
    form = form_of(text)
    if form == "keepalived":
        return _read_for_hosts(files, main, host, hosts, remarks, is_only=is_only)
    reader = read_ldirectord if form == "ldirectord" else read_ipvsadm
    # Directors of a pair may have the same file.
    several = hosts if is_only and len(hosts) > 1 else [host or ""]
    found = []
    for each in several:
        director = reader(files, main, remarks, names)
        director.name = each
        found.append(director)
    return found


def _read_for_hosts(
    files: Files, main: str, host: str | None, hosts: list[str], remarks: Remarks, *, is_only: bool
) -> list[Director]:
    """A file with lines for single hosts is read once for each of them, as long as nobody chose."""
    if is_only and len(hosts) > 1:
        return [read_keepalived(files, main, each, remarks)[0] for each in hosts]
    first = Remarks()
    director, there = read_keepalived(files, main, host, first)
    if host or not there:
        if host and there and host not in there:
            reason = f"no line is for {host}, which is what the director is called here: name it by lvs_adopt_hosts"
            remarks.note(next(iter(there.values())), [f"@{next(iter(there))}"], reason)
        remarks.extend(first.sorted())
        return [director]
    named = ", ".join(there)
    for each, place in there.items():
        reason = f"the line is for one host, and nobody said for which to read: read for {named}, each by itself"
        remarks.note(place, [f"@{each}"], reason)
    return [read_keepalived(files, main, each, remarks)[0] for each in there]


def _name(directors: list[Director], hosts: list[str], remarks: Remarks) -> None:
    """Every director gets a name of its own, which an inventory and the name of a file take."""
    used: set[str] = set()
    for number, each in enumerate(directors, 1):
        name = _NOT_IN_NAME.sub("-", each.name or f"lb{number}").strip("-.")[:_LONGEST_NAME] or f"lb{number}"
        if name in used:
            name = next(f"{name}-{more}" for more in range(2, len(directors) + 2) if f"{name}-{more}" not in used)
        used.add(name)
        if each.name != name and each.name in hosts:
            reason = f"no file can have this name, so the inventory calls it {name}: write ansible_host for it"
            remarks.note(each.place, [each.name], reason)
        each.name = name


def _of_file(path: str) -> str:
    """The name of a file that says something, else that of its folder."""
    folder, base = posixpath.split(path)
    stem = base.partition(".")[0]
    if not _PLAIN_NAMES.match(base):
        return stem
    folders = [each for each in folder.split("/") if each not in ("", ".", "etc", "keepalived", "ha.d")]
    return folders[-1] if folders else ""


def _note_peers(directors: list[Director], own: set[str], targets: set[str], remarks: Remarks) -> None:
    for each in directors:
        for peer in each.peers:
            if str(peer) in own:
                continue
            is_target = str(peer) in targets
            reason = "it is the other director, whose file was not read: import both together"
            if is_target:
                reason += ". It is a real server, too, and belongs to both groups"
            place = each.places.get("lvs_vrrp", each.place)
            remarks.note(place, ["unicast_peer", str(peer)], reason)


def first_file(path: str, names: list[str]) -> str:
    """The first file of a director in a folder that has ``names``."""
    plain = [each for each in names if "/" not in each]
    known = next((each for each in _FIRST if each in names), plain[0] if len(plain) == 1 else None)
    if known is None:
        problem = "the folder has no keepalived.conf, ldirectord.cf or ipvsadm.rules, and not one file alone"
        raise Unreadable(Place(path, 1), problem, "name the file")
    return known


def as_data(found: Imported) -> dict[str, Any]:
    """What an import found, as a filter and a lookup return it."""
    return {
        "hosts": found.hostvars,
        "groups": found.groups,
        "files": [{"path": path, "content": text, "shown": shown(text)} for path, text in found.files.items()],
        "lost": [str(each) for each in found.remarks if each.kind == LOST],
        "notes": [str(each) for each in found.remarks if each.kind == NOTE],
    }
