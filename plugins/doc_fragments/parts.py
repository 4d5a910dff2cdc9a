# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The option parts of preflight, which repeats the others for each role of a host."""

from __future__ import annotations


class ModuleDocFragment:
    """What the host is to be in each of several roles."""

    DOCUMENTATION = r"""
options:
  parts:
    description:
      - What the host is to be in each of several roles, looked at together. The options of a part are those of this
        module with the same names, and RV(parts) has the answers.
      - The C(notes) of a part's plan are shown on the controller.
    type: list
    elements: dict
    default: []
    version_added: 0.4.0
    suboptions:
      name:
        description: The key of the part in RV(parts).
        type: str
        required: true
      plan:
        description: As O(plan).
        type: dict
      interfaces: {description: As O(interfaces)., type: list, elements: str, default: []}
      python_modules: {description: As O(python_modules)., type: list, elements: str, default: []}
      commands: {description: As O(commands)., type: list, elements: str, default: []}
      missing:
        description: As O(missing).
        type: str
        choices: [fail, report]
        default: fail
      manager:
        description: As O(manager).
        type: str
        choices: [kernel, keepalived, checker]
      take_over:
        description: As O(take_over).
        type: bool
        default: false
      owner:
        description: As O(owner).
        type: str
        default: lvs
      packets:
        description: As O(packets).
        type: list
        elements: dict
        default: []
      keepalived:
        description: As O(keepalived).
        type: dict
        suboptions:
          content:
            description: As O(keepalived.content).
            type: str
            required: true
          secrets:
            description: As O(keepalived.secrets).
            type: list
            elements: str
            default: []
          script_user:
            description: As O(keepalived.script_user).
            type: str
          guard:
            description: As O(keepalived.guard).
            type: str
          credentials:
            description: As O(keepalived.credentials).
            type: list
            elements: str
            default: []
            version_added: 0.4.0
          owner:
            description: As O(keepalived.owner).
            type: str
            default: lvs
"""
