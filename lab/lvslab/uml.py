# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""User-Mode Linux: the default kernel, which needs no virtualization."""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
import zlib
from pathlib import Path
from typing import Sequence

from .common import CACHE, CHECKOUT, SCRATCH, need
from .network import Host

# Preloaded by the kernel itself on some processors, and by what runs on it.
_XSTATE = CHECKOUT / "lab/uml/xstate.c"
POPULATE = CHECKOUT / "lab/uml/populate.c"
_PT_INTERP = 3


def bind_to_libc(kernel: Path, place: Path) -> None:
    """Have a linux.uml of a newer Debian start with the dynamic loader beside it, once it is in its place."""
    image = bytearray(kernel.read_bytes())
    loader = f"{place}/ld-linux-x86-64.so.2\0".encode()
    if image.endswith(loader):
        return
    headers, size, count = struct.unpack_from("<Q", image, 32)[0], *struct.unpack_from("<HH", image, 54)
    for header in range(headers, headers + size * count, size):
        if struct.unpack_from("<I", image, header)[0] == _PT_INTERP:
            # Its place and length in the file: the host's kernel reads the name of the loader there.
            struct.pack_into("<Q", image, header + 8, len(image))
            struct.pack_into("<Q", image, header + 32, len(loader))
    bound = kernel.with_name(f"{kernel.name}.{os.getpid()}")
    bound.write_bytes(image + loader)
    bound.chmod(0o755)
    bound.rename(kernel)


def program(directory: Path) -> list[str]:
    """How to start the linux.uml of an image on this processor."""
    start = ["env", f"LD_LIBRARY_PATH={directory}"]
    if "amx_tile" in Path("/proc/cpuinfo").read_text():
        start.append(f"LD_PRELOAD={_xstate()}")
    return [*start, str(directory / "linux.uml")]


def compiler(source: Path, library: str) -> list[str]:
    """The command that makes something to preload."""
    return ["gcc", "-O2", "-shared", "-fPIC", "-o", library, str(source)]


def _xstate() -> Path:
    need(["gcc"])
    library = CACHE / "uml" / f"xstate-{hashlib.sha256(_XSTATE.read_bytes()).hexdigest()[:16]}.so"
    if not library.exists():
        library.parent.mkdir(parents=True, exist_ok=True)
        unfinished = library.with_suffix(f".{os.getpid()}")
        subprocess.run(compiler(_XSTATE, str(unfinished)), check=True)
        unfinished.rename(library)
    return library


def kernel(cow: str, disk: Path, memory: int, words: Sequence[str], seat: int) -> list[str]:
    """The command line of a kernel whose root is a copy-on-write file over the disk, console on standard output.

    Kernels with different seats share the processors of this machine evenly.
    """
    return [
        *_on_one_processor(seat), *program(disk.parent),
        f"uml_dir={SCRATCH}/uml/", f"mem={memory}M", f"ubd0={cow},{disk}", "root=/dev/ubda", "rootfstype=ext4", "rw",
        "con=null", "con0=null,fd:1", "quiet", "loglevel=3", "panic=-1",
        # 512 terminals that nobody uses: for each of them udev ran its rules at every boot.
        "pty.legacy_count=0",
        # It looks for the fastest way to compute RAID 6, for most of a second, and nothing here has a RAID.
        "initcall_blacklist=raid6_select_algo", *words,
    ]  # fmt: skip


def _on_one_processor(seat: int) -> list[str]:
    """How to start what stays on one processor.

    The kernel and the program that it runs are two processes here, one of which waits for the other. A system call or a
    page fault that wakes another processor costs several times as much.
    """
    need(["taskset"])
    processors = sorted(os.sched_getaffinity(0))
    return ["taskset", "--cpu-list", str(processors[seat % len(processors)])]


def host_kernel(host: Host, files: Path, disk: Path, words: Sequence[str]) -> list[str]:
    """The command line of a host of a network; its disk stays in files from one boot to the next."""
    cards = [
        f"vec{number}:transport=tap,ifname={nic.tap},depth=64,gro=1,mac={nic.mac}"
        for number, nic in enumerate(host.nics)
    ]
    own = [f"umid={host.name}", f"ubd1r={files}/{host.name}.seed", *cards]
    # So that the first hosts of several labs do not all meet on one processor.
    seat = zlib.crc32(str(files).encode()) + int(host.management.rpartition(".")[2])
    return kernel(f"{files}/{host.name}.disk", disk, host.memory or 256, [*own, *words], seat)
