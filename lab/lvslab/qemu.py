# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stock Debian kernel under QEMU: slower than User-Mode Linux, with all that a distribution ships."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import Sequence

from .common import CACHE, CHECKOUT, need, say
from .network import Host

_PROBE_LIMIT = 15


def accelerator(disk: Path) -> str:
    """KVM where it works, else emulation. That /dev/kvm can be opened is no proof: a guest may hang at once."""
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        return "tcg"
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    answer = CACHE / f"kvm-{boot}"
    if not answer.exists():
        for old in CACHE.glob("kvm-*"):
            old.unlink(missing_ok=True)
        say(f"finding out whether KVM works here, once per boot of this machine, {_PROBE_LIMIT} s at most")
        answer.write_text("kvm" if _kvm_works(disk.parent) else "tcg")
        say(f"QEMU will use {answer.read_text()}")
    return answer.read_text()


def _kvm_works(image: Path) -> bool:
    """Whether a guest gets as far as its first process, which here is that of the initramfs."""
    command = [
        *_machine(image / "root.ext4", 256, "kvm"),
        "-no-reboot",
        "-append",
        "console=ttyS0 root=/dev/none panic=-1",
    ]
    with tempfile.TemporaryFile() as console:
        guest = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT)
        try:
            guest.wait(_PROBE_LIMIT)
        except subprocess.TimeoutExpired:
            guest.kill()
            guest.wait()
        console.seek(0)
        return b"Loading, please wait" in console.read()


def _machine(disk: Path, memory: int, accel: str) -> list[str]:
    need(["qemu-system-x86_64"])
    # Emulated page tables of five levels (la57) only make each look into them longer.
    return [
        "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-machine", "q35", "-display", "none",
        "-accel", accel, "-cpu", "host" if accel == "kvm" else "max,la57=off", "-m", str(memory), "-serial", "stdio",
        "-device", "virtio-rng-pci", "-kernel", str(disk.parent / "vmlinuz"), "-initrd", str(disk.parent / "initrd"),
    ]  # fmt: skip


def _append(words: Sequence[str]) -> list[str]:
    fixed = [
        "root=/dev/vda",
        "rw",
        "console=ttyS0",
        "quiet",
        "loglevel=3",
        "panic=-1",
        "net.ifnames=0",
        "no_timer_check",
        # Mitigations keep programs from reading by timing what is not theirs. Emulated, they cost much, and
        # protect nobody.
        "mitigations=off",
    ]
    return ["-append", " ".join([*fixed, *words])]


def test_kernel(disk: Path, memory: int, words: Sequence[str]) -> list[str]:
    """The command line of a stock kernel on a throw-away copy of the disk."""
    return [
        *_machine(disk, memory, accelerator(disk)),
        "-no-reboot",
        *("-drive", f"file={disk},format=raw,if=virtio,snapshot=on"),
        *("-virtfs", f"local,path={CHECKOUT},mount_tag=checkout,security_model=none,readonly=on,multidevs=remap"),
        *_append([*words, "lab.checkout=9p"]),
    ]


def host_kernel(host: Host, files: Path, disk: Path, words: Sequence[str]) -> list[str]:
    """The command line of a host of a network; its disk stays in files from one boot to the next."""
    own = files / f"{host.name}.disk"
    if not own.exists():
        need(["qemu-img"])
        command = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(disk), str(own)]
        subprocess.run(command, check=True)
    cards = []
    for nic in host.nics:
        cards += ["-netdev", f"tap,id={nic.name},ifname={nic.tap},script=no,downscript=no"]
        cards += ["-device", f"virtio-net-pci,netdev={nic.name},mac={nic.mac}"]
    return [
        *_machine(disk, host.memory or 512, accelerator(disk)),
        *("-drive", f"file={own},format=qcow2,if=virtio"),
        *("-drive", f"file={files}/{host.name}.seed,format=raw,if=virtio,readonly=on"),
        *cards,
        *_append(words),
    ]
