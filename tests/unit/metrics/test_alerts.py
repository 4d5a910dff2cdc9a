# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which alerts fire when something happens to a pair of directors, by promtool: those that are meant, and no others."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from ansible_collections.lvs.topology.plugins.plugin_utils._metrics.alerts import ALERTS, rules_text
from ansible_collections.lvs.topology.tests.unit.metrics.promtool import promtool

# A sample each half minute, for two hours.
STEP, SAMPLES = 30, 240
_WEB = 'service="web",virtual_server="tcp 192.0.2.1:80"'
_VIP = 'directors="lb1,lb2",vip="192.0.2.1"'
_ANNOUNCED = 'directors="a1,a2,a3",vip="198.51.100.1"'


def always(value: float) -> str:
    return f"{value}+0x{SAMPLES}"


def rising(by: int) -> str:
    return f"0+{by}x{SAMPLES}"


def then(before: str, value: str, at: int = 120) -> str:
    """Something else from a sample on: another value, or _, which is nothing."""
    start = before.partition("+")[0]
    return f"{start}+0x{at - 1} {value}+0x{SAMPLES - at}" if value != "_" else f"{start}+0x{at - 1} _x{SAMPLES - at}"


def healthy() -> dict[str, str]:
    """lb1 holds the VIP and has clients, lb2 waits. By series, the values."""
    series = {}
    for director, holds in (("lb1", 1), ("lb2", 0)):
        of = f'instance="{director}"'
        series |= {
            f"lvs_topology_build_info{{{of}}}": always(1),
            f"lvs_topology_last_run_timestamp_seconds{{{of}}}": rising(STEP),
            f"lvs_topology_interval_seconds{{{of}}}": always(30),
            f'lvs_topology_source_up{{{of},source="ipvs"}}': always(1),
            f'lvs_vip_held{{{of},{_VIP},interface="eth1"}}': always(holds),
            f"lvs_vip_holders{{{of},{_VIP}}}": always(1),
            f"lvs_keepalived_running{{{of}}}": always(1),
            f"lvs_sync_daemons_configured{{{of}}}": always(1),
            f'lvs_sync_daemon_running{{{of},state="master"}}': always(holds),
            f'lvs_sync_daemon_running{{{of},state="backup"}}': always(1 - holds),
            f'lvs_conntrackd_running{{{of},directors="lb1,lb2"}}': always(1),
            f'lvs_conntrackd_received_packets_total{{{of},directors="lb1,lb2"}}': rising(STEP),
            f"lvs_connection_table_entries{{{of}}}": always(100),
            f"lvs_connection_table_buckets{{{of}}}": always(4096),
            f"lvs_conntrack_entries{{{of}}}": always(100),
            f"lvs_conntrack_entries_limit{{{of}}}": always(65536),
            f"lvs_service_incoming_packets_total{{{of},{_WEB}}}": rising(3000 * holds),
            f"lvs_service_present{{{of},{_WEB}}}": always(1),
            f"lvs_service_quorum{{{of},{_WEB}}}": always(2),
            f"lvs_service_fails_open{{{of},{_WEB}}}": always(0),
            f"lvs_service_available_weight{{{of},{_WEB}}}": always(2),
            f"lvs_service_available_real_servers{{{of},{_WEB}}}": always(2),
            f"lvs_service_configured_real_servers{{{of},{_WEB}}}": always(2),
        }
        for number in (1, 2):
            real_server = f'{of},{_WEB},real_server="web{number}",address="10.0.0.5{number}:80"'
            series[f"lvs_real_server_weight{{{real_server}}}"] = always(1)
            series[f"lvs_real_server_configured_weight{{{real_server}}}"] = always(1)
            series[f"lvs_real_server_check_failed{{{real_server}}}"] = always(0)
    series |= active()
    for degree in ("broken", "at risk", "worth knowing"):
        series[f'lvs_verify_findings{{instance="controller",host="lb1",degree="{degree}"}}'] = always(0)
    series['lvs_verify_last_run_timestamp_seconds{instance="controller"}'] = always(0)
    return series


def active() -> dict[str, str]:
    """Three directors beside that pair, which all announce a VIP to a router, and all have clients."""
    series = {}
    for director in ("a1", "a2", "a3"):
        of = f'instance="{director}"'
        session = f'{of},neighbour="router",address="10.0.0.1"'
        series |= {
            f"lvs_topology_build_info{{{of}}}": always(1),
            f'lvs_vip_held{{{of},{_ANNOUNCED},interface="lo"}}': always(1),
            f"lvs_vip_holders{{{of},{_ANNOUNCED}}}": always(3),
            f"lvs_vip_announced{{{of},{_ANNOUNCED}}}": always(1),
            f"lvs_vip_announcers{{{of},{_ANNOUNCED}}}": always(3),
            f"lvs_bird_running{{{of}}}": always(1),
            f"lvs_bgp_session_up{{{session}}}": always(1),
            f"lvs_bgp_session_enabled{{{session}}}": always(1),
            f"lvs_bgp_session_bfd_up{{{session}}}": always(1),
            f'lvs_service_incoming_packets_total{{{of},service="a",virtual_server="tcp 198.51.100.1:80"}}': rising(
                3000
            ),
        }
    return series


