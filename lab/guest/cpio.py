# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Write an initramfs: cpio's "new ASCII" format, gzipped."""

import gzip
import stat

_MAGIC = "070701"
_TRAILER = "TRAILER!!!"


class Archive:
    """A cpio archive in the making; everything in it is root's."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._entries = 0

    def add_directory(self, path: str) -> None:
        """Add an empty directory."""
        self._add(path, b"", mode=stat.S_IFDIR | 0o755)

    def add_file(self, path: str, content: bytes) -> None:
        """Add an executable file."""
        self._add(path, content, mode=stat.S_IFREG | 0o755)

    def add_link(self, path: str, *, target: str) -> None:
        """Add a symbolic link."""
        self._add(path, target.encode(), mode=stat.S_IFLNK | 0o777)

    def compressed(self) -> bytes:
        """Return the finished archive."""
        trailer = self._entry(_TRAILER, b"", mode=0)
        return gzip.compress(b"".join([*self._parts, trailer]), mtime=0)

    def _add(self, path: str, content: bytes, *, mode: int) -> None:
        self._entries += 1
        self._parts.append(self._entry(path, content, mode=mode))

    def _entry(self, path: str, content: bytes, *, mode: int) -> bytes:
        name = path.encode() + b"\0"
        fields = (self._entries, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name), 0)
        header = _MAGIC + "".join(f"{field:08x}" for field in fields)
        return _padded(header.encode() + name) + _padded(content)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)
