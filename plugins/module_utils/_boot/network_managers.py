# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who manages the interfaces of a host, by what each manager notes while it runs."""

from __future__ import annotations

import glob
import os

from ansible_collections.lvs.topology.plugins.module_utils._boot import hooks_plan

_LINKS = "/run/systemd/netif/links"
_LOOPBACK = "1"
_NETWORKMANAGER = "/run/NetworkManager/devices"
_IFUPDOWN = "/run/network/ifstate"
# Where networkd looks for its files.
_FOLDERS = [f"{each}/systemd/network" for each in ("/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib")]


def managers() -> hooks_plan.Managers:
    """Who sets interfaces of this host. Several may, each its own."""
    files = _network_files()
    has_ifupdown = bool(hooks_plan.set_up_by_ifup(_text(_IFUPDOWN)))
    # A link may be absent for a moment, such as that of a container, and comes back with the same file.
    in_use = {os.path.basename(path) for path in files}
    others = {path for path in _files_with_drop_in() if os.path.basename(path) not in in_use} if files else set()
    return hooks_plan.Managers(
        networkd=bool(files),
        networkmanager=os.path.isdir(_NETWORKMANAGER),
        ifupdown=has_ifupdown,
        dhclient=has_ifupdown and os.path.isdir(os.path.dirname(hooks_plan.DHCLIENT)),
        network_files=tuple(
            sorted(
                {os.path.basename(path) for path in (*files, *others) if not hooks_plan.says_what_is_kept(_text(path))}
            )
        ),
    )


def drop_ins() -> list[str]:
    """What we have added to networkd's files, whether they are in use or not."""
    return glob.glob(hooks_plan.drop_in("*"))


def _files_with_drop_in() -> set[str]:
    """The files of networkd to which we have added something: of each name the one that counts, unless it is masked."""
    names = [os.path.basename(os.path.dirname(path))[: -len(".d")] for path in drop_ins()]
    there = ([path for path in (f"{folder}/{name}" for folder in _FOLDERS) if os.path.exists(path)] for name in names)
    return {paths[0] for paths in there if paths and os.path.isfile(paths[0])}


def _network_files() -> set[str]:
    try:
        links = sorted(os.listdir(_LINKS))
    except OSError:
        return set()
    # networkd never takes anything from the loopback interface.
    found = (hooks_plan.network_file(_text(f"{_LINKS}/{link}")) for link in links if link != _LOOPBACK)
    return {path for path in found if path is not None}


def _text(path: str) -> str:
    """What a file says; nothing where it is gone, as links may be at any moment."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""
