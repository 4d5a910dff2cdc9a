# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From readings to metrics: each line of the file, and what is left out where nothing was read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._bgp.bird_text import SILENCE, Said
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import ServiceKey
from ansible_collections.lvs.topology.plugins.module_utils._keepalived import guard_state
from ansible_collections.lvs.topology.plugins.module_utils._metrics import reading, samples
from ansible_collections.lvs.topology.plugins.module_utils._metrics.catalogue import CATALOGUE
from ansible_collections.lvs.topology.plugins.module_utils._metrics.description import read
from ansible_collections.lvs.topology.plugins.module_utils._metrics.exposition import Block, labels_text, render
from ansible_collections.lvs.topology.tests.unit.metrics import given
from ansible_collections.lvs.topology.tests.unit.metrics.promtool import promtool

WEB = 'service="web",virtual_server="tcp 192.0.2.1:80"'
WEB1 = f'{WEB},real_server="web1",address="10.0.0.51:80"'
WEB2 = f'{WEB},real_server="web2",address="10.0.0.52:80"'
# What keepalived calls that service, and what its guard says while all serve.
POOL = "[192.0.2.1]:tcp:80"
OPEN = guard_state.State(1, "2", frozenset({POOL}))
PAIR = 'directors="lb1,lb2"'
SESSION = 'neighbour="router",address="10.0.0.1"'
NOBODY = 'service="",virtual_server="tcp 192.0.2.9:25"'


def text(described: dict[str, Any], found: samples.Readings) -> str:
    return "".join(render(samples.blocks(read(described), found, given.ABOUT)))


def lines(described: dict[str, Any] | None = None, found: samples.Readings | None = None) -> set[str]:
    every = text(described or given.described(), found or given.readings()).splitlines()
    return {line for line in every if not line.startswith("#")}


def test_the_lines_of_a_director() -> None:
    expected = {
        'lvs_topology_build_info{program="0123456789ab",python="3.11.2"} 1',
        "lvs_topology_last_run_timestamp_seconds 1000.5",
        "lvs_topology_run_duration_seconds 0.25",
        "lvs_topology_interval_seconds 30",
        'lvs_topology_source_up{source="ipvs"} 1',
        "lvs_incoming_bytes_total 4",
        "lvs_connection_table_buckets 4096",
        "lvs_connection_table_entries 12",
        "lvs_conntrack_entries 10",
        'lvs_conntrack_failures_total{reason="drop"} 1',
        'lvs_vip_held{directors="lb1,lb2",vip="192.0.2.1",interface="eth1"} 1',
        'lvs_vip_holders{directors="lb1,lb2",vip="192.0.2.1"} 1',
        "lvs_keepalived_running 1",
        'lvs_vip_announced{directors="lb1,lb2",vip="192.0.2.1"} 1',
        'lvs_vip_announcers{directors="lb1,lb2",vip="192.0.2.1"} 1',
        'lvs_aggregate_announced{directors="lb1,lb2",prefix="192.0.2.0/24"} 1',
        'lvs_aggregate_announcers{directors="lb1,lb2",prefix="192.0.2.0/24"} 2',
        "lvs_bird_running 1",
        f"lvs_bgp_session_up{{{SESSION}}} 1",
        f"lvs_bgp_session_enabled{{{SESSION}}} 1",
        f"lvs_bgp_session_bfd_up{{{SESSION}}} 1",
        f"lvs_conntrackd_running{{{PAIR}}} 1",
        f"lvs_conntrackd_connections{{{PAIR}}} 1",
        f"lvs_conntrackd_taken_messages_total{{{PAIR}}} 2",
        f"lvs_conntrackd_failed_messages_total{{{PAIR}}} 3",
        f"lvs_conntrackd_sent_packets_total{{{PAIR}}} 4",
        f"lvs_conntrackd_received_packets_total{{{PAIR}}} 5",
        f"lvs_conntrackd_lost_messages_total{{{PAIR}}} 6",
        'lvs_sync_daemon_running{state="master"} 1',
        'lvs_sync_daemon_running{state="backup"} 0',
        "lvs_sync_daemons_configured 1",
        f"lvs_service_accepted_connections_total{{{WEB}}} {2**40 + 1}",
        f"lvs_service_present{{{WEB}}} 1",
        f"lvs_service_fails_open{{{WEB}}} 0",
        f"lvs_service_quorum{{{WEB}}} 2",
        f"lvs_service_available_weight{{{WEB}}} 4",
        f"lvs_service_available_real_servers{{{WEB}}} 2",
        f"lvs_service_configured_real_servers{{{WEB}}} 2",
        f'lvs_service_connections{{{WEB},state="ESTABLISHED"}} 4',
        f"lvs_real_server_accepted_connections_total{{{WEB1}}} {2**40}",
        f"lvs_real_server_incoming_bytes_total{{{WEB2}}} 7",
        f"lvs_real_server_weight{{{WEB2}}} 3",
        f"lvs_real_server_configured_weight{{{WEB2}}} 3",
        f"lvs_real_server_inactive_connections{{{WEB1}}} 2",
        f"lvs_real_server_persistent_connections{{{WEB1}}} 3",
    }
    assert expected <= lines()


