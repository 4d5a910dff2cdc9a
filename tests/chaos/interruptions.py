# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that do not come to their end, and two runs at once: what the next run makes of it."""

from __future__ import annotations

import copy
import os
import random
import signal
import subprocess
import time
from typing import Any

from . import pair
from .pair import say
from .table import Result, Table

MOMENTS = 20
# What the table says of a run that was not killed.
ENDED = "its end"
# Of somebody else, on each host: an address, a sysctl of an interface, and files where ours are.
_OTHERS = """
ip address show dev lo | grep -q 198.51.100.7 || ip address add 198.51.100.7/32 dev lo
echo 2 >/proc/sys/net/ipv4/conf/lo/rp_filter
mkdir -p /etc/lvs-topology
for file in sysctl.d/zz-others.conf modules-load.d/others.conf lvs-topology/notes; do echo '# others' >/etc/$file; done
"""
_LOOK_AT_OTHERS = """
ip -o address show dev lo | grep -c 198.51.100.7/32
cat /proc/sys/net/ipv4/conf/lo/rp_filter
cat /etc/sysctl.d/zz-others.conf /etc/modules-load.d/others.conf /etc/lvs-topology/notes
find /etc/sysctl.d /etc/modules-load.d /etc/lvs-topology /var/lib/lvs-topology -name '.*' -type f
"""
_UNTOUCHED = "1\n2\n# others\n# others\n# others\n"
# What only lives until the next boot.
_UNTOUCHED_AFTER_A_BOOT = _UNTOUCHED.partition("\n2\n")[2]


def _variant() -> dict[str, Any]:
    """Another model: each service with one real server and another scheduler."""
    inventory = pair.model()
    for name in pair.VIPS:
        service = pair.service(inventory, name)
        service.update(scheduler="wlc", real_servers=service["real_servers"][:1])
    return inventory


def _hosts() -> list[str]:
    return [*pair.DIRECTORS, *pair.real_servers(pair.model())]


def _have_others() -> None:
    for host in _hosts():
        pair.run(host, _OTHERS)


def _others(result: Result, rebooted: tuple[str, ...] = ()) -> None:
    for host in _hosts():
        found = pair.run(host, _LOOK_AT_OTHERS, check=False)
        expected = _UNTOUCHED_AFTER_A_BOOT if host in rebooted else _UNTOUCHED
        result.must(found.endswith(expected), f"{host}: what belongs to others is not as it was:\n{found}")


def _kill(run: subprocess.Popen[str]) -> None:
    # The modules on the hosts lose their connection, and go on or not as chance has it.
    os.killpg(run.pid, signal.SIGKILL)
    run.communicate()


def came_to(output: str, returncode: int) -> str:
    """The task in which a run was killed. One that had ended before that was not, however it ended."""
    if returncode != -signal.SIGKILL:
        return ENDED if returncode == 0 else f"{ENDED}, with {returncode}"
    tasks = [line for line in output.splitlines() if line.startswith("TASK [")]
    return tasks[-1].strip("* ") if tasks else "nothing"


def _converges(result: Result, inventory: dict[str, Any], after: str) -> None:
    """One more run ends well, leaves nothing to do, and all is as it should be."""
    pair.site(inventory)
    result.must(not pair.changed(pair.playbook("site", inventory)), f"after {after}, the second run changes something")
    pair.playbook("verify", inventory)


def interrupted() -> Result:
    """Site is killed at twenty random moments, with two models in turn; then the power goes in the middle of it."""
    seed = random.randrange(2**32)  # noqa: S311, a choice of moments
    say(f"seed {seed}")
    chance = random.Random(seed)  # noqa: S311, as above
    result, moments = Result(), Table("Killed runs of site", ["moment, s", "had come to"])
    result.tables.append(moments)
    models = [pair.model(), _variant()]
    pair.playbook("teardown", models[0])
    _have_others()
    pair.site(models[0])
    # The first run starts keepalived and waits for it: a moment of that run may be after the end of the others.
    start = time.monotonic()
    pair.site(models[1])
    longest = time.monotonic() - start
    for number in range(MOMENTS):
        run = pair.begin("site", models[number % 2])
        moment = chance.uniform(0, longest)
        time.sleep(moment)
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
        output, _errors = run.communicate()
        moments.rows.append([moment, came_to(output, run.returncode)])
        say(f"killed after {moment:.1f} s: {moments.rows[-1][1]}")
    killed = sum(not how.startswith(ENDED) for _moment, how in moments.rows)
    # A moment may be later than the end of a run that has little to do.
    result.must(killed >= MOMENTS // 4, f"runs are killed before they end: {killed} of {MOMENTS} were")
    _converges(result, models[0], f"{MOMENTS} kills (seed {seed})")
    _others(result)

    run = pair.begin("site", models[1])
    time.sleep(chance.uniform(longest / 4, longest * 3 / 4))
    cut = ("lb1", "web1")
    pair.lab("reboot", pair.NAME, *cut, "--power-cut")
    _kill(run)
    _converges(result, models[0], f"a power cut (seed {seed})")
    _others(result, rebooted=cut)
    pair.playbook("teardown", models[0])
    for host in _hosts():
        left = pair.run(
            host, "ls -d /var/lib/lvs-topology /run/lvs-topology* 2>/dev/null; ls /etc/lvs-topology", check=False
        )
        result.must(left.split() == ["notes"], f"{host}: teardown left {left}")
        pair.run(host, "rm -r /etc/lvs-topology /etc/sysctl.d/zz-others.conf /etc/modules-load.d/others.conf")
    return result


def two_runs() -> Result:
    """Two runs of site at once, with different models: both end well, and the state is that of one of them."""
    result = Result()
    models = {"first": pair.model(), "second": _variant()}
    pair.playbook("teardown", models["first"])
    # At the same moment, and one after the other has begun.
    for pause in (0.0, 5.0):
        runs = {}
        for name, inventory in models.items():
            runs[name] = pair.begin("site", inventory, file=f"{name}.yml")
            time.sleep(pause)
        outputs = {name: run.communicate()[0] for name, run in runs.items()}
        for name, run in runs.items():
            result.must(run.returncode == 0, f"the {name} of two runs ended with {run.returncode}:\n{outputs[name]}")
        waited = [name for name, output in outputs.items() if "Waiting for another run" in output]
        say(f"waited: {' and '.join(waited) or 'nobody'}")
        result.must(bool(waited), "no run waited for the other one")
        checks = {
            name: pair.playbook("site", copy.deepcopy(inventory), "--check") for name, inventory in models.items()
        }
        there = [name for name, output in checks.items() if not pair.changed(output)]
        result.must(len(there) == 1, f"the state is that of {' and '.join(there) or 'no run'}")
        for name in there:
            pair.playbook("verify", models[name])
    return result
