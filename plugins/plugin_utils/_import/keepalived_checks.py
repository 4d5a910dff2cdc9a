# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checkers of keepalived's real servers, one by one, in the words of the model. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_conf import Block, Node
from ansible_collections.lvs.topology.plugins.plugin_utils._import.keepalived_values import (
    DEFAULT_SCRIPT_USER,
    address,
    seconds,
    whole,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._import.remarks import Place, Remarks
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.config_text import problem_of_pattern
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import Address

_DELAY_LOOP, _CONNECT_TIMEOUT = 60, 5
_SUCCESS = "200-299"
# Letters of a pattern itself that stand for options of keepalived.
_PATTERN_OPTIONS = {"caseless": "i", "multiline": "m", "dotall": "s", "extended": "x"}


@dataclass(frozen=True)
class Times:
    """What a virtual or real server says for all of its checkers; None: nothing."""

    delay_loop: float | None = None
    connect_timeout: float | None = None
    retry: int | None = None
    delay_before_retry: float | None = None
    warmup: float | None = None

    def under(self, above: Times) -> Times:
        """The same, with what the block around this one says where this one says nothing."""
        return Times(**{key: getattr(above, key) if value is None else value for key, value in vars(self).items()})


TIMES = ("delay_loop", "connect_timeout", "retry", "delay_before_retry", "warmup")


def read_times(block: Block, *synonyms: str) -> Times:
    """``synonyms`` are what stands for retry in this block, too."""
    retry = block.last("retry", *synonyms)
    others = {each: seconds(block.last(each), block.remarks) for each in TIMES if each != "retry"}
    return Times(retry=whole(retry, block.remarks, 0, 2**31 - 1), **others)


@dataclass(frozen=True)
class Checked:
    """A real server as its checkers see it."""

    address: Address
    # In the table, and as it was written: keepalived checks that one, whatever becomes of the port.
    port: int
    written_port: int
    virtual_host: str | None
    times: Times


@dataclass(frozen=True)
class Check:
    """One checker in the words of the model."""

    place: Place
    words: tuple[str, ...]
    settings: dict[str, Any]
    # None: the real server's own.
    port: int | None
    # Where it goes to and comes from, by key of the model, where that is written.
    way: Mapping[str, Any] = field(default_factory=dict)
    # What cannot be said of it; then it is none for a service.
    is_lost: bool = False


@dataclass
class Reading:
    """What every checker of a file needs to know."""

    remarks: Remarks
    # Of track_file blocks: the path of each.
    track_files: Mapping[str, str] = field(default_factory=dict)
    script_user: str | None = None
    used_files: set[str] = field(default_factory=set)
    # From which addresses of the director's own checks through a VIP come.
    sources: list[Address] = field(default_factory=list)


def read_checks(block: Block, server: Checked, reading: Reading) -> list[Check]:
    """The checkers of a real server."""
    return [_check(node, server, reading) for node in block.all(*_CHECKERS, *_UNKNOWN)]


def _check(node: Node, server: Checked, reading: Reading) -> Check:
    block = Block(node, reading.remarks)
    kind = _CHECKERS.get(node.keyword)
    if kind is None:
        node.ignore()
        reading.remarks.lost(node.place, node.words, _UNKNOWN[node.keyword])
        return Check(node.place, node.words, {}, None, is_lost=True)
    synonyms = ("nb_get_retry",) if kind.read is _http else ()
    own = read_times(block, *synonyms) if kind.is_timed else Times()
    port = whole(block.last("connect_port"), reading.remarks, 1, 65535)
    if port is None and server.written_port != server.port:
        port = server.written_port
    found = Check(node.place, node.words, {"type": kind.name}, port, _way(block, server))
    settings = found.settings
    if kind.is_timed:
        settings |= _timed(own.under(server.times), kind)
    refused = kind.read(block, server, settings, reading)
    block.finish(_REASONS, "the model has no such option of a check")
    return replace(found, is_lost=refused)


def _timed(times: Times, kind: _Kind) -> dict[str, Any]:
    interval = _DELAY_LOOP if times.delay_loop is None else times.delay_loop
    delay = kind.retry_delay if times.delay_before_retry is None else times.delay_before_retry
    found = {
        "interval": interval,
        "timeout": _CONNECT_TIMEOUT if times.connect_timeout is None else times.connect_timeout,
        "retries": kind.retries if times.retry is None else times.retry,
        "retry_delay": interval if delay is None else delay,
    }
    if times.warmup is not None and times.warmup != interval:
        found["warmup"] = times.warmup
    return found


def _way(block: Block, server: Checked) -> dict[str, Any]:
    """Where a check goes to and comes from, besides what the real server itself and the kernel say."""
    remarks = block.remarks
    found: dict[str, Any] = {}
    for keyword, key in (("connect_ip", "address"), ("bindto", "source")):
        node = block.last(keyword)
        known = address(node, node.argument(), remarks) if node else None
        if known is not None and (key == "source" or known != server.address):
            found[key] = known
    for keyword, key, most in (("bind_port", "source_port", 65535), ("fwmark", "fwmark", 2**32 - 1)):
        number = whole(block.last(keyword), remarks, 1, most)
        if number is not None:
            found[key] = number
    return found


# What each kind of checker has besides. A reader returns whether what it found cannot be said at all.


def _nothing(_block: Block, _server: Checked, _settings: dict[str, Any], _reading: Reading) -> bool:
    return False


def _http(block: Block, server: Checked, settings: dict[str, Any], reading: Reading) -> bool:
    common = _argument(block.last("virtualhost")) or server.virtual_host
    urls = [_url(Block(node, reading.remarks), common) for node in block.all("url")]
    if block.has("enable_sni"):
        settings["sni"] = True
    if len(urls) > 1:
        hosts = {each.get("virtual_host") for each in urls}
        if len(hosts) == 1 and None not in hosts:
            settings["virtual_host"] = hosts.pop()
            urls = [{key: value for key, value in each.items() if key != "virtual_host"} for each in urls]
        settings["urls"] = urls
    elif urls:
        settings |= urls[0]
    else:
        reading.remarks.lost(block.node.place, block.node.words, "it asks for no url")
    return not urls


def _url(block: Block, virtual_host: str | None) -> dict[str, Any]:
    path, digest, codes = (block.last(each) for each in ("path", "digest", "status_code"))
    host = _argument(block.last("virtualhost")) or virtual_host
    url: dict[str, Any] = {"path": _argument(path), "digest": _argument(digest), "virtual_host": host}
    pattern = _pattern(block)
    if pattern:
        url["regex"], url["regex_no_match"] = pattern, bool(block.has("regex_no_match"))
    status = [int(each) if each.isdecimal() else each for each in (codes.arguments if codes else ())]
    block.finish(_REASONS, "the model has no such option of a url")
    if not status and not url["digest"]:
        status = [_SUCCESS]
    # 200 is what counts where nothing is written.
    url["status"] = None if status == [200] and not url["digest"] else status[0] if len(status) == 1 else status
    return {key: value for key, value in url.items() if value and (key, value) != ("path", "/")}


def _pattern(block: Block) -> str | None:
    """The pattern of a url, with its options as letters of its own."""
    node, options = block.last("regex"), block.last("regex_options")
    text = node.argument() if node else None
    if not text:
        return None
    known = [each for each in (options.arguments if options else ()) if each in _PATTERN_OPTIONS]
    for each in options.arguments if options else ():
        if each not in known:
            block.remarks.lost(block.node.place, [each], "the model has no such option of a pattern")
    problem = problem_of_pattern(text)
    if node and problem:
        block.remarks.lost(node.place, node.words, f"{problem}: any content is success")
        return None
    letters = "".join(_PATTERN_OPTIONS[each] for each in known)
    return f"(?{letters}){text}" if letters else text


def _dns(block: Block, _server: Checked, settings: dict[str, Any], _reading: Reading) -> bool:
    kind, name = _argument(block.last("type")), _argument(block.last("name"))
    if kind and kind != "SOA":
        settings["query_type"] = kind
    if name:
        settings["name"] = name
    return False


def _smtp(block: Block, _server: Checked, settings: dict[str, Any], _reading: Reading) -> bool:
    name = _argument(block.last("helo_name"))
    if name:
        settings["helo_name"] = name
    return False


def _udp(block: Block, _server: Checked, settings: dict[str, Any], _reading: Reading) -> bool:
    payload, reply = _argument(block.last("payload")), block.last("require_reply")
    if payload:
        settings["payload"] = _octets(payload)
    if reply:
        expected = reply.argument()
        settings["require_reply"] = _octets(expected) if expected else True
    return False


def _octets(text: str) -> str:
    """Hexadecimal digits as the model has them. keepalived takes blanks between octets, and one digit for an octet."""
    return "".join(each if len(each) % 2 == 0 else f"{each[:-1]}0{each[-1]}" for each in text.split())


def _misc(block: Block, server: Checked, settings: dict[str, Any], reading: Reading) -> bool:
    path, user = block.last("misc_path"), _argument(block.last("user"))
    timeout = seconds(block.last("misc_timeout"), reading.remarks)
    # keepalived waits for a script as long as until the next check, and connect_timeout is not for it.
    settings["timeout"] = ceil(settings["interval"] if timeout is None else timeout)
    if block.has("misc_dynamic"):
        settings["dynamic_weight"] = True
    if user and user != (reading.script_user or DEFAULT_SCRIPT_USER):
        settings["user"] = user
    if path is None or not path.argument():
        reading.remarks.lost(block.node.place, block.node.words, "it names no misc_path")
        return True
    settings["script"] = _generic(path.arguments[0], server)
    return False


def _file(block: Block, server: Checked, settings: dict[str, Any], reading: Reading) -> bool:
    node = block.last("track_file")
    weight = whole(block.last("weight"), reading.remarks, -(2**31) + 1, 2**31 - 1)
    name = _argument(node)
    if name is None or name not in reading.track_files:
        reading.remarks.lost(block.node.place, block.node.words, "no track_file has this name")
        return True
    reading.used_files.add(name)
    settings["path"] = _generic(reading.track_files[name], server)
    if weight:
        settings["weight"] = weight
    return False


def _generic(text: str, server: Checked) -> str:
    """A command with {address} and {port} in place of the real server's own; the port only beside the address."""
    own = re.compile(rf"(?<![0-9A-Za-z.:]){re.escape(str(server.address))}(?![0-9A-Za-z.]|:[0-9a-f]*:)")
    found = own.sub("{address}", " ".join(text.split()))
    if "{address}" not in found or not server.port:
        return found
    return re.sub(rf"(?<![0-9A-Za-z.]){server.port}(?![0-9A-Za-z.])", "{port}", found)


def _argument(node: Node | None) -> str | None:
    return node.argument() if node else None


@dataclass(frozen=True)
class _Kind:
    name: str
    read: Callable[[Block, Checked, dict[str, Any], Reading], bool] = _nothing
    retries: int = 1
    # None: as long as until the next check.
    retry_delay: float | None = 1
    is_timed: bool = True


_CHECKERS = {
    "TCP_CHECK": _Kind("tcp"),
    "HTTP_GET": _Kind("http", _http, retry_delay=3),
    "SSL_GET": _Kind("https", _http, retry_delay=3),
    "SMTP_CHECK": _Kind("smtp", _smtp),
    "DNS_CHECK": _Kind("dns", _dns, retries=3, retry_delay=None),
    "MISC_CHECK": _Kind("misc", _misc, retries=0),
    "UDP_CHECK": _Kind("udp", _udp),
    "PING_CHECK": _Kind("ping"),
    "FILE_CHECK": _Kind("file", _file, is_timed=False),
}
_UNKNOWN = {"BFD_CHECK": "the model has no check by BFD"}
_REASONS = {
    "alpha": "the model has alpha for a service or a real server, and not for one check",
    "bind_if": "the model has no link-local addresses for checks",
}
