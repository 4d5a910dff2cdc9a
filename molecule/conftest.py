# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scenario's hosts, what must come out on them, and the means to look.

Nothing here depends on how fast a machine is: what has to happen is waited for, and every limit is there only so that a
failure ends.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

import pytest
import testinfra
import yaml

SCENARIO = Path(os.environ["MOLECULE_SCENARIO_DIRECTORY"])
PROJECT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
INVENTORY = PROJECT / ".cache/lab/inventories" / f"{SCENARIO.name}.yml"
SHARED = PROJECT / "molecule/shared"
LAB = PROJECT / "lab/lab"

# How long a state may take to come, on a machine that does much else.
LIMIT = 300
# How long a request may take. It only tells a connection that hangs from one that goes on.
PATIENCE = 60
# How many requests a load makes at least while something changes, and how many of them before and afterwards.
ENOUGH, BEFORE_AND_AFTER = 100, 20
# The directories of tests, in the order in which they are run; tests is what a scenario has by itself.
PHASES = ("before", "serving", "adopted", "transfers", "rebooted", "tests", "changed", "refused", "gone")
# An address that nobody has: the request for it is the last packet that a capture sees.
MARK = "203.0.113.254"

# Requests of the client, each from a source port that was not used for a long time: one that IPVS still knows would go
# where the last connection from it went, and not where the scheduler sends it. There are 10,000 of them from $FIRST on.
# One curl makes all of them, because its start costs much more than a request; after each, a line says how it ended.
REQUESTS = r"""
requests() {
  last=$(cat /tmp/port-$FIRST 2>/dev/null || echo 0)
  number=0
  while [ $number -lt "$2" ]; do
    number=$((number + 1))
    printf 'next\nurl = "%s"\nlocal-port = %s\nmax-time = %s\n' "$1" $((FIRST + (last + number) % 10000)) "$PATIENCE"
    printf '%s\n' silent globoff 'header = "Connection: close"' 'write-out = "\n=%{exitcode}\n"'
  done | curl --rate "$3" --config -
  echo $(((last + $2) % 10000)) >/tmp/port-$FIRST
}
"""
# What curl's exit status means; with the last one there was no request, because another program had the port.
LOST = {7: "refused", 28: "timeout", 52: "reset", 56: "reset"}
PORT_TAKEN = 45
# How many requests a load makes with one curl, and how many in a second. The client shares the processors with the
# hosts: without pauses it would slow down the change that it watches.
AT_A_TIME, PACE = 5, "5/s"
# A download that goes on slowly until it is told to end, and then says from whom it was and what came. A small buffer,
# so that the server cannot be done before the client is.
DOWNLOAD = """
import hashlib, os, socket, sys, time
host, path, name = sys.argv[1:]
connection = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
connection.settimeout(300)
try:
    connection.connect((host, 80))
    connection.sendall(f"GET {path} HTTP/1.0\\r\\n\\r\\n".encode())
    answer = connection.makefile("rb")
    head = list(iter(answer.readline, b"\\r\\n"))
    length = next(int(line.split()[1]) for line in head if line.lower().startswith(b"content-length"))
    first = answer.readline()
    digest, come = hashlib.sha256(first), len(first)
    open(f"/tmp/{name}.begun", "w").close()
    while come < length:
        block = answer.read(min(8192, length - come))
        if not block:
            break
        digest.update(block)
        come += len(block)
        if not os.path.exists(f"/tmp/{name}.finish"):
            time.sleep(0.2)
    told = f"{first.decode().strip()} {digest.hexdigest()}" if come == length else f"cut off after {come} of {length}"
except OSError as problem:
    told = f"cut off: {problem}"
print(told, flush=True)
"""


class Answers(Counter[str]):
    """How often each real server answered, and as lost:WHY how often nobody did."""

    @property
    def lost(self) -> dict[str, int]:
        """What became of the requests that were not answered."""
        return {why: count for why, count in self.items() if why.startswith("lost")}


@dataclass
class Capture:
    """What tcpdump has printed so far."""

    path: Path

    @property
    def text(self) -> str:
        """Its lines, without those of the mark."""
        return "".join(line for line in self.path.read_text().splitlines(keepends=True) if MARK not in line)


