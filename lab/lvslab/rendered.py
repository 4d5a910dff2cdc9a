# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts, ssh and Ansible are told of a network: files, words of a boot, a configuration, an inventory. Pure."""

from __future__ import annotations

import hashlib
from typing import Any

from . import managed
from .network import Host, Network


def seed(network: Network, host: Host, public_key: str) -> dict[str, str]:
    """The files that a host reads at every boot, by name."""
    ip = []
    for nic in host.nics if host.manager is None else host.nics[:1]:
        ip.append(f"link set {nic.name} up")
        for address in nic.addresses:
            # Nobody else has it, and a tentative address is of no use to what starts next.
            ip.append(f"address replace {address} dev {nic.name}{' nodad' if ':' in address else ''}")
    if host.manager is None:
        ip += [f"route replace default via {gateway}" for gateway in host.gateways]
        ip += [f"route replace {to} via {via}" for to, via in host.routes]
    names = ["127.0.0.1 localhost", "::1 localhost"]
    for other in network.hosts:
        addresses = [address.split("/")[0] for nic in other.nics[1:] for address in nic.addresses]
        names += [f"{address} {other.name}" for address in addresses or [other.management]]
    return {
        "hostname": f"{host.name}\n",
        "hosts": "\n".join(names) + "\n",
        "interfaces": "".join(f"{nic.mac} {nic.name}\n" for nic in host.nics),
        "ip": "\n".join(ip) + "\n",
        "sysctl": "net.ipv4.ip_forward = 1\nnet.ipv6.conf.all.forwarding = 1\n" if host.forwarding else "",
        "nginx.conf": _NGINX.replace("HOST", host.name) if host.web else "",
        "authorized_keys": public_key,
        **managed.files(host),
    }


def words(network: Network, host: Host) -> list[str]:
    """What the kernel's command line tells systemd on a host."""
    machine = hashlib.sha256(f"{network.name} {host.name}".encode()).hexdigest()[:32]
    # The units of the managers of networks have this as a condition.
    return [f"systemd.machine_id={machine}", *([f"lab.manager={host.manager}"] if host.manager else [])]


_NGINX = """\
user www-data;
worker_processes 1;
pid /run/nginx.pid;
events { worker_connections 1024; }
http {
    access_log off;
    keepalive_timeout 0;
    server {
        listen 80 default_server;
        listen [::]:80 default_server;
        default_type text/plain;
        location / { return 200 "HOST\\n"; }
        location /client { return 200 "$remote_addr\\n"; }
        location /files/ { root /srv; }
    }
}
"""


def ssh_config(network: Network, key: str, sockets: str, connect: str) -> str:
    """An ssh_config with which ssh, ansible and testinfra reach the hosts from outside the lab's namespace."""
    lines = [line for host in network.hosts for line in (f"Host {host.name}", f"    HostName {host.management}")]
    return "\n".join(
        [
            *lines,
            "Host *",
            "    User root",
            f'    IdentityFile "{key}"',
            "    IdentitiesOnly yes",
            "    PreferredAuthentications publickey",
            "    StrictHostKeyChecking no",
            "    UserKnownHostsFile /dev/null",
            "    GlobalKnownHostsFile /dev/null",
            "    LogLevel ERROR",
            "    ConnectTimeout 60",
            "    ServerAliveInterval 5",
            "    ServerAliveCountMax 12",
            "    ControlMaster auto",
            f'    ControlPath "{sockets}/%h"',
            "    ControlPersist 600",
            # Hands over a connected socket and ends: nothing is relayed.
            f"    ProxyCommand '{connect}' connect {network.name} %h %p",
            "    ProxyUseFdpass yes",
            "",
        ]
    )


def inventory(network: Network, config: str, sockets: str) -> dict[str, Any]:
    """An Ansible inventory of the hosts and their groups."""
    groups: dict[str, Any] = {}
    for host in network.hosts:
        for group in host.groups:
            groups.setdefault(group, {"hosts": {}})["hosts"][host.name] = None
    content: dict[str, Any] = {
        "hosts": {host.name: {"ansible_host": host.management} for host in network.hosts},
        "vars": {
            "ansible_user": "root",
            "ansible_python_interpreter": "/usr/bin/python3",
            # The hosts of every lab have the same addresses, by which Ansible and testinfra would name their sockets.
            "ansible_ssh_common_args": f'-F "{config}" -o ControlPath="{sockets}/%h"',
        },
    }
    if groups:
        content["children"] = groups
    return {"all": content}
