# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Netlink messages and their attributes, as bytes: what every family has in common. Pure, standard library only.

The layout is that of include/uapi/linux/netlink.h and include/uapi/linux/genetlink.h.
"""

from __future__ import annotations

import struct
from typing import Any, Iterator, NamedTuple

GENL_ID_CTRL = 16

NLMSG_ERROR = 2
NLMSG_DONE = 3
NLM_F_REQUEST = 0x01
NLM_F_ACK = 0x04
NLM_F_DUMP_INTR = 0x10
NLM_F_DUMP = 0x300

CTRL_CMD_GETFAMILY = 3
_CTRL_ATTR_FAMILY_ID = 1
_CTRL_ATTR_FAMILY_NAME = 2

_NLMSG = struct.Struct("=IHHII")
_GENL = struct.Struct("=BBxx")
_HEADER = struct.Struct("=IHHIIBBxx")  # both
_ATTR = struct.Struct("=HH")
U8 = struct.Struct("=B")
U16 = struct.Struct("=H")
BE16 = struct.Struct(">H")
U32 = struct.Struct("=I")
BE32 = struct.Struct(">I")
U64 = struct.Struct("=Q")
S32 = struct.Struct("=i")


class OddAnswer(ValueError):
    """An answer of the kernel that is not laid out as the kernel does it."""


class Message(NamedTuple):
    """One netlink message."""

    type: int
    flags: int
    sequence: int
    payload: bytes


def split(data: bytes) -> Iterator[Message]:
    """Cut what recv() gave into messages."""
    offset, end = 0, len(data)
    while offset < end:
        if end - offset < _NLMSG.size:
            raise OddAnswer(f"{end - offset} bytes are left where a netlink header of {_NLMSG.size} was expected")
        length, kind, flags, sequence, _port = _NLMSG.unpack_from(data, offset)
        if length < _NLMSG.size or length > end - offset:
            raise OddAnswer(f"a netlink message says it has {length} bytes of the {end - offset} that are there")
        yield Message(kind, flags, sequence, data[offset + _NLMSG.size : offset + length])
        offset += (length + 3) & ~3


def error_number(payload: bytes) -> int:
    """The errno of an error or acknowledgement, 0 for success."""
    if len(payload) < S32.size:
        raise OddAnswer("a netlink error answer without an error number")
    number = -int(S32.unpack_from(payload)[0])
    if number < 0:
        raise OddAnswer(f"a netlink error answer with the error number {number}")
    return number


def done_error(payload: bytes) -> int:
    """The errno at the end of a dump; old kernels send none, which is success."""
    return error_number(payload) if payload else 0


def attribute(kind: int, value: bytes) -> bytes:
    """An attribute with its header, padded to four bytes."""
    return _ATTR.pack(4 + len(value), kind) + value + bytes(-len(value) % 4)


def text_attribute(kind: int, value: str) -> bytes:
    """An attribute that is a string of C."""
    return attribute(kind, value.encode("ascii") + b"\0")


def request(message_type: int, command: int, flags: int, sequence: int, body: bytes = b"", version: int = 1) -> bytes:
    """One request with its two headers."""
    return (
        _HEADER.pack(_HEADER.size + len(body), message_type, NLM_F_REQUEST | flags, sequence, 0, command, version)
        + body
    )


def family_request(sequence: int, name: str) -> bytes:
    """Ask which number a family has in this kernel."""
    return request(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 0, sequence, text_attribute(_CTRL_ATTR_FAMILY_NAME, name))


class _Layout(NamedTuple):
    """How the attributes of some data lie in it: their headers, and what cuts headers and values out."""

    cut: struct.Struct
    headers: tuple[bytes, ...]
    kinds: tuple[int, ...]


# By the length of the data. The entries of a list lie alike, and to cut one at once takes half of the time.
_layouts: dict[int, _Layout] = {}
_MOST_LAYOUTS = 100


def attributes_of(data: bytes) -> dict[int, bytes]:
    """The attributes that follow on each other, by their kinds, without the bits for nested and byte order."""
    layout = _layouts.get(len(data))
    if layout is not None:
        parts = layout.cut.unpack(data)
        if parts[::2] == layout.headers:
            return dict(zip(layout.kinds, parts[1::2]))
    return _one_after_the_other(data)


def _one_after_the_other(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    headers, kinds, form = [], [], "="
    offset, end = 0, len(data)
    while offset < end:
        if end - offset < 4:
            raise OddAnswer(f"{end - offset} bytes are left where an attribute's header of 4 was expected")
        length, kind = _ATTR.unpack_from(data, offset)
        if length < 4 or length > end - offset:
            raise OddAnswer(
                f"attribute {kind & 0x3FFF} says it has {length} bytes of the {end - offset} that are there"
            )
        found[kind & 0x3FFF] = data[offset + 4 : offset + length]
        headers.append(data[offset : offset + 4])
        kinds.append(kind & 0x3FFF)
        following = min(offset + ((length + 3) & ~3), end)
        form += f"4s{length - 4}s{following - offset - length}x"
        offset = following
    if len(_layouts) < _MOST_LAYOUTS:
        _layouts[len(data)] = _Layout(struct.Struct(form), tuple(headers), tuple(kinds))
    return found


def payload_attributes(payload: bytes) -> dict[int, bytes]:
    """Those of an answer of generic netlink."""
    if len(payload) < _GENL.size:
        raise OddAnswer("an answer without a generic netlink header")
    return attributes_of(payload[_GENL.size :])


_MISSING: Any = object()


def read_number(
    attributes: dict[int, bytes], kind: int, layout: struct.Struct, what: str, default: Any = _MISSING
) -> Any:
    """The number of an attribute, or the default where there is no such attribute."""
    value = attributes.get(kind)
    if value is None:
        if default is _MISSING:
            raise OddAnswer(f"an answer without {what}")
        return default
    if len(value) != layout.size:
        raise OddAnswer(f"{what} has {len(value)} bytes instead of {layout.size}")
    return layout.unpack(value)[0]


def read_byte(attributes: dict[int, bytes], kind: int, what: str) -> int:
    """The byte of an attribute, 0 where there is none."""
    value = attributes.get(kind, b"\0")
    if len(value) != 1:
        raise OddAnswer(f"{what} has {len(value)} bytes instead of 1")
    return value[0]


def read_string(attributes: dict[int, bytes], kind: int, what: str, default: str | None = None) -> str:
    """The string of an attribute, or the default where there is no such attribute."""
    value = attributes.get(kind)
    if value is None:
        if default is None:
            raise OddAnswer(f"an answer without {what}")
        return default
    try:
        return value.split(b"\0", 1)[0].decode("ascii")
    except UnicodeDecodeError as problem:
        raise OddAnswer(f"{what} is not text") from problem


def family_number(payload: bytes) -> int:
    """The answer to family_request."""
    return int(read_number(payload_attributes(payload), _CTRL_ATTR_FAMILY_ID, U16, "the family's number"))
