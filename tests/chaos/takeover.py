# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Directors that somebody has set up by hand become ours under load, and are given back as they were.

The files of that somebody are in by_hand.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import Any, Callable

from . import pair
from .pair import say
from .table import Result, Table
from .unnoticed import COLUMNS, under_load

BY_HAND = pair.HERE / "by_hand"
ADOPTED = pair.CACHE / "adopted"
ENOUGH = 2000
CONSENT = ("--extra-vars", "lvs_take_over=true")
PRIORITIES = {"lb1": 100, "lb2": 90}
# Every file and link of an operator, with its mode, owner and content. Where ours were, their folders went, too.
_FILES = (
    "find /etc /usr/local /var/lib/lvs-topology -xdev -printf '%p %y %m %u %g %l\\n' 2>/dev/null | sort;"
    " find /etc /usr/local -xdev -type f -exec sha256sum {} + | sort -k 2"
)
_STATE = (
    "ip -brief address show dev eth1; ip -brief address show dev eth2; ipvsadm -Sn | sort; ipvsadm -Ln --daemon;"
    " sysctl -a 2>/dev/null | grep -E '^net.ipv4.(ip_forward|vs.|conf.(all|eth1|eth2).(arp_|rp_|send_|forw))' | sort;"
    " systemctl is-enabled keepalived ipvsadm; systemctl is-active keepalived; true"
)
_NAT_GATEWAY = "ip route replace default via 10.0.0.29"
_DR_REAL_SERVER = (
    "printf 'net.ipv4.conf.all.arp_ignore = 1\\nnet.ipv4.conf.all.arp_announce = 2\\n' >/etc/sysctl.d/60-lvs.conf;"
    f" sysctl -q -p /etc/sysctl.d/60-lvs.conf; ip address add {pair.VIPS['dr']}/32 dev lo"
)
_FORWARDING = "printf 'net.ipv4.ip_forward = 1\\n' >/etc/sysctl.d/60-lvs.conf; sysctl -q -p /etc/sysctl.d/60-lvs.conf"


@dataclass(frozen=True)
class Origin:
    """Who fills the tables so far, on which directors, and how that is set up by hand."""

    name: str
    directors: tuple[str, ...]
    set_up: Callable[[str], None]


def takeover(origin: str) -> Result:
    """Adopt, check, site and teardown, in a lab in which nothing of ours has been."""
    result = Result()
    found = Table(
        "Taken over from somebody else, and given back",
        ["so far", "what", *COLUMNS, "changed"],
    )
    pair.down()
    pair.up()
    _take(ORIGINS[origin], result, found)
    # What is left is somebody else's.
    pair.down()
    result.tables.append(found)
    return result


def _take(origin: Origin, result: Result, found: Table) -> None:
    say(f"takeover: {origin.name}")
    _real_servers()
    for director in origin.directors:
        pair.run(director, _FORWARDING)
        origin.set_up(director)
    pair.wait("somebody's services", lambda: pair.listed("lb1") == {*_RIPS} and "lb1" in pair.masters())
    before = _snapshot(origin)
    _adopt(origin)

    refused = _site(check=False)
    said = "lvs_take_over" in refused and pair.refused(refused)
    result.must(said, f"{origin.name}: site without consent did not refuse and offer it")
    foreseen = pair.changed(_site("--check", "--diff", *CONSENT))
    result.must({*foreseen} == {*origin.directors}, f"{origin.name}: --check foresaw changes of {foreseen}")
    result.must(_snapshot(origin) == before, f"{origin.name}: something was changed without consent, or in check mode")

    moves = _moves(origin)
    is_told = origin.name != ORIGINS["keepalived"].name or "master" in moves["lb1"]
    result.must(is_told, f"{origin.name}: somebody's script hears who became master, or it would tell of nothing")
    # One after the other, so that a director that is ours and one that is not have to hear each other for a while.
    _unnoticed(origin, "site", lambda: _site(*CONSENT, "--forks", "1"), result, found)
    result.must(_moves(origin) == moves, f"{origin.name}: a director became master, or gave up: {_moves(origin)}")
    again = pair.changed(_site())
    result.must(not again, f"{origin.name}: site once more changed {again}")
    _unnoticed(origin, "teardown", lambda: _playbook("teardown"), result, found)
    after = _snapshot(origin)
    for director in origin.directors:
        lost, new = (
            [*{*one[director]}.difference(other[director])] for one, other in ((before, after), (after, before))
        )
        result.must(not lost and not new, f"{origin.name}: {director} is not as before: {lost} became {new}")


