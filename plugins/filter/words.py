# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter words: documentation, and the function that it calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._filters import as_filter

DOCUMENTATION = r"""
name: words
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: The words of a list, also where that is a text with commas
description:
  - On the command line a variable such as C(lvs_drain_wait_for) is a text, whose words stand between commas.
  - Space around a word does not count, and an empty word is none.
options:
  _input:
    type: raw
    required: true
    description: A list of words, or a text.
seealso:
  - plugin: lvs.topology.wrong_values
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Show that both are the same
  ansible.builtin.debug:
    msg: "{{ 'active, inactive' | lvs.topology.words == ['active', 'inactive'] | lvs.topology.words }}"
"""

RETURN = r"""
_value:
  type: list
  elements: str
  description: The words. Empty where nothing is said.
"""

words = as_filter("playbook_values.words_of")


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"words": words}
