# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module probe: connect to services as a client does, ask them what they answer, and count how that ended."""

from __future__ import annotations

import errno
import os
import selectors
import socket
import struct
import time
from typing import TYPE_CHECKING, Any, Mapping

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._look.questions import question
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

_COUNTS = forms.Range(1, 1000)
# Far below what a process may have open, and no burst that a router takes for an attack.
_AT_A_TIME = 200
_TIMEOUTS = forms.Range(1, 60)
# A network may lose a datagram, and nobody but the client would send it again.
_DATAGRAMS, _PAUSE = 3, 1.0
# include/uapi/linux/tcp.h: the place of tcpi_options, its flag for timestamps, and what they take of each segment.
_OPTIONS, _TIMESTAMPS, _THEIR_SIZE = 5, 1, 12
_MARK = struct.Struct("=I")
_IP, _TCP = {socket.AF_INET: 20, socket.AF_INET6: 40}, 20


def probe(module: AnsibleModule) -> dict[str, Any]:
    """What the module does: each connection from a port of its own, many at a time."""
    params = module.params
    mistakes = Mistakes()
    mistakes.within("timeout", params["timeout"], _TIMEOUTS, "a number of seconds")
    questions = []
    for position, each in enumerate(params["endpoints"]):
        path = f"endpoints[{position}]"
        address = mistakes.address(f"{path}.address", each["address"])
        source = mistakes.address(f"{path}.source", each["source"]) if each["source"] is not None else None
        if address and source and address.version != source.version:
            mistakes.add(f"{path}.source", "is not of the address's family")
        if each["fwmark"] is not None:
            mistakes.within(f"{path}.fwmark", each["fwmark"], forms.FIREWALL_MARKS, "a firewall mark")
        mistakes.within(f"{path}.port", each["port"], forms.REAL_PORTS, "a port")
        mistakes.within(f"{path}.connections", each["connections"], _COUNTS, "a number of connections")
        asked = each["question"]
        questions.append(question(asked, f"{path}.question", mistakes) if asked else b"")
        mistakes.within(f"{path}.patience", each["patience"], _TIMEOUTS, "a number of seconds")
        if each["protocol"] == "udp" and not asked:
            mistakes.add(f"{path}.question", "is needed with protocol: udp, where nothing else is answered")
    mistakes.raise_if_any()
    answers: list[dict[str, Any]] = [
        {
            **each,
            "connected": 0,
            "silent": 0,
            "failed": {},
            "answered": 0,
            "unanswered": 0,
            "repeated": 0,
            "packets": {},
        }
        for each in params["endpoints"]
    ]
    every = [
        _Conversation(answer, said, params["timeout"])
        for answer, said in zip(answers, questions)
        for _connection in range(answer["connections"])
    ]
    for first in range(0, len(every), _AT_A_TIME):
        _hold(every[first : first + _AT_A_TIME])
    if params["must_connect"]:
        _refuse_others(answers)
    return {"changed": False, "endpoints": answers}


def _refuse_others(answers: list[dict[str, Any]]) -> None:
    """End with what did not connect, where there is any."""
    lacking = [each for each in answers if each["connected"] < each["connections"]]
    said = [
        f"{each['address']} port {each['port']}{_way(each)}: "
        + ", ".join([*each["failed"], *(["no answer"] if each["silent"] else [])])
        for each in lacking
    ]
    if said:
        raise Refused(f"Not every connection came about: {'; '.join(said)}")


def _way(answer: Mapping[str, Any]) -> str:
    source = f" from {answer['source']}" if answer["source"] else ""
    return source + (f" with firewall mark {answer['fwmark']}" if answer["fwmark"] else "")


def _hold(conversations: list[_Conversation]) -> None:
    """All of these, until each has ended or its time is over."""
    with selectors.DefaultSelector() as selector:
        for each in conversations:
            each.begin(selector)
        while selector.get_map():
            under_way = [key.data for key in selector.get_map().values()]
            now = time.monotonic()
            for each in under_way:
                each.look_at_the_clock(now)
            if selector.get_map():
                due = min(each.due for each in under_way if not each.is_over)
                for key, _events in selector.select(max(due - time.monotonic(), 0)):
                    key.data.go_on()


