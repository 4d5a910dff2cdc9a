# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The only user of arptables, and the module arp_filter."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any

from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import LedgerFile, carry_out_booked
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net import arp_filter_plan
from ansible_collections.lvs.topology.plugins.module_utils._plan import Refused, one_by_one

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

_CHAINS = ("INPUT", "OUTPUT")


def ensure_filters(module: AnsibleModule, book: LedgerFile) -> dict[str, Any]:
    """What the module arp_filter does."""
    params = module.params
    present = params["state"] == "present"
    mistakes = Mistakes()
    mistakes.owner(params["owner"])
    rules = None
    if params["filters"] is not None:
        interfaces = {name for _index, name in socket.if_nameindex()} if present else None
        rules = arp_filter_plan.check(params["filters"], interfaces, mistakes)
    mistakes.raise_if_any()
    ledger = book.load()
    owned = ledger.owned(arp_filter_plan.KIND, params["owner"])
    if not rules and not owned:
        # Nothing to do, so the command need not be there either.
        return {"changed": False, "changes": [], "left_over": []}
    tables = Arptables()
    plan, settlement = arp_filter_plan.plan_filters(
        ledger, params["owner"], tables.rules(), rules, present=present, purge=params["purge"]
    )
    result = carry_out_booked(module, plan, one_by_one(tables.apply), book, settlement.claimed, settlement.settled)
    result["left_over"] = list(settlement.left_over)
    return result


class Arptables:
    """The filter table of ARP, by that one of the two arptables commands that this kernel serves."""

    def __init__(self) -> None:
        self._command = self._working()

    @staticmethod
    def _working() -> str:
        """Both commands list an empty table even where the kernel lacks theirs; only adding a rule tells.

        So a rule is added in a network namespace that exists for the moment.
        """
        unshare = _commands.find("unshare") or "unshare"
        said = []
        for name in ("arptables", "arptables-legacy", "arptables-nft"):
            command = _commands.find(name)
            if command is None:
                continue
            status, _output, errors = _commands.run([unshare, "--net", command, "-A", "INPUT", "-j", "ACCEPT"])
            if status == 0:
                return command
            said.append(f"{command} says: {errors.strip()}")
        if not said:
            raise Refused(
                "There is no arptables command. Install the package arptables (Debian, Ubuntu) or iptables-nft (RHEL)."
            )
        raise Refused(
            f"No arptables command works with the kernel {os.uname().release}. {' '.join(said)} "
            "Run as root; the kernel needs arptable_filter with arpt_mangle, or nf_tables with the family arp."
        )

    def rules(self) -> list[str]:
        """The rules of both chains, in the words of arptables."""
        found = []
        for chain in _CHAINS:
            status, output, errors = _commands.run([self._command, "-n", "-L", chain])
            if status != 0:
                raise Refused(f"{self._command} cannot list the chain {chain}: {errors.strip()}.")
            found += [f"{chain} {line.strip()}" for line in output.splitlines() if line.startswith("-")]
        return found

    def apply(self, action: Any) -> None:
        option = "-A" if isinstance(action, arp_filter_plan.AddRule) else "-D"
        command = [self._command, option, *action.rule.split()]
        status, _output, errors = _commands.run(command)
        if status != 0:
            raise Refused(f"{' '.join(command)} failed: {errors.strip()}.")
