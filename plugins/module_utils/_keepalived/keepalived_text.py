# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the end of ``keepalived -t`` and its words mean. Pure."""

from __future__ import annotations

import re
from typing import NamedTuple, Sequence

_PLACE = re.compile(r"\((?:[^()]*: )?Line \d+\) ")

# What keepalived reports as an error of the configuration although it leaves nothing of it out.
_ADVICE = re.compile(
    r"\([^()]*\):? No VIP specified; at least one is sensible"
    r"|Keyword \"\w+\" is deprecated - please use "
    r"|\"(?:gw|or)\" for routes is deprecated\. "
    r"|\([^()]*\) global_tracking is deprecated\. "
    r"|\([^()]*\) A unicast keyword has been specified without any unicast peers\. "
    r"|vrrp_mcast_group6 \[[^\]]*\] should be link-local multicast\."
    r"|Warning - script \S+ is not used"
    r"|\([^()]*\) Ignoring track_interface \S+ since own interface"
    # Of a service whose real servers all have weight 0, which is how one is drained whole.
    r"|Warning - quorum \d+ for .+ exceeds total weight of real servers 0, reducing quorum to 0"
    r"|Virtual server .+: hysteresis \d+ >= quorum 0; setting hysteresis to \d+"
)
# The ends of `keepalived -t`, from its sources (lib/scheduler.h); the manual page counts one less. 4 is what it cannot
# run with, 5 is everything else that it has to say, advice included, and 6 stands for the security of scripts.
_TAKEN, _SAID, _SECURITY = 0, 5, 6


class Verdict(NamedTuple):
    """Whether keepalived takes a configuration as it stands, and what could help where it does not."""

    taken: bool
    remedy: str = ""


def verdict(status: int, lines: Sequence[str]) -> Verdict:
    """What the end of ``keepalived -t`` and its words mean. ``lines`` are as it said them."""
    if status == _TAKEN:
        return Verdict(True)
    if status == _SECURITY:
        remedy = (
            "Name the user who runs scripts with script_user, beside enable_script_security, in global_defs "
            "(lvs_keepalived.script_user does both)."
        )
        return Verdict(False, remedy)
    return Verdict(status == _SAID and bool(lines) and all(_ADVICE.match(_PLACE.sub("", line)) for line in lines))
