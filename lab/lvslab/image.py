# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image of the hosts: made from lab/image with mmdebstrap, kept under the hash of everything it is made from."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path

from .common import CACHE, CHECKOUT, LabError, need, say

RECIPE = CHECKOUT / "lab" / "image"
SUITE = "bookworm"
UML_MODULES = Path("/usr/lib/uml/modules")
_SIZE = {"uml": "2G", "stock": "3G"}


def uml_modules() -> Path:
    """The directory of the modules of the installed User-Mode Linux."""
    need(["linux.uml"])
    release = subprocess.run(["linux.uml", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    modules = UML_MODULES / release
    if not modules.is_dir():
        raise LabError(f"{modules} is missing: reinstall the package user-mode-linux, whose kernel is {release}")
    return modules


def recipe_hash(flavour: str) -> str:
    """Identify an image by all that goes into it."""
    digest = hashlib.sha256(f"{flavour} {SUITE} {_SIZE[flavour]}\n".encode())
    if flavour == "uml":
        digest.update(str(uml_modules()).encode())
    digest.update(Path(__file__).read_bytes())
    for path in sorted(RECIPE.rglob("*")):
        if path.is_file() and (flavour == "stock" or path.name != "packages.stock"):
            digest.update(f"{path.relative_to(RECIPE)} {path.stat().st_mode & 0o111:o}\n".encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def packages(flavour: str) -> list[str]:
    """The package list of a flavour."""
    files = ["packages", "packages.stock"] if flavour == "stock" else ["packages"]
    lines = [line.strip() for name in files for line in (RECIPE / name).read_text().splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def image(flavour: str) -> Path:
    """The directory with the image (root.ext4; vmlinuz and initrd too where stock), built where there is none yet."""
    images = CACHE / "images"
    images.mkdir(parents=True, exist_ok=True)
    done = images / f"{flavour}-{recipe_hash(flavour)}"
    if done.is_dir():
        return done
    with open(images / f"{flavour}.lock", "w", encoding="utf-8") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for the {flavour} image, which another process is building")
            fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.is_dir():
            _build(flavour, done)
    return done


def _build(flavour: str, done: Path) -> None:
    need(["mmdebstrap", "mkfs.ext4", "unshare", "ip"])
    root = os.geteuid() == 0
    if not root:
        need(["newuidmap"])
    unfinished = done.with_name(f"{done.name}.unfinished")
    _remove(unfinished)
    unfinished.mkdir()
    log = done.with_name(f"{flavour}.log")
    modules = str(uml_modules()) if flavour == "uml" else ""
    say(f"building the {flavour} image, once for this recipe: a minute or so; log in {log}")
    with open(log, "w", encoding="utf-8") as output:
        _run(
            [
                "mmdebstrap",
                f"--mode={'root' if root else 'unshare'}",
                "--variant=apt",
                "--skip=output/dev",
                '--aptopt=Acquire::Retries "5"',
                "--aptopt=APT::Install-Recommends \"false\"",
                "--dpkgopt=path-exclude=/usr/share/man/*",
                "--dpkgopt=path-exclude=/usr/share/locale/*",
                "--dpkgopt=path-exclude=/usr/share/doc/*",
                f"--include={','.join(packages(flavour))}",
                f'--customize-hook="{RECIPE}/customise" "$1" "{modules}"',
                SUITE,
                str(unfinished / "root.tar"),
            ],
            output,
            log,
        )
        say("packages installed, writing the file system")
        # The names of owners exist only in a user namespace where we are not root.
        namespace = [] if root else ["unshare", "--user", "--map-root-user", "--map-auto"]
        script = (
            'mkdir "$1/tree" && tar --numeric-owner -xf "$1/root.tar" -C "$1/tree" && mkdir -p "$1/tree/dev"'
            ' && mkfs.ext4 -q -L lab -E root_owner=0:0,lazy_itable_init=1,nodiscard -d "$1/tree" "$1/root.ext4" "$2"'
            ' && { [ "$3" = uml ] || { cp "$1"/tree/boot/vmlinuz-* "$1/vmlinuz"; cp "$1"/tree/boot/initrd.img-* "$1/initrd"; }; }'
            ' && rm -rf "$1/tree" "$1/root.tar"'
        )
        _run([*namespace, "sh", "-euc", script, "sh", str(unfinished), _SIZE[flavour], flavour], output, log)
    unfinished.rename(done)
    for old in done.parent.glob(f"{flavour}-*"):
        # Another checkout state or a running lab may still use a recent one.
        if old != done and time.time() - old.stat().st_mtime > 7 * 86400:
            _remove(old)
    say(f"image ready: {done}")


def _run(command: list[str], output: object, log: Path) -> None:
    ended = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT).wait()  # type: ignore[call-overload]
    if ended != 0:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-15:])
        raise LabError(f"{command[0]} failed with exit status {ended}; the end of {log}:\n{tail}")


def _remove(directory: Path) -> None:
    if not directory.exists():
        return
    if os.geteuid() == 0:
        shutil.rmtree(directory)
    else:
        subprocess.run(
            ["unshare", "--user", "--map-root-user", "--map-auto", "rm", "-rf", "--", str(directory)], check=True
        )
