# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What brings a host's state back when a manager sets the network anew: the files for each manager. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import AbstractSet, Iterable, Mapping

from ansible_collections.lvs.topology.plugins.module_utils._boot.boot_plan import Hooks, static
from ansible_collections.lvs.topology.plugins.module_utils._boot.boot_script import (
    LOADERS,
    PREPARED,
    SANDBOX,
    SCRIPT_PATH,
    UNIT,
)
from ansible_collections.lvs.topology.plugins.module_utils._daemons.systemctl import systemctl
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File, plan_file
from ansible_collections.lvs.topology.plugins.module_utils._net.tunnel_plan import FALLBACKS
from ansible_collections.lvs.topology.plugins.module_utils._plan import joined

SYSTEMD = "/etc/systemd/system"
RESTORE_UNIT = "lvs-topology-network.service"
WATCH_UNIT = "lvs-topology-networkd.path"
RESTORE_PATH = f"{SYSTEMD}/{RESTORE_UNIT}"
WATCH_PATH = f"{SYSTEMD}/{WATCH_UNIT}"
TOLD_PATH = f"{SYSTEMD}/lvs-topology-networkd.service"
LINKS_UNIT = "lvs-topology-links.socket"
LINKS_PATH = f"{SYSTEMD}/{LINKS_UNIT}"
CHANGED_PATH = f"{SYSTEMD}/lvs-topology-links.service"
FIREWALL_UNIT = "lvs-topology-firewall.service"
FIREWALL_PATH = f"{SYSTEMD}/{FIREWALL_UNIT}"
# What is enabled, and starts others.
WATCHERS = (WATCH_UNIT, LINKS_UNIT)
ENABLED = (*WATCHERS, FIREWALL_UNIT)
# The suffixes of the files that go with the rules of a firewall.
_OF_FIREWALLS = {
    "nft",
    "nft-firewall",
    *(f"ip{six}tables{kind}" for six in ("", "6") for kind in ("", "-legacy", "-nft")),
}
NETWORKD_CONF = "/etc/systemd/networkd.conf.d/lvs-topology.conf"
NETWORK_FILES = "/etc/systemd/network"
DISPATCHER = "/etc/NetworkManager/dispatcher.d/90-lvs-topology"
# After all others: one that has the key without a plus would undo what stands here.
NETWORKMANAGER_CONF = "/etc/NetworkManager/conf.d/zz-lvs-topology.conf"
IF_UP = "/etc/network/if-up.d/lvs-topology"
DHCLIENT = "/etc/dhcp/dhclient-exit-hooks.d/lvs-topology"
_UNITS = (RESTORE_PATH, TOLD_PATH, WATCH_PATH, CHANGED_PATH, LINKS_PATH, FIREWALL_PATH)
# What has the same path on every host.
_OF_PACKAGES = (DISPATCHER, NETWORKMANAGER_CONF, IF_UP, DHCLIENT)
FIXED = (*_UNITS, NETWORKD_CONF, *_OF_PACKAGES)
# By suffix, the setting by which networkd leaves alone what is of no interface that it manages.
_FOREIGN = {"sources": "ManageForeignRoutingPolicyRules", "announcements": "ManageForeignRoutes"}
# Before the operator's own drop-ins, whose word counts then.
_DROP_IN = "00-lvs-topology.conf"
_NETWORK_FILE = re.compile(r"/(?:etc|run|usr/lib|lib|usr/local/lib)/systemd/network/[^/]+\.network\Z")

