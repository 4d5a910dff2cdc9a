# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role keepalived's template, judged by keepalived itself and by what it then does, and the module that writes it."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import jinja2
import pytest

TEMPLATE = Path(__file__).parents[3] / "roles/keepalived/templates/keepalived.conf.j2"
CONFIG = "/etc/keepalived/keepalived.conf"

INSTANCE: dict[str, Any] = {
    "name": "lvs",
    "interface": "br0",
    "version": 2,
    "router_id": 61,
    "priority": 150,
    "advert_int": 2,
    "preempt": False,
    "preempt_delay": 0,
    "auth_pass": "s3cret",
    "garp": {
        "master_delay": 11,
        "master_repeat": 12,
        "master_refresh": 13,
        "master_refresh_repeat": 14,
        "lower_prio_delay": 15,
        "lower_prio_repeat": 16,
        "interval": 0.001,
    },
    "track_interfaces": ["dummy0"],
    "track_scripts": ["healthy"],
    "track_processes": ["web"],
    "addresses": [{"address": "10.0.0.29/24", "interface": "br0"}, {"address": "192.0.2.1/32", "interface": "dummy0"}],
    "excluded": [
        {"address": "fd00::29/128", "interface": "br0", "deprecated": True},
        {"address": "fd00::30/128", "interface": "br0"},
        {"address": "fd00::31/64", "interface": "br0", "deprecated": False},
    ],
    "notify": {
        "master": "/usr/bin/true master",
        "backup": "/usr/bin/true backup",
        "fault": "/usr/bin/true fault",
        "stop": "/usr/bin/true stop",
        "any": "/usr/bin/true any",
    },
    "raw": "skip_check_adv_addr\ndown_timer_adverts 4\n",
}
OTHER: dict[str, Any] = {
    "name": "other",
    "interface": "dummy0",
    "version": 3,
    "router_id": 62,
    "priority": 140,
    "advert_int": 0.25,
    "preempt": True,
    "preempt_delay": 7.5,
    "unicast": {"source": "192.0.2.10", "peers": ["192.0.2.11", "192.0.2.12"]},
    "garp": {},
    "track_interfaces": [],
    "track_scripts": [],
    "track_processes": [],
    "addresses": [{"address": "192.0.2.29/32", "interface": "dummy0"}],
    "excluded": [],
    "notify": {},
}


def server(number: int, **more: Any) -> dict[str, Any]:
    plain = {"address": f"10.0.0.{number}", "port": 80, "weight": 1, "upper_threshold": 0, "lower_threshold": 0}
    return {**plain, **more}


