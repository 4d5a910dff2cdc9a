# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated inventories of keepalived that are right: every key that it has, in values that suit each other."""

from __future__ import annotations

import copy
from collections.abc import Callable
from ipaddress import ip_interface
from typing import Any

from ansible_collections.lvs.topology.tests.unit.topology.inventories import (
    REFERENCES,
    Model,
    dr_pair,
    two_directors,
)
from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]
BOOLEANS = st.booleans()
_SELDOM = st.sampled_from([False, False, True])
# Where the directors of a reference hold VIPs, and what moves besides so that real servers of NAT find the way back.
_NICS = {"R3": "eth2"}
_GATEWAYS = {"R3": ("192.168.246.99/24", "eth1"), "R4": ("10.0.0.99/24", "eth2")}
SECONDS = st.sampled_from([0.5, 1, 3, 10, 60])
TIMES = {
    "interval": SECONDS,
    "timeout": st.sampled_from([1, 3, 8]),
    "retries": st.integers(0, 4),
    "retry_delay": SECONDS,
    "warmup": st.sampled_from([0, 1, 5]),
}
URL = {
    "path": st.sampled_from(["/", "/health", "/a?b=c%21"]),
    "status": st.sampled_from([200, "200-299", [200, 204, "301-302"]]),
    "regex": st.sampled_from(["alive", r"status: (green|yellow)", "(?m)ok$", "a#b!{2}", 'say "yes"', r"\d+\.\d"]),
    "virtual_host": st.sampled_from(["www.example.com", "www.example.com:8080"]),
}
WAY = {"port": st.sampled_from([8080, 9000]), "address": st.just("10.9.9.9"), "fwmark": st.integers(1, 9)}
COMMANDS = st.sampled_from(["/bin/true", "/bin/true up now", "/bin/true 'two words'"])
RUNS = st.one_of(COMMANDS, st.fixed_dictionaries({"script": COMMANDS}, optional={"user": st.just("root")}))


def _check(kind: str, *, must: dict[str, Any] | None = None, **keys: Any) -> st.SearchStrategy[Any]:
    times = {} if kind == "file" else TIMES
    return st.fixed_dictionaries({"type": st.just(kind), **(must or {})}, optional={**times, **keys})


def checks(address: str) -> st.SearchStrategy[Any]:
    """One health check, or a list of them, for a service with such an address."""
    way = WAY if ":" not in address else {**WAY, "address": st.just("fd00:9::9")}
    asked = {key: value for key, value in way.items() if key != "port"}
    one = st.one_of(
        _check("tcp", **way),
        _check("ping", **asked),
        _check("http", **way, **URL, regex_no_match=BOOLEANS).filter(_has_its_regex),
        _check("https", sni=BOOLEANS, urls=st.lists(st.fixed_dictionaries({}, optional=URL), min_size=1, max_size=2)),
        _check("udp", **way, payload=st.just("0a1b"), require_reply=st.sampled_from([True, "ffxx"])),
        _check("smtp", **way, helo_name=st.just("lb.example.com")),
        _check("dns", **way, name=st.just("probe.example.com"), query_type=st.sampled_from(["A", "SOA", "AAAA"])),
        _check(
            "misc",
            must={"script": st.sampled_from(["/bin/true", "/bin/true -H {address} -p {port}"])},
            dynamic_weight=BOOLEANS,
            user=st.just("root"),
        ),
        _check("file", must={"path": st.sampled_from(["/run/down", "/run/down-{address}"])}, weight=st.integers(-9, 9)),
        _check("ldap", must={"base": st.just("dc=example")}, login=st.just("cn=lvs"), password=st.just("pr0be")),
        _check("imap", must={"login": st.just("lvs"), "password": st.just("pr0be")}),
        _check("pgsql", must={"login": st.just("lvs")}, password=st.just("pr0be"), database=st.just("shop")),
        _check("redis", password=st.just("pr0be")),
    )
    return st.one_of(one, one, st.lists(one, min_size=2, max_size=3))


def _has_its_regex(check: dict[str, Any]) -> bool:
    return "regex" in check or "regex_no_match" not in check


