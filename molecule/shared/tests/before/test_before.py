# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Before site: a picture of every host is kept, so that the one after teardown can be compared with it."""

from __future__ import annotations

from typing import Any


def test_every_host_is_remembered(scenario: Any) -> None:
    for name in scenario.hosts:
        picture = scenario.picture(name)
        # The commands have told something: what is lacking in both pictures is alike.
        for told in ("net.ipv4.ip_forward", "127.0.0.1/8", "local 127.0.0.1 ", "lookup main", "sysctl.d"):
            assert told in picture, picture
        scenario.before(name).write_text(picture)
