# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad, odd and hostile files: one clear error or a line for each, never a traceback, and what is written is accepted.

LVS_IMPORT_EXAMPLES says how many texts are generated, LVS_IMPORT_SEED which ones.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.lvs.topology.plugins.plugin_utils._import import given as arguments
from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import Given, decoded
from ansible_collections.lvs.topology.plugins.plugin_utils._import.moving_in import Imported, imported
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import LOST, Unreadable
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import WrongModel
from ansible_collections.lvs.topology.tests.unit.topology.generated import for_each
from ansible_collections.lvs.topology.tests.unit.topology.inventories import Model
from hypothesis import strategies as st

EXAMPLES = int(os.environ.get("LVS_IMPORT_EXAMPLES", "300"))
SEED = int(os.environ.get("LVS_IMPORT_SEED", "1"))
FIELD = Path(__file__).parent / "field"
TEXTS = {
    str(each.relative_to(FIELD)): each.read_text()
    for each in sorted(FIELD.rglob("*"))
    if each.suffix in (".conf", ".cf", ".rules")
}
SERVICE = "virtual_server 192.0.2.1 80 {\n protocol TCP\n lb_kind DR\n real_server 192.0.2.2 80 {\n }\n}\n"


def read(text: str, **others: str) -> Imported:
    return imported(Given({"a.conf": text, **others}), ["a.conf"])


