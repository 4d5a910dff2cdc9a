# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Places, programs and words that the parts of the lab share."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Iterable

CHECKOUT = Path(__file__).resolve().parents[2]
CACHE = CHECKOUT / ".cache" / "lab"
# Where the memory and sockets of kernels are, on a tmpfs of the lab's own. Not /tmp: a checkout may be there.
SCRATCH = "/dev/shm"

_started = time.monotonic()


class LabError(Exception):
    """Something that the user must know or do; the message is all they see."""


def say(text: str) -> None:
    """Tell what is going on, with the seconds since the start."""
    print(f"[{time.monotonic() - _started:5.1f} s] {text}", file=sys.stderr, flush=True)


_PACKAGE_OF = {
    "mmdebstrap": "mmdebstrap",
    "mkfs.ext4": "e2fsprogs",
    "ip": "iproute2",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "taskset": "util-linux",
    "ssh": "openssh-client",
    "ssh-keygen": "openssh-client",
    "newuidmap": "uidmap",
    "gcc": "gcc libc6-dev",
    "qemu-img": "qemu-utils",
    "qemu-system-x86_64": "qemu-system-x86",
}

# The Debian packages are missing from most users' PATH without these.
os.environ["PATH"] = os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin:/sbin"


def need(programs: Iterable[str]) -> None:
    """Stop with what to install where a program is missing."""
    missing = [program for program in programs if not shutil.which(program)]
    if not missing:
        return
    packages = sorted({_PACKAGE_OF[program] for program in missing})
    raise LabError(
        f"the lab needs {', '.join(missing)}, not found on this machine\n"
        f"  Debian and Ubuntu: apt-get install {' '.join(packages)}\n"
        "  elsewhere: install what carries these programs there. mmdebstrap is packaged by Debian and Ubuntu only:\n"
        "  use a Debian 12 machine or VM"
    )


def own_namespaces() -> list[str]:
    """The command that puts what follows into namespaces of its own, and ends all of it when it is ended."""
    need(["unshare"])
    command = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child"]
    return command if os.geteuid() == 0 else [*command, "--user", "--map-root-user"]


def end_with_parent() -> None:
    """Have the kernel end this process when its parent ends, however that ends; for the time before an exec."""
    # PR_SET_PDEATHSIG
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)


NO_NAMESPACES = (
    "this user may not make namespaces (unshare failed): run as root, or allow unprivileged user namespaces\n"
    "  Debian: sysctl kernel.unprivileged_userns_clone=1; Ubuntu 24.04: sysctl"
    " kernel.apparmor_restrict_unprivileged_userns=0\n"
    "  in a container: start it with --privileged"
)
