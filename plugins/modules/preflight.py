#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_look/preflight.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight
short_description: Look whether a host can be a director, real server or router, before anything is touched
version_added: 0.1.0
description:
  - Looks for what is needed and changes nothing; no kernel module is loaded. Packet rules, of O(packet_rules) or of
    O(plan), are an exception, because only trying tells which packet filter the kernel serves. Modules of the packet
    filter may be loaded then, those of IPVS are not. A configuration of O(keepalived) is in a file of its own for as
    long as keepalived reads it.
  - Fails once with everything that is missing, and what to do about each. That includes root, room and the right to
    write in the directories where files for the next boot and the ledger go, and a ledger that is not damaged.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes.info
  - lvs.topology.parts
options:
  kernel_modules:
    description: Kernel modules that have to be loaded, loadable or built in.
    type: list
    elements: str
    default: []
  kernel_options:
    description:
      - Options that the running kernel must have been built with, such as V(IP_VS_PROTO_SCTP), without C(CONFIG_).
      - They are looked up in C(/boot/config-RELEASE), C(/lib/modules/RELEASE/config) or C(/proc/config.gz). A host that
        has none of these passes.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
  sysctls:
    description:
      - Names of sysctls that have to exist, besides those of O(plan). Those that come with a kernel module, as all
        below C(net.ipv4.vs) do, and interfaces that are not there yet are no reason to fail.
    type: list
    elements: str
    default: []
    version_added: 0.2.0
  plan:
    description:
      - What M(lvs.topology.host_state) is going to be asked for, by the same O(owner). Its kernel modules, kernel
        options, kernels, sysctls, interfaces, commands, packet rules and manager are looked for besides those that the
        options of these names give.
      - Where nothing is missing, that is planned here already. A plan that would be refused then is refused now, and
        RV(in_place) says whether there is anything to do.
      - Where C(/proc/sys) is read-only, as it is in a container, each sysctl of it has to have its value already.
    type: dict
    version_added: 0.4.0
  kernels:
    description: The oldest kernels with which something works.
    type: list
    elements: dict
    default: []
    version_added: 0.2.0
    suboptions:
      release:
        description: The first release that can do it, such as V(5.3).
        type: str
        required: true
      because:
        description: What needs it, for the message.
        type: str
        required: true
  interfaces:
    description: Network interfaces that have to exist.
    type: list
    elements: str
    default: []
  python_modules:
    description: Python modules that the interpreter of this task has to find, such as V(pyroute2).
    type: list
    elements: str
    default: []
  commands:
    description: Commands that have to be there, such as V(ipvsadm).
    type: list
    elements: str
    default: []
  missing:
    description:
      - What becomes of O(python_modules) and O(commands) that are not there. V(fail) refuses, V(report) only names the
        packages in RV(missing_packages), for somebody to install.
    type: str
    choices: [fail, report]
    default: fail
  packet_rules:
    description:
      - The options of M(lvs.topology.packet_rules), for rules that the host's packet filter has to take. They are tried
        in a network namespace that exists for that moment only.
      - A mark that a rule of somebody else sets already is refused.
    type: dict
    suboptions:
      backend:
        description: As O(lvs.topology.packet_rules#module:backend).
        type: str
        choices: [auto, nftables, iptables]
        default: auto
      marks:
        description: As O(lvs.topology.packet_rules#module:marks).
        type: list
        elements: dict
        suboptions:
          mark:
            description: The mark.
            type: int
            required: true
          address:
            description: The destination.
            type: str
            required: true
          protocol:
            description: The protocol.
            type: str
            choices: [tcp, udp, sctp]
            default: tcp
          ports:
            description: Ports and ranges of ports.
            type: list
            elements: str
      source_nat:
        description: As O(lvs.topology.packet_rules#module:source_nat).
        type: list
        elements: dict
        suboptions:
          address:
            description: The VIP.
            type: str
          port:
            description: The service's port.
            type: int
            default: 0
          protocol:
            description: The protocol.
            type: str
            choices: [tcp, udp, sctp]
            default: tcp
          fwmark:
            description: The mark, in place of an address.
            type: int
          family:
            description: The address family of the mark's service.
            type: str
            choices: [ipv4, ipv6]
          destinations:
            description: The real servers.
            type: list
            elements: str
          to:
            description: The director's addresses.
            type: list
            elements: str
            required: true
  manager:
    description:
      - Who is going to fill the IPVS table, this collection itself (V(kernel)) or V(keepalived). Whoever else does, or
        will after the next boot, is refused, because two undo each other's work. Left out, nobody is looked for.
      - That is kube-proxy in its ipvs mode, the service of ipvsadm, ldirectord, and for V(kernel) a keepalived that
        this collection did not set up and that has virtual servers. With V(checker), keepalived fills the table without
        VRRP.
    type: str
    choices: [kernel, keepalived, checker]
    version_added: 0.3.0
  take_over:
    description:
      - Whether those are no reason to fail whom a run ends or replaces. M(lvs.topology.host_state) ends the service of
        ipvsadm and ldirectord where its plan has C(take_over), and M(lvs.topology.keepalived_config) replaces the
        configuration of a keepalived. C(take_over) in O(plan) means the same.
    type: bool
    default: false
    version_added: 0.4.0
  keepalived:
    description:
      - A configuration that keepalived is asked about, with the options of M(lvs.topology.keepalived_config). One that
        it would not take as it is, is refused.
      - The configuration is neither in the host's log nor in the output.
    type: dict
    version_added: 0.4.0
    suboptions:
      content:
        description: As O(lvs.topology.keepalived_config#module:content).
        type: str
        required: true
      secrets:
        description: As O(lvs.topology.keepalived_config#module:secrets).
        type: list
        elements: str
        default: []
      script_user:
        description: As O(lvs.topology.keepalived_config#module:script_user).
        type: str
      guard:
        description: The script that keepalived runs for C(min_up). M(lvs.topology.host_info) says whether it differs.
        type: str
      credentials:
        description: >-
          The names of the files that checks with a login read. M(lvs.topology.host_info) says which are missing.
        type: list
        elements: str
        default: []
        version_added: 0.4.0
      owner:
        description: As O(lvs.topology.keepalived_config#module:owner).
        type: str
        default: lvs
  owner:
    description:
      - The owner of O(plan) and of O(packet_rules), whose own rules are not somebody else's, and of RV(managed_by).
    type: str
    default: lvs
  packets:
    description:
      - Packets that must get in, with the options of O(lvs.topology.host_info#module:packets). The host is not ready
        where its packet filter drops one of them for certain.
    type: list
    elements: dict
    default: []
    version_added: 0.4.0
  give_turn_back:
    description:
      - Where nothing is to be done for any of O(parts), and keepalived has nothing to do with them, give the turn of
        this run back (M(lvs.topology.turn)). The controller's part of the module does it.
    type: bool
    default: false
    version_added: 0.4.0
"""

EXAMPLES = r"""
- name: Can this host be a director?
  lvs.topology.preflight:
    kernel_modules: [ip_vs, ip_vs_wlc]
    interfaces: [eth1]
    python_modules: [pyroute2]
    commands: [ipvsadm]
"""

RETURN = r"""
missing_packages:
  description: The packages that bring the Python modules and commands that are not there, by this distribution's names.
  returned: success
  type: list
  elements: str
  sample: [ipvsadm, python3-pyroute2]
kernel_modules:
  description: Kernel modules that the packet rules need on this host, for M(lvs.topology.kernel_modules).
  returned: success
  type: list
  elements: str
  sample: [xt_ipvs]
managed_by:
  description:
    - Who holds addresses and services of this host by an earlier run, V(kernel) where these are noted as O(owner)'s,
      V(keepalived) where this collection set up keepalived, or holds addresses until it takes over. Both, where a run
      that moves them did not come to its end.
  returned: success
  type: list
  elements: str
  sample: [kernel]
dropped:
  description:
    - Of what C(passing) of O(plan) names, what the packet filter drops whatever else is in it, and its rule or policy.
      The playbooks warn of it, and go on.
  returned: success
  type: list
  elements: dict
  sample: [{name: web, said: "iptables -A INPUT -p tcp -m tcp --dport 80 -j DROP"}]
firewall:
  description: What rules the packet filter, V(firewalld) or V(ufw), where RV(dropped) was looked for. Else empty.
  returned: success
  type: str
  sample: ufw
in_place:
  description:
    - Whether the host is as O(plan) wants it and there is nothing to say of it, so that M(lvs.topology.host_state) need
      not be called.
    - Never where another owner has something on the host as well, because that one's part of a run comes in between;
      the file and the unit of a keepalived that goes on do not count.
  returned: success
  type: bool
keepalived_holds:
  description:
    - Where O(keepalived) is given, the addresses that a keepalived which this collection set up moves so far.
  returned: success
  type: list
  elements: str
  sample: [192.0.2.10/32 dev eth1]
keepalived_left_over:
  description:
    - What earlier runs have left beside the configuration of keepalived, and that O(keepalived) does not need. Without
      O(keepalived), nothing of it is needed.
  returned: success
  type: list
  elements: str
  sample: [/etc/keepalived/lvs_checks/mysql-0123456789abcdef]
keepalived_in_place:
  description:
    - Whether keepalived has O(keepalived) already, so that M(lvs.topology.keepalived_config) need not be called.
  returned: success
  type: bool
messages:
  description: What keepalived says of O(keepalived).
  returned: success
  type: list
  elements: str
unseen:
  description: What of the packet filter could not be read for O(packets) and for C(passing) of O(plan).
  returned: success
  type: list
  elements: str
keepalived_runs:
  description: Whether a keepalived runs, whoever started it.
  returned: success
  type: bool
parts:
  description:
    - For each part its own RV(missing_packages), RV(kernel_modules), RV(managed_by), RV(keepalived_runs),
      RV(keepalived_holds), RV(keepalived_left_over), RV(keepalived_in_place), RV(messages), RV(unseen)
      and RV(in_place), by the name of the part.
    - The C(plan) that was asked for is there as it was given, a mapping or text, with RV(kernel_modules) among its own,
      and without its C(passing) and C(bird). C(planned) has its C(manager), all of its C(kernel_modules), and how many
      C(services) it has.
  returned: success
  type: dict
  sample: {}
kernel:
  description: The release of the running kernel.
  returned: success
  type: str
  sample: 6.1.0-40-amd64
"""

from ansible_collections.lvs.topology.plugins.module_utils._look.preflight import OF_A_PART, PART, look
from ansible_collections.lvs.topology.plugins.module_utils._module import Discreet
from ansible_collections.lvs.topology.plugins.module_utils._options import KERNELS, PACKET_RULES
from ansible_collections.lvs.topology.plugins.module_utils._plan import run

_SPEC = {
    **OF_A_PART,
    "kernel_modules": {"type": "list", "elements": "str", "default": []},
    "kernel_options": {"type": "list", "elements": "str", "default": []},
    "sysctls": {"type": "list", "elements": "str", "default": []},
    "kernels": {**KERNELS, "default": []},
    "packet_rules": PACKET_RULES,
}


def main() -> None:
    run(
        Discreet(
            # What keepalived is asked about has passwords.
            shown={*_SPEC, "give_turn_back"} - {"keepalived"},
            argument_spec={
                **_SPEC,
                "parts": {
                    "type": "list",
                    "elements": "dict",
                    "default": [],
                    "options": PART,
                },
                "give_turn_back": {"type": "bool", "default": False},
            },
            supports_check_mode=True,
        ),
        look,
    )


if __name__ == "__main__":
    main()
