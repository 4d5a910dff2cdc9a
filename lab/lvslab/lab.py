# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running lab: its namespaces, its hosts, its files.

Everything lives in one directory, .cache/lab/run/NAME, and in the namespaces of one holder process. Commands that touch
the hosts run inside these namespaces; ssh and ansible stay outside and get sockets from inside.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import ctypes
import fcntl
import io
import os
import select
import shutil
import signal
import socket
import subprocess
import tarfile
import time
from pathlib import Path
from typing import Any, Callable, Iterator, Sequence

from . import cables, managed, qemu, rendered, uml
from . import network as net
from .asked import load
from .common import CACHE, CHECKOUT, NO_NAMESPACES, SCRATCH, LabError, need, own_namespaces, say
from .image import image

RUN = CACHE / "run"
# Generous: on a busy machine all of this takes several times as long as on a quiet one, and that is no fault.
BOOT_LIMIT = {"uml": 900, "qemu": 3600}
_FLAVOURS = {"uml": "uml", "qemu": "stock"}
_HALT_LIMIT = 300
_CONNECT_LIMIT = 60
_SOCKET_LIMIT = 107
_CLONE_NEWNET, _CLONE_NEWUSER = 0x40000000, 0x10000000


def names() -> list[str]:
    """The labs that have files here, running or not."""
    return sorted(path.parent.name for path in RUN.glob("*/network.yml"))


