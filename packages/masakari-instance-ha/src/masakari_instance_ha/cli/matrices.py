# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""The network matrix: show which one counts, try another, set it, go back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from instance_ha.matrices import CLOUD, Chosen, Matrices, collect
from instance_ha.matrix import Matrix
from masakari_instance_ha import assembly
from masakari_instance_ha.cli.call import Call, Commands, InputError
from masakari_instance_ha.cli.enrolment import SEGMENT_HELP, find_segment
from masakari_instance_ha.cli.output import Table, moment
from masakari_instance_ha.clock import SystemClock

if TYPE_CHECKING:
    import argparse

    from instance_ha.matrix import Row
    from masakari_instance_ha.cli.output import Value

_TOLD = ("from", "before")
"""What `show` and `set` tell beside a row; what they told can be set again as it is."""

_HISTORY = ("version", "scope", "at", "author", "reason", "forced", "rows")


def describe_matrix(matrix: Commands) -> None:
    """Describe the verbs of ``matrix``."""
    made = matrix.verb("show", show_matrix, "show the matrix that counts, and where it is from")
    _describe_segment(made)
    made = matrix.deed("set", set_matrix, "check a matrix and let it count within seconds")
    made.add_argument("file", help="YAML or JSON list of rows, as `show` tells them; - for stdin")
    made.add_argument(
        "--force",
        action="store_true",
        help="take rows that recover though storage and management are up, or that do not "
        "recover a worse loss than another row does",
    )
    made.add_argument("--dry-run", action="store_true", help="check and show; change nothing")
    _describe_segment(made)
    _describe_reason(made)
    made = matrix.deed("reset", reset_matrix, "let the next wider matrix count again")
    _describe_segment(made)
    _describe_reason(made)
    made = matrix.verb("history", list_editions, "list who set which matrix, when and why")
    _describe_segment(made)
    made.add_argument("--limit", type=int, default=50, help="default: 50")


def show_matrix(call: Call) -> Table:
    """Show the matrix that counts for one segment, or for those without one of their own."""
    segment, _ = _scope(call)
    chosen = _matrices(call).of(segment)
    return Table(
        columns=[*map(str, chosen.matrix.networks), "action", "from"],
        rows=[{**row, "from": chosen.source} for row in chosen.matrix.as_rows()],
        empty="no network is declared",
    )


def set_matrix(call: Call) -> Table:
    """Check a matrix, and let it count unless this is a rehearsal.

    Raises:
        InputError: if the file cannot be read.
        MatrixError: if the matrix cannot be used.
    """
    asked = call.arguments
    segment, name = _scope(call)
    before = _matrices(call).of(segment)
    matrix = Matrix.from_rows(_read(asked.file), before.matrix.networks, force=asked.force)
    if asked.dry_run:
        return _change(before, Chosen(matrix=matrix, source=f"{asked.file}, not set"))
    _put(call, matrix.as_rows(), segment=segment, name=name, forced=asked.force)
    return _change(before, _matrices(call).of(segment))


def reset_matrix(call: Call) -> Table:
    """Let the next wider matrix count again; the history keeps what there was."""
    segment, name = _scope(call)
    before = _matrices(call)
    if segment not in before.own:
        raise InputError(
            f"{f'segment {name}' if name else 'the cloud'} has no matrix of its own; "
            f"{before.of(segment).source} counts"
        )
    _put(call, [], segment=segment, name=name, forced=False)
    return _change(before.of(segment), _matrices(call).of(segment))


def list_editions(call: Call) -> Table:
    """List every edition, the newest first."""
    segment = _scope(call)[0] if call.arguments.segment else None
    found = call.store.shelf().history(segment=segment, limit=call.arguments.limit)
    return Table(
        columns=_HISTORY,
        rows=[
            {
                "version": edition.version,
                "scope": edition.scope,
                "at": moment(edition.at_s),
                "author": edition.author,
                "reason": edition.reason,
                "forced": edition.forced,
                "rows": [dict(row) for row in edition.rows] or "reset",
            }
            for edition in found
        ],
        empty="nobody has set a matrix; the default counts",
    )


def _describe_segment(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--segment", help=f"{SEGMENT_HELP}; default: the whole cloud")


def _describe_reason(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", default="", help="why; kept in the history")


def _scope(call: Call) -> tuple[str, str]:
    """Return UUID and name of the segment that was named; both empty for the cloud."""
    if call.arguments.segment is None:
        return CLOUD, ""
    segment = find_segment(call, call.arguments.segment)
    return segment.uuid, segment.name


def _matrices(call: Call) -> Matrices:
    return collect(call.store.shelf().newest(), default=assembly.usual_matrix(call.conf))


def _read(file: str) -> list[Row]:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        read = assembly.rows(text, where=file)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{file} cannot be read: {error}; give a YAML or JSON file") from error
    return [{name: word for name, word in row.items() if name not in _TOLD} for row in read]


def _put(call: Call, rows: list[dict[str, str]], *, segment: str, name: str, forced: bool) -> None:
    asked = call.arguments
    call.store.shelf().put(
        rows,
        segment=segment,
        name=name,
        forced=forced,
        at_s=SystemClock().now_s(),
        author=call.author,
        reason=asked.reason,
    )


def _change(before: Chosen, after: Chosen) -> Table:
    rows: list[dict[str, Value]] = []
    for old, new in zip(before.matrix.as_rows(), after.matrix.as_rows(), strict=True):
        rows.append({**new, "before": old["action"], "from": after.source})
    return Table(
        columns=[*map(str, after.matrix.networks), "before", "action", "from"],
        rows=rows,
        empty="no network is declared",
    )
