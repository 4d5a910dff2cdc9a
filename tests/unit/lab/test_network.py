# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's network files: what is refused, and what is rendered for the hosts."""

from __future__ import annotations

import ast
import copy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import graphlib
import pytest
import yaml

CHECKOUT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(CHECKOUT / "lab"))

from lvslab import managed, network, qemu, rendered, uml  # noqa: E402, found by the line above

GOOD: dict[str, Any] = {
    "name": "demo",
    "lans": ["front", "back"],
    "hosts": {
        "director": {
            "lans": {"front": ["192.0.2.1/24", "2001:db8::1/64"], "back": "10.0.0.30/24"},
            "gateway": ["192.0.2.254", "2001:db8::ff"],
            "routes": {"10.7.0.0/16": "10.0.0.1"},
            "forwarding": True,
            "groups": ["lvs_directors"],
        },
        "web1": {"lans": {"back": "10.0.0.51/24"}, "web": True},
    },
}


def changed(path: str, value: Any) -> dict[str, Any]:
    data = copy.deepcopy(GOOD)
    *parents, last = path.split("/")
    place = data
    for parent in parents:
        place = place[parent]
    place[last] = value
    return data


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("name", "Demo", "name: 'Demo' is no name of a lab: lower-case letters, digits and dashes"),
        ("backend", "kvm", "backend: 'kvm' is none of uml, qemu"),
        ("color", 1, "color: unknown key; known are name, backend, manager, release, lans, hosts"),
        ("manager", "netplan", "manager: 'netplan' is none of networkd, networkmanager, ifupdown"),
        ("hosts/web1/manager", ["ifupdown"], "hosts.web1.manager: ['ifupdown'] is none of networkd"),
        ("release", 13, "release: 13 is none of bookworm, trixie"),
        ("hosts/web1/memory", "1G", "hosts.web1.memory: '1G' is no number of MiB from 128 to 4096"),
        ("hosts/web1/release", "sid", "hosts.web1.release: 'sid' is none of bookworm, trixie"),
        ("lans", ["front", "back", "front"], "lans[2]: front is listed twice"),
        ("lans", ["front", "back", "twelve-chars"], "lans[2]: 'twelve-chars' is no name of a LAN"),
        ("hosts", {}, "hosts: there must be one at least"),
        ("hosts", ["web1"], "hosts: must be a mapping, not ['web1']"),
        ("hosts/web1/web", "yes", "hosts.web1.web: must be true or false, not 'yes'"),
        ("hosts/web1/speed", 1, "hosts.web1.speed: unknown key"),
        (
            "hosts/web1/lans",
            {"side": None},
            "hosts.web1.lans.side: there is no such LAN in lans, which has front, back",
        ),
        ("hosts/web1/lans/back", "10.0.0.51", "hosts.web1.lans.back: '10.0.0.51' is no address with a prefix length"),
        ("hosts/web1/lans/back", "10.0.0.30/24", "hosts.web1.lans.back: 10.0.0.30 is also the address of director"),
        ("hosts/web1/lans/back", "10.255.0.9/24", "hosts.web1.lans.back: 10.255.0.9/24 lies in 10.255.0.0/24"),
        ("hosts/web1/gateway", "10.0.1.1", "hosts.web1.gateway: 10.0.1.1 is in none of the host's own networks"),
        ("hosts/web1/gateway", "gw", "hosts.web1.gateway: 'gw' is no IP address"),
        ("hosts/web1/gateway", ["10.0.0.1", "10.0.0.2"], "hosts.web1.gateway: at most one gateway per address family"),
        (
            "hosts/web1/routes",
            {"10.7.0.1/16": "10.0.0.1"},
            "hosts.web1.routes.10.7.0.1/16: '10.7.0.1/16' is no network",
        ),
        ("hosts/web1/routes", {"::/0": "10.0.0.1"}, "hosts.web1.routes.::/0: 10.0.0.1 is of the other address family"),
        ("hosts/web1/groups", "web-servers", "hosts.web1.groups[0]: 'web-servers' is no name of a group"),
        ("hosts/averylongname", None, "hosts.averylongname: 'averylongname' is no name of a host"),
    ],
)
def test_one_message_per_mistake(path: str, value: Any, message: str) -> None:
    with pytest.raises(network.Invalid) as refused:
        network.parse(changed(path, value))
    assert len(refused.value.mistakes) == 1, refused.value.mistakes
    assert refused.value.mistakes[0].startswith(message)


@pytest.mark.parametrize("data", [None, [], "demo", {}])
def test_what_is_no_network_at_all(data: Any) -> None:
    with pytest.raises(network.Invalid):
        network.parse(data)


