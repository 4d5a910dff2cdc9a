# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of the netlink family IPVS: bytes to types and back. Pure, standard library only.

The layout is that of include/uapi/linux/ip_vs.h and net/netfilter/ipvs/ip_vs_ctl.c. Messages for destinations are what
there are thousands of, so a service's part of them is packed once and each takes one struct.pack.
"""

from __future__ import annotations

import socket
import struct
from functools import lru_cache
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    DAEMON_STATES,
    FORWARD_METHODS,
    IPV4,
    IPV6,
    PROTOCOLS,
    SCHEDULER_FLAG_BITS,
    TUNNEL_CHECKSUMS,
    TUNNEL_TYPES,
    Action,
    Connections,
    Counters,
    Daemon,
    Destination,
    DestinationKey,
    Info,
    Service,
    ServiceKey,
    SetTimeouts,
    Setting,
    StartDaemon,
    StopDaemon,
    Timeouts,
    family_of,
    packed,
)
from ansible_collections.lvs.topology.plugins.module_utils._netlink.messages import (
    BE16,
    BE32,
    S32,
    U8,
    U16,
    U32,
    U64,
    OddAnswer,
    attribute,
    attributes_of,
    payload_attributes,
    read_byte,
    read_number,
    read_string,
    request,
    text_attribute,
)

FAMILY_NAME = "IPVS"

CMD_GET_SERVICE = 4
CMD_GET_DEST = 8
CMD_GET_DAEMON = 11
CMD_GET_CONFIG = 13
CMD_GET_INFO = 15
_SERVICE_COMMANDS = {"add": 1, "edit": 2, "delete": 3}
_DEST_COMMANDS = {"add": 5, "edit": 6, "delete": 7}
_NEW_DAEMON, _DEL_DAEMON, _SET_CONFIG, _ZERO = 9, 10, 12, 16

# First level
_SERVICE, _DEST, _DAEMON = 1, 2, 3
_TIMEOUT_TCP, _TIMEOUT_TCP_FIN, _TIMEOUT_UDP = 4, 5, 6
_INFO_VERSION, _INFO_TABLE_SIZE = 1, 2

# IPVS_SVC_ATTR_*
_S_AF, _S_PROTOCOL, _S_ADDR, _S_PORT, _S_FWMARK, _S_SCHED, _S_FLAGS, _S_TIMEOUT, _S_NETMASK = range(1, 10)
_S_STATS, _S_PE_NAME, _S_STATS64 = 10, 11, 12

# IPVS_DEST_ATTR_*
_D_ADDR, _D_PORT, _D_FWD_METHOD, _D_WEIGHT, _D_U_THRESH, _D_L_THRESH = range(1, 7)
_D_ACTIVE, _D_INACT, _D_PERSIST, _D_STATS, _D_FAMILY, _D_STATS64, _D_TUN_TYPE, _D_TUN_PORT, _D_TUN_FLAGS = range(7, 16)

# IPVS_DAEMON_ATTR_*
_Y_STATE, _Y_INTERFACE, _Y_SYNC_ID, _Y_MAXLEN, _Y_GROUP, _Y_GROUP6, _Y_PORT, _Y_TTL = range(1, 9)

_F_PERSISTENT = 0x01
_F_ONE_PACKET = 0x04
# Flags that are set or cleared; bits that this code does not know, and HASHED, stay as they are.
_F_MASK = _F_PERSISTENT | _F_ONE_PACKET | sum(SCHEDULER_FLAG_BITS.values())

_FAMILIES = {IPV4: int(socket.AF_INET), IPV6: int(socket.AF_INET6)}
_FAMILY_NAMES = {number: name for name, number in _FAMILIES.items()}
_PROTOCOL_NAMES = {number: name for name, number in PROTOCOLS.items()}
_FORWARD_NAMES = {number: name for name, number in FORWARD_METHODS.items()}
_TUNNEL_NAMES = {number: name for name, number in TUNNEL_TYPES.items()}
_CHECKSUM_NAMES = {number: name for name, number in TUNNEL_CHECKSUMS.items()}
_DAEMON_NAMES = {number: name for name, number in DAEMON_STATES.items()}

_PAIR = struct.Struct("=II")

# A whole destination: nest, address, port, then the numbers. Two-byte values are padded to four.
_DEST_KEY = struct.Struct("=HH HH16s HH2sxx HHHxx")
_DEST_FULL = struct.Struct("=HH HH16s HH2sxx HHHxx HHI HHi HHI HHI HHBxxx HH2sxx HHHxx")


# Encoding


def _key_attributes(key: ServiceKey) -> bytes:
    family = attribute(_S_AF, U16.pack(_FAMILIES[key.family]))
    if key.fwmark:
        return family + attribute(_S_FWMARK, U32.pack(key.fwmark))
    return (
        family
        + attribute(_S_PROTOCOL, U16.pack(PROTOCOLS[key.protocol]))
        + attribute(_S_ADDR, packed(key.address).ljust(16, b"\0"))
        + attribute(_S_PORT, BE16.pack(key.port))
    )


def service_reference(key: ServiceKey) -> bytes:
    """The part of a message that says which service it is about."""
    return attribute(_SERVICE, _key_attributes(key))


def service_body(service: Service) -> bytes:
    """A service with all its settings; the kernel takes no less, neither to add nor to edit."""
    flags = sum(SCHEDULER_FLAG_BITS[name] for name in service.flags)
    if service.timeout:
        flags |= _F_PERSISTENT
    if service.one_packet:
        flags |= _F_ONE_PACKET
    netmask = BE32 if service.key.family == IPV4 else U32  # IPv6: a number, not an address
    value = (
        _key_attributes(service.key)
        + text_attribute(_S_SCHED, service.scheduler)
        + attribute(_S_FLAGS, _PAIR.pack(flags, _F_MASK))
        + attribute(_S_TIMEOUT, U32.pack(service.timeout))
        + attribute(_S_NETMASK, netmask.pack(service.netmask))
    )
    if service.engine:
        value += text_attribute(_S_PE_NAME, service.engine)
    return attribute(_SERVICE, value)


def _destination_key(key: DestinationKey) -> tuple[int, int, bytes, int, int, bytes, int, int, int]:
    address = packed(key.address)
    family = _FAMILIES[IPV4 if len(address) == 4 else IPV6]
    return 20, _D_ADDR, address.ljust(16, b"\0"), 6, _D_PORT, BE16.pack(key.port), 6, _D_FAMILY, family


def destination_reference(key: DestinationKey) -> bytes:
    return _DEST_KEY.pack(_DEST_KEY.size, _DEST, *_destination_key(key))


def destination_body(destination: Destination) -> bytes:
    return _DEST_FULL.pack(
        _DEST_FULL.size,
        _DEST,
        *_destination_key(destination.key),
        8,
        _D_FWD_METHOD,
        FORWARD_METHODS[destination.forward],
        8,
        _D_WEIGHT,
        destination.weight,
        8,
        _D_U_THRESH,
        destination.upper,
        8,
        _D_L_THRESH,
        destination.lower,
        5,
        _D_TUN_TYPE,
        TUNNEL_TYPES[destination.tunnel],
        6,
        _D_TUN_PORT,
        BE16.pack(destination.tunnel_port),
        6,
        _D_TUN_FLAGS,
        TUNNEL_CHECKSUMS[destination.checksum],
    )


class Encoder:
    """Turns actions into requests, packing each service's reference once."""

    def __init__(self, family: int) -> None:
        self._family = family
        self._references: dict[ServiceKey, bytes] = {}

    def reference(self, key: ServiceKey) -> bytes:
        known = self._references.get(key)
        if known is None:
            known = self._references[key] = service_reference(key)
        return known

    def encode(self, action: Action, flags: int, sequence: int) -> bytes:
        service, destination = action.service, action.destination
        if destination is None:
            deleting = action.verb == "delete"
            body = self.reference(service.key) if deleting else service_body(service)
            return request(self._family, _SERVICE_COMMANDS[action.verb], flags, sequence, body)
        part = destination_reference(destination.key) if action.verb == "delete" else destination_body(destination)
        body = self.reference(service.key) + part
        return request(self._family, _DEST_COMMANDS[action.verb], flags, sequence, body)


