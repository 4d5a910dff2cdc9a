# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key by which directors sign their adverts, with keepalived from 2.4.2 on (keepalived.conf(5), ``auth_hmac``)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.config_text import special
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model_of_vrrp import Hmac
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.values import Reader

_FORM = "{key: ...}"
_IDS = (1, 255)
# Of the key, in bytes; in text each is a character, in hexadecimal digits two.
_SHORTEST, _LONGEST = 32, 64
_HEX = re.compile(r"hex:(?:[0-9A-Fa-f]{2})+\Z")
_PLAIN = re.compile(r"[\x21-\x7e]+\Z")
# The first refuses what is not signed. The others are for the time in which directors get the key one after the other.
_MODES = ("enforce", "permissive", "receive-only")


def read_auth_hmac(reader: Reader) -> Hmac | None:
    """What is wrong with the key is said without showing it."""
    raw = reader.take("auth_hmac")
    if raw is not None and not isinstance(raw, Mapping):
        # It may well be the key.
        reader.refuse("auth_hmac", "must be a mapping, and is none", f"write it as {_FORM}")
        return None
    raw = reader.mapping("auth_hmac", _FORM)
    if raw is None:
        return None
    inner = Reader(raw, reader.at("auth_hmac"), reader.mistakes)
    key = inner.take("key")
    number = inner.integer("id", *_IDS, default=1)
    mode = inner.choice("mode", _MODES, _MODES[0])
    inner.finish()
    problem = _problem(key)
    if problem:
        remedy = f"write {_SHORTEST} to {_LONGEST} letters and digits, or hex: and the output of openssl rand -hex 32"
        inner.refuse("key", problem, remedy)
        return None
    if reader.take("auth_pass") is not None:
        reader.refuse("auth_pass", "stands beside auth_hmac, and keepalived takes one of them", "keep auth_hmac")
    return Hmac(str(key), number, mode)


def _problem(key: Any) -> str:
    if key is None:
        return "is missing"
    if not isinstance(key, str) or not _PLAIN.match(key) or special(key) is not None or key.startswith("file:"):
        return "is no plain text, or has what keepalived's configuration reads in its own way"
    if key.startswith("hex:"):
        if not _HEX.match(key):
            return "begins with hex:, and no pairs of hexadecimal digits follow"
        size = (len(key) - len("hex:")) // 2
    else:
        size = len(key)
    return "" if _SHORTEST <= size <= _LONGEST else f"has {size} bytes"