OF_SERVICE = {
    "quorum": st.integers(2, 4),
    "quorum_up": RUNS,
    "quorum_down": RUNS,
    "smtp_alert": BOOLEANS,
    "inhibit_on_failure": BOOLEANS,
    "alpha": BOOLEANS,
    "omega": BOOLEANS,
    "scheduler": st.sampled_from(["rr", "wrr", "sh", "mh", "fo"]),
    "persistence": st.fixed_dictionaries({}, optional={"timeout": st.sampled_from([60, 300, 600])}),
}
OF_REAL_SERVER = {
    "weight": st.integers(0, 9),
    "upper_threshold": st.integers(10, 20),
    "notify_up": RUNS,
    "notify_down": RUNS,
    "inhibit_on_failure": BOOLEANS,
    "alpha": BOOLEANS,
    "smtp_alert": BOOLEANS,
}
OF_VRRP = {
    "router_id": st.integers(1, 255),
    "auth_pass": st.sampled_from(["s3cret", "12345678"]),
    "preempt": BOOLEANS,
    "advert_int": st.sampled_from([1, 2, 5]),
    "garp": st.fixed_dictionaries({}, optional={"master_refresh": st.integers(0, 60), "master_repeat": st.just(3)}),
    "track_scripts": st.lists(
        st.fixed_dictionaries(
            {"name": st.just("uplink"), "script": COMMANDS},
            optional={"interval": st.just(2), "fall": st.just(3), "user": st.just("root")},
        ),
        max_size=1,
    ),
    "track_processes": st.just([{"name": "proxy", "process": "haproxy", "delay": 1}]),
    "notify": st.fixed_dictionaries({}, optional={"master": RUNS, "backup": RUNS, "any": COMMANDS}),
    "smtp_alert": BOOLEANS,
}
MAIL = st.fixed_dictionaries(
    {"to": st.just(["ops@example.com"]), "server": st.sampled_from(["192.0.2.25", "mail.example.com"])},
    optional={
        "from": st.just("lb@example.com"),
        "port": st.just(2525),
        "timeout": st.just(10),
        "alert": BOOLEANS,
    },
)


def _some(draw: Draw, thing: dict[str, Any], keys: dict[str, st.SearchStrategy[Any]]) -> None:
    for key in draw(st.lists(st.sampled_from(sorted(keys)), unique=True, max_size=4)):
        thing[key] = draw(keys[key])


def _services(draw: Draw, services: list[dict[str, Any]]) -> None:
    for service in services:
        _some(draw, service, OF_SERVICE)
        vip = str(service["address"])
        if draw(BOOLEANS):
            service["health_check"] = draw(checks(vip))
        if service["forward"] in ("dr", "tun") and draw(_SELDOM):
            service["health_check"] = {"type": "tcp", "through": "vip"}
        for entry in service["real_servers"]:
            _some(draw, entry, OF_REAL_SERVER)
            if draw(_SELDOM):
                entry["health_check"] = draw(st.one_of(st.just([]), checks(vip)))
        if draw(_SELDOM):
            service["sorry_server"] = {"address": "127.0.0.1" if ":" not in vip else "::1"}


def _group(draw: Draw, services: list[dict[str, Any]]) -> None:
    """The first service, and one or two that share its pool with it."""
    first = services[0]
    # With one pool and different ports a check says which of them it asks, and so does the pool.
    if first["forward"] in ("nat", "fullnat"):
        for entry in first["real_servers"]:
            entry.setdefault("port", first["port"])
    else:
        first["health_check"] = {"type": "tcp", "port": first["port"]}
        for entry in first["real_servers"]:
            entry.pop("health_check", None)
    # Its port is that of each service.
    first.pop("sorry_server", None)
    first["group"] = "shops"
    for number in range(draw(st.integers(1, 2))):
        services.append({**copy.deepcopy(first), "name": f"shop {number}", "port": 8081 + number})