class Case(NamedTuple):
    """What changes at minute 60, by a part of the names of series: their value, or nothing; and what fires then."""

    name: str
    changes: dict[str, str]
    fires: set[str]
    # When it is looked, in minutes.
    at: str = "80m"


_LB1, _LB2 = 'instance="lb1"', 'instance="lb2"'
_A1, _A2 = 'instance="a1"', 'instance="a2"'
# Packets until minute 60, and none afterwards.
STOPS = f"0+100x120 12000+0x{SAMPLES - 120}"
_DRAINED = {
    f"lvs_bgp_session_enabled{{{_A1}": "0",
    f"lvs_bgp_session_up{{{_A1}": "0",
    f"lvs_bgp_session_bfd_up{{{_A1}": "0",
    f"lvs_vip_announced{{{_A1}": "0",
    f"lvs_service_incoming_packets_total{{{_A1}": STOPS,
}
_DEAF = {"lvs_conntrackd_received": STOPS}
CASES = [
    Case("nothing", {}, set()),
    Case("nobody holds the VIP", {f"lvs_vip_held{{{_LB1}": "0", f"lvs_vip_held{{{_LB2}": "0"}, {"LVSVipNowhere"}),
    Case("both hold the VIP", {"lvs_vip_held": "1", "incoming_packets_total": rising(9)}, {"LVSVipOnSeveralDirectors"}),
    Case(
        "the other one takes over",
        {f"lvs_vip_held{{{_LB1}": "0", f"lvs_vip_held{{{_LB2}": "1", "incoming_packets_total": rising(9)},
        set(),
    ),
    Case("a service is gone", {"lvs_service_present": "0"}, {"LVSServiceMissing"}),
    Case("a service without real servers is gone", {"lvs_service_present": "0", "lvs_service_configured": "0"}, set()),
    Case(
        "no real server is left",
        {"lvs_service_available": "0", "lvs_real_server_weight": "_"},
        {"LVSNoRealServer", "LVSRealServerGone"},
    ),
    Case(
        "a real server is gone",
        {
            "lvs_service_available": "1",
            f'lvs_real_server_weight{{{_LB1},{_WEB},real_server="web1"': "_",
            f'lvs_real_server_weight{{{_LB2},{_WEB},real_server="web1"': "_",
        },
        {"LVSPoolBelowQuorum", "LVSRealServerGone"},
    ),
    Case("a real server is drained", {"lvs_real_server_weight": "0"}, {"LVSRealServerWithoutWeight"}),
    Case("a real server is drained for ten minutes", {"lvs_real_server_weight": "0"}, set(), "70m"),
    # It stays in the table, and the guard may have given back its weight.
    Case(
        "a health check fails, and the service has min_up",
        {
            f'lvs_real_server_check_failed{{{_LB1},{_WEB},real_server="web1"': "1",
            f'lvs_real_server_weight{{{_LB1},{_WEB},real_server="web1"': "0",
        },
        {"LVSRealServerGone"},
    ),
    Case("what fails gets clients nevertheless", {"lvs_real_server_check_failed": "1"}, {"LVSRealServerGone"}),
    Case(
        "what fails is to have no clients anyway",
        {"lvs_real_server_check_failed": "1", "lvs_real_server_configured_weight": "0"},
        set(),
    ),
    Case(
        "nobody checks it any more",
        {"lvs_real_server_check_failed": "1", "lvs_keepalived_running": "0"},
        {"LVSKeepalivedDown"},
    ),
    Case("less than min_up is up", {"lvs_service_fails_open": "1"}, {"LVSPoolFailsOpen"}),
    Case("keepalived ends", {"lvs_keepalived_running": "0"}, {"LVSKeepalivedDown"}),
    # Its table and its daemon go with it, which nobody has to be told besides.
    Case(
        "keepalived ends, and what it had",
        {
            f"lvs_keepalived_running{{{_LB2}": "0",
            f"lvs_service_present{{{_LB2}": "0",
            f"lvs_service_available_real_servers{{{_LB2}": "0",
            f"lvs_service_available_weight{{{_LB2}": "0",
            f"lvs_real_server_weight{{{_LB2}": "_",
            f'lvs_sync_daemon_running{{{_LB2},state="backup"': "0",
        },
        {"LVSKeepalivedDown"},
    ),
    Case("the daemons end", {"lvs_sync_daemon_running": "0"}, {"LVSSyncDaemonMissing"}),
    Case("no daemon is meant to run", {"lvs_sync_daemon_running": "0", "lvs_sync_daemons_configured": "0"}, set()),
    Case("nobody announces the VIP", {"lvs_vip_announced": "0"}, {"LVSVipAnnouncedByNobody"}),
    Case("one does not announce the VIP", {f"lvs_vip_announced{{{_A1}": "0"}, {"LVSVipAnnouncedByFewer"}),
    # As while its first checks are under way.
    Case("one does not announce it for a minute", {f"lvs_vip_announced{{{_A1}": "0"}, set(), "61m"),
    Case(
        "a router hears of no director",
        {"lvs_vip_announced": "0", "lvs_bgp_session_up": "0", "lvs_bgp_session_bfd_up": "0"},
        {"LVSVipAnnouncedByNobody", "LVSBgpSessionDown"},
    ),
    Case(
        "BIRD ends on one",
        {
            f"lvs_bird_running{{{_A1}": "0",
            f"lvs_vip_announced{{{_A1}": "0",
            f"lvs_bgp_session_up{{{_A1}": "0",
            f"lvs_bgp_session_bfd_up{{{_A1}": "0",
        },
        {"LVSBirdDown", "LVSVipAnnouncedByFewer"},
    ),
    Case(
        "a session ends, and another one goes on",
        {f"lvs_bgp_session_up{{{_A1}": "0", f"lvs_bgp_session_bfd_up{{{_A1}": "0"},
        {"LVSBgpSessionDown"},
    ),
    Case("a router has no BFD any more", {f"lvs_bgp_session_bfd_up{{{_A1}": "0"}, {"LVSBfdDown"}),
    Case("a director is drained", _DRAINED, {"LVSDirectorDrained"}),
    Case("a director is drained for ten minutes", _DRAINED, set(), "70m"),
    Case(
        "one is drained, and another one loses its quorum",
        {**_DRAINED, f"lvs_vip_announced{{{_A2}": "0"},
        {"LVSVipAnnouncedByFewer"},
        "70m",
    ),
    Case("an active director is gone", {_A1: "_"}, {"LVSDirectorSilent", "LVSVipAnnouncedByFewer"}, "68m"),
    Case("conntrackd ends on one", {f"lvs_conntrackd_running{{{_LB1}": "0", **_DEAF}, {"LVSConntrackdDown"}),
    Case("the directors' conntrackd do not hear each other", _DEAF, {"LVSConntrackdHearsNothing"}),
    Case("clients come no longer", {f"incoming_packets_total{{{_LB1}": STOPS}, {"LVSPassesNothing"}),
    Case("clients never came", {"incoming_packets_total": always(0)}, set()),
    Case("netfilter's table is full", {"lvs_conntrack_entries{": "65000"}, {"LVSConntrackNearlyFull"}),
    Case("too many connections", {"lvs_connection_table_entries": "40000"}, {"LVSConnectionTableCrowded"}),
    Case("the table cannot be read", {"lvs_topology_source_up": "0"}, {"LVSSourceNotRead"}),
    Case("the timer stands", {"lvs_topology_last_run": "3600"}, {"LVSMetricsStale"}),
    Case("a director is gone", {_LB2: "_"}, {"LVSDirectorSilent"}, "68m"),
    Case("a director is gone for good", {_LB2: "_"}, set(), "90m"),
    Case("verify finds something broken", {'degree="broken"': "2"}, {"LVSVerifyBroken"}),
    Case("verify finds something at risk", {'degree="at risk"': "1"}, {"LVSVerifyAtRisk"}),
    Case("verify finds something worth knowing", {'degree="worth knowing"': "1"}, set()),
    Case("nobody has looked for three days", {"lvs_verify_last_run": "-172800"}, {"LVSVerifyOverdue"}),
]


