# Copyright (c) 2026, the lvs.topology authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether every link of a site of HTML leads to a file of it, and to a place in that file: links.py FOLDER

Sphinx checks what it makes of the text of guides. This reads what it wrote, with what the theme and antsibull-docs put
in as HTML. Pages must load nothing from elsewhere, so that the site can be read without a network.
"""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What a reader follows. Everything else is fetched by the browser itself.
FOLLOWED = {("a", "href"), ("area", "href")}
LINKS = {"href", "src", "data", "poster", "srcset"}
# Of a style sheet: url(...), and @import with a text.
OF_STYLE = re.compile(r"""url\(\s*["']?([^"')\s]+)|@import\s+["']([^"']+)""")


class Page(HTMLParser):
    """The places of a page, and where its links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.places: set[str] = set()
        self.links: list[tuple[str, bool]] = []
        self._is_style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_style = tag == "style"
        for name, value in attrs:
            if name in ("id", "name") and value:
                self.places.add(value)
            if name == "style" and value:
                self._load(of_style(value))
            elif name == "srcset" and value:
                self._load([each.split()[0] for each in value.split(",") if each.strip()])
            elif name in LINKS and value:
                self.links.append((value, (tag, name) not in FOLLOWED))

    def handle_data(self, data: str) -> None:
        if self._is_style:
            self._load(of_style(data))

    def handle_endtag(self, _tag: str) -> None:
        self._is_style = False

    def _load(self, links: list[str]) -> None:
        self.links += [(each, True) for each in links]


def of_style(text: str) -> list[str]:
    """What a style sheet loads."""
    return [url or sheet for url, sheet in OF_STYLE.findall(text)]


def wrong(folder: Path) -> list[str]:
    pages = {path.resolve(): Page(path.read_text()) for path in sorted(folder.rglob("*.html"))}
    links = [(path, *each) for path, page in pages.items() for each in page.links]
    links += [(path, each, True) for path in sorted(folder.rglob("*.css")) for each in of_style(path.read_text())]
    found = []
    for path, link, is_loaded in links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            if is_loaded and parts.scheme != "data":
                found.append(f"{path.relative_to(folder)}: loads {link}")
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        place = unquote(parts.fragment)
        if not target.is_file():
            found.append(f"{path.relative_to(folder)}: {link} leads nowhere")
        elif place and target in pages and place not in pages[target].places:
            found.append(f"{path.relative_to(folder)}: {link} leads to no place of that page")
    if not pages:
        found.append(f"{folder}: no page is there")
    return found


def main() -> int:
    folder = Path(sys.argv[1]).resolve()
    problems = wrong(folder)
    print(
        "\n".join(problems) or f"Every link of {folder.name} leads somewhere.",
        file=sys.stderr if problems else sys.stdout,
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
