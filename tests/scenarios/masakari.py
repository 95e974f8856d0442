# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0

"""The application of charm masakari-k8s, under whatever name it was deployed."""

import json
import uuid
from typing import Any

import jubilant

from tests.scenarios import waiting


def a_lone_application_names_what_it_needs(juju: jubilant.Juju, *, app: str) -> None:
    """Without relations the unit is blocked, and its sentence is the next command."""
    waiting.until_blocked(juju, app, says="integrate with ")


def an_option_out_of_range_is_named(juju: jubilant.Juju, *, app: str) -> None:
    """A wrong value blocks the unit by the option's name; taking it back lifts that."""
    juju.config(app, {"hold": 0})
    waiting.until_blocked(juju, app, says="config: hold")
    juju.config(app, reset="hold")
    waiting.until(juju, lambda status: "hold" not in waiting.message(status, app))


def an_action_before_its_time_says_why(juju: jubilant.Juju, *, app: str) -> None:
    """An action on a unit that is not configured fails with a sentence, not with a trace."""
    try:
        juju.run(f"{app}/0", "list-segments", wait=waiting.deadline(60))
    except jubilant.TaskError as error:
        said = error.task.message
    else:
        raise AssertionError("list-segments must fail on a unit without configuration")
    assert "juju status" in said, said
    assert "Traceback" not in said, said


def a_segment_is_created_and_listed(juju: jubilant.Juju, *, app: str) -> None:
    """What create-segment made, list-segments shows; it is Masakari's own segment."""
    name = f"scenario-{uuid.uuid4().hex[:8]}"
    before = segments(juju, app=app)
    _run(juju, app, "create-segment", {"name": name, "recovery-method": "auto_priority"})
    made = [segment for segment in segments(juju, app=app) if segment["name"] == name]
    assert [segment["recovery_method"] for segment in made] == ["auto_priority"]
    assert len(segments(juju, app=app)) == len(before) + 1


def the_plugin_is_proven(juju: jubilant.Juju, *, app: str) -> None:
    """The check action passes in the engine's and the controller's container."""
    answered = _run(juju, app, "check")
    assert {"masakari-engine", "masakari-hostmonitor"} <= answered.keys(), answered


def segments(juju: jubilant.Juju, *, app: str) -> list[dict[str, Any]]:
    """Return Masakari's failover segments, as the action lists them."""
    return json.loads(_run(juju, app, "list-segments")["segments"])


def _run(
    juju: jubilant.Juju, app: str, action: str, params: dict[str, Any] | None = None
) -> dict[str, Any]:
    return dict(juju.run(f"{app}/0", action, params, wait=waiting.deadline(120)).results)
