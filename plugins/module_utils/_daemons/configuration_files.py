# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The module configuration_files: what a director's programs are told by files. It changes nothing."""

from __future__ import annotations

import base64
import os
import stat
from typing import TYPE_CHECKING, Any, Iterable, Iterator, Mapping, NamedTuple, Sequence

if TYPE_CHECKING:
    from ansible.module_utils.basic import AnsibleModule

# Folders whose files keepalived may include.
FOLDERS = ("/etc/keepalived", "/usr/local/etc/keepalived")
# What ldirectord and ipvsadm read, and what an import calls it.
FILES: Mapping[str, str] = {
    "/etc/ha.d/ldirectord.cf": "ldirectord.cf",
    "/etc/ldirectord.cf": "ldirectord.cf",
    "/etc/ipvsadm.rules": "ipvsadm.rules",
    "/etc/sysconfig/ipvsadm": "ipvsadm.rules",
    "/etc/default/ipvsadm": "default/ipvsadm",
}
# More than anybody has written there by hand, and what a run can carry to the controller.
_MOST_BYTES, _MOST_FILES, _DEEPEST = 16 * 2**20, 1000, 4


class Unread(NamedTuple):
    """A file or folder that is there, and why it was not read."""

    path: str
    reason: str


def look(_module: AnsibleModule) -> dict[str, Any]:
    """What the module configuration_files does."""
    found, unread = read_all(FILES, FOLDERS)
    return {
        "changed": False,
        "files": [
            {"path": path, "content": base64.b64encode(content).decode("ascii")} for path, content in found.items()
        ],
        "unread": [each._asdict() for each in unread],
    }


def read_all(files: Iterable[str], folders: Sequence[str]) -> tuple[dict[str, bytes], list[Unread]]:
    """What is in the files that are there, by path, and what is there and was not read."""
    found: dict[str, bytes] = {}
    unread: list[Unread] = []
    left = _MOST_BYTES
    for path in (*files, *_of_folders(folders)):
        content = path if isinstance(path, Unread) else _content(path, left)
        if isinstance(content, Unread):
            unread.append(content)
        elif content is not None:
            found[str(path)] = content
            left -= len(content)
    return found, unread


def _of_folders(folders: Sequence[str]) -> Iterator[str | Unread]:
    count = 0
    for folder in folders:
        for each in _below(folder, _DEEPEST):
            count += 1
            if count > _MOST_FILES:
                yield Unread(folder, f"there are more than {_MOST_FILES} files")
                return
            yield each


def _below(folder: str, levels: int) -> Iterator[str | Unread]:
    """The files of a folder and of those in it, sorted. Links are followed, as keepalived does."""
    try:
        names = sorted(os.listdir(folder))
    except FileNotFoundError:
        return
    except OSError as problem:
        yield Unread(folder, str(problem.strerror))
        return
    for name in names:
        path = os.path.join(folder, name)
        if not os.path.isdir(path):
            yield path
        elif levels:
            yield from _below(path, levels - 1)
        else:
            yield Unread(path, f"it is more than {_DEEPEST} folders deep")


def _content(path: str, most: int) -> bytes | Unread | None:
    """What is in a file; None where there is none. A device or a pipe is not waited for."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return Unread(path, "it is a link to nothing") if os.path.lexists(path) else None
    except OSError as problem:
        return Unread(path, str(problem.strerror))
    with os.fdopen(number, "rb") as opened:
        if not stat.S_ISREG(os.fstat(number).st_mode):
            return Unread(path, "it is no file")
        try:
            content = opened.read(most + 1)
        except OSError as problem:
            return Unread(path, str(problem.strerror))
    return content if len(content) <= most else Unread(path, f"all files have more than {_MOST_BYTES >> 20} MiB")
