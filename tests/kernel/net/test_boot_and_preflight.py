# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""boot_restore: what its script brings back, judged by ip, arptables and ipvsadm. preflight: what it finds missing."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

DIRECTORY = Path("/etc/lvs-topology")
RESTORE = DIRECTORY / "restore"
UNIT = Path("/etc/systemd/system/lvs-topology.service")

ADDRESSES = [
    {"address": "10.0.0.100", "interface": "lo"},
    {"address": "10.0.0.101/24", "interface": "br0", "label": "br0:vip"},
    {"address": "fd00::100", "interface": "lo", "deprecated": True},
]
GATEWAYS = [{"gateway": "10.0.0.1"}, {"gateway": "fd00::1"}, {"gateway": "10.0.0.1", "interface": "br0", "metric": 7}]
NEIGHBOURS = [{"address": "10.0.0.50", "lladdr": "02:00:00:00:00:50", "interface": "br0"}]
FILTERS = [
    {"vip": "10.0.0.100", "source": "10.0.0.2"},
    {"vip": "10.0.0.102", "source": "10.0.0.2", "interface": "br0"},
]
SERVICES = [
    {
        "address": "10.0.0.100",
        "port": 80,
        "scheduler": "rr",
        "real_servers": [{"address": "10.0.0.1", "forward": "dr", "weight": 3}],
    },
    {"address": "fd00::100", "port": 53, "protocol": "udp", "one_packet": True},
]
DAEMONS = [
    {"state": "master", "interface": "br0", "syncid": 5, "ttl": 2},
    {"state": "backup", "interface": "br0", "group": "ff02::81"},
]
EVERYTHING = {
    "addresses": ADDRESSES,
    "gateways": GATEWAYS,
    "neighbours": NEIGHBOURS,
    "arp_filters": FILTERS,
    "services": SERVICES,
    "timeouts": {"tcp": 7200, "udp": 60},
    "sync_daemons": DAEMONS,
}


@pytest.fixture(autouse=True)
def _units_are_elsewhere(sh) -> None:
    sh("mount -t tmpfs tmpfs /etc/systemd/system")


@pytest.fixture
def segment(wire, sh) -> None:
    wire("client", "10.0.0.1/24", "fd00::1/64")
    sh("ip address add 10.0.0.2/24 dev br0 && ip address add fd00::2/64 dev br0 nodad")


def host(sh) -> str:
    """The state that the script brings back, as the operators' tools show it."""
    return sh(
        "ip -o address show | sed 's/valid_lft.*//; s/ tentative//'; ip route show default; ip -6 route show default;"
        " ip neigh show nud permanent; arptables-legacy -n -L; arptables-nft -n -L 2>/dev/null; ipvsadm -S -n;"
        " ipvsadm -Ln --timeout; ipvsadm -Ln --daemon"
    )


