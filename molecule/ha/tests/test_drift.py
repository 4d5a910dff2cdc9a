# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody changes by hand in a table that keepalived fills is seen by a check and put right by a run."""

from __future__ import annotations

from typing import Any

NAT, DR = "192.168.0.29", "192.168.0.28"
# Thresholds without the connections beside them.
TABLE = "ipvsadm -Sn; ipvsadm -Ln --thresholds | awk '/->/ {print $2, $3, $4}'; ipvsadm -Ln --daemon"
# web2 and app2 go on serving, and nothing sends a client elsewhere until the run.
BY_HAND = (
    f"ipvsadm -E -t {NAT}:80 -s wrr",
    f"ipvsadm -e -t {NAT}:80 -r 10.0.0.51:80 -g -w 0",
    f"ipvsadm -d -t {DR}:80 -r 192.168.0.61:80",
    f"ipvsadm -e -t {DR}:80 -r 192.168.0.62:80 -g -w 1 -x 9000 -y 5",
    f"ipvsadm -a -t {NAT}:80 -r 10.0.0.99:80 -m -w 0",
    "ipvsadm --stop-daemon $(ipvsadm -Ln --daemon | cut -d' ' -f1)",
)


def changed(scenario: Any, *options: str) -> dict[str, list[str]]:
    """What a run changes, on the hosts where it changes anything."""
    parts = scenario.changed(scenario.playbook("lvs.topology.site", "--diff", *options))
    return {host: found for host, found in parts.items() if found}


def test_drift_on_both_directors(scenario: Any) -> None:
    before = {name: scenario.run(name, TABLE) for name in scenario.directors}
    assert all("sync daemon" in text for text in before.values())
    for name in scenario.directors:
        scenario.run(name, " && ".join(BY_HAND))
    drifted = {name: scenario.run(name, TABLE) for name in scenario.directors}
    foreseen = changed(scenario, "--check")
    assert foreseen == {name: ["watched"] for name in scenario.directors}
    assert {name: scenario.run(name, TABLE) for name in scenario.directors} == drifted
    with scenario.load() as load:
        assert changed(scenario) == foreseen
    assert load.lost == {}
    for name in scenario.directors:
        # Weight 0 may be that of a drain, which a run does not end.
        drained = before[name].replace("-r 10.0.0.51:80 -m -w 1", "-r 10.0.0.51:80 -m -w 0")
        assert scenario.run(name, TABLE) == drained != before[name]
    scenario.playbook("lvs.topology.drain", "--extra-vars", "lvs_drain=web1", "--extra-vars", "lvs_drain_state=present")
    for name in scenario.directors:
        assert scenario.run(name, TABLE) == before[name]


def test_what_a_check_decided_is_left_alone(scenario: Any) -> None:
    """A real server that is down is not put back, and goes where somebody puts it back."""

    def is_listed(name: str) -> bool:
        return "-r 10.0.0.51:" in scenario.run(name, "ipvsadm -Sn")

    master = scenario.called("master")
    scenario.run("web1", "systemctl stop nginx")
    try:
        scenario.wait("web1 is out", lambda: not any(map(is_listed, scenario.directors)))
        scenario.run(master, f"ipvsadm -a -t {NAT}:80 -r 10.0.0.51:80 -m -w 1")
        assert changed(scenario) == {master: ["watched"]}
        assert not any(map(is_listed, scenario.directors))
    finally:
        scenario.run("web1", "systemctl start nginx")
    scenario.wait("web1 is back", lambda: all(map(is_listed, scenario.directors)))


def test_what_only_a_look_can_find(scenario: Any) -> None:
    """What shows when keepalived starts anew or the master dies, what a killed run left, and packets that are lost.

    The packets are large ones on their way to a real server, and those in which a director speaks of its connections.
    """
    backup, file, folder = scenario.called("backup"), "/etc/keepalived/keepalived.conf", "/etc/keepalived/lvs_checks"
    large = "INPUT -p tcp -m tcp --dport 80 -m length --length 1300:65535 -j DROP"
    sync = "INPUT -p udp -m udp --dport 8848 -j DROP"
    before = scenario.run(backup, f"sha256sum {file}")
    scenario.run(backup, f"sed -i 's/virtual_router_id 51/virtual_router_id 52/' {file}")
    assert scenario.run(backup, f"sha256sum {file}") != before
    # No check logs in here any more.
    scenario.run(backup, f"mkdir {folder} && echo password=s3cret >{folder}/mysql-0123456789abcdef")
    scenario.run("web1", f"iptables-legacy -A {large}")
    scenario.run(backup, f"iptables-legacy -A {sync}")
    found = scenario.findings()
    scenario.run("web1", f"iptables-legacy -D {large}")
    scenario.run(backup, f"iptables-legacy -D {sync}")
    foreseen = changed(scenario, "--check")
    repaired = changed(scenario)
    assert sorted((each["degree"], each["host"], each["what"]) for each in found) == [
        ("at risk", backup, f"{file} is not as the model has it"),
        ("at risk", backup, f"{folder} is left over from an earlier run"),
        (
            "at risk",
            backup,
            "its packet filter drops what the other director says of its connections (UDP port 8848) "
            f"(`iptables-legacy -A {sync}`)",
        ),
        (
            "broken",
            "client",
            f"2 of 4 requests of 8000 bytes to web ({NAT} port 80) got no answer, and short ones did",
        ),
    ]
    assert repaired == foreseen
    assert repaired == {
        backup: ["Configure keepalived", "Take away files that nothing in the configuration names any more"]
    }
    assert scenario.run(backup, f"sha256sum {file}") == before
    assert scenario.run(backup, f"[ -e {folder} ] || echo gone") == "gone"