_HEAD = "# Managed by lvs.topology. Changes are overwritten.\n"
_AGAIN = f"systemctl --no-block restart {RESTORE_UNIT}"
_RESTORE = f"""\
{_HEAD}[Unit]
Description=Virtual addresses and routes of lvs.topology, after the network was set anew
After={UNIT}
# Each time that the network is set anew counts.
StartLimitIntervalSec=0

[Service]
Type=oneshot
# A manager does several things in a row, hence the moment. The script may be taken away meanwhile.
ExecStart=/bin/sh -c 'sleep 0.3; [ ! -e {SCRIPT_PATH} ] || exec {SCRIPT_PATH} network'
# Whoever asks for it again while it runs gets another run after this one, which comes to its end: were it ended each
# time, a network that is set anew all the time would never be brought back.
KillSignal=SIGCONT
# It waits for a module that is at work on the host.
TimeoutStartSec=10min
{SANDBOX}
"""
_WATCH = f"""\
{_HEAD}# systemd-networkd calls nobody. What it does to a link is noted here, and nothing else is.
[Unit]
Description=Whether systemd-networkd has set a link anew

[Path]
PathChanged=/run/systemd/netif/links

[Install]
WantedBy=multi-user.target
"""
_TOLD = f"""\
{_HEAD}# While a unit runs, systemd does not see that the path changes again. This one is over at once.
# What it starts may just be taken away, and that is no failure.
[Unit]
Description=Start {RESTORE_UNIT} again
StartLimitIntervalSec=0

[Service]
Type=oneshot
ExecStart=-/bin/{_AGAIN}
"""
_LINKS = f"""\
{_HEAD}# When a link goes down, the kernel takes routes and IPv6 addresses, NetworkManager the rest. Nobody is called.
[Unit]
Description=What the kernel says of links for lvs.topology

[Socket]
# RTMGRP_LINK
ListenNetlink=route 1
# A socket that overflows fails.
ReceiveBuffer=128M

[Install]
WantedBy=multi-user.target
"""
_CHANGED = f"""\
{_HEAD}[Unit]
Description=Start {RESTORE_UNIT} again after a change of a link
StartLimitIntervalSec=0

[Service]
Type=oneshot
# All that the kernel has said so far, whatever it is. That there is no more ends cat, with an error.
NonBlocking=yes
ExecStart=-/bin/sh -c 'exec cat <&3 >/dev/null 2>&1'
ExecStart=-/bin/{_AGAIN}
# NetworkManager may be later than that, and where links change all the time this is often enough.
ExecStart=/bin/sleep 2
ExecStart=-/bin/{_AGAIN}
"""
_LOADERS = " ".join(LOADERS)
_FIREWALL = f"""\
{_HEAD}# What loads the rules of a firewall flushes what was there, when it starts and when it reads its rules anew.
[Unit]
Description=Packet rules of lvs.topology, after those of a firewall
After={_LOADERS}
PartOf={_LOADERS}
ReloadPropagatedFrom={_LOADERS}
Before={UNIT}
StartLimitIntervalSec=0

[Service]
Type=oneshot
RemainAfterExit=yes
# It waits for a module that is at work on the host.
TimeoutStartSec=10min
{PREPARED}ExecStart={SCRIPT_PATH} firewall
ExecReload={SCRIPT_PATH} firewall
{SANDBOX}

[Install]
WantedBy=multi-user.target {_LOADERS}
"""
_NETWORKD = f"""\
{_HEAD}# Otherwise systemd-networkd removes rules and routes that it does not know, whatever the interface.
[Network]
"""
_KEEP = f"""\
{_HEAD}# Otherwise systemd-networkd removes virtual addresses, and routes that it does not know.
[Network]
KeepConfiguration=static
"""
_CALLED_BY_NETWORKMANAGER = f"""\
#!/bin/sh
{_HEAD}# NetworkManager has removed what it does not know from the interface.
case $2 in
up | reapply | dhcp4-change | dhcp6-change) {_AGAIN} || : ;;
esac
"""
_TUNNELS = f"""\
{_HEAD}# Otherwise NetworkManager takes the addresses from tunnels when it starts.
[keyfile]
unmanaged-devices+={";".join(f"interface-name:{name}" for name in (*FALLBACKS.values(), "lvs-*"))}
"""
_CALLED_BY_IFUP = f"""\
#!/bin/sh
{_HEAD}# With the interface, its other addresses and the routes over it have gone.
# ifup must not fail where this does: the interface is up all the same.
{_AGAIN} || :
"""


_READ_BY_DHCLIENT = f"""\
{_HEAD}# dhclient has removed all IPv4 addresses of the interface, where it has another one now or none.
if [ -z "${{new_ip_address-}}" ] || [ "${{new_ip_address-}}" != "${{old_ip_address-}}" ]; then
    {_AGAIN} || :
fi
"""


@dataclass(frozen=True)
class Managers:
    """Who manages the interfaces of a host."""

    networkd: bool = False
    networkmanager: bool = False
    ifupdown: bool = False
    # Whether dhclient reads what is added for it.
    dhclient: bool = False
    # Names of networkd's files for interfaces which leave open what networkd keeps.
    network_files: tuple[str, ...] = ()


def drop_in(name: str) -> str:
    """What is added to a file of networkd, wherever the file itself is."""
    return f"{NETWORK_FILES}/{name}.d/{_DROP_IN}"


