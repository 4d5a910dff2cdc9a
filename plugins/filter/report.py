# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter report: documentation, and the function that it calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.lvs.topology.plugins.plugin_utils._filters import as_filter

DOCUMENTATION = r"""
name: report
version_added: 0.4.0
author:
  - The lvs.topology authors (@lvs-topology)
short_description: What verify found, as the text of a file
description:
  - JSON for programs, the XML of JUnit for what shows tests, metrics of Prometheus for the textfile collector of
    node_exporter, or a page of HTML with a picture of the site.
  - In JUnit's form each host of which nothing is broken or at risk is a test that succeeds, each finding that is broken
    or at risk one that fails, and what was not looked at one that was skipped.
positional: _input, path
options:
  _input:
    type: dict
    required: true
    description: What P(lvs.topology.findings#filter) returned.
  path:
    type: str
    required: true
    description: The name of the file, which ends in C(.json), for JUnit in C(.xml), for node_exporter in C(.prom), or
      for a page in C(.html).
  hostvars:
    type: dict
    description: For a page, the variable C(hostvars).
  groups:
    type: dict
    description: For a page, the variable C(groups).
  answers:
    type: dict
    description: For a page, by the name of each host, what M(lvs.topology.host_info) returned there.
  made:
    type: str
    default: ""
    description: For a page and for node_exporter, when this was, as C(2026-11-27 at 15:30 UTC).
seealso:
  - plugin: lvs.topology.findings
    plugin_type: filter
  - plugin: lvs.topology.site_file
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Write a report
  ansible.builtin.copy:
    content: "{{ found | lvs.topology.report('verify.xml') }}"
    dest: verify.xml
    mode: "0644"
  delegate_to: localhost
"""

RETURN = r"""
_value:
  type: str
  description: The text of the file.
"""

report = as_filter("pictures.report_of")


class FilterModule:
    """Offers the filter to Ansible."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"report": report}