class _Conversation:
    """One connection, or one question by UDP, and what is counted of it."""

    def __init__(self, answer: dict[str, Any], said: bytes, timeout: float) -> None:
        self.answer, self.said, self.timeout = answer, said, timeout
        self.patience = answer["patience"] or timeout
        self.is_datagram = answer["protocol"] == "udp"
        self.is_connected, self.is_over, self.datagrams = False, False, 0
        self.due = self.deadline = time.monotonic() + timeout

    def begin(self, selector: selectors.BaseSelector) -> None:
        self.selector = selector
        self.due = self.deadline = time.monotonic() + (self.patience if self.is_datagram else self.timeout)
        family = socket.AF_INET6 if ":" in self.answer["address"] else socket.AF_INET
        try:
            self.socket = socket.socket(family, socket.SOCK_DGRAM if self.is_datagram else socket.SOCK_STREAM)
        except OSError as problem:
            self.is_over = True
            self._failed(problem.errno or 0)
            return
        try:
            self._take_its_way()
        except OSError as problem:
            self.is_over = True
            self.socket.close()
            self._failed(problem.errno or 0)
            return
        self.socket.setblocking(False)
        selector.register(self.socket, selectors.EVENT_WRITE, self)
        status = self.socket.connect_ex((self.answer["address"], self.answer["port"]))
        if status not in (0, errno.EINPROGRESS):
            self._end()
            self._failed(status)

    def _take_its_way(self) -> None:
        if self.answer["fwmark"] is not None:
            # As bytes: Python takes no number from 2^31 on, and the kernel does.
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, _MARK.pack(self.answer["fwmark"]))
        if self.answer["source"] is not None:
            self.socket.bind((self.answer["source"], 0))

    def look_at_the_clock(self, now: float) -> None:
        if now >= self.deadline:
            self._end()
            self._count("unanswered" if self.is_connected else "silent")
        elif self.is_datagram and now >= self.due:
            self._send()

    def go_on(self) -> None:
        """The socket has something to say."""
        try:
            if self.datagrams or (self.is_connected and not self.said):
                self.socket.recv(1)
                self._answered()
            elif self.is_datagram:
                self._send()
            elif self.is_connected:
                self._say()
            else:
                self._connected(self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
        except BlockingIOError:
            return
        except OSError as problem:
            # Whoever resets a connection has got what was said.
            if self.is_connected and problem.errno in (errno.ECONNRESET, errno.EPIPE):
                self._answered()
            else:
                self._end()
                self._failed(problem.errno or 0)

    def _connected(self, status: int) -> None:
        if status:
            self._end()
            self._failed(status)
            return
        self._count("connected")
        packet = str(self._largest_packet())
        self.answer["packets"][packet] = self.answer["packets"].get(packet, 0) + 1
        if not self.said:
            self._end()
            return
        self.is_connected = True
        self.due = self.deadline = time.monotonic() + self.patience
        self._say()

    def _say(self) -> None:
        self.said = self.said[self.socket.send(self.said) :]
        if not self.said:
            self.selector.modify(self.socket, selectors.EVENT_READ, self)

    def _send(self) -> None:
        self.datagrams += 1
        self.due = self.deadline
        if self.datagrams < _DATAGRAMS:
            self.due = min(self.deadline, time.monotonic() + _PAUSE)
        try:
            self.socket.send(self.said)
            self.selector.modify(self.socket, selectors.EVENT_READ, self)
        except OSError as problem:
            self._end()
            self._failed(problem.errno or 0)

    def _answered(self) -> None:
        self._end()
        self._count("answered")
        if self.datagrams > 1:
            self._count("repeated")

    def _largest_packet(self) -> int:
        """The largest packet that will be sent on this connection, by what the other end announced."""
        info = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _OPTIONS + 1)
        options = _THEIR_SIZE if info[_OPTIONS] & _TIMESTAMPS else 0
        segment = self.socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG)
        return segment + options + _TCP + _IP[self.socket.family]

    def _end(self) -> None:
        self.is_over = True
        self.selector.unregister(self.socket)
        self.socket.close()

    def _count(self, what: str) -> None:
        self.answer[what] += 1

    def _failed(self, status: int) -> None:
        if status == errno.ETIMEDOUT:
            self._count("unanswered" if self.is_connected else "silent")
            return
        words = os.strerror(status)
        self.answer["failed"][words] = self.answer["failed"].get(words, 0) + 1