def test_all_mistakes_at_once() -> None:
    data = changed("name", "")
    data["hosts"]["web1"] = {"web": 1, "lans": {"back": "x"}}
    with pytest.raises(network.Invalid) as refused:
        network.parse(data)
    assert [mistake.split(":")[0] for mistake in refused.value.mistakes] == [
        "name",
        "hosts.web1.lans.back",
        "hosts.web1.web",
    ]


def test_a_single_host_may_have_another_kernel() -> None:
    parsed = network.parse(changed("hosts/web1/backend", "qemu"))
    assert [host.backend for host in parsed.hosts] == ["uml", "qemu"]
    assert [host.memory for host in network.parse(changed("hosts/web1/memory", 512)).hosts] == [None, 512]
    parsed = network.parse({**changed("hosts/web1/backend", "uml"), "backend": "qemu"})
    assert [host.backend for host in parsed.hosts] == ["qemu", "uml"]


def test_seed() -> None:
    parsed = network.parse(GOOD)
    files = rendered.seed(parsed, parsed.host("director"), "ssh-ed25519 AAAA lab\n")
    assert files["ip"].splitlines() == [
        "link set eth0 up",
        "address replace 10.255.0.11/24 dev eth0",
        "link set eth1 up",
        "address replace 192.0.2.1/24 dev eth1",
        "address replace 2001:db8::1/64 dev eth1 nodad",
        "link set eth2 up",
        "address replace 10.0.0.30/24 dev eth2",
        "route replace default via 192.0.2.254",
        "route replace default via 2001:db8::ff",
        "route replace 10.7.0.0/16 via 10.0.0.1",
    ]
    assert files["interfaces"].splitlines() == [f"02:4c:56:00:01:0{number} eth{number}" for number in range(3)]
    assert files["sysctl"].splitlines() == ["net.ipv4.ip_forward = 1", "net.ipv6.conf.all.forwarding = 1"]
    assert files["nginx.conf"] == ""
    assert "10.0.0.51 web1" in files["hosts"].splitlines()


def test_a_real_server_gets_no_sysctl_and_says_its_name() -> None:
    parsed = network.parse(GOOD)
    files = rendered.seed(parsed, parsed.host("web1"), "")
    assert files["sysctl"] == ""
    assert 'return 200 "web1\\n";' in files["nginx.conf"]


NETWORKD = """\
[Match]
Name=eth1

[Network]
IPv6AcceptRA=no
Address=192.0.2.1/24
Address=2001:db8::1/64
Gateway=192.0.2.254
Gateway=2001:db8::ff
"""
NETWORKMANAGER = """\
[connection]
id=eth2
type=ethernet
interface-name=eth2

[ethernet]

[ipv4]
method=manual
address1=10.0.0.30/24
route1=10.7.0.0/16,10.0.0.1

[ipv6]
method=link-local
"""
IFUPDOWN = """\
auto lo
iface lo inet loopback

auto eth1
iface eth1 inet static
    address 192.0.2.1/24
    gateway 192.0.2.254
iface eth1 inet6 static
    address 2001:db8::1/64
    gateway 2001:db8::ff

auto eth2
iface eth2 inet static
    address 10.0.0.30/24
    up ip route add 10.7.0.0/16 via 10.0.0.1
"""


@pytest.mark.parametrize(
    ("manager", "path", "text", "mode"),
    [
        ("networkd", "etc/systemd/network/10-eth1.network", NETWORKD, 0o644),
        ("networkmanager", "etc/NetworkManager/system-connections/eth2.nmconnection", NETWORKMANAGER, 0o600),
        ("ifupdown", "etc/network/interfaces", IFUPDOWN, 0o644),
    ],
)
def test_a_manager_sets_all_but_the_lab_s_own_card(manager: str, path: str, text: str, mode: int) -> None:
    parsed = network.parse(changed("manager", manager))
    host = parsed.host("director")
    files = rendered.seed(parsed, host, "")
    assert files["ip"].splitlines() == ["link set eth0 up", "address replace 10.255.0.11/24 dev eth0"]
    assert files[f"root/{path}"] == text
    assert managed.mode(f"root/{path}") == mode
    assert managed.mode("authorized_keys") == 0o600
    assert rendered.words(parsed, host)[1:] == [f"lab.manager={manager}"]