def lost(text: str, **others: str) -> list[str]:
    return [str(each) for each in read(text, **others).remarks if each.kind == LOST]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{SERVICE}virtual_server 192.0.2.3 80 {{\n", "a.conf:7: the block virtual_server does not end"),
        (f"{SERVICE}}}\n", "a.conf:7: } ends a block that did not begin"),
        ("{\n}\n", "a.conf:1: a block begins without a keyword"),
        ('vrrp_script a {\n script "/bin/true\n}\n', "a.conf:2: a quote begins and does not end"),
        ("a {\n" * 20 + "}\n" * 20, "a.conf:17: blocks stand in each other"),
        ("\0\1\2", "a.conf:1: the file is not text"),
        (f"{SERVICE}\x07\n", "a.conf:7: the file is not text"),
        (f"{SERVICE}virtual_server 192.0.2.3 {'9' * 1020} {{\n}}\n", "a.conf:7: it is longer than 1023 bytes"),
        (f"{SERVICE}virtual_server 192.0.2.3 80 {{ {'ä' * 512}\n}}\n", "a.conf:7: it is longer than 1023 bytes"),
        ("Dear reader,\nthis is a letter.\n", "a.conf:1: nothing in it is of keepalived.conf"),
        ("", "a.conf:1: nothing in it is of keepalived.conf"),
        ("include a.conf\n", "a.conf:1: a.conf is included while it is read"),
        ("include *.conf\n", "a.conf:1: a.conf is included while it is read"),
        ("$A=$A b\nglobal_defs {\n router_id $A\n}\n", "a.conf:3: the definition $A does not end"),
        ("$A=${B}${B}\n$B=" + "x" * 600 + "\nrouter_id $A\n", "a.conf:3: with its definitions the line has more than"),
        ("$A= \\\n x \\\n $A\n$A\n", "a.conf:4: definitions and sequences make more than"),
        ("~SEQ(A, 1, 99999999) x $A\n", "a.conf:1: the sequence has 99999999 rounds"),
        ("~SEQ(A, 1, 999) ~SEQ(B, 1, 999) x $A\n", "a.conf:1: definitions and sequences make more than"),
        ("virtual=192.0.2.1:80\n\treal=192.0.2.2:80 gate\n\t=\n", "a.conf:3: it is no line of ldirectord.cf"),
    ],
)
def test_what_cannot_be_read_is_one_error(text: str, said: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read(text)
    assert str(refused.value).startswith(said)
    assert str(refused.value).isprintable()


def test_bytes_of_other_encodings() -> None:
    assert decoded(b"\xef\xbb\xbf# a", "a") == "# a"
    assert decoded("# über\n".encode("latin-1"), "a") == "# über\n"
    for encoding in ("utf-16", "utf-32"):
        with pytest.raises(Unreadable):
            decoded("# a".encode(encoding), "a")
    with pytest.raises(Unreadable, match="MiB"):
        decoded(b"#" * (16 * 2**20 + 1), "a")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"include b.d/*.conf\n{SERVICE}", "a.conf:1: include b.d/*.conf: not carried over: no file is b.d/*.conf"),
        (f"include /etc/shadow\n{SERVICE}", "a.conf:1: include /etc/shadow: not carried over: the file is in another"),
        (f"include ../../x\n{SERVICE}", "a.conf:1: include ../../x: not carried over: the file is in another folder"),
        (f"{SERVICE}new_block {{\n a\n}}\n", "a.conf:7: new_block: not carried over: keepalived 2.2 and the model"),
        (SERVICE.replace(" protocol", " newer 1\n protocol"), "a.conf:2: newer 1: not carried over"),
        (
            SERVICE.replace("192.0.2.2", "$RIP"),
            "a.conf:4: real_server $RIP 80: not carried over: it needs an IP address",
        ),
        (
            SERVICE.replace("192.0.2.1", "127.0.0.1"),
            "a.conf:1: tcp-127.0.0.1-80: not carried over: the service is left",
        ),
        (
            f"{SERVICE}vrrp_instance A {{\n interface eth0\n}}\n",
            "a.conf:7: vrrp_instance A: not carried over: it has no",
        ),
        (SERVICE + SERVICE, "a.conf:7: tcp-192.0.2.1-80: not carried over: the service is there already, in a.conf:1"),
        (
            SERVICE.replace(" protocol", ' quorum_up "/bin/a; /bin/b"\n protocol'),
            "a.conf:2: tcp-192.0.2.1-80 quorum_up: not carried over: holds ; outside quotes",
        ),
        (
            SERVICE.replace(" protocol", ' quorum_up "/bin/a {{ lookup }}"\n protocol'),
            "a.conf:2: tcp-192.0.2.1-80 quorum_up: not carried over: it holds { {",
        ),
        # Ends of lines of another system, and a whole file on one line: keepalived reads one statement of it.
        (SERVICE.replace("\n", "\r"), "a.conf:1: virtual_server 192.0.2.1 80: not carried over: it has no real server"),
        (SERVICE.replace("\n", " "), "a.conf:1: virtual_server 192.0.2.1 80: not carried over: it has no real server"),
        ("global_defs {\n router_id K\xf6ln\n}\n" + SERVICE, "a.conf:2: lvs_keepalived.router_id: not carried over"),
        ("include http://x/y\n" + SERVICE, "a.conf:1: include http://x/y: not carried over: no file is http:/x/y"),
    ],
)
def test_what_is_not_carried_over_is_a_line(text: str, said: str) -> None:
    found = lost(text)
    assert [each for each in found if each.startswith(said)], found


def test_comments_quotes_and_several_words_on_a_line() -> None:
    text = (
        "! a\n# b\nvirtual_server 192.0.2.1 80 { protocol TCP # c\n lvs_sched rr ! d\nlvs_method DR\n"
        ' quorum_up "/bin/a # ! b" # c\n real_server 192.0.2.2 80 { weight 3\n} }\n'
    )
    entry = read(text).hostvars["a"]["lvs_services"][0]
    assert entry == {
        **{"name": "tcp-192.0.2.1-80", "address": "192.0.2.1", "port": 80, "forward": "dr", "scheduler": "rr"},
        "real_servers": [{"address": "192.0.2.2", "weight": 3}],
    }
    # The command is one that no model takes.
    assert [each for each in lost(text) if "quorum_up" in each]