@pytest.mark.usefixtures("segment")
def test_the_script_brings_back_what_the_modules_set(run_module, sh) -> None:
    predicted = run_module("boot_restore", EVERYTHING, check=True)
    assert not list(DIRECTORY.iterdir())
    fresh = host(sh)
    result = run_module("boot_restore", EVERYTHING)
    assert (
        result["changes"]
        == predicted["changes"]
        == [
            f"write {DIRECTORY}/lvs.arptables",
            f"write {DIRECTORY}/lvs.ip",
            f"write {DIRECTORY}/lvs.timeouts",
            f"write {DIRECTORY}/lvs.ipvsadm",
            f"write {DIRECTORY}/lvs.daemons",
            f"write {RESTORE}",
            f"write {UNIT}",
        ]
    )
    assert "systemd does not run here" in str(result["warnings"])
    assert result["diff"] == predicted["diff"]
    assert not run_module("boot_restore", EVERYTHING)["changed"]
    assert {path.name: oct(path.stat().st_mode)[-3:] for path in DIRECTORY.iterdir()} == {
        "lvs.arptables": "644",
        "lvs.ip": "644",
        "lvs.ipvsadm": "644",
        "lvs.timeouts": "644",
        "lvs.daemons": "644",
        "restore": "755",
    }
    # Writing the files changed nothing else.
    assert host(sh) == fresh

    modules: list[tuple[str, dict[str, object]]] = [
        ("arp_filter", {"filters": FILTERS}),
        ("vip_address", {"addresses": ADDRESSES}),
        ("default_gateway", {"gateways": GATEWAYS}),
        ("static_neighbour", {"neighbours": NEIGHBOURS}),
        ("ipvs_timeouts", EVERYTHING["timeouts"]),
        ("ipvs_table", {"services": SERVICES}),
        ("ipvs_sync_daemon", {"daemons": DAEMONS}),
    ]

    for name, args in modules:
        assert not run_module(name, args).get("failed")
    live = host(sh)
    assert live != fresh
    # On a live host the script disturbs nothing.
    sh(str(RESTORE))
    assert host(sh) == live
    for name, _args in reversed(modules):
        run_module(name, {"state": "absent"})
    assert host(sh) == fresh
    # As at boot.
    sh(str(RESTORE))
    assert host(sh) == live
    # The modules find nothing left to do.
    for name, args in modules:
        assert run_module(name, args)["changes"] == []


@pytest.mark.usefixtures("segment")
def test_a_table_that_is_not_empty_is_left_alone(run_module, sh) -> None:
    run_module("boot_restore", {"services": SERVICES})
    sh("ipvsadm -A -t 10.9.9.9:99 -s rr")
    sh(str(RESTORE))
    assert sh("ipvsadm -S -n") == "-A -t 10.9.9.9:99 -s rr\n"


