# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What files say in unusual ways: nothing is dropped in silence, and what is carried over means what it meant.

What keepalived 2.2.7 makes of each of these was seen by keepalived -t, and read in its source.
"""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._import.files import Given, decoded
from ansible_collections.lvs.topology.plugins.plugin_utils._import.moving_in import Imported, imported
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import LOST, Unreadable

SERVER = " real_server 192.0.2.2 80 {\n }\n"
SERVICE = f"virtual_server 192.0.2.1 80 {{\n protocol TCP\n lb_kind NAT\n{SERVER}}}\n"
VRRP = (
    "vrrp_instance A {\n interface eth0\n virtual_router_id 9\n priority 100\n"
    " virtual_ipaddress {\n 192.0.2.1/24\n }\n}\n"
)


def read(text: str, name: str = "a.conf") -> Imported:
    return imported(Given({name: text}), [name])


def services(found: Imported) -> list[dict[str, Any]]:
    services_: list[dict[str, Any]] = next(iter(found.hostvars.values()))["lvs_services"]
    return services_


def lost(found: Imported) -> list[str]:
    return [str(each) for each in found.remarks if each.kind == LOST]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        # keepalived reads one statement from a line: what comes behind it is nothing.
        (" protocol TCP lb_kind DR\n", "protocol TCP lb_kind DR: not carried over: nothing is read here after"),
        (" quorum 2 hysteresis 1\n", "hysteresis 1: not carried over: keepalived reads one word after quorum"),
        (" omega yes alpha\n", "omega yes alpha: not carried over: nothing is read here after omega yes"),
        (" delay_loop 5 {\n a b\n }\n", "a b: not carried over: delay_loop has no block that is read"),
        (" inhibit_on_failure maybe\n", "inhibit_on_failure maybe: not carried over: it takes one of true, on, yes"),
        (" alpha TRUE\n", "alpha TRUE: not carried over: it takes one of true, on, yes"),
        # Only checks of web pages know this word.
        (" nb_get_retry 4\n", "nb_get_retry 4: not carried over: the model has no key for it"),
        (" quorum_down '/bin/echo one # two'\n", "quorum_down: not carried over: a quote begins and does not end"),
    ],
)
def test_what_nobody_reads_is_listed(line: str, said: str) -> None:
    found = lost(read(SERVICE.replace(" lb_kind", f"{line} lb_kind")))
    assert [each for each in found if said in each], found


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("vrrp_sync_group G {\n group {\n A\n }\n notify_master /bin/x\n}\n", "notify_master /bin/x: not carried over"),
        (
            "vrrp_sync_group G {\n group {\n B\n }\n}\n",
            "vrrp_sync_group G: not carried over: its instances are not there",
        ),
    ],
)
def test_the_sync_group_of_one_instance(block: str, said: str) -> None:
    found = lost(read(SERVICE + VRRP + block))
    assert [each for each in found if said in each], found


def test_a_password_of_two_words_is_not_shown() -> None:
    vrrp = VRRP.replace(" priority", " authentication {\n auth_type PASS x\n auth_pass hid den\n }\n priority")
    found = lost(read(SERVICE + vrrp))
    assert len(found) == 2
    assert "hid" not in str(found)
    assert "den" not in str(found)


def test_what_is_kept_as_lines_keeps_its_quotes() -> None:
    lines = 'global_defs {\n snmp_socket "unix:/run/a#b"\n process_names\n}\n'
    values = read(lines + SERVICE).hostvars["a"]["lvs_keepalived"]
    assert values["global_raw"] == 'snmp_socket "unix:/run/a#b"\nprocess_names\n'


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("quorum_up '/bin/echo a b'", "/bin/echo a b"),
        ('quorum_up "/bin/echo a b"', "/bin/echo a b"),
        ("quorum_up '/bin/echo a'\" b\"", "/bin/echo a b"),
    ],
)
def test_both_quotes_of_commands(line: str, command: str) -> None:
    found = read(SERVICE.replace(" lb_kind", f" {line}\n lb_kind"))
    assert services(found)[0]["quorum_up"] == command


def test_the_mark_of_windows_before_another_encoding() -> None:
    assert decoded(b"\xef\xbb\xbfvirtual \xfc", "a") == "virtual \xfc"


@pytest.mark.parametrize(
    ("member", "addresses"),
    [
        ("10.0.0.1-3 80", ["10.0.0.1", "10.0.0.2", "10.0.0.3"]),
        ("10.0.0.254-10.0.1.1 80", ["10.0.0.254", "10.0.0.255", "10.0.1.0", "10.0.1.1"]),
        ("2001:db8::e-10 80", ["2001:db8::e", "2001:db8::f", "2001:db8::10"]),
        ("10.0.0.3-1 80", []),
        ("10.0.0.1-256 80", []),
        ("10.0.0.1-2001:db8::1 80", []),
        ("10.0.0.1--3 80", []),
    ],
)
def test_ranges_of_a_group(member: str, addresses: list[str]) -> None:
    server = SERVER.replace("192.0.2.2", "2001:db8:1::2") if ":db8::e" in member else SERVER
    text = (
        f"virtual_server_group g {{\n {member}\n 192.0.2.200 80\n}}\n"
        f"virtual_server group g {{\n protocol TCP\n lb_kind NAT\n{server}}}\n"
    )
    found = read(text)
    assert [each["address"] for each in services(found) if each["address"] != "192.0.2.200"] == addresses
    assert bool([each for each in lost(found) if "its range of addresses cannot be read" in each]) is not bool(
        addresses
    )


def test_a_group_without_end_is_one_error() -> None:
    ranges = "".join(f" 10.{each}.0.1-10.{each}.15.255 80\n" for each in range(3))
    text = f"virtual_server_group g {{\n{ranges}}}\nvirtual_server group g {{\n protocol TCP\n{SERVER}}}\n"
    with pytest.raises(Unreadable, match=r"a\.conf:4: the group stands for more than"):
        read(text)


def test_a_remark_stands_above_the_service_that_it_is_about_and_once() -> None:
    text = f"virtual_server_group g {{\n 10.0.0.1-3 80\n}}\nvirtual_server group g {{\n protocol TCP\n{SERVER}}}\n"
    lines = read(text).files["group_vars/lvs_directors.yml"].splitlines()
    for last in (1, 2, 3):
        about = [at for at, line in enumerate(lines) if f"10.0.0.{last}: no vrrp_instance" in line]
        assert len(about) == 1
        following = next(line for line in lines[about[0] :] if "name:" in line)
        assert following == f"  - name: tcp-10.0.0.{last}-80"


def test_what_is_wrong_in_a_key_leaves_its_neighbours() -> None:
    vrrp = VRRP.replace(
        " priority",
        " garp_master_refresh 30\n garp_master_delay 5.5\n notify_master /bin/a\n notify_backup no/path\n priority",
    )
    found = read(SERVICE + vrrp)
    settings = found.hostvars["a"]["lvs_vrrp"]
    assert settings["garp"] == {"master_refresh": 30}
    assert settings["notify"] == {"master": "/bin/a"}
    assert [each.place.line for each in found.remarks if each.kind == LOST] == [11, 13]


def test_an_empty_variable_is_not_written() -> None:
    found = read(f'global_defs {{\n router_id "a b"\n}}\n{SERVICE}')
    assert "lvs_keepalived" not in found.hostvars["a-b"]
    assert not [each for each in found.files if each.startswith("host_vars")]
    assert [each.place.line for each in found.remarks if each.kind == LOST] == [2]


@pytest.mark.parametrize(
    ("server", "kept", "said"),
    [
        ("uthreshold 5\n lthreshold 9", {"address": "192.0.2.3", "upper_threshold": 5}, "lower_threshold: not carried"),
        ("}\n real_server 2001:db8::1 80 {", {"address": "192.0.2.3"}, "the real server is left out"),
    ],
)
def test_one_real_server_does_not_take_the_service_with_it(server: str, kept: dict[str, Any], said: str) -> None:
    found = read(SERVICE.replace(SERVER, f"{SERVER} real_server 192.0.2.3 80 {{\n {server}\n }}\n"))
    assert services(found)[0]["real_servers"] == [{"address": "192.0.2.2"}, kept]
    assert len(lost(found)) == 1
    assert said in lost(found)[0]


def test_two_mistakes_of_a_check_take_the_check_alone() -> None:
    check = "UDP_CHECK {\n payload zz\n require_reply yy\n }"
    found = read(SERVICE.replace("TCP", "UDP").replace("80 {\n }", f"80 {{\n {check}\n }}"))
    assert [each["name"] for each in services(found)] == ["udp-192.0.2.1-80"]


@pytest.mark.parametrize(("text", "octets"), [("00 ff", "00ff"), ("0 1 a0b", "0001a00b"), ("00ff", "00ff")])
def test_octets_with_blanks(text: str, octets: str) -> None:
    check = f'UDP_CHECK {{\n payload "{text}"\n }}'
    found = read(SERVICE.replace("TCP", "UDP").replace("80 {\n }", f"80 {{\n {check}\n }}"))
    assert services(found)[0]["health_check"]["payload"] == octets


def test_an_address_of_another_family_than_the_first() -> None:
    found = read(SERVICE + VRRP.replace("192.0.2.1/24\n", "192.0.2.1/24\n 2001:db8::1/64\n"))
    assert "2001:db8::1" not in str(found.hostvars)
    assert [each for each in lost(found) if "the first address is IPv4" in each]


def test_a_timeout_of_0_leaves_it_alone() -> None:
    found = read(f"global_defs {{\n lvs_timeouts tcp 900 tcpfin 0\n}}\n{SERVICE}")
    assert found.hostvars["a"]["lvs_timeouts"] == {"tcp": 900}


@pytest.mark.parametrize(
    ("name", "router_id", "address", "said"),
    [
        ("A", 8, "10.0.0.2", "A.router_id"),
        ("B", 9, "10.0.0.2", "it is called B here"),
        ("B", 8, "10.0.0.1", "it is called B here"),
    ],
)
def test_an_instance_of_partners_by_name_by_router_id_or_by_address(
    name: str, router_id: int, address: str, said: str
) -> None:
    second = (
        "vrrp_instance {} {{\n interface eth0\n virtual_router_id {}\n priority {}\n"
        " virtual_ipaddress {{\n {}/24\n }}\n}}\n"
    )
    texts = {
        "a.conf": SERVICE + VRRP.replace("A {", "X {") + second.format("A", 19, 80, "10.0.0.1"),
        "b.conf": (
            SERVICE + VRRP.replace("A {", "X {").replace("100", "90") + second.format(name, router_id + 10, 70, address)
        ),
    }
    found = imported(Given(texts), ["a.conf", "b.conf"])
    instances = [each["lvs_vrrp"]["instances"] for each in found.hostvars.values()]
    assert [[each["priority"] for each in some] for some in instances] == [[100, 80], [90, 70]]
    assert [[each["name"] for each in some] for some in instances] == [["X", "A"]] * 2
    assert [str(each) for each in found.remarks if said in str(each)]


SCRIPT = """#!/bin/sh
VIP="192.0.2.1"; export VIP
VIP=192.0.2.1
RIP=10.0.0
export LVS=/sbin/ipvsadm
IPVSADM=/sbin/ipvsadm
$IPVSADM -C 2>/dev/null
$IPVSADM -A -t $VIP:80 \\
    -s rr   # round robin
