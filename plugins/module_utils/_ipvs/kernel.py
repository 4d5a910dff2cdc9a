# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's IPVS over generic netlink: read the table whole, apply changes in batches. Files are read by proc."""

from __future__ import annotations

import errno
import os
import platform
from typing import Callable, Iterator, Optional, Sequence

from ansible_collections.lvs.topology.plugins.module_utils._ipvs import codec
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    MAX_THRESHOLD,
    MAX_WEIGHT,
    Action,
    Daemon,
    Destination,
    DestinationKey,
    Entry,
    Info,
    Service,
    ServiceKey,
    SetTimeouts,
    Setting,
    StartDaemon,
    StopDaemon,
    Table,
    Timeouts,
)
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.save_format import command, setting_command
from ansible_collections.lvs.topology.plugins.module_utils._netlink import messages
from ansible_collections.lvs.topology.plugins.module_utils._netlink.conversation import (
    PRIVILEGE,
    Conversation,
    cannot_read,
)
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Refused

# Loads a kernel module; answers what went wrong, or None.
LoadModule = Callable[[str], Optional[str]]

# Every message of a batch may be answered by an error of up to 1 KiB of socket memory, of which there is little.
_BATCH = 100
# Exists when IPVS is there, in this network namespace.
_PRESENCE = "/proc/net/ip_vs"


