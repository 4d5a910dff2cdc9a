# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/site/links.py finds each kind of broken link in a site, and nothing else."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

wrong = runpy.run_path(str(Path(__file__).parents[2] / "docs/site/links.py"))["wrong"]


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ('<a href="folder/other.html#there">', None),
        ('<a href="#here"><i id="here">', None),
        ('<a href="https://example.com/">', None),
        ('<img src="data:image/png;base64,AA==">', None),
        ('<a href="other.html">', "index.html: other.html leads nowhere"),
        ('<a href="folder/">', "index.html: folder/ leads nowhere"),
        ('<a href="folder/other.html#her">', "index.html: folder/other.html#her leads to no place of that page"),
        ('<a href="#there">', "index.html: #there leads to no place of that page"),
        ('<img src="picture.svg">', "index.html: picture.svg leads nowhere"),
        ('<script src="https://example.com/x.js">', "index.html: loads https://example.com/x.js"),
        ('<link rel="stylesheet" href="//example.com/x.css">', "index.html: loads //example.com/x.css"),
    ],
)
def test_links(tmp_path: Path, link: str, said: str | None) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/other.html").write_text('<p id="there"><a href="../index.html">back</a>')
    (tmp_path / "index.html").write_text(link)
    assert wrong(tmp_path) == ([] if said is None else [said])


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ('<video poster="https://example.com/x.png">', "index.html: loads https://example.com/x.png"),
        ('<img srcset="a.png 2x, https://example.com/x.png 3x">', "index.html: loads https://example.com/x.png"),
        ('<p style="background: url(https://example.com/x.png)">', "index.html: loads https://example.com/x.png"),
        ("<style>@import '//example.com/x.css';</style>", "index.html: loads //example.com/x.css"),
    ],
)
def test_whatever_a_browser_loads(tmp_path: Path, link: str, said: str) -> None:
    (tmp_path / "a.png").write_text("")
    (tmp_path / "index.html").write_text(link)
    assert wrong(tmp_path) == [said]


def test_what_a_style_sheet_loads(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("")
    (tmp_path / "here.woff").write_text("")
    text = (
        "a { src: url('here.woff?v=1#x') url(data:x) url(#y) } @import \"//example.com/x.css\"; b { c: url(gone.png) }"
    )
    (tmp_path / "x.css").write_text(text)
    assert wrong(tmp_path) == ["x.css: loads //example.com/x.css", "x.css: gone.png leads nowhere"]


def test_a_site_without_pages_is_none(tmp_path: Path) -> None:
    assert wrong(tmp_path) == [f"{tmp_path}: no page is there"]