def test_every_metric_but_those_of_verify_is_written_once_and_promtool_likes_it() -> None:
    written = text(given.described(), given.readings())
    names = [line.split()[2] for line in written.splitlines() if line.startswith("# TYPE")]
    assert sorted(names) == sorted(each.name for each in CATALOGUE if not each.name.startswith("lvs_verify"))
    promtool("check", "metrics", text=written)


@pytest.mark.parametrize(
    ("changes", "there", "gone"),
    [
        ({"table": None}, set(), {"lvs_service_present", "lvs_real_server_weight", "lvs_connection_table_entries"}),
        ({"table": {}}, {f"lvs_service_present{{{WEB}}} 0"}, {"lvs_real_server_weight"}),
        ({"table": {}}, {f"lvs_real_server_configured_weight{{{WEB1}}} 1"}, set()),
        ({"states": None}, {"lvs_connection_states_counted 0"}, {"lvs_service_connections"}),
        ({"daemons": ()}, {'lvs_sync_daemon_running{state="master"} 0'}, set()),
        ({"daemons": None}, set(), {"lvs_sync_daemon_running"}),
        ({"conntrack": None, "conntrack_failures": None}, set(), {"lvs_conntrack_"}),
        (
            {"running": frozenset(), "bird": SILENCE, "replicated": None},
            {
                "lvs_keepalived_running 0",
                "lvs_bird_running 0",
                'lvs_vip_announced{directors="lb1,lb2",vip="192.0.2.1"} 0',
                f"lvs_bgp_session_up{{{SESSION}}} 0",
                f"lvs_bgp_session_enabled{{{SESSION}}} 1",
                f"lvs_bgp_session_bfd_up{{{SESSION}}} 0",
                f"lvs_conntrackd_running{{{PAIR}}} 0",
            },
            {"lvs_conntrackd_connections"},
        ),
        ({"running": None}, {f"lvs_bgp_session_up{{{SESSION}}} 1"}, {"lvs_bird_running", "lvs_keepalived_running"}),
        (
            {"bird": None},
            {"lvs_bird_running 1", 'lvs_vip_announcers{directors="lb1,lb2",vip="192.0.2.1"} 1'},
            {"lvs_vip_announced", "lvs_bgp_session"},
        ),
        # As in a drain.
        (
            {"bird": Said({"lvs4_10_0_0_1": "Down"}, frozenset(), frozenset())},
            {f"lvs_bgp_session_up{{{SESSION}}} 0", f"lvs_bgp_session_enabled{{{SESSION}}} 0"},
            set(),
        ),
        ({"guard": OPEN}, {f"lvs_service_fails_open{{{WEB}}} 1", f"lvs_real_server_check_failed{{{WEB1}}} 0"}, set()),
        (
            {"guard": guard_state.parse(f"guard 1 2 checker 3 4\ndown {POOL}|[10.0.0.51]:tcp:80\n")},
            {
                f"lvs_service_fails_open{{{WEB}}} 0",
                f"lvs_real_server_check_failed{{{WEB1}}} 1",
                f"lvs_real_server_check_failed{{{WEB2}}} 0",
            },
            set(),
        ),
        # Nothing guards it.
        ({"guard": None}, set(), {"lvs_service_fails_open", "lvs_real_server_check_failed"}),
        # The VIP of a real server is on another interface.
        (
            {"addresses": frozenset({("192.0.2.1", "lo")})},
            {'lvs_vip_held{directors="lb1,lb2",vip="192.0.2.1",interface="eth1"} 0'},
            set(),
        ),
        ({"addresses": None}, set(), {"lvs_vip_held"}),
        ({"sources": {"ipvs": False}}, {'lvs_topology_source_up{source="ipvs"} 0'}, set()),
    ],
)
def test_what_was_not_read_is_missing_and_what_is_not_there_is_nothing(
    changes: dict[str, Any], there: set[str], gone: set[str]
) -> None:
    found = lines(found=given.readings(**changes))
    assert there <= found
    assert not [line for line in found for name in gone if line.startswith(name)]


def test_a_director_says_nothing_of_what_its_model_does_not_have() -> None:
    vips = [{**each, "announcers": 0} for each in given.described()["vips"]]
    found = lines(given.described(keepalived=False, sessions=[], conntrackd=False, vips=vips, aggregates=[]))
    told = ("lvs_keepalived", "lvs_bird", "lvs_bgp", "lvs_vip_announce", "lvs_aggregate", "lvs_conntrackd")
    assert not [line for line in found if line.startswith(told)]


