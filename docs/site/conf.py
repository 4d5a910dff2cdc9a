# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All documentation as one site, for Sphinx. scripts/docs lays its sources out as they lie in the checkout."""

from __future__ import annotations

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

project = "lvs.topology"
html_title = "lvs.topology"
author = "The lvs.topology authors"
extensions = ["myst_parser", "sphinx_antsibull_ext"]
root_doc = "index"
# The rest of the checkout is there for links to it, and README.md for what the front page takes from it.
include_patterns = ["*.md", "docs/*.md", "roles/*/README.md", "lab/README.md", "reference/*.rst"]
exclude_patterns = ["README.md"]

# Headings have the anchors that a forge gives them.
myst_heading_anchors = 4
highlight_language = "none"

html_theme = "furo"
# Both have enough contrast, and the theme brings them.
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_copy_source = False
html_use_index = False

# What the reference of plugins names and Ansible's own documentation explains. A build asks no other site.
ANSIBLE = "https://docs.ansible.com/projects/ansible/latest/"
ELSEWHERE = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}
BUILTIN = "ansible_collections.ansible.builtin."


def lead_elsewhere(_app: Sphinx, _env: object, node: pending_xref, text: nodes.TextElement) -> nodes.reference | None:
    label: str = node["reftarget"]
    page = ELSEWHERE.get(label)
    if label.startswith(BUILTIN):
        # What follows the underscores is a place on the page of the plugin.
        page = f"collections/ansible/builtin/{label[len(BUILTIN) :].partition('__')[0]}.html"
    return nodes.reference("", "", text, refuri=ANSIBLE + page) if page else None


def setup(app: Sphinx) -> None:
    app.connect("missing-reference", lead_elsewhere)
