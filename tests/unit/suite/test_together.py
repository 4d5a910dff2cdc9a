# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""However a run ends, what it started ends with it: daemons in sessions of their own included."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Callable, Iterator

import pytest
from suite.together import processes

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"
MOLECULE = SCRIPTS.parent / "molecule"
LIMIT = 120
# Started by a process that ends at once, in a session of its own.
DAEMON = "(exec setsid sleep {seconds}) >/dev/null 2>&1 & "
DEAF = DAEMON.replace("(", "(trap '' TERM HUP INT; ")
MAKEFILE = """\
good: ; @echo fine
bad: ; @echo "E       it broke"; exit 3
after: ; @echo fine too
daemons: ; @{daemon} sleep {seconds}
"""


def until(state: Callable[[], object]) -> None:
    deadline = time.monotonic() + LIMIT
    while not state():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.fixture
def seconds() -> Iterator[str]:
    """A number of seconds that no other process sleeps, by which what a test started is found."""
    number = f"86400.{time.time_ns()}"
    yield number
    for pid in alive(number):
        os.kill(pid, signal.SIGKILL)


def alive(seconds: str) -> list[int]:
    found = []
    for one in processes():
        try:
            words = Path(f"/proc/{one.pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:2] == [b"sleep", seconds.encode()] and one.state != "Z":
            found.append(one.pid)
    return found


def _heed_signals() -> None:
    # A shell has what it starts behind it ignore SIGINT, and nohup SIGHUP: these tests may themselves run so.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def start(*command: str | Path, **options: object) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "LVS_TOPOLOGY_SUITE")}
    return subprocess.Popen(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=clean,
        preexec_fn=_heed_signals,  # noqa: PLW1509, pytest has one thread here
        **options,  # type: ignore[call-overload] # any options of Popen
    )


def script(seconds: str, daemon: str = DAEMON) -> list[str | Path]:
    return ["sh", "-c", daemon.format(seconds=seconds) + f"sleep {seconds}"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "options", "daemon"),
    [
        (signal.SIGINT, [], DAEMON),
        (signal.SIGTERM, ["--keep"], DAEMON),
        (signal.SIGHUP, [], DAEMON),
        (signal.SIGTERM, [], DEAF),
    ],
)
def test_a_signal_ends_daemons_too(number: signal.Signals, options: list[str], daemon: str, seconds: str) -> None:
    run = start(SCRIPTS / "together", *options, *script(seconds, daemon))
    until(lambda: len(alive(seconds)) == 2)
    run.send_signal(number)
    run.communicate(timeout=LIMIT)
    assert run.returncode == 128 + number
    assert alive(seconds) == []


def test_an_interrupt_reaches_what_a_script_runs_behind_it(seconds: str) -> None:
    words = f"{SCRIPTS}/together sleep {seconds} & echo $!; wait"
    shell = start("sh", "-c", words)
    until(lambda: alive(seconds))
    assert shell.stdout is not None
    os.kill(int(shell.stdout.readline()), signal.SIGINT)
    shell.communicate(timeout=LIMIT)
    assert alive(seconds) == []


def test_what_nohup_runs_outlives_its_terminal(seconds: str) -> None:
    run = start("nohup", SCRIPTS / "together", "sleep", seconds)
    until(lambda: alive(seconds))
    run.send_signal(signal.SIGHUP)
    time.sleep(1)
    assert alive(seconds)
    run.terminate()
    run.communicate(timeout=LIMIT)
    assert alive(seconds) == []


def test_an_end_without_a_signal_ends_daemons_too(seconds: str) -> None:
    run = start(SCRIPTS / "together", "sh", "-c", DAEMON.format(seconds=seconds) + "sleep 0.5; exit 7")
    run.communicate(timeout=LIMIT)
    assert run.returncode == 7
    assert alive(seconds) == []


def test_what_is_to_be_kept_is_kept(seconds: str) -> None:
    run = start(SCRIPTS / "together", "--keep", "sh", "-c", DAEMON.format(seconds=seconds) + "sleep 0.5")
    run.communicate(timeout=LIMIT)
    assert run.returncode == 0
    assert len(alive(seconds)) == 1


def test_the_next_run_ends_what_a_killed_one_left(seconds: str) -> None:
    run = start(SCRIPTS / "together", *script(seconds))
    until(lambda: len(alive(seconds)) == 2)
    run.kill()
    run.wait()
    assert len(alive(seconds)) >= 1
    out, _errors = start(SCRIPTS / "together", "true").communicate(timeout=LIMIT)
    assert "An earlier run was killed here." in out
    assert alive(seconds) == []


def test_a_run_leaves_another_run_alone(seconds: str) -> None:
    run = start(SCRIPTS / "together", *script(seconds))
    until(lambda: len(alive(seconds)) == 2)
    start(SCRIPTS / "together", "true").communicate(timeout=LIMIT)
    assert len(alive(seconds)) == 2
    run.terminate()
    run.communicate(timeout=LIMIT)


