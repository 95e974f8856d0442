# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""Read the commands of a page, so that they can be run and held against what exists.

A page whose first line is ``<!-- lab -->`` is run on the lab, from the top:

* each ``shell`` block is run, and must end well;
* each line of the ``text`` block after it must be in what was printed, in this order; three dots
  stand for anything, blanks for any number of blanks, and the borders of tables for nothing.

One that begins with ``<!-- lab: long -->`` is run with the long tests only.

A comment before a ``shell`` block says otherwise, to the test and not to the reader:

* ``<!-- lab: until -->``: run it again until it prints that;
* ``<!-- lab: refused -->``: it must fail, and print that;
* ``<!-- lab: elsewhere -->``: it is for a real cloud, and is not run;
* ``<!-- lab: run COMMAND -->``: run this, which no reader needs.
"""

import dataclasses
import pathlib
import re
from collections.abc import Sequence

MARK = "<!-- lab -->"
LONG = "<!-- lab: long -->"
ORDERS = ("until", "refused", "elsewhere")

_PART = re.compile(
    r"^[ ]*<!-- lab: (?P<order>[^\n]*?) -->$"
    r"|^(?P<indent>[ ]*)```(?P<language>\w*)\n(?P<body>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_BORDER = re.compile(r"[\s+-]*")


class PageError(Exception):
    """A page says something to the test that no test understands."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Step:
    """Commands of one page that are run together."""

    line: int
    script: str
    order: str = ""
    """One of ``ORDERS``, or nothing."""
    expected: tuple[str, ...] = ()
    """Lines that must be printed."""


def is_played(text: str) -> bool:
    """Return whether a page is run on the lab."""
    return text.startswith((MARK, LONG))


def is_long(text: str) -> bool:
    """Return whether a page is run with the long tests only."""
    return text.startswith(LONG)


def steps(text: str) -> Sequence[Step]:
    """Return what a page has people do, in order.

    Raises:
        PageError: for a mark that means nothing here.
    """
    found: list[Step] = []
    order = ""
    for part in _PART.finditer(text, pos=text.find("\n") + 1 if is_long(text) else 0):
        line = text.count("\n", 0, part.start()) + 1
        if said := part["order"]:
            order = "" if said.startswith("run ") else said
            if said.startswith("run "):
                found.append(Step(line=line, script=said.removeprefix("run ")))
            elif said not in ORDERS:
                raise PageError(f"line {line}: “{said}” is none of run, {', '.join(ORDERS)}")
        elif part["language"] == "shell":
            script = _dedented(part["body"], part["indent"])
            found.append(Step(line=line, script=script, order=order))
            order = ""
        elif part["language"] == "text" and found and not found[-1].expected:
            found[-1] = dataclasses.replace(found[-1], expected=tuple(_lines(part["body"])))
    return found


def missing(expected: Sequence[str], printed: str) -> str | None:
    """Return the first expected line that was not printed after those before it, if there is."""
    rest = list(_lines(printed))
    for wanted in expected:
        words = [re.escape(word) for word in wanted.split()]
        pattern = r"\s+".join(words).replace(r"\.\.\.", ".*")
        place = next((n for n, line in enumerate(rest) if re.fullmatch(pattern, line)), None)
        if place is None:
            return wanted
        del rest[: place + 1]
    return None


def _lines(text: str) -> list[str]:
    stripped = (line.strip() for line in text.splitlines())
    return [line for line in stripped if not _BORDER.fullmatch(line)]


def _dedented(body: str, indent: str) -> str:
    return "\n".join(line.removeprefix(indent) for line in body.splitlines())


def pages(docs: pathlib.Path) -> Sequence[pathlib.Path]:
    """Return every page that is run on the lab."""
    return [path for path in sorted(docs.rglob("*.md")) if is_played(path.read_text())]