def service(name: str, port: int, check: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    given = {"interval": 31, "timeout": 32, "retries": 33, "retry_delay": 34}
    checked = {} if check is None else {"health_check": {**({} if check["type"] == "file" else given), **check}}
    return {
        "name": name,
        "address": "192.0.2.1",
        "port": port,
        "protocol": "tcp",
        "scheduler": "rr",
        "scheduler_flags": [],
        "one_packet": False,
        "persistence": {"timeout": 0},
        "forward": "nat",
        "quorum": 1,
        "hysteresis": 0,
        "inhibit_on_failure": False,
        "alpha": False,
        "omega": False,
        "real_servers": [server(51)],
        **checked,
        **more,
    }


SERVICES = [
    service("plain", 1000, real_servers=[server(51, name="app1", weight=5, upper_threshold=300, lower_threshold=200)]),
    service(
        "all",
        1001,
        scheduler="sh",
        scheduler_flags=["sh-port", "sh-fallback"],
        persistence={"timeout": 77, "netmask": "255.255.255.0", "engine": "none"},
        forward="dr",
        quorum=3,
        hysteresis=2,
        quorum_up="/usr/bin/true up",
        quorum_down="/usr/bin/true down",
        sorry_server={"address": "10.0.0.99", "port": 1001, "forward": "dr"},
        inhibit_on_failure=True,
        alpha=True,
        omega=True,
        raw="smtp_alert\nvirtualhost raw.example",
        real_servers=[server(51, port=1001, weight=4), server(52, port=1001, weight=0)],
    ),
    service(
        "sip",
        5060,
        protocol="udp",
        one_packet=True,
        scheduler="mh",
        scheduler_flags=["mh-port", "mh-fallback"],
        persistence={"timeout": 78, "netmask": "255.255.255.255", "engine": "sip"},
        real_servers=[server(51, port=5060)],
    ),
    service("sctp", 1002, protocol="sctp"),
    service(
        "tunnels",
        1003,
        forward="tun",
        sorry_server={
            "address": "10.0.0.98",
            "port": 1003,
            "forward": "tun",
            "tunnel": {"type": "gre", "checksum": "on"},
        },
        real_servers=[
            server(51, port=1003, tunnel={"type": "ipip", "checksum": "none"}),
            server(52, port=1003, tunnel={"type": "gue", "port": 5555, "checksum": "remote"}),
            server(53, port=1003, tunnel={"type": "gue", "port": 5556, "checksum": "none"}),
            server(54, port=1003, tunnel={"type": "gre", "checksum": "on"}),
        ],
    ),
    service("six", 1004, address="fd00::29", real_servers=[server(0, address="fd00::51")]),
    {
        **{key: value for key, value in service("mark", 0).items() if key not in ("address", "port", "protocol")},
        "fwmark": 10,
        "family": "ipv4",
        "real_servers": [server(51, port=0)],
    },
    {
        **{key: value for key, value in service("mark6", 0).items() if key not in ("address", "port", "protocol")},
        "fwmark": 11,
        "family": "ipv6",
        "forward": "tun",
        "persistence": {"timeout": 79, "netmask": "64", "engine": "none"},
        "real_servers": [server(0, address="fd00::51", port=0, tunnel={"type": "ipip", "checksum": "none"})],
    },
    service(
        "http",
        1010,
        {
            "type": "http",
            "port": 8080,
            "warmup": 35,
            "urls": [
                {"path": "/one", "status": ["200", "300-399"], "virtual_host": "one.example"},
                {"path": "/two", "status": [], "digest": "9b3a0c85a887a256d6939da88aabd8cd"},
            ],
        },
    ),
    service("https", 1011, {"type": "https", "sni": True, "urls": [{"path": "/", "status": ["200"]}]}),
    service("tcp", 1012, {"type": "tcp", "port": 8081}),
    service("udp", 1013, {"type": "udp", "payload": "0a1b", "require_reply": "0a1x"}),
    service("udp_any", 1014, {"type": "udp", "require_reply": True}),
    service("smtp", 1015, {"type": "smtp", "helo_name": "helo.example"}),
    service("dns", 1016, {"type": "dns", "query_type": "AAAA", "name": "dns.example"}),
    service("ping", 1017, {"type": "ping"}),
    service(
        "misc",
        1018,
        {"type": "misc", "dynamic_weight": True, "user": "nobody"},
        real_servers=[server(51, script="/usr/bin/true 10.0.0.51 80")],
    ),
    service("file", 1019, {"type": "file", "weight": 6}, real_servers=[server(51, track_file="file_1")]),
]

EVERYTHING: dict[str, Any] = {
    "global_defs": {
        "router_id": "lb1",
        "script_user": "nobody",
        "timeouts": {"tcp": 901, "tcpfin": 121, "udp": 301},
        "sync": {
            "interface": "br0",
            "instance": "lvs",
            "syncid": 5,
            "maxlen": 1400,
            "group": "224.0.0.82",
            "port": 8849,
            "ttl": 3,
        },
        "raw": "vrrp_skip_check_adv_addr\nvrrp_startup_delay 0.5",
    },
    "scripts": [
        {
            "name": "healthy",
            "script": "/usr/bin/true 'one word'",
            "interval": 21,
            "timeout": 22,
            "rise": 1,
            "fall": 24,
            "weight": 25,
            "user": "daemon",
        }
    ],
    "processes": [{"name": "web", "process": "nginx", "weight": 26, "delay": 2.5}],
    "files": [{"name": "file_1", "path": "/run/health"}],
    "sync_groups": [],
    "instances": [INSTANCE, OTHER],
    "services": SERVICES,
    "raw": "static_ipaddress {\n    10.9.9.9/32 dev dummy0\n}\n",
}


def render(plan: dict[str, Any], **more: Any) -> str:
    """As Ansible does: blocks leave no lines, and what is not defined is a mistake."""
    environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    template = environment.from_string(TEMPLATE.read_text())
    return template.render(__keepalived_plan={"keepalived": plan}, **more)


def judge(text: str, sh: Callable[[str], str]) -> str:
    Path("/tmp/keepalived.conf").write_text(text)
    return sh("keepalived -t -f /tmp/keepalived.conf 2>&1; echo $?")


@pytest.fixture(autouse=True)
def _a_place(sh, wire) -> None:
    sh("mkdir -p /etc/keepalived && mount -t tmpfs tmpfs /etc/keepalived")
    # Two keepalived in one file system would find each other's process there.
    sh("mount -t tmpfs tmpfs /run && mkdir -p /run/netns && echo 0 > /run/health")
    wire("app1", "10.0.0.51/24", "fd00::51/64")
    sh(
        "ip address add 10.0.0.2/24 dev br0 && ip address add fd00::2/64 dev br0 nodad && ip link add dummy0 type dummy"
        " && ip link set dummy0 up multicast on && ip address add 192.0.2.10/24 dev dummy0"
    )


@pytest.fixture
def keepalived() -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def start(path: str) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen(["keepalived", "--dont-fork", "--log-console", "--no-syslog", "-f", path]))
        return started[-1]

    yield start
    for process in started:
        process.terminate()
        process.wait(timeout=20)


def test_keepalived_takes_every_keyword(sh) -> None:
    text = render(EVERYTHING)
    assert judge(text, sh) == "0\n", text


def test_show(sh, keepalived) -> None:
    Path("/tmp/everything.conf").write_text(render(EVERYTHING))
    process = keepalived("/tmp/everything.conf")
    time.sleep(3)
    process.send_signal(signal.SIGUSR1)
    time.sleep(2)
    print(sh("ls -la /tmp; cat /tmp/everything.conf; cat /tmp/keepalived*.data; ipvsadm -Sn; ipvsadm -Ln --thresholds; ipvsadm -Ln --timeout; ipvsadm -Ln --daemon; ip address"))
    assert 0
