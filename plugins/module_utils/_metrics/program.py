# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program of the metrics as one file, which the host's Python runs as it is: the modules that it needs, in a zip.

The modules are those of this collection, so what reads the kernel's table is not written twice. They need nothing but
Python. The file is the same wherever it is made of the same modules.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import zipfile
from typing import Iterator

_PACKAGE = "ansible_collections.lvs.topology.plugins.module_utils"
# A module comes after those that it imports. tests/unit/metrics/test_program.py holds it against what they import.
MODULES = (
    "_forms",
    "_turn",
    "_plan",
    "_netlink.messages",
    "_netlink.conversation",
    "_ipvs.entries",
    "_ipvs.codec",
    "_ipvs.save_format",
    "_ipvs.kernel",
    "_ipvs.proc",
    "_bgp.bird_text",
    "_daemons.conntrackd_text",
    "_keepalived.guard_state",
    "_net.host_lists",
    "_metrics.catalogue",
    "_metrics.exposition",
    "_metrics.description",
    "_metrics.connection_states",
    "_metrics.daemons",
    "_metrics.samples",
    "_metrics.reading",
    "_metrics.exporter",
)
_MAIN = '''\
"""Writes the metrics of a director, as lvs.topology has installed it. What it imports is in this file."""
import sys

from {package}._metrics.exporter import main

sys.exit(main("{digest}", sys.argv[1]))
'''
_DIGITS = 12
# Of every file in it, so that its bytes depend on what is in it alone.
_TIME = (1980, 1, 1, 0, 0, 0)


def bundle() -> bytes:
    """The file."""
    # Nobody calls it here. This is how Ansible knows that the module needs it on the host.
    from ansible_collections.lvs.topology.plugins.module_utils._metrics import exporter  # noqa: F401, PLC0415, as said

    files = dict(_files())
    digest = hashlib.sha256("\0".join(f"{name}\0{text}" for name, text in files.items()).encode()).hexdigest()
    files["__main__.py"] = _MAIN.format(package=_PACKAGE, digest=digest[:_DIGITS])
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name, _TIME), text.encode())
    return written.getvalue()


def _files() -> Iterator[tuple[str, str]]:
    packages = [_PACKAGE, *(f"{_PACKAGE}.{name.partition('.')[0]}" for name in MODULES if "." in name)]
    parts = [package.split(".")[:length] for package in packages for length in range(1, package.count(".") + 2)]
    for directory in dict.fromkeys("/".join(each) for each in parts):
        yield f"{directory}/__init__.py", ""
    for name in MODULES:
        yield f"{_PACKAGE}.{name}".replace(".", "/") + ".py", _source(f"{_PACKAGE}.{name}")


def _source(name: str) -> str:
    """The text of a module, which may be in a zip itself: Ansible sends modules to hosts in one."""
    spec = importlib.util.find_spec(name)
    text = spec.loader.get_source(name) if spec and spec.loader else None  # type: ignore[attr-defined] # both have it
    if text is None:
        raise RuntimeError(f"the text of {name} is not there")
    return str(text)
