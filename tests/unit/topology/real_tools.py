# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that read our files, asked in a network namespace of its own: keepalived, ip and nft."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import jinja2
import yaml
from ansible_collections.lvs.topology.plugins.module_utils._keepalived.keepalived_text import verdict

KEEPALIVED = Path(__file__).parents[3] / "roles/keepalived"


@lru_cache
def why_not(program: str) -> str | None:
    """Why the program cannot be asked here; None where it can."""
    if shutil.which(program) is None:
        return f"{program} is not installed"
    if os.geteuid() != 0:
        return "only root makes network namespaces"
    script = {"nft": "nft list ruleset", "ip": "ip link add x type bridge"}.get(program, "true")
    run = subprocess.run(["unshare", "-n", "sh", "-c", script], capture_output=True, check=False)
    return None if run.returncode == 0 else f"{program} cannot work in a network namespace of this kernel"


def _links(interfaces: Iterable[str]) -> list[str]:
    """Commands that make the interfaces. Bridges are there in every kernel."""
    lines = ["ip link set lo up"]
    for name in sorted(set(interfaces) - {"lo"}):
        lines += [f"ip link add {shlex.quote(name)} type bridge", f"ip link set {shlex.quote(name)} up"]
    return lines


def _run(lines: Iterable[str]) -> subprocess.CompletedProcess[str]:
    script = "\n".join(["set -e", *lines])
    return subprocess.run(["unshare", "-n", "sh", "-c", script], capture_output=True, text=True, check=False)


def rendered(plan: Mapping[str, Any], **more: Any) -> str:
    """keepalived.conf as the role writes it: blocks leave no lines, and what is not defined is a mistake."""
    environment = jinja2.Environment(  # noqa: S701, this is no HTML
        loader=jinja2.FileSystemLoader(KEEPALIVED / "templates"),
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    guard = yaml.safe_load((KEEPALIVED / "vars/main.yml").read_text())["__keepalived_guard"]
    template = environment.get_template("keepalived.conf.j2")
    return template.render(__keepalived_plan=plan, __keepalived_guard=guard, **more)


def keepalived_refuses(plan: Mapping[str, Any]) -> str | None:
    """What keepalived says against the configuration of a plan; None where it takes it."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "keepalived.conf"
        path.write_text(rendered(plan))
        # keepalived 2.2.7 ends its own test by SIGTERM where scripts have a user of their own.
        run = _run([*_links(plan["interfaces"]), "trap '' TERM", "set +e", f"keepalived -t -f {path}"])
    said = list(dict.fromkeys(line.strip() for line in (run.stdout + run.stderr).splitlines() if line.strip()))
    return None if verdict(run.returncode, said).taken else f"status {run.returncode}: {said}"


def ip_differs(plan: Mapping[str, Any], batch: str) -> list[str]:
    """What is not there after ``ip -batch`` has read the lines, besides what the plan asks for."""
    interfaces = {each["interface"] for key in ("addresses", "neighbours") for each in plan.get(key, [])} | {"up0"}
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "lines"
        path.write_text(batch)
        run = _run(
            [
                *_links(interfaces),
                # The gateways have to be on a link, as they are on the host.
                *(f"ip route add {each['gateway']} dev up0 metric 9999" for each in plan["gateways"]),
                f"ip -force -batch {path} >&2",
                *("echo; ip -j address", "echo; ip -j -4 route; echo; ip -j -6 route", "echo; ip -j neighbour"),
            ]
        )
    if run.returncode != 0:
        return [f"ip: {run.stderr.strip()}"]
    addresses, routes, routes6, neighbours = (json.loads(each or "[]") for each in run.stdout.strip().split("\n\n"))
    held = {
        (link["ifname"], f"{ip_address(each['local'])}/{each['prefixlen']}")
        for link in addresses
        for each in link["addr_info"]
    }
    ways = {ip_address(each["gateway"]) for each in routes + routes6 if each["dst"] == "default"}
    near = {(each["dev"], str(ip_address(each["dst"])), each.get("lladdr")) for each in neighbours}
    wanted = [
        *(((each["interface"], each["address"]), held) for each in plan.get("addresses", [])),
        *((ip_address(each["gateway"]), ways) for each in plan["gateways"]),
        *(((each["interface"], each["address"], each["lladdr"]), near) for each in plan.get("neighbours", [])),
    ]
    return [f"{each} is not in {there}" for each, there in wanted if each not in there]


def nft_refuses(text: str) -> str | None:
    """What nft says against a file; None where it takes it."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "rules"
        path.write_text(text)
        run = _run([f"nft -c -f {path}"])
    return run.stderr if run.returncode else None


def sysctl_d(text: str) -> dict[str, str]:
    """What sysctl.d(5) says that a file means."""
    found = {}
    for line in text.split("\n"):
        stripped = line.strip()
        if stripped and stripped[0] not in "#;":
            key, _equals, value = stripped.partition("=")
            found[key.strip()] = value.strip()
    return found


def modules_load_d(text: str) -> list[str]:
    """What modules-load.d(5) says that a file means."""
    return [line.strip() for line in text.split("\n") if line.strip() and line.strip()[0] not in "#;"]
