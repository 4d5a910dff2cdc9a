# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files through a real FTP server: data connections find their way in every mode and family, through NAT and DR."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

CONFIGURATION = """
listen=NO
listen_ipv6=YES
background=NO
anonymous_enable=YES
local_enable=NO
anon_root=/run/ftp
connect_from_port_20=YES
pasv_min_port=30000
pasv_max_port=30100
secure_chroot_dir=/run/ftp-empty
seccomp_sandbox=NO
"""
SERVERS = ("web1", "web2", "web3")
# curl begins with the extended commands, which alone know IPv6, and does without where it is told so.
MODES = {
    "passive, EPSV": "",
    "passive, PASV": "--disable-epsv --no-ftp-skip-pasv-ip",
    "active, EPRT": "--ftp-port -",
    "active, PORT": "--ftp-port - --disable-eprt",
}
EXTENDED = ("passive, EPSV", "active, EPRT")
SIZE = 5 << 20


def transfers(vip: str, vip6: str) -> list[tuple[str, str]]:
    return [(vip, mode) for mode in MODES] + [(f"[{vip6}]", mode) for mode in EXTENDED]


@pytest.fixture(scope="module", autouse=True)
def _servers(scenario: Any) -> Iterator[None]:
    for host in SERVERS:
        scenario.run(host, f"cat > /run/ftp.conf <<'END'{CONFIGURATION}END")
        scenario.run(host, "mkdir -p /run/ftp /run/ftp-empty && hostname > /run/ftp/name")
        scenario.run(host, f"head -c {SIZE} /dev/zero > /run/ftp/large")
        scenario.run(host, "systemd-run --quiet --unit=ftp /usr/sbin/vsftpd /run/ftp.conf")
    for host in SERVERS:
        scenario.run(host, "timeout 300 sh -c 'until ss -Hltn sport = :21 | grep -q .; do sleep 0.2; done'")
    yield
    for host in SERVERS:
        scenario.run(host, "systemctl stop ftp; rm -r /run/ftp /run/ftp-empty /run/ftp.conf")


def fetch(scenario: Any, vip: str, mode: str, name: str) -> str:
    return str(scenario.run("client", f"curl --silent --show-error --speed-time 120 {mode} ftp://{vip}/{name}"))


@pytest.mark.parametrize(("vip", "mode"), transfers("192.168.50.100", "2001:db8:50::100"))
def test_through_nat(scenario: Any, vip: str, mode: str) -> None:
    assert fetch(scenario, vip, MODES[mode], "name") == "web1"
    assert fetch(scenario, vip, MODES[mode], "large | wc -c") == str(SIZE)


@pytest.mark.parametrize(("vip", "mode"), transfers("192.168.50.101", "2001:db8:50::101"))
def test_through_dr(scenario: Any, vip: str, mode: str) -> None:
    """All connections of the client, control, data and web, are at one real server."""
    assert fetch(scenario, vip, MODES[mode], "large | wc -c") == str(SIZE)
    host = fetch(scenario, vip, MODES[mode], "name")
    assert host in ("web2", "web3")
    assert scenario.answers(f"http://{vip}/", 3) == {host: 3}


def test_what_is_not_marked_reaches_no_real_server(scenario: Any) -> None:
    request = "curl --silent --max-time 10 http://192.168.50.101:81/ || echo refused"
    assert scenario.run("client", request) == "refused"
