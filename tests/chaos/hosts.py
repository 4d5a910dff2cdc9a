# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lab: its hosts, the playbooks that are run on them, and the load of its client. All I/O is here."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping

import yaml

from .measure import Record

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
CACHE = CHECKOUT / ".cache/chaos"
# The kernel gives 2,048 of netfilter's entries to a host with as little memory as those of a lab. A load of minutes
# has more, and in a full table neither health checks nor adverts of VRRP find place.
ROOM = {"net.netfilter.nf_conntrack_max": 65536}
# How long a request may take where it is not measured, but has to succeed.
PATIENT = 60


class Failed(Exception):
    """The lab did not do what it had to: nothing can be measured."""


def say(text: str) -> None:
    """Tell what is going on."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def wait(what: str, condition: Callable[[], object], limit: float = 300) -> None:
    """Look until a condition holds."""
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not within {limit:.0f} s")
        time.sleep(0.3)


def lab(*words: str) -> str:
    """Run the lab's own command."""
    done = subprocess.run([CHECKOUT / "lab/lab", *words], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"lab {' '.join(words)}:\n{done.stdout}{done.stderr}")
    return done.stdout


def changed(output: str) -> dict[str, int]:
    """What the recap of a playbook says was changed, by host, where it is anything."""
    recap = re.findall(r"^(\S+) .*changed=(\d+)", output.rpartition("PLAY RECAP")[2], re.MULTILINE)
    if not recap:
        raise Failed(f"the playbook did nothing on any host, so nothing is known of changes:\n{output}")
    return {host: int(count) for host, count in recap if int(count)}


