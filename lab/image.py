# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What a container of the lab starts from: a bare tree, and what an image puts over it.

An image is only a description: who may be a user, which directories of the machine are shown, and
which commands are found. Its programs are those of the lab's environments, not of a registry.
"""

import dataclasses
import hashlib
import os
import pathlib
import shutil
from collections.abc import Callable, Mapping

from .errors import LabError
from .paths import CACHE, openstack_venv

_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_EMPTY = (
    *("boot", "dev", "home", "media", "mnt", "opt", "proc", "root", "run", "srv", "sys", "tmp"),
    *("usr", "var/cache", "var/lib", "var/log", "var/tmp", "charm/container", "charm/bin"),
)
_COPIED = ("alternatives", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "ssl", "services")
_FILES = {
    "passwd": "root:x:0:0:root:/root:/bin/bash\n"
    "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n",
    "group": "root:x:0:\nadm:x:4:\nnogroup:x:65534:\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\n",
    "os-release": 'NAME="Lab"\nID=lab\n',
    "resolv.conf": "",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class User:
    """A system user that an image brings; the group has the same name and number."""

    name: str
    uid: int
    home: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Image:
    """What one image has more than the bare tree."""

    name: str
    users: tuple[User, ...] = ()
    shown: tuple[pathlib.Path, ...] = ()
    """Directories of the machine that are seen read-only, at their own path."""
    links: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Path in the image to what it points to."""
    scripts: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Path in the image to the shell command that it is."""
    owned: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Directory in the image to the user who may write there."""


def _base(name: str) -> Image:
    return Image(name=name)


def _masakari(name: str) -> Image:
    venv = openstack_venv()
    commands = [*sorted((venv / "bin").glob("*masakari*")), venv / "bin" / "privsep-helper"]
    own = ("/etc/masakari", "/var/lib/masakari", "/var/log/masakari")
    return Image(
        name=name,
        users=(User(name="masakari", uid=42424, home="/var/lib/masakari"),),
        shown=(venv,),
        links={f"/usr/local/bin/{command.name}": str(command) for command in commands},
        scripts={"/usr/local/bin/python3": f'exec {venv}/bin/python3 "$@"'},
        owned=dict.fromkeys(own, "masakari"),
    )


IMAGES: Mapping[str, Callable[[str], Image]] = {
    "base": _base,
    "masakari-image": _masakari,
    "proxy-image": _base,
}
"""Every image; a container without an attached resource gets the one of its resource's name."""


def image(name: str) -> Image:
    """Return the image called *name*.

    Raises:
        LabError: if the lab has none of that name.
    """
    if name not in IMAGES:
        raise LabError(f"no image is called {name}; describe it in lab/image.py")
    return IMAGES[name](name)


def ensure_tree() -> pathlib.Path:
    """Return the bare tree, made once: links, empty directories and a minimal /etc."""
    recipe = repr((_LINKS, _EMPTY, _COPIED, _FILES))
    tree = CACHE / f"pod-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    if (tree / "etc/os-release").exists():
        return tree
    for name in _EMPTY:
        (tree / name).mkdir(parents=True, exist_ok=True)
    for name in ("tmp", "var/tmp"):
        (tree / name).chmod(0o1777)
    for name in _LINKS:
        source = pathlib.Path("/", name)
        if source.is_symlink() and not (tree / name).is_symlink():
            (tree / name).symlink_to(source.readlink())
    (tree / "etc").mkdir(exist_ok=True)
    for name in _COPIED:
        _copy(pathlib.Path("/etc", name), to=tree / "etc" / name)
    for name, text in _FILES.items():
        (tree / "etc" / name).write_text(text)
    return tree


def _copy(source: pathlib.Path, *, to: pathlib.Path) -> None:
    if source.is_dir():
        ignore = shutil.ignore_patterns("private")
        shutil.copytree(source, to, symlinks=True, ignore=ignore, dirs_exist_ok=True)
    elif source.exists():
        shutil.copy2(source, to)


def lay_out(wanted: Image, *, upper: pathlib.Path, usr: pathlib.Path) -> None:
    """Put what *wanted* has into the two fresh layers of a container."""
    for name in ("passwd", "group"):
        lines = "".join(_account(user, name) for user in wanted.users)
        file = upper / "etc" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_FILES[name] + lines)
    uids = {user.name: user.uid for user in wanted.users}
    for directory, user in wanted.owned.items():
        path = upper / directory.lstrip("/")
        path.mkdir(parents=True, exist_ok=True)
        os.chown(path, uids[user], uids[user])
        path.chmod(0o750)
    for name, target in wanted.links.items():
        path = _layer(name, upper=upper, usr=usr)
        path.symlink_to(target)
    for name, command in wanted.scripts.items():
        path = _layer(name, upper=upper, usr=usr)
        path.write_text(f"#!/bin/sh\n{command}\n")
        path.chmod(0o755)


def _account(user: User, file: str) -> str:
    if file == "group":
        return f"{user.name}:x:{user.uid}:\n"
    return f"{user.name}:x:{user.uid}:{user.uid}::{user.home}:/usr/sbin/nologin\n"


def _layer(name: str, *, upper: pathlib.Path, usr: pathlib.Path) -> pathlib.Path:
    inside = pathlib.PurePath(name)
    path = usr / inside.relative_to("/usr") if inside.is_relative_to("/usr") else None
    path = path or upper / inside.relative_to("/")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
