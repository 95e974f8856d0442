# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Judge from the storage's own log whether a disk ever had two writers.

The OSD logs each reply that it sends. A write that it accepted is one line with the client's
address, so what counts here is what the storage did, not what anybody believes:

    <time> ... --> v1:10.73.0.11:0/1234 -- osd_op_reply(7 rbd_data.5e.0001 [write 0~512] ... = 0)
"""

import dataclasses
import datetime
import enum
import itertools
import pathlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from . import ceph, servers
from .guest import records
from .host import Host

_REPLY = re.compile(
    r"(?P<at>\S+) .* --> \[?(?:v\d:)?(?P<address>[\d.]+):\d+/\d+.* "
    r"osd_op_reply\(\d+ (?P<image>rbd_data\.[0-9a-f]+)\.[0-9a-f]+ \[(?P<operations>.*)\] "
    r"v\d+'\d+ .* = (?P<result>-?\d+)"
)
_CHANGES = re.compile(r"\b(write|writefull|writesame|zero|truncate|delete|append)\b")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Write:
    """One change of a disk that the storage accepted."""

    at: datetime.datetime
    image: str
    address: str


@dataclasses.dataclass(frozen=True, kw_only=True)
class Run:
    """Writes of one client with nobody else's between them."""

    address: str
    first: datetime.datetime
    last: datetime.datetime
    count: int


class Verdict(enum.StrEnum):
    """Whether writers of a disk took turns."""

    ONE_AFTER_THE_OTHER = "one writer after the other"
    TWO_WRITERS = "TWO WRITERS"
    NOBODY = "nobody wrote"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Finding:
    """What became of one server's disk."""

    server: str
    runs: tuple[Run, ...]
    verdict: Verdict
    acknowledged: int
    lost: Mapping[str, tuple[int, ...]]
    """Records that the guest had acknowledged and the disk does not hold, by host."""

    @property
    def sound(self) -> bool:
        """Whether the promise was kept: writers took turns, and nothing acknowledged is lost."""
        return self.verdict is Verdict.ONE_AFTER_THE_OTHER and not self.lost


def parse(lines: Iterable[str]) -> Iterator[Write]:
    """Yield every accepted write in an OSD's log; refusals and reads are none."""
    for line in lines:
        if "osd_op_reply" not in line or "rbd_data" not in line:
            continue
        match = _REPLY.match(line)
        if match and match["result"] == "0" and _CHANGES.search(match["operations"]):
            yield Write(
                at=datetime.datetime.fromisoformat(match["at"]),
                image=match["image"],
                address=match["address"],
            )


def runs(writes: Iterable[Write]) -> tuple[Run, ...]:
    """Compress the writes of one disk into runs, in the order of time."""
    ordered = sorted(writes, key=lambda write: write.at)
    found: list[Run] = []
    for address, group in itertools.groupby(ordered, key=lambda write: write.address):
        turn = list(group)
        found.append(Run(address=address, first=turn[0].at, last=turn[-1].at, count=len(turn)))
    return tuple(found)


def judge(turns: Sequence[Run], *, moves: int) -> Verdict:
    """Judge one disk.

    Args:
        turns: Its runs, as ``runs`` gives them.
        moves: How often its server was meant to change hosts in this time. Each move starts one
            new run; two live writers make many.
    """
    if not turns:
        return Verdict.NOBODY
    return Verdict.TWO_WRITERS if len(turns) > moves + 1 else Verdict.ONE_AFTER_THE_OTHER


def examine(
    server_id: str,
    *,
    ran_on: Sequence[Host],
    moves: int = 1,
    image: str | None = None,
    unlock: Callable[[pathlib.Path], None] = lambda _: None,
) -> Finding:
    """Examine the disk of a server of the running lab.

    Args:
        server_id: The server.
        ran_on: Every host on which it may have written.
        moves: How often it was meant to change hosts.
        image: Its disk, if that is a volume.
        unlock: Makes a copy of the disk readable.
    """
    image = image or ceph.image_of(server_id)
    # The consoles come first: what is acknowledged by now must be on the copy made afterwards.
    acknowledged = [
        record for each in ran_on for record in servers.written(server_id, on=each).acknowledged
    ]
    furthest = max((record.number for record in acknowledged), default=0)
    with ceph.exported(image) as copy:
        unlock(copy)
        with copy.open("rb") as disk:
            lost = records.lost(disk.read((furthest + 1) * records.SECTOR_BYTES), acknowledged)
    prefix = ceph.data_prefix(image)
    with ceph.osd_log().open(errors="replace") as log:
        turns = runs(write for write in parse(log) if write.image == prefix)
    return Finding(
        server=server_id,
        runs=turns,
        verdict=judge(turns, moves=moves),
        acknowledged=len(acknowledged),
        lost=lost,
    )


def describe(finding: Finding, *, shown: int = 6) -> list[str]:
    """Return a finding as lines for people; of many runs only the first and the last few."""
    lines = [f"{finding.server}  {finding.verdict}  {len(finding.runs)} runs"]
    head = finding.runs[: shown - shown // 3]
    tail = finding.runs[max(len(head), len(finding.runs) - shown // 3) :]
    lines += [_describe_run(run) for run in head]
    if hidden := len(finding.runs) - len(head) - len(tail):
        lines.append(f"    ... {hidden} more")
    lines += [_describe_run(run) for run in tail]
    for host, numbers in finding.lost.items():
        lines.append(f"    lost: {len(numbers)} records that {host} had acknowledged")
    if not finding.lost:
        lines.append(f"    {finding.acknowledged} acknowledged records, none lost")
    return lines


def _describe_run(run: Run) -> str:
    return (
        f"    {run.address:<12} {run.first:%H:%M:%S.%f} to {run.last:%H:%M:%S.%f} {run.count:>6}"
    )
