# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""conntrackd's configuration, its unit, and what follows VRRP for it: what is asked for, and what changes. Pure."""

from __future__ import annotations

import re
from typing import Any, Mapping, NamedTuple, Sequence

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._daemons.daemon_plan import (
    Files,
    Names,
    Outcome,
    Unit,
    claimed_config,
    claimed_unit,
    config_before,
    put_back,
    running,
    unit_before,
)
from ansible_collections.lvs.topology.plugins.module_utils._daemons.systemctl import systemctl
from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File, plan_file
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._plan import Plan, joined
from ansible_collections.lvs.topology.plugins.module_utils._traces import TRACES

KIND = TRACES["conntrackd"].kind
UNIT_KIND = "conntrackd_unit"
PATH = "/etc/conntrackd/conntrackd.conf"
FOLLOWER = "/etc/conntrackd/lvs-topology"
SOCKET = "/run/conntrackd.ctl"
LOCK = "/run/lock/conntrackd.lock"
UNIT = "conntrackd.service"
NAMES = Names(KIND, UNIT_KIND, UNIT)
DROP_IN = "/etc/systemd/system/conntrackd.service.d/lvs-topology.conf"
PORTS = forms.REAL_PORTS
# Of connections that conntrackd may hold. Each takes it some hundred bytes.
CONNECTIONS = forms.Range(1024, 2**26)
# The places of its hash table are so many times fewer.
_CROWDED = 8

_DROP_IN = f"""\
# Managed by lvs.topology. Changes are overwritten.
[Unit]
# Packet rules are there before connections that they have translated, and these before keepalived may take the VIPs.
Wants=network-online.target
After=network-online.target lvs-topology.service
Before=keepalived.service
StartLimitIntervalSec=0

[Service]
# The socket, by which anybody could empty the table, is for root.
UMask=0077
# As long as it does not run, connections break at a failover.
Restart=on-failure
RestartSec=1
# One that was killed has left its lock behind, and would never start again.
ExecStartPre=-/bin/rm -f {LOCK}
# Whoever holds the VIPs tells all that it knows, and the other one asks for it.
ExecStartPost=-/bin/sh {FOLLOWER} started %s
"""

_REMARK = re.compile(r"#.*")
_SYNC = re.compile(r"\bSync\s*\{", re.IGNORECASE)

FOLLOWER_TEXT = f"""\
#!/bin/sh
# Managed by lvs.topology. Changes are overwritten.
# keepalived runs this with the name of a VRRP instance and a FIFO, in which it says what becomes of the instance.
# systemd runs it with the word "started" and an address that a master holds when conntrackd has started.
{{
tell() {{
    conntrackd -C {PATH} "$@" ||
        logger -t lvs-topology "conntrackd $* failed: the other director may not know the same connections"
}}

become() {{
    case $1 in
    MASTER)
        # What came from the other director, this one has to tell of from now on.
        tell -R
        tell -B
        ;;
    BACKUP | FAULT)
        # What ends here from now on is no news for the other director, which has all connections.
        tell -f internal
        tell -n
        ;;
    esac
}}

if [ "$1" = started ]; then
    new=BACKUP
    ip -o address show | grep -qF " $2/" && new=MASTER
    become $new
    exit 0
fi
while read -r type name new rest; do
    [ "$type $name" = "INSTANCE \\"$1\\"" ] && become "$new"
done <"$2"
exit 0
}}
"""

OPTIONS: dict[str, Any] = {
    "held": {"type": "str"},
    "own": {"type": "str"},
    "partner": {"type": "str"},
    "interface": {"type": "str"},
    "port": {"type": "int"},
    "real_servers": {"type": "list", "elements": "str"},
    "connections": {"type": "int"},
}


class Replica(NamedTuple):
    """Whose connections are told to whom, and by which way. Whoever holds ``held`` is master."""

    held: str
    own: str
    partner: str
    interface: str
    port: int
    real_servers: Sequence[str]
    connections: int


def read(given: Mapping[str, Any], mistakes: Mistakes) -> Replica | None:
    """The options of the concern; None where there is to be no conntrackd of ours."""
    if not any(given[name] is not None for name in OPTIONS):
        return None
    for name in OPTIONS:
        if given[name] in (None, []):
            mistakes.add(name, "is missing")
    mistakes.raise_if_any()
    own, partner = (mistakes.host_address(name, given[name]) for name in ("own", "partner"))
    if own and partner and own.version != partner.version:
        mistakes.add("partner", f"{partner} is IPv{partner.version}, and own IPv{own.version}")
    held = mistakes.address("held", given["held"], forms.VIP)
    mistakes.interface("interface", given["interface"])
    mistakes.within("port", given["port"], PORTS, "a port")
    mistakes.within("connections", given["connections"], CONNECTIONS, "a number of connections")
    servers = [
        mistakes.address(f"real_servers[{position}]", each, forms.REAL_SERVER)
        for position, each in enumerate(given["real_servers"])
    ]
    mistakes.raise_if_any()
    ends = [forms.spelling(each) for each in (held, own, partner) if each]
    listed = tuple(forms.spelling(each) for each in servers if each)
    return Replica(ends[0], ends[1], ends[2], given["interface"], given["port"], listed, given["connections"])


