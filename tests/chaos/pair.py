# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab, its hosts and the playbooks: what the cases act on. All I/O is here."""

from __future__ import annotations

import contextlib
import copy
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import yaml

from .measure import Record

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
LAB = CHECKOUT / "lab/lab"
CACHE = CHECKOUT / ".cache/chaos"
NAME = "chaos"
DIRECTORS = ["lb1", "lb2"]
VIPS = {"dr": "192.168.0.28", "nat": "192.168.0.29"}
# Made on each real server alike, so that whoever serves a download, its digest is known.
_LINES = 600000
DIGEST = hashlib.sha256("".join(f"{number}\n" for number in range(1, _LINES + 1)).encode()).hexdigest()


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
    done = subprocess.run([LAB, *words], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise Failed(f"lab {' '.join(words)}:\n{done.stdout}{done.stderr}")
    return done.stdout


def run(host: str, script: str, check: bool = True) -> str:
    """What a script of the shell prints on a host."""
    config = CHECKOUT / ".cache/lab/run" / NAME / "ssh_config"
    done = subprocess.run(
        ["ssh", "-F", str(config), host, "sh -s"], input=script, check=False, capture_output=True, text=True
    )
    if check and done.returncode != 0:
        raise Failed(f"{host}: {script}\n{done.stdout}{done.stderr}")
    return done.stdout


def up() -> None:
    """Boot the lab; what runs already is left alone."""
    lab("up", str(HERE / "network.yml"))
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "lab.yml").write_text(lab("inventory", NAME))
    run("client", f"cat >/root/load.py <<'END'\n{(HERE / 'load.py').read_text()}END")
    for server in real_servers(model()):
        run(server, f"mkdir -p /srv/files; seq {_LINES} >/srv/files/download")


def down() -> None:
    """Leave nothing of the lab."""
    lab("down", NAME)
    _now.clear()


# The model and the playbooks


def model() -> dict[str, Any]:
    """The inventory that every case starts from; a copy to change."""
    content: dict[str, Any] = yaml.safe_load((HERE / "inventory.yml").read_text())
    return content


def service(inventory: dict[str, Any], name: str) -> dict[str, Any]:
    """One service of an inventory."""
    return next(one for one in inventory["all"]["vars"]["lvs_services"] if one["name"] == name)


def real_servers(inventory: dict[str, Any]) -> list[str]:
    """All real servers of an inventory."""
    return list(inventory["lvs_real_servers"]["hosts"])


def playbook(name: str, inventory: dict[str, Any], *words: str, check: bool = True) -> str:
    """What a playbook of the collection printed."""
    _now.clear()
    start = time.monotonic()
    run = begin(name, inventory, *words)
    output, _errors = run.communicate()
    say(f"playbook {name}: {time.monotonic() - start:.0f} s")
    if check and run.returncode != 0:
        raise Failed(f"playbook {name}:\n{output}")
    return output


def begin(name: str, inventory: dict[str, Any], *words: str, file: str = "inventory.yml") -> subprocess.Popen[str]:
    """Start a playbook of the collection, in a process group of its own, and do not wait for it."""
    path = CACHE / file
    path.write_text(yaml.safe_dump(inventory, sort_keys=False))
    plain = {
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_FORCE_COLOR": "0",
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_FORKS": "10",
        "ANSIBLE_HOST_KEY_CHECKING": "0",
    }
    command = ["ansible-playbook", "-i", str(CACHE / "lab.yml"), "-i", str(path), f"lvs.topology.{name}", *words]
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **plain},
        start_new_session=True,
    )


def changed(output: str) -> dict[str, int]:
    """What the recap of a playbook says was changed, by host, where it is anything."""
    recap = re.findall(r"^(\S+) .*changed=(\d+)", output.rpartition("PLAY RECAP")[2], re.MULTILINE)
    return {host: int(count) for host, count in recap if int(count)}


def site(inventory: dict[str, Any]) -> str:
    """Bring the hosts to a model, and wait until health checkers and directors are where they belong."""
    output = playbook("site", inventory)
    _now[:] = [copy.deepcopy(inventory)]
    wait_ready(inventory)
    return output


# The model that the hosts are at, where that is known: a run of site takes a while.
_now: list[dict[str, Any]] = []