@dataclass
class Download:
    """A download of the client that goes on until it is told to end."""

    scenario: Scenario
    name: str

    def is_under_way(self) -> bool:
        """Whether some of it has come, and the end has not."""
        return self._client(f"[ -e /tmp/{self.name}.begun ] && [ ! -s /tmp/{self.name} ] && echo yes; true") == "yes"

    def finish(self) -> list[str]:
        """Let it end; the first line of the file and the digest of all of it, or that it was cut off."""
        self._client(f"touch /tmp/{self.name}.finish")
        self.scenario.wait("the download ends", lambda: self._client(f"cat /tmp/{self.name}"))
        return self._client(f"cat /tmp/{self.name}").split()

    def _client(self, command: str) -> str:
        return self.scenario.run("client", command)


class Scenario:
    """The hosts of the scenario by name, and the hand-written expectations."""

    def __init__(self) -> None:
        # Names of labs have no underscores.
        self.name = SCENARIO.name.replace("_", "-")
        self.directory = SCENARIO
        self.inventory = INVENTORY
        self.expected: dict[str, Any] = yaml.safe_load((SCENARIO / "expected.yml").read_text())
        ssh_config = str(PROJECT / ".cache/lab/run" / self.name / "ssh_config")
        self.hosts: dict[str, Any] = {
            name: testinfra.get_host(f"ssh://{name}", ssh_config=ssh_config)
            for name in yaml.safe_load(INVENTORY.read_text())["all"]["hosts"]
        }
        self.directors: list[str] = self.expected.get("directors", ["director"])
        groups = yaml.safe_load((SCENARIO / "inventory/hosts.yml").read_text())
        # The hosts that site changes.
        self.managed = [
            host
            for name, group in groups.items()
            if name in ("lvs_directors", "lvs_real_servers", "lvs_routers")
            for host in group["hosts"]
        ]

    @staticmethod
    def wait(what: str, condition: Callable[[], object], limit: float = LIMIT) -> None:
        """Look until a condition holds, ever more seldom: looking takes the processors from what is waited for."""
        deadline, pause = time.monotonic() + limit, 0.2
        while not condition():
            assert time.monotonic() < deadline, f"{what}: not within {limit} s"
            time.sleep(pause)
            pause = min(2 * pause, 2)

    def called(self, name: str) -> str:
        """The host of that name; of a pair of directors, master is the one that holds the VIP, and backup the other."""
        if name not in ("master", "backup"):
            return name
        holds = {host: f" {self.expected['vip']}/" in self.run(host, "ip -o address") for host in self.directors}
        found = [host for host, holds_it in holds.items() if holds_it == (name == "master")]
        assert len(found) == 1, f"{name}: {found}"
        return found[0]

    def run(self, host: str, command: str) -> str:
        """The standard output of a command on a host; a failure fails the test."""
        return str(self.hosts[host].check_output(command))

    def picture(self, host: str) -> str:
        """What snapshot.sh sees of a host."""
        return self.run(host, (SHARED / "snapshot.sh").read_text()) + "\n"

    def before(self, host: str) -> Path:
        """Where the picture of a host is kept that was taken before anything was changed."""
        return Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / f"before-{host}.txt"

    def lab(self, *arguments: str) -> str:
        """Run the lab's own command."""
        return subprocess.run([LAB, *arguments], check=True, capture_output=True, text=True).stdout

    def lab_process(self, *command: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start a command beside the hosts, where their LANs are visible."""
        return subprocess.Popen([LAB, "exec", self.name, "--", *command], **options)

    def cut_power(self) -> None:
        """Cut the power of every host that site has changed, and wait until they are up again."""
        self.lab("reboot", self.name, *self.managed, "--power-cut")

    def playbook(self, *arguments: str) -> str:
        """Run ansible-playbook on the scenario's inventory, and what it printed."""
        result = self.try_playbook(*arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def try_playbook(
        self, *arguments: str, inventory: Path = SCENARIO / "inventory"
    ) -> subprocess.CompletedProcess[str]:
        """Run ansible-playbook on the scenario's hosts, by its inventory or another one, whatever comes of it."""
        command = ["ansible-playbook", "--inventory", str(inventory), "--inventory", str(INVENTORY)]
        # What molecule writes into ansible.cfg for its own runs.
        same = {"ANSIBLE_PIPELINING": "1", "ANSIBLE_FORKS": "10", "ANSIBLE_HOST_KEY_CHECKING": "0"}
        plain = {**os.environ, **same, "ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_NOCOLOR": "1"}
        return subprocess.run([*command, *arguments], check=False, capture_output=True, text=True, env=plain)

    def findings(self) -> list[dict[str, str]]:
        """What verify finds that is more than worth knowing."""
        with tempfile.TemporaryDirectory() as place:
            report = Path(place) / "verify.json"
            result = self.try_playbook("lvs.topology.verify", "--extra-vars", f"lvs_verify_report={report}")
            assert report.exists(), result.stdout + result.stderr
            found = json.loads(report.read_text())["findings"]
        return [each for each in found if each["degree"] != "worth knowing"]

    @staticmethod
    def changed(output: str) -> dict[str, list[str]]:
        """What a playbook with --diff changed, by host: the parts of its state, and other tasks by their names."""
        hosts = re.findall(r"^(\S+) .*changed=\d+", output.rpartition("PLAY RECAP")[2], re.MULTILINE)
        # The controller itself only checks.
        found: dict[str, list[str]] = {host: [] for host in hosts if host != "localhost"}
        task, parts = "", []
        for line in output.splitlines():
            if match := re.match(r"TASK \[(?:\S+ : )?(.*)\] \**$", line):
                task = match[1]
            elif match := re.match(r"--- before: (\S+)", line):
                parts.append(match[1])
            elif match := re.match(r"(\w+): \[(\S+?)[\]: ]", line):
                if match[1] == "changed":
                    found[match[2]] += parts or [task]
                parts = []
        return found

    @staticmethod
    def differences(output: str) -> set[str]:
        """The lines that --diff marks as added or removed."""
        return {line for line in output.splitlines() if re.match(r"[+-](?![+-]{2} )", line)}

    def answers(self, url: str, count: int = 20, patience: int = PATIENCE) -> Answers:
        """How often each real server answered requests of the client, one connection each, each from a fresh port."""
        found = Answers()
        for _round in range(100):
            missing = count - sum(found.values())
            if not missing:
                return found
            script = f"FIRST=10000 PATIENCE={patience}; {REQUESTS}\nrequests '{url}' {missing} 1000/s; true"
            output = self.run("client", script)
            assert len(re.findall("^=", output, re.MULTILINE)) == missing, f"curl made no {missing} requests:\n{output}"
            found.update(_told(output))
        raise AssertionError(f"the client's source ports are taken: {found} of {count} requests were made")

    def asked(self, command: str, count: int) -> Answers:
        """How often each real server answered a command of the client that prints who did."""
        lines = self.run("client", f"for i in $(seq {count}); do {command} || echo lost; done")
        return Answers(lines.replace('"', "").split())

    @contextlib.contextmanager
    def load(self) -> Iterator[Answers]:
        """Requests of the client, one after the other, while the body runs; who answered them, or lost."""
        loop = f"while [ ! -e /tmp/enough ]; do requests '{self.expected['url']}' {AT_A_TIME} {PACE}; done; echo end"
        script = f"FIRST=20000 PATIENCE={PATIENCE}; {REQUESTS}\n{loop}"
        self.run("client", f"cat >/tmp/load.sh <<'END'\n{script}\nEND")
        self.run("client", "rm -f /tmp/enough; nohup sh /tmp/load.sh >/tmp/load 2>&1 </dev/null &")
        counted = Answers()

        def asked() -> int:
            return int(self.run("client", f"grep ^= /tmp/load | grep -vc '^={PORT_TAKEN}$'; true"))

        try:
            self.wait("requests before the change", lambda: asked() >= BEFORE_AND_AFTER)
            yield counted
            enough = max(ENOUGH, asked() + BEFORE_AND_AFTER)
            self.wait("requests after the change", lambda: asked() >= enough)
        finally:
            self.run("client", "touch /tmp/enough")
            self.wait("the last request", lambda: self.run("client", "tail -n 1 /tmp/load") == "end")
            counted.update(_told(self.run("client", "head -n -1 /tmp/load")))
        assert sum(counted.values()) >= enough, counted

    @contextlib.contextmanager
    def download(self, vip: str, path: str = "/files/download") -> Iterator[Download]:
        """A download of the client that has begun when the body begins, and goes on until it is told to end."""
        name = f"download-{vip.replace(':', '-')}"
        self.run("client", f"cat >/tmp/download.py <<'END'\n{DOWNLOAD}END\nrm -f /tmp/{name}*")
        self.run("client", f"nohup python3 /tmp/download.py {vip} {path} {name} >/tmp/{name} 2>&1 </dev/null &")
        download = Download(self, name)
        self.wait("the download begins", download.is_under_way)
        try:
            yield download
        finally:
            self.run("client", f"touch /tmp/{name}.finish")

    @contextlib.contextmanager
    def capture(self, path: Path, lan: str, packets: str, *options: str) -> Iterator[Capture]:
        """What tcpdump sees on a LAN from the beginning of the body to its end, nothing of which is missing."""
        bridge, errors = f"lan-{lan}", path.with_suffix(".errors")
        command = ["tcpdump", "-l", "--immediate-mode", "-n", *options, "-i", bridge, f"({packets}) or arp host {MARK}"]
        with path.open("w") as output, errors.open("w") as said:
            watcher = self.lab_process(*command, stdout=output, stderr=said)
        try:
            self.wait("tcpdump listens", lambda: "listening on" in errors.read_text())
            yield Capture(path)

            def is_marked() -> bool:
                self.lab_process("arping", "-q", "-D", "-c", "1", "-w", "1", "-I", bridge, MARK).wait()
                return MARK in path.read_text()

            self.wait("tcpdump has printed everything", is_marked)
        finally:
            watcher.terminate()
            watcher.wait(60)

    @contextlib.contextmanager
    def claims(self, capture: Path, vip: str = "") -> Iterator[set[str]]:
        """The MAC addresses that say on the LAN that a VIP is theirs while the body runs, and a while after it.

        The VIP is asked for over and over from the LAN itself, which no host's reboot interrupts.
        """
        lan, vip = self.expected["arp"]["lan"], vip or self.expected["vip"]
        ask = 'while :; do arping -q -D -c 1 -w 1 -I "$1" "$2"; sleep 0.2; done'
        found: set[str] = set()
        reply = rf"Reply {re.escape(vip)} is-at (\S+),"
        request = rf"who-has \S+.* tell {re.escape(vip)},"
        with self.capture(capture, lan, "arp", "-e") as seen:
            asker = self.lab_process("sh", "-c", ask, "ask", f"lan-{lan}", vip, stdout=subprocess.DEVNULL)
            try:
                yield found
                wanted = len(re.findall(reply, seen.text)) + 3
                self.wait(f"somebody answers for {vip}", lambda: len(re.findall(reply, seen.text)) >= wanted)
            finally:
                asker.terminate()
                asker.wait(60)
        for line in seen.text.splitlines():
            claim = re.match(rf"\S+ (\S+) > .*(?:{reply}|{request})", line)
            if claim:
                found.update({claim[1], claim[2] or claim[1]})

    def arp_owner(self) -> str:
        """The MAC address that alone may claim the VIP."""
        arp = self.expected["arp"]
        return self.run(self.called(arp["owner"]), f"cat /sys/class/net/{arp['interface']}/address")

    def check(self, phase: str) -> None:
        """Compare the hosts with what is expected in a phase."""
        if len(self.directors) > 1:
            # Two directors and their health checks get there by themselves.
            with contextlib.suppress(AssertionError):
                self.wait("the pair is as described", lambda: self._is_as_described(phase))
        self.check_hosts(phase)
        self.check_answers(phase)

    def _is_as_described(self, phase: str) -> bool:
        try:
            self.check_hosts(phase)
        except AssertionError:
            return False
        return True

    def check_hosts(self, phase: str) -> None:
        """Compare what ipvsadm, ip and sysctl say with what is expected in a phase."""
        expected = self.expected[phase]
        for director in self.directors:
            table = self.run(director, "ipvsadm -Sn")
            assert sorted(table.split("\n")) == sorted(expected["table"].strip().split("\n")), director
        every_vip = self.expected.get("vips") or [self.expected["vip"]]
        for host, interfaces in expected.get("addresses", {}).items():
            for interface, wanted in interfaces.items():
                found = self.run(self.called(host), f"ip -o address show dev {interface}").split("\n")
                vips = [line.split()[3] for line in found if any(f" {vip}/" in line for vip in every_vip)]
                # The kernel puts newer ones in front or behind, as it likes.
                assert sorted(vips) == sorted(wanted), f"{host} {interface}"
        for host, lines in expected.get("says", {}).items():
            for command, wanted_lines in lines.items():
                found = [" ".join(line.split()) for line in self.run(self.called(host), command).split("\n")]
                assert sorted(found) == sorted(wanted_lines), f"{host}: {command}"
        for host, gateways in expected.get("default_routes", {}).items():
            for gateway in gateways if isinstance(gateways, list) else [gateways]:
                family = "-6" if ":" in gateway else "-4"
                assert f"default via {gateway} " in self.run(host, f"ip {family} route show default") + " ", host
        for host, values in expected.get("sysctls", {}).items():
            found_values = self.run(host, f"sysctl -n {' '.join(values)}").split("\n")
            assert dict(zip(values, found_values)) == values, host
        if "settings" in expected:
            settings = self.run("director", "ipvsadm -Ln --timeout; ipvsadm -Ln --daemon")
            assert [line for line in settings.split("\n") if line] == expected["settings"].strip().split("\n")

    def check_answers(self, phase: str) -> None:
        """Compare who answers with who is expected to in a phase."""
        expected = self.expected[phase]
        for request in itertools.chain([{"url": self.expected["url"], **expected}], expected.get("requests", ())):
            wanted, count = request["answers"], _how_many(request["answers"])
            found = self.asked(request["ask"], count) if "ask" in request else self.answers(request["url"], count)
            _compare(found, wanted, request.get("ask") or request["url"])


def _told(output: str) -> list[str]:
    """Who answered each request, or lost and why."""
    found: list[str] = []
    said: list[str] = []
    for line in output.splitlines():
        if not line.startswith("="):
            said += line.split()
            continue
        status = int(line[1:])
        if status == 0:
            # One entry for one request, whatever was said: a page of somebody else is no name of a real server.
            found.append(" ".join(said) or "lost:empty")
        elif status != PORT_TAKEN:
            found.append(f"lost:{LOST.get(status, f'curl-{status}')}")
        said = []
    return found


def _how_many(wanted: dict[str, Any]) -> int:
    """How many requests it takes to see what is expected."""
    if {"each_of", "one_of", "some_of"} & set(wanted):
        return 10
    return sum(wanted.values())


def _compare(found: Answers, wanted: dict[str, Any], what: str) -> None:
    """Compare answers with what is expected of them.

    Exact numbers stand where the scheduler makes them so: from ports that it does not know, rr and wrr take turns. Else
    it is each_of some, who all answer, or one_of some, who answers alone.
    """
    if "each_of" in wanted:
        assert set(found) == set(wanted["each_of"]), f"{what}: {found}"
    elif "some_of" in wanted:
        assert found, what
        assert set(found) <= set(wanted["some_of"]), f"{what}: {found}"
    elif "one_of" in wanted:
        assert len(found) == 1, f"{what}: {found}"
        assert set(found) <= set(wanted["one_of"]), f"{what}: {found}"
    else:
        assert found == Counter(wanted), what


@pytest.fixture(scope="session")
def scenario() -> Scenario:
    return Scenario()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what one step of molecule verifies in the order of PHASES: molecule sorts it by the paths of the files."""
    items.sort(key=lambda item: PHASES.index(item.path.parent.name))
