# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""Every action of charmcraft.yaml stands for words that the command's own parser takes."""

import pathlib
from typing import Any

import pytest
from ops import testing

from masakari_instance_ha import cli
from masakari_k8s.commands import COMMANDS, ParameterError

from .cloud import HOSTMONITOR, Cloud
from .metadata import ACTIONS

ROWS = "- {management: down, storage: down, action: recovery}"
GIVEN: dict[str, Any] = {
    "id": 7,
    "limit": 9,
    "at-once": 3,
    "duration": "1h30m",
    "older-than": "2d",
    "rows": ROWS,
    "recovery-method": "rh_priority",
    "status": "failed",
}
"""A value of each parameter that not every word would do for."""

NAMES = {
    "who": "author",
    "duration": "lasts_s",
    "recovery-method": "recovery_method",
    "older-than": "older_than",
}
"""Parameter -> what the parser calls it, where that is not the same word."""

VALUES: dict[str, Any] = {"duration": 5400.0, "older-than": 172_800.0}


def given(action: str) -> dict[str, Any]:
    """Return a value for every parameter of an action, without those that exclude others."""
    left_out = COMMANDS[action].exclusive[1:]
    return {
        name: GIVEN.get(name, True if spec["type"] == "boolean" else f"-{name} of mine"[1:])
        for name, spec in ACTIONS[action].get("params", {}).items()
        if name not in left_out
    }


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch):
    """Return a way to ask the command what it understands, without doing it."""

    def parse(words: list[str]) -> dict[str, Any]:
        seen: list[dict[str, Any]] = []

        def remember(arguments: Any) -> None:
            seen.append(vars(arguments))
            raise cli.InputError("only parsed")

        monkeypatch.setattr(cli, "Call", remember)
        assert cli.main(words) == cli.WRONG_INPUT
        return seen[0]

    return parse


def test_every_action_has_its_command():
    assert ACTIONS.keys() == COMMANDS.keys() | {"check"}


@pytest.mark.parametrize("action", COMMANDS)
def test_every_parameter_is_used(action: str):
    command = COMMANDS[action]
    used = {*command.places, *command.options, *command.switches, command.input} - {""}

    assert used | ({"confirm"} if command.confirmed else set()) == set(
        ACTIONS[action].get("params", {})
    )


@pytest.mark.parametrize("action", COMMANDS)
def test_command_understands_every_parameter(action: str, parsed):
    params = given(action)

    arguments = parsed(COMMANDS[action].argv(params))

    for name, value in params.items():
        if name in {"confirm", "rows"}:
            continue
        found = arguments[NAMES.get(name, name.replace("-", "_"))]
        assert found in (VALUES.get(name, value), [value])


@pytest.mark.parametrize("action", COMMANDS)
def test_command_understands_the_defaults(action: str, parsed):
    spec = ACTIONS[action]
    params = {
        name: each["default"] for name, each in spec.get("params", {}).items() if "default" in each
    }
    params |= {name: given(action)[name] for name in spec.get("required", ())}
    params |= {name: given(action)[name] for name in COMMANDS[action].exclusive[:1]}
    params |= {"confirm": True}

    parsed(COMMANDS[action].argv(params))


@pytest.mark.parametrize("action", ["pause-recovery", "resume-recovery"])
def test_alternatives_are_understood_too(action: str, parsed):
    for name in COMMANDS[action].exclusive:
        params = {"reason": "disks", name: 7 if name == "id" else "x"}
        arguments = parsed(COMMANDS[action].argv(params))
        assert arguments[name] in ("x", [7])


def test_false_is_said_and_absence_is_not(parsed):
    update = COMMANDS["update-host"]

    no = parsed(update.argv({"host": "h1", "reserved": False, "on-maintenance": False}))
    nothing = parsed(update.argv({"host": "h1"}))

    assert (no["reserved"], no["on_maintenance"]) == (False, False)
    assert (nothing["reserved"], nothing["on_maintenance"]) == (None, None)


@pytest.mark.parametrize(
    ("action", "params", "sentence"),
    [
        ("delete-segment", {"segment": "a", "confirm": False}, "dry-run=true.* confirm=true"),
        ("purge-database", {"older-than": "90d"}, "nothing was done, as.*confirm=true"),
        ("remove-host", {"host": "h1"}, "nothing was done to h1.*confirm=true"),
        ("run-drill", {"host": "h1", "again": "h1"}, "nothing was done to h1.*confirm=true"),
        ("simulate-failure", {"hosts": "", "zone": ""}, "needs hosts or zone; run list-hosts"),
        ("approve-incident", {"host": ""}, "needs id or host; run list-incidents"),
        ("show-incident", {"id": 1, "host": "h1"}, "id and host exclude each other"),
        ("pause-recovery", {"segment": "a", "host": "h1", "reason": "x"}, "give one of them"),
        ("return-host", {"host": "--help"}, "begins with a dash"),
    ],
)
def test_what_the_command_would_misread_is_refused(action: str, params, sentence: str):
    with pytest.raises(ParameterError, match=sentence):
        COMMANDS[action].argv(params)


def test_dash_in_words_for_people_is_theirs(parsed):
    words = COMMANDS["pause-recovery"].argv({"reason": "--host h2 is being mended"})

    assert parsed(words)["reason"] == "--host h2 is being mended"


@pytest.mark.parametrize("action", COMMANDS)
def test_unit_runs_it(action: str, tmp_path: pathlib.Path, cloud: Cloud):
    params = given(action)
    state = cloud.run(cloud.state())

    cloud.context.run(cloud.context.on.action(action, params=params), cloud.again(state))

    ran = cloud.context.exec_history[HOSTMONITOR][-1]
    assert list(ran.command[5:]) == COMMANDS[action].argv(params)
    assert ran.stdin == (ROWS if action == "set-matrix" else "")
    assert cloud.context.action_results == {COMMANDS[action].result: "[]", "count": 0}


def test_refusal_reaches_the_person(cloud: Cloud):
    state = cloud.run(cloud.state())
    action = cloud.context.on.action("remove-host", params={"host": "h1"})

    with pytest.raises(testing.ActionFailed, match="remove-host: nothing was done to h1"):
        cloud.context.run(action, cloud.again(state))
