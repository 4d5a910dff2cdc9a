# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module packet_rules: our rules of nft and iptables, as their commands list them and take them.

Which of them the kernel serves, and how it words a rule, shows when the rules are really added: in a network namespace
that exists for that moment only. What comes out is compared with what the host has, word for word, whatever the
versions of kernel and command.

What reads the marks of other people's rules is imported where there are such: Python compiles it anew in every run.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Callable, Iterator, Mapping, Sequence, Union

from ansible_collections.lvs.topology.plugins.module_utils import _commands
from ansible_collections.lvs.topology.plugins.module_utils._filter import packet_rules_plan as rules_plan
from ansible_collections.lvs.topology.plugins.module_utils._filter import packet_rules_text as rules_text
from ansible_collections.lvs.topology.plugins.module_utils._filter.packet_rules_plan import Rule
from ansible_collections.lvs.topology.plugins.module_utils._filter.packet_rules_text import Listing
from ansible_collections.lvs.topology.plugins.module_utils._ledger_file import LedgerFile, carry_out_booked
from ansible_collections.lvs.topology.plugins.module_utils._mistakes import Mistakes
from ansible_collections.lvs.topology.plugins.module_utils._net.kmod import Modules
from ansible_collections.lvs.topology.plugins.module_utils._plan import Change, Plan, Refused, joined

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule
    from ansible_collections.lvs.topology.plugins.module_utils._filter.rewriting_words import Rewriting

# Both commands have to run in the same namespace, which goes away with them. Standard input goes to the first.
_TRY = '"$1" $2 && "$3" $4'
_FULL = 0.8


def ensure_packet_rules(module: AnsibleModule, book: LedgerFile) -> dict[str, Any]:
    """What the module packet_rules does."""
    params = module.params
    owner = params["owner"]
    present = params["state"] == "present"
    mistakes = Mistakes()
    rules_plan.check_owner(owner, mistakes)
    rules = None
    if params["marks"] is not None or params["source_nat"] is not None:
        rules = rules_plan.check(params["marks"] or [], params["source_nat"] or [], mistakes)
    mistakes.raise_if_any()
    wanted, settlement = rules_plan.plan_rules(book.load(), owner, rules, present=present, purge=params["purge"])
    if not wanted and not settlement.claimed.owned(rules_plan.KIND, owner):
        # Nothing to do, so the commands need not be there either.
        return {"changed": False, "changes": [], "left_over": [], "backend": None}

    filters = PacketFilters()
    if present:
        filters.refuse_foreign_marks(owner, params["marks"] or [], "", mistakes)
        mistakes.raise_if_any()
    after: Listing = {}
    backend = None
    if wanted:
        backend, after = filters.serve(params["backend"], owner, wanted)
    before = filters.current(owner)
    # What is wanted comes before what another backend had goes.
    plans = {
        table: rules_text.plan_table(table, before.get(table, ()), after.get(table, ()))
        for table in {**after, **before}
    }
    for warning in filters.warnings(owner, wanted):
        module.warn(warning)
    result = carry_out_booked(
        module,
        joined(*plans.values()),
        filters.replacing(owner, plans),
        book,
        settlement.claimed,
        settlement.settled,
    )
    result["left_over"] = list(settlement.left_over)
    result["backend"] = backend
    return result


class NotServed(Exception):
    """The kernel does not take the rules from this command; the message is what the command said."""


