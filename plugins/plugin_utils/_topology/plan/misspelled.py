# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables of a host whose names are nearly those of the model. They count for nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import Note
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.read.inventory import NAMES

_PREFIX = "lvs_"
_KNOWN = sorted(name.removeprefix(_PREFIX) for name in NAMES)
# Of what is compared with get_close_matches: one letter of four may be another one.
_LIKENESS = 0.75


def misspelled(site: Site, host: str) -> Iterator[Note]:
    """A note on each. Somebody may have variables of their own that begin so, hence no mistake."""
    given = {name for name in site.inventory.variables_of(host) if isinstance(name, str) and name.startswith(_PREFIX)}
    for name in sorted(given - NAMES):
        meant = _meant(name.removeprefix(_PREFIX))
        # Such as lvs_services_web, of which a template makes lvs_services.
        if meant and not (meant in name and f"{_PREFIX}{meant}" in given):
            yield Note(
                f"{host}: {forms.word(name)}: counts for nothing by itself, because no variable of this collection has "
                f"that name; if {_PREFIX}{meant} was meant, correct it"
            )


def _meant(name: str) -> str | None:
    """The name that is most like it. Of a short one, two letters that have changed places are half of it."""
    letters = sorted(name)
    exchanged = (each for each in _KNOWN if sorted(each) == letters)
    return next(exchanged, None) or next(iter(get_close_matches(name, _KNOWN, n=1, cutoff=_LIKENESS)), None)