def test_what_is_wrong_in_a_list_takes_nothing_else_with_it() -> None:
    names = {"a": "true", "b": "false; x", "c": "/bin/c", "d": "killall -0 nginx", "e": "/bin/e"}
    scripts = "".join(f'vrrp_script {name} {{\n script "{text}"\n}}\n' for name, text in names.items())
    tracked = "".join(f" {name}\n" for name in names)
    vrrp = (
        "vrrp_instance A {\n interface eth0\n virtual_router_id 9\n virtual_ipaddress {\n 192.0.2.1/24\n }\n"
        f" track_script {{\n{tracked} }}\n}}\n"
    )
    found = read(scripts + vrrp)
    settings = found.hostvars["a"]["lvs_vrrp"]
    assert [each["name"] for each in settings["track_scripts"]] == ["c", "e"]
    # What only asks for a process is one of these.
    assert settings["track_processes"] == [{"name": "d", "process": "nginx"}]
    assert [each.place.line for each in found.remarks if each.kind == LOST] == [1, 4]


def test_two_clusters_are_no_pair() -> None:
    vrrp = "vrrp_instance A {\n interface eth0\n virtual_router_id 9\n virtual_ipaddress {\n 192.0.2.1/24\n }\n}\n"
    other = (SERVICE + vrrp).replace("192.0.2.1", "198.51.100.1")
    found = imported(Given({"a.conf": SERVICE + vrrp, "b.conf": other}), ["a.conf", "b.conf"])
    assert [each["lvs_services"][0]["address"] for each in found.hostvars.values()] == [
        "192.0.2.1/24",
        "198.51.100.1/24",
    ]
    assert [str(each) for each in found.remarks if "a director by itself" in str(each)]
    assert "group_vars/lvs_directors.yml" not in found.files


def test_partners_that_differ() -> None:
    vrrp = (
        "vrrp_instance A {\n interface eth0\n virtual_router_id 9\n authentication {\n auth_pass onea\n }\n"
        " virtual_ipaddress {\n 192.0.2.1/24\n }\n}\n"
    )
    second = SERVICE.replace("80 {\n protocol", "443 {\n protocol").replace("192.0.2.2 80", "192.0.2.2 443")
    texts = {
        "a.conf": SERVICE + vrrp,
        "b.conf": (SERVICE.replace("lb_kind", "lb_algo rr\n lb_kind") + second + vrrp)
        .replace("onea", "twob")
        .replace("router_id 9", "router_id 8")
        .replace("eth0", "eth1"),
    }
    found = imported(Given(texts), ["a.conf", "b.conf"])
    said = [str(each) for each in found.remarks]
    for part in (
        "scheduler is 'rr' at b, and not there at a (a.conf:1)",
        "router_id",
        "another password",
        "a has no such service",
    ):
        assert [each for each in said if part in each], (part, said)
    assert not [each for each in said if "onea" in each or "twob" in each]
    # Where each may have its own, each has.
    assert [each["lvs_vrrp"]["interface"] for each in found.hostvars.values()] == ["eth0", "eth1"]
    assert [each["lvs_vrrp"]["router_id"] for each in found.hostvars.values()] == [9, 9]
    accepted(found)


@pytest.mark.parametrize(
    ("ports", "check"),
    [
        ((8001, 8002), {"type": "tcp"}),
        (("8001 { TCP_CHECK { connect_port 8001", "8002 { TCP_CHECK { connect_port 8002"), {"type": "tcp"}),
        (
            ("8001 { TCP_CHECK { connect_port 9000", "8002 { TCP_CHECK { connect_port 9000"),
            {"type": "tcp", "port": 9000},
        ),
        (("9000 { TCP_CHECK {", "8002 { TCP_CHECK { connect_port 9000"), {"type": "tcp", "port": 9000}),
        # The one that asks another port has its own.
        (("8001 { TCP_CHECK {", "8002 { TCP_CHECK { connect_port 9000"), {"type": "tcp"}),
    ],
)
def test_the_port_of_a_check(ports: tuple[Any, Any], check: dict[str, Any]) -> None:
    servers = "".join(
        f"real_server 192.0.2.{number} {each if isinstance(each, str) else f'{each} {{ TCP_CHECK {{'} }} }}\n"
        for number, each in enumerate(ports, 2)
    )
    text = f"virtual_server 192.0.2.1 80 {{\nprotocol TCP\ndelay_loop 3\nconnect_timeout 3\nlb_kind NAT\n{servers}}}\n"
    assert read(text).hostvars["a"]["lvs_services"][0].get("health_check") == check