class Nft:
    """The command nft."""

    backend = "nftables"

    def __init__(self, command: str) -> None:
        self._command = command

    def __str__(self) -> str:
        return self._command

    def listings(self) -> list[str]:
        return [_listing([self._command, "list", "ruleset"])]

    def handles(self) -> str:
        """The whole ruleset, with the handle of each rule, and without what it has counted."""
        return _listing([self._command, "-s", "-a", "list", "ruleset"], is_needed=True)

    def current(self, owner: str, listings: Sequence[str]) -> Listing:
        return rules_text.read_nft(owner, listings[0])

    def rewritings(self, listings: Sequence[str]) -> Iterator[Rewriting]:
        from ansible_collections.lvs.topology.plugins.module_utils._filter import rewriting_rules

        return rewriting_rules.of_nft(listings[0])

    def tried(self, owner: str, rules: Sequence[Rule]) -> Listing:
        text = rules_text.replace_nft(owner, rules_text.render_nft(owner, rules))
        return rules_text.read_nft(owner, _try((self._command, "-f -"), (self._command, "list ruleset"), text))

    def transaction(self, owner: str, plan: Plan, _table: str) -> tuple[list[str], str]:
        return [self._command, "-f", "-"], rules_text.replace_nft(owner, plan.after)


class Iptables:
    """iptables and ip6tables of one kind."""

    backend = "iptables"

    def __init__(self, command: str) -> None:
        self._directory, self.name = os.path.split(command)

    def __str__(self) -> str:
        return f"{self._directory}/{self.name}"

    def commands(self) -> Iterator[tuple[int, str]]:
        yield 4, self.name
        yield 6, self.name.replace("iptables", "ip6tables")

    def path(self, name: str, verb: str) -> str:
        return f"{self._directory}/{name}-{verb}"

    def listings(self, *, is_needed: bool = False) -> list[str]:
        return [_listing([self.path(name, "save")], is_needed=is_needed) for _family, name in self.commands()]

    def current(self, owner: str, listings: Sequence[str]) -> Listing:
        found: Listing = {}
        for (_family, name), saved in zip(self.commands(), listings):
            found.update(rules_text.read_iptables(owner, name, saved))
        return found

    def rewritings(self, listings: Sequence[str]) -> Iterator[Rewriting]:
        from ansible_collections.lvs.topology.plugins.module_utils._filter import rewriting_rules

        for (family, _name), saved in zip(self.commands(), listings):
            yield from rewriting_rules.of_iptables(saved, family)

    def tried(self, owner: str, rules: Sequence[Rule]) -> Listing:
        found: Listing = {}
        for family, name in self.commands():
            rendered = rules_text.render_iptables(owner, name, rules, family)
            if not rendered:
                continue
            text = "".join(
                rules_text.replace_iptables(owner, _table_of(table), (), lines) for table, lines in rendered.items()
            )
            restore = (self.path(name, "restore"), "-w 10 --noflush")
            if not os.path.exists(restore[0]):
                raise NotServed(f"there is no {restore[0]}")
            if os.path.isdir("/sys/module/ip_vs"):
                saved = _try(restore, (self.path(name, "save"), ""), text)
                found.update(rules_text.read_iptables(owner, name, saved))
            else:
                # A look must not load ip_vs. While it is not there, no rule that speaks of it is there either, and
                # how the kernel would word it does not matter.
                _try(restore, (self.path(name, "save"), ""), rules_text.without_ipvs(text))
                found.update(rendered)
        return found

    def transaction(self, owner: str, plan: Plan, table: str) -> tuple[list[str], str]:
        text = rules_text.replace_iptables(owner, _table_of(table), plan.before, plan.after)
        return [self.path(table.split(maxsplit=1)[0], "restore"), "-w", "10", "--noflush"], text


Tool = Union[Nft, Iptables]


