# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The UDP ports on which the kernel unwraps GUE, by generic netlink: include/uapi/linux/fou.h, net/ipv4/fou.c."""

from __future__ import annotations

import errno
import os
import socket
import struct

from ansible_collections.lvs.topology.plugins.module_utils._net.tunnel_plan import AddPort, DeletePort, Port
from ansible_collections.lvs.topology.plugins.module_utils._netlink import messages
from ansible_collections.lvs.topology.plugins.module_utils._netlink.conversation import Conversation
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

_ADD, _DELETE, _GET = 1, 2, 3
_PORT, _AF, _TYPE = 1, 2, 4
# Ports that are bound to an address, a peer or an interface are not what we make.
_SPECIAL = (6, 7, 8, 9, 10, 11)
_GUE = 2
_FAMILIES = {4: int(socket.AF_INET), 6: int(socket.AF_INET6)}
_VERSIONS = {number: version for version, number in _FAMILIES.items()}
# Attributes, each padded to four bytes.
_REQUEST = struct.Struct("=HH2sxx HHBxxx")
_KIND = struct.Struct("=HHBxxx")


def ports() -> list[Port]:
    """Where this network namespace unwraps GUE: nowhere, as long as the kernel has no fou."""
    with _Fou() as kernel:
        return kernel.ports()


def apply(action: AddPort | DeletePort) -> None:
    """Add or remove a port."""
    port = action.port
    command = _ADD if isinstance(action, AddPort) else _DELETE
    body = _REQUEST.pack(6, _PORT, port.port.to_bytes(2, "big"), 5, _AF, _FAMILIES[port.version])
    if command == _ADD:
        body += _KIND.pack(5, _TYPE, _GUE)
    with _Fou() as kernel:
        number = kernel.acknowledged(command, body)
    if number:
        meaning = {
            errno.ENOENT: "this kernel has no fou; load the module",
            errno.EPERM: "the privilege is missing; run as root (CAP_NET_ADMIN) in the host's network namespace",
            errno.EADDRINUSE: f"something else listens on UDP port {port.port}; see `ss -ulnp`, or use another port",
            errno.EAFNOSUPPORT: "this kernel runs without IPv6",
            errno.EALREADY: "something else has added it since it was read; run the task again",
            errno.EINVAL: "it has disappeared since it was read; run the task again",
        }.get(number, os.strerror(number))
        raise Refused(f"{action} failed: {meaning}.")


class _Fou(Conversation):
    """The family fou, where the kernel has it."""

    def __init__(self) -> None:
        super().__init__("the GUE ports")
        self.family = self._lookup("fou")

    def ports(self) -> list[Port]:
        found = []
        for payload in [] if self.family is None else self._dump(self.family, _GET):
            attributes = messages.payload_attributes(payload)
            version = _VERSIONS.get(attributes.get(_AF, b"\0")[0])
            special = any(any(attributes.get(kind, b"")) for kind in _SPECIAL)
            if attributes.get(_TYPE) == bytes([_GUE]) and version and not special:
                found.append(Port(int.from_bytes(attributes[_PORT], "big"), version))
        return found

    def acknowledged(self, command: int, body: bytes) -> int:
        """Send a change; the errno, 0 for success."""
        if self.family is None:
            return errno.ENOENT
        return messages.error_number(
            self._ask(messages.request(self.family, command, messages.NLM_F_ACK, self._next(), body)).payload
        )
