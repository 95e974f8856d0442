# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""How Sphinx builds these pages: ``tox run -e docs``, without a network, without a warning."""

import os
import pathlib
import re

from sphinx.application import Sphinx

project = "Instance recovery"
author = "The instance-recovery authors"
copyright = f"2026, {author}"  # noqa: A001  the name that Sphinx asks for
extensions = ["myst_parser"]
html_theme = "furo"
html_title = project
html_show_sphinx = False
myst_heading_anchors = 4

SOURCE_URL = os.environ.get("DOCS_SOURCE_URL", "")
"""Where the repository can be read, without a slash at the end; without it, what lies outside of
the documents is named by its path and not linked."""

DOCS = pathlib.Path(__file__).parent
INDEX = re.compile(r"(?:.*/)?(?:index|README)")
OUTWARD = re.compile(r"\[([^\]]+)\]\(((?:\.\./)+[^)#\s]*)(?:#[^)\s]*)?\)")
ALL_PAGES = """
## All pages

```{{toctree}}
:maxdepth: 1

{pages}
```
"""
CHAPTERS = """
```{toctree}
:hidden:

tutorial/index
how-to/index
reference/index
explanation/index
adr/README
```
"""


def pages(index: pathlib.Path) -> list[str]:
    """Return what an index lists: its neighbours, and what stands for each folder below it."""
    below = [path for path in index.parent.iterdir() if path.is_dir()]
    folders = [[*path.glob("index.md")] or [*path.glob("*.md")] for path in below]
    listed = [*index.parent.glob("*.md"), *(path for folder in folders for path in folder)]
    names = {path.relative_to(index.parent).with_suffix("").as_posix() for path in listed}
    return sorted(names - {index.name})


def complete(_: Sphinx, page: str, source: list[str]) -> None:
    """Give each index the list of its folder's pages, and every outward link its address.

    The files themselves stay plain Markdown, as they are read on the repository's own pages.
    """
    if page == "index":
        source[0] += CHAPTERS
    elif INDEX.fullmatch(page):
        source[0] += ALL_PAGES.format(pages="\n".join(pages(DOCS / page)))
    folder = (DOCS / page).parent

    def outward(link: re.Match[str]) -> str:
        target = (folder / link[2]).resolve()
        if target.is_relative_to(DOCS):
            return link[0]
        name = target.relative_to(DOCS.parent).as_posix()
        return f"[{link[1]}]({SOURCE_URL}/{name})" if SOURCE_URL else f"{link[1]} (`{name}`)"

    source[0] = OUTWARD.sub(outward, source[0])


def setup(app: Sphinx) -> None:
    """Hook :func:`complete` into the reading of each page."""
    app.connect("source-read", complete)
