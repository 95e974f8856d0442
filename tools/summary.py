# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""Add up the JUnit reports of one run: ``summary.py DIRECTORY``.

What failed comes first, each with the end of what it said: who ran for half an hour should not
have to look for it. The last line reads ``N passed, N failed, N skipped``; the exit code is 1 if
no test ran.
"""

import collections
import pathlib
import sys
from collections.abc import Iterator
from xml.etree import ElementTree as ET

SHOWN_LINES = 60
"""How much is shown of the trace of one failure, and as much of what was printed."""


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


def failures(report: str) -> Iterator[str]:
    """Yield, for each test case that failed, its name and the end of its trace and output."""
    for case in ET.fromstring(report).iter("testcase"):  # noqa: S314  our own pytest wrote it
        if any(child.tag in ("failure", "error") for child in case):
            lines = [f"== {case.get('classname', '')}::{case.get('name', '')}"]
            for child in case:
                lines += (child.text or child.get("message") or "").splitlines()[-SHOWN_LINES:]
            yield "\n".join(lines)


def main(directory: pathlib.Path) -> int:
    """Print what failed, one line a report, and their sum."""
    total: collections.Counter[str] = collections.Counter()
    reports = {path.stem: path.read_text() for path in sorted(directory.glob("*.xml"))}
    for report in reports.values():
        for failure in failures(report):
            print(failure)
    for name, report in reports.items():
        outcomes = count(report)
        total += outcomes
        print(f"{name:20} {sentence(outcomes)}")
    print(sentence(total))
    return 0 if total["passed"] + total["failed"] else 1


def sentence(outcomes: collections.Counter[str]) -> str:
    """Return the outcomes in the words that every test runner uses."""
    return ", ".join(f"{outcomes[word]} {word}" for word in ("passed", "failed", "skipped"))


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