def changed(series: dict[str, str], changes: dict[str, str]) -> dict[str, str]:
    found = dict(series)
    for part, value in changes.items():
        names = [name for name in series if part in name]
        assert names, part
        for name in names:
            found[name] = value if " " in value or "x" in value else then(series[name], value)
    return found


def test(case: Case) -> dict[str, Any]:
    """A test as promtool has it: the names of all alerts that fire."""
    series = changed(healthy(), case.changes)
    return {
        "name": case.name,
        "interval": f"{STEP}s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [
            {
                "expr": 'count by (alertname) (ALERTS{alertstate="firing"}) > bool 0',
                "eval_time": case.at,
                "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in sorted(case.fires)],
            }
        ],
    }


test.__test__ = False  # type: ignore[attr-defined] # pytest takes it for one of its own


def judge(tmp_path: Path, *cases: Case) -> None:
    (tmp_path / "alerts.yml").write_text(rules_text())
    # Half of the work of an evaluation with each sample. An alert that waits for less than a minute fires after one.
    asked = {"rule_files": ["alerts.yml"], "evaluation_interval": "1m", "tests": [test(each) for each in cases]}
    (tmp_path / "tests.yml").write_text(yaml.safe_dump(asked))
    promtool("test", "rules", str(tmp_path / "tests.yml"))


@pytest.mark.slow
def test_what_fires(tmp_path: Path) -> None:
    """All in one call, because loading promtool takes longer than they do."""
    judge(tmp_path, *CASES)


def test_every_alert_has_its_case() -> None:
    assert {name for case in CASES for name in case.fires} == {alert.name for alert in ALERTS}


def test_a_case_that_is_wrong_is_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="LVSVipNowhere"):
        judge(tmp_path, Case("nobody holds the VIP", {"lvs_vip_held": "0"}, set()))
