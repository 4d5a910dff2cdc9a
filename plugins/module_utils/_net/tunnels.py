# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module tunnel_endpoint: links, ports and the links' sysctls, in the order in which they depend on each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, AbstractSet, Any

from ansible_collections.lvs.topology.plugins.module_utils._file_plan import File
from ansible_collections.lvs.topology.plugins.module_utils._files import read_file
from ansible_collections.lvs.topology.plugins.module_utils._ledger import Ledger
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import LedgerFile, carry_out_booked
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net import fou, sysctl, sysctl_plan, tunnel_plan
from ansible_collections.lvs.topology.plugins.module_utils._net.rtnetlink import Rtnetlink
from ansible_collections.lvs.topology.plugins.module_utils._plan import Plan, joined, one_by_one
from ansible_collections.lvs.topology.plugins.module_utils._settle import Settlement, to_let_go
from ansible_collections.lvs.topology.plugins.module_utils._traces import TRACES

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule


def ensure_tunnels(module: AnsibleModule, book: LedgerFile) -> dict[str, Any]:
    """What the module tunnel_endpoint does."""
    params = module.params
    owner, present = params["owner"], params["state"] == "present"
    mistakes = Mistakes()
    mistakes.owner(owner)
    wishes = None if params["tunnels"] is None else tunnel_plan.check(params["tunnels"], mistakes)
    mistakes.raise_if_any()
    ledger = book.load()
    filters = _Filters.of(owner)
    if not wishes and not ledger.owned(tunnel_plan.KIND, owner) and not filters.are_ours(ledger):
        # So that a host that was never set up needs no pyroute2 to be taken down.
        return {"changed": False, "changes": [], "left_alone": [], "left_over": []}
    with Rtnetlink() as kernel:
        ends: list[tunnel_plan.End] = [*kernel.tunnels(), *fou.ports()]
        current = {end.key: end for end in ends}
        doubts: list[str] = []
        if present:
            there = (current, kernel.interfaces(), ledger, owner)
            tunnel_plan.clashes(wishes or (), *there, mistakes, doubts if module.check_mode else None)
        mistakes.raise_if_any()
        for doubt in doubts:
            module.warn(f"{doubt}. In check mode this cannot be checked before the module is loaded.")
        make, start, stop, links = tunnel_plan.plan_tunnels(
            ledger, owner, current, wishes, present=present, purge=params["purge"]
        )
        tuning, settlement = filters.plan(
            ledger, links, wishes, tunnel_plan.forgotten(make, stop), present=present, purge=params["purge"]
        )

        def apply(action: Any) -> None:
            if isinstance(action, tunnel_plan.ON_LINKS):
                kernel.apply(action)
            elif isinstance(action, tunnel_plan.ON_PORTS):
                fou.apply(action)
            else:
                sysctl.apply(action)

        # A link is tuned before it is up, and nothing is given up before what takes its place is there.
        plan = joined(make, tuning, start, stop)
        if any(isinstance(change.action, tunnel_plan.ON_LINKS) for change in plan.changes):
            kernel.ready()
        result = carry_out_booked(module, plan, one_by_one(apply), book, settlement.claimed, settlement.settled)
    result["left_alone"] = list(links.left_alone)
    result["left_over"] = list(links.left_over)
    return result


@dataclass(frozen=True)
class _Filters:
    """The reverse path filters of the links: now, and in a file that is read when a link appears."""

    owner: str
    # A name of its own in the ledger, so that purging here never touches what sysctl_profile claimed.
    claimant: str
    path: str
    file: File | None

    @classmethod
    def of(cls, owner: str) -> _Filters:
        path = TRACES["tunnels"].path(owner)
        return cls(owner, f"{owner}:tunnels", path, read_file(path))

    def are_ours(self, ledger: Ledger) -> bool:
        return self.file is not None or bool(ledger.owned(sysctl_plan.KIND, self.claimant))

    def plan(
        self,
        ledger: Ledger,
        links: Settlement,
        wishes: list[tunnel_plan.End] | None,
        forgotten: AbstractSet[str],
        *,
        present: bool,
        purge: bool,
    ) -> tuple[Plan, Settlement]:
        """The changes, and the ledger around the run with the claims of both kinds."""
        listed = None if wishes is None else set(tunnel_plan.sysctls(wishes))
        wanted = tunnel_plan.sysctls(wishes or ()) if present else {}
        let_go = to_let_go(ledger, sysctl_plan.KIND, self.claimant, listed, present=present, purge=purge)
        # A link that is made anew has the kernel's own values, and one that is removed needs none back.
        current = sysctl.read({*wanted, *let_go} - forgotten)
        at_boot = sysctl_plan.persisted_values(self.file, wanted, listed, purge=purge and present)
        file = sysctl_plan.render(self.owner, at_boot)

        def settled(book: Ledger) -> tuple[Plan, Settlement]:
            return sysctl_plan.plan_sysctls(
                book, self.claimant, current, wanted, let_go, listed if present else None, self.path, self.file, file
            )

        plan, claimed = settled(links.claimed)
        return plan, Settlement(claimed.claimed, settled(links.settled)[1].settled, (), {}, ())
