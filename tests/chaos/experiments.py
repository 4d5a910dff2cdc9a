# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Something is broken by hand under load: verify names it in one line, what it prints repairs it, nobody else notices.

The experiments are in experiments.yml. At the end of each, verify says nothing of the site; so what it said before came
from what was broken.
"""

from __future__ import annotations

import contextlib
import difflib
import json
import re
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Iterable, Iterator, Mapping

import yaml

from . import measure
from .hosts import CACHE, CHECKOUT, HERE, PATIENT, ROOM, Failed, Hosts, changed, say
from .measure import Owners, Record
from .table import Result, Table

FILE = HERE / "experiments.yml"
COLUMNS = [
    *("experiment", "in", "verify said", "repaired by"),
    *("requests", "lost", "slowest, s", "not counted until then", "of these", "lost", "silent again"),
]
# Requests a second for each service. They are few, because the hosts and the load share the processors.
RATE = 4
# How often verify is asked at most: where each of its lines repairs a part, and until health checks had their time.
ROUNDS = 3
_PICTURE = CHECKOUT / "molecule/shared/snapshot.sh"
# The repair that is not typed.
_SITE = "site"
# A connection without an answer is in the director's list for 60 seconds (SYN_RECV).
_PAUSE = 10
# Otherwise verify would say that netfilter's table is full.
_TRACKED = " && ".join(f"sysctl -qe -w {name}={value}" for name, value in ROOM.items())
# What clients notice may always be said.
_OF_CLIENTS = "^(broken|at risk): client: "


@dataclass(frozen=True)
class Experiment:
    """What is broken by hand on which hosts, what verify says of it, and what puts it right."""

    name: str
    scenario: str
    #: By host, the commands.
    breaks: Mapping[str, str]
    #: The line of verify, as a regular expression: degree, host, what is.
    says: str
    #: The steps: site; a regular expression whose group is a command that the line prints; commands by host.
    repair: list[Any]
    #: Real servers whose clients notice it: what they get meanwhile is not counted.
    touched: list[str] = field(default_factory=list)
    #: Services of which no client gets through meanwhile.
    down: list[str] = field(default_factory=list)
    #: What verify may say besides: of the same cause.
    besides: str = "$^"
    #: Whether the line is about one of several that are alike, each of which has its command.
    again: bool = False
    #: Those of one number are broken at once, because they do not hide each other, and a run of site takes a while.
    round: int = 0
    #: By host, what is to be done before the hosts are as they were: where a rule that lets packets pass was added.
    afterwards: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Scenario:
    """A lab with its inventory, as a scenario of molecule has them, and the services under load."""

    network: Path
    inventory: Path
    targets: list[str]
    prepare: Path | None = None
    #: Services on which nobody serves, and which the experiments do without.
    without: list[str] = field(default_factory=list)
    #: What the inventory says otherwise.
    variables: dict[str, Any] = field(default_factory=dict)

    def model(self) -> dict[str, Any]:
        """The inventory."""
        content: dict[str, Any] = yaml.safe_load(self.inventory.read_text())
        content["all"]["vars"].update(self.variables)
        services = content["all"]["vars"]["lvs_services"]
        content["all"]["vars"]["lvs_services"] = [each for each in services if each["name"] not in self.without]
        content.setdefault("lvs_clients", {"hosts": {"client": None}})
        return content


def scenarios() -> dict[str, Scenario]:
    """By name, from experiments.yml."""
    found = {}
    for name, given in yaml.safe_load(FILE.read_text())["scenarios"].items():
        place = CHECKOUT / given.pop("place", f"molecule/{name}")
        inventory = next(path for path in (place / "inventory/hosts.yml", place / "inventory.yml") if path.exists())
        prepare = place / "prepare.yml"
        if not (given.pop("prepare", True) and prepare.exists()):
            prepare = None
        found[name] = Scenario(place / "network.yml", inventory, prepare=prepare, **given)
    return found


def experiments() -> list[Experiment]:
    """All of experiments.yml."""
    found = []
    for given in yaml.safe_load(FILE.read_text())["experiments"]:
        repair = given.pop("repair", _SITE)
        found.append(Experiment(repair=repair if isinstance(repair, list) else [repair], **given))
    return found


def rounds(scenario: str) -> list[list[Experiment]]:
    """The experiments of a scenario that are made at once, one after the other."""
    found: dict[int, list[Experiment]] = {}
    for each in experiments():
        if each.scenario == scenario:
            found.setdefault(each.round, []).append(each)
    return [*found.values()]


def run(scenario: str) -> Result:
    """The experiments of one scenario."""
    return Site(scenarios()[scenario]).all(rounds(scenario))


class Site:
    """A site that runs, and what is seen of it."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.hosts = Hosts(scenario.network)
        self.model = scenario.model()
        services = {each["name"]: each for each in self.model["all"]["vars"]["lvs_services"]}
        self.targets = {
            name: (services[name]["address"].partition("/")[0], services[name]["port"]) for name in scenario.targets
        }
        self.result = Result()
        #: What verify last said that it did not look at, and what it never looks at on this site.
        self.unseen: set[str] = set()
        self.never_seen: set[str] = set()

    def all(self, rounds: Iterable[list[Experiment]]) -> Result:
        """Boot the site, and do to it what is to be done."""
        table = Table("What is broken by hand", COLUMNS)
        try:
            self.hosts.up()
            if self.scenario.prepare:
                self.hosts.playbook(str(self.scenario.prepare), self.model)
            self.hosts.playbook("site", self.model)
            for director in self.model["lvs_directors"]["hosts"]:
                self.hosts.run(director, _TRACKED)
            self.begin()
            for chosen in rounds:
                say(f"{self.hosts.name}: {' + '.join(each.name for each in chosen)}")
                table.rows += self.round(chosen)
        finally:
            self.hosts.down()
        self.result.tables.append(table)
        return self.result

    def begin(self) -> None:
        """See that verify says nothing of the site before anything is broken, and remember what it does not look at."""
        found = self.verify()
        said = [_line(each) for each in found if _fails(each)]
        if said:
            raise Failed(f"verify says before anything is broken: {said}")
        self.never_seen = self.unseen

    def round(self, chosen: list[Experiment]) -> list[list[Any]]:
        """Rows of the table: all of these are broken at once, and put right one after the other."""
        owners = Owners()
        breaks = [(self.called(host), command) for each in chosen for host, command in each.breaks.items()]
        afterwards = [(self.called(host), command) for each in chosen for host, command in each.afterwards.items()]
        before = {host: self.picture(host) for host, _command in breaks}
        with self.hosts.load(self.targets, RATE, PATIENT) as load, self.looking(owners):
            for host, command in breaks:
                self.hosts.run(host, command)
            said = self.heard(chosen)
            repaired = [self.type(each, said[each.name]) for each in chosen]
            if any(_SITE in each.repair for each in chosen):
                touched = changed(self.hosts.playbook("site", self.model))
                self.must({*touched} <= {*before}, chosen[0], f"site changed {touched}")
            done = load.mark("done")
            left = self.silence(chosen)
            record = load.finish()
        for host, command in afterwards:
            self.hosts.run(host, command)
        for host, picture in before.items():
            after = self.picture(host)
            self.must(after == picture, chosen[0], f"{host} is not as before: {_difference(picture, after)}")
        counted = self.counted(chosen, record, owners, done)
        lost = measure.failed(counted)
        self.must(bool(counted), chosen[0], "no request is left to count, so nothing was measured")
        self.must(not lost, chosen[0], f"{len(lost)} requests lost, first: {lost[:1]}")
        others = (len(record.requests) - len(counted), len(measure.failed(record.requests)) - len(lost))
        say(f"{len(counted)} requests counted, {len(lost)} of them lost; of {others[0]} others {others[1]}")
        figures = [
            len(counted),
            len(lost),
            measure.slowest(counted),
            _not_counted(chosen),
            *others,
            "NO" if left else "yes",
        ]
        return [
            [each.name, each.scenario, _line(line) if line else "NOTHING", "; ".join(how), *figures]
            for each, line, how in zip(chosen, said.values(), repaired)
        ]

    def counted(self, chosen: list[Experiment], record: Record, owners: Owners, done: float) -> list[measure.Request]:
        """The requests that have to be answered."""
        hosts = {host for each in chosen for host in each.touched}
        touched = hosts | {address for host, address in self.addresses() if host in hosts}
        services = {name: endpoint(*where) for name, where in self.targets.items()}
        return measure.counted(record, owners, services, touched, {name for each in chosen for name in each.down}, done)

    def heard(self, chosen: list[Experiment]) -> dict[str, Mapping[str, str] | None]:
        """By experiment the line of verify that is meant; whatever else it says has to follow from the same causes."""
        for _round in range(ROUNDS):
            found = self.verify()
            said = {each.name: _first(found, each) for each in chosen}
            if all(said.values()):
                break
        for each in chosen:
            self.must(bool(said[each.name]), each, f"verify does not say {each.says}: {[*map(_line, found)]}")
        for line in map(_line, filter(_fails, found)):
            known = any(re.search(form, line) for each in chosen for form in (each.says, each.besides, _OF_CLIENTS))
            self.must(known, chosen[0], f"verify says besides: {line}")
        return said

    def silence(self, chosen: list[Experiment]) -> list[str]:
        """What verify goes on to say, once health checks had their time."""
        for _round in range(ROUNDS):
            found = self.verify()
            left = [_line(each) for each in found if _fails(each)]
            left += [_line(line) for each in chosen if (line := _first(found, each))]
            # Where it could not look, it says nothing as well.
            left += [f"not looked at: {each}" for each in sorted(self.unseen - self.never_seen)]
            if not left:
                return []
        self.must(False, chosen[0], f"verify goes on: {left}")
        return left

    def type(self, experiment: Experiment, said: Mapping[str, str] | None) -> list[str]:
        """Do what does not need site, and say all that puts it right.

        What verify printed is typed on the host of its line, and again for as long as it says the same of more.
        """
        done: list[str] = []
        for step in experiment.repair:
            if step == _SITE:
                done.append("site")
            elif isinstance(step, dict):
                for host, command in step.items():
                    self.hosts.run(self.called(host), command)
                    done.append(f"{host}: {command}")
            else:
                for _round in range(ROUNDS):
                    command = re.search(step, f"{said['what']} {said['remedy']}") if said else None
                    self.must(bool(command), experiment, f"nothing to type in: {said}")
                    if not said or not command:
                        break
                    self.hosts.run(said["host"], command[1])
                    done.append(command[1])
                    said = _first(self.verify(), experiment) if experiment.again else None
                    if not said:
                        break
        return done

    def must(self, kept: bool, experiment: Experiment, promise: str) -> None:
        """Note and tell a promise that was not kept."""
        if not kept:
            say(f"BROKEN {experiment.name}: {promise}")
        self.result.must(kept, f"{experiment.scenario}, {experiment.name}: {promise}")

    def verify(self) -> list[dict[str, str]]:
        """What verify finds."""
        report = CACHE / "verify.json"
        report.unlink(missing_ok=True)
        output = self.hosts.playbook("verify", self.model, "--extra-vars", f"lvs_verify_report={report}", check=False)
        if not report.exists():
            # Where what hosts say contradicts the inventory, nothing more is looked at.
            mistakes = re.findall(r'"msg": "(Nothing was looked at[^"]*)', output)
            if not mistakes:
                raise Failed(f"verify:\n{output}")
            lines = dict.fromkeys(line for each in mistakes for line in each.split("\\n")[1:])
            return [{"degree": "mistake", "host": "inventory", "what": line, "remedy": ""} for line in lines]
        said = json.loads(report.read_text())
        self.unseen = set(said["unseen"])
        found: list[dict[str, str]] = said["findings"]
        return found

    @contextlib.contextmanager
    def looking(self, owners: Owners) -> Iterator[None]:
        """Learn over and over from the directors which real server has which connection, because they forget it."""
        over = threading.Event()

        def look() -> None:
            while not over.wait(_PAUSE):
                for director in self.model["lvs_directors"]["hosts"]:
                    owners.add(self.hosts.run(director, "ipvsadm -Lnc", check=False))

        looker = threading.Thread(target=look)
        looker.start()
        try:
            yield
        finally:
            over.set()
            looker.join()

    def picture(self, host: str) -> str:
        """What an operator would look at, without schedulers that were loaded once."""
        lines = self.hosts.run(host, _PICTURE.read_text()).splitlines()
        return "\n".join(line for line in lines if not line.startswith("ip_vs_"))

    def addresses(self) -> Iterator[tuple[str, str]]:
        """The real servers and their addresses."""
        for host, given in self.model["lvs_real_servers"]["hosts"].items():
            addresses = given["lvs_address"]
            for address in [addresses] if isinstance(addresses, str) else addresses:
                yield host, address

    def called(self, name: str) -> str:
        """The host of that name; of a pair, master holds the VIPs, and backup does not."""
        if name not in ("master", "backup"):
            return name
        vip = self.model["all"]["vars"]["lvs_services"][0]["address"]
        directors: list[str] = list(self.model["lvs_directors"]["hosts"])
        holders = [each for each in directors if f" {vip}/" in self.hosts.run(each, "ip -o address")]
        if len(holders) != 1:
            raise Failed(f"masters: {holders or 'none'}")
        return next(each for each in directors if (each in holders) == (name == "master"))


def endpoint(address: str, port: int) -> str:
    """As ipvsadm writes it."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _line(finding: Mapping[str, str]) -> str:
    """The line without what clients notice; of a difference from the model, the remedy says which it is."""
    line = ": ".join(finding[key] for key in ("degree", "host", "what"))
    is_difference = finding["what"].endswith("not as the model has it")
    return line + (f". Remedy: {finding['remedy'].partition(' (or: ')[0]}" if is_difference else "")


def _fails(finding: Mapping[str, str]) -> bool:
    return finding["degree"] != "worth knowing"


def _first(found: Iterable[Mapping[str, str]], experiment: Experiment) -> Mapping[str, str] | None:
    """The finding that is meant."""
    return next((each for each in found if re.search(experiment.says, _line(each))), None)


def _not_counted(chosen: Iterable[Experiment]) -> str:
    """Which requests are not counted that began before all was repaired."""
    down = dict.fromkeys(f"all of {name}" for each in chosen for name in each.down)
    return ", ".join([*down, *dict.fromkeys(host for each in chosen for host in each.touched)]) or "-"


def _difference(before: str, after: str) -> str:
    """What is less, more, or at another place."""
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    return "; ".join(line[0] + line[2:] for line in lines if line[0] in "-+")
