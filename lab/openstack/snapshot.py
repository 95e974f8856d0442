# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Keep the control plane as it was when new: ``lab up`` then copies instead of migrating."""

import hashlib
import pathlib
import shutil

from .. import guest, paths, process
from . import database, places
from .places import CONTROL, ETC, IMAGES, Profile

_SOURCES = pathlib.Path(__file__).parent
_KEPT = (database.DATA, ETC / "keystone", IMAGES)


def restore(profile: Profile) -> bool:
    """Copy the snapshot of *profile* into place. Return whether there was one."""
    source = _directory(profile)
    if not source.exists():
        return False
    for kept in _KEPT:
        shutil.rmtree(kept, ignore_errors=True)
        _copy(source / kept.relative_to(CONTROL), to=kept)
    return True


def save(profile: Profile) -> None:
    """Keep the control plane's content; nothing of it runs now. Older snapshots go."""
    target = _directory(profile)
    unfinished = target.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    for kept in _KEPT:
        _copy(kept, to=unfinished / kept.relative_to(CONTROL))
    for older in paths.CACHE.glob(f"control-{profile}-*"):
        if older != unfinished:
            shutil.rmtree(older)
    unfinished.rename(target)


def _copy(source: pathlib.Path, *, to: pathlib.Path) -> None:
    places.prepare(to.parent)
    process.run(["cp", "--archive", "--reflink=auto", "--sparse=always", source, to])


def _directory(profile: Profile) -> pathlib.Path:
    """Return where the snapshot belongs; all that could change its content is in its name."""
    digest = hashlib.sha256()
    for file in (*sorted(_SOURCES.glob("*.py")), *guest.sources()):
        digest.update(file.read_bytes())
    digest.update(paths.openstack_venv().name.encode())
    digest.update(process.run(["/usr/sbin/mariadbd", "--version"]).stdout.encode())
    digest.update(str(CONTROL).encode())  # Glance remembers full paths
    return paths.CACHE / f"control-{profile}-{digest.hexdigest()[:12]}"
