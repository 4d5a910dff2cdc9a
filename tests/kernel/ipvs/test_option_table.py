# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every option of ipvsadm: set by our modules, read back by ipvsadm, set again without a change, taken away again.

With -s the table is printed, a column for each step. docs/ipvsadm.md has what comes out of it on each kernel, and the
test compares: what works there works here, and what this kernel cannot it says in the same words.
"""

from __future__ import annotations

import itertools
import re
import socket
import time
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.lvs.topology.tests.kernel.ipvs.option_rows import DNS, ONE, ROWS, SERVICE, WEB, Row

DOCUMENT = Path(__file__).parents[3] / "docs/ipvsadm.md"
STEPS = ("set", "read back", "again", "removed")
KERNELS = ("User-Mode Linux", "Debian's own")


def words(text: str) -> list[str]:
    """The lines of a listing, each with single blanks."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


class Steps:
    """The options that take more than one task, and the listings: one function for each. What it asserts, holds."""

    def __init__(self, sh: Callable[[str], str], run_module: Callable[..., dict[str, Any]]) -> None:
        self.sh = sh
        self._run = run_module
        self.ports = itertools.count(20000)

    def run(self, name: str, args: dict[str, Any], changed: bool = True) -> dict[str, Any]:
        """A task, and the same again without a change."""
        result = self._run(name, args)
        assert not result.get("failed"), result["msg"]
        assert result.get("changed", False) == changed, result
        assert not self._run(name, args).get("changed")
        return result

    def info(self, *subset: str, **more: Any) -> dict[str, Any]:
        result = self._run("ipvs_info", {"gather_subset": list(subset), **more})
        assert not result.get("failed"), result["msg"]
        return result

    def both_daemons(self) -> None:
        self.run("ipvs_sync_daemon", {"daemons": [ONE, {**ONE, "state": "backup"}]})
        assert [line.split()[0] for line in words(self.sh("ipvsadm -Ln --daemon"))] == ["master", "backup"]
        self.run("ipvs_sync_daemon", {"state": "absent"})
        assert self.sh("ipvsadm -Ln --daemon").strip() == ""

    def stop_daemon(self) -> None:
        self.run("ipvs_sync_daemon", {"daemons": [ONE]})
        self.run("ipvs_sync_daemon", {"daemons": [ONE], "state": "absent"})
        assert self.sh("ipvsadm -Ln --daemon").strip() == ""

    def delete_service(self) -> None:
        self.sh(f"ipvsadm -A -t {SERVICE}")
        self.run("ipvs_service", {**WEB, "state": "absent"})
        assert self.sh("ipvsadm -Sn") == ""

    def delete_real_server(self) -> None:
        self.sh(f"ipvsadm -A -t {SERVICE} && ipvsadm -a -t {SERVICE} -r 10.0.0.2:80 -g")
        self.run("ipvs_real_server", {"service": WEB, "address": "10.0.0.2", "state": "absent"})
        assert words(self.sh("ipvsadm -Sn")) == [f"-A -t {SERVICE} -s wlc"]

    def clear(self) -> None:
        self.sh(f"ipvsadm -A -t {SERVICE} && ipvsadm -A -f 5 && ipvsadm -A -f 5 -6")
        self.run("ipvs_table", {"services": [], "purge": ["all"]})
        assert self.sh("ipvsadm -Sn") == ""

    def traffic(self) -> None:
        """Datagrams to a service on this host, which are its only real server as well."""
        self.sh("ipvsadm -A -u 10.0.0.1:53 -s rr -p 60 && ipvsadm -a -u 10.0.0.1:53 -r 127.0.0.1:53 -g")
        # From ports that nothing was sent from before: what the kernel still knows would be no new connection.
        for port in itertools.islice(self.ports, 3):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                sender.bind(("", port))
                sender.sendto(b"x", ("10.0.0.1", 53))
        deadline = time.monotonic() + 300
        # The kernel sums up what the service and what the real server counted at different times.
        while {row[0] for row in self.counted()} != {"3"}:
            assert time.monotonic() < deadline, self.sh("ipvsadm -Ln --stats --exact")
            time.sleep(0.2)

    def counted(self) -> list[list[str]]:
        return [line.split()[-5:] for line in words(self.sh("ipvsadm -Ln --stats --exact"))[3:]]

    def zero_all(self) -> None:
        self.traffic()
        self.run("ipvs_zero", {})
        assert self.counted() == [["0"] * 5] * 2

    def zero_one(self) -> None:
        self.traffic()
        self.run("ipvs_zero", DNS)
        assert self.counted() == [["0"] * 5] * 2

    def everything(self) -> str:
        """A table with something of everything, and how ipvsadm prints it."""
        for row in ROWS:
            if row.module == "ipvs_service" and "twos" not in row.typed and "2^31" not in row.typed:
                key = re.sub(r" -[a-zM].*| --pe.*", "", row.shown.partition(" -s ")[0].replace("-A ", ""))
                self.sh(f"ipvsadm {row.shown} 2>/dev/null || ipvsadm -E {key} {row.shown.partition(key)[2]}")
        self.sh(f"ipvsadm -a -t {SERVICE} -r 10.0.0.2:80 -i -w 3 -x 9 -y 7 --tun-type gue --tun-port 5555 --tun-csum")
        self.sh("ipvsadm -a -t [fd00::1]:80 -r [fd00::2]:8080 -m -w 0 && ipvsadm -a -f 5 -r 10.0.0.3 -g")
        return self.sh("ipvsadm -Sn; ipvsadm -Ln; ipvsadm -Ln --thresholds; ipvsadm -Ln --tun-info")

    def save(self) -> None:
        self.everything()
        ours = "\n".join(self.info("services")["rules"]) + "\n"
        assert re.sub(r" -x \d+ -y \d+", "", ours) == self.sh("ipvsadm -Sn")
        assert "-x 9 -y 7" in ours

    def restore(self) -> None:
        before = self.everything()
        services = self.info("services")["services"]
        self.sh("ipvsadm -C")
        self.run("ipvs_table", {"services": [as_asked_for(each) for each in services]})
        assert self.sh("ipvsadm -Sn; ipvsadm -Ln; ipvsadm -Ln --thresholds; ipvsadm -Ln --tun-info") == before
        self.run("ipvs_table", {"state": "absent"})

    def listing(self) -> None:
        self.everything()
        info = self.info("services", "settings")
        printed = words(self.sh("ipvsadm -Ln"))
        assert printed[0] == f"IP Virtual Server version {info['version']} (size={info['table_size']})"
        assert len(printed) - 3 == sum(1 + len(each["real_servers"]) for each in info["services"])
        for service in info["services"]:
            for real in service["real_servers"]:
                numbers = (real["weight"], real["connections"]["active"], real["connections"]["inactive"])
                method = {"dr": "Route", "nat": "Masq", "tun": "Tunnel"}[real["forward"]]
                assert f"-> {end(real)} {method} {' '.join(map(str, numbers))}" in printed

    def listing_of_one(self) -> None:
        self.everything()
        (one,) = self.info("services", **DNS)["services"]
        assert words(self.sh("ipvsadm -Ln -u 10.0.0.1:53"))[2].split()[:2] == ["UDP", end(one)]

    def thresholds(self) -> None:
        self.everything()
        (service,) = self.info("services", **WEB, protocol="tcp")["services"]
        (real,) = service["real_servers"]
        line = f"-> {end(real)} {real['upper_threshold']} {real['lower_threshold']} 0 0"
        assert line in words(self.sh("ipvsadm -Ln --thresholds"))

    def persistent(self) -> None:
        self.traffic()
        (service,) = self.info("services")["services"]
        counts = service["real_servers"][0]["connections"]
        printed = words(self.sh("ipvsadm -Ln --persistent-conn"))[-1].split()
        # Weight, and persistent, active and inactive connections.
        assert printed[-3:] == [str(counts[name]) for name in ("persistent", "active", "inactive")]
        assert counts["persistent"] == 1

    def tun_info(self) -> None:
        self.everything()
        (service,) = self.info("services", **WEB, protocol="tcp")["services"]
        tunnel = service["real_servers"][0]["tunnel"]
        printed = words(self.sh("ipvsadm -Ln --tun-info"))
        assert tunnel == {"type": "gue", "port": 5555, "checksum": "on"}
        assert "-> 10.0.0.2:80 Tunnel gue:5555:+c 3 0 0" in printed

    def stats(self) -> None:
        self.traffic()
        (service,) = self.info("services")["services"]
        for each, printed in zip((service, service["real_servers"][0]), self.counted()):
            names = ("conns", "inpkts", "outpkts", "inbytes", "outbytes")
            assert [str(each["counters"][name]) for name in names] == printed

    def rate(self) -> None:
        self.traffic()
        names = ("cps", "inpps", "outpps", "inbps", "outbps")
        deadline = time.monotonic() + 300
        while True:
            # The estimator may come between the two.
            before, service = self.sh("ipvsadm -Ln --rate --exact"), self.info("services")["services"][0]
            if before == self.sh("ipvsadm -Ln --rate --exact"):
                break
            assert time.monotonic() < deadline
        assert words(before)[-1].split()[-5:] == [str(service["real_servers"][0]["counters"][name]) for name in names]

    def connections(self) -> None:
        self.traffic()
        found = self.info("connections")
        printed = [line.split() for line in words(self.sh("ipvsadm -Lnc"))[2:]]
        assert len(printed) == found["connection_count"] >= 4
        ours = [(each["protocol"].upper(), each["state"], end(each)) for each in found["connections"]]
        assert sorted(ours) == sorted((row[0], row[2], row[4]) for row in printed)

    def engine_data(self) -> None:
        self.sh("ipvsadm -A -u 10.0.0.1:5060 -s rr -p 60 --pe sip && ipvsadm -a -u 10.0.0.1:5060 -r 127.0.0.1:5060 -g")
        script = (
            "import socket\n"
            "call = b'INVITE sip:a@b SIP/2.0\\r\\nCall-ID: 4711@pc33\\r\\n\\r\\n'\n"
            "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(call, ('10.0.0.1', 5060))\n"
        )
        Path("/tmp/call.py").write_text(script)
        self.sh("python3 /tmp/call.py")
        told = {(each["engine"], each["engine_data"]) for each in self.info("connections")["connections"]}
        assert ("sip", "4711@pc33") in told
        assert "sip 4711@pc33" in "\n".join(words(self.sh("ipvsadm -Lnc --persistent-conn")))

    def timeouts(self) -> None:
        found = self.info("settings")["timeouts"]
        assert words(self.sh("ipvsadm -Ln --timeout")) == [
            f"Timeout (tcp tcpfin udp): {found['tcp']} {found['tcpfin']} {found['udp']}"
        ]

    def daemons(self) -> None:
        self.sh("ipvsadm --start-daemon backup --mcast-interface eth1 --syncid 3")
        (one,) = self.info("settings")["daemons"]
        rest = ", ".join(f"{name}={one[name]}" for name in ("syncid", "maxlen", "group", "port", "ttl"))
        assert words(self.sh("ipvsadm -Ln --daemon")) == [
            f"{one['state']} sync daemon (mcast={one['interface']}, {rest})"
        ]
        # Where its thread has not run yet, the kernel ends it and sends no answer.
        self.sh("timeout 60 ipvsadm --stop-daemon backup || true")
        assert "sync daemon" not in self.sh("ipvsadm -Ln --daemon")

    def order(self) -> None:
        self.everything()
        assert [line for line in self.info("services")["rules"] if line.startswith("-A")] == [
            line for line in words(self.sh("ipvsadm -Sn")) if line.startswith("-A")
        ]