@pytest.mark.parametrize(
    ("asked", "of_the_lab", "of_web1", "expected"),
    [
        ("", None, None, ["bookworm", "bookworm"]),
        ("", "trixie", "bookworm", ["trixie", "bookworm"]),
        ("trixie", None, None, ["trixie", "trixie"]),
        ("trixie", "bookworm", "bookworm", ["trixie", "bookworm"]),
        ("web1=trixie", None, "bookworm", ["bookworm", "trixie"]),
        ("trixie web1=bookworm", None, None, ["trixie", "bookworm"]),
    ],
)
def test_the_release_of_each_host(asked: str, of_the_lab: str | None, of_web1: str | None, expected: list[str]) -> None:
    data = changed("name", "demo")
    data.update({} if of_the_lab is None else {"release": of_the_lab})
    data["hosts"]["web1"].update({} if of_web1 is None else {"release": of_web1})
    assert [host.release for host in network.parse(data, asked).hosts] == expected
    assert network.default_release(asked) == ("trixie" if asked.startswith("trixie") else "bookworm")


@pytest.mark.parametrize("asked", ["sid", "web1=", "web3=trixie"])
def test_a_release_or_a_host_that_there_is_not(asked: str) -> None:
    with pytest.raises(network.Invalid, match="LAB_RELEASE: "):
        network.parse(GOOD, asked)


def test_a_host_may_have_another_manager_than_the_lab() -> None:
    data = changed("manager", "networkd")
    data["hosts"]["web1"]["manager"] = None
    parsed = network.parse(data)
    assert [host.manager for host in parsed.hosts] == ["networkd", None]
    assert not [name for name in rendered.seed(parsed, parsed.host("web1"), "") if name.startswith("root/")]


def test_inventory() -> None:
    told = rendered.inventory(network.parse(GOOD), "/somewhere/ssh_config", "/run/lab")["all"]
    assert told["hosts"] == {"director": {"ansible_host": "10.255.0.11"}, "web1": {"ansible_host": "10.255.0.12"}}
    assert told["children"] == {"lvs_directors": {"hosts": {"director": None}}}
    assert told["vars"]["ansible_ssh_common_args"] == '-F "/somewhere/ssh_config" -o ControlPath="/run/lab/%h"'


def test_machines_differ_in_identity_and_hardware_address() -> None:
    parsed = network.parse(GOOD)
    assert len({rendered.words(parsed, host)[0] for host in parsed.hosts}) == 2
    cards = [nic for host in parsed.hosts for nic in host.nics]
    assert len({nic.mac for nic in cards}) == len({nic.tap for nic in cards}) == len(cards) == 5


def test_commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(uml, "program", lambda _directory: ["linux.uml"])
    monkeypatch.setattr(qemu, "accelerator", lambda _disk: "tcg")
    monkeypatch.setattr(qemu, "need", lambda _programs: None)
    host = network.parse(GOOD).host("web1")
    (tmp_path / "web1.disk").touch()
    disk = Path("/images/root.ext4")
    user_mode = uml.host_kernel(host, tmp_path, disk, ["word"])
    # Without gro=1 the guest drops segmented frames.
    assert "vec1:transport=tap,ifname=web1.1,depth=64,gro=1,mac=02:4c:56:00:02:01" in user_mode
    assert f"ubd0={tmp_path}/web1.disk,/images/root.ext4" in user_mode
    assert user_mode[-1] == "word"
    stock = qemu.host_kernel(host, tmp_path, disk, ["word"])
    assert "virtio-net-pci,netdev=eth1,mac=02:4c:56:00:02:01" in stock
    assert stock[stock.index("-append") + 1].endswith(" word")


def test_a_kernel_starts_with_the_loader_beside_it(tmp_path: Path) -> None:
    program = Path(shutil.copy("/bin/cat", tmp_path))
    loader = shutil.copy("/lib64/ld-linux-x86-64.so.2", tmp_path)
    uml.bind_to_libc(program, tmp_path)
    maps = subprocess.run([program, "/proc/self/maps"], capture_output=True, text=True, check=True).stdout
    assert loader in maps
    assert "/lib64/ld-linux" not in maps


@pytest.mark.parametrize("path", sorted((CHECKOUT / "lab" / "networks").glob("*.yml")), ids=lambda path: path.stem)
def test_the_networks_of_this_repository(path: Path) -> None:
    assert network.parse(yaml.safe_load(path.read_text())).name == path.stem


def test_the_files_of_the_lab_import_each_other_in_one_direction() -> None:
    """Also where only types are meant: who reads one of two files that need each other has to read both."""
    files = {path.stem: path for path in (CHECKOUT / "lab/lvslab").glob("*.py")}
    asked: dict[str, set[str]] = {name: set() for name in files}
    for name, path in files.items():
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level == 1:
                asked[name].update(each for each in (node.module, *(word.name for word in node.names)) if each in files)
    assert asked["managed"] == {"network"}
    graphlib.TopologicalSorter(asked).prepare()
