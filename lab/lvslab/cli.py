# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command ``lab/lab``."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Sequence

import yaml

from . import network as net
from . import run
from .common import LabError, say
from .image import image
from .lab import Lab, load, names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab/lab", description="Real Linux hosts with IPVS on this machine.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str, *arguments: str, host: bool = False) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        for argument in (*arguments, *(["host"] if host else [])):
            command.add_argument(argument, metavar=argument.upper())
        return command

    add("up", "boot the network of a file; what runs already is left alone", "file")
    down = add("down", "end a lab and leave nothing of it")
    which = down.add_mutually_exclusive_group(required=True)
    which.add_argument("name", nargs="?", metavar="NAME")
    which.add_argument("--all", action="store_true", help="every lab of this checkout")
    add("status", "what is running")
    add("ssh", "a shell on a host, or a command", "name", host=True).add_argument("words", nargs=argparse.REMAINDER)
    execute = add("exec", "run a command in the network namespace of the lab, say tcpdump -ni lan-front", "name")
    execute.add_argument("words", nargs=argparse.REMAINDER)
    add("inventory", "print an Ansible inventory", "name")
    reboot = add("reboot", "reboot hosts (default: all) in parallel and wait until they are up", "name")
    reboot.add_argument("hosts", nargs="*", metavar="HOST")
    off = add("power-off", "switch a host off", "name", host=True)
    for command in (reboot, off):
        command.add_argument("--power-cut", action="store_true", help="pull the plug instead of an orderly shutdown")
    add("power-on", "switch a host on and wait until it is up", "name", host=True)
    link = add("link", "plug or unplug the cable between a host and a LAN", "name", host=True)
    link.add_argument("lan", metavar="LAN")
    link.add_argument("state", choices=["up", "down"])
    build = add("image", "build the image now, where it is not there yet, and print where it is")
    build.add_argument("--kernel", choices=["uml", "stock"], default="uml")
    add("connect", "for ssh: connect to a host and hand over the socket", "name", "address", "port")
    return parser


def main(argv: Sequence[str]) -> int:
    """Run a command outside the lab's namespaces."""
    parser = _parser()
    options, rest = parser.parse_known_args(argv)
    if options.command == "reboot":  # argparse takes hosts only before an option, or only behind it
        options.hosts += [word for word in rest if not word.startswith("-")]
        rest = [word for word in rest if word.startswith("-")]
    if rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    words = [word for number, word in enumerate(getattr(options, "words", [])) if number or word != "--"]
    if options.command == "up":
        wanted = load(Path(options.file))
        Lab(wanted.name).up(Path(options.file), wanted)
        say(f"lab {wanted.name} is up: lab/lab ssh {wanted.name} HOST")
        return 0
    if options.command == "down":
        for name in names() if options.all else [options.name]:
            Lab(name).down()
        return 0
    if options.command == "status":
        for name in names():
            if Lab(name).holder is None:
                print(f"{name}: down; lab down {name} removes its files")
            else:
                Lab(name).inside("status")
        return 0
    if options.command == "image":
        print(image(options.kernel))
        return 0
    lab = Lab(options.name).running()
    if options.command == "ssh":
        lab.host(options.host)
        os.execvp("ssh", ["ssh", "-F", str(lab.files / "ssh_config"), options.host, *words])
    if options.command == "exec":
        if not words:
            raise LabError("lab exec NAME -- COMMAND")
        lab.enter()
        try:
            os.execvp(words[0], words)
        except OSError as error:
            raise LabError(f"{words[0]}: {error.strerror}") from None
    if options.command == "inventory":
        print(yaml.safe_dump(net.inventory(lab.network, str(lab.files / "ssh_config")), sort_keys=False), end="")
        return 0
    if options.command == "connect":
        lab.connect(options.address, int(options.port))
        return 0
    hosts = [lab.host(host).name for host in getattr(options, "hosts", None) or []]
    hosts = hosts or ([lab.host(options.host).name] if hasattr(options, "host") else list_hosts(lab))
    cut = ["--power-cut"] if getattr(options, "power_cut", False) else []
    if options.command in ("reboot", "power-off"):
        lab.inside("halt", *cut, *hosts)
    if options.command in ("reboot", "power-on"):
        lab.inside("boot", *hosts)
    if options.command == "link":
        lab.inside("link", options.host, options.lan, options.state)
    return 0


def list_hosts(lab: Lab) -> list[str]:
    """The names of all hosts."""
    return [host.name for host in lab.network.hosts]


def inside(argv: Sequence[str]) -> int:
    """Run a command in the lab's namespaces: called by Lab.inside() only."""
    lab, command, arguments = Lab(argv[0]), argv[1], list(argv[2:])
    if command == "boot":
        lab.boot(arguments)
    elif command == "halt":
        lab.halt([word for word in arguments if word != "--power-cut"], "--power-cut" in arguments)
    elif command == "link":
        lab.link(*arguments)
    elif command == "status":
        network = lab.network
        print(f"{lab.name}: up, {network.backend}, LANs {', '.join(network.lans)}")
        for name, power in lab.states().items():
            cards = [
                f"{nic.name} {nic.lan} {' '.join(nic.addresses)}".rstrip() for nic in network.host(name).nics if nic.lan
            ]
            print(f"  {name:12} {'on ' if power else 'off'}  {network.host(name).management:12}  {'; '.join(cards)}")
    return 0


def entry(argv: Sequence[str]) -> int:
    """Outside or inside."""
    try:
        return inside(argv[1:]) if argv[:1] == ["--inside"] else main(argv)
    except subprocess.CalledProcessError as error:
        return error.returncode  # it has said why


if __name__ == "__main__":
    sys.exit(run(entry))
