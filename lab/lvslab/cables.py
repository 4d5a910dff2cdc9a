# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The LANs of a lab and its cables: bridges and taps. All but need_taps() is for the namespaces of the lab."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from .common import LabError
from .network import MANAGEMENT, Network, Nic


def make_bridges(network: Network) -> None:
    for name in ("mgmt", *(f"lan-{lan}" for lan in network.lans)):
        if not Path("/sys/class/net", name).exists() and not _ip("link", "show", name):
            # Snooping would keep VRRP's and the sync daemon's multicast from those that do not ask for it.
            _ip("link", "add", name, "type", "bridge", "mcast_snooping", "0", "forward_delay", "0", must=True)
            if name == "mgmt":
                _ip("address", "add", f"{MANAGEMENT[1]}/{MANAGEMENT.prefixlen}", "dev", name, must=True)
            _ip("link", "set", name, "up", must=True)


def make_tap(nic: Nic) -> None:
    if not _ip("link", "show", nic.tap):
        _ip("tuntap", "add", "dev", nic.tap, "mode", "tap", must=True)
        _ip("link", "set", nic.tap, "master", f"lan-{nic.lan}" if nic.lan else "mgmt", "up", must=True)


def plug(tap: str, lan: str | None) -> None:
    """Put the cable of a card into a LAN, or pull it out."""
    # Out of the bridge, not down: User-Mode Linux gives up a card for good whose tap once refused a frame.
    _ip("link", "set", tap, *(["nomaster"] if lan is None else ["master", f"lan-{lan}"]), must=True)


def _ip(*words: str, must: bool = False) -> bool:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if must and done.returncode != 0:
        raise LabError(f"ip {' '.join(words)}: {done.stderr.strip()}")
    return done.returncode == 0


def need_taps() -> None:
    """Say what is missing where this machine makes none."""
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError as error:
        raise LabError(
            f"/dev/net/tun: {error.strerror}: the hosts' network cards are taps\n"
            "  missing: modprobe tun, or in a container start it with --device /dev/net/tun\n"
            "  no permission: run as root, or chmod 0666 /dev/net/tun (the default of most distributions)"
        ) from None
