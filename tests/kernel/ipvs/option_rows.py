# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every option of ipvsadm 1.31, with what it is here: the rows of docs/ipvsadm.md and of the test that tries them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

SERVICE = "10.0.0.1:80"
WEB = {"address": "10.0.0.1", "port": 80}
WEB6 = {"address": "fd00::1", "port": 80}
DNS = {"address": "10.0.0.1", "port": 53, "protocol": "udp"}
MARK = {"fwmark": 5}
ONE = {"state": "master", "interface": "eth1"}


@dataclass(frozen=True)
class Row:
    """An option, what it is here, and the task that sets it; ``shown`` is the line that ipvsadm then prints."""

    typed: str
    here: str
    module: str = ""
    args: dict[str, Any] = field(default_factory=dict)
    shown: str = ""
    look: str = "ipvsadm -Sn"
    # Typed before, and taken away again afterwards.
    before: str = ""
    after: str = ""


def _service(typed: str, here: str, args: dict[str, Any], shown: str, **more: str) -> Row:
    return Row(typed, here, "ipvs_service", args, f"-A {shown}", **more)


def _real(typed: str, here: str, settings: dict[str, Any], shown: str, **more: Any) -> Row:
    service, target = more.pop("service", WEB), more.pop("target", f"-t {SERVICE}")
    args = {"service": service, "address": "10.0.0.2", **settings}
    usual = {"before": f"ipvsadm -A {target} -s rr", "after": f"ipvsadm -D {target}"}
    return Row(typed, here, "ipvs_real_server", args, shown, **{**usual, **more})


def _daemon(typed: str, here: str, settings: dict[str, Any], shown: str) -> Row:
    args = {"daemons": [{**ONE, **settings}]}
    return Row(typed, here, "ipvs_sync_daemon", args, shown, "ipvsadm -Ln --daemon")


SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh", "none", "twos")
_SYNC = "sync daemon (mcast=eth1, syncid=0, maxlen=1472, group=224.0.0.81, port=8848, ttl=1)"

