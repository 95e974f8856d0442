# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Draw ``docs/pictures/*.svg`` from the text beside them.

``draw.py`` writes the pictures; ``draw.py --check`` tells which are not up to date.

The first line of a text is the picture's title. In a ``.flow`` the second names the columns, and
each further line is ``FROM > TO: WHAT``, or ``WHO . WHAT`` for what one does alone. In a
``.timeline`` each further line is ``SECONDS WHAT``. In a ``.board`` each further line is
``PANEL = VALUES`` for a panel of the dashboard, whose place and kind the dashboard's own file
says; series, rows and lines are parted by semicolons, and a series is its name and its numbers.
Bytes are written as MiB.
"""

import argparse
import contextlib
import html
import json
import pathlib
import sys
from collections.abc import Iterable, Mapping
from typing import Any

ROOT = pathlib.Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs" / "pictures"
DASHBOARD = ROOT / "charms/masakari-k8s/src/masakari_k8s/observe/instance-recovery.json"
COLUMN, ROW, MARGIN = 170, 38, 24
LETTER = 7.2
"""Width of a letter; what the timeline's texts need."""
STYLE = (
    "text{font:13px sans-serif;fill:#222}.title{font-weight:bold;font-size:15px}"
    ".head{font-weight:bold}.life{stroke:#bbb;stroke-dasharray:3 3}"
    ".line{stroke:#0b5394;stroke-width:1.5}.note{fill:#fff6d5;stroke:#c9a227}"
    ".mark{fill:#0b5394}.paper{fill:#fff}.panel{fill:#f7f8fa;stroke:#ccd}"
    ".value{font:bold 24px sans-serif;fill:#0b5394}.small{font-size:11px}"
    ".series{fill:none;stroke-width:2}"
)
CELL, DEEP = 45, 26
"""Width and height of a dashboard's grid cell."""
COLOURS = ("#0b5394", "#c9541c", "#38761d", "#8e44ad", "#8a6d00", "#777777")
UNITS = {"s": " s", "bytes": " MiB"}


class DrawError(Exception):
    """A text is not what can be drawn."""


