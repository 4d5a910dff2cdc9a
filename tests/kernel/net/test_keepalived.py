# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role keepalived's template, judged by keepalived and the kernel, and the module that writes what it renders."""

from __future__ import annotations

import contextlib
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._keepalived.keepalived_plan import DROP_IN, DROP_IN_TEXT
from ansible_collections.lvs.topology.tests.unit.topology.real_tools import rendered

CONFIG = "/etc/keepalived/keepalived.conf"
# What keepalived says while it runs.
LOG = Path("/tmp/keepalived.log")

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
    servers = [dict(each) for each in more.pop("real_servers", [server(51)])]
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
        "real_servers": servers,
        **({} if check is None else checked(dict(check), servers)),
        **more,
    }


def checked(check: dict[str, Any], servers: list[dict[str, Any]]) -> dict[str, Any]:
    """Have the real servers checked, and return what the service says of it."""
    times = {"interval": 31, "timeout": 32, "retry_delay": 34}
    is_file = check["type"] == "file"
    if not is_file:
        check["retries"] = 33
    if "warmup" in check:
        times["warmup"] = check.pop("warmup")
    if "port" in check:
        check["way"] = {"port": check.pop("port")}
    for each in servers:
        own = {key: each.pop(key) for key in ("script", "track_file") if key in each}
        each["checks"] = [{**check, **own}]
    return {} if is_file else {"times": times}


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
                {"path": "/two", "digest": "9b3a0c85a887a256d6939da88aabd8cd"},
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
        {"type": "misc", "timeout": 32, "dynamic_weight": True, "user": "nobody"},
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
        "garp_interval": 0.001,
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
    return rendered({"keepalived": plan}, **more)


def judge(text: str, sh: Callable[[str], str]) -> str:
    Path("/tmp/keepalived.conf").write_text(text)
    # keepalived 2.2.7 ends its own test by SIGTERM where scripts have a user of their own.
    return sh("trap '' TERM; keepalived -t -f /tmp/keepalived.conf 2>&1; echo $?")


@pytest.fixture(autouse=True)
def _a_place(sh, wire, no_configuration) -> None:  # noqa: ARG001, that directory is all it is for
    Path("/run/health").write_text("0\n")
    wire("app1", "10.0.0.51/24", "fd00::51/64")
    sh(
        "ip address add 10.0.0.2/24 dev br0 && ip address add fd00::2/64 dev br0 nodad && ip link add dummy0 type dummy"
        " && ip link set dummy0 up multicast on && ip address add 192.0.2.10/24 dev dummy0"
    )


@pytest.fixture
def keepalived() -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def start(path: str) -> subprocess.Popen[bytes]:
        command = ["keepalived", "--dont-fork", "--log-console", "--no-syslog", "-f", path]
        with LOG.open("wb") as log:
            started.append(subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT))
        return started[-1]

    yield start
    for process in started:
        process.terminate()
        process.wait(timeout=300)


def test_keepalived_takes_every_keyword(sh) -> None:
    text = render(EVERYTHING)
    assert judge(text, sh) == "0\n", text


