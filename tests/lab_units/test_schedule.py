# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""A schedule is refused before anything is broken, if the lab cannot play or judge it."""

import pytest

from lab import disk, paths
from lab.errors import LabError
from lab.stories import play_folder

SCENARIOS = paths.REPOSITORY / "tests/sim/scenarios"
SCHEDULES = sorted(SCENARIOS.glob("schedule-*"))


class BegunError(Exception):
    """The schedule was accepted."""


class Stage:
    """A scene on which nothing may be broken yet."""

    def boot_servers(self, on, *, count):
        raise BegunError


@pytest.fixture(autouse=True)
def lab(tmp_path, monkeypatch):
    for name in ("h1", "h2", "h3"):
        (tmp_path / "hosts" / name).mkdir(parents=True)
    monkeypatch.setattr(disk, "HOSTS", tmp_path / "hosts")


@pytest.fixture
def write(tmp_path):
    """Write a folder with one host and these lines of a timeline."""

    def write(*lines):
        folder = tmp_path / "folder"
        folder.mkdir()
        (folder / "hosts.toml").write_text('[[host]]\nname = "h1"\nservers = ["web"]\n')
        said = "".join(f"[[at]]\ns = {number}\n{line}\n" for number, line in enumerate(lines))
        (folder / "timeline.toml").write_text(f"length_s = 9\n{said}")
        return folder

    return write


@pytest.mark.parametrize("folder", [pytest.param(f, id=f.name) for f in SCHEDULES])
def test_every_schedule_of_the_simulation_is_one_of_the_lab(folder):
    with pytest.raises(BegunError):
        play_folder(Stage(), folder)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        pytest.param(
            ['do = "skew masakari-0 30"', 'expect = "state h1 == none"'],
            "no act 'skew masakari-0 30'",
            id="an act that only the simulation has",
        ),
        pytest.param(
            ['do = "trouble database hung 5"', 'expect = "state h1 == none"'],
            "no act 'trouble database hung 5'",
            id="a kind of trouble that only the simulation has",
        ),
        pytest.param(
            ['do = "power-off h9"', 'expect = "state h1 == none"'],
            "no act 'power-off h9'",
            id="a host that is not there",
        ),
        pytest.param(
            ['do = "power-off h1"', 'expect = "idle == nothing"'],
            "cannot look at 'idle'",
            id="a fact that only the simulation knows",
        ),
        pytest.param(
            ['expect = "state h1 == none"', 'do = "power-off h1"'],
            "expects nothing after its last act",
            id="nothing to judge it by",
        ),
    ],
)
def test_a_schedule_that_cannot_be_played_or_judged_is_refused(write, lines, says):
    with pytest.raises(LabError, match=says):
        play_folder(Stage(), write(*lines))