class Hosts:
    """The hosts of one lab."""

    def __init__(self, network: Path) -> None:
        self.network = network
        self.name: str = yaml.safe_load(network.read_text())["name"]
        self._inventory = CACHE / f"lab-{self.name}.yml"

    def up(self) -> None:
        """Boot; what runs already is left alone."""
        lab("up", str(self.network))
        CACHE.mkdir(parents=True, exist_ok=True)
        self._inventory.write_text(lab("inventory", self.name))
        self.run("client", f"cat >/root/load.py <<'END'\n{(HERE / 'load.py').read_text()}END")

    def down(self) -> None:
        """Leave nothing of the lab."""
        lab("down", self.name)

    def ssh(self, host: str, command: str) -> list[str]:
        """The words that run a command on a host."""
        return ["ssh", "-F", str(CHECKOUT / ".cache/lab/run" / self.name / "ssh_config"), host, command]

    def run(self, host: str, script: str, check: bool = True) -> str:
        """What a script of the shell prints on a host."""
        done = subprocess.run(self.ssh(host, "sh -s"), input=script, check=False, capture_output=True, text=True)
        if check and done.returncode != 0:
            raise Failed(f"{host}: {script}\n{done.stdout}{done.stderr}")
        return done.stdout

    def cut_power(self, host: str, is_off: Callable[[], object]) -> None:
        """Pull the plug of a host, and do at once what is to be done then: the lab's own command takes longer."""
        kernel = self._kernel(host)
        # What ssh keeps open to the host would hold up whoever asks it next.
        subprocess.run(["ssh", "-O", "exit", *self.ssh(host, "")[1:-1]], capture_output=True, check=False)
        os.killpg(kernel, signal.SIGKILL)
        is_off()
        wait(f"{host} is off", lambda: not self._is_kernel(kernel, host))

    def cut_cable(self, host: str, card: int, is_cut: Callable[[], object]) -> None:
        """Pull the cable of a host's card, and do at once what is to be done then: the command ends later."""
        command = f"echo ready; read go; exec ip link set {host}.{card} nomaster"
        with subprocess.Popen(
            [CHECKOUT / "lab/lab", "exec", self.name, "--", "sh", "-c", command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as cutting:
            assert cutting.stdin is not None
            assert cutting.stdout is not None
            if cutting.stdout.readline() == "ready\n":
                cutting.stdin.write("go\n")
                cutting.stdin.flush()
                is_cut()
        if cutting.returncode != 0:
            raise Failed(f"the cable of {host} cannot be cut")

    def _kernel(self, host: str) -> int:
        """The process that is a host; others of its group are the programs that it runs."""
        for process in Path("/proc").glob("[0-9]*"):
            number = int(process.name)
            if self._is_kernel(number, host):
                return number
        raise Failed(f"{host} is not on")

    def _is_kernel(self, number: int, host: str) -> bool:
        disk = f"/.cache/lab/run/{self.name}/{host}.disk".encode()
        try:
            return disk in Path(f"/proc/{number}/cmdline").read_bytes() and os.getpgid(number) == number
        except OSError:
            # It has ended.
            return False

    def playbook(self, name: str, inventory: Mapping[str, Any], *words: str, check: bool = True) -> str:
        """What a playbook of the collection, or one that a path leads to, printed."""
        start = time.monotonic()
        run = self.begin(name, inventory, *words)
        output, _errors = run.communicate()
        say(f"playbook {name}: {time.monotonic() - start:.0f} s")
        if check and run.returncode != 0:
            raise Failed(f"playbook {name}:\n{output}")
        return output

    def begin(
        self, name: str, inventory: Mapping[str, Any], *words: str, file: str = "inventory.yml"
    ) -> subprocess.Popen[str]:
        """Start a playbook in a process group of its own, and do not wait for it."""
        path = CACHE / file
        path.write_text(yaml.safe_dump(inventory, sort_keys=False))
        plain = {
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_FORCE_COLOR": "0",
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_FORKS": "10",
            "ANSIBLE_HOST_KEY_CHECKING": "0",
        }
        called = name if "/" in name else f"lvs.topology.{name}"
        return subprocess.Popen(
            ["ansible-playbook", "-i", str(self._inventory), "-i", str(path), called, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **plain},
            start_new_session=True,
        )

    @contextlib.contextmanager
    def load(
        self, targets: Mapping[str, tuple[str, int]], rate: int, patience: float, downloads: int = 0, pace: int = 262144
    ) -> Iterator[Load]:
        """Load on services while the body runs; it is ended however that ends."""
        options = {"targets": targets, "rate": rate, "patience": patience, "downloads": downloads, "pace": pace}
        running = Load(self.ssh("client", f"python3 /root/load.py {shlex.quote(json.dumps(options))}"), [*targets])
        try:
            wait("the first answers", lambda: running.answered(1))
            yield running
        finally:
            running.end()


class Load:
    """Requests and downloads of the client, from start to finish."""

    def __init__(self, command: list[str], targets: list[str]) -> None:
        self.record = Record()
        self._targets = targets
        self._lock = threading.Lock()
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            with self._lock:
                self.record.add(line)

    def _tell(self, words: str) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{words}\n")
            self._process.stdin.flush()
        except OSError as error:
            raise Failed(f"the load has ended: {error.strerror}") from None

    def mark(self, name: str) -> float:
        """Write an event into the record, and give its time on the client's clock."""
        self._tell(f"mark {name}")
        wait(f"the mark {name}", lambda: name in self.record.marks)
        return self.record.marks[name]

    def be_patient(self) -> None:
        """From now on, count a request as failed where it fails, and not where a slow machine takes long for it."""
        self._tell(f"patience {PATIENT}")

    def snapshot(self) -> Record:
        """What is known up to now."""
        with self._lock:
            return Record(list(self.record.requests), list(self.record.downloads), dict(self.record.marks))

    def answered(self, count: int, since: float = 0.0) -> bool:
        """Whether every target has answered the last so many requests of those that began after a moment."""
        record = self.snapshot()
        for target in self._targets:
            last = sorted((one for one in record.of(target).requests if one.start >= since), key=lambda one: one.start)
            if len(last) < count or any(one.error for one in last[-count:]):
                return False
        return True

    def count(self) -> int:
        """How many requests came to an end."""
        with self._lock:
            return len(self.record.requests)

    def finish(self) -> Record:
        """Start nothing more, wait for what is under way, and give the record, which is whole."""
        # One that ended by itself would have lost what was under way, and would have seen nothing since.
        self._tell("finish")
        self.end()
        if self._process.returncode != 0 or self._reader.is_alive():
            raise Failed(f"the load ended with {self._process.returncode}, and its record is not whole")
        return self.record

    def end(self) -> None:
        """Start nothing more, and wait for what is under way; once more changes nothing."""
        if self._process.poll() is None:
            self._tell("finish")
        try:
            self._process.wait(600)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise Failed("the load does not come to an end") from None
        self._reader.join(10)