@pytest.mark.usefixtures("segment")
def test_the_script_goes_on_after_a_failure_and_tells(run_module, sh) -> None:
    run_module("boot_restore", {**EVERYTHING, "addresses": [{"address": "10.0.0.9", "interface": "eth9"}, *ADDRESSES]})
    done = subprocess.run([str(RESTORE)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ip could not do all of lvs.ip" in done.stderr
    assert "10.0.0.100/32" in sh("ip address show lo")
    assert "-t 10.0.0.100:80" in sh("ipvsadm -S -n")


@pytest.mark.usefixtures("segment")
def test_without_its_arp_filter_no_vip_is_added(run_module, sh) -> None:
    run_module("boot_restore", {"owner": "two", "addresses": ADDRESSES[1:2]})
    run_module("boot_restore", EVERYTHING)
    rules = DIRECTORY / "lvs.arptables"
    rules.write_text(rules.read_text() + "-A INPUT -j NOSUCH -d 10.0.0.100\n")
    done = subprocess.run([str(RESTORE)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "lvs.ip is left out" in done.stderr
    assert "10.0.0.100" not in sh("ip address show lo")
    assert "10.0.0.101" in sh("ip address show br0")


def test_owners_come_and_go(run_module) -> None:
    run_module("boot_restore", {"owner": "one", "addresses": ADDRESSES})
    run_module("boot_restore", {"owner": "two", "gateways": GATEWAYS})
    RESTORE.write_text("echo changed by hand\n")
    repaired = run_module("boot_restore", {"owner": "two", "gateways": GATEWAYS})
    assert repaired["changes"] == [f"write {RESTORE}"]
    # Nothing to restore is no file.
    assert run_module("boot_restore", {"owner": "two"})["changes"] == [f"remove {DIRECTORY}/two.ip"]
    assert sorted(path.name for path in DIRECTORY.iterdir()) == ["one.ip", "restore"]
    gone = run_module("boot_restore", {"owner": "one", "state": "absent"}, check=True)
    assert run_module("boot_restore", {"owner": "one", "state": "absent"})["changes"] == gone["changes"]
    assert not list(DIRECTORY.iterdir())
    assert not UNIT.exists()
    assert not run_module("boot_restore", {"owner": "one", "state": "absent"})["changed"]
    assert not run_module("boot_restore", {"owner": "one"})["changed"]


def test_boot_mistakes_come_together(run_module) -> None:
    bad = {
        "addresses": [{"address": "10.0.0.0/24", "interface": "eth0"}],
        "neighbours": [{"address": "10.0.0.1", "interface": "eth0"}],
        "arp_filters": [{"vip": "fd00::1", "source": "10.0.0.1"}],
        "services": [{"address": "10.0.0.1"}],
        "timeouts": {"tcp": -1},
        "sync_daemons": [{"state": "master", "interface": "eth0", "ttl": 0}],
    }
    message = run_module("boot_restore", bad)["msg"]
    assert message.startswith("6 mistakes: ")
    for text in (
        "addresses[0].address",
        "neighbours[0].lladdr",
        "arp_filters[0].vip",
        "services[0].port",
        "timeouts.tcp: -1",
        "sync_daemons[0].ttl: 0",
    ):
        assert text in message
    unknown = run_module("boot_restore", {"addresses": [{"adress": "10.0.0.1", "interface": "eth0"}]})
    assert "adress" in unknown["msg"]


def test_systemd_accepts_the_unit(run_module, sh) -> None:
    run_module("boot_restore", {"addresses": ADDRESSES})
    sh("command -v systemd-analyze")
    # It says something of what it does not understand, so silence is consent.
    wrong = UNIT.with_name("wrong.service")
    wrong.write_text(UNIT.read_text().replace("Type=oneshot", "Typ=oneshot"))
    verify = "systemd-analyze verify --man=no {} 2>&1 || true"
    assert "wrong.service" in sh(verify.format(wrong))
    wrong.unlink()
    assert UNIT.name not in sh(verify.format(UNIT))


def test_the_unit_may_do_little(run_module, sh) -> None:
    run_module("boot_restore", {"addresses": ADDRESSES})
    # Of 10 at the most, in tenths. What is left is what the unit is for: root, the host's network, CAP_NET_ADMIN.
    sh(f"systemd-analyze security --offline=true --threshold=25 {UNIT}")
    shown = json.loads(sh(f"systemd-analyze security --offline=true --json=short {UNIT}"))
    kept = {"SystemCallArchitectures=", "SystemCallFilter=~@module", "ProtectKernelModules=", "UMask="}
    assert kept <= {each["name"] for each in shown if each["set"]}
    # What waits for it must not wait for ever.
    assert "\nTimeoutStartSec=5min\n" in UNIT.read_text()


def test_preflight_tells_all_at_once(run_module, sh) -> None:
    before = sh("lsmod")
    fine = {"kernel_modules": ["ip_vs", "ip_vs_wlc"], "interfaces": ["lo"], "commands": ["ipvsadm"]}
    result = run_module("preflight", {**fine, "python_modules": ["pyroute2"]})
    assert result["kernel"] == os.uname().release
    assert not result["changed"]
    bad = {
        "kernel_modules": ["ip_vs", "ip_vs_nosuch"],
        "interfaces": ["eth9"],
        "python_modules": ["nosuch"],
        "commands": ["nosuch"],
        "kernels": [{"release": "99.1", "because": "lvs_services[0]"}, {"release": "3.10", "because": "nothing"}],
    }
    message = run_module("preflight", bad)["msg"]
    for text in (
        "(1) kernels: lvs_services[0] needs Linux 99.1 or later, and this is",
        "(2) kernel_modules: The kernel",
        "has no module ip_vs_nosuch",
        "(3) interfaces: eth9 does not exist; there are ",
        "(4) python_modules: nosuch cannot be imported",
        "(5) commands: there is no nosuch",
    ):
        assert text in message
    # What a plan needs is the same, but for the tunnels that it makes itself.
    plan = {name: bad[name] for name in ("kernel_modules", "commands", "kernels")}
    plan["addresses"] = [{"address": "10.0.0.1", "interface": name} for name in ("eth9", "tunl0")]
    plan["tunnels"] = [{"type": "ipip", "interface": "tunl0"}]
    of_plan = run_module("preflight", {"plan": plan})["msg"]
    without_python = message[: message.index(" (4)")] + message[message.index(" (5)") :].replace("(5)", "(4)")
    assert of_plan == without_python
    for kind, entry in (("sync_daemons", {"state": "master"}), ("neighbours", {"address": "10.0.0.1"})):
        of_plan = run_module("preflight", {"plan": {kind: [{**entry, "interface": "eth9"}]}})["msg"]
        assert "interfaces: eth9 does not exist" in of_plan
    # What both ask for is looked at once, and is no mistake.
    assert not run_module("preflight", {**fine, "plan": {"kernel_modules": ["ip_vs"]}}).get("failed")
    twice = run_module("preflight", {"commands": ["nosuch"], "plan": {"commands": ["nosuch"]}})["msg"]
    assert twice.count("there is no nosuch") == 1
    # An interface that is no name is a mistake like any other.
    for wrong in (["eth9"], {"a": 1}, 7):
        refused = run_module("preflight", {"plan": {"addresses": [{"address": "10.0.0.1", "interface": wrong}]}})
        assert "plan: addresses: " in refused["msg"], refused
    assert sh("lsmod") == before


def test_preflight_asks_the_kernel_s_own_description(run_module, sh) -> None:
    sh("mount -t tmpfs tmpfs /boot")
    wanted = {"kernel_options": ["IP_VS_PROTO_TCP", "IP_VS_PROTO_SCTP"]}
    config = Path(f"/boot/config-{os.uname().release}")
    for text, lacking in (
        ("CONFIG_IP_VS_PROTO_TCP=y\nCONFIG_IP_VS_PROTO_SCTP=y\n", ""),
        ("CONFIG_IP_VS_PROTO_TCP=y\n# CONFIG_IP_VS_PROTO_SCTP is not set\n", "CONFIG_IP_VS_PROTO_SCTP"),
    ):
        config.write_text(text)
        result = run_module("preflight", wanted)
        assert bool(result.get("failed")) is bool(lacking)
        if lacking:
            assert f"was built without {lacking} ({config})" in result["msg"]


def test_the_kernel_of_the_tests_has_all_protocols(run_module, sh) -> None:
    sh("modprobe configs || ls /boot/config-$(uname -r)")
    every = ["IP_VS_PROTO_TCP", "IP_VS_PROTO_UDP", "IP_VS_PROTO_SCTP", "IP_VS_IPV6"]
    assert not run_module("preflight", {"kernel_options": every}).get("failed")
    assert "without CONFIG_IP_VS_NO_SUCH" in run_module("preflight", {"kernel_options": ["IP_VS_NO_SUCH"]})["msg"]


def test_preflight_knows_sysctls_from_misspelled_ones(run_module) -> None:
    fine = ["net.ipv4.ip_forward", "net.ipv4.conf.eth9.rp_filter", "net.ipv4.vs.conntrack", "net.bridge.some_thing"]
    assert not run_module("preflight", {"sysctls": fine}).get("failed")
    wrong = {
        "net.ipv4.ip_forwrad": "net.ipv4.ip_forward",
        "net.ipv4.conf.eth9.rp_fliter": "net.ipv4.conf.eth9.rp_filter",
        "net.ipv4.conf.eth9.100.rp_filter": "net.ipv4.conf.eth9/100.rp_filter",
    }
    plan = {"sysctls": dict.fromkeys([*fine, *wrong], "1")}
    for asked in ({"sysctls": [*fine, *wrong]}, {"plan": plan}, {"sysctls": [*wrong], "plan": plan}):
        message = run_module("preflight", asked)["msg"]
        for number, (name, meant) in enumerate(wrong.items(), 1):
            assert f"({number}) sysctls: this kernel has no {name}; did you mean {meant}?" in message
        assert "(4)" not in message


def test_a_host_without_ipv6(run_module, sh) -> None:
    """Where IPv6 is switched off, what a plan has of it is refused; where nobody has loaded it yet, it is to come."""
    plan = {"sysctls": {"net.ipv4.ip_forward": "1", "net.ipv6.conf.all.forwarding": "1"}}
    sh("modprobe ipv6 && mkdir -p /tmp/ipv4 && mount --bind /proc/sys/net/ipv4 /tmp/ipv4")
    sh("mount -t tmpfs tmpfs /proc/sys/net && mkdir /proc/sys/net/ipv4 && mount --move /tmp/ipv4 /proc/sys/net/ipv4")
    message = run_module("preflight", {"plan": plan})["msg"]
    assert "(1) sysctls: this host runs without IPv6, and so without net.ipv6.conf.all.forwarding. Switch" in message
    assert "(2)" not in message
    is_module = "insmod" in sh("modprobe --show-depends ipv6")
    sh("mount -t tmpfs tmpfs /sys/module")
    assert bool(run_module("preflight", {"plan": plan}).get("failed")) is not is_module
    # A module that is told to do nothing makes no sysctls.
    sh("mount -t tmpfs tmpfs /etc/modprobe.d && echo options ipv6 disable=1 >/etc/modprobe.d/ipv6.conf")
    assert run_module("preflight", {"plan": plan}).get("failed")


def test_preflight_looks_at_several_parts_in_one_call(run_module) -> None:
    right = {"sysctls": {"net.ipv4.ip_forward": "1"}, "notes": ["known"]}
    parts = [
        {"name": "router", "owner": "router", "plan": right},
        {"name": "keepalived", "commands": ["ip", "nobody-has-this"], "missing": "report"},
        {"name": "director", "owner": "director", "plan": {"sysctls": {"net.ipv4.vs.conntrack": "1"}}},
    ]
    found = run_module("preflight", {"parts": parts})["parts"]
    assert {name: part["in_place"] for name, part in found.items()} == dict.fromkeys(found, False)
    assert found["keepalived"]["missing_packages"] == ["nobody-has-this"]
    run_module("host_state", {"owner": "router", "plan": right})
    assert run_module("preflight", {"parts": parts})["parts"]["router"]["in_place"]
    # What is wrong with any part is told by its place, and all of it at once.
    parts[0]["plan"] = {"sysctls": {"no name": "1"}}
    parts[1]["interfaces"] = ["eth9"]
    parts[2] = {"name": "router", "owner": "../x", "plan": {"services": "none"}}
    message = run_module("preflight", {"parts": parts})["msg"]
    for place in ("parts[0].plan.sysctls", "parts[2].name", "parts[2].owner", "parts[2].plan: "):
        assert place in message, message
    message = run_module("preflight", {"parts": parts[1:2]})["msg"]
    assert "interfaces: eth9 does not exist" in message


def test_preflight_refuses_a_packet_filter_that_keeps_answers_out(run_module, sh) -> None:
    """What answers a check through the VIP belongs to no connection that netfilter knows."""
    packet = {"name": "answers", "hook": "input", "protocol": "tcp", "source": "10.0.0.100", "source_port": 80}
    asked = {"packets": [{**packet, "destination": "10.0.0.2", "interface": "eth1", "state": "answer"}]}
    assert not run_module("preflight", asked).get("failed")
    sh("iptables-legacy -A INPUT -i eth9 -j ACCEPT")
    sh("iptables-legacy -A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT && iptables-legacy -P INPUT DROP")
    try:
        refused = run_module("preflight", asked)
        in_a_part = run_module("preflight", {"parts": [{"name": "keepalived", **asked}]})
        sh("iptables-legacy -I INPUT -s 10.0.0.100 -d 10.0.0.2 -p tcp --sport 80 -j ACCEPT")
        let_in = run_module("preflight", asked)
    finally:
        sh("iptables-legacy -P INPUT ACCEPT && iptables-legacy -F INPUT")
    for each in (refused, in_a_part):
        assert each["failed"]
        assert "the packet filter drops answers (`iptables-legacy -P INPUT DROP`)" in each["msg"]
    assert not let_in.get("failed")
    wrong = run_module("preflight", {"packets": [{**packet, "hook": "prerouting"}, {"name": "x"}]})
    assert wrong["failed"]
    assert "packets[0]" in wrong["msg"]
    assert "packets[1]" in wrong["msg"]


def test_preflight_says_where_a_name_is_wrong(run_module) -> None:
    wrong = {"kernel_modules": ["../x"], "plan": {"kernel_modules": ["../y"], "sysctls": {"no name": "1"}}}
    message = run_module("preflight", wrong)["msg"]
    for place in ("kernel_modules[0]: ", "plan.kernel_modules[0]: ", "plan.sysctls[no name]: "):
        assert place in message, message


def test_preflight_needs_privilege(sh) -> None:
    run = (
        "from ansible.module_utils.testing import patch_module_args\n"
        "from ansible_collections.lvs.topology.plugins.modules import preflight\n"
        "with patch_module_args({}): preflight.main()\n"
    )
    script = Path("/tmp/preflight.py")
    script.write_text(run)
    said = sh(f"capsh --drop=cap_net_admin -- -c 'python3 {script}' || true")
    assert "privilege: CAP_NET_ADMIN is missing" in said


def test_preflight_names_packages_for_somebody_to_install(run_module) -> None:
    asked = {"commands": ["ip", "no-such-command"], "python_modules": ["json", "no_such_module"], "missing": "report"}
    assert run_module("preflight", asked)["missing_packages"] == ["no-such-command", "python3-no_such_module"]


@pytest.fixture
def services_of_boot(sh, no_configuration) -> None:  # noqa: ARG001, that directory is all it is for
    """What starts at boot here is what a test says."""
    sh("for each in /etc/systemd/system /etc/rc2.d /etc/default; do mkdir -p $each && mount -t tmpfs tmpfs $each; done")
    sh("mkdir -p /etc/systemd/system/multi-user.target.wants")


def enable(unit: str) -> None:
    Path(f"/etc/systemd/system/multi-user.target.wants/{unit}.service").symlink_to("/dev/null")


SERVES = """\
virtual_server 10.0.0.100 80 {
    protocol TCP
    lvs_sched rr
    lvs_method NAT
    real_server 10.0.0.1 80 {
        weight 1
    }
}
"""


def refusal(run_module, manager: str) -> str:
    result = run_module("preflight", {"manager": manager})
    assert run_module("preflight", {"manager": manager}, check=True).get("msg") == result.get("msg")
    assert run_module("preflight", {"plan": {"manager": manager}}).get("msg") == result.get("msg")
    return str(result.get("msg", ""))


@pytest.mark.usefixtures("services_of_boot")
@pytest.mark.parametrize("manager", ["kernel", "keepalived"])
def test_preflight_finds_who_else_fills_the_table(run_module, sh, manager) -> None:
    assert refusal(run_module, manager) == ""
    sh("ip link add kube-ipvs0 type dummy")
    Path("/etc/default/ipvsadm").write_text('# AUTO="true"\nAUTO="true"\nDAEMON="backup"\n')
    Path("/etc/rc2.d/S01ipvsadm").symlink_to("/dev/null")
    enable("ldirectord")
    message = refusal(run_module, manager)
    for text in (
        "(1) manager: the interface kube-ipvs0 is there, so kube-proxy fills the table",
        "ip link del kube-ipvs0",
        "(2) manager: the service ipvsadm loads a table at boot and flushes it at its end; set AUTO=false",
        "(3) manager: the service ipvsadm starts a synchronisation daemon at boot; set DAEMON=none",
        "(4) manager: ldirectord runs here or does after a boot",
    ):
        assert text in message
    # Nobody asks, nobody is looked for.
    assert not run_module("preflight", {}).get("failed")
    # Debian's script is there and does nothing, unless it is told to.
    Path("/etc/default/ipvsadm").write_text('AUTO="false"\nDAEMON="none"\n')
    assert "ipvsadm" not in refusal(run_module, manager)
    Path("/etc/rc2.d/S01ipvsadm").unlink()
    Path("/etc/default/ipvsadm").write_text('AUTO="true"\n')
    assert "ipvsadm" not in refusal(run_module, manager)
    # That of RHEL is a unit, and has no such file.
    Path("/etc/default/ipvsadm").unlink()
    enable("ipvsadm")
    assert "the unit ipvsadm loads a table of its own at boot; systemctl disable ipvsadm" in refusal(
        run_module, manager
    )
    Path("/etc/default/ipvsadm").write_text('AUTO="false"\n')
    # A unit may have any name. One that only looks is nobody's rival.
    unit = Path("/etc/systemd/system/multi-user.target.wants/my-table.service")
    unit.write_text("[Service]\nExecStart=/usr/sbin/ipvsadm -Ln\n")
    assert refusal(run_module, manager).count("manager:") == 2
    unit.write_text("[Service]\nExecStart=/bin/sh -c 'ipvsadm-restore </etc/my-table'\n")
    said = "the unit my-table.service loads a table of its own at boot; systemctl disable my-table.service"
    assert said in refusal(run_module, manager)
    # Whom a run may end is left out then. It edits nothing that somebody wrote.
    Path("/etc/default/ipvsadm").write_text('AUTO="true"\n')
    message = str(run_module("preflight", {"manager": manager, "take_over": True})["msg"])
    assert "kube-ipvs0" in message
    assert "my-table" in message
    assert "AUTO=false" not in message
    # The table is the kernel's first, and keepalived's afterwards.
    assert ("ldirectord.service fills the table so far" in message) == (manager == "keepalived")


@pytest.mark.usefixtures("services_of_boot")
def test_preflight_finds_scripts_that_fill_the_table(run_module) -> None:
    unit, script = Path("/etc/systemd/system/multi-user.target.wants/balance.service"), Path("/tmp/balance.sh")
    unit.write_text("[Service]\nExecStart=-/bin/sh /tmp/balance.sh start\n")
    script.write_text("#!/bin/sh\n# ipvsadm -A is for others\nipvsadm -Ln | grep -A 2 VIP\n")
    assert refusal(run_module, "kernel") == ""
    script.write_text("#!/bin/sh\nset -e\n/sbin/ipvsadm -A -t 10.0.0.1:80 -s rr\n")
    said = "(1) manager: the unit balance.service runs /tmp/balance.sh, which fills the table at boot"
    assert said in refusal(run_module, "kernel")
    # Nobody but its author knows what else it does.
    assert said in run_module("preflight", {"manager": "kernel", "take_over": True})["msg"]
    unit.unlink()
    local = Path("/etc/rc.local")
    local.write_text("#!/bin/sh\nipvsadm -C\n")
    assert refusal(run_module, "kernel") == ""
    local.chmod(0o755)
    try:
        assert "/etc/rc.local fills the table at boot" in refusal(run_module, "kernel")
        local.write_text("#!/bin/sh\nsh /tmp/balance.sh\n")
        assert "/etc/rc.local runs /tmp/balance.sh, which fills the table" in refusal(run_module, "kernel")
    finally:
        local.unlink()


@pytest.mark.usefixtures("services_of_boot")
def test_preflight_finds_a_keepalived_that_is_not_ours(run_module, sh, until) -> None:
    config = Path("/etc/keepalived/conf.d/web.conf")
    config.parent.mkdir()
    config.write_text("# virtual_server is not here\nvrrp_instance a {\n}\n")
    enable("keepalived")
    # One that only moves addresses disturbs nobody.
    assert refusal(run_module, "kernel") == ""
    config.write_text(SERVES)
    at_boot = (
        f"keepalived is started at boot and has virtual servers of its own ({config}); set lvs_manager: keepalived"
    )
    assert at_boot in refusal(run_module, "kernel")
    # With keepalived, its file becomes ours where somebody agrees.
    by_consent = (
        f"keepalived is started at boot with a configuration of somebody else's ({config}); lvs_take_over: true"
    )
    assert by_consent in refusal(run_module, "keepalived")
    assert not run_module("preflight", {"manager": "keepalived", "take_over": True}).get("failed")
    assert at_boot in run_module("preflight", {"manager": "kernel", "take_over": True})["msg"]
    Path("/etc/systemd/system/multi-user.target.wants/keepalived.service").unlink()
    assert refusal(run_module, "kernel") == ""

    running = subprocess.Popen(["keepalived", "--dont-fork", "--no-syslog", "-f", str(config)])
    try:
        until(lambda: "10.0.0.100" in sh("ipvsadm -Sn"))
        # What is written is another file than the one that it reads.
        elsewhere = (
            f"has keepalived read '{config}' (-f) and not /etc/keepalived/keepalived.conf, which is what is written"
        )
        assert elsewhere in run_module("preflight", {"manager": "keepalived", "take_over": True})["msg"]
        # Wherever its file is, it fills the table.
        other, settings = Path("/opt/keepalived.conf"), Path("/etc/default/keepalived")
        other.write_text(config.read_text())
        config.write_text("")
        settings.write_text(f"DAEMON_ARGS=-f{other}\n")
        assert f"has virtual servers of its own ({other})" in refusal(run_module, "kernel")
        settings.unlink()
        config.write_text(other.read_text())
        other.unlink()
        Path("/etc/keepalived/keepalived.conf").unlink(missing_ok=True)
        config.rename("/etc/keepalived/keepalived.conf")
        config.symlink_to("/etc/keepalived/keepalived.conf")
        result = run_module("preflight", {"manager": "keepalived", "take_over": True})
        assert (result["keepalived_runs"], result["managed_by"]) == (True, [])
        assert "keepalived runs here and has virtual servers of its own" in refusal(run_module, "kernel")
        # In a network namespace of its own it has a table of its own.
        sh("ip netns add other")
        script = (
            "from ansible.module_utils.testing import patch_module_args\n"
            "from ansible_collections.lvs.topology.plugins.modules import preflight\n"
            "with patch_module_args({'manager': 'kernel'}): preflight.main()\n"
        )
        Path("/tmp/preflight.py").write_text(script)
        assert '"keepalived_runs": false' in sh("ip netns exec other python3 /tmp/preflight.py")
    finally:
        running.terminate()
        running.wait(timeout=300)


@pytest.mark.usefixtures("services_of_boot")
def test_preflight_knows_who_held_the_table(run_module) -> None:
    asked = {"manager": "kernel", "owner": "director"}
    assert run_module("preflight", asked)["managed_by"] == []
    run_module("ipvs_table", {"services": [{"address": "10.0.0.100", "port": 80}], "owner": "director"})
    assert run_module("preflight", asked)["managed_by"] == ["kernel"]
    assert run_module("preflight", {**asked, "owner": "other"})["managed_by"] == []
    assert run_module("keepalived_config", {"content": SERVES, "owner": "keepalived"})["changed"]
    enable("keepalived")
    # It is ours: site moves it.
    result = run_module("preflight", asked)
    assert (result.get("failed"), result["managed_by"]) == (None, ["kernel", "keepalived"])
