# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A copy of the fence agents' program outside of the charm, which a refresh never touches.

While Juju replaces the charm's directory there is no charm for some seconds, and a refresh that
fails may leave none for hours. Pacemaker fences all the same, by the copy. A copy is made aside
and given its name when it is whole; the one before it stays, for an agent that runs right now.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import pathlib
import re
import shutil
from collections.abc import Iterator, Mapping

from hacluster_shim.ring import daemons

HOME = pathlib.Path("usr/lib/instance-ha")
OURS = ("hacluster_shim", "instance_ha", "instance_ha_relations", "masakari_instance_ha")
_THEIRS = ("pyghmi", "requests", "requests-oauthlib")
"""What our clients import; what these need comes along."""
_KEPT = 2
_NOT_COPIED = ("__pycache__", "alembic", "tests")


def ensure() -> pathlib.Path:
    """Make the copy be there, and return where the agents find it."""
    files = dict(_files())
    place = HOME / f"fence-{_fingerprint(files)}"
    target = daemons.ROOT / place
    if not target.exists():
        new = target.with_suffix(".new")
        shutil.rmtree(new, ignore_errors=True)
        for name, source in files.items():
            (new / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, new / name)
        new.rename(target)
        _forget_old(target)
    return pathlib.Path("/") / place


def remove() -> None:
    """Take every copy away."""
    shutil.rmtree(daemons.ROOT / HOME, ignore_errors=True)


def _forget_old(newest: pathlib.Path) -> None:
    copies = sorted(newest.parent.glob("fence-*"), key=lambda copy: copy.stat().st_ctime_ns)
    for copy in copies[:-_KEPT]:
        shutil.rmtree(copy)


def _fingerprint(files: Mapping[str, pathlib.Path]) -> str:
    said = [
        (name, source.stat().st_size, source.stat().st_mtime_ns) for name, source in files.items()
    ]
    return hashlib.sha256(repr(sorted(said)).encode()).hexdigest()[:16]


def _files() -> Iterator[tuple[str, pathlib.Path]]:
    """Give each file of the program: its name in the copy, and where it is now."""
    for package in OURS:
        found = importlib.util.find_spec(package)
        for place in (found and found.submodule_search_locations) or ():
            root = pathlib.Path(place)
            for file in root.rglob("*.py"):
                if not set(_NOT_COPIED) & set(file.parts):
                    yield f"{package}/{file.relative_to(root)}", file
    for distribution in _distributions():
        for file in distribution.files or ():
            source = pathlib.Path(str(distribution.locate_file(file)))
            if ".." not in file.parts and file.suffix != ".pyc" and source.is_file():
                yield str(file), source


def _distributions() -> Iterator[importlib.metadata.Distribution]:
    """Give the others' distributions that are there, each once."""
    waiting, seen = list(_THEIRS), set[str]()
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