def serves_others(text: str) -> bool:
    """Whether this configuration tells another host of connections. That of Debian's package only counts them."""
    return bool(_SYNC.search(_REMARK.sub("", text)))


def render(replica: Replica) -> str:
    """conntrackd.conf."""
    family = "IPv6" if ":" in replica.own else "IPv4"
    # In IPv6 its parser knows the destination by another spelling.
    destination = "IPv6_Destination_Address" if family == "IPv6" else "IPv4_Destination_Address"
    servers = [f"{'IPv6' if ':' in each else 'IPv4'}_address {each}" for each in replica.real_servers]
    listed = "\n".join(f"            {each}" for each in servers)
    return f"""\
# Managed by lvs.topology. Changes are overwritten.
Sync {{
    Mode FTFW {{
        # What the partner says goes into the kernel's table at once: at a failover nothing has to be done first.
        DisableExternalCache on
        StartupResync on
    }}
    UDP {{
        {family}_address {replica.own}
        {destination} {replica.partner}
        Port {replica.port}
        Interface {replica.interface}
        Checksum on
    }}
}}

General {{
    Systemd on
    Syslog on
    LockFile {LOCK}
    HashSize {max(replica.connections // _CROWDED, 1)}
    HashLimit {replica.connections}
    NetlinkBufferSize 2097152
    NetlinkBufferSizeMaxGrowth 16777216
    NetlinkOverrunResync on
    UNIX {{
        Path {SOCKET}
    }}
    # Connections to the real servers of FULLNAT, and no others.
    Filter From Userspace {{
        Protocol Accept {{
            TCP
            UDP
            SCTP
        }}
        Address Accept {{
{listed}
        }}
        State Accept {{
            ESTABLISHED CLOSED TIME_WAIT CLOSE_WAIT for TCP
        }}
    }}
}}
"""


def plan_present(ledger: Ledger, owner: str, replica: Replica, files: Files, unit: Unit | None) -> Outcome:
    """Write, then start or restart. ``unit`` is None where there is no systemd."""
    wanted = File(render(replica))
    claimed, copy = claimed_config(NAMES, ledger, owner, PATH, files.config, wanted)
    config = plan_file(PATH, files.config, wanted)
    steps = [config, plan_file(FOLLOWER, files.beside[FOLLOWER], File(FOLLOWER_TEXT))]
    if unit is None:
        return Outcome(joined(*steps), claimed, claimed, copy)
    drop_in = plan_file(DROP_IN, files.beside[DROP_IN], File(_DROP_IN % replica.held), own_directory=True)
    is_unread = config.changes or drop_in.changes or unit.read < files.written <= files.now
    # conntrackd reads its file once. What it knows is in the kernel, and stays there.
    steps += running(NAMES, unit, drop_in, [systemctl("restart", UNIT)] if is_unread else [])
    claimed = claimed_unit(NAMES, claimed, owner, unit, is_touched=bool(drop_in.changes))
    return Outcome(joined(*steps), claimed, claimed, copy)


def plan_absent(ledger: Ledger, owner: str, files: Files, unit: Unit | None) -> Outcome:
    """Put back what was there: the configuration with its unit as it was, or neither."""
    settled, last, was = ledger.release(KIND, PATH, owner)
    if not last:
        return Outcome(Plan(), ledger, settled)
    before = unit_before(NAMES, ledger)
    settled, _last, _was = settled.release(UNIT_KIND, UNIT, owner)
    config = joined(
        plan_file(PATH, files.config, config_before(PATH, was, files.copy)),
        plan_file(FOLLOWER, files.beside[FOLLOWER], None),
    )
    if unit is None:
        return Outcome(config, ledger, settled)
    drop_in = plan_file(DROP_IN, files.beside[DROP_IN], None, own_directory=True)
    # Without a configuration it could not start.
    goes_on = before["active"] and was is not None
    steps = put_back(NAMES, unit, before, drop_in, config, goes_on=goes_on, again="restart")
    return Outcome(joined(*steps), ledger, settled)
