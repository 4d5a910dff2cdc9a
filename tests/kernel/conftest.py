# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every test runs in a network namespace of its own, on a kernel that has IPVS, with nothing left by other tests.

The namespace is that of the test's thread and process: the module under test, ipvsadm and ip all see the same one.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from ansible_collections.lvs.topology.tests.kernel import module_server

_CLONE_NEWNS = 0x00020000
_CLONE_NEWNET = 0x40000000
_STATE = ("/var/lib/lvs-topology", "/etc/lvs-topology", "/etc/sysctl.d", "/etc/modules-load.d", "/run/netns")
_MS_REC = 0x4000
_MS_PRIVATE = 0x40000
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 0x1
_libc = ctypes.CDLL(None, use_errno=True)

RunModule = Callable[..., "dict[str, Any]"]


def _check(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to change the network of a machine that is not made for it."""
    if os.environ.get("LVS_KERNEL_TEST") != "1" and not config.option.collectonly:
        raise pytest.UsageError("these tests change kernel state: run them with lab/kernel-test")


@pytest.fixture(autouse=True)
def host() -> Iterator[None]:
    """Make this process a host of its own: network, and the directories that outlive a reboot."""
    # No commands: starting one costs more here than most of what the tests do.
    before = [os.open(f"/proc/self/ns/{kind}", os.O_RDONLY) for kind in ("net", "mnt")]
    _check(_libc.unshare(_CLONE_NEWNET | _CLONE_NEWNS))
    try:
        _check(_libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None))
        for directory in _STATE:
            Path(directory).mkdir(parents=True, exist_ok=True)
            _check(_libc.mount(b"tmpfs", directory.encode(), b"tmpfs", 0, None))
        # /sys shows the network namespace in which it was mounted.
        _check(_libc.mount(b"sysfs", b"/sys", b"sysfs", 0, None))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh", b"lo", _IFF_UP))
        yield
        if any(Path("/run/netns").iterdir()):
            sh("ip -all netns delete")
    finally:
        # A thread that was joined may still be on its way out, and a process with threads cannot change its mounts.
        deadline = time.monotonic() + 300
        while len(os.listdir("/proc/self/task")) > 1 and time.monotonic() < deadline:
            time.sleep(0.01)
        here = os.getcwd()
        for descriptor, kind in zip(before, (_CLONE_NEWNET, _CLONE_NEWNS)):
            _check(_libc.setns(descriptor, kind))
            os.close(descriptor)
        os.chdir(here)  # entering a mount namespace goes to its root


def sh(command: str) -> str:
    """Run a shell command; raise with what it said where it fails."""
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command!r} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


@pytest.fixture(name="sh")
def _sh() -> Callable[[str], str]:
    return sh


@pytest.fixture
def no_configuration() -> None:
    """Of what is in /etc/keepalived only what its package needs: keepalived 2.3.3 does not start without this file."""
    sh("cp /etc/keepalived/keepalived.config-opts /run || true")
    sh("mkdir -p /etc/keepalived && mount -t tmpfs tmpfs /etc/keepalived")
    sh("mv /run/keepalived.config-opts /etc/keepalived || true")


@pytest.fixture
def until() -> Callable[[Callable[[], object]], None]:
    """Wait until a condition holds. The limit is only there so that a failure ends, however slow the machine is."""

    def wait(condition: Callable[[], object], limit: float = 300) -> None:
        deadline = time.monotonic() + limit
        while not condition():
            assert time.monotonic() < deadline, f"not within {limit} s"
            time.sleep(0.1)

    return wait


@pytest.fixture
def answers_arp() -> Callable[[str], bool]:
    """Whether somebody answers the namespace client's ARP requests for an address.

    Any of some requests and answers may be lost, so the first answer is enough; nobody is who leaves all of them alone.
    Where somebody has to answer, ask ``until`` somebody does.
    """

    def ask(address: str) -> bool:
        # One command: each try ends with the first answer.
        script = f"for i in 1 2 3; do arping -f -c 1 -w 1 -I eth0 {address} && break; done; true"
        return "reply from" in sh(f"ip netns exec client sh -c '{script}'")

    return ask


@pytest.fixture
def is_silent() -> Callable[[str, str], bool]:
    """Whether nobody answers ARP for an address, seen while another address is answered at once.

    Where that one is not, requests or answers get lost, and silence says nothing: then all are asked again.
    """

    def ask(address: str, answered: str, limit: float = 300) -> bool:
        once = "arping -f -c 1 -w 1 -I eth0"
        asked = f"for i in 1 2 3; do {once} {address} && break; done"
        script = f"{once} {answered}; echo --; {asked}; echo --; {once} {answered}; true"
        deadline = time.monotonic() + limit
        while True:
            before, said, after = sh(f"ip netns exec client sh -c '{script}'").split("--\n")
            if "reply from" in before and "reply from" in after:
                return "reply from" not in said
            assert time.monotonic() < deadline, f"{answered} is not answered at once within {limit} s"

    return ask


@pytest.fixture
def stop_daemon(until) -> Callable[[str], None]:
    """End a synchronisation daemon. Where its thread has not run yet, the kernel ends it and sends no answer."""

    def stop(state: str) -> None:
        sh(f"timeout 60 ipvsadm --stop-daemon {state} || true")
        until(lambda: f"{state} sync daemon" not in sh("ipvsadm -Ln --daemon"))

    return stop


@pytest.fixture
def run_module(other_python: OtherPython | None) -> RunModule:
    """Run plugins/modules/NAME.py the way Ansible does, diff mode on, and return its result."""

    def run(name: str, args: dict[str, Any], check: bool = False) -> dict[str, Any]:
        arguments = {**args, **_of_the_controller(check)}
        said, code = other_python.run(name, arguments) if other_python else module_server.run(name, arguments)
        result: dict[str, Any] = json.loads(said)
        assert bool(code) == bool(result.get("failed")), result
        return result

    return run


def _of_the_controller(check: bool) -> dict[str, Any]:
    """What a controller adds to the arguments of every module."""
    return {"_ansible_check_mode": check, "_ansible_diff": True, "_ansible_no_log": False}


class OtherPython:
    """Another Python with every module loaded, which enters the namespaces of a test for each run."""

    def __init__(self, program: str) -> None:
        script = Path(__file__).with_name("module_server.py")
        self._process = subprocess.Popen(
            [program, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, name: str, arguments: dict[str, Any]) -> tuple[str, Any]:
        """Run a module: what it printed, and its exit status."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps([os.getpid(), name, arguments]) + "\n")
        self._process.stdin.flush()
        said, code = json.loads(self._process.stdout.readline() or '["", "the end of that Python"]')
        assert said, f"{name} printed no result and ended with {code}: what it said is above"
        return said, code

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


@pytest.fixture(scope="session")
def other_python() -> Iterator[OtherPython | None]:
    """The Python of ``lab/kernel-test --python``; None: modules run in this process."""
    program = os.environ.get("LVS_MODULE_PYTHON")
    server = OtherPython(program) if program else None
    yield server
    if server:
        server.close()


_CHILD = """
import importlib, json, sys
from ansible.module_utils.testing import patch_module_args
name, args = json.load(sys.stdin)
with patch_module_args(args):
    importlib.import_module("ansible_collections.lvs.topology.plugins.modules." + name).main()
"""


@pytest.fixture
def spawn_module() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start a module in a process of its own, in this test's namespace; its result comes on standard output."""
    started: list[subprocess.Popen[str]] = []

    def spawn(name: str, args: dict[str, Any], check: bool = False) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [os.environ.get("LVS_MODULE_PYTHON") or sys.executable, "-c", _CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdin is not None
        arguments = {**args, **_of_the_controller(check)}
        process.stdin.write(json.dumps([name, arguments]))
        process.stdin.close()
        process.stdin = None  # so that communicate() does not flush it again
        return process

    yield spawn
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def wire() -> Callable[..., str]:
    """Make hosts on a segment: wire("ns1", "10.0.0.1/24") is a namespace whose eth0 is joined to the bridge.

    The bridge (default br0) is in the test's own namespace, made when it is first used. Several addresses may be given.
    Run something there with ``ip netns exec ns1``. A second call for a namespace adds the next NIC, eth1.
    """
    nics: dict[str, int] = {}

    def join(name: str, *addresses: str, bridge: str = "br0") -> str:
        here, inside = [], []
        if not Path("/sys/class/net", bridge).exists():
            here += [f"link add {bridge} type bridge mcast_snooping 0", f"link set {bridge} up"]
        if name not in nics:
            here.append(f"netns add {name}")
            inside.append("link set lo up")
        number = nics.setdefault(name, -1) + 1
        nics[name] = number
        port = f"{name}.{number}"
        here += [f"link add {port} type veth peer name eth{number} netns {name}", f"link set {port} master {bridge} up"]
        inside.append(f"link set eth{number} up")
        for address in addresses:
            inside.append(f"address add {address} dev eth{number}{' nodad' if ':' in address else ''}")
        for arguments, lines in (("", here), (f"-n {name} ", inside)):
            listed = "\n".join(lines)
            sh(f"ip {arguments}-batch - <<'END'\n{listed}\nEND")
        return name

    return join
