# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel has counted since it booted, and what it says of IPv6 addresses. Pure, but for what reads files."""

from __future__ import annotations

import contextlib
from typing import Iterable, Iterator

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms

_NETSTAT, _SOFTNET, _ADDRESSES = "/proc/self/net/netstat", "/proc/net/softnet_stat", "/proc/self/net/if_inet6"
_REVERSE_PATH = "IPReversePathFilter"
# Flags of if_inet6 (include/uapi/linux/if_addr.h).
OPTIMISTIC, DAD_FAILED, TENTATIVE = 0x04, 0x08, 0x40


def counters() -> dict[str, int]:
    """How many packets the reverse path filter dropped, how many came, and how many of these found no room."""
    packets, no_room = of_softnet(_text(_SOFTNET))
    return {"reverse_path": of_netstat(_text(_NETSTAT)), "packets": packets, "no_room": no_room}


def of_netstat(text: str) -> int:
    """The counter of the reverse path filter; kernels before 3.1 have none. Names and numbers have a line each."""
    lines = text.splitlines()
    for names, numbers in zip(lines, lines[1:]):
        if _REVERSE_PATH in names.split():
            return int(numbers.split()[names.split().index(_REVERSE_PATH)])
    return 0


def of_softnet(text: str) -> tuple[int, int]:
    """How many packets came, and how many were dropped before anybody looked at them. Each processor has a line."""
    rows = [line.split() for line in text.splitlines()]
    return sum(int(row[0], 16) for row in rows), sum(int(row[1], 16) for row in rows)


def failed_addresses() -> list[str]:
    """The IPv6 addresses that another host had already when they came."""
    return [address for address, flags in of_addresses(_lines()) if flags & DAD_FAILED]


def tentative_addresses() -> list[str]:
    """The IPv6 addresses that are not used yet, because it is not known whether another host has them."""
    others = OPTIMISTIC | DAD_FAILED
    return [address for address, flags in of_addresses(_lines()) if flags & TENTATIVE and not flags & others]


def of_addresses(lines: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Each address with its interface, and its flags."""
    for line in lines:
        # The name comes last, and what Python takes for a blank may be a part of it.
        digits, _index, _prefix, _scope, flags, interface = line.split(" ", 5)
        groups = ":".join(digits[start : start + 4] for start in range(0, 32, 4))
        yield f"{forms.canonical_address(groups)} dev {interface.lstrip(' ')}", int(flags, 16)


def _lines() -> list[str]:
    return [line for line in _text(_ADDRESSES).split("\n") if line]


def _text(path: str) -> str:
    # Without IPv6 there is no list of its addresses. The name of an interface is whatever bytes somebody gave it.
    with contextlib.suppress(FileNotFoundError), open(
        path, encoding="utf-8", errors="backslashreplace", newline="\n"
    ) as file:
        return file.read()
    return ""
