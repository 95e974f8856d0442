# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The guest of the full profile: a kernel and an initramfs that writes numbered records.

``init`` says what it writes, ``records`` reads it.
"""

import dataclasses
import hashlib
import pathlib
import shutil
import tempfile

from .. import paths
from . import cpio, kernel

COMMAND_LINE = "console=ttyS0 quiet panic=1 period=1"

_INIT = pathlib.Path(__file__).with_name("init")
_APPLETS = (*("cat", "date", "dd", "echo", "insmod", "mount", "printf", "sed", "sh", "sleep"),)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Files:
    """What QEMU boots."""

    kernel: pathlib.Path
    initramfs: pathlib.Path


def sources() -> tuple[pathlib.Path, ...]:
    """Return the files that the guest is made of."""
    makers = (__file__, cpio.__file__, kernel.__file__)
    return (_INIT, *map(pathlib.Path, makers))


def build() -> Files:
    """Return the guest's files, made once and cached."""
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in sources())).hexdigest()
    target = paths.CACHE / f"guest-{digest[:12]}"
    files = Files(kernel=target / "vmlinuz", initramfs=target / "initramfs.gz")
    if target.exists():
        return files
    paths.CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=paths.CACHE) as place:
        work = pathlib.Path(place)
        found = kernel.fetch(work / "kernel")
        done = work / "done"
        done.mkdir()
        shutil.copyfile(found.image, done / files.kernel.name)
        (done / files.initramfs.name).write_bytes(_initramfs(found))
        done.rename(target)
    return files


def _initramfs(found: kernel.Kernel) -> bytes:
    archive = cpio.Archive()
    for directory in ("bin", "dev", "lib", "proc", "sys"):
        archive.add_directory(directory)
    archive.add_file("bin/busybox", pathlib.Path(kernel.busybox()).read_bytes())
    for applet in _APPLETS:
        archive.add_link(f"bin/{applet}", target="busybox")
    for name, content in found.modules.items():
        archive.add_file(f"lib/{name}.ko", content)
    archive.add_file("modules", "\n".join(found.modules).encode())
    archive.add_file("init", _INIT.read_bytes())
    return archive.compressed()