class Ipvs(Conversation):
    """The IPVS table of this network namespace. Where the kernel has no IPVS and may not load it, the table is empty.

    ``load_module`` is None where nothing may be loaded: in check mode, to look, and to take away.
    """

    def __init__(self, load_module: LoadModule | None) -> None:
        super().__init__("the IPVS table")
        self._load_module = load_module
        try:
            self._family = self._find_family()
        except BaseException:
            self._socket.close()
            raise

    @property
    def loaded(self) -> bool:
        return self._family is not None

    def info(self) -> Info | None:
        """Version and size of the connection table; None where there is no IPVS."""
        if self._family is None:
            return None
        return codec.decode_info(self._one(codec.CMD_GET_INFO, "read the version of IPVS"))

    def timeouts(self) -> Timeouts | None:
        if self._family is None:
            return None
        return codec.decode_timeouts(self._one(codec.CMD_GET_CONFIG, "read the timeouts of IPVS"))

    def daemons(self) -> list[Daemon]:
        """The synchronisation daemons that run, the master first."""
        if self._family is None:
            return []
        answers = self._dump(self._family, codec.CMD_GET_DAEMON)
        return [codec.decode_daemon(payload) for payload in answers]

    def table(self, counters: bool = False) -> Table:
        """Every service with its real servers."""
        if self._family is None:
            return {}
        table: Table = {}
        for service in self.services(counters):
            table[service.key] = Entry(service, self._destinations(self._family, service.key, counters))
        return table

    def services(self, counters: bool = False) -> list[Service]:
        """Every service without its real servers."""
        if self._family is None:
            return []
        answers = self._dump(self._family, codec.CMD_GET_SERVICE)
        return [codec.decode_service(payload, counters) for payload in answers]

    def destination(self, service: ServiceKey, key: DestinationKey) -> Destination | None:
        """One real server with its connections; None where it, or its service, is not there."""
        return None if self._family is None else self._destinations(self._family, service, True).get(key)

    def _destinations(self, family: int, service: ServiceKey, counters: bool) -> dict[DestinationKey, Destination]:
        answers = self._dump(family, codec.CMD_GET_DEST, codec.service_reference(service))
        found = (codec.decode_destination(payload, service.family, counters) for payload in answers)
        return {each.key: each for each in found}

    def apply(self, changes: Sequence[Change]) -> None:
        """Apply the changes in order; Refused says which one the kernel did not take, and which took effect."""
        if self._family is None:
            raise Refused(_no_ipvs("nothing was loaded"))
        encoder = codec.Encoder(self._family)
        done = 0
        for batch in _batches([change.action for change in changes]):
            refused = self._send_batch(encoder, batch)
            first = min(refused, default=None)
            if first is not None and self._help(batch[first], refused[first]):
                refused = self._send_batch(encoder, batch[first:])
                refused = {first + position: number for position, number in refused.items()}
                first = min(refused, default=None)
            if first is not None:
                later = [done + position for position in range(first + 1, len(batch)) if position not in refused]
                raise Refused(_explain(batch[first], refused[first]), applied=done + first, later=later)
            done += len(batch)

    def change(self, setting: Setting) -> None:
        """Apply one change of what is not in the table."""
        if self._family is None:
            raise Refused(_no_ipvs("nothing was loaded"))
        sequence, following = self._next(), self._next()
        # A daemon that is stopped before its thread has run for the first time is stopped, and netlink acknowledges
        # nothing (EINTR). So the answer to a second request tells that the first one is through.
        self._send(
            codec.setting_request(self._family, setting, messages.NLM_F_ACK, sequence)
            + messages.request(self._family, codec.CMD_GET_INFO, 0, following)
        )
        number = 0
        for message in self._receive({sequence, following}):
            if message.sequence == following:
                break
            number = messages.error_number(message.payload)
        if number:
            raise Refused(_explain_setting(setting, number))

    def _help(self, action: Action, number: int) -> bool:
        """Whether a refusal may turn into success because a kernel module has been loaded."""
        if number != errno.ENOENT or action.destination is not None or self._load_module is None:
            return False
        # The kernel asked for it itself already, by /proc/sys/kernel/modprobe, which not every system has.
        return all(self._load_module(name) is None for name in _modules_of(action.service))

    # Messages

    def _find_family(self) -> int | None:
        # The lookup alone makes newer kernels load ip_vs, which must not happen in check mode.
        if self._load_module is None and not os.path.exists(_PRESENCE):
            return None
        family = self._lookup(codec.FAMILY_NAME)
        if family is None and self._load_module is not None:
            problem = self._load_module("ip_vs")
            family = self._lookup(codec.FAMILY_NAME)
            if family is None:
                raise Refused(_no_ipvs(problem or "modprobe ip_vs said nothing"))
        return family

    def _one(self, query: int, what: str) -> bytes:
        answer = self._ask(messages.request(self._family or 0, query, 0, self._next()))
        if answer.type == messages.NLMSG_ERROR:
            raise Refused(cannot_read(what, messages.error_number(answer.payload)))
        return answer.payload

    def _send_batch(self, encoder: codec.Encoder, actions: Sequence[Action]) -> dict[int, int]:
        """Send the actions at once; the answer has the errno of each that was refused, by position."""
        first = self._sequence + 1
        last = len(actions) - 1
        requests = []
        for position, action in enumerate(actions):
            flags = messages.NLM_F_ACK if position == last else 0
            requests.append(encoder.encode(action, flags, self._next()))
        self._send(b"".join(requests))
        refused: dict[int, int] = {}
        for message in self._receive(set(range(first, first + len(actions)))):
            if message.type != messages.NLMSG_ERROR:
                continue
            number = messages.error_number(message.payload)
            if number:
                refused[message.sequence - first] = number
            if message.sequence == first + last:
                return refused
        raise Refused("The kernel did not acknowledge the changes of the IPVS table. Run the task again.")


def _batches(actions: Sequence[Action]) -> Iterator[Sequence[Action]]:
    """Cut the changes so that nothing behind a refused service is sent: real servers behind it would fail as well."""
    batch: list[Action] = []
    for action in actions:
        batch.append(action)
        if action.destination is None or len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _modules_of(service: Service) -> tuple[str, ...]:
    names = () if service.scheduler == "none" else (f"ip_vs_{service.scheduler}",)
    return (*names, f"ip_vs_pe_{service.engine}") if service.engine else names


def _no_ipvs(problem: str) -> str:
    return (
        f"The kernel {platform.release()} has no IPVS ({problem}). Install the package with the module ip_vs: "
        "linux-modules-extra-$(uname -r) on Ubuntu's cloud kernels, kernel-modules-core or kernel-modules on the RHEL "
        "family, the ordinary linux-image on Debian; after a kernel update reboot first. In a container, load ip_vs on "
        "the host."
    )


