# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kernel whose IPVS is not loaded, or not there at all."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Iterator

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._forms import SCHEDULERS

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
        deadline = time.monotonic() + 300
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


def test_every_scheduler_of_the_model(run_module, sh) -> None:
    """Its module is loaded, now and at boot, and takes a service; what this kernel lacks is said."""
    there = [name for name in SCHEDULERS if sh(f"modprobe --show-depends ip_vs_{name} 2>/dev/null || true")]
    lacking = sorted(set(SCHEDULERS) - set(there))
    assert set(lacking) <= {"twos"}
    modules = [f"ip_vs_{name}" for name in there]
    assert not run_module("kernel_modules", {"modules": modules}).get("failed")
    assert set(Path("/etc/modules-load.d/lvs-topology-lvs.conf").read_text().split()) >= set(modules)
    services = [
        {"address": "10.0.0.100", "port": port, "scheduler": name, "real_servers": [{"address": "10.0.0.2"}]}
        for port, name in enumerate(there, 1)
    ]
    assert not run_module("ipvs_table", {"services": services}).get("failed")
    table = sh("ipvsadm -Sn")
    for port, name in enumerate(there, 1):
        assert f"-A -t 10.0.0.100:{port} -s {name}\n" in table
    for name in lacking:
        message = run_module("preflight", {"kernel_modules": [f"ip_vs_{name}"]})["msg"]
        assert f"has no module ip_vs_{name}." in message
        assert "since Linux 5.11 where CONFIG_IP_VS_TWOS is set" in message


@pytest.mark.usefixtures("without_ipvs")
def test_a_kernel_without_ipvs(run_module, sh) -> None:
    sh("mount -t tmpfs tmpfs /lib/modules")
    result = run_module("ipvs_table", {"services": [WEB]})
    assert result["msg"].startswith("The kernel ")
    for part in ("has no IPVS (modprobe: ", "linux-modules-extra-$(uname -r)", "kernel-modules-core", "load ip_vs on"):
        assert part in result["msg"]