def test_no_password_of_one_line_is_shown() -> None:
    vrrp = (
        "vrrp_instance A {\n interface eth0\n virtual_router_id 9\n"
        " authentication { auth_type AH auth_pass hidden }\n virtual_ipaddress {\n 192.0.2.1/24\n }\n}\n"
    )
    found = lost(vrrp)
    assert len(found) == 2
    assert "hidden" not in str(found)


def test_directors_with_the_same_file() -> None:
    text = "virtual=192.0.2.1:80\n\treal=192.0.2.2:80 gate\n\tchecktype=connect\n"
    found = imported(Given({"a.cf": text}), ["a.cf"], ["lb1", "lb2"])
    assert found.hostvars["lb1"] == found.hostvars["lb2"]
    accepted(found)
    with pytest.raises(Unreadable, match="2 files, and 1 names"):
        imported(Given({"a.cf": text, "b.cf": text}), ["a.cf", "b.cf"], ["lb1"])


@pytest.mark.parametrize(
    ("hosts", "named"),
    [
        (["lb1.example.com", "lb2.example.com"], ["lb1.example.com", "lb2.example.com"]),
        # They begin alike for longer than a screen is wide.
        (["a" * 199 + "b", "a" * 199 + "c"], ["a" * 199 + "b", "a" * 199 + "c"]),
        (["a" * 300 + "b", "a" * 300 + "c"], ["a" * 200, "a" * 200 + "-2"]),
        (["2001:db8::1", "lb 2"], ["2001-db8-1", "lb-2"]),
    ],
)
def test_every_director_keeps_a_name_of_its_own(hosts: list[str], named: list[str]) -> None:
    files = {"a.conf": SERVICE, "b.conf": SERVICE.replace("192.0.2.1 ", "192.0.2.3 ")}
    found = imported(Given(files), ["a.conf", "b.conf"], hosts)
    assert found.groups["lvs_directors"] == list(found.hostvars) == named
    told = [str(each) for each in found.remarks if "no file can have this name" in str(each)]
    assert len(told) == sum(host != name for host, name in zip(hosts, named))


def test_directors_with_the_same_vip_and_no_vrrp() -> None:
    """Many have it so, with routing in place of VRRP: the services stay, and who holds the VIP is to be decided."""
    found = imported(Given({"a.conf": SERVICE}), ["a.conf"], ["lb1", "lb2"])
    assert found.hostvars["lb1"]["lvs_services"] == found.hostvars["lb2"]["lvs_services"] != []
    assert [each for each in found.remarks if each.kind == LOST] == []
    (said,) = [str(each) for each in found.remarks if "both would answer" in str(each)]
    assert said.startswith(
        "a.conf:1: lb2: lvs_services: the VIP 192.0.2.1 is on lb1 too, and both would answer for it; "
    )
    assert "lvs_bgp" in said
    for values in found.hostvars.values():
        values |= {"lvs_bgp": "elsewhere", "lvs_vip_interface": "lo"}
    accepted(found)


@pytest.mark.parametrize("wrong", [None, 3, [3], {"a.conf": 3}, [None]])
def test_arguments_of_the_lookup(wrong: Any) -> None:
    with pytest.raises((WrongModel, Unreadable)):
        arguments.inventory_of_disk(wrong)
    if wrong is not None:
        with pytest.raises(WrongModel):
            arguments.inventory_of_hosts({}, [], wrong if wrong != {"a.conf": 3} else 3)