# What keepalived itself says that it read, by the line with which each of its lists begins.
READ = {
    "------< Global definitions >": """
        Router ID = lb1
        LVS TCP timeout = 901
        LVS TCP FIN timeout = 121
        LVS TCP timeout = 301
        LVS syncd vrrp instance = lvs
        LVS syncd interface = br0
        LVS syncd syncid = 5
        LVS syncd maxlen = 1400
        LVS mcast group 224.0.0.82
        LVS syncd mcast port = 8849
        LVS syncd mcast ttl = 3
        Gratuitous ARP interval = 0.001000
        Gratuitous NA interval = 0.001000
        VRRP skip check advert addresses = true
        Script security enabled
        Default script uid:gid 65534:65534
        vrrp_startup_delay = 0.5
    """,
    "------< Static Addresses >": "10.9.9.9 dev dummy0 scope global set",
    "VRRP Instance = lvs": """
        VRRP Version = 2
        Wantstate = BACKUP
        Interface = br0
        Skip checking advert IP addresses
        Gratuitous ARP delay = 11
        Gratuitous ARP repeat = 12
        Gratuitous ARP refresh = 13
        Gratuitous ARP refresh repeat = 14
        Gratuitous ARP lower priority delay = 15
        Gratuitous ARP lower priority repeat = 16
        Down timer adverts = 4
        Virtual Router ID = 61
        Priority = 150
        Advert interval = 2 sec
        Preempt = disabled
        Authentication type = SIMPLE_PASSWORD
        Password = s3cret
        Virtual IP (2):
        10.0.0.29/24 dev br0 scope global
        192.0.2.1 dev dummy0 scope global
        Virtual IP Excluded :
        fd00::29 dev br0 scope global deprecated
        fd00::30 dev br0 scope global preferred_lft forever
        fd00::31/64 dev br0 scope global preferred_lft forever
        dummy0 weight 0
        healthy weight 25
        web, weight 26
        Backup state transition script = '/usr/bin/true' 'backup', uid:gid 65534:65534
        Master state transition script = '/usr/bin/true' 'master', uid:gid 65534:65534
        Fault state transition script = '/usr/bin/true' 'fault', uid:gid 65534:65534
        Stop state transition script = '/usr/bin/true' 'stop', uid:gid 65534:65534
        Generic state transition script = '/usr/bin/true' 'any', uid:gid 65534:65534
    """,
    "VRRP Instance = other": """
        VRRP Version = 3
        Interface = dummy0
        Using src_ip = 192.0.2.10 (from configuration)
        Virtual Router ID = 62
        Priority = 140
        Advert interval = 250 milli-sec
        Preempt = enabled
        Preempt delay = 7.5 secs
        192.0.2.29 dev dummy0 scope global set
        192.0.2.11 min_ttl 0 max_ttl 255
        192.0.2.12 min_ttl 0 max_ttl 255
    """,
    "VRRP Script = healthy": """
        Command = '/usr/bin/true' 'one word'
        Interval = 21 sec
        Timeout = 22 sec
        Weight = 25
        Rise = 1
        Fall = 24
        Script uid:gid = 1:1
    """,
    "VRRP Track process = web": """
        Process = nginx
        Weight = 26
        Terminate delay = 2.500000s
        Fork delay = 2.500000s
    """,
    "VS VIP = 192.0.2.1, VPORT = 1000": "connection limit range = 200 -> 300",
    "VS VIP = 192.0.2.1, VPORT = 1001": """
        VirtualHost = raw.example
        alpha is ON
        omega is ON
        Inhibit on failure is ON
        quorum = 3, hysteresis = 2
        Quorum up notify script = '/usr/bin/true' 'up', uid:gid 65534:65534
        Quorum down notify script = '/usr/bin/true' 'down', uid:gid 65534:65534
        Using smtp notification = yes
        sorry server = [10.0.0.99]:tcp:1001
        forwarding method = DR
    """,
    "VS VIP = 192.0.2.1, VPORT = 1003": """
        sorry server = [10.0.0.98]:tcp:1003
        forwarding method = TUN, type = GRE, checksum
    """,
    "VS FWMARK = 11": "Address family = inet6",
    "[192.0.2.1]:tcp:1010 -> ": """
        Delay loop = 31000000 us
        Warmup = 35000000 us
        Retries = 33
        Delay before retry = 34000000 us
        Dest = [10.0.0.51]:8080
        Timeout = 32.000000
        Keepalive method = HTTP_GET, http protocol 1.0
        Checked url = /one
        200
        300-399
        Virtual host = one.example
        Checked url = /two
        digest = 9b3a0c85a887a256d6939da88aabd8cd
    """,
    "[192.0.2.1]:tcp:1011 -> ": """
        Warmup = 31000000 us
        Keepalive method = SSL_GET, http protocol 1.0
        Enable SNI set
        Checked url = /
        200
    """,
    "[192.0.2.1]:tcp:1012 -> ": "Dest = [10.0.0.51]:8081\nTimeout = 32.000000\nKeepalive method = TCP_CHECK",
    "[192.0.2.1]:tcp:1013 -> ": """
        Keepalive method = UDP_CHECK
        Payload len = 2
        Require reply = yes
        Reply data len = 2
        Reply data mask = yes
    """,
    "[192.0.2.1]:tcp:1014 -> ": "Payload specified = no\nRequire reply = yes\nReply data len = 0",
    "[192.0.2.1]:tcp:1015 -> ": "Keepalive method = SMTP_CHECK\nhelo = helo.example",
    "[192.0.2.1]:tcp:1016 -> ": "Keepalive method = DNS_CHECK\nType = AAAA\nName = dns.example",
    "[192.0.2.1]:tcp:1017 -> ": "Timeout = 32.000000\nKeepalive method = PING_CHECK",
    "[192.0.2.1]:tcp:1018 -> ": """
        Keepalive method = MISC_CHECK
        script = '/usr/bin/true' '10.0.0.51' '80'
        timeout = 32
        dynamic = YES
        uid:gid = 65534:65534
    """,
    "[192.0.2.1]:tcp:1019 -> ": "Keepalive method = FILE_CHECK\nTracked file = file_1",
    "Track file = file_1": "File = /run/health\n[192.0.2.1]:tcp:1019 -> [10.0.0.51]:tcp:80, weight 6",
}
BEGINS = re.compile(
    r"------< (?!Real server)|VRRP (?:Instance|Script|Track process) = |VS (?:VIP|FWMARK) = "
    r"|\[\S+ -> \S+$|Track file = "
)
# What is in the kernel then, of the services whose real servers no check can take out that quickly.
TABLE = """\
-A -t 192.0.2.1:1000 -s rr
-a -t 192.0.2.1:1000 -r 10.0.0.51:80 -m -w 5
-A -t 192.0.2.1:1003 -s rr
-a -t 192.0.2.1:1003 -r 10.0.0.51:1003 -i -w 1 --tun-type ipip
-a -t 192.0.2.1:1003 -r 10.0.0.52:1003 -i -w 1 --tun-type gue --tun-port 5555 --tun-remcsum
-a -t 192.0.2.1:1003 -r 10.0.0.53:1003 -i -w 1 --tun-type gue --tun-port 5556 --tun-nocsum
-a -t 192.0.2.1:1003 -r 10.0.0.54:1003 -i -w 1 --tun-type gre --tun-csum
-A -u 192.0.2.1:5060 -s mh -p 78 --pe sip -o -b mh-fallback,mh-port
-a -u 192.0.2.1:5060 -r 10.0.0.51:5060 -m -w 1
-A --sctp-service 192.0.2.1:1002 -s rr
-a --sctp-service 192.0.2.1:1002 -r 10.0.0.51:80 -m -w 1
-A -t [fd00::29]:1004 -s rr
-a -t [fd00::29]:1004 -r [fd00::51]:80 -m -w 1
-A -f 10 -s rr
-a -f 10 -r 10.0.0.51:0 -m -w 1
-A -f 11 -6 -s rr -p 79 -M 64
-a -f 11 -6 -r [fd00::51]:0 -i -w 1 --tun-type ipip
"""


