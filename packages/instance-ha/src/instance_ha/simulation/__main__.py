# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Play scenarios from a terminal: ``python -m instance_ha.simulation play FOLDER...``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from instance_ha.simulation import scenario


def main(argv: list[str] | None = None) -> int:
    """Play each folder; return 0 if all went as expected, 1 if not, 2 if one cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m instance_ha.simulation")
    play = parser.add_subparsers(required=True).add_parser("play", help="play scenarios")
    play.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    play.add_argument("--update", action="store_true", help="write journal.expect anew")
    arguments = parser.parse_args(argv)
    try:
        results = [_play(folder, update=arguments.update) for folder in arguments.folders]
    except scenario.ScenarioError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0 if all(results) else 1


def _play(folder: Path, *, update: bool) -> bool:
    outcome = scenario.play(scenario.read(folder))
    expected = folder / "journal.expect"
    if update:
        expected.write_text(outcome.journal)
    equal = expected.exists() and expected.read_text() == outcome.journal
    faults = [*outcome.unmet, *outcome.broken, *([] if equal else [f"differs from {expected}"])]
    sys.stdout.write(outcome.journal)
    sys.stdout.writelines(f"FAULT {fault}\n" for fault in faults)
    sys.stdout.write(f"{'FAIL' if faults else 'PASS'}  {folder.name}\n")
    return not faults


if __name__ == "__main__":
    sys.exit(main())