class Lab:
    """A lab by name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.files = RUN / name

    @property
    def holder(self) -> int | None:
        """The process id of the holder; None where the lab is down. Its lock tells it from a stranger's id."""
        try:
            pid = int((self.files / "holder.pid").read_text())
            with open(self.files / "holder.lock", encoding="utf-8") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
                except BlockingIOError:
                    return pid
        except (OSError, ValueError):
            pass
        return None

    @property
    def network(self) -> net.Network:
        """The network which the lab was started with."""
        return load(self.files / "network.yml", (self.files / "releases").read_text())

    def running(self) -> Lab:
        """This lab, or an error where it is down."""
        if self.holder is None:
            known = ", ".join(names()) or "none"
            raise LabError(f"there is no running lab named {self.name} (known here: {known}); start it: lab up FILE")
        return self

    def host(self, name: str) -> net.Host:
        """A host of the lab."""
        try:
            return self.network.host(name)
        except StopIteration:
            hosts = ", ".join(host.name for host in self.network.hosts)
            raise LabError(f"lab {self.name} has no host {name}; it has {hosts}") from None

    # Outside the namespaces

    def up(self, source: Path, wanted: net.Network, asked: str) -> None:
        """Start what of the lab is not running yet; ``asked`` are the releases that the network was parsed with."""
        need(["ip", "unshare", "nsenter", "ssh", "ssh-keygen"])
        cables.need_taps()
        # Before any host is started: this may take a minute.
        kinds = {(each.backend, each.release) for each in wanted.hosts}
        disks = {kind: image(_FLAVOURS[kind[0]], kind[1]) / "root.ext4" for kind in kinds}
        key = _key()
        with self._alone():
            if self.holder is not None:
                if self.network != wanted:
                    raise LabError(f"lab {self.name} is running with another network: lab down {self.name} first")
            else:
                _clear(self.files)
                (self.files / "releases").write_text(asked)
                shutil.copy(source, self.files / "network.yml")
                for host in wanted.hosts:
                    (self.files / f"{host.name}.image").write_text(str(disks[host.backend, host.release]))
                (self.files / "ssh_config").write_text(
                    rendered.ssh_config(wanted, str(key), str(self._sockets()), str(CHECKOUT / "lab" / "lab"))
                )
                self._write_seeds(wanted, key.with_suffix(".pub").read_text())
                self._start_holder()
            try:
                self.inside("boot", *[host.name for host in wanted.hosts])
            except subprocess.CalledProcessError as error:
                raise LabError(f"lab {self.name} did not come up (see above); it is left running for a look") from error

    def down(self) -> None:
        """Leave nothing of the lab."""
        if not self.files.exists():
            return
        with self._alone():
            self._down()

    def tidy(self) -> None:
        """Remove what is left of the lab where it was killed; leave it alone where it runs, or is being started."""
        try:
            with self._alone(wait=False):
                if self.holder is None:
                    self._down()
        except BlockingIOError:
            pass  # somebody starts it or takes it down just now

    def _down(self) -> None:
        # Connections from outside would keep the network namespace alive.
        for master in self._sockets().glob("10.*"):
            command = ["ssh", "-F", str(self.files / "ssh_config"), "-O", "exit", master.name]
            subprocess.run(command, capture_output=True, check=False, timeout=_CONNECT_LIMIT)
        holder = self.holder
        if holder is not None:
            _end(holder)
        sockets = self._sockets()
        if sockets != self.files:
            shutil.rmtree(sockets, ignore_errors=True)
        shutil.rmtree(self.files)

    def inventory(self) -> dict[str, Any]:
        """How Ansible reaches the hosts."""
        return rendered.inventory(self.network, str(self.files / "ssh_config"), str(self._sockets()))

    def inside(self, *arguments: str) -> None:
        """Run a command of the lab in its namespaces."""
        holder = self.running().holder
        command = ["nsenter", "--target", str(holder), "--net", "--mount", "--pid"]
        if os.geteuid() != 0:
            command += ["--user", "--preserve-credentials"]
        command += [str(CHECKOUT / "lab" / "python"), "-m", "lvslab.cli", "--inside", self.name, *arguments]
        subprocess.run(command, check=True, env={**os.environ, "TMPDIR": SCRATCH, "HOME": SCRATCH})

    def enter(self) -> None:
        """Move this process into the lab's network namespace."""
        libc = ctypes.CDLL(None, use_errno=True)
        holder = self.running().holder
        kinds = [("net", _CLONE_NEWNET)] if os.geteuid() == 0 else [("user", _CLONE_NEWUSER), ("net", _CLONE_NEWNET)]
        for kind, flag in kinds:
            with open(f"/proc/{holder}/ns/{kind}", encoding="utf-8") as namespace:
                if libc.setns(namespace.fileno(), flag) != 0:
                    raise LabError(f"cannot enter the lab: {os.strerror(ctypes.get_errno())}; who started it?")

    def connect(self, address: str, port: int) -> None:
        """Hand a socket that is connected to a host to ssh, on standard output (ProxyUseFdpass)."""
        self.enter()
        connected = socket.create_connection((address, port), timeout=_CONNECT_LIMIT)
        connected.settimeout(None)
        with socket.socket(fileno=os.dup(1)) as ssh:
            socket.send_fds(ssh, [b"\0"], [connected.fileno()])

    @contextlib.contextmanager
    def _alone(self, wait: bool = True) -> Iterator[None]:
        """One at a time starts and stops this lab. Without waiting: BlockingIOError where somebody else does."""
        while True:
            self.files.mkdir(parents=True, exist_ok=True)
            directory = os.open(self.files, os.O_RDONLY)
            try:
                fcntl.flock(directory, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
                # Who was here before us may have taken the lab down, and the directory with it.
                if self.files.exists() and os.path.samestat(os.fstat(directory), os.stat(self.files)):
                    yield
                    return
            finally:
                os.close(directory)

    def _sockets(self) -> Path:
        """Where ssh keeps its connections; a socket's path must be short, a checkout's may not be."""
        # ssh appends a dot and 16 characters while it makes one.
        if len(str(self.files / "10.255.0.255")) + 17 <= _SOCKET_LIMIT:
            return self.files
        place = Path(os.environ.get("XDG_RUNTIME_DIR", "/tmp")) / f"lvs-lab-{os.stat(CACHE).st_ino}-{self.name}"
        place.mkdir(mode=0o700, exist_ok=True)
        if place.stat().st_uid != os.geteuid():
            raise LabError(f"{place} belongs to somebody else: remove it")
        return place

    def _write_seeds(self, wanted: net.Network, public_key: str) -> None:
        for host in wanted.hosts:
            with tarfile.open(self.files / f"{host.name}.seed", "w", format=tarfile.USTAR_FORMAT) as archive:
                for name, content in rendered.seed(wanted, host, public_key).items():
                    entry = tarfile.TarInfo(name)
                    entry.size, entry.mode = len(content.encode()), managed.mode(name)
                    archive.addfile(entry, io.BytesIO(content.encode()))

    def _start_holder(self) -> None:
        with open(self.files / "holder.log", "w", encoding="utf-8") as log:
            holder = subprocess.Popen(
                [*own_namespaces(), str(CHECKOUT / "lab" / "python"), "-m", "lvslab.holder", str(self.files)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        while self.holder is None:
            if holder.poll() is not None:
                raise LabError(f"{NO_NAMESPACES}\n{(self.files / 'holder.log').read_text()}")
            time.sleep(0.02)

    # Inside the namespaces

    def boot(self, hosts: Sequence[str]) -> None:
        """Start hosts that are off, with their network, and wait until systemd is done on all of them."""
        network = self.network
        cables.make_bridges(network)
        starting = []
        for name in hosts:
            if self._process(name) is None:
                self._start(network, network.host(name))
                starting.append(name)
        self._in_parallel(starting, self._wait_until_up)

    def halt(self, hosts: Sequence[str], power_cut: bool) -> None:
        """Switch hosts off: orderly, or by pulling the plug."""
        self._in_parallel(hosts, lambda name: self._halt(name, power_cut))

    def _halt(self, name: str, power_cut: bool) -> None:
        process = self._process(name)
        if process is None:
            return
        if not power_cut:
            self._ssh(name, "systemctl --no-block poweroff", check=False)
        self._ssh_close(name)
        if not power_cut:
            deadline = time.monotonic() + _HALT_LIMIT
            while time.monotonic() < deadline:
                if self._process(name) is None:
                    say(f"{name}: off")
                    return
                time.sleep(0.1)
            late = f"{name} did not switch itself off within {_HALT_LIMIT} s"
            raise LabError(f"{late}; end of its console:\n{self._console(name)}")
        os.killpg(process, signal.SIGKILL)
        while self._process(name) is not None:
            time.sleep(0.02)
        say(f"{name}: power cut")

    def link(self, name: str, lan: str, state: str) -> None:
        """Plug or unplug the cable between a host and a LAN."""
        taps = [nic.tap for nic in self.host(name).nics if nic.lan == lan]
        if not taps:
            raise LabError(f"{name} has no card on a LAN named {lan}")
        cables.plug(taps[0], lan if state == "up" else None)

    def states(self) -> dict[str, bool]:
        """Which hosts have power."""
        return {host.name: self._process(host.name) is not None for host in self.network.hosts}

    def _in_parallel(self, hosts: Sequence[str], action: Callable[[str], None]) -> None:
        with concurrent.futures.ThreadPoolExecutor(max_workers=max(1, len(hosts))) as pool:
            actions = [pool.submit(action, name) for name in hosts]
            failures = [str(action.exception()) for action in actions if action.exception()]
        if failures:
            raise LabError("\n".join(failures))

    def _start(self, network: net.Network, host: net.Host) -> None:
        for nic in host.nics:
            cables.make_tap(nic)
        disk = Path((self.files / f"{host.name}.image").read_text())
        kernel = qemu.host_kernel if host.backend == "qemu" else uml.host_kernel
        with open(self.files / f"{host.name}.console", "ab") as console:
            console.write(b"\n--- power on\n")
            console.flush()
            process = subprocess.Popen(
                kernel(host, self.files, disk, rendered.words(network, host)),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        (self.files / f"{host.name}.pid").write_text(str(process.pid))
        say(f"{host.name}: booting")

    def _process(self, name: str) -> int | None:
        """The process of a host in this process namespace."""
        try:
            pid = int((self.files / f"{name}.pid").read_text())
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if str(self.files / f"{name}.disk").encode() in words else None

    def _wait_until_up(self, name: str) -> None:
        start = time.monotonic()
        limit = start + BOOT_LIMIT[self.host(name).backend]
        address = self.host(name).management
        while not _answers(address):
            if self._process(name) is None:
                raise LabError(f"{name} ended while booting; end of its console:\n{self._console(name)}")
            if time.monotonic() > limit:
                raise LabError(f"{name} does not answer; end of its console:\n{self._console(name)}")
            time.sleep(0.3)
        state = self._ssh(name, "systemctl is-system-running --wait", check=False).stdout.strip()
        if state not in ("running", "degraded"):
            raise LabError(f"{name} is up, but systemd says {state!r}; end of its console:\n{self._console(name)}")
        failed = ""
        if state == "degraded":
            failed = "; failed: " + self._ssh(name, "systemctl --failed --plain --no-legend | cut -d' ' -f1").stdout
        say(f"{name}: up after {time.monotonic() - start:.0f} s{' '.join(failed.split())}")

    def _ssh(self, name: str, command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["ssh", "-F", str(self.files / "ssh_config"), "-o", "ProxyCommand=none", name, command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=check,
        )

    def _ssh_close(self, name: str) -> None:
        master = self._sockets() / self.host(name).management
        if master.exists():
            command = ["ssh", "-F", str(self.files / "ssh_config"), "-O", "exit", name]
            subprocess.run(command, capture_output=True, check=False)
            master.unlink(missing_ok=True)

    def _console(self, name: str) -> str:
        text = (self.files / f"{name}.console").read_text(errors="replace")
        return "\n".join(f"    {line.rstrip()}" for line in text.splitlines()[-25:])


def _end(holder: int) -> None:
    """Kill the holder and wait until it is gone, and with it all in its namespaces; so is the unshare that made it."""
    maker = int(Path(f"/proc/{holder}/stat").read_text().rpartition(")")[2].split()[1])
    handles = [os.pidfd_open(pid) for pid in (holder, maker)]
    signal.pidfd_send_signal(handles[0], signal.SIGKILL)
    for handle in handles:
        select.select([handle], [], [], _HALT_LIMIT)
        os.close(handle)


def _answers(address: str) -> bool:
    try:
        with socket.create_connection((address, 22), timeout=10) as connection:
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _key() -> Path:
    """The private key for every lab of this checkout."""
    key = CACHE / "ssh" / "key"
    if not key.exists():
        key.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = key.with_name(f"key.{os.getpid()}")
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lvs.topology lab", "-f", str(unfinished)]
        subprocess.run(command, check=True)
        unfinished.with_suffix(f"{unfinished.suffix}.pub").rename(key.with_suffix(".pub"))
        unfinished.rename(key)
    return key


def _clear(directory: Path) -> None:
    """Remove what a lab left that ended with the machine."""
    for path in directory.iterdir():
        path.unlink()


def status() -> list[dict[str, Any]]:
    """Every lab of this checkout."""
    return [{"name": name, "running": Lab(name).holder is not None} for name in names()]
