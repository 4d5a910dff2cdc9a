# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kernel whose IPVS is not loaded, or not there at all."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Iterator

import pytest

HELPER = Path("/proc/sys/kernel/modprobe")
WEB = {"address": "10.0.0.1", "port": 80}


def loaded(name: str) -> bool:
    return Path("/sys/module", name).exists()


@pytest.fixture
def without_ipvs(sh) -> Iterator[None]:
    """Take the modules away, and keep the kernel from loading any by itself."""
    helper = HELPER.read_text(encoding="ascii")
    HELPER.write_text("/bin/false", encoding="ascii")
    try:
        # The namespaces of earlier tests, which hold the modules, go in the background.
        deadline = time.monotonic() + 30
        while loaded("ip_vs"):
            sh("for m in /sys/module/ip_vs_* /sys/module/ip_vs; do rmmod ${m##*/} 2>/dev/null; done; true")
            assert time.monotonic() < deadline, sh("lsmod")
            time.sleep(0.1)
        yield
    finally:
        HELPER.write_text(helper, encoding="ascii")


@pytest.mark.usefixtures("without_ipvs")
def test_check_mode_loads_nothing(run_module) -> None:
    result = run_module("ipvs_table", {"services": [WEB]}, check=True)
    assert result["changes"] == ["ipvsadm -A -t 10.0.0.1:80 -s wlc"]
    info = run_module("ipvs_info", {})
    assert (info["loaded"], info["version"], info["services"]) == (False, None, [])
    # Nor does a task that cannot be done.
    assert run_module("ipvs_service", {**WEB, "port": -1})["failed"]
    assert not loaded("ip_vs")


@pytest.mark.usefixtures("without_ipvs")
def test_ipvs_and_schedulers_are_loaded(run_module, sh) -> None:
    for name in ("ip_vs", "ip_vs_sed", "ip_vs_pe_sip"):
        assert not loaded(name)
    result = run_module("ipvs_service", {**WEB, "scheduler": "sed", "persistence": {"engine": "sip"}})
    assert not result.get("failed"), result
    assert sh("ipvsadm -Sn") == "-A -t 10.0.0.1:80 -s sed -p 300 --pe sip\n"


@pytest.mark.usefixtures("without_ipvs")
def test_a_kernel_without_ipvs(run_module, sh) -> None:
    sh("mount -t tmpfs tmpfs /lib/modules")
    result = run_module("ipvs_table", {"services": [WEB]})
    assert result["msg"].startswith("The kernel ")
    for part in ("has no IPVS (modprobe: ", "linux-modules-extra-$(uname -r)", "kernel-modules-core", "load ip_vs on"):
        assert part in result["msg"]