def _explain(action: Action, number: int) -> str:
    service, destination = action.service, action.destination
    what = f"real server {destination.key} of the service {service.key}" if destination else f"service {service.key}"
    reasons = {
        errno.EPERM: PRIVILEGE,
        errno.EEXIST: f"the {what} is there already; something else added it meanwhile. Run the task again",
        errno.ESRCH: f"the service {service.key} is gone; something else took it away meanwhile. Run the task again",
        errno.ENOMEM: "the kernel is out of memory",
        errno.EAFNOSUPPORT: "this kernel runs without IPv6, or its IPVS was built without it",
        errno.ERANGE: f"weight (0 to {MAX_WEIGHT}) or thresholds (0 to {MAX_THRESHOLD}, lower not above upper) are out "
        "of range",
        errno.ENOPROTOOPT: "the module ip_vs is being unloaded. Run the task again",
    }
    if destination is not None:
        reasons[errno.ENOENT] = f"the {what} is gone; something else took it away meanwhile. Run the task again"
        reasons[errno.EINVAL] = (
            f"the kernel takes only unicast or local addresses as real servers, and mixed address families only with "
            f"forward tun and no sync daemon. Look at `ip route get {destination.key.address}`, and whether lo is up"
        )
    else:
        names = " or ".join(_modules_of(service))
        reasons[errno.ENOENT] = (
            f"the kernel has no such scheduler or persistence engine (scheduler {service.scheduler}"
            f"{f', engine {service.engine}' if service.engine else ''}): the module {names} cannot be loaded. "
            "Check the spelling, or install the kernel's package that has it"
        )
        reasons[errno.EINVAL] = f"the scheduler {service.scheduler} does not take the service's settings"
    reason = reasons.get(number, os.strerror(number))
    return f"The kernel refused `{command(action)}`: {reason} ({errno.errorcode.get(number, number)})."


def _explain_setting(setting: Setting, number: int) -> str:
    reasons = {errno.EPERM: PRIVILEGE, errno.ENOMEM: "the kernel is out of memory"}
    if isinstance(setting, SetTimeouts):
        reasons[errno.EINVAL] = (
            "a timeout is longer than this kernel can count, which goes by its ticks per second: 24 days with 1000, 99 "
            "with 250, 248 with 100. Use a shorter one"
        )
    elif isinstance(setting, StartDaemon):
        daemon = setting.daemon
        reasons[errno.ENODEV] = (
            f"the interface {daemon.interface} does not exist, or cannot join {daemon.group}. "
            f"Look at `ip link show {daemon.interface}`"
        )
        reasons[errno.EEXIST] = f"a {daemon.state} daemon is running; something else started it. Run the task again"
        reasons[errno.EINVAL] = (
            "the kernel does not synchronise a table in which a real server has another address family than its "
            "service (forward tun). Take such real servers away, or do without the daemon"
        )
        reasons[errno.ENETUNREACH] = reasons[errno.EADDRNOTAVAIL] = (
            f"the interface {daemon.interface} is down, or has no address yet of the group's family. "
            f"Look at `ip address show {daemon.interface}`"
        )
        reasons[errno.EADDRINUSE] = f"something else uses UDP port {daemon.port}; see `ss -ulnp`, or use another port"
        reasons[errno.EAFNOSUPPORT] = "this kernel runs without IPv6, or its IPVS was built without it"
    elif isinstance(setting, StopDaemon):
        reasons[errno.ESRCH] = "it does not run any more; something else stopped it. Run the task again"
    else:
        reasons[errno.ESRCH] = "the service is gone; something else took it away meanwhile. Run the task again"
    reason = reasons.get(number, os.strerror(number))
    return f"The kernel refused `{setting_command(setting)}`: {reason} ({errno.errorcode.get(number, number)})."
