# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the ipvs_* modules have in common."""

from __future__ import annotations


class ModuleDocFragment:
    """Requirements and notes, the same for all."""

    DOCUMENTATION = r"""
options: {}
requirements:
  - Linux with IPVS (kernel module C(ip_vs)); nothing needs to be installed besides, not even C(ipvsadm).
  - The privilege CAP_NET_ADMIN, so C(become) is true as a rule.
notes:
  - The table is read from the kernel each time, over netlink, so that changes made by hand are seen.
  - The table is that of the network namespace in which the module runs. It is gone after a reboot.
  - The kernel's interface is C(include/uapi/linux/ip_vs.h); ranges are those of C(ipvsadm) 1.31.
"""

    LOADING = r"""
options: {}
notes:
  - A missing C(ip_vs) is loaded with C(modprobe) to add to the table, never to take away from it. In check mode nothing
    is loaded, and a kernel without C(ip_vs) counts as one with an empty table.
"""

    SERVICE = r"""
options:
  scheduler:
    description:
      - The scheduler, such as V(rr), V(wrr), V(lc), V(wlc), V(lblc), V(lblcr), V(dh), V(sh), V(sed), V(nq), V(fo),
        V(ovf), V(mh) or V(twos). Any name that the kernel has a module C(ip_vs_NAME) for.
      - A new service gets V(wlc).
    type: str
  scheduler_flags:
    description:
      - How V(sh) and V(mh) choose. V(sh-port) and V(mh-port) hash the client's port as well, V(sh-fallback) and
        V(mh-fallback) go to another real server where the first choice is not available.
      - V(flag-1) to V(flag-3) are the kernel's bits for a scheduler that C(ipvsadm) has no words for.
      - This is the whole list. An empty list switches all flags off. A new service has none, and so has one whose
        scheduler changes while this is left out.
    type: list
    elements: str
    choices: [sh-port, sh-fallback, mh-port, mh-fallback, flag-1, flag-2, flag-3]
  one_packet:
    description:
      - One-packet scheduling, each datagram for itself. Only for UDP and firewall mark services.
      - A new service gets V(false).
    type: bool
  persistence:
    description:
      - Send a client's connections to the same real server for some time.
      - Given, even empty, it switches persistence on; O(persistence.timeout=0) switches it off.
      - A new service is not persistent.
    type: dict
    suboptions:
      timeout:
        description:
          - How long after its last connection a client keeps its real server, in seconds, up to 2678400 (31 days).
          - V(0) switches persistence off.
          - A service that was not persistent gets V(300).
        type: int
      netmask:
        description:
          - Which clients count as one. IPv4, a netmask such as V(255.255.255.0); IPv6, a prefix length from V(1) to
            V(128).
          - A service that was not persistent gets V(255.255.255.255) or V(128), each client for itself.
        type: str
      engine:
        description:
          - The persistence engine, such as V(sip), which goes by a call's Call-ID. V(none) for none.
          - A service that was not persistent gets V(none).
        type: str
"""

    REAL_SERVER = r"""
options:
  forward:
    description:
      - The forwarding method, V(nat) (masquerading), V(dr) (direct routing, gatewaying) or V(tun) (tunnelling).
      - A new real server gets V(dr).
    type: str
    choices: [nat, dr, tun]
  weight:
    description:
      - Its capacity relative to the others', from V(0) to V(2147483647). With V(0) it gets no new connections and keeps
        those it has.
      - A new real server gets V(1).
    type: int
  upper_threshold:
    description:
      - From this many connections on it gets no new ones, up to V(65535). V(0) for no limit.
      - A new real server gets V(0).
    type: int
  lower_threshold:
    description:
      - Below this many connections it gets new ones again, up to V(65535) and not above O(upper_threshold). V(0) for
        three quarters of the upper threshold.
      - A new real server gets V(0).
    type: int
  tunnel:
    description: The tunnel to the real server. Only with O(forward=tun).
    type: dict
    suboptions:
      type:
        description:
          - The kind of tunnel, V(ipip), V(gue) (Linux 5.2 or later) or V(gre) (Linux 5.3 or later).
          - A new real server gets V(ipip).
        type: str
        choices: [ipip, gue, gre]
      port:
        description: The UDP port on which the real server takes V(gue) tunnels, from V(1) to V(65535). Needed there.
        type: int
      checksum:
        description:
          - The tunnel's checksum, for V(gue) and V(gre). V(remote) is remote checksum offload, for V(gue) only.
          - A new real server gets V(none).
        type: str
        choices: [none, "on", remote]
"""

    KEY = r"""
options:
  address:
    description:
      - The virtual IP address (VIP), IPv4 or IPv6.
      - Either this or O(fwmark).
    type: str
  port:
    description:
      - The port, from V(0) to V(65535). V(0) is every port, for persistent services only.
      - Needed with O(address).
    type: int
  protocol:
    description: The protocol of a service with an O(address). Left out, V(tcp).
    type: str
    choices: [tcp, udp, sctp]
  fwmark:
    description: The firewall mark of the packets that the service takes, from V(1) to V(4294967295).
    type: int
  family:
    description:
      - The address family of a service with an O(fwmark). Left out, V(ipv4).
      - That of a service with an address is known.
    type: str
    choices: [ipv4, ipv6]
"""