def wait_for(true: Callable[[], Any], limit: float = 300) -> None:
    deadline = time.monotonic() + limit
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def missing(dumped: str) -> list[str]:
    """What keepalived does not say of all that READ has, in its order."""
    parts: dict[str, list[str]] = {}
    for line in [line.strip() for line in dumped.splitlines()]:
        if BEGINS.match(line):
            part = parts.setdefault(line, [])
        if parts:
            part.append(line)
    found = []
    for begin, lines in READ.items():
        said = next((part for name, part in parts.items() if name.startswith(begin)), None)
        if said is None:
            found.append(f"keepalived has no {begin!r} among {list(parts)}")
            continue
        at = 0
        for line in [line.strip() for line in lines.splitlines() if line.strip()]:
            if line not in said[at:]:
                found.append(f"{begin}: {line!r} is not in {said[at:]}")
                break
            at = said.index(line, at)
    return found


def test_keepalived_means_by_every_keyword_what_the_plan_says(sh, keepalived) -> None:
    dumps = [Path("/tmp", name) for name in ("keepalived.data", "keepalived_check.data")]
    for dump in dumps:
        dump.unlink(missing_ok=True)
    Path(CONFIG).write_text(render(EVERYTHING))
    process = keepalived(CONFIG)
    wait_for(lambda: "192.0.2.29" in sh("ip address") and "-A -f 11" in sh("ipvsadm -Sn"))
    process.send_signal(signal.SIGUSR1)
    wait_for(lambda: all(dump.exists() for dump in dumps) and "Track file" in dumps[1].read_text())
    # They are written piece by piece, each by a process of its own.
    complaints: list[str] = []

    def is_all_there() -> bool:
        complaints[:] = missing("\n".join(dump.read_text() for dump in dumps))
        return not complaints

    with contextlib.suppress(AssertionError):
        wait_for(is_all_there, 120)
    assert complaints == []
    table = sh("ipvsadm -Sn")
    assert [line for line in TABLE.splitlines() if line not in table.splitlines()] == [], table
    assert "-A -t 192.0.2.1:1001 -s sh -p 77 -M 255.255.255.0 -b sh-fallback,sh-port\n" in table
    assert re.search(r"-> 10.0.0.51:80 +300 +200 ", sh("ipvsadm -Ln --thresholds"))


