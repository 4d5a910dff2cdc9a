# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print docs/compatibility.md: what was run with what, when, and what came of it.

The matrix takes hours, so it may be run in pieces and on several machines. What became of each part is kept in
record.json beside this file until the part runs again, and the page is made of that.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_SEEN = re.compile(r"^SEEN (\S+) (\S+)$", re.MULTILINE)
_RELEASES = {"": "Debian 12", "trixie-": "Debian 13"}
_HEAD = """\
# What it was tried with

`make matrix` ran all of this and wrote this page. It says what was run, with which versions, when, and
what came of it; what is not here was not tried. Where the machine of the run did not have a Python, the row says so.
"""
_REST = """\
## Not tried

- **Hosts:** Ubuntu, and the RHEL family. The names of their packages and services are variables of the roles.
  keepalived, ipvsadm, systemd and the kernel are the same programs there; what was tried is these programs as Debian
  builds them.
- **Machines:** other processors than x86-64.
"""


def main(results: Path, logs: Path, record: Path) -> None:
    """Print the page, of the record with what the last run adds to it."""
    found = json.loads(record.read_text()) if record.exists() else {}
    ran = {name: entry for name, entry in json.loads(results.read_text()).items() if "on" in entry}
    found |= {name: _part(entry, logs / f"{name}.log") for name, entry in ran.items()}
    found = dict(sorted(found.items()))
    record.write_text(json.dumps(found, indent=1) + "\n")
    seen = {name: entry["seen"] for name, entry in found.items()}
    print("\n".join([_HEAD, *_page(found, seen), _REST]), end="")


def _part(entry: Mapping[str, Any], log: Path) -> dict[str, Any]:
    """What became of a part that has run, and what it met."""
    text = log.read_text(errors="replace") if log.exists() else ""
    is_missing = "NOT TESTED: " in text and entry["result"] == "passed"
    result = "not tried: no such Python there" if is_missing else entry["result"]
    return {"result": result, "on": entry["on"], "seen": dict(_SEEN.findall(text))}


def _page(found: Mapping[str, Any], seen: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    yield from _section(
        "Controllers",
        "The unit tests of what runs on the controller, but for the slow ones, and `site` twice, `plan`, `verify`, "
        "`status`, `adopt`, `drain` and `teardown` on four hosts of Debian 12, by each ansible-core on each Python.",
        ("ansible-core", "Python", *_OUTCOME),
        [
            (seen[name].get("ansible-core", core), seen[name].get("Python", python), *_outcome(found[name]))
            for name, core, python in _named(found, r"controller-([\d.]+)-([\d.]+)")
        ],
    )
    versions = {release: seen.get(f"{prefix}versions", {}) for prefix, release in _RELEASES.items()}
    yield from _section(
        "Hosts",
        "What the hosts of the lab have. The kernel is User-Mode Linux of Debian 13; the stock kernels are below.",
        ("", *versions),
        [(name, *(each.get(name, "?") for each in versions.values())) for name in versions["Debian 12"]],
    )
    yield from _section(
        "Topologies on Debian 13",
        "Every scenario of `molecule/`, which `make test-all` runs on Debian 12, with all hosts of Debian 13; and `ha` "
        "with one director of each, which take over from each other.",
        ("scenario", *_OUTCOME),
        [
            *((name, *_outcome(found[part])) for part, name in _named(found, r"trixie-molecule-(\w+)")),
            *(("ha, one director of each", *_outcome(found[name])) for name in ("two-releases",) if name in found),
        ],
    )
    yield from _section(
        "Firewalls",
        "`lvs_firewall` behind an operator's firewall that drops by default what comes in, passes and leaves, on "
        "Debian 12: `check` names it, `manage` has clients served by each method, also after the firewall has read its "
        "rules anew (reload), after a power cut (reboot), by the other director of a pair (failover), and with "
        "`net.ipv4.vs.conntrack` 0 (untracked); after teardown the rules are as before. See [firewalls](firewalls.md).",
        ("firewall", "with", *_METHODS, *_OUTCOME),
        [_of_firewall(name, seen[part], found[part]) for part, name in _named(found, r"firewall-([a-z-]+)")],
    )
    yield from _section(
        "Modules",
        "Kernel tests: the modules against a kernel, judged by ipvsadm, ip, sysctl and nft. `make test` runs those of "
        "Debian 12 every time, with nft on its own kernel 6.1, and the examples on Python 3.8 and 3.13.",
        ("what", "release", "with", *_OUTCOME),
        [*_of_modules(found, versions)],
    )


_OUTCOME = ("result", "on")


def _outcome(entry: Mapping[str, Any]) -> tuple[str, str]:
    return entry["result"], entry["on"]


def _named(found: Mapping[str, Any], pattern: str) -> list[tuple[str, ...]]:
    """The parts whose names have a form, and what stands in its groups, in the order of their versions."""
    matches = [(name, *match.groups()) for name in found if (match := re.fullmatch(pattern, name))]
    return sorted(matches, key=lambda each: [[int(number) for number in re.findall(r"\d+", word)] for word in each])


_METHODS = ("dr", "tun", "nat", "fullnat")
_STEPS = ("manage", "reload", "reboot", "failover", "untracked", "teardown")


def _of_firewall(name: str, seen: Mapping[str, str], entry: Mapping[str, Any]) -> tuple[str, ...]:
    versions = ", ".join(f"{what} {version}" for what, version in seen.items() if ":" not in what)
    steps = (", ".join(step for step in _STEPS if f"{method}:{step}" in seen) or "none" for method in _METHODS)
    return (name, versions, *steps, *_outcome(entry))


def _of_modules(found: Mapping[str, Any], versions: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, ...]]:
    for name, python in _named(found, r"kernel-python([\d.]+)"):
        yield "the examples of every module", "Debian 12", f"Python {python} (pyenv)", *_outcome(found[name])
    for name, prefix, pyroute2, part in _named(found, r"(trixie-|)(debian-pyroute2-|)kernel-(ipvs|net|nft)"):
        release = _RELEASES[prefix]
        debians = versions[release].get("python3-pyroute2", "?")
        what = "nft, and tunnels, on the stock kernel" if part == "nft" else f"all of kernel-{part}"
        with_what = f"pyroute2 {debians}" if pyroute2 else "pyroute2 of PyPI"
        yield what, release, with_what, *_outcome(found[name])


def _section(title: str, text: str, columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    if rows:
        yield f"## {title}\n\n{text}\n"
        yield "\n".join(f"| {' | '.join(row)} |" for row in (columns, ("---",) * len(columns), *rows)) + "\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]))
