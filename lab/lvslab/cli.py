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
from typing import Callable, Sequence

import yaml

from . import run
from .asked import default_release, load, releases
from .common import LabError, say
from .image import image
from .lab import Lab, names


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lab/lab", description="Real Linux hosts with IPVS on this machine.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, text: str, *arguments: str, host: bool = False) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=text, description=text)
        for argument in (*arguments, *(["host"] if host else [])):
            command.add_argument(argument, metavar=argument.upper())
        return command

    up = add("up", "boot the network of a file; what runs already is left alone", "file")
    up.add_argument("--inventory", metavar="FILE", help="write what the command inventory prints there")
    down = add("down", "end a lab and leave nothing of it")
    which = down.add_mutually_exclusive_group(required=True)
    which.add_argument("name", nargs="?", metavar="NAME")
    which.add_argument("--all", action="store_true", help="every lab of this checkout")
    which.add_argument("--ended", action="store_true", help="the files of labs that were killed; no lab that runs")
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


def _up(options: argparse.Namespace) -> None:
    wanted = load(Path(options.file), releases())
    lab = Lab(wanted.name)
    lab.up(Path(options.file), wanted, releases())
    if options.inventory:
        path = Path(options.inventory)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_inventory_text(lab))
        except OSError as error:
            raise LabError(
                f"lab {wanted.name} is up, but its inventory is not written: {path}: {error.strerror}"
            ) from None
    say(f"lab {wanted.name} is up: lab/lab ssh {wanted.name} HOST")


def _down(options: argparse.Namespace) -> None:
    for name in names() if options.all or options.ended else [options.name]:
        if options.ended:
            Lab(name).tidy()
        else:
            Lab(name).down()


def _status(_options: argparse.Namespace) -> None:
    for name in names():
        if Lab(name).holder is None:
            print(f"{name}: down; lab/lab down {name} removes its files")
        else:
            Lab(name).inside("status")


def _image(options: argparse.Namespace) -> None:
    print(image(options.kernel, default_release()))


def _ssh(options: argparse.Namespace) -> None:
    lab = Lab(options.name).running()
    host = lab.host(options.host).name
    _become(["ssh", "-F", str(lab.files / "ssh_config"), host, *_words(options)])


def _exec(options: argparse.Namespace) -> None:
    words = _words(options)
    if not words:
        raise LabError("which command? lab/lab exec NAME -- COMMAND")
    Lab(options.name).enter()
    _become(words)


def _become(words: list[str]) -> None:
    try:
        os.execvp(words[0], words)  # noqa: S606, the user's own words, without a shell
    except OSError as error:
        raise LabError(f"{words[0]}: {error.strerror}") from None


def _words(options: argparse.Namespace) -> list[str]:
    return list(options.words[1:] if options.words[:1] == ["--"] else options.words)


def _inventory(options: argparse.Namespace) -> None:
    print(_inventory_text(Lab(options.name).running()), end="")


def _inventory_text(lab: Lab) -> str:
    return str(yaml.safe_dump(lab.inventory(), sort_keys=False))


def _connect(options: argparse.Namespace) -> None:
    Lab(options.name).connect(options.address, int(options.port))


def _power(options: argparse.Namespace) -> None:
    lab = Lab(options.name).running()
    asked = options.hosts if options.command == "reboot" else [options.host]
    hosts = [lab.host(name).name for name in asked] or [host.name for host in lab.network.hosts]
    if options.command != "power-on":
        lab.inside("halt", *(["--power-cut"] if options.power_cut else []), *hosts)
    if options.command != "power-off":
        lab.inside("boot", *hosts)


def _link(options: argparse.Namespace) -> None:
    lab = Lab(options.name).running()
    lab.inside("link", lab.host(options.host).name, options.lan, options.state)


_COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "up": _up,
    "down": _down,
    "status": _status,
    "ssh": _ssh,
    "exec": _exec,
    "inventory": _inventory,
    "reboot": _power,
    "power-off": _power,
    "power-on": _power,
    "link": _link,
    "image": _image,
    "connect": _connect,
}


def main(argv: Sequence[str]) -> int:
    """Run a command outside the lab's namespaces."""
    parser = _parser()
    options, rest = parser.parse_known_args(argv)
    if options.command == "reboot":  # argparse takes hosts only before an option, or only behind it
        options.hosts += [word for word in rest if not word.startswith("-")]
        rest = [word for word in rest if word.startswith("-")]
    if rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    _COMMANDS[options.command](options)
    return 0


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
        backends = " and ".join(sorted({host.backend for host in network.hosts}))
        print(f"{lab.name}: up, {backends}, LANs {', '.join(network.lans)}")
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