def end(each: dict[str, Any]) -> str:
    return f"[{each['address']}]:{each['port']}" if ":" in each["address"] else f"{each['address']}:{each['port']}"


def as_asked_for(service: dict[str, Any]) -> dict[str, Any]:
    """What ipvs_info returned, without what cannot be asked for."""
    service = {name: value for name, value in service.items() if name != "counters"}
    if not service["persistence"]["timeout"]:
        service["persistence"] = {"timeout": 0}
    service["real_servers"] = [
        {name: value for name, value in real.items() if name not in ("counters", "connections")}
        for real in service["real_servers"]
    ]
    for real in service["real_servers"]:
        if real["tunnel"] and not real["tunnel"]["port"]:
            del real["tunnel"]["port"]
    return service


def absent(row: Row) -> dict[str, Any]:
    """The task that takes away what the row's task sets."""
    if row.module in ("ipvs_timeouts", "ipvs_sync_daemon"):
        return {"state": "absent"}
    keys = ("service", "address", "port", "protocol", "fwmark", "family")
    return {**{key: row.args[key] for key in keys if key in row.args}, "state": "absent"}


def try_setting(row: Row, sh: Callable[[str], str], run_module: Callable[..., dict[str, Any]]) -> list[str]:
    """What came out of each step."""
    clean = words(sh(row.look))
    if row.before:
        sh(row.before)
    before = words(sh(row.look))
    predicted, result = run_module(row.module, row.args, check=True), run_module(row.module, row.args)
    if result.get("failed"):
        assert words(sh(row.look)) == before, row.typed
        if row.after:
            sh(row.after)
        reason = re.search(r"`: (.*?)[.;] ", result["msg"])
        return [f"refused: {reason[1] if reason else result['msg']}"]
    assert predicted["changes"] == result["changes"] != [], row.typed
    steps = ["yes"]
    printed = words(sh(row.look))
    new = row.shown in printed and row.shown not in before
    steps.append("yes" if new else f"no: {printed}")
    steps.append("yes" if run_module(row.module, row.args)["changes"] == [] else "no")
    gone = run_module(row.module, absent(row))
    assert not gone.get("failed"), gone
    if row.after:
        sh(row.after)
    steps.append("yes" if words(sh(row.look)) == clean else f"no: {words(sh(row.look))}")
    return steps


