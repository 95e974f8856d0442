# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A copy of a program outside of the charm that brings it, which a refresh never touches.

While Juju replaces the charm's directory there is no charm for some seconds, and a refresh that
fails may leave none for hours; what runs by the copy runs on. A copy is made aside and given its
name when it is whole; the one before it stays, for whoever runs by it right now.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import pathlib
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

_KEPT = 2
_NOT_COPIED = ("__pycache__", "tests")


@dataclass(frozen=True, kw_only=True)
class Program:
    """What a program is made of."""

    name: str
    ours: Sequence[str]
    """Packages of this project, of which the sources are copied."""
    theirs: Sequence[str]
    """Distributions that ours import; what these need comes along."""

    def ensure(self, home: pathlib.Path) -> pathlib.Path:
        """Make a copy be there below *home*, and return the directory to import from."""
        files = dict(self._files())
        target = home / f"{self.name}-{fingerprint(files)}"
        if not target.exists():
            new = target.with_suffix(".new")
            shutil.rmtree(new, ignore_errors=True)
            for name, source in files.items():
                (new / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, new / name)
            new.rename(target)
            self._forget_old(home)
        return target

    def _forget_old(self, home: pathlib.Path) -> None:
        copies = sorted(home.glob(f"{self.name}-*"), key=lambda copy: copy.stat().st_ctime_ns)
        for copy in copies[:-_KEPT]:
            shutil.rmtree(copy)

    def _files(self) -> Iterator[tuple[str, pathlib.Path]]:
        """Give each file of the program: its name in the copy, and where it is now."""
        for package in self.ours:
            found = importlib.util.find_spec(package)
            for place in (found and found.submodule_search_locations) or ():
                root = pathlib.Path(place)
                for file in root.rglob("*.py"):
                    name = file.relative_to(root)
                    if not set(_NOT_COPIED) & set(name.parts):
                        yield f"{package}/{name}", file
        for distribution in self._distributions():
            for file in distribution.files or ():
                source = pathlib.Path(str(distribution.locate_file(file)))
                if ".." not in file.parts and file.suffix != ".pyc" and source.is_file():
                    yield str(file), source

    def _distributions(self) -> Iterator[importlib.metadata.Distribution]:
        """Give the others' distributions that are there, each once."""
        waiting, seen = list(self.theirs), set[str]()
        while waiting:
            name = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
            if name in seen:
                continue
            seen.add(name)
            try:
                found = importlib.metadata.distribution(name)
            except importlib.metadata.PackageNotFoundError:
                continue  # of another Python or system, or not needed by what runs here
            yield found
            wanted = (each for each in found.requires or () if "extra ==" not in each)
            waiting += [re.split(r"[\s\[<>=!~;(@]", each, maxsplit=1)[0] for each in wanted]


def fingerprint(files: Mapping[str, pathlib.Path]) -> str:
    """Return what changes with any of the files."""
    said = [
        (name, source.stat().st_size, source.stat().st_mtime_ns) for name, source in files.items()
    ]
    return hashlib.sha256(repr(sorted(said)).encode()).hexdigest()[:16]
