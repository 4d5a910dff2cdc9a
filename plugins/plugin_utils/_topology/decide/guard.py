# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keepalived runs for services with min_up: all their real servers serve while too few of them are up.

keepalived gives weight 0 to a real server that fails, and says by its quorum when a service has too little. The guard
hears of both by a FIFO, and gives back their weights to those that are down, as long as the quorum is lost.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils import _forms as forms
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import (
    Action,
    Destination,
    DestinationKey,
    ServiceKey,
)
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.entries import Service as VirtualService
from ansible_collections.lvs.topology.plugins.module_utils._ipvs.save_format import command
from ansible_collections.lvs.topology.plugins.module_utils._keepalived.guard_state import PATH as STATE
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.config_text import has_statement
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.mistakes import Mistake
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.base.model import RealServer, Service
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide import bgp
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.groups import merged
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.needs import Need, Note
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.pool_shares import (
    opens_when_gone,
    quorum,
    weight,
)
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.site import Site
from ansible_collections.lvs.topology.plugins.plugin_utils._topology.decide.table import (
    kernel_forward,
    real_server,
    service_key,
)

_FIFO = "lvs_notify_fifo"
_DIGITS = 16
# keepalived's word where a service, by its mark, has no protocol.
_NO_PROTOCOL = "none"

_SCRIPT = f"""\
#!/bin/sh
# Managed by lvs.topology. Changes are overwritten.
# keepalived runs this with a FIFO, in which it says what becomes of real servers and services. While less of a service
# is up than its min_up, all of its real servers get clients, those whose health checks fail as well.
{{
set -f
export LC_ALL=C
for fifo do :; done
exec 3<"$fifo"
# keepalived says so when it reads its configuration anew, or ends. What it has said until then is written down, and the
# next one acts on it.
ending=
trap 'ending=1 guard="guard $$ ending"' TERM
# The signal goes to every process that was started here, too. What has to be done to its end uses none, or is repeated.
again() {{ while "$@"; [ $? -gt 128 ]; do :; done; }}
state={STATE}
# Whoever may open the lock can keep it.
umask 077
exec 9>"$state.lock"
umask 022
again flock -w 10 9

nl='
'
# By keepalived's names of the service and the real server: what gives that its weight, and what takes the weight away.
servers=
until [ "${{servers##*"$nl"}}" = whole ]; do
servers=$(cat <<'END'
@SERVERS@whole
END
)
done

# When a process started: its number may be given to another one.
started() {{
    read -r stat <"/proc/$1/stat"
    set -- ${{stat##*) }}
    started=${{20}}
}}

facts=
has() {{ case "$nl$facts" in *"$nl$1$nl"*) return 0 ;; esac; return 1; }}
add() {{ has "$1" || facts="$facts$1$nl"; }}
drop() {{
    rest=
    IFS=$nl
    for fact in $facts; do [ "$fact" = "$1" ] || rest=$rest$fact$nl; done
    unset IFS
    facts=$rest
}}
knows() {{ case "$nl$servers" in *"$nl=$1|"*) return 0 ;; esac; return 1; }}

started $$
guard="guard $$ $started"
started "$PPID"
checker="checker $PPID $started"
keep() {{ printf '%s %s\\n%s' "$guard" "$checker" "$facts" >"$state.new" && again mv "$state.new" "$state"; }}
tell() {{ logger -p daemon.warning -t lvs-topology "$1"; }}

# Gives the weights that they are to have to the real servers of these lines that keepalived has taken out, and where a
# second word is there, to the others, too: keepalived may have brought one back while its weight was taken away here.
settle() {{
    [ -z "$ending" ] || return 0
    printf '%s\\n' "$servers" | grep -F "=$1" | while IFS='|' read -r service server up down; do
        service=${{service#=}}
        if has "down $service|$server"; then
            has "open $service" || up=$down
        elif [ -z "$2" ]; then
            continue
        fi
        said=$($up 2>&1) || [ -n "$ending" ] || tell "$up: $said"
    done
}}

# What the one before has written down, where keepalived is the same.
if [ -r "$state" ]; then
    while read -r word name; do
        case $word in
        guard) case $name in *" $checker") ;; *) break ;; esac ;;
        open | down) knows "$name" && add "$word $name" ;;
        esac
    done <"$state"
fi
keep
settle ''

# A signal ends the first read, the end of the FIFO both. Where somebody else sent the signal, that end does not come,
# and what is written down says that nobody guards any more.
while read -r line <&3 || {{ [ -n "$ending" ] && {{ keep; read -r line <&3; }}; }}; do
    what=${{line##* }}
    name=${{line#* }}
    name=${{name% *}}
    case $line in
    "RS "*)
        one="${{name#* }}|${{name%% *}}"
        knows "$one" || continue
        if [ "$what" = DOWN ]; then add "down $one"; else drop "down $one"; fi
        keep
        settle "$one|" too
        ;;
    "VS "*)
        knows "$name" || continue
        if [ "$what" = DOWN ]; then
            add "open $name"
            [ -n "$ending" ] || tell "$name: less than min_up is up. All get clients, those that are down as well."
        else
            has "open $name" && tell "$name: as much as min_up is up again. Those that are down get no clients."
            drop "open $name"
        fi
        keep
        settle "$name|"
        ;;
    esac
done
exit 0
}}
"""


