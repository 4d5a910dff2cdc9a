# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Generated inventories: a reference topology with some of its values changed, to what is odd or hostile as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.login_kinds import LOGINS
from ansible_collections.lvs.topology.tests.unit.topology.inventories import (
    REFERENCES,
    Model,
    dr_pair,
    facts,
    nic,
    two_directors,
)
from hypothesis import given, seed, settings
from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]
MODELS = [*REFERENCES.values(), dr_pair, two_directors]


def for_each(examples: st.SearchStrategy[Any], look: Callable[[Any], None], number: int, seed_of_run: int) -> None:
    """Look at so many examples, which are the same for the same seed."""
    profile = settings(settings.get_profile("generated"), max_examples=number)
    seed(seed_of_run)(profile(given(examples)(look)))()


HOSTILE = st.sampled_from(
    [
        *[None, True, False, 0, -1, 2**31, 2**32, 10**400, 1.5, float("nan"), float("inf")],
        *["", " ", "\0", "a\nb", "a\tb", "\ud800", "9" * 5000, "ä", "\u2028", "eth+", "eth0#x", "lo:\nl d eth0"],
        *["{{ 1 }}", "$(id)", "a;b", "-f", "#", "!", "\\", "'", '"', "a" * 300, "a" * 1021 + "include /x"],
        *[[], [[]], ["x"], {}, {"x": 1}, {1: 2}],
    ]
)
ADDRESSES = st.sampled_from(
    [
        *["192.168.246.160", "192.168.246.170", "192.168.0.77", "10.0.0.77", "10.1.0.77", "172.16.0.1", "fd00::77"],
        *["::10.0.0.1", "::a00:1", "FD00:0::77", "2001:db8::177", "::ffff:10.0.0.1", "fe80::1", "169.254.1.1"],
        *["0.0.0.1", "::", "127.0.0.1", "::1", "224.0.0.1", "ff02::1", "255.255.255.255", "240.0.0.1", "010.0.0.1"],
        *["10.0.0.0", "10.0.0.1%eth0", "1.2.3", "10.0.0.77/24", "fd00::77/64", "10.0.0.255/24", "10.0.0.1/33"],
    ]
)
INTERFACES = st.sampled_from(
    ["eth1", "eth2", "lo", "br-lan", "eth0.100", "wg0", "enp3s0f1np1", "a" * 15, "a" * 16, "eth0:1", "e/x", "..", "-x"]
)
NUMBERS = st.one_of(
    st.sampled_from([0, 1, 2, 80, 81, 255, 256, 300, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2678400, 2678401]),
    st.sampled_from(["0", "1", "80", "65535", "65536", "080", "+1", "1.0", " 1", "0x10"]),
    st.integers(0, 100),
)
SMALL = st.one_of(st.integers(0, 10), st.sampled_from([0.001, 0.5, 1.5, "2", "0.25"]))
NAMES = st.sampled_from(["web", "a b", "ä", "x" * 200, "x" * 201, "include /etc/passwd", "a#b", "}", "web-2", "-"])
SCHEDULERS = st.sampled_from(
    [
        *["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "twos"],
        "RR",
        "none",
        "rr\n",
        "a" * 16,
    ]
)
FLAGS = st.lists(st.sampled_from(["sh-port", "sh-fallback", "mh-port", "mh-fallback", "flag-1"]), max_size=2)
COMMANDS = st.sampled_from(
    ["/bin/true", "/bin/true a 'b c'", "/bin/true {address} {port}", "true", "/bin/a; /bin/b", ""]
)
WORDS = st.sampled_from(["www.example.com", "/", "/health?a=b%21", "a b", "a{b", "a~b", "a$b", "::1", "x" * 1100])
BOOLEANS = st.sampled_from([True, False, "yes", "off", "maybe"])
STATUSES = st.lists(st.sampled_from([200, "200-299", 99, 600, "404", "300-200", "x"]), max_size=3)
SYSCTLS = st.dictionaries(
    st.sampled_from(
        [
            *["net.ipv4.vs.conntrack", "net/ipv4/vs/conntrack", "net.ipv4.vs.conn_max", "net.ipv4.vs.contrack"],
            *["net.ipv4.tcp_syncookies", "net/ipv4/conf/eth0.100/forwarding", "net.ipv4.conf.*.forwarding", "x"],
            *["-net.ipv4.ip_forward", "net.ipv4.ip_local_port_range", "a.b=c", "a.#b", "a..b", "kernel.core_pattern"],
        ]
    ),
    st.one_of(NUMBERS, st.sampled_from(["1 2", "1\t2", "1\n2", "", None, "#x", "x=y", "|/bin/x %p", "é"]), HOSTILE),
    max_size=3,
)


def optional(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A mapping with some of these keys."""
    return st.fixed_dictionaries({}, optional=keys)


def typed(kind: str, **keys: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A health check of a kind with some of its keys."""
    times = {"interval": SMALL, "timeout": SMALL, "retries": SMALL, "retry_delay": SMALL, "warmup": SMALL}
    asked = {} if kind in ("ping", "misc", "file", *LOGINS) else {"through": st.sampled_from(["rip", "vip", "vpi"])}
    return st.fixed_dictionaries(
        {"type": st.just(kind)}, optional={**({} if kind == "file" else times), **asked, **keys}
    )


URL = {
    "path": WORDS,
    "status": STATUSES,
    "virtual_host": WORDS,
    "digest": st.sampled_from(["0" * 32, "x"]),
    "regex": st.sampled_from(
        ["alive", r"I'm \d+ #$!~{3} \"ok\"", "(", "(?i)ä", "^a", "(?m)^a$", r"\u0041", "a\nb", "x" * 800]
    ),
    "regex_no_match": BOOLEANS,
}
WAY = {"address": ADDRESSES, "source": ADDRESSES, "source_port": NUMBERS, "fwmark": NUMBERS}
HEALTH_CHECK = st.one_of(
    typed("tcp", port=NUMBERS, **WAY),
    typed("ping", address=ADDRESSES, source=ADDRESSES, fwmark=NUMBERS),
    typed("http", port=NUMBERS, **URL),
    typed("https", sni=BOOLEANS, urls=st.lists(optional(**URL), max_size=2)),
    typed("udp", payload=st.sampled_from(["0a1b", "0x", "ff"]), require_reply=st.sampled_from([True, "ffXX", "z"])),
    typed("smtp", helo_name=WORDS),
    typed("dns", name=WORDS, query_type=st.sampled_from(["A", "SOA", "TXT", "any"])),
    typed("misc", script=COMMANDS, dynamic_weight=BOOLEANS),
    *(
        typed(kind, port=NUMBERS, login=st.sampled_from(["a", "cn=x, dc=y", "a\nb", 3]), password=WORDS, base=WORDS)
        for kind in LOGINS
    ),
    typed("file", path=st.sampled_from(["/run/x", "/run/{address}", "run", "/a b"]), weight=NUMBERS),
)
HEALTH_CHECKS = st.one_of(HEALTH_CHECK, HEALTH_CHECK, st.lists(HEALTH_CHECK, max_size=3))
RUNS = st.one_of(COMMANDS, optional(script=COMMANDS, user=st.sampled_from(["nobody", "root", "No Body"])))
PERSISTENCE = optional(
    timeout=NUMBERS,
    netmask=st.sampled_from(["255.255.255.0", "255.0.255.0", 64, "64", 129, "/24"]),
    engine=st.sampled_from(["sip", "none", "x"]),
)
TUNNELS = optional(
    type=st.sampled_from(["ipip", "gue", "gre", "GRE"]),
    port=NUMBERS,
    checksum=st.sampled_from(["none", "on", "remote", True]),
)
MARKED = st.lists(
    optional(
        address=ADDRESSES,
        protocol=st.sampled_from(["tcp", "udp", "sctp", "icmp"]),
        ports=st.lists(st.one_of(NUMBERS, st.sampled_from(["80-90", "90-80", "1-65535", "x"])), max_size=3),
    ),
    max_size=2,
)
OF_SERVICE: dict[str, st.SearchStrategy[Any]] = {
    "name": NAMES,
    "address": ADDRESSES,
    "port": NUMBERS,
    "protocol": st.sampled_from(["tcp", "udp", "sctp", "TCP"]),
    "forward": st.sampled_from(["dr", "nat", "tun", "fullnat", "DR"]),
    "scheduler": SCHEDULERS,
    "scheduler_flags": FLAGS,
    "persistence": PERSISTENCE,
    "one_packet": BOOLEANS,
    "one_way": BOOLEANS,
    "directors": st.lists(st.sampled_from(["lb1", "lb2", "lb1", "web1", "lb9"]), max_size=2),
    "health_check": HEALTH_CHECKS,
    "quorum": NUMBERS,
    "hysteresis": NUMBERS,
    "min_up": st.one_of(NUMBERS, st.sampled_from(["50%", "100%", "0%", "101%", "half", "%", "-1%"])),
    "group": st.sampled_from(["all", "all", "a b", "x" * 100]),
    "quorum_up": RUNS,
    "quorum_down": RUNS,
    "smtp_alert": BOOLEANS,
    "inhibit_on_failure": BOOLEANS,
    "alpha": BOOLEANS,
    "omega": BOOLEANS,
    "helper": st.sampled_from(["ftp", "sip"]),
    "snat_addresses": st.lists(ADDRESSES, max_size=2),
    "sorry_server": optional(address=ADDRESSES, port=NUMBERS, tunnel=TUNNELS),
}
OF_REAL_SERVER: dict[str, st.SearchStrategy[Any]] = {
    "address": ADDRESSES,
    "canary": st.sampled_from(["5%", "30%", "99%", "0%", "100%", "5", "%"]),
    "port": NUMBERS,
    "weight": NUMBERS,
    "upper_threshold": NUMBERS,
    "lower_threshold": NUMBERS,
    "tunnel": TUNNELS,
    "health_check": HEALTH_CHECKS,
    "notify_up": RUNS,
    "notify_down": RUNS,
    "inhibit_on_failure": BOOLEANS,
    "alpha": BOOLEANS,
    "smtp_alert": BOOLEANS,
}
MAIL = optional(
    **{"to": st.lists(WORDS, max_size=2), "from": WORDS, "server": st.one_of(ADDRESSES, WORDS), "port": NUMBERS},
    **{"helo_name": WORDS, "timeout": SMALL, "alert": BOOLEANS},
)
OF_HOST: dict[str, st.SearchStrategy[Any]] = {
    # A user that every machine has: keepalived looks for it.
    "lvs_keepalived": st.fixed_dictionaries({"script_user": st.just("nobody")}, optional={"mail": MAIL}),
    "lvs_address": st.one_of(ADDRESSES, st.lists(ADDRESSES, max_size=3)),
    "lvs_vip_interface": INTERFACES,
    "lvs_gateway": st.one_of(ADDRESSES, st.lists(ADDRESSES, max_size=2), st.sampled_from(["none", "auto", None])),
    "lvs_arp_method": st.sampled_from(["sysctl", "arptables", "static_neighbour", "arp"]),
    "lvs_timeouts": optional(tcp=NUMBERS, tcpfin=NUMBERS, udp=NUMBERS),
    "lvs_sync": optional(
        role=st.sampled_from(["master", "backup", "both"]),
        interface=INTERFACES,
        syncid=NUMBERS,
        maxlen=st.sampled_from([0, 1, 1000, 1472, 1500, 65507]),
        group=st.sampled_from(["224.0.0.81", "ff02::81", "10.0.0.1", "::ffff:224.0.0.1"]),
        port=NUMBERS,
        ttl=NUMBERS,
    ),
    "lvs_sysctls": SYSCTLS,
    "lvs_purge": st.lists(
        st.sampled_from(["real_servers", "fwmark", "all", "10.0.0.0/8", "10.0.0.1/8", "::/96", "x"]), max_size=3
    ),
    "lvs_keep_weights": BOOLEANS,
    "lvs_metrics": BOOLEANS,
    "lvs_metrics_interval": NUMBERS,
    "lvs_metrics_directory": st.sampled_from(["/srv/metrics", "metrics", "/srv/%h", ""]),
    "lvs_take_over": BOOLEANS,
    "lvs_packet_filter": st.sampled_from(["auto", "nftables", "iptables", "ipfw"]),
    "lvs_firewall": st.sampled_from(["check", "manage", "none", "open"]),
    "lvs_state": st.sampled_from(["present", "absent"]),
}
OF_VRRP: dict[str, st.SearchStrategy[Any]] = {
    "interface": INTERFACES,
    "router_id": NUMBERS,
    "priority": NUMBERS,
    "advert_int": SMALL,
    "version": st.sampled_from([2, 3]),
    "preempt": BOOLEANS,
    "preempt_delay": SMALL,
    "auth_pass": st.sampled_from(["secret", "s3cret99", "123456789", "a b", "e"]),
    "unicast": st.one_of(BOOLEANS, st.lists(ADDRESSES, max_size=2)),
    "addresses": st.lists(
        st.one_of(ADDRESSES, st.just("10.0.0.29/24"), optional(address=ADDRESSES, interface=INTERFACES)), max_size=2
    ),
    "sync_group": BOOLEANS,
    "sync_groups": st.dictionaries(NAMES, st.lists(st.sampled_from(["lvs", "A", "B"]), max_size=3), max_size=2),
    "instances": st.lists(
        optional(
            name=st.sampled_from(["A", "B", "B", "a b"]),
            interface=INTERFACES,
            router_id=NUMBERS,
            vips=st.lists(ADDRESSES, max_size=2),
        ),
        max_size=3,
    ),
    "address_options": st.dictionaries(
        st.one_of(ADDRESSES, st.just("10.0.0.29")),
        optional(
            label=st.sampled_from(["eth1:vip", "eth9:vip", "eth2:0123456789abc", "lo:\nl d eth0"]),
            broadcast=ADDRESSES,
            noprefixroute=BOOLEANS,
            no_track=BOOLEANS,
        ),
        max_size=2,
    ),
    "smtp_alert": BOOLEANS,
    "track_interfaces": st.lists(INTERFACES, max_size=2),
    "track_scripts": st.lists(
        optional(name=NAMES, script=COMMANDS, interval=SMALL, weight=NUMBERS, rise=SMALL, fall=SMALL), max_size=1
    ),
    "track_processes": st.lists(optional(name=NAMES, process=WORDS, weight=NUMBERS, delay=SMALL), max_size=1),
    "notify": optional(master=RUNS, backup=COMMANDS),
    "unicast_source": ADDRESSES,
    "in_adverts": st.lists(st.one_of(ADDRESSES, st.just("10.0.0.29")), max_size=2),
    "garp": optional(master_refresh=NUMBERS, master_delay=SMALL, interval=SMALL),
}
MAIL_ADDRESSES = st.sampled_from(["ops@example.com", "a;b@c", "a b@c", "a{@b", "@x", "x"])
OF_KEEPALIVED: dict[str, st.SearchStrategy[Any]] = {
    "router_id": NAMES,
    "script_user": st.sampled_from(["nobody", "No Body"]),
    "plugins": st.sampled_from(["/usr/lib64/nagios/plugins", "lib", "/a b"]),
    "mail": optional(
        to=st.lists(MAIL_ADDRESSES, max_size=2),
        server=st.sampled_from(["127.0.0.1", "::1", "a b"]),
        port=NUMBERS,
        helo_name=WORDS,
        timeout=SMALL,
        alert=BOOLEANS,
        **{"from": MAIL_ADDRESSES},
    ),
}
# How often a value is hostile, in so many draws.
_ONE_IN = 12


def _value(draw: Draw, pool: st.SearchStrategy[Any]) -> Any:
    return draw(HOSTILE) if draw(st.integers(1, _ONE_IN)) == 1 else draw(pool)


def _change(draw: Draw, thing: dict[str, Any], keys: dict[str, st.SearchStrategy[Any]]) -> None:
    key = draw(st.sampled_from(sorted(keys)))
    thing[key] = _value(draw, keys[key])


def _service(draw: Draw, model: Model) -> None:
    _change(draw, draw(st.sampled_from(model.services)), OF_SERVICE)


def _real_server(draw: Draw, model: Model) -> None:
    entry = draw(st.sampled_from(draw(st.sampled_from(model.services))["real_servers"]))
    _change(draw, entry, OF_REAL_SERVER)
    if "address" in entry and draw(st.booleans()):
        entry.pop("host", None)


def _marks(draw: Draw, model: Model) -> None:
    """The service goes by a firewall mark."""
    service = draw(st.sampled_from(model.services))
    vip, port = service.pop("address", None), service.pop("port", None)
    service["fwmark"] = _value(draw, NUMBERS)
    service["family"] = "ipv6" if ":" in str(vip) else "ipv4"
    service["marked"] = [{"address": vip, "ports": [port]}] if draw(st.booleans()) else _value(draw, MARKED)


def _host(draw: Draw, model: Model) -> None:
    _change(draw, model.hostvars[draw(st.sampled_from(sorted(model.hostvars)))], OF_HOST)


def _vrrp(draw: Draw, model: Model) -> None:
    """Of every director alike, as most inventories have it."""
    key = draw(st.sampled_from(sorted(OF_VRRP)))
    value = _value(draw, OF_VRRP[key])
    for name in model.groups["lvs_directors"]:
        given = model.hostvars[name].get("lvs_vrrp")
        model.hostvars[name]["lvs_vrrp"] = {**(given if isinstance(given, dict) else {}), key: value}


def _facts(draw: Draw, model: Model) -> None:
    """Another interface, with names and addresses that hosts may show."""
    name = draw(st.sampled_from(sorted(model.hostvars)))
    extra = nic(draw(INTERFACES), "10.77.0.1/24", mac=draw(st.sampled_from(["02:00:00:00:00:09", "ff:ff", "x"])))
    first = nic("eth1", str(draw(st.sampled_from(["192.168.246.199/24", "10.0.0.99/24", "fd00::99/64"]))))
    if draw(st.booleans()):
        model.hostvars[name]["ansible_facts"] = facts(first, extra)
    else:
        model.hostvars[name].pop("ansible_facts", None)


def _keepalived(_draw: Draw, model: Model) -> None:
    for name in model.groups["lvs_directors"]:
        model.hostvars[name]["lvs_manager"] = "keepalived"


def _daemon(draw: Draw, model: Model) -> None:
    """What concerns keepalived as a whole, of every director alike."""
    key = draw(st.sampled_from(sorted(OF_KEEPALIVED)))
    value = _value(draw, OF_KEEPALIVED[key])
    for name in model.groups["lvs_directors"]:
        model.hostvars[name]["lvs_keepalived"] = {"script_user": "nobody", key: value}


_CHANGES = [_service, _service, _real_server, _host, _host, _vrrp, _vrrp, _marks, _facts, _keepalived, _daemon]


@st.composite
def models(draw: Draw) -> Model:
    """An inventory, right or wrong."""
    model: Model = draw(st.sampled_from(MODELS))()
    for change in draw(st.lists(st.sampled_from(_CHANGES), min_size=1, max_size=3)):
        if model.services and all(each.get("real_servers") for each in model.services):
            change(draw, model)
    first, *others = model.groups["lvs_directors"]
    for name in others if draw(st.booleans()) or model.hostvars[first].get("lvs_manager") else []:
        # Directors that share their VIPs have the same services.
        model.hostvars[name]["lvs_services"] = model.hostvars[first]["lvs_services"]
    for name in model.groups["lvs_directors"]:
        model.hostvars[name].setdefault("lvs_keepalived", {"script_user": "nobody"})
    return model
