# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Guests: a kernel and an initramfs whose pid 1 is a script.

The guest of the full profile writes numbered records: ``init`` says what, ``records`` reads it.
Another one is nothing but a guest agent.
"""

import dataclasses
import hashlib
import pathlib
import shutil
import tempfile

from .. import paths
from . import cpio, kernel

COMMAND_LINE = "console=ttyS0 quiet panic=1 period=1"

_HOME = pathlib.Path(__file__).parent
_APPLETS = (*("cat", "date", "dd", "echo", "insmod", "mount", "printf", "sed", "sh", "sleep"),)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """What a guest is."""

    init: pathlib.Path
    """Its pid 1."""
    modules: tuple[str, ...] = kernel.MODULES


DATABASE = Kind(init=_HOME / "init")
AGENT = Kind(init=_HOME / "agent", modules=(*kernel.MODULES, "virtio_console"))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Files:
    """What QEMU boots."""

    kernel: pathlib.Path
    initramfs: pathlib.Path


def sources(kind: Kind = DATABASE) -> tuple[pathlib.Path, ...]:
    """Return the files that a guest is made of."""
    makers = (__file__, cpio.__file__, kernel.__file__)
    return (kind.init, *map(pathlib.Path, makers))


def build(kind: Kind = DATABASE) -> Files:
    """Return a guest's files, made once and cached."""
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in sources(kind))).hexdigest()
    target = paths.CACHE / f"guest-{digest[:12]}"
    files = Files(kernel=target / "vmlinuz", initramfs=target / "initramfs.gz")
    if target.exists():
        return files
    paths.CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=paths.CACHE) as place:
        work = pathlib.Path(place)
        found = kernel.fetch(work / "kernel", modules=kind.modules)
        done = work / "done"
        done.mkdir()
        shutil.copyfile(found.image, done / files.kernel.name)
        (done / files.initramfs.name).write_bytes(_initramfs(found, init=kind.init))
        done.rename(target)
    return files


def _initramfs(found: kernel.Kernel, *, init: pathlib.Path) -> bytes:
    archive = cpio.Archive()
    for directory in ("bin", "dev", "lib", "proc", "sys"):
        archive.add_directory(directory)
    archive.add_file("bin/busybox", pathlib.Path(kernel.busybox()).read_bytes())
    for applet in _APPLETS:
        archive.add_link(f"bin/{applet}", target="busybox")
    for name, content in found.modules.items():
        archive.add_file(f"lib/{name}.ko", content)
    archive.add_file("modules", "\n".join(found.modules).encode())
    archive.add_file("init", init.read_bytes())
    return archive.compressed()
