# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A password of keepalived's is in its configuration, and nowhere else that a run with -vvv and --diff leaves a trace.

How the module itself treats each way to write one is a subject of tests/kernel/net/test_keepalived_secrets.py.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Of the inventory, of secrets.yml, and one that is refused. They are this scenario's alone: every process of the
# machine is looked at, and other scenarios and tests run beside this one.
SECRETS = ("haS3cr3t", "bl0ckS3c", "t00-l0ng-f0r-it")
# What looks at every process over and over, until a file tells it to say what it has seen. A module takes a second or
# more, and looking all the time would take the processor from it.
WATCH = """
import glob, os, time
seen = set()
while not os.path.exists("/tmp/seen-enough"):
    for path in glob.glob("/proc/[0-9]*/cmdline") + glob.glob("/proc/[0-9]*/environ"):
        try:
            with open(path, "rb") as process:
                seen.add(process.read())
        except OSError:
            pass
    time.sleep(0.5)
with open("/tmp/processes.new", "wb") as file:
    file.write(b"\\n".join(seen))
os.rename("/tmp/processes.new", "/tmp/processes")
"""


@contextlib.contextmanager
def watched(scenario: Any) -> Iterator[list[str]]:
    """Every command line that was seen on the controller and the directors, and every environment on these."""
    seen: list[str] = []
    here: set[bytes] = set()
    enough = threading.Event()

    def look_here() -> None:
        while not enough.wait(0.3):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                with contextlib.suppress(OSError):
                    here.add(path.read_bytes())

    for director in scenario.directors:
        scenario.run(director, f"rm -f /tmp/seen-enough /tmp/processes; cat >/tmp/watch.py <<'END'\n{WATCH}END")
        scenario.run(director, "nohup python3 /tmp/watch.py >/tmp/watch.log 2>&1 </dev/null &")
    thread = threading.Thread(target=look_here)
    thread.start()
    try:
        yield seen
    finally:
        enough.set()
        thread.join()
        for director in scenario.directors:
            scenario.run(director, "touch /tmp/seen-enough")
            scenario.wait(
                "what was seen",
                lambda director=director: "yes" in scenario.run(director, "[ ! -e /tmp/processes ] || echo yes"),
            )
            seen.append(scenario.run(director, "cat /tmp/processes"))
    seen += [each.decode(errors="replace") for each in here]


def files_with_a_secret(scenario: Any, director: str) -> set[str]:
    words = " ".join(f"-e {secret}" for secret in SECRETS)
    places = "/etc /var/lib /var/log /var/spool /run /tmp /root"
    # The journal may be compressed: it is asked instead.
    found = scenario.run(director, f"grep -rlFs {words} {places} || true").split()
    if scenario.run(director, f"journalctl --quiet --no-pager --output=export | grep -aF {words} || true"):
        found.append("the journal")
    return set(found)


def test_a_password_is_seen_nowhere(scenario: Any, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps({"lvs_vrrp": {"router_id": 51, "auth_pass": SECRETS[2], "priority": 999}}))
    loud = ("lvs.topology.site", "-vvv", "--diff")
    alone = tmp_path / "alone.yml"
    alone.write_text("- hosts: lb1\n  gather_facts: false\n  roles: [lvs.topology.keepalived]\n")
    with watched(scenario) as processes:
        said = [
            scenario.playbook(*loud, "--extra-vars", f"@{scenario.directory}/secrets.yml"),
            # And back, so that the raw lines are what a difference takes away.
            scenario.playbook(*loud),
        ]
        refused = [
            scenario.try_playbook(playbook, *loud[1:], "--extra-vars", f"@{wrong}")
            for playbook in (loud[0], str(alone))
        ]
    shown = "\n".join(said)
    # The difference was shown, all but what is secret.
    assert "auth_pass ********" in shown, shown
    for each in refused:
        output = each.stdout + each.stderr
        assert each.returncode != 0, output
        # What is wrong is said all the same.
        assert "lvs_vrrp.priority" in output, output
        assert "lvs_vrrp.auth_pass" in output, output
        shown += output
    assert any("keepalived" in each for each in processes)
    for secret in SECRETS:
        assert secret not in shown
        assert not [each for each in processes if secret in each]
    for director in scenario.directors:
        config = "/etc/keepalived/keepalived.conf"
        assert "ansible" in scenario.run(director, "journalctl --quiet --no-pager | grep -m1 Invoked")
        found = files_with_a_secret(scenario, director)
        assert found == {config}, (director, found)
        assert scenario.run(director, f"stat -c '%a %U' {config}") == "640 root"
    scenario.check("serving")
