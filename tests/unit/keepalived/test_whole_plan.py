# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan that tests on a kernel hand to keepalived's template has no key that the compiler does not write there.

That plan is written by hand, because each value in it is looked for in what keepalived says. So a key that the compiler
moves, adds or drops has to move there too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ansible_collections.lvs.topology.tests.kernel.net.test_keepalived import EVERYTHING
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model, dr_pair, r5, rs


def service(port: int, **keys: Any) -> dict[str, Any]:
    plain = {"name": f"port-{port}", "address": "192.168.0.29", "port": port, "forward": "dr", "scheduler": "rr"}
    return {**plain, "health_check": {"type": "tcp"}, "real_servers": rs("app1"), **keys}


CHECKS: tuple[dict[str, Any], ...] = (
    {"type": "http", "warmup": 35, "port": 8080, "urls": [{"path": "/", "status": 200, "virtual_host": "a.example"}]},
    {"type": "https", "sni": True, "digest": "9b3a0c85a887a256d6939da88aabd8cd"},
    {"type": "udp", "payload": "0a1b", "require_reply": "0a1x"},
    {"type": "smtp", "helo_name": "helo.example"},
    {"type": "dns", "query_type": "AAAA", "name": "dns.example"},
    {"type": "misc", "script": "/usr/bin/true {address}", "dynamic_weight": True, "user": "nobody"},
    {"type": "file", "path": "/run/health", "weight": 6},
)
SORRY: dict[str, Any] = {"address": "10.0.0.98", "port": 1000, "tunnel": {"type": "gre", "checksum": "on"}}
SERVICES: list[dict[str, Any]] = [
    *(service(2000 + at, health_check=each) for at, each in enumerate(CHECKS)),
    service(
        1000,
        forward="tun",
        persistence={"timeout": 77, "netmask": "255.255.255.0", "engine": "none"},
        quorum_up="/usr/bin/true up",
        quorum_down="/usr/bin/true down",
        raw="smtp_alert",
        sorry_server=SORRY,
        real_servers=rs("app1", tunnel={"type": "gue", "port": 5555, "checksum": "on"}),
    ),
    {key: value for key, value in service(0).items() if key not in ("address", "port")}
    | {"name": "mark", "fwmark": 10, "family": "ipv4", "health_check": {"type": "ping"}},
]
VRRP: dict[str, Any] = {
    "unicast": ["192.168.0.11", "192.168.0.12"],
    "auth_pass": "s3cret",
    "addresses": ["10.0.0.29/24"],
    "garp": {
        "interval": 0.001,
        "master_delay": 11,
        "master_repeat": 12,
        "master_refresh": 13,
        "master_refresh_repeat": 14,
        "lower_prio_delay": 15,
        "lower_prio_repeat": 16,
    },
    "track_interfaces": ["eth1"],
    "track_scripts": [{"name": "healthy", "script": "/usr/bin/true", "timeout": 22, "weight": 25, "user": "daemon"}],
    "track_processes": [{"name": "web", "process": "nginx", "weight": 26, "delay": 2.5}],
    "notify": {which: f"/usr/bin/true {which}" for which in ("master", "backup", "fault", "stop", "any")},
    "raw": "skip_check_adv_addr",
}


def asked_for_everything() -> Model:
    model = r5()
    for name in model.groups["lvs_directors"]:
        model.hostvars[name] |= {
            "lvs_services": SERVICES,
            "lvs_vrrp": VRRP,
            "lvs_sync": {"interface": "eth1", "group": "224.0.0.82", "maxlen": 1400, "port": 8849, "ttl": 3},
            "lvs_timeouts": {"tcp": 901, "tcpfin": 121, "udp": 301},
            "lvs_keepalived": {"script_user": "nobody", "global_raw": "vrrp_startup_delay 0.5", "raw": "# mine"},
        }
    return model


def keys(value: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every key with those that it is in. The elements of a list have the place of the list."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield (*above, key)
            yield from keys(each, (*above, key))
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from keys(each, above)


def test_a_plan_written_by_hand_has_the_keys_of_the_compiler() -> None:
    models = (asked_for_everything(), r5(), dr_pair())
    compiled = {key for model in models for key in keys(model.plan("lb1", "keepalived")["keepalived"])}
    assert set(keys(EVERYTHING)) - compiled == set()