def test_a_configuration_with_little_in_it(sh) -> None:
    """Sync groups, and what is left out where there is nothing to say."""
    bare = {"scripts": [], "processes": [], "files": [], "sync_groups": [], "instances": [], "services": []}
    plan = {**bare, "global_defs": {"router_id": "lb1"}}
    assert judge(render(plan), sh) == "0\n"
    grouped = [{**each, "track_scripts": [], "track_processes": [], "notify": {}} for each in (INSTANCE, OTHER)]
    plan |= {"instances": grouped, "sync_groups": [{"name": "both", "instances": ["lvs", "other"]}]}
    assert judge(render(plan), sh) == "0\n"
    assert judge(render(plan, __keepalived_as_owner=True), sh) == "0\n"


def test_a_service_that_is_drained_whole_stays(run_module, sh, keepalived) -> None:
    """keepalived has something to say of weights that are all 0, and takes them."""
    plan = {
        **EVERYTHING,
        "services": [service("drained", 1000, real_servers=[server(51, weight=0), server(52, weight=0)])],
    }
    result = run_module("keepalived_config", {"content": render(plan)})
    assert any("exceeds total weight of real servers 0" in line for line in result["messages"])
    keepalived(CONFIG)
    wait_for(lambda: "-a -t 192.0.2.1:1000 -r 10.0.0.52:80 -m -w 0" in sh("ipvsadm -Sn"))
    assert "-A -t 192.0.2.1:1000 -s rr\n-a -t 192.0.2.1:1000 -r 10.0.0.51:80 -m -w 0\n" in sh("ipvsadm -Sn")


def test_the_owner_of_the_addresses_is_master_at_once(sh, keepalived) -> None:
    sh("ip address add 10.0.0.29/24 dev br0")
    plan = {**EVERYTHING, "services": []}
    Path(CONFIG).write_text(render(plan, __keepalived_as_owner=True))
    process = keepalived(CONFIG)
    wait_for(lambda: "10.0.0.29/24" in sh("ip address show br0") and "192.0.2.29" in sh("ip address show dummy0"))
    # One of the others would begin as backup and wait for adverts.
    assert "Entering MASTER STATE" in LOG.read_text()
    assert "Entering BACKUP STATE" not in LOG.read_text()
    # As one of the others, it stays master.
    Path(CONFIG).write_text(render(plan))
    process.send_signal(signal.SIGHUP)
    time.sleep(3)
    assert "10.0.0.29/24" in sh("ip address show br0")


