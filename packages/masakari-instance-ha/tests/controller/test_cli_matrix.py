# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from instance_ha.matrix import default_matrix
from instance_ha.model import Network, Reach
from instance_ha.rulebook import Rulebook

TENANT_LOST = {Network.MANAGEMENT: Reach.UP, Network.TENANT: Reach.DOWN, Network.STORAGE: Reach.UP}


@pytest.fixture
def rows(ask, journal, tmp_path):
    """Write the rows that count now, with some actions replaced; return the file."""

    def write(**actions):
        shown = ask("matrix", "show")
        for number, action in actions.items():
            shown[int(number.removeprefix("row"))]["action"] = action
        path = tmp_path / "matrix.json"
        path.write_text(json.dumps(shown))
        return str(path)

    return write


def test_the_default_is_shown_with_its_source(ask, run, journal):
    rows = ask("matrix", "show")

    assert len(rows) == 8
    assert rows[1] == {
        "management": "up",
        "tenant": "up",
        "storage": "down",
        "action": "recovery",
        "from": "default: declared networks",
    }
    assert run("matrix", "show")[1].startswith("MANAGEMENT  TENANT  STORAGE  ACTION    FROM\n")


def test_a_matrix_is_previewed_without_being_set(ask, rows):
    changed = ask("matrix", "set", rows(row2="migrate"), "--dry-run")

    assert (changed[2]["before"], changed[2]["action"]) == ("none", "migrate")
    assert changed[2]["from"].endswith("matrix.json, not set")
    assert ask("matrix", "history") == []


def test_a_matrix_that_was_set_judges_and_can_be_taken_back(ask, rows, journal):
    file = rows(row2="migrate")

    changed = ask("matrix", "set", file, "--author", "ada", "--reason", "overlay faults")

    assert changed[2]["from"] == "version 1 for the cloud, by ada"
    assert ask("matrix", "show")[2]["action"] == "migrate"
    assert ask("matrix", "reset")[2]["action"] == "none"
    history = ask("matrix", "history")
    assert [edition["version"] for edition in history] == [2, 1]
    assert history[0]["rows"] == "reset"
    assert (history[1]["author"], history[1]["reason"]) == ("ada", "overlay faults")
    assert history[1]["rows"][2]["action"] == "migrate"
    assert [edition.version for edition in journal.shelf().newest()] == [2]


def test_a_running_controller_goes_by_it(ask, rows, journal):
    book = Rulebook(default_matrix(tuple(Network)), shelf=journal.shelf(), cloud=None)
    book.read(0.0)
    assert book.judge("h1", reach=TENANT_LOST).action == "none"

    ask("matrix", "set", rows(row2="migrate"))
    book.read(5.0)

    assert book.judge("h1", reach=TENANT_LOST).action == "migrate"


def test_a_segment_has_a_matrix_of_its_own(ask, run, rows, openstack_cloud):
    openstack_cloud.enrol("h1", segment="rack1")
    file = rows(row7="none")
    assert run("matrix", "set", file, "--segment", "rack1")[0] == 1, "a contradiction"

    ask("matrix", "set", file, "--segment", "rack1", "--force")

    assert ask("matrix", "show", "--segment", "rack1")[7]["action"] == "none"
    assert ask("matrix", "show")[7]["action"] == "recovery"
    assert ask("matrix", "history", "--segment", "rack1")[0]["scope"] == "segment rack1"
    assert ask("matrix", "history", "--segment", "rack1")[0]["forced"] is True
    code, _, error = run("matrix", "reset")
    assert code == 2
    assert "the cloud has no matrix of its own; default: declared networks counts" in error


def test_a_matrix_comes_through_the_standard_input(ask, rows, monkeypatch):
    text = Path(rows(row2="migrate")).read_text()
    monkeypatch.setattr("sys.stdin", io.StringIO(text))

    assert ask("matrix", "set", "-")[2]["action"] == "migrate"


@pytest.mark.parametrize(
    ("text", "says", "code"),
    [
        pytest.param(None, "cannot be read", 2, id="no file"),
        pytest.param("[", "cannot be read", 2, id="no yaml"),
        pytest.param("up: down", "is no list of rows", 1, id="no list"),
        pytest.param(
            "[{management: up}]", "a row needs action, management", 1, id="a row's words"
        ),
        pytest.param("[]", "no row for", 1, id="no rows"),
    ],
)
def test_t08_a_wrong_matrix_is_never_set(run, journal, tmp_path, text, says, code):
    path = tmp_path / "matrix.yaml"
    if text is not None:
        path.write_text(text)

    told = run("matrix", "set", str(path))

    assert told[0] == code
    assert says in told[2]
    assert journal.shelf().newest() == []
