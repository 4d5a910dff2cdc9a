# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The parts of pyroute2 that are used, without the rest: all of it takes a slow host a second to load, these a quarter.

Whatever is imported of a package, Python executes the package's __init__ first, and that of pyroute2 imports all of
it. So the package is there with its path alone while its parts are imported. Where a version of pyroute2 does not bear
that, the whole is loaded.
"""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import types
from typing import Any, Callable, Iterator, NamedTuple, TypeVar

from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused

_PACKAGE = "pyroute2"
_T = TypeVar("_T")


class Messages(NamedTuple):
    """The classes that say what the bytes of an entry mean."""

    link: Any
    address: Any
    route: Any
    rule: Any
    neighbour: Any
    # What IPRoute raises where the kernel refuses.
    refusal: Any


def messages() -> Messages:
    """What is needed to read; Refused where there is no pyroute2 that works."""
    return _loaded(_messages)


def connection_class() -> Any:
    """What is needed to change something: a socket with the methods of ip."""
    return _loaded(_connection_class)


def _messages() -> Messages:
    from pyroute2.netlink.exceptions import NetlinkError
    from pyroute2.netlink.rtnl.fibmsg import fibmsg
    from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
    from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
    from pyroute2.netlink.rtnl.ndmsg import ndmsg
    from pyroute2.netlink.rtnl.rtmsg import rtmsg

    return Messages(ifinfmsg, ifaddrmsg, rtmsg, fibmsg, ndmsg, NetlinkError)


def _connection_class() -> Any:
    from pyroute2.iproute.linux import IPRoute

    return IPRoute


def _loaded(load: Callable[[], _T]) -> _T:
    with contextlib.suppress(Exception), _without_the_rest():
        return load()
    for name in [name for name in sys.modules if name.partition(".")[0] == _PACKAGE]:
        del sys.modules[name]
    try:
        return load()
    # Not only ImportError: on Python 3.8, which it no longer supports, pyroute2 0.9 raises TypeError.
    except Exception as problem:
        raise Refused(_advice(problem)) from problem


@contextlib.contextmanager
def _without_the_rest() -> Iterator[None]:
    found = None if _PACKAGE in sys.modules else importlib.util.find_spec(_PACKAGE)
    if found is None or found.submodule_search_locations is None:
        yield
        return
    package = types.ModuleType(_PACKAGE)
    package.__path__ = list(found.submodule_search_locations)
    package.__spec__ = found
    sys.modules[_PACKAGE] = package
    try:
        yield
    finally:
        # Whoever imports the whole of it later gets the whole.
        del sys.modules[_PACKAGE]


def _advice(problem: Exception) -> str:
    found = importlib.util.find_spec(_PACKAGE)
    where = f"it was found at {found.origin} but does not load ({problem})" if found else "it is not installed"
    version = ".".join(str(number) for number in sys.version_info[:3])
    return (
        f"The Python library pyroute2 cannot be used by {sys.executable} ({version}): {where}. "
        "Install the package python3-pyroute2 (Debian, Ubuntu, RHEL, Fedora), or with pip pyroute2 "
        "('pyroute2<0.9' for Python 3.8)."
    )