@pytest.mark.parametrize(
    ("told", "known", "vip", "aggregate"),
    [
        ({"192.0.2.0/24"}, {"192.0.2.1", "192.0.2.0/24"}, 1, 1),
        # Another VIP keeps the aggregate, and this one has lost its quorum.
        ({"192.0.2.0/24"}, {"192.0.2.2", "192.0.2.0/24"}, 0, 1),
        # No session is established.
        (set(), {"192.0.2.1", "192.0.2.0/24"}, 0, 0),
    ],
)
def test_a_vip_in_whose_place_an_aggregate_is_announced(
    told: set[str], known: set[str], vip: int, aggregate: int
) -> None:
    vips = [{**each, "aggregate": "192.0.2.0/24"} for each in given.described()["vips"]]
    said = Said({"lvs4_10_0_0_1": "Established"}, frozenset(), frozenset(told), frozenset(known))
    found = lines(given.described(vips=vips), given.readings(bird=said))
    assert f'lvs_vip_announced{{directors="lb1,lb2",vip="192.0.2.1"}} {vip}' in found
    assert f'lvs_aggregate_announced{{directors="lb1,lb2",prefix="192.0.2.0/24"}} {aggregate}' in found


def test_a_real_server_of_which_nobody_spoke_has_its_address_for_a_name() -> None:
    found = lines(found=given.readings(table=given.table(given.destination("10.0.0.77"))))
    assert f'lvs_real_server_weight{{{WEB},real_server="10.0.0.77",address="10.0.0.77:80"}} 1' in found
    assert f"lvs_service_available_real_servers{{{WEB}}} 0" in found


def test_who_says_sorry_has_a_name_and_does_not_count() -> None:
    found = lines(found=given.readings(table=given.table(given.destination("10.0.0.99"))))
    assert f'lvs_real_server_weight{{{WEB},real_server="sorry",address="10.0.0.99:80"}} 1' in found
    assert f"lvs_service_available_weight{{{WEB}}} 0" in found


def test_weight_0_is_not_available() -> None:
    found = lines(found=given.readings(table=given.table(given.destination("10.0.0.51", 0))))
    assert f"lvs_service_available_real_servers{{{WEB}}} 0" in found


def test_services_that_nobody_declared_and_those_of_checks() -> None:
    other = ServiceKey("ipv4", "tcp", "192.0.2.9", 25)
    check = ServiceKey("ipv4", fwmark=65)
    both = {**given.table(given.destination("10.0.0.5"), key=other), **given.table(key=check)}
    found = lines(found=given.readings(table=both))
    assert f"lvs_service_accepted_connections_total{{{NOBODY}}} 0" in found
    assert not [line for line in found if line.startswith("lvs_service_present{" + NOBODY)]
    assert not [line for line in found if "fwmark" in line]


def test_connections_find_their_service() -> None:
    every_port = ServiceKey("ipv4", "tcp", "192.0.2.1", 0)
    declared = given.described()
    declared["services"][0]["virtual_server"] = str(every_port)
    states = {(given.WEB, "SYN_RECV"): 1, (_marked(), "FIN_WAIT"): 2}
    found = lines(declared, given.readings(table={}, states=states))
    assert 'lvs_service_connections{service="web",virtual_server="tcp 192.0.2.1:0",state="SYN_RECV"} 1' in found
    assert 'lvs_service_connections{service="",virtual_server="",state="FIN_WAIT"} 2' in found


def _marked() -> ServiceKey:
    return ServiceKey("ipv4", "udp", "192.0.2.7", 53)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("web", "web"),
        ('w"eb', 'w\\"eb'),
        ("w\\eb", "w\\\\eb"),
        ("a\nlvs_vip_held 0", "a\\nlvs_vip_held 0"),
        ("wéb", "wéb"),
        ("w\ud800b", "w\\\\ud800b"),
    ],
)
def test_labels_are_escaped(name: str, written: str) -> None:
    assert labels_text(("service", "state"), (name, "x")) == f'{{service="{written}",state="x"}}'
    declared = given.described()
    declared["services"][0]["name"] = name
    promtool("check", "metrics", text=text(declared, given.readings()))


@pytest.mark.parametrize(
    ("stat", "name"),
    [
        ("17 (bird) S 1 17 17 0 -1", "bird"),
        ("17 (a) R (b) R 1", "a) R (b"),
        # It has ended, and nobody has taken note of it yet.
        ("17 (bird) Z 1 17 17 0 -1", ""),
        ("", ""),
        ("17 (", ""),
    ],
)
def test_the_name_of_a_process_that_runs(stat: str, name: str) -> None:
    assert reading.program_of(stat) == name


def test_a_metric_without_samples_is_left_out() -> None:
    assert "".join(render([Block("lvs_vip_held", [])])) == ""


def test_one_of_two_ports_of_a_real_server_has_failed() -> None:
    described = given.described()
    first, _second = described["services"][0]["real_servers"]
    described["services"][0]["real_servers"] = [{**first, "port": 8080}, {**first, "port": 8081}]
    state = guard_state.parse(f"guard 1 2 checker 3 4\ndown {POOL}|[10.0.0.51]:tcp:8081\n")
    failed = {line for line in lines(described, given.readings(guard=state)) if "check_failed" in line}
    labels = f'{WEB},real_server="web1",address="10.0.0.51'
    assert failed == {
        f'lvs_real_server_check_failed{{{labels}:8080"}} 0',
        f'lvs_real_server_check_failed{{{labels}:8081"}} 1',
    }