def setting_request(family: int, setting: Setting, flags: int, sequence: int) -> bytes:
    """What is not a service or a real server: timeouts, daemons, counters."""
    if isinstance(setting, SetTimeouts):
        numbers = {_TIMEOUT_TCP: setting.timeouts.tcp, _TIMEOUT_TCP_FIN: setting.timeouts.tcpfin}
        numbers[_TIMEOUT_UDP] = setting.timeouts.udp
        body = b"".join(attribute(kind, U32.pack(number)) for kind, number in numbers.items())
        return request(family, _SET_CONFIG, flags, sequence, body)
    if isinstance(setting, StartDaemon):
        return request(family, _NEW_DAEMON, flags, sequence, attribute(_DAEMON, daemon_body(setting.daemon)))
    if isinstance(setting, StopDaemon):
        state = attribute(_Y_STATE, U32.pack(DAEMON_STATES[setting.state]))
        return request(family, _DEL_DAEMON, flags, sequence, attribute(_DAEMON, state))
    return request(family, _ZERO, flags, sequence, b"" if setting.key is None else service_reference(setting.key))


def daemon_body(daemon: Daemon) -> bytes:
    group = _Y_GROUP if family_of(daemon.group) == IPV4 else _Y_GROUP6
    return (
        attribute(_Y_STATE, U32.pack(DAEMON_STATES[daemon.state]))
        + text_attribute(_Y_INTERFACE, daemon.interface)
        + attribute(_Y_SYNC_ID, U32.pack(daemon.syncid))
        + attribute(_Y_MAXLEN, U16.pack(daemon.maxlen))
        + attribute(group, packed(daemon.group))
        + attribute(_Y_PORT, U16.pack(daemon.port))  # in the host's order, unlike every other port
        + attribute(_Y_TTL, U8.pack(daemon.ttl))
    )


