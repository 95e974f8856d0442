# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What an engine keeps of a host whose incident it opens, as nobody else noticed the loss."""

from __future__ import annotations

import time

import novaclient.exceptions
import pytest

from instance_ha.past import Past, recall

# Masakari, taskflow and their libraries warn of one another all the time.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("real_time")]


def past(engine) -> Past:
    return recall(engine.journal.events(engine.journal.unclosed()["h1"]))


@pytest.mark.parametrize(
    ("status", "reason", "before"),
    [
        pytest.param("disabled", "disk swap", ("disk swap", False), id="disabled-by-a-person"),
        pytest.param("disabled", None, ("", False), id="disabled-without-a-word"),
        pytest.param("disabled", "instance-ha: reserved host", (None, True), id="reserve"),
        pytest.param("enabled", None, (None, False), id="at-work"),
    ],
)
def test_what_the_flow_overwrites_is_kept(engine, cloud, status, reason, before) -> None:
    cloud.hosts["h1"].status, cloud.hosts["h1"].disabled_reason = status, reason

    engine.recover()

    assert cloud.hosts["h1"].disabled_reason != reason, "the flow has a reason of its own"
    assert (past(engine).disabled_before, past(engine).reserved_before) == before


def test_an_incident_that_is_open_already_is_left_to_who_opened_it(engine, cloud) -> None:
    cloud.hosts["h1"].status, cloud.hosts["h1"].disabled_reason = "disabled", "disk swap"
    engine.journal.open("h1", segment=engine.segment.name, at_s=time.time(), reason="lost")

    engine.recover()

    assert engine.told("before") == []


def test_a_nova_that_does_not_tell_keeps_nobody_from_fencing(engine, cloud, power, monkeypatch):
    server = cloud.boot()
    listed = cloud.list_services
    failures = [novaclient.exceptions.ClientException(503, "restarting")]

    def fail_once(**query):
        if failures:
            raise failures.pop()
        return listed(**query)

    monkeypatch.setattr(cloud, "list_services", fail_once)

    engine.recover()

    assert not failures
    assert power.ordered == ["h1"]
    assert server.host != "h1"
    assert engine.told("before") == []
