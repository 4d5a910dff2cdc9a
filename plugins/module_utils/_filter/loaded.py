# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packet filters the kernel has loaded. Asking loads none, and costs little where there is none."""

from __future__ import annotations

from ansible_collections.lvs.topology.plugins.module_utils._filter import nf_tables

# By the file that names the tables that there are. Asked for another table, these commands would load it.
SAVES = {
    "/proc/net/ip_tables_names": (4, ("iptables-save", "iptables-legacy-save")),
    "/proc/net/ip6_tables_names": (6, ("ip6tables-save", "ip6tables-legacy-save")),
}


def is_any() -> bool:
    """Whether the kernel has any packet filter: without one there is nothing to read."""
    return nf_tables.is_there() is not False or any(tables_at(path, []) for path in SAVES)


def tables_at(path: str, unseen: list[str]) -> list[str]:
    """Those of iptables that are looked at, and that the kernel has in this namespace."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            there = file.read().split()
    except FileNotFoundError:
        return []
    except OSError as problem:
        unseen.append(f"packet filter: {path}: {problem.strerror}")
        return []
    return [each for each in ("filter", "nat", "mangle", "raw") if each in there]