# Decoding


def _named(names: dict[int, str], number: int, what: str) -> str:
    name = names.get(number)
    if name is None:
        raise OddAnswer(f"{what} {number} is not known here")
    return name


def _address(attributes: dict[int, bytes], kind: int, family: str, what: str) -> str:
    value = attributes.get(kind, b"")
    size = 4 if family == IPV4 else 16
    if len(value) < size:
        raise OddAnswer(f"{what} has {len(value)} bytes instead of {size}")
    return socket.inet_ntop(_FAMILIES[family], value[:size])


_COUNTER_NAMES = ("conns", "inpkts", "outpkts", "inbytes", "outbytes", "cps", "inpps", "outpps", "inbps", "outbps")


def _counters(attributes: dict[int, bytes], narrow: int, wide: int) -> Counters:
    # 64-bit counters since Linux 4.1; the old ones wrap, except for the bytes.
    nest = attributes.get(wide, attributes.get(narrow))
    if nest is None:
        return Counters()
    values = attributes_of(nest)
    numbers = []
    for kind, name in enumerate(_COUNTER_NAMES, 1):
        layout = U64 if len(values.get(kind, b"")) == 8 else U32
        numbers.append(read_number(values, kind, layout, f"counter {name}", 0))
    return Counters(*numbers)


def decode_info(payload: bytes) -> Info:
    attributes = payload_attributes(payload)
    version = read_number(attributes, _INFO_VERSION, U32, "the IPVS version")
    size = read_number(attributes, _INFO_TABLE_SIZE, U32, "the size of the connection table")
    return Info(f"{version >> 16 & 0xFF}.{version >> 8 & 0xFF}.{version & 0xFF}", size)


def decode_timeouts(payload: bytes) -> Timeouts:
    attributes = payload_attributes(payload)
    # A kernel built without TCP or UDP support leaves the attribute out.
    return Timeouts(
        read_number(attributes, _TIMEOUT_TCP, U32, "the TCP timeout", 0),
        read_number(attributes, _TIMEOUT_TCP_FIN, U32, "the TCP FIN timeout", 0),
        read_number(attributes, _TIMEOUT_UDP, U32, "the UDP timeout", 0),
    )


def decode_daemon(payload: bytes) -> Daemon:
    attributes = _nested(payload, _DAEMON, "sync daemon")
    kind, family = (_Y_GROUP6, IPV6) if _Y_GROUP6 in attributes else (_Y_GROUP, IPV4)
    return Daemon(
        state=_named(_DAEMON_NAMES, read_number(attributes, _Y_STATE, U32, "the daemon's state"), "daemon state"),
        interface=read_string(attributes, _Y_INTERFACE, "the daemon's interface"),
        syncid=read_number(attributes, _Y_SYNC_ID, U32, "the sync id"),
        maxlen=read_number(attributes, _Y_MAXLEN, U16, "the longest sync message"),
        group=_address(attributes, kind, family, "the multicast group"),
        port=read_number(attributes, _Y_PORT, U16, "the daemon's port"),
        ttl=read_number(attributes, _Y_TTL, U8, "the daemon's ttl"),
    )


def _nested(payload: bytes, kind: int, what: str) -> dict[int, bytes]:
    nest = payload_attributes(payload).get(kind)
    if nest is None:
        raise OddAnswer(f"an answer without a {what}")
    return attributes_of(nest)


