# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boot one kernel that has IPVS and run pytest inside."""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import secrets
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Sequence

from . import qemu, uml
from .asked import default_release
from .common import CACHE, CHECKOUT, SCRATCH, LabError, end_with_parent, own_namespaces, say
from .image import image

REQUIREMENTS = CHECKOUT / "requirements" / "kernel-tests.txt"
# By release.
GUEST_PYTHON = {"bookworm": "3.11", "trixie": "3.13"}
_DEBIANS = "/run/debian-pyroute2"


def guest_packages(python: str) -> Path:
    """Python packages for the guest, pyroute2 apart from the rest so that Debian's can be used in its place."""
    text = REQUIREMENTS.read_text()
    packages = CACHE / "python" / hashlib.sha256(f"{python}\n{text}".encode()).hexdigest()[:16]
    if packages.is_dir():
        return packages
    say("fetching the Python packages of the guest, once for this list")
    pins = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    packages.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=packages.parent))
    try:
        for name, wanted in (
            ("common", [pin for pin in pins if not pin.startswith("pyroute2")]),
            ("pyroute2", [pin for pin in pins if pin.startswith("pyroute2")]),
        ):
            command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:"]
            command += ["--python-version", python, "--target", str(unfinished / name), *wanted]
            if subprocess.run(command, stdout=sys.stderr, check=False).returncode != 0:
                raise LabError(f"pip could not install {REQUIREMENTS}; the guest needs Python {python} packages")
        # The guest sees them read-only: what is not compiled now is compiled again in every run.
        subprocess.run(
            [sys.executable, "-m", "compileall", "-q", str(unfinished)], stdout=subprocess.DEVNULL, check=False
        )
        unfinished.chmod(0o755)
        try:
            unfinished.rename(packages)
        except OSError:
            if not packages.is_dir():  # somebody else was quicker
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return packages


