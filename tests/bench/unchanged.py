# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long a run of site takes that changes nothing, on the hosts of a scenario.

Beside it, on the same hosts: the same topology by builtin modules (builtin.yml, for the scenario dr), or another
checkout of this collection. The two take turns, so that a machine that is busy for a while slows both. Only the ratios
say something.
"""

from __future__ import annotations

import argparse
import os
import re
import resource
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from hosts import CACHE, CHECKOUT, HERE, booted, network_of

# How often one checkout runs before it is the turn of the other.
_BLOCK = 2
_CHANGED = re.compile(r"changed=(\d+)\s.*failed=0")


@dataclass
class Times:
    """Seconds of each run, and of the controller's processors."""

    name: str
    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def line(self, other: Times | None = None) -> str:
        """The medians, and how many times as long this took as the other one."""
        said = f"{self.name:34}{median(self.wall):7.1f} s{median(self.processor):8.1f} s of the controller's processors"
        if other is not None:
            said += f"{median(self.wall) / median(other.wall):7.1f} times as long"
        return said


def _run(collections: Path, scenario: str, playbook: str, of: Path = CHECKOUT) -> tuple[float, float, str]:
    """Run a playbook with a checkout's inventory: its seconds, the controller's processor's, and what it printed."""
    plain = {"ANSIBLE_NOCOLOR": "1", "ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_PIPELINING": "1", "ANSIBLE_FORKS": "10"}
    here = {"ANSIBLE_HOST_KEY_CHECKING": "0", "ANSIBLE_COLLECTIONS_PATH": str(collections)}
    inventories = [
        "-i",
        str(CACHE / f"{scenario.replace('_', '-')}.yml"),
        "-i",
        str(of / "molecule" / scenario / "inventory"),
    ]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(
        ["ansible-playbook", *inventories, playbook],
        env={**os.environ, **plain, **here},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    after, seconds = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - start
    if done.returncode != 0:
        sys.exit(f"{playbook} failed:\n{done.stdout}")
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, used, done.stdout


def _unchanged(times: Times, collections: Path, scenario: str, playbook: str, of: Path = CHECKOUT) -> None:
    """Run once more, see that nothing changes, and keep the times."""
    seconds, used, said = _run(collections, scenario, playbook, of)
    changes = _CHANGED.findall(said)
    if not changes or any(each != "0" for each in changes):
        sys.exit(f"{playbook} was to change nothing:\n{said}")
    times.wall.append(seconds)
    times.processor.append(used)


def tree(checkout: Path) -> Path:
    """A collections path with that checkout in it."""
    path = CACHE / "base"
    link = path / "ansible_collections/lvs/topology"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(checkout.resolve())
    return path


def main() -> None:
    """Print the medians of both, and their ratio."""
    parser = argparse.ArgumentParser(description="How long a run of site takes that changes nothing.")
    parser.add_argument("--scenario", default="dr", help="whose hosts and inventory (default: dr)")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each (default: 5)")
    parser.add_argument("--base", type=Path, help="a checkout to compare with (default: builtin modules, for dr)")
    options = parser.parse_args()
    if options.base and not (options.base / "galaxy.yml").is_file():
        parser.error(f"--base: {options.base} is no checkout of a collection")
    if not options.base and options.scenario != "dr":
        parser.error("builtin.yml is for the scenario dr; give --base for others")
    ours = CHECKOUT / ".cache/collections"
    here, there = Times("site"), Times(f"site of {options.base.name}" if options.base else "builtin modules")
    with booted(network_of(options.scenario)):
        if options.base:
            _in_blocks(options, ((here, ours), (there, tree(options.base))))
        else:
            builtin = str(HERE / "builtin.yml")
            _run(ours, options.scenario, "lvs.topology.site")
            _run(ours, options.scenario, builtin)
            for _round in range(options.rounds):
                _unchanged(here, ours, options.scenario, "lvs.topology.site")
                _unchanged(there, ours, options.scenario, builtin)
    print(f"\nScenario {options.scenario}, nothing to change, medians of {options.rounds}")
    print(here.line())
    print(there.line(here))


def _in_blocks(options: argparse.Namespace, both: tuple[tuple[Times, Path], ...]) -> None:
    """Neither checkout reads the other's ledger, so each starts anew, runs some times, and is taken away again.

    Both have the inventory of the base, which may not know all keys of ours.
    """
    for first in range(0, options.rounds, _BLOCK):
        for times, collections in both:
            _run(collections, options.scenario, "lvs.topology.site", options.base)
            for _round in range(first, min(first + _BLOCK, options.rounds)):
                _unchanged(times, collections, options.scenario, "lvs.topology.site", options.base)
            _run(collections, options.scenario, "lvs.topology.teardown", options.base)


if __name__ == "__main__":
    main()
