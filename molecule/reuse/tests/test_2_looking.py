# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""verify and status on a site that is right, and on one that somebody damaged: each damage is named, none is mended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from runs import Run, hosts_changed, said

DAMAGE = {
    "lb1": "ipvsadm -d -t 192.168.246.160:80 -r 192.168.246.162:80",
    "lb2": "ip address del 192.168.246.170/32 dev eth1",
    "app2": "ip address del 192.168.246.160/32 dev lo",
}
NAMED = (
    "at risk: lb1: the table: not as the model has it.",
    "broken: lb2: 192.168.246.170 is on no director.",
    "broken: app2: an address: not as the model has it.",
)
REPAIR = {
    "lb1": "ipvsadm -a -t 192.168.246.160:80 -r 192.168.246.162:80 -g -w 2",
    "lb2": "ip address add 192.168.246.170/32 dev eth1",
    "app2": "ip address add 192.168.246.160/32 dev lo",
}


def test_a_site_that_is_right(playbook: Run) -> None:
    assert hosts_changed(playbook("verify")) == set()


def test_what_status_shows(playbook: Run, tmp_path: Path) -> None:
    result = playbook("status", "--extra-vars", f"lvs_status_file={tmp_path}/site.html")
    assert hosts_changed(result) == set()
    for line in (
        "lb1: holds 192.168.246.160; synchronisation daemon: backup (syncid 7)",
        "tcp 192.168.246.160:80 rr (shop)",
        "app1 192.168.246.161:80 dr weight 1 active ",
        "app2 192.168.246.162:80 dr weight 2 active ",
        "lb2: holds 192.168.246.170",
        "(intranet)",
    ):
        assert line in said(result), line
    is_in_picture((tmp_path / "site.html").read_text())


@pytest.mark.exhaustive
def test_a_picture_of_what_status_shows(playbook: Run, tmp_path: Path) -> None:
    assert hosts_changed(playbook("status", "--extra-vars", f"lvs_status_file={tmp_path}/site.svg")) == set()
    is_in_picture((tmp_path / "site.svg").read_text())


def is_in_picture(text: str) -> None:
    for word in ("lb1", "holds all VIPs", "shop", "tcp 192.168.246.160:80", "app2", "intranet"):
        assert word in text, word
    assert "<script" not in text
    assert "did not answer" not in text


@pytest.mark.parametrize(
    ("path", "refusal", "shown"),
    [
        # Before any host is asked, and after everything was shown.
        ("site.pdf", "let the name of the file end in .html, or in .svg for the picture alone", False),
        pytest.param(
            "/nonexistent/site.html",
            "Destination directory /nonexistent does not exist",
            True,
            marks=pytest.mark.exhaustive,
        ),
    ],
)
def test_a_file_that_cannot_be(playbook: Run, path: str, refusal: str, shown: bool) -> None:
    result = playbook("status", "--extra-vars", f"lvs_status_file={path}")
    assert result.returncode != 0
    assert refusal in said(result)
    assert ("lb1: holds 192.168.246.160" in said(result)) is shown
    assert "Traceback" not in said(result)


def test_damage_is_named_and_left(scenario: Any, playbook: Run, tmp_path: Path) -> None:
    for host, command in DAMAGE.items():
        scenario.run(host, command)
    report = tmp_path / "site.html"
    result = playbook("verify", "--extra-vars", f"lvs_verify_report={report}")
    for host, command in REPAIR.items():
        scenario.run(host, command)  # which fails where verify had mended it
    assert result.returncode != 0, said(result)
    for line in NAMED:
        assert line in said(result), line
    page = report.read_text()
    for line in NAMED:
        degree, host, what = line.split(": ", 2)
        assert f"<strong>{degree}</strong> · <b>{host}</b>: {what}" in page, line
    # What puts it right is what the test does itself.
    assert all(command in said(result) for command in REPAIR.values())
