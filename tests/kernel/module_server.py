# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs modules on the Python that runs this file, 3.8 or later, each in a child of its own.

A line of standard input is the process whose namespaces are entered, the module and its arguments; a line of standard
output is what the module printed and how it ended. Whatever else is said goes to standard error.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import pkgutil
import sys
import traceback

from ansible.module_utils.testing import patch_module_args
from ansible_collections.lvs.topology.plugins import modules

_KINDS = {"net": 0x40000000, "mnt": 0x00020000}
_libc = ctypes.CDLL(None, use_errno=True)


def _child(process: int, name: str, arguments: dict) -> None:
    """Run the module, and never return."""
    try:
        # Both are looked up before one is entered: another mount namespace has another /proc.
        descriptors = [(os.open(f"/proc/{process}/ns/{kind}", os.O_RDONLY), number) for kind, number in _KINDS.items()]
        for descriptor, number in descriptors:
            if _libc.setns(descriptor, number) != 0:
                raise OSError(ctypes.get_errno(), "setns")
        with patch_module_args(arguments):
            importlib.import_module(f"{modules.__name__}.{name}").main()
    except SystemExit as ended:
        sys.stdout.flush()
        os._exit(ended.code or 0)
    except BaseException:
        traceback.print_exc()
        os._exit(70)
    os._exit(71)


def main() -> None:
    with contextlib.suppress(Exception):  # what is wrong with it, a module that needs it says
        importlib.import_module("pyroute2")
    for each in pkgutil.iter_modules(modules.__path__):
        importlib.import_module(f"{modules.__name__}.{each.name}")
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        readable, writable = os.pipe()
        child = os.fork()
        if child == 0:
            os.dup2(writable, 1)
            sys.stdin.close()
            _child(*json.loads(line))
        os.close(writable)
        with os.fdopen(readable) as printed:
            said = printed.read()
        _pid, status = os.waitpid(child, 0)
        answers.write(json.dumps([said, os.WEXITSTATUS(status) if os.WIFEXITED(status) else -status]) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