class PacketFilters:
    """Every command of a packet filter that the host has; what each of them lists is read once."""

    def __init__(self) -> None:
        self.tools = list(tools())
        self._listings = [tool.listings() for tool in self.tools]

    def serve(self, backend: str, owner: str, rules: Sequence[Rule]) -> tuple[str, Listing]:
        """The first command of that backend that the kernel serves: its name, and how the kernel words the rules."""
        said = []
        for tool in self.tools:
            if backend in ("auto", tool.backend):
                try:
                    return str(tool), tool.tried(owner, rules)
                except NotServed as problem:
                    said.append(f"{tool} says: {problem}")
        kernel = os.uname().release
        if not said:
            raise Refused(
                f"There is no command for the packet filter ({backend}). Install the package nftables or iptables."
            )
        raise Refused(
            f"No packet filter ({backend}) of the kernel {kernel} takes these rules. {' '.join(said)} Run as root; the "
            "kernel needs nf_tables with nft_chain_nat, or iptable_nat and iptable_mangle with xt_ipvs and xt_mark."
        )

    def current(self, owner: str) -> Listing:
        """What the owner has in all of them."""
        found: Listing = {}
        for tool, listings in zip(self.tools, self._listings):
            found.update(tool.current(owner, listings))
        return found

    def refuse_foreign_marks(
        self, owner: str, marks: Sequence[Mapping[str, Any]], option: str, mistakes: Mistakes
    ) -> None:
        """Others may mark what is marked here anyway, as somebody did by hand before: nothing else gets the mark."""
        foreign: dict[int, list[str]] = {}
        for listings in self._listings:
            for listing in listings:
                for mark, lines in rules_text.foreign_marks(owner, listing).items():
                    foreign.setdefault(mark, []).extend(lines)
        if not any(item["mark"] in foreign for item in marks):
            return
        from ansible_collections.lvs.topology.plugins.module_utils._filter import rewriting_rules

        wanted = [each for each in rules_plan.check(marks, [], Mistakes()) if isinstance(each, rules_plan.Mark)]
        harmless = rewriting_rules.redundant(self._rewritings(), wanted)
        for position, item in enumerate(marks):
            others = [line for line in foreign.get(item["mark"], ()) if line not in harmless]
            if others:
                mistakes.add(
                    f"{option}marks[{position}].mark",
                    f"{item['mark']} is set by a rule of somebody else already ({others[0]}); "
                    "use another mark, or remove that rule",
                )

    def _rewritings(self) -> Iterator[Rewriting]:
        for tool, listings in zip(self.tools, self._listings):
            yield from tool.rewritings(listings)

    def warnings(self, owner: str, rules: Sequence[Rule]) -> Iterator[str]:
        """What works, and may fail one day where sources are translated."""
        if not any(isinstance(rule, rules_plan.SourceNat) for rule in rules):
            return
        for listings in self._listings:
            for listing in listings:
                broad = rules_text.broad_masquerade(owner, listing)
                if broad:
                    yield (
                        f"{broad!r}, a rule of somebody else, hides the clients of every NAT service too, because "
                        "net.ipv4.vs.conntrack is on; exempt what goes to the real servers where that matters"
                    )
                    return
        count, limit = (_number(f"/proc/sys/net/netfilter/nf_conntrack_{name}") for name in ("count", "max"))
        if count > _FULL * limit:
            yield (
                f"the connection tracking table is nearly full ({count} of {limit}), and each connection of FULLNAT "
                "needs an entry; raise net.netfilter.nf_conntrack_max"
            )

    def replacing(self, owner: str, plans: Mapping[str, Plan]) -> Callable[[Sequence[Change]], None]:
        """Apply the changes of all plans, each table in one transaction."""

        def apply_all(_changes: Sequence[Change]) -> None:
            applied = 0
            for table, plan in plans.items():
                if plan.changes:
                    self._replace(owner, table, plan, applied)
                    applied += len(plan.changes)

        return apply_all

    def _replace(self, owner: str, table: str, plan: Plan, applied: int) -> None:
        name = table.split(maxsplit=1)[0].replace("ip6tables", "iptables")
        tool = next(each for each in self.tools if os.path.basename(str(each)) == name)
        command, text = tool.transaction(owner, plan, table)
        status, _output, errors = _commands.run(command, text)
        if status != 0:
            raise Refused(
                f"{' '.join(command)} failed for {table}: {_one_line(errors)}. Nothing of it is there.", applied
            )