/sbin/ipvsadm -at ${VIP}:80 -r ${RIP}.1 -m && sudo ipvsadm -a -t "$VIP:80" -r$RIP.2:8080 -m >/dev/null 2>&1
for host in 3 4; do ipvsadm -a -t $VIP:80 -r $RIP.$host -m; done
ipvsadm --add-service --udp-service=$VIP:53 --scheduler=wrr; ipvsadm -a -u $VIP:53 -r $RIP.5:5353 -g
mysql --password=hidden
"""


def test_a_script_of_the_shell() -> None:
    found = read(SCRIPT, "start.sh")
    assert [(each["name"], each["forward"], each["scheduler"]) for each in services(found)] == [
        ("tcp-192.0.2.1-80", "nat", "rr"),
        ("udp-192.0.2.1-53", "dr", "wrr"),
    ]
    assert services(found)[0]["real_servers"] == [{"address": "10.0.0.1"}, {"address": "10.0.0.2", "port": 8080}]
    # ipvsadm itself gives a real server that is not masqueraded the service's port.
    assert services(found)[1]["real_servers"] == [{"address": "10.0.0.5"}]
    said = [str(each) for each in found.remarks]
    for part in (
        "start.sh:7: -C: not carried over",
        "start.sh:11: ipvsadm -a -t 192.0.2.1:80 -r 10.0.0.$host -m: not carried over: nothing in the file says",
        "start.sh:11: for: what stands in branches",
        "start.sh:12: -r 10.0.0.5:5353: with -g ipvsadm takes the service's port, 53",
        "start.sh:13: mysql: not carried over",
    ):
        assert [each for each in said if each.startswith(part)], (part, said)
    assert "hidden" not in str(said)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("-E -t 192.0.2.1:80 -s wlc", "it changes what another rule has added"),
        ("ipvsadm -R < /etc/ipvsadm.rules", "it reads rules from elsewhere"),
        ("$A$A$A", "it is no rule and no command of ipvsadm"),
        ("-A -t 192.0.2.9:80 -s 'rr", "No closing quotation"),
        ("ipvsadm -A -t 192.0.2.9:80 -s 'rr", "a quote begins and does not end"),
        ("ipvsadm -A -t 192.0.2.9:80 -s `cat x`", "nothing in the file says what `cat is"),
    ],
)
def test_what_of_a_script_is_no_rule(rule: str, said: str) -> None:
    found = read(f"-A -t 192.0.2.1:80 -s rr\n-a -t 192.0.2.1:80 -r 10.0.0.1:80 -m\n{rule}\n", "r.rules")
    assert len(services(found)) == 1
    assert [each for each in lost(found) if said in each], lost(found)


def test_what_ldirectord_is_told_twice() -> None:
    text = (
        "quiescent=yes\nquiescent=no\nvirtual=192.0.2.1:80\n\treal=10.0.0.1:80 masq\n\tscheduler=rr\n\tscheduler=wrr\n"
    )
    found = read(text, "a.cf")
    assert services(found)[0]["scheduler"] == "wrr"
    assert "inhibit_on_failure" not in services(found)[0]
    said = [str(each) for each in found.remarks]
    for part in ("a.cf:1: quiescent: line 2 says it again", "a.cf:5: scheduler: line 6 says it again"):
        assert [each for each in said if each.startswith(part)], said


CHECK = " HTTP_GET {\n url {\n path /\n status_code 200\n regex %s\n }\n }\n"


@pytest.mark.parametrize(
    ("written", "pattern"),
    [
        # keepalived reads the escapes of C first, in quotes or not, and every other character is itself.
        (r'"\134d+\134.\134d"', r"\d+\.\d"),
        (r'"\\d+ \x6fk\073"', r"\d+ ok;"),
        (r'"a\.b"', "a.b"),
        (r"'say \"yes\" or \'no\''", "say \"yes\" or 'no'"),
        (r"a\053b", "a+b"),
        (r'"\303\244"', "ä"),
    ],
)
def test_the_escapes_of_a_pattern(written: str, pattern: str) -> None:
    found = read(SERVICE.replace("80 {\n }", f"80 {{\n{CHECK % written} }}"))
    assert lost(found) == []
    assert services(found)[0]["health_check"]["regex"] == pattern


def test_a_pattern_that_is_no_text_is_listed() -> None:
    bad = CHECK % r'"\377"'
    (found,) = lost(read(SERVICE.replace("80 {\n }", f"80 {{\n{bad} }}")))
    assert "regex" in found


def test_what_a_real_server_says_of_mails_stays_where_its_service_says_the_same() -> None:
    """keepalived 2.2.7 asks only what stands for all services where a real server says nothing."""
    text = SERVICE.replace(" lb_kind", " smtp_alert no\n lb_kind").replace("80 {\n }", "80 {\n smtp_alert no\n }")
    (service,) = services(read(text))
    assert service["smtp_alert"] is False
    assert service["real_servers"][0]["smtp_alert"] is False