def write(run_module, **more: Any) -> dict[str, Any]:
    result: dict[str, Any] = run_module("keepalived_config", {"content": SMALL, "secrets": ["s3cret"], **more})
    return result


SMALL = render({**EVERYTHING, "services": SERVICES[:1]})


def test_what_keepalived_would_leave_out_is_refused(run_module) -> None:
    path = Path(CONFIG)
    path.write_text("# the operator's\n")
    for wrong, said in (
        ("    nonsense 3\n", "Unknown keyword 'nonsense'"),
        ("}\n", "Extra '}'"),
        ("vrrp_instance three { \ninterface eth9\nvirtual_router_id 9\n}\n", "eth9"),
    ):
        for check in (True, False):
            result = run_module("keepalived_config", {"content": SMALL + wrong}, check=check)
            assert "keepalived does not take this configuration, and nothing was changed" in result["msg"]
            assert said in result["msg"]
    assert path.read_text() == "# the operator's\n"
    there = {each.name for each in path.parent.iterdir()}
    assert there - {"keepalived.config-opts"} == {path.name}
    assert not Path("/var/lib/lvs-topology/ledger.json").exists()


def test_preflight_asks_keepalived_in_the_same_call(run_module) -> None:
    def ask(content: str) -> dict[str, Any]:
        asked = {"content": content, "secrets": ["s3cret"], "owner": "keepalived"}
        found = run_module("preflight", {"parts": [{"name": "keepalived", "keepalived": asked}], "owner": "director"})
        assert "s3cret" not in str(found)
        assert "vrrp_instance" not in str(found)
        return found

    assert not ask(SMALL)["parts"]["keepalived"]["keepalived_in_place"]
    assert not Path(CONFIG).exists()
    run_module("keepalived_config", {"content": SMALL, "secrets": ["s3cret"], "owner": "keepalived"})
    assert ask(SMALL)["parts"]["keepalived"]["keepalived_in_place"]
    assert not ask(SMALL + "# another\n")["parts"]["keepalived"]["keepalived_in_place"]
    message = ask(SMALL + "nonsense here\n")["msg"]
    assert "This host is not ready" in message
    assert "parts[0].keepalived: keepalived does not take this configuration" in message
    run_module("keepalived_config", {"owner": "keepalived", "state": "absent"})


def test_a_configuration_comes_and_goes(run_module) -> None:
    path = Path(CONFIG)
    # In Latin-1, as older editors wrote it.
    theirs = b"# the operator's \xdcbergabe\nvrrp_instance a {\n  auth_pass theirs\n}\n"
    path.write_bytes(theirs)
    path.chmod(0o600)
    predicted = run_module("keepalived_config", {"content": SMALL, "secrets": ["s3cret"]}, check=True)
    result = write(run_module)
    assert result["changes"] == predicted["changes"] == [f"write {CONFIG}"]
    assert result["diff"] == predicted["diff"]
    # The module's own masks, whatever Ansible masks afterwards.
    for secret in ("theirs", "s3cret"):
        assert secret not in str(result)
    assert (path.read_text(), path.stat().st_mode & 0o777) == (SMALL, 0o640)
    assert not write(run_module)["changed"]
    # What need not be asked for once more; where only the claim is lacking, it has to be.
    asked = {"content": SMALL, "secrets": ["s3cret"]}
    assert not predicted["in_place"]
    assert run_module("keepalived_config", asked, check=True)["in_place"]
    assert not run_module("keepalived_config", {**asked, "owner": "other"}, check=True)["in_place"]
    assert not run_module("keepalived_config", {**asked, "content": SMALL + "# more\n"}, check=True)["in_place"]
    other = write(run_module, content=SMALL.replace("s3cret", "n3w"), secrets=[])
    assert other["changes"] == [f"write {CONFIG}"]
    assert "s3cret" not in str(other)
    back = {"state": "absent"}
    assert run_module("keepalived_config", back, check=True)["changes"] == [f"write {CONFIG}"]
    run_module("keepalived_config", back)
    assert path.read_bytes() == theirs
    assert path.stat().st_mode & 0o777 == 0o600
    assert not run_module("keepalived_config", back)["changed"]
    path.unlink()
    write(run_module)
    assert run_module("keepalived_config", back)["changes"] == [f"remove {CONFIG}"]


