# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
import gzip
import subprocess

import pytest

from lab.errors import LabError
from lab.guest import cpio, kernel, records
from lab.guest.records import Record

CONSOLE = """SeaBIOS (version 1.16.2)
WRITER h1 starts after record 0
ACK h1 1 1795241813
ACK h1 2 1795241814
WRITE-ERROR h1 3 1795241815
ACK h1 3 1795241816
ACK h1 4 17952"""


def disk(*records_: str) -> bytes:
    return b"".join(text.encode().ljust(records.SECTOR_BYTES, b"\0") for text in records_)


def test_a_console_tells_what_was_acknowledged_and_refused():
    said = records.read_console(CONSOLE)

    assert [record.number for record in said.acknowledged] == [1, 2, 3]
    assert said.started_after == (0,)
    assert said.refused == 1


def test_half_a_line_is_not_said_yet():
    assert Record(number=4, host="h1") not in records.read_console(CONSOLE).acknowledged


@pytest.mark.parametrize(
    ("content", "lost"),
    [
        pytest.param(disk("CNT", "REC h1 00000001", "REC h1 00000002"), {}, id="all there"),
        pytest.param(disk("CNT", "REC h1 00000001"), {"h1": (2,)}, id="beyond the end"),
        pytest.param(disk("CNT", "", "REC h1 00000002"), {"h1": (1,)}, id="never arrived"),
        pytest.param(
            disk("CNT", "REC h2 00000001", "REC h1 00000002"), {"h1": (1,)}, id="overwritten"
        ),
    ],
)
def test_an_acknowledged_record_is_lost_unless_its_own_host_wrote_it_there(content, lost):
    acknowledged = [Record(number=1, host="h1"), Record(number=2, host="h1")]

    assert records.lost(content, acknowledged) == lost


def test_an_archive_is_what_the_kernel_reads():
    archive = cpio.Archive()
    archive.add_directory("bin")
    archive.add_file("init", b"#!/bin/sh\n")
    archive.add_link("bin/sh", target="busybox")

    raw = gzip.decompress(archive.compressed())

    names, offset = [], 0
    while offset < len(raw):
        assert raw[offset : offset + 6] == b"070701"
        fields = [int(raw[offset + 6 + 8 * n : offset + 14 + 8 * n], 16) for n in range(13)]
        size, name_size = fields[6], fields[11]
        names.append(raw[offset + 110 : offset + 110 + name_size - 1].decode())
        data = offset + -(-(110 + name_size) // 4) * 4
        offset = data + -(-size // 4) * 4
    assert names == ["bin", "init", "bin/sh", "TRAILER!!!"]


def test_a_machine_without_package_lists_fetches_them_once(monkeypatch, tmp_path):
    asked = []

    def apt(argv, **_):
        asked.append(" ".join(map(str, argv[:2])))
        fetched = "apt-get update" in asked
        said = "  Depends: linux-image-6.1-cloud\n" if fetched else ""
        return subprocess.CompletedProcess(argv, 0, stdout=said)

    monkeypatch.setattr(kernel.process, "run", apt)

    with pytest.raises(LabError, match="no /boot/vmlinuz"):
        kernel.fetch(tmp_path / "kernel")

    assert asked.count("apt-get update") == 1


def test_a_machine_whose_lists_have_no_kernel_is_told_so(monkeypatch, tmp_path):
    nothing = subprocess.CompletedProcess([], 0, stdout="")
    monkeypatch.setattr(kernel.process, "run", lambda *_, **__: nothing)

    with pytest.raises(LabError, match="check /etc/apt"):
        kernel.fetch(tmp_path / "kernel")
