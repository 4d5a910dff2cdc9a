# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the kernel has nf_tables (uapi/linux/netfilter/nf_tables.h), and tables of it. Asking loads nothing."""

from __future__ import annotations

import os
import struct

from ansible_collections.lvs.topology.plugins.module_utils._netlink import messages
from ansible_collections.lvs.topology.plugins.module_utils._netlink.conversation import Conversation

_MODULE = "/sys/module/nf_tables"
# What is built into this kernel. Of that, only what has parameters has a directory below /sys/module.
_BUILT_IN = "/lib/modules/{}/modules.builtin"
_SYMBOLS = "/proc/kallsyms"
# A function that every kernel with nf_tables has: net/netfilter/nf_tables_core.c.
_FUNCTION = b" nft_do_chain\n"

_NETLINK_NETFILTER = 12
_GET_TABLES = 10 << 8 | 1
_HEADER = struct.Struct("=IHHII")
# struct nfgenmsg: every family, version 0, no resource.
_EVERY = bytes(4)


def is_there() -> bool | None:
    """Whether it is loaded, or built in; None where nothing tells."""
    if os.path.isdir(_MODULE):
        return True
    try:
        with open(_BUILT_IN.format(os.uname().release), encoding="utf-8", errors="replace") as file:
            return any(line.rstrip().endswith("/nf_tables.ko") for line in file)
    except OSError:
        # In a container, and where kernels are installed without their modules.
        pass
    try:
        with open(_SYMBOLS, "rb") as file:
            return _FUNCTION in file.read()
    except OSError:
        return None


def has_tables() -> bool:
    """Whether this network namespace has any. Only asked where nf_tables is there, because the kernel would load it."""
    with _Tables("tables of nf_tables", _NETLINK_NETFILTER) as tables:
        return tables.are_there()


class _Tables(Conversation):
    _writers = "firewalld, a container runtime"

    def are_there(self) -> bool:
        def request(sequence: int) -> bytes:
            flags = messages.NLM_F_REQUEST | messages.NLM_F_DUMP
            return _HEADER.pack(_HEADER.size + len(_EVERY), _GET_TABLES, flags, sequence, 0) + _EVERY

        return bool(self._whole(request))
