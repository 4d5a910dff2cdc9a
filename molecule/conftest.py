# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A scenario's hosts, what must come out on them, and the means to look."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
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


class Scenario:
    """The hosts of the scenario by name, and the hand-written expectations."""

    def __init__(self) -> None:
        # Names of labs have no underscores.
        self.name = SCENARIO.name.replace("_", "-")
        self.directory = SCENARIO
        # What prepare.yml ran before anything was changed, as one command of the shell.
        self.snapshot = (SHARED / "snapshot.sh").read_text()
        self.expected: dict[str, Any] = yaml.safe_load((SCENARIO / "expected.yml").read_text())
        ssh_config = str(PROJECT / ".cache/lab/run" / self.name / "ssh_config")
        self.hosts: dict[str, Any] = {
            name: testinfra.get_host(f"ssh://{name}", ssh_config=ssh_config)
            for name in yaml.safe_load(INVENTORY.read_text())["all"]["hosts"]
        }
        self.directors: list[str] = self.expected.get("directors", ["director"])

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

    def lab(self, *arguments: str) -> str:
        """Run the lab's own command."""
        return subprocess.run([LAB, *arguments], check=True, capture_output=True, text=True).stdout

    def lab_process(self, *command: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start a command beside the hosts, where their LANs are visible."""
        return subprocess.Popen([LAB, "exec", self.name, "--", *command], **options)

    def playbook(self, *arguments: str) -> str:
        """Run ansible-playbook on the scenario's inventory, and what it printed."""
        result = self.try_playbook(*arguments)
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def try_playbook(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ansible-playbook on the scenario's inventory, whatever comes of it."""
        command = ["ansible-playbook", "--inventory", str(SCENARIO / "inventory"), "--inventory", str(INVENTORY)]
        plain = {**os.environ, "ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_NOCOLOR": "1"}
        return subprocess.run([*command, *arguments], check=False, capture_output=True, text=True, env=plain)

    def answers(self, url: str, count: int = 20) -> Counter[str]:
        """How often each real server answered requests of the client, one connection each."""
        return self.asked(f"curl --silent --max-time 5 {url}", count)

    def asked(self, command: str, count: int) -> Counter[str]:
        """How often each real server answered a command of the client that prints who did."""
        lines = self.run("client", f"for i in $(seq {count}); do {command} || echo lost; done")
        return Counter(lines.replace('"', "").split())

    @contextlib.contextmanager
    def load(self) -> Iterator[Counter[str]]:
        """Requests of the client, one after the other, while the body runs; who answered them, or lost."""
        url = self.expected["url"]
        request = f"curl --silent --max-time 2 {url} || echo lost; sleep 0.02"
        loop = f"rm -f /tmp/enough; while [ ! -e /tmp/enough ]; do {request}; done"
        self.run("client", f"nohup sh -c '{loop}' >/tmp/load 2>&1 &")
        counted: Counter[str] = Counter()
        time.sleep(2)
        try:
            yield counted
            time.sleep(2)
        finally:
            counted.update(self.run("client", "touch /tmp/enough; sleep 2; cat /tmp/load").split())

    @contextlib.contextmanager
    def claims(self, capture: Path, vip: str = "") -> Iterator[set[str]]:
        """The MAC addresses that say on the LAN that a VIP is theirs while the body runs.

        The VIP is asked for over and over from the LAN itself, which no host's reboot interrupts.
        """
        bridge, vip = f"lan-{self.expected['arp']['lan']}", vip or self.expected["vip"]
        ask = 'while :; do arping -q -D -c 1 -w 1 -I "$1" "$2"; sleep 0.2; done'
        found: set[str] = set()
        with capture.open("w") as output:
            watcher = self.lab_process("tcpdump", "-l", "-n", "-e", "-i", bridge, "arp", stdout=output)
            asker = self.lab_process("sh", "-c", ask, "ask", bridge, vip, stdout=subprocess.DEVNULL)
            try:
                yield found
                time.sleep(2)
            finally:
                for process in (asker, watcher):
                    process.terminate()
                    process.wait(10)
        reply = rf"Reply {re.escape(vip)} is-at (\S+),"
        request = rf"who-has \S+.* tell {re.escape(vip)},"
        for line in capture.read_text().splitlines():
            claim = re.match(rf"\S+ (\S+) > .*(?:{reply}|{request})", line)
            if claim:
                found.update({claim[1], claim[2] or claim[1]})

    def arp_owner(self) -> str:
        """The MAC address that alone may claim the VIP."""
        arp = self.expected["arp"]
        return self.run(self.called(arp["owner"]), f"cat /sys/class/net/{arp['interface']}/address")

    def check(self, phase: str) -> None:
        """Compare the hosts with what is expected in a phase."""
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
            found_values = {key: self.run(host, f"sysctl -n {key}") for key in values}
            assert found_values == values, host
        if "settings" in expected:
            settings = self.run("director", "ipvsadm -Ln --timeout; ipvsadm -Ln --daemon")
            assert [line for line in settings.split("\n") if line] == expected["settings"].strip().split("\n")
        assert self.answers(self.expected["url"]) == Counter(expected["answers"])
        for request in expected.get("requests", ()):
            answers = Counter(request["answers"])
            assert self.asked(request["ask"], answers.total()) == answers, request["ask"]


@pytest.fixture(scope="session")
def scenario() -> Scenario:
    return Scenario()


@pytest.fixture(scope="session")
def before() -> Callable[[str], str]:
    """The picture of a host that was taken before anything was changed."""
    directory = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])
    return lambda host: (directory / f"before-{host}.txt").read_text()
