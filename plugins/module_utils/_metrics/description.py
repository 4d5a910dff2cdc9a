# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the model says of a director, for the program that writes its metrics: a file of JSON, and its form. Pure.

The module that writes the file and the program that reads it both ask here whether it has its form.
"""

from __future__ import annotations

import json
from typing import Any, Callable, Mapping, NamedTuple, TypeVar

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._bgp.bird_text import SESSION_NAME
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import DestinationKey, ServiceKey

# Debian's prometheus-node-exporter reads this directory without being told.
DEFAULT_DIRECTORY = "/var/lib/prometheus/node-exporter"
DEFAULT_INTERVAL = 30
# What is read more often than this costs more than it tells; what is read less often is no use to an alert.
INTERVALS = forms.Range(5, 3600)
FILE = "lvs-topology.prom"
# What their processes are called.
KEEPALIVED, BIRD, CONNTRACKD = "keepalived", "bird", "conntrackd"
_LONGEST = 1024
_MOST_HOLDERS = 1000


class RealServer(NamedTuple):
    """A real server of a service: what the inventory calls it, and where it is."""

    name: str
    key: DestinationKey
    weight: int


class Service(NamedTuple):
    """A virtual service. ``others`` are destinations of it that are no real servers, such as its sorry server.

    ``guard`` is what keepalived calls it where it has min_up, else empty.
    """

    name: str
    key: ServiceKey
    quorum: int
    guard: str
    real_servers: tuple[RealServer, ...]
    others: tuple[RealServer, ...]


class Vip(NamedTuple):
    """A VIP, the interface that holds it where this director does, and how many directors hold it at a time.

    ``announcers`` is how many directors announce it by BGP; 0: this one does not. ``aggregate`` is the prefix that is
    announced in its place; empty: there is none.
    """

    address: str
    interface: str
    holders: int
    announcers: int
    aggregate: str


class Aggregate(NamedTuple):
    """A prefix that this director announces as long as a VIP in it is, and how many directors do."""

    prefix: str
    announcers: int


class Session(NamedTuple):
    """A session of BGP: what BIRD calls it, what the inventory calls the neighbour, and whether BFD watches that."""

    name: str
    neighbour: str
    address: str
    bfd: bool


class Description(NamedTuple):
    """A director. ``directors`` are those that share its VIPs; ``hidden`` are services that serve no client.

    ``conntrackd``: whether it is to tell another director of connections.
    """

    directory: str
    interval: int
    directors: tuple[str, ...]
    keepalived: bool
    sync_daemons: int
    vips: tuple[Vip, ...]
    aggregates: tuple[Aggregate, ...]
    sessions: tuple[Session, ...]
    conntrackd: bool
    hidden: tuple[ServiceKey, ...]
    services: tuple[Service, ...]

    @property
    def programs(self) -> frozenset[str]:
        """The programs that are to run on the director."""
        wanted = {KEEPALIVED: self.keepalived, BIRD: bool(self.sessions), CONNTRACKD: self.conntrackd}
        return frozenset(name for name, is_wanted in wanted.items() if is_wanted)


_T = TypeVar("_T")


def render(given: Mapping[str, Any]) -> str:
    """The file: a line for each service, so that a diff shows what changes."""
    lines = [f"{_text(key)}: {_text(given[key])}" for key in sorted(given) if key != "services"]
    services = ",\n".join(_text(each) for each in given.get("services") or ())
    lines.append(f'"services": [\n{services}\n]' if services else '"services": []')
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def parse(text: str) -> Description:
    """What the file says; BadForm where it is not as render() writes it."""
    try:
        given = json.loads(text)
    except ValueError as problem:
        raise forms.BadForm(f"is no JSON: {problem}") from problem
    return read(given)


def read(given: Any) -> Description:
    """The description; BadForm says what is wrong, beginning with the path."""
    fields = _Fields(given, "", Description._fields)
    directory = fields.take("directory", _directory)
    return Description(
        directory=directory,
        interval=fields.take("interval", _number(INTERVALS)),
        directors=fields.take("directors", _list(_name)),
        keepalived=fields.take("keepalived", _truth),
        sync_daemons=fields.take("sync_daemons", _number(forms.Range(0, 2))),
        vips=fields.take("vips", _list(_vip)),
        aggregates=fields.take("aggregates", _list(_aggregate)),
        sessions=fields.take("sessions", _list(_session)),
        conntrackd=fields.take("conntrackd", _truth),
        hidden=fields.take("hidden", _list(_key)),
        services=fields.take("services", _list(_service)),
    )


def is_directory(value: Any) -> bool:
    """Whether it is a path that a unit of systemd can name: absolute, and of characters that mean nothing there."""
    if not isinstance(value, str) or not value.startswith("/") or len(value) > _LONGEST:
        return False
    plain = all(each.isalnum() or each in "/._-+@" for each in value) and value.isascii()
    return plain and not {".", ".."}.intersection(value.split("/"))


class _Fields:
    """The fields of one mapping: all of them, and no others."""

    def __init__(self, given: Any, path: str, names: tuple[str, ...]) -> None:
        if not isinstance(given, dict):
            raise forms.BadForm(f"{path or 'the description'} is no mapping")
        odd = sorted(set(map(forms.word, given)).symmetric_difference(names))
        if odd:
            raise forms.BadForm(f"{path}{odd[0]} is missing, or not known")
        self._given = given
        self._path = path

    def take(self, name: str, form: Callable[[Any, str], _T]) -> _T:
        return form(self._given[name], f"{self._path}{name}")


def _list(form: Callable[[Any, str], _T]) -> Callable[[Any, str], tuple[_T, ...]]:
    def of(value: Any, path: str) -> tuple[_T, ...]:
        if not isinstance(value, list):
            raise forms.BadForm(f"{path} is no list")
        found: list[_T] = []
        for position, each in enumerate(value):
            found.append(form(each, f"{path}[{position}]"))
        return tuple(found)

    return of


def _number(numbers: forms.Range) -> Callable[[Any, str], int]:
    def of(value: Any, path: str) -> int:
        if isinstance(value, bool) or value not in numbers:
            raise forms.BadForm(
                f"{path} is {forms.shown(value)}, and not a number from {numbers.low} to {numbers.high}"
            )
        return int(value)

    return of


def _truth(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise forms.BadForm(f"{path} is {forms.shown(value)}, and not true or false")
    return value


def _name(value: Any, path: str) -> str:
    """A name may have any characters: they are escaped where they are written."""
    if not isinstance(value, str) or len(value) > _LONGEST:
        raise forms.BadForm(f"{path} is no text of up to {_LONGEST} characters")
    return value


def _directory(value: Any, path: str) -> str:
    if not is_directory(value):
        raise forms.BadForm(f"{path} is {forms.shown(value)}, and not an absolute path of letters, digits and /._-+@")
    return str(value)


def _address(value: Any, path: str) -> str:
    try:
        return forms.spelling(forms.address(value))
    except forms.BadForm as wrong:
        raise forms.BadForm(f"{path} {forms.shown(value)} {wrong}") from wrong


def _prefix(value: Any, path: str) -> str:
    try:
        return forms.prefix(value)
    except forms.BadForm as wrong:
        raise forms.BadForm(f"{path} {forms.shown(value)} {wrong}") from wrong


def _prefix_or_none(value: Any, path: str) -> str:
    return "" if value == "" else _prefix(value, path)


def _interface(value: Any, path: str) -> str:
    if not forms.is_interface(value):
        raise forms.BadForm(f"{path} is {forms.shown(value)}, which is no name of an interface")
    return str(value)


def _key(value: Any, path: str) -> ServiceKey:
    try:
        return ServiceKey.from_text(_name(value, path))
    except ValueError as wrong:
        raise forms.BadForm(f"{path} is {forms.shown(value)}, and not a service as ipvsadm names it") from wrong


def _vip(value: Any, path: str) -> Vip:
    fields = _Fields(value, f"{path}.", Vip._fields)
    return Vip(
        fields.take("address", _address),
        fields.take("interface", _interface),
        fields.take("holders", _number(forms.Range(1, _MOST_HOLDERS))),
        fields.take("announcers", _number(forms.Range(0, _MOST_HOLDERS))),
        fields.take("aggregate", _prefix_or_none),
    )


def _aggregate(value: Any, path: str) -> Aggregate:
    fields = _Fields(value, f"{path}.", Aggregate._fields)
    return Aggregate(fields.take("prefix", _prefix), fields.take("announcers", _number(forms.Range(1, _MOST_HOLDERS))))


def _session_name(value: Any, path: str) -> str:
    if not isinstance(value, str) or not SESSION_NAME.match(value):
        raise forms.BadForm(f"{path} is {forms.shown(value)}, which BIRD calls no session of ours")
    return value


def _session(value: Any, path: str) -> Session:
    fields = _Fields(value, f"{path}.", Session._fields)
    return Session(
        fields.take("name", _session_name),
        fields.take("neighbour", _name),
        fields.take("address", _address),
        fields.take("bfd", _truth),
    )


def _real_server(value: Any, path: str) -> RealServer:
    fields = _Fields(value, f"{path}.", ("name", "address", "port", "weight"))
    key = DestinationKey(fields.take("address", _address), fields.take("port", _number(forms.PORTS)))
    return RealServer(fields.take("name", _name), key, fields.take("weight", _number(forms.WEIGHTS)))


def _service(value: Any, path: str) -> Service:
    fields = _Fields(value, f"{path}.", ("name", "virtual_server", "quorum", "guard", "real_servers", "others"))
    return Service(
        fields.take("name", _name),
        fields.take("virtual_server", _key),
        fields.take("quorum", _number(forms.WEIGHTS)),
        fields.take("guard", _name),
        fields.take("real_servers", _list(_real_server)),
        fields.take("others", _list(_real_server)),
    )
