# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses as tasks spell them."""

from __future__ import annotations

import pytest
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import options
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import BadRequest


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("::ffff:10.0.0.1", r"^address: .* mapped into IPv6; write it as 10\.0\.0\.1$"),
        ("::FFFF:a00:1", r"^address: .* mapped into IPv6; write it as 10\.0\.0\.1$"),
        ("fe80::1%eth0", r"^address: fe80::1%eth0 has a zone; leave out what begins with %$"),
        ("fe80::%", "^address: fe80::% has a zone"),
    ],
)
def test_addresses_that_the_kernel_spells_otherwise_are_refused(text: str, message: str) -> None:
    for check in (
        lambda mistakes: mistakes.host_address("address", text),
        lambda mistakes: options.service_key({"address": text, "port": 80}, "", mistakes),
        lambda mistakes: options.wanted_destination({"address": text}, "", None, mistakes),
    ):
        mistakes = Mistakes()
        assert check(mistakes) is None
        with pytest.raises(BadRequest, match=message):
            mistakes.raise_if_any()


def test_addresses_are_spelled_as_the_kernel_does() -> None:
    for text, spelled in (("fd00:0::1", "fd00::1"), ("::a00:1", "::10.0.0.1"), ("10.0.0.1", "10.0.0.1")):
        key = options.service_key({"address": text, "port": 80}, "", Mistakes())
        assert key is not None
        assert key.address == spelled