def bring(inventory: dict[str, Any]) -> None:
    """Have the hosts at a model."""
    if _now != [inventory]:
        site(inventory)
    wait_ready(inventory)


def refused(output: str) -> bool:
    """Whether a playbook stopped at a host that refused."""
    return bool(re.search(r"failed=[1-9]", output.rpartition("PLAY RECAP")[2]))


# The directors


def masters() -> list[str]:
    """The directors that hold the VIPs."""
    return [host for host in DIRECTORS if f" {VIPS['nat']}/" in run(host, "ip -o -4 address show dev eth1")]


def master() -> str:
    """The one director that holds the VIPs."""
    found = masters()
    if len(found) != 1:
        raise Failed(f"masters: {found or 'none'}")
    return found[0]


def other(director: str) -> str:
    """The other director of the pair."""
    return next(host for host in DIRECTORS if host != director)


def table(director: str) -> list[str]:
    """The table of a director, as ipvsadm saves it."""
    return sorted(run(director, "ipvsadm -Sn").splitlines())


def listed(director: str) -> set[str]:
    """The addresses to which a director sends new connections."""
    found = re.findall(r"^-a .* -r (\S+):\d+ .*-w (\d+)", "\n".join(table(director)), re.MULTILINE)
    return {address for address, weight in found if weight != "0"}


def wait_ready(inventory: dict[str, Any]) -> None:
    """Wait until both directors do what they are there for: every real server in both tables, one master."""
    hosts, services = inventory["lvs_real_servers"]["hosts"], inventory["all"]["vars"]["lvs_services"]
    wanted = {hosts[entry["host"]]["lvs_address"] for service in services for entry in service["real_servers"]}
    wait("every real server in both tables", lambda: all(listed(host) == wanted for host in DIRECTORS))
    wait("one master", lambda: len(masters()) == 1)
    if "lvs_sync" in inventory["lvs_directors"]["vars"]:
        wait("a daemon of sync on both", lambda: all(_syncs(host) for host in DIRECTORS))


def _syncs(director: str) -> bool:
    state = "master" if director in masters() else "backup"
    return run(director, "ipvsadm -Ln --daemon").startswith(f"{state} sync daemon")


def wait_unlisted(addresses: set[str]) -> None:
    """Wait until no director sends new connections to some real servers."""
    wait("out of both tables", lambda: not any(listed(host) & addresses for host in DIRECTORS))


def responders(vip: str) -> set[str]:
    """The MAC addresses that answer ARP requests of the client for a VIP."""
    answers = run("client", f"arping -b -c 5 -w 60 -I eth1 {vip}", check=False)
    return set(re.findall(r"reply from \S+ \[(\S+)\]", answers))


# The load


class Load:
    """Requests and downloads of the client, from start to finish."""

    def __init__(self, rate: int, patience: float, downloads: int) -> None:
        self.record = Record()
        self._lock = threading.Lock()
        options = {"targets": VIPS, "rate": rate, "patience": patience, "downloads": downloads, "pace": 262144}
        config = CHECKOUT / ".cache/lab/run" / NAME / "ssh_config"
        command = ["ssh", "-F", str(config), "client", f"python3 /root/load.py {shlex.quote(json.dumps(options))}"]
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
        for target in VIPS:
            last = sorted((one for one in record.of(target).requests if one.start >= since), key=lambda one: one.start)
            if len(last) < count or any(one.error for one in last[-count:]):
                return False
        return True

    def count(self) -> int:
        """How many requests came to an end."""
        with self._lock:
            return len(self.record.requests)

    def finish(self) -> Record:
        """Start nothing more, and wait for what is under way; once more changes nothing."""
        if self._process.poll() is None:
            self._tell("finish")
        try:
            self._process.wait(600)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise Failed("the load does not come to an end") from None
        self._reader.join(10)
        return self.record


@contextlib.contextmanager
def load(rate: int = 25, patience: float = 3, downloads: int = 0) -> Iterator[Load]:
    """Load on all services while the body runs; it is ended however that ends."""
    running = Load(rate, patience, downloads)
    try:
        wait("the first answers", lambda: running.answered(1))
        yield running
    finally:
        running.finish()
