# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a power cut must not undo: files are there as before or as wanted, never by halves.

Names in directories are on disk seconds later unless somebody asks for it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import stat
import tempfile
from typing import Iterable, Iterator

_ADVICE = {
    errno.ENOSPC: "Free space and inodes there, and run the task again",
    errno.EDQUOT: "Free space there or raise the quota, and run the task again",
    errno.EINVAL: "Remove it (a unit that is masked: systemctl unmask), and run the task again",
    errno.ENOTDIR: "Put aside what is there in its place, and run the task again",
    errno.EROFS: "Mount it writable, and run the task again",
    errno.EPERM: "Run as root; a file that root may not change either is immutable (lsattr) or in a container's image",
}
_LABEL = "security.selinux"
# Where our files are. A run that was killed while it wrote one has left a file there with a name of this form.
PLACES = (
    "/var/lib/lvs-topology",
    "/etc/lvs-topology",
    "/etc/modules-load.d",
    "/etc/sysctl.d",
    "/etc/systemd/system",
    "/etc/systemd/system/keepalived.service.d",
    "/etc/systemd/networkd.conf.d",
    "/etc/NetworkManager/conf.d",
    "/etc/NetworkManager/dispatcher.d",
    "/etc/network/if-up.d",
    "/etc/dhcp/dhclient-exit-hooks.d",
    "/etc/keepalived",
    "/etc/bird",
    "/etc/conntrackd",
    "/etc/systemd/system/conntrackd.service.d",
)
_MARK = ".lvs-topology."
_LEFTOVER = re.compile(rf"\..+{re.escape(_MARK)}[a-z0-9_]{{8}}\Z")


def advice(problem: OSError) -> str:
    """Why a file or directory cannot be used, and what to do about it."""
    return f"{problem.strerror}. {_ADVICE.get(problem.errno or 0, 'Run as root')}."


def replace_file(path: str, content: bytes, mode: int) -> None:
    """Make a file read so in one step. Owner, group and SELinux label of a file that is there stay.

    Where the path is a symbolic link, the link stays and the file that it leads to is replaced. OSError says what went
    wrong; the file is as before then.
    """
    target = os.path.realpath(path)
    before = _regular(target)
    directory = os.path.dirname(target)
    remove_leftovers([directory])
    # The dot keeps systemd and sysctl from reading a half-written file; the rename makes the new one appear whole.
    handle, temporary = _temporary(directory, os.path.basename(target))
    try:
        with os.fdopen(handle, "wb") as opened:
            if before is not None:
                os.fchown(opened.fileno(), before.st_uid, before.st_gid)
            # After the owner, whose change takes bits away.
            os.fchmod(opened.fileno(), mode)
            _label(opened.fileno(), target, mode, exists=before is not None)
            opened.write(content)
            opened.flush()
            os.fsync(opened.fileno())
            # As long as it is locked, nobody takes it for a leftover.
            os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    sync_directory(directory)


def remove_file(path: str, *, follows: bool = True) -> None:
    """Remove a file; where the path is a symbolic link, the file that it leads to. OSError says what went wrong.

    Without ``follows`` the link itself goes: in a directory that is not root's, anybody may have made it.
    """
    target = os.path.realpath(path) if follows else path
    if follows or not os.path.islink(path):
        _regular(target)
    os.unlink(target)
    remove_leftovers([os.path.dirname(target)])
    sync_directory(os.path.dirname(target))


def _regular(path: str) -> os.stat_result | None:
    """What is there; None: nothing. A device such as /dev/null must not become a file."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, f"{path} is not a regular file")
    return found


@contextlib.contextmanager
def draft(path: str, content: str) -> Iterator[str]:
    """The path of a file beside another one, for as long as somebody else reads it. OSError: it cannot be made.

    What a killed run has left there goes, in check mode too: it may hold secrets, and is no part of the host's state.
    """
    directory = os.path.dirname(path)
    remove_leftovers([directory])
    handle, temporary = _temporary(directory, os.path.basename(path))
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            yield temporary
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)


def _temporary(directory: str, name: str) -> tuple[int, str]:
    """A new file that is going to be the one of this name. Its lock tells remove_leftovers that it is in use."""
    while True:
        handle, path = tempfile.mkstemp(prefix=f".{name}{_MARK}", dir=directory)
        # A file system may know no locks. Then nothing is removed there either.
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX)
        # Somebody may have removed it before it was locked.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.stat(path), os.fstat(handle)):
                return handle, path
        os.close(handle)


def remove_leftovers(directories: Iterable[str] = PLACES) -> None:
    """Take away what runs left that were killed while they wrote a file."""
    for directory in directories:
        with contextlib.suppress(OSError):
            for name in os.listdir(directory):
                if _LEFTOVER.match(name):
                    _remove_unless_used(os.path.join(directory, name))


def _remove_unless_used(path: str) -> None:
    """Remove a file that nobody has locked. What cannot be removed harms nobody, and is no reason to stop."""
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            # NFS takes an exclusive lock from those only who may write.
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            os.unlink(path)
        finally:
            os.close(handle)


def _label(handle: int, path: str, mode: int, *, exists: bool) -> None:
    """Give the file behind the handle the SELinux label of the path: that of what is there, or the policy's."""
    try:
        if exists:
            os.setxattr(handle, _LABEL, os.getxattr(path, _LABEL))
        else:
            _label_by_policy(handle, path, mode)
    except OSError:
        # A file system without labels, or a kernel without SELinux; where it is there, root may set it.
        return


def _label_by_policy(handle: int, path: str, mode: int) -> None:
    try:
        # Not at the top: it looks for a library of the host, which few have.
        from ansible.module_utils.compat import selinux  # noqa: PLC0415, as said above
    except ImportError:
        return
    if selinux.is_selinux_enabled() > 0:
        status, label = selinux.matchpathcon(path, stat.S_IFREG | mode)
        if status == 0 and label:
            os.setxattr(handle, _LABEL, str(label).encode() + b"\0")


def sync_directory(path: str) -> None:
    """Bring to disk which names a directory has."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove_empty(directory: str) -> None:
    """Remove a directory; it stays where it holds something else or is a mount point."""
    with contextlib.suppress(OSError):
        os.rmdir(directory)
        sync_directory(os.path.dirname(directory))
