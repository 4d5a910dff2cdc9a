# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/architecture.md says of files: the layers, in which no import runs upwards, and a line for each file.

``LVS_ARCHITECTURE_WRITE=1 pytest tests/unit/test_architecture.py`` writes the lines anew.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
PLUGINS = CHECKOUT / "plugins"
DOCUMENT = CHECKOUT / "docs/architecture.md"
# Modules, filters and lookups have their own documentation.
DOCUMENTED = ("modules", "filter", "lookup", "doc_fragments")
# What a file that says of itself that it is pure does without: the ways to files, commands and the kernel.
WAYS_OUT = {"fcntl", "pyroute2", "select", "shutil", "subprocess", "tempfile"}
WAYS_OUT_OF_OURS = {f"module_utils/{name}" for name in ("_commands", "_disk", "_files", "_ledger_file", "_restoring")}


def _layers() -> dict[str, list[str]]:
    """The folders in the order that the document draws, by the folder they are in. "" is what lies beside them."""
    drawn = DOCUMENT.read_text().partition("## Folders, and what may import what")[2].split("```")[1]
    found = {}
    for folder, order in re.findall(r"^plugins/(\S+) +(.*(?:\n .*)*)", drawn, re.MULTILINE):
        words = (each.strip() for each in order.split("→"))
        found[folder] = ["" if "beside the folders" in each else each for each in words]
    return found


LAYERS = _layers()


def imported(file: Path) -> Iterator[str]:
    """What a file imports of the collection, as modules or as names of them, by their path below ``plugins``."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(
            "ansible_collections.lvs.topology.plugins."
        ):
            within = str(node.module).split(".")[4:]
            yield from ("/".join([*within, each.name]) for each in node.names)


def layer(folder: str, path: str) -> str | None:
    """The layer of a path below ``plugins``, as a place in the list of its folder."""
    if not path.startswith(f"{folder}/"):
        return None
    first = path[len(folder) + 1 :].partition("/")[0]
    return first if first in LAYERS[folder] else ""


@pytest.mark.parametrize("folder", LAYERS)
def test_no_import_runs_upwards(folder: str) -> None:
    order = LAYERS[folder]
    upwards = [
        f"{file.relative_to(PLUGINS)} imports {name}"
        for file in sorted((PLUGINS / folder).rglob("*.py"))
        for name in imported(file)
        for above in [layer(folder, name)]
        if above is not None and order.index(above) > order.index(str(layer(folder, str(file.relative_to(PLUGINS)))))
    ]
    assert upwards == []


@pytest.mark.parametrize("folder", LAYERS)
def test_every_folder_is_a_layer(folder: str) -> None:
    folders = {path.name for path in (PLUGINS / folder).iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == {name for name in LAYERS[folder] if name}


def test_what_goes_to_hosts_needs_nothing_of_the_controller() -> None:
    found = {name for file in (PLUGINS / "module_utils").rglob("*.py") for name in imported(file)}
    assert [name for name in sorted(found) if not name.startswith("module_utils/")] == []


def test_what_says_that_it_is_pure_reads_no_files_and_runs_no_commands() -> None:
    found = []
    for file in sorted(PLUGINS.rglob("*.py")):
        tree = ast.parse(file.read_text())
        first = (ast.get_docstring(tree) or "").partition("\n")[0]
        if re.search(r"\bPure\b(?!, but)", first):
            nodes = list(ast.walk(tree))
            used = {each.name for node in nodes if isinstance(node, ast.Import) for each in node.names}
            used |= {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
            used |= {name for node in nodes if isinstance(node, ast.Call) for name in [ast.unparse(node.func)]}
            ours = {way for name in imported(file) for way in WAYS_OUT_OF_OURS if f"{name}/".startswith(f"{way}/")}
            found += [f"{file.relative_to(PLUGINS)}: {way}" for way in sorted(used & {*WAYS_OUT, "open"} | ours)]
    assert found == []


def test_no_file_of_module_utils_is_called_as_one_of_the_standard_library() -> None:
    """Who reads a traceback, or runs a file where it lies, would take the one for the other."""
    assert [path for path in PLUGINS.rglob("module_utils/**/*.py") if path.stem in sys.stdlib_module_names] == []


def _text() -> str:
    """What leads from file to file: the document without its list of them, and the recipes."""
    recipes = (CHECKOUT / "CONTRIBUTING.md").read_text().partition("\n## Three recipes\n")[2]
    assert recipes
    return DOCUMENT.read_text().partition("\n## Every file\n")[0] + recipes


def _file(name: str) -> Path | None:
    """The file that is meant by a path as the document writes it."""
    places = (CHECKOUT, PLUGINS, PLUGINS / "module_utils", PLUGINS / "plugin_utils", PLUGINS / "plugin_utils/_topology")
    return next((place / name for place in places if (place / name).is_file()), None)


def test_files_are_named_by_their_folders() -> None:
    """Whoever follows the document opens one after the other, and many names would do for several folders."""
    # Of whichever module or role the text speaks.
    of_any = {"plugins/modules/NAME.py", "vars/main.yml", "defaults/main.yml", "tasks/apply.yml"}
    named = set(re.findall(r"`([\w/]+\.(?:py|yml|j2))`", _text())) - of_any - {"virtual_server.j2", "checks.j2"}
    assert {"decide/needs.py", "_host/host_state.py"} <= named
    assert [name for name in sorted(named) if _file(name) is None] == []


def test_what_is_said_to_be_in_a_file_is_there() -> None:
    said = re.findall(r"`(\w+)(?:\(\))?`\s+(?:in|of)\s+`([\w/]+\.py)`", _text())
    said += re.findall(r"`(\w+)`\s+\(`([\w/]+\.py)`\)", _text())
    assert {("CONCERNS", "_host/concerns.py"), ("booked", "_ledger_file.py")} <= {*said}
    filters = {path.stem for folder in ("filter", "lookup", "modules") for path in (PLUGINS / folder).glob("*.py")}
    elsewhere = [
        (name, path)
        for name, path in said
        for file in [_file(path)]
        if file and name not in filters and not re.search(rf"\b{name}\b", file.read_text())
    ]
    assert elsewhere == []


def test_the_architecture_has_a_line_for_every_file() -> None:
    """The first line of the file itself, below the sentence about its folder."""
    written = DOCUMENT.read_text()
    before, heading, told = written.partition("## Every file\n")
    files: dict[str, list[Path]] = {}
    for path in sorted(PLUGINS.glob("*/**/*.py")):
        if path.relative_to(PLUGINS).parts[0] not in DOCUMENTED:
            files.setdefault(f"{path.parent.relative_to(CHECKOUT)}/", []).append(path)
    folders = re.findall(r"^`(plugins/.*)`: (.*)$", told, re.MULTILINE)
    assert sorted(files) == sorted(folder for folder, _sentence in folders)
    introduction = told.partition("\n`plugins/")[0]
    tables = (_table(folder, sentence, files[folder]) for folder, sentence in folders)
    expected = "\n".join([f"{before}{heading}{introduction}", *tables])
    if os.environ.get("LVS_ARCHITECTURE_WRITE"):
        DOCUMENT.write_text(expected)
    assert DOCUMENT.read_text() == expected


def _table(folder: str, sentence: str, files: list[Path]) -> str:
    lines = [f"`{folder}`: {sentence}", "", "| file | what is in it |", "| --- | --- |"]
    for path in files:
        docstring = ast.get_docstring(ast.parse(path.read_text())) or ""
        lines.append(f"| `{path.name}` | {docstring.splitlines()[0]} |")
    return "\n".join(lines) + "\n"