def flow(text: str) -> str:
    """Return the picture of who tells whom what, one line below the other."""
    title, names, *lines = _lines(text)
    columns = [name.strip() for name in names.split("|")]
    at = {name: MARGIN + COLUMN * number + COLUMN // 2 for number, name in enumerate(columns)}
    bottom = 84 + ROW * len(lines)
    drawn = [f'<text class="title" x="{MARGIN}" y="26">{html.escape(title)}</text>']
    for name, x in at.items():
        drawn += [
            _text(name, x, 58, "head"),
            f'<line class="life" x1="{x}" y1="66" x2="{x}" y2="{bottom}"/>',
        ]
    for number, line in enumerate(lines):
        drawn += _step(line, at, y=96 + ROW * number)
    return _svg(drawn, width=2 * MARGIN + COLUMN * len(columns), height=bottom + 12)


def timeline(text: str) -> str:
    """Return the picture of when what happened, to scale along a line."""
    title, *lines = _lines(text)
    events = [_event(line) for line in lines]
    width, left = 760, MARGIN + 56
    scale = (width - left - MARGIN) / 2 / max(seconds for seconds, _ in events)
    drawn = [f'<text class="title" x="{MARGIN}" y="26">{html.escape(title)}</text>']
    for number, (seconds, what) in enumerate(events):
        y, x = 56 + 26 * number, left + seconds * scale
        drawn += [
            f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{seconds:.1f} s</text>',
            f'<line class="life" x1="{left}" y1="{y}" x2="{x:.1f}" y2="{y}"/>',
            f'<circle class="mark" cx="{x:.1f}" cy="{y}" r="5"/>',
            f'<text x="{x + 12:.1f}" y="{y + 4}">{html.escape(what)}</text>',
        ]
    return _svg(drawn, width=width, height=56 + 26 * len(events))


def board(text: str) -> str:
    """Return the picture of the dashboard with these values in its panels."""
    title, *lines = _lines(text)
    said = {name.strip(): values for name, _, values in (line.partition("=") for line in lines)}
    panels = json.loads(DASHBOARD.read_text())["panels"]
    shown = {panel["title"] for panel in panels if panel["type"] != "row"}
    if odd := sorted(shown ^ said.keys()):
        raise DrawError(f"the dashboard's panels and the lines differ in: {', '.join(odd)}")
    drawn = [f'<text class="title" x="{MARGIN}" y="26">{html.escape(title)}</text>']
    for panel in panels:
        drawn += _panel(panel, said.get(panel["title"], ""))
    deep = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    return _svg(drawn, width=2 * MARGIN + 24 * CELL, height=44 + DEEP * deep + MARGIN)


def _panel(panel: Mapping[str, Any], values: str) -> list[str]:
    place = panel["gridPos"]
    x, y = MARGIN + place["x"] * CELL, 44 + place["y"] * DEEP
    wide, high = place["w"] * CELL - 6, place["h"] * DEEP - 6
    if panel["type"] == "row":
        return [f'<text class="head" x="{x}" y="{y + 18}">{html.escape(panel["title"])}</text>']
    parts = [part.strip() for part in values.split(";") if part.strip()]
    drawn = [
        f'<rect class="panel" x="{x}" y="{y}" width="{wide}" height="{high}" rx="3"/>',
        f'<text class="small" x="{x + 8}" y="{y + 16}">{html.escape(panel["title"])}</text>',
    ]
    if panel["type"] == "timeseries":
        unit = UNITS.get(panel["fieldConfig"]["defaults"].get("unit", ""), "")
        return drawn + _series(parts, x, y, wide, high, unit=unit)
    if panel["type"] == "stat" and len(parts) == 1:
        return [*drawn, _text(parts[0], x + wide // 2, y + high // 2 + 16, "value")]
    return drawn + [
        f'<text x="{x + 8}" y="{y + 42 + 20 * number}">{html.escape(part)}</text>'
        for number, part in enumerate(parts or ["nothing"])
    ]


def _series(parts: list[str], x: int, y: int, wide: int, high: int, *, unit: str) -> list[str]:
    found = [_named(part) for part in parts]
    most = max((value for _, values in found for value in values), default=0) or 1
    across = 2 if len(found) > 3 else 1
    floor, room = y + high - 18 - 15 * -(-len(found) // across), wide - 24
    drawn: list[str] = []
    for number, (name, values) in enumerate(found):
        colour, steps = COLOURS[number % len(COLOURS)], max(1, len(values) - 1)
        points = " ".join(
            f"{x + 12 + room * step / steps:.1f},{floor - (floor - y - 34) * value / most:.1f}"
            for step, value in enumerate(values)
        )
        down, beside = divmod(number, across)
        legend_x, legend_y = x + 12 + room * beside // 2, floor + 18 + 15 * down
        drawn += [
            f'<polyline class="series" style="stroke:{colour}" points="{points}"/>',
            f'<text class="small" style="fill:{colour}" x="{legend_x}" y="{legend_y}">'
            f"{html.escape(f'{name}: {values[-1]:.3g}{unit}')}</text>",
        ]
    return drawn


def _named(part: str) -> tuple[str, list[float]]:
    """Return a series' name and the numbers at its end."""
    words, numbers = part.split(), list[float]()
    with contextlib.suppress(ValueError):
        while words:
            numbers.insert(0, float(words[-1]))
            words.pop()
    if not words or not numbers:
        raise DrawError(f"{part!r} should be a name and numbers")
    return " ".join(words), numbers


KINDS = {".flow": flow, ".timeline": timeline, ".board": board}


def pictures() -> dict[pathlib.Path, str]:
    """Return each picture's file, and what it should hold."""
    return {
        path.with_name(f"{path.stem}-{path.suffix[1:]}.svg"): KINDS[path.suffix](path.read_text())
        for path in sorted(PICTURES.iterdir())
        if path.suffix in KINDS
    }


def stale() -> list[str]:
    """Return the names of pictures that are not what their text says."""
    return [
        path.name
        for path, drawn in pictures().items()
        if not path.exists() or path.read_text() != drawn
    ]


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _event(line: str) -> tuple[float, str]:
    seconds, _, what = line.partition(" ")
    try:
        return float(seconds), what
    except ValueError as error:
        raise DrawError(f"{line!r} should begin with seconds") from error


def _step(line: str, at: dict[str, int], *, y: int) -> list[str]:
    told, arrow, what = line.partition(": ")
    here, arrow, there = (word.strip() for word in told.partition(" > "))
    if not arrow:
        here, _, what = (word.strip() for word in line.partition(" . "))
    if here not in at or (arrow and there not in at):
        raise DrawError(f"{line!r} names no column; there are {', '.join(at)}")
    if not arrow:
        half = len(what) * LETTER / 2 + 8
        return [
            f'<rect class="note" x="{at[here] - half:.1f}" y="{y - 16}" '
            f'width="{2 * half:.1f}" height="24" rx="4"/>',
            _text(what, at[here], y),
        ]
    begin, end = at[here], at[there]
    return [
        f'<line class="line" x1="{begin}" y1="{y}" x2="{end}" y2="{y}" marker-end="url(#tip)"/>',
        _text(what, (begin + end) // 2, y - 6),
    ]


def _text(what: str, x: int, y: int, kind: str = "") -> str:
    styled = f' class="{kind}"' if kind else ""
    return f'<text{styled} x="{x}" y="{y}" text-anchor="middle">{html.escape(what)}</text>'


def _svg(drawn: Iterable[str], *, width: int, height: int) -> str:
    body = "\n".join(drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}">\n<style>{STYLE}</style>\n'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path class="mark" d="M0 0L8 4L0 8z"/></marker></defs>\n'
        f'<rect class="paper" width="{width}" height="{height}"/>\n{body}\n</svg>\n'
    )


def main() -> None:
    """Write the pictures, or tell which are stale."""
    parser = argparse.ArgumentParser(description="Draw the pictures of the documents.")
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if one is stale")
    if parser.parse_args().check:
        sys.exit(f"run tools/draw.py: {', '.join(found)}" if (found := stale()) else 0)
    for path, drawn in pictures().items():
        path.write_text(drawn)


if __name__ == "__main__":
    main()
