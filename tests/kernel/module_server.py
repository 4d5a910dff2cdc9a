# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs modules of the collection the way Ansible does, one after the other in one process.

As a program it runs them on the Python that it is started with, 3.8 or later: a line of standard input is the process
whose namespaces are entered, the module and its arguments; a line of standard output is what the module printed and how
it ended. Whatever else is said goes to standard error. A child for each would be more like a host, but a process that
has everything imported costs more to copy here than what most modules do.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import io
import json
import os
import pkgutil
import sys
import traceback

from ansible.module_utils.common import warnings
from ansible.module_utils.testing import patch_module_args
from ansible_collections.lvs.topology.plugins import modules
from ansible_collections.lvs.topology.plugins.module_utils._net import kmod

_KINDS = {"net": 0x40000000, "mnt": 0x00020000}
_libc = ctypes.CDLL(None, use_errno=True)


def run(name: str, arguments: dict) -> tuple[str, object]:
    """Run a module: what it printed, and its exit status."""
    said = io.StringIO()
    # On a host every module has a process of its own, which has neither warned of anything yet nor asked modprobe.
    warnings._global_warnings.clear()
    kmod.shown_by.cache_clear()
    module = importlib.import_module(f"{modules.__name__}.{name}")
    with patch_module_args(arguments), contextlib.redirect_stdout(said):
        try:
            module.main()
        except SystemExit as ended:
            return said.getvalue(), ended.code
    return said.getvalue(), "no exit"


def _namespaces(process: int | str) -> list[tuple[int, int]]:
    # All are looked up before one is entered: another mount namespace has another /proc.
    return [(os.open(f"/proc/{process}/ns/{kind}", os.O_RDONLY), number) for kind, number in _KINDS.items()]


def _enter(namespaces: list[tuple[int, int]]) -> None:
    for descriptor, number in namespaces:
        if _libc.setns(descriptor, number) != 0:
            raise OSError(ctypes.get_errno(), "setns")


def main() -> None:
    with contextlib.suppress(Exception):  # what is wrong with it, a module that needs it says
        importlib.import_module("pyroute2")
    for each in pkgutil.iter_modules(modules.__path__):
        importlib.import_module(f"{modules.__name__}.{each.name}")
    answers, own = os.fdopen(os.dup(1), "w"), _namespaces("self")
    os.dup2(2, 1)  # what the child of a module prints is no answer
    for line in sys.stdin:
        process, name, arguments = json.loads(line)
        theirs: list[tuple[int, int]] = []
        try:
            theirs = _namespaces(process)
            _enter(theirs)
            answer = run(name, arguments)
        except BaseException:
            traceback.print_exc()
            answer = "", "an exception"
        _enter(own)
        for descriptor, _number in theirs:
            os.close(descriptor)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
