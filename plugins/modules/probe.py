#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_look/probe.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: probe
version_added: 0.4.0
short_description: Connect to services as a client does
description:
  - Opens connections to TCP services, 200 at a time and each from a port of its own, and says how many came about, and
    how large the packets are that would be sent on them. Each is closed at once, and without a question nothing is
    sent.
  - With O(endpoints[].question) it asks each of them something, and counts who answers. What the answer says is not
    looked at. Services by UDP cannot be tried in another way.
  - With at least as many connections as a service has real servers, and a scheduler that takes one after the other,
    each real server gets a connection. One that drops what it gets shows as connections that nobody answers.
  - Connections of directors and real servers do not go through the table as those of clients do, so run it on a host
    that is neither. A director can go through its own table by a firewall mark, with O(endpoints[].fwmark) and
    O(endpoints[].source).
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes.info
options:
  endpoints:
    description: Where to connect to.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: What the answer calls it.
        type: str
      address:
        description: The address, IPv4 or IPv6.
        type: str
        required: true
      port:
        description: The port, 1 to 65535.
        type: int
        required: true
      connections:
        description: How many connections, 1 to 1000.
        type: int
        default: 1
      source:
        description: The address of this host to connect from, of the same family. Without it the kernel chooses.
        type: str
      fwmark:
        description:
          - The firewall mark of what is sent, 1 to 4294967295. On a director, a service by that mark forwards it.
          - The process needs CAP_NET_ADMIN.
        type: int
      protocol:
        description: V(udp) needs a question, which is sent up to three times.
        type: str
        choices: [tcp, udp]
        default: tcp
      patience:
        description: How many seconds to wait for an answer, in place of O(timeout), 1 to 60.
        type: int
      question:
        description: What is asked once there is a connection.
        type: dict
        suboptions:
          kind:
            description: V(http) asks for a path, V(dns) for a record, and V(bytes) is what only that program knows.
            type: str
            choices: [http, dns, bytes]
            required: true
          path:
            description: Of V(http), what is asked for.
            type: str
          host:
            description: Of V(http), the name of the host that the request is for.
            type: str
          size:
            description:
              - Of V(http), how many bytes the request has at least, 0 to 8000. With more than one packet can carry, an
                answer shows that large packets arrive.
            type: int
          name:
            description: Of V(dns), the domain. Without it the root is asked for.
            type: str
          query_type:
            description: Of V(dns), the type of the record. Without it V(SOA).
            type: str
            choices: [A, NS, CNAME, SOA, MX, TXT, AAAA]
          payload:
            description: Of V(bytes), what is sent, in hexadecimal digits.
            type: str
  must_connect:
    description: Fail where a connection did not come about, and name it.
    type: bool
    default: false
  timeout:
    description: How many seconds to wait for each connection, and then for its answer, 1 to 60.
    type: int
    default: 5
seealso:
  - module: lvs.topology.host_info
  - plugin: lvs.topology.client_endpoints
    plugin_type: filter
"""

EXAMPLES = r"""
- name: See whether both real servers behind a VIP serve
  lvs.topology.probe:
    endpoints:
      - name: web
        address: 192.168.246.160
        port: 80
        connections: 4
    timeout: 2
  register: probed

- name: See whether a request larger than the MTU gets through, and whether name servers answer
  lvs.topology.probe:
    endpoints:
      - address: 192.168.246.160
        port: 80
        question: {kind: http, path: /, host: www.example.com, size: 8000}
      - address: 192.168.246.160
        port: 53
        protocol: udp
        question: {kind: dns, name: example.com, query_type: A}

- name: On a director, connect to one real server through the VIP, by a service of this mark with no other real server
  lvs.topology.probe:
    endpoints:
      - address: 192.168.246.160
        port: 80
        source: 192.168.246.166
        fwmark: 1011
  register: probed
"""

RETURN = r"""
endpoints:
  description: The endpoints in their order, each with its options and how its connections ended.
  returned: success
  type: list
  elements: dict
  contains:
    connected:
      description: How many came about.
      returned: success
      type: int
    silent:
      description: How many nobody answered within the timeout; of UDP, how many questions.
      returned: success
      type: int
    failed:
      description: How many failed otherwise, by the reason that the system gave.
      returned: success
      type: dict
    answered:
      description: On how many an answer came, or a reset.
      returned: success
      type: int
    repeated:
      description: Of those that were answered by UDP, how many only when they were asked again.
      returned: success
      type: int
    unanswered:
      description: How many came about, and nothing more than that came within the timeout.
      returned: success
      type: int
    packets:
      description:
        - By the size of the largest packet that would be sent, IP header included, the number of connections. It is
          what the other end announced as the size of its segments, or less where the way is known to carry less.
      returned: success
      type: dict
  sample:
    - name: web
      address: 192.168.246.160
      port: 80
      protocol: tcp
      connections: 4
      source: null
      fwmark: null
      patience: null
      question: null
      connected: 2
      silent: 2
      failed: {}
      answered: 0
      unanswered: 0
      repeated: 0
      packets: {"1480": 2}
"""

from ansible_collections.lvs.topology.plugins.module_utils._look.probe import probe
from ansible_collections.lvs.topology.plugins.module_utils._look.questions import SPEC
from ansible_collections.lvs.topology.plugins.module_utils._module import Module
from ansible_collections.lvs.topology.plugins.module_utils._plan import run_outside_of_turns


def main() -> None:
    run_outside_of_turns(
        Module(
            argument_spec={
                "endpoints": {
                    "type": "list",
                    "elements": "dict",
                    "required": True,
                    "options": {
                        "name": {"type": "str"},
                        "address": {"type": "str", "required": True},
                        "port": {"type": "int", "required": True},
                        "connections": {"type": "int", "default": 1},
                        "source": {"type": "str"},
                        "fwmark": {"type": "int"},
                        "protocol": {"type": "str", "choices": ["tcp", "udp"], "default": "tcp"},
                        "patience": {"type": "int"},
                        "question": {"type": "dict", "options": SPEC},
                    },
                },
                "must_connect": {"type": "bool", "default": False},
                "timeout": {"type": "int", "default": 5},
            },
            supports_check_mode=True,
        ),
        probe,
    )


if __name__ == "__main__":
    main()
