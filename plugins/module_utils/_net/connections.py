# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module probe: connect to services as a client does, and say how many connections came about. Nothing is sent."""

from __future__ import annotations

import errno
import os
import selectors
import socket
import time
from typing import TYPE_CHECKING, Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._net.checks import Mistakes

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

_COUNTS = forms.Range(1, 1000)
# Far below what a process may have open, and no burst that a router takes for an attack.
_AT_A_TIME = 200
_TIMEOUTS = forms.Range(1, 60)


def probe(module: AnsibleModule) -> dict[str, Any]:
    """What the module does: each connection from a port of its own, many at a time."""
    params = module.params
    mistakes = Mistakes()
    mistakes.within("timeout", params["timeout"], _TIMEOUTS, "a number of seconds")
    for position, each in enumerate(params["endpoints"]):
        path = f"endpoints[{position}]"
        mistakes.address(f"{path}.address", each["address"])
        mistakes.within(f"{path}.port", each["port"], forms.REAL_PORTS, "a port")
        mistakes.within(f"{path}.connections", each["connections"], _COUNTS, "a number of connections")
    mistakes.raise_if_any()
    answers: list[dict[str, Any]] = [
        {**each, "connected": 0, "silent": 0, "failed": {}} for each in params["endpoints"]
    ]
    every = [answer for answer in answers for _connection in range(answer["connections"])]
    for first in range(0, len(every), _AT_A_TIME):
        with selectors.DefaultSelector() as selector:
            for answer in every[first : first + _AT_A_TIME]:
                _begin(selector, answer)
            _wait(selector, time.monotonic() + params["timeout"])
    return {"changed": False, "endpoints": answers}


def _begin(selector: selectors.BaseSelector, answer: dict[str, Any]) -> None:
    family = socket.AF_INET6 if ":" in answer["address"] else socket.AF_INET
    try:
        connection = socket.socket(family, socket.SOCK_STREAM)
    except OSError as problem:
        _count(answer, problem.errno or 0)
        return
    connection.setblocking(False)
    status = connection.connect_ex((answer["address"], answer["port"]))
    if status == errno.EINPROGRESS:
        selector.register(connection, selectors.EVENT_WRITE, answer)
    else:
        connection.close()
        _count(answer, status)


def _wait(selector: selectors.BaseSelector, deadline: float) -> None:
    while selector.get_map() and time.monotonic() < deadline:
        for key, _events in selector.select(deadline - time.monotonic()):
            connection: Any = key.fileobj
            selector.unregister(connection)
            _count(key.data, connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))
            connection.close()
    for key in [*selector.get_map().values()]:
        silent: Any = key.fileobj
        selector.unregister(silent)
        silent.close()
        key.data["silent"] += 1


def _count(answer: dict[str, Any], status: int) -> None:
    if status == 0:
        answer["connected"] += 1
    elif status == errno.ETIMEDOUT:
        answer["silent"] += 1
    else:
        words = os.strerror(status)
        answer["failed"][words] = answer["failed"].get(words, 0) + 1
