# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From the arguments of a task to the timeouts, synchronisation daemons and counters that it means. Pure."""

from __future__ import annotations

from typing import Any, Mapping, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._ipvs import options
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    DAEMON_STATES,
    DEFAULT_GROUP,
    DEFAULT_TIMEOUTS,
    Daemon,
    ServiceKey,
)
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.settings_plan import fitting_length, message_lengths
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.specs import ZERO_SPEC
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes


def wanted_timeouts(params: Mapping[str, Any], mistakes: Mistakes, path: str = "") -> dict[str, int]:
    """The timeouts that shall change; 0 is the kernel's own way to leave one as it is."""
    given = {name: params[name] for name in DEFAULT_TIMEOUTS if params.get(name)}
    for name, seconds in given.items():
        mistakes.within(options.join(path, name), seconds, forms.TIMEOUTS, "a number of seconds")
    return given


def wanted_daemons(
    items: Sequence[Mapping[str, Any]], lengths: Mapping[str, int] | None, mistakes: Mistakes, option: str = "daemons"
) -> tuple[Daemon, ...]:
    """The daemons of a list; ``lengths`` are the MTUs of the interfaces that exist, None where that is of no matter."""
    found: dict[str, str] = {}
    daemons = []
    for position, item in enumerate(items):
        path = f"{option}[{position}]"
        first = found.setdefault(item["state"], path)
        if first != path:
            mistakes.add(path, f"{first} is a {item['state']} too, and the kernel has one of each; keep one")
        daemon = _daemon(item, path, lengths, mistakes)
        if daemon:
            daemons.append(daemon)
    return tuple(sorted(daemons, key=lambda each: DAEMON_STATES[each.state]))


def _daemon(item: Mapping[str, Any], path: str, lengths: Mapping[str, int] | None, mistakes: Mistakes) -> Daemon | None:
    interface, maxlen = item.get("interface"), item["maxlen"]
    if interface is None:
        mistakes.add(options.join(path, "interface"), "missing; name the one on which the directors reach each other")
    elif not mistakes.interface(options.join(path, "interface"), interface, None if lengths is None else set(lengths)):
        interface = None
    group = _multicast(mistakes, options.join(path, "group"), item["group"])
    mistakes.within(options.join(path, "syncid"), item["syncid"], forms.SYNC_IDS, "a sync id")
    mistakes.within(options.join(path, "port"), item["port"], forms.REAL_PORTS, "a port")
    mistakes.within(options.join(path, "ttl"), item["ttl"], forms.TTLS, "a ttl")
    if interface is None or group is None:
        return None
    if maxlen:
        lengths_of = forms.Range(*message_lengths(item["state"], group))
        mistakes.within(options.join(path, "maxlen"), maxlen, lengths_of, f"a length of a {item['state']}'s messages")
    elif lengths is not None:
        maxlen = fitting_length(item["state"], group, lengths[interface])
    return Daemon(item["state"], interface, item["syncid"], maxlen, group, item["port"], item["ttl"])


def _multicast(mistakes: Mistakes, path: str, text: str) -> str | None:
    address = mistakes.address(path, text)
    if address is None:
        return None
    if not address.is_multicast:
        mistakes.add(path, f"{forms.word(text)} is not a multicast address such as {DEFAULT_GROUP} or ff02::81")
        return None
    return forms.spelling(address)


def zero_key(params: Mapping[str, Any], mistakes: Mistakes) -> ServiceKey | None:
    """The service whose counters are meant; None for all."""
    if all(params[name] is None for name in ZERO_SPEC):
        return None
    return options.service_key(params, "", mistakes)
