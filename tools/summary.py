# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""Add up the JUnit reports of one run: ``summary.py DIRECTORY``.

The last line reads ``N passed, N failed, N skipped``; the exit code is 1 if no test ran.
"""

import collections
import pathlib
import sys
from xml.etree import ElementTree as ET


def count(report: str) -> collections.Counter[str]:
    """Return how the test cases of one JUnit report ended: passed, failed, skipped."""
    outcomes: collections.Counter[str] = collections.Counter()
    for case in ET.fromstring(report).iter("testcase"):  # noqa: S314  our own pytest wrote it
        endings = {child.tag for child in case}
        if endings & {"failure", "error"}:
            outcomes["failed"] += 1
        elif "skipped" in endings:
            outcomes["skipped"] += 1
        else:
            outcomes["passed"] += 1
    return outcomes


def main(directory: pathlib.Path) -> int:
    """Print one line a report and their sum."""
    total: collections.Counter[str] = collections.Counter()
    for report in sorted(directory.glob("*.xml")):
        outcomes = count(report.read_text())
        total += outcomes
        print(f"{report.stem:20} {sentence(outcomes)}")
    print(sentence(total))
    return 0 if total["passed"] + total["failed"] else 1


def sentence(outcomes: collections.Counter[str]) -> str:
    """Return the outcomes in the words that every test runner uses."""
    return ", ".join(f"{outcomes[word]} {word}" for word in ("passed", "failed", "skipped"))


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
