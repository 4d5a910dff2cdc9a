# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pair of directors and its real servers behind a firewall that drops all that it does not know.

Argument: one of tests/matrix/firewalls/firewalls.yml. Where that needs emulated hosts, -pair at its end closes two
directors in place of a director and a real server. Each thing that was shown is printed as SEEN, for the matrix.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import functools
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

CHECKOUT = Path(__file__).resolve().parents[2]
OWN = CHECKOUT / "tests/matrix/firewalls"
# What the client asks for each method, and who answers.
REQUESTS = {
    "dr": ("http://192.168.50.100/", "web1"),
    "tun": ("http://192.168.50.101/", "web1"),
    "nat": ("http://192.168.50.100:8080/", "app1"),
    "fullnat": ("http://192.168.50.100:8081/", "app1"),
}
# A client whom each operator refuses, and one of whom no rule speaks.
REFUSED, STRANGER = "203.0.113.10", "198.18.0.10"
# How long a state may take to come on a machine that does much else.
LIMIT = 600
ANSI = {"ANSIBLE_PIPELINING": "1", "ANSIBLE_FORKS": "10", "ANSIBLE_HOST_KEY_CHECKING": "0", "ANSIBLE_NOCOLOR": "1"}


class Failed(Exception):
    """Something is not as it has to be."""