def _one_way(services: list[dict[str, Any]]) -> None:
    """Syslog, whose senders hear nothing."""
    vip = services[0]["address"]
    log = {"name": "log", "address": vip, "port": 514, "protocol": "udp", "one_packet": True, "one_way": True}
    entry = {"address": "10.0.0.77" if ":" not in str(vip) else "fd00::77"}
    services.append({**log, "forward": "nat", "scheduler": "rr", "real_servers": [entry]})


def _addresses(draw: Draw, model: Model, vrrp: dict[str, Any], nic: str) -> None:
    """How single VIPs are held, and what moves besides them."""
    vips = sorted({str(ip_interface(each["address"]).ip) for each in model.services})
    options = {}
    for vip in vips:
        keys: dict[str, st.SearchStrategy[Any]] = {"noprefixroute": BOOLEANS, "no_track": BOOLEANS}
        if ":" not in vip:
            keys |= {"label": st.just(f"{nic}:vip"), "broadcast": st.just("192.0.2.255")}
        options[vip] = draw(st.fixed_dictionaries({}, optional=keys))
    vrrp["address_options"] = {vip: each for vip, each in options.items() if each}
    vrrp["addresses"] = [*vrrp.get("addresses", []), {"address": "10.99.0.1/24", "interface": nic}]


def _instances(draw: Draw, vrrp: dict[str, Any], nic: str) -> None:
    """Four of them, which move together, or each by itself, or some with some."""
    vrrp.pop("router_id", None)
    vrrp["instances"] = [
        {"name": f"V{number}", "router_id": number, "interface": nic}
        | {"addresses": [{"address": f"10.98.{number}.1/24", "interface": nic}]}
        for number in (1, 2, 3, 4)
    ]
    together = draw(st.sampled_from([True, False, {"a": ["V1", "V2"]}, {"a": ["V1", "V2"], "b": ["V4", "V3"]}]))
    vrrp["sync_groups" if isinstance(together, dict) else "sync_group"] = together


def _only_one(model: Model) -> None:
    """A service of one director of a pair. Another service has the VIP on both."""
    first = model.services[0]
    if len(model.groups["lvs_directors"]) > 1:
        model.services.append({**copy.deepcopy(first), "name": "one", "port": 8443, "directors": ["lb1"]})


@st.composite
def right_models(draw: Draw) -> Model:
    """An inventory under keepalived that has no mistake but by chance."""
    makers = {**REFERENCES, "DR pair": dr_pair, "two directors": two_directors}
    name = draw(st.sampled_from(sorted(makers)))
    model = makers[name]()
    directors = model.groups["lvs_directors"]
    first = model.hostvars[directors[0]]
    nic = _NICS.get(name, "eth1")
    _services(draw, model.services)
    vrrp = dict(first.get("lvs_vrrp", {}))
    if name in _GATEWAYS:
        address, where = _GATEWAYS[name]
        vrrp["addresses"] = [{"address": address, "interface": where}]
    _some(draw, vrrp, OF_VRRP)
    if draw(BOOLEANS):
        _group(draw, model.services)
    if draw(_SELDOM):
        _one_way(model.services)
    # Directors that share no VIP have instances of their own.
    if name != "two directors" and draw(_SELDOM):
        _addresses(draw, model, vrrp, nic)
    if name != "two directors" and draw(_SELDOM):
        _instances(draw, vrrp, _GATEWAYS.get(name, ("", nic))[1])
    keepalived: dict[str, Any] = {"script_user": "nobody"}
    if draw(BOOLEANS):
        keepalived["mail"] = draw(MAIL)
    if name != "two directors" and draw(_SELDOM):
        _only_one(model)
    for each in directors:
        values = model.hostvars[each]
        if values.get("lvs_vip_interface") == "lo" or name == "R4":
            # The VIP of R4 is the only address of its network, and comes and goes here.
            values["lvs_vip_interface"] = "eth1"
        values |= {"lvs_manager": "keepalived", "lvs_vrrp": copy.deepcopy(vrrp), "lvs_keepalived": keepalived}
        if name != "two directors":
            values["lvs_services"] = copy.deepcopy(model.services)
    if name == "two directors":
        model.hostvars["lb2"]["lvs_vrrp"]["router_id"] = 256 - int(vrrp.get("router_id", 51))
    return model
