# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of BIRD and conntrackd by commands that a test stands in for, and what becomes of answers."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._bgp.bird_text import Said
from ansible_collections.lvs.topology.plugins.module_utils._metrics import daemons
from ansible_collections.lvs.topology.plugins.module_utils._metrics.description import Session
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused
from ansible_collections.lvs.topology.tests.unit.daemons.test_conntrackd_plan import STATISTICS

SESSIONS = (
    Session("lvs4_10_0_0_1", "router", "10.0.0.1", bfd=True),
    Session("lvs4_10_0_0_2", "router2", "10.0.0.2", bfd=False),
)
BIRDC = """\
#!/bin/sh
echo "$*" >>told
case "$*" in
"-r show protocols all")
    echo 'lvs4_10_0_0_1 BGP --- up 16:07:14.331 Established'
    echo '  BGP state:          Established'
    echo 'lvs4_10_0_0_2 BGP --- start 16:07:14.331 Active'
    echo '  BGP state:          Active'
    echo 'lvs4_10_0_0_9 BGP --- up 16:07:14.331 Established'
    echo '  BGP state:          Established' ;;
"-r show bfd sessions") echo '10.0.0.1 eth1 Up 22:32:00.125 0.300 1.500' ;;
"-r show route export lvs4_10_0_0_1") %s ;;
"-r show route table lvs4") echo '198.51.100.7/32 blackhole [lvs_routes4 22:31:59.362] * (10)' ;;
*) exit 9 ;;
esac
"""
ROUTES = "echo '198.51.100.1/32 blackhole [lvs_routes4 22:31:59.362] * (10)'"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(daemons, "_PATH", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(place: Path, name: str, script: str) -> None:
    (place / name).write_text(script)
    (place / name).chmod(0o755)


def test_bird_is_asked_for_what_it_tells_in_sessions_that_are_established(place: Path) -> None:
    write(place, "birdc", BIRDC % ROUTES)
    said = daemons.bird(SESSIONS)
    states = {"lvs4_10_0_0_1": "Established", "lvs4_10_0_0_2": "Active"}
    assert said == Said(states, frozenset({"10.0.0.1"}), frozenset({"198.51.100.1"}))
    # With -r, birdc changes nothing.
    assert all(line.startswith("-r show ") for line in (place / "told").read_text().splitlines())
    daemons.bird(SESSIONS[1:])
    assert (place / "told").read_text().splitlines()[3:] == ["-r show protocols all"]


def test_of_vips_in_whose_place_an_aggregate_is_announced_bird_is_asked_what_it_knows(place: Path) -> None:
    write(place, "birdc", BIRDC % ROUTES)
    said = daemons.bird(SESSIONS, [4])
    assert (said.announced, said.known) == (frozenset({"198.51.100.1"}), frozenset({"198.51.100.7"}))


def test_a_session_that_ends_meanwhile_tells_nothing(place: Path) -> None:
    write(place, "birdc", BIRDC % "echo 'No valid tables'; exit 1")
    assert daemons.bird(SESSIONS).announced == frozenset()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo Unable to connect to server control socket >&2; exit 1", "'Unable to connect to server control socket'"),
        # A daemon that hangs, and one that says what no end has.
        ("exec sleep 60", "was not done after"),
        ("exec yes", "says more than 4096 bytes"),
        ("printf '\\033[2J\\377'; exit 3", r"failed: '\\x1b\[2J\\ufffd'"),
    ],
)
def test_one_that_does_not_answer_is_said(place: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str) -> None:
    monkeypatch.setattr(daemons, "_SECONDS", 1.0 if "sleep" in script else 60.0)
    monkeypatch.setattr(daemons, "_MOST_BYTES", 4096)
    write(place, "birdc", f"#!/bin/sh\n{script}\n")
    with pytest.raises(Refused, match=said):
        daemons.bird(SESSIONS)


def test_one_that_is_not_there_is_said(place: Path) -> None:
    with pytest.raises(Refused, match=f"there is no birdc in {place}"):
        daemons.bird(SESSIONS)


def test_what_conntrackd_has_counted(place: Path) -> None:
    (place / "statistics").write_text(STATISTICS)
    write(place, "conntrackd", '#!/bin/sh\n[ "$*" = -s ] && cat statistics\n')
    assert daemons.conntrackd().received == 40
    write(place, "conntrackd", "#!/bin/sh\necho something else\n")
    with pytest.raises(Refused, match="another form"):
        daemons.conntrackd()