class Trial:
    """The hosts, and what is done with them."""

    def __init__(self, name: str) -> None:
        known, is_emulated_pair = name.removesuffix("-pair"), name.endswith("-pair")
        firewall = yaml.safe_load((OWN / "firewalls.yml").read_text())[known]
        if is_emulated_pair and firewall.get("backend") != "qemu":
            raise Failed(f"{known} has a pair by itself: say {known}")
        network = yaml.safe_load((OWN / "network.yml").read_text())
        self.firewall, self.methods = firewall, dict(REQUESTS)
        self.place = CHECKOUT / ".cache/matrix" / f"firewall-{name}"
        self.place.mkdir(parents=True, exist_ok=True)
        self.lab = network["name"] = firewall["lab"] + ("-2" if is_emulated_pair else "")
        self.hosts = yaml.safe_load((OWN / "hosts.yml").read_text())
        self.is_pair = firewall.get("backend") != "qemu"
        self.closed = ["lb1", "lb2", "web1", "app1"]
        if is_emulated_pair:
            # Only the directors are emulated, and have a firewall.
            self.is_pair, self.closed = True, ["lb1", "lb2"]
            for host in self.closed:
                network["hosts"][host]["backend"] = "qemu"
        elif not self.is_pair:
            # Emulated machines take too long for a pair, and for more than two hosts.
            self.closed = ["lb1", "web1"]
            del network["hosts"]["lb2"]
            self.hosts["lvs_directors"] = {"hosts": {"lb1": {"lvs_address": "10.0.0.21"}}}
            for host in self.closed:
                network["hosts"][host]["backend"] = "qemu"
        self.network, self.inventory = self.place / "network.yml", self.place / "inventory.yml"
        self.network.write_text(yaml.safe_dump(network, sort_keys=False))
        (self.place / "hosts.yml").write_text(yaml.safe_dump(self.hosts, sort_keys=False))
        self.extra: list[str] = []

    def command(self, *words: str) -> None:
        """Call the lab."""
        subprocess.run([str(CHECKOUT / "lab/lab"), *words], check=True)

    def run(self, host: str, script: str) -> str:
        """What a script on a host prints; both of its outputs where it fails."""
        ssh = ["ssh", "-F", str(CHECKOUT / ".cache/lab/run" / self.lab / "ssh_config"), host, "sh -eu"]
        done = subprocess.run(ssh, input=script, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"{host}: {script}\n{done.stdout}{done.stderr}")
        return done.stdout

    def playbook(self, name: str, *arguments: str, may_fail: bool = False) -> str:
        """What a playbook prints."""
        command = ["ansible-playbook", "-i", str(self.place / "hosts.yml"), "-i", str(self.inventory)]
        done = subprocess.run(
            [*command, f"lvs.topology.{name}", *arguments, *self.extra],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **ANSI},
        )
        said = done.stdout + done.stderr
        (self.place / f"{name}.log").write_text(said)
        if done.returncode and not may_fail:
            raise Failed(said)
        return said

    def site(self, firewall: str, *arguments: str) -> list[str]:
        """What site changes, a host each."""
        said = self.playbook("site", "-e", f"lvs_firewall={firewall}", *arguments)
        recap = re.findall(r"^(\S+) +: .*changed=(\d+)", said, re.MULTILINE)
        if not recap:
            raise Failed(f"site did nothing on any host:\n{said}")
        return [host for host, count in recap if int(count)]

    def findings(self, firewall: str) -> list[dict[str, str]]:
        """What verify finds that is more than worth knowing."""
        report = self.place / "verify.json"
        report.unlink(missing_ok=True)
        self.playbook("verify", "-e", f"lvs_firewall={firewall}", "-e", f"lvs_verify_report={report}", may_fail=True)
        return [each for each in json.loads(report.read_text())["findings"] if each["degree"] != "worth knowing"]

    def finds_nothing(self, when: str) -> None:
        """See that verify has nothing to say: everything is as site would make it."""
        if found := self.findings("manage"):
            raise Failed(f"verify finds something {when}: {found}")

    def answered(self, count: int = 5, patience: int = 20) -> dict[str, int]:
        """How many requests by each method are answered by whom they should be."""
        found = {}
        for method, (url, who) in self.methods.items():
            said = self.run("client", f"for i in $(seq {count}); do curl -s -m {patience} {url} || echo lost; done")
            found[method] = said.split().count(who)
        return found

    def serves(self, what: str, step: str = "") -> None:
        """Wait until each method serves, then see that all requests are answered. That is a step for the matrix."""
        everything = dict.fromkeys(self.methods, 5)
        wait(f"every method serves: {what}", lambda: self.answered() == everything)
        found = self.answered()
        if found != everything:
            raise Failed(f"{what}: {found}")
        for method in self.methods:
            seen(method, step or what)

    def listings(self) -> dict[str, list[str]]:
        """What the firewall of each host is, without what counts or says when."""
        found = {}
        for host, text in self.on_each(self.firewall["listed"]).items():
            still = re.sub(r"\[\d+:\d+\]|packets \d+ bytes \d+", "", text)
            found[host] = [line.rstrip() for line in still.splitlines() if not line.startswith("#")]
        return found

    def is_master(self, director: str) -> bool:
        return "192.168.50.100/" in self.run(director, "ip -o address")

    def on_each(self, script: str) -> dict[str, str]:
        """What a script prints on each host with a firewall."""
        with concurrent.futures.ThreadPoolExecutor() as pool:
            return dict(zip(self.closed, pool.map(lambda host: self.run(host, script), self.closed)))


def wait(what: str, condition: Callable[[], Any]) -> None:
    """Look until a condition holds."""
    deadline = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > deadline:
            raise Failed(f"not within {LIMIT} s: {what}")
        time.sleep(2)


def seen(method: str, step: str) -> None:
    print(f"SEEN {method}:{step} yes", flush=True)