def decode_service(payload: bytes, counters: bool = False) -> Service:
    attributes = _nested(payload, _SERVICE, "service")
    family = _named(_FAMILY_NAMES, read_number(attributes, _S_AF, U16, "the service's family"), "address family")
    fwmark = read_number(attributes, _S_FWMARK, U32, "the firewall mark", 0)
    if fwmark:
        key = ServiceKey(family=family, fwmark=fwmark)
    else:
        key = ServiceKey(
            family=family,
            protocol=_named(_PROTOCOL_NAMES, read_number(attributes, _S_PROTOCOL, U16, "the protocol"), "protocol"),
            address=_address(attributes, _S_ADDR, family, "the service's address"),
            port=read_number(attributes, _S_PORT, BE16, "the service's port"),
        )
    raw_flags = attributes.get(_S_FLAGS, b"")
    if len(raw_flags) != _PAIR.size:
        raise OddAnswer(f"the service's flags have {len(raw_flags)} bytes instead of {_PAIR.size}")
    flags = _PAIR.unpack(raw_flags)[0]
    timeout = read_number(attributes, _S_TIMEOUT, U32, "the persistence timeout")
    netmask = read_number(attributes, _S_NETMASK, BE32 if family == IPV4 else U32, "the persistence netmask")
    return Service(
        key=key,
        scheduler=read_string(attributes, _S_SCHED, "the scheduler"),
        flags=frozenset(name for name, bit in SCHEDULER_FLAG_BITS.items() if flags & bit),
        one_packet=bool(flags & _F_ONE_PACKET),
        timeout=timeout if flags & _F_PERSISTENT else 0,
        netmask=netmask,
        engine=read_string(attributes, _S_PE_NAME, "the persistence engine", ""),
        counters=_counters(attributes, _S_STATS, _S_STATS64) if counters else None,
    )


def decode_destination(payload: bytes, service_family: str, counters: bool = False) -> Destination:
    attributes = _nested(payload, _DEST, "destination")
    family, port, settings = _settings(service_family, *map(attributes.get, _D_SETTINGS))
    key = DestinationKey(_address(attributes, _D_ADDR, family, "the destination's address"), port)
    if not counters:
        return Destination(key, **settings)
    return Destination(
        key,
        **settings,
        connections=Connections(
            read_number(attributes, _D_ACTIVE, U32, "active connections"),
            read_number(attributes, _D_INACT, U32, "inactive connections"),
            read_number(attributes, _D_PERSIST, U32, "persistent connections"),
        ),
        counters=_counters(attributes, _D_STATS, _D_STATS64),
    )


# What a destination has beside its address and what is counted.
_D_SETTINGS = (
    _D_FAMILY,
    _D_PORT,
    _D_FWD_METHOD,
    _D_WEIGHT,
    _D_U_THRESH,
    _D_L_THRESH,
    _D_TUN_TYPE,
    _D_TUN_PORT,
    _D_TUN_FLAGS,
)


# Thousands of destinations have the same, and most of the time goes into reading these nine.
@lru_cache(maxsize=1024)
def _settings(service_family: str, *values: bytes | None) -> tuple[str, int, dict[str, Any]]:
    """The family and the port of a destination, and the fields of the type by their names."""
    attributes = {kind: value for kind, value in zip(_D_SETTINGS, values) if value is not None}
    # Kernels before 3.18 know no mixed families and do not say.
    number = read_number(attributes, _D_FAMILY, U16, "the destination's family", 0) or _FAMILIES[service_family]
    method = read_number(attributes, _D_FWD_METHOD, U32, "the forwarding method")
    flags = read_number(attributes, _D_TUN_FLAGS, U16, "the tunnel flags", 0)
    return (
        _named(_FAMILY_NAMES, number, "address family"),
        read_number(attributes, _D_PORT, BE16, "the destination's port"),
        {
            "forward": _named(_FORWARD_NAMES, method & 7, "forwarding method"),
            "weight": read_number(attributes, _D_WEIGHT, S32, "the weight"),
            "upper": read_number(attributes, _D_U_THRESH, U32, "the upper threshold"),
            "lower": read_number(attributes, _D_L_THRESH, U32, "the lower threshold"),
            "tunnel": _named(_TUNNEL_NAMES, read_byte(attributes, _D_TUN_TYPE, "the tunnel type"), "tunnel type"),
            "tunnel_port": read_number(attributes, _D_TUN_PORT, BE16, "the tunnel port", 0),
            "checksum": _named(_CHECKSUM_NAMES, flags, "tunnel flags"),
        },
    )
