# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import difflib
import runpy
import sys
from pathlib import Path

import pytest

from instance_ha import recovery
from instance_ha.simulation import __main__ as terminal
from instance_ha.simulation import scenario

SCENARIOS = Path(__file__).parent / "scenarios"
FOLDERS = sorted(folder for folder in SCENARIOS.iterdir() if folder.is_dir())


@pytest.mark.parametrize("folder", [pytest.param(f, id=f.name) for f in FOLDERS])
def test_scenario_goes_as_its_journal_says(folder: Path):
    outcome = scenario.play(scenario.read(folder))

    assert not outcome.broken, "no promise may be broken"
    assert not outcome.unmet, "every expectation of the timeline must hold"
    expected = (folder / "journal.expect").read_text()
    difference = difflib.unified_diff(expected.splitlines(), outcome.journal.splitlines())
    assert outcome.journal == expected, "\n".join(difference)


@pytest.mark.parametrize("folder", [pytest.param(f, id=f.name) for f in FOLDERS])
def test_scenario_tells_its_story(folder: Path):
    title, blank, *story = (folder / "README.md").read_text().splitlines()

    assert title.startswith("# ")
    assert not blank
    assert story


@pytest.mark.parametrize("lost", ["down-down-down", "up-up-down"])
def test_without_the_fence_the_witness_sees_it(lost: str):
    """The positive control: a check that cannot fail would prove nothing."""
    unfenced = [step for step in recovery.ORDER if step != "fence"]

    outcome = scenario.play(scenario.read(SCENARIOS / f"row-{lost}", order=unfenced))

    assert any("without a proof" in sentence for sentence in outcome.broken)
    assert any("has power" in sentence for sentence in outcome.broken)
    assert any("runs 2 times" in sentence for sentence in outcome.broken)


def test_terminal_plays_a_scenario(capsys: pytest.CaptureFixture[str]):
    assert terminal.main(["play", str(SCENARIOS / "power-loss")]) == 0

    said = capsys.readouterr().out
    assert "recovery  management, tenant and storage down" in said
    assert said.endswith("PASS  power-loss\n")


def test_terminal_is_a_module_of_its_own(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "argv", ["simulation", "play", str(SCENARIOS / "row-up-up-up")])

    with pytest.raises(SystemExit) as end:
        runpy.run_path(terminal.__file__, run_name="__main__")

    assert end.value.code == 0


def test_terminal_tells_where_a_journal_differs_and_can_write_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    (tmp_path / "hosts.toml").write_text('[[host]]\nname = "h1"\n')
    (tmp_path / "timeline.toml").write_text(
        'length_s = 5\n[[at]]\ns = 1\nexpect = "incidents == 1"\n'
    )

    assert terminal.main(["play", str(tmp_path)]) == 1

    said = capsys.readouterr().out
    assert "1.0 s: incidents == 1, but it is 0" in said
    assert "differs from" in said
    assert terminal.main(["play", "--update", str(tmp_path)]) == 1, "the expectation still fails"
    assert "differs from" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("hosts", "timeline", "says"),
    [
        pytest.param("[[host]]\nname = 'h1'", "length_s = 1\nat = [{s = 1, do = 'explode h1'}]",
                     "'explode h1' is no act", id="unknown act"),
        pytest.param("[[host]]\nname = 'h1'", "length_s = 1\nat = [{s = 1, expect = 'x == 1'}]",
                     "'x == 1' is no fact", id="unknown fact"),
        pytest.param("[[host]]\ncolour = 'h1'", "length_s = 1\nat = []",
                     "colour", id="unknown field"),
        pytest.param("[world]\nnetworks = ['lan']\n[[host]]\nname = 'h1'",
                     "length_s = 1\nat = []", "lan", id="unknown network"),
        pytest.param("]", "", "cannot be read", id="no toml"),
    ],
)  # fmt: skip
def test_a_scenario_that_cannot_be_read_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], hosts: str, timeline: str, says: str
):
    (tmp_path / "hosts.toml").write_text(hosts)
    (tmp_path / "timeline.toml").write_text(timeline)

    assert terminal.main(["play", str(tmp_path)]) == 2
    assert says in capsys.readouterr().err