_RIPS = ("10.0.0.51", "10.0.0.52", "192.168.0.61", "192.168.0.62")


def _real_servers() -> None:
    for host in ("web1", "web2"):
        pair.run(host, _NAT_GATEWAY)
    for host in ("app1", "app2"):
        pair.run(host, _DR_REAL_SERVER)


def _with_keepalived(director: str) -> None:
    """As the guide for a pair has it, with the pools in a file that is included."""
    config = (BY_HAND / "keepalived/keepalived.conf").read_text()
    config = config.replace("NAME", director.upper()).replace("PRIORITY", str(PRIORITIES[director]))
    _write(director, "/etc/keepalived/keepalived.conf", config, "0600")
    _write(director, "/etc/keepalived/conf.d/pools.conf", (BY_HAND / "keepalived/pools.conf").read_text())
    _write(director, "/usr/local/sbin/vip-moved", (BY_HAND / "keepalived/vip-moved").read_text(), "0755")
    pair.run(director, "systemctl enable --now keepalived")


def _with_ipvsadm(director: str) -> None:
    """Debian's service, which systemd makes of an init script, and addresses by a unit of somebody's."""
    _write(director, "/etc/ipvsadm.rules", (BY_HAND / "ipvsadm/ipvsadm.rules").read_text())
    _write(director, "/etc/default/ipvsadm", (BY_HAND / "ipvsadm/default").read_text())
    _write(director, "/etc/systemd/system/vips.service", (BY_HAND / "ipvsadm/vips.service").read_text())
    generator = "/etc/systemd/system-generators/systemd-sysv-generator"
    pair.run(
        director,
        f"rm {generator}; systemctl daemon-reload; systemctl enable vips ipvsadm; systemctl start vips ipvsadm",
    )


def _write(host: str, path: str, text: str, mode: str = "0644") -> None:
    pair.run(host, f"mkdir -p $(dirname {path}); cat >{path} <<'END'\n{text}END\nchmod {mode} {path}")


def _snapshot(origin: Origin) -> dict[str, list[str]]:
    """What an operator finds on each director: files, addresses, table, sysctls, units."""
    return {director: pair.run(director, f"{_FILES}; {_STATE}").splitlines() for director in origin.directors}


def _moves(origin: Origin) -> dict[str, str]:
    """What keepalived has called somebody's script for, on each director: that it became master, or backup."""
    return {director: pair.run(director, "cat /var/log/vip-moved", check=False) for director in origin.directors}


def _adopt(origin: Origin) -> None:
    """The inventory that the directors' own files and tables make, as it is written."""
    shutil.rmtree(ADOPTED, ignore_errors=True)  # there is none before the first time
    directors: dict[str, Any] = {"lvs_directors": {"hosts": dict.fromkeys(origin.directors)}}
    words = f"lvs_adopt_from=hosts lvs_adopt_directory={ADOPTED}"
    pair.playbook("adopt", directors, "--extra-vars", words)


def _site(*words: str, check: bool = True) -> str:
    return _playbook("site", *words, check=check)


def _playbook(name: str, *words: str, check: bool = True) -> str:
    return pair.playbook(name, {"all": {}}, "--inventory", str(ADOPTED), *words, check=check)


def _unnoticed(origin: Origin, what: str, action: Callable[[], str], result: Result, found: Table) -> None:
    figures, output = under_load(f"{origin.name}, {what}", action, result, ENOUGH)
    found.rows.append([origin.name, what, *figures, sum(pair.changed(output).values())])


ORIGINS = {
    "keepalived": Origin("keepalived, a pair", ("lb1", "lb2"), _with_keepalived),
    "ipvsadm": Origin("service ipvsadm", ("lb1",), _with_ipvsadm),
}
