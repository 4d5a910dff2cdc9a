# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of modules that note in the ledger what they changed."""

from __future__ import annotations


class ModuleDocFragment:
    """Owner, and where a list is owned, purge."""

    DOCUMENTATION = r"""
options:
  owner:
    description:
      - On whose behalf things are changed. The host remembers in C(/var/lib/lvs-topology/ledger.json) who asked for
        what and what was there before, so that it can be put back when the last owner lets go.
      - Letters, digits, V(_) and V(-).
    type: str
    default: lvs
"""

    PURGE = r"""
options:
  purge:
    description:
      - Put back what this owner asked for in an earlier run and no longer lists.
      - What other owners or the operator configured is left alone.
    type: bool
    default: false
"""
