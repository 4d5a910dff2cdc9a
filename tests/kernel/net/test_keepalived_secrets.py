# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A password of keepalived's is nowhere but in its configuration: looked for in answers, the host's log and files."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._daemons.daemon_plan import copy_of

CONFIG = "/etc/keepalived/keepalived.conf"
LEDGER = Path("/var/lib/lvs-topology/ledger.json")
OURS, THEIRS = "hUnt3rOK", "tH3irs9x"
INSTANCE = """\
vrrp_instance a {{
    interface eth1
    virtual_router_id 9
    priority 100
    {authentication}
    virtual_ipaddress {{
        192.0.2.1/32 dev eth1
    }}
}}
"""
# What keepalived takes as a password, and what it refuses with the line in its words.
BLOCK = "authentication {{\n        auth_type PASS\n        LINE\n    }}"
TAKEN = {
    "plain": BLOCK.replace("LINE", "auth_pass {secret}"),
    "quoted": BLOCK.replace("LINE", 'auth_pass "{secret}"'),
    "quoted keyword": BLOCK.replace("LINE", '"auth_pass" {secret}'),
    "tabs and a remark": BLOCK.replace("LINE", "\tauth_pass\t{secret}\t# as told"),
    "a block on one line": "authentication {{ auth_pass {secret} }}",
    "a definition": "$P={secret}\n    " + BLOCK.replace("LINE", "auth_pass $P"),
    "a definition over lines": "$P=\\\n{secret}\n    " + BLOCK.replace("LINE", "auth_pass ${{P}}"),
    "a keyword from a definition": "$K=auth_pass\n    " + BLOCK.replace("LINE", "$K {secret}"),
}
REFUSED = {
    "a quote that does not end": BLOCK.replace("LINE", 'auth_pass "{secret}'),
    "a keyword that is none": BLOCK.replace("LINE", "auth_pass {secret}\n        {secret} 3"),
    "too long": BLOCK.replace("LINE", "auth_pass {secret}{secret}"),
}


def config(spelling: str, secret: str) -> str:
    return INSTANCE.format(authentication={**TAKEN, **REFUSED}[spelling].format(secret=secret))


@pytest.fixture(autouse=True)
def _a_place(sh: Callable[[str], str], no_configuration: None) -> None:  # noqa: ARG001, that directory is all it is for
    sh("ip link add eth1 type bridge && ip link set eth1 up && ip address add 192.0.2.10/24 dev eth1")


@pytest.fixture(name="log")
def _log(sh: Callable[[str], str]) -> Iterator[list[str]]:
    """What anybody says to the host's log meanwhile."""
    said: list[str] = []
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    # /dev is the whole machine's, and what is bound over it this test's alone. Devices go on working.
    sh("mkdir -p /run/devices && mount --bind /dev /run/devices && mount -t tmpfs tmpfs /dev -o mode=755,dev")
    sh("cp -a /run/devices/. /dev/ 2>/dev/null; rm -f /dev/log; mkdir -p /dev/shm")
    listener.bind("/dev/log")
    listener.settimeout(0.2)
    ended = threading.Event()

    def listen() -> None:
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                said.append(listener.recv(65536).decode(errors="replace"))

    thread = threading.Thread(target=listen)
    thread.start()
    yield said
    ended.set()
    thread.join()
    listener.close()


def leftovers() -> str:
    """What is in any file beside the configuration and the copy of the one before."""
    found = []
    for directory in ("/etc/keepalived", "/var/lib/lvs-topology", "/etc/lvs-topology"):
        for path in Path(directory).rglob("*"):
            if path.is_file() and str(path) not in (CONFIG, copy_of(CONFIG)):
                found.append(path.read_text(errors="replace"))
    return "\n".join(found)


@pytest.mark.parametrize("spelling", [*TAKEN, *REFUSED])
def test_no_answer_of_the_module_shows_a_password(
    spelling: str, run_module: Callable[..., dict[str, Any]], log: list[str]
) -> None:
    """Neither ours nor that of somebody else's file, whichever way round they are replaced."""
    path = Path(CONFIG)
    theirs = config("plain" if spelling in REFUSED else spelling, THEIRS)
    path.write_text(theirs)
    path.chmod(0o644)
    answers = []
    for check in (True, False):
        for secrets in ([], [OURS]):
            arguments = {"content": config(spelling, OURS), "secrets": secrets}
            answers.append(run_module("keepalived_config", arguments, check=check))
    if spelling in TAKEN:
        assert (path.read_text(), path.stat().st_mode & 0o777) == (config(spelling, OURS), 0o640)
        copy = Path(copy_of(CONFIG))
        assert (copy.read_text(), copy.stat().st_mode & 0o777) == (theirs, 0o600)
        assert LEDGER.stat().st_mode & 0o777 == 0o600
    else:
        assert all("keepalived does not take this configuration" in answer["msg"] for answer in answers)
        assert path.read_text() == theirs
    kept = leftovers()
    for check in (True, False):
        answers.append(run_module("keepalived_config", {"state": "absent"}, check=check))
    assert path.read_text() == theirs
    assert not Path(copy_of(CONFIG)).exists()
    # An argument under a wrong name, and of a wrong kind, is no reason to repeat it.
    for wrong in ({"contents": config(spelling, OURS)}, {"content": config(spelling, OURS), "state": "here"}):
        answers.append(run_module("keepalived_config", wrong))
    assert any("diff" in answer for answer in answers) == (spelling in TAKEN)
    for secret in (OURS, THEIRS):
        assert secret not in json.dumps(answers)
        assert secret not in kept + leftovers()
        assert secret not in "\n".join(log)