def network_file(state: str) -> str | None:
    """The path of the file by which networkd manages a link, from what it notes about the link."""
    for line in state.splitlines():
        name, _sign, value = line.partition("=")
        # networkd takes any name. One that is no text cannot be told from what Python has in its place.
        if name == "NETWORK_FILE" and _NETWORK_FILE.match(value) and value.isprintable() and "\ufffd" not in value:
            return value
    return None


def says_what_is_kept(text: str) -> bool:
    """Whether a file of networkd has KeepConfiguration= itself: then its author has thought of it."""
    return any(line.partition("=")[0].strip() == "KeepConfiguration" for line in text.splitlines())


def set_up_by_ifup(state: str) -> list[str]:
    """The interfaces that ifup has set up, from what it notes: one NAME=SECTION a line."""
    return [name for name in (line.partition("=")[0] for line in state.splitlines()) if name not in ("", "lo")]


def wanted_files(managers: Managers, restored: AbstractSet[str], there: Iterable[str]) -> dict[str, File | None]:
    """The files for the managers of a host, by path.

    ``restored`` are the suffixes of the files that the script reads, ``there`` our drop-ins for networkd's files as
    they are. What holds for a whole manager, and so for what is not ours as well, is there only where it is needed.
    """
    files: dict[str, File | None] = dict.fromkeys((*FIXED, *sorted(there)))
    if managers.networkd or managers.networkmanager or managers.ifupdown:
        files[RESTORE_PATH] = File(_RESTORE)
    if managers.networkd:
        files.update({TOLD_PATH: File(_TOLD), WATCH_PATH: File(_WATCH)})
        files.update({drop_in(name): File(_KEEP) for name in managers.network_files})
        foreign = [f"{setting}=no\n" for suffix, setting in _FOREIGN.items() if suffix in restored]
        files[NETWORKD_CONF] = File(_NETWORKD + "".join(foreign)) if foreign else None
    if managers.networkmanager:
        files[DISPATCHER] = File(_CALLED_BY_NETWORKMANAGER, 0o755)
        files[NETWORKMANAGER_CONF] = File(_TUNNELS) if "tunnels" in restored else None
    if managers.ifupdown:
        files[IF_UP] = File(_CALLED_BY_IFUP, 0o755)
    if managers.dhclient:
        files[DHCLIENT] = File(_READ_BY_DHCLIENT)
    if restored & _OF_FIREWALLS:
        files[FIREWALL_PATH] = File(_FIREWALL)
    if managers.networkmanager or managers.ifupdown:
        files.update({CHANGED_PATH: File(_CHANGED), LINKS_PATH: File(_LINKS)})
    return files


def plan_hooks(
    wanted: Mapping[str, File | None],
    current: Mapping[str, File | None],
    *,
    watching: AbstractSet[str],
    failed: AbstractSet[str],
) -> Hooks:
    """What has to change for the managers of a host, and what systemd is told of it.

    ``watching`` are those of ENABLED that are, ``failed`` are those of our units that go and have failed.
    """
    units = [static(path, current, wanted[path]) for path in _UNITS]
    # What changes how a manager works is short, and shown whole. A directory of drop-ins of networkd goes with the last
    # of them. The other directories came with a package, and stay when they are empty.
    files = [
        plan_file(path, current[path], file, own_directory=path not in _OF_PACKAGES)
        for path, file in wanted.items()
        if path not in _UNITS
    ]
    to_watch = [unit for unit in ENABLED if wanted[f"{SYSTEMD}/{unit}"]]
    to_end = [unit for unit in ENABLED if unit in watching and unit not in to_watch]
    disable = [systemctl("disable", "--now", unit) for unit in to_end]
    # What a watcher has started may go on, and no socket can be opened again as long as it does.
    disable += [systemctl("stop", f"{unit.rpartition('.')[0]}.service") for unit in to_end if unit in WATCHERS]
    forget = [systemctl("reset-failed", unit) for unit in sorted(failed)]
    come = [unit for unit in to_watch if unit not in watching]
    enable = [systemctl("enable", *(["--now"] if unit in WATCHERS else []), unit) for unit in come]
    # systemd hands on a reload only to what is active. This one waits for the module that asks for it.
    enable += [systemctl("--no-block", "start", unit) for unit in come if unit not in WATCHERS]
    return Hooks(joined(*disable, *forget), joined(*units), joined(*files), joined(*enable))
