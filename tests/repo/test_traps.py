# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Every trap that others fell into has a test of its own, and the page that lists them is true."""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRAPS = [f"T{number}" for number in range(1, 22)]
PLACES = ("tests", "packages", "charms", "sunbeam_plugin")
ROW = re.compile(r"^\| (T\d+) \|.*\| ([^|]+) \|$", re.MULTILINE)


def listed() -> dict[str, list[str]]:
    """Return each trap of the page with the tests that the page names."""
    page = (ROOT / "docs/reference/traps.md").read_text()
    return {trap: re.findall(r"`(\w+)`", tests) for trap, tests in ROW.findall(page)}


def written() -> set[str]:
    """Return the tests in the tree that are named after a trap."""
    return {
        name
        for place in PLACES
        for path in (ROOT / place).rglob("test_*.py")
        for name in re.findall(r"^def (test_t\d\d_\w+)\(", path.read_text(), re.MULTILINE)
    }


def test_every_trap_is_listed_with_a_test_named_after_it():
    table = listed()

    assert list(table) == TRAPS
    for trap, tests in table.items():
        prefix = f"test_t{int(trap[1:]):02}_"
        assert tests, trap
        assert [name for name in tests if not name.startswith(prefix)] == []


def test_the_tests_of_the_page_are_in_the_tree():
    assert {name for tests in listed().values() for name in tests} <= written()