def interpreter(version: str) -> Path | None:
    """The directory where pyenv has another Python of this machine: a shim on PATH looks like one and is none."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = sorted(root.glob(f"versions/{version}*/bin/python{version}"))
    return found[-1].parents[1] if found else None


def guest_script(
    pytest_args: Sequence[str],
    python_path: Sequence[str],
    token: str,
    version: str | None = None,
    prefix: Path | None = None,
) -> str:
    """The script that the guest runs as root in place of an init system.

    ``prefix`` is the directory of the Python that runs the modules, where that is not the guest's own.
    """
    environment = {
        "PYTHONPATH": ":".join(python_path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "HYPOTHESIS_STORAGE_DIRECTORY": "/tmp/hypothesis",
        "COLUMNS": "120",
        "FORCE_COLOR" if sys.stdout.isatty() else "NO_COLOR": "1",
        "LANG": "C.UTF-8",
        "LVS_KERNEL_TEST": "1",
    }
    lines = []
    if prefix is not None:
        environment["LVS_MODULE_PYTHON"] = str(prefix / "bin" / f"python{version}")
        quoted = shlex.quote(str(prefix))
        lines = [
            # At the same place as outside: its program looks for its library there.
            f"mkdir -p {quoted} {_DEBIANS}",
            f"mount -t hostfs -o ro,{quoted} hostfs {quoted}",
            # Of Debian's packages, which are for the own Python of the guest, it shall see this one only.
            f"ln -s /usr/lib/python3/dist-packages/pyroute2* {_DEBIANS}",
        ]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    lines += [
        "mkdir -p /run/collections/ansible_collections/lvs",
        "ln -s /checkout /run/collections/ansible_collections/lvs/topology",
        "ip link set lo up",
        "cd /checkout",
        "echo \"kernel $(uname -sr), Python $(python3 -c 'import platform; print(platform.python_version())')\"",
        'test -z "$LVS_MODULE_PYTHON" || echo "modules on $($LVS_MODULE_PYTHON --version)"',
        f"python3 lab/guest/run_tests.py {shlex.join(pytest_args)}",
        f'echo "{token} $?"',
    ]
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str]) -> int:
    """Run the command ``lab/kernel-test``."""
    parser = argparse.ArgumentParser(
        prog="lab/kernel-test",
        description="Boot a kernel that has IPVS and run pytest inside it, as root, on this checkout. "
        "Fails when a test fails or is skipped, or when there was none.",
    )
    parser.add_argument("--kernel", choices=["uml", "stock"], default="uml")
    parser.add_argument(
        "--pyroute2", choices=["pypi", "debian"], default="pypi", help="which pyroute2 the modules meet"
    )
    parser.add_argument(
        "--python", metavar="VERSION", help="run the modules on another Python of this machine, such as 3.8 (pyenv's)"
    )
    parser.add_argument("--if-present", action="store_true", help="where the Python is missing, say so and run nothing")
    parser.add_argument("--timeout", type=int, default=7200, metavar="SECONDS", help="end the kernel after this time")
    parser.add_argument("--memory", type=int, default=1024, metavar="MB")
    parser.add_argument("pytest_args", nargs=argparse.REMAINDER, help="default: tests/kernel")
    options, unknown = parser.parse_known_args(argv)
    pytest_args = [*unknown, *options.pytest_args]
    if "--" in pytest_args:
        pytest_args.remove("--")
    # -k and the like take a word, so look for something that exists to tell whether a path was given.
    if not any((CHECKOUT / word.split("::")[0]).exists() for word in pytest_args if not word.startswith("-")):
        pytest_args.append("tests/kernel")

    prefix = None
    if options.python:
        if options.kernel != "uml":
            raise LabError("--python needs --kernel uml, which shows the guest a directory of this machine")
        prefix = interpreter(options.python)
        missing = f"Python {options.python} is not on this machine"
        if prefix is None and options.if_present:
            say(f"NOT TESTED: modules on Python {options.python}, because {missing} (pyenv install {options.python})")
            return 0
        if prefix is None:
            raise LabError(f"{missing}: pyenv install {options.python}")

    release = default_release()
    packages = guest_packages(GUEST_PYTHON[release])
    inside = Path("/checkout") / packages.relative_to(CHECKOUT)
    python_path = ["/run/collections", str(inside / "common")]
    if options.python == "3.8":
        options.pyroute2 = "debian"  # pypi's newest needs 3.9
    if options.pyroute2 == "pypi":
        python_path.append(str(inside / "pyroute2"))
    elif prefix is not None:
        python_path.append(_DEBIANS)
    disk = image(options.kernel, release) / "root.ext4"

    (CACHE / "run").mkdir(parents=True, exist_ok=True)
    token = f"lab-{secrets.token_hex(8)}"
    with tempfile.TemporaryDirectory(prefix="kernel-", dir=CACHE / "run") as run:
        script = Path(run) / "script"
        script.write_text(guest_script(pytest_args, python_path, token, options.python, prefix))
        words = ["init=/usr/local/lib/lab/kernel-test", f"lab.run={script.relative_to(CHECKOUT)}"]
        if options.kernel == "uml":
            seat = len(list((CACHE / "run").glob("kernel-*")))
            kernel = uml.kernel(f"{SCRATCH}/cow", disk, options.memory, [*words, f"lab.checkout={CHECKOUT}"], seat)
        else:
            kernel = qemu.test_kernel(disk, options.memory, words)
        return _stream(in_private_scratch(kernel), token, options.timeout)


def in_private_scratch(command: Sequence[str]) -> list[str]:
    """Wrap a kernel so that its memory, sockets and processes vanish with it."""
    script = 'mount -t tmpfs -o size=75% tmpfs "$TMPDIR" && mount -t proc proc /proc && "$@" </dev/null; exit $?'
    return [*own_namespaces(), "env", f"TMPDIR={SCRATCH}", f"HOME={SCRATCH}", "sh", "-c", script, "sh", *command]


def _stream(command: Sequence[str], token: str, timeout: int) -> int:
    """Copy the console to standard output as it comes; return the exit status that the guest reported."""
    console, far_end = os.pipe()
    kernel = subprocess.Popen(
        command,
        stdout=far_end,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=end_with_parent,  # noqa: PLW1509, no thread is running yet
    )
    os.close(far_end)
    late = threading.Event()

    def end() -> None:
        late.set()
        kernel.kill()

    def stop(number: int, _frame: object) -> None:
        kernel.kill()
        sys.exit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, stop)
    timer = threading.Timer(timeout, end)
    timer.daemon = True
    timer.start()
    marker = re.compile(re.escape(token).encode() + rb" (\d+)\n")
    status = None
    held = b""
    try:
        while chunk := os.read(console, 65536):
            held = (held + chunk).replace(b"\r\n", b"\n")
            if status is not None:
                continue  # the kernel's farewell
            if found := marker.search(held):
                status, held = int(found.group(1)), held[: found.start()]
            # Hold back only what may be the beginning of the marker or of a line's end.
            keep = len(held) if status is not None else _safe(held, token.encode())
            sys.stdout.buffer.write(held[:keep])
            sys.stdout.flush()
            held = held[keep:]
    finally:
        timer.cancel()
        kernel.kill()
        kernel.wait()
        os.close(console)
    if status is None:
        sys.stdout.buffer.write(held)
        sys.stdout.flush()
        why = f"was ended after {timeout} s" if late.is_set() else "ended before the tests did; its console is above"
        raise LabError(f"the kernel {why}")
    return status


def _safe(held: bytes, token: bytes) -> int:
    for start in range(max(0, len(held) - len(token) - 8), len(held)):
        tail = held[start:]
        if token.startswith(tail) or tail.startswith(token) or tail == b"\r":
            return start
    return len(held)
