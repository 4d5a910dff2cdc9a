# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host lacks of programs and Python modules, and the package that has each: of Debian, and of RHEL."""

from __future__ import annotations

import importlib.util
import sys
from typing import Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._net.kmod import read_os_release

# Debian's name of the package and that of RHEL, where they are not both the name of what is missing.
_PACKAGES = {
    "arptables": ("arptables", "iptables-nft"),
    "awk": ("mawk", "gawk"),
    "bird": ("bird2", "bird"),
    "birdc": ("bird2", "bird"),
    "check_ldap": ("monitoring-plugins-standard", "nagios-plugins-ldap"),
    "check_mysql": ("monitoring-plugins-standard", "nagios-plugins-mysql"),
    "check_pgsql": ("monitoring-plugins-standard", "nagios-plugins-pgsql"),
    "check_tcp": ("monitoring-plugins-basic", "nagios-plugins-tcp"),
    "conntrackd": ("conntrackd", "conntrack-tools"),
    "ip": ("iproute2", "iproute"),
    "iptables": ("iptables", "iptables-nft"),
    "modprobe": ("kmod", "kmod"),
    "nft": ("nftables", "nftables"),
    "sysctl": ("procps", "procps-ng"),
}


def lacking(python_modules: Sequence[str], commands: Sequence[str]) -> tuple[list[str], list[str]]:
    """The packages that have to be installed, and for each thing that is not there what to do."""
    packages: list[str] = []
    problems: list[str] = []
    for name in python_modules:
        if importlib.util.find_spec(name) is None:
            version = ".".join(str(number) for number in sys.version_info[:2])
            packages.append(f"python3-{name}")
            problems.append(
                f"python_modules: {name} cannot be imported by {sys.executable} ({version}); install the package "
                f"python3-{name}, or set ansible_python_interpreter to a Python that has it"
            )
    like_rhel = bool({"rhel", "fedora", "centos"} & set(read_os_release()))
    for name in commands:
        if _commands.find(name) is None:
            program = name.rpartition("/")[2]
            packages.append(_PACKAGES.get(program, (program, program))[like_rhel])
            problems.append(f"commands: there is no {name}; install the package {packages[-1]}")
    return sorted(set(packages)), problems
