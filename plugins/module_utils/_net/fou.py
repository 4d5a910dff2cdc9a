# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The UDP ports on which the kernel unwraps GUE, by generic netlink: include/uapi/linux/fou.h, net/ipv4/fou.c."""

from __future__ import annotations

import errno
import os
import socket
import struct

from ansible_collections.lvs.topology.plugins.module_utils._ipvs import codec
from ansible_collections.lvs.topology.plugins.module_utils._net.tunnel_plan import AddPort, DeletePort, Port
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

_FAMILY = "fou"
_NETLINK_GENERIC = 16
_TIMEOUT = 30.0
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
    with _Socket() as kernel:
        return [] if kernel.family is None else kernel.ports()


def apply(action: AddPort | DeletePort) -> None:
    """Add or remove a port."""
    port = action.port
    command = _ADD if isinstance(action, AddPort) else _DELETE
    body = _REQUEST.pack(6, _PORT, port.port.to_bytes(2, "big"), 5, _AF, _FAMILIES[port.version])
    if command == _ADD:
        body += _KIND.pack(5, _TYPE, _GUE)
    with _Socket() as kernel:
        number = errno.ENOENT if kernel.family is None else kernel.acknowledged(command, body)
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


class _Socket:
    """A conversation with the family fou."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_GENERIC)
        self._socket.bind((0, 0))
        self._socket.settimeout(_TIMEOUT)
        self.family: int | None = None

    def __enter__(self) -> _Socket:
        for message in self._ask(codec.family_request(1, _FAMILY)):
            if message.type != codec.NLMSG_ERROR:
                self.family = codec.decode_family(message.payload)
        return self

    def __exit__(self, *_exception: object) -> None:
        self._socket.close()

    def ports(self) -> list[Port]:
        found = []
        for message in self._ask(codec.request(self.family or 0, _GET, codec.NLM_F_DUMP, 1), is_dump=True):
            if message.type == codec.NLMSG_ERROR:
                reason = os.strerror(codec.error_number(message.payload))
                raise Refused(f"The kernel refused to list its GUE ports: {reason}.")
            attributes = codec.payload_attributes(message.payload)
            version = _VERSIONS.get(attributes.get(_AF, b"\0")[0])
            special = any(any(attributes.get(kind, b"")) for kind in _SPECIAL)
            if attributes.get(_TYPE) == bytes([_GUE]) and version and not special:
                found.append(Port(int.from_bytes(attributes[_PORT], "big"), version))
        return found

    def acknowledged(self, command: int, body: bytes) -> int:
        """Send a change; the errno, 0 for success."""
        (answer,) = self._ask(codec.request(self.family or 0, command, codec.NLM_F_ACK, 1, body))
        return codec.error_number(answer.payload)

    def _ask(self, request: bytes, *, is_dump: bool = False) -> list[codec.Message]:
        """The answers to a request, without the end of a dump."""
        answers: list[codec.Message] = []
        try:
            self._socket.send(request)
            while True:
                for message in codec.split(self._socket.recv(1 << 16)):
                    if message.type == codec.NLMSG_DONE:
                        return answers
                    answers.append(message)
                    if message.type == codec.NLMSG_ERROR or not is_dump:
                        return answers
        except OSError as problem:
            raise Refused(f"The kernel does not answer about GUE ports: {problem}. Run the task again.") from problem
