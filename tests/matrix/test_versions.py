# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Not a test of anything: prints the versions of what the collection meets on a guest, for docs/compatibility.md."""

from __future__ import annotations

import platform
import subprocess

import pytest

# Of Debian's packages.
PACKAGES = ("ipvsadm", "keepalived", "nftables", "iptables", "iproute2", "systemd", "python3-pyroute2")


@pytest.mark.parametrize("package", PACKAGES)
def test_version_of(package: str) -> None:
    shown = subprocess.run(["dpkg-query", "-Wf", "${Version}", package], check=True, capture_output=True, text=True)
    print(f"\nSEEN {package} {shown.stdout}")


def test_versions_of_python_and_kernel() -> None:
    print(f"\nSEEN Python {platform.python_version()}\nSEEN kernel {platform.release()}")
