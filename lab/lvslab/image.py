# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image of the hosts: made from lab/image with mmdebstrap, kept under the hash of everything it is made from."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path
from typing import Iterator, TextIO

from . import uml
from .common import CACHE, CHECKOUT, LabError, need, say

RECIPE = CHECKOUT / "lab" / "image"
# Debian 12's User-Mode Linux, 6.1, starts programs at half the speed or less.
UML_RELEASE = "trixie"
# Less than what scripts/together leaves a program between SIGTERM and SIGKILL.
_TIDY_LIMIT = 2.5
_SIZE = {"uml": "2G", "stock": "3G"}


def recipe_hash(flavour: str, release: str) -> str:
    """Identify an image by all that goes into it."""
    # Where the checkout lies goes into no image.
    commands = repr(_commands(flavour, release, Path("image"))).replace(str(CHECKOUT), "checkout")
    digest = hashlib.sha256(commands.encode())
    of_one_flavour = {"stock": [RECIPE / "packages.stock"], "uml": [uml.POPULATE]}
    shared = {path for path in RECIPE.rglob("*") if path.is_file()}.difference(*of_one_flavour.values())
    for path in sorted([*shared, *of_one_flavour[flavour]]):
        digest.update(f"{path.relative_to(CHECKOUT)} {path.stat().st_mode & 0o111:o}\n".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def packages(flavour: str) -> list[str]:
    """The package list of a flavour."""
    files = ["packages", "packages.stock"] if flavour == "stock" else ["packages"]
    lines = [line.strip() for name in files for line in (RECIPE / name).read_text().splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def image(flavour: str, release: str) -> Path:
    """The directory with the image (root.ext4 and its kernel) of a release, built where there is none yet."""
    images = CACHE / "images"
    images.mkdir(parents=True, exist_ok=True)
    name = f"{flavour}-{release}"
    done = images / f"{name}-{recipe_hash(flavour, release)}"
    if done.is_dir():
        if flavour == "uml":
            # A checkout that was moved or copied has its image elsewhere than where it was built.
            uml.bind_to_libc(done / "linux.uml", done)
        return done
    with open(images / f"{name}.lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for the image {name}, which another process is building")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.is_dir():
            _build(flavour, release, done, lock)
    return done


def _commands(flavour: str, release: str, place: Path) -> list[list[str]]:
    """What makes an image in a directory. Part of the recipe: see recipe_hash."""
    root = os.geteuid() == 0
    of_uml = [str(place / "kernel.tar"), str(place / "populate.so")] if flavour == "uml" else []
    debian = [
        "mmdebstrap",
        f"--mode={'root' if root else 'unshare'}",
        "--skip=output/dev",
        '--aptopt=Acquire::Retries "5"',
    ]
    # Before the kernel's package makes a large initramfs, which the one of customise replaces.
    initramfs = 'mkdir -p "$1/etc/initramfs-tools/conf.d" && echo MODULES=list >"$1/etc/initramfs-tools/conf.d/lab"'
    system = [
        *debian,
        "--variant=apt",
        "--dpkgopt=path-exclude=/usr/share/man/*",
        "--dpkgopt=path-exclude=/usr/share/locale/*",
        "--dpkgopt=path-exclude=/usr/share/doc/*",
        f"--include={','.join(packages(flavour))}",
        *([f"--essential-hook={initramfs}"] if flavour == "stock" else []),
        f'--customize-hook="{RECIPE}/customise" "$1" {shlex.join(of_uml)}',
        release,
        str(place / "root.tar"),
    ]
    # The owners of the files have names only in a user namespace where we are not root.
    namespace = [] if root else ["unshare", "--user", "--map-root-user", "--map-auto"]
    disk = [*namespace, "sh", "-eu", str(RECIPE / "write-image"), str(place), _SIZE[flavour], flavour]
    if not of_uml:
        return [system, disk]
    kernel, populate = of_uml
    extract = [*debian, "--variant=extract", "--include=user-mode-linux", UML_RELEASE, kernel]
    return [extract, uml.compiler(uml.POPULATE, populate), system, disk]


def _build(flavour: str, release: str, done: Path, lock: TextIO) -> None:
    name = f"{flavour}-{release}"
    compiler, user = ["gcc"] if flavour == "uml" else [], [] if os.geteuid() == 0 else ["newuidmap"]
    need(["mmdebstrap", "mkfs.ext4", "unshare", "ip", *compiler, *user])
    # Whoever builds holds the lock: what is unfinished now, of whichever recipe, was interrupted.
    for interrupted in done.parent.glob(f"{name}-*.unfinished"):
        _remove(interrupted)
    unfinished = done.with_name(f"{done.name}.unfinished")
    unfinished.mkdir()
    log = done.with_name(f"{name}.log")
    say(f"building the image {name}, once for this recipe: a minute or two; log in {log}")
    with open(log, "w", encoding="utf-8") as output, _removed_unless_whole(unfinished):
        for command in _commands(flavour, release, unfinished):
            say(f"  {command[0] if command[0] in ('mmdebstrap', 'gcc') else 'write-image'}")
            _run(command, output, log, lock)
        if flavour == "uml":
            uml.bind_to_libc(unfinished / "linux.uml", done)
        unfinished.rename(done)
    in_use = {Path(path.read_text()).parent for path in (CACHE / "run").glob("*/*.image")}
    for old in done.parent.glob(f"{name}-*"):
        # A kernel-test may still run on a recent one.
        if old not in (done, *in_use) and time.time() - old.stat().st_mtime > 3600:
            _remove(old)
    say(f"image ready: {done}")


def _run(command: list[str], output: TextIO, log: Path, lock: TextIO) -> None:
    # The command holds the lock as well: should it outlive us, nobody builds in the same place beside it.
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, pass_fds=[lock.fileno()]
    )
    try:
        ended = process.wait()
    except BaseException:
        # mmdebstrap removes its own temporary directory when it is asked to end, and only then.
        process.terminate()
        try:
            process.wait(_TIDY_LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        raise
    if ended != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise LabError(f"{command[0]} failed with exit status {ended}; the end of {log}:\n{tail}")


@contextlib.contextmanager
def _removed_unless_whole(unfinished: Path) -> Iterator[None]:
    try:
        yield
    finally:
        _remove(unfinished)


def _remove(directory: Path) -> None:
    if not directory.exists():
        return
    if os.geteuid() == 0:
        shutil.rmtree(directory)
    else:
        subprocess.run(
            ["unshare", "--user", "--map-root-user", "--map-auto", "rm", "-rf", "--", str(directory)], check=True
        )
