# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""scripts/install on a machine where another process is installing packages."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

INSTALL = Path(__file__).resolve().parents[3] / "scripts" / "install"
LOCKED = {
    "update": "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 4711 (apt-get)",
    "install": "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 4711 (unattended-upgr)",
}
# Fails for as long as there is a line in the file of its subcommand; each call takes one line away.
APT_GET = """\
#!/bin/sh
case " $* " in *" update "*) errors=update ;; *) errors=install ;; esac
echo "$*" >>calls
if [ -s "$errors" ]; then
    sed -n 1p "$errors" >&2
    [ -e forever ] || sed -i 1d "$errors"
    exit 100
fi
"""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A directory with the programs of a machine on which one package is missing."""
    programs = {"apt-get": APT_GET, "dpkg-query": "#!/bin/sh\nexit 1\n", "sudo": '#!/bin/sh\nexec "$@"\n'}
    (tmp_path / "bin").mkdir()
    (tmp_path / "venv/bin").mkdir(parents=True)
    programs["../venv/bin/pip"] = "#!/bin/sh\n"
    for name, text in programs.items():
        path = tmp_path / "bin" / name
        path.write_text(text)
        path.chmod(0o755)
    (tmp_path / "apt.txt").write_text("# a comment\ntcpdump\n")
    return tmp_path


def install(machine: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{machine / 'bin'}:{os.environ['PATH']}"
    return subprocess.run(
        [INSTALL, "python3", "venv", "pip.txt", "apt.txt"],
        cwd=machine,
        env={**os.environ, **environment, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("step", ["update", "install"])
def test_it_waits_for_a_lock_and_says_whose(machine: Path, step: str) -> None:
    (machine / step).write_text(f"{LOCKED[step]}\n" * 2)
    done = install(machine)
    assert done.returncode == 0, done.stderr
    assert "Waiting, up to 600 s, for another process that installs packages:" in done.stdout
    assert done.stdout.count(LOCKED[step].removeprefix("E: ")) == 1
    calls = (machine / "calls").read_text().splitlines()
    assert sum(step in call for call in calls) == 3
    assert all("DPkg::Lock::Timeout" in call for call in calls)


def test_it_does_not_wait_for_ever(machine: Path) -> None:
    (machine / "install").write_text(f"{LOCKED['install']}\n")
    (machine / "forever").touch()
    done = install(machine, APT_LOCK_LIMIT="2")
    assert done.returncode == 1
    assert "apt is still locked after 2 s." in done.stderr
    assert "held by process 4711 (unattended-upgr)" in done.stderr


def test_another_error_ends_it_at_once(machine: Path) -> None:
    (machine / "install").write_text("E: Unable to locate package tcpdump\n")
    (machine / "forever").touch()
    done = install(machine)
    assert done.returncode == 1
    assert "Unable to locate package tcpdump" in done.stderr
    assert "Waiting" not in done.stdout
    assert len((machine / "calls").read_text().splitlines()) == 2