def guarded(site: Site, name: str) -> list[Service]:
    """The services of a director that are not to be served by less than a part of their pools."""
    every = site.services.get(name, ()) if site.is_checked(name) else ()
    return [each for each in every if each.supervision.min_up is not None and each.real_servers]


def name_of(service: Service) -> str:
    """What keepalived calls the service in its FIFO."""
    if service.supervision.group:
        return f"[{service.supervision.group}]:0"
    if service.address is None:
        return f"FWM {service.fwmark}"
    return f"[{forms.spelling(service.address)}]:{service.protocol}:{service.port}"


def script(site: Site, name: str) -> str | None:
    """What keepalived runs; None where no service has a guard."""
    lines = [line for service, members in merged(guarded(site, name)) for line in _lines(service, members)]
    return _SCRIPT.replace("@SERVERS@", "".join(f"{line}\n" for line in lines)) if lines else None


def digest(text: str | None) -> str | None:
    """What changes with the script, so that keepalived runs it anew."""
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS] if text else None


def _lines(service: Service, members: list[dict[str, Any]]) -> Iterator[str]:
    keys = members or [service_key(service)]
    protocol = next((each["protocol"] for each in keys if "protocol" in each), _NO_PROTOCOL)
    for entry in service.real_servers:
        server = f"[{forms.spelling(entry.address)}]:{protocol}:{entry.port}"
        for key in keys:
            up, down = (_edit(service, key, entry, weight) for weight in (entry.weight, 0))
            yield f"={name_of(service)}|{server}|{up}|{down}"


def _edit(service: Service, key: Mapping[str, Any], entry: RealServer, weight: int) -> str:
    """What ipvsadm is told, with everything that it would set to its default otherwise."""
    family = f"ipv{service.family}"
    if "fwmark" in key:
        virtual = ServiceKey(family, fwmark=key["fwmark"])
    else:
        virtual = ServiceKey(family, key["protocol"], key["address"], key["port"])
    given = real_server(entry)
    # Only masquerading maps ports: otherwise a real server of a group has its service's.
    port = entry.port if kernel_forward(service) == "nat" else virtual.port
    tunnel = given.get("tunnel", {})
    destination = Destination(
        DestinationKey(given["address"], port),
        kernel_forward(service),
        weight,
        entry.upper_threshold,
        entry.lower_threshold,
        tunnel.get("type", "ipip"),
        tunnel.get("port", 0),
        tunnel.get("checksum", "none"),
    )
    return command(Action("edit", VirtualService(virtual), destination))


def unguarded(site: Site, name: str) -> Iterator[Mistake]:
    """Where nobody checks, nothing is taken out that could be left in."""
    for service in site.services.get(name, ()):
        if service.supervision.min_up is not None and not site.is_checked(name):
            problem = f"has no meaning while lvs_manager of {name} is {site.host(name).manager}: nobody checks there"
            yield Mistake(f"{service.path}.min_up", problem, "set lvs_manager: keepalived, or leave it out")


def needs(site: Site, name: str) -> Iterator[Need]:
    """What keeps keepalived from guarding a service, and what should be known of those that are guarded."""
    services = guarded(site, name)
    first: dict[str, Service] = {}
    for service in services:
        path = f"{service.path}.min_up"
        if bgp.is_announced(site, name, service):
            problem = "has no meaning with lvs_bgp: a director withdraws the VIP of a service that lost its quorum"
            yield Mistake(path, problem, "use quorum, so that other directors serve then, or leave it out")
        other = first.setdefault(name_of(service), service)
        if other.family != service.family:
            problem = f"is not possible: keepalived calls it as it calls {other.path}, which has the same mark"
            yield Mistake(path, problem, "use another mark, or leave it out")
        yield from _of_share(service, path)
    given = site.host(name).keepalived
    for key, lines in (("global_raw", given.global_raw), ("raw", given.raw)):
        if services and has_statement(lines, _FIFO):
            problem = f"has a {_FIFO} of its own, and min_up needs the only one that keepalived can have"
            yield Mistake(f"{name}: lvs_keepalived.{key}", problem, "take it away, or leave min_up out")


def _of_share(service: Service, path: str) -> Iterator[Note]:
    share, alone = service.supervision.min_up, opens_when_gone(service)
    if share is not None and share.amount > weight(service) and not share.is_percent:
        yield Note(f"{path}: {share.amount} is above the weight of all real servers together; it is lowered")
    if alone is not None:
        yield Note(
            f"{path}: where {alone.label} alone is down, less than {quorum(service)} of the weight of "
            f"{weight(service)} is up, and all real servers get clients. So health checks never keep them from "
            f"{alone.label}, not even while somebody maintains it"
        )
