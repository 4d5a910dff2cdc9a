# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Python's search for garbage is as it was before, however a plan's making ends."""

from __future__ import annotations

import gc

import pytest
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.uncollected import uncollected


@uncollected
def looked(fails: bool) -> bool:
    if fails:
        raise ValueError("it fails")
    return gc.isenabled()


@pytest.mark.parametrize("before", [True, False])
def test_it_is_put_off_and_goes_on_as_before(before: bool) -> None:
    (gc.enable if before else gc.disable)()
    try:
        assert looked(False) is False
        assert gc.isenabled() is before
        with pytest.raises(ValueError, match="it fails"):
            looked(True)
        assert gc.isenabled() is before
    finally:
        gc.enable()
