# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user of a lab asks for: a network file, and releases of Debian by LAB_RELEASE."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from . import network as net
from .common import LabError


def load(path: Path, asked: str) -> net.Network:
    """Read and validate a network file."""
    try:
        return net.parse(yaml.safe_load(path.read_text()), asked)
    except OSError as error:
        raise LabError(f"{path}: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise LabError(f"{path} is no YAML: {error}") from None
    except net.Invalid as error:
        raise LabError("\n".join(f"{path}: {mistake}" for mistake in error.mistakes)) from None


def releases() -> str:
    """Which release of Debian the user wants, of which host."""
    return os.environ.get("LAB_RELEASE", "")


def default_release() -> str:
    """The release that the user wants of what is no host of a network file."""
    try:
        return net.default_release(releases())
    except net.Invalid as error:
        raise LabError(str(error)) from None
