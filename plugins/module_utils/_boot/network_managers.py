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


def managers() -> hooks_plan.Managers:
    """Who sets interfaces of this host. Several may, each its own."""
    files = _network_files()
    return hooks_plan.Managers(
        networkd=bool(files),
        networkmanager=os.path.isdir(_NETWORKMANAGER),
        ifupdown=bool(hooks_plan.set_up_by_ifup(_text(_IFUPDOWN))),
        network_files=tuple(
            sorted({os.path.basename(path) for path in files if not hooks_plan.says_what_is_kept(_text(path))})
        ),
    )


def drop_ins() -> list[str]:
    """What we have added to networkd's files, whether they are in use or not."""
    return glob.glob(hooks_plan.drop_in("*"))


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