def test_files_of_this_machine(tmp_path: Path) -> None:
    here, secret = tmp_path / "lb1", tmp_path / "secret.conf"
    here.mkdir()
    secret.write_text("secret\n")
    (here / "keepalived.conf").write_text(f"include pools/*.conf\ninclude link.conf\ninclude {secret}\n{SERVICE}")
    (here / "pools").mkdir()
    (here / "pools/a.conf").write_text(SERVICE.replace("192.0.2.1", "192.0.2.3"))
    (here / "link.conf").symlink_to(secret)
    os.mkfifo(here / "pipe.conf")
    found = arguments.inventory_of_disk([str(here)])
    # As a variable, which may be a list, comes to a lookup.
    assert arguments.inventory_of_disk([[str(here)]]) == found
    assert list(arguments.inventory_of_disk([str(here)], hosts="one")["hosts"]) == ["one"]
    assert [each["address"] for each in found["hosts"]["lb1"]["lvs_services"]] == ["192.0.2.3", "192.0.2.1"]
    assert len(found["lost"]) == 2
    for wrong in (tmp_path, here / "pipe.conf", here / "nothing", here / "pools/"):
        if wrong != here / "pools/":
            with pytest.raises(Unreadable):
                arguments.inventory_of_disk([str(wrong)])


def accepted(found: Imported) -> None:
    """What is written is accepted, but for what facts tell."""
    for values in found.hostvars.values():
        values.setdefault("lvs_vip_interface", "eth0")
    mistakes = Model(found.hostvars, found.groups).mistakes()
    assert [each for each in mistakes if "where facts do not tell" not in each] == []
    for path, text in found.files.items():
        if path.endswith(".yml"):
            yaml.safe_load(text)
    for each in found.remarks:
        assert str(each).isprintable(), each
        assert "{{" not in str(each)


TOKENS = st.sampled_from(
    [
        *[
            "{",
            "}",
            '"',
            "'",
            "#",
            "!",
            "$",
            "$LAN",
            "${LAN}",
            "~SEQ(A, 1, 3) ",
            "@a ",
            "include ",
            "\\",
            "\n",
            "\t",
            " ",
        ],
        *["0", "-1", "99999999999999999999", "65536", "1.5", "NaN", "::1", "127.0.0.1", "224.0.0.1", "192.0.2.1/0"],
        *["{{ 1 }}", "{% x %}", "\ud800", "\x00", "\x1b[31m", "ä", "a" * 300, "a" * 1100, ";", "|", "virtual_server "],
        *["fwmark 7", "group X", "real_server 10.0.0.1 80 {", "protocol UDP", "weight x", "lb_kind TUN type gue", "->"],
        *["masq", "gate", "-m", "-i", "-f 7", "persistence_timeout 0", "alpha", "MISC_CHECK {", "FILE_CHECK {", "eth0"],
    ]
)


@st.composite
def texts(draw: Any) -> tuple[str, str]:
    """A file of the field with some of its lines and characters changed."""
    name = draw(st.sampled_from(sorted(TEXTS)))
    text = TEXTS[name]
    for _change in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        kind = draw(st.integers(0, 4))
        if kind == 0:
            text = text[:start] + draw(TOKENS) + text[start:]
        elif kind == 1:
            text = text[:start] + draw(TOKENS) + text[start + draw(st.integers(1, 12)) :]
        elif kind == 2:
            text = text[:start] + text[start + draw(st.integers(1, 60)) :]
        else:
            lines = text.split("\n")
            first, second = (draw(st.integers(0, len(lines) - 1)) for _each in range(2))
            if kind == 3:
                lines.insert(first, lines[second])
            else:
                lines[first], lines[second] = lines[second], lines[first]
            text = "\n".join(lines)
    return name, text


def test_generated_texts() -> None:
    counts = {"read": 0, "refused": 0}

    def one(changed: tuple[str, str]) -> None:
        name, text = changed
        try:
            found = imported(Given({**TEXTS, name: text}), [name])
        except Unreadable:
            counts["refused"] += 1
            return
        counts["read"] += 1
        accepted(found)

    for_each(texts(), one, EXAMPLES, SEED)
    print(counts)
    assert counts["read"] > EXAMPLES / 10
