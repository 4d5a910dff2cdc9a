#!/usr/bin/python
# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation, arguments and one call; the work is in module_utils/_turn.py.

The waiting is the controller's: plugins/action/turn.py.
"""

from __future__ import annotations

DOCUMENTATION = r"""
module: turn
short_description: Have one run of a playbook at a time work on a host
version_added: 0.4.0
description:
  - Notes in C(/run/lvs-topology.turn) whose turn it is on this host, and waits for it as long as another run has it.
    P(lvs.topology.host_state#role) has the tasks for several hosts, which never leave two runs waiting for each other.
  - A run is one C(ansible-playbook). Its other modules have to know which one they are part of, by
    E(LVS_TOPOLOGY_RUN). Each of them says that the run goes on, and refuses to go on where it is the turn of another.
  - A run that has said nothing for an hour has lost its turn, and one that was started on this very controller and
    whose process has ended as well. After a reboot it is nobody's turn.
  - Check mode takes no turn and waits for none.
author:
  - The lvs.topology authors (@lvs-topology)
extends_documentation_fragment:
  - lvs.topology.attributes.info
options:
  state:
    description: Take the turn, or give it back. That of another run is never given back.
    type: str
    choices: [taken, given_back]
    default: taken
  patience:
    description:
      - How many seconds to wait for another run before the task fails.
      - With V(0) it does not wait and does not fail, and RV(taken) says whether it is this run's turn.
    type: int
    default: 1800
  look:
    description:
      - Do what M(lvs.topology.host_facts) does as well, once it is this run's turn. A call of its own costs more.
    type: bool
    default: false
  run:
    description: Which run this is. Set by the controller, whatever is given.
    type: str
    default: ""
  who:
    description: Who runs it, for the message to others. Set by the controller, whatever is given.
    type: str
    default: ""
  ended:
    description: Runs of which the controller knows that they have ended. Set by the controller, whatever is given.
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: A play that works on hosts one run at a time
  hosts: lvs_directors
  environment:
    LVS_TOPOLOGY_RUN: "{{ __turn.run | default('') }}"
  tasks:
    - name: Take the turn
      lvs.topology.turn:
      register: __turn
      throttle: 1

    - name: Bring the director to what the model says
      ansible.builtin.import_role:
        name: lvs.topology.director

    - name: Give the turn back
      lvs.topology.turn:
        state: given_back
"""

RETURN = r"""
ansible_facts:
  description: As those of M(lvs.topology.host_facts).
  returned: with O(look=true), once it is this run's turn
  type: dict
taken:
  description: Whether it is this run's turn.
  returned: success
  type: bool
  sample: true
run:
  description: This run, for E(LVS_TOPOLOGY_RUN). Empty in check mode.
  returned: success
  type: str
  sample: control/2f1e0c5e-8d3c-4f7a-9a55-0e2b3a0d6c11/4711/123456
holder:
  description: Whose turn it is.
  returned: when O(state=taken), outside check mode
  type: dict
  contains:
    run:
      description: The run.
      type: str
      sample: control/2f1e0c5e-8d3c-4f7a-9a55-0e2b3a0d6c11/4711/123456
    who:
      description: Who runs it.
      type: str
      sample: ada on control, process 4711
    since:
      description: When the run took its turn, by this host's clock.
      type: str
      sample: 2026-01-31 12:00:00 +0000
"""

from typing import Any

from ansible_collections.lvs.topology.plugins.module_utils._look.host_facts import look
from ansible_collections.lvs.topology.plugins.module_utils._module import Module
from ansible_collections.lvs.topology.plugins.module_utils._plan import run_outside_of_turns
from ansible_collections.lvs.topology.plugins.module_utils._turn import ensure_turn


def ensure(module: Module) -> dict[str, Any]:
    """The turn first: another run may be about to change what is looked at."""
    turn = ensure_turn(module)
    return {**look(module), **turn} if module.params["look"] and turn["taken"] else turn


def main() -> None:
    run_outside_of_turns(
        Module(
            argument_spec={
                "state": {"type": "str", "choices": ["taken", "given_back"], "default": "taken"},
                "patience": {"type": "int", "default": 1800},
                "look": {"type": "bool", "default": False},
                "run": {"type": "str", "default": ""},
                "who": {"type": "str", "default": ""},
                "ended": {"type": "list", "elements": "str", "default": []},
            },
            supports_check_mode=True,
        ),
        ensure,
    )


if __name__ == "__main__":
    main()
