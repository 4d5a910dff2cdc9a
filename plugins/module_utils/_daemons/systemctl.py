# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan tells systemd. Pure: units.py calls it."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan


@dataclass(frozen=True)
class Systemctl:
    """Call systemctl with these words: options, what is to be done, and the units that this is about."""

    words: tuple[str, ...]

    @property
    def verb(self) -> str:
        return self._but_options[0]

    @property
    def units(self) -> tuple[str, ...]:
        """Empty where this is about systemd itself (daemon-reload)."""
        return self._but_options[1:]

    @property
    def _but_options(self) -> tuple[str, ...]:
        return tuple(word for word in self.words if not word.startswith("-"))


def systemctl(*words: str) -> Plan:
    return Plan((Change(" ".join(("systemctl", *words)), Systemctl(words)),))