def test_what_keepalived_was_not_asked_about_is_not_in_place(run_module, sh) -> None:
    """Without the user who runs scripts, whom the role makes later, keepalived cannot say what it thinks."""
    sh("cp /etc/passwd /tmp/passwd && echo 'checker:x:990:990::/:/bin/false' >>/tmp/passwd")
    sh("mount --bind /tmp/passwd /etc/passwd && rm /tmp/passwd")
    asked = {"content": SMALL.replace("script_user nobody", "script_user checker"), "script_user": "checker"}
    run_module("keepalived_config", asked)
    assert run_module("keepalived_config", asked, check=True)["in_place"]
    sh("umount /etc/passwd")
    unasked = run_module("keepalived_config", asked, check=True)
    assert "The user checker does not exist yet" in str(unasked["warnings"])
    assert not unasked["changed"]
    assert not unasked["in_place"]


def test_systemd_takes_what_is_added_to_the_unit(sh) -> None:
    sh("mount -t tmpfs tmpfs /etc/systemd/system")
    drop_in = Path(DROP_IN)
    drop_in.parent.mkdir()
    drop_in.write_text(DROP_IN_TEXT)
    assert drop_in.name not in sh("systemd-analyze verify --man=no keepalived.service 2>&1 || true")
    drop_in.write_text(DROP_IN_TEXT.replace("Restart=", "Rstart="))
    assert drop_in.name in sh("systemd-analyze verify --man=no keepalived.service 2>&1 || true")


def test_an_heir_gets_what_keepalived_held(run_module, sh) -> None:
    write(run_module, owner="keepalived")
    sh("ip address add 10.0.0.29/24 dev br0 && ipvsadm -A -t 192.0.2.1:1000 && ipvsadm -A -t 192.0.2.1:9")
    run_module("keepalived_config", {"owner": "keepalived", "state": "absent", "heir": "director"})
    # What is not there, and what keepalived did not hold, is not part of it.
    assert run_module("vip_address", {"state": "absent", "owner": "director"})["changes"] == [
        "ip address del 10.0.0.29/24 dev br0"
    ]
    assert run_module("ipvs_table", {"state": "absent", "owner": "director"})["changes"] == [
        "ipvsadm -D -t 192.0.2.1:1000"
    ]
    assert "192.0.2.1:9" in sh("ipvsadm -Sn")


def test_what_is_forgotten_stays(run_module, sh) -> None:
    addresses = [{"address": f"10.0.0.{number}", "interface": "br0"} for number in (100, 101)]
    run_module("vip_address", {"addresses": addresses})
    run_module("ipvs_table", {"services": [{"address": "10.0.0.100", "port": 80}]})
    state = "ip -o address show dev br0 | sed 's/ tentative//'; ipvsadm -Sn"
    before = sh(state)
    one = {"addresses": addresses[:1], "state": "forgotten"}
    for check in (True, False):
        assert run_module("vip_address", one, check=check)["changes"] == ["forget 10.0.0.100/32 dev br0"]
    assert not run_module("vip_address", one)["changed"]
    for check in (True, False):
        assert run_module("ipvs_table", {"state": "forgotten"}, check=check)["changes"] == ["forget tcp 10.0.0.100:80"]
    assert sh(state) == before
    assert not run_module("ipvs_table", {"state": "absent"})["changed"]
    assert run_module("vip_address", {"state": "absent"})["changes"] == ["ip address del 10.0.0.101/32 dev br0"]
    assert "10.0.0.100/32" in sh("ip address show dev br0")
