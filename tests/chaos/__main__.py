# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command tests/chaos/run."""

from __future__ import annotations

import argparse
import functools
import json
import os
import sys
import time
from typing import Callable

from . import (
    active,
    active_pool,
    alerts_active,
    alerts_pair,
    changes,
    experiments,
    failures,
    interruptions,
    mishaps,
    pair,
    takeover,
)
from .table import Result, as_markdown, as_text, merged

# Those with the same model one after the other.
CASES: dict[str, Callable[[], Result]] = {
    "failover": failures.failover,
    "handover": failures.handover,
    "real-server": failures.real_server,
    "both-rebooted": failures.both_rebooted,
    "split": failures.split,
    "both-lost": mishaps.both_lost,
    "upgrade": mishaps.upgrade,
    "refused": changes.refused,
    "rolling": changes.rolling,
    "changes": changes.changes,
    "drift": changes.drift,
    "clock": changes.clock,
    "while-down": changes.while_down,
    "steady": changes.steady,
    "failover-fast": failures.failover_fast,
    "failover-alone": failures.failover_alone,
    "failover-others": failures.failover_others,
    "failover-fullnat": failures.failover_fullnat,
    "full": mishaps.full,
    "daemons": mishaps.daemons,
    "moving": changes.moving,
    "interrupted": interruptions.interrupted,
    "two-runs": interruptions.two_runs,
    "alerts-pair": alerts_pair.run,
    **{f"takeover-{origin}": functools.partial(takeover.takeover, origin) for origin in takeover.ORIGINS},
}
# Each in a lab of its own; the name before the dash stands for all of them.
ELSEWHERE: dict[str, Callable[[], Result]] = {
    f"experiments-{name}": functools.partial(experiments.run, name) for name in experiments.scenarios()
}
_ACTIVE: dict[str, Callable[[], Result]] = {
    "active-power": active.power,
    "active-cable": active.cable,
    "active-bird": active.bird,
    "active-drain": active.drain,
    "active-pool": active_pool.pool,
    "alerts-active": alerts_active.run,
}
GROUPS = {
    "experiments": list(ELSEWHERE),
    "takeover": [name for name in CASES if name.startswith("takeover-")],
    "active": [name for name in _ACTIVE if name.startswith("active-")],
    "alerts": ["alerts-pair", "alerts-active"],
}
ELSEWHERE |= _ACTIVE
RESULTS = pair.CACHE / "results"


def main() -> int:
    """Run cases, keep what they measured, and print it."""
    names = [*CASES, *ELSEWHERE]
    parser = argparse.ArgumentParser(
        prog="tests/chaos/run", description="What happens when things fail, or are broken by hand."
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"default: all of {', '.join(names)}")
    parser.add_argument("--report", action="store_true", help="run nothing, print what the last runs measured")
    parser.add_argument("--markdown", action="store_true", help="print as markdown")
    parser.add_argument("--keep", action="store_true", help="leave the lab running")
    options = parser.parse_args()
    for name in options.cases:
        if name not in names and name not in GROUPS:
            parser.error(f"there is no case {name}; there are {', '.join([*names, *GROUPS])}")
    chosen = [each for name in options.cases for each in GROUPS.get(name, [name])] or names
    if not options.report:
        _run(chosen, options.keep)
    files = {name: RESULTS / f"{name}.json" for name in chosen}
    results = {name: Result.from_data(json.loads(file.read_text())) for name, file in files.items() if file.exists()}
    print((as_markdown if options.markdown else as_text)(merged(results.values())), end="")
    broken = [f"{name}: {promise}" for name, result in results.items() for promise in result.broken]
    broken += [f"{name}: was not run to its end" for name in chosen if name not in results]
    for promise in broken:
        print(f"BROKEN  {promise}", file=sys.stderr)
    return 1 if broken else 0


def _run(names: list[str], keep: bool) -> None:
    RESULTS.mkdir(parents=True, exist_ok=True)
    for name in names:
        (RESULTS / f"{name}.json").unlink(missing_ok=True)
    failed = False
    try:
        for name in names:
            start = time.monotonic()
            pair.say(f"case {name}")
            try:
                if failed or name in ELSEWHERE:
                    # It may have left anything: a host that is off, a cable that is cut.
                    pair.down()
                if failed or name not in _ACTIVE:
                    active.down()
                if name in CASES:
                    pair.up()
                result = {**CASES, **ELSEWHERE}[name]()
            except pair.Failed as error:
                pair.say(f"case {name} failed: {error}")
                failed = True
                continue
            failed = False
            (RESULTS / f"{name}.json").write_text(json.dumps(result.to_data()))
            pair.say(f"case {name}: {time.monotonic() - start:.0f} s, load average {os.getloadavg()[2]:.1f}")
    finally:
        if not keep:
            pair.down()
            active.down()


if __name__ == "__main__":
    sys.exit(main())
