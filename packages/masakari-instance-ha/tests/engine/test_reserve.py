# SPDX-FileCopyrightText: 2026 The instance-recovery authors
# SPDX-License-Identifier: Apache-2.0
"""What a reserve leaves behind for the return of the host that it took over from."""

from __future__ import annotations

import types

import novaclient.exceptions
import pytest

from instance_ha.past import recall

# Masakari, taskflow and their libraries warn of one another all the time.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("real_time")]


def past(engine, host="h1"):
    return recall(engine.journal.events(engine.journal.unclosed()[host]))


def test_a_spent_reserve_is_told_so_that_it_can_be_replaced(engine, cloud) -> None:
    cloud.boot()

    engine.recover("reserved_host")

    assert past(engine).spent_reserve == "h3"


def test_a_reserve_that_was_not_needed_is_not_spent(engine, cloud) -> None:
    engine.recover("reserved_host")

    assert past(engine).spent_reserve == ""


def test_an_aggregate_that_nova_keeps_the_reserve_out_of_stops_no_recovery(
    engine, cloud, option, monkeypatch
) -> None:
    server = cloud.boot()
    option("host_failure", add_reserved_host_to_aggregate=True)
    cloud.aggregates = [
        types.SimpleNamespace(id=1, name="az-2", hosts=["h1"]),
        types.SimpleNamespace(id=2, name="ssd", hosts=["h1"]),
    ]
    add_host = cloud.add_host

    def refuse_the_first(aggregate: int, host: str) -> None:
        if aggregate == 1:
            raise novaclient.exceptions.Conflict(409, "already in availability zone(s) [nova]")
        add_host(aggregate, host)

    monkeypatch.setattr(cloud, "add_host", refuse_the_first)

    engine.recover("reserved_host")

    assert server.host == "h3"
    assert [aggregate.hosts for aggregate in cloud.aggregates] == [["h1"], ["h1", "h3"]]
    told = [e.text for e in engine.journal.events(engine.journal.unclosed()["h1"])]
    assert "h3 stays out of aggregate az-2: already in availability zone(s) [nova]" in told