ROWS = (
    # Services
    _service("-A -t", "`ipvs_service` `address` `port`", WEB, f"-t {SERVICE} -s wlc"),
    _service("-A -u", "`protocol: udp`", DNS, "-u 10.0.0.1:53 -s wlc"),
    _service("-A --sctp-service", "`protocol: sctp`", {**WEB, "protocol": "sctp"}, f"--sctp-service {SERVICE} -s wlc"),
    _service("-A -t, IPv6", "`address`", WEB6, "-t [fd00::1]:80 -s wlc"),
    _service("-A -u, IPv6", "`protocol: udp`", {**WEB6, "protocol": "udp"}, "-u [fd00::1]:80 -s wlc"),
    _service(
        "-A --sctp-service, IPv6",
        "`protocol: sctp`",
        {**WEB6, "protocol": "sctp"},
        "--sctp-service [fd00::1]:80 -s wlc",
    ),
    _service("-A -f", "`fwmark`", MARK, "-f 5 -s wlc"),
    _service("-A -f, above 2^31", "`fwmark`; ipvsadm prints it negative", {"fwmark": 2**32 - 1}, "-f -1 -s wlc"),
    _service("-A -f -6", "`fwmark` `family: ipv6`", {**MARK, "family": "ipv6"}, "-f 5 -6 -s wlc"),
    _service(
        "-E",
        "the same module: it changes what is there",
        {**WEB, "scheduler": "lc"},
        f"-t {SERVICE} -s lc",
        before=f"ipvsadm -A -t {SERVICE} -s rr -p 9 && ipvsadm -E -t {SERVICE} -s rr",
    ),
    *(
        _service(f"-s {name}", f"`scheduler: {name}`", {**WEB, "scheduler": name}, f"-t {SERVICE} -s {name}")
        for name in SCHEDULERS
    ),
    *(
        _service(
            f"-b {','.join(flags)}",
            f"`scheduler_flags: [{', '.join(flags)}]`",
            {**WEB, "scheduler": scheduler, "scheduler_flags": flags},
            f"-t {SERVICE} -s {scheduler} -b {','.join(flags)}",
        )
        for scheduler, flags in (
            ("sh", ["sh-fallback"]),
            ("sh", ["sh-port"]),
            ("sh", ["sh-fallback", "sh-port"]),
            ("mh", ["mh-fallback"]),
            ("mh", ["mh-port"]),
            ("mh", ["mh-fallback", "mh-port"]),
            ("rr", ["flag-1", "flag-2", "flag-3"]),
        )
    ),
    _service("-p", "`persistence: {}`, of 300 s", {**WEB, "persistence": {}}, f"-t {SERVICE} -s wlc -p 300"),
    _service(
        "-p SECONDS",
        "`persistence.timeout`",
        {**WEB, "persistence": {"timeout": 2678400}},
        f"-t {SERVICE} -s wlc -p 2678400",
    ),
    _service("-p, port 0", "`port: 0`", {**WEB, "port": 0, "persistence": {"timeout": 5}}, "-t 10.0.0.1:0 -s wlc -p 5"),
    _service(
        "-M, IPv4",
        "`persistence.netmask: 255.255.255.0`",
        {**WEB, "persistence": {"netmask": "255.255.255.0"}},
        f"-t {SERVICE} -s wlc -p 300 -M 255.255.255.0",
    ),
    _service(
        "-M, IPv6",
        "`persistence.netmask: 64`",
        {**WEB6, "persistence": {"netmask": "64"}},
        "-t [fd00::1]:80 -s wlc -p 300 -M 64",
    ),
    _service(
        "--pe",
        "`persistence.engine: sip`",
        {**DNS, "persistence": {"engine": "sip"}},
        "-u 10.0.0.1:53 -s wlc -p 300 --pe sip",
    ),
    _service("-o", "`one_packet`", {**DNS, "one_packet": True}, "-u 10.0.0.1:53 -s wlc -o"),
    # Real servers
    _real("-a -r -g", "`ipvs_real_server` `forward: dr`", {"forward": "dr"}, f"-a -t {SERVICE} -r 10.0.0.2:80 -g -w 1"),
    _real("-m", "`forward: nat`", {"forward": "nat"}, f"-a -t {SERVICE} -r 10.0.0.2:80 -m -w 1"),
    _real("-m, another port", "`port`", {"forward": "nat", "port": 8080}, f"-a -t {SERVICE} -r 10.0.0.2:8080 -m -w 1"),
    _real("-i", "`forward: tun`", {"forward": "tun"}, f"-a -t {SERVICE} -r 10.0.0.2:80 -i -w 1 --tun-type ipip"),
    *(
        _real(
            f"{option} IPv6",
            f"`forward: {forward}`",
            {"address": "fd00::2", "forward": forward},
            f"-a -t [fd00::1]:80 -r [fd00::2]:80 {option} -w 1{more}",
            service=WEB6,
            target="-t [fd00::1]:80",
        )
        for option, forward, more in (("-g", "dr", ""), ("-m", "nat", ""), ("-i", "tun", " --tun-type ipip"))
    ),
    _real(
        "-i, of the other family",
        "`forward: tun`",
        {"address": "fd00::2", "forward": "tun"},
        f"-a -t {SERVICE} -r [fd00::2]:80 -i -w 1 --tun-type ipip",
    ),
    _real(
        "-a -u",
        "`service.protocol: udp`",
        {},
        "-a -u 10.0.0.1:53 -r 10.0.0.2:53 -g -w 1",
        service=DNS,
        target="-u 10.0.0.1:53",
    ),
    _real(
        "-a --sctp-service",
        "`service.protocol: sctp`",
        {},
        f"-a --sctp-service {SERVICE} -r 10.0.0.2:80 -g -w 1",
        service={**WEB, "protocol": "sctp"},
        target=f"--sctp-service {SERVICE}",
    ),
    _real("-a -f", "`service.fwmark`", {}, "-a -f 5 -r 10.0.0.2:0 -g -w 1", service=MARK, target="-f 5"),
    _real(
        "-a -f -6",
        "`service.fwmark` `service.family`",
        {"address": "fd00::2"},
        "-a -f 5 -6 -r [fd00::2]:0 -g -w 1",
        service={**MARK, "family": "ipv6"},
        target="-f 5 -6",
    ),
    _real(
        "-e",
        "the same module: it changes what is there",
        {"weight": 7},
        f"-a -t {SERVICE} -r 10.0.0.2:80 -m -w 7",
        before=f"ipvsadm -A -t {SERVICE} -s rr && ipvsadm -a -t {SERVICE} -r 10.0.0.2:80 -m",
    ),
    _real("-w 0", "`weight: 0`", {"weight": 0}, f"-a -t {SERVICE} -r 10.0.0.2:80 -g -w 0"),
    _real("-w 2147483647", "`weight`", {"weight": 2**31 - 1}, f"-a -t {SERVICE} -r 10.0.0.2:80 -g -w 2147483647"),
    _real(
        "-x",
        "`upper_threshold`",
        {"upper_threshold": 65535},
        "-> 10.0.0.2:80 65535 0 0 0",
        look="ipvsadm -Ln --thresholds",
    ),
    _real(
        "-y",
        "`lower_threshold`",
        {"upper_threshold": 9, "lower_threshold": 7},
        "-> 10.0.0.2:80 9 7 0 0",
        look="ipvsadm -Ln --thresholds",
    ),
    *(
        _real(
            f"--tun-type {kind}" + (" --tun-port" if port else "") + f" {option}",
            f"`tunnel: {{type: {kind}" + (", port: 5555" if port else "") + f", checksum: {checksum}}}`",
            {"forward": "tun", "tunnel": {"type": kind, **({"port": port} if port else {}), "checksum": checksum}},
            f"-a -t {SERVICE} -r 10.0.0.2:80 -i -w 1 --tun-type {kind}"
            + (f" --tun-port {port}" if port else "")
            + f" {option}",
        )
        for kind, port, option, checksum in (
            ("gue", 5555, "--tun-nocsum", "none"),
            ("gue", 5555, "--tun-csum", "on"),
            ("gue", 5555, "--tun-remcsum", "remote"),
            ("gre", 0, "--tun-nocsum", "none"),
            ("gre", 0, "--tun-csum", "on"),
        )
    ),
    # Timeouts and daemons
    Row(
        "--set",
        "`ipvs_timeouts` `tcp` `tcpfin` `udp`",
        "ipvs_timeouts",
        {"tcp": 100, "tcpfin": 20, "udp": 30},
        "Timeout (tcp tcpfin udp): 100 20 30",
        "ipvsadm -Ln --timeout",
    ),
    Row(
        "--set, 0 keeps",
        "left out, or 0",
        "ipvs_timeouts",
        {"tcp": 0, "udp": 30},
        "Timeout (tcp tcpfin udp): 900 120 30",
        "ipvsadm -Ln --timeout",
    ),
    _daemon(
        "--start-daemon master --mcast-interface",
        "`ipvs_sync_daemon` `daemons` `state` `interface`",
        {},
        f"master {_SYNC}",
    ),
    _daemon("--start-daemon backup", "`state: backup`", {"state": "backup"}, f"backup {_SYNC}"),
    _daemon("--syncid", "`syncid`", {"syncid": 255}, f"master {_SYNC}".replace("syncid=0", "syncid=255")),
    _daemon("--sync-maxlen", "`maxlen`", {"maxlen": 1400}, f"master {_SYNC}".replace("1472", "1400")),
    _daemon("--mcast-group", "`group`", {"group": "239.1.2.3"}, f"master {_SYNC}".replace("224.0.0.81", "239.1.2.3")),
    _daemon(
        "--mcast-group, IPv6",
        "`group`",
        {"group": "ff02::81"},
        f"master {_SYNC}".replace("224.0.0.81", "ff02::81").replace("1472", "1452"),
    ),
    _daemon("--mcast-port", "`port`", {"port": 65535}, f"master {_SYNC}".replace("8848", "65535")),
    _daemon("--mcast-ttl", "`ttl`", {"ttl": 255}, f"master {_SYNC}".replace("ttl=1", "ttl=255")),
    # What the test does step by step, in a function of that name
    Row("--start-daemon, both", "two of `daemons`", "both_daemons"),
    Row("--stop-daemon", "`ipvs_sync_daemon` `state: absent`", "stop_daemon"),
    Row("-D", "`ipvs_service` `state: absent`", "delete_service"),
    Row("-d", "`ipvs_real_server` `state: absent`", "delete_real_server"),
    Row("-C", "`ipvs_table` `services: []` `purge: [all]`", "clear"),
    Row("-Z", "`ipvs_zero`", "zero_all"),
    Row("-Z -t", "`ipvs_zero` `address` `port`", "zero_one"),
    Row("-S -n", "`ipvs_info` `rules`, with thresholds", "save"),
    Row("-R", "`ipvs_table` `services`, as `ipvs_info` returned them", "restore"),
    # Listings
    Row("-L -n", "`ipvs_info` `services` `version` `table_size`", "listing"),
    Row("-L -t", "`ipvs_info` `address` `port` `protocol`", "listing_of_one"),
    Row("-L --thresholds", "`upper_threshold` `lower_threshold`", "thresholds"),
    Row("-L --persistent-conn", "`connections.persistent`", "persistent"),
    Row("-L --tun-info", "`tunnel`", "tun_info"),
    Row("-L --stats --exact", "`counters`, 64 bits", "stats"),
    Row("-L --rate", "`counters` `cps` `inpps` `outpps` `inbps` `outbps`", "rate"),
    Row("-L -c", "`ipvs_info` `gather_subset: [connections]`", "connections"),
    Row("-L -c --persistent-conn", "`engine` `engine_data`", "engine_data"),
    Row("-L --timeout", "`ipvs_info` `timeouts`", "timeouts"),
    Row("-L --daemon", "`ipvs_info` `daemons`", "daemons"),
    Row("-L --sort, --nosort", "always sorted, as ipvsadm sorts", "order"),
)