def say(what: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {what}", flush=True)


def differing(before: list[str], after: list[str]) -> str:
    gone = [f"- {line}" for line in before if line not in after]
    return "\n".join([*gone, *(f"+ {line}" for line in after if line not in before)]) or "another order"


def try_all(trial: Trial) -> None:
    """Everything, in the order in which an operator would meet it."""
    say("the firewall of each host")
    trial.on_each(trial.firewall["set_up"])
    for name in trial.firewall["versions"]:
        said = trial.run("lb1", f"dpkg-query -W -f '${{Version}}' {name}").strip()
        print(f"SEEN {name} {said}", flush=True)
    print(f"SEEN kernel {trial.run('lb1', 'uname -r').strip()}", flush=True)
    before = trial.listings()
    try_check(trial)
    say("manage")
    trial.site("manage")
    trial.serves("manage")
    try_refused(trial)
    try_disturbances(trial)
    if trial.is_pair:
        try_failover(trial)
    if not trial.firewall.get("needs_conntrack"):
        say("without FULLNAT")
        del trial.methods["fullnat"]
        trial.site("manage", "-e", "with_fullnat=false")
        trial.serves("net.ipv4.vs.conntrack is 0", "untracked")
    say("teardown")
    trial.playbook("teardown")
    for host, after in trial.listings().items():
        if after != before[host]:
            raise Failed(f"{host}: after teardown the firewall is another one:\n{differing(before[host], after)}")
    for method in REQUESTS:
        seen(method, "teardown")


def try_check(trial: Trial) -> None:
    """Nothing is let pass, and that is said of each host."""
    say("check")
    trial.site("check")
    warned = (trial.place / "site.log").read_text()
    for host in trial.closed:
        if f"{host}: its packet filter drops" not in warned:
            raise Failed(f"check says nothing of {host}:\n{warned}")
    print(*re.findall(r"^.*its packet filter drops.*", warned, re.MULTILINE), sep="\n", flush=True)
    if trial.is_pair:
        # Emulated machines that are no pair are asked once, in the end.
        named = {each["host"] for each in trial.findings("check") if "its packet filter drops" in each["what"]}
        if named != {*trial.closed}:
            raise Failed(f"verify names what is dropped by {named} only")
    if any((answered := trial.answered(1, 3)).values()):
        raise Failed(f"the firewall lets something pass: {answered}")


def try_refused(trial: Trial) -> None:
    """Whom a rule of the operator refuses on a director comes to no service, and anybody else does."""
    say("refused clients")
    directors = [host for host in trial.closed if host.startswith("lb")]
    for address, is_refused in ((REFUSED, True), (STRANGER, False)):
        trial.run("client", f"ip address replace {address}/32 dev lo")
        for method, (url, _who) in trial.methods.items():
            # The answer need not find its way back: the first packet is what makes an entry.
            trial.run("client", f"curl -s -m 3 --interface {address} {url} || true")
            service = urlsplit(url).netloc if urlsplit(url).port else f"{urlsplit(url).netloc}:80"
            entries = [line for each in directors for line in trial.run(each, "ipvsadm -Lnc").splitlines()]
            comes = any(f" {address}:" in line and f" {service} " in line for line in entries)
            if comes is is_refused:
                raise Failed(f"{method}: {address} {'comes in' if comes else 'is kept out'}")


def try_disturbances(trial: Trial) -> None:
    """The firewall reads its rules anew, and the power of every host is cut."""
    if trial.is_pair:
        trial.finds_nothing("after site")
    for reload in trial.firewall["reload"]:
        say(reload)
        trial.on_each(reload)
        trial.serves(reload, "reload")
    if trial.is_pair:
        trial.finds_nothing("after a reload")
    say("power cut")
    trial.command("reboot", trial.lab, *trial.closed, "--power-cut")
    trial.serves("reboot")
    trial.finds_nothing("after a reboot")


def try_failover(trial: Trial) -> None:
    """Each director takes over from the other."""
    say("failover")
    for director, other in (("lb1", "lb2"), ("lb2", "lb1")):
        trial.run(other, "systemctl start keepalived")
        trial.run(director, "systemctl stop keepalived")
        wait(f"{other} is master", functools.partial(trial.is_master, other))
        trial.serves(f"{other} took over", "failover")
    trial.run("lb2", "systemctl start keepalived")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("firewall")
    parser.add_argument("--keep", action="store_true", help="leave the lab running")
    arguments = parser.parse_args()
    try:
        trial = Trial(arguments.firewall)
    except Failed as problem:
        print(problem, file=sys.stderr)
        return 1
    try:
        trial.command("up", str(trial.network), f"--inventory={trial.inventory}")
        try_all(trial)
    except Failed as problem:
        print(problem, file=sys.stderr)
        return 1
    finally:
        if not arguments.keep:
            trial.command("down", trial.lab)
    return 0


if __name__ == "__main__":
    sys.exit(main())