def try_steps(row: Row, steps: Steps) -> list[str]:
    try:
        getattr(steps, row.module)()
    except AssertionError as problem:
        return [f"no: {problem}"]
    finally:
        steps.sh("ipvsadm -C")
    return ["yes"]


def documented(kernel: str) -> dict[str, str]:
    """What docs/ipvsadm.md has in the column of this kernel, by option."""
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in DOCUMENT.read_text().splitlines()]
    table = [row for row in rows if len(row) == 4]
    column = table[0].index(kernel)
    return {row[0].strip("`"): row[column] for row in table[2:]}


@pytest.mark.slow
def test_every_option(sh, run_module) -> None:
    sh("modprobe ipv6; ip link add eth1 type dummy && ip link set eth1 up")
    sh("ip address add 10.0.0.9/24 dev eth1 && ip address add 10.0.0.1/32 dev eth1")
    sh("ip address add fd00::9/64 dev eth1 nodad")
    steps = Steps(sh, run_module)
    # Taking the last service of a family away costs the kernel a fifth of a second.
    sh("ipvsadm -A -f 2000000000 && ipvsadm -A -f 2000000000 -6")
    outcomes = {row.typed: try_setting(row, sh, run_module) for row in ROWS if row.module.startswith("ipvs_")}
    sh("ipvsadm -C")
    outcomes.update({row.typed: try_steps(row, steps) for row in ROWS if row.typed not in outcomes})
    assert len(outcomes) == len(ROWS), "an option is there twice"
    kernel = KERNELS[0 if "User Mode Linux" in Path("/proc/cpuinfo").read_text() else 1]
    print(f"\nEvery option of ipvsadm on Linux {Path('/proc/sys/kernel/osrelease').read_text().strip()} ({kernel})\n")
    print(f"| option of ipvsadm | here | {' | '.join(STEPS)} | outcome |\n|{' --- |' * 7}")
    found = {}
    for row in ROWS:
        each = outcomes[row.typed]
        found[row.typed] = "yes" if set(each) == {"yes"} else each[0] if len(each) == 1 else "; ".join(each)
        cells = each if len(each) == 4 else ["yes" if each == ["yes"] else "-"] * 4
        print(f"| `{row.typed}` | {row.here} | {' | '.join(cells)} | {found[row.typed]} |")
    assert found == documented(kernel)