@pytest.fixture
def suite(tmp_path: Path, seconds: str) -> Callable[..., subprocess.Popen[str]]:
    makefile = MAKEFILE.format(daemon=DAEMON.format(seconds=seconds), seconds=seconds)
    makefile += f"all: ; @exec {SCRIPTS}/run-suite --jobs=2 --logs=logs good daemons\n"
    (tmp_path / "Makefile").write_text(makefile)

    def run(*words: str) -> subprocess.Popen[str]:
        return start(SCRIPTS / "run-suite", "--logs=logs", "--memory=memory.json", *words, cwd=tmp_path)

    return run


def test_what_failed_is_said_and_what_needs_it_does_not_begin(suite: Callable[..., subprocess.Popen[str]]) -> None:
    run = suite("good", "bad", "after:bad")
    out, _errors = run.communicate(timeout=LIMIT)
    assert run.returncode == 1
    lines = out.splitlines()
    assert lines[-1] == "1 passed, 2 failed"
    assert "E       it broke" in lines
    assert "  after: did not begin, because bad failed" in lines
    # By the name of the memory, which is memory.json here.
    assert "  Run these alone with: make memory ONLY=failed" in lines
    assert [line.split("] ")[1] for line in lines if line.endswith(" begins")] == ["bad begins", "good begins"]


def test_what_passed_is_not_run_again(suite: Callable[..., subprocess.Popen[str]], tmp_path: Path) -> None:
    suite("good", "bad").communicate(timeout=LIMIT)
    (tmp_path / "Makefile").write_text("good: ; exit 1\nbad: ; @true\n")
    run = suite("--only=failed", "good", "bad")
    assert run.communicate(timeout=LIMIT)[0].endswith("\n1 passed, 0 failed\n")
    assert run.returncode == 0
    run = suite("--only=failed", "good", "bad")
    assert run.communicate(timeout=LIMIT)[0] == "Every part passed the last time: nothing is left to run.\n"


def recipe(*words: str) -> str:
    """What make would run."""
    make = ["make", "--dry-run", "--no-print-directory", "JOBS=1", *words]
    here = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS", "SCENARIO"))}
    return subprocess.run(make, cwd=SCRIPTS.parent, env=here, check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("target", ["test", "test-all", "matrix"])
def test_what_passed_in_one_target_is_not_what_passed_in_another(target: str) -> None:
    """The parts of test are called like those of test-all, which tests more in some of them."""
    assert re.findall(r"--memory=(\S+)", recipe(target)) == [f".cache/{target}.json"]


@pytest.mark.parametrize(
    ("words", "missing"),
    [
        (["test"], {"active", "dr_routed", "ftp", "fullnat_pair", "mixed", "nat_wlc"}),
        (["test-all"], set()),
        # Who names a scenario wants it.
        (["test", "SCENARIO=ftp"], {each.name for each in MOLECULE.iterdir()} - {"ftp"}),
    ],
)
def test_which_scenarios_run(words: list[str], missing: set[str]) -> None:
    """The others have a part, so that ONLY finds it, and wait."""
    there = {each.parent.name for each in MOLECULE.glob("*/molecule.yml")}
    said = recipe(*words)
    waiting, parts = said.partition("--later=")[2].split("'")[1:3]
    begun = set(re.findall(r"\bmolecule-(\w+)", parts)) - set(re.findall(r"\bmolecule-(\w+)", waiting))
    assert begun == there - missing


def test_an_unknown_part_is_refused(suite: Callable[..., subprocess.Popen[str]]) -> None:
    run = suite("--only=worse", "good", "bad")
    assert "there is no part worse. The parts are: good bad, and failed." in run.communicate(timeout=LIMIT)[0]
    assert run.returncode == 2


def test_two_runs_of_one_checkout_do_not_meet(suite: Callable[..., subprocess.Popen[str]], seconds: str) -> None:
    first = suite("daemons")
    until(lambda: len(alive(seconds)) == 2)
    assert "Another run of these tests is under way" in suite("good").communicate(timeout=LIMIT)[0]
    first.terminate()
    first.communicate(timeout=LIMIT)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_suite_ends_every_part(
    suite: Callable[..., subprocess.Popen[str]], number: signal.Signals, seconds: str
) -> None:
    run = suite("--jobs=2", "good", "daemons", "after:daemons")
    until(lambda: len(alive(seconds)) == 2)
    run.send_signal(number)
    out, _errors = run.communicate(timeout=LIMIT)
    assert alive(seconds) == []
    assert run.returncode == 128 + number
    assert out.endswith("\n1 passed, 2 failed\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
@pytest.mark.usefixtures("suite")
def test_a_signal_to_make_alone_ends_every_part(number: signal.Signals, seconds: str, tmp_path: Path) -> None:
    run = start("make", "all", cwd=tmp_path)
    until(lambda: len(alive(seconds)) == 2)
    run.send_signal(number)
    run.communicate(timeout=LIMIT)
    until(lambda: alive(seconds) == [])


def test_killing_the_suite_ends_guarded_parts(
    suite: Callable[..., subprocess.Popen[str]], seconds: str, tmp_path: Path
) -> None:
    recipe = f'exec {SCRIPTS}/together sh -c "{DAEMON.format(seconds=seconds)} sleep {seconds}"'
    (tmp_path / "Makefile").write_text(f"guarded: ; @{recipe}\n")
    run = suite("guarded")
    until(lambda: len(alive(seconds)) == 2)
    run.kill()
    run.communicate(timeout=LIMIT)
    until(lambda: alive(seconds) == [])
