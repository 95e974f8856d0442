# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""Check the documents against the repository: links, anchors, commands, words, decisions."""

import configparser
import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator

ROOT = pathlib.Path(__file__).resolve().parent.parent

CODE = re.compile(r"^(?:```|~~~).*?^(?:```|~~~)\s*$|^(?:    |\t).*$", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^(?:```|~~~).*?^(?:```|~~~)\s*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?<!\!)\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*$", re.MULTILINE)
MAKE = re.compile(r"(?:`|^ {4}|\$ )make ([a-z][a-z-]*)", re.MULTILINE)
TOX = re.compile(r"\btox (?:run )?-e ([\w,-]+)")

DECISION = ("Context", "Decision", "Alternatives", "Consequences")
DECISION_LINES = 60

WORDS = {
    "simply": "leave it out",
    "obviously": "leave it out",
    "easily": "leave it out",
    "e.g.": "for example",
    "i.e.": "that is",
    "TODO": "do it, or open an issue",
    "TBD": "say what is known",
    "FIXME": "mend it",
}
"""Words that a document goes without, and what to write instead."""


def anchor(heading: str) -> str:
    """Return the anchor that a heading gets."""
    plain = re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", heading).lower())
    return plain.replace(" ", "-")


def anchors(text: str) -> set[str]:
    """Return every anchor of a document."""
    return {anchor(heading) for heading in HEADING.findall(FENCE.sub("", text))}


def broken_links(path: pathlib.Path, text: str) -> Iterator[str]:
    """Yield each link of a document that leads nowhere inside the repository."""
    for target in LINK.findall(FENCE.sub("", text)):
        if re.match(r"[a-z]+:", target):
            continue
        place, _, fragment = target.partition("#")
        file = (path.parent / place).resolve() if place else path
        if not file.exists():
            yield f"link to {target}: there is no such file"
        elif fragment and file.suffix == ".md" and fragment not in anchors(file.read_text()):
            yield f"link to {target}: there is no such heading"


def make_targets() -> set[str]:
    """Return what ``make`` can be asked for."""
    makefile = (ROOT / "Makefile").read_text()
    return set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))


def tox_environments() -> set[str]:
    """Return the environments of ``tox.ini``, generative names spelt out."""
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(ROOT / "tox.ini")
    found: set[str] = set()
    for section in parser.sections():
        if section.startswith("testenv:"):
            name, _, factors = section.removeprefix("testenv:").partition("{")
            found |= {name + factor for factor in factors.rstrip("}").split(",")}
    return found


def unknown_commands(text: str) -> Iterator[str]:
    """Yield each command of a document that the repository does not offer."""
    for target in MAKE.findall(text):
        if target not in make_targets():
            yield f"`make {target}`: the Makefile has no such target"
    for names in TOX.findall(text):
        for name in names.split(","):
            if name not in tox_environments():
                yield f"`tox -e {name}`: tox.ini has no such environment"


def unwanted_words(text: str) -> Iterator[str]:
    """Yield each unwanted word outside code."""
    prose = re.sub(r"`[^`]*`", "", CODE.sub("", text))
    for word, instead in WORDS.items():
        if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", prose):
            yield f"“{word}”: {instead}"


def incomplete_decision(path: pathlib.Path, text: str) -> Iterator[str]:
    """Yield what a decision record lacks."""
    if not re.fullmatch(r"\d{4}-[a-z0-9-]+", path.stem):
        yield "a decision is named NNNN-title.md"
    headings = HEADING.findall(text)
    yield from (f"heading “{wanted}” is missing" for wanted in DECISION if wanted not in headings)
    if text.count("\n") > DECISION_LINES:
        yield f"a decision has at most {DECISION_LINES} lines"


def findings(path: pathlib.Path) -> Iterator[str]:
    """Yield everything that is wrong in one document."""
    text = path.read_text()
    yield from broken_links(path, text)
    yield from unknown_commands(text)
    yield from unwanted_words(text)
    if path.parent.name == "adr" and path.name != "README.md":
        yield from incomplete_decision(path, text)


def documents() -> list[pathlib.Path]:
    """Return every document that is, or is about to be, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [path for name in listed.stdout.splitlines() if (path := ROOT / name).exists()]


def main() -> int:
    """Print every finding with its file; the exit code says whether there was one."""
    found = 0
    for path in documents():
        for finding in findings(path):
            print(f"{path.relative_to(ROOT)}: {finding}")
            found += 1
    print(f"{len(documents())} documents, {found} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
