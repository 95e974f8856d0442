# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The attempts of the storage probe, a process of their own: write something new, read it back.

``attempt.py TARGET [CEPH-USER]`` tries once for each line that it is given, and answers with a
line: empty if all was well, else why not. It lives as long as the probe, so it imports next to
nothing.
"""

import os
import sys

RBD = "rbd:"
SIZE_BYTES = 4096
WHY_BYTES = 200
"""So long an answer arrives in one piece."""


def try_once(target: str, *, ceph_user: str, name: str) -> None:
    """Write something new and read it back.

    Args:
        target: A directory, or ``rbd:POOL``.
        ceph_user: Ceph's account without "client."; empty means admin.
        name: What is written is called so; nobody else may take that name.

    Raises:
        OSError: if that failed, or something else was read.
    """
    content = os.urandom(SIZE_BYTES)
    if target.startswith(RBD):
        read = _through_rados(target.removeprefix(RBD), content, ceph_user=ceph_user, name=name)
    else:
        read = _through_file(os.path.join(target, f".{name}"), content)  # noqa: PTH118 - no pathlib
    if read != content:
        raise OSError(f"{target} gives back something else than was written")


def _through_file(path: str, content: bytes) -> bytes:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        os.write(handle, content)
        os.fsync(handle)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)  # else the cache answers
        return os.pread(handle, SIZE_BYTES, 0)
    finally:
        os.close(handle)
        os.unlink(path)  # noqa: PTH108 - no pathlib


def _through_rados(pool: str, content: bytes, *, ceph_user: str, name: str) -> bytes:
    import subprocess  # noqa: PLC0415 - a directory needs no other process

    account = ["--id", ceph_user] if ceph_user else []
    rados = ["/usr/bin/rados", *account, "--pool", pool]
    read = b""
    for words in (["put", name, "-"], ["get", name, "-"], ["rm", name]):
        done = subprocess.run([*rados, *words], input=content, capture_output=True, check=False)
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip()
            raise OSError(f"rados {words[0]} failed: {said}")
        read = done.stdout if words[0] == "get" else read
    return read


def main(argv: list[str]) -> None:
    """Try as often as somebody asks."""
    target, ceph_user = argv[0], "".join(argv[1:])
    # The same each time: what an attempt that was killed left behind, the next one takes away.
    name = f"instance-ha-probe.{os.uname().nodename}"
    for _ in sys.stdin.buffer:
        why = ""
        try:
            try_once(target, ceph_user=ceph_user, name=name)
        except OSError as error:
            why = " ".join(str(error).split()) or type(error).__name__
        os.write(sys.stdout.fileno(), why.encode(errors="replace")[-WHY_BYTES:] + b"\n")


if __name__ == "__main__":
    main(sys.argv[1:])
