# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The concern bird of host_state: its file, whose that is, and what BIRD itself says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._bgp import bird_plan

CONFIG, BEFORE = Path(bird_plan.PATH), "# of the operator\nprotocol device { }\n"
COPY = Path("/var/lib/lvs-topology/before.etc_bird_bird.conf")
CONTENT = """\
router id 10.0.0.21;
protocol device {
}
protocol bgp lvs4_10_0_0_1 {
    local as 65001;
    neighbor 10.0.0.1 as 65000;
    password "s3cret of the session";
    ipv4 { import none; export none; };
}
"""


def args(content: str = CONTENT) -> dict[str, Any]:
    return {"owner": "announcer", "plan": {"bird": {"content": content, "secrets": ["s3cret of the session"]}}}


@pytest.fixture(autouse=True)
def _own_files(sh) -> None:
    sh("mkdir -p /etc/bird; mount -t tmpfs tmpfs /etc/bird")
    CONFIG.write_text(BEFORE)
    CONFIG.chmod(0o644)
    sh(f"chown root:adm {CONFIG}")


def owner(sh) -> str:
    return sh(f"stat -c '%U:%G %a' {CONFIG}").strip()


def test_the_file_is_predicted_written_for_bird_and_put_back(run_module, sh) -> None:
    predicted = run_module("host_state", args(), check=True)
    assert CONFIG.read_text() == BEFORE
    done = run_module("host_state", args())
    assert done["changes"] == predicted["changes"] == [f"write {CONFIG}"]
    assert done["diff"] == predicted["diff"]
    assert "s3cret" not in str(done)
    assert CONFIG.read_text() == CONTENT
    # BIRD gives up root before it reads it.
    assert owner(sh) == "root:bird 640"
    sh(f"setpriv --reuid=bird --regid=bird --clear-groups bird -p -c {CONFIG}")
    assert COPY.stat().st_mode & 0o777 == 0o600
    assert not run_module("host_state", args())["changed"]
    run_module("host_state", {"owner": "announcer", "state": "absent"})
    assert CONFIG.read_text() == BEFORE
    assert owner(sh) == "root:adm 644"
    assert not COPY.exists()
    assert not run_module("host_state", {"owner": "announcer", "state": "absent"})["changed"]


def test_what_bird_does_not_take_is_refused_without_its_password(run_module) -> None:
    for wrong in (CONTENT + "protocol nonsense {\n", CONTENT.replace('session";', 'session"')):
        said = run_module("host_state", args(wrong), check=True)
        assert "BIRD does not take it" in said["msg"]
        assert str(CONFIG) in said["msg"]
        assert "s3cret" not in str(said)
    assert CONFIG.read_text() == BEFORE


def test_what_no_file_can_hold_is_refused(run_module) -> None:
    for wrong in ("\0", "\ud800"):
        assert "content: holds" in run_module("host_state", args(CONTENT + wrong))["msg"]
    assert CONFIG.read_text() == BEFORE