def look_at(owner: str, wish: Mapping[str, Any]) -> tuple[list[str], list[str], list[str]]:
    """What preflight says of packet rules: problems, packages to install, and kernel modules to load for them."""
    mistakes = Mistakes()
    rules_plan.check_owner(owner, mistakes)
    rules = rules_plan.check(wish["marks"] or [], wish["source_nat"] or [], mistakes, "packet_rules.")
    mistakes.raise_if_any()
    if not rules:
        return [], [], []
    filters = PacketFilters()
    filters.refuse_foreign_marks(owner, wish["marks"] or [], "packet_rules.", mistakes)
    mistakes.raise_if_any()
    try:
        command, listing = filters.serve(wish["backend"], owner, rules)
    except Refused as refusal:
        lacking = _lacking(wish["backend"], filters.tools)
        return [] if lacking else [f"packet_rules: {refusal}"], lacking, []
    uses_ipvs = any(" -m ipvs " in line for lines in listing.values() for line in lines)
    kernel = Modules()
    if uses_ipvs and kernel.chain("xt_ipvs") is None:
        return [f"packet_rules: {command} needs a match that is not there. {kernel.advice(['xt_ipvs'])}"], [], []
    return [], [], ["xt_ipvs"] if uses_ipvs else []


def _lacking(backend: str, tools: Sequence[Tool]) -> list[str]:
    """The command that may help where none of those that are there does."""
    there = {tool.backend for tool in tools}
    names = {"nftables": "nft", "iptables": "iptables"}
    return [names[name] for name in names if backend in ("auto", name) and name not in there][:1]


def boot_texts(owner: str, backend: str, rules: Sequence[Rule]) -> dict[str, str]:
    """What brings the rules back, by the suffix of the file; nothing where there are none."""
    if not rules:
        return {}
    filters = PacketFilters()
    # In the order in which the module packet_rules has them.
    _command, listing = filters.serve(backend, owner, rules_plan.in_order(rules))
    texts: dict[str, str] = {}
    for table, lines in listing.items():
        name = table.split()[0]
        if name == "nft":
            texts["nft"] = rules_text.replace_nft(owner, lines)
        else:
            suffix = name.split("-")[0]
            text = rules_text.replace_iptables(owner, _table_of(table), (), lines)
            texts[suffix] = texts.get(suffix, "") + text
    return texts


def tools() -> Iterator[Tool]:
    """In the order of preference: nft, then the iptables that is the distribution's choice, then the others."""
    nft = _commands.find("nft")
    if nft is not None:
        yield Nft(nft)
    seen = set()
    for name in ("iptables", "iptables-legacy", "iptables-nft"):
        command = _commands.find(name)
        if command is not None and os.path.realpath(command) not in seen:
            seen.add(os.path.realpath(command))
            yield Iptables(command)


def _table_of(table: str) -> str:
    return table.rpartition(" ")[2]


def _try(add: tuple[str, str], show: tuple[str, str], text: str) -> str:
    """What a namespace lists after the rules were added to it."""
    unshare = _commands.find("unshare") or "unshare"
    status, output, errors = _commands.run([unshare, "--net", "sh", "-c", _TRY, "sh", *add, *show], text)
    if status != 0:
        raise NotServed(_one_line(errors))
    return str(output)


def _listing(command: Sequence[str], *, is_needed: bool = False) -> str:
    """What the command lists. One that cannot list serves nothing, and holds nothing of ours.

    ``is_needed``: what it does not list may drop packets, so that it is refused to go on without it.
    """
    if not os.path.exists(command[0]):
        return ""
    status, output, errors = _commands.run(command)
    if status != 0 and is_needed:
        raise Refused(
            f"`{' '.join(command)}` failed, so what the firewall drops is not known: {_one_line(errors)} Run it by "
            "hand to see why, then run the playbook again, or use lvs_firewall: check."
        )
    return output if status == 0 else ""


def _one_line(errors: str) -> str:
    said = " ".join(errors.split())
    return said if len(said) <= 300 else said[:300] + "..."


def _number(path: str) -> int:
    try:
        with open(path, encoding="ascii") as file:
            return int(file.read())
    except FileNotFoundError:
        return 0
