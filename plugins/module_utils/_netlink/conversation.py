# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests over netlink and their answers: generic netlink with its families, and what else has dumps (rtnetlink)."""

from __future__ import annotations

import errno
import os
import socket
from typing import Callable, Iterator, TypeVar

from ansible_collections.lvs.topology.plugins.module_utils._netlink import messages
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

# The kernel answers before send() returns, so that a silence this long means a kernel that hangs.
_TIMEOUT = 30.0
_QUEUE_BYTES = 1 << 20
# The kernel hands over at most 32 KiB of a list at once (netlink_recvmsg in net/netlink/af_netlink.c).
_RECEIVE_BYTES = 1 << 16
_NETLINK_GENERIC = 16
_SOL_NETLINK = 270
_NETLINK_CAP_ACK = 10

PRIVILEGE = "it needs CAP_NET_ADMIN: run the task with become: true"


def cannot_read(what: str, number: int) -> str:
    if number == errno.EPERM:
        return f"Not allowed to {what}: {PRIVILEGE}."
    return f"The kernel refused to {what}: {os.strerror(number)}."


_Self = TypeVar("_Self", bound="Conversation")


class Conversation:
    """A socket to the kernel, which is asked about what ``what`` says."""

    # How often a list that changes while the kernel lists it is read, and who may be changing it all the time.
    _attempts = 5
    _writers = "keepalived, kube-proxy"
    # The answers of a kernel that cannot have any entry of the kind.
    _nothing: tuple[int, ...] = ()

    def __init__(self, what: str, protocol: int = _NETLINK_GENERIC) -> None:
        self._what = what
        self._sequence = 0
        # One for all answers: to get and give back that much memory for each takes longer than the answer does.
        self._buffer = bytearray(_RECEIVE_BYTES)
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, protocol)
            self._socket.bind((0, 0))
        except OSError as problem:
            raise Refused(
                f"The kernel cannot be asked about {what}: {problem.strerror}. Where this runs in a container or "
                "sandbox, have it allow sockets of netlink; else look for what this host runs out of."
            ) from problem
        self._socket.settimeout(_TIMEOUT)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _QUEUE_BYTES)
        # Error answers need not carry the whole request back.
        self._socket.setsockopt(_SOL_NETLINK, _NETLINK_CAP_ACK, 1)

    def __enter__(self: _Self) -> _Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._socket.close()

    def _lookup(self, name: str) -> int | None:
        """The number that a family has in this kernel; None where there is no such family."""
        answer = self._ask(messages.family_request(self._next(), name))
        if answer.type != messages.NLMSG_ERROR:
            return messages.family_number(answer.payload)
        number = messages.error_number(answer.payload)
        if number == errno.ENOENT:
            return None
        raise Refused(f"Looking up the netlink family {name} failed: {os.strerror(number)}.")

    def _ask(self, request: bytes) -> messages.Message:
        """The one answer to a request, which has the sequence number given last."""
        self._send(request)
        return next(self._receive({self._sequence}))

    def _dump(self, family: int, query: int, body: bytes = b"") -> list[bytes]:
        return self._whole(lambda sequence: messages.request(family, query, messages.NLM_F_DUMP, sequence, body))

    def _whole(self, request: Callable[[int], bytes]) -> list[bytes]:
        """The payloads of a list that did not change while the kernel listed it; ``request`` has a sequence number."""
        for _attempt in range(self._attempts):
            found = self._dump_once(request)
            if found is not None:
                return found
        raise Refused(
            f"While the kernel listed {self._what}, it changed, {self._attempts} times. "
            f"See what else writes it ({self._writers}), then run the task again."
        )

    def _dump_once(self, request: Callable[[int], bytes]) -> list[bytes] | None:
        """The payloads, or None where the kernel says that something changed meanwhile."""
        sequence = self._next()
        self._send(request(sequence))
        payloads: list[bytes] = []
        interrupted = False
        number = 0
        for message in self._receive({sequence}):
            interrupted = interrupted or bool(message.flags & messages.NLM_F_DUMP_INTR)
            if message.type == messages.NLMSG_DONE:
                number = messages.done_error(message.payload)
                break
            if message.type == messages.NLMSG_ERROR:
                number = messages.error_number(message.payload)
                break
            payloads.append(message.payload)
        if number == errno.EINTR:
            # Some lists end with this in place of the flag.
            return None
        if number in self._nothing:
            return []
        if number:
            raise Refused(cannot_read(f"read {self._what}", number))
        return None if interrupted else payloads

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def _send(self, data: bytes) -> None:
        try:
            self._socket.send(data)
        except OSError as problem:
            raise Refused(
                f"Asking the kernel about {self._what} failed: {problem.strerror}. Run the task again."
            ) from problem

    def _receive(self, sequences: set[int]) -> Iterator[messages.Message]:
        """Yield the answers to these requests for as long as the caller wants more."""
        while True:
            try:
                size, _ancillary, flags, _address = self._socket.recvmsg_into([self._buffer])
            except socket.timeout as problem:
                raise Refused(
                    f"The kernel gave no answer about {self._what} within {_TIMEOUT:.0f} s. Look at dmesg for what it "
                    "hangs on."
                ) from problem
            except OSError as problem:
                # ENOBUFS: more answers than fit into the socket; what was applied is only known by reading again.
                raise Refused(
                    f"Reading the kernel's answer about {self._what} failed: {problem.strerror}. Run the task again."
                ) from problem
            if flags & socket.MSG_TRUNC:
                raise messages.OddAnswer(f"an answer of more than {_RECEIVE_BYTES} bytes")
            for message in messages.split(bytes(self._buffer[:size])):
                if message.sequence in sequences:
                    yield message
